"""ALS on the last rating of each user of MovieLens, and on simulated audiences, for the chapter on ALS."""

from itertools import product
from types import SimpleNamespace

import numpy as np
from scipy.sparse import csr_array
from tqdm import tqdm

from utils.als import explicit_loss, fit_explicit, fit_implicit, fold_in, half_step, implicit_loss
from utils.data import load_cinema
from utils.evaluation import evaluate
from utils.matrix_factorization import fit_sgd, mean_normalise
from utils.metrics import rank_items, recall_at_k


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


ALPHAS, LAMBDAS = (0, 1, 4, 16, 64), (1, 10, 30, 100)
SCALES = (0.01, 0.1, 1)


def simulate(n_seeds=5):
    """Repeat the chapter's experiments on audiences whose truth is known; each list has an entry a seed.

    "largest_rise" is that of the loss in any half-step, as a share. "errors" are those of predicted stars, by penalty:
    of ALS and gradient descent on ratings put aside, of ALS against the truth ("truth"), and of the means of films.
    "roads" are the losses of ALS and of gradient descent, the last one with twice the rounds ("patient"), the lowest
    that ALS comes to, and the number of ratings. "recalls" go by weight and penalty, "hits" are those of the most
    popular films, "crowds" the four numbers of the table on crowding. "sizes" are recall and loss, by penalty and
    number of factors. "starts" are the losses of 15 epochs, the ratios of the lengths after the first, and the recalls
    without and with balance. "arrivals" go by number of films, then fold-in, hits and a new fit: recall and love.
    "counts" are recalls of viewers with a film that played 300 times, taken as 1, as a count and as its logarithm.
    "overlap" compares two starts after 10 epochs, then after 100: gap of the losses, gap of the recalls, and share of
    the places that are the same.
    """
    studies = [_cinema_of_seed(seed) for seed in tqdm(range(n_seeds), desc="cinema", unit="seed", leave=False)]
    return {"seeds": list(range(n_seeds)), **{name: [study[name] for study in studies] for name in studies[0]}}


def _cinema_of_seed(seed):
    audience = _watch(seed)
    grid = {(alpha, penalty): _fit(audience, seed, alpha, penalty) for alpha in ALPHAS for penalty in LAMBDAS}
    rng = np.random.default_rng(seed)
    hits = rank_items(np.where(audience.seen, -np.inf, audience.popularity), 10)
    return {
        "largest_rise": _largest_rise(audience),
        "errors": _errors(audience, seed),
        "roads": _roads(audience, seed),
        "recalls": _rounded([[_recall(audience, grid[a, p]) for p in LAMBDAS] for a in ALPHAS]),
        "hits": _rounded(np.nanmean(recall_at_k(hits, audience.held_out))),
        "crowds": _rounded([[_crowding(audience, grid[a, p], rng) for p in LAMBDAS[:3]] for a in ALPHAS]),
        "sizes": _sizes(audience, seed),
        "starts": _starts(audience, seed),
        "arrivals": _arrivals(audience, seed),
        "counts": _counts(audience, seed),
        "overlap": _overlap(audience, seed, grid[4, 30]),
    }


def _watch(seed):
    cinema, truth = load_cinema(seed)
    train, test = cinema.split_random(0.2, rng=np.random.default_rng(seed))
    centred, means = mean_normalise(train.to_csr(dtype=float))
    watched = train.to_csr("ones", dtype=float)
    popularity = watched.sum(axis=0)
    tenth = np.argsort(-popularity, kind="stable")[: len(popularity) // 10]
    return SimpleNamespace(
        cinema=cinema,
        truth=truth,
        centred=centred,
        means=means,
        test_stars=test.to_csr(dtype=float).tocoo(),
        watched=watched,
        seen=watched.toarray() > 0,
        held_out=test.to_csr("ones"),
        popularity=popularity,
        is_popular=np.isin(np.arange(len(popularity)), tenth),
    )


def _fit(audience, seed, alpha, penalty, n_factors=8, n_epochs=10, **options):
    how = {"alpha": alpha, "penalty": penalty, "n_epochs": n_epochs, "progress": False, **options}
    return fit_implicit(audience.watched, n_factors, rng=np.random.default_rng(seed), **how)


def _rounded(values, n_digits=4):
    return np.round(values, n_digits).tolist()


def _lists(audience, model):
    return rank_items(np.where(audience.seen, -np.inf, model.user_factors @ model.item_factors.T), 10)


def _recall(audience, model):
    return np.nanmean(recall_at_k(_lists(audience, model), audience.held_out))


def _largest_rise(audience):
    """Watch the loss of a dozen fits after each of ten half-steps."""
    rng = np.random.default_rng(0)
    start = rng.standard_normal((audience.watched.shape[1], 8)) / np.sqrt(8)
    largest = -np.inf
    for penalty in (0.1, 3, 30):
        runs = [(audience.centred, {"alpha": None})]
        for how in ({}, {"solver": "cg", "n_cg_steps": 1}, {"solver": "cg"}):
            runs.append((audience.watched, {"alpha": 4, **how}))
        for matrix, how in runs:
            items, losses = start, []
            users, by_film = np.zeros((matrix.shape[0], 8)), matrix.T.tocsr()
            for step in range(10):
                if step % 2 == 0:
                    users = half_step(matrix, items, penalty=penalty, start=users, **how)
                else:
                    items = half_step(by_film, users, penalty=penalty, start=items, **how)
                if how["alpha"] is None:
                    losses.append(explicit_loss(matrix, users, items, penalty=penalty))
                else:
                    losses.append(implicit_loss(matrix, users, items, alpha=4, penalty=penalty))
            largest = max(largest, (np.diff(losses) / losses[:-1]).max())
    return float(f"{largest:.2g}")


def _errors(audience, seed):
    test, expected = audience.test_stars, audience.truth.expected_ratings()

    def off(predicted, stars):
        return np.sqrt(np.mean((predicted - stars) ** 2))

    def test_error(model):
        products = model.user_factors[test.row] * model.item_factors[test.col]
        return off(audience.means[test.col] + products.sum(axis=1), test.data)

    als, sgd = [], []
    for penalty in (0.001, 0.01, 0.1, 0.3, 1, 3, 10, 30):
        how = {"penalty": penalty, "n_epochs": 20, "rng": np.random.default_rng(seed), "progress": False}
        als.append(fit_explicit(audience.centred, 8, **how))
    for penalty in (0.001, 1, 3, 10):
        how = {"penalty": penalty, "n_epochs": 20, "rng": np.random.default_rng(seed), "progress": False}
        sgd.append(fit_sgd(audience.centred, 8, learning_rate=0.04, has_biases=False, **how))
    return {
        "als": _rounded([test_error(model) for model in als]),
        "sgd": _rounded([test_error(model) for model in sgd]),
        "means": _rounded(off(audience.means[test.col], test.data)),
        "truth": _rounded([off(audience.means + m.user_factors @ m.item_factors.T, expected) for m in als]),
        "truth_means": _rounded(off(np.broadcast_to(audience.means, expected.shape), expected)),
    }


def _roads(audience, seed, n_rounds=80):
    rng = np.random.default_rng(seed)
    pair = [rng.standard_normal((n, 8)) / np.sqrt(8) for n in audience.centred.shape]
    how = {"penalty": 3, "init": pair, "progress": False}
    models = {"als": fit_explicit(audience.centred, 8, n_epochs=200, rng=None, **how)}
    for name, n in (("sgd", n_rounds), ("patient", 2 * n_rounds)):
        rates = 0.04 * np.linspace(1, 0.02, n)
        how = {**how, "learning_rate": rates, "n_epochs": n, "has_biases": False, "rng": np.random.default_rng(seed)}
        models[name] = fit_sgd(audience.centred, 8, **how)
    losses = {name: _rounded(model.losses, 2) for name, model in models.items()}
    return {
        "als": losses["als"][:31],
        "lowest": losses["als"][-1],
        "sgd": losses["sgd"],
        "patient": losses["patient"][-1],
        "n_ratings": audience.centred.nnz,
    }


def _crowding(audience, model, rng):
    on_show = audience.popularity > 0
    items, top = model.item_factors[on_show], audience.is_popular[on_show]
    lengths = np.linalg.norm(items, axis=1, keepdims=True)
    log_popularity = np.log(audience.popularity[on_show])
    facts = [np.corrcoef(lengths[:, 0], log_popularity)[0, 1], lengths[top].mean() / lengths[~top].mean()]
    dealt = [items / lengths * rng.permutation(lengths) for _ in range(10)]
    for group in ([items], dealt):
        shares = []
        for vectors in group:
            table = vectors @ vectors.T
            np.fill_diagonal(table, -np.inf)
            shares.append(top[rank_items(table, 10)].mean())
        facts.append(np.mean(shares))
    return facts


def _sizes(audience, seed):
    values = np.empty((3, 6, 2))
    for j, penalty in enumerate((1, 10, 30)):
        for i, size in enumerate((2, 4, 8, 16, 32, 64)):
            model = _fit(audience, seed, 4, penalty, size, solver="cg")
            values[j, i] = _recall(audience, model), model.losses[-1]
    return _rounded(values)


def _starts(audience, seed):
    def follow(scale, is_balanced=False, **options):
        same = {"alpha": 20, "penalty": 1, "n_factors": 16, **options}
        one = _fit(audience, seed, n_epochs=1, initial_scale=scale, **same)
        pair = one.user_factors, one.item_factors
        ratio = np.linalg.norm(pair[0]) / np.linalg.norm(pair[1])
        if is_balanced:
            pair = pair[0] / np.sqrt(ratio), pair[1] * np.sqrt(ratio)
        return _fit(audience, seed, n_epochs=14, init=pair, **same), ratio

    followed = {"0.01 balanced": follow(0.01, is_balanced=True)}
    for scale in SCALES:
        followed[f"{scale} exact"] = follow(scale)
        followed[f"{scale} cg"] = follow(scale, solver="cg")
    return {
        "losses": {name: _rounded(model.losses, 2) for name, (model, _) in followed.items()},
        "ratios": _rounded([followed[f"{scale} exact"][1] for scale in SCALES]),
        "recalls": _rounded([_recall(audience, followed[name][0]) for name in ("0.01 exact", "0.01 balanced")]),
    }


def _arrivals(audience, seed):
    log, n_films = audience.cinema, audience.cinema.n_items
    counts = np.bincount(log.users, minlength=log.n_users)
    rng = np.random.default_rng(seed)
    newcomers = rng.permutation(np.flatnonzero(counts >= 20))[:200]
    others = log.select(~np.isin(log.users, newcomers)).to_csr("ones", dtype=float)
    how = {"alpha": 4, "penalty": 30, "n_epochs": 10, "progress": False}
    model = fit_implicit(others, 8, rng=np.random.default_rng(seed), **how)
    popularity = others.sum(axis=0)

    by_time = np.argsort(log.timestamps, kind="stable")
    came = [log.items[by_time][log.users[by_time] == u] for u in newcomers]
    rows = np.arange(len(newcomers))[:, None]
    later = np.zeros((len(newcomers), n_films))
    for row, films in enumerate(came):
        later[row, films[15:]] = 1
    love = audience.truth.affinity()[newcomers]

    def judge(scores, so_far):
        listed = rank_items(np.where(so_far > 0, -np.inf, scores), 10)
        return np.nanmean(recall_at_k(listed, later)), np.take_along_axis(love, listed, axis=1).mean()

    outcome = []
    for n_watched in (0, 1, 2, 3, 5, 8, 11, 15):
        so_far = np.zeros((len(newcomers), n_films))
        so_far[rows, np.array([films[:n_watched] for films in came], dtype=int)] = 1
        users = fold_in(csr_array(so_far), model.item_factors, penalty=30, alpha=4)
        table = others.toarray()
        table[newcomers] = so_far
        anew = fit_implicit(csr_array(table), 8, rng=np.random.default_rng(seed), **how)
        scores = users @ model.item_factors.T, np.broadcast_to(popularity, later.shape), anew.scores(newcomers)
        outcome.append([judge(one, so_far) for one in scores])
    return _rounded(outcome)


def _counts(audience, seed):
    rng = np.random.default_rng(seed)
    ones = audience.watched
    n_seen = np.diff(ones.indptr)
    fans = rng.permutation(np.flatnonzero(n_seen >= 10))[:100]
    counted = ones.copy()
    counted.data[counted.indptr[fans] + rng.integers(n_seen[fans])] = 300
    logged = counted.copy()
    logged.data = np.log2(1 + counted.data)
    recalls = []
    for matrix in (ones, counted, logged):
        how = {"alpha": 4, "penalty": 30, "n_epochs": 10, "rng": np.random.default_rng(seed), "progress": False}
        found = recall_at_k(_lists(audience, fit_implicit(matrix, 8, **how)), audience.held_out)
        recalls.append(np.nanmean(found[fans]))
    return _rounded(recalls)


def _overlap(audience, seed, one):
    other = _fit(audience, seed + 100, 4, 30)
    facts = []
    for n_more in (0, 90):
        pairs = [(model.user_factors, model.item_factors) for model in (one, other)]
        models = [_fit(audience, seed, 4, 30, n_epochs=n_more, init=pair) for pair in pairs]
        rows = [_lists(audience, model) for model in models]
        found = [np.nanmean(recall_at_k(row, audience.held_out)) for row in rows]
        same = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(*rows)])
        loss_gap = abs(models[0].losses[-1] / models[1].losses[-1] - 1)
        facts.append([float(f"{loss_gap:.3g}"), *_rounded([abs(found[0] - found[1]), same])])
    return facts
