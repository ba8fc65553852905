import json
import re

import anywidget
import matplotlib.pyplot as plt
import pytest
import traitlets
from bs4 import BeautifulSoup

from tests.widgets.static_widgets import run_static, static_html
from utils import widgets
from utils.widgets import BookWidget, base, bundle

LABEL = "</script><b>'out'</b> & \"co\""
STATIC = {"items": [[3.0, -0.5], [0.4, 0.5]], "labels": [LABEL, "b"], "level": "dot", "query": [1.0, 1.0]}

WIDGETS = [one for one in vars(widgets).values() if isinstance(one, type) and issubclass(one, BookWidget) and one.slug]


class Counter(BookWidget):
    """A widget with nothing but what the base asks for; it has no front end."""

    count = traitlets.Int(3).tag(sync=True)
    title = traitlets.Unicode("eggs").tag(sync=True)
    cache = traitlets.Int(7)

    def describe(self):
        return f"{self.count} {self.title} < {self.count + 1}"

    def draw(self):
        return plt.subplots()[0]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of front ends of our own, with one module that is as it should be."""
    (tmp_path / "kit.js").write_text("const shared = 1;\n")
    (tmp_path / "runtime.js").write_text("window.bookWidgets = { modules };\n")
    (tmp_path / "good.mjs").write_text("const two = 2 * shared;\nexport default { two };\n")
    monkeypatch.setattr(base, "FOLDER", tmp_path)
    return tmp_path


# Every widget


@pytest.mark.parametrize("widget", WIDGETS)
def test_widget_has_a_front_end_of_its_name(widget):
    assert (base.FOLDER / f"{widget.slug}.mjs").is_file()


def test_front_ends_all_belong_to_a_widget():
    assert {file.stem for file in base.FOLDER.glob("*.mjs")} == {widget.slug for widget in WIDGETS}


# With a kernel


def test_widget_is_an_anywidget_where_there_is_a_kernel():
    assert not base.IS_STATIC
    assert issubclass(BookWidget, anywidget.AnyWidget)


@pytest.mark.parametrize("widget", WIDGETS)
def test_live_module_is_the_kit_and_then_the_front_end(widget):
    kit, module = ((base.FOLDER / name).read_text(encoding="utf-8") for name in ("kit.js", f"{widget.slug}.mjs"))
    assert widget._esm == kit + module


@pytest.mark.parametrize("widget", WIDGETS)
def test_live_widget_has_the_style(widget):
    assert widget._css == (base.FOLDER / "widgets.css").read_text(encoding="utf-8")


def test_live_output_names_the_view_and_says_it_in_text():
    output, *_ = Counter()._repr_mimebundle_()
    assert output["text/plain"] == "3 eggs < 4"
    assert output["application/vnd.jupyter.widget-view+json"]["model_id"]
    assert "text/html" not in output


# State


def test_state_is_the_widgets_own_synced_traits_by_name():
    # Neither `cache`, which is not synced, nor what ipywidgets adds, such as `layout`.
    assert Counter().state() == {"count": 3, "title": "eggs"}


def test_state_is_the_present_one():
    counter = Counter(count=1)
    counter.count = 5
    assert counter.state()["count"] == 5


def test_state_holds_the_traits_of_a_parent_class():
    class Painted(Counter):
        shade = traitlets.Unicode("red").tag(sync=True)

    assert list(Painted().state()) == ["count", "shade", "title"]


def test_state_survives_traits_added_at_run_time():
    counter = Counter()
    counter.add_traits(extra=traitlets.Int(1))
    assert counter.state() == {"count": 3, "title": "eggs"}


# What a widget must bring


def test_describe_asks_to_be_implemented():
    class Silent(BookWidget):
        pass

    with pytest.raises(NotImplementedError, match=r"Silent must say what it shows: implement describe\(\)"):
        Silent().describe()


def test_draw_asks_to_be_implemented():
    class Unseen(BookWidget):
        pass

    with pytest.raises(NotImplementedError, match=r"Unseen needs a still picture: implement draw\(\)"):
        Unseen().draw()


def test_to_html_closes_the_figure():
    before = plt.get_fignums()
    Counter().to_html()
    assert plt.get_fignums() == before


def test_to_html_refuses_a_number_that_json_does_not_know():
    class Endless(Counter):
        width = traitlets.Float(float("nan")).tag(sync=True)

    with pytest.raises(ValueError, match="not JSON compliant"):
        Endless().to_html()


def test_to_html_escapes_the_description():
    soup = BeautifulSoup(Counter().to_html(), "html.parser")
    assert soup.select_one(".book-widget-still p").decode() == "<p>3 eggs &lt; 4</p>"


# Without a kernel


@pytest.fixture(scope="module")
def static():
    """The element that the build writes for a widget with a hostile label."""
    source = static_html(f"SimilarityExplorer(**{STATIC!r})")[0]
    return BeautifulSoup(source, "html.parser")


def test_static_widget_opens_no_channel_to_a_kernel():
    said = run_static(
        "import sys\nprint([c.__module__.split('.')[0] for c in BookWidget.__mro__], 'anywidget' in sys.modules)"
    )
    assert said.strip() == "['utils', 'traitlets', 'traitlets', 'builtins'] False"


def test_static_output_is_html_and_text():
    said = run_static(
        f"widget = SimilarityExplorer(**{STATIC!r})\n"
        "output = widget._repr_mimebundle_()\n"
        "assert output['text/html'] == widget.to_html()\n"
        "print(json.dumps([sorted(output), output['text/plain'] == widget.describe()]))"
    )
    assert json.loads(said) == [["text/html", "text/plain"], True]


def test_static_root_names_its_front_end(static):
    roots = static.select(".book-widget")
    assert [root["data-widget"] for root in roots] == ["similarity"]


def test_static_state_stands_in_the_root_as_json(static):
    script = static.select_one('.book-widget > script[type="application/json"]')
    assert json.loads(script.string) == {**STATIC, "unit_items": False}


def test_static_label_cannot_break_out_of_the_page(static):
    # The state, and the call that mounts the widget: a third script would be the label's.
    assert len(static.select("script")) == 2
    assert static.select("script")[1].string.startswith("window.bookWidgets?.mount(")
    assert LABEL in json.loads(static.select_one("script").string)["labels"]


def test_static_picture_has_an_alternative_text(static):
    picture = static.select_one('.book-widget-still > svg[role="img"]')
    assert LABEL in picture["aria-label"]
    assert picture["aria-label"].startswith("Items ranked for the query (1, 1).")


def test_static_picture_has_its_text_below(static):
    assert static.select_one(".book-widget-still > svg + p").text == static.select_one("svg")["aria-label"]


# The script of the built book


def test_bundle_makes_a_function_of_each_module(folder):
    assert bundle() == (
        '(() => {\n"use strict";\nconst shared = 1;\nconst modules = {};\n'
        'modules["good"] = (() => {\nconst two = 2 * shared;\nreturn { two };\n\n})();\n'
        "window.bookWidgets = { modules };\n})();\n"
    )


def test_bundle_orders_modules_by_name(folder):
    (folder / "early.mjs").write_text("export default {};\n")
    assert re.findall(r'modules\["(\w+)"\]', bundle()) == ["early", "good"]


def test_bundle_holds_the_module_of_every_widget():
    assert set(re.findall(r'^modules\["(\w+)"\] = ', bundle(), flags=re.M)) == {widget.slug for widget in WIDGETS}


@pytest.mark.parametrize(
    ("source", "received"),
    [
        ("const a = 1;\n", "0 of the first kind"),
        ("export default {};\nexport default {};\n", "2 of the first kind"),
        ('import { a } from "./a.mjs";\nexport default { a };\n', "1 of the first kind or some of the other"),
        ("export const a = 1;\nexport default { a };\n", "1 of the first kind or some of the other"),
        ("const a = 1;\n  export { a };\nexport default { a };\n", "1 of the first kind or some of the other"),
    ],
)
def test_bundle_rejects_what_a_classic_script_cannot_hold(folder, source, received):
    (folder / "bad.mjs").write_text(source)
    with pytest.raises(ValueError, match=rf"expected one `export .* in bad\.mjs, received {received}.*kit\.js"):
        bundle()
