r"""Measure recommendations: how much of what users chose afterwards is in their lists, and how high.

Every measure reads the same two tables, which have one row a user.

`ranked`, an integer array of shape (n_users, k)
    Item indices, best first; `rank_items` makes it from scores. k is the number of columns: for a shorter list give
    ``ranked[:, :5]``. A place with -1 holds no item. So a list that is shorter than k (the catalogue is small, or the
    user has nearly everything) is filled up with -1, and the empty places count as misses. An item occurs at most once
    in a row.

`relevant`, a sparse or dense array of shape (n_users, n_items)
    The held-out items :math:`\mathcal{T}_u`: 0 is not relevant, above 0 is relevant. Only `ndcg_at_k` reads more out of
    the number; for the others 1, 5 and True are the same.

Each measure of `ranked` returns one number a user, from 0 to 1. It is NaN for a user without a relevant item: with
nothing to find, no list is good or bad. `evaluate` leaves such users out and says how many they are.
"""

from itertools import pairwise

import numpy as np
from scipy.sparse import csr_array, issparse

from utils.checks import check_whole
from utils.similarity import largest

# Below this, float64 holds every whole number.
MAX_EXACT = 2**53


def rank_items(scores, k):
    """Turn scores into lists of the k best items.

    Parameters
    ----------
    scores : array_like of shape (n_users, n_items)
        Higher is better. ``-inf`` marks an item that must not be listed, such as one that the user has already.
    k : int
        Length of the lists, 1 or more.

    Returns
    -------
    ndarray of shape (n_users, k), int64
        Item indices, best first. Of items with equal scores the lower index comes first. Where fewer than k items can
        be listed, the rest of the row is -1.

    Raises
    ------
    ValueError
        If `scores` has not two dimensions, an entry is NaN, ``+inf`` or a whole number of 2**53 or more, or k is not a
        whole number of 1 or more.

    Examples
    --------
    >>> rank_items([[0.1, 0.9, 0.9, 0.5]], k=3)
    array([[1, 2, 3]])
    >>> rank_items([[0.1, -np.inf]], k=3)
    array([[ 0, -1, -1]])
    """
    scores = check_scores(scores)
    check_whole("k", k, 1)
    n_users, n_items = scores.shape
    ranked = np.full((n_users, k), -1, dtype=np.int64)
    n_listed = min(k, n_items)
    if n_listed:
        best = largest(scores, n_listed)
        ranked[:, :n_listed] = np.where(np.take_along_axis(scores, best, axis=1) > -np.inf, best, -1)
    return ranked


def precision_at_k(ranked, relevant):
    r"""Return the share of the k places that hold a relevant item.

    .. math:: \frac{|\operatorname{top}_k \cap \mathcal{T}_u|}{k}

    The divisor is k, also where the list is shorter. So a user with fewer than k relevant items cannot reach 1.

    Parameters
    ----------
    ranked : array_like of shape (n_users, k), int
        Lists of item indices, best first; -1 is an empty place.
    relevant : sparse or dense array of shape (n_users, n_items)
        Above 0 where the item is relevant. Entries that are stored twice are added, as SciPy does.

    Returns
    -------
    ndarray of shape (n_users,), float64
        NaN for users without a relevant item.

    Raises
    ------
    ValueError
        If shapes do not fit, `ranked` holds no place, an index of no item or an item twice in a row, or `relevant`
        holds anything but numbers of 0 or more.

    Examples
    --------
    >>> precision_at_k([[3, 0, 1, 2]], [[1, 0, 0, 1, 1]])
    array([0.5])
    """
    hits, n_relevant = _hits(ranked, relevant)
    return np.where(n_relevant > 0, hits.mean(axis=1), np.nan)


def recall_at_k(ranked, relevant):
    r"""Return the share of the relevant items that are in the list.

    .. math:: \frac{|\operatorname{top}_k \cap \mathcal{T}_u|}{|\mathcal{T}_u|}

    A user with more than k relevant items cannot reach 1.

    Parameters
    ----------
    ranked, relevant
        As in `precision_at_k`.

    Returns
    -------
    ndarray of shape (n_users,), float64
        NaN for users without a relevant item.

    Raises
    ------
    ValueError
        As in `precision_at_k`.

    Examples
    --------
    >>> recall_at_k([[3, 0, 1, 2]], [[1, 0, 0, 1, 1]]).round(3)
    array([0.667])
    """
    hits, n_relevant = _hits(ranked, relevant)
    return _divide(hits.sum(axis=1), n_relevant)


def hit_rate_at_k(ranked, relevant):
    r"""Return 1 for each user whose list holds at least one relevant item, else 0; their mean is the hit rate.

    .. math:: \mathbf{1}[\operatorname{top}_k \cap \mathcal{T}_u \ne \emptyset]

    Parameters
    ----------
    ranked, relevant
        As in `precision_at_k`.

    Returns
    -------
    ndarray of shape (n_users,), float64
        NaN for users without a relevant item.

    Raises
    ------
    ValueError
        As in `precision_at_k`.

    Examples
    --------
    >>> hit_rate_at_k([[3, 0], [1, 2]], [[1, 0, 0, 1, 1], [1, 0, 0, 1, 1]])
    array([1., 0.])
    """
    hits, n_relevant = _hits(ranked, relevant)
    return np.where(n_relevant > 0, hits.any(axis=1), np.nan)


def reciprocal_rank(ranked, relevant):
    r"""Return one divided by the rank of the first relevant item, 0 if the list has none; their mean is the MRR.

    .. math:: \frac{1}{\min_{i \in \operatorname{top}_k \cap \mathcal{T}_u} \operatorname{rank}_u(i)}

    Parameters
    ----------
    ranked, relevant
        As in `precision_at_k`.

    Returns
    -------
    ndarray of shape (n_users,), float64
        NaN for users without a relevant item.

    Raises
    ------
    ValueError
        As in `precision_at_k`.

    Examples
    --------
    >>> reciprocal_rank([[1, 3, 0], [1, 2, 5]], [[1, 0, 0, 1, 0, 0], [1, 0, 0, 1, 0, 0]])
    array([0.5, 0. ])
    """
    hits, n_relevant = _hits(ranked, relevant)
    first = hits.argmax(axis=1) + 1
    return np.where(n_relevant > 0, hits.any(axis=1) / first, np.nan)


def average_precision_at_k(ranked, relevant):
    r"""Return the precision at the rank of each relevant item in the list, averaged; the mean over users is the MAP.

    .. math::

        \frac{1}{\min(k, |\mathcal{T}_u|)} \sum_{i \in \operatorname{top}_k \cap \mathcal{T}_u}
        \frac{|\operatorname{top}_{\operatorname{rank}_u(i)} \cap \mathcal{T}_u|}{\operatorname{rank}_u(i)}

    A list has room for no more than k relevant items. The divisor says so, and the best list always reaches 1.

    Parameters
    ----------
    ranked, relevant
        As in `precision_at_k`.

    Returns
    -------
    ndarray of shape (n_users,), float64
        NaN for users without a relevant item.

    Raises
    ------
    ValueError
        As in `precision_at_k`.

    Notes
    -----
    Definitions differ in the divisor: some divide by :math:`|\mathcal{T}_u|`, some by the number of hits.

    scikit-learn's ``average_precision_score`` has no cut-off k and takes items with equal scores as one step. With
    k = n_items and no ties both agree.

    Examples
    --------
    The relevant items stand at ranks 1 and 3: (1/1 + 2/3) / 2.

    >>> average_precision_at_k([[3, 1, 0, 2]], [[1, 0, 0, 1, 0]]).round(3)
    array([0.833])
    """
    hits, n_relevant = _hits(ranked, relevant)
    k = hits.shape[1]
    precision_at_rank = hits.cumsum(axis=1) / np.arange(1, k + 1)  # (n_users, k)
    return _divide((hits * precision_at_rank).sum(axis=1), np.minimum(k, n_relevant))


def ndcg_at_k(ranked, relevant):
    r"""Return the discounted gain of the list, divided by the gain of the best list.

    .. math::

        \operatorname{DCG} = \sum_{i \in \operatorname{top}_k} \frac{g_{ui}}{\log_2(1 + \operatorname{rank}_u(i))},
        \qquad \operatorname{nDCG} = \frac{\operatorname{DCG}}{\operatorname{DCG} \text{ of the best list of } k}

    The gain :math:`g_{ui}` is the entry of `relevant` itself (*linear* gain). With zeros and ones this is the binary
    nDCG. The best list holds the k items with the largest gains, largest first.

    Parameters
    ----------
    ranked : array_like of shape (n_users, k), int
        Lists of item indices, best first; -1 is an empty place.
    relevant : sparse or dense array of shape (n_users, n_items)
        The gain of each item, 0 or more. For the *exponential* gain give ``2.0**stars - 1`` instead of the stars.
        Entries that are stored twice are added, as SciPy does.

    Returns
    -------
    ndarray of shape (n_users,), float64
        NaN for users without a relevant item.

    Raises
    ------
    ValueError
        As in `precision_at_k`.

    References
    ----------
    Järvelin and Kekäläinen (2002) introduce discounted cumulative gain. They divide by :math:`\log_2 \text{rank}` from
    rank 2 on; libraries today use :math:`\log_2(1 + \text{rank})`, so that rank 2 counts less than rank 1.

    Examples
    --------
    >>> ndcg_at_k([[0, 1, 2]], [[0, 1, 1]]).round(3)  # (1 / log2(3) + 1 / log2(4)) / (1 + 1 / log2(3))
    array([0.693])
    >>> ndcg_at_k([[0, 1, 2]], [[3, 0, 1]]).round(3)  # (3 + 1 / log2(4)) / (3 + 1 / log2(3))
    array([0.964])
    """
    gains, relevant = _gains(ranked, relevant)
    k = gains.shape[1]
    discounts = 1 / np.log2(1 + np.arange(1, k + 1))
    return _divide((gains * discounts).sum(axis=1), (_largest_gains(relevant, k) * discounts).sum(axis=1))


def auc(scores, relevant):
    r"""Return the area under the ROC curve: how often a relevant item scores above one that is not.

    .. math::

        \frac{1}{|\mathcal{T}_u| \, |\mathcal{C}_u|} \sum_{i \in \mathcal{T}_u} \sum_{j \in \mathcal{C}_u}
        \Big( \mathbf{1}[s_{ui} > s_{uj}] + \tfrac12 \mathbf{1}[s_{ui} = s_{uj}] \Big)

    Here :math:`\mathcal{C}_u` are the candidates that are not relevant. All ranks count alike, the bottom as much as
    the top, and there is no k. Ties count half, so that equal scores for all items give 0.5.

    Parameters
    ----------
    scores : array_like of shape (n_users, n_items)
        Higher is better. ``-inf`` marks an item that is no candidate; it is compared with nothing.
    relevant : sparse or dense array of shape (n_users, n_items)
        Above 0 where the item is relevant. Entries that are stored twice are added, as SciPy does.

    Returns
    -------
    ndarray of shape (n_users,), float64
        0 to 1. NaN for users without a relevant item, and where every candidate is relevant.

    Raises
    ------
    ValueError
        If shapes do not fit, a score is NaN or ``+inf``, a relevant item is no candidate, or `relevant` holds anything
        but numbers of 0 or more.

    Notes
    -----
    Counted from ranks (the Mann-Whitney statistic): sort the scores once, and look up how many lie below each relevant
    item. This is much less work than to compare all pairs.

    Examples
    --------
    >>> auc([[0.9, 0.5, 0.5, 0.1]], [[1, 1, 0, 0]])  # of 4 pairs, 3 in order and 1 tied
    array([0.875])
    """
    scores = check_scores(scores)
    relevant = check_relevant(relevant, len(scores))
    if relevant.shape != scores.shape:
        raise ValueError(f"expected relevant of the shape of scores, {scores.shape}, received {relevant.shape}")
    in_order = np.sort(scores, axis=1)  # -inf, which is no candidate, comes first
    n_won = np.zeros(len(scores))
    for user, (start, stop) in enumerate(pairwise(relevant.indptr)):
        of_relevant = scores[user, relevant.indices[start:stop]]
        n_below = np.searchsorted(in_order[user], of_relevant, side="left")
        n_up_to = np.searchsorted(in_order[user], of_relevant, side="right")
        n_won[user] = (n_below + n_up_to).sum() / 2  # those that are tied count half
    is_excluded = scores == -np.inf
    if is_excluded[relevant.nonzero()].any():
        raise ValueError("expected a score for every relevant item, received -inf; leave such items out of relevant")
    # So far each relevant item has also beaten all that are excluded, and it was set against the relevant ones, itself
    # included: among those half of all n_relevant**2 comparisons are won.
    n_relevant, n_excluded = count_relevant(relevant), is_excluded.sum(axis=1)
    n_won -= n_relevant * n_excluded + n_relevant**2 / 2
    return _divide(n_won, n_relevant * (scores.shape[1] - n_excluded - n_relevant))


def catalogue_coverage(ranked, n_items):
    """Return the share of the catalogue that is in at least one list.

    Parameters
    ----------
    ranked : array_like of shape (n_users, k), int
        Lists of item indices; -1 is an empty place. There may be no user.
    n_items : int
        Size of the catalogue, 1 or more.

    Returns
    -------
    float
        0 to 1; at most n_users * k / n_items.

    Raises
    ------
    ValueError
        If `ranked` is not as `precision_at_k` wants it, or `n_items` is not a whole number of 1 or more.

    Examples
    --------
    >>> catalogue_coverage([[0, 1], [0, 2]], n_items=4)
    0.75
    """
    check_whole("n_items", n_items, 1)
    ranked = _check_ranked(ranked, n_items)
    return len(np.unique(ranked[ranked >= 0])) / int(n_items)


def _hits(ranked, relevant):
    """Return where the lists hold relevant items, bool (n_users, k), and how many each user has, int (n_users,)."""
    gains, relevant = _gains(ranked, relevant)
    return gains > 0, count_relevant(relevant)


def _gains(ranked, relevant):
    """Return the gain at each place of the lists, (n_users, k), and the checked matrix of gains."""
    ranked = np.asarray(ranked)
    relevant = check_relevant(relevant, len(ranked) if ranked.ndim else 0)
    ranked = _check_ranked(ranked, relevant.shape[1])
    users, places = np.nonzero(ranked >= 0)
    gains = np.zeros(ranked.shape)
    if len(users):
        gains[users, places] = relevant[users, ranked[users, places]]
    return gains, relevant


def _largest_gains(relevant, k):
    """Return the k largest gains of each user, largest first and filled up with 0, (n_users, k)."""
    n_relevant = count_relevant(relevant)
    users = np.repeat(np.arange(len(n_relevant)), n_relevant)
    by_gain = np.lexsort((-relevant.data, users))  # users stay together, so row pointers stay right
    places = np.arange(len(users)) - relevant.indptr[users]
    is_listed = places < k
    gains = np.zeros((len(n_relevant), k))
    gains[users[is_listed], places[is_listed]] = relevant.data[by_gain][is_listed]
    return gains


def count_relevant(relevant):
    """Return how many relevant items each user has, (n_users,); int64, since products of counts outgrow int32."""
    return np.diff(relevant.indptr).astype(np.int64)


def _divide(numerator, denominator):
    """Divide; NaN where the denominator is 0."""
    return np.divide(numerator, denominator, out=np.full(len(numerator), np.nan), where=denominator > 0)


def check_scores(scores):
    """Return scores as a floating table of finite numbers and -inf."""
    scores = np.asarray(scores)
    if scores.ndim != 2:
        raise ValueError(f"expected scores of shape (n_users, n_items), received {scores.shape}; use one row a user")
    if scores.dtype.kind not in "biuf":
        raise ValueError(f"expected scores that are real numbers, received {scores.dtype}; convert them to float")
    given, scores = scores, scores.astype(np.result_type(scores, np.float32), copy=False)
    if given.dtype.kind in "iu" and given.dtype.itemsize == 8 and (np.abs(scores) >= MAX_EXACT).any():
        raise ValueError(
            f"expected whole numbers below 2**53 as scores, received {given.flat[np.abs(scores).argmax()]}; larger "
            "ones would be rounded, and some that differ would tie: subtract what they have in common"
        )
    is_bad = ~(scores < np.inf)  # NaN too
    if is_bad.any():
        row = int(np.flatnonzero(is_bad.any(axis=1))[0])
        raise ValueError(f"expected finite scores, received NaN or +inf in row {row}; only -inf has a meaning")
    return scores


def _check_ranked(ranked, n_items):
    """Return lists as an int64 table of item indices and -1, each item at most once in a row."""
    ranked = np.asarray(ranked)
    if ranked.ndim != 2 or ranked.shape[1] == 0:
        raise ValueError(f"expected ranked of shape (n_users, k) with k of 1 or more, received {ranked.shape}")
    if ranked.dtype.kind not in "iu" and ranked.size:
        raise ValueError(f"expected item indices in ranked, received {ranked.dtype}; rank_items makes them")
    ranked = ranked.astype(np.int64, copy=False)
    if ranked.size and (ranked.min() < -1 or ranked.max() >= n_items):
        wrong = ranked[(ranked < -1) | (ranked >= n_items)][0]
        raise ValueError(f"expected indices of {n_items} items in ranked, or -1 for an empty place, received {wrong}")
    in_order = np.sort(ranked, axis=1)
    is_twice = (in_order[:, 1:] == in_order[:, :-1]) & (in_order[:, 1:] >= 0)
    if is_twice.any():
        row, place = np.argwhere(is_twice)[0]
        raise ValueError(
            f"expected each item once in a list, received item {in_order[row, place]} twice in row {row}; drop one"
        )
    return ranked


def check_relevant(relevant, n_users):
    """Return a copy as a sparse matrix of the positive gains, float64, indices sorted and unique in each row."""
    relevant = relevant if issparse(relevant) else np.asarray(relevant)
    if relevant.ndim != 2 or relevant.shape[0] != n_users:
        raise ValueError(
            f"expected relevant of shape (n_users, n_items) with a row for each of {n_users} users, "
            f"received {relevant.shape}"
        )
    if relevant.dtype.kind not in "biuf":
        raise ValueError(f"expected real numbers in relevant, received {relevant.dtype}; use 0 and 1")
    relevant = csr_array(relevant, dtype=np.float64, copy=True)
    relevant.sum_duplicates()
    if not (np.isfinite(relevant.data) & (relevant.data >= 0)).all():
        raise ValueError("expected relevant of finite numbers of 0 or more, received others; set what is disliked to 0")
    relevant.eliminate_zeros()
    return relevant
