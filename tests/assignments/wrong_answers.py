"""What every assignment is tested for. Its own test file gives the wrong answers; `CONTRIBUTING.md` says how."""

import json
import os
import re
import subprocess
import sys
from functools import cache
from typing import NamedTuple

import pytest

from assignments.tools.sources import find_assignments, is_hidden, read_source, task_of
from assignments.tools.submissions import find_flags
from tests.built_book import ROOT

STUB = "raise NotImplementedError()"


class Wrong(NamedTuple):
    """A plausible wrong answer, what it costs, and what its author must be told."""

    name: str
    code: str
    lost: float
    words: str


def run(source, answers):
    """Run a source with other answers.

    Parameters
    ----------
    source : Path
        The MyST notebook, with the reference solutions.
    answers : list of dict
        Each maps a solution cell to the code that stands in its place.

    Returns
    -------
    list of dict
        For each: code cell → None if it passed, or what it said.
    """
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "tests.assignments.run_answers", str(writing)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,  # what answers print
        pass_fds=[writing],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )
    os.close(writing)
    with os.fdopen(reading) as results:
        process.stdin.write(json.dumps({"source": str(source), "answers": answers}).encode())
        process.stdin.close()
        outcomes = [json.loads(line) for line in results]
    assert process.wait() == 0
    assert len(outcomes) == len(answers), "an answer ended Python: test it in the sandbox"
    return outcomes


class AssignmentContract:
    """Tests of one assignment; a subclass sets `name` and `wrong` (task → list of `Wrong`)."""

    name: str
    wrong: dict

    @classmethod
    @cache
    def source(cls):
        """The notebook with solutions."""
        return read_source(find_assignments()[cls.name])

    @classmethod
    def points(cls):
        """Cell → points, of the automatic tests."""
        graded = [cell for cell in cls.source().cells if cell.metadata.get("nbgrader", {}).get("grade")]
        return {cell.id: cell.metadata["nbgrader"]["points"] for cell in graded if cell.cell_type == "code"}

    @classmethod
    def answers(cls):
        """The code cells for answers."""
        cells = [cell for cell in cls.source().cells if cell.cell_type == "code"]
        return [cell for cell in cells if cell.metadata["nbgrader"]["solution"]]

    @classmethod
    @cache
    def outcomes(cls):
        """(task, name) → what the cells said, for the reference, an untouched release and all wrong answers."""
        untouched = {cell.id: STUB for cell in cls.answers()}
        table = {("", "reference"): {}, ("", "untouched"): untouched}
        table |= {(task, answer.name): {task: answer.code} for task, answers in cls.wrong.items() for answer in answers}
        return dict(zip(table, run(find_assignments()[cls.name], list(table.values()))))

    def failed(self, task, name):
        """Cell → message, of the tests with points that fail."""
        said = self.outcomes()[task, name]
        return {cell: said[cell] for cell in self.points() if said[cell] is not None}

    def test_reference_gets_every_point(self):
        said = self.outcomes()["", "reference"]
        assert {cell: words for cell, words in said.items() if words is not None} == {}

    def test_untouched_release_gets_nothing(self):
        assert self.failed("", "untouched").keys() == self.points().keys()

    def test_wrong_answer_loses_the_right_points(self, task, answer):
        assert answer.code != next(cell.source for cell in self.answers() if cell.id == task)
        failed = self.failed(task, answer.name)
        assert sum(self.points()[cell] for cell in failed) == pytest.approx(answer.lost), failed

    def test_wrong_answer_is_told_why(self, task, answer):
        failed = self.failed(task, answer.name)
        assert any(answer.words in words for words in failed.values()), failed

    def test_every_task_has_four_wrong_answers(self):
        assert {cell.id for cell in self.answers()} == set(self.wrong)
        assert {task for task, answers in self.wrong.items() if len({answer.code for answer in answers}) < 4} == set()

    def test_every_test_with_points_fails_for_some_wrong_answer(self):
        failing = {cell for key in self.outcomes() if key[0] for cell in self.failed(*key)}
        assert set(self.points()) - failing == set()

    def test_every_task_has_hidden_tests(self):
        assert {cell.id for cell in self.answers()} == {task_of(cell) for cell in self.points() if is_hidden(cell)}

    def test_there_is_a_written_answer_with_points(self):
        cells = [c for c in self.source().cells if c.cell_type == "markdown" and c.metadata.get("nbgrader")]
        assert any(cell.metadata["nbgrader"]["points"] > 0 for cell in cells)

    def test_headings_promise_the_points_that_there_are(self):
        promised, given, task = {}, {}, None
        for cell in self.source().cells:
            heading = re.search(r"^## .*\((\d+) points?\)$", cell.source, flags=re.MULTILINE)
            if cell.cell_type == "markdown" and heading:
                task = heading[0]
                promised[task] = int(heading[1])
            marks = cell.metadata.get("nbgrader", {})
            if marks.get("grade"):
                given[task] = given.get(task, 0) + marks["points"]
                if cell.cell_type == "code":
                    title = cell.source.splitlines()[0]
                    points = marks["points"]
                    assert title.endswith(f"({points} point{'s' * (points != 1)})"), title
        assert promised == given

    def test_reference_raises_no_flag(self):
        assert find_flags(self.source()) == []
