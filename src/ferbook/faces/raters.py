"""Ten simulated annotators: votes on emotions as FER+'s crowd gave them, ranks of intensity as in paper 001.

Each vote is drawn independently. What a rater sees is the true mixture, diluted with *neutral* where the expression is
weak. Faces differ in how *ambiguous* they are: on a clear one everybody reports what is seen; the more ambiguous a
face, the more its votes follow a confusion matrix. Every rater has a lasting preference for some answers, and now and
then a hand slips.

The numbers below were set by hand so that the votes resemble FER+'s in three summary figures: the share of faces per
complexity level, the rate of ties, and the share of faces that cleaning drops. They are a model, not a measurement of
people.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ferbook.core.errors import ConfigError
from ferbook.faces.emotions import EMOTIONS, VOTE_COLUMNS

#: Answers to a fully ambiguous face. Row: emotion shown; column: vote, in the order of ``VOTE_COLUMNS``; rows sum to 1.
CONFUSION: np.ndarray = np.array(
    [  # neu   hap   sur   sad   ang   dis   fea   con   unk   NF
        [0.64, 0.03, 0.04, 0.09, 0.03, 0.00, 0.00, 0.02, 0.15, 0.00],
        [0.07, 0.72, 0.04, 0.00, 0.00, 0.00, 0.00, 0.02, 0.15, 0.00],
        [0.05, 0.07, 0.60, 0.02, 0.02, 0.00, 0.09, 0.00, 0.15, 0.00],
        [0.18, 0.02, 0.02, 0.49, 0.05, 0.04, 0.05, 0.00, 0.15, 0.00],
        [0.09, 0.02, 0.03, 0.05, 0.55, 0.08, 0.02, 0.01, 0.15, 0.00],
        [0.09, 0.04, 0.04, 0.09, 0.25, 0.28, 0.02, 0.04, 0.15, 0.00],
        [0.04, 0.02, 0.30, 0.12, 0.04, 0.04, 0.27, 0.02, 0.15, 0.00],
        [0.30, 0.11, 0.02, 0.05, 0.11, 0.07, 0.00, 0.19, 0.15, 0.00],
    ]
)

#: An expression of this intensity is seen in full; a weaker one is diluted with neutral in proportion.
FULLY_SEEN = 0.5
#: Ambiguity is a uniform number to this power: most faces are fairly clear.
AMBIGUITY_POWER = 1.5
#: Standard deviation of a rater's log-preference for each answer.
BIAS = 0.3
#: How often a vote is any of the ten answers, whatever is shown.
LAPSE = 0.005


def vote_probabilities(mixture: np.ndarray, intensity: np.ndarray, ambiguity: np.ndarray) -> np.ndarray:
    """Chance of each answer from a rater without bias and lapses.

    Parameters
    ----------
    mixture: (N, 8) shares of the emotions shown; rows sum to 1.
    intensity: (N,) in [0, 1].
    ambiguity: (N,) in [0, 1]; 0: what is seen is what is said; 1: answers follow ``CONFUSION``.

    Returns
    -------
    (N, 10), rows sum to 1.
    """
    seen = np.clip(np.asarray(intensity, dtype=np.float64) / FULLY_SEEN, 0.0, 1.0)[:, None]
    perceived = seen * np.asarray(mixture, dtype=np.float64)
    perceived[:, EMOTIONS.index("neutral")] += 1.0 - seen[:, 0]
    share = np.asarray(ambiguity, dtype=np.float64)[:, None]
    answers = share * (perceived @ CONFUSION)
    answers[:, : len(EMOTIONS)] += (1.0 - share) * perceived
    return answers


def vote(mixture: np.ndarray, intensity: np.ndarray, *, seed: int, raters: int = 10) -> np.ndarray:
    """Votes of `raters` annotators on each face.

    The votes on face i depend on the seed and on i only, not on how many faces follow.

    Parameters
    ----------
    mixture, intensity: as in :func:`vote_probabilities`; how ambiguous each face is is drawn.
    seed: of the raters' preferences, the ambiguities and every vote.
    raters: how many annotators; at least one.

    Returns
    -------
    (N, 10) uint8 counts in the order of ``VOTE_COLUMNS``; rows sum to `raters`.

    Raises
    ------
    ConfigError: if `raters` is not in 1..255.
    """
    if not 1 <= raters <= 255:
        raise ConfigError("raters", f"{raters} annotators are not between 1 and 255")
    # One stream each, filled face by face, so that more faces do not change the votes on the first ones.
    ambiguity = np.random.default_rng([seed, 2]).random(len(mixture)) ** AMBIGUITY_POWER
    likely = vote_probabilities(mixture, intensity, ambiguity)
    preference = np.exp(np.random.default_rng([seed, 0]).normal(0.0, BIAS, (raters, len(VOTE_COLUMNS))))
    chance = np.random.default_rng([seed, 1]).random((len(likely), raters))
    votes = np.zeros(likely.shape, dtype=np.uint8)
    rows = np.arange(len(likely))
    for rater in range(raters):
        leaning = likely * preference[rater]
        leaning /= leaning.sum(axis=1, keepdims=True)
        cumulative = ((1.0 - LAPSE) * leaning + LAPSE / len(VOTE_COLUMNS)).cumsum(axis=1)
        answer = (chance[:, rater, None] >= cumulative[:, :-1]).sum(axis=1)
        votes[rows, answer] += 1
    return votes


#: The three ranks of expression intensity in paper 001 (section D), weakest first.
RANKS: tuple[str, ...] = ("minimal", "average", "strong")
#: Intensities at which a rater without bias goes from one rank to the next.
RANK_BOUNDS: tuple[float, float] = (0.4, 0.7)
#: Standard deviations: of a rater's lasting shift of both bounds, and of one judgement.
RANK_BIAS, RANK_NOISE = 0.06, 0.10


def rate_intensity(intensity: np.ndarray, *, seed: int, raters: int = 10) -> np.ndarray:
    """Ranks that annotators give to expressions of known intensity (the task of paper 001, section D).

    Parameters
    ----------
    intensity: (N,) in [0, 1].
    seed: of the raters' bounds and of every judgement; face i's ranks do not depend on how many faces follow.
    raters: how many annotators; at least two, or they could not disagree.

    Returns
    -------
    (N, raters) int, indices into ``RANKS``.

    Raises
    ------
    ConfigError: if there are fewer than two raters.
    """
    if raters < 2:
        raise ConfigError("raters", f"{raters} annotators cannot agree or disagree")
    shift = np.random.default_rng([seed, 3]).normal(0.0, RANK_BIAS, raters)
    slips = np.random.default_rng([seed, 4]).normal(0.0, RANK_NOISE, (len(intensity), raters))
    seen = np.asarray(intensity, dtype=np.float64)[:, None] + shift + slips
    return np.searchsorted(RANK_BOUNDS, seen)


class Majority(NamedTuple):
    """`label` (N,) the answer given most often, the lowest of them where several are; `tied` (N,) bool says where."""

    label: np.ndarray
    tied: np.ndarray


def majority(counts: np.ndarray) -> Majority:
    """The majority answer of each face. counts: (N, C) how many raters gave each answer, see :func:`tally`."""
    counts = np.asarray(counts)
    return Majority(counts.argmax(axis=1), (counts == counts.max(axis=1, keepdims=True)).sum(axis=1) > 1)


def tally(ratings: np.ndarray, answers: int) -> np.ndarray:
    """How many raters gave each answer. ratings: (N, R) ints in 0..answers-1 -> (N, answers) int."""
    return (np.asarray(ratings)[:, :, None] == np.arange(answers)).sum(axis=1)


class Agreement(NamedTuple):
    """Fleiss' kappa and its 95 % percentile interval."""

    kappa: float
    low: float
    high: float


def agreement(counts: np.ndarray, *, seed: int, resamples: int = 1000) -> Agreement:
    """Fleiss' kappa among raters, with a bootstrap interval over faces (1: always agree; 0: as by chance).

    Parameters
    ----------
    counts: (N, C) how many raters gave each answer; every row sums to the same number, at least two.
    seed: of the bootstrap.
    resamples: of the faces, with replacement.

    Raises
    ------
    ValueError: if rows sum to different numbers or to one, or all raters gave the same answer throughout, where
        kappa is not defined.
    """
    from statsmodels.stats.inter_rater import fleiss_kappa

    counts = np.asarray(counts)
    raters = counts.sum(axis=1)
    if not len(counts) or raters.min() != raters.max() or raters[0] < 2:
        raise ValueError("every face needs the same number of ratings, at least two")
    if (counts.sum(axis=0) > 0).sum() < 2:
        raise ValueError("kappa is not defined where only one answer was ever given")
    rng = np.random.default_rng(seed)
    drawn = (counts[rng.integers(0, len(counts), len(counts))] for _ in range(resamples))
    # A resample may by chance hold one answer only; it says nothing about agreement.
    values = [fleiss_kappa(sample) for sample in drawn if (sample.sum(axis=0) > 0).sum() > 1]
    low, high = np.percentile(values, [2.5, 97.5])
    return Agreement(float(fleiss_kappa(counts)), float(low), float(high))
