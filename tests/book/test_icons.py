"""The icons that the built book carries are those that it shows."""

import pytest
from book_icons import FULL_SCRIPT, ICON, keep_icons, used_names

from tests.built_book import HTML

SCRIPT = (
    '!function(){var p={house:[576,512,[127968,"home"],"f015","M1 2"],'
    '"chart-line":[512,512,["line-chart"],"f201","M3 4"],'
    '0:[320,512,[],"30",["M5","M6"]]};add(p)}()'
)


def names(script):
    return [icon["name"] for icon in ICON.finditer(script)]


def test_keep_icons_keeps_the_named():
    assert keep_icons(SCRIPT, {"chart-line"}) == (
        '!function(){var p={"chart-line":[512,512,["line-chart"],"f201","M3 4"]};add(p)}()'
    )


def test_keep_icons_knows_an_icon_by_its_alias():
    assert names(keep_icons(SCRIPT, {"home", "solid"})) == ["house"]


def test_keep_icons_keeps_everything_that_is_used():
    assert keep_icons(SCRIPT, {"house", "line-chart", "0"}) == SCRIPT


def test_keep_icons_can_empty_a_table():
    assert keep_icons(SCRIPT, {"solid"}) == "!function(){var p={};add(p)}()"


def test_keep_icons_refuses_a_script_that_it_does_not_know():
    with pytest.raises(ValueError, match="No icon was recognised"):
        keep_icons("var icons = [];", {"house"})


def test_used_names_reads_pages_and_scripts(tmp_path):
    (tmp_path / "_static/scripts").mkdir(parents=True)
    (tmp_path / "page.html").write_text('<i class="fa-solid fa-house"></i>')
    (tmp_path / "_static/menu.js").write_text('icon.className = "fa-bars";')
    (tmp_path / "_static/scripts" / FULL_SCRIPT.name).write_text('"fa-spin"')
    assert used_names(tmp_path) == {"solid", "house", "bars"}


def test_every_icon_of_the_built_book_is_in_the_script(soups):
    every = {}
    for icon in ICON.finditer(FULL_SCRIPT.read_text(encoding="utf-8")):
        for name in [icon["name"], *icon["aliases"].replace('"', "").split(",")]:
            every[name] = icon["name"]
    shown = {
        every[word.removeprefix("fa-")]
        for soup in soups.values()
        for element in soup.select("[class*=fa-]")
        for word in element["class"]
        if word.removeprefix("fa-") in every
    }
    published = names((HTML / "_static/scripts" / FULL_SCRIPT.name).read_text(encoding="utf-8"))
    assert shown
    assert shown <= set(published)
    assert len(published) < 60
