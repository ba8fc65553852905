"""The cells of pages: linted and formatted as modules are, short where they are in sight, and shown for a reason."""

import re
from statistics import median

import pytest

from book.new import cells
from tests.built_book import ROOT

PAGES = [page.relative_to(ROOT) for page in cells.all_pages() if cells.has_cells(page)]
CHAPTERS = re.findall(r"file: chapters/(\w+)", (ROOT / "_toc.yml").read_text(encoding="utf-8"))

#: Lines of a cell in sight: what its chapter may have on the median, and in any.
LINES_MEDIAN, LINES_ANY = 10, 25

PAGE = """---
jupytext:
  text_representation: {extension: .md, format_name: myst}
kernelspec: {display_name: Python 3, language: python, name: python3}
---

# A page

```{code-cell} ipython3
:tags: [hide-input]
CELL
```

Text with `code = 'that stays'`.

```{code-cell} ipython3
---
mystnb:
  image: {alt: A picture.}
---
x = 'y'   # a comment
```
"""


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_cells_are_linted_and_formatted(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    tidied, findings = cells.tidy(text)
    assert findings == []
    assert tidied == text, f"run python book/new/cells.py {page.stem}"


def test_tidy_formats_cells_and_nothing_else():
    text, findings = cells.tidy(PAGE.replace("CELL", "a=[1,2]"))
    assert findings == []
    assert text == PAGE.replace("CELL", "a = [1, 2]").replace("x = 'y'   #", 'x = "y"  #')


def test_tidy_says_the_line_of_the_page():
    source = "functions = []\nfor n in range(3):\n    functions.append(lambda: n)"
    _, findings = cells.tidy(PAGE.replace("CELL", source))
    assert [finding.split(" Function")[0] for finding in findings] == ["line 13: B023"]


def test_tidy_knows_what_may_stand_in_a_cell():
    text = PAGE.replace("CELL", "import math\n\nmath.pi").replace("x = 'y'   # a", "import re\n\nre.I  # a")
    assert cells.tidy(text) == (text, [])


def test_tidy_leaves_alone_what_is_no_python():
    text, findings = cells.tidy(PAGE.replace("CELL", "def f(:"))
    assert "\ndef f(:\n" in text
    assert findings == []


def test_tidy_removes_an_import_that_nothing_uses():
    text, _ = cells.tidy(PAGE.replace("CELL", "import math\n\ny = 1"))
    assert "import math" not in text


def lines_in_sight(soup):
    """Return the number of lines of each cell that a reader sees without opening anything."""
    blocks = soup.select("article div.cell_input pre")
    open_blocks = [block for block in blocks if not block.find_parent("details", class_=lambda name: name != "deeper")]
    return [sum(1 for line in block.get_text().split("\n") if line.strip()) for block in open_blocks]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_cells_in_sight_are_short(soups, chapter):
    lines = lines_in_sight(soups[f"chapters/{chapter}.html"])
    assert len(lines) > 3
    assert median(lines) <= LINES_MEDIAN
    assert [n for n in lines if n > LINES_ANY] == []
