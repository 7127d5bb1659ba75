"""CBAM (Woo et al. 2018) in ResNet-50, the network of paper 000 (sections 2.4.2 and 2.4.3).

A channel gate, then a spatial gate. The paper does not settle where: the last block's features "become input for the
attention module" (2.4.2), which is "applied in stages after certain CNN blocks" (2.4.3), and CBAM's own authors put one
into each block. All three are here, and none at all for the ablation.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torchvision.models import ResNet
from torchvision.models.resnet import Bottleneck

from ferbook.errors import ConfigError
from ferbook.models.layers import evaluating, one_of, set_in_channels

#: In all 16 residual blocks, after each of the four stages, after the last stage, or nowhere.
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
        if reduction < 1 or channels < reduction:
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


class CbamResNet(ResNet):
    """ResNet-50 whose gates can be looked at; see :func:`resnet50_cbam`."""

    @torch.no_grad()
    def attention(self, x: Tensor) -> dict[str, Attention]:
        """Gates of every CBAM for a batch (N, C, H, W), in evaluation mode, by name ("layer4.cbam"), in order."""
        gates: dict[nn.Module, Tensor] = {}

        def keep(gate: nn.Module, _: object, output: Tensor) -> None:
            gates[gate] = output

        blocks = {name: module for name, module in self.named_modules() if isinstance(module, Cbam)}
        hooks = [
            gate.register_forward_hook(keep) for block in blocks.values() for gate in (block.channel, block.spatial)
        ]
        try:
            with evaluating(self):
                self(x)
        finally:
            for hook in hooks:
                hook.remove()
        return {
            name: Attention(gates[block.channel][:, :, 0, 0], gates[block.spatial][:, 0])
            for name, block in blocks.items()
        }


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
    stages = {"stages": (1, 2, 3, 4), "last": (4,)}.get(placement, ())
    for stage in stages:
        model.get_submodule(f"layer{stage}").add_module("cbam", Cbam(128 * 2**stage))
    for module in model.modules():
        if isinstance(module, SpatialGate):  # ResNet's own initialisation sets every batch-norm's weight to 1
            module.half_open()
    return set_in_channels(model, in_channels)
