from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import approx_fprime, minimize
from scipy.sparse import csr_array
from scipy.special import log_softmax

from utils.data import Interactions
from utils.negative_sampling import HardSampler, InBatchSampler, NoiseSampler, PopularitySampler, UniformSampler
from utils.sampled_softmax import TwoTables, fit_softmax, loss_gradient


class Fixed:
    """A sampler that always gives the same negatives."""

    def __init__(self, negatives):
        self.negatives = np.asarray(negatives)

    def sample(self, users, items, n_negatives, *, rng):
        return np.tile(self.negatives[:n_negatives], (len(users), 1))


def tables(seed=0, shape=(4, 6, 3), scale=0.5):
    made = TwoTables.start(*shape, rng=np.random.default_rng(seed), scale=scale)
    made.item_biases[:] = np.random.default_rng(seed + 1).normal(0, 0.3, shape[1])
    return made


def fit(users, items, sampler, *, init=None, **options):
    """Fit tables of the size of `init`, or of 4 users, 6 items and 3 factors."""
    start = tables() if init is None else init
    (n_users, n_factors), n_items = start.user_factors.shape, len(start.item_factors)
    events = Interactions.from_labels(users, items, user_labels=range(n_users), item_labels=range(n_items))
    usual = {"n_epochs": 1, "rng": np.random.default_rng(0), "progress": False}
    return fit_softmax(events, n_factors, sampler=sampler, init=start, **{**usual, **options})


# TwoTables


def test_start_has_the_scale_asked_for_and_no_biases():
    model = TwoTables.start(300, 200, 10, rng=np.random.default_rng(0), scale=0.3)
    assert model.user_factors.std() == pytest.approx(0.3, rel=0.05)
    assert model.item_factors.std() == pytest.approx(0.3, rel=0.05)
    assert not model.item_biases.any()


def test_start_refuses_no_factors():
    with pytest.raises(ValueError, match="n_factors as a whole number of 1 or more, received 0"):
        TwoTables.start(3, 2, 0, rng=np.random.default_rng(0))


def test_start_refuses_a_seed_for_a_generator():
    with pytest.raises(TypeError, match="rng as a numpy Generator, received 0"):
        TwoTables.start(3, 2, 1, rng=0)


def test_tables_of_small_integers_do_not_overflow():
    model = TwoTables(np.full((1, 2), 100, np.int8), np.full((1, 2), 100, np.int8), np.zeros(1, np.int8))
    assert model.scores([0]) == model.score([0], [[0]]) == 20_000


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"user_factors": np.ones(3)}, ValueError, r"user_factors of shape \(n_users, n_factors\), received \(3,\)"),
        ({"item_factors": np.ones((5, 3))}, ValueError, r"item_factors of shape \(n_items, 2\), received \(5, 3\)"),
        ({"item_biases": np.ones(3)}, ValueError, r"item_biases of shape \(4,\), received \(3,\)"),
        ({"item_biases": [0, 0, 0, np.nan]}, ValueError, "finite item_biases, received NaN or infinity in row 3"),
        ({"item_biases": list("abcd")}, TypeError, "item_biases of real numbers, received <U1"),
    ],
)
def test_tables_refuse(changes, error, message):
    usual = {"user_factors": np.ones((3, 2)), "item_factors": np.ones((4, 2)), "item_biases": np.zeros(4)}
    with pytest.raises(error, match=message):
        TwoTables(**{**usual, **changes})


@pytest.mark.parametrize(
    ("users", "items", "error"),
    [
        ([-1], [[0]], ValueError),
        ([True], [[0]], TypeError),
        ([0], [[6]], ValueError),
        ([0], [[0.5]], TypeError),
        ([0], [0], ValueError),
    ],
)
def test_score_refuses_what_is_no_index(users, items, error):
    with pytest.raises(error, match=r"expected (users|items) "):
        tables().score(users, items)


def test_scores_by_hand():
    model = TwoTables(np.array([[1.0, 2.0]]), np.array([[3.0, 1.0], [0.0, -1.0]]), np.array([0.5, 0.25]))
    assert model.scores([0]).tolist() == [[5.5, -1.75]]


def test_score_picks_from_scores():
    model, rng = tables(), np.random.default_rng(5)
    users, items = rng.integers(4, size=7), rng.integers(6, size=(7, 3))
    assert np.allclose(model.score(users, items), np.take_along_axis(model.scores(users), items, axis=1))


# loss_gradient


def test_loss_gradient_by_hand():
    values, gradient = loss_gradient(np.log([[1.0, 2.0, 1.0]]))
    assert values == pytest.approx([np.log(4)])
    assert gradient == pytest.approx(np.array([[-0.75, 0.5, 0.25]]))


def test_loss_gradient_of_the_logistic_loss_by_hand():
    values, gradient = loss_gradient(np.log([[3.0, 1.0, 4.0]]), "logistic")
    # sigmoids 3/4, 1/2, 4/5
    assert values == pytest.approx([-np.log(3 / 4) - np.log(1 / 2) - np.log(1 / 5)])
    assert gradient == pytest.approx(np.array([[-0.25, 0.5, 0.8]]))


@pytest.mark.parametrize("loss", ["softmax", "logistic"])
def test_loss_gradient_is_the_slope_of_the_loss(loss):
    scores = np.random.default_rng(0).normal(0, 2, 5)
    slope = approx_fprime(scores, lambda s: loss_gradient(s[None], loss)[0][0], 1e-7)
    assert loss_gradient(scores[None], loss)[1][0] == pytest.approx(slope, abs=1e-5)


def test_loss_gradient_agrees_with_scipy():
    scores = np.random.default_rng(1).normal(0, 3, (4, 6))
    assert np.allclose(loss_gradient(scores)[0], -log_softmax(scores, axis=1)[:, 0])


@pytest.mark.parametrize("loss", ["softmax", "logistic"])
def test_loss_gradient_survives_scores_of_a_thousand(loss):
    values, gradient = loss_gradient(np.array([[-1000.0, 1000.0], [1000.0, -1000.0]]), loss)
    assert np.isfinite(gradient).all()
    assert values[0] == pytest.approx(2000)
    assert values[1] == pytest.approx(0)


def test_loss_gradient_of_the_softmax_sums_to_0():
    gradient = loss_gradient(np.random.default_rng(2).normal(0, 3, (4, 6)))[1]
    assert gradient.sum(axis=1) == pytest.approx(np.zeros(4))


def test_loss_gradient_refuses_another_loss():
    with pytest.raises(ValueError, match="loss among 'softmax', 'logistic', received 'hinge'"):
        loss_gradient(np.zeros((1, 2)), "hinge")


# fit_softmax


def one_step_by_hand(model, users, items, rows, rate, penalty, loss, log_q):
    """One step on all events, term by term: rows[e] are the items of event e, the chosen one first."""
    gradients = [np.zeros_like(a) for a in (model.user_factors, model.item_factors, model.item_biases)]
    for u, i, row in zip(users, items, rows):
        x = model.user_factors[u]
        s = np.array([x @ model.item_factors[j] + model.item_biases[j] - log_q[j] for j in row])
        belief = np.exp(s) / np.exp(s).sum() if loss == "softmax" else 1 / (1 + np.exp(-s))
        for k, j in enumerate(row):
            error = belief[k] - (k == 0)
            gradients[0][u] += error * model.item_factors[j]
            gradients[1][j] += error * x
            gradients[2][j] += error
        gradients[0][u] += penalty * x
        gradients[1][i] += penalty * model.item_factors[i]
    for array, g in zip((model.user_factors, model.item_factors, model.item_biases), gradients):
        array -= rate * g / np.sqrt(1e-8 + g**2)


@pytest.mark.parametrize("loss", ["softmax", "logistic"])
@pytest.mark.parametrize("is_corrected", [False, True])
def test_fit_takes_the_step_of_a_slow_loop(loss, is_corrected):
    users, items = np.array([0, 1, 1, 3]), np.array([2, 2, 5, 0])
    log_q = np.log([0.3, 0.2, 0.2, 0.1, 0.1, 0.1]) if is_corrected else np.zeros(6)
    slow = tables()
    ours = fit(
        users,
        items,
        Fixed([4, 4, 2]),  # an item twice, and one that is also a positive
        n_negatives=3,
        learning_rate=0.2,
        penalty=0.1,
        log_probabilities=log_q if is_corrected else None,
        loss=loss,
    )
    one_step_by_hand(slow, users, items, [[i, 4, 4, 2] for i in items], 0.2, 0.1, loss, log_q)
    for name in ("user_factors", "item_factors", "item_biases"):
        assert np.allclose(getattr(ours, name), getattr(slow, name), atol=1e-12)


def test_fit_full_takes_the_step_of_a_sample_that_is_the_catalogue():
    users, items = np.array([0, 1, 1, 3]), np.array([2, 2, 5, 0])
    slow = tables()
    full = fit(users, items, None, learning_rate=0.2, penalty=0.1)
    rows = [[i, *(j for j in range(6) if j != i)] for i in items]
    one_step_by_hand(slow, users, items, rows, 0.2, 0.1, "softmax", np.zeros(6))
    for name in ("user_factors", "item_factors", "item_biases"):
        assert np.allclose(getattr(full, name), getattr(slow, name), atol=1e-12)


def test_fit_counts_its_scores():
    users, items = np.arange(4), np.arange(4)
    sampled = fit(users, items, UniformSampler(6), n_negatives=2, n_epochs=3)
    full = fit(users, items, None, n_epochs=3)
    assert (sampled.n_scores, full.n_scores) == (4 * 3 * 3, 4 * 6 * 3)


def test_fit_reports_the_loss_of_the_start_and_of_the_first_epoch():
    start = TwoTables(np.zeros((1, 2)), np.zeros((5, 2)), np.zeros(5))
    # the one event of the epoch meets the start too
    assert fit([0], [0], Fixed([1, 2, 3]), n_negatives=3, init=start).losses == pytest.approx([np.log(4)] * 2)


@pytest.mark.parametrize(
    "sampler", [None, UniformSampler(6), InBatchSampler(), HardSampler(UniformSampler(6), None, 3)]
)
def test_fit_measures_the_start_on_the_negatives_of_the_first_epoch(sampler):
    users, items = np.random.default_rng(0).integers(4, size=50), np.random.default_rng(1).integers(6, size=50)
    losses = fit(users, items, sampler, learning_rate=1e-12, penalty=0, batch_size=10).losses
    assert losses[1] == pytest.approx(losses[0], rel=1e-9)  # the steps are too short to be seen


@pytest.mark.parametrize("sampler", [UniformSampler(6), InBatchSampler()])
def test_fit_measures_the_start_without_drawing(sampler):
    """The state of the generator, and with it every later draw, is that of a fit that does not look at its start."""
    rng, twin = np.random.default_rng(0), np.random.default_rng(0)
    users, items = np.array([0, 1, 2]), np.array([3, 4, 5])
    fit(users, items, sampler, rng=rng)
    order = twin.permutation(3)
    sampler.sample(users[order], items[order], 5, rng=twin)
    assert rng.bit_generator.state == twin.bit_generator.state


def test_fit_with_a_hard_sampler_follows_the_tables_as_they_learn():
    """One user, one event: each epoch pushes down the item that scores highest, so that the next one takes its turn."""
    start = TwoTables(np.zeros((1, 1)), np.zeros((4, 1)), np.array([0.0, 0.3, 0.2, 0.1]))
    exclude = csr_array([[1, 0, 0, 0]])
    hard = HardSampler(UniformSampler(4, exclude=exclude), None, 60)  # 60 candidates: all three are among them
    options = {"n_negatives": 1, "learning_rate": 0.15, "penalty": 0}
    biases = [fit([0], [0], hard, init=start, n_epochs=n, **options).item_biases for n in range(4)]
    falls = [int((after - before)[1:].argmin()) + 1 for before, after in pairwise(biases)]
    assert falls == [1, 2, 1]


def test_fit_does_not_touch_its_start():
    start = tables()
    for array in (start.user_factors, start.item_factors, start.item_biases):
        array.flags.writeable = False
    fitted = fit([0, 1], [0, 1], UniformSampler(6), init=start, n_epochs=2)
    assert np.array_equal(start.item_factors, tables().item_factors)
    assert not np.array_equal(fitted.item_factors, start.item_factors)


def test_fit_without_init_begins_as_start_does():
    events = Interactions.from_labels([0, 1], [0, 1], user_labels=range(4), item_labels=range(6))
    rng = np.random.default_rng(0)
    start = TwoTables.start(4, 6, 3, rng=rng)
    given = fit_softmax(events, 3, sampler=UniformSampler(6), init=start, n_epochs=2, rng=rng)
    drawn = fit_softmax(events, 3, sampler=UniformSampler(6), n_epochs=2, rng=np.random.default_rng(0))
    assert np.array_equal(given.item_factors, drawn.item_factors)


def test_fit_refuses_a_loss_that_explodes():
    with pytest.raises(ValueError, match=r"does not explode, received 1e\+06: the loss was"):
        fit([0, 1, 2], [3, 4, 5], UniformSampler(6), learning_rate=1e6, n_epochs=5)


def test_fit_lowers_the_loss():
    rng = np.random.default_rng(0)
    users = np.repeat(np.arange(30), 10)
    items = 6 * (users % 2) + rng.integers(6, size=300)  # two circles of users with items of their own
    model = fit(users, items, None, init=TwoTables.start(30, 12, 2, rng=rng), n_epochs=30, rng=rng)
    losses = model.losses
    assert losses[-1] < np.log(7) < losses[1] < losses[0] + 0.1  # the circles known, log 6 is left
    own = np.arange(12) // 6 == (np.arange(30) % 2)[:, None]
    scores = model.scores(range(30))
    assert scores[own].mean() > scores[~own].mean() + 2


NOISE, CHOICES = np.array([0.55, 0.25, 0.15, 0.05]), np.array([0.4, 0.3, 0.2, 0.1])


def learned_biases(sampler, log_probabilities=None, loss="softmax"):
    """Biases of a model with nothing but biases, after many choices by `CHOICES`; their mean is 0."""
    rng = np.random.default_rng(0)
    items = rng.choice(4, p=CHOICES, size=40_000)
    start = TwoTables(np.zeros((1, 1)), np.zeros((4, 1)), np.zeros(4))
    options = {"n_epochs": 6, "learning_rate": 0.3, "penalty": 0.0, "batch_size": 500, "n_negatives": 3}
    users = np.zeros(40_000, int)
    options |= {"log_probabilities": log_probabilities, "loss": loss, "rng": rng}
    model = fit(users, items, sampler, init=start, **options)
    return model.item_biases - model.item_biases.mean()


def centred(values):
    return values - values.mean()


def test_fit_full_learns_the_logarithm_of_the_choices():
    assert learned_biases(None) == pytest.approx(centred(np.log(CHOICES)), abs=0.06)


@pytest.mark.parametrize("loss", ["softmax", "logistic"])
def test_fit_learns_choices_over_noise(loss):
    learned = learned_biases(NoiseSampler(NOISE), loss=loss)
    # 40,000 choices leave an item of 10 % an error of 1.5 %, and the steps do not come quite to rest
    assert learned == pytest.approx(centred(np.log(CHOICES / NOISE)), abs=0.06)


@pytest.mark.parametrize("loss", ["softmax", "logistic"])
def test_fit_with_correction_learns_the_choices_again(loss):
    sampler = NoiseSampler(NOISE)
    learned = learned_biases(sampler, sampler.log_noise, loss)
    assert learned == pytest.approx(centred(np.log(CHOICES)), abs=0.06)


def test_fit_in_batch_learns_nothing_where_all_users_are_alike():
    learned = learned_biases(InBatchSampler())  # the noise is the choices themselves
    assert learned == pytest.approx(np.zeros(4), abs=0.06)


def test_best_scores_do_not_depend_on_the_number_of_negatives():
    # The expected loss over all pairs (1 negative) has its minimum where the one over triples (2 negatives) has it.
    def expected_loss(s, n):
        total = 0.0
        for row in np.ndindex(*(4,) * (n + 1)):
            probability = CHOICES[row[0]] * np.prod(NOISE[list(row[1:])])
            total += probability * loss_gradient(s[list(row)][None])[0][0]
        return total

    for n in (1, 2):
        best = minimize(expected_loss, np.zeros(4), args=(n,), tol=1e-10).x
        assert centred(best) == pytest.approx(centred(np.log(CHOICES / NOISE)), abs=1e-3)


def test_fit_with_biases_and_correction_is_a_fit_from_shifted_biases():
    users, items = np.random.default_rng(0).integers(4, size=50), np.random.default_rng(1).integers(6, size=50)
    sampler = PopularitySampler(np.arange(1, 7), 0.75)
    start = tables()
    lower = TwoTables(start.user_factors, start.item_factors, start.item_biases - sampler.log_noise)
    options = {"n_epochs": 3, "batch_size": 7}
    corrected = fit(users, items, sampler, log_probabilities=sampler.log_noise, **options)
    shifted = fit(users, items, sampler, init=lower, **options)
    assert np.allclose(corrected.scores(range(4)), shifted.scores(range(4)) + sampler.log_noise)


def test_fit_calls_back_after_each_epoch():
    seen = []

    def note(epoch, made):
        seen.append((epoch, made.item_factors.copy()))

    fit([0, 1, 2, 3], [0, 1, 2, 3], UniformSampler(6), n_epochs=3, callback=note)
    assert [epoch for epoch, _ in seen] == [1, 2, 3]
    for epoch, factors in seen:
        until_then = fit([0, 1, 2, 3], [0, 1, 2, 3], UniformSampler(6), n_epochs=epoch)
        np.testing.assert_array_equal(factors, until_then.item_factors)


def test_fit_for_no_epoch_changes_nothing():
    model = fit([0], [0], UniformSampler(6), n_epochs=0)
    assert (model.n_scores, len(model.losses)) == (0, 1)
    assert np.array_equal(model.item_factors, tables().item_factors)


class Odd(Fixed):
    """A sampler of the wrong kind of negatives."""

    def sample(self, users, items, n_negatives, *, rng):
        return self.negatives


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"users": [], "items": []}, "one or more events, received none; there is nothing"),
        ({"loss": "hinge"}, "loss among 'softmax', 'logistic', received 'hinge'"),
        ({"sampler": None, "loss": "logistic"}, "where there is no sampler, received 'logistic'; give a sampler"),
        ({"n_negatives": 0}, "n_negatives as a whole number of 1 or more"),
        ({"n_epochs": -1}, "n_epochs as a whole number of 0 or more"),
        ({"batch_size": 0}, "batch_size as a whole number of 1 or more"),
        ({"learning_rate": -1.0}, "learning_rate as a number of 0 or more"),
        ({"learning_rate": 0.0}, "a learning_rate above 0, received 0; 0.3 is a start"),
        ({"penalty": np.nan}, "penalty as a number of 0 or more"),
        ({"log_probabilities": np.zeros(5)}, r"log_probabilities of shape \(6,\), one an item, received \(5,\)"),
        ({"log_probabilities": np.full(6, np.nan)}, "log_probabilities without NaN"),
        ({"sampler": None, "log_probabilities": np.zeros(6)}, "no log_probabilities without a sampler"),
        ({"sampler": UniformSampler(5)}, "a sampler of the 6 items of the events, received one of 5"),
        ({"sampler": UniformSampler(7)}, "a sampler of the 6 items of the events, received one of 7"),
        (
            {"sampler": HardSampler(UniformSampler(5), None, 2)},
            "a sampler of the 6 items of the events, received one of 5",
        ),
        ({"sampler": Odd([[6, 0, 0, 0, 0]])}, "negatives of 0 or more and below 6, received 6"),
        ({"sampler": Odd([[-1, 0, 0, 0, 0]])}, "negatives of 0 or more and below 6, received -1"),
        ({"sampler": Odd([[0, 0, 0, 0]])}, r"negatives of shape \(1, 5\) from the sampler, received \(1, 4\)"),
    ],
)
def test_fit_refuses(changes, message):
    with pytest.raises(ValueError, match=message):
        fit(**{"users": [0], "items": [0], "sampler": UniformSampler(6), **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rng": 1}, "rng as a numpy Generator, received 1"),
        ({"sampler": "uniform"}, "a sampler of utils.negative_sampling or None, received 'uniform'"),
        ({"sampler": Odd([[0.0, 0, 0, 0, 0]])}, "negatives as indices, received float64"),
    ],
)
def test_fit_refuses_the_wrong_kind(changes, message):
    with pytest.raises(TypeError, match=message):
        fit(**{"users": [0], "items": [0], "sampler": UniformSampler(6), **changes})


def test_fit_refuses_a_matrix_for_events_and_a_pair_for_tables():
    usual = {"sampler": None, "n_epochs": 1, "rng": np.random.default_rng(0)}
    with pytest.raises(TypeError, match=r"events as Interactions, received csr_array; Interactions\.from_labels"):
        fit_softmax(csr_array([[1.0]]), 1, **usual)
    events = Interactions.from_labels([0], [0])
    with pytest.raises(TypeError, match=r"init as TwoTables, received tuple; TwoTables\.start makes some"):
        fit_softmax(events, 1, init=(np.ones((1, 1)), np.ones((1, 1))), **usual)
    with pytest.raises(
        ValueError, match=r"init with user_factors of shape \(1, 1\) and 1 items, received \(4, 3\) and 6"
    ):
        fit_softmax(events, 1, init=tables(), **usual)
