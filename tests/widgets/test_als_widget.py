import json
import re
from itertools import chain, pairwise, product

import matplotlib.pyplot as plt
import numpy as np
import pytest
import traitlets
from matplotlib.figure import Figure
from scipy.sparse import csr_array

from utils.als import fit_implicit, implicit_loss
from utils.data import load_davis
from utils.widgets import HalfStepper
from utils.widgets.als import STARTS

DAVIS = load_davis()
MATRIX = DAVIS.to_csr("ones", dtype=float)
PENALTIES = (0.1, 1, 5)


def make(**changes):
    """Make a widget with other arguments than usual."""
    usual = {"interactions": MATRIX, "item_labels": DAVIS.item_labels, "alpha": 4, "penalties": PENALTIES}
    return HalfStepper(**{**usual, **changes})


@pytest.fixture(scope="module")
def widget():
    return make()


def vectors(path, step):
    """Return the vectors of users and items after so many half-steps."""
    return np.array(path["users"][(step + 1) // 2]) / 100, np.array(path["items"][step // 2]) / 100


# Arguments


def test_stepper_starts_before_the_first_half_step_with_the_middle_penalty(widget):
    assert (widget.start, widget.penalty, widget.step) == ("usual", 1, 0)


@pytest.mark.parametrize("kind", [csr_array, lambda matrix: matrix.toarray(), lambda matrix: matrix.toarray().tolist()])
def test_stepper_takes_any_kind_of_matrix(widget, kind):
    assert make(interactions=kind(MATRIX)).state() == widget.state()


def test_stepper_rejects_a_matrix_without_interactions():
    with pytest.raises(traitlets.TraitError, match=r"some interactions, received \(18, 14\) with 0; without any"):
        make(interactions=np.zeros((18, 14)))


@pytest.mark.parametrize("labels", [["E1"] * 14, ["E1", "E2"], ["a long name for a party", *map(str, range(13))]])
def test_stepper_rejects_labels_that_do_not_name_each_item_briefly(labels):
    with pytest.raises(traitlets.TraitError, match="expected 14 different item_labels of at most 12 characters"):
        make(item_labels=labels)


@pytest.mark.parametrize("penalties", [(1,), (1, 1), (2, 1), (0, 1), (1, 2, 3, 4, 5, 6)])
def test_stepper_rejects_penalties_that_are_not_two_to_five_increasing_ones(penalties):
    with pytest.raises(traitlets.TraitError, match=r"expected 2 to 5 increasing penalties above 0, received \["):
        make(penalties=penalties)


@pytest.mark.parametrize("n_steps", [1, 61, 2.5])
def test_stepper_rejects_another_number_of_half_steps(n_steps):
    with pytest.raises(traitlets.TraitError, match=f"whole number from 2 to 60, received {n_steps}; a page holds"):
        make(n_steps=n_steps)


def test_stepper_rejects_a_penalty_that_is_not_offered():
    with pytest.raises(traitlets.TraitError, match=r"penalty among \[0.1, 1.0, 5.0\], received 2.0; add it"):
        make(penalty=2)


@pytest.mark.parametrize("step", [-1, 25])
def test_stepper_rejects_a_step_out_of_range(step):
    with pytest.raises(traitlets.TraitError, match=f"expected a step from 0 to 24, received {step}; raise n_steps"):
        make(step=step)


def test_stepper_rejects_an_unknown_start():
    with pytest.raises(traitlets.TraitError, match="huge"):
        make(start="huge")


def test_stepper_passes_on_what_als_rejects():
    with pytest.raises(ValueError, match=r"expected interactions of 0 or more, received -1\.0"):
        make(interactions=-MATRIX)


# What is precomputed


def test_losses_never_rise(widget):
    for path in chain.from_iterable(widget.paths.values()):
        assert all(after <= before for before, after in pairwise(path["losses"]))


def test_losses_are_those_of_the_vectors_shown(widget):
    for start, which in product(STARTS, range(3)):
        path = widget.paths[start][which]
        for step in (1, 2, 7, 24):
            loss = implicit_loss(MATRIX, *vectors(path, step), alpha=4, penalty=PENALTIES[which])
            # coordinates are rounded to a hundredth, and near a minimum the loss hardly changes; a tiny item vector
            # beside long user vectors is rounded by more of its length
            assert path["losses"][step] == pytest.approx(loss, rel=0.05)


def test_path_is_that_of_fit_implicit(widget):
    scale, seed = STARTS["another"]
    rng = np.random.default_rng(seed)
    start = [scale * rng.standard_normal((n, 2)) for n in MATRIX.shape]
    model = fit_implicit(MATRIX, 2, alpha=4, penalty=5, n_epochs=12, rng=None, init=start)
    path = widget.paths["another"][2]
    assert path["losses"][::2] == pytest.approx(model.losses, abs=0.006)  # rounded to two digits
    users, items = vectors(path, 24)
    # turned as a whole: lengths and products stay, up to the rounding of places
    np.testing.assert_allclose(users @ items.T, model.scores(range(18)), atol=0.03)
    np.testing.assert_allclose(np.linalg.norm(items, axis=1), np.linalg.norm(model.item_factors, axis=1), atol=0.01)


def test_penalised_is_the_penalty_of_the_vectors(widget):
    path = widget.paths["usual"][1]
    for step in (0, 3, 24):
        squares = sum((side**2).sum() for side in vectors(path, step))
        assert path["penalised"][step] == pytest.approx(squares, rel=0.02)


def test_norms_are_those_of_the_vectors_of_each_side(widget):
    for path in chain.from_iterable(widget.paths.values()):
        for side in ("user", "item"):
            norms = [np.linalg.norm(np.array(places) / 100) for places in path[f"{side}s"]]
            # 36 coordinates, each off by 0.005 at most
            assert path[f"{side}_norms"] == pytest.approx(norms, abs=0.036)


def test_tiny_start_makes_users_long_and_a_larger_penalty_turns_it_round(widget):
    for which, longer in ((0, "user"), (1, "item"), (2, "item")):
        path = widget.paths["tiny"][which]
        first, second = path["user_norms"][1], path["item_norms"][1]
        assert (first > second) == (longer == "user")
        assert first > path["item_norms"][0]  # after the first half-step it is always the users


def test_half_steps_move_users_first_and_one_side_at_a_time(widget):
    path = widget.paths["usual"][1]
    assert len(path["losses"]) == 25
    assert len(path["users"]) == len(path["items"]) == 13


def test_odd_number_of_half_steps_ends_with_the_users():
    path = make(n_steps=5).path()
    assert (len(path["losses"]), len(path["users"]), len(path["items"])) == (6, 4, 3)


def test_starts_with_a_sufficient_penalty_end_alike(widget):
    ends = [np.array(widget.paths[start][2]["items"][-1]) for start in STARTS]
    for end in ends[1:]:
        np.testing.assert_allclose(end, ends[0], atol=10)  # hundredths


def test_tiny_start_with_little_penalty_ends_long_on_one_side(widget):
    users, items = vectors(widget.paths["tiny"][0], 24)
    assert np.abs(users).max() > 4 * np.abs(items).max()
    assert widget.paths["tiny"][0]["losses"][-1] > 1.1 * widget.paths["usual"][0]["losses"][-1]


# State, text and picture


def test_state_is_complete_json_and_small(widget):
    state = widget.state()
    text = json.dumps(state, allow_nan=False, separators=(",", ":"))
    assert json.loads(text) == state
    assert sorted(state) == sorted(
        ["item_name", "labels", "n_steps", "paths", "penalties", "penalty", "start", "step", "user_name"]
    )
    assert len(text) < 60_000


def test_describe_says_which_side_moved(widget):
    losses = widget.paths["usual"][1]["losses"]
    penalised = widget.paths["usual"][1]["penalised"]
    for step, moved, held in ((5, "women", "events"), (6, "events", "women")):
        text = make(step=step, user_name="women", item_name="events").describe()
        users, items = (np.linalg.norm(side) for side in vectors(make().paths["usual"][1], step))
        start, _, norms = text.partition(" ‖X‖ ")
        # places are rounded to a hundredth
        shown = [float(number) for number in re.findall(r"is (\d+\.\d\d)", norms)]
        assert shown == pytest.approx([users, items], abs=0.03)
        assert start == (
            f"Half-step {step} of 24 moved the {moved} and held the {held}. Loss {losses[step]:.2f}, of which the "
            f"penalty is {penalised[step]:.2f}. It fell by {losses[step - 1] - losses[step]:.2f}, and it has never "
            "risen."
        )


def test_describe_of_the_start_says_that_nothing_has_moved(widget):
    assert widget.describe().startswith("The start, drawn at random. Loss ")
    assert "No half-step has been made yet. ‖X‖ (" in widget.describe()


def test_draw_names_every_item_and_marks_the_loss():
    figure = make(step=4).draw()
    plane, chart = figure.axes
    texts = {text.get_text() for text in plane.texts}
    marked = chart.lines[-1].get_xydata().tolist()
    plt.close(figure)
    assert isinstance(figure, Figure)
    assert texts == set(DAVIS.item_labels)
    assert marked == [[4, make().paths["usual"][1]["losses"][4]]]
