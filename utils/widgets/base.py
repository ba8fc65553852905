"""What all widgets share: one class that works with a kernel and without.

With a kernel, a widget is an `anywidget.AnyWidget`: changes in the browser reach Python's ``observe``, and an
assignment in Python redraws. While the book is built, the same class writes its state and a still picture into the
page, and a small script mounts the same front end on it. Nothing is loaded from anywhere else, so the page also works
from a disk.
"""

import html
import json
import os
import re
from pathlib import Path

import matplotlib.pyplot as plt
import traitlets

from utils.book.plotting import draw_svg

FOLDER = Path(__file__).parent

#: Set by the book's build (book/_ext/book_execution.py) for the kernels that it starts, and by nobody else.
IS_STATIC = os.environ.get("BOOK_STATIC_WIDGETS") == "1"

if IS_STATIC:
    Base = traitlets.HasTraits  # opens no channel to a kernel, so the page needs no loader for Jupyter widgets
else:
    from anywidget import AnyWidget as Base


def _read(name):
    return (FOLDER / name).read_text(encoding="utf-8")


class BookWidget(Base):
    """Base of every widget of the book.

    A subclass sets `slug`, declares what its front end needs as traits tagged ``sync=True`` (plain numbers, text, lists
    and dicts), and implements `describe` and `draw`. Its front end is ``<slug>.mjs``: one module with one
    ``export default { render({ model, el }) { … } }`` and no imports. The helpers of ``kit.js`` stand before it.

    Attributes
    ----------
    slug : str
        Stem of the front end's file, and value of ``data-widget`` in the page.
    """

    slug = None

    def __init_subclass__(cls, **kwargs):
        # Only for classes that a person wrote: traitlets derives more at run time (HasTraits.add_traits).
        if not IS_STATIC and cls.__dict__.get("slug"):
            cls._esm = _read("kit.js") + _read(f"{cls.slug}.mjs")
            cls._css = _read("widgets.css")
        super().__init_subclass__(**kwargs)

    def describe(self):
        """Say in one or two sentences what the widget shows in its present state.

        Returns
        -------
        str
            Stands below the still picture, in the search index, and wherever only text can be shown.
        """
        raise NotImplementedError(f"{type(self).__name__} must say what it shows: implement describe()")

    def draw(self):
        """Draw the present state with matplotlib.

        Returns
        -------
        matplotlib.figure.Figure
            For readers without JavaScript, and for print.
        """
        raise NotImplementedError(f"{type(self).__name__} needs a still picture: implement draw()")

    def state(self):
        """Return what the front end needs.

        Returns
        -------
        dict
            Name → value of the widget's own traits that are tagged ``sync=True``, sorted by name.
        """
        own = {name for cls in type(self).__mro__ if issubclass(cls, BookWidget) for name in vars(cls)}
        return {name: getattr(self, name) for name in sorted(own & self.traits(sync=True).keys()) if name[0] != "_"}

    def _repr_mimebundle_(self, **kwargs):
        if not IS_STATIC:
            bundle, *metadata = super()._repr_mimebundle_(**kwargs)
            return {**bundle, "text/plain": self.describe()}, *metadata
        return {"text/plain": self.describe(), "text/html": self.to_html()}

    def to_html(self):
        """Write the widget into a page that has no kernel.

        Returns
        -------
        str
            One ``<div class="book-widget">`` that holds the state as JSON and a still picture, and a call that mounts
            the front end on it while the page is still being read, so that nothing moves when it appears.
        """
        state = json.dumps(self.state(), separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
        with plt.ioff():
            picture = draw_svg(self.draw(), self.describe())
        return (
            f'<div class="book-widget" data-widget="{self.slug}"><script type="application/json">{state}</script>'
            f'<div class="book-widget-still">{picture}<p>{html.escape(self.describe())}</p></div></div>'
            "<script>window.bookWidgets?.mount(document.currentScript.previousElementSibling)</script>"
        )


def bundle():
    """Join all front ends into one classic script for the built book.

    Browsers refuse to import modules from a disk, so each module becomes a function in one script, with the helpers of
    ``kit.js`` and the stand-in for a kernel's model of ``runtime.js``.

    Returns
    -------
    str
        JavaScript that defines ``window.bookWidgets``.

    Raises
    ------
    ValueError
        If a module has an import, or not exactly one ``export default``.
    """
    parts = ['(() => {\n"use strict";\n', _read("kit.js"), "const modules = {};\n"]
    for file in sorted(FOLDER.glob("*.mjs")):
        source, n_exports = re.subn(r"^export default\s+", "return ", file.read_text(encoding="utf-8"), flags=re.M)
        if n_exports != 1 or re.search(r"^\s*(import|export)\b", source, flags=re.M):
            raise ValueError(
                f"expected one `export default` and no other import or export in {file.name}, received {n_exports} "
                "of the first kind or some of the other; helpers that widgets share belong into kit.js"
            )
        parts.append(f"modules[{json.dumps(file.stem)}] = (() => {{\n{source}\n}})();\n")
    return "".join([*parts, _read("runtime.js"), "})();\n"])
