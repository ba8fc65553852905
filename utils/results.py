"""Results on real data, computed once, committed with their provenance, and quoted by the chapters.

MovieLens may not be on the machine that builds the book. So what a chapter says about it is computed by ``make
results`` into ``book/results/<name>.json``. Where the data are on the machine, the chapter computes a part again and
asserts that it agrees.
"""

import json
from datetime import date
from importlib.metadata import version
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "book" / "results"

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
        SHA-256 of its file.
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
