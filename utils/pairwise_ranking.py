r"""Pairwise ranking losses, BPR and WARP: an item that a user has should beat one that the user has not.

Both learn the vectors of features, of which users and items are sums or means (`utils.feature_sums`). Where every user
and every item is a feature of its own, that is a matrix factorisation.
"""

import copy
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from utils.book.progress import progress_bar
from utils.checks import check_choice, check_matrix, check_rate, check_rng, check_whole, refuse_divergence
from utils.feature_sums import FeatureModel, features_or_identity, pool
from utils.negative_sampling import PopularitySampler, UniformSampler

#: How `fit_bpr` draws negatives.
NEGATIVES = ("uniform", "popularity")

# A fit whose loss is so many times that of its start, or so large where that is small, is lost.
LOST = 100


def fit_bpr(
    interactions,
    n_factors,
    *,
    user_features=None,
    item_features=None,
    pooling="sum",
    has_biases=True,
    negatives="uniform",
    learning_rate=0.1,
    batch_size=64,
    n_epochs,
    rng,
    progress=True,
):
    r"""Learn feature vectors with BPR: an item that the user has should beat one that the user has not.

    .. math:: \mathcal{L} = \sum_{(u,i)} -\log \operatorname{sigmoid}(s_{ui} - s_{uj}), \qquad j \notin \Omega_u

    An epoch visits every interaction once, in a new random order, and draws one negative for it.

    Parameters
    ----------
    interactions : sparse matrix or array of shape (n_users, n_items)
        What is above 0 is a positive; the number itself does not count. Entries that are stored twice are added, as
        SciPy does.
    n_factors : int
        1 or more.
    user_features, item_features : sparse or dense array of shape (n_users or n_items, n_features), optional
        Weights, 0 or more. The identity matrix if left out: a vector for each user, for each item.
    pooling : {"sum", "mean", "sqrt"}, optional
        As in `represent`, for both sides and for the biases too.
    has_biases : bool, optional
        Whether item features have biases. User biases would drop out of the difference of two scores.
    negatives : {"uniform", "popularity"}, optional
        Whether each item is drawn as often as any other, or as often as it occurs. LightFM's BPR does the second.
    learning_rate : float, optional
        Of AdaGrad, above 0.
    batch_size : int, optional
        How many pairs are looked at before the vectors change: 1 is plain stochastic gradient descent, more is faster.
    n_epochs : int
        0 or more.
    rng : numpy.random.Generator
        Draws the start, the order and the negatives.
    progress : bool, optional
        Whether to show a progress bar if it takes more than a second.

    Returns
    -------
    FeatureModel
        With the learning curve and the number of draws and of updates. Its first loss is that of the start, on the
        negatives of the first epoch; the others are means over the visits of an epoch, each before its own update.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described, a user has every item (or, with "popularity", every item that anybody has),
        there is no interaction, or the learning rate is so large that the loss explodes.

    References
    ----------
    Rendle and others (2009), section 4, with the representation of Kula (2015), section 3.2. AdaGrad is that of
    LightFM: the squares of a feature's gradients start at 1.

    Examples
    --------
    Two users like films of one genre each:

    >>> likes = csr_array([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]])
    >>> genres = [[1, 0], [1, 0], [0, 1], [0, 1]]
    >>> model = fit_bpr(likes, 2, item_features=genres, n_epochs=200, rng=np.random.default_rng(0))
    >>> bool(model.scores([1])[0, 3] > model.scores([1])[0, 0])  # the last film has no viewer, but a genre
    True
    """
    check_choice("negatives", negatives, NEGATIVES)
    task = _start(interactions, n_factors, user_features, item_features, pooling, rng)
    if negatives == "popularity":
        popularity = np.bincount(task.items, minlength=task.n_items)
        sampler = PopularitySampler(popularity, 1, exclude=task.positives)
    else:
        sampler = UniformSampler(task.n_items, exclude=task.positives)

    def find(users, positives, rng):
        drawn = sampler.sample(users, None, 1, rng=rng)[:, 0]
        return np.ones(len(users), dtype=bool), drawn, np.ones(len(users)), len(users)

    return _fit(task, find, bpr_loss, has_biases, learning_rate, n_epochs, batch_size, rng, progress, "BPR")


def fit_warp(
    interactions,
    n_factors,
    *,
    user_features=None,
    item_features=None,
    pooling="sum",
    has_biases=True,
    max_draws=10,
    learning_rate=0.1,
    batch_size=16,
    n_epochs,
    rng,
    progress=True,
):
    r"""Learn feature vectors with WARP: draw negatives until one violates the order, and learn from that one.

    .. math::

        \mathcal{L} = \sum_{(u,i)} w \max(0,\, 1 - s_{ui} + s_{uj}), \qquad
        w = \log \max\big(1, \lfloor (N - 1) / \text{draws} \rfloor\big)

    A negative violates the order if its score comes within 1 of the positive's. If it takes few draws to find one, many
    items stand above the positive, and the weight is large. If none is found in `max_draws`, the pair is left alone.

    Parameters
    ----------
    interactions, n_factors, user_features, item_features, pooling, has_biases
        As in `fit_bpr`.
    max_draws : int, optional
        1 or more. A draw that hits an item of the user's own counts, and is no violation.
    batch_size : int, optional
        As in `fit_bpr`, and smaller: the negatives of a batch are found before its first step, so that a large batch
        learns a little less from each.
    learning_rate, n_epochs, rng, progress
        As in `fit_bpr`.

    Returns
    -------
    FeatureModel
        As in `fit_bpr`.

    Raises
    ------
    TypeError, ValueError
        As in `fit_bpr`.

    References
    ----------
    Weston, Bengio and Usunier (2011), section 4, with a logarithm for their sum of :math:`1/r`, as in LightFM.

    Examples
    --------
    >>> likes = csr_array([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]])
    >>> model = fit_warp(likes, 2, n_epochs=100, rng=np.random.default_rng(0))
    >>> model.scores([0]).argmax() in (0, 1), model.scores([1]).argmax()
    (True, np.int64(2))
    """
    check_whole("max_draws", max_draws, 1)
    task = _start(interactions, n_factors, user_features, item_features, pooling, rng)

    def find(users, positives, rng):
        return task.find_violations(users, positives, max_draws, rng)

    return _fit(task, find, warp_loss, has_biases, learning_rate, n_epochs, batch_size, rng, progress, "WARP")


class Embeddings(NamedTuple):
    """What the pairwise losses learn, and, with the same names and shapes, the gradients of it.

    There are no user biases: in the difference of two scores of one user they cancel.

    Attributes
    ----------
    user_embeddings : ndarray of shape (n_user_features, n_factors)
    item_embeddings : ndarray of shape (n_item_features, n_factors)
    item_feature_biases : ndarray of shape (n_item_features,)
    """

    user_embeddings: np.ndarray
    item_embeddings: np.ndarray
    item_feature_biases: np.ndarray


def bpr_loss(gaps):
    r"""Return :math:`-\log \operatorname{sigmoid}(\Delta)` of each gap :math:`\Delta = s_{ui} - s_{uj}`, and its slope.

    Parameters
    ----------
    gaps : ndarray of shape (n,)
        By how much each positive beats its negative.

    Returns
    -------
    losses, slopes : ndarray of shape (n,)
        The slope :math:`-\operatorname{sigmoid}(-\Delta)` is near 0 for pairs in good order, and near -1 for bad ones.

    Examples
    --------
    >>> losses, slopes = bpr_loss(np.array([0.0, 5.0]))
    >>> losses.round(3), slopes.round(3)
    (array([0.693, 0.007]), array([-0.5  , -0.007]))
    """
    return np.logaddexp(0, -gaps), -np.exp(-np.logaddexp(0, gaps))  # no overflow for any gap


def warp_loss(gaps):
    r"""Return :math:`\max(0, 1 - \Delta)` of each gap :math:`\Delta = s_{ui} - s_{uj}`, and its slope.

    `fit_warp` weighs both.

    Parameters
    ----------
    gaps : ndarray of shape (n,)
        By how much each positive beats its negative.

    Returns
    -------
    losses, slopes : ndarray of shape (n,)

    Examples
    --------
    >>> warp_loss(np.array([0.25, 2.0]))
    (array([0.75, 0.  ]), array([-1.,  0.]))
    """
    return np.maximum(0, 1 - gaps), np.where(gaps < 1, -1.0, 0.0)


def score_gaps(parameters, user_rows, item_gaps):
    """Return by how much positives beat negatives.

    Parameters
    ----------
    parameters : Embeddings
        Or a `FeatureModel`, which has arrays of the same names.
    user_rows : sparse array of shape (n, n_user_features)
        Pooled features of the user of each pair.
    item_gaps : sparse array of shape (n, n_item_features)
        Pooled features of the positive minus those of the negative.

    Returns
    -------
    ndarray of shape (n,)
    """
    x, y_gaps = user_rows @ parameters.user_embeddings, item_gaps @ parameters.item_embeddings  # (n, n_factors)
    return (x * y_gaps).sum(axis=1) + item_gaps @ parameters.item_feature_biases


def gap_gradients(parameters, user_rows, item_gaps, slopes):
    r"""Return the gradients of a sum of losses of `score_gaps`, by the chain rule.

    A feature gets what its user or item gets, times its weight in the row:

    .. math::

        \frac{\partial \mathcal{L}}{\partial \mathbf{e}_f} = \sum_n \ell'(\Delta_n)\, w_{nf}\,
        (\mathbf{y}_i - \mathbf{y}_j)_n \quad\text{for a user's feature,} \qquad
        \sum_n \ell'(\Delta_n)\, (w_{if} - w_{jf})_n\, \mathbf{x}_n \quad\text{for an item's.}

    A feature that both items have gets nothing: it cannot tell them apart.

    Parameters
    ----------
    parameters, user_rows, item_gaps
        As in `score_gaps`.
    slopes : ndarray of shape (n,)
        The derivative of each pair's loss by its gap.

    Returns
    -------
    Embeddings

    Examples
    --------
    >>> here = Embeddings(np.array([[1.0]]), np.array([[2.0], [0.5]]), np.zeros(2))
    >>> gap_gradients(here, np.array([[1.0]]), np.array([[1.0, -1.0]]), np.array([-0.5]))
    Embeddings(user_embeddings=array([[-0.75]]), item_embeddings=array([[-0.5], [ 0.5]]),
               item_feature_biases=array([-0.5,  0.5]))
    """
    x, y_gaps = user_rows @ parameters.user_embeddings, item_gaps @ parameters.item_embeddings  # (n, n_factors)
    return Embeddings(
        user_rows.T @ (slopes[:, None] * y_gaps), item_gaps.T @ (slopes[:, None] * x), item_gaps.T @ slopes
    )


class _Task:
    """What stays the same during a fit (features and positives), the parameters, and the drawing of negatives."""

    def __init__(self, positives, features, pooling, parameters):
        self.positives, self.n_items = positives, positives.shape[1]
        self.users = np.repeat(np.arange(positives.shape[0]), np.diff(positives.indptr))
        self.items = positives.indices
        self.pairs = self.users.astype(np.int64) * self.n_items + self.items  # sorted, since the rows are
        self.features, self.pooling = features, pooling
        self.user_rows, self.item_rows = (pool(one, pooling) for one in features)
        self.parameters = parameters

    def is_positive(self, users, items):
        """Return whether the users have the items."""
        pairs = users.astype(np.int64) * self.n_items + items
        places = np.searchsorted(self.pairs, pairs).clip(max=len(self.pairs) - 1)
        return self.pairs[places] == pairs

    def find_violations(self, users, positives, max_draws, rng):
        """Draw for each pair until a negative comes within 1 of the positive.

        Returns which pairs found one, the negatives, the weights of WARP, and the number of all draws.
        """
        n = len(users)
        p = self.parameters
        x = self.user_rows[users] @ p.user_embeddings  # (n, n_factors)
        y = self.item_rows @ p.item_embeddings  # (n_items, n_factors)
        biases = self.item_rows @ p.item_feature_biases
        bar = (x * y[positives]).sum(axis=1) + biases[positives] - 1
        # All draws at once, which is faster than one after another; what comes after the first violation is not used.
        items = rng.integers(self.n_items, size=(n, max_draws))
        is_violation = np.einsum("nd,nkd->nk", x, y.take(items, axis=0)) + biases[items] > bar[:, None]
        is_violation &= ~self.is_positive(users[:, None], items)
        first = is_violation.argmax(axis=1)
        found = is_violation[np.arange(n), first]
        n_draws = np.where(found, first + 1, max_draws)
        weights = np.where(found, np.log(np.maximum(1, (self.n_items - 1) // n_draws)), 0)
        return found, items[np.arange(n), first], weights, n_draws.sum()


def _start(interactions, n_factors, user_features, item_features, pooling, rng):
    """Check everything, and draw the start as LightFM does: uniform, and smaller for more factors."""
    positives = check_matrix(interactions, "interactions")
    positives.data = (positives.data > 0).astype(float)
    positives.eliminate_zeros()
    positives.sort_indices()
    n_users, n_items = positives.shape
    if not positives.nnz:
        raise ValueError("expected at least one interaction above 0, received none; there is nothing to learn from")
    full = np.flatnonzero(np.diff(positives.indptr) == n_items)
    if len(full):
        raise ValueError(f"expected an item that user {full[0]} has not, received none; leave the user out")
    check_whole("n_factors", n_factors, 1)
    check_rng(rng)
    features = [
        features_or_identity(given, n, name)
        for given, n, name in ((user_features, n_users, "user_features"), (item_features, n_items, "item_features"))
    ]
    embeddings = [(rng.random((one.shape[1], n_factors)) - 0.5) / n_factors for one in features]
    return _Task(positives, features, pooling, Embeddings(*embeddings, np.zeros(features[1].shape[1])))


def _fit(task, find, loss, has_biases, learning_rate, n_epochs, batch_size, rng, progress, name):
    """Visit all interactions in every epoch: find negatives for a batch of them, and take a step."""
    check_whole("n_epochs", n_epochs, 0)
    check_whole("batch_size", batch_size, 1)
    check_rate(learning_rate, 0.1)
    squares = [np.ones_like(array) for array in task.parameters]  # as LightFM starts AdaGrad
    losses, n_draws, n_updates = np.zeros(1 + n_epochs), np.zeros(n_epochs, dtype=int), np.zeros(n_epochs, dtype=int)
    for batch in _visit(task, find, loss, batch_size, copy.deepcopy(rng)):  # a copy: to look at the start draws nothing
        losses[0] += batch.loss
    for epoch in progress_bar(range(n_epochs), desc=name, unit="epoch", show=progress):
        with np.errstate(over="ignore", invalid="ignore"):  # the last line reports it
            for batch in _visit(task, find, loss, batch_size, rng):
                losses[1 + epoch] += batch.loss
                n_draws[epoch] += batch.n_draws
                n_updates[epoch] += len(batch.slopes)
                gradients = gap_gradients(task.parameters, batch.user_rows, batch.item_gaps, batch.slopes)
                for array, square, gradient in zip(task.parameters, squares, gradients):
                    if array.ndim == 2 or has_biases:
                        array -= learning_rate * gradient / np.sqrt(square)
                        square += gradient**2
        refuse_divergence(losses[1 + epoch], LOST * max(losses[0], 1), task.parameters, 1 + epoch, learning_rate)
    p = task.parameters
    return FeatureModel(
        *task.features,
        p.user_embeddings,
        p.item_embeddings,
        None,
        p.item_feature_biases,
        task.pooling,
        losses,
        n_draws,
        n_updates,
    )


class _Batch(NamedTuple):
    """What `_visit` found out about some interactions, before an update."""

    loss: float  # its part of the mean over all interactions
    n_draws: int
    slopes: np.ndarray  # (n,): of the pairs that have found a negative, weighted
    user_rows: csr_array  # (n, n_user_features)
    item_gaps: csr_array  # (n, n_item_features)


def _visit(task, find, loss, batch_size, rng):
    """Yield all interactions in a random order, batch after batch, with negatives for the parameters as they are."""
    order = rng.permutation(len(task.items))
    for begin in range(0, len(order), batch_size):
        batch = order[begin : begin + batch_size]
        users, positives = task.users[batch], task.items[batch]
        found, negatives, weights, n_draws = find(users, positives, rng)
        user_rows = task.user_rows[users[found]]
        item_gaps = _differences(positives[found], negatives[found], task.n_items) @ task.item_rows
        pair_losses, slopes = loss(score_gaps(task.parameters, user_rows, item_gaps))
        part = pair_losses @ weights[found] / len(order)
        yield _Batch(part, n_draws, slopes * weights[found], user_rows, item_gaps)


def _differences(positives, negatives, n_items):
    """Return a sparse matrix (n, n_items) with a 1 for the positive and a -1 for the negative in each row."""
    n = len(positives)
    columns = np.column_stack([positives, negatives]).ravel()
    return csr_array((np.tile([1.0, -1.0], n), columns, np.arange(0, 2 * n + 1, 2)), shape=(n, n_items))
