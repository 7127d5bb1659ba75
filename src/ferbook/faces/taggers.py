"""How many annotators it takes to name a face's main emotion: the question of paper 002's figures 11 and 12.

Votes are drawn from the crowd that there is, without putting any back. Against the crowd's own winner the curve must
reach 1 with the last vote; against a second crowd that judged the same picture it need not. Nor must a majority that an
annotator is asked to meet who was left out of it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


def agreement(votes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """How often the first k votes of a crowd name what the whole crowd names.

    Parameters
    ----------
    votes: (N, A) counts of A answers; faces whose number of votes is not the most frequent one are left out.
    rng: puts each crowd's votes in an order, and picks one of several answers that lead.

    Returns
    -------
    (K,) shares of the faces for k = 1 to K votes, K being the size of a crowd. An answer that ties for the crowd's lead
    counts as named.

    Raises
    ------
    ValueError: if there is no face, or no vote.
    """
    return agreement_with(votes, votes, rng)


def agreement_with(votes: np.ndarray, others: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As :func:`agreement`, with `others` (N, A) as the crowd that has to be met, row by row."""
    votes, others = np.asarray(votes, dtype=int), np.asarray(others, dtype=int)
    totals = votes.sum(axis=1)
    if not totals.any():
        raise ValueError("there are no votes to draw from")
    size = np.bincount(totals).argmax()
    full = totals == size
    votes, others = votes[full], others[full]
    answers = np.repeat(np.tile(np.arange(votes.shape[1]), len(votes)), votes.ravel()).reshape(len(votes), size)
    drawn = rng.permuted(answers, axis=1)
    # Counts after each vote: (N, K, A).
    counts = (drawn[:, :, None] == np.arange(votes.shape[1])).cumsum(axis=1)
    # Less than a vote, so that chance decides between equals alone.
    named = (counts + rng.random(counts.shape) / 2).argmax(axis=2)
    leads = others == others.max(axis=1, keepdims=True)
    return np.take_along_axis(leads, named, axis=1).mean(axis=0)


class Met(NamedTuple):
    """How probably a further annotator of each face, (N,) in [0, 1], names what it is compared with."""

    majority: np.ndarray
    annotator: np.ndarray
    label: np.ndarray


def met(votes: np.ndarray, label: np.ndarray) -> Met:
    """How often one annotator's answer is met by the others' majority, by one of the others, and by a given label.

    Each vote is held out in turn and the rest of the crowd speaks without it, so that a majority cannot agree with
    itself and a label from elsewhere can win.

    Parameters
    ----------
    votes: (N, A) counts of A answers, at least two a face.
    label: (N,) answer that somebody else gave for the face.

    Returns
    -------
    Met: of several answers that lead among the others, one is drawn, so that it counts by its chance.

    Raises
    ------
    ValueError: if a face has fewer than two votes, or the two do not pair up.
    """
    votes, label = np.asarray(votes, dtype=int), np.asarray(label)
    if label.shape != votes.shape[:1]:
        raise ValueError(f"votes and labels must pair up: {votes.shape} and {label.shape}")
    totals = votes.sum(axis=1)
    if (totals < 2).any():
        raise ValueError(f"face {int(np.flatnonzero(totals < 2)[0])} has fewer than two votes: nobody is left to ask")
    share = votes / totals[:, None]
    # The crowd without each answer in turn: (N, held out, A).
    others = votes[:, None, :] - np.eye(votes.shape[1], dtype=int)
    leads = others == others.max(axis=2, keepdims=True)
    named = np.diagonal(leads, axis1=1, axis2=2) / leads.sum(axis=2)
    return Met(
        (share * named).sum(axis=1),
        (share * (votes - 1)).sum(axis=1) / (totals - 1),
        np.take_along_axis(share, label[:, None], axis=1)[:, 0],
    )
