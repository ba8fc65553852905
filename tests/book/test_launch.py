"""The buttons above each page: where they lead, and that nothing dead is among them."""

from types import SimpleNamespace
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from book_launch import add_buttons, launch_links, read_address, repository_links
from sphinx.errors import ExtensionError

from tests.built_book import HTML

BUTTONS = ".article-header-buttons"


def buttons(repository="reader/book", *, has_cells=True, sourcename="chapters/als.md"):
    """Return text → link of the buttons of a page."""
    app = SimpleNamespace(
        env=SimpleNamespace(
            metadata={"chapters/als": {"kernelspec": {}} if has_cells else {}},
            doc2path=lambda name, base: f"{name}.md",
        ),
        config=SimpleNamespace(book_repository=repository, book_branch="main"),
    )
    context = {"sourcename": sourcename, "pathto": lambda path, resource: f"../{path}"}
    add_buttons(app, "chapters/als", "page.html", context, None)
    return {link["text"]: link for group in context["book_buttons"] for link in group["links"]}


def test_launch_links_open_the_page_in_jupyterlab_on_binder():
    url = urlsplit(launch_links("chapters/als.md", "reader/book", "main")[0]["url"])
    assert (url.netloc, url.path) == ("mybinder.org", "/v2/gh/reader/book/main")
    assert parse_qs(url.query) == {"urlpath": ["lab/tree/chapters/als.md"]}


def test_launch_links_keep_a_slash_in_a_branch_out_of_binders_path():
    url = launch_links("chapters/als.md", "reader/book", "new/als")[0]["url"]
    assert "/v2/gh/reader/book/new%2Fals?" in url


def test_launch_links_give_colab_a_notebook():
    url = launch_links("chapters/als.md", "reader/book", "main")[1]["url"]
    assert url == "https://colab.research.google.com/github/reader/book/blob/notebooks/chapters/als.ipynb"


def test_repository_links_open_an_issue_that_names_the_page():
    url = urlsplit(repository_links("chapters/als.md", "reader/book", "main")[1]["url"])
    assert parse_qs(url.query) == {"title": ["chapters/als.md: "]}


def test_add_buttons_offers_everything_on_a_page_with_cells():
    assert list(buttons()) == [
        "Run it on Binder",
        "Run it on Colab",
        "Notebook (.ipynb)",
        "Source (.md)",
        "Edit this page",
        "Report a fault",
    ]


def test_add_buttons_without_a_repository_keeps_what_the_book_serves():
    assert list(buttons("")) == ["Notebook (.ipynb)", "Source (.md)"]


def test_add_buttons_runs_no_page_without_cells():
    assert list(buttons(has_cells=False)) == ["Source (.md)", "Edit this page", "Report a fault"]


def test_add_buttons_leaves_out_pages_without_a_source():
    assert buttons(sourcename="") == {}


@pytest.mark.parametrize("repository", ["book", "https://github.com/reader/book", "reader/book/", "a b/c"])
def test_read_address_refuses_what_is_no_repository(monkeypatch, repository):
    monkeypatch.setenv("BOOK_REPOSITORY", repository)
    with pytest.raises(ExtensionError, match=r"expected BOOK_REPOSITORY to be owner/name.*received.*or unset it"):
        read_address(None, {})


def test_read_address_takes_repository_and_branch_from_the_environment(monkeypatch):
    config = {}
    monkeypatch.setenv("BOOK_REPOSITORY", "reader/book")
    monkeypatch.setenv("BOOK_BRANCH", "second-edition")
    read_address(None, config)
    assert config == {"book_repository": "reader/book", "book_branch": "second-edition"}


def test_downloads_of_pages_are_served_by_the_book(soups):
    links = [(page, link["href"]) for page, soup in soups.items() for link in soup.select(f"{BUTTONS} a[download]")]
    assert links
    assert [(page, to) for page, to in links if not (HTML / page).parent.joinpath(unquote(to)).is_file()] == []


def test_pages_have_one_download_menu_at_most(soups):
    for page, soup in soups.items():
        labels = [button.get("aria-label") or "" for button in soup.select(f"{BUTTONS} button")]
        assert sum("ownload" in label for label in labels) <= 1, page


def test_pages_with_cells_offer_their_notebook(soups):
    with_cells = [page for page, soup in soups.items() if soup.select(".cell")]
    assert with_cells
    for page in with_cells:
        name = page.split("/")[-1].replace(".html", ".ipynb")
        assert soups[page].select(f'{BUTTONS} a[download="{name}"]'), page
