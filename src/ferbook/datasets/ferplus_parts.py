"""One part of FER+ on disk, a folder, a zip archive of the same or a mosaic: label table, pictures, what is wrong."""

import lzma
import struct
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import numpy as np

from ferbook.core.errors import DataError
from ferbook.datasets import cache
from ferbook.datasets.files import (
    DAMAGED,
    MOST_UNPACKED,
    by_name,
    decode,
    find_file,
    is_clutter,
    opened_picture,
    others,
    proper,
    read_bytes,
)

#: Width and height of a face in pixels.
SIDE = 48
#: Faces in a row of a mosaic.
COLUMNS = 84
LABELS = "label.csv"
#: Bit of a zip member's flags that says that it needs a password.
_ENCRYPTED = 1
#: What an archive that is damaged makes the standard library raise.
_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(EOFError, OSError, ValueError, RuntimeError, IndexError, OverflowError),
)


class Source(Protocol):
    """One part on disk.

    Parameters
    ----------
    layout: the form it has, a word for ``provenance``.
    path: the folder, the archive, or the mosaic.
    table: where its label table lies.
    """

    layout: str
    path: Path
    table: Path

    def mark(self) -> str:
        """Fingerprint of its present state, hex."""
        ...

    def labels(self) -> bytes:
        """The label table's content. Raises DataError."""
        ...

    def pictures(self, lines: Mapping[str, int]) -> Iterator[np.ndarray]:
        """The pictures of all faces that the label table lists, in its order, each (48, 48) uint8.

        Parameters
        ----------
        lines: the line of each name in the table.

        Raises
        ------
        DataError: if one is missing or broken, or there are more.
        """
        ...

    def others(self) -> list[str]:
        """Names of what it holds and is not read."""
        ...


class _Files(ABC):
    """A part with a PNG per face, in a folder or an archive."""

    path: Path

    @property
    def table(self) -> Path:
        """Where its label table lies."""
        return self.path / LABELS

    @abstractmethod
    def names(self) -> set[str]:
        """Proper names of its files."""

    @abstractmethod
    def read(self, name: str) -> bytes:
        """A file's content. Raises DataError."""

    def labels(self) -> bytes:
        """The label table's content. Raises DataError."""
        if LABELS not in self.names():
            raise DataError(f"has no {LABELS}", self.path, hint="The FER+ tools write one into each part.")
        return self.read(LABELS)

    def pictures(self, lines: Mapping[str, int]) -> Iterator[np.ndarray]:
        """The pictures that the label table lists, as :class:`Source` says."""
        present = self.names()
        for name, line in lines.items():
            if name not in present:
                raise DataError(f"{name} is listed but not in {self.path.name}", self.table, line, DAMAGED)
            yield decode(self.read(name), self.path, name, side=SIDE)
        unlisted = sorted(name for name in present - lines.keys() if name.endswith(".png"))
        if unlisted:
            problem = f"{len(unlisted)} pictures are not listed in {LABELS}, the first {unlisted[0]}"
            raise DataError(problem, self.path, hint=DAMAGED)


class Folder(_Files):
    """A part as a folder."""

    layout = "folders"

    def __init__(self, path: Path):
        self.path = path

    def mark(self) -> str:
        """Fingerprint of its present state, hex."""
        # Hashing 35,000 small files takes longer than decoding them; their sizes and times stand for their contents.
        labels = self._files.get(LABELS)
        total = cache.fingerprint([labels]) if labels is not None else ""
        return sha256(f"{total} {cache.stamps(self._files.values(), self.path)}".encode()).hexdigest()

    @cached_property
    def _files(self) -> dict[str, Path]:
        return by_name(self.path, ".png", ".csv")

    def names(self) -> set[str]:
        """Proper names of its files."""
        return set(self._files)

    def read(self, name: str) -> bytes:
        """A file's content. Raises DataError."""
        return read_bytes(self._files[name], name)

    def others(self) -> list[str]:
        """Names of what it holds and is not read."""
        used = [path for name, path in self._files.items() if name == LABELS or name.endswith(".png")]
        return [f"{self.path.name}/{name}" for name in others(self.path, [], used)]


class Archive(_Files):
    """A part as a zip archive, read without unpacking it."""

    layout = "archives"

    def __init__(self, path: Path):
        self.path = path

    @cached_property
    def _zip(self) -> zipfile.ZipFile:
        # Opened only when the cache misses: its directory of 28,000 entries takes longer to read than the cached set.
        try:
            return zipfile.ZipFile(self.path)
        except _BROKEN as error:
            raise DataError(f"not a complete zip archive ({error})", self.path, hint=DAMAGED) from None

    @cached_property
    def _members(self) -> dict[str, str]:
        members: dict[str, str] = {}
        for name in self._zip.namelist():
            if name.endswith("/") or is_clutter(name):
                continue
            last = proper(name.rpartition("/")[2])
            if last in members:
                raise DataError(f"holds both {members[last]} and {name}", self.path, hint="Keep one of the two.")
            members[last] = name
        return members

    def mark(self) -> str:
        """Fingerprint of its present state, hex."""
        return cache.fingerprint([self.path])

    def names(self) -> set[str]:
        """Proper names of its files."""
        return set(self._members)

    def others(self) -> list[str]:
        """Names of what it holds and is not read."""
        unread = (member for last, member in self._members.items() if last != LABELS and not last.endswith(".png"))
        return [f"{self.path.name}: {member}" for member in sorted(unread)]

    def read(self, name: str) -> bytes:
        """A file's content. Raises DataError."""
        member = self._members[name]
        try:
            size = self._zip.getinfo(member).file_size
            if size > MOST_UNPACKED:
                raise DataError(f"unpacks to {size:,} bytes, far more than such a file has", self.path, name, DAMAGED)
            if self._zip.getinfo(member).flag_bits & _ENCRYPTED:
                raise DataError("is encrypted", self.path, name, "Unpack the archive, and leave its folder here.")
            with self._zip.open(member) as stream:
                # Not `read`, which unpacks all there is at once, even where the directory says that it is little.
                return stream.read(MOST_UNPACKED)
        except _BROKEN as error:
            raise DataError(f"cannot be unpacked ({error})", self.path, name, DAMAGED) from None


class Mosaic:
    """A part as one lossless WebP, a tile per face in the order of their names, beside its label table.

    The table says how many faces there are, and so which size the picture has; the tiles after the last face are black.

    Raises DataError if the table is not there.
    """

    layout = "mosaics"
    _HINT = "The mosaic and its table belong together: write both again with `ferbook pack`."

    def __init__(self, path: Path):
        self.path = path
        table = find_file(path.parent, f"{path.stem}.csv")
        if table is None:
            problem = f"the label table is missing beside {path.name}"
            raise DataError(problem, path.with_suffix(".csv"), hint=self._HINT)
        self.table = table

    def mark(self) -> str:
        """Fingerprint of its present state, hex."""
        return cache.fingerprint([self.path, self.table])

    def labels(self) -> bytes:
        """The label table's content. Raises DataError."""
        return read_bytes(self.table)

    def pictures(self, lines: Mapping[str, int]) -> Iterator[np.ndarray]:
        """The pictures that the label table lists, as :class:`Source` says."""
        faces = from_mosaic(self._pixels(len(lines)))
        if faces[len(lines) :].any():
            problem = f"holds more faces than the {len(lines):,} that {self.table.name} lists"
            raise DataError(problem, self.path, hint=self._HINT)
        tiles = {name: faces[tile] for tile, name in enumerate(sorted(lines))}
        yield from (tiles[name] for name in lines)

    def _pixels(self, count: int) -> np.ndarray:
        """The whole mosaic (H, W), which must have the size of `count` faces."""
        with opened_picture(read_bytes(self.path), self.path, None, ("WEBP",)) as picture:
            size = mosaic_size(count)
            if picture.size != size:
                found, needed = (f"{width} x {height}" for width, height in (picture.size, size))
                problem = (
                    f"is {found} pixels instead of {needed}: the {count:,} faces of {self.table.name} as tiles of "
                    f"{SIDE} x {SIDE}, {COLUMNS} to a row"
                )
                raise DataError(problem, self.path, hint=self._HINT)
            grey = picture.convert("L")
            # WebP knows no grey: a grey picture comes back with three channels that are the same.
            if picture.mode != "RGB" or any(picture.getchannel(band).tobytes() != grey.tobytes() for band in "RGB"):
                raise DataError("is not a grey picture", self.path, hint=self._HINT)
            return np.asarray(grey)

    def others(self) -> list[str]:
        """Names of what it holds and is not read."""
        return []


def mosaic_size(count: int) -> tuple[int, int]:
    """Width and height in pixels of the mosaic of `count` faces."""
    return COLUMNS * SIDE, -(-count // COLUMNS) * SIDE


def to_mosaic(faces: np.ndarray) -> np.ndarray:
    """Faces (N, 48, 48) as tiles of one picture, row by row, 84 to a row; the last row is filled up with zeros.

    Returns
    -------
    (H, W) of the dtype of `faces`, W = 84 * 48.
    """
    width, height = mosaic_size(len(faces))
    tiles = np.zeros((height // SIDE * COLUMNS, SIDE, SIDE), dtype=faces.dtype)
    tiles[: len(faces)] = faces
    return tiles.reshape(-1, COLUMNS, SIDE, SIDE).swapaxes(1, 2).reshape(height, width)


def from_mosaic(pixels: np.ndarray) -> np.ndarray:
    """The tiles of a picture (H, W) that :func:`to_mosaic` made, the empty ones at its end too. -> (N, 48, 48)."""
    return pixels.reshape(-1, SIDE, COLUMNS, SIDE).swapaxes(1, 2).reshape(-1, SIDE, SIDE)
