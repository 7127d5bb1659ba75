"""What "mAP" may mean, and which values of each meaning paper 000's table 1 allows. Exact fractions, no torch.

Average precision is made of an order by score, and no score is printed. Table 1 restricts the order: what was
predicted lies above what was not. So every order that fits is tried, and a printed mean average precision can be ruled
out under a meaning, or be shown to be possible; nothing confirms it.
"""

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from functools import cache
from itertools import combinations, product
from math import lcm
from typing import NamedTuple

import numpy as np
from sklearn.metrics import average_precision_score

from ferbook.measures.multilabel import Interpolation
from ferbook.papers.cbam import tables as cbam_tables
from ferbook.papers.cbam.tables import Counts, Levels

#: A label is predicted where its score is at least this.
THRESHOLD = 0.5


class Reading(NamedTuple):
    """One meaning of "mAP": how a table calls it, and the least and the greatest value that table 1 allows."""

    title: str
    low: Fraction
    high: Fraction


def average_precision(levels: Levels, kind: Interpolation = "none") -> Fraction:
    """Average precision of an order of images, exactly; the twin of
    :func:`ferbook.measures.multilabel.average_precision`.

    Parameters
    ----------
    levels: per score, from the highest down, how many images with the label have it and how many without.
    """
    positives, found, taken, points = sum(p for p, _ in levels), 0, 0, []
    for present, absent in levels:
        found, taken = found + present, taken + present + absent
        points.append((Fraction(found, positives), Fraction(found, taken)))
    if kind == "11-point":
        return sum(max(p for r, p in points if r >= Fraction(k, 10)) for k in range(11)) / Fraction(11)
    total, before = Fraction(0), (Fraction(0), Fraction(1))
    for place, (recall, precision) in enumerate(points):
        height = {
            "none": precision,
            "all-point": max(p for _, p in points[place:]),
            "trapezoid": (before[1] + precision) / 2,
        }[kind]
        total += (recall - before[0]) * height
        before = (recall, precision)
    return total


@cache
def label_values(of: Counts, kind: Interpolation = "none") -> frozenset[Fraction]:
    """Every average precision that the counts of one label allow, ties included."""
    if not of.fp and not of.fn:
        return frozenset([Fraction(1)])
    return frozenset(average_precision(levels, kind) for levels in cbam_tables.orders(of))


@cache
def over_labels(kind: Interpolation = "none") -> frozenset[Fraction]:
    """Every mean over the seven labels that table 1 allows ("macro")."""
    rows = cbam_tables.counts().values()
    return _means([label_values(row, kind) for row in rows])


def _means(values: Iterable[frozenset[Fraction]]) -> frozenset[Fraction]:
    """The means of one value out of each set."""
    sets = list(values)
    # Whole numbers of the smallest common part: much faster to add than fractions.
    part = lcm(*(value.denominator for found in sets for value in found))
    sums = {0}
    for found in sets:
        whole = [int(value * part) for value in found]
        sums = {total + value for total in sums for value in whole}
    return frozenset(Fraction(total, part * len(sets)) for total in sums)


@cache
def over_cells() -> frozenset[Fraction]:
    """Every average precision, without ties, of all cells of table 1 as if they were one label ("micro").

    With one threshold for all labels.
    """
    of = cbam_tables.all_cells()
    positives = of.tp + of.fn
    above = _precisions(0, 0, of.tp, of.fp)
    below = _precisions(of.tp, of.tp + of.fp, of.fn, of.tn)
    return frozenset((one + other) / positives for one in above for other in below)


def _precisions(found: int, taken: int, present: int, absent: int) -> set[Fraction]:
    """Sums of the precision at each present cell, over the orders of the cells that follow `taken` others.

    Parameters
    ----------
    found: present ones among the `taken`.
    """
    return {
        sum((Fraction(found + k, taken + rank + 1) for k, rank in enumerate(ranks, start=1)), Fraction(0))
        for ranks in combinations(range(present + absent), present)
    }


def ends(of: Counts) -> tuple[Fraction, Fraction]:
    """Least and greatest average precision that the counts allow, without trying every order.

    The least has the false positives on top and the false negatives last, without ties. The greatest has them in the
    middle, and the false negatives tied: what ties is taken in at once, so the first counts as much as the last.
    """
    worst = [(0, 1)] * of.fp + [(1, 0)] * of.tp + [(0, 1)] * of.tn + [(1, 0)] * of.fn
    best = [level for level in ((of.tp, 0), (0, of.fp), (of.fn, 0), (0, of.tn)) if any(level)]
    return average_precision(tuple(worst)), average_precision(tuple(best))


@cache
def over_images() -> frozenset[Fraction]:
    """Every mean over the images of the average precision of each image's seven labels ("samples") that is allowed.

    With one threshold for all labels, and every image with a label: without one, it has no average precision.
    """
    labelled = (images for images in cbam_tables.image_counts() if all(image.tp + image.fn for image in images))
    # An image without an error has 1 whatever its order: only those with one tell two ways apart.
    right = Counts(1, 0, 0, 0)
    told = {tuple(sorted(one if one.fp or one.fn else right for one in images)) for images in labelled}
    return frozenset[Fraction]().union(*(_means(map(label_values, images)) for images in told))


@cache
def images_that_give(wanted: float, within: float, tries: int = 5000) -> tuple[np.ndarray, np.ndarray] | None:
    """Images with table 1's counts whose mAP as a mean over images is the wanted one: a witness.

    Parameters
    ----------
    wanted, within: shares; how far from the wanted one the found one may lie.
    tries: random images drawn before giving up.

    Returns
    -------
    Scores and truth, (images, 7), labels as in ``tables.LABELS``, predicted from ``THRESHOLD`` on; None if no draw
    gave it.
    """
    rng, rows = np.random.default_rng(0), list(cbam_tables.counts().values())
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


def orders_that_give(wanted: float, within: float, kind: Interpolation) -> tuple[int, int]:
    """How many orders of the images, label by label and without ties, give a wanted mean over the labels; of how many.

    Parameters
    ----------
    wanted, within: shares; how far from the wanted one the found one may lie.
    """
    untied = [
        [average_precision(levels, kind) for levels in cbam_tables.orders(row) if all(sum(one) == 1 for one in levels)]
        for row in cbam_tables.counts().values()
    ]
    means = [float(sum(values) / len(values)) for values in product(*untied)]
    return sum(abs(mean - wanted) <= within for mean in means), len(means)


#: The values that table 1 allows, by the name of the reading.
VALUES: Mapping[str, Callable[[], frozenset[Fraction]]] = {
    "labels": over_labels,
    "labels, 11-point": lambda: over_labels("11-point"),
    "labels, all-point": lambda: over_labels("all-point"),
    "labels, trapezoid": lambda: over_labels("trapezoid"),
    "cells": over_cells,
    "images": over_images,
}
#: How tables and sentences call the readings.
TITLES: Mapping[str, str] = {
    "labels": "mean over labels",
    "labels, 11-point": "mean over labels, eleven-point interpolation",
    "labels, all-point": "mean over labels, all-point interpolation",
    "labels, trapezoid": "mean over labels, area under straight lines",
    "cells": "all cells as one label",
    "images": "mean over images",
}


@cache
def readings() -> Mapping[str, Reading]:
    """Least and greatest mAP that table 1 allows under each meaning of the word."""
    found = {name: (min(values()), max(values())) for name, values in VALUES.items()}
    # The greatest over all cells has ties, which its values leave out.
    found["cells"] = ends(cbam_tables.all_cells())
    return {name: Reading(TITLES[name], *span) for name, span in found.items()}


def nearest(name: str, wanted: float) -> float:
    """Of the values that table 1 allows under a reading, the one that lies nearest to a wanted one; shares."""
    return float(min(VALUES[name](), key=lambda value: abs(value - wanted)))


def rows(wanted: float, within: float) -> list[dict[str, str]]:
    """What each reading may be on table 1's images, and whether it can be the wanted one, for ``report.table``."""
    return [
        {
            "mAP as": reading.title,
            "least (%)": f"{100 * float(reading.low):.1f}",
            "greatest (%)": f"{100 * float(reading.high):.1f}",
            f"{100 * wanted:.1f} % possible": "yes" if abs(nearest(name, wanted) - wanted) <= within else "no",
        }
        for name, reading in readings().items()
    ]


def witness_rows(scores: np.ndarray, truth: np.ndarray) -> list[dict[str, str]]:
    """Scores of images, each with whether the image has the label; as ``report.table`` takes it."""
    return [
        {"image": str(number)}
        | {
            label: f"{score:.2f}, {'yes' if there else 'no'}"
            for label, score, there in zip(cbam_tables.counts(), line, has, strict=True)
        }
        for number, (line, has) in enumerate(zip(scores, truth, strict=True), start=1)
    ]
