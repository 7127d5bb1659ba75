"""The networks of papers 003 and 004: emotion category together with valence, arousal and dominance.

All are made of the ResNet-18 for small images that table 2 of paper 003 lists: a 3 x 3 stem without stride, no
max-pooling, stages of 64 to 512 channels, global average pooling. It takes three channels; grey faces are repeated.
The papers speak of one multi-task model; the authors' published code trains four separate networks, which share no
parameter and meet in the loss alone. Both readings are here, with the same output.

The network has 11,169,345 parameters for one output. Table 2 prints 14,614,081, which is indeed the sum of its rows:
it divides strided kernels by the square of the stride, counts one 512-512 kernel three times, and gives the 1 x 1
shortcut of the second stage nine taps.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torchvision.models import ResNet
from torchvision.models.resnet import BasicBlock

from ferbook.core.errors import ConfigError
from ferbook.faces.emotions import VAD_AXES
from ferbook.models.compact import Residual


class VadOutput(NamedTuple):
    """logits: (N, num_classes). vad: (N, A), one column per axis in the order of ``axes``, unbounded."""

    logits: Tensor
    vad: Tensor


def two_outputs(output: Tensor | VadOutput, classes: int) -> VadOutput:
    """A network's output in two: of a plain network, whose last layer gives both, the first `classes` are logits."""
    return output if isinstance(output, VadOutput) else VadOutput(output[:, :classes], output[:, classes:])


def cifar_resnet18(num_classes: int, in_channels: int) -> ResNet:
    """ResNet-18 for small images: (N, C, H, W) -> (N, num_classes); for a regressor give ``num_classes=1``.

    11,172,423 parameters with 3 channels and 7 classes, 11,169,345 with one output.
    """
    model = ResNet(BasicBlock, [2, 2, 2, 2], num_classes)
    model.conv1 = nn.Conv2d(in_channels, 64, 3, padding=1, bias=False)
    nn.init.kaiming_normal_(model.conv1.weight, mode="fan_out", nonlinearity="relu")
    model.maxpool = nn.Identity()
    return model


class SharedVad(nn.Module):
    """One trunk with a category head and a regression head: (N, C, H, W) -> ``VadOutput``.

    11,173,962 parameters with 3 channels, 7 classes and all axes.

    Parameters
    ----------
    axes: which of valence, arousal and dominance to regress; paper 003 also pairs the category with each one alone.
    """

    def __init__(self, num_classes: int, in_channels: int, *, axes: Sequence[str] = VAD_AXES):
        super().__init__()
        self.axes = _checked(axes)
        self.trunk = cifar_resnet18(1, in_channels)
        self.trunk.fc = nn.Identity()
        self.category = nn.Linear(512, num_classes)
        self.vad = nn.Linear(512, len(self.axes))

    def forward(self, x: Tensor) -> VadOutput:
        """Both heads on the same features."""
        features = self.trunk(x)
        return VadOutput(self.category(features), self.vad(features))


class SeparateVad(nn.Module):
    """A classifier and one regressor per axis, nothing shared: (N, C, H, W) -> ``VadOutput``.

    44,680,458 parameters with 3 channels, 7 classes and all axes.

    Parameters
    ----------
    axes: as in ``SharedVad``.
    """

    def __init__(self, num_classes: int, in_channels: int, *, axes: Sequence[str] = VAD_AXES):
        super().__init__()
        self.axes = _checked(axes)
        self.category = cifar_resnet18(num_classes, in_channels)
        self.regressors = nn.ModuleDict({axis: cifar_resnet18(1, in_channels) for axis in self.axes})

    def forward(self, x: Tensor) -> VadOutput:
        """Every network on the same faces."""
        return VadOutput(self.category(x), torch.cat([self.regressors[axis](x) for axis in self.axes], 1))


def regularised_layers(model: nn.Module) -> list[nn.Conv2d]:
    """Convolutions that the authors' code keeps orthogonal: the first of every block, and the 1 x 1 shortcuts.

    Eleven in each ResNet-18, five in the book's compact network (depth 1); see
    :func:`ferbook.learning.orthogonality.penalty`.
    """
    layers: list[nn.Conv2d] = []
    for block in model.modules():
        if isinstance(block, BasicBlock):
            layers.append(block.conv1)
            if block.downsample is not None:
                layers.append(block.downsample[0])
        elif isinstance(block, Residual):
            layers.append(block.branch[0])
            layers += [layer for layer in block.shortcut.modules() if isinstance(layer, nn.Conv2d)]
    return layers


def _checked(axes: Sequence[str]) -> tuple[str, ...]:
    given = (axes,) if isinstance(axes, str) else tuple(axes)
    if not given or len(set(given)) < len(given) or not set(given) <= set(VAD_AXES):
        raise ConfigError("axes", f"{given} are not different ones of the axes", f"Use some of {', '.join(VAD_AXES)}.")
    return given
