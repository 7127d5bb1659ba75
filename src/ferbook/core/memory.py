"""How much memory processes hold, and keeping it. Imports next to nothing, so that asking costs none."""

import ctypes
import resource
import sys
from pathlib import Path

#: What ``getrusage`` counts in: bytes on macOS, KiB elsewhere.
_OF_A_MIB = 2**20 if sys.platform == "darwin" else 2**10
# Options of the C library's mallopt (malloc.h of glibc), with what keep_freed gives them: nothing is mapped on its own,
# nothing is given back, and the heap grows by 64 MiB at least.
_KEEP = {-4: 0, -1: 2**31 - 1, -2: 2**26}


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


def keep_freed() -> bool:
    """Let this process keep the memory that it frees, for what it takes next; whether its C library (glibc) does.

    By itself that maps each large block anew and gives it back when it is freed, and the system zeroes its pages each
    time. A training step takes and frees hundreds of such blocks, the same ones in each step. What a process holds at
    most stays about the same; what is free between steps is not given back.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return all(mallopt(option, value) == 1 for option, value in _KEEP.items())
