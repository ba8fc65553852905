import numpy as np
import pytest
from lightfm import LightFM
from lightfm.data import Dataset
from scipy.sparse import coo_matrix, csr_array, csr_matrix

from utils.data import Split, load_cinema
from utils.feature_sums import (
    POOLINGS,
    Embeddings,
    FeatureModel,
    add_identity,
    as_lightfm,
    bpr_loss,
    build_features,
    fit_bpr,
    fit_lightfm,
    fit_warp,
    gap_gradients,
    pool,
    represent,
    score_gaps,
    warp_loss,
)
from utils.metrics import evaluate

FITS = [fit_bpr, fit_warp]


def random_features(rng, n, n_features):
    """Weights of which about half are 0; the first row is empty, and the last one is not."""
    features = rng.uniform(0.5, 2, (n, n_features)) * (rng.random((n, n_features)) < 0.5)
    features[0], features[-1, 0] = 0, 1
    return features


def slow_represent(features, embeddings, pooling):
    rows = []
    for weights in features:
        total = sum(weights)
        divisor = {"sum": 1, "mean": total, "sqrt": total**0.5}[pooling] or 1
        rows.append(sum((w * e for w, e in zip(weights, embeddings)), np.zeros(embeddings.shape[1])) / divisor)
    return np.array(rows)


# build_features and add_identity


def test_build_features_by_hand():
    built = build_features([["b", "a"], {"c": 0.5}, []], ["a", "b", "c"])
    assert built.toarray().tolist() == [[1, 1, 0], [0, 0, 0.5], [0, 0, 0]]


def test_build_features_adds_what_is_named_twice():
    assert build_features([["a", "b", "a"]], ["a", "b"]).toarray().tolist() == [[2, 1]]


def test_build_features_takes_no_rows():
    assert build_features([], ["a"]).shape == (0, 1)


def test_build_features_agrees_with_the_builder_of_lightfm():
    dataset = Dataset(item_identity_features=False)
    dataset.fit(["Ann"], ["Heat", "Alien"], item_features=["a", "b", "c"])
    rows = [["a", "c"], {"b": 2.0, "a": 0.5}]
    theirs = dataset.build_item_features(zip(["Heat", "Alien"], rows), normalize=False)
    assert np.array_equal(build_features(rows, ["a", "b", "c"]).toarray(), theirs.toarray())


def test_build_features_names_an_unknown_feature_and_its_row():
    with pytest.raises(ValueError, match="2 known ones, received 'x' in row 1; add it to names before training, or"):
        build_features([["a"], ["b", "x"]], ["a", "b"])


def test_build_features_can_ignore_unknown_features():
    assert build_features([["x", "b"], ["x"]], ["a", "b"], unknown="ignore").toarray().tolist() == [[0, 1], [0, 0]]


def test_build_features_rejects_another_word_for_unknown():
    with pytest.raises(ValueError, match="unknown='error' or 'ignore', received 'drop'"):
        build_features([], ["a"], unknown="drop")


def test_build_features_rejects_a_name_twice():
    with pytest.raises(ValueError, match="each of names once, received 'a' more than once"):
        build_features([], ["a", "b", "a"])


def test_build_features_rejects_text_instead_of_a_list():
    with pytest.raises(TypeError, match=r"received the str 'Drama' in row 1; write \[features\]"):
        build_features([["Drama"], "Drama"], ["Drama"])


def test_build_features_rejects_negative_weights():
    with pytest.raises(ValueError, match=r"weights of 0 or more in features, received -1.0 in row 0, column 1"):
        build_features([{"b": -1}], ["a", "b"])


def test_build_features_rejects_infinite_weights():
    with pytest.raises(ValueError, match="finite features, received inf in row 0, column 0"):
        build_features([{"a": np.inf}], ["a"])


def test_add_identity_keeps_the_features_after_a_column_for_each_row():
    features = random_features(np.random.default_rng(0), 4, 3)
    assert np.array_equal(add_identity(features).toarray(), np.hstack([np.eye(4), features]))


# pool and represent


@pytest.mark.parametrize("pooling", POOLINGS)
def test_represent_agrees_with_a_loop(pooling):
    rng = np.random.default_rng(1)
    features, vectors = random_features(rng, 20, 7), rng.standard_normal((7, 3))
    expected = slow_represent(features, vectors, pooling)
    for kind in (np.array, csr_array, csr_matrix, coo_matrix, list):
        assert np.allclose(represent(kind(features), vectors, pooling), expected, atol=1e-12)


def test_represent_by_hand():
    vectors = [[2.0, 0.0], [0.0, 4.0], [1.0, 1.0]]
    assert represent([[1, 3, 0]], vectors).tolist() == [[2, 12]]
    assert represent([[1, 3, 0]], vectors, "mean").tolist() == [[0.5, 3]]
    assert represent([[1, 3, 0]], vectors, "sqrt").tolist() == [[1, 6]]


@pytest.mark.parametrize("pooling", POOLINGS)
def test_represent_gives_an_empty_row_the_zero_vector(pooling):
    assert represent(csr_array((2, 3)), np.ones((3, 4)), pooling).tolist() == [[0] * 4] * 2


@pytest.mark.parametrize("pooling", POOLINGS)
def test_represent_gives_one_feature_its_own_vector(pooling):
    vectors = np.random.default_rng(2).standard_normal((5, 3))
    assert np.allclose(represent(np.eye(5), vectors, pooling), vectors)


@pytest.mark.parametrize(("pooling", "factor"), [("sum", 2), ("mean", 1), ("sqrt", 2**0.5)])
def test_represent_of_features_said_twice(pooling, factor):
    rng = np.random.default_rng(3)
    features, vectors = random_features(rng, 10, 6), rng.standard_normal((6, 3))
    once, twice = (represent(n * features, vectors, pooling) for n in (1, 2))
    assert np.allclose(twice, factor * once)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_represent_does_not_depend_on_the_order_of_the_features(pooling):
    rng = np.random.default_rng(4)
    features, vectors, order = random_features(rng, 10, 6), rng.standard_normal((6, 3)), rng.permutation(6)
    assert np.allclose(
        represent(features[:, order], vectors[order], pooling), represent(features, vectors, pooling), atol=1e-12
    )


def test_represent_takes_biases():
    assert represent([[1, 1], [0, 2]], [1.0, 3.0], "mean").tolist() == [2, 3]


def test_represent_counts_entries_of_a_sparse_matrix_that_are_stored_twice():
    twice = coo_matrix(([1.0, 1.0], ([0, 0], [0, 0])), shape=(1, 2))
    assert represent(twice, [[3.0], [5.0]]).tolist() == [[6]]


def test_represent_leaves_its_arguments_alone():
    features, vectors = csr_array([[1.0, 3.0]]), np.array([[1.0], [2.0]])
    represent(features, vectors, "mean")
    assert features.toarray().tolist() == [[1, 3]]
    assert vectors.tolist() == [[1], [2]]


@pytest.mark.parametrize("pooling", POOLINGS)
def test_represent_is_what_lightfm_makes_of_pooled_rows(pooling):
    rng = np.random.default_rng(5)
    features = random_features(rng, 12, 5)
    likes = csr_array((rng.random((9, 12)) < 0.3).astype(np.float32))
    model = LightFM(no_components=4, loss="warp", random_state=0)
    rows = as_lightfm(pool(features, pooling))
    model.fit(likes.tocoo(), item_features=rows, epochs=3)
    biases, vectors = model.get_item_representations(rows)
    assert np.allclose(represent(features, model.item_embeddings, pooling), vectors, atol=1e-5)
    assert np.allclose(represent(features, model.item_biases, pooling), biases, atol=1e-5)


def test_pool_mean_rows_sum_to_one_as_in_the_builder_of_lightfm():
    dataset = Dataset()
    dataset.fit(["Ann"], ["Heat", "Alien"], item_features=["a", "b"])
    theirs = dataset.build_item_features([("Heat", ["a", "b"]), ("Alien", ["b"])])
    ours = pool(add_identity([[1, 1], [0, 1]]), "mean")
    assert np.allclose(theirs.toarray(), ours.toarray())


def test_represent_rejects_an_unknown_pooling():
    with pytest.raises(ValueError, match="pooling among 'sum', 'mean', 'sqrt', received 'max'; choose one"):
        represent(np.eye(2), np.eye(2), "max")


@pytest.mark.parametrize("vectors", [np.ones((3, 2)), np.ones((2, 2, 2)), 1.0])
def test_represent_rejects_vectors_that_do_not_fit(vectors):
    with pytest.raises(ValueError, match=r"one row for each of 2 features, received shape .* unknown feature"):
        represent(np.eye(2), vectors)


def test_represent_rejects_vectors_that_are_not_finite():
    with pytest.raises(ValueError, match="finite embeddings, received NaN, infinity or no numbers; fit"):
        represent(np.eye(2), [[1.0], [np.nan]])


def test_represent_rejects_features_of_one_dimension():
    with pytest.raises(ValueError, match=r"features of shape \(n, n_features\), received \(2,\); use one row each"):
        represent([1, 0], np.eye(2))


@pytest.mark.parametrize("kind", [np.array, csr_array])
def test_represent_rejects_negative_weights(kind):
    with pytest.raises(ValueError, match=r"weights of 0 or more in features, received -2.0 in row 1, column 0"):
        represent(kind([[1.0, 0.0], [-2.0, 3.0]]), np.eye(2), "mean")


def test_represent_rejects_features_that_are_names():
    with pytest.raises(TypeError, match=r"features as numbers, received .*; build_features turns names into some"):
        represent([["Drama"]], np.eye(1))


# FeatureModel


@pytest.fixture
def model():
    rng = np.random.default_rng(6)
    return FeatureModel(
        random_features(rng, 5, 3),
        random_features(rng, 7, 4),
        rng.standard_normal((3, 2)),
        rng.standard_normal((4, 2)),
        rng.standard_normal(3),
        rng.standard_normal(4),
        pooling="sqrt",
    )


def test_model_scores_all_pairs_of_a_users_and_an_items_feature(model):
    """The score is a sum over pairs of one feature of either side: the pairs that LightFM keeps."""
    users, items = (pool(one, "sqrt").toarray() for one in (model.user_features, model.item_features))
    expected = np.zeros((5, 7))
    for u in range(5):
        for i in range(7):
            expected[u, i] = users[u] @ model.user_feature_biases + items[i] @ model.item_feature_biases
            for f in range(3):
                for g in range(4):
                    product = model.user_embeddings[f] @ model.item_embeddings[g]
                    expected[u, i] += users[u, f] * items[i, g] * product
    assert np.allclose(model.scores(range(5)), expected)


def test_model_scores_some_users(model):
    assert np.allclose(model.scores([3, 0]), model.scores(range(5))[[3, 0]])


def test_model_scores_new_rows_as_it_does_its_own(model):
    scores = model.scores_of(model.user_features[[2]], model.item_features[[1, 4]])
    assert np.allclose(scores, model.scores([2])[:, [1, 4]])


def test_model_gives_a_new_item_without_features_the_users_bias(model):
    biases = pool(model.user_features, "sqrt") @ model.user_feature_biases
    assert np.allclose(model.scores_of(item_features=np.zeros((1, 4)))[:, 0], biases)


def test_model_is_measured_by_evaluate():
    cinema, _ = load_cinema(n_users=60)
    split = Split(*cinema.split_random(0.2, rng=np.random.default_rng(0)))
    perfect = FeatureModel(np.eye(60), np.eye(208), split.test.to_csr("ones").toarray(), np.eye(208))
    assert evaluate(perfect, split, metrics="auc", progress=False)["auc"].model.mean == 1


@pytest.mark.parametrize("users", [[5], [-1]])
def test_model_rejects_users_that_it_does_not_know(model, users):
    with pytest.raises(ValueError, match=f"0 or more and below 5, received {users[0]}; use scores_of"):
        model.scores(users)


def test_model_rejects_features_without_a_vector(model):
    with pytest.raises(ValueError, match="each of 5 features"):
        model.scores_of(item_features=np.ones((1, 5)))


def test_model_rejects_sides_with_different_numbers_of_factors():
    with pytest.raises(ValueError, match=r"equally many columns, received shapes \(2, 3\) and \(2, 4\)"):
        FeatureModel(np.eye(2), np.eye(2), np.ones((2, 3)), np.ones((2, 4)))


def test_model_rejects_biases_that_do_not_fit():
    with pytest.raises(ValueError, match=r"each of 2 features, received shape \(3,\)"):
        FeatureModel(np.eye(2), np.eye(2), np.eye(2), np.eye(2), item_feature_biases=np.ones(3))


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


def test_score_gaps_are_differences_of_scores(model):
    users, first, second = [1, 2, 4], [3, 0, 6], [1, 5, 2]
    items = pool(model.item_features, "sqrt")
    gaps = score_gaps(model, pool(model.user_features, "sqrt")[users], items[first] - items[second])
    table = model.scores(range(5))
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


@pytest.fixture(scope="module")
def planted():
    """Two kinds of users, two kinds of films, four genres: nobody likes a film of the other kind."""
    rng = np.random.default_rng(9)
    n_users, n_items = 40, 60
    user_kind, item_kind = np.arange(n_users) % 2, np.arange(n_items) % 2
    genres = np.zeros((n_items, 4))
    genres[np.arange(n_items), 2 * item_kind + rng.integers(2, size=n_items)] = 1
    likes = (user_kind[:, None] == item_kind) & (rng.random((n_users, n_items)) < 0.4)
    likes[:, 50:] = False  # the last ten films are new
    return csr_array(likes.astype(float)), genres, user_kind, item_kind


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("pooling", POOLINGS)
def test_fit_finds_who_likes_new_films_from_their_genres(planted, fit, pooling):
    likes, genres, user_kind, item_kind = planted
    model = fit(likes, 2, item_features=genres, pooling=pooling, rng=np.random.default_rng(0), progress=False)
    scores = model.scores(range(40))[:, 50:]
    own = np.where(user_kind[:, None] == item_kind[50:], scores, np.inf).min(axis=1)
    other = np.where(user_kind[:, None] != item_kind[50:], scores, -np.inf).max(axis=1)
    assert (own > other).all()


@pytest.mark.parametrize("fit", FITS)
def test_fit_finds_what_new_users_like_from_their_features(planted, fit):
    likes, _, user_kind, item_kind = planted
    model = fit(likes[:30], 2, user_features=np.eye(2)[user_kind[:30]], rng=np.random.default_rng(0), progress=False)
    scores = model.scores_of(user_features=np.eye(2))[:, :50]
    for kind in (0, 1):
        assert scores[kind, item_kind[:50] == kind].min() > scores[kind, item_kind[:50] != kind].max()


@pytest.mark.parametrize("fit", FITS)
def test_fit_lowers_the_loss(planted, fit):
    losses = fit(planted[0], 2, n_epochs=10, rng=np.random.default_rng(0), progress=False).losses
    assert losses.shape == (10,)
    assert losses[-1] < 0.7 * losses[0]


@pytest.mark.parametrize("fit", FITS)
def test_fit_with_identity_features_is_a_factorisation_without_any(planted, fit):
    likes = planted[0]
    plain, identity = (
        fit(likes, 2, **given, n_epochs=3, rng=np.random.default_rng(0), progress=False)
        for given in ({}, {"user_features": np.eye(40), "item_features": np.eye(60)})
    )
    assert np.array_equal(plain.item_embeddings, identity.item_embeddings)
    assert np.array_equal(plain.item_factors, plain.item_embeddings)


@pytest.mark.parametrize("fit", FITS)
def test_fit_is_repeatable(planted, fit):
    one, other = (fit(planted[0], 2, n_epochs=2, rng=np.random.default_rng(3), progress=False) for _ in range(2))
    assert np.array_equal(one.scores(range(40)), other.scores(range(40)))


@pytest.mark.parametrize("fit", FITS)
def test_fit_of_no_epochs_is_its_start(planted, fit):
    model = fit(planted[0], 4, n_epochs=0, rng=np.random.default_rng(0), progress=False)
    assert len(model.losses) == len(model.n_draws) == 0
    assert np.abs(model.item_embeddings).max() < 0.5 / 4


@pytest.mark.parametrize("fit", FITS)
def test_fit_without_biases_leaves_them_at_zero(planted, fit):
    usual = {"n_epochs": 2, "progress": False}
    with_, without = (
        fit(planted[0], 2, has_biases=has, rng=np.random.default_rng(0), **usual) for has in (True, False)
    )
    assert with_.item_feature_biases.any()
    assert not without.item_feature_biases.any()


@pytest.mark.parametrize("fit", FITS)
def test_fit_ignores_numbers_above_0_and_stored_zeros(planted, fit):
    likes, *_ = planted
    stars = likes.copy()
    stars.data *= np.random.default_rng(0).integers(1, 6, stars.nnz)
    stored = stars.tocoo()
    entries = np.append(stored.data, 0.0), (np.append(stored.row, 0), np.append(stored.col, 59))
    with_zero = csr_array(entries, shape=likes.shape)
    assert with_zero.nnz == likes.nnz + 1
    models = [fit(one, 2, n_epochs=2, rng=np.random.default_rng(0), progress=False) for one in (likes, with_zero)]
    assert np.array_equal(models[0].item_embeddings, models[1].item_embeddings)


def test_fit_bpr_draws_at_least_one_negative_for_each_pair_and_updates_all(planted):
    likes = planted[0]
    model = fit_bpr(likes, 2, n_epochs=3, rng=np.random.default_rng(0), progress=False)
    assert (model.n_updates == likes.nnz).all()
    # a draw hits a film that the user has with the density of that user's row, and is then drawn again
    expected = sum(n / (1 - n / likes.shape[1]) for n in np.diff(likes.indptr))
    assert model.n_draws.mean() == pytest.approx(expected, rel=0.1)


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


def test_fit_warp_draws_more_when_it_has_learned(planted):
    model = fit_warp(planted[0], 2, n_epochs=15, rng=np.random.default_rng(0), progress=False)
    assert model.n_draws[-1] > 2 * model.n_draws[0]
    assert model.n_updates[-1] < model.n_updates[0]
    assert (model.n_draws <= 10 * planted[0].nnz).all()


def test_fit_warp_keeps_to_max_draws(planted):
    model = fit_warp(planted[0], 2, max_draws=1, n_epochs=4, rng=np.random.default_rng(0), progress=False)
    assert (model.n_draws == planted[0].nnz).all()


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
        theirs = fit_lightfm(likes, 4, loss=loss, item_features=features, n_epochs=15, seed=seed)
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
    usual = {"interactions": csr_array([[1.0, 0.0]]), "n_factors": 1, "rng": np.random.default_rng(0)}
    with pytest.raises(ValueError, match=message):
        fit(**{**usual, **changes})


@pytest.mark.parametrize("fit", FITS)
def test_fit_rejects_a_seed_instead_of_a_generator(fit):
    with pytest.raises(TypeError, match=r"rng as a numpy Generator, received 0; use np.random.default_rng\(0\)"):
        fit(csr_array([[1.0, 0.0]]), 1, rng=0)


@pytest.mark.parametrize("fit", [*FITS, lambda likes, d, rng: fit_lightfm(likes, d, seed=0)])
def test_fit_rejects_a_dense_matrix(fit):
    with pytest.raises(TypeError, match="expected interactions as a SciPy sparse matrix"):
        fit(np.eye(2), 1, rng=np.random.default_rng(0))


def test_fit_bpr_rejects_unknown_negatives():
    with pytest.raises(ValueError, match="negatives 'uniform' or 'popularity', received 'hard'"):
        fit_bpr(csr_array([[1.0, 0.0]]), 1, negatives="hard", rng=np.random.default_rng(0))


def test_fit_warp_rejects_no_draws():
    with pytest.raises(ValueError, match="max_draws as a whole number of 1 or more, received 0"):
        fit_warp(csr_array([[1.0, 0.0]]), 1, max_draws=0, rng=np.random.default_rng(0))


# LightFM


def test_fit_lightfm_scores_as_the_model_of_lightfm_predicts(planted):
    likes, genres, *_ = planted
    ours = fit_lightfm(likes, 3, item_features=genres, pooling="mean", n_epochs=4, seed=1)
    model = LightFM(no_components=3, loss="warp", random_state=1)
    rows = as_lightfm(pool(genres, "mean"))
    model.fit(likes.astype(np.float32).tocoo(), item_features=rows, epochs=4, num_threads=1)
    items = np.arange(60, dtype=np.int32)
    for user in (0, 17):
        expected = model.predict(user, items, item_features=rows, num_threads=1)
        assert np.allclose(ours.scores([user])[0], expected, atol=1e-5)


def test_fit_lightfm_of_no_epochs_is_its_start(planted):
    model = fit_lightfm(planted[0], 4, n_epochs=0, seed=0)
    assert np.abs(model.item_embeddings).max() <= 0.5 / 4


def test_fit_lightfm_logistic_reads_negatives_of_any_index_type(planted):
    likes = planted[0]
    signs = csr_array(2 * likes.toarray() - 1)
    signs.indices, signs.indptr = signs.indices.astype(np.int64), signs.indptr.astype(np.int64)
    scores = fit_lightfm(signs, 2, loss="logistic", n_epochs=30, seed=0).scores(range(40))
    assert scores[likes.toarray() > 0].mean() > scores[likes.toarray() == 0].mean() + 1


def test_fit_lightfm_rejects_an_unknown_loss(planted):
    with pytest.raises(ValueError, match="loss among 'logistic', 'bpr', 'warp', 'warp-kos', received 'hinge'"):
        fit_lightfm(planted[0], 2, loss="hinge", seed=0)


def test_as_lightfm_makes_what_lightfm_reads_of_indices_that_it_does_not(planted):
    likes, genres, *_ = planted
    wide = csr_array(genres)
    wide.indices, wide.indptr = wide.indices.astype(np.int64), wide.indptr.astype(np.int64)
    data = likes.astype(np.float32).tocoo()
    with pytest.raises(ValueError, match="Buffer dtype mismatch"):
        LightFM(random_state=0).fit(data, item_features=csr_array(wide))
    LightFM(random_state=0).fit(data, item_features=as_lightfm(wide))
    assert np.array_equal(as_lightfm(wide).toarray(), genres)
