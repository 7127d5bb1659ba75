"""What it gains to write gradients and steps out that torch would do by itself: both ways take turns, on one thread."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn import functional

from ferbook import models
from ferbook.learning import optimisers, orthogonality
from ferbook.measures import turns
from ferbook.models.convolutions import DepthwiseConv2d, PointwiseConv2d


def gradients(batch: int = 64, filters: int = 512, least: int = 4, most: int = 12) -> dict[str, object]:
    """Seconds of each, the least of all turns, and how many times as fast it is.

    ``depthwise``: a training step of MTEN on 48-pixel images, whose depthwise kernels are larger than its last maps.
    ``pointwise``: the same step, with and without 1 x 1 convolutions as products of matrices.
    ``orthogonality``: the loss of a 3 x 3 convolution and its gradient, by frequencies and by displacements.
    ``optimiser``: a step of Adam on VGG16's weights, channels last, and torch's own.

    Parameters
    ----------
    batch: images of a step.
    filters: of the convolution, and its inputs.
    least, most: turns.
    """
    pairs = {
        "depthwise": _mten_steps(batch, DepthwiseConv2d),
        "pointwise": _mten_steps(batch, PointwiseConv2d),
        "orthogonality": _losses(filters),
        "optimiser": _adam_steps(),
    }
    found: dict[str, object] = {"batch": batch, "filters": filters}
    with _one_thread():
        for name, (quick, plain) in pairs.items():
            quick()
            plain()
            timed = turns.factor(plain, quick, least=least, most=most)
            seconds = {"s": min(timed.fast_s), "plain_s": min(timed.slow_s)}
            found |= {f"{name}_{key}": round(value, 4) for key, value in seconds.items()}
            found |= turns.figures(timed, f"{name}_")
    return found


@contextmanager
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def plainly(model: nn.Module, kind: type[nn.Conv2d]) -> nn.Module:
    """A network, changed in place, whose layers of one of the quick kinds are torch's own again."""
    for layer in model.modules():
        if type(layer) is kind:
            layer.__class__ = nn.Conv2d
    return model


def _mten_steps(batch: int, kind: type[nn.Conv2d]) -> tuple[Callable[[], None], Callable[[], None]]:
    quick = models.build("mten", in_channels=1, seed=0)
    plain = plainly(deepcopy(quick), kind)
    images = torch.rand(batch, 1, 48, 48, generator=torch.Generator().manual_seed(0))
    return _step(quick, images), _step(plain, images)


def _step(model: nn.Module, images: Tensor) -> Callable[[], None]:
    model = model.to(memory_format=torch.channels_last)
    optimiser = optimisers.AdamW(list(model.parameters()), lr=1e-3)
    targets = torch.arange(len(images)) % 8

    def once() -> None:
        optimiser.zero_grad()
        functional.cross_entropy(models.logits(model(images)), targets).backward()
        optimiser.step()

    return once


def _adam_steps() -> tuple[Callable[[], object], Callable[[], object]]:
    def step(kind: type[torch.optim.Adam], **options: object) -> Callable[[], object]:
        model = models.build("vgg16_48", in_channels=1, seed=0).to(memory_format=torch.channels_last)
        for weight in model.parameters():
            weight.grad = torch.full_like(weight, 1e-3)
        return kind(list(model.parameters()), lr=1e-4, **options).step

    return step(optimisers.Adam), step(torch.optim.Adam, fused=True)


def _losses(filters: int) -> tuple[Callable[[], None], Callable[[], None]]:
    kernel = torch.randn(filters, filters, 3, 3, generator=torch.Generator().manual_seed(0)).requires_grad_()

    def quick() -> None:
        orthogonality.convolutional_form(kernel).backward()

    def plain() -> None:
        orthogonality.by_displacements(kernel, 1, (2, 2)).backward()

    return quick, plain
