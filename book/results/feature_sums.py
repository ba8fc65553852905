"""Films made of features, on MovieLens and on simulated audiences, for the chapter on sums of features."""

from types import SimpleNamespace

import numpy as np
from scipy.sparse import csr_array, hstack
from tqdm import tqdm

from utils.data import Split, load_cinema
from utils.evaluation import evaluate
from utils.feature_sums import POOLINGS, add_identity, build_features, fit_lightfm, represent
from utils.metrics import auc, rank_items
from utils.similarity import scores

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
    options = {"pooling": pooling, "rng": np.random.default_rng(seed), "progress": False}
    model = fit_lightfm(likes, item_features=features, **size, **options)
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


#: The audiences of the chapter, how many events new films get there, and the measures of its table of losses.
CINEMA = {"n_users": 800}
STEPS = (0, 3, 30)
METRICS = ("auc", "precision", "recall", "ndcg")


def simulate(n_seeds=3):
    """Repeat the chapter's experiments on audiences whose truth is known; each list has an entry a seed.

    "tags" has for each pooling, by 0, 5 and 20 tags without meaning: the length of a film's vector, the share of places
    by the share of events, the share of lists that a new film enters; and the recall. "cold" are AUC and taste of 40
    films that were not trained, by row of the chapter's table, "unseen" the share of their facts that were not trained.
    "warming" is the taste by what films are made of and by the number of their events; "both by facts" leaves the
    film's own vector out again. "losses" goes by loss and metric; "many_features" is the correlation of mean scores
    with numbers of features. "dials" are recalls of exercise 2.
    """
    studies = [_cinema_of_seed(seed) for seed in tqdm(range(n_seeds), desc="cinema", unit="seed", leave=False)]
    gathered = {name: [study[name] for study in studies] for name in studies[0]}
    return {"seeds": list(range(n_seeds)), "options": CINEMA, **gathered}


def _cinema_of_seed(seed):
    audience = _listen(seed)
    cold, unseen = _serve_new_films(audience)
    losses, many_features = _try_losses(audience)
    return {
        "tags": _add_random_tags(audience),
        "cold": cold,
        "unseen": unseen,
        "warming": _warm_up(audience),
        "losses": losses,
        "many_features": many_features,
        "dials": _turn_the_dial(audience),
    }


def _listen(seed):
    cinema, truth = load_cinema(seed, **CINEMA)
    split = Split(*cinema.split_random(0.2, rng=np.random.default_rng(seed)))
    matrix, _ = cinema.feature_matrix(["genres", "director", "country"])
    decades = [f"decade: {year // 10}0s" for year in cinema.item_facts["year"]]
    by_decade = build_features([[decade] for decade in decades], sorted(set(decades)))
    return SimpleNamespace(
        seed=seed,
        cinema=cinema,
        truth=truth,
        split=split,
        likes=split.train.to_csr("ones"),
        features=csr_array(hstack([matrix, by_decade])),
        affinity=truth.affinity(),
        everybody=np.arange(cinema.n_users),
    )


def _learn(likes, features=None, *, seed, **options):
    options = {"n_factors": 8, "n_epochs": 15, "rng": np.random.default_rng(seed), "progress": False, **options}
    return fit_lightfm(likes, item_features=features, **options)


def _accuracy(model, split, metrics):
    table = evaluate(model, split, metrics=metrics, progress=False)
    return [round(row.model.mean, 4) for row in table.rows.values()]


def _rounded(values):
    return np.round(values, 4).tolist()


def _random_tags(counts, rng):
    tags = np.zeros((len(counts), 100))
    for film, n_tags in enumerate(counts):
        tags[film, rng.permutation(100)[:n_tags]] = 1
    return tags


def _add_random_tags(audience, n_tags=(0, 5, 20)):
    rng, n_films = np.random.default_rng(audience.seed), audience.cinema.n_items
    group = rng.permutation(np.arange(n_films) % 3)
    tagged = csr_array(hstack([audience.features, _random_tags(np.array(n_tags)[group], rng)]))
    new = [hstack([audience.features, _random_tags([n] * n_films, rng)]) for n in n_tags]
    events = np.bincount(group[audience.split.train.items])
    result = {}
    for pooling in POOLINGS:
        model = _learn(audience.likes, tagged, pooling=pooling, seed=audience.seed)
        unseen = np.where(audience.likes.toarray() > 0, -np.inf, model.scores(audience.everybody))
        places = np.bincount(group[rank_items(unseen, 10)].ravel())
        bar = np.sort(unseen, axis=1)[:, -10]
        length = np.linalg.norm(model.item_factors, axis=1)
        result[pooling] = {
            "length": _rounded([length[group == g].mean() for g in range(3)]),
            "surplus": _rounded((places / places.sum()) / (events / events.sum())),
            "enters": _rounded([(model.scores_of(item_features=films) > bar[:, None]).mean() for films in new]),
            "recall": _accuracy(model, audience.split, ("recall",))[0],
        }
    return result


def _taste(table, truth):
    """Return the mean correlation of a viewer's scores with the true liking; equal scores count as 0."""
    a, b = (each - each.mean(axis=1, keepdims=True) for each in (table, truth))
    norms = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    is_flat = norms < 1e-9
    return float(np.where(is_flat, 0, (a * b).sum(axis=1) / np.where(is_flat, 1, norms)).mean())


def _serve_new_films(audience, n_cold=40):
    cinema, rng = audience.cinema, np.random.default_rng(audience.seed)
    shown = np.setdiff1d(np.arange(cinema.n_items), audience.truth.cold_items)
    cold = rng.choice(shown, n_cold, replace=False)
    is_cold = np.isin(cinema.items, cold)
    wanted = cinema.select(is_cold).to_csr("ones").toarray()[:, cold] > 0
    likes = cinema.select(~is_cold).to_csr("ones")
    facts, truth = audience.features.toarray(), audience.affinity[:, cold]
    trained = (likes.sum(axis=0) > 0).astype(float) @ audience.features > 0
    known = facts[cold] * trained
    who = wanted.any(axis=1)

    def judge(table):
        table = np.asarray(table, dtype=float)[who]
        return _rounded([auc(table, wanted[who]).mean(), _taste(table, truth[who])])

    rows = {
        "true tastes": judge(truth),
        "popularity": judge(np.zeros_like(truth)),
        "content only": judge(scores(likes @ facts + 1e-9, facts[cold], "cosine")),
    }
    for pooling in POOLINGS:
        fitted = _learn(likes, facts, pooling=pooling, seed=audience.seed)
        rows[f"{pooling}, as it is"] = judge(fitted.scores(audience.everybody)[:, cold])
        for name, given in (("no bias", facts[cold]), ("no bias, trained facts", known)):
            made = represent(given, fitted.item_embeddings, pooling)
            rows[f"{pooling}, {name}"] = judge(fitted.user_factors @ made.T)
    both = _learn(likes, add_identity(facts), seed=audience.seed)
    rows["sum with identity, as it is"] = judge(both.scores(audience.everybody)[:, cold])
    made = represent(np.hstack([np.zeros((n_cold, len(facts))), known]), both.item_embeddings)
    rows["sum with identity, no bias, trained facts"] = judge(both.user_factors @ made.T)
    alone = _learn(likes, seed=audience.seed)
    rows["identity only"] = judge(alone.scores(audience.everybody)[:, cold])
    return rows, round(float(1 - known.sum() / facts[cold].sum()), 4)


def _warm_up(audience):
    cinema, rng = audience.cinema, np.random.default_rng(audience.seed)
    popularity = np.bincount(cinema.items, minlength=cinema.n_items)
    films = rng.choice(np.flatnonzero(popularity >= 40), 30, replace=False)
    is_new = np.isin(cinema.items, films)
    # the place of each event among those of its film, in a random order
    order = rng.permutation(cinema.n_events)
    by_film = order[np.argsort(cinema.items[order], kind="stable")]
    place = np.empty(cinema.n_events, dtype=int)
    place[by_film] = np.arange(cinema.n_events) - np.repeat(np.cumsum(popularity) - popularity, popularity)
    result = {"identity": [], "facts": [], "both": [], "both by facts": []}
    for n_events in STEPS:
        likes = cinema.select(~is_new | (place < n_events)).to_csr("ones")
        trained = (likes.sum(axis=0) > 0).astype(float) @ audience.features > 0
        facts = audience.features.toarray() * trained
        for name, rows in (("identity", np.eye(len(facts))), ("facts", facts), ("both", add_identity(facts))):
            fitted = _learn(likes, rows, seed=audience.seed)

            def judge(given, fitted=fitted):
                table = fitted.user_factors @ represent(given, fitted.item_embeddings).T
                return round(_taste(table, audience.affinity[:, films]), 4)

            given = csr_array(rows).toarray()[films]
            without = given.copy()
            without[:, : len(facts)] = 0
            # its own vector is not trained before its first event
            result[name].append(judge(without if n_events == 0 and name != "facts" else given))
            if name == "both":
                result["both by facts"].append(judge(without))
    return result


def _try_losses(audience):
    rows, rng = add_identity(audience.features), np.random.default_rng(audience.seed)
    noes = audience.likes.toarray()
    users = np.repeat(audience.likes.nonzero()[0], 3)
    films = rng.integers(noes.shape[1], size=len(users))
    noes[users, films] = np.where(noes[users, films] > 0, 1, -1)
    runs = {
        "logistic": (audience.likes, "logistic"),
        "logistic, 3 random noes": (csr_array(noes), "logistic"),
        "BPR": (audience.likes, "bpr"),
        "k-OS WARP": (audience.likes, "warp-kos"),
        "WARP": (audience.likes, "warp"),
    }
    result = {}
    for name, (data, loss) in runs.items():
        fitted = _learn(data, rows, loss=loss, seed=audience.seed)
        result[name] = _accuracy(fitted, audience.split, METRICS)
        if name == "logistic":
            mean_scores = fitted.scores(audience.everybody).mean(axis=0)
            many_features = round(float(np.corrcoef(mean_scores, rows.sum(axis=1))[0, 1]), 4)
    table = evaluate(fitted, audience.split, metrics=METRICS, progress=False)
    result["popularity"] = [round(row.popularity.mean, 4) for row in table.rows.values()]
    return result, many_features


def _turn_the_dial(audience):
    rows = add_identity(audience.features)
    n = np.asarray(rows.sum(axis=1))[:, None]
    scaled = [rows.multiply(1 / n**dial).tocsr() for dial in (0, 0.5, 1)]
    return [
        _accuracy(_learn(audience.likes, each, seed=audience.seed), audience.split, ("recall",))[0] for each in scaled
    ]
