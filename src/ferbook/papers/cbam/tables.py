"""What paper 000's tables 1 and 2 say about themselves, and what six images can say at all. No torch.

Table 1 counts, label by label, true and false positives and negatives. Scores of single images are not printed. What a
figure made of scores (the area under the ROC curve; average precision, see :mod:`ferbook.papers.cbam.mean_precision`)
may be is therefore found by trying every order of the images that gives the printed counts: whatever was predicted has
a higher score than whatever was not.
"""

from collections.abc import Iterator
from functools import cache
from itertools import combinations, permutations
from math import comb
from typing import NamedTuple

import numpy as np
from scipy import stats
from sklearn.metrics import roc_auc_score

from ferbook.claims import printed
from ferbook.measures import intervals, multilabel
from ferbook.measures.intervals import Interval

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
#: An order of images by score: per score, from the highest down, how many images with a label and without have it.
Levels = tuple[tuple[int, int], ...]


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


def all_cells() -> Counts:
    """The cells of all labels of table 1 together."""
    return Counts(*map(sum, zip(*counts().values(), strict=True)))


def images() -> int:
    """Images that table 1 counts. Raises ValueError where its rows count different numbers."""
    found = {sum(row) for row in counts().values()}
    if len(found) != 1:
        raise ValueError(f"the rows of table 1 count different numbers of images: {sorted(found)}")
    return found.pop()


def scores(of: Counts) -> dict[str, float]:
    """Precision, recall and F1 of one label."""
    precision, recall = of.tp / (of.tp + of.fp), of.tp / (of.tp + of.fn)
    return dict(zip(SCORES, (precision, recall, 2 * of.tp / (2 * of.tp + of.fp + of.fn)), strict=True))


def hamming_loss() -> tuple[int, int]:
    """Wrong cells and all cells of table 1."""
    rows = counts().values()
    return sum(row.fp + row.fn for row in rows), sum(map(sum, rows))


def _orders(present: int, absent: int) -> Iterator[Levels]:
    """All orders, ties included, of images that have a label and images that have not."""
    if not present and not absent:
        yield ()
        return
    for p in range(present + 1):
        for a in range(absent + 1):
            if p or a:
                yield from (((p, a), *rest) for rest in _orders(present - p, absent - a))


def orders(of: Counts) -> Iterator[Levels]:
    """Every order of the images, ties included, that gives these counts at some threshold."""
    for above in _orders(of.tp, of.fp):
        for below in _orders(of.fn, of.tn):
            yield (*above, *below)


def rankings(of: Counts) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Scores and truth, (N,) each, of every order of the images that gives these counts at some threshold."""
    for levels in orders(of):
        value = [len(levels) - place for place, (p, a) in enumerate(levels) for _ in range(p + a)]
        truth = [bool(k < p) for p, a in levels for k in range(p + a)]
        yield np.array(value, dtype=float), np.array(truth)


@cache
def auroc_range(of: Counts) -> tuple[float, float]:
    """Least and greatest area under the ROC curve that the counts allow."""
    found = [float(roc_auc_score(truth, value)) for value, truth in rankings(of)]
    return min(found), max(found)


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
        spread = np.array(sorted(set(permutations(base**place for place in range(4) for _ in range(row[place])))))
        found = np.unique(np.sort((found[:, None] + spread[None]).reshape(-1, found.shape[1]), axis=1), axis=0)
    digits = found[:, :, None] // base ** np.arange(4) % base
    return frozenset(tuple(sorted(Counts(*image) for image in images)) for images in digits.tolist())


def images_right() -> tuple[int, int]:
    """Least and greatest number of images that may be without an error over all labels."""
    right = [sum(not image.fp + image.fn for image in images) for images in image_counts()]
    return min(right), max(right)


def fullest() -> int:
    """How many labels some image must have: the most on one image, in the way of spreading them that has it lowest."""
    return min(max(image.tp + image.fn for image in images) for images in image_counts())


def averages() -> dict[str, float]:
    """The scores of table 1 over all its cells ("micro Precision"), and as means over its labels ("macro F1-Score")."""
    found = [scores(row) for row in counts().values()]
    over_cells = scores(all_cells())
    over_labels = {key: float(np.mean([row[key] for row in found])) for key in SCORES}
    return {f"micro {key}": over_cells[key] for key in SCORES} | {f"macro {key}": over_labels[key] for key in SCORES}


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


def auroc_rows() -> list[dict[str, str]]:
    """The areas under the ROC curves that table 1 allows, label by label; as ``report.table`` takes it."""
    return [
        {"label": label, "AUC at least": f"{low:.2f}", "AUC at most": f"{high:.2f}"}
        for label, (low, high) in ((label, auroc_range(row)) for label, row in counts().items())
    ]
