"""What is folded by itself, what its summary says, and that nothing is lost by it."""

import json

import pytest
from book_deeper import fold_section
from book_folds import choose_folds, describe_check, fold_cells
from docutils import nodes

from tests.built_book import HTML, ROOT

IMPORTS = """import matplotlib.pyplot as plt
import numpy as np
from myst_nb import glue
from sklearn.linear_model import Ridge

from utils.als import fit_explicit
from utils.book.claims import record_claim
from utils.book.plotting import colour, use_book_style

SEEDS = (0, 1, 2)
use_book_style()"""
FIT = "model = fit_explicit(stars, 8, penalty=1)\nlosses = model.losses"


def summary_of(source, *later, before=FIT):
    """Return the summary of the fold of a cell between imports, a fit and others, or None."""
    return choose_folds([IMPORTS, before, source, *later]).get(2)


def test_imports_style_and_constants_are_folded():
    assert choose_folds([IMPORTS]) == {0: "Imports (9 lines)"}


@pytest.mark.parametrize("line", ["rng = np.random.default_rng(0)", "stars = load()", "print(1)", "def f(): pass"])
def test_imports_with_anything_else_stay_open(line):
    assert choose_folds([f"{IMPORTS}\n{line}"]) == {}


@pytest.mark.parametrize(
    ("source", "summary"),
    [
        ("assert losses[0] > losses[-1]", "Check"),
        ("# The loss never rises.\nassert (np.diff(losses) <= 0).all()", "Check: the loss never rises"),
        ("np.testing.assert_allclose(fit_explicit(stars, 8).losses, losses)", "Check"),
        ("fall = losses[0] - losses[-1]\nassert fall > 0\nglue('fall', float(fall), display=False)", "Check"),
        ("glue('last', losses[-1], display=False)", "Numbers for the text"),
        ("assert losses[-1] < 1\nrecord_claim('M3', 'holds', 'it does')", "Check: claim M3"),
        ("for loss in losses:\n    assert loss > 0", "Check"),
        ("record_claim('A1', 'holds', '.')\nrecord_claim(\n    'A2', 'holds', '.')", "Check: claims A1, A2"),
    ],
)
def test_checks_are_folded(source, summary):
    assert summary_of(source) == summary


@pytest.mark.parametrize(
    "source",
    [
        "figure, axes = plt.subplots()\naxes.plot(losses)\naxes.set_xlabel('half-steps')",
        "figure, axes = plt.subplots(1, 2)\nfor ax, run in zip(axes, runs):\n    ax.plot(run, color=colour('red'))",
        "plt.plot(losses)\nassert losses[0] > 0",
        "def panel(ax, line):\n    ax.plot(line)\n\nfigure, axes = plt.subplots()\npanel(axes, losses)",
    ],
)
def test_cells_that_only_draw_are_folded(source):
    assert summary_of(source) == "Draw the figure"


@pytest.mark.parametrize(
    ("source", "summary"),
    [
        (
            "rows = [f'| {n} | {loss:.2f} |' for n, loss in enumerate(losses)]\nMarkdown('\\n'.join(rows))",
            "Make the table",
        ),
        ("for n, loss in enumerate(losses):\n    print(f'{n:3} {loss:8.2f}')", "Print the table"),
    ],
)
def test_cells_that_only_make_a_table_are_folded(source, summary):
    assert summary_of(source) == summary


@pytest.mark.parametrize(
    "source",
    [
        "model = fit_explicit(stars, 16, penalty=1)\nplt.plot(model.losses)",  # the knob that is turned
        "figure, axes = plt.subplots()\naxes.plot(Ridge().fit(x, y).coef_)",  # the library's call
        "assert model.scores([0]).shape == (1, 3)\nscores = model.scores([0])",
        "print(losses[-1])",  # a result, in one line
        "print(losses[0])\nassert losses[0] > 0",
        "def half_step(matrix, fixed):\n    return np.linalg.lstsq(fixed, matrix)[0]",
        "losses.max()",
        "noise = rng.standard_normal(3)\nplt.plot(noise)",
        "%matplotlib inline\nplt.plot(losses)",
        "",
    ],
)
def test_cells_that_teach_stay_open(source):
    assert summary_of(source) is None


def test_own_function_of_an_earlier_cell_is_no_plumbing():
    before = f"{FIT}\ndef experiment(penalty):\n    return penalty * 2"
    assert summary_of("plt.plot([experiment(p) for p in SEEDS])", before=before) is None


def test_cell_that_defines_what_a_cell_in_sight_uses_stays_open():
    draw = "best = losses.min()\nplt.plot(losses)"
    assert summary_of(draw) == "Draw the figure"
    assert summary_of(draw, "assert best > 0") == "Draw the figure"  # a check is folded too
    assert summary_of(draw, "fit_explicit(stars, 8, penalty=best)") is None


def test_cell_that_must_open_opens_what_it_needs_in_turn():
    cells = [IMPORTS, "a = 1\nplt.plot(a)", "b = a + 1\nplt.plot(b)", "fit_explicit(b)"]
    assert list(choose_folds(cells)) == [0]


def test_cells_that_the_author_leaves_open_stay_open():
    assert choose_folds([IMPORTS, "assert 1 < 2"], is_open=[1]) == {0: "Imports (9 lines)"}


def test_describe_check_keeps_a_capital_that_belongs():
    assert describe_check("# ALS and SGD agree\nassert a == b") == "Check: ALS and SGD agree"


def code_cell(source, *classes, output="1", **attributes):
    """Return a cell as MyST-NB leaves it on a page that has been read."""
    code = nodes.container("", nodes.literal_block(text=source), nb_element="cell_code_source")
    result = nodes.container("", nodes.paragraph(text=output), nb_element="cell_code_output")
    return nodes.container("", code, result, nb_element="cell_code", classes=["cell", *classes], **attributes)


def folded(*cells):
    """Return summary and content of each cell's fold, or None."""
    document = nodes.section("", *cells)
    fold_cells(None, document)
    folds = [cell.children[0] for cell in cells]
    return [(f["summary"], f.astext()) if "summary" in f.attributes else None for f in folds]


def test_fold_cells_leaves_the_output_in_sight():
    assert folded(code_cell("assert True")) == [("Check", "assert True")]


UNTITLED = "Show code cell {type}"


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (code_cell("assert True", "tag_show"), None),
        (code_cell("x = f()", hide_mode="input", prompt_show=UNTITLED), ("Show the code", "x = f()")),
        (code_cell("x = f()", hide_mode="input", prompt_show="Two fits"), ("Two fits", "x = f()")),
        (
            code_cell("# Fit it\nx = f()", hide_mode="input", prompt_show=UNTITLED),
            ("Fit it", "# Fit it\nx = f()"),
        ),
        (code_cell("assert True", hide_mode="input", prompt_show=UNTITLED), ("Check", "assert True")),
        (code_cell("x = f()", hide_mode="all", prompt_show=UNTITLED), ("Solution", "x = f()\n\n1")),
    ],
)
def test_what_the_author_says_wins(cell, expected):
    assert folded(cell) == [expected]


def test_solutions_are_told_from_code_that_the_switch_shows():
    cell = code_cell("x = f()", hide_mode="all", prompt_show=UNTITLED)
    folded(cell)
    assert cell.children[0]["classes"] == ["book-solution"]


def test_fold_section_keeps_the_heading_in_the_summary():
    section = nodes.section("", nodes.title(text="Deeper: why"), nodes.paragraph(text="Because."), ids=["deeper-why"])
    fold_section(section)
    assert [type(child).__name__ for child in section] == ["raw", "title", "raw", "paragraph", "raw"]
    assert "".join(child.astext() for child in section if isinstance(child, nodes.raw)) == (
        '<details class="deeper"><summary></summary></details>'
    )
    assert all(child.parent is section for child in section)


def test_every_fold_of_the_book_says_what_is_inside(soups):
    folds = {page: soup.select("details.book-fold") for page, soup in soups.items()}
    assert sum(map(len, folds.values())) > 50
    assert [page for page, found in folds.items() if not all(f.summary.get_text().strip() for f in found)] == []
    assert [page for page, soup in soups.items() if soup.select("details.hide")] == []


def test_import_cells_of_all_chapters_are_folded(soups):
    chapters = [page for page in soups if page.startswith("chapters/")]
    first = {page: soups[page].select_one("article .cell details.book-fold summary").get_text() for page in chapters}
    assert [page for page, text in first.items() if not text.startswith("Imports (")] == []


def test_downloaded_notebook_has_every_folded_cell_open():
    (path, *_) = sorted((HTML / "_sources/chapters").glob("*.ipynb"))
    cells = [c for c in json.loads(path.read_text(encoding="utf-8"))["cells"] if c["cell_type"] == "code"]
    source = (ROOT / f"chapters/{path.stem}.md").read_text(encoding="utf-8")
    assert len(cells) == source.count("```{code-cell}")
    assert not any(cell["metadata"].get("jupyter", {}).get("source_hidden") for cell in cells)
