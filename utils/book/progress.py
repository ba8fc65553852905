"""The progress bar of everything that may take longer than a few seconds."""

from tqdm import tqdm


def progress_bar(iterable=None, *, show=True, **options):
    """Return a bar of tqdm that appears after two seconds and leaves nothing behind.

    Parameters
    ----------
    iterable : iterable, optional
        What the bar counts. Without it, give `total` and call ``update``.
    show : bool, optional
        False for silence. If True, the environment variable TQDM_DISABLE decides, which the book's build sets; tqdm
        itself would not look at it once it is told ``disable=False``.
    **options
        For tqdm: ``desc``, ``unit``, ``total``, …

    Returns
    -------
    tqdm.tqdm
    """
    silence = {} if show else {"disable": True}
    return tqdm(iterable, **{"delay": 2, "leave": False} | options | silence)
