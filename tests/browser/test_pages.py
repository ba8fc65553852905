"""Every page of the book in a real browser: quiet, accessible, self-contained, and as wide as the screen.

One load answers all these questions, and two loads differ in all that changes a page's look: a slow suite is not run.
"""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.built_book import HTML, built_pages, each_its_own_unit, pages_to_visit

# Most of what axe takes its time for is the same thing again: hundreds of words of code in one colour, the inside of
# formulas. Three of each kind stay that can be seen, and the slow test below leaves everything in.
THIN_OUT = """() => {
  const seen = {};
  const isRepeated = (...kind) => (seen[kind] = (seen[kind] ?? 0) + 1) > 3;
  const block = (token) => token.closest("[class*=highlight-], dt.sig")?.className;
  // axe leaves out a single letter, and what cannot be seen.
  const isOfUse = (token) => token.textContent.trim().length > 1 && token.checkVisibility();
  for (const token of document.querySelectorAll("pre span[class], dt.sig span, dt.sig em, dt.sig a"))
    if (!token.children.length && (!isOfUse(token) || isRepeated(token.localName, token.className, block(token))))
      token.replaceWith(...token.childNodes);
  for (const formula of document.querySelectorAll("mjx-container"))
    if (!formula.checkVisibility() || isRepeated(formula.className, formula.parentElement.localName))
      formula.replaceChildren();
  for (const figure of document.querySelectorAll("svg.book-figure")) figure.replaceChildren();
  document.body.normalize();
}"""


def violations(page):
    """Return what axe finds wrong, each with up to three places."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{v['id']} ({v['impact']}): {v['help']}: {n['target']} {n['html'][:120]}"
        for v in found
        for n in v["nodes"][:3]
    ]


def look_at(open_page, address, page_name, scheme, width):
    """Open a page, and return it with its faults: what → where."""
    page = open_page(f"{address}/{page_name}", scheme=scheme, width=width, has_formulas=True)
    page.wait_for_load_state("networkidle")
    shown, needed = page.evaluate("[document.documentElement.dataset.theme, document.documentElement.scrollWidth]")
    return page, {
        "the console says": list(page.complaints),  # before axe, which asks for style sheets again
        "it asks another host": [u for u in page.requested if not u.startswith((address, "data:", "blob:"))],
        f"it is not {scheme}": [] if shown == scheme else [shown],
        f"it needs more than {width} pixels": [] if needed <= width else [needed],
    }


@pytest.mark.parametrize("page_name", each_its_own_unit(pages_to_visit()))
def test_light_wide_page_from_a_server_has_no_fault(open_page, served, page_name):
    page, faults = look_at(open_page, served, page_name, "light", 1280)
    page.evaluate(THIN_OUT)
    faults["axe finds"] = violations(page)
    assert {what: where for what, where in faults.items() if where} == {}


@pytest.mark.parametrize("page_name", each_its_own_unit(pages_to_visit()))
def test_dark_narrow_page_from_a_disk_has_no_fault(open_page, page_name):
    page, faults = look_at(open_page, HTML.as_uri(), page_name, "dark", 360)
    page.evaluate(THIN_OUT)
    faults["axe finds"] = violations(page)
    assert {what: where for what, where in faults.items() if where} == {}


@pytest.mark.slow
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
@pytest.mark.parametrize("page_name", each_its_own_unit(built_pages()))
def test_whole_page_has_no_fault(open_page, served, page_name, scheme, width):
    page, faults = look_at(open_page, served, page_name, scheme, width)
    faults["axe finds"] = violations(page)
    assert {what: where for what, where in faults.items() if where} == {}
