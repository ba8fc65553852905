"""Mark one submission, in a process of its own: whatever happens here, the run of the class goes on."""

import ctypes
import json
import os
import resource
import signal
import sys

from nbgrader.converters import Autograde

from assignments.tools.course import ConverterError, configuration, run_converter
from assignments.tools.sandbox import ENVIRONMENT, MEMORY, PACKAGE

MAX_FILE = 512 * 2**20  # bytes of any file that is written


def work(course, assignment, student, *, cell_seconds, is_sandboxed, result, log):
    """Let nbgrader run and mark one submission; called in a new process.

    Parameters
    ----------
    course : Path
        The folder of the course, where the submission stands in ``submitted``.
    assignment, student : str
        Which one.
    cell_seconds : int
        After so long a cell is interrupted.
    is_sandboxed : bool
        Whether the notebook runs under bubblewrap.
    result : Path
        Gets the outcome as JSON: ``is_done``, and ``log`` if it is not. If this process dies, there is no such file.
    log : Path
        Gets what this process and the kernel print.
    """
    os.setsid()  # so that it can be ended with all that it started
    _limit_this_process()
    with open(log, "w", encoding="utf-8") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    os.environ.update({name: value for name, value in ENVIRONMENT.items() if name.endswith("THREADS")})
    os.environ["PYTHONPATH"] = str(PACKAGE.parent)
    config = configuration(course, is_sandboxed=is_sandboxed, cell_seconds=cell_seconds)
    outcome = {"is_done": True}
    try:
        run_converter(Autograde, config, assignment=assignment, student=student)
    except ConverterError as error:
        outcome = {"is_done": False, "log": str(error)}
    result.write_text(json.dumps(outcome), encoding="utf-8")


def _limit_this_process():
    """Limit memory and files, also of the kernel to come, and die with the run of the class."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_FILE, MAX_FILE))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
