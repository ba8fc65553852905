"""Read what a student handed in, without running it: put the tests back, and note what a teacher should look at."""

import ast
import copy
import errno
import io
import json
import os
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
MAX_QUOTE = 4000  # characters of one text

#: Above what a student wrote elsewhere than in the cell of an answer.
QUOTED = "(Put here when this was marked: the cell was left as it was, and text stands elsewhere in the notebook.)"

NO_FILE = "this is not a file of its own, but a link, a folder or something else"

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


# How other files begin that were handed in under the name of a notebook.
KINDS = {
    b"PK\x03\x04": "a ZIP file: unpack it, and hand in the notebook that is in it",
    b"\x1f\x8b": "packed with gzip: unpack it, and hand in the notebook that is in it",
    b"%PDF": "a PDF: hand in the notebook itself",
    b"{\\rtf": "a text of a word processor: hand in the notebook itself",
    b"<": "a web page: download the notebook itself, with File → Download",
}


def read_submission(path):
    """Read the cells of a submitted notebook.

    Parameters
    ----------
    path : Path
        The file. A link is not followed: it could lead to somebody else's work.

    Returns
    -------
    list of dict
        As `read_cells` returns them.

    Raises
    ------
    CorruptError
        If it cannot be read, or is not a notebook.
    """
    return read_cells(read_bytes(path))


def read_bytes(path):
    """Return what is in a file that somebody else put there.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    bytes
        At most `MAX_BYTES`.

    Raises
    ------
    CorruptError
        If it is a link, a folder or something else, too large, or not to be read (its rights, its name, the disk).
    """
    # By a descriptor: what was looked at is what is read. And a pipe must not be waited for.
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            about = os.fstat(file)
            if not stat.S_ISREG(about.st_mode):
                raise CorruptError(NO_FILE)
            if about.st_size > MAX_BYTES:
                raise CorruptError(f"the file has more than {MAX_BYTES // 2**20} MB: clear the outputs")
            with open(file, "rb", closefd=False) as opened:
                return opened.read(MAX_BYTES)
        finally:
            os.close(file)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):  # a link, a socket
            raise CorruptError(NO_FILE) from None
        raise CorruptError(f"the file cannot be read ({error.strerror})") from None
    except ValueError:
        raise CorruptError("the file cannot be read (its name is damaged)") from None


def read_cells(content):
    """Take a notebook apart.

    Parameters
    ----------
    content : bytes
        JSON in UTF-8, as Jupyter writes it; or in UTF-16 or UTF-32, and with a mark (BOM) or without: since JSON begins
        with ASCII, these cannot be taken for one another. Any other encoding (latin-1) is refused: nothing in the file
        says which it is.

    Returns
    -------
    list of dict
        For each cell ``type`` (``"code"``, ``"markdown"`` or ``"raw"``), ``source``, ``name`` (its ``grade_id``, or
        None) and ``id`` (or None). Nothing else of the file is used.

    Raises
    ------
    CorruptError
        If it is not a notebook, or has text that cannot be written to a file again.
    """
    if not content.strip():
        raise CorruptError("the file is empty")
    for start, kind in KINDS.items():
        if content.lstrip().startswith(start):
            raise CorruptError(f"the file is no notebook, but {kind}")
    try:
        notebook = json.loads(_decoded(content))
    except (ValueError, RecursionError):
        raise CorruptError("the file is no notebook: it cannot be read as JSON; download it again") from None
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise CorruptError("the file has no cells: it is not a notebook of Jupyter's format 4")
    return [_read_cell(cell, place) for place, cell in enumerate(notebook["cells"])]


def _decoded(content):
    encoding = json.detect_encoding(content)
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        if not encoding.startswith("utf-8"):
            raise CorruptError(f"the file is in {encoding.upper()}, and damaged: download it again") from None
        try:
            json.loads(content.decode("latin-1"))
        except (ValueError, RecursionError):
            raise error from None
        line = content.count(b"\n", 0, error.start) + 1
        raise CorruptError(
            "the file is a notebook, but not in UTF-8: some editor saved it in latin-1, Windows-1252 or the like (line "
            f"{line}, byte 0x{content[error.start]:02x}); save it as UTF-8 there, or download it from Jupyter again"
        ) from None


def _read_cell(cell, place):
    source = cell.get("source") if isinstance(cell, dict) else None
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str) or cell.get("cell_type") not in ("code", "markdown", "raw"):
        raise CorruptError(f"cell {place + 1} of the file is damaged")
    try:
        source.encode("utf-8")
    except UnicodeEncodeError as error:
        raise CorruptError(
            f"cell {place + 1} of the file has half of a character (\\u{ord(source[error.start]):04x}), which cannot "
            "be written again: delete that character, often one half of an emoji"
        ) from None
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

    Where a written answer was left as it was, and text of the student's stands anywhere else, in a cell of their own,
    in what was handed out, or in code (comments, texts that are printed, sentences), that text is quoted in the cell of
    the answer, behind `QUOTED`. So nbgrader sees a cell that was changed, and leaves it to the teacher.

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
        What was restored, and in which cells of the file text stands that may be a written answer.
    """
    places = {cell.id: place for place, cell in enumerate(release.cells)}
    found, others, behind = {}, {}, 0
    cells = [{**cell, "number": number} for number, cell in enumerate(cells, 1)]
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
    notes = [f"{words}: {', '.join(names)}" for words, names in notes.items()]
    written = [place for place, cell in enumerate(release.cells) if _is_written(cell)]
    open_ones = [place for place in written if _is_same(notebook.cells[place], release.cells[place])]
    answered = [found[place] for place in written if place in found and place not in open_ones]
    texts = _texts_of([cell for cell in cells if cell not in answered], release) if open_ones else []
    if texts:
        for place in open_ones:
            _quote(notebook.cells[place], texts)
        names = ", ".join(release.cells[place].id for place in open_ones)
        notes.append(
            f"left as it was: {names}, but text stands in {', '.join(where for where, _ in texts)}: look there"
        )
    notebook.cells = restored
    return notebook, notes


def _is_written(cell):
    marks = cell.metadata.get("nbgrader", {})
    return bool(marks.get("solution") and marks.get("grade"))


def _is_same(cell, other):
    return cell.source.strip() == other.source.strip()


def _texts_of(cells, release):
    """Return what a student wrote in words: pairs of where it stands, and the text."""
    known = {line.strip() for cell in release.cells for line in cell.source.splitlines()}
    texts = []
    for cell in cells:
        if cell["type"] == "code":
            text, kind = "\n".join(_sentences(cell["source"], known)), "code"
        else:
            text, kind = "\n".join(_new_lines(cell["source"], known)), "text"
            text = text if re.search(r"\w|!\[", text) else ""  # a picture is an answer, too
        if text:
            texts.append((f"cell {cell['number']} of the file ({kind})", text))
    return texts


def _new_lines(source, known):
    return [line for line in source.splitlines() if line.strip() not in known]


def _sentences(source, known):
    """Return the lines and comments of code in which a student may have answered in words.

    It rather takes one too many: a teacher passes over it in a moment, and one too few is a zero that nobody sees.
    """
    try:
        tree = ast.parse(re.sub(r"^\s*[%!].*$", "pass", source, flags=re.MULTILINE))
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (SyntaxError, ValueError, RecursionError, MemoryError, tokenize.TokenError):
        return [line for line in _new_lines(source, known) if _is_sentence(line)]
    blocks, last = [], None
    for token in tokens:
        if token.type != tokenize.COMMENT or token.line.strip() in known:
            continue
        if last is not None and token.start[0] == last + 1:
            blocks[-1] += "\n" + token.string.lstrip("#").strip()
        else:
            blocks.append(token.string.lstrip("#").strip())
        last = token.start[0]
    if not tree.body:  # nothing but comments
        return [block for block in blocks if re.search(r"\w", block)]
    lines = source.splitlines()
    for statement in tree.body:
        own = _new_lines("\n".join(lines[statement.lineno - 1 : statement.end_lineno]), known)
        if own and isinstance(statement, ast.Expr | ast.Assign | ast.AnnAssign):
            strings = [node.value for node in ast.walk(statement) if isinstance(node, ast.Constant)]
            blocks += [text for text in strings if isinstance(text, str)]
    return [block for block in blocks if _is_sentence(block)]


def _is_sentence(text):
    """Return whether a text is words: four of them (or eight signs of a script without spaces), and no code."""
    words = re.findall(r"[^\W\d_]+", text)
    if len(words) < 4 and sum(ord(sign) >= 0x2E80 for word in words for sign in word) < 8:
        return False
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return True
    return False


def _quote(cell, texts):
    """Put texts that stand elsewhere into the cell of a written answer."""
    parts = [QUOTED, *(f"{where}:\n\n{text[:MAX_QUOTE]}" for where, text in texts)]
    start = "> " if cell.cell_type == "markdown" else "# "
    lines = "\n\n".join(parts).splitlines()
    cell.source += "\n\n" + "\n".join((start + line).rstrip() for line in lines)


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
