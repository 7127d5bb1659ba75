"""Whole data sets by either detector: pieces that outlive a kill, five of 68 points, what is missing, and agreement."""

import re
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from ferbook import datasets
from ferbook.core import extras
from ferbook.core.errors import ConfigError, DataError, FerbookError
from ferbook.papers.nhot import two_detectors
from ferbook.synthesis import render, sample
from ferbook.vision import agreement, detection, detectors, dlib_detection
from ferbook.vision.detection import LANDMARKS, TEMPLATE, Detections
from ferbook.vision.pose import nose_offset


@pytest.fixture(scope="module")
def faces():
    return datasets.load("synthetic", count=30, size=48)


@pytest.fixture
def finder(monkeypatch, tmp_path):
    """A detector without a network, which both names stand for: every face's number is where its landmarks are."""
    monkeypatch.setenv("FERBOOK_CACHE", str(tmp_path))
    calls = []

    def detect(images, ids):
        calls.append(len(images))
        return table(np.asarray(ids), np.zeros((len(ids), 5, 2)) + [[[float(name[-4:])]] for name in ids])

    monkeypatch.setattr(detection, "detect", detect)
    monkeypatch.setattr(dlib_detection, "detect", detect)
    return SimpleNamespace(detect=detect, calls=calls)


def table(ids, landmarks, found=None):
    """Detections with the given landmarks, and boxes that are always the same; NaN where nothing was found."""
    found = np.ones(len(ids), bool) if found is None else found
    blank = np.where(found, 1, np.nan).astype(np.float32)
    return Detections(
        np.asarray(ids),
        (blank[:, None] * [[0, 0, 9, 9]]).astype(np.float32),
        blank,
        (blank[:, None, None] * landmarks).astype(np.float32),
    )


# --- Tables of whole data sets ---


def test_a_whole_set_is_searched_once(faces, finder):
    part = faces.subset(np.array([7, 3]))
    numbers = [float(name[-4:]) for name in part.ids]
    assert detectors.landmarks_of(part, faces)[:, 0, 0].tolist() == numbers
    assert detectors.landmarks_of(faces, faces).shape == (30, 5, 2)
    assert finder.calls == [30]


def test_a_training_does_not_begin_with_an_hour_of_dlib(faces, finder):
    with pytest.raises(DataError, match="`ferbook record detectors` makes it"):
        detectors.landmarks_of(faces, faces, "dlib")
    assert not finder.calls
    detectors.search(faces, "dlib")
    assert detectors.landmarks_of(faces, faces, "dlib").shape == (30, 5, 2)
    # The other detector's table is another.
    detectors.search(faces, "mtcnn")
    assert finder.calls == [30, 30]


def test_a_killed_search_goes_on_and_finds_the_same(faces, finder, tmp_path):
    whole = detectors.in_pieces(faces, finder.detect, tmp_path / "whole", size=30)
    finder.calls.clear()

    def killed(images, ids):
        if len(finder.calls) == 2:
            raise KeyboardInterrupt
        return finder.detect(images, ids)

    with pytest.raises(KeyboardInterrupt):
        detectors.in_pieces(faces, killed, tmp_path / "pieces", size=8)
    assert [path.name for path in sorted((tmp_path / "pieces").iterdir())] == [
        "0000000-0000008.csv",
        "0000008-0000016.csv",
    ]
    finder.calls.clear()
    found = detectors.in_pieces(faces, finder.detect, tmp_path / "pieces", size=8)
    assert finder.calls == [8, 6]
    for key in ("ids", "boxes", "probability", "landmarks"):
        np.testing.assert_array_equal(getattr(found, key), getattr(whole, key))


def test_pieces_go_when_the_table_is_whole(faces, finder, tmp_path):
    path = detectors.table_path(faces, "dlib")
    detectors.in_pieces(faces.subset(np.arange(8)), finder.detect, path.with_suffix(".pieces"), size=4)
    detectors.search(faces, "dlib")
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


def test_a_piece_of_other_faces_is_refused(faces, finder, tmp_path):
    detectors.in_pieces(faces.subset(np.arange(8)), finder.detect, tmp_path / "pieces", size=8)
    others = faces.subset(np.arange(10, 30))
    with pytest.raises(DataError, match=r"0000000-0000008\.csv: .*wanted ids are absent"):
        detectors.in_pieces(others, finder.detect, tmp_path / "pieces", size=8)


# --- dlib ---


def test_five_points_are_means_of_the_68_that_mark_them():
    points = np.arange(68 * 2, dtype=float).reshape(1, 68, 2)
    five = dlib_detection.five_points(np.concatenate([points, points + 1]))
    assert five.shape == (2, 5, 2)
    # Points 37 to 42 and 43 to 48 of the usual drawing, counted from 1, go around the eyes; 31, 49 and 55 stand alone.
    assert five[0, :, 0].tolist() == [2 * 38.5, 2 * 44.5, 2 * 30, 2 * 48, 2 * 54]
    np.testing.assert_array_equal(five[1], five[0] + 1)


class FakeRectangle(SimpleNamespace):
    """As dlib's: edges are methods, the last pixel is included."""

    def __init__(self, x1, y1, x2, y2):
        super().__init__(left=lambda: x1, top=lambda: y1, right=lambda: x2, bottom=lambda: y2)


@pytest.fixture
def fake(monkeypatch):
    """dlib's two models: faces wherever a test says, all 68 points in one place of the box."""
    scenes = []

    def find(pictures, upsample, batch_size):
        assert upsample == 0 and {picture.shape for picture in pictures} == {(146, 146, 3)}
        return [scenes.pop(0) for _ in pictures]

    def mark(picture, box):
        return SimpleNamespace(parts=lambda: [SimpleNamespace(x=box.left(), y=box.bottom())] * 68)

    monkeypatch.setattr(dlib_detection, "_models", lambda: (find, mark))
    return scenes


def face(confidence, *edges):
    return SimpleNamespace(confidence=confidence, rect=FakeRectangle(*edges))


def test_dlibs_places_become_pixels_of_the_image(fake):
    # 48 pixels become 112 with 17 of frame: the whole image is pixels 17 to 128 there.
    fake.extend([[face(0.0, 17, 17, 128, 128)], [], [face(1.0, 20, 20, 40, 40), face(0.9, 30, 30, 120, 120)]])
    found = dlib_detection.detect(np.zeros((3, 48, 48), np.uint8), ["whole", "none", "two"], batch=2)
    np.testing.assert_allclose(found.boxes[0], [-0.5, -0.5, 47.5, 47.5])
    assert found.found.tolist() == [True, False, True]
    assert found.probability[0] == 0.5
    # The larger one in the middle, though its score is smaller.
    assert found.probability[2] == pytest.approx(1 / (1 + np.exp(-0.9)))
    # The middle of the lower left pixel.
    np.testing.assert_allclose(found.landmarks[0], [[0.5 * 48 / 112 - 0.5, 47.5 - 0.5 * 48 / 112]] * 5, atol=1e-6)


def test_without_the_extra_one_error_says_what_to_install(monkeypatch, tmp_path):
    image = np.zeros((1, 48, 48), np.uint8)
    dlib_detection._models.cache_clear()
    monkeypatch.setitem(sys.modules, "dlib", None)
    installs = re.escape(extras.command("dlib"))
    with pytest.raises(FerbookError, match=f"dlib cannot be imported .*`{installs}`"):
        dlib_detection.detect(image)
    monkeypatch.setitem(sys.modules, "dlib", SimpleNamespace())
    monkeypatch.setattr(dlib_detection, "find_spec", lambda name: None)
    with pytest.raises(FerbookError, match=f"no package face_recognition_models.*`{installs}`"):
        dlib_detection.detect(image)
    (tmp_path / "models").mkdir()
    monkeypatch.setattr(
        dlib_detection, "find_spec", lambda name: SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    )
    with pytest.raises(FerbookError, match=r"mmod_human_face_detector\.dat cannot be read"):
        dlib_detection.detect(image)
    (tmp_path / "models" / "mmod_human_face_detector.dat").write_bytes(b"other")
    with pytest.raises(DataError, match="not the file that this book has checked"):
        dlib_detection.detect(image)


@pytest.mark.parametrize("options", [{"upscale": -1}, {"border": 2}, {"batch": 0}])
def test_settings_of_dlib_out_of_range(options):
    with pytest.raises(ConfigError, match=next(iter(options))):
        dlib_detection.detect(np.zeros((1, 48, 48), np.uint8), **options)


def test_dlib_finds_synthetic_faces_where_they_are():
    """Installed only with the extra."""
    pytest.importorskip("dlib")
    people = sample(8, seed=3, split="test", pose=(0, 0, 0), occlusion="none")
    found = dlib_detection.detect(render(people, size=48))
    assert found.found.mean() > 0.7
    error = np.linalg.norm(found.landmarks - people.landmarks(48), axis=2)[found.found]
    assert error.mean() < 2.5


# --- Agreement ---


def upright(count, size=48):
    return np.repeat(TEMPLATE[None] * size, count, axis=0)


def test_distances_are_in_mean_eye_distances():
    one = np.array([[[0, 0], [10, 0], [5, 5], [2, 9], [8, 9]]], dtype=float)
    other = one.copy()
    other[0, 1] = (30, 0)  # an eye distance of 30 there, 20 on average
    other[0, 2] += (3, 4)
    np.testing.assert_allclose(agreement.distances(one, other), [[0, 1, 0.25, 0, 0]])
    np.testing.assert_array_equal(agreement.distances(one, other), agreement.distances(other, one))


def test_agreement_is_of_medians_and_ninetieth_percentiles():
    one = upright(11)
    eye_distance = one[0, 1, 0] - one[0, 0, 0]
    other = one + np.arange(11)[:, None, None] * [0.01 * eye_distance, 0]
    found = agreement.agreement(one, other)
    assert found["faces"] == 11
    assert found["median"] == pytest.approx(0.05) and found["ninetieth"] == pytest.approx(0.09)
    assert list(found["by_landmark"]) == list(LANDMARKS)
    assert found["by_landmark"]["nose"]["median"] == pytest.approx(0.05)
    assert found["tilt"] == pytest.approx({"median": 0, "ninetieth": 0}, abs=1e-9)
    assert agreement.agreement(one[:0], one[:0]) is None


def test_a_half_turn_is_no_more_than_a_half_turn():
    one = upright(1)
    around = one.mean(axis=1, keepdims=True)
    other = 2 * around - one  # upside down
    assert agreement.agreement(one, other)["tilt"]["median"] == pytest.approx(180)
    assert agreement.agreement(other, one)["tilt"]["median"] == pytest.approx(180)


def test_two_tables_are_compared_by_finder_emotion_and_pose():
    ids = [f"face{k}" for k in range(6)]
    landmarks = upright(6)
    landmarks[4, 1, 1] -= 20  # leans, as the first sees it
    first = table(ids, landmarks, np.array([1, 1, 1, 0, 1, 0], bool))
    second = table(ids, upright(6), np.array([1, 1, 0, 1, 1, 0], bool))
    found = agreement.compared({"mtcnn": first, "dlib": second}, np.array([0, 0, 0, 1, 1, 1]))
    assert found["found"] == {"mtcnn": 4 / 6, "dlib": 4 / 6}
    assert found["counts"] == {"faces": 6, "both": 3, "mtcnn": 1, "dlib": 1, "none": 1}
    assert found["by_emotion"]["neutral"] == {"faces": 3, "both": 2, "mtcnn": 1, "dlib": 0, "none": 0}
    assert found["by_emotion"]["fear"]["faces"] == 0
    tilted = found["by_pose"]["mtcnn"]["tilted"]
    assert (tilted["faces"], tilted["other_found"], tilted["agreement"]["faces"]) == (1, 1, 1)
    assert tilted["agreement"]["tilt"]["median"] > 15
    upright_ones = found["by_pose"]["mtcnn"]["upright"]
    assert (upright_ones["faces"], upright_ones["other_found"]) == (3, 2)
    assert upright_ones["agreement"]["median"] == pytest.approx(0, abs=1e-6)
    assert found["by_pose"]["dlib"]["tilted"] == {"faces": 0, "other_found": 0, "agreement": None}
    with pytest.raises(ValueError, match="not of the same faces"):
        agreement.compared({"mtcnn": first, "dlib": replace(second, ids=second.ids[::-1])}, np.zeros(6, int))


def test_changed_faces_are_those_that_both_found_upright_and_frontal(monkeypatch, faces):
    seen = []

    def detect(images, ids, detector="mtcnn"):
        seen.append((detector, ids.tolist()))
        return table(ids, upright(len(ids)), np.arange(len(ids)) % 2 == (detector == "dlib"))

    monkeypatch.setattr(detectors, "detect", detect)
    turned = upright(30)
    turned[:10, 2, 0] += 12
    assert (np.abs(nose_offset(turned[:10])) > 0.25).all()
    tables = {"mtcnn": table(faces.ids, turned), "dlib": table(faces.ids, upright(30), np.arange(30) < 25)}
    found = agreement.found_again(faces, tables, count=9, seed=0)
    assert found["faces"] == 9
    assert {tuple(ids) for _, ids in seen} == {tuple(seen[0][1])}
    assert set(seen[0][1]) <= set(faces.ids[10:25])
    assert found["changed"]["tilted by 30 degrees"] == {"mtcnn": 5 / 9, "dlib": 4 / 9}


def test_faces_are_framed_and_found_back():
    framed = detection.Framed((48, 96), 112, 0.25)
    assert framed(torch.zeros(2, 1, 48, 96)).shape == (2, 1, 112 + 2 * 28, 224 + 2 * 56)
    np.testing.assert_allclose(framed.placed(np.array([[56, 28], [56 + 224, 28 + 112]])), [[-0.5, -0.5], [95.5, 47.5]])


# --- What the page tells ---


@pytest.fixture
def recorded():
    """What a record would hold of ten faces: eight found by both, one by dlib alone, one leaning as MTCNN sees it."""
    landmarks = upright(10)
    landmarks[0, 1, 1] -= 20
    first = table(np.arange(10).astype(str), landmarks, np.arange(10) < 8)
    second = table(first.ids, upright(10), np.arange(10) < 9)
    values = agreement.compared({"mtcnn": first, "dlib": second}, np.arange(10) % 2)
    return values | {"again": {"faces": 2, "changed": {"mouth covered": {"mtcnn": 0.5, "dlib": 1.0}}}}


def test_shares_of_faces_add_up_and_empty_emotions_are_left_out(recorded):
    rows = two_detectors.found_rows(recorded)
    assert [row["faces"] for row in rows] == ["all", "neutral", "happiness"]
    assert rows[0] == {
        "faces": "all",
        "number": "10",
        "dlib finds": "90.0%",
        "MTCNN finds": "80.0%",
        "both": "80.0%",
        "dlib alone": "10.0%",
        "MTCNN alone": "0.0%",
        "neither": "10.0%",
    }


def test_groups_say_who_sees_the_pose_and_are_blank_without_faces(recorded):
    rows = {row["faces"]: row for row in two_detectors.pose_rows(recorded)}
    assert rows["tilted, says MTCNN"]["number"] == "1" and rows["tilted, says MTCNN"]["the other finds"] == "100.0%"
    assert rows["upright, says dlib"]["the other finds"] == "88.9%"
    assert rows["upright, says dlib"]["apart, median"] == "0.0%"
    assert set(list(rows["tilted, says dlib"].values())[2:]) == {"–"}


def test_every_landmark_has_a_line_and_every_change(recorded):
    rows = {row["landmark"]: row["apart, median"] for row in two_detectors.landmark_rows(recorded)}
    assert list(rows.values()) == ["0.0%"] * 6
    assert two_detectors.changed_rows(recorded) == [
        {"upright, frontal faces, then": "mouth covered", "dlib finds": "100.0%", "MTCNN finds": "50.0%"}
    ]
