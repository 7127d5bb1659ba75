"""DAN, "distract your attention" (Wen et al. 2021), and its affinity and partition losses; paper 002, section 3.5.

Several attention heads look at the same features; the affinity loss draws the features of a class together, the
partition loss drives the heads apart. The total is cross entropy + affinity + partition, each with weight 1; the
affinity loss's centres belong to the optimiser.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from ferbook.core.errors import ConfigError
from ferbook.models.layers import evaluating, whole
from ferbook.models.resnet import feature_maps
from ferbook.models.resnet import trunk as resnet_trunk

_WIDTH = 512


class DanOutput(NamedTuple):
    """What the losses need.

    logits: (N, num_classes). features: (N, 512), the trunk's, pooled, for ``AffinityLoss``. heads: (N, K, 512), after
    the log-softmax across the K heads, for ``partition_loss``.
    """

    logits: Tensor
    features: Tensor
    heads: Tensor


class AttentionHead(nn.Module):
    """Spatial, then channel attention: maps (N, 512, H, W) -> vector (N, 512); 2,135,904 parameters.

    The sum over channels of ReLU(3x3 + 1x3 + 3x1 convolution of a 1x1 convolution, each with batch-norm) is one map,
    which multiplies all channels (2,102,528 parameters). The pooled result is multiplied by sigmoid(512-32-512 network
    of it), with batch-norm and ReLU inside (33,376).
    """

    def __init__(self) -> None:
        super().__init__()
        half = _WIDTH // 2
        self.reduce = nn.Sequential(nn.Conv2d(_WIDTH, half, 1), nn.BatchNorm2d(half))
        self.shapes = nn.ModuleList(
            nn.Sequential(nn.Conv2d(half, _WIDTH, size, padding="same"), nn.BatchNorm2d(_WIDTH))
            for size in ((3, 3), (1, 3), (3, 1))
        )
        self.channel = nn.Sequential(
            nn.Linear(_WIDTH, _WIDTH // 16),
            nn.BatchNorm1d(_WIDTH // 16),
            nn.ReLU(),
            nn.Linear(_WIDTH // 16, _WIDTH),
            nn.Sigmoid(),
        )
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
                nn.init.zeros_(layer.bias)

    def spatial(self, x: Tensor) -> Tensor:
        """The map, (N, 1, H, W), not below 0 and unbounded."""
        reduced = self.reduce(x)
        return torch.relu(sum(layer(reduced) for layer in self.shapes)).sum(1, keepdim=True)

    def forward(self, x: Tensor) -> Tensor:
        """The attended vector."""
        pooled = (x * self.spatial(x)).mean((2, 3))
        return pooled * self.channel(pooled)


class DistractYourAttention(nn.Module):
    """(N, C, H, W), scaled as ImageNet's -> ``DanOutput``.

    19,724,248 parameters with ResNet-18, 3 channels, 8 classes and 4 heads. In training it needs two faces or more.

    Parameters
    ----------
    heads: number K of attention heads.
    trunk: "resnet18" or "resnet34".
    """

    def __init__(self, num_classes: int, in_channels: int, *, heads: int = 4, trunk: str = "resnet18"):
        super().__init__()
        whole("heads", heads)
        self.trunk = resnet_trunk(trunk, in_channels)
        self.heads = nn.ModuleList(AttentionHead() for _ in range(heads))
        self.fc = nn.Linear(_WIDTH, num_classes)
        self.norm = nn.BatchNorm1d(num_classes)

    def forward(self, x: Tensor) -> DanOutput:
        """Heads side by side, a log-softmax across them, their sum, a linear layer and batch-norm on the logits."""
        maps = feature_maps(self.trunk, x)
        heads = torch.stack([head(maps) for head in self.heads], 1)  # (N, K, 512)
        if len(self.heads) > 1:  # across one head it would be 0 everywhere
            heads = heads.log_softmax(1)
        return DanOutput(self.norm(self.fc(heads.sum(1))), maps.mean((2, 3)), heads)

    @torch.no_grad()
    def attention(self, x: Tensor) -> Tensor:
        """Where each head looks: the spatial maps (N, K, H / 32, W / 32) for a batch, in evaluation mode."""
        with evaluating(self):
            maps = feature_maps(self.trunk, x)
            return torch.cat([head.spatial(maps) for head in self.heads], 1)


class AffinityLoss(nn.Module):
    """Mean squared distance of features to their own class's centre / sum over D of the variance of the centres.

    The centres (num_classes, D) are parameters, 4,096 for 8 classes and 512 features. The variance is the unbiased one.
    """

    def __init__(self, num_classes: int = 8, features: int = _WIDTH):
        super().__init__()
        if num_classes < 2:
            raise ConfigError("num_classes", f"{num_classes} centres have no variance", "Use 2 or more.")
        self.centres = nn.Parameter(torch.randn(num_classes, features))

    def forward(self, features: Tensor, labels: Tensor) -> Tensor:
        """Loss of a batch.

        Parameters
        ----------
        features: (N, D), ``DanOutput.features``.
        labels: (N,) class numbers; of a label distribution, its largest.

        Returns
        -------
        Scalar.
        """
        distance = (features - self.centres[labels]).square().sum(1)
        return distance.mean() / self.centres.var(0).sum()


def partition_loss(heads: Tensor) -> Tensor:
    """log(1 + K / mean variance over the K heads): large where the heads agree.

    Parameters
    ----------
    heads: (N, K, D), ``DanOutput.heads``. The variance is the unbiased one, and a tiny number keeps it from 0.

    Returns
    -------
    Scalar; 0 for one head.
    """
    count = heads.shape[1]
    if count == 1:
        return heads.new_zeros(())
    values = heads if heads.dtype == torch.float64 else heads.float()
    return torch.log1p(count / (values.var(1).mean() + 1e-12))
