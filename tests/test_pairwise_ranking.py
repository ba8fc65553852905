import numpy as np
import pytest
from scipy.sparse import csr_array

from tests.planted import random_features
from utils.data import Split, load_cinema
from utils.evaluation import evaluate
from utils.feature_sums import (
    POOLINGS,
    add_identity,
    fit_lightfm,
    pool,
)
from utils.negative_sampling import PopularitySampler
from utils.pairwise_ranking import Embeddings, bpr_loss, fit_bpr, fit_warp, gap_gradients, score_gaps, warp_loss

FITS = [fit_bpr, fit_warp]

# Losses and gradients


def test_bpr_loss_by_hand():
    losses, slopes = bpr_loss(np.array([0.0, np.log(3)]))
    assert np.allclose(losses, [np.log(2), np.log(4 / 3)])
    assert np.allclose(slopes, [-1 / 2, -1 / 4])


def test_bpr_loss_survives_extreme_gaps():
    losses, slopes = bpr_loss(np.array([-1e4, 1e4]))
    assert losses.tolist() == [1e4, 0]
    assert slopes.tolist() == [-1, 0]


def test_warp_loss_by_hand():
    losses, slopes = warp_loss(np.array([-1.0, 0.5, 1.0, 3.0]))
    assert losses.tolist() == [2, 0.5, 0, 0]
    assert slopes.tolist() == [-1, -1, 0, 0]


def pairs_at_random(rng, n_pairs=8):
    embeddings = Embeddings(rng.standard_normal((4, 3)), rng.standard_normal((5, 3)), rng.standard_normal(5))
    users = csr_array(pool(random_features(rng, n_pairs, 4), "mean"))
    items = [csr_array(pool(random_features(rng, n_pairs, 5), "sqrt")) for _ in range(2)]
    return embeddings, users, items[0] - items[1]


def test_score_gaps_are_differences_of_scores(feature_model):
    users, first, second = [1, 2, 4], [3, 0, 6], [1, 5, 2]
    items = pool(feature_model.item_features, "sqrt")
    gaps = score_gaps(feature_model, pool(feature_model.user_features, "sqrt")[users], items[first] - items[second])
    table = feature_model.scores(range(5))
    assert np.allclose(gaps, table[users, first] - table[users, second])


@pytest.mark.parametrize("loss", [bpr_loss, warp_loss])
@pytest.mark.parametrize("name", Embeddings._fields)
def test_gap_gradients_agree_with_differences(loss, name):
    rng = np.random.default_rng(7)
    embeddings, users, items = pairs_at_random(rng)
    weights = rng.uniform(0.5, 2, 8)

    def total(changed):
        return loss(score_gaps(changed, users, items))[0] @ weights

    slopes = loss(score_gaps(embeddings, users, items))[1] * weights
    gradient = getattr(gap_gradients(embeddings, users, items, slopes), name)
    array, step = getattr(embeddings, name), 1e-6
    for place in np.ndindex(array.shape):
        up, down = array.copy(), array.copy()
        up[place] += step
        down[place] -= step
        rise = total(embeddings._replace(**{name: up})) - total(embeddings._replace(**{name: down}))
        # central differences are right to step² times a third derivative; no gap lies at the kink of the hinge
        assert rise / (2 * step) == pytest.approx(gradient[place], abs=1e-6)


def test_gap_gradients_give_nothing_to_a_feature_that_both_items_have():
    embeddings, users, items = pairs_at_random(np.random.default_rng(8))
    items = csr_array(items.toarray() * [1, 1, 0, 1, 1])  # positive minus negative is 0 in that column
    gradients = gap_gradients(embeddings, users, items, -np.ones(8))
    assert not gradients.item_embeddings[2].any()
    assert gradients.item_feature_biases[2] == 0


# Fits


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("pooling", POOLINGS)
def test_fit_finds_who_likes_new_films_from_their_genres(planted_likes, fit, pooling):
    likes, genres, user_kind, item_kind = planted_likes
    model = fit(
        likes, 2, item_features=genres, pooling=pooling, n_epochs=20, rng=np.random.default_rng(0), progress=False
    )
    scores = model.scores(range(40))[:, 50:]
    own = np.where(user_kind[:, None] == item_kind[50:], scores, np.inf).min(axis=1)
    other = np.where(user_kind[:, None] != item_kind[50:], scores, -np.inf).max(axis=1)
    assert (own > other).all()


@pytest.mark.parametrize("fit", FITS)
def test_fit_finds_what_new_users_like_from_their_features(planted_likes, fit):
    likes, _, user_kind, item_kind = planted_likes
    given = {"user_features": np.eye(2)[user_kind[:30]], "n_epochs": 20}
    model = fit(likes[:30], 2, **given, rng=np.random.default_rng(0), progress=False)
    scores = model.scores_of(user_features=np.eye(2))[:, :50]
    for kind in (0, 1):
        assert scores[kind, item_kind[:50] == kind].min() > scores[kind, item_kind[:50] != kind].max()


@pytest.mark.parametrize("fit", FITS)
def test_fit_lowers_the_loss(planted_likes, fit):
    losses = fit(planted_likes[0], 2, n_epochs=10, rng=np.random.default_rng(0), progress=False).losses
    assert losses.shape == (11,)
    assert losses[-1] < 0.7 * losses[0]


@pytest.mark.parametrize("fit", FITS)
def test_fit_with_identity_features_is_a_factorisation_without_any(planted_likes, fit):
    likes = planted_likes[0]
    plain, identity = (
        fit(likes, 2, **given, n_epochs=3, rng=np.random.default_rng(0), progress=False)
        for given in ({}, {"user_features": np.eye(40), "item_features": np.eye(60)})
    )
    assert np.array_equal(plain.item_embeddings, identity.item_embeddings)
    assert np.array_equal(plain.item_factors, plain.item_embeddings)


@pytest.mark.parametrize("fit", FITS)
def test_fit_is_repeatable(planted_likes, fit):
    one, other = (fit(planted_likes[0], 2, n_epochs=2, rng=np.random.default_rng(3), progress=False) for _ in range(2))
    assert np.array_equal(one.scores(range(40)), other.scores(range(40)))


@pytest.mark.parametrize("fit", FITS)
def test_fit_measures_the_start_on_the_pairs_of_the_first_epoch(planted_likes, fit):
    options = {"learning_rate": 1e-9, "n_epochs": 1, "progress": False}
    losses = fit(planted_likes[0], 2, rng=np.random.default_rng(0), **options).losses
    assert losses[1] == pytest.approx(losses[0], rel=1e-6)  # the steps are too short to be seen


def test_fit_bpr_starts_near_the_loss_of_a_coin(planted_likes):
    assert fit_bpr(planted_likes[0], 2, n_epochs=0, rng=np.random.default_rng(0)).losses == pytest.approx(
        [np.log(2)], abs=0.01
    )


@pytest.mark.parametrize("fit", FITS)
def test_fit_of_no_epochs_is_its_start(planted_likes, fit):
    model = fit(planted_likes[0], 4, n_epochs=0, rng=np.random.default_rng(0), progress=False)
    assert len(model.n_draws) == len(model.n_updates) == 0
    assert np.abs(model.item_embeddings).max() < 0.5 / 4


@pytest.mark.parametrize("fit", FITS)
def test_fit_without_biases_leaves_them_at_zero(planted_likes, fit):
    usual = {"n_epochs": 2, "progress": False}
    with_, without = (
        fit(planted_likes[0], 2, has_biases=has, rng=np.random.default_rng(0), **usual) for has in (True, False)
    )
    assert with_.item_feature_biases.any()
    assert not without.item_feature_biases.any()


@pytest.mark.parametrize("fit", FITS)
def test_fit_ignores_numbers_above_0_and_stored_zeros(planted_likes, fit):
    likes, *_ = planted_likes
    stars = likes.copy()
    stars.data *= np.random.default_rng(0).integers(1, 6, stars.nnz)
    stored = stars.tocoo()
    entries = np.append(stored.data, 0.0), (np.append(stored.row, 0), np.append(stored.col, 59))
    with_zero = csr_array(entries, shape=likes.shape)
    assert with_zero.nnz == likes.nnz + 1
    models = [fit(one, 2, n_epochs=2, rng=np.random.default_rng(0), progress=False) for one in (likes, with_zero)]
    assert np.array_equal(models[0].item_embeddings, models[1].item_embeddings)


def test_fit_bpr_draws_one_negative_for_each_pair_and_updates_all(planted_likes):
    likes = planted_likes[0]
    model = fit_bpr(likes, 2, n_epochs=3, rng=np.random.default_rng(0), progress=False)
    assert (model.n_updates == likes.nnz).all()
    assert (model.n_draws == likes.nnz).all()


def test_fit_bpr_first_step_is_the_gradient():
    """One user, two films, one pair: the step can be done by hand."""
    likes = csr_array([[1.0, 0.0]])
    start = fit_bpr(likes, 1, n_epochs=0, rng=np.random.default_rng(0), progress=False)
    after = fit_bpr(likes, 1, n_epochs=1, learning_rate=0.5, rng=np.random.default_rng(0), progress=False)
    x, (y, z) = start.user_embeddings[0, 0], start.item_embeddings[:, 0]
    slope = -1 / (1 + np.exp(x * (y - z)))
    assert after.item_embeddings[:, 0] == pytest.approx([y - 0.5 * slope * x, z + 0.5 * slope * x])
    assert after.user_embeddings[0, 0] == pytest.approx(x - 0.5 * slope * (y - z))
    assert after.item_feature_biases == pytest.approx([-0.5 * slope, 0.5 * slope])


def test_fit_bpr_with_popular_negatives_pushes_popular_items_down():
    """Item 0 is everybody's; of the others, users have one each."""
    likes = np.zeros((60, 31))
    likes[:30, 0] = 1
    likes[np.arange(60), 1 + np.arange(60) // 2] = 1
    usual = {"n_epochs": 30, "progress": False}
    fits = [
        fit_bpr(csr_array(likes), 1, negatives=one, rng=np.random.default_rng(0), **usual).item_feature_biases
        for one in ("uniform", "popularity")
    ]
    uniform, popular = (biases[0] - biases[1:].mean() for biases in fits)
    assert uniform > 1
    assert popular < uniform - 0.5


@pytest.mark.parametrize("n_items", [3, 50])
def test_fit_warp_weighs_a_pair_by_the_draws_it_took(n_items):
    """Scores start near 0, so that the first film drawn that is not the user's own violates the order by 1."""
    likes = csr_array(np.eye(1, n_items))
    model = fit_warp(likes, 8, n_epochs=1, rng=np.random.default_rng(0), progress=False)
    draws = int(model.n_draws[0])
    assert draws == 1
    # two scores of such short vectors differ by less than 8 · (1/16)² · 2
    assert model.losses[0] == pytest.approx(np.log(n_items - 1), rel=0.07)


def test_fit_warp_draws_more_when_it_has_learned(planted_likes):
    model = fit_warp(planted_likes[0], 2, n_epochs=15, rng=np.random.default_rng(0), progress=False)
    assert model.n_draws[-1] > 2 * model.n_draws[0]
    assert model.n_updates[-1] < model.n_updates[0]
    assert (model.n_draws <= 10 * planted_likes[0].nnz).all()


def test_fit_warp_keeps_to_max_draws(planted_likes):
    model = fit_warp(planted_likes[0], 2, max_draws=1, n_epochs=4, rng=np.random.default_rng(0), progress=False)
    assert (model.n_draws == planted_likes[0].nnz).all()


@pytest.mark.parametrize(
    ("fit", "options", "loss"),
    [(fit_bpr, {"negatives": "popularity"}, "bpr"), (fit_warp, {}, "warp")],
)
def test_fit_is_as_accurate_as_lightfm(fit, options, loss):
    cinema, _ = load_cinema(n_users=400)
    features = add_identity(cinema.feature_matrix(["genres", "director"])[0])
    areas = []
    for seed in range(3):
        split = Split(*cinema.split_random(0.2, rng=np.random.default_rng(seed)))
        likes = split.train.to_csr("ones")
        ours = fit(
            likes, 4, item_features=features, learning_rate=0.05, batch_size=32, n_epochs=15, **options,
            rng=np.random.default_rng(seed), progress=False,
        )  # fmt: skip
        theirs = fit_lightfm(likes, 4, loss=loss, item_features=features, n_epochs=15, rng=np.random.default_rng(seed))
        models = (ours, theirs)
        areas.append([evaluate(m, split, metrics="auc", progress=False)["auc"].model.mean for m in models])
    difference = np.mean(areas, axis=0)
    assert min(difference) > 0.6
    # the seeds of one fit differ by about 0.01 from one another; what is compared are means of three
    assert abs(difference[0] - difference[1]) < 0.02


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_factors": 0}, "n_factors as a whole number of 1 or more, received 0"),
        ({"n_epochs": -1}, "n_epochs as a whole number of 0 or more, received -1"),
        ({"batch_size": 0}, "batch_size as a whole number of 1 or more, received 0"),
        ({"learning_rate": 0}, "learning_rate above 0, received 0; 0.1 is a start"),
        ({"learning_rate": -1}, "learning_rate as a number of 0 or more, received -1"),
        ({"pooling": "max"}, "pooling among 'sum', 'mean', 'sqrt', received 'max'"),
        ({"item_features": np.eye(3)}, r"item_features with 2 rows, .* received shape \(3, 3\); who has no features"),
        ({"user_features": [[-1.0]]}, "0 or more in user_features, received -1.0"),
        ({"interactions": csr_array([[0.0, -1.0]])}, "at least one interaction above 0, received none"),
        ({"interactions": csr_array([[1.0, 1.0]])}, "an item that user 0 has not, received none; leave the user out"),
    ],
)
def test_fit_explains_what_is_wrong(fit, changes, message):
    usual = {"interactions": csr_array([[1.0, 0.0]]), "n_factors": 1, "n_epochs": 1, "rng": np.random.default_rng(0)}
    with pytest.raises(ValueError, match=message):
        fit(**{**usual, **changes})


@pytest.mark.parametrize("fit", FITS)
def test_fit_rejects_a_seed_instead_of_a_generator(fit):
    with pytest.raises(TypeError, match=r"rng as a numpy Generator, received 0; use np.random.default_rng\(0\)"):
        fit(csr_array([[1.0, 0.0]]), 1, n_epochs=1, rng=0)


@pytest.mark.parametrize("fit", [*FITS, fit_lightfm])
def test_fit_rejects_a_dense_matrix(fit):
    with pytest.raises(TypeError, match="expected interactions as a SciPy sparse matrix"):
        fit(np.eye(2), 1, n_epochs=1, rng=np.random.default_rng(0))


def test_fit_bpr_rejects_unknown_negatives():
    with pytest.raises(ValueError, match="negatives among 'uniform', 'popularity', received 'hard'"):
        fit_bpr(csr_array([[1.0, 0.0]]), 1, negatives="hard", n_epochs=1, rng=np.random.default_rng(0))


def test_fit_warp_rejects_no_draws():
    with pytest.raises(ValueError, match="max_draws as a whole number of 1 or more, received 0"):
        fit_warp(csr_array([[1.0, 0.0]]), 1, max_draws=0, n_epochs=1, rng=np.random.default_rng(0))


@pytest.mark.parametrize(
    ("table", "user"), [([[1.0, 1, 0], [1, 0, 0]], 0), ([[1.0, 0, 0, 0], [0, 1, 0, 0], [1, 1, 0, 0]], 2)]
)
def test_fit_bpr_refuses_a_user_for_whom_popularity_has_nothing_left(table, user):
    # the last items have no interaction, so popularity never draws them
    with pytest.raises(ValueError, match=f"received user {user}, for whom all are excluded; leave such users out"):
        fit_bpr(csr_array(table), 2, negatives="popularity", n_epochs=1, rng=np.random.default_rng(0), progress=False)


@pytest.mark.parametrize("negatives", ["uniform", "popularity"])
def test_fit_bpr_draws_where_a_single_item_is_left(negatives):
    table = csr_array([[1.0, 1, 0], [1, 0, 1]])
    model = fit_bpr(table, 2, negatives=negatives, n_epochs=1, rng=np.random.default_rng(0), progress=False)
    assert (model.n_draws == 4).all()


def test_samplers_refuse_what_cannot_be_drawn():
    sampler = PopularitySampler([5, 3, 0], exclude=csr_array([[1.0, 1, 0], [1, 0, 0]]))
    assert sampler.sample([1], None, 3, rng=np.random.default_rng(0)).tolist() == [[1, 1, 1]]
    with pytest.raises(ValueError, match="received user 0, for whom all are excluded"):
        sampler.sample([1, 0], None, 1, rng=np.random.default_rng(0))
