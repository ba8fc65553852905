"""What vectors keep, cut short or held back by a penalty: on MovieLens, and on audiences whose tastes are known."""

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_array
from scipy.stats import kendalltau
from tqdm import tqdm

from utils.als import fit_implicit
from utils.data import load_cinema
from utils.embeddings import cooccurrence, count_directions, nearest_items, principal_angles, procrustes_error
from utils.matrix_factorization import SVD
from utils.metrics import rank_items, recall_at_k
from utils.recommender import recommend
from utils.similarity import scores

# Six settings for each method; ALS tries its penalties at each size.
SIZES = (2, 8, 32, 64, 128, 256)
ALS_SIZES = (8, 32, 128, 256)
PENALTIES = (1, 10, 20, 30, 40, 50)
RIDGES = (10, 30, 100, 200, 300, 1000)  # of EASE
NEIGHBOURS = tuple((n, power) for power in (1, 2) for n in (20, 50, 100))
WEIGHT = 4  # of what was watched, in ALS: the β of the confidence 1 + β
FRACTIONS = (1, 0.5, 0.25, 0.125)

# On cinema the curves are measured more closely.
CINEMA_SIZES = (*range(2, 21), 24, 32, 48, 64, 96, 128)
CINEMA_ALS_SIZES = (2, 10, 32, 128)
TWIN_SIZES = (2, 4, 10, 16, 32, 64, 128)


def compute(movielens, n_seeds=3, min_events=5, min_twins=20):
    """Measure on MovieLens what vectors of each size keep; each list has an entry a seed.

    A seed holds out a fifth of the ratings as the test and a fifth of the others as the validation. Films with at least
    `min_events` of the ratings that are not in the test are the catalogue. A setting is chosen on the validation; then
    the method is fitted again to all that is not in the test. "last" is one study more, whose test and validation are
    the last ten ratings and the ten before. "objectives" compare three losses, `choose_by_loss`.
    """
    studies, last = [], {}
    for seed in tqdm([*range(n_seeds), None], desc="embeddings", unit="seed", leave=False):
        rng = np.random.default_rng(seed or 0)
        if seed is None:
            outer = movielens.split_last(10)
            inner = outer.train.split_last(10)
        else:
            outer = movielens.split_random(0.2, rng=rng)
            inner = outer.train.split_random(0.2, rng=rng)
        films = np.flatnonzero(np.bincount(outer.train.items, minlength=movielens.n_items) >= min_events)
        tables = [part.to_csr("ones", dtype=np.float64)[:, films] for part in (*outer, *inner)]
        study = _tune(*tables, SIZES, ALS_SIZES)
        if seed is None:
            last = study
            continue
        study["n_films"] = len(films)
        study.update(_genres(movielens, films, tables[0].toarray(), _svd(tables[0], max(SIZES))))
        study["n_directions"] = count_directions(tables[0], rng=rng)
        study.update(_twins_of_movielens(tables[0].toarray(), study["als"]["chosen"], min_twins, rng))
        study["amounts"] = _amounts(movielens, seed, min_events, (1, 0.25))
        study["objectives"] = choose_by_loss(*tables, rng=rng)
        studies.append(study)
    named = {name: [study[name] for study in studies] for name in studies[0]}
    settings = {
        "sizes": list(SIZES),
        "als_sizes": list(ALS_SIZES),
        "penalties": list(PENALTIES),
        "ridges": list(RIDGES),
    }
    settings |= {"neighbours": [list(pair) for pair in NEIGHBOURS], "weight": WEIGHT, "fractions": [1, 0.25]}
    return {**settings, "min_events": min_events, "min_twins": min_twins, **named, "last": last}


def simulate(n_seeds=3):
    """Measure the same on audiences whose tastes are known; each list has an entry a seed.

    "svd" and "als" hold, by size, the recall on the test and how much of the true traits the vectors have: the largest
    principal angle (0 where there are fewer dimensions than traits), the Procrustes error and the true likeness of the
    ten nearest. "free" is ALS of 128 factors with the smallest penalty. "twins" are median places, by size, of films
    with ten viewers or more ("often") and fewer ("rare"). "traits" go by number of traits, for three audiences.
    "orders" compare three objectives on catalogues of 8 items, by number of factors and with or without a constant.
    """
    studies = [study_audience(seed) for seed in tqdm(range(n_seeds), desc="cinema", unit="seed", leave=False)]
    traits = {str(n): [_traits(seed, n) for seed in range(3)] for n in (4, 8, 16)}
    settings = {"seeds": list(range(n_seeds)), "sizes": list(CINEMA_SIZES), "als_sizes": list(CINEMA_ALS_SIZES)}
    settings |= {"twin_sizes": list(TWIN_SIZES), "penalties": list(PENALTIES), "ridges": list(RIDGES)}
    settings |= {"neighbours": [list(pair) for pair in NEIGHBOURS], "weight": WEIGHT, "fractions": list(FRACTIONS)}
    named = {name: [study[name] for study in studies] for name in studies[0]}
    return {**settings, **named, "traits": traits, "orders": compare_orders()}


def study_audience(seed):
    """Return what `simulate` says of one audience."""
    cinema, truth = load_cinema(seed)
    rng = np.random.default_rng(seed)
    outer = cinema.split_random(0.2, rng=rng)
    inner = outer.train.split_random(0.2, rng=rng)
    films = np.flatnonzero(np.bincount(outer.train.items, minlength=cinema.n_items))
    tables = [part.to_csr("ones", dtype=np.float64)[:, films] for part in (*outer, *inner)]
    study = _tune(*tables, CINEMA_SIZES, CINEMA_ALS_SIZES)
    train, traits = tables[0], truth.item_factors[films]
    svd = _svd(train, max(CINEMA_SIZES))
    vectors = svd.item_factors * svd.singular_values
    study["svd"]["kept"] = _rounded(np.cumsum(svd.singular_values**2)[np.array(CINEMA_SIZES) - 1] / train.sum())
    study["svd"].update(_compare_all([vectors[:, :d] for d in CINEMA_SIZES], traits))
    chosen = dict(zip(CINEMA_ALS_SIZES, study["als"]["chosen"]))
    models = {d: fit_als(train, d, penalty) for d, penalty in chosen.items()}
    study["als"].update(_compare_all([model.item_factors for model in models.values()], traits))
    study["free"].update(_compare_all([fit_als(train, 128, PENALTIES[0]).item_factors], traits))
    counts = cooccurrence(train).astype(float)
    study["likeness_truth"] = true_likeness(traits, traits)
    study["likeness_counts"] = true_likeness(_without_diagonal(counts), traits)
    study["likeness_columns"] = true_likeness(train.toarray().T, traits)
    study["twins"] = _twins_of_cinema(cinema, chosen, seed)
    without = load_cinema(seed, taste_weight=0)[0]
    study["twins"]["control"] = _control(without, seed)
    study["amounts"] = _amounts(cinema, seed, 1)
    return study


def fit_als(table, n_factors, penalty):
    """Fit implicit ALS as everywhere in this chapter; later epochs change recall by about 0.002."""
    rng, options = np.random.default_rng(0), {"alpha": WEIGHT, "n_epochs": 10, "solver": "cg", "progress": False}
    return fit_implicit(csr_array(table.astype(np.float32)), n_factors, penalty=penalty, rng=rng, **options)


def ease_scores(table, ridge):
    """Return the scores of EASE for what a user has not yet; those of what the user has are not those of EASE."""
    dense = table.toarray()
    n_users, n_items = dense.shape
    if n_items <= n_users:
        inverse = np.linalg.inv(dense.T @ dense + ridge * np.eye(n_items))
        return -dense @ (inverse / inverse.diagonal())
    # The same with a system of the users' size, by the identity of Woodbury.
    solved = np.linalg.solve(dense @ dense.T + ridge * np.eye(n_users), dense)
    return -solved / (1 - (dense * solved).sum(axis=0))


def neighbour_scores(table, n_neighbours, power):
    """Return the sum of a film's cosines, to a power, with those of its nearest films that a user has."""
    dense = table.toarray()
    norms = np.sqrt(np.maximum(dense.sum(axis=0), 1))  # a film may have lost its viewers to the validation
    cosines = _without_diagonal(dense.T @ dense / np.outer(norms, norms)) ** power
    if n_neighbours < len(cosines):
        limits = np.partition(cosines, -n_neighbours, axis=0)[-n_neighbours]
        cosines = np.where(cosines >= limits, cosines, 0)
    return dense @ cosines


def recall(table, train, test):
    """Return the mean recall@10 of a table of scores, over users with something to find."""
    ranked = rank_items(np.where(train.toarray() > 0, -np.inf, table), 10)
    return round(float(np.nanmean(recall_at_k(ranked, test.toarray()))), 4)


def true_likeness(vectors, traits, k=10):
    """Return the mean cosine of the true traits of a film and its k nearest films."""
    nearest = nearest_items(vectors, k)
    return round(float(np.take_along_axis(scores(traits, traits, "cosine"), nearest, axis=1).mean()), 4)


def _tune(train, test, inner, validation, sizes, als_sizes):
    """Return each method's recalls on the validation and, for the chosen settings, on the test."""
    study = {}
    popular = np.broadcast_to(train.sum(axis=0), train.shape)
    study["popular"] = {"test": recall(popular, train, test)}

    def svd_recalls(svd, table, wanted):
        projected = [table @ svd.item_factors[:, :d] @ svd.item_factors[:, :d].T for d in sizes]
        return [recall(each, table, wanted) for each in projected]

    svd = _svd(train, max(sizes))
    study["svd"] = {"validation": svd_recalls(_svd(inner, max(sizes)), inner, validation)}
    study["svd"]["test"] = svd_recalls(svd, train, test)
    study["svd"]["kept"] = _rounded(np.cumsum(svd.singular_values**2)[np.array(sizes) - 1] / train.sum())

    def als_recall(table, wanted, d, penalty):
        model = fit_als(table, d, penalty)
        lists = recommend(model, np.arange(table.shape[0]), 10, exclude=csr_array(table))
        return round(float(np.nanmean(recall_at_k(lists, wanted.toarray()))), 4)

    tried = [[als_recall(inner, validation, d, penalty) for penalty in PENALTIES] for d in als_sizes]
    chosen = [PENALTIES[int(np.argmax(row))] for row in tried]
    on_test = [als_recall(train, test, d, penalty) for d, penalty in zip(als_sizes, chosen)]
    study["als"] = {"validation": tried, "chosen": chosen, "test": on_test}
    study["free"] = {"test": als_recall(train, test, 128, PENALTIES[0])}

    for name, settings, method in (
        ("ease", [(ridge,) for ridge in RIDGES], ease_scores),
        ("neighbours", NEIGHBOURS, neighbour_scores),
    ):
        tried = [recall(method(inner, *setting), inner, validation) for setting in settings]
        chosen = int(np.argmax(tried))
        on_test = recall(method(train, *settings[chosen]), train, test)
        study[name] = {"validation": tried, "chosen": chosen, "test": on_test}
    return study


def _svd(table, n_factors):
    """Return the truncated SVD by LAPACK, which is faster here than ARPACK with many factors."""
    dense = table.toarray() if hasattr(table, "toarray") else table
    u, s, vt = np.linalg.svd(dense, full_matrices=False)
    return SVD(u[:, :n_factors], s[:n_factors], vt[:n_factors].T)


def _compare_all(each, traits):
    """Return the measures against the true traits for several sets of vectors, each scaled to length 1."""
    measured = {"angle": [], "misfit": [], "likeness": []}
    for vectors in each:
        vectors = np.asarray(vectors, dtype=np.float64)
        vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        rank = np.linalg.matrix_rank(vectors)
        if traits.shape[1] <= rank == vectors.shape[1]:
            measured["angle"].append(round(float(np.degrees(principal_angles(vectors, traits)[-1])), 1))
        else:
            measured["angle"].append(0.0)
        measured["misfit"].append(round(procrustes_error(vectors, traits), 4))
        measured["likeness"].append(true_likeness(vectors, traits))
    return measured


def _genres(movielens, films, matrix, svd):
    """Return how much genres overlap with those of the ten nearest films: by size, by counts, and of any two."""
    names = sorted({genre for film in movielens.item_facts["genres"] for genre in film})
    has_genre = np.array([[name in movielens.item_facts["genres"][film] for name in names] for film in films], float)
    common = has_genre @ has_genre.T
    n_genres = has_genre.sum(axis=1)
    overlap = common / np.maximum(n_genres[:, None] + n_genres - common, 1)
    vectors = svd.item_factors * svd.singular_values

    def alike(each):
        return round(float(np.take_along_axis(overlap, nearest_items(each, 10), axis=1).mean()), 4)

    any_two = (overlap.sum() - np.trace(overlap)) / (len(films) * (len(films) - 1))
    by_counts = alike(_without_diagonal(cooccurrence(matrix).astype(float)))
    return {
        "genres": [alike(vectors[:, :d]) for d in SIZES],
        "genres_counts": by_counts,
        "genres_any": round(float(any_two), 4),
    }


def split_in_two(matrix, rng, is_split=None):
    """Deal the viewers of films out at random to two copies of each: first ones, second ones, films that stay whole."""
    is_second = rng.random(matrix.shape) < 0.5
    copies = np.where(is_second, 0, matrix), np.where(is_second, matrix, 0)
    if is_split is None:
        is_split = copies[0].any(axis=0) & copies[1].any(axis=0)
        return np.hstack([copy[:, is_split] for copy in copies])
    return np.hstack([*(copy[:, is_split] for copy in copies), matrix[:, ~is_split]])


def twin_places(vectors, n_twins):
    """Return the place of each film's twin, by cosine: 0 is the nearest of the other films, 1 the farthest."""
    table = scores(vectors[:n_twins], vectors, "cosine")
    twin = table[np.arange(n_twins), np.arange(n_twins) + n_twins]
    return ((table > twin[:, None]).sum(axis=1) - 1) / (len(vectors) - 2)


def _twins_of_movielens(matrix, penalties, min_twins, rng):
    is_split = matrix.sum(axis=0) >= min_twins
    columns = split_in_two(matrix, rng, is_split)
    n_twins = int(is_split.sum())
    svd = _svd(columns, max(SIZES))
    cut = svd.item_factors * svd.singular_values
    held = [fit_als(columns, d, penalty).item_factors for d, penalty in zip(ALS_SIZES, penalties)]

    def place(vectors):
        return round(float(np.median(twin_places(vectors, n_twins))), 4)

    counts = _without_diagonal(cooccurrence(columns).astype(float))
    return {
        "twins_svd": [place(cut[:, :d]) for d in SIZES],
        "twins_als": [place(vectors) for vectors in held],
        "twins_counts": place(counts),
    }


def _twins_of_cinema(cinema, chosen, seed):
    matrix = cinema.to_csr("ones", dtype=np.float64).toarray()
    columns = split_in_two(matrix, np.random.default_rng(seed))
    n_twins = columns.shape[1] // 2
    n_viewers = np.minimum(columns[:, :n_twins].sum(axis=0), columns[:, n_twins:].sum(axis=0))
    svd = _svd(columns, max(TWIN_SIZES))
    cut = svd.item_factors * svd.singular_values
    counts = cooccurrence(columns).astype(float)
    each = {f"svd {d}": cut[:, :d] for d in TWIN_SIZES}
    each |= {f"als {d}": fit_als(columns, d, chosen[d]).item_factors for d in CINEMA_ALS_SIZES}
    each |= {"counts": _without_diagonal(counts), "diagonal": counts, "columns": columns.T}
    found = {"often": {}, "rare": {}}
    for name, vectors in each.items():
        places = twin_places(vectors, n_twins)
        found["often"][name] = round(float(np.median(places[n_viewers >= 10])), 4)
        found["rare"][name] = round(float(np.median(places[n_viewers < 10])), 4)
    return found


def _control(without_taste, seed):
    columns = split_in_two(without_taste.to_csr("ones", dtype=np.float64).toarray(), np.random.default_rng(seed))
    svd = _svd(columns, 10)
    return round(float(np.median(twin_places(svd.item_factors * svd.singular_values, columns.shape[1] // 2))), 4)


def _amounts(events, seed, min_events, fractions=FRACTIONS):
    """Return, for shares of the events, the size that predicts best on the validation, and its recall on the test."""
    found = []
    for fraction in fractions:
        rng = np.random.default_rng(seed)
        train, test = events.split_random(0.2, rng=rng)
        if fraction < 1:
            train = train.split_random(1 - fraction, rng=rng).train
        inner, validation = train.split_random(0.2, rng=rng)
        films = np.flatnonzero(np.bincount(train.items, minlength=events.n_items) >= min_events)
        tables = [part.to_csr("ones", dtype=np.float64)[:, films] for part in (train, test, inner, validation)]
        sizes = [d for d in (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128) if d <= len(films)]
        recalls = []
        svd = _svd(tables[2], max(sizes))
        for d in sizes:
            directions = svd.item_factors[:, :d]
            recalls.append(recall(tables[2] @ directions @ directions.T, tables[2], tables[3]))
        best = sizes[int(np.argmax(recalls))]
        svd = _svd(tables[0], best)
        found.append(
            {
                "n_events": len(train),
                "best": best,
                "recall": recall(svd.product(), tables[0], tables[1]),
            }
        )
    return found


def _traits(seed, n_traits):
    """Return which sizes an audience with so many traits wants: by the truth, by recall, and by the null model."""
    cinema, truth = load_cinema(seed, n_traits=n_traits)
    train, test = cinema.split_random(0.2, rng=np.random.default_rng(seed))
    films = np.flatnonzero(np.bincount(train.items, minlength=cinema.n_items))
    train, test = (part.to_csr("ones", dtype=np.float64)[:, films] for part in (train, test))
    svd = _svd(train, max(CINEMA_SIZES))
    vectors = svd.item_factors * svd.singular_values
    measured = _compare_all([vectors[:, :d] for d in CINEMA_SIZES], truth.item_factors[films])
    projected = [train @ svd.item_factors[:, :d] @ svd.item_factors[:, :d].T for d in CINEMA_SIZES]
    recalls = [recall(each, train, test) for each in projected]
    standing_out = count_directions(cinema.to_csr(), rng=np.random.default_rng(seed))
    by_recall, by_truth = int(np.argmax(recalls)), int(np.argmin(measured["misfit"]))
    return {
        "best_fit": CINEMA_SIZES[by_truth],
        "standing_out": standing_out,
        "best_recall": CINEMA_SIZES[by_recall],
        "likeness_standing_out": measured["likeness"][CINEMA_SIZES.index(standing_out)],
        "likeness_recall": measured["likeness"][by_recall],
        "misfit": measured["misfit"][by_truth],
    }


def pointwise(s, n):
    """Return the squared error of the scores of items that were chosen n times each, and its gradient."""
    return ((s - n) ** 2).sum(), 2 * (s - n)


def pairwise(s, n):
    """Return the logistic loss over all pairs of a chosen item and another, and its gradient; for few items."""
    gaps = s - s[:, None]
    blame = n[:, None] / (1 + np.exp(-gaps))
    return (n[:, None] * np.logaddexp(0, gaps)).sum(), blame.sum(axis=0) - blame.sum(axis=1)


def listwise(s, n):
    """Return the cross-entropy of the softmax of the scores, and its gradient."""
    log_shares = s - np.logaddexp.reduce(s)
    return -(n * log_shares).sum(), n.sum() * np.exp(log_shares) - n


LOSSES = {"pointwise": pointwise, "pairwise": pairwise, "listwise": listwise}


def best_scores(loss, items, n):
    """Return the scores of the items for the user vector with the smallest loss."""
    basis = np.linalg.qr(items)[0]  # the same scores, well conditioned

    def of_user(q):
        value, gradient = loss(basis @ q, n)
        return value, basis.T @ gradient

    return basis @ minimize(of_user, np.zeros(basis.shape[1]), jac=True, options={"gtol": 1e-8}).x


def compare_orders(n_trials=100, factors=(1, 2, 4, 6, 7, 8), seed=0):
    """Return how three losses order 8 items with random vectors: Kendall's τ, same winner, all places alike."""
    rng, counts = np.random.default_rng(seed), np.array([40.0, 20, 13, 10, 8, 7, 6, 5])
    pairs = [("pointwise", "pairwise"), ("pointwise", "listwise"), ("pairwise", "listwise")]
    found = {kind: {" ".join(p): {"tau": [], "winner": []} for p in pairs} for kind in ("plain", "constant")}
    same = {kind: [] for kind in found}
    draws = [(rng.standard_normal((8, 8)), rng.permutation(counts)) for _ in range(n_trials)]
    for d in factors:
        for kind, constant in (("plain", np.zeros((8, 0))), ("constant", np.ones((8, 1)))):
            fitted = [
                {name: best_scores(loss, np.hstack([items[:, :d], constant]), n) for name, loss in LOSSES.items()}
                for items, n in draws
            ]
            for one, other in pairs:
                taus = [kendalltau(each[one], each[other]).statistic for each in fitted]
                winners = [each[one].argmax() == each[other].argmax() for each in fitted]
                found[kind][f"{one} {other}"]["tau"].append(round(float(np.mean(taus)), 4))
                found[kind][f"{one} {other}"]["winner"].append(round(float(np.mean(winners)), 4))
            orders = [{tuple(np.argsort(-s)) for s in each.values()} for each in fitted]
            same[kind].append(round(float(np.mean([len(each) == 1 for each in orders])), 4))
    return {"n_trials": n_trials, "factors": list(factors), **found, "same": same}


def choose_by_loss(train, test, inner, validation, *, rng, n_factors=32, n_users=60):
    """Give some users of MovieLens the best vector for each loss, penalised, and compare their lists.

    The film vectors are fixed: the SVD's, each direction times the root of its singular value. Of users with 20 to 100
    ratings, some are drawn. The penalty of each loss is chosen on the validation, by mean recall.
    """
    n_rated = train.sum(axis=1)
    users = rng.choice(np.flatnonzero((n_rated >= 20) & (n_rated <= 100)), n_users, replace=False)
    ridges = (0.0001, 0.001, 0.01, 0.1, 1, 10)

    svds = {id(table): _svd(table, n_factors) for table in (train, inner)}

    def fit(table, name, ridge):
        svd = svds[id(table)]
        items = svd.item_factors * np.sqrt(svd.singular_values)
        return np.array([_penalised(name, items, table[[user]].toarray()[0], ridge) @ items.T for user in users])

    tuned, tables, chosen = {}, {}, {}
    for name in LOSSES:
        tuned[name] = [recall(fit(inner, name, ridge), inner[users], validation[users]) for ridge in ridges]
        chosen[name] = ridges[int(np.argmax(tuned[name]))]
        tables[name] = np.where(train[users].toarray() > 0, -np.inf, fit(train, name, chosen[name]))
    lists = {name: rank_items(table, 10) for name, table in tables.items()}
    result = {"ridges": list(ridges), "validation": tuned, "chosen": chosen}
    result["test"] = {name: recall(table, train[users], test[users]) for name, table in tables.items()}
    for one, other in (("pointwise", "pairwise"), ("pointwise", "listwise"), ("pairwise", "listwise")):
        unseen = [np.isfinite(row) for row in tables[one]]
        taus = [kendalltau(a[m], b[m]).statistic for a, b, m in zip(tables[one], tables[other], unseen)]
        common = [len(set(a) & set(b)) / 10 for a, b in zip(lists[one], lists[other])]
        result[f"{one} {other}"] = {
            "tau": round(float(np.mean(taus)), 4),
            "winner": round(float(np.mean(lists[one][:, 0] == lists[other][:, 0])), 4),
            "common": round(float(np.mean(common)), 4),
        }
    return result


def _penalised(name, items, has, ridge):
    """Return the user vector with the smallest mean loss plus ridge times its squared length, up to a scale."""
    chosen = has > 0
    others = items[~chosen]

    def of_user(q):
        s = items @ q
        if name == "pairwise":  # chosen against not chosen alone: between equals there is nothing to win
            gaps = (others @ q) - s[chosen][:, None]
            share = 1 / (1 + np.exp(-gaps)) / gaps.size
            value = np.logaddexp(0, gaps).mean()
            gradient = share.sum(axis=0) @ others - share.sum(axis=1) @ items[chosen]
        else:
            value, slope = LOSSES[name](s, has)
            value, gradient = value / chosen.sum(), items.T @ slope / chosen.sum()
        return value + ridge * q @ q, gradient + 2 * ridge * q

    return minimize(of_user, np.zeros(items.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 60}).x


def _without_diagonal(table):
    return table - np.diag(table.diagonal())


def _rounded(values):
    return [round(float(value), 4) for value in values]
