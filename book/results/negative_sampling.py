"""What each sampler teaches on MovieLens, for the chapter on negative sampling."""

import numpy as np
from tqdm import tqdm

from utils.metrics import rank_items, recall_at_k
from utils.negative_sampling import (
    HardSampler,
    InBatchSampler,
    PopularitySampler,
    UniformSampler,
    false_negative_probability,
)
from utils.sampled_softmax import TwoTables, train


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
