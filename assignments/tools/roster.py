"""Read ``students.csv``, the list of a class, as a spreadsheet may have saved it."""

import codecs
import csv
import io
import unicodedata
from pathlib import Path

from assignments.tools.names import problem_of

SAVE_AS = "save it as “CSV UTF-8”, with a column `student`"

#: How other files than a CSV begin.
KINDS = {
    b"PK\x03\x04": "a spreadsheet or another ZIP file",
    b"\xd0\xcf\x11\xe0": "a workbook of an old Excel",
    b"\x1f\x8b": "a file that was packed with gzip",
    b"%PDF": "a PDF",
}

#: Marks at the beginning of a file, the longest first, and the encodings that they announce.
MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}

MAX_LISTED = 5


class RosterError(Exception):
    """The list of students cannot be used; the message says why, by line number, and how to mend it."""


def read_roster(path, lms=None):
    """Read the ids of a class.

    Accepted is a table with a line of headings, one of which is ``student``. Commas, semicolons or tabs are between its
    columns. It is in UTF-8, with or without a mark (BOM), or in UTF-16 or UTF-32 with one. Without a mark, what is not
    UTF-8 is read as latin-1: ids are of ASCII letters, which all such encodings write alike, so no id can be misread.
    Lines in which all is empty count for nothing.

    Parameters
    ----------
    path : Path
        The file.
    lms : {"moodle", "canvas"}, optional
        If given, and there is a column of that name, it says what each student is called there.

    Returns
    -------
    ids : set of str
        The column ``student``.
    known : dict or None
        The name or number there, as `as_key` returns it → id. None if no `lms` is given or there is no such column.

    Raises
    ------
    RosterError
        If the file is something else than such a table, or cannot be read; if an id is not of the letters a to z,
        figures and ``. _ @ -``; or if two students have one name in the column of the LMS.
    """
    path = Path(path)
    try:
        text = _text_of(path, path.read_bytes())
    except OSError as error:
        raise RosterError(f"expected a file that can be read, received {path} ({error.strerror})") from None
    lines = list(io.StringIO(text, newline=""))  # str.splitlines would also split at the … of Windows-1252
    n_before = int(bool(lines) and lines[0].strip()[:4].lower() == "sep=")  # a line by which Excel knows the separator
    try:
        rows, headings = _rows_of(path, lines[n_before:])
        return _ids_of(path, rows, headings, lms, n_before)
    except csv.Error as error:
        raise RosterError(f"expected a table, received {path} ({error}): {SAVE_AS}") from None


def as_key(name):
    """Return a name as it is compared: with one form of accented letters, and one space between words.

    Examples
    --------
    >>> as_key(" Zoe\N{COMBINING DIAERESIS}  Ng_") == as_key("Zo\N{LATIN SMALL LETTER E WITH DIAERESIS} Ng")
    True
    """
    return " ".join(unicodedata.normalize("NFC", name).replace("_", " ").split())


def _text_of(path, content):
    for start, kind in KINDS.items():
        if content.startswith(start):
            raise RosterError(f"expected a CSV file, received {path}, which is {kind}: open it, and {SAVE_AS}")
    encoding = next((name for mark, name in MARKS.items() if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        if encoding != "utf-8":
            raise RosterError(
                f"expected text in {encoding}, as the mark at its beginning says, received {path}, which is damaged: "
                f"open it, and {SAVE_AS}"
            ) from None
        text = content.decode("latin-1")
    if "\0" in text:
        raise RosterError(
            f"expected text, received {path}, which has null bytes: it is no text, or UTF-16 without the mark that "
            f"says so. Open it, and {SAVE_AS}"
        )
    return text


def _rows_of(path, lines):
    """Return a reader of the rows, and the headings, for the separator by which there is a column `student`."""
    for delimiter in ",;\t":
        rows = csv.reader(lines, delimiter=delimiter)
        headings = [heading.strip() for heading in next(rows, [])]
        if "student" in headings:
            return rows, headings
    received = repr(lines[0].strip()[:80]) if lines else "an empty file"
    raise RosterError(
        f"expected a column `student` in {path}, in the first line, with commas, semicolons or tabs between the "
        f"columns, received {received}"
    )


def _ids_of(path, rows, headings, lms, n_before):
    place, other = headings.index("student"), headings.index(lms) if lms in headings else None
    ids, known, problems = set(), {}, []
    next_line = rows.line_num + n_before + 1
    for row in rows:
        line, next_line = next_line, rows.line_num + n_before + 1  # where it begins: a cell may have several lines
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        student = cells[place] if place < len(cells) else ""
        if problem := problem_of(student):
            problems.append(f"line {line}: {problem}")
        key = as_key(cells[other]) if other is not None and other < len(cells) else ""
        if key and known.setdefault(key, student) != student:
            problems.append(f"line {line}: {cells[other]!r} in the column `{lms}` is {known[key]!r} already")
        ids.add(student)
    if problems:
        more = [f"and {len(problems) - MAX_LISTED} more"] if len(problems) > MAX_LISTED else []
        raise RosterError(f"{path} has ids that cannot be used:\n- " + "\n- ".join(problems[:MAX_LISTED] + more))
    return ids, known if other is not None else None
