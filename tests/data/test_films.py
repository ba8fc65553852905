"""The catalogue of films.csv: a closed form, and facts that anybody can look up."""

import csv
from collections import Counter
from pathlib import Path

import pytest

from utils.data import cinema

COLUMNS = ["title", "year", "genres", "director", "country", "language"]


@pytest.fixture(scope="module")
def films():
    return cinema.read_films()


def test_read_films_has_the_documented_columns(films):
    assert list(films) == COLUMNS
    assert {len(entries) for entries in films.values()} == {208}


def test_films_csv_has_six_cells_a_row_and_ends_in_a_newline():
    path = Path(cinema.__file__).with_name("films.csv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, strict=True))
    assert {len(row) for row in rows} == {6}
    assert rows[0] == COLUMNS
    text = path.read_bytes()
    assert text.endswith(b"\n")
    assert b"\r" not in text
    assert not text.startswith(b"\xef\xbb\xbf")  # a byte order mark would become part of the name "title"


def test_read_films_has_no_empty_or_padded_text(films):
    texts = [text for column in ("title", "country", "language") for text in films[column]]
    texts += [part for column in ("genres", "director") for cell in films[column] for part in cell]
    assert [text for text in texts if not text or text != " ".join(text.split())] == []


def test_read_films_has_unique_titles_in_alphabetical_order(films):
    keys = [title.casefold() for title in films["title"]]
    assert keys == sorted(set(keys))


def test_read_films_has_years_from_the_first_films_to_the_start_of_the_simulation(films):
    # Everything must be out before 2024, when the simulated audience begins to watch.
    assert min(films["year"]) >= 1890
    assert max(films["year"]) <= 2023
    assert {year // 10 for year in films["year"]} == set(range(192, 203))


def test_read_films_uses_every_genre_of_the_closed_list_at_least_12_times(films):
    counts = Counter(genre for genres in films["genres"] for genre in genres)
    assert sorted(counts) == list(cinema.GENRES)
    assert min(counts.values()) >= 12


def test_read_films_gives_one_to_three_different_genres(films):
    assert {len(genres) for genres in films["genres"]} == {1, 2, 3}
    assert all(len(set(genres)) == len(genres) for genres in films["genres"])


def test_read_films_is_broad(films):
    assert len(set(films["country"])) >= 25
    assert len(set(films["language"])) >= 15
    directors = Counter(name for names in films["director"] for name in names)
    assert sum(count >= 3 for count in directors.values()) >= 10


def test_read_films_spells_one_director_in_one_way(films):
    # "Wong Kar-Wai" and "Wong Kar-wai" would be two people to every method that reads the facts.
    names = {name for cell in films["director"] for name in cell}
    assert len({name.casefold().replace("-", " ").replace(".", "") for name in names}) == len(names)


def test_read_films_calls_exactly_the_films_without_speech_silent(films):
    silent = [title for title, language in zip(films["title"], films["language"]) if language == "Silent"]
    assert silent == [
        "Battleship Potemkin",
        "City Lights",
        "Metropolis",
        "Nosferatu",
        "The Cabinet of Dr. Caligari",
        "The General",
        "The Gold Rush",
        "The Kid",
        "The Passion of Joan of Arc",
    ]


@pytest.mark.parametrize(
    "facts",
    [
        ("8½", 1963, ("Drama", "Fantasy"), ("Federico Fellini",), "Italy", "Italian"),
        ("Casablanca", 1942, ("Drama", "Romance", "War"), ("Michael Curtiz",), "United States", "English"),
        ("Tokyo Story", 1953, ("Drama",), ("Yasujirō Ozu",), "Japan", "Japanese"),
        ("4 Months, 3 Weeks and 2 Days", 2007, ("Drama",), ("Cristian Mungiu",), "Romania", "Romanian"),
        (
            "WALL-E",
            2008,
            ("Animation", "Science Fiction", "Adventure"),
            ("Andrew Stanton",),
            "United States",
            "English",
        ),
        ("Yeelen", 1987, ("Fantasy", "Drama"), ("Souleymane Cissé",), "Mali", "Bambara"),
    ],
)
def test_read_films_gives_the_known_facts(films, facts):
    row = films["title"].index(facts[0])
    assert tuple(films[column][row] for column in COLUMNS) == facts


def test_read_films_splits_directors_who_worked_together(films):
    row = films["title"].index("Spider-Man: Into the Spider-Verse")
    assert films["director"][row] == ("Bob Persichetti", "Peter Ramsey", "Rodney Rothman")
