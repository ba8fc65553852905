"""Where the built book is, and which pages it has."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HTML = ROOT / "_build" / "html"


def built_pages():
    """Return the pages of the built book, relative to its root.

    Sphinx makes some of them by itself (search, index). They have no prose of ours; their links and their behaviour
    are checked all the same. The root page only sends the reader on to the front page.
    """
    pages = [path.relative_to(HTML).as_posix() for path in sorted(HTML.rglob("*.html")) if "_static" not in path.parts]
    if not pages:
        pytest.exit(f"there is no built book in {HTML}; run `make test`, which builds it first", returncode=4)
    return [page for page in pages if page != "index.html"]
