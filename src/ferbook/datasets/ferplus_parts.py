"""One part of FER+ on disk, a folder or a zip archive of the same: names, bytes, and what is wrong with either."""

import lzma
import struct
import zipfile
import zlib
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from ferbook.core.errors import DataError
from ferbook.datasets import cache
from ferbook.datasets.files import DAMAGED, MOST_UNPACKED, by_name, is_clutter, others, proper, read_bytes

LABELS = "label.csv"
#: Bit of a zip member's flags that says that it needs a password.
_ENCRYPTED = 1
#: What an archive that is damaged makes the standard library raise.
_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(EOFError, OSError, ValueError, RuntimeError, IndexError, OverflowError),
)


class Source(Protocol):
    """One part on disk: a folder or an archive."""

    path: Path

    def mark(self) -> str:
        """Fingerprint of its present state, hex."""
        ...

    def names(self) -> set[str]:
        """Proper names of its files."""
        ...

    def read(self, name: str) -> bytes:
        """A file's content. Raises DataError."""
        ...

    def others(self) -> list[str]:
        """Names of what it holds and is not read."""
        ...


class Folder:
    """A part as a folder."""

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


class Archive:
    """A part as a zip archive, read without unpacking it."""

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
