"""EfficientNet-B0 to B7 (Tan and Le 2019), as torchvision has them.

Keras's and timm's "tf_" variants pad strided layers on one side more than on the other ("same" padding) and use
batch-norm epsilon 1e-3 in all sizes; torchvision pads evenly and does so for B5 to B7 only. Numbers of parameters are
the same, but weights trained in one do not give the same outputs in the other.
"""

from torch import nn
from torchvision import models
from torchvision.models import EfficientNet

from ferbook.models.convolutions import quickened
from ferbook.models.layers import one_of, set_in_channels, share

_SIZES = {f"b{i}": getattr(models, f"efficientnet_b{i}") for i in range(8)}


def efficientnet(
    num_classes: int,
    in_channels: int,
    *,
    size: str = "b0",
    dropout: float | None = None,
    stochastic_depth: float = 0.2,
) -> EfficientNet:
    """EfficientNet: (N, C, H, W) -> logits (N, num_classes).

    With 3 channels and 8 classes B0 has 4,017,796 parameters and B2 7,712,266.

    Parameters
    ----------
    size: "b0" to "b7".
    dropout: before the classifier; None: .2 to .5, growing with the size.
    stochastic_depth: share of images for which the last block is skipped in training; earlier ones are less.
    """
    one_of("size", size, _SIZES)
    skipped = share("stochastic_depth", stochastic_depth)
    model = _SIZES[size](num_classes=num_classes, stochastic_depth_prob=skipped)
    if dropout is not None:
        model.classifier[0] = nn.Dropout(share("dropout", dropout))
    return set_in_channels(quickened(model), in_channels)


def trunk(size: str, in_channels: int) -> tuple[EfficientNet, int]:
    """An EfficientNet without dropout, stochastic depth and classifier, and the length D of its features (N, D).

    B0: 1280 features, 4,007,548 parameters; B2: 1408 features, 7,700,994 parameters. Raises ConfigError if the size is
    unknown.
    """
    one_of("trunk", size, _SIZES)
    model = efficientnet(1, in_channels, size=size, stochastic_depth=0.0)
    width = model.classifier[1].in_features
    model.classifier = nn.Identity()
    return model, width
