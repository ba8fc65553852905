import copy
import errno
import json
import os
import re

import nbformat
import pytest

from assignments.tools import submissions
from assignments.tools.sources import read_source
from assignments.tools.submissions import MAX_BYTES, NEW_CELL, CorruptError, find_flags, read_submission, restore
from tests.assignments.test_sources import MINI
from tests.assignments.wrong_answers import STUB

OWN = "def add(a, b):\n    return a - b"


@pytest.fixture
def release():
    """The small assignment as students get it."""
    notebook = read_source(MINI)
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = STUB if cell.cell_type == "code" else "YOUR ANSWER HERE"
        elif cell.id.endswith("-hidden"):
            cell.source = cell.source.splitlines()[0]
    return notebook


def cell_of(notebook, name):
    return next(cell for cell in notebook.cells if cell.id == name)


def marked(notebook, release, tmp_path):
    """What is marked of a notebook that a student hands in: name → source in order, and the notes."""
    nbformat.write(notebook, tmp_path / "handed-in.ipynb")
    restored, notes = restore(read_submission(tmp_path / "handed-in.ipynb"), release)
    nbformat.validate(restored)
    return {cell.id: cell.source for cell in restored.cells}, notes


def test_restore_takes_answers_and_changes_nothing_else(release, tmp_path):
    handed_in = copy.deepcopy(release)
    cell_of(handed_in, "task-1").source = OWN
    cell_of(handed_in, "task-3").source = "Since it is so."
    sources, notes = marked(handed_in, release, tmp_path)
    assert sources == {cell.id: cell.source for cell in release.cells} | {"task-1": OWN, "task-3": "Since it is so."}
    assert notes == []


def test_restore_undoes_edited_tests(release, tmp_path):
    handed_in = copy.deepcopy(release)
    cell_of(handed_in, "task-1-tests").source = "pass"
    cell_of(handed_in, "setup").source = "expect = print"
    sources, notes = marked(handed_in, release, tmp_path)
    assert sources == {cell.id: cell.source for cell in release.cells}
    assert notes == ["edited, and restored: setup, task-1-tests"]


def test_restore_puts_deleted_cells_back_in_their_places(release, tmp_path):
    handed_in = copy.deepcopy(release)
    cell_of(handed_in, "task-1").source = OWN
    handed_in.cells = [c for c in handed_in.cells if c.id not in ("setup", "task-1-tests", "task-1-hidden", "text-6")]
    sources, notes = marked(handed_in, release, tmp_path)
    assert list(sources) == [cell.id for cell in release.cells]
    assert sources["task-1"] == OWN
    assert notes == ["deleted, and restored: setup, task-1-tests, task-1-hidden"]


def test_restore_undoes_another_order(release, tmp_path):
    handed_in = copy.deepcopy(release)
    handed_in.cells.reverse()
    assert list(marked(handed_in, release, tmp_path)[0]) == [cell.id for cell in release.cells]


def test_restore_keeps_cells_of_the_students_own_where_they_stood(release, tmp_path):
    handed_in = copy.deepcopy(release)
    place = [cell.id for cell in handed_in.cells].index("task-1")
    handed_in.cells[place:place] = [nbformat.v4.new_code_cell("helper = 1"), nbformat.v4.new_markdown_cell("A thought")]
    sources, _ = marked(handed_in, release, tmp_path)
    names = list(sources)
    assert [sources[name] for name in names[place : place + 3]] == ["helper = 1", "A thought", STUB]


def test_restore_gives_a_copied_test_no_points_of_its_own(release, tmp_path):
    handed_in = copy.deepcopy(release)
    twin = copy.deepcopy(cell_of(handed_in, "task-1-tests"))
    twin.id, twin.source = "twin", "print('full marks')"
    handed_in.cells.append(twin)
    nbformat.write(handed_in, tmp_path / "twin.ipynb")
    restored, _ = restore(read_submission(tmp_path / "twin.ipynb"), release)
    assert [c.metadata for c in restored.cells if c.source == twin.source] == [{}]


def test_restore_believes_no_metadata_of_the_students(release, tmp_path):
    handed_in = copy.deepcopy(release)
    for cell in handed_in.cells:
        if "nbgrader" in cell.metadata:
            cell.metadata.nbgrader |= {"points": 1000, "locked": False, "checksum": "0"}
    handed_in.metadata.kernelspec = {"name": "evil", "display_name": "evil", "language": "sh"}
    nbformat.write(handed_in, tmp_path / "x.ipynb")
    restored, _ = restore(read_submission(tmp_path / "x.ipynb"), release)
    assert [cell.metadata for cell in restored.cells] == [cell.metadata for cell in release.cells]
    assert restored.metadata == release.metadata


@pytest.mark.parametrize("has_ids", [True, False], ids=["with ids", "without ids"])
def test_restore_finds_answers_without_metadata(release, tmp_path, has_ids):
    handed_in = copy.deepcopy(release)
    cell_of(handed_in, "task-1").source = OWN
    cell_of(handed_in, "task-3").source = "Since it is so."
    for number, cell in enumerate(handed_in.cells):
        cell.metadata = {}
        cell.id = cell.id if has_ids else f"other-{number}"
    restored = marked(handed_in, release, tmp_path)[0]
    code = [restored[name] for name in restored if name.startswith(("task-1", "own"))]
    assert code.index(OWN) < code.index(cell_of(release, "task-1-tests").source)
    assert STUB not in restored["task-1"]  # it would stand behind the answer, and undo it
    assert "Since it is so." in restored["task-3"]


def test_restore_says_that_an_answer_is_not_there(release, tmp_path):
    handed_in = copy.deepcopy(release)
    handed_in.cells = [cell for cell in handed_in.cells if cell.id != "task-1"]
    sources, notes = marked(handed_in, release, tmp_path)
    assert sources["task-1"] == STUB
    assert notes == ["answer not found: task-1"]


def test_read_submission_drops_outputs_and_attachments(release, tmp_path):
    handed_in = copy.deepcopy(release)
    cell_of(handed_in, "task-1").outputs = [nbformat.v4.new_output("stream", text="full marks")]
    nbformat.write(handed_in, tmp_path / "x.ipynb")
    assert {key for cell in read_submission(tmp_path / "x.ipynb") for key in cell} == {"type", "source", "name", "id"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b" \n", "the file is empty"),
        (b"PK\x03\x04\xff\xfe", "no notebook, but a ZIP file: unpack it"),
        (b"\x1f\x8b\x08", "no notebook, but packed with gzip"),
        (b"%PDF-1.7", "no notebook, but a PDF"),
        (b"\n<!DOCTYPE html>", "no notebook, but a web page: download the notebook itself"),
        (b"\xff\xfe\xfa", "UTF-16, and damaged"),
        (b"\xef\xbb\xbf", "cannot be read as JSON"),
        (b"\xff\xd8\xff\xe0", "cannot be read as JSON"),
        (
            b'{"cells": [\n"\xe9"\n]}',
            r"not in UTF-8: .* latin-1.*\(line 2, byte 0xe9\); save it as",
        ),
        (b'{"cells": [', "cannot be read as JSON"),
        (b"[" * 100_000, "cannot be read as JSON"),
        (b"[]", "has no cells"),
        (b'{"worksheets": []}', "has no cells"),
        (b'{"cells": {"a": 1}}', "has no cells"),
        (b'{"cells": ["text"]}', "cell 1 of the file is damaged"),
        (b'{"cells": [{"cell_type": "code", "source": 3}]}', "cell 1 of the file is damaged"),
        (b'{"cells": [{"cell_type": "code", "source": [3]}]}', "cell 1 of the file is damaged"),
        (b'{"cells": [{"cell_type": "music", "source": ""}]}', "cell 1 of the file is damaged"),
    ],
)
def test_read_submission_refuses_what_is_no_notebook(tmp_path, content, words):
    path = tmp_path / "mini.ipynb"
    path.write_bytes(content)
    with pytest.raises(CorruptError, match=words):
        read_submission(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
def test_read_submission_reads_what_json_makes_sure(tmp_path, encoding):
    cell = {"cell_type": "markdown", "source": "Zoë’s 答案 \N{GRINNING FACE}"}
    text = json.dumps({"cells": [cell]}, ensure_ascii=False)
    (tmp_path / "mini.ipynb").write_bytes(text.encode(encoding))
    assert [cell["source"] for cell in read_submission(tmp_path / "mini.ipynb")] == [cell["source"]]


@pytest.mark.parametrize("source", ["\ud83d", ["a = 1\n", "b = '\udc80'"]])
@pytest.mark.parametrize("kind", ["code", "markdown", "raw"])
def test_read_submission_refuses_half_of_a_character(tmp_path, source, kind):
    cells = [{"cell_type": "code", "source": ""}, {"cell_type": kind, "source": source}]
    (tmp_path / "mini.ipynb").write_text(json.dumps({"cells": cells}))
    with pytest.raises(CorruptError, match=r"cell 2 of the file has half of a character \(\\u(d83d|dc80)\)"):
        read_submission(tmp_path / "mini.ipynb")


def test_read_submission_joins_the_halves_of_a_character(tmp_path):
    """JSON's escape of an emoji has two halves."""
    (tmp_path / "mini.ipynb").write_text('{"cells": [{"cell_type": "raw", "source": "\\ud83d\\ude00"}]}')
    assert read_submission(tmp_path / "mini.ipynb")[0]["source"] == "\N{GRINNING FACE}"


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO, errno.EMFILE])
def test_read_submission_says_why_a_file_cannot_be_read(tmp_path, monkeypatch, number):
    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(submissions.os, "open", refuse)
    with pytest.raises(CorruptError, match=re.escape(f"the file cannot be read ({os.strerror(number)})")):
        read_submission(tmp_path / "mini.ipynb")


@pytest.mark.parametrize("name", ["a" * 300, "a\0b"], ids=["too long", "null byte"])
def test_read_submission_says_that_a_name_cannot_be_read(tmp_path, name):
    with pytest.raises(CorruptError, match="the file cannot be read"):
        read_submission(tmp_path / name)


def test_read_submission_waits_for_no_pipe(tmp_path):
    os.mkfifo(tmp_path / "mini.ipynb")
    with pytest.raises(CorruptError, match="a link, a folder or something else"):
        read_submission(tmp_path / "mini.ipynb")


def test_read_submission_follows_no_link(tmp_path):
    (tmp_path / "others.ipynb").write_text('{"cells": []}')
    (tmp_path / "mini.ipynb").symlink_to(tmp_path / "others.ipynb")
    with pytest.raises(CorruptError, match="a link, a folder or something else"):
        read_submission(tmp_path / "mini.ipynb")


def test_read_submission_refuses_a_folder(tmp_path):
    with pytest.raises(CorruptError, match="a link, a folder or something else"):
        read_submission(tmp_path)


def test_read_submission_refuses_very_large_files(tmp_path):
    with open(tmp_path / "mini.ipynb", "wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(CorruptError, match="more than 20 MB: clear the outputs"):
        read_submission(tmp_path / "mini.ipynb")


def test_read_submission_reads_odd_but_whole_cells(tmp_path):
    odd = {"cell_type": "code", "source": ["a = 1\r\n", "b = 2"], "metadata": {"nbgrader": {"grade_id": [1]}}, "id": 7}
    (tmp_path / "mini.ipynb").write_text(json.dumps({"cells": [odd]}))
    assert read_submission(tmp_path / "mini.ipynb") == [
        {"type": "code", "source": "a = 1\nb = 2", "name": None, "id": None}
    ]


WORDS = "Because it is so."


def own(kind, source, behind=None):
    """A change to a notebook: a cell of the student's own at its end, or behind a cell."""

    def change(notebook):
        names = [cell.id for cell in notebook.cells]
        notebook.cells.insert(names.index(behind) + 1 if behind else len(names), NEW_CELL[kind](source))

    return change


def edited(name, more):
    """A change to a notebook: more text in a cell that was handed out."""

    def change(notebook):
        cell_of(notebook, name).source += more

    return change


def copied(notebook):
    twin = copy.deepcopy(cell_of(notebook, "task-3"))
    twin.id, twin.source = "twin", WORDS
    notebook.cells.append(twin)


def moved(notebook):
    """The marked cell is gone, and the text stands at the beginning."""
    notebook.cells.remove(cell_of(notebook, "task-3"))
    notebook.cells.insert(0, nbformat.v4.new_markdown_cell(WORDS))


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (own("markdown", WORDS), "cell 13 of the file (text)"),
        (own("markdown", WORDS, behind="text-10"), "cell 12 of the file (text)"),
        (own("markdown", WORDS, behind="setup"), "cell 3 of the file (text)"),
        (own("markdown", "![](attachment:page.png)"), "cell 13 of the file (text)"),
        (own("raw", WORDS), "cell 13 of the file (text)"),
        (own("code", "# " + WORDS), "cell 13 of the file (code)"),
        (own("code", "# Yes"), "cell 13 of the file (code)"),
        (own("code", "x = 1\n# Because it\n# is so"), "cell 13 of the file (code)"),
        (own("code", "print('Because it is so')"), "cell 13 of the file (code)"),
        (own("code", '"""Because it is so."""'), "cell 13 of the file (code)"),
        (own("code", WORDS), "cell 13 of the file (code)"),
        (own("code", "%%markdown\nBecause it is so."), "cell 13 of the file (code)"),
        (own("code", "# 因为两个向量的长度不一样"), "cell 13 of the file (code)"),
        (edited("text-10", "\n\n" + WORDS), "cell 11 of the file (text)"),
        (edited("task-2", "\n# " + WORDS), "cell 8 of the file (code)"),
        (edited("task-2-tests", "\n# " + WORDS), "cell 9 of the file (code)"),
        (copied, "cell 13 of the file (text)"),
        (moved, "cell 1 of the file (text)"),
    ],
)
def test_restore_quotes_text_that_stands_outside_the_cell_of_the_answer(release, tmp_path, change, where):
    handed_in = copy.deepcopy(release)
    change(handed_in)
    sources, notes = marked(handed_in, release, tmp_path)
    assert f"left as it was: task-3, but text stands in {where}: look there" in notes
    assert sources["task-3"].startswith("YOUR ANSWER HERE\n\n> (Put here when this was marked")
    assert f"> {where}:" in sources["task-3"]


@pytest.mark.parametrize(
    "change",
    [
        lambda notebook: None,
        own("markdown", "YOUR ANSWER HERE"),
        own("markdown", "  \n"),
        own("markdown", "## 3. Explain (2 points)\n\nWhy?"),
        own("code", ""),
        own("code", "x = [1, 2, 3]\ny = x"),
        own("code", "# x = [1, 2, 3]\ny = 1  # the sum"),
        edited("text-0", "\n\n"),
        edited("task-1", "\n    # return a + b - c * d"),
    ],
)
def test_restore_quotes_nothing_where_nothing_was_written(release, tmp_path, change):
    handed_in = copy.deepcopy(release)
    change(handed_in)
    sources, notes = marked(handed_in, release, tmp_path)
    assert sources["task-3"] == "YOUR ANSWER HERE"
    assert notes == []


def test_restore_leaves_an_answer_alone_that_stands_in_its_cell(release, tmp_path):
    handed_in = copy.deepcopy(release)
    cell_of(handed_in, "task-3").source = "So it is."
    own("markdown", WORDS)(handed_in)
    sources, notes = marked(handed_in, release, tmp_path)
    assert sources["task-3"] == "So it is."
    assert notes == []


def test_restore_takes_the_answer_to_one_question_for_no_answer_to_another(release, tmp_path):
    twin = copy.deepcopy(cell_of(release, "task-3"))
    twin.id, twin.metadata.nbgrader.grade_id = "task-4", "task-4"
    release.cells.append(twin)
    handed_in = copy.deepcopy(release)
    cell_of(handed_in, "task-3").source = WORDS
    sources, notes = marked(handed_in, release, tmp_path)
    assert sources["task-4"] == "YOUR ANSWER HERE"
    assert notes == []
    own("markdown", "And so on.")(handed_in)
    sources, notes = marked(handed_in, release, tmp_path)
    assert sources["task-3"] == WORDS
    assert "And so on." in sources["task-4"]


def flags(source):
    return find_flags(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)]))


@pytest.mark.parametrize(
    ("source", "flag"),
    [
        ("get_ipython().ast_transformers.append(x)", "get_ipython (reaches into the kernel)"),
        ("ip.ast_transformers = []", "ast_transformers (reaches into the kernel)"),
        ("import inspect", "inspect (reads who calls)"),
        ("from inspect import currentframe", "inspect (reads who calls)"),
        ("import sys\nsys._getframe(1)", "_getframe (reads who calls)"),
        ("getattr(sys, '_getframe')(1)", "_getframe (reads who calls)"),
        ("print(In[-1])", "In (reads cells that ran before)"),
        ("class A:\n    def __eq__(self, other):\n        return True", "__eq__ (makes its own equality)"),
        ("import importlib\nimportlib.reload(utils.similarity)", "reload (undoes what the tests do)"),
        ("import os\nos.system('ls')", "system (leaves the notebook)"),
        ("!ls", "a line with ! or %% (leaves the notebook)"),
        ("import numpy\nnumpy.allclose = print", "numpy.allclose = … (changes a module)"),
        ("import utils.book.grading as g\ng.expect = print", "g.expect = … (changes a module)"),
        ("def broken(:\n    get_ipython()", "get_ipython (reaches into the kernel)"),
    ],
)
def test_find_flags_sees(source, flag):
    assert flag in flags(source)


@pytest.mark.parametrize(
    "source",
    [
        "# inspect the vectors, get_ipython is not used",
        "events = table.sum()\nprint('the events that I inspect in the system')",
        "def check(f):\n    assert f(1) == 1\n    raise AssertionError('no')",
        "x = np.zeros(3)\nx.shape = (1, 3)",
        "%matplotlib inline\nx = 5 % 3",
        "i = [_ for _ in range(3)]",
    ],
)
def test_find_flags_leaves_honest_code_alone(source):
    assert flags(source) == []


def test_find_flags_looks_at_no_locked_cell():
    notebook = read_source(MINI)
    cell_of(notebook, "setup").source = "import inspect"
    assert find_flags(notebook) == []
