"""Which cells of a notebook can notice that an answer is another one: those that use it, and those that use these."""

import symtable
from functools import cache
from typing import NamedTuple


class Names(NamedTuple):
    """What the code of a cell has to do with the global names of a notebook."""

    read: frozenset  # at its top, and in its functions, whenever these are called
    bound: frozenset
    data: frozenset  # those of `bound` that are no import, function or class: what they stand for may change in place
    functions: dict  # function or class → what is read inside, when it is called


NOTHING = Names(frozenset(), frozenset(), frozenset(), {})


@cache
def names_of(source):
    """Return the global `Names` of a cell's code; none for code that is not Python."""
    try:
        top = symtable.symtable(source, "cell", "exec")
    except SyntaxError:
        return NOTHING
    read, bound = _names_inside(top)
    symbols = [symbol for symbol in top.get_symbols() if symbol.get_name() in bound]
    made = {symbol.get_name() for symbol in symbols if symbol.is_imported() or symbol.is_namespace()}
    functions = {}
    for table in top.get_children():
        functions.setdefault(table.get_name(), set()).update(_names_inside(table)[0])
    return Names(frozenset(read), frozenset(bound), frozenset(bound - made), functions)


def _names_inside(table):
    """Return the global names that a piece of code, with all that is defined in it, reads and binds."""
    read, bound = set(), set()
    for symbol in table.get_symbols():
        if table.get_type() == "module" or symbol.is_global():
            if symbol.is_referenced():
                read.add(symbol.get_name())
            if symbol.is_assigned() or symbol.is_imported():
                bound.add(symbol.get_name())
    for child in table.get_children():
        more = _names_inside(child)
        read |= more[0]
        bound |= more[1]
    return read, bound


def cells_from(cells, answers):
    """Return the cells from the first of some answers on; both are name → code."""
    names = list(cells)
    return names[min(names.index(name) for name in answers) :]


def cells_to_run(cells, answers):
    """Return the cells to run in order to know what other answers change; the rest says what it said before.

    Those are, first, the cells that may notice: they read a name that an answer binds, or that another cell which
    notices binds. The data that such a cell reads count as bound by it, too: arrays and generators can change in place.
    So does a function that reads a name like that when it is called, wherever it was defined. Second, what comes after
    the first answer and binds a name that one of them reads. What code does to a module's inside is not seen here: the
    test that runs every cell is for that.

    Parameters
    ----------
    cells : dict of str to str
        Name → code of every cell, in order.
    answers : dict of str to str
        Name → other code, of some of them.

    Returns
    -------
    list of str
        Names of cells, in order; the answers are among them, and no cell before the first answer is.
    """
    rest = cells_from(cells, answers)
    names = {name: [names_of(code)] for name, code in cells.items()}
    for name, code in answers.items():
        names[name].append(names_of(code))
    everything = [one for several in names.values() for one in several]
    data = frozenset().union(*(one.data for one in everything))
    chosen, changed, size = set(answers), set(), -1
    while size != len(chosen) + len(changed):
        size = len(chosen) + len(changed)
        changed |= {name for cell in chosen for one in names[cell] for name in one.bound | (one.read & data)}
        changed |= {name for one in everything for name, read in one.functions.items() if read & changed}
        chosen |= {cell for cell in rest if any(one.read & changed for one in names[cell])}
    needed, size = set(), -1
    while size != len(chosen) + len(needed):
        size = len(chosen) + len(needed)
        needed |= {name for cell in chosen for one in names[cell] for name in one.read}
        needed |= {inside for one in everything for name in needed for inside in one.functions.get(name, ())}
        chosen |= {cell for cell in rest if any(one.bound & needed for one in names[cell])}
    return [cell for cell in rest if cell in chosen]
