"""CBAM (Woo et al. 2018) in ResNets: in ResNet-50, the network of paper 000 (sections 2.4.2 and 2.4.3), and in narrow
ones for 48-pixel faces and a CPU.

A channel gate, then a spatial gate. The paper does not settle where: the last block's features "become input for the
attention module" (2.4.2), which is "applied in stages after certain CNN blocks" (2.4.3), and CBAM's own authors put one
into each block. All three are here, and none at all for the ablation.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torchvision.models import ResNet
from torchvision.models.resnet import BasicBlock, Bottleneck, conv1x1

from ferbook.core.errors import ConfigError
from ferbook.models.layers import one_of, outputs, set_in_channels, share, whole

#: In every residual block, after each of the four stages, after the last stage, or nowhere.
PLACEMENTS: tuple[str | None, ...] = ("blocks", "stages", "last", None)


class Attention(NamedTuple):
    """Gates of one CBAM for a batch, in (0, 1). channel: (N, C). spatial: (N, H, W)."""

    channel: Tensor
    spatial: Tensor


class ChannelGate(nn.Module):
    """One factor per channel: sigmoid(mlp(average over H, W) + mlp(maximum over H, W)), mlp: C -> C / r -> C.

    2 C^2 / r + C / r + C parameters.
    """

    def __init__(self, channels: int, reduction: int = 16):
        super().__init__()
        whole("reduction", reduction)
        if channels < reduction:
            raise ConfigError("reduction", f"{reduction} leaves none of {channels} channels", "Use a smaller number.")
        hidden = channels // reduction
        self.mlp = nn.Sequential(nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, 1, 1)."""
        return torch.sigmoid(self.mlp(x.mean((2, 3))) + self.mlp(x.amax((2, 3))))[:, :, None, None]


class SpatialGate(nn.Module):
    """One factor per place: sigmoid(batch_norm(conv7x7([maximum over C; average over C]))); 100 parameters.

    Batch-norm's weight starts at 0, so the gate starts at one half everywhere, and its kernel gets no gradient in the
    first step.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 1, 7, padding=3, bias=False)
        self.norm = nn.BatchNorm2d(1, momentum=0.01)
        self.half_open()

    def half_open(self) -> None:
        """Set batch-norm to where it starts."""
        nn.init.zeros_(self.norm.weight)
        nn.init.zeros_(self.norm.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, 1, H, W)."""
        return torch.sigmoid(self.norm(self.conv(torch.cat([x.amax(1, keepdim=True), x.mean(1, keepdim=True)], 1))))


class Cbam(nn.Module):
    """Channel gate, then spatial gate: (N, C, H, W) -> the same shape; 2 C^2 / r + C / r + C + 100 parameters."""

    def __init__(self, channels: int, reduction: int = 16):
        super().__init__()
        self.channel = ChannelGate(channels, reduction)
        self.spatial = SpatialGate()

    def forward(self, x: Tensor) -> Tensor:
        """The features times both gates."""
        x = x * self.channel(x)
        return x * self.spatial(x)


class GatedBottleneck(Bottleneck):
    """ResNet-50's residual block with a CBAM on the branch, before the shortcut is added."""

    def __init__(self, inplanes: int, planes: int, *args: object, **kwargs: object):
        super().__init__(inplanes, planes, *args, **kwargs)
        self.cbam = Cbam(planes * self.expansion)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, 4 planes, H / stride, W / stride)."""
        branch = self.relu(self.bn1(self.conv1(x)))
        branch = self.relu(self.bn2(self.conv2(branch)))
        branch = self.cbam(self.bn3(self.conv3(branch)))
        shortcut = x if self.downsample is None else self.downsample(x)
        return self.relu(branch + shortcut)


class GatedBasicBlock(BasicBlock):
    """The residual block of ResNet-18 and -34 with a CBAM on the branch, before the shortcut is added."""

    def __init__(self, inplanes: int, planes: int, *args: object, **kwargs: object):
        super().__init__(inplanes, planes, *args, **kwargs)
        self.cbam = Cbam(planes)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, planes, H / stride, W / stride)."""
        branch = self.relu(self.bn1(self.conv1(x)))
        branch = self.cbam(self.bn2(self.conv2(branch)))
        shortcut = x if self.downsample is None else self.downsample(x)
        return self.relu(branch + shortcut)


class Attentive(nn.Module):
    """A network whose gates can be looked at."""

    def attention(self, x: Tensor) -> dict[str, Attention]:
        """Gates of every CBAM for a batch (N, C, H, W), in evaluation mode, by name ("layer4.cbam"), in order."""
        blocks = {name: module for name, module in self.named_modules() if isinstance(module, Cbam)}
        gates = outputs(self, x, (gate for block in blocks.values() for gate in (block.channel, block.spatial)))
        return {
            name: Attention(gates[block.channel][:, :, 0, 0], gates[block.spatial][:, 0])
            for name, block in blocks.items()
        }


class CbamResNet(Attentive, ResNet):
    """ResNet-50 whose gates can be looked at; see :func:`resnet50_cbam`."""


def resnet50_cbam(num_classes: int, in_channels: int, *, placement: str | None = "blocks") -> CbamResNet:
    """ResNet-50 with CBAM: (N, C, H, W) -> logits (N, num_classes).

    Parameters
    ----------
    placement: one of ``PLACEMENTS``. With 3 channels and 7 classes there are 26,054,967 parameters for "blocks",
        24,223,175 for "stages", 24,048,939 for "last" and 23,522,375 for None, the plain ResNet-50.
    """
    one_of("placement", placement, PLACEMENTS)
    block = GatedBottleneck if placement == "blocks" else Bottleneck
    model = CbamResNet(block, [3, 4, 6, 3], num_classes)
    for stage in _gated_stages(placement):
        model.get_submodule(f"layer{stage}").add_module("cbam", Cbam(128 * 2**stage))
    for module in model.modules():
        if isinstance(module, SpatialGate):  # ResNet's own initialisation sets every batch-norm's weight to 1
            module.half_open()
    return set_in_channels(model, in_channels)


def _gated_stages(placement: str | None) -> tuple[int, ...]:
    return {"stages": (1, 2, 3, 4), "last": (4,)}.get(placement, ())


#: Residual blocks, plain and gated, by the name that :class:`SmallCbamResNet` takes.
BLOCKS: dict[str, tuple[type[nn.Module], type[nn.Module]]] = {
    "basic": (BasicBlock, GatedBasicBlock),
    "bottleneck": (Bottleneck, GatedBottleneck),
}
#: What stands before the last layer's weights: nothing more than ResNet has, or what paper 000 plans (section 3.6).
HEADS: tuple[str, ...] = ("linear", "regularised")


class SmallCbamResNet(Attentive):
    """A narrow ResNet for small pictures, with or without CBAM: (N, C, H, W) -> logits (N, num_classes).

    A 5 x 5 kernel halves the picture at once and there is no pooling behind it, so that faces of 48 pixels pass the
    four stages at 24, 12, 6 and 3 pixels. Otherwise as ResNet: each stage doubles the channels.

    Whatever the placement, the weights that are not attention's are drawn alike from the same seed: the gates' are
    drawn last. Two networks that differ in attention alone can so be compared in pairs.

    Parameters
    ----------
    placement: one of ``PLACEMENTS``.
    block: ``basic`` (ResNet-18 and -34) or ``bottleneck`` (ResNet-50).
    layers: blocks in each of the four stages.
    width: channels of the first stage before a bottleneck's expansion; ResNet has 64.
    reduction: of the channel gates; at least one hidden unit is needed.
    head: ``linear``, or ``regularised``: dropout and batch normalisation before the last layer (section 3.6).
    dropout: of the regularised head.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        *,
        placement: str | None = None,
        block: str = "basic",
        layers: tuple[int, int, int, int] = (1, 1, 1, 1),
        width: int = 16,
        reduction: int = 16,
        head: str = "linear",
        dropout: float = 0.5,
    ):
        super().__init__()
        one_of("placement", placement, PLACEMENTS)
        one_of("block", block, BLOCKS)
        one_of("head", head, HEADS)
        four = isinstance(layers, list | tuple) and len(layers) == 4
        if not (four and all(type(n) is int and 1 <= n <= 36 for n in layers)):
            raise ConfigError("layers", f"{layers!r} are not four whole numbers from 1 to 36")
        whole("width", width, 8, 256)
        plain, gated = BLOCKS[block]
        self.stem = nn.Sequential(
            nn.Conv2d(in_channels, width, 5, stride=2, padding=2, bias=False), nn.BatchNorm2d(width), nn.ReLU()
        )
        channels = width
        for stage, count in enumerate(layers, start=1):
            planes = width * 2 ** (stage - 1)
            blocks = nn.Sequential()
            for number in range(count):
                stride = 2 if stage > 1 and number == 0 else 1
                blocks.append(_residual(plain, channels, planes, stride))
                channels = planes * plain.expansion
            self.add_module(f"layer{stage}", blocks)
        self.features = channels
        regular = [nn.BatchNorm1d(channels), nn.Dropout(share("dropout", dropout))] if head == "regularised" else []
        self.head = nn.Sequential(*regular, nn.Linear(channels, num_classes))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        if placement == "blocks":
            for stage in (1, 2, 3, 4):
                for one in self.get_submodule(f"layer{stage}"):
                    _gate(one, gated, reduction)
        for stage in _gated_stages(placement):
            planes = width * 2 ** (stage - 1) * plain.expansion
            self.get_submodule(f"layer{stage}").add_module("cbam", Cbam(planes, reduction))

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, num_classes)."""
        x = self.stem(x)
        for stage in (1, 2, 3, 4):
            x = self.get_submodule(f"layer{stage}")(x)
        return self.head(x.mean((2, 3)))


def _residual(block: type[nn.Module], inputs: int, planes: int, stride: int) -> nn.Module:
    outputs = planes * block.expansion
    shortcut = None
    if stride != 1 or inputs != outputs:
        shortcut = nn.Sequential(conv1x1(inputs, outputs, stride), nn.BatchNorm2d(outputs))
    return block(inputs, planes, stride, shortcut)


def _gate(block: nn.Module, gated: type[nn.Module], reduction: int) -> None:
    """Put a CBAM into a plain residual block, which becomes a gated one and keeps its weights."""
    last = block.bn3 if isinstance(block, Bottleneck) else block.bn2
    block.cbam = Cbam(last.num_features, reduction)
    block.__class__ = gated
