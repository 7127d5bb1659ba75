"""ResNets (He et al. 2016), as torchvision has them."""

from torch import Tensor, nn
from torchvision import models
from torchvision.models import ResNet

from ferbook.models.layers import one_of, set_in_channels

_DEPTHS = {18: models.resnet18, 34: models.resnet34, 50: models.resnet50}

#: ResNets of 512-dimensional features, the trunks of the region and attention networks.
TRUNKS: tuple[str, ...] = ("resnet18", "resnet34")


def resnet(num_classes: int, in_channels: int, *, depth: int = 18) -> ResNet:
    """ResNet-18, -34 or -50: (N, C, H, W) -> logits (N, num_classes).

    With 3 channels and 8 classes they have 11,180,616, 21,288,776 and 23,524,424 parameters.
    """
    one_of("depth", depth, _DEPTHS)
    return set_in_channels(_DEPTHS[depth](num_classes=num_classes), in_channels)


def trunk(name: str, in_channels: int) -> ResNet:
    """A ResNet of ``TRUNKS`` without its last layer: (N, C, H, W) -> pooled features (N, 512).

    Raises ConfigError for another name.
    """
    one_of("trunk", name, TRUNKS)
    model = resnet(1, in_channels, depth=int(name.removeprefix("resnet")))
    model.fc = nn.Identity()
    return model


def feature_maps(model: ResNet, x: Tensor) -> Tensor:
    """What a ResNet has before it pools, (N, D, H / 32, W / 32) rounded up."""
    x = model.maxpool(model.relu(model.bn1(model.conv1(x))))
    return model.layer4(model.layer3(model.layer2(model.layer1(x))))
