"""Each label function against a slow, literal twin of the paper's words, on hand-made and on random votes."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ferbook.core.errors import ConfigError
from ferbook.faces import labels
from ferbook.learning.losses import drawn_labels

VOTES = hnp.arrays(np.int64, st.tuples(st.integers(1, 12), st.just(10)), elements=st.integers(0, 10))


@st.composite
def distributions(draw):
    counts = draw(hnp.arrays(np.int64, st.tuples(st.integers(1, 12), st.just(8)), elements=st.integers(0, 4)))
    counts[:, draw(st.integers(0, 7))] += counts.sum(axis=1) == 0
    return counts / counts.sum(axis=1, keepdims=True)


def clean_twin(votes, rule, limit):
    """Section 3.3.1, one face at a time."""
    keep, rows = [], []
    for row in votes.tolist():
        unknown, not_a_face = row[8], row[9]
        noisy = unknown + not_a_face > limit if rule == "sum" else unknown > limit or not_a_face > limit
        total = sum(row[:8])
        keep.append(not noisy and total > 0)
        if keep[-1]:
            rows.append([count / total for count in row[:8]])
    return keep, np.array(rows).reshape(-1, 8)


def n_hot_twin(row, n):
    """Section 3.3.3 for one face without ties: sort, cut, normalise."""
    kept = sorted(range(8), key=lambda k: -row[k])[:n]
    total = sum(row[k] for k in kept)
    return [row[k] / total if k in kept else 0.0 for k in range(8)]


@given(VOTES, st.sampled_from(["sum", "either"]), st.integers(0, 6))
def test_cleaning_matches_its_twin(votes, rule, limit):
    keep, distribution = labels.clean_votes(votes, rule, limit)
    expected_keep, expected = clean_twin(votes, rule, limit)
    assert keep.tolist() == expected_keep
    np.testing.assert_allclose(distribution, expected, rtol=1e-15)


@given(VOTES)
def test_what_the_sum_keeps_either_keeps_too(votes):
    assert not (labels.clean_votes(votes, "sum").keep & ~labels.clean_votes(votes, "either").keep).any()


def test_figure_16():
    votes = np.array([[0, 0, 0, 6, 0, 0, 0, 0, 2, 2], [6, 0, 0, 2, 0, 0, 0, 0, 2, 0], [4, 0, 0, 4, 2, 0, 0, 0, 0, 0]])
    keep, distribution = labels.clean_votes(votes)
    assert keep.tolist() == [False, True, True]
    assert distribution.tolist() == [[0.75, 0, 0, 0.25, 0, 0, 0, 0], [0.4, 0, 0, 0.4, 0.2, 0, 0, 0]]
    assert labels.clean_votes(votes, "either").keep.all()


def test_small_integers_do_not_wrap():
    votes = np.full((1, 10), 200, dtype=np.uint8)
    assert not labels.clean_votes(votes).keep[0]


def test_faces_without_an_emotion_are_dropped_whatever_the_limit():
    votes = np.array([[0] * 8 + [10, 0]])
    assert not labels.clean_votes(votes, limit=10).keep[0]


def test_no_faces_at_all():
    keep, distribution = labels.clean_votes(np.empty((0, 10)))
    assert keep.shape == (0,)
    assert distribution.shape == (0, 8)


@pytest.mark.parametrize(
    ("votes", "rule", "limit", "error"),
    [
        (np.zeros((3, 9)), "sum", 3, ValueError),
        (np.full((1, 10), -1), "sum", 3, ValueError),
        (np.full((1, 10), np.nan), "sum", 3, ValueError),
        (np.ones((1, 10)), "both", 3, ConfigError),
        (np.ones((1, 10)), "sum", -1, ConfigError),
    ],
)
def test_cleaning_refuses(votes, rule, limit, error):
    with pytest.raises(error):
        labels.clean_votes(votes, rule, limit)


@given(distributions())
def test_complexity_counts_positive_shares(distribution):
    assert labels.complexity(distribution).tolist() == [
        sum(share > 0 for share in row) for row in distribution.tolist()
    ]


@given(distributions(), st.integers(1, 8), st.integers(0, 99))
def test_n_hot_keeps_the_largest(distribution, n, seed):
    reduced = labels.n_hot(distribution, n, np.random.default_rng(seed))
    np.testing.assert_allclose(reduced.sum(axis=1), 1)
    for row, cut in zip(distribution, reduced, strict=True):
        assert (cut > 0).sum() == min(n, (row > 0).sum())
        # Nothing that was dropped is larger than anything that was kept, and proportions among the kept stay.
        dropped = row[(cut == 0) & (row > 0)]
        assert not dropped.size or dropped.max() <= row[cut > 0].min()
        np.testing.assert_allclose(cut[cut > 0], row[cut > 0] / row[cut > 0].sum())
    simple = (distribution > 0).sum(axis=1) <= n
    np.testing.assert_array_equal(reduced[simple], distribution[simple])


@given(st.permutations([0.3, 0.2, 0.15, 0.12, 0.1, 0.08, 0.05, 0.0]), st.integers(1, 8))
def test_n_hot_matches_its_twin_without_ties(row, n):
    reduced = labels.n_hot(np.array([row]), n, np.random.default_rng(0))[0]
    np.testing.assert_allclose(reduced, n_hot_twin(row, n))


def test_n_hot_breaks_ties_at_random():
    tied = np.tile([0.5, 0.5, 0, 0, 0, 0, 0, 0], (2000, 1))
    first = labels.n_hot(tied, 1, np.random.default_rng(0))[:, 0].mean()
    # Five standard deviations of a fair coin.
    assert abs(first - 0.5) < 5 * 0.5 / np.sqrt(2000)


@pytest.mark.parametrize("n", [0, 9, -1])
def test_n_hot_refuses(n):
    with pytest.raises(ConfigError, match="n: "):
        labels.n_hot(np.eye(8), n, np.random.default_rng(0))


@settings(max_examples=20)
@given(distributions(), st.integers(0, 99))
def test_drawn_labels_are_among_the_votes(distribution, seed):
    drawn = drawn_labels(torch.from_numpy(distribution), torch.Generator().manual_seed(seed)).numpy()
    assert (np.take_along_axis(distribution, drawn[:, None], axis=1) > 0).all()


def test_drawn_labels_follow_the_distribution():
    row = np.array([0.5, 0.2, 0.1, 0, 0.1, 0, 0, 0.1])
    drawn = drawn_labels(torch.from_numpy(np.tile(row, (20_000, 1))), torch.Generator().manual_seed(1)).numpy()
    share = np.bincount(drawn, minlength=8) / 20_000
    np.testing.assert_allclose(share, row, atol=5 * 0.5 / np.sqrt(20_000))


@given(distributions())
def test_ties_are_counted_one_by_one(distribution):
    expected = [sorted(row)[-1] == sorted(row)[-2] for row in distribution.tolist()]
    assert labels.has_tie(distribution).tolist() == expected


@pytest.mark.parametrize("row", [[0.5] * 8, [1.2, -0.2, 0, 0, 0, 0, 0, 0], [np.nan] * 8, [0.0] * 8])
def test_what_is_no_distribution_is_refused_with_its_row(row):
    with pytest.raises(ValueError, match="row 1 is not a distribution"):
        labels.complexity(np.array([np.eye(8)[0], row]))
