"""How many annotators it takes to name a face's main emotion, and what few of them say: paper 002's figures 11 and 12.

Votes are drawn from the crowd that there is, without putting any back. Against the crowd's own winner the curve must
reach 1 with the last vote; against a second crowd that judged the same picture it need not. Nor must a majority that an
annotator is asked to meet who was left out of it.
"""

from __future__ import annotations

from collections.abc import Callable
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
    votes, label = _with_others(votes), np.asarray(label)
    if label.shape != votes.shape[:1]:
        raise ValueError(f"votes and labels must pair up: {votes.shape} and {label.shape}")
    totals = votes.sum(axis=1)
    share = votes / totals[:, None]
    others = _others(votes)
    leads = others == others.max(axis=2, keepdims=True)
    named = np.diagonal(leads, axis1=1, axis2=2) / leads.sum(axis=2)
    return Met(
        (share * named).sum(axis=1),
        (share * (votes - 1)).sum(axis=1) / (totals - 1),
        np.take_along_axis(share, label[:, None], axis=1)[:, 0],
    )


def _with_others(votes: np.ndarray) -> np.ndarray:
    votes = np.asarray(votes, dtype=int)
    few = np.flatnonzero(votes.sum(axis=1) < 2)
    if len(few):
        raise ValueError(f"face {int(few[0])} has fewer than two votes: nobody is left to ask")
    return votes


def _others(votes: np.ndarray) -> np.ndarray:
    """The crowd without one vote on each answer in turn: (N, held out, A), -1 where there was none."""
    return votes[:, None, :] - np.eye(votes.shape[1], dtype=int)


def held_out_error(votes: np.ndarray, reduced: Callable[[np.ndarray], np.ndarray] | None = None) -> np.ndarray:
    """How well the others' label foretells one annotator's answer: the squared error (Brier score), (N,) in [0, 2].

    Each vote is held out in turn. The forecast lies between the label of the face and what annotators answer on average
    where the others have the same main answer and as many votes off it; how far between is what fits best on half of
    the faces, for each number of votes off the main answer, and is tried on the other half. So the forecast knows what
    is usual and how divided the others are, whatever is left of their votes: a label with slips of attention in it is
    no better than one without.

    Parameters
    ----------
    votes: (N, A) counts of A answers, at least two a face.
    reduced: takes counts (M, A) of the others and gives those that their label is made of; None: all. Where nothing
        would be left, all stay.

    Raises
    ------
    ValueError: if a face has fewer than two votes.
    """
    votes = _with_others(votes)
    count, answers = votes.shape
    others = _others(votes).clip(min=0)
    counted = others.reshape(-1, answers)
    if reduced is not None:
        less = reduced(counted)
        counted = np.where(less.sum(axis=1, keepdims=True) > 0, less, counted)
    # An answer without a vote is never held out, and weighs nothing.
    weight = votes / votes.sum(axis=1, keepdims=True)
    label = (counted / counted.sum(axis=1, keepdims=True).clip(min=1)).reshape(others.shape)
    off = others.sum(axis=2) - others.max(axis=2)
    kinds = off.max() + 1
    kind = others.argmax(axis=2) * kinds + off
    found = np.empty(count)
    for half in (0, 1):
        fit, tried = np.arange(count) % 2 != half, np.arange(count) % 2 == half
        usual = _usual(weight[fit], kind[fit], answers * kinds)
        away, wanted = label[fit] - usual[kind[fit]], np.eye(answers) - usual[kind[fit]]
        shared, size = (
            np.bincount(off[fit].ravel(), (weight[fit] * (away * each).sum(axis=2)).ravel(), kinds)
            for each in (wanted, away)
        )
        trust = np.divide(shared, size, out=np.zeros(kinds), where=size > 0)[off[tried]][:, :, None]
        start = usual[kind[tried]]
        error = np.square(start + trust * (label[tried] - start) - np.eye(answers)).sum(axis=2)
        found[tried] = (weight[tried] * error).sum(axis=1)
    return found


def _usual(weight: np.ndarray, kind: np.ndarray, kinds: int) -> np.ndarray:
    """Shares of the answers by kind of others: (kinds, A), even where there are none of a kind."""
    answers = weight.shape[1]
    given = np.zeros((kinds, answers))
    np.add.at(given, (kind, np.broadcast_to(np.arange(answers), kind.shape)), weight)
    total = given.sum(axis=1, keepdims=True)
    return np.divide(given, total, out=np.full_like(given, 1 / answers), where=total > 0)


def without_single(votes: np.ndarray) -> np.ndarray:
    """Counts (N, A) without the answers that a single annotator gave."""
    return np.where(votes == 1, 0, votes)


def without_lone(votes: np.ndarray) -> np.ndarray:
    """Counts (N, A) without a single annotator's answer where all others, two or more, agree."""
    alone = (votes.max(axis=1) == votes.sum(axis=1) - 1) & (votes.sum(axis=1) > 2)
    return np.where(alone[:, None], without_single(votes), votes)


class Recurring(NamedTuple):
    """Minor answers of a crowd, one row each, and whether a second crowd gives them: see :func:`recurring`."""

    face: np.ndarray
    votes: np.ndarray
    again: np.ndarray
    elsewhere: np.ndarray


def recurring(votes: np.ndarray, others: np.ndarray) -> Recurring:
    """Whether what few annotators of a crowd say is said by a second crowd that judged the same picture.

    Parameters
    ----------
    votes, others: (N, A) counts of A answers of both crowds, row by row.

    Returns
    -------
    Recurring: of each answer that somebody gave, but fewer than the most frequent one: its row ``face``, how many
        ``votes`` it has, whether somebody of the second crowd gives it ``again``, and how often a second crowd gives it
        ``elsewhere``: on the other faces with the same most frequent answer and a second crowd that gives as many
        different answers besides (NaN where there is none). A face that invites many answers would repeat some by
        chance.
    """
    votes, others = np.asarray(votes, dtype=int), np.asarray(others, dtype=int)
    main = votes.argmax(axis=1)
    face, answer = np.nonzero((votes > 0) & (votes < votes.max(axis=1, keepdims=True)))
    named = (others > 0).astype(float)
    besides = named.sum(axis=1) - named[np.arange(len(main)), main]
    kinds = votes.shape[1]
    kind = main * kinds + besides.astype(int)
    there = np.zeros((kinds * kinds, kinds))
    np.add.at(there, kind, named)
    alike = np.bincount(kind, minlength=kinds * kinds)
    again = named[face, answer]
    rest = alike[kind[face]] - 1
    elsewhere = np.divide(there[kind[face], answer] - again, rest, out=np.full(len(face), np.nan), where=rest > 0)
    return Recurring(face, votes[face, answer], again, elsewhere)
