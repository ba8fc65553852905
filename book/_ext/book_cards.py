"""What a term means, and what is cited, without leaving the page: small cards beside the links.

The build writes into each page the definitions of the terms that it links to; a citation's card comes from the title of
its link. ``book.js`` shows them when a link is pointed at or reached by the keyboard. Nothing is asked for from
anywhere, and without scripts the links lead to the glossary and to the bibliography as before.
"""

import json
import re
from html import escape
from pathlib import Path

from docutils import nodes

GLOSSARY = "book/glossary"
LINK = re.compile(r'href="[^"]*#(term-[^"]+)"')


def to_html(node):
    r"""Return a definition as HTML: text, emphasis, code and formulas, and no links.

    Examples
    --------
    >>> to_html(nodes.paragraph("", "", nodes.Text("a < "), nodes.strong(text="b"), nodes.math(text="x^2")))
    'a &lt; <strong>b</strong><span class="math notranslate nohighlight">\\(x^2\\)</span>'
    """
    if isinstance(node, nodes.Text):
        return escape(node.astext(), quote=False)
    if isinstance(node, nodes.math):
        return f'<span class="math notranslate nohighlight">\\({escape(node.astext())}\\)</span>'
    inner = "".join(map(to_html, node.children))
    for kind, tag in ((nodes.strong, "strong"), (nodes.emphasis, "em"), (nodes.literal, "code")):
        if isinstance(node, kind):
            return f"<{tag}>{inner}</{tag}>"
    return inner


def read_definitions(doctree):
    """Return what the terms of a glossary mean: id → HTML. Terms that share a definition each have it."""
    found = {}
    for item in doctree.findall(nodes.definition_list_item):
        definition = next(iter(item.findall(nodes.definition)), None)
        if definition is None or not definition.children:
            continue
        text = to_html(definition.children[0])
        for term in item.findall(nodes.term):
            found.update(dict.fromkeys(term["ids"], text))
    return found


def cards_of(body, definitions):
    """Return the definitions that a page needs, as an element that holds them, or an empty text.

    Parameters
    ----------
    body : str
        The page.
    definitions : dict
        As from `read_definitions`.

    Returns
    -------
    str
        HTML.
    """
    wanted = {name: definitions[name] for name in sorted(set(LINK.findall(body))) if name in definitions}
    if not wanted:
        return ""
    data = json.dumps(wanted, ensure_ascii=False).replace("</", "<\\/")
    return f'<script type="application/json" id="book-terms">{data}</script>'


def add_cards(app, pagename, templatename, context, doctree):
    """Write the definitions at the end of a page."""
    if doctree is not None and GLOSSARY in app.env.found_docs:
        if not hasattr(app, "book_definitions"):
            app.book_definitions = read_definitions(app.env.get_doctree(GLOSSARY))
        context["body"] = (context.get("body") or "") + cards_of(context.get("body") or "", app.book_definitions)


def note_glossary(app, config):
    """Make the glossary part of the configuration: another one is written into all pages."""
    path = Path(app.srcdir) / f"{GLOSSARY}.md"
    config["book_glossary"] = path.read_text(encoding="utf-8") if path.is_file() else ""


def setup(app):
    """Register with Sphinx, after what counts words and before what reads the text."""
    app.add_config_value("book_glossary", "", "html", [str])
    app.connect("config-inited", note_glossary)
    app.connect("html-page-context", add_cards, priority=970)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
