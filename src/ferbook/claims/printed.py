"""The papers' tables as data: ``data/claims/tables/NNN-NAME.csv``, transcribed once, cell by cell, as printed.

Cells stay text, so that a printed number keeps its digits; the first column names the row. Nothing here imports torch.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path

import pandas as pd

from ferbook.core import paths
from ferbook.core.errors import DataError


@cache
def table(name: str) -> pd.DataFrame:
    """A transcribed table; an empty cell is an empty text. Do not change it: it is kept between calls.

    Parameters
    ----------
    name: as ``003-table2``.

    Raises
    ------
    DataError: if there is no such table, or it is none.
    """
    path = _path(name)
    if not path.is_file():
        raise DataError(f"no transcribed table {name!r}", path, hint="Tables are named like 003-table2.")
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False)
    except ValueError as error:
        raise DataError(f"is not a CSV table ({str(error).strip()})", path, hint="Restore it.") from None


def row(name: str, key: str) -> pd.Series:
    """The row of table `name` whose first column is `key`. Raises DataError if there is none, or more than one."""
    found = _places(name).get(key, ())
    if len(found) != 1:
        raise DataError(f"{len(found)} rows are named {key!r}", _path(name), hint="The first column names the rows.")
    return table(name).iloc[found[0]]


@cache
def _places(name: str) -> Mapping[str, Sequence[int]]:
    """Name of each row of a table -> where it stands."""
    found: dict[str, list[int]] = {}
    for place, key in enumerate(table(name).iloc[:, 0]):
        found.setdefault(key, []).append(place)
    return found


def cell(name: str, key: str, column: str) -> str:
    """One cell of table `name`, as printed. Raises DataError if there is no such row or column."""
    found = row(name, key)
    if column not in found.index:
        raise DataError(f"there is no column {column!r}", _path(name), hint=f"Columns: {', '.join(found.index)}.")
    return str(found[column])


def half_digit(number: str | Decimal) -> Decimal:
    """Half of the last printed digit: 0.05 for 87.4."""
    return Decimal((0, (5,), int(Decimal(number).as_tuple().exponent) - 1))


def _path(name: str) -> Path:
    return paths.project_root() / "data" / "claims" / "tables" / f"{name}.csv"
