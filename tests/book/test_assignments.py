"""The book publishes no solution and no hidden test."""

import re
from functools import cache

import pytest

from assignments.tools.sources import find_assignments, read_source, secrets
from tests.built_book import HTML, ROOT

TEXT = {".html", ".js", ".json", ".txt", ".md", ".ipynb", ".xml", ".py", ".inv", ".csv", ""}
NAMES = sorted(find_assignments())


@cache
def published():
    """Every published file with text in it: path → text, without the tags that colour code."""
    files = {
        path.relative_to(HTML).as_posix(): path for path in HTML.rglob("*") if path.suffix in TEXT and path.is_file()
    }
    return {name: without_tags(path.read_text(encoding="utf-8", errors="replace")) for name, path in files.items()}


@cache
def public_source():
    """What the pages and the package show anyway: a line that stands there, too, is no secret."""
    files = [*ROOT.glob("chapters/*.md"), *ROOT.glob("book/**/*.md"), *ROOT.glob("utils/**/*.py")]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def as_published(line):
    """The ways in which a line can stand in HTML, in JSON and in a file of source."""
    html = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return {line, html, html.replace('"', "&quot;"), line.replace("\\", "\\\\").replace('"', '\\"')}


def without_tags(text):
    """Highlighted code has a tag around each word."""
    return re.sub(r"</?span[^>]*>", "", text)


@pytest.mark.parametrize("name", NAMES)
def test_no_page_and_no_source_shows_a_secret(name):
    lines = [line for line in secrets(read_source(find_assignments()[name])) if line not in public_source()]
    assert len(lines) > 20
    found = {}
    for path, text in published().items():
        shown = [line for line in lines if any(way in text for way in as_published(line))]
        if shown:
            found[path] = shown
    assert found == {}


@pytest.mark.parametrize("name", NAMES)
def test_search_index_knows_no_word_of_a_secret(name):
    words = {word.lower() for line in secrets(read_source(find_assignments()[name])) for word in words_of(line)}
    own = words - {word.lower() for word in words_of(public_source())}
    assert len(own) > 5
    index = (HTML / "searchindex.js").read_text(encoding="utf-8")
    assert own & {word.lower() for word in words_of(index)} == set()


def words_of(text):
    """Words that are long enough for nobody to have written them by chance."""
    return re.findall(r"[A-Za-z_]{9,}", text)


def test_no_file_of_the_assignments_is_published():
    shown = [path for path in published() if re.search(r"(^|/)assignments(/|$)", path)]
    assert shown == []


def test_a_secret_on_a_page_would_be_found():
    line = 'expect(a < b, "words")'
    highlighted = "<span>expect</span>(<span>a</span> &lt; <span>b</span>, <span>&quot;words&quot;</span>)"
    assert any(way in without_tags(highlighted) for way in as_published(line))
