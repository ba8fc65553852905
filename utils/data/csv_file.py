"""Your own events, from a CSV file."""

import codecs
import csv
import gzip
import io
import math
import re
import zlib
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from utils.data.interactions import Interactions

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799  # of the years 1 and 9999, as datetime counts
_LARGEST_VALUE = float(np.finfo(np.float32).max)


def load_interactions(
    path, *, user="user", item="item", value=None, timestamp=None, delimiter=",", encoding="utf-8", name=None
):
    r"""Load events from a CSV file of your own: one event a line, under a line of column names.

    Nothing is dropped or mended: the first line that cannot be read stops the loading, with an error that says
    where. An event that stands in the file twice is kept twice. Lines without any character, and columns that
    you do not name, are passed over.

    Parameters
    ----------
    path : str or path-like
        The file; if its name ends in ``.gz`` it is unpacked while it is read.
    user, item : str, optional
        Names of the columns that hold the user and the item of an event: any text that is not blank. Text is
        taken as it stands, so ``"Ann"`` and ``"Ann "`` are two users.
    value : str, optional
        Name of the column that holds stars or counts, with a decimal point. Without it every value is 1.0.
    timestamp : str, optional
        Name of the column that holds the time: whole seconds since 1970-01-01 UTC, or ISO 8601, such as
        ``2024-02-29`` or ``2024-02-29T18:30:00+01:00``. A time without an offset is UTC, a date is its midnight,
        and parts of a second are cut off. Digits alone are always read as seconds.
    delimiter : str, optional
        The one character between fields. Fields may be quoted with ``"``.
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
        If the file is empty, not in this encoding, or not whole; a column is missing or there twice; or a line
        has another number of fields than the header, no user or item, a value that is no finite number, or a time
        that cannot be read. The message names the file, and the line (the first is 1; of an event whose quoted
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
    if len(delimiter) != 1:
        raise ValueError(f'expected a delimiter of one character, received {delimiter!r}; a tab is written "\\t"')
    records = _read_records(path, _read_text(path, encoding), delimiter)
    _, header = next(records, (1, None))
    if header is None:
        raise ValueError(f"{path} is empty; expected a line of column names, then one event a line")

    wanted = [("user", user, _parse_label), ("item", item, _parse_label)]
    wanted += [("value", value, _parse_value)] * (value is not None)
    wanted += [("timestamp", timestamp, _parse_timestamp)] * (timestamp is not None)
    fields = [(role, column, _find_column(path, header, column), parse) for role, column, parse in wanted]
    parsed = {role: [] for role, *_ in fields}
    for line, record in records:
        if len(record) != len(header):
            raise ValueError(
                f"{path}, line {line}: expected {len(header)} fields as in the header, received {len(record)}; "
                f"put quotes around a field that contains {delimiter!r}"
            )
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
        name=name or Path(path.name.removesuffix(".gz")).stem,
    )


def _read_text(path, encoding):
    try:
        encoding = codecs.lookup(encoding).name
    except LookupError:
        raise ValueError(f'expected a known encoding, received {encoding!r}; try "utf-8" or "latin-1"') from None
    content = path.read_bytes()
    if path.suffix == ".gz":
        try:
            content = gzip.decompress(content)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(f"{path} is not a whole gzip file ({error}); copy or pack it again") from error
    try:
        return content.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ValueError(
            f"{path}, line {line}: expected text in {encoding}, received the byte 0x{content[error.start]:02x}; "
            'save the file as UTF-8, or pass encoding="latin-1" or whatever it is in'
        ) from error


def _read_records(path, text, delimiter):
    """Yield (line, fields) for each record, and the number of its first line in the file."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise ValueError(f"{path}, line {line}: {error}; look for a quote that is not closed") from error
        if record:
            yield line, record


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
    if re.fullmatch(r"\s*[+-]?[0-9]+\s*", text):
        seconds = int(text)
        if not _FIRST_SECOND <= seconds <= _LAST_SECOND:
            raise ValueError(
                f"expected seconds since 1970-01-01, received {text!r}, which is outside of the years 1 to 9999; "
                "divide milliseconds by 1000"
            )
        return seconds
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(
            f"expected whole seconds since 1970-01-01 or ISO 8601 such as 2024-02-29T18:30:00, received {text!r}"
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(seconds=1)
