"""What a set of voted faces says about itself: every number that paper 002 prints or implies about its data.

``label_facts`` computes them from a ``FaceSet``; the facts of the real FER+ are recorded in ``data/recorded/002`` with
their provenance, so that a build without the data can still show them, marked as recorded.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ferbook.core import paths, records
from ferbook.datasets import ferplus
from ferbook.faces.emotions import EMOTIONS
from ferbook.faces.faceset import SPLITS, FaceSet
from ferbook.faces.labels import Cleaned, clean_votes, complexity, has_tie
from ferbook.faces.splits import (
    COMPLEX_ABOVE,
    Split,
    complex_split,
    duplicate_groups,
    freeze,
    leaked,
    official_split,
    ordinary_split,
    twins,
)
from ferbook.faces.taggers import agreement, agreement_with

#: Share of the cleaned set that paper 002 tests on.
TEST_SHARE = 0.1
#: The emotions that paper 002 calls rare (section 5.2.4), and their places.
RARE_EMOTIONS = ("disgust", "fear", "contempt")
RARE = tuple(EMOTIONS.index(name) for name in RARE_EMOTIONS)
#: Name of the record of the real FER+.
RECORD = "002/labels"
#: Name of the record of FER+'s vote table, row by row.
TABLE_RECORD = "002/vote_table"
#: Seed of the recorded test sets.
SEED = 0


@dataclass(frozen=True)
class Facts:
    """Named numbers with the evidence they count as.

    Parameters
    ----------
    values: fact name to number or list of numbers.
    evidence: ``same data``, ``other data`` or ``synthetic`` (see :mod:`ferbook.claims.verdicts`).
    provenance: where and when they were computed.
    """

    values: Mapping[str, object]
    evidence: str
    provenance: Mapping[str, object]


def measure(faces: FaceSet) -> Facts:
    """The facts of `faces`, and the evidence they are: only the complete public release is the papers' own data."""
    return Facts(label_facts(faces), _evidence(faces), faces.provenance)


def _evidence(faces: FaceSet) -> str:
    if faces.name == "synthetic":
        return "synthetic"
    return "same data" if ferplus.is_official(faces) else "other data"


def label_facts(faces: FaceSet, seed: int = SEED) -> dict[str, object]:
    """Counts and shares of cleaning, complexity, classes, ties, label reduction, test sets and duplicates.

    Parameters
    ----------
    faces: with votes and an official split.
    seed: of the two drawn test sets.

    Returns
    -------
    dict: plain ints, floats and lists, ready for JSON. Lists by complexity start at level 1; by emotion they follow
        ``EMOTIONS``; ``changed_from_n`` at position i counts the faces whose labels differ between N = i+1 and i+2.
    """
    votes = np.asarray(faces.votes)
    facts: dict[str, object] = {
        "faces": len(faces),
        "side": faces.images.shape[1],
        "faces_by_part": [int((faces.split == part).sum()) for part in SPLITS],
        "not_ten_votes": int((votes.sum(axis=1) != 10).sum()),
        "most_answers": int((votes > 0).sum(axis=1).max()),
        "unanimous": int((votes[:, : len(EMOTIONS)].max(axis=1) == votes.sum(axis=1)).sum()),
    }
    by_rule = {rule: clean_votes(votes, rule) for rule in ("sum", "either")}
    for rule, cleaned in by_rule.items():
        levels = complexity(cleaned.distribution)
        facts[f"kept_{rule}"] = int(cleaned.keep.sum())
        facts[f"by_complexity_{rule}"] = np.bincount(levels, minlength=len(EMOTIONS) + 1)[1:].tolist()
        facts[f"share_simple_{rule}"] = float((levels <= COMPLEX_ABOVE).mean())
    facts["agreement_by_taggers"] = agreement(votes, np.random.default_rng(seed)).tolist()
    facts["no_emotion_vote"] = int((votes[:, : len(EMOTIONS)].sum(axis=1) == 0).sum())

    cleaned = by_rule["sum"]
    facts |= _distribution_facts(cleaned.distribution)
    facts["rare_of_votes"] = _rare_of_votes(votes[cleaned.keep])
    drawn = paper_splits(cleaned.distribution, seed)
    facts |= _split_facts(cleaned.distribution, drawn)
    facts |= _duplicate_facts(faces, cleaned, drawn["ordinary"])
    return facts


def _distribution_facts(distribution: np.ndarray) -> dict[str, object]:
    levels = complexity(distribution)
    shares = distribution.mean(axis=0)
    tied = has_tie(distribution)
    return {
        "class_share": shares.tolist(),
        "share_neutral_happiness": float(shares[[EMOTIONS.index("neutral"), EMOTIONS.index("happiness")]].sum()),
        "share_rare": float(shares[list(RARE)].sum()),
        "max_complexity": int(levels.max()),
        "changed_from_n": [int((levels > n).sum()) for n in range(1, len(EMOTIONS))],
        "tie_rate": float(tied.mean()),
        "tie_rate_complex": float(tied[levels > COMPLEX_ABOVE].mean()),
    }


def _rare_of_votes(votes: np.ndarray) -> float:
    """Share of the rare emotions in all votes on an emotion, each vote counting the same. votes: (N, 10)."""
    counted = votes[:, : len(EMOTIONS)].sum(axis=0, dtype=int)
    return float(counted[list(RARE)].sum() / counted.sum())


def paper_splits(distribution: np.ndarray, seed: int = SEED) -> dict[str, Split]:
    """Paper 002's two ways to draw a test set (section 3.3.2), by name. distribution: (N, 8) of the cleaned faces."""
    makers = {"ordinary": ordinary_split, "complex": complex_split}
    return {name: make(distribution, TEST_SHARE, rng=np.random.default_rng(seed)) for name, make in makers.items()}


def _split_facts(distribution: np.ndarray, splits: Mapping[str, Split]) -> dict[str, object]:
    levels = complexity(distribution)
    facts: dict[str, object] = {"complex_faces": int((levels > COMPLEX_ABOVE).sum())}
    for name, split in splits.items():
        facts[f"{name}_test"] = len(split.test)
        facts[f"{name}_train"] = len(split.train)
        facts[f"{name}_train_complex"] = int((levels[split.train] > COMPLEX_ABOVE).sum())
        facts[f"{name}_train_complex_share"] = float((levels[split.train] > COMPLEX_ABOVE).mean())
    facts["complex_spent"] = facts["complex_test"] / facts["complex_faces"]
    return facts


def _duplicate_facts(faces: FaceSet, cleaned: Cleaned, drawn: Split) -> dict[str, object]:
    groups = duplicate_groups(faces.images)
    official = official_split(faces)
    _, sizes = np.unique(groups, return_counts=True)
    facts: dict[str, object] = {
        "duplicate_pictures": int((sizes > 1).sum()),
        "surplus_copies": int((sizes - 1).sum()),
        "official_test": len(official.test),
        "official_test_leaked": int(leaked(groups, official.train, official.test).sum()),
        "official_valid_leaked": int(leaked(groups, official.train, official.valid).sum()),
    }
    kept_groups = groups[cleaned.keep]
    facts["ordinary_test_leaked"] = int(leaked(kept_groups, drawn.train, drawn.test).sum())
    facts |= _twin_agreement(kept_groups, cleaned.distribution)
    first, second = twins(groups)
    votes = np.asarray(faces.votes)
    facts["agreement_with_second_crowd"] = (
        agreement_with(votes[first], votes[second], np.random.default_rng(SEED)).tolist() if first.size else None
    )
    return facts


def _twin_agreement(groups: np.ndarray, distribution: np.ndarray) -> dict[str, object]:
    """How far two crowds agree on the very same picture: the first two copies of each repeated one."""
    first, second = twins(groups)
    if not first.size:
        return {"twin_pairs": 0, "twin_same_winner": None, "twin_single_label": None, "twin_same_votes": None}
    top = distribution == distribution.max(axis=1, keepdims=True)
    shared = (top[first] & top[second]).sum(axis=1)
    # One crowd's answer, a tie broken at random, scored against the other crowd as section 3.4 scores a network's.
    scores = [shared / top[crowd].sum(axis=1) for crowd in (first, second)]
    return {
        "twin_pairs": len(first),
        "twin_same_winner": float((shared > 0).mean()),
        "twin_single_label": float(np.mean(scores)),
        "twin_same_votes": float((distribution[first] == distribution[second]).all(axis=1).mean()),
    }


def table_facts(table: ferplus.VoteTable) -> dict[str, object]:
    """Counts of FER+'s vote table by rows, not by named pictures: it has one row for each row of FER2013.

    Returns
    -------
    dict: ``rows``, ``rows_by_part`` in the order of ``SPLITS``, rows with ``ten_votes`` and ``fewest_votes`` of a row;
        ``unnamed`` rows, and how many of these all ten annotators call no face; ``named`` pictures, and how many names
        ``stand_twice``.
    """
    totals = table.votes.sum(axis=1, dtype=int)
    unnamed = table.names == ""
    names, times = np.unique(table.names[~unnamed], return_counts=True)
    return {
        "rows": len(totals),
        "rows_by_part": [int((table.parts == part).sum()) for part in SPLITS],
        "ten_votes": int((totals == 10).sum()),
        "fewest_votes": int(totals.min()),
        "unnamed": int(unnamed.sum()),
        "unnamed_no_face": int((table.votes[unnamed, -1] == 10).sum()),
        "named": len(names),
        "stand_twice": int((times > 1).sum()),
    }


def record_splits(faces: FaceSet) -> None:
    """Write the ids of the test sets that are drawn from the complete FER+ to ``data/splits``."""
    cleaned = clean_votes(faces.votes)
    for name, split in paper_splits(cleaned.distribution).items():
        freeze(faces.ids[cleaned.keep][split.test], paths.project_root() / "data" / "splits" / f"ferplus-{name}.csv")


def record_table(root: str | Path | None = None) -> Path | None:
    """Write the facts of the vote table beside FER+'s pictures, if it is there; returns where. Raises DataError."""
    place = ferplus.find(root).folder / ferplus.VOTE_TABLE
    if not place.is_file():
        return None
    table = ferplus.vote_table(place)
    return records.write(TABLE_RECORD, table_facts(table), faces=table, module=__file__)


def record(faces: FaceSet) -> Path:
    """Write the facts of `faces` with their provenance; returns where."""
    return records.write(RECORD, label_facts(faces), faces=faces, module=__file__, seed=SEED)


def recorded() -> Facts:
    """The facts of the real FER+, as recorded. Raises DataError if the record is missing or unreadable."""
    stored = records.read(RECORD)
    return Facts(stored["values"], "same data", stored["provenance"])
