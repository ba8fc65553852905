import pytest
import traitlets

from utils.widgets import Toy


def test_toy_says_which_number_is_picked():
    assert Toy([2, 4, 9], picked=2).describe() == "Number 3 of 3 is 9.0."


@pytest.mark.parametrize("values", [[1.0], [1.0, 0.0], [1.0, float("nan")]])
def test_toy_rejects_numbers_that_cannot_be_drawn(values):
    with pytest.raises(traitlets.TraitError, match="expected values as 2 to 12 numbers above 0, received"):
        Toy(values)


@pytest.mark.parametrize("picked", [-1, 3])
def test_toy_rejects_a_number_that_is_not_there(picked):
    with pytest.raises(traitlets.TraitError, match=f"0 or more and below 3, received {picked}; choose one"):
        Toy([1, 2, 3], picked=picked)


def test_toy_draws_a_bar_a_number():
    assert len(Toy([1, 2, 3]).draw().axes[0].patches) == 3
