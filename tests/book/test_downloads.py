"""The whole book in one file: as a zip that opens from a disk, and as a PDF with nothing cut off."""

import re
import shutil
import zipfile
from types import SimpleNamespace

import pytest
from book_downloads import find_downloads
from sphinx.errors import ExtensionError

from book.downloads.make_zip import NAME, write_zip
from tests.built_book import HTML, built_pages

LINKS = '<ul class="book-downloads"><li><a href="../downloads/a.zip">Zip</a></li></ul>'


@pytest.fixture
def html(tmp_path):
    """A built book of one page, with downloads."""
    html = tmp_path / "html"
    for file, text in {
        "index.html": f"<p>Before</p>{LINKS}<p>After</p>",
        "_static/book.css": "p {}",
        "_static/script.js.map": "{}",
        "downloads/a.zip": "",
        ".buildinfo": "",
    }.items():
        (html / file).parent.mkdir(parents=True, exist_ok=True)
        (html / file).write_text(text)
    return html


def test_write_zip_packs_the_book_and_neither_itself_nor_what_only_debuggers_read(html, tmp_path):
    write_zip(html, tmp_path / "a.zip")
    names = zipfile.ZipFile(tmp_path / "a.zip").namelist()
    assert sorted(names) == [f"{NAME}/READ-ME.txt", f"{NAME}/_static/book.css", f"{NAME}/index.html"]


def test_write_zip_leaves_out_links_to_the_downloads(html, tmp_path):
    write_zip(html, tmp_path / "a.zip")
    assert zipfile.ZipFile(tmp_path / "a.zip").read(f"{NAME}/index.html") == b"<p>Before</p><p>After</p>"


def test_write_zip_gives_the_same_bytes_for_the_same_book(html, tmp_path):
    write_zip(html, tmp_path / "a.zip")
    shutil.copytree(html, tmp_path / "copy")
    write_zip(tmp_path / "copy", tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_write_zip_refuses_a_folder_without_a_book(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"expected a built book, received .*; run `make book`"):
        write_zip(tmp_path, tmp_path / "a.zip")


def test_find_downloads_finds_none_without_the_variable(monkeypatch):
    monkeypatch.delenv("BOOK_DOWNLOADS", raising=False)
    config = {}
    find_downloads(None, config)
    assert config == {"book_downloads": []}


def test_find_downloads_lists_zip_and_pdf(monkeypatch, tmp_path):
    for name in ("a.zip", "a.pdf", "a.txt"):
        (tmp_path / name).touch()
    monkeypatch.setenv("BOOK_DOWNLOADS", str(tmp_path))
    config = {}
    find_downloads(SimpleNamespace(), config)
    assert [path.rsplit(".")[-1] for path in config["book_downloads"]] == ["pdf", "zip"]


def test_find_downloads_refuses_a_folder_without_any(monkeypatch, tmp_path):
    monkeypatch.setenv("BOOK_DOWNLOADS", str(tmp_path))
    with pytest.raises(ExtensionError, match=r"expected a \.zip or a \.pdf .*, received .*; run `make zip pdf`"):
        find_downloads(None, {})


def test_front_page_links_to_the_downloads_that_the_book_has(soups):
    linked = {link["href"].split("/")[-1] for link in soups["book/index.html"].select(".book-downloads a")}
    assert linked == {file.name for file in (HTML / "downloads").glob("*")}


def test_no_page_shows_an_empty_list_of_downloads():
    assert not any(re.search(r'book-downloads"></ul>', (HTML / page).read_text("utf-8")) for page in built_pages())
