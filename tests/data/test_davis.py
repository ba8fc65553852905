import networkx as nx
import numpy as np

from utils.data import load_davis


def test_load_davis_has_the_published_sizes():
    davis = load_davis()
    assert (davis.n_users, davis.n_items, davis.n_events) == (18, 14, 89)


def test_load_davis_keeps_names_and_order():
    davis = load_davis()
    assert davis.user_labels[0] == "Evelyn Jefferson"
    assert davis.user_labels[-1] == "Flora Price"
    assert davis.item_labels.tolist() == [f"E{number}" for number in range(1, 15)]


def test_load_davis_first_row_is_where_evelyn_went():
    # the first line of the table in Deep South: Mrs. Evelyn Jefferson, events 1 to 6, 8 and 9
    row = load_davis().to_csr().toarray()[0]
    assert row.tolist() == [1, 1, 1, 1, 1, 1, 0, 1, 1, 0, 0, 0, 0, 0]


def test_load_davis_agrees_with_the_biadjacency_matrix_of_networkx():
    graph = nx.davis_southern_women_graph()
    expected = nx.bipartite.biadjacency_matrix(graph, graph.graph["top"], graph.graph["bottom"]).toarray()
    np.testing.assert_array_equal(load_davis().to_csr().toarray(), expected)


def test_load_davis_has_no_times_and_no_facts():
    davis = load_davis()
    assert davis.timestamps is None
    assert davis.item_facts == {}
