"""The noise explorer in a page, moved as a reader moves it, against what Python says of the same state."""

import numpy as np
import pytest

from tests.built_book import HTML
from tests.widgets.static_widgets import static_html
from utils.widgets import NoiseExplorer

ARGUMENTS = (
    "{'20 films': [(k + 1.0)**2 for k in range(20)], '1,000 films': [1 / (k + 1) for k in range(1000)]}, "
    "{'20 films': [(k + 1) / 25 for k in range(20)], '1,000 films': [min(1, 2 / (k + 1)) for k in range(1000)]}, "
    "{'20 films': [f'film <{k}>' for k in range(20)]}"
)


@pytest.fixture(scope="module")
def page_of_one(tmp_path_factory):
    """Address of a small page that holds one explorer, and the built book's script and style."""
    static = (HTML / "_static").as_uri()
    file = tmp_path_factory.mktemp("page") / "one.html"
    file.write_text(
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>One</title>'
        f'<link rel="stylesheet" href="{static}/book-widgets.css"><script src="{static}/book-widgets.js"></script>'
        + static_html(f"NoiseExplorer({ARGUMENTS})")[0],
        encoding="utf-8",
    )
    return file.as_uri()


@pytest.fixture
def explorer(open_page, page_of_one):
    """The mounted widget of the page."""
    page = open_page(page_of_one)
    root = page.locator(".book-widget[data-ready=true]")
    root.wait_for()
    yield root
    assert page.complaints == []


def python_widget():
    return eval(f"NoiseExplorer({ARGUMENTS})", {"NoiseExplorer": NoiseExplorer})


def slide(explorer, power):
    """Move the slider to a power with the arrow keys."""
    slider = explorer.get_by_role("slider", name="Power α")
    slider.focus()
    stop = [round(-0.5 + k / 10, 1) for k in range(21)].index(power)
    slider.press("Home")
    for _ in range(stop):
        slider.press("ArrowRight")


@pytest.mark.parametrize("catalogue", ["20 films", "1,000 films"])
@pytest.mark.parametrize("power", [-0.5, 0.0, 0.7, 1.5])
def test_status_and_draws_are_those_of_python(explorer, catalogue, power):
    explorer.get_by_role("radio", name=catalogue).check()
    slide(explorer, power)
    widget = python_widget()
    widget.catalogue, widget.power = catalogue, power
    assert explorer.get_by_role("status").inner_text() == widget.describe()
    shown = explorer.locator(".bw-draws").inner_text()
    which, stop = widget.catalogues.index(catalogue), widget.powers.index(power)
    assert shown == "Eight draws: " + " · ".join(widget.sample[which][stop])


def test_bars_have_the_heights_of_the_draws(explorer):
    slide(explorer, 0.5)
    heights = (
        explorer.locator("svg")
        .nth(0)
        .locator("rect.bw-drawn")
        .evaluate_all("all => all.slice(0, 10).map(bar => +bar.getAttribute('height'))")
    )
    drawn = np.array(python_widget().drawn[0][10])
    assert np.allclose(np.array(heights) / max(heights), drawn / drawn.max(), atol=0.005)  # to a tenth of a unit


def test_dot_lies_on_the_line_of_the_catalogue(explorer):
    explorer.get_by_role("radio", name="1,000 films").check()
    slide(explorer, 0.8)
    dot = explorer.locator("circle.bw-now")
    place = [float(dot.get_attribute(name)) for name in ("cx", "cy")]
    points = explorer.locator("polyline.bw-this").get_attribute("points").split()
    assert place == pytest.approx([float(x) for x in points[13].split(",")], abs=0.06)


def test_prediction_is_judged_when_the_slider_moves(explorer):
    explorer.get_by_role("button", name="It falls").click()
    slide(explorer, 1.0)
    outcome = explorer.locator(".bw-outcome").inner_text()
    widget = python_widget()
    assert outcome.startswith("Look again. With 20 films it goes from ")
    assert f"{widget.false_text[0][5]} at α = 0 to {widget.false_text[0][15]} at α = 1" in outcome
    explorer.get_by_role("button", name="It rises").click()
    slide(explorer, 0.5)
    assert explorer.locator(".bw-outcome").inner_text().startswith("Right. ")
