"""What would make a page say something else tomorrow, found in the source of its cells without running them."""

import ast

import jupytext
import pytest

from tests.built_book import ROOT

PAGES = [
    path
    for path in sorted([*ROOT.glob("chapters/*.md"), *ROOT.glob("book/*.md")])
    if "{code-cell}" in path.read_text("utf-8")
]
SEEDED = {"default_rng", "Generator", "SeedSequence", "PCG64"}
# `perf_counter` and the like: a chapter counts operations, and shows times from `benchmarks/` alone.
UNSTEADY = {"random", "time", "datetime", "uuid", "secrets", "timeit"}


def name_of(node):
    """Return a dotted name, as it is written, or an empty string."""
    if isinstance(node, ast.Attribute):
        return f"{name_of(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def is_set(node):
    """Whether an expression is a set for sure."""
    if isinstance(node, ast.BinOp):
        return is_set(node.left) or is_set(node.right)
    return isinstance(node, ast.Set | ast.SetComp) or (isinstance(node, ast.Call) and name_of(node.func) == "set")


def unsteady(code):
    """Return what can differ from run to run: generators without a seed, clocks, addresses, the order of a set."""
    found = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            found += [f"import {module}" for module in modules if module.split(".")[0] in UNSTEADY]
        elif isinstance(node, ast.Call):
            name = name_of(node.func)
            *_, last = name.split(".")
            if last == "default_rng" and not node.args and not node.keywords:
                found.append("default_rng() without a seed")
            elif ".random." in f".{name}" and name.split(".")[0] in {"np", "numpy"} and last not in SEEDED:
                found.append(f"{name}, which has one hidden generator for all")
            elif name in {"hash", "id", "os.urandom", "os.listdir"}:
                found.append(name)
            elif name in {"list", "tuple", "enumerate", "iter", "next", "zip"} and any(map(is_set, node.args)):
                found.append(f"{name} of a set")
        elif isinstance(node, ast.For | ast.comprehension) and is_set(node.iter):
            found.append("a loop over a set")
    return found


def code_of(path):
    """Return the cells of a page, as one program; magics are left out."""
    cells = [cell.source for cell in jupytext.read(path, fmt="md:myst").cells if cell.cell_type == "code"]
    return "\n".join(line for cell in cells for line in cell.splitlines() if not line.startswith(("%", "!")))


def test_no_cell_draws_without_a_seed_reads_a_clock_or_shows_the_order_of_a_set():
    assert len(PAGES) > 8
    faults = {path.name: unsteady(code_of(path)) for path in PAGES}
    assert {name: found for name, found in faults.items() if found} == {}


@pytest.mark.parametrize(
    "code",
    [
        "rng = np.random.default_rng()",
        "np.random.shuffle(x)",
        "import numpy as np\nnp.random.seed(0)",
        "import random",
        "from time import perf_counter",
        "import datetime as dt",
        "for film in {1, 2}: print(film)",
        "[film for film in set(films)]",
        "list(set(films) - seen)",
        "hash('a')",
    ],
)
def test_what_differs_from_run_to_run_is_found(code):
    assert len(unsteady(code)) == 1


@pytest.mark.parametrize(
    "code",
    ["rng = np.random.default_rng(0)", "sorted(set(films))", "len({1, 2})", "rng.random(3)", "3 in set(films)"],
)
def test_what_is_the_same_in_every_run_is_allowed(code):
    assert unsteady(code) == []
