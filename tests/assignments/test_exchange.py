"""What comes through the exchange of a hub: only what is what it says."""

import hashlib
import os
from types import SimpleNamespace

import pytest
from nbgrader.coursedir import CourseDirectory

from assignments.tools import exchange
from assignments.tools.course import configuration
from assignments.tools.exchange import CarefulCollect, CarefulReleaseFeedback, copy_files, handed_in
from assignments.tools.grade import notebook_path

pytestmark = pytest.mark.xdist_group("marking")

HASH = "5" * 128  # a submission's secret, as nbgrader makes it


@pytest.fixture
def hub(small_course, tmp_path, monkeypatch):
    """An exchange to which ann, ben (both this user) and mallory (somebody else) belong, and a course."""
    users = {"ann": os.getuid(), "ben": os.getuid(), "mallory": os.getuid() + 1}
    monkeypatch.setattr(exchange.pwd, "getpwnam", lambda name: SimpleNamespace(pw_uid=users[name]))
    config = configuration(small_course)
    config.CourseDirectory.course_id = "embeddings"
    config.Exchange.root = str(tmp_path / "exchange")
    inbound = tmp_path / "exchange" / "embeddings" / "inbound"
    inbound.mkdir(parents=True)
    os.chmod(tmp_path / "exchange", 0o777)

    def hand_in(student, text, time="2026-11-20 10:00:00.000000 UTC", word="abcd"):
        folder = inbound / f"{student}+mini+{time}+{word}"
        folder.mkdir()
        (folder / "mini.ipynb").write_text(text)
        (folder / "submission_secret.txt").write_text(HASH)
        (folder / "timestamp.txt").write_text("not a time")
        return folder

    def run(converter, **settings):
        folder = CourseDirectory(config=config)
        folder.assignment_id = "mini"
        app = converter(coursedir=folder, authenticator=None, config=config, **settings)
        app.start()
        return folder

    return SimpleNamespace(course=small_course, inbound=inbound, hand_in=hand_in, run=run, root=tmp_path)


def collected(hub):
    """(student) → what was collected."""
    return {path.parents[1].name: path.read_text() for path in hub.course.glob("collected/*/mini/mini.ipynb")}


def test_collect_takes_the_last_submission_of_each(hub):
    hub.hand_in("ann", "first")
    hub.hand_in("ann", "second", time="2026-11-20 11:30:00.000000 UTC")
    hub.hand_in("ben", "his")
    hub.run(CarefulCollect)
    assert collected(hub) == {"ann": "second", "ben": "his"}


def test_collect_notes_the_time_of_the_folder_and_not_what_the_student_wrote(hub):
    hub.hand_in("ann", "mine")
    hub.run(CarefulCollect)
    assert handed_in(hub.course / "collected/ann/mini/mini.ipynb") == "2026-11-20 10:00:00.000000 UTC"


def test_collect_leaves_what_belongs_to_somebody_else(hub):
    hub.hand_in("ann", "hers")
    hub.hand_in("mallory", "by another user under her name", time="2999-01-01 00:00:00.000000 UTC")
    hub.run(CarefulCollect)
    assert collected(hub) == {"ann": "hers"}


def test_collect_updates_and_keeps_the_older_one_if_a_later_one_is_forged(hub, monkeypatch):
    hub.hand_in("ann", "hers")
    hub.run(CarefulCollect)
    forged = hub.hand_in("ann", "forged", time="2999-01-01 00:00:00.000000 UTC")
    real = os.lstat
    other = SimpleNamespace(st_uid=os.getuid() + 1)
    monkeypatch.setattr(exchange.os, "lstat", lambda path: other if str(path) == str(forged) else real(path))
    hub.run(CarefulCollect, update=True)
    assert collected(hub) == {"ann": "hers"}


def test_collect_follows_no_link(hub):
    (hub.root / "solution.ipynb").write_text("the teacher's")
    folder = hub.hand_in("ann", "hers")
    (folder / "mini.ipynb").unlink()
    (folder / "mini.ipynb").symlink_to(hub.root / "solution.ipynb")
    hub.run(CarefulCollect)
    assert collected(hub) == {}


def test_collect_takes_no_folder_that_is_a_link(hub):
    folder = hub.hand_in("ben", "his")
    (hub.inbound / "ann+mini+2026-11-20 10:00:00.000000 UTC+efgh").symlink_to(folder)
    hub.run(CarefulCollect)
    assert collected(hub) == {"ben": "his"}


@pytest.mark.parametrize(
    "name", ["ann+mini+nonsense", "ann+mini+no time+abcd", "..+mini+2026-11-20+abcd", "zoe+mini+2026-11-20+a"]
)
def test_collect_passes_over_odd_names(hub, name):
    hub.hand_in("ben", "his")
    (hub.inbound / name).mkdir()
    hub.run(CarefulCollect)
    assert collected(hub) == {"ben": "his"}


def test_collect_leaves_the_folder_of_other_commands_alone(hub):
    hub.hand_in("ann", "hers")
    assert hub.run(CarefulCollect).submitted_directory == "submitted"


def test_copy_files_takes_no_file_that_is_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr(exchange, "MAX_BYTES", 3)
    (tmp_path / "from").mkdir()
    (tmp_path / "to").mkdir()
    (tmp_path / "from" / "small").write_text("abc")
    (tmp_path / "from" / "large").write_text("abcd")
    copy_files(tmp_path / "from", tmp_path / "to", ["small", "large", "absent"], owner=os.getuid())
    assert [path.name for path in (tmp_path / "to").iterdir()] == ["small"]


def test_copy_files_refuses_a_folder_of_somebody_else(tmp_path):
    with pytest.raises(PermissionError, match="belongs to somebody else"):
        copy_files(tmp_path, tmp_path, ["file"], owner=os.getuid() + 1)


@pytest.mark.parametrize("text", ["", "=HYPERLINK(1)", "2026-11-20, late\nyes", "x" * 1000])
def test_handed_in_believes_only_what_looks_like_a_time(tmp_path, text):
    (tmp_path / "timestamp.txt").write_text(text)
    assert handed_in(tmp_path / "mini.ipynb") == ""


def test_feedback_goes_to_who_handed_in_through_the_exchange(hub):
    hub.hand_in("ann", "hers")
    hub.run(CarefulCollect)
    for student in ("ann", "cem"):  # cem handed in a file
        page = hub.course / "feedback" / student / "mini" / "mini.html"
        page.parent.mkdir(parents=True)
        page.write_text(f"for {student}")
    hub.run(CarefulReleaseFeedback)
    (page,) = (hub.root / "exchange" / "embeddings" / "feedback").iterdir()
    assert page.read_text() == "for ann"
    assert page.stem == hashlib.md5(f"{HASH}mini".encode()).hexdigest()  # where nbgrader looks for it


def test_feedback_passes_over_a_secret_that_is_none(hub):
    for student, secret in (("ann", "../../etc"), ("ben", HASH)):
        folder = hub.hand_in(student, "hers")
        (folder / "submission_secret.txt").write_text(secret)
    hub.run(CarefulCollect)
    for student in ("ann", "ben"):
        page = hub.course / "feedback" / student / "mini" / "mini.html"
        page.parent.mkdir(parents=True)
        page.write_text(f"for {student}")
    hub.run(CarefulReleaseFeedback)
    (page,) = (hub.root / "exchange" / "embeddings" / "feedback").iterdir()
    assert page.read_text() == "for ben"


def test_notebook_path_finds_both_layouts(tmp_path):
    for path in ("ann/mini.ipynb", "ben/mini/mini.ipynb", "cem/mini/mini.ipynb", "cem/mini.ipynb"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("")
    found = {student: notebook_path(tmp_path, student, "mini") for student in ("ann", "ben", "cem", "dan")}
    assert {student: str(path.relative_to(tmp_path)) for student, path in found.items()} == {
        "ann": "ann/mini.ipynb",
        "ben": "ben/mini/mini.ipynb",
        "cem": "cem/mini.ipynb",
        "dan": "dan/mini.ipynb",
    }


def test_notebook_path_enters_no_link(tmp_path):
    (tmp_path / "ann").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "mini.ipynb").write_text("")
    (tmp_path / "ann" / "mini").symlink_to(tmp_path / "elsewhere")
    assert not notebook_path(tmp_path, "ann", "mini").exists()
