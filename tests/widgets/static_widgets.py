"""Widgets as the book's build writes them: by a process of their own, since Python decides at import."""

import json
import os
import subprocess
import sys

# As the import cell of a chapter.
HEAD = "import json\nfrom utils.book.plotting import use_book_style\nfrom utils.widgets import *\nuse_book_style()\n"


def run_static(code):
    """Run `code` after `HEAD` where widgets are static, with warnings as errors; return what it prints."""
    process = subprocess.run(
        [sys.executable, "-W", "error", "-c", HEAD + code],
        env={**os.environ, "BOOK_STATIC_WIDGETS": "1", "MPLBACKEND": "agg"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


def static_html(*widgets):
    """Return the HTML of each widget, given as the Python expression that makes it."""
    return json.loads(run_static(f"print(json.dumps([widget.to_html() for widget in ({', '.join(widgets)},)]))"))
