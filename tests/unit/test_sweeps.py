"""Sweeps: what a description expands to, what is trained again and what is not, and the workflow that makes records."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
import yaml

from ferbook import models
from ferbook.cli.commands import main
from ferbook.core import paths
from ferbook.core.errors import ConfigError, DataError
from ferbook.learning import configs, losses, sweeps
from ferbook.learning.runs import RunResult
from ferbook.vision import augment

ROOT = Path(__file__).resolve().parents[2]
TINY = {"data": {"name": "synthetic", "options": {"count": 80}}, "loss": "cross_entropy", "epochs": 1, "batch": 32}
DESCRIPTION = {
    "short": {"labels.n_hot": "n"},
    "bases": {"tiny": TINY},
    "groups": {
        "nhot": {"base": "tiny", "vary": {"labels.n_hot": [1, 3], "seed": [0, 1]}},
        "losses": {"base": {"extend": "tiny", "labels": {"n_hot": 8}}, "vary": {"loss": ["mse", "mae"], "seed": [0]}},
    },
}


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A project of its own, with the description above as that of paper "tiny"."""
    (tmp_path / "data" / "sweeps").mkdir(parents=True)
    (tmp_path / "_config.yml").touch()
    monkeypatch.setenv("FERBOOK_HOME", str(tmp_path))
    describe(DESCRIPTION)
    return tmp_path


def describe(content, paper="tiny"):
    path = sweeps.description(paper)
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False))
    return path


def expanded(groups, **more):
    return sweeps.runs(describe({**DESCRIPTION, "groups": groups, **more}))


class Trainer:
    """Stands in for the engine: counts, and gives a result that depends on the config alone."""

    def __init__(self):
        self.trained = []

    def __call__(self, config):
        self.trained.append(config)
        history = [{"epoch": 1, "valid_accuracy": 0.5 + config.seed / 7}]
        metrics = {"chosen_epoch": 1, "test_accuracy": 0.1 + 0.2 * config.labels.n_hot}
        return RunResult(config.model_dump(mode="json"), history, metrics, {"date": "2026-01-01"})


def test_a_group_is_every_combination_of_what_varies(home):
    """Against the loops that the description stands for."""
    vary = {
        "split.kind": ["ordinary", "complex"],
        "labels.n_hot": [1, 2, 8],
        "optimiser": {"plain": {}, "gentle": {"optimiser": {"lr": 1e-4}}},
        "seed": [0, 1],
    }
    twin = {}
    for seed in (0, 1):
        for kind in ("ordinary", "complex"):
            for n in (1, 2, 8):
                for label, lr in (("plain", 0.002), ("gentle", 1e-4)):
                    settings = {"split": {"kind": kind}, "labels": {"n_hot": n}, "seed": seed}
                    optimiser = {"name": "sgd", "lr": lr, "momentum": 0.5}
                    content = {**TINY, **settings, "optimiser": optimiser}
                    twin[f"grid/{kind}-n{n}-{label}-seed{seed}"] = configs.parse(content)
    base = {"extend": "tiny", "optimiser": {"name": "sgd", "lr": 0.002, "momentum": 0.5}}
    found = expanded({"grid": {"base": base, "vary": vary}})
    assert found == twin
    assert list(found) == list(twin), "all variants of one seed come before those of the next"


def test_seeds_come_first_across_groups_and_wherever_they_stand(home):
    vary = {"seed": [1, 0], "labels.n_hot": [1, 2]}
    found = expanded({"a": {"base": "tiny", "vary": vary}, "b": {"base": "tiny", "vary": vary}})
    assert list(found) == [f"{group}/seed{seed}-n{n}" for seed in (0, 1) for group in "ab" for n in (1, 2)]


@pytest.mark.parametrize(
    ("path", "values", "names"),
    [
        ("optimiser.lr", [0.004, 1e-5], ["lr0.004", "lr1e-05"]),
        ("model.options.width", [1, 1.5], ["width1", "width1.5"]),
        ("ema", [0.0, 0.999], ["ema0", "ema0.999"]),
        ("mirror", [False, True], ["mirror-false", "mirror-true"]),
        ("model.weights", [None, "start"], ["weights-none", "start"]),
    ],
)
def test_names_tell_values(home, path, values, names):
    assert [*expanded({"g": {"base": "tiny", "vary": {path: values}}})] == [f"g/{name}" for name in names]


def test_a_group_that_varies_nothing_is_one_run(home):
    assert expanded({"g": {"base": "tiny"}}) == {"g/run": configs.parse(TINY)}


def test_parts_are_merged_field_by_field_and_options_follow_their_name():
    base = {"model": {"name": "compact", "options": {"width": 2}}, "loss": "mse", "augmentation": [1, 2]}
    assert sweeps.merged(base, {"model": {"options": {"depth": 2}}})["model"]["options"] == {"width": 2, "depth": 2}
    assert sweeps.merged(base, {"model": {"name": "compact"}}) == base
    assert sweeps.merged(base, {"model": {"name": "ran"}})["model"] == {"name": "ran"}
    assert sweeps.merged(base, {"augmentation": [3]}) == {**base, "augmentation": [3]}
    assert base["model"] == {"name": "compact", "options": {"width": 2}}


@pytest.mark.parametrize(
    ("group", "message"),
    [
        ({"base": "tiny", "vary": {"labels.nhot": [1]}}, r"tiny\.yml: g: labels\.nhot: .*not permitted.*g/nhot1"),
        ({"base": "tiny", "vary": {"labels.n_hot": [9]}}, r"tiny\.yml: g: labels\.n_hot: .*less than or equal to 8"),
        ({"base": {"extend": "tiny", "epochs": 0}}, r"tiny\.yml: g: epochs: "),
        ({"base": "huge"}, r"tiny\.yml: g: base: there is no 'huge'. There are: tiny"),
        ({"base": "tiny", "varies": {}}, r"tiny\.yml: g: 'varies' is unknown. Known: base, vary"),
        ({"base": "tiny", "vary": {"seed": []}}, r"g: seed: varies over nothing"),
        ({"base": "tiny", "vary": {"seed": 3}}, r"g: seed: varies over nothing"),
        ({"base": "tiny", "vary": {"seed": [1, 1]}}, r"g: seed: 'seed1' stands 2 times"),
        ({"base": "tiny", "vary": {"optimiser.lr": [1, 1.0]}}, r"g: optimiser\.lr: 'lr1' stands 2 times"),
        ({"base": "tiny", "vary": {"loss": ["a/b"]}}, r"g: loss: 'a/b' cannot be part of a file's name"),
        ({"base": "tiny", "vary": {"loss": ["MSE"]}}, r"g: loss: 'MSE' cannot"),
        ({"base": "tiny", "vary": {"augmentation": [[]]}}, r"g: augmentation: \[\] makes no name"),
        (
            {"base": "tiny", "vary": {"x": {"a": {"loss": "mae"}, "b": {"loss": "mae"}}}},
            r"g/a and g/b are the same run",
        ),
        (
            {
                "base": "tiny",
                "vary": {"x": {"a": {"seed": 1}, "a-b": {"seed": 2}}, "y": {"b-c": {}, "c": {"epochs": 2}}},
            },
            r"two runs are called g/a-b-c",
        ),
        ([], r"tiny\.yml: g: is \[\] and should map names"),
    ],
)
def test_what_cannot_work_names_file_group_and_field(home, group, message):
    with pytest.raises(ConfigError, match=message):
        expanded({"g": group})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("groups: {g: {}, g: {}}", "'g' stands 2 times"),
        ("groups: {g: [}", "is not a description of sweeps"),
        ("groups: {Big: {}}", "'Big' cannot be part of a file's name"),
        ("group: {}", "'group' is unknown"),
        ("bases: {}", "groups: is None"),
        ("bases: {a: {extend: b}, b: {extend: a}}\ngroups: {g: {base: a}}", "a extends b extends a. That never ends"),
        ("", "is None and should map"),
    ],
)
def test_descriptions_that_cannot_be_read(home, text, message):
    with pytest.raises(ConfigError, match=message) as caught:
        sweeps.runs(describe(text))
    assert "tiny.yml" in str(caught.value)


def test_a_description_that_is_not_there(home):
    with pytest.raises(ConfigError, match=r"there is no file .*none\.yml"):
        sweeps.runs(sweeps.description("none"))


def test_a_record_is_made_once_and_again_when_its_config_changes(home):
    train, path = Trainer(), sweeps.record_path("tiny", "nhot/n1-seed0")
    config = configs.parse(TINY)
    assert not sweeps.is_recorded(path, config)
    first = sweeps.record(path, config, train)
    assert path == home / "data" / "recorded" / "tiny" / "runs" / "nhot" / "n1-seed0.json"
    assert sweeps.read(path) == first == sweeps.record(path, config, train)
    assert train.trained == [config]
    other = config.model_copy(update={"seed": 5})
    assert not sweeps.is_recorded(path, other)
    assert sweeps.record(path, other, train) == sweeps.read(path) != first
    assert train.trained == [config, other]
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_a_failed_training_leaves_the_record_that_was_there(home):
    path = sweeps.record_path("tiny", "nhot/n1-seed0")
    sweeps.record(path, configs.parse(TINY), Trainer())
    before = path.read_text()

    def broken(config):
        raise DataError("is gone", "faces")

    with pytest.raises(DataError, match="is gone"):
        sweeps.record(path, configs.parse({**TINY, "seed": 1}), broken)
    assert path.read_text() == before


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"config": {}}', '{"values": 1}'])
def test_a_broken_record_is_named_and_not_overwritten(home, text):
    path = sweeps.record_path("tiny", "nhot/n1-seed0")
    path.parent.mkdir(parents=True)
    path.write_text(text)
    train = Trainer()
    with pytest.raises(DataError, match=r"n1-seed0\.json: is not a recorded run"):
        sweeps.record(path, configs.parse(TINY), train)
    assert path.read_text() == text and not train.trained


def record_all(group="nhot"):
    train = Trainer()
    for name, config in sweeps.chosen(sweeps.runs(sweeps.description("tiny")), group).items():
        sweeps.record(sweeps.record_path("tiny", name), config, train)


def test_load_gives_what_is_recorded_in_the_description_s_order(home):
    assert sweeps.load("tiny", "nhot") == {}
    record_all()
    found = sweeps.load("tiny", "nhot")
    assert list(found) == ["n1-seed0", "n3-seed0", "n1-seed1", "n3-seed1"]
    assert found["n3-seed1"].metrics["test_accuracy"] == 0.1 + 0.2 * 3
    sweeps.record_path("tiny", "nhot/n1-seed0").unlink()
    assert list(sweeps.load("tiny", "nhot")) == ["n3-seed0", "n1-seed1", "n3-seed1"]
    with pytest.raises(ConfigError, match=r"there is no 'hot'. There are: losses, nhot"):
        sweeps.load("tiny", "hot")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"base": {"extend": "tiny", "epochs": 2}}, r"n1-seed0\.json: was made from another config than tiny\.yml"),
        ({"vary": {"labels.n_hot": [1, 3], "seed": [0]}}, r"n1-seed1\.json: is a run that tiny\.yml does not describe"),
    ],
)
def test_orphaned_runs_are_refused_unless_asked_for(home, change, message):
    record_all()
    groups = DESCRIPTION["groups"]
    describe({**DESCRIPTION, "groups": {**groups, "nhot": {**groups["nhot"], **change}}})
    with pytest.raises(DataError, match=message):
        sweeps.load("tiny", "nhot")
    assert sorted(sweeps.load("tiny", "nhot", orphans=True)) == ["n1-seed0", "n1-seed1", "n3-seed0", "n3-seed1"]


def test_a_config_is_taken_as_text_file_record_or_name(home):
    record_all()
    config = sweeps.runs(sweeps.description("tiny"))["nhot/n3-seed1"]
    (home / "config.json").write_text(json.dumps(config.model_dump(mode="json")))
    path = sweeps.record_path("tiny", "nhot/n3-seed1")
    for what in (config.model_dump_json(), "config.json", str(path), "tiny/nhot/n3-seed1"):
        assert sweeps.read_config(what) == config
    assert sweeps.read_record("config.json") is sweeps.read_record(config.model_dump_json()) is None
    assert sweeps.read_record(str(path)) == sweeps.read_record("tiny/nhot/n3-seed1") == sweeps.read(path)
    path.unlink()
    assert sweeps.read_record("tiny/nhot/n3-seed1") is None


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("{", "is not JSON"),
        ("none.json", "there is no file"),
        ("tiny/nhot/n9", "has no run 'nhot/n9'"),
        ('{"epochs": 0}', "epochs"),
        ("none/a/b", "there is no file"),
    ],
)
def test_what_names_no_config(home, what, message):
    with pytest.raises(ConfigError, match=message):
        sweeps.read_config(what)


def test_differences_between_two_results():
    result = Trainer()(configs.parse(TINY))
    assert sweeps.differences(result, replace(result, provenance={})) == []
    other = replace(result, metrics={**result.metrics, "test_accuracy": 1.7 + 1e-12}, history=[])
    assert sweeps.differences(result, other) == ["test_accuracy", "history"]
    assert sweeps.differences(result, replace(result, metrics={"chosen_epoch": 1})) == ["test_accuracy"]


def test_command_line(home, capsys):
    """Train, on faces: only what is missing, by seed; a run that fails stops no other."""
    groups = {"g": {"base": "tiny", "vary": {"loss": ["mse", "guess"], "seed": [0, 1]}}}
    describe({**DESCRIPTION, "groups": groups})
    command = ["sweep", "tiny", "--store", str(home / "store")]
    assert main([*command, "--list"]) == 0
    assert capsys.readouterr().out.split() == ["g/mse-seed0", "g/guess-seed0", "g/mse-seed1", "g/guess-seed1"]
    assert main([*command, "--only", "*/mse-seed0"]) == 0
    assert re.match(
        r"g/mse-seed0: accuracy \d+\.\d\d% \(valid\), \d+\.\d\d% \(test\); \d+ s, 0 remaining\n1 recorded, 0 failed",
        capsys.readouterr().out,
    )
    assert main([*command, "--group", "g"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines[:-1]] == ["g/guess-seed0", "g/mse-seed1", "g/guess-seed1"]
    assert "failed" in lines[0] and "guess" in lines[0] and lines[0].endswith("2 remaining")
    assert lines[-1] == "1 recorded, 2 failed"
    assert list(sweeps.load("tiny", "g")) == ["mse-seed0", "mse-seed1"]
    assert main([*command, "--group", "h"]) == 2

    record = sweeps.record_path("tiny", "g/mse-seed1")
    assert sweeps.read(record).provenance["date"]
    assert main(["train", str(record), "--store", str(home / "again")]) == 0
    assert "metrics and curves as recorded" in capsys.readouterr().out
    content = json.loads(record.read_text())
    content["metrics"]["test_accuracy"] += 1e-9
    record.write_text(json.dumps(content))
    assert main(["train", str(record), "--store", str(home / "again")]) == 0
    assert "not as recorded: test_accuracy" in capsys.readouterr().out


DESCRIBED = sorted((ROOT / "data" / "sweeps").glob("*.yml"))


@pytest.mark.parametrize("path", DESCRIBED, ids=lambda path: path.stem)
def test_the_book_s_sweeps_name_what_exists(path):
    found = sweeps.runs(path)
    assert found
    for config in found.values():
        augment.build(config.augmentation)
        if config.task == "distribution":
            losses.distribution_loss(config.loss)
    built = {config.model.model_dump_json(exclude={"weights"}): config.model for config in found.values()}
    for model in built.values():
        models.build(model.name, num_classes=8, in_channels=1, **model.options)


@pytest.mark.parametrize("path", DESCRIBED, ids=lambda path: path.stem)
def test_the_book_s_records_belong_to_their_sweeps(path):
    paper = path.stem
    groups = {name.partition("/")[0] for name in sweeps.runs(path)}
    for group in groups:
        for name, result in sweeps.load(paper, group).items():
            assert {"checksum", "library", "date"} <= set(result.provenance), name
    folder = paths.project_root() / "data" / "recorded" / paper / "runs"
    assert {entry.name for entry in folder.glob("*")} <= groups


class Project:
    """A book of one page, book/run.py, with the tiny sweep."""

    def __init__(self, folder):
        self.folder = folder
        for name in ("Snakefile", "CITATION.cff", "book/run.py"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
        for name, text in {
            "_toc.yml": "format: jb-book\nroot: book/run\n",
            "_config.yml": "title: small\n",
            "book/profiles/quick.yml": "{}\n",
            "data/sweeps/tiny.yml": yaml.safe_dump(DESCRIPTION),
        }.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)

    def run(self, *arguments):
        return subprocess.run(
            [sys.executable, "-m", "snakemake", "--cores", "1", "--nocolor", *arguments],
            cwd=self.folder,
            env={**os.environ, "FERBOOK_HOME": str(self.folder), "FERBOOK_CACHE": str(self.folder / "cache")},
            capture_output=True,
            text=True,
            check=False,
        )

    def jobs(self, *arguments):
        """How often each rule would run."""
        done = self.run("--dry-run", *arguments)
        assert done.returncode == 0, done.stderr
        return {rule: int(count) for rule, count in re.findall(r"^(run|runs|notebook|site) +(\d+)$", done.stdout, re.M)}


ONE = "data/recorded/tiny/runs/nhot/n3-seed1.json"


def test_snakemake_makes_a_run_from_its_description(tmp_path, capsys):
    project = Project(tmp_path)
    assert project.jobs("runs", "--config", "sweep=tiny") == {"run": 6, "runs": 1}
    assert project.jobs("runs", "--config", "sweep=tiny", "group=losses") == {"run": 2, "runs": 1}
    assert project.jobs() == {"notebook": 1, "site": 1}, "the book trains no recorded run"
    refused = project.run("runs", "--dry-run", "--config", "sweep=5")
    assert refused.returncode != 0 and "name a sweep: --config sweep=tiny (given: '005')" in refused.stderr

    done = project.run(ONE)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "_build" / "runs" / "tiny" / "nhot" / "n3-seed1.ipynb").read_text()
    assert any(cell.get("outputs") for cell in nbformat.reads(text, 4).cells)
    assert project.jobs("runs", "--config", "sweep=tiny") == {"run": 5, "runs": 1}

    # The same from the record alone, without the description.
    assert main(["train", str(tmp_path / ONE), "--store", str(tmp_path / "again")]) == 0
    assert "metrics and curves as recorded" in capsys.readouterr().out

    # A copy from elsewhere knows nothing of times; what counts is the config.
    shutil.rmtree(tmp_path / ".snakemake")
    os.utime(tmp_path / ONE, (1e9, 1e9))
    assert project.jobs(ONE) == {}
    changed = {**DESCRIPTION, "bases": {"tiny": {**TINY, "epochs": 2}}}
    (tmp_path / "data" / "sweeps" / "tiny.yml").write_text(yaml.safe_dump(changed))
    assert project.jobs(ONE) == {"run": 1}
    (tmp_path / "data" / "sweeps" / "tiny.yml").write_text("groups: {g: {base: none}}")
    assert "there is no 'none'" in project.run("--dry-run").stderr
