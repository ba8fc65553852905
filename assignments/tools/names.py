"""Make paths from names that other people wrote: in one function, so that no name leads out of its folder."""

import re
from pathlib import Path

MAX_NAME = 100  # characters; with what is put behind a name, a file's name has at most 255 bytes

EXPECTED = "letters a to z, figures and . _ @ -, of which the first is a letter or a figure"


class NameRefusedError(ValueError):
    """A name is not fit to be a part of a path; the message says what was expected."""


def problem_of(name):
    r"""Return what is wrong with a name that is to be a part of a path, or an empty string.

    A name becomes the name of a folder, a part of nbgrader's patterns, and a cell of a table that a spreadsheet reads.

    Parameters
    ----------
    name : str
        The id of a student, or the name of an assignment.

    Returns
    -------
    str

    Examples
    --------
    >>> problem_of("ann.smith@school")
    ''
    >>> problem_of("../evil")
    "expected letters a to z, figures and . _ @ -, of which the first is a letter or a figure, received '../evil'"
    >>> problem_of("")
    'expected a name, received nothing'
    """
    if not name:
        return "expected a name, received nothing"
    if len(name) > MAX_NAME:
        return f"expected at most {MAX_NAME} characters, received {len(name)}: {name[:20]!r}…"
    return "" if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._@-]*", name) else f"expected {EXPECTED}, received {name!r}"


def inside(folder, *names, suffix=""):
    """Return a path below a folder that is made from names. Every such path of these tools is made here.

    Parameters
    ----------
    folder : path_like
        Where the path begins. It is taken as it is.
    *names : str
        What follows, each of them one step down.
    suffix : str, optional
        What the last one ends with, such as ``".json"``.

    Returns
    -------
    Path

    Raises
    ------
    NameRefusedError
        If a name is empty, too long, absolute, or has a separator, a control character or anything else in it that
        `problem_of` does not allow; so ``.`` and ``..`` are refused, too.

    Examples
    --------
    >>> inside("course", "status", "mini", "ann", suffix=".json").as_posix()
    'course/status/mini/ann.json'
    """
    for name in names:
        if problem := problem_of(name):
            raise NameRefusedError(problem)
    return Path(folder, *names[:-1], names[-1] + suffix)
