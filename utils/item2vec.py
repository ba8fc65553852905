r"""item2vec: learn item vectors from sessions, as word2vec learns word vectors from sentences.

Two items of one session, at most a window apart, are a *pair* of a centre i and a context j. Skip-gram with negative
sampling (SGNS) gives every item two vectors, :math:`\mathbf{y}_i` as a centre and :math:`\mathbf{z}_j` as a context,
and teaches their inner product to tell pairs that happened from pairs whose context was drawn at random.

From top to bottom: the pairs, the noise, the loss and its gradients, what a fit returns and what can be done with it,
the fit, and the same fit by the library gensim. A session is a sequence of ids, and an id is anything that can be a key
of a dict. A session may be short, even empty, and an id may occur in it more than once.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import count

import numpy as np
from gensim.models.callbacks import CallbackAny2Vec
from gensim.models.word2vec import Word2Vec
from scipy.sparse import csc_array, csr_array, issparse

from utils.book.progress import progress_bar
from utils.checks import (
    check_choice,
    check_floats,
    check_indices,
    check_number,
    check_rate,
    check_rng,
    check_whole,
    refuse_divergence,
)
from utils.metrics import rank_items
from utils.negative_sampling import check_power, noise_distribution
from utils.similarity import scores

ARCHITECTURES = ("skip-gram", "cbow")

# `fit_sgns` takes so many examples at a time, but no more than two an item: all examples of a batch meet the same
# vectors, and an item that occurs in many of them gets all its corrections in one stride, which could overshoot. With a
# large catalogue a batch is a tenth of the items, since each one costs a walk through both tables.
BATCH_SIZE = 1024

# An item may fill a batch all the same. So no vector moves further than this in one batch at the first learning rate,
# and as the rate falls, so does the bound. Trained vectors are a few units long. Where no item is in a large part of
# all pairs, no step gets there: the longest in the chapter on item2vec is 1.3.
MAX_STEP = 1.5

# An item's step in a batch is a sum over the inner products that it is in: learning rate times error, which is at most
# 1, times the other vector. If even for the most frequent item the rate times the mean number of these products is
# below this, steps stay far below the bound, and nobody looks for long ones: that takes a sixth of the time.
MIN_CROWD = 0.5

# For so many batches at once examples are gathered and negatives drawn, since every call of NumPy costs a microsecond.
BATCHES_AT_ONCE = 32

# Cells of the table in which `_Noise` looks up a draw: a power of two, so that to multiply and divide by it is exact.
N_CELLS = 2**16

# A fit with an epoch whose loss is so many times that of the start is lost; or one with vectors longer than this, where
# those of a sound fit are a few units long: gensim leaves inner products beyond 6 out of its loss, and leaves them as
# they are.
LOST, MAX_LENGTH = 1.5, 100.0

# During a fit the learning rate falls in a straight line to this share of where it began.
FINAL_RATE = 0.01

# gensim ignores what lies beyond this place of a sentence, and says nothing.
MAX_GENSIM_LENGTH = 10_000


def training_pairs(sessions, window):
    """List the pairs that skip-gram learns from: each item of a session with each other one in its window.

    Parameters
    ----------
    sessions : sequence of sequences of ids
        In the order of time, if there is one.
    window : int or None
        How many places to the left and to the right a context reaches, 1 or more. None: the whole session.

    Returns
    -------
    centres, contexts : ndarray of shape (n_pairs,)
        The ids of each pair: int64 if all ids are integers, else of dtype object. Session after session, centre after
        centre, and the contexts of a centre from left to right. A pair occurs once for each time that it happened, and
        both ways round. An id that occurs twice in a window makes a pair with itself.

    Raises
    ------
    TypeError
        If a session is text or no sequence, or an id is not hashable.
    ValueError
        If `window` is not a whole number of 1 or more.

    References
    ----------
    mikolov2013distributed, equation 1. word2vec shortens each window by chance, so that near contexts count more; here
    all contexts in the window count alike.

    Examples
    --------
    >>> training_pairs([[7, 8, 9]], window=1)
    (array([7, 8, 8, 9]), array([8, 7, 9, 8]))
    >>> len(training_pairs([[7, 8, 9]], window=None)[0])
    6
    """
    window = _check_window(window)
    ids, items, lengths = _encode(sessions)
    centres, contexts = _pair_positions(lengths, window)
    is_whole = all(isinstance(id_, int | np.integer) and not isinstance(id_, bool) for id_ in ids)
    labels = np.fromiter(ids, dtype=np.int64 if is_whole else object, count=len(ids))
    return labels[items[centres]], labels[items[contexts]]


def sgns_loss(item_vectors, context_vectors, centres, contexts, negatives):
    r"""Return the loss of skip-gram with negative sampling, summed over some pairs.

    For a centre i, its context j and the negatives :math:`l_1, l_2, \dots` drawn for the pair,

    .. math::

        \mathcal{L} = - \log \operatorname{sigmoid}(\mathbf{y}_i^\top \mathbf{z}_j)
        - \sum_m \log \operatorname{sigmoid}(- \mathbf{y}_i^\top \mathbf{z}_{l_m}) .

    Parameters
    ----------
    item_vectors, context_vectors : ndarray of shape (n_items, n_factors)
        The vectors :math:`\mathbf{y}_i` of centres and :math:`\mathbf{z}_j` of contexts. They may be one and the same
        table.
    centres, contexts : array_like of shape (n_pairs,), int
        Rows of `item_vectors` and of `context_vectors`.
    negatives : array_like of shape (n_pairs, n_negatives), int
        Rows of `context_vectors`. One that equals the context is not left out.

    Returns
    -------
    float
        0 or more; 0.0 without pairs. With vectors of 0 it is log 2 for each context and for each negative.

    Raises
    ------
    TypeError, ValueError
        If shapes do not fit, or an index is no row of its table.

    Notes
    -----
    :math:`-\log \operatorname{sigmoid}(x)` is computed as `logaddexp(0, -x)`, which is exact for every x: it neither
    overflows for a large negative x nor returns 0 for a large positive one. So no score needs to be clamped.

    References
    ----------
    mikolov2013distributed, equation 4, with the sign changed.

    Examples
    --------
    >>> y, z = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[0.0, 2.0], [3.0, 0.0]])
    >>> round(sgns_loss(y, z, [0], [1], [[0]]), 4)  # log(1 + exp(-3)) + log(1 + exp(0))
    0.7417
    """
    centres, contexts, negatives = _check_pairs(item_vectors, context_vectors, centres, contexts, negatives)
    pair_scores, _ = _score(item_vectors[centres], context_vectors, np.column_stack([contexts, negatives]))
    return _sum_losses(pair_scores)


def sgns_gradients(item_vectors, context_vectors, centres, contexts, negatives):
    r"""Return the gradients of `sgns_loss` with respect to both tables.

    With the error :math:`\delta = \operatorname{sigmoid}(\mathbf{y}_i^\top \mathbf{z}_j) - 1` of a context, and
    :math:`\delta = \operatorname{sigmoid}(\mathbf{y}_i^\top \mathbf{z}_j)` of a negative, each of them adds
    :math:`\delta\, \mathbf{z}_j` to the gradient of :math:`\mathbf{y}_i` and :math:`\delta\, \mathbf{y}_i` to that of
    :math:`\mathbf{z}_j`.

    Parameters
    ----------
    item_vectors, context_vectors, centres, contexts, negatives
        As in `sgns_loss`.

    Returns
    -------
    item_gradient, context_gradient : ndarray of the shapes of the tables
        What several pairs want of one item adds up. If both tables are one and the same, its gradient is the sum of the
        two.

    Raises
    ------
    TypeError, ValueError
        As in `sgns_loss`.

    Examples
    --------
    >>> y, z = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[0.0, 2.0], [3.0, 0.0]])
    >>> item_gradient, context_gradient = sgns_gradients(y, z, [0], [1], [[0]])
    >>> item_gradient.round(4)  # -0.0474 times z[1] plus 0.5 times z[0]
    array([[-0.1423,  1.    ],
           [ 0.    ,  0.    ]])
    """
    centres, contexts, negatives = _check_pairs(item_vectors, context_vectors, centres, contexts, negatives)
    inputs = _one_hot(centres, len(item_vectors), item_vectors.dtype)
    return _gradients(item_vectors, context_vectors, inputs, np.column_stack([contexts, negatives]))[1:]


@dataclass(frozen=True, eq=False)
class ItemVectors:
    r"""Hold the vectors that a fit found.

    ``item in fitted`` says whether there is a vector for an id.

    Attributes
    ----------
    ids : list
        The ids as they were given, in the order in which they first occur. Row i of each array belongs to ``ids[i]``.
    item_vectors : ndarray of shape (n_items, n_factors), float32
        The vectors :math:`\mathbf{y}_i` of centres. They are what "the vectors of item2vec" means. That of an id which
        never had another one in its window is noise.
    context_vectors : ndarray of shape (n_items, n_factors), float32
        The vectors :math:`\mathbf{z}_j` of contexts.
    counts : ndarray of shape (n_items,), int64
        Events of each id.
    losses : ndarray of shape (1 + n_epochs,), float64
        Mean loss of an example, of a pair for skip-gram and of an event for CBOW: of the start, then during each epoch.
        At the start context vectors are 0, so that an example costs log 2 for its target and for each negative.

    Raises
    ------
    TypeError, ValueError
        If an id occurs twice, or there is not one finite vector and one count for each.
    """

    ids: list
    item_vectors: np.ndarray
    context_vectors: np.ndarray
    counts: np.ndarray
    losses: np.ndarray
    _row_of: dict = field(init=False, repr=False)

    def __post_init__(self):
        row_of = {id_: row for row, id_ in enumerate(self.ids)}
        if len(row_of) < len(self.ids):
            twice = next(id_ for row, id_ in enumerate(self.ids) if row_of[id_] != row)
            raise ValueError(f"expected each id once, received {twice!r} more than once; a vector needs its own id")
        item_vectors = check_floats("item_vectors", self.item_vectors, (len(row_of), "n_factors"))
        checked = {
            "item_vectors": item_vectors,
            "context_vectors": check_floats("context_vectors", self.context_vectors, item_vectors.shape),
            "_row_of": row_of,
        }
        check_floats("counts", self.counts, (len(row_of),))
        for name, value in checked.items():
            object.__setattr__(self, name, value)  # the dataclass is frozen for everyone else

    def __contains__(self, item):
        return item in self._row_of

    def __len__(self):
        return len(self.ids)

    def __repr__(self):
        return f"ItemVectors: {len(self)} items, {self.item_vectors.shape[1]} factors"

    def row(self, item):
        """Return the row of an id in the arrays; raise a KeyError if it was in no session."""
        if item not in self._row_of:
            raise KeyError(
                f"expected one of the {len(self)} ids of the fit, received {item!r}; an item without a session has no "
                "vector: fit again with it, or stand in the average of items that are like it"
            )
        return self._row_of[item]

    def vector(self, item):
        """Return the item vector of an id, of shape (n_factors,); raise a KeyError if it was in no session."""
        return self.item_vectors[self.row(item)]


def similar_items(fitted, item, k):
    """Find the items whose vectors point in the most similar direction.

    Parameters
    ----------
    fitted : ItemVectors
        What `fit_sgns` or `fit_gensim` returned.
    item : id
        Which item to start from.
    k : int
        How many others, 1 or more. If there are fewer, all of them.

    Returns
    -------
    list of (id, float)
        Other items and their cosines, the most similar first. Of equal ones the id that occurred first comes first.

    Raises
    ------
    KeyError
        If the item was in no session.
    ValueError
        If `k` is not a whole number of 1 or more.

    Examples
    --------
    >>> space, pets = ["Alien", "Gravity", "Moon", "Solaris"], ["Babe", "Bambi", "Dumbo", "Lassie"]
    >>> fitted = fit_sgns([space, pets] * 100, 2, n_epochs=20, rng=np.random.default_rng(0))
    >>> sorted(title for title, cosine in similar_items(fitted, "Alien", k=3))
    ['Gravity', 'Moon', 'Solaris']
    """
    check_whole("k", k, 1)
    row = fitted.row(item)
    cosines = scores(fitted.item_vectors[row], fitted.item_vectors, "cosine").astype(np.float64)
    cosines[row] = -np.inf  # not the item itself
    nearest = rank_items(cosines[None], min(int(k), len(fitted) - 1) or 1)[0]
    return [(fitted.ids[other], float(cosines[other])) for other in nearest.tolist() if other >= 0]


@np.errstate(over="ignore", invalid="ignore")  # `_finish` reports it
def fit_sgns(
    sessions,
    n_factors,
    *,
    window=None,
    n_negatives=5,
    noise_power=0.75,
    subsample=0.0,
    learning_rate=0.05,
    architecture="skip-gram",
    n_epochs,
    rng,
    progress=True,
):
    r"""Learn item vectors from sessions by stochastic gradient descent.

    Skip-gram predicts each context from its centre: an example is a pair. CBOW (continuous bag of words) predicts the
    centre from the mean of the item vectors in its window: an example is an event. Else they are the same. The loss of
    an example is `sgns_loss`, for CBOW with that mean in the place of :math:`\mathbf{y}_i`.

    Parameters
    ----------
    sessions : sequence of sequences of ids
        At least one of them with two events.
    n_factors : int
        Length of the vectors, 1 or more.
    window : int, optional
        How far a context reaches, as in `training_pairs`; the whole session if left out.
    n_negatives : int, optional
        Negatives for each example, 1 or more.
    noise_power : float, optional
        The power of `noise_distribution`.
    subsample : float, optional
        Above 0: before each epoch, drop events of frequent items by chance. With :math:`f_i` the share of all events
        that are about item i, and :math:`t` this number, an event stays with the probability
        :math:`\min(1, \sqrt{t / f_i} + t / f_i)`. What is left moves together, so that windows reach further.
    learning_rate : float, optional
        Length of the steps at the beginning, above 0. It falls in a straight line to a hundredth of that.
    architecture : {"skip-gram", "cbow"}, optional
        What predicts what.
    n_epochs : int
        How often to go through all examples, in a new random order each time; 0 or more.
    rng : numpy.random.Generator
        Draws the start, the order and the negatives. The same state gives the same vectors.
    progress : bool, optional
        Whether a fit that takes more than two seconds shows a progress bar.

    Returns
    -------
    ItemVectors

    Raises
    ------
    TypeError
        If a session is text or no sequence, an id is not hashable, or `rng` is not a generator.
    ValueError
        If no session has two events, a number or the architecture is not as it should be, or the learning rate is so
        large that the fit explodes: an epoch has more than 1.5 times the loss of the start, or a vector is longer than
        100.

    Notes
    -----
    Steps are taken for small batches of examples, not for one at a time, so that all corrections of an item are added
    up, and none has seen what the others did. Where one item is in most sessions, hundreds of them would carry its
    vector far too far. So the sum is cut: in one batch no vector moves further than 1.5 at the beginning of the
    training and 0.015 at its end; in between the bound falls with the learning rate. Where no item stands out, no step
    is that long.

    References
    ----------
    mikolov2013distributed, equation 4, for skip-gram; mikolov2013efficient, section 3.1, for CBOW; barkan2016item2vec
    for sessions as sentences. As in the code of word2vec and of gensim, an event stays with a little higher probability
    than :math:`\sqrt{t / f_i}` of the paper. Batches and the bound on their steps are ours: word2vec takes one example
    at a time.

    Examples
    --------
    >>> fitted = fit_sgns([[1, 2, 3, 4], [6, 7, 8, 9]] * 100, 2, n_epochs=20, rng=np.random.default_rng(0))
    >>> fitted
    ItemVectors: 8 items, 2 factors
    >>> 9 in fitted, 5 in fitted
    (True, False)
    """
    window = _check_options(n_factors, window, n_negatives, n_epochs, rng, subsample, learning_rate, architecture)
    ids, items, lengths, counts = _encode_for_fit(sessions)
    probabilities = noise_distribution(counts, noise_power)
    noise = _Noise(probabilities)
    keep = _keep_probabilities(counts, subsample)

    n_items = len(ids)
    item_vectors = ((rng.random((n_items, n_factors)) - 0.5) / n_factors).astype(np.float32)
    context_vectors = np.zeros_like(item_vectors)
    batch_size = min(max(BATCH_SIZE, n_items // 10), 2 * n_items)
    most_products = batch_size * (1 + n_negatives) * max(counts.max() / counts.sum(), probabilities.max())
    is_crowded = learning_rate * most_products > MIN_CROWD
    losses = np.zeros(n_epochs)
    for epoch in progress_bar(range(n_epochs), desc=architecture, unit="epoch", show=progress):
        if epoch == 0 or keep.min() < 1:  # else the examples stay the same
            kept, kept_lengths = _subsample(items, lengths, keep, rng)
            inputs, targets = _examples(kept, kept_lengths, window, n_items, architecture)
        for start, weights, columns in _batches(inputs, targets, noise, n_negatives, batch_size, rng):
            done = (epoch + start / len(targets)) / n_epochs
            rate = learning_rate * (1 - (1 - FINAL_RATE) * done)
            loss, *steps = _gradients(item_vectors, context_vectors, weights, columns, rate)
            for vectors, step in zip((item_vectors, context_vectors), steps):
                vectors -= _shorten(step, MAX_STEP * rate / learning_rate) if is_crowded else step
            losses[epoch] += loss
        losses[epoch] /= max(1, len(targets))
    return _finish(ids, item_vectors, context_vectors, counts, losses, n_negatives, learning_rate)


def fit_gensim(
    sessions,
    n_factors,
    *,
    window=None,
    n_negatives=5,
    noise_power=0.75,
    subsample=0.0,
    learning_rate=0.05,
    architecture="skip-gram",
    n_epochs,
    rng,
    progress=True,
):
    """Learn item vectors from sessions by gensim's ``Word2Vec``, with settings that make it repeatable.

    It runs on one thread, with a seed from `rng`. Every context in the window counts (``shrink_windows=False``), no
    item is left out for being rare (``min_count=1``), and nothing is sub-sampled unless you ask for it.

    Parameters
    ----------
    sessions, n_factors, window, n_negatives, noise_power, subsample, learning_rate, architecture, n_epochs
        As in `fit_sgns`. A session has at most 10,000 events: gensim would drop the rest without a word.
    rng : numpy.random.Generator
        Draws the seed of gensim.
    progress : bool, optional
        As in `fit_sgns`.

    Returns
    -------
    ItemVectors
        Where sub-sampling drops events the losses are NaN: gensim does not say how many examples were left.

    Raises
    ------
    TypeError, ValueError
        As in `fit_sgns`, and if a session is too long.

    Notes
    -----
    gensim departs from the formulas in four places. It skips a negative that equals the item to be predicted. It skips
    an inner product beyond ±6, so that nothing corrects it: with a learning rate that is too high the loss falls to 0,
    and the vectors are of no use. For CBOW it does not divide the gradient of a mean by the number of vectors in it
    (irsoy2021corrected). And it adds up its loss in 32 bits: with more than about ten million examples an epoch the
    losses are too low.

    References
    ----------
    rehurek2010gensim

    Examples
    --------
    >>> space, pets = ["Alien", "Gravity", "Moon", "Solaris"], ["Babe", "Bambi", "Dumbo", "Lassie"]
    >>> fitted = fit_gensim([space, pets] * 100, 2, n_epochs=20, rng=np.random.default_rng(0))
    >>> sorted(title for title, cosine in similar_items(fitted, "Lassie", k=3))
    ['Babe', 'Bambi', 'Dumbo']
    """
    window = _check_options(n_factors, window, n_negatives, n_epochs, rng, subsample, learning_rate, architecture)
    check_power(noise_power)
    ids, items, lengths, counts = _encode_for_fit(sessions)
    if lengths.max() > MAX_GENSIM_LENGTH:
        raise ValueError(
            f"expected sessions of at most {MAX_GENSIM_LENGTH} events, received one of {lengths.max()}; cut it, or use "
            "fit_sgns"
        )
    drops_events = _keep_probabilities(counts, subsample).min() < 1
    words = items.astype(str).tolist()  # gensim wants text
    stops = np.cumsum(lengths)
    sentences = [words[stop - length : stop] for stop, length in zip(stops.tolist(), lengths.tolist())]
    log = _EpochLog(n_epochs, architecture, progress)
    model = Word2Vec(
        sg=int(architecture == "skip-gram"),
        vector_size=int(n_factors),
        window=int(min(window, lengths.max())),
        negative=int(n_negatives),
        ns_exponent=float(noise_power),
        sample=float(subsample) if drops_events else 0.0,  # gensim takes 1 and more for a number of events
        alpha=float(learning_rate),
        min_alpha=float(learning_rate) * FINAL_RATE,
        min_count=1,
        shrink_windows=False,
        workers=1,
        seed=int(rng.integers(2**31)),
    )
    model.build_vocab(sentences)
    if n_epochs:  # gensim refuses to train for none
        size = {"total_examples": model.corpus_count, "total_words": model.corpus_total_words}
        model.train(sentences, **size, epochs=int(n_epochs), compute_loss=True, callbacks=[log])
    rows = [model.wv.key_to_index[str(item)] for item in range(len(ids))]
    _, n_contexts = _context_ranges(lengths, window)
    n_examples = n_contexts.sum() if architecture == "skip-gram" else np.count_nonzero(n_contexts)
    losses = np.full(n_epochs, np.nan) if drops_events else np.array(log.losses) / n_examples
    return _finish(ids, model.wv.vectors[rows], model.syn1neg[rows], counts, losses, n_negatives, learning_rate)


def _finish(ids, item_vectors, context_vectors, counts, losses, n_negatives, learning_rate):
    """Put the loss of the start before the others; raise an error if the vectors have left all bounds."""
    start = (1 + n_negatives) * np.log(2)
    for epoch, loss in enumerate(losses, 1):
        refuse_divergence(np.nan_to_num(loss, nan=0), LOST * start, (), epoch, learning_rate)
    lengths = [np.linalg.norm(vectors.astype(np.float64), axis=1).max() for vectors in (item_vectors, context_vectors)]
    if not max(lengths) <= MAX_LENGTH:  # NaN too
        raise ValueError(
            f"expected a learning_rate at which vectors stay short, received {learning_rate:g}: one has the length "
            f"{max(lengths):.3g} in epoch {len(losses)}; try a tenth of it"
        )
    return ItemVectors(ids, item_vectors, context_vectors, counts, np.concatenate([[start], losses]))


class _EpochLog(CallbackAny2Vec):
    """Read gensim's loss after each epoch, and move the progress bar."""

    def __init__(self, n_epochs, title, progress):
        self.losses = []
        self.bar = progress_bar(total=n_epochs, desc=f"gensim {title}", unit="epoch", show=progress)

    def on_epoch_end(self, model):
        self.losses.append(float(model.running_training_loss))
        model.running_training_loss = 0.0  # gensim would go on adding
        self.bar.update()

    def on_train_end(self, model):
        self.bar.close()


def _encode(sessions):
    """Return all ids, the rows of all events one after another, and the lengths of the sessions."""
    _check_sessions(sessions)
    row_of, rows, lengths = defaultdict(count().__next__), [], []  # a new id gets the next row
    for number, session in enumerate(sessions):
        _check_session(session, number)
        events = session.tolist() if isinstance(session, np.ndarray) else list(session)
        try:
            rows.extend(map(row_of.__getitem__, events))
        except TypeError as error:
            raise TypeError(f"expected ids that can be keys of a dict ({error}); turn lists into tuples") from None
        lengths.append(len(events))
    if any(id_ != id_ for id_ in row_of):  # NaN alone differs from itself, and each event would get an id of its own
        raise ValueError("expected ids that equal themselves, received NaN; leave events without an item out")
    return list(row_of), np.array(rows, dtype=np.int64), np.array(lengths, dtype=np.int64)


def _check_sessions(sessions):
    if issparse(sessions) or isinstance(sessions, str | bytes | dict | set) or not hasattr(sessions, "__iter__"):
        raise TypeError(
            f"expected sessions as a list of lists of ids, received {type(sessions).__name__}; events.sessions() makes "
            "some of Interactions"
        )


def _check_session(session, number):
    if isinstance(session, str | bytes | dict) or issparse(session) or not hasattr(session, "__iter__"):
        raise TypeError(
            f"expected every session as a sequence of ids, received {session!r} at place {number}; put the ids of one "
            "session into a list"
        )
    if isinstance(session, set | frozenset):
        raise TypeError(f"expected every session in an order, received a set at place {number}; sort it into a list")
    if isinstance(session, np.ndarray) and session.dtype.kind in "fcb":
        raise TypeError(
            f"expected ids in every session, received numbers of {session.dtype} at place {number}; a row of a matrix "
            "is no session: list its columns with np.flatnonzero(row), or convert ids to int"
        )


def _check_pairs(item_vectors, context_vectors, centres, contexts, negatives):
    """Return the indices as integers, of the shapes (n_pairs,), (n_pairs,) and (n_pairs, n_negatives)."""
    if np.ndim(item_vectors) != 2 or np.ndim(context_vectors) != 2 or item_vectors.shape[1] != context_vectors.shape[1]:
        raise ValueError(
            "expected item_vectors and context_vectors with one row a vector and equally many columns, received shapes "
            f"{np.shape(item_vectors)} and {np.shape(context_vectors)}; both need n_factors columns"
        )
    centres = check_indices("centres", centres, len(item_vectors))
    contexts = check_indices("contexts", contexts, len(context_vectors))
    negatives = check_indices("negatives", negatives, len(context_vectors), n_dimensions=2)
    if not len(centres) == len(contexts) == len(negatives):
        raise ValueError(
            f"expected one context and one row of negatives for each of {len(centres)} centres, received "
            f"{len(contexts)} contexts and negatives of shape {negatives.shape}; make them equally long"
        )
    return centres, contexts, negatives


def _encode_for_fit(sessions):
    """Return the same and the events of each id; raise an error if there is nothing to learn from."""
    ids, items, lengths = _encode(sessions)
    if lengths.max(initial=0) < 2:
        raise ValueError(
            f"expected a session with two events or more, received {len(lengths)} sessions with at most "
            f"{lengths.max(initial=0)}; an item alone has no context: join sessions, for example one a user"
        )
    return ids, items, lengths, np.bincount(items)


def _context_ranges(lengths, window):
    """Return for each event where its window begins, and how many contexts are in it, without the event itself.

    Events are numbered through all sessions, one after another.
    """
    begins = np.repeat(np.cumsum(lengths) - lengths, lengths)  # (n_events,): where the session of an event begins
    ends = np.repeat(np.cumsum(lengths), lengths)
    positions = np.arange(len(begins))
    first = np.maximum(begins, positions - window)
    return first, np.minimum(ends, positions + window + 1) - first - 1


def _pair_positions(lengths, window):
    """Return the positions of both events of every pair, where all sessions stand one after another."""
    first, n_contexts = _context_ranges(lengths, window)
    centres = np.repeat(np.arange(len(first)), n_contexts)
    number = np.arange(len(centres)) - np.repeat(np.cumsum(n_contexts) - n_contexts, n_contexts)  # 0, 1, … per centre
    contexts = first[centres] + number
    contexts += contexts >= centres  # step over the centre
    return centres, contexts


def _examples(items, lengths, window, n_items, architecture):
    """Return what predicts, a sparse matrix of weights (n_examples, n_items), and the item that is to be predicted."""
    centres, contexts = _pair_positions(lengths, window)
    if architecture == "skip-gram":
        return _one_hot(items[centres], n_items, np.float32), items[contexts]
    n_contexts = np.bincount(centres, minlength=len(items))
    weights = (1 / n_contexts[centres]).astype(np.float32)  # the weights of a mean
    pointers = np.concatenate([[0], np.cumsum(n_contexts)])
    means = csr_array((weights, items[contexts], pointers), shape=(len(items), n_items))
    has_context = np.flatnonzero(n_contexts)
    return means[has_context], items[has_context]


def _one_hot(items, n_items, dtype):
    """Return a sparse matrix (len(items), n_items) with a single 1 in each row."""
    return csr_array((np.ones(len(items), dtype), items, np.arange(len(items) + 1)), shape=(len(items), n_items))


def _score(inputs, context_vectors, columns):
    """Return the inner products of each input with the items in its columns (n, k), and the vectors of those items."""
    others = context_vectors.take(columns, axis=0)  # (n, k, n_factors); what indexing does, and faster
    return (others @ inputs[:, :, None])[:, :, 0], others


def _sum_losses(scores):
    """Return the sum of -log sigmoid(x) of the targets and -log sigmoid(-x) of the negatives."""
    signed = scores.astype(np.float64)
    signed[:, 0] *= -1
    return float(np.logaddexp(0, signed).sum())


def _gradients(item_vectors, context_vectors, weights, columns, rate=1.0):
    """Return the loss, and both gradients times `rate`.

    An input is a mixture of item vectors with the sparse `weights`. The first of its columns is the target.
    """
    inputs = weights @ item_vectors  # (n, n_factors)
    signed, others = _score(inputs, context_vectors, columns)
    signed[:, 0] *= -1
    losses = np.maximum(signed, 0) + np.log1p(np.exp(-np.abs(signed)))  # log(1 + exp(x)), which never overflows
    errors = rate * np.exp(signed - losses)  # exp(x) / (1 + exp(x)): the sigmoid
    errors[:, 0] *= -1
    # Sparse matrices, since their products add up what meets in one row, and are fast.
    starts = np.arange(0, columns.size + 1, columns.shape[1])
    by_item = csc_array((errors.ravel(), columns.ravel(), starts), shape=(len(context_vectors), len(columns)))
    by_input = (errors[:, None] @ others)[:, 0]  # (n, n_factors)
    return float(losses.sum()), weights.T @ by_input, by_item @ inputs


def _shorten(step, longest):
    """Cut the rows that are longer than `longest` to this length, in place; return the array."""
    squares = np.einsum("nd,nd->n", step, step)
    if not squares.max() <= longest**2:  # true as well if a square has overflowed
        rows = np.flatnonzero(~(squares <= longest**2))
        step[rows] *= longest / np.linalg.norm(step[rows].astype(np.float64), axis=1, keepdims=True)
    return step


def _batches(inputs, targets, noise, n_negatives, batch_size, rng):
    """Yield all examples in random order: where a batch starts, its inputs, and its columns (target and negatives)."""
    order = rng.permutation(len(targets))
    for begin in range(0, len(order), BATCHES_AT_ONCE * batch_size):
        chosen = order[begin : begin + BATCHES_AT_ONCE * batch_size]
        weights = inputs[chosen]
        columns = np.column_stack([targets[chosen], noise.draw((len(chosen), n_negatives), rng)])
        for start in range(0, len(chosen), batch_size):
            stop = min(start + batch_size, len(chosen))
            yield begin + start, _take_rows(weights, start, stop), columns[start:stop]


def _take_rows(matrix, start, stop):
    """Return ``matrix[start:stop]`` of a csr_array; faster for a few rows, since less is checked."""
    pointers = matrix.indptr[start : stop + 1]
    entries = slice(pointers[0], pointers[-1])
    arrays = matrix.data[entries], matrix.indices[entries], pointers - pointers[0]
    return csr_array(arrays, shape=(stop - start, matrix.shape[1]))


class _Noise:
    """Draw items: each is the one in whose share of the interval from 0 to 1 a random number falls.

    The draws are those of ``np.searchsorted(ends, rng.random(size) * ends[-1], side="right")``, where ``ends`` are the
    cumulative sums of the probabilities, and faster: the interval is cut into equal cells, and a table says in whose
    share each one begins. Only for a number behind the end of that share is the search needed.
    """

    def __init__(self, probabilities):
        self.ends = np.cumsum(probabilities)
        self.at_cell = np.searchsorted(self.ends, np.arange(N_CELLS) / N_CELLS * self.ends[-1], side="right")

    def draw(self, size, rng):
        """Return an int64 array of this shape."""
        heights = rng.random(size)
        items = self.at_cell.take((heights * N_CELLS).astype(np.int64))
        heights *= self.ends[-1]
        behind = np.nonzero(heights >= self.ends.take(items))
        items[behind] = np.searchsorted(self.ends, heights[behind], side="right")
        return items


def _keep_probabilities(counts, subsample):
    """Return the probability that an event of each item stays."""
    if subsample == 0:
        return np.ones(len(counts))
    ratios = subsample * counts.sum() / counts
    return np.minimum(1, np.sqrt(ratios) + ratios)


def _subsample(items, lengths, keep, rng):
    """Return the events that stay, and how many each session has left."""
    if keep.min() >= 1:
        return items, lengths
    stays = rng.random(len(items)) < keep[items]
    sessions = np.repeat(np.arange(len(lengths)), lengths)
    return items[stays], np.bincount(sessions[stays], minlength=len(lengths))


def _check_options(n_factors, window, n_negatives, n_epochs, rng, subsample, learning_rate, architecture):
    """Return the window as a number."""
    for name, value, low in (("n_factors", n_factors, 1), ("n_negatives", n_negatives, 1), ("n_epochs", n_epochs, 0)):
        check_whole(name, value, low)
    check_number("subsample", subsample)
    check_rate(learning_rate, 0.05)
    check_rng(rng)
    check_choice("architecture", architecture, ARCHITECTURES)
    return _check_window(window)


def _check_window(window):
    if window is None:
        return np.iinfo(np.int32).max  # further than any session is long
    check_whole("window", window, 1)
    return int(window)
