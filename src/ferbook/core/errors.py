"""The errors this library raises on purpose.

Every one says what is wrong, where, and what to do about it, so a notebook's reader never has to read a traceback to
find a broken file.
"""

import errno
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


class FerbookError(Exception):
    """Something the user can mend: a missing data set, a broken file, a wrong setting."""


class DataError(FerbookError):
    """A data set that is missing or broken.

    Parameters
    ----------
    problem: what is wrong, as a clause without a full stop.
    source: the file or folder it was found in.
    row: 1-based line of a table (its header is line 1) or the name of a member of an archive, where there is one.
    hint: what to do, as a sentence.
    """

    def __init__(self, problem: str, source: Path | str, row: int | str | None = None, hint: str = ""):
        self.problem, self.source, self.row, self.hint = problem, Path(source), row, hint
        place = str(source)
        if row is not None:
            place += f", line {row}" if isinstance(row, int) else f", {row}"
        super().__init__(f"{place}: {problem}." + (f" {hint}" if hint else ""))


class MissingDataError(DataError):
    """A data set of which nothing at all lies at the place; a part of one is a plain ``DataError``."""


class ConfigError(FerbookError):
    """A setting that cannot work; names the field."""

    def __init__(self, field: str, problem: str, hint: str = ""):
        self.field = field
        super().__init__(f"{field}: {problem}." + (f" {hint}" if hint else ""))


class OutputError(FerbookError):
    """A file or folder that cannot be written, since there is no room, no right, or the name is too long."""

    def __init__(self, target: Path | str, reason: str):
        self.target, self.reason = Path(target), reason
        super().__init__(f"{target}: cannot be written ({reason}). Make room or rights, or choose another place.")


class BusyError(FerbookError):
    """Another process is at the same work."""


#: What a system answers that has no room or gives no right; other errors of the system are mistakes of a program.
_REFUSALS = {
    getattr(errno, name)
    for name in (
        *("EACCES", "EDQUOT", "EEXIST", "EFBIG", "EIO", "EISDIR", "ENAMETOOLONG", "ENOSPC", "ENOTDIR", "ENOTEMPTY"),
        *("EPERM", "EROFS"),
    )
}


def refusal(error: BaseException) -> str | None:
    """Why the system refused to write, in its words; None if `error` is of another kind.

    What writes through a library of another language says the same in a type of its own; the system's words are at the
    end of its message, or the system's error is what it was raised from.
    """
    if isinstance(error, OSError):
        # Of a disk that became full numpy says not why, but how much it wrote: "3456000 requested and 100 written".
        full = error.errno is None and re.fullmatch(r"\d+ requested and \d+ written", str(error))
        return os.strerror(errno.ENOSPC) if full else error.strerror if error.errno in _REFUSALS else None
    if error.__context__ is not None and (reason := refusal(error.__context__)):
        return reason
    # safetensors: "... I/O error: No space left on device (os error 28)".
    return next((os.strerror(code) for code in _REFUSALS if f"(os error {code})" in str(error)), None)


@contextmanager
def clearly_written(target: Path | str) -> Iterator[None]:
    """Turn what a system refuses within the block into an OutputError that names `target`."""
    try:
        yield
    except FerbookError:
        raise
    except Exception as error:
        reason = refusal(error)
        if reason is None:
            raise
        raise OutputError(target, reason) from None


def ended(work: Callable[[], int], failed: int, interrupted: int | None = None) -> int:
    """The exit status of a command: that of `work`, or `failed` after one line on stderr about what the user can mend.

    Parameters
    ----------
    interrupted: the status after Ctrl-C; default: `failed`.

    Raises whatever is a mistake of the program.
    """
    try:
        return work()
    except (Exception, KeyboardInterrupt) as error:
        said = words(error)
        if said is None:
            raise
        print(f"ferbook: {said}", file=sys.stderr)
        return failed if interrupted is None or not isinstance(error, KeyboardInterrupt) else interrupted


def words(error: BaseException) -> str | None:
    """What a command says of an error that the user can mend; None for a mistake of the program."""
    if isinstance(error, FerbookError):
        return str(error)
    if isinstance(error, KeyboardInterrupt):
        return "interrupted; the same command goes on from here."
    reason = refusal(error)
    return None if reason is None else str(OutputError(getattr(error, "filename", None) or "a file", reason))
