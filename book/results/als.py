"""ALS tuned on MovieLens and on simulated audiences, for the chapter on ALS."""

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

ALPHAS, LAMBDAS, SIZES = (0, 1, 4, 16, 64), (1, 3, 10, 30, 100, 300), (2, 4, 8, 16, 32, 64)
STAGES = (0, 1, 2, 3, 5, 8, 11, 15)
SCALES = (0.01, 0.1, 1)

# Eight settings for each way to predict stars, all with 8 factors.
STAR_LAMBDAS = (0.001, 0.3, 1, 2, 4, 8, 16, 32)
COUNTED_LAMBDAS = (0.01, 0.02, 0.04, 0.07, 0.1, 0.15, 0.2, 0.3)
SGD_SETTINGS = list(product((0.01, 0.03), (0.1,), (2, 4, 8, 16)))  # rate, scale of the start, penalty
FREE_SETTINGS = list(product((0.01, 0.03), (0.01, 0.03, 0.1, 0.35), (0,)))


def compute(movielens, n_seeds=5, n_star_seeds=3):
    """Measure ALS on MovieLens; settings are chosen on events that the test does not touch.

    "lists" are about each user's last rating, "stars" about predicted stars on random splits, an entry a seed,
    "arrivals" about users who come one film at a time, an entry a seed, and "crowds" about the films next to a film.
    """
    split = movielens.split_last()
    return {
        "lists": _lists_study(split, n_seeds),
        "stars": [
            _star_study(movielens, seed, n_sgd=40) for seed in tqdm(range(n_star_seeds), desc="stars", leave=False)
        ],
        "arrivals": [
            _arrival_study(movielens, seed, 100, 30, (0, 4, 16), (10, 30, 100, 300), (16, 64))
            for seed in tqdm(range(n_seeds), desc="arrivals", leave=False)
        ],
        "crowds": _movielens_crowds(split.train),
    }


def _lists_study(split, n_seeds, sizes=(16, 64), n_tuning_seeds=2):
    """Compare 60 settings on the last but one rating of each user, and let the best by mean nDCG meet the last.

    "tuning" goes by number of factors, weight, penalty and seed; "by_weight" has the best setting of each weight,
    "by_epoch" the nDCG of the best setting after more or fewer epochs, on the last but one rating too.
    """
    inner = split.train.split_last()
    grid = list(product(sizes, ALPHAS, LAMBDAS))
    tried = {}
    for setting in tqdm(grid, desc="lists", unit="setting", leave=False):
        tried[setting] = [_measure(inner, seed, *setting)["ndcg"] for seed in range(n_tuning_seeds)]
    best = max(tried, key=lambda setting: np.mean(tried[setting]))
    test = [_measure(split, seed, *best) for seed in range(n_seeds)]
    tuned = [_measure(inner, seed, *best) for seed in range(n_seeds)]
    by_weight = [max((s for s in grid if s[1] == alpha), key=lambda s: np.mean(tried[s])) for alpha in ALPHAS]
    epochs = (3, 5, 10, 20, 40)
    return {
        "sizes": list(sizes),
        "alphas": list(ALPHAS),
        "penalties": list(LAMBDAS),
        "tuning": [[[tried[d, a, p] for p in LAMBDAS] for a in ALPHAS] for d in sizes],
        "best": list(best),
        "by_weight": [list(setting) for setting in by_weight],
        "by_weight_test": [[_measure(split, seed, *s)["ndcg"] for seed in range(n_seeds)] for s in by_weight],
        "epochs": list(epochs),
        "by_epoch": [
            [_measure(inner, seed, *best, n_epochs=n)["ndcg"] for seed in range(n_tuning_seeds)] for n in epochs
        ],
        "tuned": {fact: [one[fact] for one in tuned] for fact in tuned[0]},
        "test": {fact: [one[fact] for one in test] for fact in test[0]},
    }


def _measure(split, seed, n_factors, alpha, penalty, n_epochs=10, k=10):
    ones = split.train.to_csr("ones", dtype=np.float64)
    options = {"alpha": alpha, "penalty": penalty, "n_epochs": n_epochs, "solver": "cg", "progress": False}
    model = fit_implicit(ones, n_factors, rng=np.random.default_rng(seed), **options)
    table = evaluate(model, split, k, metrics=["recall", "ndcg", "coverage"], progress=False)
    return {
        **{name: round(table[name].model.mean, 4) for name in table.rows},
        **{f"{name}_popular": round(table[name].popularity.mean, 4) for name in table.rows},
        **{f"{name}_error": round(table[name].difference.standard_error, 4) for name in ("recall", "ndcg")},
    }


def _star_study(log, seed, n_sgd=80):
    """Tune four ways to predict stars with 8 factors, eight settings each, and measure the best of each on a test.

    A value for each setting is its error on the validation part, at its best epoch for gradient descent. "curve" is
    the error of ALS on the test, by penalty.
    """
    train, test = log.split_random(0.2, rng=np.random.default_rng(seed))
    inner, held = train.split_random(0.2, rng=np.random.default_rng(seed + 100))
    centred, means = mean_normalise(inner.to_csr(dtype=float))
    held = held.to_csr(dtype=float).tocoo()
    left = csr_array((held.data - means[held.col], (held.row, held.col)), shape=centred.shape)
    whole, all_means = mean_normalise(train.to_csr(dtype=float))
    test = test.to_csr(dtype=float).tocoo()

    def off(pair, of, means):
        return float(np.sqrt(np.mean((of.data - means[of.col] - (pair[0][of.row] * pair[1][of.col]).sum(axis=1)) ** 2)))

    def als(matrix, penalty):
        model = fit_explicit(matrix, 8, penalty=penalty, n_epochs=20, rng=np.random.default_rng(seed), progress=False)
        return model.user_factors, model.item_factors

    def counted(matrix, penalty):
        return _fit_counted(matrix, 8, penalty, np.random.default_rng(seed))

    def sgd(matrix, setting, n_epochs, validation=None):
        rate, scale, penalty = setting
        rng = np.random.default_rng(seed)
        start = [scale * rng.standard_normal((n, 8)) for n in matrix.shape]
        options = {"learning_rate": rate, "penalty": penalty, "n_epochs": n_epochs, "init": start, "progress": False}
        return fit_sgd(matrix, 8, has_biases=False, rng=rng, validation=validation, **options)

    found = {
        "means": {"test": off((np.zeros((centred.shape[0], 1)), np.zeros((centred.shape[1], 1))), test, all_means)}
    }
    for name, fit, penalties in (("als", als, STAR_LAMBDAS), ("counted", counted, COUNTED_LAMBDAS)):
        tried = [off(fit(centred, penalty), held, means) for penalty in penalties]
        best = penalties[int(np.argmin(tried))]
        found[name] = {"tried": _rounded(tried), "best": best, "test": off(fit(whole, best), test, all_means)}
    for name, settings in (("sgd", SGD_SETTINGS), ("free", FREE_SETTINGS)):
        curves = np.array([sgd(centred, setting, n_sgd, left).validation_rmse for setting in settings])[:, -n_sgd:]
        best = int(curves.min(axis=1).argmin())
        n_epochs = 1 + int(curves[best].argmin())
        ends = [sgd(whole, settings[best], n) for n in (n_epochs, n_sgd)]
        errors = [off((end.user_factors, end.item_factors), test, all_means) for end in ends]
        found[name] = {"tried": _rounded(curves.min(axis=1)), "best": [*settings[best], n_epochs]}
        found[name] |= {"test": errors[0], "last": round(errors[1], 4)}
    for one in found.values():
        one["test"] = round(one["test"], 4)
    return {**found, "curve": _rounded([off(als(whole, penalty), test, all_means) for penalty in STAR_LAMBDAS])}


def _fit_counted(matrix, n_factors, penalty, rng, n_epochs=20):
    """Fit ratings with a penalty for each row that is multiplied by its number of ratings."""
    items = rng.standard_normal((matrix.shape[1], n_factors)) / np.sqrt(n_factors)
    by_item = matrix.T.tocsr()
    for _ in range(n_epochs):
        users = _counted_half_step(matrix, items, penalty)
        items = _counted_half_step(by_item, users, penalty)
    return users, items


def _counted_half_step(matrix, fixed, penalty):
    n_columns, d = fixed.shape
    counts = np.diff(matrix.indptr)
    ones = csr_array((np.ones(matrix.nnz), matrix.indices, matrix.indptr), shape=matrix.shape)
    products = (fixed[:, :, None] * fixed[:, None, :]).reshape(n_columns, d * d)
    left = (ones @ products).reshape(-1, d, d) + penalty * np.maximum(counts, 1)[:, None, None] * np.eye(d)
    return np.linalg.solve(left, (matrix @ fixed)[:, :, None])[:, :, 0]


def _arrival_study(log, seed, n_newcomers, least, alphas, penalties, sizes, affinity=None):
    """Let newcomers arrive film by film, and measure precision@10 on what they watch after their 15th.

    Settings are chosen with as many other newcomers, by the mean over all numbers of films. "outcome" goes by number of
    films, then fold-in, the most popular, a new fit, and fold-in towards the mean user: precision, and the mean
    affinity of what is listed where it is known.
    """
    counts = np.bincount(log.users, minlength=log.n_users)
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(np.flatnonzero(counts >= least))[: 2 * n_newcomers]
    judged, tuned_on = chosen[:n_newcomers], chosen[n_newcomers:]
    tried = {}
    others = log.select(~np.isin(log.users, chosen)).to_csr("ones", dtype=float)
    for setting in product(sizes, alphas, penalties):
        model = _fit_ones(others, seed, *setting)
        tried[setting] = np.mean(_arrive(log, tuned_on, others, model, seed, *setting, affinity, False), axis=0)[0, 0]
    best = max(tried, key=tried.get)
    others = log.select(~np.isin(log.users, judged)).to_csr("ones", dtype=float)
    model = _fit_ones(others, seed, *best)
    outcome = _arrive(log, judged, others, model, seed, *best, affinity, True)
    return {"tried": _rounded(list(tried.values())), "best": list(best), "outcome": _rounded(outcome)}


def _fit_ones(matrix, seed, n_factors, alpha, penalty):
    options = {"alpha": alpha, "penalty": penalty, "n_epochs": 10, "solver": "cg", "progress": False}
    return fit_implicit(matrix, n_factors, rng=np.random.default_rng(seed), **options)


def _arrive(log, newcomers, others, model, seed, n_factors, alpha, penalty, affinity, is_complete):
    by_time = np.argsort(log.timestamps, kind="stable")
    came = [log.items[by_time][log.users[by_time] == u] for u in newcomers]
    rows = np.arange(len(newcomers))[:, None]
    later = np.zeros((len(newcomers), log.n_items))
    for row, films in enumerate(came):
        later[row, films[15:]] = 1
    popularity, items = others.sum(axis=0), model.item_factors
    mean_user = model.user_factors[np.diff(others.indptr) > 0].mean(axis=0)
    outcome = []
    for n_watched in STAGES:
        so_far = np.zeros(later.shape)
        so_far[rows, np.array([films[:n_watched] for films in came], dtype=int)] = 1
        ways = [fold_in(csr_array(so_far), items, penalty=penalty, alpha=alpha) @ items.T]
        if is_complete:
            table = others.tolil()
            table[newcomers] = so_far
            anew = _fit_ones(csr_array(table), seed, n_factors, alpha, penalty)
            users = _fold_in_towards(mean_user, so_far, items, alpha, penalty)
            ways += [np.broadcast_to(popularity, later.shape), anew.scores(newcomers), users @ items.T]
        judgements = []
        for scores in ways:
            listed = rank_items(np.where(so_far > 0, -np.inf, scores), 10)
            suits = 0 if affinity is None else np.take_along_axis(affinity[newcomers], listed, axis=1).mean()
            judgements.append([np.take_along_axis(later, listed, axis=1).mean(), suits])
        outcome.append(judgements)
    return outcome


def _fold_in_towards(mean_user, so_far, items, alpha, penalty):
    """Fold in with a penalty for the distance from the mean user, in place of the distance from zero."""
    base = items.T @ items + penalty * np.eye(len(mean_user))
    users = np.empty((len(so_far), len(mean_user)))
    for row, watched in enumerate(so_far > 0):
        vectors = items[watched]
        right = (1 + alpha) * vectors.sum(axis=0) + penalty * mean_user
        users[row] = np.linalg.solve(base + alpha * vectors.T @ vectors, right)
    return users


def _movielens_crowds(train, penalties=(1, 10, 100)):
    """Return what `_crowding` finds, by weight and penalty, with 32 factors, among films with five ratings or more."""
    ones, popularity = train.to_csr("ones", dtype=float), np.bincount(train.items, minlength=train.n_items)
    often = np.flatnonzero(popularity >= 5)  # the logarithm of a smaller count is mostly chance
    top = np.isin(often, np.argsort(-popularity, kind="stable")[: len(often) // 10])
    rng = np.random.default_rng(0)
    facts = []
    for alpha in ALPHAS:
        models = [_fit_ones(ones, 0, 32, alpha, penalty) for penalty in penalties]
        facts.append([_crowding(model.item_factors[often], popularity[often], top, rng, 1) for model in models])
    return _rounded(facts)


def simulate(n_seeds=5):
    """Repeat the chapter's experiments on audiences whose truth is known; each list has an entry a seed.

    "largest_rise" is that of the loss in any half-step, as a share. "stars" is as for MovieLens, and "truth" the error
    against the expected ratings of all pairs, by penalty, then that of the means. "recalls" are those of the most
    popular films, and of ALS, on validation events: by weight and penalty with 8 factors, and by number of factors and
    penalty with weight 4; then the best of each weight and of each size on the test. "crowds" are the four numbers of
    the table on crowding. "roads" are the losses of ALS and of gradient descent, the last one with twice the epochs
    ("patient"), the lowest that ALS comes to, and the number of ratings. "starts" are the losses of 15 epochs, the
    ratios of the norms after the first, and the recalls without and with balance. "arrivals" is as for MovieLens.
    "counts" are recalls of viewers with a film that played 300 times, taken as 1, as a count and as its logarithm, each
    with its best setting, then the settings. "overlap" compares two starts after 10 epochs, then after 100: gap of the
    losses, gap of the recalls, and share of the places that are the same.
    """
    studies = [_cinema_of_seed(seed) for seed in tqdm(range(n_seeds), desc="cinema", unit="seed", leave=False)]
    return {"seeds": list(range(n_seeds)), **{name: [study[name] for study in studies] for name in studies[0]}}


def _cinema_of_seed(seed):
    audience = _watch(seed)
    grid = {(alpha, penalty): _fit(audience, seed, alpha, penalty) for alpha in ALPHAS for penalty in LAMBDAS}
    rng = np.random.default_rng(seed)
    on_show, crowds = audience.popularity > 0, []
    for alpha in ALPHAS:
        tables = [grid[alpha, p].item_factors[on_show] for p in (1, 10, 30)]
        crowds.append([_crowding(t, audience.popularity[on_show], audience.is_popular[on_show], rng) for t in tables])
    return {
        "largest_rise": _largest_rise(audience),
        "stars": _star_study(audience.cinema, seed),
        "truth": _true_errors(audience, seed),
        "recalls": _tune_lists(audience, seed),
        "crowds": _rounded(crowds),
        "roads": _roads(audience, seed),
        "starts": _starts(audience, seed),
        "arrivals": _arrival_study(
            audience.cinema, seed, 200, 20, (0, 1, 4, 16), (10, 30, 100, 300), (8,), audience.truth.affinity()
        ),
        "counts": _counts(audience, seed),
        "overlap": _overlap(audience, seed, grid[4, 30]),
    }


def _watch(seed):
    cinema, truth = load_cinema(seed)
    train, test = cinema.split_random(0.2, rng=np.random.default_rng(seed))
    inner, validation = train.split_random(0.2, rng=np.random.default_rng(seed + 100))
    centred, means = mean_normalise(train.to_csr(dtype=float))
    watched = train.to_csr("ones", dtype=float)
    popularity = watched.sum(axis=0)
    tenth = np.argsort(-popularity, kind="stable")[: len(popularity) // 10]
    return SimpleNamespace(
        cinema=cinema,
        truth=truth,
        centred=centred,
        means=means,
        inner=inner.to_csr("ones", dtype=float),
        validation=validation.to_csr("ones"),
        watched=watched,
        held_out=test.to_csr("ones"),
        popularity=popularity,
        is_popular=np.isin(np.arange(len(popularity)), tenth),
    )


def _fit(audience, seed, alpha, penalty, n_factors=8, n_epochs=10, **options):
    how = {"alpha": alpha, "penalty": penalty, "n_epochs": n_epochs, "progress": False, **options}
    return fit_implicit(audience.watched, n_factors, rng=np.random.default_rng(seed), **how)


def _rounded(values, n_digits=4):
    return np.round(values, n_digits).tolist()


def _list(table, scores):
    return rank_items(np.where(table.toarray() > 0, -np.inf, scores), 10)


def _recalls_of(table, held_out, seed, alpha, penalty, n_factors=8, ones=None):
    """Fit a table, and return the recall of each user; films of `ones`, the table if left out, are not listed."""
    how = {"alpha": alpha, "penalty": penalty, "n_epochs": 10, "progress": False}
    model = fit_implicit(table, n_factors, rng=np.random.default_rng(seed), **how)
    ones = table if ones is None else ones
    return recall_at_k(_list(ones, model.user_factors @ model.item_factors.T), held_out)


def _tune_lists(audience, seed):
    inner, validation, watched, held_out = audience.inner, audience.validation, audience.watched, audience.held_out

    def try_all(settings):
        return np.array([np.nanmean(_recalls_of(inner, validation, seed, *setting)) for setting in settings])

    popular = [
        np.nanmean(recall_at_k(_list(table, np.asarray(table.sum(axis=0))), held))
        for table, held in ((inner, validation), (watched, held_out))
    ]
    found = {"popular": _rounded(popular)}
    weights = [[(alpha, penalty) for penalty in LAMBDAS] for alpha in ALPHAS]
    sizes = [[(4, penalty, size) for penalty in LAMBDAS[:5]] for size in SIZES]
    for name, rows in (("weights", weights), ("sizes", sizes)):
        tried = [try_all(row) for row in rows]
        best = [row[one.argmax()] for row, one in zip(rows, tried)]
        test = [np.nanmean(_recalls_of(watched, held_out, seed, *setting)) for setting in best]
        found |= {name: _rounded(tried), f"{name}_best": [one[1] for one in best], f"{name}_test": _rounded(test)}
    return found


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


def _true_errors(audience, seed):
    expected, errors = audience.truth.expected_ratings(), []
    for penalty in STAR_LAMBDAS:
        how = {"penalty": penalty, "n_epochs": 20, "rng": np.random.default_rng(seed), "progress": False}
        model = fit_explicit(audience.centred, 8, **how)
        predicted = audience.means + model.user_factors @ model.item_factors.T
        errors.append(np.sqrt(np.mean((predicted - expected) ** 2)))
    return _rounded([*errors, np.sqrt(np.mean((audience.means - expected) ** 2))])


def _roads(audience, seed, n_epochs=80):
    rng = np.random.default_rng(seed)
    pair = [rng.standard_normal((n, 8)) / np.sqrt(8) for n in audience.centred.shape]
    how = {"penalty": 3, "init": pair, "progress": False}
    models = {"als": fit_explicit(audience.centred, 8, n_epochs=200, rng=None, **how)}
    for name, n in (("sgd", n_epochs), ("patient", 2 * n_epochs)):
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


def _crowding(items, popularity, top, rng, n_dealt=10):
    """Return how norm goes with popularity, and how many places next to a film the most popular tenth holds.

    The correlation of norm and log popularity, the ratio of mean norms, and the share of places by inner product: as it
    is, and with norms dealt at random.
    """
    norms = np.linalg.norm(items, axis=1, keepdims=True)
    facts = [np.corrcoef(norms[:, 0], np.log(popularity))[0, 1], norms[top].mean() / norms[~top].mean()]
    dealt = [items / np.maximum(norms, 1e-12) * rng.permutation(norms) for _ in range(n_dealt)]
    for group in ([items], dealt):
        shares = []
        for vectors in group:
            table = vectors @ vectors.T
            np.fill_diagonal(table, -np.inf)
            shares.append(top[rank_items(table, 10)].mean())
        facts.append(np.mean(shares))
    return facts


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

    def recall(model):
        listed = _list(audience.watched, model.user_factors @ model.item_factors.T)
        return np.nanmean(recall_at_k(listed, audience.held_out))

    return {
        "losses": {name: _rounded(model.losses, 2) for name, (model, _) in followed.items()},
        "ratios": _rounded([followed[f"{scale} exact"][1] for scale in SCALES]),
        "recalls": _rounded([recall(followed[name][0]) for name in ("0.01 exact", "0.01 balanced")]),
    }


def _counts(audience, seed, alphas=(0, 0.25, 1, 4, 16), penalties=(10, 30, 100)):
    """Play one film of a hundred viewers 300 times; tune weight and penalty for three ways to count that."""
    inner, watched = audience.inner, audience.watched
    rng = np.random.default_rng(seed)
    n_seen = np.diff(inner.indptr)
    fans = rng.permutation(np.flatnonzero(n_seen >= 8))[:100]
    films = inner.indices[inner.indptr[fans] + rng.integers(n_seen[fans])]
    recalls, chosen = [], []
    for value in (1, 300, np.log2(301)):
        tables = []
        for ones in (inner, watched):
            table = ones.tolil()
            table[fans, films] = value
            tables.append(csr_array(table))
        tried = {
            s: np.nanmean(_recalls_of(tables[0], audience.validation, seed, *s, ones=inner)[fans])
            for s in product(alphas, penalties)
        }
        best = max(tried, key=tried.get)
        for setting in (best, (4, 30)):
            found = _recalls_of(tables[1], audience.held_out, seed, *setting, ones=watched)
            recalls.append(np.nanmean(found[fans]))
        chosen.append(list(best))
    return {"tuned": _rounded(recalls[::2]), "untuned": _rounded(recalls[1::2]), "best": chosen}


def _overlap(audience, seed, one):
    other = _fit(audience, seed + 100, 4, 30)
    facts = []
    for n_more in (0, 90):
        pairs = [(model.user_factors, model.item_factors) for model in (one, other)]
        models = [_fit(audience, seed, 4, 30, n_epochs=n_more, init=pair) for pair in pairs]
        rows = [_list(audience.watched, model.user_factors @ model.item_factors.T) for model in models]
        found = [np.nanmean(recall_at_k(row, audience.held_out)) for row in rows]
        same = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(*rows)])
        loss_gap = abs(models[0].losses[-1] / models[1].losses[-1] - 1)
        facts.append([float(f"{loss_gap:.3g}"), *_rounded([abs(found[0] - found[1]), same])])
    return facts
