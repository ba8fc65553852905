"""Run the commands of `assignments.tools`: as Make does, or in a process that has imported everything already."""

import multiprocessing
import os
import shlex
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

from assignments.tools import grade  # sets what its own workers import, and must do so before it is set here
from assignments.tools.__main__ import main
from tests.built_book import ROOT

# One process imports nbgrader, which takes two seconds, and every command is a fork of it.
COMMANDS = multiprocessing.get_context("forkserver")
COMMANDS.set_forkserver_preload([__name__])


def tools(*arguments, **changes):
    """Run a command as ``python -W ignore -m assignments.tools`` would; return the finished process.

    Parameters
    ----------
    *arguments : str or path_like
        Of the command.
    **changes : str
        Variables of its environment.
    """
    with tempfile.TemporaryDirectory() as folder:
        said = Path(folder) / "stdout", Path(folder) / "stderr"
        process = COMMANDS.Process(target=_command, args=(list(map(str, arguments)), changes, said))
        process.start()
        process.join()
        done = subprocess.CompletedProcess(arguments, process.exitcode, *(path.read_text() for path in said))
        process.close()
    return done


def _command(arguments, changes, said):
    for number, path in enumerate(said, 1):
        with open(path, "w") as file:
            os.dup2(file.fileno(), number)
    os.environ.update(changes)
    os.chdir(ROOT)
    warnings.simplefilter("ignore")
    grade.WORKERS = multiprocessing.get_context("fork")  # and so is every submission that it marks
    sys.exit(main(arguments))


def make(target, **settings):
    """Run what a Make target runs, except for the set-up, with this Python; return the finished process."""
    command = ["make", "--dry-run", "--no-print-directory", target, *(f"{k}={v}" for k, v in settings.items())]
    lines = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    python, *arguments = shlex.split(lines[-1])
    assert python == ".venv/bin/python"
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
