"""The factor explorer in the built page, used as a reader uses it; what it reads and says against Python."""

from types import SimpleNamespace

import pytest

from tests.built_book import HTML, built_pages
from utils.widgets import FactorExplorer
from utils.widgets.matrix_factorization import LETTERS

SLUG = "matrix_factorization"
PAGE = next(page for page in built_pages() if f'data-widget="{SLUG}"' in (HTML / page).read_text("utf-8"))


class Explorer:
    """The explorer of the page."""

    def __init__(self, page):
        self.page = page
        self.root = page.locator(f".book-widget[data-widget={SLUG}][data-ready=true]").first
        self.factors = self.root.get_by_label("Factors", exact=True)
        self.penalty = self.root.get_by_label("Penalty", exact=True)
        self.biases = self.root.get_by_label("Mean and biases")
        self.status = self.root.get_by_role("status")
        self.predicted = self.root.get_by_role("img", name="Predicted: a square")
        self.predicted.scroll_into_view_if_needed()

    @property
    def state(self):
        return self.root.evaluate("root => structuredClone(root.bookModel.state)")

    def assert_says_what_python_says(self):
        """The status and the drawing fit the state, as the Python class describes it."""
        state = self.state
        assert self.status.inner_text() == FactorExplorer.describe(SimpleNamespace(**state))
        shown = (
            self.predicted.locator("g")
            .first.locator("rect")
            .evaluate_all(
                "all => all.map(one => (one.classList.contains('bw-high') ? 1 : -1) * one.getAttribute('fill-opacity'))"
            )
        )
        setting = (state["has_biases"] * len(state["ranks"]) + state["ranks"].index(state["rank"])) * len(
            state["penalties"]
        ) + state["penalties"].index(state["penalty"])
        ratings = [LETTERS.index(letter) / 10 for letter in state["predictions"][setting]]
        assert shown == pytest.approx([max(-1, min(1, (stars - 3) / 2)) for stars in ratings], abs=0.0051)


@pytest.fixture
def explorer(open_page, served):
    return Explorer(open_page(f"{served}/{PAGE}"))


def test_every_setting_says_what_python_says(explorer):
    explorer.assert_says_what_python_says()
    state = explorer.state
    for has_biases in (False, True):
        explorer.biases.set_checked(has_biases)
        for rank in range(len(state["ranks"])):
            explorer.factors.fill(str(rank))
            for penalty in (0, len(state["penalties"]) - 1):
                explorer.penalty.fill(str(penalty))
                now = explorer.state
                assert (now["has_biases"], now["rank"]) == (has_biases, state["ranks"][rank])
                assert now["penalty"] == state["penalties"][penalty]
                explorer.assert_says_what_python_says()


def test_chart_marks_both_errors_of_the_setting(explorer):
    explorer.factors.press("End")
    explorer.penalty.press("Home")
    dots = explorer.root.locator(".bw-chart circle")
    heights = dots.evaluate_all("all => all.map(dot => Number(dot.getAttribute('cy')))")
    assert heights[0] > heights[1] + 20  # the error on seen ratings is lower in the chart, and farther down


def test_click_on_a_square_picks_its_pair(explorer):
    state, box = explorer.state, explorer.predicted.bounding_box()
    row, column = 3, len(state["items"]) - 2
    x = box["x"] + (column + 0.5) / len(state["items"]) * box["width"]
    y = box["y"] + (row + 0.5) / len(state["users"]) * box["height"]
    explorer.page.mouse.click(x, y)
    now = explorer.state
    assert (now["user"], now["item"]) == (state["users"][row], state["items"][column])
    assert explorer.root.get_by_label("Film", exact=True).input_value() == state["items"][column]
    explorer.assert_says_what_python_says()


def test_lists_pick_a_pair_by_name(explorer):
    state = explorer.state
    explorer.root.get_by_label("Viewer", exact=True).select_option(state["users"][5])
    explorer.root.get_by_label("Film", exact=True).select_option(state["items"][7])
    assert f"For {state['users'][5]} and {state['items'][7]}: truth" in explorer.status.inner_text()
    explorer.assert_says_what_python_says()


@pytest.mark.parametrize(
    ("choice", "verdict"),
    [
        ("Larger than the smallest, but not the largest", "Right. "),
        ("The smallest, too", "Look again. "),
        (None, "It is "),
    ],
)
def test_prediction_is_explained_when_a_slider_moves(explorer, choice, verdict):
    outcome = explorer.root.locator(".bw-outcome")
    if choice:
        explorer.root.get_by_role("button", name=choice).click()
        assert choice in explorer.status.inner_text()
        assert outcome.inner_text() == ""
    explorer.factors.press("ArrowRight")
    assert outcome.inner_text().startswith(verdict)
