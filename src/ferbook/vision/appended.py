"""Copies that are appended to a training set, paper 002's way to augment it.

``Appended`` keeps flipped and rotated copies of every face as an index and not as images; ``adaptive_copies`` is the
version that the paper proposes (section 5.3.2) and does not try. Angles are in degrees, positive counter-clockwise as a
viewer sees the image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ferbook.core.errors import ConfigError
from ferbook.vision.pose import inclination
from ferbook.vision.resampling import mirrors, resampled, rotations


@dataclass(frozen=True)
class Operation:
    """What is done to a face to make one of its copies: a flip, a rotation by some degrees, or nothing."""

    name: str
    mirrored: bool = False
    degrees: float = 0.0


BASE = Operation("base")
FLIP = Operation("flip", mirrored=True)


def rotation(degrees: float) -> Operation:
    """Rotation by a fixed angle."""
    return Operation(f"rotate{degrees:+g}", degrees=degrees)


def ordinary(angle: float) -> tuple[Operation, ...]:
    """Paper 002's Base + Flip + Rotate +-angle, best at 20 degrees by its table 2."""
    return BASE, FLIP, rotation(angle), rotation(-angle)


class Appended:
    """An index over a set of faces and its appended copies (paper 002, section 3.6.1); no copy is stored.

    Copies are ordered by operation, then by face, as if each operation's images had been appended to the set. A copy
    has its face's labels: ``labels[copies.decode(index)[0]]``.

    Parameters
    ----------
    chosen: (N, K) bool, which of K operations each of N faces gets.
    operations: the K operations.
    """

    def __init__(self, chosen: Tensor | np.ndarray, operations: Sequence[Operation]):
        chosen = torch.as_tensor(chosen, dtype=torch.bool)
        if chosen.ndim != 2 or chosen.shape[1] != len(operations) or not operations:
            raise ValueError(f"chosen must have shape (faces, {len(operations)}), not {tuple(chosen.shape)}")
        self.operations = tuple(operations)
        self.operation, self.face = chosen.T.nonzero(as_tuple=True)
        self._degrees = torch.tensor([o.degrees for o in operations], dtype=torch.float32)
        self._mirrored = torch.tensor([o.mirrored for o in operations])

    @classmethod
    def full(cls, count: int, operations: Sequence[Operation]) -> Appended:
        """Every operation for each of `count` faces: K times as long as the set."""
        return cls(torch.ones(count, len(operations), dtype=torch.bool), operations)

    def __len__(self) -> int:
        return len(self.face)

    def to(self, device: str | torch.device) -> Appended:
        """The same index with its tables on a device."""
        moved = object.__new__(Appended)
        moved.__dict__ = {k: v.to(device) if isinstance(v, Tensor) else v for k, v in self.__dict__.items()}
        return moved

    def decode(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """Which face and which operation the copies at `index` (B,) are."""
        return self.face[index], self.operation[index]

    def batch(self, images: Tensor, index: Tensor, fill: str = "reflect") -> Tensor:
        """The copies at `index` (B,) as float32 (B, C, H, W) in [0, 1], in one resampling.

        Parameters
        ----------
        images: all faces as a face set holds them, uint8 (N, H, W) grey or (N, H, W, 3) RGB, on the tables' device.
        """
        face, operation = self.decode(index)
        x = images[face]
        x = (x[:, None] if x.ndim == 3 else x.permute(0, 3, 1, 2)).float() / 255
        return resampled(x, mirrors(self._mirrored[operation]) @ rotations(self._degrees[operation]), fill)


def adaptive_copies(landmarks: np.ndarray, x1: float, x2: float, angle: float) -> Appended:
    """Base, flip and rotations by +-angle, less what paper 002 (section 5.3.2) expects to be useless or harmful.

    With the inclination of the eye line: a face within x1 of upright gets no flip, because it is "nearly symmetric"; a
    face tilted beyond x2 is not rotated further the same way. A face without landmarks (NaN) gets everything. The paper
    leaves x1, x2 and the angle open. Inclination is all it measures: a profile with level eyes counts as symmetric.

    Parameters
    ----------
    landmarks: (N, 5, 2) in pixels.

    Raises
    ------
    ConfigError: unless 0 <= x1 < x2 and the angle is positive.
    """
    if not 0 <= x1 < x2:
        raise ConfigError("x1, x2", f"{x1} and {x2} are not 0 <= x1 < x2", "Give the smaller threshold first.")
    if angle <= 0:
        raise ConfigError("angle", f"{angle} is not above 0", "Both directions come from one positive angle.")
    tilt = np.nan_to_num(inclination(landmarks), nan=(x1 + x2) / 2)
    chosen = np.stack([np.ones(len(tilt), dtype=bool), np.abs(tilt) > x1, tilt <= x2, tilt >= -x2], 1)
    return Appended(chosen, ordinary(angle))
