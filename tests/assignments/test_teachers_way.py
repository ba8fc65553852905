"""The way of the page for teachers: six notebooks, two Make targets, and a table of marks with feedback."""

import json
import shutil

import pytest

from assignments.tools.sources import find_assignments, read_source, secrets
from tests.assignments.classroom import filled_in, handed_out, rows_of
from tests.assignments.commands import make

pytestmark = pytest.mark.xdist_group("marking")

NAME = "similarity"

EQUAL = """
class Anything(float):
    def __eq__(self, other):
        return True
    __hash__ = None

orders = {"dot": Anything(), "cosine": Anything(), "euclidean": Anything()}
distance_to_c = Anything()
"""


@pytest.fixture(scope="module")
def way(book_course, tmp_path_factory, no_sandbox):
    """The course after six students were marked, and what the command said."""
    folder = tmp_path_factory.mktemp("way")
    course, submissions = shutil.copytree(book_course, folder / "course"), folder / "submissions"
    release, cells = handed_out(course, NAME), read_source(find_assignments()[NAME]).cells
    answers = {cell.id: cell.source for cell in cells if cell.metadata.get("nbgrader", {}).get("solution")}
    cheat = {"task-1": EQUAL, "task-1-form": "pass", "task-1-hidden-orders": "pass", "task-2": "from utils import *"}
    handed_in = {
        "good": filled_in(release, answers),
        "partial": filled_in(release, {name: answers[name] for name in ("task-1", "task-2")}),
        "empty": b"",
        "cheating": filled_in(release, cheat),
        "crashing": filled_in(release, answers | {"task-3": "import os\n\nos._exit(1)"}),
        "corrupt": b'{"cells": [{"cell_type"',
    }
    for student, content in handed_in.items():
        (submissions / student).mkdir(parents=True)
        content = content if isinstance(content, bytes) else json.dumps(content).encode()
        (submissions / student / f"{NAME}.ipynb").write_bytes(content)
    options = "--no-sandbox" if no_sandbox else ""
    done = make("grade", SUBMISSIONS=submissions, COURSE=course, OPTIONS=options)
    assert done.returncode == 0, done.stderr
    return course, done


@pytest.mark.parametrize(
    ("student", "status", "points"),
    [
        ("good", "needs manual grading", 17),
        ("partial", "graded", 6),
        ("empty", "corrupt", None),
        ("cheating", "graded", 0),
        ("crashing", "crashed", None),
        ("corrupt", "corrupt", None),
    ],
)
def test_each_student_has_a_status_and_points(way, student, status, points):
    row = rows_of(way[0])[student]
    assert (row["status"], row["automatic"]) == (status, "" if points is None else f"{points:.1f}")


def test_cheating_is_undone_and_flagged(way):
    row = rows_of(way[0])["cheating"]
    assert "edited, and restored: task-1-form, task-1-hidden-orders" in row["note"]
    assert "__eq__ (makes its own equality)" in row["flags"]
    assert "Look at the code of cheating (similarity)" in way[1].stdout


def test_command_says_where_marks_and_feedback_are(way):
    course, done = way
    assert f"Marks: {course / 'marks.csv'}" in done.stdout
    assert f"Feedback: {course / 'feedback'}" in done.stdout


def test_each_student_gets_a_page_without_a_hidden_test(way):
    pages = {path.parents[1].name: path.read_text() for path in way[0].glob(f"feedback/*/{NAME}/{NAME}.html")}
    assert set(pages) == {"good", "partial", "empty", "cheating", "crashing", "corrupt"}
    hidden = secrets(read_source(find_assignments()[NAME]), with_answers=False)
    assert len(hidden) > 20
    for text in pages.values():
        assert [line for line in hidden if line.replace("&", "&amp;").replace("<", "&lt;") in text] == []
