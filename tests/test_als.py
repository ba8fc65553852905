"""ALS against slow dense versions of its equations, the package ``implicit``, and on data with a known answer."""

import re
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from implicit.cpu.als import AlternatingLeastSquares
from scipy import sparse
from scipy.sparse import csr_array, csr_matrix
from threadpoolctl import threadpool_limits

from utils import als
from utils.als import ALSModel, explicit_loss, fit_explicit, fit_implicit, fold_in, half_step, implicit_loss
from utils.data import load_davis
from utils.similarity import top_k

ALPHAS = pytest.mark.parametrize("alpha", [None, 3.0], ids=["explicit", "implicit"])
SOLVERS = pytest.mark.parametrize("solver", ["exact", "cg"])
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def generator(seed=0):
    return np.random.default_rng(seed)


def draw_matrix(n_users=40, n_items=30, density=0.15, dtype=np.float64, seed=0):
    """Draw stars from 1 to 5; the first items have most of them, the last user and the last item have none."""
    rng = generator(seed)
    chance = density * n_items / np.arange(1, n_items + 1)
    stars = rng.integers(1, 6, size=(n_users, n_items)) * (rng.random((n_users, n_items)) < chance)
    stars[-1], stars[:, -1] = 0, 0
    return csr_array(stars.astype(dtype))


def draw_factors(matrix, n_factors=4, seed=1):
    rng = generator(seed)
    return rng.standard_normal((matrix.shape[0], n_factors)), rng.standard_normal((matrix.shape[1], n_factors))


def fit(matrix, n_factors=4, *, alpha=None, penalty=0.5, n_epochs=4, **options):
    options = {"rng": generator(), "penalty": penalty, "n_epochs": n_epochs, **options}
    if alpha is None:
        return fit_explicit(matrix, n_factors, **options)
    return fit_implicit(matrix, n_factors, alpha=alpha, **options)


def loss_of(matrix, users, items, alpha, penalty):
    if alpha is None:
        return explicit_loss(matrix, users, items, penalty=penalty)
    return implicit_loss(matrix, users, items, alpha=alpha, penalty=penalty)


def slow_loss(matrix, users, items, alpha, penalty):
    """Sum over all pairs of the dense table."""
    stars = matrix.toarray()
    confidences = stars > 0 if alpha is None else 1 + alpha * stars
    aims = stars if alpha is None else stars > 0
    return (confidences * (aims - users @ items.T) ** 2).sum() + penalty * ((users**2).sum() + (items**2).sum())


def slow_half_step(matrix, items, alpha, penalty):
    """Solve the normal equations of weighted ridge regression, with a diagonal matrix of confidences for each user."""
    solved = []
    for row in matrix.toarray():
        confidences = np.diag((row > 0).astype(float) if alpha is None else 1 + alpha * row)
        aims = row if alpha is None else row > 0
        left = items.T @ confidences @ items + penalty * np.eye(items.shape[1])
        solved.append(np.linalg.solve(left, items.T @ confidences @ aims))
    return np.array(solved)


def fit_with_implicit(matrix, start, *, alpha, penalty, n_epochs, use_cg):
    """Fit with the C++ library in the dtype of the matrix, from the same start; it is given the confidences."""
    confidences = csr_matrix((1 + alpha * matrix.data, matrix.indices, matrix.indptr), shape=matrix.shape)
    with threadpool_limits(1, "blas"):  # the library warns if the threads of BLAS compete with its own
        model = AlternatingLeastSquares(
            factors=start[0].shape[1],
            regularization=penalty,
            iterations=n_epochs,
            dtype=matrix.dtype,
            use_cg=use_cg,
            num_threads=1,
        )
        model.user_factors, model.item_factors = (factors.astype(matrix.dtype) for factors in start)
        model.fit(confidences.astype(np.float32), show_progress=False)
    return model, confidences


# Losses


def test_explicit_loss_by_hand():
    # errors 4 - 2 and 1 - 2, then half of 1 + 4 + 1
    assert (
        explicit_loss(csr_array([[4.0, 0.0], [1.0, 0.0]]), [[1.0], [1.0]], [[2.0], [0.0]], penalty=0.5) == 5 + 0.5 * 6
    )


def test_explicit_loss_counts_a_stored_zero_as_a_rating():
    stored = csr_array(([0.0], ([0], [1])), shape=(1, 2))
    assert explicit_loss(stored, [[1.0]], [[5.0], [3.0]], penalty=0) == 9


def test_implicit_loss_by_hand():
    # c = 1 + 2 * 3 for the pair that met, predicted 2; c = 1 for the other, predicted 3; then half of 1 + 4 + 9
    assert implicit_loss(csr_array([[3.0, 0.0]]), [[1.0]], [[2.0], [3.0]], alpha=2, penalty=0.5) == 7 + 9 + 0.5 * 14


def test_implicit_loss_ignores_a_stored_zero():
    stored = csr_array(([0.0, 3.0], ([0, 0], [1, 0])), shape=(1, 2))
    assert implicit_loss(stored, [[1.0]], [[2.0], [3.0]], alpha=2, penalty=0.5) == 7 + 9 + 0.5 * 14


@ALPHAS
def test_losses_match_the_sum_over_a_dense_table(alpha):
    matrix = draw_matrix()
    users, items = draw_factors(matrix)
    expected = slow_loss(matrix, users, items, alpha, 0.7)
    assert loss_of(matrix, users, items, alpha, 0.7) == pytest.approx(expected, rel=1e-12)


@ALPHAS
def test_losses_do_not_change_when_all_vectors_are_rotated(alpha):
    matrix = draw_matrix()
    users, items = draw_factors(matrix)
    rotation, _ = np.linalg.qr(generator(2).standard_normal((4, 4)))
    expected = loss_of(matrix, users, items, alpha, 0.7)
    assert loss_of(matrix, users @ rotation, items @ rotation, alpha, 0.7) == pytest.approx(expected, rel=1e-12)


# Half-steps


def test_half_step_explicit_by_hand():
    # x = (2 * 1 + 4 * 2) / (1 + 4 + 5); the third item is not rated
    solved = half_step(csr_array([[2.0, 4.0, 0.0]]), [[1.0], [2.0], [9.0]], penalty=5)
    np.testing.assert_allclose(solved, [[1.0]], rtol=1e-15)


def test_half_step_implicit_by_hand():
    # x = 4 * 1 / (1 + 4 + 3 * 1 + 1): all squares, those of the pair that met three times more, the penalty
    solved = half_step(csr_array([[1.0, 0.0]]), [[1.0], [2.0]], penalty=1, alpha=3)
    np.testing.assert_allclose(solved, [[4 / 9]], rtol=1e-15)


@ALPHAS
def test_half_step_matches_dense_normal_equations(alpha):
    matrix = draw_matrix()
    items = draw_factors(matrix)[1]
    expected = slow_half_step(matrix, items, alpha, 0.7)
    np.testing.assert_allclose(half_step(matrix, items, penalty=0.7, alpha=alpha), expected, rtol=1e-9, atol=1e-12)


@ALPHAS
def test_half_step_of_the_transposed_matrix_solves_for_items(alpha):
    matrix = draw_matrix()
    users = draw_factors(matrix)[0]
    expected = slow_half_step(matrix.T, users, alpha, 0.7)
    np.testing.assert_allclose(half_step(matrix.T, users, penalty=0.7, alpha=alpha), expected, rtol=1e-9, atol=1e-12)


@ALPHAS
def test_half_step_finds_the_minimum_of_the_loss(alpha):
    matrix = draw_matrix()
    items = draw_factors(matrix)[1]
    users = half_step(matrix, items, penalty=0.7, alpha=alpha)
    lowest = loss_of(matrix, users, items, alpha, 0.7)
    for seed in range(5):
        step = 1e-3 * generator(seed).standard_normal(users.shape)
        assert loss_of(matrix, users + step, items, alpha, 0.7) > lowest
        assert loss_of(matrix, users - step, items, alpha, 0.7) > lowest


@ALPHAS
@SOLVERS
def test_half_step_does_not_depend_on_how_rows_are_cut_into_blocks(alpha, solver, monkeypatch):
    matrix = draw_matrix()
    items = draw_factors(matrix)[1]
    expected = half_step(matrix, items, penalty=0.7, alpha=alpha, solver=solver)
    monkeypatch.setattr(als, "BLOCK_NUMBERS", 33)
    solved = half_step(matrix, items, penalty=0.7, alpha=alpha, solver=solver)
    np.testing.assert_allclose(solved, expected, rtol=1e-10, atol=1e-13)


@ALPHAS
@SOLVERS
def test_half_step_permutes_with_rows_and_ignores_the_order_of_columns(alpha, solver):
    matrix = draw_matrix()
    items = draw_factors(matrix)[1]
    rows, columns = generator(3).permutation(matrix.shape[0]), generator(4).permutation(matrix.shape[1])
    expected = half_step(matrix, items, penalty=0.7, alpha=alpha, solver=solver)[rows]
    solved = half_step(matrix[rows][:, columns], items[columns], penalty=0.7, alpha=alpha, solver=solver)
    np.testing.assert_allclose(solved, expected, rtol=1e-9, atol=1e-12)


def test_half_step_explicit_scales_with_the_ratings():
    matrix = draw_matrix()
    items = draw_factors(matrix)[1]
    doubled = half_step(2 * matrix, items, penalty=0.7)
    np.testing.assert_allclose(doubled, 2 * half_step(matrix, items, penalty=0.7), rtol=1e-12)


@ALPHAS
def test_half_step_cg_is_exact_after_as_many_steps_as_factors(alpha):
    matrix = draw_matrix()
    users, items = draw_factors(matrix)
    options = {"penalty": 0.7, "alpha": alpha}
    solved = half_step(matrix, items, solver="cg", n_cg_steps=4, start=users, **options)
    np.testing.assert_allclose(solved, half_step(matrix, items, **options), rtol=1e-7, atol=1e-9)


@ALPHAS
@DTYPES
def test_half_step_cg_stays_at_the_solution(alpha, dtype):
    matrix = draw_matrix(dtype=dtype)
    items = draw_factors(matrix)[1]
    exact = half_step(matrix, items, penalty=0.7, alpha=alpha)
    solved = half_step(matrix, items, penalty=0.7, alpha=alpha, solver="cg", n_cg_steps=50, start=exact)
    np.testing.assert_allclose(solved, exact, rtol=1e3 * np.finfo(dtype).eps, atol=1e2 * np.finfo(dtype).eps)


@ALPHAS
def test_half_step_cg_lowers_the_loss_with_every_step(alpha):
    matrix = draw_matrix(n_items=80)
    users, items = draw_factors(matrix, n_factors=12)
    losses = [loss_of(matrix[:-1], users[:-1], items, alpha, 0.7)]
    for n_cg_steps in range(1, 7):
        options = {"solver": "cg", "n_cg_steps": n_cg_steps, "start": users}
        solved = half_step(matrix, items, penalty=0.7, alpha=alpha, **options)
        losses.append(loss_of(matrix[:-1], solved[:-1], items, alpha, 0.7))
    assert (np.diff(losses) < 0).all()


def test_half_step_without_penalty_gives_the_shortest_solution():
    matrix = draw_matrix(density=0.05)  # many rows with fewer entries than factors
    items = draw_factors(matrix, n_factors=6)[1]
    n_entries = np.diff(matrix.indptr)
    assert 0 < n_entries[n_entries > 0].min() < 6
    for row, solved in zip(matrix.toarray(), half_step(matrix, items, penalty=0)):
        shortest = np.linalg.lstsq(items[row > 0], row[row > 0])[0]
        np.testing.assert_allclose(solved, shortest, rtol=1e-6, atol=1e-9)


@DTYPES
@pytest.mark.parametrize("rank", [2, 6])
def test_half_step_implicit_without_penalty_gives_the_shortest_solution(dtype, rank):
    matrix = draw_matrix(dtype=dtype)[:-1]
    rng = generator(3)
    items = (rng.standard_normal((30, rank)) @ rng.standard_normal((rank, 6))).astype(dtype)  # of rank 2: no inverse
    rel = {np.float32: 1e-4, np.float64: 1e-9}[dtype]
    for row, solved in zip(matrix.toarray(), half_step(matrix, items, penalty=0, alpha=3.0)):
        roots = np.sqrt(1 + 3 * row)
        shortest = np.linalg.lstsq(roots[:, None] * items, roots * (row > 0), rcond=1e-5)[0]
        np.testing.assert_allclose(solved, shortest, rtol=rel, atol=rel)


# Half-steps where rows are short: as many equations as entries


def draw_lengths(lengths, n_columns=60, dtype=np.float64, seed=5):
    """Draw a matrix whose rows have these numbers of entries, some of them negative."""
    rng = generator(seed)
    columns = np.concatenate([rng.permutation(n_columns)[:length] for length in lengths])
    values = rng.uniform(-5, 5, size=len(columns)).astype(dtype)
    return csr_array((values, columns, np.append(0, np.cumsum(lengths))), shape=(len(lengths), n_columns))


def solve_each_row(matrix, fixed, alpha, penalty):
    """Solve the normal equations of each row, always as many as factors, in float64."""
    fixed, solved = fixed.astype(np.float64), []
    for begin, end in zip(matrix.indptr[:-1], matrix.indptr[1:]):
        vectors, values = fixed[matrix.indices[begin:end]], matrix.data[begin:end].astype(np.float64)
        left = penalty * np.eye(fixed.shape[1])
        weights, targets = (1, values) if alpha is None else (alpha * values, 1 + alpha * values)
        if alpha is not None:
            left += fixed.T @ fixed
        left += (vectors.T * weights) @ vectors
        solved.append(np.linalg.solve(left, vectors.T @ targets) if end > begin else np.zeros(fixed.shape[1]))
    return np.array(solved)


@DTYPES
@pytest.mark.parametrize("alpha", [None, 0.0, 1e-300, 3.0, 1000.0])
@pytest.mark.parametrize("n_factors", [1, 7, 32])
def test_half_step_matches_a_direct_solve_whatever_the_length_of_a_row(dtype, alpha, n_factors):
    lengths = generator(6).permutation(np.repeat(np.arange(50), 3))  # shorter than the vectors and longer, and empty
    matrix = draw_lengths(lengths, dtype=dtype)
    matrix.data = matrix.data if alpha is None else abs(matrix.data)
    fixed = generator(7).standard_normal((60, n_factors)).astype(dtype)
    solved = half_step(matrix, fixed, penalty=0.5, alpha=alpha)
    expected = solve_each_row(matrix, fixed, alpha, 0.5)
    errors = np.linalg.norm(solved - expected, axis=1)
    # the largest eigenvalue of a matrix is some thousand times the smallest
    assert (errors <= 1e4 * np.finfo(dtype).eps * np.linalg.norm(expected, axis=1)).all()
    assert not solved[lengths == 0].any()


@ALPHAS
def test_half_step_is_the_same_at_the_length_where_the_way_changes(alpha):
    # One more entry, whose vector is zero, changes no solution; but the row is then no longer shorter than the vectors.
    short = abs(draw_lengths([7] * 5))
    longer = sparse.hstack([short, csr_array(np.ones((5, 1)))], format="csr")
    fixed = generator(8).standard_normal((60, 8))
    solved = half_step(longer, np.vstack([fixed, np.zeros(8)]), penalty=0.5, alpha=alpha)
    np.testing.assert_allclose(half_step(short, fixed, penalty=0.5, alpha=alpha), solved, rtol=1e-11)


@ALPHAS
def test_half_step_solves_systems_no_larger_than_the_row_or_the_vectors(alpha, monkeypatch):
    sizes, solve = {}, als._solve_positive

    def note(matrices, targets):
        sizes[matrices.shape[1]] = sizes.get(matrices.shape[1], 0) + len(matrices)
        return solve(matrices, targets)

    monkeypatch.setattr(als, "_solve_positive", note)
    matrix = abs(draw_lengths([0, 3, 3, 40, 7, 8, 9, 3]))
    half_step(matrix, generator().standard_normal((60, 8)), penalty=0.5, alpha=alpha)
    assert sizes == {3: 3, 7: 1, 8: 3}  # with 8 entries or more, one of the size of the vectors


@ALPHAS
@DTYPES
def test_half_step_of_one_row_is_that_of_many(alpha, dtype):
    matrix = abs(draw_lengths([2, 50, 9, 1, 0, 30], dtype=dtype))
    fixed = generator(8).standard_normal((60, 8))
    together = half_step(matrix, fixed, penalty=0.5, alpha=alpha)
    alone = np.vstack([half_step(matrix[[row]], fixed, penalty=0.5, alpha=alpha) for row in range(6)])
    np.testing.assert_allclose(alone, together, rtol=1e3 * np.finfo(dtype).eps, atol=1e2 * np.finfo(dtype).eps)


def test_half_step_with_more_factors_than_columns_is_precise_in_float32():
    matrix = abs(draw_lengths([5, 10, 15, 20], 20, dtype=np.float32))
    fixed = generator(9).standard_normal((20, 32)).astype(np.float32)
    solved = half_step(matrix, fixed, penalty=1e-4, alpha=4.0)
    for row, x in zip(matrix.toarray().astype(float), solved):
        roots = np.sqrt(1 + 4 * row)
        left = np.vstack([roots[:, None] * fixed.astype(float), 1e-2 * np.eye(32)])
        expected = np.linalg.lstsq(left, np.append(roots * (row > 0), np.zeros(32)))[0]  # the penalty as more rows
        # a matrix of size 32 in float32 would lose the penalty, and all digits with it
        np.testing.assert_allclose(x, expected, atol=1e-5 * np.linalg.norm(expected))


def test_half_step_needs_no_penalty_where_the_vectors_of_a_row_are_independent():
    solved = half_step(csr_array([[3.0]], dtype=np.float32), [[1.0, 1.0]], penalty=1e-12)
    np.testing.assert_allclose(solved, [[1.5, 1.5]], rtol=1e-6)


def test_half_step_implicit_bears_a_penalty_below_the_rounding_of_what_all_rows_share():
    matrix, rng = draw_matrix()[:-1], generator(3)
    items = 1e3 * rng.standard_normal((30, 2)) @ rng.standard_normal((2, 6))  # four eigenvalues are 0, but for rounding
    solved = half_step(matrix, items, penalty=1e-12, alpha=3.0)
    for row, x in zip(matrix.toarray(), solved):
        roots = np.sqrt(1 + 3 * row)
        expected = np.linalg.lstsq(roots[:, None] * items, roots * (row > 0), rcond=1e-9)[0]
        np.testing.assert_allclose(items @ x, items @ expected, atol=1e-9)


@pytest.mark.parametrize("size", [2, 30])
def test_solve_positive_gives_nan_where_a_matrix_is_not_positive_definite(size):
    matrices = np.zeros((2, size, size))
    matrices[1, 0, 1] = matrices[1, 1, 0] = 3  # with the identity an eigenvalue of 1 - 3
    solved = als._solve_positive(matrices, np.ones((2, size)))
    np.testing.assert_array_equal(solved, [np.ones(size), np.full(size, np.nan)])


@pytest.mark.parametrize(("n_entries", "n_factors"), [(2, 5), (16, 5), (21, 30), (64, 30)])
def test_half_step_refuses_a_penalty_that_is_lost_in_rounding(n_entries, n_factors):
    # All vectors are the same, and the last row has several. Powers of 2: its system is singular to the last digit.
    ratings, fixed = np.eye(4, n_entries), np.zeros((n_entries, n_factors))
    ratings[3], fixed[:, :4] = 3, 1
    with pytest.raises(ValueError, match=r"a penalty that float32 can tell from 0, received 9.09\S+, and .* row 3 is"):
        half_step(csr_array(ratings, dtype=np.float32), fixed, penalty=2.0**-40)
    solved = half_step(csr_array(ratings), fixed, penalty=2.0**-40)
    np.testing.assert_allclose(solved[3], 3 / 4 * (fixed[0] > 0), rtol=0.01)  # float64 has two digits left


# Fits


@DTYPES
@ALPHAS
@pytest.mark.parametrize("penalty", [0.01, 1.0, 30.0])
@pytest.mark.parametrize("seed", range(3))
def test_fits_never_raise_the_loss(dtype, alpha, penalty, seed):
    matrix = draw_matrix(dtype=dtype, seed=seed)
    losses = fit(matrix, 6, alpha=alpha, penalty=penalty, n_epochs=25, rng=generator(seed)).losses
    tolerance = {np.float32: 1e-6, np.float64: 1e-12}[dtype]
    assert (losses[1:] <= losses[:-1] * (1 + tolerance)).all()


@DTYPES
@pytest.mark.parametrize("alpha", [0.0, 1.0, 40.0])
@pytest.mark.parametrize("n_cg_steps", [1, 3, 20])
def test_fit_implicit_cg_never_raises_the_loss(dtype, alpha, n_cg_steps):
    matrix = draw_matrix(dtype=dtype)
    losses = fit(matrix, 6, alpha=alpha, solver="cg", n_cg_steps=n_cg_steps, n_epochs=25).losses
    tolerance = {np.float32: 1e-6, np.float64: 1e-12}[dtype]
    assert (losses[1:] <= losses[:-1] * (1 + tolerance)).all()


@ALPHAS
@DTYPES
def test_fits_report_the_loss_of_the_start_and_of_each_epoch(alpha, dtype):
    matrix = draw_matrix(dtype=dtype)
    start = draw_factors(matrix)
    model = fit(matrix, alpha=alpha, init=start, n_epochs=3)
    assert model.losses.shape == (4,)
    assert model.losses.dtype == np.float64
    rel = 1e3 * float(np.finfo(dtype).eps)
    assert model.losses[0] == pytest.approx(slow_loss(matrix, *start, alpha, 0.5), rel=rel)
    after = slow_loss(matrix, model.user_factors.astype(float), model.item_factors.astype(float), alpha, 0.5)
    assert model.losses[-1] == pytest.approx(after, rel=rel)


@ALPHAS
def test_fits_solve_for_users_first_then_for_items(alpha):
    matrix = draw_matrix()
    users, items = draw_factors(matrix)
    model = fit(matrix, alpha=alpha, init=(users, items), n_epochs=1)
    users = half_step(matrix, items, penalty=0.5, alpha=alpha)
    np.testing.assert_array_equal(model.user_factors, users)
    np.testing.assert_array_equal(model.item_factors, half_step(matrix.T, users, penalty=0.5, alpha=alpha))


@ALPHAS
def test_fits_of_no_epochs_return_the_start(alpha):
    matrix = draw_matrix()
    start = draw_factors(matrix)
    model = fit(matrix, alpha=alpha, init=start, n_epochs=0)
    np.testing.assert_array_equal(model.user_factors, start[0])
    np.testing.assert_array_equal(model.item_factors, start[1])
    assert not np.shares_memory(model.user_factors, start[0])
    assert model.losses.shape == (1,)


def test_fit_explicit_recovers_ratings_that_it_did_not_see():
    rng = generator()
    truth = rng.standard_normal((60, 3)) @ rng.standard_normal((3, 50))
    is_seen = rng.random(truth.shape) < 0.5
    ratings = csr_array((truth[is_seen], np.nonzero(is_seen)), shape=truth.shape)
    model = fit_explicit(ratings, 3, penalty=1e-6, n_epochs=60, rng=rng)
    np.testing.assert_allclose(model.scores(np.arange(60))[~is_seen], truth[~is_seen], atol=1e-3)


@SOLVERS
def test_fit_implicit_recommends_from_the_own_group(solver):
    rng = generator()
    user_groups, item_groups = np.arange(90) % 3, np.arange(60) % 3
    is_own = user_groups[:, None] == item_groups
    met = is_own & (rng.random(is_own.shape) < 0.5)
    model = fit_implicit(csr_array(met.astype(float)), 3, alpha=5, penalty=0.1, n_epochs=15, solver=solver, rng=rng)
    scores = np.where(met, -np.inf, model.scores(np.arange(90)))  # what they have not met
    assert (item_groups[scores.argmax(axis=1)] == user_groups).all()


@DTYPES
@pytest.mark.parametrize("use_cg", [False, True])
def test_fit_implicit_agrees_with_the_library(dtype, use_cg):
    matrix = draw_matrix(200, 150, dtype=dtype)[:-1, :-1]
    start = [0.1 * factors for factors in draw_factors(matrix, 16)]
    options = {"alpha": 2.0, "penalty": 0.3, "n_epochs": 5}
    theirs, _ = fit_with_implicit(matrix, start, use_cg=use_cg, **options)
    ours = fit_implicit(matrix, 16, solver="cg" if use_cg else "exact", init=start, rng=None, **options)
    loss = implicit_loss(matrix, theirs.user_factors, theirs.item_factors, alpha=2.0, penalty=0.3)
    # The order of sums differs, and three steps of conjugate gradients leave float32 some way from the solution.
    assert ours.losses[-1] == pytest.approx(loss, rel=1e-4 if use_cg and dtype is np.float32 else 1e-6)


@SOLVERS
def test_fit_implicit_recommends_what_the_library_recommends(solver):
    matrix = draw_matrix(200, 150)
    start = [0.1 * factors for factors in draw_factors(matrix, 16)]
    options = {"alpha": 2.0, "penalty": 0.3, "n_epochs": 5}
    theirs, confidences = fit_with_implicit(matrix, start, use_cg=solver == "cg", **options)
    ours = fit_implicit(matrix, 16, solver=solver, init=start, rng=None, **options)
    users = np.arange(199)  # the last one has no entries, and all scores are equal
    expected, _ = theirs.recommend(users, confidences[users], N=10, filter_already_liked_items=False)
    indices, _ = top_k(ours.user_factors[users], ours.item_factors, 10)
    np.testing.assert_array_equal(indices, expected)


def test_fit_implicit_on_davis_agrees_with_the_library():
    matrix = load_davis().to_csr("ones", dtype=np.float64)
    start = draw_factors(matrix, 2)
    options = {"alpha": 1.0, "penalty": 0.1, "n_epochs": 5}
    theirs, _ = fit_with_implicit(matrix, start, use_cg=False, **options)
    ours = fit_implicit(matrix, 2, init=start, rng=None, **options)
    np.testing.assert_allclose(ours.scores(np.arange(18)), theirs.user_factors @ theirs.item_factors.T, atol=1e-9)


@SOLVERS
def test_fit_implicit_from_a_tiny_start_makes_user_vectors_long(solver):
    matrix = draw_matrix(200, 150)
    usual, tiny = (
        fit(matrix, 16, alpha=20, penalty=0.1, n_epochs=15, solver=solver, initial_scale=scale) for scale in (0.1, 0.01)
    )
    ratios = [(model.user_factors**2).sum() / (model.item_factors**2).sum() for model in (usual, tiny)]
    assert ratios[1] > 5 * ratios[0]
    assert tiny.losses[-1] > 1.05 * usual.losses[-1]


@ALPHAS
def test_fits_repeat_with_the_same_seed(alpha):
    matrix = draw_matrix()
    models = [fit(matrix, alpha=alpha, rng=generator(seed)) for seed in (5, 5, 6)]
    np.testing.assert_array_equal(models[0].item_factors, models[1].item_factors)
    assert not np.allclose(models[0].item_factors, models[2].item_factors)


@ALPHAS
def test_fits_start_from_the_same_draw_in_both_dtypes(alpha):
    single, double = (fit(draw_matrix(dtype=dtype), alpha=alpha, n_epochs=0) for dtype in (np.float32, np.float64))
    np.testing.assert_array_equal(single.item_factors, double.item_factors.astype(np.float32))


def test_fit_implicit_draws_the_start_with_the_initial_scale():
    start = fit(draw_matrix(300, 200), 8, alpha=1.0, initial_scale=0.02, n_epochs=0)
    assert start.user_factors.std() == pytest.approx(0.02, rel=0.05)


def test_fit_implicit_calls_back_after_each_epoch():
    calls = []
    model = fit(draw_matrix(), alpha=1.0, n_epochs=3, callback=lambda *call: calls.append(call))
    assert [epoch for epoch, _ in calls] == [1, 2, 3]
    for epoch, partial in calls:
        np.testing.assert_array_equal(partial.losses, model.losses[: epoch + 1])
        until_then = fit(draw_matrix(), alpha=1.0, n_epochs=epoch)
        np.testing.assert_array_equal(partial.item_factors, until_then.item_factors)


@ALPHAS
@pytest.mark.parametrize("progress", [True, False])
def test_fits_show_a_progress_bar_that_can_be_switched_off(alpha, progress, monkeypatch):
    shown = []
    monkeypatch.setattr(als, "progress_bar", lambda epochs, show, **options: shown.append(show) or epochs)
    fit(draw_matrix(), alpha=alpha, progress=progress)
    assert shown == [progress]


@ALPHAS
def test_short_fits_show_no_progress_bar(alpha, capsys):
    fit(draw_matrix(), alpha=alpha)
    assert capsys.readouterr().err == ""


@SOLVERS
def test_fit_implicit_holds_less_than_300_megabytes_above_a_million_ratings(solver):
    rng = generator()
    users, items = rng.integers(6000, size=1_050_000), (4000 * rng.random(1_050_000) ** 3).astype(int)
    matrix = csr_array((np.ones(len(users), np.float32), (users, items)), shape=(6000, 4000))
    assert matrix.nnz > 900_000
    tracemalloc.start()
    fit(matrix, 64, alpha=1.0, solver=solver, n_epochs=1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 300e6


# New users


@ALPHAS
def test_fold_in_gives_a_user_of_the_fit_the_vector_of_a_half_step(alpha):
    matrix = draw_matrix()
    model = fit(matrix, alpha=alpha)
    expected = slow_half_step(matrix, model.item_factors, alpha, 0.5)[3:5]
    solved = fold_in(matrix[3:5], model.item_factors, penalty=0.5, alpha=alpha)
    np.testing.assert_allclose(solved, expected, rtol=1e-9, atol=1e-12)


@ALPHAS
def test_fold_in_returns_the_user_vectors_of_a_fit_that_has_converged(alpha):
    matrix = draw_matrix()
    model = fit(matrix, 2, alpha=alpha, penalty=2.0, n_epochs=300)
    solved = fold_in(matrix, model.item_factors, penalty=2.0, alpha=alpha)
    np.testing.assert_allclose(solved, model.user_factors, atol=1e-5)


@ALPHAS
def test_fold_in_gives_a_user_without_entries_the_zero_vector(alpha):
    items = draw_factors(draw_matrix())[1]
    assert not fold_in(csr_array((2, 30)), items, penalty=1, alpha=alpha).any()


# Input


@DTYPES
@ALPHAS
@SOLVERS
def test_half_step_computes_in_the_dtype_of_the_matrix(dtype, alpha, solver):
    matrix = draw_matrix(dtype=dtype)
    items = draw_factors(matrix)[1]
    solved = half_step(matrix, items, penalty=1.0, alpha=alpha, solver=solver)
    assert solved.dtype == dtype
    alpha = alpha and np.float64(alpha)  # a NumPy number must not turn float32 into float64 on the way
    again = half_step(matrix, items.astype(dtype), penalty=np.float64(1), alpha=alpha, solver=solver)
    np.testing.assert_array_equal(again, solved)


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint16, np.int64, np.longdouble])
def test_fits_compute_in_float64_for_other_numbers(dtype):
    matrix = draw_matrix().astype(dtype)
    model = fit(matrix)
    assert model.user_factors.dtype == model.item_factors.dtype == np.float64
    np.testing.assert_array_equal(model.user_factors, fit(matrix.astype(float)).user_factors)


@ALPHAS
@pytest.mark.parametrize("kind", ["array", "matrix"])
@pytest.mark.parametrize("form", ["csr", "csc", "coo", "lil", "dok", "bsr", "dia"])
def test_fits_take_any_sparse_format(alpha, kind, form):
    matrix = draw_matrix()
    other = getattr(sparse, f"{form}_{kind}")(matrix)
    np.testing.assert_allclose(fit(other, alpha=alpha).losses, fit(matrix, alpha=alpha).losses, rtol=1e-12)


@ALPHAS
@pytest.mark.parametrize("form", ["coo", "csr"])
def test_fits_add_entries_that_are_stored_twice(alpha, form):
    twice = sparse.coo_array(([100, 100, 3], ([0, 0, 1], [1, 1, 0])), shape=(2, 2), dtype=np.int8)
    if form == "csr":  # a csr matrix can hold an entry twice too, in any order
        twice = csr_array((twice.data, [1, 1, 0], [0, 2, 3]), shape=(2, 2))
    once = csr_array([[0.0, 200.0], [3.0, 0.0]])  # too much for int8
    np.testing.assert_array_equal(fit(twice, alpha=alpha).losses, fit(once, alpha=alpha).losses)


def test_fit_explicit_fits_a_stored_zero():
    ratings = csr_array(([2.0, 0.0], ([0, 0], [0, 1])), shape=(1, 2))
    model = fit_explicit(ratings, 1, penalty=1e-9, n_epochs=50, rng=generator())
    np.testing.assert_allclose(model.scores([0]), [[2.0, 0.0]], atol=1e-4)


def test_fit_implicit_treats_a_stored_zero_as_nothing():
    stored = draw_matrix()
    stored.data[::3] = 0
    without = stored.copy()
    without.eliminate_zeros()
    assert without.nnz < stored.nnz
    np.testing.assert_array_equal(fit(stored, alpha=1.0).losses, fit(without, alpha=1.0).losses)


@ALPHAS
def test_fits_do_not_modify_what_they_are_given(alpha):
    matrix = csr_array(([1.0, 0.0, 2.0, 2.0], [2, 0, 1, 1], [0, 2, 4]), shape=(2, 3))  # unsorted, a zero, one twice
    start = draw_factors(matrix)
    before = [array.copy() for array in (matrix.data, matrix.indices, matrix.indptr, *start)]
    fit(matrix, alpha=alpha, init=start)
    for array, expected in zip((matrix.data, matrix.indices, matrix.indptr, *start), before):
        np.testing.assert_array_equal(array, expected)


@ALPHAS
def test_fits_give_users_and_items_without_entries_the_zero_vector(alpha):
    model = fit(draw_matrix(), alpha=alpha)
    assert not model.user_factors[-1].any()
    assert not model.item_factors[-1].any()


def test_fit_implicit_cg_gives_users_and_items_without_entries_the_zero_vector():
    model = fit(draw_matrix(), alpha=1.0, solver="cg")
    assert not model.user_factors[-1].any()
    assert not model.item_factors[-1].any()


@ALPHAS
@pytest.mark.parametrize("shape", [(1, 30), (30, 1), (1, 1)])
def test_fits_take_a_single_user_or_item(alpha, shape):
    model = fit(csr_array(np.ones(shape)), 3, alpha=alpha, penalty=1e-6, n_epochs=20)
    np.testing.assert_allclose(model.scores(np.arange(shape[0])), np.ones(shape), atol=1e-3)


@ALPHAS
@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (5, 4)])
def test_fits_of_nothing_end_at_a_loss_of_zero(alpha, shape):
    model = fit(csr_array(shape), 3, alpha=alpha)
    assert model.losses[-1] == 0
    assert model.user_factors.shape == (shape[0], 3)
    assert model.item_factors.shape == (shape[1], 3)


def test_fit_takes_more_factors_than_items():
    model = fit(draw_matrix(n_users=6, n_items=5, density=0.6), 20, alpha=1.0)
    assert (np.diff(model.losses) <= 0).all()


# Errors


@ALPHAS
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_fits_refuse_a_value_that_is_not_finite(alpha, value):
    matrix = csr_array([[1.0, 0.0, 2.0], [0.0, value, 1.0]])
    with pytest.raises(ValueError, match=rf"expected finite \w+, received {value} in row 1, column 1; leave it out"):
        fit(matrix, alpha=alpha)


@pytest.mark.parametrize("call", [fit, half_step, fold_in])
def test_implicit_feedback_refuses_negative_values(call):
    matrix = csr_array([[1.0, 0.0, 2.0], [0.0, 0.0, -0.5]])
    second = 2 if call is fit else np.ones((3, 2))
    with pytest.raises(ValueError, match=r"of 0 or more, received -0.5 in row 1, column 2; its confidence"):
        call(matrix, second, alpha=1.0, penalty=1.0)


def test_fit_explicit_takes_negative_ratings():
    model = fit_explicit(csr_array([[-1.0, 2.0]]), 1, penalty=1e-9, n_epochs=20, rng=generator())
    np.testing.assert_allclose(model.scores([0]), [[-1.0, 2.0]], atol=1e-4)


@ALPHAS
def test_fits_refuse_a_dense_matrix(alpha):
    with pytest.raises(TypeError, match=r"expected .* as a SciPy sparse matrix, received ndarray; use csr_array"):
        fit(np.ones((3, 2)), alpha=alpha)


def test_fit_refuses_a_sparse_vector():
    with pytest.raises(ValueError, match=r"of shape \(n_users, n_items\), received \(3,\); use one row a user"):
        fit(sparse.coo_array(np.ones(3)))


def test_fit_refuses_complex_numbers():
    with pytest.raises(TypeError, match="of real numbers, received complex128; convert them to float"):
        fit(csr_array(np.ones((2, 2), dtype=complex)))


@ALPHAS
@pytest.mark.parametrize("n_factors", [0, -1, 2.5, "2", None])
def test_fits_refuse_a_wrong_number_of_factors(alpha, n_factors):
    with pytest.raises(ValueError, match=f"n_factors as a whole number of 1 or more, received {n_factors!r}"):
        fit(draw_matrix(), n_factors, alpha=alpha)


@ALPHAS
@pytest.mark.parametrize("n_epochs", [-1, 1.5])
def test_fits_refuse_a_wrong_number_of_epochs(alpha, n_epochs):
    with pytest.raises(ValueError, match=f"n_epochs as a whole number of 0 or more, received {n_epochs}"):
        fit(draw_matrix(), alpha=alpha, n_epochs=n_epochs)


@ALPHAS
@pytest.mark.parametrize("penalty", [-1.0, np.nan, np.inf, "1"])
def test_fits_and_losses_refuse_a_wrong_penalty(alpha, penalty):
    matrix = draw_matrix()
    match = f"penalty as a number of 0 or more, received {penalty!r}"
    with pytest.raises(ValueError, match=match):
        fit(matrix, alpha=alpha, penalty=penalty)
    with pytest.raises(ValueError, match=match):
        loss_of(matrix, *draw_factors(matrix), alpha, penalty)
    with pytest.raises(ValueError, match=match):
        fold_in(matrix, draw_factors(matrix)[1], alpha=alpha, penalty=penalty)


@pytest.mark.parametrize("alpha", [-1.0, np.nan, None])
def test_implicit_feedback_refuses_a_wrong_alpha(alpha):
    matrix = draw_matrix()
    with pytest.raises(ValueError, match=f"alpha as a number of 0 or more, received {alpha}"):
        fit_implicit(matrix, 2, alpha=alpha, penalty=1, n_epochs=1, rng=generator())
    with pytest.raises(ValueError, match=f"alpha as a number of 0 or more, received {alpha}"):
        implicit_loss(matrix, *draw_factors(matrix), alpha=alpha, penalty=1)


@pytest.mark.parametrize("scale", [0, -0.1, np.nan])
def test_fit_implicit_refuses_a_wrong_initial_scale(scale):
    with pytest.raises(ValueError, match=rf"expected initial_scale .* received {scale}"):
        fit(draw_matrix(), alpha=1.0, initial_scale=scale)


def test_fit_implicit_refuses_an_unknown_solver():
    with pytest.raises(ValueError, match="expected solver among 'exact', 'cg', received 'lu'; choose one"):
        fit(draw_matrix(), alpha=1.0, solver="lu")


def test_fit_implicit_refuses_no_steps():
    with pytest.raises(ValueError, match="n_cg_steps as a whole number of 1 or more, received 0"):
        fit(draw_matrix(), alpha=1.0, solver="cg", n_cg_steps=0)


@ALPHAS
@pytest.mark.parametrize("rng", [None, 0, np.random])
def test_fits_refuse_what_is_not_a_generator(alpha, rng):
    with pytest.raises(TypeError, match=r"expected rng as a numpy Generator, received .*; use np.random.default_rng"):
        fit(draw_matrix(), alpha=alpha, rng=rng)


@ALPHAS
def test_fits_refuse_an_init_that_is_not_a_pair(alpha):
    with pytest.raises(ValueError, match=r"init=\(user_factors, item_factors\), received 3 entries; give a pair"):
        fit(draw_matrix(), alpha=alpha, init=np.ones((3, 4)))


@ALPHAS
@pytest.mark.parametrize(
    ("user_shape", "item_shape", "match"),
    [
        ((39, 4), (30, 4), r"user_factors of shape \(40, 4\), received \(39, 4\)"),
        ((40, 3), (30, 3), r"user_factors of shape \(40, 4\), received \(40, 3\)"),
        ((40, 4), (40, 4), r"item_factors of shape \(30, 4\), received \(40, 4\)"),
        ((40, 4), (30,), r"item_factors of shape \(30, 4\), received \(30,\)"),
    ],
)
def test_fits_refuse_an_init_of_another_shape(alpha, user_shape, item_shape, match):
    with pytest.raises(ValueError, match=match):
        fit(draw_matrix(), 4, alpha=alpha, init=(np.ones(user_shape), np.ones(item_shape)))


@ALPHAS
def test_fits_refuse_an_init_with_nan(alpha):
    users, items = draw_factors(draw_matrix())
    items[7, 2] = np.nan
    with pytest.raises(ValueError, match="expected finite item_factors, received NaN or infinity in row 7"):
        fit(draw_matrix(), alpha=alpha, init=(users, items))


@ALPHAS
def test_losses_refuse_vectors_of_different_length(alpha):
    with pytest.raises(ValueError, match=r"item_factors of shape \(30, 4\), received \(30, 5\)"):
        loss_of(draw_matrix(), np.ones((40, 4)), np.ones((30, 5)), alpha, 1)


@pytest.mark.parametrize("shape", [(29, 4), (30, 0), (30,)])
def test_fold_in_refuses_item_vectors_of_another_shape(shape):
    with pytest.raises(ValueError, match=r"fixed_factors of shape \(30, n_factors\), received"):
        fold_in(draw_matrix(), np.ones(shape), penalty=1)


def test_half_step_refuses_a_start_of_another_shape():
    with pytest.raises(ValueError, match=r"start of shape \(40, 4\), received \(40, 3\)"):
        half_step(draw_matrix(), np.ones((30, 4)), penalty=1, solver="cg", start=np.ones((40, 3)))


def test_chapter_quotes_the_last_figures_of_the_benchmark():
    root = Path(als.__file__).parents[1]
    row = re.search(r"geometric mean\*\* \| \| (.*)", (root / "benchmarks" / "README.md").read_text("utf-8")).group(1)
    exact, cg = re.findall(r"\*\*([\d.]+)\*\*", row)
    chapter = " ".join((root / "chapters" / "als.md").read_text("utf-8").split())
    assert f"takes {exact} times as long as its Cholesky solver, and {cg} times as long" in chapter


# Numbers that are too large, and models made by hand


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_fit_implicit_refuses_numbers_that_leave_their_type(dtype):
    with pytest.raises(
        ValueError, match=r"a finite loss, received (inf|nan) with penalty 1 and alpha 1e\+308 in float"
    ):
        fit_implicit(
            csr_array(np.eye(3, dtype=dtype)), 2, alpha=1e308, penalty=1, n_epochs=2, rng=np.random.default_rng(0)
        )


def test_fit_explicit_refuses_ratings_whose_squares_leave_their_type():
    with pytest.raises(
        ValueError, match="a finite loss, received inf with penalty 1 in float64; make these, the entries"
    ):
        fit_explicit(csr_array([[1e200]]), 1, penalty=1, n_epochs=1, rng=np.random.default_rng(0))


def test_losses_refuse_vectors_whose_products_leave_their_type():
    with pytest.raises(ValueError, match=r"expected a finite loss, received (inf|nan)"):
        explicit_loss(csr_array([[1.0]]), [[1e200]], [[1e200]], penalty=0)
    with pytest.raises(ValueError, match=r"expected a finite loss, received (inf|nan)"):
        implicit_loss(csr_array([[1.0]]), [[1e200]], [[1e200]], alpha=1, penalty=0)


def test_model_of_small_integers_does_not_overflow():
    model = ALSModel(np.full((1, 2), 100, dtype=np.int8), np.full((1, 2), 100, dtype=np.int8), np.zeros(1))
    assert model.scores([0]) == 20_000


@pytest.mark.parametrize(
    ("users", "items", "error", "message"),
    [
        (np.ones((3, 2)), np.ones((4, 1)), ValueError, r"item_factors of shape \(n_items, 2\), received \(4, 1\)"),
        (np.ones(3), np.ones((4, 1)), ValueError, r"user_factors of shape \(n_users, n_factors\), received \(3,\)"),
        ([[np.nan]], [[1.0]], ValueError, "finite user_factors, received NaN or infinity in row 0"),
        ([["1"]], [[1.0]], TypeError, "user_factors of real numbers, received <U1"),
    ],
)
def test_model_refuses(users, items, error, message):
    with pytest.raises(error, match=message):
        ALSModel(users, items, np.zeros(1))


@pytest.mark.parametrize("factors", [[["1.0"]], [[1j]], [[None]]])
def test_half_step_refuses_vectors_of_no_numbers(factors):
    with pytest.raises(TypeError, match="fixed_factors of real numbers, received"):
        half_step(csr_array([[2.0]]), factors, penalty=0)
