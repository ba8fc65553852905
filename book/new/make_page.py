"""Build one chapter alone and run what tests it: `make page SLUG=als`, for the time in which you write it.

The page stands in ``_build/page``. Links to other pages lead nowhere there, so warnings about them do not count; all
others fail, as in the whole book.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent

#: What Sphinx says of a link to a page that is not built here.
OF_OTHER_PAGES = (
    "reference target not found",
    "cross-reference target not found",
    "undefined label",
    "unknown document",
    "Unknown source document",
    "term not in glossary",
    "could not find",
    "non-existing",
    "key not found",
    "Failed to resolve",
    "nonexisting document",
)


def build(slug, root=ROOT):
    """Build one page.

    Parameters
    ----------
    slug : str
        The chapter.
    root : Path, optional
        The repository.

    Returns
    -------
    Path
        The folder of the built HTML.

    Raises
    ------
    FileNotFoundError
        If there is no such chapter.
    RuntimeError
        If a cell fails, or Sphinx warns of anything but what other pages would hold.
    """
    if not (root / "chapters" / f"{slug}.md").is_file():
        chapters = ", ".join(sorted(path.stem for path in (root / "chapters").glob("*.md")))
        raise FileNotFoundError(
            f"expected a chapter among {chapters}, received {slug!r}; `make new SLUG={slug}` begins it"
        )
    target = root / "_build" / "page"
    with tempfile.TemporaryDirectory() as folder:
        toc = Path(folder) / "toc.yml"
        toc.write_text(f"format: jb-book\nroot: chapters/{slug}\n", encoding="utf-8")
        process = subprocess.run(
            [BIN / "jupyter-book", "build", root, "--toc", toc, "--path-output", target, "-n", "-q"],
            cwd=root,
            env={**os.environ, "PYTHONPATH": str(root)},
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    said = [line for line in process.stderr.splitlines() if "WARNING" in line or "ERROR" in line]
    wrong = [line for line in said if not any(words in line for words in OF_OTHER_PAGES)]
    if process.returncode or wrong:
        raise RuntimeError("\n".join(wrong) or process.stderr)
    return target / "_build" / "html"


def own_tests(slug, root=ROOT):
    """Return the arguments of pytest for what tests one chapter, as far as it is there."""
    own = [f"tests/test_{slug}.py", f"tests/widgets/test_{slug}_widget.py", f"tests/browser/test_{slug}_widget.py"]
    return [name for name in own if (root / name).is_file()]


def main():
    """Build the page that the command line names, and test it."""
    slug = sys.argv[1]
    try:
        html = build(slug)
    except (FileNotFoundError, RuntimeError) as error:
        sys.exit(f"make page: {error}")
    environment = {**os.environ, "BOOK_HTML": str(html), "PYTHONPATH": str(ROOT)}
    pytest = [sys.executable, "-m", "pytest", "-q", "-m", "not slow"]
    shared = ["tests/browser/test_pages.py", "tests/browser/test_widgets.py", "-k", f"chapters/{slug}.html"]
    codes = [subprocess.call([*pytest, *args], cwd=ROOT, env=environment) for args in (own_tests(slug), shared) if args]
    print(f"Open {html / 'chapters' / f'{slug}.html'}")
    sys.exit(max(codes))


if __name__ == "__main__":
    main()
