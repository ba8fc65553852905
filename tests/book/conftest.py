"""The built book, as its readers get it."""

import pytest
from bs4 import BeautifulSoup

from tests.built_book import HTML, built_pages


def pytest_generate_tests(metafunc):
    """Run a test that asks for a `page` once for every page of the book."""
    if "page" in metafunc.fixturenames:
        metafunc.parametrize("page", built_pages())


@pytest.fixture(scope="session")
def soups():
    """Every page, parsed."""
    return {page: BeautifulSoup((HTML / page).read_text(encoding="utf-8"), "html.parser") for page in built_pages()}


@pytest.fixture
def soup(page, soups):
    """The page under test, parsed."""
    return soups[page]
