import importlib
import inspect
import pkgutil
import re

import numpy as np
import pytest
from scipy.sparse import coo_array, csc_array, csr_array

import utils
from utils.checks import (
    check_choice,
    check_factors,
    check_floats,
    check_indices,
    check_matrix,
    check_number,
    check_pair,
    check_rate,
    check_rng,
    check_vectors,
    check_whole,
    refuse_divergence,
)

TWICE = "Entries that are stored twice are added, as SciPy does."

# Where an entry counts by being there, however often, or the rows come from `pool`.
TWICE_IS_ONCE = {"recommend", "candidate_scores", "score_gaps", "gap_gradients"}


def public_docstrings():
    """Yield name and docstring of every public function, class and method of the modules of `utils`."""
    for module in pkgutil.iter_modules(utils.__path__):
        if module.ispkg or module.name == "checks":
            continue
        module = importlib.import_module(f"utils.{module.name}")
        for name, value in vars(module).items():
            if name.startswith("_") or getattr(value, "__module__", None) != module.__name__:
                continue
            yield name, inspect.getdoc(value) or ""
            if inspect.isclass(value):
                for method, function in vars(value).items():
                    if inspect.isfunction(function) and not method.startswith("_"):
                        yield f"{name}.{method}", inspect.getdoc(function) or ""


def test_every_docstring_says_what_becomes_of_an_entry_that_is_stored_twice():
    silent, n_found = [], 0
    for name, text in public_docstrings():
        parameters = text.partition("Parameters\n---")[2].partition("\n\n")[0]
        described = re.findall(r"^\w[\w, ]* : .*sparse.*\n((?: {4}.*\n?)*)", parameters, re.MULTILINE)
        if described and name not in TWICE_IS_ONCE and not any("As in" in one for one in described):
            n_found += 1
            if TWICE not in " ".join(text.split()):
                silent.append(name)
    assert n_found > 15
    assert not silent


@pytest.mark.parametrize("make", [csr_array, csc_array, coo_array])
def test_check_matrix_adds_entries_that_are_stored_twice(make):
    twice = coo_array(([4.0, 4.0, 1.0], ([0, 0, 1], [1, 1, 0])), shape=(2, 2))
    by_row = csr_array((np.array([4.0, 4, 1]), np.array([1, 1, 0]), np.array([0, 2, 3])), shape=(2, 2))
    for matrix in (make(twice), by_row):
        assert check_matrix(matrix, "ratings").toarray().tolist() == [[0, 8], [1, 0]]


def test_check_matrix_returns_a_copy():
    matrix = csr_array([[1.0, 2.0]])
    check_matrix(matrix, "ratings").data[:] = 9
    assert matrix.data.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("matrix", "error", "message"),
    [
        (np.eye(2), TypeError, "ratings as a SciPy sparse matrix, received ndarray; use csr_array"),
        (coo_array(np.ones(3)), ValueError, r"ratings of shape \(n_users, n_items\), received \(3,\)"),
        (csr_array([[1j]]), TypeError, "ratings of real numbers, received complex128"),
        (csr_array([[0, np.nan]]), ValueError, "finite ratings, received nan in row 0, column 1; leave it out"),
        (coo_array(([1e308, 1e308], ([0, 0], [0, 0]))), ValueError, "finite ratings, received inf in row 0, column 0"),
    ],
)
def test_check_matrix_refuses(matrix, error, message):
    with pytest.raises(error, match=message):
        check_matrix(matrix, "ratings")


@pytest.mark.parametrize("value", [0, -1, 1.0, True, "1", None, np.float64(1), np.bool_(True), np.ones(1)])
def test_check_whole_refuses(value):
    with pytest.raises(ValueError, match="k as a whole number of 1 or more, received"):
        check_whole("k", value, 1)


def test_check_whole_has_an_upper_limit():
    for value in (1, 3, np.uint8(2)):
        check_whole("k", value, 1, 3)
    with pytest.raises(ValueError, match="k as a whole number from 1 to 3, received 4; choose another"):
        check_whole("k", 4, 1, 3)


@pytest.mark.parametrize("value", [-1, np.nan, np.inf, -np.inf, True, "1", None, 1j, np.ones(1)])
def test_check_number_refuses(value):
    with pytest.raises(ValueError, match="penalty as a number of 0 or more, received"):
        check_number("penalty", value)
    with pytest.raises(ValueError, match="learning_rate as a number of 0 or more, received"):
        check_rate(value, 0.1)


def test_check_rate_refuses_zero_where_a_number_may_be():
    check_number("penalty", 0)
    with pytest.raises(ValueError, match=r"a learning_rate above 0, received 0; 0\.05 is a start"):
        check_rate(0.0, 0.05)


@pytest.mark.parametrize("value", ["dott", None, 0, ["dot"]])
def test_check_choice_refuses(value):
    with pytest.raises(ValueError, match="measure among 'dot', 'cosine', received"):
        check_choice("measure", value, ("dot", "cosine"))


@pytest.mark.parametrize("rng", [0, None, np.random.RandomState(0), np.random])
def test_check_rng_refuses(rng):
    with pytest.raises(TypeError, match=r"rng as a numpy Generator, received .*; use np\.random\.default_rng\(0\)"):
        check_rng(rng)


def test_check_indices_of_any_shape():
    assert check_indices("items", 2, 3, n_dimensions=None) == 2
    assert check_indices("items", [[0], [2]], 3, n_dimensions=2).tolist() == [[0], [2]]
    assert check_indices("items", np.zeros((0, 5)), 3, n_dimensions=2).shape == (0, 5)
    assert check_indices("items", [10**12], None).tolist() == [10**12]


def test_check_floats_keeps_float32_and_copies_nothing_that_fits():
    for dtype in (np.float32, np.float64):
        array = np.ones((2, 2), dtype=dtype)
        assert check_floats("vectors", array) is array
    for dtype in (bool, np.int8, np.uint64, np.float16):
        assert check_floats("vectors", np.ones(2, dtype=dtype)).dtype == np.float64


@pytest.mark.parametrize(
    ("array", "error", "message"),
    [
        ([["1"]], TypeError, "vectors of real numbers, received <U1"),
        ([[None]], TypeError, "vectors of real numbers, received object"),
        ([1.0], ValueError, r"vectors of shape \(n, 2\), received \(1,\); use one row a vector"),
        ([[1.0]], ValueError, r"vectors of shape \(n, 2\), received \(1, 1\)"),
        ([[1, 2], [np.inf, 1]], ValueError, "finite vectors, received NaN or infinity in row 1"),
    ],
)
def test_check_floats_refuses(array, error, message):
    with pytest.raises(error, match=message):
        check_floats("vectors", array, ("n", 2))


@pytest.mark.parametrize("vectors", [np.ones(2), np.ones((0, 2)), np.ones((2, 0)), [["a"]]])
def test_check_vectors_refuses(vectors):
    with pytest.raises(ValueError, match=r"items as real numbers of shape \(n_items, n_factors\), received"):
        check_vectors("items", vectors)


def test_check_factors_returns_a_copy_of_the_type_asked_for():
    given = np.ones((2, 3))
    checked = check_factors("user_factors", given, 2, np.float32, 3)
    assert checked.dtype == np.float32
    checked[:] = 9
    assert (given == 1).all()


@pytest.mark.parametrize(
    ("n_factors", "message"),
    [(None, r"\(2, n_factors\), received \(2, 0\); give them a factor"), (3, r"\(2, 3\), received \(2, 0\)")],
)
def test_check_factors_refuses_vectors_without_a_coordinate(n_factors, message):
    with pytest.raises(ValueError, match=message):
        check_factors("user_factors", np.ones((2, 0)), 2, np.float64, n_factors)


@pytest.mark.parametrize(("pair", "received"), [(7, "int"), (np.ones((3, 2, 2)), "3 entries"), (None, "NoneType")])
def test_check_pair_refuses(pair, received):
    with pytest.raises(ValueError, match=rf"init=\(user_factors, item_factors\), received {received}; give a pair"):
        check_pair(pair, csr_array(np.eye(2)))


@pytest.mark.parametrize(("loss", "array"), [(np.nan, 1.0), (np.inf, 1.0), (11.0, 1.0), (1.0, np.nan), (1.0, np.inf)])
def test_refuse_divergence(loss, array):
    refuse_divergence(10.0, 10.0, [np.ones(2)], 3, 0.5)
    with pytest.raises(
        ValueError, match=r"does not explode, received 0\.5: the loss was .* in epoch 3; try a tenth of it"
    ):
        refuse_divergence(loss, 10.0, [np.ones(2), np.array([array])], 3, 0.5)
