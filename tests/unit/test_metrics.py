import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ferbook.measures.metrics import crowd_measures, from_bits, is_accurate, tie_aware_accuracy, to_bits


def accuracy_twin(prediction, distribution):
    """Section 3.4, one face at a time."""
    right = 0
    for guess, row in zip(prediction, distribution, strict=True):
        best = max(row)
        right += guess in {k for k, share in enumerate(row) if share == best}
    return right / len(prediction)


@given(hnp.arrays(np.int64, (7, 8), elements=st.integers(0, 3)), hnp.arrays(np.int64, 7, elements=st.integers(0, 7)))
def test_matches_its_twin(shares, prediction):
    assert tie_aware_accuracy(prediction, shares) == accuracy_twin(prediction.tolist(), shares.tolist())


def test_either_of_two_tied_emotions_is_right():
    tied = np.array([[0.4, 0.4, 0.2], [0.4, 0.4, 0.2], [0.4, 0.4, 0.2]])
    assert is_accurate(np.array([0, 1, 2]), tied).tolist() == [True, True, False]


def test_scores_are_read_through_their_largest_entry():
    assert is_accurate(np.array([[0.1, 0.9], [0.6, 0.4]]), np.array([[0, 1], [0, 1]])).tolist() == [True, False]


@pytest.mark.parametrize(
    ("prediction", "distribution"),
    [
        (np.array([0, 1]), np.eye(3)),
        (np.array([3]), np.eye(3)[:1]),
        (np.array([-1]), np.eye(3)[:1]),
        (np.array([0.0]), np.eye(3)[:1]),
        (np.array([[0.2, np.nan, 0.1]]), np.eye(3)[:1]),
        (np.array([[0.2, 0.8]]), np.eye(3)[:1]),
        (np.array([], dtype=int), np.empty((0, 3))),
    ],
)
def test_refuses(prediction, distribution):
    with pytest.raises(ValueError):  # noqa: PT011 - each message names its own shapes
        tie_aware_accuracy(prediction, distribution)


def crowd_twin(probabilities, distribution, bins):
    """Every figure, one face at a time."""
    faces = list(zip(probabilities, distribution, strict=True))
    labels = range(len(distribution[0]))
    right, first, kl, brier, counts = [], [], 0.0, 0.0, [[0] * len(labels) for _ in labels]
    by_bin = {}
    for p, q in faces:
        guess = max(labels, key=lambda k: (p[k], -k))
        winners = [k for k in labels if q[k] == max(q)]
        right.append(guess in winners)
        first.append(guess == winners[0])
        kl += sum(b * math.log(b / a) for a, b in zip(p, q, strict=True) if b > 0)
        brier += sum((a - b) ** 2 for a, b in zip(p, q, strict=True))
        counts[guess if guess in winners else winners[0]][guess] += 1
        by_bin.setdefault(min(int(max(p) * bins), bins - 1), []).append((max(p), guess in winners))
    gap = sum(abs(sum(c - r for c, r in members)) for members in by_bin.values())
    n = len(faces)
    return {
        "accuracy": sum(right) / n,
        "accuracy_first": sum(first) / n,
        "kl": kl / n,
        "brier": brier / n,
        "calibration_error": gap / n,
        "confusion": counts,
        "recall": [row[k] / sum(row) if sum(row) else None for k, row in enumerate(counts)],
    }


@pytest.mark.parametrize("seed", range(4))
def test_crowd_measures_match_their_twin(seed):
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(4), 30)
    distribution = rng.multinomial(4, np.full(4, 0.25), 30) / 4  # many ties
    distribution[:, 3] *= seed > 0  # with seed 0 the last emotion is nobody's
    distribution /= distribution.sum(axis=1, keepdims=True)
    found = crowd_measures(probabilities, distribution, bins=5)
    twin = crowd_twin(probabilities.tolist(), distribution.tolist(), 5)
    assert found.keys() == twin.keys()
    assert found["confusion"] == twin["confusion"]
    for key in ("accuracy", "accuracy_first", "kl", "brier", "calibration_error", "recall"):
        assert found[key] == pytest.approx(twin[key])


def test_a_certain_and_wrong_answer_has_a_finite_divergence():
    assert np.isfinite(crowd_measures(np.eye(3)[[0]], np.eye(3)[[1]])["kl"])


@given(hnp.arrays(np.bool_, st.integers(0, 40)))
def test_flags_survive_as_text(flags):
    np.testing.assert_array_equal(from_bits(to_bits(flags), len(flags)), flags)


def test_flags_of_another_number_of_faces_are_refused():
    with pytest.raises(ValueError, match="24 flags are not 8"):
        from_bits(to_bits(np.ones(20, dtype=bool)), 8)
