"""The wrong answers to the assignment `averaging`."""

from tests.assignments.wrong_answers import AssignmentContract, Wrong


def by_hand(found=(1, 2, 1, 1, 0, 1), raw="0.5", centred="0.83"):
    pairs = dict(zip(("AB", "AC", "AD", "BC", "BD", "CD"), found))
    return f'n_found = {pairs}\nby_hand = {{"raw": {raw}, "centred": {centred}}}'


SHARES = """
def consistency(items, subsets, measure):
    averages = {averages}
    if measure == "euclidean":
        values = {euclidean}
    elif measure == "cosine":
        values = {cosine}
    else:
        values = {dot}
    k = subsets.shape[1]
    places = {places}
    last = np.sort(values, axis=1)[:, [-places]]
    is_above, is_last = values > last, values == last
    n_left = places - is_above.sum(axis=1, keepdims=True)
    counts = {counts}
    return {result}
"""


def shares(**changes):
    right = {
        "averages": "items[subsets].mean(axis=1)",
        "dot": "averages @ items.T",
        "cosine": "averages @ items.T / np.linalg.norm(items, axis=1)",
        "euclidean": "-((averages[:, None] - items) ** 2).sum(axis=2)",
        "places": "k",
        "counts": "is_above + is_last * n_left / is_last.sum(axis=1, keepdims=True)",
        "result": "np.take_along_axis(counts, subsets, axis=1).mean()",
    }
    return SHARES.format(**{**right, **changes})


STABLE = "(np.argsort(np.argsort(-values, axis=1, kind='stable'), axis=1) < k).astype(float)"

YARDSTICKS = """
def head_start(items, subsets):
    values = {values} @ items.T
    is_member = np.zeros(values.shape, dtype=bool)
    np.put_along_axis(is_member, subsets, True, axis=1)
    s_in, s_out = values[is_member], values[{others}]
    return {g}, {rho}


def longest_playlist(d, n_items):
    longest = 0
    for k in range(1, {end}):
        if d < {needed}:
            {stop}
        longest = k
    return {longest}
"""


def yardsticks(**changes):
    right = {
        "values": "items[subsets].mean(axis=1)",
        "others": "~is_member",
        "g": "(s_in.mean() - s_out.mean()) / s_out.std()",
        "rho": "s_in.std() / s_out.std()",
        "end": "(n_items + 1) // 2",
        "needed": "k * norm.ppf(k / (2 * (n_items - k))) ** 2",
        "stop": "break",
        "longest": "longest",
    }
    return YARDSTICKS.format(**{**right, **changes})


SPREAD = "[[4.0, 0.0], [6.0, 0.0], [5.0, 8.0], [5.0, 2.0], [5.0, 3.0], [9.0, 9.0], [15.0, 1.0]]"


def check(*lines):
    return "\n    ".join(
        [
            "def check_share(share_found):",
            "tied = np.array([[0.0, 0.0], [2.0, 0.0], [1.0, 1.0], [9.0, 9.0], [-8.0, 9.0]])",
            f"spread = np.array({SPREAD})",
            "def gives(items, subset, right):",
            "    return abs(share_found(items, np.array(subset)) - right) < 1e-6",
            *lines,
        ]
    )


MEASURE = """
comes_back = {{}}
moved = {moved}
for kind, playlists in {kinds}:
    comes_back[f"{{kind}}, raw"] = {raw}
    comes_back[f"{{kind}}, centred"] = {centred}
"""


def measure(**changes):
    right = {
        "moved": "film_vectors - film_vectors.mean(axis=0)",
        "kinds": '(("random", random_lists), ("histories", histories))',
        "raw": 'consistency(film_vectors, playlists, "dot")',
        "centred": 'consistency(moved, playlists, "dot")',
    }
    return MEASURE.format(**{**right, **changes})


RECALL = """
def recall_of_profiles(vectors, seen, held_out, k):
    profiles = seen @ vectors / seen.sum(axis=1, keepdims=True)
    values = {values}
    listed = np.argsort(-values, axis=1, kind="stable")[:, :k]
    is_wanted = {wanted}
    n_hits = np.take_along_axis(is_wanted, listed, axis=1).sum(axis=1)
    n_wanted = is_wanted.sum(axis=1)
    who = n_wanted > 0
    return {result}
"""


def recall(**changes):
    right = {
        "values": "np.where(seen, -np.inf, profiles @ vectors.T)",
        "wanted": "held_out",
        "result": "(n_hits[who] / n_wanted[who]).mean()",
    }
    return RECALL.format(**{**right, **changes})


WRONG = {
    "task-1": [
        Wrong("cosine for dot", by_hand((1, 2, 0, 1, 2, 1), raw="0.58"), 2, "this is what comes back by cosine"),
        Wrong("centred first", by_hand((2, 2, 1, 1, 2, 2)), 1, "these are the numbers after centring"),
        Wrong("the worst songs", by_hand((1, 0, 1, 1, 2, 1)), 1, "the songs with the lowest scores"),
        Wrong("everybody finds itself", by_hand((2, 2, 2, 2, 2, 2), raw="1.0"), 2, "not every playlist finds itself"),
        Wrong("songs for each playlist", by_hand(raw="1.0", centred="1.67"), 1, "the share of two is asked for"),
        Wrong("number of songs", by_hand(raw="6", centred="10"), 1, "divide by the twelve that there could be"),
        Wrong("centring forgotten", by_hand(centred="0.5"), 1, "nothing has changed"),
        Wrong("divided by all songs", by_hand(raw="0.25", centred="0.42"), 1, "a playlist has two"),
    ],
    "task-2": [
        # what comes back by inner product is measured in Task 5, too
        Wrong("k + 1", shares(places="k + 1"), 6, "one place too many"),
        Wrong("k - 1", shares(places="k - 1"), 6, "one place too few"),
        Wrong("cosine for dot", shares(dot="averages @ items.T / np.linalg.norm(items, axis=1)"), 4, "by cosine"),
        Wrong("dot for cosine", shares(cosine="averages @ items.T"), 1, "divide by the item's length"),
        Wrong(
            "only the length of the average",
            shares(cosine="averages @ items.T / np.linalg.norm(averages, axis=1, keepdims=True)"),
            1,
            "divide by the item's length",
        ),
        Wrong(
            "sum for mean", shares(averages="items[subsets].sum(axis=1)"), 2, "an average and a sum are not the same"
        ),
        Wrong("far is good", shares(euclidean="((averages[:, None] - items) ** 2).sum(axis=2)"), 2, "lowest scores"),
        Wrong("steps along the axes", shares(euclidean="-np.abs(averages[:, None] - items).sum(axis=2)"), 2, "steps"),
        Wrong(
            "number for share", shares(result="k * np.take_along_axis(counts, subsets, axis=1).mean()"), 6, "the share"
        ),
        Wrong("smaller number first", shares(counts=STABLE), 1, "the smaller number comes first"),
        Wrong(
            "larger number first",
            shares(counts="(np.argsort(np.argsort(values, axis=1, kind='stable'), axis=1) >= len(items) - k) * 1.0"),
            1,
            "the larger number comes first",
        ),
        Wrong(
            "all that tie", shares(counts="(values >= last) * 1.0"), 1, "all items that tie for the last places count"
        ),
        Wrong(
            "none that ties",
            shares(counts="(values >= last) * (is_above | (n_left >= is_last.sum(axis=1, keepdims=True)))"),
            1,
            "ties",
        ),
        Wrong("members left out", shares(result="0.0 * counts.mean()"), 6, "members"),
        Wrong(
            "one share for each subset",
            shares(result="np.take_along_axis(counts, subsets, axis=1).mean(axis=1)"),
            6,
            "number",
        ),
        Wrong("no return", shares().replace("return", "answer ="), 6, "does it end in `return`?"),
        Wrong(
            "the book's function",
            "from utils.consistency import simulate_consistency\n\n\n"
            "def consistency(items, subsets, measure):\n"
            "    return simulate_consistency(items, None, subsets=subsets, measure=measure, rng=None).mean",
            6,
            "utils.consistency.simulate_consistency is switched off here",
        ),
        Wrong(
            "another of the book's functions",
            "from utils.similarity import scores\n" + shares(dot="scores(averages, items, 'dot')"),
            5,
            "utils.similarity.scores is switched off here",
        ),
    ],
    "task-3": [
        Wrong("all for out", yardsticks(others="is_member | True"), 2, "s_out are those that are not in"),
        Wrong("sd of the members", yardsticks(g="(s_in.mean() - s_out.mean()) / s_in.std()"), 2, "deviation of s_in"),
        Wrong("variances", yardsticks(rho="s_in.var() / s_out.var()"), 2, "this is the ratio of the variances"),
        Wrong("turned round", yardsticks(rho="s_out.std() / s_in.std()"), 2, "the ratio is turned round"),
        Wrong(
            "others first", yardsticks(g="(s_out.mean() - s_in.mean()) / s_out.std()"), 2, "the sign is turned round"
        ),
        Wrong("not divided", yardsticks(g="s_in.mean() - s_out.mean()"), 2, "divide by the standard deviation"),
        Wrong(
            "the formula",
            yardsticks(g="np.sqrt(items.shape[1] / subsets.shape[1])", rho="np.sqrt(1 + 1 / subsets.shape[1])"),
            2,
            "measure the items that are given",
        ),
        Wrong("one number", yardsticks().replace(", s_in.std() / s_out.std()", ""), 2, "return two numbers"),
        Wrong("one song too many", yardsticks(longest="longest + 1"), 2, "return the last k for which it held"),
        Wrong("one song too few", yardsticks(longest="max(0, longest - 1)"), 2, "one song too few"),
        Wrong("the largest k at all", yardsticks(end="min(1000, (n_items + 1) // 2)", stop="continue"), 2, "largest k"),
        Wrong("the bound", yardsticks(needed="2 * k * np.log(n_items / k)"), 2, "this is by the bound"),
        Wrong(
            "no square",
            yardsticks(needed="-k * norm.ppf(k / (2 * (n_items - k)))", end="min(3000, (n_items + 1) // 2)"),
            2,
            "the square is missing",
        ),
        Wrong(
            "k for k / 2",
            yardsticks(needed="k * norm.ppf(min(0.5, k / (n_items - k))) ** 2", end="min(1000, (n_items + 1) // 2)"),
            2,
            "k / 2",
        ),
        Wrong(
            "the book's function",
            "from utils.consistency import half_point\n" + yardsticks(needed="half_point(n_items, k)"),
            2,
            "utils.consistency.half_point is switched off here",
        ),
    ],
    "task-4": [
        Wrong("never refuses", check("gives(spread, [0, 1], 1)"), 3, "a function that ranks by inner product"),
        Wrong("always refuses", check("raise AssertionError"), 3, "your check refuses a function that is right"),
        Wrong("only a number", check("assert 0 <= share_found(spread, np.array([0, 1])) <= 1"), 3, "by inner product"),
        Wrong(
            "no ties",
            check(
                "for u, share in (([0, 1], 1), ([0, 1, 2, 5], 0.5), ([4, 6, 3], 2 / 3)):",
                "    assert gives(spread, u, share)",
            ),
            1,
            "let a member tie with another item",
        ),
        Wrong(
            "everything comes back",
            check("assert gives(spread, [0, 1], 1)"),
            2,
            "let a member be the next one behind the list",
        ),
        Wrong(
            "ties that do not matter",
            check("assert gives(spread, [0, 1, 2, 5], 0.5)", "assert gives(spread, [0, 1], 1)"),
            1,
            "let a member tie with another item",
        ),
        Wrong(
            "smaller number first",
            check("assert gives(tied, [0, 1], 1)"),
            3,
            "your check refuses a function that is right",
        ),
        Wrong(
            "sums asked for",
            check("assert gives(spread, [4, 6, 3], 1 / 3)"),
            3,
            "your check refuses a function that is right",
        ),
        Wrong(
            "more than nothing",
            check(
                "assert 0 < share_found(spread, np.array([0, 1])) <= 1",
                "assert share_found(tied, np.array([0, 1])) < 0.9",
            ),
            1,
            "the sum for the average",
        ),
    ],
    "task-5": [
        Wrong(
            "centred by films", measure(moved="film_vectors - film_vectors.mean(axis=1, keepdims=True)"), 1, "axis=0"
        ),
        Wrong("not centred", measure(moved="film_vectors"), 1, "this is the number for the raw vectors"),
        Wrong(
            "length 1",
            measure(moved="film_vectors / np.linalg.norm(film_vectors, axis=1, keepdims=True)"),
            1,
            "you scaled the vectors to length 1",
        ),
        Wrong(
            "standardised",
            measure(moved="(film_vectors - film_vectors.mean(axis=0)) / film_vectors.std(axis=0)"),
            1,
            "by the spread of each coordinate",
        ),
        Wrong("by cosine", measure(raw='consistency(film_vectors, playlists, "cosine")'), 1, "this is by cosine"),
        Wrong(
            "by distance", measure(raw='consistency(film_vectors, playlists, "euclidean")'), 1, "this is by distance"
        ),
        Wrong(
            "swapped", measure(kinds='(("histories", random_lists), ("random", histories))'), 2, "the other playlists"
        ),
        Wrong(
            "raw and centred swapped",
            measure(
                moved="film_vectors", raw='consistency(film_vectors - film_vectors.mean(axis=0), playlists, "dot")'
            ),
            2,
            "this is the number after centring",
        ),
        Wrong(
            "films counted", measure(raw='10 * consistency(film_vectors, playlists, "dot")'), 1, "not a number of films"
        ),
        Wrong("text", measure(raw='str(consistency(film_vectors, playlists, "dot"))'), 1, "a number, received str"),
    ],
    "task-7": [
        Wrong(
            "nothing repaired",
            "recall_of_profiles = colleagues_recall",
            2,
            "films that were seen are counted as wanted",
        ),
        Wrong(
            "seen films listed", recall(values="profiles @ vectors.T"), 2, "films that were seen are still in the lists"
        ),
        Wrong("seen films wanted", recall(wanted="seen | held_out"), 2, "films that were seen are counted as wanted"),
        Wrong("precision", recall(result="(n_hits[who] / k).mean()"), 2, "this is precision"),
        Wrong(
            "all in one", recall(result="n_hits.sum() / n_wanted.sum()"), 2, "take each viewer's recall, then the mean"
        ),
        Wrong("nothing put aside", recall(result="(n_hits / n_wanted).mean()"), 1, "the mean is NaN"),
        Wrong(
            "nothing put aside, as 0",
            recall(result="(n_hits / np.maximum(n_wanted, 1)).mean()"),
            1,
            "counts as 0: leave such viewers out",
        ),
        Wrong("seen films at 0", recall(values="np.where(seen, 0, profiles @ vectors.T)"), 1, "got the score 0"),
        Wrong(
            "the book's function",
            "from utils.metrics import recall_at_k\n" + recall(result="recall_at_k(listed, held_out).mean()"),
            2,
            "utils.metrics.recall_at_k is switched off here",
        ),
    ],
}


class TestAveraging(AssignmentContract):
    name = "averaging"
    wrong = WRONG
