r"""Factorise a matrix: the truncated SVD of a full one, and gradient steps on the observed entries of one with gaps.

Both write a matrix as a product of user vectors and item vectors. They differ in what a gap is. To `truncated_svd` an
entry that is not stored is the number 0, which is right for counts and wrong for ratings. `fit_sgd` looks at the stored
entries only and asks nothing of the others.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array, issparse
from scipy.sparse.linalg import svds

from utils.book.progress import progress_bar
from utils.checks import (
    check_floats,
    check_indices,
    check_matrix,
    check_number,
    check_pair,
    check_rng,
    check_whole,
    refuse_divergence,
)
from utils.recommender import check_users

# `truncated_svd` makes a sparse matrix dense up to so many entries (8 MB in float64): LAPACK then takes no more than
# about a second, and gives every digit.
MAX_DENSE = 2**20

# A fit whose loss is so many times that of its start, or of vectors of 0, is lost.
LOST = 1000

# `fit_sgd` draws its start with this standard deviation: not 0, where all gradients of the vectors vanish, and small
# beside the ratings.
INITIAL_SCALE = 0.1


class SVD(NamedTuple):
    """Hold the largest singular values of a matrix and their singular vectors.

    Attributes
    ----------
    user_factors : ndarray of shape (n_users, n_factors), float64
        Left singular vectors in the columns, each of length 1 and at right angles to the others.
    singular_values : ndarray of shape (n_factors,), float64
        0 or more, largest first.
    item_factors : ndarray of shape (n_items, n_factors), float64
        Right singular vectors in the columns, likewise.
    """

    user_factors: np.ndarray
    singular_values: np.ndarray
    item_factors: np.ndarray

    def product(self):
        """Return the matrix that the factors stand for, ndarray of shape (n_users, n_items)."""
        return (self.user_factors * self.singular_values) @ self.item_factors.T

    def scores(self, users):
        """Score all items for some users: their rows of `product`, as `utils.recommender.Recommender.scores` says."""
        users = check_users(users, len(self.user_factors))
        return (self.user_factors[users] * self.singular_values) @ self.item_factors.T


def truncated_svd(matrix, n_factors):
    r"""Factorise a matrix by its largest singular values.

    .. math::

        \mathbf{R} \approx \mathbf{U} \boldsymbol{\Sigma} \mathbf{V}^\top, \qquad
        \mathbf{U}^\top\mathbf{U} = \mathbf{V}^\top\mathbf{V} = \mathbf{I}

    No other matrix of the same rank is nearer to the given one in squared error. The squared error that is left is the
    sum of the :math:`\sigma_a^2` that were cut off: nothing if `n_factors` is the rank of the matrix or more.

    Parameters
    ----------
    matrix : sparse matrix or array_like of shape (n_users, n_items)
        Real numbers. An entry that is not stored is 0. Entries that are stored twice are added, as SciPy does.
    n_factors : int
        How many singular values to keep, from 1 to the smaller side of the matrix.

    Returns
    -------
    SVD
        The same matrix gives the same result. A singular vector and its partner could both change sign: here the entry
        of the item vector with the largest absolute value (the first of equal ones) is positive. Where singular values
        are equal, the vectors that go with them are one choice of many. A singular value of 0 has vectors too.

    Raises
    ------
    TypeError
        If the entries are not real numbers.
    ValueError
        If `matrix` has not two dimensions or an entry is not finite, or `n_factors` is out of its range.

    Notes
    -----
    A small matrix, or more than half of all factors, goes to LAPACK, which works on the dense matrix. Otherwise ARPACK
    multiplies the sparse matrix with vectors, and never fills its gaps. The vectors of tiny singular values (below
    about 1e-8 of the largest) are then noise.

    References
    ----------
    eckart1936approximation. The signs are those of scikit-learn's ``TruncatedSVD``.

    Examples
    --------
    >>> svd = truncated_svd([[3.0, 0.0], [0.0, -2.0], [0.0, 0.0]], n_factors=2)
    >>> svd.singular_values
    array([3., 2.])
    >>> svd.product().round(6) + 0.0
    array([[ 3.,  0.],
           [ 0., -2.],
           [ 0.,  0.]])
    """
    matrix = _check_table(matrix)
    check_whole("n_factors", n_factors, 1)
    n_full = min(matrix.shape)
    if n_factors > n_full:
        raise ValueError(
            f"expected n_factors from 1 to the smaller side of a matrix of shape {matrix.shape}, received {n_factors}; "
            f"{n_full} factors give the whole matrix back"
        )
    is_zero = not matrix.count_nonzero() if issparse(matrix) else not matrix.any()  # ARPACK cannot start there
    if np.prod(matrix.shape) <= MAX_DENSE or n_factors > n_full // 2 or is_zero:
        dense = matrix.toarray() if issparse(matrix) else matrix
        u, s, vt = np.linalg.svd(dense, full_matrices=False)
    else:
        # Any start will do that is not at right angles to what is sought, as a vector of ones is if rows add up to 0.
        start = np.random.default_rng(0).standard_normal(n_full)
        u, s, vt = svds(matrix, k=n_factors, v0=start)
    largest_first = np.argsort(-s, kind="stable")[:n_factors]
    u, s, v = u[:, largest_first], s[largest_first], vt[largest_first].T
    peaks = v[np.abs(v).argmax(axis=0), np.arange(n_factors)]
    signs = np.where(peaks < 0, -1.0, 1.0)
    return SVD(u * signs, s, v * signs)


def mean_normalise(ratings):
    r"""Subtract from each rating the mean rating of its item.

    .. math:: r_{ui} - \bar r_i, \qquad \bar r_i = \frac{1}{n_i} \sum_{u : (u, i) \in \Omega} r_{ui}

    A model of what is left knows of no good or bad films, only of tastes. Add the means to its predictions: then a user
    without ratings, whose vector is 0, is predicted the mean of each item.

    Parameters
    ----------
    ratings : sparse matrix or array of shape (n_users, n_items)
        Any SciPy format. What is not stored is unknown, and stays so; a stored 0 is a rating of 0. Entries that are
        stored twice are added, as SciPy does.

    Returns
    -------
    centred : scipy.sparse.csr_array of shape (n_users, n_items), float64
        With the same entries stored, those that are 0 now included.
    item_means : ndarray of shape (n_items,), float64
        Over the stored ratings. An item without any gets the mean of all ratings, so that it is neither best nor worst.

    Raises
    ------
    TypeError
        If `ratings` is not sparse or not of real numbers.
    ValueError
        If a rating is not finite, or there is none.

    Examples
    --------
    >>> ratings = csr_array([[5.0, 2.0, 0.0], [3.0, 0.0, 0.0]])
    >>> centred, item_means = mean_normalise(ratings)
    >>> item_means.round(3)
    array([4.   , 2.   , 3.333])
    >>> centred.toarray()
    array([[ 1.,  0.,  0.],
           [-1.,  0.,  0.]])
    """
    centred = _check_ratings(ratings)
    counts = np.bincount(centred.indices, minlength=centred.shape[1])
    sums = np.bincount(centred.indices, weights=centred.data, minlength=centred.shape[1])
    item_means = np.full(centred.shape[1], centred.data.mean())
    np.divide(sums, counts, out=item_means, where=counts > 0)
    centred.data -= item_means[centred.indices]
    return centred, item_means


@dataclass(frozen=True, eq=False)
class FactorModel:
    r"""Predict ratings from vectors and biases.

    .. math:: \hat r_{ui} = \bar r + b_u + b_i + \mathbf{x}_u^\top \mathbf{y}_i

    `fit_sgd` returns one. You can also make one from vectors that you have from elsewhere: see the example.

    Parameters
    ----------
    user_factors : array_like of shape (n_users, n_factors)
        Row u is user u. There may be 0 factors.
    item_factors : array_like of shape (n_items, n_factors)
        Row i is item i.
    user_biases : array_like of shape (n_users,), optional
        Zeros if left out.
    item_biases : array_like of shape (n_items,), optional
        Zeros if left out.
    global_mean : float, optional
        Added to every prediction.
    losses : ndarray of shape (1 + n_epochs,), optional
        What `fit_sgd` minimises: at the start, then after each epoch. None for a model that was not fitted.
    train_rmse : ndarray of shape (1 + n_epochs,), optional
        Root mean squared error on the ratings that the model was fitted to, likewise.
    validation_rmse : ndarray of shape (1 + n_epochs,), optional
        The same on the validation ratings. None if there were none.

    Raises
    ------
    TypeError, ValueError
        If vectors or biases are no finite real numbers, or shapes do not fit.

    Examples
    --------
    The SVD of centred ratings, with the means as item biases:

    >>> ratings = csr_array([[5.0, 1.0], [3.0, 3.0], [4.0, 0.0]])
    >>> centred, item_means = mean_normalise(ratings)
    >>> svd = truncated_svd(centred, n_factors=1)
    >>> model = FactorModel(svd.user_factors * svd.singular_values, svd.item_factors, item_biases=item_means)
    >>> model.scores([0, 1, 2]).round(3)
    array([[5., 1.],
           [3., 3.],
           [4., 2.]])
    """

    user_factors: np.ndarray
    item_factors: np.ndarray
    user_biases: np.ndarray | None = None
    item_biases: np.ndarray | None = None
    global_mean: float = 0.0
    losses: np.ndarray | None = None
    train_rmse: np.ndarray | None = None
    validation_rmse: np.ndarray | None = None

    def __post_init__(self):
        user_factors, item_factors = np.asarray(self.user_factors), np.asarray(self.item_factors)
        if user_factors.ndim != 2 or item_factors.ndim != 2 or user_factors.shape[1] != item_factors.shape[1]:
            raise ValueError(
                "expected user_factors and item_factors with one row a vector and equally many columns, received "
                f"{user_factors.shape} and {item_factors.shape}; both need n_factors columns"
            )
        checked = {
            "user_factors": check_floats("user_factors", user_factors),
            "item_factors": check_floats("item_factors", item_factors),
            "user_biases": _check_biases("user_biases", self.user_biases, len(user_factors)),
            "item_biases": _check_biases("item_biases", self.item_biases, len(item_factors)),
        }
        if isinstance(self.global_mean, bool) or not np.isfinite(self.global_mean):
            raise ValueError(f"expected a finite global_mean, received {self.global_mean!r}; 0.0 adds nothing")
        for field, array in checked.items():
            object.__setattr__(self, field, array)  # the dataclass is frozen for everyone else

    def predict(self, users, items):
        """Predict the ratings of some pairs.

        Parameters
        ----------
        users, items : array_like of int
            Indices, of equal shape, or one of them a single number. None of them below 0.

        Returns
        -------
        ndarray of that shape
            Not clipped: a prediction may leave the scale of the ratings.

        Raises
        ------
        TypeError, ValueError
            If an index is not that of a user or an item.
        """
        users = check_indices("users", users, len(self.user_factors), n_dimensions=None)
        items = check_indices("items", items, len(self.item_factors), n_dimensions=None)
        products = (self.user_factors[users] * self.item_factors[items]).sum(axis=-1)
        return self.global_mean + self.user_biases[users] + self.item_biases[items] + products

    def scores(self, users):
        """Predict the ratings of all items for some users.

        Parameters
        ----------
        users : array_like of shape (n,), int
            Indices, from 0.

        Returns
        -------
        ndarray of shape (n, n_items), float
            What `predict` gives for each pair.

        Raises
        ------
        TypeError, ValueError
            As `utils.recommender.check_users`.
        """
        users = check_users(users, len(self.user_factors))
        offsets = self.global_mean + self.user_biases[users]
        return offsets[:, None] + self.item_biases + self.user_factors[users] @ self.item_factors.T

    def rmse(self, ratings):
        """Return the root mean squared error of the predictions on the stored entries of a matrix.

        Parameters
        ----------
        ratings : sparse matrix or array of shape (n_users, n_items)
            What is not stored does not count; a stored 0 is a rating of 0. Entries that are stored twice are added, as
            SciPy does.

        Returns
        -------
        float
            In the unit of the ratings.

        Raises
        ------
        TypeError
            If `ratings` is not sparse or not of real numbers.
        ValueError
            If its shape is not that of the model, a rating is not finite, or there is none.
        """
        return float(_rmse(self, _as_triples(_check_ratings(ratings, self.shape))))

    @property
    def shape(self):
        """Tuple (n_users, n_items)."""
        return len(self.user_factors), len(self.item_factors)


def fit_sgd(
    ratings,
    n_factors,
    *,
    penalty,
    bias_penalty=None,
    penalty_power=0.0,
    learning_rate,
    n_epochs,
    has_biases=True,
    rng,
    init=None,
    validation=None,
    progress=True,
):
    r"""Factorise ratings by stochastic gradient descent (SGD): one small step for each observed entry.

    Minimises

    .. math::

        \mathcal{L} = \sum_{(u,i) \in \Omega} e_{ui}^2
        + \lambda \Big(\sum_u \big(\lVert\mathbf{x}_u\rVert^2 + b_u^2\big)
        + \sum_i \big(\lVert\mathbf{y}_i\rVert^2 + b_i^2\big)\Big),
        \qquad e_{ui} = r_{ui} - \bar r - b_u - b_i - \mathbf{x}_u^\top \mathbf{y}_i .

    An epoch visits every rating once, in a new random order, and changes what belongs to its user and item:

    .. math::

        \mathbf{x}_u &\leftarrow \mathbf{x}_u + \eta (e_{ui}\, \mathbf{y}_i - \tfrac{\lambda}{n_u} \mathbf{x}_u),
        &\quad b_u &\leftarrow b_u + \eta (e_{ui} - \tfrac{\lambda}{n_u} b_u), \\
        \mathbf{y}_i &\leftarrow \mathbf{y}_i + \eta (e_{ui}\, \mathbf{x}_u - \tfrac{\lambda}{n_i} \mathbf{y}_i),
        &\quad b_i &\leftarrow b_i + \eta (e_{ui} - \tfrac{\lambda}{n_i} b_i),

    all four from the values before the step. Here :math:`n_u` and :math:`n_i` count the ratings of the user and of the
    item: each rating brings its part of their penalty. While steps are small, those of an epoch add up to
    :math:`-\tfrac{\eta}{2} \nabla \mathcal{L}`.

    The biases may have a penalty of their own. And a penalty may grow with the number of ratings: user u then pays
    :math:`\lambda n_u^\nu \lVert\mathbf{x}_u\rVert^2`, and item i :math:`\lambda n_i^\nu \lVert\mathbf{y}_i\rVert^2`,
    with the power :math:`\nu`; biases likewise.

    Parameters
    ----------
    ratings : sparse matrix or array of shape (n_users, n_items)
        Any SciPy format, at least one rating. What is not stored is unknown; a stored 0 is a rating of 0. Entries that
        are stored twice are added, as SciPy does.
    n_factors : int
        Length of the vectors, 0 or more; with 0 there is nothing but the mean and biases.
    penalty : float
        :math:`\lambda`, 0 or more.
    bias_penalty : float, optional
        What stands for :math:`\lambda` before the squares of the biases, 0 or more; `penalty` if left out.
    penalty_power : float, optional
        :math:`\nu`, from 0, one penalty for everybody, to 1, a penalty that is scaled by frequency: each rating brings
        the whole of it.
    learning_rate : float or array_like of shape (n_epochs,)
        :math:`\eta`, above 0, for all epochs or for each. A constant one ends in a small random dance around the
        minimum; falling ones come to rest.
    n_epochs : int
        How often to visit all ratings, 0 or more.
    has_biases : bool, optional
        False leaves :math:`\bar r`, :math:`b_u` and :math:`b_i` at 0. The loss is then that of
        `utils.als.fit_explicit`.
    rng : numpy.random.Generator
        Draws the user vectors, then the item vectors, from N(0, 0.1²), then the order of each epoch.
    init : tuple of array_like (user_factors, item_factors), optional
        Where to start. Not modified. Biases start at 0.
    validation : sparse matrix or array of shape (n_users, n_items), optional
        Ratings to measure on after each epoch. Nothing is learned from them.
    progress : bool, optional
        Whether a fit that takes longer than two seconds shows a progress bar.

    Returns
    -------
    FactorModel
        With the learning curves. :math:`\bar r` is the mean of the ratings and is not fitted. A user or an item without
        ratings has the zero vector and the bias 0, where the penalty alone would take them.

    Raises
    ------
    TypeError
        If `ratings` or `validation` is not sparse or not of real numbers, or `rng` is not a generator.
    ValueError
        If an entry or a parameter is NaN, infinite or out of its range, a shape does not fit, there is no rating, or
        the learning rate is so large that the loss explodes.

    Notes
    -----
    To be fast, ratings that share neither user nor item are visited at once. That changes nothing: see `_make_batches`.

    References
    ----------
    koren2009matrix, equations 4 and 5. There each rating brings the whole penalty of its user and item, as in
    zhou2008large, so that those with many ratings are held back more: ``penalty_power=1``. Powers between 0 and 1 are
    those of rendle2022revisiting.

    Examples
    --------
    The second item is liked twice as much as the first. The third user has not rated it:

    >>> ratings = csr_array([[1.0, 2.0], [2.0, 4.0], [3.0, 0.0]])
    >>> options = {"penalty": 0, "learning_rate": 0.05, "n_epochs": 500, "has_biases": False}
    >>> model = fit_sgd(ratings, 1, **options, rng=np.random.default_rng(0))
    >>> model.scores([0, 1, 2]).round(3)
    array([[1., 2.],
           [2., 4.],
           [3., 6.]])
    """
    ratings = _check_ratings(ratings)
    check_whole("n_factors", n_factors, 0)
    check_number("penalty", penalty)
    bias_penalty = penalty if bias_penalty is None else bias_penalty
    check_number("bias_penalty", bias_penalty)
    check_number("penalty_power", penalty_power)
    if penalty_power > 1:
        raise ValueError(
            f"expected penalty_power from 0 to 1, received {penalty_power!r}; 0 gives everybody the same penalty"
        )
    check_whole("n_epochs", n_epochs, 0)
    rates = _check_rates(learning_rate, n_epochs)
    check_rng(rng)
    if validation is not None:
        validation = _as_triples(_check_ratings(validation, ratings.shape, "validation"))

    triples = _as_triples(ratings)
    counts = [np.bincount(indices, minlength=n) for indices, n in zip(triples[:2], ratings.shape)]
    model = _start(ratings, counts, n_factors, has_biases, rng, init)
    weights = [np.maximum(n, 1) ** float(penalty_power) for n in counts]
    share = np.concatenate([weight / np.maximum(n, 1) for weight, n in zip(weights, counts)])
    shares = penalty * share, bias_penalty * share  # the part of the penalties that one rating brings
    curves = [_measure(model, triples, validation, penalty, bias_penalty, weights)]
    limit = LOST * (curves[0][0] + (ratings.data**2).sum())  # far above the start, and above vectors of 0
    for rate in progress_bar(rates, desc="SGD", unit="epoch", show=progress):
        order = rng.permutation(ratings.nnz)
        shuffled = _Triples(*(column[order] for column in triples))
        with np.errstate(over="ignore", invalid="ignore"):  # the next lines report it
            _run_epoch(model, shuffled, shares, rate, has_biases)
            curves.append(_measure(model, triples, validation, penalty, bias_penalty, weights))
            refuse_divergence(curves[-1][0], limit, (model.user_factors, model.item_factors), len(curves) - 1, rate)
    losses, train_rmse, validation_rmse = np.array(curves).T
    return replace(
        model,
        losses=losses,
        train_rmse=train_rmse,
        validation_rmse=None if validation is None else validation_rmse,
    )


class _Triples(NamedTuple):
    """The stored entries of a matrix: three arrays of shape (n_ratings,)."""

    users: np.ndarray
    items: np.ndarray
    values: np.ndarray


def _as_triples(ratings):
    return _Triples(np.repeat(np.arange(ratings.shape[0]), np.diff(ratings.indptr)), ratings.indices, ratings.data)


def _start(ratings, counts, n_factors, has_biases, rng, init):
    """Return the model that `_run_epoch` then changes in place."""
    if init is None:
        factors = [INITIAL_SCALE * rng.standard_normal((n, n_factors)) for n in ratings.shape]
    else:
        factors = check_pair(init, ratings, n_factors)
    for vectors, count in zip(factors, counts):
        vectors[count == 0] = 0
    return FactorModel(*factors, global_mean=float(ratings.data.mean()) if has_biases else 0.0)


def _run_epoch(model, ratings, shares, rate, has_biases):
    """Take the step of each rating, in the order given, and change the arrays of the model."""
    (n_users, n_items), n_factors = model.shape, model.user_factors.shape[1]
    # Users and items in one table, so that one call of NumPy reads or writes both sides of a batch.
    table = np.concatenate([model.user_factors, model.item_factors])
    if has_biases:  # a bias is a coordinate whose partner on the other side is always 1
        of_users = np.concatenate([model.user_biases, np.ones(n_items)])
        of_items = np.concatenate([np.ones(n_users), model.item_biases])
        table = np.column_stack([table, of_users, of_items])
    pairs, values, ends = _make_batches(ratings, n_users, n_items)
    targets = rate * (values - model.global_mean)
    kept, bias_kept = (1 - rate * share[pairs][:, :, None] for share in shares)  # what a penalty leaves of each side
    begin = 0
    for end in ends:
        pair = pairs[begin:end]
        both = table.take(pair, axis=0)  # (n_batch, 2, n_columns): the user, then the item
        errors = targets[begin:end] - rate * np.einsum("bd,bd->b", both[:, 0], both[:, 1])
        steps = errors[:, None, None] * both[:, ::-1]  # each side moves along the other, both from old values
        both[:, :, :n_factors] *= kept[begin:end]
        both[:, :, n_factors:] *= bias_kept[begin:end]
        both += steps
        if has_biases:
            both[:, 0, -1] = both[:, 1, -2] = 1
        table[pair] = both
        begin = end
    users, items = table[:n_users], table[n_users:]
    model.user_factors[:], model.item_factors[:] = users[:, :n_factors], items[:, :n_factors]
    if has_biases:
        model.user_biases[:], model.item_biases[:] = users[:, -2], items[:, -1]


def _make_batches(ratings, n_users, n_items):
    """Cut ratings into batches in which no user and no item occurs twice, so that a batch is one step of NumPy.

    A rating goes into the batch after the last one that has its user or its item. So every user and every item meets
    its ratings in the order given, and the result is that of one rating after another. There are at least as many
    batches as the most popular item or the most active user has ratings; in a random order, seldom many more.

    Returns the ratings, batch after batch: pairs (n_ratings, 2) of a user and n_users plus an item, the values, and a
    list of where each batch ends.
    """
    next_of_user, next_of_item = [0] * n_users, [0] * n_items
    batch_of = []
    for user, item in zip(ratings.users.tolist(), ratings.items.tolist()):  # lists: faster than arrays, one by one
        batch, other = next_of_user[user], next_of_item[item]
        if other > batch:  # faster than max()
            batch = other
        next_of_user[user] = next_of_item[item] = batch + 1
        batch_of.append(batch)
    by_batch = np.argsort(batch_of, kind="stable")
    pairs = np.column_stack([ratings.users, n_users + ratings.items])[by_batch]
    return pairs, ratings.values[by_batch], np.cumsum(np.bincount(batch_of)).tolist()


def _measure(model, train, validation, penalty, bias_penalty, weights):
    """Return the loss and the RMSE on both sets of ratings, NaN where there is none."""
    square = ((train.values - model.predict(train.users, train.items)) ** 2).sum()
    vectors = sum((weight @ array**2).sum() for weight, array in zip(weights, (model.user_factors, model.item_factors)))
    biases = sum(weight @ array**2 for weight, array in zip(weights, (model.user_biases, model.item_biases)))
    loss = square + penalty * vectors + bias_penalty * biases
    return loss, np.sqrt(square / len(train.values)), np.nan if validation is None else _rmse(model, validation)


def _rmse(model, ratings):
    return np.sqrt(np.mean((ratings.values - model.predict(ratings.users, ratings.items)) ** 2))


def _check_table(matrix):
    """Return a sparse or dense matrix of finite float64 numbers."""
    matrix = matrix if issparse(matrix) else np.asarray(matrix)
    if matrix.ndim != 2:
        raise ValueError(f"expected a matrix of shape (n_users, n_items), received {matrix.shape}; use one row a user")
    if matrix.dtype.kind not in "biuf":
        raise TypeError(f"expected a matrix of real numbers, received {matrix.dtype}; convert it to float")
    matrix = csr_array(matrix, dtype=np.float64) if issparse(matrix) else matrix.astype(np.float64, copy=False)
    if not np.isfinite(matrix.data if issparse(matrix) else matrix).all():
        raise ValueError(
            "expected finite entries, received NaN or infinity; an unknown entry is one that is not stored"
        )
    return matrix


def _check_ratings(ratings, shape=None, name="ratings"):
    """Return a csr_array of its own, float64, with at least one entry."""
    ratings = check_matrix(ratings, name).astype(np.float64, copy=False)
    if shape not in (None, ratings.shape):
        raise ValueError(f"expected {name} of shape {shape}, received {ratings.shape}; keep all users and items")
    if not ratings.nnz:
        raise ValueError(
            f"expected at least one rating in {name}, received none; an empty matrix has no mean and no error"
        )
    return ratings


def _check_biases(name, biases, n):
    return np.zeros(n) if biases is None else check_floats(name, biases, (n,))


def _check_rates(learning_rate, n_epochs):
    """Return a learning rate for each epoch."""
    rates = np.asarray(learning_rate)
    if rates.shape not in ((), (n_epochs,)):
        raise ValueError(
            f"expected learning_rate as a number or one for each of {n_epochs} epochs, received shape {rates.shape}"
        )
    if rates.dtype.kind not in "iuf" or not (np.isfinite(rates) & (rates > 0)).all():
        raise ValueError(f"expected a learning_rate above 0, received {learning_rate!r}; 0.02 is a start")
    return np.broadcast_to(rates.astype(np.float64), n_epochs)
