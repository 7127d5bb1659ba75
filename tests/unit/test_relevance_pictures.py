"""Faces of this chapter from every data set, and the network trained on FER+, each on something small."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from ferbook import models
from ferbook.core.errors import ConfigError, DataError
from ferbook.datasets import load
from ferbook.faces.emotions import EMOTIONS
from ferbook.faces.faceset import FaceSet
from ferbook.learning import runs, sweeps
from ferbook.learning.runs import RunResult
from ferbook.relevance import benchmark, intensity, networks, photographs, pictures
from tests import folders
from tests.folders import JAFFE_FACES, KDEF_FACES, grey, kdef_picture


def both(name, place, **options):
    return [pictures.part(name, which, 100, root=place, **options) for which in ("train", "test")]


def disjoint(train, test):
    assert len(train) and len(test)
    assert not set(train.ids) & set(test.ids)
    if train.subject is not None:
        assert not set(train.subject) & set(test.subject)


def test_synthetic_faces_have_one_emotion_and_a_known_intensity():
    train, test = (pictures.part("synthetic", which, 40, seed=3) for which in ("train", "test"))
    disjoint(train, test)
    assert (np.sort(train.distribution, axis=1)[:, :-1] == 0).all()
    assert train.intensity.min() >= 0.2 and train.images.shape == (40, 48, 48)
    faces = intensity.part("synthetic", "train", 40, seed=3)
    assert torch.equal(faces.images, networks.standardised(train.images))
    assert np.array_equal(faces.labels.numpy(), train.distribution.argmax(axis=1))


def test_ferplus_is_cleaned_and_its_strength_is_the_share_of_votes(tiny, monkeypatch):
    tiny.rows["test"][0][2:] = ["0", "6", "2", "0", "0", "0", "0", "0", "2", "0"]
    tiny.rows["test"][1][2:] = ["0", "5", "0", "0", "0", "0", "0", "0", "5", "0"]
    tiny.write_folders()
    test = pictures.part("ferplus", "test", 10, root=tiny.folder)
    assert test.ids.tolist() == [tiny.rows["test"][0][0]]
    assert test.intensity.tolist() == [0.75]
    assert EMOTIONS[test.distribution.argmax()] == "happiness"


def test_jaffe_is_divided_by_person(root):
    folders.jaffe_folder(root)
    train, test = both("jaffe", root, size=32, colour=True)
    disjoint(train, test)
    assert len(train) + len(test) == len(JAFFE_FACES)
    assert train.images.shape[1:] == (32, 32, 3)
    assert np.isnan(intensity.Faces.of(test, lambda images: torch.from_numpy(images)).intensity).all()


def test_kdef_is_divided_by_person_and_made_grey(root):
    for name in KDEF_FACES:
        kdef_picture(root / "KDEF" / name)
    train, test = both("kdef", root)
    disjoint(train, test)
    # Grey of the makers' colour.
    expected = np.asarray(Image.new("RGB", (1, 1), (200, 100, 50)).convert("L"))[0, 0]
    assert train.images.shape[1:] == (48, 48)
    assert abs(int(train.images[0, 24, 24]) - int(expected)) <= 3


def test_ckplus_is_divided_by_person(root):
    for person in range(10):
        for sequence, emotion in enumerate(("anger", "happy")):
            folder = root / "CK+48" / emotion
            folder.mkdir(parents=True, exist_ok=True)
            grey(person, 48, 48).save(folder / f"S{person:03d}_00{sequence}_00000017.png")
    train, test = both("ckplus", root)
    disjoint(train, test)
    assert len(set(test.subject)) == 2 and len(test) == 4


def test_affectnet_has_parts_of_its_own(root):
    folders.affectnet_2017(root)
    train, test = both("affectnet", root, size=16, colour=True)
    disjoint(train, test)
    assert set(train.split) == {"train"} and set(test.split) == {"valid"}
    assert train.images.shape == (8, 16, 16, 3)


def test_fewer_faces_are_drawn_and_never_the_same_ones_twice(root):
    folders.jaffe_folder(root)
    few = pictures.part("jaffe", "train", 3, root=root)
    assert len(few) == 3 and len(set(few.ids)) == 3
    assert set(few.ids) <= set(pictures.part("jaffe", "train", 100, root=root).ids)


def test_unknown_names_are_refused():
    with pytest.raises(ConfigError, match="jaffe"):
        pictures.part("vad_fer2013", "train", 10)
    with pytest.raises(ConfigError, match="'train' or 'test'"):
        pictures.part("synthetic", "validation", 10)


# --- VGG16 on FER+ ---


def test_a_vgg_in_a_row_is_the_same_network():
    network = models.build("vgg16_48", num_classes=8, in_channels=1, seed=0).eval()
    row = networks.in_a_row(network).eval()
    images = torch.rand(2, 1, 48, 48)
    with torch.inference_mode():
        assert torch.equal(row(images), network(images))
        assert torch.allclose(row[-1](row[:-1](images)), network(images))
    assert row[0].weight is network.features[0].weight


def test_the_weights_of_the_run_are_loaded_as_the_engine_built_them(tmp_path):
    config = sweeps.read_config("001/vgg16/seed0")
    run = runs.open_run(config, tmp_path)
    with pytest.raises(DataError, match="ferbook sweep"):
        photographs.vgg16(tmp_path)
    network = models.build(config.model.name, num_classes=8, in_channels=1, seed=7, **config.model.options).eval()
    models.save_weights(network, run.best)
    run.finish(RunResult(config.model_dump(mode="json"), [], {}, {}), {})
    loaded = photographs.vgg16(tmp_path)
    images = torch.rand(2, 1, 48, 48)
    with torch.inference_mode():
        assert torch.equal(loaded(images), network(images))


def clear_faces(count, seed):
    """Which quarter of the picture is bright stands for one of four emotions; how bright, for the share of votes."""
    rng = np.random.default_rng(seed)
    label = np.arange(count) % 4
    share = rng.uniform(0.5, 1, count)
    images = rng.integers(0, 30, (count, 16, 16))
    for place, (emotion, strength) in enumerate(zip(label, share, strict=True)):
        row, column = 8 * (emotion // 2), 8 * (emotion % 2)
        images[place, row : row + 8, column : column + 8] += int(200 * strength)
    distribution = np.zeros((count, 8))
    distribution[np.arange(count), label] = share
    distribution[np.arange(count), label + 4] = 1 - share
    return FaceSet(
        "clear", images.astype(np.uint8), np.arange(count).astype(str), distribution=distribution, intensity=share
    )


def test_what_is_recorded_of_a_network_on_photographs():
    """A network that adds up the quarters names them all, and its logit is the brightness, so the share of votes."""
    faces = clear_faces(200, 0)
    first = nn.Conv2d(1, 1, 1, bias=False)
    first.weight.data.fill_(1.0)
    last = nn.Linear(256, 8, bias=False)
    last.weight.data.zero_()
    for emotion in range(4):
        quarter = np.zeros((16, 16), dtype=np.float32)
        row, column = 8 * (emotion // 2), 8 * (emotion % 2)
        quarter[row : row + 8, column : column + 8] = 1 / 64
        last.weight.data[emotion] = torch.from_numpy(quarter.ravel())
    network = nn.Sequential(first, nn.ReLU(), nn.Flatten(), last).eval()
    found = photographs.measure(network, faces, ("z_plus", "epsilon"))
    assert found["accuracy"] == 1 and np.array_equal(found["confusion"], np.diag([50] * 4 + [0] * 4))
    kept = found["trained"]
    assert kept["faces"] == 150 and sum(kept["ranks"]["epsilon"]) == 150
    assert set(kept["ranks_by_emotion"]["z_plus"]) == set(EMOTIONS[1:4])
    assert all(sum(given) == 50 for given in kept["ranks_by_emotion"]["z_plus"].values())
    assert kept["correlations"]["logit"]["spearman"] > 0.9
    assert kept["correlations"]["relevance (z_plus)"]["spearman"] > 0.9
    for name in ("z_plus", "gamma_box"):
        assert found["conserved"][name] == pytest.approx([1, 1], abs=0.01)
    # Nothing speaks against: what counts twice has nothing to be taken from.
    assert found["conserved"]["alpha2_beta1"] == pytest.approx([2, 2], abs=0.01)


def test_a_record_of_other_weights_is_refused(monkeypatch):
    faces = load("synthetic", count=60, seed=1)
    network = networks.untrained(0, size=48).eval()
    monkeypatch.setattr(photographs, "vgg16", lambda store: network)
    monkeypatch.setattr(photographs, "measure", lambda network, faces: {"accuracy": 0.2})
    fake = RunResult({}, [], {"test_accuracy": 0.8}, {})
    monkeypatch.setattr(photographs.sweeps, "read", lambda path: fake)
    with pytest.raises(DataError, match=r"20\.0%"):
        photographs.record(faces)


# --- networks for each data set, and tables of correlations ---


def test_a_network_is_kept_for_each_data_set_apart(root, monkeypatch):
    folders.jaffe_folder(root)
    monkeypatch.setenv("FERBOOK_DATA", str(root))
    real, made = (intensity.ready(count=40, epochs=1, dataset=name) for name in ("jaffe", "synthetic"))
    again = intensity.ready(count=40, epochs=1, dataset="jaffe")
    first = [network[-1].weight for network in (real, made, again)]
    assert torch.equal(first[0], first[2]) and not torch.equal(first[0], first[1])
    with pytest.raises(ConfigError, match="no intensity is known"):
        pictures.strength("jaffe")


def run(value):
    told = {"spearman": value, "kendall": value / 2} if value is not None else {"spearman": None, "kendall": None}
    ends = {
        f"{key}_{end}": None if v is None else v + shift
        for key, v in told.items()
        for end, shift in (("low", -0.1), ("high", 0.1))
    }
    return {"correlations": {"logit": {**told, **ends, "count": 50}}}


def test_one_network_has_an_interval_over_faces_and_several_one_over_networks():
    one = intensity.mean([run(0.3)], "logit")
    assert (one.estimate, one.low, one.high, one.count) == (0.3, pytest.approx(0.2), pytest.approx(0.4), 50)
    several = intensity.mean([run(0.2), run(0.3), run(0.4)], "logit")
    # Student's t with two degrees of freedom: 4.303 standard errors.
    assert several.estimate == pytest.approx(0.3) and several.high == pytest.approx(
        0.3 + 4.3027 * 0.1 / 3**0.5, abs=1e-4
    )
    assert intensity.mean([run(0.2), run(None)], "logit") is None
    (row,) = intensity.sheet({"one": [run(0.3)], "none": [run(None)]}, "one")
    assert row == {"measure": "logit", "one": "+0.30 (+0.20 to +0.40)", "none": "all alike", "Kendall, one": "+0.15"}


def test_the_benchmark_compares_turns_that_lie_beside_each_other(monkeypatch):
    # Eight pictures in a batch, three one by one: seconds of one picture are 1, 2, 1 and 2, 3, 4.
    told = {"batched": [8.0, 16.0, 8.0], "plain": [6.0, 9.0, 12.0], "peak": 1500.4, "difference": 0.000123}
    monkeypatch.setattr(benchmark.machine, "probed", lambda *_: told)
    found = benchmark.lrp()
    assert found["lrp_factors"] == [2, 1.5, 4] and found["lrp_factor"] == round(12 ** (1 / 3), 2)
    low, high = found["lrp_factor_interval"]
    assert low < found["lrp_factor"] < high
    assert found["lrp_images_per_s"] == 0.75 and found["lrp_images_per_s_plain"] == pytest.approx(1 / 3, abs=1e-3)
    assert found["lrp_peak_mib"] == 1500
