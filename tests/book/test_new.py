"""A new chapter: what `make new` writes, and that `make page` builds and tests it."""

import os
import shutil
import subprocess
import sys

import pytest

from book.new.make_new import PLACES, add_to_contents, class_name, make_new
from book.new.make_page import OF_OTHER_PAGES, build
from tests.built_book import ROOT

TOC = (
    "parts:\n  - caption: A\n    chapters:\n      - file: chapters/a\n  - caption: B\n    chapters:\n      - file: b\n"
)


@pytest.fixture
def repository(tmp_path):
    """What git would give to a newcomer."""
    files = subprocess.check_output(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, text=True
    )
    for name in files.splitlines():
        if (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_class_name_joins_the_words():
    assert class_name("two_tower") == "TwoTower"


@pytest.mark.parametrize(("part", "line"), [("A", 4), ("B", 7)])
def test_add_to_contents_puts_the_chapter_at_the_end_of_its_part(part, line):
    lines = TOC.splitlines()
    lines.insert(line, "      - file: chapters/new")
    assert add_to_contents(TOC, "new", part).split() == " ".join(lines).split()


def test_add_to_contents_refuses_an_unknown_part():
    with pytest.raises(ValueError, match="expected a part among A, B, received 'C'; say PART=… or add it first"):
        add_to_contents(TOC, "new", "C")


@pytest.mark.parametrize("slug", ["Two", "two-tower", "2towers", "", "class", "../evil", "two__tower"])
def test_make_new_refuses_what_is_no_slug(slug, tmp_path):
    with pytest.raises(ValueError, match="expected a slug of small letters, digits and _, received"):
        make_new(slug, "Using vectors", tmp_path)


def test_make_new_writes_a_chapter_that_fits_into_the_house(repository):
    written = make_new("two_tower", "From features", repository)
    assert {path.relative_to(repository).as_posix() for path in written} == {
        *(place.format(slug="two_tower") for place in PLACES.values()),
        *("_toc.yml", "utils/widgets/__init__.py"),
    }
    assert "toy" not in "".join(path.read_text("utf-8").lower() for path in written[: len(PLACES)])
    fixed = [sys.executable, "-m", "ruff", "check", "--quiet", "--fix", "utils/widgets"]
    assert subprocess.call(fixed, cwd=repository) == 0
    assert subprocess.call([sys.executable, "-m", "ruff", "check", "--quiet", "."], cwd=repository) == 0
    show = "from utils.widgets import TwoTower; print(TwoTower([1, 2]).describe())"
    environment = {**os.environ, "PYTHONPATH": str(repository)}
    said = subprocess.check_output([sys.executable, "-c", show], cwd=repository, env=environment, text=True)
    assert said == "Number 1 of 2 is 1.0.\n"


def test_make_new_writes_nothing_over_what_is_there(repository):
    before = {path: path.read_bytes() for path in repository.rglob("*") if path.is_file()}
    with pytest.raises(FileExistsError, match=r"received 'als', which has chapters/als\.md, .*; choose another"):
        make_new("als", "From a matrix", repository)
    assert {path: path.read_bytes() for path in repository.rglob("*") if path.is_file()} == before


@pytest.mark.slow
def test_new_chapter_is_built_and_passes_its_tests(repository):
    make_new("toy_story", "From features", repository)
    done = subprocess.run(
        [sys.executable, "book/new/make_page.py", "toy_story"],
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (repository / "_build/page/_build/html/chapters/toy_story.html").is_file()


def test_build_refuses_a_chapter_that_there_is_not(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"expected a chapter among .*als.*, received 'toy'; `make new"):
        build("toy")


def test_warnings_that_make_page_overlooks_are_of_other_pages_only():
    faults = ["this picture has no alternative text", "Document headings start at H2", "Duplicate explicit target name"]
    assert not any(words in fault for fault in faults for words in OF_OTHER_PAGES)
