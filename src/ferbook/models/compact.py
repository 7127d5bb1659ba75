"""The book's laptop model: a small residual network for 48-pixel faces.

The first layer halves the image at once, and dense 3 x 3 kernels with channels in multiples of eight keep a CPU's
vector units busy: depthwise ones need fewer operations and more time. Channels last is its fast memory format.
"""

from torch import Tensor, nn

from ferbook.core.errors import ConfigError
from ferbook.models.layers import share, whole


class Compact(nn.Module):
    """(N, C, H, W) -> logits (N, num_classes): 5 x 5 stem, residual blocks at 1/2, 1/4 and 1/8 of the size, one layer.

    With one channel and 8 classes: 294,896 parameters, 22 million multiply-adds for a face of 48 pixels.

    Parameters
    ----------
    width: factor on the channels, 24-64-128, which are rounded to multiples of eight; 1.45 gives 0.62 million
        parameters.
    depth: blocks at 1/4 and at 1/8 of the size; 2 gives 0.66 million parameters and 43 million multiply-adds.
    dropout: before the last layer.
    """

    def __init__(self, num_classes: int, in_channels: int, *, width: float = 1.0, depth: int = 1, dropout: float = 0.2):
        super().__init__()
        whole("depth", depth, 1, 8)
        if isinstance(width, bool) or not isinstance(width, (int, float)) or not 0.25 <= width <= 4:
            raise ConfigError("width", f"{width!r} is not a number from 0.25 to 4")
        one, two, three = (max(8, round(width * channels / 8) * 8) for channels in (24, 64, 128))
        self.stem = nn.Sequential(
            nn.Conv2d(in_channels, one, 5, stride=2, padding=2, bias=False), nn.BatchNorm2d(one), nn.ReLU()
        )
        self.blocks = nn.Sequential(
            Residual(one, one),
            Residual(one, two, 2),
            *(Residual(two, two) for _ in range(depth - 1)),
            Residual(two, three, 2),
            *(Residual(three, three) for _ in range(depth - 1)),
        )
        self.head = nn.Sequential(nn.Dropout(share("dropout", dropout)), nn.Linear(three, num_classes))
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, num_classes)."""
        return self.head(self.blocks(self.stem(x)).mean((2, 3)))


class Residual(nn.Module):
    """Two 3 x 3 convolutions and a shortcut, averaged and mixed by a 1 x 1 convolution where the shape changes."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1):
        super().__init__()
        self.branch = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            pool = nn.AvgPool2d(stride, ceil_mode=True) if stride != 1 else nn.Identity()
            mix = nn.Conv2d(inputs, outputs, 1, bias=False)
            self.shortcut = nn.Sequential(pool, mix, nn.BatchNorm2d(outputs))
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, outputs, H / stride, W / stride), rounded up."""
        return self.relu(self.branch(x) + self.shortcut(x))
