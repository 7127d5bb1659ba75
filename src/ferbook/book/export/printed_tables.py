"""The papers' tables as transcribed, and drawn test sets, with what their columns mean.

``data/claims/tables/NNN-columns.yml`` describes the columns of paper NNN's tables: ``titles`` by table, ``columns`` by
table and column, and under ``all`` columns that mean the same in several. A name may be a pattern: ``group_*``.
"""

import csv
import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from ferbook.book.export.tables import Field, Table, Type
from ferbook.core import bounded_files, paths
from ferbook.core.errors import DataError


class Dictionary(BaseModel):
    """What a paper's transcribed tables and their columns mean."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: Table, as ``002-table1``, to a line.
    titles: Mapping[str, str]
    #: Column, or a pattern, to its meaning in every table that does not say otherwise.
    all: Mapping[str, str] = {}
    #: Table to column, or a pattern, to its meaning.
    columns: Mapping[str, Mapping[str, str]] = {}

    def meaning(self, table: str, column: str) -> str:
        """What a column holds; empty where nothing says."""
        for known in (self.columns.get(table, {}), self.all):
            for name, said in known.items():
                if fnmatchcase(column, name):
                    return said
        return ""


def folder() -> Path:
    """Where transcribed tables lie."""
    return paths.project_root() / "data" / "claims" / "tables"


@cache
def dictionary(path: Path) -> Dictionary:
    """Read a ``NNN-columns.yml``. Raises DataError if it is missing or not of that form."""
    try:
        return Dictionary.model_validate(bounded_files.read_yaml(path))
    except FileNotFoundError:
        raise DataError("is missing", path, hint="It says what the columns of the paper's tables mean.") from None
    except (ValueError, ValidationError) as error:
        raise DataError(f"is no dictionary of columns ({' '.join(str(error).split())})", path) from None


def transcribed() -> list[Table]:
    """All transcribed tables of all papers.

    Raises
    ------
    DataError: if a table has no title or a column no description; names it.
    """
    return [_table(path) for path in sorted(folder().glob("*.csv"))]


def _table(path: Path) -> Table:
    paper = path.stem[:3]
    known = folder() / f"{paper}-columns.yml"
    words = dictionary(known)
    header, *rows = _read(path)
    missing = [column for column in header if not words.meaning(path.stem, column)]
    if path.stem not in words.titles:
        raise DataError(f"no title for table {path.stem}", known, hint="Add it under `titles`.")
    if missing:
        raise DataError(f"no description for {path.stem}: {', '.join(missing)}", known, hint="Add it under `columns`.")
    fields = [
        Field(column, words.meaning(path.stem, column), kind_of(row[place] for row in rows))
        for place, column in enumerate(header)
    ]
    said = f"Transcribed from paper {paper}, cell by cell: {words.titles[path.stem]}."
    return Table(f"printed/{path.name}", f"Paper {paper}: {words.titles[path.stem]}", said, fields, rows)


def test_sets() -> list[Table]:
    """The drawn test sets of FER+."""
    said = "One row per test face that this book's runs are judged on; the pictures themselves belong to FER2013."
    found = []
    for path in sorted((paths.project_root() / "data" / "splits").glob("*.csv")):
        _, *rows = _read(path)
        title = f"Test set {path.stem}"
        fields = [Field("id", "file name of the face in FER+")]
        found.append(Table(f"splits/{path.name}", title, said, fields, rows, ("id",)))
    return found


def _read(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    width = len(rows[0]) if rows else 0
    for line, row in enumerate(rows, 1):
        if not width or len(row) != width:
            raise DataError(f"has {len(row)} cells where the header has {width}", path, line)
    return rows


def kind_of(cells: Iterable[str]) -> Type:
    """The narrowest type that all cells have, but for empty ones."""
    given = [cell for cell in cells if cell]
    if given and all(re.fullmatch(r"-?\d+", cell) for cell in given):
        return "integer"
    if given and all(re.fullmatch(r"-?\d+(\.\d+)?", cell) for cell in given):
        return "number"
    return "string"
