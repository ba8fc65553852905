"""The reference of ``utils``: a page for each of its modules, and an index of them where ``{api-modules}`` stands.

A module joins by itself. Before Sphinx looks for pages, this extension writes a small one for each public module into
``book/api``, which is not in git; ``_toc.yml`` takes the whole folder. What a package offers under its own name, such
as ``utils.data.load_cinema``, stands on the package's page and nowhere else, since that is how it is imported.
"""

import importlib
import inspect
import pkgutil
import shutil
from pathlib import Path

from book_tables import link_to, table
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

import utils

FOLDER = "book/api"

PAGE = """\
---
generated: true
---
# {name}

```{{eval-rst}}
.. automodule:: {name}
   :members:
{options}```
"""

TITLES = {
    "utils": "The subject",
    "utils.data": "Data",
    "utils.widgets": "Widgets",
    "utils.book": "Pages of the book",
}


class api_modules(nodes.General, nodes.Element):
    """Stands where the index comes."""


class ModulesDirective(SphinxDirective):
    """``{api-modules}``: the modules of ``utils``, each with its first line."""

    def run(self):
        """Leave a mark, to be replaced once every page has been read."""
        return [api_modules()]


def own_members(module):
    """Return the names of the public functions and classes that are defined in a module, sorted."""
    return sorted(
        name
        for name, member in vars(module).items()
        if not name.startswith("_")
        and (inspect.isfunction(member) or inspect.isclass(member))
        and member.__module__ == module.__name__
    )


def exported(module):
    """Return the objects that a package offers under its own name and that its modules define, by name."""
    members = {name: getattr(module, name) for name in getattr(module, "__all__", ())}
    return {
        name: member
        for name, member in members.items()
        if getattr(member, "__module__", "").startswith(f"{module.__name__}.")
    }


def find_pages(package=utils):
    """Return the pages to write.

    Parameters
    ----------
    package : module, optional
        Whose modules, and theirs, get a page.

    Returns
    -------
    dict
        Name of a module → whether what it offers is defined in modules below it. A module is there if it defines
        something public, and if no package above it offers any of that as its own: then the rest is for the package.
    """
    names = [found.name for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    names = [name for name in names if not any(part.startswith("_") for part in name.split("."))]
    offered = {name: exported(importlib.import_module(name)) for name in names}
    taken = {member.__module__ for members in offered.values() for member in members.values()}
    return {
        name: bool(offered[name])
        for name in names
        if offered[name] or (name not in taken and own_members(importlib.import_module(name)))
    }


def render(name, is_package):
    """Return the source of one page.

    Examples
    --------
    >>> print(render("utils.data", True).partition("rst}")[2])
    <BLANKLINE>
    .. automodule:: utils.data
       :members:
       :imported-members:
    ```
    <BLANKLINE>
    """
    return PAGE.format(name=name, options="   :imported-members:\n" if is_package else "")


def write_pages(app, config):
    """Write what is new or has changed, and remove the sources of pages for modules that are no more.

    With them go the listings of all modules, which link to such pages, and which Sphinx would not write again.
    """
    folder = Path(app.srcdir) / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    sources = {f"{name}.md": render(name, is_package) for name, is_package in find_pages().items()}
    for stale in folder.glob("*.md"):
        if stale.name not in sources:
            stale.unlink()
            shutil.rmtree(Path(app.outdir) / "_modules", ignore_errors=True)
    for name, source in sources.items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != source:
            path.write_text(source, encoding="utf-8")
    config["book_api_pages"] = sorted(sources)  # another list writes all pages again: it stands in their sidebars


def first_line(name):
    """Return the summary of a module, the first line of its docstring, as docutils nodes."""
    summary = (importlib.import_module(name).__doc__ or "").strip().split("\n")[0]
    parts = summary.split("``")
    return [nodes.literal(text=part) if n % 2 else nodes.Text(part) for n, part in enumerate(parts)]


def fill(app, doctree, docname):
    """Put the index where the directive stood: a table for each package."""
    for mark in list(doctree.findall(api_modules)):
        groups = {}
        for name, is_package in find_pages().items():
            groups.setdefault(name if is_package else name.rpartition(".")[0], []).append(name)
        content = []
        for package, names in groups.items():
            rows = [
                ([link_to(app, docname, f"{FOLDER}/{name}", text=name)], first_line(name)) for name in sorted(names)
            ]
            content.append(nodes.rubric(text=TITLES.get(package, package)))
            content.append(table(("Module", "What it is for"), (35, 65), rows, classes=["book-api"]))
        mark.replace_self(content)


def setup(app):
    """Register with Sphinx."""
    app.add_config_value("book_api_pages", [], "html", [list])
    app.add_node(api_modules)
    app.add_directive("api-modules", ModulesDirective)
    app.connect("config-inited", write_pages, priority=100)  # before the table of contents looks for files
    app.connect("doctree-resolved", fill)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
