"""The consistency of averages of vectors trained on MovieLens, for the chapter on averaging."""

import numpy as np
from lightfm import LightFM
from scipy.sparse import coo_matrix, csr_array

from utils.als import fit_implicit
from utils.consistency import simulate_consistency
from utils.embeddings import centre, effective_dimension, normalise, whiten
from utils.item2vec import fit_gensim
from utils.matrix_factorization import truncated_svd
from utils.metrics import rank_items, recall_at_k
from utils.similarity import top_k
from utils.widgets.averaging import compute_grid

#: Packages besides NumPy, SciPy and scikit-learn whose versions belong to the result.
LIBRARIES = ("gensim", "lightfm-next")


def compute(movielens, n_seeds=5, n_factors=64, min_events=5, n_subsets=500):
    """Measure the consistency of averages of trained vectors, for the chapter on averaging; lists go by seed.

    A seed puts a fifth of the ratings aside. Films with at least `min_events` of the other ratings are the catalogue.
    "laboratory" is what the chapter's widget looks up; it needs no data.
    """
    sizes, few = [2, 3, 5, 7, 10, 15, 20, 30, 50], [2, 10, 50]
    results = [
        _averaging_of_seed(movielens, seed, n_factors, min_events, n_subsets, sizes, few) for seed in range(n_seeds)
    ]
    settings = {"n_factors": n_factors, "min_events": min_events, "n_subsets": n_subsets, "sizes": sizes, "few": few}
    models = {name: _gather([result["models"][name] for result in results]) for name in results[0]["models"]}
    facts = {name: [result[name] for result in results] for name in ("n_films", "n_users", "recall_popular")}
    return {**settings, **facts, "models": models, "laboratory": compute_grid(rng=np.random.default_rng(0))}


def _gather(records):
    """Turn a list of dicts, some of them nested, into a dict of lists."""
    if not isinstance(records[0], dict):
        return records
    return {name: _gather([record[name] for record in records]) for name in records[0]}


def _averaging_of_seed(movielens, seed, n_factors, min_events, n_subsets, sizes, few):
    rng = np.random.default_rng(seed)
    train, test = movielens.split_random(0.2, rng=rng)
    popularity = np.bincount(train.items, minlength=train.n_items)
    films = np.flatnonzero(popularity >= min_events)
    popularity, matrix = popularity[films], train.to_csr("ones", dtype=np.float64)[:, films]
    seen, held_out = matrix.toarray() > 0, test.to_csr("ones")[:, films].toarray() > 0
    users = np.flatnonzero(held_out.any(axis=1) & (seen.sum(axis=1) >= 10))
    histories = [rng.choice(np.flatnonzero(seen[user]), 10, replace=False) for user in users]
    hits = [rng.choice(len(films), 10, replace=False, p=popularity / popularity.sum()) for _ in users]

    def consistency(vectors, k, subsets=None):
        return simulate_consistency(vectors, k, n_subsets=n_subsets, subsets=subsets, rng=rng, progress=False)

    def recall(vectors):
        table = np.where(seen[users], -np.inf, (seen[users] @ vectors) @ vectors.T)
        return float(np.nanmean(recall_at_k(rank_items(table, 10), held_out[users])))

    treatments = {
        "raw": lambda vectors: vectors,
        "centred": centre,
        "normalised": normalise,
        "whitened": whiten,
        "whitened, normalised": lambda vectors: normalise(whiten(vectors)),
    }
    models = {}
    for name, vectors in _train_all(train, films, matrix, n_factors, seed).items():
        lengths = np.linalg.norm(vectors, axis=1)
        curve = [consistency(vectors, k) for k in sizes]
        random_directions = normalise(rng.standard_normal(vectors.shape)) * lengths[:, None]
        subsets = np.array([rng.choice(len(films), 10, replace=False) for _ in range(n_subsets)])
        listed = top_k(vectors[subsets].sum(axis=1), vectors, 10)[0]
        tenth = np.argsort(-lengths)[: len(films) // 10]
        models[name] = {
            "curve": [round(estimate.mean, 4) for estimate in curve],
            "error": [round(estimate.standard_error, 5) for estimate in curve],
            "length_popularity": float(np.corrcoef(lengths, np.log(popularity))[0, 1]),
            "length_spread": float(lengths.std() / lengths.mean()),
            "mean_share": float((vectors.mean(axis=0) ** 2).sum() / (vectors**2).sum(axis=1).mean()),
            "effective_dimension": effective_dimension(vectors),
            "longest_tenth": float(np.isin(listed, tenth).mean()),
            "lengths_alone": [round(consistency(random_directions, k).mean, 4) for k in few],
            "treated": {},
        }
        for treatment, change in treatments.items():
            changed = change(vectors)
            models[name]["treated"][treatment] = {
                "random": [round(consistency(changed, k).mean, 4) for k in few],
                "histories": round(consistency(changed, 10, histories).mean, 4),
                "hits": round(consistency(changed, 10, hits).mean, 4),
                "recall": round(recall(changed), 4),
            }
    most_popular = rank_items(np.where(seen[users], -np.inf, popularity), 10)
    return {
        "n_films": len(films),
        "n_users": len(users),
        "recall_popular": float(np.nanmean(recall_at_k(most_popular, held_out[users]))),
        "models": models,
    }


def _train_all(train, films, matrix, n_factors, seed):
    """Return the item vectors of four models, by name."""
    rng = np.random.default_rng(seed)
    svd = truncated_svd(matrix, n_factors)
    als = fit_implicit(
        csr_array(matrix), n_factors, alpha=10, penalty=1, n_epochs=15, solver="cg", rng=rng, progress=False
    )
    in_order = np.argsort(train.timestamps, kind="stable")
    place = np.full(train.n_items, -1)
    place[films] = np.arange(len(films))
    users, items = train.users[in_order], place[train.items[in_order]]
    sessions = [items[(users == user) & (items >= 0)].tolist() for user in range(train.n_users)]
    item2vec = fit_gensim(sessions, n_factors=n_factors, window=10, n_epochs=10, rng=rng, progress=False)
    lightfm = LightFM(no_components=n_factors, loss="warp", random_state=seed)
    lightfm.fit(coo_matrix(matrix.astype(np.float32)), epochs=20, num_threads=1)
    return {
        "SVD": svd.item_factors * np.sqrt(svd.singular_values),
        "ALS": als.item_factors,
        "item2vec": item2vec.item_vectors[[item2vec.row(film) for film in range(len(films))]].astype(np.float64),
        "LightFM": lightfm.item_embeddings.astype(np.float64),
    }
