"""Noise explorer: a slider for the power of popularity, what is then drawn, and how often that is a mistake."""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import traitlets

from utils.book.plotting import colour
from utils.negative_sampling import noise_distribution
from utils.widgets.base import BookWidget

#: Into how many equal parts of the catalogue the draws are counted, and how many draws are shown.
N_PARTS, N_SHOWN = 10, 8


class NoiseExplorer(BookWidget):
    r"""Draws by popularity to a power that the reader turns, in catalogues of several sizes.

    Shares of draws and of false negatives are computed here for every stop of the slider, exactly, from the
    probabilities.

    Parameters
    ----------
    popularity : dict of str to array_like of shape (n_items,)
        For each catalogue, by its name: how many events each of 10 or more items has, above 0. Sizes may differ.
    owned : dict of str to array_like of shape (n_items,)
        For each catalogue the chance, 0 to 1, that the user of a random event has each item.
    labels : dict of str to sequence of str, optional
        Names of the items, for catalogues where they have some; in others an item is called by its place.
    powers : sequence of float, optional
        The stops of the slider, increasing, with 0 and 1 among them.
    power : float, optional
        Where the slider starts; one of the stops.
    catalogue : str, optional
        The catalogue that is shown at first; the first one if left out.

    Attributes
    ----------
    catalogues : list of str
        The names.
    watched : list of list of float
        For each catalogue, the share of the events that each tenth of it has, in percent, the most popular tenth first.
    drawn : list of list of list of float
        For each catalogue and stop, the share of the draws that each tenth gets, in percent.
    false_share : list of list of float
        For each catalogue and stop, how many of the draws are items that the user has, as a share.
    false_text : list of list of str
        The same in words, such as ``"25%"``.
    sample : list of list of list of str
        For each catalogue and stop, eight draws: the same chance at every stop, turned into items by the power.

    Raises
    ------
    traitlets.TraitError
        If an argument is not as described; the message says what was expected, what was received, and what to do.
    """

    slug = "negative_sampling"

    catalogues = traitlets.List(traitlets.Unicode()).tag(sync=True)
    powers = traitlets.List(traitlets.Float()).tag(sync=True)
    watched = traitlets.List().tag(sync=True)
    drawn = traitlets.List().tag(sync=True)
    false_share = traitlets.List().tag(sync=True)
    false_text = traitlets.List().tag(sync=True)
    sample = traitlets.List().tag(sync=True)
    power = traitlets.Float().tag(sync=True)
    catalogue = traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        popularity,
        owned,
        labels=None,
        *,
        powers=tuple(stop / 10 for stop in range(-5, 16)),
        power=0.0,
        catalogue=None,
    ):
        powers, labels = [float(stop) for stop in powers], labels or {}
        _check(popularity, owned, labels, powers)
        results = [_explore(popularity[name], owned[name], labels.get(name), powers) for name in popularity]
        watched, drawn, false_share, sample = map(list, zip(*results))
        super().__init__(
            catalogues=list(popularity),
            powers=powers,
            watched=watched,
            drawn=drawn,
            false_share=false_share,
            false_text=[[_percent(share) for share in shares] for shares in false_share],
            sample=sample,
            power=power,
            catalogue=next(iter(popularity)) if catalogue is None else catalogue,
        )

    @traitlets.validate("power")
    def _check_power(self, proposal):
        if proposal["value"] not in self.powers:
            raise traitlets.TraitError(
                f"expected a power among {self.powers}, received {proposal['value']}; add it to powers"
            )
        return proposal["value"]

    @traitlets.validate("catalogue")
    def _check_catalogue(self, proposal):
        if proposal["value"] not in self.catalogues:
            raise traitlets.TraitError(
                f"expected a catalogue among {self.catalogues}, received {proposal['value']!r}; add it to popularity"
            )
        return proposal["value"]

    def describe(self):
        """Say who gets the draws, and how many of them are false."""
        which, stop = self.catalogues.index(self.catalogue), self.powers.index(self.power)
        return (
            f"{self.catalogue}, power {self.power:.1f}: the most popular tenth gets {self.drawn[which][stop][0]:.0f}% "
            f"of the draws, and has {self.watched[which][0]:.0f}% of the viewings. Of all draws, "
            f"{self.false_text[which][stop]} hit something that the viewer already has."
        )

    def draw(self):
        """Draw the shares of the tenths at the present power."""
        which, stop = self.catalogues.index(self.catalogue), self.powers.index(self.power)
        figure, axes = plt.subplots(figsize=(5.2, 3.4))
        places = np.arange(1, N_PARTS + 1)
        axes.bar(places, self.drawn[which][stop], color=colour("orange"), label="draws")
        axes.step(places, self.watched[which], where="mid", color=colour("blue"), label="viewings")
        axes.set(
            title=f"{self.catalogue}, α = {self.power:.1f}",
            xlabel="tenth of the catalogue, the most popular first",
            ylabel="share in percent",
        )
        axes.set_xticks(places)
        axes.legend()
        return figure


def _explore(popularity, owned, labels, powers):
    """Return what the widget shows of one catalogue: watched, and by stop drawn, false_share and sample."""
    order = np.argsort(-np.asarray(popularity, dtype=float), kind="stable")
    popularity, owned = np.asarray(popularity, dtype=float)[order], np.asarray(owned, dtype=float)[order]
    part = np.arange(len(order)) * N_PARTS // len(order)
    luck = np.random.default_rng(0).random(N_SHOWN)
    drawn, false_share, sample = [], [], []
    for power in powers:
        noise = noise_distribution(popularity, power)
        drawn.append(_parts(noise, part))
        false_share.append(float(f"{noise @ owned:.3g}"))
        # The same luck at every stop, so that a turn of the slider moves draws and does not replace them.
        places = np.minimum(np.searchsorted(np.cumsum(noise), luck, side="right"), len(order) - 1)
        sample.append([str(labels[order[i]]) if labels is not None else f"no. {i + 1:,}" for i in places])
    return _parts(popularity / popularity.sum(), part), drawn, false_share, sample


def _parts(shares, part):
    return (100 * np.bincount(part, shares, minlength=N_PARTS)).round(2).tolist()


def _percent(share):
    """Write a share in percent with two digits that count, and no more zeros than it needs."""
    percent = 100 * share
    if percent >= 10 or percent == 0:
        return f"{percent:.0f}%"
    decimals = 1 - int(np.floor(np.log10(percent)))
    return f"{percent:.{decimals}f}%"


def _check(popularity, owned, labels, powers):
    """Say what is wrong with the arguments, if anything is."""
    if not popularity or list(popularity) != list(owned) or not set(labels) <= set(popularity):
        raise traitlets.TraitError(
            f"expected the same catalogues in popularity, owned and labels, received {list(popularity)}, {list(owned)} "
            f"and {list(labels)}; name them alike, in the same order"
        )
    for name, counts in popularity.items():
        counts, chances = np.asarray(counts, dtype=float), np.asarray(owned[name], dtype=float)
        if counts.ndim != 1 or len(counts) < N_PARTS or not (np.isfinite(counts) & (counts > 0)).all():
            raise traitlets.TraitError(
                f"expected popularity above 0 of {N_PARTS} or more items of {name!r}, received "
                f"{np.array2string(counts, threshold=6, edgeitems=2)}; leave out what has no event"
            )
        if chances.shape != counts.shape or not ((chances >= 0) & (chances <= 1)).all():
            raise traitlets.TraitError(
                f"expected owned from 0 to 1 for each of the {len(counts)} items of {name!r}, received "
                f"{np.array2string(chances, threshold=6, edgeitems=2)}; give the chance that a user has it"
            )
        if name in labels and len(labels[name]) != len(counts):
            raise traitlets.TraitError(
                f"expected {len(counts)} labels for {name!r}, one an item, received {len(labels[name])}; name each item"
            )
    is_increasing = all(a < b for a, b in pairwise(powers))
    if not is_increasing or not {0.0, 1.0} <= set(powers):
        raise traitlets.TraitError(f"expected increasing powers with 0 and 1 among them, received {powers}; add those")
