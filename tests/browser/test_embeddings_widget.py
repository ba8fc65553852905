"""The map of items in the built page, used as a reader uses it; what its front end says against what Python says."""

import json
from itertools import product

import numpy as np
import pytest

from tests.browser.touch import swipe
from tests.built_book import page_with_widget
from utils.widgets import EmbeddingMap

PAGE = page_with_widget("embeddings")
REDUCED_MOTION = "reduce"  # what moves jumps


def small_map(true_vectors=None):
    """Make a widget for 20 items; `true_vectors` gets all the vectors and returns what the items shall be like."""
    matrix = (np.random.default_rng(0).random((60, 20)) < np.linspace(0.1, 0.8, 20)).astype(float)
    matrix[0] = 1  # nobody is without an event
    _, s, vt = np.linalg.svd(matrix, full_matrices=False)
    truth = None if true_vectors is None else true_vectors(vt.T * s)
    labels = [f"item {letter}" for letter in "abcdefghijklmnopqrst"]
    return EmbeddingMap(matrix, labels, truth, n_shown=15, dimensions=(2, 3, 6, 20))


def in_python(state):
    """Return the widget of Python in a state that a page has."""
    widget = small_map()
    with widget.hold_trait_notifications():  # and with them the checks, which need the whole state
        for name, value in state.items():
            setattr(widget, name, value)
    return widget


class Map:
    """The first map of a page."""

    def __init__(self, page):
        self.page = page
        self.root = page.locator(".book-widget[data-widget=embeddings][data-ready=true]").first
        self.drawing = self.root.get_by_role("img", name="Map with a point for each item")
        self.picker = self.root.get_by_role("combobox", name="Item")
        self.dimension = self.root.get_by_role("slider", name="Dimensions")
        self.predictions = self.root.get_by_role("group", name="Your prediction").get_by_role("button")
        self.outcome = self.root.locator(".bw-outcome")
        self.drawing.evaluate("drawing => drawing.scrollIntoView({ block: 'center' })")

    @property
    def state(self):
        return json.loads(self.root.evaluate("root => JSON.stringify(root.bookModel.state)"))  # faster than as objects

    @property
    def picked(self):
        return self.root.evaluate("root => root.bookModel.get('picked')")

    def points(self):
        """Return the middle of each point on the screen."""
        return self.drawing.locator("circle").evaluate_all(
            "all => all.map(c => c.getBoundingClientRect()).map(b => [b.x + b.width / 2, b.y + b.height / 2])"
        )

    def lonely(self, count):
        """Return the items whose points are farthest from all others, and the middles of these points."""
        points = np.array(self.points())
        distances = np.linalg.norm(points[:, None] - points, axis=2)
        np.fill_diagonal(distances, np.inf)
        items = np.argsort(-distances.min(axis=1))[:count]
        assert distances[items].min() > 4  # pixels: the pointer cannot mean another point
        return [(self.state["labels"][item], points[item].tolist()) for item in items]

    def assert_says_what_python_says(self):
        """Each part of the widget fits the state."""
        state = self.state
        labels, stop = state["labels"], state["dimensions"].index(state["dimension"])
        item = labels.index(state["picked"])
        near = state["nearest"][stop][item]
        assert self.root.get_by_role("status").inner_text() == in_python(state).describe()
        assert self.picker.input_value() == state["picked"]
        assert self.dimension.get_attribute("aria-valuetext") == str(state["dimension"])
        assert self.root.locator(".bw-near .bw-title").inner_text() == f"Nearest to {state['picked']}"
        marks = [" truly alike" if other in state["alike"][item] else "" for other in near]
        listed = self.root.locator(".bw-near li").evaluate_all("all => all.map(entry => entry.textContent)")
        assert listed == [labels[other] + mark for other, mark in zip(near, marks)]
        assert f"shows {state['shown'][stop]} % of that spread" in self.root.locator(".bw-note").inner_text()
        drawn = self.drawing.locator("g").evaluate_all(
            "all => all.map(g => [g.getAttribute('class'), g.querySelector('text').textContent])"
        )
        expected = [["bw-other", ""] for _ in labels]
        expected[item] = ["bw-picked", ""]
        for place, other in enumerate(near, start=1):
            expected[other] = ["bw-neighbour", str(place)]
        assert drawn == expected


@pytest.fixture
def embedding_map(shared_page):
    """The map of the shared page; afterwards it is as before."""
    embedding_map = Map(shared_page)
    yield embedding_map
    embedding_map.root.get_by_role("button", name="Reset").press("Enter")


# Mouse


@pytest.mark.parametrize("width", [360, 1280])
def test_mouse_picks_the_item_of_a_point(open_page, address, width):
    embedding_map = Map(open_page(f"{address}/{PAGE}", width=width, reduced_motion="reduce"))
    for label, place in embedding_map.lonely(3):
        embedding_map.page.mouse.click(*place)
        assert embedding_map.picked == label
        embedding_map.assert_says_what_python_says()
    assert embedding_map.page.complaints == []


@pytest.mark.parametrize("fractions", [(0.01, 0.01), (0.99, 0.02), (0.03, 0.98), (0.97, 0.99)])
def test_mouse_between_the_points_picks_the_nearest(embedding_map, fractions):
    box = embedding_map.drawing.bounding_box()
    place = box["x"] + fractions[0] * box["width"], box["y"] + fractions[1] * box["height"]
    nearest = np.linalg.norm(np.array(embedding_map.points()) - place, axis=1).argmin()
    embedding_map.page.mouse.click(*place)
    assert embedding_map.picked == embedding_map.state["labels"][nearest]
    embedding_map.assert_says_what_python_says()


def test_mouse_picks_on_the_map_of_the_chosen_dimension(embedding_map):
    before = embedding_map.points()
    embedding_map.dimension.press("End")
    assert embedding_map.points() != before
    for label, place in embedding_map.lonely(3):
        embedding_map.page.mouse.click(*place)
        assert embedding_map.picked == label
        assert embedding_map.state["dimension"] == embedding_map.state["dimensions"][-1]
        embedding_map.assert_says_what_python_says()


def test_mouse_picks_while_the_points_glide(open_page, served):
    embedding_map = Map(open_page(f"{served}/{PAGE}"))
    embedding_map.dimension.press("End")
    embedding_map.page.wait_for_timeout(500)
    (label, place), *_ = embedding_map.lonely(1)
    embedding_map.dimension.press("Home")
    embedding_map.dimension.press("End")  # on its way back
    embedding_map.page.mouse.click(*place)
    assert embedding_map.picked == label


# Touch


@pytest.fixture
def phone(open_page, served):
    return Map(open_page(f"{served}/{PAGE}", width=360, height=640, has_touch=True, is_mobile=True))


def test_finger_picks_the_item_of_a_point(phone):
    for label, place in phone.lonely(3):
        phone.page.touchscreen.tap(*place)
        assert phone.picked == label
        phone.assert_says_what_python_says()


def test_finger_that_scrolls_the_page_picks_nothing(phone):
    before, picked, box = phone.page.evaluate("scrollY"), phone.picked, phone.drawing.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + 0.9 * box["height"]
    swipe(phone.page, (x, y), (x, y - 0.7 * box["height"]))
    assert phone.page.evaluate("scrollY") > before + 50
    assert phone.picked == picked


def test_finger_moves_the_dimension(phone):
    box = phone.dimension.bounding_box()
    y = box["y"] + box["height"] / 2
    phone.page.touchscreen.tap(box["x"] + box["width"] - 3, y)
    assert phone.state["dimension"] == phone.state["dimensions"][-1]
    phone.assert_says_what_python_says()


# Keyboard


@pytest.mark.parametrize(("key", "step"), [("ArrowDown", 1), ("ArrowUp", -1)])
def test_arrow_keys_pick_the_next_item(embedding_map, key, step):
    labels, before = embedding_map.state["labels"], embedding_map.picked
    embedding_map.picker.press(key)
    assert embedding_map.picked == labels[labels.index(before) + step]
    embedding_map.assert_says_what_python_says()


def test_letters_pick_an_item_by_its_name(embedding_map):
    labels, name = embedding_map.state["labels"], "Se"
    embedding_map.picker.focus()
    for letter in name:
        embedding_map.page.keyboard.press(letter)
    assert embedding_map.picked == next(label for label in labels if label.startswith(name))
    embedding_map.assert_says_what_python_says()


@pytest.mark.parametrize("key", ["ArrowRight", "ArrowUp", "ArrowLeft", "ArrowDown", "Home", "End"])
def test_keys_move_the_dimension(embedding_map, key):
    dimensions, before = embedding_map.state["dimensions"], embedding_map.state["dimension"]
    stop = dimensions.index(before)
    last = len(dimensions) - 1
    to = {"ArrowRight": stop + 1, "ArrowUp": stop + 1, "ArrowLeft": stop - 1, "ArrowDown": stop - 1, "Home": 0}
    embedding_map.dimension.press(key)
    assert embedding_map.state["dimension"] == dimensions[to.get(key, last)] != before
    embedding_map.assert_says_what_python_says()


def test_arrow_keys_neither_scroll_nor_leave_the_page(embedding_map):
    before = embedding_map.page.url, embedding_map.page.evaluate("scrollY")
    for control in (embedding_map.dimension, embedding_map.picker):
        for key in ("ArrowDown", "ArrowUp", "ArrowRight", "ArrowLeft"):
            control.press(key)
    assert (embedding_map.page.url, embedding_map.page.evaluate("scrollY")) == before


def test_tab_goes_through_the_controls_in_reading_order(embedding_map):
    embedding_map.predictions.last.focus()
    reset = embedding_map.root.get_by_role("button", name="Reset")
    for control in (embedding_map.picker, embedding_map.dimension, reset):
        embedding_map.page.keyboard.press("Tab")
        assert control.evaluate("node => node === document.activeElement")


# What is drawn


def test_every_stop_says_what_python_says(embedding_map):
    embedding_map.dimension.press("Home")
    seen = []
    for _ in embedding_map.state["dimensions"]:
        embedding_map.assert_says_what_python_says()
        seen.append(embedding_map.state["dimension"])
        embedding_map.dimension.press("ArrowRight")
    assert seen == embedding_map.state["dimensions"]


def test_points_stand_where_python_put_them(embedding_map):
    state = embedding_map.state
    for stop in (0, len(state["dimensions"]) - 1):
        embedding_map.dimension.press("Home" if stop == 0 else "End")
        box = embedding_map.drawing.bounding_box()
        fractions = (np.array(embedding_map.points()) - [box["x"], box["y"]]) / [box["width"], box["height"]]
        places = np.array(state["maps"][stop]) * [1, -1]  # upwards in Python, downwards on a screen
        scale = np.abs(fractions - 0.5).max() / np.abs(places).max()
        assert 0.4 < scale * 1000 < 0.49  # the drawing is filled, and no point is cut off
        np.testing.assert_allclose(fractions, 0.5 + scale * places, atol=0.003)  # a pixel


def test_chart_marks_what_is_lost_and_what_is_found(embedding_map):
    state = embedding_map.state
    chart = embedding_map.root.get_by_role("img", name="Reconstruction error")
    top, middle, bottom = sorted(
        float(y) for y in chart.locator(".bw-grid").evaluate_all("a => a.map(n => n.y1.baseVal.value)")
    )
    assert middle == (top + bottom) / 2
    for kind, values in (("bw-lost", state["lost"]), ("bw-found", [mean / 5 * 100 for mean in state["found"]])):
        line = chart.locator(f"polyline.{kind}").evaluate("line => [...line.points].map(point => [point.x, point.y])")
        expected = [bottom - value / 100 * (bottom - top) for value in values]
        np.testing.assert_allclose([y for _, y in line], expected, atol=1e-3)  # coordinates are 32-bit floats
        for key, stop in (("Home", 0), ("End", -1)):
            embedding_map.dimension.press(key)
            dot = chart.locator(f"circle.{kind}").evaluate("dot => [dot.cx.baseVal.value, dot.cy.baseVal.value]")
            np.testing.assert_allclose(dot, line[stop], atol=1e-3)


# The prediction


@pytest.mark.parametrize(
    ("choice", "verdict"),
    [("Better all the way", "Look again."), ("Better, then worse", "Right."), ("Worse all the way", "Look again.")],
)
def test_prediction_is_explained_when_the_dimension_moves(embedding_map, choice, verdict):
    button = embedding_map.predictions.and_(embedding_map.root.get_by_role("button", name=choice))
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    assert choice in embedding_map.root.get_by_role("status").inner_text()
    assert embedding_map.outcome.inner_text() == ""
    embedding_map.dimension.press("ArrowRight")
    assert embedding_map.outcome.inner_text().startswith(f"{verdict} The error falls from ")


def test_prediction_blocks_nothing_and_tells_the_numbers(embedding_map):
    state = embedding_map.state
    lost, found, dimensions = state["lost"], state["found"], state["dimensions"]
    best = int(np.argmax(found))
    assert 0 < best < len(found) - 1
    embedding_map.dimension.press("ArrowRight")
    assert embedding_map.outcome.inner_text() == (
        f"The error falls from {lost[0]} % to {lost[-1]} %. Of five neighbours, {found[0]:.1f} are truly alike at "
        f"{dimensions[0]} dimensions, {found[best]:.1f} at {dimensions[best]}, and {found[-1]:.1f} at {dimensions[-1]}."
    )


def test_picking_an_item_explains_nothing_yet(embedding_map):
    embedding_map.picker.press("ArrowDown")
    assert embedding_map.outcome.inner_text() == ""


# Other data than the chapter's


@pytest.fixture
def mounted(open_page, served):
    """Mount another widget in a page, in place of all that the page has."""

    def mounted_(widget):
        page = open_page(f"{served}/{PAGE}", reduced_motion="reduce")
        page.evaluate(
            """state => {
              const json = Object.assign(document.createElement("script"), { type: "application/json" });
              json.textContent = JSON.stringify(state);
              const root = Object.assign(document.createElement("div"), { className: "book-widget" });
              root.dataset.widget = "embeddings";
              root.append(json);
              document.body.replaceChildren(root);
              bookWidgets.mount(root);
            }""",
            widget.state(),
        )
        return Map(page)

    return mounted_


def test_map_without_truth_says_nothing_about_it(mounted):
    embedding_map = mounted(small_map())
    for key in ("ArrowRight", "End"):
        embedding_map.dimension.press(key)
        embedding_map.assert_says_what_python_says()
    assert "truly" not in embedding_map.root.inner_text()
    assert embedding_map.root.locator(".bw-found").count() == 0
    assert embedding_map.page.complaints == []


@pytest.mark.parametrize(
    ("n_true", "answer"), [(2, "Worse all the way"), (3, "Better, then worse"), (20, "Better all the way")]
)
def test_prediction_is_judged_by_the_data(mounted, n_true, answer):
    widget = small_map(lambda vectors: vectors[:, :n_true])
    assert max(widget.found) == widget.found[widget.dimensions.index(n_true)] == 5.0
    embedding_map = mounted(widget)
    for i in range(3):
        button = embedding_map.predictions.nth(i)
        button.click()
        embedding_map.dimension.press("ArrowRight")
        verdict = "Right." if button.inner_text() == answer else "Look again."
        assert embedding_map.outcome.inner_text().startswith(f"{verdict} The error falls")


@pytest.mark.parametrize("n_true", [2, 20])
def test_prediction_tells_no_number_twice(mounted, n_true):
    widget = small_map(lambda vectors: vectors[:, :n_true])
    embedding_map = mounted(widget)
    embedding_map.dimension.press("ArrowRight")
    assert embedding_map.outcome.inner_text().endswith(
        f"Of five neighbours, {widget.found[0]:.1f} are truly alike at 2 dimensions, and {widget.found[-1]:.1f} at 20."
    )


# The front end's functions, on cases that Python shares with it. Neighbours, errors and maps are looked up.


def test_nearest_point_is_the_first_of_the_nearest(shared_page):
    rng = np.random.default_rng(0)
    cases = [(rng.normal(size=(n, 2)) * 100, rng.normal(size=2) * 100) for n in rng.integers(1, 100, size=200)]
    tied = [(rng.integers(-2, 3, size=(30, 2)), rng.integers(-2, 3, size=2)) for _ in range(200)]
    received = shared_page.evaluate(
        "cases => cases.map(([points, place]) => bookWidgets.modules.embeddings.nearestPoint(points, place))",
        [(points.tolist(), place.tolist()) for points, place in cases + tied],
    )
    squares = [((points - place) ** 2).sum(axis=1) for points, place in cases + tied]
    assert received == [int(each.argmin()) for each in squares]
    assert sum((each == each.min()).sum() > 1 for each in squares) > 50


@pytest.mark.parametrize("has_truth", [True, False])
def test_describe_is_that_of_python(shared_page, has_truth):
    state = Map(shared_page).state if has_truth else small_map().state()
    states = [
        {**state, "dimension": dimension, "picked": picked}
        for dimension, picked in product(state["dimensions"], state["labels"])
    ]
    received = shared_page.evaluate(
        "([state, all]) => all.map((change) => bookWidgets.modules.embeddings.describe({ ...state, ...change }))",
        [state, [{name: each[name] for name in ("dimension", "picked")} for each in states]],
    )
    widget = in_python(state)
    for each, text in zip(states, received):
        widget.dimension, widget.picked = each["dimension"], each["picked"]
        assert text == widget.describe()
