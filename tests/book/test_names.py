"""What chapters are called, and how long they take: in the sidebar, above the heading, in the table for teachers."""

import re
from types import SimpleNamespace

import pytest
from book_names import kicker, name_links, number_chapters, split_title
from book_reading import (
    LINES_ALLOWED,
    MINUTES_ALLOWED,
    Reading,
    count,
    fill_places,
    in_words,
    measure,
    whole_minutes,
)
from bs4 import BeautifulSoup

from tests.built_book import HTML, ROOT

CHAPTERS = re.findall(r"file: chapters/(\w+)", (ROOT / "_toc.yml").read_text(encoding="utf-8"))

TITLES = {"chapters/als": "ALS & more: hold one side still: done", "chapters/similarity": "Same vectors"}
NUMBERS = {"chapters/similarity": (2, "Space"), "chapters/als": (4, "From a matrix")}


def test_split_title_splits_at_the_first_colon_only():
    assert split_title("A: b: c") == ("A", "b: c")


def test_split_title_leaves_a_ratio_together():
    assert split_title("Odds of 1:2 are long") == ("Odds of 1:2 are long", "")


def test_number_chapters_counts_chapters_through_all_parts():
    parts = [
        SimpleNamespace(caption="Before", items=["book/data"]),
        SimpleNamespace(caption="Space", items=["chapters/a", "chapters/b"]),
        SimpleNamespace(caption="Matrix", items=["chapters/c", "book/d"]),
    ]
    app = SimpleNamespace(env=SimpleNamespace(external_site_map=SimpleNamespace(root=SimpleNamespace(subtrees=parts))))
    assert number_chapters(app) == {
        "chapters/a": (1, "Space"),
        "chapters/b": (2, "Space"),
        "chapters/c": (3, "Matrix"),
    }


def test_name_links_gives_chapters_number_name_and_claim():
    html = '<a class="reference internal" href="../chapters/als.html">ALS &amp; more: hold one side still: done</a>'
    link = BeautifulSoup(name_links(html, "book/data", TITLES, NUMBERS), "html.parser").a
    assert link.select_one(".book-nav-name").get_text() == "4 ALS & more"
    assert link.select_one(".book-nav-claim").get_text() == "hold one side still: done"


def test_name_links_knows_the_page_that_links_to_itself():
    html = '<a class="current reference internal" href="#">Same vectors</a>'
    assert "2 Same vectors" in name_links(html, "chapters/similarity", TITLES, NUMBERS)
    assert "book-nav-claim" not in name_links(html, "chapters/similarity", TITLES, NUMBERS)


def test_name_links_leaves_other_pages_alone():
    html = '<a class="reference internal" href="data.html">Data: three sets</a>'
    assert name_links(html, "book/notation", TITLES, NUMBERS) == html


def test_kicker_says_number_part_and_minutes():
    line = BeautifulSoup(kicker(4, "From a matrix", Reading(4000, 60), Reading(2000, 120)), "html.parser").p
    assert line.get_text() == "Chapter 4 · From a matrix · 25 minutes (+ 20 deeper)"


PAGE = """
<article>
<p class="book-kicker" data-words="6" data-minutes="2" data-deeper-minutes="1">Chapter 1</p>
<h1>One two<a class="headerlink" href="#x">#</a></h1>
<p>three <span class="math">\\(a + b\\)</span> five</p>
<div class="cell"><div class="cell_input"><div class="highlight"><pre>a = 1

b = 2
</pre></div></div><div class="cell_output"><pre>1 2 3</pre></div></div>
<details class="book-fold"><summary>Imports</summary><div class="cell_input"><pre>import x</pre></div></details>
<div class="highlight"><pre>repeat:
    step</pre></div>
<div class="book-widget">Drag the query</div>
<section id="deeper-why"><details class="deeper"><summary><h2>Deeper: why</h2></summary>
<p>Because.</p><details>Solution</details>
<section id="deeper-still"><h3>More</h3><div class="cell_input"><pre>c = 3</pre></div></section>
</details></section>
</article>
"""


def test_measure_counts_words_and_lines_in_sight():
    main, _ = measure(PAGE)
    assert main == Reading(words=5, lines=4)


def test_measure_counts_deeper_sections_apart_and_once():
    _, deeper = measure(PAGE)
    assert deeper == Reading(words=4, lines=1)


def test_measure_takes_the_article_of_a_whole_page():
    assert measure(f"<html><nav>Contents</nav><p>around</p>{PAGE}</html>") == measure(PAGE)


def test_count_is_minutes_of_words_and_of_lines():
    words, code = "<p>" + "word " * 400 + "</p>", "<div class=cell_input><pre>" + "x = 1\n" * 24 + "</pre></div>"
    assert count(BeautifulSoup(words + code, "html.parser")).minutes == pytest.approx(2 + 2)


@pytest.mark.parametrize(("reading", "minutes"), [(Reading(0, 0), 0), (Reading(1, 0), 1), (Reading(500, 6), 3)])
def test_whole_minutes_are_none_only_for_nothing(reading, minutes):
    assert whole_minutes(reading) == minutes


def test_fill_places_takes_the_counts_from_the_page():
    html = '<span class="book-minutes" data-page="a">…</span> <span class="book-words" data-page="a">…</span>'
    read = {"a": PAGE.replace('words="6"', 'words="6000"')}.get
    assert BeautifulSoup(fill_places(html, read), "html.parser").get_text() == f"{in_words(2, 1)} 6,000"


def test_fill_places_leaves_nothing_of_a_place_for_a_page_without_counts():
    assert fill_places('<b><span class="book-minutes" data-page="a">…</span></b>', lambda page: "<p></p>") == "<b></b>"


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_sidebar_and_kicker_name_the_chapter(soups, chapter):
    number = CHAPTERS.index(chapter) + 1
    soup = soups[f"chapters/{chapter}.html"]
    heading = soup.h1.get_text().removesuffix("#")
    name, claim = split_title(heading)
    entry = soup.select_one("nav.bd-links li.current > a")
    assert entry.select_one(".book-nav-name").get_text() == f"{number} {name}"
    assert (entry.select_one(".book-nav-claim") or "") == "" or entry.select_one(".book-nav-claim").get_text() == claim
    assert soup.select_one(".book-kicker").get_text().startswith(f"Chapter {number} · ")
    assert soup.title.get_text().startswith(heading)


@pytest.fixture(scope="module")
def readings():
    """Chapter → what there is to read on its built page."""
    return {name: measure((HTML / f"chapters/{name}.html").read_text(encoding="utf-8")) for name in CHAPTERS}


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_kicker_counts_what_is_on_the_page(soups, readings, chapter):
    main, deeper = readings[chapter]
    minutes = in_words(whole_minutes(main), whole_minutes(deeper))
    assert soups[f"chapters/{chapter}.html"].select_one(".book-kicker").get_text().endswith(f" · {minutes}")
    assert main.words > 1000


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_main_path_is_short_enough(readings, chapter):
    main, _ = readings[chapter]
    assert main.minutes <= MINUTES_ALLOWED
    assert main.lines <= LINES_ALLOWED


def test_no_place_for_a_count_stays_open(soups):
    places = {page: soup.select(".book-minutes, .book-words") for page, soup in soups.items()}
    assert {page: len(found) for page, found in places.items() if found} == {
        "book/index.html": len(CHAPTERS),
        "book/teaching.html": 2 * len(CHAPTERS),
    }
    assert [page for page, found in places.items() if "…" in "".join(tag.get_text() for tag in found)] == []
