"""The numbers that tell one data set from another."""

import numpy as np


def summarise(interactions):
    """Describe a data set in a few numbers.

    Parameters
    ----------
    interactions : Interactions
        At least one event.

    Returns
    -------
    dict of str to int or float
        ``n_users``, ``n_items``, ``n_events`` and ``density`` (share of the pairs that have an event);
        ``median_per_user`` and ``median_per_item`` (events; users and items without any count as 0); ``cold_items``
        (how many have none); ``top_tenth`` (share of all events that falls on the most popular 10 % of the items,
        rounded up to whole items); and ``mean_value``.

    Raises
    ------
    ValueError
        If there is no event to describe.

    Examples
    --------
    >>> from utils.data import load_davis
    >>> facts = summarise(load_davis())
    >>> facts["n_users"], facts["n_items"], facts["n_events"]
    (18, 14, 89)
    """
    if interactions.n_events == 0:
        raise ValueError(f"expected events to describe, received none in {interactions.name!r}; load some first")
    per_user = np.bincount(interactions.users, minlength=interactions.n_users)
    per_item = np.bincount(interactions.items, minlength=interactions.n_items)
    n_top = int(np.ceil(interactions.n_items / 10))
    return {
        "n_users": interactions.n_users,
        "n_items": interactions.n_items,
        "n_events": interactions.n_events,
        "density": float(interactions.density),
        "median_per_user": float(np.median(per_user)),
        "median_per_item": float(np.median(per_item)),
        "cold_items": int((per_item == 0).sum()),
        "top_tenth": float(np.sort(per_item)[::-1][:n_top].sum() / interactions.n_events),
        "mean_value": float(interactions.values.mean(dtype=np.float64)),
    }


def popularity_curve(interactions, n_points=101):
    """Return which share of the events the most popular items hold.

    Parameters
    ----------
    interactions : Interactions
        At least one event.
    n_points : int, optional
        How many shares of the catalogue, evenly from 0 to 1.

    Returns
    -------
    ndarray of shape (n_points,), float64
        Entry j is the share of all events on the most popular ``j / (n_points - 1)`` of the items; between whole
        items it is interpolated. From 0 to 1, never falling, and concave.

    Raises
    ------
    ValueError
        If there is no event, or `n_points` is below 2.

    Examples
    --------
    >>> from utils.data import load_davis
    >>> popularity_curve(load_davis(), n_points=3).round(2)
    array([0.  , 0.72, 1.  ])
    """
    if interactions.n_events == 0 or n_points < 2:
        raise ValueError(
            f"expected events and n_points of 2 or more, received {interactions.n_events} events and {n_points} "
            "points; load some events, or ask for more points"
        )
    per_item = np.sort(np.bincount(interactions.items, minlength=interactions.n_items))[::-1]
    held = np.concatenate([[0], np.cumsum(per_item)]) / interactions.n_events
    return np.interp(np.linspace(0, interactions.n_items, n_points), np.arange(interactions.n_items + 1), held)
