"""What an assignment's notebook needs: refuse ready-made answers, and name the likely mistake behind a wrong one.

Students read the messages, so each one says what the answer looks like from outside, and never what is right.
"""

import copy
import inspect
import pkgutil
from numbers import Number

import numpy as np

# What is switched off, with the code that it had: `switch_on` gives it back.
_ORIGINALS = {}


class SwitchedOffError(Exception):
    """Raised by a function that an assignment switched off, since writing it is the task."""


def switch_off(*names):
    """Let functions raise an error that says that writing them is the task.

    The *code* of a function is exchanged, and not its name in a module. So ``from utils.similarity import scores``,
    ``import … as …`` and an alias made before are all met. A copy of the source is not, nor is a function that is
    compiled or read anew: who grades should look at what students wrote, too.

    Parameters
    ----------
    *names : str
        Dotted names, such as ``"utils.similarity.scores"`` or ``"module.Class.method"``. A
        name that is switched off already stays so.

    Raises
    ------
    TypeError
        If a name is not that of a function written in Python.
    ImportError, AttributeError
        If there is nothing of that name.

    Examples
    --------
    >>> from utils.similarity import scores
    >>> switch_off("utils.similarity.scores")
    >>> scores([1.0], [[2.0]])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    utils.book.grading.SwitchedOffError: utils.similarity.scores is switched off here: writing ...
    >>> switch_on()
    >>> scores([1.0], [[2.0]])
    array([2.])
    """
    for name in names:
        # A decorated function, as in scikit-learn, calls the one inside, which has no variables of an outer function.
        function = inspect.unwrap(pkgutil.resolve_name(name))
        if not inspect.isfunction(function) or function.__code__.co_freevars:
            raise TypeError(f"expected the name of a function written in Python, received {name!r}; leave it out")
        if function in _ORIGINALS:
            continue
        _ORIGINALS[function] = function.__code__, function.__defaults__, function.__kwdefaults__
        error = SwitchedOffError(f"{name} is switched off here: writing it is the task. Use NumPy.")
        function.__code__, function.__defaults__ = _refuse.__code__, None
        function.__kwdefaults__ = {"_switched_off": error}


def switch_on():
    """Give every function that was switched off its own code back."""
    for function, (code, defaults, keyword_defaults) in _ORIGINALS.items():
        function.__code__, function.__defaults__, function.__kwdefaults__ = code, defaults, keyword_defaults
    _ORIGINALS.clear()


def _refuse(*args, _switched_off, **kwargs):
    raise _switched_off.with_traceback(None)


def call(function, *args, **kwargs):
    """Call a student's function, and refuse an answer that is missing or that damaged its input.

    Parameters
    ----------
    function : callable
        What the student wrote.
    *args, **kwargs
        Handed over as copies, so that nothing which the next test needs can change.

    Returns
    -------
    object
        What the function returned, never None.

    Raises
    ------
    AssertionError
        If `function` cannot be called, returned None, or changed an array that it was given.

    Examples
    --------
    >>> call(sorted, [3, 1, 2])
    [1, 2, 3]
    >>> call(list.sort, [3, 1, 2])
    Traceback (most recent call last):
    AssertionError: sort returned None: does it end in `return`?
    """
    name = getattr(function, "__name__", "the answer")
    if not callable(function):
        raise AssertionError(f"expected a function, received {type(function).__name__}")
    given = copy.deepcopy((args, kwargs))
    answer = function(*given[0], **given[1])
    if answer is None:
        raise AssertionError(f"{name} returned None: does it end in `return`?")
    for before, after in zip([*args, *kwargs.values()], [*given[0], *given[1].values()]):
        # NaN, such as for a missing rating, is not equal to itself, and only numbers with a point have it
        if isinstance(before, np.ndarray) and not np.array_equal(before, after, equal_nan=before.dtype.kind in "fc"):
            raise AssertionError(f"{name} changed the array that it was given: work on a copy")
    return answer


def expect(answer, right, what, mistakes=None, *, atol=1e-6):
    """Raise an error that names the likely mistake, unless the answer is right.

    The type is checked before the values, with plain types only. So an object that calls itself equal to everything
    is refused.

    Parameters
    ----------
    answer : object
        What the student's code gave.
    right : array_like, number, bool or str
        The right answer. For an array or a list, the answer must be an ndarray of the same shape, and of whole numbers
        or truth values where the right one is.
    what : str
        What the answer is, as the beginning of a sentence: ``"The cosines"``.
    mistakes : dict of str to array_like, optional
        What to say → the answer that this mistake leads to. The first that fits is said.
    atol : float, optional
        How far an entry may be off.

    Raises
    ------
    AssertionError
        With a message that says what is wrong, as far as it can be known, and never the right answer.

    Examples
    --------
    >>> mistakes = {"you took the largest distance first": "AB"}
    >>> expect("BA", "BA", "The order by distance", mistakes)
    >>> expect("AB", "BA", "The order by distance", mistakes)
    Traceback (most recent call last):
    AssertionError: The order by distance: you took the largest distance first.
    >>> expect(np.ones((3, 2)), np.ones((2, 3)), "The table")
    Traceback (most recent call last):
    AssertionError: The table: the shape is (3, 2) where it should be (2, 3): rows and columns are swapped.
    """
    if (problem := _problem_of_type(answer, right)) is None and _agree(answer, right, atol):
        return
    if problem is None or "shape" in problem:
        for words, wrong in (mistakes or {}).items():
            if _problem_of_type(answer, wrong) is None and _agree(answer, wrong, atol):
                problem = words
                break
    raise AssertionError(f"{what}: {problem or _first_difference(answer, right, atol)}.")


def _problem_of_type(answer, right):
    """Return what is wrong about type and shape, or None."""
    if isinstance(right, str | bool):
        kind = {str: "a string", bool: "True or False"}[type(right)]
        return None if type(answer) is type(right) else f"expected {kind}, received {_type_name(answer)}"
    if isinstance(right, Number):
        numbers = (int, float, np.float64, np.float32, np.int64, np.int32)
        return None if type(answer) in numbers else f"expected a number, received {_type_name(answer)}"
    right = np.asarray(right)
    if type(answer) is not np.ndarray:
        return f"expected a NumPy array, received {_type_name(answer)}"
    kinds = {"b": "b", "i": "iu", "u": "iu"}.get(right.dtype.kind, "fiu")
    if answer.dtype.kind not in kinds:
        names = {"b": "truth values", "iu": "whole numbers", "fiu": "real numbers"}
        return f"expected an array of {names[kinds]}, received one of {answer.dtype}"
    if answer.shape != right.shape:
        swapped = ": rows and columns are swapped" if answer.shape == right.shape[::-1] else ""
        return f"the shape is {answer.shape} where it should be {right.shape}{swapped}"
    return None


def _type_name(answer):
    return "nothing (None)" if answer is None else type(answer).__name__


def _agree(answer, right, atol):
    """Return whether two answers of one type agree."""
    if isinstance(right, str | bool):
        return answer == right
    return bool(np.allclose(answer, right, rtol=0, atol=atol, equal_nan=False))


def _first_difference(answer, right, atol):
    """Say where an answer of the right type is wrong."""
    if isinstance(right, str | bool | Number):
        return f"{answer!r} is not right" if isinstance(right, str | bool) else f"{answer:.6g} is not right"
    if np.isnan(answer).any():
        return "some entries are NaN: was something divided by 0, or a square root taken of less than 0?"
    is_wrong = ~np.isclose(answer, right, rtol=0, atol=atol)
    place = tuple(np.argwhere(is_wrong)[0].tolist())
    place = place[0] if len(place) == 1 else place
    return f"{is_wrong.mean():.0%} of the entries are wrong; the first is entry {place}, where you have {answer[place]}"
