"""From the relevance of pixels to a rank of intensity (paper 001, section III.G), by two rules.

The text divides scores in [0, 1] into ten groups, takes the mean score of groups 1 to 5, 4 to 8 and 6 to 10, and says
that the largest mean decides: minimal, average or strong. Its tables 3 and 4 print, under the name of means, how *many*
scores lie in these groups, and decide by that. Both rules are here: :func:`rank_as_printed` and
:func:`rank_as_tabulated`.

Everything works on arrays and needs no torch.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from ferbook.core.errors import ConfigError
from ferbook.faces.raters import RANKS as RANKS

#: Number of groups of equal width between 0 and 1.
BINS = 10
#: First and last group, counted from 1, of the three windows whose comparison decides; in the order of ``RANKS``.
WINDOWS: tuple[tuple[int, int], ...] = ((1, 5), (4, 8), (6, 10))

#: How relevance is brought to [0, 1], which the paper does not say.
Scale = Literal["range", "positive"]


def scaled(relevance: np.ndarray, scale: Scale = "range") -> np.ndarray:
    """Relevance of each picture as scores in (0, 1]; NaN where a value takes no part.

    Parameters
    ----------
    relevance: (N, ...), any sign.
    scale: "range": the picture's smallest value becomes 0 and its largest 1, and what is not above 0 takes no part;
        the only reading found that gives the totals of tables 3 and 4, which count all values of a picture but one.
        "positive": negative relevance and zeros take no part, and the rest is divided by the largest; what the text
        describes.

    Returns
    -------
    (N, P) float64, P values of a picture in one row. A picture without contrast, or without positive relevance under
    "positive", gives NaN throughout.

    Raises
    ------
    ConfigError: if the scale is unknown.
    """
    values = np.asarray(relevance, dtype=np.float64)
    values = values.reshape(len(values), -1)
    if scale == "range":
        low = values.min(axis=1, keepdims=True)
    elif scale == "positive":
        low = np.zeros((len(values), 1))
    else:
        raise ConfigError("scale", f"{scale!r} is unknown", "Use 'range' or 'positive'.")
    width = values.max(axis=1, keepdims=True) - low
    with np.errstate(invalid="ignore", divide="ignore"):
        scores = (values - low) / width
    return np.where((scores > 0) & (width > 0), scores, np.nan)


def histogram(scores: np.ndarray, bins: int = BINS) -> np.ndarray:
    """How many scores lie in each group, the last of which includes 1.

    Parameters
    ----------
    scores: (N, P) in [0, 1]; NaN is not counted. See :func:`scaled`.
    bins: how many groups of equal width; the paper has ten.

    Returns
    -------
    (N, bins) int.

    Raises
    ------
    ValueError: if a score lies outside [0, 1].
    """
    scores = _checked(scores)
    # Compared with the groups' bounds rather than multiplied by ten: 0.3 * 10 and its kin round either way.
    group = np.digitize(scores, np.arange(1, bins) / bins)
    counted = np.isfinite(scores)
    rows = np.broadcast_to(np.arange(len(scores))[:, None], scores.shape)
    counts = np.bincount((rows * bins + group)[counted], minlength=len(scores) * bins)
    return counts.reshape(len(scores), bins)


def window_means(scores: np.ndarray) -> np.ndarray:
    """Mean score in each window, as section III.G defines mu 1 to 3.

    Parameters
    ----------
    scores: (N, P) in [0, 1]; NaN is not counted.

    Returns
    -------
    (N, 3); NaN where a window is empty.
    """
    scores = _checked(scores)
    means = np.full((len(scores), len(WINDOWS)), np.nan)
    for place, (first, last) in enumerate(WINDOWS):
        inside = (scores >= (first - 1) / BINS) & ((scores < last / BINS) | (last == BINS))
        count = inside.sum(axis=1)
        total = np.where(inside, scores, 0.0).sum(axis=1)
        np.divide(total, count, out=means[:, place], where=count > 0)
    return means


def window_counts(counts: np.ndarray, windows: Sequence[tuple[int, int]] = WINDOWS) -> np.ndarray:
    """How many scores lie in each window: what tables 3 and 4 print as mu 1 to 3.

    Parameters
    ----------
    counts: (N, groups) from :func:`histogram`.
    windows: first and last group of each, counted from 1.

    Returns
    -------
    (N, windows) int.
    """
    counts = np.asarray(counts)
    return np.stack([counts[:, first - 1 : last].sum(axis=1) for first, last in windows], axis=1)


def rank_as_printed(scores: np.ndarray) -> np.ndarray:
    """The rank whose window has the largest mean score (section III.G).

    It is "strong" wherever a score of 0.5 or more exists. The windows overlap in two groups each: what groups 4 and 5
    add to the second lies below all of groups 6 to 8, what groups 9 and 10 add to the third lies above, so mu 3 is at
    least mu 2, and mu 1 stays below 0.5. Scores that are divided by their largest always hold a 1.

    Parameters
    ----------
    scores: (N, P) in [0, 1]; NaN is not counted.

    Returns
    -------
    (N,) int, indices into ``RANKS``; the stronger rank where two means are equal, -1 where there is no score.
    """
    means = window_means(scores)
    known = np.where(np.isfinite(means), means, -np.inf)
    return np.where(np.isfinite(means).any(axis=1), _last_largest(known), -1)


def rank_as_tabulated(counts: np.ndarray, windows: Sequence[tuple[int, int]] = WINDOWS) -> np.ndarray:
    """The rank whose window holds the most scores (tables 3 and 4).

    Parameters
    ----------
    counts: (N, groups) from :func:`histogram`.
    windows: as in :func:`window_counts`, one for each of ``RANKS``.

    Returns
    -------
    (N,) int, indices into ``RANKS``; the stronger rank where two windows hold as many, -1 where there is no score.
    """
    sums = window_counts(counts, windows)
    return np.where(sums.any(axis=1), _last_largest(sums), -1)


def core(relevance: np.ndarray, scale: Scale = "range") -> np.ndarray:
    """The continuous quantity that :func:`rank_as_tabulated` cuts into three: the median score of each picture.

    Nearly all pixels have almost no relevance, so nearly all scores lie where zero went. On the range of a picture that
    is -min / (max - min): one pixel's smallest against one pixel's largest relevance.

    Parameters
    ----------
    relevance, scale: as in :func:`scaled`.

    Returns
    -------
    (N,) in (0, 1]; NaN where there is no score.
    """
    scores = scaled(relevance, scale)
    some = np.isfinite(scores).any(axis=1)
    medians = np.full(len(scores), np.nan)
    medians[some] = np.nanmedian(scores[some], axis=1)
    return medians


def _last_largest(values: np.ndarray) -> np.ndarray:
    return values.shape[1] - 1 - values[:, ::-1].argmax(axis=1)


def _checked(scores: np.ndarray) -> np.ndarray:
    scores = np.asarray(scores, dtype=np.float64)
    if scores.ndim != 2:
        raise ValueError(f"scores must have shape (pictures, values), not {scores.shape}")
    known = scores[np.isfinite(scores)]
    if known.size and (known.min() < 0 or known.max() > 1):
        raise ValueError(f"scores must lie in [0, 1], not {known.min():g} to {known.max():g}")
    return scores
