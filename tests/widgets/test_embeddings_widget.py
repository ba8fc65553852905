import json

import matplotlib.pyplot as plt
import numpy as np
import pytest
import traitlets
from matplotlib.figure import Figure
from scipy.sparse import csr_array, csr_matrix

from utils.data import load_cinema
from utils.embeddings import nearest_items
from utils.widgets import EmbeddingMap

N_USERS, N_ITEMS, N_SHOWN = 60, 20, 15
LABELS = [f"film {chr(ord('t') - i)}" for i in range(N_ITEMS)]  # so that alphabetical order is not that of the columns
STOPS = (2, 3, 6, 20)


@pytest.fixture(scope="module")
def table():
    """A matrix in which a later item is more popular, and true vectors of the items."""
    rng = np.random.default_rng(0)
    matrix = (rng.random((N_USERS, N_ITEMS)) < np.linspace(0.1, 0.8, N_ITEMS)).astype(float)
    matrix[0] = 1  # nobody is without an event
    return matrix, rng.standard_normal((N_ITEMS, 3))


@pytest.fixture(scope="module")
def make(table):
    """Make a widget with other arguments than usual."""

    def make_(**changes):
        matrix, truth = table
        usual = {
            "matrix": matrix,
            "item_labels": LABELS,
            "true_vectors": truth,
            "n_shown": N_SHOWN,
            "dimensions": STOPS,
        }
        return EmbeddingMap(**{**usual, **changes})

    return make_


@pytest.fixture(scope="module")
def vectors(table):
    """The vectors of all items with all their numbers, computed in another way."""
    values, directions = np.linalg.eigh(table[0].T @ table[0])
    return directions[:, ::-1] * np.sqrt(values[::-1].clip(0))


# Arguments


def test_map_starts_at_the_first_stop_with_the_most_popular_item(make, table):
    widget = make()
    assert widget.dimension == 2
    assert widget.picked == LABELS[int(table[0].sum(axis=0).argmax())]


def test_map_shows_the_most_popular_items_by_name(make, table):
    popularity = table[0].sum(axis=0)
    expected = {LABELS[i] for i in np.argsort(-popularity, kind="stable")[:N_SHOWN]}
    assert make().labels == sorted(expected)


@pytest.mark.parametrize("kind", [csr_array, csr_matrix, lambda matrix: matrix.tolist()])
def test_map_takes_any_kind_of_matrix(make, table, kind):
    assert make(matrix=kind(table[0])).state() == make().state()


def test_map_takes_all_items(make):
    assert len(make(n_shown=N_ITEMS).labels) == N_ITEMS


@pytest.mark.parametrize("n_shown", [10, 21])
def test_map_rejects_another_number_of_items(make, n_shown):
    with pytest.raises(
        traitlets.TraitError, match=rf"n_shown from 11 to .* interactions, 20, received {n_shown}; an item"
    ):
        make(n_shown=n_shown)


def test_map_rejects_items_without_interactions(make, table):
    matrix = table[0].copy()
    matrix[:, :6] = 0
    with pytest.raises(traitlets.TraitError, match="items with interactions, 14, received 15; an item needs 10 others"):
        make(matrix=matrix)


@pytest.mark.parametrize("labels", [LABELS[:-1], [*LABELS[:-1], LABELS[0]]])
def test_map_rejects_labels_that_do_not_name_each_item(make, labels):
    with pytest.raises(
        traitlets.TraitError, match=r"expected 20 different item_labels, .* with 19 different ones; name"
    ):
        make(item_labels=labels)


def test_map_rejects_a_matrix_of_one_dimension(make):
    with pytest.raises(traitlets.TraitError, match=r"shape \(n_users, n_items\), received \(20,\); use one row a user"):
        make(matrix=np.ones(N_ITEMS))


@pytest.mark.parametrize("dimensions", [(2,), (1, 2), (3, 2), (2, 2), (2, 21)])
def test_map_rejects_stops_that_do_not_increase_from_2_to_the_smaller_side(make, dimensions):
    with pytest.raises(traitlets.TraitError, match=r"two or more increasing dimensions from 2 to 20, received \["):
        make(dimensions=dimensions)


def test_map_rejects_a_truth_about_other_items(make, table):
    with pytest.raises(
        traitlets.TraitError, match="one true vector for each of the 20 items, received 19; leave none out"
    ):
        make(true_vectors=table[1][:-1])


def test_map_rejects_a_dimension_that_is_not_a_stop(make):
    with pytest.raises(
        traitlets.TraitError, match=r"dimension among \[2, 3, 6, 20\], received 4; add it to dimensions"
    ):
        make(dimension=4)


def test_map_rejects_a_pick_that_is_not_shown(make):
    with pytest.raises(traitlets.TraitError, match="item that is on the map, received 'film z'; pick one of labels"):
        make(picked="film z")


def test_map_rejects_a_bad_pick_later_and_keeps_the_good_one(make):
    widget = make(picked="film c")
    with pytest.raises(traitlets.TraitError, match="received 'no film'"):
        widget.picked = "no film"
    assert widget.picked == "film c"


# What is precomputed


def test_nearest_are_those_by_cosine_of_the_first_numbers(make, vectors):
    widget = make()
    rows = [LABELS.index(label) for label in widget.labels]
    for stop, d in enumerate(STOPS):
        assert widget.nearest[stop] == nearest_items(vectors[rows, :d], 5).tolist()


def test_lost_is_the_error_of_the_best_approximation(make, table):
    matrix = table[0]
    u, s, vt = np.linalg.svd(matrix)
    for d, lost in zip(STOPS, make().lost):
        rest = matrix - (u[:, :d] * s[:d]) @ vt[:d]
        assert lost == round(100 * (rest**2).sum() / (matrix**2).sum())


def test_lost_is_nothing_where_all_numbers_are_kept(make):
    assert make().lost[-1] == 0


def test_alike_are_the_truly_nearest(make, table):
    widget = make()
    rows = [LABELS.index(label) for label in widget.labels]
    assert widget.alike == nearest_items(table[1][rows], 10).tolist()


def test_found_counts_neighbours_that_are_truly_alike(make):
    widget = make()
    counts = [[len(set(a) & set(b)) for a, b in zip(near, widget.alike)] for near in widget.nearest]
    assert widget.found == np.mean(counts, axis=1).round(1).tolist()


def test_found_is_5_where_the_vectors_are_the_truth(make, vectors):
    assert make(true_vectors=vectors[:, :3]).found[1] == 5.0


def test_maps_fill_the_drawing(make):
    for points in make().maps:
        assert np.abs(points).max() == 1000


def test_maps_keep_the_distances_of_the_plane(make, vectors):
    widget = make()
    rows = [LABELS.index(label) for label in widget.labels]
    unit = vectors[rows, :2] / np.linalg.norm(vectors[rows, :2], axis=1, keepdims=True)
    # two numbers fit into a plane without any loss, but for the scale of the drawing
    drawn, real = (
        np.linalg.norm(np.array(points)[:, None] - np.array(points), axis=2) for points in (widget.maps[0], unit)
    )
    assert widget.shown[0] == 100
    assert np.allclose(drawn / drawn.max(), real / real.max(), atol=0.003)  # places are rounded to whole numbers


def test_shown_falls_as_dimensions_are_added(make):
    shown = make().shown
    assert shown == sorted(shown, reverse=True)
    assert shown[-1] < 60


def test_map_without_truth_says_nothing_about_it(make):
    widget = make(true_vectors=None)
    assert widget.found == []
    assert widget.alike == [[]] * N_SHOWN
    assert "truly" not in widget.describe()


# State, text and picture


def test_state_is_complete_and_json(make):
    state = make().state()
    assert json.loads(json.dumps(state, allow_nan=False)) == state
    assert sorted(state) == [
        *("alike", "dimension", "dimensions", "found", "labels", "lost", "maps", "nearest", "picked", "shown"),
    ]


def test_state_of_cinema_is_small():
    cinema, truth = load_cinema()
    state = EmbeddingMap(cinema.to_csr("ones"), cinema.item_labels, truth.item_factors).state()
    assert len(json.dumps(state, separators=(",", ":"))) < 60_000


def test_describe_by_hand(make):
    widget = make(dimension=6, picked="film e")
    item, stop = widget.labels.index("film e"), 2
    near = [widget.labels[other] for other in widget.nearest[stop][item]]
    n_true = len(set(widget.nearest[stop][item]) & set(widget.alike[item]))
    lost, found = widget.lost[stop], widget.found[stop]
    assert widget.describe() == (
        f"15 items with 6 numbers each. {lost} % of the squares of the matrix are lost. Nearest to film e: "
        f"{', '.join(near)}. {n_true} of these 5 are truly alike; the average over all items is {found:.1f}."
    )


def test_describe_follows_the_slider(make):
    widget = make()
    before = widget.describe()
    widget.dimension = 20
    assert widget.describe() != before
    assert "20 numbers each. 0 % of the squares" in widget.describe()


def test_draw_gives_a_figure_that_names_the_item_and_numbers_its_neighbours(make):
    figure = make(picked="film d").draw()
    axes = figure.axes[0]
    texts = {text.get_text() for text in axes.texts}
    title = axes.get_title(loc="left") + axes.get_title()
    plt.close(figure)
    assert isinstance(figure, Figure)
    assert texts == {"1", "2", "3", "4", "5"}
    assert title == "film d"
