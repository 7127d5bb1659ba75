"""Which faces train and which faces test: paper 002's two test sets, a data set's own parts, duplicates, frozen ids."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from ferbook.core import paths
from ferbook.core.errors import ConfigError, DataError
from ferbook.faces.faceset import SPLITS, FaceSet
from ferbook.faces.labels import complexity

#: A face is complex when it received votes on more emotions than this (paper 002, 3.3.2).
COMPLEX_ABOVE = 3


class Split(NamedTuple):
    """Index arrays into one face set, sorted and disjoint. `valid` is empty where nothing was held out to choose on."""

    train: np.ndarray
    valid: np.ndarray
    test: np.ndarray


def ordinary_split(distribution: np.ndarray, test_share: float = 0.1, *, rng: np.random.Generator) -> Split:
    """A test set drawn at random from all faces (paper 002, 3.3.2). distribution: (N, 8)."""
    return _draw(len(distribution), np.arange(len(distribution)), test_share, rng, "faces")


def complex_split(distribution: np.ndarray, test_share: float = 0.1, *, rng: np.random.Generator) -> Split:
    """A test set drawn at random from the faces of complexity above 3 (paper 002, 3.3.2). distribution: (N, 8).

    The test set's size is `test_share` of *all* faces, as in the paper; what is left of the complex faces trains.

    Raises
    ------
    ConfigError: if there are fewer complex faces than the test set needs.
    """
    pool = np.flatnonzero(complexity(distribution) > COMPLEX_ABOVE)
    return _draw(len(distribution), pool, test_share, rng, f"faces of complexity above {COMPLEX_ABOVE}")


def official_split(faces: FaceSet) -> Split:
    """A data set's own parts.

    Raises
    ------
    ValueError: if the set has none.
    """
    if faces.split is None:
        raise ValueError(f"{faces.name} has no official split")
    return Split(*(np.flatnonzero(faces.split == name) for name in SPLITS))


def _draw(count: int, pool: np.ndarray, test_share: float, rng: np.random.Generator, what: str) -> Split:
    if not 0 < test_share < 1:
        raise ConfigError("test_share", f"{test_share} is not between 0 and 1")
    wanted = round(test_share * count)
    if not 0 < wanted <= len(pool):
        raise ConfigError("test_share", f"{test_share} of {count} is {wanted}, but there are {len(pool)} {what}")
    test = np.sort(rng.choice(pool, wanted, replace=False))
    return Split(np.setdiff1d(np.arange(count), test), np.empty(0, dtype=np.intp), test)


def duplicate_groups(images: np.ndarray) -> np.ndarray:
    """Group number of each image: two images share it exactly when all their pixels are equal. (N, ...) -> (N,) int.

    Groups are numbered by first appearance, so ``groups == np.arange(N)`` where nothing repeats.
    """
    first: dict[bytes, int] = {}
    groups = np.empty(len(images), dtype=np.intp)
    for place, image in enumerate(images):
        digest = hashlib.sha256(np.ascontiguousarray(image).data).digest()
        groups[place] = first.setdefault(digest, place)
    return groups


def twins(groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the first and of the second copy of each picture that is there more than once. groups: (N,)."""
    order = np.argsort(groups, kind="stable")
    _, starts, sizes = np.unique(groups[order], return_index=True, return_counts=True)
    return order[starts[sizes > 1]], order[starts[sizes > 1] + 1]


def leaked(groups: np.ndarray, train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Which test faces have an identical picture among the training faces. -> (len(test),) bool."""
    return np.isin(groups[test], groups[train])


def freeze(ids: np.ndarray, path: Path) -> None:
    """Write the ids of a drawn test set, one per line, so that every later run tests on the same faces."""
    with paths.replacing(path) as staging:
        pd.DataFrame({"id": np.sort(ids)}).to_csv(staging, index=False, lineterminator="\n")


def _frozen_path(name: str) -> Path:
    return paths.project_root() / "data" / "splits" / f"{name}.csv"


def frozen_ids(name: str) -> np.ndarray:
    """The test ids that are frozen in ``data/splits/NAME.csv``, sorted. Raises DataError if there is none."""
    path = _frozen_path(name)
    if not path.is_file():
        raise DataError("no frozen split of this name", path, hint="`ferbook record labels` writes them.")
    try:
        return pd.read_csv(path, dtype=str)["id"].to_numpy()
    except (KeyError, ValueError):
        raise DataError("is not a list of ids: a column id, one per line", path, hint="Restore it.") from None


def frozen_split(faces: FaceSet, name: str) -> Split:
    """The split whose test ids are frozen in ``data/splits/NAME.csv``; all other faces of `faces` train.

    Hand over the set as it was when the list was drawn: for paper 002's, the faces that cleaning keeps.

    Raises
    ------
    DataError: if there is no such list, or it names a face that the set does not hold.
    """
    wanted, path = frozen_ids(name), _frozen_path(name)
    missing = np.flatnonzero(~np.isin(wanted, faces.ids))
    if missing.size:
        hint = f"The list belongs to another data set or version than this {faces.name}."
        raise DataError(f"{wanted[missing[0]]} is not in the data set", path, int(missing[0]) + 2, hint)
    in_test = np.isin(faces.ids, wanted)
    return Split(np.flatnonzero(~in_test), np.empty(0, dtype=np.intp), np.flatnonzero(in_test))
