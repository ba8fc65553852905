"""Who did what with which item, and when: the one container that every data set of the book is loaded into.

An `Interactions` is a table of events. Row and column numbers of every matrix in the book are positions in
its labels, and they keep their meaning in each subset and split of it.
"""

import html
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from utils.checks import check_indices, check_rng, check_whole

#: Seconds since 1970 of the years 1 and 9999, the first and the last that `datetime` counts.
FIRST_SECOND, LAST_SECOND = -62_135_596_800, 253_402_300_799
#: Labels are names or ids. A longer one is mostly a slip, and in an array each would take the memory of the longest.
LONGEST_LABEL = 500


@dataclass(frozen=True, eq=False, repr=False)
class Interactions:
    """Hold events between users and items, with labels, and facts about the items.

    The data are checked when the object is made and cannot be changed afterwards: arrays are read-only, and
    copied if somebody else could still write to them. A user may meet the same item more than once. There may
    be no events at all, and users and items without an event (they are called *cold*).

    Parameters
    ----------
    users : array_like of shape (n_events,), int
        Row of each event's user in `user_labels`. Kept as int32.
    items : array_like of shape (n_events,), int
        Row of each event's item in `item_labels`. Kept as int32.
    values : array_like of shape (n_events,), number
        Stars, counts, or 1.0. Finite. Kept as float32.
    timestamps : array_like of shape (n_events,), int, float or datetime64, or None
        Seconds since 1970-01-01 UTC, or NumPy's times of any unit; parts of a second are cut off. In the years 1 to
        9999. Kept as int64 seconds. None where nobody wrote down the time.
    user_labels : array_like of shape (n_users,), str
        Unique, of at most `LONGEST_LABEL` characters.
    item_labels : array_like of shape (n_items,), str
        Unique.
    item_facts : dict of str to sequence, optional
        Column name → one entry an item: a number, a str, or a tuple of str (such as the genres of a film).
        Each column is kept as a read-only array, a column of tuples as an array of objects.
    name : str, optional
        What the data set is called.

    Raises
    ------
    ValueError
        If lengths differ, an index points at no label, a value is not finite, a time is missing or outside of the years
        1 to 9999 (as milliseconds are), a label occurs twice or is too long, or a column of facts has not one entry
        an item.
    TypeError
        If indices are not integers, timestamps neither numbers nor times, values are not numbers, or a fact is of
        another kind.

    See Also
    --------
    Interactions.from_labels : Build one from labels instead of indices.

    Examples
    --------
    >>> Interactions([0, 0, 1], [0, 1, 1], [5, 3, 4], None, ["Ann", "Ben"], ["Alien", "Heat"], name="tiny")
    Interactions 'tiny': 2 users × 2 items, 3 events, density 75 %
    """

    users: np.ndarray
    items: np.ndarray
    values: np.ndarray
    timestamps: np.ndarray | None
    user_labels: np.ndarray
    item_labels: np.ndarray
    item_facts: dict[str, np.ndarray] = field(default_factory=dict)
    name: str = "interactions"

    def __post_init__(self):
        user_labels = _check_labels(self.user_labels, "user_labels")
        item_labels = _check_labels(self.item_labels, "item_labels")
        users = _check_events(self.users, len(user_labels), "users")
        items = _check_events(self.items, len(item_labels), "items")
        values = _check_values(self.values)
        timestamps = None if self.timestamps is None else _check_times(self.timestamps)
        lengths = {"users": len(users), "items": len(items), "values": len(values)}
        if timestamps is not None:
            lengths["timestamps"] = len(timestamps)
        if len(set(lengths.values())) > 1:
            received = ", ".join(f"{length} {column}" for column, length in lengths.items())
            raise ValueError(
                f"expected one entry an event in every column, received {received}; make them equally long"
            )

        checked = {
            "users": _freeze(users, np.int32),
            "items": _freeze(items, np.int32),
            "values": _freeze(values, np.float32),
            "timestamps": None if timestamps is None else _freeze(timestamps, np.int64),
            "user_labels": user_labels,
            "item_labels": item_labels,
            "item_facts": {str(k): _check_fact(k, v, len(item_labels)) for k, v in self.item_facts.items()},
            "name": str(self.name),
        }
        for column, array in checked.items():
            object.__setattr__(self, column, array)  # the dataclass is frozen for everyone else

    @classmethod
    def from_labels(
        cls,
        users,
        items,
        values=None,
        timestamps=None,
        *,
        user_labels=None,
        item_labels=None,
        item_facts=None,
        name="interactions",
    ):
        """Build interactions from the labels of users and items instead of their indices.

        Parameters
        ----------
        users, items : sequence of length n_events
            A label an event. What is not text, such as a number, is turned into text. A missing label (None, NaN, an
            empty text) and bytes are refused.
        values : array_like of shape (n_events,), optional
            1.0 each if left out.
        timestamps : array_like of shape (n_events,), optional
            As in `Interactions`.
        user_labels, item_labels : sequence, optional
            All labels in the order of their indices, those without events included. If left out: the labels
            that occur, each once, sorted (numbers by size).
        item_facts : dict of str to sequence, optional
            As in `Interactions`, in the order of `item_labels`; give these too.
        name : str, optional
            What the data set is called.

        Returns
        -------
        Interactions

        Raises
        ------
        ValueError
            If an event's label is missing or not in the labels given, or as `Interactions` says.
        TypeError
            If a label is bytes, equal labels are of two kinds (1 and 1.0), or as `Interactions` says.

        Examples
        --------
        >>> tiny = Interactions.from_labels(["Ben", "Ann", "Ben"], ["Heat", "Heat", "Alien"])
        >>> tiny.users.tolist(), tiny.user_labels.tolist()
        ([1, 0, 1], ['Ann', 'Ben'])
        """
        if item_facts and item_labels is None:
            raise ValueError("received item_facts without item_labels; give item_labels in the order of the facts")
        users, user_labels = _find_labels(users, user_labels, "user")
        items, item_labels = _find_labels(items, item_labels, "item")
        if values is None:
            values = np.ones(len(users))
        return cls(users, items, values, timestamps, user_labels, item_labels, item_facts or {}, name)

    @property
    def n_users(self):
        """Number of users, cold ones included."""
        return len(self.user_labels)

    @property
    def n_items(self):
        """Number of items, cold ones included."""
        return len(self.item_labels)

    @property
    def n_events(self):
        """Number of events; a pair that occurs twice counts twice."""
        return len(self.users)

    @property
    def density(self):
        """Share of the (user, item) pairs that have an event, from 0 to 1; 0.0 if there are no pairs."""
        n_pairs = self.n_users * self.n_items
        return self.to_csr("ones").nnz / n_pairs if n_pairs else 0.0

    def __len__(self):
        return self.n_events

    def to_csr(self, values=None, dtype=np.float32):
        """Return the users × items matrix, sparse by rows.

        A pair without an event is not stored; a pair with the value 0 is stored, as 0. Of a pair with several
        events the last one counts: the last by time, and in the order of the events where times are equal or
        unknown.

        Parameters
        ----------
        values : None, "ones", "count", or array_like of shape (n_events,)
            What to store: the values of the events, 1 for every pair that has one, how many events the pair has, or
            values of your own.
        dtype : dtype, optional
            Of the stored values.

        Returns
        -------
        scipy.sparse.csr_array of shape (n_users, n_items)
            Column indices are sorted in each row.

        Raises
        ------
        TypeError
            If values of your own are no real numbers.
        ValueError
            If `values` is none of the above, one is not finite, or one would change in `dtype`: 300 does not fit into
            int8, nor 3.5 into int64. Only rounding to a shorter float is allowed, and bool for what is not 0.

        Examples
        --------
        >>> tiny = Interactions.from_labels(["Ann", "Ann", "Ben"], ["Heat", "Heat", "Alien"], [2, 4, 5])
        >>> tiny.to_csr().toarray()
        array([[0., 4.],
               [5., 0.]], dtype=float32)
        """
        if values is None:
            values = self.values
        elif isinstance(values, str) and values == "ones":
            values = np.ones(self.n_events)
        elif isinstance(values, str) and values == "count":
            _, pair, counts = np.unique(self._pair_ids(), return_inverse=True, return_counts=True)
            values = counts[pair]
        elif isinstance(values, str) or np.shape(values) != (self.n_events,):
            received = repr(values) if isinstance(values, str) else f"shape {np.shape(values)}"
            raise ValueError(
                f'expected values None, "ones", "count" or an array of shape ({self.n_events},), received {received}'
            )
        latest_first = self._time_order()[::-1]
        _, first = np.unique(self._pair_ids()[latest_first], return_index=True)
        keep = latest_first[first]
        entries = _convert(np.asarray(values)[keep], np.dtype(dtype))
        return csr_array((entries, (self.users[keep], self.items[keep])), shape=(self.n_users, self.n_items))

    def feature_matrix(self, columns):
        """Turn facts about the items into a matrix of zeros and ones, one column for each value that occurs.

        Parameters
        ----------
        columns : str or sequence of str
            Keys of `item_facts`. A number or a str gives an item one feature, a tuple of str one for each of
            its entries; an empty tuple, an empty str and NaN give none.

        Returns
        -------
        matrix : scipy.sparse.csr_array of shape (n_items, n_features), float32
            1.0 where the item has the feature.
        names : list of str
            A name a column, such as ``"genres: Drama"``: the facts in the order of `columns`, the values of
            each sorted.

        Raises
        ------
        KeyError
            If there is no such column of facts; the message lists those there are.

        Examples
        --------
        >>> tiny = Interactions.from_labels(
        ...     [], [], item_labels=["Alien", "Heat"],
        ...     item_facts={"genres": [("Horror", "Sci-Fi"), ("Crime",)], "year": [1979, 1995]})
        >>> matrix, names = tiny.feature_matrix(["genres", "year"])
        >>> names
        ['genres: Crime', 'genres: Horror', 'genres: Sci-Fi', 'year: 1979', 'year: 1995']
        >>> matrix.toarray()
        array([[0., 1., 1., 1., 0.],
               [1., 0., 0., 0., 1.]], dtype=float32)
        """
        names, rows, features = [], [], []
        for column in [columns] if isinstance(columns, str) else columns:
            if column not in self.item_facts:
                known = ", ".join(self.item_facts) or "none"
                raise KeyError(f"no facts {column!r} about the items of {self.name!r}; there are: {known}")
            values = [_entries_of(fact) for fact in self.item_facts[column].tolist()]
            number = {value: len(names) + i for i, value in enumerate(sorted(set().union(*values)))}
            names.extend(f"{column}: {value}" for value in number)
            for row, entries in enumerate(values):
                rows.extend([row] * len(entries))
                features.extend(number[entry] for entry in entries)
        ones = np.ones(len(rows), dtype=np.float32)
        return csr_array((ones, (rows, features)), shape=(self.n_items, len(names))), names

    def sessions(self, gap=6 * 3600):
        """Cut each user's events into sessions: runs of events without a long pause.

        Parameters
        ----------
        gap : float, optional
            A pause of more than so many seconds ends a session. ``np.inf`` gives one session a user.

        Returns
        -------
        list of ndarray of shape (n_events_in_session,), int32
            Item indices in the order of time (equal times: in the order of the events), user after user. Cold
            users have no session.

        Raises
        ------
        ValueError
            If there are no timestamps, or `gap` is negative or NaN.

        Examples
        --------
        >>> tiny = Interactions.from_labels(["Ann"] * 3, ["Heat", "Alien", "Up"], timestamps=[90_000, 60, 0])
        >>> [tiny.item_labels[session].tolist() for session in tiny.sessions()]
        [['Up', 'Alien'], ['Heat']]
        """
        self._require_timestamps("sessions")
        if not gap >= 0:
            raise ValueError(f"expected a gap of 0 seconds or more, received {gap}; the default is 6 hours")
        if not self.n_events:
            return []
        order = np.lexsort((self.timestamps, self.users))  # stable: equal times keep the order of the events
        is_new_user = np.diff(self.users[order]) != 0
        is_pause = np.diff(self.timestamps[order]) > gap
        return np.split(self.items[order], np.flatnonzero(is_new_user | is_pause) + 1)

    def select(self, mask):
        """Keep some of the events; users, items, labels and facts stay, so that indices keep their meaning.

        Parameters
        ----------
        mask : array_like of shape (n_events,), bool
            True where the event stays.

        Returns
        -------
        Interactions

        Raises
        ------
        ValueError
            If `mask` has another shape or is not boolean.

        Examples
        --------
        >>> tiny = Interactions.from_labels(["Ann", "Ben"], ["Heat", "Alien"], [2, 5])
        >>> tiny.select(tiny.values >= 4)
        Interactions 'interactions': 2 users × 2 items, 1 event, density 25 %
        """
        mask = np.asarray(mask)
        if mask.shape != (self.n_events,) or mask.dtype != bool:
            raise ValueError(
                f"expected a boolean mask of shape ({self.n_events},), received {mask.dtype} of shape "
                f"{mask.shape}; write a comparison such as data.values >= 4"
            )
        return replace(
            self,
            users=self.users[mask],
            items=self.items[mask],
            values=self.values[mask],
            timestamps=None if self.timestamps is None else self.timestamps[mask],
        )

    def split_random(self, test_fraction=0.2, *, rng):
        """Put a random share of the events aside for the test.

        A user's later events may land in train and earlier ones in test: it is the easiest split, and the
        least like life. A pair that occurs twice may be on both sides.

        Parameters
        ----------
        test_fraction : float, optional
            Share of the events, between 0 and 1; the number is rounded.
        rng : numpy.random.Generator
            Where chance comes from.

        Returns
        -------
        Split
            Both halves with the users, items, labels and facts of the whole, events in their old order.

        Raises
        ------
        ValueError
            If `test_fraction` is not between 0 and 1.
        TypeError
            If `rng` is not a generator.

        Examples
        --------
        >>> tiny = Interactions.from_labels(range(10), range(10))
        >>> train, test = tiny.split_random(0.3, rng=np.random.default_rng(0))
        >>> len(train), len(test)
        (7, 3)
        """
        check_rng(rng)
        is_test = np.zeros(self.n_events, dtype=bool)
        n_test = _count_test_events(self.n_events, test_fraction)
        is_test[rng.choice(self.n_events, size=n_test, replace=False, shuffle=False)] = True
        return self._split(is_test)

    def split_last(self, n_last=1):
        """Put the last events of each user aside for the test ("leave last out").

        Within a user the test lies after the train. Between users it need not: what one user did late is used
        to predict what another did early. `split_by_time` rules that out.

        Parameters
        ----------
        n_last : int, optional
            How many events of each user go to test, 1 or more. They are the last by time; of events at the
            same time, those that come later in the arrays count as later. A user with no more than `n_last`
            events stays in train whole.

        Returns
        -------
        Split
            Both halves with the users, items, labels and facts of the whole, events in their old order.

        Raises
        ------
        ValueError
            If there are no timestamps, or `n_last` is not a whole number of 1 or more.

        Examples
        --------
        >>> tiny = Interactions.from_labels(["Ann"] * 3, ["Heat", "Alien", "Up"], timestamps=[30, 10, 20])
        >>> train, test = tiny.split_last()
        >>> test.item_labels[test.items].tolist()
        ['Heat']
        """
        self._require_timestamps("split_last")
        check_whole("n_last", n_last, 1)
        order = np.lexsort((self.timestamps, self.users))  # users one after another, each in the order of time
        counts = np.bincount(self.users, minlength=self.n_users)
        users = self.users[order]
        n_left = np.cumsum(counts)[users] - np.arange(self.n_events)  # 1 for a user's last event, 2 for the one before
        is_test = np.zeros(self.n_events, dtype=bool)
        is_test[order] = (n_left <= n_last) & (counts[users] > n_last)
        return self._split(is_test)

    def split_by_time(self, test_fraction=0.2):
        """Cut at one moment for everyone: train is what happened up to it, test what happened later.

        This is what a recommender meets in life. Some users and items will have no event in train.

        Parameters
        ----------
        test_fraction : float, optional
            Share of the events that should fall in test, between 0 and 1. Events of one moment are never
            parted, so test can be smaller than asked for, and even empty, but never larger.

        Returns
        -------
        Split
            Both halves with the users, items, labels and facts of the whole, events in their old order.

        Raises
        ------
        ValueError
            If there are no timestamps, or `test_fraction` is not between 0 and 1.

        Examples
        --------
        >>> tiny = Interactions.from_labels("abcd", "wxyz", timestamps=[40, 10, 20, 30])
        >>> train, test = tiny.split_by_time(0.25)
        >>> train.timestamps.tolist(), test.timestamps.tolist()
        ([10, 20, 30], [40])
        """
        self._require_timestamps("split_by_time")
        n_train = self.n_events - _count_test_events(self.n_events, test_fraction)
        if n_train == 0:  # no event at all, or so few that rounding puts all of them in test
            return self._split(np.ones(self.n_events, dtype=bool))
        cutoff = np.partition(self.timestamps, n_train - 1)[n_train - 1]
        return self._split(self.timestamps > cutoff)

    def __repr__(self):
        events = "1 event" if self.n_events == 1 else f"{self.n_events} events"
        sizes = f"{self.n_users} users × {self.n_items} items, {events}, density {_percent(self.density)}"
        return f"Interactions {self.name!r}: {sizes}"

    def _repr_html_(self):
        rows = "".join(
            f'<tr><th scope="row">{title}</th><td>{html.escape(text)}</td></tr>' for title, text in self._summary()
        )
        summary = f"<table><caption>{html.escape(self.name)}</caption><tbody>{rows}</tbody></table>"
        return f'<div class="book-interactions">{summary}{self._first_events_html()}</div>'

    def _summary(self):
        """Return the (title, text) pairs of the table that a notebook shows."""
        rows = [
            ("Users", f"{self.n_users:,}"),
            ("Items", f"{self.n_items:,}"),
            ("Events", f"{self.n_events:,}"),
            ("Density", _percent(self.density)),
        ]
        if self.n_events:
            rows.append(("Values", _span(f"{self.values.min():g}", f"{self.values.max():g}")))
            if self.timestamps is not None:
                rows.append(("Time", _span(_date(self.timestamps.min()), _date(self.timestamps.max()))))
        if self.timestamps is None:
            rows.append(("Time", "not recorded"))
        rows.append(("Facts about items", ", ".join(self.item_facts) or "none"))
        return rows

    def _first_events_html(self, n_shown=5):
        """Return a table of the first few events with their labels; nothing if there are no events."""
        if not self.n_events:
            return ""
        titles = ["User", "Item", "Value"] + ["Time (UTC)"] * (self.timestamps is not None)
        rows = []
        for event in range(min(n_shown, self.n_events)):
            cells = [self.user_labels[self.users[event]], self.item_labels[self.items[event]]]
            cells.append(f"{self.values[event]:g}")
            if self.timestamps is not None:
                cells.append(_date(self.timestamps[event], unit="s"))
            rows.append("".join(f"<td>{html.escape(str(cell))}</td>" for cell in cells))
        head = "".join(f'<th scope="col">{title}</th>' for title in titles)
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        caption = "<caption>The first events</caption>"
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def _pair_ids(self):
        """Return a number for each event that is the same for the same (user, item) pair."""
        return self.users.astype(np.int64) * self.n_items + self.items

    def _time_order(self):
        """Return the event indices from first to last by time; in their own order where times say nothing."""
        if self.timestamps is None:
            return np.arange(self.n_events)
        return np.argsort(self.timestamps, kind="stable")

    def _require_timestamps(self, method):
        if self.timestamps is None:
            raise ValueError(
                f"{method} needs timestamps, and {self.name!r} has none; load it with timestamps, or use split_random"
            )

    def _split(self, is_test):
        return Split(train=self.select(~is_test), test=self.select(is_test))


class Split(NamedTuple):
    """Two parts of one data set. Users, items and their indices are the same in both.

    Attributes
    ----------
    train : Interactions
        What a model may see.
    test : Interactions
        What it is tested on.
    """

    train: Interactions
    test: Interactions


def _freeze(array, dtype):
    """Return a read-only array; copy unless the one given is read-only already and owns its memory."""
    if isinstance(array, np.ndarray) and array.dtype == dtype and array.base is None:
        if array.flags.writeable:
            array = array.copy()
    else:
        array = np.array(array, dtype=dtype)
    array.flags.writeable = False
    return array


def _convert(values, dtype):
    """Return values in another type; raise an error if that would make others of them."""
    if values.dtype.kind not in "biuf":
        raise TypeError(f"expected numbers as values, received {values.dtype}; convert them to float")
    if not np.isfinite(values).all():
        raise ValueError(f"expected finite values, received {values[~np.isfinite(values)][0]}; leave such events out")
    with np.errstate(over="ignore", invalid="ignore"):  # the next lines look for what went wrong
        converted = values.astype(dtype)
        is_kept = np.isfinite(converted) if dtype.kind == "f" else (converted == values) | (dtype.kind == "b")
    if not is_kept.all():
        raise ValueError(f"expected values that fit into {dtype}, received {values[~is_kept][0]}; choose a wider dtype")
    return converted


def _check_times(array):
    """Return seconds since 1970 as integers."""
    array = _one_dimensional(array, "timestamps")
    if array.dtype.kind == "M":
        is_missing = np.isnat(array)
        # the unit of seconds rounds down, also before 1970
        seconds = np.where(is_missing, np.datetime64(0, "s"), array.astype("datetime64[s]")).astype(np.int64)
    elif array.dtype.kind in "iuf" or not array.size:
        is_missing = ~np.isfinite(array.astype(float))
        is_inside = (array >= FIRST_SECOND) & (array <= LAST_SECOND)
        if not (is_inside | is_missing).all():
            event = int(np.flatnonzero(~(is_inside | is_missing))[0])
            raise ValueError(
                f"expected timestamps in seconds since 1970-01-01, received {array[event]} at event {event}, which is "
                "outside of the years 1 to 9999; divide milliseconds by 1000, nanoseconds by 1e9"
            )
        seconds = np.floor(np.where(is_missing, 0, array)).astype(np.int64) if array.dtype.kind == "f" else array
    else:
        raise TypeError(
            f"expected seconds since 1970-01-01 or datetime64 as timestamps, received {array.dtype}; convert with "
            'np.asarray(times, dtype="datetime64[s]")'
        )
    if is_missing.any():
        event = int(np.flatnonzero(is_missing)[0])
        raise ValueError(
            f"expected a time for every event, received {array[event]} at event {event}; leave such events "
            "out, or all times"
        )
    return seconds


def _check_events(array, n_labels, column):
    advice = f"there are so many {column[:-1]}_labels, and Interactions.from_labels has the indices made"
    return check_indices(column, _one_dimensional(array, column), n_labels, advice=advice)


def _check_values(array):
    array = _one_dimensional(array, "values")
    if array.dtype.kind not in "biuf":
        raise TypeError(f"expected numbers as values, received {array.dtype}; convert with .astype(np.float32)")
    with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite and is refused below
        as_float = array.astype(np.float32, copy=False)
    if not np.isfinite(as_float).all():
        event = int(np.flatnonzero(~np.isfinite(as_float))[0])
        raise ValueError(f"expected finite values, received {array[event]} at event {event}; leave such events out")
    return as_float


def _check_labels(labels, column):
    array = _one_dimensional(labels if isinstance(labels, np.ndarray) else list(labels), column)
    if array.dtype.kind != "U":
        array = [str(label) for label in array.tolist()]
    longest = max(map(len, array), default=0) if isinstance(array, list) or array.itemsize > 4 * LONGEST_LABEL else 0
    if longest > LONGEST_LABEL:
        label = max(array, key=len)
        raise ValueError(
            f"expected {column} of at most {LONGEST_LABEL} characters, received one of {len(label):,} that begins "
            f"{str(label[:40])!r}; give names or ids, and look for a quote that is not closed"
        )
    array = _freeze(array, array.dtype if isinstance(array, np.ndarray) else np.dtype(str))
    if len(set(array.tolist())) < len(array):
        values, counts = np.unique(array, return_counts=True)
        twice = str(values[counts > 1][0])
        raise ValueError(f"expected unique {column}, received {twice!r} more than once; add an id to tell them apart")
    return array


def _check_fact(column, entries, n_items):
    entries = entries if isinstance(entries, np.ndarray) else list(entries)
    if len(entries) != n_items:
        raise ValueError(
            f"expected one entry an item ({n_items}) in item_facts[{column!r}], received {len(entries)}; "
            "give an empty tuple or str where nothing is known"
        )
    if any(isinstance(entry, tuple | list) for entry in entries):
        if not all(isinstance(entry, tuple | list) and all(isinstance(e, str) for e in entry) for entry in entries):
            raise TypeError(
                f"expected a tuple of str for every item in item_facts[{column!r}], received other kinds too; "
                "write a single value as a tuple of one, and nothing as ()"
            )
        return _freeze(np.fromiter(map(tuple, entries), dtype=object, count=n_items), object)
    array = _one_dimensional(entries, f"item_facts[{column!r}]")
    if array.dtype.kind not in "biufU":
        raise TypeError(
            f"expected numbers, str or tuples of str in item_facts[{column!r}], received {array.dtype}; "
            "give NaN, an empty str or () where nothing is known"
        )
    return _freeze(array, array.dtype)


def _one_dimensional(array, column):
    array = np.asarray(array)
    if array.ndim != 1:
        raise ValueError(f"expected {column} with one dimension, received shape {array.shape}; flatten it first")
    return array


def _find_labels(events, labels, kind):
    """Return the index of each event's label, and all labels."""
    events = events.tolist() if isinstance(events, np.ndarray) else list(events)
    _refuse_missing(events, "event", f"the {kind}")
    is_given = labels is not None
    if is_given:
        labels = list(labels)
        _refuse_missing(labels, f"{kind}_labels entry", "a label")
    else:
        try:
            labels = sorted(set(events))
        except TypeError as error:
            raise TypeError(f"expected {kind} labels of one kind ({error}); turn all of them into text") from None
    labels = [str(label) for label in labels]
    row = {label: i for i, label in enumerate(labels)}
    try:
        return np.array([row[str(event)] for event in events], dtype=np.int32), labels
    except KeyError as error:
        received = error.args[0]
    if is_given:
        raise ValueError(
            f"expected every {kind} among the {len(labels)} {kind}_labels, received {received!r}; add it to them"
        )
    raise TypeError(
        f"expected each {kind} written in one way, received {received} and another label that is equal to it and reads "
        "otherwise, as 1 and 1.0 do; turn all of them into text"
    )


def _refuse_missing(labels, place, what):
    """Raise an error for the first label that stands for nothing, or is no text but looks like it."""
    for number, label in enumerate(labels):
        if isinstance(label, bytes):
            raise TypeError(f"expected text as label, received {label!r} at {place} {number}; decode it first")
        is_nothing = label is None or (isinstance(label, str) and not label.strip())
        try:
            is_nothing = is_nothing or bool(label != label)  # NaN and NaT differ from themselves
        except TypeError:  # pandas' NA does not say
            is_nothing = True
        if is_nothing:
            raise ValueError(
                f"expected {what} of every event to be known, received {label!r} at {place} {number}; leave such "
                "events out, or give them a name"
            )


def _entries_of(fact):
    """Return the set of features that one fact gives an item."""
    if isinstance(fact, tuple):
        return set(fact)
    is_missing = fact == "" or fact != fact  # NaN is the only value that differs from itself
    return set() if is_missing else {fact}


def _count_test_events(n_events, test_fraction):
    if not 0 < test_fraction < 1:
        raise ValueError(f"expected a test_fraction between 0 and 1, received {test_fraction}; 0.2 is usual")
    return round(n_events * test_fraction)


def _percent(share):
    return f"{100 * share:.3g} %"


def _span(first, last):
    return first if first == last else f"{first} to {last}"


def _date(timestamp, unit="D"):
    """Return the UTC date of a timestamp, and with unit "s" the time too."""
    return str(np.datetime64(int(timestamp), "s").astype(f"datetime64[{unit}]")).replace("T", " ")
