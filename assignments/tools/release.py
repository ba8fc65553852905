"""Make what students get, and make sure that it tells them nothing that it should not."""

import json
import shutil

import nbformat
from nbgrader.converters import GenerateAssignment

from assignments.tools.course import NBGRADER_CONFIG, configuration, run_converter
from assignments.tools.names import inside
from assignments.tools.sources import ASSIGNMENTS, is_hidden, read_source, secrets


class LeakError(Exception):
    """A release shows what it must not; nothing was released."""


def make_release(name, path, course):
    """Write the instructor's and the students' notebook of an assignment, and enter it into the gradebook.

    Parameters
    ----------
    name : str
        The assignment.
    path : Path
        Its source.
    course : Path
        The folder of the course. ``source/<name>/<name>.ipynb`` is for teachers,
        ``release/<name>/<name>.ipynb`` for students. The same source gives the same bytes.

    Returns
    -------
    Path
        The students' notebook.

    Raises
    ------
    NameRefusedError
        If the name is not fit to be that of a folder.
    SourceError
        If the source is not as it must be.
    LeakError
        If the students' notebook would show a solution or a hidden test. It is not kept then.
    """
    folder, release = inside(course, "source", name), release_path(course, name)
    source = read_source(path)
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    nbformat.write(source, folder / f"{name}.ipynb")
    config_file = course / "nbgrader_config.py"
    if not config_file.exists():
        text = NBGRADER_CONFIG.format(repository=str(ASSIGNMENTS.parent), course=str(course.resolve()))
        config_file.write_text(text, encoding="utf-8")
    try:
        run_converter(GenerateAssignment, configuration(course), assignment=name, student=".")
        check_release(release, source)
    except BaseException:
        shutil.rmtree(release.parent, ignore_errors=True)
        raise
    return release


def check_release(path, source):
    """Raise an error if a students' notebook shows a solution or a hidden test.

    nbgrader's word is not taken for it. Each cell is looked at by its name, and then the file is searched for every
    line that is secret.

    Parameters
    ----------
    path : Path
        The students' notebook.
    source : nbformat.NotebookNode
        What it was made from.

    Raises
    ------
    LeakError
        If something shows, or a cell is missing.
    """
    text = path.read_text(encoding="utf-8")
    released = {cell["id"]: "".join(cell["source"]) for cell in json.loads(text)["cells"]}
    problems = []
    if list(released) != [cell.id for cell in source.cells]:
        problems.append("its cells are not those of the source")
    for cell in source.cells:
        marks, shown = cell.metadata.get("nbgrader", {}), released.get(cell.id, "")
        if is_hidden(cell.id) and any(line and not line.startswith("#") for line in shown.splitlines()):
            problems.append(f"{cell.id} shows hidden tests")
        if marks.get("solution") and "YOUR CODE HERE" not in shown and shown != "YOUR ANSWER HERE":
            problems.append(f"{cell.id} is not cleared")
    # As the line stands in the file, that is, with JSON's escapes
    shown = [line for line in secrets(source) if json.dumps(line, ensure_ascii=False)[1:-1] in text]
    problems += [f"it shows the line {line!r}" for line in shown]
    if problems:
        raise LeakError(f"{path.name} was not released:\n- " + "\n- ".join(problems))


def n_points(notebook):
    """Return the points of an assignment: automatic ones, and those that a teacher gives."""
    graded = [cell.metadata["nbgrader"] for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    automatic = sum(marks["points"] for marks in graded if not marks["solution"])
    return automatic, sum(marks["points"] for marks in graded) - automatic


def release_path(course, name):
    """Return the path of the students' notebook of an assignment."""
    return inside(course, "release", name, name, suffix=".ipynb")
