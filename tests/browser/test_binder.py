"""The path of the Binder button: JupyterLab opens a page as a notebook, and every cell of it runs.

repo2docker installs `.binder/requirements.txt`, runs `.binder/postBuild` once, and starts the server through
`.binder/start`. Here the environment of the tests stands in for the image; the rest is done as repo2docker does it.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from book_launch import launch_links

from tests.browser.jupyter import private_environment, running_jupyter, wait_for_kernel
from tests.built_book import ROOT

pytestmark = pytest.mark.slow

RUN_ALL = """async () => {
  await jupyterapp.commands.execute("notebook:run-all-cells");
  const cells = jupyterapp.shell.currentWidget.content.model.sharedModel.toJSON().cells;
  return cells.filter((cell) => cell.cell_type === "code" && cell.source.trim());
}"""


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """A copy of the pages, as the image has them, after `postBuild`; and the environment variables."""
    home = tmp_path_factory.mktemp("image")
    for folder in (".binder", "book", "chapters"):
        if (ROOT / folder).is_dir():
            shutil.copytree(ROOT / folder, home / folder, ignore=shutil.ignore_patterns("_ext", "__pycache__"))
    environment = private_environment(home)
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run([home / ".binder" / "postBuild"], cwd=home, env=environment, check=True, capture_output=True)
    return home, environment


@pytest.fixture(scope="module")
def lab(image):
    """Address and token of a JupyterLab that was started as in the image."""
    home, environment = image
    with running_jupyter(home, environment, prefix=(home / ".binder" / "start",)) as server:
        yield server


@pytest.fixture
def open_notebook(open_page, lab):
    """Open a page by the path that its Binder button has, and wait for the kernel."""
    url, token = lab

    def open_(source):
        path = launch_links(source, "reader/book", "main")[0]["url"].split("urlpath=")[1]
        page = open_page(f"{url}{path}?reset&token={token}", height=2000)
        page.set_default_timeout(60_000)
        wait_for_kernel(page)
        return page

    return open_


@pytest.mark.parametrize("source", ["book/data.md", "book/index.md"])
def test_binder_button_opens_a_page_that_runs(open_notebook, source):
    cells = open_notebook(source).evaluate(RUN_ALL)
    assert cells
    assert [cell["source"] for cell in cells if not cell["execution_count"]] == []
    assert [output for cell in cells for output in cell["outputs"] if output["output_type"] == "error"] == []


def test_front_page_shows_a_widget_that_is_alive(open_notebook):
    page = open_notebook("book/index.md")
    page.evaluate(RUN_ALL)
    handle = page.locator(".jp-OutputArea .book-widget").get_by_role("slider", name="Query")
    before = handle.get_attribute("aria-valuetext")
    handle.press("ArrowRight")
    assert handle.get_attribute("aria-valuetext") != before


def test_start_gives_a_kernel_one_thread(image):
    home, environment = image
    show = "import os; print(os.environ['OMP_NUM_THREADS'], os.environ['OPENBLAS_NUM_THREADS'])"
    command = [home / ".binder" / "start", sys.executable, "-c", show]
    assert subprocess.check_output(command, env=environment, text=True) == "1 1\n"
