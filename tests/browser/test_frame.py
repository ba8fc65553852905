"""The frame around all pages, used as a reader does: folds, the switch, deeper sections, the search, the measure."""

import pytest

from tests.browser.conftest import pages
from tests.built_book import HTML

PAGE = "chapters/als.html"
NOTATION = "book/notation.html"

DEEPER = """
<section class="deeper" id="deeper-why"><details class="deeper"><summary><h2>Deeper: why</h2></summary>
<p>It is so because of the reasons.</p><section id="inside"><h3>Inside</h3><p>More.</p></section></details></section>
"""


@pytest.fixture
def open_deeper(open_page, served):
    """Open a page with a section that goes deeper, as the build makes one."""
    html = (HTML / NOTATION).read_text(encoding="utf-8").replace("</article>", f"{DEEPER}</article>", 1)

    def open_(fragment="", **options):
        page = open_page(f"{served}/{NOTATION}", **options)
        page.route(f"**/{NOTATION}*", lambda route: route.fulfill(body=html, content_type="text/html"))
        page.goto(f"{served}/{NOTATION}?again{fragment}")
        page.wait_for_function("document.querySelector('details.deeper')")
        return page

    return open_


def is_open(page, selector):
    return page.locator(selector).first.evaluate("details => details.open")


# Folds and their switch


def test_folds_are_closed_until_a_reader_opens_them(open_page, served):
    page = open_page(f"{served}/{PAGE}", java_script_enabled=False)
    imports = page.locator("details.book-fold").first
    assert not imports.get_by_text("import numpy").is_visible()
    imports.locator("summary").click()
    assert imports.get_by_text("import numpy").is_visible()
    assert not page.locator(".book-show-code").is_visible()  # a button without its script is dead


def test_switch_shows_all_code_of_the_book_and_is_remembered(browser, address):
    with pages(browser) as open_:
        page = open_(f"{address}/{PAGE}")
        button = page.get_by_role("button", name="Show all code")
        assert button.get_attribute("aria-pressed") == "false"
        button.click()
        folds = page.locator("details.book-fold:not(.book-solution)")
        assert folds.count() > 5
        assert folds.evaluate_all("all => all.every(fold => fold.open)")
        assert page.locator("details.book-solution[open]").count() == 0  # solutions stay closed
        page.goto(f"{address}/chapters/similarity.html")
        assert page.locator("details.book-fold:not(.book-solution)").evaluate_all("all => all.every(fold => fold.open)")
        page.get_by_role("button", name="Show all code").click()
        page.reload()
        assert page.locator("details.book-fold[open]").count() == 0
        assert page.complaints == []


def test_switch_shows_on_a_phone_and_is_not_there_without_folds(open_page, served):
    page = open_page(f"{served}/{PAGE}", width=360)
    assert page.get_by_role("button", name="Show all code").is_visible()
    page.goto(f"{served}/{NOTATION}")
    assert page.locator(".book-show-code").count() == 0


def test_printed_page_has_no_bar_of_a_closed_fold(open_page, served):
    page = open_page(f"{served}/{PAGE}")
    page.emulate_media(media="print")
    assert (
        page.locator("details.book-fold").evaluate_all("all => all.filter(fold => fold.checkVisibility()).length") == 0
    )


# Deeper sections


def test_deeper_section_opens_by_hand_and_its_heading_stays_one(open_deeper):
    page = open_deeper(java_script_enabled=True)
    heading = page.get_by_role("heading", name="Deeper: why", level=2)
    assert heading.is_visible()
    assert not page.get_by_text("because of the reasons").is_visible()
    heading.click()
    assert page.get_by_text("because of the reasons").is_visible()


@pytest.mark.parametrize("fragment", ["#deeper-why", "#inside"])
def test_link_into_a_deeper_section_opens_it(open_deeper, fragment):
    page = open_deeper(fragment)
    page.wait_for_function("document.querySelector('details.deeper').open")
    assert page.locator(fragment).evaluate("target => target.getBoundingClientRect().top < innerHeight")


def test_link_on_the_page_opens_a_deeper_section_that_was_closed_again(open_deeper):
    page = open_deeper("#deeper-why")
    page.wait_for_function("document.querySelector('details.deeper').open")
    page.evaluate("document.querySelector('details.deeper').open = false")
    page.evaluate("document.querySelector('article').insertAdjacentHTML('afterbegin', '<a href=\"#deeper-why\">x</a>')")
    page.locator("article > a").click()
    assert is_open(page, "details.deeper")


def test_printed_page_has_deeper_sections_open(open_deeper):
    page = open_deeper()
    page.emulate_media(media="print")
    assert page.get_by_text("because of the reasons").is_visible()


# Search

FIRST = {
    "ALS": ["chapters/als.html"],
    "cold start": ["chapters/feature_sums.html"],
    "cosine": ["chapters/similarity.html"],
    "popularity": ["chapters/similarity.html", "chapters/negative_sampling.html"],
    "negative sampling": ["chapters/negative_sampling.html"],
}
# Found as soon as a chapter speaks of it.
if any("hubness" in path.read_text(encoding="utf-8") for path in (HTML / "chapters").glob("*.html")):
    FIRST["hubness"] = ["chapters/similarity.html", "chapters/embeddings.html"]


@pytest.fixture
def search_page(open_page, address):
    return open_page(f"{address}/search.html?q=ALS")


def test_search_leads_to_the_right_section_first(search_page):
    ranked = search_page.evaluate(
        """queries => queries.map(query => BookSearch.rank(BOOK_SECTIONS, query)
             .slice(0, 5).map(({page, heading, id}) => [page.page, heading, id]))""",
        list(FIRST),
    )
    first = {query: results[0] if results else None for query, results in zip(FIRST, ranked)}
    assert {query: found for query, found in first.items() if not found or found[0] not in FIRST[query]} == {}
    assert all(found[2] for found in first.values())  # a section, not only a page
    assert search_page.complaints == []


def test_search_shows_prose_and_leads_to_the_place(search_page):
    results = search_page.locator(".book-results > li")
    assert results.count() > 3
    text = " ".join(results.locator("p").all_inner_texts())
    assert not any(code in text for code in ("\\(", "\\mathbf", "import ", "np.", "assert "))
    assert "found for “ALS”" in search_page.locator("#search-status").inner_text()
    href = results.first.locator("a").get_attribute("href")
    results.first.locator("a").click()
    search_page.wait_for_url(f"**/{href.removeprefix('./')}")


def test_search_without_a_hit_says_so(open_page, served):
    page = open_page(f"{served}/search.html?q=xylophone<>")
    assert page.locator("#search-status").inner_text() == "Nothing found for “xylophone<>”."


def test_search_loads_its_index_on_its_page_only(open_page, served):
    page = open_page(f"{served}/{NOTATION}")
    assert [url for url in page.requested if "searchindex" in url or "sections.js" in url] == []


# Formulas, and what a page loads for them


def test_formulas_are_stops_of_the_tab_key_only_where_they_scroll(open_page, served):
    page = open_page(f"{served}/{PAGE}", has_formulas=True)
    page.wait_for_function("document.querySelectorAll('mjx-container').length > 50")
    stops = "mjx-container[tabindex='0'], mjx-container [tabindex='0']"
    assert page.locator(stops).evaluate_all("all => all.filter(f => f.scrollWidth <= f.clientWidth + 1).length") == 0
    page.set_viewport_size({"width": 320, "height": 900})
    page.wait_for_function(f'document.querySelector("{stops}")')  # the long ones have become too wide


def test_front_page_loads_no_program_for_formulas(open_page, served):
    page = open_page(f"{served}/book/index.html", has_formulas=True)
    assert [url for url in page.requested if "mathjax" in url] == []


# The measure, and what stands in the margins

# The number of characters in each line of each paragraph that is not its last: a character that begins further to the
# left than the one before begins a line.
LINES = """() => [...document.querySelectorAll("article section > p")].flatMap(paragraph => {
  const lines = [0], range = document.createRange();
  const texts = document.createTreeWalker(paragraph, NodeFilter.SHOW_TEXT);
  let before = -1;
  while (texts.nextNode())
    for (let at = 0; at < texts.currentNode.length; at++) {
      range.setStart(texts.currentNode, at);
      range.setEnd(texts.currentNode, at + 1);
      const box = range.getBoundingClientRect();
      if (!box.width) continue;
      if (box.left < before) lines.push(0);
      before = box.left;
      lines[lines.length - 1] += 1;
    }
  return lines.slice(0, -1);
})"""


def test_lines_have_66_to_75_characters_whatever_fonts_the_machine_has(open_page, served):
    page = open_page(f"{served}/book/how_to_use.html")
    page.evaluate("document.fonts.ready")
    lengths = page.evaluate(LINES)
    assert len(lengths) > 20
    assert 66 <= sum(lengths) / len(lengths) <= 75
    size = page.locator("article section > p").first.evaluate("p => parseFloat(getComputedStyle(p).fontSize)")
    assert 17 <= size <= 19
    assert page.evaluate("document.fonts.check('18px Book Sans')")


def test_code_is_not_cut_on_a_wide_screen(open_page, served):
    page = open_page(f"{served}/{PAGE}")
    page.get_by_role("button", name="Show all code").click()
    cut = "all => all.filter(block => block.scrollWidth > block.clientWidth + 1).length"
    assert page.locator("article .cell_input pre").count() > 10
    assert page.locator("article .cell_input pre").evaluate_all(cut) == 0


def test_entry_of_the_contents_that_is_being_read_is_in_sight(open_page, served):
    page = open_page(f"{served}/{PAGE}", height=600)
    page.evaluate("document.querySelector('#check-yourself').scrollIntoView()")
    page.wait_for_function(
        """() => { const active = [...document.querySelectorAll(".bd-sidebar-secondary .nav-link.active")].pop();
             const box = active?.getBoundingClientRect();
             return box && active.hash.length > 1 && box.top >= 0 && box.bottom <= innerHeight
               && scrollY > 3000; }"""
    )


def test_buttons_and_entries_show_where_the_keyboard_is(open_page, served):
    page = open_page(f"{served}/{PAGE}")
    for name in ("Download this page", "Color mode"):
        page.get_by_role("button", name=name).focus()
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Tab")  # by keys, or no outline is owed
        outline = page.evaluate("getComputedStyle(document.activeElement).outline")
        assert "3px" in outline, name


# Cards


def test_card_of_a_term_shows_on_hover_and_on_focus(open_page, address):
    page = open_page(f"{address}/{PAGE}")
    page.wait_for_load_state("networkidle")
    asked = len(page.requested)
    link = page.locator("article a[href*='#term-overfitting']").first
    card = page.get_by_role("tooltip")
    link.hover()
    card.wait_for()
    assert "predicting unseen data worse" in card.inner_text()
    page.keyboard.press("Escape")
    assert not card.is_visible()
    page.keyboard.press("Tab")
    link.focus()
    card.wait_for()
    assert link.get_attribute("aria-describedby") == card.get_attribute("id")
    box = card.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 1280
    assert [url for url in page.requested[asked:] if not url.endswith("favicon.svg")] == []  # the browser's own wish
    link.blur()
    assert not card.is_visible()


def test_card_of_a_citation_names_the_work(open_page, served):
    page = open_page(f"{served}/{PAGE}")
    link = page.locator("article a[href*='bibliography.html#']").first
    link.hover()
    card = page.get_by_role("tooltip")
    card.wait_for()
    assert len(card.inner_text()) > 40
    assert link.get_attribute("title") is None


def test_card_stays_while_the_pointer_reads_it(open_page, served):
    page = open_page(f"{served}/{PAGE}")
    page.locator("article a[href*='#term-overfitting']").first.hover()
    card = page.get_by_role("tooltip")
    card.wait_for()
    card.hover()
    page.wait_for_timeout(400)  # longer than a card outlives its link
    assert card.is_visible()


# Claims, and the quiz


def test_ledger_shows_the_verdicts_that_are_asked_for(open_page, served):
    page = open_page(f"{served}/book/claims.html", java_script_enabled=False)
    rows = page.locator(".book-ledger tbody tr")
    total = rows.count()
    page.get_by_label("do not hold").check()
    shown = rows.evaluate_all("all => all.filter(row => row.checkVisibility()).map(row => row.className)")
    assert 0 < len(shown) < total
    assert all("book-does-not-hold" in name for name in shown)
    page.get_by_label("all", exact=False).first.check()
    assert rows.evaluate_all("all => all.every(row => row.checkVisibility())")


def test_quiz_tells_right_from_wrong_once_it_is_open(open_page, served):
    page = open_page(f"{served}/chapters/similarity.html")
    colour = "option => getComputedStyle(option).borderLeftColor"
    right = page.locator("details.quiz-right").first
    wrong = page.locator("details.quiz:not(.quiz-right)").first
    assert right.evaluate(colour) == wrong.evaluate(colour)
    for option in (right, wrong):
        option.locator("summary").click()
    assert right.evaluate(colour) != wrong.evaluate(colour)


def test_keys_of_widgets_keep_their_colours_where_colours_are_forced(open_page, served):
    page = open_page(f"{served}/{PAGE}", forced_colors="active")
    page.locator(".bw-key").first.wait_for()
    colour = "all => all.map(key => getComputedStyle(key, '::before').backgroundColor)"
    colours = page.locator(".bw-key").evaluate_all(colour)
    assert len(set(colours)) == 2


# What the copy button takes

WATCH_COPIES = """() => {
  window.copies = [];
  document.addEventListener("copy", () => copies.push(document.activeElement.value));
}"""


def copied_and_shown(page, has):
    """Return (copied, shown) for some blocks of code that have a text."""
    page.wait_for_selector("article button.copybtn", state="attached")
    page.evaluate(WATCH_COPIES)
    blocks = page.locator("article div.highlight:visible", has_text=has)
    for number in range(3):
        blocks.nth(number).locator("button.copybtn").click(force=True)
    shown = [blocks.nth(number).locator("pre").inner_text() for number in range(3)]
    return list(zip(page.evaluate("copies"), shown, strict=True))


def test_copy_button_takes_examples_without_prompts_and_outputs(open_page, served):
    page = open_page(f"{served}/book/api/utils.similarity.html")
    for copied, shown in copied_and_shown(page, ">>> "):
        wanted = [line[4:] for line in shown.split("\n") if line.startswith((">>> ", "... "))]
        assert copied.strip().split("\n") == wanted


def test_copy_button_takes_a_cell_as_it_stands(open_page, served):
    page = open_page(f"{served}/{PAGE}")
    for copied, shown in copied_and_shown(page, " = "):
        assert copied.strip() == shown.strip()
