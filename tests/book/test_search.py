"""What the search finds: sections, terms and functions, as prose."""

import json

from book_pages import DESCRIPTION, first_words
from book_search import clean, read_entries

from tests.built_book import HTML

PAGE = """
<section id="top"><p class="book-kicker">Chapter 1</p><h1>Top<a class="headerlink" href="#top">#</a></h1>
<p>A score is <span class="math">\\(x + y\\)</span>, and more.</p>
<div class="cell"><div class="cell_input"><pre>import numpy</pre></div><div class="cell_output">1 2 3</div></div>
<section class="deeper" id="deeper-why"><details class="deeper"><summary><h2>Deeper: why</h2></summary>
<p>Because of <code>alpha</code>.</p></details></section>
<p>After it.</p></section>
"""


def test_read_entries_takes_sections_apart_and_leaves_out_code_and_formulas():
    assert read_entries(PAGE) == [
        ["top", "Top", "A score is, and more. After it."],
        ["deeper-why", "Deeper: why", "Because of alpha."],
    ]


def test_read_entries_finds_terms_and_functions():
    html = """<section id="s"><h1>Names</h1>
    <dl class="glossary"><dt id="term-a">ALS</dt><dd><p>Take turns.</p></dd></dl>
    <dl class="py function"><dt class="sig" id="utils.f"><span class="descclassname">utils.</span><span
    class="descname">f</span>(x)</dt><dd><p>Return x.</p><pre>f(1)</pre></dd></dl></section>"""
    assert read_entries(html) == [["s", "Names", ""], ["term-a", "ALS", "Take turns."], ["utils.f", "f", "Return x."]]


def test_clean_closes_the_gap_that_a_formula_leaves():
    assert clean(" a \n b , c .") == "a b, c."


def index():
    script = (HTML / "_static/book-sections.js").read_text(encoding="utf-8")
    return json.loads(script.removeprefix("window.BOOK_SECTIONS = ").removesuffix(";\n"))


def test_index_leads_to_places_that_there_are(soups):
    anchors = {page: {tag["id"] for tag in soup.find_all(id=True)} for page, soup in soups.items()}
    found = [(page["page"], entry[0]) for page in index() for entry in page["entries"]]
    assert len(found) > 300
    assert [(page, anchor) for page, anchor in found if anchor not in anchors[page]] == []


def test_index_holds_prose_only():
    texts = {f"{page['page']}#{entry[0]}": entry[2] for page in index() for entry in page["entries"]}
    signs = ("\\(", "\\mathbf", "\\sum", "$$", "import numpy", "plt.")
    assert [place for place, text in texts.items() if any(sign in text for sign in signs)] == []


def test_every_page_describes_itself_in_its_own_words(soups):
    told = {
        page: soup.select_one("meta[name=description]")["content"]
        for page, soup in soups.items()
        if page.startswith(("book/", "chapters/"))
    }
    assert all(len(text) > 10 for text in told.values())
    chapters = [text for page, text in told.items() if page.startswith("chapters/")]
    assert len(set(chapters)) == len(chapters)
    assert DESCRIPTION not in chapters


def test_front_page_says_its_title_once(soups):
    assert soups["book/index.html"].title.get_text() == "Embeddings for Recommender Systems"
    assert soups["chapters/als.html"].title.get_text().endswith(" — Embeddings for Recommender Systems")


def test_first_words_skip_what_is_no_text():
    assert first_words('<p class="x">No</p><p>\\(x\\)</p><p> <img> </p><p>Yes.</p>') == "Yes."


def test_page_not_found_needs_no_file_beside_it():
    html = (HTML / "404.html").read_text(encoding="utf-8")
    assert "_static" not in html
    assert 'href="/book/index.html"' in html
