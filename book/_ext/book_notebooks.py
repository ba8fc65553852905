"""A notebook of every page with cells, for download and for Colab, served by the book next to the page's source.

The sources are MyST Markdown, and notebook programs show plain Markdown. So directives and roles are translated, and
the numbers that the build glued into the prose stand there as numbers. Where the repository's address is known
(``book_launch``), a first cell installs the book's package if it is missing.
"""

import json
import posixpath
import re
from pathlib import Path

import jupytext
import nbformat
from myst_nb.core.variables import format_plain_text

INSTALL = """\
# On Colab, or wherever the book's package is missing. It takes a minute or two.
from importlib.metadata import PackageNotFoundError, version

try:
    version("embeddings-for-recommender-systems")
except PackageNotFoundError:
    !git clone --quiet --depth 1 --branch {branch} https://github.com/{repository}.git book
    %cd book
    %pip install --quiet --editable .
"""

FENCE = re.compile(r"(?P<mark>`{3,}|:{3,})(?:\{(?P<name>[\w:-]+)\})?(?P<argument>.*)")
OPTION = re.compile(r":(?P<name>[\w-]+): *(?P<value>.*)")
ROLE = re.compile(r"\{(?P<name>[\w:]+)\}`(?P<content>[^`]+)`")
TARGET = re.compile(r"\([\w-]+\)=")
PAGE_LINK = re.compile(r"\]\((?![a-z]+:|#)(?P<path>[^)#]+\.md)(?P<anchor>#[^)]*)?\)")
CODE_ROLES = {"func", "class", "mod", "meth", "kbd"}


def number_equations(text):
    """Return the number of each labelled equation of a page, in reading order, as a dict."""
    labels = re.findall(r"^:label: *(\S+)", text, flags=re.M)
    return {label: number for number, label in enumerate(labels, start=1)}


def translate_role(name, content, glued, equations):
    """Return what a reader without MyST sees of one role."""
    if name == "glue:text":
        return glued(content)
    if name == "math":
        return f"${content}$"
    if name == "eq":
        return f"({equations.get(content, content)})"
    if name.startswith("cite"):
        return f"[{content}]"
    text = re.sub(r" *<[^>]*>$", "", content)  # "title <target>"
    return f"`{text.lstrip('~')}`" if name.rpartition(":")[2] in CODE_ROLES else text


def translate_directive(name, argument, options, body, equations):
    """Return the lines that stand for one directive; its body has been translated."""
    if name == "math":
        number = equations.get(options.get("label"))
        return ["$$", *([rf"\tag{{{number}}}"] if number else []), *body, "$$"]
    if name == "dropdown":
        return ["<details>", f"<summary>{argument}</summary>", "", *body, "", "</details>", ""]
    if name == "grid":  # its argument is a number of columns
        return body
    if name in {"code", "code-block"}:
        return [f"```{argument}", *body, "```"]
    return [f"> {line}".rstrip() for line in (f"**{argument or name.capitalize()}**", "", *body)]


def translate(text, glued, equations):
    r"""Turn MyST Markdown into what notebook programs show.

    Parameters
    ----------
    text : str
        A Markdown cell.
    glued : callable
        What stands in a ``glue:text`` role, such as ``share:.0%`` → the text of its value.
    equations : dict
        Label of an equation → its number on the page.

    Returns
    -------
    str
        Plain Markdown. An admonition becomes a quotation, a dropdown a ``<details>`` element, a formula stands between
        dollars, a term is its text. Code that is only shown stays as it is.

    Examples
    --------
    >>> print(translate("```{tip} Look\nAt {term}`length`.\n```", str, {}))
    > **Look**
    >
    > At length.
    """
    result, lines = [], iter(text.split("\n"))
    for line in lines:
        fence = FENCE.fullmatch(line)
        if TARGET.fullmatch(line):
            continue
        if not fence:
            result.append(ROLE.sub(lambda role: translate_role(role[1], role[2], glued, equations), line))
            continue
        body, options = [], {}
        for inner in lines:
            if inner.strip() == fence["mark"]:
                break
            body.append(inner)
        if not fence["name"]:
            result += [line, *body, fence["mark"]]
            continue
        while body and (option := OPTION.fullmatch(body[0])):
            options[option["name"]] = option["value"]
            del body[0]
        if fence["name"] not in {"math", "code", "code-block"}:
            body = translate("\n".join(body), glued, equations).split("\n")
        result += translate_directive(fence["name"], fence["argument"].strip(), options, body, equations)
    return "\n".join(result)


def glue_reader(folder, docname):
    """Return a function from what stands in a ``glue:text`` role of a page to the text of its value.

    Parameters
    ----------
    folder : Path
        Where MyST-NB has put ``<docname>.glue.json``.
    docname : str
        The page.
    """

    def read(content):
        page, _, key = content.rpartition("::")
        key, _, spec = key.partition(":")
        # Another page is named by its path from this one.
        path = posixpath.normpath(posixpath.join(posixpath.dirname(docname), page)) if page else f"{docname}.md"
        values = json.loads((folder / path).with_suffix(".glue.json").read_text(encoding="utf-8"))
        return format_plain_text(values[key]["data"]["text/plain"], spec)

    return read


def make_notebook(source, docname, glued, repository="", branch="main"):
    """Make the notebook of a page.

    Parameters
    ----------
    source : str
        The page's MyST Markdown.
    docname : str
        The page's name, such as ``chapters/als``.
    glued : callable
        As for `translate`.
    repository : str, optional
        ``owner/name`` on GitHub, for the cell that installs, and for links to other pages. Without it there is
        neither.
    branch : str, optional
        The branch that the book was built from.

    Returns
    -------
    nbformat.NotebookNode
        With the page's cells and without outputs: the widgets need a kernel to live.
    """
    notebook = jupytext.reads(source, fmt="md:myst")
    equations = number_equations(source)
    pages = f"https://github.com/{repository}/blob/{branch}/"

    def link(match):
        path = posixpath.normpath(posixpath.join(posixpath.dirname(docname), match["path"]))
        return f"]({pages}{path})" if repository else match[0]

    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = PAGE_LINK.sub(link, translate(cell.source, glued, equations))
    if repository:
        install = INSTALL.format(repository=repository, branch=branch).rstrip()
        notebook.cells.insert(0, nbformat.v4.new_code_cell(install, id="install", metadata={"tags": ["install"]}))
    notebook.metadata = {"kernelspec": notebook.metadata["kernelspec"], "language_info": {"name": "python"}}
    return notebook


def write_notebooks(app, exception):
    """Write all notebooks beside the sources that the theme's pages link to."""
    if exception or app.builder.format != "html":
        return
    executed = Path(app.outdir).parent / "jupyter_execute"
    for docname in app.env.found_docs:
        if "kernelspec" in app.env.metadata[docname]:
            source = Path(app.env.doc2path(docname)).read_text(encoding="utf-8")
            glued = glue_reader(executed, docname)
            notebook = make_notebook(source, docname, glued, app.config.book_repository, app.config.book_branch)
            path = Path(app.outdir) / "_sources" / f"{docname}.ipynb"
            path.parent.mkdir(parents=True, exist_ok=True)
            nbformat.write(notebook, path)


def setup(app):
    """Register with Sphinx."""
    app.connect("build-finished", write_notebooks)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
