"""KDEF (Lundqvist, Flykt and Öhman 1998): 70 people, seven expressions, five angles, two sessions.

Files such as ``AF01ANS.JPG``, 562 x 762 pixels in colour, lie in one folder per person and session (``AF01/``), as
published, or all in one folder. A name reads: session (A, B), sex (F, M), person (01 to 35), expression, angle.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from ferbook.core import paths
from ferbook.core.errors import ConfigError, DataError, MissingDataError
from ferbook.datasets import cache
from ferbook.datasets.cards import CARDS
from ferbook.datasets.files import DAMAGED, by_published_name, decode, entries, others, read_bytes
from ferbook.faces.emotions import EMOTIONS, index
from ferbook.faces.faceset import FaceSet

#: Width and height of a published picture.
PUBLISHED_SIZE = (562, 762)
PERSONS = 70
SESSIONS: tuple[str, ...] = ("A", "B")
#: Full left profile, half left, straight, half right, full right.
ANGLES: tuple[str, ...] = ("FL", "HL", "S", "HR", "FR")
#: The expression codes of the file names.
EXPRESSIONS: dict[str, str] = {
    "AF": "fear",
    "AN": "anger",
    "DI": "disgust",
    "HA": "happiness",
    "NE": "neutral",
    "SA": "sadness",
    "SU": "surprise",
}
#: Two files were published under a damaged name; users of the set agree on which pictures they are.
RENAMED: dict[str, str] = {"AF31V.JPG": "AF31SAHL.JPG", "AM31H.JPG": "AM31SUHR.JPG"}
#: Two files were published in another size.
OTHER_SIZE: tuple[str, ...] = ("AM05ANFR.JPG", "BM10ANFR.JPG")
#: A picture of a smaller mean grey value is named in the provenance: nothing can be seen on it.
BLACK_BELOW = 10
CARD = CARDS["kdef"]
HOW_TO_GET = CARD.how_to_get

_NAME = re.compile(
    rf"([AB])([FM](?:0[1-9]|[12]\d|3[0-5]))({'|'.join(EXPRESSIONS)})({'|'.join(ANGLES)})\.JPG", re.IGNORECASE
)
_PERSON = re.compile(r"[AB][FM]\d\d", re.IGNORECASE)


def load(
    root: str | Path | None = None, *, size: int = 224, angle: str | None = "S", session: str | None = None
) -> FaceSet:
    """Read KDEF from `root` (see :func:`ferbook.datasets.load`), from the prepared copy where the source is unchanged.

    Parameters
    ----------
    size: side in pixels; the middle square of each picture is scaled to it (bicubic, with antialiasing).
    angle: one of ``ANGLES``; None for all.
    session: ``A`` or ``B``; None for both. Papers that speak of 490 pictures used the frontal ones of one session.

    Returns
    -------
    FaceSet: images (N, size, size, 3), distribution (one emotion each), subject (``F01``: the same person in both
        sessions), sorted by file name. ``provenance`` has the options, whether all such pictures are there
        (``complete``), files whose name was mended (``renamed``) and pictures on which nothing can be seen (``black``).

    Raises
    ------
    ConfigError: if an option is none of these.
    DataError: if it is missing or broken; names the file.
    """
    if size < 1:
        raise ConfigError("size", f"{size} is not a size in pixels")
    if angle not in (*ANGLES, None):
        raise ConfigError("angle", f"{angle!r} is not an angle", f"Known: {', '.join(ANGLES)}, or None for all.")
    if session not in (*SESSIONS, None):
        raise ConfigError("session", f"{session!r} is not a session", "Known: A, B, or None for both.")
    found = find(root)
    source = f"{found.folder} {size} {angle} {session}"
    return cache.prepared("kdef", source, found.mark(), lambda: found.read(size, angle, session))


def find(root: str | Path | None = None) -> _Layout:
    """The KDEF files at `root`, in its subfolder ``kdef`` or ``KDEF``, or in the published folders in it; not read yet.

    Raises MissingDataError if there is none. Raises DataError if a picture has a name that says nothing about it, or
    two are the same one.
    """
    place = paths.data_root(root)
    for base in (place, place / "kdef", place / "KDEF"):
        # The published archive holds KDEF_and_AKDEF/KDEF; AKDEF beside it are averaged faces.
        for folder in (base / "KDEF_and_AKDEF" / "KDEF", base / "KDEF", base):
            if any(_NAME.fullmatch(path.name) for path in _pictures(folder)):
                return _Layout(folder)
    raise MissingDataError("no KDEF here: no files like AF01/AF01ANS.JPG", place, hint=HOW_TO_GET)


def _places(folder: Path) -> list[Path]:
    """The folders in which pictures lie: the given one, and that of each person and session."""
    if not folder.is_dir():
        return []
    return [folder, *(path for path in entries(folder) if path.is_dir() and _PERSON.fullmatch(path.name))]


def _pictures(folder: Path) -> Iterator[Path]:
    for place in _places(folder):
        yield from (path for path in entries(place) if path.suffix.lower() == ".jpg")


class _Layout:
    """KDEF as it lies on disk; `files` maps the proper name of each picture to its place, before any is read."""

    def __init__(self, folder: Path):
        self.folder = folder
        hint = "A name reads AF01ANS.JPG: session, sex, person, expression, angle. Rename or remove them."
        self.files = by_published_name(
            _pictures(folder), lambda name: RENAMED.get(name.upper(), name.upper()), _NAME, folder, hint
        )

    def mark(self) -> str:
        return cache.fingerprint(self.files.values())

    def others(self) -> list[str]:
        return others(self.folder, _places(self.folder), self.files.values())

    def read(self, size: int, angle: str | None, session: str | None) -> FaceSet:
        chosen = []
        for name, path in self.files.items():
            this_session, person, code, this_angle = _NAME.fullmatch(name).groups()
            if angle in (None, this_angle) and session in (None, this_session):
                chosen.append((name, path, person, index(EXPRESSIONS[code])))
        if not chosen:
            hint = f"There are {len(self.files)} pictures of others."
            problem = f"no picture of angle {angle or 'any'} and session {session or 'any'}"
            raise DataError(problem, self.folder, hint=hint)
        names, places, persons, emotions = zip(*chosen, strict=True)
        images = np.empty((len(chosen), size, size, 3), dtype=np.uint8)
        black = []
        for place, (name, path) in enumerate(zip(names, places, strict=True)):
            picture = _picture(name, path)
            if picture.mean() < BLACK_BELOW:
                black.append(name)
            images[place] = ImageOps.fit(Image.fromarray(picture), (size, size), Image.Resampling.BICUBIC)
        expected = PERSONS * len(EXPRESSIONS) * (1 if angle else len(ANGLES)) * (1 if session else len(SESSIONS))
        return FaceSet(
            name="kdef",
            images=images,
            ids=np.array(names),
            distribution=np.eye(len(EMOTIONS))[list(emotions)],
            subject=np.array(persons),
            provenance={
                "layout": "flat" if all(path.parent == self.folder for path in places) else "folders",
                "size": size,
                "angle": angle,
                "session": session,
                "complete": len(chosen) == expected,
                "renamed": [name for name, path in zip(names, places, strict=True) if path.name.upper() in RENAMED],
                "black": black,
                "terms": CARD.terms,
            },
        )


def _picture(name: str, path: Path) -> np.ndarray:
    pixels = decode(read_bytes(path), path, formats=("JPEG",), mode="RGB")
    height, width = pixels.shape[:2]
    if (width, height) != PUBLISHED_SIZE and name not in OTHER_SIZE:
        wanted = " x ".join(map(str, PUBLISHED_SIZE))
        raise DataError(f"is {width} x {height} pixels instead of {wanted}", path, hint=DAMAGED)
    return pixels
