"""A class that hands in the small assignment in every way that was seen, and some that were thought of."""

import copy
import csv
import json
import os
import shutil
from socket import socket

from tests.assignments.commands import tools
from tests.assignments.test_sources import SOURCES
from tests.built_book import ROOT

RIGHT = {
    "task-1": "def add(a, b):\n    return a + b",
    "task-2": "def double(a):\n    return a + a",
    "task-3": "Because it is so.",
}

EQUAL_TO_EVERYTHING = """
class Anything(float):
    def __eq__(self, other):
        return True

    __hash__ = None


def add(a, b):
    return Anything()
"""

# Endless, and at rest: to wait for the limit costs the machine nothing.
LOOPS = """
import time


def double(a):
    while True:
        time.sleep(0.01)
"""

# It catches the interrupt that the cell's limit sends.
STUBBORN = """
import time


def double(a):
    while True:
        try:
            while True:
                time.sleep(0.01)
        except BaseException:
            pass
"""

# In its second answer: what the first one was tested with.
LEAK = """
print(In)
print(globals().get("secret_summand"))


def double(a):
    import inspect

    raise ValueError(inspect.getsource(inspect.currentframe().f_back.f_back))
"""

ATTACK = """
import json
import os
import socket
import sqlite3
from pathlib import Path

found = {{}}


def attempt(name, action):
    try:
        found[name] = repr(action())
    except BaseException as error:
        found[name] = f"refused: {{error!r}}"


def rob(path):
    with sqlite3.connect(f"file:{{path}}?mode=rw", uri=True) as gradebook:
        gradebook.execute("update grade set auto_score = 99")
    return "robbed"


course = Path({course!r})
attempt("read the teacher's notebook", lambda: (course / "source/mini/mini.ipynb").read_text())
attempt("read the source", lambda: Path({source!r}).read_text())
attempt("read its own notebook", lambda: [p.read_text() for p in Path(".").glob("*.ipynb")][0])
attempt("read what nbgrader made of it", lambda: (course / "autograded/attacker/mini/mini.ipynb").read_text())
attempt("read the work of others", lambda: (course / "submitted/good/mini/mini.ipynb").read_text())
attempt("write its own marks", lambda: rob(course / "gradebook.db"))
attempt("write outside", lambda: Path({outside!r}).write_text("was here"))
attempt("write at home", lambda: (Path.home().parent / "home/was-here").write_text("was here"))
attempt("write beside the notebook", lambda: Path("was-here").write_text("was here"))
attempt("write into the package", lambda: Path({package!r}).write_text("was here"))
attempt("call out", lambda: socket.create_connection(("127.0.0.1", {port}), timeout=2))
attempt("see other processes", lambda: [Path("/proc") / str({pid})][0].joinpath("cmdline").read_bytes())
attempt("start a shell at the teacher's", lambda: os.kill({pid}, 0))
print(json.dumps(found))


def add(a, b):
    return a + b
"""


def release(course, *names, sources=SOURCES):
    """Release assignments into a course."""
    done = tools("release", "--sources", sources, "--course", course, *names)
    assert done.returncode == 0, done.stderr
    return done


def copy_gradebook(gradebook, course):
    """Begin a course with a gradebook that is there already: for a new one, nbgrader takes two seconds."""
    course.mkdir()
    shutil.copy(gradebook, course / "gradebook.db")


def handed_out(course, name="mini"):
    """The students' notebook, as a dict."""
    return json.loads((course / "release" / name / f"{name}.ipynb").read_text(encoding="utf-8"))


def filled_in(notebook, answers):
    """A copy of a notebook with answers in it."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook["cells"]:
        if cell["id"] in answers:
            cell["source"] = answers[cell["id"]]
    return notebook


def rows_of(course):
    """(student) → row of the marks."""
    with open(course / "marks.csv", newline="", encoding="utf-8") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


class Classroom:
    """The folder of submissions, the course, and what came out."""

    def __init__(self, folder, gradebook, *, is_sandboxed=True):
        self.course, self.submissions, self.outside = folder / "course", folder / "submissions", folder / "was-here"
        self.is_sandboxed = is_sandboxed
        copy_gradebook(gradebook, self.course)
        release(self.course)
        self.release = handed_out(self.course)
        self.listener = socket()  # nobody may call here
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen()
        self.listener.setblocking(False)

    def hand_in(self, student, content, name="mini.ipynb"):
        """Write a file into a student's folder."""
        path = self.submissions / student / name
        path.parent.mkdir(parents=True, exist_ok=True)
        content = content if isinstance(content, bytes) else json.dumps(content).encode()
        path.write_bytes(content)

    def answer(self, student, **answers):
        """Hand a notebook in; answers are right unless they are given, as ``task_1=…``."""
        given = {name.replace("_", "-"): text for name, text in answers.items()}
        self.hand_in(student, filled_in(self.release, RIGHT | given))

    def hand_in_everything(self):
        """Let every student hand in."""
        self.answer("good")
        self.answer("partial", task_2="def double(a):\n    return a + 1")
        self.hand_in("untouched", self.release)
        self.hand_in("empty", b"")
        self.hand_in("corrupt", b'{"cells": [')
        self.hand_in("half-an-emoji", filled_in(self.release, RIGHT | {"task-2": "x = '\ud83d'"}))
        self.hand_in("marked-as-utf-8", b"\xef\xbb\xbf" + json.dumps(filled_in(self.release, RIGHT)).encode())
        below = filled_in(self.release, RIGHT | {"task-3": "YOUR ANSWER HERE"})
        below["cells"].append(
            {"cell_type": "markdown", "id": "below", "metadata": {}, "source": "Because <b>it</b> is so."}
        )
        self.hand_in("answers-below", below)
        self.hand_in("misnamed", filled_in(self.release, RIGHT), name="mini (1).ipynb")
        (self.submissions / "absent").mkdir()
        self.answer(
            "edits-tests",
            task_1="def add(a, b):\n    return a - b",
            **{
                "task-1-tests": "pass",
                "task-1-hidden": "pass",
                "setup": "def expect(*a):\n    pass\n\n\ncall = expect",
            },
        )
        without_tests = filled_in(self.release, RIGHT | {"task-1": "def add(a, b):\n    return a - b"})
        without_tests["cells"] = [
            c for c in without_tests["cells"] if "-tests" not in c["id"] and "hidden" not in c["id"]
        ]
        self.hand_in("deletes-tests", without_tests)
        stripped = filled_in(self.release, RIGHT)
        for number, cell in enumerate(stripped["cells"]):
            cell.update(id=f"cell-{number}", metadata={})
        self.hand_in("stripped", {**stripped, "metadata": {}})
        self.answer("loops", task_2=LOOPS)
        self.answer("stubborn", task_2=STUBBORN)
        self.answer("sys-exit", task_1="import sys\n\nsys.exit()")
        self.answer("os-exit", task_2="import os\n\nos._exit(0)")
        self.answer("syntax-error", task_2="def double(a)\n    return 2 * a")
        self.answer("equal", task_1=EQUAL_TO_EVERYTHING)
        self.answer("warns", task_1="import warnings\n\n\ndef add(a, b):\n    warnings.warn('slow')\n    return a + b")
        self.answer("leaks", task_2=LEAK, task_3="<script>alert(1)</script> <img src='https://example.org/x.png'>")
        if self.is_sandboxed:
            attack = ATTACK.format(
                course=str(self.course),
                source=str(SOURCES / "mini.md"),
                outside=str(self.outside),
                package=str(ROOT / "utils" / "was_here.py"),
                port=self.listener.getsockname()[1],
                pid=os.getpid(),
            )
            self.answer("attacker", task_1=attack)

    def mark(self, *options):
        """Mark everybody, and keep what the command said."""
        options = options if self.is_sandboxed else (*options, "--no-sandbox")
        self.done = tools("grade", self.submissions, "--course", self.course, *options)
        assert self.done.returncode == 0, self.done.stderr
        self.rows = rows_of(self.course)

    def autograded(self, student):
        """The notebook of a student as nbgrader ran it: cell → (source, outputs)."""
        path = self.course / "autograded" / student / "mini" / "mini.ipynb"
        return {c["id"]: ("".join(c["source"]), c.get("outputs")) for c in json.loads(path.read_text())["cells"]}

    def feedback(self, student):
        """The HTML that a student gets back."""
        return (self.course / "feedback" / student / "mini" / "mini.html").read_text(encoding="utf-8")

    def was_called(self):
        """Whether anybody connected to the listener."""
        try:
            self.listener.accept()
        except BlockingIOError:
            return False
        return True
