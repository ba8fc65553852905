"""The letters that the book ships: small, licensed, under a name of their own, and enough for what is written."""

import base64
import io
import re

import pytest
from book_fonts import CHARACTERS, FAMILY, STYLES, covered, cut_down
from fontTools.ttLib import TTFont

from tests.built_book import HTML
from utils.book.plotting import font_file


@pytest.fixture(scope="module")
def shipped():
    """Style → the font in the built book's style sheet."""
    sheet = (HTML / "_static/book-fonts.css").read_text(encoding="ascii")
    fonts = re.findall(r"base64,([^\"]+)", sheet)
    return dict(zip(STYLES, map(base64.b64decode, fonts), strict=True))


@pytest.mark.parametrize("style", STYLES)
def test_shipped_font_is_small(shipped, style):
    assert 5_000 < len(shipped[style]) <= 20_000


@pytest.mark.parametrize("style", STYLES)
def test_shipped_font_has_a_name_of_its_own_and_its_licence(shipped, style):
    names = TTFont(io.BytesIO(shipped[style]))["name"]
    assert {str(names.getName(number, 3, 1, 0x409)) for number in (1, 4)} == {FAMILY}
    assert "Open Font License" in str(names.getName(13, 3, 1, 0x409))
    assert "SIL OPEN FONT LICENSE" in (HTML / "_static/book-fonts-licence.txt").read_text(encoding="utf-8").upper()


def test_shipped_font_has_every_character_of_the_prose_that_the_whole_font_has(soups):
    prose = {
        character
        for page, soup in soups.items()
        if page.startswith(("book/", "chapters/"))
        for tag in soup.select("article p, article li, article td, article h1, article h2")
        for character in tag.get_text()
    }
    there = {chr(code) for code in covered(font_file("regular"))}
    assert (prose & there) - {chr(code) for code in CHARACTERS} == set()


def test_cut_down_gives_the_same_bytes_again():
    path = font_file("italic")
    assert cut_down(path, range(0x41, 0x5B)) == cut_down(path, range(0x41, 0x5B))


def test_cut_down_has_only_what_was_asked_for():
    font = TTFont(io.BytesIO(cut_down(font_file("regular"), [ord("A"), 0x10FFFF])))
    assert set(font.getBestCmap()) == {ord("A")}
