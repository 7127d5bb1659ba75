"""FER+ (Barsoum et al. 2016): the faces of FER2013 with ten votes each, in any of the three forms people have it.

* **folders**: ``FER2013Train/``, ``FER2013Valid/``, ``FER2013Test/``, each with 48 x 48 grey PNGs and a ``label.csv``
  (image name, box, ten vote counts), as the FER+ tools write them;
* **archives**: the same as one zip per split, read without unpacking (``FER2013Train.zip``, ...);
* **Kaggle**: ``fer2013.csv`` (pixels as text) beside ``fer2013new.csv`` (the vote table, row by row in the same order).

The same content gives the same ``FaceSet``, sorted by image name, and the same checksum, in whichever form it lies.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import numpy as np

from ferbook.core import paths
from ferbook.core.errors import DataError, MissingDataError
from ferbook.datasets import cache
from ferbook.datasets.files import DAMAGED, MOST_UNPACKED, decode, grey_pixels, is_clutter, rows, table
from ferbook.faces.emotions import VOTE_COLUMNS
from ferbook.faces.faceset import FaceSet

SIDE = 48
LABELS = "label.csv"
PIXEL_TABLE, VOTE_TABLE = "fer2013.csv", "fer2013new.csv"
#: Folder or archive of each official part.
PARTS: dict[str, str] = {"train": "FER2013Train", "valid": "FER2013Valid", "test": "FER2013Test"}
#: FER2013's own words for the same parts.
USAGE: dict[str, str] = {"Training": "train", "PublicTest": "valid", "PrivateTest": "test"}
#: Content checksum of the complete release: 28,558 + 3,579 + 3,573 faces.
OFFICIAL_CHECKSUM = "5a9c3815f6345948709019090682cb0e82dd33b9b128853e5c62a25ef8310a02"

HOW_TO_GET = (
    "FER+ labels: github.com/microsoft/FERPlus; the images: FER2013 of the ICML 2013 challenge, on Kaggle. "
    "Set DATA= (make) or FERBOOK_DATA to the folder that holds them, or use the synthetic faces."
)


def load(root: str | Path | None = None) -> FaceSet:
    """Read FER+ from `root` (see :func:`ferbook.datasets.load`), from the prepared copy where the source is unchanged.

    Returns
    -------
    FaceSet: images (N, 48, 48), votes (N, 10) uint8, split; ``provenance`` has layout, checksum, and how many repeated
        names of the Kaggle table were left out.

    Raises
    ------
    DataError: if it is missing, incomplete or broken; names file and row.
    """
    found = find(root)
    return cache.prepared("ferplus", str(found.folder), found.mark(), found.read)


def find(root: str | Path | None = None) -> Layout:
    """The FER+ files at `root` or in its subfolder ``ferplus``, ``FERPlus`` or ``fer2013``, not read yet.

    Raises
    ------
    MissingDataError: if there is none.
    DataError: if a part of it is not there.
    """
    place = paths.data_root(root)
    for folder in (place, place / "ferplus", place / "FERPlus", place / "fer2013"):
        if any(_part(folder, name) for name in PARTS.values()):
            return _Parts(folder)
        if (folder / PIXEL_TABLE).is_file():
            return _Kaggle(folder)
    raise MissingDataError(
        f"no FER+ here: neither FER2013Train (folder or .zip) nor {PIXEL_TABLE}", place, hint=HOW_TO_GET
    )


def is_official(faces: FaceSet) -> bool:
    """Whether every id, pixel, vote and part is that of the complete public release."""
    return faces.provenance.get("checksum") == OFFICIAL_CHECKSUM


#: Bit of a zip member's flags that says that it needs a password.
_ENCRYPTED = 1
_WHOLE = re.compile(r"-?[0-9]{1,9}")


class Layout(Protocol):
    """FER+ as it lies on disk in one of the three forms."""

    folder: Path

    def mark(self) -> str:
        """Fingerprint of the files' present state, hex."""
        ...

    def read(self) -> FaceSet:
        """Decode everything. Raises DataError."""
        ...


class _Source(Protocol):
    """One split on disk: a folder or an archive."""

    path: Path

    def mark(self) -> str: ...
    def names(self) -> set[str]: ...
    def read(self, name: str) -> bytes: ...


class _Folder:
    def __init__(self, path: Path):
        self.path = path

    def mark(self) -> str:
        # Hashing 35,000 small files takes longer than decoding them; their sizes and times stand for their contents.
        labels = self.path / LABELS
        total = sha256(cache.fingerprint([labels]).encode() if labels.is_file() else b"")
        for entry in sorted(self.path.iterdir()):
            # lstat: a link that leads nowhere is for `read` to report.
            stat = entry.lstat()
            total.update(f"{entry.name}:{stat.st_size}:{stat.st_mtime_ns}\n".encode())
        return total.hexdigest()

    def names(self) -> set[str]:
        return {path.name for path in self.path.iterdir() if not is_clutter(path.name)}

    def read(self, name: str) -> bytes:
        try:
            return (self.path / name).read_bytes()
        except OSError as error:
            raise DataError(f"cannot be read ({error.strerror})", self.path, name, "Mend its type or rights.") from None


class _Archive:
    def __init__(self, path: Path):
        self.path = path

    @cached_property
    def _zip(self) -> zipfile.ZipFile:
        # Opened only when the cache misses: its directory of 28,000 entries takes longer to read than the cached set.
        try:
            return zipfile.ZipFile(self.path)
        except zipfile.BadZipFile as error:
            raise DataError(f"not a complete zip archive ({error})", self.path, hint=DAMAGED) from None

    @cached_property
    def _members(self) -> dict[str, str]:
        members: dict[str, str] = {}
        for name in self._zip.namelist():
            if name.endswith("/") or is_clutter(name):
                continue
            last = Path(name).name
            if last in members:
                raise DataError(f"holds both {members[last]} and {name}", self.path, hint="Keep one of the two.")
            members[last] = name
        return members

    def mark(self) -> str:
        return cache.fingerprint([self.path])

    def names(self) -> set[str]:
        return set(self._members)

    def read(self, name: str) -> bytes:
        member = self._members[name]
        try:
            size = self._zip.getinfo(member).file_size
            if size > MOST_UNPACKED:
                raise DataError(f"unpacks to {size:,} bytes, far more than such a file has", self.path, name, DAMAGED)
            if self._zip.getinfo(member).flag_bits & _ENCRYPTED:
                raise DataError("is encrypted", self.path, name, "Unpack the archive, and leave its folder here.")
            return self._zip.read(member)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError) as error:
            raise DataError(f"cannot be unpacked ({error})", self.path, name, DAMAGED) from None


def _part(folder: Path, name: str) -> Path | None:
    """The folder or archive of one part; the folder wins where both are there."""
    for path in (folder / name, folder / f"{name}.zip"):
        if path.exists():
            return path
    return None


class _Parts:
    """Three folders or archives, one per official part."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.sources: dict[str, _Source] = {}
        for split, name in PARTS.items():
            path = _part(folder, name)
            if path is None:
                hint = f"All of {', '.join(PARTS.values())} are needed, each as a folder or a .zip."
                raise DataError(f"the {split} part is missing: neither {name} nor {name}.zip", folder, hint=hint)
            self.sources[split] = _Folder(path) if path.is_dir() else _Archive(path)

    def mark(self) -> str:
        return sha256("".join(source.mark() for source in self.sources.values()).encode()).hexdigest()

    def read(self) -> FaceSet:
        ids, votes, splits, images = [], [], [], []
        first_seen: dict[str, str] = {}
        for split, source in self.sources.items():
            present = source.names()
            for line, name, counts in _label_rows(source):
                place = source.path / LABELS
                if name in first_seen:
                    hint = "Each face must be listed once; remove one of the two."
                    raise DataError(f"{name} is listed a second time (first in {first_seen[name]})", place, line, hint)
                first_seen[name] = f"{source.path.name}, line {line}"
                if name not in present:
                    raise DataError(f"{name} is listed but not in {source.path.name}", place, line, DAMAGED)
                images.append(decode(source.read(name), source.path, name, side=SIDE))
                ids.append(name)
                votes.append(counts)
                splits.append(split)
            unlisted = sorted(name for name in present - first_seen.keys() if name.endswith(".png"))
            if unlisted:
                problem = f"{len(unlisted)} pictures are not listed in {LABELS}, the first {unlisted[0]}"
                raise DataError(problem, source.path, hint=DAMAGED)
        kinds = {"folders" if isinstance(source, _Folder) else "archives" for source in self.sources.values()}
        return _assemble(ids, images, votes, splits, "+".join(sorted(kinds)))


def _label_rows(source: _Source) -> Iterator[tuple[int, str, np.ndarray]]:
    """Line, image name and votes of each row."""
    place = source.path / LABELS
    if LABELS not in source.names():
        raise DataError(f"has no {LABELS}", source.path, hint="The FER+ tools write one into each part.")
    # A wrong byte spoils one cell, and the line it stands in is then refused by its content.
    text = io.StringIO(source.read(LABELS).decode("utf-8-sig", errors="replace"), newline="")
    found = False
    for line, row in enumerate(rows(csv.reader(text), place), start=1):
        if not row:
            continue
        # name, box, ten votes
        if not row[0].strip():
            raise DataError("a row without an image name", place, line, "Remove it.")
        found = True
        yield line, row[0].strip(), _votes(row[2:], place, line)
    if not found:
        raise DataError("the label table is empty", place, hint=DAMAGED)


def _votes(cells: list[str], place: Path, line: int) -> np.ndarray:
    expected = f"A row has ten vote counts: {', '.join(VOTE_COLUMNS)}."
    if len(cells) != len(VOTE_COLUMNS):
        raise DataError(f"{len(cells)} vote columns instead of {len(VOTE_COLUMNS)}", place, line, expected)
    if not all(_WHOLE.fullmatch(cell.strip()) for cell in cells):
        raise DataError(f"a vote that is not a whole number in {cells}", place, line, expected)
    counts = [int(cell) for cell in cells]
    if min(counts) < 0 or max(counts) > 255:
        raise DataError(f"a vote count outside 0..255 in {counts}", place, line, expected)
    if not any(counts):
        raise DataError("all ten votes are zero", place, line, "Nobody labelled this face; remove the row.")
    return np.array(counts, dtype=np.uint8)


class _Kaggle:
    """FER2013 as one table of pixels, the votes beside it."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.pixels, self.votes = folder / PIXEL_TABLE, folder / VOTE_TABLE
        if not self.votes.is_file():
            raise DataError(f"the FER+ vote table is missing beside {PIXEL_TABLE}", self.votes, hint=HOW_TO_GET)

    def mark(self) -> str:
        return cache.fingerprint([self.pixels, self.votes])

    def read(self) -> FaceSet:
        return _read_kaggle(self.pixels, self.votes)


def _read_kaggle(pixel_table: Path, vote_table: Path) -> FaceSet:
    names, usages, votes, lines = _kaggle_votes(vote_table)
    ids, images, kept_votes, splits = [], [], [], []
    taken: dict[str, int] = {}
    repeated = 0
    count = 0
    for count, (line, row) in enumerate(table(pixel_table, {"pixels", "Usage"}), start=1):
        if count > len(names):
            continue
        name, usage = names[count - 1], usages[count - 1]
        if row["Usage"] != usage:
            problem = f"Usage {row['Usage']!r}, but {vote_table.name} says {usage!r} for the same row"
            raise DataError(problem, pixel_table, line, "The two tables must be in the same order.")
        # No name: the FER+ authors removed the picture.
        if not name:
            continue
        # The public table names four pictures twice: three with the same votes, and once the second is no face.
        if name in taken:
            again, first = votes[count - 1], votes[taken[name]]
            if not (np.array_equal(again, first) or again[-1] == again.sum()):
                problem = f"{name} is listed a second time, with other votes (first in line {lines[taken[name]]})"
                raise DataError(problem, vote_table, lines[count - 1], "Remove one of the two.")
            repeated += 1
            continue
        taken[name] = count - 1
        ids.append(name)
        images.append(grey_pixels(row["pixels"], SIDE, pixel_table, line))
        kept_votes.append(votes[count - 1])
        splits.append(USAGE[usage])
    if count != len(names):
        problem = f"{count} rows, but {vote_table.name} has {len(names)}"
        raise DataError(problem, pixel_table, hint="The two tables belong together row by row; fetch both again.")
    if not ids:
        raise DataError("holds no named face", vote_table, hint=DAMAGED)
    return _assemble(ids, images, kept_votes, splits, "kaggle", repeated)


@dataclass(frozen=True)
class VoteTable:
    """FER+'s own table, one entry per row of FER2013.

    Parameters
    ----------
    names: (N,) of the pictures; empty where FER+ gives the picture none.
    parts: (N,) train, valid or test.
    votes: (N, 10) uint8.
    provenance: with the file's checksum.
    """

    names: np.ndarray
    parts: np.ndarray
    votes: np.ndarray
    provenance: dict[str, str]
    name: str = "ferplus"


def vote_table(path: Path) -> VoteTable:
    """Every row of ``fer2013new.csv``, also those that :func:`load` leaves out: without a name, or with one taken.

    Raises
    ------
    DataError: if it is missing or broken; names the row.
    """
    names, usages, votes, _ = _kaggle_votes(path)
    checksum = sha256(path.read_bytes()).hexdigest()
    parts = np.array([USAGE[usage] for usage in usages])
    return VoteTable(np.array(names), parts, np.array(votes), {"checksum": checksum})


def _kaggle_votes(path: Path) -> tuple[list[str], list[str], list[np.ndarray], list[int]]:
    """Image names, usages, votes and lines of the vote table's rows."""
    names, usages, votes, lines = [], [], [], []
    for line, row in table(path, {"Usage", "Image name", *VOTE_COLUMNS}):
        # csv puts surplus cells under None and fills missing ones with None.
        if None in row or None in row.values():
            surplus = row.pop(None, ())
            cells = sum(cell is not None for cell in row.values()) + len(surplus)
            raise DataError(f"{cells} cells instead of {len(row)}", path, line, DAMAGED)
        if row["Usage"] not in USAGE:
            raise DataError(f"unknown Usage {row['Usage']!r}", path, line, f"Known: {', '.join(USAGE)}.")
        names.append((row["Image name"] or "").strip())
        usages.append(row["Usage"])
        votes.append(_votes([row[column] for column in VOTE_COLUMNS], path, line))
        lines.append(line)
    return names, usages, votes, lines


def _assemble(
    ids: list[str], images: list[np.ndarray], votes: list[np.ndarray], splits: list[str], layout: str, repeated: int = 0
) -> FaceSet:
    order = np.argsort(np.array(ids))
    stack = np.empty((len(ids), SIDE, SIDE), dtype=np.uint8)
    for place, source in enumerate(order):
        stack[place] = images[source]
    return FaceSet(
        name="ferplus",
        images=stack,
        ids=np.array(ids)[order],
        votes=np.array(votes)[order],
        split=np.array(splits)[order],
        provenance={"layout": layout, "repeated_names": repeated},
    )
