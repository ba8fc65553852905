"""Every page of the book in a real browser: quiet, accessible, self-contained, and as wide as the screen."""

import pytest
from axe_playwright_python.sync_playwright import Axe


def test_page_is_quiet_and_asks_no_other_host(open_page, address, page_name):
    page = open_page(f"{address}/{page_name}")
    page.wait_for_load_state("networkidle")
    assert page.complaints == []
    assert [url for url in page.requested if not url.startswith((address, "data:", "blob:"))] == []


# One load serves two checks, and the loads differ in all that changes a page's look: a slow suite is not run.
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_page_is_accessible_and_as_wide_as_the_screen(open_page, served, page_name, scheme, width):
    page = open_page(f"{served}/{page_name}", scheme=scheme, width=width)
    page.wait_for_load_state("networkidle")
    assert page.locator("html").get_attribute("data-theme") == scheme
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = Axe().run(page).response["violations"]
    report = [
        f"{v['id']} ({v['impact']}): {v['help']}: {n['target']} {n['html'][:120]}"
        for v in found
        for n in v["nodes"][:3]
    ]
    assert report == []
