"""The simulated audience: its data follow the recipe in the docstring, and the truth really made them."""

import dataclasses

import numpy as np
import pytest

from utils.data import cinema
from utils.data.cinema import load_cinema, read_films

SMALL = {"n_users": 80, "n_items": 60, "n_cold_users": 5, "n_cold_items": 4, "events_per_user": 10}


@pytest.fixture(scope="module")
def default():
    return load_cinema()


@pytest.fixture(scope="module")
def small():
    return load_cinema(3, **SMALL)


def events_of(interactions):
    return interactions.users, interactions.items, interactions.values, interactions.timestamps


def one_viewer_at_a_time(interactions):
    """Yield the events of each viewer in the order of time."""
    order = np.lexsort((interactions.timestamps, interactions.users))
    yield from np.split(order, np.flatnonzero(np.diff(interactions.users[order])) + 1)


def same_arrays(first, second):
    """Say whether two objects of the same dataclass are equal bit by bit."""
    return all(
        np.array_equal(getattr(first, field.name), getattr(second, field.name))
        for field in dataclasses.fields(first)
        if field.name != "item_facts"
    )


# Shape and labels


def test_load_cinema_has_the_documented_sizes(default):
    interactions, truth = default
    assert (interactions.n_users, interactions.n_items) == (1500, 208)
    assert truth.user_factors.shape == (1500, 8)
    assert truth.item_factors.shape == (208, 8)
    assert truth.user_bias.shape == truth.user_groups.shape == (1500,)
    assert truth.item_bias.shape == truth.popularity.shape == (208,)
    assert truth.event_tastes.shape == (interactions.n_events, 8)


def test_load_cinema_labels_films_by_title_and_viewers_by_number(small):
    interactions, _ = small
    assert interactions.item_labels.tolist() == read_films()["title"][:60]
    assert interactions.user_labels[[0, 79]].tolist() == ["viewer 1", "viewer 80"]


def test_load_cinema_hands_on_the_facts(small):
    interactions, _ = small
    for column, entries in read_films().items():
        assert list(interactions.item_facts[column]) == entries[:60]


def test_load_cinema_gives_events_in_the_order_of_time(default):
    assert (np.diff(default[0].timestamps) >= 0).all()


def test_load_cinema_lets_nobody_watch_a_film_twice(default):
    interactions, _ = default
    pairs = interactions.users.astype(int) * interactions.n_items + interactions.items
    assert len(np.unique(pairs)) == interactions.n_events


# Seeds and random streams


def test_load_cinema_gives_the_same_data_for_the_same_seed(small):
    again, truth = load_cinema(3, **SMALL)
    assert same_arrays(again, small[0])
    assert same_arrays(truth, small[1])


def test_load_cinema_gives_other_data_for_another_seed(small):
    other, truth = load_cinema(4, **SMALL)
    assert not np.isclose(truth.item_factors, small[1].item_factors).any()
    assert not np.array_equal(other.items[:100], small[0].items[:100])


def test_load_cinema_keeps_the_films_when_the_audience_changes(small):
    _, truth = load_cinema(3, **SMALL | {"n_users": 33, "events_per_user": 6, "mood": 0.1})
    for name in ("item_factors", "item_bias", "popularity"):
        assert np.array_equal(getattr(truth, name), getattr(small[1], name))


def test_load_cinema_keeps_the_films_when_fewer_are_shown(small):
    _, truth = load_cinema(3, **SMALL | {"n_items": 40})
    for name in ("item_factors", "item_bias", "popularity"):
        assert np.array_equal(getattr(truth, name), getattr(small[1], name)[:40])


def test_load_cinema_keeps_the_audience_when_the_films_change(small):
    _, truth = load_cinema(3, **SMALL | {"n_items": 40})
    for name in ("user_factors", "user_bias", "user_groups", "cold_users"):
        assert np.array_equal(getattr(truth, name), getattr(small[1], name))


# Truth


def test_expected_ratings_adds_mean_biases_and_affinity(small):
    _, truth = small
    user, item = 7, 11
    by_hand = truth.mean + truth.user_bias[user] + truth.item_bias[item]
    by_hand += sum(a * b for a, b in zip(truth.user_factors[user], truth.item_factors[item]))
    assert truth.expected_ratings().shape == (80, 60)
    assert truth.expected_ratings()[user, item] == pytest.approx(by_hand, rel=1e-12)


def test_affinity_is_the_expected_rating_without_mean_and_biases(small):
    _, truth = small
    rest = truth.expected_ratings() - truth.mean - truth.user_bias[:, None] - truth.item_bias[None, :]
    np.testing.assert_allclose(truth.affinity(), rest, atol=1e-12)


def test_cinema_truth_is_frozen(small):
    with pytest.raises(dataclasses.FrozenInstanceError):
        small[1].mean = 5.0


def test_load_cinema_gives_every_film_traits_of_length_1(default):
    np.testing.assert_allclose(np.linalg.norm(default[1].item_factors, axis=1), 1, rtol=1e-12)


def test_load_cinema_centres_the_traits(default):
    # Before the rows are scaled to length 1 the mean is exactly 0. Uncentred, its length is the sum of shared parts.
    assert np.linalg.norm(default[1].item_factors.mean(axis=0)) < 0.1


def test_load_cinema_draws_tastes_around_their_groups(default):
    _, truth = default
    centres = np.array([truth.user_factors[truth.user_groups == group].mean(axis=0) for group in range(6)])
    inside = truth.user_factors - centres[truth.user_groups]
    # The documented share of the variance within groups, .75, has a standard error of .75 * sqrt(2 / 12000) = .01.
    assert inside.var() == pytest.approx(0.75, abs=0.04)


def test_load_cinema_centres_the_groups(default):
    _, truth = default
    centres = np.array([truth.user_factors[truth.user_groups == group].mean(axis=0) for group in range(6)])
    # Six means of about 250 viewers: the standard error of their mean is sqrt(.75 / 1500) = .022 a coordinate.
    assert np.abs(centres.mean(axis=0)).max() < 0.09


def test_load_cinema_draws_biases_with_the_documented_spread(default):
    # 4 standard errors: sd / sqrt(2 n) is .0064 for 1,500 viewers and .017 for 208 films.
    assert default[1].user_bias.std() == pytest.approx(0.35, abs=0.026)
    assert default[1].item_bias.std() == pytest.approx(0.35, abs=0.07)


def test_load_cinema_draws_popularity_apart_from_traits_and_quality(default):
    _, truth = default
    # |r| < .28 is 4 standard errors of a correlation of 208 independent pairs.
    for column in (*truth.item_factors.T, truth.item_bias):
        assert abs(np.corrcoef(truth.popularity, column)[0, 1]) < 0.28


def test_load_cinema_lets_facts_predict_traits_in_part(default):
    interactions, truth = default
    genres = interactions.feature_matrix(["genres"])[0].toarray()
    ridge = np.linalg.solve(genres.T @ genres + 2 * np.eye(genres.shape[1]), genres.T @ truth.item_factors)
    predicted = truth.user_factors @ (genres @ ridge).T
    assert 0.5 < np.corrcoef(predicted.ravel(), truth.affinity().ravel())[0, 1] < 0.75


def test_load_cinema_explains_traits_fully_by_facts_without_own_weight():
    interactions, truth = load_cinema(own_weight=0)
    same = [interactions.item_labels.tolist().index(title) for title in ("Pulp Fiction", "Reservoir Dogs")]
    others = truth.item_factors @ truth.item_factors[same[0]]
    # Two crime films by one director, of one country and decade: neighbours, where nothing else plays a part.
    assert others[same[1]] > np.quantile(others, 0.9)


# Who watches how much, and what


def test_load_cinema_fills_about_a_tenth_of_the_matrix(default):
    assert 0.09 < default[0].density < 0.11


def test_load_cinema_gives_viewers_the_documented_number_of_films(default):
    counts = np.bincount(default[0].users, minlength=1500)
    counts = counts[counts > 0]
    assert counts.min() >= 3
    assert counts.max() <= 100  # half of the 200 films on the programme
    # sd 13 of a lognormal with mean 20, over sqrt(1470) viewers: 4 standard errors are 1.4.
    assert counts.mean() == pytest.approx(20, abs=1.4)
    assert np.quantile(counts, 0.1) <= 9
    assert np.quantile(counts, 0.99) >= 50


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_load_cinema_skews_popularity(seed):
    interactions, _ = load_cinema(seed)
    counts = np.sort(np.bincount(interactions.items, minlength=208))[::-1]
    assert 0.35 < counts[:21].sum() / counts.sum() < 0.45
    assert counts[counts > 0].min() < 15


def test_load_cinema_picks_by_popularity_alone_without_taste():
    interactions, truth = load_cinema(1, n_users=20_000, n_items=20, n_cold_items=0, events_per_user=3, taste_weight=0)
    first = np.array([events[0] for events in one_viewer_at_a_time(interactions)])
    shares = np.bincount(interactions.items[first], minlength=20) / len(first)
    softmax = np.exp(truth.popularity) / np.exp(truth.popularity).sum()
    # 4 standard errors of a share over about 20,000 first picks.
    assert (np.abs(shares - softmax) < 4 * np.sqrt(softmax * (1 - softmax) / len(first)) + 1e-4).all()


def test_load_cinema_spreads_events_evenly_without_taste_and_popularity():
    interactions, truth = load_cinema(taste_weight=0, popularity_sd=0)
    counts = np.delete(np.bincount(interactions.items, minlength=208), truth.cold_items)
    # A count of about 150 spreads by about sqrt(150) = 12: a tenth of what popularity does to it.
    assert counts.std() < 20


def test_load_cinema_follows_the_softmax_of_the_taste_of_the_moment(default):
    """The mean score of what was picked equals the mean of its expectation, step by step."""
    interactions, truth = default
    programme = np.delete(np.arange(208), truth.cold_items)
    gaps = []
    for events in list(one_viewer_at_a_time(interactions))[:300]:
        seen = []
        for event in events:
            left = np.setdiff1d(programme, seen)
            scores = truth.popularity[left] + 1.5 * truth.item_factors[left] @ truth.event_tastes[event]
            chances = np.exp(scores) / np.exp(scores).sum()
            picked = scores[left == interactions.items[event]][0]
            gaps.append(picked - chances @ scores)
            seen.append(interactions.items[event])
    gaps = np.array(gaps)
    assert abs(gaps.mean()) < 4 * gaps.std() / np.sqrt(len(gaps))


def test_load_cinema_leaves_cold_viewers_and_films_without_events(default):
    interactions, truth = default
    assert len(truth.cold_users) == 30
    assert len(truth.cold_items) == 8
    assert not np.isin(interactions.users, truth.cold_users).any()
    assert not np.isin(interactions.items, truth.cold_items).any()


def test_load_cinema_names_every_film_without_events_as_cold():
    interactions, truth = load_cinema(0, **SMALL | {"n_users": 8, "n_cold_users": 2})
    assert len(truth.cold_items) > 4  # eight viewers do not get round to all of 56 films
    assert truth.cold_items.tolist() == sorted(set(range(60)) - set(interactions.items.tolist()))


def test_load_cinema_knows_the_tastes_of_cold_viewers(default):
    _, truth = default
    assert (np.linalg.norm(truth.user_factors[truth.cold_users], axis=1) > 0).all()


def test_load_cinema_takes_no_cold_ones():
    interactions, truth = load_cinema(n_cold_users=0, n_cold_items=0)
    assert len(truth.cold_users) == 0
    assert len(np.unique(interactions.users)) == 1500


# Time


def test_load_cinema_plays_in_2024_and_2025(default):
    days = default[0].timestamps.astype("datetime64[s]").astype("datetime64[D]")
    assert days.min() >= np.datetime64("2024-01-01")
    assert days.max() <= np.datetime64("2026-01-01")  # the last evening may go past midnight


def test_load_cinema_begins_evenings_between_18_and_20(default):
    interactions, _ = default
    for events in list(one_viewer_at_a_time(interactions))[:200]:
        times = interactions.timestamps[events]
        begins = times[np.diff(times, prepend=0) > 6 * 3600] % 86_400
        assert (begins >= 18 * 3600).all()
        assert (begins < 20 * 3600).all()


def test_load_cinema_sessions_are_the_simulated_evenings(default):
    """Evenings are known by their date: noon to noon, apart from `Interactions.sessions`, which looks at gaps."""
    interactions, _ = default
    evenings = []
    for events in one_viewer_at_a_time(interactions):
        dates = (interactions.timestamps[events] - 43_200) // 86_400
        evenings += np.split(interactions.items[events], np.flatnonzero(np.diff(dates)) + 1)
    sessions = interactions.sessions()
    assert len(sessions) == len(evenings)
    assert all(np.array_equal(session, evening) for session, evening in zip(sessions, evenings))


def test_load_cinema_gives_evenings_of_one_to_six_films_with_the_documented_chances(default):
    # The last evening of a viewer can be cut short, so leave it out; the one before it is as drawn.
    interactions, _ = default
    sizes = []
    for events in one_viewer_at_a_time(interactions):
        dates = (interactions.timestamps[events] - 43_200) // 86_400
        sizes += np.unique(dates, return_counts=True)[1][:-1].tolist()
    shares = np.bincount(sizes, minlength=7)[1:] / len(sizes)
    # .01 is 2 standard errors, and short histories hold fewer of the long evenings.
    np.testing.assert_allclose(shares, cinema.EVENING_SIZES, atol=0.03)


def test_load_cinema_puts_like_films_into_one_evening(default):
    interactions, truth = default
    near, apart, elsewhere = [], [], []
    for events in one_viewer_at_a_time(interactions):
        traits = truth.item_factors[interactions.items[events]]
        dates = (interactions.timestamps[events] - 43_200) // 86_400
        cosines = traits @ traits.T
        first, second = np.triu_indices(len(events), 1)
        together = dates[first] == dates[second]
        near += cosines[first, second][together & (second - first == 1)].tolist()
        apart += cosines[first, second][together & (second - first >= 3)].tolist()
        elsewhere += cosines[first, second][~together].tolist()
    assert np.mean(near) > np.mean(apart) + 0.03
    assert np.mean(apart) > np.mean(elsewhere) + 0.01


def test_load_cinema_tastes_stay_put_without_drift_and_mood():
    interactions, truth = load_cinema(3, **SMALL, drift=0, mood=0)
    np.testing.assert_allclose(truth.event_tastes, truth.user_factors[interactions.users], atol=1e-12)


def test_load_cinema_drifts_with_the_documented_variance():
    interactions, truth = load_cinema(drift=0.5, mood=0)
    first, last = np.array([(events[0], events[-1]) for events in one_viewer_at_a_time(interactions)]).T
    elapsed = (interactions.timestamps[last] - interactions.timestamps[first]) / (731 * 86_400)
    change = truth.event_tastes[last] - truth.event_tastes[first]
    # Scaled, 8 * 1470 draws from N(0, .5²): the standard error of their sd is .5 / sqrt(2 * 11760) = .0033.
    assert (change / np.sqrt(elapsed)[:, None]).std() == pytest.approx(0.5, abs=0.014)


def test_load_cinema_moods_follow_the_documented_autoregression():
    interactions, truth = load_cinema(drift=0, mood=1.0)
    moods = truth.event_tastes - truth.user_factors[interactions.users]
    within, across, next_day = [], [], []
    for events in one_viewer_at_a_time(interactions):
        dates = (interactions.timestamps[events] - 43_200) // 86_400
        products = (moods[events][1:] * moods[events][:-1]).mean(axis=1)
        within += products[dates[1:] == dates[:-1]].tolist()
        across += products[dates[1:] != dates[:-1]].tolist()
        next_day += products[dates[1:] == dates[:-1] + 1].tolist()
    # About 8 * 18,000 and 8 * 10,000 products with an sd near 1.2: standard errors of about .003 and .004.
    assert moods.var() == pytest.approx(1.0, abs=0.02)
    assert np.mean(within) == pytest.approx(0.7, abs=0.015)
    assert np.mean(across) == pytest.approx(0.0, abs=0.015)
    assert np.mean(next_day) == pytest.approx(0.0, abs=0.15)  # a few hundred only


# Ratings


def test_load_cinema_uses_all_five_stars_plausibly(default):
    stars = default[0].values
    assert set(np.unique(stars)) == {1.0, 2.0, 3.0, 4.0, 5.0}
    assert 3.6 < stars.mean() < 3.8
    assert np.bincount(stars.astype(int))[1:].argmax() == 3  # four stars are the most frequent
    assert (stars == 1).mean() > 0.01


def test_load_cinema_ratings_follow_the_expected_ratings(default):
    interactions, truth = default
    expected = truth.expected_ratings()[interactions.users, interactions.items]
    assert np.corrcoef(expected, interactions.values)[0, 1] > 0.8


@pytest.mark.parametrize("noise", [0.3, 0.5])
def test_load_cinema_ratings_have_the_documented_noise(noise):
    interactions, truth = load_cinema(noise=noise)
    expected = truth.expected_ratings()[interactions.users, interactions.items]
    inside = (expected > 2.5) & (expected < 3.5)  # two noise sds or more from the clipping at 0.5 and 5.5
    residual = (interactions.values - expected)[inside]
    # Rounding adds the variance of a uniform error, 1/12. About 8,000 residuals: 4 standard errors are .02.
    assert residual.std() == pytest.approx(np.sqrt(noise**2 + 1 / 12), abs=0.02)
    assert residual.mean() == pytest.approx(0, abs=0.03)


def test_load_cinema_shows_ratings_above_those_that_nobody_gave(default):
    interactions, truth = default
    expected = truth.expected_ratings()
    assert expected[interactions.users, interactions.items].mean() > expected.mean() + 0.5


# What a method can find


def test_load_cinema_hides_traits_that_a_plain_method_recovers(default):
    """The leading item directions of the centred 0/1 matrix lie near the true ones, far nearer than chance."""
    interactions, truth = default
    warm = np.delete(np.arange(208), truth.cold_items)
    watched = np.zeros((1500, 208))
    watched[interactions.users, interactions.items] = 1
    # Divide by the root of the expected count, then leave out the leading direction, which is popularity.
    expected = np.outer(watched.sum(axis=1), watched.sum(axis=0)) / watched.sum()
    users = np.delete(np.arange(1500), truth.cold_users)
    deviations = ((watched - expected)[np.ix_(users, warm)]) / np.sqrt(expected[np.ix_(users, warm)])
    found = np.linalg.svd(deviations, full_matrices=False)[2][:8].T
    true = np.linalg.qr(truth.item_factors[warm])[0]
    cosines = np.linalg.svd(found.T @ true, compute_uv=False)
    by_chance = np.linalg.svd(
        np.linalg.qr(np.random.default_rng(0).standard_normal(found.shape))[0].T @ true, compute_uv=False
    )
    assert cosines.mean() > 0.8
    assert by_chance.mean() < 0.3


# Errors


def test_load_cinema_takes_the_smallest_sizes():
    interactions, _ = load_cinema(n_users=1, n_items=6, n_traits=1, n_cold_users=0, n_cold_items=0, events_per_user=3)
    assert interactions.n_events == 3


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"seed": -1}, "expected seed as a whole number of 0 or more, received -1"),
        ({"n_users": 0}, "expected n_users as a whole number of 1 or more, received 0"),
        ({"n_items": 209}, "expected n_items as a whole number from 6 to 208, received 209"),
        ({"n_items": 5}, "expected n_items as a whole number from 6 to 208, received 5"),
        ({"n_traits": 0}, "expected n_traits as a whole number of 1 or more, received 0"),
        ({"n_cold_users": 1500}, "expected n_cold_users as a whole number from 0 to 1499, received 1500"),
        ({"n_cold_items": 203}, "expected n_cold_items as a whole number from 0 to 202, received 203"),
        ({"events_per_user": 2}, "expected events_per_user from 3 to 100, received 2"),
        ({"events_per_user": 101}, "expected events_per_user from 3 to 100, received 101"),
        ({"popularity_sd": -1}, "expected popularity_sd of 0 or more, received -1"),
        ({"own_weight": float("inf")}, "expected own_weight of 0 or more, received inf"),
        ({"taste_weight": -0.1}, "expected taste_weight of 0 or more, received -0.1"),
        ({"drift": -1}, "expected drift of 0 or more, received -1"),
        ({"mood": float("nan")}, "expected mood of 0 or more, received nan"),
        ({"noise": -1}, "expected noise of 0 or more, received -1"),
    ],
)
def test_load_cinema_rejects_values_out_of_range(parameters, message):
    with pytest.raises(ValueError, match=message):
        load_cinema(**parameters)


@pytest.mark.parametrize("name", ["seed", "n_users", "n_items", "n_traits", "n_cold_users", "n_cold_items"])
@pytest.mark.parametrize("value", [2.5, "2", True])
def test_load_cinema_rejects_numbers_that_are_not_whole(name, value):
    with pytest.raises(ValueError, match=f"expected {name} as a whole number .* received {value!r}; choose another"):
        load_cinema(**{name: value})
