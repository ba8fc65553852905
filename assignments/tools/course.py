"""The folder of a course: what nbgrader expects in it, and with which settings it runs."""

import fcntl
import os
import sqlite3
import sys
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import capture_log
from traitlets.config import Config

from assignments.tools.sources import ASSIGNMENTS

DEFAULT_COURSE = ASSIGNMENTS / "course"
N_BACKUPS = 30

# Written into the course, so that nbgrader's own commands and JupyterLab's Formgrader grade in the sandbox, too.
NBGRADER_CONFIG = """\
# Written by `make assignments`, which writes it again if it is missing.
import sys

sys.path.insert(0, {repository!r})
from assignments.tools.course import configuration

get_config().merge(configuration({course!r}))
"""


class ConverterError(Exception):
    """A part of nbgrader failed; the message is its log."""


def configuration(course, *, is_sandboxed=True, cell_seconds=30):
    """Return the settings of nbgrader for a course.

    Parameters
    ----------
    course : path_like
        Its folder. Below it stand ``source``, ``release``, ``submitted``, ``autograded`` and ``gradebook.db``.
    is_sandboxed : bool, optional
        Whether notebooks run under bubblewrap. If it does not work on this machine, none of them runs.
    cell_seconds : int, optional
        After so long a cell is interrupted.

    Returns
    -------
    traitlets.config.Config
    """
    config = Config()
    config.CourseDirectory.root = str(Path(course).resolve())
    # In this order, and the names only: what is not needed (a kernel, a gradebook) is not imported either.
    execute = "SandboxedExecute" if is_sandboxed else "UnprotectedExecute"
    config.Autograde.autograde_preprocessors = [
        f"assignments.tools.sandbox.{execute}",
        "assignments.tools.sandbox.ErrorsAlone",
        "nbconvert.preprocessors.ClearMetadataPreprocessor",
        "nbgrader.preprocessors.LimitOutput",
        "nbgrader.preprocessors.SaveAutoGrades",
        "nbgrader.preprocessors.AssignLatePenalties",
        "nbgrader.preprocessors.CheckCellMetadata",
    ]
    config.Execute.timeout = cell_seconds
    config.ExchangeFactory.collect = "assignments.tools.exchange.CarefulCollect"
    config.ExchangeFactory.release_feedback = "assignments.tools.exchange.CarefulReleaseFeedback"
    config.OverwriteCells.add_missing_cells = True
    config.ClearMetadataPreprocessor.preserve_cell_metadata_mask = ["nbgrader", "deletable", "editable"]
    # For nbgrader's own command; its pages load MathJax from another host, those of `make grade` load nothing.
    config.GenerateFeedback.preprocessors = [
        "nbgrader.preprocessors.GetGrades",
        "assignments.tools.feedback.HideTests",
        "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
    ]
    return config


def run_converter(converter, config, *, assignment, student="*"):
    """Run one of nbgrader's converters, such as `Autograde`, for one assignment.

    Raises
    ------
    ConverterError
        If it fails, with its log.
    """
    # nbgrader calls alembic by name when it makes a gradebook, and this Python's folder need not be on the path.
    scripts = str(Path(sys.executable).parent)
    if scripts not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([scripts, os.environ.get("PATH", "")])
    folder = CourseDirectory(config=config)
    folder.assignment_id, folder.student_id = assignment, student
    app = converter(coursedir=folder, config=config)
    app.force = True
    result = capture_log(app)
    if not result["success"]:
        raise ConverterError(f"{result.get('log', '')}\n{result['error']}")


def gradebook_url(course):
    """Return SQLAlchemy's address of the gradebook of a course."""
    return f"sqlite:///{Path(course).resolve() / 'gradebook.db'}"


def back_up(course):
    """Copy the gradebook into ``backups``, and keep the `N_BACKUPS` last ones.

    Returns
    -------
    Path or None
        The copy; None if there is no gradebook yet.
    """
    gradebook = Path(course) / "gradebook.db"
    if not gradebook.is_file():
        return None
    folder = Path(course) / "backups"
    folder.mkdir(exist_ok=True)
    copy = folder / f"gradebook-{datetime.now():%Y%m%d-%H%M%S-%f}.db"
    # SQLite's own copy is whole even if the last run was killed while it wrote.
    with closing(sqlite3.connect(gradebook)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    for old in sorted(folder.glob("gradebook-*.db"))[:-N_BACKUPS]:
        old.unlink()
    return copy


@contextmanager
def only_run(course):
    """Hold the course's lock, so that no two runs write into one gradebook.

    Raises
    ------
    BlockingIOError
        If another run holds it.
    """
    Path(course).mkdir(parents=True, exist_ok=True)
    with open(Path(course) / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
