"""Start a Jupyter of our own, and wait for its pages."""

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

from tests.built_book import ROOT


def private_environment(home):
    """Return the environment variables of a reader who has this book and no settings.

    Parameters
    ----------
    home : Path
        The reader's own folder, for settings and the like.

    Returns
    -------
    dict
        Name → value.
    """
    foreign = ("JUPYTER", "IPYTHON", "BOOK_STATIC_WIDGETS")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {**environment, "HOME": str(home), "PYTHONPATH": str(ROOT)}


@contextmanager
def running_jupyter(folder, environment, application="jupyterlab", prefix=()):
    """Run JupyterLab or Notebook on a free port of this machine.

    Parameters
    ----------
    folder : Path
        What it shows; its own files go there too.
    environment : dict
        Environment variables.
    application : {"jupyterlab", "notebook"}, optional
        The module that starts it.
    prefix : tuple of str or Path, optional
        A command that starts the command in its arguments.

    Yields
    ------
    address : str
        Where it listens.
    token : str
        What a page's address needs to be let in.
    """
    runtime = folder / "runtime"
    process = subprocess.Popen(
        [
            *(*prefix, sys.executable, "-m", application, "--no-browser", "--allow-root"),
            *("--ServerApp.ip=127.0.0.1", "--ServerApp.port=0", f"--ServerApp.root_dir={folder}"),
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            *("--LabApp.expose_app_in_browser=True", "--JupyterNotebookApp.expose_app_in_browser=True"),
        ],
        cwd=folder,
        env={**environment, "JUPYTER_RUNTIME_DIR": str(runtime), "JUPYTER_TOKEN": secrets.token_hex(16)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        end = time.monotonic() + 30
        while not (files := [file for file in runtime.glob("jpserver-*.json") if file.read_text()]):
            assert process.poll() is None, f"{application} ended with status {process.returncode}"
            assert time.monotonic() < end, f"{application} did not start within 30 s"
            time.sleep(0.1)
        server = json.loads(files[0].read_text())
        yield server["url"], server["token"]
    finally:
        process.send_signal(signal.SIGTERM)  # it ends its kernels, then itself
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_for_kernel(page):
    """Wait until the notebook of a page is open and its kernel has nothing to do."""
    page.wait_for_function(
        "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'", timeout=60_000
    )
