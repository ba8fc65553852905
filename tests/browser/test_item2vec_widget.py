"""The pairs of a session in the built page, used as a reader uses them; what it says against what Python says."""

import json
from itertools import product

import numpy as np
import pytest

from tests.built_book import page_with_widget
from utils.item2vec import ItemVectors, training_pairs
from utils.widgets import SessionPairs

PAGE = page_with_widget("item2vec")
REDUCED_MOTION = "reduce"  # what moves jumps


def in_python(state):
    """Return the widget of Python in a state that a page has."""
    vectors = np.random.default_rng(0).standard_normal((12, 3)).astype(np.float32)
    fitted = ItemVectors(list(range(12)), vectors, vectors, np.ones(12, dtype=int), np.zeros(1))
    grid = dict.fromkeys(product((1, None), (0, 1)), fitted)
    widget = SessionPairs(grid, [0, 1, 2], [f"item {n}" for n in range(12)])
    with widget.hold_trait_notifications():  # and with them the checks, which need the whole state
        for name, value in state.items():
            setattr(widget, name, value)
    return widget


class Pairs:
    """The first such widget of a page."""

    def __init__(self, page):
        self.page = page
        self.root = page.locator(".book-widget[data-widget=item2vec][data-ready=true]").first
        self.window = self.root.get_by_role("slider", name="Window")
        self.power = self.root.get_by_role("slider", name="Noise power")
        self.picker = self.root.get_by_role("combobox", name="Centre")
        self.rows = self.root.locator(".bw-session g")
        self.predictions = self.root.get_by_role("group", name="Your prediction").get_by_role("button")
        self.outcome = self.root.locator(".bw-outcome")
        self.root.locator(".bw-session").evaluate("node => node.scrollIntoView({ block: 'center' })")

    @property
    def state(self):
        return json.loads(self.root.evaluate("root => JSON.stringify(root.bookModel.state)"))

    def assert_says_what_python_says(self):
        """Each part of the widget fits the state."""
        state = self.state
        widget = in_python(state)
        titles, session, centre = state["titles"], state["session"], state["centre"]
        stop, p = state["windows"].index(state["window"]), state["powers"].index(state["power"])
        assert self.root.get_by_role("status").inner_text() == widget.describe()
        assert self.window.get_attribute("aria-valuetext") == (str(state["window"]) if state["window"] else "whole")
        assert self.power.get_attribute("aria-valuetext") == f"{state['power']:g}"
        assert self.picker.input_value() == str(centre)
        expected = ["bw-other"] * len(session)
        for position in widget.contexts():
            expected[position] = "bw-context"
        expected[centre] = "bw-centre"
        assert self.rows.evaluate_all("all => all.map(row => row.getAttribute('class'))") == expected
        assert self.root.locator(".bw-pair").count() == state["n_pairs"][stop] / 2
        assert self.root.locator(".bw-own").count() == len(widget.contexts())
        near = state["nearest"][stop][p][centre]
        marks = [" truly alike" if other in state["alike"][centre] else "" for other in near]
        listed = self.root.locator(".bw-near li").evaluate_all("all => all.map(entry => entry.textContent)")
        assert listed == [titles[other] + mark for other, mark in zip(near, marks)]
        drawn = self.root.locator(".bw-noise li").evaluate_all("all => all.map(entry => entry.textContent)")
        marks = [" in this session" if item in session else "" for item in state["drawn"][p]]
        assert drawn == [titles[item] + mark for item, mark in zip(state["drawn"][p], marks)]
        heights = self.root.locator(".bw-bar").evaluate_all("all => all.map(bar => bar.height.baseVal.value)")[:10]
        shares = state["shares"][p]
        assert heights == pytest.approx([heights[0] * share / shares[0] for share in shares], abs=1e-3)


@pytest.fixture
def pairs(shared_page):
    """The widget of the shared page; afterwards it is as before."""
    pairs = Pairs(shared_page)
    yield pairs
    pairs.root.get_by_role("button", name="Reset").press("Enter")


def test_every_stop_says_what_python_says(pairs):
    pairs.window.press("Home")
    for _ in pairs.state["windows"]:
        pairs.power.press("Home")
        for _ in pairs.state["powers"]:
            pairs.assert_says_what_python_says()
            pairs.power.press("ArrowRight")
        pairs.window.press("ArrowRight")
    assert (pairs.state["window"], pairs.state["power"]) == (pairs.state["windows"][-1], pairs.state["powers"][-1])


@pytest.mark.parametrize("width", [360, 1280])
def test_mouse_chooses_the_centre(open_page, address, width):
    pairs = Pairs(open_page(f"{address}/{PAGE}", width=width))
    for position in (0, 7):
        pairs.rows.nth(position).click()
        assert pairs.state["centre"] == position
        pairs.assert_says_what_python_says()
    assert pairs.page.complaints == []


def test_finger_chooses_the_centre(open_page, served):
    pairs = Pairs(open_page(f"{served}/{PAGE}", width=360, height=640, has_touch=True, is_mobile=True))
    pairs.rows.nth(2).tap()
    assert pairs.state["centre"] == 2
    pairs.assert_says_what_python_says()


def test_keys_choose_the_centre(pairs):
    before = pairs.state["centre"]
    pairs.picker.press("ArrowDown")
    assert pairs.state["centre"] == before + 1
    pairs.assert_says_what_python_says()


def test_titles_are_not_cut_off(open_page, served):
    pairs = Pairs(open_page(f"{served}/{PAGE}", width=360))
    edges = pairs.rows.locator("text").evaluate_all("all => all.map(text => text.getBBox().x + text.getBBox().width)")
    assert max(edges) < 320  # the width of the drawing in its own units


def test_prediction_is_explained_when_the_window_moves(pairs):
    found = pairs.state["found"]
    p = pairs.state["powers"].index(pairs.state["power"])
    assert found[-1][p] > found[0][p] + 0.1
    for choice, verdict in (("Less true", "Look again."), ("Truer", "Right.")):
        pairs.predictions.and_(pairs.root.get_by_role("button", name=choice, exact=True)).click()
        assert choice in pairs.root.get_by_role("status").inner_text()
        pairs.window.press("ArrowRight")
        assert pairs.outcome.inner_text().startswith(f"{verdict} Of five neighbours, {found[0][p]:.2f} are truly alike")


def test_tab_goes_through_the_controls_in_reading_order(pairs):
    pairs.predictions.last.focus()
    for control in (pairs.window, pairs.power, pairs.picker, pairs.root.get_by_role("button", name="Reset")):
        pairs.page.keyboard.press("Tab")
        assert control.evaluate("node => node === document.activeElement")


# The front end's functions, on cases that Python shares with it


def test_contexts_are_those_of_training_pairs(shared_page):
    cases = list(product(range(6), (0, 1, 2, 5, 9)))
    received = shared_page.evaluate(
        "cases => cases.map(([centre, window]) => bookWidgets.modules.item2vec.contextsOf(centre, window, 6))", cases
    )
    for (centre, window), found in zip(cases, received):
        centres, contexts = training_pairs([list(range(6))], window or None)
        assert found == contexts[centres == centre].tolist()


@pytest.mark.parametrize("has_truth", [True, False])
def test_describe_is_that_of_python(shared_page, has_truth):
    state = Pairs(shared_page).state
    if not has_truth:
        state |= {"found": [], "alike": [[] for _ in state["session"]]}
    changes = [
        {"window": window, "power": power, "centre": centre}
        for window, power, centre in product(state["windows"], state["powers"], range(len(state["session"])))
    ]
    received = shared_page.evaluate(
        "([state, all]) => all.map((change) => bookWidgets.modules.item2vec.describe({ ...state, ...change }))",
        [state, changes],
    )
    for change, text in zip(changes, received):
        assert text == in_python({**state, **change}).describe()
