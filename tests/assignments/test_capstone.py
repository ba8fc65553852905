"""The wrong answers to the assignment `capstone`."""

from tests.assignments.wrong_answers import AssignmentContract, Wrong


def by_hand(mean=0.04, error=0.01, coverage=0.6):
    return f"mean_gain = {mean}\nerror_of_gain = {error}\ncoverage = {coverage}"


SPLIT = """
def split_log(users, items, times, opening, n_first):
    is_early = np.zeros(users.max() + 1, dtype=bool)
    is_early[users[{early}]] = True
    newcomers = np.flatnonzero({who})
    first = np.zeros((len(newcomers), n_films), dtype=bool)
    later = np.zeros((len(newcomers), n_films), dtype=bool)
    by_time = {order}
    for row, viewer in enumerate(newcomers):
        came = items[by_time][users[by_time] == viewer]
        first[row, {first}] = True
        later[row, {later}] = True
    return {answer}
"""


def split(**changes):
    right = {
        "early": "times < opening",
        "who": "~is_early & (np.bincount(users) > n_first)",
        "order": "np.argsort(times)",
        "first": "came[:n_first]",
        "later": "came[n_first:]",
        "answer": "newcomers, first, later",
    }
    return SPLIT.format(**{**right, **changes})


SCORE = """
def score_films(first, embedding, measure):
    known = {known}
    n_known = {divisor}
    profiles = known @ embedding.{of_profile} / n_known
    if measure == "product":
        scores = {product}
    else:
        lengths = {lengths}
        scores = {cosine}
    return {answer}
"""


def score(**changes):
    right = {
        "known": "first & embedding.has_vector",
        "divisor": "np.maximum(known.sum(axis=1, keepdims=True), 1)",
        "of_profile": "item_vectors",
        "product": "profiles @ embedding.target_vectors.T + embedding.offsets",
        "lengths": ("np.linalg.norm(profiles, axis=1, keepdims=True) * np.linalg.norm(embedding.item_vectors, axis=1)"),
        "cosine": "profiles @ embedding.item_vectors.T / np.where(lengths > 0, lengths, 1)",
        "answer": "np.where(embedding.has_vector, scores, -np.inf)",
    }
    return SCORE.format(**{**right, **changes})


LENGTHS = "np.linalg.norm(profiles, axis=1, keepdims=True) * np.linalg.norm(embedding.item_vectors, axis=1)"
COSINE = f"profiles @ embedding.item_vectors.T / np.maximum({LENGTHS}, 1e-300)"
COSINES = score(product=COSINE)


RECALL = """
def recall_of_rows(scores, first, later, k):
    {before}
    left = {left}
    rows = {rows}
    n_found = np.take_along_axis(later, rows, axis=1).sum(axis=1)
    n_later = later.sum(axis=1)
    return {answer}
"""


def recall(**changes):
    right = {
        "before": "",
        "left": "np.where(first, -np.inf, scores)",
        "rows": "np.argsort(-left, axis=1, kind='stable')[:, :k]",
        "answer": "np.where(n_later > 0, n_found / np.maximum(n_later, 1), np.nan)",
    }
    return RECALL.format(**{**right, **changes})


def compared(*lines):
    return "\n    ".join(["def compare(ours, theirs):", *lines])


DIFFERENCES = "d = np.array([np.nanmean(a) - np.nanmean(b) for a, b in zip(ours, theirs)])"

CHECK = """
def check_average(average_recall):
    scores = {scores}
    first = np.array({first}, dtype=bool)
    later = np.array({later}, dtype=bool)
    for k, right in {examples}:
        assert {test}
"""


def check(**changes):
    right = {
        "scores": "-np.array([[1.0, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1]])",
        "first": "[[1, 1, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 1, 0]]",
        "later": "[[0, 0, 1, 0, 1, 1], [0, 0, 0, 0, 0, 0], [0, 0, 0, 1, 0, 0]]",
        "examples": "((2, 2 / 3), (1, 1 / 6), (3, 5 / 6))",
        "test": "abs(average_recall(scores, first, later, k) - right) < 1e-9",
    }
    return CHECK.format(**{**right, **changes})


MEASURE = """
names, measures = ("als", "item2vec", "features"), ("product", "cosine")


def scores_of(audience, first, who):
    if who == "hits":
        return np.tile(audience.popularity.astype(float), (len(first), 1))
    return score_films(first, audience.embeddings[who[0]], who[1])


def recalls(who, some, n_first):
    found = []
    for a in some:
        _, first, later = split_log(a.users, a.items, a.times, a.opening, n_first)
        found.append(recall_of_rows(scores_of(a, first, who), {masked}, later, 10))
    return found


def error_of(recalls):
    return np.std([r.mean() for r in recalls], ddof=1) / np.sqrt(len(recalls))


chosen = {{}}
for name in names:
    chosen[name] = {best}(measures, key=lambda m: np.mean([r.mean() for r in recalls((name, m), for_choosing, 5)]))

gains = {{}}
for n in (3, 5):
    for name in names:
        ours, hits = (recalls(who, {some}, n) for who in ((name, {measure}), "hits"))
        gains[name, {n}] = {gain}

shown = {{}}
for who in ["hits", *((name, m) for name in names for m in measures)]:
    pairs = []
    for audience in for_reporting:
        _, first, _ = split_log(audience.users, audience.items, audience.times, audience.opening, 5)
        rows = np.argsort(
            -np.where({rows_masked}, -np.inf, scores_of(audience, first, who)), axis=1, kind="stable"
        )[:, :10]
        is_shown = np.isin(np.arange(n_films), rows)
        pairs.append(({covered}, {new}))
    shown[who] = tuple({total})
"""


def measure(**changes):
    right = {
        "masked": "first",
        "best": "max",
        "some": "for_reporting",
        "measure": "chosen[name]",
        "n": "n",
        "gain": "compare(ours, hits)",
        "rows_masked": "first",
        "covered": "is_shown.mean()",
        "new": "is_shown[audience.is_new].mean()",
        "total": "np.mean(pairs, axis=0)",
    }
    return MEASURE.format(**{**right, **changes})


WRONG = {
    "task-1": [
        Wrong("without pairs", by_hand(error=0.03), 1, "without pairs: take the differences first"),
        Wrong("standard deviation", by_hand(error=0.02), 1, "this is the standard deviation"),
        Wrong("divisor n", by_hand(error=0.0087), 1, "divided by n and not by n - 1"),
        Wrong("hits minus row", by_hand(mean=-0.04), 1, "not the other way round"),
        Wrong("sum of the differences", by_hand(mean=0.16), 1, "divide by their number"),
        Wrong("recall of the row", by_hand(mean=0.28), 1, "recall of the row alone"),
        Wrong("places counted", by_hand(coverage=1.2), 1, "still one film"),
        Wrong("one viewer's row", by_hand(coverage=0.3), 1, "put the four rows together"),
        Wrong("a list", by_hand(mean="[0.04]", coverage="'0.6'"), 2, "expected a number, received list"),
    ],
    # Here and below: what is wrong makes numbers of Task 7 wrong, too, and its points are lost with them
    "task-2": [
        Wrong("known viewers", split(who="np.bincount(users) > n_first"), 5, "so the training knows this viewer"),
        Wrong("nothing left to find", split(who="~is_early & (np.bincount(users) >= n_first)"), 3, "nothing is left"),
        Wrong("at the opening", split(early="times <= opening"), 1, "was not watched before it"),
        Wrong(
            "events after the opening counted",
            split(who="np.bincount(users[times >= opening], minlength=users.max() + 1) > n_first"),
            4,
            "if enough films came after it",
        ),
        Wrong("order of the log", split(order="np.arange(len(times))"), 2, "they are in no order, sort them by time"),
        Wrong("latest first", split(order="np.argsort(-times)"), 5, "these are the last films"),
        Wrong("answer in the question", split(later="came"), 3, "the question gives the answer away"),
        Wrong("the next film only", split(later="came[n_first : n_first + 1]"), 3, "only the next film is marked"),
        Wrong("one too many", split(first="came[: n_first + 1]"), 4, "one film too many"),
        Wrong("not watched", split(answer="newcomers, first, ~first"), 3, "watched or not"),
        Wrong("two tables", split(answer="first, later"), 8, "return three arrays"),
    ],
    "task-3": [
        Wrong("sum for mean", score(divisor="1"), 5, "and you have their sum"),
        Wrong("no offsets", score(product="profiles @ embedding.target_vectors.T"), 6, "the offsets are missing"),
        Wrong(
            "item vectors for targets",
            score(product="profiles @ embedding.item_vectors.T + embedding.offsets"),
            6,
            "rows of target_vectors, not of item_vectors",
        ),
        Wrong("profiles of targets", score(of_profile="target_vectors"), 7, "made of item_vectors"),
        Wrong(
            "cosine for dot",
            COSINES,
            6,
            "these are cosines",
        ),
        Wrong(
            "dot for cosine", score(cosine="profiles @ embedding.item_vectors.T"), 3, "did not divide by the lengths"
        ),
        Wrong(
            "offsets in the cosine",
            score(cosine="profiles @ embedding.item_vectors.T / np.where(lengths > 0, lengths, 1) + embedding.offsets"),
            3,
            "a cosine asks for the angle",
        ),
        Wrong(
            "length of the film only",
            score(lengths="np.linalg.norm(embedding.item_vectors, axis=1)"),
            2,
            "length of the film only",
        ),
        Wrong("films without a vector scored", score(answer="scores"), 1, "would be shown before others"),
        Wrong("divided by all first films", score(divisor="first.sum(axis=1, keepdims=True)"), 3, "counts in the mean"),
        Wrong("divided by 0", score(divisor="known.sum(axis=1, keepdims=True)"), 1, "some entries are NaN"),
        Wrong(
            "the book's function",
            score(cosine="by_book(profiles, embedding.item_vectors, 'cosine')")
            + "\n\nfrom utils.similarity import scores as by_book",
            6,
            "utils.similarity.scores is switched off here",
        ),
    ],
    "task-4": [
        Wrong("not masked", recall(left="scores"), 4, "take places in the row"),
        Wrong("masked with 0", recall(left="np.where(first, 0, scores)"), 1, "got the score 0"),
        Wrong("masked in place", recall(before="scores[first] = -np.inf"), 2, "work on a copy"),
        Wrong("k + 1", recall(rows="np.argsort(-left, axis=1, kind='stable')[:, : k + 1]"), 4, "one film too many"),
        Wrong("k - 1", recall(rows="np.argsort(-left, axis=1, kind='stable')[:, : k - 1]"), 6, "one film too few"),
        Wrong("ascending", recall(rows="np.argsort(left, axis=1, kind='stable')[:, :k]"), 6, "the lowest scores"),
        Wrong(
            "turned around", recall(rows="np.argsort(left, axis=1, kind='stable')[:, ::-1][:, :k]"), 3, "larger number"
        ),
        Wrong("precision", recall(answer="np.where(n_later > 0, n_found / k, np.nan)"), 6, "this is precision"),
        Wrong(
            "possible hits",
            recall(answer="np.where(n_later > 0, n_found / np.clip(n_later, 1, k), np.nan)"),
            6,
            "divides by all later films",
        ),
        Wrong("nothing to find is 0", recall(answer="n_found / np.maximum(n_later, 1)"), 1, "is not a miss"),
        Wrong("left out", recall(answer="(n_found / np.maximum(n_later, 1))[n_later > 0]"), 1, "every newcomer needs"),
        Wrong(
            "the book's function",
            recall(rows="rank_items(left, k)") + "\n\nfrom utils.metrics import rank_items",
            8,
            "utils.metrics.rank_items is switched off here",
        ),
    ],
    "task-5": [
        Wrong("standard deviation", compared(DIFFERENCES, "return d.mean(), d.std(ddof=1)"), 3, "a standard deviation"),
        Wrong("divisor n", compared(DIFFERENCES, "return d.mean(), d.std() / np.sqrt(len(d))"), 3, "see ddof"),
        Wrong(
            "without pairs",
            compared(
                "a, b = (np.array([np.nanmean(x) for x in side]) for side in (ours, theirs))",
                "return a.mean() - b.mean(), np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / len(a))",
            ),
            3,
            "without pairs",
        ),
        Wrong(
            "newcomers counted",
            compared(
                "d = np.concatenate(ours) - np.concatenate(theirs)",
                "d = d[~np.isnan(d)]",
                "return d.mean(), d.std(ddof=1) / np.sqrt(len(d))",
            ),
            4,
            "every audience should count the same",
        ),
        Wrong(
            "NaN for 0",
            compared(
                "d = np.array([np.nan_to_num(a - b).mean() for a, b in zip(ours, theirs)])",
                "return d.mean(), d.std(ddof=1) / np.sqrt(len(d))",
            ),
            1,
            "counts as 0",
        ),
        Wrong(
            "NaN forgotten",
            compared(
                "d = np.array([np.mean(a - b) for a, b in zip(ours, theirs)])",
                "return d.mean(), d.std(ddof=1) / np.sqrt(len(d))",
            ),
            1,
            "nan is not right",
        ),
        Wrong(
            "theirs minus ours",
            compared("d = 0", DIFFERENCES, "return -d.mean(), d.std(ddof=1) / len(d) ** 0.5"),
            4,
            "theirs minus",
        ),
        Wrong(
            "SciPy's function",
            "from scipy.stats import sem\n\n\n" + compared(DIFFERENCES, "return d.mean(), sem(d)"),
            6,
            "scipy.stats.sem is switched off here",
        ),
    ],
    "task-6": [
        Wrong("never refuses", check(examples="()"), 3, "your check accepts"),
        Wrong("always refuses", check(test="False"), 3, "your check refuses a function that is right"),
        Wrong(
            "one newcomer",
            check(
                scores="-np.array([[1.0, 2, 3, 4, 5, 6]])",
                first="[[1, 1, 0, 0, 0, 0]]",
                later="[[0, 0, 1, 0, 1, 1]]",
                examples="((1, 1 / 3), (2, 1 / 3), (3, 2 / 3))",
            ),
            1,
            "let a newcomer have no later film",
        ),
        Wrong(
            "nobody began",
            check(
                first="[[0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]]",
                examples="((2, 0.0), (3, 2 / 3), (4, 2 / 3))",
            ),
            2,
            "give them high scores",
        ),
        Wrong(
            "scores above 0",
            check(
                scores="np.array([[6.0, 5, 4, 3, 2, 1], [6, 5, 4, 3, 2, 1], [1, 2, 3, 4, 5, 6]])",
            ),
            1,
            "choose scores that are all below 0",
        ),
        Wrong(
            "one later film each",
            check(
                later="[[0, 0, 1, 0, 0, 0], [0, 0, 0, 0, 0, 0], [0, 0, 0, 1, 0, 0]]",
                examples="((1, 0.5), (2, 1.0), (3, 1.0))",
            ),
            2,
            "let somebody have more than k later films",
        ),
        Wrong(
            "the next film is none to find",
            check(
                later="[[0, 0, 1, 0, 1, 1], [0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1]]",
                examples="((1, 2 / 3),)",
            ),
            1,
            "rows of k + 1 films",
        ),
        Wrong("not everybody right", check(examples="((2, 4 / 9),)"), 3, "your check refuses a function that is right"),
    ],
    "task-7": [
        Wrong("the worse measure", measure(best="min"), 3, "is the comparison the right way round?"),
        Wrong(
            "recall, not gain",
            measure(gain="(np.mean([r.mean() for r in ours]), compare(ours, hits)[1])"),
            2,
            "subtract that of the hits",
        ),
        Wrong("hits minus row", measure(gain="compare(hits, ours)"), 2, "subtracted the recall of the row"),
        Wrong("audiences for choosing", measure(some="for_choosing"), 2, "have seen the choice"),
        Wrong("all audiences", measure(some="audiences"), 2, "you took all audiences"),
        Wrong("not masked", measure(masked="np.zeros_like(first)"), 2, "rows and hits take places"),
        Wrong("always the cosine", measure(measure="'cosine'"), 2, "the measure that was not chosen"),
        Wrong("numbers exchanged", measure(n="8 - n"), 2, "the other number of films"),
        Wrong(
            "percentages",
            measure(gain="(100 * compare(ours, hits)[0], 100 * compare(ours, hits)[1])"),
            2,
            "not a percentage",
        ),
        Wrong(
            "without pairs",
            measure(gain="(compare(ours, hits)[0], np.hypot(error_of(ours), error_of(hits)))"),
            2,
            "without pairs",
        ),
        Wrong("rows not masked", measure(rows_masked="np.zeros_like(first)"), 1, "watched first are in the rows"),
        Wrong("places counted", measure(new="audience.is_new[rows].mean()"), 1, "count the new films that are shown"),
        Wrong("numbers of films", measure(covered="is_shown.sum()"), 1, "not a number of films"),
    ],
}


class TestCapstone(AssignmentContract):
    name = "capstone"
    wrong = WRONG
