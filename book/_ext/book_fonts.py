"""The book's own letters, so that its pages look alike on every machine and a line has the length that it should have.

Source Sans comes from a pinned package and is cut down to the characters in `CHARACTERS`, below 20 kB a style. The
letters stand in the style sheet itself: browsers that open a book from a disk may refuse font files there, and no text
is set twice while they arrive. The name is ours, since the licence (SIL OFL 1.1, published beside the style sheet)
keeps "Source" for the unmodified font.
"""

import base64
import io
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

from utils.book.plotting import font_file

FAMILY = "Book Sans"

#: What the book's prose is written with: Latin with its accents, Greek, punctuation, arrows, signs of calculation.
CHARACTERS = [
    *range(0x20, 0x7F),
    *range(0xA0, 0x180),
    *range(0x391, 0x3CA),
    *range(0x2010, 0x2030),
    *range(0x2070, 0x20A0),
    *map(ord, "‰′″€ℓ←↑→↓↔∂∆∇∈∏∑−√∝∞∥∩∫≈≠≡≤≥⋅▸▾●■…"),
]

#: Style in `font_file` → weights and slope in CSS.
STYLES = {"regular": "300 500", "italic": "300 500", "semibold": "501 900"}


def cut_down(path, characters=CHARACTERS):
    """Return a font with some characters only, compressed for browsers and under our name.

    Parameters
    ----------
    path : path-like
        A TrueType font.
    characters : iterable of int
        Code points; those that the font has not are left out.

    Returns
    -------
    bytes
        WOFF2.
    """
    options = subset.Options(
        flavor="woff2", hinting=False, layout_features=["kern", "liga", "mark", "tnum", "lnum"], name_IDs=[0, 13, 14]
    )
    font = subset.load_font(path, options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=characters)
    subsetter.subset(font)
    for name_id in (1, 4, 6):
        font["name"].setName(FAMILY.replace(" ", "") if name_id == 6 else FAMILY, name_id, 3, 1, 0x409)
    buffer = io.BytesIO()
    font.flavor = "woff2"
    font["head"].modified = font["head"].created  # the same bytes in every build
    font.recalcTimestamp = False
    font.save(buffer)
    font.close()
    return buffer.getvalue()


def covered(path):
    """Return the code points for which a font has a glyph."""
    with TTFont(path) as font:
        return set(font.getBestCmap())


def style_sheet():
    """Return the style sheet that holds the fonts."""
    faces = []
    for style, weights in STYLES.items():
        data = base64.b64encode(cut_down(font_file(style))).decode()
        slope = "italic" if style == "italic" else "normal"
        faces.append(
            f'@font-face{{font-family:"{FAMILY}";font-style:{slope};font-weight:{weights};'
            f'src:url("data:font/woff2;base64,{data}") format("woff2")}}\n'
        )
    return "".join(faces)


def write_fonts(app):
    """Put the style sheet and the licence among the static files before Sphinx computes their checksums."""
    if app.builder.format == "html":
        static = Path(app.outdir) / "_static"
        static.mkdir(parents=True, exist_ok=True)
        if not (static / "book-fonts.css").is_file():  # what it is made of is pinned
            (static / "book-fonts.css").write_text(style_sheet(), encoding="ascii")
        licence = Path(font_file("regular")).with_name("LICENSE.txt").read_text(encoding="utf-8")
        (static / "book-fonts-licence.txt").write_text(licence, encoding="utf-8")
        app.add_css_file("book-fonts.css", priority=300)


def setup(app):
    """Register with Sphinx."""
    app.connect("builder-inited", write_fonts)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
