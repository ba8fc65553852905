"""The film built from features in the built page; its functions against `utils` on shared cases."""

import numpy as np
import pytest

from tests.built_book import page_with_widget
from utils.feature_sums import POOLINGS, represent
from utils.similarity import MEASURES
from utils.widgets import FeatureSums

PAGE = page_with_widget("feature_sums")


class Builder:
    """The first such widget of a page."""

    def __init__(self, page):
        self.page = page
        self.root = page.locator(".book-widget[data-widget=feature_sums][data-ready=true]").first

    @property
    def state(self):
        return self.root.evaluate("root => structuredClone(root.bookModel.state)")

    @property
    def python(self):
        """Return the same widget in Python."""
        state = self.state
        return FeatureSums(**{**state, "counts": dict(zip(state["names"], state["counts"]))})

    def assert_says_what_python_says(self):
        python = self.python
        assert self.root.get_by_role("status").inner_text() == python.describe()
        shown = self.root.locator(".bw-rankings ol").evaluate_all(
            "lists => lists.map(list => [...list.children].map(entry => entry.firstChild.textContent))"
        )
        assert shown == list(python.rankings().values())


@pytest.fixture
def builder(shared_page):
    builder = Builder(shared_page)
    yield builder
    builder.root.get_by_role("button", name="Reset").press("Enter")


def test_widget_starts_as_python_says(builder):
    builder.assert_says_what_python_says()


def test_each_feature_can_be_switched_on_off_and_repeated(builder):
    for f, name in enumerate(builder.state["names"]):
        slider = builder.root.get_by_label(name, exact=True)
        for key, count in (("Home", 0), ("ArrowRight", 1), ("End", 3)):
            slider.press(key)
            assert builder.state["counts"][f] == count
            builder.assert_says_what_python_says()


@pytest.mark.parametrize(("label", "pooling"), [("Sum", "sum"), ("Mean", "mean"), ("sqrtn", "sqrt")])
def test_pooling_is_changed_for_all_films(builder, label, pooling):
    builder.root.get_by_role("radio", name=label).check()
    assert builder.state["pooling"] == pooling
    builder.assert_says_what_python_says()


def test_each_viewer_gets_rankings_of_their_own(builder):
    seen = set()
    for label in builder.state["viewer_labels"]:
        builder.root.get_by_role("radio", name=label).check()
        builder.assert_says_what_python_says()
        seen.add(builder.root.locator(".bw-rankings").inner_text())
    assert len(seen) == len(builder.state["viewer_labels"])


def test_film_without_features_is_last_by_cosine(builder):
    for name in builder.state["names"]:
        builder.root.get_by_label(name, exact=True).press("Home")
    builder.assert_says_what_python_says()
    assert builder.root.locator(".bw-rankings ol").nth(1).locator("li").last.inner_text().split() == [
        *("Your", "film", "none")
    ]


@pytest.mark.parametrize(
    ("choice", "verdict"),
    [
        ("Cosine", "Right. By cosine"),
        ("Inner product", "Look again. By"),
        ("None", "Look again. By"),
        (None, "By cosine"),
    ],
)
def test_prediction_is_explained_when_everything_is_said_twice(builder, choice, verdict):
    if choice:
        group = builder.root.get_by_role("group", name="Your prediction")
        group.get_by_role("button", name=choice, exact=True).click()
        assert choice in builder.root.get_by_role("status").inner_text()
    before = builder.python.rankings()["Cosine"]
    builder.root.get_by_label("Say everything twice").check()
    assert builder.root.locator(".bw-outcome").inner_text().startswith(verdict)
    assert builder.python.rankings()["Cosine"] == before
    builder.assert_says_what_python_says()


def test_way_leads_to_the_film(builder):
    for label in ("Sum", "Mean", "sqrtn"):
        builder.root.get_by_role("radio", name=label).check()
        points = builder.root.locator(".bw-way").get_attribute("points").split()
        end = [float(number) for number in points[-1].split(",")]
        film = builder.root.locator("circle.bw-mine")
        assert end == pytest.approx([float(film.get_attribute(a)) for a in ("cx", "cy")], abs=0.01)


@pytest.mark.parametrize("is_twice", [False, True])
def test_names_cover_no_point(builder, is_twice):
    if is_twice:
        builder.root.get_by_label("Say everything twice").check()
    covered = builder.root.locator(".bw-plane svg").evaluate(
        "svg => [...svg.querySelectorAll('text')].flatMap(text => { const box = text.getBBox(); "
        "return [...svg.querySelectorAll('circle')].filter(({ cx, cy }) => "
        "cx.baseVal.value > box.x && cx.baseVal.value < box.x + box.width && "
        "cy.baseVal.value > box.y && cy.baseVal.value < box.y + box.height).map(() => text.textContent); })"
    )
    assert covered == []


def test_a_film_at_the_same_place_still_shows(builder):
    builder.root.get_by_label("Romance", exact=True).press("Home")  # Action alone, as Die Hard
    circles = builder.root.locator(".bw-plane circle").evaluate_all(
        "all => all.map(({ className, cx, cy, r }) => "
        "[className.baseVal, cx.baseVal.value, cy.baseVal.value, r.baseVal.value])"
    )
    mine = next(circle for circle in circles if circle[0] == "bw-mine")
    others = [circle for circle in circles if circle[0] == "bw-other"]
    same = [circle for circle in others if circle[1:3] == pytest.approx(mine[1:3], abs=0.1)]
    assert len(same) == 1
    assert circles.index(same[0]) > circles.index(mine)  # drawn later, so on top
    assert same[0][3] < mine[3]


# The front end's functions, on cases that Python shares with it


def cases(n_cases, rng):
    """Counts, embeddings and a viewer; some rows without any feature."""
    made = []
    for _ in range(n_cases):
        n_features = int(rng.integers(2, 11))
        counts = rng.integers(0, 4, (5, n_features))
        counts[0] *= rng.integers(2)
        counts[1:, 0] += 1
        made.append((counts, rng.standard_normal((n_features, 2)).round(4), rng.standard_normal(2).round(4)))
    return made


@pytest.mark.parametrize("pooling", POOLINGS)
def test_represent_is_that_of_utils(shared_page, pooling):
    shared = cases(100, np.random.default_rng(0))
    received = shared_page.evaluate(
        "([cases, pooling]) => cases.map(([rows, embeddings]) => "
        "rows.map(row => bookWidgets.modules.feature_sums.represent(row, embeddings, pooling)))",
        [[(counts.tolist(), embeddings.tolist()) for counts, embeddings, _ in shared], pooling],
    )
    for (counts, embeddings, _), vectors in zip(shared, received):
        np.testing.assert_allclose(vectors, represent(counts, embeddings, pooling), rtol=0, atol=1e-12)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_rank_is_that_of_the_widget_in_python(shared_page, pooling):
    shared = cases(60, np.random.default_rng(1))
    labels = ["Your film", *"abcd"]
    for counts, embeddings, viewer in shared:
        names = [f"feature {f}" for f in range(len(embeddings))]
        widget = FeatureSums(
            names, embeddings, [*"abcd"], counts[1:], ["viewer"], [viewer], dict(zip(names, counts[0].tolist())),
            pooling=pooling,
        )  # fmt: skip
        received = shared_page.evaluate(
            "([films, viewer, measures]) => measures.map(m => bookWidgets.modules.feature_sums.rank(viewer, films, m))",
            [widget.vectors().tolist(), viewer.tolist(), list(MEASURES)],
        )
        assert [[labels[i] for i in order] for order in received] == list(widget.rankings().values())


def test_describe_is_that_of_python(shared_page):
    rng = np.random.default_rng(2)
    for counts, embeddings, viewer in cases(40, rng):
        names = [f"feature {f}" for f in range(len(embeddings))]
        widget = FeatureSums(
            names, embeddings, [*"abcd"], counts[1:], ["viewer"], [viewer], dict(zip(names, counts[0].tolist())),
            pooling=str(rng.choice(POOLINGS)), is_twice=bool(rng.integers(2)),
        )  # fmt: skip
        received = shared_page.evaluate("state => bookWidgets.modules.feature_sums.describe(state)", widget.state())
        assert received == widget.describe()
