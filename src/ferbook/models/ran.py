"""RAN, the region attention network (Wang et al. 2020), and its region-biased loss; paper 002, section 3.5.

Six images of a face, five regions and the whole, go through one trunk; attention decides how much each counts.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from ferbook.models.resnet import trunk as resnet_trunk

#: Fixed regions as (side, left, top), shares of the image: upper left, upper right, lower centre, and two about the
#: centre. The order is that of the authors' figure; their code lacks the cropping, and the sides are as they are quoted
#: by later work.
REGIONS: tuple[tuple[float, float, float], ...] = (
    (0.75, 0.0, 0.0),
    (0.75, 0.25, 0.0),
    (0.75, 0.125, 0.25),
    (0.9, 0.05, 0.05),
    (0.85, 0.075, 0.075),
)


class RanOutput(NamedTuple):
    """logits: (N, num_classes). alpha: (N, 6), weights of the regions, the whole face last; rows sum to 1."""

    logits: Tensor
    alpha: Tensor


def region_crops(images: Tensor) -> Tensor:
    """Five fixed regions and the whole image: float (N, C, H, W) -> (N, 6, C, H, W), the whole last.

    Regions are cut at whole pixels and enlarged to the image's size with bilinear interpolation.
    """
    height, width = images.shape[-2:]
    crops = []
    for side, left, top in REGIONS:
        rows, columns = round(side * height), round(side * width)
        y, x = min(round(top * height), height - rows), min(round(left * width), width - columns)
        region = images[..., y : y + rows, x : x + columns]
        crops.append(functional.interpolate(region, (height, width), mode="bilinear", align_corners=False))
    return torch.stack([*crops, images], 1)


class RegionAttention(nn.Module):
    """Self-attention, then relation attention over K regions' features f_i (N, K, D) -> fused (N, 2D), alpha (N, K).

    alpha = softmax_i sigmoid(w f_i + b), f_m = sum_i alpha_i f_i, beta = softmax_i sigmoid(v [f_i; f_m] + c), fused =
    sum_i alpha_i beta_i [f_i; f_m] / sum_i alpha_i beta_i. A softmax of six sigmoids lies between 1 / (1 + 5 e) =
    .069 and e / (e + 5) = .352, so no region is ever ignored, and margins have a ceiling. 3 D + 2 parameters.
    """

    def __init__(self, features: int):
        super().__init__()
        self.alpha = nn.Linear(features, 1)
        self.beta = nn.Linear(2 * features, 1)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Fused features and the self-attention."""
        alpha = torch.sigmoid(self.alpha(features)).softmax(1)  # (N, K, 1)
        mean = (alpha * features).sum(1, keepdim=True)  # (N, 1, D)
        pairs = torch.cat([features, mean.expand_as(features)], 2)  # (N, K, 2D)
        beta = torch.sigmoid(self.beta(pairs)).softmax(1)  # (N, K, 1)
        weight = alpha * beta
        return (weight * pairs).sum(1) / weight.sum(1), alpha[:, :, 0]


class RegionAttentionNetwork(nn.Module):
    """Regions (N, 6, C, H, W), or faces (N, C, H, W) of which ``region_crops`` are taken -> ``RanOutput``.

    11,186,250 parameters with ResNet-18, 3 channels and 8 classes; 21,294,410 with ResNet-34.

    Parameters
    ----------
    trunk: "resnet18" or "resnet34".
    """

    def __init__(self, num_classes: int, in_channels: int, *, trunk: str = "resnet18"):
        super().__init__()
        self.trunk = resnet_trunk(trunk, in_channels)
        self.attention = RegionAttention(512)
        self.fc = nn.Linear(2 * 512, num_classes)

    def forward(self, x: Tensor) -> RanOutput:
        """Every region through the trunk, in one batch, then attention."""
        if x.ndim == 4:
            x = region_crops(x)
        features = self.trunk(x.flatten(0, 1)).unflatten(0, x.shape[:2])
        fused, alpha = self.attention(features)
        return RanOutput(self.fc(fused), alpha)


def region_bias_loss(alpha: Tensor, margin: float = 0.1) -> Tensor:
    """Mean of max(0, margin - (largest alpha of a crop - alpha of the whole face)): some crop should beat the whole.

    Parameters
    ----------
    alpha: (N, K), the whole face last, as the network returns it (after softmax).
    margin: .1 in the authors' code for FER+, .03 for AffectNet.

    Returns
    -------
    Scalar, added to the cross entropy with weight 1.

    Raises
    ------
    ValueError: unless there are two regions or more.
    """
    if alpha.ndim != 2 or alpha.shape[1] < 2:
        raise ValueError(f"alpha must have shape (N, K) with K of at least 2, not {tuple(alpha.shape)}")
    return functional.relu(margin - (alpha[:, :-1].amax(1) - alpha[:, -1])).mean()
