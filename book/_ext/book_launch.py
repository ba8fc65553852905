"""From a page to a running notebook, its source, and the place where it is edited: the buttons above each page.

The address of the repository is set in one place, the environment variable ``BOOK_REPOSITORY`` (``owner/name`` on
GitHub), when the book is published; ``BOOK_BRANCH`` is ``main`` unless it says otherwise. Without an address, the
buttons that need it are left out, and the downloads, which the book serves itself, stay.
"""

import os
import posixpath
import re
from urllib.parse import quote, urlencode

from sphinx.errors import ExtensionError

#: Where the publish workflow puts the notebooks, which are not in git otherwise. Colab opens no Markdown.
NOTEBOOK_BRANCH = "notebooks"


def read_address(app, config):
    """Take the repository's address from the environment.

    Raises
    ------
    ExtensionError
        If ``BOOK_REPOSITORY`` is not of the form ``owner/name``.
    """
    repository = os.environ.get("BOOK_REPOSITORY", "")
    if repository and not re.fullmatch(r"[\w.-]+/[\w.-]+", repository):
        raise ExtensionError(
            f"expected BOOK_REPOSITORY to be owner/name on GitHub, received {repository!r}; "
            "set it to something like reader/book, or unset it to leave out the buttons that need it"
        )
    config["book_repository"] = repository
    config["book_branch"] = os.environ.get("BOOK_BRANCH") or "main"


def launch_links(source, repository, branch):
    """Return where a page runs without an installation.

    Parameters
    ----------
    source : str
        The page's file, from the root of the repository, such as ``chapters/als.md``.
    repository : str
        ``owner/name`` on GitHub.
    branch : str
        The branch that the book was built from.

    Returns
    -------
    list of dict
        ``text`` and ``url`` of each place.

    Examples
    --------
    >>> for link in launch_links("chapters/als.md", "reader/book", "main"):
    ...     print(link["url"])
    https://mybinder.org/v2/gh/reader/book/main?urlpath=lab/tree/chapters/als.md
    https://colab.research.google.com/github/reader/book/blob/notebooks/chapters/als.ipynb
    """
    binder = f"https://mybinder.org/v2/gh/{repository}/{quote(branch, safe='')}?urlpath=lab/tree/{quote(source)}"
    notebook = quote(posixpath.splitext(source)[0] + ".ipynb")
    colab = f"https://colab.research.google.com/github/{repository}/blob/{NOTEBOOK_BRANCH}/{notebook}"
    return [{"text": "Run it on Binder", "url": binder}, {"text": "Run it on Colab", "url": colab}]


def repository_links(source, repository, branch):
    """Return where a page is edited and where its faults are reported.

    Parameters are those of `launch_links`.

    Returns
    -------
    list of dict
        ``text`` and ``url`` of each place.

    Examples
    --------
    >>> for link in repository_links("chapters/als.md", "reader/book", "main"):
    ...     print(link["url"])
    https://github.com/reader/book/edit/main/chapters/als.md
    https://github.com/reader/book/issues/new?title=chapters%2Fals.md%3A%20
    """
    home = f"https://github.com/{repository}"
    title = urlencode({"title": f"{source}: "}, quote_via=quote, safe="")
    return [
        {"text": "Edit this page", "url": f"{home}/edit/{quote(branch)}/{quote(source)}"},
        {"text": "Report a fault", "url": f"{home}/issues/new?{title}"},
    ]


def add_buttons(app, pagename, templatename, context, doctree):
    """List the buttons of one page for the template ``launch-buttons.html``."""
    context["book_buttons"] = groups = []
    if not context.get("sourcename") or "generated" in app.env.metadata[pagename]:
        return  # a page that Sphinx or an extension makes: nobody runs it, edits it or wants its source
    source = app.env.doc2path(pagename, base=False)
    has_cells = "kernelspec" in app.env.metadata[pagename]
    repository, branch = app.config.book_repository, app.config.book_branch

    if repository and has_cells:
        links = launch_links(source, repository, branch)
        groups.append({"title": "Run this page", "icon": "fa-rocket", "links": links})
    served = [{"text": "Source (.md)", "url": context["pathto"](f"_sources/{context['sourcename']}", 1)}]
    if has_cells:
        served.insert(0, {"text": "Notebook (.ipynb)", "url": context["pathto"](f"_sources/{pagename}.ipynb", 1)})
    for link in served:
        link["file"] = posixpath.basename(link["url"])
    groups.append({"title": "Download this page", "icon": "fa-download", "links": served})
    if repository:
        links = repository_links(source, repository, branch)
        groups.append({"title": "Improve this page", "icon": "fa-pencil", "links": links})


def setup(app):
    """Register with Sphinx."""
    app.add_config_value("book_repository", "", "html", [str])
    app.add_config_value("book_branch", "main", "html", [str])
    app.connect("config-inited", read_address)
    app.connect("html-page-context", add_buttons)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
