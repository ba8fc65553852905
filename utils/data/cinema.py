"""The cinema data set: real films, and a simulated audience whose tastes are known.

The films and their facts are true (``films.csv``). Who watches what, when, and with how many stars is simulated,
so that a chapter can compare what a method finds with what is really there. Read `load_cinema` first: its
docstring numbers the steps, and the functions below it follow the same order.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from utils.checks import check_whole
from utils.data.interactions import Interactions

GENRES = (
    "Action",
    "Adventure",
    "Animation",
    "Comedy",
    "Crime",
    "Drama",
    "Fantasy",
    "Horror",
    "Musical",
    "Romance",
    "Science Fiction",
    "Thriller",
    "War",
    "Western",
)

# The constants of the simulation; `load_cinema` says what each one does.
FACT_WEIGHTS = {"genres": 1.0, "director": 0.4, "country": 0.4, "decade": 0.4}
N_GROUPS = 6
GROUP_SHARE = 0.25  # of the variance of the tastes
TASTE_SD = 1.0  # stars, like the three lines below
USER_BIAS_SD = 0.35
ITEM_BIAS_SD = 0.35
MEAN_RATING = 3.0  # of all pairs; viewers choose films that they like, so what they rate gets about 3.7
MIN_FILMS = 3
ACTIVITY_SD = 0.6  # of the logarithm of a viewer's number of films
EVENING_SIZES = (0.15, 0.25, 0.25, 0.15, 0.12, 0.08)  # the probabilities of 1, 2, … 6 films
MOOD_MEMORY = 0.7

HOUR, DAY = 3_600, 86_400  # seconds
FIRST_DAY = 1_704_067_200  # 2024-01-01 00:00 UTC, when the youngest film of the catalogue is already out
N_DAYS = 731  # all of 2024 and 2025


@dataclass(frozen=True, eq=False)
class CinemaTruth:
    """What the simulated audience of `load_cinema` really likes.

    Row u of a user array is viewer u of the `Interactions` that come with it, and row i of an item array is film i.
    Viewers and films without events have their truth too.

    Attributes
    ----------
    user_factors : ndarray of shape (n_users, n_traits), float64
        Lasting taste of each viewer, in stars.
    item_factors : ndarray of shape (n_items, n_traits), float64
        Traits of each film. Every row has length 1.
    user_bias : ndarray of shape (n_users,), float64
        Stars that a viewer gives on top, whatever the film.
    item_bias : ndarray of shape (n_items,), float64
        Stars that a film gets on top, whoever rates it.
    mean : float
        Expected rating where both biases and the affinity are 0, in stars.
    noise : float
        Standard deviation of a rating around its expected value, before rounding, in stars.
    popularity : ndarray of shape (n_items,), float64
        Logits, not probabilities: where taste plays no part, a viewer's first film is film i with a probability
        proportional to ``exp(popularity[i])``. Cold films have one too, which nobody acts on.
    user_groups : ndarray of shape (n_users,), int64
        The group around which each viewer's taste was drawn, 0 to 5.
    cold_users : ndarray of shape (n_cold_users,), int64
        The viewers without an event, in increasing order.
    cold_items : ndarray of shape (n_cold_items or more,), int64
        All films without an event, in increasing order: those that were taken off the programme, and in a small
        simulation also rare ones that nobody happened to pick.
    event_tastes : ndarray of shape (n_events, n_traits), float64
        The taste of the moment (lasting taste, drift and mood) that picked the film of each event.
    """

    user_factors: np.ndarray
    item_factors: np.ndarray
    user_bias: np.ndarray
    item_bias: np.ndarray
    mean: float
    noise: float
    popularity: np.ndarray
    user_groups: np.ndarray
    cold_users: np.ndarray
    cold_items: np.ndarray
    event_tastes: np.ndarray

    def affinity(self) -> np.ndarray:
        """Return how much every viewer likes every film, biases aside.

        Returns
        -------
        ndarray of shape (n_users, n_items), float64
            ``user_factors @ item_factors.T``, in stars: positive for a film that suits the viewer.
        """
        return self.user_factors @ self.item_factors.T

    def expected_ratings(self) -> np.ndarray:
        """Return the rating that every viewer would give every film, before noise, rounding and clipping.

        Returns
        -------
        ndarray of shape (n_users, n_items), float64
            ``mean + user_bias[u] + item_bias[i] + affinity[u, i]``, in stars; it can leave the range 1 to 5.

        References
        ----------
        The form is that of Koren, Bell and Volinsky (2009), equation 4, with known factors.
        """
        return self.mean + self.user_bias[:, None] + self.item_bias + self.affinity()


def read_films() -> dict[str, list]:
    """Read the catalogue of real films.

    Returns
    -------
    dict of str to list
        The columns of ``films.csv`` in the order of its rows (alphabetical by title): ``title`` (str), ``year`` of
        first release (int), ``genres`` (tuple of 1 to 3 of `GENRES`), ``director`` (tuple of str, several for
        co-directors), ``country`` of production (str, as it was called then) and ``language`` (str: the main one
        spoken, or ``"Silent"``).

    Examples
    --------
    >>> films = read_films()
    >>> row = films["title"].index("Airplane!")
    >>> films["year"][row], films["genres"][row], films["director"][row]
    (1980, ('Comedy',), ('Jim Abrahams', 'David Zucker', 'Jerry Zucker'))
    """
    with Path(__file__).with_name("films.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    read_cell = {
        "title": str,
        "year": int,
        "genres": lambda cell: tuple(cell.split("|")),
        "director": lambda cell: tuple(cell.split("|")),
        "country": str,
        "language": str,
    }
    return {column: [read(row[column]) for row in rows] for column, read in read_cell.items()}


def load_cinema(
    seed: int = 0,
    *,
    n_users: int = 1500,
    n_items: int | None = None,
    n_traits: int = 8,
    events_per_user: float = 20,
    n_cold_users: int = 30,
    n_cold_items: int = 8,
    popularity_sd: float = 1.5,
    own_weight: float = 0.8,
    taste_weight: float = 1.5,
    drift: float = 0.5,
    mood: float = 1.0,
    noise: float = 0.5,
) -> tuple[Interactions, CinemaTruth]:
    """Simulate two years of film evenings over a catalogue of real films.

    The films and their facts are true. The audience is made in these steps, where N(0, s²) stands for normal
    draws, ``unit`` divides a vector by its length, and every draw is independent of the others:

    1. **Traits.** Each genre, director, country and decade gets a hidden vector of N(0, 1). A film starts from
       the sum of ``unit`` (the sum of its genres' vectors), 0.4 times the same for its directors, for its country
       and for its decade, and ``own_weight * unit(N(0, 1))`` of its own. The mean over the catalogue is
       subtracted, and the result x_i is scaled to length 1. So facts predict the traits in part.
    2. **Popularity and quality.** A film has a popularity logit p_i from N(0, popularity_sd²) and a bias b_i from
       N(0, 0.35²). Neither depends on the traits or on the other.
    3. **Tastes.** A viewer belongs to one of 6 groups at random. With the group centres c_g from N(0, 1), shifted
       so that their mean is 0, the lasting taste is ``y_u = sqrt(0.25) * c_g + sqrt(0.75) * N(0, 1)``, and the
       viewer's bias b_u is N(0, 0.35²).
    4. **Cold ones.** ``n_cold_users`` viewers and ``n_cold_items`` films, chosen at random, have no events.
    5. **Calendar.** The number of films of each other viewer is lognormal with the mean ``events_per_user`` and
       0.6 as the standard deviation of the logarithm, rounded, at least 3, and at most half of the films on the
       programme. They fall on evenings of 1 to 6 films (with probabilities .15, .25, .25, .15, .12, .08; the last
       evening stops short when the number is reached). A viewer joins on a random day of the first year; the
       evenings are different random days from then to the end of the second year. The first event of an evening
       is between 18:00 and 20:00 UTC, each further one 1.5 to 2.5 hours later.
    6. **Choice.** The taste of the moment is ``z = y_u + drift_u + mood_u``. Each coordinate of drift_u is a random
       walk that starts at 0 and has the variance ``drift² * (elapsed time / 2 years)``. Each coordinate of mood_u
       is drawn from N(0, mood²) as an evening begins, and becomes ``0.7 * mood_u + sqrt(1 - 0.7²) * N(0, mood²)``
       before each further film. Among the films that the viewer has not seen yet, film i is picked with a
       probability proportional to ``exp(p_i + taste_weight * z · x_i)``.
    7. **Rating.** Stars are ``mean + b_u + b_i + y_u · x_i + N(0, noise²)`` with mean 3, rounded and clipped to
       1 … 5. They follow the lasting taste: drift and mood steer what is watched, not how it is rated.

    Everybody watches what they are likely to like, so the ratings that you see are higher (about 3.7 on average)
    than those that you do not see.

    Parameters
    ----------
    seed : int, default 0
        The same seed gives the same data. Films, viewers, cold ones, calendar, choices and ratings have their own
        random streams: the films' traits do not depend on the number of viewers, nor the tastes on the films.
    n_users : int, default 1500
        Viewers, cold ones included.
    n_items : int, optional
        Films, cold ones included: the first ones of the catalogue, 6 or more; all 208 if left out.
    n_traits : int, default 8
        Dimension of the hidden traits and tastes.
    events_per_user : float, default 20
        Films that a viewer who is not cold watches on average (before rounding and limits), from 3 to half of
        the films that are not cold.
    n_cold_users, n_cold_items : int, default 30 and 8
        Viewers and films without events. At least one viewer and 6 films must be left.
    popularity_sd : float, default 1.5
        Spread of the popularity logits: 0 for equally popular films.
    own_weight : float, default 0.8
        Weight of what is a film's own in its traits; at 0 the facts explain all of them.
    taste_weight : float, default 1.5
        How strongly taste decides what is watched: 0 for popularity alone.
    drift : float, default 0.5
        Standard deviation, in stars, of the change of each coordinate of a taste over the two years.
    mood : float, default 1.0
        Standard deviation, in stars, of each coordinate of an evening's mood.
    noise : float, default 0.5
        Standard deviation, in stars, of a rating around its expected value.

    Returns
    -------
    interactions : Interactions
        Events in the order of time; each pair of viewer and film at most once. Values are stars, 1 to 5. Facts are
        the columns of `read_films`. ``interactions.sessions()`` gives back the simulated evenings.
    truth : CinemaTruth
        What the audience really likes.

    Raises
    ------
    ValueError
        If a parameter is out of its range, or a count or the seed is not a whole number. The message says which
        one, what it has to be and what it was.

    Examples
    --------
    >>> interactions, truth = load_cinema()
    >>> interactions
    Interactions 'cinema': 1500 users × 208 items, 30040 events, density 9.63 %
    >>> truth.expected_ratings().shape
    (1500, 208)
    """
    films = read_films()
    n_films = len(films["title"])
    n_items = n_films if n_items is None else n_items
    check_whole("seed", seed, 0)
    check_whole("n_users", n_users, 1)
    check_whole("n_items", n_items, 2 * MIN_FILMS, n_films)
    check_whole("n_traits", n_traits, 1)
    check_whole("n_cold_users", n_cold_users, 0, n_users - 1)
    check_whole("n_cold_items", n_cold_items, 0, n_items - 2 * MIN_FILMS)
    max_films = (n_items - n_cold_items) // 2
    _check_range("events_per_user", events_per_user, MIN_FILMS, max_films)
    _check_range("popularity_sd", popularity_sd, 0)
    _check_range("own_weight", own_weight, 0)
    _check_range("taste_weight", taste_weight, 0)
    _check_range("drift", drift, 0)
    _check_range("mood", mood, 0)
    _check_range("noise", noise, 0)

    film_rng, audience_rng, cold_rng, calendar_rng, choice_rng, rating_rng = (
        np.random.default_rng(stream) for stream in np.random.SeedSequence(seed).spawn(6)
    )
    item_factors = _draw_traits(films, n_traits, own_weight, film_rng)[:n_items]
    popularity = film_rng.normal(0, popularity_sd, n_films)[:n_items]
    item_bias = film_rng.normal(0, ITEM_BIAS_SD, n_films)[:n_items]

    user_factors, user_groups = _draw_tastes(n_users, n_traits, audience_rng)
    user_bias = audience_rng.normal(0, USER_BIAS_SD, n_users)

    viewers = np.sort(cold_rng.permutation(n_users)[n_cold_users:])
    programme = popularity.copy()
    programme[cold_rng.permutation(n_items)[:n_cold_items]] = -np.inf

    times = _draw_calendar(len(viewers), events_per_user, max_films, calendar_rng)
    picks, tastes = _choose_films(
        times, programme, user_factors[viewers], taste_weight * item_factors, drift, mood, choice_rng
    )

    rows, columns = np.nonzero(times)
    order = np.argsort(times[rows, columns], kind="stable")  # one log in the order of time
    rows, columns = rows[order], columns[order]
    users, items = viewers[rows], picks[rows, columns]
    truth = CinemaTruth(
        user_factors=user_factors,
        item_factors=item_factors,
        user_bias=user_bias,
        item_bias=item_bias,
        mean=MEAN_RATING,
        noise=noise,
        popularity=popularity,
        user_groups=user_groups,
        cold_users=np.setdiff1d(np.arange(n_users), users),
        cold_items=np.setdiff1d(np.arange(n_items), items),
        event_tastes=tastes[rows, columns],
    )
    ratings = truth.expected_ratings()[users, items] + rating_rng.normal(0, noise, len(users))
    interactions = Interactions(
        users=users,
        items=items,
        values=np.clip(np.rint(ratings), 1, 5),
        timestamps=times[rows, columns],
        user_labels=np.array([f"viewer {number}" for number in range(1, n_users + 1)]),
        item_labels=np.array(films["title"][:n_items]),
        item_facts={column: entries[:n_items] for column, entries in films.items()},
        name="cinema",
    )
    return interactions, truth


def _draw_traits(films, n_traits, own_weight, rng):
    """Return the traits of all films, (n_films, n_traits), each row of length 1 (step 1)."""
    facts = {
        "genres": films["genres"],
        "director": films["director"],
        "country": [(country,) for country in films["country"]],
        "decade": [(year // 10,) for year in films["year"]],
    }
    traits = own_weight * _scale_rows(rng.standard_normal((len(films["title"]), n_traits)))
    for column, weight in FACT_WEIGHTS.items():
        values = sorted({value for cell in facts[column] for value in cell})
        vectors = dict(zip(values, rng.standard_normal((len(values), n_traits))))
        sums = np.array([sum(vectors[value] for value in cell) for cell in facts[column]])
        traits += weight * _scale_rows(sums)
    return _scale_rows(traits - traits.mean(axis=0))


def _scale_rows(matrix):
    """Return the rows of the matrix scaled to length 1."""
    return matrix / np.linalg.norm(matrix, axis=1, keepdims=True)


def _draw_tastes(n_users, n_traits, rng):
    """Return the lasting tastes, (n_users, n_traits), and the group of each viewer, (n_users,) (step 3)."""
    centres = rng.standard_normal((N_GROUPS, n_traits))
    centres -= centres.mean(axis=0)  # otherwise the whole audience would share one taste
    groups = rng.integers(N_GROUPS, size=n_users)
    own = rng.standard_normal((n_users, n_traits))
    return TASTE_SD * (np.sqrt(GROUP_SHARE) * centres[groups] + np.sqrt(1 - GROUP_SHARE) * own), groups


def _draw_calendar(n_viewers, events_per_user, max_films, rng):
    """Return when each viewer watches (step 5).

    The result has the shape (n_viewers, longest history): seconds since 1970, and 0 after a viewer's last film.
    """
    log_mean = np.log(events_per_user) - ACTIVITY_SD**2 / 2  # the mean of a lognormal is exp(log_mean + sd² / 2)
    n_films = np.rint(rng.lognormal(log_mean, ACTIVITY_SD, n_viewers)).clip(MIN_FILMS, max_films).astype(int)
    times = np.zeros((n_viewers, n_films.max()), dtype=np.int64)
    for row, n in zip(times, n_films):
        sizes = rng.choice(np.arange(1, 7), size=n, p=EVENING_SIZES)
        evening = np.repeat(np.arange(n), sizes)[:n]  # (n,): 0, 0, 0, 1, 2, 2 … for evenings of 3, 1, 2 … films
        n_evenings = evening[-1] + 1
        joined = rng.integers(N_DAYS // 2)
        days = joined + np.sort(rng.choice(N_DAYS - joined, size=n_evenings, replace=False))
        begins = FIRST_DAY + days * DAY + rng.integers(18 * HOUR, 20 * HOUR, size=n_evenings)
        elapsed = np.cumsum(rng.integers(3 * HOUR // 2, 5 * HOUR // 2, size=n))
        first = np.searchsorted(evening, evening)  # (n,): position of the first film of the same evening
        row[:n] = begins[evening] + elapsed - elapsed[first]
    return times


def _choose_films(times, programme, user_factors, item_factors, drift, mood, rng):
    """Return the film picked at each time, and the taste that picked it (step 6).

    All viewers pick their first film together, then their second one, and so on. The largest of logits plus
    Gumbel noise is a draw from their softmax. The results have the shapes (n_viewers, longest history) and
    (n_viewers, longest history, n_traits).
    """
    n_viewers, n_steps = times.shape
    picks = np.zeros((n_viewers, n_steps), dtype=np.int64)
    tastes = np.zeros((n_viewers, n_steps, user_factors.shape[1]))
    unseen = np.tile(programme, (n_viewers, 1))  # (n_viewers, n_items), -inf for what cannot be picked
    waits = np.diff(times, axis=1, prepend=times[:, :1])  # seconds since the film before, 0 for the first one
    drifts = np.zeros_like(user_factors)
    moods = rng.normal(0, mood, user_factors.shape)
    for step in range(n_steps):
        now = np.flatnonzero(times[:, step])  # the viewers who have not finished
        shape = (len(now), user_factors.shape[1])
        wait = waits[now, step, None]
        drifts[now] += drift * np.sqrt(wait / (N_DAYS * DAY)) * rng.standard_normal(shape)
        memory = np.where(wait < 6 * HOUR, MOOD_MEMORY, 0.0)  # a new evening forgets the mood of the last one
        moods[now] = memory * moods[now] + np.sqrt(1 - memory**2) * mood * rng.standard_normal(shape)
        taste = user_factors[now] + drifts[now] + moods[now]
        logits = unseen[now] + taste @ item_factors.T
        pick = np.argmax(logits + rng.gumbel(size=logits.shape), axis=1)
        picks[now, step], tastes[now, step] = pick, taste
        unseen[now, pick] = -np.inf
    return picks, tastes


def _check_range(name, value, low, high=None):
    """Raise unless low <= value <= high, where no high means finite."""
    limits = f"of {low} or more" if high is None else f"from {low} to {high}"
    if not low <= value <= (np.finfo(float).max if high is None else high):
        raise ValueError(f"expected {name} {limits}, received {value}; choose a value in this range")
