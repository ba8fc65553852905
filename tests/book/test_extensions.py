"""The parts of the book's Sphinx extensions that are plain functions."""

from types import SimpleNamespace

from book_figures import palette_css
from book_pages import tidy_body, tidy_scripts
from book_status import installed_versions

from utils.plotting import PALETTE, themed_svg

SVG = """<?xml version="1.0"?>
<svg width="72pt" height="36pt" viewBox="0 0 72 36">
 <metadata>who and when</metadata>
 <defs><path id="a" d="M0 0"/></defs>
 <use href="#a" clip-path="url(#a)" style="fill: #0067A3; stroke: #123456"/>
</svg>"""


def test_themed_svg_swaps_palette_colours_and_leaves_others():
    svg = themed_svg(SVG, "a square")
    assert "fill: var(--book-blue)" in svg
    assert "#123456" in svg


def test_themed_svg_makes_ids_unique_and_keeps_references_to_them():
    svg = themed_svg(SVG, "a square")
    name = svg.split('id="')[1].split('"')[0]
    assert name != "a"
    assert f'href="#{name}"' in svg
    assert f"url(#{name})" in svg
    assert name not in themed_svg(SVG.replace("M0 0", "M1 1"), "another")


def test_themed_svg_says_what_it_shows_and_scales():
    svg = themed_svg(SVG, 'a "square"')
    assert svg.startswith('<svg class="book-figure" role="img" aria-label="a &quot;square&quot;" style="width:96px"')
    assert "metadata" not in svg
    assert 'height="36pt"' not in svg


def test_palette_css_has_every_colour_for_both_themes():
    light, dark = palette_css().splitlines()
    for name, (on_light, on_dark) in PALETTE.items():
        assert f"--book-{name}:{on_light};" in light
        assert f"--book-{name}:{on_dark};" in dark


def script(filename=None, body=None):
    return SimpleNamespace(filename=filename, attributes={"body": body} if body else {})


def test_tidy_scripts_drops_thebe_and_repeats():
    kept = script("ours.js")
    inline = script(body="let a = 1")
    scripts = [script("sphinx-thebe.js"), script(body="const THEBE_JS_URL = 1"), kept, inline, script(body="let a = 1")]
    context = {"script_files": scripts}
    tidy_scripts(None, "page", "page.html", context, None)
    assert context["script_files"] == [kept, inline]


def test_tidy_body_mends_the_role_of_bibliography_entries():
    context = {"body": '<div role="doc-biblioentry">'}
    tidy_body(None, "page", "page.html", context, None)
    assert context["body"] == '<div role="listitem">'


def test_installed_versions_name_python_and_the_direct_requirements_only():
    names = [name for name, _ in installed_versions()]
    assert names[0] == "Python"
    assert {"numpy", "scipy", "jupyter-book"} <= set(names)
    assert "pytest" not in names
