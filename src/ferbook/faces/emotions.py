"""Label vocabularies and their orders, written once; emotion words as points in valence-arousal-dominance space.

Everything in the library that has an emotion axis uses the order of ``EMOTIONS``. A reader of a data set with another
order maps by *name* on the way in; no other module knows that other orders exist.
"""

from __future__ import annotations

import numpy as np

#: The eight emotions of FER+, in the order of its vote table (Barsoum et al. 2016).
EMOTIONS: tuple[str, ...] = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
)

#: The two columns of FER+ that name no emotion: "cannot tell" and "not a face".
NON_EMOTIONS: tuple[str, ...] = ("unknown", "NF")

#: The ten columns of a FER+ vote row.
VOTE_COLUMNS: tuple[str, ...] = EMOTIONS + NON_EMOTIONS

#: Emotions of FER2013 in the order of its integer codes 0..6 (Goodfellow et al. 2013).
FER2013_CODES: tuple[str, ...] = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")

#: Words that papers and data sets use for the same eight emotions.
SYNONYMS: dict[str, str] = {
    "neutrality": "neutral",
    "happy": "happiness",
    "joy": "happiness",
    "surprised": "surprise",
    "sad": "sadness",
    "angry": "anger",
    "disgusted": "disgust",
    "fearful": "fear",
    "afraid": "fear",
    "contemptuous": "contempt",
}

#: The axes of an emotion point, in the library's order; each runs from -1 to 1.
VAD_AXES: tuple[str, ...] = ("valence", "arousal", "dominance")

#: Reference points of emotion words, from pleasure-arousal-dominance ratings by Russell and Mehrabian (1977), as they
#: are quoted by later work. "neutral" at the origin is a convention, not a measurement. Russell and Mehrabian list no
#: contempt: its point is the NRC VAD lexicon's (Mohammad 2018), mapped from [0, 1] by 2x - 1.
VAD_POINTS: dict[str, tuple[float, float, float]] = {
    "neutral": (0.0, 0.0, 0.0),
    "happiness": (0.81, 0.51, 0.46),
    "surprise": (0.40, 0.67, -0.13),
    "sadness": (-0.63, -0.27, -0.33),
    "anger": (-0.51, 0.59, 0.25),
    "disgust": (-0.60, 0.35, 0.11),
    "fear": (-0.64, 0.60, -0.43),
    "contempt": (-0.588, 0.270, -0.208),
}

#: Where each reference point comes from.
VAD_SOURCES: dict[str, str] = {
    **dict.fromkeys(EMOTIONS, "Russell and Mehrabian 1977"),
    "neutral": "convention",
    "contempt": "NRC VAD lexicon (Mohammad 2018)",
}


def canonical(word: str) -> str:
    """The name in ``EMOTIONS`` (or ``NON_EMOTIONS``) that `word` stands for; case and spaces do not matter.

    Raises
    ------
    KeyError: if `word` names none of them; the message lists what is known.
    """
    name = word.strip().lower()
    name = SYNONYMS.get(name, name)
    for known in VOTE_COLUMNS:
        if name == known.lower():
            return known
    raise KeyError(f"{word!r} is not an emotion of this library; known: {', '.join(VOTE_COLUMNS)}")


def index(word: str) -> int:
    """Position of an emotion word on the emotion axis, 0..7 (8 and 9: unknown, NF)."""
    return VOTE_COLUMNS.index(canonical(word))


def vad_matrix() -> np.ndarray:
    """The reference points as an (8, 3) float64 array in the orders of ``EMOTIONS`` and ``VAD_AXES``."""
    return np.array([VAD_POINTS[name] for name in EMOTIONS])
