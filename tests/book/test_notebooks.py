"""The notebooks that readers download: plain Markdown, the build's numbers, and a first cell that installs."""

import json
import re

import nbformat
import pytest
from book_notebooks import glue_reader, make_notebook, number_equations, translate

from tests.built_book import HTML

PAGE = """---
kernelspec: {display_name: Python 3, language: python, name: python3}
---
(top)=
# ALS

Half of it is {glue:text}`share:.0%`. See [the data](../book/data.md#davis) and [this](#top).

```{code-cell} ipython3
:tags: [hide-input]
1 + 1
```
"""


def glued(content):
    return {"share:.0%": "50%"}[content]


@pytest.mark.parametrize(
    ("myst", "plain"),
    [
        ("{glue:text}`share:.0%` of {term}`films <film>`", "50% of films"),
        ("{math}`x^2` and {eq}`loss`, {cite:t}`hu2008`", "$x^2$ and (2), [hu2008]"),
        ("{py:func}`~utils.similarity.top_k`", "`utils.similarity.top_k`"),
        ("(a-place)=\n## Title", "## Title"),
        ("```{math}\n:label: loss\nx\n```", "$$\n\\tag{2}\nx\n$$"),
        ("```{math}\nx\n```", "$$\nx\n$$"),
        (
            ":::{dropdown} Answer\n:class: quiz\nYes.\n:::",
            "<details>\n<summary>Answer</summary>\n\nYes.\n\n</details>\n",
        ),
        ("```{admonition} Predict\n1. A\n2. B\n```", "> **Predict**\n>\n> 1. A\n> 2. B"),
        ("```{note}\nA {term}`word`.\n```", "> **Note**\n>\n> A word."),
        ("```python\n{term}`as it is`\n```", "```python\n{term}`as it is`\n```"),
        ("````{note}\n```{math}\nx\n```\n````", "> **Note**\n>\n> $$\n> x\n> $$"),
    ],
)
def test_translate_gives_plain_markdown(myst, plain):
    assert translate(myst, glued, {"loss": 2}) == plain


def test_number_equations_counts_labels_in_reading_order():
    assert number_equations(":label: b\n\n:label: a\n") == {"b": 1, "a": 2}


@pytest.mark.parametrize("content", ["share:.1f", "als.md::share:.1f", "../chapters/als.md::share:.1f"])
def test_glue_reader_finds_values_of_this_page_and_of_others(tmp_path, content):
    (tmp_path / "chapters").mkdir()
    values = {"share": {"data": {"text/plain": "0.25"}}}
    (tmp_path / "chapters" / "als.glue.json").write_text(json.dumps(values))
    docname = "chapters/als" if "::" not in content else "chapters/other"
    assert glue_reader(tmp_path, docname)(content) == "0.2"


def test_make_notebook_keeps_the_code():
    notebook = make_notebook(PAGE, "chapters/als", glued)
    (cell,) = (cell for cell in notebook.cells if cell.cell_type == "code")
    assert (cell.source, cell.metadata["tags"], cell.outputs) == ("1 + 1", ["hide-input"], [])


def test_make_notebook_links_to_pages_of_the_repository():
    text = make_notebook(PAGE, "chapters/als", glued, "reader/book").cells[1].source
    assert "[the data](https://github.com/reader/book/blob/main/book/data.md)" in text
    assert "[this](#top)" in text


def test_make_notebook_installs_first_where_the_repository_is_known():
    first = make_notebook(PAGE, "chapters/als", glued, "reader/book", "second-edition").cells[0]
    assert first.cell_type == "code"
    assert "git clone --quiet --depth 1 --branch second-edition https://github.com/reader/book.git book" in first.source


def test_make_notebook_installs_nothing_without_a_repository():
    assert "pip install" not in "".join(cell.source for cell in make_notebook(PAGE, "chapters/als", glued).cells)


NOTEBOOKS = sorted((HTML / "_sources").rglob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_built_notebook_is_valid_and_shows_no_myst(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert re.findall(r"\{[\w:]+\}`|[`:]{3,}\{.*", re.sub(r"`` .*? ``", "", prose)) == []
