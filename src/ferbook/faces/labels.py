"""Votes to labels, as paper 002 (sections 3.2 and 3.3) defines each step. NumPy arrays in and out.

Shapes: N faces, ten vote columns, eight emotions, in the orders of :mod:`ferbook.faces.emotions`.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from ferbook.core.errors import ConfigError
from ferbook.faces.emotions import EMOTIONS, VOTE_COLUMNS

#: How far from 1 the sum of a distribution may lie.
SUM_TOLERANCE = 1e-6


class Cleaned(NamedTuple):
    """What cleaning keeps: `keep` (N,) bool over all rows, `distribution` (keep.sum(), 8) of the kept rows."""

    keep: np.ndarray
    distribution: np.ndarray


def clean_votes(votes: np.ndarray, rule: Literal["sum", "either"] = "sum", limit: int = 3) -> Cleaned:
    """Drop noisy faces and turn the other votes into emotion distributions (paper 002, 3.3.1).

    Parameters
    ----------
    votes: (N, 10) non-negative counts.
    rule: ``sum`` drops a face with more than `limit` votes on unknown and not-a-face together (figure 16: image A, two
        votes on each, is dropped); ``either`` drops it when one of the two alone has more (the caption of figure 15).
    limit: the largest number of such votes that is still accepted.

    Returns
    -------
    Cleaned: which rows are kept, and the kept rows' shares of the eight emotions. A face without any vote on an emotion
        has no distribution and is never kept.

    Raises
    ------
    ConfigError: if `rule` is neither, or `limit` is negative.
    ValueError: if the votes have another shape, or are negative or not finite.
    """
    votes = np.asarray(votes)
    if votes.ndim != 2 or votes.shape[1] != len(VOTE_COLUMNS):
        raise ValueError(f"votes must be (N, {len(VOTE_COLUMNS)}), not {votes.shape}")
    if not np.isfinite(votes).all() or (votes < 0).any():
        raise ValueError("votes must be finite and not negative")
    if limit < 0:
        raise ConfigError("limit", f"{limit} is negative")
    # Counts may be uint8, in which four hundred votes would wrap.
    counts = votes.astype(np.float64)
    emotions, noise = counts[:, : len(EMOTIONS)], counts[:, len(EMOTIONS) :]
    if rule == "sum":
        noisy = noise.sum(axis=1) > limit
    elif rule == "either":
        noisy = (noise > limit).any(axis=1)
    else:
        raise ConfigError("rule", f"{rule!r} is not a cleaning rule", "Use 'sum' or 'either'.")
    total = emotions.sum(axis=1)
    keep = ~noisy & (total > 0)
    return Cleaned(keep, emotions[keep] / total[keep, None])


def complexity(distribution: np.ndarray) -> np.ndarray:
    """Complexity level X of each face: how many emotions it received votes on (paper 002, 3.2). (N, 8) -> (N,) int."""
    return (_distribution(distribution) > 0).sum(axis=1)


def n_hot(distribution: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Keep the `n` largest entries of each distribution and normalise again (paper 002, 3.3.3).

    Parameters
    ----------
    distribution: (N, 8).
    n: 1..8; rows with at most `n` positive entries come back unchanged.
    rng: decides between entries that tie for the last places.

    Returns
    -------
    (N, 8) float64, rows sum to 1, at most `n` positive entries each.

    Raises
    ------
    ConfigError: if `n` is not in 1..8.
    """
    distribution = _distribution(distribution)
    if n not in range(1, len(EMOTIONS) + 1):
        raise ConfigError("n", f"{n} labels cannot be kept out of {len(EMOTIONS)}", "Use 1 to 8.")
    # Largest first; among equals, in random order.
    order = np.lexsort((rng.random(distribution.shape), -distribution), axis=1)
    reduced = distribution.copy()
    np.put_along_axis(reduced, order[:, n:], 0.0, axis=1)
    changed = (distribution > 0).sum(axis=1) > n
    reduced[changed] /= reduced[changed].sum(axis=1, keepdims=True)
    return reduced


def has_tie(distribution: np.ndarray) -> np.ndarray:
    """Whether two or more emotions share a face's largest value. (N, 8) -> (N,) bool."""
    distribution = _distribution(distribution)
    return (distribution == distribution.max(axis=1, keepdims=True)).sum(axis=1) > 1


def _distribution(distribution: np.ndarray) -> np.ndarray:
    distribution = np.asarray(distribution, dtype=np.float64)
    if distribution.ndim != 2 or distribution.shape[1] != len(EMOTIONS):
        raise ValueError(f"a distribution must be (N, {len(EMOTIONS)}), not {distribution.shape}")
    bad = ~((distribution >= 0).all(axis=1) & (np.abs(distribution.sum(axis=1) - 1) <= SUM_TOLERANCE))
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise ValueError(
            f"row {row} is not a distribution: {distribution[row].tolist()} sums to {distribution[row].sum()}"
        )
    return distribution
