"""Collect from the exchange of a JupyterHub, and give feedback back through it.

The exchange of nbgrader is a folder on the hub's machine where every student can write. Its own collector follows
links: one that leads to the teacher's notebook would hand in the solution, since the teacher may read it. Where a
folder says that it is Ann's but belongs to Ben, it warns, and takes it. And one folder with an odd name stops it for
all.

With the settings of `assignments.tools.course.configuration`, the buttons of the Formgrader, ``nbgrader collect`` and
``nbgrader release_feedback`` use the two classes below instead.
"""

import os
import pwd
import re
import stat
from pathlib import Path

from nbgrader.exchange.default import ExchangeCollect, ExchangeReleaseFeedback
from nbgrader.utils import notebook_hash, parse_utc, temp_attrs

from assignments.tools.names import problem_of
from assignments.tools.submissions import MAX_BYTES, CorruptError, read_bytes

COLLECTED = "collected"

#: Files beside a submission: when it came, and what the name of its feedback is made of.
TIMESTAMP, SECRET = "timestamp.txt", "submission_secret.txt"


class CarefulCollect(ExchangeCollect):
    """Collects into ``collected/<student>/<name>/``, apart from ``submitted``, where `make grade` works."""

    def init_src(self):
        """Find the last submission of each student, among those that are what their names say."""
        super().init_src()
        self.src_records = [record for record in self.src_records if record["username"]]

    def _path_to_record(self, path):
        """Take a name apart: student, assignment, time and a random word, with + between them."""
        try:
            student, assignment, time, _ = Path(path).name.split("+")
            if assignment != self.coursedir.assignment_id:
                raise ValueError("it names another assignment")
            if problem := problem_of(student):
                raise ValueError(problem)
            if os.lstat(path).st_uid != pwd.getpwnam(student).pw_uid:
                raise ValueError("it belongs to somebody else than the student whom it names")
            return {"username": student, "filename": Path(path).name, "timestamp": parse_utc(time)}
        except (ValueError, OverflowError, KeyError, OSError) as error:
            self.log.error("Not collected: %s (%s)", path, error)
            return {"username": "", "filename": "", "timestamp": parse_utc("1970-01-01 00:00 UTC")}

    def copy_files(self):
        """Copy them; nbgrader's other commands, which may run in this process, keep their own folder."""
        with temp_attrs(self.coursedir, submitted_directory=COLLECTED):
            super().copy_files()

    def do_copy(self, src, dest, log=None):
        """Copy one submission."""
        name, student, time = Path(dest).name, Path(dest).parent.name, Path(src).name.split("+")[2]
        Path(dest).mkdir(parents=True)
        (Path(dest) / TIMESTAMP).write_text(time, encoding="utf-8")  # a student's file could hold anything
        try:
            copy_files(src, dest, [f"{name}.ipynb", SECRET], owner=pwd.getpwnam(student).pw_uid)
        except OSError as error:
            self.log.error("Nothing was found in %s: %s", src, error)


def copy_files(source, target, names, *, owner):
    """Copy files out of a folder that somebody else can change at any time.

    Parameters
    ----------
    source, target : path_like
        The folders.
    names : sequence of str
        The files to copy. Links, files of another owner, of more than `MAX_BYTES`, and what is no file, stay behind.
    owner : int
        The number of the user to whom the folder and the files must belong.

    Raises
    ------
    OSError
        If the source is a link, no folder, or somebody else's.
    """
    # By descriptors, not by paths: what was looked at is what is read, wherever its name leads a moment later.
    folder = os.open(source, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if os.fstat(folder).st_uid != owner:
            raise PermissionError("it belongs to somebody else than the student whom it names")
        for name in names:
            try:
                file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
            except OSError:
                continue
            with open(file, "rb") as opened:
                about = os.fstat(file)
                if stat.S_ISREG(about.st_mode) and about.st_uid == owner and about.st_size <= MAX_BYTES:
                    (Path(target) / name).write_bytes(opened.read(MAX_BYTES))
    finally:
        os.close(folder)


def handed_in(notebook):
    """Return when the exchange took a submission, as it says in ``timestamp.txt`` beside it, or an empty string."""
    try:
        text = read_bytes(Path(notebook).parent / TIMESTAMP)[:40].decode("utf-8", errors="replace").strip()
    except CorruptError:
        return ""
    return text if re.fullmatch(r"[0-9][-0-9:. ]+( UTC)?", text) else ""


class CarefulReleaseFeedback(ExchangeReleaseFeedback):
    """Gives the feedback of `make grade` to those who handed in through the exchange, and passes over all others."""

    def copy_files(self):
        """Copy each page to where its student's server looks for it: a name that only the two of them can know."""
        name = self.coursedir.assignment_id
        for folder in sorted(Path(self.coursedir.format_path(COLLECTED, "", name)).parent.glob(f"*/{name}")):
            student, secret = folder.parent.name, folder / SECRET
            page = Path(self.coursedir.format_path(self.coursedir.feedback_directory, student, name)) / f"{name}.html"
            try:
                word = b"" if problem_of(student) else read_bytes(secret).strip()
            except CorruptError:
                word = b""
            if not (page.is_file() and re.fullmatch(rb"[0-9a-f]{128}", word)):
                self.log.warning("No feedback for %s: not marked, or not handed in by the exchange", student)
                continue
            target = Path(self.dest_path) / f"{notebook_hash(secret=word.decode(), notebook_id=name)}.html"
            target.with_suffix(".tmp").write_bytes(page.read_bytes())
            target.with_suffix(".tmp").chmod(0o644)
            target.with_suffix(".tmp").replace(target)
            self.log.info("Feedback for %s: %s", student, target)
