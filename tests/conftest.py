"""What more than one folder of tests needs: fixtures, and how tests are shared between processes."""

import hashlib
import io
import os
import zipfile

import pytest
from hypothesis import settings

from tests.planted import feature_model, planted_likes  # noqa: F401 (fixtures)
from utils.data import movielens

# How long an example takes says something about the machine, not about the code. The examples are the same in every
# run, so that a failure can be repeated. `HYPOTHESIS_PROFILE=search` looks for new ones: the weekly run does.
settings.register_profile("book", deadline=None, derandomize=True, database=None)
settings.register_profile("search", deadline=None, max_examples=1000, database=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "book"))

# Folders in the order in which they begin: what takes long goes first, or one process ends up waiting for another.
LONG_FIRST = ("tests/assignments", "tests/browser", "tests/book", "tests/widgets", "tests")


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items):
    """Keep the tests of a file in one process, unless they say otherwise, and let the long ones begin.

    A fixture of a module is then made once, and not once in every process; and so are the parsed pages of the book,
    which take longer to make than all the tests that read them.
    """
    for item in items:
        if "soups" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("parsed pages"))
        elif item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
    items.sort(key=lambda item: next((n for n, folder in enumerate(LONG_FIRST) if item.nodeid.startswith(folder)), 9))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node, ids):
    """Refuse to run where pytest-xdist has not put the groups into the ids: not all versions go together."""
    if node.config.getvalue("dist") == "loadgroup" and not all("@" in name for name in ids):
        pytest.exit("pytest-xdist passes over groups of tests: install the versions of pyproject.toml", returncode=4)


# Files in the formats of MovieLens, with what is awkward in the real ones: titles that hold commas, accents, a
# trailing blank, a span of years or none; two films of one title; films without genres, films that nobody rated.
MOVIELENS_FILES = {
    "ml-latest-small": {
        "movies.csv": (
            "movieId,title,genres\r\n"
            "1,Toy Story (1995),Adventure|Animation\r\n"
            '73,"Misérables, Les (1995)",Drama|War\r\n'
            "838,Emma (1996),Comedy\r\n"
            "26958,Emma (1996) ,Romance\r\n"
            "171749,Death Note: Desu nôto (2006–2007),(no genres listed)\r\n"
            "162414,Moonlight,Drama\r\n"
        ).encode(),
        "ratings.csv": (
            b"userId,movieId,rating,timestamp\r\n"
            b"2,838,4.5,1445714994\r\n"
            b"2,1,3.0,1445714900\r\n"
            b"10,26958,0.5,964982703\r\n"
            b"10,171749,5.0,964982703\r\n"
        ),
        "tags.csv": (
            b"userId,movieId,tag,timestamp\r\n"
            b"2,1,Pixar,1445714996\r\n"
            b'10,1,"animation, good",1445714997\r\n'
            b"10,1,pixar ,1445714998\r\n"
        ),
    },
    "ml-100k": {
        "u.item": (
            "1|Toy Story (1995)|01-Jan-1995||http://example.org/1|0|0|0|1|1|1|0|0|0|0|0|0|0|0|0|0|0|0|0\n"
            "2|unknown||||1|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0\n"
            "3|Misérables, Les (1995) (V)|01-Jan-1995|||0|0|0|0|0|0|0|0|1|0|0|0|0|0|0|0|0|1|1\n"
        ).encode("latin-1"),
        "u.data": b"196\t3\t3\t881250949\n22\t1\t1\t878887116\n196\t1\t5\t881250950\n",
    },
    "ml-1m": {
        "movies.dat": (
            "1::Toy Story (1995)::Animation|Children's|Comedy\n"
            "73::Misérables, Les (1995)::Drama|Musical\n"
            "3952::2001: A Space Odyssey (1968)::Drama\n"
        ).encode("latin-1"),
        "ratings.dat": b"1::73::5::978300760\n1::1::3::978302109\n2::1::4::978298413\n",
    },
}


def _zip_files(name):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in MOVIELENS_FILES[name].items():
            archive.writestr(f"{name}/{member}", content)
    return buffer.getvalue()


@pytest.fixture(scope="session")
def movielens_zips():
    """Name of the data set → bytes of a small zip file in its format."""
    return {name: _zip_files(name) for name in MOVIELENS_FILES}


@pytest.fixture
def empty_movielens_folder(tmp_path, monkeypatch, movielens_zips):
    """Let the loader expect the small zip files, in a folder that has none yet."""
    folder = tmp_path / "movielens"
    folder.mkdir()
    monkeypatch.setenv(movielens.CACHE_VARIABLE, str(folder))
    for name, content in movielens_zips.items():
        monkeypatch.setitem(movielens.SHA256, name, hashlib.sha256(content).hexdigest())
    return folder


@pytest.fixture
def movielens_folder(empty_movielens_folder, movielens_zips):
    """Let the loader find the three small zip files on this machine."""
    for name, content in movielens_zips.items():
        (empty_movielens_folder / f"{name}.zip").write_bytes(content)
    return empty_movielens_folder
