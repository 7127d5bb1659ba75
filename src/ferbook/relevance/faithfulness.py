"""Does relevance point at what the network uses? Pixel flipping, and relevance by region of the face."""

import numpy as np
import torch
from torch import Tensor, nn

from ferbook.relevance.lrp import scores

#: Parts of the face that :func:`region_masks` tells apart; every pixel belongs to exactly one.
REGIONS: tuple[str, ...] = ("brows", "eyes", "nose", "mouth", "rest")


def deletion_curve(
    model: nn.Module,
    images: Tensor,
    targets: Tensor,
    relevance: Tensor,
    *,
    steps: int = 20,
    share: float = 1.0,
    batch: int = 256,
) -> np.ndarray:
    """The target's logit as the pixels with the most relevance are replaced first (Samek et al. 2017).

    A replaced pixel gets the image's mean colour. Relevance is added up over channels.

    Parameters
    ----------
    model: any network.
    images: (N, C, H, W).
    targets: (N,).
    relevance: (N, C, H, W), or any scores of that shape: only the order counts.
    steps: in how many equal steps.
    share: of the pixels, replaced by the last step.
    batch: images at a time.

    Returns
    -------
    (N, steps + 1) float64; column 0 is the untouched image.
    """
    targets = torch.as_tensor(targets)
    count, _, height, width = images.shape
    order = torch.argsort(relevance.sum(1).flatten(1), dim=1, descending=True, stable=True)
    rank = torch.empty_like(order).scatter_(1, order, torch.arange(height * width).expand(count, -1))
    mean = images.mean((2, 3), keepdim=True)
    rows = torch.arange(count)
    curve = []
    for step in range(steps + 1):
        gone = (rank < round(share * height * width * step / steps)).view(count, 1, height, width)
        logits = scores(model, torch.where(gone, mean, images), batch=batch)
        curve.append(logits[rows, targets])
    return torch.stack(curve, 1).double().numpy()


def area_over_curve(curve: np.ndarray) -> np.ndarray:
    """Mean fall of the logit below its start over all steps. curve: (N, S + 1) -> (N,); larger: better pointed."""
    curve = np.asarray(curve, dtype=np.float64)
    return (curve[:, :1] - curve[:, 1:]).mean(axis=1)


def region_masks(landmarks: np.ndarray, size: int) -> np.ndarray:
    """Which pixel belongs to which region, from five landmarks.

    In a frame with its origin midway between the eyes, x towards the right eye, and the distance of the eyes as unit:
    eyes reach from 0.2 above to 0.2 below them, brows from there to 0.6 above, both within 0.85 of the middle; the
    mouth is an ellipse about the middle of its corners, 0.3 wider than they are apart and 0.7 high; the nose fills
    what is between eyes and mouth within 0.3 of the middle.

    Parameters
    ----------
    landmarks: (N, 5, 2) x, y in pixels, as in ``FaceSet.landmarks``.
    size: side of the image in pixels.

    Returns
    -------
    (N, 5, size, size) bool in the order of ``REGIONS``; exactly one is true at each pixel.
    """
    points = np.asarray(landmarks, dtype=np.float64)
    left, right = points[:, 0], points[:, 1]
    unit = np.linalg.norm(right - left, axis=1)[:, None]
    across = (right - left) / unit
    down = np.stack([-across[:, 1], across[:, 0]], axis=1)
    origin = (left + right) / 2
    grid = np.stack(np.meshgrid(np.arange(size), np.arange(size)), axis=-1).reshape(-1, 2)
    offset = grid[None] - origin[:, None]
    x = np.einsum("npk,nk->np", offset, across) / unit
    y = np.einsum("npk,nk->np", offset, down) / unit

    def place(point: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        away = point - origin
        return (away * across).sum(1)[:, None] / unit, (away * down).sum(1)[:, None] / unit

    corners = points[:, 3:].mean(axis=1)
    mouth_x, mouth_y = place(corners)
    half = np.linalg.norm(points[:, 4] - points[:, 3], axis=1)[:, None] / unit / 2 + 0.15
    mouth = ((x - mouth_x) / half) ** 2 + ((y - mouth_y) / 0.35) ** 2 <= 1
    eyes = (np.abs(y) <= 0.2) & (np.abs(x) <= 0.85) & ~mouth
    brows = (y < -0.2) & (y >= -0.6) & (np.abs(x) <= 0.85)
    nose = (y > 0.2) & (y < mouth_y) & (np.abs(x) <= 0.3) & ~mouth
    masks = np.stack([brows, eyes, nose, mouth, ~(brows | eyes | nose | mouth)], axis=1)
    return masks.reshape(len(points), len(REGIONS), size, size)


def region_shares(relevance: Tensor | np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Share of the positive relevance that lies in each region.

    Parameters
    ----------
    relevance: (N, C, H, W); channels are added up first.
    masks: (N, 5, H, W) from :func:`region_masks`.

    Returns
    -------
    (N, 5); rows sum to 1, NaN where nothing is positive.
    """
    positive = np.clip(np.asarray(relevance, dtype=np.float64).sum(axis=1), 0, None)
    total = positive.sum(axis=(1, 2))[:, None]
    inside = (positive[:, None] * masks).sum(axis=(2, 3))
    return np.divide(inside, total, out=np.full_like(inside, np.nan), where=total > 0)
