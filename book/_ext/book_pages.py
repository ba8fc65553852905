"""Repairs to the theme's pages, each for a defect that a reader or a browser met."""

DROPPED_SCRIPTS = (
    "THEBE_JS_URL",  # sphinx-thebe declares it on every page, twice, and names a foreign host
    "sphinx-thebe.js",  # starts nothing: kernels are reached through the launch buttons
)

# The theme learns light or dark from a script at the end of the page. Until then a reader who prefers dark would see a
# light page. This says it first, in the theme's own terms.
EARLY_THEME = """<script>
(() => {
  let mode = "auto";
  try { mode = localStorage.getItem("mode") || mode; } catch { /* no storage: as the system prefers */ }
  const dark = mode === "dark" || (mode === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.mode = mode;
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
</script>"""

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


def set_theme_early(app, pagename, templatename, context, doctree):
    """Put the script into the head, before any style is applied."""
    context["metatags"] = context.get("metatags", "") + EARLY_THEME


def setup(app):
    """Register with Sphinx."""
    app.connect("html-page-context", set_theme_early)
    app.connect("html-page-context", tidy_body)
    app.connect("html-page-context", tidy_scripts, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
