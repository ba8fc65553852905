"""The hub's settings; and, where somebody asks for it, a walk through a hub that runs."""

import csv
import getpass
import json
import os
import stat
import subprocess
from types import SimpleNamespace

import pytest
from traitlets.config import PyFileConfigLoader

from assignments.tools.roster import RosterError
from tests.built_book import ROOT

HUB = ROOT / "assignments" / "jupyterhub"


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """The settings as JupyterHub would read them, for a class of two."""
    course = tmp_path / "course"
    course.mkdir()
    with open(course / "students.csv", "w", newline="") as file:
        csv.writer(file).writerows([["student", "name"], ["ann", "Ann"], ["ben", "Ben"]])
    for name, value in (("FOLDER", tmp_path / "hub"), ("COURSE", course), ("TEACHER", getpass.getuser())):
        monkeypatch.setenv(f"BOOK_HUB_{name}", str(value))

    def load():
        return PyFileConfigLoader("jupyterhub_config.py", path=str(HUB)).load_config()

    return SimpleNamespace(load=load, folder=tmp_path / "hub", course=course)


def test_hub_lets_in_the_teacher_and_the_list_of_students(hub):
    authenticator = hub.load().Authenticator
    assert authenticator.allowed_users == {getpass.getuser(), "ann", "ben"}
    assert authenticator.admin_users == {getpass.getuser()}


def test_hub_reads_the_list_as_the_tools_do(hub):
    (hub.course / "students.csv").write_bytes("student;name\nann;Zoë\n".encode("latin-1"))
    assert hub.load().Authenticator.allowed_users == {getpass.getuser(), "ann"}
    (hub.course / "students.csv").write_text("student\n../evil\n")
    with pytest.raises(RosterError, match="line 2: expected letters a to z"):
        hub.load()


def test_hub_asks_for_the_passwords_of_the_machine(hub):
    assert hub.load().JupyterHub.authenticator_class == "pam"


def test_hub_is_not_reached_from_other_machines_unless_somebody_says_so(hub):
    assert hub.load().JupyterHub.bind_url == "http://127.0.0.1:8000"


def test_hub_makes_an_exchange_in_which_the_course_stays_where_it_is(hub):
    hub.load()
    exchange = hub.folder / "exchange"
    assert stat.S_IMODE(exchange.stat().st_mode) == 0o1777
    assert stat.S_IMODE((exchange / "embeddings").stat().st_mode) & 0o022 == 0


def test_hub_keeps_its_keys_to_itself(hub):
    config = hub.load()
    assert stat.S_IMODE((hub.folder / "state").stat().st_mode) == 0o700
    for path in (config.JupyterHub.db_url, config.JupyterHub.cookie_secret_file, config.ConfigurableHTTPProxy.pid_file):
        assert str(hub.folder / "state") in path


def test_students_servers_have_no_formgrader(hub):
    spawner = SimpleNamespace(user=SimpleNamespace(name="ann"), environment={})
    hub.load().Spawner.pre_spawn_hook(spawner)
    first, second = spawner.environment["JUPYTER_CONFIG_PATH"].split(os.pathsep)
    settings = json.loads((hub.folder / "etc" / "student" / "jupyter_server_config.json").read_text())
    assert first == str(hub.folder / "etc" / "student")
    assert settings["ServerApp"]["jpserver_extensions"]["nbgrader.server_extensions.formgrader"] is False
    assert (hub.folder / "etc" / "everybody" / "nbgrader_config.py").is_file()
    assert second == str(hub.folder / "etc" / "everybody")


def test_teachers_server_reads_the_settings_of_the_course(hub):
    spawner = SimpleNamespace(user=SimpleNamespace(name=getpass.getuser()), environment={})
    hub.load().Spawner.pre_spawn_hook(spawner)
    assert spawner.environment["JUPYTER_CONFIG_PATH"].split(os.pathsep)[0] == str(hub.course)


def test_exchange_is_where_the_hub_made_it(hub, monkeypatch):
    monkeypatch.setenv("BOOK_HUB_EXCHANGE", "/somewhere")
    config = PyFileConfigLoader("nbgrader_config.py", path=str(HUB)).load_config()
    assert (config.Exchange.root, config.Exchange.timezone) == ("/somewhere", "UTC")


def test_walk_from_release_to_feedback():
    """As root, with ``BOOK_HUB_PYTHON`` and ``BOOK_HUB_PROXY``: it adds users to this machine for half a minute."""
    python, proxy = os.environ.get("BOOK_HUB_PYTHON"), os.environ.get("BOOK_HUB_PROXY", "configurable-http-proxy")
    if not python or os.getuid() != 0:
        pytest.skip("the hub is NOT tested: it needs root, and BOOK_HUB_PYTHON to name a Python with the extra `hub`")
    command = [python, HUB / "walk.py", "--make-users", "--proxy", proxy]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=400)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "walked: release, fetch, submit, collect, grade, feedback" in done.stdout
