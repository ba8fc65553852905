import math
from html.parser import HTMLParser

import numpy as np
import pytest

from tests.oracles import slow_auc, slow_list, slow_metric
from utils import evaluation
from utils.data import Interactions, Split
from utils.evaluation import LIST_METRICS, TITLES, Estimate, Popularity, evaluate

# Popularity


def test_popularity_counts_events_and_cold_items():
    data = Interactions([0, 0, 1], [2, 2, 0], [1, 1, 1], None, ["Ann", "Ben"], ["Alien", "Heat", "Up"])
    assert Popularity(data).popularity.tolist() == [1, 0, 2]


def test_popularity_scores_everybody_alike():
    data = Interactions([0, 0, 1], [2, 2, 0], [1, 1, 1], None, ["Ann", "Ben"], ["Alien", "Heat", "Up"])
    assert Popularity(data).scores([1, 0, 1]).tolist() == [[1.0, 0.0, 2.0]] * 3


# evaluate

N_USERS, N_ITEMS = 30, 25


class Table:
    """A recommender that has all its scores, and remembers what it was asked."""

    def __init__(self, table):
        self.table = np.asarray(table)
        self.asked = []

    def scores(self, users):
        self.asked.append(users)
        return self.table[users]


def make_split(seed=0, n_events=300):
    """Return a split with users who have nothing in test, and items that a user has in train and test."""
    rng = np.random.default_rng(seed)
    data = Interactions(
        rng.integers(0, N_USERS - 2, n_events),
        (N_ITEMS * rng.random(n_events) ** 2).astype(int),
        rng.integers(1, 6, n_events),
        None,
        [f"user {user}" for user in range(N_USERS)],
        [f"item {item}" for item in range(N_ITEMS)],
    )
    return data.split_random(0.2, rng=rng)


def make_table(seed=1):
    return np.random.default_rng(seed).integers(0, 9, (N_USERS, N_ITEMS)).astype(np.float32)


def slow_evaluate(table, split, k, graded=False):
    """Return name of the measure → values of the users who have something to find, one user at a time."""
    train, test = split
    values = {name: [] for name in TITLES}
    listed = set()
    for user in range(train.n_users):
        seen = set(train.items[train.users == user].tolist())
        gains = [0.0] * train.n_items
        for event in np.flatnonzero(test.users == user):
            if test.items[event] not in seen:
                gains[test.items[event]] = float(test.values[event]) if graded else 1.0
        if not any(gains):
            continue
        scores = [-math.inf if item in seen else float(table[user, item]) for item in range(train.n_items)]
        ranked = slow_list(scores, k)
        listed.update(ranked)
        for name in LIST_METRICS:
            values[name].append(slow_metric(name, ranked, gains))
        values["auc"].append(slow_auc(scores, gains))
    values["coverage"] = len(listed - {-1}) / train.n_items
    return values


def mean_and_error(values):
    if isinstance(values, float):
        return pytest.approx((values, math.nan), nan_ok=True)
    return pytest.approx((np.mean(values), np.std(values, ddof=1) / math.sqrt(len(values))))


@pytest.mark.parametrize("graded", [False, True])
@pytest.mark.parametrize("k", [1, 10, 40])
def test_evaluate_agrees_with_one_user_at_a_time(k, graded):
    split, table = make_split(), make_table()
    evaluation = evaluate(Table(table), split, k, graded=graded, progress=False)
    expected = slow_evaluate(table, split, k, graded)
    assert evaluation.n_users == len(expected["recall"])
    for name, row in evaluation.rows.items():
        assert row.model == mean_and_error(expected[name]), name


def test_evaluate_reports_the_popularity_baseline_beside_the_model():
    split, k = make_split(), 5
    counts = np.bincount(split.train.items, minlength=N_ITEMS)
    evaluation = evaluate(Table(make_table()), split, k, progress=False)
    expected = slow_evaluate(np.tile(counts, (N_USERS, 1)), split, k)
    for name, row in evaluation.rows.items():
        assert row.popularity == mean_and_error(expected[name]), name


def test_evaluate_compares_user_by_user():
    split, table, k = make_split(), make_table(), 5
    counts = np.bincount(split.train.items, minlength=N_ITEMS)
    model, popularity = slow_evaluate(table, split, k), slow_evaluate(np.tile(counts, (N_USERS, 1)), split, k)
    evaluation = evaluate(Table(table), split, k, progress=False)
    for name, row in evaluation.rows.items():
        difference = np.subtract(model[name], popularity[name])
        assert row.difference == mean_and_error(float(difference) if name == "coverage" else difference), name


def test_evaluate_of_a_model_that_knows_the_test_is_perfect():
    split = make_split()
    evaluation = evaluate(Table(split.test.to_csr("ones").toarray()), split, 10, progress=False)
    assert [evaluation[name].model for name in ("hit_rate", "mrr", "map", "ndcg", "auc")] == [Estimate(1.0, 0.0)] * 5


def test_evaluate_of_a_graded_model_that_knows_the_test_is_perfect():
    split = make_split()
    evaluation = evaluate(Table(split.test.to_csr().toarray()), split, 10, metrics="ndcg", graded=True, progress=False)
    assert evaluation["ndcg"].model.mean == pytest.approx(1.0, rel=1e-15)


def test_evaluate_ignores_the_scores_of_training_items():
    split, table = make_split(), make_table()
    boosted = table + 1000 * split.train.to_csr("ones").toarray()
    assert evaluate(Table(boosted), split, progress=False) == evaluate(Table(table), split, progress=False)


def test_evaluate_leaves_out_users_with_nothing_to_find_and_counts_them():
    labels = [f"{i}" for i in range(4)]
    train = Interactions([0, 1, 2], [0, 1, 2], [1, 1, 1], None, labels, labels)
    test = Interactions([0, 1], [3, 1], [1, 1], None, labels, labels)  # user 1 again with the same item
    model = Table(np.zeros((4, 4)))
    evaluation = evaluate(model, Split(train, test), 2, progress=False)
    assert (evaluation.n_users, evaluation.n_left_out) == (1, 3)
    assert np.concatenate(model.asked).tolist() == [0]


def test_evaluate_takes_a_graded_zero_as_not_relevant():
    labels = ["a", "b"]
    train = Interactions([], [], [], None, labels, labels)
    test = Interactions([0, 1], [0, 1], [0, 4], None, labels, labels)
    assert evaluate(Table(np.zeros((2, 2))), Split(train, test), graded=True, progress=False).n_left_out == 1


def test_evaluate_of_one_user_has_no_standard_error():
    labels = ["a", "b"]
    train = Interactions([], [], [], None, labels, labels)
    test = Interactions([0], [1], [1], None, labels, labels)
    recall = evaluate(Table(np.eye(2)), Split(train, test), 1, metrics="recall", progress=False)["recall"].model
    assert recall.mean == 0.0
    assert math.isnan(recall.standard_error)


def test_evaluate_averages_auc_over_users_for_whom_it_is_defined():
    labels = ["a", "b"]
    train = Interactions([0], [0], [1], None, labels, labels)
    test = Interactions([0, 1], [1, 1], [1, 1], None, labels, labels)  # user 0 has no other candidate left
    evaluation = evaluate(Table([[0, 0], [0, 1]]), Split(train, test), metrics=["auc", "recall"], progress=False)
    assert (evaluation.n_users, evaluation["auc"].model.mean) == (2, 1.0)


def test_evaluate_auc_that_nobody_has_is_nan():
    labels = ["a"]
    train = Interactions([], [], [], None, labels, labels)
    test = Interactions([0], [0], [1], None, labels, labels)
    evaluation = evaluate(Table([[1.0]]), Split(train, test), metrics="auc", progress=False)
    assert np.isnan(evaluation["auc"].model).all()


@pytest.mark.parametrize("max_scores", [1, 3 * N_ITEMS + 1])
def test_evaluate_in_small_blocks_gives_the_same(monkeypatch, max_scores):
    split, table = make_split(), make_table()
    expected = evaluate(Table(table), split, progress=False)
    monkeypatch.setattr(evaluation, "MAX_SCORES", max_scores)
    model = Table(table)
    assert repr(evaluate(model, split, progress=False)) == repr(expected)
    assert max(map(len, model.asked)) == max(1, max_scores // N_ITEMS)


def test_evaluate_does_not_change_the_scores_of_the_model():
    table = np.ones((2, 3))

    class Shared:
        def scores(self, users):
            return table  # no copy

    users, items = ["a", "b"], ["x", "y", "z"]
    train = Interactions([0, 1], [0, 1], [1, 1], None, users, items)
    test = Interactions([0, 1], [2, 2], [1, 1], None, users, items)
    evaluate(Shared(), Split(train, test), progress=False)
    assert (table == 1).all()


def test_evaluate_takes_some_metrics_in_their_order():
    evaluation = evaluate(Table(make_table()), make_split(), metrics=["ndcg", "recall"], progress=False)
    assert list(evaluation.rows) == ["ndcg", "recall"]


def test_evaluate_computes_all_metrics_by_default():
    assert list(evaluate(Table(make_table()), make_split(), progress=False).rows) == list(TITLES)


@pytest.mark.parametrize("progress", [True, False])
def test_evaluate_moves_the_bar_once_for_each_user(monkeypatch, progress):
    bars = []

    class Bar:
        def __init__(self, total, show, **options):
            self.moved, self.shown, self.whole = 0, show, total
            bars.append(self)

        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

        def update(self, n=1):
            self.moved += n

    monkeypatch.setattr(evaluation, "progress_bar", Bar)
    monkeypatch.setattr(evaluation, "MAX_SCORES", 4 * N_ITEMS)
    table = evaluate(Table(make_table()), make_split(), progress=progress)
    assert [(bar.moved, bar.whole, bar.shown) for bar in bars] == [(table.n_users, table.n_users, progress)]


@pytest.mark.parametrize("k", [0, 2.5])
def test_evaluate_refuses_k(k):
    with pytest.raises(ValueError, match="expected k as a whole number of 1 or more"):
        evaluate(Table(make_table()), make_split(), k)


def test_evaluate_refuses_an_unknown_metric():
    with pytest.raises(ValueError, match=r"expected metrics among precision, .*, coverage, received 'f1'"):
        evaluate(Table(make_table()), make_split(), metrics=["recall", "f1"])


def test_evaluate_refuses_a_model_without_scores():
    with pytest.raises(TypeError, match=r"expected a model with a method scores\(users\), received array"):
        evaluate(make_table(), make_split())


def test_evaluate_refuses_train_and_test_of_different_catalogues():
    labels = ["a", "b"]
    train = Interactions([0], [0], [1], None, labels, ["x", "y"])
    test = Interactions([0], [1], [1], None, labels, ["y", "x"])
    with pytest.raises(ValueError, match="expected the same item_labels in train and test, received others"):
        evaluate(Table(np.zeros((2, 2))), Split(train, test))


def test_evaluate_refuses_a_test_in_which_nobody_finds_anything():
    train, _ = make_split()
    with pytest.raises(ValueError, match="expected a user with an item in test that is not in train, received none"):
        evaluate(Table(make_table()), Split(train, train))


def test_evaluate_refuses_a_model_of_fewer_users():
    whole = Interactions.from_labels([0, 0, 1, 1], [0, 1, 0, 2], timestamps=range(4))
    part = Interactions.from_labels([0], [0], item_labels=range(3))
    with pytest.raises(ValueError, match="users of 0 or more and below 1, received 1; the model was fitted with no"):
        evaluate(Popularity(part), whole.split_last(), k=1, progress=False)


@pytest.mark.parametrize("users", [[-1], [2], [[0]]])
def test_popularity_refuses_users_it_does_not_know(users):
    with pytest.raises(ValueError, match="expected users"):
        Popularity(Interactions.from_labels([0, 1], [0, 1])).scores(users)


def test_evaluate_refuses_scores_of_another_shape():
    with pytest.raises(ValueError, match=rf"expected scores of shape \(\d+, {N_ITEMS}\) for \d+ users, received"):
        evaluate(Table(make_table()[:, 1:]), make_split(), progress=False)


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_evaluate_refuses_scores_that_are_not_finite(number):
    table = make_table()
    table[:, 3] = number
    with pytest.raises(ValueError, match="expected finite scores, received"):
        evaluate(Table(table), make_split(), progress=False)


def test_evaluate_refuses_negative_grades():
    labels = ["a", "b"]
    train = Interactions([], [], [], None, labels, labels)
    test = Interactions([0], [1], [-1], None, labels, labels)
    with pytest.raises(ValueError, match="expected relevant of finite numbers of 0 or more"):
        evaluate(Table(np.zeros((2, 2))), Split(train, test), graded=True)


# Evaluation


def test_evaluation_shows_a_line_for_each_metric():
    evaluation = evaluate(
        Table(make_table()), make_split(), 5, metrics=["hit_rate", "auc"], name="table", progress=False
    )
    caption, head, hit_rate, auc_line = repr(evaluation).splitlines()
    assert (
        caption
        == f"{evaluation.n_users} users ({evaluation.n_left_out} left out: nothing to find); mean ± standard error"
    )
    assert head.split() == ["table", "popularity", "difference"]
    mean, error = evaluation["hit_rate"].model
    assert hit_rate.startswith(f"hit rate@5  {mean:.4f} ± {error:.4f}  ")
    assert auc_line.startswith("AUC  ")


class Cells(HTMLParser):
    """Collect the text of each cell, and the scopes of the headings."""

    def __init__(self):
        super().__init__()
        self.cells, self.scopes, self.tag = [], [], None

    def handle_starttag(self, tag, attrs):
        self.tag = tag
        if tag == "th":
            self.scopes.append(dict(attrs)["scope"])

    def handle_data(self, data):
        self.cells.append((self.tag, data))


def test_evaluation_html_says_the_same_as_the_text():
    evaluation = evaluate(Table(make_table()), make_split(), metrics=["map", "coverage"], name="<b>", progress=False)
    page = Cells()
    page.feed(evaluation._repr_html_())
    caption, *rest = repr(evaluation).splitlines()
    assert page.cells[0] == ("caption", caption)
    assert "".join(text for _, text in page.cells[1:]).replace(" ", "") == "".join(rest).replace(" ", "")
    assert page.scopes == ["col"] * 4 + ["row"] * 2


def test_estimate_without_error_shows_the_number_alone():
    assert [str(Estimate(0.25, math.nan)), str(Estimate(0.25, 0.5))] == ["0.2500", "0.2500 ± 0.5000"]
