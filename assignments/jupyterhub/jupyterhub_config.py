"""A JupyterHub for one class, on one machine. The page book/teaching.md says how to install and start it.

Students and the teacher are users of this machine, and each notebook server runs as its user. So the system keeps them
apart: what the teacher's home hides (the sources of the assignments with their solutions, the gradebook), no student
reads. nbgrader needs it, too: in its exchange a student is who owns the file.
"""

import json
import os
import pwd
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))
from assignments.tools.roster import read_roster  # noqa: E402 (needs the line above, and nothing but Python)

c = get_config()  # noqa: F821 (JupyterHub defines it)

# ---- What you may want to change; each can be set in the environment instead of here.

TEACHER = os.environ.get("BOOK_HUB_TEACHER") or pwd.getpwuid(HERE.stat().st_uid).pw_name  # who owns this clone
COURSE = Path(os.environ.get("BOOK_HUB_COURSE", HERE.parent / "course"))  # made by `make assignments`
FOLDER = Path(os.environ.get("BOOK_HUB_FOLDER", "/srv/book-hub"))  # what the hub writes, and the exchange
ADDRESS = os.environ.get("BOOK_HUB_ADDRESS", "http://127.0.0.1:8000")  # only this machine; see below
PROXY = os.environ.get("BOOK_HUB_PROXY", "configurable-http-proxy")

# ---- Who may log in: the teacher, and who stands in the list that `make grade` reads, too.

students = set()
if (COURSE / "students.csv").is_file():
    students, _ = read_roster(COURSE / "students.csv")
c.Authenticator.allowed_users = {TEACHER, *students}
c.Authenticator.admin_users = {TEACHER}
c.JupyterHub.authenticator_class = "pam"  # the passwords of this machine

# ---- The hub and its proxy. Passwords travel, so for other machines put TLS in front: a web server that forwards to
# this address, or c.JupyterHub.ssl_key and ssl_cert with an address of https://:443.

c.JupyterHub.bind_url = ADDRESS
c.ConfigurableHTTPProxy.command = [PROXY]
FOLDER.mkdir(parents=True, exist_ok=True)
FOLDER.chmod(0o711)  # its users pass through, and do not look around
state = FOLDER / "state"
state.mkdir(exist_ok=True)
state.chmod(0o700)  # keys and tokens
c.ConfigurableHTTPProxy.pid_file = str(state / "proxy.pid")
c.JupyterHub.db_url = f"sqlite:///{state / 'jupyterhub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(state / "cookie_secret")

# ---- The exchange. nbgrader asks for a root that everybody can write to. With the sticky bit, nobody can move the
# course in it away; and its folder is made now, since it would belong to whoever makes it first.

exchange = FOLDER / "exchange"
exchange.mkdir(exist_ok=True)
exchange.chmod(0o1777)
(exchange / "embeddings").mkdir(exist_ok=True)
shutil.chown(exchange / "embeddings", TEACHER)

# ---- Settings that each server reads. Students must not read this clone, so they are put where students can.

settings = {name: FOLDER / "etc" / name for name in ("everybody", "student")}
for path in settings.values():
    (path / "labconfig").mkdir(parents=True, exist_ok=True)
shutil.copy(HERE / "nbgrader_config.py", settings["everybody"])
# The teacher's tools would only confuse students; they would show them an empty course of their own.
for_teachers = ("formgrader", "course_list", "create_assignment")
servers = {f"nbgrader.server_extensions.{name}": False for name in ("formgrader", "course_list")}
pages = {f"@jupyter/nbgrader:{name.replace('_', '-')}": True for name in for_teachers}
(settings["student"] / "jupyter_server_config.json").write_text(
    json.dumps({"ServerApp": {"jpserver_extensions": servers}})
)
(settings["student"] / "labconfig" / "page_config.json").write_text(json.dumps({"disabledExtensions": pages}))


def add_settings(spawner):
    """Say which settings a user's server reads: the teacher's are those of the course, which set its folder."""
    own = COURSE if spawner.user.name == TEACHER else settings["student"]
    spawner.environment["JUPYTER_CONFIG_PATH"] = f"{own}{os.pathsep}{settings['everybody']}"
    spawner.environment["BOOK_HUB_EXCHANGE"] = str(exchange)


# ---- One notebook server for each user, from the environment that the hub itself runs in.

c.JupyterHub.spawner_class = "jupyterhub.spawner.LocalProcessSpawner"
c.Spawner.pre_spawn_hook = add_settings
c.Spawner.cmd = [str(Path(sys.prefix) / "bin" / "jupyterhub-singleuser")]
c.Spawner.default_url = "/lab"
c.Spawner.environment = {  # so that `nbgrader` is found in a terminal, and thirty students get along on one machine
    "PATH": f"{Path(sys.prefix) / 'bin'}{os.pathsep}/usr/local/bin:/usr/bin:/bin",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
