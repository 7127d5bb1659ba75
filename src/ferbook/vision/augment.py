"""Augmentation: whole batches at once, on the device that holds them, with every draw from a generator passed in.

Functions change a batch, one operation each; ``build`` makes a ``Pipeline`` of them from a config's list. Copies that
are appended to a training set are in :mod:`ferbook.vision.appended`.

Batches are (N, C, H, W), float in [0, 1] or uint8 in 0..255, and come back as they came. Angles are in degrees,
positive counter-clockwise as a viewer sees the image, about the image's centre. Landmarks are (N, 5, 2), x and y in
pixels, the centre of the first pixel at (0, 0), in the order of ``detection.LANDMARKS``. A generator on the CPU gives
the same draws whatever device the batch is on; one on the batch's own device saves a copy.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import torch
from torch import Generator, Tensor
from torch.nn import functional

from ferbook.core.constants import constant
from ferbook.core.errors import ConfigError
from ferbook.vision.resampling import FILLS, kept, looked_up, mirrors, resampled, rotations, uniform


def _each(value: Tensor | float, x: Tensor) -> Tensor:
    """One number per image."""
    return torch.as_tensor(value, device=x.device).expand(len(x))


def flip(x: Tensor, which: Tensor | bool = True) -> Tensor:
    """Mirror the images left to right where `which` (N,) is true; exact."""
    return torch.where(_each(which, x)[:, None, None, None], x.flip(-1), x)


def rotate(x: Tensor, degrees: Tensor | float, fill: str = "reflect") -> Tensor:
    """Rotate each image by its angle, (N,) or one for all, with bilinear interpolation."""
    return resampled(x, rotations(_each(degrees, x)), fill)


def contrast(x: Tensor, limit: float, generator: Generator) -> Tensor:
    """Stretch each image's values about its mean, by a factor drawn evenly from [1 - limit, 1 + limit]."""
    factor = uniform(len(x), 1 - limit, 1 + limit, x, generator)[:, None, None, None]
    return kept(x, lambda z: torch.lerp(z.mean((1, 2, 3), keepdim=True), z, factor.to(z.dtype)).clamp(0, 1))


def brightness(x: Tensor, limit: float, generator: Generator) -> Tensor:
    """Add to each image a shift drawn evenly from [-limit, limit], where 1 is the way from black to white."""
    shift = uniform(len(x), -limit, limit, x, generator)[:, None, None, None]
    return kept(x, lambda z: (z + shift.to(z.dtype)).clamp(0, 1))


def gaussian_noise(x: Tensor, deviation: float, generator: Generator) -> Tensor:
    """Add independent normal noise to every value, where 1 is the way from black to white."""
    noise = torch.randn(x.shape, generator=generator, device=generator.device).to(x.device) * deviation
    return kept(x, lambda z: (z + noise.to(z.dtype)).clamp(0, 1))


def warp_limit(nodes: int) -> float:
    """The greatest strength of a warp: beyond it a draw could fold the face over itself.

    Along either axis the bicubic field changes by less than 2 * 4.125 * strength per node spacing in all (the maxima of
    the kernel's sum, 1.375, and of its slope's, 3), so up to 0.12 spacings the displacement is a contraction.
    """
    return 0.12 / (nodes + 1)


def displacement(count: int, size: tuple[int, int], strength: float, generator: Generator, nodes: int = 3) -> Tensor:
    """The field of ``morphological_warp``, (N, 2, H, W): how many pixels right and below of itself each pixel looks."""
    if not 0 <= strength <= warp_limit(nodes):
        raise ConfigError("strength", f"{strength} could fold the face", f"Use 0 to {warp_limit(nodes):.3g}.")
    draws = torch.rand(count, 2, nodes, nodes, generator=generator, device=generator.device) * 2 - 1
    field = functional.interpolate(functional.pad(draws, (1, 1, 1, 1)), size, mode="bicubic", align_corners=True)
    return field * strength * (constant((size[1], size[0]), field) - 1)[:, None, None]


def morphological_warp(x: Tensor, strength: float, generator: Generator, nodes: int = 3) -> Tensor:
    """Bend each face smoothly and locally.

    Paper 000 (section 3.6) plans a "morphological warp" as an augmentation by "transforming the expression" and defines
    it no further. This is our reading: an expression changes the shape and place of parts, so every node of a coarse
    grid is pulled up to `strength` of the image's side along each axis, with the frame held still. (The other reading,
    grey dilation and erosion, thickens lines and leaves every part where it is.)
    """
    height, width = x.shape[2:]
    field = displacement(len(x), (height, width), strength, generator, nodes).to(x.device)
    pixels = torch.meshgrid(torch.arange(width, device=x.device), torch.arange(height, device=x.device), indexing="xy")
    where = torch.stack(pixels) + field + 0.5
    grid = (where * 2 / constant((width, height), where)[:, None, None] - 1).permute(0, 2, 3, 1)
    return looked_up(x, grid, "border")


def random_crop(x: Tensor, size: int, generator: Generator, pad: int = 0) -> Tensor:
    """Cut a square out of each image at its own random place, after adding `pad` black pixels; for FER2013 often 44."""
    x = functional.pad(x, (pad, pad, pad, pad))
    top, left = (
        torch.randint(spare + 1, (len(x), 1), generator=generator, device=generator.device).to(x.device)
        for spare in _spare(x, size)
    )
    image, at = torch.arange(len(x), device=x.device)[:, None, None], torch.arange(size, device=x.device)
    return x.movedim(1, -1)[image, (top + at)[:, :, None], (left + at)[:, None, :]].movedim(-1, 1)


def centre_crop(x: Tensor, size: int) -> Tensor:
    """The middle square of `size` pixels: what a network trained on ``random_crop`` is tested on."""
    top, left = (spare // 2 for spare in _spare(x, size))
    return x[:, :, top : top + size, left : left + size]


def _spare(x: Tensor, size: int) -> tuple[int, int]:
    """Rows and columns that a square leaves over."""
    height, width = x.shape[2:]
    if not 0 < size <= min(height, width):
        raise ConfigError("size", f"{size} pixels cannot be cut out of {height} x {width}", "Crop less or pad more.")
    return height - size, width - size


def erase(x: Tensor, p: float, area: tuple[float, float], generator: Generator, ratio: float = 0.3) -> Tensor:
    """Random erasing (Zhong et al. 2020): with probability `p`, one rectangle of each image is set to the image's mean.

    Parameters
    ----------
    area: least and greatest share of the image that is erased.
    ratio: the rectangle's height over its width is drawn log-evenly from [ratio, 1 / ratio].
    """
    count, height, width = len(x), *x.shape[2:]
    share = uniform(count, *area, x, generator).sqrt()
    shape = torch.exp(uniform(count, math.log(ratio), -math.log(ratio), x, generator) / 2)
    inside = (uniform(count, 0, 1, x, generator) < p)[:, None, None]
    for extent, part, lines in ((height, share * shape, (-1, 1)), (width, share / shape, (1, -1))):
        length = (part * extent).round().clamp(1, extent)
        start = (uniform(count, 0, 1, x, generator) * (extent - length + 1)).floor()
        at = torch.arange(extent, device=x.device)
        inside = inside & ((at >= start[:, None]) & (at < (start + length)[:, None])).view(count, *lines)
    return kept(x, lambda z: torch.where(inside[:, None], z.mean((1, 2, 3), keepdim=True), z))


# Steps of a pipeline and their options' defaults; an option without one (None) has to be given.
_STEPS: dict[str, dict[str, object]] = {
    "flip": {"p": 0.5},
    "affine": {"degrees": 0.0, "translate": 0.0, "scale": 0.0, "fill": "reflect"},
    "contrast": {"limit": None},
    "brightness": {"limit": None},
    "noise": {"deviation": None},
    "warp": {"strength": None, "nodes": 3},
    "crop": {"size": None, "pad": 0},
    "centre_crop": {"size": None},
    "erase": {"p": 0.5, "area": (0.02, 0.2), "ratio": 0.3},
}
_RANGES: dict[str, tuple[float, float]] = {
    **{"p": (0, 1), "degrees": (0, 180), "translate": (0, 1), "scale": (0, 0.9), "limit": (0, 1), "deviation": (0, 1)},
    **{"strength": (0, 0.1), "nodes": (1, 32), "size": (1, 4096), "pad": (0, 4096), "area": (0, 1), "ratio": (0.01, 1)},
}
_WHOLE = {"nodes", "size", "pad"}

_FUNCTIONS: dict[str, Callable[..., Tensor]] = {
    "contrast": contrast,
    "brightness": brightness,
    "noise": gaussian_noise,
    "warp": morphological_warp,
    "crop": random_crop,
    "centre_crop": lambda x, size, generator: centre_crop(x, size),
    "erase": erase,
}


@dataclass(frozen=True)
class Pipeline:
    """Steps in the order of the config: (name, options) with every option filled in. Made by ``build``."""

    steps: tuple[tuple[str, Mapping[str, Any]], ...]

    def __call__(self, x: Tensor, generator: Generator) -> Tensor:
        """Augment a batch (N, C, H, W). In between it is float, so uint8 is rounded once."""
        return kept(x, lambda z: self._run(z, generator))

    def middle(self, x: Tensor) -> Tensor:
        """Images (N, C, H, W) as a network that learned behind these steps is tested on: its crops, from the middle."""
        for name, options in self.steps:
            if name in ("crop", "centre_crop"):
                pad = options.get("pad", 0)
                x = centre_crop(functional.pad(x, (pad, pad, pad, pad)), options["size"])
        return x

    def _run(self, x: Tensor, generator: Generator) -> Tensor:
        for moves, group in groupby(self.steps, key=lambda step: step[0] in ("flip", "affine")):
            if moves:
                x = _moved(x, list(group), generator)
                continue
            for name, options in group:
                x = _FUNCTIONS[name](x, generator=generator, **options)
        return x


def _moved(x: Tensor, steps: list[tuple[str, Mapping[str, Any]]], generator: Generator) -> Tensor:
    """Flips and affine steps in one resampling; flips alone are exact."""
    mirrored = torch.zeros(len(x), dtype=torch.bool, device=x.device)
    matrix = torch.eye(3, device=x.device).expand(len(x), 3, 3)
    fill = ""
    for name, options in steps:
        if name == "flip":
            which = uniform(len(x), 0, 1, x, generator) < options["p"]
            mirrored, matrix = mirrored ^ which, matrix @ mirrors(which)
        else:
            degrees, scale, right, down = (
                uniform(len(x), -options[key], options[key], x, generator)
                for key in ("degrees", "scale", "translate", "translate")
            )
            shift = torch.stack([right * x.shape[3], down * x.shape[2]], 1)
            matrix, fill = matrix @ rotations(degrees, 1 + scale, shift), options["fill"]
    return resampled(x, matrix, fill) if fill else flip(x, mirrored)


def build(steps: Sequence[Mapping[str, Any]]) -> Pipeline:
    """A pipeline from a config: ``build([{"name": "flip"}, {"name": "affine", "degrees": 10}, {"name": "erase"}])``.

    flip: p, the share of images that are mirrored. affine: degrees, translate (a share of the side) and scale, each
    drawn evenly from [-value, value]; fill. contrast, brightness: limit. noise: deviation. warp: strength, nodes. crop:
    size, pad. centre_crop: size. erase: p, area, ratio. Neighbouring flips and affine steps are one resampling, with
    the last one's fill. Raises ConfigError naming the field, for an unknown step or option, one that is missing, or a
    value out of range.
    """
    built = []
    for number, step in enumerate(steps):
        field, name = f"augment[{number}]", step.get("name")
        if name not in _STEPS:
            raise ConfigError(f"{field}.name", f"{name!r} is unknown", f"Use one of {', '.join(_STEPS)}.")
        options = {**_STEPS[name], **{key: value for key, value in step.items() if key != "name"}}
        for key, value in options.items():
            where = f"{field}.{key}"
            if key not in _STEPS[name]:
                raise ConfigError(where, f"{name} has no such option", f"It has {', '.join(_STEPS[name])}.")
            if value is None:
                raise ConfigError(where, f"{name} needs it", "Give it a value.")
            _check(where, key, value)
        if name == "warp" and options["strength"] > warp_limit(options["nodes"]):
            problem = f"{options['strength']} with {options['nodes']} nodes could fold the face"
            raise ConfigError(f"{field}.strength", problem, f"At most {warp_limit(options['nodes']):.3g}.")
        built.append((name, options))
    return Pipeline(tuple(built))


def _check(where: str, key: str, value: object) -> None:
    """One option's value against its type and range."""
    if key == "fill" and value not in FILLS:
        raise ConfigError(where, f"{value!r} is unknown", f"Use one of {', '.join(FILLS)}.")
    if key == "fill":
        return
    low, high = _RANGES[key]
    values = value if key == "area" and isinstance(value, list | tuple) and len(value) == 2 else (value,)
    kinds = int if key in _WHOLE else int | float
    fits = all(isinstance(v, kinds) and not isinstance(v, bool) and low <= v <= high for v in values)
    if not fits or (key == "area" and (len(values) != 2 or values[0] > values[1])):
        kind = "a whole number" if key in _WHOLE else "two numbers, the smaller first," if key == "area" else "a number"
        raise ConfigError(where, f"{value!r} will not do", f"Give {kind} from {low} to {high}.")
