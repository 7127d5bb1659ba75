"""How well scores fit several labels per face. NumPy arrays in, numbers out.

Every average says what it is an average of. *Macro*: over the labels; *micro*: over all cells of the table. Names that
mean different things in different papers, first of all "mAP", are told apart:

* ``average_precision``: sum over the ranks of precision times gain in recall, without interpolation (scikit-learn's);
* ``"11-point"``: mean of the best precision at recall >= 0, 0.1, ..., 1 (PASCAL VOC up to 2009);
* ``"all-point"``: area under the precision-recall curve made falling (PASCAL VOC since 2010);
* ``"trapezoid"``: area under straight lines from point to point of that curve, beginning at recall 0, precision 1. No
  benchmark has it, but a general routine for the area under a curve gives it. Between two points precision does not
  fall on a straight line (Davis and Goadrich 2006).

The interpolated two are never below the first but for the coarseness of eleven points. Faces with tied scores are
taken in at once, so that no figure depends on their order. What is not defined is None, and means leave it out.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal, NamedTuple, get_args

import numpy as np
from sklearn import metrics

from ferbook.core.errors import ConfigError

#: Names of the ways to take an average precision.
Interpolation = Literal["none", "11-point", "all-point", "trapezoid"]
INTERPOLATIONS: tuple[Interpolation, ...] = get_args(Interpolation)


class PrecisionRecallF1(NamedTuple):
    """Three shares; 0 where nothing was predicted (precision), present (recall), or neither (F1)."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Multilabel:
    """The multi-label figures of one set of scores.

    Parameters
    ----------
    faces, labels: N and L.
    threshold: a label is predicted where its score is at least this.
    per_label, macro, micro: precision, recall, F1. Macro F1 is the mean of the labels' F1, and not the F1 of the means.
    average_precision: per label, without interpolation; None where no face has the label.
    average_precision_11, average_precision_all: interpolated, per label.
    mean_average_precision, mean_average_precision_11, mean_average_precision_all: means over labels that have one.
    auroc: area under the ROC curve per label; None where the label is on all faces or on none. macro_auroc: mean.
    hamming_loss: share of cells that are wrong. subset_accuracy: share of faces without a wrong cell.
    ranking_loss: share of pairs (present, absent) of a face's labels in the wrong order or tied, averaged over faces;
        a face with all labels or none counts 0.
    coverage: how far down a face's ranking all its labels are found, 1 at best (some papers subtract 1); a face with
        no label counts 0.
    one_error: see ``one_error``.
    lrap: label ranking average precision; a face with all labels or none counts 1.
    confusion: (L, 2, 2) counts, [[true negative, false positive], [false negative, true positive]].
    """

    faces: int
    labels: int
    threshold: float
    per_label: tuple[PrecisionRecallF1, ...]
    macro: PrecisionRecallF1
    micro: PrecisionRecallF1
    average_precision: tuple[float | None, ...]
    average_precision_11: tuple[float | None, ...]
    average_precision_all: tuple[float | None, ...]
    mean_average_precision: float | None
    mean_average_precision_11: float | None
    mean_average_precision_all: float | None
    auroc: tuple[float | None, ...]
    macro_auroc: float | None
    hamming_loss: float
    subset_accuracy: float
    ranking_loss: float
    coverage: float
    one_error: float | None
    lrap: float
    confusion: tuple[tuple[tuple[int, int], tuple[int, int]], ...]

    def as_dict(self) -> dict[str, object]:
        """Ready for JSON; precision, recall and F1 by name."""
        fields = asdict(self)
        for name in ("macro", "micro"):
            fields[name] = getattr(self, name)._asdict()
        fields["per_label"] = [row._asdict() for row in self.per_label]
        return fields


def evaluate(scores: np.ndarray, truth: np.ndarray, threshold: float = 0.5) -> Multilabel:
    """All multi-label figures at once.

    Parameters
    ----------
    scores: (N, L), larger for more likely; probabilities, or anything else with a fitting threshold (logits: 0).
    truth: (N, L) bool, or zeros and ones.
    threshold: a label is predicted where its score is at least this.

    Returns
    -------
    Multilabel.

    Raises
    ------
    ValueError: if shapes differ or are not (N, L), there is no face or only one label, a score is not finite, or the
        truth is neither 0 nor 1.
    ConfigError: if the threshold is not a number.
    """
    scores, truth = _checked(scores, truth)
    if truth.shape[1] < 2:
        raise ValueError("one label alone is not a multi-label problem")
    if math.isnan(threshold):
        raise ConfigError("threshold", "is not a number")
    predicted = scores >= threshold

    def shares(average: str | None) -> list:
        return metrics.precision_recall_fscore_support(truth, predicted, average=average, zero_division=0.0)[:3]

    columns = list(zip(scores.T, truth.T, strict=True))
    precisions = {
        kind: tuple(average_precision(s, t, kind) for s, t in columns) for kind in ("none", "11-point", "all-point")
    }
    aurocs = tuple(None if t.all() or not t.any() else float(metrics.roc_auc_score(t, s)) for s, t in columns)
    counts = metrics.multilabel_confusion_matrix(truth, predicted).tolist()
    return Multilabel(
        faces=len(truth),
        labels=truth.shape[1],
        threshold=float(threshold),
        per_label=tuple(PrecisionRecallF1(*map(float, row)) for row in zip(*shares(None), strict=True)),
        macro=PrecisionRecallF1(*map(float, shares("macro"))),
        micro=PrecisionRecallF1(*map(float, shares("micro"))),
        average_precision=precisions["none"],
        average_precision_11=precisions["11-point"],
        average_precision_all=precisions["all-point"],
        mean_average_precision=_mean(precisions["none"]),
        mean_average_precision_11=_mean(precisions["11-point"]),
        mean_average_precision_all=_mean(precisions["all-point"]),
        auroc=aurocs,
        macro_auroc=_mean(aurocs),
        hamming_loss=float(metrics.hamming_loss(truth, predicted)),
        subset_accuracy=float(metrics.accuracy_score(truth, predicted)),
        ranking_loss=float(metrics.label_ranking_loss(truth, scores)),
        coverage=float(metrics.coverage_error(truth, scores)),
        one_error=one_error(scores, truth),
        lrap=float(metrics.label_ranking_average_precision_score(truth, scores)),
        confusion=tuple(tuple(tuple(row) for row in table) for table in counts),
    )


def average_precision(scores: np.ndarray, truth: np.ndarray, interpolation: Interpolation = "none") -> float | None:
    """Average precision of one label.

    Parameters
    ----------
    scores: (N,), larger for more likely.
    truth: (N,) bool, or zeros and ones.
    interpolation: see the module's description.

    Returns
    -------
    A share, or None if no face has the label.

    Raises
    ------
    ConfigError: if there is no such interpolation.
    ValueError: if shapes differ or are not (N,), there is no face, a score is not finite, or the truth is neither 0
        nor 1.
    """
    if interpolation not in INTERPOLATIONS:
        raise ConfigError("interpolation", f"{interpolation!r} is unknown", f"Use {' or '.join(INTERPOLATIONS)}.")
    if np.ndim(scores) != 1 or np.ndim(truth) != 1:
        raise ValueError(f"one label's scores {np.shape(scores)} and truth {np.shape(truth)} must be (faces,)")
    scores, truth = (x[:, 0] for x in _checked(np.asarray(scores)[:, None], np.asarray(truth)[:, None]))
    if not truth.any():
        return None
    if interpolation == "none":
        return float(metrics.average_precision_score(truth, scores))
    precision, recall, _ = metrics.precision_recall_curve(truth, scores)
    if interpolation == "trapezoid":
        return float(metrics.auc(recall, precision))
    # scikit-learn ends the curve with an invented point (recall 0, precision 1), and lists it by falling recall.
    precision, recall = precision[-2::-1], recall[-2::-1]
    best_from_here = np.maximum.accumulate(precision[::-1])[::-1]
    if interpolation == "all-point":
        return float((np.diff(recall, prepend=0.0) * best_from_here).sum())
    # tenth / 10 is rounded as found / positives is, so three of ten reach 0.3; np.linspace's 0.30000000000000004 they
    # would miss.
    return float(np.mean([best_from_here[recall >= tenth / 10][0] for tenth in range(11)]))


def one_error(scores: np.ndarray, truth: np.ndarray) -> float | None:
    """Share of faces whose highest-scored label is not theirs.

    Where labels tie for the highest score, one of them is taken at random, and the expected error counts: one half for
    a right and a wrong label. Faces without any label are left out, as no label could be right for them.

    Parameters
    ----------
    scores: (N, L).
    truth: (N, L) bool, or zeros and ones.

    Returns
    -------
    A share, or None if no face has a label.

    Raises
    ------
    ValueError: as ``evaluate``.
    """
    scores, truth = _checked(scores, truth)
    labelled = truth.any(axis=1)
    if not labelled.any():
        return None
    top = (scores == scores.max(axis=1, keepdims=True))[labelled]
    right = (top & truth[labelled]).sum(axis=1) / top.sum(axis=1)
    return float(1 - right.mean())


def _mean(values: Sequence[float | None]) -> float | None:
    defined = [value for value in values if value is not None]
    return float(np.mean(defined)) if defined else None


def _checked(scores: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    scores, truth = np.asarray(scores, dtype=np.float64), np.asarray(truth)
    if scores.shape != truth.shape or truth.ndim != 2:
        raise ValueError(f"scores {scores.shape} and truth {truth.shape} must share one shape (faces, labels)")
    if not truth.size:
        raise ValueError("a metric needs at least one face")
    bad = ~np.isfinite(scores).all(axis=1)
    if bad.any():
        raise ValueError(f"the scores of row {int(np.flatnonzero(bad)[0])} are not finite")
    strange = ~((truth == 0) | (truth == 1)).all(axis=1)
    if strange.any():
        raise ValueError(f"the truth of row {int(np.flatnonzero(strange)[0])} is neither 0 nor 1 throughout")
    return scores, truth.astype(bool)
