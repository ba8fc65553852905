import json

import matplotlib.pyplot as plt
import numpy as np
import pytest
import traitlets
from matplotlib.figure import Figure

from utils.similarity import MEASURES, scores
from utils.widgets import SimilarityExplorer

# For the query (1, 1): inner products 2.5, 0.9, 1.5; cosines 0.58, 0.99, 0.86; distances 2.5, 0.78, 0.73.
ITEMS, LABELS = [[3.0, -0.5], [0.4, 0.5], [0.3, 1.2]], ["long", "aligned", "near"]


def explorer(**traits):
    return SimilarityExplorer(**{"items": ITEMS, "labels": LABELS, **traits})


# Arguments


def test_explorer_starts_as_documented():
    widget = explorer()
    assert (widget.query, widget.unit_items, widget.level) == ([1.0, 1.0], False, "dot")


def test_explorer_turns_whole_numbers_and_tuples_into_lists_of_floats():
    widget = explorer(items=[(3, 1), (1, 2), (0, 1)])
    assert repr(widget.items) == "[[3.0, 1.0], [1.0, 2.0], [0.0, 1.0]]"


@pytest.mark.parametrize("n_items", [2, 12])
def test_explorer_takes_2_to_12_items(n_items):
    items = [[1.0, float(i)] for i in range(n_items)]
    assert len(explorer(items=items, labels=[str(i) for i in range(n_items)]).items) == n_items


@pytest.mark.parametrize("n_items", [1, 13])
def test_explorer_rejects_another_number_of_items(n_items):
    with pytest.raises(traitlets.TraitError, match=rf"expected 2 to 12 items, received {n_items}; more cannot be told"):
        explorer(items=[[1.0, float(i)] for i in range(n_items)], labels=[str(i) for i in range(n_items)])


@pytest.mark.parametrize(
    "items",
    [
        [[1.0, 2.0], [0.0, 0.0]],
        [[1.0, 2.0], [float("nan"), 1.0]],
        [[1.0, 2.0], [float("inf"), 1.0]],
        [[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]],
        [[1.0, 2.0], [1.0]],
        [1.0, 2.0],
        [["a", "b"], ["c", "d"]],
        [],
    ],
)
def test_explorer_rejects_items_that_are_not_vectors_of_a_plane(items):
    with pytest.raises(traitlets.TraitError, match=r"expected items as pairs of finite numbers .*received \[.*a plane"):
        explorer(items=items)


@pytest.mark.parametrize("query", [[0.0, 0.0], [1.0], [1.0, 2.0, 3.0], [float("nan"), 1.0], ["a", "b"], []])
def test_explorer_rejects_a_query_without_a_direction(query):
    with pytest.raises(traitlets.TraitError, match=r"expected query as pairs of finite .*zero vector has no direction"):
        explorer(query=query)


def test_explorer_rejects_a_bad_query_later_and_keeps_the_good_one():
    widget = explorer(query=[2.0, 1.0])
    with pytest.raises(traitlets.TraitError, match="expected query as pairs"):
        widget.query = [0.0, 0.0]
    assert widget.query == [2.0, 1.0]


@pytest.mark.parametrize("labels", [["a", "b"], ["a", "b", "c", "d"]])
def test_explorer_rejects_labels_that_do_not_name_each_item(labels):
    with pytest.raises(traitlets.TraitError, match=r"expected 3 labels, .*, received \['a'.*name each item"):
        explorer(labels=labels)


def test_explorer_with_items_and_labels_assigned_apart_says_what_is_missing():
    widget = explorer()
    widget.items = [[1.0, 0.0], [0.0, 1.0]]
    with pytest.raises(traitlets.TraitError, match="expected 2 labels"):
        widget.rankings()
    widget.labels = ["x", "y"]
    assert set(widget.rankings()["Cosine"]) == {"x", "y"}


@pytest.mark.parametrize("labels", [["a", "b", "a"], ["a", "b", "c" * 31]])
def test_explorer_rejects_labels_that_cannot_be_told_apart_or_shown(labels):
    with pytest.raises(traitlets.TraitError, match=r"expected different labels of at most 30 characters, .*shorten or"):
        explorer(labels=labels)


def test_explorer_rejects_a_label_that_is_not_text():
    with pytest.raises(traitlets.TraitError, match="expected a unicode string, not the int 3"):
        explorer(labels=["a", "b", 3])


def test_explorer_rejects_an_unknown_measure():
    with pytest.raises(traitlets.TraitError, match=r"'level' .*expected any of \['dot', 'cosine', 'euclidean'\]"):
        explorer(level="manhattan")


def test_explorer_rejects_unit_items_that_are_not_true_or_false():
    with pytest.raises(traitlets.TraitError, match=r"'unit_items' .*expected a boolean"):
        explorer(unit_items="yes")


def test_explorer_tells_an_observer():
    seen = []
    widget = explorer()
    widget.observe(lambda change: seen.append(change["new"]), names="query")
    widget.query = (2, 0)
    assert seen == [[2.0, 0.0]]


# State


def test_state_is_complete_and_json():
    state = explorer(level="cosine").state()
    assert json.loads(json.dumps(state, allow_nan=False)) == {
        "items": ITEMS,
        "labels": LABELS,
        "level": "cosine",
        "query": [1.0, 1.0],
        "unit_items": False,
    }


def test_state_makes_the_same_widget_again():
    widget = explorer(query=[-1.0, 0.25], unit_items=True, level="euclidean")
    assert SimilarityExplorer(**widget.state()).state() == widget.state()


# Rankings


def test_rankings_by_hand():
    assert explorer().rankings() == {
        "Inner product": ["long", "near", "aligned"],
        "Cosine": ["aligned", "near", "long"],
        "Euclidean distance": ["near", "aligned", "long"],
    }


def test_rankings_agree_when_items_have_unit_length():
    rankings = explorer(unit_items=True).rankings()
    assert list(rankings.values()) == [["aligned", "near", "long"]] * 3


def test_rankings_put_the_lower_index_first_on_a_tie():
    widget = explorer(items=[[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]], labels=["a", "b", "c"], query=[1.0, 1.0])
    assert widget.rankings()["Inner product"] == ["a", "b", "c"]


def test_rankings_sort_by_the_scores_of_utils():
    rng = np.random.default_rng(3)
    for _ in range(20):
        items, query = rng.normal(size=(6, 2)), rng.normal(size=2)
        widget = explorer(items=items.tolist(), labels=list("abcdef"), query=query.tolist())
        for measure, labels in zip(MEASURES, widget.rankings().values()):
            assert labels == ["abcdef"[i] for i in np.argsort(-scores(query, items, measure))]


def test_rankings_follow_the_query():
    widget = explorer()
    widget.query = [1.0, -0.1]
    assert widget.rankings()["Cosine"][0] == "long"


# Text and picture


def test_describe_by_hand():
    assert explorer(query=[1, 0.5]).describe() == (
        "Items ranked for the query (1, 0.5). Inner product: long, near, aligned. Cosine: aligned, long, near. "
        "Euclidean distance: aligned, near, long."
    )


def test_draw_gives_a_figure_that_names_all_it_shows():
    figure = explorer().draw()
    assert isinstance(figure, Figure)
    assert {text.get_text() for text in figure.axes[0].texts} == {"", "query", *LABELS}
    plt.close(figure)


def test_draw_holds_every_vector():
    figure = explorer(query=[0.0, -4.0]).draw()
    axes = figure.axes[0]
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    for x, y in [*ITEMS, [0.0, -4.0]]:
        assert left < x < right
        assert bottom < y < top
    plt.close(figure)
