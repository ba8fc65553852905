"""Checks that several modules need: each error says what was expected, what was received, and what to do."""

import numpy as np
from scipy.sparse import csr_array, issparse


def check_matrix(matrix, name, alpha=None):
    """Return a csr_array of its own; for implicit feedback (`alpha` is given) without zeros."""
    if not issparse(matrix):
        raise TypeError(f"expected {name} as a SciPy sparse matrix, received {type(matrix).__name__}; use csr_array")
    if matrix.ndim != 2:
        raise ValueError(f"expected {name} of shape (n_users, n_items), received {matrix.shape}; use one row a user")
    if matrix.dtype.kind not in "fiub":
        raise TypeError(f"expected {name} of real numbers, received {matrix.dtype}; convert them to float")
    entries = matrix.tocoo()
    values = entries.data.astype(np.float32 if matrix.dtype == np.float32 else np.float64)
    matrix = csr_array((values, entries.coords), shape=matrix.shape)  # adds what is stored twice
    refuse(~np.isfinite(matrix.data), matrix, f"finite {name}", "leave it out")
    if alpha is not None:
        check_number("alpha", alpha)
        advice = "its confidence 1 + alpha * r could be negative; leave it out"
        refuse(matrix.data < 0, matrix, f"{name} of 0 or more", advice)
        matrix.eliminate_zeros()
    return matrix


def refuse(is_bad, matrix, expected, advice):
    """Raise an error that names the first of the stored entries that are bad."""
    if is_bad.any():
        n = int(is_bad.argmax())
        row = int(np.searchsorted(matrix.indptr, n, side="right")) - 1
        raise ValueError(
            f"expected {expected}, received {matrix.data[n]} in row {row}, column {matrix.indices[n]}; {advice}"
        )


def check_pair(pair, matrix, n_factors=None):
    """Return copies of (user_factors, item_factors) that fit a matrix of shape (n_users, n_items)."""
    if len(pair) != 2:
        raise ValueError(f"expected init=(user_factors, item_factors), received {len(pair)} entries; give a pair")
    users = check_factors("user_factors", pair[0], matrix.shape[0], matrix.dtype, n_factors)
    return users, check_factors("item_factors", pair[1], matrix.shape[1], matrix.dtype, users.shape[1])


def check_factors(name, factors, n_rows, dtype, n_factors=None):
    """Return a copy of finite factors of shape (n_rows, n_factors); any number of factors if None."""
    factors = np.array(factors, dtype=dtype)  # a copy: what a caller gave is never modified
    is_table = factors.ndim == 2 and factors.shape[1] > 0
    if not is_table or factors.shape != (n_rows, n_factors or factors.shape[1]):
        expected = f"({n_rows}, {n_factors or 'n_factors'})"
        raise ValueError(f"expected {name} of shape {expected}, received {factors.shape}; use one row a vector")
    if not np.isfinite(factors).all():
        row = int(np.argmin(np.isfinite(factors).all(axis=1)))
        raise ValueError(f"expected finite {name}, received NaN or infinity in row {row}; fit them again")
    return factors


def check_whole(name, value, low):
    """Raise an error unless the value is a whole number of `low` or more."""
    if not isinstance(value, int | np.integer) or value < low:
        raise ValueError(f"expected {name} as a whole number of {low} or more, received {value!r}; choose another")


def check_number(name, value):
    """Raise an error unless the value is a finite number of 0 or more."""
    if not isinstance(value, int | float | np.integer | np.floating) or not 0 <= value < np.inf:
        raise ValueError(f"expected {name} as a number of 0 or more, received {value!r}; choose another")
