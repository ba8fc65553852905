"""Star ratings by real people: the MovieLens data sets, downloaded once, verified, and read out of their zip files.

Nothing of MovieLens is part of this book. `load_movielens` fetches a zip file from GroupLens into a folder on your
machine, or takes the one that you put there. It believes no file whose SHA-256 is not the pinned one.
"""

import csv
import errno
import hashlib
import io
import os
import re
import zipfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pooch
import requests
from tqdm import tqdm

from utils.data.interactions import Interactions

#: Names a folder to keep the zip files in, instead of the operating system's folder for caches.
CACHE_VARIABLE = "MOVIELENS_DIR"

#: Where GroupLens keeps ``<name>.zip``.
BASE_URL = "https://files.grouplens.org/datasets/movielens/"

#: Name of the data set → SHA-256 of its zip file.
SHA256 = {
    "ml-latest-small": "696d65a3dfceac7c45750ad32df2c259311949efec81f0f144fdfb91ebc9e436",
    "ml-100k": "50d2a982c66986937beb9ffb3aa76efe955bf3d5c6b761f4e3a7cd717c6a3229",
    "ml-1m": "a6898adb50b9ca05aa231689da44c217cb524e7ebd39d264c56e2832f2c54e20",
}

#: What to cite when you publish something that used the data.
MOVIELENS_CITATION = (
    "F. Maxwell Harper and Joseph A. Konstan. 2015. The MovieLens Datasets: History and Context. "
    "ACM Transactions on Interactive Intelligent Systems (TiiS) 5, 4: 19:1–19:19. "
    "https://doi.org/10.1145/2827872"
)

#: The terms of use, in our words; the README in each zip file holds the terms themselves.
MOVIELENS_LICENCE = (
    "You may use the data for research. If you publish, cite the paper. Do not suggest that the University of "
    "Minnesota or GroupLens endorses you. Ask GroupLens before any use that is commercial or earns money. You may "
    "pass ml-latest-small on, and what you derived from it, under the same terms; for ml-100k and ml-1m ask "
    "GroupLens first. Nobody guarantees that the data are right or fit for a purpose. The README of each data set "
    "holds the full terms."
)

#: The order of the 0/1 columns in ml-100k, after a first one which says that nobody knows.
_GENRES_100K = (
    *("Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama", "Fantasy"),
    *("Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western"),
)

_RATING = np.dtype([("user", np.int64), ("film", np.int64), ("stars", np.float32), ("time", np.int64)])


class MovieLensError(RuntimeError):
    """A MovieLens data set could not be had; the message says why, and what to do by hand."""


class _Film(NamedTuple):
    id: int
    title: str
    genres: tuple[str, ...]


def load_movielens(name="ml-latest-small", *, download=True):
    """Load a MovieLens data set, and download it first if it is not on this machine.

    The zip file is looked for as ``<folder>/<name>.zip`` and ``<folder>/<name>/<name>.zip``. The folder is the one
    that the environment variable `MOVIELENS_DIR` names; without it, the folder ``embeddings-book`` among the caches
    of your account. It may be read-only if the file is there. The SHA-256 is checked at each load. Nothing is
    unpacked to disk, a download appears under its name only when it is whole and right, and a file that you put
    there yourself is never changed.

    Parameters
    ----------
    name : {"ml-latest-small", "ml-100k", "ml-1m"}, optional
        100,836 ratings with half stars by 610 users; 100,000 by 943; 1,000,209 by 6,040.
    download : bool, optional
        False forbids the download: only a file on this machine will do.

    Returns
    -------
    Interactions
        One event a rating, in the order of the file: stars from 0.5 or 1 to 5, with timestamps. Users are called
        ``"user 1"``, items by their titles, such as ``"Toy Story (1995)"``; where two films share a title, the id
        follows: ``"Emma (1996) [838]"``. All films of the data set are items, also those that nobody rated.
        Facts about the items:

        - ``"movie_id"``: int, the id in the files of MovieLens.
        - ``"title"``: str, as in the file, with the year.
        - ``"year"``: int, of the release, or the first one of a series. 0 means that the title gives none: write
          ``year[year > 0]`` for statistics.
        - ``"genres"``: tuple of str, empty where none are listed.
        - ``"tags"`` (ml-latest-small only): tuple of str, what users wrote on the film: distinct, in lower case,
          sorted. Their times are left out, so a tag may be younger than an event that you predict with it.

    Raises
    ------
    MovieLensError
        If there is no such data set, the file is missing and may not or cannot be downloaded (no network, a
        refused certificate, a full disk), or its SHA-256 is wrong. The message says which file to download by
        hand and where to put it.

    See Also
    --------
    find_movielens : Ask whether the file is on this machine.

    References
    ----------
    `MOVIELENS_CITATION`; the terms of use are summarised in `MOVIELENS_LICENCE`.

    Examples
    --------
    >>> load_movielens("ml-25m")
    Traceback (most recent call last):
    utils.data.movielens.MovieLensError: expected one of ml-latest-small, ml-100k, ml-1m, received 'ml-25m'
    """
    path = find_movielens(name)
    if path is None:
        path = _target_path(name)
        if not download:
            raise MovieLensError(_advise(name, f"{name} is not on this machine, and download=False forbids to get it"))
        _download(name, path)
    content = _read_verified(name, path)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return _READERS[name](archive)


def find_movielens(name="ml-latest-small"):
    """Find the zip file of a data set on this machine; use no network.

    Parameters
    ----------
    name : str, optional
        As for `load_movielens`.

    Returns
    -------
    pathlib.Path or None
        The file from which `load_movielens` would read; None if there is none. Its content is not checked here.

    Raises
    ------
    MovieLensError
        If there is no data set of that name.

    Examples
    --------
    >>> if find_movielens("ml-1m"):
    ...     ratings = load_movielens("ml-1m")
    """
    if name not in SHA256:
        raise MovieLensError(f"expected one of {', '.join(SHA256)}, received {name!r}")
    target = _target_path(name)
    for path in (target, target.parent / name / target.name):
        if os.path.isfile(path):  # unlike Path.is_file, it says False in a folder that may not be read
            return path
    return None


def _target_path(name):
    """Return where a download is saved; the folder need not exist."""
    folder = os.environ.get(CACHE_VARIABLE) or pooch.os_cache("embeddings-book")
    return Path(folder).expanduser().absolute() / f"{name}.zip"


def _download(name, path):
    """Download a zip file to `path`; if anything goes wrong, say what, and leave nothing there.

    pooch writes to a temporary file beside `path`, compares the SHA-256, and only then renames the file. It
    removes the temporary file also when the download is interrupted.
    """
    try:
        pooch.retrieve(
            f"{BASE_URL}{path.name}",
            known_hash=f"sha256:{SHA256[name]}",
            fname=path.name,
            path=path.parent,
            downloader=_fetch,
        )
    except requests.exceptions.SSLError as error:
        problem = (
            "the certificate of the server was refused; it may have expired, or a proxy stands in between. "
            "A download past the browser's warning is safe here as long as the SHA-256 below is right"
        )
        raise MovieLensError(_advise(name, f"{name} could not be downloaded: {problem}")) from error
    except requests.exceptions.HTTPError as error:
        problem = f"the server answered {error.response.status_code} {error.response.reason}"
        raise MovieLensError(_advise(name, f"{name} could not be downloaded: {problem}")) from error
    except requests.exceptions.RequestException as error:
        problem = f"the server was not reached, or the connection broke ({type(error).__name__})"
        raise MovieLensError(_advise(name, f"{name} could not be downloaded: {problem}")) from error
    except ValueError as error:  # of pooch, about the hash; the file is already deleted
        problem = f"what the server sent is not the file that this book knows. {_explain_wrong_hash(name)}"
        raise MovieLensError(_advise(name, f"{name} could not be downloaded: {problem}")) from error
    except OSError as error:  # after the errors of requests, which are OSErrors too
        if error.errno == errno.ENOSPC:
            problem = f"the disk of {path.parent} is full"
        else:
            problem = f"{path.parent} cannot be written ({error.strerror or error})"
        raise MovieLensError(_advise(name, f"{name} could not be saved: {problem}")) from error


def _fetch(url, output_file, _pooch):
    """Write what is at `url` to `output_file`, with a progress bar.

    Unlike the downloader of pooch, this one closes the connection and the bar also when something goes wrong.
    """
    with requests.get(url, stream=True, timeout=(10, 30)) as response:  # seconds to connect, and between bytes
        response.raise_for_status()
        n_bytes = int(response.headers.get("Content-Length", 0)) or None
        with (
            open(output_file, "wb") as file,
            tqdm(total=n_bytes, unit="B", unit_scale=True, desc=url.rpartition("/")[2]) as progress,
        ):
            for chunk in response.iter_content(chunk_size=2**16):
                file.write(chunk)
                progress.update(len(chunk))


def _read_verified(name, path):
    """Return the bytes of the zip file, after a check that they are the pinned ones."""
    try:
        content = path.read_bytes()
    except OSError as error:
        problem = f"{path} cannot be read ({error.strerror or error})"
        raise MovieLensError(_advise(name, problem, path)) from error
    received = hashlib.sha256(content).hexdigest()
    if received != SHA256[name]:
        problem = (
            f"{path} ({len(content):,} bytes) has the SHA-256 {received}. It is incomplete, damaged or of another "
            f"version. {_explain_wrong_hash(name)}"
        )
        raise MovieLensError(_advise(name, problem, path))
    return content


def _explain_wrong_hash(name):
    if name == "ml-latest-small":
        return (
            "GroupLens may have changed ml-latest-small: this book uses the version of 26 September 2018. "
            "If so, find a copy of that version, or use ml-100k"
        )
    return f"GroupLens keeps {name} as a stable benchmark, so try the download again"


def _advise(name, problem, path=None):
    """Return an error message: what happened, which file to get, and where to put it."""
    return (
        f"{problem}.\n"
        f"To mend it by hand, download  {BASE_URL}{name}.zip\n"
        f"  check that its SHA-256 is   {SHA256[name]}\n"
        f"  and save it as              {path or _target_path(name)}\n"
        f"Or set the environment variable {CACHE_VARIABLE} to a folder that has it."
    )


def _read_latest_small(archive):
    films = [
        _Film(int(film_id), title, () if genres == "(no genres listed)" else tuple(genres.split("|")))
        for film_id, title, genres in _read_csv(archive, "ml-latest-small/movies.csv")
    ]
    tags = {film.id: set() for film in films}
    for _, film_id, tag, _ in _read_csv(archive, "ml-latest-small/tags.csv"):
        tags[int(film_id)].add(tag.strip().lower())
    ratings = _parse_ratings(archive.read("ml-latest-small/ratings.csv"), delimiter=",", n_header_lines=1)
    return _build("ml-latest-small", ratings, films, {"tags": [tuple(sorted(tags[film.id])) for film in films]})


def _read_100k(archive):
    films = []
    for line in archive.read("ml-100k/u.item").decode("latin-1").splitlines():
        film_id, title, _date, _video_date, _url, _is_unknown, *flags = line.split("|")
        genres = tuple(genre for genre, flag in zip(_GENRES_100K, flags) if flag == "1")
        films.append(_Film(int(film_id), title, genres))
    return _build("ml-100k", _parse_ratings(archive.read("ml-100k/u.data"), delimiter="\t"), films)


def _read_1m(archive):
    films = []
    for line in archive.read("ml-1m/movies.dat").decode("latin-1").splitlines():
        film_id, title, genres = line.split("::")
        films.append(_Film(int(film_id), title, tuple(genres.split("|"))))
    # numpy wants a delimiter of one character; the lines hold nothing but numbers
    ratings = archive.read("ml-1m/ratings.dat").replace(b"::", b",")
    return _build("ml-1m", _parse_ratings(ratings, delimiter=","), films)


_READERS = {"ml-latest-small": _read_latest_small, "ml-100k": _read_100k, "ml-1m": _read_1m}


def _read_csv(archive, member):
    """Return the rows of a CSV file as lists of str, without the header."""
    with archive.open(member) as file:
        rows = csv.reader(io.TextIOWrapper(file, encoding="utf-8", newline=""))
        next(rows)
        return list(rows)


def _parse_ratings(content, delimiter, n_header_lines=0):
    return np.loadtxt(io.BytesIO(content), dtype=_RATING, delimiter=delimiter, skiprows=n_header_lines, ndmin=1)


def _build(name, ratings, films, more_facts=None):
    """Return the interactions: users in the order of their ids, items in the order of `films`."""
    titles = [film.title.strip() for film in films]
    n_bearers = Counter(titles)
    labels = [title if n_bearers[title] == 1 else f"{title} [{film.id}]" for title, film in zip(titles, films)]

    user_ids, users = np.unique(ratings["user"], return_inverse=True)
    film_ids, film_of_event = np.unique(ratings["film"], return_inverse=True)
    row = {film.id: i for i, film in enumerate(films)}
    rows = np.array([row[film_id] for film_id in film_ids.tolist()], dtype=np.int32)
    return Interactions(
        users=users,
        items=rows[film_of_event],
        values=ratings["stars"],
        timestamps=ratings["time"],
        user_labels=[f"user {user_id}" for user_id in user_ids],
        item_labels=labels,
        item_facts={
            "movie_id": [film.id for film in films],
            "title": titles,
            "year": [_year_of(title) for title in titles],
            "genres": [film.genres for film in films],
            **(more_facts or {}),
        },
        name=name,
    )


def _year_of(title):
    """Return the last year in parentheses, the first of a span such as (2006–2007); 0 if there is none."""
    years = re.findall(r"\((\d{4})(?:[-–]\d{0,4})?\)", title)
    return int(years[-1]) if years else 0
