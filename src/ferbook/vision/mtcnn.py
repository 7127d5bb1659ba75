"""MTCNN's three networks in a row (Zhang et al. 2016), over a whole batch of same-size images at once.

Networks, thresholds and suppression are those of facenet-pytorch, whose package holds the weights; it is several times
faster because nothing loops over images or boxes. :mod:`ferbook.vision.detection` is what callers use.
"""

from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import Module, functional
from torchvision.ops import batched_nms

from ferbook.core.errors import FerbookError


class DetectorError(FerbookError):
    """The face detector cannot be loaded."""


@lru_cache(maxsize=2)
def networks(device: torch.device) -> tuple[Module, ...]:
    """The proposal, refinement and output networks, with the weights inside the package; nothing is downloaded."""
    try:
        from facenet_pytorch import MTCNN
    except ImportError as error:
        hint = "Run `pip install --no-deps facenet-pytorch`; its metadata asks for an older torch than it needs."
        raise DetectorError(f"facenet-pytorch cannot be imported ({error}). {hint}") from error
    # Channels last halves the time on a CPU, mostly in the pooling layers.
    model = MTCNN(device=device).eval().requires_grad_(False).to(memory_format=torch.channels_last)
    return model.pnet, model.rnet, model.onet


@torch.inference_mode()
def cascade(
    networks: tuple[Module, ...], images: Tensor, minimum: float, thresholds: tuple[float, float, float]
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """All faces in (B, C, H, W): image index (F,), boxes (F, 4), probability (F,), landmarks (F, 5, 2).

    Pixels are whole numbers 0..255. Inside, boxes count pixels from 1 and include their last one, as in the original
    code; those returned are edges, (0, 0, W, H) for the whole image, as the networks' landmarks are.
    """
    proposal, refinement, output = networks
    image, boxes = _propose(proposal, images, minimum, thresholds[0])
    # Exact in int32 up to eight million pixels.
    summed = functional.pad(images.cumsum(2, dtype=torch.int32).cumsum(3, dtype=torch.int32), (1, 0, 1, 0))

    image, boxes, pixels = patches(summed, image, boxes, 24)
    offsets, score = _run(refinement, pixels)
    image, boxes, offsets, score = _at(score[:, 1] > thresholds[1], image, boxes, offsets, score[:, 1])
    image, boxes, offsets = _at(batched_nms(boxes, score, image, 0.7), image, boxes, offsets)

    image, boxes, pixels = patches(summed, image, _moved(boxes, offsets, 1), 48)
    offsets, points, score = _run(output, pixels)
    image, boxes, offsets, points, score = _at(score[:, 1] > thresholds[2], image, boxes, offsets, points, score[:, 1])
    points = points.reshape(-1, 2, 5).mT * (boxes[:, None, 2:] - boxes[:, None, :2] + 1) + boxes[:, None, :2] - 1
    boxes = _moved(boxes, offsets, 1)
    image, boxes, points, score = _at(distinct(image, boxes, score, 0.7), image, boxes, points, score)
    return image, boxes - boxes.new_tensor([1, 1, 0, 0]), score, points


def _propose(network: Module, images: Tensor, minimum: float, threshold: float) -> tuple[Tensor, Tensor]:
    """First stage: a network that sees 12 pixels, at every second pixel, on each level of a pyramid."""
    height, width = images.shape[2:]
    levels: list[tuple[Tensor, ...]] = []
    scale = 12 / minimum
    while not levels or min(height, width) * scale >= 12:
        level = functional.interpolate(images, (int(height * scale + 1), int(width * scale + 1)), mode="area")
        offsets, score = _run(network, level)
        image, row, column = (score[:, 1] >= threshold).nonzero(as_tuple=True)
        corner = 2 * torch.stack([column, row], 1)
        boxes = torch.cat([((corner + 1) / scale).floor(), ((corner + 12) / scale).floor()], 1)
        found = image, boxes, score[image, 1, row, column], offsets[image, :, row, column]
        levels.append(_at(batched_nms(found[1], found[2], image, 0.5), *found))
        scale *= 0.709
    image, boxes, score, offsets = (torch.cat(values) for values in zip(*levels, strict=True))
    image, boxes, offsets = _at(batched_nms(boxes, score, image, 0.7), image, boxes, offsets)
    return image, _moved(boxes, offsets, 0)


def _at(where: Tensor, *values: Tensor) -> tuple[Tensor, ...]:
    return tuple(value[where] for value in values)


def _run(network: Module, pixels: Tensor) -> tuple[Tensor, ...]:
    """A network's outputs for any number of grey or RGB patches (B, C, H, W) in 0..255, none included."""
    some = pixels if len(pixels) else pixels.new_zeros(1, *pixels.shape[1:])
    outputs = [
        network(((part - 127.5) / 128).expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last))
        for part in some.split(_few(pixels))
    ]
    return tuple(torch.cat(values)[: len(pixels)] for values in zip(*outputs, strict=True))


def _few(values: Tensor) -> int:
    """How many patches at a time stay in the processor's cache."""
    return 48 if values.device.type == "cpu" else 4096


def _moved(boxes: Tensor, offsets: Tensor, last: int) -> Tensor:
    """Shift the edges by shares of the box's extent; `last` is 1 where the extent counts the last pixel."""
    return boxes + offsets * (boxes[:, 2:] - boxes[:, :2] + last).repeat(1, 2)


def patches(summed: Tensor, image: Tensor, boxes: Tensor, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """Make boxes square, cut them to the image, drop the empty ones and average each into size x size cells.

    This is adaptive average pooling of all boxes at once: any rectangle's sum is four values of the integral image.
    """
    channels, height, width = summed.shape[1:]
    middle, half = boxes.unflatten(1, (2, 2)).mean(1), (boxes[:, 2:] - boxes[:, :2]).amax(1, keepdim=True) / 2
    boxes = torch.cat([middle - half, middle + half], 1)
    first = (boxes[:, :2].trunc().long() - 1).clamp(min=0)
    last = torch.minimum(boxes[:, 2:].trunc().long(), first.new_tensor([width - 1, height - 1]))
    image, boxes, first, last = _at((last > first).all(1), image, boxes, first, last)
    cell, extent = torch.arange(size, device=boxes.device), (last - first)[..., None]
    low = first[..., None] + cell * extent // size  # (n, 2, size): columns and rows
    high = first[..., None] - (-(cell + 1) * extent) // size
    plane = (image[:, None] * channels + torch.arange(channels, device=boxes.device)) * (height * width)
    values = summed.flatten()

    def averages(plane: Tensor, low: Tensor, high: Tensor) -> Tensor:
        def corner(rows: Tensor, columns: Tensor) -> Tensor:
            place = plane[..., None, None] + (rows[:, :, None] * width + columns[:, None, :])[:, None]
            return values.index_select(0, place.flatten()).view(place.shape)

        total = corner(high[:, 1], high[:, 0]) - corner(low[:, 1], high[:, 0])
        total += corner(low[:, 1], low[:, 0]) - corner(high[:, 1], low[:, 0])
        return total / ((high - low)[:, None, 1, :, None] * (high - low)[:, None, 0, None, :])

    parts = zip(*(part.split(_few(boxes)) for part in (plane, low, high)), strict=True)
    return image, boxes, torch.cat([averages(*part) for part in parts])


def distinct(image: Tensor, boxes: Tensor, score: Tensor, threshold: float) -> Tensor:
    """Indices that survive suppression by intersection over the *smaller* box, within each image.

    Greedy suppression is the fixed point of "kept unless a kept and more probable box covers it".
    """
    order = score.argsort(descending=True, stable=True)
    image, boxes = image[order], boxes[order]
    low = torch.maximum(boxes[:, None, :2], boxes[None, :, :2])
    shared = (torch.minimum(boxes[:, None, 2:], boxes[None, :, 2:]) - low + 1).clamp(min=0).prod(2)
    area = (boxes[:, 2:] - boxes[:, :2] + 1).prod(1)
    covers = ((shared > threshold * torch.minimum(area[:, None], area)) & (image[:, None] == image)).triu(1)
    keep, again = None, torch.ones_like(image, dtype=torch.bool)
    while keep is None or not torch.equal(again, keep):
        keep, again = again, ~(covers & again[:, None]).any(0)
    return order[keep]
