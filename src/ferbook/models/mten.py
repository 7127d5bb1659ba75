"""MTEN, the multi-task EfficientNet of Savchenko (2021) that paper 002 (section 3.5) takes for FER+.

One trunk, one linear layer for the emotions and one for valence and arousal. The published weights are a timm
"tf_efficientnet_b2_ns" that learnt to recognise faces first; the published network with both heads is a B0. Neither the
padding nor those weights are torchvision's, see :mod:`ferbook.models.efficientnet`. FER+ has no valence and arousal:
trained on it, the second head gets no gradient.
"""

from typing import NamedTuple

from torch import Tensor, nn

from ferbook.models.efficientnet import trunk as efficientnet_trunk


class MtenOutput(NamedTuple):
    """logits: (N, num_classes). valence_arousal: (N, 2), unbounded; the targets lie in [-1, 1]."""

    logits: Tensor
    valence_arousal: Tensor


class MultiTaskEfficientNet(nn.Module):
    """(N, C, H, W), scaled as ImageNet's -> ``MtenOutput``; 7,715,084 parameters with 3 channels and 8 classes.

    Parameters
    ----------
    trunk: "b0" to "b7"; paper 002 names B2. With B0 there are 4,020,358 parameters.
    """

    def __init__(self, num_classes: int, in_channels: int, *, trunk: str = "b2"):
        super().__init__()
        self.trunk, width = efficientnet_trunk(trunk, in_channels)
        self.emotion = nn.Linear(width, num_classes)
        self.valence_arousal = nn.Linear(width, 2)

    def forward(self, x: Tensor) -> MtenOutput:
        """Both heads on the same pooled features."""
        features = self.trunk(x)
        return MtenOutput(self.emotion(features), self.valence_arousal(features))
