"""How well item2vec recommends on MovieLens, for the chapter on item2vec."""

import numpy as np

from utils.als import fit_implicit
from utils.embeddings import nearest_items
from utils.item2vec import HistoryRecommender, fit_gensim
from utils.metrics import evaluate

#: Packages besides NumPy, SciPy and scikit-learn whose versions belong to the result.
LIBRARIES = ("gensim",)

#: How far the contexts reach in each fit, and how many epochs.
WINDOWS = {2: 10, 5: 10, 20: 3}


def compute(movielens, n_seeds=3, n_factors=32, min_events=20, k=10):
    """How well item2vec recommends beside ALS, in time order and shuffled, for the chapter on item2vec; by seed.

    A seed puts a fifth of the ratings aside. A session is all that a user rated of the others, in the order of time.
    "genres" is the overlap of the genres of each film with at least `min_events` ratings and the 10 nearest such films.
    """
    results = [_item2vec_of_seed(movielens, seed, n_factors, min_events, k) for seed in range(n_seeds)]
    rows = {
        name: {measure: [result["rows"][name][measure] for result in results] for measure in row}
        for name, row in results[0]["rows"].items()
    }
    settings = {"n_factors": n_factors, "min_events": min_events, "k": k, "windows": list(WINDOWS)}
    order = np.lexsort((movielens.timestamps, movielens.users))
    is_same_user = np.diff(movielens.users[order]) == 0
    settings["median_gap"] = float(np.median(np.diff(movielens.timestamps[order])[is_same_user]))  # seconds
    return {**settings, "genres_any": [result["genres_any"] for result in results], "rows": rows}


class _WithoutRare:
    """Ranks by cosines, and puts the films with fewer than five ratings last."""

    def __init__(self, recommender, popularity):
        self.recommender, self.is_rare = recommender, popularity < 5

    def scores(self, users):
        return np.where(self.is_rare, -2.0, self.recommender.scores(users))  # below any cosine


def _item2vec_of_seed(movielens, seed, n_factors, min_events, k):
    split = movielens.split_random(0.2, rng=np.random.default_rng(seed))
    train = split.train
    popularity = np.bincount(train.items, minlength=train.n_items)
    films = np.flatnonzero(popularity >= min_events)
    genres, _ = movielens.feature_matrix("genres")
    has_genre = genres.toarray()[films]
    common = has_genre @ has_genre.T
    n_genres = has_genre.sum(axis=1)
    overlap = common / np.maximum(n_genres[:, None] + n_genres - common, 1)

    def judge(recommender, vectors):
        """Return what the recommender finds, and how alike the genres of neighbours are."""
        table = evaluate(recommender, split, k, metrics=["recall", "ndcg", "coverage"], progress=False)
        row = {metric: round(table[metric].model.mean, 4) for metric in ("recall", "ndcg", "coverage")}
        alike = np.take_along_axis(overlap, nearest_items(vectors[films], k), axis=1).mean()
        return table, {**row, "genres": round(float(alike), 4)}

    ones = train.to_csr("ones", dtype=np.float64)
    als = fit_implicit(ones, 64, alpha=2, penalty=30, n_epochs=15, rng=np.random.default_rng(seed), progress=False)
    table, row = judge(als, als.item_factors)
    rows = {"als": row}
    rows["popularity"] = {metric: round(table[metric].popularity.mean, 4) for metric in ("recall", "ndcg", "coverage")}

    histories = train.sessions(np.inf)
    rng = np.random.default_rng(seed)
    shuffled = [rng.permutation(history) for history in histories]
    for order, sessions in (("ordered", histories), ("shuffled", shuffled)):
        for window, n_epochs in WINDOWS.items():
            fitted = fit_gensim(
                sessions,
                n_factors=n_factors,
                window=window,
                n_epochs=n_epochs,
                rng=np.random.default_rng(seed),
                progress=False,
            )
            vectors = np.zeros((train.n_items, n_factors))
            vectors[fitted.ids] = fitted.item_vectors
            _, rows[f"{order} {window}"] = judge(HistoryRecommender(fitted, train), vectors)
            if order == "ordered" and window == 5:
                for how in ("cosine", "inner"):
                    _, rows[f"{how} 5"] = judge(HistoryRecommender(fitted, train, how), vectors)
                by_cosine = HistoryRecommender(fitted, train, "cosine")
                _, rows["cosine 5, no rare films"] = judge(_WithoutRare(by_cosine, popularity), vectors)
    off_diagonal = ~np.eye(len(films), dtype=bool)
    return {"rows": rows, "genres_any": round(float(overlap[off_diagonal].mean()), 4)}
