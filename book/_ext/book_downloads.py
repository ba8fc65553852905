"""The whole book as a zip and as a PDF, linked where the directive ``{book-downloads}`` stands.

Both are made from a built book (``make zip``, ``make pdf``), so they cannot be there when it is built first. A build
with the environment variable ``BOOK_DOWNLOADS`` takes them from the folder that it names (``make site``). A build
without it has no downloads, and the directive leaves no trace.
"""

import os
import shutil
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

TEXTS = {
    ".zip": "The whole book to take along",
    ".pdf": "The whole book to print",
}


class book_downloads(nodes.General, nodes.Element):
    """Stands where the links come."""


class DownloadsDirective(SphinxDirective):
    """``{book-downloads}``: links to the zip and the PDF, if there are any."""

    def run(self):
        """Leave a mark, to be replaced when the page is written."""
        return [book_downloads()]


def find_downloads(app, config):
    """List the files in the folder that the environment names.

    Raises
    ------
    ExtensionError
        If there is neither a zip nor a PDF in it.
    """
    folder = os.environ.get("BOOK_DOWNLOADS")
    files = sorted(file for file in Path(folder).iterdir() if file.suffix in TEXTS) if folder else []
    if folder and not files:
        raise ExtensionError(
            f"expected a .zip or a .pdf in BOOK_DOWNLOADS, received the folder {folder} without one; "
            "run `make zip pdf`, or unset it"
        )
    config["book_downloads"] = [str(file.resolve()) for file in files]


def fill(app, doctree, docname):
    """Put the links where the directive stood."""
    for mark in list(doctree.findall(book_downloads)):
        items = []
        for file in map(Path, app.config.book_downloads):
            target = app.builder.get_relative_uri(docname, f"downloads/{file.name}").removesuffix(".html")
            kind = f"{file.suffix[1:].upper()}, {file.stat().st_size / 1e6:.0f} MB"
            items.append(f'<li><a href="{escape(target)}" download>{TEXTS[file.suffix]}</a> ({kind})</li>')
        markup = f'<ul class="book-downloads">{"".join(items)}</ul>'
        mark.replace_self([nodes.raw("", markup, format="html")] if items else [])


def copy_downloads(app, exception):
    """Put the files into the built book, and remove those of an earlier build."""
    if exception or app.builder.format != "html":
        return
    target = Path(app.outdir) / "downloads"
    shutil.rmtree(target, ignore_errors=True)
    for file in app.config.book_downloads:
        target.mkdir(exist_ok=True)
        shutil.copy(file, target)


def setup(app):
    """Register with Sphinx."""
    app.add_config_value("book_downloads", [], "html", [list])
    app.add_node(book_downloads)
    app.add_directive("book-downloads", DownloadsDirective)
    app.connect("config-inited", find_downloads)
    app.connect("doctree-resolved", fill)
    app.connect("build-finished", copy_downloads)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
