"""Every measure against hand-computed values, an independent slow version, and scikit-learn where it has one."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from sklearn.metrics import (
    average_precision_score,
    label_ranking_average_precision_score,
    ndcg_score,
    precision_score,
    recall_score,
    roc_auc_score,
    top_k_accuracy_score,
)

from tests.oracles import slow_auc, slow_list, slow_metric
from utils.evaluation import LIST_METRICS
from utils.metrics import (
    auc,
    average_precision_at_k,
    catalogue_coverage,
    hit_rate_at_k,
    ndcg_at_k,
    precision_at_k,
    rank_items,
    recall_at_k,
    reciprocal_rank,
)

EVERY_LIST_METRIC = pytest.mark.parametrize("metric", LIST_METRICS.values(), ids=LIST_METRICS)

# Enough for cases as small as these; the first call of NumPy or SciPy may be slow.
FEW_CASES = settings(max_examples=60, deadline=None)


# Slow versions: one user, plain Python, straight from the definitions.


@st.composite
def cases(draw, max_gain=3):
    """Draw scores with ties and -inf, gains above 0 for some of the candidates, and k, also above n_items."""
    n_users, n_items = draw(st.integers(1, 4)), draw(st.integers(1, 8))
    numbers = st.one_of(st.integers(-2, 2).map(float), st.just(-math.inf))
    scores = np.array(draw(st.lists(numbers, min_size=n_users * n_items, max_size=n_users * n_items)))
    gains = st.lists(st.integers(0, max_gain), min_size=n_users * n_items, max_size=n_users * n_items)
    gains = np.where(scores > -math.inf, draw(gains), 0).reshape(n_users, n_items)
    return scores.reshape(n_users, n_items), gains, draw(st.integers(1, 10))


def make_scores(seed, n_users=20, n_items=12):
    """Return scores without ties, and gains from 0 to 3 with at least one above 0 and one 0 for each user."""
    rng = np.random.default_rng(seed)
    gains = rng.integers(0, 4, size=(n_users, n_items)) * (rng.random((n_users, n_items)) < 0.4)
    gains[:, 0], gains[:, 1] = 1, 0
    return rng.permuted(np.tile(np.arange(n_items) / n_items, (n_users, 1)), axis=1), gains


# rank_items


def test_rank_items_puts_the_best_first():
    assert rank_items([[0.2, 0.9, 0.5], [3, 2, 1]], k=2).tolist() == [[1, 2], [0, 1]]


def test_rank_items_breaks_ties_by_the_lower_index():
    assert rank_items([[1, 2, 2, 1, 2]], k=4).tolist() == [[1, 2, 4, 0]]


def test_rank_items_fills_a_list_longer_than_the_catalogue():
    assert rank_items([[1.0, 2.0]], k=4).tolist() == [[1, 0, -1, -1]]


def test_rank_items_never_lists_minus_infinity():
    assert rank_items([[-np.inf, 5.0, -np.inf], [-np.inf] * 3], k=2).tolist() == [[1, -1], [-1, -1]]


@FEW_CASES
@given(cases())
def test_rank_items_agrees_with_taking_out_the_best(case):
    scores, _, k = case
    assert rank_items(scores, k).tolist() == [slow_list(row, k) for row in scores.tolist()]


@pytest.mark.parametrize("share_excluded", [0.5, 0.99, 1.0])
def test_rank_items_agrees_with_taking_out_the_best_in_a_large_catalogue(share_excluded):
    """A large catalogue is searched by blocks, and the last block is short."""
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 9, size=(5, 1003)).astype(np.float32)
    scores[rng.random(scores.shape) < share_excluded] = -np.inf
    assert rank_items(scores, 15).tolist() == [slow_list(row, 15) for row in scores.tolist()]


def test_rank_items_of_no_users_has_k_columns():
    assert rank_items(np.empty((0, 5)), k=3).shape == (0, 3)


def test_rank_items_of_no_items_is_empty_places():
    assert rank_items(np.empty((2, 0)), k=1).tolist() == [[-1], [-1]]


def test_rank_items_leaves_its_argument_alone():
    scores = np.array([[1.0, -np.inf, 3.0]])
    rank_items(scores, k=2)
    assert scores.tolist() == [[1.0, -np.inf, 3.0]]


@pytest.mark.parametrize("k", [0, -1, 2.0, "3", True, None])
def test_rank_items_refuses_k(k):
    with pytest.raises(ValueError, match="expected k as a whole number of 1 or more, received"):
        rank_items([[1.0, 2.0]], k)


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_rank_items_refuses_scores_that_have_no_order(number):
    with pytest.raises(ValueError, match=r"received NaN or \+inf in row 1"):
        rank_items([[1.0, 2.0], [number, 1.0]], k=1)


@pytest.mark.parametrize(
    "scores", [np.array([[2**53 + 1, 2**53]]), np.array([[0, 2**64 - 1]], dtype=np.uint64), [[-(2**60), 0]]]
)
def test_rank_items_refuses_whole_numbers_that_a_float_would_round(scores):
    with pytest.raises(
        ValueError, match=r"whole numbers below 2\*\*53 as scores, received -?\d{16,}; larger ones would"
    ):
        rank_items(scores, 1)


def test_rank_items_takes_whole_numbers_that_a_float_holds():
    assert rank_items([[2**53 - 2, 2**53 - 1, -(2**53) + 1]], 3).tolist() == [[1, 0, 2]]


def test_rank_items_refuses_one_dimension():
    with pytest.raises(ValueError, match=r"expected scores of shape \(n_users, n_items\), received \(2,\)"):
        rank_items([1.0, 2.0], k=1)


def test_rank_items_refuses_text():
    with pytest.raises(ValueError, match="expected scores that are real numbers, received <U1"):
        rank_items([["a", "b"]], k=1)


# Measures of a list, by hand. Of the six items 0, 3 and 4 are relevant, 3 the most.

GAINS = [[1, 0, 0, 3, 2, 0]]


@pytest.mark.parametrize(
    ("ranked", "expected"),
    [([3, 0, 4], 1.0), ([1, 3, 0, 2], 2 / 4), ([1, 2, 5], 0.0), ([3, 0, 4, 1, 2, 5], 3 / 6), ([3, -1], 1 / 2)],
)
def test_precision_at_k_by_hand(ranked, expected):
    assert precision_at_k([ranked], GAINS).tolist() == [expected]


@pytest.mark.parametrize(
    ("ranked", "expected"), [([3, 0, 4], 1.0), ([1, 3, 0, 2], 2 / 3), ([1, 2, 5], 0.0), ([3], 1 / 3), ([-1, 4], 1 / 3)]
)
def test_recall_at_k_by_hand(ranked, expected):
    assert recall_at_k([ranked], GAINS).tolist() == [expected]


@pytest.mark.parametrize(("ranked", "expected"), [([3, 0, 4], 1.0), ([1, 2, 4], 1.0), ([1, 2, 5], 0.0), ([-1], 0.0)])
def test_hit_rate_at_k_by_hand(ranked, expected):
    assert hit_rate_at_k([ranked], GAINS).tolist() == [expected]


@pytest.mark.parametrize(
    ("ranked", "expected"), [([3, 0], 1.0), ([1, 2, 4, 0], 1 / 3), ([1, 2, 5], 0.0), ([-1, 0], 1 / 2)]
)
def test_reciprocal_rank_by_hand(ranked, expected):
    assert reciprocal_rank([ranked], GAINS).tolist() == [expected]


@pytest.mark.parametrize(
    ("ranked", "expected"),
    [
        ([4, 0, 3], 1.0),
        ([4], 1.0),  # no more than one place for three relevant items
        ([4, 1], (1 / 1) / 2),
        ([1, 3, 0, 2], (1 / 2 + 2 / 3) / 3),
        ([1, 2, 5], 0.0),
        ([3, 1, 2, 5, 0, 4], (1 / 1 + 2 / 5 + 3 / 6) / 3),
    ],
)
def test_average_precision_at_k_by_hand(ranked, expected):
    assert average_precision_at_k([ranked], GAINS)[0] == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize(
    ("ranked", "expected"),
    [
        ([3, 4, 0], 1.0),
        ([3], 1.0),
        ([0], 1 / 3),
        ([4, 1, 3], (2 + 3 / 2) / (3 + 2 / math.log2(3) + 1 / 2)),  # log2(1 + 3) is 2
        ([1, 2, 5], 0.0),
    ],
)
def test_ndcg_at_k_by_hand_with_graded_gains(ranked, expected):
    assert ndcg_at_k([ranked], GAINS)[0] == pytest.approx(expected, rel=1e-15)


def test_ndcg_at_k_by_hand_with_binary_gains():
    expected = (1 / math.log2(3)) / (1 + 1 / math.log2(3))
    assert ndcg_at_k([[1, 3]], np.array(GAINS) > 0)[0] == pytest.approx(expected, rel=1e-15)


def test_ndcg_at_k_reads_exponential_gains():
    exponential = 2.0 ** np.array(GAINS) - 1  # 1, 7 and 3
    assert ndcg_at_k([[4, 3]], exponential)[0] == pytest.approx(
        (3 + 7 / math.log2(3)) / (7 + 3 / math.log2(3)), rel=1e-15
    )


# What the measures of a list share


@EVERY_LIST_METRIC
def test_list_metric_of_a_user_without_relevant_item_is_nan(metric):
    values = metric([[0, 1], [0, 1]], [[0, 0, 0], [1, 0, 0]])
    assert np.isnan(values).tolist() == [True, False]


@EVERY_LIST_METRIC
def test_list_metric_counts_empty_places_as_misses(metric):
    assert metric([[-1, -1]], [[1, 0, 1]]).tolist() == [0.0]


@EVERY_LIST_METRIC
def test_list_metric_of_an_empty_place_is_that_of_an_irrelevant_item(metric):
    assert metric([[3, -1, 0]], GAINS).tolist() == metric([[3, 1, 0]], GAINS).tolist()


@EVERY_LIST_METRIC
def test_list_metric_of_no_users_is_empty(metric):
    assert metric(np.empty((0, 3), dtype=int), np.empty((0, 5))).shape == (0,)


@EVERY_LIST_METRIC
def test_list_metric_takes_sparse_and_dense_alike(metric):
    scores, gains = make_scores(seed=1)
    ranked = rank_items(scores, 5)
    assert metric(ranked, csr_array(gains)).tolist() == metric(ranked, gains).tolist()


@EVERY_LIST_METRIC
def test_list_metric_ignores_stored_zeros(metric):
    stored = csr_array(([1.0, 0.0], ([0, 0], [2, 1])), shape=(1, 3))
    assert metric([[1, 2]], stored).tolist() == metric([[1, 2]], [[0, 0, 1]]).tolist()


def test_ndcg_at_k_adds_up_pairs_that_are_stored_twice():
    twice = csr_array(([1.0, 2.0, 1.0], [2, 2, 0], [0, 3]), shape=(1, 3))
    assert ndcg_at_k([[0, 2]], twice).tolist() == ndcg_at_k([[0, 2]], [[1, 0, 3]]).tolist()


@EVERY_LIST_METRIC
def test_list_metric_leaves_its_arguments_alone(metric):
    ranked = np.array([[2, 0]])
    relevant = csr_array((np.array([1.0, 0.0, 2.0]), np.array([2, 1, 0]), np.array([0, 3])), shape=(1, 3))  # unsorted
    metric(ranked, relevant)
    assert (ranked.tolist(), relevant.indices.tolist(), relevant.data.tolist()) == ([[2, 0]], [2, 1, 0], [1, 0, 2])


@pytest.mark.parametrize("name", LIST_METRICS)
@FEW_CASES
@given(case=cases())
def test_list_metric_agrees_with_the_slow_one(name, case):
    scores, gains, k = case
    ranked = rank_items(scores, k)
    expected = [slow_metric(name, *row) for row in zip(ranked.tolist(), gains.tolist())]
    np.testing.assert_allclose(LIST_METRICS[name](ranked, gains), expected, rtol=1e-14)


@EVERY_LIST_METRIC
@FEW_CASES
@given(case=cases())
def test_list_metric_is_from_0_to_1(metric, case):
    scores, gains, k = case
    values = metric(rank_items(scores, k), gains)
    values = values[~np.isnan(values)]
    assert ((values >= 0) & (values <= 1)).all()


@pytest.mark.parametrize("name", ["hit_rate", "mrr", "map", "ndcg"])
@FEW_CASES
@given(case=cases())
def test_list_metric_of_the_best_list_is_1(name, case):
    _, gains, k = case
    gains = gains[(gains > 0).any(axis=1)]
    np.testing.assert_allclose(LIST_METRICS[name](rank_items(gains, k), gains), 1, rtol=1e-15)


@FEW_CASES
@given(case=cases())
def test_precision_at_k_of_the_best_list_is_limited_by_the_relevant_items(case):
    _, gains, k = case
    gains = gains[(gains > 0).any(axis=1)]
    expected = np.minimum(k, (gains > 0).sum(axis=1)) / k
    np.testing.assert_allclose(precision_at_k(rank_items(gains, k), gains), expected, rtol=1e-15)


@FEW_CASES
@given(case=cases())
def test_recall_at_k_of_the_best_list_is_limited_by_k(case):
    _, gains, k = case
    gains = gains[(gains > 0).any(axis=1)]
    n_relevant = (gains > 0).sum(axis=1)
    np.testing.assert_allclose(
        recall_at_k(rank_items(gains, k), gains), np.minimum(k, n_relevant) / n_relevant, rtol=1e-15
    )


@EVERY_LIST_METRIC
@FEW_CASES
@given(case=cases(), seed=st.integers(0, 99))
def test_list_metric_does_not_change_when_irrelevant_items_swap(metric, case, seed):
    scores, gains, k = case
    ranked = rank_items(scores, k)
    shuffled = ranked.copy()
    for row, gain in zip(shuffled, gains):
        places = [place for place, item in enumerate(row) if item < 0 or gain[item] == 0]
        row[places] = np.random.default_rng(seed).permutation(row[places])
    assert metric(shuffled, gains).tolist() == pytest.approx(metric(ranked, gains).tolist(), nan_ok=True, abs=0)


@EVERY_LIST_METRIC
@FEW_CASES
@given(case=cases(max_gain=1), data=st.data())
def test_list_metric_never_falls_when_a_relevant_item_moves_up(metric, case, data):
    """Binary, since nDCG falls if a smaller gain takes the place of a larger one."""
    scores, gains, k = case
    ranked = rank_items(scores, k)
    place = data.draw(st.integers(0, k - 1))
    other = data.draw(st.integers(0, place))
    better = ranked.copy()
    for row, gain in zip(better, gains):
        if row[place] >= 0 and gain[row[place]]:
            row[[other, place]] = row[[place, other]]
    before, after = metric(ranked, gains), metric(better, gains)
    assert ((after >= before - 1e-15) | np.isnan(before)).all()


@pytest.mark.parametrize("name", ["mrr", "map", "ndcg"])
def test_list_metric_rises_when_the_first_relevant_item_moves_up(name):
    metric = LIST_METRICS[name]
    assert metric([[1, 3, 2]], GAINS)[0] > metric([[1, 2, 3]], GAINS)[0]


@FEW_CASES
@given(case=cases(), data=st.data())
def test_ndcg_at_k_never_falls_when_a_larger_gain_moves_up(case, data):
    scores, gains, k = case
    ranked = rank_items(scores, k)
    place = data.draw(st.integers(0, k - 1))
    other = data.draw(st.integers(0, place))
    better = ranked.copy()
    for row, gain in zip(better, gains):
        at = [gain[item] if item >= 0 else 0 for item in row]
        if at[place] > at[other]:
            row[[other, place]] = row[[place, other]]
    before, after = ndcg_at_k(ranked, gains), ndcg_at_k(better, gains)
    assert ((after >= before - 1e-15) | np.isnan(before)).all()


@FEW_CASES
@given(case=cases(), factor=st.sampled_from([0.25, 8.0]))
def test_ndcg_at_k_does_not_change_when_all_gains_are_scaled(case, factor):
    scores, gains, k = case
    ranked = rank_items(scores, k)
    np.testing.assert_array_equal(ndcg_at_k(ranked, factor * gains), ndcg_at_k(ranked, gains))  # powers of 2 are exact


@pytest.mark.parametrize("name", [name for name in LIST_METRICS if name != "ndcg"])
def test_list_metric_reads_the_number_only_as_relevant_or_not(name):
    scores, gains = make_scores(seed=2)
    ranked = rank_items(scores, 5)
    assert LIST_METRICS[name](ranked, gains).tolist() == LIST_METRICS[name](ranked, gains > 0).tolist()


@EVERY_LIST_METRIC
def test_list_metric_refuses_an_item_that_is_listed_twice(metric):
    with pytest.raises(ValueError, match="received item 2 twice in row 1; drop one"):
        metric([[0, 1, 2], [2, 0, 2]], np.ones((2, 3)))


@EVERY_LIST_METRIC
def test_list_metric_refuses_an_index_of_no_item(metric):
    with pytest.raises(ValueError, match="expected indices of 3 items in ranked, or -1 for an empty place, received 3"):
        metric([[0, 3]], [[1, 0, 0]])


@EVERY_LIST_METRIC
def test_list_metric_refuses_an_index_below_minus_1(metric):
    with pytest.raises(ValueError, match="or -1 for an empty place, received -2"):
        metric([[0, -2]], [[1, 0, 0]])


@EVERY_LIST_METRIC
def test_list_metric_refuses_lists_without_a_place(metric):
    with pytest.raises(
        ValueError, match=r"expected ranked of shape \(n_users, k\) with k of 1 or more, received \(1, 0\)"
    ):
        metric(np.empty((1, 0), dtype=int), [[1, 0, 0]])


@EVERY_LIST_METRIC
def test_list_metric_refuses_a_single_list_without_its_row(metric):
    with pytest.raises(ValueError, match=r"expected ranked of shape \(n_users, k\) .* received \(2,\)"):
        metric([0, 1], [[1, 0, 0], [1, 0, 0]])


@EVERY_LIST_METRIC
def test_list_metric_refuses_indices_that_are_not_integers(metric):
    with pytest.raises(ValueError, match="expected item indices in ranked, received float64; rank_items makes them"):
        metric([[0.5, 0.2]], [[1, 0]])


@EVERY_LIST_METRIC
@pytest.mark.parametrize("relevant", [[[1, 0, 0]], [1, 0, 0]])
def test_list_metric_refuses_relevant_with_other_rows(metric, relevant):
    with pytest.raises(ValueError, match=r"expected relevant of shape .* with a row for each of 2 users, received"):
        metric([[0, 1], [0, 1]], relevant)


@EVERY_LIST_METRIC
@pytest.mark.parametrize("number", [-1.0, np.nan, np.inf])
def test_list_metric_refuses_relevant_that_is_negative_or_not_finite(metric, number):
    with pytest.raises(ValueError, match="expected relevant of finite numbers of 0 or more, received others"):
        metric([[0, 1]], [[1.0, number]])


@EVERY_LIST_METRIC
def test_list_metric_refuses_relevant_of_text(metric):
    with pytest.raises(ValueError, match="expected real numbers in relevant, received <U1; use 0 and 1"):
        metric([[0, 1]], [["y", "n"]])


@EVERY_LIST_METRIC
def test_list_metric_counts_pairs_that_are_stored_twice_once(metric):
    twice = csr_array(([1.0, 1.0, 1.0], [2, 2, 0], [0, 3]), shape=(1, 3))
    assert metric([[0, 1, 2]], twice).tolist() == metric([[0, 1, 2]], [[1, 0, 2]]).tolist()


# Against scikit-learn


@pytest.mark.parametrize("k", [1, 3, 12, 20])
def test_ndcg_at_k_agrees_with_scikit_learn(k):
    scores, gains = make_scores(seed=3)
    assert ndcg_at_k(rank_items(scores, k), gains).mean() == pytest.approx(ndcg_score(gains, scores, k=k), rel=1e-12)


def test_ndcg_at_k_takes_ties_by_index_where_scikit_learn_averages_over_orders():
    scores, gains = [[1.0, 1.0]], [[1, 0]]
    assert ndcg_at_k(rank_items(scores, 2), gains)[0] == 1.0
    assert ndcg_score(gains, scores, k=2) == pytest.approx((1 + 1 / math.log2(3)) / 2)


def test_average_precision_at_k_of_the_whole_catalogue_agrees_with_scikit_learn():
    scores, gains = make_scores(seed=4)
    expected = [average_precision_score(gain > 0, score) for score, gain in zip(scores, gains)]
    np.testing.assert_allclose(average_precision_at_k(rank_items(scores, 12), gains), expected, rtol=1e-12)


def test_average_precision_at_k_of_the_whole_catalogue_agrees_with_label_ranking():
    scores, gains = make_scores(seed=4)
    expected = label_ranking_average_precision_score(gains > 0, scores)
    assert average_precision_at_k(rank_items(scores, 12), gains).mean() == pytest.approx(expected, rel=1e-12)


def test_average_precision_at_k_takes_ties_by_index_where_scikit_learn_takes_them_as_one_step():
    scores, gains = [[1.0, 1.0]], [[1, 0]]
    assert average_precision_at_k(rank_items(scores, 2), gains)[0] == 1.0
    assert average_precision_score(gains[0], scores[0]) == 0.5


@pytest.mark.parametrize(("metric", "theirs"), [(precision_at_k, precision_score), (recall_at_k, recall_score)])
def test_precision_and_recall_agree_with_scikit_learn(metric, theirs):
    scores, gains = make_scores(seed=5)
    ranked = rank_items(scores, 4)
    is_listed = np.zeros(gains.shape, dtype=bool)
    np.put_along_axis(is_listed, ranked, True, axis=1)
    expected = theirs(gains > 0, is_listed, average="samples")
    assert metric(ranked, gains).mean() == pytest.approx(expected, rel=1e-12)


def test_hit_rate_at_k_of_one_held_out_item_agrees_with_scikit_learn():
    scores, _ = make_scores(seed=6)
    held_out = np.arange(20) % 12
    relevant = np.eye(12)[held_out]
    expected = top_k_accuracy_score(held_out, scores, k=3, labels=np.arange(12))
    assert hit_rate_at_k(rank_items(scores, 3), relevant).mean() == pytest.approx(expected, rel=1e-12)


def test_auc_agrees_with_scikit_learn_ties_included():
    scores, gains = make_scores(seed=7)
    scores = np.round(scores, 1)
    expected = [roc_auc_score(gain > 0, score) for score, gain in zip(scores, gains)]
    np.testing.assert_allclose(auc(scores, gains), expected, rtol=1e-12)


# auc


def test_auc_by_hand():
    scores = [[4.0, 3.0, 2.0, 1.0], [1.0, 2.0, 3.0, 4.0], [4.0, 1.0, 3.0, 2.0]]
    assert auc(scores, [[1, 1, 0, 0], [1, 1, 0, 0], [1, 1, 0, 0]]).tolist() == [1.0, 0.0, 0.5]


def test_auc_counts_ties_half():
    assert auc([[7.0, 7.0, 7.0]], [[1, 0, 0]]).tolist() == [0.5]


def test_auc_compares_with_candidates_only():
    scores = [[2.0, 1.0, 3.0, 2.5], [2.0, 1.0, 3.0, -np.inf]]
    assert auc(scores, [[1, 0, 0, 0], [1, 0, 0, 0]]).tolist() == [1 / 3, 1 / 2]


def test_auc_is_nan_without_relevant_and_without_other_items():
    assert np.isnan(auc([[1.0, 2.0], [1.0, -np.inf], [1.0, 2.0]], [[0, 0], [1, 0], [1, 0]])).tolist() == [
        True,
        True,
        False,
    ]


def test_auc_of_no_users_is_empty():
    assert auc(np.empty((0, 3)), np.empty((0, 3))).shape == (0,)


@FEW_CASES
@given(cases())
def test_auc_agrees_with_comparing_all_pairs(case):
    scores, gains, _ = case
    expected = [slow_auc(*row) for row in zip(scores.tolist(), gains.tolist())]
    np.testing.assert_allclose(auc(scores, gains), expected, rtol=1e-14)


@FEW_CASES
@given(cases())
def test_auc_of_turned_scores_is_the_complement(case):
    scores, gains, _ = case
    scores = np.where(np.isneginf(scores), 0.0, scores)
    is_defined = ~np.isnan(auc(scores, gains))
    np.testing.assert_allclose((auc(scores, gains) + auc(-scores, gains))[is_defined], 1)


def test_auc_counts_beyond_32_bits():
    """70,000 relevant items below 70,000 others: 4.9 billion pairs."""
    scores = np.arange(140_000.0)[None, :]
    assert auc(scores, scores < 70_000).tolist() == [0.0]
    assert auc(scores, scores >= 70_000).tolist() == [1.0]


def test_auc_refuses_a_relevant_item_that_is_no_candidate():
    with pytest.raises(ValueError, match="expected a score for every relevant item, received -inf"):
        auc([[1.0, -np.inf]], [[0, 1]])


def test_auc_refuses_other_shapes():
    with pytest.raises(ValueError, match=r"expected relevant of the shape of scores, \(1, 2\), received \(1, 3\)"):
        auc([[1.0, 2.0]], [[0, 1, 0]])


def test_auc_refuses_nan():
    with pytest.raises(ValueError, match=r"received NaN or \+inf in row 0"):
        auc([[np.nan, 1.0]], [[0, 1]])


def test_auc_refuses_negative_relevance():
    with pytest.raises(ValueError, match="expected relevant of finite numbers of 0 or more"):
        auc([[2.0, 1.0]], [[-1, 1]])


# catalogue_coverage


def test_catalogue_coverage_by_hand():
    assert catalogue_coverage([[0, 1], [1, 2], [0, -1]], n_items=6) == 0.5


def test_catalogue_coverage_of_empty_lists_is_zero():
    assert catalogue_coverage([[-1, -1]], n_items=6) == 0.0


def test_catalogue_coverage_of_no_users_is_zero():
    assert catalogue_coverage(np.empty((0, 3), dtype=int), n_items=6) == 0.0


@FEW_CASES
@given(cases())
def test_catalogue_coverage_agrees_with_a_set(case):
    scores, _, k = case
    ranked = rank_items(scores, k)
    listed = {item for row in ranked.tolist() for item in row} - {-1}
    assert catalogue_coverage(ranked, scores.shape[1]) == len(listed) / scores.shape[1]


@pytest.mark.parametrize("n_items", [0, 2.5, True])
def test_catalogue_coverage_refuses_n_items(n_items):
    with pytest.raises(ValueError, match="expected n_items as a whole number of 1 or more, received"):
        catalogue_coverage([[0]], n_items)


def test_catalogue_coverage_refuses_an_index_of_no_item():
    with pytest.raises(ValueError, match="expected indices of 2 items in ranked"):
        catalogue_coverage([[2]], n_items=2)
