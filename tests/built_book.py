"""Where the built book is, and which pages it has."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# `make page` tests a page that was built alone.
HTML = Path(os.environ.get("BOOK_HTML", ROOT / "_build" / "html"))


def built_pages():
    """Return the pages of the built book, relative to its root.

    Sphinx makes some of them by itself (search, index). They have no prose of ours; their links and their behaviour
    are checked all the same. The root page only sends the reader on to the front page, and the page for addresses that
    lead nowhere stands outside the book (tests/book/test_search.py).
    """
    pages = [path.relative_to(HTML).as_posix() for path in sorted(HTML.rglob("*.html")) if "_static" not in path.parts]
    if not pages:
        raise pytest.UsageError(f"there is no built book in {HTML}; run `make test`, which builds it first")
    return [page for page in pages if page not in ("index.html", "404.html")]


def pages_to_visit():
    """Return the pages that `make test` opens in a browser: all but the listings of source code.

    Those differ in their code only, so the longest stands for all.
    """
    pages = built_pages()
    listings = [page for page in pages if page.startswith("_modules/utils/")]
    longest = max(listings, key=lambda page: (HTML / page).stat().st_size, default=None)
    return [page for page in pages if page not in listings or page == longest]


def each_its_own_unit(pages):
    """Return parameters for tests of single pages, which any free process may take."""
    return [pytest.param(page, marks=pytest.mark.xdist_group(page)) for page in pages]


def page_with_widget(slug):
    """Return the first page that shows a widget: what tests of that widget open."""
    pages = [page for page in built_pages() if f'data-widget="{slug}"' in (HTML / page).read_text("utf-8")]
    if not pages:
        raise pytest.UsageError(f"no page in {HTML} shows the widget {slug!r}; put it into a chapter")
    return pages[0]
