"""What several architectures need."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from ferbook.core.errors import ConfigError


def set_in_channels(model: nn.Module, channels: int, mode: str = "fan_out") -> nn.Module:
    """Give the first convolution of a network built for three channels another number of them.

    Parameters
    ----------
    model: changed in place, and returned.
    channels: of the images to come; with three nothing happens.
    mode: of the Kaiming initialisation of the new kernel, as in ``torch.nn.init.kaiming_normal_``.
    """
    name, old = next((name, layer) for name, layer in model.named_modules() if isinstance(layer, nn.Conv2d))
    if channels == old.in_channels:
        return model
    new = nn.Conv2d(channels, old.out_channels, old.kernel_size, old.stride, old.padding, bias=old.bias is not None)
    nn.init.kaiming_normal_(new.weight, mode=mode, nonlinearity="relu")
    if new.bias is not None:
        nn.init.zeros_(new.bias)
    model.set_submodule(name, new)
    return model


def one_of(field: str, value: object, allowed: Collection[object]) -> None:
    """Refuse a value that is not allowed. Raises ConfigError naming the field and what is allowed."""
    if value not in tuple(allowed):
        raise ConfigError(field, f"{value!r} is unknown", f"Use one of {', '.join(map(str, allowed))}.")


def whole(field: str, value: object, least: int = 1, most: int | None = None) -> None:
    """Refuse what is not a whole number from `least` on, up to `most` where that is given; True is none either.

    Raises ConfigError naming the field.
    """
    if type(value) is not int or value < least or (most is not None and value > most):
        allowed = f"above {least - 1}" if most is None else f"from {least} to {most}"
        raise ConfigError(field, f"{value!r} is not a whole number {allowed}")


def share(field: str, value: float) -> float:
    """Refuse a dropout that is not in [0, 1). Raises ConfigError naming the field."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1:
        raise ConfigError(field, f"{value!r} is not a share from 0 to below 1")
    return value


class Enlarged:
    """A hook before a network: smaller images (N, C, H, W) are enlarged to a side in pixels first, bilinearly.

    A face of 48 pixels then meets kernels that are made for larger pictures. No layer: weights keep their names.
    """

    def __init__(self, side: int):
        whole("enlarge", side)
        self.side = side

    def __call__(self, network: nn.Module, arguments: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """What the network is given instead of `arguments`, the first of which are images."""
        images, *others = arguments
        if images.shape[-1] >= self.side:
            return arguments
        size = (self.side, self.side)
        return nn.functional.interpolate(images, size=size, mode="bilinear", align_corners=False), *others


@torch.no_grad()
def outputs(model: nn.Module, x: Tensor, parts: Iterable[nn.Module]) -> dict[nn.Module, Tensor]:
    """What each of some parts of a network gives as a batch passes through it in evaluation mode; in that order."""
    found: dict[nn.Module, Tensor] = {}

    def keep(part: nn.Module, _: object, output: Tensor) -> None:
        found[part] = output

    hooks = [part.register_forward_hook(keep) for part in parts]
    try:
        with evaluating(model):
            model(x)
    finally:
        for hook in hooks:
            hook.remove()
    return found


@torch.no_grad()
def measure_norms(model: nn.Module, images: Tensor, batch: int = 64) -> None:
    """Give batch norm the statistics of images without changing what the network answers in evaluation mode.

    Where batch norm has been folded into a scale and a shift, its statistics are lost, and a first step of training,
    with those of a batch, would see another network. Mean and variance before each scale are measured, and scale and
    shift undo what they do.

    Parameters
    ----------
    model: changed in place. Each of its batch norms is applied once per pass.
    images: (N, C, H, W) as the network takes them, N from 1 on.
    batch: images per pass.

    Raises
    ------
    ValueError: without images.
    """
    if not len(images):
        raise ValueError("there are no images to measure batch norm's statistics on")
    norms = [layer for layer in model.modules() if isinstance(layer, nn.BatchNorm2d)]
    sums = {layer: torch.zeros(2, layer.num_features, dtype=torch.float64) for layer in norms}
    counts = dict.fromkeys(norms, 0)

    def add(layer: nn.BatchNorm2d, given: tuple[Tensor, ...]) -> None:
        values = given[0].double()
        sums[layer] += torch.stack([values.sum((0, 2, 3)), values.square().sum((0, 2, 3))]).cpu()
        counts[layer] += values.numel() // values.shape[1]

    hooks = [layer.register_forward_pre_hook(add) for layer in norms]
    try:
        with evaluating(model):
            for some in images.split(batch):
                model(some)
    finally:
        for hook in hooks:
            hook.remove()
    for layer in norms:
        mean, square = sums[layer] / counts[layer]
        variance = square - mean.square()
        scale = layer.weight.double().cpu() / (layer.running_var.double().cpu() + layer.eps).sqrt()
        layer.bias.copy_(layer.bias.double().cpu() + scale * (mean - layer.running_mean.double().cpu()))
        layer.weight.copy_(scale * (variance + layer.eps).sqrt())
        layer.running_mean.copy_(mean)
        layer.running_var.copy_(variance)


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode within the block; afterwards every module is in the mode it was in."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
