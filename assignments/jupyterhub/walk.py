"""Start the hub and walk through an assignment as a teacher and a student would, by the buttons that they press.

    sudo /opt/book-hub/bin/python assignments/jupyterhub/walk.py --make-users

It needs the hub's environment and its proxy, and root, since a hub for users of a machine does. For the time of the
walk it adds users of its own to the machine, whose names begin with ``bookwalk-``; hence the option. It changes nothing
else, and takes away what it made. It says what was walked; a step that fails ends it with an error.
"""

import argparse
import copy
import csv
import json
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parents[2]
TEACHER, ANN, BEN, ZOE = (f"bookwalk-{name}" for name in ("teacher", "ann", "ben", "zoe"))
PASSWORD = secrets.token_hex(16)
NAME = "similarity"

CONFIG = """\
load_subconfig({config!r})
c.JupyterHub.services = [{{"name": "walk", "api_token": {token!r}}}]
c.JupyterHub.load_roles = [
    {{"name": "walk", "services": ["walk"], "scopes": ["admin:users", "admin:servers", "access:servers"]}}
]
c.JupyterHub.hub_port = {hub_port}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{proxy_port}"
"""


def say(text):
    """Say what was walked."""
    print(f"- {text}", flush=True)


def check(is_so, text):
    """Say it, or end the walk."""
    if not is_so:
        raise SystemExit(f"FAILED: {text}")
    say(text)


def as_user(user, *command, folder=None, is_checked=True):
    """Run a command as a user of this machine; return the finished process."""
    home = pwd.getpwnam(user).pw_dir
    environment = {"HOME": home, "PATH": os.environ["PATH"], "USER": user, "LANG": "C.UTF-8"}
    done = subprocess.run(
        [str(word) for word in command],
        user=user,
        group=pwd.getpwnam(user).pw_gid,
        extra_groups=[],
        cwd=folder or home,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if is_checked and done.returncode:
        raise SystemExit(f"FAILED: {command}\n{done.stdout}\n{done.stderr}")
    return done


@contextmanager
def users(*names):
    """Add users to the machine, and remove them with their homes."""
    made = []
    try:
        for name in names:
            subprocess.run(["useradd", "--create-home", "--shell", "/bin/sh", name], check=True)
            made.append(name)
            subprocess.run(["chpasswd"], input=f"{name}:{PASSWORD}", text=True, check=True)
            os.chmod(pwd.getpwnam(name).pw_dir, 0o700)
        yield
    finally:
        for name in made:
            subprocess.run(["userdel", "--remove", name], check=False, stderr=subprocess.DEVNULL)


def make_course():
    """Give the teacher a clone of the book, in a home that nobody else reads, and a course made from it; return it."""
    clone = Path(pwd.getpwnam(TEACHER).pw_dir) / "book"
    for folder in ("assignments", "utils"):
        ignored = shutil.ignore_patterns("__pycache__", "course")
        shutil.copytree(ROOT / folder, clone / folder, ignore=ignored)
    subprocess.run(["chown", "-R", f"{TEACHER}:", clone], check=True)
    as_user(TEACHER, sys.executable, "-W", "ignore", "-m", "assignments.tools", "release", NAME, folder=clone)
    course = clone / "assignments" / "course"
    (course / "students.csv").write_text(f"student\n{ANN}\n{BEN}\n")
    shutil.chown(course / "students.csv", TEACHER)
    return course


def free_ports(number):
    """Return ports of this machine that nobody uses."""
    found = [socket.socket() for _ in range(number)]
    for one in found:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in found]
    for one in found:
        one.close()
    return ports


class Hub:
    """The hub, and what its users ask of it."""

    def __init__(self, folder, course, proxy):
        self.folder, self.token = Path(folder), secrets.token_hex(16)
        port, hub_port, proxy_port = free_ports(3)
        self.address = f"http://127.0.0.1:{port}"
        config = str(course.parent / "jupyterhub" / "jupyterhub_config.py")
        text = CONFIG.format(config=config, token=self.token, hub_port=hub_port, proxy_port=proxy_port)
        (self.folder / "config.py").write_text(text)
        settings = {
            "BOOK_HUB_FOLDER": str(self.folder / "hub"),
            "BOOK_HUB_ADDRESS": self.address,
            "BOOK_HUB_PROXY": proxy,
        }
        self.log = open(self.folder / "log.txt", "w")  # noqa: SIM115 (closed in `stop`)
        self.process = subprocess.Popen(
            [Path(sys.executable).parent / "jupyterhub", "--config", self.folder / "config.py"],
            env={**os.environ, **settings},
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        self.wait(lambda: self.ask("GET", "/hub/api/").status_code == 200, "the hub answers")

    def ask(self, method, path, **content):
        """Send a request through the proxy, and return the answer."""
        return requests.request(
            method,
            self.address + path,
            headers={"Authorization": f"token {self.token}"},
            timeout=120,
            allow_redirects=False,
            **content,
        )

    def wait(self, is_ready, text):
        """Wait for something for at most a minute."""
        end = time.monotonic() + 60
        while time.monotonic() < end and self.process.poll() is None:
            try:
                if is_ready():
                    return say(text)
            except requests.ConnectionError:
                pass
            time.sleep(0.3)
        raise SystemExit(f"FAILED: {text}\n{(self.folder / 'log.txt').read_text()[-4000:]}")

    def can_log_in(self, user, password=PASSWORD):
        """Return whether the form takes a user with a password."""
        session = requests.Session()
        session.get(f"{self.address}/hub/login", timeout=60)
        fields = {"username": user, "password": password, "_xsrf": session.cookies["_xsrf"]}
        answer = session.post(f"{self.address}/hub/login", data=fields, timeout=60, allow_redirects=False)
        return answer.status_code == 302

    def start_server(self, user):
        """Let a user come in."""
        self.ask("POST", f"/hub/api/users/{user}")
        self.ask("POST", f"/hub/api/users/{user}/server")
        self.wait(lambda: self.ask("GET", f"/user/{user}/api/status").status_code == 200, f"the server of {user} runs")

    def press(self, user, button, **content):
        """Press a button of nbgrader's; return what it says."""
        answer = self.ask("POST", f"/user/{user}/{button}", **content)
        check(answer.status_code == 200 and answer.json().get("success"), f"{user}: {button}")
        return answer.json()

    def stop(self):
        """End the hub, which ends its proxy and the servers of its users."""
        for user in (TEACHER, ANN):
            self.ask("DELETE", f"/hub/api/users/{user}/server")
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.log.close()


def walk(hub, course):
    """Walk from the release to the feedback."""
    exchange, this = hub.folder / "hub" / "exchange", {"assignment_id": NAME, "course_id": "embeddings"}
    home = {user: Path(pwd.getpwnam(user).pw_dir) for user in (TEACHER, ANN, BEN)}
    clone = course.parents[1]

    for user in (TEACHER, ANN, BEN):
        check(hub.can_log_in(user), f"{user} logs in")
    check(not hub.can_log_in(ANN, "a guess"), f"{ANN} needs the right password")
    check(not hub.can_log_in(ZOE), f"{ZOE}, who is not in the list, stays outside")

    hub.start_server(TEACHER)
    hub.press(TEACHER, f"formgrader/api/assignment/{NAME}/release")
    hub.start_server(ANN)
    listed = hub.ask("GET", f"/user/{ANN}/assignments?course_id=embeddings").json()["value"]
    check([(row["assignment_id"], row["status"]) for row in listed] == [(NAME, "released")], f"{ANN} sees {NAME}")
    hub.press(ANN, "assignments/fetch", json=this)
    fetched = (home[ANN] / NAME / f"{NAME}.ipynb").read_text(encoding="utf-8")
    check("BEGIN HIDDEN" not in fetched and "BEGIN SOLUTION" not in fetched, f"{ANN} got no solution, no hidden test")
    check(hub.ask("GET", f"/user/{ANN}/formgrader").status_code == 404, f"{ANN} has no Formgrader")
    menus = {user: hub.ask("GET", f"/user/{user}/lab").text for user in (TEACHER, ANN)}  # they name what is left out
    left_out = {user: "@jupyter/nbgrader:formgrader" in menus[user] for user in menus}
    check(left_out == {TEACHER: False, ANN: True}, f"{TEACHER}, not {ANN}, has it in the menu")
    source = course / "source" / NAME / f"{NAME}.ipynb"
    check(as_user(ANN, "cat", source, is_checked=False).returncode != 0, f"{ANN} cannot read the teacher's folder")

    path = f"/user/{ANN}/api/contents/{NAME}/{NAME}.ipynb"
    notebook = solved(hub.ask("GET", path).json()["content"], json.loads(source.read_text(encoding="utf-8")))
    saved = hub.ask("PUT", path, json={"type": "notebook", "content": notebook})
    check(saved.status_code == 200, f"{ANN} answers, and saves")
    hub.press(ANN, "assignments/submit", json=this)
    # Ben hands in under Ann's name, and, under his own, a link to the teacher's notebook
    inbound = exchange / "embeddings" / "inbound"
    for student in (ANN, BEN):
        folder = inbound / f"{student}+{NAME}+2999-01-01 00:00:00.000000 UTC+0123456789ab"
        as_user(BEN, "mkdir", folder)
        as_user(BEN, "ln", "-s", source, folder / f"{NAME}.ipynb")
    as_user(BEN, "mkdir", inbound / f"{BEN}+{NAME}+nonsense")
    check(as_user(BEN, "ls", inbound, is_checked=False).returncode != 0, f"{BEN} does not see who handed in")
    moved = as_user(BEN, "mv", exchange / "embeddings", exchange / "gone", is_checked=False)
    check(moved.returncode != 0, f"{BEN} cannot move the course away")

    hub.press(TEACHER, f"formgrader/api/assignment/{NAME}/collect")
    collected = sorted(str(p.relative_to(course)) for p in course.glob("collected/*/*/*.ipynb"))
    check(collected == [f"collected/{ANN}/{NAME}/{NAME}.ipynb"], f"collected: {ANN}'s notebook, and no link")
    done = as_user(
        TEACHER,
        sys.executable,
        "-m",
        "assignments.tools",
        "grade",
        course / "collected",
        folder=clone,
        is_checked=False,
    )
    check(done.returncode == 0, f"marked in the sandbox {done.stderr[-2000:] if done.returncode else ''}")
    with open(course / "marks.csv", newline="", encoding="utf-8") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    row = rows[ANN]
    check(row["automatic"] == row["automatic_max"] != "", f"{ANN}: {row['automatic']} of {row['automatic_max']} points")
    check(row["handed_in"].startswith("20"), f"{ANN} handed in at {row['handed_in']}")
    check(rows[BEN]["status"] == "missing", f"{BEN}: {rows[BEN]['status']}")
    students = {row["id"] for row in hub.ask("GET", f"/user/{TEACHER}/formgrader/api/students").json()}
    check(ANN in students, f"the Formgrader knows {ANN}")
    hub.press(TEACHER, f"formgrader/api/assignment/{NAME}/release_feedback")
    hub.press(ANN, "assignments/fetch_feedback", json=this)
    pages = list((home[ANN] / NAME / "feedback").rglob(f"{NAME}.html"))
    check(len(pages) == 1 and "points</h1>" in pages[0].read_text(encoding="utf-8"), f"{ANN} reads the feedback")


def solved(notebook, source):
    """Return a student's notebook with the answers of the teacher's."""
    answers = {cell["id"]: cell["source"] for cell in source["cells"]}
    notebook = copy.deepcopy(notebook)
    for cell in notebook["cells"]:
        marks = cell["metadata"].get("nbgrader", {})
        if marks.get("solution") and not marks.get("grade"):
            cell["source"] = answers[cell["id"]]
    return notebook


def main():
    """Walk."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--make-users", action="store_true", help="agree that users are added, for the time of the walk"
    )
    parser.add_argument("--proxy", default="configurable-http-proxy", help="the proxy's command (default: %(default)s)")
    given = parser.parse_args()
    if not given.make_users or os.getuid() != 0:
        parser.error("it has to run as root, and with --make-users")
    with tempfile.TemporaryDirectory() as folder, users(TEACHER, ANN, BEN, ZOE):
        os.chmod(folder, 0o711)
        course = make_course()
        hub = Hub(folder, course, given.proxy)
        try:
            walk(hub, course)
        except BaseException:
            print((Path(folder) / "log.txt").read_text()[-6000:], file=sys.stderr)
            raise
        finally:
            hub.stop()
    print("walked: release, fetch, submit, collect, grade, feedback")


if __name__ == "__main__":
    main()
