"""The engine: what a config must be, that runs repeat, survive being killed, and stop when the loss does."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from ferbook import datasets, models
from ferbook.book.export import recorded
from ferbook.cli.commands import main
from ferbook.core.errors import ConfigError, DataError, OutputError
from ferbook.learning import callbacks, configs, parts, runs, task_base, tasks, training
from ferbook.measures import metrics, multilabel
from ferbook.measures.metrics import tie_aware_accuracy
from ferbook.vision import appended, detection, detectors
from tests.unit.test_augment import rotate_landmarks

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


def test_a_run_killed_five_times_goes_on_and_ends_the_same(tmp_path):
    """SIGKILL at random moments, each after one more epoch was kept; the rest gives the numbers of an unbroken run."""
    settings = {**SMALL, "epochs": 8}
    unbroken = training.train(configs.parse(settings), tmp_path / "unbroken")
    path, store = tmp_path / "config.json", tmp_path / "store"
    path.write_text(json.dumps(settings))
    checkpoint = runs.open_run(configs.parse(settings), store).checkpoint
    command = [sys.executable, "-m", "ferbook.cli", "train", str(path), "--store", str(store)]
    moments, killed = random.Random(os.getpid()), 0
    for _ in range(5):
        before = _age(checkpoint)
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        while _age(checkpoint) == before and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(moments.uniform(0, 0.4))
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
    assert killed == 5
    result = training.train(configs.parse(settings), store)
    assert result.history == unbroken.history
    assert result.metrics == unbroken.metrics


@pytest.mark.parametrize("known", [True, False])
def test_an_interrupted_run_is_one_run_in_cost_and_threads(known, tmp_path, monkeypatch):
    config = configs.parse({**SMALL, "loss": "mse"})
    honest = tasks.Task.training_step

    def stopped_in_the_last_epoch(self, chosen):
        if self.current_epoch == config.epochs - 1:
            raise task_base.TrainingError("stopped")
        return honest(self, chosen)

    monkeypatch.setattr(tasks.Task, "training_step", stopped_in_the_last_epoch)
    with pytest.raises(task_base.TrainingError):
        training.train(config, tmp_path)
    monkeypatch.undo()
    checkpoint = runs.open_run(config, tmp_path).checkpoint
    state = torch.load(checkpoint, weights_only=True)
    threads = torch.get_num_threads()
    assert state["ferbook"]["threads"] == threads
    state["ferbook"]["threads"] = threads + 1
    earlier = state["callbacks"]["Clock"]["spent"]
    if known:
        state["callbacks"]["Clock"]["spent"] = {name: value + 1000 for name, value in earlier.items()}
    else:
        del state["callbacks"]["Clock"]
    torch.save(state, checkpoint)
    provenance = training.train(config, tmp_path).provenance
    # It went on with the threads that it began with, and whoever called it has its own again.
    assert (provenance["threads"], torch.get_num_threads()) == (threads + 1, threads)
    for name, value in earlier.items():
        assert value > 0
        if known:
            assert provenance[name] > value + 1000
        else:
            assert name not in provenance


def _age(path):
    """When a file was written; 0 while it is not there."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_last_state(tmp_path, monkeypatch):
    honest = tasks.Task._output

    def broken_from_the_third_epoch(self, batch, whole):
        return honest(self, batch, whole) * (float("nan") if self.current_epoch >= 2 else 1.0)

    config = configs.parse({**SMALL, "loss": "mse"})
    monkeypatch.setattr(tasks.Task, "_output", broken_from_the_third_epoch)
    with pytest.raises(task_base.TrainingError, match=r"the loss is nan in epoch 3 .* try a lower lr"):
        training.train(config, tmp_path)
    run = runs.open_run(config, tmp_path)
    assert run.checkpoint.is_file()
    assert run.result() is None
    monkeypatch.undo()
    state = torch.load(run.checkpoint, weights_only=True)
    assert state["epoch"] == 1
    assert all(torch.isfinite(value).all() for value in state["state_dict"].values())


def test_answers_that_are_not_finite_stop_the_run_though_the_last_loss_was(tmp_path, monkeypatch):
    """The step of an epoch's last batch may be the one that breaks the network."""

    def break_the_network(self):
        if self.current_epoch == 1:
            with torch.no_grad():
                next(self.network.parameters()).fill_(float("nan"))

    honest = callbacks.Judge.on_train_epoch_end
    monkeypatch.setattr(
        callbacks.Judge,
        "on_train_epoch_end",
        lambda self, trainer, task: break_the_network(task) or honest(self, trainer, task),
    )
    config = configs.parse({**SMALL, "loss": "mse"})
    with pytest.raises(task_base.TrainingError, match=r"answers are no longer finite in epoch 2 .* try a lower lr"):
        training.train(config, tmp_path)
    assert torch.load(runs.run_of(config, tmp_path).checkpoint, weights_only=True)["epoch"] == 0


def interrupted(config, store, monkeypatch):
    """A run that stopped in its second epoch."""
    honest = tasks.Task.training_step

    def stopped(self, chosen):
        if self.current_epoch == 1:
            raise task_base.TrainingError("stopped")
        return honest(self, chosen)

    with monkeypatch.context() as patch:
        patch.setattr(tasks.Task, "training_step", stopped)
        with pytest.raises(task_base.TrainingError, match="stopped"):
            training.train(config, store)
    return runs.run_of(config, store)


def test_a_run_goes_on_with_the_data_that_it_began_with_or_not_at_all(tmp_path, monkeypatch):
    config = configs.parse({**SMALL, "loss": "mse"})
    run = interrupted(config, tmp_path, monkeypatch)
    state = torch.load(run.checkpoint, weights_only=True)
    assert state["ferbook"]["data"] == datasets.load("synthetic", count=300, size=48).provenance["checksum"]
    torch.save({**state, "ferbook": {**state["ferbook"], "data": "another"}}, run.checkpoint)
    with pytest.raises(task_base.TrainingError, match="began with other data"):
        training.train(config, tmp_path)
    # Checkpoints from before say nothing of their data.
    del state["ferbook"]["data"]
    torch.save(state, run.checkpoint)
    assert len(training.train(config, tmp_path).history) == config.epochs


def test_a_finished_run_of_other_data_is_not_taken_for_this_one(tmp_path, tiny, monkeypatch):
    monkeypatch.setenv("FERBOOK_DATA", str(tiny.write_folders()))
    config = configs.parse({**SMALL, "data": {"name": "ferplus"}})
    run = runs.open_run(config, tmp_path)
    checksum = datasets.load("ferplus").provenance["checksum"]
    result = runs.RunResult(config.model_dump(mode="json"), [], {}, {"checksum": checksum})
    run.finish(result, {})
    assert training.train(config, tmp_path) == result
    run.finish(replace(result, provenance={"checksum": "f" * 64}), {})
    with pytest.raises(DataError, match=r"the finished run is of other data \(checksum ffffffffffff\)"):
        training.train(config, tmp_path)
    # Without the data there is nothing to compare with.
    monkeypatch.setenv("FERBOOK_DATA", str(tmp_path / "nowhere"))
    assert training.train(config, tmp_path).provenance["checksum"] == "f" * 64


def test_a_checkpoint_is_on_disk_whole_or_not_at_all(tmp_path, monkeypatch):
    config = configs.parse({**SMALL, "loss": "mse"})
    run = interrupted(config, tmp_path, monkeypatch)
    whole = run.checkpoint.read_bytes()

    def full_disk(content, stream):
        stream.write(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", full_disk)
        with pytest.raises(OutputError, match=r"last\.ckpt: cannot be written \(No space left on device\)\. Make room"):
            training.train(config, tmp_path)
    assert run.checkpoint.read_bytes() == whole
    assert sorted(path.name for path in run.folder.iterdir()) == ["best.safetensors", "config.json", "last.ckpt"]
    run.checkpoint.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"last\.ckpt: it is no checkpoint of a run .* begins anew"):
        training.train(config, tmp_path)


def test_the_faces_and_the_network_are_on_one_device_when_the_trainer_is_done(tmp_path, monkeypatch):
    """A trainer moves the network off a graphics card when it ends, and the faces stay there."""
    left = []
    honest = tasks.Task.to
    monkeypatch.setattr(tasks.Task, "to", lambda self, *to: left.append(to) or honest(self, *to))
    training.train(configs.parse({**SMALL, "epochs": 1}), tmp_path)
    assert left[-1] == (torch.device("cpu"),)


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
        ({"data": {"options": {"cuont": 300}}}, r"data\.options\.cuont: synthetic has no such option. It has count, "),
        ({"copies": {"kind": "adaptive", "x1": 20}}, r"copies\.x1 must be smaller"),
        ({"copies": {"kind": "adaptive"}, "data": {"aligned": True}}, "aligned faces have none"),
        ({"data": {"detector": "dlib"}}, "nothing asks for them"),
        ({"data": {"aligned": True, "detector": "hog"}}, "data.detector"),
        ({"start": {}, "model": {"weights": "a.safetensors"}}, "leave one out"),
        ({"start": {"model": {"name": "vgg16_48"}, "data": SMALL["data"], "epochs": 0}}, r"start\.epochs"),
    ],
)
def test_what_cannot_work_names_its_field(change, message, tmp_path):
    with pytest.raises((ConfigError, DataError), match=message):
        training.train(configs.parse({**SMALL, **change}), tmp_path)


def test_the_hash_is_of_the_meaning_not_of_the_wording():
    short, full = configs.parse({"seed": 3}), configs.parse({"seed": 3, "epochs": 10, "data": {"name": "synthetic"}})
    assert short.hash == full.hash != configs.parse({"seed": 4}).hash


def test_faces_without_official_parts_need_another_split():
    faces = replace(datasets.load("synthetic", count=20), split=None)
    with pytest.raises(ConfigError, match=r"split\.kind: synthetic has no official split"):
        parts.split_of(configs.parse({}), faces, np.eye(8)[np.zeros(20, dtype=int)])


@pytest.mark.parametrize(
    ("change", "processes", "field"), [({}, 0, "processes"), ({"batch": 3}, 2, "batch"), ({"batch": 7}, 4, "batch")]
)
def test_processes_that_cannot_share_a_batch(change, processes, field, tmp_path):
    with pytest.raises(ConfigError, match=f"{field}: "):
        training.train(configs.parse({**SMALL, **change}), tmp_path, processes)


@pytest.mark.parametrize(
    ("content", "message"), [(None, "there is no file"), (b"{", "is not JSON"), (b"\xff{}", "is not JSON")]
)
def test_config_files_that_cannot_be_read(tmp_path, content, message):
    path = tmp_path / "c.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        configs.read(path)


@pytest.mark.parametrize(
    ("count", "size", "processes"),
    [(10, 3, 1), (9, 3, 1), (10, 64, 1), (65, 64, 1), (64, 64, 1), (66, 64, 1), (67, 64, 2), (68, 64, 2), (134, 64, 4)],
)
def test_batches_cover_every_face_once_and_none_is_alone(count, size, processes):
    class Task:
        config = configs.parse({})
        current_epoch, device = 0, "cpu"

    batches = task_base.Batches(count, size, Task(), processes)
    drawn = list(batches)
    assert len(drawn) == len(batches)
    assert sorted(torch.cat(drawn).tolist()) == list(range(count))
    assert min(map(len, drawn)) >= 2 * processes
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


HASH_OF_DEFAULTS = "7674a781fc38e94c"
HASH_OF_WORDING = "0e716671fbde836e"


def test_a_hash_stays_the_same_from_version_to_version():
    """Recorded runs are found by it. If this fails, a default changed its meaning: raise ``Config.VERSION``."""
    assert configs.Config.VERSION == 1
    assert configs.parse({}).hash == HASH_OF_DEFAULTS
    told = configs.parse({}).model_dump_json()
    assert hashlib.sha256(told.encode()).hexdigest()[:16] == HASH_OF_WORDING, "a default changed, or a field came"


FULL = {**SMALL, "ema": 0.9, "mirror": True, "early": {"side": 32, "share": 0.5}, "test_curve": True}


def test_an_averaged_run_resumes_with_its_average(tmp_path, monkeypatch):
    """Stopped by an error in the third epoch and taken up again, it ends as if nothing had happened."""
    whole = training.train(configs.parse(FULL), tmp_path / "whole")
    honest = tasks.Task._output

    def broken(self, batch, whole):
        if self.current_epoch >= 2:
            raise KeyboardInterrupt
        return honest(self, batch, whole)

    monkeypatch.setattr(tasks.Task, "_output", broken)
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        training.train(configs.parse(FULL), tmp_path / "broken")
    monkeypatch.undo()
    assert without_time(training.train(configs.parse(FULL), tmp_path / "broken")) == without_time(whole)
    assert all("test_accuracy" in entry for entry in whole.history)


def task_of(change, faces=40):
    config = configs.parse({**SMALL, **change, "data": {"name": "synthetic", "options": {"count": faces}}})
    _, chosen = training.load_parts(config)
    tensors = {part: parts.tensors_of(own, target) for part, (own, target) in chosen.items()}
    return training._task(config, tensors, len(tensors["train"][0]))


def test_the_average_follows_its_formula():
    task = task_of({"ema": 0.75})
    kept = [value.double().clone() for value in task.average.parameters()]
    for step in range(20):
        with torch.no_grad():
            for value in task.network.parameters():
                value.add_(0.1 * step)
        decay = min(0.75, (1 + step) / (10 + step))
        kept = [decay * old + (1 - decay) * new for old, new in zip(kept, task.network.parameters(), strict=True)]
        type(task).global_step, original = property(lambda _, step=step: step), type(task).global_step
        task.on_train_batch_end()
        type(task).global_step = original
    for found, twin in zip(task.average.parameters(), kept, strict=True):
        torch.testing.assert_close(found.double(), twin, rtol=1e-4, atol=1e-5)
    assert task.judged is task.average
    assert {id(p) for p in task.configure_optimizers()["optimizer"].param_groups[0]["params"]}.isdisjoint(
        id(p) for p in task.average.parameters()
    )


def test_mirrored_judgement_is_the_mean_of_both_sides():
    task = task_of({"mirror": True})
    images = task.faces["test"][0]
    task.network.eval()
    with torch.no_grad():
        both = [task.network(task_base.scaled(side)) for side in (images, images.flip(3))]
    torch.testing.assert_close(task.predict_part("test"), (both[0] + both[1]) / 2)


@pytest.mark.parametrize("name", ["dan", "compact"])
def test_a_network_sees_images_as_its_source_scales_them(name):
    task = task_of({"model": {"name": name}}, faces=10).eval()
    seen = []
    task.network.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    images = task.faces["test"][0]
    task._output(task_base.scaled(images), whole=False)
    task.predict_part("test")
    wanted = task_base.scaled(images)
    for given in seen:
        torch.testing.assert_close(given, models.normalise(wanted) if name == "dan" else wanted)
    assert len(seen) == 2


def test_what_is_cropped_at_random_in_training_is_tested_on_its_middle():
    task = task_of({"augmentation": [{"name": "flip"}, {"name": "crop", "size": 40}]})
    task.network.eval()
    with torch.no_grad():
        literal = task.network(task_base.scaled(task.faces["test"][0][:, :, 4:44, 4:44]))
    torch.testing.assert_close(task.predict_part("test"), literal)


@pytest.mark.parametrize(("momentum", "seen"), [(0.0, 0.0), (0.7, 0.7)])
def test_sgd_keeps_its_momentum_when_the_rate_goes_up_and_down(momentum, seen):
    task = task_of({"optimiser": {"name": "sgd", "momentum": momentum}, "schedule": {"name": "one_cycle"}})
    assert task.configure_optimizers()["optimizer"].param_groups[0]["momentum"] == seen


def test_early_images_are_smaller_and_later_ones_whole(monkeypatch):
    seen = []
    honest = tasks.Task._output
    monkeypatch.setattr(
        tasks.Task,
        "_output",
        lambda self, b, whole: seen.append((self.current_epoch, b.shape[3])) or honest(self, b, whole),
    )
    task = task_of(FULL)
    trainer = task_base.lightning.Trainer(
        max_epochs=4, logger=False, enable_checkpointing=False, enable_progress_bar=False, accelerator="cpu"
    )
    with callbacks.quiet():
        trainer.fit(task, task_base.Batches(len(task.faces["train"][0]), 64, task))
    assert dict(seen) == {0: 32, 1: 32, 2: 48, 3: 48}


@pytest.mark.parametrize("name", ["dan", "ran"])
def test_networks_with_losses_of_their_own_add_them(name):
    """The training loss is the config's loss plus, with weight 1, what the network's authors add."""
    task = task_of({"model": {"name": name}, "loss": "cross_entropy"}, faces=10)
    images, target = task.faces["train"]
    torch.manual_seed(0)
    output = task.network(task_base.scaled(images[:4]))
    own = task.own_loss(output, target[:4])
    if name == "dan":
        centres = task.own_loss.affinity.centres
        distance = [(f - centres[t.argmax()]).square().sum() for f, t in zip(output.features, target[:4], strict=True)]
        twin = sum(distance) / 4 / centres.var(0).sum() + torch.log(1 + 4 / output.heads.var(1).mean())
        assert id(centres) in {id(p) for p in task.configure_optimizers()["optimizer"].param_groups[0]["params"]}
    else:
        gaps = [0.1 - (max(a[:-1]) - a[-1]) for a in output.alpha.tolist()]
        twin = torch.tensor(sum(max(0.0, gap) for gap in gaps) / 4)
    torch.testing.assert_close(own, twin, rtol=1e-4, atol=1e-5)
    assert task_of({}).own_loss(torch.zeros(2, 8), target[:2]) == 0


def test_several_labels_at_once(tmp_path):
    change = {"task": "multilabel", "loss": "binary_cross_entropy", "labels": {"source": "truth", "present": 0.3}}
    result = training.train(configs.parse({**SMALL, **change}), tmp_path)
    best = max(entry["valid_mean_average_precision"] for entry in result.history)
    assert result.history[result.metrics["chosen_epoch"] - 1]["valid_mean_average_precision"] == best
    found = runs.open_run(configs.parse({**SMALL, **change}), tmp_path).predictions()
    assert set(np.unique(found["distribution"])) <= {0.0, 1.0}
    again = multilabel.evaluate(found["probabilities"], found["distribution"] > 0)
    assert result.metrics["test"]["mean_average_precision"] == pytest.approx(again.mean_average_precision)
    assert result.metrics["test_hamming_loss"] == pytest.approx(again.hamming_loss)


def test_figures_of_the_test_faces_come_from_the_predictions(unbroken):
    store, result = unbroken
    found = runs.open_run(configs.parse(SMALL), store).predictions()
    flags = metrics.from_bits(result.metrics["test_correct"], len(found["ids"]))
    np.testing.assert_array_equal(flags, metrics.is_accurate(found["probabilities"], found["distribution"]))
    assert result.metrics["test"]["accuracy"] == result.metrics["test_accuracy"] == flags.mean()
    assert result.metrics["test"]["kl"] == pytest.approx(
        metrics.crowd_measures(found["probabilities"], found["distribution"])["kl"], rel=1e-5
    )
    assert result.metrics["test_truth"]["kl"] != result.metrics["test"]["kl"]


@pytest.mark.skipif(not task_base.can_compile(), reason="no C++ compiler")
def test_a_compiled_run_learns_the_same(unbroken, tmp_path):
    fused = training.train(configs.parse({**SMALL, "compile": True}), tmp_path)
    assert fused.provenance["compiled"]
    plain = [entry["train_loss"] for entry in unbroken[1].history]
    assert [entry["train_loss"] for entry in fused.history] == pytest.approx(plain, rel=0.05)


def compiled_by(monkeypatch, backend):
    """torch.compile with a backend that takes no time."""
    real = torch.compile
    monkeypatch.setattr(torch, "compile", lambda function, **_: real(function, backend=backend, dynamic=False))
    monkeypatch.setattr(task_base, "can_compile", lambda: True)


def test_the_ninth_network_of_a_process_is_compiled_too(monkeypatch):
    """torch keeps eight versions of the same lines, and then compiles no other."""
    seen = []
    compiled_by(monkeypatch, lambda graph, inputs: seen.append(graph) or graph.forward)
    faces = {"train": (torch.zeros(8, 1, 24, 24, dtype=torch.uint8), torch.full((8, 8), 1 / 8))}
    for place in range(1, 10):
        options = {"width": 0.25, "depth": 1, "dropout": place / 100}
        network = {"name": "compact", "options": options | ({"depth": place} if place < 9 else {"width": 0.5})}
        config = configs.parse({"model": network, "batch": 8, "epochs": 1, "compile": True})
        assert training.fit(config, faces).is_compiled and len(seen) >= place


def test_what_the_compiler_cannot_do_the_network_does(monkeypatch, caplog):
    def broken(graph, inputs):
        raise ValueError("no such kernel")

    compiled_by(monkeypatch, broken)
    faces = {"train": (torch.zeros(8, 1, 24, 24, dtype=torch.uint8), torch.full((8, 8), 1 / 8))}
    plain = {"model": {"name": "compact", "options": {"width": 0.25}}, "batch": 8, "epochs": 2}
    task = training.fit(configs.parse(plain | {"compile": True}), faces)
    assert not task.is_compiled and "trained without being compiled" in caplog.text
    assert task.history == training.fit(configs.parse(plain), faces).history


def test_everything_that_a_run_says_of_its_making_has_a_column(unbroken):
    assert set(unbroken[1].provenance) <= set(recorded._PROVENANCE)


def test_two_processes_learn_what_one_learns(tmp_path):
    """DDP over gloo, same global batch, a network without batch norm and dropout: the curves agree to 1e-3."""
    config = {
        **SMALL,
        "model": {"name": "vgg16_48", "options": {"dropout": 0.0}},
        "data": {"name": "synthetic", "options": {"count": 150, "size": 48}},
        "loss": "cross_entropy",
        "epochs": 2,
        "batch": 25,
        "optimiser": {"name": "sgd", "lr": 0.01},
    }
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    curves = {}
    for processes in (1, 2):
        store = tmp_path / str(processes)
        command = [sys.executable, "-m", "ferbook.cli", "train", str(path), "--store", str(store)]
        subprocess.run([*command, "--processes", str(processes)], check=True, capture_output=True, timeout=300)
        result = runs.open_run(configs.parse(config), store).result()
        assert result.provenance["processes"] == processes
        curves[processes] = [(entry["train_loss"], entry["valid_loss"]) for entry in result.history]
    np.testing.assert_allclose(curves[1], curves[2], rtol=0, atol=1e-3)
    assert curves[1][0] != curves[1][1]


SHORT = {**SMALL, "epochs": 1, "loss": "cross_entropy"}


def test_a_run_begins_with_the_weights_of_another(tmp_path):
    """With a learning rate of next to nothing, the second run ends with the weights that the first one chose."""
    still = {**SHORT, "optimiser": {"lr": 1e-12}, "ema": 0.5}
    config = configs.parse({**still, "start": SHORT})
    assert config.hash != configs.parse(still).hash
    training.train(config, tmp_path)
    first, second = (runs.open_run(one, tmp_path) for one in (configs.parse(SHORT), config))
    assert first.result() is not None
    start, end = load_file(first.best), load_file(second.best)
    for name, value in start.items():
        if "running" not in name and "num_batches" not in name:
            torch.testing.assert_close(end[name], value, atol=1e-6, rtol=0)
    drawn = task_base.models.build("compact", num_classes=8, in_channels=1, seed=config.seed).state_dict()
    assert not torch.equal(drawn["head.1.weight"], start["head.1.weight"])


@pytest.fixture
def tilted(monkeypatch):
    """Landmarks without a detector: every other face leans by 20 degrees, the third has none."""
    upright = detection.TEMPLATE * 48 - 0.5

    def landmarks(part, whole, detector):
        found = np.repeat(upright[None], len(part), axis=0)
        turned = rotate_landmarks(torch.from_numpy(found[1::2]), 20.0, (48, 48)).numpy()
        found[1::2] = turned
        found[2] = np.nan
        return found

    monkeypatch.setattr(detectors, "landmarks_of", landmarks)


def test_copies_are_appended_and_an_epoch_sees_them_all(tmp_path, tilted, monkeypatch):
    seen = []
    honest = tasks.Task.training_step
    monkeypatch.setattr(tasks.Task, "training_step", lambda self, chosen: seen.append(chosen) or honest(self, chosen))
    faces = {}
    for kind in ("none", "ordinary", "adaptive"):
        seen.clear()
        found = training.train(configs.parse({**SHORT, "copies": {"kind": kind}}), tmp_path)
        faces[kind] = len(torch.cat(seen).unique())
        assert found.metrics.get("with_copies", found.metrics["faces"]["train"]) == faces[kind]
    count = found.metrics["faces"]["train"]
    leaning = count // 2
    # A leaning face is not turned further; an upright one is not mirrored; one without landmarks gets all four.
    assert faces == {"none": count, "ordinary": 4 * count, "adaptive": 3 * leaning + 3 * (count - leaning - 1) + 4}


def test_a_copy_has_the_labels_of_its_face(monkeypatch):
    task = task_of(SHORT)
    images, target = task.faces["train"]
    task.copies = appended.Appended.full(len(images), appended.ordinary(20))
    wanted = torch.tensor([3, len(images) + 3, 2 * len(images) + 5])
    kept = {}
    task.augmentation = lambda batch, generator: kept.setdefault("batch", batch)
    task.loss = lambda logits, wanted, generator: kept.setdefault("target", wanted).sum() * 0
    monkeypatch.setattr(tasks.Task, "trainer", SimpleNamespace(world_size=1))
    monkeypatch.setattr(tasks.Task, "global_rank", 0)
    task.training_step(wanted)
    torch.testing.assert_close(kept["target"], target[[3, 3, 5]])
    torch.testing.assert_close(kept["batch"][1], kept["batch"][0].flip(2), atol=1e-4, rtol=0)


def test_aligned_faces_are_turned_upright_in_every_part(tilted):
    plain, aligned = (
        training.load_parts(configs.parse({**SHORT, "data": {**SMALL["data"], "aligned": a}}))[1] for a in (False, True)
    )
    for part in ("train", "valid", "test"):
        assert np.array_equal(plain[part][0].ids, aligned[part][0].ids)
        assert np.array_equal(plain[part][1], aligned[part][1])
        assert not np.array_equal(plain[part][0].images, aligned[part][0].images)
