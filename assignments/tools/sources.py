"""Read an assignment's source, and know what in it students must not see.

The source is a MyST notebook with nbgrader's metadata, from which `read_source` adds what follows from the rest:

==================================  ==========================================================
``{grade_id: setup, locked: true}``  shown, and restored when it is marked
``{grade_id: a, solution: true}``    the student's answer; the solution stands between delimiters
``{…, grade: true, points: 2}``      tests that are shown
``{grade_id: a-hidden…, grade: …}``  hidden tests, all of them between delimiters, in a cell of their own
``{solution: true, grade: true, …}`` a written answer, in a text cell; its text is the model answer
==================================  ==========================================================
"""

import re
from pathlib import Path

import jupytext

ASSIGNMENTS = Path(__file__).resolve().parents[1]

SOLUTION = ("### BEGIN SOLUTION", "### END SOLUTION")
HIDDEN_TESTS = ("### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS")
DELIMITERS = {*SOLUTION, *HIDDEN_TESTS}

# Whatever looks like a delimiter has to be one: nbgrader passes over a line that is misspelt, and shows what follows.
LIKE_A_DELIMITER = re.compile(r"^\s*(#{3,}|#+\s*(begin|end)\b|.*\b(BEGIN|END)\b.*\b(SOL|HID|TEST))", re.IGNORECASE)

# Shorter lines, such as `else:`, occur everywhere and tell nobody anything.
MIN_SECRET = 12


class SourceError(Exception):
    """The source of an assignment is not as it must be; the message lists what to mend."""


def find_assignments(folder=ASSIGNMENTS):
    """Return the assignments in a folder, name → path of the source.

    Every ``.md`` file is one, if its name is a slug. So a new assignment needs no list to be changed.
    """
    return {path.stem: path for path in sorted(folder.glob("*.md")) if re.fullmatch(r"[a-z][a-z0-9_]*", path.stem)}


def read_source(path):
    """Read a source into a notebook with nbgrader's full metadata, and with the same cell ids every time.

    Parameters
    ----------
    path : Path
        A MyST notebook.

    Returns
    -------
    nbformat.NotebookNode
        With solutions and hidden tests. The id of a cell is its ``grade_id``, or ``text-`` and its place.

    Raises
    ------
    SourceError
        If a delimiter is misspelt or stands in the wrong cell, hidden tests are not between delimiters, or a
        ``grade_id`` is missing or used twice.
    """
    notebook = jupytext.read(path, fmt="md:myst")
    notebook.metadata = {key: notebook.metadata[key] for key in ("kernelspec",)}
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    problems, seen = [], set()
    for place, cell in enumerate(notebook.cells):
        given = cell.metadata.get("nbgrader")
        name = f"text-{place}" if given is None else str(given.get("grade_id", ""))
        if given is not None:
            problems += [f"{name or f'cell {place}'}: {problem}" for problem in _problems_of_marks(name, given, seen)]
            cell.metadata = {"nbgrader": _complete(cell, given)}
        elif cell.cell_type == "code":
            problems.append(f"cell {place}: a code cell needs nbgrader metadata, else students can delete it unseen")
        problems += [f"{name or f'cell {place}'}: {problem}" for problem in _problems_of_delimiters(cell, name)]
        cell.id = name
        seen.add(name)
    if problems:
        raise SourceError(f"{path.name} is not ready:\n- " + "\n- ".join(problems))
    return notebook


def is_hidden(name):
    """Return whether a cell of this ``grade_id`` holds hidden tests."""
    return "-hidden" in name


def task_of(name):
    """Return the task that a cell belongs to: ``"task-2"`` for ``"task-2-hidden-dot"``."""
    return re.sub(r"-(tests|hidden|form)\b.*", "", name)


def secrets(notebook, *, with_answers=True):
    """Return the lines of a notebook that students must not see.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        As `read_source` returns it, or marked by nbgrader, which puts the hidden tests in again.
    with_answers : bool, optional
        Whether solutions and model answers count, too, and not only hidden tests.

    Returns
    -------
    list of str
        Without indentation. Left out are lines of less than `MIN_SECRET` characters, and those that the notebook shows
        somewhere else, too.
    """
    secret, public = {}, set()
    for cell in notebook.cells:
        marks = cell.metadata.get("nbgrader", {})
        is_tests, is_answer = is_hidden(marks.get("grade_id", "")), bool(marks.get("solution")) and with_answers
        is_inside = is_answer and cell.cell_type == "markdown"
        for line in map(str.strip, cell.source.splitlines()):
            if line in DELIMITERS:
                is_inside = line == HIDDEN_TESTS[0] or (is_answer and line == SOLUTION[0])
            elif is_inside or (is_tests and not line.startswith("#")):
                secret[line] = None
            else:
                public.add(line)
    return [line for line in secret if len(line) >= MIN_SECRET and line not in public]


def _complete(cell, given):
    """Return nbgrader's metadata in full, with what follows from the given part."""
    is_graded, is_solution = bool(given.get("grade")), bool(given.get("solution"))
    marks = {
        "grade": is_graded,
        "grade_id": given.get("grade_id", ""),
        "locked": bool(given.get("locked")) or (is_graded and not is_solution),
        "schema_version": 3,
        "solution": is_solution,
        "task": False,
    }
    return {**marks, "cell_type": cell.cell_type, "points": given.get("points", 0)} if is_graded else marks


def _problems_of_marks(name, given, seen):
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        yield "a cell needs a grade_id of small letters, figures and hyphens"
    if name in seen:
        yield "the grade_id is used twice"
    if unknown := set(given) - {"grade_id", "grade", "points", "solution", "locked"}:
        yield f"unknown metadata: {', '.join(sorted(unknown))}"
    if bool(given.get("grade")) != ("points" in given):
        yield "a graded cell needs points, and no other cell has any"
    if is_hidden(name) and not (given.get("grade") and not given.get("solution")):
        yield "hidden tests need grade: true and points"


def _problems_of_delimiters(cell, name):
    marks = cell.metadata.get("nbgrader", {})
    lines = [line.rstrip() for line in cell.source.splitlines()]
    for line in lines:
        if line.strip() not in DELIMITERS and cell.cell_type == "code" and LIKE_A_DELIMITER.match(line):
            yield f"{line.strip()!r} looks like a delimiter; the delimiters are {', '.join(sorted(DELIMITERS))}"
    found = [line.strip() for line in lines if line.strip() in DELIMITERS]
    is_answer = bool(marks.get("solution")) and cell.cell_type == "code"
    expected = SOLUTION if is_answer else HIDDEN_TESTS if is_hidden(name) else ()
    n_pairs = max(1, len(found) // 2) if is_answer else 1  # an answer may have several gaps
    if found != list(expected) * n_pairs:
        yield f"expected {' … '.join(expected) or 'no delimiter'}, received {' … '.join(found) or 'none'}"
    elif is_hidden(name):
        outside = lines[: lines.index(HIDDEN_TESTS[0])] + lines[lines.index(HIDDEN_TESTS[1]) + 1 :]
        if any(line and not line.startswith("#") for line in outside):
            yield "a cell of hidden tests shows comments, and nothing else, outside the delimiters"
