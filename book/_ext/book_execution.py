"""Execute the notebooks of the book: in parallel, cached, reproducible.

MyST-NB would run one notebook after the other while it reads them. This extension runs those that are not in the
cache beforehand, one kernel a core, so that MyST-NB finds every result already there.

The cache is keyed on everything that a cell's output depends on besides its own source: the code of ``utils``, the
data, the pinned packages and the Python version. When one of them changes, all notebooks run again; when a chapter
changes, that chapter does.
"""

import asyncio
import hashlib
import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.executors.utils import single_nb_execution
from myst_nb.core.read import create_nb_reader
from sphinx.errors import ExtensionError
from tqdm import tqdm

ROOT = Path(__file__).resolve().parents[2]

# The one place where threads and hash seeds are set: kernels inherit them. One thread a kernel makes sums come out
# in the same order in every build, and the cores are kept busy by running several notebooks at a time.
KERNEL_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "TQDM_DISABLE": "1",  # a progress bar is for somebody who waits, not for a printed page
    "BOOK_STATIC_WIDGETS": "1",  # widgets write themselves into the page instead of opening a channel to a kernel
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # or debugpy writes a warning into the log of every kernel
}


def execution_key(root=ROOT):
    """Hash all that decides the outputs of a cell, other than the cell itself.

    Parameters
    ----------
    root : Path
        The folder that holds ``utils``, ``requirements.txt`` and ``book/results``.

    Returns
    -------
    str
        Twelve hexadecimal digits.
    """
    sources = [
        root / "requirements.txt",
        *(root / "utils").rglob("*"),
        *(root / "book" / "results").rglob("*.json"),
    ]
    # A front end is read by the page, not by the cells: an edit of it must not execute anything.
    files = sorted(f for f in sources if f.is_file() and f.suffix in {".py", ".csv", ".txt", ".json"})
    digest = hashlib.sha256(sys.version.encode())
    for file in files:
        digest.update(f"{file.relative_to(root)}\0".encode() + file.read_bytes() + b"\0")
    downloads = os.environ.get("MOVIELENS_DIR")  # chapters show more where real data are on the machine
    for file in sorted(Path(downloads).rglob("ml-*.zip")) if downloads else []:
        digest.update(f"{file.name} {file.stat().st_size}\0".encode())
    return digest.hexdigest()[:12]


def prepare(app, config):
    """Set the kernels' environment and choose the cache that fits today's code."""
    os.environ.update(KERNEL_ENVIRONMENT)
    config["book_execution_key"] = execution_key()
    caches = Path(app.outdir).parent
    current = caches / f".jupyter_cache-{config['book_execution_key']}"
    for stale in caches.glob(".jupyter_cache-*"):
        if stale != current:
            shutil.rmtree(stale)
    config["nb_execution_cache_path"] = str(current)


def read_notebook(app, docname):
    """Return a page's notebook as MyST-NB reads it, or None if the page has no cells."""
    path = app.env.doc2path(docname)
    reader = create_nb_reader(path, app.env.myst_config, app.env.mystnb_config, Path(path).read_text(encoding="utf-8"))
    return reader and reader.read(Path(path).read_text(encoding="utf-8"))


def execute(notebook, path, timeout):
    """Run one notebook in its own folder and kernel; give back MyST-NB's record of the run."""
    # nbclient talks to its kernel through an event loop, and a worker thread has none of its own.
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    # A kernel on this machine need not warn, for every page, that its channels on the loopback are not encrypted.
    quiet = ["--IPKernelApp.log_level=ERROR"]
    try:
        return single_nb_execution(
            notebook, cwd=str(path.parent), timeout=timeout, allow_errors=False, extra_arguments=quiet
        )
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def execute_missing(app, env, docnames):
    """Run, over all cores, the notebooks among `docnames` that the cache does not hold."""
    if app.config.nb_execution_mode != "cache":
        return
    cache = get_cache(app.config.nb_execution_cache_path)
    missing = {}
    for docname in docnames:
        notebook = read_notebook(app, docname)
        if notebook is not None:
            try:
                cache.match_cache_notebook(notebook)
            except KeyError:
                missing[docname] = notebook
    if not missing:
        return

    failures = []
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        runs = {
            pool.submit(execute, notebook, Path(env.doc2path(docname)), app.config.nb_execution_timeout): docname
            for docname, notebook in missing.items()
        }
        bar = tqdm(as_completed(runs), total=len(runs), desc="executing", unit="page", disable=False)
        for run in bar:
            docname, result = runs[run], run.result()
            bar.set_postfix_str(docname)
            if result.err is not None:
                failures.append(f"{docname}\n{result.exc_string}")
                continue
            bundle = CacheBundleIn(result.nb, env.doc2path(docname), data={"execution_seconds": result.time})
            cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
    if failures:
        raise ExtensionError(f"{len(failures)} page(s) with a failing cell:\n\n" + "\n".join(failures))


def setup(app):
    """Register with Sphinx."""
    app.add_config_value("book_execution_key", "", "env", [str])
    app.connect("config-inited", prepare, priority=900)
    app.connect("env-before-read-docs", execute_missing)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
