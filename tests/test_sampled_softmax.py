import numpy as np
import pytest
from scipy.optimize import approx_fprime, minimize
from scipy.special import log_softmax

from utils.negative_sampling import InBatchSampler, NoiseSampler, PopularitySampler, UniformSampler
from utils.sampled_softmax import TwoTables, loss_gradient, train


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


# TwoTables


def test_start_has_the_scale_asked_for_and_no_biases():
    model = TwoTables.start(300, 200, 10, rng=np.random.default_rng(0), scale=0.3)
    assert model.user_factors.std() == pytest.approx(0.3, rel=0.05)
    assert model.item_factors.std() == pytest.approx(0.3, rel=0.05)
    assert not model.item_biases.any()


def test_start_refuses_no_factors():
    with pytest.raises(ValueError, match="n_factors as a whole number of 1 or more, received 0"):
        TwoTables.start(3, 2, 0, rng=np.random.default_rng(0))


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
    with pytest.raises(ValueError, match="a loss among 'softmax', 'logistic', received 'hinge'"):
        loss_gradient(np.zeros((1, 2)), "hinge")


# train


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
def test_train_takes_the_step_of_a_slow_loop(loss, is_corrected):
    users, items = np.array([0, 1, 1, 3]), np.array([2, 2, 5, 0])
    log_q = np.log([0.3, 0.2, 0.2, 0.1, 0.1, 0.1]) if is_corrected else np.zeros(6)
    ours, slow = tables(), tables()
    train(
        ours,
        users,
        items,
        Fixed([4, 4, 2]),  # an item twice, and one that is also a positive
        n_negatives=3,
        n_epochs=1,
        learning_rate=0.2,
        penalty=0.1,
        log_probabilities=log_q if is_corrected else None,
        loss=loss,
        rng=np.random.default_rng(0),
    )
    one_step_by_hand(slow, users, items, [[i, 4, 4, 2] for i in items], 0.2, 0.1, loss, log_q)
    for name in ("user_factors", "item_factors", "item_biases"):
        assert np.allclose(getattr(ours, name), getattr(slow, name), atol=1e-12)


def test_train_full_takes_the_step_of_a_sample_that_is_the_catalogue():
    users, items = np.array([0, 1, 1, 3]), np.array([2, 2, 5, 0])
    full, slow = tables(), tables()
    train(full, users, items, None, n_epochs=1, learning_rate=0.2, penalty=0.1, rng=np.random.default_rng(0))
    rows = [[i, *(j for j in range(6) if j != i)] for i in items]
    one_step_by_hand(slow, users, items, rows, 0.2, 0.1, "softmax", np.zeros(6))
    for name in ("user_factors", "item_factors", "item_biases"):
        assert np.allclose(getattr(full, name), getattr(slow, name), atol=1e-12)


def test_train_counts_its_scores():
    users, items = np.arange(4), np.arange(4)
    sampled = train(tables(), users, items, UniformSampler(6), n_negatives=2, n_epochs=3, rng=np.random.default_rng(0))
    full = train(tables(), users, items, None, n_epochs=3, rng=np.random.default_rng(0))
    assert (sampled.n_scores, full.n_scores) == (4 * 3 * 3, 4 * 6 * 3)


def test_train_reports_the_loss_of_the_first_epoch():
    model = TwoTables(np.zeros((1, 2)), np.zeros((5, 2)), np.zeros(5))
    training = train(model, [0], [0], Fixed([1, 2, 3]), n_negatives=3, n_epochs=1, rng=np.random.default_rng(0))
    assert training.losses == pytest.approx([np.log(4)])


def test_train_lowers_the_loss():
    rng = np.random.default_rng(0)
    users = np.repeat(np.arange(30), 10)
    items = 6 * (users % 2) + rng.integers(6, size=300)  # two circles of users with items of their own
    model = TwoTables.start(30, 12, 2, rng=rng)
    losses = train(model, users, items, None, n_epochs=30, rng=rng).losses
    assert losses[-1] < np.log(7) < losses[0]  # the circles known, log 6 is left
    own = np.arange(12) // 6 == (np.arange(30) % 2)[:, None]
    scores = model.scores(range(30))
    assert scores[own].mean() > scores[~own].mean() + 2


NOISE, CHOICES = np.array([0.55, 0.25, 0.15, 0.05]), np.array([0.4, 0.3, 0.2, 0.1])


def learned_biases(sampler, log_probabilities=None, loss="softmax"):
    """Biases of a model with nothing but biases, after many choices by `CHOICES`; their mean is 0."""
    rng = np.random.default_rng(0)
    items = rng.choice(4, p=CHOICES, size=40_000)
    model = TwoTables(np.zeros((1, 1)), np.zeros((4, 1)), np.zeros(4))
    options = {"n_epochs": 6, "learning_rate": 0.3, "penalty": 0.0, "batch_size": 500, "n_negatives": 3}
    users = np.zeros(40_000, int)
    train(model, users, items, sampler, log_probabilities=log_probabilities, loss=loss, rng=rng, **options)
    return model.item_biases - model.item_biases.mean()


def centred(values):
    return values - values.mean()


def test_train_full_learns_the_logarithm_of_the_choices():
    assert learned_biases(None) == pytest.approx(centred(np.log(CHOICES)), abs=0.06)


@pytest.mark.parametrize("loss", ["softmax", "logistic"])
def test_train_learns_choices_over_noise(loss):
    learned = learned_biases(NoiseSampler(NOISE), loss=loss)
    # 40,000 choices leave an item of 10 % an error of 1.5 %, and the steps do not come quite to rest
    assert learned == pytest.approx(centred(np.log(CHOICES / NOISE)), abs=0.06)


@pytest.mark.parametrize("loss", ["softmax", "logistic"])
def test_train_with_correction_learns_the_choices_again(loss):
    sampler = NoiseSampler(NOISE)
    learned = learned_biases(sampler, sampler.log_noise, loss)
    assert learned == pytest.approx(centred(np.log(CHOICES)), abs=0.06)


def test_train_in_batch_learns_nothing_where_all_users_are_alike():
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


def test_train_with_biases_and_correction_is_train_from_shifted_biases():
    users, items = np.random.default_rng(0).integers(4, size=50), np.random.default_rng(1).integers(6, size=50)
    sampler = PopularitySampler(np.arange(1, 7), 0.75)
    corrected, shifted = tables(), tables()
    shifted.item_biases -= sampler.log_noise
    options = {"n_epochs": 3, "batch_size": 7}
    train(
        corrected, users, items, sampler, log_probabilities=sampler.log_noise, rng=np.random.default_rng(2), **options
    )
    train(shifted, users, items, sampler, rng=np.random.default_rng(2), **options)
    assert np.allclose(corrected.scores(range(4)), shifted.scores(range(4)) + sampler.log_noise)


def test_train_is_repeatable():
    one, other = tables(), tables()
    for model in (one, other):
        train(model, [0, 1, 2], [3, 4, 5], UniformSampler(6), n_epochs=2, rng=np.random.default_rng(3))
    assert np.array_equal(one.item_factors, other.item_factors)


def test_train_for_no_epoch_changes_nothing():
    model = tables()
    training = train(model, [0], [0], UniformSampler(6), n_epochs=0, rng=np.random.default_rng(0))
    assert (training.n_scores, len(training.losses)) == (0, 0)
    assert np.array_equal(model.item_factors, tables().item_factors)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"users": [], "items": []}, r"one or more events, received shapes \(0,\) and \(0,\)"),
        ({"users": [0, 1]}, r"received shapes \(2,\) and \(1,\); pass interactions.users"),
        ({"users": [4]}, "expected users of 0 or more and below 4, received 4 to 4; start larger tables"),
        ({"items": [-1]}, "expected items of 0 or more and below 6, received -1 to -1"),
        ({"loss": "hinge"}, "a loss among 'softmax', 'logistic', received 'hinge'"),
        ({"sampler": None, "loss": "logistic"}, "where there is no sampler, received 'logistic'; give a sampler"),
        ({"n_negatives": 0}, "n_negatives as a whole number of 1 or more"),
        ({"n_epochs": -1}, "n_epochs as a whole number of 0 or more"),
        ({"batch_size": 0}, "batch_size as a whole number of 1 or more"),
        ({"learning_rate": -1.0}, "learning_rate as a number of 0 or more"),
        ({"penalty": np.nan}, "penalty as a number of 0 or more"),
        ({"log_probabilities": np.zeros(5)}, r"log_probabilities of shape \(6,\), one an item, received \(5,\)"),
        ({"sampler": None, "log_probabilities": np.zeros(6)}, "no log_probabilities without a sampler"),
    ],
)
def test_train_refuses(changes, message):
    usual = {"users": [0], "items": [0], "sampler": UniformSampler(6), "rng": np.random.default_rng(0)}
    with pytest.raises(ValueError, match=message):
        train(tables(), **{**usual, **changes})


def test_train_refuses_a_seed_for_a_generator():
    with pytest.raises(TypeError, match="rng as a numpy Generator, received 1"):
        train(tables(), [0], [0], UniformSampler(6), rng=1)
