"""The similarity explorer in the built page, moved as a reader moves it; its functions against `utils.similarity`."""

import math

import numpy as np
import pytest

from tests.browser.touch import swipe
from tests.built_book import page_with_widget
from utils.similarity import MEASURES, scores, top_k
from utils.widgets import SimilarityExplorer

PAGE = page_with_widget("similarity")


class Explorer:
    """The first explorer of a page."""

    def __init__(self, page):
        self.page = page
        self.root = page.locator(".book-widget[data-widget=similarity][data-ready=true]").first
        self.plane = self.root.get_by_role("group", name="Plane with the items and the query")
        self.handle = self.root.get_by_role("slider", name="Query")
        self.direction = self.root.get_by_label("Direction", exact=True)
        self.length = self.root.get_by_label("Length", exact=True)
        self.handle.scroll_into_view_if_needed()

    @property
    def state(self):
        return self.root.evaluate("root => structuredClone(root.bookModel.state)")

    @property
    def query(self):
        return self.state["query"]

    def place(self, fraction_x, fraction_y):
        """Return the place on the screen at that part of the plane, from its left and top."""
        box = self.plane.bounding_box()
        return box["x"] + fraction_x * box["width"], box["y"] + fraction_y * box["height"]

    def handle_place(self):
        """Return the middle of the handle on the screen."""
        box = self.handle.bounding_box()
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def scale(self):
        """Return how many pixels on the screen one unit takes."""
        (x, y), (left, top) = self.handle_place(), self.place(0.5, 0.5)
        return math.hypot(x - left, y - top) / math.hypot(*self.query)

    def assert_says_what_python_says(self):
        """The status, the lists and the handle fit the state, as `utils` ranks it."""
        widget = SimilarityExplorer(**self.state)
        rankings = widget.describe().split("). ", 1)[1]
        assert self.root.get_by_role("status").inner_text().endswith(rankings)
        shown = self.root.locator(".bw-rankings ol").evaluate_all(
            "lists => lists.map(list => [...list.children].map(entry => entry.firstChild.textContent))"
        )
        assert shown == list(widget.rankings().values())
        x, y = self.query
        assert self.handle.get_attribute("aria-valuetext") == f"x {_fixed(x)}, y {_fixed(y)}"


def _fixed(value):
    """One digit as JavaScript's toFixed writes it."""
    return f"{math.copysign(math.floor(abs(value) * 10 + 0.5) / 10, value):.1f}"


@pytest.fixture
def explorer(shared_page):
    """The first explorer of the shared page; afterwards it is as before."""
    explorer = Explorer(shared_page)
    yield explorer
    explorer.root.get_by_role("button", name="Reset").press("Enter")


# Mouse


def drag(mouse, start, *places):
    mouse.move(*start)
    mouse.down()
    for place in places:
        mouse.move(*place, steps=4)
    mouse.up()


def test_mouse_drags_the_query(open_page, address):
    explorer = Explorer(open_page(f"{address}/{PAGE}"))
    scale, target = explorer.scale(), explorer.place(0.3, 0.25)
    drag(explorer.page.mouse, explorer.handle_place(), explorer.place(0.5, 0.2), target)
    assert explorer.handle_place() == pytest.approx(target, abs=1)
    (left, top), (x, y) = explorer.place(0.5, 0.5), target
    assert explorer.query == pytest.approx([(x - left) / scale, (top - y) / scale], abs=0.02)  # a pixel is 0.01 units
    explorer.assert_says_what_python_says()


def test_mouse_leaves_the_query_where_it_was_let_go(explorer):
    drag(explorer.page.mouse, explorer.handle_place(), explorer.place(0.7, 0.7))
    query, (x, y) = explorer.query, explorer.handle_place()
    for place in ((x + 3, y + 3), (x + 6, y), explorer.place(0.2, 0.2)):
        explorer.page.mouse.move(*place)
    assert explorer.query == query


def test_mouse_moves_nothing_beside_the_handle(explorer):
    query = explorer.query
    drag(explorer.page.mouse, explorer.place(0.1, 0.9), explorer.place(0.3, 0.6))
    assert explorer.query == query


def test_mouse_cannot_drag_the_query_out_of_the_plane(explorer):
    drag(explorer.page.mouse, explorer.handle_place(), explorer.place(0.99, 0.5), explorer.place(1.4, 0.5))
    (x, _), (right, _) = explorer.handle_place(), explorer.place(1, 0.5)
    assert x <= right
    explorer.assert_says_what_python_says()


def test_mouse_cannot_take_the_direction_from_the_query(explorer):
    drag(explorer.page.mouse, explorer.handle_place(), explorer.place(0.5, 0.5))
    assert math.hypot(*explorer.query) == pytest.approx(0.1, abs=0.002)
    explorer.assert_says_what_python_says()


# Touch


@pytest.fixture
def phone(open_page, served):
    explorer = Explorer(open_page(f"{served}/{PAGE}", width=360, height=640, has_touch=True, is_mobile=True))
    explorer.plane.evaluate("plane => plane.scrollIntoView({ block: 'center' })")
    return explorer


def test_finger_drags_the_query_and_the_page_stays(phone):
    before, target = phone.page.evaluate("scrollY"), phone.place(0.35, 0.75)
    swipe(phone.page, phone.handle_place(), target)
    assert phone.page.evaluate("scrollY") == before
    assert phone.handle_place() == pytest.approx(target, abs=1.5)
    phone.assert_says_what_python_says()


def test_finger_beside_the_handle_scrolls_the_page(phone):
    before, query = phone.page.evaluate("scrollY"), phone.query
    swipe(phone.page, phone.place(0.1, 0.9), phone.place(0.1, 0.3))
    assert phone.page.evaluate("scrollY") > before + 50
    assert phone.query == query


# Keyboard


@pytest.mark.parametrize(
    ("key", "step"),
    [
        ("ArrowRight", (0.1, 0)),
        ("ArrowLeft", (-0.1, 0)),
        ("ArrowUp", (0, 0.1)),
        ("ArrowDown", (0, -0.1)),
        ("Shift+ArrowRight", (0.5, 0)),
        ("Shift+ArrowDown", (0, -0.5)),
    ],
)
def test_arrow_keys_move_the_query(explorer, key, step):
    before = explorer.query
    explorer.handle.press(key)
    assert explorer.query == pytest.approx([a + b for a, b in zip(before, step)], abs=1e-9)
    explorer.assert_says_what_python_says()


def test_arrow_keys_neither_scroll_nor_leave_the_page(explorer):
    before = explorer.page.url, explorer.page.evaluate("scrollY")
    for key in ("ArrowDown", "ArrowUp", "ArrowRight", "ArrowLeft"):
        explorer.handle.press(key)
    assert (explorer.page.url, explorer.page.evaluate("scrollY")) == before


def test_tab_leaves_the_handle(explorer):
    explorer.handle.press("Tab")
    assert explorer.direction.evaluate("input => input === document.activeElement")


# Controls


def test_direction_turns_the_query_and_keeps_its_length(explorer):
    before = explorer.query
    explorer.direction.fill("120")
    x, y = explorer.query
    assert math.degrees(math.atan2(y, x)) == pytest.approx(120, abs=0.1)
    assert math.hypot(x, y) == pytest.approx(math.hypot(*before), abs=0.002)  # coordinates have three decimals
    explorer.assert_says_what_python_says()


def test_length_stretches_the_query_and_keeps_its_direction(explorer):
    before = explorer.query
    explorer.length.fill("2.5")
    x, y = explorer.query
    assert math.hypot(x, y) == pytest.approx(2.5, abs=0.002)
    assert math.atan2(y, x) == pytest.approx(math.atan2(before[1], before[0]), abs=0.002)
    explorer.assert_says_what_python_says()


def test_length_changes_the_euclidean_ranking_alone(explorer):
    lists = explorer.root.locator(".bw-rankings ol li > span:first-child")
    seen = [[], [], []]
    for key in ("Home", "End"):
        explorer.length.press(key)
        names, third = lists.all_inner_texts(), lists.count() // 3
        for m in range(3):
            seen[m].append(names[m * third : (m + 1) * third])
    assert seen[0][0] == seen[0][1]
    assert seen[1][0] == seen[1][1]
    assert seen[2][0] != seen[2][1]


def test_unit_items_make_the_three_rankings_agree(explorer):
    explorer.root.get_by_label("Give every item length 1").check()
    assert explorer.state["unit_items"] is True
    assert explorer.root.get_by_role("status").inner_text().startswith("All three rankings agree.")
    explorer.assert_says_what_python_says()


def test_unit_items_stay_unit_when_the_query_moves(explorer):
    explorer.root.get_by_label("Give every item length 1").check()
    for _ in range(3):
        explorer.handle.press("Shift+ArrowDown")
        explorer.assert_says_what_python_says()


@pytest.mark.parametrize(
    ("name", "measure", "shape"),
    [
        ("Inner product", "dot", "polygon"),
        ("Cosine", "cosine", "polygon"),
        ("Euclidean distance", "euclidean", "circle"),
    ],
)
def test_level_shades_the_region_of_the_measure(explorer, name, measure, shape):
    before = explorer.root.locator(".bw-level > *").evaluate("node => node.outerHTML")
    was = explorer.state["level"]
    explorer.root.get_by_role("radio", name=name).check()
    assert explorer.state["level"] == measure
    assert explorer.root.locator(".bw-level > *").evaluate_all("nodes => nodes.map(node => node.localName)") == [shape]
    after = explorer.root.locator(".bw-level > *").evaluate("node => node.outerHTML")
    assert (after == before) == (measure == was)


@pytest.mark.parametrize(
    ("choice", "verdict"),
    [("Inner product", "Look again: only"), ("Cosine", "Look again: only"), ("Euclidean distance", "Right: only")],
)
def test_prediction_is_explained_when_the_length_moves(explorer, choice, verdict):
    button = explorer.root.get_by_role("group", name="Your prediction").get_by_role("button", name=choice)
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    assert choice in explorer.root.get_by_role("status").inner_text()
    outcome = explorer.root.locator(".bw-outcome")
    assert outcome.inner_text() == ""
    explorer.length.press("ArrowRight")
    assert outcome.inner_text().startswith(f"{verdict} the Euclidean ranking can change.")


def test_prediction_says_what_to_do_until_it_is_explained(explorer):
    hint = explorer.root.locator(".bw-hint")
    assert hint.inner_text() == ""
    explorer.root.get_by_role("button", name="None").click()
    assert hint.inner_text() == "Now move the slider for length, and watch the rankings."
    explorer.length.press("ArrowRight")
    assert hint.inner_text() == ""


def test_prediction_after_a_move_is_judged_at_once(explorer):
    explorer.length.press("ArrowRight")
    outcome = explorer.root.locator(".bw-outcome")
    for choice, verdict in (("Cosine", "Look again: only"), ("Euclidean distance", "Right: only")):
        explorer.root.get_by_role("button", name=choice).click()
        assert outcome.inner_text().startswith(verdict)


def test_prediction_holds_one_choice_at_a_time(explorer):
    buttons = explorer.root.get_by_role("group", name="Your prediction").get_by_role("button")
    for i in range(buttons.count()):
        buttons.nth(i).click()
        pressed = buttons.evaluate_all("all => all.map(button => button.getAttribute('aria-pressed'))")
        assert [p == "true" for p in pressed] == [j == i for j in range(buttons.count())]


def test_prediction_blocks_nothing(explorer):
    explorer.length.press("ArrowRight")
    assert explorer.root.locator(".bw-outcome").inner_text().startswith("Only the Euclidean ranking can change.")


# The front end's functions, on cases that Python shares with it


def random_cases(n_cases, rng):
    """Queries and items without ties."""
    return [(rng.normal(size=2) * 2, rng.normal(size=(int(rng.integers(2, 13)), 2)) * 2) for _ in range(n_cases)]


def tied_cases(n_cases, rng):
    """Whole numbers, so that equal scores are equal to the last bit on both sides, and many are equal.

    Cosines are not exact even then, so they tie only where an item is another one times 1, 2 or 4: no two of these
    directions are mirror images in a query's.
    """
    directions = np.array([(1, 1), (1, 2), (1, 3), (2, 1), (2, 3), (3, 1), (3, 2)])
    cases = []
    for _ in range(n_cases):
        items = directions[rng.integers(len(directions), size=rng.integers(2, 6))] * rng.choice([-1, 1], size=2)
        items = np.concatenate([items, items * rng.choice([1, 2, 4], size=(len(items), 1))])
        cases.append((rng.permutation([5.0, 2.0]), rng.permutation(items).astype(float)))
    return cases


def in_the_page(page, function, cases, measure):
    """Call a function of the front end for each case."""
    return page.evaluate(
        "([name, cases, measure]) => cases.map(([query, items]) => {"
        "  const module = bookWidgets.modules.similarity;"
        "  return name === 'score' ? items.map(item => module.score(query, item, measure))"
        "    : module[name](query, items, measure);"
        "})",
        [function, [(query.tolist(), items.tolist()) for query, items in cases], measure],
    )


@pytest.mark.parametrize("measure", MEASURES)
def test_score_is_that_of_utils(shared_page, measure):
    rng = np.random.default_rng(0)
    cases = random_cases(100, rng) + tied_cases(100, rng)
    for (query, items), received in zip(cases, in_the_page(shared_page, "score", cases, measure)):
        np.testing.assert_allclose(received, scores(query, items, measure), rtol=0, atol=1e-12)


@pytest.mark.parametrize("measure", MEASURES)
def test_rank_is_that_of_utils(shared_page, measure):
    cases = random_cases(200, np.random.default_rng(1))
    for (query, items), received in zip(cases, in_the_page(shared_page, "rank", cases, measure)):
        assert received == top_k(query, items, len(items), measure)[0].tolist()


@pytest.mark.parametrize("measure", MEASURES)
def test_rank_breaks_ties_as_utils_does(shared_page, measure):
    cases = tied_cases(200, np.random.default_rng(2))
    n_tied = 0
    for (query, items), received in zip(cases, in_the_page(shared_page, "rank", cases, measure)):
        expected, ordered = top_k(query, items, len(items), measure)
        n_tied += (np.diff(ordered) == 0).any()
        assert received == expected.tolist()
    assert n_tied > 50


def is_inside(point, region):
    """Whether a point lies in a polygon (by the crossings of a ray to the right) or in a circle."""
    if "centre" in region:
        return math.dist(point, region["centre"]) < region["radius"]
    x, y = point
    corners = region["corners"]
    crossings = 0
    for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1]):
        if (y0 > y) != (y1 > y):
            crossings += x < x0 + (y - y0) * (x1 - x0) / (y1 - y0)
    return crossings % 2 == 1


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("scale", [1, 100])
def test_level_region_is_where_the_first_item_would_be_beaten(shared_page, measure, scale):
    rng = np.random.default_rng(4)
    cases = [(query * scale, items * scale) for query, items in random_cases(40, rng)]
    for (query, items), region in zip(cases, in_the_page(shared_page, "levelRegion", cases, measure)):
        best = scores(query, items, measure).max()
        reach = np.abs([*items, query]).max()
        places = np.concatenate([items, rng.uniform(-reach, reach, size=(30, 2))])
        margin = 1e-9 * scale**2  # the first item lies on the border
        for place, score in zip(places, scores(query, places, measure)):
            if abs(score - best) > margin:
                assert is_inside(place, region) == (score > best), (query, place)


@pytest.mark.parametrize("measure", MEASURES)
def test_level_region_holds_no_item(shared_page, measure):
    cases = random_cases(200, np.random.default_rng(5))
    for (query, items), region in zip(cases, in_the_page(shared_page, "levelRegion", cases, measure)):
        first = top_k(query, items, 1, measure)[0][0]  # lies on the border
        assert not any(is_inside(item, region) for item in np.delete(items, first, axis=0))


def test_goal_answers_beside_the_handle_when_all_agree(explorer):
    goal, body = explorer.root.locator(".bw-goal"), explorer.root.locator(".bw-similarity")
    states = {}
    for degrees in range(-180, 181, 15):
        explorer.direction.evaluate("(slider, value) => { slider.value = value; }", degrees)
        explorer.direction.dispatch_event("input")
        rankings = SimilarityExplorer(**explorer.state).rankings().values()
        states[degrees] = len({tuple(ranking) for ranking in rankings})
        says = {
            1: "All three agree: goal reached.",
            2: "Goal: all three agree. Two do.",
            3: "Goal: all three agree. None do.",
        }
        assert goal.inner_text() == says[states[degrees]]
        assert (body.get_attribute("data-reached") is not None) == (states[degrees] == 1)
    assert set(states.values()) >= {1, 2}
    box = goal.bounding_box()
    plane = explorer.plane.bounding_box()
    assert 0 <= box["y"] - plane["y"] - plane["height"] < 20
