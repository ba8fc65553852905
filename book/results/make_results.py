"""Compute all results on MovieLens that the book quotes: `make results`.

Each function here is one file. What it does, a chapter does too, in the open, for a part of the data or for one seed,
and asserts that both agree.
"""

import numpy as np
from tqdm import tqdm

from utils.data import load_movielens
from utils.data.movielens import SHA256
from utils.data.summary import popularity_curve, summarise
from utils.results import save_result

NAME = "ml-latest-small"


def data(movielens):
    """Facts about the data set, for the data page."""
    stars, counts = np.unique(movielens.values, return_counts=True)
    return {
        **summarise(movielens),
        "first_day": str(movielens.timestamps.min().astype("datetime64[s]").astype("datetime64[D]")),
        "last_day": str(movielens.timestamps.max().astype("datetime64[s]").astype("datetime64[D]")),
        "stars": dict(zip(map(str, stars.tolist()), (counts / movielens.n_events).tolist())),
        "popularity_curve": popularity_curve(movielens).round(6).tolist(),
    }


def main():
    """Compute every result and write it down with its provenance."""
    movielens = load_movielens(NAME)
    for compute in tqdm([data], desc="results", unit="file"):
        save_result(compute.__name__, compute(movielens), data=NAME, checksum=SHA256[NAME])


if __name__ == "__main__":
    main()
