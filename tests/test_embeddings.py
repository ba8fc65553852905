from itertools import product

import numpy as np
import pytest
from scipy.sparse import coo_array, csr_array
from sklearn.decomposition import PCA

from utils.data import load_cinema, load_davis
from utils.embeddings import (
    centre,
    cooccurrence,
    count_directions,
    effective_dimension,
    nearest_items,
    normalise,
    principal_angles,
    procrustes_error,
    project_to_plane,
    shuffle_matrix,
    whiten,
)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def items(rng):
    return rng.standard_normal((12, 5))


def rotation(n, rng):
    """Return a random orthogonal matrix."""
    return np.linalg.qr(rng.standard_normal((n, n)))[0]


# cooccurrence


def test_cooccurrence_by_hand():
    # Users: {0, 1}, {1, 2}, {1}.
    assert cooccurrence([[1, 1, 0], [0, 1, 1], [0, 1, 0]]).tolist() == [[1, 1, 0], [1, 3, 1], [0, 1, 1]]


def test_cooccurrence_counts_what_sets_have_in_common():
    davis = load_davis()
    who = [set(davis.users[davis.items == item]) for item in range(davis.n_items)]
    expected = [[len(a & b) for b in who] for a in who]
    assert cooccurrence(davis.to_csr()).tolist() == expected


@pytest.mark.parametrize("make", [np.array, csr_array, coo_array])
def test_cooccurrence_takes_values_for_ones(make):
    assert cooccurrence(make([[4.5, 0.0, -1.0], [2.0, 3.0, 0.0]])).tolist() == [[2, 1, 1], [1, 1, 0], [1, 0, 1]]


def test_cooccurrence_takes_a_stored_zero_for_nothing():
    matrix = csr_array((np.array([0.0, 1.0]), ([0, 0], [0, 1])), shape=(1, 2))
    assert cooccurrence(matrix).tolist() == [[0, 0], [0, 1]]


def test_cooccurrence_counts_more_than_small_integers_hold():
    assert cooccurrence(np.ones((300, 1), dtype=np.uint8)).tolist() == [[300]]


def test_cooccurrence_without_users_is_zero():
    counts = cooccurrence(np.zeros((0, 2)))
    assert counts.dtype == np.int64
    assert counts.tolist() == [[0, 0], [0, 0]]


def test_cooccurrence_refuses_one_dimension():
    with pytest.raises(ValueError, match=r"shape \(n_users, n_items\), received \(3,\); use one row"):
        cooccurrence([1, 0, 1])


# shuffle_matrix


def test_shuffle_matrix_keeps_what_each_user_and_each_item_has():
    matrix = load_davis().to_csr("ones").toarray()
    shuffled = shuffle_matrix(matrix, rng=np.random.default_rng(0))
    assert set(np.unique(shuffled)) == {0.0, 1.0}
    assert np.array_equal(shuffled.sum(axis=0), matrix.sum(axis=0))
    assert np.array_equal(shuffled.sum(axis=1), matrix.sum(axis=1))
    assert not np.array_equal(shuffled, matrix)


def test_shuffle_matrix_reaches_every_table_with_these_sums_equally_often():
    # Three users with one item each, of three different items: the six ways to deal them out.
    rng = np.random.default_rng(1)
    tables = [shuffle_matrix(np.eye(3), rng=rng, n_rounds=10).argmax(axis=1) for _ in range(1200)]
    ways, counts = np.unique(tables, axis=0, return_counts=True)
    assert len(ways) == 6
    assert np.abs(counts - 200).max() < 60  # 4.6 standard deviations of a fair count


def test_shuffle_matrix_destroys_who_goes_with_whom():
    circles = np.kron(np.eye(2), np.ones((20, 8)))
    matrix = circles * (np.random.default_rng(2).random(circles.shape) < 0.5)
    shuffled = shuffle_matrix(matrix, rng=np.random.default_rng(3))
    # Of 155 items half are in the own circle by chance, with a standard deviation of 0.04.
    assert 0.38 < (shuffled * circles).sum() / shuffled.sum() < 0.62


@pytest.mark.parametrize("make", [np.array, csr_array, coo_array])
def test_shuffle_matrix_takes_values_for_ones(make):
    # The two differ in one item alone, so the heap goes back to where it came from.
    shuffled = shuffle_matrix(make([[4.5, -1.0], [0.0, 3.0]]), rng=np.random.default_rng(0))
    assert shuffled.tolist() == [[1, 1], [0, 1]]


def test_shuffle_matrix_leaves_the_given_one_as_it_is():
    matrix = np.eye(4, dtype=bool)
    shuffle_matrix(matrix, rng=np.random.default_rng(0))
    assert np.array_equal(matrix, np.eye(4, dtype=bool))


def test_shuffle_matrix_without_a_round_changes_nothing():
    assert np.array_equal(shuffle_matrix(np.eye(4), rng=np.random.default_rng(0), n_rounds=0), np.eye(4))


def test_shuffle_matrix_without_users_is_empty():
    assert shuffle_matrix(np.zeros((0, 3)), rng=np.random.default_rng(0)).shape == (0, 3)


def test_shuffle_matrix_refuses_one_dimension():
    with pytest.raises(ValueError, match=r"shape \(n_users, n_items\), received \(3,\); use one row"):
        shuffle_matrix([1, 0, 1], rng=np.random.default_rng(0))


def test_shuffle_matrix_refuses_a_seed_for_a_generator():
    with pytest.raises(TypeError, match=r"expected rng as a numpy Generator, received 0; use np.random.default_rng"):
        shuffle_matrix(np.eye(2), rng=0)


@pytest.mark.parametrize("n_rounds", [-1, 2.5])
def test_shuffle_matrix_refuses_another_number_of_rounds(n_rounds):
    with pytest.raises(ValueError, match=rf"n_rounds as a whole number of 0 or more, received {n_rounds}; choose"):
        shuffle_matrix(np.eye(2), rng=np.random.default_rng(0), n_rounds=n_rounds)


# count_directions


@pytest.mark.parametrize("n_circles", [2, 3, 5])
def test_count_directions_finds_one_for_each_circle(n_circles):
    # Blocks of users who go to the same events: together they have popularity and what tells the circles apart.
    table = np.kron(np.eye(n_circles), np.ones((12, 6)))
    assert count_directions(table, rng=np.random.default_rng(0)) == n_circles


def test_count_directions_finds_popularity_alone_where_nobody_has_a_taste():
    cinema, _ = load_cinema(0, n_users=600, taste_weight=0)
    assert count_directions(cinema.to_csr(), rng=np.random.default_rng(0)) == 1


def test_count_directions_agrees_with_a_loop():
    cinema, _ = load_cinema(1, n_users=300, n_items=80)
    matrix = cinema.to_csr("ones").toarray()
    rng = np.random.default_rng(7)
    by_chance = [np.linalg.svd(shuffle_matrix(matrix, rng=rng))[1] for _ in range(3)]
    values = np.sqrt(np.linalg.eigvalsh(matrix.T @ matrix).clip(0)[::-1])
    expected = 1
    while values[expected] > sum(one[expected] for one in by_chance) / 3:
        expected += 1
    assert 3 < expected < 20
    assert count_directions(matrix, rng=np.random.default_rng(7), n_shuffles=3) == expected


def test_count_directions_counts_popularity_in_any_case():
    assert count_directions([[1.0]], rng=np.random.default_rng(0)) == 1


def test_count_directions_does_not_depend_on_values():
    matrix = np.kron(np.eye(3), np.ones((6, 4)))
    stars = matrix * np.arange(1, 13)
    same = [count_directions(one, rng=np.random.default_rng(0)) for one in (matrix, stars, csr_array(stars))]
    assert same == [3, 3, 3]


def test_count_directions_refuses_a_table_without_interactions():
    with pytest.raises(ValueError, match="at least one interaction, received none; an empty table has no direction"):
        count_directions(np.zeros((3, 2)), rng=np.random.default_rng(0))


@pytest.mark.parametrize("n_shuffles", [0, 1.5])
def test_count_directions_refuses_another_number_of_shuffles(n_shuffles):
    with pytest.raises(ValueError, match=rf"n_shuffles as a whole number of 1 or more, received {n_shuffles}; choose"):
        count_directions(np.eye(2), rng=np.random.default_rng(0), n_shuffles=n_shuffles)


# nearest_items


def test_nearest_items_by_hand():
    vectors = [[1.0, 0.0], [1.0, 1.0], [0.0, 5.0], [-1.0, 0.1]]
    assert nearest_items(vectors, 2).tolist() == [[1, 2], [0, 2], [1, 3], [2, 1]]


@pytest.mark.parametrize("measure", ["dot", "cosine", "euclidean"])
def test_nearest_items_agrees_with_a_loop(measure):
    vectors = np.random.default_rng(0).standard_normal((30, 4))
    compare = {
        "dot": lambda a, b: a @ b,
        "cosine": lambda a, b: a @ b / np.linalg.norm(a) / np.linalg.norm(b),
        "euclidean": lambda a, b: -np.linalg.norm(a - b),
    }[measure]
    expected = [
        sorted((j for j in range(30) if j != i), key=lambda j: -compare(vectors[i], vectors[j]))[:5] for i in range(30)
    ]
    assert nearest_items(vectors, 5, measure).tolist() == expected


def test_nearest_items_leaves_the_item_out_where_another_is_equal_to_it():
    assert nearest_items([[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]], 1).tolist() == [[1], [0], [0]]


def test_nearest_items_ignores_length_by_cosine():
    rng = np.random.default_rng(1)
    vectors = rng.standard_normal((20, 3))
    longer = vectors * rng.uniform(0.1, 10, (20, 1))
    assert np.array_equal(nearest_items(vectors, 5), nearest_items(longer, 5))


@pytest.mark.parametrize("k", [0, 2, 1.5, None, True, "1"])
def test_nearest_items_refuses_a_k_out_of_range(k):
    with pytest.raises(ValueError, match=rf"expected k as a whole number from 1 to 1, received {k!r}; choose another"):
        nearest_items([[1.0], [2.0]], k)


def test_nearest_items_refuses_a_zero_vector():
    with pytest.raises(ValueError, match="zero vector in row 1"):
        nearest_items([[1.0, 2.0], [0.0, 0.0]], 1)


# principal_angles


def test_principal_angles_by_hand():
    # A plane and a line that leaves it at 60 degrees.
    line = [[np.cos(np.pi / 3)], [0.0], [np.sin(np.pi / 3)]]
    assert np.degrees(principal_angles([[1, 0], [0, 1], [0, 0]], line)) == pytest.approx([60])


def test_principal_angles_agree_with_their_cosines():
    rng = np.random.default_rng(0)
    for n_first, n_second in ((3, 3), (2, 5), (6, 1)):
        first, second = rng.standard_normal((20, n_first)), rng.standard_normal((20, n_second))
        bases = np.linalg.qr(first)[0], np.linalg.qr(second)[0]
        cosines = np.linalg.svd(bases[0].T @ bases[1], compute_uv=False)
        assert np.allclose(np.cos(principal_angles(first, second)), cosines, rtol=0, atol=1e-12)


def test_principal_angles_keep_tiny_angles():
    # The cosine of 1e-9 is 1 in float64.
    assert principal_angles([[1.0], [0.0]], [[1.0], [1e-9]]) == pytest.approx([1e-9], rel=1e-6)


def test_principal_angles_keep_angles_close_to_a_right_one():
    assert np.pi / 2 - principal_angles([[1.0], [0.0]], [[1e-9], [1.0]]) == pytest.approx([1e-9], rel=1e-6)


def test_principal_angles_are_sorted_and_in_range():
    rng = np.random.default_rng(1)
    angles = principal_angles(rng.standard_normal((12, 5)), rng.standard_normal((12, 4)))
    assert len(angles) == 4
    assert (np.diff(angles) >= 0).all()
    assert angles[0] >= 0
    assert angles[-1] <= np.pi / 2


def test_principal_angles_do_not_depend_on_the_columns_that_span_a_space():
    rng = np.random.default_rng(2)
    first, second = rng.standard_normal((15, 3)), rng.standard_normal((15, 4))
    mixed = first @ rng.standard_normal((3, 3))
    assert np.allclose(principal_angles(mixed, second), principal_angles(first, second), atol=1e-9)


def test_principal_angles_do_not_depend_on_the_order_of_the_spaces():
    rng = np.random.default_rng(3)
    first, second = rng.standard_normal((15, 3)), rng.standard_normal((15, 4))
    assert np.allclose(principal_angles(first, second), principal_angles(second, first), atol=1e-12)


def test_principal_angles_are_zero_where_one_space_holds_the_other():
    rng = np.random.default_rng(4)
    space = rng.standard_normal((15, 4))
    assert np.allclose(principal_angles(space, space[:, :2] + space[:, 2:]), 0, atol=1e-12)


def test_principal_angles_never_grow_when_a_space_does():
    rng = np.random.default_rng(5)
    truth, space = rng.standard_normal((30, 3)), rng.standard_normal((30, 12))
    largest = [principal_angles(space[:, :d], truth)[-1] for d in range(3, 13)]
    assert (np.diff(largest) <= 1e-12).all()


def test_principal_angles_refuse_columns_that_depend_on_each_other():
    with pytest.raises(ValueError, match=r"independent columns in second, received 2 columns of matrix rank 1; keep"):
        principal_angles([[1, 0], [0, 1]], [[1, 2], [1, 2]])


def test_principal_angles_refuse_a_zero_column():
    with pytest.raises(ValueError, match=r"independent columns in first, received 1 columns of matrix rank 0"):
        principal_angles([[0.0], [0.0]], [[1.0], [0.0]])


def test_principal_angles_refuse_different_numbers_of_rows():
    with pytest.raises(ValueError, match="one number of rows, received 2 and 3 rows; row i must"):
        principal_angles([[1.0], [0.0]], [[1.0], [0.0], [0.0]])


@pytest.mark.parametrize("bad", [[1.0, 2.0], np.zeros((3, 0)), np.zeros((0, 3))])
def test_principal_angles_refuse_another_shape(bad):
    with pytest.raises(ValueError, match=r"expected first of shape \(n_items, n_factors\), received \("):
        principal_angles(bad, np.eye(3))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_principal_angles_refuse_what_is_not_finite(bad):
    with pytest.raises(ValueError, match="expected finite second, received NaN or infinity in row 1; leave it out"):
        principal_angles(np.eye(2), [[1.0, 0.0], [0.0, bad]])


# procrustes_error


def test_procrustes_error_by_hand():
    # Centred: (±1, 0) and (0, ±1) against (±1, 0) twice; scaled, the best fit keeps one of two equal directions.
    square = [[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]
    line = [[1.0], [-1.0], [0.0], [0.0]]
    assert procrustes_error(square, line) == pytest.approx(0.5)


@pytest.mark.parametrize(("n_learned", "n_true"), [(4, 4), (6, 3), (2, 5)])
def test_procrustes_error_agrees_with_its_formula(n_learned, n_true):
    rng = np.random.default_rng(n_learned)
    truth = rng.standard_normal((25, n_true))
    learned = truth @ rng.standard_normal((n_true, n_learned)) + rng.standard_normal((25, n_learned))
    a, b = (table - table.mean(axis=0) for table in (learned, truth))
    fit = np.linalg.svd(a.T @ b, compute_uv=False).sum() / np.linalg.norm(a) / np.linalg.norm(b)
    assert procrustes_error(learned, truth) == pytest.approx(1 - fit**2, abs=1e-12)


def test_procrustes_error_is_zero_for_a_set_that_was_turned_moved_and_scaled():
    rng = np.random.default_rng(0)
    truth = rng.standard_normal((20, 3))
    assert procrustes_error(7 * truth @ rotation(3, rng) + rng.standard_normal(3), truth) == pytest.approx(0, abs=1e-12)


def test_procrustes_error_does_not_change_when_either_side_is_turned():
    rng = np.random.default_rng(1)
    learned, truth = rng.standard_normal((20, 5)), rng.standard_normal((20, 3))
    turned = procrustes_error(learned @ rotation(5, rng), truth @ rotation(3, rng))
    assert turned == pytest.approx(procrustes_error(learned, truth), abs=1e-12)


def test_procrustes_error_is_symmetric():
    rng = np.random.default_rng(2)
    learned, truth = rng.standard_normal((20, 5)), rng.standard_normal((20, 3))
    assert procrustes_error(learned, truth) == pytest.approx(procrustes_error(truth, learned), abs=1e-12)


def test_procrustes_error_grows_with_a_coordinate_of_noise():
    rng = np.random.default_rng(3)
    truth = rng.standard_normal((200, 3))
    noisy = np.column_stack([truth, rng.standard_normal(200)])
    assert procrustes_error(noisy, truth) == pytest.approx(0.25, abs=0.05)  # a quarter of the spread is noise


def test_procrustes_error_stays_between_0_and_1():
    rng = np.random.default_rng(4)
    errors = [procrustes_error(rng.standard_normal((6, 4)), rng.standard_normal((6, 4))) for _ in range(50)]
    assert min(errors) >= 0
    assert max(errors) <= 1


def test_procrustes_error_refuses_equal_rows():
    with pytest.raises(ValueError, match="expected different rows in learned, received equal ones; they have no shape"):
        procrustes_error(np.full((4, 2), 0.1), np.eye(4))


def test_procrustes_error_refuses_different_numbers_of_rows():
    with pytest.raises(ValueError, match="received 3 learned and 4 true vectors; leave the same items out of both"):
        procrustes_error(np.eye(3), np.eye(4))


def test_procrustes_error_refuses_one_dimension():
    with pytest.raises(ValueError, match=r"expected truth of shape \(n_items, n_factors\), received \(3,\)"):
        procrustes_error(np.eye(3), [1.0, 2.0, 3.0])


# project_to_plane


def test_project_to_plane_by_hand():
    # The directions are the four corners of a square in the plane of the first and third axis.
    points, share = project_to_plane([[2.0, 0, 0], [0, 0, 1.0], [-3.0, 0, 0], [0, 0, -0.5]])
    assert share == pytest.approx(1)
    distances = np.linalg.norm(points[:, None] - points, axis=2)
    assert distances[0] == pytest.approx([0, np.sqrt(2), 2, np.sqrt(2)])


def test_project_to_plane_agrees_with_scikit_learn():
    vectors = np.random.default_rng(0).standard_normal((40, 6))
    points, share = project_to_plane(vectors)
    pca = PCA(n_components=2)
    expected = pca.fit_transform(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
    assert np.allclose(np.abs(points), np.abs(expected))
    assert share == pytest.approx(pca.explained_variance_ratio_.sum())


def test_project_to_plane_ignores_length():
    rng = np.random.default_rng(1)
    vectors = rng.standard_normal((20, 4))
    assert np.allclose(project_to_plane(vectors)[0], project_to_plane(vectors * rng.uniform(1, 9, (20, 1)))[0])


def test_project_to_plane_fixes_the_signs():
    vectors = np.random.default_rng(2).standard_normal((20, 4))
    points = project_to_plane(vectors)[0]
    assert (points[np.abs(points).argmax(axis=0), [0, 1]] > 0).all()


def test_project_to_plane_turns_the_map_to_look_like_another():
    rng = np.random.default_rng(3)
    vectors = rng.standard_normal((20, 4))
    points = project_to_plane(vectors)[0]
    like = points @ rotation(2, rng)
    assert np.allclose(project_to_plane(vectors, like=like)[0], like)


def test_project_to_plane_keeps_distances_when_it_turns():
    rng = np.random.default_rng(4)
    vectors = rng.standard_normal((20, 4))
    plain, turned = project_to_plane(vectors)[0], project_to_plane(vectors, like=rng.standard_normal((20, 2)))[0]
    assert np.allclose(plain @ plain.T, turned @ turned.T)


def test_project_to_plane_refuses_a_single_factor():
    with pytest.raises(ValueError, match=r"vectors of two numbers or more .*received shape \(2, 1\) with 0 zero"):
        project_to_plane([[1.0], [2.0]])


def test_project_to_plane_refuses_a_zero_vector():
    with pytest.raises(ValueError, match=r"received shape \(2, 2\) with 1 zero vectors; leave those out"):
        project_to_plane([[1.0, 2.0], [0.0, 0.0]])


def test_project_to_plane_refuses_directions_that_are_all_equal():
    with pytest.raises(ValueError, match="expected different rows in vectors, received equal ones"):
        project_to_plane([[1.0, 2.0], [2.0, 4.0]])


def test_project_to_plane_refuses_a_map_of_other_items():
    with pytest.raises(ValueError, match=r"expected like of shape \(3, 2\), received \(2, 2\); give a map of the same"):
        project_to_plane(np.eye(3), like=np.eye(2))


# Changing the vectors


def test_centre_by_hand():
    assert centre([[1, 2], [3, 6]]).tolist() == [[-1, -2], [1, 2]]


def test_centre_leaves_float32_and_the_input_alone():
    items = np.array([[1, 2], [3, 6]], dtype=np.float32)
    assert centre(items).dtype == np.float32
    assert items.tolist() == [[1, 2], [3, 6]]


@pytest.mark.parametrize("spread", [[1, 1, 1, 1], [100, 1, 0.01, 1e-6]])
def test_whiten_gives_the_identity_as_covariance(rng, spread):
    items = rng.standard_normal((200, 4)) @ np.linalg.qr(rng.standard_normal((4, 4)))[0] * spread + [9, -5, 0, 1]
    white = whiten(items)
    assert np.allclose(white.mean(axis=0), 0, atol=1e-9)
    assert np.allclose(white.T @ white / 200, np.eye(4), atol=1e-9)


def test_whiten_leaves_out_directions_without_spread(rng):
    flat = rng.standard_normal((50, 2)) @ rng.standard_normal((2, 4)) + 7  # a plane in four dimensions
    white = whiten(flat)
    assert np.allclose(np.linalg.eigvalsh(white.T @ white / 50), [0, 0, 1, 1], atol=1e-9)


def test_whiten_turns_no_white_vectors(rng):
    items = whiten(rng.standard_normal((50, 3)))
    assert np.allclose(whiten(items), items)


def test_whiten_takes_fewer_items_than_factors(rng):
    white = whiten(rng.standard_normal((3, 10)))
    assert np.allclose(white @ white.T, 3 * (np.eye(3) - 1 / 3))  # three corners of a triangle


def test_normalise_gives_length_1_and_keeps_the_direction(items):
    unit = normalise(items)
    assert np.allclose(np.linalg.norm(unit, axis=1), 1)
    assert np.allclose((unit * items).sum(axis=1), np.linalg.norm(items, axis=1))


def test_normalise_keeps_float32(items):
    assert normalise(items.astype(np.float32)).dtype == np.float32


def test_normalise_rejects_a_zero_vector():
    with pytest.raises(ValueError, match="zero vector in row 1; leave it out"):
        normalise([[1.0, 2.0], [0.0, 0.0]])


@pytest.mark.parametrize(("variances", "expected"), [([1, 1, 1], 3), ([1, 0, 0], 1), ([4, 1, 1], 36 / 18)])
def test_effective_dimension_by_hand(variances, expected):
    corners = np.array(list(product((-1, 1), repeat=3)))
    assert effective_dimension(corners * np.sqrt(variances) + [5, 0, 0]) == pytest.approx(expected)


def test_effective_dimension_is_trace_squared_over_trace_of_the_square(items):
    covariance = np.cov(items.T)
    expected = np.trace(covariance) ** 2 / np.trace(covariance @ covariance)
    assert effective_dimension(items) == pytest.approx(expected)


@pytest.mark.parametrize("scale", [1e-200, 1e-3, 1e200])
def test_effective_dimension_does_not_depend_on_the_scale(items, scale):
    assert effective_dimension(scale * items) == pytest.approx(effective_dimension(items))


def test_whitening_makes_all_directions_count(items):
    assert effective_dimension(whiten(items)) == pytest.approx(5)


@pytest.mark.parametrize("change", [whiten, effective_dimension])
@pytest.mark.parametrize("value", [0.0, 0.1])
def test_spread_needs_items_that_differ(change, value):
    with pytest.raises(ValueError, match="expected items that differ, received equal ones"):
        change(np.full((7, 3), value))


# What is no table of numbers


@pytest.mark.parametrize("matrix", [[[1.0, np.nan]], [["a", "b"]], csr_array([[1.0, np.inf]])])
def test_counting_functions_refuse_what_is_no_finite_number(matrix):
    functions = (
        cooccurrence,
        lambda matrix: shuffle_matrix(matrix, rng=np.random.default_rng(0)),
        lambda matrix: count_directions(matrix, rng=np.random.default_rng(0)),
    )
    for function in functions:
        with pytest.raises((TypeError, ValueError), match=r"expected (a )?(finite )?matrix"):
            function(matrix)


def test_cooccurrence_counts_an_entry_that_is_stored_twice_once():
    twice = csr_array((np.ones(3), ([0, 0, 0], [0, 0, 1])), shape=(1, 2))
    by_hand = csr_array(([1.0, 1.0, 1.0], [0, 0, 1], [0, 3]), shape=(1, 2))  # SciPy has not added these yet
    assert cooccurrence(twice).tolist() == cooccurrence(by_hand).tolist() == [[1, 1], [1, 1]]
