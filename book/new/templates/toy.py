"""Toy: one sentence that says what the reader does, and what happens."""

import matplotlib.pyplot as plt
import traitlets

from utils.book.plotting import colour
from utils.widgets.base import BookWidget


class Toy(BookWidget):
    """A row of numbers, of which the reader picks one.

    Parameters
    ----------
    values : list of float
        2 to 12 numbers, above 0.
    picked : int, optional
        Index of the one that is picked at first.

    Raises
    ------
    traitlets.TraitError
        If an argument is not as described; the message says what was expected, what was received, and what to do.
    """

    slug = "toy"

    values = traitlets.List(traitlets.Float()).tag(sync=True)
    picked = traitlets.Int(0).tag(sync=True)

    def __init__(self, values, **traits):
        super().__init__(values=list(values), **traits)

    @traitlets.validate("values")
    def _check_values(self, proposal):
        values = proposal["value"]
        if not 2 <= len(values) <= 12 or not all(0 < value < float("inf") for value in values):
            raise traitlets.TraitError(
                f"expected values as 2 to 12 numbers above 0, received {values}; leave out what cannot be drawn"
            )
        return values

    @traitlets.validate("picked")
    def _check_picked(self, proposal):
        if not 0 <= proposal["value"] < len(self.values):
            raise traitlets.TraitError(
                f"expected picked of 0 or more and below {len(self.values)}, received {proposal['value']}; choose one"
            )
        return proposal["value"]

    def describe(self):
        """Say which number is picked."""
        return f"Number {self.picked + 1} of {len(self.values)} is {self.values[self.picked]:.1f}."

    def draw(self):
        """Draw the numbers as bars."""
        figure, axes = plt.subplots(figsize=(4.2, 2.6))
        colours = [colour("orange") if n == self.picked else colour("blue") for n in range(len(self.values))]
        axes.bar(range(1, 1 + len(self.values)), self.values, color=colours)
        axes.set(xlabel="number", ylabel="value")
        return figure
