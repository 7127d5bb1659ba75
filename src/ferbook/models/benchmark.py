"""What it gains to write out the gradient of depthwise kernels that are larger than the image."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn import functional

from ferbook import models
from ferbook.measures import turns
from ferbook.models.depthwise import DepthwiseConv2d


def depthwise(
    network: str = "mten", side: int = 48, batch: int = 64, least: int = 4, most: int = 12
) -> dict[str, object]:
    """Seconds of a training step on one thread, and how many times as fast it is as with torch's own layers.

    Parameters
    ----------
    network: one with such layers.
    side, batch: of the images, in grey.
    least, most: turns.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        quick = models.build(network, in_channels=1, seed=0)
        plain = plainly(deepcopy(quick))
        images = torch.rand(batch, 1, side, side, generator=torch.Generator().manual_seed(0))
        fast, slow = (_step(model, images) for model in (quick, plain))
        fast()
        slow()
        found = turns.factor(slow, fast, least=least, most=most)
    finally:
        torch.set_num_threads(threads)
    seconds = {"step_s": min(found.fast_s), "plain_step_s": min(found.slow_s)}
    return {
        "network": network,
        "batch": batch,
        **{name: round(value, 4) for name, value in seconds.items()},
        **turns.figures(found, "depthwise_"),
    }


def plainly(model: nn.Module) -> nn.Module:
    """A network, changed in place, whose depthwise layers are torch's own again."""
    for layer in model.modules():
        if type(layer) is DepthwiseConv2d:
            layer.__class__ = nn.Conv2d
    return model


def _step(model: nn.Module, images: Tensor) -> Callable[[], None]:
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
    targets = torch.arange(len(images)) % 8

    def once() -> None:
        optimiser.zero_grad()
        functional.cross_entropy(models.logits(model(images)), targets).backward()
        optimiser.step()

    return once
