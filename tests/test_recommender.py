import numpy as np
import pytest
from scipy.sparse import bsr_array, coo_array, csc_array, csr_array, csr_matrix, dok_array, lil_array

from tests.oracles import slow_list
from utils import item2vec
from utils.data import Interactions
from utils.recommender import BLOCK_USERS, HistoryRecommender, candidate_scores, check_users, recommend

# HistoryRecommender


def small_history():
    """Three users, five items: user 0 has items 0 and 1, user 1 has item 3, user 2 has only item 4."""
    return Interactions.from_labels([0, 0, 1, 2], [0, 1, 3, 4], user_labels=range(3), item_labels=range(5))


def history_fit():
    """Vectors of items 3, 0 and 1, in this order."""
    item_vectors = np.array([[0.0, 1.0], [2.0, 0.0], [0.0, 4.0]], dtype=np.float32)
    context_vectors = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], dtype=np.float32)
    return item2vec.ItemVectors([3, 0, 1], item_vectors, context_vectors, np.array([1, 2, 4]), np.zeros(1))


def test_history_recommender_by_context_by_hand():
    # The mean of (2, 0) and (0, 4) is (1, 2): 1 + log 1, 2 + log 2 and 3 + log 4 for the items 3, 0 and 1.
    scores = HistoryRecommender(history_fit(), small_history(), noise_power=1).scores([0])[0]
    assert scores[[3, 0, 1]] == pytest.approx([1, 2 + np.log(2), 3 + np.log(4)])


def test_history_recommender_by_inner_product_by_hand():
    # The same without the popularity; the power of the noise plays no part.
    scores = HistoryRecommender(history_fit(), small_history(), "inner", noise_power=1).scores([0])[0]
    assert scores[[3, 0, 1]] == pytest.approx([1, 2, 3])


def test_history_recommender_by_cosine_by_hand():
    # The mean of (1, 0) and (0, 1) is (1/2, 1/2), and every unit vector gives 1/2.
    scores = HistoryRecommender(history_fit(), small_history(), "cosine").scores([0, 1])
    assert scores[0][[3, 0, 1]] == pytest.approx([0.5, 0.5, 0.5])
    assert scores[1][[3, 0, 1]] == pytest.approx([1, 0, 1])


@pytest.mark.parametrize("how", ["cosine", "inner", "context"])
def test_history_recommender_puts_items_without_a_vector_last(how):
    scores = HistoryRecommender(history_fit(), small_history(), how).scores([0, 1, 2])
    assert (scores[:, [2, 4]].max(axis=1) < scores[:, [0, 1, 3]].min(axis=1)).all()


def test_history_recommender_gives_popularity_to_a_user_it_knows_nothing_of():
    scores = HistoryRecommender(history_fit(), small_history()).scores([2])[0]
    assert scores[[3, 0, 1]] == pytest.approx(0.75 * np.log([1, 2, 4]))


@pytest.mark.parametrize("how", ["cosine", "inner"])
def test_history_recommender_prefers_nothing_for_a_user_it_knows_nothing_of(how):
    scores = HistoryRecommender(history_fit(), small_history(), how).scores([2])[0]
    assert scores[[3, 0, 1]] == pytest.approx([0, 0, 0])


def test_history_recommender_refuses_ids_that_are_no_indices():
    with pytest.raises(ValueError, match="ids that are indices of the 5 items, received 'a' and others; fit on events"):
        HistoryRecommender(item2vec.ItemVectors(["a"], *np.zeros((2, 1, 2)), [1], []), small_history())


def test_history_recommender_refuses_an_unknown_score():
    with pytest.raises(ValueError, match="expected how among 'cosine', 'inner', 'context', received 'dot'; choose one"):
        HistoryRecommender(history_fit(), small_history(), "dot")


@pytest.mark.parametrize("how", ["cosine", "inner", "context"])
def test_history_recommender_scores_a_user_alike_whoever_else_is_asked_about(how):
    vectors = -np.array([[0.0, 1.0], [2.0, 0.0], [3.0, -1.0]])  # scores below 0, and others for each user
    model = HistoryRecommender(
        item2vec.ItemVectors([3, 0, 1], vectors, -vectors, np.array([1, 2, 4]), np.zeros(1)), small_history(), how
    )
    assert np.array_equal(model.scores([0, 1, 2]), np.vstack([model.scores([user]) for user in range(3)]))


# check_users


def test_check_users_takes_any_kind_of_whole_numbers():
    for users in ([2, 0], (2, 0), np.array([2, 0], dtype=np.uint8), range(2, -1, -2)):
        checked = check_users(users, 3)
        assert checked.dtype == np.int64
        assert checked.tolist() == [2, 0]


def test_check_users_takes_nobody():
    assert check_users([], 3).shape == (0,)


@pytest.mark.parametrize(
    ("users", "error", "message"),
    [
        ([-1], ValueError, "users of 0 or more and below 3, received -1"),
        ([0, 3], ValueError, "users of 0 or more and below 3, received 3; the model was fitted with no others"),
        (
            [True, False, True],
            TypeError,
            r"users as indices, received bool; np.flatnonzero\(mask\) makes some of a mask",
        ),
        ([0.7], TypeError, "users as indices, received float64; use whole numbers"),
        ([2.0], TypeError, "users as indices, received float64"),
        (["0"], TypeError, "users as indices, received <U1"),
        ([None], TypeError, "users as indices, received object"),
        ([10**30], TypeError, "users as indices, received object"),
        ([2**64 - 1], ValueError, "received 18446744073709551615"),  # -1 as an unsigned number
        (1, ValueError, r"1 dimension, received shape \(\); a single index goes in a list"),
        ([[0], [1]], ValueError, r"1 dimension, received shape \(2, 1\)"),
    ],
)
def test_check_users_refuses(users, error, message):
    with pytest.raises(error, match=message):
        check_users(users, 3)


# recommend and candidate_scores


class Table:
    """A model that holds the scores of all users."""

    def __init__(self, table):
        self.table = np.asarray(table)

    def scores(self, users):
        return self.table[check_users(users, len(self.table))]


def test_recommend_by_hand():
    model = Table([[0.1, 0.9, 0.9, 0.5], [3, 1, 2, 0]])
    exclude = csr_array([[0, 1, 0, 0], [0, 0, 0, 0]])
    assert recommend(model, [1, 0], 3).tolist() == [[0, 2, 1], [1, 2, 3]]
    assert recommend(model, [1, 0], 3, exclude=exclude).tolist() == [[0, 2, 1], [2, 3, 0]]


def test_recommend_leaves_places_empty_where_nothing_is_left():
    assert recommend(Table([[1.0, 2.0]]), [0], 3, exclude=csr_array([[0, 1]])).tolist() == [[0, -1, -1]]


def test_recommend_excludes_a_stored_zero():
    stars = csr_array(([0.0], ([0], [1])), shape=(1, 2))  # somebody hated it, and has seen it
    assert recommend(Table([[1.0, 2.0]]), [0], 1, exclude=stars).tolist() == [[0]]


@pytest.mark.parametrize("kind", [bsr_array, coo_array, csc_array, csr_array, csr_matrix, dok_array, lil_array])
@pytest.mark.parametrize("dtype", [bool, np.int8, np.float32])
def test_recommend_takes_any_sparse_format(kind, dtype):
    model = Table([[0.1, 0.9, 0.5], [3, 1, 2]])
    exclude = kind(np.array([[0, 1, 0], [1, 0, 0]], dtype=dtype))
    assert recommend(model, [0, 1, 0], 2, exclude=exclude).tolist() == [[2, 0], [2, 1], [2, 0]]


def test_recommend_of_many_users_is_that_of_each():
    rng = np.random.default_rng(0)
    model, exclude = Table(rng.integers(9, size=(300, 20))), csr_array(rng.random((300, 20)) < 0.5)
    users = rng.integers(300, size=2 * BLOCK_USERS + 1)
    lists = recommend(model, users, 5, exclude=exclude)
    table = np.where(exclude.toarray(), -np.inf, model.table)
    assert lists.tolist() == [slow_list(table[user], 5) for user in users]


def test_recommend_for_nobody_has_no_rows():
    assert recommend(Table([[1.0]]), [], 2).shape == (0, 2)


def test_recommend_mutates_nothing():
    model, exclude = Table([[1.0, 2.0], [2.0, 1.0]]), csr_array([[0, 1], [1, 0]])
    model.table.flags.writeable = exclude.data.flags.writeable = exclude.indices.flags.writeable = False
    assert recommend(model, [0, 1], 1, exclude=exclude).tolist() == [[0], [1]]


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"k": 0}, ValueError, "k as a whole number of 1 or more, received 0"),
        ({"k": 1.5}, ValueError, "k as a whole number of 1 or more, received 1.5"),
        ({"k": True}, ValueError, "k as a whole number of 1 or more, received True"),
        ({"users": [-1]}, ValueError, "users of 0 or more, received -1; count from 0"),
        ({"users": [2]}, ValueError, "users of 0 or more and below 2, received 2"),
        ({"users": [True, False]}, TypeError, "users as indices, received bool"),
        ({"exclude": np.eye(2)}, TypeError, "exclude as a sparse matrix .* received ndarray; events.to_csr"),
        (
            {"exclude": csr_array(np.eye(3))},
            ValueError,
            r"expected scores of shape \(1, 3\) for 1 users, received \(1, 2\)",
        ),
        ({"model": object(), "users": []}, TypeError, r"a model with a method scores\(users\), received <object"),
        ({"model": Table}, TypeError, r"a model with a method scores\(users\), received <class"),
        ({"model": Table([[np.nan, 1.0]])}, ValueError, "finite scores, received NaN"),
        ({"model": Table([[-np.inf, 1.0]])}, ValueError, "finite scores, received -inf; give the lowest score"),
        ({"model": Table([["a", "b"]])}, ValueError, "scores that are real numbers, received <U1"),
        (
            {"model": Table([[2**53 + 1, 0]])},
            ValueError,
            r"whole numbers below 2\*\*53 as scores, received 9007199254740993",
        ),
    ],
)
def test_recommend_refuses(changes, error, message):
    arguments = {"model": Table([[1.0, 2.0], [2.0, 1.0]]), "users": [0], "k": 1, "exclude": None, **changes}
    exclude = arguments.pop("exclude")
    with pytest.raises(error, match=message):
        recommend(**arguments, exclude=exclude)


def test_recommend_refuses_scores_of_other_users():
    class Everybody:
        def scores(self, users):
            return np.zeros((7, 2))

    with pytest.raises(
        ValueError, match=r"scores of shape \(2, 2\) for 2 users, received \(7, 2\); return a row for each"
    ):
        recommend(Everybody(), [0, 1], 1)


def test_candidate_scores_by_hand():
    table = candidate_scores(Table([[0.5, 0.25], [1, 2]]), np.array([1, 0]), csr_array([[1, 0], [0, 0]]))
    assert table.tolist() == [[-np.inf, 2], [0.5, 0.25]]


def test_candidate_scores_is_a_copy():
    class Held:
        table = np.ones((2, 2))

        def scores(self, users):
            return self.table  # not even a copy

    candidate_scores(Held(), np.arange(2), csr_array(np.eye(2)))[:] = 9
    assert (Held.table == 1).all()
