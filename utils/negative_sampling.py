r"""Draw negatives: items that training treats as unwanted, so that it need not look at the whole catalogue.

Four samplers share one signature, ``sampler.sample(users, items, n_negatives, rng=rng)``. Row b of a batch is one
event: user ``users[b]`` chose item ``items[b]``. The result has the shape (n_batch, n_negatives). Draws are independent
and *with replacement*, so that a row may hold an item twice.

Each sampler takes ``exclude``, a matrix of the items that must never be drawn for a user, such as those that the user
has. A draw then follows the sampler's distribution given that the item is allowed. Without ``exclude`` nothing is left
out, not even the item of the row itself.

How an item is drawn decides what a model's scores mean. `logq_correction` takes that influence out again.
"""

import numpy as np
from scipy.sparse import csr_array

from utils.checks import check_indices, check_matrix, check_rng, check_whole

# Draws of excluded items are repeated so many times; where a user has nearly everything, the rest is drawn directly.
MAX_ROUNDS = 12
# What is excluded is looked up in a full table if it has no more entries than this (a byte each): it is faster.
MAX_TABLE = 2**24


class AliasTable:
    r"""Draw from any distribution over N items in a time that does not depend on N.

    Think of N columns of height 1, one an item. An item whose :math:`N \pi_j` is below 1 fills its column only up to
    there, and the rest of the column is filled with one item that has too much. To draw, choose a column, and a height
    in it: two random numbers, and one comparison.

    Parameters
    ----------
    weights : array_like of shape (n_items,)
        0 or more, finite, not all 0. They need not sum to 1.

    Attributes
    ----------
    probabilities : ndarray of shape (n_items,), float64
        The weights divided by their sum.
    heights : ndarray of shape (n_items,), float64
        How far each column is filled with its own item, 0 to 1.
    others : ndarray of shape (n_items,), int64
        The item that fills the rest of each column.

    Raises
    ------
    ValueError
        If the weights are not as described.

    References
    ----------
    walker1977efficient, the method; vose1991linear, the construction in linear time.

    Examples
    --------
    >>> table = AliasTable([3, 1])
    >>> table.heights, table.others
    (array([1. , 0.5]), array([0, 0]))
    >>> table.draw(12, rng=np.random.default_rng(1))
    array([0, 1, 0, 1, 0, 0, 1, 0, 0, 0, 1, 0])
    """

    def __init__(self, weights):
        self.probabilities = _as_distribution(weights)
        self.heights, self.others = _fill_columns(self.probabilities * len(self.probabilities))

    def draw(self, size, *, rng):
        """Draw items.

        Parameters
        ----------
        size : int or tuple of int
            How many, as a shape.
        rng : numpy.random.Generator
            Where chance comes from.

        Returns
        -------
        ndarray of that shape, int64

        Raises
        ------
        TypeError
            If `rng` is not a generator.
        """
        check_rng(rng)
        column = rng.integers(len(self.heights), size=size)
        # take is what indexing by an array does, and faster
        return np.where(rng.random(size) < self.heights.take(column), column, self.others.take(column))


def _fill_columns(masses):
    """Return for each column how far its own item fills it, and which item fills the rest; the masses sum to N."""
    masses = masses.tolist()  # lists: faster than arrays, one by one
    heights, others = [1.0] * len(masses), list(range(len(masses)))
    small = [item for item, mass in enumerate(masses) if mass < 1]
    large = [item for item, mass in enumerate(masses) if mass >= 1]
    while small and large:
        item, donor = small.pop(), large[-1]
        heights[item], others[item] = masses[item], donor
        masses[donor] -= 1 - masses[item]
        if masses[donor] < 1:
            small.append(large.pop())
    # The masses sum to the number of columns, so each that is left is 1 up to rounding, and keeps its column.
    return np.array(heights), np.array(others)


class NoiseSampler:
    r"""Draw negatives from one noise distribution :math:`\pi` for all users.

    Parameters
    ----------
    weights : array_like of shape (n_items,)
        How often each item is drawn, up to a factor: 0 or more, finite, not all 0.
    exclude : sparse matrix or array of shape (n_users, n_items), optional
        What is not 0 is never drawn for that user. For a user with the excluded items :math:`\Omega_u`, item j is drawn
        with the probability :math:`\pi_j / (1 - \sum_{i \in \Omega_u} \pi_i)`. Entries that are stored twice are added,
        as SciPy does.

    Attributes
    ----------
    n_items : int
        Size of the catalogue.
    noise : ndarray of shape (n_items,), float64
        :math:`\pi`, which sums to 1.
    log_noise : ndarray of shape (n_items,), float64
        Its logarithm, what `logq_correction` subtracts; ``-inf`` for items that are never drawn.

    Raises
    ------
    TypeError
        If `exclude` is not sparse.
    ValueError
        If the weights are not as described, or `exclude` has another number of items.

    Notes
    -----
    Draws of excluded items are repeated. What remains of independent draws from :math:`\pi`, when those outside a set
    are thrown away, are independent draws from :math:`\pi` on that set: the result is exact. Where a user has so much
    that draws are still missing after `MAX_ROUNDS`, they come from the user's own distribution, written out. Whether a
    place gets there does not depend on the draw that fills it, so this is exact too.

    Examples
    --------
    >>> sampler = NoiseSampler([5, 3, 2], exclude=csr_array([[1, 0, 0], [0, 1, 1]]))
    >>> sampler.sample([0, 1], None, 6, rng=np.random.default_rng(0))
    array([[1, 1, 1, 2, 1, 1],
           [0, 0, 0, 0, 0, 0]])
    """

    def __init__(self, weights, *, exclude=None):
        self._table = AliasTable(weights)
        self.noise = self._table.probabilities
        self.n_items = len(self.noise)
        with np.errstate(divide="ignore"):
            self.log_noise = np.log(self.noise)
        self._exclude = None
        if exclude is not None:
            exclude = _check_exclude(exclude, len(self.noise))
            can_be_drawn = (self.noise > 0).astype(np.int64)
            self._n_left = can_be_drawn.sum() - exclude.astype(np.int64) @ can_be_drawn  # (n_users,)
            is_small = exclude.shape[0] * exclude.shape[1] <= MAX_TABLE
            self._exclude = exclude.toarray() if is_small else exclude

    def sample(self, users, items, n_negatives, *, rng):
        """Draw negatives for the rows of a batch.

        Parameters
        ----------
        users : array_like of shape (n_batch,), int
            The user of each row; without `exclude` only their number matters.
        items : array_like of shape (n_batch,), int, or None
            Not used: what was chosen does not change this distribution.
        n_negatives : int
            How many for each row, 1 or more.
        rng : numpy.random.Generator
            Where chance comes from.

        Returns
        -------
        ndarray of shape (n_batch, n_negatives), int64

        Raises
        ------
        TypeError
            If `rng` is not a generator.
        ValueError
            If `n_negatives` is below 1, a user has no row in `exclude`, or nothing is left to draw for a user.
        """
        users = check_indices("users", users, None if self._exclude is None else self._exclude.shape[0])
        check_whole("n_negatives", n_negatives, 1)
        negatives = self._draw(len(users) * n_negatives, rng)
        if self._exclude is not None:
            self._require_choice(users)
            self._replace_excluded(negatives, np.repeat(users, n_negatives), rng)
        return negatives.reshape(len(users), n_negatives)

    def _draw(self, size, rng):
        return self._table.draw(size, rng=rng)

    def _require_choice(self, users):
        is_empty = self._n_left[users] == 0
        if is_empty.any():
            raise ValueError(
                f"expected at least one item to draw for each user, received user {users[is_empty.argmax()]}, "
                "for whom all are excluded; leave such users out of the batch"
            )

    def _replace_excluded(self, negatives, users, rng):
        """Change the entries of `negatives`, one for each entry of `users`, that are excluded."""
        places = np.flatnonzero(_is_in(self._exclude, users, negatives))
        for _ in range(MAX_ROUNDS):
            negatives[places] = self._draw(len(places), rng)
            places = places[_is_in(self._exclude, users[places], negatives[places])]
        for user in np.unique(users[places]):
            of_user = places[users[places] == user]
            everything = np.arange(len(self.noise))
            weights = np.where(_is_in(self._exclude, np.full(len(everything), user), everything), 0, self.noise)
            negatives[of_user] = AliasTable(weights).draw(len(of_user), rng=rng)


class UniformSampler(NoiseSampler):
    r"""Draw every item equally often: :math:`\pi_j = 1 / N`.

    Parameters
    ----------
    n_items : int
        Size of the catalogue, 1 or more.
    exclude : sparse matrix or array of shape (n_users, n_items), optional
        As in `NoiseSampler`.

    Examples
    --------
    >>> UniformSampler(4).noise
    array([0.25, 0.25, 0.25, 0.25])
    """

    def __init__(self, n_items, *, exclude=None):
        check_whole("n_items", n_items, 1)
        super().__init__(np.ones(n_items), exclude=exclude)

    def _draw(self, size, rng):
        check_rng(rng)
        return rng.integers(len(self.noise), size=size)


def noise_distribution(counts, power=0.75):
    r"""Return how often each item is drawn as a negative: in proportion to a power of its count.

    .. math:: \pi_j = \frac{n_j^\alpha}{\sum_l n_l^\alpha}

    Parameters
    ----------
    counts : array_like of shape (n_items,)
        Events of each item, 0 or more. What has 0 is never drawn, whatever the power.
    power : float, optional
        :math:`\alpha`. 1 draws like the data, 0 draws all items alike, and below 0 the rare ones more often.

    Returns
    -------
    ndarray of shape (n_items,), float64
        Sums to 1.

    Raises
    ------
    ValueError
        If counts have not one dimension, one is negative or not finite, none is above 0, or the power is no finite
        number.

    References
    ----------
    mikolov2013distributed, section 2.2, found 3/4 to be the best power for words. casellesdupre2018word2vec found
    others for sessions, some below 0.

    Examples
    --------
    >>> noise_distribution([16, 1, 0])
    array([0.88888889, 0.11111111, 0.        ])
    >>> noise_distribution([16, 1, 0], power=0)
    array([0.5, 0.5, 0. ])
    """
    counts = _check_weights(counts, "counts")
    check_power(power)
    is_drawn = counts > 0
    # The largest power is then 1, so that none leaves the range of the type; the smallest may become 0.
    with np.errstate(over="ignore", under="ignore"):
        shares = counts / (counts.max() if power >= 0 else counts[is_drawn].min())
        weights = np.power(shares, float(power), out=np.zeros_like(shares), where=is_drawn)
    return weights / weights.sum()


class PopularitySampler(NoiseSampler):
    r"""Draw items by a power of their popularity: :math:`\pi_j \propto n_j^\alpha`.

    Parameters
    ----------
    popularity : array_like of shape (n_items,)
        How many events each item has, 0 or more. An item without events is never drawn, whatever the power.
    power : float, optional
        :math:`\alpha`. At 1 items are drawn as often as they occur, at 0 all that occur equally often; a negative
        power prefers rare ones.
    exclude : sparse matrix or array of shape (n_users, n_items), optional
        As in `NoiseSampler`.

    References
    ----------
    mikolov2013distributed, section 2.2, for the power 3/4.

    Examples
    --------
    >>> PopularitySampler([81, 16, 1, 0], power=0.5).noise.round(3)
    array([0.643, 0.286, 0.071, 0.   ])
    """

    def __init__(self, popularity, power=0.75, *, exclude=None):
        super().__init__(noise_distribution(popularity, power), exclude=exclude)


class HardSampler:
    r"""Draw a few candidates for each negative, and keep the one that the model scores highest.

    With h candidates from a uniform distribution, the item at rank r of N is kept with the probability
    :math:`((N - r + 1)^h - (N - r)^h) / N^h`: any item alike with h = 1, and with more candidates
    ever nearer to the top.

    Parameters
    ----------
    base : sampler
        Where candidates come from; what it excludes never appears.
    score : callable or None
        ``score(users, items)`` for arrays of shape (n_batch,) and (n_batch, n) gives scores of shape (n_batch, n). It
        is asked at every draw. None: `utils.sampled_softmax.fit_softmax` puts in the scores of the model that it fits,
        so that negatives follow the model as it learns.
    n_candidates : int
        h, 1 or more.

    Raises
    ------
    TypeError
        If `score` cannot be called.
    ValueError
        If `n_candidates` is below 1; in `sample`, if there is no `score`, or the scores have another shape or one is
        NaN.

    References
    ----------
    zhang2013optimizing call it dynamic negative sampling.

    Examples
    --------
    >>> sampler = HardSampler(UniformSampler(100), lambda users, items: items, n_candidates=50)
    >>> sampler.sample([0, 0], [3, 7], 4, rng=np.random.default_rng(0))
    array([[97, 99, 99, 99],
           [97, 95, 99, 99]])
    """

    def __init__(self, base, score, n_candidates):
        if score is not None and not callable(score):
            raise TypeError(f"expected score as a function of users and items, received {score!r}; pass model.score")
        check_whole("n_candidates", n_candidates, 1)
        self.base, self.score, self.n_candidates = base, score, n_candidates

    def sample(self, users, items, n_negatives, *, rng):
        """Draw negatives for the rows of a batch; as `NoiseSampler.sample`, of equal scores the one drawn first."""
        if self.score is None:
            raise ValueError(
                "expected a score to choose by, received None; pass model.score, or give this to fit_softmax"
            )
        check_whole("n_negatives", n_negatives, 1)
        users = check_indices("users", users, None)
        candidates = self.base.sample(users, items, n_negatives * self.n_candidates, rng=rng)
        scores = np.asarray(self.score(users, candidates))
        if scores.shape != candidates.shape or np.isnan(scores).any():
            raise ValueError(
                f"expected scores of shape {candidates.shape} without NaN, received shape {scores.shape} with "
                f"{np.isnan(scores).sum()} NaN; score every candidate of every row"
            )
        groups = (len(users), n_negatives, self.n_candidates)
        best = scores.reshape(groups).argmax(axis=2, keepdims=True)
        return np.take_along_axis(candidates.reshape(groups), best, axis=2)[..., 0]


class InBatchSampler:
    r"""Draw from the items of the *other* rows of the batch, each row with the same probability.

    These items are at hand anyway. In a batch of random events, item j stands with the probability
    :math:`n_j / \sum_i n_i`, so over many batches this is drawing by popularity with the power 1.

    Parameters
    ----------
    exclude : sparse matrix or array of shape (n_users, n_items), optional
        What is not 0 is never drawn for that user: the draw is among the rows that are left. Without it, only the row
        itself is left out, and its item may come from another row. Entries that are stored twice are added, as SciPy
        does.

    Raises
    ------
    TypeError
        If `exclude` is not sparse.

    References
    ----------
    yi2019sampling.

    Examples
    --------
    >>> InBatchSampler().sample([0, 1, 2], [7, 8, 9], 5, rng=np.random.default_rng(0))
    array([[9, 9, 9, 8, 8],
           [9, 9, 9, 9, 7],
           [8, 8, 8, 8, 8]])
    """

    def __init__(self, *, exclude=None):
        self._exclude = None if exclude is None else _check_exclude(exclude)

    def sample(self, users, items, n_negatives, *, rng):
        """Draw negatives for the rows of a batch.

        Parameters
        ----------
        users, items : array_like of shape (n_batch,), int
            Who chose what.
        n_negatives : int
            How many for each row, 1 or more; it may be more than there are other rows.
        rng : numpy.random.Generator
            Where chance comes from.

        Returns
        -------
        ndarray of shape (n_batch, n_negatives), int64

        Raises
        ------
        TypeError
            If `rng` is not a generator.
        ValueError
            If `users` and `items` differ in length, `n_negatives` is below 1, an index has no place in `exclude`, or a
            row has no other row to draw from.
        """
        check_rng(rng)
        check_whole("n_negatives", n_negatives, 1)
        n_users, n_items = (None, None) if self._exclude is None else self._exclude.shape
        users, items = check_indices("users", users, n_users), check_indices("items", items, n_items)
        if users.shape != items.shape:
            raise ValueError(f"expected one item for each user, received {len(users)} users and {len(items)} items")
        n_batch = len(users)
        if self._exclude is None and n_batch > 1:
            steps = rng.integers(1, n_batch, size=(n_batch, n_negatives))  # to another row, round and round
            return items[(np.arange(n_batch)[:, None] + steps) % n_batch]
        is_allowed = ~np.eye(n_batch, dtype=bool)  # (n_batch, n_batch): may row b draw the item of row c?
        if self._exclude is not None:
            is_allowed &= ~self._exclude[users][:, items].toarray()
        n_allowed = is_allowed.sum(axis=1)
        if not n_allowed.all():
            row = int(n_allowed.argmin())
            raise ValueError(
                f"expected another row with an item for user {users[row]}, received none in a batch of {n_batch}; "
                "make the batch larger"
            )
        first = np.cumsum(n_allowed) - n_allowed  # where the allowed places of each row begin
        picks = first[:, None] + rng.integers(n_allowed[:, None], size=(n_batch, n_negatives))
        _, others = np.nonzero(is_allowed)  # the allowed places, row after row
        return items[others[picks]]


def logq_correction(scores, log_probabilities):
    r"""Subtract from each score how often its item is drawn: :math:`s_j - \log \pi_j`.

    In a softmax over one chosen item and some negatives from :math:`\pi`, all of them corrected, the loss is smallest
    where :math:`s_j` is the logarithm of the probability of the choice, up to a constant. Without the correction,
    :math:`\log \pi_j` is missing from every score.

    Parameters
    ----------
    scores : array_like of shape (n_batch, n)
        Of the chosen item and the negatives.
    log_probabilities : array_like of shape (n_batch, n) or (n,)
        The logarithm of the probability with which each of these items is drawn, the chosen one too.

    Returns
    -------
    ndarray of shape (n_batch, n), float64

    Raises
    ------
    ValueError
        If the shapes do not fit, or a probability is not above 0 and at most 1.

    References
    ----------
    yi2019sampling, equation 3; bengio2008adaptive, for the idea.

    Examples
    --------
    >>> logq_correction([[2.0, 1.0]], np.log([0.5, 0.125])).round(2)
    array([[2.69, 3.08]])
    """
    scores, log_probabilities = np.asarray(scores, float), np.asarray(log_probabilities, float)
    if log_probabilities.shape not in (scores.shape, scores.shape[-1:]):
        raise ValueError(
            f"expected a log-probability for each score, shape {scores.shape}, received {log_probabilities.shape}; "
            "look them up by item"
        )
    if not (np.isfinite(log_probabilities) & (log_probabilities <= 1e-9)).all():
        raise ValueError(
            "expected logarithms of probabilities above 0 and at most 1, received others; an item that cannot be drawn "
            "cannot be in the list"
        )
    return scores - log_probabilities


def false_negative_rate(negatives, users, positives):
    """Return the share of drawn negatives that are positives.

    Parameters
    ----------
    negatives : array_like of shape (n_batch, n_negatives), int
        What a sampler drew.
    users : array_like of shape (n_batch,), int
        The user of each row.
    positives : sparse matrix or array of shape (n_users, n_items)
        What is not 0 is a positive of that user, known to the training or not. Entries that are stored twice are added,
        as SciPy does.

    Returns
    -------
    float
        0 to 1.

    Raises
    ------
    TypeError
        If `positives` is not sparse.
    ValueError
        If there is no draw, or shapes or indices do not fit.

    Examples
    --------
    >>> false_negative_rate([[0, 1], [1, 1]], [0, 1], csr_array([[1, 0], [0, 1]]))
    0.75
    """
    positives = _check_exclude(positives, name="positives")
    users = check_indices("users", users, positives.shape[0])
    negatives = check_indices("negatives", negatives, positives.shape[1], n_dimensions=None)
    if negatives.ndim != 2 or len(negatives) != len(users) or not negatives.size:
        raise ValueError(
            f"expected negatives of shape ({len(users)}, n_negatives) with at least one draw, received "
            f"{negatives.shape}; one row for each user"
        )
    return float(_is_in(positives, np.repeat(users, negatives.shape[1]), negatives.ravel()).mean())


def false_negative_probability(noise, positives, *, exclude=None):
    r"""Return the chance that a draw for a user is one of the user's positives.

    .. math::

        \frac{\sum_{j \in \mathcal{P}_u \setminus \Omega_u} \pi_j}{1 - \sum_{j \in \Omega_u} \pi_j}

    for the positives :math:`\mathcal{P}_u` and the excluded items :math:`\Omega_u`.

    Parameters
    ----------
    noise : array_like of shape (n_items,)
        The distribution that negatives are drawn from, up to a factor.
    positives : sparse matrix or array of shape (n_users, n_items)
        What is not 0 is a positive. Entries that are stored twice are added, as SciPy does.
    exclude : sparse matrix or array of shape (n_users, n_items), optional
        What is not 0 is never drawn.

    Returns
    -------
    ndarray of shape (n_users,), float64
        NaN for users for whom everything is excluded.

    Raises
    ------
    TypeError
        If a matrix is not sparse.
    ValueError
        If shapes do not fit or `noise` is no distribution.

    Examples
    --------
    >>> positives = csr_array([[1, 1, 0], [0, 0, 1]])
    >>> false_negative_probability([0.5, 0.3, 0.2], positives)
    array([0.8, 0.2])
    >>> false_negative_probability([0.5, 0.3, 0.2], positives, exclude=csr_array([[1, 0, 0], [0, 0, 0]]))
    array([0.6, 0.2])
    """
    noise = _as_distribution(noise, "noise")
    positives = _check_exclude(positives, len(noise), "positives").astype(float)
    if exclude is None:
        return positives @ noise
    exclude = _check_exclude(exclude, len(noise)).astype(float)
    if exclude.shape != positives.shape:
        raise ValueError(
            f"expected exclude of the shape of positives, {positives.shape}, received {exclude.shape}; keep all users"
        )
    is_allowed = noise > 0
    n_left = is_allowed.sum() - exclude @ is_allowed
    still_positive = positives - positives * exclude
    left = np.where(n_left > 0, 1 - exclude @ noise, np.nan)
    return (still_positive @ noise) / left


def _is_in(matrix, rows, columns):
    """Look entries up in an array or a csr_array of booleans."""
    # SciPy answers with an array, but for no entries at all with a sparse one.
    return matrix[rows, columns] if len(rows) else np.zeros(0, dtype=bool)


def check_power(power):
    """Raise an error unless the power of the counts is a finite number."""
    is_number = isinstance(power, int | float | np.integer | np.floating) and not isinstance(power, bool)
    if not is_number or not np.isfinite(power):
        raise ValueError(f"expected a finite power of the counts, received {power!r}; 0.75 is usual")


def _as_distribution(weights, name="weights"):
    """Return weights, divided by their sum."""
    weights = _check_weights(weights, name)
    # A power of two changes no digit, and keeps the sum of huge weights within the range of the type.
    weights = np.ldexp(weights, -np.frexp(weights.max())[1])
    return weights / weights.sum()


def _check_weights(weights, name="weights"):
    weights = np.asarray(weights)
    weights = weights.astype(np.float64) if weights.dtype.kind in "biuf" else np.full(weights.shape, np.nan)
    is_good = weights.ndim == 1 and np.isfinite(weights).all() and (weights >= 0).all() and weights.any()
    if not is_good:
        raise ValueError(
            f"expected {name} as one finite number of 0 or more an item, not all 0, received "
            f"{np.array2string(weights, threshold=6, edgeitems=2)}; count the events of each item"
        )
    return weights


def _check_exclude(matrix, n_items=None, name="exclude"):
    """Return a csr_array of booleans that holds nothing but True."""
    matrix = check_matrix(matrix, name)
    matrix.eliminate_zeros()
    if n_items not in (None, matrix.shape[1]):
        raise ValueError(
            f"expected {name} with {n_items} columns, one an item, received {matrix.shape}; keep all items"
        )
    return csr_array(matrix.astype(bool))
