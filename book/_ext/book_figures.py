"""Figures that everybody can see: an alternative text is compulsory, and colours follow the reader's theme.

Vector figures are written into the page itself, each colour of the book's palette replaced by a CSS variable of the
same name. So one drawing serves the light and the dark theme, and needs no request of its own.
"""

from pathlib import Path

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging

from utils.book.plotting import PALETTE, themed_svg

logger = logging.getLogger(__name__)


def demand_alternative_text(app, doctree):
    """Warn, which fails the build, about every picture without an alternative text."""
    for image in doctree.findall(nodes.image):
        if not image.get("alt", "").strip():
            logger.warning(
                "this picture has no alternative text; in a code cell add to its metadata "
                "'mystnb: {image: {alt: what the figure shows}}'",
                location=image,
                type="book",
                subtype="alt",
            )


def palette_css():
    """Return the palette as CSS variables, light and dark."""
    light = "".join(f"--book-{name}:{pair[0]};" for name, pair in PALETTE.items())
    dark = "".join(f"--book-{name}:{pair[1]};" for name, pair in PALETTE.items())
    return f":root{{{light}}}\nhtml[data-theme=dark]{{{dark}}}\n"


def write_palette(app):
    """Put the palette among the static files before Sphinx computes their checksums."""
    if app.builder.format == "html":
        static = Path(app.outdir) / "_static"
        static.mkdir(parents=True, exist_ok=True)
        (static / "book-palette.css").write_text(palette_css(), encoding="utf-8")
        app.add_css_file("book-palette.css", priority=600)


class InlineFigures(SphinxPostTransform):
    """Replace each SVG that a cell drew by the drawing itself."""

    default_priority = 5  # before Sphinx collects the images to copy
    formats = ("html",)

    def run(self, **kwargs):
        """Go through the pictures of one page."""
        for image in list(self.document.findall(nodes.image)):
            file = Path(self.env.srcdir) / image["uri"].lstrip("/")
            if file.suffix == ".svg" and file.is_file():
                svg = themed_svg(file.read_text(encoding="utf-8"), image.get("alt", ""))
                image.replace_self(nodes.raw("", svg, format="html"))


def setup(app):
    """Register with Sphinx."""
    app.connect("doctree-read", demand_alternative_text)
    app.connect("builder-inited", write_palette)
    app.add_post_transform(InlineFigures)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
