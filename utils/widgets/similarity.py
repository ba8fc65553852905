"""Similarity explorer: drag a query, and watch three measures rank the same items."""

import matplotlib.pyplot as plt
import numpy as np
import traitlets

from utils.book.plotting import colour
from utils.similarity import MEASURES, top_k
from utils.widgets.base import BookWidget

LONGEST_LABEL = 30

NAMES = {"dot": "Inner product", "cosine": "Cosine", "euclidean": "Euclidean distance"}


class SimilarityExplorer(BookWidget):
    """A plane with items and a query that the reader drags.

    Parameters
    ----------
    items : list of [float, float]
        2 to 12 item vectors, finite and not zero.
    labels : list of str
        A unique name of at most 30 characters for each item.
    query : [float, float], optional
        Where the query starts; finite and not zero.
    unit_items : bool, optional
        Whether the items are shown and ranked with length 1.
    level : {"dot", "cosine", "euclidean"}, optional
        For which measure to shade the region that would beat the first item.

    Raises
    ------
    traitlets.TraitError
        If an argument is not as described; the message says what was expected, what was received, and what to do.
    """

    slug = "similarity"

    items = traitlets.List().tag(sync=True)
    labels = traitlets.List(traitlets.Unicode()).tag(sync=True)
    query = traitlets.List([1.0, 1.0]).tag(sync=True)
    unit_items = traitlets.Bool(False).tag(sync=True)
    level = traitlets.Enum(MEASURES, default_value="dot").tag(sync=True)

    def __init__(self, items, labels, **traits):
        super().__init__(items=items, labels=labels, **traits)
        self._check_names()

    def _check_names(self):
        """Labels and items may be assigned one after the other, so only together can they be judged."""
        if len(self.labels) != len(self.items):
            raise traitlets.TraitError(
                f"expected {len(self.items)} labels, one for each item, received {self.labels}; name each item"
            )

    @traitlets.validate("labels")
    def _check_labels(self, proposal):
        labels = proposal["value"]
        if len(set(labels)) != len(labels) or max(map(len, labels), default=0) > LONGEST_LABEL:
            raise traitlets.TraitError(
                f"expected different labels of at most {LONGEST_LABEL} characters, received {labels}; shorten or "
                "rename some, so that they fit into the drawing"
            )
        return labels

    @traitlets.validate("items")
    def _check_items(self, proposal):
        items = _as_pairs(proposal["value"], "items")
        if not 2 <= len(items) <= 12:
            raise traitlets.TraitError(f"expected 2 to 12 items, received {len(items)}; more cannot be told apart")
        return items

    @traitlets.validate("query")
    def _check_query(self, proposal):
        return _as_pairs([proposal["value"]], "query")[0]

    def rankings(self):
        """Rank the items as they are shown.

        Returns
        -------
        dict of str to list of str
            Name of the measure → labels, the most similar first.
        """
        self._check_names()
        items = np.array(self.items)
        if self.unit_items:
            items = items / np.linalg.norm(items, axis=1, keepdims=True)
        order = {measure: top_k(self.query, items, len(items), measure)[0] for measure in MEASURES}
        return {NAMES[measure]: [self.labels[i] for i in order[measure]] for measure in MEASURES}

    def describe(self):
        """Say how the three measures rank the items."""
        lists = ". ".join(f"{name}: {', '.join(labels)}" for name, labels in self.rankings().items())
        return f"Items ranked for the query ({self.query[0]:g}, {self.query[1]:g}). {lists}."

    def draw(self):
        """Draw the plane with the items and the query."""
        figure, axes = plt.subplots(figsize=(4.2, 4.2))
        for item, label in zip(self.items, self.labels):
            axes.annotate("", item, (0, 0), arrowprops={"arrowstyle": "-|>", "color": colour("blue"), "lw": 2})
            axes.annotate(label, item, xytext=(4, 5), textcoords="offset points")
        axes.annotate("", self.query, (0, 0), arrowprops={"arrowstyle": "-|>", "color": colour("orange"), "lw": 3})
        axes.annotate("query", self.query, xytext=(4, 5), textcoords="offset points", color=colour("orange"))
        reach = 1.3 * max(np.linalg.norm([*self.items, self.query], axis=1))
        axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
        return figure


def _as_pairs(vectors, name):
    """Return a list of [float, float], or say what is wrong."""
    try:
        array = np.array(vectors, dtype=float)
    except (TypeError, ValueError):
        array = np.empty(0)
    if array.ndim != 2 or array.shape[1] != 2 or not np.isfinite(array).all() or not array.any(axis=1).all():
        raise traitlets.TraitError(
            f"expected {name} as pairs of finite numbers that are not both zero, received {vectors}; the widget shows "
            "a plane, and the zero vector has no direction"
        )
    return array.tolist()
