"""What mAP may be on the images of paper 000's table 1, against brute force and worlds drawn at random."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from sklearn.metrics import auc, average_precision_score, precision_recall_curve, roc_auc_score

from ferbook.claims import printed
from ferbook.claims.claim import Verdict
from ferbook.measures import multilabel
from ferbook.papers.cbam import mean_precision, results, tables
from ferbook.papers.cbam.tables import Counts
from tests.unit.claiming import judged


def all_rankings(of):
    """Every assignment of scores to the images that some threshold cuts into these counts."""
    truth = np.array([True] * of.tp + [False] * of.fp + [True] * of.fn + [False] * of.tn)
    above = of.tp + of.fp
    for top in itertools.product(range(above), repeat=above):
        for low in itertools.product(range(len(truth) - above), repeat=len(truth) - above):
            yield np.array([10 + score for score in top] + list(low), dtype=float), truth


@pytest.mark.parametrize("counts", [Counts(2, 1, 1, 1), Counts(2, 0, 1, 2), Counts(1, 1, 1, 1), Counts(2, 0, 0, 2)])
def test_values_are_those_of_brute_force(counts):
    tried = list(all_rankings(counts))
    for kind in multilabel.INTERPOLATIONS:
        found = {round(multilabel.average_precision(scores, truth, kind), 12) for scores, truth in tried}
        assert found == {round(float(value), 12) for value in mean_precision.label_values(counts, kind)}
    areas = [roc_auc_score(truth, scores) for scores, truth in tried]
    assert tables.auroc_range(counts) == pytest.approx((min(areas), max(areas)))


def test_the_area_under_straight_lines_is_that_of_the_usual_routine():
    rng = np.random.default_rng(0)
    scores, truth = rng.integers(0, 6, 40) / 5, rng.random(40) < 0.4
    precision, recall, _ = precision_recall_curve(truth, scores)
    assert multilabel.average_precision(scores, truth, "trapezoid") == pytest.approx(auc(recall, precision))
    points = [(Fraction(0), Fraction(1))]
    for level in sorted(set(scores), reverse=True):
        taken = scores >= level
        points.append(
            (Fraction(int(truth[taken].sum()), int(truth.sum())), Fraction(int(truth[taken].sum()), int(taken.sum())))
        )
    twin = sum((r - q) * (a + b) / 2 for (q, a), (r, b) in itertools.pairwise(points))
    assert multilabel.average_precision(scores, truth, "trapezoid") == pytest.approx(float(twin))


def test_the_usual_mean_is_out_of_reach():
    low, high = min(mean_precision.over_labels()), max(mean_precision.over_labels())
    # Sadness: an image without it first, the missed one last; anger: two right, the missed one last.
    assert low == (5 + (Fraction(1, 2) + Fraction(2, 3) + Fraction(3, 6)) / 3 + (2 + Fraction(3, 6)) / 3) / 7
    assert high == (5 + (2 + Fraction(3, 4)) / 3 + 1) / 7
    assert (f"{float(low):.4f}", f"{float(high):.4f}") == ("0.9127", "0.9881")
    assert all(min(mean_precision.over_labels(kind)) > Fraction("0.8975") for kind in ("none", "11-point", "all-point"))


def test_the_area_under_straight_lines_reaches_the_printed_value_in_two_orders():
    reached = [
        value
        for value in mean_precision.over_labels("trapezoid")
        if abs(value - Fraction("0.897")) <= Fraction("0.0005")
    ]
    assert reached == [Fraction(113, 126)]

    def untied(of):
        """Curves through six images in a row, by hand."""
        for above in set(itertools.permutations([1] * of.tp + [0] * of.fp)):
            for below in set(itertools.permutations([1] * of.fn + [0] * of.tn)):
                order = above + below
                points = [(0.0, 1.0), *((sum(order[:k]) / 3, sum(order[:k]) / k) for k in range(1, 7))]
                yield np.trapezoid([p for _, p in points], [r for r, _ in points])

    rows = tables.counts()
    means = [(5 + a + b) / 7 for a in untied(rows["sadness"]) for b in untied(rows["anger"])]
    assert (sum(round(100 * mean, 1) == 89.7 for mean in means), len(means)) == (2, 36)
    assert mean_precision.orders_that_give(0.897, 0.0005, "trapezoid") == (2, 36)


def drawn(rng):
    """Truth and scores of six images with table 1's counts, label by label, without a word of the library."""
    truth, scores = np.zeros((6, 7), dtype=bool), np.zeros((6, 7))
    for k, row in enumerate(printed.table("000-table1").itertuples()):
        cells = [kind for kind in ("TP", "FP", "FN", "TN") for _ in range(int(getattr(row, kind)))]
        for image, kind in enumerate(rng.permutation(cells)):
            truth[image, k] = kind in ("TP", "FN")
            scores[image, k] = rng.integers(50, 100) if kind in ("TP", "FP") else rng.integers(0, 50)
    return truth, scores / 100


def mean_over_images(truth, scores):
    """Each image's labels from the highest score to the lowest, tied ones at once; then the mean over the images."""
    found = []
    for has, given in zip(truth, scores, strict=True):
        levels = [np.mean(has[given >= score]) for score in given[has]]
        found.append(np.mean(levels))
    return float(np.mean(found))


def test_the_mean_over_images_reaches_the_printed_one():
    allowed = mean_precision.over_images()
    # Three images have one error each: one label that is not there above the one that is, and twice the only one last.
    assert min(allowed) == (3 + Fraction(1, 2) + Fraction(1, 7) + Fraction(1, 7)) / 6 and max(allowed) == 1
    rng = np.random.default_rng(0)
    worlds = [(truth, scores) for truth, scores in (drawn(rng) for _ in range(300)) if truth.any(axis=1).all()]
    means = [mean_over_images(*world) for world in worlds]
    assert means == pytest.approx([average_precision_score(*world, average="samples") for world in worlds])
    assert min(means) < 0.897 < max(means)
    exact = np.array(sorted(map(float, allowed)))
    assert all(np.abs(exact - mean).min() < 1e-9 for mean in means)
    every = tables.image_counts()
    for truth, scores in worlds[:50]:
        right = (truth & (scores >= 0.5), ~truth & (scores >= 0.5), truth & (scores < 0.5), ~truth & (scores < 0.5))
        assert tuple(sorted(zip(*(kind.sum(axis=1).tolist() for kind in right), strict=True))) in every
        wrong = ((truth != (scores >= 0.5)).any(axis=1)).sum()
        assert tables.images_right()[0] <= 6 - wrong <= tables.images_right()[1]


def test_the_least_mean_over_images_is_reached():
    # Columns as in table 1: happiness, sadness, anger, fear, surprise, disgust, neutral. The first image has happiness
    # alone, and sadness is found above it; the second and the third have one label each, with the lowest score.
    truth = np.array([[1, 0, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0, 0],
                      [1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1, 1], [0, 0, 0, 1, 1, 1, 1]], dtype=bool)  # fmt: skip
    scores = np.where(truth, 0.9, 0.1)
    scores[0, 1], scores[1, 1], scores[2, 2] = 0.95, 0.05, 0.05
    assert mean_over_images(truth, scores) == pytest.approx(float(min(mean_precision.over_images())))
    made = [[(truth[:, k] == a) & ((scores[:, k] >= 0.5) == b) for a, b in ((1, 1), (0, 1), (1, 0), (0, 0))]
            for k in range(7)]  # fmt: skip
    assert [tuple(int(kind.sum()) for kind in row) for row in made] == list(tables.counts().values())


@pytest.mark.parametrize("counts", [Counts(2, 1, 1, 1), Counts(1, 1, 0, 2), Counts(2, 1, 2, 1), Counts(0, 1, 1, 2)])
def test_the_ends_are_those_of_every_order(counts):
    values = mean_precision.label_values(counts)
    assert mean_precision.ends(counts) == (min(values), max(values))


def test_all_cells_as_one_label_have_the_right_values():
    cells = Counts(*map(sum, zip(*tables.counts().values(), strict=True)))
    assert cells == (19, 1, 2, 20)
    least = (sum(Fraction(k, k + 1) for k in range(1, 20)) + Fraction(20, 41) + Fraction(21, 42)) / 21
    # The two that were missed tie, one step below the false positive.
    greatest = (19 + 2 * Fraction(21, 22)) / 21
    assert mean_precision.readings()["cells"][1:] == (least, greatest)
    values = mean_precision.over_cells()
    assert min(values) == least and max(values) < greatest
    # One false positive at some place among the twenty on top, the two that were missed among the others.
    rng = np.random.default_rng(0)
    for _ in range(30):
        top, low = rng.permutation([True] * 19 + [False]), rng.permutation([True] * 2 + [False] * 20)
        value = average_precision_score(np.concatenate([top, low]), -np.arange(42))
        assert min(abs(float(other) - value) for other in values) < 1e-9
    assert round(100 * mean_precision.nearest("cells", 0.897), 1) == 89.7


def test_the_witness_has_the_counts_and_the_printed_mean():
    scores, truth = mean_precision.images_that_give(0.897, 0.0005)
    assert f"{100 * mean_over_images(truth, scores):.1f}" == "89.7"
    for k, row in enumerate(tables.counts().values()):
        said, there = scores[:, k] >= mean_precision.THRESHOLD, truth[:, k]
        assert row == ((said & there).sum(), (said & ~there).sum(), (~said & there).sum(), (~said & ~there).sum())
    assert mean_precision.images_that_give(0.3, 0.0005, tries=50) is None
    assert len(mean_precision.witness_rows(scores, truth)) == 6


def test_table_1_can_rule_out_a_mean_average_precision_and_confirm_none():
    result = judged("mean average precision of the counts", "89.7")
    assert result.verdict is Verdict.UNCHECKED
    could, _, could_not = result.outcome.detail.partition("not as")
    assert "mean over images (63.1" in could and "straight lines" in could and "mean over labels (" not in could
    assert "mean over labels (91.3" in could_not
    assert judged("mean average precision of the counts", "92.0").verdict is Verdict.UNCHECKED
    out = judged("mean average precision of the counts", "60.0")
    assert out.verdict is Verdict.CONTRADICTS
    assert out.outcome.value == pytest.approx(100 * float(min(mean_precision.over_images())))


def test_each_reading_is_judged_by_itself():
    check = "reading of the mean average precision"
    usual = judged(check, "89.7", reading="labels")
    assert usual.outcome.value == pytest.approx(91.2698, abs=1e-3) and usual.verdict is Verdict.CONTRADICTS
    straight = judged(check, "89.7", reading="labels, trapezoid")
    assert straight.verdict is Verdict.HOLDS and straight.outcome.value == pytest.approx(89.6825, abs=1e-4)
    assert "2 of 36 orders" in straight.outcome.detail
    assert judged(check, "88.0", reading="labels, trapezoid").verdict is Verdict.CONTRADICTS
    for reading, out in (("cells", "80.0"), ("images", "60.0")):
        assert judged(check, "89.7", reading=reading).verdict is Verdict.HOLDS
        assert judged(check, out, reading=reading).verdict is Verdict.CONTRADICTS


def test_readings_of_a_networks_scores():
    rng = np.random.default_rng(1)
    truth = rng.random((60, 8)) < 0.4
    scores = rng.random((60, 8))
    found = results.readings(scores, truth)
    seven, has = scores[:, list(results.PLACES)], truth[:, list(results.PLACES)]
    assert list(found) == list(mean_precision.TITLES.values())
    assert found["mean over labels"] == pytest.approx(average_precision_score(has, seven, average="macro"))
    assert found["all cells as one label"] == pytest.approx(average_precision_score(has, seven, average="micro"))
    kept = has.any(axis=1)
    images = average_precision_score(has[kept], seven[kept], average="samples")
    assert found["mean over images"] == pytest.approx(images)
