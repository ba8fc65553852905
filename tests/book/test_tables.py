import numpy as np
import pytest
from markdown_it import MarkdownIt

from utils.book import tables
from utils.book.tables import glue_all, table


def test_table_aligns_numbers_right_and_leaves_text_as_it_is():
    shown = table(["model", "recall", "n"], [["ALS", 0.254, 3], ["most popular", 0.1, 12]], [None, ".2f", None])
    assert shown.data.splitlines() == [
        "| model | recall | n |",
        "|:--|--:|--:|",
        "| ALS | 0.25 | 3 |",
        "| most popular | 0.10 | 12 |",
    ]


def test_table_takes_one_format_for_all_but_the_first_column():
    assert table(["d", "a", "b"], [[8, 0.5, 0.25]], ".0%").data.splitlines()[-1] == "| 8 | 50% | 25% |"


def test_table_leaves_a_gap_where_a_text_stands_among_numbers():
    assert table(["d", "a"], [[8, "–"], [16, 0.25]], ".2f").data.splitlines()[-2:] == ["| 8 | – |", "| 16 | 0.25 |"]


@pytest.mark.parametrize("number", [np.float32(0.5), np.int64(3), np.float64(0.5)])
def test_table_takes_numbers_of_numpy(number):
    assert "|--:|" in table(["a"], [[number]]).data


def test_table_is_a_table_to_a_parser_of_markdown_whatever_its_texts_hold():
    shown = table(["a", "b"], [["x | y", "$|z|$"], ["", "2"]])
    html = MarkdownIt("commonmark").enable("table").render(shown.data)
    assert html.count("<tr>") == 3
    assert html.count("<td") == 4


@pytest.mark.parametrize(
    ("rows", "formats", "message"),
    [
        ([[1, 2], [1]], None, "row 1 with 2 entries, as head has, received 1; fill it up"),
        ([[1, 2]], [".2f"], "formats with 2 entries, as head has, received 1; fill it up"),
        ([], None, "a row at least, received none; leave the table out"),
    ],
)
def test_table_refuses_what_does_not_fit(rows, formats, message):
    with pytest.raises(ValueError, match=message):
        table(["a", "b"], rows, formats)


@pytest.fixture
def glued(monkeypatch):
    """What was glued."""
    kept = {}
    monkeypatch.setattr(tables, "glue", lambda name, value, display: kept.update({name: (value, display)}))
    return kept


def test_glue_all_names_its_values_for_the_prose_and_shows_nothing(glued):
    glue_all("als", best_recall=0.25, n_films=3, name="cosine")
    assert glued == {"als-best-recall": (0.25, False), "als-n-films": (3, False), "als-name": ("cosine", False)}


def test_glue_all_works_without_a_prefix(glued):
    glue_all(recall=0.5)
    assert list(glued) == ["recall"]


@pytest.mark.parametrize("value", [np.float32(0.5), np.array(0.5), np.float64(0.5)])
def test_glue_all_makes_numbers_of_numpy_plain(glued, value):
    glue_all(recall=value)
    assert type(glued["recall"][0]) is float


@pytest.mark.parametrize("value", [np.nan, np.inf, np.float32("nan")])
def test_glue_all_refuses_a_number_that_nobody_meant_and_then_glues_nothing(glued, value):
    with pytest.raises(ValueError, match=r"expected a finite number for als-recall, received (nan|inf); mend the cell"):
        glue_all("als", good=1.0, recall=value)
    assert glued == {}


@pytest.mark.parametrize("value", [[1, 2], np.ones(2), None])
def test_glue_all_refuses_more_than_one_value(glued, value):
    with pytest.raises(TypeError, match=r"expected a number or text for recall, received .*; glue a single value"):
        glue_all(recall=value)
