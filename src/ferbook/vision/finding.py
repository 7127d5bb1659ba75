"""How well faces are found: shares and landmark errors, where the landmarks are known and where they are not."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from scipy import ndimage

from ferbook.core import records
from ferbook.faces.emotions import EMOTIONS
from ferbook.faces.faceset import FaceSet
from ferbook.synthesis import Faces, render, sample
from ferbook.vision import augment
from ferbook.vision.detection import detect
from ferbook.vision.pose import inclination, nose_offset

#: Degrees beyond which an eye line counts as tilted.
TILTED = 15.0
#: Nose offsets, in eye distances, up to which a face counts as frontal, and as half turned.
TURNED = (0.25, 0.5)
#: Shares of a picture's height between which a face's box is of medium size; boxes may reach beyond the picture.
LARGE = (0.95, 1.2)
#: Name of the record of real faces.
RECORD = "faces/detection"
#: Synthetic faces per seed of the record, their size in pixels, and the seeds.
SYNTHETIC_FACES, SYNTHETIC_SIZE, SYNTHETIC_SEEDS = 300, 160, (0, 1, 2, 3, 4)


def landmark_error(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Mean distance between found and true landmarks in units of the true eye distance. (N, 5, 2) each -> (N,).

    NaN where no face was found.
    """
    eye_distance = np.linalg.norm(truth[:, 1] - truth[:, 0], axis=1)
    return np.linalg.norm(found - truth, axis=2).mean(axis=1) / eye_distance


def upright(count: int, seed: int = 0) -> Faces:
    """Random synthetic people with any expression and light, upright, facing the camera and uncovered."""
    return sample(count, seed=seed, split="test", pose=(0, 0, 0), occlusion="none")


def turned(count: int, seed: int = 0) -> Faces:
    """The people of :func:`upright` with their natural turns to the side, up and down, still not tilted."""
    faces = sample(count, seed=seed, split="test", occlusion="none")
    return faces.with_pose(faces.pose * np.array([1.0, 1.0, 0.0]))


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


def erased(images: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """The control: the same pictures with the face's features smoothed away; hair, outline and background stay.

    Smoothed is an ellipse around the five landmarks that takes in brows and lips, with a soft edge.

    Parameters
    ----------
    images: uint8 (N, H, W) or (N, H, W, 3).
    landmarks: (N, 5, 2) in pixels.
    """
    blank = np.empty_like(images)
    rows, columns = np.mgrid[: images.shape[1], : images.shape[2]]
    for place, (image, points) in enumerate(zip(images, landmarks, strict=True)):
        eyes, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
        middle, half = (eyes + mouth) / 2, np.linalg.norm(mouth - eyes) / 2
        width = np.linalg.norm(points[1] - points[0])
        inside = ((columns - middle[0]) / (1.05 * width)) ** 2 + ((rows - middle[1]) / (1.9 * half)) ** 2
        share = np.clip((1.1 - inside) / 0.2, 0, 1).reshape(rows.shape + (1,) * (image.ndim - 2))
        spread = (0.55 * width,) * 2 + (0,) * (image.ndim - 2)
        smooth = ndimage.gaussian_filter(image.astype(np.float32), spread)
        blank[place] = np.rint((1 - share) * image + share * smooth)
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


def size_groups(boxes: np.ndarray, side: int) -> dict[str, np.ndarray]:
    """Which faces are small, medium and large: the box's height as a share of the picture. (N, 4) -> (N,) bool each."""
    share = (boxes[:, 3] - boxes[:, 1]) / side
    low, high = LARGE
    return {
        f"below {low:.0%} of the picture": share < low,
        f"{low:.0%} to {high:.0%}": (share >= low) & (share <= high),
        f"above {high:.0%}": share > high,
    }


def on_real(faces: FaceSet) -> dict[str, object]:
    """Found share in all and by leading emotion; and how well picture and mirror image agree, by pose and size.

    A photograph's landmarks are not known, and what was not found has no pose. So every found face is looked for again
    in its mirror image: whether it is found there, and whether its landmarks, mirrored back, are the same.

    Returns
    -------
    dict: ``found`` share, ``by_emotion``, and ``by_pose`` and ``by_size`` with the number of found faces per group, the
        share found in the mirror image too, and the median distance between the two sets of landmarks in eye distances;
        None for a group without faces.
    """
    first = detect(faces.images, faces.ids)
    mirrored = detect(np.ascontiguousarray(faces.images[:, :, ::-1]), faces.ids)
    # Mirrored back, left and right change places.
    back = mirrored.landmarks[:, [1, 0, 2, 4, 3]].copy()
    back[..., 0] = faces.images.shape[2] - 1 - back[..., 0]
    distance = landmark_error(back, first.landmarks)
    leading = faces.votes[:, : len(EMOTIONS)].argmax(axis=1)

    def by_group(groups: dict[str, np.ndarray]) -> dict[str, dict[str, float | int | None]]:
        return {
            name: {
                "faces": int(member.sum()),
                "mirror_found": _average(np.mean, mirrored.found[member]),
                "mirror_distance": _average(np.median, distance[member & mirrored.found]),
            }
            for name, member in groups.items()
        }

    return {
        "faces": len(faces),
        "found": float(first.found.mean()),
        "by_emotion": {name: _average(np.mean, first.found[leading == k]) for k, name in enumerate(EMOTIONS)},
        "by_pose": by_group(pose_groups(first.landmarks)),
        "by_size": by_group(size_groups(first.boxes, faces.images.shape[1])),
    }


def _average(kind: Callable[[np.ndarray], float], values: np.ndarray) -> float | None:
    """None for a group without faces."""
    return float(kind(values)) if values.size else None


def changed(images: np.ndarray, landmarks: np.ndarray) -> dict[str, np.ndarray]:
    """Photographs made harder in known ways: tilted by fixed angles, or partly covered by a grey patch.

    Whoever was found upright and is lost now was lost to the tilt or the cover.

    Parameters
    ----------
    images: uint8 (N, H, W).
    landmarks: (N, 5, 2) in pixels.

    Returns
    -------
    dict: what was done to the pictures, uint8 (N, H, W) each.
    """
    planes = torch.from_numpy(np.ascontiguousarray(images)).unsqueeze(1)
    made = {
        f"tilted by {angle} degrees": augment.rotate(planes, angle, "edge").squeeze(1).numpy() for angle in (15, 30, 45)
    }
    rows, columns = np.mgrid[: images.shape[1], : images.shape[2]]
    eyes, nose, mouth = landmarks[:, :2].mean(1), landmarks[:, 2], landmarks[:, 3:].mean(1)
    half = (eyes + mouth)[:, 1] / 2
    covers = {
        "mouth covered": rows[None] > half[:, None, None],
        "eyes covered": np.abs(rows[None] - eyes[:, 1, None, None]) < 0.5 * (half - eyes[:, 1])[:, None, None],
        "one side covered": columns[None] < nose[:, 0, None, None],
    }
    for name, hidden in covers.items():
        made[name] = np.where(hidden, np.uint8(127), images)
    return made


def on_changed(faces: FaceSet) -> dict[str, float]:
    """Share of upright, frontal faces that are found again after each of the changes; found before: all of them."""
    first = detect(faces.images, faces.ids)
    groups = pose_groups(first.landmarks)
    chosen = groups["upright"] & groups["frontal"]
    versions = changed(faces.images[chosen], first.landmarks[chosen])
    return {name: float(detect(images).found.mean()) for name, images in versions.items()}


def record(faces: FaceSet) -> Path:
    """Measure the real FER+, and the synthetic faces beside it, and write it to ``data/recorded``; returns where.

    All of FER+ is searched; the changes are tried on its test part.
    """
    values = on_real(faces) | {"changed": on_changed(faces.part("test")), "synthetic": {}}
    for name, draw in (("facing the camera", upright), ("naturally turned", turned)):
        runs = [on_synthetic(draw(SYNTHETIC_FACES, seed), SYNTHETIC_SIZE) for seed in SYNTHETIC_SEEDS]
        values["synthetic"][name] = {key: [run[key] for run in runs] for key in ("found", "mean_error")}
    return records.write(RECORD, values, faces=faces, module=__file__, synthetic_seeds=list(SYNTHETIC_SEEDS))
