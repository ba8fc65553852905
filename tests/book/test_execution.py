"""How the build executes: in parallel, once, again only when it must, and never past a failing cell."""

import copy
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import nbformat
import pytest
from book_execution import KERNEL_ENVIRONMENT, execution_key, peak_memory
from book_execution import execute as execute_here
from jupyter_cache import get_cache
from nbclient import NotebookClient

from tests.built_book import ROOT

JUPYTER_BOOK = str(Path(sys.executable).with_name("jupyter-book"))

HEAD = """---
jupytext:
  text_representation: {extension: .md, format_name: myst}
kernelspec: {display_name: Python 3, language: python, name: python3}
---
"""
# Each page logs when its cell began and ended, so that the log shows what ran, and what ran at the same time.
CELL = """
```{{code-cell}} ipython3
import time
from pathlib import Path
log = Path({log!r})
begin = time.time()
time.sleep(1.5)
with log.open("a") as file:
    print({name!r}, begin, time.time(), file=file)
```
"""


class SmallBook:
    """A book of three pages, built by the same configuration and extensions as ours."""

    def __init__(self, folder):
        self.folder, self.log = folder, folder / "log.txt"
        for part in ("utils", "book/_ext", "book/_static", "book/_templates"):
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        for part in ("_config.yml", "requirements.txt", "book/references.bib"):
            shutil.copy(ROOT / part, folder / part)
        (folder / "_toc.yml").write_text("format: jb-book\nroot: index\nchapters: [{file: one}, {file: two}]\n")
        (folder / "index.md").write_text("# A small book\n")
        for name in ("one", "two"):
            self.write(name, f"# Page {name}\n" + CELL.format(log=str(self.log), name=name))

    def write(self, name, text):
        """Write a page with cells."""
        (self.folder / f"{name}.md").write_text(HEAD + text)

    def build(self):
        """Build; return the finished process and the names of the pages that ran, in order."""
        self.log.write_text("")
        process = subprocess.run(
            [
                JUPYTER_BOOK,
                "build",
                str(self.folder),
                "-W",
                "-n",
                "--keep-going",
                "-q",
            ],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(self.folder)},
            check=False,
        )
        return process, [line.split()[0] for line in self.log.read_text().splitlines()]


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """The small book, built once."""
    small = SmallBook(tmp_path_factory.mktemp("book"))
    process, ran = small.build()
    assert process.returncode == 0, process.stdout + process.stderr
    assert sorted(ran) == ["one", "two"]
    small.first_log = small.log.read_text()
    return small


# To build a book takes ten seconds however small it is, so each build answers all the questions that it can.


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one core runs one page at a time")
def test_pages_execute_at_the_same_time(book):
    (_, begin_1, end_1), (_, begin_2, end_2) = (line.split() for line in book.first_log.splitlines())
    assert max(float(begin_1), float(begin_2)) < min(float(end_1), float(end_2))


def test_only_a_page_whose_code_was_edited_executes_again_and_prose_is_new_all_the_same(book):
    one, two = book.folder / "one.md", book.folder / "two.md"
    one.write_text(one.read_text().replace("import time\n", "import time  # edited\n"))
    two.write_text(two.read_text() + "\nOne more sentence.\n")
    assert book.build()[1] == ["one"]
    assert "One more sentence." in (book.folder / "_build/html/two.html").read_text()


def test_an_edit_of_utils_executes_every_page(book):
    module = book.folder / "utils" / "checks.py"
    module.write_text(module.read_text() + "\n# edited\n")
    assert sorted(book.build()[1]) == ["one", "two"]


def test_a_failing_cell_fails_the_build_and_names_the_page(book):
    before = (book.folder / "two.md").read_text()
    book.write("two", "# Page two\n\n```{code-cell} ipython3\nassert 1 == 2, 'the claim is false'\n```\n")
    process, _ = book.build()
    (book.folder / "two.md").write_text(before)
    assert process.returncode != 0
    assert "1 page(s) with a failing cell" in process.stdout + process.stderr
    assert "the claim is false" in process.stdout + process.stderr


def test_a_figure_without_alternative_text_and_a_claim_left_out_are_warnings_and_fail_the_build(book):
    before = (book.folder / "two.md").read_text()
    cell = "import matplotlib.pyplot as plt\nplt.plot([1, 2]);"
    book.write("two", f"# Page two\n\n```{{code-cell}} ipython3\n{cell}\n```\n")
    (book.folder / "chapters").mkdir()
    (book.folder / "chapters" / "autoencoders.md").write_text("# A chapter without its claim\n")
    toc = book.folder / "_toc.yml"
    toc_before = toc.read_text()
    toc.write_text(toc_before.replace("{file: two}", "{file: two}, {file: chapters/autoencoders}"))
    process, _ = book.build()
    toc.write_text(toc_before)
    (book.folder / "two.md").write_text(before)
    assert process.returncode != 0
    warnings = [line for line in (process.stdout + process.stderr).splitlines() if "WARNING" in line]
    assert any("this picture has no alternative text" in line for line in warnings)
    assert any("claim M6 is listed for this chapter" in line for line in warnings)


def test_execution_key_follows_code_data_and_pins_but_not_front_ends(tmp_path):
    for part in ("utils/data", "utils/widgets", "book/results"):
        (tmp_path / part).mkdir(parents=True)
    files = ["requirements.txt", "utils/a.py", "utils/data/films.csv", "book/results/als.json"]
    for file in [*files, "utils/widgets/a.mjs"]:
        (tmp_path / file).write_text("1")
    keys = [execution_key(tmp_path)]
    for file in files:
        (tmp_path / file).write_text("2")
        keys.append(execution_key(tmp_path))
    assert len(set(keys)) == 5
    (tmp_path / "utils/widgets/a.mjs").write_text("2")
    assert execution_key(tmp_path) == keys[-1]


def test_peak_memory_counts_what_a_process_has_given_back():
    code = "block = bytearray(300_000_000); del block; print('ready', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        peak = peak_memory(process.pid)
        process.stdin.write(b"\n")
    if sys.platform == "linux":
        assert 300e6 < peak < 400e6
    else:
        assert peak is None


def execute(*arguments, **options):
    """Execute in a thread of its own, as the build does: in this one another test's browser may keep a loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(execute_here, *arguments, **options).result()


def executed_pages():
    """Return what the build of the whole book executed: (path of the page, executed notebook, data on its run)."""
    caches = sorted((ROOT / "_build").glob(".jupyter_cache-*"))
    cache = get_cache(caches[0]) if caches else None
    records = cache.list_cache_records() if cache else []
    current = [record for record in records if Path(record.uri).is_file()]
    newest = {record.uri: record for record in sorted(current, key=lambda record: record.created)}
    return [
        pytest.param(
            Path(uri),
            cache.get_cache_bundle(record.pk).nb,
            record.data,
            id=Path(uri).stem,
            marks=pytest.mark.xdist_group(f"again {Path(uri).stem}"),
        )
        for uri, record in sorted(newest.items())
    ]


def assert_gives_the_same_outputs_again(path, built, monkeypatch):
    for name, value in KERNEL_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    again = copy.deepcopy(built)
    execute(again, path, timeout=600)
    for before, after in zip(built.cells, again.cells):
        assert after.outputs == before.outputs, f"{path.name}: {before.source}"


def test_the_page_of_the_day_gives_the_same_outputs_when_it_runs_again(monkeypatch):
    pages = executed_pages()
    path, built, _ = pages[date.today().toordinal() % len(pages)].values
    assert_gives_the_same_outputs_again(path, built, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize(("path", "built", "data"), executed_pages())
def test_cells_give_the_same_outputs_when_they_run_again(path, built, data, monkeypatch):
    assert_gives_the_same_outputs_again(path, built, monkeypatch)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps a record of the peak")
def test_pages_run_in_less_than_a_gigabyte():
    peaks = {path.stem: data["peak_bytes"] for path, _, data in (page.values for page in executed_pages())}
    assert len(peaks) > 8
    assert {name: peak for name, peak in peaks.items() if peak >= 1e9} == {}


ONE_CELL = {"cell_type": "code", "source": "print(6 * 7)", "metadata": {}, "outputs": [], "execution_count": None}


def one_cell_notebook(source):
    return nbformat.from_dict(
        {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [{**ONE_CELL, "source": source}]}
    )


def test_execute_starts_a_second_kernel_if_the_first_one_never_answers(monkeypatch, tmp_path):
    real, starts = NotebookClient.async_start_new_kernel_client, []

    async def start(client):
        starts.append(client)
        if len(starts) == 1:
            await client._async_cleanup_kernel()
            raise RuntimeError("Kernel didn't respond in 120 seconds")
        return await real(client)

    monkeypatch.setattr(NotebookClient, "async_start_new_kernel_client", start)
    notebook = one_cell_notebook("print(6 * 7)")
    execute(notebook, tmp_path / "page.md", timeout=60)
    assert len(starts) == 2
    assert notebook.cells[0].outputs[0].text == "42\n"


def test_execute_does_not_run_a_page_again_whose_kernel_died(monkeypatch, tmp_path):
    runs = []

    async def die_in_the_first_cell(client):
        client.on_cell_execute()
        runs.append(client)
        raise RuntimeError("Kernel died")

    monkeypatch.setattr(NotebookClient, "async_execute", die_in_the_first_cell)
    with pytest.raises(RuntimeError, match="Kernel died"):
        execute(one_cell_notebook("print(6 * 7)"), tmp_path / "page.md", timeout=60)
    assert len(runs) == 1
