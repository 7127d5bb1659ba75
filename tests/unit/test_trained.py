"""Networks of finished runs, and the weights that are given away with their card."""

import dataclasses

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from ferbook import datasets, models
from ferbook.cli.commands import main
from ferbook.core.errors import DataError
from ferbook.faces import splits
from ferbook.faces.emotions import EMOTIONS
from ferbook.faces.labels import clean_votes
from ferbook.learning import configs, runs, sweeps, trained
from ferbook.learning.runs import RunResult
from ferbook.measures import metrics
from tests.conftest import needs_ferplus
from tests.unit.rounding import close

NAME = "compact-ferplus"
RECORD = sweeps.record_path(*trained.RELEASED[NAME].split("/", 1))


def a_result(config):
    """A finished run's result with counts that are easily told apart."""
    counts = np.diag(np.arange(10, 18))
    counts[3, 0], counts[3, 4], counts[7, 7], counts[7, 2] = 20, 5, 0, 17
    totals = counts.sum(axis=1)
    test = {
        "accuracy": 0.8125,
        "accuracy_first": 0.75,
        "kl": 0.25,
        "calibration_error": 0.125,
        "confusion": counts.tolist(),
        "recall": [counts[k, k] / totals[k] for k in range(8)],
    }
    found = {
        "parameters": 1234,
        "faces": {"train": 2000, "valid": 200, "test": int(totals.sum())},
        "seen_in_training": 12,
        "test_accuracy_unseen": 0.8,
        "test_accuracy": 0.8125,
        "test": test,
    }
    return RunResult(config.model_dump(mode="json"), [], found, {"checksum": "abc", "data": "ferplus"})


@pytest.fixture
def released_run(tmp_path, monkeypatch):
    """A run in a store and its record, both under the name that is released."""
    config = configs.parse(
        {"data": {"name": "ferplus"}, "model": {"name": "compact", "options": {"width": 0.25}}, "mirror": True}
    )
    run = runs.open_run(config, tmp_path / "store")
    network = models.build("compact", num_classes=8, in_channels=1, width=0.25, seed=3).eval()
    models.save_weights(network, run.best)
    result = a_result(config)
    run.finish(result, {})
    record = tmp_path / "record.json"
    sweeps.record(record, config, lambda given: result)
    monkeypatch.setattr(trained.sweeps, "record_path", lambda *name: record)
    return config, run, network, result


# --- what is in the repository ---


def test_the_released_network_is_the_recorded_one():
    recorded = sweeps.read(RECORD)
    network = trained.released(NAME)
    assert not network.training
    assert trained.config_of(NAME) == configs.parse(recorded.config)
    assert models.parameter_count(network) == recorded.metrics["parameters"]
    assert trained.place(NAME).stat().st_size <= trained.LARGEST


def test_the_card_is_what_the_record_says():
    """A card that was typed, or left over from other weights, would differ."""
    assert trained.place(NAME).with_suffix(".md").read_text("utf-8") == trained.card(NAME, sweeps.read(RECORD))


def test_the_released_network_reads_painted_faces_better_than_one_answer_would():
    """It never saw one; noise in its weights would leave nothing of this."""
    faces = datasets.load("synthetic", count=200)
    answers = trained.logits(trained.released(NAME), faces.images, mirror=True).numpy()
    truth = faces.distribution
    most_frequent = np.bincount(truth.argmax(1), minlength=8).max() / len(truth)
    assert metrics.tie_aware_accuracy(answers, truth) > most_frequent + 0.05


@needs_ferplus
def test_the_released_network_reaches_on_fer_plus_what_its_card_says(real_ferplus):
    recorded = sweeps.read(RECORD)
    cleaned = clean_votes(real_ferplus.votes)
    kept = real_ferplus.subset(cleaned.keep)
    test = splits.official_split(kept).test
    answers = trained.logits(trained.released(NAME), kept.images[test], mirror=recorded.config["mirror"]).numpy()
    found = metrics.tie_aware_accuracy(answers, cleaned.distribution[test])
    # Another processor adds up in another order, which may move a face that was undecided.
    assert found == pytest.approx(recorded.metrics["test_accuracy"], abs=2 / len(test))


# --- how it comes about ---


def test_release_writes_weights_that_load_and_a_card(released_run, tmp_path):
    _, _, network, result = released_run
    path = trained.release(NAME, tmp_path / "store", tmp_path / "out")
    assert path == trained.place(NAME, tmp_path / "out")
    images = np.random.default_rng(0).integers(0, 256, (5, 48, 48), dtype=np.uint8)
    again = trained.logits(trained.released(NAME, tmp_path / "out"), images, mirror=False)
    assert torch.equal(again, trained.logits(network, images, mirror=False))
    assert path.with_suffix(".md").read_text("utf-8") == trained.card(NAME, result)
    assert sorted(file.name for file in path.parent.iterdir()) == [f"{NAME}.md", f"{NAME}.safetensors"]


def test_the_card_says_what_the_run_found(released_run):
    *_, result = released_run
    card = trained.card(NAME, result)
    assert "1,234 parameters" in card and "81.25%" in card and "75.00%" in card and "80.00%" in card
    assert f"| sadness | {13 + 20 + 5} | {13 / 38:.1%} | neutral ({20 / 38:.0%}) |" in card
    assert "| contempt | 17 | 0.0% | surprise (100%) |" in card
    assert "| happiness | 11 | 100.0% | none |" in card
    assert "Recognised in fewer than 50% of the test faces: sadness, contempt." in card
    assert ", ".join(EMOTIONS) in card and "mirror=True" in card


def test_an_emotion_without_test_faces_is_said_to_have_none(released_run):
    *_, result = released_run
    counts = np.array(result.metrics["test"]["confusion"])
    counts[5] = 0
    recall = [*result.metrics["test"]["recall"]]
    recall[5] = None
    test = result.metrics["test"] | {"confusion": counts.tolist(), "recall": recall}
    card = trained.card(NAME, dataclasses.replace(result, metrics=result.metrics | {"test": test}))
    assert "| disgust | 0 | none to test | none |" in card


def test_only_the_recorded_run_is_released(released_run, tmp_path, monkeypatch):
    _, run, _, result = released_run
    other = dataclasses.replace(result, metrics=result.metrics | {"test_accuracy": 0.5})
    run.finish(other, {})
    with pytest.raises(DataError, match="does not hold the recorded run"):
        trained.release(NAME, tmp_path / "store", tmp_path / "out")
    with pytest.raises(DataError, match="does not hold the recorded run"):
        trained.release(NAME, tmp_path / "elsewhere", tmp_path / "out")
    run.finish(result, {})
    monkeypatch.setattr(trained, "LARGEST", 1000)
    with pytest.raises(DataError, match="more than 1,000"):
        trained.release(NAME, tmp_path / "store", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_files_that_are_no_released_weights_are_named(tmp_path):
    path = trained.place(NAME, tmp_path)
    with pytest.raises(DataError, match=r"no such file.*Given away are: compact-ferplus"):
        trained.released(NAME, tmp_path)
    path.write_text("not weights")
    with pytest.raises(DataError, match="holds no weights of this book"):
        trained.released(NAME, tmp_path)
    save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(DataError, match="holds no weights of this book"):
        trained.released(NAME, tmp_path)
    save_file({"a": torch.zeros(1)}, path, {"config": '{"epochs": "many"}'})
    with pytest.raises(DataError, match="holds no weights of this book"):
        trained.released(NAME, tmp_path)


def test_an_unknown_name_cannot_be_released(capsys):
    assert main(["release", "vgg16"]) == 2
    assert "there is compact-ferplus" in capsys.readouterr().err


# --- a network's answers ---


def test_a_run_that_was_not_finished_has_no_network(tmp_path):
    config = configs.parse({"model": {"name": "compact", "options": {"width": 0.25}}})
    with pytest.raises(DataError, match="not finished"):
        trained.network(config, tmp_path)
    assert list(tmp_path.iterdir()) == [], "asking writes nothing"


def test_mirrored_logits_are_the_mean_of_both_ways():
    network = models.build("compact", num_classes=8, in_channels=1, width=0.25, seed=0).eval()
    images = np.random.default_rng(1).integers(0, 256, (7, 24, 24), dtype=np.uint8)
    both = trained.logits(network, images, mirror=True, size=3)
    literal = []
    with torch.inference_mode():
        for image in images:
            face = torch.from_numpy(image / 255).float()[None, None]
            literal.append((network(face) + network(face.flip(3))) / 2)
    for again in (torch.cat(literal), trained.logits(network, images[:, :, ::-1].copy(), mirror=True)):
        close(both, again, terms=288, layers=10)
