"""Step through ALS half-step by half-step: the loss falls, and one side's vectors move at a time."""

import matplotlib.pyplot as plt
import numpy as np
import traitlets
from scipy.linalg import orthogonal_procrustes
from scipy.sparse import csr_array, issparse

from utils.als import half_step, implicit_loss
from utils.book.plotting import colour
from utils.widgets.base import BookWidget

#: Name of each start → the standard deviation of its vectors, and the seed that draws them.
STARTS = {"usual": (0.4, 0), "another": (0.4, 3), "tiny": (0.04, 0)}

MAX_STEPS, MAX_LABEL = 60, 12


class HalfStepper(BookWidget):
    """A plane with the vectors of both sides, and the loss after each half-step.

    Implicit ALS with two factors and the exact solver, from three starts with several penalties. Every path is computed
    here, once. A path as a whole is turned so that it ends like the first one: a turned start is as random as before,
    and no loss changes.

    Parameters
    ----------
    interactions : sparse matrix or array_like of shape (n_users, n_items)
        Counts or ones, 0 or more; some are above 0.
    item_labels : sequence of str
        A unique name of at most 12 characters for each item.
    alpha : float, optional
        How fast confidence grows, as in `utils.als.fit_implicit`.
    penalties : sequence of float, optional
        Two to five different ones, increasing, above 0.
    n_steps : int, optional
        How many half-steps, 2 to 60. The odd ones move the users.
    user_name, item_name : str, optional
        What the two sides are called, in the plural.
    start : {"usual", "another", "tiny"}, optional
        Which start is shown at first.
    penalty : float, optional
        Which penalty is shown at first, one of `penalties`; the middle one if left out.
    step : int, optional
        How many half-steps have been made at first.

    Attributes
    ----------
    paths : dict of str to list of dict
        For each start, and each penalty in order: "losses" (one after each half-step, the start first), "penalised"
        (the part of it that the penalty takes), "users" and "items" (places after each of that side's half-steps, the
        start first, in hundredths), "user_norms" and "item_norms" (the Frobenius norm of that side at each place).

    Raises
    ------
    traitlets.TraitError
        If an argument is not as described; the message says what was expected, what was received, and what to do.
    TypeError, ValueError
        As `utils.als.half_step`, for the interactions and alpha.
    """

    slug = "als"

    labels = traitlets.List(traitlets.Unicode()).tag(sync=True)
    penalties = traitlets.List(traitlets.Float()).tag(sync=True)
    n_steps = traitlets.Int().tag(sync=True)
    user_name = traitlets.Unicode().tag(sync=True)
    item_name = traitlets.Unicode().tag(sync=True)
    paths = traitlets.Dict().tag(sync=True)
    start = traitlets.Enum(list(STARTS), default_value="usual").tag(sync=True)
    penalty = traitlets.Float().tag(sync=True)
    step = traitlets.Int(0).tag(sync=True)

    def __init__(
        self,
        interactions,
        item_labels,
        *,
        alpha=4,
        penalties=(0.1, 1, 5),
        n_steps=24,
        user_name="users",
        item_name="items",
        start="usual",
        penalty=None,
        step=0,
    ):
        matrix = csr_array(interactions if issparse(interactions) else np.asarray(interactions, dtype=float))
        labels, penalties = [str(label) for label in item_labels], [float(penalty) for penalty in penalties]
        _check(matrix, labels, penalties, n_steps)
        like = None
        paths = {}
        for name, (scale, seed) in STARTS.items():
            paths[name] = []
            for one in penalties:
                path = _walk(matrix, scale, seed, alpha, one, n_steps)
                like = path["items"][-1] if like is None else like
                paths[name].append(_turn(path, like))
        super().__init__(
            labels=labels,
            penalties=penalties,
            n_steps=n_steps,
            user_name=user_name,
            item_name=item_name,
            paths=paths,
            start=start,
            penalty=penalties[len(penalties) // 2] if penalty is None else penalty,
            step=step,
        )

    @traitlets.validate("penalty")
    def _check_penalty(self, proposal):
        if proposal["value"] not in self.penalties:
            raise traitlets.TraitError(
                f"expected a penalty among {self.penalties}, received {proposal['value']}; add it to penalties"
            )
        return proposal["value"]

    @traitlets.validate("step")
    def _check_step(self, proposal):
        if not 0 <= proposal["value"] <= self.n_steps:
            raise traitlets.TraitError(
                f"expected a step from 0 to {self.n_steps}, received {proposal['value']}; raise n_steps for more"
            )
        return proposal["value"]

    def path(self):
        """Return the path that is shown, an entry of `paths`."""
        return self.paths[self.start][self.penalties.index(self.penalty)]

    def describe(self):
        """Say what the last half-step did to the loss, what the penalty takes of it, and how long each side is."""
        path = self.path()
        losses, (user_moves, item_moves) = path["losses"], _places(self.step)
        now = f"Loss {losses[self.step]:.2f}, of which the penalty is {path['penalised'][self.step]:.2f}."
        norms = (
            f"‖X‖ ({self.user_name}) is {path['user_norms'][user_moves]:.2f}, "
            f"‖Y‖ ({self.item_name}) is {path['item_norms'][item_moves]:.2f}."
        )
        if self.step == 0:
            return f"The start, drawn at random. {now} No half-step has been made yet. {norms}"
        moved, held = (self.user_name, self.item_name)[:: 1 if self.step % 2 else -1]
        fall = losses[self.step - 1] - losses[self.step]
        return (
            f"Half-step {self.step} of {self.n_steps} moved the {moved} and held the {held}. {now} "
            f"It fell by {fall:.2f}, and it has never risen. {norms}"
        )

    def draw(self):
        """Draw the plane and the loss, in the present state."""
        path = self.path()
        figure, (plane, chart) = plt.subplots(2, 1, figsize=(4.4, 6.6), height_ratios=[2, 1])
        users, items = (np.array(path[side][at]) / 100 for side, at in zip(("users", "items"), _places(self.step)))
        plane.plot(*users.T, "o", color=colour("orange"), ms=4, alpha=0.7, label=self.user_name)
        plane.plot(*items.T, "o", color=colour("blue"), ms=5, label=self.item_name)
        for label, place in zip(self.labels, items):
            plane.annotate(label, place, (4, 3), textcoords="offset points", color=colour("blue"), fontsize=9)
        plane.set(aspect="equal")
        plane.legend(loc="best")
        chart.semilogy(range(self.n_steps + 1), path["losses"], color=colour("muted"))
        chart.semilogy(self.step, path["losses"][self.step], "o", color=colour("ink"), ms=8)
        chart.set(xlabel="half-step", ylabel="loss")
        return figure


def _places(step):
    """Return how often each side has moved after so many half-steps."""
    return (step + 1) // 2, step // 2


def _walk(matrix, scale, seed, alpha, penalty, n_steps):
    """Return the vectors of both sides after each of their half-steps, and all losses."""
    rng = np.random.default_rng(seed)
    users, items = (scale * rng.standard_normal((n, 2)) for n in matrix.shape)
    by_item = csr_array(matrix.T)
    path = {"losses": [], "penalised": [], "users": [users], "items": [items]}
    for step in range(n_steps + 1):
        if step % 2:
            users = half_step(matrix, items, penalty=penalty, alpha=alpha)
            path["users"].append(users)
        elif step:
            items = half_step(by_item, users, penalty=penalty, alpha=alpha)
            path["items"].append(items)
        path["losses"].append(implicit_loss(matrix, users, items, alpha=alpha, penalty=penalty))
        path["penalised"].append(float(penalty * ((users**2).sum() + (items**2).sum())))
    return path


def _turn(path, like):
    """Turn a path so that its last items lie like some others, and round it for the page; add the norms."""
    turn = orthogonal_procrustes(path["items"][-1], like)[0]
    norms = {
        f"{side}_norms": [round(float(np.linalg.norm(x)), 2) for x in path[f"{side}s"]] for side in ("user", "item")
    }
    rounded = {side: [(100 * x @ turn).round().astype(int).tolist() for x in path[side]] for side in ("users", "items")}
    sums = {name: [round(value, 2) for value in path[name]] for name in ("losses", "penalised")}
    return {**rounded, **sums, **norms}


def _check(matrix, labels, penalties, n_steps):
    """Say what is wrong with the arguments, if anything is."""
    if matrix.ndim != 2 or not matrix.count_nonzero():
        raise traitlets.TraitError(
            f"expected a matrix of shape (n_users, n_items) with some interactions, received {matrix.shape} with "
            f"{matrix.count_nonzero()}; without any, all vectors are zero"
        )
    is_named = len(labels) == len(set(labels)) == matrix.shape[1]
    if not is_named or max(map(len, labels)) > MAX_LABEL:
        raise traitlets.TraitError(
            f"expected {matrix.shape[1]} different item_labels of at most {MAX_LABEL} characters, received {labels}; "
            "name each item, and shorten what is long"
        )
    is_increasing = all(low < high for low, high in zip([0, *penalties], penalties))
    if not 2 <= len(penalties) <= 5 or not is_increasing:
        raise traitlets.TraitError(
            f"expected 2 to 5 increasing penalties above 0, received {penalties}; more do not fit beside each other"
        )
    if n_steps not in range(2, MAX_STEPS + 1):
        raise traitlets.TraitError(
            f"expected n_steps as a whole number from 2 to {MAX_STEPS}, received {n_steps!r}; a page holds them all"
        )
