"""item2vec against slow loops, numerical gradients, the exact minimum, gensim, and data with planted clusters."""

import tracemalloc

import numpy as np
import pytest
from gensim.models.word2vec import Word2Vec
from scipy.sparse import csr_array

from utils import item2vec
from utils.data import Interactions, load_davis
from utils.item2vec import (
    fit_gensim,
    fit_sgns,
    noise_distribution,
    sgns_gradients,
    sgns_loss,
    similar_items,
    training_pairs,
)

FITS = pytest.mark.parametrize("fit", [fit_sgns, fit_gensim])
ARCHITECTURES = pytest.mark.parametrize("architecture", ["skip-gram", "cbow"])


def generator(seed=0):
    return np.random.default_rng(seed)


def pairs_of(sessions, window):
    return list(zip(*(ids.tolist() for ids in training_pairs(sessions, window))))


def slow_pairs(sessions, window):
    """Loop over all sessions, centres and contexts."""
    pairs = []
    for session in sessions:
        for t, centre in enumerate(session):
            for s, context in enumerate(session):
                if s != t and (window is None or abs(s - t) <= window):
                    pairs.append((centre, context))
    return pairs


def slow_loss(item_vectors, context_vectors, centres, contexts, negatives):
    """Write out equation 4 of the paper, pair by pair, with a plain sigmoid."""

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    total = 0.0
    for i, j, others in zip(centres, contexts, negatives):
        total -= np.log(sigmoid(item_vectors[i] @ context_vectors[j]))
        total -= sum(np.log(sigmoid(-item_vectors[i] @ context_vectors[other])) for other in others)
    return total


def one_pair_at_a_time(sessions, n_epochs, learning_rate, n_factors=32, n_negatives=5):
    """Train as word2vec does, each step after the one before, and return the mean loss of a pair in the last epoch."""
    rng, rows = generator(1), {}
    sessions = [[rows.setdefault(item, len(rows)) for item in session] for session in sessions]
    centres, contexts = training_pairs(sessions, None)
    noise = noise_distribution(np.bincount(np.concatenate(sessions)))
    y = (rng.random((len(rows), n_factors)) - 0.5) / n_factors
    z, truth = np.zeros_like(y), np.eye(1, 1 + n_negatives)[0]
    for epoch in range(n_epochs):
        total, order = 0.0, rng.permutation(len(centres))
        drawn = rng.choice(len(rows), (len(order), n_negatives), p=noise)
        for step, (pair, negatives) in enumerate(zip(order, drawn)):
            i, j = centres[pair], np.append(contexts[pair], negatives)
            x = z[j] @ y[i]
            total += np.logaddexp(0, x * (1 - 2 * truth)).sum()
            rate = learning_rate * (1 - 0.99 * (epoch + step / len(order)) / n_epochs)
            errors = rate * (1 / (1 + np.exp(-x)) - truth)
            step_y = errors @ z[j]
            np.subtract.at(z, j, errors[:, None] * y[i])
            y[i] -= step_y
    return total / len(centres)


def baskets(hubs, n_items, n_baskets, n_others):
    """Draw baskets that all hold the same items, the hubs, and some others at random."""
    rng = generator()
    others = np.arange(len(hubs), n_items)
    return [[*hubs, *rng.choice(others, n_others, replace=False).tolist()] for _ in range(n_baskets)]


def draw_problem(n_items=7, n_factors=4, n_pairs=20, n_negatives=3, seed=0):
    rng = generator(seed)
    tables = rng.standard_normal((2, n_items, n_factors))
    return (*tables, *rng.integers(n_items, size=(2, n_pairs)), rng.integers(n_items, size=(n_pairs, n_negatives)))


def planted_sessions(n_clusters=4, n_items=8, n_sessions=400, length=5, seed=0):
    """Draw each session from the items of one cluster; an item is called (cluster, number)."""
    rng = generator(seed)
    return [
        [(cluster, number) for number in rng.choice(n_items, length, replace=False).tolist()]
        for cluster in rng.integers(n_clusters, size=n_sessions).tolist()
    ]


def same_cluster_share(fitted, k=7):
    found = [other[0] == item[0] for item in fitted.ids for other, _ in similar_items(fitted, item, k)]
    return np.mean(found)


# training_pairs


def test_training_pairs_by_hand():
    assert pairs_of([["a", "b", "c"], ["d", "a"]], 1) == [
        ("a", "b"),
        ("b", "a"),
        ("b", "c"),
        ("c", "b"),
        ("d", "a"),
        ("a", "d"),
    ]


@pytest.mark.parametrize("window", [1, 2, 3, 50, None])
def test_training_pairs_agrees_with_a_loop(window):
    rng = generator()
    sessions = [rng.integers(9, size=length).tolist() for length in (6, 0, 1, 2, 11, 1, 4)]
    assert pairs_of(sessions, window) == slow_pairs(sessions, window)


def test_training_pairs_of_integers_are_integers():
    centres, contexts = training_pairs([np.array([3, 5], dtype=np.int32)], None)
    assert centres.dtype == contexts.dtype == np.int64
    assert (centres.tolist(), contexts.tolist()) == ([3, 5], [5, 3])


def test_training_pairs_keeps_ids_of_any_kind_as_they_are():
    assert pairs_of([[1, "1", (1, 2), None, True]], 1)[:4] == [(1, "1"), ("1", 1), ("1", (1, 2)), ((1, 2), "1")]


def test_training_pairs_of_a_repeated_id_join_it_with_itself():
    assert pairs_of([[4, 4]], 1) == [(4, 4), (4, 4)]


@pytest.mark.parametrize("sessions", [[], [[]], [[1], [2], []]])
def test_training_pairs_without_neighbours_are_none(sessions):
    centres, contexts = training_pairs(sessions, 5)
    assert (centres.dtype, contexts.dtype, len(centres), len(contexts)) == (np.int64, np.int64, 0, 0)


def test_training_pairs_are_symmetric():
    pairs = pairs_of([generator().integers(20, size=15).tolist()], 3)
    assert sorted(pairs) == sorted((context, centre) for centre, context in pairs)


def test_training_pairs_grow_linearly_until_the_window_covers_the_session():
    session, window = list(range(30)), np.arange(1, 40)
    n_pairs = [len(training_pairs([session], int(w))[0]) for w in window]
    reach = np.minimum(window, 29)
    assert n_pairs == (reach * (2 * 30 - reach - 1)).tolist()


@pytest.mark.parametrize("window", [0, -1, 1.5, "5"])
def test_training_pairs_refuses_a_wrong_window(window):
    with pytest.raises(ValueError, match=f"expected window as a whole number of 1 or more, received {window!r}"):
        training_pairs([[1, 2]], window)


def test_training_pairs_refuses_text_as_a_session():
    with pytest.raises(TypeError, match="session as a sequence of ids, received 'abc' at place 1; put the ids of one"):
        training_pairs([["a"], "abc"], 1)


def test_training_pairs_refuses_a_flat_list():
    with pytest.raises(TypeError, match="session as a sequence of ids, received 1 at place 0"):
        training_pairs([1, 2, 3], 1)


def test_training_pairs_refuses_ids_that_cannot_be_keys():
    with pytest.raises(TypeError, match=r"expected ids that can be keys of a dict .*; turn lists into tuples"):
        training_pairs([[[1], [2]]], 1)


# noise_distribution


def test_noise_distribution_by_hand():
    assert noise_distribution([1, 16, 81], 0.75) == pytest.approx(np.array([1, 8, 27]) / 36)


@pytest.mark.parametrize("power", [-1, -0.5, 0, 0.5, 1, 2])
def test_noise_distribution_never_draws_what_never_occurs(power):
    noise = noise_distribution([3, 0, 5], power)
    assert noise[1] == 0
    assert noise.sum() == pytest.approx(1)
    assert noise[0] / noise[2] == pytest.approx((3 / 5) ** power)


def test_noise_distribution_does_not_change_with_the_size_of_the_data():
    counts = np.array([1.0, 4.0, 20.0])
    assert noise_distribution(counts, 0.75) == pytest.approx(noise_distribution(1000 * counts, 0.75))


def test_noise_distribution_survives_large_powers():
    assert noise_distribution([10**6, 10**6, 1], 100) == pytest.approx([0.5, 0.5, 0])


@pytest.mark.parametrize("counts", [[], [0, 0], [1, -1], [1, np.nan], [1, np.inf], [[1, 2]]])
def test_noise_distribution_refuses_wrong_counts(counts):
    with pytest.raises(
        ValueError, match=r"expected counts as one finite number of 0 or more.*count the events of each item"
    ):
        noise_distribution(counts)


@pytest.mark.parametrize("power", [np.nan, np.inf, "0.75", None])
def test_noise_distribution_refuses_a_wrong_power(power):
    with pytest.raises(ValueError, match=r"expected a finite power of the counts, received .*; 0.75 is usual"):
        noise_distribution([1, 2], power)


# sgns_loss


def test_sgns_loss_by_hand():
    # Scores: 1 · 2 for the context, 1 · 0 and 1 · -1 for the negatives.
    expected = np.log1p(np.exp(-2)) + np.log(2) + np.log1p(np.exp(-1))
    contexts = np.array([[2.0], [0.0], [-1.0]])
    assert sgns_loss(np.array([[1.0]]), contexts, [0], [0], [[1, 2]]) == pytest.approx(expected, rel=1e-12)


def test_sgns_loss_agrees_with_the_formula_written_out():
    problem = draw_problem()
    assert sgns_loss(*problem) == pytest.approx(slow_loss(*problem), rel=1e-12)


def test_sgns_loss_is_exact_for_scores_that_overflow():
    # -log sigmoid(-1000) is 1000, and -log sigmoid(1000) rounds to 0; a plain sigmoid gives infinity.
    vectors = np.array([[1000.0], [-1000.0]])
    assert sgns_loss(np.array([[1.0]]), vectors, [0], [1], [[1]]) == 1000
    assert sgns_loss(np.array([[1.0]]), vectors, [0], [0], [[0]]) == 1000


def test_sgns_loss_keeps_tiny_losses():
    # 1 - sigmoid(40) is below the rounding of 1; the loss is exp(-40).
    assert sgns_loss(np.array([[1.0]]), np.array([[40.0], [-40.0]]), [0], [0], [[1]]) == pytest.approx(
        2 * np.exp(-40), rel=1e-12
    )


def test_sgns_loss_of_no_pairs_is_zero():
    empty = np.zeros(0, dtype=int)
    assert sgns_loss(np.ones((2, 3)), np.ones((2, 3)), empty, empty, np.zeros((0, 5), dtype=int)) == 0


# sgns_gradients


@pytest.mark.parametrize("table", [0, 1])
def test_sgns_gradients_agree_with_differences(table):
    problem = draw_problem()
    gradient = sgns_gradients(*problem)[table]
    numeric = np.zeros_like(gradient)
    step = 1e-5  # the error of a central difference is about step² = 1e-10, plus rounding 1e-16 / step
    for index in np.ndindex(gradient.shape):
        for sign in (1, -1):
            tables = [problem[0].copy(), problem[1].copy()]
            tables[table][index] += sign * step
            numeric[index] += sign * sgns_loss(*tables, *problem[2:]) / (2 * step)
    assert np.allclose(gradient, numeric, rtol=0, atol=1e-8)


def test_sgns_gradients_agree_with_differences_if_both_tables_are_one():
    vectors, _, *pairs = draw_problem()
    gradient = sum(sgns_gradients(vectors, vectors, *pairs))
    step, index = 1e-5, (2, 1)
    values = []
    for sign in (1, -1):
        moved = vectors.copy()
        moved[index] += sign * step
        values.append(sgns_loss(moved, moved, *pairs))
    assert gradient[index] == pytest.approx((values[0] - values[1]) / (2 * step), abs=1e-8)


def test_sgns_gradients_of_repeated_pairs_add_up():
    items, contexts, *_ = draw_problem()
    once = sgns_gradients(items, contexts, [2], [3], [[4, 4]])
    thrice = sgns_gradients(items, contexts, [2] * 3, [3] * 3, [[4, 4]] * 3)
    for one, three in zip(once, thrice):
        assert np.allclose(three, 3 * one)


def test_sgns_gradients_leave_other_items_alone():
    items, contexts, *_ = draw_problem()
    item_gradient, context_gradient = sgns_gradients(items, contexts, [2], [3], [[4, 5]])
    assert np.flatnonzero(item_gradient.any(axis=1)).tolist() == [2]
    assert np.flatnonzero(context_gradient.any(axis=1)).tolist() == [3, 4, 5]


def test_sgns_gradients_do_not_vanish_for_a_wrong_score_however_large():
    # A clamp at ±10 would give 0 here.
    items, contexts = np.array([[1.0]]), np.array([[-50.0], [50.0]])
    item_gradient, _ = sgns_gradients(items, contexts, [0], [0], [[1]])
    assert item_gradient[0, 0] == pytest.approx(50 + 50)


# fit_sgns and fit_gensim


@FITS
@ARCHITECTURES
def test_fit_finds_planted_clusters(fit, architecture):
    # By chance a neighbour is in the right cluster with probability 7/31. CBOW also learns that an item does not occur
    # beside itself, which sets the items of a cluster apart, and gensim's takes larger steps that way: 0.73 to 0.78.
    fitted = fit(planted_sessions(), n_factors=3, n_epochs=20, architecture=architecture, rng=generator())
    assert same_cluster_share(fitted) > (0.6 if (fit, architecture) == (fit_gensim, "cbow") else 0.95)


@FITS
@ARCHITECTURES
def test_fit_repeats_itself(fit, architecture):
    options = {"n_factors": 4, "n_epochs": 2, "architecture": architecture, "subsample": 0.01}
    first, second = (fit(planted_sessions(), rng=generator(3), **options) for _ in range(2))
    assert np.array_equal(first.item_vectors, second.item_vectors)
    assert np.array_equal(first.context_vectors, second.context_vectors)


@FITS
def test_fit_with_another_seed_finds_other_vectors(fit):
    first, second = (fit(planted_sessions(), n_factors=4, n_epochs=2, rng=generator(seed)) for seed in (0, 1))
    assert not np.allclose(first.item_vectors, second.item_vectors)


@FITS
def test_fit_returns_rows_in_the_order_of_first_occurrence(fit):
    fitted = fit([["b", ("a", 1)], [], ["c"], [("a", 1), 7, "b"]], n_factors=3, n_epochs=1, rng=generator())
    assert fitted.ids == ["b", ("a", 1), "c", 7]
    assert fitted.counts.tolist() == [2, 2, 1, 1]
    assert fitted.item_vectors.shape == fitted.context_vectors.shape == (4, 3)
    assert fitted.item_vectors.dtype == fitted.context_vectors.dtype == np.float32


@FITS
def test_fit_does_not_depend_on_names(fit):
    sessions = planted_sessions(n_sessions=30)
    renamed = [[f"{cluster} {number}" for cluster, number in session] for session in sessions]
    first, second = (fit(s, n_factors=4, n_epochs=2, rng=generator()) for s in (sessions, renamed))
    assert np.array_equal(first.item_vectors, second.item_vectors)


@FITS
def test_fit_lowers_the_loss(fit):
    losses = fit(planted_sessions(), n_factors=8, n_epochs=20, rng=generator()).losses
    assert len(losses) == 21
    assert losses[-1] < 0.8 * losses[0]


def test_fits_agree_on_the_loss():
    # gensim skips a negative that equals the item to be predicted, and what is beyond ±6: 5 to 7 % of the loss here.
    options = {"n_factors": 8, "n_negatives": 3, "n_epochs": 20}
    sessions = planted_sessions(n_clusters=10, n_items=10)
    ours, theirs = (fit(sessions, rng=generator(), **options).losses[-1] for fit in (fit_sgns, fit_gensim))
    assert ours == pytest.approx(theirs, rel=0.1)


def test_fit_sgns_starts_where_all_scores_are_zero():
    # One pair a batch (two items), and a tiny step: the loss of an epoch is log 2 for the context and each negative.
    fitted = fit_sgns([[1, 2]], 32, n_negatives=4, n_epochs=1, learning_rate=1e-9, rng=generator())
    assert fitted.losses == pytest.approx([5 * np.log(2)] * 2, rel=1e-6)


@FITS
@ARCHITECTURES
def test_fit_for_no_epoch_is_its_start(fit, architecture):
    fitted = fit(planted_sessions(), 4, n_negatives=3, architecture=architecture, n_epochs=0, rng=generator())
    assert fitted.losses == pytest.approx([4 * np.log(2)])  # of the formula, since the context vectors are 0
    assert not fitted.context_vectors.any()
    assert 0 < np.abs(fitted.item_vectors).max() <= 1 / 4


@FITS
@ARCHITECTURES
@pytest.mark.parametrize("learning_rate", [1e4, 1e30])
def test_fit_refuses_to_explode(fit, architecture, learning_rate):
    # The one negative is the target half of the time, so that long steps lead to and fro.
    options = {"n_negatives": 1, "learning_rate": learning_rate, "architecture": architecture, "n_epochs": 5}
    with pytest.raises(ValueError, match=r"expected a learning_rate at which .* received 1.*0.*; try a tenth of it"):
        fit([["a", "b"]] * 200, 8, rng=generator(), **options)


def test_fit_sgns_refuses_vectors_that_are_not_finite():
    # There is one batch, and its loss is that of the start: only the vectors show what happened.
    with pytest.raises(ValueError, match=r"vectors stay short, received 1e\+300: one has the length nan in epoch 1"):
        fit_sgns([["a", "b"]], 4, n_epochs=1, learning_rate=1e300, rng=generator())


def test_fit_sgns_without_a_bound_on_its_steps_refuses_to_explode(monkeypatch):
    monkeypatch.setattr(item2vec, "MAX_STEP", np.inf)
    with pytest.raises(ValueError, match=r"the loss does not explode, received 0.05: the loss was .*; try a tenth"):
        fit_sgns(baskets([0, 1], 300, 300, n_others=3), 8, n_epochs=5, rng=generator())


def test_fit_sgns_reaches_the_shifted_pmi():
    # With as many factors as items the minimum is known: y·z = log(P(i, j) / (P(i) π_j)) - log n_neg.
    sessions = [[0, 1]] * 60 + [[0, 2]] * 20 + [[1, 2]] * 40 + [[0, 0], [1, 1], [2, 2]] * 15
    fitted = fit_sgns(
        sessions, n_factors=6, n_negatives=2, n_epochs=200, learning_rate=0.05, noise_power=1.0, rng=generator()
    )
    counts = np.zeros((3, 3))
    np.add.at(counts, training_pairs(sessions, None), 1)
    noise = noise_distribution(fitted.counts, 1.0)
    expected = np.log(counts / counts.sum(axis=1, keepdims=True) / noise) - np.log(2)
    # Chance of the negatives: the seeds 0 to 4 are off by 0.05 at most.
    assert np.allclose(fitted.item_vectors @ fitted.context_vectors.T, expected, atol=0.1)


def test_fit_sgns_is_gradient_descent_in_batches():
    # Everything written out in 64 bits: the order, the batches of two an item, the draws, the falling rate. An epoch
    # has 48 batches, which are more than are gathered at once.
    sessions, n_items, n_epochs = planted_sessions(n_clusters=3, n_items=5, n_sessions=120, length=4), 15, 3
    fitted = fit_sgns(sessions, 4, n_epochs=n_epochs, rng=generator(2))
    rng = generator(2)
    y, z = (rng.random((n_items, 4)) - 0.5) / 4, np.zeros((n_items, 4))
    centres, contexts = training_pairs([[fitted.row(item) for item in session] for session in sessions], None)
    ends, losses = noise_distribution(fitted.counts).cumsum(), np.zeros(n_epochs)
    for epoch in range(n_epochs):
        order = rng.permutation(len(centres))
        for start in range(0, len(order), 30):
            i, j = centres[order[start : start + 30]], contexts[order[start : start + 30]]
            negatives = np.searchsorted(ends, rng.random((len(i), 5)), side="right")
            losses[epoch] += slow_loss(y, z, i, j, negatives) / len(order)
            errors = [1 / (1 + np.exp(-np.sum(y[i] * z[k], axis=1))) - (k is j) for k in (j, *negatives.T)]
            rate = 0.05 * (1 - 0.99 * (epoch + start / len(order)) / n_epochs)
            steps = np.zeros((2, n_items, 4))
            for k, error in zip((j, *negatives.T), errors):
                np.add.at(steps[0], i, rate * error[:, None] * z[k])
                np.add.at(steps[1], k, rate * error[:, None] * y[i])
            y, z = y - steps[0], z - steps[1]
    # Sums over 144 batches in 32 bits, each rounded to about 1e-7.
    assert np.allclose(fitted.item_vectors, y, atol=1e-4)
    assert np.allclose(fitted.context_vectors, z, atol=1e-4)
    assert np.allclose(fitted.losses[1:], losses, rtol=1e-5)


@pytest.mark.parametrize(("n_items", "size"), [(5, 10), (600, 1024), (20_000, 2000)])
def test_fit_sgns_takes_batches_by_the_size_of_the_catalogue(n_items, size, monkeypatch):
    sizes, batches = [], item2vec._batches
    monkeypatch.setattr(item2vec, "_batches", lambda *args: sizes.append([len(c) for _, _, c in batches(*args)]) or [])
    fit_sgns([range(n_items)], 1, window=2, n_epochs=1, rng=generator())
    n_pairs = 4 * n_items - 6
    assert sizes[0] == [size] * (n_pairs // size) + [n_pairs % size] * (n_pairs % size > 0)


@pytest.mark.parametrize(
    ("sessions", "n_epochs", "learning_rate"),
    [
        ([["bag", f"item {i}"] for i in range(250)] * 5, 20, 0.05),
        (baskets([0], 500, 600, n_others=4), 5, 0.05),
        (baskets([0, 1], 1500, 600, n_others=2), 8, 0.05),
        ([[1, 2, 3, 4], [6, 7, 8, 9]] * 100, 8, 0.3),
    ],
    ids=[
        "a bag with everything",
        "one item in all baskets",
        "two items in all baskets, the others rare",
        "a high rate",
    ],
)
def test_fit_sgns_converges_where_an_item_fills_the_batches(sessions, n_epochs, learning_rate):
    # Without a bound on the steps these end at NaN, or the second one at 3.3 instead of 2.6.
    fitted = fit_sgns(sessions, 32, n_epochs=n_epochs, learning_rate=learning_rate, rng=generator())
    # The first one needs a few epochs more than single steps do, and is 3 % above them; the others come within 2 %.
    assert fitted.losses[-1] == pytest.approx(one_pair_at_a_time(sessions, n_epochs, learning_rate), rel=0.05)


@ARCHITECTURES
def test_fit_sgns_converges_where_an_item_fills_the_batches_as_gensim_does(architecture):
    # Of negatives, gensim skips those that equal the target, which are few with 300 items: 0 to 8 % of the loss.
    sessions = baskets([0], 300, 2000, n_others=4)
    ours, theirs = (
        fit(sessions, 32, n_epochs=20, architecture=architecture, rng=generator()).losses
        for fit in (fit_sgns, fit_gensim)
    )
    assert ours[-1] == pytest.approx(theirs[-1], rel=0.1)


@pytest.mark.parametrize("learning_rate", [50, 1e30])
def test_fit_sgns_moves_no_vector_further_than_the_bound_in_a_batch(learning_rate):
    # 200 pairs of 101 items are one batch. Context vectors begin at 0, so that item vectors stay where they are.
    sessions = [["bag", i] for i in range(100)]
    fitted = fit_sgns(sessions, 4, n_epochs=1, learning_rate=learning_rate, rng=generator())
    rng = generator()
    start = (rng.random((101, 4)) - 0.5) / 4
    centres, contexts = training_pairs([[fitted.row(item) for item in session] for session in sessions], None)
    order = rng.permutation(200)
    negatives = np.searchsorted(noise_distribution(fitted.counts).cumsum(), rng.random((200, 5)), side="right")
    _, gradient = sgns_gradients(start, np.zeros((101, 4)), centres[order], contexts[order], negatives)
    steps = -learning_rate * gradient
    lengths = np.linalg.norm(steps, axis=1, keepdims=True)
    assert lengths.max() > 15
    assert np.allclose(fitted.context_vectors, steps * np.minimum(1, 1.5 / lengths), atol=1e-5)
    assert np.allclose(fitted.item_vectors, start)


@ARCHITECTURES
def test_fit_sgns_looks_for_long_steps_only_where_there_could_be_some(architecture, monkeypatch):
    # 1,500 items in clusters of 15, none much more frequent than others: the one with most products has 8 a batch.
    sessions = planted_sessions(n_clusters=100, n_items=15, n_sessions=4000)
    looked = []
    monkeypatch.setattr(item2vec, "_shorten", lambda step, longest: looked.append(longest))
    fit_sgns(sessions, 32, n_epochs=1, architecture=architecture, rng=generator())
    assert not looked
    monkeypatch.undo()
    options = {"n_epochs": 5, "architecture": architecture}
    unbounded = fit_sgns(sessions, 32, rng=generator(), **options)
    monkeypatch.setattr(item2vec, "MIN_CROWD", 0)
    bounded = fit_sgns(sessions, 32, rng=generator(), **options)
    assert np.array_equal(unbounded.item_vectors, bounded.item_vectors)


@pytest.mark.parametrize("n_items", [1, 3, 200, 10_000])
@pytest.mark.parametrize("power", [0, 1, 8])
def test_noise_draws_what_a_search_in_the_cumulative_sums_finds(n_items, power):
    # With power 8 most items are far rarer than a cell of the table is wide.
    probabilities = noise_distribution(generator(1).random(n_items) + 0.01, power)
    ends = np.cumsum(probabilities)
    expected = np.searchsorted(ends, generator().random((1000, 5)) * ends[-1], side="right")
    assert np.array_equal(item2vec._Noise(probabilities).draw((1000, 5), generator()), expected)


def test_noise_draws_in_proportion_to_the_probabilities():
    counts = np.bincount(item2vec._Noise(np.array([0.5, 0, 0.3, 0.2])).draw((100_000,), generator()), minlength=4)
    # The standard deviation is at most sqrt(100,000 / 4) = 158.
    assert counts == pytest.approx([50_000, 0, 30_000, 20_000], abs=600)
    assert counts[1] == 0


def test_fit_sgns_cbow_predicts_from_the_mean():
    # One session of three, one epoch: the first batch holds all three events, and vectors move by -rate * gradient.
    rng = generator(5)
    fitted = fit_sgns([[0, 1, 2]], n_factors=4, n_epochs=1, learning_rate=0.1, architecture="cbow", rng=generator(5))
    items = ((rng.random((3, 4)) - 0.5) / 4).astype(np.float32)
    order = rng.permutation(3)
    negatives = np.searchsorted(np.cumsum(np.full(3, 1 / 3)), rng.random((3, 5)), side="right")
    step = np.zeros((3, 4))
    for event, others in zip(order, negatives):  # contexts start at 0: every sigmoid is 1/2, and item vectors stay
        mean = items[[other for other in range(3) if other != event]].mean(axis=0)
        step[event] += 0.5 * mean
        for other in others:
            step[other] -= 0.5 * mean
    assert np.allclose(fitted.item_vectors, items)
    assert np.allclose(fitted.context_vectors, 0.1 * step, atol=1e-6)


def test_fit_gensim_is_gensim():
    sessions = planted_sessions(n_sessions=50)
    fitted = fit_gensim(sessions, n_factors=4, window=2, n_negatives=3, n_epochs=3, noise_power=0.5, rng=generator(7))
    sentences = [[str(item) for item in session] for session in sessions]
    model = Word2Vec(
        sentences,
        sg=1,
        vector_size=4,
        window=2,
        negative=3,
        epochs=3,
        ns_exponent=0.5,
        alpha=0.05,
        min_alpha=0.0005,
        sample=0,
        min_count=1,
        shrink_windows=False,
        workers=1,
        seed=int(generator(7).integers(2**31)),
    )
    for item in fitted.ids:
        assert np.array_equal(fitted.vector(item), model.wv[str(item)])


@FITS
def test_fit_window_decides_what_is_learned(fit):
    # Neighbours in a session come from different clusters, every second item from the same one.
    rng = generator()
    sessions = [
        [(n % 2, number) for n, number in enumerate(rng.choice(10, size=10, replace=False).tolist())]
        for _ in range(100)
    ]
    near, far = (fit(sessions, n_factors=4, window=w, n_epochs=30, rng=generator()) for w in (1, None))
    # With window 1 all contexts are in the other cluster, so that the items of one cluster share their contexts.
    assert same_cluster_share(near, k=9) == 1
    assert same_cluster_share(far, k=9) < 0.7


@FITS
def test_fit_with_a_window_longer_than_all_sessions_is_session_wide(fit):
    wide, whole = (fit(planted_sessions(), n_factors=4, n_epochs=2, window=w, rng=generator()) for w in (5, None))
    assert np.array_equal(wide.item_vectors, whole.item_vectors)


@FITS
def test_fit_subsampling_drops_events_of_frequent_items(fit):
    # Item "hit" is in every session. Without it every other item has contexts in its own cluster alone.
    sessions = [["hit", *session] for session in planted_sessions()]
    options = {"n_factors": 8, "n_epochs": 5, "rng": generator()}
    all_events, few_hits = (fit(sessions, subsample=t, **options) for t in (0.0, 0.001))
    hit = all_events.row("hit")
    lengths = [np.linalg.norm(fitted.item_vectors[hit]) for fitted in (all_events, few_hits)]
    assert lengths[1] < lengths[0]


@pytest.mark.parametrize(("subsample", "n_draws"), [(0.01, 3), (0.0, 1)])
def test_fit_sgns_subsamples_anew_in_each_epoch(subsample, n_draws, monkeypatch):
    kept, draw = [], item2vec._subsample
    monkeypatch.setattr(item2vec, "_subsample", lambda *args: kept.append(draw(*args)) or kept[-1])
    fit_sgns(planted_sessions(), 4, n_epochs=3, subsample=subsample, rng=generator())
    assert len({len(items) for items, _ in kept}) == len(kept) == n_draws


def test_fit_sgns_keeps_the_share_of_events_that_the_formula_says():
    counts = np.array([900, 90, 10])
    keep = item2vec._keep_probabilities(counts, 0.05)
    assert keep == pytest.approx([np.sqrt(0.05 / 0.9) + 0.05 / 0.9, 1, 1])
    items = np.repeat([0, 1, 2], 100 * counts)
    kept, lengths = item2vec._subsample(items, np.array([50_000, 50_000]), keep, generator())
    # 90,000 events with probability 0.291: standard deviation 136
    assert np.bincount(kept)[0] == pytest.approx(90_000 * keep[0], abs=600)
    assert np.bincount(kept)[1:].tolist() == [9000, 1000]
    assert lengths.sum() == len(kept)


@pytest.mark.parametrize("subsample", [0.5, 1, 1.0, 2.5])
def test_fits_keep_all_events_where_the_formula_says_so(subsample):
    # An item in a quarter of all events stays with probability sqrt(2) + 2 and more. gensim alone would read 1.0 as a
    # number of events, and keep a fifth of them.
    sessions = planted_sessions(n_clusters=1, n_items=4, n_sessions=100, length=4)
    for fit in (fit_sgns, fit_gensim):
        kept, everything = (fit(sessions, 4, n_epochs=2, subsample=t, rng=generator()) for t in (subsample, 0.0))
        assert np.array_equal(kept.item_vectors, everything.item_vectors)
        assert np.array_equal(kept.losses, everything.losses)


@ARCHITECTURES
@pytest.mark.parametrize("window", [1, 3, None])
def test_fit_gensim_divides_its_loss_by_the_number_of_examples(architecture, window):
    # With a tiny rate all scores stay 0: log 2 for the target, and for each negative that is not the target itself, on
    # average 19 of 20. gensim looks logarithms up in a table that is 2 % off there.
    sessions = [list(range(6)), [6], [], [7, 8], list(range(9, 20))] * 50
    options = {"window": window, "n_epochs": 1, "learning_rate": 1e-9, "architecture": architecture}
    assert fit_gensim(sessions, 4, rng=generator(), **options).losses[1] == pytest.approx(np.log(2) * 5.75, rel=0.1)


@pytest.mark.parametrize("window", [1, 2, 3, 50])
def test_context_ranges_count_the_pairs_of_each_event(window):
    lengths = np.array([6, 0, 1, 2, 11, 1, 4])
    events = iter(range(25))
    sessions = [[next(events) for _ in range(length)] for length in lengths]
    _, n_contexts = item2vec._context_ranges(lengths, window)
    expected = np.bincount([centre for centre, _ in slow_pairs(sessions, window)], minlength=25)
    assert n_contexts.tolist() == expected.tolist()


@ARCHITECTURES
def test_fit_gensim_counts_pairs_without_building_them(architecture):
    # The session has a million pairs: 8 MB for each array of them, and building takes five.
    tracemalloc.start()
    fit_gensim([list(range(1000))], 2, n_negatives=1, n_epochs=1, architecture=architecture, rng=generator())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4e6


def test_fit_gensim_does_not_claim_a_loss_with_subsampling():
    losses = fit_gensim(planted_sessions(), 8, n_epochs=2, subsample=0.01, rng=generator()).losses
    assert np.isnan(losses).tolist() == [False, True, True]


@FITS
def test_fit_survives_two_items_and_one_session(fit):
    fitted = fit([["a", "b"]], n_factors=1, n_negatives=1, n_epochs=3, rng=generator())
    assert np.isfinite(fitted.item_vectors).all()
    assert np.isfinite(fitted.losses).all()


@FITS
def test_fit_takes_sessions_of_arrays(fit):
    sessions = [np.array([4, 2, 9], dtype=np.int32), np.array([], dtype=np.int32), np.array([2, 4], dtype=np.int32)]
    fitted = fit(sessions, 8, n_epochs=1, rng=generator())
    assert fitted.ids == [4, 2, 9]
    assert np.int32(9) in fitted


@FITS
@pytest.mark.parametrize("sessions", [[], [[]], [[1], [2]]])
def test_fit_refuses_sessions_without_a_pair(fit, sessions):
    with pytest.raises(ValueError, match=r"a session with two events or more, received \d sessions.*; an item"):
        fit(sessions, 8, n_epochs=1, rng=generator())


@FITS
@pytest.mark.parametrize("name", ["n_factors", "n_negatives", "n_epochs", "window"])
@pytest.mark.parametrize("value", [-1, 2.5, True])
def test_fit_refuses_what_is_no_count(fit, name, value):
    low = 0 if name == "n_epochs" else 1
    with pytest.raises(ValueError, match=f"expected {name} as a whole number of {low} or more, received {value}"):
        fit([[1, 2]], **{"n_factors": 8, "n_epochs": 1, "rng": generator(), name: value})


@FITS
@pytest.mark.parametrize("name", ["subsample", "learning_rate"])
@pytest.mark.parametrize("value", [-0.1, np.nan, np.inf])
def test_fit_refuses_numbers_below_zero(fit, name, value):
    with pytest.raises(ValueError, match=f"expected {name} as a number of 0 or more, received {value}"):
        fit([[1, 2]], 8, n_epochs=1, rng=generator(), **{name: value})


@FITS
def test_fit_refuses_a_learning_rate_of_zero(fit):
    with pytest.raises(ValueError, match=r"expected a learning_rate above 0, received 0; 0.05 is a start"):
        fit([[1, 2]], 8, n_epochs=1, rng=generator(), learning_rate=0)


@FITS
def test_fit_refuses_a_wrong_noise_power(fit):
    with pytest.raises(ValueError, match="expected a finite power of the counts, received nan"):
        fit([[1, 2]], 8, n_epochs=1, rng=generator(), noise_power=np.nan)


@FITS
def test_fit_refuses_an_unknown_architecture(fit):
    with pytest.raises(
        ValueError, match="expected architecture among 'skip-gram', 'cbow', received 'glove'; choose one"
    ):
        fit([[1, 2]], 8, n_epochs=1, rng=generator(), architecture="glove")


@FITS
def test_fit_refuses_a_seed_for_a_generator(fit):
    with pytest.raises(TypeError, match=r"expected rng as a numpy Generator, received 0; use np.random.default_rng"):
        fit([[1, 2]], 8, n_epochs=1, rng=0)


def test_fit_gensim_refuses_sessions_that_gensim_would_cut():
    with pytest.raises(ValueError, match="sessions of at most 10000 events, received one of 10001; cut it, or use"):
        fit_gensim([list(range(10_001))], 8, n_epochs=1, rng=generator())


# ItemVectors


def small_fit():
    return fit_sgns([["a", "b", "c"]], n_factors=2, n_epochs=1, rng=generator())


def test_item_vectors_vector_is_the_row_of_the_id():
    fitted = small_fit()
    assert np.array_equal(fitted.vector("c"), fitted.item_vectors[2])


def test_item_vectors_contain_what_occurred():
    fitted = small_fit()
    assert "b" in fitted
    assert "z" not in fitted
    assert len(fitted) == 3


def test_item_vectors_refuse_an_unknown_item():
    with pytest.raises(KeyError, match="one of the 3 ids of the fit, received 'z'; an item without a session has no"):
        small_fit().vector("z")


def test_item_vectors_refuse_an_id_twice():
    with pytest.raises(ValueError, match="each id once, received 'a' more than once; a vector needs its own id"):
        item2vec.ItemVectors(["a", "b", "a"], np.ones((3, 2)), np.ones((3, 2)), np.ones(3), np.zeros(1))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"item_vectors": np.ones((3, 2))}, ValueError, r"item_vectors of shape \(2, n_factors\), received \(3, 2\)"),
        ({"context_vectors": np.ones((2, 1))}, ValueError, r"context_vectors of shape \(2, 2\), received \(2, 1\)"),
        ({"counts": np.ones(3)}, ValueError, r"counts of shape \(2,\), received \(3,\)"),
        ({"item_vectors": [[np.nan, 1], [1, 1]]}, ValueError, "finite item_vectors, received NaN or infinity in row 0"),
        ({"item_vectors": [["a", "b"], ["c", "d"]]}, TypeError, "item_vectors of real numbers, received <U1"),
    ],
)
def test_item_vectors_refuse(changes, error, message):
    usual = {"ids": [1, 2], "item_vectors": np.ones((2, 2)), "context_vectors": np.ones((2, 2)), "counts": np.ones(2)}
    with pytest.raises(error, match=message):
        item2vec.ItemVectors(**{**usual, "losses": np.zeros(1), **changes})


# Sessions that are none, and pairs that do not fit


@FITS
@pytest.mark.parametrize(
    ("sessions", "error", "message"),
    [
        (
            csr_array(np.eye(3)),
            TypeError,
            r"sessions as a list of lists of ids, received csr_array; events.sessions\(\)",
        ),
        (Interactions.from_labels([0], [0]), TypeError, "sessions as a list of lists of ids, received Interactions"),
        ("abc", TypeError, "sessions as a list of lists of ids, received str"),
        ({1: [1, 2]}, TypeError, "sessions as a list of lists of ids, received dict"),
        (np.eye(3), TypeError, "ids in every session, received numbers of float64 at place 0; a row of a matrix"),
        (np.eye(3) > 0, TypeError, "ids in every session, received numbers of bool at place 0"),
        ([csr_array(np.eye(1, 3))], TypeError, "every session as a sequence of ids, received <.*> at place 0"),
        (["ab"], TypeError, "every session as a sequence of ids, received 'ab' at place 0"),
        ([[1, 2], {3, 4}], TypeError, "every session in an order, received a set at place 1; sort it into a list"),
        ([[1, float("nan")]], ValueError, "ids that equal themselves, received NaN; leave events without an item out"),
    ],
)
def test_fit_refuses_what_are_no_sessions(fit, sessions, error, message):
    with pytest.raises(error, match=f"(?s){message}"):
        fit(sessions, 2, n_epochs=1, rng=generator())


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"contexts": [0]}, ValueError, "for each of 2 centres, received 1 contexts and negatives of shape"),
        (
            {"negatives": [[0]]},
            ValueError,
            r"for each of 2 centres, received 2 contexts and negatives of shape \(1, 1\)",
        ),
        ({"negatives": [0, 1]}, ValueError, "negatives as an array of 2 dimensions"),
        ({"centres": [-1, 0]}, ValueError, "centres of 0 or more and below 3, received -1"),
        ({"contexts": [0, 3]}, ValueError, "contexts of 0 or more and below 3, received 3"),
        ({"negatives": [[True], [False]]}, TypeError, "negatives as indices, received bool"),
        (
            {"context_vectors": np.ones((3, 1))},
            ValueError,
            r"equally many columns, received shapes \(3, 2\) and \(3, 1\)",
        ),
        ({"item_vectors": np.ones(3)}, ValueError, r"with one row a vector .* received shapes \(3,\) and \(3, 2\)"),
    ],
)
@pytest.mark.parametrize("function", [sgns_loss, sgns_gradients])
def test_sgns_refuses_pairs_that_do_not_fit(function, changes, error, message):
    usual = {"item_vectors": np.ones((3, 2)), "context_vectors": np.ones((3, 2))}
    usual |= {"centres": [0, 1], "contexts": [1, 2], "negatives": [[0], [1]]}
    with pytest.raises(error, match=message):
        function(**{**usual, **changes})


# similar_items


def fitted_with(vectors):
    vectors = np.array(vectors, dtype=np.float32)
    ids = list("abcdefgh"[: len(vectors)])
    return item2vec.ItemVectors(ids, vectors, np.zeros_like(vectors), np.ones(len(ids), dtype=int), np.zeros(1))


def test_similar_items_by_hand():
    found = similar_items(fitted_with([[1, 0], [3, 3], [0, 2], [-5, 0]]), "a", 2)
    assert [item for item, _ in found] == ["b", "c"]
    assert [cosine for _, cosine in found] == pytest.approx([np.sqrt(0.5), 0], abs=1e-7)
    assert all(type(cosine) is float for _, cosine in found)


def test_similar_items_never_lists_the_item_even_if_another_one_is_equal():
    fitted = fitted_with([[1, 2], [1, 2], [1, 2]])
    assert [item for item, _ in similar_items(fitted, "b", 2)] == ["a", "c"]


def test_similar_items_gives_all_others_if_k_is_larger():
    assert len(similar_items(fitted_with([[1, 0], [0, 1], [1, 1]]), "a", 10)) == 2


def test_similar_items_of_a_single_item_are_none():
    assert similar_items(fitted_with([[1, 0]]), "a", 3) == []


def test_similar_items_agrees_with_gensim():
    sessions = planted_sessions()
    fitted = fit_gensim(sessions, n_factors=6, n_epochs=3, rng=generator())
    model = Word2Vec(vector_size=6, min_count=1)
    model.build_vocab([[str(item) for item in fitted.ids]])
    for item in fitted.ids:
        model.wv[str(item)] = fitted.vector(item)
    expected = model.wv.most_similar(str(fitted.ids[0]), topn=5)
    found = similar_items(fitted, fitted.ids[0], 5)
    assert [str(item) for item, _ in found] == [item for item, _ in expected]
    assert [cosine for _, cosine in found] == pytest.approx([cosine for _, cosine in expected], abs=1e-6)


def test_similar_items_refuses_an_unknown_item():
    with pytest.raises(KeyError, match="received 'z'; an item without a session has no vector"):
        similar_items(small_fit(), "z", 1)


@pytest.mark.parametrize("k", [0, 1.5])
def test_similar_items_refuses_a_wrong_k(k):
    with pytest.raises(ValueError, match=f"expected k as a whole number of 1 or more, received {k}"):
        similar_items(small_fit(), "a", k)


def test_fit_sgns_sees_the_two_circles_of_davis():
    # Who came to which party, one session a woman. E1 to E5 and E10 to E14 were attended by different circles.
    davis = load_davis()
    sessions = [davis.items[davis.users == user].tolist() for user in range(davis.n_users)]
    fitted = fit_sgns(sessions, n_factors=2, n_epochs=100, rng=generator())
    nearest = [{item for item, _ in similar_items(fitted, event, 3)} for event in (0, 11)]
    assert nearest[0] <= {1, 2, 3, 4, 5}
    assert nearest[1] <= {9, 10, 12, 13}
