"""Faces and landmarks by dlib, as paper 002 (section 3.6.2) found them: an optional extra.

A network trained with a max-margin loss finds the face (King 2015, "Max-margin object detection"); an ensemble of
regression trees (ERT; Kazemi and Sullivan 2014) sets 68 landmarks in its box. The five landmarks of MTCNN follow from
those, so that the result is the same table, :class:`ferbook.vision.detection.Detections`.

The extra ``dlib`` brings dlib (Boost licence) and the two models in the package face-recognition-models, whose
own licence is CC0. **For research alone:** the 68 landmarks were learned from the faces of iBUG 300-W, whose terms
exclude commercial use.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from scipy.special import expit
from tqdm import tqdm

from ferbook.core import extras
from ferbook.core.errors import DataError
from ferbook.vision.detection import Detections, check_settings, checked, merit
from ferbook.vision.mtcnn import DetectorError
from ferbook.vision.resampling import Framed, planes

_HINT = f"`{extras.command('dlib')}` installs the detector that paper 002 used and its models."
#: Package of the models; importing it would need setuptools of old, so its files are looked up instead.
PACKAGE = "face_recognition_models"
#: The models' files and their sha256.
FILES = {
    "mmod_human_face_detector.dat": "4cb19393e2fbaf2b1609a9319ad5386618c886a6234ec1b971f3e87c85d87fe6",
    "shape_predictor_68_face_landmarks.dat": "fbdc2cb80eb9aa7a758672cbfdda32ba6300efe9b6e6c7a299ff7e736b11b92f",
}

#: Which of the 68 landmarks, from 0, each of the five is the mean of; the order is that of ``detection.LANDMARKS``.
#: Left is left in the image.
FIVE: tuple[tuple[int, ...], ...] = ((36, 37, 38, 39, 40, 41), (42, 43, 44, 45, 46, 47), (30,), (48,), (54,))


def five_points(points: np.ndarray) -> np.ndarray:
    """Eye centres, tip of the nose and corners of the mouth: 68 landmarks (N, 68, 2) -> (N, 5, 2)."""
    return np.stack([points[:, list(some)].mean(axis=1) for some in FIVE], axis=1)


def detect(
    images: np.ndarray,
    ids: Sequence[str] | np.ndarray | None = None,
    *,
    upscale: int = 112,
    border: float = 0.15,
    batch: int = 16,
    progress: bool = False,
) -> Detections:
    """Find the face in each image; of several the one that :func:`ferbook.vision.detection.merit` prefers.

    dlib scores a face by a margin without bounds, 0 at the threshold and about 1 for a clear face. As ``probability``
    stands its logistic function, 1 / (1 + exp(-margin)), from 0.5 upwards. It keeps the order of the scores; it is no
    calibrated chance, and not to be compared with MTCNN's.

    Parameters
    ----------
    images: uint8, (N, H, W) grey or (N, H, W, 3) RGB.
    ids: (N,) unique strings; default: "0", "1", ...
    upscale, border: as in :func:`ferbook.vision.detection.detect`. The network was made for faces of 80 pixels and
        more. Of 320 training faces of FER+ (seed 0) it finds 70, 89, 94 and 96 % at 80, 96, 112 and 128 pixels, in 55,
        76, 105 and 133 ms a face on one core; with twice the border 95 % in 159 ms. At 112, FER+ takes about an hour.
        That is dlib-bin, which multiplies matrices by itself. dlib 20.0.1 compiled with OpenBLAS takes 24 ms, and on
        1,536 faces gave the same boxes and landmarks to the last bit; most of the recorded search was made with it.
    batch: images per pass; other sizes find the same.

    Raises
    ------
    ValueError: if the images are not uint8 images or the ids are not as many and unique.
    ConfigError: if a setting is out of range.
    DetectorError: if dlib or its models are not installed.
    DataError: if a model's file is another than the one that was checked.
    """
    count = len(checked(images))
    check_settings({}, upscale, border, batch, "ferbook.vision.dlib_detection.detect")
    found = Detections.none(count, ids)
    find, mark = _models()
    framed = Framed(images.shape[1:3], upscale, border)
    for start in tqdm(range(0, count, batch), "detecting faces", unit="batch", disable=not progress):
        seen = framed(planes(images[start : start + batch])).byte().permute(0, 2, 3, 1)
        pictures = list(np.ascontiguousarray(seen.expand(-1, -1, -1, 3).numpy()))
        for row, faces in enumerate(find(pictures, 0, batch_size=len(pictures)), start):
            if not len(faces):
                continue
            boxes, probability = np.array(list(map(_edges, faces))), expit([face.confidence for face in faces])
            best = int(merit(torch.from_numpy(boxes), torch.from_numpy(probability), seen.shape[1:3]).argmax())
            points = mark(pictures[row - start], faces[best].rect).parts()
            # dlib counts pixels by their centres, from 0.
            landmarks = five_points(np.array([[[point.x, point.y] for point in points]]) + 0.5)
            found.boxes[row] = framed.placed(boxes[best].reshape(2, 2)).reshape(4)
            found.probability[row] = probability[best]
            found.landmarks[row] = framed.placed(landmarks[0])
    return found


def _edges(face: Any) -> list[float]:
    """The box of a found face: dlib's includes its last pixel."""
    box = face.rect
    return [float(box.left()), float(box.top()), float(box.right() + 1), float(box.bottom() + 1)]


def version() -> str:
    """Of the installed dlib. Raises DetectorError without it."""
    return _dlib().__version__


def _dlib() -> ModuleType:
    try:
        import dlib
    except ImportError as error:
        raise DetectorError(f"dlib cannot be imported ({error}). {_HINT}") from error
    return dlib


@cache
def _models() -> tuple[Any, Any]:
    """The detector and the 68 landmarks' trees."""
    dlib = _dlib()
    package = find_spec(PACKAGE)
    if package is None or not package.submodule_search_locations:
        raise DetectorError(f"dlib's models are not installed: there is no package {PACKAGE}. {_HINT}")
    folder = Path(package.submodule_search_locations[0]) / "models"
    for name, wanted in FILES.items():
        try:
            content = (folder / name).read_bytes()
        except OSError as error:
            raise DetectorError(f"dlib's model {folder / name} cannot be read ({error.strerror}). {_HINT}") from None
        if hashlib.sha256(content).hexdigest() != wanted:
            raise DataError("it is not the file that this book has checked", folder / name, hint=_HINT)
    finder, marker = (str(folder / name) for name in FILES)
    return dlib.cnn_face_detection_model_v1(finder), dlib.shape_predictor(marker)
