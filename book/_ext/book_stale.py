"""Take pages out of the built book that an earlier build left and this one does not have.

Sphinx writes pages and never deletes one. After a chapter or a module was renamed, the old page would stay, be found
by a search engine, and be tested.
"""

from pathlib import Path

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


def setup(app):
    """Register with Sphinx."""
    app.connect("build-finished", remove_stale_pages)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
