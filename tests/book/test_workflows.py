"""The workflows: no more rights than they need, and no command that does not exist."""

import re
import tomllib

import pytest
import yaml
from book_launch import NOTEBOOK_BRANCH
from packaging.specifiers import SpecifierSet

from tests.built_book import ROOT

FOLDER = ROOT / ".github" / "workflows"


class Loader(yaml.SafeLoader):
    """Reads `on` as the word that it is in a workflow, not as YAML 1.1's other name of `true`."""


Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("true|false"), list("tf"))

WORKFLOWS = {path.stem: yaml.load(path.read_text(encoding="utf-8"), Loader) for path in sorted(FOLDER.glob("*.yml"))}
JOBS = {f"{name}.{job}": body for name, flow in WORKFLOWS.items() for job, body in flow["jobs"].items()}
STEPS = [(name, step) for name, job in JOBS.items() for step in job["steps"]]

MAY_WRITE = {"publish.pages": {"pages", "id-token"}, "publish.notebooks": {"contents"}}


def test_there_is_a_workflow_to_test_to_publish_and_for_every_week():
    assert set(WORKFLOWS) == {"test", "publish", "weekly"}


@pytest.mark.parametrize("name", WORKFLOWS)
def test_workflow_reads_the_code_and_no_more(name):
    assert WORKFLOWS[name]["permissions"] == {"contents": "read"}


@pytest.mark.parametrize("name", WORKFLOWS)
def test_workflow_says_what_happens_to_a_second_run(name):
    assert set(WORKFLOWS[name]["concurrency"]) == {"group", "cancel-in-progress"}


@pytest.mark.parametrize("name", JOBS)
def test_job_writes_only_what_it_is_for(name):
    rights = JOBS[name].get("permissions", {})
    assert {right for right, level in rights.items() if level == "write"} == MAY_WRITE.get(name, set())


@pytest.mark.parametrize("name", MAY_WRITE)
def test_job_that_may_write_runs_no_code_of_the_book(name):
    steps = JOBS[name]["steps"]
    assert not any("checkout" in step.get("uses", "") or "make" in step.get("run", "") for step in steps)


def test_actions_are_githubs_own_and_pinned_to_a_major_version():
    used = {step["uses"] for _, step in STEPS if "uses" in step}
    assert {action for action in used if not re.fullmatch(r"actions/[a-z-]+@v\d+", action)} == set()


def test_an_action_has_one_version_everywhere():
    used = {step["uses"] for _, step in STEPS if "uses" in step}
    assert len({action.split("@")[0] for action in used}) == len(used)


def test_checkouts_leave_no_token_behind():
    checkouts = [step for _, step in STEPS if "checkout" in step.get("uses", "")]
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_commands_hold_no_expression_that_others_can_fill():
    assert [step["run"] for _, step in STEPS if "${{" in step.get("run", "")] == []


def test_make_is_asked_for_targets_that_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    commands = re.findall(r"\bmake ([^#\n]*)", "\n".join(step.get("run", "") for _, step in STEPS))
    wanted = {word for command in commands for word in command.split() if "=" not in word}
    assert {"test", "test-all", "site", "linkcheck", "clean"} <= wanted <= targets


def test_the_weekly_run_leaves_no_test_out():
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert ci[-2:] == ["make test", "make test-slow"]
    weekly = [step.get("run", "") for name, step in STEPS if name == "weekly.without-cache"]
    assert any("test-all" in command for command in weekly)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^test-all: test test-slow$", makefile, flags=re.MULTILINE)
    assert set(re.findall(r"\$\(PYTEST\) -m (.+)", makefile)) == {'"not slow"', "slow"}  # a test is in one or the other


def test_jobs_that_build_have_a_time_limit():
    builds = {name for name, step in STEPS if step.get("run", "").startswith("make ")}
    assert {name for name in builds if not JOBS[name].get("timeout-minutes")} == set()


def test_tests_run_on_every_python_that_the_package_supports():
    supported = SpecifierSet(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["requires-python"])
    matrix = JOBS["test.test"]["strategy"]["matrix"]["python"]
    assert matrix == [f"3.{minor}" for minor in range(8, 30) if f"3.{minor}" in supported]


def test_weekly_run_caches_nothing():
    assert not any("cache" in step.get("with", {}) for name, step in STEPS if name.startswith("weekly"))


def test_publish_tells_the_pages_their_address():
    assert JOBS["publish.build"]["env"]["BOOK_REPOSITORY"] == "${{ github.repository }}"


def test_publish_pushes_to_the_branch_that_colab_opens():
    pushed = [step["run"].split()[-1] for name, step in STEPS if "git push" in step.get("run", "")]
    assert pushed == [NOTEBOOK_BRANCH]
