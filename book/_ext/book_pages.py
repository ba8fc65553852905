"""Repairs to the theme's pages, each for a defect that a reader or a browser met."""

import re
from html import unescape

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


DESCRIPTION = "A book that runs: what is kept and what is lost when vectors of films and people are added and compared."


def first_words(body, n_characters=200):
    """Return the beginning of a page's first paragraph, for those who see a link to it.

    Examples
    --------
    >>> first_words('<p class="book-kicker">Chapter 1</p><p>One <em>two</em> &amp; three four.</p>', 13)
    'One two & …'
    """
    for match in re.finditer(r"<p\b([^>]*)>(.*?)</p>", body, flags=re.DOTALL):
        text = " ".join(unescape(re.sub(r"<[^>]+>", "", match[2])).split())
        if text and "class=" not in match[1] and "\\(" not in text:
            return text if len(text) <= n_characters else text[: n_characters - 1].rsplit(" ", 1)[0] + " …"
    return ""


def describe(app, pagename, templatename, context, doctree):
    """Give the template ``layout.html`` a description of the page."""
    context["book_description"] = first_words(context.get("body") or "") or DESCRIPTION


def drop_mathjax(app, pagename, templatename, context, doctree):
    """Leave MathJax out where there is no formula: it is four fifths of what a page loads."""
    if 'class="math' not in (context.get("body") or ""):
        context["script_files"][:] = [s for s in context["script_files"] if "mathjax" not in describe_script(s).lower()]


def describe_script(script):
    """Return where a script comes from and what it says."""
    attributes = getattr(script, "attributes", None) or {}
    return f"{getattr(script, 'filename', '') or ''} {attributes.get('body') or ''}"


def place_of_book(app, pagename, templatename, context, doctree):
    """Tell the template ``404.html``, which is served at any address, where the book begins."""
    if pagename == "404":
        name = app.config.book_repository.partition("/")[2]
        context["book_root"] = f"/{name}/" if name and not name.endswith(".github.io") else "/"


def set_theme_early(app, pagename, templatename, context, doctree):
    """Put the script into the head, before any style is applied."""
    context["metatags"] = context.get("metatags", "") + EARLY_THEME


def setup(app):
    """Register with Sphinx."""
    app.connect("html-page-context", set_theme_early)
    app.connect("html-page-context", tidy_body)
    app.connect("html-page-context", describe, priority=900)
    app.connect("html-page-context", place_of_book)
    app.connect("html-page-context", tidy_scripts, priority=900)
    app.connect("html-page-context", drop_mathjax, priority=910)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
