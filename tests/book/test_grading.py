import functools

import numpy as np
import pytest
import scipy.spatial.distance
import sklearn.metrics.pairwise
from sklearn.neighbors import NearestNeighbors

import utils.similarity
from utils.book import grading
from utils.book.grading import SwitchedOffError, call, expect, switch_off, switch_on
from utils.similarity import scores as alias_made_before

QUERY, ITEMS = [[1.0, 0.0]], [[2.0, 0.0], [0.0, 3.0]]
ARRAY = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


@pytest.fixture(autouse=True)
def everything_on_again():
    yield
    switch_on()


class EqualToEverything:
    """A result that agrees with whatever it is compared with."""

    shape = ARRAY.shape
    dtype = ARRAY.dtype

    def __eq__(self, other):
        return True

    __hash__ = None

    def __array__(self, *args, **kwargs):
        return ARRAY


class ArrayEqualToEverything(np.ndarray):
    """The same, as an array."""

    def __eq__(self, other):
        return True

    __hash__ = None


def through_import():
    from utils.similarity import scores

    return scores


@pytest.mark.parametrize(
    "function",
    [
        alias_made_before,
        functools.partial(alias_made_before),
        lambda q, y: utils.similarity.scores(q, y),
        lambda q, y: through_import()(q, y),
    ],
    ids=["alias", "partial", "attribute", "import"],
)
def test_switch_off_meets_every_way_to_the_function(function):
    assert function(QUERY, ITEMS).tolist() == [[2.0, 0.0]]
    switch_off("utils.similarity.scores")
    with pytest.raises(
        SwitchedOffError, match=r"utils\.similarity\.scores is switched off here: writing it is the task"
    ):
        function(QUERY, ITEMS)


def test_switch_off_meets_functions_behind_a_decorator():
    switch_off("sklearn.metrics.pairwise.cosine_similarity")
    with pytest.raises(SwitchedOffError, match="cosine_similarity is switched off"):
        sklearn.metrics.pairwise.cosine_similarity(QUERY, ITEMS)


def test_switch_off_meets_methods():
    switch_off("sklearn.neighbors.NearestNeighbors.kneighbors")
    with pytest.raises(SwitchedOffError, match="kneighbors is switched off"):
        NearestNeighbors(n_neighbors=1).fit(ITEMS).kneighbors(QUERY)


def test_switch_off_meets_keyword_calls_and_calls_without_arguments():
    switch_off("utils.similarity.scores")
    with pytest.raises(SwitchedOffError, match="switched off"):
        alias_made_before(queries=QUERY, items=ITEMS, measure="dot")
    with pytest.raises(SwitchedOffError, match="switched off"):
        alias_made_before()


def test_switch_off_leaves_other_functions_alone():
    switch_off("utils.similarity.scores")
    assert utils.similarity.top_k(QUERY, ITEMS, k=1)[0].tolist() == [[0]]


def test_switch_off_twice_is_switched_off_once():
    switch_off("scipy.spatial.distance.cdist")
    switch_off("scipy.spatial.distance.cdist")
    switch_on()
    assert scipy.spatial.distance.cdist(QUERY, ITEMS).tolist() == [[1.0, np.sqrt(10.0)]]


def test_switch_on_gives_defaults_back():
    switch_off("utils.similarity.scores")
    switch_on()
    assert alias_made_before(QUERY, ITEMS).tolist() == [[2.0, 0.0]]
    assert grading._ORIGINALS == {}


def test_switch_off_refuses_what_is_not_a_python_function():
    with pytest.raises(TypeError, match=r"expected the name of a function written in Python, received 'numpy\.pi'"):
        switch_off("numpy.pi")


@pytest.mark.parametrize("name", ["utils.similarity.no_such", "no_such_package.scores"])
def test_switch_off_refuses_names_of_nothing(name):
    with pytest.raises((AttributeError, ImportError), match="no_such"):
        switch_off(name)


def test_call_returns_what_the_function_returns():
    assert call(lambda a, b: a - b, 5, b=3) == 2


def test_call_refuses_none():
    def forgets(a):
        a + 1

    with pytest.raises(AssertionError, match="forgets returned None: does it end in `return`"):
        call(forgets, 1)


def test_call_refuses_what_is_no_function():
    with pytest.raises(AssertionError, match="expected a function, received ndarray"):
        call(ARRAY)


@pytest.mark.parametrize("is_keyword", [False, True])
def test_call_refuses_a_function_that_changes_its_array_and_keeps_the_array(is_keyword):
    def careless(values):
        values[0] = 0
        return values

    values = np.array([1.0, 2.0])
    with pytest.raises(AssertionError, match="careless changed the array that it was given"):
        call(careless, values=values) if is_keyword else call(careless, values)
    assert values.tolist() == [1.0, 2.0]


def test_call_accepts_an_array_with_nan_that_stays_as_it_was():
    assert call(np.nansum, np.array([1.0, np.nan])) == 1
    assert call(len, np.array(["no", "numbers"])) == 2


def test_call_passes_errors_on():
    with pytest.raises(ZeroDivisionError, match="division"):
        call(lambda: 1 / 0)


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        (ARRAY, ARRAY.tolist()),
        (ARRAY.astype(np.float32), ARRAY),
        (ARRAY.astype(int), ARRAY),
        (ARRAY + 1e-7, ARRAY),
        (np.array([2, 0]), [2, 0]),
        (np.array([True, False]), [True, False]),
        (3, 3.0),
        (np.float64(3), 3),
        ("ACB", "ACB"),
        (True, True),
    ],
)
def test_expect_accepts_what_is_right(answer, right):
    expect(answer, right, "The answer")


@pytest.mark.parametrize(
    ("answer", "right", "words"),
    [
        (EqualToEverything(), ARRAY, "expected a NumPy array, received EqualToEverything"),
        (ARRAY.view(ArrayEqualToEverything), ARRAY, "expected a NumPy array, received ArrayEqualToEverything"),
        (EqualToEverything(), 3.0, "expected a number, received EqualToEverything"),
        (EqualToEverything(), "ACB", "expected a string, received EqualToEverything"),
        (ARRAY.tolist(), ARRAY, "expected a NumPy array, received list"),
        (None, ARRAY, "received nothing"),
        (ARRAY.astype(object), ARRAY, "expected an array of real numbers, received one of object"),
        (np.array([2.0, 0.0]), [2, 0], "expected an array of whole numbers, received one of float64"),
        (np.array([1, 0]), [True, False], "expected an array of truth values, received one of int64"),
        (ARRAY.T, ARRAY, r"the shape is \(3, 2\) where it should be \(2, 3\): rows and columns are swapped"),
        (ARRAY[:1], ARRAY, r"the shape is \(1, 3\) where it should be \(2, 3\)\.$"),
        (np.where(ARRAY == 2, np.nan, ARRAY), ARRAY, "some entries are NaN"),
        (np.where(ARRAY == 6, 7.5, ARRAY), ARRAY, r"17% of the entries are wrong; the first is entry \(1, 2\).*7.5"),
        (np.array([1.0, 3.0]), [1.0, 2.0], "50% of the entries are wrong; the first is entry 1, where you have 3.0"),
        (True, 1, "expected a number, received bool"),
        (1, True, "expected True or False, received int"),
        ("3", 3, "expected a number, received str"),
        (np.float64(0.1234567), 3.0, r"The answer: 0\.123457 is not right\.$"),
        (float("nan"), 3.0, "nan is not right"),
        ("ABC", "ACB", "'ABC' is not right"),
        (False, True, "False is not right"),
    ],
)
def test_expect_says_what_is_wrong(answer, right, words):
    with pytest.raises(AssertionError, match=words):
        expect(answer, right, "The answer")


def test_expect_names_the_mistake_that_fits():
    mistakes = {"you took the root twice": 2.0, "you forgot the root": 16.0}
    with pytest.raises(AssertionError, match=r"^The length: you forgot the root\.$"):
        expect(16.0, 4.0, "The length", mistakes)


def test_expect_names_a_mistake_of_another_shape():
    with pytest.raises(AssertionError, match="one item too many"):
        expect(np.array([1, 2, 3]), [1, 2], "The list", {"one item too many": [1, 2, 3]})


def test_expect_prefers_what_is_right_to_a_mistake_that_looks_the_same():
    expect(4.0, 4.0, "The length", {"you squared": 4.0})


def test_expect_never_tells_the_right_answer():
    right = np.array([0.123, 0.456])
    with pytest.raises(AssertionError) as error:
        expect(np.array([0.5, 0.6]), right, "The cosines")
    assert "0.123" not in str(error.value)
    assert "0.456" not in str(error.value)


def test_expect_keeps_to_its_tolerance():
    expect(1.0009, 1.0, "The number", atol=1e-3)
    with pytest.raises(AssertionError, match=r"1\.0011 is not right"):
        expect(1.0011, 1.0, "The number", atol=1e-3)
