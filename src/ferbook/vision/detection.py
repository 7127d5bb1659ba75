"""Faces in images: boxes, five landmarks, crops and alignment.

``detect`` runs the three networks of MTCNN (Zhang et al. 2016; the weights ship inside facenet-pytorch) over a whole
batch of same-size images at once. Its result is a table: saved once, it serves every later run without a detector.
``crop`` and ``align`` cut the faces out.

Paper 000 detects with MTCNN. Paper 002 (section 3.6.2) aligns with dlib's CNN detector and ERT landmarks, which
:mod:`ferbook.vision.dlib_detection` offers; where MTCNN stands in for them, it changes three things. Which faces are
lost: section 5.2.3 leaves profiles and occluded faces unaligned and prints no count; MTCNN answers for many of those
with landmarks *guessed* on the hidden side, and loses some frontal faces that are tilted, pale or wide-mouthed. The
precision: an eye is one point here, a contour of six there. The framing: ``TEMPLATE`` is not dlib's mean face.

Coordinates: x to the right and y downwards in pixels, the centre of the first pixel at (0, 0); an image W pixels wide
reaches from -0.5 to W - 0.5. Landmarks are (N, 5, 2) in the order of ``LANDMARKS``; left is left *in the image*.
Angles are in degrees, positive counter-clockwise as a viewer sees the image. Without a face everything is NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from ferbook.core import paths
from ferbook.core.errors import ConfigError, DataError
from ferbook.vision.mtcnn import cascade, networks
from ferbook.vision.pose import complex_map, similarity
from ferbook.vision.resampling import Framed, planes

#: The five landmarks, in their order.
LANDMARKS: tuple[str, ...] = ("left_eye", "right_eye", "nose", "left_mouth", "right_mouth")

#: Columns of a saved table.
COLUMNS: tuple[str, ...] = (
    *("id", "x1", "y1", "x2", "y2", "probability"),
    *(f"{name}_{axis}" for name in LANDMARKS for axis in "xy"),
)

#: Where ``align`` puts the landmarks, as shares of the side of the square: the mean of 892 nearly upright and frontal
#: faces out of 2,000 drawn from FERPlus (seed 0), made symmetric. Aligned faces so keep the framing of FER2013.
TEMPLATE: np.ndarray = np.array([[0.308, 0.379], [0.692, 0.379], [0.5, 0.596], [0.337, 0.785], [0.663, 0.785]])
TEMPLATE.setflags(write=False)


@dataclass(frozen=True, eq=False)
class Detections:
    """At most one face per image; where none was found the numbers are NaN.

    Parameters
    ----------
    ids: (N,) strings, unique.
    boxes: (N, 4) float32, x1, y1, x2, y2 in pixels; may reach outside the image.
    probability: (N,) float32 in 0..1, MTCNN's last network's; of dlib a squashed score, which orders faces and no more.
    landmarks: (N, 5, 2) float32, x, y in pixels.

    Raises
    ------
    ValueError: if the shapes do not fit each other or two ids are the same.
    """

    ids: np.ndarray
    boxes: np.ndarray
    probability: np.ndarray
    landmarks: np.ndarray

    def __post_init__(self) -> None:
        for key, trailing in (("ids", ()), ("boxes", (4,)), ("probability", ()), ("landmarks", (5, 2))):
            if getattr(self, key).shape != (len(self.ids), *trailing):
                raise ValueError(f"{key} must have shape {(len(self.ids), *trailing)}, not {getattr(self, key).shape}")
        if len(np.unique(self.ids)) != len(self.ids):
            raise ValueError("ids must be unique")

    @classmethod
    def none(cls, count: int, ids: Sequence[str] | np.ndarray | None = None) -> Detections:
        """A table in which nothing is found yet; ids default to "0", "1", ..."""
        names = np.arange(count).astype(str) if ids is None else np.asarray(ids, dtype=str)
        return cls(names, *(np.full((count, *s), np.nan, np.float32) for s in ((4,), (), (5, 2))))

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def found(self) -> np.ndarray:
        """(N,) bool: a face was found."""
        return np.isfinite(self.probability)

    def save(self, path: Path | str) -> None:
        """Write the table as CSV, all of it or nothing; every float32 survives to the last bit."""
        path = Path(path)
        numbers = np.column_stack([self.boxes, self.probability, self.landmarks.reshape(-1, 10)])
        table = pd.DataFrame(numbers, index=pd.Index(self.ids, name="id"), columns=COLUMNS[1:])
        with paths.replacing(path) as staging:
            table.to_csv(staging, float_format="%.9g", lineterminator="\n")

    @classmethod
    def load(cls, path: Path | str, ids: Sequence[str] | np.ndarray | None = None) -> Detections:
        """Read a table that ``save`` wrote: all of it, or the faces with the given ids, in their order.

        Raises DataError if the file is missing, its columns are wrong, a row is unreadable or impossible, an id occurs
        twice, or a wanted id is absent; it names the line.
        """
        again = "Delete the file and run the detection again."
        try:
            table = pd.read_csv(path, dtype=str, keep_default_na=False)
        except FileNotFoundError:
            raise DataError("there is no such table", path, hint="Save the result of detect(...) here.") from None
        except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
            raise DataError(f"not a CSV table ({str(error).strip()})", path, hint=again) from None
        if tuple(table.columns) != COLUMNS:
            wrong = sorted(set(COLUMNS) ^ set(table.columns))
            raise DataError(f"missing, unknown or misplaced columns: {', '.join(wrong) or 'order'}", path, 1, again)
        names = table["id"].to_numpy(dtype=str)
        text = table[list(COLUMNS[1:])]
        values = text.apply(pd.to_numeric, errors="coerce").to_numpy(dtype=np.float32)
        empty = (text == "").to_numpy()
        boxes, probability = values[:, :4], values[:, 4]
        for bad, problem in (
            (names == "", "the id is empty"),
            (table["id"].duplicated().to_numpy(), "the id occurs a second time"),
            ((~empty & ~np.isfinite(values)).any(1), "a cell is not a finite number"),
            (empty.any(1) & ~empty.all(1), "only some of the cells are filled in"),
            ((boxes[:, 2:] <= boxes[:, :2]).any(1), "the box has no area"),
            ((probability < 0) | (probability > 1), "the probability is outside 0 to 1"),
        ):
            if bad.any():
                raise DataError(problem, path, int(np.argmax(bad)) + 2, again)
        wanted = names if ids is None else np.asarray(ids, dtype=str)
        rows = pd.Index(names).get_indexer(wanted)
        if (rows < 0).any():
            problem = f"{(rows < 0).sum()} of {len(rows)} wanted ids are absent, first {str(wanted[rows < 0][0])!r}"
            raise DataError(problem, path, hint="Run the detection again for this data set.")
        return cls(names[rows], boxes[rows], probability[rows], values[rows, 5:].reshape(-1, 5, 2))


def detect(
    images: np.ndarray,
    ids: Sequence[str] | np.ndarray | None = None,
    *,
    minimum: float = 0.4,
    upscale: int = 160,
    border: float = 0.15,
    thresholds: tuple[float, float, float] = (0.6, 0.7, 0.7),
    batch: int = 64,
    device: str | torch.device = "cpu",
    progress: bool = False,
) -> Detections:
    """Find the face in each image.

    Networks, thresholds and suppression are those of facenet-pytorch, and with ``upscale=0, border=0`` the faces are
    those of its own ``MTCNN``; it is several times faster because nothing loops over images or boxes. Of several faces
    the one with the largest probability x area x (1 - d^2) is kept, where d is the distance of the box's centre from
    the image's in half diagonals: a face set shows one face per image, large and in the middle.

    Parameters
    ----------
    images: uint8, (N, H, W) grey or (N, H, W, 3) RGB.
    ids: (N,) unique strings; default: "0", "1", ...
    minimum: smallest face looked for, as a share of the image's shorter side.
    upscale: images with a shorter side below this are enlarged to it first, in pixels (0: never). FER2013's
        landmarks profit: against those of the mirrored images they differ by 0.9 pixels and not by 1.5.
    border: width of a grey frame around each image, as a share of its sides. FER2013's crops are so tight that boxes
        from the hair line to the chin do not fit: without a frame nearly one face in ten more is lost.
    thresholds: least probability of the three networks.
    batch: images per pass.

    Raises
    ------
    ValueError: if the images are not uint8 images or the ids are not as many and unique.
    ConfigError: if a setting is out of range.
    DetectorError: if facenet-pytorch is not installed.
    """
    count = len(checked(images))
    fits = {"minimum": 0 < minimum <= 1, "thresholds": all(0 < t < 1 for t in thresholds)}
    check_settings(fits, upscale, border, batch, "ferbook.vision.detection.detect")
    found = Detections.none(count, ids)
    look = _Look(Framed(images.shape[1:3], upscale, border), minimum, thresholds, torch.device(device))
    for start in tqdm(range(0, count, batch), "detecting faces", unit="batch", disable=not progress):
        image, boxes, probability, points, merit = look(images[start : start + batch])
        # Where an index is repeated numpy keeps the last value: in ascending merit, the best face of an image.
        order = merit.argsort(stable=True)
        rows = start + image[order].cpu().numpy()
        found.boxes[rows] = look.framed.placed(boxes[order].reshape(-1, 2, 2)).reshape(-1, 4)
        found.probability[rows] = probability[order].cpu().numpy()
        found.landmarks[rows] = look.framed.placed(points[order])
    return found


def detect_all(
    image: np.ndarray,
    *,
    smallest: float = 40,
    thresholds: tuple[float, float, float] = (0.6, 0.7, 0.9),
    device: str | torch.device = "cpu",
) -> Detections:
    """Every face in one photograph, the largest first; none gives a table of no rows.

    A photograph holds much that is no face, so the last network has to be surer here than in :func:`detect`.

    Parameters
    ----------
    image: uint8, (H, W) grey or (H, W, 3) RGB.
    smallest: side of the smallest face looked for, in pixels.
    thresholds, device: as in :func:`detect`.

    Returns
    -------
    Detections: ids are "0", "1", ... in the order of the boxes' areas.

    Raises
    ------
    ValueError: if it is no such image.
    ConfigError: if a setting is out of range.
    DetectorError: if facenet-pytorch is not installed.
    """
    images = checked(image[None])
    if smallest < 12:
        raise ConfigError("smallest", f"{smallest} pixels are fewer than the first network sees", "Use 12 or more.")
    if not all(0 < threshold < 1 for threshold in thresholds):
        raise ConfigError("thresholds", "out of range", "Use three numbers between 0 and 1.")
    shorter = min(images.shape[1:3])
    if shorter < smallest:
        return Detections.none(0)
    look = _Look(Framed(images.shape[1:3], 0, 0.0), smallest / shorter, thresholds, torch.device(device))
    _, boxes, probability, points, _ = look(images)
    order = (boxes[:, 2:] - boxes[:, :2]).prod(1).argsort(descending=True, stable=True)
    return Detections(
        np.arange(len(order)).astype(str),
        look.framed.placed(boxes[order].reshape(-1, 2, 2)).reshape(-1, 4).astype(np.float32),
        probability[order].cpu().numpy(),
        look.framed.placed(points[order]).astype(np.float32),
    )


class _Look:
    """The cascade on images of one size, enlarged and framed first."""

    def __init__(self, framed: Framed, minimum: float, thresholds: tuple[float, float, float], device: torch.device):
        self.networks, self.device = networks(device), device
        self.framed, self.minimum, self.thresholds = framed, minimum * min(framed.size), thresholds

    def __call__(self, images: np.ndarray) -> tuple[Tensor, ...]:
        """Image index (F,), boxes (F, 4), probability (F,), landmarks (F, 5, 2) and merit (F,) of all faces."""
        part = self.framed(planes(images, self.device))
        image, boxes, probability, points = cascade(self.networks, part, self.minimum, self.thresholds)
        return image, boxes, probability, points, merit(boxes, probability, part.shape[2:])


def merit(boxes: Tensor, probability: Tensor, size: Sequence[int]) -> Tensor:
    """Probability x area x (1 - d^2), where d is the distance of the box's centre from the image's in half diagonals.

    Parameters
    ----------
    boxes: (F, 4) in pixels from the image's upper left corner.
    probability: (F,).
    size: height and width of the image.
    """
    middle = torch.tensor([size[1], size[0]], device=boxes.device) / 2
    away = ((boxes[:, :2] + boxes[:, 2:]) / 2 - middle).square().sum(1) / middle.square().sum()
    return probability * (boxes[:, 2:] - boxes[:, :2]).prod(1) * (1 - away).clamp(min=0)


def check_settings(fits: dict[str, bool], upscale: int, border: float, batch: int, where: str) -> None:
    """Raise ConfigError for the first setting that does not fit: of `fits`, or one that every detector has.

    Parameters
    ----------
    fits: further settings, and whether they are in range.
    where: whose docstring says what the settings mean.
    """
    fits = fits | {"upscale": upscale >= 0, "border": 0 <= border <= 1, "batch": batch > 0}
    if not all(fits.values()):
        raise ConfigError(min(fits, key=fits.get), "out of range", f"See the parameters of {where}.")


def checked(images: np.ndarray, values: np.ndarray | None = None, trailing: tuple[int, ...] = ()) -> np.ndarray:
    """What belongs to the images (or they themselves), after a look at the shapes.

    Raises ValueError if they are not uint8 images or the values do not fit them.
    """
    if images.dtype != np.uint8 or images.ndim not in (3, 4) or images.shape[3:] not in ((), (3,)):
        raise ValueError(f"images must be uint8 (N, H, W) or (N, H, W, 3), not {images.dtype} {images.shape}")
    if values is not None and values.shape != (len(images), *trailing):
        raise ValueError(f"boxes or landmarks must have shape {(len(images), *trailing)}, not {values.shape}")
    return images if values is None else values


def crop(images: np.ndarray, boxes: np.ndarray, margin: float = 0.2, size: int = 224) -> np.ndarray:
    """Cut out square faces: uint8 (N, size, size) or (N, size, size, 3).

    The square has the box's centre; its side is the box's longer side plus `margin` of it at either end. Beyond the
    image its edge is repeated. Without a box (NaN) it is the whole image, resized. Faces that shrink are averaged.
    Raises ValueError if the images are not uint8 images or the boxes do not fit them. Raises ConfigError if the margin
    leaves nothing of the box.
    """
    boxes = checked(images, boxes, (4,)).astype(float)
    if margin <= -0.5:
        raise ConfigError("margin", f"{margin} leaves nothing of the box", "Use a number above -0.5.")
    zoom = (boxes[:, 2:] - boxes[:, :2]).max(1) * (1 + 2 * margin) / size
    middle = (boxes[:, :2] + boxes[:, 2:]) @ np.array([0.5, 0.5j])
    return _cut(images, complex_map(zoom, middle - zoom * (1 + 1j) * (size - 1) / 2), size)[0]


def align(
    images: np.ndarray, landmarks: np.ndarray, size: int, template: np.ndarray = TEMPLATE
) -> tuple[np.ndarray, np.ndarray]:
    """Rotate, scale and shift each face so that its landmarks come nearest to the template's (see ``similarity``).

    The template is (5, 2) shares of the result's side. Returned are the faces, uint8 (N, size, size[, 3]), and (N,)
    bool: which are aligned. Where landmarks are missing (NaN) or coincide the whole image is resized: paper 002
    (section 5.2.3) keeps such faces as well. Raises ValueError if the images are not uint8 images or the landmarks do
    not fit them.
    """
    landmarks = checked(images, landmarks, (5, 2))
    matrix = similarity(landmarks, np.broadcast_to(np.asarray(template) * size - 0.5, landmarks.shape))
    a, b = np.array([1, 1j]) @ matrix[:, :, 0].T, np.array([1, 1j]) @ matrix[:, :, 2].T
    with np.errstate(divide="ignore", invalid="ignore"):
        return _cut(images, complex_map(1 / a, -b / a), size)


def _cut(images: np.ndarray, matrix: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Squares whose pixel p shows the image at ``matrix @ (p, 1)``, and (N,) bool: where the matrix is finite.

    Where a face shrinks k times, k x k samples are averaged; k is each image's own, so nothing depends on the batch.
    """
    height, width = images.shape[1:3]
    usable = np.isfinite(matrix).all((1, 2))
    whole = np.array([[width / size, 0, (width / size - 1) / 2], [0, height / size, (height / size - 1) / 2]])
    matrix = np.where(usable[:, None, None], matrix, whole)
    shrink = np.ceil(np.sqrt(np.abs(np.linalg.det(matrix[:, :, :2]))) - 1e-6).clip(1, 8).astype(int)
    result = np.empty((len(images), size, size, *images.shape[3:]), np.uint8)
    for k in np.unique(shrink).tolist():
        at = (torch.arange(size * k) + 0.5) / k - 0.5
        points = torch.stack(torch.meshgrid(at, at, indexing="xy")).flatten(1)
        rows = np.flatnonzero(shrink == k)
        for some in np.array_split(rows, -(-len(rows) // 64)):
            turn, shift = torch.from_numpy(matrix[some]).float().split([2, 1], 2)
            grid = (turn @ points + shift + 0.5) * 2 / torch.tensor([[width], [height]]) - 1
            grid = grid.mT.unflatten(1, (len(at), len(at)))
            part = functional.grid_sample(planes(images[some]), grid, padding_mode="border", align_corners=False)
            part = functional.avg_pool2d(part, k).round().clamp(0, 255).byte().permute(0, 2, 3, 1)
            result[some] = part.reshape(len(some), *result.shape[1:]).numpy()
    return result, usable
