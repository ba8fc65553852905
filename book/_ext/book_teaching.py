"""Tables for teachers: what each chapter takes, and which assignments there are. Nothing in them is typed.

``{chapter-times}`` becomes a table of the chapters, with the words of their prose, the minutes to read them, and the
seconds that their code took on the machine that built the book. ``{assignment-list}`` becomes a table of the sources in
``assignments/``: their titles, tasks and points, taken from their headings, and nothing else of them.
"""

import os
import platform
import re
from pathlib import Path

from book_execution import find_record
from book_status import table
from docutils import nodes
from myst_nb.sphinx_ import NbMetadataCollector
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode

WORDS_A_MINUTE = 200


class chapter_times(nodes.General, nodes.Element):
    """Stands where the table of chapters comes."""


class assignment_list(nodes.General, nodes.Element):
    """Stands where the table of assignments comes."""


class TimesDirective(SphinxDirective):
    """``{chapter-times}``: reading and running times."""

    def run(self):
        """Leave a mark, to be replaced once every page has been read."""
        self.env.book_teaching_page = self.env.docname
        return [chapter_times()]


class AssignmentsDirective(SphinxDirective):
    """``{assignment-list}``: assignments with their points."""

    def run(self):
        """Leave a mark."""
        self.env.book_teaching_page = self.env.docname
        return [assignment_list()]


def count_words(node):
    """Count the words that a reader of a page reads: its prose, without code, outputs, pictures and formulas.

    Examples
    --------
    >>> page = nodes.section("", nodes.paragraph(text="Two words"), nodes.literal_block(text="x = 1"))
    >>> count_words(page)
    2
    """
    if isinstance(node, nodes.Text):
        return len(node.astext().split())
    is_skipped = isinstance(node, nodes.literal_block | nodes.math_block | nodes.math | nodes.comment | nodes.raw)
    if is_skipped or "cell" in node.get("classes", []):
        return 0
    return sum(map(count_words, node.children))


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


def link_to(app, docname, page):
    """Return a link from one page to another, with its title."""
    return make_refnode(app.builder, docname, page, "", [nodes.Text(app.env.titles[page].astext())])


def times_table(app, docname):
    """Return the table of chapters, and a paragraph that says on which machine they ran."""
    rows = []
    for page in chapters(app):
        n_words = count_words(app.env.get_doctree(page))
        has_run = NbMetadataCollector.get_exec_data(app.env, page)
        seconds = f"{find_record(app, page).data['execution_seconds']:.0f} s" if has_run else "no code"
        minutes = f"{max(1, round(n_words / WORDS_A_MINUTE))} min"
        rows.append((link_to(app, docname, page), f"{n_words:,}", minutes, seconds))
    machine = (
        f"Running times: {platform.system()} on {platform.machine()}, {os.cpu_count()} cores. Each page "
        "has one thread, and pages run side by side."
    )
    return [table(("Chapter", "Words", "To read", "To run"), (55, 15, 15, 15), rows), nodes.paragraph("", machine)]


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
