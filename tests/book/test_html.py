"""What every page of the built book owes its reader, checked in its HTML."""

import posixpath
import re
from itertools import pairwise
from urllib.parse import unquote, urlsplit

from tests.built_book import HTML, ROOT, built_pages

FOREIGN = re.compile(r"^(https?:)?//", re.IGNORECASE)


def assert_none(faults):
    """Assert that no page has a fault; the message says which has which."""
    assert {page: found for page, found in faults.items() if found} == {}


def test_pages_load_nothing_from_another_host(soups):
    tags = ["script", "img", "iframe", "link", "source", "video", "audio", "embed"]
    unloaded = (["canonical"], ["author"], ["license"], ["next"], ["prev"])
    faults = {}
    for page, soup in soups.items():
        urls = [tag.get("src") or tag.get("href") for tag in soup.find_all(tags) if tag.get("rel") not in unloaded]
        faults[page] = [url for url in urls if url and FOREIGN.match(url)]
    assert_none(faults)


def test_inline_code_names_no_content_network(soups):
    faults = {}
    for page, soup in soups.items():
        code = " ".join(tag.get_text() for tag in soup.find_all(["script", "style"]) if not tag.get("src"))
        faults[page] = re.findall(r"[\w.]*(?:cdn|unpkg|jsdelivr|googleapis|cloudflare)[\w.]*", code)
    assert_none(faults)


def test_style_sheets_import_nothing_foreign():
    for sheet in HTML.rglob("*.css"):
        urls = re.findall(
            r"(?:@import\s+|url\()\s*['\"]?([^'\")\s]+)", sheet.read_text(encoding="utf-8", errors="replace")
        )
        assert [url for url in urls if FOREIGN.match(url)] == [], sheet


def test_internal_links_and_anchors_lead_somewhere(soups):
    anchors = {page: {tag["id"] for tag in soup.find_all(id=True)} for page, soup in soups.items()}
    faults = {}
    for page, soup in soups.items():
        faults[page] = []
        for link in soup.find_all("a", href=True):
            parts = urlsplit(link["href"])
            if parts.scheme or parts.netloc:
                continue
            path = posixpath.join(posixpath.dirname(page), unquote(parts.path))
            target = posixpath.normpath(path) if parts.path else page
            anchor = unquote(parts.fragment)
            if not (HTML / target).exists() or (anchor and target in anchors and anchor not in anchors[target]):
                faults[page].append(link["href"])
    assert_none(faults)


def test_pictures_have_an_alternative_text(soups):
    assert_none(
        {
            page: [
                str(tag)[:120]
                for tag in soup.select("main img, main svg.book-figure")
                if not (tag.get("alt") or tag.get("aria-label"))
            ]
            for page, soup in soups.items()
        }
    )


def test_cells_print_no_warning_no_traceback_and_no_leftover_object(soups):
    pattern = r"Traceback \(most recent call last\)|\w*Warning:"
    pattern += r"|<matplotlib[^>]*>|<Axes[^>]*>|\[?Text\(|np\.float64\(| object at 0x"
    faults = {}
    for page, soup in soups.items():
        printed = " ".join(tag.get_text() for tag in soup.select(".cell_output"))
        faults[page] = [tag.get_text()[:300] for tag in soup.select(".output.stderr, .output.traceback")]
        faults[page] += re.findall(pattern, printed)
    assert_none(faults)


def test_pages_name_no_folder_of_the_machine_that_built_them():
    pages = built_pages()
    assert [page for page in pages if str(ROOT) in (HTML / page).read_text(encoding="utf-8")] == []


def test_pages_state_their_language_and_title(soups):
    faults = {page: soup.html["lang"] != "en" or not soup.title.get_text().strip() for page, soup in soups.items()}
    assert_none(faults)


def test_headings_do_not_skip_a_level(soups):
    faults = {}
    for page, soup in soups.items():
        levels = [int(tag.name[1]) for tag in soup.select("main article :is(h1, h2, h3, h4, h5)")]
        faults[page] = [pair for pair in pairwise(levels) if pair[1] > pair[0] + 1]
    assert_none(faults)
