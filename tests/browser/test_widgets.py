"""What every widget promises on every page of the built book: one contract, whatever the widget shows."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.conftest import pages
from tests.built_book import HTML, built_pages, each_its_own_unit
from tests.widgets.static_widgets import static_html
from utils import widgets

WITH_WIDGETS = [page for page in built_pages() if '<div class="book-widget"' in (HTML / page).read_text("utf-8")]
SLUGS = {slug for one in vars(widgets).values() if (slug := getattr(one, "slug", None))}
NATIVE = ["BUTTON", "INPUT", "SELECT", "TEXTAREA", "SUMMARY", "A"]

# Functions for use in a page. `W.controls` lists what a reader can operate, in document order, without Reset.
TOOLS = """
window.W = {
  controls: (root) => [...root.querySelectorAll("button, input, select, textarea, summary, a[href], [tabindex='0']")]
    .filter((node) => !node.disabled && node.checkVisibility() && !node.matches(".bw-reset")),
  name: (node) => {
    const ids = (node.getAttribute("aria-labelledby") || "").split(" ");
    const text = (nodes) => nodes.map((one) => one?.textContent).join(" ");
    return (
      text(ids.map((id) => document.getElementById(id))) || node.getAttribute("aria-label") ||
      text([...(node.labels || [])]) || node.textContent
    ).trim();
  },
  // Everything that a reader sees or hears of the widget.
  snapshot: (root) => JSON.stringify([
    root.innerText,
    [...root.querySelectorAll("*")].map((node) => [
      node.value, node.checked, ...[...node.attributes].filter((a) => a.name.startsWith("aria-")).map((a) => a.value),
    ]),
  ]),
  // From now on: what the status says after a key went down or up, and whether frames were painted in between.
  watch: (root) => {
    const status = root.querySelector("[role=status]");
    const seen = (window.seen = { frames: 0, before: status.textContent, after: null });
    const count = () => { if (seen.after === null) { seen.frames += 1; requestAnimationFrame(count); } };
    for (const kind of ["keydown", "keyup"])
      window.addEventListener(kind, () => { if (seen.after === null) { seen.frames = -1; count(); } }, true);
    new MutationObserver(() => { seen.after = status.textContent; })
      .observe(status, { childList: true, characterData: true, subtree: true });
  },
};
"""


def pytest_generate_tests(metafunc):
    """Run a test that asks for a `widget_page` once for every page with a widget."""
    if "widget_page" in metafunc.fixturenames:
        metafunc.parametrize("widget_page", each_its_own_unit(WITH_WIDGETS), scope="module")


@pytest.fixture(scope="module")
def shared_page(browser, served, widget_page):
    """A wide page from the server, which most tests use, since loading it takes the most time."""
    with pages(browser) as open_:
        yield open_(f"{served}/{widget_page}")


@pytest.fixture(scope="module")
def narrow_page(browser, widget_page):
    """A page as narrow as a telephone, from the disk."""
    with pages(browser) as open_:
        yield open_(f"{HTML.as_uri()}/{widget_page}", width=360)


@pytest.fixture
def roots(shared_page):
    """The widgets of the shared page; afterwards they are as before."""
    yield from roots_for_a_test(shared_page)
    shared_page.emulate_media(color_scheme="light", reduced_motion="no-preference")


@pytest.fixture(params=["shared_page", "narrow_page"])
def either(request, widget_page):
    """Wide from a server, or narrow from a disk: a page and its widgets, which afterwards are as before."""
    page = request.getfixturevalue(request.param)
    for roots in roots_for_a_test(page):
        yield page, roots


def roots_for_a_test(page):
    """Give the widgets of a page to a test, and reset them when it is done."""
    found = roots_of(page)
    yield found
    for root in found:
        root.locator(".bw-reset").press("Enter")


def roots_of(page):
    """Wait until every widget of the page is mounted, and return them."""
    roots = page.locator(".book-widget").all()
    for root in roots:
        root.and_(page.locator("[data-ready='true']")).wait_for(state="attached", timeout=5000)
    page.evaluate(TOOLS)
    return roots


def use(page, root, index):
    """Focus the widget's control of that index, and press the key that a reader would."""
    control = root.evaluate_handle("(root, index) => W.controls(root)[index]", index).as_element()
    is_pressed = control.evaluate(
        "node => node.matches('button, [role=button], [type=checkbox], [type=radio], summary')"
    )
    control.focus()
    page.keyboard.press("Space" if is_pressed else "ArrowRight")


def use_all(page, root):
    """Use every control of the widget once."""
    for index in range(root.evaluate("root => W.controls(root).length")):
        use(page, root, index)


def test_front_page_has_a_widget():
    assert "book/index.html" in WITH_WIDGETS


def test_widget_is_mounted(shared_page, roots):
    for root in roots:
        assert root.get_attribute("data-widget") in SLUGS
        assert root.locator(".book-widget-still").count() == 0
    assert shared_page.complaints == []


def test_widget_says_its_result_in_one_live_region(roots):
    for root in roots:
        status = root.get_by_role("status")  # an <output> would be one more
        assert status.count() == 1
        assert status.get_attribute("role") == "status"
        assert len(status.inner_text().split()) >= 3


def test_widget_has_controls_with_role_name_and_value(roots):
    for root in roots:
        assert root.get_attribute("role") == "group"
        assert root.get_attribute("aria-label")
        controls = root.evaluate(
            "root => W.controls(root).map(n => [n.tagName, n.role, W.name(n), n.ariaValueNow ?? n.ariaChecked])"
        )
        assert controls
        for tag, role, name, value in controls:
            assert name, (tag, role)
            if tag.upper() not in NATIVE:
                assert role in {"slider", "button", "checkbox", "radio", "switch", "spinbutton"}, (tag, name)
                assert role == "button" or value is not None, (tag, name)


def test_first_control_changes_the_status_at_once(either):
    page, roots = either
    for root in roots:
        root.evaluate("W.watch")
        use(page, root, 0)
        page.wait_for_function("seen.after !== null")
        seen = page.evaluate("seen")
        assert seen["after"] != seen["before"]
        assert seen["after"].strip()
        assert seen["frames"] <= 2  # it waits for nothing: frames, and not milliseconds, which depend on the machine
    assert page.complaints == []


def test_reset_restores_the_first_state(shared_page, roots):
    for root in roots:
        before = root.evaluate("W.snapshot")
        use_all(shared_page, root)
        assert root.evaluate("W.snapshot") != before
        root.get_by_role("button", name="Reset", exact=True).press("Enter")
        assert root.evaluate("W.snapshot") == before
    assert shared_page.complaints == []


def test_widget_is_neither_cut_off_nor_flat(either):
    page, roots = either
    for root in roots:
        assert root.evaluate(CUT_OFF) == []
        use_all(page, root)
        assert root.evaluate(CUT_OFF) == []


# A list of what is wrong with the boxes in a widget. Lines and areas may leave a drawing, which clips them; words and
# handles may not, and neither may anything leave the widget, or the widget the screen.
CUT_OFF = """root => {
  const wrong = [];
  const isWithin = (inner, outer, slack = 1) => inner.left >= outer.left - slack && inner.right <= outer.right + slack
    && inner.top >= outer.top - slack && inner.bottom <= outer.bottom + slack;
  const frame = root.getBoundingClientRect();
  if (frame.left < 0 || frame.right > innerWidth || frame.height < 100) wrong.push(["widget", frame.toJSON()]);
  for (const node of root.querySelectorAll("*")) {
    const box = node.getBoundingClientRect();
    if (!node.checkVisibility() || node.matches("svg *:not(text, [tabindex])")) continue;
    const label = [node.tagName, node.className.baseVal ?? node.className, node.textContent.slice(0, 30)];
    const drawing = node.closest("svg");
    if (!isWithin(box, frame)) wrong.push(["outside the widget", ...label, box.toJSON()]);
    if (drawing && drawing !== node && !isWithin(box, drawing.getBoundingClientRect()))
      wrong.push(["cut off by the drawing", ...label]);
    if (node === drawing && box.height <= 100) wrong.push(["a flat drawing", ...label, box.height]);
    if ((node.textContent.trim() || node.matches("input, svg")) && (box.height < 1 || box.width < 1))
      wrong.push(["nothing to see", ...label]);
    if (!drawing && getComputedStyle(node).overflowX !== "visible" && node.scrollWidth > node.clientWidth + 1)
      wrong.push(["scrolls or is cut", ...label]);
  }
  const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const range = document.createRange();
    range.selectNodeContents(texts.currentNode);
    for (const box of range.getClientRects()) {
      if (texts.currentNode.parentElement.checkVisibility() && !isWithin(box, frame))
        wrong.push(["words outside", texts.currentNode.data]);
    }
  }
  return wrong;
}"""


# Shifts count only within the screen, so the screen is as tall as any page. They count from the moment at which the
# script may come. To paint so tall and wide a screen
# takes long; a narrow page, where everything stands below everything else, moves the most.
@pytest.mark.parametrize("width", [360, pytest.param(1280, marks=pytest.mark.slow)])
def test_page_does_not_move_when_a_widget_mounts(browser, served, widget_page, width):
    context = browser.new_context(viewport={"width": width, "height": SCREEN})
    page = context.new_page()
    page.add_init_script(WATCH_SHIFTS)
    # No other script: the theme's change the look of code, and MathJax moves what stands below a formula. Nor letters.
    held = []
    page.route(lambda url: ".js" in url, lambda route: held.append(route) if is_widgets(route) else route.abort())
    page.route("**/book-fonts.css*", lambda route: route.abort())
    page.goto(f"{served}/{widget_page}", wait_until="commit")
    page.wait_for_selector('script[src*="book-widgets.js"]', state="attached")
    begin = page.evaluate(AFTER_FRAMES)
    assert page.evaluate("document.querySelector('article').scrollHeight") < SCREEN
    held.pop().continue_()
    roots_of(page)
    # A shift is told once it was painted, and so tall a page takes its time for that: count frames, not only time.
    page.evaluate(AFTER_FRAMES)
    shifts = page.evaluate("(begin) => shifts.filter(([time]) => time >= begin)", begin)
    context.close()
    assert shifts == []


SCREEN = 50_000  # pixels: higher than any page


def is_widgets(route):
    """Say whether the script is asked for that mounts widgets."""
    return "book-widgets.js" in route.request.url


# Waits until what there is has been painted, and says when that was.
AFTER_FRAMES = """async () => {
  await new Promise((resolve) => setTimeout(resolve, 250));
  for (let frame = 0; frame < 3; frame += 1) await new Promise(requestAnimationFrame);
  await new Promise((resolve) => setTimeout(resolve));
  return performance.now();
}"""

# Every move of something in the article, up or down by a pixel or more: when, how far, and what. A widget that grows
# moves what is below it. The columns of a table move sideways as its rows arrive, which no widget can help.
WATCH_SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries())
    for (const { node, previousRect: before, currentRect: after } of entry.sources) {
      const distance = Math.abs(after.y - before.y);
      if (distance >= 1 && node?.parentElement?.closest("article"))
        shifts.push([entry.startTime, distance, (node.outerHTML ?? node.data).slice(0, 80)]);
    }
}).observe({ type: "layout-shift", buffered: true });
"""


def test_widget_leaves_picture_and_text_where_javascript_is_off(open_page, widget_page):
    page = open_page(f"{HTML.as_uri()}/{widget_page}", width=360, java_script_enabled=False)
    for root in page.locator(".book-widget").all():
        assert root.get_attribute("data-ready") is None
        picture, text = root.locator(".book-widget-still > svg"), root.locator(".book-widget-still > p")
        assert picture.is_visible()
        assert picture.bounding_box()["height"] > 100
        assert picture.bounding_box()["x"] + picture.bounding_box()["width"] <= 360
        assert picture.get_attribute("aria-label")
        assert text.is_visible()
        assert len(text.inner_text().split()) >= 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_widget_in_use_has_no_accessibility_violation(shared_page, roots, scheme):
    shared_page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    shared_page.wait_for_function("scheme => document.documentElement.dataset.theme === scheme", arg=scheme)
    for root in roots:
        use_all(shared_page, root)
    found = Axe().run(shared_page, context=".book-widget").response["violations"]
    assert [(v["id"], v["help"], [n["html"][:120] for n in v["nodes"][:3]]) for v in found] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_widget_stands_on_the_colour_of_its_page(shared_page, roots, scheme):
    shared_page.emulate_media(color_scheme=scheme)
    shared_page.wait_for_function("scheme => document.documentElement.dataset.theme === scheme", arg=scheme)
    behind = shared_page.evaluate("getComputedStyle(document.body).backgroundColor")
    for root in roots:
        assert root.evaluate("root => getComputedStyle(root).backgroundColor") == behind
        ink = root.locator("[role=status]").evaluate("node => getComputedStyle(node).color")
        assert (sum(map(int, ink[4:-1].split(", "))) > 3 * 128) == (scheme == "dark")


def test_widget_does_not_move_by_itself_where_motion_is_reduced(shared_page, roots):
    shared_page.emulate_media(reduced_motion="reduce")
    for root in roots:
        moving = root.evaluate(
            """root => [root, ...root.querySelectorAll("*")].filter((node) => {
              const style = getComputedStyle(node);
              const changes = /[1-9]/.test(style.transitionDuration) || style.animationName !== "none";
              return changes || node.localName === "animate";
            }).map((node) => node.outerHTML.slice(0, 80))"""
        )
        assert moving == []


# Two widgets on one page

HOSTILE = "</script><h2>"
TWO = [
    "SimilarityExplorer(items=[[3, -0.5], [0.4, 0.5], [0.3, 1.2]], labels=['a', 'b', 'c'])",
    f"SimilarityExplorer(items=[[2, 1], [1, 2]], labels=[{HOSTILE!r}, 'd'], query=[0.5, 1.5], level='cosine')",
]


@pytest.fixture(scope="module")
def page_of_two(tmp_path_factory):
    """Address of a small page that holds two widgets, and the built book's script and style."""
    static = (HTML / "_static").as_uri()
    file = tmp_path_factory.mktemp("page") / "two.html"
    file.write_text(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Two</title>'
        f'<link rel="stylesheet" href="{static}/book-widgets.css"><script src="{static}/book-widgets.js"></script>'
        + "<h1>Two</h1>".join(static_html(*TWO)),
        encoding="utf-8",
    )
    return file.as_uri()


def test_two_widgets_are_both_mounted(open_page, page_of_two):
    page = open_page(page_of_two)
    assert len(roots_of(page)) == 2
    assert page.complaints == []


def test_two_widgets_have_states_of_their_own(open_page, page_of_two):
    page = open_page(page_of_two)
    one, other = roots_of(page)
    for used, quiet in ((one, other), (other, one)):
        before = quiet.evaluate("W.snapshot"), used.evaluate("W.snapshot")
        use_all(page, used)
        assert used.evaluate("W.snapshot") != before[1]
        assert quiet.evaluate("W.snapshot") == before[0]
        used.get_by_role("button", name="Reset").click()
        assert quiet.evaluate("W.snapshot") == before[0]


def test_two_widgets_share_no_id_and_no_group_of_radio_buttons(open_page, page_of_two):
    page = open_page(page_of_two)
    roots_of(page)
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(node => node.id)")
    assert len(ids) == len(set(ids)) > 0
    groups = [
        set(root.locator("[type=radio]").evaluate_all("all => all.map(node => node.name)")) for root in roots_of(page)
    ]
    assert groups[0].isdisjoint(groups[1])


def test_label_cannot_break_out_of_the_page(open_page, page_of_two):
    page = open_page(page_of_two)
    _, other = roots_of(page)
    assert page.locator("h2").count() == 0
    assert HOSTILE in other.locator("[role=status]").inner_text()


def test_broken_state_leaves_the_picture_and_says_so(open_page, page_of_two, tmp_path):
    source = static_html(TWO[0])[0].replace('{"items"', '{broken"items"')
    file = tmp_path / "broken.html"
    file.write_text(f'<script src="{(HTML / "_static").as_uri()}/book-widgets.js"></script>{source}', encoding="utf-8")
    page = open_page(file.as_uri())
    assert page.locator(".book-widget-still svg").is_visible()
    assert page.locator(".book-widget").get_attribute("data-ready") is None
    assert len(page.complaints) == 1
    assert page.complaints[0].startswith("widget similarity: ")


@pytest.mark.parametrize("use", ['get("querry")', 'set("querry", 1)', 'on("change:querry", () => {})'])
def test_front_end_cannot_name_a_trait_that_there_is_not(open_page, page_of_two, use):
    page = open_page(page_of_two)
    root = roots_of(page)[0]
    message = root.evaluate(f"root => {{ try {{ root.bookModel.{use}; }} catch (error) {{ return error.message; }} }}")
    assert message == "expected a trait among items,labels,level,query,unit_items, received querry"
