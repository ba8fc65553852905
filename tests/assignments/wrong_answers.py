"""What every assignment is tested for. Its own test file gives the wrong answers; `CONTRIBUTING.md` says how."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from assignments.tools.sandbox import ENVIRONMENT, bwrap_command, why_no_sandbox
from assignments.tools.sources import find_assignments, is_hidden, read_source, task_of
from assignments.tools.submissions import find_flags
from tests.assignments.dependencies import cells_from, cells_to_run

STUB = "raise NotImplementedError()"


class Wrong(NamedTuple):
    """A plausible wrong answer, what it costs, and what its author must be told."""

    name: str
    code: str
    lost: float
    words: str


@cache
def has_sandbox():
    """Return whether this machine has one."""
    return why_no_sandbox() is None


def run(cells, answers, *, is_every_cell_run=False):
    """Run a notebook with other answers: in the sandbox in which it is marked, or without one where there is none.

    Parameters
    ----------
    cells : dict of str to str
        Name → code of every code cell, in order, with the reference solutions.
    answers : list of dict
        Each maps cells to the code that stands in their place.
    is_every_cell_run : bool, optional
        Whether all cells run from the first other answer on. Else those do that can notice it, which is quicker, and
        the rest says what it says for the reference.

    Returns
    -------
    reference : dict
        Cell → None if it passed, or what it said.
    others : list of dict
        The same for each of `answers`.
    """
    variants = []
    for other in answers:
        chosen = cells_from(cells, other) if is_every_cell_run else cells_to_run(cells, other)
        variants.append({name: other.get(name, cells[name]) for name in chosen})
    task = {"cells": cells, "variants": variants, "shows_tracebacks": "DEBUG_ANSWERS" in os.environ}
    alike = {name: ENVIRONMENT[name] for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "PYTHONPATH")}
    with tempfile.TemporaryDirectory() as folder:
        script = shutil.copy(Path(__file__).with_name("run_answers.py"), folder)
        done = subprocess.run(
            [*(bwrap_command(folder) if has_sandbox() else ()), sys.executable, "-W", "ignore", script],
            input=json.dumps(task),
            stdout=subprocess.PIPE,
            cwd=folder,
            env={**os.environ, **alike},
            text=True,
            check=True,
        )
    said = dict(json.loads(line) for line in done.stdout.splitlines())
    reference = said.pop(-1)
    assert len(said) == len(answers), "an answer ended Python: test it in the sandbox"
    return reference, [reference | said[number] for number in range(len(answers))]


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
        return cls.run_answers()

    @classmethod
    def run_answers(cls, **options):
        """Run all of them, as `outcomes` has them."""
        cells = {cell.id: cell.source for cell in cls.source().cells if cell.cell_type == "code"}
        table = {("", "untouched"): {cell.id: STUB for cell in cls.answers()}}
        table |= {(task, answer.name): {task: answer.code} for task, answer in cls.cases()}
        reference, others = run(cells, list(table.values()), **options)
        return {("", "reference"): reference, **dict(zip(table, others))}

    @classmethod
    def cases(cls):
        """All wrong answers, each with its task."""
        return [(task, answer) for task, answers in cls.wrong.items() for answer in answers]

    def failed(self, task, name):
        """Cell → message, of the tests with points that fail."""
        said = self.outcomes()[task, name]
        return {cell: said[cell] for cell in self.points() if said[cell] is not None}

    def test_reference_gets_every_point(self):
        said = self.outcomes()["", "reference"]
        assert {cell: words for cell, words in said.items() if words is not None} == {}

    def test_untouched_release_gets_nothing(self):
        assert self.failed("", "untouched").keys() == self.points().keys()

    def test_each_wrong_answer_is_another_one(self):
        reference = {cell.id: cell.source for cell in self.answers()}
        same = [f"{task}: {answer.name}" for task, answer in self.cases() if answer.code == reference[task]]
        assert same == []

    def test_wrong_answers_lose_the_right_points(self):
        points, problems = self.points(), []
        for task, answer in self.cases():
            failed = self.failed(task, answer.name)
            lost = sum(points[cell] for cell in failed)
            if lost != pytest.approx(answer.lost):
                problems.append(f"{task}: {answer.name}: expected to lose {answer.lost}, lost {lost}: {failed}")
        assert not problems, "\n".join(problems)

    def test_wrong_answers_are_told_why(self):
        problems = []
        for task, answer in self.cases():
            failed = self.failed(task, answer.name)
            if not any(answer.words in words for words in failed.values()):
                problems.append(f"{task}: {answer.name}: expected to be told {answer.words!r}, received {failed}")
        assert not problems, "\n".join(problems)

    @pytest.mark.slow
    def test_cells_that_were_passed_over_would_have_said_the_same(self):
        def without_times(outcomes):  # one test of `als` counts time, and says how much
            said = {(*key, cell): words for key, cells in outcomes.items() for cell, words in cells.items()}
            return {key: words and re.sub(r"\d+%", "…%", words) for key, words in said.items()}

        assert without_times(self.run_answers(is_every_cell_run=True)) == without_times(self.outcomes())

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
