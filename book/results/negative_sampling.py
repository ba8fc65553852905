"""What each sampler teaches, on MovieLens and on simulated audiences, for the chapter on negative sampling."""

from types import SimpleNamespace

import numpy as np
from scipy.sparse import csr_array
from tqdm import tqdm

from utils.data import Interactions, load_cinema
from utils.embeddings import nearest_items
from utils.metrics import rank_items, recall_at_k
from utils.negative_sampling import (
    HardSampler,
    InBatchSampler,
    PopularitySampler,
    UniformSampler,
    false_negative_probability,
    false_negative_rate,
)
from utils.sampled_softmax import fit_softmax


def compute(movielens, n_seeds=5, n_factors=16, min_events=5, k=10, powers=(0, 0.25, 0.5, 0.75, 1)):
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
    events = _make_events(users, items, is_seen.shape)
    models = {"popularity": judge(np.broadcast_to(popularity, is_seen.shape))}
    for name, (sampler, log_probabilities, n_candidates) in runs.items():
        sampler = HardSampler(sampler, None, n_candidates) if n_candidates else sampler
        given = {"sampler": sampler, "log_probabilities": log_probabilities, "rng": np.random.default_rng(seed)}
        tables = fit_softmax(events, n_factors, **given, progress=False, **options)
        models[name] = judge(tables.scores(np.arange(len(is_seen))))

    known, hidden = [], []  # by power: the share of draws that are ratings of the training, and of those put aside
    for power in powers:
        noise = PopularitySampler(popularity, power).noise
        known.append(float(false_negative_probability(noise, seen)[users].mean()))
        hidden.append(float(false_negative_probability(noise, held_out, exclude=seen)[users].mean()))
    return {"n_films": len(films), "n_events": len(users), "known": known, "hidden": hidden, "models": models}


POWERS = (0, 0.25, 0.5, 0.75, 1)


def simulate(n_seeds=5):
    """Repeat the chapter's experiments on audiences whose truth is known; each list has an entry a seed.

    "judged" is recall@10, love and the share of the top tenth, by model. "weights" are those of popularity and of taste
    in the scores, "groups" the shares found of popular, middling and rare films, "likeness" that of neighbours, all by
    model. "later" is the recall of in-batch negatives that are corrected afterwards. "sigmoid" is recall, love and
    likeness with the other loss, by power. "excluded" is the recall without known positives among the negatives, and
    "excluded_weight" the weight of popularity then. "hard" goes by number of candidates: recall@5 and the share of
    negatives that are liked. "best_of" too: recall@10, the share of negatives that the viewer has, and the spread of
    the 20 highest scores. "twice" is the weight of popularity and the share of the top tenth where uniform negatives
    were corrected for popularity.
    """
    studies = [_cinema_of_seed(seed) for seed in tqdm(range(n_seeds), desc="cinema", unit="seed", leave=False)]
    return {"seeds": list(range(n_seeds)), **{name: [study[name] for study in studies] for name in studies[0]}}


def _cinema_of_seed(seed):
    audience = _listen(seed)
    noise = {power: PopularitySampler(audience.popularity, power) for power in POWERS}
    models = {
        "full softmax": _fit(audience, None, seed),
        "uniform": _fit(audience, noise[0], seed),
        **{f"power {power}": _fit(audience, noise[power], seed) for power in POWERS[1:]},
        "in-batch": _fit(audience, InBatchSampler(), seed),
        "hard": _fit(audience, noise[0], seed, 4),
        "power 0.75, corrected": _fit(audience, noise[0.75], seed, log_probabilities=noise[0.75].log_noise),
        "in-batch, corrected": _fit(audience, InBatchSampler(), seed, log_probabilities=noise[1].log_noise),
    }
    everybody = np.arange(len(audience.is_seen))
    tables = {name: model.scores(everybody) for name, model in models.items()}
    tables["popularity"] = np.broadcast_to(audience.popularity, audience.is_seen.shape)

    sigmoid = []
    for power in (0, 0.75, 1):
        model = _fit(audience, noise[power], seed, loss="logistic")
        sigmoid.append([*_judge(audience, model.scores(everybody))[:2], _likeness(audience, model)])

    excluded = {}
    for name, power in (("uniform", 0), ("power 0.75", 0.75)):
        sampler = PopularitySampler(audience.popularity, power, exclude=audience.seen)
        table = _fit(audience, sampler, seed).scores(everybody)
        excluded[name] = _judge(audience, table)[0]
    excluded_weight = _weights_in(audience, table)[0]
    table = _fit(audience, sampler, seed, log_probabilities=sampler.log_noise).scores(everybody)
    excluded["power 0.75, corrected"] = _judge(audience, table)[0]

    log_popularity = np.log(np.maximum(audience.popularity, 0.5) / audience.popularity.sum())
    uniform = UniformSampler(audience.is_seen.shape[1])
    twice = _fit(audience, uniform, seed, log_probabilities=log_popularity).scores(everybody)
    return {
        "judged": {name: _judge(audience, table) for name, table in tables.items()},
        "weights": {name: _weights_in(audience, table) for name, table in tables.items()},
        "groups": {name: _recall_by_group(audience, table) for name, table in tables.items()},
        "likeness": {name: _likeness(audience, model) for name, model in models.items()},
        "later": _judge(audience, tables["in-batch"] + noise[1].log_noise)[0],
        "sigmoid": sigmoid,
        "excluded": excluded,
        "excluded_weight": excluded_weight,
        "hard": _draw_hard(audience, seed),
        "best_of": _draw_best_of(audience, models, seed),
        "twice": [_weights_in(audience, twice)[0], _judge(audience, twice)[2]],
    }


def _listen(seed):
    cinema, truth = load_cinema(seed)
    split = cinema.split_random(0.2, rng=np.random.default_rng(seed))
    seen, held_out = (part.to_csr("ones") for part in split)
    return SimpleNamespace(
        events=split.train,
        users=split.train.users,
        items=split.train.items,
        popularity=np.bincount(split.train.items, minlength=cinema.n_items),
        seen=seen,
        is_seen=seen.toarray() > 0,
        held_out=held_out,
        affinity=truth.affinity(),
        traits=truth.item_factors,
    )


def _make_events(users, items, shape):
    return Interactions.from_labels(users, items, user_labels=range(shape[0]), item_labels=range(shape[1]))


def _fit(audience, sampler, seed, n_candidates=1, **options):
    if n_candidates > 1:
        sampler = HardSampler(sampler, None, n_candidates)
    options = {"n_epochs": 12, "progress": False, **options}
    return fit_softmax(audience.events, 9, sampler=sampler, rng=np.random.default_rng(seed), **options)


def _rounded(values):
    return np.round(values, 4).tolist()


def _judge(audience, table):
    """Return recall@10, love in stars, and the share of the top tenth."""
    allowed = np.where(audience.is_seen | ~(audience.popularity > 0), -np.inf, table)
    viewers = audience.is_seen.any(axis=1)
    ranked = rank_items(allowed[viewers], 10)
    recall = np.nanmean(recall_at_k(ranked, audience.held_out[viewers]))
    love = np.take_along_axis(audience.affinity[viewers], ranked, axis=1).mean()
    top = np.argsort(-audience.popularity, kind="stable")[: len(audience.popularity) // 10]
    return _rounded([recall, love, np.isin(ranked, top).mean()])


def _weights_in(audience, table):
    """Return the least-squares weights of log popularity and of taste, among films with five viewings or more."""
    films, viewers = audience.popularity >= 5, audience.is_seen.any(axis=1)
    popularity = np.broadcast_to(np.log(audience.popularity[films]), (viewers.sum(), films.sum()))
    columns = popularity, audience.affinity[viewers][:, films], table[viewers][:, films]
    columns = [(c - c.mean(axis=1, keepdims=True)).ravel() for c in columns]
    return _rounded(np.linalg.lstsq(np.column_stack(columns[:2]), columns[2])[0])


def _recall_by_group(audience, table):
    """Return the share of held-out viewings found, of the top tenth, of others up to a third, and of the rest."""
    n_items = len(audience.popularity)
    place = np.empty(n_items, dtype=int)
    place[np.argsort(-audience.popularity, kind="stable")] = np.arange(n_items)
    group = np.digitize(place, [n_items // 10, n_items // 3])
    ranked = rank_items(np.where(audience.is_seen, -np.inf, table), 10)
    users, items = audience.held_out.nonzero()
    is_found = (ranked[users] == items[:, None]).any(axis=1)
    return _rounded([is_found[group[items] == g].mean() for g in range(3)])


def _likeness(audience, tables):
    films = audience.popularity >= 5
    nearest = nearest_items(tables.item_factors[films], 10)
    traits = audience.traits[films]
    return round(float(np.take_along_axis(traits @ traits.T, nearest, axis=1).mean()), 4)


def _draw_hard(audience, seed, candidates=(1, 2, 4, 8, 16)):
    affinity, rng = audience.affinity[:600], np.random.default_rng(seed)
    liked = affinity > np.quantile(affinity, 0.9)
    is_test = rng.random(liked.shape) < 0.2
    is_known = liked & ~is_test & (rng.random(liked.shape) < 0.5)
    relevant = np.where(is_test, liked, False)
    viewers = relevant.any(axis=1)
    users, items = np.nonzero(is_known)
    world = SimpleNamespace(events=_make_events(users, items, is_known.shape))
    result = {"as in life": [], "with an oracle": []}
    for name, never in zip(result, (is_known | is_test, liked | is_test)):
        sampler = UniformSampler(liked.shape[1], exclude=csr_array(never))
        for n_candidates in candidates:
            tables = _fit(world, sampler, seed, n_candidates, batch_size=512)
            table = np.where(is_test, tables.scores(np.arange(600)), -np.inf)
            found = recall_at_k(rank_items(table[viewers], 5), relevant[viewers]).mean()
            drawn = HardSampler(sampler, tables.score, n_candidates).sample(users, None, 1, rng=rng)
            result[name].append(_rounded([found, liked[users, drawn[:, 0]].mean()]))
    return result


def _draw_best_of(audience, models, seed):
    trained = {("uniform", 1): "uniform", ("uniform", 4): "hard", ("in-batch, corrected", 1): "in-batch, corrected"}
    rng = np.random.default_rng(seed)
    batch = rng.integers(len(audience.users), size=1024)
    who, what = audience.users[batch], audience.items[batch]
    sources = {
        "uniform": (UniformSampler(len(audience.popularity)), None),
        "in-batch, corrected": (InBatchSampler(), PopularitySampler(audience.popularity, 1).log_noise),
    }
    result = {name: [] for name in sources}
    for name, (source, log_q) in sources.items():
        for h in (1, 2, 4):
            if (name, h) in trained:
                tables = models[trained[name, h]]
            else:
                tables = _fit(audience, source, seed, h, log_probabilities=log_q)
            table = tables.scores(np.arange(len(audience.is_seen)))
            drawn = HardSampler(source, tables.score, h).sample(who, what, 5, rng=rng)
            known = false_negative_rate(drawn, who, audience.seen)
            spread = np.sort(table, axis=1)[:, -20:].std(axis=1).mean()
            result[name].append(_rounded([_judge(audience, table)[0], known, spread]))
    return result
