"""What vectors of each size keep of MovieLens, for the chapter on embeddings."""

import numpy as np

from utils.embeddings import cooccurrence, count_directions, nearest_items
from utils.matrix_factorization import truncated_svd
from utils.metrics import rank_items, recall_at_k
from utils.similarity import scores


def compute(movielens, n_seeds=5, sizes=(2, 4, 8, 16, 32, 64, 128, 256), min_events=5, min_twins=20, k=10):
    """Measure what vectors of each size keep of MovieLens, for the chapter on embeddings; by seed, then by size.

    A seed puts a fifth of the ratings aside. Films with at least `min_events` of the other ratings are the catalogue.
    For the twins, the viewers of each film with at least `min_twins` of them are dealt out to two copies of it. The
    names that end in "counts" are those of the co-occurrence table without its diagonal.
    """
    results = [_embeddings_of_seed(movielens, seed, sizes, min_events, min_twins, k) for seed in range(n_seeds)]
    settings = {"sizes": list(sizes), "min_events": min_events, "min_twins": min_twins, "k": k}
    return {**settings, **{name: [result[name] for result in results] for name in results[0]}}


def _embeddings_of_seed(movielens, seed, sizes, min_events, min_twins, k):
    rng = np.random.default_rng(seed)
    train, test = movielens.split_random(0.2, rng=rng)
    popularity = np.bincount(train.items, minlength=train.n_items)
    films = np.flatnonzero(popularity >= min_events)
    popularity, matrix = popularity[films], train.to_csr("ones", dtype=np.float64)[:, films].toarray()
    held_out = test.to_csr("ones")[:, films].toarray()
    has_genre = np.zeros((len(films), 0))
    for genre in sorted({genre for film in movielens.item_facts["genres"] for genre in film}):
        column = [genre in movielens.item_facts["genres"][film] for film in films]
        has_genre = np.column_stack([has_genre, column])
    common = has_genre @ has_genre.T
    n_genres = has_genre.sum(axis=1)
    either = n_genres[:, None] + n_genres - common
    overlap = common / np.maximum(either, 1)  # of the genres of each two films

    svd = truncated_svd(matrix, max(sizes))
    kept = np.cumsum(svd.singular_values**2)[np.array(sizes) - 1] / matrix.sum()  # the squares of ones are ones
    recall, alike = [], []
    for size in sizes:
        item_factors = svd.item_factors[:, :size]
        table = np.where(matrix > 0, -np.inf, matrix @ item_factors @ item_factors.T)
        recall.append(float(np.nanmean(recall_at_k(rank_items(table, k), held_out))))
        lists = nearest_items(item_factors * svd.singular_values[:size], k)
        alike.append(float(np.take_along_axis(overlap, lists, axis=1).mean()))
    most_popular = rank_items(np.where(matrix > 0, -np.inf, popularity), k)
    cosines = scores(matrix.T, matrix.T, "cosine")
    np.fill_diagonal(cosines, 0)
    by_cosines = rank_items(np.where(matrix > 0, -np.inf, matrix @ cosines), k)
    lists = nearest_items(_counts(matrix), k)
    n_films = len(films)
    twins, twins_counts = _twin_ranks(matrix, sizes, min_twins, rng)
    return {
        "n_films": n_films,
        "kept": kept.round(4).tolist(),
        "recall": [round(value, 4) for value in recall],
        "recall_popular": float(np.nanmean(recall_at_k(most_popular, held_out))),
        "genres": [round(value, 4) for value in alike],
        "genres_any": float((overlap.sum() - np.trace(overlap)) / (n_films * (n_films - 1))),
        "twins": twins,
        "n_directions": count_directions(matrix, rng=rng),
        "recall_cosines": float(np.nanmean(recall_at_k(by_cosines, held_out))),
        "genres_counts": float(np.take_along_axis(overlap, lists, axis=1).mean()),
        "twins_counts": twins_counts,
    }


def _counts(matrix):
    """Return the co-occurrence counts with a diagonal of 0: what a film shares with itself says nothing."""
    counts = cooccurrence(matrix).astype(np.float64)
    np.fill_diagonal(counts, 0)
    return counts


def _twin_ranks(matrix, sizes, min_twins, rng):
    """Return the median place of a film's twin among all others, 0 for the nearest to 1: by size, and by the counts."""
    split = np.flatnonzero(matrix.sum(axis=0) >= min_twins)
    is_second = rng.random(matrix.shape) < 0.5
    first = np.where(is_second, 0, matrix)
    first[:, np.setdiff1d(np.arange(matrix.shape[1]), split)] = 0
    second = matrix - first
    columns = np.hstack([first[:, split], second[:, split], np.delete(matrix, split, axis=1)])

    def median_place(vectors):
        table = scores(vectors[: len(split)], vectors, "cosine")
        twin = table[np.arange(len(split)), len(split) + np.arange(len(split))]
        nearer = (table > twin[:, None]).sum(axis=1) - 1  # the film itself is not another
        return round(float(np.median(nearer) / (len(vectors) - 2)), 4)

    svd = truncated_svd(columns, max(sizes))
    by_size = [median_place(svd.item_factors[:, :size] * svd.singular_values[:size]) for size in sizes]
    return by_size, median_place(_counts(columns))
