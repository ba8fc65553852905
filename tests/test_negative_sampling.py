"""Samplers are tested by what they draw: exactly where a distribution is written down, else by a chi-square test.

Such a test fails now and then by bad luck. Here the seeds are fixed, so a test either passes always or never. The
threshold is a p-value of 1e-4: of some thirty tests of a right sampler, with seeds that nobody chose, one in 300 suites
would fail. `test_chi_square_finds_…` shows that wrong samplers are far below it.
"""

import numpy as np
import pytest
from scipy.sparse import csr_array, random_array
from scipy.stats import chisquare
from scipy.stats.sampling import DiscreteAliasUrn

from utils import negative_sampling
from utils.negative_sampling import (
    MAX_ROUNDS,
    AliasTable,
    HardSampler,
    InBatchSampler,
    NoiseSampler,
    PopularitySampler,
    UniformSampler,
    false_negative_probability,
    false_negative_rate,
    logq_correction,
    noise_distribution,
)

N_DRAWS, THRESHOLD = 60_000, 1e-4
WEIGHTS = np.array([50.0, 20, 10, 8, 5, 3, 0, 2, 1, 1])


def p_value(draws, probabilities):
    """How likely draws are that differ from the probabilities at least as much; 0 if the impossible was drawn."""
    counts = np.bincount(np.ravel(draws), minlength=len(probabilities))
    possible = np.asarray(probabilities) > 0
    if counts[~possible].any():
        return 0.0
    if possible.sum() == 1:
        return 1.0
    return chisquare(counts[possible], counts.sum() * np.asarray(probabilities)[possible]).pvalue


def assert_follows(draws, probabilities):
    assert p_value(draws, probabilities) > THRESHOLD


def given_allowed(noise, excluded):
    """The distribution when some items are left out, written out."""
    left = np.where(excluded, 0, noise)
    return left / left.sum()


def rows_of(users, draws, user):
    return draws[np.asarray(users) == user]


EXCLUDE = csr_array(
    np.array(
        [
            [0, 0, 0, 0, 0, 0, 0, 0, 0, 0],  # nothing
            [1, 0, 0, 0, 0, 0, 0, 0, 0, 1],  # the most popular item
            [1, 1, 1, 1, 1, 1, 1, 0, 0, 1],  # all but two rare items
            [1, 1, 1, 1, 1, 1, 0, 1, 1, 0],  # all but one, and one that is never drawn anyway
        ]
    )
)
USERS = np.repeat([0, 1, 2, 3], N_DRAWS // 4)


def test_chi_square_finds_another_power():
    draws = PopularitySampler(WEIGHTS, 0.8).sample(USERS, None, 1, rng=np.random.default_rng(0))
    assert p_value(draws, PopularitySampler(WEIGHTS, 0.75).noise) < THRESHOLD**2


def test_chi_square_finds_an_alias_table_whose_columns_give_to_the_wrong_item():
    table = AliasTable(WEIGHTS)
    table.others = np.roll(table.others, 1)
    assert p_value(table.draw(N_DRAWS, rng=np.random.default_rng(0)), table.probabilities) < THRESHOLD**2


def test_chi_square_finds_excluded_items_replaced_by_uniform_ones():
    rng, noise = np.random.default_rng(0), WEIGHTS / WEIGHTS.sum()
    draws = rng.choice(10, p=noise, size=N_DRAWS)
    draws[draws == 0] = rng.choice([1, 2, 3, 4, 5, 7, 8, 9], size=(draws == 0).sum())
    assert p_value(draws, given_allowed(noise, np.arange(10) == 0)) < THRESHOLD**2


# AliasTable


def shares(table):
    """The probability of each item that the two arrays imply."""
    n = len(table.heights)
    share = table.heights.copy()
    np.add.at(share, table.others, 1 - table.heights)
    return share / n


def test_alias_table_by_hand():
    # 4 columns: masses 2.5, 0.5, 0.5, 0.5. Three items fill half a column each, and item 0 gives the rest.
    table = AliasTable([5, 1, 1, 1])
    assert table.heights.tolist() == [1, 0.5, 0.5, 0.5]
    assert table.others[1:].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    "weights",
    [
        WEIGHTS,
        np.ones(7),
        [5.0],
        [0, 3, 0],
        1 / np.arange(1, 1001),
        np.r_[1e12, np.ones(99)],
        np.random.default_rng(0).lognormal(0, 3, 500),
        np.random.default_rng(1).random(1000) < 0.3,
    ],
    ids=["small", "equal", "one", "a single one", "zipf", "one giant", "lognormal", "zeros and ones"],
)
def test_alias_table_implies_its_weights(weights):
    expected = np.asarray(weights, float) / np.sum(weights)
    share = shares(AliasTable(weights))
    assert np.allclose(share, expected, rtol=1e-9, atol=1e-15)
    assert (share[expected == 0] == 0).all()  # not even by rounding


def test_alias_table_draws_its_distribution():
    assert_follows(AliasTable(WEIGHTS).draw(N_DRAWS, rng=np.random.default_rng(0)), WEIGHTS / WEIGHTS.sum())


def test_alias_table_agrees_with_scipy():
    weights = np.random.default_rng(2).lognormal(0, 1, 40)
    ours = np.bincount(AliasTable(weights).draw(N_DRAWS, rng=np.random.default_rng(3)), minlength=40)
    urn = DiscreteAliasUrn(weights / weights.sum(), random_state=np.random.default_rng(4))
    theirs = np.bincount(urn.rvs(N_DRAWS), minlength=40)
    # two samples of one distribution: the difference of two counts varies with about their sum
    assert ((ours - theirs) ** 2 / (ours + theirs)).sum() < 39 + 4 * np.sqrt(2 * 39)


def test_alias_table_draws_pairs_independently():
    first, second = AliasTable([3, 1]).draw((2, N_DRAWS), rng=np.random.default_rng(0))
    assert_follows(2 * first + second, [9 / 16, 3 / 16, 3 / 16, 1 / 16])


def test_alias_table_gives_the_shape_asked_for():
    assert AliasTable([1, 1]).draw((3, 0, 2), rng=np.random.default_rng(0)).shape == (3, 0, 2)


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1], [1, np.nan], [1, np.inf], [[1, 2]]])
def test_alias_table_refuses_what_is_no_distribution(weights):
    with pytest.raises(ValueError, match=r"weights as one finite number of 0 or more an item, not all 0.*count the"):
        AliasTable(weights)


def test_alias_table_refuses_a_seed_for_a_generator():
    with pytest.raises(TypeError, match=r"rng as a numpy Generator, received 0; use np.random.default_rng\(0\)"):
        AliasTable([1]).draw(3, rng=0)


# NoiseSampler, UniformSampler, PopularitySampler


@pytest.mark.parametrize(
    "sampler",
    [
        NoiseSampler(WEIGHTS, exclude=EXCLUDE),
        UniformSampler(10, exclude=EXCLUDE),
        PopularitySampler(WEIGHTS, 0.75, exclude=EXCLUDE),
    ],
    ids=["noise", "uniform", "popularity"],
)
@pytest.mark.parametrize("user", range(4))
def test_samplers_draw_their_distribution_given_what_is_allowed(sampler, user):
    draws = sampler.sample(USERS, None, 2, rng=np.random.default_rng(5))
    excluded = EXCLUDE.toarray()[user] > 0
    assert_follows(rows_of(USERS, draws, user), given_allowed(sampler.noise, excluded))


def test_sampler_draws_exactly_where_repeating_hardly_ever_helps():
    # Only items 1 and 2 are left, with a millionth of the mass: all rounds fail, and the written-out way takes over.
    weights = [1e6, 0.75, 0.25]
    exclude = csr_array([[1, 0, 0]])
    assert (1 - 1e-6) ** MAX_ROUNDS > 0.9999
    draws = NoiseSampler(weights, exclude=exclude).sample(np.zeros(9000, int), None, 1, rng=np.random.default_rng(6))
    assert_follows(draws, [0, 0.75, 0.25])


def test_sampler_draws_exactly_where_repeating_helps_some():
    # Half of the draws survive the rounds and half do not: the mixture of both ways must be right too.
    left = 1 - 0.5 ** (1 / MAX_ROUNDS)
    weights = [1 - left, 0.7 * left, 0.3 * left]
    sampler = NoiseSampler(weights, exclude=csr_array([[1, 0, 0]]))
    draws = sampler.sample(np.zeros(40_000, int), None, 1, rng=np.random.default_rng(7))
    assert_follows(draws, [0, 0.7, 0.3])


def test_samplers_never_draw_what_is_excluded():
    exclude = csr_array(random_array((50, 40), density=0.5, rng=np.random.default_rng(0)))
    users = np.random.default_rng(1).integers(50, size=3000)
    items = np.random.default_rng(2).integers(40, size=3000)
    base = PopularitySampler(np.arange(1, 41), 1, exclude=exclude)
    samplers = (
        UniformSampler(40, exclude=exclude),
        base,
        HardSampler(base, lambda users, items: items, 4),
        InBatchSampler(exclude=exclude),
    )
    for sampler in samplers:
        draws = sampler.sample(users, items, 6, rng=np.random.default_rng(3))
        assert draws.shape == (3000, 6)
        assert false_negative_rate(draws, users, exclude) == 0


def test_sampler_draws_the_same_from_a_large_matrix_as_from_a_small_one(monkeypatch):
    draws = []
    for limit in (0, 2**24):
        monkeypatch.setattr(negative_sampling, "MAX_TABLE", limit)
        sampler = NoiseSampler(WEIGHTS, exclude=EXCLUDE)
        draws.append(sampler.sample(USERS[::50], None, 5, rng=np.random.default_rng(0)))
    assert np.array_equal(*draws)


def test_samplers_are_repeatable():
    for sampler in (UniformSampler(10), PopularitySampler(WEIGHTS), InBatchSampler()):
        one, other = (sampler.sample([0, 1, 2], [4, 5, 6], 8, rng=np.random.default_rng(9)) for _ in range(2))
        assert np.array_equal(one, other)


def test_sampler_without_exclude_may_draw_the_item_of_the_row():
    draws = UniformSampler(2).sample(np.zeros(200, int), np.zeros(200, int), 1, rng=np.random.default_rng(0))
    assert_follows(draws, [0.5, 0.5])


def test_sampler_keeps_explicit_zeros_allowed():
    exclude = csr_array((np.zeros(1), ([0], [0])), shape=(1, 1))
    assert NoiseSampler([1.0], exclude=exclude).sample([0], None, 2, rng=np.random.default_rng(0)).tolist() == [[0, 0]]


def test_sampler_gives_nothing_for_an_empty_batch():
    for sampler in (UniformSampler(10, exclude=csr_array((2, 10))), InBatchSampler()):
        draws = sampler.sample(np.empty(0, int), np.empty(0, int), 3, rng=np.random.default_rng(0))
        assert draws.shape == (0, 3)


@pytest.mark.parametrize("power", [-0.5, 0, 0.75, 1, 3])
def test_noise_distribution_is_a_power_of_the_counts(power):
    counts = np.array([9.0, 4.0, 1.0, 0.0])
    expected = np.array([9**power, 4**power, 1, 0])
    assert np.allclose(noise_distribution(counts, power), expected / expected.sum())
    assert np.allclose(PopularitySampler(counts, power).noise, expected / expected.sum())


def test_popularity_power_ignores_the_unit_of_the_counts():
    assert np.allclose(PopularitySampler(WEIGHTS, 0.75).noise, PopularitySampler(1e6 * WEIGHTS, 0.75).noise)


def test_noise_logarithm_belongs_to_the_noise():
    sampler = PopularitySampler([2, 1, 0], 1)
    assert sampler.log_noise[:2] == pytest.approx([np.log(2 / 3), np.log(1 / 3)])
    assert sampler.log_noise[2] == -np.inf


def test_popularity_refuses_a_power_that_is_not_finite():
    with pytest.raises(ValueError, match=r"expected a finite power of the counts, received nan; 0.75 is usual"):
        PopularitySampler([1, 2], np.nan)


def test_popularity_refuses_negative_counts():
    with pytest.raises(ValueError, match="expected counts as one finite number of 0 or more an item, not all 0"):
        PopularitySampler([1, -2])


def test_uniform_refuses_an_empty_catalogue():
    with pytest.raises(ValueError, match="n_items as a whole number of 1 or more, received 0"):
        UniformSampler(0)


def test_sampler_refuses_a_user_for_whom_nothing_is_left():
    # user 1 could still draw item 2 by its row, but the noise never gives item 2
    sampler = NoiseSampler([1, 1, 0], exclude=csr_array([[1, 0, 0], [1, 1, 0]]))
    with pytest.raises(ValueError, match=r"received user 1, for whom all are excluded; leave such users out"):
        sampler.sample([0, 1], None, 3, rng=np.random.default_rng(0))


def test_sampler_draws_for_other_users_although_one_has_everything():
    sampler = UniformSampler(2, exclude=csr_array([[1, 1], [1, 0]]))
    assert sampler.sample([1], None, 3, rng=np.random.default_rng(0)).tolist() == [[1, 1, 1]]


def test_sampler_refuses_no_negatives():
    with pytest.raises(ValueError, match="n_negatives as a whole number of 1 or more, received 0"):
        UniformSampler(3).sample([0], None, 0, rng=np.random.default_rng(0))


def test_sampler_refuses_a_user_without_a_row():
    with pytest.raises(ValueError, match="expected users of 0 or more and below 4, received 4"):
        UniformSampler(10, exclude=EXCLUDE).sample([4], None, 1, rng=np.random.default_rng(0))


def test_sampler_refuses_users_in_a_table():
    with pytest.raises(ValueError, match=r"expected users as an array of 1 dimension, received shape \(1, 2\)"):
        UniformSampler(10).sample([[0, 1]], None, 1, rng=np.random.default_rng(0))


def test_sampler_refuses_an_exclusion_of_other_items():
    with pytest.raises(ValueError, match=r"expected exclude with 3 columns, one an item, received \(4, 10\); keep all"):
        UniformSampler(3, exclude=EXCLUDE)


def test_sampler_refuses_a_dense_exclusion():
    with pytest.raises(TypeError, match="expected exclude as a SciPy sparse matrix, received ndarray"):
        UniformSampler(10, exclude=EXCLUDE.toarray())


def test_samplers_refuse_a_seed_for_a_generator():
    for sampler in (UniformSampler(3), InBatchSampler()):
        with pytest.raises(TypeError, match="expected rng as a numpy Generator, received 7"):
            sampler.sample([0, 1], [0, 1], 1, rng=7)


# HardSampler


@pytest.mark.parametrize("m", [1, 2, 8])
def test_hard_sampler_keeps_ranks_with_the_probability_of_its_formula(m):
    n, order = 10, np.random.default_rng(0).permutation(10)  # item → place from the bottom
    sampler = HardSampler(UniformSampler(n), lambda users, items: order[items], m)
    draws = sampler.sample(np.zeros(N_DRAWS, int), None, 1, rng=np.random.default_rng(1))
    ranks = n - order[draws]  # 1 is the top
    r = np.arange(1, n + 1)
    assert_follows(ranks - 1, ((n - r + 1.0) ** m - (n - r) ** m) / n**m)


def test_hard_sampler_scores_each_row_for_its_own_user():
    liking = np.array([[0.0, 1, 2], [2.0, 1, 0]])
    sampler = HardSampler(UniformSampler(3), lambda users, items: liking[users[:, None], items], 200)
    # one of 200 candidates is the best item but with the probability (2/3)^200
    assert sampler.sample([0, 1], None, 4, rng=np.random.default_rng(0)).tolist() == [[2] * 4, [0] * 4]


def test_hard_sampler_follows_the_model_as_it_changes():
    scores = np.array([0.0, 1.0])
    sampler = HardSampler(UniformSampler(2), lambda users, items: scores[items], 60)
    before = sampler.sample([0], None, 3, rng=np.random.default_rng(0))
    scores[:] = [1.0, 0.0]
    after = sampler.sample([0], None, 3, rng=np.random.default_rng(0))
    assert (before.tolist(), after.tolist()) == ([[1, 1, 1]], [[0, 0, 0]])


def test_hard_sampler_keeps_the_first_of_equal_scores():
    base = NoiseSampler(WEIGHTS)
    drawn = base.sample([0, 0], None, 12, rng=np.random.default_rng(0))
    kept = HardSampler(base, lambda users, items: np.zeros(items.shape), 4).sample(
        [0, 0], None, 3, rng=np.random.default_rng(0)
    )
    assert np.array_equal(kept, drawn[:, ::4])


def test_hard_sampler_refuses_scores_of_another_shape():
    sampler = HardSampler(UniformSampler(5), lambda users, items: np.zeros(len(users)), 2)
    with pytest.raises(ValueError, match=r"expected scores of shape \(1, 6\) without NaN, received shape \(1,\)"):
        sampler.sample([0], None, 3, rng=np.random.default_rng(0))


def test_hard_sampler_refuses_nan():
    sampler = HardSampler(UniformSampler(5), lambda users, items: np.full(items.shape, np.nan), 2)
    with pytest.raises(ValueError, match="with 6 NaN; score every candidate"):
        sampler.sample([0], None, 3, rng=np.random.default_rng(0))


def test_hard_sampler_refuses_a_score_that_cannot_be_called():
    with pytest.raises(TypeError, match=r"score as a function of users and items, received 3; pass model.score"):
        HardSampler(UniformSampler(5), 3, 2)


def test_hard_sampler_refuses_no_candidates():
    with pytest.raises(ValueError, match="n_candidates as a whole number of 1 or more, received 0"):
        HardSampler(UniformSampler(5), lambda users, items: items, 0)


# InBatchSampler


def test_in_batch_draws_other_rows_alike():
    items = np.array([7, 3, 3, 5])
    draws = InBatchSampler().sample([0, 1, 2, 3], items, N_DRAWS, rng=np.random.default_rng(0))
    expected = np.zeros((4, 10))
    for row in range(4):
        for other in {0, 1, 2, 3} - {row}:
            expected[row, items[other]] += 1 / 3
    for row in range(4):
        assert_follows(draws[row], expected[row])


def test_in_batch_draws_among_the_rows_that_are_allowed():
    exclude = csr_array([[0, 1, 0, 0], [0, 0, 0, 0]])  # user 0 must not get item 1
    draws = InBatchSampler(exclude=exclude).sample([0, 1, 1, 1], [0, 1, 2, 2], N_DRAWS, rng=np.random.default_rng(0))
    assert_follows(draws[0], [0, 0, 1, 0])  # rows 2 and 3 are left, and both hold item 2
    assert_follows(draws[1], [1 / 3, 0, 2 / 3, 0])


def test_in_batch_draws_by_popularity_over_many_batches():
    rng, counts = np.random.default_rng(0), WEIGHTS
    draws = []
    for _ in range(300):
        items = rng.choice(10, p=counts / counts.sum(), size=40)
        # one draw of one row a batch: draws of one batch depend on each other
        draws.append(InBatchSampler().sample(np.arange(40), items, 1, rng=rng)[0, 0])
    common = [0, 1, 2, 3]  # with 300 draws, rare items are too few to test one by one
    grouped = np.where(np.isin(draws, common), draws, 4)
    assert_follows(grouped, np.r_[counts[common], counts.sum() - counts[common].sum()] / counts.sum())


def test_in_batch_refuses_a_row_that_is_alone():
    exclude = csr_array([[0, 1], [0, 0]])
    with pytest.raises(ValueError, match="another row with an item for user 0, received none in a batch of 2; make"):
        InBatchSampler(exclude=exclude).sample([0, 1], [0, 1], 1, rng=np.random.default_rng(0))


def test_in_batch_refuses_users_and_items_of_different_number():
    with pytest.raises(ValueError, match=r"one item for each user, received 2 users and 3 items"):
        InBatchSampler().sample([0, 1], [0, 1, 2], 1, rng=np.random.default_rng(0))


def test_in_batch_refuses_an_item_without_a_column():
    with pytest.raises(ValueError, match="expected items of 0 or more and below 10, received 10"):
        InBatchSampler(exclude=EXCLUDE).sample([0, 1], [0, 10], 1, rng=np.random.default_rng(0))


# logq_correction


def test_logq_correction_by_hand():
    assert logq_correction([[1.0, 2.0]], [[np.log(0.5), np.log(0.25)]]) == pytest.approx(
        np.array([[1 + np.log(2), 2 + np.log(4)]])
    )


def test_logq_correction_takes_one_row_for_all():
    scores, log_q = np.arange(6.0).reshape(2, 3), np.log([0.2, 0.3, 0.5])
    assert np.array_equal(logq_correction(scores, log_q), logq_correction(scores, np.tile(log_q, (2, 1))))


def test_logq_correction_of_a_uniform_draw_changes_no_softmax():
    scores = np.random.default_rng(0).standard_normal((3, 4))
    corrected = logq_correction(scores, np.full((3, 4), np.log(1 / 9)))
    assert np.allclose(corrected - scores, np.log(9))


def test_logq_correction_undoes_the_noise_in_the_best_scores():
    # Which of two items was chosen? One came from the choices p, one from the noise: the odds are p/pi of each.
    p, noise = np.array([0.6, 0.3, 0.1]), np.array([0.5, 0.1, 0.4])
    for i in range(3):
        for j in range(3):
            first_was_chosen = p[i] * noise[j] / (p[i] * noise[j] + p[j] * noise[i])
            a, b = logq_correction(np.log(p)[[[i, j]]], np.log(noise)[[i, j]])[0]
            assert np.exp(a) / (np.exp(a) + np.exp(b)) == pytest.approx(first_was_chosen)


def test_logq_correction_refuses_another_shape():
    with pytest.raises(ValueError, match=r"a log-probability for each score, shape \(1, 2\), received \(3,\); look"):
        logq_correction([[1.0, 2.0]], np.log([0.5, 0.2, 0.3]))


@pytest.mark.parametrize("bad", [-np.inf, 0.7, np.nan])
def test_logq_correction_refuses_what_is_no_probability(bad):
    with pytest.raises(ValueError, match=r"logarithms of probabilities above 0 and at most 1.*cannot be drawn"):
        logq_correction([[1.0, 2.0]], [-1.0, bad])


# False negatives


def test_false_negative_rate_by_hand():
    positives = csr_array([[1, 0, 2], [0, 0, 0]])
    assert false_negative_rate([[0, 1], [2, 2], [0, 2]], [0, 0, 1], positives) == pytest.approx(3 / 6)


def test_false_negative_rate_ignores_the_order_of_rows():
    rng = np.random.default_rng(0)
    positives = csr_array(random_array((20, 30), density=0.2, rng=rng))
    users, draws, order = rng.integers(20, size=50), rng.integers(30, size=(50, 4)), rng.permutation(50)
    assert false_negative_rate(draws, users, positives) == false_negative_rate(draws[order], users[order], positives)


def test_false_negative_rate_needs_a_draw():
    with pytest.raises(ValueError, match=r"shape \(0, n_negatives\) with at least one draw, received \(0, 3\)"):
        false_negative_rate(np.empty((0, 3), int), np.empty(0, int), csr_array((2, 4)))


def test_false_negative_rate_refuses_an_item_without_a_column():
    with pytest.raises(ValueError, match="expected negatives of 0 or more and below 4, received 4"):
        false_negative_rate([[4]], [0], csr_array((2, 4)))


def test_false_negative_probability_by_hand():
    noise, positives = [0.4, 0.3, 0.2, 0.1], csr_array([[1, 1, 0, 0]])
    assert false_negative_probability(noise, positives) == pytest.approx([0.7])
    exclude = csr_array([[1, 0, 1, 0]])
    assert false_negative_probability(noise, positives, exclude=exclude) == pytest.approx([0.3 / 0.4])


@pytest.mark.parametrize("with_exclude", [False, True])
def test_false_negative_probability_is_the_rate_of_many_draws(with_exclude):
    rng = np.random.default_rng(0)
    positives = csr_array(random_array((6, 10), density=0.4, rng=rng))
    exclude = EXCLUDE[[0, 1, 2, 0, 1, 2]] if with_exclude else None
    sampler = NoiseSampler(WEIGHTS, exclude=exclude)
    probability = false_negative_probability(WEIGHTS, positives, exclude=exclude)
    for user in range(6):
        users = np.full(20_000, user)
        rate = false_negative_rate(sampler.sample(users, None, 1, rng=rng), users, positives)
        # four standard errors of a share of 20,000 draws
        assert rate == pytest.approx(probability[user], abs=4 * np.sqrt(0.25 / 20_000))


def test_false_negative_probability_is_0_where_all_positives_are_excluded():
    assert false_negative_probability(WEIGHTS, EXCLUDE, exclude=EXCLUDE)[:3] == pytest.approx([0, 0, 0], abs=1e-15)


def test_false_negative_probability_of_nothing_is_nan():
    everything = csr_array(np.ones((1, 3)))
    assert np.isnan(false_negative_probability(np.ones(3), everything, exclude=everything)).all()


def test_false_negative_probability_refuses_other_users():
    with pytest.raises(ValueError, match=r"exclude of the shape of positives, \(1, 10\), received \(4, 10\)"):
        false_negative_probability(WEIGHTS, csr_array(np.ones((1, 10))), exclude=EXCLUDE)


def test_false_negative_probability_refuses_what_is_no_distribution():
    with pytest.raises(ValueError, match="expected noise as one finite number of 0 or more"):
        false_negative_probability([0, 0], csr_array(np.ones((1, 2))))


# Numbers at the ends of their range, and what is no number


@pytest.mark.parametrize("scale", [5e-324, 1e-300, 1.0, 1e308])
def test_alias_table_takes_weights_of_any_size(scale):
    table = AliasTable(np.array([1.0, 1.0, 0.0]) * scale)
    assert table.probabilities.tolist() == [0.5, 0.5, 0]
    assert not (table.draw(1000, rng=np.random.default_rng(0)) == 2).any()


def test_false_negative_probability_takes_huge_weights():
    positives = csr_array([[1, 0, 0]])
    assert false_negative_probability([1e308, 1e308, 0], positives).tolist() == [0.5]


@pytest.mark.parametrize(
    ("counts", "power", "expected"),
    [
        ([1, 100_000], -1000, [1, 0]),
        ([1, 100_000], 1000, [0, 1]),
        ([1e-300, 1e300], -2, [1, 0]),
        ([5e-324, 1.7e308, 0], 0.0, [0.5, 0.5, 0]),
        ([2, 8, 0], -0.5, [2 / 3, 1 / 3, 0]),
    ],
)
def test_noise_distribution_takes_any_power(counts, power, expected):
    assert noise_distribution(counts, power) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("power", [True, "1", None, np.inf])
def test_noise_distribution_refuses_a_power_that_is_none(power):
    with pytest.raises(ValueError, match="expected a finite power of the counts, received"):
        noise_distribution([1, 2], power)


@pytest.mark.parametrize("weights", [["1", "2"], [np.nan, 1.0], [[1.0]], [1 + 0j], [None]])
def test_samplers_refuse_weights_that_are_no_numbers(weights):
    for make in (AliasTable, NoiseSampler, noise_distribution, PopularitySampler):
        with pytest.raises(ValueError, match="as one finite number of 0 or more an item"):
            make(weights)


def test_in_batch_gives_whole_numbers_of_any_integers_and_refuses_others():
    drawn = InBatchSampler().sample([0, 1], np.array([3, 4], dtype=np.uint8), 2, rng=np.random.default_rng(0))
    assert drawn.dtype == np.int64
    for items in ([3.0, 4.0], [True, False], ["a", "b"]):
        with pytest.raises(TypeError, match="items as indices, received"):
            InBatchSampler().sample([0, 1], items, 2, rng=np.random.default_rng(0))


@pytest.mark.parametrize("users", [[0.5], [True], ["a"]])
def test_samplers_refuse_users_that_are_no_indices(users):
    samplers = (UniformSampler(3), InBatchSampler(), HardSampler(UniformSampler(3), lambda users, items: items, 2))
    for sampler in samplers:
        with pytest.raises(TypeError, match="users as indices, received"):
            sampler.sample(users, [0], 1, rng=np.random.default_rng(0))


def test_samplers_refuse_a_user_below_0():
    with pytest.raises(ValueError, match="users of 0 or more, received -1; count from 0"):
        UniformSampler(3).sample([-1], None, 1, rng=np.random.default_rng(0))


def test_false_negative_rate_refuses_a_mask():
    with pytest.raises(TypeError, match="negatives as indices, received bool"):
        false_negative_rate([[True]], [0], csr_array([[1, 0]]))


def test_hard_without_a_score_asks_for_one():
    with pytest.raises(
        ValueError, match=r"a score to choose by, received None; pass model\.score, or give this to fit_softmax"
    ):
        HardSampler(UniformSampler(3), None, 2).sample([0], None, 1, rng=np.random.default_rng(0))
