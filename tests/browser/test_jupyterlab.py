"""A widget in JupyterLab with a kernel: Python hears of the reader's moves, and the reader sees Python's."""

import json
import os
import secrets
import signal
import subprocess
import sys
import time

import nbformat
import pytest

CELLS = [
    "from utils.widgets import SimilarityExplorer\n"
    "widget = SimilarityExplorer(items=[[3, -0.5], [0.4, 0.5], [0.3, 1.2]], labels=['a', 'b', 'c'])\n"
    "log = []\n"
    "widget.observe(lambda change: log.append(change['new']), names='query')\n"
    "widget",
    "import json\n"
    "from pathlib import Path\n"
    "Path('seen.json').write_text(json.dumps([log, widget.query, widget.describe()]))",
    "widget.query = [0.0, 2.0]",
]


def wait_for(happens, process, seconds=20):
    """Return the first true answer of `happens`; fail when there is none in time, or the server has ended."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        if answer := happens():
            return answer
        time.sleep(0.1)
    pytest.fail(f"waited {seconds} s in vain (exit status of JupyterLab: {process.poll()})")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """JupyterLab's folder: one notebook, and settings that ask no other host."""
    folder = tmp_path_factory.mktemp("lab")
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    kernel = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), folder / "widget.ipynb")
    settings = folder / "config" / "labconfig"
    settings.mkdir(parents=True)
    quiet = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}
    (settings / "default_setting_overrides.json").write_text(json.dumps(quiet))
    return folder


@pytest.fixture(scope="module")
def lab(folder):
    """Process and address of a JupyterLab of our own, on a free port of this machine."""
    token = secrets.token_hex(16)
    places = {f"JUPYTER_{name.upper()}_DIR": str(folder / name) for name in ("config", "data", "runtime")}
    environment = {**os.environ, **places, "IPYTHONDIR": str(folder / "ipython"), "JUPYTER_TOKEN": token}
    environment.pop("BOOK_STATIC_WIDGETS", None)
    with (folder / "log.txt").open("w") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
                *("--ServerApp.ip=127.0.0.1", "--ServerApp.port=0", f"--ServerApp.root_dir={folder}"),
                "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
                "--LabApp.expose_app_in_browser=True",
            ],
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        file = wait_for(lambda: next((folder / "runtime").glob("jpserver-*.json"), None), process)
        server = wait_for(lambda: file.read_text() and json.loads(file.read_text()), process)
        yield process, f"{server['url']}lab/tree/widget.ipynb?reset&token={token}"
    finally:
        process.send_signal(signal.SIGTERM)  # it ends its kernel, then itself
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def run_cell(page, index):
    """Select a cell, as a click on it does, and run it."""
    page.evaluate(
        """async (index) => {
          jupyterapp.shell.currentWidget.content.activeCellIndex = index;
          await jupyterapp.commands.execute("notebook:run-cell");
        }""",
        index,
    )


def test_widget_talks_with_python_both_ways(open_page, lab, folder):
    process, url = lab
    page = open_page(url)
    page.wait_for_function(
        "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'", timeout=40_000
    )

    run_cell(page, 0)
    root = page.locator(".book-widget[data-widget=similarity][data-ready=true]")
    root.wait_for(timeout=20_000)
    before = root.get_by_role("status").inner_text()
    handle = root.get_by_role("slider", name="Query")
    handle.press("ArrowRight")
    assert handle.get_attribute("aria-valuetext") == "x 1.1, y 1.0"

    run_cell(page, 1)
    log, query, said = wait_for(
        lambda: (folder / "seen.json").exists() and json.loads((folder / "seen.json").read_text() or "0"), process
    )
    assert log == [[1.1, 1.0]]
    assert query == [1.1, 1.0]
    assert said.startswith("Items ranked for the query (1.1, 1).")

    run_cell(page, 2)
    page.wait_for_function(
        "document.querySelector('.book-widget [role=slider]').ariaValueText === 'x 0.0, y 2.0'", timeout=20_000
    )
    assert root.get_by_role("status").inner_text() != before
    assert root.bounding_box()["height"] > 100
    assert [text for text in page.complaints if "widget" in text.lower()] == []
