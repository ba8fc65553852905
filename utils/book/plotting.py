"""One look for every figure of the book.

A chapter calls `use_book_style` once, in its import cell, and then draws with plain matplotlib. Figures come out
as vector graphics. The built book swaps each colour of `PALETTE` for a CSS variable of the same name, so that a
figure follows the reader's light or dark theme without being drawn twice (``book/_ext/book_figures.py``).
"""

import hashlib
import html
import io
import re

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from font_source_sans_pro import font_files_ttf
from matplotlib import font_manager
from matplotlib.ticker import NullLocator
from matplotlib_inline.backend_inline import set_matplotlib_formats

#: Name → (colour on a light page, colour on a dark page). The first four hues differ for readers with any of the
#: common colour-vision deficiencies, and every hue has a contrast of at least 3 : 1 with its page, the inks (ink,
#: muted) of at least 4.5 : 1. tests/test_plotting.py computes both.
PALETTE = {
    "ink": ("#1f2933", "#e4e9ee"),
    "muted": ("#56616c", "#a3afba"),
    "grid": ("#d9dee3", "#39424b"),
    "page": ("#ffffff", "#14181c"),
    "blue": ("#0067a3", "#5cb3e6"),
    "orange": ("#c25400", "#f59145"),
    "green": ("#5f8f2f", "#c9efa3"),
    "purple": ("#7b2a7f", "#a06be0"),
    "gold": ("#8a6d00", "#dcb93b"),
    "sky": ("#2f86b5", "#9bd3f2"),
}

#: The colours of the first, second, … line of a chart, in this order.
SERIES = ("blue", "orange", "green", "purple", "gold", "sky")

#: Colour maps that are legible on both pages and to all readers.
SEQUENTIAL, DIVERGING = "cividis", "PuOr"


def colour(name):
    """Return a palette colour, as matplotlib wants it.

    Parameters
    ----------
    name : str
        A key of `PALETTE`: ``"ink"``, ``"muted"``, ``"grid"``, ``"page"`` or a hue such as ``"blue"``.

    Returns
    -------
    str
        The hexadecimal colour on a light page. The built book turns it into the dark one where needed.

    Raises
    ------
    KeyError
        If there is no such colour; the message lists those there are.

    Examples
    --------
    >>> colour("blue")
    '#0067a3'
    """
    if name not in PALETTE:
        raise KeyError(f"no colour {name!r} in the book's palette; choose one of {', '.join(PALETTE)}")
    return PALETTE[name][0]


#: Style → its name in the package that brings the fonts.
FONT_STYLES = {
    "regular": "SourceSansPro",
    "italic": "SourceSansProIt",
    "semibold": "SourceSansProSemibold",
    "bold": "SourceSansProBold",
}


def font_file(style):
    """Return where a style of the book's font is on this machine: figures and pages are set in the same letters.

    Parameters
    ----------
    style : str
        A key of `FONT_STYLES`: ``"regular"``, ``"italic"``, ``"semibold"`` or ``"bold"``.

    Returns
    -------
    str
        The path of a TrueType file.

    Raises
    ------
    KeyError
        If there is no such style; the message lists those there are.

    Examples
    --------
    >>> font_file("regular").endswith("SourceSansPro-Regular.ttf")
    True
    """
    if style not in FONT_STYLES:
        raise KeyError(f"no style {style!r} of the book's font; choose one of {', '.join(FONT_STYLES)}")
    return font_files_ttf[FONT_STYLES[style]]


def use_book_style():
    """Make matplotlib draw in the book's style: vector output, quiet axes, palette colours.

    Line styles and markers change together with the colours, so that no curve is told by its colour alone.

    Examples
    --------
    >>> use_book_style()
    >>> mpl.rcParams["axes.spines.top"]
    False
    """
    set_matplotlib_formats("svg", metadata={"Date": None})
    for style in FONT_STYLES:
        font_manager.fontManager.addfont(font_file(style))
    mpl.rcParams.update(
        {
            "svg.hashsalt": "book",  # the same figure gives the same bytes in every build
            "svg.fonttype": "path",  # letters keep their shape and place on machines without the font
            "font.family": ["Source Sans Pro", "DejaVu Sans"],  # the second for the few signs that the first has not
            "font.size": 12.5,  # on a phone a figure shrinks to little more than half its width
            "figure.figsize": (6.2, 3.6),
            "figure.constrained_layout.use": True,
            "figure.facecolor": colour("page"),
            "axes.facecolor": "none",
            "axes.edgecolor": colour("muted"),
            "axes.labelcolor": colour("ink"),
            "axes.titlesize": 13.5,
            "axes.titleweight": "bold",
            "axes.titlelocation": "left",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "axes.axisbelow": True,
            "grid.color": colour("grid"),
            "grid.linewidth": 0.8,
            "text.color": colour("ink"),
            "xtick.color": colour("muted"),
            "ytick.color": colour("muted"),
            "lines.linewidth": 2,
            "lines.markersize": 5,
            "patch.edgecolor": colour("page"),
            "legend.frameon": False,
            "image.cmap": SEQUENTIAL,
            "axes.prop_cycle": cycler(color=[colour(name) for name in SERIES])
            + cycler(linestyle=["-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2))]),
        }
    )


def band(axes, x, runs, name, hue, *, marker=None, dashes="-", at=-1, shift=(6, 0)):
    """Draw the mean of several runs as a line that bears its name, and their spread as a band around it.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw; its scales stay as they are.
    x : array_like of shape (n,)
        Places of the points.
    runs : array_like of shape (n_runs, n)
        A row a run, a seed each. The band goes from the smallest to the largest.
    name : str
        Stands beside the line, in its colour. Empty for a line without one.
    hue : str
        A colour of `PALETTE`.
    marker, dashes : str, optional
        As `marker` and `linestyle` of matplotlib: no curve is told by its colour alone.
    at : int, optional
        Index of the point beside which the name stands.
    shift : (float, float), optional
        From that point to the name, in points of 1/72 inch.

    Returns
    -------
    matplotlib.lines.Line2D

    Raises
    ------
    ValueError
        If `runs` is no table with a column for each place.

    Examples
    --------
    >>> _, axes = plt.subplots()
    >>> band(axes, [1, 2], [[0.0, 1.0], [2.0, 5.0]], "ALS", "blue").get_ydata()
    array([1., 3.])
    >>> plt.close()
    """
    x, runs = np.asarray(x), np.asarray(runs, dtype=float)
    if runs.ndim != 2 or runs.shape[1:] != x.shape:
        raise ValueError(f"expected runs of shape (n_runs, {len(x)}), received {runs.shape}; use one row a run")
    means = runs.mean(axis=0)
    (line,) = axes.plot(x, means, color=colour(hue), marker=marker, linestyle=dashes)
    axes.fill_between(x, runs.min(axis=0), runs.max(axis=0), color=colour(hue), alpha=0.2, linewidth=0)
    if name:
        axes.annotate(name, (x[at], means[at]), shift, textcoords="offset points", color=colour(hue), va="center")
    return line


def level(axes, height, name, hue="muted", *, dashes=":", at=1.0, shift=(0, 4)):
    """Draw a level to compare with, such as a baseline, as a line over the whole width that bears its name.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    height : float
        Where the line goes.
    name : str
        Stands above it.
    hue, dashes : str, optional
        As in `band`.
    at : float, optional
        Where the name ends, from 0 (left) to 1 (right).
    shift : (float, float), optional
        In points; with a negative second number the name stands below the line.

    Returns
    -------
    matplotlib.lines.Line2D

    Examples
    --------
    >>> _, axes = plt.subplots()
    >>> level(axes, 0.5, "most popular").get_ydata()
    [0.5, 0.5]
    >>> plt.close()
    """
    line = axes.axhline(height, color=colour(hue), linestyle=dashes, linewidth=1.5)
    axes.annotate(
        name,
        (at, height),
        shift,
        xycoords=axes.get_yaxis_transform(),
        textcoords="offset points",
        color=colour(hue),
        ha="right" if at > 0.5 else "left",
        va="bottom" if shift[1] >= 0 else "top",
    )
    return line


def ticks(axis, values, labels=None):
    """Put ticks at some values and nowhere else, also on a logarithmic scale.

    Parameters
    ----------
    axis : matplotlib.axis.Axis
        ``axes.xaxis`` or ``axes.yaxis``.
    values : sequence of float
        Where.
    labels : sequence of str or str, optional
        What stands there, or a format such as ``"{:.0%}"``; the numbers as they are if left out.

    Examples
    --------
    >>> _, axes = plt.subplots()
    >>> ticks(axes.xaxis, [8, 64], "{} factors")
    >>> [label.get_text() for label in axes.get_xticklabels()]
    ['8 factors', '64 factors']
    >>> plt.close()
    """
    if labels is None or isinstance(labels, str):
        labels = [(labels or "{}").format(value) for value in values]
    axis.set_ticks(values, labels)
    axis.set_minor_locator(NullLocator())


def themed_svg(source, alt):
    """Turn an SVG document of matplotlib's into an element that stands in a page and follows its theme.

    Parameters
    ----------
    source : str
        The SVG document.
    alt : str
        What a reader who does not see the figure needs.

    Returns
    -------
    str
        One ``<svg>`` element, with the CSS variables ``--book-…`` for the colours of `PALETTE`. Its ids are made
        unique by a hash of the source, since several figures may share a page.
    """
    # What matplotlib asks of all elements would hold for the whole page: it moves to the drawing itself.
    svg = re.sub(r"<(metadata|style)\b.*?</\1>", "", source[source.index("<svg") :], flags=re.DOTALL)
    for name, (light, _) in PALETTE.items():
        svg = re.sub(rf"{light}(?![0-9a-f])", f"var(--book-{name})", svg, flags=re.IGNORECASE)
    mark = "f" + hashlib.sha256(source.encode()).hexdigest()[:8]
    svg = re.sub(r'\bid="', f'id="{mark}', svg)
    svg = re.sub(r'(href="#|url\(#)', rf"\g<1>{mark}", svg)
    width = re.search(r'<svg[^>]*?\bwidth="([\d.]+)pt"', svg)
    size = f"width:{float(width[1]) * 4 / 3:.0f}px;" if width else ""
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    style = f"{size}stroke-linejoin:round;stroke-linecap:butt"
    head = f'<svg class="book-figure" role="img" aria-label="{html.escape(alt)}" style="{style}"'
    return re.sub(r"\s*\n\s*", "\n", svg.replace("<svg", head, 1)).strip()


def draw_svg(figure, alt):
    """Draw a figure as an element for a page, in the book's style, and close it.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure.
    alt : str
        What a reader who does not see it needs.

    Returns
    -------
    str
        As `themed_svg`.
    """
    document = io.StringIO()
    figure.savefig(document, format="svg", metadata={"Date": None})
    plt.close(figure)
    return themed_svg(document.getvalue(), alt)
