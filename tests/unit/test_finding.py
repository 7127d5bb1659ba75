"""Finding faces where the truth is known: errors, the control, and what a mirror image tells."""

import numpy as np
import pytest

from ferbook.faces.faceset import FaceSet
from ferbook.synthesis import render, sample
from ferbook.vision import finding
from ferbook.vision.detection import detect
from ferbook.vision.pose import inclination


def test_landmark_error_is_in_eye_distances():
    truth = np.array([[[0, 0], [10, 0], [5, 5], [2, 9], [8, 9]]], dtype=float)
    moved = truth + np.array([3, 4])
    assert finding.landmark_error(moved, truth) == pytest.approx([0.5])
    moved[0, 0] = np.nan
    assert np.isnan(finding.landmark_error(moved, truth)).all()


def test_pose_groups_partition_what_was_found():
    faces = sample(200, seed=0)
    groups = finding.pose_groups(faces.landmarks(100))
    assert (groups["upright"] ^ groups["tilted"]).all()
    assert (groups["frontal"].astype(int) + groups["half turned"] + groups["profile"] == 1).all()
    rolled = finding.pose_groups(faces.with_pose((0, 0, 25)).landmarks(100))
    assert rolled["tilted"].all()
    assert not any(group.any() for group in finding.pose_groups(np.full((3, 5, 2), np.nan)).values())


def test_three_hundred_upright_faces_are_found_near_the_truth():
    faces = finding.upright(300)
    assert not faces.pose.any()
    found = finding.on_synthetic(faces, 160)
    assert found["found"] >= 0.98
    assert found["mean_error"] <= 0.05


def test_naturally_turned_faces_are_turned_but_not_tilted():
    faces = finding.turned(24)
    assert not faces.pose[:, 2].any()
    assert faces.pose[:, :2].all()
    assert finding.on_synthetic(faces, 160)["found"] > 0.9


def test_erased_faces_are_not_found():
    faces = finding.upright(32, seed=5)
    images = render(faces, size=160, colour=True)
    blank = finding.erased(images, faces.landmarks(160))
    assert detect(images).found.mean() > 0.95
    assert detect(blank).found.mean() < 0.1
    # The control touches the features only.
    np.testing.assert_array_equal(blank[:, :8], images[:, :8])


def test_changes_do_what_they_are_called():
    faces = finding.upright(6, seed=1)
    images, points = render(faces, size=96), faces.landmarks(96)
    made = finding.changed(images, points)
    assert {image.shape for image in made.values()} == {images.shape}
    for face in range(6):
        (left, _), (_, top), (right, bottom) = points[face].min(0), points[face, 0], points[face].max(0)
        assert (made["mouth covered"][face, int(bottom) :] == 127).all()
        np.testing.assert_array_equal(made["mouth covered"][face, : int(top)], images[face, : int(top)])
        assert (made["eyes covered"][face, round(float(top))] == 127).all()
        assert (made["one side covered"][face, :, : int(left)] == 127).all()
        np.testing.assert_array_equal(made["one side covered"][face, :, int(right) :], images[face, :, int(right) :])
    straight = detect(images).landmarks
    tilted = detect(made["tilted by 15 degrees"]).landmarks
    np.testing.assert_allclose(inclination(tilted) - inclination(straight), 15, atol=3)


def test_real_faces_are_compared_with_their_mirror_images():
    faces = sample(12, seed=2, framing="head", occlusion="none", pose=(0, 0, 0))
    votes = np.zeros((12, 10), dtype=np.uint8)
    votes[:, 1] = 10
    drawn = FaceSet("drawn", render(faces, size=96), np.arange(12).astype(str), votes=votes)
    result = finding.on_real(drawn)
    assert result["found"] > 0.9
    assert result["by_pose"]["upright"]["faces"] + result["by_pose"]["tilted"]["faces"] == round(12 * result["found"])
    assert result["by_pose"]["upright"]["mirror_distance"] < 0.15
    assert set(finding.on_changed(drawn)) == set(finding.changed(drawn.images[:1], faces.landmarks(96)[:1]))
