"""FER2013 (Goodfellow et al. 2013) with its own labels, one of seven emotions each, in the two forms people have it.

* **table**: ``fer2013.csv`` or ``icml_face_data.csv`` (emotion, pixels, Usage), as the challenge gave it out;
* **folders**: ``train/angry/Training_3908.jpg``, ``test/...``: an unofficial copy whose pictures were saved as JPEG, so
  their pixels are near FER2013's, not the same. In ``test`` the names say which are PublicTest and PrivateTest.

It holds no votes. Those of FER+ can be joined to it (`votes`), by pixels: ``fer2013new.csv`` tells its rows by their
order in ``fer2013.csv`` and by names that the folders do not have, so the join needs FER+'s own pictures, in any form
that :mod:`ferbook.datasets.ferplus` reads.
"""

from __future__ import annotations

import re
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

import numpy as np

from ferbook.core import paths
from ferbook.core.errors import ConfigError, DataError, MissingDataError
from ferbook.datasets import cache, ferplus, matching
from ferbook.datasets.cards import CARDS
from ferbook.datasets.files import (
    by_name,
    decode_grey,
    emotion_of_folder,
    entries,
    find_file,
    others,
    read_bytes,
)
from ferbook.faces.emotions import EMOTIONS, FER2013_CODES, canonical, index
from ferbook.faces.faceset import FaceSet

SIDE = ferplus.SIDE
#: Faces of the complete set.
FACES = 35_887
#: Folders of the parts; of the second, names may say that a picture is of another part.
FOLDERS: dict[str, str] = {"train": "train", "test": "test"}
#: Endings of pictures.
SUFFIXES: tuple[str, ...] = (".jpg", ".jpeg", ".png")
#: A picture's twin in FER+ differs by no more (root mean square, grey levels): JPEG of quality 75 changes FER+'s
#: pictures by 2 to 9. The second candidate must be half as far again.
TWIN_LIMIT, TWIN_RATIO = 10.0, 1.5
CARD = CARDS["fer2013"]
HOW_TO_GET = CARD.how_to_get

Form = Literal["table", "folders"]

_USAGE = re.compile(rf"({'|'.join(ferplus.USAGE)})_\d+\.\w+", re.ASCII)


def load(
    root: str | Path | None = None,
    *,
    form: Form | None = None,
    votes: bool = False,
    ferplus_root: str | Path | None = None,
) -> FaceSet:
    """Read FER2013 from `root`, from the prepared copy where the source is unchanged.

    Parameters
    ----------
    root: see :func:`ferbook.datasets.load`.
    form: which of the two to read; where both are there, the table, whose pixels are FER2013's own.
    votes: join FER+'s votes by pixels. Faces without a twin in FER+, or with more than one candidate (FER+ holds some
        pictures more than once), are left out and counted.
    ferplus_root: where FER+ lies; by default where FER2013 does, and beside it.

    Returns
    -------
    FaceSet: images (N, 48, 48), distribution (one emotion each), split. With `votes`, ids, images and split are FER+'s,
        and votes (N, 10) are there. ``provenance`` has the form (``layout``), whether it is ``complete``, and of a join
        how many faces had no twin (``without_twin``) or no single one (``ambiguous``), and the largest ``distance``.

    Raises
    ------
    ConfigError: if there is no such form.
    DataError: if it is missing or broken, or votes are asked for and FER+ is not at hand; names file and row.
    """
    found = find(root, form)
    if not votes:
        return cache.prepared("fer2013", str(found.folder) + found.form, found.mark(), found.read)
    crowd = _find_ferplus(found.folder, ferplus_root)
    source = f"{found.folder} {found.form} {crowd.folder}"
    mark = sha256(f"{found.mark()} {crowd.mark()}".encode()).hexdigest()

    def build() -> FaceSet:
        voted = cache.prepared("ferplus", str(crowd.folder), crowd.mark(), crowd.read)
        return _joined(found.read(), voted, found.folder)

    return cache.prepared("fer2013", source, mark, build)


def find(root: str | Path | None = None, form: Form | None = None) -> Layout:
    """FER2013 at `root` or in its subfolder ``fer2013``, ``FER2013``, ``ferplus`` or ``FERPlus``, not read yet.

    Raises ConfigError if there is no such form. Raises MissingDataError if there is none, or not in the chosen form.
    Raises DataError if a part of it is not there, or a folder of pictures is named like no emotion.
    """
    if form not in ("table", "folders", None):
        raise ConfigError("form", f"{form!r} is not a form of FER2013", "Known: table, folders.")
    place = paths.data_root(root)
    for folder in (place, *(place / name for name in reversed(ferplus.FOLDERS))):
        pixels = ferplus.pixel_table(folder)
        if pixels is not None and form != "folders":
            return _Table(folder, pixels)
        if form != "table" and _is_classes(folder / FOLDERS["train"]):
            return _Folders(folder)
    problem = f"no FER2013 here{f' as {form}' if form else ''}: neither {ferplus.PIXEL_TABLES[0]} nor train/angry"
    raise MissingDataError(problem, place, hint=HOW_TO_GET)


def _is_classes(folder: Path) -> bool:
    return folder.is_dir() and any(path.is_dir() and _names_emotion(path.name) for path in entries(folder))


def _names_emotion(name: str) -> bool:
    try:
        return canonical(name) in FER2013_CODES
    except KeyError:
        return False


class Layout(cache.Layout, Protocol):
    """FER2013 as it lies on disk in one of the two forms."""

    form: Form


class _Table:
    form: Form = "table"

    def __init__(self, folder: Path, path: Path):
        self.folder, self.path = folder, path

    def mark(self) -> str:
        return cache.fingerprint([self.path])

    def others(self) -> list[str]:
        votes = find_file(self.folder, ferplus.VOTE_TABLE)
        return others(self.folder, [], [self.path, *([votes] if votes else [])])

    def read(self) -> FaceSet:
        emotions, images, splits = ferplus.labelled_pixels(self.path, FER2013_CODES)
        return _assemble([f"fer2013-{row:05d}" for row in range(len(images))], images, emotions, splits, self.form)


class _Picture(NamedTuple):
    name: str
    path: Path
    emotion: str
    part: str


class _Folders:
    form: Form = "folders"

    def __init__(self, folder: Path):
        self.folder = folder
        self.classes: list[Path] = []
        for part, name in FOLDERS.items():
            if not (folder / name).is_dir():
                raise DataError(f"the {part} part is missing", folder / name, hint=HOW_TO_GET)
            self.classes += [path for path in entries(folder / name) if path.is_dir()]

    @cached_property
    def pictures(self) -> list[_Picture]:
        """Every picture, by names alone. Raises DataError where a folder of pictures is named like no emotion."""
        found = []
        for place in self.classes:
            for name, path in by_name(place, *SUFFIXES).items():
                emotion = emotion_of_folder(place, FER2013_CODES)
                usage = _USAGE.fullmatch(name)
                part = ferplus.USAGE[usage[1]] if usage else place.parent.name
                if (part == "train") != (place.parent.name == "train"):
                    raise DataError(
                        f"is named like a picture of the {part} part", path, hint="Put it where it belongs."
                    )
                found.append(_Picture(f"{place.parent.name}/{emotion}/{name}", path, emotion, part))
        return sorted(found)

    def mark(self) -> str:
        return cache.stamps((picture.path for picture in self.pictures), self.folder)

    def others(self) -> list[str]:
        used = [picture.path for picture in self.pictures]
        parts = [self.folder / name for name in FOLDERS.values()]
        votes = find_file(self.folder, ferplus.VOTE_TABLE)
        return others(self.folder, [*parts, *self.classes], [*used, *([votes] if votes else [])])

    def read(self) -> FaceSet:
        images = [
            decode_grey(read_bytes(picture.path), picture.path, formats=("JPEG", "PNG"), side=SIDE)
            for picture in self.pictures
        ]
        if not images:
            raise DataError("holds no picture", self.folder, hint=HOW_TO_GET)
        names, _, emotions, splits = zip(*self.pictures, strict=True)
        return _assemble(list(names), images, list(emotions), list(splits), self.form)


def _assemble(ids: list[str], images: list[np.ndarray], emotions: list[str], splits: list[str], form: Form) -> FaceSet:
    return FaceSet(
        name="fer2013",
        images=np.stack(images),
        ids=np.array(ids),
        distribution=np.eye(len(EMOTIONS))[[index(emotion) for emotion in emotions]],
        split=np.array(splits),
        provenance={"layout": form, "complete": len(images) == FACES, "terms": CARD.terms},
    )


def _find_ferplus(folder: Path, root: str | Path | None) -> cache.Layout:
    """FER+ with pictures, in `root` or else in `folder` and beside it."""
    for place in [paths.data_root(root)] if root else [folder, folder.parent]:
        try:
            return ferplus.find(place)
        except MissingDataError:
            continue
    votes = find_file(folder, ferplus.VOTE_TABLE)
    problem = "the votes of FER+ cannot be joined: FER+ with pictures is not here"
    if votes is not None:
        # The table is there, but says of no picture in the folders which row is its own.
        problem = f"{votes.name} cannot be joined to class folders: it tells pictures by their row in fer2013.csv"
    raise DataError(problem, folder, hint=f"Add fer2013.csv, or FER+ as the FER+ tools write it. {ferplus.HOW_TO_GET}")


def _joined(faces: FaceSet, voted: FaceSet, folder: Path) -> FaceSet:
    """The faces that have one twin in FER+, in FER+'s order, with its names, pixels, parts and votes."""
    twin = np.full(len(faces), matching.NONE)
    distance = np.zeros(len(faces))
    # FER2013 and FER+ have the same parts, and the folder `test` holds two of them; a twin in another part is another.
    for train in (True, False):
        own, known = (np.flatnonzero((one.split == "train") == train) for one in (faces, voted))
        found = matching.match(faces.images[own], voted.images[known], TWIN_LIMIT, TWIN_RATIO)
        there = found.place >= 0
        twin[own[~there]] = found.place[~there]
        twin[own[there]] = known[found.place[there]]
        distance[own[there]] = found.distance[there]
    chosen = np.flatnonzero(twin >= 0)
    if not len(chosen):
        raise DataError("no picture has a twin in FER+", folder, hint="The two are of different data sets.")
    chosen = chosen[twin[chosen].argsort()]
    crowd = voted.subset(twin[chosen])
    return FaceSet(
        name="fer2013",
        images=crowd.images,
        ids=crowd.ids,
        votes=crowd.votes,
        split=crowd.split,
        distribution=faces.distribution[chosen],
        provenance={
            **faces.provenance,
            "without_twin": int((twin == matching.NONE).sum()),
            "ambiguous": int((twin == matching.AMBIGUOUS).sum()),
            "distance": round(float(distance.max()), 2),
            "ferplus_checksum": voted.provenance["checksum"],
        },
    )
