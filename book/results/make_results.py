"""Compute all results on MovieLens that the book quotes: `make results`.

Each function here is one file. What it does, a chapter does too, in the open, for a part of the data or for one seed,
and asserts that both agree.
"""

from itertools import product

import numpy as np
from lightfm import LightFM
from scipy.sparse import coo_matrix, csr_array
from scipy.sparse.linalg import svds
from tqdm import tqdm

from utils.als import fit_implicit
from utils.consistency import centre, effective_dimension, normalise, simulate_consistency, whiten
from utils.data import Split, load_movielens
from utils.data.movielens import SHA256
from utils.data.summary import popularity_curve, summarise
from utils.embeddings import cooccurrence, count_directions, nearest_items
from utils.feature_sums import add_identity, fit_lightfm
from utils.item2vec import HistoryRecommender, fit_gensim
from utils.matrix_factorization import fit_sgd, mean_normalise, truncated_svd
from utils.metrics import auc, evaluate, rank_items, recall_at_k
from utils.negative_sampling import (
    HardSampler,
    InBatchSampler,
    PopularitySampler,
    UniformSampler,
    false_negative_probability,
)
from utils.results import PACKAGES, save_result
from utils.sampled_softmax import TwoTables, train
from utils.similarity import MEASURES, scores, top_k
from utils.widgets.averaging import compute_grid

NAME = "ml-latest-small"

#: Name in the file → which features a film has, and how they are put together; for `feature_sums`.
FEATURE_MODELS = {
    "id": (("id",), "sum"),
    "genres": (("genres",), "sum"),
    "genres+tags": (("genres", "tags"), "sum"),
    "all sum": (("id", "genres", "tags"), "sum"),
    "all mean": (("id", "genres", "tags"), "mean"),
    "all sqrt": (("id", "genres", "tags"), "sqrt"),
}

FEATURE_SETTINGS = {"n_factors": 16, "n_epochs": 20, "min_films": 5, "k": 10}

#: How far the contexts reach in each fit of `item2vec`, and how many epochs.
ITEM2VEC_WINDOWS = {2: 10, 5: 10, 20: 3}


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


def similarity(movielens, n_seeds=10, n_factors=32, min_events=5, k=10):
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


def embeddings(movielens, n_seeds=5, sizes=(2, 4, 8, 16, 32, 64, 128, 256), min_events=5, min_twins=20, k=10):
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


def matrix_factorization(movielens, n_seeds=5, n_factors=8, penalties=(0, 2, 4, 8, 16), min_events=5, k=10):
    """Predict stars and choices, for the chapter on matrix factorisation; one entry a seed.

    A seed puts a fifth of the ratings aside. Films with at least `min_events` of the others are the catalogue. For each
    model: the root mean squared error on the ratings put aside, and the recall of the lists of unseen films.
    """
    results = [_matrix_factorization_of_seed(movielens, s, n_factors, penalties, min_events, k) for s in range(n_seeds)]
    settings = {"n_factors": n_factors, "penalties": list(penalties), "min_events": min_events, "k": k}
    return {
        **settings,
        "n_ratings": [result["n_ratings"] for result in results],
        "models": {
            model: {fact: [result["models"][model][fact] for result in results] for fact in ("rmse", "recall")}
            for model in results[0]["models"]
        },
        "curves": {name: [result["curves"][name] for result in results] for name in results[0]["curves"]},
    }


def _matrix_factorization_of_seed(movielens, seed, n_factors, penalties, min_events, k):
    train, test = movielens.split_random(0.2, rng=np.random.default_rng(seed))
    films = np.flatnonzero(np.bincount(train.items, minlength=train.n_items) >= min_events)
    ratings, held_out = (part.to_csr(dtype=np.float64)[:, films] for part in (train, test))
    seen, relevant = ratings.toarray() > 0, held_out.toarray() > 0
    where, stars = relevant.nonzero(), held_out.toarray()[relevant]
    models = {}

    def judge(name, predicted, is_stars=True):
        predicted = np.broadcast_to(predicted, seen.shape)
        lists = rank_items(np.where(seen, -np.inf, predicted), k)
        error = float(np.sqrt(np.mean((predicted[where] - stars) ** 2))) if is_stars else 0.0
        models[name] = {"rmse": round(error, 4), "recall": round(float(np.nanmean(recall_at_k(lists, relevant))), 4)}

    centred, item_means = mean_normalise(ratings)
    judge("popular", seen.sum(axis=0), is_stars=False)
    judge("overall mean", ratings.data.mean())
    judge("item means", item_means)
    judge("SVD, gaps are 0", truncated_svd(ratings.toarray(), n_factors).product())
    judge("SVD, gaps are item means", truncated_svd(centred.toarray(), n_factors).product() + item_means)
    curves = {}
    for d, penalty in [(0, 4), *((n_factors, penalty) for penalty in penalties)]:
        model = fit_sgd(
            ratings,
            d,
            penalty=penalty,
            learning_rate=0.02 * 0.75 ** np.maximum(0, np.arange(25) - 14),
            n_epochs=25,
            rng=np.random.default_rng(seed),
            validation=held_out,
            progress=False,
        )
        judge(f"penalty {penalty}" if d else "mean and biases", model.scores(np.arange(len(seen))))
        if d:
            curves[f"penalty {penalty}"] = model.validation_rmse.round(4).tolist()
    return {"n_ratings": [ratings.nnz, held_out.nnz], "models": models, "curves": curves}


def als(movielens, n_seeds=5, alphas=(0, 1, 4, 16, 64), penalties=(1, 10, 30, 100), n_factors=32, n_epochs=10, k=10):
    """Measure implicit ALS on each user's last rating, for the chapter on ALS; a seed draws the start.

    Every rating is a 1, whatever its stars. The last rating of each user is the test. All settings are compared on the
    last but one ("tuning", by alpha, then penalty, then seed), and only the best one, by the mean nDCG, meets the test.
    """
    split = movielens.split_last()
    inner = split.train.split_last()
    options = {"n_factors": n_factors, "n_epochs": n_epochs, "k": k}
    tried = {}
    for setting in tqdm(list(product(alphas, penalties)), desc="als", unit="setting", leave=False):
        tried[setting] = [_als_of_seed(inner, seed, *setting, **options) for seed in range(n_seeds)]
    facts = tried[alphas[0], penalties[0]][0]
    tuning = {fact: [[[one[fact] for one in tried[a, p]] for p in penalties] for a in alphas] for fact in facts}
    best = max(tried, key=lambda setting: np.mean([one["ndcg"] for one in tried[setting]]))
    test = [_als_of_seed(split, seed, *best, **options) for seed in range(n_seeds)]
    settings = {**options, "alphas": list(alphas), "penalties": list(penalties), "best": list(best)}
    return {**settings, "tuning": tuning, "test": {fact: [one[fact] for one in test] for fact in facts}}


def _als_of_seed(split, seed, alpha, penalty, n_factors, n_epochs, k):
    ones = split.train.to_csr("ones", dtype=np.float64)
    rng = np.random.default_rng(seed)
    options = {"alpha": alpha, "penalty": penalty, "n_epochs": n_epochs, "progress": False}
    model = fit_implicit(ones, n_factors, rng=rng, **options)
    table = evaluate(model, split, k, metrics=["recall", "ndcg", "coverage"], progress=False)

    popularity = np.bincount(split.train.items, minlength=split.train.n_items)
    often = popularity >= 5  # the logarithm of a smaller count is mostly chance
    lengths = np.linalg.norm(model.item_factors[often], axis=1)
    return {
        **{name: round(table[name].model.mean, 4) for name in table.rows},
        **{f"{name}_popular": round(table[name].popularity.mean, 4) for name in table.rows},
        **{f"{name}_error": round(table[name].difference.standard_error, 4) for name in ("recall", "ndcg")},
        "length_popularity": round(float(np.corrcoef(lengths, np.log(popularity[often]))[0, 1]), 4),
    }


def feature_sums(movielens, n_seeds=5):
    """Compare films made of ids, genres and tags, for the chapter on sums of features; one entry a seed.

    A seed puts a fifth of the ratings aside. The catalogue is whole. A tag counts if it is on at least `min_films`
    films. "new" is the AUC among films without a rating in train, over the viewers who rated such films.
    """
    results = {name: [] for name in FEATURE_MODELS}
    popularity = []
    for seed in range(n_seeds):
        for name in FEATURE_MODELS:
            row, row_of_popularity = feature_sums_of(movielens, name, seed)
            results[name].append(row)
        popularity.append(row_of_popularity)
    n_features = np.diff(film_features(movielens, ("genres", "tags"), FEATURE_SETTINGS["min_films"]).indptr)
    facts = {"fewest": int(n_features.min()), "median": float(np.median(n_features)), "most": int(n_features.max())}
    return {**FEATURE_SETTINGS, "n_features": facts, "models": results, "popularity": popularity}


def film_features(movielens, columns, min_films):
    """Return the feature matrix of the films; a tag that is on fewer than `min_films` films is left out."""
    features, names = movielens.feature_matrix([column for column in columns if column != "id"])
    is_tag = np.char.startswith(np.array(names, dtype=str), "tags: ")
    features = features[:, ~is_tag | (np.asarray(features.sum(axis=0)).ravel() >= min_films)]
    return add_identity(features) if "id" in columns else features


def feature_sums_of(movielens, name, seed):
    """Return the measures of one model and of popularity, for one seed."""
    columns, pooling = FEATURE_MODELS[name]
    split = Split(*movielens.split_random(0.2, rng=np.random.default_rng(seed)))
    likes = split.train.to_csr("ones")
    features = film_features(movielens, columns, FEATURE_SETTINGS["min_films"])
    size = {"n_factors": FEATURE_SETTINGS["n_factors"], "n_epochs": FEATURE_SETTINGS["n_epochs"]}
    model = fit_lightfm(likes, item_features=features, pooling=pooling, seed=seed, **size)
    metrics = ["auc", "precision", "recall", "ndcg", "coverage"]
    table = evaluate(model, split, FEATURE_SETTINGS["k"], metrics=metrics, progress=False)
    measures, of_popularity = (
        {metric: round(getattr(row, who).mean, 4) for metric, row in table.rows.items()}
        for who in ("model", "popularity")
    )
    is_new = np.bincount(split.train.items, minlength=movielens.n_items) == 0
    n = movielens.n_items
    rows = model.item_features[is_new]
    if "id" in columns:  # a column of its own that was never trained is noise
        rows = rows.tolil()
        rows[:, :n] = 0
    wanted = split.test.to_csr("ones")[:, is_new]
    measures["new"] = round(float(np.nanmean(auc(model.scores_of(item_features=rows.tocsr()), wanted))), 4)
    return measures, of_popularity


def _counts(matrix):
    """Return the co-occurrence counts with a diagonal of 0: what a film shares with itself says nothing."""
    counts = cooccurrence(matrix).astype(np.float64)
    np.fill_diagonal(counts, 0)
    return counts


def negative_sampling(movielens, n_seeds=5, n_factors=16, min_events=5, k=10, powers=(0, 0.25, 0.5, 0.75, 1)):
    """Train one model with each sampler, and count false negatives, for the chapter on negative sampling; by seed.

    A seed puts a fifth of the ratings aside. Films with at least `min_events` of the other ratings are the catalogue.
    """
    options = {"n_epochs": 10, "learning_rate": 0.1, "penalty": 0.1, "n_negatives": 5}
    results = []
    for seed in tqdm(range(n_seeds), desc="negative_sampling", unit="seed"):
        results.append(_negative_sampling_of_seed(movielens, seed, n_factors, min_events, k, powers, options))
    settings = {"n_factors": n_factors, "min_events": min_events, "k": k, "powers": list(powers), **options}
    models = {
        name: {fact: [result["models"][name][fact] for result in results] for fact in ("recall", "tenth")}
        for name in results[0]["models"]
    }
    facts = {name: [result[name] for result in results] for name in results[0] if name != "models"}
    return {**settings, **facts, "models": models}


def _negative_sampling_of_seed(movielens, seed, n_factors, min_events, k, powers, options):
    train_part, test = movielens.split_random(0.2, rng=np.random.default_rng(seed))
    popularity = np.bincount(train_part.items, minlength=train_part.n_items)
    films = np.flatnonzero(popularity >= min_events)
    number = np.full(train_part.n_items, -1)
    number[films] = np.arange(len(films))
    is_kept = number[train_part.items] >= 0
    users, items = train_part.users[is_kept], number[train_part.items[is_kept]]
    popularity = popularity[films]
    seen, held_out = (part.to_csr("ones", dtype=np.float64)[:, films] for part in (train_part, test))
    is_seen = seen.toarray() > 0
    is_popular = np.zeros(len(films), dtype=bool)
    is_popular[np.argsort(-popularity, kind="stable")[: len(films) // 10]] = True

    def judge(table):
        ranked = rank_items(np.where(is_seen, -np.inf, table), k)
        recall = np.nanmean(recall_at_k(ranked, held_out))
        return {"recall": round(float(recall), 4), "tenth": round(float(is_popular[ranked].mean()), 4)}

    uniform, by_popularity = UniformSampler(len(films)), PopularitySampler(popularity, 1)
    three_quarters, in_batch = PopularitySampler(popularity, 0.75), InBatchSampler()
    without_known = UniformSampler(len(films), exclude=seen)
    runs = {  # name → sampler, what is subtracted, candidates of a hard sampler
        "uniform": (uniform, None, None),
        "power 3/4": (three_quarters, None, None),
        "power 3/4, corrected": (three_quarters, three_quarters.log_noise, None),
        "power 1": (by_popularity, None, None),
        "in-batch": (in_batch, None, None),
        "in-batch, corrected": (in_batch, by_popularity.log_noise, None),
        "hard": (uniform, None, 4),
        "uniform, known excluded": (without_known, None, None),
        "hard, known excluded": (without_known, None, 4),
        "full softmax": (None, None, None),
    }
    models = {"popularity": judge(np.broadcast_to(popularity, is_seen.shape))}
    for name, (sampler, log_probabilities, n_candidates) in runs.items():
        rng = np.random.default_rng(seed)
        tables = TwoTables.start(*is_seen.shape, n_factors, rng=rng)
        sampler = HardSampler(sampler, tables.score, n_candidates) if n_candidates else sampler
        train(tables, users, items, sampler, log_probabilities=log_probabilities, rng=rng, progress=False, **options)
        models[name] = judge(tables.scores(np.arange(len(is_seen))))

    known, hidden = [], []  # by power: the share of draws that are ratings of the training, and of those put aside
    for power in powers:
        noise = PopularitySampler(popularity, power).noise
        known.append(float(false_negative_probability(noise, seen)[users].mean()))
        hidden.append(float(false_negative_probability(noise, held_out, exclude=seen)[users].mean()))
    return {"n_films": len(films), "n_events": len(users), "known": known, "hidden": hidden, "models": models}


def item2vec(movielens, n_seeds=3, n_factors=32, min_events=20, k=10):
    """How well item2vec recommends beside ALS, in time order and shuffled, for the chapter on item2vec; by seed.

    A seed puts a fifth of the ratings aside. A session is all that a user rated of the others, in the order of time.
    "genres" is the overlap of the genres of each film with at least `min_events` ratings and the 10 nearest such films.
    """
    results = [_item2vec_of_seed(movielens, seed, n_factors, min_events, k) for seed in range(n_seeds)]
    rows = {
        name: {measure: [result["rows"][name][measure] for result in results] for measure in row}
        for name, row in results[0]["rows"].items()
    }
    settings = {"n_factors": n_factors, "min_events": min_events, "k": k, "windows": list(ITEM2VEC_WINDOWS)}
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
        for window, n_epochs in ITEM2VEC_WINDOWS.items():
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


def averaging(movielens, n_seeds=5, n_factors=64, min_events=5, n_subsets=500):
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


# Packages besides NumPy, SciPy and scikit-learn whose versions belong to a result
LIBRARIES = {
    "item2vec": ("gensim",),
    "feature_sums": ("lightfm-next",),
    "averaging": ("gensim", "lightfm-next"),
}


def main():
    """Compute every result and write it down with its provenance."""
    movielens = load_movielens(NAME)
    for compute in tqdm(
        [data, embeddings, similarity, matrix_factorization, als, item2vec, negative_sampling, feature_sums, averaging],
        desc="results",
        unit="file",
    ):
        packages = (*PACKAGES, *LIBRARIES.get(compute.__name__, ()))
        save_result(compute.__name__, compute(movielens), data=NAME, checksum=SHA256[NAME], packages=packages)


if __name__ == "__main__":
    main()
