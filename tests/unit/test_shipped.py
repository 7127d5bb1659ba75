"""What the released network is worth by group: the counting, and the record that pages show."""

import numpy as np
import pytest

from ferbook.core import records
from ferbook.faces.emotions import EMOTIONS
from ferbook.learning import calibration, sweeps, trained
from ferbook.photos import scenes, shipped
from ferbook.photos.pictures import of_array
from ferbook.photos.reader import load_model
from ferbook.vision import detection


def test_groups_by_agreement_hold_every_face_once():
    distribution = np.array([[0.5, 0.5], [0.7, 0.3], [0.6, 0.4], [0.8, 0.2], [1.0, 0.0], [0.3, 0.7]])
    probabilities = np.array([[0.9, 0.1]] * 6)
    found = shipped.by_agreement(probabilities, distribution)
    assert [one["faces"] for one in found] == [1, 3, 1, 1]
    assert [one["right"] for one in found] == [1, 2, 1, 1]
    assert found[1]["share"] == pytest.approx(2 / 3) and found[1]["low"] < 2 / 3 < found[1]["high"]
    assert shipped.by_agreement(probabilities[:1], distribution[:1])[3]["share"] is None


def test_confidence_is_compared_with_accuracy_in_groups():
    probabilities, distribution = np.array([[0.95, 0.05], [0.93, 0.07], [0.55, 0.45]]), np.eye(2)[[0, 1, 0]]
    low, high = shipped.reliability(probabilities, distribution)
    assert (low["faces"], low["accuracy"]) == (1, 1.0)
    assert (high["faces"], high["accuracy"], high["confidence"]) == (2, 0.5, pytest.approx(0.94))


def test_the_record_is_of_the_shipped_network_and_agrees_with_its_run():
    known = records.read(shipped.RECORD)["values"]
    run = sweeps.read(sweeps.record_path(*trained.RELEASED[known["model"]].split("/", 1))).metrics
    assert known["weights"] == calibration.weights_mark(known["model"])
    faces = run["faces"]["test"]
    assert known["accuracy"] == pytest.approx(run["test_accuracy"], abs=2 / faces)
    assert [one["emotion"] for one in known["by_emotion"]] == list(EMOTIONS)
    for name in ("by_emotion", "by_agreement", "reliability", "reliability_before"):
        assert sum(one["faces"] for one in known[name]) == faces
    assert sum(one["right"] for one in known["by_agreement"]) == round(known["accuracy"] * faces)
    shares = [one["share"] for one in known["by_agreement"]]
    assert shares == sorted(shares)
    path = known["through_the_detector"]
    assert path["lost"] < path["aligned"] < path["as_cropped"] and path["ece"] <= 0.03


def test_a_scene_tells_whose_face_is_whose():
    pytest.importorskip("facenet_pytorch")
    pixels, people, middles = scenes.scene(3, seed=7)
    assert pixels.shape == (480, 640, 3) and len(people) == 3
    seen = load_model().see(of_array(pixels))
    owner = scenes.nearest(seen.found.boxes, middles)
    assert len(set(owner.tolist())) == len(owner)
    boxes = detection.detect_all(pixels).boxes
    assert (np.abs((boxes[:, :2] + boxes[:, 2:]) / 2 - middles[owner]) < scenes.HEAD / 2).all()
    with pytest.raises(ValueError, match="1 to 3"):
        scenes.scene(4)
