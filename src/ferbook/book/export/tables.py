"""A table to take away: its columns, each with a type and a description, and its rows; written as CSV."""

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

#: Types of the Table Schema that are used here.
Type = Literal["string", "integer", "number", "boolean"]


@dataclass(frozen=True)
class Field:
    """A column: its name, what it holds with its unit, and the type of its cells. An empty cell says "not known"."""

    name: str
    description: str
    type: Type = "string"


@dataclass(frozen=True)
class Table:
    """One CSV file.

    Parameters
    ----------
    path: from the export's folder, with ``/``.
    title: a line.
    description: what a row is, and where it comes from.
    fields: the columns, in order.
    rows: one value per column: text, number, truth value, or None.
    key: names of the columns that tell rows apart; empty where none do.
    """

    path: str
    title: str
    description: str
    fields: Sequence[Field]
    rows: Sequence[Sequence[Any]]
    key: Sequence[str] = ()

    @property
    def name(self) -> str:
        """As a data package names it: small letters, digits and hyphens."""
        return re.sub(r"[^a-z0-9]+", "-", self.path.removesuffix(".csv").lower())

    def csv(self) -> bytes:
        """The file, UTF-8 with a header; the same rows give the same bytes."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([field.name for field in self.fields])
        writer.writerows([_cell(value) for value in row] for row in self.rows)
        return stream.getvalue().encode()

    def resource(self) -> dict[str, Any]:
        """The table's entry in ``datapackage.json``."""
        schema: dict[str, Any] = {
            "fields": [
                {"name": field.name, "type": field.type, "description": field.description} for field in self.fields
            ],
            "missingValues": [""],
        }
        if self.key:
            schema["primaryKey"] = list(self.key)
        return {
            "name": self.name,
            "path": self.path,
            "profile": "tabular-data-resource",
            "title": self.title,
            "description": self.description,
            "format": "csv",
            "mediatype": "text/csv",
            "encoding": "utf-8",
            "schema": schema,
        }


def from_mappings(
    path: str,
    title: str,
    description: str,
    fields: Sequence[Field],
    rows: Sequence[Mapping[str, Any]],
    key: Sequence[str] = (),
) -> Table:
    """A table of rows by column name; what a row does not hold is empty.

    Raises
    ------
    ValueError: if a row holds something that no column describes.
    """
    names = [field.name for field in fields]
    for row in rows:
        if unknown := sorted(set(row) - set(names)):
            raise ValueError(f"{path}: no column describes {', '.join(unknown)}")
    return Table(path, title, description, fields, [[row.get(name) for name in names] for row in rows], key)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(value, sort_keys=True, ensure_ascii=False)
    return repr(value) if isinstance(value, float) else str(value)
