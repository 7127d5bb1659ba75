"""DenseNets (Huang et al. 2017), as torchvision has them."""

from torchvision import models
from torchvision.models import DenseNet

from ferbook.models.layers import one_of, set_in_channels

_DEPTHS = {169: models.densenet169, 201: models.densenet201}


def densenet(num_classes: int, in_channels: int, *, depth: int = 169) -> DenseNet:
    """DenseNet-169 or -201: (N, C, H, W) -> logits (N, num_classes); growth rate 32.

    With 3 channels and 8 classes they have 12,497,800 and 18,108,296 parameters.
    """
    one_of("depth", depth, _DEPTHS)
    return set_in_channels(_DEPTHS[depth](num_classes=num_classes), in_channels, mode="fan_in")
