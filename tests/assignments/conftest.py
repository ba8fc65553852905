"""Fixtures for the assignments: a class whose work was marked once, and courses to mark in."""

import shutil

import pytest

from assignments.tools.sandbox import why_no_sandbox
from tests.assignments.classroom import Classroom, release
from tests.assignments.commands import make


@pytest.fixture(scope="session")
def no_sandbox():
    """Why this machine has no sandbox, or None."""
    return why_no_sandbox()


@pytest.fixture
def sandbox(no_sandbox):
    """Skip a test of the sandbox where there is none, and say why."""
    if no_sandbox:
        pytest.skip(f"the sandbox is NOT tested on this machine: {no_sandbox}")


@pytest.fixture(scope="session")
def classroom(tmp_path_factory, released_course, no_sandbox):
    """A class that handed in the small assignment in every way, good and bad, and was marked."""
    gradebook = released_course / "gradebook.db"
    room = Classroom(tmp_path_factory.mktemp("class"), gradebook, is_sandboxed=not no_sandbox)
    room.hand_in_everything()
    room.mark("--cell-seconds", "5", "--total-seconds", "200")
    yield room
    room.listener.close()


@pytest.fixture(scope="session")
def released_course(tmp_path_factory):
    """A course with the small assignment released, for tests to copy."""
    course = tmp_path_factory.mktemp("released") / "course"
    release(course)
    return course


@pytest.fixture
def small_course(released_course, tmp_path):
    """A course with the small assignment released, and nobody in it yet."""
    return shutil.copytree(released_course, tmp_path / "course")


@pytest.fixture(scope="session")
def book_course(tmp_path_factory):
    """A course with every assignment of the book released, as a teacher does it; for tests to look at, or to copy."""
    course = tmp_path_factory.mktemp("book") / "course"
    done = make("assignments", COURSE=course)
    assert done.returncode == 0, done.stderr
    return course
