"""What serves the pages and not the subject: claims, figures, stored results, marks, progress bars."""
