"""How well factors predict stars, of MovieLens and of simulated audiences, for the chapter on matrix factorisation."""

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_array
from tqdm import tqdm

from utils.als import fit_explicit
from utils.data import load_cinema
from utils.matrix_factorization import FactorModel, fit_sgd, mean_normalise, truncated_svd
from utils.metrics import rank_items, recall_at_k

K = 10  # length of the lists

#: What is tried: of each knob these values, one knob after the other, with the first value of those that come later.
MOVIELENS = {
    "penalty": (3, 6, 10, 15, 22),
    "scaled": (0.03, 0.05, 0.07, 0.1, 0.14),
    "n_factors": (32, 8),
    "bias_penalty": (1.5, 3, 6),
    "initial_scale": (0.1, 0.01),
    "rate": (0.02, 0.04, 0.01),
    "n_epochs": 30,
}
CINEMA = {
    "penalty": (2, 4, 6, 8, 11),
    "scaled": (0.05, 0.08, 0.11, 0.15, 0.2),
    "n_factors": (16, 8),
    "bias_penalty": (3, 6, 12),
    "initial_scale": (0.1, 0.01),
    "rate": (0.08, 0.16, 0.04),
    "n_epochs": 40,
}
SVD_SIZES = (1, 2, 4, 8, 16, 32, 64)


def compute(movielens, n_seeds=3, min_events=5, grid=MOVIELENS):
    """Predict stars and choices, for the chapter on matrix factorisation; a list has one entry a seed.

    A seed holds a fifth of the ratings out as the test. Films with at least `min_events` of the others are the
    catalogue. A fifth of the others is the validation, on which the settings of every model are chosen, by the root
    mean squared error ("settings") and by the recall of the lists of unseen films ("list_settings"). With those it is
    fitted anew, on all ratings but the test. "by_count" are the squared errors on the test by how many ratings are
    known of the film, "strangers" the lists for somebody unknown, and "last" the errors on the last ten ratings of each
    viewer, with the settings of the first seed.
    """
    runs = []
    for seed in tqdm(range(n_seeds), desc="matrix_factorization", leave=False):
        split = Split(movielens, seed, min_events)
        facts, tables, models = compare(split, grid)
        runs.append(
            {
                "n_ratings": [split.train.nnz, split.test.nnz],
                "catalogue": split.train.shape[1],
                "models": facts,
                "by_count": {name: _by_count(split, tables[name]) for name in (*BIASES_OR_NOT, "vectors, centred")},
                "strangers": _lists_for_strangers(split, models["two penalties"].item_biases),
            }
        )
    settings = {"seeds": list(range(n_seeds)), "min_events": min_events, "k": K, "grid": _plain(grid), "bins": COUNTS}
    last = _errors_on_last(movielens, runs[0]["models"], min_events)
    return {**settings, **_gather(runs), "last": last}


#: Models whose errors are shown by popularity of the film, and the edges of its groups.
BIASES_OR_NOT = ("mean and biases", "vectors, raw", "two penalties")
COUNTS = [5, 10, 20, 50, 100, 1000]


def falling_rates(rate, n_epochs):
    """Return a learning rate for each epoch: 20 times the same, then each a tenth lower than the one before."""
    return rate * 0.9 ** np.maximum(0, np.arange(n_epochs) - 19)


class Split:
    """Ratings in three parts: to fit, to choose settings by (validation), and to measure what was chosen (test)."""

    def __init__(self, events, seed, min_events=0):
        rng = np.random.default_rng(seed)
        train, test = events.split_random(0.2, rng=rng)
        films = np.flatnonzero(np.bincount(train.items, minlength=train.n_items) >= min_events)
        self.train, self.test = (part.to_csr(dtype=np.float64)[:, films] for part in (train, test))
        is_fitted = rng.random(self.train.nnz) >= 0.2
        self.fitted, self.validation = (_part(self.train, mask) for mask in (is_fitted, ~is_fitted))

    def sides(self, is_final):
        """Return what to fit, and what to measure on."""
        return (self.train, self.test) if is_final else (self.fitted, self.validation)

    def error(self, is_final, table):
        """Return the root mean squared error of a table of predictions."""
        held_out = self.sides(is_final)[1]
        return _rmse(np.broadcast_to(table, held_out.shape)[held_out.nonzero()], held_out.data)

    def recall(self, is_final, table):
        """Return the mean recall of the lists of unseen films that a table of scores gives."""
        ratings, held_out = self.sides(is_final)
        lists = rank_items(np.where(ratings.toarray() > 0, -np.inf, table), K)
        return float(np.nanmean(recall_at_k(lists, held_out.toarray() > 0)))

    def fit(self, is_final, *, rates, n_factors=0, centred=False, initial_scale=0.1, **options):
        """Fit by small steps; a `centred` model has the films' means as its biases, which it does not fit."""
        ratings, held_out = self.sides(is_final)
        item_means = np.zeros(ratings.shape[1])
        if centred:
            ratings, item_means = mean_normalise(ratings)
            held_out = held_out.copy()
            held_out.data -= item_means[held_out.indices]
        rng = np.random.default_rng(0)
        init = [initial_scale * rng.standard_normal((n, n_factors)) for n in ratings.shape]
        options |= {"learning_rate": rates, "n_epochs": len(rates), "init": init, "rng": rng, "progress": False}
        model = fit_sgd(ratings, n_factors, validation=held_out, **options)
        if centred:
            vectors = model.user_factors, model.item_factors
            model = FactorModel(*vectors, item_biases=item_means, validation_rmse=model.validation_rmse)
        return model


def _part(matrix, mask):
    users, items = matrix.nonzero()
    return csr_array((matrix.data[mask], (users[mask], items[mask])), shape=matrix.shape)


def _rmse(predicted, actual):
    return float(np.sqrt(np.mean((predicted - actual) ** 2)))


def _rounded(values):
    return np.round(values, 4).tolist()


def _plain(grid):
    return {name: list(values) if isinstance(values, tuple) else values for name, values in grid.items()}


def _gather(runs):
    """Turn a list of nested dictionaries into one of lists."""
    if not isinstance(runs[0], dict):
        return runs
    return {name: _gather([run[name] for run in runs]) for name in runs[0]}


def tune(split, fixed, knobs, n_epochs):
    """Choose the settings of a model on the validation ratings, fit it anew, and measure it on the test ratings.

    Every knob is turned in its order, with the others where they are best so far. The number of epochs is where the
    curve on the validation ratings is lowest. Returns facts, the model that is best for stars, and the one that is best
    for lists.
    """
    tried = []

    def attempt(settings):
        if settings in [one["settings"] for one in tried]:
            return
        options = {name: value for name, value in settings.items() if name != "rate"}
        try:
            model = split.fit(False, rates=falling_rates(settings["rate"], n_epochs), **fixed, **options)
        except ValueError:  # the steps were too large
            tried.append({"settings": settings, "error": np.inf, "recall": 0.0, "n_epochs": 0})
            return
        curve = model.validation_rmse
        recall = split.recall(False, model.scores(np.arange(model.shape[0])))
        tried.append(
            {"settings": settings, "error": float(curve.min()), "recall": recall, "n_epochs": int(curve.argmin())}
        )

    best = {name: values[0] for name, values in knobs.items()}
    for name, values in knobs.items():
        for value in values:
            attempt(best | {name: value})
        best = min(tried, key=lambda one: one["error"])["settings"]

    def fit_again(one, n_last):
        options = {name: value for name, value in one["settings"].items() if name != "rate"}
        rates = falling_rates(one["settings"]["rate"], n_epochs)[:n_last]
        return split.fit(True, rates=rates, **fixed, **options)

    for_stars = min(tried, key=lambda one: one["error"])
    for_lists = max(tried, key=lambda one: one["recall"])
    model, finder = fit_again(for_stars, for_stars["n_epochs"]), fit_again(for_lists, n_epochs)
    everybody = np.arange(model.shape[0])
    facts = {
        "n_tried": len(tried),
        "settings": for_stars["settings"] | {"n_epochs": for_stars["n_epochs"]},
        "validation": round(for_stars["error"], 4),
        "rmse": round(split.error(True, model.scores(everybody)), 4),
        "recall": round(split.recall(True, model.scores(everybody)), 4),
        "list_settings": for_lists["settings"] | {"n_epochs": n_epochs},
        "best_recall": round(split.recall(True, finder.scores(everybody)), 4),
    }
    return facts, model, finder


def compare(split, grid):
    """Tune each model; return their facts, their predictions of all pairs (of those for lists too), and the models."""
    penalty, sizes, rate = ({name: grid[name]} for name in ("penalty", "n_factors", "rate"))
    scaled, scale = {"penalty": grid["scaled"]}, {"initial_scale": grid["initial_scale"]}
    wanted = {
        "mean and biases": ({}, penalty | rate),
        "vectors, raw": ({"has_biases": False}, penalty | sizes | rate),
        "vectors, centred": ({"has_biases": False, "centred": True}, penalty | sizes | rate),
        "one penalty": ({}, penalty | sizes | rate),
        "no penalty": ({"penalty": 0}, scale | sizes | rate),
        "scaled penalty": ({"penalty_power": 1}, scaled | sizes | rate),
        "two penalties": ({}, None),
    }
    facts, tables, models = {}, {}, {}
    for name, (fixed, knobs) in wanted.items():
        if knobs is None:  # from the best with one penalty on
            start = facts["one penalty"]["settings"]
            knobs = {
                "bias_penalty": grid["bias_penalty"],
                "penalty": [start["penalty"], *grid["penalty"]],
                "n_factors": [start["n_factors"]],
                "rate": [start["rate"]],
            }
        facts[name], models[name], finder = tune(split, fixed, knobs, grid["n_epochs"])
        everybody = np.arange(finder.shape[0])
        tables[name], tables[f"{name}, for lists"] = models[name].scores(everybody), finder.scores(everybody)
    _add_simple_models(split, facts, tables)
    return facts, tables, models


def _add_simple_models(split, facts, tables):
    """Add means, the most popular films, and the SVD with invented ratings in the gaps, its size tuned."""
    train = split.train
    simple = {
        "overall mean": np.full(train.shape, train.data.mean()),
        "item means": np.broadcast_to(mean_normalise(train)[1], train.shape),
        "most popular": np.broadcast_to(np.diff(train.tocsc().indptr), train.shape),
    }
    for name, table in simple.items():
        tables[name] = table
        facts[name] = {"recall": round(split.recall(True, table), 4)}
        if name != "most popular":  # counts are no stars
            facts[name]["rmse"] = round(split.error(True, table), 4)

    def fill_zeros(is_final, d):
        return truncated_svd(split.sides(is_final)[0], d).product()

    def fill_means(is_final, d):
        centred, item_means = mean_normalise(split.sides(is_final)[0])
        return truncated_svd(centred, d).product() + item_means

    for name, predict in (("SVD, zeros", fill_zeros), ("SVD, means", fill_means)):
        tried = [predict(False, d) for d in SVD_SIZES]
        for_stars = SVD_SIZES[int(np.argmin([split.error(False, table) for table in tried]))]
        for_lists = SVD_SIZES[int(np.argmax([split.recall(False, table) for table in tried]))]
        tables[name], tables[f"{name}, for lists"] = predict(True, for_stars), predict(True, for_lists)
        facts[name] = {
            "n_tried": len(SVD_SIZES),
            "settings": {"n_factors": for_stars},
            "rmse": round(split.error(True, tables[name]), 4),
            "recall": round(split.recall(True, tables[name]), 4),
            "list_settings": {"n_factors": for_lists},
            "best_recall": round(split.recall(True, tables[f"{name}, for lists"]), 4),
        }


def _by_count(split, table):
    """Return the error on the test ratings by how many ratings of the film are known."""
    where = split.test.nonzero()
    group = np.digitize(np.diff(split.train.tocsc().indptr)[where[1]], COUNTS) - 1
    squares = (table[where] - split.test.data) ** 2
    return _rounded([np.sqrt(squares[group == g].mean()) for g in range(len(COUNTS) - 1)])


def _lists_for_strangers(split, item_biases):
    """Return the mean of the test ratings of ten films, chosen in three ways, and what the means of the ten promise."""
    _, item_means = mean_normalise(split.train)
    n_ratings = np.diff(split.train.tocsc().indptr)
    test = split.test.tocsc()
    orders = {"item means": item_means, "shrunk biases": item_biases, "most popular": n_ratings}
    found = {}
    for name, order in orders.items():
        ten = rank_items(np.asarray(order, dtype=float)[None, :], K)[0]
        stars = test[:, ten].data
        found[name] = {
            "promised": round(float(item_means[ten].mean()), 4),
            "stars": round(float(stars.mean()), 4),
            "n_test": len(stars),
            "median_ratings": float(np.median(n_ratings[ten])),
        }
    return found


def _errors_on_last(movielens, facts, min_events):
    """Return errors on the last ten ratings of each viewer, of models with settings that are not chosen for them."""
    train, test = movielens.split_last(10)
    films = np.flatnonzero(np.bincount(train.items, minlength=train.n_items) >= min_events)
    split = object.__new__(Split)
    split.train, split.test = (part.to_csr(dtype=np.float64)[:, films] for part in (train, test))
    errors = {}
    kinds = {
        "mean and biases": {},
        "vectors, raw": {"has_biases": False},
        "vectors, centred": {"has_biases": False, "centred": True},
        "two penalties": {},
    }
    for name, fixed in kinds.items():
        options = dict(facts[name]["settings"])
        rates = falling_rates(options.pop("rate"), options.pop("n_epochs"))
        model = split.fit(True, rates=rates, **fixed, **options)
        errors[name] = round(split.error(True, model.scores(np.arange(model.shape[0]))), 4)
    return errors


#: What the chapter's figures show: sizes of the SVD and of the factors, penalties, learning rates, groups of viewers.
RANKS, PENALTIES = (2, 8, 24), (1, 2, 4, 6, 8, 16)
STEPS, PATIENCE = (0.01, 0.02, 0.03, 0.04, 0.06, 0.08), 30
ACTIVITY = (1, 6, 11, 21, 41, 200)
CURVES = {  # name → (penalty, spread of the start)
    "no penalty": (0, 0.1),
    "no penalty, small start": (0, 0.01),
    "penalty 6": (6, 0.1),
}
LONG = 0.05 * 0.85 ** np.maximum(0, np.arange(45) - 22)


def simulate(n_seeds=3, grid=CINEMA):
    """Repeat the chapter's experiments on audiences whose truth is known; each list has an entry a seed.

    Errors are in stars, and of the test ratings if nothing else is said. "models" are as in `compute`. "fills" go by
    what stands in the gaps and by size of the SVD. "curves" are those of 16 factors, from the start to the last epoch.
    "activity" goes by how many ratings are known of a viewer. "grid_of_als" goes by number of factors and penalty.
    "bowls" are condition numbers for viewers and films, "epochs" how many small steps need, by learning rate (null:
    more than 30), both by what was subtracted from the stars. "paths" are the final losses of ALS, SGD and L-BFGS,
    "path_epochs" how many epochs the first two need. "judged" are recall and true stars of lists, "strangers" true
    stars and median number of ratings of lists for somebody unknown. "gaps" are errors where nobody rated, and how much
    too high the last is, of viewers who choose and of others who rate what they are offered.
    """
    runs = [_study(seed, grid) for seed in tqdm(range(n_seeds), desc="matrix_factorization_cinema", leave=False)]
    return {"seeds": list(range(n_seeds)), "k": K, "grid": _plain(grid), **_gather(runs)}


def _study(seed, grid):
    cinema, truth = load_cinema(seed)
    split = Split(cinema, seed)
    facts, tables, models = compare(split, grid)
    model = models["two penalties"]
    bowls, epochs = _measure_valley(split, seed)
    paths, path_epochs = _follow_paths(split, seed)
    curves = {}
    for name, (penalty, scale) in CURVES.items():
        rates = falling_rates(0.04, 40)
        fit = split.fit(True, rates=rates, n_factors=16, penalty=penalty, initial_scale=scale)
        curves[name] = {"seen": _rounded(fit.train_rmse), "held out": _rounded(fit.validation_rmse)}
    offered, offered_truth = load_cinema(seed, taste_weight=0)
    return {
        "models": facts,
        "fills": _fill_gaps(split),
        "curves": curves,
        "activity": {
            name: _by_activity(split, models[name]) for name in ("mean and biases", "no penalty", "two penalties")
        },
        "grid_of_als": [[_error_of_als(split, d, penalty) for penalty in PENALTIES] for d in RANKS],
        "bowls": bowls,
        "epochs": epochs,
        "paths": paths,
        "path_epochs": path_epochs,
        "judged": _judge_lists(split, tables | {"truth": truth.expected_ratings()}, truth),
        "strangers": _lists_by_truth(split, model.item_biases, truth),
        "gaps": {
            "choose": _in_the_gaps(split, truth),
            "are offered": _in_the_gaps(Split(offered, seed), offered_truth),
        },
    }


def _fill_gaps(split):
    """Return the errors of the SVD by what stands in the gaps and by size."""
    _, item_means = mean_normalise(split.train)
    is_known, errors = split.train.toarray() > 0, {}
    for name, invented in (("0", 0), ("overall mean", split.train.data.mean()), ("item means", item_means)):
        svd = truncated_svd(np.where(is_known, split.train.toarray() - invented, 0), max(SVD_SIZES))
        scaled = svd.user_factors * svd.singular_values
        errors[name] = _rounded(
            [split.error(True, invented + scaled[:, :d] @ svd.item_factors[:, :d].T) for d in SVD_SIZES]
        )
    return errors


def _by_activity(split, model):
    where = split.test.nonzero()
    group = np.digitize(np.diff(split.train.indptr)[where[0]], ACTIVITY) - 1  # -1: no rating is left
    squares = (model.predict(*where) - split.test.data) ** 2
    return _rounded([np.sqrt(squares[group == g].mean()) for g in range(len(ACTIVITY) - 1)])


def _error_of_als(split, n_factors, penalty):
    rng = np.random.default_rng(0)
    centred, item_means = mean_normalise(split.train)
    model = fit_explicit(centred, n_factors, penalty=penalty, n_epochs=12, rng=rng, progress=False)
    return round(split.error(True, model.user_factors @ model.item_factors.T + item_means), 4)


def _measure_valley(split, seed, n_factors=4, penalty=4):
    """Return, by what is subtracted, condition numbers at the minimum, and epochs to come near it by step size."""
    minus_mean = split.train.copy()
    minus_mean.data -= minus_mean.data.mean()
    bowls, epochs = [], []
    for ratings in (split.train, minus_mean, mean_normalise(split.train)[0]):
        rng = np.random.default_rng(0)
        valley = fit_explicit(ratings, n_factors, penalty=penalty, n_epochs=40, rng=rng, progress=False)
        sides = (ratings, valley.item_factors), (ratings.T.tocsr(), valley.user_factors)
        bowls.append([round(_bowl(*side, penalty), 4) for side in sides])
        options = {"penalty": penalty, "n_epochs": PATIENCE, "has_biases": False, "progress": False}
        epochs.append([])
        for step in STEPS:
            try:
                walk = fit_sgd(ratings, n_factors, learning_rate=step, rng=np.random.default_rng(seed), **options)
            except ValueError:  # the steps were too large
                epochs[-1].append(None)
                continue
            is_near = walk.losses < 1.05 * valley.losses[-1]
            epochs[-1].append(int(is_near.argmax()) if is_near.any() else None)
    return bowls, epochs


def _bowl(ratings, vectors, penalty):
    rows = np.split(vectors[ratings.indices], ratings.indptr[1:-1])
    grams = np.array([row.T @ row for row in rows if len(row)])
    return float(np.median(np.linalg.cond(grams + penalty * np.eye(vectors.shape[1]))))


def _follow_paths(split, seed, n_factors=8, penalty=4):
    """Return where ALS, SGD and L-BFGS end from one start, and the epochs of the first two to within 2 %."""
    ratings, rng = mean_normalise(split.train)[0], np.random.default_rng(seed)
    start = [0.1 * rng.standard_normal((n, n_factors)) for n in ratings.shape]
    for side, vectors in enumerate(start):  # no rating, no vector
        vectors[np.bincount(split.train.nonzero()[side], minlength=len(vectors)) == 0] = 0
    options = {"penalty": penalty, "rng": rng, "init": start, "progress": False}
    als = fit_explicit(ratings, n_factors, n_epochs=40, **options)
    sgd = fit_sgd(ratings, n_factors, learning_rate=LONG, n_epochs=len(LONG), has_biases=False, **options)
    lbfgs = minimize(
        _loss_and_gradient,
        np.concatenate([vectors.ravel() for vectors in start]),
        (ratings, n_factors, penalty),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 150},
    )
    ends = [float(als.losses[-1]), float(sgd.losses[-1]), float(lbfgs.fun)]
    return _rounded(ends), [int((model.losses < 1.02 * min(ends)).argmax()) for model in (als, sgd)]


def _loss_and_gradient(flat, ratings, d, penalty):
    n_users, n_items = ratings.shape
    x, y = flat[: n_users * d].reshape(n_users, d), flat[n_users * d :].reshape(n_items, d)
    users, items = ratings.tocoo().coords  # what is stored, zeros too
    errors = ratings.data - (x[users] * y[items]).sum(axis=1)
    table = csr_array((errors, (users, items)), shape=ratings.shape)
    gradients = -2 * (table @ y) + 2 * penalty * x, -2 * (table.T @ x) + 2 * penalty * y
    return (errors**2).sum() + penalty * (flat**2).sum(), np.concatenate([side.ravel() for side in gradients])


def _judge_lists(split, tables, truth):
    """Return recall and mean true stars of the lists of each table, over viewers with known and with test ratings."""
    seen, relevant = split.train.toarray() > 0, split.test.toarray() > 0
    stars = truth.expected_ratings()
    active = seen.any(axis=1) & relevant.any(axis=1)
    judged = {}
    for name, table in tables.items():
        lists = rank_items(np.where(seen, -np.inf, table)[active], K)
        true_stars = np.take_along_axis(stars[active], lists, axis=1).mean()
        judged[name] = _rounded([recall_at_k(lists, relevant[active]).mean(), true_stars])
    return judged


def _lists_by_truth(split, item_biases, truth):
    """Return true stars, averaged over all viewers, and median number of ratings of ten films, chosen in some ways."""
    _, item_means = mean_normalise(split.train)
    n_ratings = np.diff(split.train.tocsc().indptr).astype(float)
    expected = truth.expected_ratings().mean(axis=0)
    orders = {
        "item means": item_means,
        "shrunk biases": item_biases,
        "most popular": n_ratings,
        "best possible": np.where(n_ratings > 0, expected, -np.inf),
    }
    lists = {name: rank_items(order[None, :], K)[0] for name, order in orders.items()}
    lists["all films"] = np.flatnonzero(n_ratings)
    return {
        **{name: _rounded([expected[ten].mean(), np.median(n_ratings[ten])]) for name, ten in lists.items()},
        "promised": round(float(item_means[lists["item means"]].mean()), 4),
    }


def _in_the_gaps(split, truth):
    options = {"rates": falling_rates(0.08, 40), "penalty": 6}
    biases, factors = split.fit(True, **options), split.fit(True, n_factors=8, **options)
    stars = truth.expected_ratings()
    gaps = (split.train + split.test).toarray() == 0
    everybody = np.arange(len(stars))
    tables = np.full_like(stars, split.train.data.mean()), biases.scores(everybody), factors.scores(everybody)
    return _rounded([*(_rmse(table[gaps], stars[gaps]) for table in tables), (tables[2] - stars)[gaps].mean()])
