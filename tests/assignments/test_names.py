"""No name that somebody else wrote leads out of its folder, whatever makes a path of it."""

import pytest

from assignments.tools.feedback import write_feedback
from assignments.tools.grade import GradeError, autograded_path, grade, notebook_path, status_path, submitted_path
from assignments.tools.names import MAX_NAME, NameRefusedError, inside, problem_of
from assignments.tools.release import make_release, release_path
from tests.assignments.test_sources import MINI

pytestmark = pytest.mark.xdist_group("marking")

EVIL = [
    "../evil",
    "/evil",
    "a/b",
    "a\\b",
    "",
    ".",
    "..",
    ".hidden",
    "-r",
    "a b",
    "a\nb",
    "a\0b",
    "=1+1",
    "é",
    "a" * 101,
]


@pytest.mark.parametrize("name", EVIL)
def test_inside_refuses(tmp_path, name):
    with pytest.raises(NameRefusedError, match="expected"):
        inside(tmp_path, name)
    with pytest.raises(NameRefusedError, match="expected"):
        inside(tmp_path, "mini", name, suffix=".json")


@pytest.mark.parametrize("name", ["ann", "a..b", "4711", "ann.smith@school.org", "feature_sums", "a" * MAX_NAME])
def test_inside_takes_ids(tmp_path, name):
    assert problem_of(name) == ""
    assert inside(tmp_path, "mini", name, suffix=".json") == tmp_path / "mini" / f"{name}.json"


@pytest.mark.parametrize(
    "make",
    [
        lambda folder, name: status_path(folder, "mini", name),
        lambda folder, name: status_path(folder, name, "ann"),
        lambda folder, name: submitted_path(folder, "mini", name),
        lambda folder, name: autograded_path(folder, "mini", name),
        lambda folder, name: notebook_path(folder, name, "mini"),
        lambda folder, name: notebook_path(folder, "ann", name),
        lambda folder, name: release_path(folder, name),
        lambda folder, name: make_release(name, MINI, folder),
        lambda folder, name: write_feedback(
            folder, {"assignment": "mini", "student": name, "score": "", "status": "missing", "note": ""}
        ),
    ],
    ids=["status", "status of", "submitted", "autograded", "notebook", "notebook of", "release", "make", "feedback"],
)
@pytest.mark.parametrize("name", ["../evil", "/evil", ".."])
def test_every_path_that_is_made_from_a_name_stays_inside(tmp_path, make, name):
    (tmp_path / "course").mkdir()
    with pytest.raises(NameRefusedError, match="expected"):
        make(tmp_path / "course", name)
    assert [path.name for path in tmp_path.rglob("*")] == ["course"]


def everything_in(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


@pytest.mark.parametrize("student", ["../evil", "/tmp/evil", '""', ".", "a\tb", "a b"])
def test_grade_refuses_an_id_of_the_list_before_anything_is_written(small_course, tmp_path, student):
    (tmp_path / "submissions" / "ann").mkdir(parents=True)
    (small_course / "students.csv").write_text(f"student,name\nann,Ann\n{student},Evil\n")
    before = everything_in(tmp_path)
    with pytest.raises(GradeError, match=r"students\.csv has ids that cannot be used:\n- line 3: expected"):
        grade(tmp_path / "submissions", small_course, is_sandboxed=False, assignments=["mini"])
    assert everything_in(tmp_path) == before


def test_grade_refuses_the_name_of_an_assignment_before_anything_is_written(small_course, tmp_path):
    (tmp_path / "submissions" / "ann").mkdir(parents=True)
    (small_course / "release" / "my test").mkdir()
    (small_course / "release" / "my test" / "my test.ipynb").write_text("{}")
    before = everything_in(tmp_path)
    with pytest.raises(GradeError, match="received 'my test'; rename this assignment"):
        grade(tmp_path / "submissions", small_course, is_sandboxed=False)
    assert everything_in(tmp_path) == before
