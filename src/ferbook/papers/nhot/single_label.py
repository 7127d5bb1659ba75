"""What FER2013's single label is worth beside FER+'s ten votes: the question of paper 002's figure 11.

FER2013's labels came with the annotations of papers 003 and 004, for as many faces as those published. Each annotator
of FER+ is asked, face by face, to meet that label, and to meet what the other nine say without him or her: ``ferbook
record single-label`` writes ``data/recorded/002/single-label.json``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ferbook.core import records
from ferbook.faces.emotions import EMOTIONS, FER2013_CODES
from ferbook.faces.faceset import FaceSet
from ferbook.faces.taggers import met
from ferbook.measures import intervals

RECORD = "002/single-label"
#: Places in the votes of the emotions that both label sets have.
SHARED = tuple(EMOTIONS.index(name) for name in FER2013_CODES)
RESAMPLES = 2000


def measured(faces: FaceSet, seed: int = 0) -> dict[str, object]:
    """Shares of annotators who meet the others' majority, one of the others, and FER2013's label, and what they gain.

    Parameters
    ----------
    faces: with votes, and with FER2013's category as their distribution.
    seed: of the resampled faces.

    Returns
    -------
    dict: under ``all`` every answer counts, *unknown* and *not a face* too; under ``shared`` the votes for the seven
        emotions alone that FER2013 has, which favours its label.
    """
    label = faces.distribution.argmax(axis=1)
    only = np.zeros_like(faces.votes)
    only[:, SHARED] = faces.votes[:, SHARED]
    return {"all": _compared(faces.votes, label, seed), "shared": _compared(only, label, seed)}


def _compared(votes: np.ndarray, label: np.ndarray, seed: int) -> dict[str, object]:
    enough = votes.sum(axis=1) >= 2
    found = met(votes[enough], label[enough])
    gains = {
        name: intervals.paired_bootstrap(getattr(found, name), found.label, seed=seed, resamples=RESAMPLES)
        for name in ("majority", "annotator")
    }
    return {
        "faces": int(enough.sum()),
        **{name: float(values.mean()) for name, values in found._asdict().items()},
        "gain": {name: [one.estimate, one.low, one.high] for name, one in gains.items()},
    }


def record(root: str | Path | None = None) -> Path:
    """Measure it on all faces whose FER2013 label is published, and write it; says where.

    Raises
    ------
    DataError: if FER+ or the annotations are missing or broken.
    """
    from ferbook import datasets

    faces = datasets.load("vad_fer2013", root, images="ferplus")
    return records.write(RECORD, measured(faces), faces=faces, module=__file__, seed=0, resamples=RESAMPLES)
