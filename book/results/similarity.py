"""Which films fill the lists of each measure, tuned on validation events, for the chapter on similarity."""

from itertools import product
from types import SimpleNamespace

import numpy as np
from scipy.sparse.linalg import svds
from scipy.stats import skew, spearmanr
from tqdm import tqdm

from utils.als import fit_implicit
from utils.data import load_cinema
from utils.data.cinema import ITEM_BIAS_SD
from utils.metrics import rank_items
from utils.similarity import scores

#: Powers of its norm by which the vector of a film is divided: 0 is the inner product, 1 ranks like the cosine.
DIALS = (0, 0.25, 0.5, 0.75, 1)
WAYS = (*DIALS, "euclidean")
#: Which share of the singular values the films get; the inner product does not notice, the others do.
SHARES = (0, 0.5, 1)
SIZES = {"cinema": (2, 4, 8, 16, 32, 64), "movielens": (8, 16, 32, 64, 128)}
ALS_SETTINGS = {
    "cinema": list(product((8, 32), (1, 4), (10, 30, 100))),  # factors, alpha, penalty
    "movielens": list(product((16, 64), (1, 4), (10, 30, 100))),
}
SHRINKAGES = (0, 2, 5, 10, 20, 50, 100)
K = 10


def compute(movielens, n_seeds=5, min_events=5):
    """Measure lists of ten films on MovieLens; a seed chooses the fifth of the ratings that is the test.

    "viewers" is about lists for users, on random splits and on the last five ratings of each, "like" about one list for
    each film. Films with at least `min_events` of the other ratings are the catalogue.
    """
    outer = [movielens.split_random(0.2, rng=np.random.default_rng(seed)) for seed in range(n_seeds)]
    inner = [split.train.split_random(0.2, rng=np.random.default_rng(100 + n)) for n, split in enumerate(outer)]
    last = movielens.split_last(5)
    genres = movielens.feature_matrix("genres")[0].toarray()
    stars = movielens.to_csr(dtype=np.float64)
    n_events = np.diff(stars.tocsc().indptr)
    popular = n_events >= min_events
    mean_stars = stars.sum(axis=0)[popular] / n_events[popular]
    with tqdm(desc="similarity", total=2, leave=False) as bar:
        viewers = _viewers_study("movielens", [(a, None) for a in inner], [(b, None) for b in outer], min_events)
        bar.update()
        in_time = _viewers_study("movielens", [(last.train.split_last(5), None)], [(last, None)], min_events)
        bar.update()
    pairs = [(prepare(split, None, min_events), genres) for split in outer]
    like, hubs = _like_study("movielens", pairs, pairs, _overlaps, halves=True)
    example = _example(pairs[0][0], movielens.item_labels, like["svd"])
    n_films = [len(one.films) for one, _ in pairs]
    return {
        "min_events": min_events,
        "n_films": n_films,
        "median_popularity": [float(np.median(one.popularity)) for one, _ in pairs],
        "quality": round(float(np.corrcoef(np.log(n_events[popular]), mean_stars)[0, 1]), 4),
        "viewers": viewers,
        "in_time": in_time,
        "like": like,
        "neighbours": _neighbours_study(pairs, pairs, _overlaps, halves=True),
        "hubs": hubs,
        "norms": [_norms(one, (8, 32, 128)) for one, _ in pairs],
        "example": example,
    }


def simulate(n_seeds=5, n_tuning_seeds=3):
    """Measure lists of ten films on simulated audiences; the settings of "like" come from audiences of their own."""

    def audience(seed):
        cinema, truth = load_cinema(seed)
        return cinema.split_random(0.2, rng=np.random.default_rng(seed)), truth

    seeds = range(n_seeds)
    outer = [audience(seed) for seed in seeds]
    inner = [
        (split.train.split_random(0.2, rng=np.random.default_rng(100 + seed)), truth)
        for seed, (split, truth) in zip(seeds, outer)
    ]
    others = [audience(seed) for seed in range(n_seeds, n_seeds + n_tuning_seeds)]
    tuning, testing = (
        [(prepare(split, truth), truth.item_factors) for split, truth in pairs] for pairs in (others, outer)
    )
    like, hubs = _like_study("cinema", tuning, testing, _cosines)
    return {
        "seeds": list(seeds),
        "viewers": _viewers_study("cinema", inner, outer, 1),
        "dial": [_dial(prepare(split, truth)) for split, truth in outer],
        "like": like,
        "neighbours": _neighbours_study(tuning, testing, _cosines),
        "hubs": hubs,
        "by_size": _by_size([one for one, _ in testing]),
        "norms": [_norms(one, (4, 8, 16, 32)) for one, _ in testing],
        "dealt": [_dealt(one) for one, _ in testing],
    }


def prepare(split, truth, min_events=1):
    """Return what one split gives: the matrix of ones, what was held out, and what the simulation knows."""
    counts = np.bincount(split.train.items, minlength=split.train.n_items)
    films = np.flatnonzero(counts >= min_events)
    matrix = split.train.to_csr("ones", dtype=np.float64)[:, films]
    held_out = split.test.to_csr(dtype=np.float64)[:, films].toarray()
    users = np.flatnonzero((np.diff(matrix.indptr) > 0) & (held_out > 0).any(axis=1))
    popularity = np.asarray(matrix.sum(axis=0)).ravel()
    tenth = np.empty(len(films), dtype=int)  # 0 for the most popular tenth
    tenth[np.argsort(-popularity, kind="stable")] = np.arange(len(films)) * 10 // len(films)
    made = SimpleNamespace(matrix=matrix, films=films, rows=users, popularity=popularity, tenth=tenth)
    made.seen = matrix[users].toarray() > 0
    made.held_out, made.liked = held_out[users] > 0, held_out[users] >= 4
    made.stars = split.train.to_csr(dtype=np.float64)[:, films]
    if truth is not None:
        z = (truth.popularity - truth.popularity.mean()) / truth.popularity.std()
        made.affinity, made.z = truth.affinity()[users][:, films], z[films]
        made.bias, made.traits = truth.item_bias[films], truth.item_factors[films]
    return made


def learn(matrix, n_factors, share=0.5):
    """Compute a truncated SVD; the films get this share of the singular values."""
    u, s, vt = _svd(matrix, n_factors)
    return u * s ** (1 - share), vt.T * s**share


def _svd(matrix, n_factors):
    start = np.random.default_rng(0).standard_normal(min(matrix.shape))
    u, s, vt = svds(matrix, k=n_factors, v0=start)
    return u[:, ::-1], s[::-1], vt[::-1]


def _models(kind, matrix, wanted=None):
    """Yield each setting and its pair of vectors; strongest direction first, so that a longer SVD holds the shorter."""
    sizes = SIZES[kind]
    u, s, vt = _svd(matrix, max(sizes))
    for d, share in product(sizes, SHARES):
        if wanted is None or ("svd", d, share) in wanted:
            yield ("svd", d, share), u[:, :d] * s[:d] ** (1 - share), vt[:d].T * s[:d] ** share
    for d, alpha, penalty in ALS_SETTINGS[kind]:
        if wanted is None or ("als", d, alpha, penalty) in wanted:
            options = {"alpha": alpha, "penalty": penalty, "n_epochs": 10, "solver": "cg", "progress": False}
            model = fit_implicit(matrix, d, rng=np.random.default_rng(0), **options)
            yield ("als", d, alpha, penalty), model.user_factors, model.item_factors


def tables(queries, items, ways=WAYS):
    """Score by each way: the inner product over a power of the film's norm, or minus half the squared distance."""
    products, norms = queries @ items.T, np.linalg.norm(items, axis=1)
    for way in ways:
        yield way, products - norms**2 / 2 if way == "euclidean" else products / norms**way


def facts_of(one, table):
    """Measure the lists that a table of scores gives the viewers of one split."""
    return _list_facts(one, rank_items(np.where(one.seen, -np.inf, table), K))


def _list_facts(one, lists):
    def recall(relevant):
        found = np.take_along_axis(relevant, lists, axis=1).sum(axis=1)
        total = relevant.sum(axis=1)
        return float((found[total > 0] / total[total > 0]).mean())

    facts = {
        "recall": recall(one.held_out),
        "liked": recall(one.liked),
        "tenths": (np.bincount(one.tenth[lists].ravel(), minlength=10) / lists.size).round(4).tolist(),
        "coverage": len(np.unique(lists)) / len(one.films),
        "median_popularity": float(np.median(one.popularity[lists])),
    }
    if hasattr(one, "affinity"):
        facts["affinity"] = float(np.take_along_axis(one.affinity, lists, axis=1).mean())
        facts["z"] = float(one.z[lists].mean() * ITEM_BIAS_SD)  # in stars, if quality were popularity
        facts["bias"] = float(one.bias[lists].mean())
    return {name: value if name == "tenths" else round(value, 4) for name, value in facts.items()}


def _viewers_study(kind, inner, outer, min_events):
    """Choose a model for each way and each target on validation events, and let it meet the test, by seed.

    "tried" has recall and liked recall of each setting and way on the validation events, means over the seeds.
    """
    tried, settings = [], None
    for split, truth in tqdm(inner, desc="tuning", leave=False):
        one = prepare(split, truth, min_events)
        rows = {
            setting: [
                [facts[target] for target in ("recall", "liked")]
                for _, table in tables(users[one.rows], items)
                for facts in [facts_of(one, table)]
            ]
            for setting, users, items in _models(kind, one.matrix)
        }
        settings = list(rows)
        tried.append(list(rows.values()))
    tried = np.array(tried).mean(axis=0)  # (settings, ways, targets)
    chosen = {}
    for family, (w, way), (t, target) in product(("svd", "als"), enumerate(WAYS), enumerate(("recall", "liked"))):
        own = [n for n, setting in enumerate(settings) if setting[0] == family]
        chosen[family, target, way] = settings[max(own, key=lambda n: tried[n, w, t])]
    found = {key: [] for key in chosen}
    base = {"popular": []} | ({"truth": []} if outer[0][1] is not None else {})
    for split, truth in tqdm(outer, desc="test", leave=False):
        one = prepare(split, truth, min_events)
        for setting, users, items in _models(kind, one.matrix, set(chosen.values())):
            for way, table in tables(users[one.rows], items):
                facts = None
                for key, wanted in chosen.items():
                    if wanted == setting and key[2] == way:
                        facts = facts or facts_of(one, table)
                        found[key].append(facts)
        base["popular"].append(facts_of(one, np.broadcast_to(one.popularity, one.seen.shape)))
        if truth is not None:
            base["truth"].append(facts_of(one, one.affinity))
            base.setdefault("everybody", []).append(float(one.affinity[:, np.argsort(-one.popularity)[:K]].mean()))
    gathered = {"settings": [list(setting) for setting in settings], "tried": tried.round(4).tolist()}
    for family, target in product(("svd", "als"), ("recall", "liked")):
        gathered.setdefault(family, {})[target] = {
            str(way): {"setting": list(chosen[family, target, way][1:]), **_by_fact(found[family, target, way])}
            for way in WAYS
        }
    return gathered | {name: _by_fact(value) if name != "everybody" else value for name, value in base.items()}


def _by_fact(rows):
    return {fact: [row[fact] for row in rows] for fact in rows[0]}


def _dial(one):
    """Return recall, liked recall, mean true affinity and share of the top tenth: (models, dials, facts)."""
    outcome = []
    als = fit_implicit(one.matrix, 8, alpha=4, penalty=30, n_epochs=10, rng=np.random.default_rng(0), progress=False)
    for users, items in (learn(one.matrix, 8), learn(one.matrix, 32), (als.user_factors, als.item_factors)):
        rows = [facts_of(one, table) for _, table in tables(users[one.rows], items, DIALS)]
        outcome.append([[row["recall"], row["liked"], row["affinity"], row["tenths"][0]] for row in rows])
    return outcome


def more_like_this(table):
    """List K films for each film; a film is not in its own list."""
    table = table.copy()
    np.fill_diagonal(table, -np.inf)
    return rank_items(table, K)


def _cosines(traits):
    return scores(traits, traits, "cosine")


def _overlaps(has_genre):
    """Return common genres over all genres of each pair of films."""
    common = has_genre @ has_genre.T
    n_genres = has_genre.sum(axis=1)
    return common / np.maximum(n_genres[:, None] + n_genres - common, 1)


def like_facts(one, likeness, lists, part=slice(None)):
    """Measure the lists below films: how alike, whose places, and how often the most listed film is listed."""
    counts = np.bincount(lists.ravel(), minlength=len(lists))
    return {
        "likeness": round(float(np.take_along_axis(likeness, lists, axis=1)[part].mean()), 4),
        "tenths": (np.bincount(one.tenth[lists].ravel(), minlength=10) / lists.size).round(4).tolist(),
        "skew": round(float(skew(counts)), 4),
        "most": int(counts.max()),
        "never": round(float((counts == 0).mean()), 4),
        "assortative": round(float(spearmanr(one.popularity, one.popularity[lists].mean(axis=1)).statistic), 4),
    }


def _halves(n_films, halves):
    """Return the films below which settings are chosen, and those below which they are measured."""
    if not halves:
        return slice(None), slice(None)
    order = np.random.default_rng(0).permutation(n_films)
    return order[: n_films // 2], order[n_films // 2 :]


def _like_study(kind, tuning, testing, alike, halves=False):
    """Choose the model for each way by how alike the films of a list are, and measure it on other films."""
    ways = (0, 0.5, 1, "euclidean")
    tried, settings = [], None
    for one, facts in tqdm(tuning[:3], desc="like, tuning", leave=False):
        likeness = alike(facts[one.films])
        part, _ = _halves(len(one.films), halves)
        rows = {
            setting: [
                like_facts(one, likeness, more_like_this(table), part)["likeness"]
                for _, table in tables(items, items, ways)
            ]
            for setting, _, items in _models(kind, one.matrix)
        }
        settings = list(rows)
        tried.append(list(rows.values()))
    tried = np.array(tried).mean(axis=0)  # (settings, ways)
    chosen = {}
    for family, (w, way) in product(("svd", "als"), enumerate(ways)):
        own = [n for n, setting in enumerate(settings) if setting[0] == family]
        chosen[family, way] = settings[max(own, key=lambda n: tried[n, w])]
    found, base, hubs = {key: [] for key in chosen}, {"popular": [], "best": []}, []
    for one, facts in tqdm(testing, desc="like", leave=False):
        likeness = alike(facts[one.films])
        _, part = _halves(len(one.films), halves)
        for setting, _, items in _models(kind, one.matrix, set(chosen.values())):
            for way, table in tables(items, items, ways):
                for key, wanted in chosen.items():
                    if wanted == setting and key[1] == way:
                        own = {"own_best": float((table.argmax(axis=1) == np.arange(len(table))).mean().round(4))}
                        found[key].append(like_facts(one, likeness, more_like_this(table), part) | own)
        crowd = np.broadcast_to(one.popularity, likeness.shape)
        base["popular"].append(like_facts(one, likeness, more_like_this(crowd.astype(float)), part))
        base["best"].append(like_facts(one, likeness, more_like_this(likeness.astype(float)), part))
        sizes = (8, 32, 128) if kind == "movielens" else (8, 32, 64)
        hubs.append([])
        for d in sizes:
            items = learn(one.matrix, d)[1]
            hubs[-1].append([like_facts(one, likeness, more_like_this(t), part) for _, t in tables(items, items, ways)])
    gathered = {
        "settings": [list(setting) for setting in settings],
        "tried": tried.round(4).tolist(),
        **{
            family: {
                str(way): {"setting": list(chosen[family, way][1:]), **_by_fact(found[family, way])} for way in ways
            }
            for family in ("svd", "als")
        },
        **{name: _by_fact(rows) for name, rows in base.items()},
    }
    return gathered, [
        [[[w["skew"], w["most"], w["tenths"][0], w["likeness"]] for w in row] for row in one] for one in hubs
    ]


def neighbours(one, shrinkage=0):
    """Return similarities of films that need no model, by name: from counts, and one from stars."""
    n, counts = one.matrix.shape[0], np.asarray(one.matrix.sum(axis=0)).ravel()
    common = (one.matrix.T @ one.matrix).toarray()
    damp = common / np.maximum(common + shrinkage, 1e-12)
    root = np.sqrt(np.outer(counts, counts))
    spread = np.sqrt(counts * (1 - counts / n))
    stars = one.stars.copy()
    stars.data = stars.data - np.repeat(stars.sum(axis=1) / np.maximum(np.diff(stars.indptr), 1), np.diff(stars.indptr))
    adjusted, squares = (stars.T @ stars).toarray(), np.sqrt(stars.multiply(stars).sum(axis=0))
    return {
        "common viewers": common,
        "cosine": common / root * damp,
        "Jaccard": common / (counts[:, None] + counts - common) * damp,
        "Pearson": (common - np.outer(counts, counts) / n) / np.outer(spread, spread) * damp,
        "adjusted cosine": adjusted / np.maximum(np.outer(squares, squares), 1e-12) * damp,
    }


def _neighbours_study(tuning, testing, alike, halves=False):
    """Choose the shrinkage of each similarity, and measure it beside none, as `_like_study`."""
    tried = []
    for one, facts in tqdm(tuning[:3], desc="neighbours, tuning", leave=False):
        likeness, (part, _) = alike(facts[one.films]), _halves(len(one.films), halves)
        tried.append([])
        for shrinkage in SHRINKAGES:
            rows = neighbours(one, shrinkage)
            tried[-1].append([like_facts(one, likeness, more_like_this(t), part)["likeness"] for t in rows.values()])
    tried, names = np.array(tried).mean(axis=0), list(rows)
    best = {name: SHRINKAGES[int(tried[:, n].argmax())] for n, name in enumerate(names)}
    found = {name: {"shrinkage": best[name], "plain": [], "shrunk": []} for name in names}
    for one, facts in tqdm(testing, desc="neighbours", leave=False):
        likeness, (_, part) = alike(facts[one.films]), _halves(len(one.films), halves)
        for shrinkage in {0, *best.values()}:
            for name, table in neighbours(one, shrinkage).items():
                if shrinkage in (0, best[name]):
                    facts_ = like_facts(one, likeness, more_like_this(table), part)
                    row = [facts_["likeness"], facts_["tenths"][0], facts_["skew"]]
                    if shrinkage == best[name]:
                        found[name]["shrunk"].append(row)
                    if shrinkage == 0:
                        found[name]["plain"].append(row)
    return found


def _by_size(ones, sizes=(4, 8, 16, 32)):
    """Return share of the top tenth and likeness: (audiences, sizes, ways, 2)."""
    outcome = []
    for one in ones:
        likeness = _cosines(one.traits)
        outcome.append([])
        for d in sizes:
            items = learn(one.matrix, d)[1]
            rows = [like_facts(one, likeness, more_like_this(t)) for _, t in tables(items, items, (0, 1, "euclidean"))]
            outcome[-1].append([[row["tenths"][0], row["likeness"]] for row in rows])
    return outcome


def _norms(one, sizes):
    """Return the correlation of norm and log popularity: (sizes, shares)."""
    logs = np.log(one.popularity)
    pairs = [[learn(one.matrix, d, share)[1] for share in SHARES] for d in sizes]
    return [[round(float(np.corrcoef(np.linalg.norm(y, axis=1), logs)[0, 1]), 4) for y in row] for row in pairs]


def _dealt(one, n_deals=40):
    """Return the share of the top tenth with the films' own norms, with the same dealt anew, and with true traits."""
    items, rng = learn(one.matrix, 8)[1], np.random.default_rng(0)
    norms = np.linalg.norm(items, axis=1, keepdims=True)

    def share(vectors):
        return float((one.tenth[more_like_this(vectors @ vectors.T)] == 0).mean())

    dealt = [share(items / norms * rng.permutation(norms)) for _ in range(n_deals)]
    return [round(value, 4) for value in (share(items), np.mean(dealt), share(one.traits))]


def _example(one, titles, chosen):
    titles = titles[one.films]
    query = int(np.flatnonzero(np.char.startswith(titles, "Spirited Away"))[0])
    found = {"query": str(titles[query])}
    for way, name in ((0, "dot"), (1, "cosine")):
        items = learn(one.matrix, *chosen[str(way)]["setting"])[1]
        ((_, table),) = tables(items, items, (way,))
        found[name] = titles[more_like_this(table)[query][:5]].tolist()
    return found
