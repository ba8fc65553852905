import json

import matplotlib.pyplot as plt
import numpy as np
import pytest
import traitlets
from matplotlib.figure import Figure
from scipy.optimize import brentq
from scipy.stats import norm

from utils.book.results import load_result
from utils.consistency import expected_precision, normal_consistency, simulate_consistency
from utils.widgets import ConsistencyLaboratory
from utils.widgets.averaging import DISTRIBUTIONS, compute_grid, pack_shares, picture, unpack_shares

STOPS = {"dimensions": (2, 16), "catalogues": (10, 300), "subsets": (1, 5, 10, 100)}
OVERLAY = {"name": "ALS", "d": 64, "n_items": 3200, "k": [2, 10], "value": [0.5, 0.1234], "error": [0.01, 0.005]}


@pytest.fixture(scope="module")
def grid():
    return compute_grid(**STOPS, n_draws=20_000, rng=np.random.default_rng(0), progress=False)


@pytest.fixture
def make(grid):
    """Make a widget with other arguments than usual."""
    return lambda overlays=(), **traits: ConsistencyLaboratory(
        grid, overlays, **{"dimension": 16, "n_items": 300, **traits}
    )


# Arguments


def test_laboratory_starts_where_it_is_told(make):
    widget = make([OVERLAY], k=5, distribution="heavy", overlay="ALS")
    assert (widget.dimension, widget.n_items, widget.k) == (16, 300, 5)
    assert (widget.distribution, widget.overlay) == ("heavy", "ALS")


@pytest.mark.parametrize(
    ("name", "value", "stops"),
    [("dimension", 3, r"\[2, 16\]"), ("n_items", 11, r"\[10, 300\]"), ("k", 2, r"\[1, 5, 10, 100\]")],
)
def test_laboratory_rejects_what_is_no_stop(make, name, value, stops):
    with pytest.raises(traitlets.TraitError, match=f"expected {name} among {stops}, received {value}; choose a stop"):
        make(**{name: value})


def test_laboratory_rejects_an_average_of_more_than_all(make):
    with pytest.raises(traitlets.TraitError, match="expected k of at most 10 items, received 100; average fewer"):
        make(n_items=10, k=100)


def test_laboratory_averages_fewer_where_the_catalogue_shrinks(make):
    widget = make(k=100)
    widget.n_items = 10
    assert widget.k == 10


def test_laboratory_rejects_an_unknown_distribution(make):
    with pytest.raises(traitlets.TraitError, match="distribution"):
        make(distribution="cauchy")


def test_laboratory_rejects_an_overlay_that_it_was_not_given(make):
    with pytest.raises(
        traitlets.TraitError, match=r"an overlay among \['ALS'\], received 'SVD'; leave it empty for none"
    ):
        make([OVERLAY], overlay="SVD")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": ""}, "a name of 1 to 30 characters, received ''; shorten it"),
        ({"name": 31 * "x"}, "a name of 1 to 30 characters, received 'x+'; shorten it"),
        ({"k": [2]}, r"as many values and errors as k in the overlay 'ALS', received \[1, 2, 2\]; measure"),
        ({"k": [], "value": [], "error": []}, r"received \[0, 0, 0\]; measure"),
        ({"value": [50, 12]}, r"shares from 0 to 1, received \[50, 12\]; divide percents"),
        ({"extra": 1}, "an overlay with name, d, n_items, k, value, error, received .*extra; give all"),
    ],
)
def test_laboratory_rejects_a_bad_overlay(make, change, message):
    with pytest.raises(traitlets.TraitError, match=message):
        make([{**OVERLAY, **change}])


def test_laboratory_rejects_overlays_of_one_name(make):
    with pytest.raises(traitlets.TraitError, match=r"a different name for each overlay, received \['ALS', 'ALS'\]"):
        make([OVERLAY, OVERLAY])


# What is precomputed


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@pytest.mark.parametrize("dimension", STOPS["dimensions"])
def test_formula_is_that_of_utils(make, distribution, dimension):
    widget = make(dimension=dimension, distribution=distribution)
    kurtosis = DISTRIBUTIONS[distribution][1]
    expected = expected_precision(dimension, 300, STOPS["subsets"], kurtosis=kurtosis)
    assert np.allclose(widget.shares()[0], expected, atol=0.00051)  # thousandths


def test_sampled_is_the_exact_law_for_normal_items(make):
    widget = make(dimension=2)
    for k, value in zip(STOPS["subsets"], widget.shares()[1]):
        law = normal_consistency(2, 300, k, n_samples=4000, rng=np.random.default_rng(1))
        assert value == pytest.approx(law.mean, abs=0.0005 + 4 * np.hypot(law.standard_error, 0.5 / np.sqrt(20_000)))


@pytest.mark.parametrize("distribution", ["uniform", "signs", "heavy"])
def test_sampled_is_a_simulation_for_others(make, distribution):
    widget = make(distribution=distribution)
    draw = DISTRIBUTIONS[distribution][2]
    rng = np.random.default_rng(1)
    values = [simulate_consistency(draw(rng, (300, 16)), 10, n_subsets=20, rng=rng).mean for _ in range(30)]
    value = widget.shares()[1][2]
    # 500 members over 40 catalogues on the one side, 30 catalogues on the other
    assert value == pytest.approx(np.mean(values), abs=4 * np.hypot(0.5 / np.sqrt(500), np.std(values) / np.sqrt(30)))


@pytest.mark.parametrize(("name", "kurtosis"), [(name, kind[1]) for name, kind in DISTRIBUTIONS.items()])
def test_distributions_have_the_kurtosis_that_the_formula_is_given(name, kurtosis):
    drawn = np.asarray(DISTRIBUTIONS[name][2](np.random.default_rng(0), 4_000_000), dtype=float)
    assert drawn.mean() == pytest.approx(0, abs=0.003)
    # the kurtosis of a heavy-tailed sample hardly settles; the others do
    assert (drawn**4).mean() / drawn.var() ** 2 == pytest.approx(kurtosis, rel=0.25 if name == "heavy" else 0.01)


def test_shares_are_1_where_all_items_are_averaged_and_missing_beyond(make):
    for values in make(n_items=10, k=10).shares():
        assert values[2] == 1
        assert np.isnan(values[3])


def test_grid_leaves_out_what_is_too_large_to_simulate(monkeypatch):
    monkeypatch.setattr("utils.widgets.averaging.MAX_SIMULATED", {"dimension": 2, "n_items": 10})
    grid = compute_grid(dimensions=(2, 4), catalogues=(10, 20), subsets=(1,), n_draws=400, rng=np.random.default_rng(0))
    is_missing = np.isnan(unpack_shares(grid["sampled"]["uniform"]))
    assert is_missing.tolist() == [False, True, True, True]
    assert not np.isnan(unpack_shares(grid["sampled"]["normal"])).any()


def test_pack_shares_by_hand():
    # 35 is z, 36 is 10, 999 is 27 · 36 + 27
    assert pack_shares([[0.035, 0.036], [0.999, np.nan]]) == "0z10rr--"


def test_unpack_shares_reads_what_was_packed():
    shares = np.append(np.arange(1001) / 1000, np.nan)
    assert np.array_equal(unpack_shares(pack_shares(shares)), shares, equal_nan=True)


@pytest.mark.parametrize(("d", "n_items", "k", "kurtosis"), [(128, 1000, 10, 3), (8, 10**12, 50, 9), (4, 9, 8, 1)])
def test_picture_ends_the_list_where_k_items_are_expected_above(d, n_items, k, kurtosis):
    gap, ratio, end = picture(d, n_items, k, kurtosis)
    assert (gap, ratio) == pytest.approx((np.sqrt(d / k), np.sqrt((kurtosis + k - 2) / k)))
    assert k * norm.sf((end - gap) / ratio) + (n_items - k) * norm.sf(end) == pytest.approx(k, rel=1e-6)


def test_picture_has_one_end_also_where_all_members_are_far_ahead():
    # with N - k = k the two densities are mirror images, and the end lies in the middle
    assert picture(6400, 2, 1, 3)[2] == pytest.approx(brentq(lambda x: x - (80 - x) / np.sqrt(2), 0, 80))


def test_picture_of_members_that_all_score_alike():
    gap, ratio, end = picture(16, 10, 1, 1)
    assert (gap, ratio) == (4, 0)
    assert end == pytest.approx(4)


def test_stored_grid_is_that_of_utils():
    widget = ConsistencyLaboratory(load_result("averaging")["values"]["laboratory"])
    rng = np.random.default_rng(0)
    for d, n_items in ((2, 10), (128, 10**6), (4096, 10**12)):
        widget.dimension, widget.n_items = d, n_items
        for k in (1, 5, 10):
            formula, sampled = (values[widget.subsets.index(k)] for values in widget.shares())
            assert formula == pytest.approx(expected_precision(d, n_items, k), abs=0.00051)
            law = normal_consistency(d, n_items, k, n_samples=2000, rng=rng)
            assert sampled == pytest.approx(law.mean, abs=0.01 + 4 * law.standard_error)


# State, text and picture


def test_state_is_complete_and_json(make):
    state = make([OVERLAY], overlay="ALS").state()
    assert json.loads(json.dumps(state, allow_nan=False)) == state
    assert set(state) == {
        *("catalogues", "dimension", "dimensions", "distribution", "formula", "k", "n_items"),
        *("overlay", "overlays", "sampled", "subsets"),
    }


def test_state_of_the_whole_laboratory_is_small():
    state = ConsistencyLaboratory(load_result("averaging")["values"]["laboratory"]).state()
    assert len(json.dumps(state, separators=(",", ":"))) < 60_000


def test_describe_by_hand(make):
    widget = make([OVERLAY], k=10, overlay="ALS")
    widget.formula = {**widget.formula, "normal": pack_shares(np.full(16, 0.766))}
    widget.sampled = {**widget.sampled, "normal": pack_shares(np.full(16, 0.774))}
    assert widget.describe() == (
        "300 items of 16 numbers (normal), 10 averaged: by the formula 76.6% of these come back, by the exact law "
        "77%, by chance 3.3%. Measured, ALS: 12.3% at k = 10."
    )


def test_describe_says_nothing_of_what_was_not_sampled(make):
    widget = make(distribution="signs")
    assert "by simulation" in widget.describe()
    widget.sampled = {**widget.sampled, "signs": pack_shares(np.full(16, np.nan))}
    assert "simulation" not in widget.describe()


def test_describe_names_a_small_share(make):
    widget = make(k=1)
    widget.formula = {**widget.formula, "normal": pack_shares(np.zeros(16))}
    assert "by the formula less than 0.1% of these" in widget.describe()


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.004, "less than 1%"),
        (0.005, "1%"),
        (0.995, "more than 99%"),
        (0.994, "99%"),
        (0.485, "49%"),
        (1, "100%"),
    ],
)
def test_describe_gives_what_was_sampled_in_whole_percent(make, share, text):
    widget = make()
    widget.sampled = {**widget.sampled, "normal": pack_shares(np.full(16, share))}
    assert f"by the exact law {text}," in widget.describe()


def test_draw_shows_each_curve_and_the_overlay(make):
    figure = make([OVERLAY], overlay="ALS", distribution="uniform").draw()
    names = {line.get_label() for line in figure.axes[0].lines} - {"_child3", "_child4"}
    plt.close(figure)
    assert isinstance(figure, Figure)
    assert names == {"formula", "simulation", "chance", "ALS"}
