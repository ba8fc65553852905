"""What student code cannot do under bubblewrap. That nothing runs without it, `test_grade.py` tests."""

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing

import nbformat.v4 as v4
import pytest

from assignments.tools.sandbox import ErrorsAlone, bwrap_command, why_no_sandbox
from tests.built_book import ROOT

pytestmark = pytest.mark.xdist_group("marking")

ATTEMPTS = (
    "read the teacher's notebook",
    "read the source",
    "read its own notebook",
    "read what nbgrader made of it",
    "read the work of others",
    "write its own marks",
    "write outside",
    "write at home",
    "write beside the notebook",
    "write into the package",
    "call out",
    "see other processes",
    "start a shell at the teacher's",
)


@pytest.fixture
def found(sandbox, classroom):
    """What the attacker's notebook could do: attempt → result."""
    (output,) = classroom.autograded("attacker")["task-1"][1]
    return json.loads("".join(output["text"]))


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_sandbox_refuses(found, attempt):
    assert found[attempt].startswith("refused: ")


def test_attack_tried_everything(found):
    assert set(found) == set(ATTEMPTS)


def test_attack_left_no_trace(found, classroom):
    assert not classroom.outside.exists()
    assert not (ROOT / "utils" / "was_here.py").exists()
    assert list(classroom.course.rglob("was-here")) == []
    assert not classroom.was_called()


def test_attack_changed_no_mark(found, classroom):
    with closing(sqlite3.connect(classroom.course / "gradebook.db")) as gradebook:
        assert gradebook.execute("select count(*) from grade where auto_score = 99").fetchone() == (0,)


def test_attacker_gets_the_points_of_the_answers_and_a_flag(found, classroom):
    row = classroom.rows["attacker"]
    assert (row["status"], row["automatic"]) == ("needs manual grading", "4.0")
    assert "socket (leaves the notebook)" in row["flags"]
    assert "sqlite3 (leaves the notebook)" in row["flags"]


def run_inside(folder, code):
    command = [*bwrap_command(folder), sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_sandbox_has_the_books_package(sandbox, tmp_path):
    done = run_inside(tmp_path, "from utils.data import load_davis; print(load_davis())")
    assert "18 users × 14 items" in done.stdout, done.stderr


def test_sandbox_shows_of_the_repository_only_the_package(sandbox, tmp_path):
    done = run_inside(tmp_path, f"import os; print(*sorted(os.listdir({str(ROOT)!r})))")
    assert set(done.stdout.split()) <= {"utils", ".venv"}


def test_sandbox_knows_nothing_of_the_environment(sandbox, tmp_path, monkeypatch):
    monkeypatch.setenv("A_SECRET", "42")
    done = run_inside(tmp_path, "import os; print(os.environ.get('A_SECRET'), os.environ['HOME'])")
    assert done.stdout.split() == ["None", "/tmp"]


def test_sandbox_limits_what_is_written_to_its_scratch(sandbox, tmp_path):
    code = "f = open('/tmp/x', 'wb')\nfor _ in range(300): f.write(bytes(2**20))"
    assert "No space left" in run_inside(tmp_path, code).stderr


def test_sandbox_works_where_bubblewrap_does(no_sandbox):
    """Where bubblewrap can run anything at all, tests of the sandbox are not passed over for a fault of ours."""
    if shutil.which("bwrap") is None:
        pytest.skip(f"the sandbox is NOT tested on this machine: {no_sandbox}")
    plain = subprocess.run(["bwrap", "--unshare-all", "--ro-bind", "/", "/", "true"], capture_output=True, check=False)
    assert plain.returncode != 0 or no_sandbox is None, no_sandbox


def test_missing_bubblewrap_is_said_with_its_remedy(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert why_no_sandbox().startswith("bubblewrap is not installed (on Debian and Ubuntu: sudo apt install bubblewrap")


def test_bubblewrap_that_fails_is_said_with_its_words(monkeypatch, tmp_path):
    (tmp_path / "bwrap").write_text("#!/bin/sh\necho 'setting up uid map: Permission denied' >&2\nexit 1\n")
    (tmp_path / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    reason = why_no_sandbox()
    assert "does not work here (setting up uid map: Permission denied)" in reason
    assert "apparmor_restrict_unprivileged_userns=0" in reason


def test_only_errors_cost_marks():
    outputs = [
        v4.new_output("stream", name="stderr", text="a warning"),
        v4.new_output("execute_result", data={"text/plain": "0.5"}, execution_count=1),
        v4.new_output("error", ename="ValueError", evalue="no", traceback=[]),
    ]
    cell, _ = ErrorsAlone().preprocess_cell(v4.new_code_cell("", outputs=outputs), {}, 0)
    assert [output.output_type for output in cell.outputs] == ["stream", "display_data", "error"]
    assert cell.outputs[0].name == "stdout"
    assert cell.outputs[0].text == "a warning"
