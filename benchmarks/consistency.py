"""The curve of the consistency for k from 2 to 50: `utils.consistency.expected_precision` against order statistics.

The yardstick is the method of the code that was published with the paper, written anew: for each k a sum over order
statistics, whose densities and distribution functions are formed from powers and `scipy.special.comb`, integrated by
`scipy.integrate.quad` over an interval that somebody has to choose. It takes minutes, so it runs once; ours runs before
and after it, and the best round counts. Processor time is measured. Then the script prints where the yardstick breaks,
and how much memory a simulation of a million items takes.
"""

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import resource
import time
import warnings

import numpy as np
from scipy import stats
from scipy.integrate import quad
from scipy.special import comb
from tqdm import tqdm

from utils.consistency import expected_precision, score_moments, simulate_consistency

D, N_ITEMS, SIZES = 128, 1000, range(2, 51)
INTERVAL = (0, 100)  # the one that the published script uses for this curve
BAR, MAX_GIGABYTES, ROUNDS = 1000, 2.0, 20


class OrderStatistics:
    """The k members and the other items of one catalogue, as two samples of independent normal scores."""

    def __init__(self, d, n_items, k, std=1.0):
        moments = score_moments(d, k, std=std)
        self.members = stats.norm(moments.mean_in, moments.std_in)
        self.others = stats.norm(moments.mean_out, moments.std_out)
        self.k, self.n_others = k, n_items - k

    def member_density(self, x, i):
        """Density of the i-th largest score among the members."""
        below = self.members.cdf(x)
        return comb(self.k, i) * i * below ** (self.k - i) * (1 - below) ** (i - 1) * self.members.pdf(x)

    def others_below(self, x, j):
        """Chance that the j-th largest score among the others is below x."""
        below, n = self.others.cdf(x), self.n_others
        return sum(comb(n, m) * below**m * (1 - below) ** (n - m) for m in range(n - j + 1, n + 1))

    def integrand(self, x):
        """Sum over the places in the list: the i-th member is in it if it beats the (k - i + 1)-th of the others."""
        return sum(self.member_density(x, i) * self.others_below(x, self.k - i + 1) for i in range(1, self.k + 1))

    def consistency(self, interval):
        """Integrate over that interval."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # quad warns where it fails, which is what we look at
            return quad(self.integrand, *interval)[0] / self.k


def time_ours(best):
    """Compute the curve several times, and return it and the best time so far."""
    for _ in range(ROUNDS):
        begin = time.process_time()
        curve = expected_precision(D, N_ITEMS, np.array(SIZES))
        best = min(best, time.process_time() - begin)
    return curve, best


def main():
    """Print the ratio, the failures and the memory."""
    _, ours = time_ours(np.inf)
    begin = time.process_time()
    theirs_curve = np.array([OrderStatistics(D, N_ITEMS, k).consistency(INTERVAL) for k in tqdm(SIZES, unit="k")])
    theirs = time.process_time() - begin
    curve, ours = time_ours(ours)
    ratio = theirs / ours
    print(
        f"curve k = 2 … 50, d = {D}, N = {N_ITEMS}: order statistics {theirs:.0f} s, ours {1000 * ours:.0f} ms, "
        f"ratio {ratio:.0f}, bar {BAR}: {'met' if ratio >= BAR else 'MISSED'}"
    )
    print(f"largest difference of the two curves: {np.abs(curve - theirs_curve).max():.1e}")

    print("where order statistics break (theirs, ours):")
    for name, (d, n_items, k, std), interval in (
        ("scores beyond the interval", (256, 1000, 2, 1.0), (0, 150)),
        ("a narrow peak is overlooked", (D, 1000, 1, 1.0), INTERVAL),
        ("the same items, scaled by 0.05", (D, 1000, 10, 0.05), INTERVAL),
        ("the same items, scaled by 3", (D, 1000, 10, 3.0), INTERVAL),
    ):
        value = OrderStatistics(d, n_items, k, std).consistency(interval)
        print(
            f"  {name}: d = {d}, N = {n_items}, k = {k}: {value:.3g}, {expected_precision(d, n_items, k, std=std):.4f}"
        )
    for n_items, k in ((10**5, 100), (10**6, 70)):
        with np.errstate(all="ignore"):
            value = OrderStatistics(D, n_items, k).integrand(D / k)
        print(f"  overflow: N = {n_items}, k = {k}: {value}, {expected_precision(D, n_items, k):.4f}")

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rng = np.random.default_rng(0)
    items = rng.standard_normal((10**6, 128), dtype=np.float32)
    for measure in ("dot", "cosine", "euclidean"):
        simulate_consistency(items, 10, n_subsets=32, measure=measure, rng=rng)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # in kB on Linux
        verdict = "met" if peak <= MAX_GIGABYTES else "MISSED"
        print(f"a million items of 128 float32 numbers, {measure}: peak {peak:.2f} GB, bar {MAX_GIGABYTES}: {verdict}")
    print(f"({before / 1e6:.2f} GB before)")


if __name__ == "__main__":
    main()
