"""How much memory processes hold. Imports next to nothing, so that asking costs none."""

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
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 2**10
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _OF_A_MIB


def children_mib() -> float:
    """The most that one of the processes started by this one, and ended, has held, in MiB."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / _OF_A_MIB


def own_mib(process: int) -> float:
    """What a process holds and shares with no other, in MiB; 0 where the system does not tell."""
    import psutil

    try:
        return psutil.Process(process).memory_full_info().uss / 2**20
    except psutil.Error:
        return 0.0
