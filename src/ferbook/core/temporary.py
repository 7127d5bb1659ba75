"""Temporary files and folders that say whose they are, so that those of a killed process can be told and removed.

A name is ``.ferbook-PLACE-PROCESS-...``: PLACE stands for the machine (and the container, where numbers of processes
are a container's own), PROCESS for the process: its number and, where the system tells, when it began, since numbers
are given out again. Where that process is gone, nobody will miss the file.
"""

import hashlib
import os
import platform
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from ferbook.core.errors import clearly_written

#: Seconds after which what a process on another machine left counts as abandoned.
ABANDONED_AFTER = 24 * 3600
_NAME = re.compile(r"\.ferbook-([0-9a-f]{6})-(\d+)(?:\.(\d+))?-.*")


@cache
def _place() -> str:
    """Within which numbers of processes mean something."""
    try:
        numbers = os.stat("/proc/self/ns/pid").st_ino
    except OSError:
        numbers = 0
    return hashlib.sha256(f"{platform.node()} {numbers}".encode()).hexdigest()[:6]


def name(of: str = "") -> str:
    """A name that no other process takes, the same for the same text; short, whatever the length of `of`."""
    digest = hashlib.sha256(of.encode("utf-8", "surrogateescape")).hexdigest()
    return f".ferbook-{_place()}-{_own(os.getpid())}-{digest[:8]}"


@cache
def _own(process: int) -> str:
    began = _state(process)[1]
    return f"{process}.{began}" if began else str(process)


@contextmanager
def folder(parent: Path | None = None) -> Iterator[Path]:
    """A folder for the block alone, in `parent` (default: the system's place for such), removed with all it holds.

    What a process that was killed left there is removed too.

    Raises
    ------
    OutputError: if no folder can be made there.
    """
    parent = Path(parent or tempfile.gettempdir())
    with clearly_written(parent):
        parent.mkdir(parents=True, exist_ok=True)
        sweep(parent)
        made = tempfile.TemporaryDirectory(dir=parent, prefix=f"{name()}-", ignore_cleanup_errors=True)
    with made as place:
        yield Path(place)


def compiled() -> Path:
    """Where torch keeps the code that it compiled, for all processes of this user.

    A place for each ATEN_CPU_CAPABILITY: torch would take code for other instructions from a shared one, and fail.
    """
    user = getattr(os, "getuid", lambda: 0)()  # not every system numbers its users
    asked = os.environ.get("ATEN_CPU_CAPABILITY")
    return Path(tempfile.gettempdir()) / "-".join(["torchinductor", str(user), *([asked] if asked else [])])


def sweep(parent: Path) -> None:
    """Remove what processes that are gone left in `parent`. A process looks only once at each folder."""
    _sweep_once(parent.resolve(), os.getpid())


@cache
def _sweep_once(parent: Path, _process: int) -> None:
    with suppress(OSError), os.scandir(parent) as entries:
        for entry in entries:
            if _is_abandoned(entry):
                with suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        shutil.rmtree(entry.path, ignore_errors=True)
                    else:
                        os.unlink(entry.path)


def _is_abandoned(entry: os.DirEntry[str]) -> bool:
    found = _NAME.fullmatch(entry.name)
    if found is None:
        return False
    place, process, began = found.groups()
    if place != _place():
        with suppress(OSError):
            return time.time() - entry.stat(follow_symlinks=False).st_mtime > ABANDONED_AFTER
        return False
    return not _is_alive(int(process), began)


def _is_alive(process: int, began: str | None) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass  # somebody else's, or no number of a process
    state, now_began = _state(process)
    # A dead process keeps its number until its parent asks for it, which many a container's first process never does.
    return state not in ("Z", "X") and (not began or not now_began or began == now_began)


def _state(process: int) -> tuple[str, str]:
    """The state of a process, a letter, and when it began, in the system's ticks: proc(5). Empty where it is not told.

    Not psutil's time of creation, which moves with the clock: what is alive must never look dead.
    """
    try:
        # The name before the last bracket may hold anything.
        fields = Path(f"/proc/{process}/stat").read_text(errors="replace").rpartition(")")[2].split()
        return fields[0], fields[19]
    except (OSError, IndexError):
        return "", ""
