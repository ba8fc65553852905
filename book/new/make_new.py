"""Begin a chapter: `make new SLUG=toy` writes a page, a widget and their tests, and lists them.

The templates stand in ``templates/`` and are a chapter of their own, "toy". A test builds it, so they cannot rot.
"""

import argparse
import keyword
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = Path(__file__).parent / "templates"

#: Template → where it goes.
PLACES = {
    "toy.md": "chapters/{slug}.md",
    "toy.svg": "book/pictures/{slug}.svg",
    "toy.py": "utils/widgets/{slug}.py",
    "toy.mjs": "utils/widgets/{slug}.mjs",
    "test_toy_widget.py": "tests/widgets/test_{slug}_widget.py",
    "test_toy_browser.py": "tests/browser/test_{slug}_widget.py",
}


def class_name(slug):
    """Return the name of a slug's widget class: "two_tower" → "TwoTower"."""
    return "".join(part.capitalize() for part in slug.split("_"))


def add_to_contents(toc, slug, part):
    """Return a table of contents with the chapter at the end of a part.

    Parameters
    ----------
    toc : str
        The text of ``_toc.yml``.
    slug, part : str
        The chapter, and the caption that its part has there.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If there is no part of that name.
    """
    captions = re.findall(r"^  - caption: (.+)$", toc, flags=re.MULTILINE)
    if part not in captions:
        raise ValueError(f"expected a part among {', '.join(captions)}, received {part!r}; say PART=… or add it first")
    before, caption, after = toc.partition(f"  - caption: {part}\n")
    own, following, rest = after.partition("  - caption: ")
    return f"{before}{caption}{own.rstrip()}\n      - file: chapters/{slug}\n{following}{rest}"


def add_to_widgets(init, slug):
    """Return the text of ``utils/widgets/__init__.py`` with the new class in it; `ruff` sorts the imports.

    Parameters
    ----------
    init, slug : str
        The text as it is, and the chapter.

    Returns
    -------
    str
    """
    name = class_name(slug)
    init = init.replace("\n\n__all__ = [\n", f"\nfrom utils.widgets.{slug} import {name}\n\n__all__ = [\n")
    return init.replace("__all__ = [\n", f'__all__ = [\n    "{name}",\n')


def make_new(slug, part, root=ROOT):
    """Write the files of a new chapter.

    Parameters
    ----------
    slug : str
        File name of the chapter: small letters, digits and underscores.
    part : str
        Caption of a part in ``_toc.yml``.
    root : Path, optional
        The repository.

    Returns
    -------
    list of Path
        What was written or changed. If anything is wrong, nothing is.

    Raises
    ------
    ValueError
        If the slug cannot be a name of a module, or there is no such part.
    FileExistsError
        If one of the files is there already.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", slug) or keyword.iskeyword(slug):
        raise ValueError(f"expected a slug of small letters, digits and _, received {slug!r}; try 'two_tower'")
    targets = {template: root / place.format(slug=slug) for template, place in PLACES.items()}
    taken = [str(path.relative_to(root)) for path in targets.values() if path.exists()]
    if taken:
        raise FileExistsError(
            f"expected a new chapter, received {slug!r}, which has {', '.join(taken)}; choose another"
        )
    texts = {}
    for template, path in targets.items():
        text = (TEMPLATES / template).read_text(encoding="utf-8")
        texts[path] = re.sub(r"\bToy\b", class_name(slug), re.sub(r"(?<![a-z])toy(?![a-z])", slug, text))
    toc, init = root / "_toc.yml", root / "utils" / "widgets" / "__init__.py"
    texts[toc] = add_to_contents(toc.read_text(encoding="utf-8"), slug, part)
    texts[init] = add_to_widgets(init.read_text(encoding="utf-8"), slug)
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
    return list(texts)


def main():
    """Read the command line, write, and say what comes next."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("slug")
    parser.add_argument("--part", default="Using vectors", help="caption of a part in _toc.yml")
    options = parser.parse_args()
    try:
        written = make_new(options.slug, options.part)
    except (ValueError, FileExistsError) as error:
        sys.exit(f"make new: {error}")
    print("\n".join(f"wrote {path.relative_to(ROOT)}" for path in written))
    print(f"Now `make page SLUG={options.slug}` builds and tests it alone. CONTRIBUTING.md says what belongs where.")


if __name__ == "__main__":
    main()
