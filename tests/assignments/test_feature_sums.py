"""The wrong answers to the assignment `feature_sums`."""

from tests.assignments.wrong_answers import AssignmentContract, Wrong


def by_hand(sum_="QRP", mean="PRQ", root="QPR", score="6.25"):
    return f'orders = {{"sum": "{sum_}", "mean": "{mean}", "root": "{root}"}}\nscore_of_s = {score}'


POOL = """
def film_vectors(rows, vectors, pooling):
    n = {n}
    divisors = {{"sum": np.ones(len(n)), "mean": {mean}, "root": {root}}}[pooling]
    divisors = {safe}
    return {result}
"""


def pool(**changes):
    right = {
        "n": "rows.sum(axis=1)",
        "mean": "n",
        "root": "np.sqrt(n)",
        "safe": "np.where(n == 0, 1, divisors)",
        "result": "(rows @ vectors) / divisors[:, None]",
    }
    return POOL.format(**{**right, **changes})


BPR = """
def bpr_gradients(x, row_i, row_j, vectors, biases):
    row = {row}
    gap = {gap}
    slope = {slope}
    return {by_x}, {by_vectors}, {by_biases}
"""


def bpr(**changes):
    right = {
        "row": "row_i - row_j",
        "gap": "x @ (row @ vectors) + row @ biases",
        "slope": "-1 / (1 + np.exp(gap))",
        "by_x": "slope * (row @ vectors)",
        "by_vectors": "slope * np.outer(row, x)",
        "by_biases": "slope * row",
    }
    return BPR.format(**{**right, **changes})


def check(*lines, films="[[3.0, 1.0, 0.0], [0.0, 0.0, 0.0], [0.0, 1.0, 1.0], [0.0, 0.5, 0.0]]"):
    return "\n    ".join(
        [
            "def check_average(average):",
            "vectors = np.array([[4.0, 0.0], [0.0, 8.0], [2.0, 2.0]])",
            f"films = np.array({films})",
            "found = average(films, vectors)",
            *lines,
        ]
    )


MEASURE = """
n_listed = {{}}
dense = rows.toarray()
n_features = dense.sum(axis=1)
for pooling, power in (("sum", 0), ("mean", 1), ("root", 0.5)):
    divisors = n_features**power
    vectors_of_films = dense @ feature_vectors / divisors[:, None]
    biases_of_films = dense @ feature_biases / divisors
    table = viewer_factors @ vectors_of_films.T + {biases}
    listed = rank_items({masked}, {k})
    n_listed[pooling] = {number}
is_trained = dense.sum(axis=0) > 0
new = new_rows.toarray()
known = new * {kept}
new_taste = {{
    "as it is": taste(viewer_factors @ (new @ feature_vectors).T {first_biases}, new_liking),
    "repaired": taste(viewer_factors @ (known @ feature_vectors).T {last_biases}, new_liking),
}}
"""


def measure(**changes):
    right = {
        "biases": "biases_of_films",
        "masked": "np.where(has_seen, -np.inf, table)",
        "k": "10",
        "number": "n_features[listed].mean()",
        "kept": "is_trained",
        "first_biases": "+ new @ feature_biases",
        "last_biases": "",
    }
    return MEASURE.format(**{**right, **changes})


def repair(result="facts_only @ vectors / np.where(left > 0, left, 1)", facts="built[:, n_films:]"):
    return f"""
def mean_of_facts(built, vectors, n_films):
    facts_only = {facts}
    left = facts_only.sum(axis=1, keepdims=True)
    n_facts = np.count_nonzero(facts_only, axis=1)[:, None]
    return {result}
"""


WRONG = {
    "task-1": [
        Wrong("mean for sum", by_hand(sum_="PRQ"), 1, "The order with the sum: this is the order with the mean"),
        Wrong("sum for mean", by_hand(mean="QRP"), 1, "divide by the number of features"),
        Wrong("mean for root", by_hand(root="PRQ"), 1, "divide by the root of n, and not by n"),
        Wrong("root changes nothing", by_hand(root="QRP"), 1, "divide by the root of n"),
        Wrong("divided by the number of features", by_hand(score="12.5"), 1, "the weights add up to 4"),
        Wrong("weights left out", by_hand(score="5.5"), 1, "western counts three times"),
        Wrong("not divided", by_hand(score="25.0"), 1, "divide by what the weights add up to"),
        Wrong("weights swapped", by_hand(score="4.75"), 1, "western has the weight 3, musical 1"),
        Wrong("one order for all", by_hand(mean="QRP", root="QRP", score="'6.25'"), 2, "expected a number"),
    ],
    "task-2": [
        # the lists of Task 5 are wrong then, too
        Wrong("always the sum", pool(mean="np.ones(len(n))", root="np.ones(len(n))"), 4, "these are sums"),
        Wrong("always the mean", pool(result="(rows @ vectors) / np.where(n == 0, 1, n)[:, None]"), 5, "do not divide"),
        Wrong("root for mean", pool(mean="np.sqrt(n)"), 3, "you divided by the root: that is the third pooling"),
        Wrong("mean for root", pool(root="n"), 3, "these are means: divide by the root of n"),
        # without weights, both counts are the same
        Wrong("features counted", pool(n="(rows > 0).sum(axis=1)"), 3, "divide by the sum of their weights"),
        Wrong("columns counted", pool(mean="np.full(len(n), rows.shape[1])"), 3, "by the number of columns"),
        Wrong(
            "weights left out",
            pool().replace("    n =", "    rows = 1.0 * (rows > 0)\n    n ="),
            4,
            "count",
        ),
        Wrong("empty films", pool(safe="divisors"), 1, "a film without features becomes NaN"),
        Wrong("one more, to be safe", pool(safe="divisors + 1e-3"), 4, "of the entries are wrong"),
        Wrong(
            "length 1", pool(result="(rows @ vectors) / np.linalg.norm(rows @ vectors, axis=1)[:, None]"), 6, "length 1"
        ),
        Wrong("root of squares", pool(root="np.sqrt((rows * rows).sum(axis=1))"), 2, "add the weights up first"),
        Wrong(
            "dense rows only",
            pool(n="rows.sum(axis=1, keepdims=True)[:, 0]"),
            4,
            "keepdims",
        ),
        Wrong(
            "divided in place",
            pool(result="np.multiply(rows, 1 / divisors[:, None], out=rows) @ vectors"),
            6,
            "work on a copy",
        ),
        Wrong("a list", pool(result="((rows @ vectors) / divisors[:, None]).tolist()"), 7, "received list"),
        Wrong("no return", pool().replace("return", "answer ="), 7, "does it end in `return`?"),
        Wrong(
            "the book's function",
            "from utils.feature_sums import represent as film_vectors",
            7,
            "utils.feature_sums.represent is switched off here",
        ),
        Wrong(
            "scikit-learn's function",
            pool(mean="n").replace(
                "    return",
                "    from sklearn.preprocessing import normalize\n    rows = normalize(rows, norm='l1')\n    return",
            ),
            7,
            "sklearn.preprocessing.normalize is switched off here",
        ),
    ],
    "task-3": [
        Wrong("signs turned round", bpr(slope="1 / (1 + np.exp(gap))"), 3, "the signs are turned round"),
        Wrong("slope of good pairs", bpr(slope="-1 / (1 + np.exp(-gap))"), 2, "sigmoid(-gap)"),
        Wrong("gradient of the gap", bpr(slope="1"), 3, "multiply by the slope of the loss"),
        Wrong("slope at 0", bpr(slope="-0.5"), 2, "the slope is always -1/2"),
        Wrong("biases not in the gap", bpr(gap="x @ (row @ vectors)"), 2, "the biases are missing in the gap"),
        Wrong("biases not learned", bpr(by_biases="np.zeros(len(biases))"), 1, "biases are learned, too"),
        Wrong("film j forgotten", bpr(by_vectors="slope * np.outer(row_i, x)"), 2, "film j is missing"),
        Wrong("rows added", bpr(by_vectors="slope * np.outer(row_i + row_j, x)"), 2, "subtract the rows"),
        Wrong("one slope for all biases", bpr(by_biases="np.full(len(biases), slope)"), 1, "all features get the same"),
        Wrong("transposed", bpr(by_vectors="slope * np.outer(x, row)"), 2, "rows and columns are swapped"),
        Wrong("two of three", bpr().replace(", slope * row\n", "\n"), 3, "return three arrays"),
        Wrong(
            "the book's functions",
            "from utils.pairwise_ranking import bpr_loss\n" + bpr(slope="bpr_loss(np.array([gap]))[1][0]"),
            3,
            "utils.pairwise_ranking.bpr_loss is switched off here",
        ),
    ],
    "task-4": [
        Wrong("never refuses", check(), 3, "accepts a function that returns sums"),
        Wrong("always refuses", check("raise AssertionError"), 3, "your check refuses a function that is right"),
        Wrong("shape only", check("assert found.shape == (4, 2)"), 3, "accepts a function that returns sums"),
        Wrong(
            "weights of 1",
            check(
                "assert np.allclose(found, [[2, 4], [0, 0], [1, 5]])",
                films="[[1.0, 1.0, 0.0], [0.0, 0.0, 0.0], [0.0, 1.0, 1.0]]",
            ),
            1,
            "give one of them a weight that is not 1",
        ),
        Wrong(
            "equal weights",
            check("assert np.allclose(found, [[2, 4], [0, 0]])", films="[[2.0, 2.0, 0.0], [0.0, 0.0, 0.0]]"),
            1,
            "give two features of a film different weights",
        ),
        Wrong(
            "every film has every feature",
            check(
                "assert np.allclose(found, [[7 / 3, 8 / 3], [0, 0]])",
                films="[[1.25, 0.75, 1.0], [0.0, 0.0, 0.0]]",
            ),
            1,
            "division by the number of",
        ),
        Wrong(
            "no empty film",
            check("assert np.allclose(found, [[3, 2]])", films="[[3.0, 1.0, 0.0]]"),
            1,
            "your check accepts NaN for a film without features",
        ),
        Wrong(
            "NaN not looked for",
            check("assert np.allclose(found[[0, 2, 3]], [[3, 2], [1, 5], [0, 8]])", "assert not (found[1] > 9).any()"),
            1,
            "your check accepts NaN",
        ),
        Wrong(
            "any number for an empty film",
            check("assert np.allclose(found[[0, 2, 3]], [[3, 2], [1, 5], [0, 8]])", "assert np.isfinite(found).all()"),
            1,
            "your check accepts the mean of all vectors",
        ),
        Wrong(
            "to the last digit",
            check(
                "expected = (films @ vectors)[0] / films[0].sum()",
                "assert (found[0] == expected).all() and (found[1] == 0).all()",
                films="[[0.1, 0.2, 0.4], [0.0, 0.0, 0.0]]",
            ),
            2,
            "compare with np.allclose",
        ),
        Wrong(
            "empty means NaN",
            check("assert np.isnan(found[1]).all()"),
            3,
            "refuses",
        ),
    ],
    "task-5": [
        Wrong("seen films listed", measure(masked="table"), 2, "films that were seen are still in the lists"),
        Wrong("no biases", measure(biases="0"), 2, "the biases are missing"),
        Wrong(
            "biases not pooled",
            measure(biases="dense @ feature_biases"),
            1,
            "pooled the vectors, but not the biases",
        ),
        Wrong("worst films", measure(masked="np.where(has_seen, -np.inf, -table)"), 2, "films with the lowest scores"),
        Wrong("eleven films", measure(k="11"), 2, "eleven films in a list"),
        Wrong(
            "different films",
            measure(number="n_features[np.unique(listed)].mean()"),
            2,
            "the films that are listed somewhere",
        ),
        Wrong("whole catalogue", measure(number="n_features.mean()"), 2, "the mean over the catalogue"),
        Wrong("biases kept", measure(last_biases="+ known @ feature_biases"), 1, "the biases are still in the scores"),
        Wrong("untrained kept", measure(kept="1"), 1, "features that were never trained are still in the sums"),
        Wrong("trained left out", measure(kept="~is_trained"), 1, "and left the others out"),
        Wrong("repaired at once", measure(first_biases=""), 1, "The taste as it is: the biases are missing"),
        Wrong("numbers as text", measure(number="str(n_features[listed].mean())"), 2, "a number, received str"),
    ],
    "task-7": [
        Wrong("nothing repaired", "mean_of_facts = colleagues_mean_of_facts", 2, "by the number of features once more"),
        Wrong("own feature still counts", repair("facts_only @ vectors"), 2, "own feature still takes a share"),
        Wrong("divided twice", repair("facts_only @ vectors / n_facts"), 2, "by the number of facts once more"),
        Wrong("a film without facts", repair("facts_only @ vectors / left"), 1, "a film without facts becomes NaN"),
        Wrong(
            "undone by counting",
            repair("facts_only @ vectors * (n_facts + 1) / np.maximum(n_facts, 1)"),
            1,
            "which is right for weights of 1 only",
        ),
        Wrong("weights left out", repair("(facts_only > 0) @ vectors / np.maximum(n_facts, 1)"), 1, "the weights out"),
        Wrong(
            "sums",
            repair("facts_only / np.where(left < 1, 1 - left, 1) @ vectors"),
            2,
            "these are sums: means are asked for",
        ),
        Wrong(
            "the book's function",
            "from utils.feature_sums import represent\n" + repair("represent(facts_only, vectors, 'mean')"),
            2,
            "utils.feature_sums.represent is switched off here",
        ),
    ],
}


class TestFeatureSums(AssignmentContract):
    name = "feature_sums"
    wrong = WRONG
