"""Implicit ALS on the last rating of each user of MovieLens, for the chapter on ALS."""

from itertools import product

import numpy as np
from tqdm import tqdm

from utils.als import fit_implicit
from utils.evaluation import evaluate


def compute(
    movielens, n_seeds=5, alphas=(0, 1, 4, 16, 64), penalties=(1, 10, 30, 100), n_factors=32, n_epochs=10, k=10
):
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
