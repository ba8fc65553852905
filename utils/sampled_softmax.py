r"""Two tables of vectors, trained to tell the item that a user chose from negatives.

The score of an item for a user is :math:`s_{ui} = \mathbf{x}_u^\top \mathbf{y}_i + b_i`. Training shows the model an
item that was chosen and some that a sampler drew, and asks which one it was. The sampler is an argument, and nothing
else need change between one way of drawing and another.
"""

import copy
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array
from scipy.special import expit, log_softmax

from utils.book.progress import progress_bar
from utils.checks import (
    check_choice,
    check_floats,
    check_indices,
    check_number,
    check_rate,
    check_rng,
    check_whole,
    refuse_divergence,
)
from utils.data import Interactions
from utils.negative_sampling import HardSampler, logq_correction
from utils.recommender import check_users

#: How a row of scores is judged, all at once or each by itself.
LOSSES = ("softmax", "logistic")

# A fit whose loss is so many times that of its start, or of scores of 0, is lost.
LOST = 100


@dataclass(frozen=True, eq=False)
class TwoTables:
    """Vectors of users and of items, and a bias for each item; and how the fit went.

    Attributes
    ----------
    user_factors : ndarray of shape (n_users, n_factors), float64
        Row u is user u.
    item_factors : ndarray of shape (n_items, n_factors), float64
        Row i is item i. Not normalised.
    item_biases : ndarray of shape (n_items,), float64
        Added to the score of an item, whoever the user is.
    losses : ndarray of shape (1 + n_epochs,), float64
        Mean loss of an event, without the penalty: of the start, on the negatives of the first epoch; then of each
        epoch, as its batches come. Losses with different negatives are different questions, and cannot be compared.
        None for tables that were not fitted.
    n_scores : int
        How many scores were computed for the steps of all epochs; those that a sampler computes to choose are not
        counted.

    Raises
    ------
    TypeError, ValueError
        If the arrays are no finite real numbers, or their shapes do not fit.
    """

    user_factors: np.ndarray
    item_factors: np.ndarray
    item_biases: np.ndarray
    losses: np.ndarray | None = None
    n_scores: int = 0

    def __post_init__(self):
        users = check_floats("user_factors", self.user_factors, ("n_users", "n_factors"))
        items = check_floats("item_factors", self.item_factors, ("n_items", users.shape[1]))
        checked = {
            "user_factors": users,
            "item_factors": items,
            "item_biases": check_floats("item_biases", self.item_biases, (len(items),)),
        }
        for field, array in checked.items():
            object.__setattr__(self, field, array)  # the dataclass is frozen for everyone else

    @classmethod
    def start(cls, n_users, n_items, n_factors, *, rng, scale=0.1):
        """Draw small random vectors, and set all biases to 0.

        Parameters
        ----------
        n_users, n_items, n_factors : int
            1 or more.
        rng : numpy.random.Generator
            Draws the user vectors, then the item vectors.
        scale : float, optional
            Standard deviation of a coordinate.

        Returns
        -------
        TwoTables

        Raises
        ------
        TypeError
            If `rng` is not a generator.
        ValueError
            If a size is below 1, or the scale is no number of 0 or more.
        """
        for name, value in (("n_users", n_users), ("n_items", n_items), ("n_factors", n_factors)):
            check_whole(name, value, 1)
        check_number("scale", scale)
        check_rng(rng)
        users = scale * rng.standard_normal((n_users, n_factors))
        return cls(users, scale * rng.standard_normal((n_items, n_factors)), np.zeros(n_items))

    def score(self, users, items):
        """Score some items for each user.

        Parameters
        ----------
        users : array_like of shape (n,), int
            Indices, from 0.
        items : array_like of shape (n, n_candidates), int
            Indices, from 0.

        Returns
        -------
        ndarray of shape (n, n_candidates), float64

        Raises
        ------
        TypeError, ValueError
            If an index is not that of a user or an item.
        """
        users = check_users(users, len(self.user_factors))
        items = check_indices("items", items, len(self.item_factors), n_dimensions=2)
        y = self.item_factors.take(items, axis=0)  # what indexing by an array does, and faster
        products = y @ self.user_factors[users][:, :, None]  # (n, n_candidates, 1)
        return products[..., 0] + self.item_biases[items]

    def scores(self, users):
        """Score all items for some users, as `utils.recommender.Recommender.scores` says."""
        users = check_users(users, len(self.user_factors))
        return self.user_factors[users] @ self.item_factors.T + self.item_biases


def fit_softmax(
    events,
    n_factors,
    *,
    sampler,
    n_negatives=5,
    learning_rate=0.3,
    penalty=0.05,
    batch_size=1024,
    log_probabilities=None,
    loss="softmax",
    n_epochs,
    rng,
    init=None,
    progress=True,
    callback=None,
):
    r"""Fit two tables to events, each of which says that a user chose an item.

    With the chosen item first and its negatives after it, the loss of an event is, for "softmax" and "logistic",

    .. math::

        -\log \frac{e^{s_0}}{\sum_{k=0}^{n_\text{neg}} e^{s_k}}
        \qquad \text{and} \qquad
        -\log \operatorname{sigmoid}(s_0) - \sum_{k=1}^{n_\text{neg}} \log \operatorname{sigmoid}(-s_k) .

    Each event also brings :math:`\tfrac{\lambda}{2} (\lVert\mathbf{x}_u\rVert^2 + \lVert\mathbf{y}_i\rVert^2)` for its
    user and its item. Biases are free. Steps are those of AdaGrad: every number has a learning rate of its own, which
    falls with the squares of the gradients that it has seen.

    Parameters
    ----------
    events : Interactions
        At least one event. A pair that occurs twice counts twice; values and times do not count.
    n_factors : int
        1 or more.
    sampler : sampler or None
        One of `utils.negative_sampling`. None takes the whole catalogue: the full softmax. A `HardSampler` without a
        score chooses by the scores of the tables as they are at each batch.
    n_negatives : int, optional
        Negatives for each event, 1 or more; not used by the full softmax.
    learning_rate, penalty : float, optional
        :math:`\eta`, above 0, and :math:`\lambda`, 0 or more.
    batch_size : int, optional
        Events whose gradients are summed to one step.
    log_probabilities : array_like of shape (n_items,), optional
        Subtract these from the scores in the loss (`logq_correction`). The scores of the tables stay as they are. The
        full softmax has nothing to correct.
    loss : {"softmax", "logistic"}, optional
        The second one is that of skip-gram with negative sampling.
    n_epochs : int
        How often to visit all events, 0 or more, in a new random order each time.
    rng : numpy.random.Generator
        Draws the start, as `TwoTables.start` does, unless `init` is given; then the order of each epoch, and the
        negatives.
    init : TwoTables, optional
        Where to start. Not modified.
    progress : bool, optional
        Whether a fit that takes longer than two seconds shows a progress bar.
    callback : callable, optional
        Called as ``callback(epoch, tables)`` after each epoch, the first is 1, with the tables as they are then. They
        go on changing afterwards; do not modify them.

    Returns
    -------
    TwoTables

    Raises
    ------
    TypeError
        If `events` are no Interactions, `init` no TwoTables, or `rng` is not a generator.
    ValueError
        If an argument is out of its range or does not fit the events, the full softmax is asked for another loss, or
        the learning rate is so large that the loss explodes.

    References
    ----------
    duchi2011adaptive, for the steps; yi2019sampling, for the correction; mikolov2013distributed, equation 4, for the
    logistic loss.

    Examples
    --------
    Two users choose between two items, each always the same one:

    >>> events = Interactions.from_labels(["Ann", "Ben"], ["Alien", "Heat"])
    >>> tables = fit_softmax(events, 1, sampler=None, n_epochs=50, rng=np.random.default_rng(0))
    >>> tables.scores([0, 1]).argmax(axis=1), tables.n_scores
    (array([0, 1]), 200)
    """
    _check_events(events)
    check_whole("n_factors", n_factors, 1)
    log_q = _check_log_probabilities(log_probabilities, events.n_items, sampler)
    _check_options(sampler, n_negatives, n_epochs, learning_rate, penalty, batch_size, loss, rng)
    _check_sampler(sampler, events.n_items)
    start = TwoTables.start(events.n_users, events.n_items, n_factors, rng=rng) if init is None else init
    tables = _check_init(start, events, n_factors)
    if isinstance(sampler, HardSampler) and sampler.score is None:
        sampler = HardSampler(sampler.base, tables.score, sampler.n_candidates)

    def visit(rng):
        """Yield the loss of each batch in a random order, its gradients, the number of scores, the users and items."""
        order = rng.permutation(len(events))
        for begin in range(0, len(order), batch_size):
            batch = order[begin : begin + batch_size]
            user, item = events.users[batch], events.items[batch]
            if sampler is None:
                yield *_full_step(tables, user, item), user, item
            else:
                negatives = _check_negatives(
                    sampler.sample(user, item, n_negatives, rng=rng), user, n_negatives, tables
                )
                candidates = np.column_stack([item, negatives])  # (n_batch, 1 + n_negatives), the chosen one first
                yield *_sampled_step(tables, user, candidates, log_q, loss), user, item

    losses = [sum(batch[0] for batch in visit(copy.deepcopy(rng))) / len(events)]  # a copy: to look draws nothing
    arrays = (tables.user_factors, tables.item_factors, tables.item_biases)
    squares = [np.full(array.shape, 1e-8) for array in arrays]  # not 0, so that no step divides by it
    n_scores = 0
    for epoch in progress_bar(range(1, n_epochs + 1), desc="two tables", unit="epoch", show=progress):
        total = 0.0
        with np.errstate(over="ignore", invalid="ignore"):  # the last line reports it
            for value, gradients, n, user, item in visit(rng):
                total, n_scores = total + value, n_scores + n
                for array, gradient, rows in zip(arrays, gradients, (user, item)):
                    gradient += penalty * np.bincount(rows, minlength=len(array))[:, None] * array
                for array, gradient, square in zip(arrays, gradients, squares):
                    square += gradient**2
                    array -= learning_rate * gradient / np.sqrt(square)
        losses.append(total / len(events))
        refuse_divergence(losses[-1], LOST * max(losses[0], np.log(2)), arrays, epoch, learning_rate)
        if callback is not None:
            callback(epoch, tables)
    return replace(tables, losses=np.array(losses), n_scores=n_scores)


def loss_gradient(scores, loss="softmax"):
    r"""Return the loss of each row of scores, and its derivative by each score.

    The chosen item stands in column 0. The derivative is what the model believes minus what was: for "softmax" a
    probability over the row, for "logistic" a probability for each entry by itself; minus 1 in column 0.

    Parameters
    ----------
    scores : ndarray of shape (n, 1 + n_negatives), float
        Finite.
    loss : {"softmax", "logistic"}, optional
        As in `fit_softmax`.

    Returns
    -------
    values : ndarray of shape (n,), float64
    gradient : ndarray of shape (n, 1 + n_negatives), float64

    Raises
    ------
    ValueError
        If there is no such loss.

    Examples
    --------
    >>> loss_gradient(np.zeros((1, 4)))
    (array([1.38629436]), array([[-0.75,  0.25,  0.25,  0.25]]))
    """
    check_choice("loss", loss, LOSSES)
    if loss == "softmax":
        log_shares = log_softmax(scores, axis=1)
        values, gradient = -log_shares[:, 0], np.exp(log_shares)
    else:
        # -log sigmoid(s) is log(1 + exp(-s)), which logaddexp computes without overflow
        values = np.logaddexp(0, -scores[:, 0]) + np.logaddexp(0, scores[:, 1:]).sum(axis=1)
        gradient = expit(scores)
    gradient[:, 0] -= 1
    return values, gradient


def _sampled_step(tables, users, candidates, log_q, loss):
    """Return the loss of a batch, the gradients of the three arrays, and the number of scores."""
    x, y = tables.user_factors[users], tables.item_factors.take(candidates, axis=0)  # (n_batch, d), (n_batch, n, d)
    scores = (y @ x[:, :, None])[..., 0] + tables.item_biases[candidates]
    if log_q is not None:
        scores = logq_correction(scores, log_q[candidates])
    values, errors = loss_gradient(scores, loss)
    of_users = _sum_by_row(users, (errors[:, None] @ y)[:, 0], len(tables.user_factors))
    shape = (len(users), len(tables.item_factors))
    begins = np.arange(0, candidates.size + 1, candidates.shape[1])
    by_item = csr_array((errors.ravel(), candidates.ravel(), begins), shape=shape).T  # sums what occurs twice
    return values.sum(), (of_users, by_item @ x, by_item.sum(axis=1)), candidates.size


def _full_step(tables, users, items):
    """As `_sampled_step`, with the whole catalogue in each row."""
    x = tables.user_factors[users]
    scores = x @ tables.item_factors.T + tables.item_biases  # (n_batch, n_items)
    rows = np.arange(len(users))
    log_shares = log_softmax(scores, axis=1)
    value, errors = -log_shares[rows, items].sum(), np.exp(log_shares)
    errors[rows, items] -= 1
    of_users = _sum_by_row(users, errors @ tables.item_factors, len(tables.user_factors))
    return value, (of_users, errors.T @ x, errors.sum(axis=0)), scores.size


def _sum_by_row(rows, values, n_rows):
    """Return an array (n_rows, d) with the sum of the values that belong to each row."""
    places = csr_array((np.ones(len(rows)), rows, np.arange(len(rows) + 1)), shape=(len(rows), n_rows))
    return places.T @ values


def _check_events(events):
    if not isinstance(events, Interactions):
        raise TypeError(
            f"expected events as Interactions, received {type(events).__name__}; Interactions.from_labels makes some"
        )
    if not len(events):
        raise ValueError("expected one or more events, received none; there is nothing to learn from")


def _check_init(init, events, n_factors):
    """Return a copy of the tables, to be changed in place."""
    if not isinstance(init, TwoTables):
        raise TypeError(f"expected init as TwoTables, received {type(init).__name__}; TwoTables.start makes some")
    expected, received = (events.n_users, n_factors), init.user_factors.shape
    if (*received, len(init.item_factors)) != (*expected, events.n_items):
        raise ValueError(
            f"expected init with user_factors of shape {expected} and {events.n_items} items, received {received} and "
            f"{len(init.item_factors)}; start tables of that size"
        )
    return TwoTables(*(np.array(a, dtype=np.float64) for a in (init.user_factors, init.item_factors, init.item_biases)))


def _check_sampler(sampler, n_items):
    if sampler is not None and not callable(getattr(sampler, "sample", None)):
        raise TypeError(f"expected a sampler of utils.negative_sampling or None, received {sampler!r}; choose one")
    while isinstance(sampler, HardSampler):
        sampler = sampler.base
    n_sampled = getattr(sampler, "n_items", n_items)  # in-batch negatives come from the events themselves
    if n_sampled != n_items:
        raise ValueError(
            f"expected a sampler of the {n_items} items of the events, received one of {n_sampled}; give it the same "
            "catalogue"
        )


def _check_negatives(negatives, users, n_negatives, tables):
    negatives = check_indices("negatives", negatives, len(tables.item_factors), n_dimensions=2)
    if negatives.shape != (len(users), n_negatives):
        raise ValueError(
            f"expected negatives of shape ({len(users)}, {n_negatives}) from the sampler, received {negatives.shape}; "
            "draw that many for each user"
        )
    return negatives


def _check_log_probabilities(log_probabilities, n_items, sampler):
    if log_probabilities is None:
        return None
    if sampler is None:
        raise ValueError("expected no log_probabilities without a sampler, received some; there is nothing to correct")
    log_q = np.asarray(log_probabilities, dtype=np.float64)
    if np.isnan(log_q).any():
        raise ValueError("expected log_probabilities without NaN, received some; pass log_noise")
    if log_q.shape != (n_items,):
        raise ValueError(
            f"expected log_probabilities of shape ({n_items},), one an item, received {log_q.shape}; pass log_noise"
        )
    return log_q


def _check_options(sampler, n_negatives, n_epochs, learning_rate, penalty, batch_size, loss, rng):
    check_choice("loss", loss, LOSSES)
    if sampler is None and loss != "softmax":
        raise ValueError(f'expected loss="softmax" where there is no sampler, received {loss!r}; give a sampler')
    for name, value, low in (
        ("n_negatives", n_negatives, 1),
        ("n_epochs", n_epochs, 0),
        ("batch_size", batch_size, 1),
    ):
        check_whole(name, value, low)
    check_rate(learning_rate, 0.3)
    check_number("penalty", penalty)
    check_rng(rng)
