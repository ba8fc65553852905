"""Take pages out of the built book that an earlier build left and this one does not have.

Sphinx writes pages and never deletes one. After a chapter or a module was renamed, the old page would stay, be found
by a search engine, and be tested.

Nor does the viewer of source code write a listing again unless the module has changed. With another configuration, or
when a page to which it links is gone, a listing is out of date all the same.
"""

import re
from pathlib import Path

from sphinx.environment import CONFIG_OK

#: Pages that are no documents: templates write them, and the viewer of source code does.
MADE_BY_SPHINX = {"genindex", "py-modindex", "search", "index", "404"}


def stale_pages(folder, documents, modules):
    """Return the pages in a built book that belong to nothing any more.

    Parameters
    ----------
    folder : Path
        The built HTML.
    documents : set of str
        Names of the documents, such as ``"chapters/als"``.
    modules : set of str
        Names of the modules whose source is shown, such as ``"utils.als"``.

    Returns
    -------
    list of Path
        Sorted.
    """
    sources = {f"_modules/{module.replace('.', '/')}" for module in modules} | {"_modules/index"}
    known = documents | sources | MADE_BY_SPHINX
    pages = {path.relative_to(folder).with_suffix("").as_posix(): path for path in folder.rglob("*.html")}
    return sorted(path for name, path in pages.items() if name not in known and not name.startswith("_static/"))


def remove_stale_pages(app, exception):
    """Delete them after a build that succeeded."""
    if exception is None and app.builder.format == "html":
        modules = {name for name, shown in getattr(app.env, "_viewcode_modules", {}).items() if shown}
        for page in stale_pages(Path(app.outdir), set(app.env.found_docs), modules):
            page.unlink()


def leads_astray(html, documents):
    """Say whether a listing links to a page of documentation that is not in the book.

    Examples
    --------
    >>> link = '<a class="viewcode-back" href="../../book/api/als.html#utils.als.ALSModel">[docs]</a>'
    >>> leads_astray(link, {"book/api/als"}), leads_astray(link, {"book/api"})
    (False, True)
    """
    links = re.findall(r'class="viewcode-back" href="(?:\.\./)*([^"#]+)\.html', html)
    return not documents.issuperset(links)


def remove_listings(app, env):
    """Delete the listings that are to be written again."""
    if app.builder.format == "html":
        for page in (Path(app.outdir) / "_modules").rglob("*.html"):
            if env.config_status != CONFIG_OK or leads_astray(page.read_text(encoding="utf-8"), env.found_docs):
                page.unlink()


def setup(app):
    """Register with Sphinx."""
    app.connect("env-updated", remove_listings)
    app.connect("build-finished", remove_stale_pages)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
