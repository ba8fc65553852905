"""The interactive experiments of the book: one widget is one class here and one front end beside it.

Each front end is an ES module of the same stem, ``<slug>.mjs``. It draws the widget in a notebook with a kernel,
through anywidget, and in the built page without one.
"""

from utils.widgets.als import HalfStepper
from utils.widgets.averaging import ConsistencyLaboratory
from utils.widgets.base import BookWidget, bundle
from utils.widgets.embeddings import EmbeddingMap
from utils.widgets.feature_sums import FeatureSums
from utils.widgets.item2vec import SessionPairs
from utils.widgets.matrix_factorization import FactorExplorer
from utils.widgets.negative_sampling import NoiseExplorer
from utils.widgets.similarity import SimilarityExplorer

__all__ = [
    "BookWidget",
    "ConsistencyLaboratory",
    "EmbeddingMap",
    "FactorExplorer",
    "FeatureSums",
    "HalfStepper",
    "NoiseExplorer",
    "SessionPairs",
    "SimilarityExplorer",
    "bundle",
]
