"""Recorded results: small JSON files in ``data/recorded/``, each with the provenance that makes it repeatable."""

import json
import platform
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

from ferbook.core import bounded_files, dependencies, paths
from ferbook.core.errors import ConfigError, DataError

#: Parts of letters, digits and ``-_.`` after the first, so that a name stays within the folder of records.
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)*", re.ASCII)


class Measured(Protocol):
    """What a result was found on: a face set, or labels alone. ``provenance`` has its ``checksum``."""

    name: str
    provenance: Mapping[str, Any]


def at(values: Any, keys: Sequence[str | int]) -> Any:
    """What lies at the end of `keys` in nested mappings and lists."""
    for key in keys:
        values = values[key]
    return values


def path_of(name: str) -> Path:
    """Where the record `name` (as ``002/labels``) lies. Raises ConfigError for a name that leads elsewhere."""
    if not _NAME.fullmatch(name):
        raise ConfigError(
            "record", f"{name!r} is no name of a record", "It is like 002/labels: letters, digits, - _ . /"
        )
    return paths.project_root() / "data" / "recorded" / f"{name}.json"


def write(name: str, values: Mapping[str, object], *, faces: Measured, module: str, **settings: object) -> Path:
    """Write a record; whole or not at all.

    Parameters
    ----------
    name: as in :func:`path_of`.
    values: what was found; plain JSON.
    faces: what it was found on.
    module: path of the module that found it; the hash of all library files it uses is kept.
    settings: seed and whatever else the result depends on.
    """
    target = path_of(name)
    write_json(target, {"provenance": provenance(faces, Path(module), **settings), "values": values})
    return target


def provenance(faces: Measured, module: Path, **settings: object) -> dict[str, object]:
    """What a result depends on: data, settings, the library files that `module` uses, versions, and the date."""
    return {
        "data": faces.name,
        "checksum": faces.provenance["checksum"],
        **settings,
        "library": dependencies.running(module),
        "python": platform.python_version(),
        **{name: version(name) for name in ("numpy", "torch", "lightning")},
        "date": datetime.now(UTC).date().isoformat(),
    }


def write_json(path: Path, content: object) -> None:
    """Write plain data as JSON; whole or not at all. Makes the folder if it is not there."""
    with paths.replacing(path) as staging:
        staging.write_text(json.dumps(content, indent=1) + "\n")


def values_of(name: str) -> dict[str, Any] | None:
    """A record's values; None while it has not been made. Raises DataError if it is unreadable."""
    return read(name)["values"] if path_of(name).is_file() else None


def read(name: str) -> dict[str, dict[str, object]]:
    """A record's ``values`` and ``provenance``.

    Raises
    ------
    DataError: if it is missing or unreadable.
    """
    path = path_of(name)
    try:
        stored = bounded_files.read_json(path)
        return {"values": stored["values"], "provenance": stored["provenance"]}
    except FileNotFoundError:
        raise DataError("no such record", path, hint="`ferbook record` writes the records.") from None
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"not a record ({error!r})", path, hint="Restore it from the repository.") from None
