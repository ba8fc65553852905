import errno
import http.server
import io
import socket
import threading

import numpy as np
import pooch
import pytest
import requests

from utils.data import MOVIELENS_CITATION, MOVIELENS_LICENCE, MovieLensError, find_movielens, load_movielens, movielens

NAMES = ("ml-latest-small", "ml-100k", "ml-1m")
IS_HERE = find_movielens("ml-latest-small") is not None
needs_the_real_file = pytest.mark.skipif(
    not IS_HERE, reason="ml-latest-small.zip is not on this machine; set MOVIELENS_DIR to a folder that has it"
)


def ratings_of(data):
    users, items = data.user_labels[data.users].tolist(), data.item_labels[data.items].tolist()
    return list(zip(users, items, data.values.tolist(), data.timestamps.tolist()))


# What is read out of the three formats


def test_load_movielens_reads_ml_latest_small(movielens_folder):
    data = load_movielens("ml-latest-small")
    assert ratings_of(data) == [
        ("user 2", "Emma (1996) [838]", 4.5, 1445714994),
        ("user 2", "Toy Story (1995)", 3.0, 1445714900),
        ("user 10", "Emma (1996) [26958]", 0.5, 964982703),
        ("user 10", "Death Note: Desu nôto (2006–2007)", 5.0, 964982703),
    ]
    assert data.user_labels.tolist() == ["user 2", "user 10"]
    assert data.name == "ml-latest-small"


def test_load_movielens_keeps_films_that_nobody_rated(movielens_folder):
    data = load_movielens("ml-latest-small")
    assert data.n_items == 6
    is_cold = np.bincount(data.items, minlength=data.n_items) == 0
    assert data.item_labels[is_cold].tolist() == ["Misérables, Les (1995)", "Moonlight"]


def test_load_movielens_reads_facts_of_ml_latest_small(movielens_folder):
    facts = load_movielens("ml-latest-small").item_facts
    assert facts["movie_id"].tolist() == [1, 73, 838, 26958, 171749, 162414]
    assert facts["title"].tolist()[1:4] == ["Misérables, Les (1995)", "Emma (1996)", "Emma (1996)"]
    assert facts["year"].tolist() == [1995, 1995, 1996, 1996, 2006, 0]
    assert facts["genres"].tolist()[3:] == [("Romance",), (), ("Drama",)]
    assert facts["tags"].tolist() == [("animation, good", "pixar"), (), (), (), (), ()]


def test_load_movielens_reads_ml_100k(movielens_folder):
    data = load_movielens("ml-100k")
    assert ratings_of(data) == [
        ("user 196", "Misérables, Les (1995) (V)", 3, 881250949),
        ("user 22", "Toy Story (1995)", 1, 878887116),
        ("user 196", "Toy Story (1995)", 5, 881250950),
    ]
    assert data.item_facts["year"].tolist() == [1995, 0, 1995]
    assert data.item_facts["genres"].tolist() == [
        ("Animation", "Children's", "Comedy"),
        (),
        ("Drama", "War", "Western"),
    ]


def test_load_movielens_reads_ml_1m(movielens_folder):
    data = load_movielens("ml-1m")
    assert ratings_of(data) == [
        ("user 1", "Misérables, Les (1995)", 5, 978300760),
        ("user 1", "Toy Story (1995)", 3, 978302109),
        ("user 2", "Toy Story (1995)", 4, 978298413),
    ]
    assert data.item_facts["year"].tolist() == [1995, 1995, 1968]
    assert data.item_facts["genres"].tolist()[1:] == [("Drama", "Musical"), ("Drama",)]


@needs_the_real_file
def test_load_movielens_agrees_with_the_readme_of_ml_latest_small():
    data = load_movielens("ml-latest-small", download=False)
    assert (data.n_events, data.n_users, data.n_items) == (100_836, 610, 9_742)
    span = [str(np.datetime64(int(second), "s"))[:10] for second in (data.timestamps.min(), data.timestamps.max())]
    assert span == ["1996-03-29", "2018-09-24"]
    assert set(data.values.tolist()) == {0.5 * step for step in range(1, 11)}
    assert np.bincount(data.users).min() >= 20


@needs_the_real_file
def test_load_movielens_finds_lines_copied_by_hand_from_ml_latest_small():
    data = load_movielens("ml-latest-small", download=False)
    assert ratings_of(data)[0] == ("user 1", "Toy Story (1995)", 4.0, 964982703)  # line 2: 1,1,4.0,964982703
    last = (data.user_labels[data.users[-1]], data.item_facts["movie_id"][data.items[-1]])
    assert last == ("user 610", 170875)  # the last line: 610,170875,3.0,1493846415
    assert (data.values[-1], data.timestamps[-1]) == (3.0, 1493846415)


@needs_the_real_file
def test_load_movielens_reads_all_facts_of_ml_latest_small():
    facts = load_movielens("ml-latest-small", download=False).item_facts
    assert (facts["year"] == 0).sum() == 12  # counted with grep in movies.csv
    assert facts["tags"][0] == ("fun", "pixar")  # three lines in tags.csv, pixar twice
    # the 18 names in the README (one of them spelt otherwise), and IMAX, which it forgets
    genres = set().union(*facts["genres"])
    assert len(genres) == 19
    assert {"Children", "IMAX"} < genres


# Where the file is looked for


def test_find_movielens_finds_both_places(empty_movielens_folder, movielens_zips):
    assert find_movielens("ml-100k") is None
    nested = empty_movielens_folder / "ml-100k" / "ml-100k.zip"
    nested.parent.mkdir()
    nested.write_bytes(movielens_zips["ml-100k"])
    assert find_movielens("ml-100k") == nested
    assert load_movielens("ml-100k", download=False).n_events == 3
    flat = empty_movielens_folder / "ml-100k.zip"
    flat.write_bytes(movielens_zips["ml-100k"])
    assert find_movielens("ml-100k") == flat


def test_find_movielens_passes_over_folders_and_missing_folders(empty_movielens_folder, monkeypatch):
    (empty_movielens_folder / "ml-1m.zip").mkdir()
    assert find_movielens("ml-1m") is None
    monkeypatch.setenv("MOVIELENS_DIR", str(empty_movielens_folder / "nowhere"))
    assert find_movielens("ml-1m") is None


@pytest.mark.parametrize("setting", [None, ""])
def test_find_movielens_looks_among_the_caches_without_the_variable(movielens_folder, monkeypatch, setting):
    monkeypatch.setattr(pooch, "os_cache", lambda project: movielens_folder.parent / project)
    if setting is None:
        monkeypatch.delenv("MOVIELENS_DIR")
    else:
        monkeypatch.setenv("MOVIELENS_DIR", setting)
    assert find_movielens("ml-1m") is None
    cache = movielens_folder.rename(movielens_folder.parent / "embeddings-book")
    assert find_movielens("ml-1m") == cache / "ml-1m.zip"


def test_find_movielens_knows_the_home_folder(movielens_folder, monkeypatch):
    monkeypatch.setenv("HOME", str(movielens_folder.parent))
    monkeypatch.setenv("USERPROFILE", str(movielens_folder.parent))
    monkeypatch.setenv("MOVIELENS_DIR", "~/movielens")
    assert find_movielens("ml-1m") == movielens_folder / "ml-1m.zip"


@pytest.mark.parametrize("function", [find_movielens, load_movielens])
def test_movielens_refuses_an_unknown_name(function):
    with pytest.raises(MovieLensError, match=r"expected one of ml-latest-small, ml-100k, ml-1m, received '\.\./ml-1m'"):
        function("../ml-1m")


def test_load_movielens_only_reads_a_folder_that_has_the_file(movielens_folder, monkeypatch):
    monkeypatch.setattr(pooch, "retrieve", None)
    movielens_folder.chmod(0o555)
    before = sorted((path, path.stat().st_mtime_ns) for path in movielens_folder.iterdir())
    load_movielens("ml-1m")
    after = sorted((path, path.stat().st_mtime_ns) for path in movielens_folder.iterdir())
    movielens_folder.chmod(0o755)
    assert after == before


# The download


@pytest.fixture
def server(monkeypatch):
    """Serve what a test puts in `server.answers`; let the loader download from here."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.requests.append(self.path)
            status, content, n_sent = self.server.answers.get(self.path, (404, b"", 0))
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[:n_sent])

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.answers, server.requests = {}, []
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setattr(movielens, "BASE_URL", f"http://127.0.0.1:{server.server_port}/")
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def break_download(monkeypatch):
    """Let the download receive some bytes and then raise the error given."""

    def set_error(error):
        def receive(chunk_size):
            yield b"PK half of it"
            raise error

        response = requests.Response()
        response.status_code, response.raw, response.iter_content = 200, io.BytesIO(), receive
        monkeypatch.setattr(requests, "get", lambda url, **options: response)

    return set_error


def assert_advises(caught, name, path):
    """Assert that the error says which file to get, its SHA-256, and where to put it."""
    message = str(caught.value)
    for part in (f"{movielens.BASE_URL}{name}.zip", movielens.SHA256[name], str(path), "MOVIELENS_DIR"):
        assert part in message


@pytest.mark.parametrize("name", NAMES)
def test_load_movielens_downloads_once(empty_movielens_folder, movielens_zips, server, name, capfd):
    content = movielens_zips[name]
    server.answers[f"/{name}.zip"] = (200, content, len(content))
    first, second = load_movielens(name), load_movielens(name)
    assert ratings_of(first) == ratings_of(second)
    assert server.requests == [f"/{name}.zip"]
    assert [path.name for path in empty_movielens_folder.iterdir()] == [f"{name}.zip"]
    assert "100%" in capfd.readouterr().err  # the progress bar


def test_load_movielens_makes_the_folder(empty_movielens_folder, movielens_zips, server, monkeypatch):
    content = movielens_zips["ml-1m"]
    server.answers["/ml-1m.zip"] = (200, content, len(content))
    monkeypatch.setenv("MOVIELENS_DIR", str(empty_movielens_folder / "new" / "folder"))
    load_movielens("ml-1m")
    assert find_movielens("ml-1m") == empty_movielens_folder / "new" / "folder" / "ml-1m.zip"


def test_load_movielens_without_download_uses_no_network(empty_movielens_folder, server):
    with pytest.raises(MovieLensError, match="ml-1m is not on this machine, and download=False") as caught:
        load_movielens("ml-1m", download=False)
    assert_advises(caught, "ml-1m", empty_movielens_folder / "ml-1m.zip")
    assert server.requests == []


def test_load_movielens_explains_a_missing_file_on_the_server(empty_movielens_folder, server):
    with pytest.raises(MovieLensError, match="the server answered 404 Not Found") as caught:
        load_movielens("ml-1m")
    assert_advises(caught, "ml-1m", empty_movielens_folder / "ml-1m.zip")
    assert list(empty_movielens_folder.iterdir()) == []


def test_load_movielens_explains_a_broken_connection(empty_movielens_folder, movielens_zips, server):
    content = movielens_zips["ml-1m"]
    server.answers["/ml-1m.zip"] = (200, content, len(content) // 2)
    with pytest.raises(MovieLensError, match="not reached, or the connection broke") as caught:
        load_movielens("ml-1m")
    assert_advises(caught, "ml-1m", empty_movielens_folder / "ml-1m.zip")
    assert list(empty_movielens_folder.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("ml-latest-small", "GroupLens may have changed ml-latest-small"),
        ("ml-1m", "GroupLens keeps ml-1m as a stable benchmark"),
    ],
)
def test_load_movielens_keeps_nothing_of_a_wrong_download(empty_movielens_folder, server, name, hint):
    server.answers[f"/{name}.zip"] = (200, b"<html>Log in to the hotel's network", 35)
    with pytest.raises(MovieLensError, match=rf"not the file that this book knows\. {hint}") as caught:
        load_movielens(name)
    assert_advises(caught, name, empty_movielens_folder / f"{name}.zip")
    assert list(empty_movielens_folder.iterdir()) == []


def test_load_movielens_explains_that_there_is_no_network(empty_movielens_folder, monkeypatch):
    with socket.socket() as closed:  # bound, but nobody listens
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setattr(movielens, "BASE_URL", f"http://127.0.0.1:{closed.getsockname()[1]}/")
        with pytest.raises(MovieLensError, match=r"not reached, .* \(ConnectionError\)") as caught:
            load_movielens("ml-1m")
    assert_advises(caught, "ml-1m", empty_movielens_folder / "ml-1m.zip")
    assert isinstance(caught.value.__cause__, requests.exceptions.ConnectionError)
    assert list(empty_movielens_folder.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (requests.exceptions.SSLError("certificate has expired"), "the certificate of the server was refused"),
        (requests.exceptions.ReadTimeout("read timed out"), r"the connection broke \(ReadTimeout\)"),
        (OSError(errno.ENOSPC, "No space left on device"), "ml-1m could not be saved: the disk of .* is full"),
        (PermissionError(errno.EACCES, "Permission denied"), r"cannot be written \(Permission denied\)"),
    ],
)
def test_load_movielens_explains_a_failed_download(empty_movielens_folder, break_download, error, problem):
    break_download(error)
    with pytest.raises(MovieLensError, match=problem) as caught:
        load_movielens("ml-1m")
    assert_advises(caught, "ml-1m", empty_movielens_folder / "ml-1m.zip")
    assert caught.value.__cause__ is error
    assert list(empty_movielens_folder.iterdir()) == []


def test_load_movielens_explains_a_folder_that_cannot_be(empty_movielens_folder, monkeypatch):
    (empty_movielens_folder / "file").write_text("not a folder")
    monkeypatch.setenv("MOVIELENS_DIR", str(empty_movielens_folder / "file"))
    with pytest.raises(MovieLensError, match=r"could not be saved: .* cannot be written") as caught:
        load_movielens("ml-1m")
    assert_advises(caught, "ml-1m", empty_movielens_folder / "file" / "ml-1m.zip")


def test_load_movielens_leaves_nothing_when_interrupted(empty_movielens_folder, break_download):
    break_download(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        load_movielens("ml-1m")
    assert list(empty_movielens_folder.iterdir()) == []


# A file that is there but wrong


@pytest.mark.parametrize(
    "damage",
    [lambda content: content[:-20], lambda content: content[:50] + b"x" + content[51:], lambda _: b""],
    ids=["truncated", "changed", "empty"],
)
@pytest.mark.parametrize("name", NAMES)
def test_load_movielens_refuses_and_keeps_a_wrong_file(movielens_folder, movielens_zips, server, name, damage):
    path = movielens_folder / f"{name}.zip"
    path.write_bytes(damage(movielens_zips[name]))
    with pytest.raises(MovieLensError, match=r"bytes\) has the SHA-256 .* incomplete, damaged or of another") as caught:
        load_movielens(name)
    assert_advises(caught, name, path)
    assert path.read_bytes() == damage(movielens_zips[name])
    assert server.requests == []


def test_load_movielens_says_that_grouplens_may_have_changed_ml_latest_small(movielens_folder):
    (movielens_folder / "ml-latest-small.zip").write_bytes(b"a newer one")
    with pytest.raises(MovieLensError, match="GroupLens may have changed ml-latest-small"):
        load_movielens("ml-latest-small")


def test_load_movielens_names_the_very_file_to_replace(empty_movielens_folder):
    nested = empty_movielens_folder / "ml-1m" / "ml-1m.zip"
    nested.parent.mkdir()
    nested.write_bytes(b"wrong")
    with pytest.raises(MovieLensError) as caught:
        load_movielens("ml-1m")
    assert_advises(caught, "ml-1m", nested)


def test_load_movielens_explains_a_file_that_cannot_be_read(movielens_folder, monkeypatch):
    error = PermissionError(errno.EACCES, "Permission denied")

    def refuse(path):
        raise error

    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    with pytest.raises(MovieLensError, match=r"ml-1m\.zip cannot be read \(Permission denied\)") as caught:
        load_movielens("ml-1m")
    assert_advises(caught, "ml-1m", movielens_folder / "ml-1m.zip")
    assert caught.value.__cause__ is error


# What the book tells its readers


def test_movielens_citation_and_licence_name_what_the_terms_ask_for():
    assert "https://doi.org/10.1145/2827872" in MOVIELENS_CITATION
    for word in ("research", "cite", "endorse", "commercial", "README"):
        assert word in MOVIELENS_LICENCE
