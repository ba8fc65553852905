"""A film built from features: switch them on and off, repeat one, change the pooling, and watch three rankings."""

import matplotlib.pyplot as plt
import numpy as np
import traitlets

from utils.book.plotting import colour
from utils.feature_sums import POOLINGS, represent
from utils.similarity import MEASURES, scores
from utils.widgets.base import BookWidget
from utils.widgets.similarity import LONGEST_LABEL, NAMES

#: How often a feature can be said before everything is said twice.
MOST = 3

#: What the film that the reader builds is called in the lists.
MINE = "Your film"


class FeatureSums(BookWidget):
    """A film made of features, among other films made of features, ranked for a viewer.

    Parameters
    ----------
    names : list of str
        2 to 10 features, each of at most 20 characters.
    embeddings : array_like of shape (n_features, 2)
        Learned vectors of the features.
    film_labels : list of str
        1 to 8 other films, by different names of at most 30 characters.
    film_features : array_like of shape (n_films, n_features)
        How often each of them has each feature: whole numbers from 0 on, and not all of them 0.
    viewer_labels : list of str
        1 to 4 viewers, by different names of at most 30 characters.
    viewers : array_like of shape (n_viewers, 2)
        Their vectors, not zero.
    counts : dict of str to int, optional
        How often the reader's film has a feature at first, 0 to 3; 0 for those left out.
    pooling : {"sum", "mean", "sqrt"}, optional
        For all films.
    is_twice : bool, optional
        Whether everything about the reader's film is said twice.
    viewer : int, optional
        Which viewer the films are ranked for.

    Raises
    ------
    traitlets.TraitError
        If an argument is not as described; the message says what was expected, what was received, and what to do.
    """

    slug = "feature_sums"

    names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    embeddings = traitlets.List().tag(sync=True)
    film_labels = traitlets.List(traitlets.Unicode()).tag(sync=True)
    film_features = traitlets.List().tag(sync=True)
    viewer_labels = traitlets.List(traitlets.Unicode()).tag(sync=True)
    viewers = traitlets.List().tag(sync=True)
    counts = traitlets.List(traitlets.Int()).tag(sync=True)
    pooling = traitlets.Enum(POOLINGS, default_value="sum").tag(sync=True)
    is_twice = traitlets.Bool(False).tag(sync=True)
    viewer = traitlets.Int(0).tag(sync=True)

    def __init__(
        self, names, embeddings, film_labels, film_features, viewer_labels, viewers, counts=None, **traits
    ):  # fmt: skip
        names, film_labels, viewer_labels = list(names), list(film_labels), list(viewer_labels)
        _check_names("names", names, 2, 10, 20)
        _check_names("film_labels", film_labels, 1, 8, LONGEST_LABEL)
        _check_names("viewer_labels", viewer_labels, 1, 4, LONGEST_LABEL)
        super().__init__(
            names=names,
            embeddings=_table("embeddings", embeddings, (len(names), 2)).round(4).tolist(),
            film_labels=film_labels,
            film_features=_whole_rows(film_features, (len(film_labels), len(names))),
            viewer_labels=viewer_labels,
            viewers=_table("viewers", viewers, (len(viewer_labels), 2), is_direction=True).round(4).tolist(),
            counts=_as_list(counts or {}, names),
            **traits,
        )

    @traitlets.validate("counts")
    def _check_counts(self, proposal):
        counts = proposal["value"]
        if len(counts) != len(self.names) or not all(0 <= count <= MOST for count in counts):
            raise traitlets.TraitError(
                f"expected {len(self.names)} counts from 0 to {MOST}, one for each feature, received {counts}"
            )
        return counts

    @traitlets.validate("viewer")
    def _check_viewer(self, proposal):
        if not 0 <= proposal["value"] < len(self.viewer_labels):
            raise traitlets.TraitError(
                f"expected a viewer from 0 to {len(self.viewer_labels) - 1}, received {proposal['value']}"
            )
        return proposal["value"]

    def vectors(self):
        """Return the vectors of the reader's film and of the others, ndarray of shape (1 + n_films, 2)."""
        mine = np.array(self.counts) * (2 if self.is_twice else 1)
        return represent(np.vstack([mine, self.film_features]), self.embeddings, self.pooling)

    def rankings(self):
        """Rank all films for the viewer.

        Returns
        -------
        dict of str to list of str
            Name of the measure → films, the most similar first; ties in the order of the films, and the reader's first.
            A film without a direction has no cosine, and comes last by it.
        """
        films, labels = self.vectors(), [MINE, *self.film_labels]
        has_direction = films.any(axis=1)
        rankings = {}
        for measure in MEASURES:
            values = np.full(len(films), -np.inf)
            is_scored = has_direction if measure == "cosine" else np.ones(len(films), dtype=bool)
            values[is_scored] = scores(self.viewers[self.viewer], films[is_scored], measure)
            order = np.argsort(-values.round(9), kind="stable")
            rankings[NAMES[measure]] = [labels[i] for i in order]
        return rankings

    def describe(self):
        """Say what the film is made of, how long its vector is, and where it stands in the three rankings."""
        x, y = self.vectors()[0]
        said = [f"{name} ×{count}" if count > 1 else name for name, count in zip(self.names, self.counts) if count]
        features = ", ".join(said) + (", all said twice" if self.is_twice and said else "")
        words = ("inner product", "cosine", "distance")
        places = ", ".join(f"{word} {labels.index(MINE) + 1}" for word, labels in zip(words, self.rankings().values()))
        kind = {"sum": "sum", "mean": "mean", "sqrt": "sqrtn"}[self.pooling]
        return (
            f"{MINE}: {features or 'no feature'}. The {kind} has length {np.hypot(x, y):.2f}. For the "
            f"{self.viewer_labels[self.viewer]}, its place of {1 + len(self.film_labels)} by {places}."
        )

    def draw(self):
        """Draw the plane with the viewer, the films, and the way from the origin to the reader's film."""
        films, viewer = self.vectors(), self.viewers[self.viewer]
        figure, axes = plt.subplots(figsize=(4.2, 4.2))
        axes.plot(*films[1:].T, "o", color=colour("blue"))
        for label, film in zip(self.film_labels, films[1:]):
            axes.annotate(label, film, (5, 4), textcoords="offset points")
        axes.annotate("", films[0], (0, 0), arrowprops={"arrowstyle": "-|>", "color": colour("orange"), "lw": 3})
        axes.annotate(MINE, films[0], (5, -10), textcoords="offset points", color=colour("orange"))
        axes.plot(*viewer, "s", color=colour("ink"))
        axes.annotate(self.viewer_labels[self.viewer], viewer, (5, 4), textcoords="offset points")
        reach = 1.4 * max(np.linalg.norm([*films, viewer], axis=1))
        axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
        return figure


def _check_names(argument, names, fewest, most, longest):
    """Say what is wrong with the names, if anything is."""
    is_text = all(isinstance(name, str) for name in names)
    if not fewest <= len(names) <= most or not is_text or len(set(names)) != len(names):
        raise traitlets.TraitError(f"expected {argument} as {fewest} to {most} different names, received {names}")
    if max(map(len, names)) > longest:
        raise traitlets.TraitError(
            f"expected {argument} of at most {longest} characters, received {names}; shorten some, so that they fit"
        )


def _table(argument, table, shape, is_direction=False):
    """Return finite numbers of that shape, or say what is wrong."""
    try:
        array = np.array(table, dtype=float)
    except (TypeError, ValueError):
        array = np.empty(0)
    if array.shape != shape or not np.isfinite(array).all():
        raise traitlets.TraitError(f"expected {argument} as finite numbers of shape {shape}, received {table}")
    if is_direction and not array.any(axis=1).all():
        raise traitlets.TraitError(f"expected {argument} that are not zero, received {table}; zero has no direction")
    return array


def _whole_rows(rows, shape):
    """Return rows of whole numbers, in each a number above 0."""
    array = _table("film_features", rows, shape)
    if (array < 0).any() or (array != array.round()).any() or not array.any(axis=1).all():
        raise traitlets.TraitError(
            f"expected film_features as whole numbers from 0 on, and a feature for each film, received {rows}"
        )
    return array.astype(int).tolist()


def _as_list(counts, names):
    """Return a count for each feature."""
    unknown = sorted(set(counts) - set(names))
    if unknown:
        raise traitlets.TraitError(f"expected counts of the features {names}, received {unknown[0]!r}; add it to names")
    return [counts.get(name, 0) for name in names]
