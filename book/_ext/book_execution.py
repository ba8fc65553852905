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
import re
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from myst_nb.core.read import create_nb_reader
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal
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


def peak_memory(pid):
    """Return the most memory that a process has held so far.

    Parameters
    ----------
    pid : int
        Its id.

    Returns
    -------
    int or None
        Bytes of resident memory. None where the system keeps no such record for other processes: only Linux does.
    """
    status = Path(f"/proc/{pid}/status")
    if not status.is_file():
        return None
    return 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1])


def execute(notebook, path, timeout, n_tries=2):
    """Run a notebook in a kernel of its own, in the folder of its source.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        Gets the outputs.
    path : Path
        Its source.
    timeout : float
        How long one cell may take, in seconds.
    n_tries : int, optional
        How many kernels may be started until one answers.

    Returns
    -------
    dict
        ``execution_seconds`` and ``peak_bytes`` (`peak_memory` of the kernel), as the cache keeps them.

    Raises
    ------
    nbclient.exceptions.CellExecutionError, nbclient.exceptions.CellTimeoutError
        If a cell fails or takes too long; the message shows the cell.
    """
    data = {"peak_bytes": None}
    n_begun = 0

    def note_begin(**cell):
        nonlocal n_begun
        n_begun += 1

    def note_memory(**cell):
        data["peak_bytes"] = peak_memory(client.km.provisioner.pid)

    client = NotebookClient(
        notebook,
        timeout=timeout,
        startup_timeout=120,  # seconds; a busy machine may take long to import IPython
        on_cell_execute=note_begin,
        record_timing=False,  # times would stand in the cells' metadata, and these are part of the cache's key
        coalesce_streams=True,  # else it depends on timing whether a printed line arrives in one piece or in two
        resources={"metadata": {"path": str(path.parent)}},
        # A kernel on this machine need not warn, for every page, that its channels on the loopback are not encrypted.
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        on_cell_executed=note_memory,  # at the end of the notebook, the kernel is gone already
    )
    begin = time.perf_counter()
    try:
        asyncio.run(client.async_execute())  # in a loop of its own, since a worker thread has none
    except RuntimeError:
        if n_begun or n_tries == 1:
            raise
        # No cell has begun, so nothing can be wrong with the page: a kernel that starts beside others may find its port
        # taken, and then never answers. A second one gets other ports.
        return execute(notebook, path, timeout, n_tries - 1)
    return {"execution_seconds": time.perf_counter() - begin, **data}


def find_record(app, docname):
    """Return the cache's record of a page's run, or None if the page has no cells."""
    notebook = read_notebook(app, docname)
    return notebook and get_cache(app.config.nb_execution_cache_path).match_cache_notebook(notebook)


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
            docname = runs[run]
            bar.set_postfix_str(docname)
            try:
                data = run.result()
            except CellControlSignal as error:  # nbclient's base of "the cell failed" and "the cell took too long"
                failures.append(f"{docname}\n{error}")
                continue
            bundle = CacheBundleIn(missing[docname], env.doc2path(docname), data=data)
            cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
    if failures:
        raise ExtensionError(f"{len(failures)} page(s) with a failing cell:\n\n" + "\n".join(failures))


def setup(app):
    """Register with Sphinx."""
    app.add_config_value("book_execution_key", "", "env", [str])
    app.connect("config-inited", prepare, priority=900)
    app.connect("env-before-read-docs", execute_missing)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
