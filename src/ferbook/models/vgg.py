"""VGG (Simonyan and Zisserman 2015) with three heads, and the VGG13 of FER+ (Barsoum et al. 2016).

The layers have torchvision's names, so its weights fit. ReLUs are not in place: relevance propagation needs what they
were given.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from ferbook.models.layers import one_of, share

# Convolutions of 64, 128, 256, 512 and 512 channels, a pooling layer after each group.
_GROUPS: dict[int, tuple[int, ...]] = {13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
_CHANNELS = (64, 128, 256, 512, 512)

HEADS: tuple[str, ...] = ("full", "dense")


class Vgg(nn.Module):
    """Features, pooling to a fixed size, classifier: (N, C, H, W), sides from 32 -> logits (N, num_classes)."""

    def __init__(self, features: nn.Sequential, pooled: int, classifier: nn.Module):
        super().__init__()
        self.features = features
        self.avgpool = nn.AdaptiveAvgPool2d(pooled)
        self.classifier = classifier
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
                nn.init.zeros_(layer.bias)
            elif isinstance(layer, nn.Linear):
                nn.init.normal_(layer.weight, 0, 0.01)
                nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, num_classes)."""
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def vgg(
    num_classes: int,
    in_channels: int,
    *,
    depth: int = 16,
    head: str = "full",
    frozen: bool = False,
    dropout: float | None = None,
) -> Vgg:
    """VGG13, VGG16 or VGG19, without batch normalisation.

    Parameters
    ----------
    depth: 13, 16 or 19.
    head: "full": pooled to 7 x 7, then 4096-4096-num_classes with ReLU and dropout, the original's and paper 001's
        (section III.A); 134,289,223 parameters for depth 16, 3 channels and 7 classes. "dense": pooled to 1 x 1, one
        linear layer, for paper 002's 48-pixel faces, whose features are 1 x 1 already; 14,718,792 parameters for
        depth 16, 3 channels and 8 classes.
    frozen: keep the convolutions as they are, as paper 001 does with ImageNet's; 119,574,535 of its parameters remain
        trainable. With random weights that is of use in tests only.
    dropout: after each ReLU of the full head, or before the dense one; None: .5 and none.
    """
    one_of("depth", depth, _GROUPS)
    one_of("head", head, HEADS)
    rate = share("dropout", dropout if dropout is not None else 0.5 if head == "full" else 0.0)
    features = _features(in_channels, _GROUPS[depth])
    if head == "full":
        model = Vgg(features, 7, _dense_layers(7 * 7 * 512, 4096, num_classes, rate))
    else:
        model = Vgg(features, 1, nn.Sequential(nn.Dropout(rate), nn.Linear(512, num_classes)))
    model.features.requires_grad_(not frozen)
    return model


def vgg13_ferplus(num_classes: int, in_channels: int) -> Vgg:
    """The "custom VGG13" that FER+ was introduced with, for 64 x 64 grey faces; 8,757,704 parameters for 8 classes.

    Ten convolutions of at most 256 channels, dropout .25 after each of four pooling layers, 1024-1024-num_classes with
    dropout .5. Faces of other sizes are pooled to the 4 x 4 that 64 pixels leave.
    """
    features = _features(in_channels, (2, 2, 3, 3), (64, 128, 256, 256), dropout=0.25)
    return Vgg(features, 4, _dense_layers(4 * 4 * 256, 1024, num_classes, 0.5))


def _features(
    in_channels: int, groups: Sequence[int], channels: Sequence[int] = _CHANNELS, dropout: float = 0.0
) -> nn.Sequential:
    layers: list[nn.Module] = []
    before = in_channels
    for width, count in zip(channels, groups, strict=True):
        for _ in range(count):
            layers += [nn.Conv2d(before, width, 3, padding=1), nn.ReLU()]
            before = width
        layers.append(nn.MaxPool2d(2))
        if dropout:
            layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers)


def _dense_layers(inputs: int, width: int, num_classes: int, dropout: float) -> nn.Sequential:
    hidden = [layer for size in (inputs, width) for layer in (nn.Linear(size, width), nn.ReLU(), nn.Dropout(dropout))]
    return nn.Sequential(*hidden, nn.Linear(width, num_classes))
