"""What students get shows nothing, and is the same every time."""

import json
import shutil

import pytest

from assignments.tools.release import LeakError, check_release, n_points
from assignments.tools.sources import ASSIGNMENTS, DELIMITERS, find_assignments, read_source, secrets
from tests.assignments.classroom import copy_gradebook, release
from tests.assignments.commands import tools
from tests.assignments.test_sources import MINI
from tests.built_book import ROOT

pytestmark = pytest.mark.xdist_group("marking")


def notebook(course, kind, name):
    return course / kind / name / f"{name}.ipynb"


def test_release_is_the_same_every_time_and_everywhere(book_course, tmp_path):
    def contents(course):
        return {path.relative_to(course): path.read_bytes() for path in sorted(course.glob("[rs]*/[a-z]*/*.ipynb"))}

    first = contents(book_course)
    assert len(first) == 2 * len(find_assignments())
    elsewhere = tmp_path / "elsewhere"
    copy_gradebook(book_course / "gradebook.db", elsewhere)
    release(elsewhere, sources=ASSIGNMENTS)
    assert contents(elsewhere) == first
    release(elsewhere, "similarity", sources=ASSIGNMENTS)
    assert contents(elsewhere) == first


@pytest.mark.parametrize("name", find_assignments())
def test_release_shows_no_secret(book_course, name):
    text = notebook(book_course, "release", name).read_text(encoding="utf-8")
    lines = "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])
    hidden = secrets(read_source(find_assignments()[name]))
    assert len(hidden) > 20
    assert [line for line in hidden if line in lines] == []
    assert [delimiter for delimiter in DELIMITERS if delimiter in lines] == []


@pytest.mark.parametrize("name", find_assignments())
def test_release_asks_for_every_answer(book_course, name):
    cells = json.loads(notebook(book_course, "release", name).read_text(encoding="utf-8"))["cells"]
    answers = [cell for cell in cells if cell["metadata"].get("nbgrader", {}).get("solution")]
    assert len(answers) > 3
    stubs = ("YOUR CODE HERE", "YOUR ANSWER HERE")
    assert all(any(stub in "".join(cell["source"]) for stub in stubs) for cell in answers)


@pytest.mark.parametrize("name", find_assignments())
def test_release_names_no_place_on_this_machine(book_course, name):
    text = notebook(book_course, "release", name).read_text(encoding="utf-8")
    assert str(ROOT) not in text
    assert str(book_course) not in text


def test_teachers_notebook_has_solutions_and_hidden_tests(book_course):
    text = notebook(book_course, "source", "similarity").read_text(encoding="utf-8")
    assert all(delimiter in text for delimiter in DELIMITERS)


@pytest.fixture
def leaky(small_course):
    """A release of the small assignment, into which a test puts a leak."""
    path = notebook(small_course, "release", "mini")

    def put(cell, text):
        content = json.loads(path.read_text(encoding="utf-8"))
        next(c for c in content["cells"] if c["id"] == cell)["source"] = text
        path.write_text(json.dumps(content), encoding="utf-8")
        return path

    return put


@pytest.mark.parametrize(
    ("cell", "text", "words"),
    [
        ("task-1-hidden", "# Hidden tests\nassert add(1, 1) == 2", "task-1-hidden shows hidden tests"),
        ("task-1", "def add(a, b):\n    return b + a", "task-1 is not cleared"),
        ("task-3", "Because …", "task-3 is not cleared"),
        ("text-0", "As in total_of_both = a + b", "it shows the line 'total_of_both = a [+] b'"),
        ("text-0", "Because the model answer says so.", "it shows the line"),
    ],
)
def test_check_release_finds_leaks(leaky, cell, text, words):
    with pytest.raises(LeakError, match=words):
        check_release(leaky(cell, text), read_source(MINI))


def test_check_release_finds_lines_with_quotes(leaky):
    line = 'expect(call(double, 7.5), 15.0, "The double", {"you squared": 56.25})'
    with pytest.raises(LeakError, match="it shows the line 'expect"):
        check_release(leaky("text-0", line), read_source(MINI))


def test_check_release_misses_no_cell(leaky):
    path = leaky("text-0", "fine")
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "cells": content["cells"][:-1]}))
    with pytest.raises(LeakError, match="its cells are not those of the source"):
        check_release(path, read_source(MINI))


def test_check_release_accepts_what_was_released(leaky):
    check_release(leaky("text-0", "fine"), read_source(MINI))


def test_misspelt_delimiter_fails_the_build_and_releases_nothing(tmp_path):
    sources, course = tmp_path / "sources", tmp_path / "course"
    shutil.copytree(MINI.parent, sources)
    text = MINI.read_text(encoding="utf-8")
    (sources / "mini.md").write_text(text.replace("BEGIN HIDDEN TESTS", "BEGIN HIDDEN TEST"), encoding="utf-8")
    done = tools("release", "--sources", sources, "--course", course)
    assert done.returncode == 1
    assert "'### BEGIN HIDDEN TEST' looks like a delimiter" in done.stderr
    assert list(course.rglob("*.ipynb")) == []


def test_command_knows_its_assignments(tmp_path):
    done = tools("release", "no_such", "--sources", MINI.parent, "--course", tmp_path / "course")
    assert (done.returncode, done.stderr) == (1, "no assignment no_such; there are mini\n")


def test_points_of_the_small_assignment():
    assert n_points(read_source(MINI)) == (4, 2)
