"""Fold what does not teach: imports, checks, and the code that only draws a figure or makes a table.

A rule recognises such cells from their source, so that no tag is needed on each of them. A fold is a ``<details>``
element whose summary says what is inside; its output stays in sight. The button "Show all code" opens all of them
(``book.js``). Notebooks and sources that readers download are not touched.

What the author says wins: a cell tagged ``show`` stays open, and one tagged ``hide-input`` or ``hide-cell`` is folded,
with the title from its ``mystnb: {code_prompt_show: …}``, if it has one.
"""

import ast
import builtins
import re
import textwrap
from html import escape
from itertools import chain

import numpy as np
from docutils import nodes
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.collections import Collection
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.spines import Spine, Spines
from matplotlib.text import Annotation

#: From these, a cell takes what shows a result and what checks one, not what it is about.
HELPERS = {
    *("numpy", "matplotlib", "math", "itertools", "functools", "collections", "types", "IPython", "myst_nb"),
    *("utils.book", "utils.data.summary"),
}
#: What numbers, texts, containers and parts of a figure can do. A method of another name does the chapter's work.
METHODS = set(
    chain.from_iterable(
        dir(kind) for kind in (np.ndarray, float, str, list, dict, set, Axes, Axis, Figure, Legend, Spine, Spines)
    )
) | {*dir(Annotation), *dir(Collection)}
RECORDS = {"record_claim", "glue", "glue_all"}
TABLES = {"Markdown", "HTML", "display", "table"}
DRAWERS = {"plt", "axes", "ax", "figure"}
STYLE = {"use_book_style"}


class book_fold(nodes.General, nodes.Element):
    """What is folded; ``summary`` says what that is."""


def visit_fold(translator, node):
    """Begin the element."""
    classes = " ".join(["book-fold", *node["classes"]])
    translator.body.append(f'<details class="{classes}"><summary>{escape(node["summary"])}</summary>\n')


def depart_fold(translator, node):
    """End it."""
    translator.body.append("</details>\n")


def skip(translator, node):
    """Leave it out where nothing can be folded: in a text for a printer or a translator, the content stands."""


class Cell:
    """The source of a cell, and what the rule asks about it.

    Attributes
    ----------
    source : str
        Python.
    defines, uses : set of str
        Names that it binds at its top level, and names that it reads.
    imports : dict
        Name → the module that it comes from.
    """

    def __init__(self, source):
        self.source = source
        self.statements = ast.parse(source).body
        walked = list(chain.from_iterable(map(ast.walk, self.statements)))
        self.imports = {}
        for node in walked:
            if isinstance(node, ast.Import):
                self.imports.update({(n.asname or n.name).split(".")[0]: n.name for n in node.names})
            elif isinstance(node, ast.ImportFrom):
                self.imports.update({n.asname or n.name: node.module or "" for n in node.names})
        functions = {n.name for n in walked if isinstance(n, ast.FunctionDef | ast.ClassDef)}
        stored = {n.id for n in walked if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        self.defines = functions | stored | set(self.imports)
        self.uses = {n.id for n in walked if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def called(node):
    """Return the name that a call begins with, and the method that it ends with, each None if there is none.

    Examples
    --------
    >>> called(ast.parse("axes[0].plot(x)").body[0].value), called(ast.parse("print(x)").body[0].value)
    (('axes', 'plot'), ('print', None))
    """
    function = node.func
    method = function.attr if isinstance(function, ast.Attribute) else None
    while isinstance(function, ast.Attribute | ast.Subscript | ast.Call):
        function = function.func if isinstance(function, ast.Call) else function.value
    return (function.id if isinstance(function, ast.Name) else None), method


def is_check(node):
    """Say whether a statement asserts something, or records a number or a verdict."""
    if isinstance(node, ast.Assert):
        return True
    if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
        return False
    name, method = called(node.value)
    return (method or name or "").startswith("assert_") or (method is None and name in RECORDS)


def calls_outside_checks(node):
    """Yield the calls in a statement, but those that are part of a check."""
    if is_check(node):
        return
    if isinstance(node, ast.Call):
        yield node
    for child in ast.iter_child_nodes(node):
        yield from calls_outside_checks(child)


def is_from_helpers(module):
    """Say whether a module only helps."""
    return any(module == helper or module.startswith(f"{helper}.") for helper in HELPERS)


def is_plumbing(call, cell, imports):
    """Say whether a call shows or rearranges something, and computes nothing that a chapter is about."""
    name, method = called(call)
    if name in cell.imports or name in imports:
        return is_from_helpers(cell.imports.get(name) or imports[name]) and name != "rng"
    if method is not None:
        return method in METHODS
    return name in RECORDS | TABLES or hasattr(builtins, name or "") or name in cell.defines


def is_constant(node):
    """Say whether a statement gives a name in capitals a value that nothing computes."""
    is_named = isinstance(node, ast.Assign) and all(isinstance(t, ast.Name) and t.id.isupper() for t in node.targets)
    return is_named and not any(isinstance(part, ast.Call) for part in ast.walk(node))


def is_import_cell(cell):
    """Say whether a cell only imports, sets the style, and names constants."""

    def is_setup(node):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            return called(node.value)[0] in STYLE
        return isinstance(node, ast.Import | ast.ImportFrom) or is_constant(node)

    return bool(cell.imports) and all(map(is_setup, cell.statements))


def first_comment(source):
    """Return the first line of comment that is not about the inside of a block, or an empty text."""
    match = re.search(r"^# ?(.+)$", source, flags=re.MULTILINE)
    return match[1].strip().rstrip(".:") if match else ""


def describe_work(source):
    r"""Say what code is for that computes and shows: by what it shows.

    Examples
    --------
    >>> describe_work("x = f()\nplt.plot(x)"), describe_work("Markdown(f())"), describe_work("f()")
    ('Compute, and draw the figure', 'Compute, and make the table', 'Show the code')
    """
    try:
        calls = [called(node) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    except SyntaxError:
        return "Show the code"
    if any(name in DRAWERS and method for name, method in calls):
        return "Compute, and draw the figure"
    if any(name in TABLES for name, _ in calls):
        return "Compute, and make the table"
    return describe_check(source) if "assert " in source else "Show the code"


def describe_check(source):
    r"""Say what is checked: what the first comment says, or else which claims are decided.

    Examples
    --------
    >>> describe_check("# The three agree.\nassert a == b == c")
    'Check: the three agree'
    >>> describe_check('record_claim("M3", "holds", "…")'), describe_check("glue('x', 1)"), describe_check("assert a")
    ('Check: claim M3', 'Numbers for the text', 'Check')
    """
    comment = first_comment(source)
    if comment:
        is_name = len(comment) > 1 and comment[1].isupper()
        return f"Check: {comment if is_name else comment[0].lower() + comment[1:]}"
    claims = re.findall(r"""record_claim\(\s*["'](\w+)["']""", source)
    if claims:
        return f"Check: claim{'s' if len(claims) > 1 else ''} {', '.join(claims)}"
    return "Check" if "assert" in source else "Numbers for the text"


def recognise(cell, imports):
    """Return what a fold of the cell would be called, or None if the cell teaches.

    Parameters
    ----------
    cell : Cell
        With at least one statement.
    imports : dict
        Name → module, of the cells before.
    """
    if is_import_cell(cell):
        n_lines = sum(1 for line in cell.source.split("\n") if line.strip())
        return f"Imports ({n_lines} line{'s' if n_lines > 1 else ''})"
    calls = list(chain.from_iterable(map(calls_outside_checks, cell.statements)))
    if not all(is_plumbing(call, cell, imports) for call in calls):
        return None
    names = [called(call) for call in calls]
    everything = [node for statement in cell.statements for node in ast.walk(statement)]
    if any(name in DRAWERS and method for name, method in names):
        return "Draw the figure"
    if any(name in TABLES for name, _ in names):
        return "Make the table"
    has_print = any(name == "print" for name, _ in names)
    if any(map(is_check, everything)) and not has_print:
        return describe_check(cell.source)
    is_table = has_print and any(isinstance(node, ast.For) for node in cell.statements)
    return "Print the table" if is_table else None


def choose_folds(sources, is_open=()):
    """Choose which cells of a page are folded.

    Parameters
    ----------
    sources : sequence of str
        The code cells in order.
    is_open : collection of int, optional
        Cells that stay open whatever they hold.

    Returns
    -------
    dict
        Number of the cell → the summary of its fold. Apart from imports, a folded cell defines nothing that a cell in
        sight uses.

    Examples
    --------
    >>> choose_folds(["import numpy as np", "x = np.ones(3)", "assert x.sum() == 3"])
    {0: 'Imports (1 line)', 2: 'Check'}
    """
    cells, folds, imports = {}, {}, {}
    for number, source in enumerate(sources):
        try:
            cell = Cell(textwrap.dedent(source))
        except SyntaxError:  # a magic command, or code that is broken on purpose
            continue
        cells[number] = cell
        title = recognise(cell, imports) if cell.statements and number not in is_open else None
        if title:
            folds[number] = title
        imports.update(cell.imports)
        for name in cell.defines - set(cell.imports):
            imports.pop(name, None)
    while True:
        in_sight = set().union(*(cell.uses for number, cell in cells.items() if number not in folds))
        needed = [
            n for n in folds if (cells[n].defines - set(cells[n].imports)) & in_sight and not is_import_cell(cells[n])
        ]
        if not needed:
            return folds
        for number in needed:
            del folds[number]


def title_of_hidden(cell_node, source, recognised):
    """Return the summary of a cell that its author hides: the title given, what the rule sees, or its first comment."""
    prompt = cell_node.get("prompt_show", "")
    if prompt and "{type}" not in prompt:
        return prompt
    is_solution = cell_node["hide_mode"] == "all"
    return "Solution" if is_solution else recognised or first_comment(source) or describe_work(source)


def fold_cells(app, doctree):
    """Wrap the sources of cells, as soon as a page has been read."""
    found = [node for node in doctree.findall(nodes.container) if node.get("nb_element") == "cell_code"]
    with_source = [c for c in found if c.children and c.children[0].get("nb_element") == "cell_code_source"]
    sources = [cell.children[0].astext() for cell in with_source]
    tagged = [n for n, cell in enumerate(with_source) if cell.get("hide_mode") or "tag_show" in cell["classes"]]
    folds = choose_folds(sources, is_open=tagged)
    alone = choose_folds(sources)
    for number, cell in enumerate(with_source):
        mode = cell.get("hide_mode")
        if mode in ("input", "all"):
            title = title_of_hidden(cell, sources[number], alone.get(number))
            fold = book_fold(summary=title, classes=["book-solution"] if mode == "all" else [])
            content = cell.children if mode == "all" else cell.children[:1]
            fold.extend(content)
            cell.children = [fold, *cell.children[len(content) :]]
            fold.parent = cell
            del cell["hide_mode"]
        elif number in folds:
            fold = book_fold(summary=folds[number])
            code = cell.children[0]
            cell.replace(code, fold)
            fold.append(code)


def offer_switch(app, pagename, templatename, context, doctree):
    """Tell the template ``launch-buttons.html`` whether the page has anything to unfold."""
    context["has_folds"] = 'class="book-fold' in (context.get("body") or "")


def setup(app):
    """Register with Sphinx."""
    app.connect("html-page-context", offer_switch)
    app.add_node(book_fold, html=(visit_fold, depart_fold), latex=(skip, skip), text=(skip, skip))
    app.connect("doctree-read", fold_cells)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
