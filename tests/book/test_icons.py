"""The icons that the built book shows are drawn, and nothing loads the theme's thousands."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path
from urllib.parse import unquote

import pydata_sphinx_theme
import pytest
from book_icons import ICONS, style_sheet

from tests.built_book import HTML, ROOT

SIZES_AND_STYLES = {"solid", "lg"}
MACROS = "static/webpack-macros.html"


@pytest.mark.parametrize("name", ICONS)
def test_icon_is_well_formed_and_has_a_name_in_the_style_sheet(name):
    (drawing,) = re.findall(rf'\.fa-{name} {{ --book-icon: url\("data:image/svg\+xml,(.*?)"\); }}', style_sheet())
    assert len(ET.fromstring(unquote(drawing))) >= 1


def test_every_icon_of_the_built_book_is_drawn(soups):
    shown = {
        word.removeprefix("fa-")
        for soup in soups.values()
        for element in soup.select("[class*=fa-]")
        for word in element["class"]
        if word.startswith("fa-")
    }
    assert {"bars", "moon", "download"} <= shown
    assert shown - SIZES_AND_STYLES - set(ICONS) == set()


def test_no_page_loads_the_script_of_the_theme(soups):
    assert [page for page, soup in soups.items() if soup.select("script[src*=fontawesome]")] == []
    assert list(HTML.rglob("fontawesome.js*")) == []


def test_pages_load_all_else_that_the_theme_loads():
    theirs = Path(pydata_sphinx_theme.__file__).parent / "theme/pydata_sphinx_theme" / MACROS
    ours = ROOT / "book/_templates" / MACROS
    loaded = [re.findall(r"_static/([\w/.-]+)", path.read_text(encoding="utf-8")) for path in (theirs, ours)]
    assert [name for name in loaded[0] if "fontawesome" not in name] == loaded[1]
