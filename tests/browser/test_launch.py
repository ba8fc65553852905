"""The buttons above a page, as a reader uses them."""

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.built_book import HTML


def open_menu(page):
    """Open the download menu with the keyboard."""
    button = page.get_by_role("button", name="Download this page")
    button.press("Enter")
    page.get_by_role("link", name="Source (.md)").wait_for()
    return button


def test_menu_opens_and_closes_with_the_keyboard(open_page, address):
    page = open_page(f"{address}/book/data.html")
    button = open_menu(page)
    assert button.get_attribute("aria-expanded") == "true"
    page.keyboard.press("Escape")
    assert button.get_attribute("aria-expanded") == "false"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_open_menu_has_no_accessibility_violation(open_page, served, scheme):
    page = open_page(f"{served}/book/data.html", scheme=scheme, width=360)
    open_menu(page)
    violations = Axe().run(page, context=".article-header-buttons").response["violations"]
    assert [(violation["id"], node["html"]) for violation in violations for node in violation["nodes"]] == []


@pytest.mark.parametrize(("text", "name"), [("Notebook (.ipynb)", "data.ipynb"), ("Source (.md)", "data.md")])
def test_download_brings_the_page_under_its_name(open_page, served, text, name):
    page = open_page(f"{served}/book/data.html", accept_downloads=True)
    open_menu(page)
    with page.expect_download() as download:
        page.get_by_role("link", name=text).click()
    assert download.value.suggested_filename == name


def test_download_from_a_disk_opens_the_file_that_is_there(open_page):
    page = open_page((HTML / "book" / "data.html").as_uri())
    open_menu(page)
    page.get_by_role("link", name="Source (.md)").click()
    page.wait_for_url((HTML / "_sources" / "book" / "data.md").as_uri())
    assert "# Three data sets, three jobs" in page.locator("body").inner_text()


def test_downloaded_notebook_is_a_notebook(open_page, served):
    page = open_page(f"{served}/book/data.html", accept_downloads=True)
    open_menu(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Notebook (.ipynb)").click()
    nbformat.validate(nbformat.read(download.value.path(), as_version=4))
