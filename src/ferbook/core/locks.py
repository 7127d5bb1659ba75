"""One process at a time: who finishes a run, prepares a data set or builds the book.

A lock is the system's own, on a small file that says who holds it. It ends with its process, however that ends, so a
killed process never locks anybody out; the file goes when the work is done.
"""

import os
import platform
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout

from ferbook.core import temporary
from ferbook.core.errors import BusyError, clearly_written

#: Seconds that a process waits silently: a notebook's kernel outlives a killed build by a second or two.
GRACE = 5.0
_Made = TypeVar("_Made")


@contextmanager
def alone(path: Path, work: str, *, wait: bool, instead: str = "") -> Iterator[None]:
    """Let no other process into a block of the same `path`.

    Parameters
    ----------
    path: of the lock's file; its folder is made.
    work: what the block does, as "trains run 1a2b", for the one who has to wait.
    wait: until the other process is done, which is said on stderr; otherwise refuse after ``GRACE`` seconds.
    instead: what to do, as a sentence, where that is refused.

    Raises
    ------
    BusyError: if another process holds the lock and `wait` is not set.
    OutputError: if the lock's file cannot be written.
    """
    with clearly_written(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path)
        try:
            lock.acquire(timeout=GRACE, poll_interval=0.1)
        except Timeout:
            if not wait:
                raise BusyError(f"{_holder(path)} {work} at this moment. {instead}".rstrip()) from None
            print(f"ferbook: waiting for {_holder(path)}, which {work}", file=sys.stderr, flush=True)
            lock.acquire(poll_interval=0.5)
        try:
            path.write_text(f"process {os.getpid()} on {platform.node()}", encoding="utf-8")
        except OSError:
            lock.release()
            raise
    try:
        yield
    finally:
        # While it is held: whoever opened the file meanwhile notices that it is gone, and makes a new one.
        path.unlink(missing_ok=True)
        lock.release()


def once(path: Path, work: str, ready: Callable[[], _Made | None], make: Callable[[], _Made]) -> _Made:
    """What `ready` gives; where that is None, what `make` gives, which one process at a time makes.

    Parameters
    ----------
    path, work: as in :func:`alone`.
    ready: looks for what was made before, by whomever.
    """
    found = ready()
    if found is not None:
        forget(path)
        return found
    with alone(path, work, wait=True):
        found = ready()  # another process may have made it meanwhile
        return make() if found is None else found


def forget(path: Path) -> None:
    """Remove a lock that nobody holds, and what else its process left that was killed when the work was just done."""
    if not path.exists():
        return
    temporary.sweep(path.parent)
    with suppress(OSError, Timeout), FileLock(path, timeout=0):
        path.unlink(missing_ok=True)


def _holder(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8") or "another process"
    except OSError:
        return "another process"
