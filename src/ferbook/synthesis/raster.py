"""Planes of pixels and the few operations that everything is painted with.

Two rules keep a face's pixels independent of its batch, of the thread count and of the length of the arrays it is
painted in. First, every operation is elementwise over faces and pixels: no reduction, no convolution, no image
statistics. Second, pixels only ever see operations that IEEE 754 rounds correctly (+ - * / sqrt, comparisons, and
rounding to integers). Those give the same bits in a vectorised loop and in its scalar remainder, whereas exp, sin or
pow may not. Soft steps and bumps are therefore polynomials, which are also faster than Gaussians and sigmoids and have
a bounded reach.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

#: Side of the noise tiles; an image's grain is a window of one, so images are at most half as wide.
TILE = 1024
_MASK = TILE - 1


def ramp(distance: Tensor) -> Tensor:
    """A matte: 0 below -1/2, 1 above 1/2, linear between; `distance` is in units of the edge's width."""
    return (distance + 0.5).clamp_(0.0, 1.0)


def smooth(value: Tensor) -> Tensor:
    """A soft step: `ramp` with rounded ends (3 t^2 - 2 t^3)."""
    t = ramp(value)
    return t.mul(-2.0).add_(3.0).mul_(t).mul_(t)


def hump(squared: Tensor) -> Tensor:
    """A bump of height 1 over a squared distance from its centre, zero from 1 on: (1 - q)^2, close to a Gaussian."""
    t = squared.neg().add_(1.0).clamp_(min=0.0)
    return t.mul_(t)


def oval(dx: Tensor, dy: Tensor, rx: float | Tensor, ry: float | Tensor) -> Tensor:
    """A `hump` with half axes rx and ry."""
    return hump((dx * (1.0 / rx)).square_().add_((dy * (1.0 / ry)).square_()))


def stroke(distance: Tensor, half: float | Tensor, pixel: Tensor) -> Tensor:
    """A soft line: 1 on it, 0 from `half` on. One thinner than the pixels is widened and made paler in proportion."""
    wide = torch.clamp(pixel * 0.9, min=half) if isinstance(half, float) else torch.maximum(pixel * 0.9, half)
    return hump((distance * (1.0 / wide)).square_()).mul_(half / wide)


def over(image: Tensor, colour: Tensor, matte: Tensor) -> Tensor:
    """Paint in place: image (N, C, P) towards colour (N, C, 1 or P) where the matte (N, P) is 1."""
    return image.add_((colour - image).mul_(matte.unsqueeze(1)))


@lru_cache(maxsize=1)
def tiles() -> dict[str, Tensor]:
    """Noise with mean 0 and deviation 1, each flat (TILE * TILE,) float32.

    "white", "fine", "cloud", and "strand", which is drawn out along its rows' axis. Made once per process, from a fixed
    Philox stream.
    """
    generator = np.random.Generator(np.random.Philox(20240229))
    white = generator.standard_normal((TILE, TILE), dtype=np.float32)

    def blur(plane: np.ndarray, rows: int, columns: int) -> np.ndarray:
        """Three running means along each axis, periodic, as a product in the frequency domain."""
        spectrum = np.fft.rfft2(plane)
        for axis, width in ((0, rows), (1, columns)):
            frequency = np.fft.fftfreq(TILE) if axis == 0 else np.fft.rfftfreq(TILE)
            response = np.sinc(width * frequency) ** 3
            spectrum = spectrum * (response[:, None] if axis == 0 else response[None, :])
        plane = np.fft.irfft2(spectrum, s=plane.shape)
        return ((plane - plane.mean()) / plane.std()).astype(np.float32)

    made = {"white": white, "fine": blur(white, 5, 5), "cloud": blur(white, 90, 90), "strand": blur(white, 220, 5)}
    made["strand"] = (0.75 * made["strand"] + 0.65 * blur(white.T, 300, 22)).astype(np.float32)
    return {name: torch.from_numpy(np.ascontiguousarray(plane).reshape(-1)) for name, plane in made.items()}


def lookup(name: str, row: Tensor, column: Tensor) -> Tensor:
    """Noise at planes of tile coordinates (N, P) float; periodic, to the nearest cell."""
    index = row.to(torch.int32).bitwise_and_(_MASK).mul_(TILE).add_(column.to(torch.int32).bitwise_and_(_MASK))
    return tiles()[name].index_select(0, index.view(-1)).view(index.shape)


@dataclass(frozen=True)
class Values:
    """What painting needs to know of N faces.

    `one` and `colour` hold values (N, 1) and colours (N, C, 1), `pair` holds controls (N, 2) of the left and the right
    half of the image, `offset` (N, 4, 2) says where to read the noise tiles.
    """

    one: dict[str, Tensor]
    colour: dict[str, Tensor]
    pair: dict[str, Tensor]
    offset: Tensor

    def take(self, rows: slice | Tensor) -> Values:
        """The values of some of the faces."""
        one, colour, pair = ({k: v[rows] for k, v in each.items()} for each in (self.one, self.colour, self.pair))
        return Values(one, colour, pair, self.offset[rows])


class Sheet:
    """A band of rows of a few faces' pictures, as flat planes (N, P).

    Parameters
    ----------
    values: of the N faces.
    x, y: face coordinates of the pixels, in face units.
    across, down: upright frame coordinates in face units that follow neither pose nor roll.
    pixel: (N, 1) size of a pixel in face units.
    cells: (P,) int32, position of each pixel in a noise tile.
    """

    def __init__(
        self, values: Values, x: Tensor, y: Tensor, across: Tensor, down: Tensor, pixel: Tensor, cells: Tensor
    ) -> None:
        """Keep the planes and derive those that many features use."""
        self.values, self.x, self.y, self.across, self.down = values, x, y, across, down
        self.pixel, self.cells = pixel, cells
        self.one, self.colour, self.pair, self.offset = values.one, values.colour, values.pair, values.offset
        #: Distance from the midline: features are painted once, for both halves of the face.
        self.a = x.abs()
        #: -1 on the left half and 1 on the right, with a narrow smooth passage.
        self.sign = (x * 40.0).clamp_(-1.0, 1.0)
        self._side = smooth(x * 5.0)

    def sided(self, name: str) -> Tensor:
        """A control (N, 2) as a plane (N, P): the left value on the left, the right value on the right."""
        return self.between(self.pair[name])

    def between(self, pair: Tensor) -> Tensor:
        """Values (N, 2) of the two halves as a plane (N, P), blended across the midline."""
        return (self._side * (pair[:, 1:] - pair[:, :1])).add_(pair[:, :1])

    def mean(self, name: str) -> Tensor:
        """A control's mean over the two halves, (N, 1)."""
        return (self.pair[name][:, :1] + self.pair[name][:, 1:]) * 0.5

    def take(self, rows: Tensor) -> Sheet:
        """The sheet of some of the faces: rare things are painted only on those that have them."""
        planes = (plane[rows] for plane in (self.x, self.y, self.across, self.down, self.pixel))
        return Sheet(self.values.take(rows), *planes, self.cells)
