"""Icons: the few that the book shows, drawn here, in place of the theme's script with two thousand.

The theme names its icons by Font Awesome's classes (``fa-solid fa-bars``), and would let a script of 1.5 MB
put pictures in their place. The book leaves that script out (``_templates/static/webpack-macros.html``) and publishes a
style sheet instead, in which each name is a small mask, filled with the colour of the text. An icon that a later theme
adds has to be drawn here first: a test looks for all that the built pages name.
"""

from pathlib import Path
from urllib.parse import quote

#: Name after ``fa-`` → what is drawn on a square of 24 × 24, in lines of width 2.
ICONS = {
    "angle-left": '<path d="M15 5l-7 7 7 7"/>',
    "angle-right": '<path d="M9 5l7 7-7 7"/>',
    "arrow-up": '<path d="M12 20V4M5 11l7-7 7 7"/>',
    "bars": '<path d="M3 6h18M3 12h18M3 18h18"/>',
    "chevron-down": '<path d="M5 9l7 7 7-7"/>',
    "circle-half-stroke": '<circle cx="12" cy="12" r="9"/><path d="M12 3a9 9 0 0 0 0 18z" fill="#000"/>',
    "code": '<path d="M8 6l-6 6 6 6M16 6l6 6-6 6"/>',
    "download": '<path d="M12 3v12M6 10l6 6 6-6M4 21h16"/>',
    "list": '<path d="M9 6h12M9 12h12M9 18h12M4 6h0M4 12h0M4 18h0"/>',
    "magnifying-glass": '<circle cx="10.5" cy="10.5" r="7"/><path d="M15.5 15.5L21 21"/>',
    "moon": '<path d="M20 14.5A8.5 8.5 0 1 1 9.5 4 7 7 0 0 0 20 14.5z"/>',
    "pencil": '<path d="M4 20l1-5L16 4l4 4L9 19zM13 7l4 4"/>',
    "rocket": '<path d="M9 15l-2-2c1-5 5-10 13-10 0 8-5 12-10 13zM9 15l1 5 4-5M7 13l-5-1 5-3M4 20l2-2"/>',
    "sun": '<circle cx="12" cy="12" r="4"/><path d="M12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6L19 19'
    'M5 19l1.4-1.4M17.6 6.4L19 5"/>',
}

RULES = """\
.fa-solid, .fas { display: inline-block; width: 1em; height: 1em; vertical-align: -.125em; background: currentColor;
  -webkit-mask: var(--book-icon) center / contain no-repeat; mask: var(--book-icon) center / contain no-repeat; }
.fa-lg { font-size: 1.2em; line-height: 1; vertical-align: -.175em; }
.article-header-buttons { align-items: center; }
@media (forced-colors: active) { .fa-solid, .fas { forced-color-adjust: none; background: ButtonText; } }
"""


def style_sheet():
    """Return the style sheet."""
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="#000" stroke-width="2" '
        'stroke-linecap="round" stroke-linejoin="round">{}</svg>'
    )
    masks = (
        f'.fa-{name} {{ --book-icon: url("data:image/svg+xml,{quote(svg.format(drawing))}"); }}\n'
        for name, drawing in ICONS.items()
    )
    return RULES + "".join(masks)


def write_style_sheet(app):
    """Put it among the static files before Sphinx computes their checksums."""
    if app.builder.format == "html":
        static = Path(app.outdir) / "_static"
        static.mkdir(parents=True, exist_ok=True)
        (static / "book-icons.css").write_text(style_sheet(), encoding="utf-8")
        app.add_css_file("book-icons.css", priority=600)


def remove_script(app, exception):
    """Remove the theme's script, which it copies all the same."""
    if exception is None and app.builder.format == "html":
        for file in (Path(app.outdir) / "_static/scripts").glob("fontawesome.js*"):
            file.unlink()


def setup(app):
    """Register with Sphinx, after every other extension has written its files."""
    app.connect("builder-inited", write_style_sheet)
    app.connect("build-finished", remove_script, priority=900)
    return {"version": "2", "parallel_read_safe": True, "parallel_write_safe": True}
