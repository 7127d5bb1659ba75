"""How much memory processes hold. Imports next to nothing, so that asking costs none."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

#: What ``getrusage`` counts in: bytes on macOS, KiB elsewhere.
_OF_A_MIB = 2**20 if sys.platform == "darwin" else 2**10


def peak_mib() -> float:
    """The most that this process has held, in MiB.

    Not ``ru_maxrss`` where Linux tells better: a process inherits that from the one that started it.
    """
    try:
        return _kib(Path("/proc/self/status"), "VmHWM") / 2**10
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _OF_A_MIB


def children_mib() -> float:
    """The most that one of the processes started by this one, and ended, has held, in MiB."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / _OF_A_MIB


def own_mib(process: int) -> float:
    """What a process holds and shares with no other, in MiB; 0 where the system does not tell."""
    try:
        return _kib(Path(f"/proc/{process}/smaps_rollup"), "Private_Clean", "Private_Dirty") / 2**10
    except OSError:
        return 0.0


def _kib(path: Path, *names: str) -> int:
    fields = (line.split() for line in path.read_text().splitlines())
    return sum(int(field[1]) for field in fields if field[0].rstrip(":") in names)
