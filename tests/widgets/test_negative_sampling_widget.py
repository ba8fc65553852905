import json

import matplotlib.pyplot as plt
import numpy as np
import pytest
import traitlets

from utils.widgets import NoiseExplorer

# 20 items, the most popular one not the first, and who has what
COUNTS = np.roll(np.arange(1.0, 21.0) ** 2, 7)
OWNED = COUNTS / COUNTS.max() / 2
STOPS = (-0.5, 0, 0.5, 1)


def make(**changes):
    usual = {
        "popularity": {"20 films": COUNTS, "10 films": np.ones(10)},
        "owned": {"20 films": OWNED, "10 films": np.full(10, 0.25)},
        "powers": STOPS,
    }
    return NoiseExplorer(**{**usual, **changes})


# What is precomputed


def test_explorer_starts_with_uniform_draws_from_the_first_catalogue():
    widget = make()
    assert (widget.power, widget.catalogue) == (0.0, "20 films")
    assert widget.drawn[0][1] == [10.0] * 10


def test_drawn_are_powers_of_the_counts_by_tenth():
    widget, ordered = make(), np.sort(COUNTS)[::-1]
    for stop, power in enumerate(STOPS):
        noise = ordered**power / (ordered**power).sum()
        expected = 100 * noise.reshape(10, 2).sum(axis=1)
        assert widget.drawn[0][stop] == pytest.approx(expected, abs=0.006)  # kept to two decimals


def test_drawn_at_power_1_is_what_is_watched():
    widget = make()
    assert widget.drawn[0][STOPS.index(1)] == widget.watched[0]


def test_false_share_is_the_mean_chance_over_the_draws():
    widget = make()
    for stop, power in enumerate(STOPS):
        noise = COUNTS**power / (COUNTS**power).sum()
        assert widget.false_share[0][stop] == pytest.approx(noise @ OWNED, rel=0.005)  # kept to three digits


def test_false_share_of_equal_items_does_not_depend_on_the_power():
    assert make().false_share[1] == [0.25] * 4


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.3456, "35%"), (0.0512, "5.1%"), (0.00123, "0.12%"), (9.7e-6, "0.00097%"), (0.0, "0%"), (1.0, "100%")],
)
def test_false_text_has_two_digits_that_count(share, text):
    widget = make(owned={"20 films": OWNED, "10 films": np.full(10, share)})
    assert widget.false_text[1] == [text] * 4


def test_sample_uses_one_luck_for_all_stops():
    widget = make(labels={"20 films": [f"film {i}" for i in range(20)]})
    # with equal items every power is the same lottery
    assert len({tuple(draws) for draws in widget.sample[1]}) == 1
    # and where the power grows, the same luck gives items that are as popular or more
    popularity = {f"film {i}": count for i, count in enumerate(COUNTS)}
    rows = np.array([[popularity[name] for name in draws] for draws in widget.sample[0]])
    assert (np.diff(rows, axis=0) >= 0).all()
    assert (rows[-1] > rows[0]).any()


def test_sample_calls_items_without_labels_by_their_place():
    assert all(name.startswith("no. ") for name in make().sample[0][0])


# Arguments


def test_explorer_rejects_other_catalogues_in_owned():
    with pytest.raises(traitlets.TraitError, match=r"same catalogues in popularity, owned and labels.*name them alike"):
        make(owned={"20 films": OWNED})


def test_explorer_rejects_labels_of_another_catalogue():
    with pytest.raises(traitlets.TraitError, match=r"and \['5 films'\]; name them alike"):
        make(labels={"5 films": list("abcde")})


def test_explorer_rejects_no_catalogue():
    with pytest.raises(traitlets.TraitError, match=r"received \[\], \[\] and \[\]"):
        make(popularity={}, owned={})


@pytest.mark.parametrize("counts", [np.ones(9), np.r_[np.ones(9), 0], np.r_[np.ones(9), np.nan], np.ones((10, 2))])
def test_explorer_rejects_counts_that_are_too_few_or_not_above_0(counts):
    with pytest.raises(traitlets.TraitError, match=r"(?s)popularity above 0 of 10 or more items of '10 films'.*leave"):
        make(popularity={"20 films": COUNTS, "10 films": counts})


@pytest.mark.parametrize("owned", [np.ones(9), np.full(10, 1.1), np.full(10, np.nan)])
def test_explorer_rejects_chances_that_are_none(owned):
    with pytest.raises(traitlets.TraitError, match="owned from 0 to 1 for each of the 10 items of '10 films'"):
        make(owned={"20 films": OWNED, "10 films": owned})


def test_explorer_rejects_labels_for_some_items():
    with pytest.raises(traitlets.TraitError, match="expected 10 labels for '10 films', one an item, received 3"):
        make(labels={"10 films": ["a", "b", "c"]})


@pytest.mark.parametrize("powers", [(0, 0.5), (1, 0), (0, 0, 1), ()])
def test_explorer_rejects_stops_without_0_and_1_or_out_of_order(powers):
    with pytest.raises(traitlets.TraitError, match=r"increasing powers with 0 and 1 among them, received \["):
        make(powers=powers)


def test_explorer_rejects_a_power_that_is_not_a_stop():
    with pytest.raises(traitlets.TraitError, match=r"power among \[-0.5, 0.0, 0.5, 1.0\], received 0.75; add it"):
        make(power=0.75)


def test_explorer_rejects_an_unknown_catalogue_later_and_keeps_the_good_one():
    widget = make(catalogue="10 films")
    with pytest.raises(traitlets.TraitError, match="received '5 films'; add it to popularity"):
        widget.catalogue = "5 films"
    assert widget.catalogue == "10 films"


# State, text and picture


def test_state_is_complete_and_json():
    state = make().state()
    assert json.loads(json.dumps(state, allow_nan=False)) == state
    names = "catalogue catalogues drawn false_share false_text power powers sample watched"
    assert sorted(state) == names.split()


def test_state_of_four_catalogues_is_small():
    popularity = {f"{n} films": 1 / np.arange(1, n + 1) for n in (52, 208, 10_000, 1_000_000)}
    owned = {name: 1 - (1 - counts / counts.sum()) ** 10 for name, counts in popularity.items()}
    labels = {"208 films": [f"a rather long title of a film {i}" for i in range(208)]}
    state = NoiseExplorer(popularity, owned, labels).state()
    assert len(json.dumps(state, separators=(",", ":"))) < 60_000


def test_describe_by_hand():
    widget = make(catalogue="10 films", power=0.5)
    assert widget.describe() == (
        "10 films, power 0.5: the most popular tenth gets 10% of the draws, and has 10% of the viewings. Of all "
        "draws, 25% hit something that the viewer already has."
    )


def test_describe_follows_the_slider():
    widget = make()
    before = widget.describe()
    widget.power = 1.0
    assert widget.describe() != before
    assert "power 1.0" in widget.describe()


def test_draw_shows_the_shares_of_the_present_power():
    widget = make(power=1.0)
    figure = widget.draw()
    heights = [bar.get_height() for bar in figure.axes[0].patches]
    title = figure.axes[0].get_title(loc="left") + figure.axes[0].get_title()
    plt.close(figure)
    assert heights[:10] == widget.drawn[0][3]
    assert title == "20 films, α = 1.0"
