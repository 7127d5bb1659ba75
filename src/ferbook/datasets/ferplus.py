"""FER+ (Barsoum et al. 2016): the faces of FER2013 with ten votes each, in any of the four forms people have it.

* **folders**: ``FER2013Train/``, ``FER2013Valid/``, ``FER2013Test/``, each with 48 x 48 grey PNGs and a ``label.csv``
  (image name, box, ten vote counts), as the FER+ tools write them;
* **archives**: the same as one zip per split, read without unpacking (``FER2013Train.zip``, ...);
* **mosaics**: one lossless picture per split (``FER2013Train.webp``, ...) with a tile per face, 84 to a row in the
  order of their names, beside the split's ``label.csv`` under the same name (``FER2013Train.csv``, ...), as ``ferbook
  pack`` writes them for a machine to which little can be carried;
* **Kaggle**: ``fer2013.csv`` or ``icml_face_data.csv`` (pixels as text) beside ``fer2013new.csv`` (the vote table, row
  by row in the same order).

The same content gives the same ``FaceSet``, sorted by image name, and the same checksum, in whichever form it lies.
What was published is not quite the same, though: the votes of ``fer2013new.csv`` are others than those of the
``label.csv`` files for 1,601 of the 35,710 faces.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from ferbook.core import paths
from ferbook.core.errors import DataError, MissingDataError
from ferbook.datasets import cache
from ferbook.datasets.ferplus_parts import SIDE, Archive, Folder, Mosaic, Source
from ferbook.datasets.files import DAMAGED, code_of, find_file, grey_pixels, others, proper, rows, table
from ferbook.faces.emotions import VOTE_COLUMNS
from ferbook.faces.faceset import FaceSet

#: FER2013's table under its two names: from the challenge's first archive and from its second, which has the same rows.
PIXEL_TABLES: tuple[str, ...] = ("fer2013.csv", "icml_face_data.csv")
VOTE_TABLE = "fer2013new.csv"
#: Folders beside or below a given one in which FER2013 and FER+ are looked for.
FOLDERS: tuple[str, ...] = ("ferplus", "FERPlus", "fer2013", "FER2013")
#: Folder, archive or mosaic of each official part.
PARTS: dict[str, str] = {"train": "FER2013Train", "valid": "FER2013Valid", "test": "FER2013Test"}
#: FER2013's own words for the same parts.
USAGE: dict[str, str] = {"Training": "train", "PublicTest": "valid", "PrivateTest": "test"}
#: Content checksum of the complete release: 28,558 + 3,579 + 3,573 faces.
OFFICIAL_CHECKSUM = "5a9c3815f6345948709019090682cb0e82dd33b9b128853e5c62a25ef8310a02"
#: The same faces with the votes of ``fer2013new.csv``, which its authors changed after they had written the parts.
VOTE_TABLE_CHECKSUM = "dd7e6e05540e308b11c941bc29788d94e4d1447ed70a4b3a1448dc48f2684a08"
#: Faces whose votes the change made different.
CHANGED_VOTES = 1_601

HOW_TO_GET = (
    "FER+ labels: github.com/microsoft/FERPlus; the images: FER2013 of the ICML 2013 challenge, on Kaggle. "
    "Set DATA= (make) or FERBOOK_DATA to the folder that holds them, or use the synthetic faces."
)


def load(root: str | Path | None = None) -> FaceSet:
    """Read FER+ from `root` (see :func:`ferbook.datasets.load`), from the prepared copy where the source is unchanged.

    FER2013 as class folders (``train/angry/...``) has no votes: :mod:`ferbook.datasets.fer2013` reads those.

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


def find(root: str | Path | None = None) -> cache.Layout:
    """The FER+ files at `root` or in its subfolder ``ferplus``, ``FERPlus`` or ``fer2013``, not read yet.

    Raises MissingDataError if there is none. Raises DataError if a part of it is not there.
    """
    place = paths.data_root(root)
    for folder in (place, *(place / name for name in FOLDERS)):
        if any(_source(folder, name) for name in PARTS.values()):
            return _Parts(folder)
        pixels = pixel_table(folder)
        if pixels is not None:
            return _Kaggle(folder, pixels)
    if (place / "train" / "angry").is_dir():
        hint = "`ferbook data fer2013` reads class folders with FER2013's own labels; FER+'s votes are not among them."
        raise MissingDataError("no FER+ here, but FER2013 as class folders", place, hint=f"{hint} {HOW_TO_GET}")
    raise MissingDataError(
        f"no FER+ here: neither FER2013Train (folder, .zip or .webp) nor {' nor '.join(PIXEL_TABLES)}",
        place,
        hint=HOW_TO_GET,
    )


def pixel_table(folder: Path) -> Path | None:
    """FER2013's table in a folder, under either of its names."""
    return next((path for name in PIXEL_TABLES if (path := find_file(folder, name)) is not None), None)


def labelled_pixels(path: Path, codes: Sequence[str]) -> tuple[list[str], list[np.ndarray], list[str]]:
    """Emotions, pictures (48, 48) and parts of a table in FER2013's format: emotion, pixels, Usage.

    Parameters
    ----------
    codes: the emotions in the order of the table's codes.

    Raises
    ------
    DataError: if it is broken or empty; names the row.
    """
    emotions, images, splits = [], [], []
    for line, row in table(path, {"emotion", "pixels", "Usage"}):
        emotions.append(codes[code_of(row["emotion"], codes, "emotion", path, line)])
        splits.append(_part_of(row["Usage"], path, line))
        images.append(grey_pixels(row["pixels"], SIDE, path, line))
    if not images:
        raise DataError("the table is empty", path, hint=DAMAGED)
    return emotions, images, splits


def _part_of(usage: str | None, path: Path, line: int) -> str:
    if usage not in USAGE:
        raise DataError(f"unknown Usage {usage!r}", path, line, f"Known: {', '.join(USAGE)}.")
    return USAGE[usage]


def is_official(faces: FaceSet) -> bool:
    """Whether every id, pixel, vote and part is that of the complete public release in parts."""
    return faces.provenance.get("checksum") == OFFICIAL_CHECKSUM


def release_of(faces: FaceSet) -> str:
    """Which release the faces are, in words."""
    if is_official(faces):
        return "the complete public release"
    if faces.provenance.get("checksum") == VOTE_TABLE_CHECKSUM:
        return (
            f"the complete public release with the votes of {VOTE_TABLE}, for {CHANGED_VOTES:,} faces others than "
            "those of the label.csv files, on which this book's numbers rest: numbers will differ a little"
        )
    return "not the complete public release: numbers will differ"


_WHOLE = re.compile(r"-?[0-9]{1,9}")


def _source(folder: Path, name: str) -> Source | None:
    """One part; where it lies there in several forms, the folder wins, then the archive."""
    if (folder / name).is_dir():
        return Folder(folder / name)
    if (archive := find_file(folder, f"{name}.zip")) is not None:
        return Archive(archive)
    mosaic = find_file(folder, f"{name}.webp")
    return None if mosaic is None else Mosaic(mosaic)


class _Parts:
    """The three official parts, each a folder, an archive or a mosaic."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.sources: dict[str, Source] = {}
        for split, name in PARTS.items():
            source = _source(folder, name)
            if source is None:
                hint = f"All of {', '.join(PARTS.values())} are needed, each as a folder, a .zip or a .webp."
                problem = f"the {split} part is missing: neither {name} nor {name}.zip nor {name}.webp"
                raise DataError(problem, folder, hint=hint)
            self.sources[split] = source

    def mark(self) -> str:
        return sha256("".join(source.mark() for source in self.sources.values()).encode()).hexdigest()

    def others(self) -> list[str]:
        votes = find_file(self.folder, VOTE_TABLE)
        parts = [path for source in self.sources.values() for path in (source.path, source.table)]
        within = [name for source in self.sources.values() for name in source.others()]
        return [*others(self.folder, [], [*parts, *([votes] if votes else [])]), *within]

    def read(self) -> FaceSet:
        ids, votes, splits, images = [], [], [], []
        first_seen: dict[str, str] = {}
        for split, source in self.sources.items():
            lines: dict[str, int] = {}
            for line, listed, counts in _label_rows(source):
                name = proper(listed)
                if name in first_seen:
                    hint = "Each face must be listed once; remove one of the two."
                    problem = f"{name} is listed a second time (first in {first_seen[name]})"
                    raise DataError(problem, source.table, line, hint)
                first_seen[name] = f"{source.table.relative_to(self.folder).as_posix()}, line {line}"
                lines[name] = line
                votes.append(counts)
            ids.extend(lines)
            splits.extend([split] * len(lines))
            images.extend(source.pictures(lines))
        return _assemble(ids, images, votes, splits, "+".join(sorted({s.layout for s in self.sources.values()})))


def _label_rows(source: Source) -> Iterator[tuple[int, str, np.ndarray]]:
    """Line, image name and votes of each row."""
    # A wrong byte spoils one cell, and the line it stands in is then refused by its content.
    text = io.StringIO(source.labels().decode("utf-8-sig", errors="replace"), newline="")
    found = False
    for line, row in enumerate(rows(csv.reader(text), source.table), start=1):
        if not row:
            continue
        # name, box, ten votes
        if not row[0].strip():
            raise DataError("a row without an image name", source.table, line, "Remove it.")
        found = True
        yield line, row[0].strip(), _votes(row[2:], source.table, line)
    if not found:
        raise DataError("the label table is empty", source.table, hint=DAMAGED)


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

    def __init__(self, folder: Path, pixels: Path):
        self.folder, self.pixels = folder, pixels
        votes = find_file(folder, VOTE_TABLE)
        if votes is None:
            problem = f"the FER+ vote table is missing beside {pixels.name}"
            raise DataError(problem, folder / VOTE_TABLE, hint=HOW_TO_GET)
        self.votes = votes

    def mark(self) -> str:
        return cache.fingerprint([self.pixels, self.votes])

    def read(self) -> FaceSet:
        return _read_kaggle(self.pixels, self.votes)

    def others(self) -> list[str]:
        return others(self.folder, [], [self.pixels, self.votes])


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

    Raises DataError if it is missing or broken; names the row.
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
        _part_of(row["Usage"], path, line)
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
