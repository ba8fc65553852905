"""Compute the results that the book quotes: `make results`, or for some of them `make results RESULTS="als data"`.

Each other module here belongs to one page. What it does, the page does too, in the open, for a part of the data or for
one seed, and asserts that both agree. A module ``<slug>`` has one of these functions, or both:

- ``compute(movielens)`` returns the values of ``<slug>.json``, from MovieLens;
- ``simulate()`` returns those of ``<slug>_cinema.json``, from simulated audiences. Among them are the ``seeds``, and
  the ``options`` if there are any, of `utils.data.load_cinema`: the hash of those events stands where that of the zip
  file stands for MovieLens.

A module may name the ``LIBRARIES`` whose versions belong to its results besides those that belong to all.
"""

import argparse
from functools import partial
from importlib import import_module
from pathlib import Path

from tqdm import tqdm

from utils.book.results import PACKAGES, hash_events, save_result
from utils.data import load_cinema, load_movielens
from utils.data.movielens import SHA256

NAME = "ml-latest-small"


def find_results():
    """Return a function for each result, by name, in alphabetical order; called, it computes and saves the result."""
    found = {}
    for slug in sorted(file.stem for file in Path(__file__).parent.glob("*.py") if file != Path(__file__)):
        module = import_module(slug)
        packages = (*PACKAGES, *getattr(module, "LIBRARIES", ()))
        if hasattr(module, "compute"):
            found[slug] = partial(_save_movielens, slug, module.compute, packages)
        if hasattr(module, "simulate"):
            found[f"{slug}_cinema"] = partial(_save_cinema, f"{slug}_cinema", module.simulate, packages)
    return found


def _save_movielens(name, compute, packages):
    values = compute(load_movielens(NAME))
    save_result(name, values, data=NAME, checksum=SHA256[NAME], packages=packages)


def _save_cinema(name, simulate, packages):
    values = simulate()
    options = values.get("options", {})
    checksum = hash_events(load_cinema(seed, **options)[0] for seed in values["seeds"])
    save_result(name, values, data="cinema", checksum=checksum, packages=packages)


def main():
    """Compute the results that the command line names, or all, and write them down with their provenance."""
    results = find_results()
    parser = argparse.ArgumentParser(description="Compute results that the book quotes.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"all if left out; among {', '.join(results)}")
    names = parser.parse_args().names
    unknown = sorted(set(names) - set(results))
    if unknown:
        parser.error(f"expected names among {', '.join(results)}, received {', '.join(unknown)}")
    for name in tqdm(names or results, desc="results", unit="file"):
        results[name]()


if __name__ == "__main__":
    main()
