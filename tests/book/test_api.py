"""The reference of `utils`: a page for each module, made by itself."""

import ast
from types import SimpleNamespace

import book_api
import pytest
from book_api import exported, find_pages, own_members, render, write_pages

import utils.data
from tests.built_book import ROOT


def public_definitions():
    """Return module → its public functions and classes, from the source alone."""
    found = {}
    for path in sorted((ROOT / "utils").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if not any(part.startswith("_") for part in parts):
            names = [
                node.name
                for node in ast.parse(path.read_text(encoding="utf-8")).body
                if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
            ]
            if names:
                found[".".join(parts)] = names
    return found


def test_every_public_function_and_class_is_on_a_page(soups):
    described = {
        term["id"] for page, soup in soups.items() if page.startswith("book/api/") for term in soup.select("dt.sig[id]")
    }
    missing = []
    for module, names in public_definitions().items():
        package = module.rpartition(".")[0]
        if {f"{package}.{name}" for name in names} & described:
            continue  # the package offers what others need of this module
        missing += [f"{module}.{name}" for name in names if f"{module}.{name}" not in described]
    assert missing == []


def test_nothing_is_described_twice(soups):
    ids = [
        term["id"] for page, soup in soups.items() if page.startswith("book/api/") for term in soup.select("dt.sig[id]")
    ]
    assert len(ids) == len(set(ids)) > 100


def test_index_lists_every_page_with_what_it_is_for(soups):
    rows = [row for row in soups["book/api.html"].select("table.book-api tr") if row.select("td")]
    listed = {row.a["href"].removeprefix("api/").removesuffix(".html"): row("td")[1].get_text() for row in rows}
    assert set(listed) == set(find_pages())
    assert all(text.strip() for text in listed.values())


def test_package_has_the_page_of_what_it_offers():
    assert "load_cinema" in exported(utils.data)
    assert "MOVIELENS_LICENCE" not in exported(utils.data)  # a string is of no module
    assert find_pages()["utils.data"] is True
    assert find_pages()["utils.als"] is False
    assert "utils.data.cinema" not in find_pages()  # its functions are the package's


def test_own_members_are_those_that_a_module_defines():
    assert "find_pages" in own_members(book_api)
    assert "table" not in own_members(book_api)  # imported


def test_render_names_the_module_once_as_a_title():
    assert [line for line in render("utils.als", False).split("\n") if line.startswith("# ")] == ["# utils.als"]


@pytest.fixture
def app(tmp_path):
    return SimpleNamespace(srcdir=tmp_path, outdir=tmp_path / "html")


def test_write_pages_removes_what_is_no_module_any_more(app, tmp_path):
    write_pages(app, {})
    (tmp_path / "book/api/utils.gone.md").write_text("# utils.gone")
    listing = tmp_path / "html/_modules/utils/als.html"
    listing.parent.mkdir(parents=True)
    listing.touch()
    write_pages(app, {})
    assert not listing.exists()
    assert sorted(path.stem for path in (tmp_path / "book/api").glob("*.md")) == sorted(find_pages())


def test_write_pages_leaves_alone_what_has_not_changed(app, tmp_path):
    write_pages(app, {})
    page, other = (tmp_path / f"book/api/{name}.md" for name in ("utils.als", "utils.metrics"))
    other.write_text("old")
    before = page.stat().st_mtime_ns
    write_pages(app, {})
    assert page.stat().st_mtime_ns == before
    assert "automodule:: utils.metrics" in other.read_text()
