"""Serve the widgets' front ends from the book itself, on the pages that have a widget."""

import hashlib
from pathlib import Path

from utils.widgets import bundle
from utils.widgets.base import FOLDER

MARK = '<div class="book-widget"'


def front_end_key():
    """Hash the files of the front ends: pages with a widget are written again when one changes."""
    files = sorted(file for file in FOLDER.iterdir() if file.suffix in {".mjs", ".js", ".css"})
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


def note_key(app, config):
    """Make the front ends part of the configuration."""
    config["book_front_end_key"] = front_end_key()


def write_assets(app):
    """Put script and style among the static files before Sphinx computes their checksums."""
    if app.builder.format == "html":
        static = Path(app.outdir) / "_static"
        static.mkdir(parents=True, exist_ok=True)
        (static / "book-widgets.js").write_text(bundle(), encoding="utf-8")
        (static / "book-widgets.css").write_text((FOLDER / "widgets.css").read_text(encoding="utf-8"), encoding="utf-8")


def load_on_pages_with_widgets(app, pagename, templatename, context, doctree):
    """Load the script right before the first widget.

    Text above is on the screen by then, and each widget is mounted while the page is still being read, so that nothing
    moves when it appears.
    """
    body = context.get("body") or ""
    if MARK in body:
        app.add_css_file("book-widgets.css")
        script = f'<script src="{context["pathto"]("_static/book-widgets.js", 1)}?v={front_end_key()}"></script>'
        context["body"] = body.replace(MARK, script + MARK, 1)


def setup(app):
    """Register with Sphinx."""
    app.add_config_value("book_front_end_key", "", "env", [str])
    app.connect("config-inited", note_key)
    app.connect("builder-inited", write_assets)
    app.connect("html-page-context", load_on_pages_with_widgets)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
