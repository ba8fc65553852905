"""Your own events, from a CSV file."""

import codecs
import csv
import gzip
import io
import math
import re
import zlib
from collections import Counter
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from utils.data.interactions import FIRST_SECOND, LAST_SECOND, Interactions

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST_VALUE = float(np.finfo(np.float32).max)


def load_interactions(
    path,
    *,
    user="user",
    item="item",
    value=None,
    timestamp=None,
    columns=None,
    delimiter=",",
    quote='"',
    encoding="utf-8",
    name=None,
):
    r"""Load events from a CSV file of your own: one event a line, under a line of column names.

    Nothing is dropped or mended: the first line that cannot be read stops the loading, with an error that says
    where. An event that stands in the file twice is kept twice. Lines without any character, and columns that
    you do not name, are passed over.

    Parameters
    ----------
    path : str or path-like
        The file. What is packed by gzip is unpacked while it is read, whatever the file is called.
    user, item : str, optional
        Names of the columns that hold the user and the item of an event: any text that is not blank. Text is
        taken as it stands, so ``"Ann"`` and ``"Ann "`` are two users.
    value : str, optional
        Name of the column that holds stars or counts, with a decimal point. Without it every value is 1.0.
    timestamp : str, optional
        Name of the column that holds the time: seconds since 1970-01-01 UTC, or ISO 8601, such as ``2024-02-29``,
        ``2024-02-29T18:30:00+01:00`` or ``2024-02-29 18:30:00 UTC``. A time without an offset is UTC, a date is its
        midnight, and parts of a second are cut off. Numbers are always read as seconds.
    columns : sequence of str, optional
        Names of all columns, for a file whose first line is an event. Without it the first line gives the names.
    delimiter : str, optional
        What stands between fields. If it has more than one character, as ``"::"``, quotes are letters.
    quote : str or None, optional
        Between two of these a field may hold the delimiter and line breaks. None: quotes are letters.
    encoding : str, optional
        Of the text. A byte order mark before UTF-8 is passed over.
    name : str, optional
        What the data set is called; the name of the file if left out.

    Returns
    -------
    Interactions
        Events in the order of the file; users and items sorted by their text. A file that holds column names
        only gives no events.

    Raises
    ------
    FileNotFoundError
        If there is no file at `path`.
    ValueError
        If the file is empty, no text, not in this encoding, or not whole; a column is missing or there twice; the
        line of column names looks like an event; or a line has another number of fields than the header, no user or
        item, a value that is no finite number, a time that cannot be read, or a quote that runs over lines each of
        which would be an event. The message names the file, and the line (the first is 1; of an event whose quoted
        fields run over several lines, the first of these) and the column where it can.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "loans.csv"
    ...     _ = path.write_text("reader,book,day\nAnn,Emma,2024-05-01\nBen,Emma,2024-05-03\n")
    ...     load_interactions(path, user="reader", item="book", timestamp="day")
    Interactions 'loans': 2 users × 1 items, 2 events, density 100 %
    """
    path = Path(path)
    if not isinstance(delimiter, str) or not delimiter or "\n" in delimiter:
        raise ValueError(f'expected a delimiter such as "," or "::", received {delimiter!r}; a tab is written "\\t"')
    if quote is not None and (not isinstance(quote, str) or len(quote) != 1 or quote == delimiter):
        raise ValueError(f"expected quote to be one character other than the delimiter, or None, received {quote!r}")
    records = _read_records(path, _read_text(path, encoding), delimiter, quote)
    header = _read_header(path, records, columns, delimiter)

    if columns is None and all(map(_is_number, header)):
        raise ValueError(
            f"{path}, line 1: expected column names, received {', '.join(map(repr, header))}, which looks like an "
            'event; if the file has no line of names, give them all: columns=["user", "item", …]'
        )
    wanted = [("user", user, _parse_label), ("item", item, _parse_label)]
    wanted += [("value", value, _parse_value)] * (value is not None)
    wanted += [("timestamp", timestamp, _parse_timestamp)] * (timestamp is not None)
    fields = [(role, column, _find_column(path, header, column), parse) for role, column, parse in wanted]
    parsed = {role: [] for role, *_ in fields}
    for line, record in records:
        if len(record) != len(header):
            raise ValueError(
                f"{path}, line {line}: expected {len(header)} fields as in "
                f"{'the header' if columns is None else 'columns'}, received {len(record)}; "
                f"put quotes around a field that contains {delimiter!r}"
            )
        if columns is not None and line == 1 and record == header:
            raise ValueError(f"{path}, line 1: the file has a line of column names; leave columns out")
        for role, column, position, parse in fields:
            try:
                parsed[role].append(parse(record[position]))
            except ValueError as error:
                raise ValueError(f"{path}, line {line}, column {column!r}: {error}") from None

    return Interactions.from_labels(
        parsed["user"],
        parsed["item"],
        parsed.get("value"),
        parsed.get("timestamp"),
        name=name or Path(re.sub(r"\.gz$", "", path.name, flags=re.IGNORECASE)).stem,
    )


#: How files begin that are no text.
_KINDS = {
    b"PK\x03\x04": "a zip archive or a spreadsheet (.xlsx); unpack it, or save the sheet as CSV",
    b"PAR1": "a Parquet file; write it as CSV, for example with pandas: read_parquet(…).to_csv(…, index=False)",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet (.xls); save the sheet as CSV",
    b"SQLite format 3": "an SQLite database; export the table as CSV",
    b"BZh": "packed by bzip2; unpack it first",
    b"\xfd7zXZ": "packed by xz; unpack it first",
    b"\x28\xb5\x2f\xfd": "packed by zstd; unpack it first",
    b"%PDF": "a PDF; it holds no table that could be read safely",
}
#: Byte order marks, longest first, and what text behind them is in.
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def _read_text(path, encoding):
    try:
        encoding = codecs.lookup(encoding).name
    except LookupError:
        raise ValueError(f'expected a known encoding, received {encoding!r}; try "utf-8" or "latin-1"') from None
    content = path.read_bytes()
    if content.startswith(b"\x1f\x8b") or path.suffix.lower() == ".gz":
        try:
            content = gzip.decompress(content)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(f"{path} is not a whole gzip file ({error}); copy or pack it again") from error
    for beginning, kind in _KINDS.items():
        if content.startswith(beginning):
            raise ValueError(f"expected text in {path}, received {kind}")
    marked = next((found for mark, found in _MARKS.items() if content.startswith(mark)), None)
    if marked and not encoding.startswith(marked):
        raise ValueError(
            f'expected text in {encoding}, received {path}, which begins as {marked} does; pass encoding="{marked}"'
        )
    try:
        text = content.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ValueError(
            f"{path}, line {line}: expected text in {encoding}, received the byte 0x{content[error.start]:02x}; "
            'save the file as UTF-8, or pass encoding="latin-1" or whatever it is in'
        ) from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise ValueError(
            f"{path}, line {line}: expected text, received a character of value 0; text in UTF-16 looks so: if "
            'it is that, pass encoding="utf-16-le" or "utf-16-be"'
        )
    return text


def _read_records(path, text, delimiter, quote):
    """Yield (line, fields) for each record, and the number of its first line in the file."""
    lines = io.StringIO(text, newline="").readlines()
    if len(delimiter) > 1:
        for number, line in enumerate(lines, start=1):
            if line.strip("\r\n"):
                yield number, line.strip("\r\n").split(delimiter)
        return
    quoting = {"quoting": csv.QUOTE_NONE, "quotechar": None} if quote is None else {"quotechar": quote}
    reader = csv.reader(lines, delimiter=delimiter, strict=True, **quoting)
    while True:
        first = reader.line_num + 1
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise ValueError(
                f"{path}, line {first}: {error}; look for a quote that is not closed, or pass quote=None if "
                "quotes are letters"
            ) from error
        run = lines[first - 1 : reader.line_num]
        if len(run) > 1 and all(line.count(delimiter) == len(record) - 1 for line in run):
            raise ValueError(
                f"{path}, line {first}: a quote is opened here and closed {len(run) - 1} line(s) further down, and "
                "each of these lines would be an event by itself; pass quote=None if quotes are letters, or take the "
                "line breaks out"
            )
        if record:
            yield first, record


def _read_header(path, records, columns, delimiter):
    """Return the names of the columns, from the first record unless they are given."""
    if columns is not None:
        header = [columns] if isinstance(columns, str) else list(columns)
        if not header or not all(isinstance(column, str) for column in header):
            raise ValueError(f"expected columns to be the names of all columns, received {columns!r}")
        return header
    _, header = next(records, (1, None))
    if header is None:
        raise ValueError(f"{path} is empty; expected a line of column names, then one event a line")
    if len(header) == 1:
        counts = Counter({mark: header[0].count(mark) for mark in (";", "\t", "|", "::", ",") if mark != delimiter})
        other, n_times = counts.most_common(1)[0]
        if n_times:
            raise ValueError(
                f"{path}, line 1: expected fields with {delimiter!r} between them, received one field with "
                f"{n_times} times {other!r} in it; pass delimiter={other!r}"
            )
    return header


def _is_number(text):
    return re.fullmatch(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", text) is not None


def _find_column(path, header, column):
    """Return the position of the column that the header calls `column`."""
    if header.count(column) == 1:
        return header.index(column)
    if column in header:
        raise ValueError(f"{path}, line 1: expected one column {column!r}, received {header.count(column)}; rename one")
    by_lower = {known.lower(): known for known in header}
    near = get_close_matches(column.lower(), by_lower, n=1)
    advice = f"did you mean {by_lower[near[0]]!r}?" if near else "name the columns with user=, item=, …"
    raise ValueError(f"{path}, line 1: no column {column!r}; there are {', '.join(map(repr, header))}; {advice}")


def _parse_label(text):
    if not text.strip():
        raise ValueError("expected a name or an id, received nothing; fill it in or delete the line")
    return text


def _parse_value(text):
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    # float() takes "4_5" for 45, which is more likely a slip than a number
    if not abs(value) <= _LARGEST_VALUE or "_" in text:
        raise ValueError(f"expected a finite number such as 4 or 4.5, received {text!r}")
    return value


def _parse_timestamp(text):
    if _is_number(text) and text.isascii():
        seconds = float(text) if re.search(r"[.eE]", text) else int(text)
        if not FIRST_SECOND <= seconds <= LAST_SECOND:
            raise ValueError(
                f"expected seconds since 1970-01-01, received {text!r}, which is outside of the years 1 to 9999; "
                "divide milliseconds by 1000"
            )
        return math.floor(seconds)
    try:
        moment = datetime.fromisoformat(re.sub(r"\s*(UTC|GMT)$", "+00:00", text.strip()))
    except ValueError:
        raise ValueError(
            f"expected seconds since 1970-01-01 or ISO 8601 such as 2024-02-29T18:30:00, received {text!r}"
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(seconds=1)
