"""Do maps find the pixels that weigh most in an answer? Each block of a real face is covered, one at a time.

By how much the logit of a network's answer falls when a block is covered is what the block weighs; whether a map says
the same of it is counted (:func:`shared`). What a block weighs depends on what covers it: where two covers share part
of the weightiest blocks, no map has all of both. The networks are small, of :mod:`ferbook.relevance.intensity`, trained
on FER+. Their pictures are standardised, so that the mean of a picture, a cover, is 0, which is what the epsilon rule
compares pixels with.
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


def covering(images: Tensor, side: int, cover: str) -> Tensor:
    """What each pixel shows when its block is covered.

    Parameters
    ----------
    images: (N, C, H, W).
    side: of a block; divides H and W.
    cover: one of ``COVERS``.

    Returns
    -------
    (N, C, H, W).

    Raises
    ------
    ValueError: if the cover is unknown, or the blocks do not fill the picture.
    """
    _grid(images, side)
    if cover not in COVERS:
        raise ValueError(f"{cover!r} is no cover; there are {', '.join(COVERS)}")
    if cover == "mean of the picture":
        return images.mean((2, 3), keepdim=True).expand_as(images)
    return _enlarged(nn.functional.avg_pool2d(images, side), side)


def falls(model: nn.Module, images: Tensor, targets: Tensor, *, side: int, cover: str) -> Tensor:
    """By how much the target's logit falls when a block is covered, for each block.

    Parameters
    ----------
    model: any network.
    images: (N, C, H, W).
    targets: (N,).
    side, cover: as in :func:`covering`, which says what is raised, too.

    Returns
    -------
    (N, blocks) as :func:`in_blocks` orders them.
    """
    rows, columns = _grid(images, side)
    blocks = torch.arange(rows * columns)
    hidden = _enlarged(blocks.view(1, 1, rows, columns), side)[0] == blocks.view(-1, 1, 1, 1)
    found = []
    each = (images, covering(images, side, cover), torch.as_tensor(targets), lrp.scores(model, images))
    for image, instead, target, logits in zip(*each, strict=True):
        covered = lrp.scores(model, torch.where(hidden, instead, image), batch=len(hidden))
        found.append(logits[target] - covered[:, target])
    return torch.stack(found)


def greatest(places: int, share: float = SHARE) -> int:
    """How many places a share of them is, to the nearest, but one at least."""
    return max(1, round(share * places))


def shared(one: Tensor, other: Tensor, share: float = SHARE) -> np.ndarray:
    """How many of each row's greatest values are among the greatest of the other's row.

    Parameters
    ----------
    one, other: (N, places). Of equal values at the limit any may count.
    share: of the places, see :func:`greatest`.

    Returns
    -------
    (N,), 1 for the same places. Two orders that have nothing to do with each other share about `share` of them.
    """
    many = greatest(one.shape[1], share)
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
    """How far maps, covers and rules name the same places; means over faces.

    Relevance takes biases along. Without them the epsilon rule divides by what is near zero in a network whose batch
    normalisation is folded into its convolutions.

    Parameters
    ----------
    model: layers in a row, which relevance can be propagated through.
    images: (N, C, H, W), two or more.
    targets: (N,) its answers.
    side: of a block.
    composites: rules whose maps are compared.
    seed: of the random map.

    Returns
    -------
    dict: ``maps``, by rule and cover which share of the weightiest blocks a map has among its most relevant ones;
    ``controls``, the same of three that know less: the map of the next face by the same rule, the best of the rules;
    how much the cover changes a block; chance. ``covers``, which share of the weightiest blocks both covers have;
    ``rules``, by pair which share of the pixels with most relevance both have.
    """
    box = {"low": float(images.min()), "high": float(images.max())}
    maps = {name: lrp.relevance(model, images, targets, name, bias=True, **box) for name in composites}
    weights = {cover: falls(model, images, targets, side=side, cover=cover) for cover in COVERS}
    chance = torch.rand(images.shape, generator=torch.Generator().manual_seed(seed))

    def found(values: Tensor, cover: str) -> float:
        return float(shared(weights[cover], in_blocks(values, side)).mean())

    pixels = {name: in_blocks(values, 1) for name, values in maps.items()}
    return {
        "maps": {name: {cover: found(values, cover) for cover in COVERS} for name, values in maps.items()},
        "controls": {
            "another face's map": {
                cover: max((found(values.roll(1, 0), cover) for values in maps.values()), default=0.0)
                for cover in COVERS
            },
            "change of the pixels": {
                cover: found((images - covering(images, side, cover)).abs(), cover) for cover in COVERS
            },
            "random": {cover: found(chance, cover) for cover in COVERS},
        },
        "covers": float(shared(*weights.values()).mean()),
        "rules": {
            f"{one} and {other}": float(shared(pixels[one], pixels[other]).mean())
            for one, other in combinations(maps, 2)
        },
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
        networks.append({"faces": len(kept), **measure(network, test.images[kept], test.labels[kept])})
    rows, columns = _grid(test.images, SIDE)
    values = {
        "side": SIDE,
        "blocks": rows * columns,
        "greatest": greatest(rows * columns),
        "networks": networks,
        "cpu_seconds": round(time.process_time() - start),
    }
    settings = {"seeds": list(intensity.SEEDS), "epochs": intensity.EPOCHS}
    return records.write(RECORD, values, faces=faces, module=__file__, **settings)


def drawn(network: nn.Module, test: intensity.Faces, count: int = COUNT, seed: int = 0) -> np.ndarray:
    """Places of at most `count` faces, drawn at random with a seed, that show an emotion and are named rightly."""
    predicted = lrp.scores(network, test.images).argmax(1)
    right = np.flatnonzero(((predicted == test.labels) & (test.labels != intensity.NEUTRAL)).numpy())
    return np.sort(np.random.default_rng(seed).permutation(right)[:count])


def _grid(values: Tensor, side: int) -> tuple[int, int]:
    height, width = values.shape[2:]
    if height % side or width % side:
        raise ValueError(f"blocks of {side} pixels do not fill pictures of {height} by {width}")
    return height // side, width // side


def _enlarged(values: Tensor, side: int) -> Tensor:
    """(N, C, H, W) with each value as a block."""
    return values.repeat_interleave(side, 2).repeat_interleave(side, 3)
