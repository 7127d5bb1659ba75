"""Disks and networks of one process alone: small, read-only, cut off. Called first in a forked command."""

import ctypes
import os
import pwd
import sys
from pathlib import Path

#: Status of a command whose process may not do this; as root in a container without rights, or not as root.
NOT_HERE = 77
_NEW_MOUNTS, _NEW_NETWORK = 0x20000, 0x40000000
_READ_ONLY, _REMOUNT, _BIND, _RECURSIVE, _PRIVATE = 1, 32, 4096, 1 << 14, 1 << 18


def _need(*failed: int) -> None:
    if any(failed):
        os.write(2, b"not here\n")
        os._exit(NOT_HERE)


def _own_mounts() -> ctypes.CDLL:
    libc = ctypes.CDLL(None, use_errno=True)
    _need(libc.unshare(_NEW_MOUNTS))
    _need(libc.mount(None, b"/", None, _PRIVATE | _RECURSIVE, None))
    return libc


def small(folder: str, part: str, size: str) -> None:
    """A disk of that size in the place of `part` of the folder."""
    place = Path(folder) / part
    place.mkdir(exist_ok=True)
    _need(_own_mounts().mount(b"none", os.fsencode(place), b"tmpfs", 0, f"size={size}".encode()))


def read_only(folder: str, part: str) -> None:
    """Nothing can be written under `part` of the folder."""
    place = os.fsencode(Path(folder) / part)
    if os.getuid():
        for path in (Path(os.fsdecode(place)), *Path(os.fsdecode(place)).rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
        return
    # Rights do not hold root back; a file system that is read-only does.
    libc = _own_mounts()
    _need(libc.mount(place, place, None, _BIND, None))
    _need(libc.mount(None, place, None, _BIND | _REMOUNT | _READ_ONLY, None))


def unknown_user(folder: str) -> None:
    """A user whom the system knows by number alone."""

    def getpwuid(number: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {number}")

    pwd.getpwuid = getpwuid


def cut_off(folder: str) -> None:
    """No network; and whoever asks for a name or an address elsewhere is written down."""
    asked = Path(folder) / "asked"

    def hook(event: str, given: tuple[object, ...]) -> None:
        if event == "socket.getaddrinfo" or (event == "socket.connect" and isinstance(given[1], tuple)):
            with asked.open("a") as stream:
                print(event, given[1:], file=stream)
            raise OSError("no network")

    sys.addaudithook(hook)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.unshare(_NEW_NETWORK)  # where it is allowed, for the processes that are started, too
