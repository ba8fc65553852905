"""What the search looks through: the sections of the book, as prose.

Sphinx's own index leads to pages, and a chapter is long. This one has an entry for each section, for each term of the
glossary and for each function of the package, with its text as a reader sees it: without code, outputs and formulas. It
is a script that only the search page loads, so the search works from a disk too; ``book-search.js`` ranks the entries.
"""

import json
import re
from pathlib import Path

from book_names import split_title
from bs4 import BeautifulSoup

KEPT = "book_search.json"
NO_PROSE = (
    "script, style, pre, .cell, .highlight, .math, .headerlink, .book-kicker, .book-widget, .viewcode-link, nav, "
    "details.book-fold, .eqno, table.indextable"
)
MAX_TEXT = 6000  # characters of a section; nobody's section is longer


def clean(text):
    """Join lines and spaces, and close the gaps that formulas leave before punctuation."""
    return re.sub(r" +([.,;:)])", r"\1", re.sub(r"\s+", " ", text)).strip()


def read_entries(html):
    """List what can be found on a page.

    Parameters
    ----------
    html : str
        Its text.

    Returns
    -------
    list of [str, str, str]
        Id, heading and prose of each section, term and function, in the order of the page. What belongs to a section
        inside does not belong to the one around it.

    Examples
    --------
    >>> read_entries("<section id=a><h1>A</h1><p>Two</p><pre>code</pre><section id=b><h2>B</h2></section></section>")
    [['a', 'A', 'Two'], ['b', 'B', '']]
    """
    soup = BeautifulSoup(re.sub(r"<svg\b.*?</svg>", "", html, flags=re.DOTALL), "html.parser")
    for gone in soup.select(NO_PROSE):
        gone.decompose()
    for tag in soup.select("p, li, dt, dd, td, th, div, h1, h2, h3, h4"):
        tag.append(" ")
    found = [
        tag
        for tag in soup.select("section[id], dl.glossary > dt[id], dl.py > dt[id]")
        if tag.name != "section" or tag.select_one("h1, h2, h3, h4")
    ]
    texts = []
    for tag in reversed(found):  # the inner ones first; taken out, they are not part of the outer ones
        if tag.name == "section":
            heading = tag.select_one("h1, h2, h3, h4").extract()
            text = tag.get_text()
        else:
            heading = tag
            body = tag.find_next_sibling("dd")
            text = body.get_text() if body else ""
            if body:
                body.extract()
            if "py" in tag.parent.get("class", []):
                name = tag.select_one(".descname")
                heading = name or tag
        texts.append([tag["id"], clean(heading.get_text()), clean(text)[:MAX_TEXT]])
        tag.extract()
    return texts[::-1]


def kind_of(page):
    """Return what a page is to the search: a chapter, the glossary, the reference, or something else."""
    if page.startswith("chapters/"):
        return "chapter"
    if page.startswith("book/api"):
        return "api"
    return {"book/glossary": "glossary"}.get(page, "page")


def collect(app, pagename, templatename, context, doctree):
    """Read a page that is written, unless an extension generates it."""
    if doctree is None or app.builder.format != "html":
        return
    title = app.env.titles[pagename].astext() if pagename in app.env.titles else pagename
    app.book_search[pagename] = {
        "page": f"{pagename}.html",
        "title": split_title(title)[0] if pagename.startswith("chapters/") else title,
        "kind": kind_of(pagename),
        "entries": read_entries(context.get("body") or ""),
    }


def recall(app):
    """Begin with what earlier builds read: they wrote pages that this one will not."""
    path = Path(app.doctreedir) / KEPT
    app.book_search = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def write_index(app, exception):
    """Write the script, and keep what was read for the next build."""
    if exception or app.builder.format != "html":
        return
    pages = {page: found for page, found in sorted(app.book_search.items()) if page in app.env.found_docs}
    Path(app.doctreedir, KEPT).write_text(json.dumps(pages), encoding="utf-8")
    script = "window.BOOK_SECTIONS = " + json.dumps(list(pages.values()), ensure_ascii=False, separators=(",", ":"))
    Path(app.outdir, "_static", "book-sections.js").write_text(script + ";\n", encoding="utf-8")


def setup(app):
    """Register with Sphinx; the body of a page is complete by then."""
    app.connect("builder-inited", recall)
    app.connect("html-page-context", collect, priority=960)
    app.connect("build-finished", write_index)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": False}
