"""Which films fill the lists of each measure on MovieLens, for the chapter on similarity."""

import numpy as np
from scipy.sparse.linalg import svds

from utils.similarity import MEASURES, scores


def compute(movielens, n_seeds=10, n_factors=32, min_events=5, k=10):
    """Which films fill the lists of each measure, for the chapter on similarity; one entry a seed.

    A seed puts a fifth of the ratings aside. Films with at least `min_events` of the other ratings are the
    catalogue. "like" is one list for each film, "viewers" one for each user who has ratings on both sides.
    """
    results = [_similarity_of_seed(movielens, seed, n_factors, min_events, k) for seed in range(n_seeds)]
    gathered = {name: [result[name] for result in results] for name in results[0] if name not in ("rows", "example")}
    for name, row in results[0]["rows"].items():
        gathered[name] = {fact: [result["rows"][name][fact] for result in results] for fact in row}
    settings = {"n_factors": n_factors, "min_events": min_events, "k": k}
    return {**settings, **gathered, "example": results[0]["example"]}


def _similarity_of_seed(movielens, seed, n_factors, min_events, k):
    rng = np.random.default_rng(seed)
    train, test = movielens.split_random(0.2, rng=rng)
    popularity = np.bincount(train.items, minlength=train.n_items)
    films = np.flatnonzero(popularity >= min_events)
    popularity, matrix = popularity[films], train.to_csr("ones", dtype=np.float64)[:, films]
    held_out = test.to_csr("ones")[:, films].toarray() > 0
    seen = matrix.toarray() > 0
    viewers = np.flatnonzero(held_out.any(axis=1) & seen.any(axis=1))
    held_out, seen = held_out[viewers], seen[viewers]

    u, s, vt = svds(matrix, k=n_factors, v0=rng.standard_normal(min(matrix.shape)))
    user_factors, item_factors = (u * np.sqrt(s))[viewers], vt.T * np.sqrt(s)

    by_popularity = np.argsort(-popularity, kind="stable")
    tenth = np.empty(len(films), dtype=int)  # of the catalogue: 0 for the most popular
    tenth[by_popularity] = np.arange(len(films)) * 10 // len(films)

    def describe(lists):
        shares = np.bincount(tenth[lists].ravel(), minlength=10) / lists.size
        return {
            "tenths": shares.round(4).tolist(),
            "coverage": float(len(np.unique(lists)) / len(films)),
            "median_popularity": float(np.median(popularity[lists])),
        }

    def recall(lists):
        found = np.take_along_axis(held_out, lists, axis=1).sum(axis=1)
        return float((found / held_out.sum(axis=1)).mean())

    rows, example = {}, {}
    titles = movielens.item_labels[films]
    query = int(np.flatnonzero(np.char.startswith(titles, "Spirited Away"))[0])
    for measure in MEASURES:
        table = scores(item_factors, item_factors, measure)
        is_own_best = table.argmax(axis=1) == np.arange(len(films))
        np.fill_diagonal(table, -np.inf)  # a film is not in its own list
        lists = _best(table, k)
        rows[f"like_{measure}"] = {**describe(lists), "own_best": float(is_own_best.mean())}
        example[measure] = titles[lists[query][:5]].tolist()

        table = scores(user_factors, item_factors, measure)
        lists = _best(np.where(seen, -np.inf, table), k)
        rows[f"viewers_{measure}"] = {**describe(lists), "recall": recall(lists)}
        if measure == "cosine":  # of viewers and films they have not seen, by tenth of the catalogue
            unseen = np.where(seen, np.nan, table)
            means = [float(np.nanmean(unseen[:, tenth == part]).round(4)) for part in range(10)]
            rows["viewers_cosine"]["mean_cosine"] = means
    table = np.where(seen, -np.inf, popularity)
    lists = _best(table, k)
    rows["viewers_popularity"] = {**describe(lists), "recall": recall(lists)}

    lengths = np.linalg.norm(item_factors, axis=1)
    return {
        "n_films": len(films),
        "n_viewers": len(viewers),
        "median_popularity": float(np.median(popularity)),
        "length_popularity": float(np.corrcoef(lengths, np.log(popularity))[0, 1]),
        "rows": rows,
        "example": {"query": str(titles[query]), **example},
    }


def _best(table, k):
    """Return the columns (n_rows, k) of the highest scores of each row, ties to the left."""
    return np.argsort(-table, axis=1, kind="stable")[:, :k]
