"""AffectNet as it lies on disk, in the layouts of 2017 and 2021: tables and annotations, no picture decoded."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from ferbook.core import arrays
from ferbook.core.errors import DataError
from ferbook.datasets import cache
from ferbook.datasets.cards import CARDS
from ferbook.datasets.files import (
    DAMAGED,
    by_name,
    code_of,
    entries,
    find_file,
    need_columns,
    opened,
    others,
    proper,
    read_bytes,
    rows,
)

#: Official parts that were published, by the library's names.
PARTS: tuple[str, ...] = ("train", "valid")
#: The integer codes of the expressions, in order. Codes after these are no expression and are left out.
CODES: tuple[str, ...] = ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt")
LEFT_OUT: tuple[str, ...] = ("none", "uncertain", "no face")
_KNOWN = (*CODES, *LEFT_OUT)
#: Valence and arousal of a face that has none.
ABSENT = -2
#: Columns of the tables, in order.
COLUMNS: tuple[str, ...] = (
    "subDirectory_filePath",
    "face_x",
    "face_y",
    "face_width",
    "face_height",
    "facial_landmarks",
    "expression",
    "valence",
    "arousal",
)
TABLES: dict[str, str] = {"train": "training.csv", "valid": "validation.csv"}
IMAGES = "Manually_Annotated_Images"
FOLDERS: dict[str, str] = {"train": "train_set", "valid": "val_set"}
#: Empty in the release itself.
BROKEN_IN_RELEASE = "103/29a31ebf1567693f4644c8ba3476ca9a72ee07fe67a5860d98707a0a.jpg"
#: Endings of their pictures.
SUFFIXES: tuple[str, ...] = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".gif")
HOW_TO_GET = CARDS["affectnet"].how_to_get

# A picture and an annotation of 2021.
_NUMBERED = re.compile(r"\d{1,9}\.jpg", re.ASCII)
_STORED = re.compile(r"\d{1,9}_(exp|val|aro|lnd)\.npy", re.ASCII)


class Layout(Protocol):
    """AffectNet as it lies on disk in one of the two layouts."""

    folder: Path
    name: str

    def mark(self) -> str:
        """Fingerprint of tables and folders (not of each picture), hex."""
        ...

    def faces(self, part: str) -> Iterator[Face]:
        """Every annotated face of a part, in order, its picture not looked at. Raises DataError."""
        ...

    def others(self) -> list[str]:
        """Names of what lies there and is not read, but for pictures that no table lists."""
        ...


class Face(NamedTuple):
    """One annotated picture.

    `code` may be one of ``LEFT_OUT``. `valence` and `arousal` are NaN where absent. `box` is left, top, width, height.
    """

    name: str
    path: Path
    box: tuple[int, int, int, int] | None
    code: int
    valence: float
    arousal: float


class Release2017:
    """Two tables and a folder of pictures."""

    name = "2017"

    def __init__(self, folder: Path, tables: Path):
        self.folder = folder
        self.tables = tables
        # The archive has a folder in a folder.
        places = (folder / "Manually_Annotated" / IMAGES, folder / IMAGES / IMAGES, folder / IMAGES)
        self.images = next((place for place in places if place.is_dir()), places[-1])

    def mark(self) -> str:
        """Fingerprint of tables and folders, hex."""
        tables = self._found_tables()
        folders = [self.images, *(path for path in self.images.glob("*") if path.is_dir())]
        return sha256(f"{cache.fingerprint(tables)} {_last_changes(folders)}".encode()).hexdigest()

    def _found_tables(self) -> list[Path]:
        return [path for name in TABLES.values() if (path := find_file(self.tables, name)) is not None]

    def others(self) -> list[str]:
        """Names of what lies there and is not read."""
        folders = [path for path in entries(self.images) if path.is_dir()] if self.images.is_dir() else []
        pictures = (path for place in folders for path in entries(place) if path.suffix.lower() in SUFFIXES)
        return others(self.folder, [self.tables, self.images, *folders], [*self._found_tables(), *pictures])

    def faces(self, part: str) -> Iterator[Face]:
        """Every annotated face of a part, in order. Raises DataError."""
        path = find_file(self.tables, TABLES[part])
        if path is None:
            hint = f"Ask for the parts that are there, or add it. {HOW_TO_GET}"
            raise DataError(f"the {part} part is missing", self.tables / TABLES[part], hint=hint)
        if not self.images.is_dir():
            raise DataError("the folder of pictures is missing", self.images, hint=HOW_TO_GET)
        first_seen: dict[str, int] = {}
        for line, row in _rows(path):
            name = _place(row["subDirectory_filePath"], path, line)
            if name in first_seen:
                hint = "Each face must be listed once; remove one of the two."
                raise DataError(f"{name} is listed a second time (first in line {first_seen[name]})", path, line, hint)
            first_seen[name] = line
            code = code_of(row["expression"], _KNOWN, "expression", path, line)
            if code >= len(CODES) or name == BROKEN_IN_RELEASE:
                # Such rows have no box and no values.
                yield Face(name, self.images / name, None, code, np.nan, np.nan)
                continue
            picture = find_file(self.images, name)
            if picture is None:
                raise DataError(f"{name} is listed but not in {self.images.name}", path, line, DAMAGED)
            values = [_value(row[column], column, path, line) for column in ("valence", "arousal")]
            yield Face(name, picture, _box(row, path, line), code, *values)


class Release2021:
    """A folder per part, an annotation per picture and value."""

    name = "2021"

    def __init__(self, folder: Path):
        self.folder = folder

    def mark(self) -> str:
        """Fingerprint of tables and folders, hex."""
        parts = [self.folder / name for name in FOLDERS.values()]
        return _last_changes([part / name for part in parts for name in ("images", "annotations")])

    def faces(self, part: str) -> Iterator[Face]:
        """Every annotated face of a part, in order. Raises DataError."""
        images, annotations = (self.folder / FOLDERS[part] / name for name in ("images", "annotations"))
        for folder in (images, annotations):
            if not folder.is_dir():
                raise DataError(f"the {part} part is missing or incomplete", folder, hint=HOW_TO_GET)
        found = by_name(images, ".jpg")
        odd = next((path for name, path in found.items() if not _NUMBERED.fullmatch(name)), None)
        if odd is not None:
            raise DataError("unknown file name", odd, hint="A picture is named 7.jpg.")
        for path in sorted(found.values(), key=lambda path: int(path.stem)):
            names = (f"{path.stem}_{key}.npy" for key in ("exp", "val", "aro"))
            expression, valence, arousal = (find_file(annotations, name) or annotations / name for name in names)
            code = code_of(_stored(expression), _KNOWN, "expression", expression)
            values = (_value(_stored(file), what, file) for file, what in ((valence, "valence"), (arousal, "arousal")))
            yield Face(f"{FOLDERS[part]}/{proper(path.name)}", path, None, code, *values)

    def others(self) -> list[str]:
        """Names of what lies there and is not read."""
        parts = [self.folder / name for name in FOLDERS.values()]
        images, annotations = ([part / name for part in parts] for name in ("images", "annotations"))
        files = [path for place in (*images, *annotations) if place.is_dir() for path in entries(place)]
        known = [
            path for path in files if _NUMBERED.fullmatch(proper(path.name)) or _STORED.fullmatch(proper(path.name))
        ]
        return others(self.folder, [*parts, *images, *annotations], known)


def _last_changes(folders: list[Path]) -> str:
    total = sha256()
    for folder in sorted(folders):
        changed = folder.stat().st_mtime_ns if folder.is_dir() else "missing"
        total.update(f"{folder.name}:{changed}\n".encode())
    return total.hexdigest()


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str | None]]]:
    """Line number and cells of a table with or without a header."""
    with opened(path) as text:
        lines = (row for row in rows(csv.reader(text), path))
        first = [cell.strip() for cell in next(lines, [])]
        named = set(first) & set(COLUMNS)
        if named or len(first) != len(COLUMNS):
            need_columns(first, COLUMNS, path)
        header = first if named else list(COLUMNS)
        if not named:
            yield 1, dict(zip(header, first, strict=True))
        for line, row in enumerate(lines, start=2):
            if not row:
                continue
            if len(row) != len(header):
                raise DataError(f"{len(row)} cells instead of {len(header)}", path, line, DAMAGED)
            yield line, dict(zip(header, row, strict=True))


def _place(text: str, table: Path, line: int) -> str:
    """``1/a.jpg`` of a cell that says so, or gives that picture's path on the machine where the table was made.

    Raises DataError if the cell is empty, or leads out of the folder of pictures.
    """
    parts = [part for part in text.strip().replace("\\", "/").split("/") if part not in ("", ".")]
    if not parts:
        raise DataError("a row without a picture", table, line, DAMAGED)
    if IMAGES in parts:
        parts = parts[len(parts) - parts[::-1].index(IMAGES) :]
    elif text.strip()[0] in "/\\" or parts[0].endswith(":"):
        # A folder of pictures holds folders of pictures, and nothing deeper.
        parts = parts[-2:]
    if not parts or ".." in parts:
        raise DataError(f"{text.strip()!r} is no place in the folder of pictures", table, line, "It reads 1/a.jpg.")
    return "/".join(parts)


def _stored(path: Path) -> str:
    """The one value of an ``.npy`` file, which the release stores as text or number."""
    if not path.exists():
        raise DataError("the annotation is missing", path, hint=DAMAGED)
    try:
        return str(arrays.parse_npy(read_bytes(path)).item())
    except ValueError as error:
        raise DataError(f"holds no single value ({error})", path, hint=DAMAGED) from None


def _value(text: str | None, what: str, path: Path, line: int | None = None) -> float:
    try:
        value = float(text or "")
    except ValueError:
        value = np.nan
    if value == ABSENT:
        return np.nan
    if not -1 <= value <= 1:
        raise DataError(f"{what} is {text!r}", path, line, f"It must be from -1 to 1, or {ABSENT} for none.")
    return value


def _box(row: dict[str, str | None], path: Path, line: int) -> tuple[int, int, int, int]:
    cells = [row[column] for column in COLUMNS[1:5]]
    try:
        left, top, width, height = (int(cell or "") for cell in cells)
        if width < 1 or height < 1:
            raise ValueError
    except ValueError:
        raise DataError(f"no box around a face: {', '.join(map(str, cells))}", path, line, DAMAGED) from None
    return left, top, width, height
