"""A page that compares methods or settings says how each side was tuned, and shows what was tried.

Whether a comparison is fair, a reader must judge; that the page says what it rests on, a test can ask.
"""

import re

import pytest
from bs4 import BeautifulSoup

from tests.built_book import ROOT

CHAPTERS = re.findall(r"file: chapters/(\w+)", (ROOT / "_toc.yml").read_text(encoding="utf-8"))

#: Words by which a sentence says that one side is better than another.
COMPARES = re.compile(
    r"\b(wins?|won|loses?|lost to|beats?|outperforms?|hardly matters?|costs? recall|(?:better|worse) than)\b",
    re.IGNORECASE,
)


def prose(soup):
    """Return the text of a page without code, outputs and widgets."""
    article = soup.select_one("article")
    skipped = {id(tag) for tag in article.select("pre, .cell_output, .book-widget, script")}
    return " ".join(
        text.strip()
        for text in article.find_all(string=True)
        if not any(id(parent) in skipped for parent in text.parents)
    )


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_chapter_that_compares_says_how_each_side_was_tuned(soups, chapter):
    text = prose(soups[f"chapters/{chapter}.html"])
    assert COMPARES.search(text), f"{chapter} compares nothing: say so here, if that is right"
    assert re.search(r"\bvalidation\b", text)
    assert re.search(r"\btuned\b", text)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_chapter_shows_what_was_tried_and_chosen(soups, chapter):
    """In a section, or a fold, that says so in its heading or in the bold words at its beginning."""
    soup = soups[f"chapters/{chapter}.html"]
    titles = [tag.get_text() for tag in soup.select("article h2, article h3, article summary, article strong")]
    named = [title for title in titles if re.search(r"\btuned\b|\bgrid\b", title)]
    assert named
    assert soup.select("article details table"), "the settings stand in no table"


def test_prose_leaves_out_code_and_outputs():

    soup = BeautifulSoup(
        "<article><p>One wins.</p><pre>loses</pre><div class=cell_output>beats</div></article>", "html.parser"
    )
    assert prose(soup) == "One wins."
