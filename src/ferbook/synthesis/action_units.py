"""From emotions to facial action units: prototypes, convex blends, intensity and the variation between people.

Action units are those of FACS (Ekman and Friesen, "Facial Action Coding System", 1978). Which units an emotion recruits
follows EMFACS (Friesen and Ekman, "EMFACS-7", 1983), as the major variants are usually tabulated: happiness 6+12,
sadness 1+4+15, surprise 1+2+5+26, fear 1+2+4+5+7+20+26, anger 4+5+7+23, disgust 9+10+17 and contempt 12+14 on one side.
EMFACS says which units take part; how strongly each does is this renderer's choice.
"""

from __future__ import annotations

import numpy as np

from ferbook.faces.emotions import EMOTIONS
from ferbook.synthesis.randomness import normals, uniforms

#: Action units in the order of every action-unit axis; strengths run from 0 (absent) to 1 (FACS level E).
ACTION_UNITS: tuple[str, ...] = (
    "AU1",  # inner brow raiser
    "AU2",  # outer brow raiser
    "AU4",  # brow lowerer
    "AU5",  # upper lid raiser
    "AU6",  # cheek raiser
    "AU7",  # lid tightener
    "AU9",  # nose wrinkler
    "AU10",  # upper lip raiser
    "AU12",  # lip corner puller
    "AU14",  # dimpler
    "AU15",  # lip corner depressor
    "AU17",  # chin raiser
    "AU20",  # lip stretcher
    "AU23",  # lip tightener
    "AU24",  # lip pressor
    "AU25",  # lips part
    "AU26",  # jaw drop
    "AU27",  # mouth stretch
    "AU43",  # eye closure
)

_CORE: dict[str, dict[str, float]] = {
    "neutral": {},
    "happiness": {"AU6": 0.8, "AU12": 1.0},
    "surprise": {"AU1": 0.95, "AU2": 0.95, "AU5": 0.8, "AU25": 0.5, "AU26": 0.9},
    "sadness": {"AU1": 0.95, "AU4": 0.55, "AU15": 0.95, "AU17": 0.45},
    "anger": {"AU4": 1.0, "AU5": 0.45, "AU7": 0.75, "AU23": 0.8},
    "disgust": {"AU9": 1.0, "AU10": 0.85, "AU17": 0.4},
    "fear": {"AU1": 0.85, "AU2": 0.6, "AU4": 0.5, "AU5": 1.0, "AU7": 0.2, "AU20": 1.0, "AU25": 0.7, "AU26": 0.4},
    "contempt": {"AU12": 0.6, "AU14": 1.0},
}

# Units that go with an emotion on some faces and not on others: each face adds its own share of them.
_OPTIONAL: dict[str, dict[str, float]] = {
    "neutral": {"AU25": 0.1, "AU43": 0.1},
    "happiness": {"AU25": 0.9, "AU26": 0.25, "AU7": 0.2},
    "surprise": {"AU27": 0.5},
    "sadness": {"AU43": 0.4, "AU17": 0.3},
    "anger": {"AU24": 0.7, "AU17": 0.3, "AU10": 0.3, "AU25": 0.3},
    "disgust": {"AU25": 0.4, "AU15": 0.4, "AU4": 0.5, "AU7": 0.4, "AU6": 0.2},
    "fear": {"AU26": 0.35},
    "contempt": {"AU15": 0.1, "AU24": 0.2},
}

_ONE_SIDED = EMOTIONS.index("contempt")
# A one-sided expression moves the other side a little too: few faces can keep it still.
_LEAK = 0.06


def _table(entries: dict[str, dict[str, float]]) -> np.ndarray:
    table = np.zeros((len(EMOTIONS), len(ACTION_UNITS)))
    for emotion, units in entries.items():
        for unit, strength in units.items():
            table[EMOTIONS.index(emotion), ACTION_UNITS.index(unit)] = strength
    table.setflags(write=False)
    return table


#: (8, A) strength of each action unit in the full expression of each emotion (rows in the order of ``EMOTIONS``).
PROTOTYPES: np.ndarray = _table(_CORE)

#: (8, A) strength that an optional unit may reach on top; every face has its own share in [0, 1] of each.
OPTIONAL: np.ndarray = _table(_OPTIONAL)


def _blend(mixture: np.ndarray, table: np.ndarray, gate: np.ndarray | None = None) -> np.ndarray:
    """mixture (N, 8) times table (8, A), summed in a fixed order: a BLAS product may round differently per batch."""
    total = np.zeros((len(mixture), table.shape[1]))
    for emotion in range(len(EMOTIONS)):
        share = mixture[:, emotion]
        if gate is not None and emotion == _ONE_SIDED:
            share = share * gate
        total = total + share[:, None] * table[emotion]
    return total


def activate(mixture: np.ndarray, intensity: np.ndarray, optional: np.ndarray | None = None) -> np.ndarray:
    """Action units of a blend of emotions on a face without quirks: (N, A) in [0, 1].

    Parameters
    ----------
    mixture: (N, 8) shares of the emotions, non-negative, rows sum to 1.
    intensity: (N,) strength of the expression in [0, 1]; action units grow linearly with it.
    optional: (N, A) share in [0, 1] of the optional units, or None for none of them.
    """
    units = _blend(mixture, PROTOTYPES)
    if optional is not None:
        units = units + _blend(mixture, OPTIONAL) * optional
    return np.clip(units * intensity[:, None], 0.0, 1.0)


def express(mixture: np.ndarray, intensity: np.ndarray, keys: np.ndarray, jitter: np.ndarray) -> np.ndarray:
    """Action units as a particular face shows them: (N, A, 2), last the left and right half of the image.

    On top of `activate`: a face has its own share of the optional units, its own gain per unit (13 %), sides that
    differ (7 %), faint stray units that have nothing to do with the emotion, and contempt on one side only.

    Parameters
    ----------
    mixture: (N, 8) shares of the emotions.
    intensity: (N,) strength of the expression in [0, 1].
    keys: (N,) uint64 random keys. The same key keeps the same quirks, so a sweep of the intensity is monotone.
    jitter: (N,) size of the quirks; 0 gives the prototypes (contempt still on one side), 1 is natural.
    """
    count = len(ACTION_UNITS)
    size = jitter[:, None]
    optional = uniforms(keys, "optional units", count)
    gain = np.maximum(1.0 + 0.13 * size * normals(keys, "unit gain", count), 0.0)
    uneven = 0.07 * size * normals(keys, "unit asymmetry", count)
    # Cubing leaves most stray units near zero and a few visible ones.
    stray = 0.10 * size * uniforms(keys, "stray units", count) ** 3
    chosen = uniforms(keys, "side", 1)[:, 0] < 0.5
    sides = []
    for side, sign in ((True, 1.0), (False, -1.0)):
        gate = np.where(chosen == side, 1.0, _LEAK)
        units = _blend(mixture, PROTOTYPES, gate) + _blend(mixture, OPTIONAL, gate) * optional * size
        sides.append(units * intensity[:, None] * gain * (1.0 + sign * uneven) + stray)
    return np.clip(np.stack(sides, axis=2), 0.0, 1.0)
