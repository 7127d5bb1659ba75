"""How much memory a training step of paper 002's networks needs, and how many pictures at once a card then holds.

The report says that its cards' memory kept large data sets out (section 5.1.2). What a step needs depends on the
network, on the size of a picture and on how many it takes at once, and not on how many pictures there are: ``ferbook
record memory`` writes ``data/recorded/002/memory.json``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from ferbook import models
from ferbook.core import records
from ferbook.datasets import load
from ferbook.faces.emotions import EMOTIONS
from ferbook.papers.nhot.architectures import DAN_SIDE, SIDE

RECORD = "002/memory"
#: What is counted: a network of the report, the side of its pictures, and how many classes; VGG16 also on ImageNet's.
COUNTED: Mapping[str, tuple[str, int, int]] = {
    "VGG16, faces": ("vgg16_48", SIDE, len(EMOTIONS)),
    "VGG16, ImageNet": ("vgg16", 224, 1000),
    "RAN": ("ran", SIDE, len(EMOTIONS)),
    "DAN": ("dan", DAN_SIDE, len(EMOTIONS)),
    "MTEN": ("mten", SIDE, len(EMOTIONS)),
}
#: Numbers of 32 bits that training by Adam keeps for each weight: itself, its gradient and two moments.
KEPT_PER_WEIGHT = 4
MIB = 2**20


def needed(network: str, side: int, classes: int) -> dict[str, float]:
    """MiB that a training step in 32 bits keeps: ``weights``, whatever the batch, and those of each ``picture``.

    The latter are the maps that wait for the backward pass, as torch keeps them, taken from two batches' difference.
    """
    model = models.build(network, classes, seed=0)
    channels = models.describe(network).in_channels
    few, more = (_waiting(model, torch.zeros(count, channels, side, side)) for count in (2, 4))
    parameters = models.parameter_count(model)
    return {
        "weights": 4 * KEPT_PER_WEIGHT * parameters / MIB,
        "picture": (more - few) / 2 / MIB,
    }


def _waiting(model: nn.Module, images: Tensor) -> int:
    """Bytes that wait for the backward pass of a batch, each piece of memory counted once, weights left out."""
    own = {one.untyped_storage().data_ptr() for one in (*model.parameters(), *model.buffers())}
    found: dict[int, int] = {}
    alive = []

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            found[storage.data_ptr()] = storage.nbytes()
            # As long as it lives, no other piece of memory has its address.
            alive.append(storage)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        logits = models.logits(model(images))
        functional.cross_entropy(logits, torch.zeros(len(images), dtype=torch.long))
    return sum(found.values())


def record() -> Path:
    """Count all of ``COUNTED`` and write it; says where."""
    values = {name: {"side": asked[1], **needed(*asked)} for name, asked in COUNTED.items()}
    return records.write(RECORD, values, faces=load("synthetic", count=10, seed=0), module=__file__, seed=0)
