"""What may be passed over when an answer is another one: whatever says the same in a run of every cell."""

import pytest

from tests.assignments.dependencies import cells_from, cells_to_run, names_of
from tests.assignments.run_answers import run

# what it is about → the cells, another answer to `task`, and which cells have to run then
CASES = {
    "a cell that reads the answer": (
        {"task": "a = 1", "reads": "assert a == 1", "apart": "assert True"},
        "a = 2",
        ["task", "reads"],
    ),
    "by way of another name": (
        {"task": "a = 1", "between": "b = a + 1", "apart": "c = 1", "reads": "assert b == 2"},
        "a = 2",
        ["task", "between", "reads"],
    ),
    "inside a function": (
        {
            "task": "def f():\n    return 1",
            "reads": "def g():\n    return [f() for _ in 'ab']",
            "calls": "assert sum(g()) == 2",
        },
        "def f():\n    return 2",
        ["task", "reads", "calls"],
    ),
    "a function from before, which is called later": (
        {"before": "def f():\n    return a", "task": "a = 1", "apart": "b = 1", "calls": "assert f() == 1"},
        "a = 2",
        ["task", "calls"],
    ),
    "a function from before, by way of another one": (
        {
            "before": "def f():\n    return a\n\n\ndef g():\n    return f()",
            "task": "a = 1",
            "calls": "assert g() == 1",
        },
        "a = 2",
        ["task", "calls"],
    ),
    "a list that changes in place": (
        {
            "before": "rows = [1, 2]",
            "task": "def f(x):\n    return sum(x)",
            "calls": "assert f(rows) == 3",
            "reads": "assert len(rows) == 2",
            "apart": "c = 1",
        },
        "def f(x):\n    return x.pop() + x.pop()",
        ["task", "calls", "reads"],
    ),
    "a generator that is drawn from": (
        {
            "before": "dice = iter(range(9))",
            "task": "def f(d):\n    return next(d)",
            "calls": "f(dice)",
            "draws": "assert next(dice) == 1",
        },
        "def f(d):\n    return next(d) + next(d)",
        ["task", "calls", "draws"],
    ),
    "a global name that a function binds": (
        {"task": "def f():\n    return 1", "calls": "f()", "reads": "assert 'n' not in globals() or n == 1"},
        "def f():\n    global n\n    n = 2",
        ["task", "calls", "reads"],
    ),
    "a name that only the other answer binds": (
        {"before": "import math", "task": "a = 1", "reads": "assert math.pi > 3", "apart": "assert True"},
        "a = 1\nimport cmath as math\nmath = None",
        ["task", "reads"],
    ),
    "a name that only the reference binds": (
        {"task": "a = 1", "reads": "assert a == 1", "apart": "assert True"},
        "pass",
        ["task", "reads"],
    ),
    "code that is no Python": (
        {"task": "a = 1", "reads": "assert a == 1", "apart": "assert True"},
        "a = = 1",
        ["task", "reads"],
    ),
    "what it takes to run a cell that reads the answer": (
        {"task": "a = 1", "makes": "def g(x):\n    return x + b", "more": "b = 1", "reads": "assert g(a) == 2"},
        "a = 2",
        ["task", "makes", "more", "reads"],
    ),
    "a method of a class": (
        {"task": "a = 1", "class": "class C:\n    def f(self):\n        return a", "calls": "assert C().f() == 1"},
        "a = 2",
        ["task", "class", "calls"],
    ),
    "a local name that is called the same": (
        {"task": "a = 1", "apart": "def f():\n    a = 3\n    return a", "calls": "assert f() == 3"},
        "a = 2",
        ["task"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_cells_to_run_are_those_that_may_say_something_else(case):
    cells, code, expected = CASES[case]
    assert cells_to_run(cells, {"task": code}) == expected


@pytest.mark.parametrize("case", CASES)
def test_cells_that_do_not_run_would_have_said_the_same(case):
    cells, code, chosen = CASES[case]
    changed = cells | {"task": code}
    before = {name: cells[name] for name in cells if name not in cells_from(cells, {"task": code})}
    reference = run(cells, {}, shows_tracebacks=False)
    namespace = {}
    run(before, namespace, shows_tracebacks=False)
    some = run({name: changed[name] for name in chosen}, namespace, shows_tracebacks=False)
    assert reference | some == run(changed, {}, shows_tracebacks=False)


def test_cells_to_run_begin_with_the_first_of_several_answers():
    cells = {"one": "a = 1", "between": "c = 1", "two": "b = 1", "reads": "b"}
    assert cells_to_run(cells, {"two": "b = 2", "one": "a = 2"}) == ["one", "two", "reads"]


def test_names_of_tells_data_from_what_does_not_change():
    names = names_of(
        "import os\nfrom a import b as c\n\ndef f(x):\n    y = x + z\n\nclass C:\n    w = 1\n\nd, e = [], f(os)"
    )
    assert names.bound == {"os", "c", "f", "C", "d", "e"}
    assert names.data == {"d", "e"}
    assert names.read == {"z", "f", "os"}
    assert names.functions == {"f": {"z"}, "C": set()}
