"""CK+ (Lucey et al. 2010) in the three forms people have it; they hold different pictures, so their numbers differ.

* **sequences**: the official release, ``cohn-kanade-images/S010/004/S010_004_00000019.png`` with the peak frame's label
  in ``Emotion/S010/004/S010_004_00000019_emotion.txt``: 593 sequences from neutral to peak, 327 of them labelled;
* **faces**: ``CK+48``, an unofficial copy: 981 faces of 48 x 48 pixels, ``anger/S010_004_00000017.png``, the last three
  frames of each labelled sequence. Three near-copies each: split by subject;
* **table**: ``ckextended.csv``, another one, in FER2013's format: 920 rows, 327 peak frames and 593 neutral ones. It
  does not say who is shown, and its Usage column does not keep people apart.
"""

import re
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image, ImageOps

from ferbook.core import paths
from ferbook.core.errors import ConfigError, DataError, MissingDataError
from ferbook.datasets import cache
from ferbook.datasets.cards import CARDS
from ferbook.datasets.ferplus import labelled_pixels
from ferbook.datasets.files import (
    DAMAGED,
    by_name,
    code_of,
    decode_grey,
    emotion_of_folder,
    entries,
    find_file,
    others,
    proper,
    read_bytes,
)
from ferbook.faces.emotions import EMOTIONS, FER2013_CODES, index
from ferbook.faces.faceset import FaceSet

#: Side of the faces of the two unofficial forms.
SIDE = 48
#: Faces of each form when it is complete; of the sequences, the labelled ones.
FACES: dict[str, int] = {"sequences": 327, "faces": 981, "table": 920}
TABLE = "ckextended.csv"
IMAGES = "cohn-kanade-images"
LABELS = "Emotion"
#: The integer codes of the label files, in order.
SEQUENCE_CODES: tuple[str, ...] = ("neutral", *sorted(set(EMOTIONS) - {"neutral"}))
#: The integer codes of the table, in order: FER2013's, and contempt after them.
TABLE_CODES: tuple[str, ...] = (*FER2013_CODES, "contempt")
CARD = CARDS["ckplus"]
HOW_TO_GET = CARD.how_to_get

Form = Literal["sequences", "faces", "table"]

_FRAME = re.compile(r"(S\d{3})_(\d{3})_(\d{8})\.png")
_LABEL = re.compile(r"((S\d{3})_(\d{3})_\d{8})_emotion\.txt")


def load(
    root: str | Path | None = None, *, form: Form | None = None, size: int = 224, neutral_first: bool = False
) -> FaceSet:
    """Read CK+ from `root` (see :func:`ferbook.datasets.load`), from the prepared copy where the source is unchanged.

    Parameters
    ----------
    form: which of the three forms to read; may be left out where only one is there.
    size: for sequences: side in pixels; the middle square of each frame is scaled to it (bicubic, with antialiasing).
    neutral_first: for sequences: the first frame of each labelled sequence as well, as neutral.

    Returns
    -------
    FaceSet: images (N, size, size), of the 48-pixel forms (N, 48, 48); distribution (one emotion each); subject, except
        of the table, which has split instead. ``provenance`` has the form (``layout``), whether it is ``complete``, and
        of sequences how many are not labelled and left out.

    Raises
    ------
    ConfigError: if an option is out of range, or several forms are there and none was chosen.
    DataError: if it is missing or broken; names file and row.
    """
    if size < 1:
        raise ConfigError("size", f"{size} is not a size in pixels")
    found = find(root, form)
    if not isinstance(found, _Sequences):
        return cache.prepared("ckplus", str(found.folder), found.mark(), found.read)
    source = f"{found.folder} {size} {neutral_first}"
    return cache.prepared("ckplus", source, found.mark(), lambda: found.read(size, neutral_first))


def find(root: str | Path | None = None, form: Form | None = None) -> cache.Layout:
    """The CK+ files at `root` or in its subfolder ``ckplus``, ``CK+`` or ``CKPlus``, not read yet.

    Raises ConfigError if several forms are there and none was chosen. Raises MissingDataError if there is none, or not
    the chosen one. Raises DataError if a part of it is not there, or files have names that say nothing about them.
    """
    if form not in (*_FORMS, None):
        raise ConfigError("form", f"{form!r} is not a form of CK+", f"Known: {', '.join(_FORMS)}.")
    place = paths.data_root(root)
    for base in (place, place / "ckplus", place / "CK+", place / "CKPlus"):
        there = {name: folder for name, (where, _) in _FORMS.items() if (folder := where(base)) is not None}
        if form is None and len(there) > 1:
            raise ConfigError("form", f"{base} holds CK+ as {' and as '.join(there)}", "They differ: choose one.")
        for name, folder in there.items():
            if form in (name, None):
                return _FORMS[name][1](folder)
    problem = f"no CK+ here{f' as {form}' if form else ''}: neither {IMAGES}, nor CK+48, nor {TABLE}"
    raise MissingDataError(problem, place, hint=HOW_TO_GET)


class _Face(NamedTuple):
    path: Path
    emotion: str
    subject: str


def _assemble(faces: list[_Face], images: list[np.ndarray], form: Form, **more: object) -> FaceSet:
    order = sorted(range(len(faces)), key=lambda place: proper(faces[place].path.name))
    chosen = [faces[place] for place in order]
    return FaceSet(
        name="ckplus",
        images=np.stack([images[place] for place in order]),
        ids=np.array([proper(face.path.name) for face in chosen]),
        distribution=_one_hot([face.emotion for face in chosen]),
        subject=np.array([face.subject for face in chosen]),
        provenance={"layout": form, **more, "terms": CARD.terms},
    )


def _one_hot(emotions: list[str]) -> np.ndarray:
    return np.eye(len(EMOTIONS))[[index(emotion) for emotion in emotions]]


def _grey(path: Path, side: int | None = None) -> np.ndarray:
    """A grey picture, or a colour picture in grey: CK+ holds both."""
    return decode_grey(read_bytes(path), path, side=side)


class _Table:
    """One CSV of pixels."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.path = find_file(folder, TABLE) or folder / TABLE

    def mark(self) -> str:
        return cache.fingerprint([self.path])

    def others(self) -> list[str]:
        return others(self.folder, [], [self.path])

    def read(self) -> FaceSet:
        emotions, images, splits = labelled_pixels(self.path, TABLE_CODES)
        return FaceSet(
            name="ckplus",
            images=np.stack(images),
            ids=np.array([f"{self.path.stem}-{row:04d}" for row in range(1, len(images) + 1)]),
            distribution=_one_hot(emotions),
            split=np.array(splits),
            # The 981 faces go around as such a table, too.
            provenance={
                "layout": "table",
                "complete": len(images) in (FACES["table"], FACES["faces"]),
                "terms": CARD.terms,
            },
        )


class _Faces:
    """One folder of 48-pixel faces per emotion."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.faces: list[_Face] = []
        taken: dict[str, Path] = {}
        for path in _face_files(folder):
            name = _FRAME.fullmatch(proper(path.name))
            if not name:
                raise DataError("unknown file name", path, hint="A name reads S010_004_00000017.png.")
            if name[0] in taken:
                hint = "Its folder is its label: remove the wrong one of the two."
                raise DataError(f"is the same frame as {taken[name[0]]}", path, hint=hint)
            taken[name[0]] = path
            self.faces.append(_Face(path, emotion_of_folder(path.parent), name[1]))

    def mark(self) -> str:
        # The folder is the label.
        labels = "".join(f"{face.path.name}:{face.emotion}\n" for face in self.faces)
        return sha256(f"{cache.fingerprint(face.path for face in self.faces)}\n{labels}".encode()).hexdigest()

    def read(self) -> FaceSet:
        images = [_grey(face.path, SIDE) for face in self.faces]
        return _assemble(self.faces, images, "faces", complete=len(images) == FACES["faces"])

    def others(self) -> list[str]:
        used = [face.path for face in self.faces]
        return others(self.folder, [path.parent for path in used], used)


def _face_files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    places = (place for place in entries(folder) if place.is_dir())
    return [path for place in places for path in by_name(place, ".png").values()]


class _Sequences:
    """The official release: sequences of frames, and the labels of their peaks."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.images = folder / IMAGES
        self.peaks: list[_Face] = []
        self.first: list[_Face] = []
        # The archive of labels unpacks to Emotion, some tools put that into a folder named like the archive.
        label_root = next((p for p in (folder / LABELS, folder / "Emotion_labels" / LABELS) if p.is_dir()), None)
        if label_root is None:
            hint = f"Unpack Emotion_labels.zip of the release beside {IMAGES}."
            raise DataError(f"the labels are missing: no folder {LABELS}", folder, hint=hint)
        self.label_root = label_root
        self.label_files = [path for place in _leaves(label_root) for path in by_name(place, ".txt").values()]
        if not self.label_files:
            raise DataError("holds no label file", label_root, hint="It holds S010/004/S010_004_00000019_emotion.txt.")
        labelled = set()
        for path in self.label_files:
            name = _LABEL.fullmatch(proper(path.name))
            sequence = self.images / path.parent.relative_to(label_root)
            if not name or sequence.parts[-2:] != (name[2], name[3]):
                hint = "A label lies in S010/004/ and is named S010_004_00000019_emotion.txt."
                raise DataError("unknown file name", path, hint=hint)
            if sequence in labelled:
                raise DataError("is a second label of its sequence", path, hint="Remove the wrong one of the two.")
            labelled.add(sequence)
            self._add(sequence, name[1], name[2], path)
        self.unlabelled = len({path for path in _leaves(self.images) if path.parent.name[0] == "S"} - labelled)

    def _add(self, sequence: Path, peak: str, subject: str, label: Path) -> None:
        text = read_bytes(label).decode("utf-8-sig", errors="replace").strip()
        emotion = SEQUENCE_CODES[code_of(text, SEQUENCE_CODES, "emotion", label)]
        frames = by_name(sequence, ".png") if sequence.is_dir() else {}
        odd = next((path for name, path in frames.items() if not _FRAME.fullmatch(name)), None)
        if odd is not None:
            raise DataError("unknown file name", odd, hint="A frame is named S010_004_00000019.png.")
        name = f"{peak}.png"
        if name not in frames:
            raise DataError(f"labels the frame {name}, which is not in {sequence}", label, hint=DAMAGED)
        first = min(frames)
        if first == name:
            raise DataError(f"holds no frame before its peak {name}", sequence, hint=DAMAGED)
        self.peaks.append(_Face(frames[name], emotion, subject))
        self.first.append(_Face(frames[first], "neutral", subject))

    def mark(self) -> str:
        return cache.fingerprint([*self.label_files, *(face.path for face in (*self.peaks, *self.first))])

    def others(self) -> list[str]:
        # Frames between the first and the peak are known, and those of sequences without a label.
        frames = [path for place in _leaves(self.images) for path in by_name(place, ".png").values()]
        places = [self.images, self.label_root]
        places += [path for leaf in (*_leaves(self.images), *_leaves(self.label_root)) for path in (leaf, leaf.parent)]
        return others(self.folder, places, [*frames, *self.label_files])

    def read(self, size: int = 224, neutral_first: bool = False) -> FaceSet:
        faces = [*self.peaks, *self.first] if neutral_first else self.peaks
        images = []
        for face in faces:
            frame = Image.fromarray(_grey(face.path))
            images.append(np.asarray(ImageOps.fit(frame, (size, size), Image.Resampling.BICUBIC)))
        return _assemble(
            faces,
            images,
            "sequences",
            size=size,
            neutral_first=neutral_first,
            unlabelled=self.unlabelled,
            complete=len(self.peaks) == FACES["sequences"],
        )


def _leaves(top: Path) -> list[Path]:
    """The folders two below `top`, as ``S010/004``."""
    persons = (path for path in entries(top) if path.is_dir())
    return [path for person in persons for path in entries(person) if path.is_dir()]


def _find_faces(base: Path) -> Path | None:
    for folder in (base / "CK+48", base):
        if any(_FRAME.fullmatch(proper(path.name)) for path in _face_files(folder)):
            return folder
    return None


# Where each form lies below a folder, and what reads it.
_FORMS: dict[str, tuple[Callable[[Path], Path | None], Callable[[Path], cache.Layout]]] = {
    "sequences": (lambda base: base if (base / IMAGES).is_dir() else None, _Sequences),
    "faces": (_find_faces, _Faces),
    "table": (lambda base: base if find_file(base, TABLE) else None, _Table),
}
