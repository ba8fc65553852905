"""The definitions that pages carry for the cards beside their links."""

import json

from book_cards import cards_of, read_definitions, to_html
from bs4 import BeautifulSoup
from docutils import nodes


def glossary():
    """Return a glossary with one definition for two terms, and one for another."""
    terms = [nodes.term(text=text, ids=[f"term-{text}"]) for text in ("ALS", "turns", "loss")]
    definitions = [
        nodes.definition("", nodes.paragraph("", "", nodes.Text("Hold "), nodes.emphasis(text="one"))),
        nodes.definition("", nodes.paragraph(text="A number."), nodes.paragraph(text="And more.")),
    ]
    items = [
        nodes.definition_list_item("", *terms[:2], definitions[0]),
        nodes.definition_list_item("", terms[2], definitions[1]),
    ]
    return nodes.section("", nodes.definition_list("", *items))


def test_read_definitions_gives_each_term_its_first_paragraph():
    one = "Hold <em>one</em>"
    assert read_definitions(glossary()) == {"term-ALS": one, "term-turns": one, "term-loss": "A number."}


def test_to_html_leaves_links_out_and_escapes_text():
    link = nodes.reference("", "", nodes.literal(text="a<b"), refuri="x.html")
    assert to_html(nodes.paragraph("", "", link)) == "<code>a&lt;b</code>"


def test_cards_of_holds_what_the_page_links_to_and_cannot_end_its_element():
    body = '<a href="../g.html#term-a">a</a> <a href="#term-a">again</a> <a href="g.html#term-gone">gone</a>'
    card = cards_of(body, {"term-a": "<b>x</b></script>", "term-b": "y"})
    assert card.count("</script>") == 1
    assert json.loads(BeautifulSoup(card, "html.parser").script.string) == {"term-a": "<b>x</b></script>"}


def test_cards_of_a_page_without_terms_are_nothing():
    assert cards_of("<p>text</p>", {"term-a": "x"}) == ""


def test_every_link_to_a_term_has_its_definition(soups):
    missing = {}
    for page, soup in soups.items():
        linked = {link["href"].partition("#")[2] for link in soup.select("article a[href*='#term-']:not(.headerlink)")}
        linked = {name for name in linked if soup.select_one(f"a[href$='#{name}'] .std-term, a[href$='#{name}'] .xref")}
        script = soup.select_one("#book-terms")
        known = set(json.loads(script.string)) if script else set()
        missing[page] = sorted(linked - known)
    assert sum(bool(soup.select("#book-terms")) for soup in soups.values()) > 8
    assert {page: names for page, names in missing.items() if names} == {}
