"""What a page of the built book costs its reader: bytes, waiting, and text that jumps.

Each page is opened with an empty cache in headless Chromium, from a server on this machine that compresses as a web
host does. Prints one line a page, and fails where a page breaks a bar:

- bytes: everything that the page loads, as it travels (gzip where that helps), at most 1.5 MB;
- layout shift: the browser's own score (CLS) while the page loads, at most 0.01 on a page with a widget, so that
  nothing moves when the widget mounts; on other pages only shown, since there it comes from formulas;
- first text: on a slow line (1.6 Mbit/s, 150 ms, a processor four times slower) it is on the screen within 3 s, or else
  before the page has finished to load its scripts, which can be many. On this machine's own line all is there at once.
"""

import gzip
import os
import shutil
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import sync_playwright

HTML = Path(__file__).resolve().parents[1] / "_build" / "html"
MAX_BYTES, MAX_SHIFT, MAX_WAIT = 1_500_000, 0.01, 3000  # bytes, score, ms
COMPRESSED = {".html", ".css", ".js", ".svg", ".json", ".ttf"}

SLOW_LINE = {"offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 100_000}

WATCH = """
window.shift = 0;
new PerformanceObserver((list) => { for (const entry of list.getEntries()) window.shift += entry.value; })
  .observe({ type: "layout-shift", buffered: true });
"""
READ = """() => ({
  shift: window.shift,
  paint: performance.getEntriesByName("first-contentful-paint")[0].startTime,
  hasWidget: document.querySelector(".book-widget") !== null,
  scripts: Math.max(0, ...performance.getEntriesByType("resource")
    .filter((entry) => entry.initiatorType === "script").map((entry) => entry.responseEnd)),
})"""


class Handler(SimpleHTTPRequestHandler):
    """Serve files compressed, and without a line of log for each."""

    def do_GET(self):
        """Answer one request."""
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        content = path.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)))
        if path.suffix in COMPRESSED:
            content = gzip.compress(content, 6)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        """Say nothing."""


def measure(browser, url, *, is_slow):
    """Open a page once; return its bytes and what `READ` reads, times in ms."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.add_init_script(WATCH)
    page = context.new_page()
    line = context.new_cdp_session(page)
    line.send("Network.enable")
    if is_slow:
        line.send("Network.emulateNetworkConditions", SLOW_LINE)
        line.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    arrived = []
    line.on("Network.loadingFinished", lambda event: arrived.append(event["encodedDataLength"]))
    page.goto(url, wait_until="networkidle")
    result = {"bytes": sum(arrived), **page.evaluate(READ)}
    context.close()
    return result


def main():
    """Measure every page."""
    files = [*HTML.glob("book/*.html"), *HTML.glob("chapters/*.html")]
    pages = sorted(file.relative_to(HTML).as_posix() for file in files)
    if not pages:
        sys.exit(f"expected a built book in {HTML}, received none; run `make book`")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(HTML)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    installed = filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome")))
    sandbox = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []  # root cannot have one
    broken = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=next(installed, None), args=sandbox)
        for page in pages:
            url = f"http://127.0.0.1:{server.server_port}/{page}"
            here, slow = (measure(browser, url, is_slow=is_slow) for is_slow in (False, True))
            shift = max(here["shift"], slow["shift"])
            print(
                f"{page}: {here['bytes'] / 1e6:.2f} MB, layout shift {shift:.3f}, first text {here['paint']:.0f} ms; "
                f"on a slow line, first text {slow['paint'] / 1000:.1f} s, scripts {slow['scripts'] / 1000:.1f} s"
            )
            moves = here["hasWidget"] and shift > MAX_SHIFT
            if here["bytes"] > MAX_BYTES or moves or slow["paint"] > max(MAX_WAIT, slow["scripts"]):
                broken.append(page)
        browser.close()
    server.shutdown()
    if broken:
        sys.exit(f"expected every page to keep the bars at the head of {Path(__file__).name}, not {', '.join(broken)}")


if __name__ == "__main__":
    main()
