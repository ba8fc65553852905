import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from sklearn.metrics.pairwise import cosine_similarity, euclidean_distances, linear_kernel
from sklearn.neighbors import NearestNeighbors

from utils import similarity
from utils.similarity import MEASURES, augment_for_mips, scores, top_k

SEARCHES = [scores, lambda queries, items, measure: top_k(queries, items, 1, measure)]


def draw_normal(n_queries, n_items, n_factors, dtype=np.float64, seed=0):
    """Return queries and items without ties."""
    rng = np.random.default_rng(seed)
    shapes = (n_queries, n_factors), (n_items, n_factors)
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


def draw_ties(n_queries, n_items, n_factors, dtype=np.float64, seed=0):
    """Return queries and items of few different whole numbers; every sum over them is exact, also in float32."""
    rng = np.random.default_rng(seed)
    shapes = (n_queries, n_factors), (n_items, n_factors)
    return [rng.integers(-2, 3, shape).astype(dtype) for shape in shapes]


def draw_quarter_turns(n_queries, n_items, seed=0):
    """Return vectors of four dimensions whose lengths are powers of two: their cosines are 0, ±1/2 or ±1, exactly."""
    rng = np.random.default_rng(seed)
    directions = np.vstack([2 * np.eye(4), 1 - 2 * (np.arange(16)[:, None] >> np.arange(4) & 1)])
    return [
        directions[rng.integers(len(directions), size=n)] * rng.choice([-4, -1, 0.5, 2], size=(n, 1))
        for n in (n_queries, n_items)
    ]


def slow_score(query, item, measure):
    """One score, one number at a time."""
    query, item = query.tolist(), item.tolist()
    if measure == "euclidean":
        return -math.dist(query, item)
    product = math.fsum(a * b for a, b in zip(query, item))
    return product if measure == "dot" else product / (math.hypot(*query) * math.hypot(*item))


def slow_top_k(queries, items, k, measure):
    """Rows of the k best items, by sorting all of them."""
    best = []
    for query in queries:
        all_scores = [slow_score(query, item, measure) for item in items]
        best.append(sorted(range(len(items)), key=lambda i, row=all_scores: (-row[i], i))[:k])
    return np.array(best)


@st.composite
def whole_vectors(draw, n_arrays=2, lowest=-3, highest=3):
    """Draw arrays of 1 to 8 vectors each, all of one dimension, of small whole numbers."""
    n_factors = draw(st.integers(1, 5))
    vector = st.lists(st.integers(lowest, highest), min_size=n_factors, max_size=n_factors)
    return [np.array(draw(st.lists(vector, min_size=1, max_size=8)), dtype=float) for _ in range(n_arrays)]


# Scores


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        ("dot", [[10, 5, -2], [2, 1, -1]]),
        ("cosine", [[1, 1, -2 / math.sqrt(5)], [1 / math.sqrt(10), 1 / math.sqrt(10), -1 / math.sqrt(2)]]),
        ("euclidean", [[-math.sqrt(5), 0, -math.sqrt(10)], [-math.sqrt(18), -math.sqrt(5), -math.sqrt(5)]]),
    ],
)
def test_scores_has_the_values_computed_by_hand(measure, expected):
    queries, items = [[1, 2], [-1, 1]], [[2, 4], [1, 2], [0, -1]]
    np.testing.assert_allclose(scores(queries, items, measure), expected, rtol=1e-15, atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("measure", "reference"),
    [
        ("dot", linear_kernel),
        ("cosine", cosine_similarity),
        ("euclidean", lambda queries, items: -euclidean_distances(queries, items)),
    ],
)
def test_scores_agrees_with_scikit_learn(measure, reference, dtype):
    queries, items = draw_normal(20, 30, 8, dtype)
    expected = reference(queries.astype(np.float64), items.astype(np.float64))
    # one rounding for each of the 8 products and sums
    np.testing.assert_allclose(scores(queries, items, measure), expected, rtol=0, atol=100 * np.finfo(dtype).eps)


@pytest.mark.parametrize("measure", MEASURES)
def test_scores_of_one_query_is_a_row_of_the_table(measure):
    queries, items = draw_normal(4, 9, 3)
    table = scores(queries, items, measure)
    for query, row in zip(queries, table):
        assert scores(query, items, measure).shape == (9,)
        np.testing.assert_allclose(scores(query, items, measure), row, atol=1e-14)


def test_scores_measures_inner_products_by_default():
    queries, items = draw_ties(4, 9, 3)
    assert np.array_equal(scores(queries, items), scores(queries, items, "dot"))


@pytest.mark.parametrize("measure", MEASURES)
def test_scores_without_items_has_no_columns(measure):
    assert scores(np.ones((2, 3)), np.empty((0, 3)), measure).shape == (2, 0)
    assert scores(np.ones(3), np.empty((0, 3)), measure).shape == (0,)


@pytest.mark.parametrize("measure", MEASURES)
def test_scores_without_queries_has_no_rows(measure):
    assert scores(np.empty((0, 3)), np.ones((4, 3)), measure).shape == (0, 4)


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint8, np.int16, np.int64, np.float16, np.float64])
@pytest.mark.parametrize("measure", MEASURES)
def test_scores_is_float64_unless_all_vectors_are_float32(measure, dtype):
    queries, items = np.array([[1, 1]], dtype=dtype), np.array([[1, 0], [1, 1]], dtype=dtype)
    assert scores(queries, items, measure).dtype == np.float64
    assert scores(queries.astype(np.float32), items, measure).dtype == np.float64
    assert scores(queries, items.astype(np.float32), measure).dtype == np.float64


@pytest.mark.parametrize(("measure", "dtype"), [("dot", np.float32), ("cosine", np.float32), ("euclidean", np.float64)])
def test_scores_keeps_float32_except_for_distances(measure, dtype):
    queries, items = draw_normal(2, 3, 4, np.float32)
    assert scores(queries, items, measure).dtype == dtype


def test_scores_of_small_integers_does_not_wrap_around():
    # the type of each entry ends at 255
    queries, items = np.array([[200, 3]], dtype=np.uint8), np.array([[100, 5], [201, 3]], dtype=np.uint8)
    assert scores(queries, items, "dot").tolist() == [[20_015, 40_209]]
    assert scores(queries, items, "euclidean").tolist() == [[-math.sqrt(10_004), -1]]


def test_scores_of_integers_is_exact_beyond_the_digits_of_float32():
    vector = np.array([[20_001, 1]], dtype=np.int16)
    assert scores(vector, vector, "dot").tolist() == [[400_040_002]]


def test_scores_of_truth_values_counts_what_both_have():
    queries, items = np.array([[True, True, False]]), np.array([[True, True, True], [False, True, False]])
    assert scores(queries, items, "dot").tolist() == [[2, 1]]


def test_scores_finds_distances_of_near_neighbours_far_from_the_origin():
    # Around 4096, float32 goes in steps of 2**-11: each query is one step away from its item, in one coordinate.
    # The squares have 24 bits before the point, so that in float32 they would not hold this step's square, 2**-22.
    items = (4096 + np.random.default_rng(0).random((50, 8))).astype(np.float32)
    queries = items.copy()
    queries[:, 0] = np.nextafter(items[:, 0], np.float32(np.inf))
    # The origin is moved to within 1 of all items. There, float64 errs by some 1e-15 of the square, 2.4e-7.
    np.testing.assert_allclose(np.diag(scores(queries, items, "euclidean")), -(2.0**-11), rtol=1e-7)


@pytest.mark.parametrize(
    ("dtype", "factor"), [(np.float32, 1e-22), (np.float32, 1e-37), (np.float32, 1e30), (np.float64, 1e-200)]
)
def test_scores_has_cosines_of_vectors_whose_squares_leave_the_range_of_the_type(dtype, factor):
    query, items = np.array([3, 4], dtype=dtype), np.array([[3, 4], [4, 3], [4, -3]], dtype=dtype)
    expected = [1, 0.96, 0]
    np.testing.assert_allclose(scores(query * dtype(factor), items, "cosine"), expected, atol=1e-6)
    np.testing.assert_allclose(scores(query, items * dtype(factor), "cosine"), expected, atol=1e-6)


@given(whole_vectors(), st.randoms(use_true_random=False))
def test_scores_move_with_the_items(vectors, random):
    queries, items = vectors
    order = random.sample(range(len(items)), len(items))
    for measure in ("dot", "euclidean"):
        assert np.array_equal(scores(queries, items[order], measure), scores(queries, items, measure)[:, order])


@given(whole_vectors(lowest=1, highest=9), st.randoms(use_true_random=False))
def test_scores_as_cosines_move_with_the_items(vectors, random):
    queries, items = vectors
    order = random.sample(range(len(items)), len(items))
    moved = scores(queries, items[order], "cosine")
    # the matrix product may round the same pair differently in another column
    np.testing.assert_allclose(moved, scores(queries, items, "cosine")[:, order], atol=1e-15)


@given(whole_vectors(lowest=1, highest=9))
def test_scores_is_symmetric(vectors):
    one, other = vectors
    for measure in MEASURES:
        np.testing.assert_allclose(scores(one, other, measure), scores(other, one, measure).T, atol=1e-14)


@given(whole_vectors(n_arrays=3))
def test_scores_adds_up_as_inner_products(vectors):
    queries, items, (shift, *_) = vectors
    moved = scores(queries, items + shift, "dot")
    assert np.array_equal(moved, scores(queries, items, "dot") + scores(queries, [shift], "dot"))


@given(whole_vectors(n_arrays=3))
def test_scores_as_distances_stay_when_all_points_move_together(vectors):
    queries, items, (shift, *_) = vectors
    assert np.array_equal(
        scores(queries + 1000 * shift, items + 1000 * shift, "euclidean"), scores(queries, items, "euclidean")
    )


@given(whole_vectors(n_arrays=3))
def test_scores_as_distances_obey_the_triangle_inequality(vectors):
    one, other, (between, *_) = vectors
    detour = scores(one, [between], "euclidean") + scores(other, [between], "euclidean").T
    assert (scores(one, other, "euclidean") >= detour - 1e-12).all()


@given(whole_vectors(lowest=1, highest=9), st.sampled_from([np.float32, np.float64]))
def test_scores_stay_within_their_bounds(vectors, dtype):
    queries, items = (array.astype(dtype) / dtype(7) for array in vectors)
    parallel = np.vstack([items, queries, -queries, 3 * queries])
    assert np.abs(scores(queries, parallel, "cosine")).max() <= 1
    assert scores(queries, parallel, "euclidean").max() <= 0


@given(whole_vectors())
def test_scores_as_distances_are_zero_for_the_same_point_only(vectors):
    queries, items = vectors
    is_same = (queries[:, None] == items).all(axis=2)
    assert np.array_equal(scores(queries, items, "euclidean") == 0, is_same)


def test_scores_writes_a_distance_of_zero_without_a_minus_sign():
    assert str(scores([1.0, 2.0], [[1.0, 2.0]], "euclidean")) == "[0.]"


@pytest.mark.parametrize("measure", MEASURES)
def test_functions_leave_their_input_as_it_was(measure):
    queries, items = draw_normal(3, 40, 4)
    before = queries.copy(), items.copy()
    scores(queries, items, measure)
    top_k(queries, items, 2, measure)
    augment_for_mips(items, queries)
    assert np.array_equal(queries, before[0])
    assert np.array_equal(items, before[1])


# The k best


def test_top_k_has_the_lists_found_by_hand():
    # distances √5, 0, √10 and √18, √5, √5: the second and the third item are equally near to the second query
    indices, values = top_k([[1, 2], [-1, 1]], [[2, 4], [1, 2], [0, -1]], 2, "euclidean")
    assert indices.tolist() == [[1, 0], [1, 2]]
    np.testing.assert_allclose(values, [[0, -math.sqrt(5)], [-math.sqrt(5), -math.sqrt(5)]])


# What is above 16 times k is searched by the maxima of its blocks; a prime number of items leaves a short last block.
SHAPES = [
    (n_items, k)
    for n_items, ks in {
        1: [1],
        16: [1, 2, 16],
        17: [1, 2],
        32: [1, 2],
        33: [1, 2, 33],
        101: [1, 3, 6, 7, 50, 100, 101],
        112: [7],
        113: [7],
        997: [1, 2, 10, 62, 63, 997],
        5003: [1, 10, 312, 313],
    }.items()
    for k in ks
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("measure", ["dot", "euclidean"])
@pytest.mark.parametrize(("n_items", "k"), SHAPES)
def test_top_k_agrees_with_sorting_everything_when_there_are_ties(n_items, k, measure, dtype):
    queries, items = draw_ties(3, n_items, 3, dtype, seed=n_items + k)
    assert np.array_equal(top_k(queries, items, k, measure)[0], slow_top_k(queries, items, k, measure))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n_items", "k"), SHAPES)
def test_top_k_agrees_with_sorting_everything_when_cosines_tie(n_items, k, dtype):
    queries, items = (array.astype(dtype) for array in draw_quarter_turns(3, n_items, seed=n_items + k))
    assert np.array_equal(top_k(queries, items, k, "cosine")[0], slow_top_k(queries, items, k, "cosine"))


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(("n_items", "k"), SHAPES)
def test_top_k_agrees_with_sorting_everything_when_there_are_no_ties(n_items, k, measure):
    queries, items = draw_normal(3, n_items, 5, seed=n_items + k)
    assert np.array_equal(top_k(queries, items, k, measure)[0], slow_top_k(queries, items, k, measure))


@pytest.mark.parametrize("n_items", [40, 41])
def test_top_k_lists_begin_alike_for_every_k(n_items):
    queries, items = draw_ties(3, n_items, 2)
    expected = slow_top_k(queries, items, n_items, "dot")
    for k in range(1, n_items + 1):
        assert np.array_equal(top_k(queries, items, k)[0], expected[:, :k])


def test_top_k_agrees_with_sorting_everything_on_many_shapes():
    rng = np.random.default_rng(0)
    for seed in range(100):
        n_items = int(10 ** rng.uniform(0, 3.3))
        k = min(n_items, int(10 ** rng.uniform(0, 2)))
        queries, items = draw_ties(int(rng.integers(1, 4)), n_items, int(rng.integers(1, 5)), seed=seed)
        measure = ("dot", "euclidean")[seed % 2]
        expected = slow_top_k(queries, items, k, measure)
        assert np.array_equal(top_k(queries, items, k, measure)[0], expected), (n_items, k, measure, seed)


@given(st.lists(st.lists(st.integers(-2, 2), min_size=3, max_size=3), min_size=1, max_size=120), st.data())
def test_top_k_finds_thelargest_of_any_rows(columns, data):
    # with one-hot queries, the rows of scores are the columns of the items
    items = np.array(columns, dtype=float)
    k = data.draw(st.integers(1, len(items)))
    indices, values = top_k(np.eye(3), items, k)
    expected = np.argsort(-items, axis=0, kind="stable")[:k].T
    assert np.array_equal(indices, expected)
    assert np.array_equal(values, np.take_along_axis(items.T, expected, axis=1))


@pytest.mark.parametrize("place", ["first", "last"])
@pytest.mark.parametrize("n_items", [1000, 1009])
def test_top_k_finds_items_at_the_ends_of_the_table(n_items, place):
    # at the end they are in the last block, which is short if n_items is a prime number
    best = np.arange(5) if place == "first" else np.arange(n_items - 5, n_items)
    items = np.zeros((n_items, 1))
    items[best, 0] = [1, 2, 2, 5, 4]
    assert top_k([1.0], items, 7)[0].tolist()[:5] == best[[3, 4, 1, 2, 0]].tolist()


@pytest.mark.parametrize("n_items", [10, 1009])
def test_top_k_of_equal_scores_is_in_the_order_of_the_items(n_items):
    assert top_k([[1.0], [0.0], [-1.0]], np.ones((n_items, 1)), 7)[0].tolist() == [list(range(7))] * 3


@pytest.mark.parametrize("measure", ["cosine", "euclidean"])
@pytest.mark.parametrize("n_items", [100, 1009])
def test_top_k_orders_scores_that_are_equal_after_rounding_by_index(measure, n_items):
    # All items are parallel to the query, or nearer than rounding can tell: the products differ in a last digit that
    # the scores no longer have.
    rng = np.random.default_rng(0)
    for query in rng.standard_normal((20, 3)):
        if measure == "cosine":
            items = query * rng.uniform(0.5, 2, size=(n_items, 1))
        else:
            items = query + rng.choice([-1e-9, 1e-9, 2e-8], size=(n_items, 1))
        indices, values = top_k(query, items, 50, measure)
        assert (np.diff(values) <= 0).all()
        assert (np.diff(indices)[np.diff(values) == 0] > 0).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("k", [3, 200])
def test_top_k_values_are_the_scores_of_its_indices(measure, dtype, k):
    queries, items = draw_normal(5, 200, 6, dtype)
    indices, values = top_k(queries, items, k, measure)
    table = scores(queries, items, measure)
    assert values.dtype == table.dtype
    np.testing.assert_allclose(values, np.take_along_axis(table, indices, axis=1), rtol=20 * np.finfo(dtype).eps)


@pytest.mark.parametrize("measure", MEASURES)
def test_top_k_of_one_query_is_a_row_of_the_lists(measure):
    queries, items = draw_normal(4, 300, 6)
    indices, values = top_k(queries, items, 5, measure)
    for row, query in enumerate(queries):
        index, value = top_k(query, items, 5, measure)
        assert (index.shape, value.shape, index.dtype) == ((5,), (5,), np.int64)
        assert np.array_equal(index, indices[row])
        np.testing.assert_allclose(value, values[row], rtol=1e-12)


@pytest.mark.parametrize("measure", MEASURES)
def test_top_k_without_queries_has_no_rows(measure):
    indices, values = top_k(np.empty((0, 3)), np.ones((4, 3)), 2, measure)
    assert (indices.shape, values.shape, indices.dtype) == ((0, 2), (0, 2), np.int64)


@pytest.mark.parametrize("measure", ["dot", "euclidean"])
@pytest.mark.parametrize("max_scores", [1, 100, 101, 250, 699, 700])
def test_top_k_gives_the_same_lists_in_blocks_of_any_size(measure, max_scores, monkeypatch):
    queries, items = draw_ties(7, 100, 3)
    whole = top_k(queries, items, 4, measure)
    monkeypatch.setattr(similarity, "MAX_SCORES", max_scores)
    blocks = top_k(queries, items, 4, measure)
    assert np.array_equal(blocks[0], whole[0])
    assert np.array_equal(blocks[1], whole[1])


def test_top_k_never_holds_the_whole_table(monkeypatch):
    queries, items = draw_normal(2000, 2000, 2)  # the table: 32 MB; a block of it: 0.4 MB
    monkeypatch.setattr(similarity, "MAX_SCORES", 50_000)
    tracemalloc.start()
    top_k(queries, items, 5)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4e6


@pytest.mark.parametrize("algorithm", ["brute", "kd_tree"])
@pytest.mark.parametrize("n_items", [50, 2000])
def test_top_k_by_distance_agrees_with_scikit_learn(algorithm, n_items):
    queries, items = draw_normal(30, n_items, 4)
    distances, expected = NearestNeighbors(n_neighbors=10, algorithm=algorithm).fit(items).kneighbors(queries)
    indices, values = top_k(queries, items, 10, "euclidean")
    assert np.array_equal(indices, expected)
    np.testing.assert_allclose(values, -distances, rtol=1e-9)


def test_top_k_by_cosine_agrees_with_scikit_learn():
    queries, items = draw_normal(30, 2000, 4)
    distances, expected = NearestNeighbors(n_neighbors=10, metric="cosine").fit(items).kneighbors(queries)
    indices, values = top_k(queries, items, 10, "cosine")
    assert np.array_equal(indices, expected)
    np.testing.assert_allclose(values, 1 - distances, atol=1e-14)


@given(whole_vectors(lowest=1, highest=9), st.sampled_from([0.125, 2, 3, 10, 1e6]))
def test_top_k_by_dot_and_cosine_ignores_the_length_of_the_query(vectors, factor):
    queries, items = vectors
    for measure in ("dot", "cosine"):
        before, after = (top_k(q, items, len(items), measure)[0] for q in (queries, factor * queries))
        assert np.array_equal(before, after)


@given(whole_vectors(lowest=1, highest=9), st.lists(st.sampled_from([0.25, 1, 2, 8]), min_size=8, max_size=8))
def test_top_k_by_cosine_ignores_the_lengths_of_the_items(vectors, factors):
    queries, items = vectors
    stretched = items * np.array(factors)[: len(items), None]
    before, after = (top_k(queries, table, len(items), "cosine")[0] for table in (items, stretched))
    assert np.array_equal(before, after)


@pytest.mark.parametrize("measure", ["cosine", "euclidean"])
def test_top_k_ranks_items_of_length_1_alike_by_all_measures(measure):
    queries, items = draw_normal(20, 100, 5)
    items /= np.linalg.norm(items, axis=1, keepdims=True)
    assert np.array_equal(top_k(queries, items, 100, measure)[0], top_k(queries, items, 100, "dot")[0])


# Maximum inner product as nearest neighbour


def test_augment_for_mips_has_the_values_computed_by_hand():
    items, queries = augment_for_mips([[1, 2], [0, 0], [-2, 0]], [[5, 6], [7, 8]])  # squared lengths 5, 0, 4
    np.testing.assert_allclose(items, [[1, 2, 0], [0, 0, math.sqrt(5)], [-2, 0, 1]])
    assert queries.tolist() == [[5, 6, 0], [7, 8, 0]]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_augment_for_mips_gives_all_items_the_length_of_the_longest(dtype):
    queries, items = draw_normal(2, 500, 6, dtype)
    longest = np.linalg.norm(items.astype(np.float64), axis=1).max()
    lengths = np.linalg.norm(augment_for_mips(items, queries)[0].astype(np.float64), axis=1)
    np.testing.assert_allclose(lengths, longest, rtol=10 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_augment_for_mips_keeps_the_coordinates_and_the_type(dtype):
    queries, items = draw_normal(3, 50, 6, dtype)
    new_items, new_queries = augment_for_mips(items, queries)
    assert new_items.dtype == new_queries.dtype == dtype
    assert np.array_equal(new_items[:, :-1], items)
    assert np.array_equal(new_queries, np.column_stack([queries, np.zeros(3)]))


def test_augment_for_mips_keeps_a_single_query_single():
    _, query = augment_for_mips([[3, 4]], [1, 2])
    assert query.tolist() == [1, 2, 0]


def test_augment_for_mips_gives_items_of_length_zero_the_new_coordinate_only():
    items, _ = augment_for_mips([[0, 0], [3, 4]], [1, 2])
    assert items.tolist() == [[0, 0, 5], [3, 4, 0]]


def test_augment_for_mips_leaves_zeros_if_all_items_are_zero():
    assert augment_for_mips(np.zeros((3, 2)), [1, 2])[0].tolist() == [[0, 0, 0]] * 3


@given(whole_vectors())
def test_augment_for_mips_turns_inner_products_into_distances(vectors):
    queries, items = vectors
    new_items, new_queries = augment_for_mips(items, queries)
    squared = ((new_queries[:, None] - new_items) ** 2).sum(axis=2)
    longest = (items**2).sum(axis=1).max()
    expected = (queries**2).sum(axis=1)[:, None] + longest - 2 * scores(queries, items, "dot")
    np.testing.assert_allclose(squared, expected, atol=1e-12)


def test_augment_for_mips_makes_distances_rank_as_inner_products_did():
    queries, items = draw_normal(20, 300, 5)
    items *= np.random.default_rng(1).lognormal(size=(300, 1))  # popular items are long
    new_items, new_queries = augment_for_mips(items, queries)
    expected = slow_top_k(queries, items, 300, "dot")
    assert np.array_equal(top_k(new_queries, new_items, 300, "euclidean")[0], expected)
    assert not np.array_equal(top_k(queries, items, 300, "euclidean")[0], expected)


def test_augment_for_mips_lets_scikit_learn_search_for_inner_products():
    queries, items = draw_normal(20, 2000, 5)
    new_items, new_queries = augment_for_mips(items, queries)
    index = NearestNeighbors(n_neighbors=10, algorithm="kd_tree").fit(new_items)
    found = index.kneighbors(new_queries, return_distance=False)
    assert np.array_equal(found, top_k(queries, items, 10, "dot")[0])


# Errors

ALL_FUNCTIONS = pytest.mark.parametrize(
    "function",
    [scores, lambda queries, items: top_k(queries, items, 1), lambda queries, items: augment_for_mips(items, queries)],
    ids=["scores", "top_k", "augment_for_mips"],
)


@ALL_FUNCTIONS
@pytest.mark.parametrize("shape", [(2,), (0,), (3, 1, 2), ()])
def test_functions_reject_items_that_are_no_table(function, shape):
    with pytest.raises(
        ValueError, match=r"expected items of shape \(n_items, n_factors\), received \(.*one row an item"
    ):
        function(np.ones(2), np.ones(shape))


@ALL_FUNCTIONS
@pytest.mark.parametrize("shape", [(3,), (1,), (), (4, 3), (2, 1), (1, 1, 2)])
def test_functions_reject_queries_of_another_space(function, shape):
    with pytest.raises(ValueError, match=r"\(n_queries, 2\) or \(2,\).*received \(.*live in the same space"):
        function(np.ones(shape), np.ones((5, 2)))


@ALL_FUNCTIONS
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_functions_reject_what_is_not_finite_and_name_the_row(function, wrong):
    good, bad = np.ones((4, 2)), np.ones((4, 2))
    bad[2, 1] = wrong
    with pytest.raises(ValueError, match="expected finite items, received NaN or infinity in row 2; leave it out"):
        function(good, bad)
    with pytest.raises(ValueError, match="expected finite queries, received NaN or infinity in row 2; leave it out"):
        function(bad, good)
    with pytest.raises(ValueError, match="expected finite queries, received NaN or infinity in row 0; leave it out"):
        function(bad[2], good)


@ALL_FUNCTIONS
def test_functions_reject_sparse_vectors(function):
    good, bad = np.ones((1, 2)), csr_array([[1.0, 0.0]])
    for pair in ((good, bad), (bad, good)):
        with pytest.raises(TypeError, match=r"as a dense array, received a csr_array; use .toarray\(\)"):
            function(*pair)


@ALL_FUNCTIONS
@pytest.mark.parametrize("wrong", [1j, "1", None])
def test_functions_reject_what_is_no_real_number(function, wrong):
    good, bad = np.ones((1, 2)), np.array([[wrong, wrong]])
    with pytest.raises(TypeError, match=r"expected items of real numbers, received .*; convert them to float"):
        function(good, bad)
    with pytest.raises(TypeError, match=r"expected queries of real numbers, received .*; convert them to float"):
        function(bad, good)


@pytest.mark.parametrize("search", SEARCHES, ids=["scores", "top_k"])
def test_searches_reject_an_unknown_measure(search):
    with pytest.raises(ValueError, match="among 'dot', 'cosine', 'euclidean', received 'manhattan'; choose one"):
        search(np.ones((1, 2)), np.ones((1, 2)), "manhattan")


@pytest.mark.parametrize("search", SEARCHES, ids=["scores", "top_k"])
def test_searches_reject_the_cosine_of_the_zero_vector(search):
    good, bad = np.ones((3, 2)), np.array([[1, 1], [0, 0], [0, 0]])
    with pytest.raises(
        ValueError, match="expected items with a direction, received a zero vector in row 1; leave it out"
    ):
        search(good, bad, "cosine")
    with pytest.raises(
        ValueError, match="expected queries with a direction, received a zero vector in row 1; leave it"
    ):
        search(bad, good, "cosine")
    with pytest.raises(
        ValueError, match="expected queries with a direction, received a zero vector in row 0; leave it"
    ):
        search(bad[1], good, "cosine")


@pytest.mark.parametrize("k", [0, -1, 4, 2.5, 2.0, True, np.nan, np.inf, "2", None])
def test_top_k_rejects_a_k_that_is_no_number_of_items(k):
    with pytest.raises(ValueError, match=f"expected k as a whole number from 1 to 3, received {k!r}; choose another"):
        top_k(np.ones(2), np.ones((3, 2)), k)


def test_top_k_rejects_a_search_without_items():
    with pytest.raises(ValueError, match="expected k as a whole number from 1 to 0, received 1"):
        top_k(np.ones(2), np.empty((0, 2)), 1)


@pytest.mark.parametrize("k", [2, np.int64(2), np.uint8(2)])
def test_top_k_takes_every_integer_as_k(k):
    assert top_k([1.0], [[1.0], [3.0], [2.0]], k)[0].tolist() == [1, 2]


def test_augment_for_mips_rejects_a_catalogue_without_items():
    with pytest.raises(ValueError, match="expected at least one item, received none; the added coordinate needs"):
        augment_for_mips(np.empty((0, 2)), np.ones(2))


# Two groups far apart: wherever the origin is, 2 q·y − |q|² − |y|² has lost the digits in which members of one differ.
FAR = np.array([[0.0, 3.0], [1.7e9, 3.0], [1.7e9, 5.0]])


def test_distances_keep_their_digits_far_from_the_origin():
    assert top_k([1.7e9, 5.0], FAR, 3, "euclidean")[0].tolist() == [2, 1, 0]
    assert scores([1.7e9, 5.0], FAR, "euclidean").tolist() == [-np.hypot(1.7e9, 2), -2.0, 0.0]


@pytest.mark.parametrize("spread", [1.0, 1e-3, 1e-7, 0.0])
def test_top_k_finds_the_nearest_in_groups_far_apart(spread):
    rng = np.random.default_rng(0)
    centres = np.array([[0.0, 0, 0], [1e6, 0, 0], [0, -1e8, 1e4]])
    items = centres[rng.integers(3, size=300)] + spread * rng.standard_normal((300, 3))
    queries = items[:20] + spread * rng.standard_normal((20, 3))
    right = scores(queries, items, "euclidean")
    indices, values = top_k(queries, items, 7, "euclidean")
    assert np.array_equal(indices, np.argsort(-right, axis=1, kind="stable")[:, :7])
    assert np.array_equal(values, np.take_along_axis(right, indices, axis=1))


def test_distances_do_not_need_what_assignments_switch_off(monkeypatch):
    def off(*_, **__):
        raise AssertionError("cdist is off")

    monkeypatch.setattr("scipy.spatial.distance.cdist", off)
    assert scores([0.0, 0.0], [[3.0, 4.0]], "euclidean").tolist() == [-5.0]
