import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.data import Interactions, load_davis
from utils.data.summary import popularity_curve, summarise


def make(events, n_users, n_items, values=None):
    """Return a data set of (user, item) pairs."""
    users, items = zip(*events) if events else ((), ())
    values = np.ones(len(events)) if values is None else values
    labels = [f"user {user}" for user in range(n_users)], [f"item {item}" for item in range(n_items)]
    return Interactions(users, items, values, None, *labels, name="made")


def with_counts(counts):
    """Return a data set of one user in which item i has ``counts[i]`` events."""
    return make([(0, item) for item, count in enumerate(counts) for _ in range(count)], 1, len(counts))


# Four users, of whom the last has no event; five items, of which the last has none. One pair occurs twice.
EVENTS = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 0), (2, 3)]
VALUES = [5, 3, 4, 1, 2, 3]

popularities = st.lists(st.integers(0, 9), min_size=1, max_size=25).filter(any)


# A few numbers


def test_summarise_has_the_values_computed_by_hand():
    assert summarise(make(EVENTS, 4, 5, VALUES)) == {
        "n_users": 4,
        "n_items": 5,
        "n_events": 6,
        "density": 5 / 20,  # the repeated pair is one pair
        "median_per_user": 1.5,  # of 3, 2, 1, 0
        "median_per_item": 1.0,  # of 3, 1, 1, 1, 0
        "cold_items": 1,
        "top_tenth": 3 / 6,  # one item, since half an item is rounded up
        "mean_value": 3.0,
    }


def test_summarise_agrees_with_the_attendance_table_of_networkx():
    table = load_davis().to_csr().toarray()
    facts = summarise(load_davis())
    assert facts["density"] == pytest.approx(table.mean())
    assert facts["median_per_user"] == np.median(table.sum(axis=1))
    assert facts["median_per_item"] == np.median(table.sum(axis=0))
    assert facts["top_tenth"] == np.sort(table.sum(axis=0))[-2:].sum() / 89  # 1.4 items, rounded up


@pytest.mark.parametrize(("n_items", "n_top"), [(1, 1), (9, 1), (10, 1), (11, 2), (20, 2), (21, 3), (100, 10)])
def test_summarise_rounds_the_top_tenth_up_to_whole_items(n_items, n_top):
    assert summarise(with_counts([1] * n_items))["top_tenth"] == n_top / n_items


@given(popularities)
def test_summarise_agrees_with_a_loop(counts):
    facts = summarise(with_counts(counts))
    left, held = sorted(counts), 0
    while len(counts) - len(left) < len(counts) / 10:
        held += left.pop()
    assert facts["top_tenth"] == held / sum(counts)
    assert facts["cold_items"] == counts.count(0)
    assert facts["n_events"] == facts["median_per_user"] == sum(counts)


@given(popularities, st.randoms(use_true_random=False))
def test_summarise_does_not_depend_on_the_order_of_items(counts, random):
    assert summarise(with_counts(random.sample(counts, len(counts)))) == summarise(with_counts(counts))


@given(popularities)
def test_summarise_gives_shares_between_0_and_1(counts):
    facts = summarise(with_counts(counts))
    assert 0 < facts["density"] <= 1
    assert 0.1 <= facts["top_tenth"] <= 1  # no tenth of the items holds more than the top tenth does


def test_summarise_averages_many_values_without_drift():
    # in float32 a running sum of 0.1 is already wrong in the fifth digit
    data = make([(0, 0)] * 300_000, 1, 1, np.full(300_000, 0.1))
    assert summarise(data)["mean_value"] == pytest.approx(np.float32(0.1), rel=1e-12)


def test_summarise_gives_plain_numbers_that_json_can_hold():
    facts = summarise(make(EVENTS, 4, 5, VALUES))
    assert json.loads(json.dumps(facts)) == facts
    assert {type(fact) for fact in facts.values()} == {int, float}


def test_summarise_rejects_data_without_events():
    with pytest.raises(ValueError, match="expected events to describe, received none in 'made'; load some first"):
        summarise(make([], 2, 2))


# The curve


def test_popularity_curve_has_the_values_computed_by_hand():
    # sorted by popularity: 4, 3, 1, 0 events of 8
    assert popularity_curve(with_counts([1, 4, 0, 3]), n_points=5).tolist() == [0, 4 / 8, 7 / 8, 1, 1]


def test_popularity_curve_interpolates_between_whole_items():
    # a quarter of two items is half of the first, which holds 3 of 4 events
    assert popularity_curve(with_counts([1, 3]), n_points=5).tolist() == [0, 3 / 8, 3 / 4, 7 / 8, 1]


@pytest.mark.parametrize("n_points", [2, 3, 101])
def test_popularity_curve_of_equally_popular_items_is_a_straight_line(n_points):
    curve = popularity_curve(with_counts([2] * 7), n_points)
    np.testing.assert_allclose(curve, np.linspace(0, 1, n_points), atol=1e-15)


def test_popularity_curve_has_101_points_by_default():
    curve = popularity_curve(load_davis())
    assert (curve.shape, curve.dtype) == ((101,), np.float64)


@given(popularities, st.integers(2, 60))
def test_popularity_curve_rises_from_0_to_1_ever_more_slowly(counts, n_points):
    curve = popularity_curve(with_counts(counts), n_points)
    steps = np.diff(curve)
    assert (curve[0], curve[-1]) == (0, 1)
    assert (steps >= 0).all()
    assert (np.diff(steps) <= 1e-12).all()


@given(popularities, st.integers(2, 60))
def test_popularity_curve_agrees_with_a_loop(counts, n_points):
    expected = []
    for point in range(n_points):
        left = point / (n_points - 1) * len(counts)  # so many items are still to be counted
        held = 0.0
        for count in sorted(counts, reverse=True):
            held += count * min(max(left, 0), 1)
            left -= 1
        expected.append(held / sum(counts))
    np.testing.assert_allclose(popularity_curve(with_counts(counts), n_points), expected, atol=1e-12)


@given(st.lists(st.integers(0, 9), min_size=20, max_size=20).filter(any))
def test_popularity_curve_passes_through_the_top_tenth(counts):
    data = with_counts(counts)
    assert popularity_curve(data, n_points=11)[1] == pytest.approx(summarise(data)["top_tenth"])


@given(popularities, st.randoms(use_true_random=False))
def test_popularity_curve_does_not_depend_on_the_order_of_items(counts, random):
    shuffled = with_counts(random.sample(counts, len(counts)))
    assert np.array_equal(popularity_curve(shuffled), popularity_curve(with_counts(counts)))


def test_popularity_curve_rejects_data_without_events():
    with pytest.raises(ValueError, match=r"expected events and .*, received 0 events and 101 points; load some events"):
        popularity_curve(make([], 2, 2))


@pytest.mark.parametrize("n_points", [1, 0, -5])
def test_popularity_curve_rejects_fewer_than_two_points(n_points):
    with pytest.raises(
        ValueError, match=rf"n_points of 2 or more, received 6 events and {n_points} points; .*more points"
    ):
        popularity_curve(make(EVENTS, 4, 5), n_points)
