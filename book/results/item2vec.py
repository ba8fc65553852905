"""What item2vec learns from MovieLens and from simulated audiences, for the chapter on item2vec."""

from types import SimpleNamespace

import numpy as np
from scipy.sparse import csr_array
from scipy.special import expit
from tqdm import tqdm

from utils.als import fit_implicit
from utils.data import load_cinema
from utils.embeddings import nearest_items
from utils.evaluation import evaluate
from utils.item2vec import fit_gensim, noise_distribution, training_pairs
from utils.recommender import HistoryRecommender
from utils.similarity import scores

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


#: The audiences of the chapter, and what is tried on them: how far contexts reach, with how many epochs.
CINEMA = {"n_users": 1000}
CINEMA_WINDOWS = {"1": 20, "2": 10, "5": 5, "whole": 2}
KNOBS = {
    "noise_power": (0, 0.75, 1),
    "n_negatives": (1, 5, 10),
    "subsample": (0, 0.003, 0.0005),
    "n_epochs": (1, 5, 15),
    "n_factors": (4, 12, 48),
}
RUNS = (("skip-gram", 5), ("skip-gram", 20), ("cbow", 5), ("cbow", 14), ("cbow", 55))


def simulate(n_seeds=3):
    """Repeat the chapter's experiments on audiences whose truth is known; each list has an entry a seed.

    A likeness is the mean true cosine of a film and its ten nearest: of all films, of rare and of frequent ones.
    "twins" are medians of how many films stand nearer than the twin, for frequent and for rare films, and by chance.
    "windows" goes by order and window, "knobs" by setting and value; "long" has 15 epochs of histories, "evenings" as
    many pairs. "stand_ins" goes by 5 and 15 epochs, own vector and stand-in, all films and rare ones. "tables" goes by
    how many tables there are, "runs" by architecture and epochs. "dimensions" are correlations of inner products with
    the table of shifted PMI, and the likeness of all films. "recommended" goes by row of the chapter's table and by
    metric; "slopes" and "viewers" say how much popularity is in the scores. "summed" are recalls of exercise 2.
    """
    studies = [_cinema_of_seed(seed) for seed in tqdm(range(n_seeds), desc="item2vec", unit="seed", leave=False)]
    gathered = {name: [study[name] for study in studies] for name in studies[0]}
    return {"seeds": list(range(n_seeds)), "options": CINEMA, **gathered}


def _cinema_of_seed(seed):
    cinema, truth = load_cinema(seed, **CINEMA)
    rng = np.random.default_rng(seed)
    audience = SimpleNamespace(
        seed=seed,
        cinema=cinema,
        histories=cinema.sessions(np.inf),
        evenings=cinema.sessions(),
        counts=np.bincount(cinema.items, minlength=cinema.n_items),
        traits=truth.item_factors,
    )
    shuffled = [rng.permutation(history) for history in audience.histories]
    fits = {}

    def judge(sessions=audience.histories, **options):
        fitted = fits[str(options)] = _learn(sessions, seed, **options)
        return _likeness(fitted.item_vectors, fitted.ids, audience)

    windows = {
        order: {
            name: judge(sessions, window=None if name == "whole" else int(name), n_epochs=n_epochs)
            for name, n_epochs in CINEMA_WINDOWS.items()
        }
        for order, sessions in (("shuffled", shuffled), ("ordered", audience.histories))
    }
    knobs = {knob: [judge(**{knob: value}) for value in values] for knob, values in KNOBS.items()}
    n_pairs = [len(training_pairs(sessions, 5)[0]) for sessions in (audience.histories, audience.evenings)]
    usual, long = fits["{'n_epochs': 5}"], fits["{'n_epochs': 15}"]
    return {
        "twins": _twins(audience),
        "windows": windows,
        "knobs": knobs,
        "long": knobs["n_epochs"][-1],
        "evenings": judge(audience.evenings, n_epochs=round(15 * n_pairs[0] / n_pairs[1])),
        "stand_ins": [_stand_in_likeness(audience, fitted) for fitted in (usual, long)],
        "tables": _one_table_or_two(audience),
        "dimensions": _copy_the_table(audience),
        **_recommend(audience),
        "runs": {
            f"{architecture} {n_epochs}": judge(
                audience.evenings, window=None, n_epochs=n_epochs, architecture=architecture
            )
            for architecture, n_epochs in RUNS
        },
    }


def _learn(sessions, seed, **options):
    usual = {"n_factors": 12, "window": 5, "n_epochs": 5, "progress": False}
    return fit_gensim(sessions, rng=np.random.default_rng(seed), **usual | options)


def _likeness(vectors, films, audience):
    traits, n_watched = audience.traits[films], audience.counts[films]
    true = scores(traits, traits, "cosine")
    found = np.take_along_axis(true, nearest_items(vectors, 10), axis=1).mean(axis=1)
    groups = (n_watched > 0, n_watched < 20, n_watched >= 100)
    return [round(float(found[group].mean()), 4) for group in groups]


def _twins(audience):
    coin = np.random.default_rng(audience.seed)
    sessions = [[(film, int(coin.random() < 0.5)) for film in history.tolist()] for history in audience.histories]
    fitted = _learn(sessions, audience.seed)
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


def _recommend(audience, metrics=("recall", "ndcg", "coverage")):
    rng = np.random.default_rng(audience.seed)
    split = audience.cinema.split_random(0.2, rng=rng)
    train = split.train
    fitted = _learn(train.sessions(np.inf), audience.seed, n_epochs=10)
    options = {"alpha": 2, "penalty": 30, "n_epochs": 10, "progress": False}
    als = fit_implicit(train.to_csr("ones"), 8, rng=rng, **options)
    models = [*(HistoryRecommender(fitted, train, how) for how in ("cosine", "inner", "context")), als]
    tables = [evaluate(model, split, metrics=list(metrics), progress=False) for model in models]
    found = [[table[metric].model.mean for metric in metrics] for table in tables]
    popular = [tables[0][metric].popularity.mean for metric in metrics]

    products = fitted.item_vectors @ fitted.context_vectors.T
    slope = np.polyfit(np.log(fitted.counts), products.mean(axis=0), 1)[0]
    np.fill_diagonal(products, -np.inf)
    best = np.argsort(-products, axis=1)[:, :10]
    lists = (slice(None), nearest_items(fitted.item_vectors, 10), best)
    settings = [(weight, 0.75) for weight in (0.03, 0.1, 0.3, 1, 3)] + [(1, 0)]
    summed = [evaluate(_Summed(fitted, train, *each), split, metrics="recall", progress=False) for each in settings]
    return {
        "recommended": np.round([popular, *found], 4).tolist(),
        "slopes": round(float(slope), 4),
        "viewers": [round(float(fitted.counts[rows].mean()), 4) for rows in lists],
        "summed": [round(float(table["recall"].model.mean), 4) for table in summed],
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
    pairs = training_pairs(audience.evenings, None)
    noise = noise_distribution(audience.counts)
    films = np.flatnonzero(audience.counts)
    tables = {}
    for kind, speed in (("two", 0.05), ("one", 0.025)):
        rng = np.random.default_rng(audience.seed)
        y = (rng.random((len(noise), 12)) - 0.5) / 12
        z = np.zeros_like(y) if kind == "two" else y
        _descend(pairs, noise, y, z, rng, 15, speed)
        tables[kind] = _likeness(y[films], films, audience)
        if kind == "two":
            tables["two, added"] = _likeness((y + z)[films], films, audience)
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
