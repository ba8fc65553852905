"""Look at embeddings: what the counts behind them say, who is near whom, and how much of a known space is in them."""

import numpy as np
from scipy.linalg import orthogonal_procrustes, subspace_angles
from scipy.sparse import issparse
from scipy.spatial import procrustes

from utils.checks import check_floats, check_matrix, check_rng, check_vectors, check_whole
from utils.metrics import rank_items
from utils.similarity import scores, unit_rows


def cooccurrence(matrix):
    r"""Count, for each two items, the users who have both.

    With :math:`\mathbf{R}` the matrix of ones and zeros, this is its Gram matrix
    :math:`\mathbf{G} = \mathbf{R}^\top \mathbf{R}`.

    Parameters
    ----------
    matrix : sparse matrix or array_like of shape (n_users, n_items)
        What is not 0 counts as an interaction, whatever its value. Entries that are stored twice are added, as SciPy
        does.

    Returns
    -------
    ndarray of shape (n_items, n_items), int64
        Symmetric. The diagonal holds the popularity of each item. All 0 where there is no user.

    Raises
    ------
    TypeError, ValueError
        If `matrix` has not two dimensions, or an entry is no finite number.

    Examples
    --------
    >>> cooccurrence([[1, 1, 0], [0, 1, 0], [4, 1, 1]])
    array([[2, 2, 1],
           [2, 3, 1],
           [1, 1, 1]])
    """
    has = _check_interactions(matrix)
    if issparse(has):
        ones = has.astype(np.int64)
        return (ones.T @ ones).toarray()
    ones = has.astype(np.float64)  # BLAS multiplies floats, not integers; counts are exact in them up to 2**53
    return (ones.T @ ones).astype(np.int64)


def shuffle_matrix(matrix, *, rng, n_rounds=20):
    """Deal the interactions out again, so that nothing but activity and popularity is left of them.

    In a round, users are paired at random. What only one of two users has goes on a heap, is shuffled, and is dealt out
    again, so many items to each as they put on it. So every user keeps the number of items, and every item keeps the
    number of users. After many rounds, all tables with these numbers are equally likely.

    Parameters
    ----------
    matrix : sparse matrix or array_like of shape (n_users, n_items)
        What is not 0 counts as an interaction, whatever its value. Entries that are stored twice are added, as SciPy
        does.
    rng : numpy.random.Generator
        Pairs the users and shuffles the heaps.
    n_rounds : int, optional
        How often each user trades, 0 or more. With 0 nothing is shuffled.

    Returns
    -------
    ndarray of shape (n_users, n_items), float64
        Ones and zeros, with the row and column sums that the ones of `matrix` have.

    Raises
    ------
    TypeError
        If `rng` is not a generator.
    ValueError
        If `matrix` has not two dimensions, or `n_rounds` is not a whole number of 0 or more.

    References
    ----------
    strona2014fast; there one pair trades at a time.

    Examples
    --------
    >>> table = np.array([[1, 1, 0, 0], [0, 0, 1, 0], [0, 1, 1, 1]])
    >>> shuffled = shuffle_matrix(table, rng=np.random.default_rng(0))
    >>> shuffled.sum(axis=1), shuffled.sum(axis=0)
    (array([2., 1., 3.]), array([1., 2., 2., 1.]))
    """
    has = _check_interactions(matrix)
    has = has.toarray() if issparse(has) else has
    check_rng(rng)
    check_whole("n_rounds", n_rounds, 0)
    for _ in range(n_rounds):
        users = rng.permutation(len(has))
        for one, other in zip(users[::2], users[1::2]):
            row, other_row = has[one], has[other]  # views: what is dealt to them is dealt to the table
            heap = rng.permutation(np.flatnonzero(row != other_row))
            n_one = np.count_nonzero(row[heap])
            row[heap], other_row[heap] = False, True
            row[heap[:n_one]], other_row[heap[:n_one]] = True, False
    return has.astype(np.float64)


def count_directions(matrix, *, rng, n_shuffles=1):
    """Count the directions of a table that stand out from chance: a number of dimensions to start from.

    The singular values of the table are compared with those of a shuffled one (see `shuffle_matrix`), place by place.
    The first one counts in any case: it is popularity, which a shuffled table has too. From the second one on, those
    before the first that is not larger are counted.

    Parameters
    ----------
    matrix : sparse matrix or array_like of shape (n_users, n_items)
        What is not 0 counts as an interaction. At least one interaction. Entries that are stored twice are added, as
        SciPy does.
    rng : numpy.random.Generator
        For the shuffles.
    n_shuffles : int, optional
        Over how many shuffled tables the values at each place are averaged, 1 or more.

    Returns
    -------
    int
        1 to the smaller side of the matrix. 1 says that activity and popularity explain the table.

    Raises
    ------
    TypeError
        If `rng` is not a generator.
    ValueError
        If `matrix` has not two dimensions or no interaction, or `n_shuffles` is not a whole number of 1 or more.

    References
    ----------
    horn1965rationale: parallel analysis; there for correlations, and against tables of random numbers.

    Examples
    --------
    Two circles of users who do not mix. Popularity is one direction, and the circle is one more:

    >>> table = np.kron(np.eye(2), np.ones((6, 4)))
    >>> count_directions(table, rng=np.random.default_rng(0))
    2
    """
    has = _check_interactions(matrix)
    check_whole("n_shuffles", n_shuffles, 1)
    has = (has.toarray() if issparse(has) else has).astype(np.float64)
    if not has.any():
        raise ValueError("expected at least one interaction, received none; an empty table has no direction")
    values = np.linalg.svd(has, compute_uv=False)
    by_chance = [np.linalg.svd(shuffle_matrix(has, rng=rng), compute_uv=False) for _ in range(n_shuffles)]
    stands_out = values > np.mean(by_chance, axis=0)
    stands_out[0] = True
    return len(values) if stands_out.all() else int(stands_out.argmin())


def nearest_items(vectors, k, measure="cosine"):
    """Find the k items most similar to each item, itself left out.

    Parameters
    ----------
    vectors : array_like of shape (n_items, n_factors)
        Row i is item i.
    k : int
        How many others, 1 to n_items - 1.
    measure : {"dot", "cosine", "euclidean"}, optional
        As in `utils.similarity.scores`.

    Returns
    -------
    ndarray of shape (n_items, k), int64
        Rows of `vectors`, the most similar first. Of items with equal scores the lower index comes first.

    Raises
    ------
    TypeError, ValueError
        If k is not a whole number from 1 to n_items - 1, and as in `utils.similarity.scores`.

    Examples
    --------
    >>> nearest_items([[1.0, 0.0], [3.0, 1.0], [0.0, 1.0]], k=1)
    array([[1],
           [0],
           [1]])
    """
    table = scores(vectors, vectors, measure).astype(np.float64)  # (n_items, n_items)
    check_whole("k", k, 1, len(table) - 1)
    np.fill_diagonal(table, -np.inf)
    return rank_items(table, int(k))


def principal_angles(first, second):
    r"""Measure the angles between two spaces, each spanned by the columns of a matrix.

    The first angle is the smallest one between a direction of the first space and a direction of the second. Each
    further one is the smallest that is left at right angles to the directions before. With orthonormal bases
    :math:`\mathbf{Q}_1, \mathbf{Q}_2` their cosines are the singular values of :math:`\mathbf{Q}_1^\top \mathbf{Q}_2`.

    Parameters
    ----------
    first : array_like of shape (n_rows, n_first)
        Its columns span the one space, and are linearly independent.
    second : array_like of shape (n_rows, n_second)
        Its columns span the other, likewise.

    Returns
    -------
    ndarray of shape (min(n_first, n_second),), float64
        In radians, 0 to pi / 2, smallest first. All 0 if the one space lies in the other. They depend on the spaces
        alone: not on the order, lengths or mixture of the columns.

    Raises
    ------
    ValueError
        If a matrix has not two dimensions or no column, the numbers of rows differ, an entry is not finite, or columns
        are linearly dependent.

    Notes
    -----
    `scipy.linalg.subspace_angles` computes them, largest first. An angle near 0 has a cosine that rounds to 1, so it
    takes those below 45 degrees from their sines.

    References
    ----------
    bjorck1973numerical, theorem 1 and equation 13.

    Examples
    --------
    >>> floor = [[1, 0], [0, 1], [0, 0]]
    >>> roof = [[1, 0], [0, 1], [0, 1]]  # tilted about the first axis
    >>> np.degrees(principal_angles(floor, roof)).round(6)
    array([ 0., 45.])
    """
    first, second = _check_independent(first, "first"), _check_independent(second, "second")
    if len(first) != len(second):
        raise ValueError(
            f"expected two matrices with one number of rows, received {len(first)} and {len(second)} rows; row i must "
            "stand for the same item in both"
        )
    return subspace_angles(first, second)[::-1]


def procrustes_error(learned, truth):
    r"""Turn and scale one set of vectors onto another as well as possible, and measure what does not fit.

    Both sets are centred and scaled to the sum of squares 1, and the narrower one is filled up with coordinates of 0.
    With the results :math:`\mathbf{A}` and :math:`\mathbf{B}`,

    .. math::

        &\min_{c,\, \mathbf{O}} \lVert c\, \mathbf{A} \mathbf{O} - \mathbf{B} \rVert^2 \\
        &\qquad = 1 - \Big(\sum_a \sigma_a(\mathbf{A}^\top \mathbf{B})\Big)^2 ,

    where :math:`c` is a number and :math:`\mathbf{O}` is orthogonal: a rotation, mirrored or not.

    Parameters
    ----------
    learned : array_like of shape (n_items, n_learned)
        Learned vectors; row i is item i.
    truth : array_like of shape (n_items, n_true)
        True vectors of the same items.

    Returns
    -------
    float
        From 0, where the one set is the other one turned, mirrored, moved and scaled, to 1. It is symmetric. A learned
        coordinate that has nothing to do with the truth makes it larger.

    Raises
    ------
    ValueError
        If a matrix has not two dimensions or no column, the numbers of rows differ, an entry is not finite, or all rows
        of a matrix are equal, which leaves nothing to fit.

    Notes
    -----
    `scipy.spatial.procrustes` computes it, which wants two matrices of one shape.

    References
    ----------
    schonemann1966generalized; there without the scale :math:`c`, and for equally many coordinates.

    Examples
    --------
    >>> truth = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 1.0]])
    >>> turned = np.array([[5.0, 5.0], [5.0, 7.0], [4.0, 5.0]])
    >>> round(procrustes_error(turned, truth), 12) + 0.0
    0.0
    """
    learned, truth = _centred(learned, "learned"), _centred(truth, "truth")
    if len(learned) != len(truth):
        raise ValueError(
            f"expected one row an item in both, received {len(learned)} learned and {len(truth)} true vectors; leave "
            "the same items out of both"
        )
    width = max(learned.shape[1], truth.shape[1])
    filled = [np.pad(table, ((0, 0), (0, width - table.shape[1]))) for table in (truth, learned)]
    return float(procrustes(*filled)[2])


def project_to_plane(vectors, like=None):
    """Draw a map: flatten vectors onto the plane in which their directions spread most.

    Every vector is scaled to length 1, the mean is subtracted, and the two principal components are kept.

    Parameters
    ----------
    vectors : array_like of shape (n_items, n_factors)
        At least two factors, and no zero vector. Row i is item i.
    like : array_like of shape (n_items, 2), optional
        Another map of the same items. The new one is turned and mirrored to fit it as well as possible: a map has no
        up and down of its own.

    Returns
    -------
    points : ndarray of shape (n_items, 2), float64
        Centred on the origin; distances are at most those between the unit vectors.
    share : float
        Share of the spread (the sum of squares around the mean) that the plane holds, 0 to 1. The rest of it cannot be
        seen on the map.

    Raises
    ------
    ValueError
        If a matrix has the wrong shape, an entry is not finite, a vector is zero, or all directions are equal.

    Examples
    --------
    >>> points, share = project_to_plane([[2.0, 0.0, 0.0], [0.0, 3.0, 0.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
    >>> round(share, 6)
    1.0
    """
    vectors = _check_table(vectors, "vectors")
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if vectors.shape[1] < 2 or not lengths.all():
        raise ValueError(
            f"expected vectors of two numbers or more that are not all zero, received shape {vectors.shape} with "
            f"{int((lengths == 0).sum())} zero vectors; leave those out, since they have no direction"
        )
    u, s, _ = np.linalg.svd(_centred(vectors / lengths, "vectors", scale=False), full_matrices=False)
    points, share = u[:, :2] * s[:2], float((s[:2] ** 2).sum() / (s**2).sum())
    if like is None:
        return points * _signs(points), share
    like = _check_table(like, "like")
    if like.shape != points.shape:
        raise ValueError(f"expected like of shape {points.shape}, received {like.shape}; give a map of the same items")
    return points @ orthogonal_procrustes(points, like)[0], share


def _check_interactions(matrix):
    """Return which entries are not 0, sparse or dense as they came."""
    if issparse(matrix):
        return check_matrix(matrix, "matrix") != 0
    return check_floats("matrix", matrix, ("n_users", "n_items")) != 0


def _signs(columns):
    """Return +1 or -1 for each column, so that its entry with the largest absolute value becomes positive."""
    largest = np.abs(columns).argmax(axis=0)
    return np.where(columns[largest, np.arange(columns.shape[1])] < 0, -1.0, 1.0)


def _check_independent(columns, name):
    columns = _check_table(columns, name)
    matrix_rank = int(np.linalg.matrix_rank(columns))
    if matrix_rank < columns.shape[1]:
        raise ValueError(
            f"expected linearly independent columns in {name}, received {columns.shape[1]} columns of matrix rank "
            f"{matrix_rank}; keep fewer of them"
        )
    return columns


def _centred(rows, name, scale=True):
    """Return the rows without their mean, and divided by the root of their sum of squares."""
    rows = _check_table(rows, name)
    centred = rows - rows.mean(axis=0)
    size = np.linalg.norm(centred)
    if size <= 1e-12 * np.linalg.norm(rows):  # rounding leaves a little where rows are equal
        raise ValueError(f"expected different rows in {name}, received equal ones; they have no shape to compare")
    return centred / size if scale else centred


def _check_table(table, name):
    table = np.asarray(table)
    if table.ndim != 2 or table.shape[1] == 0 or table.shape[0] == 0:
        raise ValueError(f"expected {name} of shape (n_items, n_factors), received {table.shape}; use one row an item")
    return check_floats(name, table).astype(np.float64, copy=False)


def centre(items):
    """Subtract the mean of all vectors from each of them.

    Parameters
    ----------
    items : array_like of shape (n_items, n_factors)
        Item vectors, at least one.

    Returns
    -------
    ndarray of the same shape
        float32 if `items` is, else float64.

    Raises
    ------
    ValueError
        If the shape does not fit or an entry is not finite.

    Examples
    --------
    >>> centre([[1.0, 2.0], [3.0, 2.0]])
    array([[-1.,  0.],
           [ 1.,  0.]])
    """
    items = check_vectors("items", items)
    return items - items.mean(axis=0, dtype=np.float64).astype(items.dtype)


def whiten(items):
    r"""Centre the vectors, and stretch them until their covariance matrix is the identity.

    .. math:: \mathbf{C}^{-1/2} (\mathbf{y}_i - \bar{\mathbf{y}})

    Parameters
    ----------
    items : array_like of shape (n_items, n_factors)
        Item vectors that are not all equal.

    Returns
    -------
    ndarray of the same shape, float64
        Covariance (with divisor n_items) 1 in every direction in which the items differ, and 0 in the others. The axes
        are kept as far as possible; rotating them would change no inner product.

    Raises
    ------
    ValueError
        As in `centre`, and if all items are equal.

    Examples
    --------
    >>> whiten([[0.0, 5.0], [4.0, 5.0], [0.0, 7.0], [4.0, 7.0]])
    array([[-1., -1.],
           [ 1., -1.],
           [-1.,  1.],
           [ 1.,  1.]])
    """
    centred, u, s, vt = _spread(items)
    is_used = s > s[0] * max(centred.shape) * np.finfo(float).eps
    return np.sqrt(len(centred)) * u[:, is_used] @ vt[is_used]


def normalise(items):
    """Divide each vector by its length.

    Parameters
    ----------
    items : array_like of shape (n_items, n_factors)
        Item vectors, none of them zero.

    Returns
    -------
    ndarray of the same shape
        Rows of length 1; float32 if `items` is, else float64.

    Raises
    ------
    ValueError
        As in `centre`, and if a vector is zero, which has no direction.

    Examples
    --------
    >>> normalise([[3.0, 4.0], [0.0, 2.0]])
    array([[0.6, 0.8],
           [0. , 1. ]])
    """
    return unit_rows(check_vectors("items", items), "items")


def effective_dimension(items):
    r"""Count the directions that the vectors really use.

    .. math:: d_\text{eff} = \frac{(\operatorname{tr} \mathbf{C})^2}{\operatorname{tr} \mathbf{C}^2}

    Parameters
    ----------
    items : array_like of shape (n_items, n_factors)
        Item vectors that are not all equal.

    Returns
    -------
    float
        From 1, where all differences lie on a line, to n_factors, where the variance is the same in all directions.
        Neither the mean of the items nor their scale matters.

    Raises
    ------
    ValueError
        As in `centre`, and if all items are equal.

    Examples
    --------
    >>> effective_dimension([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    2.0
    """
    variances = _spread(items)[2] ** 2
    return float(variances.sum() ** 2 / (variances**2).sum())


def _spread(items):
    """Return the items, centred and scaled, and their singular value decomposition, in float64."""
    items = check_vectors("items", items).astype(np.float64)
    centred = items - items.mean(axis=0)
    largest = np.abs(centred).max()
    if largest <= 1e-12 * np.abs(items).max():  # rounding leaves a little where all are equal
        raise ValueError("expected items that differ, received equal ones; they spread in no direction")
    centred /= largest  # so that no square leaves the range of the type
    return centred, *np.linalg.svd(centred, full_matrices=False)
