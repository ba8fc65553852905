"""The pure functions of the local Sphinx extensions, without a build."""

import re
import sys
import tomllib
import xml.etree.ElementTree as ET
from importlib.metadata import version
from types import SimpleNamespace

import book_status
import matplotlib.pyplot as plt
import pytest
from book_figures import palette_css, themed_svg
from book_pages import tidy_body, tidy_scripts
from book_stale import leads_astray, remove_listings, stale_pages
from book_status import installed_versions
from bs4 import BeautifulSoup
from sphinx.environment import CONFIG_CHANGED, CONFIG_OK

from tests.built_book import ROOT
from utils.book.plotting import PALETTE, draw_svg, use_book_style

# What matplotlib writes, in small: a declaration, metadata, sizes in points, ids, and all three ways to refer to one.
DRAWING = """<?xml version="1.0" encoding="utf-8" standalone="no"?>
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN"
  "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
<svg xmlns:xlink="http://www.w3.org/1999/xlink" width="144pt" height="72pt" viewBox="0 0 144 72" \
xmlns="http://www.w3.org/2000/svg" version="1.1">
 <metadata>
  <date>2026-01-01</date>
 </metadata>
 <defs>
  <path id="dot" d="M 0 0" style="stroke: #0067a3"/>
  <clipPath id="frame"><rect x="1" width="9" height="8"/></clipPath>
 </defs>
 <use xlink:href="#dot" style="fill: #0067A3"/>
 <use href="#dot" style="fill: #0067a3ff; stroke: #123456"/>
 <path clip-path="url(#frame)" style="stroke-width: 0.8"/>
</svg>
"""


def parsed(svg):
    """Return the one element of a themed drawing."""
    return BeautifulSoup(svg, "html.parser").find("svg")


# Figures


def test_themed_svg_is_one_element_without_the_head_of_a_document():
    svg = themed_svg(DRAWING, "a dot")
    assert svg.startswith("<svg ")
    assert svg.endswith("</svg>")
    assert svg.count("<svg") == 1


def test_themed_svg_is_well_formed():
    assert ET.fromstring(themed_svg(DRAWING, "x < y & 'z' \"w\"")).get("aria-label") == "x < y & 'z' \"w\""


def test_themed_svg_is_an_image_with_its_alternative_text():
    element = parsed(themed_svg(DRAWING, 'the "dot" is < 1 & blue'))
    assert (element["role"], element["aria-label"]) == ("img", 'the "dot" is < 1 & blue')
    assert element["class"] == ["book-figure"]


@pytest.mark.parametrize("alt", ['id="dot"', "#0067a3", "url(#frame)", 'width="144pt"', "<svg", r"\1 \g<1>"])
def test_themed_svg_leaves_the_alternative_text_as_it_is(alt):
    assert parsed(themed_svg(DRAWING, alt))["aria-label"] == alt


def test_themed_svg_drops_the_metadata():
    assert "metadata" not in themed_svg(DRAWING, "a dot")
    assert "2026" not in themed_svg(DRAWING, "a dot")


def test_themed_svg_shows_points_as_css_pixels_and_leaves_the_height_to_the_page():
    element = parsed(themed_svg(DRAWING, "a dot"))
    assert element["style"].startswith("width:192px;")  # 144 points of 4/3 pixels
    assert not element.has_attr("width")
    assert not element.has_attr("height")
    assert element["viewbox"] == "0 0 144 72"


def test_themed_svg_keeps_the_sizes_of_what_is_inside():
    rect = parsed(themed_svg(DRAWING, "a dot")).find("rect")
    assert (rect["width"], rect["height"]) == ("9", "8")
    assert "stroke-width: 0.8" in themed_svg(DRAWING, "a dot")


def test_themed_svg_without_a_width_in_points_sets_none():
    svg = themed_svg(DRAWING.replace('width="144pt" height="72pt" ', ""), "a dot")
    assert "width" not in parsed(svg)["style"].replace("stroke-width", "")


def test_themed_svg_turns_palette_colours_into_variables_and_leaves_others():
    svg = themed_svg(DRAWING, "a dot")
    assert "stroke: var(--book-blue)" in svg
    assert "fill: var(--book-blue)" in svg  # written in capitals
    assert "stroke: #123456" in svg
    assert "fill: #0067a3ff" in svg  # has an opacity: another colour


@pytest.mark.parametrize("name", PALETTE)
def test_themed_svg_knows_every_colour_of_the_palette(name):
    svg = themed_svg(DRAWING.replace("#123456", PALETTE[name][0]), "a dot")
    assert f"stroke: var(--book-{name})" in svg


def test_themed_svg_renames_ids_and_all_that_refers_to_them_alike():
    svg = themed_svg(DRAWING, "a dot")
    dot, frame = parsed(svg).find("path")["id"], parsed(svg).find("clippath")["id"]
    assert re.fullmatch(r"f[0-9a-f]{8}dot", dot)
    assert frame == dot.removesuffix("dot") + "frame"
    assert re.findall(r'href="#(.*?)"', svg) == [dot, dot]
    assert re.findall(r"url\(#(.*?)\)", svg) == [frame]


def test_themed_svg_gives_two_drawings_different_ids():
    one, other = themed_svg(DRAWING, "a dot"), themed_svg(DRAWING.replace("M 0 0", "M 1 1"), "a dot")
    assert parsed(one).find("path")["id"] != parsed(other).find("path")["id"]


def test_themed_svg_gives_the_same_element_in_every_build():
    assert themed_svg(DRAWING, "a dot") == themed_svg(DRAWING, "a dot")


def test_draw_svg_leaves_no_palette_colour_and_no_dangling_reference():
    with plt.rc_context():
        use_book_style()
        figure, axes = plt.subplots()
        for start in range(6):
            axes.plot([start, 1], label=f"line {start}")
        axes.set_title("A figure")
        axes.legend()
        svg = draw_svg(figure, "six lines")
    assert not [name for name, (light, _) in PALETTE.items() if light in svg.lower()]
    ids = re.findall(r'\bid="(.*?)"', svg)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#(.*?)"|url\(#(.*?)\)', svg)) - {("", "")}
    assert {one or other for one, other in re.findall(r'href="#(.*?)"|url\(#(.*?)\)', svg)} <= set(ids)


def test_draw_svg_closes_the_figure():
    with plt.rc_context():
        use_book_style()
        figure, _ = plt.subplots()
        draw_svg(figure, "empty axes")
        assert not plt.fignum_exists(figure.number)


def test_palette_css_defines_every_colour_for_both_themes():
    light, dark = palette_css().strip().split("\n")
    assert light.startswith(":root{")
    assert dark.startswith("html[data-theme=dark]{")
    for theme, rule in enumerate([light, dark]):
        defined = dict(re.findall(r"--book-([\w-]+):(#[0-9a-f]{6});", rule))
        assert defined == {name: pair[theme] for name, pair in PALETTE.items()}
        assert rule.endswith(";}")


def test_palette_css_defines_every_variable_that_a_figure_uses():
    every_colour = " ".join(light for light, _ in PALETTE.values())
    used = re.findall(r"var\((--book-[\w-]+)\)", themed_svg(DRAWING.replace("M 0 0", every_colour), "all colours"))
    assert set(used) == set(re.findall(r"(--book-[\w-]+):", palette_css()))


# Pages


def file_script(name):
    """Return a script as Sphinx lists it that is in a file."""
    return SimpleNamespace(filename=name, attributes={})


def inline_script(body):
    """Return a script as Sphinx lists it that is in the page; it has no file name."""
    return SimpleNamespace(filename=None, attributes={"body": body})


def tidied(scripts):
    """Return what is left of a page's scripts."""
    context = {"script_files": list(scripts)}
    tidy_scripts(None, "index", "page.html", context, None)
    return context["script_files"]


def test_tidy_scripts_drops_thebe():
    ours = file_script("_static/book-widgets.js")
    thebe = [
        file_script("_static/sphinx-thebe.js"),
        inline_script('const THEBE_JS_URL = "https://example.org/thebe.js"'),
    ]
    assert tidied([thebe[0], ours, thebe[1], thebe[1]]) == [ours]


def test_tidy_scripts_keeps_the_first_of_equal_inline_scripts():
    first, again, other = inline_script("let a = 1;"), inline_script("let a = 1;"), inline_script("let b = 2;")
    left = tidied([first, other, again])
    assert [script is kept for script, kept in zip([first, other], left, strict=True)] == [True, True]


def test_tidy_scripts_keeps_files_and_their_order():
    # none of them has a body, and a file may be listed twice
    scripts = [file_script(name) for name in ("_static/b.js", "_static/a.js", "_static/b.js")]
    assert tidied(scripts) == scripts


def test_tidy_scripts_understands_scripts_without_attributes():
    scripts = [SimpleNamespace(filename="_static/a.js", attributes=None), SimpleNamespace(filename="_static/b.js")]
    assert tidied(scripts) == scripts


def test_tidy_scripts_changes_the_list_that_the_page_holds():
    scripts = [file_script("_static/sphinx-thebe.js")]
    tidy_scripts(None, "index", "page.html", {"script_files": scripts}, None)
    assert scripts == []


def test_tidy_body_replaces_the_role_that_browsers_no_longer_know():
    entry = '<div class="citation" role="doc-biblioentry" id="a">A</div>'
    context = {"body": f"<p>before</p>{entry}{entry}"}
    tidy_body(None, "index", "page.html", context, None)
    assert context["body"] == "<p>before</p>" + 2 * '<div class="citation" role="listitem" id="a">A</div>'


def test_tidy_body_leaves_other_text_alone():
    body = '<pre>role=&quot;doc-biblioentry&quot;</pre><p role="note">doc-biblioentry</p>'
    context = {"body": body}
    tidy_body(None, "index", "page.html", context, None)
    assert context["body"] == body


def test_tidy_body_understands_a_page_without_text():
    context = {}
    tidy_body(None, "search", "search.html", context, None)
    assert not context.get("body")


# Status


def test_installed_versions_are_those_of_the_packages_that_pyproject_names():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = [re.match(r"[\w.-]+", line)[0] for line in project["dependencies"]]
    assert dict(installed_versions()[1:]) == {name: version(name) for name in names}


def test_installed_versions_begin_with_python_and_go_by_name():
    python, *packages = installed_versions()
    assert python == ("Python", ".".join(map(str, sys.version_info[:3])))
    assert [name for name, _ in packages] == sorted(name for name, _ in packages)


def test_installed_versions_leave_out_extras_and_what_is_for_other_machines(monkeypatch):
    lines = ["scipy>=1", "numpy", 'pytest==9 ; extra == "test"', 'no-such-package; python_version < "3"']
    monkeypatch.setattr(book_status, "requires", lambda package: lines)
    assert installed_versions()[1:] == [("numpy", version("numpy")), ("scipy", version("scipy"))]


# Stale pages


def test_stale_pages_are_those_of_no_document_and_no_module(tmp_path):
    kept = ["index", "search", "chapters/als", "_modules/index", "_modules/utils/als", "_static/webpack-macros"]
    left = ["chapters/old", "_modules/utils/claims", "book/api"]
    for name in [*kept, *left]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / f"{name}.html").touch()
    found = stale_pages(tmp_path, {"chapters/als"}, {"utils.als"})
    assert found == sorted(tmp_path / f"{name}.html" for name in left)


def test_listings_are_written_again_when_they_lead_astray_or_the_configuration_changed(tmp_path):
    good, bad = tmp_path / "_modules/utils/als.html", tmp_path / "_modules/utils/old.html"
    good.parent.mkdir(parents=True)
    link = '<a class="viewcode-back" href="../../book/api/{}.html#x">[docs]</a>'
    app = SimpleNamespace(builder=SimpleNamespace(format="html"), outdir=tmp_path)
    for config_status, left in ((CONFIG_OK, {good}), (CONFIG_CHANGED, set())):
        good.write_text(link.format("als"))
        bad.write_text(link.format("als") + link.format("old"))
        remove_listings(app, SimpleNamespace(config_status=config_status, found_docs={"book/api/als"}))
        assert set(good.parent.iterdir()) == left


def test_a_listing_without_links_leads_nowhere_wrong():
    assert not leads_astray("<pre>x = 1</pre>", set())


def test_built_book_has_no_stale_page(soups):
    shown = {page for page in soups if page.startswith("_modules/utils/")}
    modules = {f"_modules/{path.relative_to(ROOT).with_suffix('.html')}" for path in (ROOT / "utils").rglob("*.py")}
    assert shown
    assert shown <= {name.replace("/__init__.html", ".html") for name in modules}
