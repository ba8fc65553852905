r"""Alternating least squares (ALS): fix the vectors of one side, solve for every vector of the other side, swap.

With the item vectors fixed, the best vector of user u solves one small linear system:

.. math::

    \Big(\mathbf{H} + \sum_{i \in \Omega_u} w_{ui}\, \mathbf{y}_i \mathbf{y}_i^\top\Big)\, \mathbf{x}_u
    = \sum_{i \in \Omega_u} t_{ui}\, \mathbf{y}_i

Both kinds of feedback are this system, with other numbers in it, and so is the other half-step, for the items:

- explicit: :math:`\mathbf{H} = \lambda\mathbf{I}`, :math:`w_{ui} = 1`, :math:`t_{ui} = r_{ui}`;
- implicit: :math:`\mathbf{H} = \lambda\mathbf{I} + \mathbf{Y}^\top\mathbf{Y}`, :math:`w_{ui} = c_{ui} - 1`,
  :math:`t_{ui} = c_{ui}`.

Where a row has fewer entries than factors, a small system is enough. With :math:`\mathbf{K}\mathbf{K}^\top =
\mathbf{H}^{-1}`, the same for all rows, let :math:`\mathbf{S}_u` have a row :math:`\sqrt{w_{ui}}\, (\mathbf{K}^\top
\mathbf{y}_i)^\top` for each entry, and :math:`\mathbf{h}_u` the number :math:`t_{ui} / \sqrt{w_{ui}}`. Then

.. math::

    \mathbf{x}_u = \mathbf{K} (\mathbf{I} + \mathbf{S}_u^\top \mathbf{S}_u)^{-1} \mathbf{S}_u^\top \mathbf{h}_u
    = \mathbf{K} \mathbf{S}_u^\top (\mathbf{I} + \mathbf{S}_u \mathbf{S}_u^\top)^{-1} \mathbf{h}_u ,

with as many equations as factors, or as many as entries: Woodbury's identity, in the form that is called push-through.
The exact solver takes the smaller system.

Matrices come in any sparse format of SciPy. Entries that are stored twice are added, as SciPy does. A float32 matrix is
factorised in float32, any other in float64.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.linalg import get_lapack_funcs

from utils.book.progress import progress_bar
from utils.checks import (
    check_choice,
    check_factors,
    check_floats,
    check_matrix,
    check_number,
    check_pair,
    check_rng,
    check_whole,
)
from utils.recommender import check_users

SOLVERS = ("exact", "cg")

# Rows go in blocks: the vectors of their entries are this many numbers in all, few enough to stay in a cache, enough
# for one NumPy call to do much. Their systems hold no more. A longer row is a block of its own.
BLOCK_NUMBERS = 2**19

# Up to this size, all systems of a block are solved together: a call of LAPACK for each would cost more than its work.
TOGETHER_SIZE = 20


# `_loss` refuses what is not finite, and so does the solver.
QUIETLY = np.errstate(over="ignore", invalid="ignore")


@dataclass(frozen=True, eq=False)
class ALSModel:
    """Hold the vectors that a fit found, and how it went.

    Attributes
    ----------
    user_factors, item_factors : ndarray of shape (n_users, n_factors) and (n_items, n_factors)
        Row u is user u, row i is item i. The zero vector where the matrix has no entry.
    losses : ndarray of shape (1 + n_epochs,), float64
        The loss of the start, then after each epoch. Never rises, but for rounding.

    Raises
    ------
    TypeError, ValueError
        If vectors are no finite real numbers, or their shapes do not fit.
    """

    user_factors: np.ndarray
    item_factors: np.ndarray
    losses: np.ndarray

    def __post_init__(self):
        users = check_floats("user_factors", self.user_factors, ("n_users", "n_factors"))
        items = check_floats("item_factors", self.item_factors, ("n_items", users.shape[1]))
        object.__setattr__(self, "user_factors", users)  # the dataclass is frozen for everyone else
        object.__setattr__(self, "item_factors", items)

    def scores(self, users):
        """Score all items for some users, as `utils.recommender.Recommender.scores` says: the predictions."""
        users = check_users(users, len(self.user_factors))
        return self.user_factors[users] @ self.item_factors.T


def fit_explicit(ratings, n_factors, *, penalty, n_epochs, rng, init=None, progress=True):
    r"""Factorise ratings: fit the observed entries, and only those.

    .. math::

        \mathcal{L} = \sum_{(u,i) \in \Omega} (r_{ui} - \mathbf{x}_u^\top \mathbf{y}_i)^2
        + \lambda \big(\lVert\mathbf{X}\rVert^2 + \lVert\mathbf{Y}\rVert^2\big)

    Parameters
    ----------
    ratings : sparse matrix or array of shape (n_users, n_items)
        What is not stored is unknown; a stored 0 is a rating of 0 (centred ratings have them). Entries that are stored
        twice are added, as SciPy does.
    n_factors : int
        Length of the vectors, 1 or more.
    penalty : float
        :math:`\lambda`, 0 or more. At 0 a row with too few entries has many solutions; it gets the shortest.
    n_epochs : int
        How often to solve for all users, then for all items; 0 or more.
    rng : numpy.random.Generator
        Draws the start from a normal distribution, vectors of length about 1. Not used if `init` is given.
    init : tuple of array_like (user_factors, item_factors), optional
        Where to start. Not modified.
    progress : bool, optional
        Whether a fit that takes more than two seconds shows a progress bar.

    Returns
    -------
    ALSModel

    Raises
    ------
    TypeError
        If `ratings` is not sparse or not of real numbers, or `rng` is not a generator.
    ValueError
        If a number is NaN, infinite or out of its range, a shape does not fit, or the penalty is so small that a
        system is singular to rounding, or numbers are so large that the loss is not finite.

    References
    ----------
    Zhou et al. (2008), section 3.1. There a row with more ratings gets a larger penalty; here it does not.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> ratings = csr_array(np.outer([1.0, 2.0, 3.0], [1.0, 2.0]))
    >>> model = fit_explicit(ratings, 1, penalty=1e-6, n_epochs=20, rng=np.random.default_rng(0))
    >>> model.scores([0, 2]).round(3)
    array([[1., 2.],
           [3., 6.]])
    """
    ratings = check_matrix(ratings, "ratings")
    check_whole("n_factors", n_factors, 1)
    start = _check_start(ratings, n_factors, 1 / np.sqrt(n_factors), rng, init)
    return _fit(ratings, start, n_epochs, None, penalty, None, progress)


def fit_implicit(
    interactions,
    n_factors,
    *,
    alpha,
    penalty,
    n_epochs,
    solver="exact",
    n_cg_steps=3,
    initial_scale=0.1,
    rng,
    callback=None,
    init=None,
    progress=True,
):
    r"""Factorise counts: predict 1 for pairs that met, 0 for all others, and trust a pair more the higher its count.

    .. math::

        \mathcal{L} = \sum_{u,i} c_{ui} (p_{ui} - \mathbf{x}_u^\top \mathbf{y}_i)^2
        + \lambda \big(\lVert\mathbf{X}\rVert^2 + \lVert\mathbf{Y}\rVert^2\big), \qquad c_{ui} = 1 + \beta r_{ui}

    Parameters
    ----------
    interactions : sparse matrix or array of shape (n_users, n_items)
        Counts or other weights :math:`r_{ui}`, 0 or more. A stored 0 is the same as nothing. Entries that are stored
        twice are added, as SciPy does.
    n_factors, penalty, n_epochs, init, progress
        As in `fit_explicit`.
    alpha : float
        :math:`\beta`, how fast confidence grows, 0 or more. The paper and ``implicit`` call it alpha.
    solver : {"exact", "cg"}, optional
        Solve each system by a Cholesky factorisation, or take a few steps of conjugate gradients towards its solution,
        from the vector of the last epoch.
    n_cg_steps : int, optional
        Steps in each half-step, 1 or more; only for "cg".
    initial_scale : float, optional
        Standard deviation of the start, above 0. With either solver a small start can make user vectors long and item
        vectors short, which the penalty undoes only over many epochs. Multiply one side and divide the other by a
        number that makes the sums of their squares equal, after the first epoch, and it is undone at once.
    rng : numpy.random.Generator
        Draws the start from a normal distribution. Not used if `init` is given.
    callback : callable, optional
        Called as ``callback(epoch, model)`` after each epoch, the first is 1, with the `ALSModel` so far.

    Returns
    -------
    ALSModel

    Raises
    ------
    TypeError, ValueError
        As in `fit_explicit`, and if an interaction is negative or the solver unknown.

    References
    ----------
    Hu, Koren and Volinsky (2008), equations 3 to 5; Takács, Pilászy and Tikk (2011) for the conjugate gradients. The
    package ``implicit`` takes confidences: give it ``1 + alpha * r``.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> counts = csr_array([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 2.0]])
    >>> model = fit_implicit(counts, 2, alpha=10, penalty=0.1, n_epochs=30, rng=np.random.default_rng(0))
    >>> model.scores([0, 1, 2]) > 0.5
    array([[ True,  True, False],
           [ True,  True, False],
           [False, False,  True]])
    """
    check_number("alpha", alpha)
    interactions = check_matrix(interactions, "interactions", alpha)
    check_whole("n_factors", n_factors, 1)
    check_number("initial_scale", initial_scale)
    if initial_scale == 0:
        raise ValueError("expected initial_scale above 0, received 0; vectors that start at zero stay there")
    start = _check_start(interactions, n_factors, initial_scale, rng, init)
    n_cg_steps = _check_solver(solver, n_cg_steps)
    return _fit(interactions, start, n_epochs, alpha, penalty, n_cg_steps, progress, callback)


@QUIETLY
def explicit_loss(ratings, user_factors, item_factors, *, penalty):
    """Return the loss that `fit_explicit` minimises, as a float; arguments and errors as there."""
    ratings = check_matrix(ratings, "ratings")
    users, items = check_pair((user_factors, item_factors), ratings)
    blocks = _make_blocks(ratings, users.shape[1], None)
    return _loss(blocks, users, items, (_gram(users), _gram(items)), None, penalty)


@QUIETLY
def implicit_loss(interactions, user_factors, item_factors, *, alpha, penalty):
    """Return the loss that `fit_implicit` minimises, as a float; arguments and errors as there.

    All pairs count, but no number is held for each.

    Examples
    --------
    One pair that met, predicted 0.5 with confidence 3, and one that did not, predicted 1: 3 · 0.25 + 1.

    >>> from scipy.sparse import csr_array
    >>> implicit_loss(csr_array([[2.0, 0.0]]), [[1.0]], [[0.5], [1.0]], alpha=1, penalty=0)
    1.75
    """
    check_number("alpha", alpha)
    interactions = check_matrix(interactions, "interactions", alpha)
    users, items = check_pair((user_factors, item_factors), interactions)
    blocks = _make_blocks(interactions, users.shape[1], alpha)
    return _loss(blocks, users, items, (_gram(users), _gram(items)), alpha, penalty)


def half_step(matrix, fixed_factors, *, penalty, alpha=None, solver="exact", n_cg_steps=3, start=None):
    """Solve for the vectors of all rows while those of the columns are fixed: half an epoch.

    For the items, give the transposed matrix and the user vectors.

    Parameters
    ----------
    matrix : sparse matrix or array of shape (n_rows, n_columns)
        Ratings if `alpha` is None, else interactions. Entries that are stored twice are added, as SciPy does.
    fixed_factors : array_like of shape (n_columns, n_factors)
        The vectors of the columns.
    penalty, alpha, solver, n_cg_steps
        As in `fit_implicit`, with errors as there.
    start : array_like of shape (n_rows, n_factors), optional
        Where conjugate gradients start; zeros if left out.

    Returns
    -------
    ndarray of shape (n_rows, n_factors)
        The zero vector for a row without entries.

    Examples
    --------
    Fit 2 and 4 by x · 1 and x · 2: x is 10 / 5, and a penalty of 5 halves it.

    >>> from scipy.sparse import csr_array
    >>> ratings = csr_array([[2.0, 4.0]])
    >>> half_step(ratings, [[1.0], [2.0]], penalty=0), half_step(ratings, [[1.0], [2.0]], penalty=5)
    (array([[2.]]), array([[1.]]))
    """
    matrix = check_matrix(matrix, "matrix", alpha)
    n_cg_steps = _check_solver(solver, n_cg_steps)
    fixed = check_factors("fixed_factors", fixed_factors, matrix.shape[1], matrix.dtype)
    start = np.zeros((matrix.shape[0], fixed.shape[1])) if start is None else start
    start = check_factors("start", start, matrix.shape[0], matrix.dtype, fixed.shape[1])
    gram = None if alpha is None else _gram(fixed)
    return _solve_rows(_make_blocks(matrix, fixed.shape[1], alpha), start, fixed, gram, alpha, penalty, n_cg_steps)


def fold_in(new_rows, item_factors, *, penalty, alpha=None):
    """Find vectors for new users from what they did, without fitting the items again: one exact `half_step`.

    `new_rows` has a row for each new user, and the columns of the matrix of the fit. Give the penalty and the alpha of
    the fit; an alpha of None means ratings. A user who did nothing yet gets the zero vector.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> fold_in(csr_array([[0.0, 4.0], [0.0, 0.0]]), [[1.0, 0.0], [0.0, 2.0]], penalty=4)
    array([[0., 1.],
           [0., 0.]])
    """
    return half_step(new_rows, item_factors, penalty=penalty, alpha=alpha)


@QUIETLY
def _fit(matrix, start, n_epochs, alpha, penalty, n_cg_steps, progress, callback=None):
    """Alternate. Here and below, no `alpha` means explicit feedback, and no `n_cg_steps` the exact solver."""
    check_whole("n_epochs", n_epochs, 0)
    users, items = start
    by_user = _make_blocks(matrix, users.shape[1], alpha)
    by_item = _make_blocks(matrix.T.tocsr(), users.shape[1], alpha)
    user_gram, item_gram = _gram(users), _gram(items)  # each serves a half-step and a loss
    losses = [_loss(by_user, users, items, (user_gram, item_gram), alpha, penalty)]
    for epoch in progress_bar(range(1, n_epochs + 1), desc="ALS", unit="epoch", show=progress):
        users = _solve_rows(by_user, users, items, item_gram, alpha, penalty, n_cg_steps)
        user_gram = _gram(users)
        items = _solve_rows(by_item, items, users, user_gram, alpha, penalty, n_cg_steps)
        item_gram = _gram(items)
        losses.append(_loss(by_user, users, items, (user_gram, item_gram), alpha, penalty))
        if callback is not None:
            callback(epoch, ALSModel(users, items, np.array(losses)))
    return ALSModel(users, items, np.array(losses))


class _Block(NamedTuple):
    """Some rows with about equally many entries, padded to the same width; padding has weight and target 0."""

    rows: np.ndarray  # (n,)
    columns: np.ndarray  # (n, width)
    weights: np.ndarray  # (n, width)
    targets: np.ndarray  # (n, width)


def _make_blocks(matrix, n_factors, alpha):
    """Sort the rows by their number of entries, so that little padding is needed, and cut them into blocks."""
    n_entries = np.diff(matrix.indptr)
    order = np.argsort(-n_entries, kind="stable")
    order = order[n_entries[order] > 0]
    least = np.finfo(matrix.dtype).eps ** 2  # no sum can tell such a weight from 0, and its root is one to divide by
    blocks, begin = [], 0
    while begin < len(order):
        width = n_entries[order[begin]]
        rows = order[begin : begin + max(1, BLOCK_NUMBERS // (width * n_factors))]
        rows = rows[n_entries[rows] >= width / 2]
        if width >= n_factors:
            rows = rows[n_entries[rows] >= n_factors]  # shorter ones are solved in the other way
        is_entry = np.arange(width) < n_entries[rows, None]
        positions = np.where(is_entry, matrix.indptr[rows, None] + np.arange(width), 0)
        values = np.where(is_entry, matrix.data[positions], 0)
        weights = is_entry.astype(matrix.dtype)
        if alpha is not None:
            weights *= np.maximum(float(alpha) * values, least)
        targets = values if alpha is None else is_entry + weights
        blocks.append(_Block(rows, np.where(is_entry, matrix.indices[positions], 0), weights, targets))
        begin += len(rows)
    return blocks


def _gather(blocks, fixed):
    """Yield each block with the vectors of its columns, of shape (n, width, n_factors), to use before the next."""
    # One buffer for all blocks: to fill fresh memory each time can take longer than all the rest.
    buffer = np.empty((max((block.columns.size for block in blocks), default=0), fixed.shape[1]), fixed.dtype)
    for block in blocks:
        vectors = buffer[: block.columns.size].reshape(*block.columns.shape, -1)
        fixed.take(block.columns, axis=0, out=vectors, mode="clip")  # with another mode NumPy makes a copy first
        yield block, vectors


def _solve_rows(blocks, start, fixed, gram, alpha, penalty, n_cg_steps):
    check_number("penalty", penalty)
    base = penalty * np.eye(fixed.shape[1])
    if alpha is not None:
        base += gram  # all columns with weight 1: the same for every row
    solved = np.zeros_like(start)
    if n_cg_steps is None:
        return _solve_exactly(blocks, solved, fixed, base, penalty)
    base = base.astype(fixed.dtype)
    for block, vectors in _gather(blocks, fixed):
        solved[block.rows] = _improve(block, vectors, base, start[block.rows], n_cg_steps)
    return solved


def _solve_exactly(blocks, solved, fixed, base, penalty):
    """Solve the system of each row, in coordinates in which the base is the identity."""
    root = _inverse_root(base, penalty, fixed.dtype)
    solve = _solve_positive if base.any() else _solve_shortest  # ratings without a penalty have no base
    is_few = sum(block.columns.size for block in blocks) < len(fixed)  # as when a newcomer is folded in
    with np.errstate(all="ignore"):  # what is no number is refused below
        for block, vectors in _gather(blocks, fixed if is_few else _multiply(fixed, root)):
            if is_few:
                vectors[:] = vectors @ root
            solved[block.rows] = _regress(block, vectors, solve)
        solved = solved @ root.T.astype(fixed.dtype)
    is_solved = np.isfinite(solved).all(axis=1)
    if not is_solved.all():
        raise ValueError(
            f"expected a penalty that {fixed.dtype} can tell from 0, received {penalty}, and the system of row "
            f"{is_solved.argmin()} is singular to rounding; raise it, or use fewer factors or float64"
        )
    return solved


def _inverse_root(base, penalty, dtype):
    """Return K with K Kᵀ the inverse of the base, or its pseudo-inverse if there is no penalty."""
    identity = np.eye(len(base))
    if np.array_equal(base, penalty * identity):  # ratings: a scale is enough, or nothing
        return identity / np.sqrt(penalty or 1)
    values, vectors = np.linalg.eigh(base)
    values = np.maximum(values, penalty)  # none is smaller, but for rounding
    if penalty == 0:  # the shortest solutions do not go where no column does
        values[values <= 10 * len(base) * np.finfo(dtype).eps * values[-1]] = np.inf
    return vectors / np.sqrt(values)


def _regress(block, vectors, solve):
    """Solve the smaller of the two systems in the docstring of this module, without the K in front."""
    roots = np.sqrt(block.weights)
    targets = np.divide(block.targets, roots, out=np.zeros_like(roots), where=roots > 0)
    vectors *= roots[:, :, None]
    turned = vectors.transpose(0, 2, 1)  # of a matrix times its own transpose NumPy computes only half
    if vectors.shape[1] < vectors.shape[2]:
        return _combine(solve(vectors @ turned, targets), vectors)
    return solve(turned @ vectors, _combine(targets, vectors))


def _solve_positive(matrices, targets):
    """Solve (identity + matrix) x = target for each; NaN where rounding has left no positive definite matrix."""
    size = matrices.shape[1]
    matrices.reshape(len(matrices), -1)[:, :: size + 1] += 1  # the diagonals
    if size > TOGETHER_SIZE:
        posv, solved = get_lapack_funcs("posv", (matrices,)), np.empty_like(targets)  # half the work of LU
        for n, (matrix, target) in enumerate(zip(matrices, targets)):
            _, x, failed = posv(matrix.T, target)  # a symmetric matrix, transposed into the order of LAPACK
            solved[n] = np.nan if failed else x
        return solved
    table = np.empty((size, size + 1, len(matrices)), matrices.dtype)
    table[:, :size], table[:, size] = matrices.transpose(1, 2, 0), targets.T
    for j in range(size):  # as Gauss and Jordan do it; positive definite matrices need no other order of the rows
        row = table[j, j + 1 :] / table[j, j]
        table[:, j + 1 :] -= table[:, j, None] * row
        table[j, j + 1 :] = row
    is_solved = (table[range(size), range(size)] > 0).all(axis=0)
    return np.where(is_solved, table[:, size], np.nan).T


def _solve_shortest(matrices, targets):
    """Solve matrix x = target for each, by the pseudo-inverse: of many solutions the shortest."""
    tolerance = 10 * matrices.shape[1] * np.finfo(matrices.dtype).eps
    return (np.linalg.pinv(matrices, rtol=tolerance, hermitian=True) @ targets[:, :, None])[:, :, 0]


def _improve(block, vectors, base, x, n_steps):
    """Take some steps of conjugate gradients from x, for all rows at once, without forming their matrices."""
    residual = _combine(block.targets - block.weights * _predict(x, vectors), vectors) - x @ base
    direction, squares = np.zeros_like(x), np.full(len(x), np.inf, x.dtype)  # none before the first residual
    for _ in range(n_steps):
        previous, squares = squares, np.vecdot(residual, residual)
        direction = residual + _divide(squares, previous) * direction
        image = _combine(block.weights * _predict(direction, vectors), vectors) + direction @ base
        step = _divide(squares, np.vecdot(direction, image))
        x = x + step * direction
        residual -= step * image
    return x


def _predict(x, vectors):
    return (vectors @ x[:, :, None])[:, :, 0]  # (n, width)


def _combine(coefficients, vectors):
    return (coefficients[:, None, :] @ vectors)[:, 0]  # (n, n_factors)


def _divide(numerators, denominators):
    """Return a column of quotients, and 0 for rows that are solved already."""
    return np.divide(numerators, denominators, out=np.zeros_like(numerators), where=denominators > 0)[:, None]


def _loss(by_user, users, items, grams, alpha, penalty):
    check_number("penalty", penalty)
    loss = _add_up(by_user, users, items, grams, alpha, penalty)
    if not np.isfinite(loss):
        received = "" if alpha is None else f" and alpha {alpha:g}"
        raise ValueError(
            f"expected a finite loss, received {loss} with penalty {penalty:g}{received} in {users.dtype}; make these, "
            "the entries or the vectors smaller"
        )
    return float(loss)


def _add_up(by_user, users, items, grams, alpha, penalty):
    loss = penalty * sum(np.trace(gram) for gram in grams)
    if alpha is not None:
        loss += np.vdot(*grams)  # the squares of all predictions, as if no pair had met
    for block, vectors in _gather(by_user, items):
        predicted = _predict(users[block.rows], vectors)
        if alpha is None:
            errors = block.weights * (block.targets - predicted) ** 2
        else:  # put right the pairs that did meet; padding has target 0
            errors = block.targets * (1 - predicted) ** 2 - (block.targets > 0) * predicted**2
        loss += errors.sum(dtype=np.float64)
    return loss


def _gram(factors):
    """Return the sum of the outer products of all rows, in float64: a float32 sum would lose digits of the loss."""
    gram = np.zeros((factors.shape[1], factors.shape[1]))
    for part in _parts(factors):
        doubles = factors[part].astype(np.float64)
        gram += doubles.T @ doubles
    return gram


def _multiply(factors, matrix):
    """Return the product with a float64 matrix, in the dtype of the factors but with the digits of float64."""
    product = np.empty_like(factors)
    for part in _parts(factors):
        product[part] = factors[part] @ matrix
    return product


def _parts(factors):
    """Yield slices of so few rows that their copies in float64 take little memory."""
    n_rows = max(1, BLOCK_NUMBERS // (8 * factors.shape[1]))
    for begin in range(0, len(factors), n_rows):
        yield slice(begin, begin + n_rows)


def _check_start(matrix, n_factors, scale, rng, init):
    if init is not None:
        return check_pair(init, matrix, n_factors)
    check_rng(rng)
    return [(scale * rng.standard_normal((n, n_factors))).astype(matrix.dtype) for n in matrix.shape]


def _check_solver(solver, n_cg_steps):
    """Return the number of steps, or None for the exact solver."""
    check_choice("solver", solver, SOLVERS)
    check_whole("n_cg_steps", n_cg_steps, 1)
    return n_cg_steps if solver == "cg" else None
