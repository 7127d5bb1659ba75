"""The queue: what comes first, what a budget holds, and that a killed one loses nothing and runs nothing twice."""

import itertools
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import yaml

from ferbook.cli.commands import main
from ferbook.core.errors import ConfigError
from ferbook.learning import queue, runs, sweeps, training

ROOT = Path(__file__).resolve().parents[2]
TINY = {"data": {"name": "synthetic", "options": {"count": 80}}, "loss": "cross_entropy", "batch": 32, "epochs": 2}
GROUPS = {
    "short": {"base": TINY, "vary": {"seed": [0, 1]}},
    "long": {"base": TINY | {"epochs": 3}, "vary": {"labels.n_hot": [1, 3]}},
}


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A project of its own with four runs, and a queue of them."""
    (tmp_path / "data" / "sweeps").mkdir(parents=True)
    (tmp_path / "_config.yml").touch()
    monkeypatch.setenv("FERBOOK_HOME", str(tmp_path))
    monkeypatch.setattr(queue.machine, "matrix_rates", lambda: {"fp32": 100.0, "bf16": 1.0})
    # Training itself is free to use one; what is expected of it is a processor's.
    monkeypatch.setattr(queue.machine, "has_gpu", lambda: False)
    sweeps.description("tiny").write_text(yaml.safe_dump({"groups": GROUPS}))
    describe([{"runs": "tiny/short/*", "worth": 2}, {"runs": "tiny/long/*", "worth": 30, "why": "more claims"}])
    return tmp_path


def describe(content):
    queue.listed().write_text(content if isinstance(content, str) else yaml.safe_dump(content))


def names(jobs):
    return [job.name for job in jobs]


def records(home):
    return {path.stem: path for path in (home / "data" / "recorded").rglob("*.json")}


def test_most_worth_per_second_comes_first(home):
    jobs = queue.jobs()
    assert names(jobs) == ["long/n_hot1", "long/n_hot3", "short/seed0", "short/seed1"]
    assert [job.worth for job in jobs] == [15, 15, 1, 1]
    # A run of three epochs is one and a half times a run of two.
    assert jobs[0].seconds == pytest.approx(1.5 * jobs[2].seconds)
    describe([{"runs": "tiny/short/*", "worth": 2}, {"runs": "tiny/long/*", "worth": 2}])
    assert names(queue.jobs())[:2] == ["short/seed0", "short/seed1"]


def test_a_faster_machine_takes_less_time(home, monkeypatch):
    slow = queue.jobs()[0].seconds
    monkeypatch.setattr(queue.machine, "matrix_rates", lambda: {"fp32": 100.0, "bf16": 400.0})
    assert queue.jobs()[0].seconds == pytest.approx(slow / 4)


def test_a_step_of_a_gpu_takes_its_time_however_fast_it_computes(home, monkeypatch):
    monkeypatch.setattr(queue.machine, "matrix_rates", lambda: {"fp32": 1e6, "bf16": 1e6})
    processor = queue.jobs()[0].seconds
    monkeypatch.setattr(queue.machine, "has_gpu", lambda: True)
    job = queue.jobs()[0]
    # Of the 80 faces, two batches of at most 32 train.
    assert job.seconds == pytest.approx(queue._GPU_STEP * 2 * job.config.epochs) and job.seconds > 10 * processor


def test_what_is_recorded_or_begun_is_known(home):
    whole = queue.jobs()[0]
    # An epoch takes five seconds, so that a second one would end at ten.
    clock = itertools.chain([0.0], itertools.repeat(5.0))
    with pytest.MonkeyPatch.context() as patch:
        slow = SimpleNamespace(**{**vars(time), "monotonic": lambda: next(clock)})
        patch.setattr("ferbook.learning.callbacks.time", slow)
        with pytest.raises(queue.OutOfTimeError, match="after epoch 1; it goes on from there"):
            training.train(whole.config, until=10.0)
    assert runs.run_of(whole.config).checkpoint.is_file()
    begun = queue.jobs()
    assert (begun[0].name, begun[0].begun) == (whole.name, 1)
    assert begun[0].seconds == pytest.approx(whole.seconds * 2 / 3)
    assert queue.run(begun[:1], budget=600, say=lambda _: None) == (1, 0)
    assert len(sweeps.read(records(home)["n_hot1"]).history) == 3
    assert whole.name not in names(queue.jobs())


def test_a_budget_that_holds_no_epoch_starts_none(home, monkeypatch):
    monkeypatch.setattr(training, "train", lambda *_, **__: pytest.fail("it was trained"))
    said = []
    assert queue.run(queue.jobs(), budget=0, say=said.append) == (0, 0)
    assert said == ["no epoch of the 4 runs that are left ends within the budget"]


def test_the_budget_holds_what_follows_the_last_epoch(home, monkeypatch):
    given = []
    monkeypatch.setattr(queue.time, "monotonic", lambda: 1000.0)
    monkeypatch.setattr(training, "train", lambda *_, until, **__: given.append(until))
    monkeypatch.setattr(sweeps, "record", lambda path, config, train: train(config))
    for budget in (540, 100):
        queue.run(queue.jobs()[:1], budget=budget, say=lambda _: None)
    assert given == [1530.0, 1095.0]


def test_a_gpu_is_timed_before_its_first_run(home, monkeypatch, capsys):
    done = []
    monkeypatch.setattr(queue.machine, "has_gpu", lambda: True)
    monkeypatch.setattr(queue.machine, "kind", lambda: "NVIDIA H200")
    monkeypatch.setattr("ferbook.book.bench.record_fourfold", lambda: done.append("timed"))
    monkeypatch.setattr(queue, "run", lambda *_: done.append("run") or (0, 0))
    assert main(["queue", "--budget", "9", "--dry-run"]) == 0
    assert not done and capsys.readouterr().out.startswith("first of all")
    main(["queue", "--budget", "9"])
    assert done == ["timed", "run"]
    monkeypatch.setattr("ferbook.book.bench.recorded", lambda what: {"NVIDIA H200": {}})
    main(["queue", "--budget", "9"])
    assert done == ["timed", "run", "run"]


def test_a_run_that_fails_does_not_stop_the_others(home, monkeypatch):
    groups = GROUPS | {"long": {"base": TINY | {"data": {"name": "jaffe"}}, "vary": {"seed": [0]}}}
    jobs = queue.jobs()
    sweeps.description("tiny").write_text(yaml.safe_dump({"groups": groups}))
    missing = sweeps.runs(sweeps.description("tiny"))["long/seed0"]
    said = []
    broken = queue.replace(jobs[0], name="long/seed0", config=missing)
    assert queue.run([broken, jobs[2]], budget=600, say=said.append) == (1, 1)
    assert "long/seed0: failed" in said[0] and set(records(home)) == {"seed0"}

    # What torch says of a full GPU is none of the library's own errors.
    def full(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory.\nTried to allocate 2 GiB.")

    monkeypatch.setattr(training, "train", full)
    assert queue.run([jobs[3]], budget=600, say=said.append) == (0, 1)
    assert said[-1] == "tiny/short/seed1: failed: CUDA out of memory."


def test_a_killed_queue_loses_nothing_and_runs_nothing_twice(home, capsys):
    command = [sys.executable, "-W", "ignore", "-m", "ferbook.cli", "queue", "--budget", "600"]
    with subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1"}, stdout=subprocess.DEVNULL) as process:
        limit = time.monotonic() + 120
        # After the first record, within the next run.
        while not (records(home) and list((home / "_build" / "runs").glob("*/last.ckpt"))):
            assert process.poll() is None and time.monotonic() < limit
            time.sleep(0.01)
        process.kill()
    before = {name: (path.read_bytes(), path.stat().st_mtime_ns) for name, path in records(home).items()}
    assert 0 < len(before) < 4
    assert main(["queue", "--budget", "600"]) == 0
    assert f"{4 - len(before)} recorded, 0 failed, 0 left" in capsys.readouterr().out
    after = records(home)
    assert set(after) == {"n_hot1", "n_hot3", "seed0", "seed1"}
    assert {name: (after[name].read_bytes(), after[name].stat().st_mtime_ns) for name in before} == before
    # The interrupted run is the one that nobody interrupted.
    for name, config in sweeps.runs(sweeps.description("tiny")).items():
        undisturbed = training.train(config, home / "undisturbed")
        found = sweeps.read(sweeps.record_path("tiny", name))
        assert [e["valid_accuracy"] for e in found.history] == [e["valid_accuracy"] for e in undisturbed.history]
    assert main(["queue", "--budget", "600"]) == 0
    assert "0 recorded, 0 failed, 0 left" in capsys.readouterr().out


def test_the_list_says_what_the_budget_holds(home, capsys):
    first = queue.jobs()[0].seconds
    assert main(["queue", "--budget", str(first * 1.01), "--dry-run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:5]] == [f"tiny/{name}" for name in names(queue.jobs())]
    assert [line.endswith("beyond the budget") for line in lines[1:5]] == [False, True, True, True]
    assert not records(home)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("- [", "is not a queue"),
        ({}, "should be a list of entries"),
        ([{"runs": "tiny/*"}], "entry 1: should be"),
        ([{"runs": "tiny/*", "worth": 0}], "entry 1: should be"),
        ([{"runs": "tiny/*", "worth": 1, "cost": 2}], "entry 1: should be"),
        (
            [{"runs": "tiny/*", "worth": 1}, {"runs": "tiny/absent*", "worth": 1}],
            "entry 2: runs: 'tiny/absent.' matches",
        ),
        ([{"runs": "absent/*", "worth": 1}], "there is no file"),
    ],
)
def test_a_broken_queue_is_one_clear_error(home, content, said):
    describe(content)
    with pytest.raises(ConfigError, match=said):
        queue.jobs()


def test_the_books_own_queue_names_runs_that_are_described():
    for entry in yaml.safe_load((ROOT / "data" / "queue.yml").read_text()):
        paper, _, pattern = entry["runs"].partition("/")
        described = sweeps.runs(ROOT / "data" / "sweeps" / f"{paper}.yml")
        assert any(queue.fnmatchcase(name, pattern) for name in described), entry
