"""The widget in the built page: its words against Python's, and its controls as a reader uses them."""

import pytest

from tests.built_book import page_with_widget
from utils.widgets import Toy

PAGE = page_with_widget("toy")


@pytest.fixture
def root(shared_page):
    """The widget; afterwards it is as before."""
    root = shared_page.locator(".book-widget[data-widget=toy][data-ready=true]")
    yield root
    root.get_by_role("button", name="Reset").press("Enter")


def test_every_stop_says_what_python_says(root):
    state = root.evaluate("root => structuredClone(root.bookModel.state)")
    for picked in range(len(state["values"])):
        root.get_by_role("slider", name="Number").fill(str(picked))
        assert root.get_by_role("status").inner_text() == Toy(state["values"], picked=picked).describe()
