"""What a chapter is called: a standard name, by which it is found, and a claim, by which it is remembered.

The heading of a chapter is ``standard name: claim``. The sidebar shows its number and its standard name, and the claim
small below it. Above the heading stands a line of facts: number, part, and minutes (``book_reading``). Numbers and
parts come from the table of contents, so they change with it.
"""

import posixpath
import re
from html import escape
from pathlib import Path

from book_reading import attributes, in_words, measure, whole_minutes

SIDEBAR_LINK = re.compile(r'(<a class="[^"]*\breference internal\b[^"]*" href="([^"]*)">)(.*?)(</a>)', re.DOTALL)


def split_title(title):
    """Split the title of a chapter.

    Parameters
    ----------
    title : str
        Such as ``"Alternating least squares: hold one side still"``.

    Returns
    -------
    name, claim : str
        The claim is empty if there is no colon.

    Examples
    --------
    >>> split_title("Alternating least squares: hold one side still")
    ('Alternating least squares', 'hold one side still')
    >>> split_title("Hold one side still")
    ('Hold one side still', '')
    """
    name, _, claim = title.partition(": ")
    return name, claim


def number_chapters(app):
    """Return the chapters' numbers and parts: docname → (number, caption of its part)."""
    found = {}
    for part in app.env.external_site_map.root.subtrees:
        for item in part.items:
            name = str(item)
            if name.startswith("chapters/"):
                found[name] = (len(found) + 1, part.caption)
    return found


def sidebar_entry(number, title):
    """Return what stands in the sidebar's link to a chapter.

    Examples
    --------
    >>> sidebar_entry(4, "ALS: hold one side still")
    '<span class="book-nav-name">4 ALS</span> <span class="book-nav-claim">hold one side still</span>'
    """
    name, claim = split_title(title)
    entry = f'<span class="book-nav-name">{number} {escape(name)}</span>'
    return f'{entry} <span class="book-nav-claim">{escape(claim)}</span>' if claim else entry


def name_links(html, pagename, titles, numbers):
    """Give the sidebar's links to chapters their number, name and claim.

    Parameters
    ----------
    html : str
        The list of pages, as the theme makes it.
    pagename : str
        The page on which it stands; links are relative to it.
    titles, numbers : dict
        Docname of a chapter → its title, and (number, part).

    Returns
    -------
    str
        The list.
    """
    folder = posixpath.dirname(pagename)

    def rename(match):
        start, href, _, end = match.groups()
        page = pagename if href == "#" else posixpath.normpath(posixpath.join(folder, href)).removesuffix(".html")
        return start + sidebar_entry(numbers[page][0], titles[page]) + end if page in numbers else match[0]

    # The theme's arrow, which shows and hides the pages below one, has no name.
    return SIDEBAR_LINK.sub(rename, html).replace("<summary>", '<summary aria-label="Pages below">')


def kicker(number, part, main, deeper):
    """Return the line above a chapter's heading."""
    minutes = in_words(whole_minutes(main), whole_minutes(deeper))
    return f'<p class="book-kicker" {attributes(main, deeper)}>Chapter {number} · {escape(part)} · {minutes}</p>\n'


def name_page(app, pagename, templatename, context, doctree):
    """Put the line above a chapter's heading, and names into the sidebar of every page."""
    numbers = number_chapters(app)
    titles = {page: app.env.titles[page].astext() for page in numbers if page in app.env.titles}
    if pagename in numbers:
        number, part = numbers[pagename]
        line = kicker(number, part, *measure(context["body"]))
        context["body"] = context["body"].replace("<h1>", f"{line}<h1>", 1)
    make_list = context.get("generate_toctree_html")
    if make_list:

        def make_named_list(*args, **kwargs):
            return name_links(str(make_list(*args, **kwargs)), pagename, titles, numbers)

        context["generate_toctree_html"] = make_named_list


def note_contents(app, config):
    """Make the table of contents part of the configuration: with another one, numbers change on all pages."""
    config["book_contents"] = (Path(app.srcdir) / config.external_toc_path).read_text(encoding="utf-8")


def setup(app):
    """Register with Sphinx, after the theme."""
    app.add_config_value("book_contents", "", "html", [str])
    app.connect("config-inited", note_contents)
    app.connect("html-page-context", name_page, priority=950)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
