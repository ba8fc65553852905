"""Test matrix factorisation: the truncated SVD, mean normalisation and stochastic gradient descent."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from scipy.sparse import coo_array, csc_array, csr_array
from sklearn.decomposition import TruncatedSVD

from utils import matrix_factorization
from utils.als import explicit_loss, fit_explicit
from utils.data import load_cinema
from utils.evaluation import evaluate
from utils.matrix_factorization import SVD, FactorModel, fit_sgd, mean_normalise, truncated_svd

SMALL = csr_array([[5.0, 3.0, 0.0, 1.0], [4.0, 0.0, 0.0, 1.0], [1.0, 1.0, 0.0, 5.0], [0.0, 0.0, 0.0, 0.0]])


def random_matrix(shape=(30, 20), seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def sparse_ratings(shape=(30, 20), share=0.4, seed=0):
    """Return ratings from 1 to 5 with gaps; the last user and the last item have none."""
    rng = np.random.default_rng(seed)
    is_observed = rng.random(shape) < share
    is_observed[-1], is_observed[:, -1] = False, False
    users, items = np.nonzero(is_observed)
    return csr_array((rng.integers(1, 6, len(users)).astype(float), (users, items)), shape=shape)


def fit(ratings=SMALL, n_factors=2, **changes):
    options = {"penalty": 0.5, "learning_rate": 0.05, "n_epochs": 3, "rng": np.random.default_rng(0), "progress": False}
    return fit_sgd(ratings, n_factors, **(options | changes))


@pytest.fixture(params=["LAPACK", "ARPACK"])
def solver(request, monkeypatch):
    """Let a small matrix go both ways; more than half of all factors always go to LAPACK."""
    if request.param == "ARPACK":
        monkeypatch.setattr(matrix_factorization, "MAX_DENSE", 0)


@pytest.fixture(scope="module")
def cinema():
    return load_cinema()


def test_truncated_svd_finds_a_decomposition_done_by_hand():
    svd = truncated_svd([[0.0, 2.0], [3.0, 0.0]], 2)  # a permuted diagonal: 3 at (1, 0), 2 at (0, 1)
    np.testing.assert_allclose(svd.singular_values, [3, 2])
    np.testing.assert_allclose(svd.user_factors, [[0, 1], [1, 0]], atol=1e-15)
    np.testing.assert_allclose(svd.item_factors, [[1, 0], [0, 1]], atol=1e-15)


@pytest.mark.parametrize("shape", [(30, 20), (20, 30)])
def test_truncated_svd_agrees_with_numpy(shape, solver):
    matrix = random_matrix(shape)
    svd = truncated_svd(csr_array(matrix), 5)
    u, s, vt = np.linalg.svd(matrix, full_matrices=False)
    np.testing.assert_allclose(svd.singular_values, s[:5], rtol=1e-12)
    np.testing.assert_allclose(svd.product(), (u[:, :5] * s[:5]) @ vt[:5], atol=1e-12)


def test_truncated_svd_agrees_with_scikit_learn_in_signs_too(solver):
    matrix = csr_array(random_matrix())
    theirs = TruncatedSVD(4, algorithm="arpack", random_state=0).fit(matrix)
    svd = truncated_svd(matrix, 4)
    np.testing.assert_allclose(svd.item_factors.T, theirs.components_, atol=1e-10)
    np.testing.assert_allclose(svd.user_factors * svd.singular_values, theirs.transform(matrix), atol=1e-10)


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (1, 5), (5, 1)])
def test_truncated_svd_at_full_rank_gives_the_matrix_back(shape):
    matrix = random_matrix(shape)
    np.testing.assert_allclose(truncated_svd(matrix, min(shape)).product(), matrix, atol=1e-13)


@pytest.mark.parametrize("n_factors", [1, 3, 9])
def test_truncated_svd_below_full_rank_loses_the_squares_that_were_cut_off(n_factors, solver):
    matrix = random_matrix()
    lost = (np.linalg.svd(matrix, compute_uv=False)[n_factors:] ** 2).sum()
    assert lost > 1
    square = ((matrix - truncated_svd(matrix, n_factors).product()) ** 2).sum()
    assert square == pytest.approx(lost, rel=1e-12)


@pytest.mark.parametrize("n_factors", [2, 6])
def test_truncated_svd_gives_orthonormal_vectors_also_beyond_the_rank(n_factors, solver):
    matrix = random_matrix((30, 2)) @ random_matrix((2, 20), seed=1)
    svd = truncated_svd(csr_array(matrix), n_factors)
    np.testing.assert_allclose(svd.user_factors.T @ svd.user_factors, np.eye(n_factors), atol=1e-12)
    np.testing.assert_allclose(svd.item_factors.T @ svd.item_factors, np.eye(n_factors), atol=1e-12)
    np.testing.assert_allclose(svd.singular_values[2:], 0, atol=1e-7 * svd.singular_values[0])
    np.testing.assert_allclose(svd.product(), matrix, atol=1e-7 * svd.singular_values[0])


def test_truncated_svd_makes_the_largest_entry_of_an_item_vector_positive(solver):
    item_factors = truncated_svd(random_matrix(), 5).item_factors
    peaks = np.abs(item_factors).argmax(axis=0)
    assert (item_factors[peaks, np.arange(5)] > 0).all()


def test_truncated_svd_of_the_negative_matrix_turns_the_users_alone(solver):
    svd, negative = truncated_svd(random_matrix(), 3), truncated_svd(-random_matrix(), 3)
    np.testing.assert_allclose(negative.item_factors, svd.item_factors, atol=1e-12)
    np.testing.assert_allclose(negative.user_factors, -svd.user_factors, atol=1e-12)


def test_truncated_svd_permutes_its_vectors_with_the_rows(solver):
    matrix = random_matrix()
    order = np.random.default_rng(1).permutation(30)
    svd, permuted = truncated_svd(matrix, 3), truncated_svd(matrix[order], 3)
    np.testing.assert_allclose(permuted.user_factors, svd.user_factors[order], atol=1e-12)


def test_truncated_svd_repeats_itself_exactly(solver):
    matrix = csr_array(random_matrix())
    for first, second in zip(truncated_svd(matrix, 5), truncated_svd(matrix, 5)):
        np.testing.assert_array_equal(first, second)


def test_truncated_svd_starts_where_rows_add_up_to_zero(solver):
    matrix = np.round(10 * random_matrix())  # whole numbers, so that a vector of ones gives exactly 0
    matrix[:, -1] -= matrix.sum(axis=1)
    expected = np.linalg.svd(matrix, compute_uv=False)[:3]
    np.testing.assert_allclose(truncated_svd(csr_array(matrix), 3).singular_values, expected, rtol=1e-12)


def test_truncated_svd_of_zeros_has_singular_values_of_zero(solver):
    svd = truncated_svd(csr_array((30, 20)), 3)
    np.testing.assert_array_equal(svd.singular_values, np.zeros(3))
    np.testing.assert_allclose(svd.item_factors.T @ svd.item_factors, np.eye(3), atol=1e-15)


@pytest.mark.parametrize("convert", [csr_array, csc_array, coo_array, np.ndarray.tolist, np.float32, np.int64])
def test_truncated_svd_reads_any_format_in_float64(convert):
    matrix = np.round(10 * random_matrix((6, 4)))
    svd = truncated_svd(convert(matrix), 4)
    assert all(array.dtype == np.float64 for array in svd)
    np.testing.assert_allclose(svd.product(), matrix, atol=1e-12)


def test_truncated_svd_does_not_change_its_input():
    matrix = random_matrix((6, 4))
    truncated_svd(matrix, 4)
    np.testing.assert_array_equal(matrix, random_matrix((6, 4)))


@pytest.mark.parametrize("n_factors", [0, -1, 1.5, None])
def test_truncated_svd_refuses_too_few_factors(n_factors):
    with pytest.raises(ValueError, match="expected n_factors as a whole number of 1 or more, received"):
        truncated_svd(np.eye(3), n_factors)


@pytest.mark.parametrize("shape", [(4, 3), (3, 4)])
def test_truncated_svd_refuses_more_factors_than_the_smaller_side(shape):
    with pytest.raises(ValueError, match=r"from 1 to the smaller side .* received 4; 3 factors give the whole"):
        truncated_svd(np.ones(shape), 4)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("convert", [np.asarray, csr_array])
def test_truncated_svd_refuses_entries_that_are_not_finite(bad, convert):
    with pytest.raises(ValueError, match="expected finite entries, received NaN or infinity; an unknown entry"):
        truncated_svd(convert(np.array([[1.0, bad], [0.0, 1.0]])), 1)


def test_truncated_svd_refuses_what_is_no_table():
    with pytest.raises(ValueError, match=r"expected a matrix of shape \(n_users, n_items\), received \(3,\)"):
        truncated_svd(np.ones(3), 1)


def test_truncated_svd_refuses_what_is_not_real():
    with pytest.raises(TypeError, match="expected a matrix of real numbers, received complex128; convert"):
        truncated_svd(np.eye(2) * 1j, 1)


def test_svd_product_multiplies_its_three_parts():
    svd = SVD(np.array([[1.0], [2.0]]), np.array([10.0]), np.array([[3.0], [4.0]]))
    np.testing.assert_array_equal(svd.product(), [[30, 40], [60, 80]])


def test_mean_normalise_averages_over_observed_entries_only():
    centred, item_means = mean_normalise(SMALL)
    np.testing.assert_allclose(item_means, [10 / 3, 2, 21 / 8, 7 / 3])  # all 8 ratings add up to 21
    expected = [[5 / 3, 1, 0, -4 / 3], [2 / 3, 0, 0, -4 / 3], [-7 / 3, -1, 0, 8 / 3], [0, 0, 0, 0]]
    np.testing.assert_allclose(centred.toarray(), expected, atol=1e-15)


def test_mean_normalise_counts_a_stored_zero_as_a_rating():
    _, item_means = mean_normalise(csr_array(([0.0, 4.0], ([0, 1], [0, 0])), shape=(3, 1)))
    np.testing.assert_array_equal(item_means, [2])


def test_mean_normalise_keeps_what_becomes_zero_as_an_entry():
    ratings = csr_array([[3.0, 1.0], [3.0, 0.0]])
    centred, _ = mean_normalise(ratings)
    np.testing.assert_array_equal(centred.data, np.zeros(3))
    np.testing.assert_array_equal(centred.indices, ratings.indices)


def test_mean_normalise_gives_an_item_without_ratings_the_mean_of_all_ratings():
    _, item_means = mean_normalise(csr_array([[1.0, 5.0, 0.0], [1.0, 0.0, 0.0]]))
    assert item_means[2] == pytest.approx(7 / 3)  # not 3, the mean of the item means


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10_000))
def test_mean_normalise_leaves_columns_that_add_up_to_zero(seed):
    centred, _ = mean_normalise(sparse_ratings(seed=seed))
    np.testing.assert_allclose(centred.sum(axis=0), 0, atol=1e-12)


def test_mean_normalise_moves_the_means_alone_when_all_ratings_move():
    ratings = sparse_ratings()
    moved = ratings.copy()
    moved.data += 10
    (centred, item_means), (centred_moved, item_means_moved) = mean_normalise(ratings), mean_normalise(moved)
    np.testing.assert_allclose(item_means_moved, item_means + 10)
    np.testing.assert_allclose(centred_moved.data, centred.data, atol=1e-12)


@pytest.mark.parametrize("convert", [csc_array, coo_array, lambda m: csr_array(m, dtype=np.int32)])
def test_mean_normalise_reads_any_sparse_format_in_float64(convert):
    centred, item_means = mean_normalise(convert(SMALL))
    assert centred.format == "csr"
    assert centred.dtype == item_means.dtype == np.float64
    np.testing.assert_array_equal(centred.toarray(), mean_normalise(SMALL)[0].toarray())


def test_mean_normalise_does_not_change_its_input():
    ratings = SMALL.copy()
    mean_normalise(ratings)
    np.testing.assert_array_equal(ratings.toarray(), SMALL.toarray())


def test_mean_normalise_refuses_a_dense_table():
    with pytest.raises(TypeError, match="expected ratings as a SciPy sparse matrix, received ndarray"):
        mean_normalise(SMALL.toarray())


def test_mean_normalise_refuses_ratings_that_are_not_finite():
    with pytest.raises(ValueError, match="expected finite ratings, received nan in row 0, column 1"):
        mean_normalise(csr_array([[1.0, np.nan]]))


@pytest.mark.parametrize("shape", [(3, 2), (0, 2), (3, 0)])
def test_mean_normalise_refuses_a_matrix_without_ratings(shape):
    with pytest.raises(ValueError, match="expected at least one rating in ratings, received none"):
        mean_normalise(csr_array(shape))


MODEL = FactorModel(
    [[1.0, 0.0], [0.0, 2.0]], [[3.0, 1.0], [0.0, 1.0], [1.0, 1.0]], [0.5, -0.5], [0.0, 0.25, -1.0], global_mean=3.0
)


def test_predict_adds_mean_biases_and_product():
    np.testing.assert_allclose(MODEL.predict([0, 1, 1], [0, 0, 2]), [6.5, 4.5, 3.5])


def test_predict_takes_a_single_pair_or_one_user_with_many_items():
    assert MODEL.predict(0, 1) == 3.75
    np.testing.assert_allclose(MODEL.predict(1, [0, 1, 2]), [4.5, 4.75, 3.5])


def test_scores_are_the_predictions_of_all_pairs():
    users = np.array([1, 0, 1])
    expected = [[MODEL.predict(user, item) for item in range(3)] for user in users]
    np.testing.assert_allclose(MODEL.scores(users), expected)


def test_scores_of_nobody_have_no_row():
    assert MODEL.scores(np.array([], dtype=int)).shape == (0, 3)


def test_model_without_biases_predicts_products():
    model = FactorModel([[1.0], [2.0]], [[3.0]])
    np.testing.assert_array_equal(model.scores([0, 1]), [[3], [6]])


def test_model_without_factors_predicts_mean_and_biases():
    model = FactorModel(np.zeros((2, 0)), np.zeros((1, 0)), [1.0, 2.0], [0.5], global_mean=3.0)
    np.testing.assert_array_equal(model.scores([0, 1]), [[4.5], [5.5]])


def test_rmse_is_that_of_stored_entries():
    ratings = csr_array(([6.5, 0.0], ([0, 1], [0, 2])), shape=(2, 3))  # predicted 6.5 and 3.5
    assert MODEL.rmse(ratings) == pytest.approx(3.5 / np.sqrt(2))


def test_model_can_be_evaluated(cinema):
    split = cinema[0].split_last()
    model = fit(split.train.to_csr(), n_factors=0, n_epochs=1)
    evaluation = evaluate(model, split, metrics="ndcg", progress=False)
    assert 0 < evaluation["ndcg"].model.mean < 1


@pytest.mark.parametrize("method", ["predict", "scores"])
@pytest.mark.parametrize("user", [-1, 2])
def test_indices_outside_of_the_model_are_refused(method, user):
    items = ([0],) if method == "predict" else ()
    with pytest.raises(ValueError, match=f"expected users of 0 or more and below 2, received {user}"):
        getattr(MODEL, method)([0, user], *items)


@pytest.mark.parametrize("item", [-1, 3])
def test_predict_refuses_an_unknown_item(item):
    with pytest.raises(ValueError, match=f"expected items of 0 or more and below 3, received {item}"):
        MODEL.predict(0, item)


def test_rmse_refuses_ratings_of_another_shape():
    with pytest.raises(ValueError, match=r"expected ratings of shape \(2, 3\), received \(3, 2\)"):
        MODEL.rmse(csr_array(np.ones((3, 2))))


def test_rmse_refuses_ratings_without_entries():
    with pytest.raises(ValueError, match="expected at least one rating in ratings, received none"):
        MODEL.rmse(csr_array((2, 3)))


@pytest.mark.parametrize("item_factors", [np.ones((3, 1)), np.ones(2)])
def test_model_refuses_factors_that_do_not_fit(item_factors):
    with pytest.raises(ValueError, match="expected user_factors and item_factors with one row a vector"):
        FactorModel(np.ones((2, 2)), item_factors)


@pytest.mark.parametrize("name", ["user_biases", "item_biases"])
def test_model_refuses_biases_that_do_not_fit(name):
    with pytest.raises(
        ValueError, match=rf"expected {name} of shape \(2,\), received \(3,\); give one number for each"
    ):
        FactorModel(np.ones((2, 1)), np.ones((2, 1)), **{name: np.ones(3)})


def slow_epoch(ratings, order, start, penalty, rate, has_biases, bias_penalty=None, power=0):
    """Visit the ratings one after another, as the formulas in `fit_sgd` say."""
    bias_penalty = penalty if bias_penalty is None else bias_penalty
    x, y = (array.copy() for array in start)
    user_biases, item_biases = np.zeros(len(x)), np.zeros(len(y))
    users, items = ratings.nonzero()
    n_user, n_item = np.bincount(users), np.bincount(items)
    mean = ratings.data.mean() if has_biases else 0
    for n in order:
        u, i = users[n], items[n]
        e = ratings.data[n] - mean - user_biases[u] - item_biases[i] - x[u] @ y[i]
        share_u, share_i = n_user[u] ** power / n_user[u], n_item[i] ** power / n_item[i]
        x[u], y[i] = (
            x[u] + rate * (e * y[i] - penalty * share_u * x[u]),
            y[i] + rate * (e * x[u] - penalty * share_i * y[i]),
        )
        if has_biases:
            user_biases[u] += rate * (e - bias_penalty * share_u * user_biases[u])
            item_biases[i] += rate * (e - bias_penalty * share_i * item_biases[i])
    return x, y, user_biases, item_biases


def loss_of(parameters, ratings, mean, penalty, bias_penalty=None, power=0):
    bias_penalty = penalty if bias_penalty is None else bias_penalty
    x, y, user_biases, item_biases = parameters
    users, items = ratings.nonzero()
    errors = ratings.data - mean - user_biases[users] - item_biases[items] - (x[users] * y[items]).sum(axis=1)
    loss = (errors**2).sum()
    for u, i in zip(users, items):  # each rating brings a part of what its user and its item pay
        share_u, share_i = ((side == one).sum() ** (power - 1.0) for side, one in ((users, u), (items, i)))
        loss += penalty * (share_u * x[u] @ x[u] + share_i * y[i] @ y[i])
        loss += bias_penalty * (share_u * user_biases[u] ** 2 + share_i * item_biases[i] ** 2)
    return loss


def numerical_gradient(function, parameters, width=1e-5):
    """Return central differences, an array a parameter."""
    gradients = []
    for array in parameters:
        gradient = np.zeros_like(array)
        for place in np.ndindex(array.shape):
            kept = array[place]
            array[place] = kept + width
            above = function(parameters)
            array[place] = kept - width
            gradient[place] = (above - function(parameters)) / (2 * width)
            array[place] = kept
        gradients.append(gradient)
    return gradients


def random_start(shape, n_factors=2, seed=3):
    rng = np.random.default_rng(seed)
    return tuple(rng.standard_normal((n, n_factors)) for n in shape)


def parts(model):
    return model.user_factors, model.item_factors, model.user_biases, model.item_biases


def test_fit_sgd_takes_a_step_done_by_hand():
    # The only rating is 2, predicted 1 · 0.5, since there is no mean without biases. So e = 1.5, and with λ = 1 and
    # η = 0.1: x = 1 + 0.1 (1.5 · 0.5 - 1) and y = 0.5 + 0.1 (1.5 · 1 - 0.5).
    init = ([[1.0]], [[0.5]])
    model = fit(csr_array([[2.0]]), 1, penalty=1, learning_rate=0.1, n_epochs=1, has_biases=False, init=init)
    np.testing.assert_allclose(model.user_factors, [[0.975]])
    np.testing.assert_allclose(model.item_factors, [[0.6]])
    np.testing.assert_allclose(model.losses, [1.5**2 + 1.25, (2 - 0.585) ** 2 + 0.975**2 + 0.6**2])


def test_fit_sgd_takes_a_step_of_biases_done_by_hand():
    # Ratings 1 and 3 of two users for two items: the mean is 2 and e = ±1. With λ = 1 and η = 0.1 all biases become
    # ±0.1. In the next epoch e = ±(1 - 0.2), and 0.1 + 0.1 (0.8 - 0.1) = 0.17.
    model = fit(csr_array(np.diag([1.0, 3.0])), 0, penalty=1, learning_rate=0.1, n_epochs=2)
    assert model.global_mean == 2
    np.testing.assert_allclose(model.user_biases, [-0.17, 0.17])
    np.testing.assert_allclose(model.item_biases, [-0.17, 0.17])


@pytest.mark.parametrize("has_biases", [True, False])
@pytest.mark.parametrize(("bias_penalty", "power"), [(None, 0), (0.2, 0), (0.2, 0.5), (None, 1)])
def test_fit_sgd_equals_visiting_one_rating_after_another(has_biases, bias_penalty, power):
    ratings = sparse_ratings()
    start = random_start(ratings.shape)
    start[0][-1], start[1][-1] = 0, 0  # nobody and nothing to learn from
    order = np.random.default_rng(5).permutation(ratings.nnz)
    slow = slow_epoch(ratings, order, start, 0.5, 0.05, has_biases, bias_penalty, power)
    options = {"bias_penalty": bias_penalty, "penalty_power": power, "rng": np.random.default_rng(5)}
    model = fit(ratings, init=start, n_epochs=1, has_biases=has_biases, **options)
    for fast, expected in zip(parts(model), slow):
        np.testing.assert_allclose(fast, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("has_biases", [True, False])
@pytest.mark.parametrize(("bias_penalty", "power"), [(None, 0), (0.2, 0.5)])
def test_fit_sgd_goes_down_the_numerical_gradient(has_biases, bias_penalty, power):
    # With a tiny rate the steps of an epoch do not notice each other: they add up to -η/2 times the gradient, up to
    # errors of the order of η.
    ratings = sparse_ratings((8, 6), share=0.7)
    start = random_start(ratings.shape)
    start[0][-1], start[1][-1] = 0, 0  # nobody and nothing to learn from
    before = [*start, np.zeros(8), np.zeros(6)]
    mean = ratings.data.mean() if has_biases else 0
    gradients = numerical_gradient(lambda now: loss_of(now, ratings, mean, 0.7, bias_penalty, power), before)
    options = {"bias_penalty": bias_penalty, "penalty_power": power, "has_biases": has_biases}
    model = fit(ratings, init=start, penalty=0.7, learning_rate=1e-7, n_epochs=1, **options)
    n_fitted = 4 if has_biases else 2
    for after, array, gradient in list(zip(parts(model), before, gradients))[:n_fitted]:
        assert np.abs(gradient).max() > 1
        np.testing.assert_allclose((array - after) / 0.5e-7, gradient, atol=1e-4)


@pytest.mark.parametrize(("bias_penalty", "power"), [(None, 0), (0.2, 0.5)])
def test_fit_sgd_reports_the_loss_and_errors_of_what_it_returns(bias_penalty, power):
    ratings, validation = sparse_ratings(), sparse_ratings(seed=1)
    model = fit(ratings, validation=validation, bias_penalty=bias_penalty, penalty_power=power)
    expected = loss_of(parts(model), ratings, ratings.data.mean(), 0.5, bias_penalty, power)
    assert model.losses[-1] == pytest.approx(expected, rel=1e-12)
    assert model.train_rmse[-1] == pytest.approx(model.rmse(ratings), rel=1e-12)
    assert model.validation_rmse[-1] == pytest.approx(model.rmse(validation), rel=1e-12)


def test_fit_sgd_starts_its_curves_before_the_first_epoch():
    model = fit(n_epochs=4, validation=SMALL)
    assert len(model.losses) == len(model.train_rmse) == len(model.validation_rmse) == 5
    start = fit(n_epochs=0)
    assert start.losses.tolist() == model.losses[:1].tolist()
    assert start.validation_rmse is None


def test_fit_sgd_learns_nothing_from_validation():
    for plain, watched in zip(parts(fit()), parts(fit(validation=sparse_ratings(SMALL.shape)))):
        np.testing.assert_array_equal(plain, watched)


def test_fit_sgd_without_biases_minimises_the_loss_of_als():
    model = fit(sparse_ratings(), has_biases=False)
    expected = explicit_loss(sparse_ratings(), model.user_factors, model.item_factors, penalty=0.5)
    assert model.losses[-1] == pytest.approx(expected, rel=1e-12)
    assert model.global_mean == 0
    assert not model.user_biases.any()
    assert not model.item_biases.any()


def test_fit_sgd_reaches_the_loss_that_als_reaches():
    ratings = sparse_ratings()
    init = random_start(ratings.shape)
    exact = fit_explicit(ratings, 2, penalty=2, n_epochs=300, rng=None, init=init, progress=False)
    rates = np.geomspace(0.05, 1e-4, 400)
    model = fit(ratings, penalty=2, learning_rate=rates, n_epochs=400, has_biases=False, init=init)
    assert model.losses[-1] == pytest.approx(exact.losses[-1], rel=1e-3)


def test_fit_sgd_recovers_a_planted_product():
    rng = np.random.default_rng(0)
    truth = rng.standard_normal((60, 2)) @ rng.standard_normal((2, 40))
    is_train = rng.random(truth.shape) < 0.5
    train, test = csr_array(np.where(is_train, truth, 0)), csr_array(np.where(is_train, 0, truth))
    options = {"penalty": 0.001, "learning_rate": 0.05, "n_epochs": 100, "has_biases": False}
    assert fit(train, **options).rmse(test) < 0.02  # the truth varies by 1.4
    assert fit(train, 1, **options).rmse(test) > 0.5  # one factor is too few


def test_fit_sgd_recovers_planted_biases():
    rng = np.random.default_rng(0)
    user_biases, item_biases = rng.standard_normal(50), rng.standard_normal(30)
    ratings = csr_array(3 + user_biases[:, None] + item_biases)
    model = fit(ratings, 0, penalty=1e-6, learning_rate=0.02, n_epochs=100)
    # Only the sum of mean and biases is fixed by the ratings; the centred biases are.
    np.testing.assert_allclose(
        model.user_biases - model.user_biases.mean(), user_biases - user_biases.mean(), atol=1e-3
    )
    np.testing.assert_allclose(
        model.item_biases - model.item_biases.mean(), item_biases - item_biases.mean(), atol=1e-3
    )


def test_fit_sgd_shrinks_vectors_and_biases_as_the_penalty_grows():
    sizes = [
        [np.linalg.norm(array) for array in parts(fit(sparse_ratings(), penalty=penalty, n_epochs=50))]
        for penalty in (0, 2, 8)
    ]
    assert (np.diff(sizes, axis=0) < 0).all()


def test_fit_sgd_fits_its_ratings_better_with_more_factors():
    errors = [fit(sparse_ratings(), d, penalty=0.1, n_epochs=100).train_rmse[-1] for d in (0, 1, 2, 4)]
    assert (np.diff(errors) < 0).all()


def test_fit_sgd_gives_those_without_ratings_no_vector_and_no_bias():
    model = fit(sparse_ratings(), init=random_start((30, 20)))
    for array in parts(model):
        assert array[:-1].any()
        assert not array[-1].any()


def test_fit_sgd_predicts_a_viewer_without_ratings_mean_and_item_biases():
    model = fit(sparse_ratings(), n_epochs=20)
    np.testing.assert_allclose(model.scores([29])[0], model.global_mean + model.item_biases)


def test_fit_sgd_after_mean_normalise_predicts_a_viewer_without_ratings_the_item_means():
    centred, item_means = mean_normalise(sparse_ratings())
    model = fit(centred, has_biases=False)
    with_means = FactorModel(model.user_factors, model.item_factors, item_biases=item_means)
    np.testing.assert_array_equal(with_means.scores([29])[0], item_means)


def test_fit_sgd_repeats_itself_with_the_same_seed():
    for first, second in zip(parts(fit(sparse_ratings())), parts(fit(sparse_ratings()))):
        np.testing.assert_array_equal(first, second)


def test_fit_sgd_differs_with_another_seed():
    other = fit(sparse_ratings(), rng=np.random.default_rng(1))
    assert not np.allclose(other.user_factors, fit(sparse_ratings()).user_factors)


def test_fit_sgd_reads_any_sparse_format():
    for convert in (csc_array, coo_array, lambda matrix: csr_array(matrix, dtype=np.float32)):
        for array, expected in zip(parts(fit(convert(SMALL))), parts(fit())):
            np.testing.assert_array_equal(array, expected)


def test_fit_sgd_counts_a_stored_zero_as_a_rating():
    ratings = csr_array(([0.0, 4.0], ([0, 0], [0, 1])), shape=(1, 2))
    assert fit(ratings, 0).global_mean == 2


def test_fit_sgd_takes_a_rate_for_each_epoch():
    constant, listed = fit(learning_rate=0.03), fit(learning_rate=[0.03, 0.03, 0.03])
    np.testing.assert_array_equal(constant.losses, listed.losses)
    falling = fit(learning_rate=[0.03, 0.03, 0.01])
    assert falling.losses[2] == constant.losses[2]
    assert falling.losses[3] != constant.losses[3]


def test_fit_sgd_does_not_change_what_it_is_given():
    ratings, init = SMALL.copy(), random_start(SMALL.shape)
    fit(ratings, init=init)
    np.testing.assert_array_equal(ratings.toarray(), SMALL.toarray())
    for array, kept in zip(init, random_start(SMALL.shape)):
        np.testing.assert_array_equal(array, kept)


def test_fit_sgd_recovers_the_biases_of_cinema_where_choices_do_not_follow_taste():
    # Where viewers choose what suits them, a film is rated by those who like it, and the biases are worse.
    correlations = {}
    for taste_weight in (0, 1.5):
        data, truth = load_cinema(taste_weight=taste_weight)
        ratings = data.to_csr()
        model = fit(ratings, 8, penalty=4, learning_rate=np.geomspace(0.05, 0.01, 15), n_epochs=15)
        has_enough = [np.diff(part.indptr) >= 20 for part in (ratings, ratings.tocsc())]
        pairs = (model.user_biases, truth.user_bias), (model.item_biases, truth.item_bias)
        correlations[taste_weight] = np.array(
            [np.corrcoef(found[rows], true[rows])[0, 1] for (found, true), rows in zip(pairs, has_enough)]
        )
    assert (correlations[0] > 0.9).all()  # measured: 0.92 and 0.94
    assert (correlations[0] > correlations[1.5] + 0.1).all()


def test_fit_sgd_on_cinema_beats_biases_and_they_beat_the_mean(cinema):
    train, test = (part.to_csr() for part in cinema[0].split_random(rng=np.random.default_rng(0)))
    options = {"penalty": 4, "learning_rate": np.geomspace(0.05, 0.01, 15), "n_epochs": 15, "validation": test}
    mean, biases = fit(train, 0, **options).validation_rmse[[0, -1]]
    factors = fit(train, 8, **options).validation_rmse[-1]
    assert factors < biases - 0.05 < mean - 0.1


def test_fit_sgd_refuses_a_dense_table():
    with pytest.raises(TypeError, match="expected ratings as a SciPy sparse matrix, received ndarray"):
        fit(SMALL.toarray())


def test_fit_sgd_refuses_ratings_that_are_not_real():
    with pytest.raises(TypeError, match="expected ratings of real numbers, received complex128"):
        fit(SMALL * 1j)


def test_fit_sgd_refuses_ratings_that_are_not_finite():
    with pytest.raises(ValueError, match="expected finite ratings, received inf in row 0, column 0"):
        fit(csr_array([[np.inf]]))


def test_fit_sgd_refuses_a_matrix_without_ratings():
    with pytest.raises(ValueError, match="expected at least one rating in ratings, received none"):
        fit(csr_array((3, 2)))


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("n_factors", -1, "expected n_factors as a whole number of 0 or more, received -1"),
        ("n_epochs", 2.5, "expected n_epochs as a whole number of 0 or more, received 2.5"),
        ("penalty", -1, "expected penalty as a number of 0 or more, received -1"),
        ("penalty", np.nan, "expected penalty as a number of 0 or more, received nan"),
        ("bias_penalty", -1, "expected bias_penalty as a number of 0 or more, received -1"),
        ("penalty_power", -0.5, "expected penalty_power as a number of 0 or more, received -0.5"),
        ("penalty_power", 1.5, "expected penalty_power from 0 to 1, received 1.5; 0 gives everybody the same"),
        ("learning_rate", 0, "expected a learning_rate above 0, received 0"),
        ("learning_rate", np.nan, "expected a learning_rate above 0, received nan"),
        ("learning_rate", [0.1, 0.1], r"a number or one for each of 3 epochs, received shape \(2,\)"),
        ("init", (np.ones((4, 2)),), "expected init=.* received 1 entries"),
        ("init", (np.ones((4, 2)), np.ones((4, 3))), r"expected item_factors of shape \(4, 2\), received \(4, 3\)"),
    ],
)
def test_fit_sgd_refuses_an_option_out_of_its_range(option, value, message):
    with pytest.raises(ValueError, match=message):
        fit(**{option: value})


@pytest.mark.parametrize("rng", [None, 0, np.random.RandomState(0)])
def test_fit_sgd_refuses_what_is_no_generator(rng):
    with pytest.raises(TypeError, match=r"expected rng as a numpy Generator, received .*default_rng"):
        fit(rng=rng)


def test_fit_sgd_refuses_validation_of_another_shape():
    with pytest.raises(ValueError, match=r"expected validation of shape \(4, 4\), received \(2, 2\)"):
        fit(validation=csr_array(np.eye(2)))


def test_fit_sgd_refuses_validation_without_ratings():
    with pytest.raises(ValueError, match="expected at least one rating in validation, received none"):
        fit(validation=csr_array(SMALL.shape))


def test_fit_sgd_refuses_a_rate_at_which_the_loss_overflows():
    with pytest.raises(ValueError, match=r"expected a learning_rate .* received 10: the loss was .* in epoch"):
        fit(sparse_ratings(), learning_rate=10, n_epochs=50)


def test_model_of_small_integers_does_not_overflow():
    factors = np.full((1, 2), 100, dtype=np.int8)
    model = FactorModel(factors, factors, item_biases=np.array([100], dtype=np.int8))
    assert model.scores([0]) == model.predict(0, 0) == 20_100
    assert FactorModel(factors.astype(np.float16), factors).scores([0]) == 20_000


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"user_factors": [["a"]]}, TypeError, "user_factors of real numbers, received <U1"),
        ({"item_factors": [[np.nan]]}, ValueError, "finite item_factors, received NaN or infinity in row 0"),
        ({"item_biases": [np.inf]}, ValueError, "finite item_biases, received NaN or infinity in row 0"),
        ({"global_mean": np.nan}, ValueError, "a finite global_mean, received nan"),
    ],
)
def test_model_refuses_what_is_no_number(changes, error, message):
    with pytest.raises(error, match=message):
        FactorModel(**{"user_factors": [[1.0]], "item_factors": [[1.0]], **changes})


@pytest.mark.parametrize(("users", "items"), [([True], [0]), ([0.5], [0]), ([0], [True]), ([0], ["0"])])
def test_predict_refuses_what_is_no_index(users, items):
    with pytest.raises(TypeError, match="as indices, received"):
        FactorModel([[1.0]], [[1.0]]).predict(users, items)


def test_svd_scores_are_rows_of_its_product():
    svd = truncated_svd(np.random.default_rng(0).standard_normal((5, 4)), 2)
    assert np.allclose(svd.scores([3, 0]), svd.product()[[3, 0]])


@pytest.mark.parametrize("rate", [True, "0.1", [True], [[0.1]]])
def test_fit_sgd_refuses_a_learning_rate_that_is_none(rate):
    with pytest.raises(ValueError, match=r"expected (a )?learning_rate"):
        fit(learning_rate=rate)


def test_fit_sgd_refuses_an_init_of_another_number_of_factors():
    users, items = np.ones((6, 3)), np.ones((5, 3))
    ratings = csr_array(np.ones((6, 5)))
    with pytest.raises(ValueError, match=r"user_factors of shape \(6, 0\), received \(6, 3\)"):
        fit(ratings, 0, init=(users, items))


def test_fit_sgd_refuses_a_loss_that_is_finite_and_beyond_all_sense():
    with pytest.raises(
        ValueError, match=r"does not explode, received 3: the loss was [\d.e+]+ in epoch 1; try a tenth"
    ):
        fit(
            csr_array(np.diag([1.0, 30.0])),
            1,
            learning_rate=3.0,
            n_epochs=1,
            init=(np.ones((2, 1)), np.full((2, 1), 30.0)),
        )
