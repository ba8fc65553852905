"""Mark a folder of submissions: one process each, with limits, so that one notebook cannot spoil the run.

What is known of a submission is written as soon as it is known, into ``status/<assignment>/<student>.json``. So a run
that was interrupted goes on where it was, and a second run marks only what is new.
"""

import csv
import errno
import hashlib
import json
import multiprocessing
import os
import re
import signal
import sys
import tempfile
from contextlib import suppress
from functools import partial
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook, MissingEntry
from tqdm import tqdm

from assignments.tools.autograde import work
from assignments.tools.course import back_up, gradebook_url, only_run
from assignments.tools.exchange import handed_in
from assignments.tools.feedback import write_feedback
from assignments.tools.lms import looks_like, read_download
from assignments.tools.names import inside, problem_of
from assignments.tools.release import release_path
from assignments.tools.roster import RosterError, read_roster
from assignments.tools.sandbox import why_no_sandbox
from assignments.tools.submissions import CorruptError, find_flags, read_bytes, read_cells, restore

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


def grade(
    folder,
    course,
    *,
    assignments=None,
    lms=None,
    is_sandboxed=True,
    cell_seconds=30,
    total_seconds=300,
    is_again=False,
):
    """Mark what is new in a folder of submissions; write the marks and the feedback of everybody.

    Parameters
    ----------
    folder : Path
        ``<student>/<assignment>.ipynb``, or ``<student>/<assignment>/<assignment>.ipynb``, as ``nbgrader collect`` lays
        it out. The name of a student's folder is the student's id.
    course : Path
        The folder of the course, as `make_release` filled it. With a file ``students.csv`` in it, which `read_roster`
        can read, only the students in its column ``student`` are marked.
    assignments : sequence of str, optional
        What to mark. Else every assignment that somebody handed in.
    lms : {"moodle", "canvas"}, optional
        If given, the folder is not laid out as above, but is what teachers download there, unpacked; see
        `read_download`.
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
        If there is nothing to mark, no release to compare with, no sandbox, or another run at work; if an id is not of
        the letters a to z, figures and ``. _ @ -``; or if ``students.csv`` cannot be used. Then nothing was written.
    """
    folder, course = Path(folder), Path(course).resolve()
    if is_sandboxed and (reason := why_no_sandbox()):
        raise GradeError(RISK.format(reason=reason))
    released = sorted(path.stem for path in course.glob("release/*/*.ipynb") if path.stem == path.parent.name)
    if not released:
        raise GradeError(f"there is no release in {course}: run `make assignments` first")
    if problems := [problem for name in released if (problem := problem_of(name))]:
        raise GradeError(f"{problems[0]}; rename this assignment in {course / 'release'}")
    roster, known = _roster(course, lms)
    if lms is None:
        students, find = _student_folders(folder), partial(notebook_path, folder)
    else:
        students, find = _download(folder, lms, released, known)
    names = _assignments_to_mark(assignments, released, folder, students, find)
    try:
        with only_run(course):
            back_up(course)
            listed = [student for student in students if roster is None or student in roster]
            for student in sorted(set(students) - set(listed)):
                _say(f"{student}: nobody in students.csv has this id, so the folder is left alone")
            todo = [(name, student) for name in names for student in sorted({*listed, *(roster or ())})]
            limits = {"cell_seconds": cell_seconds, "total_seconds": total_seconds, "is_sandboxed": is_sandboxed}
            for name, student in tqdm(todo, desc="marking", unit="submission", dynamic_ncols=True):
                _mark_one(name, student, find(student, name), course, is_again=is_again, **limits)
            rows = [row for name in released for row in marks(course, name)]
            _write_rows(course / "marks.csv", rows)
            for row in rows:
                try:
                    write_feedback(course, row)
                except Exception as error:  # whatever is wrong with one page, all others are written
                    _say(f"no feedback for {row['student']} ({row['assignment']}): {type(error).__name__}: {error}")
    except BlockingIOError:
        raise GradeError(f"another run is at work in {course}: wait for it, or stop it") from None
    return rows


def _say(words):
    """Say something beside the bar of the progress; a name could hold what a terminal cannot show."""
    tqdm.write(words.encode("utf-8", errors="backslashreplace").decode(), file=sys.stderr)


def _names_in(folder):
    """Return the names in a folder of submissions, without those that begin with a point."""
    if folder.is_file():
        raise GradeError(f"expected a folder, received the file {folder}: unpack it, and say SUBMISSIONS=folder")
    if not folder.is_dir():
        raise GradeError(
            f"there is no folder {folder}: say SUBMISSIONS=folder, with <student>/<assignment>.ipynb in it"
        )
    try:
        return sorted(name for name in os.listdir(folder) if not name.startswith("."))
    except OSError as error:
        raise GradeError(f"the folder {folder} cannot be read ({error.strerror})") from None


def _student_folders(folder):
    """Return the ids of the students in a folder of submissions."""
    everything = _names_in(folder)
    names = [name for name in everything if os.path.isdir(folder / name)]
    bad = [name for name in names if problem_of(name)]
    lms = looks_like(bad if bad else everything)
    hint = f'. This looks like a download from {lms.title()}: say OPTIONS="--lms {lms}"' if lms else ""
    if bad:
        raise GradeError(
            "expected student ids of the letters a to z, figures and . _ @ - only, and of at most 100 characters, "
            f"received {', '.join(map(repr, bad))}; rename these folders{hint}"
        )
    if not names:
        raise GradeError(
            f"there are no students in {folder}: a folder for each is needed, <student>/<assignment>.ipynb{hint}"
        )
    return names


def _download(folder, lms, released, known):
    """Return the ids in what was downloaded from an LMS, and a function that finds their notebooks; say the rest."""
    _names_in(folder)
    found, remarks = read_download(folder, lms, released, known)
    for remark in remarks:
        _say(remark)
    if not found:
        raise GradeError(f"no name in {folder} is as {lms.title()} makes them; see the help of --lms for its patterns")
    nowhere = folder / ".nobody"  # so that no other file is said to be a misnamed one
    return sorted({student for student, _ in found}), lambda s, name: found.get((s, name), nowhere / f"{name}.ipynb")


def _assignments_to_mark(asked, released, folder, students, find):
    """Return the assignments that were asked for, or else those that somebody handed in."""
    if unknown := sorted(set(asked or ()) - set(released)):
        raise GradeError(f"{', '.join(unknown)}: not released; there are {', '.join(released)}")
    found = [name for name in released if any(os.path.isfile(find(student, name)) for student in students)]
    if not (asked or found):
        raise GradeError(
            f"nobody in {folder} handed in a file that is called {' or '.join(f'{name}.ipynb' for name in released)}"
        )
    return sorted(asked) if asked else found


def notebook_path(folder, student, assignment):
    """Return where the notebook of a student is, in a folder of submissions; it need not be there.

    If there are two, that is, ``<student>/<assignment>.ipynb`` and one in a folder of its own, it is the first.
    """
    path = inside(folder, student, assignment, suffix=".ipynb")
    inner = inside(folder, student, assignment)
    if os.path.lexists(path) or not os.path.isdir(inner) or os.path.islink(inner):
        return path
    return inner / path.name


def _roster(course, lms):
    """Return the ids in ``students.csv``, and what they are called at the LMS; None, None if there is no such file."""
    path = course / "students.csv"
    if not os.path.lexists(path):
        return None, None
    try:
        return read_roster(path, lms)
    except RosterError as error:
        raise GradeError(str(error)) from None


def status_path(course, assignment, student):
    """Return where the status of a submission is kept."""
    return inside(course, "status", assignment, student, suffix=".json")


def submitted_path(course, assignment, student):
    """Return where nbgrader finds a notebook that it is to run."""
    return inside(course, "submitted", student, assignment, assignment, suffix=".ipynb")


def _mark_one(assignment, student, path, course, *, is_again, **limits):
    """Mark one submission, unless that was done, and keep what came out. Whatever is in it, this raises no error."""
    release = release_path(course, assignment)
    status_file = status_path(course, assignment, student)
    if _is_missing(path):
        if not status_file.exists():  # what was marked in an earlier run stays
            _write_json(status_file, {"status": "missing", "note": _what_is_there(path, course), "flags": []})
        return
    digest = hashlib.sha256(release.read_bytes())
    content, problem = None, ""
    try:
        content = read_bytes(path)
    except CorruptError as error:
        problem = str(error)
    digest.update(problem.encode() if content is None else content)
    status, when = _read_json(status_file), handed_in(path)
    if status.get("sha256") == digest.hexdigest() and not is_again:
        if status.get("handed_in", "") != when:  # the same again, later
            _write_json(status_file, {**status, "handed_in": when})
        return
    try:
        if content is None:
            raise CorruptError(problem)
        notebook, notes = _prepare(content, release, submitted_path(course, assignment, student))
    except CorruptError as error:
        status = {"status": "corrupt", "note": str(error), "flags": []}
    except OSError as error:  # the fault is ours, so nothing is kept that would pass for marked in the next run
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
            raise GradeError(f"nothing can be written into {course} ({error.strerror}): make room, run again") from None
        note = f"it could not be copied into the folder of the course ({error.strerror}); mend that, and run again"
        _write_json(status_file, {"status": "crashed", "note": note, "flags": [], "handed_in": when})
        return
    else:
        outcome, words, is_marked = _run(course, assignment, student, **limits)
        status = {"status": outcome, "note": "; ".join([*words, *notes]), "flags": find_flags(notebook)}
        status["is_marked"] = is_marked
    _write_json(status_file, {**status, "sha256": digest.hexdigest(), "handed_in": when})


def _is_missing(path):
    """Return whether nothing has this name. What cannot be looked at, since rights are missing, is not missing."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def _prepare(content, release, submitted):
    """Write the notebook that is to be marked; return it, and the notes on it."""
    cells = read_cells(content)
    try:
        notebook, notes = restore(cells, nbformat.read(release, as_version=4))
        text = nbformat.writes(notebook)
        encoded = text.encode("utf-8")
    except (ValueError, RecursionError, MemoryError) as error:
        raise CorruptError(f"the notebook cannot be taken apart ({type(error).__name__}: {error})"[:200]) from None
    submitted.parent.mkdir(parents=True, exist_ok=True)
    submitted.write_bytes(encoded)
    return notebook, notes


def _what_is_there(path, course):
    """Say which other notebooks there are, for a file that is not there under its name."""
    try:
        names = sorted(name for name in os.listdir(path.parent) if name.endswith(".ipynb"))
    except OSError:
        names = []
    released = {found.parent.name for found in course.glob("release/*/*.ipynb")}
    others = [name for name in names if Path(name).stem not in released]
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
        try:
            outcome = _read_json(result)
        except ValueError:  # it was killed while it wrote
            outcome = {}
        if not outcome.get("is_done"):
            said = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
            _keep_log(course, assignment, student, said + outcome.get("log", ""))
            if "CellTimeoutError" in outcome.get("log", ""):
                return "timed out", [f"a cell took more than {cell_seconds} seconds and could not be stopped"], False
            if "DeadKernelError" in outcome.get("log", ""):
                return (
                    "crashed",
                    ["the notebook ended Python itself (exit, or out of memory); no test was marked"],
                    False,
                )
            return "crashed", ["nbgrader could not mark it; see the file in logs"], False
    try:
        slow = _cells_that_timed_out(course, assignment, student)
    except (OSError, ValueError) as error:
        return "crashed", [f"what nbgrader wrote cannot be read ({type(error).__name__}: {error})"[:200]], False
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
    return inside(course, "autograded", student, assignment, assignment, suffix=".ipynb")


def _cells_that_timed_out(course, assignment, student):
    notebook = nbformat.read(autograded_path(course, assignment, student), as_version=4)
    return [
        cell.metadata.get("nbgrader", {}).get("grade_id", "a cell of the student's own")
        for cell in notebook.cells
        if any(output.get("ename") == "CellTimeoutError" for output in cell.get("outputs", []))
    ]


def _keep_log(course, assignment, student, text):
    path = inside(course, "logs", assignment, student, suffix=".txt")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", errors="backslashreplace")  # a log quotes what the student's code said


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
    with open(temporary, "w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    temporary.replace(path)


def _write_json(path, values):
    """Write a JSON file, all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    text = json.dumps(values, indent=1, ensure_ascii=False)
    temporary.write_text(text, encoding="utf-8", errors="backslashreplace")  # which is JSON's own escape, too
    temporary.replace(path)


def _read_json(path):
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
