"""Mark a folder of submissions: one process each, with limits, so that one notebook cannot spoil the run.

What is known of a submission is written as soon as it is known, into ``status/<assignment>/<student>.json``. So a run
that was interrupted goes on where it was, and a second run marks only what is new.
"""

import csv
import hashlib
import json
import multiprocessing
import os
import re
import signal
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook, MissingEntry
from tqdm import tqdm

from assignments.tools.autograde import work
from assignments.tools.course import back_up, gradebook_url, only_run
from assignments.tools.exchange import handed_in
from assignments.tools.feedback import write_feedback
from assignments.tools.release import release_path
from assignments.tools.sandbox import why_no_sandbox
from assignments.tools.submissions import CorruptError, find_flags, read_submission, restore

STATUSES = ("graded", "needs manual grading", "timed out", "crashed", "corrupt", "missing")
COLUMNS = (
    "assignment",
    "student",
    "status",
    "handed_in",
    "score",
    "max_score",
    "automatic",
    "automatic_max",
    "written",
    "written_max",
    "note",
    "flags",
)

RISK = """\
No sandbox: {reason}.

Without one, every submission runs as YOU. It can read your files, the solutions and the other submissions, rewrite
every mark in the gradebook, and send all that away. Mark on a machine with a sandbox (Linux with bubblewrap; a virtual
machine will do). If you trust every student, or this machine has nothing to lose, say so: make grade SUBMISSIONS=…
OPTIONS=--no-sandbox"""


class GradeError(Exception):
    """Nothing can be marked; the message says what to do."""


def grade(folder, course, *, assignments=None, is_sandboxed=True, cell_seconds=30, total_seconds=300, is_again=False):
    """Mark what is new in a folder of submissions; write the marks and the feedback of everybody.

    Parameters
    ----------
    folder : Path
        ``<student>/<assignment>.ipynb``, or ``<student>/<assignment>/<assignment>.ipynb``, as ``nbgrader collect`` lays
        it out. The name of a student's folder is the student's id.
    course : Path
        The folder of the course, as `make_release` filled it. With a file ``students.csv`` in it, whose column
        ``student`` lists the ids, only these students are marked.
    assignments : sequence of str, optional
        What to mark. Else every assignment that somebody handed in.
    is_sandboxed : bool, optional
        Whether student code runs under bubblewrap. False is a risk that `RISK` explains.
    cell_seconds, total_seconds : int, optional
        Limits for a cell, and for a whole submission.
    is_again : bool, optional
        Mark everything again, also what has not changed.

    Returns
    -------
    list of dict
        The rows of ``marks.csv``, with `COLUMNS`.

    Raises
    ------
    GradeError
        If there is nothing to mark, no release to compare with, no sandbox, or another run at work.
    """
    folder, course = Path(folder), Path(course).resolve()
    if is_sandboxed and (reason := why_no_sandbox()):
        raise GradeError(RISK.format(reason=reason))
    released = sorted(path.parent.name for path in course.glob("release/*/*.ipynb"))
    if not released:
        raise GradeError(f"there is no release in {course}: run `make assignments` first")
    students = _student_folders(folder)
    names = _assignments_to_mark(assignments, released, folder, students)
    try:
        with only_run(course):
            back_up(course)
            roster = _roster(course)
            known = [student for student in students if roster is None or student in roster]
            for student in sorted(set(students) - set(known)):
                tqdm.write(
                    f"{student}: nobody in students.csv has this id, so the folder is left alone", file=sys.stderr
                )
            todo = [(name, student) for name in names for student in sorted({*known, *(roster or ())})]
            limits = {"cell_seconds": cell_seconds, "total_seconds": total_seconds, "is_sandboxed": is_sandboxed}
            for name, student in tqdm(todo, desc="marking", unit="submission", dynamic_ncols=True):
                _mark_one(name, student, folder, course, is_again=is_again, **limits)
            rows = [row for name in released for row in marks(course, name)]
            _write_rows(course / "marks.csv", rows)
            for row in rows:
                write_feedback(course, row)
    except BlockingIOError:
        raise GradeError(f"another run is at work in {course}: wait for it, or stop it") from None
    return rows


def _student_folders(folder):
    """Return the ids of the students in a folder of submissions."""
    if not folder.is_dir():
        raise GradeError(
            f"there is no folder {folder}: say SUBMISSIONS=folder, with <student>/<assignment>.ipynb in it"
        )
    names = sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    # Names become paths, rows of a table that a spreadsheet reads, and parts of nbgrader's patterns.
    bad = [name for name in names if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._@-]*", name)]
    if bad:
        raise GradeError(
            "expected student ids of the letters a to z, figures and . _ @ - only, received "
            f"{', '.join(map(repr, bad))}; rename these folders"
        )
    if not names:
        raise GradeError(
            f"there are no students in {folder}: a folder for each is needed, <student>/<assignment>.ipynb"
        )
    return names


def _assignments_to_mark(asked, released, folder, students):
    """Return the assignments that were asked for, or else those that somebody handed in."""
    if unknown := sorted(set(asked or ()) - set(released)):
        raise GradeError(f"{', '.join(unknown)}: not released; there are {', '.join(released)}")
    found = [name for name in released if any(notebook_path(folder, s, name).is_file() for s in students)]
    if not (asked or found):
        raise GradeError(
            f"nobody in {folder} handed in a file that is called {' or '.join(f'{name}.ipynb' for name in released)}"
        )
    return sorted(asked) if asked else found


def notebook_path(folder, student, assignment):
    """Return where the notebook of a student is, in a folder of submissions; it need not be there.

    If there are two, that is, ``<student>/<assignment>.ipynb`` and one in a folder of its own, it is the first.
    """
    path, inner = folder / student / f"{assignment}.ipynb", folder / student / assignment
    if os.path.lexists(path) or not inner.is_dir() or inner.is_symlink():
        return path
    return inner / f"{assignment}.ipynb"


def _roster(course):
    """Return the ids in ``students.csv``, or None if there is no such file."""
    path = course / "students.csv"
    if not path.is_file():
        return None
    with open(path, newline="", encoding="utf-8-sig") as file:
        rows = csv.DictReader(file)
        if "student" not in (rows.fieldnames or ()):
            raise GradeError(f"expected a column `student` in {path}, received {rows.fieldnames}")
        return {row["student"].strip() for row in rows if row["student"]}


def status_path(course, assignment, student):
    """Return where the status of a submission is kept."""
    return Path(course) / "status" / assignment / f"{student}.json"


def _mark_one(assignment, student, folder, course, *, is_again, **limits):
    """Mark one submission, unless that was done, and keep what came out."""
    path, release = notebook_path(folder, student, assignment), release_path(course, assignment)
    status_file = status_path(course, assignment, student)
    if not os.path.lexists(path):
        if not status_file.exists():  # what was marked in an earlier run stays
            _write_json(status_file, {"status": "missing", "note": _what_is_there(path, course), "flags": []})
        return
    digest = hashlib.sha256(release.read_bytes())
    if path.is_file() and not path.is_symlink():
        digest.update(path.read_bytes())
    status, when = _read_json(status_file), handed_in(path)
    if status.get("sha256") == digest.hexdigest() and not is_again:
        if status.get("handed_in", "") != when:  # the same again, later
            _write_json(status_file, {**status, "handed_in": when})
        return
    try:
        cells = read_submission(path)
    except CorruptError as error:
        status = {"status": "corrupt", "note": str(error), "flags": []}
    else:
        notebook, notes = restore(cells, nbformat.read(release, as_version=4))
        submitted = course / "submitted" / student / assignment / f"{assignment}.ipynb"
        submitted.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, submitted)
        outcome, words, is_marked = _run(course, assignment, student, **limits)
        status = {"status": outcome, "note": "; ".join([*words, *notes]), "flags": find_flags(notebook)}
        status["is_marked"] = is_marked
    _write_json(status_file, {**status, "sha256": digest.hexdigest(), "handed_in": when})


def _what_is_there(path, course):
    """Say which other notebooks there are, for a file that is not there under its name."""
    others = sorted(p.name for p in path.parent.glob("*.ipynb")) if path.parent.is_dir() else []
    others = [name for name in others if not release_path(course, Path(name).stem).exists()]
    if not others:
        return f"no file {path.name}"
    # A name could hold anything, and this note is read in spreadsheets.
    return (
        f"no file {path.name}, but {', '.join(re.sub(r'[^ A-Za-z0-9._()-]', '?', name) for name in others)}: rename it?"
    )


# Workers are forked from a process that has nbgrader imported already: two seconds less for each submission.
WORKERS = multiprocessing.get_context("forkserver")
WORKERS.set_forkserver_preload(["assignments.tools.autograde"])


def _run(course, assignment, student, *, cell_seconds, total_seconds, is_sandboxed):
    """Run nbgrader for one submission; return the status, a list of notes, and whether there are marks."""
    with tempfile.TemporaryDirectory() as scratch:
        result, log = Path(scratch) / "result.json", Path(scratch) / "log.txt"
        options = {"cell_seconds": cell_seconds, "is_sandboxed": is_sandboxed, "result": result, "log": log}
        worker = WORKERS.Process(target=work, args=(course, assignment, student), kwargs=options)
        worker.start()
        try:
            worker.join(total_seconds)
            if worker.is_alive():
                note = f"the whole notebook took more than {total_seconds} seconds; no test was marked"
                return "timed out", [note], False
        finally:  # also when the teacher stops the run
            _end(worker)
        outcome = _read_json(result)
        if not outcome.get("is_done"):
            _keep_log(
                course, assignment, student, log.read_text(encoding="utf-8", errors="replace") + outcome.get("log", "")
            )
            if "CellTimeoutError" in outcome.get("log", ""):
                return "timed out", [f"a cell took more than {cell_seconds} seconds and could not be stopped"], False
            if "DeadKernelError" in outcome.get("log", ""):
                return (
                    "crashed",
                    ["the notebook ended Python itself (exit, or out of memory); no test was marked"],
                    False,
                )
            return "crashed", ["nbgrader could not mark it; see the file in logs"], False
    slow = _cells_that_timed_out(course, assignment, student)
    if slow:
        return "timed out", [f"{', '.join(slow)}: stopped after {cell_seconds} seconds; the rest was marked"], True
    return "graded", [], True


def _end(worker):
    """End a worker and all that it started, if it is still there."""
    if worker.is_alive():
        with suppress(ProcessLookupError):  # it has no group of its own yet
            os.killpg(worker.pid, signal.SIGKILL)
        worker.kill()
        worker.join()


def autograded_path(course, assignment, student):
    """Return where nbgrader puts a notebook that it ran."""
    return Path(course) / "autograded" / student / assignment / f"{assignment}.ipynb"


def _cells_that_timed_out(course, assignment, student):
    notebook = nbformat.read(autograded_path(course, assignment, student), as_version=4)
    return [
        cell.metadata.get("nbgrader", {}).get("grade_id", "a cell of the student's own")
        for cell in notebook.cells
        if any(output.get("ename") == "CellTimeoutError" for output in cell.get("outputs", []))
    ]


def _keep_log(course, assignment, student, text):
    path = course / "logs" / assignment / f"{student}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def marks(course, assignment):
    """Return the rows of the table of marks for one assignment, a row a student, sorted by id.

    Scores are empty where nothing was marked, so that a zero is a zero that somebody earned.

    Parameters
    ----------
    course : Path
        The folder of the course.
    assignment : str
        Its name.

    Returns
    -------
    list of dict
        With `COLUMNS`, all of them strings or numbers.
    """
    rows = []
    with Gradebook(gradebook_url(course)) as gradebook:
        for path in sorted((course / "status" / assignment).glob("*.json")):
            kept = _read_json(path)
            row = dict.fromkeys(COLUMNS, "")
            row.update(assignment=assignment, student=path.stem, status=kept["status"], note=kept["note"])
            row["flags"] = "; ".join(kept["flags"])
            row["handed_in"] = kept.get("handed_in", "")
            if kept.get("is_marked"):
                row.update(_scores(gradebook, assignment, path.stem, kept["status"]))
            rows.append(row)
    return rows


def _scores(gradebook, assignment, student, status):
    """Return the columns that the gradebook fills."""
    try:
        submission = gradebook.find_submission(assignment, student)
    except MissingEntry:
        return {}
    grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
    written = [grade for grade in grades if grade.cell.cell_type == "markdown"]
    automatic = [grade for grade in grades if grade.cell.cell_type != "markdown"]
    if status == "graded" and any(grade.needs_manual_grade for grade in grades):
        status = "needs manual grading"
    return {
        "status": status,
        "score": sum(grade.score for grade in grades),
        "max_score": sum(grade.max_score for grade in grades),
        "automatic": sum(grade.score for grade in automatic),
        "automatic_max": sum(grade.max_score for grade in automatic),
        "written": "" if any(grade.needs_manual_grade for grade in written) else sum(grade.score for grade in written),
        "written_max": sum(grade.max_score for grade in written),
    }


def _write_rows(path, rows):
    """Write a CSV, all of it or nothing."""
    temporary = path.with_suffix(".tmp")
    with open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    temporary.replace(path)


def _write_json(path, values):
    """Write a JSON file, all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(values, indent=1, ensure_ascii=False), encoding="utf-8")
    temporary.replace(path)


def _read_json(path):
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
