"""The consistency of averages against slow oracles, other formulas, 30-digit arithmetic and the laws it must obey."""

from itertools import combinations, pairwise, product

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import betainc, ndtr

from utils import consistency
from utils.consistency import (
    expected_precision,
    half_point,
    normal_consistency,
    pairwise_win_rate,
    score_moments,
    simulate_consistency,
)
from utils.embeddings import centre, effective_dimension, normalise, whiten
from utils.similarity import MEASURES, scores

BAD_NUMBERS = (np.nan, np.inf)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def items(rng):
    return rng.standard_normal((60, 5)) + 0.3


# Moments


def test_score_moments_by_hand():
    # in: (100/16)(3 + 4 - 2) = 31.25; out: 100/4; difference: (100/16)(2*3 + 3) = 56.25
    assert score_moments(100, 4) == pytest.approx((25, np.sqrt(31.25), 0, 5, 25, 7.5))


def enumerated_moments(values, chances, d, k):
    """The moments by going through all outcomes of one coordinate of u, of its k - 1 companions and of v."""
    outcomes = np.array(list(product(range(len(values)), repeat=k + 1)))
    weights = np.asarray(chances)[outcomes].prod(axis=1)
    numbers = np.asarray(values)[outcomes]
    average = numbers[:, :k].mean(axis=1)
    rows = [numbers[:, 0] * average, numbers[:, k] * average]
    rows.append(rows[0] - rows[1])
    pairs = []
    for row in rows:
        mean = weights @ row
        pairs += [d * mean, np.sqrt(d * (weights @ (row - mean) ** 2))]
    return pairs


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_score_moments_agree_with_all_outcomes_of_a_skewed_distribution(k):
    values, chances = np.array([-1.0, 0.5, 4.0]), np.array([0.5, 0.3, 0.2])
    mean = chances @ values
    std = np.sqrt(chances @ (values - mean) ** 2)
    skewness, kurtosis = (chances @ ((values - mean) / std) ** power for power in (3, 4))
    given = score_moments(7, k, mean=mean, std=std, skewness=skewness, kurtosis=kurtosis)
    assert given == pytest.approx(enumerated_moments(values, chances, 7, k))


def test_score_moments_grow_with_the_square_of_the_scale():
    small = score_moments(6, 3, mean=0.5, std=2, skewness=1, kurtosis=4)
    large = score_moments(6, 3, mean=5, std=20, skewness=1, kurtosis=4)
    assert np.allclose(np.array(large), 100 * np.array(small))


def test_score_moments_of_several_k_are_those_of_each():
    many = score_moments(6, [1, 4], mean=0.5)
    for column, k in enumerate((1, 4)):
        assert [values[column] for values in many] == pytest.approx(score_moments(6, k, mean=0.5))


def test_score_moments_of_rademacher_items_alone_are_sure():
    assert score_moments(9, 1, kurtosis=1).std_in == 0


# Expected precision

# A Gauss-Legendre rule on 72 or 288 panels in 40- or 30-digit arithmetic: (d, n_items, k, kurtosis) → value
EXACT = {
    (1, 10, 3, 3): 0.4536778054834482,
    (8, 1000, 1, 3): 0.3890935159257157,
    (8, 1000, 5, 30): 0.2872535783407868,
    (128, 1000, 10, 3): 0.766138387314166,
    (256, 50_000, 20, 3): 0.5116581778217149,
    (128, 10**6, 50, 1): 0.01024544033789299,
    (512, 10**12, 10, 3): 0.6155740823695806,
    (4096, 10**12, 100, 3): 0.4760745637558794,
    (64, 10**12, 1, 1.8): 0.8350127008132741,
    (4096, 10**6, 1000, 3): 0.1339230219572259,
    (40_000, 10**12, 1000, 3): 0.5750024773284413,
}


@pytest.mark.parametrize(("d", "n_items", "k", "kurtosis"), EXACT)
def test_expected_precision_agrees_with_30_digits(d, n_items, k, kurtosis):
    value = expected_precision(d, n_items, k, kurtosis=kurtosis)
    assert value == pytest.approx(EXACT[d, n_items, k, kurtosis], abs=1e-11)


def by_order_statistics(d, n_items, k, **distribution):
    """The formula of the paper: the i-th best member against the (k - i + 1)-th best of the others."""
    moments = score_moments(d, k, **distribution)
    n_others = n_items - k

    def integrand(x, i):
        z = (x - moments.mean_in) / moments.std_in
        above = ndtr(-z)  # the density of the i-th largest of k, as that of a beta number
        density = stats.beta.pdf(above, i, k - i + 1) * stats.norm.pdf(z) / moments.std_in
        # the chance that at most k - i of the others are above x
        above = ndtr((moments.mean_out - x) / moments.std_out)
        return density * betainc(n_others - k + i, k - i + 1, 1 - above)

    span = 12 * moments.std_in
    parts = [
        integrate.quad(integrand, moments.mean_in - span, moments.mean_in + span, (i,), points=[moments.mean_in])[0]
        for i in range(1, k + 1)
    ]
    return np.mean(parts)


@pytest.mark.parametrize(
    ("d", "n_items", "k", "distribution"),
    [
        (8, 50, 1, {}),
        (8, 50, 4, {"kurtosis": 1.8}),
        (16, 1000, 7, {"mean": 0.3, "std": 2, "skewness": 1, "kurtosis": 4}),
        (128, 10**5, 3, {"mean": -0.1, "skewness": -2, "kurtosis": 9}),
    ],
)
def test_expected_precision_agrees_with_the_sum_over_order_statistics(d, n_items, k, distribution):
    expected = by_order_statistics(d, n_items, k, **distribution)
    assert expected_precision(d, n_items, k, **distribution) == pytest.approx(expected, abs=1e-8)  # that of quad


def by_convolution(d, n_items, k, **distribution):
    """The integral with SciPy's binomial distributions, by Gauss's rule on panels a tenth as wide as a step needs."""
    moments = score_moments(d, k, **distribution)
    gap, ratio = moments.mean_difference / moments.std_out, moments.std_in / moments.std_out
    edges = np.linspace(-8, 8, 161)
    nodes, weights = np.polynomial.legendre.leggauss(12)
    z = (edges[:-1, None] + np.diff(edges)[:, None] * (nodes + 1) / 2).ravel()
    weights = np.tile(weights, 160) * np.diff(edges)[0] / 2 * stats.norm.pdf(z)
    i = np.arange(k)
    members = stats.binom.pmf(i, k - 1, ndtr(-z)[:, None])
    others = stats.binom.cdf(k - 1 - i, n_items - k, ndtr(-gap - ratio * z)[:, None])
    return weights @ (members * others).sum(axis=1)


@pytest.mark.parametrize("d", [1, 8, 128, 4096])
@pytest.mark.parametrize(
    ("n_items", "k"),
    [(2, 1), (10, 7), (1000, 3), (1000, 40), (10**5, 1), (10**6, 25), (10**9, 2), (10**12, 1), (10**12, 60)],
)
def test_expected_precision_agrees_with_scipys_binomials(d, n_items, k):
    assert expected_precision(d, n_items, k) == pytest.approx(by_convolution(d, n_items, k), abs=1e-9)


def test_expected_precision_agrees_with_scipys_binomials_at_k_of_1000():
    assert expected_precision(2000, 5000, 1000) == pytest.approx(by_convolution(2000, 5000, 1000), abs=1e-9)


def test_expected_precision_of_one_among_two_in_closed_form():
    # one normal number above another: Phi of the gap of the means over the root of both variances
    expected = ndtr(9 / np.sqrt(9 * 2 + 9))
    assert expected_precision(9, 2, 1) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("kurtosis", [1e2, 1e4, 1e6])
def test_expected_precision_resolves_a_wide_member_score(kurtosis):
    moments = score_moments(128, 1, kurtosis=kurtosis)

    def integrand(best):  # over the best of the others, in standard deviations, since that is the narrow one here
        density = 999 * ndtr(best) ** 998 * stats.norm.pdf(best)
        return density * stats.norm.sf((best * moments.std_out - moments.mean_in) / moments.std_in)

    expected = integrate.quad(integrand, 0, 12, epsabs=1e-11, limit=200)[0]
    assert expected_precision(128, 1000, 1, kurtosis=kurtosis) == pytest.approx(expected, abs=1e-8)


def test_expected_precision_of_several_k_is_that_of_each():
    k = np.array([[1, 2], [30, 100]])
    values = expected_precision(16, 100, k, kurtosis=2)
    assert np.array_equal(values, [[expected_precision(16, 100, int(one), kurtosis=2) for one in row] for row in k])


def test_expected_precision_gives_a_python_float_for_one_k():
    assert type(expected_precision(16, 100, np.int64(3))) is float


@pytest.mark.parametrize("scale", [1e-200, 0.05, 3.0, 1e200])
def test_expected_precision_does_not_depend_on_the_scale(scale):
    shape = {"skewness": 0.5, "kurtosis": 4}
    one, other = (expected_precision(32, 1000, 5, mean=0.2 * s, std=s, **shape) for s in (1.0, scale))
    assert other == pytest.approx(one, rel=1e-12)


@pytest.mark.parametrize("n_items", [1, 2, 50, 1000])
def test_expected_precision_is_1_where_all_items_are_averaged(n_items):
    assert expected_precision(3, n_items, n_items) == 1


def test_expected_precision_falls_with_the_catalogue():
    values = [expected_precision(64, n, 8) for n in (8, 9, 20, 100, 10**4, 10**8, 10**12)]
    assert all(a > b for a, b in pairwise(values))


def test_expected_precision_rises_with_the_dimension():
    values = [expected_precision(d, 1000, 8) for d in (1, 2, 4, 16, 64, 256)]
    assert all(a < b for a, b in pairwise(values))


def test_expected_precision_approaches_1_in_many_dimensions():
    assert expected_precision(10**6, 1000, 8) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("n_terms", [1, 1000])
def test_expected_precision_is_the_same_in_small_blocks(monkeypatch, n_terms):
    expected = expected_precision(64, 1000, 30)
    monkeypatch.setattr(consistency, "MAX_TERMS", n_terms)
    assert expected_precision(64, 1000, 30) == pytest.approx(expected, rel=1e-12)


# Half-point


def test_half_point_by_hand():
    # 2 * (Phi^-1(2 / 8))^2, and the lower quartile of a normal distribution is -0.67449
    assert half_point(6, 2) == pytest.approx(2 * 0.67449**2, abs=1e-5)


@pytest.mark.parametrize("n_items", [100, 1000, 10**5, 10**8, 10**12])
@pytest.mark.parametrize("k", [1, 2, 5, 20])
def test_half_point_is_where_the_score_passes_one_half(n_items, k):
    d = half_point(n_items, k)
    assert expected_precision(max(1, int(np.floor(d - 0.6))), n_items, k) < 0.5
    assert expected_precision(int(np.ceil(d + 0.6)), n_items, k) > 0.5


@pytest.mark.parametrize("k", [50, 51, 100])
def test_half_point_rejects_half_of_the_catalogue(k):
    with pytest.raises(ValueError, match=f"k below half of n_items, 50, received {k}; a random list"):
        half_point(100, k)


# The exact law


def test_normal_consistency_of_one_among_two_in_one_dimension(rng):
    # |u| beats a normal number of either sign in 3 of 4 cases
    value, error = normal_consistency(1, 2, 1, n_samples=200_000, rng=rng)
    assert value == pytest.approx(0.75, abs=4 * error)
    assert error == pytest.approx(np.sqrt(0.75 * 0.25 / 200_000), rel=0.01)


@pytest.mark.parametrize("d", [1, 8, 64])
@pytest.mark.parametrize("n_items", [2, 1000, 10**12])
def test_normal_consistency_of_one_item_agrees_with_an_integral_over_its_length(d, n_items, rng):
    # a single item scores its length R, and is first if all others stay below it

    def integrand(r):
        return stats.chi.pdf(r, d) * np.exp((n_items - 1) * stats.norm.logcdf(r))

    peak = np.sqrt(d)
    expected = integrate.quad(integrand, 0, peak + 12, points=[peak, 3, 7], epsabs=1e-12, limit=500)[0]
    value, error = normal_consistency(d, n_items, 1, n_samples=20_000, rng=rng)
    assert value == pytest.approx(expected, abs=max(4 * error, 1e-3))


@pytest.mark.parametrize(("d", "n_items", "k"), [(2, 30, 3), (2, 30, 25), (8, 200, 1), (16, 200, 8), (64, 1000, 20)])
def test_normal_consistency_agrees_with_simulation(d, n_items, k, rng):
    catalogues = [
        simulate_consistency(rng.standard_normal((n_items, d)), k, n_subsets=50, rng=rng).mean for _ in range(60)
    ]
    value, error = normal_consistency(d, n_items, k, rng=rng)
    # subsets of one catalogue depend on each other, so the spread is that over catalogues
    both = np.hypot(error, np.std(catalogues, ddof=1) / np.sqrt(60))
    assert np.mean(catalogues) == pytest.approx(value, abs=4 * both)


def test_normal_consistency_differs_from_the_formula_in_few_dimensions(rng):
    value, error = normal_consistency(8, 1000, 1, rng=rng)
    assert expected_precision(8, 1000, 1) - value > 0.1 > 20 * error


def test_normal_consistency_is_1_where_all_items_are_averaged(rng):
    assert normal_consistency(2, 7, 7, n_samples=50, rng=rng) == (1, 0)


def test_normal_consistency_in_small_blocks_has_the_same_law(monkeypatch, rng):
    one = normal_consistency(8, 100, 5, rng=rng)
    monkeypatch.setattr(consistency, "MAX_DRAWS", 7)
    other = normal_consistency(8, 100, 5, n_samples=3000, rng=rng)
    assert other.mean == pytest.approx(one.mean, abs=4 * np.hypot(*[e.standard_error for e in (one, other)]))


def test_normal_consistency_repeats_with_the_seed():
    one, other = (normal_consistency(8, 100, 5, n_samples=100, rng=np.random.default_rng(3)) for _ in range(2))
    assert one == other


def test_largest_normals_are_the_largest_of_many(rng):
    drawn = consistency._largest_normals(50, 3, 20_000, rng)
    sorted_ = np.sort(rng.standard_normal((20_000, 50)), axis=1)[:, :-4:-1]
    for place in range(3):  # a p-value below 0.001 would come once in a thousand seeds
        assert stats.ks_2samp(drawn[:, place], sorted_[:, place]).pvalue > 0.001


def test_largest_normals_fill_up_where_there_are_fewer(rng):
    drawn = consistency._largest_normals(2, 4, 5, rng)
    assert np.isfinite(drawn[:, :2]).all()
    assert (drawn[:, 2:] == -np.inf).all()


# Simulation


def slow_share(items, subset, measure, pooling):
    """Average one subset, rank by the scores of utils.similarity, and count."""
    query = items[list(subset)].sum(axis=0) / (len(subset) if pooling == "mean" else 1)
    best = np.argsort(-scores(query, items, measure), kind="stable")[: len(subset)]
    return len(set(best.tolist()) & set(subset)) / len(subset)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("pooling", ["mean", "sum"])
@pytest.mark.parametrize("offset", [0.0, 40.0])
def test_simulate_consistency_agrees_with_a_slow_count(items, measure, pooling, offset, rng):
    items = items + offset
    subsets = [rng.choice(60, size=4, replace=False) for _ in range(50)]
    shares = [slow_share(items, subset.tolist(), measure, pooling) for subset in subsets]
    value, error = simulate_consistency(items, 4, measure=measure, pooling=pooling, subsets=subsets, rng=rng)
    assert value == pytest.approx(np.mean(shares))
    assert error == pytest.approx(np.std(shares, ddof=1) / np.sqrt(50))


def test_simulate_consistency_draws_subsets_at_random(items, rng):
    every = [slow_share(items, subset, "dot", "mean") for subset in combinations(range(60), 2)]
    value, error = simulate_consistency(items, 2, n_subsets=4000, rng=rng)
    assert value == pytest.approx(np.mean(every), abs=4 * error)


def test_simulate_consistency_takes_subsets_of_different_lengths(items, rng):
    subsets = [[3, 4], [7, 1, 20], np.array([59]), [0, 30]]
    expected = np.mean([slow_share(items, tuple(map(int, subset)), "cosine", "mean") for subset in subsets])
    value = simulate_consistency(items, None, measure="cosine", subsets=subsets, rng=None).mean
    assert value == pytest.approx(expected)


def test_simulate_consistency_breaks_ties_at_random():
    # average of rows 0 and 1: the scores are 1, 1, 1, 1 and 0, and two of the first four are members
    items = np.array([[1, 0], [1, 0], [1, 0], [1, 0], [0, 1]])
    value = simulate_consistency(items, 2, subsets=[[0, 1], [2, 3]], rng=None)
    assert value == (0.5, 0)


def test_simulate_consistency_ranks_what_is_above_a_tie_first():
    # the query 3, 0 scores 6, 3, 3, 3: row 0 is in the list, one of the other three takes the last place
    items = np.array([[2, 0], [1, 0], [1, 1], [1, -1]])
    value = simulate_consistency(items, 2, subsets=[[0, 1], [0, 1]], rng=None)
    assert value.mean == pytest.approx((1 + 1 / 3) / 2)


@pytest.mark.parametrize("measure", MEASURES)
def test_simulate_consistency_keeps_exact_ties_of_whole_numbers(measure, rng):
    # every pattern of four signs, each three times: copies must tie exactly, for a third of the place each
    items = np.repeat(list(product((-1, 1), repeat=4)), 3, axis=0)
    one, other = (
        simulate_consistency(items, 3, measure=measure, subsets=[subset] * 2, rng=rng).mean
        for subset in ([0, 24, 45], [1, 26, 47])  # the same patterns, other copies
    )
    assert one == other


def test_simulate_consistency_does_not_depend_on_the_order_of_the_items(rng):
    items = rng.integers(-1, 2, size=(30, 3))  # full of ties
    order = rng.permutation(30)
    subsets = np.array([rng.choice(30, size=5, replace=False) for _ in range(40)])
    place = np.argsort(order)  # where each item has gone
    one = simulate_consistency(items, 5, subsets=subsets, rng=rng)
    assert simulate_consistency(items[order], 5, subsets=place[subsets], rng=rng) == pytest.approx(one)


@pytest.mark.parametrize("measure", ["dot", "cosine"])
def test_simulate_consistency_is_the_same_for_sum_and_mean(items, measure):
    one, other = (
        simulate_consistency(items, 6, measure=measure, pooling=pooling, rng=np.random.default_rng(1))
        for pooling in ("mean", "sum")
    )
    assert one == other


@pytest.mark.parametrize("measure", MEASURES)
def test_simulate_consistency_does_not_notice_a_rotation_and_a_scale(items, measure):
    rotation = np.linalg.qr(np.random.default_rng(5).standard_normal((5, 5)))[0]
    one, other = (
        simulate_consistency(x, 6, measure=measure, rng=np.random.default_rng(1)) for x in (items, 8 * items @ rotation)
    )
    assert one == other


def test_simulate_consistency_by_distance_does_not_notice_a_shift(items):
    one, other = (
        simulate_consistency(x, 6, measure="euclidean", rng=np.random.default_rng(1)) for x in (items, items + 1000)
    )
    assert one == other


def test_simulate_consistency_of_unit_vectors_is_one_number(items):
    unit = normalise(items)
    values = {
        simulate_consistency(unit, 6, measure=measure, pooling=pooling, rng=np.random.default_rng(1))
        for measure in MEASURES
        for pooling in ("mean", "sum")
    }
    assert len(values) == 1


def test_simulate_consistency_is_1_where_all_items_are_averaged(items, rng):
    assert simulate_consistency(items, 60, n_subsets=3, rng=rng) == (1, 0)


def test_simulate_consistency_is_chance_for_equal_items(rng):
    value, error = simulate_consistency(np.ones((40, 3)), 10, n_subsets=5, rng=rng)
    assert value == pytest.approx(0.25)
    assert error == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("measure", MEASURES)
def test_simulate_consistency_is_the_same_in_small_blocks(items, measure, monkeypatch):
    expected = simulate_consistency(items, 6, n_subsets=40, measure=measure, rng=np.random.default_rng(1))
    monkeypatch.setattr(consistency, "MAX_SCORES", 150)
    value = simulate_consistency(items, 6, n_subsets=40, measure=measure, rng=np.random.default_rng(1))
    assert value == pytest.approx(expected)


@pytest.mark.parametrize("measure", MEASURES)
def test_simulate_consistency_takes_float32(items, measure):
    # near ties may fall the other way, but not for these items
    one, other = (
        simulate_consistency(x, 6, measure=measure, rng=np.random.default_rng(1))
        for x in (items.astype(np.float32), items.astype(np.float32).astype(np.float64))
    )
    assert one == other


def test_simulate_consistency_changes_no_input(items, rng):
    before = items.copy()
    for measure in MEASURES:
        simulate_consistency(items, 6, n_subsets=5, measure=measure, pooling="sum", rng=rng)
    assert np.array_equal(items, before)


def test_simulate_consistency_shows_no_bar_where_it_is_fast(items, rng, capsys):
    simulate_consistency(items, 6, n_subsets=5, rng=rng)
    assert capsys.readouterr() == ("", "")


# One against one


@pytest.mark.parametrize("measure", MEASURES)
def test_pairwise_win_rate_agrees_with_a_slow_count(measure):
    items = np.random.default_rng(2).integers(-2, 3, size=(12, 3)) + np.array([0.0, 0, 5])  # ties, and no zero vector
    won = []
    for subset in combinations(range(12), 3):
        of_all = scores(items[list(subset)].sum(axis=0) / 3, items, measure).round(9)
        for u, v in product(subset, sorted(set(range(12)) - set(subset))):
            won.append((of_all[u] > of_all[v]) + (of_all[u] == of_all[v]) / 2)
    value, error = pairwise_win_rate(items, 3, n_subsets=3000, measure=measure, rng=np.random.default_rng(1))
    assert value == pytest.approx(np.mean(won), abs=4 * error)


def test_pairwise_win_rate_is_one_half_on_a_half_line(rng):
    # all numbers positive: the order is the same for every average, and a member is any place in it
    items = np.arange(1.0, 11.0)[:, None]
    value, error = pairwise_win_rate(items, 3, n_subsets=5000, rng=rng)
    assert value == pytest.approx(0.5, abs=4 * error)


def test_pairwise_win_rate_of_equal_items_is_one_half(rng):
    assert pairwise_win_rate(np.ones((9, 2)), 4, n_subsets=5, rng=rng) == (0.5, 0)


@pytest.mark.parametrize("measure", MEASURES)
def test_pairwise_win_rate_is_never_below_one_half(measure, rng):
    for _ in range(20):
        items = rng.standard_t(2, size=(12, 3)) + rng.normal(size=3)
        value, error = pairwise_win_rate(items, 2, n_subsets=300, measure=measure, rng=rng)
        assert value > 0.5 - 4 * error


def test_pairwise_win_rate_is_what_the_moments_say_in_many_dimensions(rng):
    # the difference of the scores is close to normal there
    items = rng.standard_normal((500, 100))
    moments = score_moments(100, 20)
    value = pairwise_win_rate(items, 20, rng=rng).mean
    assert value == pytest.approx(ndtr(moments.mean_difference / moments.std_difference), abs=0.01)


def test_pairwise_win_rate_rejects_all_items(items, rng):
    with pytest.raises(ValueError, match="k below the number of items, received 60; leave an item"):
        pairwise_win_rate(items, 60, rng=rng)


# Errors


OF_SIZES = {
    "moments": lambda d=4, k=2, **options: score_moments(d, k, **options),
    "formula": lambda d=4, n_items=9, k=2, **options: expected_precision(d, n_items, k, **options),
}


@pytest.mark.parametrize("function", OF_SIZES.values(), ids=OF_SIZES)
@pytest.mark.parametrize("name", ["mean", "std", "skewness", "kurtosis"])
@pytest.mark.parametrize("value", BAD_NUMBERS)
def test_distribution_must_be_finite(function, name, value):
    with pytest.raises(ValueError, match=f"expected a finite {name}, received {value}"):
        function(**{name: value})


@pytest.mark.parametrize("function", OF_SIZES.values(), ids=OF_SIZES)
@pytest.mark.parametrize("value", [0, -1.0])
def test_std_must_be_above_0(function, value):
    with pytest.raises(ValueError, match=f"expected std above 0, received {value}; items that are all equal"):
        function(std=value)


@pytest.mark.parametrize("function", OF_SIZES.values(), ids=OF_SIZES)
@pytest.mark.parametrize(("skewness", "kurtosis", "limit"), [(0, 0.99, 1), (2, 4.9, 5), (0, 0, 1)])
def test_kurtosis_has_a_lower_limit(function, skewness, kurtosis, limit):
    with pytest.raises(ValueError, match=rf"skewness\*\*2 \+ 1 = {limit} or more, received {kurtosis}; no"):
        function(skewness=skewness, kurtosis=kurtosis)


@pytest.mark.parametrize("function", OF_SIZES.values(), ids=OF_SIZES)
def test_kurtosis_at_its_limit_may_be_rounded(function):
    skewness = 1 / 3
    function(skewness=skewness, kurtosis=(skewness**2 + 1) * (1 - 1e-15))


@pytest.mark.parametrize("d", [0, 2.5, np.nan, -3])
def test_dimension_must_be_a_whole_number(d, rng):
    for function in (*OF_SIZES.values(), lambda d: normal_consistency(d, 9, 2, rng=rng)):
        with pytest.raises(ValueError, match=f"expected d as a whole number of 1 or more, received {d}"):
            function(d=d)


@pytest.mark.parametrize("n_items", [0, 9.0, 1e12, np.nan, True])
def test_number_of_items_must_be_a_whole_number(n_items, rng):
    functions = (
        lambda n: expected_precision(4, n, 1),
        lambda n: normal_consistency(4, n, 1, rng=rng),
        lambda n: half_point(n, 1),
    )
    for function in functions:
        with pytest.raises(
            ValueError, match=r"expected n_items as a whole number (of 1 or more|from 1 to 1000000000000), received"
        ):
            function(n_items)


def test_number_of_items_ends_where_the_precision_does(rng):
    for function in (expected_precision, lambda *sizes: normal_consistency(*sizes, rng=rng)):
        with pytest.raises(
            ValueError, match="n_items as a whole number from 1 to 1000000000000, received 1000000000001"
        ):
            function(4, 10**12 + 1, 2)


@pytest.mark.parametrize("k", [0, 61, -1, 2.0, np.nan, True, "3", None])
def test_k_must_be_a_whole_number_up_to_the_number_of_items(k, items, rng):
    functions = (
        lambda k: expected_precision(4, 60, k),
        lambda k: normal_consistency(4, 60, k, rng=rng),
        lambda k: simulate_consistency(items, k, rng=rng),
        lambda k: pairwise_win_rate(items, k, rng=rng),
    )
    for function in functions:
        with pytest.raises(ValueError, match="k as a whole number, 1 to the number of items, 60, received"):
            function(k)


@pytest.mark.parametrize("k", [[1, 0], [[1], [61]], [1.0, 2.0]])
def test_each_k_of_an_array_must_be_a_whole_number_up_to_the_number_of_items(k):
    with pytest.raises(ValueError, match="k as whole numbers, 1 to the number of items, 60, received"):
        expected_precision(4, 60, k)


def test_k_of_moments_has_no_upper_limit():
    assert score_moments(4, 10**6).std_out == pytest.approx(np.sqrt(4 / 10**6))
    with pytest.raises(ValueError, match="k as a whole number, 1 or more, received 0"):
        score_moments(4, 0)


@pytest.mark.parametrize("function", [simulate_consistency, pairwise_win_rate])
def test_simulation_takes_one_k(function, items, rng):
    with pytest.raises(ValueError, match=r"k as a whole number, .* received \[1, 2\]"):
        function(items, [1, 2], rng=rng)


@pytest.mark.parametrize("rng", [None, 0, np.random])
def test_random_functions_need_a_generator(rng):
    items = np.eye(5)
    functions = (
        lambda: normal_consistency(4, 9, 2, rng=rng),
        lambda: simulate_consistency(items, 2, rng=rng),
        lambda: pairwise_win_rate(items, 2, rng=rng),
    )
    for function in functions:
        with pytest.raises(TypeError, match=r"rng as a numpy Generator, received .*; use np.random.default_rng"):
            function()


@pytest.mark.parametrize("n", [0, 1, 2.5])
def test_an_error_needs_two_draws(n, items, rng):
    with pytest.raises(ValueError, match="n_samples as a whole number of 2 or more"):
        normal_consistency(4, 9, 2, n_samples=n, rng=rng)
    for function in (simulate_consistency, pairwise_win_rate):
        with pytest.raises(ValueError, match="n_subsets as a whole number of 2 or more"):
            function(items, 2, n_subsets=n, rng=rng)


TAKE_ITEMS = {
    "simulate": lambda items: simulate_consistency(items, 1, rng=np.random.default_rng(0)),
    "win_rate": lambda items: pairwise_win_rate(items, 1, rng=np.random.default_rng(0)),
    "centre": centre,
    "whiten": whiten,
    "normalise": normalise,
    "effective_dimension": effective_dimension,
}


@pytest.mark.parametrize("function", TAKE_ITEMS.values(), ids=TAKE_ITEMS)
@pytest.mark.parametrize("items", [[1.0, 2.0], np.ones((2, 2, 2)), np.ones((0, 3)), np.ones((3, 0)), [["a"]]])
def test_items_must_be_a_table_of_numbers(function, items):
    with pytest.raises(ValueError, match=r"items as real numbers of shape \(n_items, n_factors\), .*; use one"):
        function(items)


@pytest.mark.parametrize("function", TAKE_ITEMS.values(), ids=TAKE_ITEMS)
@pytest.mark.parametrize("value", BAD_NUMBERS)
def test_items_must_be_finite(function, value):
    with pytest.raises(ValueError, match="finite items, received NaN or infinity in row 2; leave it out"):
        function([[1.0, 2.0], [3.0, 4.0], [5.0, value]])


@pytest.mark.parametrize("function", [simulate_consistency, pairwise_win_rate])
def test_cosine_rejects_a_zero_vector(function, rng):
    with pytest.raises(ValueError, match="zero vector in row 1; leave it out, or use 'dot' or 'euclidean'"):
        function([[1.0, 2.0], [0.0, 0.0], [1.0, 1.0]], 1, measure="cosine", rng=rng)


@pytest.mark.parametrize("function", [simulate_consistency, pairwise_win_rate])
def test_measure_must_be_known(function, items, rng):
    with pytest.raises(ValueError, match="expected measure among 'dot', 'cosine', 'euclidean', received 'l2'; choose"):
        function(items, 2, measure="l2", rng=rng)


def test_pooling_must_be_known(items, rng):
    with pytest.raises(ValueError, match="expected pooling among 'mean', 'sum', received 'max'; choose one"):
        simulate_consistency(items, 2, pooling="max", rng=rng)


@pytest.mark.parametrize("bad", [[], [60, 1], [-1, 1], [3, 3], [0.0, 1.0], [[1, 2]], [True, False]])
def test_subsets_must_name_items_once(items, bad):
    with pytest.raises(ValueError, match=r"different items from 0 to 59, received .* as number 1; name each"):
        simulate_consistency(items, None, subsets=[[1, 2], bad], rng=None)


def test_subsets_must_have_k_items(items):
    with pytest.raises(ValueError, match="subsets of k = 2 items, received 3 in number 1; choose k of them"):
        simulate_consistency(items, 2, subsets=[[1, 2], [1, 2, 3]], rng=None)


@pytest.mark.parametrize("subsets", [[], [[1, 2]]])
def test_subsets_must_be_two_or_more(items, subsets):
    with pytest.raises(ValueError, match="two subsets or more, received fewer; the standard error needs two"):
        simulate_consistency(items, None, subsets=subsets, rng=None)
