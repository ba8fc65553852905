"""The consistency of averages of trained vectors, for the chapter on averaging: MovieLens and simulated audiences.

Each model has the same budget: eight settings, of which each treatment of its vectors gets the one that recommends best
from averages of histories, on ratings that were split off the training part. What is reported comes from the test part.
"""

from itertools import product

import numpy as np
from lightfm import LightFM
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse import coo_matrix, csr_array
from scipy.stats import spearmanr
from tqdm import tqdm

from utils.als import fit_implicit
from utils.consistency import simulate_consistency
from utils.data import load_cinema
from utils.embeddings import centre, cooccurrence, effective_dimension, normalise, whiten
from utils.item2vec import fit_gensim
from utils.matrix_factorization import truncated_svd
from utils.metrics import rank_items, recall_at_k
from utils.similarity import scores, top_k
from utils.widgets.averaging import compute_grid

#: Packages besides NumPy, SciPy and scikit-learn whose versions belong to the result.
LIBRARIES = ("gensim", "lightfm-next")

TREATMENTS = {
    "raw": lambda vectors: vectors,
    "centred": centre,
    "normalised": normalise,
    "whitened": whiten,
    "whitened, normalised": lambda vectors: normalise(whiten(vectors)),
}

#: Model → eight settings. All that is said of a model holds for the number of factors that the page names.
GRIDS = {
    "SVD": [{"root": p, "damping": w} for p, w in product((0.0, 0.25, 0.5, 1.0), (0.0, 0.5))],
    "PMI-SVD": [{"root": p, "power": a} for p, a in product((0.0, 0.25, 0.5, 1.0), (0.75, 1.0))],
    "ALS": [{"alpha": a, "penalty": p} for a, p in product((4.0, 16.0), (3.0, 10.0, 30.0, 100.0))],
    "item2vec": [
        {"n_epochs": e, "n_negatives": n, "noise_power": a}
        for e, (n, a) in product((10, 40), ((5, 0.75), (5, 0.0), (5, 1.0), (20, 0.75)))
    ],
    "LightFM": [
        {"learning_rate": r, "epochs": e, "item_alpha": a} for r, e, a in product((0.02, 0.05), (20, 60), (0.0, 1e-4))
    ],
}

#: On the small simulated audiences the best settings lie elsewhere.
CINEMA_GRIDS = {
    "SVD": GRIDS["SVD"],
    "ALS": [
        {"alpha": a, "penalty": p}
        for a, penalties in ((1.0, (1.0, 3.0)), (4.0, (1.0, 3.0, 10.0)), (16.0, (10.0, 30.0, 100.0)))
        for p in penalties
    ],
    "item2vec": [
        {"n_epochs": e, "n_negatives": n, "noise_power": a}
        for e, (n, a) in product((10, 40), ((5, 0.75), (5, 0.0), (5, -0.5), (20, 0.0)))
    ],
    "LightFM": [
        {"learning_rate": r, "epochs": e, "item_alpha": a} for r, e, a in product((0.01, 0.02), (20, 60), (0.0, 1e-4))
    ],
}

SIZES, FEW = [2, 3, 5, 7, 10, 15, 20, 30, 50], [2, 10, 50]
MIN_EVENTS = 5
EPOCHS_SHOWN = (3, 10, 40)
PULLS = (0.0, 10.0, 100.0, 1000.0)
PULL_PENALTIES = (10.0, 30.0)
TEMPERATURES = (0.3, 0.1, 0.03)
N_CLUSTERS = (2, 3, 5)
NORM_POWERS = (0.0, 0.25, 0.5, 0.75, 1.0)


class Part:
    """What models are fitted to and judged by: films with enough events in train, and viewers with enough of them."""

    def __init__(self, train, test):
        popularity = np.bincount(train.items, minlength=train.n_items)
        films = np.flatnonzero(popularity >= MIN_EVENTS)
        self.films, self.popularity = films, popularity[films]
        self.matrix = train.to_csr("ones", dtype=np.float64)[:, films]
        place = np.full(train.n_items, -1)
        place[films] = np.arange(len(films))
        in_order = np.argsort(train.timestamps, kind="stable")
        users, items = train.users[in_order], place[train.items[in_order]]
        self.sessions = [items[(users == user) & (items >= 0)].tolist() for user in range(train.n_users)]
        seen, held_out = self.matrix.toarray() > 0, test.to_csr("ones")[:, films].toarray() > 0
        self.users = np.flatnonzero(held_out.any(axis=1) & (seen.sum(axis=1) >= 10))
        self.seen, self.held_out = seen[self.users], held_out[self.users]

    def lists(self, table):
        """Return the ten best films that a viewer has not seen."""
        return rank_items(np.where(self.seen, -np.inf, table), 10)

    def recall(self, table):
        """Return the recall@10 of scores for all viewers."""
        return round(float(np.nanmean(recall_at_k(self.lists(table), self.held_out))), 4)

    def recall_of_average(self, vectors):
        """Return the recall@10 of lists that the sum of a viewer's vectors asks for."""
        return self.recall((self.seen @ vectors) @ vectors.T)


def fit(name, setting, part, n_factors, seed):
    """Return the item vectors of a model."""
    rng = np.random.default_rng(seed)
    matrix = part.matrix
    if name == "SVD":
        damped = matrix * (1.0 / part.popularity ** setting["damping"])[None, :]
        svd = truncated_svd(csr_array(damped), n_factors)
        return svd.item_factors * svd.singular_values ** setting["root"]
    if name == "PMI-SVD":
        svd = truncated_svd(csr_array(positive_pmi(matrix, setting["power"])), n_factors)
        return svd.item_factors * svd.singular_values ** setting["root"]
    if name == "ALS":
        return fit_implicit(
            csr_array(matrix), n_factors, **setting, n_epochs=15, solver="cg", rng=rng, progress=False
        ).item_factors
    if name == "item2vec":
        fitted = fit_gensim(part.sessions, n_factors=n_factors, window=5, **setting, rng=rng, progress=False)
        return fitted.item_vectors[[fitted.row(film) for film in range(len(part.films))]].astype(np.float64)
    settings = {key: value for key, value in setting.items() if key != "epochs"}
    model = LightFM(no_components=n_factors, loss="warp", random_state=seed, **settings)
    model.fit(coo_matrix(matrix.astype(np.float32)), epochs=setting["epochs"], num_threads=1)
    return model.item_embeddings.astype(np.float64)


def positive_pmi(matrix, power):
    """Return the positive PMI of two films in one history; contexts count to the given power."""
    together = cooccurrence(matrix)
    together = np.asarray(together.todense() if hasattr(together, "todense") else together, dtype=np.float64)
    np.fill_diagonal(together, 0)
    total = together.sum(axis=1)
    smoothed = total**power / (total**power).sum()
    with np.errstate(divide="ignore"):
        pmi = np.log(together) - np.log(total)[:, None] - np.log(smoothed)[None, :]
    return np.maximum(pmi, 0)


def tune(part, n_factors, grids, treatments, seed):
    """Return the validation recall and the consistency of all settings, and the best setting for each treatment."""
    rng = np.random.default_rng(seed)
    grid, chosen = {}, {}
    for name, settings in tqdm(grids.items(), desc="tune", leave=False):
        rows = []
        for setting in settings:
            vectors = fit(name, setting, part, n_factors, seed)
            row = {"setting": setting, "recall": {}, "consistency": {}}
            for treatment, change in treatments.items():
                changed = change(vectors)
                row["recall"][treatment] = part.recall_of_average(changed)
                row["consistency"][treatment] = consistency(changed, 10, rng, 200)[0]
            rows.append(row)
        grid[name] = rows
        chosen[name] = {
            treatment: max(range(len(rows)), key=lambda at: rows[at]["recall"][treatment]) for treatment in treatments
        }
    return grid, chosen


def consistency(vectors, k, rng, n_subsets=500, subsets=None):
    """Return a consistency and its standard error, rounded."""
    estimate = simulate_consistency(vectors, k, n_subsets=n_subsets, subsets=subsets, rng=rng, progress=False)
    return round(estimate.mean, 4), round(estimate.standard_error, 5)


def compute(movielens, n_seeds=3, n_factors=64):
    """Measure averages of trained vectors, for the chapter on averaging; lists go by seed.

    A seed puts a fifth of the ratings aside. Films with at least five of the other ratings are the catalogue.
    "laboratory" is what the chapter's widget looks up; it needs no data.
    """
    train, _ = movielens.split_random(0.2, rng=np.random.default_rng(0))
    validation = Part(*train.split_random(0.2, rng=np.random.default_rng(100)))
    grid, chosen = tune(validation, n_factors, GRIDS, TREATMENTS, 0)
    pull_grid = [
        {"pull": pull, "penalty": penalty, **pulled(validation, pull, penalty, 0)}
        for pull, penalty in tqdm(list(product(PULLS, PULL_PENALTIES)), desc="pull", leave=False)
    ]
    penalties = {
        pull: max((row for row in pull_grid if row["pull"] == pull), key=lambda row: row["recall"])["penalty"]
        for pull in PULLS
    }
    interest_grid, interests = tune_interests(validation, n_factors, chosen)

    models, facts, pulls, several = [], [], [], []
    for seed in tqdm(range(n_seeds), desc="test", leave=False):
        part = Part(*movielens.split_random(0.2, rng=np.random.default_rng(seed)))
        fitted = {
            (name, at): fit(name, GRIDS[name][at], part, n_factors, seed)
            for name in GRIDS
            for at in sorted(set(chosen[name].values()))
        }
        rng = np.random.default_rng(seed)
        models.append({name: _measure(part, fitted, name, chosen[name], rng) for name in GRIDS})
        by_epochs = {}
        for n in EPOCHS_SHOWN:
            setting = {"n_epochs": n, "n_negatives": 5, "noise_power": 0.75}
            at = GRIDS["item2vec"].index(setting) if setting in GRIDS["item2vec"] else None
            vectors = fitted.get(("item2vec", at))
            if vectors is None:
                vectors = fit("item2vec", setting, part, n_factors, seed)
            by_epochs[str(n)] = _length_and_recall(part, vectors)
        facts.append(
            {
                "n_films": len(part.films),
                "n_users": len(part.users),
                "recall_popular": part.recall(np.broadcast_to(part.popularity, part.seen.shape)),
                "item2vec_epochs": by_epochs,
            }
        )
        pulls.append({str(pull): pulled(part, pull, penalties[pull], seed) for pull in PULLS})
        several.append({name: _interests(part, fitted, name, chosen, interests[name]) for name in interests})
    return {
        "n_factors": n_factors,
        "min_events": MIN_EVENTS,
        "sizes": SIZES,
        "few": FEW,
        "grid": grid,
        "chosen": chosen,
        "models": _gather(models),
        **_gather(facts),
        "pull": {"n_factors": 32, "grid": pull_grid, "penalties": list(penalties.values()), "test": _gather(pulls)},
        "interests": {"grid": interest_grid, "chosen": interests, "test": _gather(several)},
        "laboratory": compute_grid(rng=np.random.default_rng(0)),
    }


def _gather(records):
    """Turn a list of dicts, some of them nested, into a dict of lists."""
    if not isinstance(records[0], dict):
        return records
    return {name: _gather([record[name] for record in records]) for name in records[0]}


def _length_and_recall(part, vectors):
    lengths = np.linalg.norm(vectors, axis=1)
    return {
        "length_popularity": round(float(spearmanr(lengths, part.popularity).statistic), 4),
        **{name: part.recall_of_average(TREATMENTS[name](vectors)) for name in ("raw", "normalised")},
    }


def _measure(part, fitted, name, chosen, rng):
    """Return all that the chapter says of the vectors of one model."""
    n_films = len(part.films)
    histories = [rng.choice(np.flatnonzero(row), 10, replace=False) for row in part.seen]
    share = part.popularity / part.popularity.sum()
    popular = [rng.choice(n_films, 10, replace=False, p=share) for _ in part.users]
    vectors = fitted[name, chosen["raw"]]
    lengths = np.linalg.norm(vectors, axis=1)
    subsets = np.array([rng.choice(n_films, 10, replace=False) for _ in range(500)])
    listed = top_k(vectors[subsets].sum(axis=1), vectors, 10)[0]
    longest = np.argsort(-lengths)[: n_films // 10]
    curves = {}
    for treatment in ("raw", "centred"):
        changed = TREATMENTS[treatment](fitted[name, chosen[treatment]])
        estimates = [consistency(changed, k, rng) for k in SIZES]
        curves[treatment] = {"value": [one[0] for one in estimates], "error": [one[1] for one in estimates]}
    treated = {}
    for treatment, change in TREATMENTS.items():
        changed = change(fitted[name, chosen[treatment]])
        treated[treatment] = {
            "random": [consistency(changed, k, rng)[0] for k in FEW],
            "histories": consistency(changed, 10, rng, subsets=histories)[0],
            "popular": consistency(changed, 10, rng, subsets=popular)[0],
            "recall": part.recall_of_average(changed),
        }
    random_directions = normalise(rng.standard_normal(vectors.shape)) * lengths[:, None]
    return {
        "curves": curves,
        "length_popularity": round(float(spearmanr(lengths, part.popularity).statistic), 4),
        "length_spread": round(float(lengths.std() / lengths.mean()), 4),
        "mean_share": round(float((vectors.mean(axis=0) ** 2).sum() / (vectors**2).sum(axis=1).mean()), 4),
        "effective_dimension": effective_dimension(vectors),
        "longest_tenth": round(float(np.isin(listed, longest).mean()), 4),
        "lengths_alone": consistency(random_directions, 10, rng)[0],
        "treated": treated,
    }


# ALS whose item vectors are pulled towards the yardstick: mean zero, all directions alike.


def solve_rows(matrix, fixed, target, *, alpha, penalty, pull):
    """Solve a half-iteration of implicit ALS with an extra penalty: `pull` times the squared distance to a target."""
    d = fixed.shape[1]
    outer = (fixed[:, :, None] * fixed[:, None, :]).reshape(len(fixed), -1)
    left = fixed.T @ fixed + alpha * (matrix @ outer).reshape(-1, d, d) + (penalty + pull) * np.eye(d)
    right = (1 + alpha) * (matrix @ fixed) + pull * target
    return np.linalg.solve(left, right[..., None])[..., 0]


def nearest_isotropic(vectors):
    """Return the nearest vectors with mean 0 and one variance in all directions, whatever that variance is."""
    u, s, vt = np.linalg.svd(vectors - vectors.mean(axis=0), full_matrices=False)
    return s.mean() * (u @ vt)


def fit_pulled(matrix, n_factors, *, alpha, penalty, pull, n_epochs, rng):
    """Return user and item vectors: each step lowers the same loss, that of ALS plus the pull."""
    users, items = (0.1 * rng.standard_normal((n, n_factors)) for n in matrix.shape)
    transposed = matrix.T.tocsr()
    for _ in range(n_epochs):
        users = solve_rows(matrix, items, 0.0, alpha=alpha, penalty=penalty, pull=0.0)
        target = nearest_isotropic(items) if pull else 0.0
        items = solve_rows(transposed, users, target, alpha=alpha, penalty=penalty, pull=pull)
    return users, items


def pulled(part, pull, penalty, seed, n_factors=32):
    """Return what a pull does to consistency, and to the recall of averages and of the model's own user vectors."""
    rng = np.random.default_rng(seed)
    matrix = part.matrix.tocsr()
    users, items = fit_pulled(matrix, n_factors, alpha=4.0, penalty=penalty, pull=pull, n_epochs=10, rng=rng)
    users = solve_rows(matrix, items, 0.0, alpha=4.0, penalty=penalty, pull=0.0)
    return {
        "consistency": consistency(items, 10, rng)[0],
        "whitened": consistency(whiten(items), 10, rng)[0],
        "recall": part.recall_of_average(items),
        "own": part.recall(users[part.users] @ items.T),
        "mean_share": round(float((items.mean(axis=0) ** 2).sum() / (items**2).sum(axis=1).mean()), 4),
        "effective_dimension": round(effective_dimension(items), 2),
    }


# More than one average.


def attention_scores(part, unit, temperature):
    """Score a film by the films of a history that are like it: weights are a softmax of cosines over a temperature."""
    table = np.empty(part.seen.shape)
    for row, seen in enumerate(part.seen):
        cosines = (unit[seen] @ unit.T).astype(np.float32)
        weights = np.exp((cosines - 1) / np.float32(temperature))
        table[row] = (weights * cosines).sum(axis=0) / weights.sum(axis=0)
    return table


def cluster_scores(part, unit, n_clusters):
    """Score a film by the nearest of several averages: the mean vectors of Ward's clusters of a history."""
    table = np.empty(part.seen.shape)
    for row, seen in enumerate(part.seen):
        own = unit[seen]
        labels = fcluster(linkage(own, "ward"), n_clusters, "maxclust")
        averages = np.array([own[labels == label].mean(axis=0) for label in np.unique(labels)])
        table[row] = (normalise(averages) @ unit.T).max(axis=0)
    return table


def tune_interests(part, n_factors, chosen, names=("ALS", "item2vec")):
    """Return the validation recall of all temperatures and numbers of averages, and the best."""
    grid, best = {}, {}
    for name in names:
        unit = normalise(fit(name, GRIDS[name][chosen[name]["normalised"]], part, n_factors, 0))
        attention = [part.recall(attention_scores(part, unit, t)) for t in TEMPERATURES]
        clusters = [part.recall(cluster_scores(part, unit, n)) for n in N_CLUSTERS]
        grid[name] = {"attention": dict(zip(map(str, TEMPERATURES), attention))}
        grid[name]["clusters"] = dict(zip(map(str, N_CLUSTERS), clusters))
        best[name] = {
            "temperature": TEMPERATURES[int(np.argmax(attention))],
            "n_clusters": N_CLUSTERS[int(np.argmax(clusters))],
        }
    return grid, best


def _interests(part, fitted, name, chosen, best):
    unit = normalise(fitted[name, chosen[name]["normalised"]])
    return {
        "average": part.recall_of_average(unit),
        "attention": part.recall(attention_scores(part, unit, best["temperature"])),
        "clusters": part.recall(cluster_scores(part, unit, best["n_clusters"])),
    }


# Simulated audiences.


def simulate(n_seeds=3, n_factors=16):
    """Take the norm out of trained vectors by degrees, on simulated audiences; settings come from an audience apart."""
    names = list(CINEMA_GRIDS)
    powers = {str(power): lambda vectors, power=power: scale_norms(vectors, power) for power in NORM_POWERS}
    cinema, _ = load_cinema(100)
    apart = Part(*cinema.split_random(0.2, rng=np.random.default_rng(100)))
    grid, chosen = tune(apart, n_factors, CINEMA_GRIDS, powers, 0)
    seeds = list(range(n_seeds))
    studies = []
    for seed in tqdm(seeds, desc="cinema", leave=False):
        part, likeness = cinema_part(seed)
        rng = np.random.default_rng(seed)
        study = {"n_films": len(part.films), "popular": judge(part, likeness, np.sqrt(part.popularity)[:, None])}
        for name in names:
            fitted = {at: fit(name, CINEMA_GRIDS[name][at], part, n_factors, seed) for at in set(chosen[name].values())}
            raw = fitted[chosen[name]["0.0"]]
            study[name] = {
                "curve": [consistency(raw, k, rng, 400)[0] for k in SIZES],
                "centred": [consistency(centre(raw), k, rng, 400)[0] for k in SIZES],
                "powers": {},
            }
            for power, change in powers.items():
                changed = change(fitted[chosen[name][power]])
                study[name]["powers"][power] = {
                    "consistency": consistency(changed, 10, rng)[0],
                    **judge(part, likeness, changed),
                }
            if name == "ALS":
                study["longer_average"] = longer_average(part, centre(raw), rng)
        studies.append(study)
    settings = {"n_factors": n_factors, "powers": list(NORM_POWERS), "sizes": SIZES, "names": names}
    return {"seeds": seeds, **settings, "grid": grid, "chosen": chosen, **_gather(studies)}


def cinema_part(seed):
    """Return an audience, and how alike its films are by their true traits."""
    cinema, truth = load_cinema(seed)
    part = Part(*cinema.split_random(0.2, rng=np.random.default_rng(seed)))
    traits = truth.item_factors[part.films]
    return part, scores(traits, traits, "cosine")


def scale_norms(vectors, power):
    """Divide each vector by its norm to a power: 0 leaves it as it is, 1 makes all norms alike."""
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True) ** power


def judge(part, likeness, vectors):
    """Return the recall of lists that averages ask for, and how alike list and history are by the true traits."""
    listed = part.lists((part.seen @ vectors) @ vectors.T)
    to_history = part.seen @ likeness / part.seen.sum(axis=1, keepdims=True)
    return {
        "recall": round(float(np.nanmean(recall_at_k(listed, part.held_out))), 4),
        "likeness": round(float(np.take_along_axis(to_history, listed, axis=1).mean()), 4),
    }


def longer_average(part, vectors, rng):
    """Return how many times as long averages of one viewer's films are as those of films that are as popular."""
    share, found = part.popularity / part.popularity.sum(), {"one": [], "many": []}
    for row in part.seen[:400]:
        own = rng.choice(np.flatnonzero(row), size=10, replace=False)
        others = rng.choice(len(share), size=10, replace=False, p=share)
        for who, subset in (("one", own), ("many", others)):
            found[who].append(np.linalg.norm(vectors[subset].mean(axis=0)))
    return round(float(np.mean(found["one"]) / np.mean(found["many"])), 4)
