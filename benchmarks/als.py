"""Implicit ALS: `utils.als.fit_implicit` against the C++ of the package ``implicit``.

Prints how long ours takes as a share of theirs, for whole fits (5 epochs, the losses of ours included) from the same
start, exact against Cholesky and conjugate gradients against conjugate gradients; on data where rows are long, and on
data where they are shorter than the vectors. All run interleaved in one process on one thread. Processor time is
measured, and the best of several rounds counts. Then it prints how much memory a fit of a million ratings takes.
"""

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import time
import tracemalloc

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from scipy.sparse import csr_array, csr_matrix

from utils.als import fit_implicit, implicit_loss

# Users, items, ratings, and the dimensions to try. The first two are as the MovieLens data sets of these names; in the
# others a user has six ratings.
SIZES = {
    "100K": (943, 1682, 100_000, (32, 64, 128)),
    "1M": (6040, 3706, 1_000_000, (32, 64, 128)),
    "100K, short rows": (16_500, 10_500, 100_000, (32, 128)),
    "1M, short rows": (165_000, 10_500, 1_000_000, (32, 128)),
}
ALPHA, PENALTY, EPOCHS, ROUNDS = 2.0, 0.1, 5, 3
BARS = {"exact": 0.36, "cg": 0.86}
SHORT_BAR = 0.5  # exact, 100K with short rows, dimension 32
MAX_MEGABYTES = 65


def draw_ratings(n_users, n_items, n_ratings):
    """Draw stars from 1 to 5 for pairs in which few users and few items have most of the ratings, in float32."""
    rng = np.random.default_rng(0)
    activity = rng.lognormal(sigma=0.9, size=n_users) + 0.1
    popularity = rng.permutation(1 / (np.arange(n_items) + n_items / 20))
    pairs = np.empty(0, dtype=np.int64)
    while len(pairs) < n_ratings:
        users = rng.choice(n_users, size=n_ratings, p=activity / activity.sum())
        items = rng.choice(n_items, size=n_ratings, p=popularity / popularity.sum())
        pairs = np.union1d(pairs, users * n_items + items)
    pairs = rng.choice(pairs, size=n_ratings, replace=False)
    stars = rng.integers(1, 6, size=n_ratings).astype(np.float32)
    return csr_array((stars, np.divmod(pairs, n_items)), shape=(n_users, n_items))


def fit_ours(ratings, start, solver):
    """Return the factors of `utils.als`."""
    options = {"alpha": ALPHA, "penalty": PENALTY, "n_epochs": EPOCHS, "rng": None, "progress": False}
    model = fit_implicit(ratings, start[0].shape[1], solver=solver, init=start, **options)
    return model.user_factors, model.item_factors


def fit_theirs(confidences, start, solver):
    """Return the factors of ``implicit``."""
    model = AlternatingLeastSquares(
        factors=start[0].shape[1],
        regularization=PENALTY,
        iterations=EPOCHS,
        use_cg=solver == "cg",
        num_threads=1,
    )
    model.user_factors, model.item_factors = (factors.copy() for factors in start)
    model.fit(confidences, show_progress=False)
    return model.user_factors, model.item_factors


def compare(ratings, n_factors, solver):
    """Return the processor seconds of ours and of theirs, and the relative excess of our loss over theirs."""
    rng = np.random.default_rng(1)
    start = [0.1 * rng.standard_normal((n, n_factors), dtype=np.float32) for n in ratings.shape]
    confidences = csr_matrix((1 + ALPHA * ratings.data, ratings.indices, ratings.indptr), shape=ratings.shape)
    fits = {
        "ours": lambda: fit_ours(ratings, start, solver),
        "theirs": lambda: fit_theirs(confidences, start, solver),
    }
    best, losses = dict.fromkeys(fits, np.inf), {}
    for _ in range(ROUNDS):
        for name, fit in fits.items():
            begin = time.process_time()
            factors = fit()
            best[name] = min(best[name], time.process_time() - begin)
            losses[name] = implicit_loss(ratings, *factors, alpha=ALPHA, penalty=PENALTY)
    return best["ours"], best["theirs"], losses["ours"] / losses["theirs"] - 1


def measure_megabytes(ratings, solver):
    """Return the peak of what a fit with 128 dimensions allocates, above its input."""
    tracemalloc.start()
    fit_implicit(
        ratings,
        128,
        alpha=ALPHA,
        penalty=PENALTY,
        n_epochs=1,
        solver=solver,
        rng=np.random.default_rng(1),
        progress=False,
    )
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 1e6


def main():
    """Print a line for each size, dimension and solver, then the bars."""
    ratios = {}
    for size, (n_users, n_items, n_ratings, dimensions) in SIZES.items():
        ratings = draw_ratings(n_users, n_items, n_ratings)
        most_user, most_item = np.diff(ratings.indptr).max(), np.bincount(ratings.indices).max()
        print(f"{size}: {n_users} × {n_items}, {n_ratings} ratings; at most {most_user} a user and {most_item} an item")
        for d in dimensions:
            for solver in BARS:
                ours, theirs, excess = compare(ratings, d, solver)
                ratios[size, d, solver] = ours / theirs
                print(
                    f"  d = {d:3}, {solver:5}: {ours / EPOCHS:.3f} s an epoch, implicit {theirs / EPOCHS:.3f} s, "
                    f"ratio {ours / theirs:.2f}, loss {excess:+.1e}",
                    flush=True,
                )
                assert abs(excess) < (1e-6 if solver == "exact" else 1e-3), "the two must do the same work"
        if size == "1M":
            megabytes = {solver: measure_megabytes(ratings, solver) for solver in BARS}
    for solver, bar in BARS.items():
        mean = np.exp(np.mean([np.log(ratio) for (*_, one), ratio in ratios.items() if one == solver]))
        print(f"{solver}: geometric mean {mean:.2f}, bar {bar}: {'met' if mean <= bar else 'MISSED'}")
    short = ratios["100K, short rows", 32, "exact"]
    print(f"exact, short rows: {short:.2f}, bar {SHORT_BAR}: {'met' if short <= SHORT_BAR else 'MISSED'}")
    for solver, peak in megabytes.items():
        verdict = "met" if peak <= MAX_MEGABYTES else "MISSED"
        print(f"{solver}: {peak:.0f} MB above the input at 1M, bar {MAX_MEGABYTES}: {verdict}")


if __name__ == "__main__":
    main()
