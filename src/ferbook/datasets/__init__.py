"""Data sets by name: find, verify, read into a :class:`~ferbook.faces.faceset.FaceSet`.

The student table of paper 004 holds no faces: :mod:`ferbook.datasets.academic` reads it into a table.

>>> from ferbook.datasets import load
>>> faces = load("synthetic", count=80)
>>> faces.images.shape, faces.votes.shape
((80, 48, 48), (80, 10))
"""

import inspect
from importlib import import_module
from pathlib import Path
from types import ModuleType

from ferbook.core.errors import ConfigError, MissingDataError
from ferbook.faces.faceset import FaceSet

#: Registered names, and the modules of this package that read them by ``load(root, **options) -> FaceSet``.
READERS: dict[str, str] = {
    **{name: name for name in ("synthetic", "ferplus", "fer2013")},
    "vad_fer2013": "fer2013_vad",
    **{name: name for name in ("affectnet", "jaffe", "ckplus", "kdef")},
}

NAMES: tuple[str, ...] = tuple(READERS)

#: Those of them that must lie on disk.
ON_DISK: tuple[str, ...] = tuple(name for name in NAMES if name != "synthetic")


def load(name: str, root: str | Path | None = None, **options: object) -> FaceSet:
    """Read a data set.

    Parameters
    ----------
    name: one of ``NAMES``.
    root: the data set's folder or the folder that holds it; default ``FERBOOK_DATA``, else ``data/``.
    options: the reader's own options; see its module.

    Raises
    ------
    ConfigError: if the name is unknown.
    DataError: if the data set is missing or broken; says which file and row, and what to do.
    """
    return _reader(name).load(root, **options)


def options(name: str) -> tuple[str, ...]:
    """Names of a reader's own options. Raises ConfigError as :func:`load`."""
    return tuple(inspect.signature(_reader(name).load).parameters)[1:]


def is_available(name: str, root: str | Path | None = None) -> bool:
    """Whether the files of a data set lie at `root`.

    Raises ConfigError if the name is unknown. Raises DataError if a part of it is there and a part is missing.
    """
    try:
        _reader(name).find(root)
    except MissingDataError:
        return False
    return True


def source_mark(name: str, root: str | Path | None = None) -> str:
    """Fingerprint of the data set's files as they are now; changes when they do. Raises as :func:`is_available`."""
    return _reader(name).find(root).mark()


def others(name: str, root: str | Path | None = None) -> list[str]:
    """What lies in a data set's folders and is not read; what the system leaves behind (``.DS_Store``) does not count.

    Of AffectNet, pictures that no table lists are not looked for. Raises as :func:`load`, only sooner.
    """
    return [] if name == "synthetic" else _reader(name).find(root).others()


def _reader(name: str) -> ModuleType:
    if name not in NAMES:
        raise ConfigError("dataset", f"there is no data set {name!r}", f"Known: {', '.join(NAMES)}.")
    return import_module(f"ferbook.datasets.{READERS[name]}")
