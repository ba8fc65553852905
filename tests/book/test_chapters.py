"""The list of chapters on the front page."""

import re

import pytest
from book_chapters import entry, picture
from book_names import split_title

from tests.built_book import ROOT

CHAPTERS = re.findall(r"file: chapters/(\w+)", (ROOT / "_toc.yml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def entries(soups):
    return soups["book/index.html"].select(".book-chapters li")


def test_list_has_every_chapter_in_order(entries):
    links = [item.a["href"] for item in entries]
    assert links == [f"../chapters/{slug}.html" for slug in CHAPTERS]


def test_entries_say_what_the_chapters_say(entries, soups):
    for number, (item, slug) in enumerate(zip(entries, CHAPTERS), start=1):
        soup = soups[f"chapters/{slug}.html"]
        heading = soup.h1.get_text().rstrip("#¶")
        name, claim = split_title(heading)
        assert item.select_one(".book-chapter-name").get_text() == f"{number} {name}"
        assert item.select_one(".book-chapter-claim").get_text() == claim
        minutes = item.select_one(".book-chapter-time").get_text()
        assert soup.select_one(".book-kicker").get_text().endswith(f" · {minutes}")


def test_every_entry_has_a_picture_of_its_own(entries):
    pictures = [str(item.svg) for item in entries]
    assert "None" not in pictures
    assert len(set(pictures)) == len(CHAPTERS)


def test_pictures_follow_the_theme():
    for path in (ROOT / "book" / "pictures").glob("*.svg"):
        colours = set(re.findall(r'(?:fill|stroke)="([^"]+)"', path.read_text(encoding="utf-8")))
        assert all(colour == "none" or colour.startswith("var(--book-") for colour in colours), path.name


def test_picture_is_passed_over_by_screen_readers(tmp_path):
    (tmp_path / "toy.svg").write_text("<!-- why -->\n<svg viewBox='0 0 1 1'></svg>\n")
    assert picture("toy", tmp_path).startswith('<svg class="book-picture" aria-hidden="true"')
    assert picture("none", tmp_path) == ""


def test_entry_escapes_what_a_heading_says():
    assert "A &amp; B" in entry(1, "chapters/none", "A & B: a < b", "x.html", "")
    assert "a &lt; b" in entry(1, "chapters/none", "A & B: a < b", "x.html", "")
