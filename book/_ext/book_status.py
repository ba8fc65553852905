"""The status of the build that the reader holds: what ran, how long it took, and with which packages.

The directive ``{build-status}`` becomes two tables. Nothing in them is typed: times and memory come from the execution
cache, versions from the packages themselves.
"""

import platform
from importlib.metadata import requires, version

from book_execution import find_record
from book_tables import link_to, table
from docutils import nodes
from myst_nb.sphinx_ import NbMetadataCollector
from packaging.requirements import Requirement
from sphinx.util.docutils import SphinxDirective


class build_status(nodes.General, nodes.Element):
    """Stands where the tables come."""


class StatusDirective(SphinxDirective):
    """``{build-status}``: executed pages and package versions."""

    def run(self):
        """Leave a mark, to be replaced once every page has been read."""
        self.env.book_status_page = self.env.docname
        return [build_status()]


def executed_pages(app, docname):
    """Return rows of (link to the page, seconds, megabytes) for all pages with cells, in reading order."""
    rows = []
    for page in app.env.found_docs:
        if NbMetadataCollector.get_exec_data(app.env, page):
            run = find_record(app, page).data
            link = link_to(app, docname, page)
            peak = run.get("peak_bytes")
            memory = f"{peak / 1e6:.0f} MB" if peak else "not measured"
            rows.append((page, (link, f"{run['execution_seconds']:.1f} s", memory)))
    order = list(app.env.toctree_includes.get(app.config.root_doc, []))
    rows.sort(key=lambda item: (order.index(item[0]) if item[0] in order else len(order), item[0]))
    return [cells for _, cells in rows]


def installed_versions():
    """Return rows of (package, version) for Python and for all that `utils` asks for directly."""
    wanted = (Requirement(line) for line in requires("embeddings-for-recommender-systems"))
    names = sorted(r.name for r in wanted if r.marker is None or r.marker.evaluate({"extra": ""}))
    return [("Python", platform.python_version()), *((name, version(name)) for name in names)]


def fill(app, doctree, docname):
    """Put the tables where the directive stood."""
    for mark in list(doctree.findall(build_status)):
        mark.replace_self(
            [
                table(("Page", "Running time", "Peak memory"), (60, 20, 20), executed_pages(app, docname)),
                table(("Package", "Version"), (70, 30), installed_versions()),
            ]
        )


def refresh(app, env):
    """Write the page again whenever any page was read again."""
    page = getattr(env, "book_status_page", None)
    return [page] if page in env.found_docs else []


def setup(app):
    """Register with Sphinx."""
    app.add_node(build_status)
    app.add_directive("build-status", StatusDirective)
    app.connect("env-updated", refresh)
    app.connect("doctree-resolved", fill)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
