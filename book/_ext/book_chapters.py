"""The list of chapters on the front page: picture, number and standard name, claim, minutes. Nothing in it is typed.

``{book-chapters}`` becomes the list. Order and parts come from the table of contents, names and claims from the
chapters' headings, minutes from ``book_reading``, and the pictures are ``book/pictures/<slug>.svg``: drawings of
96 × 60 in the colours of the theme, which say nothing that the words beside them do not say.
"""

import posixpath
import re
from html import escape
from itertools import groupby
from pathlib import Path

from book_names import number_chapters, split_title
from book_reading import place
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

PICTURES = Path(__file__).resolve().parents[1] / "pictures"


class book_chapters(nodes.General, nodes.Element):
    """Stands where the list comes."""


class ChaptersDirective(SphinxDirective):
    """``{book-chapters}``: the chapters of the book."""

    def run(self):
        """Leave a mark, to be replaced once every page has been read."""
        self.env.book_chapters_page = self.env.docname
        self.env.metadata[self.env.docname]["book_minutes"] = True
        return [book_chapters()]


def picture(slug, folder=PICTURES):
    """Return the drawing of a chapter, to stand in a page, or an empty text if there is none.

    Parameters
    ----------
    slug : str
        The chapter.
    folder : Path, optional
        Where the drawings are.

    Returns
    -------
    str
        One ``<svg>`` element that screen readers pass over.
    """
    path = folder / f"{slug}.svg"
    if not path.is_file():
        return ""
    svg = re.sub(r"<!--.*?-->\s*", "", path.read_text(encoding="utf-8"), flags=re.DOTALL).strip()
    return svg.replace("<svg ", '<svg class="book-picture" aria-hidden="true" focusable="false" ', 1)


def entry(number, page, title, link, minutes):
    r"""Return the entry of a chapter.

    Examples
    --------
    >>> html = entry(4, "chapters/none", "ALS: hold one side still", "../chapters/als.html", "38 minutes")
    >>> re.sub("<.*?>", "", html)
    '4 ALS\nhold one side still 38 minutes'
    """
    name, claim = split_title(title)
    drawn = picture(posixpath.basename(page))
    words = f'<span class="book-chapter-name">{number} {escape(name)}</span>\n'
    words += f'<span class="book-chapter-claim">{escape(claim)}</span>'
    return f'<li><a href="{escape(link)}">{drawn}{words}</a> <span class="book-chapter-time">{minutes}</span></li>'


def fill_list(app, doctree, docname):
    """Put the list where its mark stands."""
    for mark in list(doctree.findall(book_chapters)):
        html = []
        for part, chapters in groupby(number_chapters(app).items(), key=lambda item: item[1][1]):
            html.append(f'<p class="book-chapters-part">{escape(part)}</p>\n<ol class="book-chapters">')
            for page, (number, _) in chapters:
                link = app.builder.get_relative_uri(docname, page)
                html.append(entry(number, page, app.env.titles[page].astext(), link, place("minutes", page).astext()))
            html.append("</ol>")
        mark.replace_self(nodes.raw("", "\n".join(html), format="html"))


def write_again(app, env):
    """Have the page written in each build: a heading elsewhere may have changed."""
    page = getattr(env, "book_chapters_page", None)
    return [page] if page else []


def setup(app):
    """Register with Sphinx."""
    app.add_node(book_chapters)
    app.add_directive("book-chapters", ChaptersDirective)
    app.connect("doctree-resolved", fill_list)
    app.connect("env-updated", write_again)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
