"""``FaceSet``: images and whatever is known about them, kept in step.

A data set's reader makes one, label functions read its arrays, splits index it. Arrays may be memory-mapped and are
read-only by convention: nothing in the library writes into a face set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

import numpy as np

from ferbook.faces.emotions import EMOTIONS, VAD_AXES, VOTE_COLUMNS

#: Names of the official parts of a data set, in the order they are shown.
SPLITS = ("train", "valid", "test")

# Trailing shape that each optional array must have (None: any length).
_TRAILING: dict[str, tuple[int | None, ...]] = {
    "split": (),
    "votes": (len(VOTE_COLUMNS),),
    "distribution": (len(EMOTIONS),),
    "multi_hot": (len(EMOTIONS),),
    "vad": (len(VAD_AXES),),
    "intensity": (),
    "subject": (),
    "action_units": (None,),
    "landmarks": (5, 2),
    "pose": (3,),
}


@dataclass(frozen=True, eq=False)
class FaceSet:
    """N faces and what is known about them.

    Parameters
    ----------
    name: the data set's registered name.
    images: uint8, (N, H, W) grey or (N, H, W, 3) RGB.
    ids: (N,) strings, unique within the set.
    split: (N,) strings out of ``SPLITS``: the data set's own parts.
    votes: (N, 10) vote counts in the order of ``emotions.VOTE_COLUMNS``.
    distribution: (N, 8) emotion shares that sum to 1.
    multi_hot: (N, 8) bool, emotions present.
    vad: (N, 3) valence, arousal, dominance in [-1, 1]; NaN where one was not annotated.
    intensity: (N,) strength of the expression in [0, 1].
    subject: (N,) who is shown, where that is known.
    action_units: (N, A) strength of each facial action unit in [0, 1].
    landmarks: (N, 5, 2) x, y in pixels: left eye, right eye, nose tip, left and right mouth corner (left in the image).
    pose: (N, 3) yaw, pitch, roll in degrees.
    provenance: where the set comes from: layout, checksum, terms, notes.

    Raises
    ------
    ValueError: if an array's length or shape does not fit the images, or two ids are the same.
    """

    name: str
    images: np.ndarray
    ids: np.ndarray
    split: np.ndarray | None = None
    votes: np.ndarray | None = None
    distribution: np.ndarray | None = None
    multi_hot: np.ndarray | None = None
    vad: np.ndarray | None = None
    intensity: np.ndarray | None = None
    subject: np.ndarray | None = None
    action_units: np.ndarray | None = None
    landmarks: np.ndarray | None = None
    pose: np.ndarray | None = None
    provenance: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        images = self.images
        if images.dtype != np.uint8 or images.ndim not in (3, 4) or (images.ndim == 4 and images.shape[3] != 3):
            raise ValueError(f"images must be uint8 (N, H, W) or (N, H, W, 3), not {images.dtype} {images.shape}")
        count = len(images)
        if self.ids.shape != (count,):
            raise ValueError(f"ids must have shape ({count},), not {self.ids.shape}")
        if len(np.unique(self.ids)) != count:
            raise ValueError("ids must be unique")
        for key, trailing in _TRAILING.items():
            array = getattr(self, key)
            if array is None:
                continue
            fits = array.ndim == 1 + len(trailing) and all(
                want in (None, have) for want, have in zip(trailing, array.shape[1:], strict=False)
            )
            if len(array) != count or not fits:
                raise ValueError(f"{key} must have shape {(count, *trailing)}, not {array.shape}")

    def __len__(self) -> int:
        return len(self.images)

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays that are present, by field name."""
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        return {key: value for key, value in found.items() if isinstance(value, np.ndarray)}

    def subset(self, selection: np.ndarray) -> FaceSet:
        """The faces at an index array or under a boolean mask, in that order."""
        return replace(self, **{key: value[selection] for key, value in self.arrays().items()})

    def part(self, name: str) -> FaceSet:
        """One official part: ``train``, ``valid`` or ``test``.

        Raises
        ------
        ValueError: if the set has no official parts or none of that name.
        """
        if self.split is None or name not in SPLITS:
            raise ValueError(f"{self.name} has no part {name!r}; parts are {SPLITS if self.split is not None else ()}")
        return self.subset(np.flatnonzero(self.split == name))
