"""What paper 000's tables 1 and 2 say about themselves, and what six images can say at all. No torch.

Table 1 counts, label by label, true and false positives and negatives. Scores of single images are not printed. What a
figure made of scores (average precision, area under the ROC curve) may be is therefore found by trying every order of
the images that gives the printed counts: whatever was predicted has a higher score than whatever was not.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import combinations, permutations
from math import comb
from typing import Literal, NamedTuple

import numpy as np
from scipy import stats
from sklearn.metrics import average_precision_score, roc_auc_score

from ferbook import intervals, multilabel, printed
from ferbook.intervals import Interval

#: The paper's labels in the order of its tables, by the library's names; "Jijil" is a misprint of table 2.
LABELS: dict[str, str] = {
    "Bahagia": "happiness",
    "Sedih": "sadness",
    "Marah": "anger",
    "Takut": "fear",
    "Terkejut": "surprise",
    "Jijik": "disgust",
    "Netral": "neutral",
}
MISPRINTS: dict[str, str] = {"Jijil": "Jijik"}
#: The columns of counts that both tables have, and all four of table 1.
COUNTS: tuple[str, ...] = ("TP", "FP", "FN", "TN")
#: How the library calls the scores of table 2.
SCORES: tuple[str, ...] = ("Precision", "Recall", "F1-Score")
#: Ways to take an average precision, each a possible meaning of "mAP" (see :mod:`ferbook.multilabel`).
KINDS: tuple[str, ...] = ("none", "11-point", "all-point")
Kind = Literal["none", "11-point", "all-point"]
#: A label is predicted where its score is at least this.
THRESHOLD = 0.5


class Counts(NamedTuple):
    """One label's images: true and false positives, false and true negatives."""

    tp: int
    fp: int
    fn: int
    tn: int


def counts(name: str = "000-table1") -> dict[str, Counts]:
    """Printed counts by the library's names of the labels; table 2 has no true negatives: those are table 1's."""
    table, first = printed.table(name), printed.table("000-table1").set_index("emotion")
    found = {}
    for _, line in table.iterrows():
        label = MISPRINTS.get(line["emotion"], line["emotion"])
        negatives = line["TN"] if "TN" in line else first.loc[label, "TN"]
        found[LABELS[label]] = Counts(*(int(line[key]) for key in COUNTS[:3]), int(negatives))
    return found


def scores(of: Counts) -> dict[str, float]:
    """Precision, recall and F1 of one label."""
    precision, recall = of.tp / (of.tp + of.fp), of.tp / (of.tp + of.fn)
    return dict(zip(SCORES, (precision, recall, 2 * of.tp / (2 * of.tp + of.fp + of.fn)), strict=True))


def hamming_loss() -> tuple[int, int]:
    """Wrong cells and all cells of table 1."""
    rows = counts().values()
    return sum(row.fp + row.fn for row in rows), sum(map(sum, rows))


def _orders(present: int, absent: int) -> Iterator[tuple[tuple[int, int], ...]]:
    """All orders, ties included, of images that have a label and images that have not: (present, absent) per score."""
    if not present and not absent:
        yield ()
        return
    for p in range(present + 1):
        for a in range(absent + 1):
            if p or a:
                yield from (((p, a), *rest) for rest in _orders(present - p, absent - a))


def rankings(of: Counts) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Scores and truth, (N,) each, of every order of the images that gives these counts at some threshold."""
    for above in _orders(of.tp, of.fp):
        for below in _orders(of.fn, of.tn):
            levels = [*above, *below]
            value = [len(levels) - place for place, (p, a) in enumerate(levels) for _ in range(p + a)]
            truth = [bool(k < p) for p, a in levels for k in range(p + a)]
            yield np.array(value, dtype=float), np.array(truth)


@cache
def average_precision_range(of: Counts, kind: Kind = "none") -> tuple[float, float]:
    """Least and greatest average precision that the counts allow."""
    found = [multilabel.average_precision(value, truth, kind) for value, truth in rankings(of)]
    return min(found), max(found)


@cache
def auroc_range(of: Counts) -> tuple[float, float]:
    """Least and greatest area under the ROC curve that the counts allow."""
    found = [float(roc_auc_score(truth, value)) for value, truth in rankings(of)]
    return min(found), max(found)


def mean_average_precision_range(kind: Kind = "none") -> tuple[float, float]:
    """Least and greatest mean over the seven labels."""
    low, high = zip(*(average_precision_range(row, kind) for row in counts().values()), strict=True)
    return float(np.mean(low)), float(np.mean(high))


def pooled_range() -> tuple[float, float]:
    """Least and greatest average precision over all cells of table 1 as if they were one label ("micro").

    With one threshold for all labels.
    """
    return _ends(Counts(*map(sum, zip(*counts().values(), strict=True))))


@cache
def _ends(of: Counts) -> tuple[float, float]:
    """Least and greatest average precision that the counts allow, without trying every order.

    The least has the false positives on top and the false negatives last, without ties. The greatest has them in the
    middle, and the false negatives tied: what ties is taken in at once, so the first counts as much as the last.
    """
    worst = [False] * of.fp + [True] * of.tp + [False] * of.tn + [True] * of.fn
    best = [True] * of.tp + [False] * of.fp + [True] * of.fn + [False] * of.tn
    low = multilabel.average_precision(-np.arange(len(worst), dtype=float), np.array(worst))
    high = multilabel.average_precision(np.repeat([4.0, 3, 2, 1], (of.tp, of.fp, of.fn, of.tn)), np.array(best))
    return float(low), float(high)


@cache
def image_counts() -> frozenset[tuple[Counts, ...]]:
    """All ways in which the cells of table 1 can be spread over its images: what each image has over the seven labels.

    The images are sorted by their counts: the table does not say which of them have a label, and which an error.
    """
    rows = sorted(counts().values())
    # An image's four counts as one number in base 8, so that labels add up.
    base = len(rows) + 1
    found = np.zeros((1, sum(rows[0])), dtype=int)
    for row in rows:
        orders = np.array(sorted(set(permutations(base**place for place in range(4) for _ in range(row[place])))))
        spread = (found[:, None] + orders[None]).reshape(-1, found.shape[1])
        found = np.unique(np.sort(spread, axis=1), axis=0)
    digits = found[:, :, None] // base ** np.arange(4) % base
    return frozenset(tuple(sorted(Counts(*image) for image in images)) for images in digits.tolist())


@cache
def images_range() -> tuple[float, float]:
    """Least and greatest mean over the images of the average precision of each image's seven labels ("samples").

    With one threshold for all labels, and every image with a label: without one, it has no average precision.
    """
    labelled = [images for images in image_counts() if all(image.tp + image.fn for image in images)]
    found = [np.mean([_ends(image) for image in images], axis=0) for images in labelled]
    return float(min(low for low, _ in found)), float(max(high for _, high in found))


@cache
def images_that_give(wanted: float, within: float, tries: int = 5000) -> tuple[np.ndarray, np.ndarray] | None:
    """Images with table 1's counts whose mAP as a mean over images is the wanted one: a witness.

    Parameters
    ----------
    wanted, within: shares; how far from the wanted one the found one may lie.
    tries: random images drawn before giving up.

    Returns
    -------
    Scores and truth, (images, 7), labels as in ``LABELS``, predicted from ``THRESHOLD`` on; None if no draw gave it.
    """
    rng, rows = np.random.default_rng(0), list(counts().values())
    for _ in range(tries):
        # Columns: has the label, is predicted. Per label: true positives, false positives, false and true negatives.
        cells = [rng.permutation(np.repeat([[1, 1], [0, 1], [1, 0], [0, 0]], row, axis=0)) for row in rows]
        truth, predicted = np.stack(cells, axis=1).transpose(2, 0, 1).astype(bool)
        scores = rng.uniform(0, THRESHOLD, truth.shape).round(2)
        scores = np.where(predicted, scores + THRESHOLD, np.minimum(scores, THRESHOLD - 0.01))
        if truth.any(axis=1).all():
            found = average_precision_score(truth, scores, average="samples")
            if abs(found - wanted) <= within:
                return scores, truth
    return None


def meanings() -> dict[str, tuple[float, float]]:
    """Least and greatest mAP that table 1 allows under each meaning of the word."""
    spans = {kind: mean_average_precision_range(kind) for kind in KINDS}
    over_labels = {f"mean over labels{'' if kind == 'none' else ', ' + kind}": span for kind, span in spans.items()}
    return over_labels | {"mean over images": images_range(), "all cells as one label": pooled_range()}


def chance(present: int = 3, images: int = 6) -> tuple[float, float]:
    """Of images in random order: the expected average precision, and the probability that the present come first."""
    falling = -np.arange(images, dtype=float)
    found = []
    for chosen in combinations(range(images), present):
        truth = np.zeros(images, dtype=bool)
        truth[list(chosen)] = True
        found.append(multilabel.average_precision(falling, truth))
    return float(np.mean(found)), 1 / comb(images, present)


def sure(of: Counts) -> dict[str, Interval]:
    """Precision, recall and the share of images that are right, with Wilson's intervals."""
    return {
        "precision": intervals.wilson(of.tp, of.tp + of.fp),
        "recall": intervals.wilson(of.tp, of.tp + of.fn),
        "right": intervals.wilson(of.tp + of.tn, sum(of)),
    }


def differ(first: str, second: str) -> float:
    """Fisher's exact p for "both labels are got right equally often", from the counts of table 1."""
    found = counts()
    table = [[row.tp + row.tn, row.fp + row.fn] for row in (found[first], found[second])]
    return float(stats.fisher_exact(table).pvalue)


def images_for(lower_end: float) -> int:
    """How many images, all got right, Wilson's 95 % interval needs to start above `lower_end`."""
    number = 1
    while intervals.wilson(number, number).low < lower_end:
        number += 1
    return number


def rows() -> list[dict[str, object]]:
    """Table 2 computed again from table 1, with what six images leave open; as ``report.table`` takes it."""
    found = []
    for label, row in counts().items():
        bounds, again = sure(row), scores(row)
        found.append(
            {
                "label": label,
                **{key: getattr(row, key.lower()) for key in COUNTS},
                **{key.removesuffix("-Score"): f"{value:.2f}" for key, value in again.items()},
                "recall, 95 % interval": f"{bounds['recall'].low:.2f} to {bounds['recall'].high:.2f}",
                "images right": f"{row.tp + row.tn} of {sum(row)}",
                "that share, 95 % interval": f"{bounds['right'].low:.2f} to {bounds['right'].high:.2f}",
            }
        )
    return found


def range_rows() -> list[dict[str, str]]:
    """What each meaning of "mAP" may be on table 1's images; as ``report.table`` takes it."""
    return [
        {"mAP as": name, "least (%)": f"{100 * low:.1f}", "greatest (%)": f"{100 * high:.1f}"}
        for name, (low, high) in meanings().items()
    ]


def witness_rows(scores: np.ndarray, truth: np.ndarray) -> list[dict[str, str]]:
    """Scores of images, each with whether the image has the label; as ``report.table`` takes it."""
    return [
        {"image": str(number)}
        | {
            label: f"{score:.2f}, {'yes' if there else 'no'}"
            for label, score, there in zip(counts(), line, has, strict=True)
        }
        for number, (line, has) in enumerate(zip(scores, truth, strict=True), start=1)
    ]


def auroc_rows() -> list[dict[str, str]]:
    """The areas under the ROC curves that table 1 allows, label by label; as ``report.table`` takes it."""
    return [
        {"label": label, "AUC at least": f"{low:.2f}", "AUC at most": f"{high:.2f}"}
        for label, (low, high) in ((label, auroc_range(row)) for label, row in counts().items())
    ]
