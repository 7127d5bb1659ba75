"""The book's compact network as relevance needs it: every sum and every mean a layer of its own, so that it has a rule.

In the network itself two branches are added by a plus sign and pixels averaged by a call, which no composite sees. Here
a sum shares relevance out in proportion to what each branch brought, and so does the mean. The answers stay the same.

Residual networks are where propagation is least sure: before a ReLU two branches may nearly cancel, and then each is
given much more relevance than arrived. What flows on is bounded only because a unit that the ReLU switched off gets
none.
"""

import copy

import torch
from torch import Tensor, nn
from zennit.layer import Sum

from ferbook.core.errors import ConfigError
from ferbook.models.compact import Compact, Residual


class _Block(nn.Module):
    """A residual block whose sum is a layer."""

    def __init__(self, block: Residual):
        super().__init__()
        self.branch, self.shortcut, self.relu = block.branch, block.shortcut, block.relu
        self.sum = Sum()

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(self.sum(torch.stack([self.branch(x), self.shortcut(x)], dim=-1)))


def in_layers(network: nn.Module) -> nn.Sequential:
    """A copy of a compact network with the same logits (N, classes), in evaluation mode, for ``lrp.relevance``.

    Raises ConfigError if it is another architecture.
    """
    if not isinstance(network, Compact):
        raise ConfigError("model", f"{type(network).__name__} is no compact network", "Only those are explained here.")
    own = copy.deepcopy(network)
    blocks = (_Block(block) for block in own.blocks)
    return nn.Sequential(*own.stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), own.head).eval()
