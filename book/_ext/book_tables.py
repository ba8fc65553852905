"""The one way in which a local extension makes a table."""

from docutils import nodes
from sphinx.util.nodes import make_refnode


def table(titles, widths, rows, classes=()):
    """Return a table.

    Parameters
    ----------
    titles : sequence of str
        The head, one a column.
    widths : sequence of int
        How wide the columns are, relative to each other.
    rows : iterable of sequences
        A cell is a string, an inline node, or a list of inline nodes.
    classes : sequence of str, optional
        For the style sheet.

    Returns
    -------
    docutils.nodes.table

    Examples
    --------
    >>> print(table(["Page"], [1], [["ALS"]]).astext().split())
    ['Page', 'ALS']
    """

    def entry(cell):
        inline = cell if isinstance(cell, list) else [cell]
        inline = [part if isinstance(part, nodes.Node) else nodes.Text(part) for part in inline]
        return nodes.entry("", nodes.paragraph("", "", *inline))

    def row(cells):
        return nodes.row("", *map(entry, cells))

    group = nodes.tgroup("", cols=len(titles))
    group += [nodes.colspec(colwidth=width) for width in widths]
    group += nodes.thead("", row(titles))
    group += nodes.tbody("", *map(row, rows))
    return nodes.table("", group, classes=list(classes))


def link_to(app, docname, page, anchor="", text=None):
    """Return a link from one page to another, or to a place on it, with the other's title unless `text` is given."""
    text = text or app.env.titles[page].astext()
    return make_refnode(app.builder, docname, page, anchor, [nodes.Text(text)])
