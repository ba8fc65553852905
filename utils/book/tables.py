"""Tables and numbers of a page: what a cell prints and what the prose quotes, without joining strings."""

import numpy as np
from IPython.display import Markdown
from myst_nb import glue


def table(head, rows, formats=None):
    """Show rows as a table.

    Parameters
    ----------
    head : sequence of str
        A title a column. Markdown, so that a formula may stand there.
    rows : sequence of sequences
        As many entries each as `head` has.
    formats : str or sequence of str or None, optional
        A format for each column, as in an f-string: ``".2f"``, ``".0%"``, ``",d"``; or one for all but the first. An
        entry that is text stays as it is, and so does one whose format is None. A column of which every entry is a
        number stands to the right.

    Returns
    -------
    IPython.display.Markdown
        Show it by making it the last line of a cell. ``|`` in a text is escaped.

    Raises
    ------
    ValueError
        If a row or `formats` has another length than `head`, or there is no row.

    Examples
    --------
    >>> print(table(["d", "recall", "hits"], [[8, 0.25, 1200], ["all", 0.5, 34000]], [None, ".0%", ",d"]).data)
    | d | recall | hits |
    |:--|--:|--:|
    | 8 | 25% | 1,200 |
    | all | 50% | 34,000 |
    """
    head, rows = list(head), [list(row) for row in rows]
    formats = [None, *[formats] * (len(head) - 1)] if formats is None or isinstance(formats, str) else list(formats)
    if not rows:
        raise ValueError("expected a row at least, received none; leave the table out")
    for name, entries in (("formats", formats), *((f"row {n}", row) for n, row in enumerate(rows))):
        if len(entries) != len(head):
            raise ValueError(
                f"expected {name} with {len(head)} entries, as head has, received {len(entries)}; fill it up"
            )
    are_numbers = [all(_is_number(row[column]) for row in rows) for column in range(len(head))]
    lines = [head, ["--:" if numbers else ":--" for numbers in are_numbers]]
    lines += [[_cell(entry, wanted) for entry, wanted in zip(row, formats)] for row in rows]
    written = [f"| {' | '.join(line)} |" for line in lines]
    written[1] = f"|{'|'.join(lines[1])}|"
    return Markdown("\n".join(written))


def glue_all(prefix="", /, **values):
    """Keep numbers for the prose: ``glue_all("als", recall=0.25)`` keeps one that is quoted as ``als-recall``.

    Parameters
    ----------
    prefix : str, optional
        Stands before each name, with a hyphen.
    **values : float, int, str or bool
        Name → value; an underscore in a name becomes a hyphen. NumPy's numbers become Python's.

    Raises
    ------
    ValueError
        If a number is NaN or infinite: prose that says "nan" was not meant.
    TypeError
        If a value is neither a single number nor text.

    Examples
    --------
    >>> glue_all("als", recall=float("nan"))
    Traceback (most recent call last):
    ValueError: expected a finite number for als-recall, received nan; mend the cell that computes it
    """
    kept = {}
    for name, value in values.items():
        name = "-".join(filter(None, [prefix, name.replace("_", "-")]))
        if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.ndim == 0):
            value = value.item()
        if not isinstance(value, str | int | float):
            raise TypeError(
                f"expected a number or text for {name}, received {type(value).__name__}; glue a single value"
            )
        if isinstance(value, float) and not np.isfinite(value):
            raise ValueError(f"expected a finite number for {name}, received {value}; mend the cell that computes it")
        kept[name] = value
    for name, value in kept.items():
        glue(name, value, display=False)


def _is_number(entry):
    return isinstance(entry, int | float | np.number) and not isinstance(entry, bool)


def _cell(entry, wanted):
    text = format(entry, wanted) if wanted is not None and not isinstance(entry, str) else str(entry)
    return text.replace("|", "\\|") if isinstance(entry, str) else text
