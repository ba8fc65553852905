import json

import matplotlib.pyplot as plt
import numpy as np
import pytest
import traitlets
from matplotlib.figure import Figure

from utils.feature_sums import POOLINGS, represent
from utils.similarity import scores
from utils.widgets import FeatureSums

NAMES = ["comedy", "thriller", "romance"]
VECTORS = [[2.0, 0.0], [0.0, 2.0], [-2.0, 0.0]]
FILMS = ["Fargo", "Psycho"]
ROWS = [[1, 1, 0], [0, 1, 0]]


def make(**changes):
    usual = {
        "names": NAMES,
        "embeddings": VECTORS,
        "film_labels": FILMS,
        "film_features": ROWS,
        "viewer_labels": ["comedy viewer", "other viewer"],
        "viewers": [[1.0, 0.5], [-1.0, 1.0]],
        "counts": {"comedy": 2},
    }
    return FeatureSums(**{**usual, **changes})


# What it shows


def test_vectors_by_hand():
    assert make().vectors().tolist() == [[4, 0], [2, 2], [0, 2]]
    assert make(pooling="mean").vectors().tolist() == [[2, 0], [1, 1], [0, 2]]
    assert make(pooling="sqrt").vectors() == pytest.approx(np.array([[8**0.5, 0], [2**0.5, 2**0.5], [0, 2]]))


@pytest.mark.parametrize(("pooling", "factor"), [("sum", 2), ("mean", 1), ("sqrt", 2**0.5)])
def test_twice_changes_the_readers_film_alone(pooling, factor):
    once, twice = (make(pooling=pooling, is_twice=is_twice).vectors() for is_twice in (False, True))
    assert np.allclose(twice[0], factor * once[0])
    assert np.array_equal(twice[1:], once[1:])


def test_rankings_by_hand():
    assert make().rankings() == {
        "Inner product": ["Your film", "Fargo", "Psycho"],
        "Cosine": ["Fargo", "Your film", "Psycho"],
        "Euclidean distance": ["Fargo", "Psycho", "Your film"],
    }


def test_rankings_are_those_of_the_scores():
    rng = np.random.default_rng(0)
    for _ in range(20):
        widget = make(
            embeddings=rng.standard_normal((3, 2)),
            viewers=rng.standard_normal((2, 2)),
            pooling=rng.choice(POOLINGS),
            counts={"comedy": int(rng.integers(1, 4)), "romance": int(rng.integers(4))},
        )
        rows = np.vstack([widget.counts, ROWS])
        films = represent(rows, widget.embeddings, widget.pooling)
        for measure, labels in zip(("dot", "cosine", "euclidean"), widget.rankings().values()):
            order = np.argsort(-scores(widget.viewers[0], films, measure))
            assert labels == [["Your film", *FILMS][i] for i in order]


def test_rankings_put_the_readers_film_first_on_a_tie():
    assert make(counts={"thriller": 1}).rankings()["Cosine"][1:] == ["Your film", "Psycho"]


def test_rankings_put_a_film_without_direction_last_by_cosine():
    for counts in ({}, {"comedy": 1, "romance": 1}):
        assert make(counts=counts).rankings()["Cosine"] == ["Fargo", "Psycho", "Your film"]
        assert make(counts=counts).rankings()["Inner product"] == ["Fargo", "Psycho", "Your film"]


def test_repeating_everything_cannot_change_the_place_by_cosine():
    places = {tuple(make(is_twice=twice).rankings()["Cosine"]) for twice in (False, True)}
    assert len(places) == 1


# State, text and picture


def test_state_is_complete_json_and_makes_the_same_text():
    widget = make(pooling="mean", viewer=1, is_twice=True)
    state = widget.state()
    assert json.loads(json.dumps(state, allow_nan=False)) == state
    assert sorted(state) == [
        *("counts", "embeddings", "film_features", "film_labels", "is_twice", "names", "pooling"),
        *("viewer", "viewer_labels", "viewers"),
    ]
    again = FeatureSums(**{**state, "counts": dict(zip(NAMES, state["counts"]))})
    assert again.describe() == widget.describe()


def test_describe_by_hand():
    assert make(counts={"comedy": 2, "thriller": 1}).describe() == (
        "Your film: comedy ×2, thriller. The sum has length 4.47. For the comedy viewer, its place of 3 by inner "
        "product 1, cosine 1, distance 3."
    )


def test_describe_says_that_there_is_no_feature():
    assert make(counts={}, is_twice=True).describe().startswith("Your film: no feature. The sum has length 0.00.")


def test_describe_says_what_is_said_twice():
    text = make(is_twice=True, pooling="sqrt").describe()
    assert text.startswith("Your film: comedy ×2, all said twice. The sqrtn has length 4.00.")


def test_draw_names_all_it_shows_and_holds_it():
    widget = make(viewer=1)
    figure = widget.draw()
    axes = figure.axes[0]
    texts = {text.get_text() for text in axes.texts}
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    plt.close(figure)
    assert isinstance(figure, Figure)
    assert texts == {"", "Your film", "other viewer", *FILMS}
    for x, y in [*widget.vectors(), widget.viewers[1]]:
        assert left < x < right
        assert bottom < y < top


# Errors


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"names": ["a"]}, r"names as 2 to 10 different names, received \['a'\]"),
        ({"names": ["a", "b", "a"]}, "names as 2 to 10 different names"),
        ({"names": ["a", "b", "c" * 21]}, "names of at most 20 characters, .* shorten some, so that they fit"),
        ({"film_labels": [*"abcdefghi"]}, "film_labels as 1 to 8 different names"),
        ({"viewer_labels": []}, "viewer_labels as 1 to 4 different names"),
        ({"embeddings": np.ones((3, 3))}, r"embeddings as finite numbers of shape \(3, 2\)"),
        ({"embeddings": [[0, np.nan]] * 3}, "embeddings as finite numbers"),
        ({"viewers": [[1, 1], [0, 0]]}, "viewers that are not zero, .* zero has no direction"),
        ({"film_features": [[1, 1, 0], [0, 0, 0]]}, "whole numbers from 0 on, and a feature for each film"),
        ({"film_features": [[1, 1, 0], [0.5, 0, 0]]}, "film_features as whole numbers"),
        ({"film_features": [[1, -1, 0], [1, 0, 0]]}, "film_features as whole numbers"),
        ({"counts": {"western": 1}}, "counts of the features .* received 'western'; add it to names"),
        ({"counts": {"comedy": 4}}, r"3 counts from 0 to 3, one for each feature, received \[4, 0, 0\]"),
        ({"viewer": 2}, "a viewer from 0 to 1, received 2"),
        ({"pooling": "max"}, "'pooling' .*expected any of"),
    ],
)
def test_widget_explains_what_is_wrong(changes, message):
    with pytest.raises(traitlets.TraitError, match=message):
        make(**changes)


def test_widget_keeps_good_counts_when_bad_ones_are_assigned():
    widget = make()
    with pytest.raises(traitlets.TraitError, match="received"):
        widget.counts = [1, 2]
    assert widget.counts == [2, 0, 0]
