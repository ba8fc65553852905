"""Draw a million negatives from 100,000 items: our samplers against `numpy.random.Generator.choice` with `p`.

Prints how many times faster each way is than `choice`. All run in turns in one process on one thread, and the best of
several rounds counts. `choice` knows of no excluded items; the ways that leave some out are compared with it all the
same, which is hard on them.
"""

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import time

import numpy as np
from scipy.sparse import csr_array
from scipy.stats.sampling import DiscreteAliasUrn

from utils.negative_sampling import AliasTable, InBatchSampler, PopularitySampler, UniformSampler

N_USERS, N_ITEMS, N_BATCH, N_NEGATIVES, ROUNDS = 1_000, 100_000, 200_000, 5, 7
N_DRAWS = N_BATCH * N_NEGATIVES
POWER = 0.75


def main():
    """Print one line for each way, and one for the construction."""
    rng = np.random.default_rng(0)
    popularity = rng.permutation(1e6 / np.arange(1, N_ITEMS + 1))
    users = rng.integers(N_USERS, size=N_BATCH)
    owners = np.repeat(np.arange(N_USERS), 100)
    items = AliasTable(popularity).draw(len(owners), rng=rng)
    owned = csr_array((np.ones(len(owners)), (owners, items)), shape=(N_USERS, N_ITEMS))

    begin = time.perf_counter()
    sampler = PopularitySampler(popularity, POWER)
    seconds_to_build = time.perf_counter() - begin
    others = {
        "UniformSampler": UniformSampler(N_ITEMS),
        "PopularitySampler": sampler,
        "PopularitySampler, 100 items excluded for each user": PopularitySampler(popularity, POWER, exclude=owned),
    }
    urn = DiscreteAliasUrn(sampler.noise, random_state=rng)
    ways = {
        "choice": lambda: rng.choice(N_ITEMS, size=(N_BATCH, N_NEGATIVES), p=sampler.noise),
        **{
            name: lambda sampler=sampler: sampler.sample(users, None, N_NEGATIVES, rng=rng)
            for name, sampler in others.items()
        },
        "InBatchSampler, batches of 1,000": lambda: [
            InBatchSampler().sample(users[:1000], users[:1000], N_NEGATIVES, rng=rng) for _ in range(N_BATCH // 1000)
        ],
        "SciPy's DiscreteAliasUrn": lambda: urn.rvs(N_DRAWS),
    }
    best = dict.fromkeys(ways, np.inf)
    for _ in range(ROUNDS):
        for name, draw in ways.items():
            begin = time.perf_counter()
            draw()
            best[name] = min(best[name], time.perf_counter() - begin)
    for name, seconds in best.items():
        print(f"{name}: {best['choice'] / seconds:.2f} × choice, {N_DRAWS / seconds / 1e6:.0f} million draws a second")
    print(f"the table of PopularitySampler takes {seconds_to_build / best['choice']:.2f} of one call of choice to make")


if __name__ == "__main__":
    main()
