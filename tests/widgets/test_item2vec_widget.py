import json
from itertools import product

import matplotlib.pyplot as plt
import numpy as np
import pytest
import traitlets
from matplotlib.figure import Figure

from utils.embeddings import nearest_items
from utils.item2vec import ItemVectors, noise_distribution, training_pairs
from utils.widgets import SessionPairs

N_ITEMS, SESSION = 30, [7, 2, 19, 4, 11]
LABELS = [f"film {n}" for n in range(N_ITEMS)]
WINDOWS, POWERS = (1, 3, None), (0, 0.75)
IDS = [n for n in range(N_ITEMS) if n != 5]  # item 5 was never watched
COUNTS = np.array([1 + 3 * n for n in IDS])


@pytest.fixture(scope="module")
def fits():
    """A fit for each window and power, with ids in another order each time."""
    rng = np.random.default_rng(0)
    result = {}
    for setting in product(WINDOWS, POWERS):
        order = rng.permutation(len(IDS))
        vectors = rng.standard_normal((len(IDS), 4)).astype(np.float32)
        result[setting] = ItemVectors(
            [IDS[n] for n in order], vectors[order], vectors[order], COUNTS[order], np.zeros(1)
        )
    return result


@pytest.fixture(scope="module")
def truth():
    return np.random.default_rng(1).standard_normal((N_ITEMS, 3))


@pytest.fixture(scope="module")
def make(fits, truth):
    """Make a widget with other arguments than usual."""

    def make_(**changes):
        usual = {"fits": fits, "session": SESSION, "item_labels": LABELS, "true_vectors": truth, "breaks": [2]}
        return SessionPairs(**{**usual, **changes})

    return make_


def by_hand_nearest(fitted, item):
    """Return the labels of the 5 nearest by a loop."""

    def cosine(other):
        a, b = fitted.vector(item), fitted.vector(other)
        return a @ b / np.linalg.norm(a) / np.linalg.norm(b)

    return [LABELS[other] for other in sorted((o for o in IDS if o != item), key=lambda o: -cosine(o))[:5]]


# Arguments


def test_pairs_start_at_the_first_stops_and_the_first_item(make):
    widget = make()
    assert (widget.window, widget.power, widget.centre) == (1, 0.0, 0)


def test_pairs_call_the_whole_session_0_and_put_it_last(make):
    assert make().windows == [1, 3, 0]
    assert make(window=0).window == 0


@pytest.mark.parametrize("session", [[1, 2], list(range(6, 21)), [1, 2, 1], [1, 2, 5], [1, 2, 30]])
def test_pairs_reject_a_session_that_cannot_be_shown(make, session):
    with pytest.raises(traitlets.TraitError, match="session of 3 to 14 different items that have vectors, received"):
        make(session=session, breaks=())


def test_pairs_reject_a_grid_with_a_gap(make, fits):
    some = {setting: fit for setting, fit in fits.items() if setting != (3, 0.75)}
    with pytest.raises(traitlets.TraitError, match=r"3 windows and 2 powers without \[\(3, 0.75\)\]; add fits"):
        make(fits=some)


def test_pairs_reject_a_single_power(make, fits):
    with pytest.raises(traitlets.TraitError, match="received 3 windows and 1 powers without a gap; add fits"):
        make(fits={setting: fit for setting, fit in fits.items() if setting[1] == 0})


def test_pairs_reject_fits_of_other_items(make, fits):
    other = fits[1, 0]
    fewer = ItemVectors(
        other.ids[1:], other.item_vectors[1:], other.context_vectors[1:], other.counts[1:], other.losses
    )
    with pytest.raises(traitlets.TraitError, match="expected fits of the same items, received others; fit all on the"):
        make(fits={**fits, (3, 0): fewer})


@pytest.mark.parametrize("labels", [LABELS[:-1], [*LABELS[:-1], LABELS[0]]])
def test_pairs_reject_labels_that_do_not_name_each_item(make, labels):
    with pytest.raises(traitlets.TraitError, match=r"different item_labels, one for each item .*; name each item"):
        make(item_labels=labels)


def test_pairs_reject_a_truth_about_other_items(make, truth):
    with pytest.raises(traitlets.TraitError, match="each of the 30 items, received 29; leave none out"):
        make(true_vectors=truth[:-1])


@pytest.mark.parametrize("breaks", [[0], [5]])
def test_pairs_reject_breaks_outside_the_session(make, breaks):
    with pytest.raises(traitlets.TraitError, match=r"expected breaks from 1 to 4, received \[\d\]; a break stands"):
        make(breaks=breaks)


@pytest.mark.parametrize(("name", "value"), [("window", 2), ("power", 0.5), ("centre", 5)])
def test_pairs_reject_a_value_that_is_no_stop_and_keep_the_good_one(make, name, value):
    with pytest.raises(traitlets.TraitError, match=rf"expected a {name} among \[.*, received {value}; choose one"):
        make(**{name: value})
    widget = make()
    before = getattr(widget, name)
    with pytest.raises(traitlets.TraitError, match="choose one of them"):
        setattr(widget, name, value)
    assert getattr(widget, name) == before


# What is precomputed


def test_n_pairs_are_those_of_training_pairs(make):
    assert make().n_pairs == [len(training_pairs([SESSION], window)[0]) for window in WINDOWS]


def test_contexts_are_those_of_training_pairs(make):
    widget = make()
    for window, centre in product(WINDOWS, range(len(SESSION))):
        widget.window, widget.centre = window or 0, centre
        centres, contexts = training_pairs([list(range(len(SESSION)))], window)
        assert widget.contexts() == contexts[centres == centre].tolist()


def test_nearest_are_those_of_each_fit(make, fits):
    widget = make()
    for stop, p in product(range(3), range(2)):
        fitted = fits[WINDOWS[stop], POWERS[p]]
        for position, item in enumerate(SESSION):
            named = [widget.titles[number] for number in widget.nearest[stop][p][position]]
            assert named == by_hand_nearest(fitted, item)


def test_found_counts_neighbours_that_are_truly_alike(make, fits, truth):
    widget = make()
    alike = {IDS[row]: {IDS[n] for n in near} for row, near in enumerate(nearest_items(truth[IDS], 10).tolist())}
    fitted = fits[3, 0.75]
    counts = [len({int(label[5:]) for label in by_hand_nearest(fitted, item)} & alike[item]) for item in IDS]
    assert widget.found[1][1] == pytest.approx(np.mean(counts), abs=0.005)


def test_alike_marks_the_named_items_that_are_truly_nearest(make, truth):
    widget = make()
    true = nearest_items(truth[IDS], 10)
    for position, item in enumerate(SESSION):
        expected = {LABELS[IDS[n]] for n in true[IDS.index(item)]} & set(widget.titles)
        assert {widget.titles[number] for number in widget.alike[position]} == expected


def test_shares_add_up_the_noise_of_each_tenth(make):
    widget = make()
    for p, power in enumerate(POWERS):
        noise = noise_distribution(COUNTS, power)[::-1]  # counts grow with the index, so the last are most popular
        assert widget.shares[p] == [round(100 * part.sum()) for part in np.array_split(noise, 10)]


def test_event_shares_are_the_shares_of_power_1(make):
    noise = noise_distribution(COUNTS, 1)[::-1]
    assert make().event_shares == [round(100 * part.sum()) for part in np.array_split(noise, 10)]


def test_drawn_negatives_follow_the_noise(make, fits):
    # A power of 50 leaves one item: the one that occurs most often.
    high = {(window, power * 100): fit for (window, power), fit in fits.items()}
    widget = make(fits=high)
    assert {widget.titles[number] for number in widget.drawn[1]} == {LABELS[-1]}
    assert len({widget.titles[number] for number in widget.drawn[0]}) > 1
    assert all(len(row) == 8 for row in widget.drawn)


def test_pairs_without_truth_say_nothing_about_it(make):
    widget = make(true_vectors=None)
    assert widget.found == []
    assert widget.alike == [[]] * len(SESSION)
    assert "truly" not in widget.describe()


# State, text and picture


def test_state_is_complete_and_json(make):
    state = make().state()
    assert json.loads(json.dumps(state, allow_nan=False)) == state
    assert sorted(state) == [
        *("alike", "breaks", "centre", "drawn", "event_shares", "found", "n_pairs", "nearest", "power", "powers"),
        *("session", "shares", "titles", "window", "windows"),
    ]


def test_state_of_a_full_grid_is_small(make, fits):
    grid = {(w, p): fits[1, 0] for w in (1, 2, 5, 10, None) for p in (-0.5, 0, 0.5, 0.75, 1)}
    state = make(fits=grid, session=[*range(6, 20)], breaks=()).state()
    assert len(json.dumps(state, separators=(",", ":"))) < 60_000


def test_describe_by_hand(make):
    widget = make(window=3, power=0.75, centre=2)
    near = widget.nearest[1][1][2]
    n_true = len(set(near) & set(widget.alike[2]))
    assert widget.describe() == (
        f"Window 3: 18 pairs, 4 of them with film 19 as the centre. Power 0.75: {widget.shares[1][0]}% of the "
        f"negatives are from the most popular tenth. Nearest: {', '.join(widget.titles[n] for n in near)}. {n_true} of "
        f"these 5 are truly alike; the average over all items is {widget.found[1][1]:.2f}."
    )


def test_describe_names_the_whole_session(make):
    assert make(window=0).describe().startswith("The whole session as the window: 20 pairs, 4 of them with film 7 as")


def test_draw_gives_a_figure_with_all_titles_and_an_arc_for_each_context(make):
    widget = make(window=1, centre=3)
    figure = widget.draw()
    axes = figure.axes[0]
    titles = [text.get_text() for text in axes.texts]
    n_arcs = sum(len(line.get_xdata()) > 2 for line in axes.lines)
    plt.close(figure)
    assert isinstance(figure, Figure)
    assert titles == [LABELS[item] for item in SESSION]
    assert n_arcs == 2
