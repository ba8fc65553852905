"""The wrong answers to the assignment `als`."""

from tests.assignments.wrong_answers import AssignmentContract, Wrong

HALF_STEP = """
def half_step(table, fixed, penalty):
    solved = np.zeros((len(table), fixed.shape[1]))
    for row, ratings in enumerate(table):
        is_rated = {is_rated}
        vectors, ratings = {vectors}, {ratings}
        left = vectors.T @ vectors + {charge}
        solved[row] = np.linalg.solve(left, vectors.T @ ratings)
    return solved
"""


def stars(**changes):
    right = {
        "is_rated": "~np.isnan(ratings)",
        "vectors": "fixed[is_rated]",
        "ratings": "ratings[is_rated]",
        "charge": "penalty * np.eye(fixed.shape[1])",
    }
    return HALF_STEP.format(**{**right, **changes})


SOLVED_BY_COLUMN = f"""
{stars()}

right = half_step


def half_step(table, fixed, penalty):
    return right(table.T, fixed, penalty)
"""

ROWS_LEFT_OUT = f"""
{stars()}

right = half_step


def half_step(table, fixed, penalty):
    return right(table[~np.isnan(table).all(axis=1)], fixed, penalty)
"""

ROWS_UNDEFINED = f"""
{stars()}

right = half_step


def half_step(table, fixed, penalty):
    solved = right(table, fixed, penalty)
    solved[np.isnan(table).all(axis=1)] = np.nan
    return solved
"""

ONE_MATRIX = """
def half_step(table, fixed, penalty):
    left = fixed.T @ fixed + penalty * np.eye(fixed.shape[1])
    return np.linalg.solve(left, fixed.T @ np.nan_to_num(table).T).T
"""

CLICKS = """
def half_step_clicks(counts, fixed, alpha, penalty, gap_weight):
    n_factors = fixed.shape[1]
    solved = np.zeros((counts.shape[0], n_factors))
    base = {base}
    for row in range(len(solved)):
        stored = slice(counts.indptr[row], counts.indptr[row + 1])
        vectors, r = fixed[counts.indices[stored]], counts.data[stored]
        c = {c}
        left = base + vectors.T @ (vectors * ({beyond})[:, None])
        solved[row] = np.linalg.solve(left, vectors.T @ ({target}))
    return solved
"""


def clicks(**changes):
    right = {
        "base": "gap_weight * (fixed.T @ fixed) + penalty * np.eye(n_factors)",
        "c": "1 + alpha * r",
        "beyond": "c - gap_weight",
        "target": "c",
    }
    return CLICKS.format(**{**right, **changes})


EVERY_FILM_FOR_EVERY_ROW = """
def half_step_clicks(counts, fixed, alpha, penalty, gap_weight):
    solved = np.zeros((counts.shape[0], fixed.shape[1]))
    for row in range(len(solved)):
        r = counts[[row]].toarray().ravel()
        c = np.where(r > 0, 1 + alpha * r, gap_weight)
        left = fixed.T @ (fixed * c[:, None]) + penalty * np.eye(fixed.shape[1])
        solved[row] = np.linalg.solve(left, fixed.T @ (c * (r > 0)))
    return solved
"""

BASE_IN_THE_LOOP = clicks(
    base="penalty * np.eye(n_factors)",
    c="1 + alpha * r; base = gap_weight * (fixed.T @ (fixed * 1.0)) + penalty * np.eye(n_factors)",
)


def check(*lines, films="[[2.0, 0.0], [1.0, 1.0], [0.0, 1.0]]", rows="[[2.0, 0.0, 1.0], [0.0, 3.0, 0.0], [0, 0, 0]]"):
    return "\n    ".join(
        [
            "def check_fold_in(fold_in):",
            f"films, rows = np.array({films}), np.array({rows})",
            *lines,
        ]
    )


def gradients(alpha="2.0", penalty="4.0"):
    """The right check, with one alpha and one penalty."""
    return (
        f"found = fold_in(rows, films, {alpha}, {penalty})",
        "for row, vector in zip(rows, found):",
        f"    errors = (1 + {alpha} * row) * ((row > 0) - films @ vector)",
        f"    assert np.allclose(films.T @ errors, {penalty} * vector)",
    )


EXACT_TO_THE_LAST_DIGIT = (
    "weights = 1 + 2.0 * rows",
    "left = np.einsum('ui,ia,ib->uab', weights, films, films) + 4.0 * np.eye(films.shape[1])",
    "right = np.linalg.solve(left, ((weights * (rows > 0)) @ films)[:, :, None])[:, :, 0]",
    "assert (fold_in(rows, films, 2.0, 4.0) == right).all()",
)

RECALL = """
def mean_recall(scores):
    ranked = np.argsort({left}, axis=1, kind="stable")[:, :{k}]
    found = np.take_along_axis(held_out, ranked, axis=1).sum(axis=1)
    n_held_out = held_out.sum(axis=1)
    is_judged = {judged}
    return {mean}


recalls = {{penalty: mean_recall(viewers @ films.T) for penalty, (viewers, films) in models.items()}}
recalls["hits"] = mean_recall(np.broadcast_to({hits}, seen.shape))
"""


def recall(**changes):
    right = {
        "left": "-np.where(seen, -np.inf, scores)",
        "k": "10",
        "judged": "n_held_out > 0",
        "mean": "(found[is_judged] / n_held_out[is_judged]).mean()",
        "hits": "watched.sum(axis=0)",
    }
    return RECALL.format(**{**right, **changes})


FIT = """
def fit(step, table, viewers, films, penalty, n_epochs):
    for _ in range(n_epochs):
        {steps}
        factor = {factor}
        {scale}
    return viewers, films
"""


def fit(**changes):
    right = {
        "steps": "viewers = step(table, films, penalty); films = step(table.T, viewers, penalty)",
        "factor": "np.sqrt(np.linalg.norm(films) / np.linalg.norm(viewers))",
        "scale": "viewers, films = viewers * factor, films / factor",
    }
    return FIT.format(**{**right, **changes})


AT_ONCE = "viewers, films = step(table, films, penalty), step(table.T, viewers, penalty)"

BALANCED_AT_THE_END = """
def fit(step, table, viewers, films, penalty, n_epochs):
    for _ in range(n_epochs):
        viewers = step(table, films, penalty)
        films = step(table.T, viewers, penalty)
    factor = np.sqrt(np.linalg.norm(films) / np.linalg.norm(viewers))
    return viewers * factor, films / factor
"""


def by_hand(stars="[2.0, 0.0]", clicks="0.4"):
    return f"x_stars = np.array({stars})\nx_clicks = {clicks}"


WRONG = {
    "task-1": [
        Wrong("no penalty for stars", by_hand("[4.0, -2.0]"), 1, "so the penalty is missing"),
        Wrong("penalty in every entry", by_hand("[4.0, -3.0]"), 1, "belongs to the diagonal"),
        Wrong("penalty for each rating", by_hand("[1.45, 0.18]"), 1, "once for each rating"),
        Wrong("ratings swapped", by_hand("[1.6, 1.2]"), 1, "with the wrong ratings"),
        Wrong("not solved", by_hand("[6.0, 2.0]"), 1, "still to be solved"),
        Wrong("gap left out", by_hand(clicks="0.42"), 1, "the gap is missing"),
        Wrong("no penalty for clicks", by_hand(clicks="0.48"), 1, "the penalty is missing"),
        Wrong("weight without 1", by_hand(clicks="0.38"), 1, "the 1 is missing"),
        Wrong("watched once", by_hand(clicks="0.35"), 1, "the film was watched twice"),
        Wrong("count as the target", by_hand(clicks="0.8"), 1, "shall predict 1"),
        Wrong("watched counted twice", by_hand(clicks="10 / 29"), 1, "once too often"),
        Wrong("text", by_hand("[4.0, -2.0]", "'0.4'"), 2, "expected a number, received str"),
    ],
    "task-2": [
        Wrong("missing is 0", stars(ratings="np.nan_to_num(ratings)", vectors="fixed"), 4, "counted as a rating of 0"),
        Wrong("no penalty", stars(charge="0"), 4, "the penalty is missing"),
        Wrong("penalty in every entry", stars(charge="penalty"), 3, "it belongs to the diagonal"),
        Wrong(
            "penalty for each rating", stars(charge="penalty * len(vectors) * np.eye(fixed.shape[1])"), 4, "once for"
        ),
        Wrong("penalty squared", stars(charge="penalty**2 * np.eye(fixed.shape[1])"), 3, "the penalty was squared"),
        Wrong("zeros left out", stars(is_rated="np.nan_to_num(ratings) != 0"), 2, "ask for NaN, and not for 0"),
        Wrong("columns solved", SOLVED_BY_COLUMN, 4, "you solved for the columns"),
        Wrong("one matrix for all rows", ONE_MATRIX, 4, "counted as a rating of 0"),
        Wrong("empty rows left out", ROWS_LEFT_OUT, 2, "the row without ratings is missing"),
        Wrong("empty rows are NaN", ROWS_UNDEFINED, 2, "one without ratings: some entries are NaN"),
        Wrong("a list", stars().replace("return solved", "return solved.tolist()"), 4, "expected a NumPy array"),
        Wrong("no return", stars().replace("return solved", "pass"), 4, "does it end in `return`?"),
        Wrong(
            "table changed",
            stars().replace("    solved =", "    table[np.isnan(table)] = 0\n    solved ="),
            4,
            "work on",
        ),
        Wrong(
            "the book's function",
            "from scipy.sparse import csr_array\n\nfrom utils.als import half_step as book\n\n\n"
            "def half_step(table, fixed, penalty):\n"
            "    return book(csr_array(np.nan_to_num(table)), fixed, penalty=penalty)",
            4,
            "utils.als.half_step is switched off here",
        ),
        Wrong(
            "scikit-learn's function",
            "from sklearn.linear_model import Ridge\n\n\n"
            "def half_step(table, fixed, penalty):\n"
            "    known = ~np.isnan(table)\n"
            "    model = Ridge(alpha=penalty, fit_intercept=False)\n"
            "    return np.array([model.fit(fixed[k], row[k]).coef_ for row, k in zip(table, known)])",
            4,
            "is switched off here",
        ),
    ],
    "task-3": [
        # nobody sees it in a catalogue of 150,000 films, and the time is right
        Wrong("watched counted twice", clicks(beyond="c"), 3, "once too often"),
        Wrong(
            "gaps left out",
            clicks(base="penalty * np.eye(n_factors)", beyond="c"),
            4,
            "the gaps are missing",
        ),
        Wrong("no penalty", clicks(base="gap_weight * (fixed.T @ fixed)"), 3, "the penalty is missing"),
        Wrong("count as the target", clicks(target="c * r"), 3, "shall predict 1"),
        Wrong("no weight on the right", clicks(target="np.ones(len(r))"), 4, "the right side needs the weight c"),
        Wrong("part of the weight on the right", clicks(target="c - gap_weight"), 4, "and not only what goes beyond"),
        Wrong("weight without 1", clicks(c="alpha * r"), 4, "the 1 is missing"),
        Wrong("gap weight forgotten in the split", clicks(beyond="c - 1"), 1, "so c - g is to be added"),
        Wrong(
            "gap weight not used",
            clicks(base="fixed.T @ fixed + penalty * np.eye(n_factors)", beyond="c - 1"),
            1,
            "no effect",
        ),
        Wrong("gap weight for all", clicks(c="gap_weight * (1 + alpha * r)"), 1, "only gaps are weighted with g"),
        Wrong(
            "penalty weighted",
            clicks(base="gap_weight * (fixed.T @ fixed + penalty * np.eye(n_factors))"),
            1,
            "the penalty is weighted with g",
        ),
        Wrong("counts as 1", clicks(c="1 + alpha * np.ones(len(r))"), 3, "every count is taken as 1"),
        Wrong("dense", EVERY_FILM_FOR_EVERY_ROW, 1, "of the time of going through all films"),
        Wrong("all films in the loop", BASE_IN_THE_LOOP, 1, "is to be computed once, before the loop"),
        Wrong(
            "the book's function",
            "from utils.als import half_step as book\n\n\n"
            "def half_step_clicks(counts, fixed, alpha, penalty, gap_weight):\n"
            "    return book(counts, fixed, penalty=penalty, alpha=alpha)",
            4,
            "utils.als.half_step is switched off here",
        ),
    ],
    "task-4": [
        Wrong("never refuses", check("fold_in(rows, films, 2.0, 4.0)"), 3, "returns the mean of the watched films"),
        Wrong("always refuses", check("raise AssertionError"), 3, "your check refuses a function that is right"),
        Wrong(
            "shape only", check("assert fold_in(rows, films, 2.0, 4.0).shape == (3, 2)"), 3, "the mean of the watched"
        ),
        Wrong("alpha is 1", check(*gradients(alpha="1.0")), 1, "never looks at alpha"),
        Wrong(
            "counts of 1",
            check(*gradients(), rows="[[1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [0, 0, 0]]"),
            1,
            "let a count be 2 or more",
        ),
        Wrong("no gap", check(*gradients(), rows="[[2.0, 1.0, 1.0], [1.0, 3.0, 1.0], [0, 0, 0]]"), 1, "have a gap"),
        Wrong("one number", check(*gradients(), films="[[2.0], [1.0], [1.5]]"), 1, "vectors of two numbers or more"),
        Wrong("one newcomer", check(*gradients(), rows="[[2.0, 0.0, 1.0]]"), 1, "let two of them come"),
        Wrong(
            "nobody without films",
            check(*gradients(), rows="[[2.0, 0.0, 1.0], [0.0, 3.0, 0.0]]"),
            1,
            "gives a newcomer without films the mean",
        ),
        Wrong("penalty of next to nothing", check(*gradients(penalty="1e-9")), 1, "let the penalty be large enough"),
        Wrong("exact comparison", check(*EXACT_TO_THE_LAST_DIGIT), 2, "compare with np.allclose"),
        Wrong(
            "refuses the zero vector",
            check(*gradients(), "assert (found != 0).any(axis=1).all()"),
            3,
            "your check refuses a function that is right",
        ),
    ],
    "task-5": [
        Wrong("seen films listed", recall(left="-scores"), 2, "are still in the lists"),
        Wrong("eleven places", recall(k="11"), 2, "eleven films in a list"),
        Wrong("nine places", recall(k="9"), 2, "nine films in a list"),
        Wrong(
            "nothing put aside counts as 0",
            recall(mean="(found / np.maximum(n_held_out, 1)).mean()"),
            2,
            "viewers without a film put aside count as 0",
        ),
        Wrong("precision", recall(mean="found[is_judged].mean() / 10"), 2, "which makes precision of it"),
        Wrong("pooled", recall(mean="found.sum() / n_held_out.sum()"), 2, "take the share of each viewer"),
        Wrong("hit rate", recall(mean="(found[is_judged] > 0).mean()"), 2, "for whom anything was found"),
        Wrong("lowest first", recall(left="np.where(seen, np.inf, scores)"), 2, "the lowest scores"),
        Wrong("hits of the test", recall(hits="watched.sum(axis=0) + held_out.sum(axis=0)"), 1, "the test leaks"),
        Wrong("hits of the test only", recall(hits="held_out.sum(axis=0)"), 1, "put aside only"),
        Wrong(
            "numbers as text",
            recall() + "\nrecalls = {key: str(value) for key, value in recalls.items()}",
            2,
            "expected a number, received str",
        ),
        Wrong(
            "the book's function",
            "from utils.metrics import rank_items\n"
            + recall().replace("np.argsort", "rank_items").replace(', axis=1, kind="stable")[:, :10]', ", 10)"),
            2,
            "name 'recalls' is not defined",
        ),
    ],
    "task-7": [
        Wrong("nothing repaired", "fit = colleagues_fit", 2, "by which number is one side multiplied"),
        Wrong("root missing", fit(factor="np.linalg.norm(films) / np.linalg.norm(viewers)"), 2, "and should be equal"),
        Wrong("old vectors", fit(steps=AT_ONCE), 1, "solved with the old vectors of the viewers"),
        Wrong("wrong way round", fit(factor="np.sqrt(np.linalg.norm(viewers) / np.linalg.norm(films))"), 2, "be equal"),
        Wrong("no balance", fit(factor="1"), 2, "and should be equal"),
        Wrong("balanced at the end", BALANCED_AT_THE_END, 1, "but at the end"),
        Wrong(
            "films first",
            fit(steps="films = step(table.T, viewers, penalty); viewers = step(table, films, penalty)"),
            1,
            "the films come first",
        ),
        Wrong(
            "unit length",
            fit(scale="viewers, films = viewers / np.linalg.norm(viewers), films / np.linalg.norm(films)"),
            1,
            "the predictions are changed",
        ),
        Wrong(
            "films only", fit().replace("return viewers, films", "return films"), 2, "return the viewers and the films"
        ),
    ],
}


class TestAls(AssignmentContract):
    name = "als"
    wrong = WRONG
