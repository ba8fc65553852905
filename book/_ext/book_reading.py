"""How long a reader needs for a page: counted in its HTML, so that what counts is what is in sight.

Minutes are words of prose / 200, and 5 seconds for each line of code in sight. What is folded is not counted, nor are
outputs and widgets; a formula counts as one word. Sections whose heading begins with "Deeper:" count apart.

The count of a chapter stands above its heading (``book_names``), in attributes that the end of the build reads: then
the role ``{minutes}`` and the table for teachers, on pages that may have been written earlier, get theirs.
"""

import re
from pathlib import Path
from typing import NamedTuple

from bs4 import BeautifulSoup
from docutils import nodes
from sphinx.util.docutils import SphinxRole

WORDS_A_MINUTE = 200
SECONDS_A_LINE = 5

#: What the main path of a chapter may take.
MINUTES_ALLOWED, LINES_ALLOWED = 40, 100

NOT_READ = (
    "details:not(.deeper), script, style, nav, .headerlink, .book-kicker, .book-widget, .cell_output, "
    ".prev-next-footer, .book-downloads"
)


class Reading(NamedTuple):
    """What there is to read: words of prose, and lines of code in sight."""

    words: int
    lines: int

    @property
    def minutes(self):
        """How long it takes, not rounded."""
        return self.words / WORDS_A_MINUTE + self.lines * SECONDS_A_LINE / 60


def count(part):
    """Count a parsed piece of a page, which is used up."""
    n_lines = 0
    for block in part.select("div.cell_input pre, div.highlight pre"):
        n_lines += sum(1 for line in block.get_text().split("\n") if line.strip())
        block.decompose()
    return Reading(len(part.get_text(" ").split()), n_lines)


def measure(html):
    r"""Count what there is to read on a page.

    Parameters
    ----------
    html : str
        The page, or its article.

    Returns
    -------
    main, deeper : Reading
        The main path, and all sections that go deeper together.

    Examples
    --------
    >>> main, deeper = measure(
    ...     "<h1>Two words</h1><div class=cell_input><pre>x = 1\n\ny = 2</pre></div>"
    ...     "<details><p>Nobody sees this.</p></details><section id=deeper-why><p>Down here.</p></section>"
    ... )
    >>> main, deeper
    (Reading(words=2, lines=2), Reading(words=2, lines=0))
    >>> round(main.minutes * 60, 3)  # seconds: 2 words, 2 lines
    10.6
    """
    # A figure has thousands of elements, and is an output, which nobody reads word by word.
    soup = BeautifulSoup(re.sub(r"<svg\b.*?</svg>", "", html, flags=re.DOTALL), "html.parser")
    article = soup.select_one("article") or soup
    for gone in article.select(NOT_READ):
        gone.decompose()
    for formula in article.select(".math, mjx-container"):
        formula.replace_with(" formula ")
    sections = article.select("section[id*=deeper], section.deeper")
    outermost = [section for section in sections if not any(parent in sections for parent in section.parents)]
    deeper = [count(section.extract()) for section in outermost]
    return count(article), Reading(sum(d.words for d in deeper), sum(d.lines for d in deeper))


def in_words(minutes, deeper_minutes):
    """Say how long a page takes.

    Examples
    --------
    >>> in_words(38, 20), in_words(1, 0)
    ('38 minutes (+ 20 deeper)', '1 minute')
    """
    unit = "minute" if minutes == 1 else "minutes"
    return f"{minutes} {unit}" + (f" (+ {deeper_minutes} deeper)" if deeper_minutes else "")


def whole_minutes(reading):
    """Round to minutes, but never to none if there is something to read."""
    return max(round(reading.minutes), 1 if reading.words or reading.lines else 0)


KEPT = re.compile(r'data-words="(\d+)" data-minutes="(\d+)" data-deeper-minutes="(\d+)"')
PLACE = re.compile(r'<span class="book-(?P<what>minutes|words)" data-page="(?P<page>[^"]+)">[^<]*</span>')


def attributes(main, deeper):
    """Return the counts as attributes, from which `fill_places` reads them."""
    return (
        f'data-words="{main.words}" data-minutes="{whole_minutes(main)}" data-deeper-minutes="{whole_minutes(deeper)}"'
    )


def place(what, page):
    """Return a node that says at the end of the build how many ``"words"`` a page has or how many ``"minutes"``."""
    return nodes.raw("", f'<span class="book-{what}" data-page="{page}">…</span>', format="html")


class MinutesRole(SphinxRole):
    """``{minutes}`als```: how long that chapter takes."""

    def run(self):
        """Leave a place, and remember the page."""
        self.env.metadata[self.env.docname]["book_minutes"] = True
        return [place("minutes", f"chapters/{self.text}")], []


def fill_places(html, read):
    """Put the counts where they belong.

    Parameters
    ----------
    html : str
        A page.
    read : callable
        Name of a page → its HTML.

    Returns
    -------
    str
        The page. A place for a page without a count becomes empty.
    """

    def fill(match):
        kept = KEPT.search(read(match["page"]))
        if not kept:
            return ""
        words, minutes, deeper = map(int, kept.groups())
        text = in_words(minutes, deeper) if match["what"] == "minutes" else f"{words:,}"
        return match[0].replace("…</span>", f"{text}</span>")

    return PLACE.sub(fill, html)


def finish(app, exception):
    """Fill the places of all pages that have any."""
    if exception or app.builder.format != "html":
        return

    def read(page):
        path = Path(app.outdir) / f"{page}.html"
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    for docname in app.env.found_docs:
        if "book_minutes" in app.env.metadata[docname]:
            path = Path(app.outdir) / f"{docname}.html"
            path.write_text(fill_places(path.read_text(encoding="utf-8"), read), encoding="utf-8")


def setup(app):
    """Register with Sphinx."""
    app.add_role("minutes", MinutesRole())
    app.connect("build-finished", finish)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
