"""How fast a widget of the built book answers, and what a page pays for it.

Presses 300 arrow keys on the query of the front page, one after the other, and measures in the page: from the time the
browser gives the key event to the change of the widget (DOM), and to the end of the frame that paints it. Then counts
bytes. Needs the built book, and Chromium, Chrome or Playwright's own browser.
"""

import gzip
import os
import re
import shutil
import statistics
from pathlib import Path

from playwright.sync_api import sync_playwright

HTML = Path(__file__).resolve().parents[1] / "_build" / "html"
PAGE = HTML / "book" / "index.html"
N_EVENTS = 300
KEYS = ("ArrowRight", "ArrowUp", "ArrowLeft", "ArrowDown")  # once round, so that the query stays in the plane

# The observer hears of a change when all of the widget's work on the key is done, every list redrawn. A task that is
# posted in an animation frame runs after the browser has drawn that frame.
MEASURE = """() => {
  const handle = document.querySelector(".book-widget [role=slider]");
  window.toDom = []; window.toPaint = [];
  let begin = 0;
  window.addEventListener("keydown", (event) => (begin = event.timeStamp), true);
  new MutationObserver(() => {
    const since = begin;
    toDom.push(performance.now() - since);
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => toPaint.push(performance.now() - since);
      port2.postMessage(null);
    });
  }).observe(handle, { attributeFilter: ["aria-valuetext"] });
  handle.focus();
  return new Promise((resolve) => {
    const times = [];
    const tick = (time) => (times.push(time) < 61 ? requestAnimationFrame(tick) : resolve((times[60] - times[0]) / 60));
    requestAnimationFrame(tick);
  });
}"""


def measure_events():
    """Return milliseconds to the DOM and to paint, each a list of `N_EVENTS`, and the milliseconds of a frame."""
    installed = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    flags = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed, args=flags)
        page = browser.new_page()
        page.goto(PAGE.as_uri(), wait_until="load")
        page.wait_for_selector(".book-widget[data-ready=true]")
        frame = page.evaluate(MEASURE)
        for i in range(N_EVENTS):
            page.keyboard.press(KEYS[i % 4])
            page.wait_for_function("n => toPaint.length > n", arg=i, polling=1)
        times = page.evaluate("[toDom, toPaint]")
        browser.close()
    return *times, frame


def percentile_95(values):
    """Return the smallest value that at least 95 in 100 do not exceed."""
    return sorted(values)[-(-95 * len(values) // 100) - 1]


def read_parts():
    """Return what the page holds for its widget: name → content."""
    page = PAGE.read_text(encoding="utf-8")
    state, still = re.search(
        r'<div class="book-widget".*?<script type="application/json">(.*?)</script>(.*?)</div></div>', page, re.DOTALL
    ).groups()
    static = HTML / "_static"
    return {
        "book-widgets.js": (static / "book-widgets.js").read_bytes(),
        "book-widgets.css": (static / "book-widgets.css").read_bytes(),
        "state as JSON": state.encode(),
        "still picture": still.encode(),
    }


def main():
    """Print both."""
    to_dom, to_paint, frame = measure_events()
    print(f"{N_EVENTS} arrow keys on {PAGE.relative_to(HTML)}; a frame takes {frame:.1f} ms")
    print(f"event to DOM:   median {statistics.median(to_dom):.1f} ms, 95th percentile {percentile_95(to_dom):.1f} ms")
    print(
        f"event to paint: median {statistics.median(to_paint) / frame:.1f} frames, "
        f"95th percentile {percentile_95(to_paint) / frame:.1f} frames"
    )
    parts = {name: (len(content), len(gzip.compress(content))) for name, content in read_parts().items()}
    parts["together"] = tuple(map(sum, zip(*parts.values())))
    for name, (raw, compressed) in parts.items():
        print(f"{name}: {raw:,} bytes, {compressed:,} with gzip")


if __name__ == "__main__":
    main()
