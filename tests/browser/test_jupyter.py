"""A widget in JupyterLab and in Notebook 7: Python hears of the reader's moves, and the reader sees Python's."""

import json

import nbformat
import pytest

from tests.browser.jupyter import private_environment, running_jupyter, wait_for_kernel

MAKE, ASSIGN, TELL = range(3)
CELLS = {
    MAKE: (
        "from utils.widgets import SimilarityExplorer\n"
        "widget = SimilarityExplorer(items=[[3, -0.5], [0.4, 0.5], [0.3, 1.2]], labels=['a', 'b', 'c'])\n"
        "log = []\n"
        "widget.observe(lambda change: log.append(change['new']), names='query')\n"
        "widget"
    ),
    ASSIGN: "widget.query = [0.0, 0.4]",
    TELL: "import json\nprint(json.dumps([log, widget.query, widget.describe()]))",
}
#: The module that starts it, and where a notebook is in its addresses.
PATHS = {"jupyterlab": "lab/tree/", "notebook": "notebooks/"}

# Select a cell, as a click on it does, run it, and return what it prints.
RUN_CELL = """async (index) => {
  const notebook = jupyterapp.shell.currentWidget.content;
  notebook.activeCellIndex = index;
  await jupyterapp.commands.execute("notebook:run-cell");
  return notebook.model.sharedModel.toJSON().cells[index].outputs.map((output) => output.text).join("");
}"""


class Notebook:
    """A notebook that is open in a page, with all its cells run, and the widget in it."""

    def __init__(self, page):
        self.page = page
        wait_for_kernel(page)
        page.evaluate("jupyterapp.commands.execute('notebook:run-all-cells')")
        self.root = page.locator(".book-widget[data-widget=similarity][data-ready=true]")
        self.root.wait_for(timeout=20_000)
        self.handle = self.root.get_by_role("slider", name="Query")

    def run(self, cell):
        """Run a cell, and return what it prints."""
        return self.page.evaluate(RUN_CELL, cell)

    def status(self):
        """Return the widget's sentence."""
        return self.root.get_by_role("status").inner_text()

    def wait_for_query(self, words):
        """Wait until the handle stands there."""
        script = "words => document.querySelector('.book-widget circle[role=slider]').ariaValueText === words"
        self.page.wait_for_function(script, arg=words, timeout=20_000)


@pytest.fixture(scope="module", params=["jupyterlab", pytest.param("notebook", marks=pytest.mark.slow)])
def address(request, tmp_path_factory):
    """Address of a notebook, in each application."""
    home = tmp_path_factory.mktemp(request.param)
    cells = [nbformat.v4.new_code_cell(CELLS[index]) for index in sorted(CELLS)]
    kernel = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), home / "widget.ipynb")
    with running_jupyter(home, private_environment(home), request.param) as (url, token):
        yield f"{url}{PATHS[request.param]}widget.ipynb?reset&token={token}"


@pytest.fixture
def notebook(open_page, address):
    return Notebook(open_page(address))


def test_widget_talks_with_python_both_ways(notebook):
    notebook.wait_for_query("x 0.0, y 0.4")  # as the second cell has it
    first = notebook.status()
    assert notebook.root.bounding_box()["height"] > 100

    notebook.handle.press("Shift+ArrowDown")
    notebook.wait_for_query("x 0.0, y -0.1")  # the other way round, and so are the rankings
    moved = notebook.status()
    log, query, said = json.loads(notebook.run(TELL))
    assert log == [[0.0, 0.4], [0.0, -0.1]]
    assert query == [0.0, -0.1]
    assert moved != first
    assert moved.endswith(said.split("). ")[1])

    notebook.run(ASSIGN)
    notebook.wait_for_query("x 0.0, y 0.4")
    assert notebook.status() == first
    assert [text for text in notebook.page.complaints if "widget" in text.lower()] == []


def test_keys_pressed_in_a_widget_do_nothing_to_the_notebook(notebook):
    notebook.wait_for_query("x 0.0, y 0.4")
    notebook.handle.focus()
    for key in ("ArrowDown", "d", "d", "ArrowDown"):  # an arrow would leave the cell, and "d" twice would delete it
        notebook.page.keyboard.press(key)
    notebook.wait_for_query("x 0.0, y 0.2")
    assert notebook.handle.evaluate("handle => handle === document.activeElement")
    assert notebook.page.evaluate("jupyterapp.shell.currentWidget.content.widgets.length") == len(CELLS)
