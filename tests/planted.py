"""Feature models for tests: one at random, and likes with a planted answer."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from utils.feature_sums import FeatureModel


def random_features(rng, n, n_features):
    """Weights of which about half are 0; the first row is empty, and the last one is not."""
    features = rng.uniform(0.5, 2, (n, n_features)) * (rng.random((n, n_features)) < 0.5)
    features[0], features[-1, 0] = 0, 1
    return features


@pytest.fixture
def feature_model():
    rng = np.random.default_rng(6)
    return FeatureModel(
        random_features(rng, 5, 3),
        random_features(rng, 7, 4),
        rng.standard_normal((3, 2)),
        rng.standard_normal((4, 2)),
        rng.standard_normal(3),
        rng.standard_normal(4),
        pooling="sqrt",
    )


@pytest.fixture(scope="module")
def planted_likes():
    """Two kinds of users, two kinds of films, four genres: nobody likes a film of the other kind."""
    rng = np.random.default_rng(9)
    n_users, n_items = 40, 60
    user_kind, item_kind = np.arange(n_users) % 2, np.arange(n_items) % 2
    genres = np.zeros((n_items, 4))
    genres[np.arange(n_items), 2 * item_kind + rng.integers(2, size=n_items)] = 1
    likes = (user_kind[:, None] == item_kind) & (rng.random((n_users, n_items)) < 0.4)
    likes[:, 50:] = False  # the last ten films are new
    return csr_array(likes.astype(float)), genres, user_kind, item_kind
