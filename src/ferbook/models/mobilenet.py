"""MobileNet, version 1 (Howard et al. 2017); paper 002 (section 4.2.1) uses Keras's, torchvision has later ones only.

Structure, batch-norm's epsilon and momentum, ReLU6 and the padding of strided layers (below and right only) follow
Keras. Keras counts the running statistics as parameters: 4,253,864 with 1000 classes, of which 4,231,976 are trainable
and are what is counted here.
"""

from torch import Tensor, nn

from ferbook.models.layers import share

# Output channels and stride of the thirteen blocks.
_BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))


class MobileNet(nn.Module):
    """Depthwise separable convolutions: (N, C, H, W) -> logits (N, num_classes).

    3,215,176 parameters with 3 channels and 8 classes.

    Parameters
    ----------
    dropout: before the classifier; Keras's default is almost none.
    """

    def __init__(self, num_classes: int, in_channels: int, *, dropout: float = 1e-3):
        super().__init__()
        layers = _convolution(in_channels, 32, 3, 2)
        before = 32
        for width, stride in _BLOCKS:
            layers += _convolution(before, before, 3, stride, groups=before) + _convolution(before, width, 1, 1)
            before = width
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Dropout(share("dropout", dropout)), nn.Linear(before, num_classes))
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, num_classes)."""
        return self.classifier(self.features(x).mean((2, 3)))


def _convolution(inputs: int, outputs: int, kernel: int, stride: int, groups: int = 1) -> list[nn.Module]:
    pad: list[nn.Module] = [nn.ZeroPad2d((0, 1, 0, 1))] if stride == 2 else []
    padding = 0 if pad else kernel // 2
    layer = nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False)
    return [*pad, layer, nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.01), nn.ReLU6()]
