"""Compare vectors: inner product, cosine and Euclidean distance, and search for the most similar items.

All three measures are scores: higher means more similar. A distance enters with a minus sign.
"""

import numpy as np
from scipy.sparse import issparse

from utils.checks import check_choice, check_floats, check_whole

#: The measures that `scores` and `top_k` know.
MEASURES = ("dot", "cosine", "euclidean")

# `top_k` holds at most this many scores at a time (16 MB in float32): enough for a fast matrix product, and few enough
# for the search that follows to find them still in a cache.
MAX_SCORES = 2**22


def scores(queries, items, measure="dot"):
    r"""Score every item for every query.

    .. math::

        s_\text{dot} = \mathbf{q}^\top \mathbf{y}, \qquad
        s_\text{cosine} = \frac{\mathbf{q}^\top \mathbf{y}}{\lVert\mathbf{q}\rVert\,\lVert\mathbf{y}\rVert}, \qquad
        s_\text{euclidean} = -\lVert\mathbf{q} - \mathbf{y}\rVert

    Parameters
    ----------
    queries : array_like of shape (n_queries, n_factors) or (n_factors,)
        Query vectors, or a single one.
    items : array_like of shape (n_items, n_factors)
        Item vectors; row i is item i.
    measure : {"dot", "cosine", "euclidean"}, optional
        How to compare.

    Returns
    -------
    ndarray of shape (n_queries, n_items), or (n_items,) for a single query
        Higher is more similar: any number for "dot", -1 to 1 for "cosine", 0 or less for "euclidean". float32 if all
        vectors are float32 and the measure is not "euclidean", else float64. Without items there are no columns.

    Raises
    ------
    TypeError
        If vectors are sparse or no real numbers.
    ValueError
        If shapes do not fit, an entry is not finite, the measure is unknown, or a vector is zero and the measure is
        "cosine": the zero vector has no direction.

    Notes
    -----
    Euclidean distances are computed in float64 whatever the input, from the differences of coordinates. The shorter way
    over :math:`|q|^2 + |y|^2 - 2 q^\top y` subtracts numbers that are nearly equal when q is close to y and both are
    far from the origin, and loses the digits that decide.

    Examples
    --------
    >>> query, films = [1.0, 1.0], [[3.0, 0.0], [1.0, 1.0]]
    >>> scores(query, films, "dot")
    array([3., 2.])
    >>> scores(query, films, "cosine").round(3)
    array([0.707, 1.   ])
    >>> scores(query, films, "euclidean").round(3)
    array([-2.236,  0.   ])
    """
    queries, items, is_single = _check_vectors(queries, items)
    check_choice("measure", measure, MEASURES)
    if measure == "euclidean":
        result = 0.0 - np.sqrt(squared_distances(queries, items))
    else:
        result = _products(queries, items, measure)
    return result[0] if is_single else result


def top_k(queries, items, k, measure="dot"):
    """Find the k most similar items of every query, exactly.

    The full table of scores is never held: queries go in blocks, and each row is searched by the maxima of its blocks
    instead of being sorted.

    Parameters
    ----------
    queries, items, measure
        As in `scores`.
    k : int
        How many items, 1 to n_items.

    Returns
    -------
    indices : ndarray of shape (n_queries, k), or (k,) for a single query, int64
        Rows of `items`, the most similar first. Of items with equal scores the lower index comes first.
    values : ndarray of the same shape
        Their scores, as `scores` gives them.

    Raises
    ------
    TypeError
        As in `scores`.
    ValueError
        As in `scores`, and if k is not from 1 to n_items.

    Notes
    -----
    Scores count as equal if they are equal as computed. A matrix product may round in another way in another column, so
    that even two copies of an item can differ in the last digit, unless the sums are exact, as of small whole numbers.

    Examples
    --------
    >>> indices, values = top_k([1.0, 1.0], [[3.0, 0.0], [1.0, 1.0], [0.0, 3.0]], k=2)
    >>> indices, values
    (array([0, 2]), array([3., 3.]))
    """
    queries, items, is_single = _check_vectors(queries, items)
    n_queries, n_items = len(queries), len(items)
    check_whole("k", k, 1, n_items)
    check_choice("measure", measure, MEASURES)
    k = int(k)
    is_euclidean = measure == "euclidean"
    if measure == "cosine":  # once for all blocks
        queries, items = unit_rows(queries, "queries"), unit_rows(items, "items")
    indices = np.empty((n_queries, k), dtype=np.int64)
    values = np.empty((n_queries, k), dtype=np.float64 if is_euclidean else queries.dtype)
    n_rows = max(1, MAX_SCORES // n_items)
    near = _Nearest(items, k) if is_euclidean else None
    for start in range(0, n_queries, n_rows):
        rows = slice(start, start + n_rows)
        if is_euclidean:
            indices[rows], values[rows] = near.search(queries[rows])
            continue
        block = queries[rows] @ items.T
        if measure == "cosine":
            np.clip(block, -1, 1, out=block)
        indices[rows] = largest(block, k)
        values[rows] = np.take_along_axis(block, indices[rows], axis=1)
    return (indices[0], values[0]) if is_single else (indices, values)


def augment_for_mips(items, queries):
    r"""Add one coordinate to every vector, so that Euclidean distance ranks items as the inner product did.

    With L the length of the longest item,

    .. math::

        \tilde{\mathbf{y}} = \big(\mathbf{y}, \sqrt{L^2 - \lVert\mathbf{y}\rVert^2}\big), \quad
        \tilde{\mathbf{q}} = (\mathbf{q}, 0)
        \quad\Rightarrow\quad
        \lVert\tilde{\mathbf{q}} - \tilde{\mathbf{y}}\rVert^2
        = \lVert\mathbf{q}\rVert^2 + L^2 - 2\,\mathbf{q}^\top\mathbf{y} .

    So every index for nearest neighbours can search for the maximum inner product (MIPS).

    Parameters
    ----------
    items : array_like of shape (n_items, n_factors)
        Item vectors, at least one.
    queries : array_like of shape (n_queries, n_factors) or (n_factors,)
        Query vectors, or a single one.

    Returns
    -------
    items : ndarray of shape (n_items, n_factors + 1)
        All of length L.
    queries : ndarray of shape (n_queries, n_factors + 1) or (n_factors + 1,)
        The last coordinate is 0.

    Raises
    ------
    TypeError
        As in `scores`.
    ValueError
        If shapes do not fit, an entry is not finite, or there is no item.

    References
    ----------
    Bachrach et al. (2014), section 3.1; there queries have unit length first, which changes no ranking.

    Examples
    --------
    >>> items, query = augment_for_mips([[3.0, 4.0], [0.0, 3.0]], [1.0, 2.0])
    >>> items
    array([[3., 4., 0.],
           [0., 3., 4.]])
    >>> query
    array([1., 2., 0.])
    """
    queries, items, is_single = _check_vectors(queries, items)
    if len(items) == 0:
        raise ValueError("expected at least one item, received none; the added coordinate needs the longest length")
    squares = (items**2).sum(axis=1)
    items = np.column_stack([items, np.sqrt(squares.max() - squares)])
    queries = np.column_stack([queries, np.zeros(len(queries), dtype=queries.dtype)])
    return items, queries[0] if is_single else queries


def _check_vectors(queries, items):
    """Return both as tables of one floating type, and whether there was a single query."""
    for name, array in (("queries", queries), ("items", items)):
        if issparse(array):
            raise TypeError(f"expected {name} as a dense array, received a {type(array).__name__}; use .toarray()")
    queries, items = np.asarray(queries), np.asarray(items)
    if items.ndim != 2:
        raise ValueError(f"expected items of shape (n_items, n_factors), received {items.shape}; use one row an item")
    if queries.ndim not in (1, 2) or queries.shape[-1] != items.shape[1]:
        raise ValueError(
            f"expected queries of shape (n_queries, {items.shape[1]}) or ({items.shape[1]},), as many numbers as an "
            f"item has, received {queries.shape}; queries and items must live in the same space"
        )
    is_single, queries = queries.ndim == 1, np.atleast_2d(queries)
    queries, items = check_floats("queries", queries), check_floats("items", items)
    dtype = np.result_type(queries, items)
    return queries.astype(dtype, copy=False), items.astype(dtype, copy=False), is_single


def _products(queries, items, measure):
    """Return the scores of "dot" and "cosine"."""
    if measure == "dot":
        return queries @ items.T
    products = unit_rows(queries, "queries") @ unit_rows(items, "items").T
    return np.clip(products, -1, 1, out=products)  # rounding may have carried them out of their range


def squared_distances(queries, items):
    """Return the squared Euclidean distances of all pairs, from the differences of coordinates.

    Parameters
    ----------
    queries : ndarray of shape (n_queries, n_factors)
        Finite.
    items : ndarray of shape (n_items, n_factors)
        Likewise.

    Returns
    -------
    ndarray of shape (n_queries, n_items), float64
        Each pair by itself, whatever else is there; exact for whole numbers.

    Notes
    -----
    `scipy.spatial.distance.cdist` gives the same numbers. Assignments switch it off, and this goes on.

    Examples
    --------
    >>> squared_distances(np.array([[0.0, 3.0]]), np.array([[0.0, 3.0], [4.0, 0.0]]))
    array([[ 0., 25.]])
    """
    items = items.astype(np.float64, copy=False)
    result = np.empty((len(queries), len(items)))
    for row, query in enumerate(queries.astype(np.float64, copy=False)):
        result[row] = np.square(items - query).sum(axis=1)
    return result


class _Nearest:
    r"""The k nearest items by Euclidean distance: found by a matrix product, and told apart by the distances.

    The product gives :math:`|q|^2 + |y|^2 - 2 q^\top y` up to rounding, for which there is a bound. Whatever comes as
    near as the k-th nearest, give or take the bound, is a candidate, and the candidates' distances decide. Where there
    are too many of them, as when all is far from the origin and close together, all distances are computed.
    """

    def __init__(self, items, k):
        self.items, self.k = items.astype(np.float64), k
        self.n_candidates = min(len(items), 2 * k + 8)
        self.centre = items.mean(axis=0, dtype=np.float64)  # near the origin fewer digits cancel
        self.centred = self.items - self.centre
        self.squares = (self.centred**2).sum(axis=1)

    def search(self, queries):
        """Return the indices (n_queries, k), nearest first, ties to the lower index, and minus the distances."""
        queries = queries.astype(np.float64)
        moved = queries - self.centre
        nearness = 2 * moved @ self.centred.T - self.squares  # |q|^2 is the same for a whole row
        candidates = largest(nearness, self.n_candidates)
        values = np.take_along_axis(nearness, candidates, axis=1)
        sizes = (moved**2).sum(axis=1) + self.squares.max()
        bound = 8 * (self.centre.size + 4) * np.finfo(float).eps * sizes
        is_enough = values[:, -1] < values[:, self.k - 1] - 2 * bound
        indices = np.empty((len(queries), self.k), dtype=np.int64)
        distances = np.empty((len(queries), self.k))
        everything = np.arange(len(self.items))
        for row, query in enumerate(queries):
            some = np.sort(candidates[row]) if is_enough[row] else everything
            found = np.sqrt(squared_distances(query[None], self.items[some])[0])
            best = np.argsort(found, kind="stable")[: self.k]
            indices[row], distances[row] = some[best], found[best]
        return indices, 0.0 - distances


def unit_rows(vectors, name):
    """Divide each row by its length; `name` is what an error calls the rows."""
    peaks = np.abs(vectors).max(axis=1, keepdims=True, initial=0)
    if not peaks.all():
        raise ValueError(
            f"expected {name} with a direction, received a zero vector in row {int(np.flatnonzero(peaks == 0)[0])}; "
            "leave it out, or use 'dot' or 'euclidean'"
        )
    vectors = vectors / peaks  # else the squares of very small or large numbers would leave the range of the type
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def largest(rows, k):
    """Return the positions (n_rows, k) of the k largest entries of each row, largest first, ties to the left.

    Cut a row into blocks. The k blocks with the largest maxima hold the k largest entries: each of those blocks has an
    entry that comes before all that is in the other blocks. So one pass for the maxima is enough to leave most of the
    row alone, and what remains is searched in the same way.
    """
    n_rows, n = rows.shape
    if n <= 16 * k:
        return np.argsort(-rows, axis=1, kind="stable")[:, :k]
    width = int(np.sqrt(n / k))  # as many maxima (n / width) as candidates (k * width)
    n_full = n // width * width
    maxima = rows[:, :n_full].reshape(n_rows, -1, width).max(axis=2)
    if n_full < n:
        maxima = np.hstack([maxima, rows[:, n_full:].max(axis=1, keepdims=True)])
    blocks = np.sort(largest(maxima, k), axis=1)  # in the order of the row, so that ties stay in that order
    positions = (blocks[:, :, None] * width + np.arange(width)).reshape(n_rows, -1)  # (n_rows, k * width)
    candidates = np.take_along_axis(rows, np.minimum(positions, n - 1), axis=1)
    candidates[positions >= n] = -np.inf  # the last block may be short
    return np.take_along_axis(positions, largest(candidates, k), axis=1)
