"""Do maps find the pixels that weigh most in an answer? Each block of a real face is covered, one at a time.

By how much the logit of a network's answer falls when a block is covered is what the block weighs; whether a map says
the same of it is counted (:func:`shared`). What a block weighs depends on what covers it, so no map can be expected to
find more of the weightiest blocks than one cover finds of another's. The networks are small, of
:mod:`ferbook.relevance.intensity`, trained on FER+; their pictures are standardised, so that the mean of a picture, a
cover, is the 0 to which relevance refers as well.
"""

import time
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ferbook.core import records
from ferbook.faces.faceset import FaceSet
from ferbook.measures import intervals
from ferbook.relevance import intensity, lrp

RECORD = "001/occlusion-ferplus"
#: Side of a block in pixels, and how many faces are covered block by block.
SIDE, COUNT = 4, 150
#: Share of the blocks, or of the pixels, that count as the weightiest.
SHARE = 0.1
#: What a covered block shows instead: the mean of the picture, or its own, which leaves its brightness.
COVERS: tuple[str, ...] = ("mean of the picture", "mean of the block")


def in_blocks(values: Tensor, side: int) -> Tensor:
    """Sums over square blocks and channels.

    Parameters
    ----------
    values: (N, C, H, W).
    side: of a block; divides H and W.

    Returns
    -------
    (N, H / side * W / side), row by row.

    Raises
    ------
    ValueError: if the blocks do not fill the picture.
    """
    rows, columns = _grid(values, side)
    return values.reshape(*values.shape[:2], rows, side, columns, side).sum((1, 3, 5)).flatten(1)


def falls(model: nn.Module, images: Tensor, targets: Tensor, *, side: int, cover: str) -> Tensor:
    """By how much the target's logit falls when a block is covered, for each block.

    Parameters
    ----------
    model: any network.
    images: (N, C, H, W).
    targets: (N,).
    side: of a block; divides H and W.
    cover: one of ``COVERS``.

    Returns
    -------
    (N, blocks) as :func:`in_blocks` orders them.

    Raises
    ------
    ValueError: if the cover is unknown or the blocks do not fill the picture.
    """
    if cover not in COVERS:
        raise ValueError(f"{cover!r} is no cover; there are {', '.join(COVERS)}")
    rows, columns = _grid(images, side)
    blocks = torch.arange(rows * columns).view(1, rows, columns)
    hidden = _enlarged(blocks, side) == blocks.reshape(-1, 1, 1, 1)
    whole = lrp.scores(model, images)
    found = []
    for image, target, logits in zip(images, torch.as_tensor(targets), whole, strict=True):
        if cover == "mean of the picture":
            instead = image.mean((1, 2), keepdim=True)
        else:
            instead = _enlarged(nn.functional.avg_pool2d(image, side), side)
        covered = lrp.scores(model, torch.where(hidden, instead, image), batch=len(hidden))
        found.append(logits[target] - covered[:, target])
    return torch.stack(found)


def shared(one: Tensor, other: Tensor, share: float = SHARE) -> np.ndarray:
    """How many of each row's greatest values are among the greatest of the other's row.

    Parameters
    ----------
    one, other: (N, places). Of equal values at the limit any may count.
    share: of the places; at least one.

    Returns
    -------
    (N,), 1 for the same places. Two orders that have nothing to do with each other share about `share` of them.
    """
    many = max(1, round(share * one.shape[1]))
    first, second = (
        torch.zeros_like(values, dtype=torch.bool).scatter_(1, values.topk(many, dim=1).indices, True)
        for values in (one, other)
    )
    return (first & second).sum(1).double().numpy() / many


def measure(
    model: nn.Module,
    images: Tensor,
    targets: Tensor,
    *,
    side: int = SIDE,
    composites: Sequence[str] = tuple(lrp.COMPOSITES),
    seed: int = 0,
) -> dict[str, object]:
    """How far maps, covers and rules name the same places.

    Relevance takes biases along. Without them the epsilon rule divides by what is near zero in a network whose batch
    normalisation is folded into its convolutions.

    Parameters
    ----------
    model: layers in a row, which relevance can be propagated through.
    images: (N, C, H, W).
    targets: (N,) its answers.
    side: of a block.
    composites: rules whose maps are compared.
    seed: of the random map.

    Returns
    -------
    dict of (N,) arrays: ``maps``, by rule and cover how many of the weightiest blocks a map finds; ``controls``, the
    same of a map of contrast and of a random one, which know nothing of the network; ``covers``, how many of the
    weightiest blocks both covers have; ``rules``, by pair how many of the pixels with most relevance both have.
    """
    box = {"low": float(images.min()), "high": float(images.max())}
    maps = {name: lrp.relevance(model, images, targets, name, bias=True, **box) for name in composites}
    controls = {
        "contrast": (images - images.mean((2, 3), keepdim=True)).abs(),
        "random": torch.rand(images.shape, generator=torch.Generator().manual_seed(seed)),
    }
    weights = {cover: falls(model, images, targets, side=side, cover=cover) for cover in COVERS}

    def found(of: dict[str, Tensor]) -> dict[str, dict[str, np.ndarray]]:
        return {
            name: {cover: shared(weighs, in_blocks(values, side)) for cover, weighs in weights.items()}
            for name, values in of.items()
        }

    pixels = {name: in_blocks(values, 1) for name, values in maps.items()}
    return {
        "maps": found(maps),
        "controls": found(controls),
        "covers": shared(*weights.values()),
        "rules": {f"{one} and {other}": shared(pixels[one], pixels[other]) for one, other in combinations(maps, 2)},
    }


def record(faces: FaceSet) -> Path:
    """Cover test faces of FER+ that a network names rightly, for each of some networks; returns where it was written.

    Parameters
    ----------
    faces: the complete FER+.
    """
    start = time.process_time()
    train, test = intensity.voted_parts(faces)
    networks = []
    for seed in intensity.SEEDS:
        network = intensity.network_of("trained", train, epochs=intensity.EPOCHS, seed=seed)
        kept = drawn(network, test)
        found = measure(network, test.images[kept], test.labels[kept])
        networks.append({"faces": len(kept), **_summed_up(found)})
    values = {"side": SIDE, "share": SHARE, "networks": networks, "cpu_seconds": round(time.process_time() - start)}
    settings = {"seeds": list(intensity.SEEDS), "epochs": intensity.EPOCHS}
    return records.write(RECORD, values, faces=faces, module=__file__, **settings)


def drawn(network: nn.Module, test: intensity.Faces, count: int = COUNT) -> np.ndarray:
    """Places of at most `count` faces, drawn at random, that show an emotion and are named rightly."""
    predicted = lrp.scores(network, test.images).argmax(1)
    right = np.flatnonzero(((predicted == test.labels) & (test.labels != intensity.NEUTRAL)).numpy())
    return np.sort(np.random.default_rng(0).permutation(right)[:count])


def _grid(values: Tensor, side: int) -> tuple[int, int]:
    height, width = values.shape[2:]
    if height % side or width % side:
        raise ValueError(f"blocks of {side} pixels do not fill pictures of {height} by {width}")
    return height // side, width // side


def _enlarged(values: Tensor, side: int) -> Tensor:
    """(C, H, W) with each value as a block."""
    return values.repeat_interleave(side, 1).repeat_interleave(side, 2)


def _summed_up(found: object) -> object:
    """Each array as its mean and the ends of the 95 % interval over faces."""
    if isinstance(found, dict):
        return {name: _summed_up(values) for name, values in found.items()}
    return [round(float(value), 4) for value in intervals.bootstrap(np.mean, found, seed=0)[:3]]
