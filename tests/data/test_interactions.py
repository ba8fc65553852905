from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from utils.data import Interactions, Split

RNG_SEED = 7


def make(users=(0, 0, 1), items=(0, 1, 1), values=(5, 3, 4), timestamps=(30, 10, 20), **changes):
    """Return a small valid data set: two users, three items of which one is cold."""
    arguments = {"user_labels": ["Ann", "Ben"], "item_labels": ["Alien", "Heat", "Up"], **changes}
    return Interactions(users=users, items=items, values=values, timestamps=timestamps, **arguments)


@st.composite
def interactions(draw, max_events=30, with_timestamps=True):
    """Draw data sets with cold users and items, repeated pairs, equal times, and sometimes no event."""
    n_users, n_items = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    event = st.tuples(st.integers(0, n_users - 1), st.integers(0, n_items - 1), st.integers(0, 5), st.integers(-9, 9))
    events = draw(st.lists(event, max_size=max_events))
    users, items, values, timestamps = ([event[column] for event in events] for column in range(4))
    return Interactions(
        users,
        items,
        values,
        timestamps if with_timestamps else None,
        [f"user {user}" for user in range(n_users)],
        [f"item {item}" for item in range(n_items)],
        {"price": list(range(n_items))},
    )


def rows_of(data):
    """Return the events as a list of tuples of labels, value and time."""
    times = [None] * len(data) if data.timestamps is None else data.timestamps.tolist()
    users, items = data.user_labels[data.users].tolist(), data.item_labels[data.items].tolist()
    return list(zip(users, items, data.values.tolist(), times))


# Construction


def test_interactions_keeps_documented_dtypes():
    data = make()
    assert (data.users.dtype, data.items.dtype) == (np.int32, np.int32)
    assert (data.values.dtype, data.timestamps.dtype) == (np.float32, np.int64)
    assert data.user_labels.dtype.kind == data.item_labels.dtype.kind == "U"


def test_interactions_counts_users_items_and_events():
    data = make()
    assert (data.n_users, data.n_items, data.n_events, len(data)) == (2, 3, 3, 3)


def test_interactions_may_be_empty():
    data = Interactions([], [], [], [], [], [])
    assert (data.n_users, data.n_items, data.n_events, data.density) == (0, 0, 0, 0.0)
    assert data.to_csr().shape == (0, 0)
    assert data.sessions() == []


def test_interactions_does_not_see_later_changes_of_what_it_was_given():
    users, year = np.array([0, 0, 1], dtype=np.int32), np.array([1979, 1995, 2009])
    labels = np.array(["Ann", "Ben"])
    data = make(users=users, user_labels=labels, item_facts={"year": year})
    users[0], year[0], labels[0] = 1, 0, "Zoe"
    assert (data.users[0], data.item_facts["year"][0], data.user_labels[0]) == (0, 1979, "Ann")


def test_interactions_does_not_see_changes_through_a_read_only_view():
    base = np.array([0, 0, 1], dtype=np.int32)
    view = base[:]
    view.flags.writeable = False
    data = make(users=view)
    base[0] = 1
    assert data.users[0] == 0


def test_interactions_leaves_the_callers_arrays_writeable():
    users = np.array([0, 0, 1], dtype=np.int32)
    make(users=users)
    users[0] = 1
    assert users[0] == 1


@pytest.mark.parametrize("column", ["users", "items", "values", "timestamps", "user_labels", "item_labels"])
def test_interactions_arrays_are_read_only(column):
    array = getattr(make(), column)
    with pytest.raises(ValueError, match="read-only"):
        array[0] = array[1]


@pytest.mark.parametrize("fact", [[1, 2, 3], ["a", "", "b"], [("x", "y"), ("z", "x"), ()]])
def test_interactions_facts_are_read_only_arrays(fact):
    column = make(item_facts={"fact": fact}).item_facts["fact"]
    assert column.tolist() == fact
    with pytest.raises(ValueError, match="read-only"):
        column[0] = column[1]


def test_interactions_keeps_tuples_of_one_length_apart():
    data = make(item_facts={"genres": [("a", "b"), ("c", "d"), ("e", "f")]})
    assert data.item_facts["genres"].shape == (3,)
    assert data.item_facts["genres"][1] == ("c", "d")


def test_interactions_shares_what_is_already_read_only():
    data = make(item_facts={"year": [1979, 1995, 2009]})
    part = data.select(data.values > 3)
    assert part.item_labels is data.item_labels
    assert part.item_facts["year"] is data.item_facts["year"]


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"items": [0, 1]}, ValueError, "received 3 users, 2 items, 3 values, 3 timestamps; make them equally long"),
        ({"timestamps": [0]}, ValueError, "received 3 users, 3 items, 3 values, 1 timestamps"),
        ({"users": [0, 2, 1]}, ValueError, "expected users of 0 or more and below 2, received 2; .*from_labels"),
        ({"items": [0, -1, 1]}, ValueError, "expected items of 0 or more and below 3, received -1"),
        ({"users": [0.0, 1.0, 1.0]}, TypeError, "expected users as indices, received float64; use whole numbers"),
        ({"users": [True, False, True]}, TypeError, "expected users as indices, received bool; np.flatnonzero"),
        ({"timestamps": [0.5, np.nan, 2]}, ValueError, "expected a time for every event, received nan at event 1"),
        ({"timestamps": ["a", "b", "c"]}, TypeError, r"expected seconds .* or datetime64 as timestamps, received <U1"),
        (
            {"timestamps": [0, 1, 1_445_714_994_000]},
            ValueError,
            "1445714994000 at event 2.*milliseconds by 1000",
        ),
        ({"timestamps": [0, -(2**63), 2]}, ValueError, "received -9223372036854775808 at event 1.*years 1 to 9999"),
        (
            {"user_labels": ["Ann", "x" * 501]},
            ValueError,
            "user_labels of at most 500 characters, received one of 501",
        ),
        ({"values": [1, np.nan, 2]}, ValueError, "expected finite values, received nan at event 1"),
        ({"values": [1, 2, 1e39]}, ValueError, r"expected finite values, received 1e\+39 at event 2"),
        ({"values": ["1", "2", "3"]}, TypeError, "expected numbers as values, received <U1; convert"),
        ({"users": [[0], [0], [1]]}, ValueError, r"expected users with one dimension, received shape \(3, 1\)"),
        ({"user_labels": ["Ann", "Ann"]}, ValueError, "expected unique user_labels, received 'Ann' more than once"),
        ({"item_labels": [1, "1", 2]}, ValueError, "expected unique item_labels, received '1' more than once"),
        ({"item_facts": {"year": [1]}}, ValueError, r"one entry an item \(3\) in item_facts\['year'\], received 1"),
        ({"item_facts": {"g": [("a",), "b", ()]}}, TypeError, r"expected a tuple of str for every item in item_facts"),
        ({"item_facts": {"g": [("a",), (1,), ()]}}, TypeError, r"expected a tuple of str for every item in item_facts"),
        (
            {"item_facts": {"g": [1, None, 2]}},
            TypeError,
            r"expected numbers, str or tuples .* received object; give NaN",
        ),
    ],
)
def test_interactions_refuses_what_does_not_fit(changes, error, message):
    with pytest.raises(error, match=message):
        make(**changes)


# from_labels


def test_from_labels_sorts_the_labels_that_occur():
    data = Interactions.from_labels(["Ben", "Ann", "Ben"], ["Up", "Up", "Heat"])
    assert data.user_labels.tolist() == ["Ann", "Ben"]
    assert rows_of(data) == [("Ben", "Up", 1, None), ("Ann", "Up", 1, None), ("Ben", "Heat", 1, None)]


@pytest.mark.parametrize("kind", [list, np.array])
def test_from_labels_sorts_numbers_by_size(kind):
    data = Interactions.from_labels(kind([10, 9, 10]), kind([1, 2, 3]))
    assert data.user_labels.tolist() == ["9", "10"]
    assert data.users.tolist() == [1, 0, 1]


def test_from_labels_keeps_the_order_of_given_labels_and_cold_ones():
    data = Interactions.from_labels(["Ann"], ["Up"], user_labels=["Cid", "Ann"], item_labels=["Up", "Heat"])
    assert data.user_labels.tolist() == ["Cid", "Ann"]
    assert (data.users.tolist(), data.items.tolist(), data.n_items) == ([1], [0], 2)


def test_from_labels_refuses_an_unknown_label():
    with pytest.raises(ValueError, match="expected every user among the 1 user_labels, received 'Ann'; add it"):
        Interactions.from_labels(["Ann"], ["Up"], user_labels=["Ben"])


def test_from_labels_refuses_facts_without_labels():
    with pytest.raises(ValueError, match="received item_facts without item_labels; give item_labels"):
        Interactions.from_labels(["Ann"], ["Up"], item_facts={"year": [2009]})


def test_from_labels_refuses_labels_of_several_kinds():
    with pytest.raises(TypeError, match=r"expected item labels of one kind .*turn all of them into text"):
        Interactions.from_labels(["Ann", "Ann"], ["Up", 3])


@given(interactions())
@settings(deadline=None)
def test_from_labels_undoes_taking_labels(data):
    rebuilt = Interactions.from_labels(
        data.user_labels[data.users],
        data.item_labels[data.items],
        data.values,
        data.timestamps,
        user_labels=data.user_labels,
        item_labels=data.item_labels,
    )
    assert rows_of(rebuilt) == rows_of(data)


# Density and display


def test_density_counts_a_repeated_pair_once():
    assert make(users=[0, 0, 1], items=[0, 0, 1]).density == pytest.approx(2 / 6)


@given(interactions())
@settings(deadline=None)
def test_density_is_the_share_of_distinct_pairs(data):
    pairs = set(zip(data.users.tolist(), data.items.tolist()))
    assert data.density == len(pairs) / (data.n_users * data.n_items)


def test_repr_is_one_line():
    assert repr(make(name="tiny")) == "Interactions 'tiny': 2 users × 3 items, 3 events, density 50 %"


class _Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.text = [], []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def _read_html(data):
    parser = _Tags()
    parser.feed(data._repr_html_())
    assert parser.open == []
    return parser.text


def test_repr_html_shows_sizes_range_span_and_facts():
    text = _read_html(make(timestamps=[0, 86_400, 3], item_facts={"year": [1, 2, 3]}, name="tiny"))
    summary = dict(zip(text[1::2], text[2::2]))
    assert text[0] == "tiny"
    assert (summary["Users"], summary["Items"], summary["Events"], summary["Density"]) == ("2", "3", "3", "50 %")
    assert (summary["Values"], summary["Time"]) == ("3 to 5", "1970-01-01 to 1970-01-02")
    assert summary["Facts about items"] == "year"


def test_repr_html_shows_the_first_five_events_with_labels():
    text = _read_html(make(users=[0] * 6, items=[2] * 6, values=[4.5] * 6, timestamps=[60] * 6))
    assert text[-20:] == ["Ann", "Up", "4.5", "1970-01-01 00:01:00"] * 5


def test_repr_html_escapes_labels():
    data = make(user_labels=["<b>", "&"], item_labels=['"', "<script>", "x"], name="<i>")
    assert "<script>" not in data._repr_html_()
    assert {"<b>", "<script>", "<i>"} <= set(_read_html(data))


def test_repr_html_without_times_or_events():
    text = _read_html(make(users=[], items=[], values=[], timestamps=None))
    assert text[-4:] == ["Time", "not recorded", "Facts about items", "none"]


# to_csr


def test_to_csr_places_values():
    matrix = make().to_csr()
    assert isinstance(matrix, csr_array)
    assert matrix.dtype == np.float32
    assert matrix.toarray().tolist() == [[5, 3, 0], [0, 4, 0]]


def test_to_csr_takes_the_last_value_by_time():
    data = make(users=[0, 0, 0], items=[1, 1, 1], values=[1, 2, 3], timestamps=[5, 9, 7])
    assert data.to_csr()[0, 1] == 2


def test_to_csr_breaks_ties_by_position():
    data = make(users=[0, 0, 0], items=[1, 1, 1], values=[1, 2, 3], timestamps=[9, 9, 7])
    assert data.to_csr()[0, 1] == 2


def test_to_csr_breaks_many_ties_by_position():
    # an unstable sort keeps the order of a few equal times by luck, of a thousand hardly
    data = make(users=[0] * 1000, items=[1] * 1000, values=range(1000), timestamps=[7, 8] * 500)
    assert data.to_csr()[0, 1] == 999


def test_to_csr_without_times_takes_the_last_by_position():
    data = make(users=[0, 0, 0], items=[1, 1, 1], values=[1, 2, 3], timestamps=None)
    assert data.to_csr()[0, 1] == 3


def test_to_csr_stores_a_zero_that_somebody_gave():
    matrix = make(values=[0, 3, 4]).to_csr()
    assert (matrix.nnz, matrix[0, 0]) == (3, 0)


def test_to_csr_ones_marks_every_pair_once():
    matrix = make(users=[0, 0, 1], items=[0, 0, 1], values=[0, 2, 3]).to_csr("ones", dtype=np.int8)
    assert matrix.dtype == np.int8
    assert matrix.toarray().tolist() == [[1, 0, 0], [0, 1, 0]]


def test_to_csr_stores_values_of_your_own():
    assert make().to_csr(np.array([1, 2, 3]), dtype=int).toarray().tolist() == [[1, 2, 0], [0, 3, 0]]


@given(st.booleans().flatmap(lambda has_times: interactions(with_timestamps=has_times)))
@settings(deadline=None)
def test_to_csr_agrees_with_a_dictionary(data):
    times = np.zeros(len(data)) if data.timestamps is None else data.timestamps
    expected = {}
    for event in sorted(range(len(data)), key=lambda event: times[event]):  # sorted is stable
        expected[data.users[event], data.items[event]] = data.values[event]
    matrix = data.to_csr()
    assert matrix.shape == (data.n_users, data.n_items)
    assert matrix.has_sorted_indices
    coordinates = matrix.tocoo()
    assert dict(zip(zip(*coordinates.coords), coordinates.data)) == expected


@pytest.mark.parametrize(("values", "received"), [("binary", "'binary'"), ([1, 2], r"shape \(2,\)")])
def test_to_csr_refuses_other_values(values, received):
    with pytest.raises(
        ValueError, match=rf'expected values None, "ones", "count" or an array of shape \(3,\), received {received}'
    ):
        make().to_csr(values)


# feature_matrix

FACTS = {
    "genres": [("Horror", "Sci-Fi"), ("Crime", "Crime"), ()],
    "year": [1995, 1979, 1995],
    "director": ["Scott", "Mann", ""],
    "score": [np.nan, 7.5, 8.0],
}


def test_feature_matrix_marks_each_fact():
    matrix, names = make(item_facts=FACTS).feature_matrix("genres")
    assert names == ["genres: Crime", "genres: Horror", "genres: Sci-Fi"]
    assert matrix.dtype == np.float32
    assert matrix.toarray().tolist() == [[0, 1, 1], [1, 0, 0], [0, 0, 0]]


def test_feature_matrix_gives_missing_facts_no_feature():
    matrix, names = make(item_facts=FACTS).feature_matrix(["director", "score"])
    assert names == ["director: Mann", "director: Scott", "score: 7.5", "score: 8.0"]
    assert matrix.toarray().tolist() == [[0, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 1]]


def test_feature_matrix_joins_columns_in_the_order_asked_for():
    data = make(item_facts=FACTS)
    both, names = data.feature_matrix(["year", "genres"])
    parts = [data.feature_matrix(column) for column in ("year", "genres")]
    assert names == parts[0][1] + parts[1][1]
    np.testing.assert_array_equal(both.toarray(), np.hstack([matrix.toarray() for matrix, _ in parts]))


@pytest.mark.parametrize(("columns", "n_items"), [([], 3), ("genres", 0)])
def test_feature_matrix_may_have_no_features(columns, n_items):
    labels = [f"item {item}" for item in range(n_items)]
    data = Interactions.from_labels([], [], item_labels=labels, item_facts={"genres": [()] * n_items})
    matrix, names = data.feature_matrix(columns)
    assert (matrix.shape, names) == ((n_items, 0), [])


def test_feature_matrix_refuses_an_unknown_column():
    with pytest.raises(KeyError, match="no facts 'colour' about the items of 'tiny'; there are: year"):
        make(item_facts={"year": [1, 2, 3]}, name="tiny").feature_matrix(["year", "colour"])


# sessions


def test_sessions_are_cut_where_the_pause_exceeds_the_gap():
    data = make(users=[0, 1, 0, 0], items=[2, 0, 1, 0], values=[1] * 4, timestamps=[211, 5, 0, 100])
    assert [session.tolist() for session in data.sessions(gap=100)] == [[1, 0], [2], [0]]
    assert [session.tolist() for session in data.sessions(gap=111)] == [[1, 0, 2], [0]]
    assert [session.tolist() for session in data.sessions(gap=np.inf)] == [[1, 0, 2], [0]]


@given(interactions(), st.integers(0, 12))
@settings(deadline=None)
def test_sessions_agree_with_a_loop(data, gap):
    expected = []
    for user in range(data.n_users):
        events = sorted(np.flatnonzero(data.users == user), key=lambda event: data.timestamps[event])
        for previous, event in zip([None, *events], events):
            if previous is None or data.timestamps[event] - data.timestamps[previous] > gap:
                expected.append([])
            expected[-1].append(int(data.items[event]))
    assert [session.tolist() for session in data.sessions(gap)] == expected


@pytest.mark.parametrize("gap", [-1, np.nan])
def test_sessions_refuses_a_gap_that_is_none(gap):
    with pytest.raises(ValueError, match="expected a gap of 0 seconds or more, received"):
        make().sessions(gap)


# select


def test_select_keeps_the_masked_events_and_all_labels():
    data = make(item_facts={"year": [1, 2, 3]}, name="tiny")
    part = data.select([False, True, True])
    assert rows_of(part) == rows_of(data)[1:]
    assert (part.n_users, part.n_items, part.name, list(part.item_facts)) == (2, 3, "tiny", ["year"])


@pytest.mark.parametrize("mask", [[True, False], [0, 1, 1], np.ones((3, 1), dtype=bool), True])
def test_select_refuses_what_is_no_mask(mask):
    with pytest.raises(ValueError, match=r"expected a boolean mask of shape \(3,\), received .*; write a comparison"):
        make().select(mask)


# Splits

SPLITS = {
    "random": lambda data: data.split_random(0.3, rng=np.random.default_rng(RNG_SEED)),
    "last": lambda data: data.split_last(2),
    "by time": lambda data: data.split_by_time(0.3),
}


@pytest.mark.parametrize("split", SPLITS.values(), ids=SPLITS)
@given(data=interactions())
@settings(deadline=None)
def test_splits_give_each_event_to_one_side_in_its_old_order(split, data):
    numbered = Interactions(
        data.users, data.items, range(len(data)), data.timestamps, data.user_labels, data.item_labels
    )
    train, test = split(numbered)
    numbers = np.concatenate([train.values, test.values]).astype(int)
    assert sorted(numbers.tolist()) == list(range(len(data)))
    for part in (train, test):
        assert rows_of(part) == [rows_of(numbered)[int(number)] for number in part.values]
        assert (np.diff(part.values) > 0).all()


@pytest.mark.parametrize("split", SPLITS.values(), ids=SPLITS)
@given(data=interactions())
@settings(deadline=None)
def test_splits_keep_the_meaning_of_indices(split, data):
    halves = split(data)
    assert isinstance(halves, Split)
    for part in halves:
        assert part.user_labels.tolist() == data.user_labels.tolist()
        assert part.item_labels.tolist() == data.item_labels.tolist()
        assert part.item_facts["price"].tolist() == data.item_facts["price"].tolist()
        assert part.to_csr().shape == data.to_csr().shape


@given(interactions(), st.floats(0.01, 0.99))
@settings(deadline=None)
def test_split_random_takes_the_rounded_share(data, test_fraction):
    _, test = data.split_random(test_fraction, rng=np.random.default_rng(RNG_SEED))
    assert len(test) == round(len(data) * test_fraction)


def test_split_random_gives_every_event_the_same_chance():
    data = Interactions.from_labels(range(10), range(10))
    rng = np.random.default_rng(RNG_SEED)
    counts = sum(np.bincount(data.split_random(0.3, rng=rng).test.users, minlength=10) for _ in range(2000))
    # each count is binomial(2000, 0.3): mean 600, standard deviation 20.5; five of them on each side
    assert np.abs(counts - 600).max() < 103


def test_split_random_repeats_with_the_same_seed():
    data = Interactions.from_labels(range(50), range(50))
    tests = [data.split_random(0.3, rng=np.random.default_rng(1)).test.users.tolist() for _ in range(2)]
    assert tests[0] == tests[1]


def test_split_random_refuses_a_seed_in_place_of_a_generator():
    with pytest.raises(TypeError, match=r"expected rng as a numpy Generator, received 0; use np.random.default_rng"):
        make().split_random(rng=0)


def test_split_last_takes_the_last_by_time():
    train, test = make(users=[0, 0, 0], items=[0, 1, 2], timestamps=[30, 10, 20]).split_last()
    assert (train.items.tolist(), test.items.tolist()) == ([1, 2], [0])


def test_split_last_breaks_ties_by_position():
    _, test = make(users=[0, 0, 0], items=[0, 1, 2], timestamps=[30, 30, 20]).split_last()
    assert test.items.tolist() == [1]


def test_split_last_leaves_users_with_few_events_in_train():
    train, test = make(users=[0, 1, 0], items=[0, 1, 2]).split_last(2)
    assert (len(train), len(test)) == (3, 0)


@given(interactions(), st.integers(1, 4))
@settings(deadline=None)
def test_split_last_agrees_with_a_loop(data, n_last):
    expected = []
    for user in range(data.n_users):
        events = sorted(np.flatnonzero(data.users == user), key=lambda event: data.timestamps[event])
        expected += events[-n_last:] if len(events) > n_last else []
    _, test = data.split_last(n_last)
    assert rows_of(test) == [rows_of(data)[event] for event in sorted(expected)]


@given(interactions(), st.integers(1, 4))
@settings(deadline=None)
def test_split_last_never_trains_on_a_later_event_of_the_user(data, n_last):
    train, test = data.split_last(n_last)
    for user in set(test.users.tolist()):
        assert train.timestamps[train.users == user].max() <= test.timestamps[test.users == user].min()
        assert (test.users == user).sum() == n_last


@pytest.mark.parametrize("n_last", [0, -1, 1.0, True, "1"])
def test_split_last_refuses_what_is_no_count(n_last):
    with pytest.raises(ValueError, match="expected n_last as a whole number of 1 or more, received"):
        make().split_last(n_last)


def test_split_by_time_cuts_once_for_everyone():
    train, test = make().split_by_time(1 / 3)
    assert (train.timestamps.tolist(), test.timestamps.tolist()) == ([10, 20], [30])


def test_split_by_time_never_parts_one_moment():
    train, test = make(timestamps=[10, 10, 10]).split_by_time(1 / 3)
    assert (len(train), len(test)) == (3, 0)


@given(interactions(), st.floats(0.01, 0.99))
@settings(deadline=None)
def test_split_by_time_tests_strictly_later_and_not_more_than_asked(data, test_fraction):
    train, test = data.split_by_time(test_fraction)
    assert len(test) <= round(len(data) * test_fraction)
    if len(train) and len(test):
        assert train.timestamps.max() < test.timestamps.min()


@pytest.mark.parametrize("test_fraction", [0, 1, -0.2, 20, np.nan])
@pytest.mark.parametrize("split", ["split_random", "split_by_time"])
def test_splits_refuse_a_fraction_out_of_range(split, test_fraction):
    options = {"rng": np.random.default_rng(RNG_SEED)} if split == "split_random" else {}
    with pytest.raises(ValueError, match="expected a test_fraction between 0 and 1, received"):
        getattr(make(), split)(test_fraction, **options)


@pytest.mark.parametrize("method", ["sessions", "split_last", "split_by_time"])
def test_methods_that_need_time_say_so(method):
    with pytest.raises(ValueError, match=f"{method} needs timestamps, and 'tiny' has none; load it with timestamps"):
        getattr(make(timestamps=None, name="tiny"), method)()


# Values in another type


@pytest.mark.parametrize(
    ("values", "dtype", "received"),
    [
        ([300.0, 1], np.int8, "300.0"),
        ([-1.0, 1], np.uint8, "-1.0"),
        ([3.5, 1], np.int64, "3.5"),
        ([1e6, 1], np.float16, "1000000.0"),
        ([1e300, 1], np.float32, r"1e\+300"),
        (np.array([2**63, 1], dtype=np.uint64), np.int64, "9223372036854775808"),
    ],
)
def test_to_csr_refuses_values_that_do_not_fit(values, dtype, received):
    tiny = Interactions.from_labels(["Ann", "Ben"], ["Heat", "Alien"])
    with pytest.raises(
        ValueError, match=rf"values that fit into {np.dtype(dtype)}, received {received}; choose a wider"
    ):
        tiny.to_csr(values, dtype=dtype)


@pytest.mark.parametrize(("values", "dtype"), [([127.0, -128], np.int8), ([0.1, 1], np.float32), ([0.5, 0], bool)])
def test_to_csr_takes_values_that_fit(values, dtype):
    matrix = Interactions.from_labels([0, 1], [0, 1]).to_csr(values, dtype=dtype)
    assert matrix.dtype == dtype
    assert matrix.data.tolist() == np.asarray(values, dtype=dtype).tolist()


@pytest.mark.parametrize(
    ("values", "error"), [(["1", "2"], TypeError), ([np.nan, 1], ValueError), ([1j, 1], TypeError)]
)
def test_to_csr_refuses_values_that_are_no_numbers(values, error):
    with pytest.raises(error, match=r"expected (numbers as|finite) values, received"):
        Interactions.from_labels([0, 1], [0, 1]).to_csr(values)


@pytest.mark.parametrize("unit", ["D", "s", "ms", "ns"])
def test_interactions_take_times_of_any_unit(unit):
    times = np.array(["2024-02-29", "1969-12-31"], dtype=f"datetime64[{unit}]")
    data = Interactions([0, 0], [0, 0], [1, 1], times, ["Ann"], ["Heat"])
    assert data.timestamps.tolist() == [1_709_164_800, -86_400]
    assert data.timestamps.dtype == np.int64


def test_interactions_cut_parts_of_a_second_off():
    data = Interactions([0, 0], [0, 0], [1, 1], [1.9, -0.5], ["Ann"], ["Heat"])
    assert data.timestamps.tolist() == [1, -1]
    same = Interactions([0], [0], [1], np.array([-500], dtype="datetime64[ms]"), ["Ann"], ["Heat"])
    assert same.timestamps.tolist() == [-1]


def test_interactions_refuse_a_time_that_is_missing():
    times = np.array(["2024-02-29", "NaT"], dtype="datetime64[s]")
    with pytest.raises(ValueError, match="expected a time for every event, received NaT at event 1"):
        Interactions([0, 0], [0, 0], [1, 1], times, ["Ann"], ["Heat"])


@pytest.mark.parametrize("missing", [None, float("nan"), np.nan, np.datetime64("NaT"), "", "  "])
def test_from_labels_refuses_a_missing_label(missing):
    with pytest.raises(ValueError, match=r"expected the user of every event to be known, received .* at event 1"):
        Interactions.from_labels(["Ann", missing], ["Heat", "Up"])
    with pytest.raises(ValueError, match=r"received .* at item_labels entry 0"):
        Interactions.from_labels(["Ann"], ["Up"], item_labels=[missing, "Up"])


def test_from_labels_refuses_bytes():
    with pytest.raises(TypeError, match=r"expected text as label, received b'Ann' at event 0; decode it first"):
        Interactions.from_labels([b"Ann"], ["Heat"])


@pytest.mark.parametrize("labels", [[1, 1.0, 2], [True, 1, 2]])
def test_from_labels_refuses_equal_labels_of_two_kinds(labels):
    with pytest.raises(TypeError, match=r"expected each user written in one way, received .* as 1 and 1.0 do"):
        Interactions.from_labels(labels, ["Heat"] * 3)


def test_to_csr_counts_events_of_a_pair():
    data = Interactions.from_labels(["Ann", "Ben", "Ann", "Ann"], ["Up", "Up", "Heat", "Up"], [5, 1, 2, 4])
    assert data.to_csr("count").toarray().tolist() == [[1, 2], [0, 1]]
    assert data.to_csr("count", dtype=np.int64).dtype == np.int64
