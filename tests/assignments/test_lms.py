"""Who handed in what, from the names in a download from Moodle or Canvas; and nothing is guessed."""

import pytest

from assignments.tools.grade import GradeError, grade
from assignments.tools.lms import looks_like, read_download, take_apart
from tests.assignments.classroom import rows_of

pytestmark = pytest.mark.xdist_group("marking")


@pytest.mark.parametrize(
    ("path", "lms", "expected"),
    [
        ("Ann Smith_4711_assignsubmission_file_/mini.ipynb", "moodle", ("4711", "Ann Smith", "mini", 0)),
        ("Ann Smith_4711_assignsubmission_file/mini-1.ipynb", "moodle", ("4711", "Ann Smith", "mini", 1)),
        ("Ann Smith_4711_assignsubmission_file_mini.ipynb", "moodle", ("4711", "Ann Smith", "mini", 0)),
        ("A-Team-Zoë Ng_12_9_assignsubmission_file_/als.ipynb", "moodle", ("9", "A-Team-Zoë Ng_12", "als", 0)),
        ("smithann_12_345_mini.ipynb", "canvas", ("12", None, "mini", 0)),
        ("smithann_LATE_12_345_mini-10.ipynb", "canvas", ("12", None, "mini", 10)),
        ("ngzoë_12_345_feature_sums-2.ipynb", "canvas", ("12", None, "feature_sums", 2)),
    ],
)
def test_take_apart_reads(path, lms, expected):
    said = take_apart(path, lms)
    assert (said["number"], said.get("name"), said["assignment"], said["again"]) == expected


@pytest.mark.parametrize(
    ("path", "lms"),
    [
        ("Ann Smith_4711_assignsubmission_onlinetext_/onlinetext.html", "moodle"),
        ("Ann Smith_assignsubmission_file_/mini.ipynb", "moodle"),
        ("Ann Smith_4711_assignsubmission_file_/mini.py", "moodle"),
        ("ann/mini.ipynb", "moodle"),
        ("smithann_LATE_12_mini.ipynb", "canvas"),
        ("smithann_late_12_345_mini.ipynb", "canvas"),
        ("smithann_12_345_mini.py", "canvas"),
        ("smithann_12_345_x/mini.ipynb", "canvas"),
        ("mini.ipynb", "canvas"),
    ],
)
def test_take_apart_guesses_nothing(path, lms):
    assert take_apart(path, lms) is None


def download(folder, *paths):
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(path)
    return folder


def test_download_takes_the_newest_and_says_so(tmp_path):
    names = ["a_12_3_mini.ipynb", "a_LATE_12_5_mini-2.ipynb", "a_LATE_12_9_mini-10.ipynb", "b_13_4_mini-1.ipynb"]
    found, remarks = read_download(download(tmp_path, *names), "canvas", ["mini"])
    assert {key: path.name for key, path in found.items()} == {("12", "mini"): names[2], ("13", "mini"): names[3]}
    assert remarks == [f"12, mini: took {names[2]!r}, and not {names[1]!r}, {names[0]!r}"]


def test_download_takes_none_of_two_that_could_be_the_last(tmp_path):
    names = ["a_12_3_mini.ipynb", "a_12_4_mini-1.ipynb", "a_LATE_12_9_mini-1.ipynb"]
    found, remarks = read_download(download(tmp_path, *names), "canvas", ["mini"])
    assert found == {}
    assert remarks == [f"12, mini: left alone, since nothing says which is the last one: {names[1]!r}, {names[2]!r}"]


def test_download_names_what_it_leaves_alone(tmp_path):
    left = ["Ann_1_assignsubmission_file_/mini (1).ipynb", "Ann_1_assignsubmission_file_/notes.pdf", "readme.txt"]
    paths = ["Ann_1_assignsubmission_file_/mini.ipynb", "Ben_2_assignsubmission_onlinetext_/onlinetext.html", *left]
    folder = download(tmp_path, *paths, ".DS_Store")
    (folder / "Cem_3_assignsubmission_file_").mkdir()
    found, remarks = read_download(folder, "moodle", ["mini"])
    assert found == {("1", "mini"): folder / paths[0]}
    assert {remark.split(": ")[0].strip("'") for remark in remarks} == {
        *left,
        paths[1],
        "Cem_3_assignsubmission_file_/",
    }
    assert "there is no assignment 'mini (1)'" in "".join(remarks)


def test_download_finds_students_by_the_list_alone(tmp_path):
    paths = [f"{name}_assignsubmission_file_/mini.ipynb" for name in ("Zoe\N{COMBINING DIAERESIS} Ng_1", "X_2", "Y_3")]
    known = {"Zo\N{LATIN SMALL LETTER E WITH DIAERESIS} Ng": "ann", "2": "ben"}
    found, remarks = read_download(download(tmp_path, *paths), "moodle", ["mini"], known)
    assert {student for student, _ in found} == {"ann", "ben"}
    assert remarks == [f"{paths[2]!r}: left alone, since no line of students.csv has it in the column `moodle`"]


def test_download_leaves_what_two_lines_of_the_list_claim(tmp_path):
    path = "Ann_1_assignsubmission_file_/mini.ipynb"
    found, remarks = read_download(download(tmp_path, path), "moodle", ["mini"], {"Ann": "ann", "1": "ben"})
    assert found == {}
    assert "left alone" in remarks[0]


@pytest.mark.parametrize(
    ("name", "lms"),
    [
        ("Ann Smith_1_assignsubmission_file_/mini.ipynb", "moodle"),
        ("AnnSmith_1_assignsubmission_onlinetext_/onlinetext.html", None),
        ("smithann_12_345_mini.ipynb", "canvas"),
    ],
)
def test_grade_says_that_a_folder_looks_like_a_download(small_course, tmp_path, name, lms):
    folder = download(tmp_path / "submissions", name)
    words = f'OPTIONS="--lms {lms}"' if lms else "nobody in"
    with pytest.raises(GradeError, match=words):
        grade(folder, small_course, is_sandboxed=False)


def test_looks_like_does_not_choose_between_two():
    assert looks_like(["smithann_12_345_mini.ipynb", "notes.txt"]) is None
    assert looks_like([]) is None


def test_grade_marks_a_download(small_course, tmp_path, capsys):
    """The files are no notebooks: so they are found, and nothing has to run."""
    folder = download(tmp_path / "down", "ngzoe_12_3_mini.ipynb", "b_13_4_mini.ipynb", "b_14_4_mini.ipynb", "notes.txt")
    (small_course / "students.csv").write_text("student,canvas\nann,12\nben,13\ncem,99\n")
    grade(folder, small_course, is_sandboxed=False, lms="canvas")
    assert {student: row["status"] for student, row in rows_of(small_course).items()} == {
        "ann": "corrupt",
        "ben": "corrupt",
        "cem": "missing",
    }
    assert rows_of(small_course)["cem"]["note"] == "no file mini.ipynb"
    said = capsys.readouterr().err
    assert "'notes.txt': left alone" in said
    assert "'b_14_4_mini.ipynb': left alone, since no line of students.csv" in said


def test_grade_says_that_no_name_fits_the_lms(small_course, tmp_path):
    folder = download(tmp_path / "down", "ann/mini.ipynb")
    with pytest.raises(GradeError, match=r"no name in .* is as Moodle makes them"):
        grade(folder, small_course, is_sandboxed=False, lms="moodle")


def test_grade_says_that_a_file_must_be_unpacked(small_course, tmp_path):
    (tmp_path / "down.zip").write_bytes(b"PK\x03\x04")
    with pytest.raises(GradeError, match="unpack it"):
        grade(tmp_path / "down.zip", small_course, is_sandboxed=False, lms="moodle")
