"""Repairs to the theme's pages, each for a defect that a reader or a browser met."""

DROPPED_SCRIPTS = (
    "THEBE_JS_URL",  # sphinx-thebe declares it on every page, twice, and names a foreign host
    "sphinx-thebe.js",  # starts nothing: kernels are reached through the launch buttons
)

REPLACED_IN_BODY = {
    'role="doc-biblioentry"': 'role="listitem"',  # deprecated, and not allowed in the list that docutils puts it in
}


def tidy_scripts(app, pagename, templatename, context, doctree):
    """Leave out sphinx-thebe, and every inline script that Sphinx 7.4 lists a second time."""
    seen, kept = set(), []
    for script in context.get("script_files", []):
        body = (getattr(script, "attributes", None) or {}).get("body") or ""
        name = str(getattr(script, "filename", "") or "")
        if any(word in body or name.endswith(word) for word in DROPPED_SCRIPTS) or (body and body in seen):
            continue
        seen.add(body)
        kept.append(script)
    context["script_files"][:] = kept


def tidy_body(app, pagename, templatename, context, doctree):
    """Mend what docutils and extensions write into the text of a page."""
    for wrong, right in REPLACED_IN_BODY.items():
        context["body"] = context.get("body", "").replace(wrong, right)


def setup(app):
    """Register with Sphinx."""
    app.connect("html-page-context", tidy_body)
    app.connect("html-page-context", tidy_scripts, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
