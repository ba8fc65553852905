"""Films made of ids, genres and tags on MovieLens, for the chapter on sums of features."""

import numpy as np

from utils.data import Split
from utils.feature_sums import add_identity, fit_lightfm
from utils.metrics import auc, evaluate

#: Packages besides NumPy, SciPy and scikit-learn whose versions belong to the result.
LIBRARIES = ("lightfm-next",)

#: Name in the file → which features a film has, and how they are put together.
FEATURE_MODELS = {
    "id": (("id",), "sum"),
    "genres": (("genres",), "sum"),
    "genres+tags": (("genres", "tags"), "sum"),
    "all sum": (("id", "genres", "tags"), "sum"),
    "all mean": (("id", "genres", "tags"), "mean"),
    "all sqrt": (("id", "genres", "tags"), "sqrt"),
}

FEATURE_SETTINGS = {"n_factors": 16, "n_epochs": 20, "min_films": 5, "k": 10}


def compute(movielens, n_seeds=5):
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
