"""The built book, as its readers get it."""

import pytest
from bs4 import BeautifulSoup

from tests.built_book import HTML, built_pages


@pytest.fixture(scope="session")
def soups():
    """Every page, parsed: page → its document."""
    return {page: BeautifulSoup((HTML / page).read_text(encoding="utf-8"), "html.parser") for page in built_pages()}
