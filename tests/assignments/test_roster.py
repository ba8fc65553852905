"""The list of a class, as spreadsheets save it."""

import codecs

import pytest

from assignments.tools.roster import RosterError, read_roster

TEXT = "student,name\nann,Zoë\nben,Ben\n"


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
        TEXT.encode("utf-32"),
        TEXT.encode("latin-1"),
        TEXT.encode("cp1252"),
        b"student,name\nann,Zo\xeb\x85\nben,Ben\n",
        "student,name\nann,李\nben,山\n".encode("gbk"),
        TEXT.replace(",", ";").encode(),
        TEXT.replace(",", "\t").encode("utf-16"),
        b"sep=;\r\nname;student\r\nA;ann\r\n;ben\r\n",
        b"student\nann\n\n  ben \n,,\n",
        b'"student","name"\n"ann","Smith, Ann"\n"ben","a\nb"\n',
        b"student\rann\rben\r",
    ],
)
def test_roster_reads(tmp_path, content):
    (tmp_path / "students.csv").write_bytes(content)
    assert read_roster(tmp_path / "students.csv") == ({"ann", "ben"}, None)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "received an empty file"),
        (b"name\nann\n", "expected a column `student` in .* received 'name'"),
        (b"student|name\nann|Ann\n", "with commas, semicolons or tabs"),
        (TEXT.encode("utf-16-le"), "UTF-16 without the mark"),
        (TEXT.encode("utf-16")[:-1], "in utf-16, as the mark at its beginning says, .* damaged"),
        (b"PK\x03\x04\x14\x00", "a spreadsheet or another ZIP file: open it, and save it as “CSV UTF-8”"),
        (b"\xd0\xcf\x11\xe0\xa1", "a workbook of an old Excel"),
        (b"\x1f\x8b\x08", "packed with gzip"),
        (b"student\n" + b"a" * 200_000, "field larger than field limit"),
        (b"student,name\nann,Ann\n,Ben\n", "line 3: expected a name, received nothing"),
        (b"sep=;\nstudent;name\nann;Ann\n../b;Ben\n", r"line 4: expected letters a to z"),
        (b'student,name\nann,"a\nb"\n.,Ben\n', r"line 4: expected letters"),
        (b'student\n"ann\nben\n', r"line 2: .* received 'ann\\nben'"),
        ("student\nzoë\n".encode("latin-1"), "line 2: expected letters a to z, .* received 'zoë'"),
        (b"student\n" + b"=1\n" * 7, "and 2 more"),
    ],
)
def test_roster_says_what_is_wrong(tmp_path, content, words):
    (tmp_path / "students.csv").write_bytes(content)
    with pytest.raises(RosterError, match=words):
        read_roster(tmp_path / "students.csv")


def test_roster_that_cannot_be_read_is_no_missing_one(tmp_path):
    (tmp_path / "students.csv").mkdir()
    with pytest.raises(RosterError, match="expected a file that can be read"):
        read_roster(tmp_path / "students.csv")


def test_roster_knows_names_at_the_lms(tmp_path):
    (tmp_path / "students.csv").write_bytes("student;moodle\nann;Zoë  Ng\nben;4711\ncem;\n".encode("latin-1"))
    assert read_roster(tmp_path / "students.csv", "moodle") == ({"ann", "ben", "cem"}, {"Zoë Ng": "ann", "4711": "ben"})
    assert read_roster(tmp_path / "students.csv", "canvas")[1] is None


def test_roster_refuses_two_students_of_one_name_at_the_lms(tmp_path):
    (tmp_path / "students.csv").write_text("student,moodle\nann,Ann Smith\nben,Ann  Smith\n")
    with pytest.raises(RosterError, match="line 3: 'Ann  Smith' in the column `moodle` is 'ann' already"):
        read_roster(tmp_path / "students.csv", "moodle")
