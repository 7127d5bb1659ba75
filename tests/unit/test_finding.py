"""Finding faces where the truth is known: errors, the control, and what a mirror image tells."""

from __future__ import annotations

import numpy as np
import pytest

from ferbook import finding
from ferbook.detection import detect
from ferbook.faceset import FaceSet
from ferbook.synthesis import render, sample


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


def test_upright_faces_are_found_near_the_truth_and_erased_ones_are_not():
    faces = finding.upright(24, seed=5)
    assert not faces.pose[:, 2].any()
    found = finding.on_synthetic(faces, 160)
    assert found["found"] == 1
    assert found["mean_error"] < 0.06
    images = render(faces, size=160, colour=True)
    blank = finding.erased(images, faces.landmarks(160))
    assert detect(blank).found.mean() < 0.1
    # The control touches the features only.
    np.testing.assert_array_equal(blank[:, :8], images[:, :8])


def test_real_faces_are_compared_with_their_mirror_images():
    faces = sample(12, seed=2, framing="head", occlusion="none", pose=(0, 0, 0))
    votes = np.zeros((12, 10), dtype=np.uint8)
    votes[:, 1] = 10
    result = finding.on_real(FaceSet("drawn", render(faces, size=96), np.arange(12).astype(str), votes=votes))
    assert result["found"] > 0.9
    assert result["by_pose"]["upright"]["faces"] + result["by_pose"]["tilted"]["faces"] == round(12 * result["found"])
    assert result["by_pose"]["upright"]["mirror_distance"] < 0.15
