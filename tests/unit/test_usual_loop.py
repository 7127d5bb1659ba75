"""The usual loop reads real files and learns; the engine beside it trains the same network on the same pictures."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch
from PIL import Image

from ferbook import models
from ferbook.core import machine, memory
from ferbook.core.errors import ConfigError, DataError, FerbookError
from ferbook.learning import configs, task_base, throughput, usual_loop
from ferbook.learning.throughput import Setting
from ferbook.vision import augment

SMALL = Setting("compact", batch=8, warm_up=2, timed=3)


def bars(count, seed=0):
    """Pictures in which the height of a bright bar tells the class, and the classes."""
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, 8, count)
    images = rng.integers(0, 60, (count, 48, 48)) + 150 * (np.arange(48)[None, :, None] // 6 == classes[:, None, None])
    return images.astype(np.uint8), classes


@pytest.fixture
def folder(tmp_path):
    usual_loop.write_pictures(*bars(64), tmp_path)
    return tmp_path


def plain(picture):
    return torch.from_numpy(np.array(picture))[None]


def test_pictures_come_back_from_the_files_as_they_were(folder):
    images, classes = bars(64)
    read = usual_loop.PictureFiles(folder, plain)
    assert len(read) == 64
    for index in (0, 17, 63):
        picture, label = read[index]
        np.testing.assert_array_equal(picture[0], images[index])
        assert label == classes[index]
    # Opened when asked for, not before.
    Image.fromarray(255 - images[17]).save(folder / read.rows[17][0])
    np.testing.assert_array_equal(read[17][0][0], 255 - images[17])


def test_a_folder_without_labels_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"labels\.csv: there is no label table"):
        usual_loop.PictureFiles(tmp_path, plain)


def test_batches_have_the_networks_shape_and_range(folder):
    steps = ({"name": "crop", "size": 44}, *throughput.AUGMENTATION)
    images, labels = next(iter(usual_loop.loader(folder, steps, batch=16, workers=1)))
    assert images.shape == (16, 1, 44, 44) and images.dtype == torch.float32
    assert images.is_contiguous() and 0 <= images.min() < images.max() <= 1
    assert labels.shape == (16,)


def test_both_augmentations_move_a_dot_as_far():
    """The dot's distance from the centre after many draws: same mean and spread in PIL and in batches."""
    picture = np.zeros((48, 48), np.uint8)
    picture[8:12, 20:24] = 255
    transform = usual_loop.torchvision_transform(throughput.AUGMENTATION)
    torch.manual_seed(0)
    single = torch.stack([transform(Image.fromarray(picture)) for _ in range(600)])
    batch = torch.from_numpy(picture)[None, None].expand(600, 1, 48, 48).float() / 255
    whole = augment.build(throughput.AUGMENTATION)(batch, torch.Generator().manual_seed(0))
    places = torch.arange(48).float()
    for axis in (2, 3):
        centres = [
            (moved.sum((1, 5 - axis)) * places).sum(1) / moved.sum((1, 2, 3)).clamp(min=1e-6)
            for moved in (single, whole)
        ]
        (one_mean, one_spread), (all_mean, all_spread) = ((float(c.mean()), float(c.std())) for c in centres)
        assert one_mean == pytest.approx(all_mean, abs=0.4)
        assert one_spread == pytest.approx(all_spread, rel=0.15)


def test_augmentation_without_a_usual_form_is_refused():
    with pytest.raises(ConfigError, match=r"erase.*Use crop, flip or affine"):
        usual_loop.torchvision_transform([{"name": "erase"}])


def test_the_loss_falls_on_what_is_easy(folder):
    network = models.build("compact", num_classes=8, in_channels=1, seed=0)
    torch.manual_seed(0)
    losses = list(islice(usual_loop.train(network, usual_loop.loader(folder, (), batch=16, workers=0)), 40))
    assert np.mean(losses[-4:]) < 0.5 * np.mean(losses[:4])


def in_process(monkeypatch, folder, setting):
    """Run both ways here, with what they build, see and step recorded."""
    images, classes = bars(64)
    start, shapes = [], []
    honest_build, honest_forward = models.build, models.compact.Compact.forward

    def build(*arguments, **options):
        network = honest_build(*arguments, **options)
        start.append({key: value.clone() for key, value in network.state_dict().items()})
        return network

    def forward(self, x):
        shapes.append((tuple(x.shape), self.training))
        return honest_forward(self, x)

    monkeypatch.setattr(models, "build", build)
    monkeypatch.setattr(models.compact.Compact, "forward", forward)
    distribution = torch.eye(8)[torch.from_numpy(classes)]
    engine = throughput.engine(setting, torch.from_numpy(images)[:, None], distribution)
    seen = list(shapes)
    shapes.clear()
    usual = throughput.usual(setting, folder, workers=0)
    return engine, usual, start, seen, shapes


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("task", "outputs"), [("distribution", 8), ("vad", 11)])
def test_both_ways_train_the_same_network_as_often_on_as_many_pictures(monkeypatch, folder, task, outputs):
    setting = replace(SMALL, task=task)
    engine, usual, start, seen_by_engine, seen_by_usual = in_process(monkeypatch, folder, setting)
    assert len(start) == 2 and start[0].keys() == start[1].keys()
    assert all(torch.equal(value, start[1][key]) for key, value in start[0].items())
    assert seen_by_engine == seen_by_usual == [((8, 1, 48, 48), True)] * SMALL.steps
    assert engine["parameters"] == usual["parameters"] == models.parameter_count(models.build("compact", outputs))
    for found in (engine, usual):
        assert len(found["losses"]) == SMALL.steps and np.isfinite(found["losses"]).all()
        # Eight classes, nothing learned yet: about the logarithm of eight.
        assert 1 < found["losses"][0] < 4
        assert found["images_per_s"] > 0 and found["peak_mib"] > 50
    assert usual["precision"] == "32-true"


def test_the_same_faces_lie_in_the_files_and_in_the_arrays(tmp_path):
    throughput._write_faces(20, tmp_path)
    read = usual_loop.PictureFiles(tmp_path / "pictures", plain)
    with np.load(tmp_path / "faces.npz") as stored:
        np.testing.assert_array_equal(np.stack([read[i][0][0] for i in range(20)]), stored["images"])
        assert [read[i][1] for i in range(20)] == stored["distribution"].argmax(axis=1).tolist()


def test_an_epoch_holds_all_steps_and_what_is_read_ahead():
    for setting in throughput.SETTINGS:
        assert setting.pictures() > setting.steps * setting.batch
        # The queue of two workers is empty, or refilled at the workers' own speed, before the watch starts.
        assert setting.warm_up > 4
        assert len(task_base.Batches(setting.pictures(), setting.batch, task=None)) > setting.steps


def test_multiply_adds_of_a_network_counted_by_hand():
    """The compact network: kernel elements times channels times places, layer by layer."""
    counted = models.multiply_adds("compact", 48, in_channels=1)
    stem = 24 * 24 * 25 * 24
    first = 2 * 24 * 24 * 9 * 24 * 24
    second = 12 * 12 * (9 * 24 * 64 + 9 * 64 * 64 + 24 * 64)
    third = 6 * 6 * (9 * 64 * 128 + 9 * 128 * 128 + 64 * 128)
    assert counted == stem + first + second + third + 128 * 8
    assert models.multiply_adds("compact", 24, in_channels=1) < counted / 3


def test_matrix_rate_is_the_products_operations_over_its_time(monkeypatch):
    times = {torch.float32: 1e-9, torch.bfloat16: 1e-7}
    monkeypatch.setattr(machine, "_product_seconds", lambda side, kind, repeats: 2 * side**3 * times[kind])
    found = machine.matrix_rates()
    # One operation takes 1 ns, and 100 ns in the emulated type, which is given up on beyond a second.
    assert (found["fp32"], found["bf16"]) == (1.0, 0.01)
    assert found["side_bf16"] == 256
    monkeypatch.setattr(machine, "_product_seconds", lambda side, kind, repeats: 2 * side**3 * 1e-12)
    assert machine.matrix_rates()["side_fp32"] == machine.MATRIX


def runs(engine, usual, precision="32-true"):
    def one(speed):
        return {"images_per_s": speed, "peak_mib": 100.4, "precision": precision, "compiled": False}

    return {"engine": [one(s) for s in engine], "usual": [one(s) for s in usual]}


def test_summary_of_runs():
    setting = Setting("compact")
    operations = 6 * models.multiply_adds(setting.network, setting.side, in_channels=1) / 1e9
    found = throughput.summary(setting, runs([300, 500], [100, 300]), matrix_rate=1000 * operations)
    assert found["engine"]["images_per_s"] == 500 and found["usual"]["images_per_s"] == 300
    assert found["factor"] == round(5**0.5, 2) and found["factors"] == [3, 1.67]
    assert found["engine"]["matrix_share"] == 0.5 and found["usual"]["matrix_share"] == 0.3
    # At the full rate the network would train 1,000 pictures a second.
    assert found["engine"]["gflop_per_s"] == pytest.approx(500 * operations, abs=0.05)


def test_the_watch_leaves_the_warm_up_out(monkeypatch):
    times = iter([20.0, 24.0])
    monkeypatch.setattr(throughput.time, "perf_counter", lambda: next(times))
    watch = throughput._Watch(SMALL)
    for _ in range(SMALL.steps):
        watch.step()
    assert watch.speed() == 8 * 3 / 4


def test_an_epoch_with_all_copies(monkeypatch):
    monkeypatch.setattr(throughput.machine, "matrix_rates", lambda: {"fp32": 100.0, "bf16": 50.0})
    config = configs.parse({"model": {"name": "compact"}, "loss": "mse", "copies": {"kind": "ordinary"}})
    found = throughput.fourfold_epoch(config, 10, SMALL)
    assert found["pictures"] == 40 and "losses" not in found
    # Either is rounded on its own.
    assert found["epoch_s"] == pytest.approx(40 / found["images_per_s"], rel=0.05, abs=0.006)
    operations = 6 * models.multiply_adds("compact", 48, in_channels=1) / 1e9
    assert found["gflop_per_s"] == pytest.approx(found["images_per_s"] * operations, rel=0.01, abs=0.06)
    assert found["matrix_share"] == pytest.approx(found["gflop_per_s"] / 100, abs=0.001)


def test_where_the_time_of_a_step_goes(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    faces = throughput.pictures(SMALL.pictures())
    found = throughput._profiled(SMALL, torch.tensor(faces.images)[:, None], torch.tensor(faces.distribution).float())
    assert set(found["shares"]) == {*throughput.WORK, "rest"} and sum(found["shares"].values()) == pytest.approx(1)
    # Nothing was fused; the rest holds augmentation, and no kind holds everything.
    assert found["shares"]["fused"] == 0 and not found["compiled"]
    assert all(0 < found["shares"][kind] < 0.9 for kind in ("convolutions", "batch norm", "ReLU and pooling", "rest"))


def test_a_peak_is_not_inherited_from_the_parent():
    """ru_maxrss is: a child of a large process would seem large."""
    import subprocess
    import sys

    large = np.ones(2**27, dtype=np.uint8)
    code = "from ferbook.core.memory import peak_mib; print(peak_mib())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 1 < float(done.stdout) < 128
    assert memory.peak_mib() > large.nbytes / 2**20


def test_a_measurement_that_fails_says_which(tmp_path):
    with pytest.raises(FerbookError, match=r"measuring usual of compact failed: .*there is no label table"):
        throughput._measured("usual", SMALL, tmp_path)


def test_settings_by_name():
    assert throughput.setting("compact", timed=2).timed == 2
    with pytest.raises(ConfigError, match=r"'compactt' is not measured.*vgg16_48"):
        throughput.setting("compactt")


_BLOCKS = """
import resource, sys
from ferbook.core.memory import keep_freed
if sys.argv[1] == "kept" and not keep_freed():
    print(-1)
    sys.exit()
def block():
    return b"x" * (48 * 2**20)
block()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(4):
    block()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def test_memory_that_is_kept_need_not_be_found_again():
    own, kept = (machine.probed(["-c", _BLOCKS, way], "the memory probe") for way in ("own", "kept"))
    if kept < 0:
        pytest.skip("only glibc can be told")
    # Each block is 48 MiB: 12,288 pages of 4 KiB, or fewer larger ones.
    assert own > 50
    assert kept < own / 20
