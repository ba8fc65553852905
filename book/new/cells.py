"""Lint and format the cells of pages with ruff, as modules are: ``python book/new/cells.py als`` rewrites the page.

A page becomes a notebook on the way, so that ruff knows what may stand in a cell: an import further down, or an
expression that is shown. Cells that are no Python, such as one that is broken on purpose, stay as they are.
"""

import argparse
import ast
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import jupytext

ROOT = Path(__file__).parents[2]

#: Characters of a line. At 1280 px a built page has room for 80; longer lines wrap there, and should be rare in sight.
LINE_LENGTH = 88

#: What ruff is asked, on top of what it finds in modules: nothing about docstrings, prints or long texts.
SELECT, IGNORE = "E,F,W,I,B,UP,NPY,RUF,SIM,C4", "E501,RUF001,RUF002,RUF003,B905"

CELL = re.compile(
    r"^(?P<fence>`{3,})\{code-cell\}[^\n]*\n"
    r"(?P<options>---\n.*?^---\n|(?::[\w-]+:[^\n]*\n)*)"
    r"(?P<source>.*?)"
    r"^(?P=fence)$",
    flags=re.MULTILINE | re.DOTALL,
)


def has_cells(path):
    """Say whether a page is a notebook."""
    return path.suffix == ".md" and CELL.search(path.read_text(encoding="utf-8")) is not None


def is_python(source):
    """Say whether a cell can be read."""
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return bool(source.strip())


def ruff(folder, *arguments):
    """Run ruff on the page that stands in a folder as a notebook; return what it says."""
    command = [sys.executable, "-m", "ruff", *arguments, "--config", str(ROOT / "pyproject.toml"), "page.ipynb"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"expected ruff to run, received exit code {done.returncode}: {done.stderr}")
    return done.stdout


def tidy(text):
    """Format the cells of a page, mend what ruff mends by itself, and say what else it finds.

    Parameters
    ----------
    text : str
        A page in MyST Markdown.

    Returns
    -------
    text : str
        The page with its cells mended.
    findings : list of str
        A line each: what is wrong, and the line of the page where it is.
    """
    cells = list(CELL.finditer(text))
    n_cells = sum(cell.cell_type == "code" for cell in jupytext.reads(text, "md:myst").cells)
    if len(cells) != n_cells:
        raise ValueError(f"expected {n_cells} cells, as jupytext reads them, received {len(cells)}; mend CELL")
    readable = [cell for cell in cells if is_python(cell["source"])]
    with tempfile.TemporaryDirectory() as folder:
        notebook = Path(folder) / "page.ipynb"
        notebook.write_text(json.dumps(as_notebook([cell["source"].rstrip("\n") for cell in readable])))
        rules = ("--select", SELECT, "--ignore", IGNORE, "--config", "lint.isort.known-first-party = ['utils']")
        ruff(folder, "check", "--fix", "--quiet", *rules)
        ruff(folder, "format", "--quiet", "--line-length", str(LINE_LENGTH))
        said = ruff(folder, "check", "--output-format", "json", *rules)
        sources = ["".join(cell["source"]) for cell in json.loads(notebook.read_text())["cells"]]
    for cell, source in reversed(list(zip(readable, sources))):
        begin, end = cell.span("source")
        text = f"{text[:begin]}{source.rstrip()}\n{text[end:]}"
    starts = [
        text.count("\n", 0, cell.start("source")) + 1 for cell in CELL.finditer(text) if is_python(cell["source"])
    ]
    findings = [
        f"line {starts[found['cell'] - 1] + found['location']['row'] - 1}: {found['code']} {found['message']}"
        for found in json.loads(said)
    ]
    return text, findings


def as_notebook(sources):
    """Return a notebook of such cells, as JSON wants it."""
    cell = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"language_info": {"name": "python"}},
        "cells": [{**cell, "id": f"c{n}", "source": source} for n, source in enumerate(sources)],
    }


def main(arguments=None):
    """Format the pages named, or all; print what remains to be mended, and return the number of findings."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("slugs", nargs="*", help="chapters; all pages with cells if left out")
    slugs = parser.parse_args(arguments).slugs
    pages = [ROOT / "chapters" / f"{slug}.md" for slug in slugs] or [*filter(has_cells, all_pages())]
    n_findings = 0
    for page in pages:
        before = page.read_text(encoding="utf-8")
        after, findings = tidy(before)
        if after != before:
            page.write_text(after, encoding="utf-8")
            print(f"{page.relative_to(ROOT)}: formatted")
        for finding in findings:
            print(f"{page.relative_to(ROOT)}, {finding}")
        n_findings += len(findings)
    return n_findings


def all_pages():
    """Return all pages of the book that may have cells."""
    return sorted([*(ROOT / "chapters").glob("*.md"), *(ROOT / "book").glob("*.md")])


if __name__ == "__main__":
    sys.exit(min(main(), 1))
