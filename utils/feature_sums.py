r"""Make vectors of users and items out of the vectors of their features, and learn the vectors of the features.

A row of a feature matrix says which features a user or an item has, and with which weight. `represent` adds up the
vectors of these features, or averages them. `fit_bpr` and `fit_warp` learn them from who had what; `fit_lightfm` lets
the package LightFM do so, and returns the same kind of model.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array, csr_matrix, eye_array, hstack, issparse

from utils.checks import check_matrix, check_number, check_whole, refuse
from utils.progress import progress_bar

#: What a row of feature vectors can be put together by.
POOLINGS = ("sum", "mean", "sqrt")

#: The losses that `fit_lightfm` knows.
LIGHTFM_LOSSES = ("logistic", "bpr", "warp", "warp-kos")


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
        If a row is a str: its letters would be taken for features.

    Examples
    --------
    >>> build_features([["Comedy", "Romance"], [], {"Comedy": 0.5}], ["Comedy", "Romance"]).toarray()
    array([[1. , 1. ],
           [0. , 0. ],
           [0.5, 0. ]])
    """
    if unknown not in ("error", "ignore"):
        raise ValueError(f"expected unknown='error' or 'ignore', received {unknown!r}; choose one")
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
        Weights, 0 or more.
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
    if pooling not in POOLINGS:
        raise ValueError(f"expected a pooling among {', '.join(map(repr, POOLINGS))}, received {pooling!r}; choose one")
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
        Weights :math:`w_f`, 0 or more, usually 0 and 1.
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
        Weights, 0 or more, before pooling.
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
    losses : ndarray of shape (n_epochs,), optional
        Mean loss of a visited pair during each epoch, before its own update. None if the fit does not say.
    n_draws, n_updates : ndarray of shape (n_epochs,), int, optional
        How many negatives were drawn in each epoch, and how many pairs changed the vectors.

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
            Indices, not below 0.

        Returns
        -------
        ndarray of shape (n, n_items)
            Higher is better. `utils.metrics.evaluate` asks for no more than this.

        Raises
        ------
        ValueError
            If an index is not that of a user.
        """
        users = np.asarray(users, dtype=int)
        n_users = self.user_features.shape[0]
        if users.size and (users.min() < 0 or users.max() >= n_users):
            wrong = users[(users < 0) | (users >= n_users)][0]
            raise ValueError(f"expected users of 0 or more and below {n_users}, received {wrong}; use scores_of")
        return self.scores_of(user_features=self.user_features[users])

    def scores_of(self, user_features=None, item_features=None):
        """Score items for users by features that the model may not have met together before.

        Parameters
        ----------
        user_features : sparse or dense array of shape (n, n_user_features), optional
            Those of the model if left out.
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


def fit_bpr(
    interactions,
    n_factors,
    *,
    user_features=None,
    item_features=None,
    pooling="sum",
    has_biases=True,
    negatives="uniform",
    learning_rate=0.1,
    n_epochs=20,
    batch_size=64,
    rng,
    progress=True,
):
    r"""Learn feature vectors with BPR: an item that the user has should beat one that the user has not.

    .. math:: \mathcal{L} = \sum_{(u,i)} -\log \operatorname{sigmoid}(s_{ui} - s_{uj}), \qquad j \notin \Omega_u

    An epoch visits every interaction once, in a new random order, and draws one negative for it.

    Parameters
    ----------
    interactions : sparse matrix or array of shape (n_users, n_items)
        What is above 0 is a positive; the number itself does not count.
    n_factors : int
        1 or more.
    user_features, item_features : sparse or dense array of shape (n_users or n_items, n_features), optional
        Weights, 0 or more. The identity matrix if left out: a vector for each user, for each item.
    pooling : {"sum", "mean", "sqrt"}, optional
        As in `represent`, for both sides and for the biases too.
    has_biases : bool, optional
        Whether item features have biases. User biases would drop out of the difference of two scores.
    negatives : {"uniform", "popularity"}, optional
        Whether each item is drawn as often as any other, or as often as it occurs. LightFM's BPR does the second.
    learning_rate : float, optional
        Of AdaGrad, above 0.
    n_epochs : int, optional
        0 or more.
    batch_size : int, optional
        How many pairs are looked at before the vectors change: 1 is plain stochastic gradient descent, more is faster.
    rng : numpy.random.Generator
        Draws the start, the order and the negatives.
    progress : bool, optional
        Whether to show a progress bar if it takes more than a second.

    Returns
    -------
    FeatureModel
        With the learning curve and the number of draws and of updates.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described, a user has every item, or there is no interaction.

    References
    ----------
    Rendle and others (2009), section 4, with the representation of Kula (2015), section 3.2. AdaGrad is that of
    LightFM: the squares of a feature's gradients start at 1.

    Examples
    --------
    Two users like films of one genre each:

    >>> likes = csr_array([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]])
    >>> genres = [[1, 0], [1, 0], [0, 1], [0, 1]]
    >>> model = fit_bpr(likes, 2, item_features=genres, n_epochs=200, rng=np.random.default_rng(0))
    >>> bool(model.scores([1])[0, 3] > model.scores([1])[0, 0])  # the last film has no viewer, but a genre
    True
    """
    if negatives not in ("uniform", "popularity"):
        raise ValueError(f"expected negatives 'uniform' or 'popularity', received {negatives!r}; choose one")
    task = _start(interactions, n_factors, user_features, item_features, pooling, rng)

    def find(users, positives):
        drawn, n_draws = task.draw_negatives(users, by_popularity=negatives == "popularity")
        return np.ones(len(users), dtype=bool), drawn, np.ones(len(users)), n_draws

    return _fit(task, find, bpr_loss, has_biases, learning_rate, n_epochs, batch_size, progress, "BPR")


def fit_warp(
    interactions,
    n_factors,
    *,
    user_features=None,
    item_features=None,
    pooling="sum",
    has_biases=True,
    max_draws=10,
    learning_rate=0.1,
    n_epochs=20,
    batch_size=16,
    rng,
    progress=True,
):
    r"""Learn feature vectors with WARP: draw negatives until one violates the order, and learn from that one.

    .. math::

        \mathcal{L} = \sum_{(u,i)} w \max(0,\, 1 - s_{ui} + s_{uj}), \qquad
        w = \log \max\big(1, \lfloor (N - 1) / \text{draws} \rfloor\big)

    A negative violates the order if its score comes within 1 of the positive's. If it takes few draws to find one, many
    items stand above the positive, and the weight is large. If none is found in `max_draws`, the pair is left alone.

    Parameters
    ----------
    interactions, n_factors, user_features, item_features, pooling, has_biases
        As in `fit_bpr`.
    max_draws : int, optional
        1 or more. A draw that hits an item of the user's own counts, and is no violation.
    learning_rate, n_epochs, rng, progress
        As in `fit_bpr`.
    batch_size : int, optional
        As in `fit_bpr`, and smaller: the negatives of a batch are found before its first step, so that a large batch
        learns a little less from each.

    Returns
    -------
    FeatureModel

    Raises
    ------
    TypeError, ValueError
        As in `fit_bpr`.

    References
    ----------
    Weston, Bengio and Usunier (2011), section 4, with a logarithm for their sum of :math:`1/r`, as in LightFM.

    Examples
    --------
    >>> likes = csr_array([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]])
    >>> model = fit_warp(likes, 2, n_epochs=100, rng=np.random.default_rng(0))
    >>> model.scores([0]).argmax() in (0, 1), model.scores([1]).argmax()
    (True, np.int64(2))
    """
    check_whole("max_draws", max_draws, 1)
    task = _start(interactions, n_factors, user_features, item_features, pooling, rng)

    def find(users, positives):
        return task.find_violations(users, positives, max_draws)

    return _fit(task, find, warp_loss, has_biases, learning_rate, n_epochs, batch_size, progress, "WARP")


class Embeddings(NamedTuple):
    """What the pairwise losses learn, and, with the same names and shapes, the gradients of it.

    There are no user biases: in the difference of two scores of one user they cancel.

    Attributes
    ----------
    user_embeddings : ndarray of shape (n_user_features, n_factors)
    item_embeddings : ndarray of shape (n_item_features, n_factors)
    item_feature_biases : ndarray of shape (n_item_features,)
    """

    user_embeddings: np.ndarray
    item_embeddings: np.ndarray
    item_feature_biases: np.ndarray


def bpr_loss(gaps):
    r"""Return :math:`-\log \operatorname{sigmoid}(\Delta)` of each gap :math:`\Delta = s_{ui} - s_{uj}`, and its slope.

    Parameters
    ----------
    gaps : ndarray of shape (n,)
        By how much each positive beats its negative.

    Returns
    -------
    losses, slopes : ndarray of shape (n,)
        The slope :math:`-\operatorname{sigmoid}(-\Delta)` is near 0 for pairs in good order, and near -1 for bad ones.

    Examples
    --------
    >>> losses, slopes = bpr_loss(np.array([0.0, 5.0]))
    >>> losses.round(3), slopes.round(3)
    (array([0.693, 0.007]), array([-0.5  , -0.007]))
    """
    return np.logaddexp(0, -gaps), -np.exp(-np.logaddexp(0, gaps))  # no overflow for any gap


def warp_loss(gaps):
    r"""Return :math:`\max(0, 1 - \Delta)` of each gap :math:`\Delta = s_{ui} - s_{uj}`, and its slope.

    `fit_warp` weighs both.

    Parameters
    ----------
    gaps : ndarray of shape (n,)
        By how much each positive beats its negative.

    Returns
    -------
    losses, slopes : ndarray of shape (n,)

    Examples
    --------
    >>> warp_loss(np.array([0.25, 2.0]))
    (array([0.75, 0.  ]), array([-1.,  0.]))
    """
    return np.maximum(0, 1 - gaps), np.where(gaps < 1, -1.0, 0.0)


def score_gaps(parameters, user_rows, item_gaps):
    """Return by how much positives beat negatives.

    Parameters
    ----------
    parameters : Embeddings
        Or a `FeatureModel`, which has arrays of the same names.
    user_rows : sparse array of shape (n, n_user_features)
        Pooled features of the user of each pair.
    item_gaps : sparse array of shape (n, n_item_features)
        Pooled features of the positive minus those of the negative.

    Returns
    -------
    ndarray of shape (n,)
    """
    x, y_gaps = user_rows @ parameters.user_embeddings, item_gaps @ parameters.item_embeddings  # (n, n_factors)
    return (x * y_gaps).sum(axis=1) + item_gaps @ parameters.item_feature_biases


def gap_gradients(parameters, user_rows, item_gaps, slopes):
    r"""Return the gradients of a sum of losses of `score_gaps`, by the chain rule.

    A feature gets what its user or item gets, times its weight in the row:

    .. math::

        \frac{\partial \mathcal{L}}{\partial \mathbf{e}_f} = \sum_n \ell'(\Delta_n)\, w_{nf}\,
        (\mathbf{y}_i - \mathbf{y}_j)_n \quad\text{for a user's feature,} \qquad
        \sum_n \ell'(\Delta_n)\, (w_{if} - w_{jf})_n\, \mathbf{x}_n \quad\text{for an item's.}

    A feature that both items have gets nothing: it cannot tell them apart.

    Parameters
    ----------
    parameters, user_rows, item_gaps
        As in `score_gaps`.
    slopes : ndarray of shape (n,)
        The derivative of each pair's loss by its gap.

    Returns
    -------
    Embeddings

    Examples
    --------
    >>> here = Embeddings(np.array([[1.0]]), np.array([[2.0], [0.5]]), np.zeros(2))
    >>> gap_gradients(here, np.array([[1.0]]), np.array([[1.0, -1.0]]), np.array([-0.5]))
    Embeddings(user_embeddings=array([[-0.75]]), item_embeddings=array([[-0.5], [ 0.5]]),
               item_feature_biases=array([-0.5,  0.5]))
    """
    x, y_gaps = user_rows @ parameters.user_embeddings, item_gaps @ parameters.item_embeddings  # (n, n_factors)
    return Embeddings(
        user_rows.T @ (slopes[:, None] * y_gaps), item_gaps.T @ (slopes[:, None] * x), item_gaps.T @ slopes
    )


def fit_lightfm(
    interactions,
    n_factors,
    *,
    loss="warp",
    user_features=None,
    item_features=None,
    pooling="sum",
    learning_rate=0.05,
    n_epochs=20,
    max_sampled=10,
    seed,
):
    """Learn feature vectors with the package LightFM, on one thread, so that the same seed gives the same model.

    Parameters
    ----------
    interactions : sparse matrix or array of shape (n_users, n_items)
        Above 0: a positive. Below 0: a negative, which only the loss "logistic" reads.
    n_factors : int
        1 or more.
    loss : {"logistic", "bpr", "warp", "warp-kos"}, optional
        As LightFM calls it.
    user_features, item_features : sparse or dense array of shape (n_users or n_items, n_features), optional
        Weights, 0 or more. The identity matrix if left out.
    pooling : {"sum", "mean", "sqrt"}, optional
        LightFM sums; for another pooling it gets scaled rows.
    learning_rate : float, optional
        Of AdaGrad.
    n_epochs : int, optional
        0 or more.
    max_sampled : int, optional
        How often "warp" and "warp-kos" draw for a violation.
    seed : int
        For LightFM's own generator.

    Returns
    -------
    FeatureModel
        Without learning curve or counts: LightFM reports none.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    References
    ----------
    Kula (2015). The package is ``lightfm-next``, imported as ``lightfm``.
    """
    from lightfm import LightFM  # here, so that the rest of this module works without the package

    if loss not in LIGHTFM_LOSSES:
        raise ValueError(f"expected a loss among {', '.join(map(repr, LIGHTFM_LOSSES))}, received {loss!r}; choose one")
    interactions = check_matrix(interactions, "interactions")
    n_users, n_items = interactions.shape
    user_features = _features_or_identity(user_features, n_users, "user_features")
    item_features = _features_or_identity(item_features, n_items, "item_features")
    model = LightFM(
        no_components=n_factors, loss=loss, learning_rate=learning_rate, max_sampled=max_sampled, random_state=seed
    )
    model.fit(
        csr_matrix(_with_int32(interactions.astype(np.float32))).tocoo(),
        user_features=as_lightfm(pool(user_features, pooling)),
        item_features=as_lightfm(pool(item_features, pooling)),
        epochs=n_epochs,
        num_threads=1,
    )
    return FeatureModel(
        user_features,
        item_features,
        model.user_embeddings,
        model.item_embeddings,
        model.user_biases,
        model.item_biases,
        pooling,
    )


def as_lightfm(features):
    """Return a feature matrix in the one form that LightFM reads: a csr_matrix of float32 with int32 indices.

    A csr_array with int64 indices, as SciPy often makes them, fails in LightFM with "Buffer dtype mismatch".

    Parameters
    ----------
    features : sparse or dense array of shape (n, n_features)

    Returns
    -------
    scipy.sparse.csr_matrix of shape (n, n_features), float32

    Examples
    --------
    >>> as_lightfm([[1, 0]]).indices.dtype
    dtype('int32')
    """
    return csr_matrix(_with_int32(_check_features(features, "features").astype(np.float32)))


class _Task:
    """What stays the same during a fit (features and positives), the parameters, and the drawing of negatives."""

    def __init__(self, positives, features, pooling, parameters, rng):
        self.n_items = positives.shape[1]
        self.users = np.repeat(np.arange(positives.shape[0]), np.diff(positives.indptr))
        self.items = positives.indices
        self.pairs = self.users.astype(np.int64) * self.n_items + self.items  # sorted, since the rows are
        self.features, self.pooling = features, pooling
        self.user_rows, self.item_rows = (pool(one, pooling) for one in features)
        self.parameters, self.rng = parameters, rng

    def is_positive(self, users, items):
        """Return whether the users have the items."""
        pairs = users.astype(np.int64) * self.n_items + items
        places = np.searchsorted(self.pairs, pairs).clip(max=len(self.pairs) - 1)
        return self.pairs[places] == pairs

    def draw_negatives(self, users, by_popularity):
        """Draw an item that the user has not for each user; return the items and how many draws it took."""
        drawn, is_open, n_draws = np.zeros(len(users), dtype=int), np.ones(len(users), dtype=bool), 0
        while is_open.any():
            n_open = int(is_open.sum())
            # a random interaction is about an item in proportion to its popularity
            drawn[is_open] = (
                self.items[self.rng.integers(len(self.items), size=n_open)]
                if by_popularity
                else self.rng.integers(self.n_items, size=n_open)
            )
            n_draws += n_open
            is_open[is_open] = self.is_positive(users[is_open], drawn[is_open])
        return drawn, n_draws

    def find_violations(self, users, positives, max_draws):
        """Draw for each pair until a negative comes within 1 of the positive.

        Returns which pairs found one, the negatives, the weights of WARP, and the number of all draws.
        """
        n = len(users)
        p = self.parameters
        x = self.user_rows[users] @ p.user_embeddings  # (n, n_factors)
        y = self.item_rows @ p.item_embeddings  # (n_items, n_factors)
        biases = self.item_rows @ p.item_feature_biases
        bar = (x * y[positives]).sum(axis=1) + biases[positives] - 1
        # All draws at once, which is faster than one after another; what comes after the first violation is not used.
        items = self.rng.integers(self.n_items, size=(n, max_draws))
        is_violation = np.einsum("nd,nkd->nk", x, y.take(items, axis=0)) + biases[items] > bar[:, None]
        is_violation &= ~self.is_positive(users[:, None], items)
        first = is_violation.argmax(axis=1)
        found = is_violation[np.arange(n), first]
        n_draws = np.where(found, first + 1, max_draws)
        weights = np.where(found, np.log(np.maximum(1, (self.n_items - 1) // n_draws)), 0)
        return found, items[np.arange(n), first], weights, n_draws.sum()


def _start(interactions, n_factors, user_features, item_features, pooling, rng):
    """Check everything, and draw the start as LightFM does: uniform, and smaller for more factors."""
    positives = check_matrix(interactions, "interactions")
    positives.data = (positives.data > 0).astype(float)
    positives.eliminate_zeros()
    positives.sort_indices()
    n_users, n_items = positives.shape
    if not positives.nnz:
        raise ValueError("expected at least one interaction above 0, received none; there is nothing to learn from")
    full = np.flatnonzero(np.diff(positives.indptr) == n_items)
    if len(full):
        raise ValueError(f"expected an item that user {full[0]} has not, received none; leave the user out")
    check_whole("n_factors", n_factors, 1)
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"expected rng as a numpy Generator, received {rng!r}; use np.random.default_rng(0)")
    features = [
        _features_or_identity(given, n, name)
        for given, n, name in ((user_features, n_users, "user_features"), (item_features, n_items, "item_features"))
    ]
    embeddings = [(rng.random((one.shape[1], n_factors)) - 0.5) / n_factors for one in features]
    return _Task(positives, features, pooling, Embeddings(*embeddings, np.zeros(features[1].shape[1])), rng)


def _fit(task, find, loss, has_biases, learning_rate, n_epochs, batch_size, progress, name):
    """Visit all interactions in every epoch: find negatives for a batch of them, and take a step."""
    check_whole("n_epochs", n_epochs, 0)
    check_whole("batch_size", batch_size, 1)
    check_number("learning_rate", learning_rate)
    if learning_rate == 0:
        raise ValueError("expected a learning_rate above 0, received 0; 0.1 is a start")
    squares = [np.ones_like(array) for array in task.parameters]  # as LightFM starts AdaGrad
    losses, n_draws, n_updates = np.zeros(n_epochs), np.zeros(n_epochs, dtype=int), np.zeros(n_epochs, dtype=int)
    for epoch in progress_bar(range(n_epochs), desc=name, unit="epoch", show=progress):
        order = task.rng.permutation(len(task.items))
        for begin in range(0, len(order), batch_size):
            batch = order[begin : begin + batch_size]
            users, positives = task.users[batch], task.items[batch]
            found, negatives, weights, drawn = find(users, positives)
            n_draws[epoch] += drawn
            n_updates[epoch] += found.sum()
            user_rows = task.user_rows[users[found]]
            item_gaps = _differences(positives[found], negatives[found], task.n_items) @ task.item_rows
            pair_losses, slopes = loss(score_gaps(task.parameters, user_rows, item_gaps))
            losses[epoch] += pair_losses @ weights[found] / len(order)
            gradients = gap_gradients(task.parameters, user_rows, item_gaps, slopes * weights[found])
            for array, square, gradient in zip(task.parameters, squares, gradients):
                if array.ndim == 2 or has_biases:
                    array -= learning_rate * gradient / np.sqrt(square)
                    square += gradient**2
    p = task.parameters
    return FeatureModel(
        *task.features,
        p.user_embeddings,
        p.item_embeddings,
        None,
        p.item_feature_biases,
        task.pooling,
        losses,
        n_draws,
        n_updates,
    )


def _differences(positives, negatives, n_items):
    """Return a sparse matrix (n, n_items) with a 1 for the positive and a -1 for the negative in each row."""
    n = len(positives)
    columns = np.column_stack([positives, negatives]).ravel()
    return csr_array((np.tile([1.0, -1.0], n), columns, np.arange(0, 2 * n + 1, 2)), shape=(n, n_items))


def _with_int32(matrix):
    """Return a csr_array with the indices that LightFM was compiled for."""
    return csr_array((matrix.data, matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)), shape=matrix.shape)


def _features_or_identity(features, n, name):
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
