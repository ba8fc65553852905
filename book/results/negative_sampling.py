"""What each sampler teaches once it is tuned, on MovieLens and on simulated audiences, for the chapter on negatives.

A comparison has two steps. The settings of each side are chosen on events that no later number is about: on a
validation split of MovieLens, and on an audience of its own. What was chosen is then measured on other splits and on
other audiences.
"""

from functools import cache
from itertools import product
from types import SimpleNamespace

import numpy as np
from scipy.sparse import csr_array
from scipy.stats import rankdata, spearmanr
from tqdm import tqdm

from utils.data import Interactions, load_cinema
from utils.embeddings import nearest_items
from utils.item2vec import fit_gensim
from utils.metrics import rank_items, recall_at_k
from utils.negative_sampling import (
    HardSampler,
    InBatchSampler,
    PopularitySampler,
    UniformSampler,
    false_negative_probability,
    false_negative_rate,
)
from utils.recommender import HistoryRecommender
from utils.sampled_softmax import fit_softmax

#: Packages besides NumPy, SciPy and scikit-learn whose versions belong to the result.
LIBRARIES = ("gensim",)

POWERS = (0, 0.25, 0.5, 0.75, 1)

#: What each sampler is tuned over: factors, learning rate, penalty. The epoch is chosen among these of each fit.
MOVIELENS_EPOCHS, EPOCHS = (5, 10, 20), (5, 10, 20, 30)
MOVIELENS_GRID = ((16, 0.1, 0.05), (16, 0.1, 0.1), (16, 0.1, 0.2), (16, 0.2, 0.1), (48, 0.1, 0.2))
FULL = [16, 0.1, 0.1, 10]  # the full softmax, which takes minutes, is not tuned
CINEMA_GRID = tuple(product((9, 18), (0.1, 0.3), (0.02, 0.06, 0.2)))

#: Of the audience on which settings are chosen.
TUNING_SEED = 5


def compute(movielens, n_seeds=3, min_events=5, k=10):
    """Train one model with each sampler, each with its own settings, and count accidental hits.

    Films with at least `min_events` ratings of the training part are the catalogue. "validation" has, by sampler, the
    recall of each setting of the grid (rows) after each number of epochs (columns), on a fifth of the training ratings
    of seed 0. "chosen" has the best setting: factors, rate, penalty, epochs. "models" has by test split recall, the
    share of the top tenth, and "liked": the chance that a held-out film of 4 stars or more is scored above one of the
    same user's with fewer; of hard negatives the shares that are known and held out, too. "sgns" goes by power: recall
    by cosine and by inner product with context vectors. "quality" is Spearman's correlation of mean rating and
    popularity, over films with 20 ratings or more.
    """
    train = movielens.split_random(0.2, rng=np.random.default_rng(0)).train
    inner = _catalogue(train.split_random(0.2, rng=np.random.default_rng(100)), min_events)
    outer = [
        _catalogue(movielens.split_random(0.2, rng=np.random.default_rng(seed)), min_events) for seed in range(n_seeds)
    ]
    popular = [_judge_ratings(world, np.broadcast_to(world.popularity, world.is_seen.shape), k) for world in outer]
    validation, chosen, models = {}, {}, {"popularity": _by_fact(popular)}
    for name in tqdm(_samplers(inner), desc="negative_sampling", leave=False):
        if name == "full softmax":
            chosen[name] = FULL
        else:
            validation[name] = _tune(inner, name, k)
            chosen[name] = _best(validation[name], MOVIELENS_GRID, MOVIELENS_EPOCHS)
        models[name] = _by_fact([_judge_sampler(w, seed, name, chosen[name], k) for seed, w in enumerate(outer)])
    return {
        "grid": [list(setting) for setting in MOVIELENS_GRID],
        "epochs": list(MOVIELENS_EPOCHS),
        "min_events": min_events,
        "k": k,
        "powers": list(POWERS),
        "n_films": [len(world.popularity) for world in outer],
        "n_events": [len(world.users) for world in outer],
        "validation": validation,
        "chosen": chosen,
        "models": models,
        "sgns": _sgns(movielens),
        "known": [[_chance(world, power, world.seen) for power in POWERS] for world in outer],
        "hidden": [[_chance(world, power, world.held_out, exclude=world.seen) for power in POWERS] for world in outer],
        "quality": _quality(movielens),
    }


def _catalogue(split, min_events):
    """Return a split whose films are those with enough ratings in its first part."""
    first, second = split
    counts = np.bincount(first.items, minlength=first.n_items)
    films = np.flatnonzero(counts >= min_events)
    seen, held_out = (part.to_csr("ones", dtype=np.float64)[:, films] for part in split)
    is_kept = np.isin(first.items, films)
    users, items = first.users[is_kept], np.searchsorted(films, first.items[is_kept])
    return SimpleNamespace(
        events=_make_events(users, items, seen.shape),
        users=users,
        items=items,
        popularity=counts[films],
        seen=seen,
        is_seen=seen.toarray() > 0,
        held_out=held_out,
        stars=second.to_csr(dtype=np.float64)[:, films],
    )


def _samplers(world):
    """Return by name what draws, and what is subtracted from the scores."""
    n_items = len(world.popularity)
    uniform, in_batch = UniformSampler(n_items), InBatchSampler()
    power = {power: PopularitySampler(world.popularity, power) for power in POWERS}
    careful = PopularitySampler(world.popularity, 0.75, exclude=world.seen)
    careful_uniform = UniformSampler(n_items, exclude=world.seen)
    return {
        "uniform": (uniform, None),
        **{f"power {p}": (power[p], None) for p in power if p != 0},
        "in-batch": (in_batch, None),
        **{f"hard {h}": (HardSampler(uniform, None, h), None) for h in (2, 4, 8, 16)},
        "power 0.75, corrected": (power[0.75], power[0.75].log_noise),
        "in-batch, corrected": (in_batch, power[1].log_noise),
        "uniform, no hits": (careful_uniform, None),
        "power 0.75, no hits": (careful, None),
        "full softmax": (None, None),
    }


def _fit(world, sampler, log_q, seed, n_factors, rate, penalty, n_epochs, **options):
    return fit_softmax(
        world.events,
        n_factors,
        sampler=sampler,
        log_probabilities=log_q,
        learning_rate=rate,
        penalty=penalty,
        n_epochs=n_epochs,
        rng=np.random.default_rng(seed),
        progress=False,
        **options,
    )


def _judge_sampler(world, seed, name, setting, k):
    sampler, log_q = _samplers(world)[name]
    tables = _fit(world, sampler, log_q, seed, *setting)
    found = _judge_ratings(world, tables.scores(np.arange(len(world.is_seen))), k)
    if isinstance(sampler, HardSampler):  # what the trained model would draw next
        rng = np.random.default_rng(seed)
        batch = rng.integers(len(world.users), size=4096)
        who, what = world.users[batch], world.items[batch]
        drawn = HardSampler(sampler.base, tables.score, sampler.n_candidates).sample(who, what, 5, rng=rng)
        for fact, kind in (("known", world.seen), ("held_out", world.held_out)):
            found[fact] = round(float(false_negative_rate(drawn, who, kind)), 4)
    return found


def _tune(world, name, k):
    """Return the recalls, a row a setting and a column an epoch."""
    rows = []
    for setting in MOVIELENS_GRID:
        row = []

        def note(epoch, tables, row=row):
            if epoch in MOVIELENS_EPOCHS:
                row.append(_judge_ratings(world, tables.scores(np.arange(len(world.is_seen))), k, False)["recall"])

        _fit(world, *_samplers(world)[name], 0, *setting, MOVIELENS_EPOCHS[-1], callback=note)
        rows.append(row)
    return rows


def _best(values, grid, epochs=EPOCHS):
    """Return the setting and the epoch of the highest value."""
    row, column = np.unravel_index(np.argmax(values), np.shape(values))
    return [*grid[row], epochs[column]]


def _judge_ratings(world, table, k, all_facts=True):
    ranked = rank_items(np.where(world.is_seen, -np.inf, table), k)
    found = {"recall": round(float(np.nanmean(recall_at_k(ranked, world.held_out))), 4)}
    if all_facts:
        top = np.argsort(-world.popularity, kind="stable")[: len(world.popularity) // 10]
        found["tenth"] = round(float(np.isin(ranked, top).mean()), 4)
        found["liked"] = round(_liked(world.stars, table), 4)
    return found


def _liked(stars, table):
    """Return how often a held-out film of 4 stars or more is scored above one with fewer; the mean over users."""
    values = []
    for user in range(stars.shape[0]):
        stored = slice(stars.indptr[user], stars.indptr[user + 1])
        is_liked = stars.data[stored] >= 4
        n_liked, n_others = is_liked.sum(), (~is_liked).sum()
        if n_liked and n_others:
            ranks = rankdata(table[user, stars.indices[stored]])
            values.append((ranks[is_liked].sum() - n_liked * (n_liked + 1) / 2) / (n_liked * n_others))
    return float(np.mean(values))


def _by_fact(rows):
    return {fact: [row[fact] for row in rows] for fact in rows[0]}


def _chance(world, power, positives, **options):
    noise = PopularitySampler(world.popularity, power).noise
    return round(float(false_negative_probability(noise, positives, **options)[world.users].mean()), 5)


def _quality(movielens, min_events=20):
    counts = np.bincount(movielens.items, minlength=movielens.n_items)
    means = np.bincount(movielens.items, movielens.values, minlength=movielens.n_items) / np.maximum(counts, 1)
    often = counts >= min_events
    return round(float(spearmanr(means[often], counts[often])[0]), 3)


#: Skip-gram with negative sampling: power of the noise, and what each is tuned over (negatives, epochs).
SGNS_POWERS = (0, 0.75, 1)
SGNS_GRID = ((5, 15), (20, 15))


def _sgns(movielens, n_seeds=2):
    """Return by way to score the recalls of each power: validation by setting, and test by seed with the best one."""
    splits = [movielens.split_random(0.2, rng=np.random.default_rng(seed)) for seed in range(n_seeds)]
    inner = splits[0].train.split_random(0.2, rng=np.random.default_rng(100))

    @cache
    def test(seed, power, *setting):
        return recalls(splits[seed], seed, power, *setting)

    def recalls(split, seed, power, n_negatives, n_epochs):
        fitted = fit_gensim(
            split.train.sessions(np.inf),
            n_factors=32,
            window=5,
            n_epochs=n_epochs,
            n_negatives=n_negatives,
            noise_power=power,
            rng=np.random.default_rng(seed),
            progress=False,
        )
        seen, held_out = (part.to_csr("ones", dtype=np.float64) for part in split)
        found = {}
        for way in ("cosine", "inner"):
            table = HistoryRecommender(fitted, split.train, way).scores(np.arange(seen.shape[0]))
            ranked = rank_items(np.where(seen.toarray() > 0, -np.inf, table), 10)
            found[way] = round(float(np.nanmean(recall_at_k(ranked, held_out))), 4)
        return found

    result = {"powers": list(SGNS_POWERS), "grid": [list(s) for s in SGNS_GRID]}
    tried = {(p, s): recalls(inner, 0, p, *s) for p, s in product(SGNS_POWERS, SGNS_GRID)}
    for way in ("cosine", "inner"):
        validation = [[tried[p, s][way] for s in SGNS_GRID] for p in SGNS_POWERS]
        chosen = [int(np.argmax(row)) for row in validation]
        found = [[test(seed, p, *SGNS_GRID[c])[way] for seed in range(n_seeds)] for p, c in zip(SGNS_POWERS, chosen)]
        result[way] = {"validation": validation, "chosen": chosen, "test": found}
    return result


def simulate(n_seeds=5):
    """Repeat the chapter's experiments on audiences whose truth is known; each list has an entry a seed.

    "chosen" has the setting of each model (factors, rate, penalty, epochs): that with the highest recall on another
    audience, where "validation" has the recall of each setting of the grid (rows) after each number of epochs
    (columns). "judged" is recall@10, mean true affinity and the share of the top tenth, by model. "common" has the
    weights of popularity and taste in the scores of models that share one setting, so that only the sampler differs,
    and "weights" those of the tuned ones. "groups" are the shares found of popular, middling and rare films. "asked"
    goes by loss: for each power and each of recall, affinity and likeness of neighbours, the value at the setting
    chosen for it, and "asked_chosen" those settings. "later" is the recall of in-batch negatives that are corrected
    afterwards. "hard" goes by number of candidates: recall@5, and the share of negatives that are liked, each at the
    setting of "hard_chosen". "best_of" goes by source and candidates: recall@10, the share of negatives that the viewer
    has, and the spread of the 20 highest scores. "twice" is the weight of popularity and the share of the top tenth
    where uniform negatives were corrected for popularity.
    """
    other = _listen(TUNING_SEED)
    samplers = _cinema_samplers(other)
    tried = {name: _tune_cinema(other, *samplers[name]) for name in tqdm(samplers, desc="tuning", leave=False)}
    validation = {name: np.round(values[..., 0], 4).tolist() for name, values in tried.items()}
    chosen = {name: _best(values[..., 0], CINEMA_GRID) for name, values in tried.items()}
    asked_chosen = {}
    for loss, powers in (("softmax", POWERS), ("logistic", (0, 0.75, 1))):
        of_power = [_tune_cinema(other, PopularitySampler(other.popularity, p), None, loss=loss) for p in powers]
        asked_chosen[loss] = [[_best(values[..., m], CINEMA_GRID) for m in range(3)] for values in of_power]
    hard_chosen = _tune_hard(other)
    settings = chosen, asked_chosen, hard_chosen
    studies = [_cinema_of_seed(seed, *settings) for seed in tqdm(range(n_seeds), desc="cinema", leave=False)]
    return {
        "seeds": list(range(n_seeds)),
        "tuning_seed": TUNING_SEED,
        "grid": [list(setting) for setting in CINEMA_GRID],
        "epochs": list(EPOCHS),
        "validation": validation,
        "chosen": chosen,
        "asked_chosen": asked_chosen,
        "hard_chosen": hard_chosen,
        **{name: [study[name] for study in studies] for name in studies[0]},
    }


def _cinema_samplers(world):
    """As `_samplers`, and what the page looks at on the simulated audience only."""
    found = {name: entry for name, entry in _samplers(world).items() if not name.startswith("hard")}
    uniform = found["uniform"][0]
    found["hard"], found["hard 2"] = ((HardSampler(uniform, None, h), None) for h in (4, 2))
    found["power -0.5"] = PopularitySampler(world.popularity, -0.5), None
    careful, log_q = found["power 0.75, no hits"][0], PopularitySampler(world.popularity, 1).log_noise
    found["power 0.75, corrected, no hits"] = careful, careful.log_noise
    for n_candidates in (2, 4):
        found[f"hard {n_candidates}, from the batch"] = HardSampler(InBatchSampler(), None, n_candidates), log_q
    return found


def _tune_cinema(audience, sampler, log_q, **options):
    """Return an array (settings, epochs, 3): recall, affinity and likeness."""
    rows = []
    for setting in CINEMA_GRID:

        def note(epoch, tables):
            if epoch in EPOCHS:
                table = tables.scores(np.arange(len(audience.is_seen)))
                rows.append([*_judge(audience, table)[:2], _likeness(audience, tables)])

        _fit(audience, sampler, log_q, 0, *setting, EPOCHS[-1], callback=note, **options)
    return np.reshape(rows, (len(CINEMA_GRID), len(EPOCHS), 3))


#: The one setting with which the samplers are compared to the theory.
COMMON = (9, 0.3, 0.06, 20)


def _cinema_of_seed(seed, chosen, asked_chosen, hard_chosen):
    audience = _listen(seed)
    everybody = np.arange(len(audience.is_seen))
    samplers = _cinema_samplers(audience)
    models = {name: _fit(audience, *samplers[name], seed, *chosen[name]) for name in samplers}
    tables = {name: model.scores(everybody) for name, model in models.items()}
    tables["popularity"] = np.broadcast_to(audience.popularity, audience.is_seen.shape)
    noise = {power: PopularitySampler(audience.popularity, power) for power in POWERS}

    in_theory = [name for name in samplers if not name.startswith("hard") and "hits" not in name]
    common = {
        name: _weights_in(audience, _fit(audience, *samplers[name], seed, *COMMON).scores(everybody))
        for name in in_theory
    }
    common["shrunk"] = _weights_in(audience, _fit(audience, noise[0], None, seed, 9, 0.3, 1, 20).scores(everybody))

    asked = {}
    for loss, of_power in asked_chosen.items():
        asked[loss] = []
        for power, settings in zip(POWERS if loss == "softmax" else (0, 0.75, 1), of_power):
            row = []
            for m, setting in enumerate(settings):
                model = _fit(audience, noise[power], None, seed, *setting, loss=loss)
                three = [*_judge(audience, model.scores(everybody))[:2], _likeness(audience, model)]
                row.append(three[m])
            asked[loss].append(row)

    log_popularity = np.log(np.maximum(audience.popularity, 0.5) / audience.popularity.sum())
    twice = _fit(audience, noise[0], log_popularity, seed, *COMMON).scores(everybody)
    return {
        "judged": {name: _judge(audience, table) for name, table in tables.items()},
        "weights": {name: _weights_in(audience, table) for name, table in tables.items()},
        "common": common,
        "groups": {name: _recall_by_group(audience, table) for name, table in tables.items()},
        "asked": asked,
        "later": _judge(audience, tables["in-batch"] + noise[1].log_noise)[0],
        "hard": _draw_hard(audience, seed, hard_chosen),
        "best_of": _draw_best_of(audience, models, tables, seed),
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


def _rounded(values):
    return np.round(values, 4).tolist()


def _judge(audience, table):
    """Return recall@10, mean true affinity in stars, and the share of the top tenth."""
    allowed = np.where(audience.is_seen | ~(audience.popularity > 0), -np.inf, table)
    viewers = audience.is_seen.any(axis=1)
    ranked = rank_items(allowed[viewers], 10)
    recall = np.nanmean(recall_at_k(ranked, audience.held_out[viewers]))
    affinity = np.take_along_axis(audience.affinity[viewers], ranked, axis=1).mean()
    top = np.argsort(-audience.popularity, kind="stable")[: len(audience.popularity) // 10]
    return _rounded([recall, affinity, np.isin(ranked, top).mean()])


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


#: Of the experiment with liked pairs: candidates, and what each number of them is tuned over (rate, penalty).
LIKED_CANDIDATES = (1, 2, 4, 8, 16)
LIKED_GRID = tuple(product((0.1, 0.3), (0.02, 0.06, 0.2)))


def _liked_world(audience, seed):
    affinity, rng = audience.affinity[:600], np.random.default_rng(seed)
    liked = affinity > np.quantile(affinity, 0.9)
    is_test = rng.random(liked.shape) < 0.2
    is_known = liked & ~is_test & (rng.random(liked.shape) < 0.5)
    users, items = np.nonzero(is_known)
    return SimpleNamespace(
        events=_make_events(users, items, liked.shape), users=users, liked=liked, is_test=is_test, is_known=is_known
    )


def _liked_samplers(world):
    n_items = world.liked.shape[1]
    return {
        "as in life": UniformSampler(n_items, exclude=csr_array(world.is_known | world.is_test)),
        "with an oracle": UniformSampler(n_items, exclude=csr_array(world.liked | world.is_test)),
    }


def _liked_recall(world, tables):
    relevant = np.where(world.is_test, world.liked, False)
    viewers = relevant.any(axis=1)
    table = np.where(world.is_test, tables.scores(np.arange(len(world.liked))), -np.inf)
    return recall_at_k(rank_items(table[viewers], 5), relevant[viewers]).mean()


def _hardest(sampler, n_candidates):
    return sampler if n_candidates == 1 else HardSampler(sampler, None, n_candidates)


def _tune_hard(audience):
    """Return by sampler, for each number of candidates, the best rate, penalty and number of epochs."""
    world = _liked_world(audience, TUNING_SEED)
    chosen = {}
    for name, sampler in _liked_samplers(world).items():
        chosen[name] = []
        for n_candidates in LIKED_CANDIDATES:
            values = []
            for rate, penalty in LIKED_GRID:
                row = []

                def note(epoch, tables, row=row):
                    if epoch in EPOCHS:
                        row.append(_liked_recall(world, tables))

                setting = 9, rate, penalty, EPOCHS[-1]
                _fit(world, _hardest(sampler, n_candidates), None, 0, *setting, callback=note, batch_size=512)
                values.append(row)
            chosen[name].append([9, *_best(values, LIKED_GRID)])
    return chosen


def _draw_hard(audience, seed, chosen):
    world, rng = _liked_world(audience, seed), np.random.default_rng(seed)
    result = {name: [] for name in chosen}
    for name, sampler in _liked_samplers(world).items():
        for n_candidates, setting in zip(LIKED_CANDIDATES, chosen[name]):
            tables = _fit(world, _hardest(sampler, n_candidates), None, seed, *setting, batch_size=512)
            drawn = HardSampler(sampler, tables.score, n_candidates).sample(world.users, None, 1, rng=rng)
            liked = world.liked[world.users, drawn[:, 0]].mean()
            result[name].append(_rounded([_liked_recall(world, tables), liked]))
    return result


def _draw_best_of(audience, models, tables, seed):
    """Return by source, for the best of 1, 2 and 4 candidates: recall, known positives drawn, spread of the top."""
    n_items = len(audience.popularity)
    names = {
        "uniform": (UniformSampler(n_items), ("uniform", "hard 2", "hard")),
        "in-batch, corrected": (
            InBatchSampler(),
            ("in-batch, corrected", "hard 2, from the batch", "hard 4, from the batch"),
        ),
    }
    rng = np.random.default_rng(seed)
    batch = rng.integers(len(audience.users), size=1024)
    who, what = audience.users[batch], audience.items[batch]
    result = {}
    for source, (sampler, of_source) in names.items():
        result[source] = []
        for h, name in zip((1, 2, 4), of_source):
            drawn = HardSampler(sampler, models[name].score, h).sample(who, what, 5, rng=rng)
            known = false_negative_rate(drawn, who, audience.seen)
            spread = np.sort(tables[name], axis=1)[:, -20:].std(axis=1).mean()
            result[source].append(_rounded([_judge(audience, tables[name])[0], known, spread]))
    return result
