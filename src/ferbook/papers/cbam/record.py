"""What paper 000's chapter keeps of FER+: how often labels meet, how even the folds are, and curves of recorded runs.

No torch: the runs are over, and their scores lie in the run store.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from sklearn.metrics import average_precision_score

from ferbook.core import records
from ferbook.faces import folds, labels
from ferbook.faces.emotions import EMOTIONS
from ferbook.faces.faceset import FaceSet
from ferbook.learning import sweeps
from ferbook.measures import intervals
from ferbook.papers.cbam import results
from ferbook.papers.cbam.results import LABELS, PLACES

LABEL_RECORD, CURVE_RECORD = "000/labels", "000/curves"
#: Votes of ten from which on a label is present.
VOTES = (2, 3)
#: Resamples of the test faces.
RESAMPLES = 400


def label_facts(faces: FaceSet, votes: int) -> dict[str, object]:
    """How labels made of votes are spread over the cleaned faces, and how evenly five folds share them.

    Parameters
    ----------
    faces: with votes.
    votes: a label is present from so many of ten votes on.

    Returns
    -------
    ``faces``: kept by cleaning. ``share``: of faces with each of the seven labels. ``labels_per_face``: mean, and
    ``with_labels``, how many faces have 0, 1, ... of the seven. ``contempt_alone``: faces whose only label is the one
    that the paper does not have. ``together``: (7, 7) shares of faces with both labels. ``companions``: of the faces
    with each label, the labels beside it and their shares, most frequent first. ``same_as_votes``: cells in which a
    share of the emotions' votes from `votes` tenths on means another label than `votes` votes. ``folds``: sizes,
    largest distance (points) of a label's share in a fold from its share in all, over all eight labels; for shuffled
    folds too; pictures in two folds.
    """
    cleaned = labels.clean_votes(faces.votes)
    kept = faces.subset(cleaned.keep)
    present = cleaned.distribution >= votes / 10 - labels.SUM_TOLERANCE
    seven = present[:, list(PLACES)]
    together = (seven[:, :, None] & seven[:, None, :]).mean(axis=0)
    groups = folds.kept_together(kept)
    fold = folds.iterative_folds(present, rng=np.random.default_rng(0), groups=groups)
    shuffled = np.random.default_rng(0).permutation(fold)
    return {
        "faces": len(kept),
        "share": dict(zip(LABELS, seven.mean(axis=0).tolist(), strict=True)),
        "labels_per_face": float(seven.sum(axis=1).mean()),
        "with_labels": np.bincount(seven.sum(axis=1)).tolist(),
        "contempt_alone": int((present[:, EMOTIONS.index("contempt")] & ~seven.any(axis=1)).sum()),
        "together": together.tolist(),
        "companions": {name: _companions(together, place) for place, name in enumerate(LABELS)},
        "same_as_votes": int((present != (kept.votes[:, : len(EMOTIONS)] >= votes)).sum()),
        "folds": {
            "sizes": np.bincount(fold).tolist(),
            "imbalance": 100 * float(folds.imbalance(present, fold).max()),
            "imbalance_shuffled": 100 * float(folds.imbalance(present, shuffled).max()),
            "pictures_in_two": _pictures_in_two(groups, fold),
            "pictures_in_two_shuffled": _pictures_in_two(groups, shuffled),
        },
    }


def _companions(together: np.ndarray, place: int) -> dict[str, float]:
    beside = {name: float(together[place, k] / together[place, place]) for k, name in enumerate(LABELS) if k != place}
    return dict(sorted(beside.items(), key=lambda entry: -entry[1]))


def _pictures_in_two(groups: np.ndarray, fold: np.ndarray) -> int:
    """How many pictures lie in more than one fold."""
    pairs = np.unique(np.stack([groups, fold]), axis=1)
    return int((np.unique(pairs[0], return_counts=True)[1] > 1).sum())


def record_labels(faces: FaceSet) -> Path:
    """Write :func:`label_facts` of FER+ for each of ``VOTES``; returns where."""
    found = {str(votes): label_facts(faces, votes) for votes in VOTES}
    return records.write(LABEL_RECORD, found, faces=faces, module=__file__, seed=0)


def mean_average_precision(probabilities: np.ndarray, present: np.ndarray) -> float:
    """Mean over the seven labels of the average precision without interpolation; (N, 8), every label on some face."""
    chosen = list(PLACES)
    return float(average_precision_score(present[:, chosen] > 0, probabilities[:, chosen]))


def gained(with_it: np.ndarray, without: np.ndarray, present: np.ndarray, seed: int = 0) -> intervals.Interval:
    """Points of mAP that one network is above another on the same faces; interval over resampled faces.

    Parameters
    ----------
    with_it, without: probabilities (N, 8) of the two.
    present: (N, 8).
    """
    return intervals.bootstrap(
        lambda a, b, t: 100 * (mean_average_precision(a, t) - mean_average_precision(b, t)),
        with_it, without, present, seed=seed, resamples=RESAMPLES,
    )  # fmt: skip


def curve_facts(store: Path | None = None) -> dict[str, object]:
    """ROC curves of recorded runs at ``results.GRID``, and what attention gains on the same faces, run by run.

    Parameters
    ----------
    store: the run store that holds their predictions; default ``_build/runs``.

    Returns
    -------
    ``roc``: group to run to (7, 51), rounded. ``gain``: seed to estimate, low, high (points of mAP, blocks less none).

    Raises
    ------
    DataError: if a recorded run's predictions are not in the store.
    """
    scores = {group: sweeps.predictions("000", group, store) for group in ("attention", "folds")}
    roc = {
        group: {
            name: np.round(results.curves(found["probabilities"], found["distribution"]), 4).tolist()
            for name, found in by_name.items()
        }
        for group, by_name in scores.items()
    }
    gain = {}
    for name, found in scores["attention"].items():
        variant, _, seed = name.partition("-")
        plain = scores["attention"].get(f"none-{seed}")
        if variant == "blocks" and plain is not None:
            span = gained(found["probabilities"], plain["probabilities"], found["distribution"])
            gain[seed] = [round(end, 4) for end in (span.estimate, span.low, span.high)]
    return {"roc": roc, "gain": gain}


def record_curves(faces: FaceSet, store: Path | None = None) -> Path:
    """Write :func:`curve_facts`; returns where."""
    settings: Mapping[str, object] = {"seed": 0, "resamples": RESAMPLES}
    return records.write(CURVE_RECORD, curve_facts(store), faces=faces, module=__file__, **settings)
