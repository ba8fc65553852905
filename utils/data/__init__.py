"""The data sets of the book, each loaded into the same container, `Interactions`."""

from utils.data.cinema import CinemaTruth, load_cinema
from utils.data.csv_file import load_interactions
from utils.data.davis import load_davis
from utils.data.interactions import Interactions, Split
from utils.data.movielens import (
    MOVIELENS_CITATION,
    MOVIELENS_LICENCE,
    MovieLensError,
    find_movielens,
    load_movielens,
)

__all__ = [
    "MOVIELENS_CITATION",
    "MOVIELENS_LICENCE",
    "CinemaTruth",
    "Interactions",
    "MovieLensError",
    "Split",
    "find_movielens",
    "load_cinema",
    "load_davis",
    "load_interactions",
    "load_movielens",
]
