"""The engine: what a config must be, that runs repeat, survive being killed, and stop when the loss does."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from ferbook import configs, runs, tasks, training
from ferbook.cli import main
from ferbook.errors import ConfigError, DataError
from ferbook.metrics import tie_aware_accuracy

SMALL = {
    "data": {"name": "synthetic", "options": {"count": 300, "size": 48}},
    "loss": "label_draw",
    "epochs": 4,
    "batch": 64,
    "precision": "32",
    "augmentation": [{"name": "flip"}],
    "schedule": {"name": "one_cycle"},
}


@pytest.fixture(scope="module")
def shared_cache(tmp_path_factory):
    """The synthetic set is drawn once for all runs of this file."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def one_cache(shared_cache, private_cache, monkeypatch):
    monkeypatch.setenv("FERBOOK_CACHE", str(shared_cache))


@pytest.fixture(scope="module")
def unbroken(shared_cache, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FERBOOK_CACHE", str(shared_cache))
        store = tmp_path_factory.mktemp("unbroken")
        return store, training.train(configs.parse(SMALL), store)


def without_time(result):
    return {**vars(result), "provenance": {k: v for k, v in result.provenance.items() if "seconds" not in k}}


def test_a_run_has_a_curve_an_epoch_and_predictions(unbroken):
    store, result = unbroken
    assert [entry["epoch"] for entry in result.history] == [1, 2, 3, 4]
    best = max(entry["valid_accuracy"] for entry in result.history)
    assert result.metrics["valid_accuracy"] == pytest.approx(best)
    assert result.history[result.metrics["chosen_epoch"] - 1]["valid_accuracy"] == best
    run = runs.open_run(configs.parse(SMALL), store)
    found = run.predictions()
    assert found["probabilities"].shape == found["distribution"].shape == (len(found["ids"]), 8)
    assert tie_aware_accuracy(found["probabilities"], found["distribution"]) == result.metrics["test_accuracy"]
    assert sorted(path.name for path in run.folder.iterdir()) == [
        "best.safetensors",
        "config.json",
        "predictions.npz",
        "result.json",
    ]


def test_the_same_config_gives_the_same_numbers(unbroken, tmp_path):
    assert without_time(training.train(configs.parse(SMALL), tmp_path)) == without_time(unbroken[1])


def test_another_seed_gives_others(unbroken, tmp_path):
    other = training.train(configs.parse({**SMALL, "seed": 1}), tmp_path)
    assert other.history != unbroken[1].history


def test_a_finished_run_is_not_run_again(unbroken, monkeypatch):
    monkeypatch.setattr(training, "load_parts", lambda _: pytest.fail("it was run again"))
    assert without_time(training.train(configs.parse(SMALL), unbroken[0])) == without_time(unbroken[1])


def test_a_killed_run_goes_on_and_ends_the_same(unbroken, tmp_path):
    """SIGKILL at a random moment after the first checkpoint; the rest must give the numbers of the unbroken run."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps(SMALL))
    store = tmp_path / "store"
    command = [sys.executable, "-m", "ferbook.cli", "train", str(path), "--store", str(store)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    checkpoint = runs.open_run(configs.parse(SMALL), store).checkpoint
    deadline = time.monotonic() + 120
    while not checkpoint.is_file() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(random.Random(os.getpid()).uniform(0, 0.5))
    process.send_signal(signal.SIGKILL)
    process.wait()
    result = training.train(configs.parse(SMALL), store)
    assert result.history == unbroken[1].history
    assert result.metrics == unbroken[1].metrics


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_last_state(tmp_path, monkeypatch):
    honest = tasks.Task._output

    def broken_from_the_third_epoch(self, batch, whole):
        return honest(self, batch, whole) * (float("nan") if self.current_epoch >= 2 else 1.0)

    config = configs.parse({**SMALL, "loss": "mse"})
    monkeypatch.setattr(tasks.Task, "_output", broken_from_the_third_epoch)
    with pytest.raises(tasks.TrainingError, match=r"the loss is nan in epoch 3 .* try a lower lr"):
        training.train(config, tmp_path)
    run = runs.open_run(config, tmp_path)
    assert run.checkpoint.is_file()
    assert run.result() is None
    monkeypatch.undo()
    state = torch.load(run.checkpoint, weights_only=True)
    assert state["epoch"] == 1
    assert all(torch.isfinite(value).all() for value in state["state_dict"].values())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": {"n_hot": 9}}, r"labels\.n_hot: .*less than or equal to 8"),
        ({"optimiser": {"lr": -1}}, r"optimiser\.lr: .*greater than 0"),
        ({"epochs": 0}, "epochs: "),
        ({"colour": 1}, "colour: "),
        ({"choose_on": "test"}, "set test_curve"),
        ({"model": {"name": "vgg1"}}, "vgg1"),
        ({"model": {"options": {"num_classes": 7}}}, r"model\.options\.num_classes"),
        ({"model": {"weights": "nowhere.safetensors"}}, r"nowhere\.safetensors"),
        ({"loss": "guess"}, "guess"),
        ({"augmentation": [{"name": "spin"}]}, "spin"),
        ({"data": {"name": "faces"}}, "there is no data set 'faces'"),
    ],
)
def test_what_cannot_work_names_its_field(change, message, tmp_path):
    with pytest.raises((ConfigError, DataError), match=message):
        training.train(configs.parse({**SMALL, **change}), tmp_path)


def test_the_hash_is_of_the_meaning_not_of_the_wording():
    short, full = configs.parse({"seed": 3}), configs.parse({"seed": 3, "epochs": 10, "data": {"name": "synthetic"}})
    assert short.hash == full.hash != configs.parse({"seed": 4}).hash


@pytest.mark.parametrize(("content", "message"), [(None, "there is no file"), ("{", "is not JSON")])
def test_config_files_that_cannot_be_read(tmp_path, content, message):
    path = tmp_path / "c.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigError, match=message):
        configs.read(path)


@pytest.mark.parametrize(("count", "size"), [(10, 3), (9, 3), (10, 64), (65, 64), (64, 64)])
def test_batches_cover_every_face_once_and_none_is_alone(count, size):
    class Task:
        config = configs.parse({})
        current_epoch = 0

    batches = tasks.Batches(count, size, Task())
    drawn = list(batches)
    assert len(drawn) == len(batches)
    assert sorted(torch.cat(drawn).tolist()) == list(range(count))
    assert min(map(len, drawn)) > 1
    Task.current_epoch = 1
    assert torch.cat(list(batches)).tolist() != torch.cat(drawn).tolist()


def test_only_training_labels_are_reduced():
    config = configs.parse({**SMALL, "labels": {"n_hot": 1}})
    _, parts = training.load_parts(config)
    assert ((parts["train"][1] > 0).sum(axis=1) == 1).all()
    assert ((parts["test"][1] > 0).sum(axis=1) > 1).any()


@pytest.mark.parametrize("kind", ["ordinary", "complex"])
def test_drawn_splits_are_disjoint_and_the_same_for_every_seed(kind):
    settings = {**SMALL, "split": {"kind": kind}}
    first, second = (training.load_parts(configs.parse({**settings, "seed": seed}))[1] for seed in (0, 1))
    ids = {part: set(faces.ids) for part, (faces, _) in first.items()}
    assert not (ids["train"] & ids["test"] or ids["train"] & ids["valid"] or ids["valid"] & ids["test"])
    for part in first:
        np.testing.assert_array_equal(first[part][0].ids, second[part][0].ids)


def test_command_line(tmp_path, capsys):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**SMALL, "epochs": 1}))
    assert main(["train", str(path), "--store", str(tmp_path / "store")]) == 0
    assert "epoch 1 of 1, chosen on valid" in capsys.readouterr().out
    path.write_text(json.dumps({**SMALL, "loss": "guess"}))
    assert main(["train", str(path)]) == 2
