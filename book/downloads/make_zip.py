"""Pack the built book into one zip that opens from a disk: `make zip`."""

import re
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAME = "embeddings-for-recommender-systems"

READ_ME = """\
Embeddings for Recommender Systems

Unpack this zip, then open index.html in a browser. Nothing else is needed: no server, no network, no Python.
"""


def write_zip(html, path):
    """Pack a built book.

    Left out are the downloads, which would contain themselves, together with the links to them, and what only
    debuggers read.

    Parameters
    ----------
    html : Path
        The folder of the built book.
    path : Path
        Where the zip goes; its folder is made if it is missing. The same book gives the same bytes.

    Raises
    ------
    FileNotFoundError
        If there is no built book in `html`.
    """
    if not (html / "index.html").is_file():
        raise FileNotFoundError(f"expected a built book, received {html}, which has no index.html; run `make book`")
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr(zipfile.ZipInfo(f"{NAME}/READ-ME.txt"), READ_ME, zipfile.ZIP_DEFLATED)
        for file in sorted(html.rglob("*")):
            inside = file.relative_to(html)
            if not file.is_file() or inside.parts[0] == "downloads" or file.suffix == ".map" or file.name[0] == ".":
                continue
            content = file.read_bytes()
            if file.suffix == ".html":
                content = re.sub(rb'<ul class="book-downloads">.*?</ul>', b"", content, flags=re.DOTALL)
            # ZipInfo's own date, the first of 1980, instead of the day of the build
            archive.writestr(zipfile.ZipInfo(f"{NAME}/{inside.as_posix()}"), content, zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    write_zip(ROOT / "_build" / "html", ROOT / "_build" / "downloads" / f"{NAME}.zip")
