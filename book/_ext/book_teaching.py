"""Tables for teachers: what each chapter takes, and which assignments there are. Nothing in them is typed.

``{chapter-times}`` becomes a table of the chapters, with the minutes to read them (``book_reading``), and the seconds
that their code took on the machine that built the book. ``{assignment-list}`` becomes a table of the sources in
``assignments/``: their titles, tasks and points, taken from their headings, and nothing else of them.
"""

import os
import platform
import re
from pathlib import Path

from book_execution import find_record
from book_reading import place
from book_tables import link_to, table
from docutils import nodes
from myst_nb.sphinx_ import NbMetadataCollector
from sphinx.util.docutils import SphinxDirective


class chapter_times(nodes.General, nodes.Element):
    """Stands where the table of chapters comes."""


class assignment_list(nodes.General, nodes.Element):
    """Stands where the table of assignments comes."""


class TimesDirective(SphinxDirective):
    """``{chapter-times}``: reading and running times."""

    def run(self):
        """Leave a mark, to be replaced once every page has been read."""
        self.env.book_teaching_page = self.env.docname
        self.env.metadata[self.env.docname]["book_minutes"] = True
        return [chapter_times()]


class AssignmentsDirective(SphinxDirective):
    """``{assignment-list}``: assignments with their points."""

    def run(self):
        """Leave a mark."""
        self.env.book_teaching_page = self.env.docname
        return [assignment_list()]


def read_assignment(text):
    r"""Return the title, the number of tasks and the points of an assignment's source, from its headings.

    Examples
    --------
    >>> read_assignment("# Assignment: ship it\n## 1. Compute (2 points)\n```\n# code\n```\n## 2. Say (1 point)")
    ('ship it', 2, 3)
    """
    prose = re.sub(r"^(`{3,}).*?^\1\s*$", "", text, flags=re.DOTALL | re.MULTILINE)
    title = re.search(r"^# (?:Assignment: *)?(.+)$", prose, flags=re.MULTILINE)
    points = [int(number) for number in re.findall(r"^## .*\((\d+) points?\)\s*$", prose, flags=re.MULTILINE)]
    return (title[1].strip() if title else "", len(points), sum(points))


def chapters(app):
    """Return the chapters in reading order."""
    order = list(app.env.toctree_includes.get(app.config.root_doc, []))
    return [page for page in order if page.startswith("chapters/")]


def times_table(app, docname):
    """Return the table of chapters, and a paragraph that says on which machine they ran."""
    rows = []
    for page in chapters(app):
        has_run = NbMetadataCollector.get_exec_data(app.env, page)
        seconds = f"{find_record(app, page).data['execution_seconds']:.0f} s" if has_run else "no code"
        rows.append((link_to(app, docname, page), place("words", page), place("minutes", page), seconds))
    machine = (
        f"Running times: {platform.system()} on {platform.machine()}, {os.cpu_count()} cores. Each page "
        "has one thread, and pages run side by side."
    )
    return [table(("Chapter", "Words", "To read", "To run"), (50, 10, 25, 15), rows), nodes.paragraph("", machine)]


def assignments_table(app, docname):
    """Return the table of assignments; those on a chapter first, in the order of the book."""
    pages = {page.split("/")[1]: page for page in chapters(app)}
    order = list(pages)
    folder = Path(app.srcdir) / "assignments"
    paths = [path for path in folder.glob("*.md") if re.fullmatch(r"[a-z][a-z0-9_]*", path.stem)]
    paths.sort(key=lambda path: (order.index(path.stem) if path.stem in pages else len(order), path.stem))
    rows = []
    for path in paths:
        title, n_tasks, points = read_assignment(path.read_text(encoding="utf-8"))
        chapter = link_to(app, docname, pages[path.stem]) if path.stem in pages else "several"
        rows.append((nodes.literal(text=path.stem), title, chapter, str(n_tasks), str(points)))
    return [table(("File", "Assignment", "Chapter", "Tasks", "Points"), (15, 30, 30, 12, 13), rows)]


def fill(app, doctree, docname):
    """Put the tables where the directives stood."""
    for mark in list(doctree.findall(chapter_times)):
        mark.replace_self(times_table(app, docname))
    for mark in list(doctree.findall(assignment_list)):
        mark.replace_self(assignments_table(app, docname))


def refresh(app, env):
    """Write the page again in every build: any page, and any assignment, may have changed."""
    page = getattr(env, "book_teaching_page", None)
    return [page] if page in env.found_docs else []


def setup(app):
    """Register with Sphinx."""
    app.add_node(chapter_times)
    app.add_node(assignment_list)
    app.add_directive("chapter-times", TimesDirective)
    app.add_directive("assignment-list", AssignmentsDirective)
    app.connect("env-updated", refresh)
    app.connect("doctree-resolved", fill)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
