"""What runs elsewhere asks for what is there: workflows, Binder, the container, the development container."""

import json
import os
import re
from pathlib import Path

import pytest
import yaml

from ferbook.book import publishing

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = {path.stem: yaml.safe_load(path.read_text()) for path in (ROOT / ".github" / "workflows").glob("*.yml")}
JOBS = [(name, job) for name, flow in WORKFLOWS.items() for job in flow["jobs"].values()]
STEPS = [step for _, job in JOBS for step in job["steps"]]
#: Versions of Python that the project says it takes.
PYTHONS = ["3.11", "3.12", "3.13"]


def targets():
    return set(re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_the_workflows_are_there():
    assert WORKFLOWS.keys() == {"test", "book", "weekly"}
    # YAML takes `on` for a truth value.
    assert [flow[True].get("schedule") is not None for flow in WORKFLOWS.values()].count(True) == 1
    assert WORKFLOWS["test"]["jobs"]["test"]["strategy"]["matrix"]["python"] == PYTHONS


@pytest.mark.parametrize("step", [step for step in STEPS if "uses" in step], ids=lambda step: step["uses"])
def test_actions_are_pinned(step):
    assert re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", step["uses"])


def test_pins_say_which_version_they_are_and_the_same_everywhere():
    lines = [line for path in (ROOT / ".github/workflows").glob("*.yml") for line in path.read_text().splitlines()]
    said = dict(re.findall(r"uses: (\S+) # (v\d+\.\d+\.\d+)$", "\n".join(lines), re.MULTILINE))
    used = {step["uses"] for step in STEPS if "uses" in step}
    assert said.keys() == used
    assert len({name.split("@")[0] for name in used}) == len(used)


@pytest.mark.parametrize("command", sorted({step["run"] for step in STEPS if "run" in step}))
def test_steps_run_what_the_project_has(command):
    """Each is a make target, a script of .ci, or git's."""
    first, *rest = command.split()
    if first == "make":
        assert rest[0] in targets()
    else:
        assert first == "git" or os.access(ROOT / first, os.X_OK)


def test_a_job_may_do_what_it_needs_and_ends():
    for name, job in JOBS:
        assert WORKFLOWS[name]["permissions"] == {"contents": "read"}
        assert job["timeout-minutes"] <= 180
    writing = {key: value for _, job in JOBS for key, value in job.get("permissions", {}).items()}
    assert writing == {"pages": "write", "id-token": "write", "contents": "write"}


def test_the_branch_has_one_name():
    assert f"refs/heads/{publishing.BRANCH}" in (ROOT / ".ci" / "publish").read_text()
    weekly = [step.get("run", "") for step in WORKFLOWS["weekly"]["jobs"]["again"]["steps"]]
    assert any(run.endswith(f"origin {publishing.BRANCH}") for run in weekly)


def test_binder_sets_up_as_make_does():
    script = (ROOT / ".binder" / "postBuild").read_text()
    assert os.access(ROOT / ".binder" / "postBuild", os.X_OK)
    assert (ROOT / ".binder" / "runtime.txt").read_text().strip().removeprefix("python-") in PYTHONS
    for program in re.findall(r"python (\w+\.py)", script):
        assert (ROOT / program).is_file()
    assert "--name python3" in script, "the kernel that the notebooks name"


def test_the_container_copies_what_is_there_and_runs_make():
    text = (ROOT / "Dockerfile").read_text()
    assert re.search(r"^FROM python:(3\.\d+)-", text, re.MULTILINE)[1] in PYTHONS
    first = re.search(r"^COPY --chown=reader (Makefile .*) \./$", text, re.MULTILINE)[1].split()
    assert all((ROOT / name).is_file() for name in first)
    assert set(re.findall(r"make ([a-z]+)", text.split("USER reader")[1])) <= targets()
    assert len([line for line in text.splitlines() if line and not line.startswith("#")]) <= 20
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {"_build", ".venv"} <= set(ignored)


def test_the_development_container_runs_make():
    settings = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    command, target = settings["postCreateCommand"].split()
    assert command == "make" and target in targets()
