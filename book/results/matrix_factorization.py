"""How well factors predict stars, of MovieLens and of simulated audiences, for the chapter on matrix factorisation."""

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_array

from utils.als import fit_explicit
from utils.data import load_cinema
from utils.matrix_factorization import fit_sgd, mean_normalise, truncated_svd
from utils.metrics import rank_items, recall_at_k


def compute(movielens, n_seeds=5, n_factors=8, penalties=(0, 2, 4, 8, 16), min_events=5, k=10):
    """Predict stars and choices, for the chapter on matrix factorisation; one entry a seed.

    A seed puts a fifth of the ratings aside. Films with at least `min_events` of the others are the catalogue. For each
    model: the root mean squared error on the ratings put aside, and the recall of the lists of unseen films.
    """
    results = [_matrix_factorization_of_seed(movielens, s, n_factors, penalties, min_events, k) for s in range(n_seeds)]
    settings = {"n_factors": n_factors, "penalties": list(penalties), "min_events": min_events, "k": k}
    return {
        **settings,
        "n_ratings": [result["n_ratings"] for result in results],
        "models": {
            model: {fact: [result["models"][model][fact] for result in results] for fact in ("rmse", "recall")}
            for model in results[0]["models"]
        },
        "curves": {name: [result["curves"][name] for result in results] for name in results[0]["curves"]},
    }


def _matrix_factorization_of_seed(movielens, seed, n_factors, penalties, min_events, k):
    train, test = movielens.split_random(0.2, rng=np.random.default_rng(seed))
    films = np.flatnonzero(np.bincount(train.items, minlength=train.n_items) >= min_events)
    ratings, held_out = (part.to_csr(dtype=np.float64)[:, films] for part in (train, test))
    seen, relevant = ratings.toarray() > 0, held_out.toarray() > 0
    where, stars = relevant.nonzero(), held_out.toarray()[relevant]
    models = {}

    def judge(name, predicted, is_stars=True):
        predicted = np.broadcast_to(predicted, seen.shape)
        lists = rank_items(np.where(seen, -np.inf, predicted), k)
        error = float(np.sqrt(np.mean((predicted[where] - stars) ** 2))) if is_stars else 0.0
        models[name] = {"rmse": round(error, 4), "recall": round(float(np.nanmean(recall_at_k(lists, relevant))), 4)}

    centred, item_means = mean_normalise(ratings)
    judge("popular", seen.sum(axis=0), is_stars=False)
    judge("overall mean", ratings.data.mean())
    judge("item means", item_means)
    judge("SVD, gaps are 0", truncated_svd(ratings.toarray(), n_factors).product())
    judge("SVD, gaps are item means", truncated_svd(centred.toarray(), n_factors).product() + item_means)
    curves = {}
    for d, penalty in [(0, 4), *((n_factors, penalty) for penalty in penalties)]:
        model = fit_sgd(
            ratings,
            d,
            penalty=penalty,
            learning_rate=0.02 * 0.75 ** np.maximum(0, np.arange(25) - 14),
            n_epochs=25,
            rng=np.random.default_rng(seed),
            validation=held_out,
            progress=False,
        )
        judge(f"penalty {penalty}" if d else "mean and biases", model.scores(np.arange(len(seen))))
        if d:
            curves[f"penalty {penalty}"] = model.validation_rmse.round(4).tolist()
    return {"n_ratings": [ratings.nnz, held_out.nnz], "models": models, "curves": curves}


# As in the chapter: fifteen epochs with one learning rate, then it falls; biases need fewer.
RATES = 0.04 * 0.7 ** np.maximum(0, np.arange(22) - 14)
SHORT = RATES[8:]
LONG = 0.05 * 0.85 ** np.maximum(0, np.arange(45) - 22)


def simulate(n_seeds=3):
    """Repeat the chapter's experiments on audiences whose truth is known; each list has an entry a seed.

    Errors are in stars, and of ratings put aside if nothing else is said. "parts" goes by model, from the overall mean
    to 8 factors and biases. "curves" are those of 16 factors, by penalty, from the start to the last epoch. "activity"
    goes by model and by how many ratings are known of a viewer. "grid" goes by number of factors and penalty. "bowls"
    are condition numbers for viewers and films, "epochs" how many small steps need (null: more than 20), both by what
    was subtracted from the stars. "paths" are the final losses of ALS, SGD and L-BFGS, "path_epochs" how many epochs
    the first two need. "gaps" are errors where nobody rated, and how much too high the last is, of viewers who choose
    and of others who rate what they are offered.
    """
    studies = [_study(seed) for seed in range(n_seeds)]
    return {"seeds": list(range(n_seeds)), **{name: [study[name] for study in studies] for name in studies[0]}}


def _study(seed):
    audience = _Audience(seed)
    biases, factors = audience.fit(0, 4, SHORT), audience.fit(8, 4)
    free, held = audience.fit(16, 0), audience.fit(16, 6)
    parts = [
        audience.error(audience.train.data.mean()),
        audience.error(audience.item_means),
        biases.validation_rmse[-1],
        audience.fit(1, 1, SHORT, has_biases=False).validation_rmse[-1],
        audience.fit(1, 6, SHORT).validation_rmse[-1],
        audience.fit(8, 2, has_biases=False).validation_rmse[-1],
        factors.validation_rmse[-1],
    ]
    offered = _Audience(seed, taste_weight=0)
    bowls, epochs = _measure_valley(audience, seed)
    paths, path_epochs = _follow_paths(audience, seed)
    return {
        "parts": _rounded(parts),
        "curves": {
            str(penalty): {"seen": _rounded(model.train_rmse), "aside": _rounded(model.validation_rmse)}
            for penalty, model in ((0, free), (6, held))
        },
        "activity": [_by_activity(audience, model) for model in (biases, free, held)],
        "grid": [[_error_of_als(audience, d, penalty) for penalty in (1, 2, 4, 8, 16)] for d in (2, 8, 24)],
        "bowls": bowls,
        "epochs": epochs,
        "paths": paths,
        "path_epochs": path_epochs,
        "gaps": {
            "choose": _in_the_gaps(audience, biases, factors),
            "are offered": _in_the_gaps(offered, offered.fit(0, 4, SHORT), offered.fit(8, 4)),
        },
    }


class _Audience:
    """A simulated audience, with a fifth of its ratings put aside."""

    def __init__(self, seed, **options):
        cinema, self.truth = load_cinema(seed, **options)
        parts = cinema.split_random(0.2, rng=np.random.default_rng(seed))
        self.train, self.test = (part.to_csr(dtype=np.float64) for part in parts)
        self.seen = self.train.toarray() > 0
        self.where, self.stars = self.test.nonzero(), self.test.data
        self.centred, self.item_means = mean_normalise(self.train)

    def fit(self, n_factors, penalty, rates=RATES, **options):
        return fit_sgd(
            self.train,
            n_factors,
            penalty=penalty,
            learning_rate=rates,
            n_epochs=len(rates),
            rng=np.random.default_rng(0),
            validation=self.test,
            progress=False,
            **options,
        )

    def error(self, predicted):
        return _rmse(np.broadcast_to(predicted, self.seen.shape)[self.where], self.stars)


def _rmse(predicted, actual):
    return float(np.sqrt(np.mean((predicted - actual) ** 2)))


def _rounded(values):
    return np.round(values, 4).tolist()


def _by_activity(audience, model):
    activity = audience.seen.sum(axis=1)[audience.where[0]]
    group = np.digitize(activity, (1, 6, 11, 21, 41, 200)) - 1  # -1: no rating is left
    squares = (model.predict(*audience.where) - audience.stars) ** 2
    return _rounded([np.sqrt(squares[group == g].mean()) for g in range(5)])


def _error_of_als(audience, n_factors, penalty):
    rng = np.random.default_rng(0)
    model = fit_explicit(audience.centred, n_factors, penalty=penalty, n_epochs=12, rng=rng, progress=False)
    return round(audience.error(model.user_factors @ model.item_factors.T + audience.item_means), 4)


def _measure_valley(audience, seed, n_factors=4, penalty=4):
    """Return, by what is subtracted, condition numbers at the minimum, and epochs to come near it by step size."""
    minus_mean = audience.train.copy()
    minus_mean.data -= minus_mean.data.mean()
    bowls, epochs = [], []
    for ratings in (audience.train, minus_mean, audience.centred):
        rng = np.random.default_rng(0)
        valley = fit_explicit(ratings, n_factors, penalty=penalty, n_epochs=40, rng=rng, progress=False)
        sides = (ratings, valley.item_factors), (ratings.T.tocsr(), valley.user_factors)
        bowls.append([round(_bowl(*side, penalty), 4) for side in sides])
        options = {"penalty": penalty, "n_epochs": 20, "has_biases": False, "progress": False}
        epochs.append([])
        for step in (0.02, 0.04):
            walk = fit_sgd(ratings, n_factors, learning_rate=step, rng=np.random.default_rng(seed), **options)
            is_near = walk.losses < 1.05 * valley.losses[-1]
            epochs[-1].append(int(is_near.argmax()) if is_near.any() else None)
    return bowls, epochs


def _bowl(ratings, vectors, penalty):
    rows = np.split(vectors[ratings.indices], ratings.indptr[1:-1])
    grams = np.array([row.T @ row for row in rows if len(row)])
    return float(np.median(np.linalg.cond(grams + penalty * np.eye(vectors.shape[1]))))


def _follow_paths(audience, seed, n_factors=8, penalty=4):
    """Return where ALS, SGD and L-BFGS end from one start, and the epochs of the first two to within 2 %."""
    ratings, rng = audience.centred, np.random.default_rng(seed)
    start = [0.1 * rng.standard_normal((n, n_factors)) for n in ratings.shape]
    for side, vectors in enumerate(start):  # no rating, no vector
        vectors[~audience.seen.any(axis=1 - side)] = 0
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


def _in_the_gaps(audience, biases, factors):
    truth = audience.truth.expected_ratings()
    gaps = (audience.train + audience.test).toarray() == 0
    everybody = np.arange(len(truth))
    tables = np.full_like(truth, audience.train.data.mean()), biases.scores(everybody), factors.scores(everybody)
    return _rounded([*(_rmse(table[gaps], truth[gaps]) for table in tables), (tables[2] - truth)[gaps].mean()])
