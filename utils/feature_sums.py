r"""Make vectors of users and items out of the vectors of their features, and learn the vectors of the features.

A row of a feature matrix says which features a user or an item has, and with which weight. `represent` adds up the
vectors of these features, or averages them. `fit_bpr` and `fit_warp` learn them from who had what; `fit_lightfm` lets
the package LightFM do so, and returns the same kind of model.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, csr_matrix, eye_array, hstack, issparse

from utils.book.progress import progress_bar
from utils.checks import (
    check_choice,
    check_matrix,
    check_number,
    check_rate,
    check_rng,
    check_whole,
    refuse,
    refuse_divergence,
)
from utils.negative_sampling import UniformSampler
from utils.recommender import check_users

#: What a row of feature vectors can be put together by.
POOLINGS = ("sum", "mean", "sqrt")

#: The losses that `fit_lightfm` knows.
LIGHTFM_LOSSES = ("logistic", "bpr", "warp", "warp-kos")

# A fit whose loss is so many times that of its start, or so large where that is small, is lost.
LOST = 100


def build_features(rows, names, *, unknown="error"):
    """Turn lists of features into a feature matrix.

    Parameters
    ----------
    rows : sequence of iterable of str, or of dict of str to float
        For each user or item its features, or feature → weight, 0 or more. A feature that a list names twice gets the
        weight 2. There may be none.
    names : sequence of str
        The known features, each once, in the order of the columns.
    unknown : {"error", "ignore"}, optional
        What to do with a feature that is not in `names`: a new film may have a director whom no vector was learned for.

    Returns
    -------
    scipy.sparse.csr_array of shape (n_rows, n_features), float64

    Raises
    ------
    ValueError
        If a feature is unknown, a name occurs twice, a weight is negative or not finite, or `unknown` is something
        else.
    TypeError
        If a row or `names` is a str (its letters would be taken for features), or a weight is no number.

    Examples
    --------
    >>> build_features([["Comedy", "Romance"], [], {"Comedy": 0.5}], ["Comedy", "Romance"]).toarray()
    array([[1. , 1. ],
           [0. , 0. ],
           [0.5, 0. ]])
    """
    check_choice("unknown", unknown, ("error", "ignore"))
    if isinstance(names, str):
        raise TypeError(f"expected names as a list, received the str {names!r}; its letters would be taken for names")
    column = {name: i for i, name in enumerate(names)}
    if len(column) < len(names):
        twice = next(name for i, name in enumerate(names) if column[name] != i)
        raise ValueError(f"expected each of names once, received {twice!r} more than once; a column needs its own name")
    entries = []
    for row, features in enumerate(rows):
        if isinstance(features, str):
            raise TypeError(
                f"expected a list of features, received the str {features!r} in row {row}; write [features]"
            )
        weights = features.items() if isinstance(features, dict) else ((feature, 1.0) for feature in features)
        for feature, weight in weights:
            if isinstance(weight, str):  # NumPy would read a number in it
                raise TypeError(f"expected numbers as weights, received the str {weight!r} in row {row}; convert it")
            if feature in column:
                entries.append((row, column[feature], weight))
            elif unknown == "error":
                raise ValueError(
                    f"expected features among the {len(column)} known ones, received {feature!r} in row {row}; "
                    "add it to names before training, or drop it with unknown='ignore'"
                )
    row_numbers, columns, weights = np.array(entries, dtype=float).reshape(-1, 3).T
    matrix = csr_array((weights, (row_numbers.astype(int), columns.astype(int))), shape=(len(rows), len(column)))
    return _check_features(matrix, "features")


def add_identity(features):
    """Give every row one more feature that nobody else has: a vector of its own.

    With no other feature, a model of features is a plain matrix factorisation.

    Parameters
    ----------
    features : sparse or dense array of shape (n, n_features)
        Entries that are stored twice are added, as SciPy does.

    Returns
    -------
    scipy.sparse.csr_array of shape (n, n + n_features)
        The identity matrix first.

    Raises
    ------
    ValueError, TypeError
        As in `pool`.

    Examples
    --------
    >>> add_identity([[0.0, 1.0], [1.0, 1.0]]).toarray()
    array([[1., 0., 0., 1.],
           [0., 1., 1., 1.]])
    """
    features = _check_features(features, "features")
    return csr_array(hstack([eye_array(features.shape[0], dtype=features.dtype), features]))


def pool(features, pooling="sum"):
    r"""Scale the rows of a feature matrix, so that its product with the vectors is a sum, a mean, or in between.

    .. math::

        w_f \quad\text{(sum)}, \qquad \frac{w_f}{\sum_{f'} w_{f'}} \quad\text{(mean)},
        \qquad \frac{w_f}{\sqrt{\sum_{f'} w_{f'}}} \quad\text{(sqrt)}

    Parameters
    ----------
    features : sparse or dense array of shape (n, n_features)
        Weights, 0 or more. Entries that are stored twice are added, as SciPy does.
    pooling : {"sum", "mean", "sqrt"}, optional
        How to scale.

    Returns
    -------
    scipy.sparse.csr_array of shape (n, n_features), float
        An empty row stays empty.

    Raises
    ------
    ValueError
        If the pooling is unknown, `features` has not two dimensions, or a weight is negative or not finite.
    TypeError
        If `features` does not hold real numbers.

    Examples
    --------
    >>> pool([[1.0, 1.0], [0.0, 4.0], [0.0, 0.0]], "mean").toarray()
    array([[0.5, 0.5],
           [0. , 1. ],
           [0. , 0. ]])
    """
    check_choice("pooling", pooling, POOLINGS)
    features = _check_features(features, "features")
    if pooling == "sum":
        return features
    divisors = np.asarray(features.sum(axis=1), dtype=features.dtype)
    if pooling == "sqrt":
        divisors = np.sqrt(divisors)
    divisors[divisors == 0] = 1  # an empty row has nothing to divide
    return features.multiply(1 / divisors[:, None]).tocsr()


def represent(features, embeddings, pooling="sum"):
    r"""Make one vector for each row out of the vectors of its features.

    .. math::

        \mathbf{y}_i = \sum_{f \in \mathcal{F}_i} w_f \mathbf{e}_f \quad\text{(sum)}, \qquad
        \text{divided by } \sum_f w_f \quad\text{(mean)} \quad\text{or by } \sqrt{\textstyle\sum_f w_f}
        \quad\text{(sqrt)}

    Parameters
    ----------
    features : sparse or dense array of shape (n, n_features)
        Weights :math:`w_f`, 0 or more, usually 0 and 1. Entries that are stored twice are added, as SciPy does.
    embeddings : array_like of shape (n_features, n_factors), or (n_features,) for biases
        The vectors :math:`\mathbf{e}_f`.
    pooling : {"sum", "mean", "sqrt"}, optional
        "mean" divides by the row's sum of weights, "sqrt" by the root of it. LightFM takes sums of the rows that it is
        given; its ``Dataset`` builder gives it rows that sum to 1, and then the sum is a mean.

    Returns
    -------
    ndarray of shape (n, n_factors), or (n,)
        The zero vector (or 0) for an empty row, whatever the pooling.

    Raises
    ------
    ValueError
        As in `pool`, or if there is not one finite vector for each feature.
    TypeError
        As in `pool`.

    References
    ----------
    Kula (2015), section 3.2: the latent representation of a user or an item is the sum of its features' embeddings, and
    so is its bias.

    Examples
    --------
    >>> vectors = [[2.0, 0.0], [0.0, 4.0]]
    >>> represent([[1, 1], [0, 1], [0, 0]], vectors)
    array([[2., 4.],
           [0., 4.],
           [0., 0.]])
    >>> represent([[1, 1], [0, 1], [0, 0]], vectors, "mean")
    array([[1., 2.],
           [0., 4.],
           [0., 0.]])
    """
    features = pool(features, pooling)
    embeddings = np.asarray(embeddings)
    if embeddings.ndim not in (1, 2) or len(embeddings) != features.shape[1]:
        raise ValueError(
            f"expected embeddings with one row for each of {features.shape[1]} features, received shape "
            f"{embeddings.shape}; an unknown feature has no vector, so build the matrix from the features of the fit"
        )
    if embeddings.dtype.kind not in "biuf" or not np.isfinite(embeddings).all():
        raise ValueError("expected finite embeddings, received NaN, infinity or no numbers; fit them again")
    return features @ embeddings


@dataclass(frozen=True, eq=False)
class FeatureModel:
    r"""Score items for users, both made of features.

    .. math:: s_{ui} = b_u + b_i + \mathbf{x}_u^\top \mathbf{y}_i

    Vectors and biases of users and items come from those of their features by `represent`.

    Parameters
    ----------
    user_features : sparse or dense array of shape (n_users, n_user_features)
        Weights, 0 or more, before pooling. Entries that are stored twice are added, as SciPy does.
    item_features : sparse or dense array of shape (n_items, n_item_features)
        Likewise.
    user_embeddings : array_like of shape (n_user_features, n_factors)
        A vector for each user feature.
    item_embeddings : array_like of shape (n_item_features, n_factors)
        A vector for each item feature.
    user_feature_biases, item_feature_biases : array_like of shape (n_user_features,), (n_item_features,), optional
        Zeros if left out.
    pooling : {"sum", "mean", "sqrt"}, optional
        For both sides. A side of identity features alone is the same with each.
    losses : ndarray of shape (1 + n_epochs,), optional
        Mean loss of a pair: of the start, then of each epoch, as the fit says. None for a model that was not fitted.
    n_draws, n_updates : ndarray of shape (n_epochs,), int, optional
        How many negatives were drawn in each epoch, one a pair for BPR, and how many pairs changed the vectors. None
        if the fit does not say.

    Raises
    ------
    ValueError, TypeError
        As in `represent`, or if the two sides differ in their number of factors.

    Examples
    --------
    >>> model = FeatureModel(np.eye(1), [[1, 1], [0, 1]], [[1.0, 2.0]], [[3.0, 0.0], [0.0, 5.0]])
    >>> model.scores([0])
    array([[13., 10.]])
    >>> model.scores_of(item_features=[[1, 0]])  # a film that the model has not met
    array([[3.]])
    """

    user_features: csr_array
    item_features: csr_array
    user_embeddings: np.ndarray
    item_embeddings: np.ndarray
    user_feature_biases: np.ndarray | None = None
    item_feature_biases: np.ndarray | None = None
    pooling: str = "sum"
    losses: np.ndarray | None = None
    n_draws: np.ndarray | None = None
    n_updates: np.ndarray | None = None

    def __post_init__(self):
        checked = {}
        for side in ("user", "item"):
            features = _check_features(getattr(self, f"{side}_features"), f"{side}_features")
            vectors = np.asarray(getattr(self, f"{side}_embeddings"))
            biases = getattr(self, f"{side}_feature_biases")
            biases = np.zeros(len(vectors)) if biases is None else np.asarray(biases)
            represent(features[:0], vectors, self.pooling)  # no row: checks the shapes alone
            represent(features[:0], biases, self.pooling)
            checked.update(
                {f"{side}_features": features, f"{side}_embeddings": vectors, f"{side}_feature_biases": biases}
            )
        if checked["user_embeddings"].shape[1:] != checked["item_embeddings"].shape[1:]:
            raise ValueError(
                "expected user_embeddings and item_embeddings with equally many columns, received shapes "
                f"{checked['user_embeddings'].shape} and {checked['item_embeddings'].shape}; both need n_factors"
            )
        for field, array in checked.items():
            object.__setattr__(self, field, array)  # the dataclass is frozen for everyone else

    @property
    def user_factors(self):
        """Vectors of the users, ndarray of shape (n_users, n_factors)."""
        return represent(self.user_features, self.user_embeddings, self.pooling)

    @property
    def item_factors(self):
        """Vectors of the items, ndarray of shape (n_items, n_factors)."""
        return represent(self.item_features, self.item_embeddings, self.pooling)

    @property
    def item_biases(self):
        """Biases of the items, ndarray of shape (n_items,)."""
        return represent(self.item_features, self.item_feature_biases, self.pooling)

    def scores(self, users):
        """Score all items for some users.

        Parameters
        ----------
        users : array_like of shape (n,), int
            Indices, from 0. A user whom the model has not met has features, and so `scores_of`.

        Returns
        -------
        ndarray of shape (n, n_items), float
            Higher is better.

        Raises
        ------
        TypeError, ValueError
            As `utils.recommender.check_users`.
        """
        users = check_users(users, self.user_features.shape[0])
        return self.scores_of(user_features=self.user_features[users])

    def scores_of(self, user_features=None, item_features=None):
        """Score items for users by features that the model may not have met together before.

        Parameters
        ----------
        user_features : sparse or dense array of shape (n, n_user_features), optional
            Those of the model if left out. Entries that are stored twice are added, as SciPy does.
        item_features : sparse or dense array of shape (m, n_item_features), optional
            Likewise.

        Returns
        -------
        ndarray of shape (n, m)

        Raises
        ------
        ValueError, TypeError
            As in `represent`.
        """
        users = self.user_features if user_features is None else user_features
        items = self.item_features if item_features is None else item_features
        products = self._represent(users, "user") @ self._represent(items, "item").T
        offsets = represent(users, self.user_feature_biases, self.pooling)
        return products + offsets[:, None] + represent(items, self.item_feature_biases, self.pooling)

    def _represent(self, features, side):
        return represent(features, getattr(self, f"{side}_embeddings"), self.pooling)


def fit_lightfm(
    interactions,
    n_factors,
    *,
    loss="warp",
    user_features=None,
    item_features=None,
    pooling="sum",
    learning_rate=0.05,
    max_sampled=10,
    penalty=0.0,
    n_epochs,
    rng,
    progress=True,
):
    r"""Learn feature vectors with the package LightFM, on one thread, so that the same state gives the same model.

    Parameters
    ----------
    interactions : sparse matrix or array of shape (n_users, n_items)
        Above 0: a positive. Others that are stored: negatives, which only the loss "logistic" reads. Entries that are
        stored twice are added, as SciPy does.
    n_factors : int
        1 or more.
    loss : {"logistic", "bpr", "warp", "warp-kos"}, optional
        As LightFM calls it.
    user_features, item_features : sparse or dense array of shape (n_users or n_items, n_features), optional
        Weights, 0 or more. The identity matrix if left out.
    pooling : {"sum", "mean", "sqrt"}, optional
        LightFM sums; for another pooling it gets scaled rows.
    learning_rate : float, optional
        Of AdaGrad, above 0.
    max_sampled : int, optional
        How often "warp" and "warp-kos" draw for a violation; in a catalogue so small, "warp-kos" draws once less often
        than it has items, since LightFM would fail.
    penalty : float, optional
        0 or more; LightFM's ``item_alpha`` and ``user_alpha``. Each step shortens all vectors by this share of its
        size, so useful values are small, such as 1e-5.
    n_epochs : int
        0 or more.
    rng : numpy.random.Generator
        Draws the seed of LightFM's own generator, then the negatives of the losses.
    progress : bool, optional
        Whether to show a progress bar if it takes more than a second.

    Returns
    -------
    FeatureModel
        LightFM reports no loss and no counts. The losses are measured at the start and after each epoch, all on the
        same pairs: for "logistic" the mean of :math:`-\log \operatorname{sigmoid}(\pm s_{ui})` over the stored entries;
        for the others, over the positives and one negative for each, drawn once, the mean of
        :math:`-\log \operatorname{sigmoid}(\Delta)` for "bpr" and of :math:`\max(0, 1 - \Delta)` for both kinds of
        WARP, without their weights. A user who has every item is left out of this mean.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described, there is nothing to learn from, or the learning rate is so large that the
        loss explodes.

    References
    ----------
    Kula (2015). The package is ``lightfm-next``, imported as ``lightfm``.

    Examples
    --------
    >>> likes = csr_array([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]])
    >>> model = fit_lightfm(likes, 2, n_epochs=50, rng=np.random.default_rng(0))
    >>> model.scores([0]).argmax() in (0, 1), model.scores([1]).argmax()
    (True, np.int64(2))
    """
    from lightfm import LightFM  # here, so that the rest of this module works without the package

    check_choice("loss", loss, LIGHTFM_LOSSES)
    interactions = check_matrix(interactions, "interactions")
    check_whole("n_factors", n_factors, 1)
    check_whole("max_sampled", max_sampled, 1)
    check_whole("n_epochs", n_epochs, 0)
    check_rate(learning_rate, 0.05)
    check_number("penalty", penalty)
    check_rng(rng)
    n_users, n_items = interactions.shape
    user_features = features_or_identity(user_features, n_users, "user_features")
    item_features = features_or_identity(item_features, n_items, "item_features")
    if loss == "warp-kos":  # more draws than there are other items would weigh a pair by the logarithm of 0
        max_sampled = max(1, min(max_sampled, n_items - 1))
    model = LightFM(
        no_components=int(n_factors),
        loss=loss,
        learning_rate=learning_rate,
        max_sampled=int(max_sampled),
        item_alpha=float(penalty),
        user_alpha=float(penalty),
        random_state=int(rng.integers(2**31)),
    )
    user_rows, item_rows = (as_lightfm(pool(features, pooling)) for features in (user_features, item_features))
    data = csr_matrix(_with_int32(interactions.astype(np.float32))).tocoo()
    measure = _lightfm_loss(model, loss, interactions, user_rows, item_rows, rng)

    def train(epochs):
        with np.errstate(over="ignore", invalid="ignore"):  # LightFM itself refuses what is not finite
            model.fit_partial(data, user_features=user_rows, item_features=item_rows, epochs=epochs, num_threads=1)

    train(0)  # draws the start
    losses = [measure()]
    for epoch in progress_bar(range(1, n_epochs + 1), desc="LightFM", unit="epoch", show=progress):
        train(1)  # which goes on where it stopped: epochs one by one give the vectors of all at once
        losses.append(measure())
        refuse_divergence(losses[-1], LOST * max(losses[0], 1), (), epoch, learning_rate)
    return FeatureModel(
        user_features,
        item_features,
        model.user_embeddings,
        model.item_embeddings,
        model.user_biases,
        model.item_biases,
        pooling,
        np.array(losses),
    )


def _lightfm_loss(model, loss, interactions, user_rows, item_rows, rng):
    """Return a function that measures the mean loss of the model as it is, on pairs that are chosen here."""
    users = np.repeat(np.arange(interactions.shape[0]), np.diff(interactions.indptr))
    items, is_positive = interactions.indices, interactions.data > 0
    signs = np.where(is_positive, 1.0, -1.0)
    if loss != "logistic":
        is_full = np.bincount(users[is_positive], minlength=interactions.shape[0]) == interactions.shape[1]
        is_measured = is_positive & ~is_full[users]
        users, items = users[is_measured], items[is_measured]
    if not len(users):
        raise ValueError(
            f"expected an interaction that the loss {loss!r} can learn from, received none; a positive is above 0, and "
            "its user lacks an item"
        )
    if loss != "logistic":
        positives = csr_array(
            (is_positive.astype(float), interactions.indices, interactions.indptr), interactions.shape
        )
        negatives = UniformSampler(interactions.shape[1], exclude=positives).sample(users, None, 1, rng=rng)[:, 0]

    def measure():
        e_users, e_items, of_users, of_items = (
            array.astype(np.float64)
            for array in (model.user_embeddings, model.item_embeddings, model.user_biases, model.item_biases)
        )
        x, y, biases = user_rows @ e_users, item_rows @ e_items, item_rows @ of_items
        if loss == "logistic":
            scores = np.einsum("nd,nd->n", x[users], y[items]) + (user_rows @ of_users)[users] + biases[items]
            return float(np.logaddexp(0, -signs * scores).mean())
        gaps = np.einsum("nd,nd->n", x[users], y[items] - y[negatives]) + biases[items] - biases[negatives]
        losses = np.logaddexp(0, -gaps) if loss == "bpr" else np.maximum(0, 1 - gaps)
        return float(losses.mean())

    return measure


def as_lightfm(features):
    """Return a feature matrix in the one form that LightFM reads: a csr_matrix of float32 with int32 indices.

    A csr_array with int64 indices, as SciPy often makes them, fails in LightFM with "Buffer dtype mismatch".

    Parameters
    ----------
    features : sparse or dense array of shape (n, n_features)
        Entries that are stored twice are added, as SciPy does.

    Returns
    -------
    scipy.sparse.csr_matrix of shape (n, n_features), float32

    Examples
    --------
    >>> as_lightfm([[1, 0]]).indices.dtype
    dtype('int32')
    """
    return csr_matrix(_with_int32(_check_features(features, "features").astype(np.float32)))


def _with_int32(matrix):
    """Return a csr_array with the indices that LightFM was compiled for."""
    return csr_array((matrix.data, matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)), shape=matrix.shape)


def features_or_identity(features, n, name):
    """Return checked features with one row for each user or item."""
    if features is None:
        return csr_array(eye_array(n))
    features = _check_features(features, name)
    if features.shape[0] != n:
        raise ValueError(
            f"expected {name} with {n} rows, one for each column or row of interactions, received shape "
            f"{features.shape}; who has no features gets an empty row"
        )
    return features


def _check_features(features, name):
    """Return a csr_array of floating weights, finite and 0 or more, without stored zeros."""
    if not issparse(features):
        features = np.asarray(features)
        if features.dtype.kind not in "biuf":
            raise TypeError(
                f"expected {name} as numbers, received {features.dtype}; build_features turns names into some"
            )
    if features.ndim != 2:
        raise ValueError(f"expected {name} of shape (n, n_features), received {features.shape}; use one row each")
    features = check_matrix(csr_array(features), name)
    refuse(features.data < 0, features, f"weights of 0 or more in {name}", "a feature is there or not, more or less")
    features.eliminate_zeros()
    return features
