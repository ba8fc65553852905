"""Read what a student handed in, without running it: put the tests back, and note what a teacher should look at."""

import ast
import copy
import io
import json
import re
import stat
import tokenize

import nbformat.v4

NEW_CELL = {
    "code": nbformat.v4.new_code_cell,
    "markdown": nbformat.v4.new_markdown_cell,
    "raw": nbformat.v4.new_raw_cell,
}
MAX_BYTES = 20 * 2**20

# What an honest answer hardly ever needs, and what it could be for.
PURPOSES = {
    "reaches into the kernel": ("get_ipython", "ast_transformers", "input_transformers_cleanup"),
    "reads who calls": ("inspect", "_getframe", "f_back", "f_globals", "f_locals", "settrace", "setprofile"),
    "reads cells that ran before": ("In", "_ih", "_i", "_ii", "_iii", "linecache", "get_referrers"),
    "makes its own equality": ("__eq__", "__ne__", "__array__", "__array_function__", "__array_ufunc__"),
    "undoes what the tests do": ("__code__", "__closure__", "reload", "switch_on", "_ORIGINALS"),
    "hides what it does": ("__builtins__", "builtins", "setattr", "exec", "eval", "ctypes"),
    "leaves the notebook": ("subprocess", "socket", "urllib", "requests", "sqlite3", "system", "popen", "_exit"),
}
SUSPECTS = {word: purpose for purpose, words in PURPOSES.items() for word in words}


class CorruptError(Exception):
    """A file is not a notebook that can be marked; the message says why, in words for its author."""


def read_submission(path):
    """Read the cells of a submitted notebook.

    Parameters
    ----------
    path : Path
        The file. A link is not followed: it could lead to somebody else's work.

    Returns
    -------
    list of dict
        For each cell ``type`` (``"code"``, ``"markdown"`` or ``"raw"``), ``source``, ``name`` (its ``grade_id``, or
        None) and ``id`` (or None). Nothing else of the file is used.

    Raises
    ------
    CorruptError
        If it is not a notebook.
    """
    about = path.lstat()
    if not stat.S_ISREG(about.st_mode):
        raise CorruptError("this is not a file of its own, but a link, a folder or something else")
    if about.st_size > MAX_BYTES:
        raise CorruptError(f"the file has more than {MAX_BYTES // 2**20} MB: clear the outputs")
    if about.st_size == 0:
        raise CorruptError("the file is empty")
    try:
        notebook = json.loads(path.read_bytes().decode("utf-8"))
    except (ValueError, RecursionError):
        raise CorruptError("the file is no notebook: it cannot be read as JSON; download it again") from None
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise CorruptError("the file has no cells: it is not a notebook of Jupyter's format 4")
    return [_read_cell(cell, place) for place, cell in enumerate(notebook["cells"])]


def _read_cell(cell, place):
    source = cell.get("source") if isinstance(cell, dict) else None
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str) or cell.get("cell_type") not in ("code", "markdown", "raw"):
        raise CorruptError(f"cell {place + 1} of the file is damaged")
    metadata = cell.get("metadata")
    marks = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    name = marks.get("grade_id") if isinstance(marks, dict) else None
    names = [text if isinstance(text, str) else None for text in (name, cell.get("id"))]
    return {"type": cell["cell_type"], "source": source.replace("\r\n", "\n"), "name": names[0], "id": names[1]}


def restore(cells, release):
    """Put a student's answers into a fresh copy of the notebook that was handed out.

    So edited, deleted and moved tests are as they were, and no metadata of the student's counts. A cell is known by its
    ``grade_id``, else by its id, else by its text. Other cells stay behind the known cell that they stood behind. Where
    the cell of an answer is not found (some programs strip metadata), those other cells are the answer.

    Parameters
    ----------
    cells : list of dict
        As `read_submission` returns them.
    release : nbformat.NotebookNode
        The notebook that was handed out.

    Returns
    -------
    notebook : nbformat.NotebookNode
        What is to be marked.
    notes : list of str
        What was restored.
    """
    places = {cell.id: place for place, cell in enumerate(release.cells)}
    found, others, behind = {}, {}, 0
    for cell in cells:
        place = _place_of(cell, release, places, found, behind)
        if place is None:
            others.setdefault(behind, []).append(cell)
        else:
            found[place], behind = cell, place
    notebook, notes, restored = copy.deepcopy(release), {}, []
    for place, cell in enumerate(notebook.cells):
        restored.append(cell)
        marks = cell.metadata.get("nbgrader", {})
        if marks.get("solution"):
            if place in found:
                cell.source = found[place]["source"]
            elif any(other["type"] == cell.cell_type for other in _others_before(place, found, others)):
                cell.source = _from_others(cell, _others_before(place, found, others))
                notes.setdefault("lost its mark, so that what stands in its place was taken", []).append(cell.id)
            else:
                notes.setdefault("answer not found", []).append(cell.id)
        elif marks:
            if place not in found:
                notes.setdefault("deleted, and restored", []).append(cell.id)
            elif found[place]["source"].strip() != cell.source.strip():
                notes.setdefault("edited, and restored", []).append(cell.id)
        for number, other in enumerate(others.get(place, [])):
            restored.append(NEW_CELL[other["type"]](other["source"], id=f"own-{place}-{number}"))
    notebook.cells = restored
    return notebook, [f"{words}: {', '.join(names)}" for words, names in notes.items()]


def _place_of(cell, release, places, found, behind):
    """Return the place in the release of a cell, or None if it is the student's own.

    By its text it is looked for only behind the last known cell: two answers that nobody wrote have the same text.
    """
    for name in (cell["name"], cell["id"]):
        if name in places and places[name] not in found:
            return places[name]
    for place, known in enumerate(release.cells[behind:], behind):
        if place not in found and known.cell_type == cell["type"] and known.source.strip() == cell["source"].strip():
            return place
    return None


def _others_before(place, found, others):
    """Return the student's own cells since the last known cell before a place."""
    place -= 1
    while place > 0 and place not in found and place not in others:
        place -= 1
    return others.get(place, [])


def _from_others(cell, others):
    if cell.cell_type == "code":  # they run by themselves, just before it
        return "# The cell of this answer was not found. What stood in its place is above."
    return "\n\n".join(other["source"] for other in others if other["type"] == "markdown")


def find_flags(notebook):
    r"""Return what in a student's own code is worth a look, since a kernel cannot defend its tests.

    It is a hint, and no proof: an honest answer may contain such a word, and a sly one may avoid them all.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        As `restore` returns it.

    Returns
    -------
    list of str
        Sorted, such as ``"get_ipython (reaches into the kernel)"``.

    Examples
    --------
    >>> import nbformat.v4 as v4
    >>> find_flags(v4.new_notebook(cells=[v4.new_code_cell("import sys\nsys._getframe(1)  # inspect the caller")]))
    ['_getframe (reads who calls)']
    """
    flags = set()
    for cell in notebook.cells:
        if cell.cell_type != "code" or cell.metadata.get("nbgrader", {}).get("locked"):
            continue
        words = _words(cell.source)
        flags |= {f"{word} ({SUSPECTS[word]})" for word in words & SUSPECTS.keys()}
        if re.search(r"^\s*(!|%%)", cell.source, flags=re.MULTILINE):
            flags.add("a line with ! or %% (leaves the notebook)")
        flags |= {f"{name} = … (changes a module)" for name in _changed_modules(cell.source)}
    return sorted(flags)


def _words(source):
    """Return the names in code, and those in its strings, but not those in its comments."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError):
        return set(re.findall(r"\w+", source))
    names = {token.string for token in tokens if token.type == tokenize.NAME}
    texts = [token.string for token in tokens if token.type not in (tokenize.NAME, tokenize.COMMENT)]
    # Of the words in a text only those that hardly mean anything else, as in getattr(sys, "_getframe").
    return names | {word for text in texts for word in re.findall(r"\w+", text) if "_" in word and len(word) > 4}


def _changed_modules(source):
    """Return the attributes of imported modules, and the methods, that code assigns to."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return set()
    imported = {"np", "utils"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            imported |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    changed = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
            root = node.value
            while isinstance(root, ast.Attribute):
                root = root.value
            if isinstance(root, ast.Name) and root.id in imported:
                changed.add(ast.unparse(node))
    return changed
