"""Prepared data sets: decoded once, memory-mapped ever after.

A prepared set is a folder of ``.npy`` files and a ``meta.json``. It is written beside its final place and renamed, so
it is either whole or absent; its name carries the fingerprint of its source, so a changed source never meets an old
copy.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

import numpy as np

from ferbook.core import bounded_files, locks, paths, temporary
from ferbook.core.errors import DataError, FerbookError, OutputError, clearly_written
from ferbook.faces.faceset import FaceSet

# Raise when the meaning of the stored arrays changes.
FORMAT = 1


def fingerprint(files: Iterable[Path]) -> str:
    """sha256 over names and contents of `files`, as hex; about a second per gigabyte.

    Raises DataError if one cannot be read.
    """
    total = hashlib.sha256()
    for path in files:
        total.update(path.name.encode())
        try:
            # Opening a pipe would wait for ever.
            if not path.is_file():
                raise DataError("cannot be read: it is no file", path, hint="Remove it, or put the file in its place.")
            with path.open("rb") as stream:
                total.update(hashlib.file_digest(stream, "sha256").digest())
        except OSError as error:
            raise DataError(f"cannot be read ({error.strerror})", path, hint="Mend its type or rights.") from None
    return total.hexdigest()


def stamps(files: Iterable[Path], top: Path) -> str:
    """sha256 over names below `top`, sizes and times of `files`, as hex: of many small files, which take longer to hash
    than to decode, these stand for their contents.
    """
    total = hashlib.sha256()
    for path in files:
        # lstat: a link that leads nowhere is for the reader to report.
        stat = path.lstat()
        total.update(f"{path.relative_to(top).as_posix()}:{stat.st_size}:{stat.st_mtime_ns}\n".encode())
    return total.hexdigest()


def content_checksum(faces: FaceSet) -> str:
    """sha256 over ids, pixels and labels, whatever files they came from: the identity of a data set's content."""
    total = hashlib.sha256()
    for key, array in sorted(faces.arrays().items()):
        # The width of a fixed-width string array is an accident of its longest entry; its text is not.
        data = "\n".join(array.tolist()).encode() if array.dtype.kind == "U" else np.ascontiguousarray(array).data
        total.update(f"{key}:{array.shape}:{array.dtype.kind}".encode())
        total.update(data)
    return total.hexdigest()


class Layout(Protocol):
    """A data set as it lies on disk, found and not read yet."""

    folder: Path

    def mark(self) -> str:
        """Fingerprint of the files' present state, hex."""
        ...

    def read(self) -> FaceSet:
        """Decode everything. Raises DataError."""
        ...

    def others(self) -> list[str]:
        """Names of what lies there and is not read."""
        ...


def prepared(name: str, source: str, mark: str, build: Callable[[], FaceSet]) -> FaceSet:
    """The face set that `build` makes, from the cache if it is there.

    Parameters
    ----------
    name: the data set's name.
    source: what it is made from (a path, or a description); one prepared copy is kept per source.
    mark: fingerprint of the source's present state, hex.
    build: reads the source; called only on a miss, or where the copy is damaged. What it raises leaves no trace.

    Returns
    -------
    FaceSet: its arrays memory-mapped read-only, ``provenance["checksum"]`` set to :func:`content_checksum`.

    A second process that asks for the same waits for the first, and then takes what that one made.

    Raises
    ------
    FerbookError: if the cache folder cannot be written to.
    """
    root = paths.cache_root()
    prefix = f"{name}-{hashlib.sha256(source.encode()).hexdigest()[:8]}-"
    folder = root / f"{prefix}{mark[:16]}-v{FORMAT}"

    def make() -> FaceSet:
        faces = build()
        with clearly_written(root):
            _store(faces, folder, [old for old in root.glob(f"{prefix}*") if old != folder])
            return _load(name, folder)

    try:
        return locks.once(root / f".{prefix}lock", f"prepares {name}", lambda: _loaded(name, folder), make)
    except OutputError as error:
        raise FerbookError(
            f"{root}: prepared data sets cannot be kept here ({error.reason}). "
            "Make room or rights, or set FERBOOK_CACHE to another folder."
        ) from None


def _loaded(name: str, folder: Path) -> FaceSet | None:
    """The prepared copy; None where there is none, or one that is damaged."""
    try:
        return _load(name, folder)
    except Exception:
        # Whatever numpy says of it: a copy appears whole, so one that cannot be read is damaged.
        return None


def _load(name: str, folder: Path) -> FaceSet:
    meta = bounded_files.read_json(folder / "meta.json")
    arrays = {key: np.load(folder / f"{key}.npy", mmap_mode="r") for key in meta["arrays"]}
    return FaceSet(name=name, provenance=meta["provenance"], **arrays)


def _store(faces: FaceSet, folder: Path, older: Iterable[Path]) -> None:
    """Put a copy in the place of a damaged one and of those of an older state of the source."""
    with temporary.folder(folder.parent) as scratch:
        staging = scratch / folder.name
        staging.mkdir()
        for key, array in faces.arrays().items():
            np.save(staging / f"{key}.npy", array, allow_pickle=False)
        provenance = {**faces.provenance, "checksum": content_checksum(faces)}
        meta = {"arrays": sorted(faces.arrays()), "provenance": provenance}
        (staging / "meta.json").write_text(json.dumps(meta, indent=1))
        # Before the new one comes, so that a process that is killed in between leaves nothing that nobody removes.
        for old in (*older, folder):
            shutil.rmtree(old, ignore_errors=True)
        os.replace(staging, folder)
