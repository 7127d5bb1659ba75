"""VAD-FER2013 (papers 003 and 004): valence, arousal and dominance for faces of FER2013, as far as they are published.

* **pixels**: ``publictest-20251228.csv``, 464 faces with their pixels (index, emotionLabel, Valence, Arousal,
  Dominance, emotion, pixels);
* **ferplus**: ``publictest-20240507-labels.csv``, 1,157 rows of labels alone. Their index counts FER2013's PublicTest
  rows, so the n-th PublicTest row of the FER+ vote table ``fer2013new.csv`` names the picture, which is then taken from
  FER+ with its votes.

The first 464 labels are the same in both. Values are whole numbers from -2 to 2, halved on the way in.

:func:`first_release` reads the label columns of the three tables that stood in the authors' repository when paper 003
was published: 31 faces of each test and 199 to train on. They have no pixels, and their index names no picture.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

import numpy as np

from ferbook.core import paths
from ferbook.core.errors import ConfigError, DataError, MissingDataError
from ferbook.datasets import cache, ferplus
from ferbook.datasets.cards import CARDS
from ferbook.datasets.files import DAMAGED, find_file, grey_pixels, others, proper, table
from ferbook.faces.emotions import EMOTIONS, FER2013_CODES, canonical, index
from ferbook.faces.faceset import FaceSet

PIXEL_TABLE = "publictest-20251228.csv"
LABEL_TABLE = "publictest-20240507-labels.csv"
#: The largest label; a label of this size is 1 in the library.
SCALE = 2
#: Columns of the three axes, in the library's order.
AXES: tuple[str, ...] = ("Valence", "Arousal", "Dominance")
#: FER2013's word for the part that was annotated, and the library's.
PART, SPLIT = "PublicTest", ferplus.USAGE["PublicTest"]
#: The folder of the first release, its tables, and their checksums as they were published.
FIRST_FOLDER = "paper003"
FIRST_RELEASE: dict[str, str] = {
    "public": "public-labels.csv",
    "private": "private-labels.csv",
    "train": "train-labels.csv",
}
FIRST_CHECKSUMS: dict[str, str] = {
    "public-labels.csv": "5e0da3354c8c6c75ba21e05b5f10f2e3947de727f7ab1a053a897c6280518a0e",
    "private-labels.csv": "0d3ca07cdf2f3a8fc6b4551d8883ee40342e28f9e3ecd51cb0a1636df94c8ea5",
    "train-labels.csv": "6d88d0bbfffa1c2ccb36c140a169ead0437e1e4024b551f69b67327c89effa27",
}
CARD = CARDS["vad_fer2013"]
HOW_TO_GET = CARD.how_to_get

Images = Literal["pixels", "ferplus"]

_COLUMNS = {"index", "emotionLabel", *AXES}
_CATEGORY = re.compile(r"(\d)=(\w+)")


def load(
    root: str | Path | None = None, *, images: Images = "pixels", ferplus_root: str | Path | None = None
) -> FaceSet:
    """Read VAD-FER2013 from `root`, from the prepared copy where the source is unchanged.

    Parameters
    ----------
    root: see :func:`ferbook.datasets.load`.
    images: ``pixels`` for the faces that were published with their pixels; ``ferplus`` for all published labels, their
        pictures taken from FER+. Labels of pictures that FER+ removed are left out and counted.
    ferplus_root: where FER+ and its ``fer2013new.csv`` lie; by default beside this data set.

    Returns
    -------
    FaceSet: images (N, 48, 48), distribution (FER2013's one category), vad (N, 3) in [-1, 1] in steps of a half, split
        (all ``valid``, which is what FER2013's PublicTest is in FER+), in the order of the table. With ``ferplus``, ids
        are FER+'s image names and votes are there. ``provenance`` has the form (``layout``), whether the table is that
        of the authors (``published``), and how many labels found no picture (``unnamed``).

    Raises
    ------
    ConfigError: if `images` is neither.
    DataError: if it is missing or broken; names file and row.
    """
    found = find(root, images=images, ferplus_root=ferplus_root)
    return cache.prepared("vad_fer2013", found.source, found.mark(), found.read)


def find(
    root: str | Path | None = None, *, images: Images = "pixels", ferplus_root: str | Path | None = None
) -> Layout:
    """The tables at `root` or in its subfolder ``vad_fer2013`` or ``VAD-FER2013``, not read yet.

    Options as in :func:`load`. Raises ConfigError if `images` is neither. Raises MissingDataError if there is no such
    table. Raises DataError if FER+ is needed and not there.
    """
    if images not in ("pixels", "ferplus"):
        raise ConfigError("images", f"{images!r} is no source of images", "Known: pixels, ferplus.")
    name = PIXEL_TABLE if images == "pixels" else LABEL_TABLE
    place = paths.data_root(root)
    for folder in (place, place / "vad_fer2013", place / "VAD-FER2013"):
        path = find_file(folder, name)
        if path is not None:
            return _Pixels(path) if images == "pixels" else _Joined(path, ferplus_root)
    raise MissingDataError(f"no VAD-FER2013 here: no {name}", place, hint=HOW_TO_GET)


class Labels(NamedTuple):
    """Labels without pictures.

    category: (N,) emotion words. vad: (N, 3) in [-1, 1]. index: (N,) as the table numbers its rows.
    """

    category: np.ndarray
    vad: np.ndarray
    index: np.ndarray


class FirstRelease(NamedTuple):
    """The labels that were public with paper 003, by part; ``provenance`` says whether they are the published files."""

    name: str
    parts: dict[str, Labels]
    provenance: dict[str, object]


def first_file(root: str | Path | None, name: str) -> Path:
    """A file of the folder ``paper003`` of the data set. Raises MissingDataError if it is not there."""
    place = paths.data_root(root)
    folders = [place / FIRST_FOLDER, *(place / one / FIRST_FOLDER for one in ("vad_fer2013", "VAD-FER2013")), place]
    found = next((path for folder in folders if (path := find_file(folder, name)) is not None), None)
    if found is None:
        raise MissingDataError(f"no {name} here, nor in {FIRST_FOLDER}", place, hint=HOW_TO_GET)
    return found


def first_release(root: str | Path | None = None) -> FirstRelease:
    """Read the three label tables of the first release from the folder ``paper003`` of the data set.

    Parameters
    ----------
    root: see :func:`ferbook.datasets.load`.

    Returns
    -------
    Parts ``public``, ``private`` (the two tests) and ``train``, in the order of their tables.

    Raises
    ------
    MissingDataError: if there is no such folder.
    DataError: if a table is missing or broken; names file and row.
    """
    folder = first_file(root, FIRST_RELEASE["public"]).parent
    parts, sums = {}, {}
    for part, name in FIRST_RELEASE.items():
        path = find_file(folder, name)
        if path is None:
            raise DataError("a table of the first release is missing", folder / name, hint=HOW_TO_GET)
        rows = list(_labels(path, {"emotion"}))
        for label in rows:
            _same_category(label, path)
        parts[part] = Labels(
            np.array([FER2013_CODES[label.code] for label in rows]),
            np.array([label.vad for label in rows]) / SCALE,
            np.array([label.index for label in rows]),
        )
        sums[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    checksum = hashlib.sha256(" ".join(sums.values()).encode()).hexdigest()
    published = sums == FIRST_CHECKSUMS
    return FirstRelease("vad_fer2013", parts, {"checksum": checksum, "published": published, "terms": CARD.terms})


class Layout(cache.Layout, Protocol):
    """The data set as it lies on disk in one of the two forms."""

    source: str


class _Label(NamedTuple):
    line: int
    row: dict[str, str | None]
    index: int
    code: int
    vad: list[float]


class _Pixels:
    """Labels and pixels in one table."""

    def __init__(self, path: Path):
        self.folder, self.path = path.parent, path
        self.source = str(path)

    def others(self) -> list[str]:
        return _others(self.folder)

    def mark(self) -> str:
        return cache.fingerprint([self.path])

    def read(self) -> FaceSet:
        labels, images = [], []
        for label in _labels(self.path, {"emotion", "pixels"}):
            _same_category(label, self.path)
            labels.append(label)
            images.append(grey_pixels(label.row["pixels"], ferplus.SIDE, self.path, label.line))
        return FaceSet(
            name="vad_fer2013",
            images=np.stack(images),
            ids=np.array([f"{PART.lower()}-{label.index:04d}" for label in labels]),
            split=np.full(len(labels), SPLIT),
            **_known(labels),
            provenance={**_origin(self.path), "layout": "pixels"},
        )


class _Joined:
    """Labels alone, joined to the pictures and votes of FER+."""

    def __init__(self, path: Path, ferplus_root: str | Path | None):
        self.folder, self.path = path.parent, path
        self.faces, self.names = _find_ferplus(self.folder, ferplus_root)
        self.source = f"{self.path} {self.faces.folder}"

    def others(self) -> list[str]:
        return _others(self.folder)

    def mark(self) -> str:
        tables = cache.fingerprint([self.path, self.names])
        return hashlib.sha256(f"{tables} {self.faces.mark()}".encode()).hexdigest()

    def read(self) -> FaceSet:
        names = _public_test_names(self.names)
        faces = cache.prepared("ferplus", str(self.faces.folder), self.faces.mark(), self.faces.read)
        place_of = {name: place for place, name in enumerate(faces.ids.tolist())}
        kept: dict[int, _Label] = {}
        unnamed = 0
        for label in _labels(self.path):
            if label.index >= len(names):
                problem = f"index {label.index}, but {self.names.name} has {len(names)} {PART} rows"
                raise DataError(problem, self.path, label.line, "The two tables belong to different data sets.")
            name = names[label.index]
            # No name: the FER+ authors removed the picture.
            if not name:
                unnamed += 1
                continue
            if name not in place_of:
                hint = f"{self.names.name} and the faces must be of one release of FER+."
                raise DataError(f"its picture {name} is not in {self.faces.folder}", self.path, label.line, hint)
            first = kept.setdefault(place_of[name], label)
            if first is not label:
                problem = f"its picture {name} is that of line {first.line}"
                raise DataError(problem, self.path, label.line, "Each face must be listed once; remove one of the two.")
        if not kept:
            raise DataError("no label has a picture in FER+", self.path, hint=DAMAGED)
        chosen = faces.subset(np.array(list(kept)))
        return FaceSet(
            name="vad_fer2013",
            images=chosen.images,
            ids=chosen.ids,
            votes=chosen.votes,
            split=chosen.split,
            **_known(list(kept.values())),
            provenance={
                **_origin(self.path),
                "layout": "ferplus",
                "unnamed": unnamed,
                "ferplus_checksum": faces.provenance["checksum"],
            },
        )


def _others(folder: Path) -> list[str]:
    """What is neither one of the data set's two tables nor its folder of the first release."""
    known = [find_file(folder, name) for name in (PIXEL_TABLE, LABEL_TABLE)]
    return others(folder, [], [*(path for path in known if path), folder / FIRST_FOLDER])


def _origin(path: Path) -> dict[str, object]:
    with path.open("rb") as stream:
        published = hashlib.file_digest(stream, "sha256").hexdigest() == CARD.checksums[proper(path.name)]
    return {"table": proper(path.name), "published": published, "terms": CARD.terms}


def _known(labels: list[_Label]) -> dict[str, np.ndarray]:
    emotions = [index(FER2013_CODES[label.code]) for label in labels]
    return {
        "distribution": np.eye(len(EMOTIONS))[emotions],
        "vad": np.array([label.vad for label in labels]) / SCALE,
    }


def _labels(path: Path, more: set[str] | None = None) -> Iterator[_Label]:
    """The rows of a table, checked. `more`: further columns that it must have."""
    first_seen: dict[int, int] = {}
    for line, row in table(path, _COLUMNS | (more or set())):
        number = _index(row["index"], path, line)
        if number in first_seen:
            hint = "Each face must be listed once; remove one of the two."
            raise DataError(f"index {number} a second time (first in line {first_seen[number]})", path, line, hint)
        first_seen[number] = line
        vad = [_value(row[axis], axis, path, line) for axis in AXES]
        yield _Label(line, row, number, _category(row["emotionLabel"], path, line), vad)
    if not first_seen:
        raise DataError("the table is empty", path, hint=DAMAGED)


def _same_category(label: _Label, path: Path) -> None:
    if (label.row["emotion"] or "").strip() != str(label.code):
        problem = f"emotion is {label.row['emotion']!r}, but emotionLabel is {label.row['emotionLabel']!r}"
        raise DataError(problem, path, label.line, "The two columns must name the same category.")


def _index(text: str | None, path: Path, line: int) -> int:
    if not re.fullmatch(r"\d{1,6}", (text or "").strip(), re.ASCII):
        raise DataError(f"index {text!r} is not a row number", path, line, DAMAGED)
    return int(text)


def _value(text: str | None, axis: str, path: Path, line: int) -> float:
    try:
        value = float(text or "")
    except ValueError:
        value = float("nan")
    if value not in range(-SCALE, SCALE + 1):
        raise DataError(f"{axis} is {text!r}", path, line, f"It must be a whole number from {-SCALE} to {SCALE}.")
    return value


def _category(text: str | None, path: Path, line: int) -> int:
    """FER2013's code of a label such as ``3=Happy``, whose number and word must agree."""
    found = _CATEGORY.fullmatch((text or "").strip())
    try:
        if found and FER2013_CODES[int(found[1])] == canonical(found[2]):
            return int(found[1])
    except (IndexError, KeyError):
        pass
    known = ", ".join(f"{code}={name}" for code, name in enumerate(FER2013_CODES))
    raise DataError(f"unknown emotionLabel {text!r}", path, line, f"Known: {known} (synonyms are understood).")


def _find_ferplus(folder: Path, root: str | Path | None) -> tuple[cache.Layout, Path]:
    """FER+ and its vote table, in `root` or else in `folder` and beside it."""
    hint = f"The labels alone have no pictures. {ferplus.HOW_TO_GET}"
    places = [paths.data_root(root)] if root else [folder, folder.parent]
    for place in places:
        try:
            faces = ferplus.find(place)
        except MissingDataError:
            continue
        names = find_file(faces.folder, ferplus.VOTE_TABLE)
        if names is None:
            place = faces.folder / ferplus.VOTE_TABLE
            raise DataError("the FER+ vote table, which orders the labels, is missing", place, hint=hint)
        return faces, names
    raise DataError("FER+ is not here", places[-1], hint=hint)


def _public_test_names(path: Path) -> list[str]:
    """Image names of FER2013's PublicTest rows, in order; empty where FER+ removed the picture."""
    named = table(path, {"Usage", "Image name"})
    return [(row["Image name"] or "").strip() for _, row in named if row["Usage"] == PART]
