r"""Two tables of vectors, trained to tell the item that a user chose from negatives.

The score of an item for a user is :math:`s_{ui} = \mathbf{x}_u^\top \mathbf{y}_i + b_i`. Training shows the model an
item that was chosen and some that a sampler drew, and asks which one it was. The sampler is an argument, and nothing
else need change between one way of drawing and another.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.special import expit

from utils.book.progress import progress_bar
from utils.checks import check_number, check_rng, check_whole
from utils.negative_sampling import logq_correction

#: How a row of scores is judged, all at once or each by itself.
LOSSES = ("softmax", "logistic")


@dataclass(eq=False)
class TwoTables:
    """Vectors of users and of items, and a bias for each item. `train` changes the arrays in place.

    Attributes
    ----------
    user_factors : ndarray of shape (n_users, n_factors), float64
        Row u is user u.
    item_factors : ndarray of shape (n_items, n_factors), float64
        Row i is item i. Not normalised.
    item_biases : ndarray of shape (n_items,), float64
        Added to the score of an item, whoever the user is.
    """

    user_factors: np.ndarray
    item_factors: np.ndarray
    item_biases: np.ndarray

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
        ValueError
            If a size is below 1.
        """
        for name, value in (("n_users", n_users), ("n_items", n_items), ("n_factors", n_factors)):
            check_whole(name, value, 1)
        users = scale * rng.standard_normal((n_users, n_factors))
        return cls(users, scale * rng.standard_normal((n_items, n_factors)), np.zeros(n_items))

    def score(self, users, items):
        """Score some items for each user.

        Parameters
        ----------
        users : array_like of shape (n,), int
            Indices.
        items : array_like of shape (n, n_candidates), int
            Indices.

        Returns
        -------
        ndarray of shape (n, n_candidates), float64
        """
        y = self.item_factors.take(items, axis=0)  # what indexing by an array does, and faster
        products = y @ self.user_factors[users][:, :, None]  # (n, n_candidates, 1)
        return products[..., 0] + self.item_biases[items]

    def scores(self, users):
        """Score all items for some users.

        Parameters
        ----------
        users : array_like of shape (n,), int
            Indices.

        Returns
        -------
        ndarray of shape (n, n_items), float64
            `utils.evaluation.evaluate` asks for no more than this.
        """
        return self.user_factors[users] @ self.item_factors.T + self.item_biases


@dataclass(frozen=True)
class Training:
    """What a call of `train` cost, and how its loss fell.

    Attributes
    ----------
    n_scores : int
        How many scores were computed for the loss; those that a sampler computes to choose are not counted.
    losses : ndarray of shape (n_epochs,), float64
        Mean loss of an event in each epoch, without the penalty. Losses with different negatives are different
        questions, and cannot be compared.
    """

    n_scores: int
    losses: np.ndarray


def train(
    tables,
    users,
    items,
    sampler,
    *,
    n_negatives=5,
    n_epochs=15,
    learning_rate=0.3,
    penalty=0.05,
    batch_size=1024,
    log_probabilities=None,
    loss="softmax",
    rng,
    progress=True,
):
    r"""Train two tables on events: user ``users[e]`` chose item ``items[e]``.

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
    tables : TwoTables
        Where to start. Changed in place.
    users, items : array_like of shape (n_events,), int
        At least one event. The same event may occur more than once.
    sampler : sampler or None
        One of `utils.negative_sampling`. None takes the whole catalogue: the full softmax.
    n_negatives : int, optional
        Negatives for each event, 1 or more; not used by the full softmax.
    n_epochs : int, optional
        How often to visit all events, 0 or more, in a new random order each time.
    learning_rate, penalty : float, optional
        :math:`\eta` and :math:`\lambda`.
    batch_size : int, optional
        Events whose gradients are summed to one step.
    log_probabilities : array_like of shape (n_items,), optional
        Subtract these from the scores in the loss (`logq_correction`). The scores of the tables stay as they are. The
        full softmax has nothing to correct.
    loss : {"softmax", "logistic"}, optional
        The second one is that of skip-gram with negative sampling.
    rng : numpy.random.Generator
        Draws the order of each epoch, and the negatives.
    progress : bool, optional
        Whether training that takes longer than two seconds shows a progress bar.

    Returns
    -------
    Training

    Raises
    ------
    TypeError
        If `rng` is not a generator.
    ValueError
        If an argument is out of its range, an index points at no vector, or the full softmax is asked for another loss.

    References
    ----------
    duchi2011adaptive, for the steps; yi2019sampling, for the correction; mikolov2013distributed, equation 4, for the
    logistic loss.

    Examples
    --------
    Two users choose between two items, each always the same one:

    >>> rng = np.random.default_rng(0)
    >>> tables = TwoTables.start(2, 2, 1, rng=rng)
    >>> training = train(tables, [0, 1], [0, 1], None, n_epochs=50, rng=rng)
    >>> tables.scores([0, 1]).argmax(axis=1), training.n_scores
    (array([0, 1]), 200)
    """
    users, items = _check_events(users, items, tables)
    log_q = _check_log_probabilities(log_probabilities, len(tables.item_biases), sampler)
    _check_options(sampler, n_negatives, n_epochs, learning_rate, penalty, batch_size, loss, rng)
    arrays = (tables.user_factors, tables.item_factors, tables.item_biases)
    squares = [np.full(array.shape, 1e-8) for array in arrays]  # not 0, so that no step divides by it
    n_scores, losses = 0, []
    for _ in progress_bar(range(n_epochs), desc="two tables", unit="epoch", show=progress):
        order, total = rng.permutation(len(users)), 0.0
        for begin in range(0, len(users), batch_size):
            batch = order[begin : begin + batch_size]
            user, item = users[batch], items[batch]
            if sampler is None:
                value, gradients, n = _full_step(tables, user, item)
            else:
                negatives = sampler.sample(user, item, n_negatives, rng=rng)
                candidates = np.column_stack([item, negatives])  # (n_batch, 1 + n_negatives), the chosen one first
                value, gradients, n = _sampled_step(tables, user, candidates, log_q, loss)
            total, n_scores = total + value, n_scores + n
            for array, gradient, rows in zip(arrays, gradients, (user, item)):
                gradient += penalty * np.bincount(rows, minlength=len(array))[:, None] * array
            for array, gradient, square in zip(arrays, gradients, squares):
                square += gradient**2
                array -= learning_rate * gradient / np.sqrt(square)
        losses.append(total / len(users))
    return Training(n_scores, np.array(losses))


def loss_gradient(scores, loss="softmax"):
    r"""Return the loss of each row of scores, and its derivative by each score.

    The chosen item stands in column 0. The derivative is what the model believes minus what was: for "softmax" a
    probability over the row, for "logistic" a probability for each entry by itself; minus 1 in column 0.

    Parameters
    ----------
    scores : ndarray of shape (n, 1 + n_negatives)
        Finite.
    loss : {"softmax", "logistic"}, optional
        As in `train`.

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
    _check_loss(loss)
    if loss == "softmax":
        log_total, gradient = _softmax(scores)
        values = log_total - scores[:, 0]
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
    log_totals, errors = _softmax(scores)
    value = (log_totals - scores[rows, items]).sum()
    errors[rows, items] -= 1
    of_users = _sum_by_row(users, errors @ tables.item_factors, len(tables.user_factors))
    return value, (of_users, errors.T @ x, errors.sum(axis=0)), scores.size


def _softmax(scores):
    """Return the logarithm of the sum of the exponentials of each row, and the softmax."""
    largest = scores.max(axis=1, keepdims=True)
    powers = np.exp(scores - largest)  # at most 1, so that nothing overflows
    totals = powers.sum(axis=1, keepdims=True)
    powers /= totals
    return (largest + np.log(totals))[:, 0], powers


def _sum_by_row(rows, values, n_rows):
    """Return an array (n_rows, d) with the sum of the values that belong to each row."""
    places = csr_array((np.ones(len(rows)), rows, np.arange(len(rows) + 1)), shape=(len(rows), n_rows))
    return places.T @ values


def _check_events(users, items, tables):
    users, items = np.asarray(users), np.asarray(items)
    if users.ndim != 1 or users.shape != items.shape or not users.size:
        raise ValueError(
            f"expected one user and one item for each of one or more events, received shapes {users.shape} and "
            f"{items.shape}; pass interactions.users and interactions.items"
        )
    sizes = (len(tables.user_factors), len(tables.item_factors))
    for name, indices, n in zip(("users", "items"), (users, items), sizes):
        if indices.min() < 0 or indices.max() >= n:
            raise ValueError(
                f"expected {name} of 0 or more and below {n}, received {indices.min()} to {indices.max()}; start "
                "larger tables"
            )
    return users, items


def _check_log_probabilities(log_probabilities, n_items, sampler):
    if log_probabilities is None:
        return None
    if sampler is None:
        raise ValueError("expected no log_probabilities without a sampler, received some; there is nothing to correct")
    log_q = np.asarray(log_probabilities, dtype=np.float64)
    if log_q.shape != (n_items,):
        raise ValueError(
            f"expected log_probabilities of shape ({n_items},), one an item, received {log_q.shape}; pass log_noise"
        )
    return log_q


def _check_options(sampler, n_negatives, n_epochs, learning_rate, penalty, batch_size, loss, rng):
    _check_loss(loss)
    if sampler is None and loss != "softmax":
        raise ValueError(f'expected loss="softmax" where there is no sampler, received {loss!r}; give a sampler')
    for name, value, low in (
        ("n_negatives", n_negatives, 1),
        ("n_epochs", n_epochs, 0),
        ("batch_size", batch_size, 1),
    ):
        check_whole(name, value, low)
    check_number("learning_rate", learning_rate)
    check_number("penalty", penalty)
    check_rng(rng)


def _check_loss(loss):
    if loss not in LOSSES:
        raise ValueError(f"expected a loss among {', '.join(map(repr, LOSSES))}, received {loss!r}")
