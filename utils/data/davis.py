"""Who came to which party in Natchez, Mississippi, in the 1930s: a real table, small enough to compute by hand."""

import networkx as nx

from utils.data.interactions import Interactions


def load_davis():
    """Load the Southern women attendance table: 18 women, 14 social events, 89 attendances.

    The data are part of networkx; nothing is downloaded.

    Returns
    -------
    Interactions
        A user is a woman (``"Evelyn Jefferson"``), an item is an event (``"E1"`` to ``"E14"``), both in the order
        of networkx, which is that of the first publication. Every value is 1.0. There are no timestamps, and no
        facts about the events.

    References
    ----------
    A. Davis, B. B. Gardner, M. R. Gardner. Deep South: A Social Anthropological Study of Caste and Class.
    University of Chicago Press, 1941.

    Examples
    --------
    >>> davis = load_davis()
    >>> davis
    Interactions 'davis': 18 users × 14 items, 89 events, density 35.3 %
    >>> davis.item_labels[davis.items[davis.users == 17]].tolist()  # where Flora Price went
    ['E9', 'E11']
    """
    graph = nx.davis_southern_women_graph()
    women, events = graph.graph["top"], graph.graph["bottom"]
    attendances = [(woman, event) for woman in women for event in events if graph.has_edge(woman, event)]
    users, items = zip(*attendances)
    return Interactions.from_labels(users, items, user_labels=women, item_labels=events, name="davis")
