"""Consistency laboratory: how much of an average comes back, by dimension, size of the catalogue and subset."""

import matplotlib.pyplot as plt
import numpy as np
import traitlets
from scipy.optimize import brentq
from scipy.special import log_ndtr

from utils.book.plotting import colour
from utils.book.progress import progress_bar
from utils.consistency import expected_precision, normal_consistency, score_moments, simulate_consistency
from utils.widgets.base import BookWidget

#: The stops of the sliders.
DIMENSIONS = (2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
CATALOGUES = (*(m * 10**e for e in (1, 2, 3, 4) for m in (1, 3)), *(10**e for e in range(5, 13)))
SUBSETS = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000)

#: Name → how the page calls it, the kurtosis of a coordinate, and how to draw some.
DISTRIBUTIONS = {
    "normal": ("normal", 3.0, lambda rng, shape: rng.standard_normal(shape, dtype=np.float32)),
    "uniform": ("uniform", 1.8, lambda rng, shape: rng.random(shape, dtype=np.float32) - np.float32(0.5)),
    "signs": ("+1 or −1", 1.0, lambda rng, shape: 2 * rng.integers(2, size=shape).astype(np.float32) - 1),
    "heavy": ("heavy tails", 9.0, lambda rng, shape: rng.standard_t(5, shape).astype(np.float32)),  # 3 + 6 / (5 - 4)
}

#: Up to here the catalogues of other than normal items are simulated.
MAX_SIMULATED = {"dimension": 128, "n_items": 10**5}

LONGEST_NAME = 30


class ConsistencyLaboratory(BookWidget):
    """Curves of the consistency against k, for the dimension, the catalogue and the distribution that the reader picks.

    Parameters
    ----------
    grid : dict
        What `compute_grid` of this module returned; the book keeps the whole one with its results.
    overlays : sequence of dict, optional
        Measured curves of real vectors, each with ``name`` (unique, at most 30 characters), ``d``, ``n_items`` and
        lists ``k``, ``value`` and ``error`` of one length, the last two as shares.
    dimension, n_items, k : int, optional
        Where the sliders start, each at one of the stops of `grid`; k is at most n_items.
    distribution : {"normal", "uniform", "signs", "heavy"}, optional
        Of the coordinates of the items.
    overlay : str, optional
        Name of the overlay that is shown; none if empty.

    Attributes
    ----------
    dimensions, catalogues, subsets : list of int
        The stops.
    formula, sampled : dict of str to str
        By distribution: shares by `utils.consistency.expected_precision`, and by the exact law (normal items) or a
        simulation (others), as `pack_shares` writes them; dimensions first, then catalogues, then subsets.

    Raises
    ------
    traitlets.TraitError
        If an argument is not as described; the message says what was expected, what was received, and what to do.
    """

    slug = "averaging"

    dimensions = traitlets.List(traitlets.Int()).tag(sync=True)
    catalogues = traitlets.List(traitlets.Int()).tag(sync=True)
    subsets = traitlets.List(traitlets.Int()).tag(sync=True)
    formula = traitlets.Dict().tag(sync=True)
    sampled = traitlets.Dict().tag(sync=True)
    overlays = traitlets.List().tag(sync=True)
    dimension = traitlets.Int().tag(sync=True)
    n_items = traitlets.Int().tag(sync=True)
    k = traitlets.Int().tag(sync=True)
    distribution = traitlets.Enum(tuple(DISTRIBUTIONS), default_value="normal").tag(sync=True)
    overlay = traitlets.Unicode("").tag(sync=True)

    def __init__(self, grid, overlays=(), *, dimension=128, n_items=1000, k=10, **traits):
        super().__init__(**grid, overlays=[_check_overlay(one) for one in overlays])
        names = [one["name"] for one in self.overlays]
        if len(set(names)) < len(names):
            raise traitlets.TraitError(f"expected a different name for each overlay, received {names}; rename some")
        self.dimension, self.n_items = dimension, n_items  # first, since they limit k
        self.k = k
        for name, value in traits.items():
            setattr(self, name, value)

    @traitlets.validate("dimension", "n_items", "k")
    def _check_stop(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        stops = {"dimension": self.dimensions, "n_items": self.catalogues, "k": self.subsets}[name]
        if value not in stops:
            raise traitlets.TraitError(f"expected {name} among {stops}, received {value}; choose a stop of the slider")
        if name == "k" and value > self.n_items:
            raise traitlets.TraitError(f"expected k of at most {self.n_items} items, received {value}; average fewer")
        return value

    @traitlets.observe("n_items")
    def _average_no_more_than_all(self, change):
        if self.k > change["new"]:
            self.k = max(k for k in self.subsets if k <= change["new"])

    @traitlets.validate("overlay")
    def _check_overlay_name(self, proposal):
        names = [one["name"] for one in self.overlays]
        if proposal["value"] not in ("", *names):
            raise traitlets.TraitError(
                f"expected an overlay among {names}, received {proposal['value']!r}; leave it empty for none"
            )
        return proposal["value"]

    def shares(self):
        """Return the shares by formula and by sampling along all k, each (n_subsets,); NaN where there is none."""
        start = self.dimensions.index(self.dimension) * len(self.catalogues) + self.catalogues.index(self.n_items)
        rows = slice(start * len(self.subsets), (start + 1) * len(self.subsets))
        return tuple(unpack_shares(kind[self.distribution])[rows] for kind in (self.formula, self.sampled))

    def describe(self):
        """Say how much comes back by formula, by the exact law or by simulation (whole percent), and by chance."""
        place = self.subsets.index(self.k)
        formula, sampled = (values[place] for values in self.shares())
        ways = [f"by the formula {_percent(formula)} of these come back"]
        if not np.isnan(sampled):
            way = "the exact law" if self.distribution == "normal" else "simulation"
            ways.append(f"by {way} {_whole_percent(sampled)}")
        ways.append(f"by chance {_percent(self.k / self.n_items)}")
        kind = DISTRIBUTIONS[self.distribution][0]
        text = f"{self.n_items:,} items of {self.dimension:,} numbers ({kind}), {self.k:,} averaged: {', '.join(ways)}."
        for one in self.overlays:
            if one["name"] == self.overlay:
                place = int(np.argmin([abs(k - self.k) for k in one["k"]]))
                text += f" Measured, {one['name']}: {_percent(one['value'][place])} at k = {one['k'][place]}."
        return text

    def draw(self):
        """Draw the curves against k, with the place of k."""
        formula, sampled = self.shares()
        k = np.array(self.subsets)
        figure, axes = plt.subplots(figsize=(5.6, 3.4))
        axes.semilogx(k, 100 * formula, "--", color=colour("blue"), label="formula")
        name = "exact law" if self.distribution == "normal" else "simulation"
        axes.semilogx(k, 100 * sampled, "-", color=colour("orange"), label=name)
        is_possible = k <= self.n_items
        axes.semilogx(k[is_possible], 100 * k[is_possible] / self.n_items, ":", color=colour("muted"), label="chance")
        for one in self.overlays:
            if one["name"] == self.overlay:
                axes.plot(one["k"], 100 * np.array(one["value"]), "s", color=colour("green"), label=one["name"])
        axes.axvline(self.k, color=colour("muted"), lw=1)
        axes.set(xlabel="k", ylabel="members that come back (%)", ylim=(0, 103))
        axes.legend()
        return figure


def compute_grid(*, dimensions=DIMENSIONS, catalogues=CATALOGUES, subsets=SUBSETS, n_draws=40_000, rng, progress=True):
    """Compute what the laboratory looks up; with all stops that takes some minutes.

    Parameters
    ----------
    dimensions, catalogues, subsets : sequence of int, optional
        The stops of the three sliders.
    n_draws : int, optional
        How many members to draw in a cell of the exact law; 40 times fewer in a simulation. The standard error of a
        share is below ``0.5 / sqrt(draws)``.
    rng : numpy.random.Generator
        Source of randomness.
    progress : bool, optional
        Whether to show a progress bar.

    Returns
    -------
    dict
        The stops, and packed shares, as `ConsistencyLaboratory` takes them.
    """
    shape = len(dimensions), len(catalogues), len(subsets)
    formula = {name: np.full(shape, np.nan) for name in DISTRIBUTIONS}
    sampled = {name: np.full(shape, np.nan) for name in DISTRIBUTIONS}
    cells = [(i, j) for i in range(shape[0]) for j in range(shape[1])]
    for i, j in progress_bar(cells, desc="laboratory", unit="cell", show=progress):
        d, n_items = dimensions[i], catalogues[j]
        possible = np.array([k for k in subsets if k <= n_items])
        for name, (_, kurtosis, draw) in DISTRIBUTIONS.items():
            formula[name][i, j, : len(possible)] = expected_precision(d, n_items, possible, kurtosis=kurtosis)
            is_small = d <= MAX_SIMULATED["dimension"] and n_items <= MAX_SIMULATED["n_items"]
            if name == "normal":
                for place, k in enumerate(possible):
                    n = max(200, n_draws // int(k))
                    sampled[name][i, j, place] = normal_consistency(d, n_items, int(k), n_samples=n, rng=rng).mean
            elif is_small:
                sampled[name][i, j, : len(possible)] = _simulate(d, n_items, possible, draw, n_draws // 40, rng)
    return {
        "dimensions": list(dimensions),
        "catalogues": list(catalogues),
        "subsets": list(subsets),
        "formula": {name: pack_shares(values) for name, values in formula.items()},
        "sampled": {name: pack_shares(values) for name, values in sampled.items()},
    }


def _simulate(d, n_items, subsets, draw, n_draws, rng):
    """Return a share for each k, over several catalogues: a small one says little of others."""
    n_catalogues = 40 if n_items <= 300 else 10 if n_items <= 3000 else 2
    shares = np.zeros(len(subsets))
    for _ in range(n_catalogues):
        items = draw(rng, (n_items, d))
        for place, k in enumerate(subsets):
            n = max(4, n_draws // (n_catalogues * int(k)))
            shares[place] += simulate_consistency(items, int(k), n_subsets=n, rng=rng, progress=False).mean
    return shares / n_catalogues


def pack_shares(shares):
    """Write shares from 0 to 1 as text, in thousandths: two digits to the base of 36 each, ``--`` for NaN.

    Examples
    --------
    >>> pack_shares([0, 0.5, 1, np.nan])
    '00dwrs--'
    """
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    thousandths = np.rint(1000 * np.nan_to_num(np.ravel(shares), nan=-1)).astype(int).tolist()
    return "".join("--" if n < 0 else digits[n // 36] + digits[n % 36] for n in thousandths)


def unpack_shares(text):
    """Read what `pack_shares` wrote, (n_shares,) float64.

    Examples
    --------
    >>> unpack_shares("00dwrs--")
    array([0. , 0.5, 1. , nan])
    """
    pairs = (text[i : i + 2] for i in range(0, len(text), 2))
    return np.array([np.nan if pair == "--" else int(pair, 36) / 1000 for pair in pairs])


def picture(d, n_items, k, kurtosis):
    """Return where the small picture of the scores puts the members and the end of the list.

    Parameters
    ----------
    d, n_items, k : int
        As in `utils.consistency.expected_precision`; k below n_items.
    kurtosis : float
        Of a coordinate, which has the mean 0.

    Returns
    -------
    gap, ratio, end : float
        Mean and standard deviation of a member's score, and the score above which k of all items are expected: there as
        many others lie above it as members below. All are in units of the standard deviation of the others' scores,
        whose mean is 0.
    """
    moments = score_moments(d, k, kurtosis=kurtosis)
    gap, ratio = moments.mean_in / moments.std_out, moments.std_in / moments.std_out

    if ratio == 0:
        return gap, ratio, gap

    def surplus(score):  # of the others above the score over the members below it, in logarithms: both may be tiny
        return np.log((n_items - k) / k) + log_ndtr(-score) - log_ndtr((score - gap) / ratio)

    return gap, ratio, brentq(surplus, -10, max(10, gap + 10 * ratio), xtol=1e-12)


def _percent(share):
    thousandths = int(np.floor(1000 * share + 0.5))
    if thousandths == 0:
        return "less than 0.1%"
    return f"{thousandths // 10}%" if thousandths % 10 == 0 else f"{thousandths / 10:.1f}%"


def _whole_percent(share):
    """Write a share that was sampled: the error of `compute_grid` leaves no digit after the point."""
    thousandths = int(np.floor(1000 * share + 0.5))
    if thousandths < 5:
        return "less than 1%"
    return "more than 99%" if 995 <= thousandths < 1000 else f"{(thousandths + 5) // 10}%"


def _check_overlay(overlay):
    """Say what is wrong with a measured curve, if anything is."""
    names = ("name", "d", "n_items", "k", "value", "error")
    if set(overlay) != set(names):
        raise traitlets.TraitError(
            f"expected an overlay with {', '.join(names)}, received {', '.join(overlay)}; give all of these"
        )
    if not 0 < len(overlay["name"]) <= LONGEST_NAME:
        raise traitlets.TraitError(
            f"expected a name of 1 to {LONGEST_NAME} characters, received {overlay['name']!r}; shorten it"
        )
    lengths = {len(overlay[name]) for name in ("k", "value", "error")}
    if len(lengths) > 1 or lengths == {0}:
        raise traitlets.TraitError(
            f"expected as many values and errors as k in the overlay {overlay['name']!r}, received "
            f"{[len(overlay[name]) for name in ('k', 'value', 'error')]}; measure all of them for each k"
        )
    if not all(0 <= value <= 1 for value in overlay["value"]):
        raise traitlets.TraitError(f"expected shares from 0 to 1, received {overlay['value']}; divide percents by 100")
    return {name: overlay[name] for name in names}
