"""What the map of items keeps back until the reader has predicted, and where it puts the numbers of the neighbours."""

import numpy as np
import pytest

from tests.built_book import page_with_widget

PAGE = page_with_widget("embeddings")
REDUCED_MOTION = "reduce"  # points jump, and do not glide
SIZE = 320  # of the map, in its own units


@pytest.fixture
def root(shared_page):
    """The map of the shared page; afterwards it is as before."""
    root = shared_page.locator(".book-widget[data-widget=embeddings][data-ready=true]").first
    yield root
    root.get_by_role("button", name="Reset").press("Enter")


def shows_the_answer(root):
    """Whether all, or none, of what gives the answer away can be seen."""
    seen = root.locator(".bw-chart").evaluate(
        "node => [...node.querySelectorAll('.bw-found, .bw-best')].map(one => getComputedStyle(one).visibility)"
    )
    assert len(seen) == 4  # a line, a dot, a name, and the dimension of the best
    assert len(set(seen)) == 1
    return seen[0] == "visible"


def test_answer_is_kept_back_at_first(root):
    assert not shows_the_answer(root)
    assert root.locator(".bw-outcome").inner_text() == ""


def test_answer_is_kept_back_while_another_item_is_picked(root):
    root.get_by_role("combobox", name="Item").press("ArrowDown")
    assert not shows_the_answer(root)


@pytest.mark.parametrize("choice", ["Better all the way", "Better, then worse", "Worse all the way"])
def test_prediction_shows_the_curve_and_says_what_to_do(root, choice):
    root.get_by_role("button", name=choice).click()
    assert shows_the_answer(root)
    assert root.locator(".bw-hint").inner_text() == "Now move the slider from end to end."
    root.get_by_role("slider", name="Dimensions").press("ArrowRight")
    assert root.locator(".bw-hint").inner_text() == ""
    assert root.locator(".bw-outcome").inner_text() != ""


def test_first_move_shows_the_curve(root):
    root.get_by_role("slider", name="Dimensions").press("ArrowRight")
    assert shows_the_answer(root)


def test_prediction_after_a_move_is_judged_at_once(root):
    root.get_by_role("slider", name="Dimensions").press("ArrowRight")
    outcome = root.locator(".bw-outcome")
    assert outcome.inner_text().startswith("The error falls")
    for choice, verdict in (("Better all the way", "Look again."), ("Better, then worse", "Right.")):
        root.get_by_role("button", name=choice).click()
        assert outcome.inner_text().startswith(f"{verdict} The error falls")
        assert root.locator(".bw-hint").inner_text() == ""


def test_reset_keeps_the_answer_back_again(root):
    root.get_by_role("button", name="Worse all the way").click()
    root.get_by_role("slider", name="Dimensions").press("End")
    root.get_by_role("button", name="Reset").press("Enter")
    assert not shows_the_answer(root)
    assert root.locator(".bw-hint").inner_text() == ""
    root.get_by_role("button", name="Worse all the way").click()
    assert root.locator(".bw-outcome").inner_text() == ""  # nothing has been tried yet


def overlap(first, second):
    """How far two boxes of the screen reach into each other, in pixels; 0 or less where they do not."""
    return min(
        min(first["x"] + first["width"], second["x"] + second["width"]) - max(first["x"], second["x"]),
        min(first["y"] + first["height"], second["y"] + second["height"]) - max(first["y"], second["y"]),
    )


@pytest.mark.parametrize("width", [360, 1280])
def test_numbers_on_the_map_cover_neither_each_other_nor_the_picked_item(open_page, served, width):
    page = open_page(f"{served}/{PAGE}", width=width, reduced_motion="reduce")
    root = page.locator(".book-widget[data-widget=embeddings][data-ready=true]").first
    labels = root.evaluate("root => root.bookModel.get('labels')")
    slider, picker = root.get_by_role("slider", name="Dimensions"), root.get_by_role("combobox", name="Item")
    for key, picks in (("Home", labels[::9]), ("ArrowRight", labels[4::30]), ("End", labels[7::30])):
        slider.press(key)
        for label in picks:
            picker.select_option(label)
            boxes = root.locator(".bw-map .bw-neighbour text").evaluate_all(
                """all => all.map((node) => {
                  const { x, y, width, height } = node.getBoundingClientRect();
                  return { x, y: y + 0.25 * height, width, height: 0.5 * height };  // the digit, without room around it
                })"""
            )
            boxes.append(root.locator(".bw-map .bw-picked circle").bounding_box())
            assert len(boxes) == 6
            for i, box in enumerate(boxes):
                assert all(overlap(box, other) < 1 for other in boxes[:i]), (label, key)


def test_numbers_stay_in_the_drawing_and_clear_of_each_other(shared_page):
    rng = np.random.default_rng(0)
    cases = []
    for spread in (0, 1, 5, 20, 100):  # from five points in one place to points all over the map
        for _ in range(40):
            middle = rng.uniform(18, SIZE - 18, 2)
            points = (middle + spread * rng.uniform(-1, 1, (6, 2))).clip(18, SIZE - 18)
            cases.append((points[:5], points[5], rng.uniform(18, SIZE - 18, (94, 2))))
    moves = shared_page.evaluate(
        "cases => cases.map((each) => bookWidgets.modules.embeddings.placeNumbers(...each))",
        [[part.tolist() for part in case] for case in cases],
    )
    n_clear = 0
    for (points, picked, others), move in zip(cases, np.array(moves)):
        places = points + move

        def is_clear_of(those, across, down, places=places):  # for each place, and each of those
            gaps = np.abs(places[:, None] - those)
            return (gaps[..., 0] >= across - 1e-9) | (gaps[..., 1] >= down - 1e-9)

        assert ((places > 12) & (places < SIZE - 12)).all()
        assert is_clear_of(places, 10, 13)[~np.eye(5, dtype=bool)].all()
        assert is_clear_of(points, 10, 10).all()
        assert is_clear_of(picked[None], 14, 14).all()
        n_clear += is_clear_of(others, 9, 9).all(axis=1).sum()
    assert n_clear > 900  # of 1000; the rest had no such place nearby


def test_number_of_a_lonely_point_stands_right_beside_it(shared_page):
    move = shared_page.evaluate("bookWidgets.modules.embeddings.placeNumbers([[160, 100]], [20, 20])")
    assert move == [[12, 0]]


def test_number_that_finds_no_clear_place_stands_among_the_other_points(shared_page):
    others = [[x, y] for x in range(0, SIZE + 1, 8) for y in range(0, SIZE + 1, 8)]
    move = shared_page.evaluate(
        "others => bookWidgets.modules.embeddings.placeNumbers([[160, 100]], [20, 20], others)", others
    )
    assert move == [[12, 0]]
