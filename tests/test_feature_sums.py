import numpy as np
import pytest
from lightfm import LightFM
from lightfm.data import Dataset
from scipy.sparse import coo_matrix, csr_array, csr_matrix

from tests.planted import random_features
from utils.data import Split, load_cinema
from utils.evaluation import evaluate
from utils.feature_sums import (
    LIGHTFM_LOSSES,
    POOLINGS,
    FeatureModel,
    add_identity,
    as_lightfm,
    build_features,
    fit_lightfm,
    pool,
    represent,
)
from utils.pairwise_ranking import fit_bpr, fit_warp

FITS = [fit_bpr, fit_warp]


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
    with pytest.raises(ValueError, match="unknown among 'error', 'ignore', received 'drop'"):
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


def test_model_scores_all_pairs_of_a_users_and_an_items_feature(feature_model):
    """The score is a sum over pairs of one feature of either side: the pairs that LightFM keeps."""
    users, items = (pool(one, "sqrt").toarray() for one in (feature_model.user_features, feature_model.item_features))
    expected = np.zeros((5, 7))
    for u in range(5):
        for i in range(7):
            expected[u, i] = users[u] @ feature_model.user_feature_biases + items[i] @ feature_model.item_feature_biases
            for f in range(3):
                for g in range(4):
                    product = feature_model.user_embeddings[f] @ feature_model.item_embeddings[g]
                    expected[u, i] += users[u, f] * items[i, g] * product
    assert np.allclose(feature_model.scores(range(5)), expected)


def test_model_scores_some_users(feature_model):
    assert np.allclose(feature_model.scores([3, 0]), feature_model.scores(range(5))[[3, 0]])


def test_model_scores_new_rows_as_it_does_its_own(feature_model):
    scores = feature_model.scores_of(feature_model.user_features[[2]], feature_model.item_features[[1, 4]])
    assert np.allclose(scores, feature_model.scores([2])[:, [1, 4]])


def test_model_gives_a_new_item_without_features_the_users_bias(feature_model):
    biases = pool(feature_model.user_features, "sqrt") @ feature_model.user_feature_biases
    assert np.allclose(feature_model.scores_of(item_features=np.zeros((1, 4)))[:, 0], biases)


def test_model_is_measured_by_evaluate():
    cinema, _ = load_cinema(n_users=60)
    split = Split(*cinema.split_random(0.2, rng=np.random.default_rng(0)))
    perfect = FeatureModel(np.eye(60), np.eye(208), split.test.to_csr("ones").toarray(), np.eye(208))
    assert evaluate(perfect, split, metrics="auc", progress=False)["auc"].model.mean == 1


@pytest.mark.parametrize("users", [[5], [-1]])
def test_model_rejects_users_that_it_does_not_know(feature_model, users):
    with pytest.raises(ValueError, match=f"users of 0 or more and below 5, received {users[0]}"):
        feature_model.scores(users)


def test_model_rejects_features_without_a_vector(feature_model):
    with pytest.raises(ValueError, match="each of 5 features"):
        feature_model.scores_of(item_features=np.ones((1, 5)))


def test_model_rejects_sides_with_different_numbers_of_factors():
    with pytest.raises(ValueError, match=r"equally many columns, received shapes \(2, 3\) and \(2, 4\)"):
        FeatureModel(np.eye(2), np.eye(2), np.ones((2, 3)), np.ones((2, 4)))


def test_model_rejects_biases_that_do_not_fit():
    with pytest.raises(ValueError, match=r"each of 2 features, received shape \(3,\)"):
        FeatureModel(np.eye(2), np.eye(2), np.eye(2), np.eye(2), item_feature_biases=np.ones(3))


# LightFM


def lightfm_itself(likes, loss="warp", n_factors=3, n_epochs=4, alpha=0.0, **features):
    """The package's own `fit`, from the seed that `fit_lightfm` draws."""
    seed = int(np.random.default_rng(1).integers(2**31))
    model = LightFM(no_components=n_factors, loss=loss, item_alpha=alpha, user_alpha=alpha, random_state=seed)
    return model.fit(likes.astype(np.float32).tocoo(), epochs=n_epochs, num_threads=1, **features)


def fit_quietly(likes, n_factors=3, **options):
    return fit_lightfm(
        likes, n_factors, **{"n_epochs": 4, "rng": np.random.default_rng(1), "progress": False, **options}
    )


def test_fit_lightfm_scores_as_the_model_of_lightfm_predicts(planted_likes):
    likes, genres, *_ = planted_likes
    rows = as_lightfm(pool(genres, "mean"))
    ours, theirs = fit_quietly(likes, item_features=genres, pooling="mean"), lightfm_itself(likes, item_features=rows)
    items = np.arange(60, dtype=np.int32)
    for user in (0, 17):
        expected = theirs.predict(user, items, item_features=rows, num_threads=1)
        assert np.allclose(ours.scores([user])[0], expected, atol=1e-5)


@pytest.mark.parametrize("loss", LIGHTFM_LOSSES)
def test_fit_lightfm_epoch_by_epoch_is_one_fit(planted_likes, loss):
    ours, theirs = fit_quietly(planted_likes[0], loss=loss), lightfm_itself(planted_likes[0], loss)
    for name in ("user_embeddings", "item_embeddings"):
        assert np.array_equal(getattr(ours, name), getattr(theirs, name))
    assert np.array_equal(ours.item_feature_biases, theirs.item_biases)
    assert np.array_equal(ours.user_feature_biases, theirs.user_biases)


def test_fit_lightfm_measures_the_logistic_loss_of_all_entries(planted_likes):
    signs = planted_likes[0].toarray() - (np.random.default_rng(2).random((40, 60)) < 0.1)
    model = fit_quietly(csr_array(signs), loss="logistic", item_features=planted_likes[1])
    products = (signs * model.scores(range(40)))[signs != 0]
    assert model.losses[-1] == pytest.approx(np.log(1 + np.exp(-products)).mean(), rel=1e-5)


@pytest.mark.parametrize(
    ("loss", "slow"),
    [
        ("bpr", lambda gap: np.log(1 + np.exp(-gap))),
        ("warp", lambda gap: np.maximum(0, 1 - gap)),
        ("warp-kos", lambda gap: np.maximum(0, 1 - gap)),
    ],
)
def test_fit_lightfm_measures_pairwise_losses_on_a_fair_sample_of_pairs(planted_likes, loss, slow):
    likes, genres, *_ = planted_likes
    model = fit_quietly(likes, loss=loss, item_features=genres)
    scores, has = model.scores(range(40)), likes.toarray() > 0
    values = [slow(scores[u, i] - scores[u, ~has[u]]) for u, i in zip(*has.nonzero())]
    # one negative for each positive estimates the mean over all negatives; 4 standard errors
    error = np.sqrt(np.mean([v.var() for v in values]) / len(values))
    assert model.losses[-1] == pytest.approx(np.mean([v.mean() for v in values]), abs=4 * error)


def test_fit_lightfm_leaves_a_user_who_has_everything_out_of_the_loss():
    model = fit_quietly(csr_array([[1.0, 1.0], [1.0, 0.0]]), n_epochs=40)
    scores = model.scores([1])[0]
    assert model.losses[-1] == pytest.approx(max(0, 1 - (scores[0] - scores[1])), abs=1e-5)


@pytest.mark.parametrize("n_items", [2, 5, 10])
def test_fit_lightfm_of_a_catalogue_smaller_than_its_draws(n_items):
    likes = csr_array(
        np.random.default_rng(0).permuted(np.tile(np.arange(n_items) < n_items - 1, (20, 1)), axis=1) * 1.0
    )
    assert np.isfinite(fit_quietly(likes, loss="warp-kos", n_epochs=20).losses).all()


def test_fit_lightfm_of_no_epochs_is_its_start(planted_likes):
    model = fit_quietly(planted_likes[0], 4, n_epochs=0)
    assert np.abs(model.item_embeddings).max() <= 0.5 / 4
    assert model.losses == pytest.approx([1], abs=0.05)  # scores near 0, and so are their gaps


def test_fit_lightfm_penalty_is_that_of_lightfm_on_both_sides(planted_likes):
    likes, genres, *_ = planted_likes
    ours = fit_quietly(likes, item_features=genres, penalty=1e-3)
    theirs = lightfm_itself(likes, item_features=as_lightfm(genres), alpha=1e-3)
    assert np.array_equal(ours.item_embeddings, theirs.item_embeddings)
    assert np.array_equal(ours.user_embeddings, theirs.user_embeddings)


def test_fit_lightfm_penalty_shortens_vectors(planted_likes):
    likes, genres, *_ = planted_likes
    free, held = (fit_quietly(likes, item_features=genres, penalty=penalty, n_epochs=20) for penalty in (0, 0.1))
    assert np.linalg.norm(held.item_embeddings) < 0.9 * np.linalg.norm(free.item_embeddings)
    assert np.linalg.norm(held.user_embeddings) < 0.9 * np.linalg.norm(free.user_embeddings)


def test_fit_lightfm_logistic_reads_negatives_of_any_index_type(planted_likes):
    likes = planted_likes[0]
    signs = csr_array(2 * likes.toarray() - 1)
    signs.indices, signs.indptr = signs.indices.astype(np.int64), signs.indptr.astype(np.int64)
    scores = fit_quietly(signs, 2, loss="logistic", n_epochs=30).scores(range(40))
    assert scores[likes.toarray() > 0].mean() > scores[likes.toarray() == 0].mean() + 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loss": "hinge"}, "loss among 'logistic', 'bpr', 'warp', 'warp-kos', received 'hinge'"),
        ({"n_factors": 0}, "n_factors as a whole number of 1 or more, received 0"),
        ({"n_epochs": -3}, "n_epochs as a whole number of 0 or more, received -3"),
        ({"learning_rate": -1}, "learning_rate as a number of 0 or more, received -1"),
        ({"learning_rate": 0}, "learning_rate above 0, received 0; 0.05 is a start"),
        ({"penalty": -1}, "penalty as a number of 0 or more, received -1"),
        ({"max_sampled": 0}, "max_sampled as a whole number of 1 or more, received 0"),
        ({"likes": csr_array((2, 3))}, "an interaction that the loss 'warp' can learn from, received none"),
        ({"likes": csr_array([[1.0, 1.0]])}, "an interaction that the loss 'warp' can learn from, received none"),
        ({"likes": csr_array([[-1.0, 0.0]]), "loss": "bpr"}, "that the loss 'bpr' can learn from, received none"),
    ],
)
def test_fit_lightfm_rejects(planted_likes, changes, message):
    with pytest.raises(ValueError, match=message):
        fit_quietly(**{"likes": planted_likes[0], **changes})


def test_build_features_rejects_text_for_names():
    with pytest.raises(TypeError, match="names as a list, received the str 'abc'; its letters"):
        build_features([["a"]], "abc")


def test_build_features_rejects_text_for_a_weight():
    with pytest.raises(TypeError, match="numbers as weights, received the str '2' in row 1; convert it"):
        build_features([[], {"a": "2"}], ["a"])


def test_as_lightfm_makes_what_lightfm_reads_of_indices_that_it_does_not(planted_likes):
    likes, genres, *_ = planted_likes
    wide = csr_array(genres)
    wide.indices, wide.indptr = wide.indices.astype(np.int64), wide.indptr.astype(np.int64)
    data = likes.astype(np.float32).tocoo()
    with pytest.raises(ValueError, match="Buffer dtype mismatch"):
        LightFM(random_state=0).fit(data, item_features=csr_array(wide))
    LightFM(random_state=0).fit(data, item_features=as_lightfm(wide))
    assert np.array_equal(as_lightfm(wide).toarray(), genres)
