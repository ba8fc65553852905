"""Print the built book into one PDF with headless Chromium: `make pdf`.

All pages are gathered into one document first, in reading order. So links from page to page become links within the
PDF, formulas are typeset once, and the headings become its outline. Widgets stay the still pictures that the build
has put in their place.

Sphinx's own builder for one document, ``singlehtml``, was tried. It joins pages before they are written: ids that stand
on several pages, such as ``what-you-can-decide-now``, stand twice (33 of 1,102), links to other pages keep the page's
name and lead nowhere in a PDF, and what extensions put into the context of a page, such as the line above each
chapter's heading, is missing. Gathering the written pages needs none of this mended.
"""

import copy
import os
import posixpath
import shutil
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]
NAME = "embeddings-for-recommender-systems"
FRONT = "book/index.html"

WIDTH = round((210 - 2 * 18) / 25.4 * 96)  # what the margins of print.css leave of A4, in CSS pixels

FOOTER = (
    '<div style="width:100%;text-align:center;font:8pt sans-serif;color:#56616c"><span class="pageNumber"></span></div>'
)

TOO_WIDE = """(width) => {
  const say = (element) =>
    `${element.closest(".print-page").id}: ${element.tagName} ${element.textContent.trim().slice(0, 60)}`;
  return [...document.querySelectorAll("pre, table, img, svg.book-figure, mjx-container, .book-widget")]
    .filter((element) => element.getBoundingClientRect().right > width + 1)
    .map(say);
}"""


def parse(path):
    """Read a page."""
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def reading_order(html):
    """Return the pages of a built book, from its root, as the sidebar lists them, the front page first."""
    links = parse(html / FRONT).select("nav.bd-links a.reference.internal")
    folder = posixpath.dirname(FRONT)
    paths = [posixpath.normpath(posixpath.join(folder, urlsplit(link["href"]).path)) for link in links]
    return [FRONT, *(path for path in paths if path.endswith(".html"))]


def anchor(page, fragment=""):
    """Return the id, in the gathered document, of a page or of a place on it."""
    return "--".join(filter(None, [page.removesuffix(".html").replace("/", "-"), fragment]))


def take_article(html, page, pages):
    """Return the text of a page, ready to stand in the gathered document.

    Ids get the page's name in front; links to other pages in the book become links within the document, and links to
    what is not printed become text.
    """
    article = copy.copy(parse(html / page).select_one("article.bd-article"))
    for element in article.select("script, .headerlink"):
        element.decompose()
    for details in article.select("details"):
        details["open"] = ""
    for element in article.find_all(id=True):
        if not element.find_parent("svg"):  # a figure refers to its own ids, which are unique already
            element["id"] = anchor(page, element["id"])
    for image in article.find_all("img", src=True):
        image["src"] = posixpath.normpath(posixpath.join(posixpath.dirname(page), image["src"]))
    for link in article.find_all("a", href=True):
        parts = urlsplit(link["href"])
        if parts.scheme or link.find_parent("svg"):
            continue
        path = posixpath.join(posixpath.dirname(page), unquote(parts.path))
        target = posixpath.normpath(path) if parts.path else page
        if target in pages:
            link["href"] = f"#{anchor(target, unquote(parts.fragment))}"
        else:
            link.unwrap()
    article["id"] = anchor(page)
    article["class"] = ["bd-article", "print-page"]
    return article


def gather(html, pages):
    """Join pages of a built book into one document that lies in the folder `html` and is to be printed.

    Parameters
    ----------
    html : Path
        The folder of the built book.
    pages : list of str
        Pages from its root, in reading order.

    Returns
    -------
    str
        HTML. It has the front page, a list of contents, and all other pages.

    Raises
    ------
    ValueError
        If a link within it leads nowhere.
    """
    document = BeautifulSoup('<!DOCTYPE html><html lang="en" data-theme="light"><head></head></html>', "html.parser")
    sheets, mathjax = {}, {}
    for page in pages:
        head = parse(html / page).head
        for sheet in head.find_all("link", rel="stylesheet"):
            sheets[posixpath.normpath(posixpath.join(posixpath.dirname(page), sheet["href"]))] = None
        for script in head.find_all("script"):
            source = script.get("src", "")
            if "mathjax/" in source:
                script["src"] = posixpath.normpath(posixpath.join(posixpath.dirname(page), source))
            if "mathjax/" in source or "window.MathJax" in script.get_text():
                mathjax[str(script)] = script
    title = parse(html / pages[0]).find("h1").get_text().rstrip("#¶")
    head = document.head
    head.append(document.new_tag("meta", charset="utf-8"))
    head.append(document.new_tag("title"))
    head.title.string = title
    for sheet in sheets:
        head.append(document.new_tag("link", rel="stylesheet", href=sheet))
    head.append(document.new_tag("style"))
    head.style.string = Path(__file__).with_name("print.css").read_text(encoding="utf-8")
    for script in mathjax.values():
        head.append(script)

    body = document.new_tag("body")
    document.html.append(body)
    articles = [take_article(html, page, pages) for page in pages]
    contents = BeautifulSoup('<nav class="print-contents"><h2>Contents</h2><ul></ul></nav>', "html.parser").nav
    for page, article in zip(pages[1:], articles[1:]):
        item, link = document.new_tag("li"), document.new_tag("a", href=f"#{anchor(page)}")
        link.string = article.find("h1").get_text().strip()
        item.append(link)
        contents.ul.append(item)
    for element in (articles[0], contents, *articles[1:]):
        body.append(element)

    ids = {element["id"] for element in document.find_all(id=True)}
    dead = [link["href"] for link in document.select('a[href^="#"]') if link["href"][1:] not in ids]
    if dead:
        raise ValueError(f"expected links that lead to a place in the book, received {dead}; mend them in the pages")
    return str(document)


def print_document(browser, html, document, path):
    """Print a gathered document.

    Parameters
    ----------
    browser : playwright.sync_api.Browser
        Chromium.
    html : Path
        The folder of the built book.
    document : str
        As `gather` returns it.
    path : Path
        Where the PDF goes.

    Returns
    -------
    list of str
        What is wider than the page, and so is cut off: place, element and beginning of its text.
    """
    source = html / "_print.html"  # in this folder, since it loads styles, fonts and pictures from it
    source.write_text(document, encoding="utf-8")
    try:
        page = browser.new_page(viewport={"width": WIDTH, "height": 1000})
        page.emulate_media(media="print")
        page.goto(source.as_uri(), wait_until="load")
        page.evaluate("window.MathJax?.startup?.promise")
        page.evaluate("document.fonts.ready")
        too_wide = page.evaluate(TOO_WIDE, WIDTH)
        path.parent.mkdir(parents=True, exist_ok=True)
        page.pdf(
            path=path,
            prefer_css_page_size=True,
            display_header_footer=True,
            header_template="<span></span>",
            footer_template=FOOTER,
            print_background=True,
            tagged=True,
            outline=True,
        )
        page.close()
    finally:
        source.unlink()
    return too_wide


def main():
    """Print the whole book."""
    html, path = ROOT / "_build" / "html", ROOT / "_build" / "downloads" / f"{NAME}.pdf"
    installed = filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome")))
    sandbox = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []  # root cannot have one
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=next(installed, None), args=sandbox)
        too_wide = print_document(browser, html, gather(html, reading_order(html)), path)
        browser.close()
    if too_wide:
        path.unlink()
        raise SystemExit("expected everything to fit on A4; cut off is\n" + "\n".join(too_wide))


if __name__ == "__main__":
    main()
