"""The package that the chapters import is the one in this repository, and its pins are real."""

import re
from importlib.metadata import version
from pathlib import Path

import utils

ROOT = Path(__file__).resolve().parents[1]


def test_utils_is_this_repositorys_package():
    assert Path(utils.__file__).parent == ROOT / "utils"


def test_requirements_are_exact_and_installed():
    pins = re.findall(r"^([\w.-]+)==([\w.]+)$", (ROOT / "requirements.txt").read_text(), flags=re.MULTILINE)
    assert len(pins) > 100
    assert {name: version(name) for name, _ in pins} == dict(pins)


def test_requirements_hold_nothing_but_pins_and_the_package_itself():
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    loose = [line for line in lines if line and not line.startswith("#") and "==" not in line]
    assert loose == ["-e ."]
