"""Faces for the experiments of this chapter: synthetic ones, or those of a data set that the reader has, in two parts.

Each face has one emotion, and a strength of it where something is known: the intensity of synthetic faces; of FER+ the
share of votes for the winning emotion, which says how clear an expression is. JAFFE, CK+, KDEF and AffectNet give none.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from ferbook import datasets
from ferbook.core.errors import ConfigError
from ferbook.faces.emotions import EMOTIONS
from ferbook.faces.faceset import FaceSet
from ferbook.faces.labels import clean_votes
from ferbook.synthesis import render, sample

#: The data sets of paper 001 (section IV.A), and the two that this book adds.
SETS: tuple[str, ...] = ("synthetic", "ferplus", "jaffe", "ckplus", "kdef", "affectnet")
#: What stands for intensity where something does.
STRENGTH: dict[str, str] = {"synthetic": "known intensity", "ferplus": "share of votes for the winning emotion"}
#: Share of the people (of the faces, where nobody says who is shown) that is held out (section III.D: 20 per cent).
HELD_OUT = 0.2


def part(
    name: str,
    which: str,
    count: int,
    *,
    size: int = 48,
    colour: bool = False,
    seed: int = 0,
    root: str | Path | None = None,
) -> FaceSet:
    """The faces of a data set to train or to test on; nobody is in both parts where it is known who is shown.

    Synthetic faces, FER+ and AffectNet (whose published validation part is the test part here) have parts of their own;
    the others are divided by person, a table of CK+ by its Usage column.

    Parameters
    ----------
    name: one of ``SETS``.
    which: "train" or "test".
    count: at most so many faces, drawn at random; AffectNet's are as many of each emotion.
    size: side in pixels.
    colour: RGB instead of grey; of a grey picture three equal channels.
    seed: of drawing and dividing.
    root: folder of the data set; see :func:`ferbook.datasets.load`.

    Returns
    -------
    FaceSet: with distribution (N, 8), and intensity where the module's first lines say so.

    Raises
    ------
    ConfigError: if there is no such set or part.
    DataError: if the data set is missing or broken.
    """
    if name not in SETS:
        raise ConfigError("dataset", f"this chapter does not use {name!r}", f"Known: {', '.join(SETS)}.")
    if which not in ("train", "test"):
        raise ConfigError("which", f"there is no part {which!r}", "Use 'train' or 'test'.")
    if name == "synthetic":
        return synthetic(count, which, seed, size=size, colour=colour)
    match name:
        case "ferplus":
            faces = voted(datasets.load(name, root), which)
        case "affectnet":
            official = "train" if which == "train" else "valid"
            each = -(-count // len(EMOTIONS))
            faces = datasets.load(name, root, size=size, parts=[official], per_class=each, seed=seed)
        case "jaffe":
            faces = _divided(datasets.load(name, root), which, seed)
        case _:
            faces = _divided(datasets.load(name, root, size=size), which, seed)
    drawn = np.sort(np.random.default_rng(seed).permutation(len(faces))[:count])
    faces = faces.subset(drawn)
    return replace(faces, images=_resized(faces.images, size, colour), landmarks=None)


def strength(name: str) -> str:
    """What the intensity of a data set's faces is taken to be, in words.

    Raises ConfigError if nothing is known of it.
    """
    if name not in STRENGTH:
        raise ConfigError("dataset", f"of {name} no intensity is known", f"Use {' or '.join(STRENGTH)}.")
    return STRENGTH[name]


def without_neutral(faces: FaceSet) -> FaceSet:
    """The faces that show an emotion: those that paper 001 ranks (section IV.G)."""
    return faces.subset(np.flatnonzero(np.asarray(faces.distribution).argmax(axis=1) != EMOTIONS.index("neutral")))


def synthetic(count: int, split: str, seed: int = 0, *, size: int = 48, colour: bool = False) -> FaceSet:
    """Synthetic faces of one emotion each, all emotions alike, nothing covered, intensity drawn from 0.2 to 1."""
    drawn = sample(count, seed=seed, split=split, blends=0.0, occlusion="none")
    return FaceSet(
        name="synthetic",
        images=render(drawn, size=size, colour=colour),
        ids=np.array([f"synthetic-{split}-{seed}-{i:06d}" for i in range(count)]),
        distribution=drawn.mixture,
        intensity=np.asarray(drawn.intensity),
        subject=drawn.identity,
        action_units=drawn.action_units,
        landmarks=drawn.landmarks(size),
        provenance={"seed": seed, "layout": "rendered"},
    )


def voted(faces: FaceSet, which: str) -> FaceSet:
    """Cleaned faces of an official part; their distribution is that of the votes, their intensity its largest share.

    Parameters
    ----------
    faces: with votes and official parts.
    which: "train", "valid" or "test".
    """
    chosen = faces.part(which)
    cleaned = clean_votes(chosen.votes)
    kept = chosen.subset(np.flatnonzero(cleaned.keep))
    return replace(kept, distribution=cleaned.distribution, intensity=cleaned.distribution.max(axis=1))


def _divided(faces: FaceSet, which: str, seed: int) -> FaceSet:
    if faces.split is not None:
        return faces.subset(np.flatnonzero((faces.split == "train") == (which == "train")))
    people, person = np.unique(faces.subject, return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(people))
    held_out = np.isin(person, order[: max(1, round(HELD_OUT * len(people)))])
    return faces.subset(np.flatnonzero(held_out == (which == "test")))


def _resized(images: np.ndarray, size: int, colour: bool) -> np.ndarray:
    mode = "RGB" if colour else "L"
    shape = (len(images), size, size, 3) if colour else (len(images), size, size)
    out = np.empty(shape, dtype=np.uint8)
    for place, pixels in enumerate(images):
        picture = Image.fromarray(np.asarray(pixels)).convert(mode)
        if picture.size != (size, size):
            picture = picture.resize((size, size), Image.Resampling.BICUBIC)
        out[place] = picture
    return out
