"""The faces of a whole data set by either detector, found once and kept as a table in the cache.

A search for FER+ takes MTCNN two minutes and dlib an hour and more on one core. So it is kept in pieces until the table
is whole: each is written completely or not at all, and a search that was killed goes on after the last of them.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
from tqdm import tqdm

from ferbook.core import locks, paths
from ferbook.core.errors import DataError
from ferbook.faces.faceset import FaceSet
from ferbook.vision import detection, dlib_detection
from ferbook.vision.detection import Detections

Detector = Literal["mtcnn", "dlib"]

#: Faces in a piece: one to two minutes of dlib's work.
PIECE = 512


def detect(images: np.ndarray, ids: np.ndarray, detector: Detector = "mtcnn") -> Detections:
    """The face in each image, with the detector's usual settings: ``mtcnn``, or ``dlib``, which is an extra.

    Errors are those of :func:`ferbook.vision.detection.detect` and :func:`ferbook.vision.dlib_detection.detect`.
    """
    return (dlib_detection.detect if detector == "dlib" else detection.detect)(images, ids)


def landmarks_of(part: FaceSet, whole: FaceSet, detector: Detector = "mtcnn") -> np.ndarray:
    """Landmarks (N, 5, 2) of some faces of a data set; NaN where none were found.

    Parameters
    ----------
    part: the faces.
    whole: the set that they are from. MTCNN searches all of it at the first call. dlib's table has to be there
        already, since nobody expects a training to begin with an hour of something else.

    Raises
    ------
    DataError: if dlib's table is not there.
    """
    path = table_path(whole, detector)
    if detector == "dlib" and not path.is_file():
        hint = "`ferbook record detectors` makes it, in one to two hours on one core; killed, it goes on."
        raise DataError(f"the faces of {whole.name} were not looked for with dlib yet", path, hint=hint)
    return search(whole, detector, part.ids).landmarks


def table_path(faces: FaceSet, detector: Detector) -> Path:
    """Where the table of a data set lies."""
    by = "" if detector == "mtcnn" else f"{detector}-"
    return paths.cache_root() / f"landmarks-{by}{faces.provenance['checksum'][:16]}-v1.csv"


def search(faces: FaceSet, detector: Detector, ids: np.ndarray | None = None, *, progress: bool = False) -> Detections:
    """The table of all faces, or of those with the given ids; made at the first call, by one process alone.

    Parameters
    ----------
    faces: a whole data set.
    ids: of the faces that are wanted, in their order.
    progress: show how far the search is.
    """
    path = table_path(faces, detector)
    pieces = path.with_suffix(".pieces")

    def make() -> Path:
        in_pieces(faces, lambda images, ids: detect(images, ids, detector), pieces, progress=progress).save(path)
        return path

    work = f"looks for the faces of {faces.name}"
    locks.once(path.with_name(f".{path.stem}.lock"), work, lambda: path if path.is_file() else None, make)
    shutil.rmtree(pieces, ignore_errors=True)
    return Detections.load(path, ids)


def in_pieces(
    faces: FaceSet,
    find: Callable[[np.ndarray, np.ndarray], Detections],
    folder: Path,
    size: int = PIECE,
    *,
    progress: bool = False,
) -> Detections:
    """What `find` finds, piece after piece; a piece that lies in the folder is not looked for again.

    Parameters
    ----------
    find: from images and ids to detections.
    folder: of the pieces, which stay there.
    size: faces in a piece; it may differ from call to call.

    Raises
    ------
    DataError: if a piece is unreadable or of other faces; it names the file.
    """
    found: list[Detections] = []
    for start in tqdm(range(0, len(faces), size), "looking for faces", unit="piece", disable=not progress):
        part = slice(start, min(start + size, len(faces)))
        piece = folder / f"{part.start:07d}-{part.stop:07d}.csv"
        if not piece.is_file():
            find(faces.images[part], faces.ids[part]).save(piece)
        found.append(Detections.load(piece, faces.ids[part]))
    return Detections(
        faces.ids,
        *(np.concatenate([getattr(part, key) for part in found]) for key in ("boxes", "probability", "landmarks")),
    )
