"""Sections that go deeper are folded, with their heading in sight.

A section whose heading begins with "Deeper:" becomes a ``<details>`` element with the heading in its summary. The
heading stays what it is, in the outline and in the table of contents. A link, the search and a page that is printed
open the section (``book.js``, ``book.css``); without scripts, a reader does.
"""

from docutils import nodes

PREFIX = "Deeper:"


def markup(html):
    """Return a piece of HTML as a node; other formats do without."""
    return nodes.raw("", html, format="html")


def fold_section(section):
    """Put all that follows the heading of a section into a ``<details>`` element, and the heading into its summary."""
    section["classes"].append("deeper")
    title, *content = section.children
    section.children = []
    section += [
        markup('<details class="deeper"><summary>'),
        title,
        markup("</summary>"),
        *content,
        markup("</details>"),
    ]


def fold_deeper_sections(app, doctree, docname):
    """Fold them once the table of contents, which wants headings first, has been made."""
    if app.builder.format != "html":
        return
    for section in list(doctree.findall(nodes.section)):
        title = section.children[0] if section.children else None
        if isinstance(title, nodes.title) and title.astext().startswith(PREFIX):
            fold_section(section)


def setup(app):
    """Register with Sphinx."""
    app.connect("doctree-resolved", fold_deeper_sections)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
