"""One contract for every fit of `utils`. A new one joins by a line in `FITS`.

What each of them has learned is tested beside it; here it is enough that a planted answer is found.
"""

import dataclasses
import importlib
import inspect
import pkgutil
from typing import Any

import numpy as np
import pytest
from scipy.sparse import bsr_array, coo_array, csc_array, csr_array, csr_matrix, lil_array

import utils
from utils.als import fit_explicit, fit_implicit
from utils.data import Interactions, Split
from utils.evaluation import Popularity, evaluate
from utils.feature_sums import fit_lightfm
from utils.item2vec import fit_gensim, fit_sgns
from utils.matrix_factorization import fit_sgd, truncated_svd
from utils.negative_sampling import HardSampler, InBatchSampler, UniformSampler
from utils.pairwise_ranking import fit_bpr, fit_warp
from utils.recommender import HistoryRecommender, recommend
from utils.sampled_softmax import TwoTables, fit_softmax

N_USERS, N_ITEMS, N_EPOCHS = 31, 25, 12


@dataclasses.dataclass(frozen=True, eq=False)
class Case:
    """A fit, the data of `World` that it takes, and options that suit them."""

    fit: Any
    data: str
    options: dict = dataclasses.field(default_factory=dict)
    least_factors: int = 1

    def __str__(self):
        words = [str(value) for name, value in self.options.items() if name in ("loss", "architecture", "solver")]
        sampler = (
            type(self.options.get("sampler")).__name__.replace("NoneType", "full") if "sampler" in self.options else ""
        )
        return "-".join([self.fit.__name__, *words, sampler]).strip("-")

    @property
    def has_rate(self):
        return "learning_rate" in inspect.signature(self.fit).parameters


FITS = [
    Case(fit_explicit, "ratings", {"penalty": 1.0}),
    Case(fit_implicit, "interactions", {"alpha": 10.0, "penalty": 2.0}),
    Case(fit_implicit, "interactions", {"alpha": 10.0, "penalty": 2.0, "solver": "cg"}),
    Case(fit_sgd, "ratings", {"penalty": 0.5, "learning_rate": 0.05}, least_factors=0),
    Case(fit_bpr, "interactions", {"batch_size": 8}),
    Case(fit_warp, "interactions", {"batch_size": 8}),
    *(Case(fit_lightfm, "interactions", {"loss": loss, "learning_rate": 0.2}) for loss in ("bpr", "warp", "warp-kos")),
    Case(fit_lightfm, "signs", {"loss": "logistic"}),
    Case(fit_softmax, "events", {"sampler": None}),
    Case(fit_softmax, "events", {"sampler": UniformSampler(N_ITEMS)}),
    Case(fit_softmax, "events", {"sampler": HardSampler(UniformSampler(N_ITEMS), None, 2), "loss": "logistic"}),
    Case(fit_softmax, "events", {"sampler": InBatchSampler()}),
    *(
        Case(fit, "sessions", {"architecture": name, "learning_rate": 0.1})
        for fit in (fit_sgns, fit_gensim)
        for name in ("skip-gram", "cbow")
    ),
]

MATRICES = ("ratings", "signs", "interactions")
EVERY_FIT = pytest.mark.parametrize("case", FITS, ids=str)
OF_MATRICES = pytest.mark.parametrize("case", [case for case in FITS if case.data in MATRICES], ids=str)
WITH_RATE = pytest.mark.parametrize("case", [case for case in FITS if case.has_rate], ids=str)
WITH_INIT = pytest.mark.parametrize(
    "case", [case for case in FITS if "init" in inspect.signature(case.fit).parameters], ids=str
)


def sessions_of(events):
    """All that a user met, six times over: CBOW learns little from each."""
    return 6 * [session.tolist() for session in events.sessions(np.inf)]


class World:
    """Two kinds of users and of items. Nobody likes an item of the other kind; the last user and item have no event."""

    def __init__(self):
        rng = np.random.default_rng(3)
        self.own = np.arange(N_USERS)[:, None] % 2 == np.arange(N_ITEMS) % 2
        is_met = rng.random((N_USERS, N_ITEMS)) < 0.5
        is_met[-1] = is_met[:, -1] = False
        users, items = np.nonzero(is_met & self.own)
        self.events = Interactions.from_labels(
            users, items, timestamps=rng.permutation(len(users)), user_labels=range(N_USERS), item_labels=range(N_ITEMS)
        )
        self.interactions = self.events.to_csr("ones", dtype=np.float64)
        self.ratings = csr_array(np.where(is_met, np.where(self.own, 5.0, 1.0), 0))
        self.signs = csr_array(np.where(is_met, np.where(self.own, 1.0, -1.0), 0))
        self.sessions = sessions_of(self.events)


WORLD = World()


def fit(case, data=None, n_factors=3, seed=0, **options):
    options = {**case.options, "n_epochs": N_EPOCHS, "progress": False, "rng": np.random.default_rng(seed), **options}
    return case.fit(getattr(WORLD, case.data) if data is None else data, n_factors, **options)


def recommender(case, fitted, events=WORLD.events):
    """Vectors of items alone become a model by the history of each user."""
    return HistoryRecommender(fitted, events) if case.data == "sessions" else fitted


def scores(case, fitted):
    return recommender(case, fitted).scores(range(N_USERS))


@pytest.fixture(scope="module")
def fitted_by():
    """Case → what it returns, fitted once for all tests that only look."""

    class Once(dict):
        def __missing__(self, case):
            self[case] = fit(case)
            return self[case]

    return Once()


def test_every_fit_of_the_package_is_in_the_contract():
    names = [module.name for module in pkgutil.iter_modules(utils.__path__) if not module.ispkg]
    modules = [importlib.import_module(f"utils.{name}") for name in names]
    found = {value for module in modules for name, value in vars(module).items() if name.startswith("fit_")}
    assert found == {case.fit for case in FITS}


@EVERY_FIT
def test_signature_is_that_of_every_fit(case):
    first, second, *others = inspect.signature(case.fit).parameters.values()
    assert first.name in ("ratings", "interactions", "events", "sessions")
    assert second.name == "n_factors"
    assert first.default is second.default is inspect.Parameter.empty
    assert {other.kind for other in others} == {inspect.Parameter.KEYWORD_ONLY}
    defaults = {other.name: other.default for other in others}
    assert defaults["n_epochs"] is defaults["rng"] is inspect.Parameter.empty
    assert defaults["progress"] is True


@EVERY_FIT
def test_result_cannot_be_changed(case, fitted_by):
    for field in dataclasses.fields(fitted_by[case]):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(fitted_by[case], field.name, None)


@EVERY_FIT
def test_losses_are_those_of_the_start_and_of_each_epoch(case, fitted_by):
    losses = fitted_by[case].losses
    assert losses.shape == (1 + N_EPOCHS,)
    assert losses.dtype == np.float64
    assert np.isfinite(losses).all()
    assert (losses >= 0).all()


@EVERY_FIT
def test_loss_falls_on_planted_data(case, fitted_by):
    losses = fitted_by[case].losses
    assert losses[-1] < 0.95 * losses[0]


@EVERY_FIT
def test_planted_answer_is_found(case, fitted_by):
    users = range(N_USERS - 1)
    seen = WORLD.ratings if case.data in ("ratings", "signs") else WORLD.interactions
    share = {}
    for name, model in (("fit", recommender(case, fitted_by[case])), ("popularity", Popularity(WORLD.events))):
        lists = recommend(model, users, 3, exclude=seen)
        share[name] = np.take_along_axis(WORLD.own[:-1], lists, axis=1).mean()
    assert share["fit"] > 0.8  # by chance and by popularity it is about a half
    assert share["fit"] > share["popularity"] + 0.2


@EVERY_FIT
def test_model_beats_popularity_on_what_was_put_aside(case):
    if case.data in ("ratings", "signs"):
        pytest.skip("ratings say what users think of what they met, not what they will meet")
    split = Split(*WORLD.events.split_random(0.2, rng=np.random.default_rng(0)))
    data = {
        "events": split.train,
        "interactions": split.train.to_csr("ones", dtype=np.float64),
        "sessions": sessions_of(split.train),
    }
    fitted = fit(case, data[case.data])
    table = evaluate(recommender(case, fitted, split.train), split, metrics="auc", progress=False)
    assert table["auc"].difference.mean > 0.15


@EVERY_FIT
def test_fit_is_repeatable_by_its_generator_alone(case, fitted_by):
    again, other = fit(case), fit(case, seed=1)
    assert np.array_equal(again.losses, fitted_by[case].losses)
    assert np.array_equal(scores(case, again), scores(case, fitted_by[case]))
    assert not np.array_equal(scores(case, other), scores(case, again))


@EVERY_FIT
def test_fit_for_no_epoch_is_its_start(case, fitted_by):
    start = fit(case, n_epochs=0)
    assert start.losses == pytest.approx(fitted_by[case].losses[:1], rel=1e-12)
    assert np.isfinite(scores(case, start)).all()
    assert not np.array_equal(scores(case, start), scores(case, fitted_by[case]))


@EVERY_FIT
def test_progress_changes_nothing(case, fitted_by):
    assert np.array_equal(fit(case, progress=True).losses, fitted_by[case].losses)


@EVERY_FIT
def test_scores_are_a_row_of_floats_for_each_user(case, fitted_by):
    model = recommender(case, fitted_by[case])
    table = model.scores(range(N_USERS))
    assert table.shape == (N_USERS, N_ITEMS)
    assert table.dtype in (np.float32, np.float64)
    assert np.isfinite(table).all()  # those of the user and of the item without an event too
    assert np.allclose(model.scores(np.array([4, 2, 4], dtype=np.uint8)), table[[4, 2, 4]], rtol=1e-5, atol=1e-6)
    assert model.scores([]).shape == (0, N_ITEMS)


@EVERY_FIT
@pytest.mark.parametrize(
    "users", [[-1], [N_USERS], [True, False], [0.7], [1.0], [[0]], 0, ["0"], [None], [10**30]], ids=repr
)
def test_scores_refuse_what_are_no_users(case, fitted_by, users):
    with pytest.raises((TypeError, ValueError), match="expected users"):
        recommender(case, fitted_by[case]).scores(users)


@OF_MATRICES
def test_fit_takes_any_sparse_format(case, fitted_by):
    matrix, expected = getattr(WORLD, case.data), scores(case, fitted_by[case])
    for make in (csc_array, coo_array, lil_array, bsr_array, csr_matrix):
        # another order of the entries may be another order of additions
        assert np.allclose(scores(case, fit(case, make(matrix))), expected, atol=1e-8)


@OF_MATRICES
@pytest.mark.parametrize("dtype", [bool, np.int8, np.int64, np.float32])
def test_fit_takes_any_real_type(case, fitted_by, dtype):
    matrix = getattr(WORLD, case.data).astype(dtype)
    table = scores(case, fit(case, matrix))
    assert np.isfinite(table).all()
    if dtype is not bool or case.data == "interactions":  # the other matrices hold more than ones
        # float32 numbers are the same whole numbers, and may be computed with fewer digits
        assert np.allclose(table, scores(case, fitted_by[case]), atol=0.05 if dtype == np.float32 else 1e-8)


@OF_MATRICES
def test_fit_adds_entries_that_are_stored_twice(case, fitted_by):
    matrix = getattr(WORLD, case.data).tocoo()
    halves = coo_array((np.tile(matrix.data / 2, 2), np.tile(matrix.coords, 2)), shape=matrix.shape)
    assert np.allclose(scores(case, fit(case, halves)), scores(case, fitted_by[case]), atol=1e-8)


@OF_MATRICES
def test_fit_does_not_touch_its_matrix(case, fitted_by):
    matrix = getattr(WORLD, case.data).copy()
    for array in (matrix.data, matrix.indices, matrix.indptr):
        array.flags.writeable = False
    assert np.array_equal(scores(case, fit(case, matrix)), scores(case, fitted_by[case]))


@pytest.mark.parametrize("case", [case for case in FITS if case.data == "sessions"], ids=str)
def test_fit_takes_sessions_of_any_sequence_and_touches_none(case, fitted_by):
    arrays = [np.array(session, dtype=np.int8)[::-1].copy()[::-1] for session in WORLD.sessions]  # not contiguous
    for array in arrays:
        array.flags.writeable = False
    for sessions in (arrays, tuple(map(tuple, WORLD.sessions))):
        assert np.array_equal(fit(case, sessions).item_vectors, fitted_by[case].item_vectors)


def start_of(case, layout, dtype):
    tables = TwoTables.start(N_USERS, N_ITEMS, 3, rng=np.random.default_rng(5))
    arrays = [layout(array.astype(dtype)) for array in (tables.user_factors, tables.item_factors)]
    for array in arrays:
        array.flags.writeable = False
    return TwoTables(*arrays, tables.item_biases) if case.data == "events" else tuple(arrays)


@WITH_INIT
@pytest.mark.parametrize(
    "layout",
    [np.asfortranarray, lambda array: np.repeat(array, 2, axis=1)[:, ::2], lambda array: array[::-1].copy()[::-1]],
    ids=["Fortran", "every other column", "backwards"],
)
def test_fit_takes_a_start_of_any_layout_and_touches_none(case, layout):
    given = start_of(case, layout, np.float64)
    arrays = given if isinstance(given, tuple) else (given.user_factors, given.item_factors)
    copies = [array.copy() for array in arrays]
    ours, usual = fit(case, init=given), fit(case, init=start_of(case, np.array, np.float64))
    assert np.allclose(scores(case, ours), scores(case, usual), rtol=1e-6)
    for array, copy in zip(arrays, copies):
        assert np.array_equal(array, copy)


@WITH_INIT
@pytest.mark.parametrize("dtype", [np.float32, np.int64, bool])
def test_fit_takes_a_start_of_any_real_type(case, dtype):
    assert np.isfinite(
        scores(case, fit(case, init=start_of(case, lambda array: np.abs(array), dtype), n_epochs=3))
    ).all()


@WITH_INIT
def test_fit_refuses_a_start_that_does_not_fit(case):
    for n_factors in (2, 4):
        with pytest.raises(ValueError, match="expected "):
            fit(case, n_factors=n_factors, init=start_of(case, np.array, np.float64))
    with pytest.raises((TypeError, ValueError), match="expected init"):
        fit(case, init=7)


@EVERY_FIT
def test_fit_of_one_user(case):
    one = {
        "ratings": csr_array([[5.0, 1.0, 4.0, 0.0]]),
        "signs": csr_array([[1.0, -1.0, 1.0, 0.0]]),
        "interactions": csr_array([[1.0, 1.0, 1.0, 0.0]]),
        "events": Interactions.from_labels([0, 0, 0], [0, 1, 2], timestamps=range(3), item_labels=range(4)),
        "sessions": [[0, 1, 2]],
    }
    options = {"sampler": UniformSampler(4)} if isinstance(case.options.get("sampler"), UniformSampler) else {}
    if isinstance(case.options.get("sampler"), HardSampler):
        options = {"sampler": HardSampler(UniformSampler(4), None, 2)}
    fitted = fit(case, one[case.data], **options)
    table = recommender(case, fitted, one["events"]).scores([0])
    assert table.shape == (1, 4)
    assert np.isfinite(table).all()


MATRIX = np.array([[5.0, 1.0], [1.0, 0.0]])


@EVERY_FIT
@pytest.mark.parametrize(
    "data",
    [
        None,
        "abc",
        MATRIX,
        MATRIX > 0,
        MATRIX.astype(str),
        7,
        csr_array([[np.nan, 1.0]]),
        csr_array([[np.inf, 1.0]]),
        csr_array(MATRIX + 1j),
        coo_array(np.ones(3)),
        csr_array((2, 2)),
        [[float("nan"), 1.0]],
        [],
        [[]],
    ],
    ids=str,
)
def test_fit_refuses_what_is_no_data(case, data):
    if case.data == "sessions" and isinstance(data, np.ndarray) and data.dtype.kind == "U":
        pytest.skip("rows of text are sessions of text")
    if case.fit in (fit_explicit, fit_implicit) and getattr(data, "nnz", 1) == 0:
        pytest.skip("with nothing met, all vectors are 0, and that is the minimum")
    with pytest.raises((TypeError, ValueError), match="expected "):
        case.fit(data, 3, **case.options, n_epochs=1, rng=np.random.default_rng(0))


@EVERY_FIT
@pytest.mark.parametrize("rng", [0, None, np.random.RandomState(0), "0", np.random], ids=str)
def test_fit_refuses_what_is_no_generator(case, rng):
    with pytest.raises(TypeError, match="expected rng as a numpy Generator, received"):
        fit(case, rng=rng)


@EVERY_FIT
@pytest.mark.parametrize("n_factors", [0, -1, 1.5, 2.0, True, "2", None])
def test_fit_refuses_what_is_no_number_of_factors(case, n_factors):
    if n_factors == 0 and n_factors is not False and case.least_factors == 0:
        n_factors = -1
    with pytest.raises(ValueError, match=r"expected n_factors as a whole number of [01] or more, received"):
        fit(case, n_factors=n_factors)


@EVERY_FIT
@pytest.mark.parametrize("n_epochs", [-1, 1.5, 2.0, True, "2", None])
def test_fit_refuses_what_is_no_number_of_epochs(case, n_epochs):
    with pytest.raises(ValueError, match="expected n_epochs as a whole number of 0 or more, received"):
        fit(case, n_epochs=n_epochs)


@WITH_RATE
@pytest.mark.parametrize("learning_rate", [0, -1, np.nan, np.inf, True, "0.1", None])
def test_fit_refuses_what_is_no_learning_rate(case, learning_rate):
    with pytest.raises(ValueError, match=r"expected (a )?learning_rate (above 0|as a number of 0 or more), received"):
        fit(case, learning_rate=learning_rate)


@WITH_RATE
@pytest.mark.parametrize("learning_rate", [1e4, 1e30])
def test_fit_refuses_to_explode(case, learning_rate):
    if case.fit is fit_sgns:  # a bound on its steps lets it converge at such rates, too
        losses = fit(case, learning_rate=learning_rate).losses
        assert losses[-1] < 0.8 * losses[0]
        return
    with pytest.raises(ValueError, match=r"(a learning_rate at which .* try a tenth|Try decreasing the learning rate)"):
        fit(case, learning_rate=learning_rate)


def test_svd_is_a_model_like_the_others():
    svd = truncated_svd(WORLD.interactions, 3)
    lists = recommend(svd, range(N_USERS - 1), 3, exclude=WORLD.interactions)
    assert np.take_along_axis(WORLD.own[:-1], lists, axis=1).mean() > 0.9
    for users in ([-1], [N_USERS], [True], [0.5], [[0]]):
        with pytest.raises((TypeError, ValueError), match="expected users"):
            svd.scores(users)
