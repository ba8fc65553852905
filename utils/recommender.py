"""What every model of this book can do: score all items for some users. And what follows from that: a list for each.

A model is whatever has a method ``scores(users)``. `recommend` makes lists of it, `utils.evaluation.evaluate` measures
it, and one contract of tests holds for all models that a ``fit_…`` of `utils` returns.
"""

from typing import Protocol

import numpy as np
from scipy.sparse import issparse

from utils.checks import check_choice, check_indices, check_whole
from utils.metrics import check_scores, rank_items
from utils.negative_sampling import check_power

# `recommend` holds the scores of so many users at a time.
BLOCK_USERS = 128


class Recommender(Protocol):
    """A model that scores items for users.

    All models of `utils` that know users have this method, and so can yours: nothing else is asked for.
    """

    def scores(self, users):
        """Score all items for some users.

        Parameters
        ----------
        users : array_like of shape (n,), int
            Indices of users, from 0.

        Returns
        -------
        ndarray of shape (n, n_items), float
            Finite; higher is better.

        Raises
        ------
        TypeError, ValueError
            As `check_users`.
        """
        ...


def check_model(model):
    """Raise an error unless the model has a method ``scores``."""
    if isinstance(model, type) or not callable(getattr(model, "scores", None)):
        raise TypeError(f"expected a model with a method scores(users), received {model!r}; give it one")


def check_users(users, n_users):
    """Check indices of users, as each method ``scores`` does.

    Parameters
    ----------
    users : array_like of shape (n,), int
        Indices, from 0. A list may be empty.
    n_users : int or None
        How many users the model knows; None if that is for others to say.

    Returns
    -------
    ndarray of shape (n,), int64

    Raises
    ------
    TypeError
        If they are no whole numbers. A mask of booleans is none: ``np.flatnonzero(mask)`` are its indices.
    ValueError
        If they are not in one row, or one of them is below 0 (NumPy would count from the end) or not below `n_users`.

    Examples
    --------
    >>> check_users([2, 0], n_users=3)
    array([2, 0])
    """
    return check_indices("users", users, n_users)


def recommend(model, users, k, *, exclude=None):
    """List the items with the highest scores for some users.

    Parameters
    ----------
    model : Recommender
        Whatever has a method ``scores(users)``.
    users : array_like of shape (n,), int
        Indices of users, from 0.
    k : int
        How many items, 1 or more.
    exclude : sparse matrix or array of shape (n_users, n_items), optional
        Row u has an entry for each item that user u shall not be shown, mostly the interactions that the model was
        fitted to. A stored 0 is an entry too: somebody gave that item 0 stars. Rows are those of all users, not only of
        `users`.

    Returns
    -------
    ndarray of shape (n, k), int64
        Item indices, best first; -1 where nothing is left to list. Of equal scores the smaller index comes first.

    Raises
    ------
    TypeError
        If the model has no method ``scores``, or `users` or `exclude` is of another kind.
    ValueError
        If an index is out of range, k is not a whole number of 1 or more, or a shape does not fit.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> class Always:
    ...     def scores(self, users):
    ...         return np.tile([0.3, 0.9, 0.5], (len(users), 1))
    >>> recommend(Always(), [0, 1], k=2, exclude=csr_array([[0, 1, 0], [1, 1, 0]]))
    array([[ 2,  0],
           [ 2, -1]])
    """
    check_whole("k", k, 1)
    check_model(model)
    if exclude is not None and (not issparse(exclude) or exclude.ndim != 2):
        raise TypeError(
            f"expected exclude as a sparse matrix of shape (n_users, n_items), received {type(exclude).__name__}; "
            "events.to_csr() makes one"
        )
    users = check_users(users, None if exclude is None else exclude.shape[0])
    exclude = None if exclude is None else exclude.tocsr()
    ranked = np.empty((len(users), k), dtype=np.int64)
    for begin in range(0, len(users), BLOCK_USERS):
        rows = users[begin : begin + BLOCK_USERS]
        scores = candidate_scores(model, rows, None if exclude is None else exclude[rows])
        ranked[begin : begin + BLOCK_USERS] = rank_items(scores, k)
    return ranked


def candidate_scores(model, users, exclude=None):
    """Return the scores of some users, with ``-inf`` for what must not be listed.

    Parameters
    ----------
    model : Recommender
        Whatever has a method ``scores(users)``. What that returns is copied and not changed.
    users : ndarray of shape (n,), int64
        Indices of users.
    exclude : sparse array of shape (n, n_items), optional
        Row r is for ``users[r]``: an entry, also a stored 0, marks an item that must not be listed.

    Returns
    -------
    ndarray of shape (n, n_items), float

    Raises
    ------
    TypeError
        If the model has no method ``scores``.
    ValueError
        If its scores have the wrong shape or are not finite.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> class Always:
    ...     def scores(self, users):
    ...         return np.tile([0.3, 0.9], (len(users), 1))
    >>> candidate_scores(Always(), np.array([5]), csr_array([[0, 1]]))
    array([[ 0.3, -inf]])
    """
    check_model(model)
    scores = np.array(model.scores(users))  # a copy, since it is changed below
    expected = (len(users), *scores.shape[1:2]) if exclude is None else exclude.shape
    if scores.ndim != 2 or scores.shape != expected:
        raise ValueError(
            f"expected scores of shape ({len(users)}, {expected[1] if len(expected) > 1 else 'n_items'}) for "
            f"{len(users)} users, received {scores.shape}; return a row for each"
        )
    scores = check_scores(scores)
    if np.isneginf(scores).any():
        raise ValueError("expected finite scores, received -inf; give the lowest score to what you cannot score")
    if exclude is not None:
        entries = exclude.tocoo()
        scores[entries.coords] = -np.inf
    return scores


class HistoryRecommender:
    r"""Recommend to a user from the average vector of what the user has; for `utils.evaluation.evaluate`.

    With :math:`\bar{\mathbf{y}}_u` the mean of the item vectors of user u, the score of item j is

    - "cosine": the cosine of :math:`\mathbf{y}_j` with the mean of the *unit* vectors of the user's items. It asks who
      keeps the same company, and leaves out both the context vectors and the lengths;
    - "inner": :math:`\bar{\mathbf{y}}_u^\top \mathbf{z}_j`, what training has fitted. At its optimum
      :math:`\mathbf{y}_i^\top \mathbf{z}_j` is the logarithm of how much more often j is a context of i than it is
      drawn as noise, up to a constant. With :math:`\alpha < 1` the noise takes only a part of the popularity out;
    - "context": :math:`\bar{\mathbf{y}}_u^\top \mathbf{z}_j + \alpha \log n_j`. The second term takes the noise out
      again: what is left is the logarithm of how often j is a context of i, averaged over the user's items, up to a
      constant. It counts the popularity in full beside an *average* of hints, and may so give it too much weight.

    Parameters
    ----------
    fitted : ItemVectors
        Fitted on ``events.sessions()``: its ids are item indices.
    events : Interactions
        Who has what; those that a model may see.
    how : {"cosine", "inner", "context"}, optional
        Which score.
    noise_power : float, optional
        The :math:`\alpha` of the fit; only for "context".

    Raises
    ------
    ValueError
        If `how` is unknown or an id of the fit is no item of `events`.

    Notes
    -----
    An item without a vector gets a score below all others of the user. A user without an item of known vector gets
    popularity from "context", and equal scores from the others.

    Examples
    --------
    >>> from utils.data import Interactions
    >>> from utils.item2vec import fit_sgns
    >>> has = ["abc", "abd", "acd", "bcd", "wxy", "wxz", "wyz", "xyz"]
    >>> users = [user for user, items in enumerate(has) for _ in items]
    >>> tiny = Interactions.from_labels(users, "".join(has), timestamps=range(24))
    >>> fitted = fit_sgns(tiny.sessions() * 100, 2, n_epochs=20, rng=np.random.default_rng(0))
    >>> best = HistoryRecommender(fitted, tiny).scores([0])[0].argsort()[-4:]
    >>> "".join(sorted(tiny.item_labels[best]))
    'abcd'
    """

    def __init__(self, fitted, events, how="context", *, noise_power=0.75):
        ids = np.array(fitted.ids)
        if ids.dtype.kind not in "iu" or ids.min() < 0 or ids.max() >= events.n_items:
            raise ValueError(
                f"expected ids that are indices of the {events.n_items} items, received {fitted.ids[0]!r} and others; "
                "fit on events.sessions()"
            )
        check_choice("how", how, ("cosine", "inner", "context"))
        check_power(noise_power)
        item_vectors = fitted.item_vectors.astype(np.float64)
        if how == "cosine":
            lengths = np.linalg.norm(item_vectors, axis=1, keepdims=True)
            item_vectors /= np.where(lengths > 0, lengths, 1)
        has_item = events.to_csr("ones", dtype=np.float64)[:, ids]
        n_known = np.maximum(has_item.sum(axis=1), 1)
        self._ids, self._n_items = ids, events.n_items
        self._profiles = has_item @ item_vectors / n_known[:, None]  # (n_users, n_factors)
        self._others = item_vectors if how == "cosine" else fitted.context_vectors.astype(np.float64)
        self._offsets = noise_power * np.log(fitted.counts) if how == "context" else 0.0

    def scores(self, users):
        """Score all items for some users, as `Recommender.scores` says."""
        users = check_users(users, len(self._profiles))
        known = self._profiles[users] @ self._others.T + self._offsets
        lowest = known.min(axis=1, initial=0.0, keepdims=True) - 1  # by user: no score hangs on who else is asked about
        result = np.tile(lowest, (1, self._n_items))
        result[:, self._ids] = known
        return result
