"""The tables of the page for teachers."""

import re

import pytest
from book_teaching import read_assignment

from assignments.tools.sources import find_assignments, read_source
from tests.built_book import ROOT

NAMES = sorted(find_assignments())


def test_read_assignment_takes_no_heading_out_of_code():
    text = "# Assignment: a\n\n```{code-cell}\n# b\n## 9. c (9 points)\n```\n\n## 1. d (2 points)\n"
    assert read_assignment(text) == ("a", 1, 2)


@pytest.mark.parametrize("name", NAMES)
def test_points_of_the_headings_are_those_that_are_given(name):
    path = find_assignments()[name]
    title, n_tasks, points = read_assignment(path.read_text(encoding="utf-8"))
    graded = [cell.metadata.get("nbgrader", {}) for cell in read_source(path).cells]
    assert points == sum(marks["points"] for marks in graded if marks.get("grade"))
    assert title
    assert n_tasks > 1


@pytest.mark.parametrize("name", NAMES)
def test_page_for_teachers_lists_every_assignment(soups, name):
    rows = [[cell.get_text(strip=True) for cell in row.find_all("td")] for row in soups["book/teaching.html"]("tr")]
    title, n_tasks, points = read_assignment(find_assignments()[name].read_text(encoding="utf-8"))
    (row,) = [row for row in rows if row and row[0] == name]
    assert (row[1], row[3:]) == (title, [str(n_tasks), str(points)])


def test_page_for_teachers_lists_every_chapter_with_its_times(soups):
    rows = [[cell.get_text(strip=True) for cell in row.find_all("td")] for row in soups["book/teaching.html"]("tr")]
    times = [row for row in rows if len(row) == 4 and " minutes" in row[2]]
    listed = [line.split("/")[-1] for line in (ROOT / "_toc.yml").read_text().splitlines() if "file: chapters/" in line]
    assert len(times) == len(listed)
    assert all(int(words.replace(",", "")) > 1000 and seconds.endswith(" s") for _, words, _, seconds in times)


LESSONS = {
    "Similarity": "similarity",
    "ALS": "als",
    "item2vec": "item2vec",
    "Feature sums": "feature_sums",
    "Averaging": "averaging",
}


@pytest.mark.parametrize(("lesson", "chapter"), LESSONS.items())
def test_lesson_names_headings_that_the_chapter_has(lesson, chapter):
    guide = (ROOT / "book/teaching.md").read_text(encoding="utf-8")
    plan = guide.partition(f"\n### {lesson}\n")[2].partition("\n#")[0]
    named = re.findall(r'"([^"]+)"', plan)
    page = (ROOT / f"chapters/{chapter}.md").read_text(encoding="utf-8")
    headings = re.findall(r"^##+ (.+)$", page, re.MULTILINE)
    assert len(named) >= 5
    for name in named:
        start = name.removesuffix(" …")
        assert any(h == start or (start != name and h.startswith(start)) for h in headings), name
