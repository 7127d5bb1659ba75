"""MTCNN against dlib, the detector of paper 002, on the same faces: who finds them, and how far their landmarks agree.

Photographs have no true landmarks, so neither detector is right by definition; what both say alike can be trusted more.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ferbook.core import records
from ferbook.faces.emotions import EMOTIONS
from ferbook.faces.faceset import FaceSet
from ferbook.vision import detectors, dlib_detection
from ferbook.vision.detection import LANDMARKS, Detections
from ferbook.vision.finding import changed, pose_groups
from ferbook.vision.pose import inclination

#: Name of the record of real faces.
RECORD = "002/detectors"
#: Faces of the test part that are tilted and covered for the record, and the seed of their draw.
CHANGED, SEED = 500, 0


def distances(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Distances of the same landmark by two detectors, in units of the eye distance. (N, 5, 2) each -> (N, 5).

    The eye distance is the mean of both detectors'. NaN where either has no landmarks.
    """
    apart = np.mean([np.linalg.norm(points[:, 1] - points[:, 0], axis=1) for points in (one, other)], axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.linalg.norm(one - other, axis=2) / apart[:, None]


def agreement(one: np.ndarray, other: np.ndarray) -> dict[str, object] | None:
    """How far the landmarks of two detectors lie apart on the same faces. (N, 5, 2) each, without NaN.

    Returns
    -------
    dict: ``faces``; ``median`` and ``ninetieth`` percentile, over the faces, of the mean distance of the five
        landmarks, and the same of each alone in ``by_landmark``; and of the angle between the two eye lines, in
        degrees, in ``tilt``. Distances are in eye distances. None where there is no face.
    """
    if not len(one):
        return None
    apart = distances(one, other)
    turned = np.abs((inclination(one) - inclination(other) + 180) % 360 - 180)
    return {
        "faces": len(one),
        **_spread(apart.mean(axis=1)),
        "by_landmark": {name: _spread(apart[:, place]) for place, name in enumerate(LANDMARKS)},
        "tilt": _spread(turned),
    }


def _spread(values: np.ndarray) -> dict[str, float]:
    return dict(zip(("median", "ninetieth"), np.percentile(values, (50, 90)).tolist(), strict=True))


def counts(found: Mapping[str, np.ndarray]) -> dict[str, int]:
    """How many faces which of two detectors found: ``both``, the name of the one that alone did, ``none``, ``faces``.

    Parameters
    ----------
    found: two detectors' (N,) bool.
    """
    (first, one), (second, other) = found.items()
    return {
        "faces": len(one),
        "both": int((one & other).sum()),
        first: int((one & ~other).sum()),
        second: int((other & ~one).sum()),
        "none": int((~one & ~other).sum()),
    }


def compared(tables: Mapping[str, Detections], leading: np.ndarray) -> dict[str, object]:
    """Two detectors' tables of the same faces beside each other.

    Only a found face has a pose. So the groups of :func:`ferbook.vision.finding.pose_groups` are made twice, as each
    detector sees the faces that it found.

    Parameters
    ----------
    tables: by the detectors' names, two of them.
    leading: (N,) each face's leading emotion, as its place in ``EMOTIONS``.

    Returns
    -------
    dict: ``found``, each detector's share of the faces; ``counts`` and, by emotion, ``by_emotion``, as :func:`counts`;
        ``agreement`` of the faces that both found; in ``by_pose``, by the detector that says the pose and by group,
        ``faces``, ``other_found``: how many of them the other detector found, too, and their ``agreement``.

    Raises
    ------
    ValueError: if the tables are not of the same faces.
    """
    one, other = tables.values()
    if not np.array_equal(one.ids, other.ids):
        raise ValueError("the two tables are not of the same faces, in the same order")
    found = {name: table.found for name, table in tables.items()}
    both = one.found & other.found
    poses = {
        name: {
            group: {
                "faces": int(member.sum()),
                "other_found": int((member & both).sum()),
                "agreement": agreement(one.landmarks[member & both], other.landmarks[member & both]),
            }
            for group, member in pose_groups(table.landmarks).items()
        }
        for name, table in tables.items()
    }
    emotions = {
        name: counts({by: which[leading == place] for by, which in found.items()})
        for place, name in enumerate(EMOTIONS)
    }
    return {
        "found": {name: float(which.mean()) for name, which in found.items()},
        "counts": counts(found),
        "by_emotion": emotions,
        "agreement": agreement(one.landmarks[both], other.landmarks[both]),
        "by_pose": poses,
    }


def found_again(faces: FaceSet, tables: Mapping[str, Detections], count: int, seed: int) -> dict[str, object]:
    """Upright, frontal faces, tilted and covered by :func:`ferbook.vision.finding.changed`, and looked for again.

    Parameters
    ----------
    faces: photographs.
    tables: what the detectors found there. The changed faces are those that all of them found upright and frontal, and
        they are covered where the first has its landmarks.
    count, seed: how many of them at most, and of their draw.

    Returns
    -------
    dict: ``faces``, and in ``changed`` the share of them found again, by change and detector.
    """
    groups = [pose_groups(table.landmarks) for table in tables.values()]
    rows = np.flatnonzero(np.all([group["upright"] & group["frontal"] for group in groups], axis=0))
    rows = np.sort(np.random.default_rng(seed).permutation(rows)[:count])
    landmarks = next(iter(tables.values())).landmarks[rows]
    again = {
        change: {name: float(detectors.detect(images, faces.ids[rows], name).found.mean()) for name in tables}
        for change, images in changed(faces.images[rows], landmarks).items()
    }
    return {"faces": len(rows), "changed": again}


def record(faces: FaceSet) -> Path:
    """Look for all faces of FER+ with both detectors, compare, write it to ``data/recorded``; returns where.

    dlib takes one to two hours on one core; a search that was killed goes on where it was (:mod:`detectors`).
    """
    installed = dlib_detection.version()  # before anything that takes long
    tables = {name: detectors.search(faces, name, progress=True) for name in ("mtcnn", "dlib")}
    test = faces.part("test")
    of_test = {name: detectors.search(faces, name, test.ids) for name in tables}
    leading = faces.votes[:, : len(EMOTIONS)].argmax(axis=1)
    values = compared(tables, leading) | {"again": found_again(test, of_test, CHANGED, SEED)}
    return records.write(RECORD, values, faces=faces, module=__file__, seed=SEED, dlib=installed)
