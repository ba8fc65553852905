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
    if not hasattr(pair, "__len__") or len(pair) != 2:
        received = f"{len(pair)} entries" if hasattr(pair, "__len__") else type(pair).__name__
        raise ValueError(f"expected init=(user_factors, item_factors), received {received}; give a pair")
    users = check_factors("user_factors", pair[0], matrix.shape[0], matrix.dtype, n_factors)
    return users, check_factors("item_factors", pair[1], matrix.shape[1], matrix.dtype, users.shape[1])


def check_factors(name, factors, n_rows, dtype, n_factors=None):
    """Return a copy of finite factors of shape (n_rows, n_factors); any number of factors from 1 on if None."""
    factors = check_floats(name, factors, (n_rows, "n_factors" if n_factors is None else n_factors))
    if n_factors is None and not factors.shape[1]:
        raise ValueError(
            f"expected {name} of shape ({n_rows}, n_factors), received {factors.shape}; give them a factor"
        )
    return np.array(factors, dtype=dtype)  # a copy: what a caller gave is never modified


def check_whole(name, value, low, high=None):
    """Raise an error unless the value is a whole number of `low` or more, and of `high` at most; True is none."""
    is_whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not is_whole or value < low or (high is not None and value > high):
        limits = f"of {low} or more" if high is None else f"from {low} to {high}"
        raise ValueError(f"expected {name} as a whole number {limits}, received {value!r}; choose another")


def check_number(name, value):
    """Raise an error unless the value is a finite number of 0 or more; True is none."""
    is_number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not is_number or not 0 <= value < np.inf:
        raise ValueError(f"expected {name} as a number of 0 or more, received {value!r}; choose another")


def check_rng(rng):
    """Raise an error unless `rng` is a generator of NumPy."""
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"expected rng as a numpy Generator, received {rng!r}; use np.random.default_rng(0)")


def check_choice(name, value, choices):
    """Raise an error unless the value is one of the choices."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"expected {name} among {', '.join(map(repr, choices))}, received {value!r}; choose one")


def check_indices(name, indices, n, n_dimensions=1, advice="the model was fitted with no others"):
    """Return indices from 0 to n - 1 as int64; refuse booleans, fractions, and what NumPy would count from the end.

    Parameters
    ----------
    name : str
        What they are called in an error, in the plural.
    indices : array_like, int
        Any array of `n_dimensions`, or of any number of them if that is None.
    n : int or None
        How many there are; None if any number of 0 or more will do.
    n_dimensions : int or None, optional
    advice : str, optional
        What an error says of an index that is not below n.

    Returns
    -------
    ndarray of the same shape, int64
    """
    indices = np.asarray(indices)
    if indices.dtype.kind not in "iu" and indices.size:
        remedy = "np.flatnonzero(mask) makes some of a mask" if indices.dtype.kind == "b" else "use whole numbers"
        raise TypeError(f"expected {name} as indices, received {indices.dtype}; {remedy}")
    if n_dimensions is not None and indices.ndim != n_dimensions:
        raise ValueError(
            f"expected {name} as an array of {n_dimensions} dimension{'s' * (n_dimensions > 1)}, received shape "
            f"{indices.shape}; a single index goes in a list"
        )
    if not indices.size:
        return np.zeros(indices.shape, dtype=np.int64)
    is_bad = (indices < 0) | (indices >= (np.iinfo(np.int64).max if n is None else n))
    if is_bad.any():
        limit, advice = ("", "count from 0") if n is None else (f" and below {n}", advice)
        raise ValueError(f"expected {name} of 0 or more{limit}, received {indices[is_bad][0]}; {advice}")
    return indices.astype(np.int64)


def check_vectors(name, vectors):
    """Return finite real vectors of shape (n, n_factors), neither of them 0, as float32 or float64."""
    vectors = np.asarray(vectors)
    if vectors.ndim != 2 or 0 in vectors.shape or vectors.dtype.kind not in "fiub":
        raise ValueError(
            f"expected {name} as real numbers of shape (n_{name}, n_factors), received {vectors.dtype} of shape "
            f"{vectors.shape}; use one row a vector"
        )
    return check_floats(name, vectors)


def check_floats(name, array, shape=None):
    """Return finite real numbers as float32 or float64: products of small integers would leave the range of their type.

    Parameters
    ----------
    name : str
        What they are called in an error, in the plural.
    array : array_like
        Copied only if its type has to change.
    shape : tuple of int or str, optional
        What is expected; a str names a length that can be any.

    Returns
    -------
    ndarray of the same shape, float32 if the array is float32, else float64
    """
    array = np.asarray(array)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"expected {name} of real numbers, received {array.dtype}; convert them to float")
    if shape is not None and not _has_shape(array, shape):
        wanted = ", ".join(map(str, shape)) + "," * (len(shape) == 1)
        advice = "use one row a vector" if len(shape) == 2 else "give one number for each vector"
        raise ValueError(f"expected {name} of shape ({wanted}), received {array.shape}; {advice}")
    if not np.isfinite(array).all():
        row = int(np.argwhere(~np.isfinite(array))[0][0])
        raise ValueError(f"expected finite {name}, received NaN or infinity in row {row}; leave it out, or fit again")
    return array.astype(np.float32 if array.dtype == np.float32 else np.float64, copy=False)


def _has_shape(array, shape):
    return array.ndim == len(shape) and all(isinstance(m, str) or n == m for n, m in zip(array.shape, shape))


def check_rate(learning_rate, usual):
    """Raise an error unless the learning rate is a finite number above 0; `usual` is one to start from."""
    check_number("learning_rate", learning_rate)
    if learning_rate == 0:
        raise ValueError(f"expected a learning_rate above 0, received 0; {usual:g} is a start")


def refuse_divergence(loss, limit, arrays, epoch, learning_rate):
    """Raise an error that names the remedy if a fit has left all bounds.

    Parameters
    ----------
    loss : float
        Of this epoch.
    limit : float
        A loss so large that nothing can have been learned.
    arrays : iterable of ndarray
        What the fit changes.
    epoch : int
        The first is 1.
    learning_rate : float
    """
    if not loss <= limit or not all(np.isfinite(array).all() for array in arrays):  # NaN is not below any limit
        raise ValueError(
            f"expected a learning_rate at which the loss does not explode, received {learning_rate:g}: the loss was "
            f"{loss:.3g} in epoch {epoch}; try a tenth of it"
        )
