"""The consistency laboratory in the built page, used as a reader uses it; what it says against what Python says."""

import json
from itertools import product

import numpy as np
import pytest
from scipy.stats import norm

from tests.built_book import page_with_widget
from utils.book.results import load_result
from utils.widgets import ConsistencyLaboratory
from utils.widgets.averaging import DISTRIBUTIONS, pack_shares, picture, unpack_shares

PAGE = page_with_widget("averaging")
MOVING = ("dimension", "n_items", "k", "distribution", "overlay")


class Laboratory:
    """The first laboratory of a page."""

    def __init__(self, page):
        self.page = page
        self.root = page.locator(".book-widget[data-widget=averaging][data-ready=true]").first
        self.k, self.n_items, self.dimension = (
            self.root.get_by_role("slider", name=name) for name in ("Average k =", "of N items", "with d =")
        )
        self.picker = self.root.get_by_role("combobox", name="Real vectors")
        self.predictions = self.root.get_by_role("group", name="Your prediction").get_by_role("button")
        self.outcome = self.root.locator(".bw-outcome")
        self.k.scroll_into_view_if_needed()

    @property
    def state(self):
        return json.loads(self.root.evaluate("root => JSON.stringify(root.bookModel.state)"))

    def moving(self):
        """Return the values that the reader can change."""
        return {name: value for name, value in self.state.items() if name in MOVING}

    def assert_says_what_python_says(self):
        """The status, the sliders and the dots fit the state."""
        state = self.state
        widget = in_python(state)
        assert self.root.get_by_role("status").inner_text() == widget.describe()
        for kind, values in zip(("formula", "sampled"), widget.shares()):
            dot, value = self.root.locator(f"circle.bw-{kind}"), values[widget.subsets.index(widget.k)]
            assert dot.is_visible() == (not np.isnan(value))
            if not np.isnan(value):
                assert float(dot.get_attribute("cy")) == pytest.approx(192 - 180 * value, abs=0.01)


def in_python(state):
    """Return the widget of Python in a state that a page has."""
    grid = {name: state[name] for name in ("dimensions", "catalogues", "subsets", "formula", "sampled")}
    return ConsistencyLaboratory(grid, state["overlays"], **{name: state[name] for name in MOVING})


@pytest.fixture
def laboratory(shared_page):
    """The first laboratory of the shared page; afterwards it is as before."""
    laboratory = Laboratory(shared_page)
    yield laboratory
    laboratory.root.get_by_role("button", name="Reset").press("Enter")


def test_page_begins_as_python_does(laboratory):
    laboratory.assert_says_what_python_says()


@pytest.mark.parametrize("name", ["k", "n_items", "dimension"])
def test_sliders_go_to_the_next_stop(laboratory, name):
    stops = {"k": "subsets", "n_items": "catalogues", "dimension": "dimensions"}[name]
    before = laboratory.moving()
    getattr(laboratory, name).press("ArrowRight")
    after = laboratory.moving()
    stops = laboratory.state[stops]
    assert after == {**before, name: stops[stops.index(before[name]) + 1]}
    laboratory.assert_says_what_python_says()


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_distribution_changes_the_curves(laboratory, distribution):
    laboratory.root.get_by_role("radio", name=DISTRIBUTIONS[distribution][0], exact=True).check()
    assert laboratory.moving()["distribution"] == distribution
    laboratory.assert_says_what_python_says()


def test_k_is_never_above_the_catalogue(laboratory):
    laboratory.k.press("End")
    assert laboratory.moving()["k"] == laboratory.moving()["n_items"] == 1000
    laboratory.n_items.press("Home")
    assert laboratory.moving()["k"] == laboratory.moving()["n_items"] == 10
    laboratory.assert_says_what_python_says()
    laboratory.k.press("End")
    assert laboratory.moving()["k"] == 10
    assert laboratory.k.evaluate("input => input.valueAsNumber") == laboratory.state["subsets"].index(10)


def test_curve_ends_at_1_where_all_are_averaged(laboratory):
    laboratory.k.press("End")
    assert "by the formula 100% of these come back" in laboratory.root.get_by_role("status").inner_text()
    assert laboratory.root.locator(".bw-scores .bw-note").inner_text().startswith("Every item is a member")
    assert not laboratory.root.locator(".bw-end").is_visible()


def test_all_corners_can_be_reached(laboratory):
    for keys in product(("Home", "End"), repeat=3):
        for slider, key in zip((laboratory.dimension, laboratory.n_items, laboratory.k), keys):
            slider.press(key)
        laboratory.assert_says_what_python_says()
        drawn = laboratory.root.locator(".bw-scores path").evaluate_all("all => all.map(p => p.getAttribute('d'))")
        assert all("NaN" not in path and "Infinity" not in path for path in drawn)


def test_real_vectors_stand_beside_noise_of_like_size(laboratory):
    for overlay in laboratory.state["overlays"]:
        laboratory.picker.select_option(overlay["name"])
        state = laboratory.moving()
        assert (state["dimension"], state["n_items"]) == (64, 3000)  # the stops that are nearest to 64 and about 3,220
        squares = laboratory.root.locator(".bw-chart .bw-measured rect").all()
        drawn = [192 - float(square.get_attribute("y")) - 4 for square in squares[: len(overlay["k"])]]
        assert drawn == pytest.approx([180 * value for value in overlay["value"]], abs=0.01)
        laboratory.assert_says_what_python_says()
    laboratory.picker.select_option("")
    assert laboratory.root.locator("g.bw-measured rect").count() == 0


@pytest.mark.parametrize(
    ("option", "verdict"), [(0, "Look again."), (1, "Right, for these items."), (2, "Look again.")]
)
def test_prediction_is_explained_when_k_moves(laboratory, option, verdict):
    laboratory.predictions.nth(option).click()
    assert laboratory.predictions.nth(option).get_attribute("aria-pressed") == "true"
    assert laboratory.outcome.inner_text() == ""
    laboratory.k.press("ArrowRight")
    assert laboratory.outcome.inner_text().startswith(f"{verdict} By the formula it is lowest at k = 100")


def test_curve_gives_nothing_away_before_a_slider_moves(laboratory):
    curve = laboratory.root.locator("polyline.bw-formula")

    def drawn():
        return len(curve.get_attribute("points").split())

    subsets = laboratory.state["subsets"]
    assert drawn() == subsets.index(10) + 1
    laboratory.k.press("ArrowLeft")
    assert drawn() == len(subsets)
    laboratory.root.get_by_role("button", name="Reset").press("Enter")
    assert drawn() == subsets.index(10) + 1


def test_prediction_blocks_nothing_and_says_where_the_slider_ends_too_early(laboratory):
    laboratory.n_items.press("End")
    laboratory.k.press("ArrowRight")
    assert laboratory.outcome.inner_text().startswith("Here the slider ends at k = 1,000")


# The front end's functions, on cases that Python shares with it. The shares are looked up.


def test_unpack_is_that_of_python(shared_page):
    text = pack_shares([*np.arange(1001) / 1000, np.nan])
    received = shared_page.evaluate(
        "text => bookWidgets.modules.averaging.unpack(text).map(v => isNaN(v) ? -1 : v)", text
    )
    assert received == np.nan_to_num(unpack_shares(text), nan=-1).tolist()


def test_upper_tail_is_that_of_scipy(shared_page):
    x = np.linspace(-12, 60, 721)
    received = shared_page.evaluate("all => all.map(bookWidgets.modules.averaging.logUpperTail)", x.tolist())
    np.testing.assert_allclose(received, norm.logsf(x), rtol=1e-9)


def test_picture_is_that_of_python(shared_page):
    cases = [
        (d, n_items, k, kurtosis)
        for d, n_items, k, kurtosis in product((2, 64, 4096), (10, 10**5, 10**12), (1, 7, 1000), (1.0, 1.8, 3.0, 9.0))
        if k < n_items
    ]
    received = shared_page.evaluate(
        "cases => cases.map((each) => bookWidgets.modules.averaging.picture(...each))"
        "  .map((found) => [found.gap, found.ratio, found.end])",
        cases,
    )
    np.testing.assert_allclose(received, [picture(*each) for each in cases], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("number", "text"),
    [(1, "1"), (3000, "3,000"), (10_000, "10⁴"), (30_000, "3·10⁴"), (10**6, "10⁶"), (10**12, "10¹²")],
)
def test_large_numbers_are_short(shared_page, number, text):
    assert shared_page.evaluate("number => bookWidgets.modules.averaging.short(number)", number) == text


def test_describe_is_that_of_python(shared_page):
    state = Laboratory(shared_page).state
    names = ["", *(one["name"] for one in state["overlays"])]
    changes = [
        {"dimension": d, "n_items": n, "k": k, "distribution": distribution, "overlay": overlay}
        for d, n, k, distribution, overlay in product(
            state["dimensions"][::3], state["catalogues"][::3], state["subsets"][::4], DISTRIBUTIONS, names[:2]
        )
        if k <= n
    ]
    received = shared_page.evaluate(
        "([state, all]) => all.map((change) => bookWidgets.modules.averaging.describe({ ...state, ...change }))",
        [state, changes],
    )
    widget = in_python(state)
    for change, text in zip(changes, received):
        widget.k = 1
        for name, value in change.items():
            if name != "k":
                setattr(widget, name, value)
        widget.k = change["k"]
        assert text == widget.describe()


def test_page_holds_the_stored_laboratory(shared_page):
    state = Laboratory(shared_page).state
    stored = load_result("averaging")["values"]["laboratory"]
    assert {name: state[name] for name in stored} == stored
