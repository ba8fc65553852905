"""The wrong answers to the assignment `item2vec`."""

from tests.assignments.wrong_answers import AssignmentContract, Wrong


def by_hand(n_pairs="16", noise="np.array([8, 27, 1]) / 36", centre="[0.5, 1.74]"):
    return f"n_pairs = {n_pairs}\nnoise = {noise}\nnew_centre = np.array({centre})"


PAIRS = """
def timed_pairs(sessions, window, max_seconds):
    centres, contexts = [], []
    for films_of_one, seconds in {sessions}:
        for s, centre in enumerate(films_of_one):
            for t in range({first}, {last}):
                if {rule}:
                    centres.append({centre})
                    contexts.append({context})
    {finish}
    return {result}
"""


def pairs(**changes):
    right = {
        "sessions": "sessions",
        "first": "max(0, s - window)",
        "last": "min(len(films_of_one), s + window + 1)",
        "rule": "t != s and abs(seconds[t] - seconds[s]) <= max_seconds",
        "centre": "centre",
        "context": "films_of_one[t]",
        "finish": "",
        "result": "np.array(centres, dtype=int), np.array(contexts, dtype=int)",
    }
    return PAIRS.format(**{**right, **changes})


JOINED = "[tuple(np.concatenate(side) for side in zip(*sessions))] if sessions else []"
ONCE = (
    "both = list(dict.fromkeys(zip(centres, contexts))); centres, contexts = [p[0] for p in both], [p[1] for p in both]"
)
SORTED = "both = sorted(zip(centres, contexts)); centres, contexts = [p[0] for p in both], [p[1] for p in both]"
PAUSES = "t != s and np.diff(seconds[min(s, t) : max(s, t) + 1]).max() <= max_seconds"

LOSS = """
def loss_and_gradients(Y, Z, centres, contexts, negatives, weights):
    others = np.column_stack([contexts, negatives])
    x = {scores}
    is_real = np.arange(others.shape[1]) == 0
    a = {weights}
    loss = {loss}
    sigmoid = np.exp(-np.logaddexp(0, -x))
    errors = a * {errors}
    gradient_y, gradient_z = np.zeros(Y.shape), np.zeros(Z.shape)
    {add_y}
    {add_z}
    return {result}
"""


def loss(**changes):
    right = {
        "scores": 'np.einsum("nd,nkd->nk", Y[centres], Z[others])',
        "weights": "weights[:, None]",
        "loss": "(a * np.logaddexp(0, np.where(is_real, -x, x))).sum()",
        "errors": "(sigmoid - is_real)",
        "add_y": 'np.add.at(gradient_y, centres, np.einsum("nk,nkd->nd", errors, Z[others]))',
        "add_z": "np.add.at(gradient_z, others, errors[:, :, None] * Y[centres][:, None])",
        "result": "loss, gradient_y, gradient_z",
    }
    return LOSS.format(**{**right, **changes})


def check(*lines, log="[[1, 2, 3, 4, 5], [2, 1], [6]]"):
    return "\n    ".join(
        [
            "def check_pairs(make_pairs):",
            f"log = {log}",
            "def expected(w):",
            "    places = [(s, a, b) for s in log for a in range(len(s)) for b in range(len(s))]",
            "    return [(s[a], s[b]) for s, a, b in places if 0 < abs(a - b) <= w]",
            *lines,
        ]
    )


EACH_WINDOW = "for window in (1, 2, 3):"

LIKENESS = """
likeness_all, likeness_rare = {{}}, {{}}
for setting, table in vectors.items():
    near = {near}
    {itself}
    ten = {ten}
    likeness = {likeness}
    likeness_all[setting] = {all_films}
    likeness_rare[setting] = {rare}
"""


def likeness(**changes):
    right = {
        "near": "(table @ table.T) / np.linalg.norm(table, axis=1)",
        "itself": "np.fill_diagonal(near, -np.inf)",
        "ten": "np.argsort(-near, axis=1)[:, :10]",
        "likeness": "np.take_along_axis(traits @ traits.T, ten, axis=1).mean(axis=1)",
        "all_films": "likeness.mean()",
        "rare": "likeness[n_watched < 20].mean()",
    }
    return LIKENESS.format(**{**right, **changes})


LEARNED = "(table @ table.T) / np.linalg.norm(table, axis=1) / np.linalg.norm(table, axis=1)[:, None]"


def draw(
    chances="np.where(n_viewers > 0, np.maximum(n_viewers, 1.0) ** power, 0.0)",
    borders="np.cumsum(chances / chances.sum())",
):
    return f"""
def draw(n_viewers, power, uniforms):
    chances = {chances}
    return np.searchsorted({borders}, uniforms)
"""


RENUMBERED = """
def draw(n_viewers, power, uniforms):
    chances = n_viewers[n_viewers > 0] ** float(power)
    return np.searchsorted(np.cumsum(chances / chances.sum()), uniforms)
"""

WRONG = {
    "task-1": [
        Wrong("one way only", by_hand(n_pairs="8"), 1, "either can be the centre"),
        Wrong("no ends", by_hand(n_pairs="28"), 1, "near the ends of a session"),
        Wrong("one long session", by_hand(n_pairs="22"), 1, "never from one session into the other"),
        Wrong("with itself", by_hand(n_pairs="23"), 1, "a film is no context of itself"),
        Wrong("window 1", by_hand(n_pairs="10"), 1, "the pairs of window 1"),
        Wrong("not a distribution", by_hand(noise="np.array([8, 27, 1])"), 1, "probabilities add up to 1"),
        Wrong("power 1", by_hand(noise="np.array([16, 81, 1]) / 98"), 1, "draws like the log"),
        Wrong("power 1/2", by_hand(noise="np.array([4, 9, 1]) / 14"), 1, "the power 1/2"),
        Wrong("power of shares", by_hand(noise="(np.array([16, 81, 1]) / 98) ** 0.75"), 1, "of the shares"),
        Wrong("along the gradient", by_hand(centre="[1.5, 0.26]"), 1, "a step goes against it"),
        Wrong("no negative", by_hand(centre="[1.0, 1.24]"), 1, "the negative is missing"),
        Wrong("no truth", by_hand(centre="[0.5, -0.26]"), 1, "so its error is 0.88 - 1"),
        Wrong("the gradient", by_hand(centre="[0.5, -0.74]"), 1, "the step is still to be taken"),
        Wrong("scores as errors", by_hand(centre="[1.0, -1.0]"), 1, "the sigmoid is missing"),
    ],
    "task-2": [
        Wrong("to the right only", pairs(first="s"), 3, "the contexts to the right only"),
        Wrong("to the left only", pairs(last="s"), 3, "the contexts to the left only"),
        Wrong(
            "window too far",
            pairs(first="max(0, s - window - 1)", last="min(len(films_of_one), s + window + 2)"),
            3,
            "too far",
        ),
        Wrong("window too short to the right", pairs(last="min(len(films_of_one), s + window)"), 3, "to the left only"),
        Wrong("with itself", pairs(rule="abs(seconds[t] - seconds[s]) <= max_seconds"), 3, "paired with itself"),
        Wrong("interchanged", pairs(centre="films_of_one[t]", context="centre"), 3, "you interchanged"),
        Wrong("places", pairs(centre="s", context="t"), 3, "and not films"),
        Wrong("sessions joined", pairs(sessions=JOINED), 1, "the sessions were joined"),
        Wrong("no limit", pairs(rule="t != s"), 1, "the limit of time has no effect"),
        Wrong(
            "limit left out",
            pairs(rule="t != s and abs(seconds[t] - seconds[s]) < max_seconds"),
            1,
            "exactly max_seconds",
        ),
        Wrong("cut at pauses", pairs(rule=PAUSES), 1, "the session was cut where a pause is too long"),
        Wrong(
            "earlier is below 0", pairs(rule="t != s and seconds[t] - seconds[s] <= max_seconds"), 1, "can be below 0"
        ),
        Wrong(
            "one limit is enough",
            pairs(
                first="0",
                last="len(films_of_one)",
                rule="t != s and (abs(s - t) <= window or abs(seconds[t] - seconds[s]) <= max_seconds)",
            ),
            3,
            "one of the two limits is enough",
        ),
        Wrong("once each", pairs(finish=ONCE), 2, "a pair that occurs in two sessions counts twice"),
        Wrong("sorted", pairs(finish=SORTED), 3, "The pairs"),
        Wrong(
            "empty ones are real",
            pairs(result="np.array(centres), np.array(contexts)"),
            1,
            "return arrays of whole numbers",
        ),
        Wrong("lists", pairs(result="centres, contexts"), 3, "expected a NumPy array, received list"),
        Wrong("one table", pairs(result="np.array([centres, contexts])"), 3, "return two arrays"),
        Wrong("no return", pairs(result="None"), 3, "does it end in `return`?"),
        Wrong(
            "the book's function",
            "from utils.item2vec import training_pairs\n\n\n"
            "def timed_pairs(sessions, window, max_seconds):\n"
            "    return training_pairs([films for films, _ in sessions], window)",
            3,
            "utils.item2vec.training_pairs is switched off here",
        ),
    ],
    "task-3": [
        Wrong("no weights", loss(weights="1.0"), 4, "the weights have no effect"),
        Wrong(
            "mean", loss(loss="(a * np.logaddexp(0, np.where(is_real, -x, x))).sum(axis=1).mean()"), 2, "and not a mean"
        ),
        Wrong(
            "no negatives in the loss",
            loss(loss="(a * np.logaddexp(0, -x))[:, 0].sum()"),
            2,
            "the negatives are missing",
        ),
        Wrong(
            "minus sign", loss(loss="-(a * np.logaddexp(0, np.where(is_real, -x, x))).sum()"), 2, "mind the minus sign"
        ),
        Wrong(
            "signs of the scores",
            loss(loss="(a * np.logaddexp(0, np.where(is_real, x, -x))).sum()"),
            2,
            "the wrong sign",
        ),
        Wrong(
            "unstable",
            loss(loss="-(a * np.log(1 / (1 + np.exp(np.where(is_real, -x, x))))).sum()"),
            1,
            "the logarithm of 0 was taken",
        ),
        Wrong(
            "clamped scores",
            loss(scores='np.clip(np.einsum("nd,nkd->nk", Y[centres], Z[others]), -10, 10)'),
            3,
            "clamped to 10",
        ),
        Wrong(
            "a small number in the logarithm",
            loss(loss="-(a * np.log(1 / (1 + np.exp(np.where(is_real, -x, x))) + 1e-10)).sum()"),
            1,
            "a small number inside the logarithm",
        ),
        Wrong("clamped errors", loss(errors="(sigmoid - is_real) * (abs(x) <= 10)"), 2, "badly wrong"),
        Wrong("gensim's clamp", loss(errors="(sigmoid - is_real) * (abs(x) <= 6)"), 2, "a clamp at 6"),
        Wrong("truth turned round", loss(errors="(sigmoid - ~is_real)"), 2, "the other way round"),
        Wrong("no truth", loss(errors="sigmoid"), 2, "the truth is missing"),
        Wrong("a step", loss(errors="(is_real - sigmoid)"), 2, "the gradient has the other sign"),
        Wrong(
            "corrections lost",
            loss(
                add_y='gradient_y[centres] += np.einsum("nk,nkd->nd", errors, Z[others])',
                add_z="gradient_z[others] += errors[:, :, None] * Y[centres][:, None]",
            ),
            2,
            "only the last correction was kept",
        ),
        Wrong(
            "contexts only",
            loss(add_z="np.add.at(gradient_z, contexts, errors[:, :1] * Y[centres])"),
            1,
            "negatives are missing",
        ),
        Wrong("no gradients", loss(result="loss"), 4, "return three things"),
        Wrong(
            "overflowing sigmoid",
            loss(errors="(np.exp(x * 10) / (1 + np.exp(x * 10)) * 0 + sigmoid - is_real)"),
            2,
            "the sigmoid of a large score overflows",
        ),
        Wrong(
            "the book's functions",
            "from utils.item2vec import sgns_gradients, sgns_loss\n\n\n"
            "def loss_and_gradients(Y, Z, centres, contexts, negatives, weights):\n"
            "    task = Y, Z, centres, contexts, negatives\n"
            "    return sgns_loss(*task), *sgns_gradients(*task)",
            4,
            "utils.item2vec.sgns_loss is switched off here",
        ),
    ],
    "task-4": [
        Wrong("never refuses", check("make_pairs(log, 2)"), 3, "looks to the right only"),
        Wrong("always refuses", check("raise AssertionError"), 3, "your check refuses a function that is right"),
        Wrong(
            "numbers only",
            check("assert len(make_pairs(log, 2)) == len(expected(2))"),
            1,
            "returns places and not films",
        ),
        Wrong(
            "sets compared",
            check(EACH_WINDOW, "    assert set(make_pairs(log, window)) == set(expected(window))"),
            1,
            "compare how often",
        ),
        Wrong(
            "one order only",
            check(EACH_WINDOW, "    assert make_pairs(log, window) == expected(window)"),
            3,
            "any order",
        ),
        Wrong(
            "window 1 only",
            check("assert sorted(make_pairs(log, 1)) == sorted(expected(1))"),
            1,
            "try a window of 2 or more",
        ),
        Wrong(
            "one window",
            check("assert sorted(make_pairs(log, 2)) == sorted(expected(2))", log="[[1, 2, 3], [2, 1]]"),
            1,
            "be longer",
        ),
        Wrong(
            "one session",
            check(
                EACH_WINDOW,
                "    assert sorted(make_pairs(log, window)) == sorted(expected(window))",
                log="[[1, 2, 3, 4, 5]]",
            ),
            2,
            "give it two",
        ),
        Wrong(
            "places for films",
            check(
                EACH_WINDOW,
                "    assert sorted(make_pairs(log, window)) == sorted(expected(window))",
                log="[[0, 1, 2, 3, 4], [0, 1]]",
            ),
            1,
            "returns places and not films",
        ),
        Wrong(
            "directions not told apart",
            check(
                EACH_WINDOW,
                "    found, right = make_pairs(log, window), expected(window)",
                "    assert sorted(map(sorted, found)) == sorted(map(sorted, right))",
            ),
            1,
            "twice in one direction",
        ),
        Wrong(
            "no pair twice",
            check(
                EACH_WINDOW,
                "    assert sorted(make_pairs(log, window)) == sorted(expected(window))",
                log="[[1, 2, 3, 4, 5], [7, 8]]",
            ),
            1,
            "let a pair happen in two sessions",
        ),
    ],
    "task-5": [
        Wrong("itself listed", likeness(itself=""), 2, "the film itself is among its neighbours"),
        Wrong(
            "eleven with itself",
            likeness(itself="", ten="np.argsort(-near, axis=1)[:, :11]"),
            2,
            "of which there are eleven",
        ),
        Wrong("inner product", likeness(near="table @ table.T"), 2, "divide by the lengths"),
        Wrong(
            "distance",
            likeness(near="-((table[:, None] - table) ** 2).sum(axis=2)"),
            2,
            "by distance, and not by cosine",
        ),
        Wrong("nine", likeness(ten="np.argsort(-near, axis=1)[:, :9]"), 2, "nine neighbours"),
        Wrong(
            "farthest",
            likeness(itself="np.fill_diagonal(near, np.inf)", ten="np.argsort(near, axis=1)[:, :10]"),
            2,
            "the farthest films",
        ),
        Wrong(
            "learned cosines",
            likeness(likeness=f"np.take_along_axis({LEARNED}, ten, axis=1).mean(axis=1)"),
            2,
            "the true cosines are asked for",
        ),
        Wrong("20 is rare", likeness(rare="likeness[n_watched <= 20].mean()"), 1, "and not 20 or fewer"),
        Wrong("all are rare", likeness(rare="likeness.mean()"), 1, "these are all films"),
        Wrong("frequent for rare", likeness(rare="likeness[n_watched >= 20].mean()"), 1, "the films that are not rare"),
        Wrong(
            "rare among rare",
            likeness(itself="np.fill_diagonal(near, -np.inf); only = np.where(n_watched < 20, near, -np.inf)").replace(
                "likeness[n_watched < 20]",
                "np.take_along_axis(traits @ traits.T, np.argsort(-only, axis=1)[:, :10], axis=1)[n_watched < 20]",
            ),
            1,
            "among the rare films only",
        ),
        Wrong(
            "text",
            likeness() + "\nlikeness_all = {key: str(value) for key, value in likeness_all.items()}",
            1,
            "a number, received str",
        ),
        Wrong(
            "the book's function",
            "from utils.embeddings import nearest_items\n" + likeness(ten="nearest_items(table, 10)"),
            2,
            "KeyError",
        ),
    ],
    "task-7": [
        Wrong("nothing repaired", "draw = colleagues_draw", 2, "the sum of the chances is above 1"),
        Wrong(
            "not divided",
            draw(borders="np.cumsum(np.where(n_viewers > 0, (n_viewers / n_viewers.sum()) ** power, 0))"),
            2,
            "above 1",
        ),
        Wrong("zeros drawn", draw(chances="n_viewers ** float(power)"), 1, "0 to the power 0 is 1"),
        Wrong("one added", draw(chances="(n_viewers + 1) ** float(power)"), 2, "36 draws"),
        Wrong("power 1", draw(chances="n_viewers * 1.0"), 2, "you drew with the power 1"),
        Wrong("power 0", draw(chances="(n_viewers > 0) * 1.0"), 2, "you drew all films alike"),
        Wrong("numbered anew", RENUMBERED, 1, "numbered the others anew"),
        Wrong("no return", draw().replace("return ", ""), 2, "does it end in `return`?"),
    ],
}


class TestItem2vec(AssignmentContract):
    name = "item2vec"
    wrong = WRONG
