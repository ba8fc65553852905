r"""How much of its parts an average still finds: the consistency of average embeddings.

Average k of the N vectors of a catalogue, and ask for the k items most similar to the average. The share of the k that
comes back, on average over all subsets of k, is the consistency:

.. math::

    \operatorname{Consistency}_k(\mathbf{Y}) = \operatorname{E}_{\mathcal{U}} \left[
    \frac{|\operatorname{top}_k(\boldsymbol{\mu}_\mathcal{U}) \cap \mathcal{U}|}{k} \right]

Three ways lead to it here. `expected_precision` is the formula of the paper for independent coordinates of any
distribution, which treats the scores as independent normal numbers. `normal_consistency` samples the exact law for
normal coordinates. `simulate_consistency` takes vectors as they are. `pairwise_win_rate` asks less: does one member
beat one other item? The functions at the end change vectors so that their averages keep more, or less.
"""

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array
from scipy.special import log_ndtr, ndtri

from utils.book.progress import progress_bar
from utils.checks import check_choice, check_rng, check_vectors, check_whole
from utils.evaluation import Estimate
from utils.metrics import auc
from utils.similarity import MEASURES, squared_distances

POOLINGS = ("mean", "sum")

# The integral runs over a standard normal number; what is farther out than this weighs less than 1e-18.
REACH = 9.0

# Up to here the numbers of `expected_precision` and `normal_consistency` were compared with exact ones.
MAX_ITEMS = 10**12

# Numbers that are held at a time: terms of the integral, draws of the exact law, scores of the simulation.
MAX_TERMS, MAX_DRAWS, MAX_SCORES = 2**18, 2**18, 2**24


class ScoreMoments(NamedTuple):
    """Mean and standard deviation of the inner product with an average of k items; arrays if k is one.

    Attributes
    ----------
    mean_in, std_in : float
        For an item that was averaged.
    mean_out, std_out : float
        For another item.
    mean_difference, std_difference : float
        For the score of the first minus the score of the second, with the same average.
    """

    mean_in: float
    std_in: float
    mean_out: float
    std_out: float
    mean_difference: float
    std_difference: float


def score_moments(d, k, *, mean=0.0, std=1.0, skewness=0.0, kurtosis=3.0):
    r"""Compute mean and standard deviation of the scores of members and of other items.

    For independent coordinates with mean m, standard deviation :math:`\sigma`, skewness :math:`\gamma` and kurtosis
    :math:`\kappa`, exactly:

    .. math::

        \operatorname{E} s_\text{in} &= d\,(m^2 + \sigma^2 / k), \qquad \operatorname{E} s_\text{out} = d\,m^2 \\
        \operatorname{Var} s_\text{in} &= \tfrac{d}{k^2} \big[ (\kappa + k - 2)\,\sigma^4 + k(k+3)\,m^2 \sigma^2
        + 2(k+1)\,m \gamma \sigma^3 \big] \\
        \operatorname{Var} s_\text{out} &= \tfrac{d}{k}\, \sigma^2 \big[ \sigma^2 + (k+1)\,m^2 \big] \\
        \operatorname{Var}(s_\text{in} - s_\text{out}) &= \tfrac{d}{k^2} \big[ (\kappa + 2k - 2)\,\sigma^4
        + 2k^2 m^2 \sigma^2 + 2k\,m \gamma \sigma^3 \big]

    Parameters
    ----------
    d : int
        Dimension of the vectors, 1 or more.
    k : int or array_like of int
        How many items are averaged, 1 or more.
    mean, std, skewness, kurtosis : float, optional
        Of one coordinate. The standard deviation is above 0. The kurtosis is not in excess: 3 for a normal
        distribution, and never below ``skewness**2 + 1``.

    Returns
    -------
    ScoreMoments
        float64; arrays of the shape of `k` if it is an array.

    Raises
    ------
    ValueError
        If a number is NaN, infinite or out of its range.

    References
    ----------
    bendada2023consistency. The code published with that paper has :math:`4 m \gamma \sigma^3` as the last term of
    the variance of :math:`s_\text{in}`, which is right for k = 1 alone.

    Examples
    --------
    >>> moments = score_moments(100, 4)
    >>> moments.mean_in, moments.std_out, moments.std_difference
    (25.0, 5.0, 7.5)
    """
    check_whole("d", d, 1)
    k = _check_k(k).astype(np.float64)
    _check_distribution(mean, std, skewness, kurtosis)
    m = mean / std  # in units of the standard deviation
    var_in = kurtosis + k - 2 + k * (k + 3) * m**2 + 2 * (k + 1) * m * skewness
    var_out = k * (1 + (k + 1) * m**2)
    var_difference = kurtosis + 2 * k - 2 + 2 * k**2 * m**2 + 2 * k * m * skewness
    means = m**2 + 1 / k, m**2 + 0 * k, 1 / k
    # rounding may carry a variance of 0 below it
    stds = (np.sqrt(d * np.maximum(variance, 0)) / k for variance in (var_in, var_out, var_difference))
    pairs = zip((d * value for value in means), stds)
    return ScoreMoments(*(_as_given(value * std**2) for pair in pairs for value in pair))


def expected_precision(d, n_items, k, *, mean=0.0, std=1.0, skewness=0.0, kurtosis=3.0):
    r"""Compute the consistency of items with independent coordinates, as the paper approximates it.

    The scores are taken for independent normal numbers with the moments of `score_moments`. Then a member is in the
    list if at most k - 1 of the other items beat it:

    .. math::

        \int \varphi(z)\, \operatorname{P}\big[ \operatorname{Bin}(k-1,\, \Phi(-z))
        + \operatorname{Bin}(N-k,\, \Phi(-g - \rho z)) \le k - 1 \big]\, dz

    where :math:`g = (\operatorname{E} s_\text{in} - \operatorname{E} s_\text{out}) / \operatorname{sd} s_\text{out}`,
    :math:`\rho = \operatorname{sd} s_\text{in} / \operatorname{sd} s_\text{out}`, and :math:`\operatorname{Bin}` are
    independent binomial numbers.

    Parameters
    ----------
    d : int
        Dimension of the vectors, 1 or more.
    n_items : int
        Size of the catalogue, from k to 1e12.
    k : int or array_like of int
        How many items are averaged, and how long the list is; 1 to n_items.
    mean, std, skewness, kurtosis : float, optional
        As in `score_moments`. The result depends on ``mean / std`` and not on the scale.

    Returns
    -------
    float, or ndarray of the shape of `k`
        0 to 1; 1 where k is n_items.

    Raises
    ------
    ValueError
        If a number is NaN, infinite or out of its range.

    Notes
    -----
    This number is computed to about 1e-11, and as a model it is cruder: scores that share an average are not
    independent. `normal_consistency` says by how much it is off.

    The integrand is smooth and ends in normal tails, so the trapezoidal rule converges faster than any power of its
    step. Binomial probabilities are formed from logarithms, with a running sum for the binomial coefficients; as a
    difference of log-gamma functions they would lose three digits at n_items = 1e12. The number of operations grows
    with k**1.5, with the kurtosis by its root, and not with n_items.

    References
    ----------
    bendada2023consistency, proposition 2; there the sum of k integrals over order statistics.
    trefethen2014exponentially, section 5, on the trapezoidal rule over the real line.

    Examples
    --------
    >>> expected_precision(128, 1000, [2, 10, 50, 1000]).round(3)
    array([1.   , 0.766, 0.399, 1.   ])
    >>> round(expected_precision(128, 10**12, 10), 6)
    0.001409
    """
    check_whole("n_items", n_items, 1, MAX_ITEMS)
    k = _check_k(k, n_items)
    _check_distribution(mean, std, skewness, kurtosis)
    # in units of the standard deviation, so that no scale is too large or too small
    moments = score_moments(d, k, mean=mean / std, skewness=skewness, kurtosis=kurtosis)
    gaps = np.asarray(moments.mean_difference / moments.std_out)
    ratios = np.asarray(moments.std_in / moments.std_out)
    values = [_chance_of_member(gap, ratio, n_items, size) for gap, ratio, size in zip(gaps.flat, ratios.flat, k.flat)]
    return _as_given(np.reshape(values, k.shape))


def _chance_of_member(gap, ratio, n_items, k):
    """Integrate over the member's score; `gap` and `ratio` are g and ρ of `expected_precision`."""
    if k == n_items:
        return 1.0
    # The step resolves what changes fastest with z: the chance to be beaten, near the score of the last item in the
    # list. There its logarithm falls by about `slope` for each unit, and averaging k of them sharpens it further.
    last = -ndtri(min(0.5, k / n_items))
    slope = last + 1 / (last + 1)
    step = 0.9 / ((1 + max(1.0, ratio) * slope) * (1 + np.sqrt(k)))
    z = step * np.arange(np.ceil(-REACH / step), np.floor(REACH / step) + 1)
    weights = np.exp(-(z**2) / 2)
    in_list = np.empty_like(z)
    n_rows = max(1, MAX_TERMS // int(k))
    for start in range(0, len(z), n_rows):
        rows = slice(start, start + n_rows)
        members = _binomial_terms(k - 1, z[rows], k)
        others = _binomial_terms(n_items - k, gap + ratio * z[rows], k)
        # i members in front leave k - 1 - i places for others: the reversed column of the cumulative sum
        in_list[rows] = (members * np.cumsum(others, axis=1)[:, ::-1]).sum(axis=1)
    return min(1.0, float(weights @ in_list / weights.sum()))


def _binomial_terms(n, score, k):
    """Return the chances (n_scores, k) that 0, 1, … k - 1 of n independent standard normal numbers exceed a score."""
    j = np.arange(k, dtype=np.float64)
    # log of "n choose j", where the factors turn to 0 beyond j = n
    with np.errstate(divide="ignore"):
        log_choose = np.append(0.0, np.cumsum(np.log(np.maximum(n - j[:-1], 0) / (j[:-1] + 1))))
    log_above, log_below = log_ndtr(-score)[:, None], log_ndtr(score)[:, None]
    return np.exp(log_choose + j * log_above + np.maximum(n - j, 0) * log_below)


def half_point(n_items, k):
    r"""Return the dimension at which the consistency passes one half.

    .. math::

        d = k \, \big[ \Phi^{-1}\big( \tfrac{k}{2 (N - k)} \big) \big]^2

    Half of the members lie above the mean score of a member. The list ends there if half of its k places are left for
    others, that is if others lie above it with probability :math:`k / 2(N-k)`.

    Parameters
    ----------
    n_items : int
        Size of the catalogue.
    k : int
        How many items are averaged, 1 or more and below half of n_items.

    Returns
    -------
    float
        Not rounded. For normal items and catalogues of 100 or more, `expected_precision` passes one half less than 0.6
        dimensions away.

    Raises
    ------
    ValueError
        If k is not below half of n_items: then one half is reached by chance alone, in any dimension.

    Examples
    --------
    >>> round(half_point(1000, 10), 2), round(half_point(10**12, 10), 2)
    (66.17, 463.28)
    """
    check_whole("n_items", n_items, 1)
    check_whole("k", k, 1)
    if 2 * k >= n_items:
        raise ValueError(
            f"expected k below half of n_items, {n_items / 2:g}, received {k}; a random list already finds k / n_items "
            "of the members, so there is no such dimension"
        )
    return float(k * ndtri(k / (2 * (n_items - k))) ** 2)


def normal_consistency(d, n_items, k, *, n_samples=10_000, rng, progress=True):
    r"""Sample the exact law of the consistency for normal items, without drawing an item.

    A ranking does not change when all scores are divided by one positive number. Divided by
    :math:`\sigma \lVert \boldsymbol{\mu}_\mathcal{U} \rVert`, the scores for items from
    :math:`\mathcal{N}(0, \sigma^2 \mathbf{I})` have exactly the law of

    .. math::

        s_i = R + z_i - \bar z \quad (i \in \mathcal{U}), \qquad s_j = z_j \quad (j \notin \mathcal{U}), \qquad
        R^2 \sim \chi^2_d / k ,

    where all z are independent standard normal numbers, and :math:`\bar z` is the mean of those of the members. Of the
    others only the k largest can matter, and these are drawn as order statistics. So a sample takes a number of
    operations proportional to k, whatever n_items is.

    Parameters
    ----------
    d : int
        Dimension of the vectors, 1 or more.
    n_items : int
        Size of the catalogue, from k to 1e12.
    k : int
        How many items are averaged, and how long the list is; 1 to n_items.
    n_samples : int, optional
        How often to draw a catalogue and a subset of it, 2 or more.
    rng : numpy.random.Generator
        Source of randomness.
    progress : bool, optional
        Whether to show a progress bar if it takes more than two seconds.

    Returns
    -------
    Estimate
        Mean and standard error, a pair of floats. The mean is over catalogues too, so it is the same for all
        measures that rank like the inner product with the average. Exactly (1, 0) where k is n_items.

    Raises
    ------
    TypeError
        If `rng` is not a generator.
    ValueError
        If a number is out of its range.

    Examples
    --------
    >>> normal_consistency(4096, 10**12, 2, n_samples=100, rng=np.random.default_rng(0))
    Estimate(mean=1.0, standard_error=0.0)
    """
    check_whole("d", d, 1)
    check_whole("n_items", n_items, 1, MAX_ITEMS)
    k = int(_check_k(k, n_items, is_array=False))
    check_whole("n_samples", n_samples, 2)
    check_rng(rng)
    shares = np.empty(n_samples)
    n_rows = max(1, MAX_DRAWS // k)
    with progress_bar(total=n_samples, desc="exact law", unit="sample", show=progress) as bar:
        for start in range(0, n_samples, n_rows):
            rows = slice(start, min(start + n_rows, n_samples))
            n = rows.stop - rows.start
            members = _largest_normals(k, k, n, rng)
            members += np.sqrt(rng.chisquare(d, size=(n, 1)) / k) - members.mean(axis=1, keepdims=True)
            others = _largest_normals(n_items - k, k, n, rng)
            # t members are in the list if the last of them beats the one that would take its place
            shares[rows] = (members > others[:, ::-1]).mean(axis=1)
            bar.update(n)
    return _estimate(shares)


def _largest_normals(n, k, n_rows, rng):
    """Draw the k largest of n standard normal numbers, largest first, (n_rows, k); -inf where there are fewer.

    The sums of n + 1 exponential numbers, divided by the last sum, are n uniform numbers in order. The k smallest of
    them become the k largest normal numbers, and all that is beyond them is a single gamma number.
    """
    largest = np.full((n_rows, k), -np.inf)
    n_drawn = min(n, k)
    if n_drawn:
        sums = np.cumsum(rng.standard_exponential((n_rows, n_drawn)), axis=1)
        total = sums[:, -1:] + rng.standard_gamma(n - n_drawn + 1, size=(n_rows, 1))
        largest[:, :n_drawn] = -ndtri(sums / total)
    return largest


def simulate_consistency(items, k, *, n_subsets=1000, measure="dot", pooling="mean", subsets=None, rng, progress=True):
    r"""Measure the consistency of vectors as they are: average, rank the whole catalogue, count what comes back.

    Parameters
    ----------
    items : array_like of shape (n_items, n_factors)
        Item vectors; row i is item i.
    k : int or None
        How many items are averaged, and how long the list is; 1 to n_items. None if `subsets` are given and say so.
    n_subsets : int, optional
        How many random subsets to draw, each without replacement; 2 or more. Not used if `subsets` are given.
    measure : {"dot", "cosine", "euclidean"}, optional
        How the average ranks the items, as in `utils.similarity.scores`.
    pooling : {"mean", "sum"}, optional
        What the query is. It matters for "euclidean" alone: a positive factor changes no other ranking.
    subsets : sequence of array_like of int, optional
        Subsets to average instead of random ones, such as playlists or histories: two or more, each of different
        items. They may differ in length if k is None; the list for each is then as long as the subset.
    rng : numpy.random.Generator
        Draws the subsets. Not used if they are given.
    progress : bool, optional
        Whether to show a progress bar if it takes more than two seconds.

    Returns
    -------
    Estimate
        Mean over the subsets and its standard error, a pair of floats. It says nothing of other catalogues: the
        items are fixed. A tie at the end of the list is broken at random; what counts is the expected share, so that
        this adds no noise. To an average of zero all items tie, by cosine too.

    Raises
    ------
    TypeError
        If `rng` is needed and is not a generator.
    ValueError
        If shapes do not fit, a number is out of its range or not finite, a subset is empty or names an item twice, the
        measure or the pooling is unknown, or an item is zero and the measure is "cosine".

    Notes
    -----
    Scores go in blocks: a million float32 items with 128 factors stay under 2 GB, input included. float32 items are
    compared in float32, all others in float64. Sums are ranked also for the mean, since a division by k would round,
    and tear exact ties apart.

    Examples
    --------
    Each item of its own kind is found again; of three equal ones, two take the two places at random.

    >>> rng = np.random.default_rng(0)
    >>> simulate_consistency(np.eye(5), 2, rng=rng)
    Estimate(mean=1.0, standard_error=0.0)
    >>> round(simulate_consistency(np.ones((3, 4)), 2, rng=rng).mean, 3)
    0.667
    """
    items = check_vectors("items", items)
    check_choice("measure", measure, MEASURES)
    check_choice("pooling", pooling, POOLINGS)
    if subsets is None:
        groups = [_draw_subsets(len(items), k, n_subsets, rng)]
    else:
        groups = _group_by_length(subsets, k, len(items))
    shares = [
        _share_found(scores, members) for scores, members in _score_blocks(items, groups, measure, pooling, progress)
    ]
    return _estimate(np.concatenate(shares))


def pairwise_win_rate(items, k, *, n_subsets=1000, measure="dot", rng, progress=True):
    r"""Measure how often one averaged item beats one other item.

    .. math::

        \operatorname{P}\big( s(u, \boldsymbol{\mu}_\mathcal{U}) > s(v, \boldsymbol{\mu}_\mathcal{U}) \big)
        + \tfrac{1}{2} \operatorname{P}\big( s(u, \boldsymbol{\mu}_\mathcal{U})
        = s(v, \boldsymbol{\mu}_\mathcal{U}) \big),
        \qquad u \in \mathcal{U},\ v \notin \mathcal{U}

    For each subset all pairs are compared.

    Parameters
    ----------
    items, n_subsets, measure, rng, progress
        As in `simulate_consistency`.
    k : int
        How many items are averaged, 1 or more and below n_items.

    Returns
    -------
    Estimate
        Mean over the subsets and its standard error, a pair of floats. Never below one half in expectation.

    Raises
    ------
    TypeError, ValueError
        As in `simulate_consistency`, and if k is n_items, which leaves no other item.

    Examples
    --------
    >>> pairwise_win_rate(np.eye(5), 2, rng=np.random.default_rng(0))
    Estimate(mean=1.0, standard_error=0.0)
    """
    items = check_vectors("items", items)
    check_choice("measure", measure, MEASURES)
    subsets = _draw_subsets(len(items), k, n_subsets, rng)
    if k == len(items):
        raise ValueError(f"expected k below the number of items, received {k}; leave an item that can be beaten")
    rates = []
    for scores, members in _score_blocks(items, [subsets], measure, "mean", progress):
        starts = np.arange(len(members) + 1) * k
        rates.append(auc(scores, csr_array((np.ones(members.size), members.ravel(), starts), shape=scores.shape)))
    return _estimate(np.concatenate(rates))


def _score_blocks(items, groups, measure, pooling, progress):
    """Yield, for some subsets at a time, the scores (n, n_items) that rank all items, and the members (n, k)."""
    n_items, n_factors = items.shape
    lengths = None
    if measure == "cosine":
        lengths = np.sqrt(np.einsum("ij,ij->i", items, items, dtype=np.float64)).astype(items.dtype)
        if not lengths.all():
            raise ValueError(
                f"expected items with a direction, received a zero vector in row {int(lengths.argmin())}; leave it "
                "out, or use 'dot' or 'euclidean'"
            )
    n_subsets = sum(map(len, groups))
    with progress_bar(total=n_subsets, desc="averages", unit="subset", show=progress) as bar:
        for subsets in groups:
            k = subsets.shape[1]
            n_rows = max(1, MAX_SCORES // max(n_items, k * n_factors))
            for start in range(0, len(subsets), n_rows):
                members = subsets[start : start + n_rows]
                queries = items[members].sum(axis=1)  # (n, n_factors)
                if measure == "euclidean":
                    # k times the mean against k times the items: whole numbers stay whole, and with them exact ties
                    scores = -squared_distances(queries, items if pooling == "sum" else k * items)
                else:
                    scores = queries @ items.T
                if measure == "cosine":
                    scores /= lengths
                yield scores, members
                bar.update(len(members))


def _share_found(scores, members):
    """Return the share of the members (n, k) among the k best of each row; ties for the last places count in part."""
    k = members.shape[1]
    last = np.partition(scores, -k, axis=1)[:, -k, None]  # the score that the list ends with
    n_left = k - (scores > last).sum(axis=1)
    n_tied = (scores == last).sum(axis=1)
    of_members = np.take_along_axis(scores, members, axis=1)
    return ((of_members > last).sum(axis=1) + (of_members == last).sum(axis=1) * n_left / n_tied) / k


def _draw_subsets(n_items, k, n_subsets, rng):
    """Return n_subsets random subsets of k items, (n_subsets, k), each without replacement."""
    k = int(_check_k(k, n_items, is_array=False))
    check_whole("n_subsets", n_subsets, 2)
    check_rng(rng)
    return np.array([rng.choice(n_items, size=k, replace=False, shuffle=False) for _ in range(n_subsets)])


def _group_by_length(subsets, k, n_items):
    """Return the subsets as matrices, one for each length that occurs."""
    by_length = {}
    for number, subset in enumerate(subsets):
        subset = np.asarray(subset)
        is_list = subset.ndim == 1 and subset.dtype.kind in "iu" and len(subset) > 0
        if not is_list or subset.min() < 0 or subset.max() >= n_items or len(np.unique(subset)) < len(subset):
            raise ValueError(
                f"expected subsets of different items from 0 to {n_items - 1}, received {subset} as number {number}; "
                "name each item once, by its row"
            )
        if k is not None and len(subset) != k:
            raise ValueError(
                f"expected subsets of k = {k} items, received {len(subset)} in number {number}; choose k of them, or "
                "let k be None"
            )
        by_length.setdefault(len(subset), []).append(subset)
    if sum(map(len, by_length.values())) < 2:
        raise ValueError("expected two subsets or more, received fewer; the standard error needs two")
    return [np.array(group) for group in by_length.values()]


def _estimate(values):
    return Estimate(float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values))))


def _as_given(values):
    """Return an array as it is, and a single number as a Python float."""
    return float(values) if np.ndim(values) == 0 else np.asarray(values)


def _check_k(k, n_items=None, is_array=True):
    """Return k as an array of whole numbers from 1 to n_items; of one number if it must not be an array."""
    sizes = np.asarray(k)
    limit = np.inf if n_items is None else n_items
    is_right = sizes.dtype.kind in "iu" and (is_array or sizes.ndim == 0)
    if not is_right or (sizes < 1).any() or (sizes > limit).any():
        kind = "whole numbers" if is_array and sizes.ndim else "a whole number"
        upper = "1 or more" if n_items is None else f"1 to the number of items, {n_items}"
        raise ValueError(f"expected k as {kind}, {upper}, received {k!r}; choose another")
    return sizes


def _check_distribution(mean, std, skewness, kurtosis):
    for name, value in (("mean", mean), ("std", std), ("skewness", skewness), ("kurtosis", kurtosis)):
        if not np.isfinite(value):
            raise ValueError(f"expected a finite {name}, received {value!r}; a distribution without it has no moments")
    if std <= 0:
        raise ValueError(f"expected std above 0, received {std!r}; items that are all equal cannot be told apart")
    if kurtosis < (skewness**2 + 1) * (1 - 1e-9):  # rounded moments of two values are at the limit
        raise ValueError(
            f"expected kurtosis of skewness**2 + 1 = {skewness**2 + 1:g} or more, received {kurtosis!r}; no "
            "distribution has less (a kurtosis in excess lacks 3)"
        )
