import pytest

from assignments.tools.sources import (
    DELIMITERS,
    SourceError,
    find_assignments,
    is_hidden,
    read_source,
    secrets,
    task_of,
)
from tests.built_book import ROOT

SOURCES = ROOT / "tests" / "assignments" / "sources"
MINI = SOURCES / "mini.md"


def changed(tmp_path, old, new):
    """The small assignment with something else in it."""
    text = MINI.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "mini.md"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def test_find_assignments_takes_every_file_with_a_slug(tmp_path):
    for name in ("als.md", "item2vec.md", "README.md", "notes.txt", "_draft.md"):
        (tmp_path / name).write_text("")
    assert find_assignments(tmp_path) == {"als": tmp_path / "als.md", "item2vec": tmp_path / "item2vec.md"}


def test_find_assignments_finds_those_of_the_book():
    assert "similarity" in find_assignments()


def test_read_source_fills_nbgraders_metadata_in():
    cells = {cell.id: cell for cell in read_source(MINI).cells}
    common = {"schema_version": 3, "task": False}
    assert cells["setup"].metadata.nbgrader == {
        **common,
        "grade": False,
        "grade_id": "setup",
        "locked": True,
        "solution": False,
    }
    assert cells["task-1-hidden"].metadata.nbgrader == {
        **common,
        "grade": True,
        "grade_id": "task-1-hidden",
        "locked": True,
        "solution": False,
        "points": 1,
        "cell_type": "code",
    }
    assert cells["task-3"].metadata.nbgrader == {
        **common,
        "grade": True,
        "grade_id": "task-3",
        "locked": False,
        "solution": True,
        "points": 2,
        "cell_type": "markdown",
    }


def test_read_source_names_cells_by_what_they_are():
    names = [cell.id for cell in read_source(MINI).cells]
    assert names[:4] == ["text-0", "setup", "text-2", "task-1"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("### BEGIN HIDDEN TESTS", "### BEGIN HIDDEN TEST"),  # nbgrader passes over this one, and shows the tests
        ("### BEGIN HIDDEN TESTS", "### begin hidden tests"),
        ("### BEGIN HIDDEN TESTS", "# BEGIN HIDDEN TESTS"),
        ("### BEGIN HIDDEN TESTS", "### BEGIN HIDEN TESTS"),
        ("### END HIDDEN TESTS", "### END HIDDEN TEST"),
        ("### BEGIN SOLUTION", "### BEGIN SOLUTON"),
        ("### END SOLUTION", "#### END SOLUTION"),
        ("### BEGIN SOLUTION", "x = 1  ### BEGIN SOLUTION"),
    ],
)
def test_read_source_refuses_what_only_looks_like_a_delimiter(tmp_path, old, new):
    with pytest.raises(SourceError, match="looks like a delimiter"):
        read_source(changed(tmp_path, old, new))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "### END HIDDEN TESTS\n",
            "",
            "task-1-hidden: expected ### BEGIN HIDDEN TESTS … ### END HIDDEN TESTS, received",
        ),
        ("    ### END SOLUTION\n", "", "task-1: expected ### BEGIN SOLUTION … ### END SOLUTION, received"),
        (
            "from utils.book.grading",
            "### BEGIN SOLUTION\nfrom utils.book.grading",
            "setup: expected no delimiter, received",
        ),
        ("### BEGIN HIDDEN TESTS\nsecret", "secret = 1\n### BEGIN HIDDEN TESTS\nsecret", "shows comments, and nothing"),
        ("task-2-hidden, grade", "task-1-hidden, grade", "task-1-hidden: the grade_id is used twice"),
        ("grade_id: task-1-tests, ", "", "a cell needs a grade_id"),
        ("grade_id: task-1-tests", "grade_id: Task_1", "a cell needs a grade_id of small letters"),
        ("grade: true, points: 1}", "grade: true}", "task-1-tests: a graded cell needs points"),
        ("locked: true}", "locked: true, points: 1}", "setup: a graded cell needs points, and no other cell has any"),
        ("locked: true}", "looked: true}", "unknown metadata: looked"),
        ("task-1-hidden, grade: true, points: 1", "task-1-hidden, locked: true", "hidden tests need grade: true"),
        ("---\nnbgrader: {grade_id: setup, locked: true}\n---\n", "", "a code cell needs nbgrader metadata"),
    ],
)
def test_read_source_says_what_is_not_ready(tmp_path, old, new, words):
    with pytest.raises(SourceError, match=words):
        read_source(changed(tmp_path, old, new))


def test_read_source_lists_every_problem(tmp_path):
    path = changed(tmp_path, "### BEGIN HIDDEN TESTS", "### BEGIN HIDDEN TEST")
    path.write_text(
        path.read_text().replace("grade_id: task-2-tests, grade: true, points: 1", "grade_id: task-2-tests")
    )
    with pytest.raises(SourceError, match=r"(?s)task-1-hidden: .*") as error:
        read_source(path)
    assert "mini.md is not ready:\n- task-1-hidden: '### BEGIN HIDDEN TEST' looks like a delimiter" in str(error.value)


def test_secrets_are_solutions_hidden_tests_and_model_answers():
    assert secrets(read_source(MINI)) == [
        "total_of_both = a + b",
        "return total_of_both",
        "secret_summand = 4321",
        'expect(call(add, -5, secret_summand), 4316, "The sum", {"you forgot the sign": 4326})',
        "return 2 * a  # the factor",
        'expect(call(double, 7.5), 15.0, "The double", {"you squared": 56.25})',
        "Because the model answer says so.",
    ]


def test_secrets_without_answers_are_hidden_tests():
    assert secrets(read_source(MINI), with_answers=False) == [
        "secret_summand = 4321",
        'expect(call(add, -5, secret_summand), 4316, "The sum", {"you forgot the sign": 4326})',
        'expect(call(double, 7.5), 15.0, "The double", {"you squared": 56.25})',
    ]


def test_secrets_leave_out_what_is_shown_elsewhere(tmp_path):
    path = changed(tmp_path, "Write `add(a, b)`.", "Write\n\ntotal_of_both = a + b")
    assert "total_of_both = a + b" not in secrets(read_source(path))


def test_task_of_knows_whose_tests_they_are():
    names = ["task-2", "task-2-tests", "task-2-hidden", "task-2-hidden-dot", "task-2-form"]
    assert {task_of(name) for name in names} == {"task-2"}


def test_hidden_cells_are_known_by_their_names():
    assert is_hidden("task-1-hidden-orders")
    assert not is_hidden("task-1-tests")


@pytest.mark.parametrize("name", find_assignments())
def test_sources_of_the_book_keep_their_delimiters_apart_from_words(name):
    text = find_assignments()[name].read_text(encoding="utf-8")
    assert all(text.count(delimiter) for delimiter in DELIMITERS)
