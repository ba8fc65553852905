"""The offline zip and the PDF, opened."""

import zipfile

import pypdf
import pytest

from book.downloads.make_pdf import anchor, gather, print_document, reading_order
from book.downloads.make_zip import NAME, write_zip
from tests.built_book import HTML, built_pages


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """The whole book, packed and unpacked somewhere else."""
    folder = tmp_path_factory.mktemp("reader")
    write_zip(HTML, folder / "book.zip")
    with zipfile.ZipFile(folder / "book.zip") as archive:
        archive.extractall(folder)
    return folder / NAME


def test_zip_opens_from_a_disk_with_its_widget_alive(open_page, unpacked):
    page = open_page((unpacked / "index.html").as_uri())
    page.wait_for_url("**/book/index.html")
    handle = page.get_by_role("slider", name="Query")
    before = handle.get_attribute("aria-valuetext")
    handle.press("ArrowRight")
    assert handle.get_attribute("aria-valuetext") != before
    assert page.complaints == []
    assert [url for url in page.requested if not url.startswith((unpacked.as_uri(), "data:", "blob:"))] == []


def test_zip_holds_every_page(unpacked):
    assert [page for page in built_pages() if not (unpacked / page).is_file()] == []


def test_reading_order_begins_with_the_front_page_and_has_every_page_once():
    pages = reading_order(HTML)
    assert pages[0] == "book/index.html"
    assert sorted(pages) == sorted(page for page in built_pages() if page.startswith(("book/", "chapters/")))


PRINTED = ["book/index.html", "book/data.html", "book/notation.html"]


@pytest.fixture(scope="module")
def printed(browser, tmp_path_factory):
    """Three pages as a PDF, and what was wider than the paper."""
    path = tmp_path_factory.mktemp("print") / "book.pdf"
    too_wide = print_document(browser, HTML, gather(HTML, PRINTED), path)
    return pypdf.PdfReader(path), too_wide


def test_pdf_cuts_nothing_off(printed):
    assert printed[1] == []


def test_print_document_reports_what_is_cut_off(browser, tmp_path):
    wide = "<div class='print-page' id='here'><table style='width:3000px'><tr><td>wide</td></tr></table></div>"
    assert print_document(browser, HTML, wide, tmp_path / "wide.pdf") == ["here: TABLE wide"]


def test_pdf_holds_code_to_the_end_of_its_lines(printed):
    text = "".join("".join(page.extract_text() for page in printed[0].pages).split())
    assert "fromutils.data.summaryimportpopularity_curve,summarise" in text


def test_pdf_shows_a_still_picture_in_place_of_a_widget(printed):
    text = printed[0].pages[0].extract_text()
    assert "Items ranked for the query" in text
    assert "Reset" not in text


def test_pdf_links_from_page_to_page(printed):
    places = printed[0].named_destinations
    links = [annotation.get_object() for page in printed[0].pages for annotation in page.get("/Annots", [])]
    inner = {str(link["/Dest"]) for link in links if "/Dest" in link}
    assert inner <= set(places)
    there = printed[0].pages[printed[0].get_destination_page_number(places[f"/{anchor('book/data.html')}"])]
    assert "Three data sets, three jobs" in there.extract_text()


def test_pdf_has_no_link_to_a_file_of_this_machine(printed):
    annotations = [annotation.get_object() for page in printed[0].pages for annotation in page.get("/Annots", [])]
    assert not any("file:" in str(annotation.get("/A")) for annotation in annotations)


def test_pdf_has_an_outline_of_its_headings(printed):
    titles = [entry["/Title"] for entry in printed[0].outline if not isinstance(entry, list)]
    assert "Three data sets, three jobs" in titles
    assert "Notation" in titles


def test_gather_refuses_a_link_that_leads_nowhere(tmp_path):
    page = '<h1>A</h1><article class="bd-article"><h1>A</h1><a href="#lost">x</a></article>'
    (tmp_path / "a.html").write_text(f"<html><head></head><body>{page}</body></html>")
    with pytest.raises(ValueError, match=r"expected links that lead to a place in the book, received .*lost.*; mend"):
        gather(tmp_path, ["a.html"])
