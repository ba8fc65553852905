"""What comes out for a class: the status of each, the points, the flags, and that nothing gets lost."""

import csv
import errno
import fcntl
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from types import SimpleNamespace

import pytest

from assignments.tools import grade as grade_module
from assignments.tools.grade import COLUMNS, STATUSES, GradeError, grade
from assignments.tools.sources import find_assignments
from tests.assignments.classroom import RIGHT, filled_in, handed_out, rows_of
from tests.assignments.commands import tools
from tests.built_book import ROOT

pytestmark = pytest.mark.xdist_group("marking")

# student → status, points given by tests (of 4), and words in the note
EXPECTED = {
    "good": ("needs manual grading", 4, ""),
    "partial": ("needs manual grading", 2, ""),
    "untouched": ("graded", 0, ""),
    "empty": ("corrupt", None, "the file is empty"),
    "corrupt": ("corrupt", None, "cannot be read as JSON"),
    "half-an-emoji": ("corrupt", None, "cell 8 of the file has half of a character"),
    "marked-as-utf-8": ("needs manual grading", 4, ""),
    "answers-below": (
        "needs manual grading",
        4,
        "task-3, but text stands in cell 13 of the file (text)",
    ),
    "misnamed": ("missing", None, "no file mini.ipynb, but mini (1).ipynb: rename it?"),
    "absent": ("missing", None, "no file mini.ipynb"),
    "edits-tests": ("needs manual grading", 2, "edited, and restored: setup, task-1-tests, task-1-hidden"),
    "deletes-tests": ("needs manual grading", 2, "deleted, and restored: task-1-tests, task-1-hidden, task-2-tests"),
    "stripped": ("needs manual grading", 4, "lost its mark"),
    "loops": ("timed out", 2, "task-2-tests, task-2-hidden: stopped after 5 seconds; the rest was marked"),
    "stubborn": ("timed out", None, "could not be stopped"),
    "sys-exit": ("needs manual grading", 2, ""),
    "os-exit": ("crashed", None, "the notebook ended Python itself"),
    "syntax-error": ("needs manual grading", 2, ""),
    "equal": ("needs manual grading", 2, ""),
    "warns": ("needs manual grading", 4, ""),
    "leaks": ("needs manual grading", 2, ""),
}


def said(room, student, cell):
    """What the test in a cell said."""
    (output,) = [output for output in room.autograded(student)[cell][1] if output["output_type"] == "error"]
    return output["evalue"]


@pytest.mark.parametrize("student", EXPECTED)
def test_mark_has_the_status_and_the_points(classroom, student):
    row = classroom.rows[student]
    status, points, note = EXPECTED[student]
    assert row["status"] == status
    assert row["automatic"] == ("" if points is None else f"{points:.1f}")
    assert note in row["note"]


def test_marks_are_empty_where_nothing_was_marked(classroom):
    for row in classroom.rows.values():
        has_marks = {
            row[column] != "" for column in ("score", "max_score", "automatic", "automatic_max", "written_max")
        }
        assert has_marks == {
            row["student"] not in ("empty", "corrupt", "half-an-emoji", "misnamed", "absent", "stubborn", "os-exit")
        }


def test_marks_have_a_row_a_student_and_only_known_statuses(classroom):
    assert set(classroom.rows) - {"attacker"} == set(EXPECTED)
    assert {row["status"] for row in classroom.rows.values()} == set(STATUSES)
    assert all(tuple(row) == COLUMNS for row in classroom.rows.values())


def test_written_answer_is_open_until_a_teacher_marks_it(classroom):
    assert classroom.rows["good"]["written"] == ""
    assert classroom.rows["untouched"]["written"] == "0.0"
    assert {row["written_max"] for row in classroom.rows.values()} == {"", "2.0"}


@pytest.mark.parametrize(
    ("student", "cell", "words"),
    [
        ("partial", "task-2-tests", "The double: you added one."),
        ("edits-tests", "task-1-tests", "The sum: you subtracted."),
        ("deletes-tests", "task-1-tests", "The sum: you subtracted."),
        ("equal", "task-1-tests", "expected a number, received Anything"),
    ],
)
def test_failed_test_names_the_mistake(classroom, student, cell, words):
    assert words in said(classroom, student, cell)


def test_flags_name_what_to_look_at(classroom):
    flagged = {row["student"]: row["flags"] for row in classroom.rows.values() if row["flags"]}
    assert set(flagged) - {"attacker"} == {"leaks", "equal", "os-exit"}
    assert "In (reads cells that ran before)" in flagged["leaks"]
    assert "inspect (reads who calls)" in flagged["leaks"]
    assert "__eq__ (makes its own equality)" in flagged["equal"]
    assert "Look at the code of" in classroom.done.stdout


def test_command_says_how_many_have_which_status(classroom):
    assert "   2 missing" in classroom.done.stdout
    assert "   3 corrupt" in classroom.done.stdout
    assert "   1 crashed" in classroom.done.stdout


def test_progress_is_shown(classroom):
    assert "marking: 100%" in classroom.done.stderr


def test_crash_leaves_a_log(classroom):
    assert "DeadKernelError" in (classroom.course / "logs" / "mini" / "os-exit.txt").read_text()


def test_kernels_leave_nothing_behind(classroom):
    """Their folders go, and so do they, also those that had to be stopped."""
    processes = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    mine = [line for line in processes.splitlines() if "ipykernel_launcher" in line and str(ROOT) in line]
    assert [line for line in mine if "/book-" in line] == []


def test_second_run_marks_nothing_and_says_the_same(classroom):
    files = sorted((classroom.course / "status").rglob("*.json"))
    before = {file: file.stat().st_mtime_ns for file in files}
    marks = (classroom.course / "marks.csv").read_bytes()
    classroom.mark()
    assert {file: file.stat().st_mtime_ns for file in files} == before
    assert (classroom.course / "marks.csv").read_bytes() == marks


def test_gradebook_is_copied_before_each_run(classroom):
    copies = sorted((classroom.course / "backups").glob("gradebook-*.db"))
    assert copies
    with (
        closing(sqlite3.connect(copies[0])) as first,
        closing(sqlite3.connect(classroom.course / "gradebook.db")) as now,
    ):
        assert first.execute("select count(*) from student").fetchone() == (0,)
        assert now.execute("select count(*) from student").fetchone()[0] > 10


def test_manual_marks_count_and_the_status_follows(classroom, tmp_path):
    course = tmp_path / "course"
    shutil.copytree(classroom.course, course)
    with closing(sqlite3.connect(course / "gradebook.db")) as gradebook:
        gradebook.execute("update grade set manual_score = 1.5, needs_manual_grade = 0 where auto_score is null")
        cells = "(select id from base_cell where name = 'task-3')"
        gradebook.execute(f"update comment set manual_comment = 'Well <b>said</b>' where cell_id in {cells}")
        gradebook.commit()
    empty = tmp_path / "none"
    (empty / "good").mkdir(parents=True)
    options = [] if classroom.is_sandboxed else ["--no-sandbox"]
    done = tools("grade", empty, "--course", course, "--assignment", "mini", *options)
    assert done.returncode == 0, done.stderr
    row = rows_of(course)["good"]
    assert (row["status"], row["written"], row["score"], row["max_score"]) == ("graded", "1.5", "5.5", "6.0")
    feedback = (course / "feedback" / "good" / "mini" / "mini.html").read_text()
    assert "mini: 5.5 of 6 points" in feedback
    assert "Well &lt;b&gt;said&lt;/b&gt;" in feedback


@pytest.fixture
def three(small_course, tmp_path):
    """Three students who have handed in a right notebook."""
    folder = tmp_path / "submissions"
    for student in ("ann", "ben", "cem"):
        (folder / student).mkdir(parents=True)
        (folder / student / "mini.ipynb").write_text(json.dumps(filled_in(handed_out(small_course), RIGHT)))
    return folder


@pytest.mark.slow
def test_killed_run_goes_on_where_it_was(three, small_course, no_sandbox):
    options = ["--no-sandbox"] if no_sandbox else []
    command = [sys.executable, "-W", "ignore", "-m", "assignments.tools", "grade", str(three), "--course"]
    first = small_course / "status" / "mini" / "ann.json"
    with subprocess.Popen([*command, str(small_course), *options], cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        while not first.exists():
            assert process.poll() is None, "the run ended before it could be killed"
            time.sleep(0.02)
        time.sleep(1)  # well into the second one
        process.send_signal(signal.SIGKILL)
    assert not (small_course / "marks.csv").exists()
    before = first.stat().st_mtime_ns
    done = tools("grade", three, "--course", small_course, *options)
    assert done.returncode == 0, done.stderr
    assert first.stat().st_mtime_ns == before
    assert {row["automatic"] for row in rows_of(small_course).values()} == {"4.0"}
    assert len(rows_of(small_course)) == 3


def test_whole_notebook_has_a_limit(three, small_course, no_sandbox):
    for student in ("ben", "cem"):
        shutil.rmtree(three / student)
    slow = "import time\n\n\ndef double(a):\n    time.sleep(3)\n    return a + a"  # within the limit of a cell
    slow = filled_in(handed_out(small_course), RIGHT | {"task-2": slow})
    (three / "ann" / "mini.ipynb").write_text(json.dumps(slow))
    options = ["--no-sandbox"] if no_sandbox else []
    done = tools("grade", three, "--course", small_course, "--total-seconds", "1", *options)
    assert done.returncode == 0, done.stderr
    row = rows_of(small_course)["ann"]
    assert (row["status"], row["score"]) == ("timed out", "")
    assert "the whole notebook took more than 1 seconds" in row["note"]


def test_without_sandbox_nothing_is_marked_and_the_risk_is_said(three, small_course, tmp_path):
    (tmp_path / "bin").mkdir()  # a path without bwrap
    done = tools("grade", three, "--course", small_course, PATH=str(tmp_path / "bin"))
    assert done.returncode == 1
    assert "bubblewrap is not installed" in done.stderr
    assert "rewrite\nevery mark in the gradebook" in done.stderr
    assert "OPTIONS=--no-sandbox" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (small_course / "marks.csv").exists()
    assert not (small_course / "autograded").exists()


def test_without_sandbox_a_teacher_may_insist(three, small_course, tmp_path):
    for student in ("ben", "cem"):
        shutil.rmtree(three / student)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "bwrap").write_text("#!/bin/sh\nexit 1\n")  # would fail if it were called
    (tmp_path / "bin" / "bwrap").chmod(0o755)
    done = tools("grade", three, "--course", small_course, "--no-sandbox", PATH=f"{tmp_path / 'bin'}:/usr/bin:/bin")
    assert done.returncode == 0, done.stderr
    assert "every submission runs as YOU" in done.stderr
    assert rows_of(small_course)["ann"]["automatic"] == "4.0"


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (lambda folder, course: shutil.rmtree(folder), "there is no folder"),
        (lambda folder, course: [shutil.rmtree(path) for path in folder.iterdir()], "there are no students in"),
        (lambda folder, course: (folder / "=cmd").mkdir(), "expected student ids of the letters a to z"),
        (lambda folder, course: (folder / "a b").mkdir(), "rename these folders"),
        (lambda folder, course: shutil.rmtree(course / "release"), "run `make assignments` first"),
        (
            lambda folder, course: [path.rename(path.with_name("x.ipynb")) for path in folder.glob("*/*")],
            r"handed in a file that is called mini\.ipynb",
        ),
        (lambda folder, course: (course / "students.csv").write_text("name\nann\n"), "expected a column `student`"),
    ],
)
def test_grade_says_why_nothing_can_be_marked(three, small_course, prepare, words):
    prepare(three, small_course)
    with pytest.raises(GradeError, match=words):
        grade(three, small_course, is_sandboxed=False)
    assert not (small_course / "marks.csv").exists()


def test_grade_refuses_an_assignment_that_was_not_released(three, small_course):
    with pytest.raises(GradeError, match="als: not released; there are mini"):
        grade(three, small_course, is_sandboxed=False, assignments=["als"])


def test_list_of_students_keeps_a_misspelt_folder_from_becoming_one(three, small_course):
    for student in ("ben", "cem"):
        shutil.rmtree(three / student)
    (three / "ann").rename(three / "anne")
    (small_course / "students.csv").write_text("student,name\nann,Ann\n")
    done = tools("grade", three, "--course", small_course, "--no-sandbox", "--assignment", "mini")
    assert "anne: nobody in students.csv has this id" in done.stderr
    assert {name: row["status"] for name, row in rows_of(small_course).items()} == {"ann": "missing"}


def test_two_runs_at_once_are_refused(three, small_course):
    with open(small_course / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(GradeError, match="another run is at work"):
            grade(three, small_course, is_sandboxed=False)


@pytest.fixture
def no_run(monkeypatch):
    """Marking ends before a notebook would run; what was to run stands in `submitted`."""
    monkeypatch.setattr(grade_module, "_run", lambda *_, **__: ("graded", [], False))


def rights_withdrawn(path):
    """Be the system that lets nobody look at a path, which it would let root do."""
    real = {name: getattr(os, name) for name in ("open", "lstat", "stat", "listdir")}

    def refuse(name):
        def call(given, *arguments, **options):
            if str(given).startswith(str(path)):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            return real[name](given, *arguments, **options)

        return call

    return {name: refuse(name) for name in real}


@pytest.mark.parametrize(
    ("spoil", "note"),
    [
        (lambda path: path.write_text('{"cells": [{"cell_type": "raw", "source": "\\ud83d"}]}'), "half of a character"),
        (lambda path: path.write_text(json.dumps({"cells": [{"cell_type": "code", "source": "\udfff"}]})), "character"),
        (lambda path: (path.unlink(), path.mkdir()), "a link, a folder or something else"),
        (lambda path: (path.unlink(), os.mkfifo(path)), "a link, a folder or something else"),
        (lambda path: (path.unlink(), path.symlink_to("nowhere")), "a link, a folder or something else"),
        (lambda path: (path.unlink(), path.symlink_to(path.name)), "a link, a folder or something else"),
        (lambda path: path.write_bytes(b'{"cells": [], "a": "\xe9"}'), "not in UTF-8"),
        (lambda path: path.write_text('{"cells": ' + "[" * 10**5), "cannot be read as JSON"),
    ],
)
def test_one_spoilt_notebook_does_not_stop_the_class(three, small_course, no_run, spoil, note):
    spoil(three / "ann" / "mini.ipynb")
    grade(three, small_course, is_sandboxed=False, assignments=["mini"])
    rows = rows_of(small_course)
    assert (rows["ann"]["status"], rows["ben"]["status"], rows["cem"]["status"]) == ("corrupt", "graded", "graded")
    assert note in rows["ann"]["note"]
    assert "could not be read" in (small_course / "feedback/ann/mini/mini.html").read_text()


@pytest.mark.parametrize("name", ["ann", "ann/mini.ipynb"])
def test_what_may_not_be_read_does_not_stop_the_class(three, small_course, no_run, monkeypatch, name):
    for call, refuse in rights_withdrawn(three / name).items():
        monkeypatch.setattr(os, call, refuse)
    if name == "ann":  # that there is a folder can be seen from outside
        real = os.path.isdir
        monkeypatch.setattr(os.path, "isdir", lambda path: path == three / "ann" or real(path))
    grade(three, small_course, is_sandboxed=False)
    rows = rows_of(small_course)
    assert (rows["ann"]["status"], rows["ben"]["status"]) == ("corrupt", "graded")
    assert rows["ann"]["note"] == "the file cannot be read (Permission denied)"


def test_folder_of_the_course_that_takes_no_copy_does_not_stop_the_class(three, small_course, no_run):
    (small_course / "submitted").mkdir(exist_ok=True)
    (small_course / "submitted" / "ann").write_text("a file, where the folder should be")
    grade(three, small_course, is_sandboxed=False)
    assert rows_of(small_course)["ann"]["status"] == "crashed"
    assert "could not be copied into the folder of the course" in rows_of(small_course)["ann"]["note"]
    assert rows_of(small_course)["ben"]["status"] == "graded"
    (small_course / "submitted" / "ann").unlink()
    grade(three, small_course, is_sandboxed=False)
    assert rows_of(small_course)["ann"]["status"] == "graded"


def test_full_disk_makes_nobody_corrupt(three, small_course, no_run, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(grade_module, "_prepare", refuse)
    with pytest.raises(GradeError, match=r"No space left on device.: make room, run again"):
        grade(three, small_course, is_sandboxed=False)
    assert not (small_course / "status" / "mini" / "ann.json").exists()


def test_one_page_of_feedback_does_not_stop_the_others(three, small_course, no_run, capsys):
    (small_course / "feedback" / "ann" / "mini" / "mini.html").mkdir(parents=True)
    grade(three, small_course, is_sandboxed=False)
    assert "no feedback for ann (mini): IsADirectoryError" in capsys.readouterr().err
    assert (small_course / "feedback" / "ben" / "mini" / "mini.html").is_file()


@pytest.mark.parametrize("result", [None, '{"is_do', '{"is_done": false, "log": "said \\ud83d"}'])
def test_worker_that_leaves_no_result_does_not_stop_the_class(small_course, monkeypatch, result):
    """It was killed before it said anything, or while it did; or its log quotes half of a character."""

    class Worker:
        pid = 0

        def __init__(self, kwargs, **_):
            self.path = kwargs["result"]

        def start(self):
            if result is not None:
                self.path.write_text(result)

        def join(self, *_):
            pass

        def is_alive(self):
            return False

    monkeypatch.setattr(grade_module, "WORKERS", SimpleNamespace(Process=Worker))
    limits = {"cell_seconds": 1, "total_seconds": 1, "is_sandboxed": False}
    outcome = grade_module._run(small_course, "mini", "ann", **limits)
    assert outcome == ("crashed", ["nbgrader could not mark it; see the file in logs"], False)
    said = (small_course / "logs" / "mini" / "ann.txt").read_text()
    assert said == ("said \\ud83d" if result and "log" in result else "")


def test_too_long_a_name_of_a_folder_is_refused_with_its_reason(three, small_course):
    (three / ("a" * 250)).mkdir()
    with pytest.raises(GradeError, match="of at most 100 characters"):
        grade(three, small_course, is_sandboxed=False)


@pytest.fixture(scope="session")
def reference_marks(book_course, tmp_path_factory, no_sandbox):
    """Assignment → row of the marks, for a student who hands the reference in, whole."""
    folder = tmp_path_factory.mktemp("reference")
    course = shutil.copytree(book_course, folder / "course")
    folder = folder / "submissions"
    (folder / "reference").mkdir(parents=True)
    for name in find_assignments():
        shutil.copy(course / "source" / name / f"{name}.ipynb", folder / "reference")
    options = ["--no-sandbox"] if no_sandbox else []
    done = tools("grade", folder, "--course", course, *options)
    assert done.returncode == 0, done.stderr
    with open(course / "marks.csv", newline="") as file:
        return {row["assignment"]: row for row in csv.DictReader(file)}


@pytest.mark.slow
@pytest.mark.parametrize("name", find_assignments())
def test_reference_of_the_book_gets_all_automatic_points(reference_marks, name):
    row = reference_marks[name]
    assert row["status"] == "needs manual grading"
    assert row["automatic"] == row["automatic_max"]
    assert float(row["automatic_max"]) > 0
    assert row["flags"] == ""
