"""The half-stepper in the built page: its words against Python's, and its buttons as a reader presses them."""

import pytest

from tests.built_book import page_with_widget
from utils.data import load_davis
from utils.widgets import HalfStepper

PAGE = page_with_widget("als")


@pytest.fixture
def root(shared_page):
    """The widget; afterwards it is as before."""
    root = shared_page.locator(".book-widget[data-widget=als][data-ready=true]")
    yield root
    root.get_by_role("button", name="Reset").press("Enter")


def state(root):
    return root.evaluate("root => structuredClone(root.bookModel.state)")


def python_says(root):
    """What the class in Python says of the state in the page."""
    now = state(root)
    widget = HalfStepper(
        load_davis().to_csr("ones", dtype=float),
        now["labels"],
        penalties=now["penalties"],
        n_steps=now["n_steps"],
        user_name=now["user_name"],
        item_name=now["item_name"],
        start=now["start"],
        penalty=now["penalty"],
        step=now["step"],
    )
    assert widget.paths == now["paths"]
    return widget.describe()


def status(root):
    return root.get_by_role("status").inner_text()


@pytest.mark.parametrize("start", ["Usual", "Another", "Tiny"])
@pytest.mark.parametrize("penalty", ["0.1", "1", "5"])
def test_status_is_what_python_says(root, start, penalty):
    root.get_by_role("radio", name=start, exact=True).check()
    root.get_by_role("radio", name=penalty, exact=True).check()
    for n_presses in (0, 1, 4):
        for _ in range(n_presses):
            root.get_by_role("button", name="Half-step").press("Enter")
        assert status(root) == python_says(root)


def test_half_step_moves_one_side_alone(root):
    places = "(root, kind) => [...root.querySelectorAll(`.bw-plane .${kind}`)].map(dot => dot.style.transform)"
    for step in range(4):
        before = {kind: root.evaluate(places, kind) for kind in ("bw-user", "bw-one")}
        root.get_by_role("button", name="Half-step").press("Enter")
        moved, held = ("bw-user", "bw-one") if step % 2 == 0 else ("bw-one", "bw-user")
        assert root.evaluate(places, moved) != before[moved]
        assert root.evaluate(places, held) == before[held]


def test_half_step_stops_at_the_end(root):
    root.get_by_label("Half-steps").press("End")
    root.get_by_role("button", name="Half-step").press("Enter")
    assert state(root)["step"] == state(root)["n_steps"]


def test_play_goes_on_until_it_is_paused(root, shared_page):
    root.get_by_role("button", name="Play").press("Enter")
    shared_page.wait_for_function(
        "document.querySelector('[data-widget=als]').bookModel.get('step') >= 2", timeout=10_000
    )
    root.get_by_role("button", name="Pause").press("Enter")
    step = state(root)["step"]
    shared_page.wait_for_timeout(1200)  # longer than the pause between two half-steps
    assert state(root)["step"] == step
    assert root.get_by_role("button", name="Play").count() == 1


def test_reset_stops_playing(root, shared_page):
    root.get_by_role("button", name="Play").press("Enter")
    root.get_by_role("button", name="Reset").press("Enter")
    shared_page.wait_for_timeout(1200)
    assert state(root)["step"] == 0


@pytest.mark.parametrize(("option", "verdict"), [("Fall, or stay", "Right: it"), ("Rise", "Look again: it")])
def test_prediction_is_explained_by_the_first_half_step(root, option, verdict):
    root.get_by_role("button", name=option).click()
    assert option in status(root)
    assert root.locator(".bw-outcome").inner_text() == ""
    root.get_by_role("button", name="Half-step").press("Enter")
    assert root.locator(".bw-outcome").inner_text().startswith(f"{verdict} can only fall or stay")


def test_readable_keeps_names_that_cover_no_earlier_one(shared_page):
    places = [[0, 0], [10, 5], [40, 0], [0, 14], [30, 10]]
    kept = shared_page.evaluate("places => bookWidgets.modules.als.readable(places)", places)
    assert kept == [0, 2, 3]
