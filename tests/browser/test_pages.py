"""Every page of the book in a real browser: quiet, accessible, self-contained, and as wide as the screen."""

import pytest
from axe_playwright_python.sync_playwright import Axe


def test_page_is_quiet_and_asks_no_other_host(open_page, address, page_name):
    page = open_page(f"{address}/{page_name}")
    page.wait_for_load_state("networkidle")
    assert page.complaints == []
    assert [url for url in page.requested if not url.startswith((address, "data:", "blob:"))] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_has_no_accessibility_violation(open_page, served, page_name, scheme):
    page = open_page(f"{served}/{page_name}", scheme=scheme)
    page.wait_for_load_state("networkidle")
    assert page.locator("html").get_attribute("data-theme") == scheme
    found = Axe().run(page).response["violations"]
    report = [
        f"{v['id']} ({v['impact']}): {v['help']}: {n['target']} {n['html'][:120]}"
        for v in found
        for n in v["nodes"][:3]
    ]
    assert report == []


@pytest.mark.parametrize("width", [360, 1280])
def test_page_does_not_scroll_sideways(open_page, served, page_name, width):
    page = open_page(f"{served}/{page_name}", width=width)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
