"""The errors this library raises on purpose.

Every one says what is wrong, where, and what to do about it, so a notebook's reader never has to read a traceback to
find a broken file.
"""

from __future__ import annotations

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
