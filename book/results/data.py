"""Facts about MovieLens, for the data page."""

import numpy as np

from utils.data.summary import popularity_curve, summarise


def compute(movielens):
    """Describe the data set in numbers."""
    stars, counts = np.unique(movielens.values, return_counts=True)
    return {
        **summarise(movielens),
        "first_day": str(movielens.timestamps.min().astype("datetime64[s]").astype("datetime64[D]")),
        "last_day": str(movielens.timestamps.max().astype("datetime64[s]").astype("datetime64[D]")),
        "stars": dict(zip(map(str, stars.tolist()), (counts / movielens.n_events).tolist())),
        "popularity_curve": popularity_curve(movielens).round(6).tolist(),
    }
