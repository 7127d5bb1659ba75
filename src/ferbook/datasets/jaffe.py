"""JAFFE (Lyons et al. 1998): 213 posed pictures of ten women, 256 x 256, 8-bit grey.

The published archive holds one folder of files such as ``KA.AN1.39.tiff``: who (two initials), the expression that was
asked for, the number of the take, and a running number. Small letters are read as capital ones.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from ferbook.core import paths
from ferbook.core.errors import MissingDataError
from ferbook.datasets import cache
from ferbook.datasets.cards import CARDS
from ferbook.datasets.files import by_name, by_published_name, decode, others, read_bytes
from ferbook.faces.emotions import EMOTIONS, index
from ferbook.faces.faceset import FaceSet

SIDE = 256
SUFFIX = ".tiff"
#: Pictures of the complete release.
FACES = 213
#: Initials of the ten women.
SUBJECTS: tuple[str, ...] = ("KA", "KL", "KM", "KR", "MK", "NA", "NM", "TM", "UY", "YM")
#: The expression codes of the file names.
EXPRESSIONS: dict[str, str] = {
    "AN": "anger",
    "DI": "disgust",
    "FE": "fear",
    "HA": "happiness",
    "NE": "neutral",
    "SA": "sadness",
    "SU": "surprise",
}
CARD = CARDS["jaffe"]
HOW_TO_GET = CARD.how_to_get

_NAME = re.compile(rf"({'|'.join(SUBJECTS)})\.({'|'.join(EXPRESSIONS)})\d\.\d+\.tiff")


def load(root: str | Path | None = None) -> FaceSet:
    """Read JAFFE from `root` (see :func:`ferbook.datasets.load`), from the prepared copy where the source is unchanged.

    Returns
    -------
    FaceSet: images (N, 256, 256), distribution (one emotion each), subject (initials), sorted by file name;
        ``provenance["complete"]`` tells whether all 213 pictures are there.

    Raises
    ------
    DataError: if it is missing or broken; names the file.
    """
    found = find(root)
    return cache.prepared("jaffe", str(found.folder), found.mark(), found.read)


def find(root: str | Path | None = None) -> _Layout:
    """The JAFFE files at `root` or in its subfolder ``jaffe``, ``JAFFE`` or ``jaffedbase``, not read yet.

    Raises MissingDataError if there is none. Raises DataError if a TIFF has a name that says nothing about it.
    """
    place = paths.data_root(root)
    for folder in (place, place / "jaffe", place / "JAFFE", place / "jaffedbase"):
        if folder.is_dir() and by_name(folder, SUFFIX):
            return _Layout(folder)
    raise MissingDataError("no JAFFE here: no files like KA.AN1.39.tiff", place, hint=HOW_TO_GET)


class _Layout:
    """JAFFE as it lies on disk: one folder; names only are looked at before :meth:`read`."""

    def __init__(self, folder: Path):
        self.folder = folder
        #: The published name of each picture to its place.
        hint = f"A name reads KA.AN1.39.tiff, with {', '.join(SUBJECTS)} and {', '.join(EXPRESSIONS)}."
        self.files = by_published_name(
            by_name(folder, SUFFIX).values(), lambda name: Path(name).stem.upper() + SUFFIX, _NAME, folder, hint
        )

    def mark(self) -> str:
        return cache.fingerprint(self.files.values())

    def others(self) -> list[str]:
        return others(self.folder, [], self.files.values())

    def read(self) -> FaceSet:
        subjects, codes = zip(*(_NAME.fullmatch(name).groups() for name in self.files), strict=True)
        images = [decode(read_bytes(path), path, formats=("TIFF",), side=SIDE) for path in self.files.values()]
        return FaceSet(
            name="jaffe",
            images=np.stack(images),
            ids=np.array(list(self.files)),
            distribution=np.eye(len(EMOTIONS))[[index(EXPRESSIONS[code]) for code in codes]],
            subject=np.array(subjects),
            provenance={"layout": "folder", "complete": len(images) == FACES, "terms": CARD.terms},
        )
