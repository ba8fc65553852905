"""Icons: of the two thousand that the theme's script draws, publish those that the book shows.

Font Awesome's script was 542 of the 1300 kB that a chapter loaded; with the icons in use it is a fifteenth of that.
"""

import re
from pathlib import Path

import pydata_sphinx_theme

FULL_SCRIPT = Path(pydata_sphinx_theme.__file__).parent / "theme/pydata_sphinx_theme/static/scripts/fontawesome.js"
# One icon of a table in the script: name:[width,height,[aliases],"code point","path" or ["path","path"]],
ICON = re.compile(
    r'"?(?P<name>[a-z0-9-]+)"?:\[\d+,\d+,\[(?P<aliases>[^\]]*)\],"[0-9a-f]+",(?:"[^"]*"|\[[^\]]*\])\](?P<comma>,?)'
)
USED = re.compile(r"\bfa-([a-z0-9-]+)")


def used_names(folder):
    """Names after `fa-` in the pages and scripts of a built book, Font Awesome's own script left out."""
    files = [*folder.rglob("*.html"), *folder.glob("_static/**/*.js")]
    return {
        name
        for file in files
        if file.name != FULL_SCRIPT.name
        for name in USED.findall(file.read_text(encoding="utf-8", errors="ignore"))
    }


def keep_icons(script, names):
    """Drop every icon from the script whose name and aliases are not among `names`.

    A name in `names` that is no icon (`fa-solid`, `fa-lg`) does no harm. A script in which no icon is recognised, as
    a later Font Awesome may be, is an error: the pattern above needs a look.
    """
    if not ICON.search(script):
        raise ValueError("No icon was recognised in the theme's Font Awesome script; see ICON in book_icons.py.")

    def keep(icon):
        known_as = {icon["name"], *re.findall(r'"([^"]+)"', icon["aliases"])}
        return icon[0] if known_as & names else ""

    slimmed = ICON.sub(keep, script)
    return re.sub(r",(\}\s*;)", r"\1", slimmed)  # the last icon of a table has no comma, the last that stays has


def publish_used_icons(app, exception):
    """Rewrite the script in the built book, from the theme's own copy."""
    if exception is None and app.builder.format == "html" and (app.outdir / "_static/scripts").is_dir():
        built = Path(app.outdir) / "_static/scripts" / FULL_SCRIPT.name
        slimmed = keep_icons(FULL_SCRIPT.read_text(encoding="utf-8"), used_names(Path(app.outdir)))
        built.write_text(re.sub(r"//# sourceMappingURL=\S+\s*$", "", slimmed), encoding="utf-8")
        built.with_name(built.name + ".map").unlink(missing_ok=True)  # it maps the script as it was


def setup(app):
    """Register with Sphinx, after every other extension has written its files."""
    app.connect("build-finished", publish_used_icons, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
