import json

import matplotlib.pyplot as plt
import numpy as np
import pytest
import traitlets
from scipy.sparse import csr_array

from utils.matrix_factorization import fit_sgd
from utils.widgets import FactorExplorer
from utils.widgets.matrix_factorization import LETTERS

N_USERS, N_ITEMS, SHOWN = 24, 15, (6, 5)
RANKS, PENALTIES = (1, 3), (0, 2.5, 8)
USERS = [f"viewer {u}" for u in range(N_USERS)]
ITEMS = [f"film {i}" for i in range(N_ITEMS)]
RATES = 0.05 * 0.8 ** np.array([0, 0, 0, 1])  # four epochs; the last two fifths fall


@pytest.fixture(scope="module")
def known():
    """Ratings of half of the pairs, more of the first users and items, and the true ones."""
    rng = np.random.default_rng(0)
    expected = 3 + rng.standard_normal((N_USERS, 2)) @ rng.standard_normal((2, N_ITEMS)) / 2
    chance = np.linspace(0.9, 0.4, N_USERS)[:, None] * np.linspace(1, 0.6, N_ITEMS)
    is_rated = rng.random(expected.shape) < chance
    stars = (expected + 0.3 * rng.standard_normal(expected.shape)).round().clip(1, 5)
    return csr_array(np.where(is_rated, stars, 0)), expected


@pytest.fixture(scope="module")
def make(known):
    """Make an explorer with other arguments than usual."""

    def make_(**changes):
        ratings, expected = known
        usual = {
            **{"ratings": ratings, "expected": expected, "user_labels": USERS, "item_labels": ITEMS},
            **{"n_shown": SHOWN, "ranks": RANKS, "penalties": PENALTIES, "learning_rate": 0.05, "n_epochs": 4},
        }
        return FactorExplorer(**{**usual, **changes})

    return make_


@pytest.fixture(scope="module")
def explorer(make):
    return make()


def numbers(letters):
    """Read an encoded table back."""
    return np.reshape([LETTERS.index(letter) / 10 for letter in letters], SHOWN)


def places(explorer):
    """Return the rows and columns of the whole matrix that are drawn."""
    return [USERS.index(name) for name in explorer.users], [ITEMS.index(name) for name in explorer.items]


# What is precomputed


def test_truth_is_that_of_the_pairs_drawn_in_tenths(explorer, known):
    expected = known[1][np.ix_(*places(explorer))]
    np.testing.assert_allclose(numbers(explorer.truth), expected.clip(0, 6.1), atol=0.0501)


@pytest.mark.parametrize("has_biases", [False, True])
@pytest.mark.parametrize("rank", RANKS)
@pytest.mark.parametrize("penalty", PENALTIES)
def test_prediction_and_errors_are_those_of_a_fit(explorer, known, has_biases, rank, penalty):
    ratings, expected = known
    options = {"learning_rate": RATES, "n_epochs": 4, "has_biases": has_biases, "progress": False}
    model = fit_sgd(ratings, rank, penalty=penalty, rng=np.random.default_rng(0), **options)
    predicted = model.scores(range(N_USERS))
    unseen = ratings.toarray() == 0
    place = (has_biases * 2 + RANKS.index(rank)) * 3 + PENALTIES.index(penalty)
    drawn = predicted[np.ix_(*places(explorer))].clip(0, 6.1)
    np.testing.assert_allclose(numbers(explorer.predictions[place]), drawn, atol=0.0501)
    assert explorer.seen_errors[place] == pytest.approx(model.rmse(ratings), abs=0.00501)
    error = np.sqrt(((predicted - expected)[unseen] ** 2).mean())
    assert explorer.unseen_errors[place] == pytest.approx(error, abs=0.00501)


def test_every_setting_has_a_prediction_and_two_errors(explorer):
    lengths = {len(explorer.predictions), len(explorer.seen_errors), len(explorer.unseen_errors)}
    assert lengths == {2 * len(RANKS) * len(PENALTIES)}


def test_baseline_is_the_best_fit_without_vectors(explorer, known):
    ratings, expected = known
    unseen = ratings.toarray() == 0
    errors = []
    for penalty in PENALTIES:
        options = {"penalty": penalty, "learning_rate": RATES, "n_epochs": 4, "progress": False}
        model = fit_sgd(ratings, 0, rng=np.random.default_rng(0), **options)
        errors.append(np.sqrt(((model.scores(range(N_USERS)) - expected)[unseen] ** 2).mean()))
    assert explorer.baseline == pytest.approx(min(errors), abs=0.00501)


def test_rated_lists_the_ratings_that_are_drawn(explorer, known):
    stars = known[0].toarray()[np.ix_(*places(explorer))]
    expected = [[int(place), float(stars.flat[place])] for place in np.flatnonzero(stars)]
    assert explorer.rated == expected
    assert 0 < len(expected) < stars.size


def test_drawing_has_the_most_and_the_least_active_and_popular(explorer, known):
    is_rated = known[0].toarray() > 0
    for names, labels, counts in (
        (explorer.users, USERS, is_rated.sum(axis=1)),
        (explorer.items, ITEMS, is_rated.sum(axis=0)),
    ):
        drawn = [counts[labels.index(name)] for name in names]
        assert (max(drawn), min(drawn)) == (counts.max(), counts.min())
        assert len(set(names)) == len(names)


def test_drawing_is_sorted_by_the_strongest_pattern(explorer, known):
    part = known[1][np.ix_(*places(explorer))]
    u, _, vt = np.linalg.svd(part - part.mean())
    for direction in (u[:, 0], vt[0]):
        steps = np.diff(direction)
        assert (steps > 0).all() or (steps < 0).all()


def test_same_arguments_give_the_same_state(make, explorer):
    assert make().state() == explorer.state()


# Arguments


def test_explorer_starts_at_the_first_stops_with_biases(explorer):
    assert (explorer.rank, explorer.penalty, explorer.has_biases) == (1, 0, True)
    assert (explorer.user, explorer.item) == (explorer.users[0], explorer.items[0])


@pytest.mark.parametrize(
    ("name", "value", "advice"),
    [
        ("rank", 2, r"\[1, 3\]"),
        ("penalty", 1.5, r"\[0.0, 2.5, 8.0\]"),
        ("user", "nobody", "viewer"),
        ("item", "", "film"),
    ],
)
def test_explorer_rejects_what_is_not_a_stop_and_keeps_the_old(explorer, name, value, advice):
    before = getattr(explorer, name)
    with pytest.raises(traitlets.TraitError, match=f"expected {name} among .*{advice}.*, received {value!r}; choose"):
        setattr(explorer, name, value)
    assert getattr(explorer, name) == before


def test_explorer_rejects_dense_ratings(make, known):
    with pytest.raises(traitlets.TraitError, match=r"sparse matrix of the shape \(24, 15\) .*, received ndarray of"):
        make(ratings=known[0].toarray())


def test_explorer_rejects_a_truth_about_other_pairs(make, known):
    with pytest.raises(traitlets.TraitError, match=r"shape \(23, 15\) of the truth, received csr_array of shape"):
        make(expected=known[1][1:])


@pytest.mark.parametrize(("name", "n"), [("user_labels", 24), ("item_labels", 15)])
def test_explorer_rejects_labels_that_do_not_name_each(make, name, n):
    with pytest.raises(traitlets.TraitError, match=rf"expected {n} different {name}, received {n} with 1 different"):
        make(**{name: ["one"] * n})


@pytest.mark.parametrize("n_shown", [(1, 5), (6, 16), (25, 5)])
def test_explorer_rejects_a_part_that_is_not_there(make, n_shown):
    with pytest.raises(traitlets.TraitError, match=r"n_shown as two numbers from 2 to \(24, 15\), received \("):
        make(n_shown=n_shown)


@pytest.mark.parametrize(
    ("name", "stops"),
    [("ranks", (0, 1)), ("ranks", (2,)), ("ranks", (2, 2)), ("penalties", (-1, 1)), ("penalties", (3, 1))],
)
def test_explorer_rejects_stops_that_do_not_increase(make, name, stops):
    with pytest.raises(traitlets.TraitError, match=rf"two or more increasing {name} from . on, received \["):
        make(**{name: stops})


# State, text and picture


def test_state_is_complete_and_json(explorer):
    state = explorer.state()
    assert json.loads(json.dumps(state, allow_nan=False)) == state
    assert sorted(state) == [
        *("baseline", "has_biases", "item", "items", "penalties", "penalty", "predictions", "rank", "ranks", "rated"),
        *("seen_errors", "truth", "unseen_errors", "user", "users"),
    ]


def test_state_of_the_usual_size_is_small():
    rng = np.random.default_rng(0)
    expected = 3 + rng.standard_normal((40, 30))
    ratings = csr_array(np.where(rng.random((40, 30)) < 0.3, expected.round().clip(1, 5), 0))
    labels = [[f"a rather long name {n}" for n in range(size)] for size in (40, 30)]
    state = FactorExplorer(ratings, expected, *labels, n_epochs=1).state()
    assert len(json.dumps(state, separators=(",", ":"))) < 60_000


def test_describe_by_hand(make):
    explorer = make(rank=3, penalty=2.5)
    place = 3 + 6 + 1
    row, column = divmod(explorer.rated[0][0], SHOWN[1])
    explorer.user, explorer.item = explorer.users[row], explorer.items[column]
    true, predicted = numbers(explorer.truth)[row, column], numbers(explorer.predictions[place])[row, column]
    more = explorer.unseen_errors[place] - min(explorer.unseen_errors)
    than = f"{more:.2f} more than with the best setting here" if more else "the least of all settings here"
    assert explorer.describe() == (
        f"3 factors, penalty 2.5, with biases. Error on the ratings that the model saw: "
        f"{explorer.seen_errors[place]:.2f} stars. On the true ratings of all other pairs: "
        f"{explorer.unseen_errors[place]:.2f}, {than}. For {explorer.user} and {explorer.item}: truth {true:.1f}, "
        f"predicted {predicted:.1f}, rated {explorer.rated[0][1]:g}."
    )


def test_describe_names_the_best_setting_and_a_pair_without_rating(make):
    explorer = make()
    best = int(np.argmin(explorer.unseen_errors))
    half, rest = divmod(best, 6)
    explorer.has_biases, explorer.rank, explorer.penalty = bool(half), RANKS[rest // 3], PENALTIES[rest % 3]
    rated = {place for place, _ in explorer.rated}
    row, column = divmod(min(set(range(30)) - rated), SHOWN[1])
    explorer.user, explorer.item = explorer.users[row], explorer.items[column]
    assert "the least of all settings here. " in explorer.describe()
    assert explorer.describe().endswith("not rated.")


def test_describe_says_one_factor(explorer):
    assert explorer.describe().startswith("1 factor, penalty 0, with biases.")


def test_draw_shows_truth_and_prediction_side_by_side(explorer):
    figure = explorer.draw()
    titles = [axes.get_title(loc="left") + axes.get_title() for axes in figure.axes]
    squares = [len(axes.collections[0].get_offsets()) for axes in figure.axes]
    strength = figure.axes[0].collections[0].get_alpha()
    plt.close(figure)
    assert titles == ["truth", "predicted"]
    assert squares == [30, 30]
    np.testing.assert_allclose(strength, np.abs((numbers(explorer.truth).ravel() - 3) / 2).clip(0, 1))
