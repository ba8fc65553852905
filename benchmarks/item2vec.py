"""item2vec: pairs per second of `utils.item2vec.fit_sgns` against the compiled code of gensim.

Prints, for two sizes of catalogue, two dimensions and both architectures, how many examples each goes through in a
second, and the share of gensim's speed that ours has. Both get the same sessions and settings, and run on one thread,
in turns, in one process. Processor time of whole fits counts, set-up included, the best of several rounds; the time
that ours takes for its loss and that gensim takes for its own is in it. gensim works in 32 bits, and so does ours.
"""

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import time

import numpy as np

from utils.data import load_cinema
from utils.item2vec import fit_gensim, fit_sgns, training_pairs

DIMENSIONS = (16, 64)
ROUNDS = 3


def draw_sessions(n_items, n_sessions=10_000, length=10):
    """Draw sessions from a catalogue in which few items have most of the events."""
    rng = np.random.default_rng(0)
    weights = 1 / (np.arange(n_items) + n_items / 20)
    return list(rng.choice(n_items, size=(n_sessions, length), p=weights / weights.sum()))


def best_seconds(sessions, n_factors, architecture, n_epochs):
    """Return the processor time of ours and of gensim's."""
    best = {fit_sgns: np.inf, fit_gensim: np.inf}
    for _ in range(ROUNDS):
        for fit in best:
            begin = time.process_time()
            fit(
                sessions,
                n_factors=n_factors,
                window=5,
                n_epochs=n_epochs,
                architecture=architecture,
                rng=np.random.default_rng(0),
                progress=False,
            )
            best[fit] = min(best[fit], time.process_time() - begin)
    return best.values()


def main():
    """Print a line for each setting, and the geometric mean of the ratios."""
    cinema, _ = load_cinema()
    data = {"cinema, 200 items": cinema.sessions(np.inf), "10,000 items": draw_sessions(10_000)}
    ratios = []
    for name, sessions in data.items():
        n_pairs, n_events = len(training_pairs(sessions, 5)[0]), sum(map(len, sessions))
        for architecture, n_examples in (("skip-gram", n_pairs), ("cbow", n_events)):
            for n_factors in DIMENSIONS:
                n_epochs = 2 if architecture == "skip-gram" else 6
                ours, theirs = best_seconds(sessions, n_factors, architecture, n_epochs)
                ratios.append(theirs / ours)
                speeds = [n_examples * n_epochs / seconds / 1e6 for seconds in (ours, theirs)]
                print(
                    f"{name}, {architecture:9}, d = {n_factors}: {speeds[0]:.2f} million examples a second, gensim "
                    f"{speeds[1]:.2f}, ratio {theirs / ours:.2f}"
                )
    print(f"geometric mean of the ratios: {np.exp(np.mean(np.log(ratios))):.2f}")


if __name__ == "__main__":
    main()
