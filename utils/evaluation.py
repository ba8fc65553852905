r"""Measure a model on held-out events, with the most-popular baseline beside it.

`evaluate` asks a model for the scores of all items, leaves out what a user has already, and hands the lists to the
measures of `utils.metrics`.
"""

import html
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from utils.book.progress import progress_bar
from utils.checks import check_whole
from utils.metrics import (
    auc,
    average_precision_at_k,
    catalogue_coverage,
    check_relevant,
    count_relevant,
    hit_rate_at_k,
    ndcg_at_k,
    precision_at_k,
    rank_items,
    recall_at_k,
    reciprocal_rank,
)
from utils.recommender import candidate_scores, check_model, check_users

# `evaluate` holds the scores of so many (user, item) pairs at a time (32 MB in float64), and a few copies of them.
MAX_SCORES = 2**22


class Popularity:
    """Recommend the same to everybody: what most events were about.

    Parameters
    ----------
    events : Interactions
        Where to count.

    Attributes
    ----------
    popularity : ndarray of shape (n_items,), int64
        Events of each item; a pair that occurs twice counts twice.

    Examples
    --------
    >>> from utils.data import Interactions
    >>> tiny = Interactions.from_labels(["Ann", "Ann", "Ben"], ["Heat", "Alien", "Heat"])
    >>> Popularity(tiny).scores([0, 1])
    array([[1., 2.],
           [1., 2.]])
    """

    def __init__(self, events):
        self.popularity = np.bincount(events.items, minlength=events.n_items)
        self._n_users = events.n_users

    def scores(self, users):
        """Return the popularity of every item, once for each user.

        Parameters
        ----------
        users : array_like of shape (n,), int
            Indices, from 0. All get the same.

        Returns
        -------
        ndarray of shape (n, n_items), float64
            Read-only: all rows are the same memory.

        Raises
        ------
        TypeError, ValueError
            As `utils.recommender.check_users`.
        """
        users = check_users(users, self._n_users)
        return np.broadcast_to(self.popularity.astype(np.float64), (len(users), len(self.popularity)))


#: The measures of `ranked` that `evaluate` knows. "auc" and "coverage" are added there: they need other arguments.
LIST_METRICS = {
    "precision": precision_at_k,
    "recall": recall_at_k,
    "hit_rate": hit_rate_at_k,
    "mrr": reciprocal_rank,
    "map": average_precision_at_k,
    "ndcg": ndcg_at_k,
}


#: Name of each measure of `evaluate` → what its table calls it.
TITLES = {
    "precision": "precision@{k}",
    "recall": "recall@{k}",
    "hit_rate": "hit rate@{k}",
    "mrr": "MRR@{k}",
    "map": "MAP@{k}",
    "ndcg": "nDCG@{k}",
    "auc": "AUC",
    "coverage": "coverage@{k}",
}


class Estimate(NamedTuple):
    """A mean over users and its standard error.

    Attributes
    ----------
    mean : float
        NaN if it is defined for no user.
    standard_error : float
        Standard deviation over users (divisor n - 1) by the root of their number n. NaN for fewer than two users, and
        for coverage, which is no mean.
    """

    mean: float
    standard_error: float

    def __str__(self):
        error = "" if np.isnan(self.standard_error) else f" ± {self.standard_error:.4f}"
        return f"{self.mean:.4f}{error}"


class Row(NamedTuple):
    """One measure of a model, and of the popularity baseline beside it.

    Attributes
    ----------
    model, popularity : Estimate
        Over the same users.
    difference : Estimate
        Model minus popularity, user by user. To see whether the model is better, read its standard error: what makes
        a user hard for both falls out.
    """

    model: Estimate
    popularity: Estimate
    difference: Estimate


@dataclass(frozen=True, repr=False)
class Evaluation:
    """The table that `evaluate` returns; ``evaluation["ndcg"].model.mean`` is one number of it.

    Attributes
    ----------
    name : str
        What the model is called.
    k : int
        Length of the lists.
    n_users : int
        Users who were evaluated.
    n_left_out : int
        Users who were not, because they have nothing to find.
    rows : dict of str to Row
        Name of the measure → its row.
    """

    name: str
    k: int
    n_users: int
    n_left_out: int
    rows: dict[str, Row]

    def __getitem__(self, metric):
        return self.rows[metric]

    def __repr__(self):
        lines = [["", self.name, *Row._fields[1:]], *self._cells()]
        widths = [max(map(len, column)) for column in zip(*lines)]
        table = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines)
        return "\n".join([self._caption(), *table])

    def _repr_html_(self):
        head = "".join(f'<th scope="col">{html.escape(title)}</th>' for title in ("", self.name, *Row._fields[1:]))
        body = "".join(
            f'<tr><th scope="row">{title}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'
            for title, *cells in self._cells()
        )
        caption = f"<caption>{html.escape(self._caption())}</caption>"
        return f'<table class="book-evaluation">{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'

    def _caption(self):
        users = "1 user" if self.n_users == 1 else f"{self.n_users} users"
        return f"{users} ({self.n_left_out} left out: nothing to find); mean ± standard error"

    def _cells(self):
        return [[TITLES[metric].format(k=self.k), *map(str, row)] for metric, row in self.rows.items()]


def evaluate(recommender, split, k=10, *, metrics=None, graded=False, name="model", progress=True):
    """Measure a recommender on held-out events, with the popularity baseline beside it.

    Items that a user has in train are never listed for that user, and are not relevant. What else the user has in test
    is relevant; an item that occurs there twice counts once, with its last value. Users without a relevant item are
    left out and counted.

    Parameters
    ----------
    recommender : Recommender
        Whatever has a method ``scores(users)``, fitted on ``split.train``. It is called with an int64 array (n,) of
        indices and returns (n, n_items) finite scores, higher is better. They are copied and not changed.
    split : Split
        Train and test. The baseline, `Popularity`, is fitted on train.
    k : int, optional
        Length of the lists, 1 or more; `rank_items` says how ties are broken, and what a k above n_items gives.
    metrics : str or sequence of str, optional
        Some of "precision", "recall", "hit_rate", "mrr", "map", "ndcg", "auc" and "coverage"; all if left out.
    graded : bool, optional
        Whether the values of the test events are the gains of "ndcg", instead of 1. An event with the value 0 is then
        not relevant.
    name : str, optional
        What the table calls the model.
    progress : bool, optional
        Whether to show a progress bar if it takes more than a second; it is wiped out at the end.

    Returns
    -------
    Evaluation
        A table of means and standard errors over users. "auc" averages over the users for whom it is defined.

    Raises
    ------
    ValueError
        If k is not a whole number of 1 or more, a metric is unknown, train and test differ in their users or items, no
        user has anything to find, scores have the wrong shape or are not finite, or a graded value is negative.
    TypeError
        If the recommender has no method `scores`.

    Notes
    -----
    Users go in blocks. In memory are the lists of all users and the scores of one block: at most `MAX_SCORES`, or those
    of one user if they are more, and a few copies.

    Each user is compared with the whole catalogue. Measures over a sample of candidates are not used here, because they
    can order models differently (Krichene and Rendle, 2020).

    Examples
    --------
    >>> from utils.data import Interactions
    >>> users, items = ["Ann", "Ann", "Ben", "Ben", "Cy", "Dan"], ["Alien", "Up", "Heat", "Alien", "Up", "Up"]
    >>> split = Interactions.from_labels(users, items, timestamps=range(6)).split_last()
    >>> evaluate(Popularity(split.train), split, k=1, metrics=["recall", "coverage"])
    2 users (2 left out: nothing to find); mean ± standard error
                model            popularity       difference
    recall@1    0.5000 ± 0.5000  0.5000 ± 0.5000  0.0000 ± 0.0000
    coverage@1  0.3333           0.3333           0.0000
    """
    check_whole("k", k, 1)
    metrics = _check_metrics(metrics)
    check_model(recommender)
    seen, relevant = _seen_and_relevant(split, graded)
    users = np.flatnonzero(count_relevant(relevant))
    if not len(users):
        raise ValueError("expected a user with an item in test that is not in train, received none; split otherwise")
    n_left_out = len(seen.indptr) - 1 - len(users)
    seen, relevant = seen[users], relevant[users]

    recommenders = {"model": recommender, "popularity": Popularity(split.train)}
    ranked = {who: np.empty((len(users), k), dtype=np.int64) for who in recommenders}
    areas = {who: np.empty(len(users)) for who in recommenders}
    block_size = max(1, MAX_SCORES // relevant.shape[1])
    with progress_bar(total=len(users), desc=name, unit="user", show=progress) as bar:
        for start in range(0, len(users), block_size):
            rows = slice(start, start + block_size)
            for who, source in recommenders.items():
                scores = candidate_scores(source, users[rows], seen[rows])
                ranked[who][rows] = rank_items(scores, k)
                if "auc" in metrics:
                    areas[who][rows] = auc(scores, relevant[rows])
            bar.update(len(users[rows]))

    table = {}
    for metric in metrics:
        model, popularity = (_measure(metric, ranked[who], areas[who], relevant) for who in recommenders)
        table[metric] = Row(_estimate(model), _estimate(popularity), _estimate(model - popularity))
    return Evaluation(name, k, len(users), n_left_out, table)


def _seen_and_relevant(split, graded):
    """Return two sparse matrices (n_users, n_items): ones in train, and the gains of what is in test alone."""
    train, test = split
    for labels in ("user_labels", "item_labels"):
        if not np.array_equal(getattr(train, labels), getattr(test, labels)):
            raise ValueError(f"expected the same {labels} in train and test, received others; split one data set")
    seen = train.to_csr("ones", dtype=np.float64)
    held_out = test.to_csr(None if graded else "ones", dtype=np.float64)
    return seen, check_relevant(held_out - held_out.multiply(seen), test.n_users)


def _measure(metric, ranked, areas, relevant):
    """Return a number a user, or one for all."""
    if metric == "auc":
        return areas
    if metric == "coverage":
        return catalogue_coverage(ranked, relevant.shape[1])
    return LIST_METRICS[metric](ranked, relevant)


def _estimate(values):
    """Return mean and standard error of values that may be NaN for some users; a single number has no error."""
    if np.ndim(values) == 0:
        return Estimate(float(values), np.nan)
    values = values[~np.isnan(values)]
    n = len(values)
    mean = float(values.mean()) if n else np.nan
    return Estimate(mean, float(values.std(ddof=1) / np.sqrt(n)) if n > 1 else np.nan)


def _check_metrics(metrics):
    """Return the names in a list."""
    metrics = list(TITLES) if metrics is None else [metrics] if isinstance(metrics, str) else list(metrics)
    for metric in metrics:
        if metric not in TITLES:
            raise ValueError(f"expected metrics among {', '.join(TITLES)}, received {metric!r}; choose some of them")
    return metrics
