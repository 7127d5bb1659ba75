"""Moving pixels: matrices of mirrors and rotations, and one look-up in the source for all of them."""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn import functional

from ferbook.core.constants import constant
from ferbook.core.errors import ConfigError

#: What lies beyond the border of an image that is rotated or shifted: its mirror image, black, or its border repeated.
FILLS: dict[str, str] = {"reflect": "reflection", "zero": "zeros", "edge": "border"}

# An operation that moves the image is a matrix (N, 3, 3) from a pixel of the result, counted from the image's centre,
# to the place in the source that it shows. First A and then B is A @ B, and costs one look-up in the source.


def planes(images: np.ndarray, device: str | torch.device = "cpu") -> Tensor:
    """Pictures, uint8 (N, H, W) or (N, H, W, 3), as floats (N, C, H, W) in 0..255 on a device; a copy."""
    pixels = torch.from_numpy(np.array(images)).to(device).float()
    return pixels[:, None] if pixels.ndim == 3 else pixels.permute(0, 3, 1, 2)


class Framed:
    """Images of one size as a detector sees them, enlarged and with a grey frame, and the way back.

    Parameters
    ----------
    size: height and width of the images in pixels.
    upscale: images with a shorter side below this are enlarged to it, in pixels (0: never).
    border: width of the frame, as a share of the enlarged sides.
    """

    def __init__(self, size: tuple[int, int], upscale: int, border: float):
        height, width = size
        self.zoom = max(1.0, upscale / min(height, width))
        #: Height and width without the frame.
        self.size = round(height * self.zoom), round(width * self.zoom)
        self.frame = np.array([round(border * self.size[1]), round(border * self.size[0])])
        self.scale = np.array([self.size[1] / width, self.size[0] / height])

    def __call__(self, part: Tensor) -> Tensor:
        """Enlarge and frame (N, C, H, W) in 0..255; of what is enlarged the values stay whole numbers."""
        if self.zoom > 1:
            part = functional.interpolate(part, self.size, mode="bicubic", align_corners=False).round_().clamp_(0, 255)
        # Grey is the networks' zero.
        return functional.pad(part, (self.frame[0], self.frame[0], self.frame[1], self.frame[1]), value=127)

    def placed(self, points: Tensor | np.ndarray) -> np.ndarray:
        """From edges in the framed image to pixel centres in the given one: x, y in the last axis."""
        return (torch.as_tensor(points).double().cpu().numpy() - self.frame) / self.scale - 0.5


def mirrors(which: Tensor) -> Tensor:
    """Mirroring where `which` (N,) is true: (N, 3, 3)."""
    sign = 1 - 2 * which.float()
    return torch.diag_embed(torch.stack([sign, torch.ones_like(sign), torch.ones_like(sign)], 1))


def rotations(degrees: Tensor, scale: Tensor | float = 1.0, shift: Tensor | None = None) -> Tensor:
    """Rotation by (N,) degrees and scaling, then a shift of (N, 2) pixels: (N, 3, 3)."""
    angle = torch.deg2rad(degrees.float())
    cosine, sine = torch.cos(angle) / scale, torch.sin(angle) / scale
    zero = torch.zeros_like(cosine)
    turn = torch.stack([torch.stack([cosine, -sine], 1), torch.stack([sine, cosine], 1)], 1)
    back = -turn @ (torch.stack([zero, zero], 1) if shift is None else shift)[..., None]
    last = torch.stack([zero, zero, zero + 1], 1)[:, None]
    return torch.cat([torch.cat([turn, back], 2), last], 1)


def resampled(x: Tensor, matrix: Tensor, fill: str) -> Tensor:
    """A batch (N, C, H, W) moved by matrices (N, 3, 3). Raises ConfigError for a fill that is not in ``FILLS``."""
    if fill not in FILLS:
        raise ConfigError("fill", f"{fill!r} is unknown", f"Use one of {', '.join(FILLS)}.")
    half = constant((x.shape[3] / 2, x.shape[2] / 2, 1.0), matrix)
    theta = (matrix * half / half[:, None])[:, :2]
    grid = functional.affine_grid(theta, list(x.shape), align_corners=False)
    return looked_up(x, grid, FILLS[fill])


def looked_up(x: Tensor, grid: Tensor, padding: str) -> Tensor:
    """A batch (N, C, H, W) at the places of a grid (N, H, W, 2), as ``grid_sample`` counts them."""
    sample = partial(functional.grid_sample, grid=grid, padding_mode=padding, align_corners=False)
    return kept(x, lambda z: sample(z.float()).to(z.dtype))  # half precision cannot hold a place in the image


def kept(x: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
    """Apply a change that is written for floats in [0, 1], and return the batch's own type."""
    if x.dtype != torch.uint8:
        return change(x)
    return (change(x.float() / 255) * 255).round_().clamp_(0, 255).to(torch.uint8)


def uniform(count: int, low: float, high: float, like: Tensor, generator: Generator) -> Tensor:
    """Even draws (count,) from [low, high), on the device of `like`."""
    draws = torch.rand(count, generator=generator, device=generator.device)
    return (low + (high - low) * draws).to(like.device)
