"""How good the released network is, for whom it was measured: by emotion, by how far the crowd agreed, and through the
detector as a photograph goes. Recorded on FER+'s official test part in ``data/recorded/try/released.json``.
"""

from pathlib import Path

import numpy as np

from ferbook.core import records
from ferbook.faces.emotions import EMOTIONS
from ferbook.faces.faceset import FaceSet
from ferbook.faces.labels import clean_votes
from ferbook.learning import calibration, trained
from ferbook.measures import intervals, metrics
from ferbook.vision import detection

RECORD = "try/released"
#: Faces grouped by the share of votes that the leading emotion has: label, and the least and the largest share.
AGREEMENT: tuple[tuple[str, float, float], ...] = (
    ("half the votes or fewer", 0.0, 0.5),
    ("more than half, up to 7 in 10", 0.5, 0.7),
    ("more than 7 in 10, not all", 0.7, 1.0),
    ("all votes", 1.0, 1.0),
)
#: Groups of equal width that confidence is compared with accuracy in.
BINS = 10


def by_emotion(probabilities: np.ndarray, distribution: np.ndarray) -> list[dict[str, object]]:
    """Per emotion: ``faces`` that the crowd names so, ``right`` of them, the share with its interval; ``named`` so by
    the network, and how many of those ``rightly``. (N, 8) each; ties count as in ``metrics.crowd_measures``.
    """
    counts = np.array(metrics.crowd_measures(probabilities, distribution)["confusion"])
    return [
        {
            "emotion": name,
            **_share(int(counts[k, k]), int(counts[k].sum())),
            "named": int(counts[:, k].sum()),
            "rightly": int(counts[k, k]),
        }
        for k, name in enumerate(EMOTIONS)
    ]


def by_agreement(probabilities: np.ndarray, distribution: np.ndarray) -> list[dict[str, object]]:
    """Per group of ``AGREEMENT``: ``faces``, ``right``, the share with its interval, and mean ``confidence``."""
    accurate, leading = metrics.is_accurate(probabilities, distribution), distribution.max(axis=1)
    found = []
    for label, low, high in AGREEMENT:
        # Shares are quotients of whole numbers: a hair's breadth keeps 0.7 from being more than 0.7.
        inside = (leading >= 1 - 1e-9) if low == 1 else (leading > low + 1e-9) & (leading <= high + 1e-9)
        if low < 1 == high:
            inside &= leading < 1 - 1e-9
        confidence = float(probabilities[inside].max(axis=1).mean()) if inside.any() else None
        share = _share(int(accurate[inside].sum()), int(inside.sum()))
        found.append({"agreement": label, **share, "confidence": confidence})
    return found


def reliability(probabilities: np.ndarray, distribution: np.ndarray, bins: int = BINS) -> list[dict[str, float]]:
    """Faces grouped by the leading probability: ``faces``, mean ``confidence`` and ``accuracy`` of each group."""
    confidence, accurate = probabilities.max(axis=1), metrics.is_accurate(probabilities, distribution)
    group = np.minimum((confidence * bins).astype(int), bins - 1)
    return [
        {
            "faces": int((group == k).sum()),
            "confidence": float(confidence[group == k].mean()),
            "accuracy": float(accurate[group == k].mean()),
        }
        for k in np.unique(group)
    ]


def _share(right: int, faces: int) -> dict[str, object]:
    if not faces:
        return {"faces": 0, "right": 0, "share": None, "low": None, "high": None}
    found = intervals.wilson(right, faces)
    return {"faces": faces, "right": right, "share": found.estimate, "low": found.low, "high": found.high}


def through_the_detector(name: str, images: np.ndarray, distribution: np.ndarray) -> dict[str, float | int]:
    """The same faces as a photograph's: found by MTCNN, aligned, answered.

    Parameters
    ----------
    name: of a released network.
    images: uint8 (N, 48, 48).
    distribution: (N, 8).

    Returns
    -------
    ``faces``, ``found``; accuracy of the found faces ``as_cropped`` and ``aligned``, of the lost ones as cropped
    (``lost``), and the calibration error of aligned faces (``ece``).
    """
    network, mirror = trained.released(name), trained.config_of(name).mirror
    seen = detection.detect(images)
    aligned, _ = detection.align(images[seen.found], seen.landmarks[seen.found], images.shape[1])
    truth = distribution[seen.found]
    logits = trained.logits(network, images, mirror=mirror).numpy()
    after = trained.logits(network, aligned, mirror=mirror).numpy()
    scaled = calibration.softmax(after, calibration.of(name).temperature)
    return {
        "faces": len(images),
        "found": int(seen.found.sum()),
        "as_cropped": metrics.tie_aware_accuracy(logits[seen.found], truth),
        "aligned": metrics.tie_aware_accuracy(after, truth),
        "lost": metrics.tie_aware_accuracy(logits[~seen.found], distribution[~seen.found]),
        "ece": metrics.crowd_measures(scaled, truth)["calibration_error"],
    }


def measure(name: str, images: np.ndarray, distribution: np.ndarray) -> dict[str, object]:
    """All of the above for a released network; probabilities are temperature scaled.

    Parameters
    ----------
    name, images, distribution: as in :func:`through_the_detector`.
    """
    network, mirror = trained.released(name), trained.config_of(name).mirror
    logits = trained.logits(network, images, mirror=mirror).numpy()
    scaled = calibration.softmax(logits, calibration.of(name).temperature)
    return {
        "model": name,
        "weights": calibration.weights_mark(name),
        "accuracy": metrics.tie_aware_accuracy(scaled, distribution),
        "by_emotion": by_emotion(scaled, distribution),
        "by_agreement": by_agreement(scaled, distribution),
        "reliability": reliability(scaled, distribution),
        "reliability_before": reliability(calibration.softmax(logits), distribution),
        "through_the_detector": through_the_detector(name, images, distribution),
    }


def record(name: str, faces: FaceSet) -> Path:
    """Measure on the official test part of the complete FER+ and write the record; returns where."""
    test = faces.part("test")
    cleaned = clean_votes(test.votes)
    values = measure(name, np.array(test.images[cleaned.keep]), cleaned.distribution)
    return records.write(RECORD, values, faces=faces, module=__file__)
