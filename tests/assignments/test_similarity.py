"""The wrong answers to the assignment `similarity`."""

from tests.assignments.wrong_answers import AssignmentContract, Wrong

TABLE = """
def score_table(queries, items, measure):
    products = {products}
    query_lengths = np.linalg.norm(queries, axis=1, keepdims=True)
    item_lengths = np.linalg.norm(items, axis=1)
    if measure == "dot":
        return {dot}
    if measure == "cosine":
        return {cosine}
    squares = query_lengths**2 + item_lengths**2 - 2 * products
    return {euclidean}
"""


def table(**changes):
    right = {
        "products": "queries @ items.T",
        "dot": "products",
        "cosine": "products / (query_lengths * item_lengths)",
        "euclidean": "-np.sqrt(np.maximum(squares, 0))",
    }
    return TABLE.format(**{**right, **changes})


def swapped():
    return (
        f"{table()}\n\n\nright = score_table\n\n\ndef score_table(q, y, measure):\n    return right(q, y, measure).T\n"
    )


EQUAL_TO_EVERYTHING = """
class Anything:
    shape = (2, 3)
    __array_priority__ = 1000

    def __eq__(self, other):
        return True

    def __array__(self, *args, **kwargs):
        return np.zeros((2, 3))


def score_table(queries, items, measure):
    return Anything()
"""

LEFT = "left = np.where(has_seen, -np.inf, table)"
RETURN = "return np.argsort(left, axis=1, kind='stable')[:, :k]"


def best(*lines):
    return "\n    ".join(["def best_items(table, has_seen, k):", *lines])


def check(*lines):
    return "\n    ".join(
        [
            "def check_nearest(nearest):",
            "items = np.array([[9.0, 9.0], [1.2, 0.7], [1.0, 3.0], [3.0, 1.0], [0.3, 0.3], [1.0, 1.0]])",
            "query = np.array([1.0, 1.0])",
            *lines,
        ]
    )


SHARE = """
popular_share = {{}}
for measure in ("dot", "cosine", "euclidean"):
    values = score_table({queries}, item_factors, measure)
    itself = {itself}
    rows = best_items(values, itself, {k}){cut}
    popular_share[measure] = {share}
"""


def share(**changes):
    right = {
        "queries": "item_factors",
        "itself": "np.eye(*values.shape, dtype=bool)",
        "k": "10",
        "cut": "",
        "share": "is_popular[rows].mean()",
    }
    return SHARE.format(**{**right, **changes})


def add(squares="(items**2).sum(axis=1)", extra="np.sqrt(squares.max() - squares)", items="items", last="zeros"):
    return f"""
def add_coordinate(items, queries):
    squares = {squares}
    extra = {extra}
    return np.column_stack([{items}, extra]), np.column_stack([queries, np.{last}(len(queries))])
"""


WRONG = {
    "task-1": [
        Wrong(
            "farthest first",
            'orders = {"dot": "ACB", "cosine": "BCA", "euclidean": "ABC"}\ndistance_to_c = 0.94',
            1,
            "you ranked the largest distance first",
        ),
        Wrong(
            "lengths not divided out",
            'orders = {"dot": "ACB", "cosine": "ACB", "euclidean": "CBA"}\ndistance_to_c = 0.94',
            1,
            "this is the order by inner product",
        ),
        Wrong(
            "cosine for dot",
            'orders = {"dot": "BCA", "cosine": "BCA", "euclidean": "CBA"}\ndistance_to_c = 0.94',
            1,
            "keep the lengths of the films",
        ),
        Wrong(
            "squared distance",
            'orders = {"dot": "ACB", "cosine": "BCA", "euclidean": "CBA"}\ndistance_to_c = 0.89',
            1,
            "squared distance: take the root",
        ),
        Wrong(
            "steps along the axes, and one order for all",
            'orders = {"dot": "ACB", "cosine": "ACB", "euclidean": "ACB"}\ndistance_to_c = 1.3',
            2,
            "not the straight line",
        ),
        Wrong(
            "a minus sign too many",
            'orders = {"dot": "ACB", "cosine": "BCA", "euclidean": "CBA"}\ndistance_to_c = -0.94',
            1,
            "a distance has no minus sign",
        ),
        Wrong(
            "a distance that is a text",
            'orders = {"dot": "ACB", "cosine": "BCA", "euclidean": "CBA"}\ndistance_to_c = "0.94"',
            1,
            "expected a number, received str",
        ),
    ],
    "task-2": [
        Wrong("queries and items swapped", swapped(), 4, "you have them swapped"),
        # the share of Task 5 is wrong then, too
        Wrong("cosine for dot", table(dot="products / (query_lengths * item_lengths)"), 3, "makes cosines of them"),
        Wrong("dot for cosine", table(cosine="products"), 2, "you did not divide by the lengths"),
        # one length of two is enough, or just as bad, for a ranking: Task 5 notices where it is not
        Wrong("only the query's length", table(cosine="products / query_lengths"), 2, "length of the query only"),
        Wrong("only the item's length", table(cosine="products / item_lengths"), 1, "length of the item only"),
        Wrong("squared lengths", table(cosine="products / (query_lengths * item_lengths)**2"), 2, "squared lengths"),
        Wrong(
            "columns measured",
            table(
                cosine="(queries / np.linalg.norm(queries, axis=0)) @ (items / np.linalg.norm(items, axis=0)).T",
            ),
            2,
            "a vector is a row (axis=1)",
        ),
        Wrong("far is good", table(euclidean="np.sqrt(np.maximum(squares, 0))"), 2, "enters with a minus sign"),
        Wrong("squared distance", table(euclidean="-squares"), 1, "these are squared distances"),
        Wrong(
            "steps along the axes",
            table(euclidean="-np.abs(queries[:, None] - items).sum(axis=2)"),
            2,
            "you added the steps along the axes",
        ),
        Wrong("a list", table(dot="products.tolist()"), 2, "expected a NumPy array, received list"),
        Wrong("no return", table(dot="None"), 4, "does it end in `return`?"),
        Wrong(
            "the book's function",
            "from utils.similarity import scores as score_table",
            6,
            "utils.similarity.scores is switched off here",
        ),
        Wrong(
            "scikit-learn's functions",
            "from sklearn.metrics.pairwise import cosine_similarity as cosines\n"
            + table(cosine="cosines(queries, items)"),
            2,
            "sklearn.metrics.pairwise.cosine_similarity is switched off here",
        ),
        Wrong("equal to everything", EQUAL_TO_EVERYTHING, 6, "expected a NumPy array, received Anything"),
        Wrong(
            "changes its input",
            table(products="np.multiply(queries, 2, out=queries) @ items.T / 2"),
            5,
            "work on a copy",
        ),
    ],
    "task-3": [
        Wrong("lowest first", best("left = np.where(has_seen, np.inf, table)", RETURN), 6, "the lowest scores first"),
        Wrong(
            "k - 1",
            best(LEFT, "return np.argsort(-left, axis=1, kind='stable')[:, : k - 1]"),
            6,
            "one item too few",
        ),
        Wrong(
            "k + 1",
            best(LEFT, "return np.argsort(-left, axis=1, kind='stable')[:, : k + 1]"),
            6,
            "one item too many",
        ),
        Wrong(
            "counted from 1",
            best(LEFT, "return np.argsort(-left, axis=1, kind='stable')[:, 1 : k + 1]"),
            6,
            "you left the best item out",
        ),
        Wrong(
            "not masked",
            best("return np.argsort(-table, axis=1, kind='stable')[:, :k]"),
            4,
            "items that were seen are still in the list",
        ),
        Wrong(
            "masked with 0",
            best("return np.argsort(-np.where(has_seen, 0, table), axis=1, kind='stable')[:, :k]"),
            2,
            "a seen item got the score 0",
        ),
        Wrong(
            "an ascending order turned around",
            best(LEFT, "return np.argsort(left, axis=1, kind='stable')[:, ::-1][:, :k]"),
            1,
            "of equal scores the larger number comes first",
        ),
        Wrong(
            "seen items listed",
            best(
                "left = np.where(has_seen, table, -np.inf)",
                "return np.argsort(-left, axis=1, kind='stable')[:, :k]",
            ),
            6,
            "you listed the items that were seen",
        ),
        Wrong(
            "masked in place",
            best("table[has_seen] = -np.inf", "return np.argsort(-table, axis=1, kind='stable')[:, :k]"),
            2,
            "changed the array that it was given",
        ),
        Wrong(
            "right set, wrong order",
            best(LEFT, "return np.argsort(-left, axis=1, kind='stable')[:, :k][:, ::-1]"),
            4,
            "the right items in the wrong order",
        ),
        Wrong(
            "a row for each place",
            best(LEFT, "return np.argsort(-left, axis=1, kind='stable')[:, :k].T"),
            4,
            "a row for each query is asked for",
        ),
        Wrong("scores instead of numbers", best(LEFT, "return -np.sort(-left, axis=1)[:, :k]"), 6, "whole numbers"),
        Wrong(
            "the book's function",
            "from utils.metrics import rank_items\n" + best(LEFT, "return rank_items(left, k)"),
            6,
            "utils.metrics.rank_items is switched off here",
        ),
    ],
    "task-4": [
        Wrong("never refuses", check("nearest(query, items, 3)"), 3, "accepts a function that returns the farthest"),
        Wrong("always refuses", check("raise AssertionError"), 3, "your check refuses a function that is right"),
        Wrong("shape only", check("assert nearest(query, items, 3).shape == (3,)"), 3, "returns the farthest"),
        Wrong("the first only", check("assert nearest(query, items, 3)[0] == 5"), 1, "your check accepts k - 1 items"),
        Wrong(
            "sets compared",
            check(
                "for k in (1, 3, 5):",
                "    assert set(nearest(query, items, k).tolist()) == set([5, 1, 4, 2, 3][:k])",
            ),
            1,
            "do not compare sets",
        ),
        Wrong(
            "no equal distances",
            check("items = items[[0, 1, 2, 4, 5]]", "assert nearest(query, items, 4).tolist() == [4, 1, 3, 2]"),
            1,
            "put two items at one distance",
        ),
        Wrong(
            "one direction only",
            check(
                "items = np.array([[4.0, 4.0], [3.0, 3.0], [2.0, 2.0], [2.0, 2.0]])",
                "query = np.array([9.0, 9.0])",
                "assert nearest(query, items, 4).tolist() == [0, 1, 2, 3]",
            ),
            1,
            "your check accepts a function that ranks by inner product",
        ),
        Wrong(
            "all of one length",
            check(
                "items = np.array([[0.0, 1.0], [1.0, 0.0], [0.6, 0.8], [1.0, 0.0]])",
                "query = np.array([1.0, 0.0])",
                "assert nearest(query, items, 3).tolist() == [1, 3, 2]",
            ),
            1,
            "your check accepts a function that ranks by inner product",
        ),
        Wrong(
            "query at the origin",
            check(
                "query = np.zeros(2)",
                "for k in (1, 3):",
                "    assert nearest(query, items, k).tolist() == [4, 1, 5][:k]",
            )
            .replace("[0.3, 0.3]", "[0.3, 0.4]")
            .replace("[1.2, 0.7]", "[1.0, 1.0]"),
            1,
            "do not put the query at the origin",
        ),
        Wrong(
            "a list asked for",
            check("assert nearest(query, items, 3) == [5, 1, 4]"),
            3,
            "your check refuses a function that is right",
        ),
        Wrong(
            "larger number first",
            check("assert nearest(query, items, 5).tolist() == [5, 1, 4, 3, 2]"),
            3,
            "your check refuses a function that is right",
        ),
    ],
    "task-5": [
        Wrong(
            "itself listed",
            share(itself="np.zeros(values.shape, dtype=bool)"),
            2,
            "the film itself is still in its row",
        ),
        Wrong("eleven places", share(itself="np.zeros(values.shape, dtype=bool)", k="11"), 2, "eleven places in a row"),
        Wrong(
            "different films",
            share(share="is_popular[np.unique(rows)].mean()"),
            2,
            "counted the films that are listed",
        ),
        Wrong(
            "rows with a hit",
            share(share="is_popular[rows].any(axis=1).mean()"),
            2,
            "counted the rows with a popular",
        ),
        Wrong(
            "viewers as queries",
            share(queries="user_factors", itself="np.zeros(values.shape, dtype=bool)"),
            2,
            "you took the viewers as queries",
        ),
        Wrong("percentages", share(share="100 * is_popular[rows].mean()"), 2, "and not a percentage"),
        Wrong(
            "worst films",
            share(share="is_popular[best_items(-values, itself, 10)].mean()"),
            2,
            "you have the worst films in the rows",
        ),
        Wrong("numbers as text", share(share="str(is_popular[rows].mean())"), 2, "expected a number, received str"),
    ],
    "task-7": [
        Wrong("nothing repaired", add("np.linalg.norm(items, axis=1)", last="ones"), 2, "should be equal"),
        Wrong("squares still missing", add("np.linalg.norm(items, axis=1)"), 2, "should be equal"),
        Wrong("queries still get a 1", add(last="ones"), 1, "must not add to its inner products"),
        Wrong("unit items", add(items="items / np.sqrt(squares)[:, None]"), 2, "their inner products are lost"),
        Wrong("the mean length", add(extra="np.sqrt(squares.mean() - squares)"), 2, "a root was taken of less than 0"),
        Wrong("root forgotten", add(extra="squares.max() - squares"), 2, "should be equal"),
        Wrong(
            "the book's function",
            "from utils.similarity import augment_for_mips as add_coordinate",
            2,
            "utils.similarity.augment_for_mips is switched off here",
        ),
        Wrong(
            "items only",
            add().replace("np.column_stack([queries, np.zeros(len(queries))])", "queries"),
            1,
            "the queries need a new coordinate, too",
        ),
    ],
}


class TestSimilarity(AssignmentContract):
    name = "similarity"
    wrong = WRONG
