"""What every page of the built book owes its reader, checked in its HTML."""

import posixpath
import re
from itertools import pairwise
from urllib.parse import unquote, urlsplit

from tests.built_book import HTML, ROOT

FOREIGN = re.compile(r"^(https?:)?//", re.IGNORECASE)


def test_page_loads_nothing_from_another_host(soup):
    loaded = [
        tag.get("src") or tag.get("href")
        for tag in soup.find_all(["script", "img", "iframe", "link", "source", "video", "audio", "embed"])
        if tag.get("rel") not in (["canonical"], ["author"], ["license"], ["next"], ["prev"])
    ]
    assert [url for url in loaded if url and FOREIGN.match(url)] == []


def test_inline_code_names_no_content_network(soup):
    code = " ".join(tag.get_text() for tag in soup.find_all(["script", "style"]) if not tag.get("src"))
    assert re.findall(r"[\w.]*(?:cdn|unpkg|jsdelivr|googleapis|cloudflare)[\w.]*", code) == []


def test_style_sheets_import_nothing_foreign():
    for sheet in HTML.rglob("*.css"):
        urls = re.findall(
            r"(?:@import\s+|url\()\s*['\"]?([^'\")\s]+)", sheet.read_text(encoding="utf-8", errors="replace")
        )
        assert [url for url in urls if FOREIGN.match(url)] == [], sheet


def test_internal_links_and_anchors_lead_somewhere(page, soup, soups):
    broken = []
    for link in soup.find_all("a", href=True):
        parts = urlsplit(link["href"])
        if parts.scheme or parts.netloc:
            continue
        path = posixpath.join(posixpath.dirname(page), unquote(parts.path))
        target = posixpath.normpath(path) if parts.path else page
        anchor = unquote(parts.fragment)
        if not (HTML / target).exists() or (anchor and target in soups and not soups[target].find(id=anchor)):
            broken.append(link["href"])
    assert broken == []


def test_pictures_have_an_alternative_text(soup):
    unnamed = [
        str(tag)[:120]
        for tag in soup.select("main img, main svg.book-figure")
        if not (tag.get("alt") or tag.get("aria-label"))
    ]
    assert unnamed == []


def test_cells_print_no_warning_and_no_traceback(soup):
    assert [tag.get_text()[:300] for tag in soup.select(".output.stderr, .output.traceback")] == []
    printed = " ".join(tag.get_text() for tag in soup.select(".cell_output"))
    assert re.findall(r"Traceback \(most recent call last\)|\w*Warning:", printed) == []


def test_cells_show_no_leftover_object(soup):
    printed = " ".join(tag.get_text() for tag in soup.select(".cell_output"))
    assert re.findall(r"<matplotlib[^>]*>|<Axes[^>]*>|\[?Text\(|np\.float64\(| object at 0x", printed) == []


def test_page_names_no_folder_of_the_machine_that_built_it(page):
    assert str(ROOT) not in (HTML / page).read_text(encoding="utf-8")


def test_page_states_its_language_and_title(soup):
    assert soup.html["lang"] == "en"
    assert soup.title.get_text().strip()


def test_headings_do_not_skip_a_level(soup):
    levels = [int(tag.name[1]) for tag in soup.select("main article :is(h1, h2, h3, h4, h5)")]
    assert all(after <= before + 1 for before, after in pairwise(levels))
