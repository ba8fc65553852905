r"""Read what teachers download from a learning management system: the names there say who handed in what.

================  ============================================================================================
``--lms moodle``  ``Ann Smith_4711_assignsubmission_file_/mini.ipynb``, also without the last ``_``, or, without
                  folders, ``Ann Smith_4711_assignsubmission_file_mini.ipynb``
``--lms canvas``  ``smithann_12345_67890_mini.ipynb``, ``smithann_LATE_12345_67890_mini.ipynb``
================  ============================================================================================

What fits none of the `PATTERNS` is named and left alone. Nothing is guessed.

**Who it is.** With a column ``moodle`` or ``canvas`` in ``students.csv``: the student in whose line that column has the
number in the name, or, for Moodle, the full name. Without such a column the number is the id. Canvas's number is the
user's, the same for all assignments. Moodle's is another one for each assignment, so there the column is worth its
while.

**Which one.** A file that is handed in again gets ``-1``, ``-2`` and so on behind its name: the one with the largest
number is taken, and that is said. Where two have the same number, none is taken.
"""

import os
import re
from pathlib import Path

from assignments.tools.roster import as_key

FILE = r"(?P<assignment>[^/]+?)(?:-(?P<again>[0-9]{1,6}))?\.ipynb"

#: LMS → patterns of the paths in its download. ``number`` is who it is; so is ``name``, if it is a full name.
PATTERNS = {
    "moodle": (
        rf"(?P<name>[^/]+)_(?P<number>[0-9]+)_assignsubmission_file_?/{FILE}",
        rf"(?P<name>[^/]+)_(?P<number>[0-9]+)_assignsubmission_file_{FILE}",
    ),
    "canvas": (rf"[^/_]+_(?:LATE_)?(?P<number>[0-9]+)_[0-9]+_{FILE}",),
}

#: LMS → what the names in the top folder of its download look like, whatever was handed in.
TOP = {"moodle": r".+_[0-9]+_assignsubmission_[a-z]+(_.*)?", "canvas": r"[^_]+_(LATE_)?[0-9]+_[0-9]+_.+"}


def looks_like(names):
    """Return the LMS from which a folder with these names comes, or None if more than one or none could be it.

    Examples
    --------
    >>> looks_like(["Ann Smith_4711_assignsubmission_file_"])
    'moodle'
    """
    found = [lms for lms, pattern in TOP.items() if names and all(re.fullmatch(pattern, name) for name in names)]
    return found[0] if len(found) == 1 else None


def take_apart(path, lms):
    """Return what a path in a download says, or None if it fits no pattern.

    Parameters
    ----------
    path : str
        Relative to the download, with ``/``.
    lms : {"moodle", "canvas"}
        Where it comes from.

    Returns
    -------
    dict or None
        ``number``, ``name`` (for Moodle), ``assignment``, and ``again``: 0, or the number of a later submission.

    Examples
    --------
    >>> take_apart("smithann_LATE_12345_67890_feature_sums-2.ipynb", "canvas")
    {'number': '12345', 'assignment': 'feature_sums', 'again': 2}
    >>> take_apart("mini.ipynb", "canvas")
    """
    for pattern in PATTERNS[lms]:
        if match := re.fullmatch(pattern, path):
            return {**match.groupdict(), "again": int(match["again"] or 0)}
    return None


def read_download(folder, lms, assignments, known=None):
    """Find out who handed in what, in a folder that was downloaded from an LMS and unpacked.

    Parameters
    ----------
    folder : Path
        The download.
    lms : {"moodle", "canvas"}
        Where it comes from.
    assignments : sequence of str
        What was handed out.
    known : dict, optional
        The name or number at the LMS → id, as `read_roster` returns it. Without it, the number is the id.

    Returns
    -------
    found : dict
        (student, assignment) → path of the notebook.
    remarks : list of str
        What was left alone, by its name and with the reason, and which of several submissions was taken.
    """
    claims, remarks = {}, []
    for path in _paths_in(folder):
        said = take_apart(path, lms)
        if said is None:
            remarks.append(f"{path!r}: left alone, since it is not a name that {lms.title()} gives to a notebook")
            continue
        if said["assignment"] not in assignments:
            remarks.append(f"{path!r}: left alone, since there is no assignment {said['assignment']!r}")
            continue
        student = _student_of(said, known)
        if student is None:
            remarks.append(f"{path!r}: left alone, since no line of students.csv has it in the column `{lms}`")
            continue
        claims.setdefault((student, said["assignment"]), []).append((said["again"], path))
    found = {}
    for (student, assignment), paths in claims.items():
        paths.sort(reverse=True)
        last = [path for again, path in paths if again == paths[0][0]]
        if len(last) > 1:
            names = ", ".join(map(repr, sorted(last)))
            remarks.append(f"{student}, {assignment}: left alone, since nothing says which is the last one: {names}")
            continue
        found[student, assignment] = Path(folder, last[0])
        if older := [path for _, path in paths[1:]]:
            remarks.append(f"{student}, {assignment}: took {last[0]!r}, and not {', '.join(map(repr, older))}")
    return found, remarks


def _paths_in(folder):
    """Return the paths of what is in a folder and one step below, without names that begin with a point."""
    paths = []
    for top in sorted(os.listdir(folder)):
        inner = Path(folder, top)
        if top.startswith("."):
            continue
        if os.path.islink(inner) or not os.path.isdir(inner):
            paths.append(top)
            continue
        try:
            names = [name for name in sorted(os.listdir(inner)) if not name.startswith(".")]
        except OSError:
            names = []
        paths += [f"{top}/{name}" for name in names] or [f"{top}/"]
    return paths


def _student_of(said, known):
    """Return the id of who handed something in, or None if the list has nobody."""
    if known is None:
        return said["number"]
    claimed = {known[key] for key in (said["number"], as_key(said.get("name", ""))) if key in known}
    return claimed.pop() if len(claimed) == 1 else None
