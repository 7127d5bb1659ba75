"""The profile for Slurm: what it asks for, and what is said where there is nothing to ask for. Needs neither Slurm nor
the plugin."""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path

import pytest
import yaml
from snakemake.cli import get_argument_parser

from ferbook.learning import sweeps
from ferbook.learning.runs import RunResult
from tests.unit.test_sweeps import Project

ROOT = Path(__file__).resolve().parents[2]
PROFILE = Path("profiles/slurm/config.yaml")
#: Resources that the plugin's documentation says it hands on, of those that a job here could want.
HANDED_ON = {"gpu", "gpu_model", "mem_mb", "runtime", "slurm_account", "slurm_partition", "qos", "constraint"}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    made = Project(tmp_path_factory.mktemp("cluster"))
    (made.folder / PROFILE).parent.mkdir(parents=True)
    shutil.copy(ROOT / PROFILE, made.folder / PROFILE)
    return made


def planned(project, *config):
    # Of a job that would wait for more cores than there are, a dry run tells those that there are.
    dry = ["--dry-run", "--executor", "dryrun", "--cores", "8"]
    return project.run("runs", "--profile", str(PROFILE.parent), *dry, "--config", *config)


def test_the_profile_says_what_snakemake_and_the_plugin_know():
    profile = yaml.safe_load((ROOT / PROFILE).read_text())
    options = {name.lstrip("-") for action in get_argument_parser()._actions for name in action.option_strings}
    assert set(profile) <= options
    rules = set(re.findall(r"^rule (\w+):", (ROOT / "Snakefile").read_text(), re.M))
    assert set(profile["set-resources"]) | set(profile["set-threads"]) <= rules
    for asked in (profile["default-resources"], *profile["set-resources"].values()):
        assert set(asked) <= HANDED_ON
    assert profile["jobs"] > 1 and profile["retries"] > 0


def test_each_run_that_is_missing_is_a_job_with_one_gpu(project):
    done = planned(project, "sweep=tiny", "group=nhot")
    assert done.returncode == 0, done.stderr
    assert "ferbook: 4 of 4 runs to train." in done.stderr
    jobs = re.findall(r"^rule run:$.*?^    threads: (\d+)\n    resources: (.*?)$", done.stdout, re.M | re.S)
    assert len(jobs) == 4
    for threads, resources in jobs:
        asked = dict(part.split("=") for part in resources.split(", "))
        assert (threads, asked["gpu"], asked["mem_mb"], asked["runtime"]) == ("4", "1", "8000", "720")


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (["sweep=absent"], "ferbook: name a sweep: --config sweep=tiny (given: 'absent')."),
        (["sweep=tiny", "group=absent"], "ferbook: group: there is no 'absent'. There are: losses, nhot."),
        (["group=nhot"], "ferbook: name a sweep: --config sweep=tiny (given: None)."),
    ],
)
def test_what_does_not_exist_is_one_message(project, config, said):
    done = planned(project, *config)
    assert done.returncode != 0
    assert [line for line in done.stderr.splitlines() if line.startswith("ferbook:")] == [said]
    assert "Traceback" not in done.stderr


def test_where_nothing_is_missing_it_says_so(project):
    for name, config in sweeps.runs(project.folder / "data" / "sweeps" / "tiny.yml").items():
        record = project.folder / "data" / "recorded" / "tiny" / "runs" / f"{name}.json"
        sweeps.record(record, config, lambda config: RunResult(config.model_dump(mode="json"), [], {}, {}))
    done = planned(project, "sweep=tiny")
    assert done.returncode == 0, done.stderr
    assert "ferbook: nothing to train: all 6 runs are recorded." in done.stderr
    assert "rule run" not in done.stdout


def test_the_plugin_is_an_extra_and_its_version_is_told_as_it_is():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    (plugin,) = extras["cluster"]
    assert re.fullmatch(r"snakemake-executor-plugin-slurm==[\d.]+", plugin)
    assert plugin.partition("==")[0] not in (ROOT / "requirements.txt").read_text()
    for place in (Path("README.md"), PROFILE, Path("book/paper_scale.py")):
        told = re.findall(r"snakemake-executor-plugin-slurm==[\d.]+\d", (ROOT / place).read_text())
        assert told == [plugin], place
