"""Mark one submission, in a process of its own: whatever happens here, the run of the class goes on.

``python -m assignments.tools.autograde COURSE ASSIGNMENT STUDENT RESULT CELL_SECONDS sandbox|no-sandbox`` writes its
outcome to the file RESULT, as JSON.
"""

import ctypes
import json
import resource
import signal
import sys
from pathlib import Path

from assignments.tools.course import ConverterError, configuration, run_converter
from assignments.tools.sandbox import MEMORY

MAX_FILE = 512 * 2**20  # bytes of any file that is written


def autograde(course, assignment, student, *, cell_seconds, is_sandboxed):
    """Let nbgrader run and mark one submission.

    Returns
    -------
    dict
        ``is_done``, and ``log``: what nbgrader said.
    """
    from nbgrader.converters import Autograde

    config = configuration(course, is_sandboxed=is_sandboxed, cell_seconds=cell_seconds)
    try:
        run_converter(Autograde, config, assignment=assignment, student=student)
    except ConverterError as error:
        return {"is_done": False, "log": str(error)}
    return {"is_done": True, "log": ""}


def _limit_this_process():
    """Limit memory and files, also of the kernel to come, and die with the run of the class."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_FILE, MAX_FILE))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


if __name__ == "__main__":
    _limit_this_process()
    course, assignment, student, result, cell_seconds, mode = sys.argv[1:]
    outcome = autograde(
        Path(course), assignment, student, cell_seconds=int(cell_seconds), is_sandboxed=mode != "no-sandbox"
    )
    Path(result).write_text(json.dumps(outcome), encoding="utf-8")
