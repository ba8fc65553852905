"""What a student gets back: readable, with no hidden test in it, and asking nobody for anything."""

import re
import subprocess
import sys

import nbformat.v4 as v4
import pytest
from bs4 import BeautifulSoup

from assignments.tools.feedback import MAX_TEXT, hide_tests, message_of
from assignments.tools.sources import read_source, secrets
from tests.assignments.test_grade import EXPECTED
from tests.assignments.test_sources import MINI

pytestmark = pytest.mark.xdist_group("marking")

HIDDEN = "secret_summand = 4321"


def text_of(classroom, student):
    return BeautifulSoup(classroom.feedback(student), "html.parser").get_text(" ", strip=True)


@pytest.mark.parametrize("student", EXPECTED)
def test_feedback_shows_no_hidden_test(classroom, student):
    html = classroom.feedback(student)
    text = text_of(classroom, student)
    hidden = secrets(read_source(MINI), with_answers=False)
    assert len(hidden) == 3
    assert [line for line in hidden if line in html or line in text] == []
    assert "secret_summand" not in text.replace("globals().get(&quot;secret_summand", "").replace(
        'globals().get("secret_summand', ""
    )


@pytest.mark.parametrize("student", EXPECTED)
def test_feedback_asks_no_host_and_runs_nothing(classroom, student):
    soup = BeautifulSoup(classroom.feedback(student), "html.parser")
    assert soup.find_all(["script", "link", "iframe", "object", "embed", "form"]) == []
    addresses = [tag[name] for tag in soup.find_all() for name in ("src", "href") if tag.has_attr(name)]
    assert [address for address in addresses if not address.startswith(("data:", "#"))] == []
    policy = soup.find("meta", attrs={"http-equiv": "Content-Security-Policy"})["content"]
    assert policy.startswith("default-src 'none'")


def test_feedback_shows_points_and_messages(classroom):
    text = text_of(classroom, "partial")
    assert "mini: 2 of 6 points" in text
    assert "Tests: a small number 0 / 1 The double: you added one." in text
    assert "Hidden tests: other numbers 1 / 1" in text
    assert "written answer, task-3 – / 2" in text
    assert "its points are missing" in text


def test_feedback_keeps_the_student_answers(classroom):
    assert "return a + 1" in text_of(classroom, "partial")


@pytest.mark.parametrize(
    ("student", "words"),
    [
        ("empty", "could not be read, so nothing was marked. the file is empty"),
        ("misnamed", "No notebook was found, so nothing was marked. no file mini.ipynb, but mini (1).ipynb"),
        ("os-exit", "stopped Python before the tests were through"),
        ("stubborn", "ran too long"),
    ],
)
def test_feedback_says_why_nothing_was_marked(classroom, student, words):
    text = text_of(classroom, student)
    assert "mini: not marked" in text
    assert words in text


def test_feedback_says_what_was_not_answered(classroom):
    table = BeautifulSoup(classroom.feedback("untouched"), "html.parser").table
    assert table.get_text().count("not answered yet") == 4


def test_feedback_takes_nothing_of_the_students_for_html(classroom):
    soup = BeautifulSoup(classroom.feedback("leaks"), "html.parser")
    assert soup.find_all("img") == []
    assert "<script>alert(1)</script>" in soup.get_text()


def test_feedback_leaves_out_what_would_show_tests(classroom):
    assert "[left out: it shows tests]" in text_of(classroom, "leaks")


def test_nbgraders_own_command_shows_no_hidden_test_either(classroom):
    command = [sys.executable, "-W", "ignore", "-m", "nbgrader", "generate_feedback", "mini", "--student", "leaks"]
    folder = "--CourseDirectory.feedback_directory=feedback-of-nbgrader"
    done = subprocess.run([*command, folder], cwd=classroom.course, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    html = (classroom.course / "feedback-of-nbgrader" / "leaks" / "mini" / "mini.html").read_text()
    text = BeautifulSoup(html, "html.parser").get_text()
    assert "you subtracted" in text
    assert [line for line in secrets(read_source(MINI), with_answers=False) if line in text] == []


@pytest.fixture
def marked():
    """The small assignment as nbgrader leaves it."""
    return read_source(MINI)


def cell_of(notebook, name):
    return next(cell for cell in notebook.cells if cell.id == name)


def test_hide_tests_keeps_the_title_and_the_message(marked):
    error = v4.new_output("error", ename="AssertionError", evalue="The sum: you forgot.", traceback=[f"> {HIDDEN}"])
    cell_of(marked, "task-1-hidden").outputs = [v4.new_output("stream", text="a print"), error]
    cell = cell_of(hide_tests(marked), "task-1-hidden")
    assert cell.source == "# Hidden tests: other numbers (1 point)"
    assert [output.text for output in cell.outputs] == ["The sum: you forgot."]


@pytest.mark.parametrize(
    "output",
    [
        v4.new_output("stream", text=f"x\n{HIDDEN}\n"),
        v4.new_output("display_data", data={"text/plain": HIDDEN}),
        v4.new_output("display_data", data={"text/html": HIDDEN, "text/plain": "y"}),
        v4.new_output("error", ename="E", evalue="", traceback=["\x1b[31msecret_summand\x1b[0m = \x1b[1m4321"]),
        v4.new_output("error", ename="E", evalue=HIDDEN, traceback=[]),
    ],
    ids=["print", "display", "html", "coloured traceback", "error"],
)
def test_hide_tests_finds_them_in_other_outputs(marked, output):
    cell_of(marked, "task-2").outputs = [output]
    (shown,) = cell_of(hide_tests(marked), "task-2").outputs
    assert shown == v4.new_output("stream", text="[left out: it shows tests]")


def test_hide_tests_leaves_other_outputs_alone(marked):
    output = v4.new_output("stream", text="4322")
    cell_of(marked, "task-2").outputs = [output]
    assert cell_of(hide_tests(marked), "task-2").outputs == [output]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (("AssertionError", "you subtracted"), "you subtracted"),
        (("AssertionError", ""), "AssertionError: "),
        (("NotImplementedError", ""), "not answered yet"),
        (("CellTimeoutError", ""), "stopped, since it took too long"),
        (("NameError", "name 'add' is not defined"), "NameError: name 'add' is not defined"),
        (("ValueError", "x" * 2 * MAX_TEXT), ("ValueError: " + "x" * MAX_TEXT)[:MAX_TEXT]),
    ],
)
def test_message_is_what_the_test_says(error, message):
    output = v4.new_output("error", ename=error[0], evalue=error[1], traceback=[])
    assert message_of(v4.new_code_cell("", outputs=[output])) == message


def test_message_is_empty_where_nothing_failed():
    assert message_of(v4.new_code_cell("", outputs=[v4.new_output("stream", text="fine")])) == ""


def test_feedback_names_no_place_on_this_machine(classroom):
    for student in EXPECTED:
        assert not re.search(re.escape(str(classroom.course)), classroom.feedback(student))
