"""Results that are computed once, committed with their provenance, and quoted by the chapters.

MovieLens may not be on the machine that builds the book. So what a chapter says about it is computed by ``make
results`` into ``book/results/<name>.json``. Where the data are on the machine, the chapter computes a part again and
asserts that it agrees. Experiments on many simulated audiences, which would take a chapter minutes, are kept likewise:
the chapter computes one audience again, on every machine.
"""

import hashlib
import json
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parents[2] / "book" / "results"

PACKAGES = ("numpy", "scipy", "scikit-learn")


def save_result(name, values, *, data, checksum, packages=PACKAGES, folder=FOLDER):
    """Write a result with the date, the package versions and the checksum of the data.

    Parameters
    ----------
    name : str
        File name without ``.json``.
    values : dict
        The result, of numbers, strings, lists and dicts.
    data : str
        Name of the data set.
    checksum : str
        SHA-256 of its file, or for simulated data `hash_events`.
    packages : sequence of str, optional
        Packages whose versions belong to the result.
    folder : Path, optional
        Where to write.

    Raises
    ------
    TypeError
        If something in `values` is not a plain Python number, string, list or dict.
    ValueError
        If a number is NaN or infinite, which JSON has no word for.
    """
    record = {
        "data": data,
        "sha256": checksum,
        "date": date.today().isoformat(),
        "versions": {package: version(package) for package in packages},
        "values": values,
    }
    (Path(folder) / f"{name}.json").write_text(
        json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8"
    )


def load_result(name, *, folder=FOLDER):
    """Read a result that `save_result` wrote.

    Parameters
    ----------
    name : str
        File name without ``.json``.
    folder : Path, optional
        Where to look.

    Returns
    -------
    dict
        ``data``, ``sha256``, ``date``, ``versions`` and ``values``.

    Raises
    ------
    FileNotFoundError
        If there is no such result; the message lists those there are.

    Examples
    --------
    >>> load_result("data")["values"]["n_users"]
    610
    """
    path = Path(folder) / f"{name}.json"
    if not path.is_file():
        names = sorted(file.stem for file in Path(folder).glob("*.json"))
        raise FileNotFoundError(
            f"expected a result among {', '.join(names) or 'none yet'}, received {name!r}; `make results` computes them"
        )
    return json.loads(path.read_text(encoding="utf-8"))


def hash_events(data):
    """Return one checksum for the events of some data sets: that of simulated data, which have no file.

    Parameters
    ----------
    data : iterable of Interactions
        In an order that counts. Their labels and facts do not.

    Returns
    -------
    str
        SHA-256, 64 hexadecimal digits: of users, items, values and timestamps, column after column.

    Examples
    --------
    >>> from utils.data import Interactions
    >>> hash_events([Interactions.from_labels("ab", "xy", [3.0, 5.0])])[:12]
    'b07703694ce0'
    """
    digest = hashlib.sha256()
    for interactions in data:
        for name in ("users", "items", "values", "timestamps"):
            column = getattr(interactions, name)
            if column is not None:
                # float64 on every machine, where the bytes of other types might differ; seconds since 1970 fit in it
                digest.update(name.encode() + np.asarray(column, dtype="<f8").tobytes())
    return digest.hexdigest()
