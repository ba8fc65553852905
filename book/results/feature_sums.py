"""Films made of features, on MovieLens and on simulated audiences, for the chapter on sums of features."""

from types import SimpleNamespace

import numpy as np
from lightfm import LightFM
from scipy.sparse import csr_array, csr_matrix, eye_array, hstack
from tqdm import tqdm

from utils.data import Split, load_cinema
from utils.evaluation import evaluate
from utils.feature_sums import POOLINGS, add_identity, as_lightfm, build_features, fit_lightfm, pool, represent
from utils.metrics import auc, rank_items, recall_at_k
from utils.similarity import scores

#: Packages besides NumPy, SciPy and scikit-learn whose versions belong to the result.
LIBRARIES = ("lightfm-next",)

#: Name in the file → which features a film has, and how they are put together.
FEATURE_MODELS = {
    "id": (("id",), "sum"),
    "genres": (("genres",), "sum"),
    "all sum": (("id", "genres", "tags"), "sum"),
    "all mean": (("id", "genres", "tags"), "mean"),
    "all sqrt": (("id", "genres", "tags"), "sqrt"),
}

#: What a model is tuned over, one knob after the other and the epochs with each. Each begins with what it is before.
GRID = {
    "learning_rate": (0.05, 0.025, 0.1, 0.2),
    "n_factors": (16, 32),
    "max_sampled": (10, 30),
    "penalty": (0.0, 1e-4),
}
EPOCHS = (10, 20, 40, 60)
MIN_FILMS, K = 5, 10


def compute(movielens, n_seeds=3):
    """Compare films made of ids, genres and tags, each model tuned; one entry a seed.

    A tag counts if it is on at least `MIN_FILMS` films. "settings" were chosen by recall on a fifth of the train of
    the first seed. A seed puts a fifth of the ratings aside; the catalogue is whole. "new" is the AUC among films
    without a rating in train, over the viewers who rated such films, and "enters" the share of the lists of those
    viewers that such a film enters as it is, and with 20 more tags, chosen by lot. "untuned" are recalls at the
    settings with which `GRID` begins and 20 epochs. "later" are recalls of the viewers' last 5 ratings. "nonsense" is
    the share of lists that new films enter with 0, 5 and 20 tags without meaning, after a training in which a third of
    the films each had so many. "new_films" has the AUC of new films by models that were tuned for it, and not for
    recall.
    """
    validation = _split(_split(movielens, 0).train, 1)
    likes, judge = validation.train.to_csr("ones"), _judge_recall(validation)
    settings, tried = {}, {}
    for name in tqdm(FEATURE_MODELS, desc="tuning", unit="model", leave=False):
        rows, pooling = _rows(movielens, name)
        settings[name], tried[name] = tune([(likes, {"item_features": rows}, judge)], pooling=pooling)
    models = {name: [_measure(movielens, name, seed, settings[name]) for seed in range(n_seeds)] for name in settings}
    popularity = [_popularity(movielens, seed) for seed in range(n_seeds)]
    poolings = [name for name in settings if name.startswith("all")]
    last = Split(*movielens.split_last(5))
    usual = {name: values[0] for name, values in GRID.items()} | {"n_epochs": 20}
    untuned = {
        name: [_recall_of(movielens, name, _split(movielens, seed), seed, usual) for seed in range(n_seeds)]
        for name in poolings
    }
    later = {
        name: [_recall_of(movielens, name, last, seed, settings[name]) for seed in range(min(n_seeds, 2))]
        for name in poolings
    }
    new_films = {name: _for_new_films(movielens, validation, name, n_seeds) for name in poolings}
    nonsense = {
        name: [_enter_with_nonsense(movielens, name, seed, settings[name]) for seed in range(min(n_seeds, 2))]
        for name in poolings
    }
    later["popularity"] = round(
        evaluate(_Zeros(movielens), last, K, metrics=["recall"]).rows["recall"].popularity.mean, 4
    )
    n_features = np.diff(film_features(movielens, ("genres", "tags")).indptr)
    facts = {"fewest": int(n_features.min()), "median": float(np.median(n_features)), "most": int(n_features.max())}
    grid = {name: list(values) for name, values in GRID.items()} | {"n_epochs": list(EPOCHS)}
    return {
        "grid": grid,
        "settings": settings,
        "tried": tried,
        "n_features": facts,
        "models": models,
        "popularity": popularity,
        "untuned": untuned,
        "later": later,
        "nonsense": nonsense,
        "new_films": new_films,
    }


def tune(problems, *, grid=GRID, epochs=EPOCHS, **options):
    """Choose one knob after the other, and the epochs with each, by the mean of what some validation splits say.

    Parameters
    ----------
    problems : list of (sparse array, dict, callable)
        Interactions of the train, features of both sides, and what judges a model: more is better.
    **options
        Of `_curve`: loss, pooling, seed.

    Returns
    -------
    settings : dict
        What `fit_lightfm` takes.
    tried : dict
        Knob → for each of its values the best that an epoch had, with the best values of the knobs before.
    """
    curves, best, tried = {}, {name: values[0] for name, values in grid.items()}, {}

    def judge(knobs):
        key = tuple(knobs.values())
        if key not in curves:
            runs = [_curve(*problem, knobs, epochs, **options) for problem in problems]
            curves[key] = np.mean(runs, axis=0)
        return curves[key]

    for name, values in grid.items():
        heights = [judge({**best, name: value}).max() for value in values]
        best[name] = values[int(np.argmax(heights))]
        tried[name] = _rounded(heights)
    curve = judge(best)
    return {**best, "n_epochs": epochs[int(curve.argmax())]}, {**tried, "n_epochs": _rounded(curve)}


def _curve(likes, features, judge, knobs, epochs, *, pooling="sum", loss="warp", seed=0):
    """Judge one model after so many epochs each; they are those that `fit_lightfm` goes through."""
    model = LightFM(
        no_components=knobs["n_factors"],
        loss=loss,
        learning_rate=knobs["learning_rate"],
        max_sampled=knobs.get("max_sampled", 10),
        item_alpha=knobs["penalty"],
        user_alpha=knobs["penalty"],
        random_state=int(np.random.default_rng(seed).integers(2**31)),
    )
    pooled = {side: as_lightfm(pool(rows, pooling)) for side, rows in features.items()}
    data, done, judged = csr_matrix(likes.astype(np.float32)), 0, []
    data.indices, data.indptr = data.indices.astype(np.int32), data.indptr.astype(np.int32)
    for n_epochs in epochs:
        model.fit_partial(data.tocoo(), **pooled, epochs=n_epochs - done)
        done = n_epochs
        judged.append(judge(model, pooled))
    return judged


def _judge_recall(split):
    seen, wanted = split.train.to_csr("ones"), split.test.to_csr("ones").toarray() > 0
    seen = seen.toarray() > 0
    wanted &= ~seen

    def judge(model, pooled):
        rows = pooled["item_features"]
        table = model.user_embeddings @ (rows @ model.item_embeddings).T + rows @ model.item_biases
        table[seen] = -np.inf
        return float(np.nanmean(recall_at_k(rank_items(table, K), wanted)))

    return judge


def film_features(movielens, columns):
    """Return the feature matrix of the films; a tag that is on fewer than `MIN_FILMS` films is left out."""
    facts = [column for column in columns if column != "id"]
    if not facts:
        return csr_array(eye_array(movielens.n_items))
    features, names = movielens.feature_matrix(facts)
    is_tag = np.char.startswith(np.array(names, dtype=str), "tags: ")
    features = features[:, ~is_tag | (np.asarray(features.sum(axis=0)).ravel() >= MIN_FILMS)]
    return add_identity(features) if "id" in columns else features


def _rows(movielens, name):
    columns, pooling = FEATURE_MODELS[name]
    return film_features(movielens, columns), pooling


def _split(events, seed):
    return Split(*events.split_random(0.2, rng=np.random.default_rng(seed)))


def _fit(movielens, name, split, seed, settings):
    rows, pooling = _rows(movielens, name)
    options = {"pooling": pooling, "rng": np.random.default_rng(seed), "progress": False}
    return fit_lightfm(split.train.to_csr("ones"), item_features=rows, **settings, **options)


def _recall_of(movielens, name, split, seed, settings):
    model = _fit(movielens, name, split, seed, settings)
    return round(evaluate(model, split, K, metrics=["recall"], progress=False).rows["recall"].model.mean, 4)


def _measure(movielens, name, seed, settings):
    """Return the measures of one model, for one seed."""
    split = _split(movielens, seed)
    model = _fit(movielens, name, split, seed, settings)
    table = evaluate(model, split, K, metrics=["auc", "precision", "recall", "ndcg", "coverage"], progress=False)
    measures = {metric: round(row.model.mean, 4) for metric, row in table.rows.items()}
    is_new = np.bincount(split.train.items, minlength=movielens.n_items) == 0
    rows = model.item_features[is_new]
    columns = FEATURE_MODELS[name][0]
    if "id" in columns:  # a column of its own that was never trained is noise
        rows = rows.tolil()
        rows[:, : movielens.n_items] = 0
        rows = rows.tocsr()
    wanted = split.test.to_csr("ones")[:, is_new]
    who = wanted.sum(axis=1) > 0
    measures["new"] = round(float(np.nanmean(auc(model.scores_of(item_features=rows), wanted))), 4)
    if "tags" in columns:
        measures["enters"] = _entered(model, split, rows, np.flatnonzero(who), is_new, seed)
    return measures


def _entered(model, split, rows, users, is_new, seed, n_tags=20):
    """Return the share of lists that new films enter, as they are and with so many more tags, chosen by lot."""
    rng, n_columns = np.random.default_rng(seed), rows.shape[1]
    tagged = rows.toarray()
    n_tag_columns = film_features(split.train, ["tags"]).shape[1]
    used = np.asarray(model.item_features[~is_new].sum(axis=0)).ravel() > 0
    tags = np.flatnonzero(used[-n_tag_columns:]) + n_columns - n_tag_columns
    for row in tagged:
        row[rng.choice(tags, n_tags, replace=False)] = 1
    return _shares(model, split, (rows, tagged), users, is_new)


def _shares(model, split, given, users, is_new):
    """Return the share of the lists of some users that new films enter, for each of their feature matrices."""
    seen = split.train.to_csr("ones")[users].toarray() > 0
    table = np.where(seen | is_new, -np.inf, model.scores(users))
    bar = np.sort(table, axis=1)[:, -K][:, None]
    return [round(float((model.scores_of(model.user_features[users], rows) > bar).mean()), 4) for rows in given]


def _for_new_films(movielens, validation, name, n_seeds):
    """Return settings chosen by the AUC of films without a rating in the train, what was tried, and the AUC by seed."""
    rows, pooling = _rows(movielens, name)
    given, wanted, who = _new_films(validation, rows)
    pooled = as_lightfm(pool(given, pooling))

    def judge(model, _):
        table = model.user_embeddings[who] @ (pooled @ model.item_embeddings).T + pooled @ model.item_biases
        return auc(table, wanted).mean()

    problem = (validation.train.to_csr("ones"), {"item_features": rows}, judge)
    settings, tried = tune([problem], pooling=pooling)
    areas = []
    for seed in range(n_seeds):
        split = _split(movielens, seed)
        model = _fit(movielens, name, split, seed, settings)
        given, wanted, who = _new_films(split, rows)
        areas.append(auc(model.scores_of(model.user_features[who], given), wanted).mean())
    return {"settings": settings, "tried": tried, "auc": _rounded(areas)}


def _new_films(split, rows):
    """Return features of films without a rating in the train, who rated which of them, and those viewers."""
    is_new = np.bincount(split.train.items, minlength=split.train.n_items) == 0
    given = rows[is_new].tolil()
    given[:, : split.train.n_items] = 0  # a column of its own that was never trained is noise
    wanted = split.test.to_csr("ones")[:, is_new].toarray() > 0
    who = np.flatnonzero(wanted.any(axis=1))
    return csr_array(given), wanted[who], who


def _enter_with_nonsense(movielens, name, seed, settings, n_tags=(0, 5, 20)):
    split, rng, n_films = _split(movielens, seed), np.random.default_rng(seed), movielens.n_items
    rows, pooling = _rows(movielens, name)
    group = rng.permutation(np.arange(n_films) % 3)
    tagged = csr_array(hstack([rows, _random_tags(np.array(n_tags)[group], rng)]))
    options = {"pooling": pooling, "rng": np.random.default_rng(seed), "progress": False}
    model = fit_lightfm(split.train.to_csr("ones"), item_features=tagged, **settings, **options)
    is_new = np.bincount(split.train.items, minlength=n_films) == 0
    facts = rows[is_new].tolil()
    facts[:, :n_films] = 0
    given = [csr_array(hstack([facts, _random_tags([n] * is_new.sum(), rng)])) for n in n_tags]
    return _shares(model, split, given, np.arange(split.train.n_users), is_new)


def _popularity(movielens, seed):
    table = evaluate(
        _Zeros(movielens), _split(movielens, seed), K, metrics=["auc", "precision", "recall", "ndcg"], progress=False
    )
    return {metric: round(row.popularity.mean, 4) for metric, row in table.rows.items()}


class _Zeros:
    """Scores nothing: only the baseline beside it is wanted."""

    def __init__(self, events):
        self.n_items = events.n_items

    def scores(self, users):
        return np.zeros((len(users), self.n_items))


#: The audiences of the chapter, how many events new films get there, and the measures of its table of losses.
CINEMA = {"n_users": 800}
STEPS = (0, 3, 30)
METRICS = ("auc", "precision", "recall", "ndcg")

#: As `GRID` and `EPOCHS`, for an audience.
CINEMA_GRID = {
    "learning_rate": (0.05, 0.025, 0.1, 0.2),
    "n_factors": (8, 16),
    "max_sampled": (10, 30),
    "penalty": (0.0, 1e-4),
}
CINEMA_EPOCHS = (5, 10, 20, 30)
WITHOUT_DRAWS = {name: values for name, values in CINEMA_GRID.items() if name != "max_sampled"}

#: Name → a loss, how many random negatives an event gets in the data, and what is tuned.
LOSSES = {
    "logistic": ("logistic", 0, WITHOUT_DRAWS),
    "logistic, with negatives": ("logistic", (3, 1, 10), WITHOUT_DRAWS),
    "BPR": ("bpr", 0, WITHOUT_DRAWS),
    "k-OS WARP": ("warp-kos", 0, CINEMA_GRID),
    "WARP": ("warp", 0, CINEMA_GRID),
}


def simulate(n_seeds=3):
    """Repeat the chapter's experiments on audiences whose truth is known; each list has an entry a seed.

    Every model was tuned on a fifth of the train of the first two audiences, by recall; new films and new viewers on
    others that were hidden. "settings" and "tried" go by model.

    "tags" has for each pooling, by 0, 5 and 20 tags without meaning: the length of a film's vector, the share of places
    by the share of events, the share of lists that a new film enters; and the recall. "cold" are AUC and taste of 40
    films that were not trained, by row of the chapter's table, "unseen" the share of their facts that were not trained.
    "viewers" are recall and true affinity of the lists of new viewers. "warming" is the taste by what films are made of
    and by the number of their events; "both by facts" leaves the film's own vector out again. "losses" goes by loss and
    metric; "many_features" is the correlation of mean scores with numbers of features. "dials" are recalls of the
    exercise that turns the dial.
    """
    audiences = [_listen(seed) for seed in range(n_seeds)]
    settings, tried = _tune_all(audiences[:2])
    studies = [_study(audience, settings) for audience in tqdm(audiences, desc="cinema", unit="seed", leave=False)]
    gathered = {name: [study[name] for study in studies] for name in studies[0]}
    grid = {name: list(values) for name, values in CINEMA_GRID.items()} | {"n_epochs": list(CINEMA_EPOCHS)}
    of_all = {"grid": grid, "settings": settings, "tried": tried}
    return {"seeds": list(range(n_seeds)), "options": CINEMA, **of_all, **gathered}


def _tune_all(audiences):
    """Return settings and what was tried, for each model of the chapter."""
    validations = [_split(audience.split.train, 100 + audience.seed) for audience in audiences]

    def problems(rows_of, n_each=0):
        return [
            (_with_negatives(split, n_each), {"item_features": rows_of(audience)}, _judge_recall(split))
            for audience, split in zip(audiences, validations)
        ]

    found = {}
    usual = {"grid": CINEMA_GRID, "epochs": CINEMA_EPOCHS}
    for pooling in tqdm(POOLINGS, desc="tuning poolings", leave=False):
        found[f"tags, {pooling}"] = tune(problems(lambda a: _tags(a)[0]), pooling=pooling, **usual)
        found[f"facts, {pooling}"] = tune(problems(lambda a: a.features), pooling=pooling, **usual)
        if pooling != "sum":  # the sum is the loss WARP
            found[f"both, {pooling}"] = tune(problems(lambda a: add_identity(a.features)), pooling=pooling, **usual)
        for name, result in _tune_cold(audiences, pooling).items():
            found[f"new films, {name}"] = result
    found["identity"] = tune(problems(lambda a: np.eye(a.cinema.n_items)), **usual)
    found["new films, both"] = _tune_cold(audiences, "sum", ("trained facts",), add_identity)["sum, trained facts"]
    for name, (loss, n_each, grid) in tqdm(LOSSES.items(), desc="tuning losses", leave=False):
        tries = []
        for n in n_each or (0,):
            tries.append(
                (*tune(problems(lambda a: add_identity(a.features), n), loss=loss, **{**usual, "grid": grid}), n)
            )
        best = max(tries, key=lambda entry: max(entry[1]["n_epochs"]))
        found[name] = ({**best[0], "n_each": best[2]} if n_each else best[0], best[1])
    for name in ("group", "group, 30% random", "meaningless"):
        found[name] = tune([_viewers_problem(audience, name) for audience in audiences], **usual)
    return ({name: result[part] for name, result in found.items()} for part in (0, 1))


def _study(audience, settings):
    cold, unseen = _serve_new_films(audience, settings)
    losses, many_features = _try_losses(audience, settings)
    return {
        "tags": _add_random_tags(audience, settings),
        "cold": cold,
        "unseen": unseen,
        "viewers": _serve_new_viewers(audience, settings),
        "warming": _warm_up(audience, settings),
        "losses": losses,
        "many_features": many_features,
        "dials": [
            _accuracy(
                _learn(audience, settings[name], add_identity(audience.features), pooling=pooling),
                audience.split,
                ("recall",),
            )[0]
            for name, pooling in (("WARP", "sum"), ("both, sqrt", "sqrt"), ("both, mean", "mean"))
        ],
    }


def _listen(seed):
    cinema, truth = load_cinema(seed, **CINEMA)
    split = Split(*cinema.split_random(0.2, rng=np.random.default_rng(seed)))
    matrix, _ = cinema.feature_matrix(["genres", "director", "country"])
    decades = [f"decade: {year // 10}0s" for year in cinema.item_facts["year"]]
    by_decade = build_features([[decade] for decade in decades], sorted(set(decades)))
    return SimpleNamespace(
        seed=seed,
        cinema=cinema,
        truth=truth,
        split=split,
        likes=split.train.to_csr("ones"),
        features=csr_array(hstack([matrix, by_decade])),
        affinity=truth.affinity(),
        everybody=np.arange(cinema.n_users),
    )


def _learn(audience, settings, features=None, *, likes=None, **options):
    likes = audience.likes if likes is None else likes
    options = {"rng": np.random.default_rng(audience.seed), "progress": False, **options}
    settings = {name: value for name, value in settings.items() if name != "n_each"}
    return fit_lightfm(likes, item_features=features, **settings, **options)


def _accuracy(model, split, metrics):
    table = evaluate(model, split, metrics=metrics, progress=False)
    return [round(row.model.mean, 4) for row in table.rows.values()]


def _rounded(values):
    return np.round(values, 4).tolist()


def _random_tags(counts, rng):
    tags = np.zeros((len(counts), 100))
    for film, n_tags in enumerate(counts):
        tags[film, rng.permutation(100)[:n_tags]] = 1
    return tags


def _tags(audience, n_tags=(0, 5, 20)):
    """Return features with meaningless tags, the third of each film, and features of new films by number of tags."""
    rng, n_films = np.random.default_rng(audience.seed), audience.cinema.n_items
    group = rng.permutation(np.arange(n_films) % 3)
    tagged = csr_array(hstack([audience.features, _random_tags(np.array(n_tags)[group], rng)]))
    return tagged, group, [hstack([audience.features, _random_tags([n] * n_films, rng)]) for n in n_tags]


def _add_random_tags(audience, settings):
    tagged, group, new = _tags(audience)
    events = np.bincount(group[audience.split.train.items])
    result = {}
    for pooling in POOLINGS:
        model = _learn(audience, settings[f"tags, {pooling}"], tagged, pooling=pooling)
        unseen = np.where(audience.likes.toarray() > 0, -np.inf, model.scores(audience.everybody))
        places = np.bincount(group[rank_items(unseen, 10)].ravel(), minlength=3)
        bar = np.sort(unseen, axis=1)[:, -10]
        length = np.linalg.norm(model.item_factors, axis=1)
        result[pooling] = {
            "length": _rounded([length[group == g].mean() for g in range(3)]),
            "surplus": _rounded((places / places.sum()) / (events / events.sum())),
            "enters": _rounded([(model.scores_of(item_features=films) > bar[:, None]).mean() for films in new]),
            "recall": _accuracy(model, audience.split, ("recall",))[0],
        }
    return result


def _taste(table, truth):
    """Return the mean correlation of a viewer's scores with the true liking; equal scores count as 0."""
    a, b = (each - each.mean(axis=1, keepdims=True) for each in (table, truth))
    norms = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    is_flat = norms < 1e-9
    return float(np.where(is_flat, 0, (a * b).sum(axis=1) / np.where(is_flat, 1, norms)).mean())


def _hide_films(audience):
    """Return 40 films to test with, and 40 others to tune with."""
    shown = np.setdiff1d(np.arange(audience.cinema.n_items), audience.truth.cold_items)
    cold = np.random.default_rng(audience.seed).choice(shown, 40, replace=False)
    others = np.random.default_rng(100 + audience.seed).choice(np.setdiff1d(shown, cold), 40, replace=False)
    return cold, others


def _without(cinema, films, hidden=()):
    """Return who watched the films, and all other events, without those of the hidden films."""
    is_cold = np.isin(cinema.items, films)
    wanted = cinema.select(is_cold).to_csr("ones").toarray()[:, films] > 0
    return wanted, cinema.select(~is_cold & ~np.isin(cinema.items, hidden)).to_csr("ones")


def _ways(facts, cold, likes):
    """Return the rows of new films, by how they are served; the first is the one that keeps its biases."""
    trained = (likes.sum(axis=0) > 0).astype(float) @ facts > 0
    return {"as it is": facts[cold], "no bias": facts[cold], "trained facts": facts[cold] * trained}


def _serve(x, e, biases, rows, way, pooling):
    offsets = represent(rows, biases, pooling) if way == "as it is" else 0
    return x @ represent(rows, e, pooling).T + offsets


def _tune_cold(audiences, pooling, ways=("as it is", "trained facts"), wrap=lambda features: features):
    """Tune ways to serve new films, by the AUC of 40 films that neither the train nor the test has."""
    result = {}
    for way in ways:
        problems = []
        for audience in audiences:
            cold, others = _hide_films(audience)
            wanted, likes = _without(audience.cinema, others, hidden=cold)
            facts = audience.features.toarray()
            rows, who = _ways(facts, others, likes)[way], wanted.any(axis=1)
            n = wrap(facts).shape[1] - facts.shape[1]

            def judge(model, pooled, rows=rows, who=who, wanted=wanted, n=n, way=way):
                e, biases = model.item_embeddings[n:], model.item_biases[n:]
                table = _serve(model.user_embeddings, e, biases, rows, way, pooling)
                return auc(table[who], wanted[who]).mean()

            problems.append((likes, {"item_features": wrap(facts)}, judge))
        result[f"{pooling}, {way}"] = tune(problems, grid=CINEMA_GRID, epochs=CINEMA_EPOCHS, pooling=pooling)
    return result


def _serve_new_films(audience, settings):
    cold, _ = _hide_films(audience)
    wanted, likes = _without(audience.cinema, cold)
    facts, truth = audience.features.toarray(), audience.affinity[:, cold]
    ways, who = _ways(facts, cold, likes), wanted.any(axis=1)

    def judge(table):
        table = np.asarray(table, dtype=float)[who]
        return _rounded([auc(table, wanted[who]).mean(), _taste(table, truth[who])])

    history = likes @ facts + 1e-9
    rarity = np.log(len(facts) / np.maximum(facts.sum(axis=0), 1))
    rows = {
        "true affinity": judge(truth),
        "most popular": judge(np.zeros_like(truth)),
        "content only": judge(scores(history, facts[cold], "cosine")),
        "content only, rare facts count more": judge(scores(history * rarity, facts[cold] * rarity, "cosine")),
    }
    for pooling in POOLINGS:
        for way, given in ways.items():
            name = f"{pooling}, {way}"
            tuned = settings[f"new films, {name if way == 'as it is' else f'{pooling}, trained facts'}"]
            fitted = _learn(audience, tuned, facts, likes=likes, pooling=pooling)
            table = _serve(fitted.user_factors, fitted.item_embeddings, fitted.item_feature_biases, given, way, pooling)
            rows[name] = judge(table)
    both = _learn(audience, settings["new films, both"], add_identity(facts), likes=likes)
    rows["sum with identity, trained facts"] = judge(
        both.user_factors @ represent(ways["trained facts"], both.item_embeddings[len(facts) :]).T
    )
    return rows, round(float(1 - ways["trained facts"].sum() / facts[cold].sum()), 4)


def _answers(audience):
    """Return what all viewers answer to each question, the 300 to test with, and 300 others to tune with."""
    rng = np.random.default_rng(audience.seed)
    seen_before = np.setdiff1d(audience.everybody, audience.truth.cold_users)
    new = rng.choice(seen_before, 300, replace=False)
    group = audience.truth.user_groups
    answers = {
        "group": group,
        "group, 30% random": np.where(rng.random(len(group)) < 0.3, rng.integers(6, size=len(group)), group),
        "meaningless": rng.permutation(group),
    }
    others = np.random.default_rng(100 + audience.seed).choice(np.setdiff1d(seen_before, new), 200, replace=False)
    return answers, new, others


def _viewers_problem(audience, name):
    answers, new, others = _answers(audience)
    given, cinema = np.eye(6)[answers[name]], audience.cinema
    is_other = np.isin(cinema.users, others)
    likes = cinema.select(~is_other & ~np.isin(cinema.users, new)).to_csr("ones")
    wanted = cinema.select(is_other).to_csr("ones").toarray()[others] > 0

    def judge(model, pooled):
        table = given[others] @ model.user_embeddings @ model.item_embeddings.T + model.item_biases
        return float(np.nanmean(recall_at_k(rank_items(table, K), wanted)))

    rows = np.eye(cinema.n_items)
    return likes, {"user_features": given, "item_features": rows}, judge


def _serve_new_viewers(audience, settings):
    answers, new, _ = _answers(audience)
    is_new = np.isin(audience.cinema.users, new)
    likes = audience.cinema.select(~is_new).to_csr("ones")
    wanted = audience.cinema.select(is_new).to_csr("ones").toarray()[new]

    def judge(table):
        rows = rank_items(table, K)
        affinity = np.take_along_axis(audience.affinity[new], rows, axis=1).mean()
        return _rounded([np.nanmean(recall_at_k(rows, wanted)), affinity])

    result = {"most popular": judge(np.tile(likes.sum(axis=0), (len(new), 1)))}
    for name, answer in answers.items():
        fitted = _learn(audience, settings[name], likes=likes, user_features=np.eye(6)[answer])
        result[name] = judge(fitted.scores(new))
    return result


def _warm_up(audience, settings):
    cinema, rng = audience.cinema, np.random.default_rng(audience.seed)
    popularity = np.bincount(cinema.items, minlength=cinema.n_items)
    films = rng.choice(np.flatnonzero(popularity >= 40), 30, replace=False)
    is_new = np.isin(cinema.items, films)
    # the place of each event among those of its film, in a random order
    order = rng.permutation(cinema.n_events)
    by_film = order[np.argsort(cinema.items[order], kind="stable")]
    place = np.empty(cinema.n_events, dtype=int)
    place[by_film] = np.arange(cinema.n_events) - np.repeat(np.cumsum(popularity) - popularity, popularity)
    result = {"identity": [], "facts": [], "both": [], "both by facts": []}
    models = {"identity": "identity", "facts": "facts, sum", "both": "WARP"}
    for n_events in STEPS:
        likes = cinema.select(~is_new | (place < n_events)).to_csr("ones")
        trained = (likes.sum(axis=0) > 0).astype(float) @ audience.features > 0
        facts = audience.features.toarray() * trained
        for name, rows in (("identity", np.eye(len(facts))), ("facts", facts), ("both", add_identity(facts))):
            fitted = _learn(audience, settings[models[name]], rows, likes=likes)

            def judge(given, fitted=fitted):
                table = fitted.user_factors @ represent(given, fitted.item_embeddings).T
                return round(_taste(table, audience.affinity[:, films]), 4)

            given = csr_array(rows).toarray()[films]
            without = given.copy()
            without[:, : len(facts)] = 0
            # its own vector is not trained before its first event
            result[name].append(judge(without if n_events == 0 and name != "facts" else given))
            if name == "both":
                result["both by facts"].append(judge(without))
    return result


def _with_negatives(split, n_each):
    """Return the events, and for each of them so many random films that its user has not watched, as -1."""
    likes = split.train.to_csr("ones")
    if not n_each:
        return likes
    dense, rng = likes.toarray(), np.random.default_rng(0)
    users = np.repeat(likes.nonzero()[0], n_each)
    films = rng.integers(dense.shape[1], size=len(users))
    dense[users, films] = np.where(dense[users, films] > 0, 1, -1)
    return csr_array(dense)


def _try_losses(audience, settings):
    rows, result = add_identity(audience.features), {}
    for name, (loss, _, _) in LOSSES.items():
        likes = _with_negatives(audience.split, settings[name].get("n_each", 0))
        fitted = _learn(audience, settings[name], rows, likes=likes, loss=loss)
        result[name] = _accuracy(fitted, audience.split, METRICS)
        if name == "logistic":
            mean_scores = fitted.scores(audience.everybody).mean(axis=0)
            many_features = round(float(np.corrcoef(mean_scores, rows.sum(axis=1))[0, 1]), 4)
    table = evaluate(fitted, audience.split, metrics=METRICS, progress=False)
    result["most popular"] = [round(row.popularity.mean, 4) for row in table.rows.values()]
    return result, many_features
