"""What few of FER+'s annotators say: is it noise, or is it in the face? Paper 002, sections 4.4 and 5.2.5.

The report holds that labels would be better without outlying votes, such as one against nine, and that the votes for
minor emotions are related to the face. Both can be asked of the votes themselves. Does a label foretell a further
annotator's answer better without single votes? And does a second crowd, which judged another copy of the same picture,
give a minor answer again? ``ferbook record minor-votes`` writes ``data/recorded/002/minor-votes.json``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ferbook.core import records
from ferbook.faces import taggers
from ferbook.faces.emotions import EMOTIONS
from ferbook.faces.faceset import FaceSet
from ferbook.faces.labels import clean_votes
from ferbook.faces.splits import duplicate_groups, twins
from ferbook.measures import intervals

RECORD = "002/minor-votes"
#: Votes that might be left out as outlying.
RULES = {"every single vote": taggers.without_single, "a single vote against all others": taggers.without_lone}
#: Votes on a minor emotion that are told apart; the last stands for more, too.
COUNTS = (1, 2, 3, 4)
RESAMPLES = 1000


def measured(faces: FaceSet, seed: int = 0) -> dict[str, object]:
    """What leaving out single votes costs, and how often minor answers recur, after cleaning, on emotions alone.

    Parameters
    ----------
    faces: with votes.
    seed: of the resampled faces.

    Returns
    -------
    dict: ``outlying``: the mean :func:`~ferbook.faces.taggers.held_out_error` with all votes, and per rule what it is
        without some, their ``difference`` with its interval, and the share of faces that it ``changes``.
        ``minor``: pictures judged twice, and by number of votes how often a second crowd gives the answer ``again``
        and ``elsewhere``, with the ``gain`` and its interval over pictures; a number of votes that fewer than two
        pictures have is left out.
    """
    keep = clean_votes(faces.votes).keep
    votes = np.asarray(faces.votes[:, : len(EMOTIONS)], dtype=int)
    keep &= votes.sum(axis=1) >= 2
    first, second = twins(duplicate_groups(faces.images)[keep])
    return {"outlying": _outlying(votes[keep], seed), "minor": _minor(votes[keep][first], votes[keep][second], seed)}


def _outlying(votes: np.ndarray, seed: int) -> dict[str, object]:
    whole = taggers.held_out_error(votes)
    found: dict[str, object] = {"faces": len(votes), "error": float(whole.mean())}
    for name, rule in RULES.items():
        error = taggers.held_out_error(votes, rule)
        difference = intervals.paired_bootstrap(error, whole, seed=seed, resamples=RESAMPLES)
        found[name] = {
            "error": float(error.mean()),
            "difference": [difference.estimate, difference.low, difference.high],
            "changes": float((rule(votes) != votes).any(axis=1).mean()),
        }
    return found


def _minor(votes: np.ndarray, others: np.ndarray, seed: int) -> dict[str, object]:
    """Both crowds of a picture are asked of the other; pictures are what is resampled."""
    there = [taggers.recurring(votes, others), taggers.recurring(others, votes)]
    face, count, again, elsewhere = (np.concatenate(each) for each in zip(*there, strict=True))
    known = ~np.isnan(elsewhere)
    found: dict[str, object] = {"pictures": len(votes)}
    for name, chosen in {"all": known, **{str(k): known & (count.clip(max=COUNTS[-1]) == k) for k in COUNTS}}.items():
        # Sums, as a mean of each picture's mean would count a repeated answer for less where both crowds say much.
        more, number = (np.bincount(face[chosen], each[chosen]) for each in (again - elsewhere, np.ones(len(face))))
        asked = number > 0
        if asked.sum() < 2:
            continue
        gain = intervals.bootstrap(_ratio, more[asked], number[asked], seed=seed, resamples=RESAMPLES)
        found[name] = {
            "answers": int(chosen.sum()),
            "again": float(again[chosen].mean()),
            "elsewhere": float(elsewhere[chosen].mean()),
            "gain": [gain.estimate, gain.low, gain.high],
        }
    return found


def _ratio(more: np.ndarray, number: np.ndarray) -> float:
    return float(more.sum() / number.sum())


def record(faces: FaceSet) -> Path:
    """Measure it on FER+ and write it; says where."""
    return records.write(RECORD, measured(faces), faces=faces, module=__file__, seed=0, resamples=RESAMPLES)
