import os
import subprocess
import sys

import pytest

from utils.book.progress import progress_bar

LOOP = "from utils.book.progress import progress_bar; list(progress_bar(range(3), show={show}, delay=0, desc='work'))"


@pytest.mark.parametrize(
    ("show", "environment", "is_seen"),
    [(True, {}, True), (False, {}, False), (True, {"TQDM_DISABLE": "1"}, False), (False, {"TQDM_DISABLE": ""}, False)],
)
def test_bar_is_seen_unless_the_caller_or_the_environment_is_against_it(show, environment, is_seen):
    without = {name: value for name, value in os.environ.items() if name != "TQDM_DISABLE"}
    run = subprocess.run(
        [sys.executable, "-c", LOOP.format(show=show)], env=without | environment, capture_output=True, text=True
    )
    assert run.returncode == 0
    assert ("work: " in run.stderr) is is_seen


def test_bar_waits_before_it_shows_and_leaves_nothing(capsys):
    assert list(progress_bar(range(3), desc="work")) == [0, 1, 2]
    assert capsys.readouterr().err == ""


def test_bar_takes_what_tqdm_takes():
    with progress_bar(total=5, unit="user", desc="work") as bar:
        bar.update(5)
    assert (bar.n, bar.total, bar.unit, bar.desc, bar.delay, bar.leave) == (5, 5, "user", "work", 2, False)
