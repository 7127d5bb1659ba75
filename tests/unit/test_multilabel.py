"""Multi-label figures against scikit-learn and against literal twins, on random scores with many ties."""

import itertools
import json
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn import metrics

from ferbook.core.errors import ConfigError
from ferbook.measures.multilabel import average_precision, evaluate, one_error


@st.composite
def batches(draw):
    """Scores in fifths, so that many tie, also with the threshold; some labels on all faces or on none."""
    shape = draw(st.tuples(st.integers(1, 9), st.integers(2, 5)))
    scores = draw(hnp.arrays(np.int64, shape, elements=st.integers(0, 5))) / 5
    return scores, draw(hnp.arrays(np.bool_, shape))


def curve_twin(scores, truth):
    """(found, taken) at each distinct score, from the highest down: all faces with that score are taken at once."""
    points = []
    for level in sorted(set(scores), reverse=True):
        taken = [t for s, t in zip(scores, truth, strict=True) if s >= level]
        points.append((sum(taken), len(taken)))
    return points


def average_precision_twin(scores, truth, interpolation):
    """In exact fractions."""
    positives = sum(truth)
    points = [(Fraction(found, positives), Fraction(found, taken)) for found, taken in curve_twin(scores, truth)]
    if interpolation == "11-point":
        levels = [Fraction(k, 10) for k in range(11)]
        return sum(max(p for r, p in points if r >= level) for level in levels) / 11
    total, before = Fraction(0), Fraction(0)
    for recall, precision in points:
        if interpolation == "all-point":
            precision = max(p for r, p in points if r >= recall)
        total += (recall - before) * precision
        before = recall
    return total


def auroc_twin(scores, truth):
    """Share of (present, absent) pairs in the right order; a tie is half right."""
    present = [s for s, t in zip(scores, truth, strict=True) if t]
    absent = [s for s, t in zip(scores, truth, strict=True) if not t]
    wins = sum((p > a) + Fraction(p == a, 2) for p, a in itertools.product(present, absent))
    return wins / (len(present) * len(absent))


def one_error_twin(scores, truth):
    """Expected error over all ways to break ties for the first place."""
    errors = []
    for row, labels in zip(scores, truth, strict=True):
        if not any(labels):
            continue
        first = [k for k, score in enumerate(row) if score == max(row)]
        errors.append(Fraction(sum(not labels[k] for k in first), len(first)))
    return sum(errors) / len(errors) if errors else None


def ranking_loss_twin(scores, truth):
    losses = []
    for row, labels in zip(scores, truth, strict=True):
        pairs = [(p, a) for p in range(len(row)) for a in range(len(row)) if labels[p] and not labels[a]]
        losses.append(sum(row[p] <= row[a] for p, a in pairs) / len(pairs) if pairs else 0.0)
    return sum(losses) / len(losses)


def coverage_twin(scores, truth):
    """How many labels score at least as much as the lowest of the face's own."""
    depths = []
    for row, labels in zip(scores, truth, strict=True):
        own = [s for s, t in zip(row, labels, strict=True) if t]
        depths.append(sum(s >= min(own) for s in row) if own else 0)
    return sum(depths) / len(depths)


def lrap_twin(scores, truth):
    values = []
    for row, labels in zip(scores, truth, strict=True):
        own = [s for s, t in zip(row, labels, strict=True) if t]
        if not own or len(own) == len(row):
            values.append(1.0)
            continue
        shares = [sum(o >= s for o in own) / sum(x >= s for x in row) for s in own]
        values.append(sum(shares) / len(shares))
    return sum(values) / len(values)


def confusion_twin(predicted, truth):
    return [
        [[sum(p == a and t == b for p, t in zip(ps, ts, strict=True)) for a in (False, True)] for b in (False, True)]
        for ps, ts in zip(zip(*predicted, strict=True), zip(*truth, strict=True), strict=True)
    ]


@settings(max_examples=80)
@given(batches(), st.sampled_from([0.0, 0.4, 0.5, 0.6, 1.0]))
def test_matches_twins(batch, threshold):
    scores, truth = batch
    rows, labels = scores.tolist(), truth.tolist()
    result = evaluate(scores, truth, threshold)
    predicted = [[score >= threshold for score in row] for row in rows]
    confusion = confusion_twin(predicted, labels)
    assert np.array(result.confusion).tolist() == confusion

    cells = list(zip(itertools.chain(*predicted), itertools.chain(*labels), strict=True))
    assert result.hamming_loss == pytest.approx(sum(p != t for p, t in cells) / len(cells))
    assert result.subset_accuracy == pytest.approx(
        sum(p == t for p, t in zip(predicted, labels, strict=True)) / len(labels)
    )
    shares = []
    for (_, fp), (fn, tp) in confusion:
        precision, recall = tp / (tp + fp) if tp + fp else 0, tp / (tp + fn) if tp + fn else 0
        shares.append((precision, recall, 2 * tp / (2 * tp + fp + fn) if tp + fp + fn else 0))
    np.testing.assert_allclose(result.per_label, shares)
    np.testing.assert_allclose(result.macro, np.mean(shares, axis=0))
    tp, fp, fn = (np.array(confusion)[:, a, b].sum() for a, b in ((1, 1), (0, 1), (1, 0)))
    np.testing.assert_allclose(
        result.micro,
        [tp / max(tp + fp, 1), tp / max(tp + fn, 1), 2 * tp / max(2 * tp + fp + fn, 1)],
    )

    assert result.ranking_loss == pytest.approx(ranking_loss_twin(rows, labels))
    assert result.coverage == pytest.approx(coverage_twin(rows, labels))
    assert result.lrap == pytest.approx(lrap_twin(rows, labels))
    expected = one_error_twin(rows, labels)
    assert result.one_error == (None if expected is None else pytest.approx(float(expected)))

    for k in range(truth.shape[1]):
        column, own = scores[:, k].tolist(), truth[:, k].tolist()
        values = result.average_precision[k], result.average_precision_11[k], result.average_precision_all[k]
        for kind, value in zip(("none", "11-point", "all-point"), values, strict=True):
            assert value == (pytest.approx(float(average_precision_twin(column, own, kind))) if any(own) else None)
        one_class = len(set(own)) == 1
        assert result.auroc[k] == (None if one_class else pytest.approx(float(auroc_twin(column, own))))


@pytest.mark.parametrize("seed", range(20))
def test_agrees_with_scikit_learn(seed):
    """On 60 faces with seven labels, every label on some and not on all; half of the runs with many ties."""
    random = np.random.default_rng(seed)
    truth = random.random((60, 7)) < random.uniform(0.1, 0.6, 7)
    truth[0], truth[1] = True, False
    scores = 0.3 * truth + random.random((60, 7))
    if seed % 2:
        scores = scores.round(1)
    result, predicted = evaluate(scores, truth), scores >= 0.5
    assert result.mean_average_precision == pytest.approx(metrics.average_precision_score(truth, scores))
    assert result.macro_auroc == pytest.approx(metrics.roc_auc_score(truth, scores))
    assert result.hamming_loss == pytest.approx(metrics.hamming_loss(truth, predicted))
    assert np.array_equal(result.confusion, metrics.multilabel_confusion_matrix(truth, predicted))
    for average in ("macro", "micro"):
        assert getattr(result, average).f1 == pytest.approx(metrics.f1_score(truth, predicted, average=average))
    assert result.lrap == pytest.approx(metrics.label_ranking_average_precision_score(truth, scores))
    assert result.ranking_loss == pytest.approx(metrics.label_ranking_loss(truth, scores))
    assert result.coverage == pytest.approx(metrics.coverage_error(truth, scores))
    # Three figures called AP; the curve made falling is never below the curve.
    assert result.mean_average_precision < result.mean_average_precision_all
    assert result.mean_average_precision_11 not in (result.mean_average_precision, result.mean_average_precision_all)


def test_three_figures_called_ap_by_hand():
    """Right, wrong, right: precision 1, 1/2, 2/3 at recall 1/2, 1/2, 1."""
    for truth, expected in (
        ([True, False, True], ((1 + 2 / 3) / 2, (1 + 2 / 3) / 2, (6 * 1 + 5 * 2 / 3) / 11)),
        # Wrong, right, right: 0, 1/2, 2/3. The best precision at any recall is 2/3.
        ([False, True, True], ((1 / 2 + 2 / 3) / 2, 2 / 3, 2 / 3)),
    ):
        scores = np.array([0.9, 0.8, 0.7]), np.array(truth)
        found = [average_precision(*scores, kind) for kind in ("none", "all-point", "11-point")]
        assert found == pytest.approx(expected)


def test_eleven_points_count_whole_faces():
    """Three of ten reach a recall of 0.3, whatever 3 / 10 is in floating point."""
    truth = np.array([True] * 3 + [False] * 90 + [True] * 7)
    scores = np.linspace(1, 0, 100)
    expected = average_precision_twin(scores.tolist(), truth.tolist(), "11-point")
    assert average_precision(scores, truth, "11-point") == pytest.approx(float(expected), rel=1e-12)
    assert expected == (4 * 1 + 7 * Fraction(10, 100)) / 11


def test_ties_do_not_depend_on_the_order_of_faces():
    random = np.random.default_rng(0)
    scores, truth = random.integers(0, 3, (30, 4)) / 2, random.random((30, 4)) < 0.4
    shuffled = random.permutation(30)
    for first, second in zip(
        evaluate(scores, truth).as_dict().values(), evaluate(scores[shuffled], truth[shuffled]).as_dict().values(),
        strict=True,
    ):  # fmt: skip
        assert np.allclose(first, second) if isinstance(first, (float, tuple)) else first == second


def test_chance_and_perfection():
    truth = np.tile(np.eye(4, dtype=bool), (10, 1))
    perfect = evaluate(truth.astype(float), truth)
    assert (perfect.mean_average_precision, perfect.macro_auroc, perfect.macro.f1, perfect.lrap) == (1, 1, 1, 1)
    assert (perfect.hamming_loss, perfect.ranking_loss, perfect.one_error, perfect.subset_accuracy) == (0, 0, 0, 1)
    assert perfect.coverage == 1
    blind = evaluate(np.full(truth.shape, 0.7), truth)
    assert (blind.macro_auroc, blind.mean_average_precision, blind.one_error) == (0.5, 0.25, 0.75)
    assert (blind.ranking_loss, blind.coverage) == (1, 4)


def test_table_1_of_paper_000():
    """Six faces, seven labels: the printed counts give the printed precision, recall and F1."""
    counts = [(3, 0, 0, 3), (2, 1, 1, 2), (2, 0, 1, 3)] + [(3, 0, 0, 3)] * 4
    truth = np.array([[1] * tp + [0] * fp + [1] * fn + [0] * tn for tp, fp, fn, tn in counts]).T
    scores = np.array([[1] * tp + [1] * fp + [0] * fn + [0] * tn for tp, fp, fn, tn in counts]).T
    result = evaluate(scores, truth)
    assert [(row[1][1], row[0][1], row[1][0], row[0][0]) for row in result.confusion] == counts
    assert [round(x, 2) for x in result.per_label[1]] == [0.67, 0.67, 0.67]
    assert [round(x, 2) for x in result.per_label[2]] == [1.00, 0.67, 0.80]
    assert result.hamming_loss == pytest.approx(3 / 42)


def test_labels_without_a_face_are_left_out():
    truth = np.array([[True, False, True], [False, False, True]])
    result = evaluate(np.array([[0.9, 0.2, 0.4], [0.1, 0.3, 0.8]]), truth)
    assert result.average_precision == (1, None, 1)
    assert result.auroc == (1, None, None)
    assert (result.mean_average_precision, result.macro_auroc) == (1, 1)
    json.dumps(result.as_dict(), allow_nan=False)


def test_nothing_is_defined_without_any_label():
    result = evaluate(np.zeros((3, 2)), np.zeros((3, 2), dtype=bool))
    assert result.mean_average_precision is result.macro_auroc is result.one_error is None
    assert result.as_dict()["macro"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0}


def test_one_error_shares_ties():
    scores = np.array([[0.9, 0.9, 0.1], [0.2, 0.1, 0.3], [0.5, 0.5, 0.5]])
    truth = np.array([[1, 0, 0], [0, 0, 1], [0, 0, 0]])
    assert one_error(scores, truth) == pytest.approx((1 / 2 + 0) / 2)


def test_the_threshold_is_included():
    assert evaluate(np.array([[0.5, 0.4]]), np.array([[1, 1]])).confusion[0][1] == (0, 1)


S, T = np.zeros((3, 2)), np.ones((3, 2), dtype=bool)


@pytest.mark.parametrize(
    ("scores", "truth", "words"),
    [
        (S, T[:, :1], "share one shape"),
        (S[:, 0], T[:, 0], "share one shape"),
        (S[:0], T[:0], "at least one face"),
        (S[:, :1], T[:, :1], "not a multi-label"),
        (np.where(np.arange(6).reshape(3, 2) == 3, np.nan, S), T, "row 1 are not finite"),
        (S + np.inf, T, "row 0 are not finite"),
        (S, 2 * T, "row 0 is neither 0 nor 1"),
        (S, T * np.nan, "row 0 is neither 0 nor 1"),
    ],
)
def test_refuses(scores, truth, words):
    with pytest.raises(ValueError, match=words):
        evaluate(scores, truth)


def test_refuses_settings():
    with pytest.raises(ConfigError, match="threshold"):
        evaluate(S, T, math.nan)
    with pytest.raises(ConfigError, match="interpolation"):
        average_precision(S[:, 0], T[:, 0], "voc")
    with pytest.raises(ValueError, match=r"must be \(faces,\)"):
        average_precision(S, T)
