"""A real browser, and the built book both as files and from a server."""

import os
import shutil
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Error, sync_playwright

from tests.built_book import HTML

INSTALLED = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# No sandbox as root (containers), no GPU, and no calls home, which fail, many at a time, where there is no network.
FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    *(["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
]


@pytest.fixture(scope="session")
def browser():
    """Chromium or Chrome from this machine, or else Playwright's own."""
    path = next(filter(None, map(shutil.which, INSTALLED)), None)
    with sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        except Error as error:
            pytest.fail(
                "the pages are tested in a real browser, and none was found. Install Chromium or Chrome, or run: "
                f".venv/bin/playwright install --with-deps chromium\n({error.message.splitlines()[0]})",
                pytrace=False,
            )
        yield chromium
        chromium.close()


class QuietHandler(SimpleHTTPRequestHandler):
    """Serve files without a line of log for each."""

    def log_message(self, *args):
        """Say nothing."""


@pytest.fixture(scope="session")
def served():
    """Address of a server for the built book, on this machine only."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(HTML)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(params=["served", "file"])
def address(request, served):
    """The book's address: from a server, and from disk."""
    return served if request.param == "served" else HTML.as_uri()


@contextmanager
def pages(browser):
    """Give a function that opens pages, each in a context of its own, and close them in the end.

    A page records what it complains about and what it asks for. MathJax takes more time than all the rest of a page, so
    it stays away unless a test asks for formulas.
    """
    contexts = []

    def open_(url, *, width=1280, height=900, scheme="light", has_formulas=False, **options):
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, **options)
        contexts.append(context)
        page = context.new_page()
        if not has_formulas and options.get("java_script_enabled", True):
            page.route("**/_static/mathjax/**", lambda route: route.fulfill(content_type="text/javascript", body=""))
        page.complaints, page.requested = [], []
        page.on("console", lambda m: m.type in ("error", "warning") and page.complaints.append(m.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("requestfailed", lambda r: page.complaints.append(f"failed: {r.url}"))
        page.on("request", lambda r: page.requested.append(r.url))
        page.goto(url, wait_until="load")
        return page

    yield open_
    for context in contexts:
        context.close()


@pytest.fixture
def open_page(browser):
    """Open a page, which is closed after the test."""
    with pages(browser) as open_:
        yield open_


@pytest.fixture(scope="module")
def shared_page(request, browser, served):
    """The page `PAGE` of the test's module, which many tests use, since loading it takes the most time.

    Things move on it, unless the module has ``REDUCED_MOTION = "reduce"``.
    """
    with pages(browser) as open_:
        motion = getattr(request.module, "REDUCED_MOTION", "no-preference")
        yield open_(f"{served}/{request.module.PAGE}", reduced_motion=motion)
