"""Do V, A and D tell more of a face than V and A, or than its category? Paper 003, section V; paper 004, section 4.

The annotated faces are pictures of FER2013, so up to ten other people, FER+'s annotators, have judged the same pictures
without these annotations. The more a description of a face tells, the better their answers can be foretold from it:
``ferbook record descriptions`` writes ``data/recorded/003/descriptions.json``.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np

from ferbook.core import records
from ferbook.faces import folds
from ferbook.faces.emotions import EMOTIONS, VAD_AXES
from ferbook.faces.faceset import FaceSet
from ferbook.measures import intervals
from ferbook.papers.vad import annotated

RECORD = "003/descriptions"
#: The category, and the dominance of another face of the same category.
CATEGORY, BORROWED = "category", "borrowed dominance"
#: What may be known of a face.
DESCRIPTIONS: dict[str, tuple[str, ...]] = {
    "V and A": VAD_AXES[:2],
    "V, A and D": VAD_AXES,
    "V, A and another's D": (*VAD_AXES[:2], BORROWED),
    "the category": (CATEGORY,),
}
#: Descriptions that are compared: what the first tells beyond the second.
BESIDE: tuple[tuple[str, str], ...] = (
    ("V, A and D", "V and A"),
    ("V, A and D", "V, A and another's D"),
    ("V, A and D", "the category"),
)
#: Inverse strengths of the penalty, of which each description gets the one that inner folds choose.
STRENGTHS = (0.03, 0.1, 0.3, 1.0, 3.0)
FOLDS = 5
#: How often dominance is handed out anew within the categories; errors are means over them.
HANDED_OUT = 3
RESAMPLES = 2000


def measured(faces: FaceSet, seed: int = 0) -> dict[str, object]:
    """How many bits each description tells of a further person's answer, in five folds.

    A multinomial logistic regression on the levels of what is known, and on their pairs, forecasts the shares of
    answers of faces that it has not learned from. Bits are the fall of the cross-entropy from a forecast that gives
    every face the same shares. Who annotates a face and knows its category may put the category into dominance;
    another's dominance, of a face of the same category, tells that and nothing else of the face.

    Parameters
    ----------
    faces: with V, A, D, a category as distribution and votes; those without a vote for an emotion are left out.
    seed: of the folds, of what is handed out and of the resampled faces.

    Returns
    -------
    dict: ``faces``; ``unknown``, the cross-entropy in bits where nothing is known; ``bits`` by description with their
        interval over faces, the folds and what was learned in them held fixed; ``more``, one entry for each of
        ``BESIDE`` with the difference and its interval.

    Raises
    ------
    ValueError: if annotations are missing.
    """
    if faces.vad is None or not np.isfinite(faces.vad).all():
        raise ValueError("annotations must be complete")
    votes = np.asarray(faces.votes, dtype=float)[:, : len(EMOTIONS)]
    kept = np.flatnonzero(votes.sum(axis=1) > 0)
    answers = votes[kept] / votes[kept].sum(axis=1, keepdims=True)
    category = np.array(EMOTIONS)[np.asarray(faces.distribution)[kept].argmax(axis=1)]
    known = {name: np.asarray(faces.vad)[kept, k].astype(str) for k, name in enumerate(VAD_AXES)} | {CATEGORY: category}
    fold = annotated.fold_of(category, folds.kept_together(faces)[kept], FOLDS, seed)

    nothing = np.empty(len(kept))
    for place in range(FOLDS):
        nothing[fold == place] = _error(_usual(answers[fold != place]), answers[fold == place])
    rng = np.random.default_rng(seed)
    error = {}
    for name, columns in DESCRIPTIONS.items():
        tries = []
        for _ in range(HANDED_OUT if BORROWED in columns else 1):
            known[BORROWED] = within(category, known[VAD_AXES[2]], rng)
            tries.append(_errors(with_pairs([known[column] for column in columns]), answers, fold))
        error[name] = np.mean(tries, axis=0)
    return {
        "faces": len(kept),
        "unknown": float(nothing.mean()),
        "bits": {name: _fall(nothing, found, seed) for name, found in error.items()},
        "more": [
            {"description": more, "beside": less, "bits": _fall(error[less], error[more], seed)}
            for more, less in BESIDE
        ],
    }


def within(group: np.ndarray, values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Values (N,) handed out anew among those of the same group (N,)."""
    found = values.copy()
    for name in np.unique(group):
        same = np.flatnonzero(group == name)
        found[same] = values[rng.permutation(same)]
    return found


def with_pairs(columns: Sequence[np.ndarray]) -> np.ndarray:
    """Columns (N,) of names, and for each two of them one with both names: (N, columns + pairs)."""
    both = [np.char.add(np.char.add(one, "|"), two) for one, two in combinations(columns, 2)]
    return np.column_stack([*columns, *both])


def _usual(answers: np.ndarray) -> np.ndarray:
    """Shares of answers (1, A), none of them zero: one answer more is shared out evenly."""
    return ((answers.sum(axis=0) + 1 / answers.shape[1]) / (len(answers) + 1))[None]


def _error(forecast: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """Cross-entropy in bits of each face: (N,)."""
    return -(answers * np.log2(forecast)).sum(axis=1)


def _errors(levels: np.ndarray, answers: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Cross-entropy in bits of each face, (N,), forecast from the other folds."""
    found = np.empty(len(fold))
    for place in np.unique(fold):
        learned, tried = np.flatnonzero(fold != place), np.flatnonzero(fold == place)
        strength = chosen(levels[learned], answers[learned], fold[learned])
        found[tried] = _error(_forecast(levels, answers, learned, tried, strength), answers[tried])
    return found


def _forecast(
    levels: np.ndarray, answers: np.ndarray, learned: np.ndarray, tried: np.ndarray, strength: float
) -> np.ndarray:
    """Shares of the answers of the faces `tried`, learned from the others: (len(tried), A)."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import OneHotEncoder

    code = OneHotEncoder(handle_unknown="ignore").fit(levels[learned])
    # An answer's share is its weight: every face stands once for each answer that it got.
    row, answer = np.nonzero(answers[learned])
    model = LogisticRegression(C=strength, max_iter=500)
    model.fit(code.transform(levels[learned][row]), answer, sample_weight=answers[learned][row, answer])
    found = np.zeros((len(tried), answers.shape[1]))
    found[:, model.classes_] = model.predict_proba(code.transform(levels[tried]))
    # An answer that nobody gave to the faces learned from is not impossible.
    usual = _usual(answers[learned])
    return (len(learned) * found + usual) / (len(learned) + 1)


def chosen(levels: np.ndarray, answers: np.ndarray, fold: np.ndarray) -> float:
    """The strength that forecasts best, each of the folds at hand being left out once."""
    error = dict.fromkeys(STRENGTHS, 0.0)
    for place in np.unique(fold):
        learned, tried = np.flatnonzero(fold != place), np.flatnonzero(fold == place)
        for strength in STRENGTHS:
            error[strength] += _error(_forecast(levels, answers, learned, tried, strength), answers[tried]).sum()
    return min(error, key=error.__getitem__)


def _fall(before: np.ndarray, after: np.ndarray, seed: int) -> list[float]:
    """By how much the error falls, with its interval over faces."""
    found = intervals.paired_bootstrap(before, after, seed=seed, resamples=RESAMPLES)
    return [found.estimate, found.low, found.high]


def record(root: str | Path | None = None) -> Path:
    """Measure it on the published annotations and write it; says where.

    Raises
    ------
    DataError: if FER+ or the annotations are missing, broken or not the published ones.
    """
    faces = annotated.published(root)
    return records.write(RECORD, measured(faces), faces=faces, module=__file__, seed=0, resamples=RESAMPLES)
