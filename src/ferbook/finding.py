"""How well faces are found: shares and landmark errors, on faces whose landmarks are known and on those where they are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy import ndimage

from ferbook import records
from ferbook.detection import detect, inclination, nose_offset
from ferbook.emotions import EMOTIONS
from ferbook.faceset import FaceSet
from ferbook.synthesis import Faces, render, sample

#: Degrees beyond which an eye line counts as tilted.
TILTED = 15.0
#: Nose offsets, in eye distances, up to which a face counts as frontal, and as half turned.
TURNED = (0.25, 0.5)
#: Name of the record of real faces, how many of them, and the seed that chose them.
RECORD, REAL_FACES, SEED = "faces/detection", 2000, 0


def landmark_error(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Mean distance between found and true landmarks in units of the true eye distance. (N, 5, 2) each -> (N,).

    NaN where no face was found.
    """
    eye_distance = np.linalg.norm(truth[:, 1] - truth[:, 0], axis=1)
    return np.linalg.norm(found - truth, axis=2).mean(axis=1) / eye_distance


def upright(count: int, seed: int = 0) -> Faces:
    """Random synthetic people with any expression and light, their heads upright and uncovered, loosely framed."""
    faces = sample(count, seed=seed, split="test", framing="head", occlusion="none")
    yaw_and_pitch_only = faces.pose * np.array([1.0, 1.0, 0.0])
    return faces.with_pose(yaw_and_pitch_only)


def on_synthetic(faces: Faces, size: int) -> dict[str, object]:
    """Share found and landmark errors at one picture size.

    Returns
    -------
    dict: ``found`` share; ``mean_error`` and ``median_error`` in eye distances; ``errors`` of the found faces.
    """
    detections = detect(render(faces, size=size, colour=True))
    errors = landmark_error(detections.landmarks, faces.landmarks(size))[detections.found]
    return {
        "found": float(detections.found.mean()),
        "mean_error": float(errors.mean()),
        "median_error": float(np.median(errors)),
        "errors": errors.tolist(),
    }


def erased(images: np.ndarray, landmarks: np.ndarray, radius: float = 0.45) -> np.ndarray:
    """The control: the same pictures with each landmark's surroundings smoothed away; nothing else is changed.

    Parameters
    ----------
    images: uint8 (N, H, W) or (N, H, W, 3).
    landmarks: (N, 5, 2) in pixels.
    radius: of the smoothed discs, in eye distances.
    """
    blank = images.copy()
    rows, columns = np.mgrid[: images.shape[1], : images.shape[2]]
    for image, points in zip(blank, landmarks, strict=True):
        reach = radius * np.linalg.norm(points[1] - points[0])
        near = np.zeros(rows.shape, dtype=bool)
        for x, y in points:
            near |= (columns - x) ** 2 + (rows - y) ** 2 < reach**2
        spread = (reach, reach) + (0,) * (image.ndim - 2)
        image[near] = ndimage.gaussian_filter(image.astype(np.float32), spread)[near]
    return blank


def pose_groups(landmarks: np.ndarray) -> dict[str, np.ndarray]:
    """Which faces are tilted, and how far they are turned, as their landmarks say. (N, 5, 2) -> (N,) bool per group.

    Faces without landmarks are in no group.
    """
    tilt, turn = np.abs(inclination(landmarks)), np.abs(nose_offset(landmarks))
    return {
        "upright": tilt <= TILTED,
        "tilted": tilt > TILTED,
        "frontal": turn <= TURNED[0],
        "half turned": (turn > TURNED[0]) & (turn <= TURNED[1]),
        "profile": turn > TURNED[1],
    }


def on_real(faces: FaceSet) -> dict[str, object]:
    """Found share in all and by leading emotion; and how well picture and mirror image agree, by pose.

    A photograph's landmarks are not known, and what was not found has no pose. So every found face is looked for again
    in its mirror image: whether it is found there, and whether its landmarks, mirrored back, are the same.

    Returns
    -------
    dict: ``found`` share, ``by_emotion``, and ``by_pose`` with the number of found faces per group, the share found in
        the mirror image too, and the median distance between the two sets of landmarks in eye distances.
    """
    first = detect(faces.images, faces.ids)
    mirrored = detect(np.ascontiguousarray(faces.images[:, :, ::-1]), faces.ids)
    # Mirrored back, left and right change places.
    back = mirrored.landmarks[:, [1, 0, 2, 4, 3]].copy()
    back[..., 0] = faces.images.shape[2] - 1 - back[..., 0]
    distance = landmark_error(back, first.landmarks)
    leading = faces.votes[:, : len(EMOTIONS)].argmax(axis=1)
    return {
        "faces": len(faces),
        "found": float(first.found.mean()),
        "by_emotion": {name: float(first.found[leading == k].mean()) for k, name in enumerate(EMOTIONS)},
        "by_pose": {
            name: {
                "faces": int(member.sum()),
                "mirror_found": float(mirrored.found[member].mean()),
                "mirror_distance": float(np.nanmedian(distance[member])),
            }
            for name, member in pose_groups(first.landmarks).items()
        },
    }


def record(faces: FaceSet) -> Path:
    """Measure a random part of the real FER+ and write it to ``data/recorded``; returns where."""
    chosen = np.sort(np.random.default_rng(SEED).choice(len(faces), REAL_FACES, replace=False))
    part = faces.subset(chosen)
    return records.write(RECORD, on_real(part), faces=faces, module=__file__, seed=SEED, chosen=REAL_FACES)
