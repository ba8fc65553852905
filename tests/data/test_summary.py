import numpy as np
import pytest

from utils.data import Interactions, load_davis
from utils.data.summary import popularity_curve, summarise


def plays(items, n_items, values=None):
    """Events of two users on items, alternating."""
    n = len(items)
    values = np.ones(n) if values is None else values
    return Interactions(np.arange(n) % 2, items, values, None, ["a", "b"], [f"i{i}" for i in range(n_items)])


def test_summarise_by_hand():
    facts = summarise(plays([0, 0, 0, 1], n_items=20, values=[1, 2, 3, 4]))
    assert facts == {
        "n_users": 2,
        "n_items": 20,
        "n_events": 4,
        "density": 3 / 40,  # user a met item 0 twice
        "median_per_user": 2.0,
        "median_per_item": 0.0,
        "cold_items": 18,
        "top_tenth": 1.0,
        "mean_value": 2.5,
    }


def test_summarise_davis_agrees_with_a_count_of_the_table():
    table = load_davis().to_csr().toarray()
    facts = summarise(load_davis())
    assert facts["median_per_user"] == np.median(table.sum(axis=1))
    assert facts["top_tenth"] == np.sort(table.sum(axis=0))[-2:].sum() / table.sum()  # 2 of 14 events


def test_popularity_curve_by_hand():
    assert np.allclose(popularity_curve(plays([0, 0, 0, 1], n_items=4), n_points=5), [0, 0.75, 1, 1, 1])


def test_popularity_curve_rises_and_is_concave():
    steps = np.diff(popularity_curve(load_davis(), n_points=15))
    assert (steps >= 0).all()
    assert (np.diff(steps) <= 1e-12).all()


def test_no_events_are_an_error():
    nothing = Interactions([], [], [], None, ["a"], ["i"])
    with pytest.raises(ValueError, match="expected events to describe, received none in 'interactions'"):
        summarise(nothing)
    with pytest.raises(ValueError, match="received 0 events, 101 points"):
        popularity_curve(nothing)


def test_popularity_curve_needs_two_points():
    with pytest.raises(ValueError, match="received 4 events, 1 points"):
        popularity_curve(plays([0, 0, 0, 1], n_items=4), n_points=1)
