from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ferbook.metrics import is_accurate, tie_aware_accuracy


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
