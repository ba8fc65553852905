"""What item2vec learns from MovieLens and from simulated audiences, for the chapter on item2vec.

A comparison has two steps. Settings are chosen on events that no later number is about: on a validation split of
MovieLens, and on a fourth simulated audience. What was chosen is then measured on other splits and other audiences.
"""

from dataclasses import replace
from itertools import product
from types import SimpleNamespace

import numpy as np
from scipy.sparse import csr_array
from scipy.special import expit
from scipy.stats import spearmanr
from tqdm import tqdm

from utils.als import fit_implicit
from utils.data import load_cinema
from utils.embeddings import nearest_items
from utils.evaluation import evaluate
from utils.item2vec import fit_gensim, noise_distribution, training_pairs
from utils.recommender import HistoryRecommender, recommend
from utils.similarity import scores

#: Packages besides NumPy, SciPy and scikit-learn whose versions belong to the result.
LIBRARIES = ("gensim",)

METRICS = ("recall", "ndcg", "coverage")

#: How a film is scored for a viewer: cosine of y, cosine of y + z, y·z, and y·z + α log n.
WAYS = ("cosine", "added", "inner", "context")

#: What every setting of item2vec on MovieLens departs from, and all that were tried.
BASE = {"n_factors": 32, "window": 5, "n_epochs": 30, "n_negatives": 5, "noise_power": 0.75}
GRID = (
    {},
    {"noise_power": -0.5},
    {"noise_power": 0},
    {"noise_power": 1},
    {"n_epochs": 10},
    {"n_epochs": 90},
    {"n_negatives": 20},
    {"n_negatives": 20, "n_epochs": 10, "noise_power": 0},
    {"n_factors": 64, "noise_power": 0},
    {"window": 2, "noise_power": 0},
    {"subsample": 0.001},
    {"learning_rate": 0.1},
)
#: With this one, order and its loss are compared.
ORDER_SETTING = {"window": 2, "n_epochs": 10, "noise_power": 0}
#: As many settings of ALS: factors, weight β, penalty.
ALS_GRID = tuple(product((32, 128), (1, 4), (10, 30, 100)))


def compute(movielens, n_seeds=3, min_events=20, k=10):
    """How well item2vec recommends beside ALS, both tuned, and what order is worth under three ways to split.

    "validation" has the recall of each setting on a fifth of the training events of seed 0, for each way to score and
    for ALS, and "validation_popularity" that of the most popular films; "chosen" has the number of the best setting.
    "share_rare" goes by noise power, in the order of `GRID`: the share of the listed films with fewer than 5 ratings.
    "rows" says what the best finds in the test events of each seed, fitted on all training events. "assortativity" is
    Spearman's correlation, over films with at least `min_events` ratings, of a film's popularity and the mean
    popularity of its 10 nearest, and "genres" the overlap of the genres of such a film and its 10 nearest. "order"
    compares sessions in order and shuffled, by how the test events were chosen.
    """
    train = movielens.split_random(0.2, rng=np.random.default_rng(0)).train
    split = train.split_random(0.2, rng=np.random.default_rng(0))
    validation = {way: [] for way in (*WAYS, "als")}
    share_rare = {way: [] for way in WAYS}
    for setting in tqdm(GRID, desc="item2vec", leave=False):
        fitted = _fit(split.train, 0, **setting)
        for way in WAYS:
            model = _score(fitted, split.train, way, setting)
            validation[way].append(_find(model, split, k)["recall"])
            if not setting.keys() - {"noise_power"}:
                share_rare[way].append(_share_rare(model, split.train, k))
    for setting in ALS_GRID:
        validation["als"].append(_find(_fit_als(split.train, 0, *setting), split, k)["recall"])
    chosen = {way: int(np.argmax(recalls)) for way, recalls in validation.items()}
    popularity = _find(_score(fitted, split.train, "inner", {}), split, k, baseline=True)["recall"]
    by_seed = [_test(movielens, seed, chosen, min_events, k) for seed in range(n_seeds)]
    rows = {
        name: {measure: [rows[name][measure] for rows in by_seed] for measure in row}
        for name, row in by_seed[0].items()
    }
    order = np.lexsort((movielens.timestamps, movielens.users))
    is_same_user = np.diff(movielens.users[order]) == 0
    gaps = np.diff(movielens.timestamps[order])[is_same_user]  # seconds
    return {
        "min_events": min_events,
        "k": k,
        "base": BASE,
        "grid": list(GRID),
        "als_grid": [list(setting) for setting in ALS_GRID],
        "validation": validation,
        "validation_popularity": popularity,
        "share_rare": share_rare,
        "chosen": chosen,
        "rows": rows,
        "order": _order(movielens, n_seeds, min_events, k),
        "median_gap": float(np.median(gaps)),
    }


def _fit(train, seed, sessions=None, **setting):
    sessions = train.sessions(np.inf) if sessions is None else sessions
    return fit_gensim(sessions, rng=np.random.default_rng(seed), progress=False, **BASE | setting)


def _score(fitted, train, way, setting):
    """Return a recommender that ranks by one of the `WAYS`."""
    if way == "added":
        fitted, way = replace(fitted, item_vectors=fitted.item_vectors + fitted.context_vectors), "cosine"
    return HistoryRecommender(fitted, train, way, noise_power=setting.get("noise_power", 0.75))


def _fit_als(train, seed, n_factors, alpha, penalty):
    rng = np.random.default_rng(seed)
    ones = train.to_csr("ones", dtype=np.float64)
    return fit_implicit(ones, n_factors, alpha=alpha, penalty=penalty, n_epochs=10, rng=rng, progress=False)


def _find(model, split, k=10, baseline=False):
    """Return what a model finds, or what the most popular films find, by metric."""
    table = evaluate(model, split, k, metrics=list(METRICS), progress=False)
    results = {metric: table[metric].popularity if baseline else table[metric].model for metric in METRICS}
    return {metric: round(float(result.mean), 4) for metric, result in results.items()}


def _share_rare(model, train, k, few=5):
    """Return the share of the listed films that have fewer than so many ratings."""
    listed = recommend(model, np.arange(train.n_users), k, exclude=train.to_csr("ones"))
    counts = np.bincount(train.items, minlength=train.n_items)
    return round(float((counts[listed] < few).mean()), 4)


def _test(movielens, seed, chosen, min_events, k):
    """Return the rows of one seed: what each way finds with its chosen setting, and what is near a film."""
    split = movielens.split_random(0.2, rng=np.random.default_rng(seed))
    als = _fit_als(split.train, seed, *ALS_GRID[chosen["als"]])
    rows = {"als": {**_find(als, split, k), **_near(als.item_factors, split.train, min_events, k)}}
    rows["popularity"] = _find(als, split, k, baseline=True)
    for way in WAYS:
        setting = GRID[chosen[way]]
        fitted = _fit(split.train, seed, **setting)
        vectors = np.zeros((split.train.n_items, fitted.item_vectors.shape[1]))
        vectors[fitted.ids] = fitted.item_vectors + (fitted.context_vectors if way == "added" else 0)
        found = _find(_score(fitted, split.train, way, setting), split, k)
        rows[way] = {**found, **_near(vectors, split.train, min_events, k)}
    return rows


def _near(vectors, train, min_events, k):
    """Say how alike films and their neighbours are in genres and in popularity."""
    popularity = np.bincount(train.items, minlength=train.n_items)
    films = np.flatnonzero(popularity >= min_events)
    has_genre = train.feature_matrix("genres")[0].toarray()[films]
    common, n_genres = has_genre @ has_genre.T, has_genre.sum(axis=1)
    overlap = common / np.maximum(n_genres[:, None] + n_genres - common, 1)
    nearest = nearest_items(vectors[films], k)
    correlation = spearmanr(popularity[films], popularity[films][nearest].mean(axis=1)).statistic
    return {
        "genres": round(float(np.take_along_axis(overlap, nearest, axis=1).mean()), 4),
        "genres_any": round(float(overlap[~np.eye(len(films), dtype=bool)].mean()), 4),
        "assortativity": round(float(correlation), 4),
    }


def _order(movielens, n_seeds, min_events, k):
    """Return what y·z finds with `ORDER_SETTING`, by how the test events were chosen; each list has an entry a seed."""
    cuts = {
        "random": lambda seed: movielens.split_random(0.2, rng=np.random.default_rng(seed)),
        "last": lambda seed: movielens.split_last(10),
        "time": lambda seed: movielens.split_by_time(0.2),
    }
    return {
        protocol: [_order_of_split(cut(seed), seed, min_events, k) for seed in range(n_seeds)]
        for protocol, cut in cuts.items()
    }


def _order_of_split(split, seed, min_events, k):
    rng = np.random.default_rng(seed)
    histories = split.train.sessions(np.inf)
    both = {"ordered": histories, "shuffled": [rng.permutation(history) for history in histories]}
    result = {}
    for name, sessions in both.items():
        fitted = _fit(split.train, seed, sessions, **ORDER_SETTING)
        model = _score(fitted, split.train, "inner", ORDER_SETTING)
        vectors = np.zeros((split.train.n_items, fitted.item_vectors.shape[1]))
        vectors[fitted.ids] = fitted.item_vectors
        recall, near = _find(model, split, k)["recall"], _near(vectors, split.train, min_events, k)
        result[name] = {"recall": recall, "genres": near["genres"]}
    return {**result, "popularity": _find(model, split, k, baseline=True)["recall"]}


#: The audiences of the chapter; settings are chosen on a further one.
CINEMA = {"n_users": 1000}
VALIDATION_SEED = 3

#: How far contexts reach, and for how many epochs, so that each column has about as many pairs: 0.8 and 2.5 million.
CINEMA_WINDOWS = {"1": (20, 60), "2": (10, 30), "5": (5, 15), "whole": (2, 6)}

#: One setting at a time, from CINEMA_BASE.
CINEMA_BASE = {"n_factors": 12, "window": 5, "n_epochs": 40}
KNOBS = {
    "n_epochs": (5, 15, 40, 80),
    "noise_power": (-0.5, 0, 0.75, 1),
    "n_negatives": (1, 5, 10),
    "subsample": (0, 0.003, 0.0005),
    "n_factors": (4, 12, 48),
}
#: Epochs with the same number of examples: 0.25, 1 and 3 million.
RUNS = {"skip-gram": (5, 20, 60), "cbow": (14, 55, 165)}
RATES = (0.025, 0.05)
TABLE_EPOCHS = 15
CINEMA_ALS = tuple(product((8, 16), (2, 4), (10, 30, 60)))


def simulate(n_seeds=3):
    """Repeat the chapter's experiments on audiences whose truth is known; each list has an entry a seed.

    A likeness is the mean true cosine of a film and its ten nearest: of all films, of rare and of frequent ones.
    "twins" are medians of how many films stand nearer than the twin, for frequent and for rare films, and by chance.
    "windows" goes by order, window and epochs; "evenings" has as many pairs as "long", 40 epochs of histories. "knobs"
    goes by setting and value: likeness, and the recall of the popular films and of the four ways to score. "stand_ins"
    goes by 5 and 40 epochs, own vector and stand-in, all films and rare ones. "tables" goes by how many tables there
    are, learning rate and epochs; "runs" by architecture and epochs. "dimensions" are correlations of inner products
    with the table of shifted PMI, and the likeness of all films. "recommended" goes by row of the chapter's table and
    by metric, each with its setting of "chosen"; "slopes", "viewers" and "assortativity" say how much popularity is in
    the scores. "summed" are recalls of exercise 2. "validation" holds what was measured to choose settings.
    """
    listener = _listen(VALIDATION_SEED)
    validation = {"knobs": _turn_all(listener), "tables": _one_table_or_two(listener)}
    split = _split(VALIDATION_SEED)
    validation["als"] = [_find(_fit_als(split.train, VALIDATION_SEED, *each), split)["recall"] for each in CINEMA_ALS]
    chosen = {"als": int(np.argmax(validation["als"]))}
    tried = [(knob, place) for knob, values in KNOBS.items() for place in range(len(values))]
    for number, way in enumerate(WAYS, 1):
        recalls = [validation["knobs"][knob][place]["recall"][number] for knob, place in tried]
        chosen[way] = list(tried[int(np.argmax(recalls))])
    for kind, of_rates in validation["tables"].items():
        chosen[kind] = int(np.argmax([likeness[0] for likeness in of_rates]))
    studies = [_study(seed, chosen) for seed in tqdm(range(n_seeds), desc="item2vec", unit="seed", leave=False)]
    gathered = {name: [study[name] for study in studies] for name in studies[0]}
    settings = {"chosen": chosen, "als_grid": [list(each) for each in CINEMA_ALS]}
    return {"seeds": list(range(n_seeds)), "options": CINEMA, **settings, "validation": validation, **gathered}


def _listen(seed):
    cinema, truth = load_cinema(seed, **CINEMA)
    return SimpleNamespace(
        seed=seed,
        cinema=cinema,
        histories=cinema.sessions(np.inf),
        evenings=cinema.sessions(),
        counts=np.bincount(cinema.items, minlength=cinema.n_items),
        traits=truth.item_factors,
    )


def _split(seed):
    return load_cinema(seed, **CINEMA)[0].split_random(0.2, rng=np.random.default_rng(seed))


def _study(seed, chosen):
    audience = _listen(seed)
    rng = np.random.default_rng(seed)
    shuffled = [rng.permutation(history) for history in audience.histories]
    usual, long = (_learn(audience.histories, seed, n_epochs=n) for n in (5, 40))
    n_pairs = [len(training_pairs(sessions, 5)[0]) for sessions in (audience.histories, audience.evenings)]

    def judge(sessions, **options):
        fitted = _learn(sessions, seed, **options)
        return _likeness(fitted.item_vectors, fitted.ids, audience)

    windows = {
        order: {
            name: [judge(sessions, window=None if name == "whole" else int(name), n_epochs=n) for n in epochs]
            for name, epochs in CINEMA_WINDOWS.items()
        }
        for order, sessions in (("ordered", audience.histories), ("shuffled", shuffled))
    }
    runs = {
        architecture: [judge(audience.evenings, window=None, n_epochs=n, architecture=architecture) for n in epochs]
        for architecture, epochs in RUNS.items()
    }
    return {
        "twins": _twins(audience),
        "windows": windows,
        "runs": runs,
        "long": _likeness(long.item_vectors, long.ids, audience),
        "evenings": judge(audience.evenings, n_epochs=round(40 * n_pairs[0] / n_pairs[1])),
        "knobs": _turn_all(audience),
        "tables": _one_table_or_two(audience),
        "stand_ins": [_stand_in_likeness(audience, fitted) for fitted in (usual, long)],
        "dimensions": _copy_the_table(audience),
        **_recommend(seed, chosen),
    }


def _turn_all(audience):
    split = _split(audience.seed)
    return {knob: [_turn(audience, split, {knob: value}) for value in values] for knob, values in KNOBS.items()}


def _turn(audience, split, setting):
    """Return likeness, and the recall of the most popular films and of each way to score."""
    fitted = _learn(split.train.sessions(np.inf), audience.seed, **CINEMA_BASE | setting)
    models = [_score(fitted, split.train, way, setting) for way in WAYS]
    found = [_find(models[0], split, baseline=True), *(_find(model, split) for model in models)]
    likeness = _likeness(fitted.item_vectors, fitted.ids, audience)
    return {"likeness": likeness, "recall": [each["recall"] for each in found]}


def _learn(sessions, seed, **options):
    usual = {"n_factors": 12, "window": 5, "n_epochs": 5, "progress": False}
    return fit_gensim(sessions, rng=np.random.default_rng(seed), **usual | options)


def _likeness(vectors, films, audience):
    traits, n_watched = audience.traits[films], audience.counts[films]
    true = scores(traits, traits, "cosine")
    found = np.take_along_axis(true, nearest_items(vectors, 10), axis=1).mean(axis=1)
    groups = (n_watched > 0, n_watched < 20, n_watched >= 100)
    return [round(float(found[group].mean()), 4) for group in groups]


def _twins(audience, n_epochs=20):
    coin = np.random.default_rng(audience.seed)
    sessions = [[(film, int(coin.random() < 0.5)) for film in history.tolist()] for history in audience.histories]
    fitted = _learn(sessions, audience.seed, n_epochs=n_epochs)
    cosines = scores(fitted.item_vectors, fitted.item_vectors, "cosine")
    films = [film for film in range(len(audience.counts)) if (film, 0) in fitted and (film, 1) in fitted]
    first, second = ([fitted.row((film, copy)) for film in films] for copy in (0, 1))
    nearer = (cosines[first] > cosines[first, second][:, None]).sum(axis=1) - 1
    n_watched = audience.counts[films]
    medians = [float(np.median(nearer[group])) for group in (n_watched >= 100, n_watched < 20)]
    return [*medians, (len(fitted) - 2) / 2]


def _stand_in_likeness(audience, fitted):
    facts, _ = audience.cinema.feature_matrix(["genres", "director", "country"])
    decades = np.array(audience.cinema.item_facts["year"]) // 10
    facts = np.hstack([facts.toarray(), decades[:, None] == np.unique(decades)])[fitted.ids]
    true = scores(*2 * [audience.traits[fitted.ids]], "cosine")
    units = fitted.item_vectors / np.linalg.norm(fitted.item_vectors, axis=1, keepdims=True)
    result = []
    for vectors in (units, units[nearest_items(facts, 5)].mean(axis=1)):
        cosines = scores(vectors, units, "cosine")
        np.fill_diagonal(cosines, -np.inf)
        nearest = np.argsort(-cosines, axis=1)[:, :10]
        values = np.take_along_axis(true, nearest, axis=1).mean(axis=1)
        result.append([round(float(part.mean()), 4) for part in (values, values[fitted.counts < 10])])
    return result


def _copy_the_table(audience, dimensions=(2, 8, 32, 128)):
    films = np.flatnonzero(audience.counts)
    row_of = np.cumsum(audience.counts > 0) - 1
    histories = [row_of[history] for history in audience.histories]
    together = np.zeros((len(films), len(films)))
    np.add.at(together, training_pairs(histories, 5), 1)
    often = together >= 20
    share = together / together.sum(axis=1, keepdims=True) / noise_distribution(audience.counts[films])
    shifted = np.log(share[often]) - np.log(5)
    result = {"correlation": [], "likeness": []}
    for n_factors in dimensions:
        fitted = _learn(histories, audience.seed, n_factors=n_factors, n_epochs=10)
        order = np.argsort(fitted.ids)
        products = fitted.item_vectors[order] @ fitted.context_vectors[order].T
        result["correlation"].append(round(float(np.corrcoef(products[often], shifted)[0, 1]), 4))
        result["likeness"].append(_likeness(fitted.item_vectors[order], films, audience)[0])
    return result


def _recommend(seed, chosen):
    """Return what each way finds with its chosen setting, how much popularity is in y and z, and exercise 2."""
    split, rows = _split(seed), []
    train = split.train
    for way in WAYS:
        knob, place = chosen[way]
        setting = {knob: KNOBS[knob][place]}
        fitted = _learn(train.sessions(np.inf), seed, **CINEMA_BASE | setting)
        rows.append(_find(_score(fitted, train, way, setting), split))
    als = _fit_als(train, seed, *CINEMA_ALS[chosen["als"]])
    rows = [_find(als, split, baseline=True), *rows, _find(als, split)]

    fitted = _learn(train.sessions(np.inf), seed, **CINEMA_BASE)
    products = fitted.item_vectors @ fitted.context_vectors.T
    slope = np.polyfit(np.log(fitted.counts), products.mean(axis=0), 1)[0]
    np.fill_diagonal(products, -np.inf)
    best = np.argsort(-products, axis=1)[:, :10]
    nearest = nearest_items(fitted.item_vectors, 10)
    settings = [(weight, 0.75) for weight in (0.03, 0.1, 0.3, 1, 3)] + [(1, 0)]
    return {
        "recommended": [[row[metric] for metric in METRICS] for row in rows],
        "slopes": round(float(slope), 4),
        "viewers": [round(float(fitted.counts[rows].mean()), 4) for rows in (slice(None), nearest, best)],
        "assortativity": [
            round(float(spearmanr(fitted.counts, fitted.counts[rows].mean(axis=1)).statistic), 4)
            for rows in (nearest, best)
        ],
        "summed": [_find(_Summed(fitted, train, *each), split)["recall"] for each in settings],
    }


class _Summed:
    """Adds up what each watched film says, where `HistoryRecommender` takes the mean."""

    def __init__(self, fitted, train, weight, power):
        self.has = train.to_csr("ones", dtype=np.float64)
        self.evidence = np.full((train.n_items, train.n_items), -5.0)  # the lowest for what has no vector
        self.evidence[np.ix_(fitted.ids, fitted.ids)] = fitted.item_vectors @ fitted.context_vectors.T
        n_watched = np.bincount(train.items, minlength=train.n_items)
        self.popularity, self.weight = power * np.log(np.maximum(n_watched, 0.1)), weight

    def scores(self, users):
        return self.popularity + self.weight * (self.has[users] @ self.evidence)


def _one_table_or_two(audience):
    """Return likeness by kind of table, for each learning rate."""
    pairs = training_pairs(audience.evenings, None)
    noise = noise_distribution(audience.counts)
    films = np.flatnonzero(audience.counts)
    tables = {"two": [], "one": [], "two, added": []}
    for kind, speed in product(("two", "one"), RATES):
        rng = np.random.default_rng(audience.seed)
        y = (rng.random((len(noise), 12)) - 0.5) / 12
        z = np.zeros_like(y) if kind == "two" else y
        _descend(pairs, noise, y, z, rng, TABLE_EPOCHS, speed)
        tables[kind].append(_likeness(y[films], films, audience))
        if kind == "two":
            tables["two, added"].append(_likeness((y + z)[films], films, audience))
    return tables


def _descend(pairs, noise, y, z, rng, n_epochs, speed, m=5):
    """Train by the chapter's few lines of NumPy, without a clamp."""
    centres, contexts = pairs
    truth = np.eye(1, 1 + m)
    size = 2 * len(y)
    for epoch in range(n_epochs):
        order = rng.permutation(len(centres))
        for start in range(0, len(order), size):
            batch = order[start : start + size]
            drawn = np.searchsorted(noise.cumsum(), rng.random((len(batch), m)))
            i, j = centres[batch], np.column_stack([contexts[batch], drawn])
            delta = expit(np.einsum("nd,nkd->nk", y[i], z[j])) - truth
            errors = csr_array((delta.ravel(), (i.repeat(1 + m), j.ravel())), (len(y), len(y)))
            rate = speed * (1 - 0.99 * (epoch + start / len(order)) / n_epochs)
            step_y, step_z = rate * (errors @ z), rate * (errors.T @ y)
            y -= step_y
            z -= step_z
