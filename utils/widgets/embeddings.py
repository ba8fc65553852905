"""Map of films: a slider for the number of dimensions, and the nearest neighbours of the film you pick."""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import traitlets
from scipy.sparse import csr_array, issparse

from utils.book.plotting import colour
from utils.embeddings import nearest_items, project_to_plane
from utils.matrix_factorization import truncated_svd
from utils.widgets.base import BookWidget

#: How many neighbours are listed, and among how many of the truly most alike one counts as found.
N_NEAREST, N_TRULY_ALIKE = 5, 10


class EmbeddingMap(BookWidget):
    r"""A map of the most popular items, by vectors of as many numbers as the reader likes.

    The vectors are :math:`\mathbf{V}_d \boldsymbol{\Sigma}_d` of the truncated SVD of the whole matrix. Maps,
    neighbours and errors for every dimension are computed here, once.

    Parameters
    ----------
    matrix : sparse matrix or array_like of shape (n_users, n_items)
        The interactions. Dense, or sparse with missing entries for 0.
    item_labels : sequence of str
        A unique name for each item.
    true_vectors : array_like of shape (n_items, n_traits), optional
        What the items are really like, where that is known. Without it, nothing is said about the truth.
    n_shown : int, optional
        How many items are on the map: the most popular ones, 11 to all that have interactions.
    dimensions : sequence of int, optional
        The stops of the slider, increasing, 2 or more.
    dimension : int, optional
        Where the slider starts; one of the stops.
    picked : str, optional
        The item that is picked at first; the most popular one if left out.

    Attributes
    ----------
    labels : list of str
        The items that are shown, in alphabetical order.
    maps : list of list of [int, int]
        For each stop, the place of each item, in thousandths of half the width of the drawing.
    shown : list of int
        For each stop, how much of the spread of the directions the flat map can show, in percent.
    nearest : list of list of list of int
        For each stop and item, its 5 nearest other items on display by cosine, nearest first.
    alike : list of list of int
        For each item, the 10 others on display that are truly most alike by cosine; empty lists without a truth.
    found : list of float
        For each stop, how many of an item's 5 nearest are among the 10 truly most alike, on average over the items;
        empty without a truth.
    lost : list of int
        For each stop, the reconstruction error: how much of the sum of squares of the whole matrix is lost, in percent.

    Raises
    ------
    traitlets.TraitError
        If an argument is not as described; the message says what was expected, what was received, and what to do.
    """

    slug = "embeddings"

    labels = traitlets.List(traitlets.Unicode()).tag(sync=True)
    dimensions = traitlets.List(traitlets.Int()).tag(sync=True)
    maps = traitlets.List().tag(sync=True)
    shown = traitlets.List(traitlets.Int()).tag(sync=True)
    nearest = traitlets.List().tag(sync=True)
    alike = traitlets.List().tag(sync=True)
    found = traitlets.List(traitlets.Float()).tag(sync=True)
    lost = traitlets.List(traitlets.Int()).tag(sync=True)
    dimension = traitlets.Int().tag(sync=True)
    picked = traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        matrix,
        item_labels,
        true_vectors=None,
        *,
        n_shown=100,
        dimensions=(2, 3, 4, 5, 6, 8, 9, 10, 12, 16, 24, 32, 64, 128),
        dimension=None,
        picked=None,
    ):
        matrix = csr_array(matrix) if issparse(matrix) else np.asarray(matrix)
        dimensions, item_labels = [int(d) for d in dimensions], [str(label) for label in item_labels]
        _check(matrix, item_labels, true_vectors, n_shown, dimensions)
        popularity = np.asarray((matrix != 0).sum(axis=0)).ravel()
        items = np.argsort(-popularity, kind="stable")[:n_shown]
        most_popular = item_labels[items[0]]
        items = items[np.argsort([item_labels[item] for item in items])]

        svd = truncated_svd(matrix, dimensions[-1])
        vectors = (svd.item_factors * svd.singular_values)[items]
        kept = np.cumsum(svd.singular_values**2)[np.array(dimensions) - 1] / (matrix**2).sum()
        nearest = [nearest_items(vectors[:, :d], N_NEAREST).tolist() for d in dimensions]
        alike, found = [[]] * n_shown, []
        if true_vectors is not None:
            alike = nearest_items(np.asarray(true_vectors)[items], N_TRULY_ALIKE).tolist()
            found = [round(sum(map(_n_common, stop, alike)) / n_shown, 1) for stop in nearest]
        maps, shown, points = [], [], None
        for d in dimensions:
            points, share = project_to_plane(vectors[:, :d], like=points)  # each map is turned like the one before
            maps.append((1000 * points / np.abs(points).max()).round().astype(int).tolist())
            shown.append(round(100 * share))
        super().__init__(
            labels=[item_labels[item] for item in items],
            dimensions=dimensions,
            maps=maps,
            shown=shown,
            nearest=nearest,
            alike=alike,
            found=found,
            lost=[round(100 * (1 - share)) for share in kept],
            dimension=dimensions[0] if dimension is None else dimension,
            picked=most_popular if picked is None else picked,
        )

    @traitlets.validate("dimension")
    def _check_dimension(self, proposal):
        if proposal["value"] not in self.dimensions:
            raise traitlets.TraitError(
                f"expected a dimension among {self.dimensions}, received {proposal['value']}; add it to dimensions"
            )
        return proposal["value"]

    @traitlets.validate("picked")
    def _check_picked(self, proposal):
        if proposal["value"] not in self.labels:
            raise traitlets.TraitError(
                f"expected an item that is on the map, received {proposal['value']!r}; pick one of labels, or show more"
            )
        return proposal["value"]

    def describe(self):
        """Say what is lost, and which items are nearest to the one that is picked."""
        stop, item = self.dimensions.index(self.dimension), self.labels.index(self.picked)
        near = self.nearest[stop][item]
        text = (
            f"{len(self.labels)} items with {self.dimension} numbers each. {self.lost[stop]} % of the squares of the "
            f"matrix are lost. Nearest to {self.picked}: {', '.join(self.labels[other] for other in near)}."
        )
        if not self.found:
            return text
        n_true, mean = _n_common(near, self.alike[item]), self.found[stop]
        return f"{text} {n_true} of these {N_NEAREST} are truly alike; the average over all items is {mean:.1f}."

    def draw(self):
        """Draw the map, with the item that is picked and its neighbours."""
        stop, item = self.dimensions.index(self.dimension), self.labels.index(self.picked)
        points = np.array(self.maps[stop])
        figure, axes = plt.subplots(figsize=(4.2, 4.2))
        axes.plot(*points.T, "o", color=colour("muted"), alpha=0.5, ms=4, mew=0)
        near = self.nearest[stop][item]
        axes.plot(*points[near].T, "o", color=colour("blue"), ms=6)
        for place, other in enumerate(near, start=1):
            axes.annotate(str(place), points[other], (5, 4), textcoords="offset points", color=colour("blue"))
        axes.plot(*points[item], "s", color=colour("orange"), ms=8)
        axes.set(xlim=(-1080, 1080), ylim=(-1080, 1080), aspect="equal", title=self.picked)
        axes.set_axis_off()
        return figure


def _n_common(some, others):
    return len(set(some) & set(others))


def _check(matrix, labels, true_vectors, n_shown, dimensions):
    """Say what is wrong with the arguments, if anything is."""
    if matrix.ndim != 2:
        raise traitlets.TraitError(
            f"expected a matrix of shape (n_users, n_items), received {matrix.shape}; use one row a user"
        )
    n_items = matrix.shape[1]
    if len(labels) != n_items or len(set(labels)) != n_items:
        raise traitlets.TraitError(
            f"expected {n_items} different item_labels, one for each column of the matrix, received {len(labels)} with "
            f"{len(set(labels))} different ones; name each item"
        )
    if true_vectors is not None and len(true_vectors) != n_items:
        raise traitlets.TraitError(
            f"expected one true vector for each of the {n_items} items, received {len(true_vectors)}; leave none out"
        )
    n_watched = int(np.count_nonzero(np.asarray((matrix != 0).sum(axis=0))))
    if not N_TRULY_ALIKE < n_shown <= n_watched:
        raise traitlets.TraitError(
            f"expected n_shown from {N_TRULY_ALIKE + 1} to the number of items with interactions, {n_watched}, "
            f"received {n_shown}; an item needs {N_TRULY_ALIKE} others, and an empty column has no direction"
        )
    is_increasing = all(a < b for a, b in pairwise(dimensions))
    if len(dimensions) < 2 or dimensions[0] < 2 or not is_increasing or dimensions[-1] > min(matrix.shape):
        raise traitlets.TraitError(
            f"expected two or more increasing dimensions from 2 to {min(matrix.shape)}, received {dimensions}; a map "
            "needs two, and the matrix has no more than its smaller side"
        )
