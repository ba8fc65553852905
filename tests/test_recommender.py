import numpy as np
import pytest

from utils import item2vec
from utils.data import Interactions
from utils.recommender import HistoryRecommender

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
    with pytest.raises(ValueError, match="ids that are indices of the 5 items, received 'a' and others; fit on train"):
        HistoryRecommender(item2vec.ItemVectors(["a"], *np.zeros((2, 1, 2)), [1], []), small_history())


def test_history_recommender_refuses_an_unknown_score():
    with pytest.raises(ValueError, match="expected how as 'cosine', 'inner' or 'context', received 'dot'; choose one"):
        HistoryRecommender(history_fit(), small_history(), "dot")
