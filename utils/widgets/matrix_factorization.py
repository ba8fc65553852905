"""Predicted against true ratings: sliders for the number of factors and the penalty, and a switch for the biases."""

from itertools import pairwise, product

import matplotlib.pyplot as plt
import numpy as np
import traitlets
from scipy.sparse import issparse

from utils.book.plotting import colour
from utils.matrix_factorization import fit_sgd, truncated_svd
from utils.widgets.base import BookWidget

#: A rating of 0.0 stars is the first letter, 0.1 the second, and so on to 6.1.
LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

#: The rating that is drawn without colour, and how far from it the colour is full.
MIDDLE, REACH = 3, 2


class FactorExplorer(BookWidget):
    r"""A part of the true matrix of ratings beside the one that vectors and biases predict.

    For every setting, `utils.matrix_factorization.fit_sgd` fits all ratings once, here. The drawing shows some users
    and items; the errors are those of all of them. Rows and columns are sorted by the strongest pattern of the truth,
    so that it can be seen.

    Parameters
    ----------
    ratings : sparse matrix or array of shape (n_users, n_items)
        What the model sees.
    expected : array_like of shape (n_users, n_items)
        The true rating of every pair.
    user_labels, item_labels : sequence of str
        A unique name for each user and item.
    n_shown : tuple of int, optional
        How many users and items are drawn: from the most active to the least active user, and likewise the items.
    ranks : sequence of int, optional
        Numbers of factors, the stops of a slider: two or more, increasing, 1 or more.
    penalties : sequence of float, optional
        Penalties, likewise, 0 or more.
    rank, penalty : optional
        Where the sliders start; the first stops if left out.
    has_biases : bool, optional
        Where the switch starts.
    learning_rate, n_epochs : optional
        As in `fit_sgd`.
    seed : int, optional
        Of every fit.

    Attributes
    ----------
    users, items : list of str
        Those that are drawn, in the order of the drawing.
    truth : str
        Row after row, a letter of `LETTERS` for each pair that is drawn: its true rating in tenths of a star.
    predictions : list of str
        The same for each setting; biases off come first, then by number of factors, then by penalty.
    rated : list of [int, float]
        The pairs of the drawing that the model has seen, as (place, stars).
    seen_errors, unseen_errors : list of float
        For each setting, the root mean squared error in stars: on the ratings that the model saw, and on the true
        ratings of all other pairs.
    baseline : float
        The second one for the mean and biases alone, at the best of the penalties.
    user, item : str
        The pair that is picked.

    Raises
    ------
    traitlets.TraitError
        If an argument is not as described; the message says what was expected, what was received, and what to do.
    """

    slug = "matrix_factorization"

    users = traitlets.List(traitlets.Unicode()).tag(sync=True)
    items = traitlets.List(traitlets.Unicode()).tag(sync=True)
    ranks = traitlets.List(traitlets.Int()).tag(sync=True)
    penalties = traitlets.List(traitlets.Float()).tag(sync=True)
    truth = traitlets.Unicode().tag(sync=True)
    predictions = traitlets.List(traitlets.Unicode()).tag(sync=True)
    rated = traitlets.List().tag(sync=True)
    seen_errors = traitlets.List(traitlets.Float()).tag(sync=True)
    unseen_errors = traitlets.List(traitlets.Float()).tag(sync=True)
    baseline = traitlets.Float().tag(sync=True)
    rank = traitlets.Int().tag(sync=True)
    penalty = traitlets.Float().tag(sync=True)
    has_biases = traitlets.Bool(True).tag(sync=True)
    user = traitlets.Unicode().tag(sync=True)
    item = traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        ratings,
        expected,
        user_labels,
        item_labels,
        *,
        n_shown=(16, 20),
        ranks=(1, 2, 4, 8, 16),
        penalties=(0, 1, 2, 4, 8, 16),
        rank=None,
        penalty=None,
        has_biases=True,
        learning_rate=0.08,
        n_epochs=15,
        seed=0,
    ):
        expected = np.asarray(expected, dtype=float)
        ranks, penalties = [int(d) for d in ranks], [float(value) for value in penalties]
        _check(ratings, expected, user_labels, item_labels, n_shown, ranks, penalties)
        is_rated = (ratings != 0).toarray()
        shown = np.ix_(*_choose(is_rated, expected, n_shown))

        def fit(d, value, with_biases):
            model = fit_sgd(
                ratings,
                d,
                penalty=value,
                learning_rate=_falling(learning_rate, n_epochs),
                n_epochs=n_epochs,
                has_biases=with_biases,
                rng=np.random.default_rng(seed),
                progress=False,
            )
            predicted = model.scores(np.arange(len(expected)))
            return _encode(predicted[shown]), model.train_rmse[-1], _rmse(predicted, expected, ~is_rated)

        fits = [fit(d, value, switch) for switch, d, value in product((False, True), ranks, penalties)]
        places = np.flatnonzero(is_rated[shown])
        stars = ratings.toarray()[shown].ravel()[places]
        super().__init__(
            users=[str(user_labels[u]) for u in shown[0].ravel()],
            items=[str(item_labels[i]) for i in shown[1].ravel()],
            ranks=ranks,
            penalties=penalties,
            truth=_encode(expected[shown]),
            predictions=[letters for letters, *_ in fits],
            rated=[[int(place), round(float(value), 1)] for place, value in zip(places, stars)],
            seen_errors=[round(float(error), 2) for _, error, _ in fits],
            unseen_errors=[round(float(error), 2) for *_, error in fits],
            baseline=round(float(min(fit(0, value, True)[2] for value in penalties)), 2),
            rank=ranks[0] if rank is None else rank,
            penalty=penalties[0] if penalty is None else penalty,
            has_biases=has_biases,
            user=str(user_labels[shown[0][0, 0]]),
            item=str(item_labels[shown[1][0, 0]]),
        )

    @traitlets.validate("rank")
    def _check_rank(self, proposal):
        return _check_stop("rank", proposal["value"], self.ranks)

    @traitlets.validate("penalty")
    def _check_penalty(self, proposal):
        return _check_stop("penalty", proposal["value"], self.penalties)

    @traitlets.validate("user")
    def _check_user(self, proposal):
        return _check_stop("user", proposal["value"], self.users)

    @traitlets.validate("item")
    def _check_item(self, proposal):
        return _check_stop("item", proposal["value"], self.items)

    def describe(self):
        """Say how large both errors are, and what is true and predicted for the pair that is picked."""
        place = _setting(self)
        cell = self.users.index(self.user) * len(self.items) + self.items.index(self.item)
        stars = dict(map(tuple, self.rated)).get(cell)
        true, predicted = (LETTERS.index(letters[cell]) / 10 for letters in (self.truth, self.predictions[place]))
        more = self.unseen_errors[place] - min(self.unseen_errors)
        return (
            f"{self.rank} factor{'s'[: self.rank > 1]}, penalty {self.penalty:g}, "
            f"{'with' if self.has_biases else 'without'} biases. Error on the ratings that the model saw: "
            f"{self.seen_errors[place]:.2f} stars. On the true ratings of all other pairs: "
            f"{self.unseen_errors[place]:.2f}, "
            f"{f'{more:.2f} more than with the best setting here' if more > 0 else 'the least of all settings here'}. "
            f"For {self.user} and {self.item}: truth {true:.1f}, predicted {predicted:.1f}, "
            f"{'not rated' if stars is None else f'rated {stars:g}'}."
        )

    def draw(self):
        """Draw the true ratings and the predicted ones."""
        figure, axes = plt.subplots(1, 2, figsize=(6.2, 3.2), sharey=True)
        for panel, title, letters in zip(axes, ("truth", "predicted"), (self.truth, self.predictions[_setting(self)])):
            table = np.reshape([LETTERS.index(letter) / 10 for letter in letters], (len(self.users), -1))
            away = np.clip((table - MIDDLE) / REACH, -1, 1)
            rows, columns = np.indices(table.shape)
            hues = np.where(away > 0, colour("blue"), colour("orange")).ravel()
            side = (195 / max(table.shape)) ** 2  # so that squares nearly touch
            panel.scatter(columns, rows, c=hues, alpha=np.abs(away).ravel(), marker="s", s=side, lw=0)
            panel.set(
                title=title, xlim=(-0.6, table.shape[1] - 0.4), ylim=(len(self.users) - 0.4, -0.6), aspect="equal"
            )
            panel.set_axis_off()
        return figure


def _setting(widget):
    """Return the place of the present setting among all."""
    row = widget.ranks.index(widget.rank) + widget.has_biases * len(widget.ranks)
    return row * len(widget.penalties) + widget.penalties.index(widget.penalty)


def _falling(learning_rate, n_epochs):
    """Return a learning rate for each epoch that falls in the last two fifths, so that every fit comes to rest."""
    return learning_rate * 0.8 ** np.maximum(0, np.arange(n_epochs) - 3 * n_epochs // 5)


def _encode(ratings):
    tenths = np.rint(10 * ratings).astype(int).clip(0, len(LETTERS) - 1)
    return "".join(LETTERS[value] for value in tenths.ravel())


def _rmse(predicted, expected, mask):
    return np.sqrt(np.mean((predicted - expected)[mask] ** 2))


def _choose(is_rated, expected, n_shown):
    """Return the rows and columns to draw, sorted by the strongest pattern of what is true for them."""
    rows, columns = (_spread(is_rated.sum(axis=1 - side), n) for side, n in enumerate(n_shown))
    part = expected[np.ix_(rows, columns)]
    pattern = truncated_svd(part - part.mean(), 1)
    by_pattern = (np.argsort(-vectors[:, 0], kind="stable") for vectors in (pattern.user_factors, pattern.item_factors))
    return [side[order] for side, order in zip((rows, columns), by_pattern)]


def _spread(counts, n):
    """Return n places, from the largest count to the smallest, in equal steps of their order."""
    order = np.argsort(-counts, kind="stable")
    return np.sort(order[np.linspace(0, len(order) - 1, n).round().astype(int)])


def _check_stop(name, value, stops):
    if value not in stops:
        raise traitlets.TraitError(f"expected {name} among {stops}, received {value!r}; choose one of them")
    return value


def _check(ratings, expected, user_labels, item_labels, n_shown, ranks, penalties):
    """Say what is wrong with the arguments, if anything is; `fit_sgd` checks the rest."""
    if not issparse(ratings) or ratings.shape != expected.shape:
        received = f"{type(ratings).__name__} of shape {np.shape(ratings)}"
        raise traitlets.TraitError(
            f"expected ratings as a sparse matrix of the shape {expected.shape} of the truth, received {received}; "
            "use Interactions.to_csr"
        )
    for name, labels, n in (("user", user_labels, expected.shape[0]), ("item", item_labels, expected.shape[1])):
        if len(labels) != n or len(set(labels)) != n:
            raise traitlets.TraitError(
                f"expected {n} different {name}_labels, received {len(labels)} with {len(set(labels))} different ones; "
                f"name each {name}"
            )
    if not all(2 <= n <= limit for n, limit in zip(n_shown, expected.shape, strict=True)):
        raise traitlets.TraitError(
            f"expected n_shown as two numbers from 2 to {expected.shape}, received {n_shown}; the truth has no more"
        )
    for name, stops, lowest in (("ranks", ranks, 1), ("penalties", penalties, 0)):
        if len(stops) < 2 or stops[0] < lowest or not all(a < b for a, b in pairwise(stops)):
            raise traitlets.TraitError(
                f"expected two or more increasing {name} from {lowest} on, received {stops}; they are the stops of a "
                "slider"
            )
