"""Which figures meet their limits, and what is said when they do not."""

import json
import os

import pytest

from ferbook.book import bench
from ferbook.cli.commands import main
from ferbook.core import machine, paths
from ferbook.learning import throughput

NETWORK = {"factor": 1.2, "engine": {"matrix_share": 0.6}, "precision": "32-true", "setting": {"batch": 32}}


@pytest.mark.parametrize(
    ("key", "value", "missed"),
    [
        ("cold_s", 15, False),
        ("cold_s", 15.1, True),
        ("faces_per_s_48", 800, False),
        ("faces_per_s_48", 799, True),
        ("factor", 2.5, False),
        ("networks.vgg16_48.engine.matrix_share", 0.879, True),
        ("networks.cifar_resnet18.engine.matrix_share", 0.85, False),
        ("networks.compact.engine.matrix_share", 0.649, True),
        ("networks.compact.usual.matrix_share", 0.1, False),
        ("faces", 1, False),
    ],
)
def test_limits(key, value, missed):
    assert bench.is_missed(key, value) is missed


def test_a_report_marks_what_is_missed_and_keeps_everything(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(paths, "project_root", lambda: tmp_path)
    found = {"load": 0.1, "networks": {"compact": NETWORK, "vgg16_48": {**NETWORK, "engine": {"matrix_share": 0.9}}}}
    monkeypatch.setattr(bench, "training", lambda: found)
    bench.run(parts=["training"])
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if "MISSED" in line] == [
        f"  {'networks.compact.engine.matrix_share':44} {'0.6':>12}  (at least 0.65)  MISSED"
    ]
    assert not any("batch" in line or "other programs" in line for line in lines)
    kept = json.loads((tmp_path / "_build" / "bench" / "training.json").read_text())
    assert kept["networks"] == found["networks"]
    assert {"processor", "instructions", "torch", "lightning"} <= set(kept["machine"])


def test_a_busy_machine_is_told_from_an_idle_one(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(paths, "project_root", lambda: tmp_path)
    monkeypatch.setattr(bench.throughput, "compare", lambda: {"networks": {}})
    monkeypatch.setattr(os, "getloadavg", lambda: (bench.BUSY + 0.1, 0.0, 0.0))
    assert bench.run(parts=["training"])["training"]["load"] == bench.BUSY + 0.1
    assert "other programs were using the machine: measure again when it is idle" in capsys.readouterr().out


def test_a_gpu_has_a_record_of_its_own(tmp_path, monkeypatch):
    """Not in the place of its processor's, whose speeds estimates of cost are made from."""
    monkeypatch.setenv("FERBOOK_HOME", str(tmp_path))
    (tmp_path / "_config.yml").touch()
    (tmp_path / "data").mkdir()
    tiny, told = throughput.pictures(10), machine.description()
    monkeypatch.setattr(bench.throughput, "pictures", lambda count: tiny)
    monkeypatch.setattr(bench, "training", lambda: {"load": 0.1, "networks": {}})
    for gpu in ("none", "NVIDIA H200"):
        monkeypatch.setattr(bench.machine, "description", lambda gpu=gpu: told | {"instructions": "AMX", "gpu": gpu})
        bench.record_training()
    assert {path.stem for path in tmp_path.rglob("training/*.json")} == {"amx", "nvidia-h200"}
    assert set(bench.recorded("training")) == {"AMX", "NVIDIA H200"}


def test_loading_is_measured_in_a_process_of_its_own(tiny):
    found = bench._probe(str(tiny.write_archives()), dict(os.environ))
    assert found["faces"] == 8
    assert 0 < found["seconds"] < 60
    assert 20 < found["peak_mib"] < 2000


def test_an_unknown_part_is_refused_before_anything_runs(capsys):
    assert main(["bench", "cooking"]) == 2
    assert "there is no part 'cooking'" in capsys.readouterr().err
