"""Pairs of a session: sliders for the window and the power of the noise, and what they do to an item's neighbours."""

import matplotlib.pyplot as plt
import numpy as np
import traitlets

from utils.book.plotting import colour
from utils.embeddings import nearest_items
from utils.item2vec import noise_distribution
from utils.widgets.base import BookWidget

#: How many neighbours are listed, and among how many of the truly most alike one counts as found.
N_NEAREST, N_TRULY_ALIKE = 5, 10

#: How many negatives are drawn, and into how many parts the catalogue is cut by popularity.
N_DRAWN, N_PARTS = 8, 10


class SessionPairs(BookWidget):
    """The pairs that a window makes of a session, the negatives that a power draws, and what was learned from them.

    Parameters
    ----------
    fits : dict of (int or None, float) to ItemVectors
        (window, noise power) → a fit with these settings; None is the whole session. Every window with every power, at
        least two of each, all fitted on the same sessions of item indices.
    session : sequence of int
        Items of one session, in the order of time: 3 to 14 different ones, all with vectors.
    item_labels : sequence of str
        A unique name for each item.
    true_vectors : array_like of shape (n_items, n_traits), optional
        What the items are really like, where that is known. Without it, nothing is said about the truth.
    breaks : sequence of int, optional
        Positions in the session before which there was a long pause, such as a night.
    window : int, optional
        Where the slider starts, a window of the fits; the smallest one if left out, and 0 for the whole session.
    power : float, optional
        Where the other slider starts, a power of the fits; the smallest one if left out.
    centre : int, optional
        The position in the session that is the centre at first.

    Attributes
    ----------
    titles : list of str
        The items that are named anywhere, by number.
    session : list of int
        Numbers of the items of the session.
    windows : list of int
        Stops of the slider, increasing; 0 at the end stands for the whole session.
    powers : list of float
        Stops of the other one, increasing.
    n_pairs : list of int
        For each window, the pairs that the session makes.
    shares : list of list of int
        For each power, the share of the negatives that comes from each tenth of the items, the most popular tenth
        first, in percent.
    event_shares : list of int
        The share of the events that is about each tenth, in percent.
    drawn : list of list of int
        For each power, numbers of 8 negatives. The same random numbers draw them at each power.
    nearest : list of list of list of list of int
        For each window, power and position, the 5 nearest other items by cosine, nearest first.
    alike : list of list of int
        For each position, which of the items named are among the 10 truly most alike; empty lists without a truth.
    found : list of list of float
        For each window and power, how many of an item's 5 nearest are among the 10 truly most alike, on average over
        all items; empty without a truth.

    Raises
    ------
    traitlets.TraitError
        If an argument is not as described; the message says what was expected, what was received, and what to do.
    """

    slug = "item2vec"

    titles = traitlets.List(traitlets.Unicode()).tag(sync=True)
    session = traitlets.List(traitlets.Int()).tag(sync=True)
    breaks = traitlets.List(traitlets.Int()).tag(sync=True)
    windows = traitlets.List(traitlets.Int()).tag(sync=True)
    powers = traitlets.List(traitlets.Float()).tag(sync=True)
    n_pairs = traitlets.List(traitlets.Int()).tag(sync=True)
    shares = traitlets.List().tag(sync=True)
    event_shares = traitlets.List(traitlets.Int()).tag(sync=True)
    drawn = traitlets.List().tag(sync=True)
    nearest = traitlets.List().tag(sync=True)
    alike = traitlets.List().tag(sync=True)
    found = traitlets.List().tag(sync=True)
    window = traitlets.Int().tag(sync=True)
    power = traitlets.Float().tag(sync=True)
    centre = traitlets.Int().tag(sync=True)

    def __init__(self, fits, session, item_labels, true_vectors=None, *, breaks=(), window=None, power=None, centre=0):
        session, item_labels = [int(item) for item in session], [str(label) for label in item_labels]
        windows, powers = _check(fits, session, item_labels, true_vectors, breaks)
        grid = [[fits[w, p] for p in powers] for w in windows]
        counts = np.zeros(len(item_labels))
        counts[grid[0][0].ids] = grid[0][0].counts
        items = np.flatnonzero(counts)

        nearest = [[_nearest(fitted, items) for fitted in row] for row in grid]  # each (n_items, 5)
        places = np.searchsorted(items, session)
        truly, found = None, []
        if true_vectors is not None:
            truly = items[nearest_items(np.asarray(true_vectors)[items], N_TRULY_ALIKE)]
            found = [[round(float(_n_common(table, truly).mean()), 2) for table in row] for row in nearest]
        drawn = [_draw(items, counts, p) for p in powers]

        # Only what is named goes into the page.
        shown = [table[places] for row in nearest for table in row]
        named = list(dict.fromkeys([*session, *np.ravel(shown).tolist(), *np.ravel(drawn).tolist()]))
        number = {item: n for n, item in enumerate(named)}
        alike = [[]] * len(session)
        if truly is not None:
            alike = [[number[item] for item in truly[at].tolist() if item in number] for at in places]
        super().__init__(
            titles=[item_labels[item] for item in named],
            session=[number[item] for item in session],
            breaks=[int(position) for position in breaks],
            windows=[0 if w is None else int(w) for w in windows],
            powers=[float(p) for p in powers],
            n_pairs=[_count_pairs(len(session), w) for w in windows],
            shares=[_part_shares(noise_distribution(counts[items], p), counts[items]) for p in powers],
            event_shares=_part_shares(counts[items] / counts.sum(), counts[items]),
            drawn=[[number[item] for item in row] for row in drawn],
            nearest=[[[[number[i] for i in table[at].tolist()] for at in places] for table in row] for row in nearest],
            alike=alike,
            found=found,
            window=(windows[0] or 0) if window is None else window,
            power=powers[0] if power is None else power,
            centre=centre,
        )

    @traitlets.validate("window")
    def _check_window(self, proposal):
        return _one_of(proposal["value"], self.windows, "window")

    @traitlets.validate("power")
    def _check_power(self, proposal):
        return _one_of(proposal["value"], self.powers, "power")

    @traitlets.validate("centre")
    def _check_centre(self, proposal):
        return _one_of(proposal["value"], list(range(len(self.session))), "centre")

    def contexts(self):
        """Return the positions that are contexts of the centre, list of int."""
        reach = self.window or len(self.session)
        return [at for at in range(len(self.session)) if 0 < abs(at - self.centre) <= reach]

    def describe(self):
        """Say which pairs there are, where the negatives come from, and which items are nearest to the centre."""
        stop, p = self.windows.index(self.window), self.powers.index(self.power)
        near, centre = self.nearest[stop][p][self.centre], self._title(self.session[self.centre])
        reach = f"Window {self.window}" if self.window else "The whole session as the window"
        text = (
            f"{reach}: {self.n_pairs[stop]} pairs, {len(self.contexts())} of them with {centre} as the centre. "
            f"Power {self.power:g}: {self.shares[p][0]}% of the negatives are from the most popular tenth. "
            f"Nearest: {', '.join(map(self._title, near))}."
        )
        if not self.found:
            return text
        n_true = len(set(near) & set(self.alike[self.centre]))
        return (
            f"{text} {n_true} of these {N_NEAREST} are truly alike; the average over all items is "
            f"{self.found[stop][p]:.2f}."
        )

    def draw(self):
        """Draw the session with the pairs of its centre."""
        titles = [self._title(number) for number in self.session]
        figure, axes = plt.subplots(figsize=(5.2, 0.28 * len(titles) + 0.6))
        turn = np.linspace(np.pi / 2, 3 * np.pi / 2, 40)
        for at in self.contexts():
            middle, half = (at + self.centre) / 2, abs(at - self.centre) / 2
            x, y = np.cos(turn) * (0.4 + half / 2), middle + half * np.sin(turn)
            axes.plot(x, y, color=colour("orange"), lw=1.5, ls="-")
        for at, title in enumerate(titles):
            is_centre = at == self.centre
            axes.text(0.15, at, title, va="center", weight="bold" if is_centre else "normal", color=colour("ink"))
        for at in self.breaks:
            axes.axhline(at - 0.5, xmin=0.4, color=colour("muted"), lw=1, ls=":")
        axes.set(xlim=(-4, 6), ylim=(len(titles) - 0.4, -0.6))
        axes.set_axis_off()
        return figure

    def _title(self, number):
        return self.titles[number]


def _nearest(fitted, items):
    """Return the nearest other items of each, (len(items), 5), both in the order of `items`."""
    rows = np.argsort(fitted.ids)
    return items[nearest_items(fitted.item_vectors[rows], N_NEAREST)]


def _n_common(table, truly):
    """Return how many entries of each row of one table are in the same row of the other, (n_rows,)."""
    return (table[:, :, None] == truly[:, None, :]).any(axis=2).sum(axis=1)


def _draw(items, counts, power):
    """Draw negatives; items lie in the order of popularity, so that another power moves a draw only a little."""
    by_popularity = items[np.argsort(-counts[items], kind="stable")]
    sums = np.cumsum(noise_distribution(counts[by_popularity], power))
    lots = np.random.default_rng(0).random(N_DRAWN)
    return by_popularity[np.searchsorted(sums, lots * sums[-1], side="right")].tolist()


def _part_shares(shares, counts):
    """Return the sum of the shares in each tenth by popularity, the most popular first, in percent."""
    parts = np.array_split(shares[np.argsort(-counts, kind="stable")], N_PARTS)
    return [round(100 * float(part.sum())) for part in parts]


def _count_pairs(n, window):
    reach = n - 1 if window is None else min(window, n - 1)
    return reach * (2 * n - reach - 1)


def _one_of(value, stops, name):
    if value not in stops:
        raise traitlets.TraitError(f"expected a {name} among {stops}, received {value}; choose one of them")
    return value


def _check(fits, session, labels, true_vectors, breaks):
    """Return the windows and powers of the fits in order; say what is wrong with the arguments, if anything is."""
    windows = sorted({w for w, _ in fits}, key=lambda w: np.inf if w is None else w)
    powers = sorted({p for _, p in fits})
    missing = [(w, p) for w in windows for p in powers if (w, p) not in fits]
    if len(windows) < 2 or len(powers) < 2 or missing:
        raise traitlets.TraitError(
            f"expected a fit for two or more windows with each of two or more powers, received {len(windows)} windows "
            f"and {len(powers)} powers without {missing or 'a gap'}; add fits"
        )
    n_items, ids = len(labels), set(next(iter(fits.values())).ids)
    if len(set(labels)) != n_items or not ids <= set(range(n_items)):
        raise traitlets.TraitError(
            f"expected {n_items} different item_labels, one for each item index of the fits, received "
            f"{len(set(labels))} different ones and indices up to {max(ids)}; name each item"
        )
    if any(set(fitted.ids) != ids for fitted in fits.values()):
        raise traitlets.TraitError("expected fits of the same items, received others; fit all on the same sessions")
    if len(ids) <= N_TRULY_ALIKE:
        raise traitlets.TraitError(
            f"expected more than {N_TRULY_ALIKE} items with vectors, received {len(ids)}; an item needs others"
        )
    if not 3 <= len(session) <= 14 or len(set(session)) < len(session) or not set(session) <= ids:
        raise traitlets.TraitError(
            f"expected a session of 3 to 14 different items that have vectors, received {session}; choose another"
        )
    if true_vectors is not None and len(true_vectors) != n_items:
        raise traitlets.TraitError(
            f"expected one true vector for each of the {n_items} items, received {len(true_vectors)}; leave none out"
        )
    if not set(breaks) <= set(range(1, len(session))):
        raise traitlets.TraitError(
            f"expected breaks from 1 to {len(session) - 1}, received {list(breaks)}; a break stands before a position"
        )
    return windows, powers
