"""dlib's network for face recognition (King 2017), a ResNet of 29 convolutions, to start from faces instead of things.

Structure and paddings follow dlib's example ``dnn_face_recognition_ex``, and the scaling of images its layer for them,
because its weights fit here: 5.6 million numbers, learned to tell some 7,500 persons apart on about three million
pictures. They ship inside a Python package of the ordinary index under CC0; the terms of the pictures are another
matter (``data/README.md``). :func:`packaged_state` reads them from dlib's own format.

dlib has folded its batch norm into a scale and a shift of each channel. Here these are batch norm again, so that the
network can be trained; :func:`ferbook.models.layers.measure_norms` gives it statistics of faces to begin with.
"""

import re
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from ferbook.core import extras
from ferbook.models.layers import share

# Channels, number of blocks, and whether the first of them halves the sides, of each level.
_LEVELS = ((32, 3, False), (64, 4, True), (128, 3, True), (256, 3, True), (256, 1, True))
# Red, green and blue that dlib subtracts, and what it divides by.
_MEAN, _DEVIATION = (122.782, 117.001, 104.298), 256.0

#: Package on the ordinary index, its file (sha256), and the extra that names it.
PACKAGE = "face-recognition-models"
FILE = "face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat"
SHA256 = "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30"
EXTRA = "dlib"


class FaceResNet(nn.Module):
    """(N, C, H, W) in [0, 1] -> logits (N, num_classes); the network itself brings images to about [-0.5, 0.5].

    5,580,328 parameters with 3 channels and 8 classes. dlib's images have 150 pixels; of less than 131 its last maps
    are smaller than a kernel, and are filled up with zeros.

    Parameters
    ----------
    dropout: before the classifier.
    """

    def __init__(self, num_classes: int, in_channels: int, *, dropout: float = 0.2):
        super().__init__()
        self.stem = _Convolution(in_channels, 32, 7, 2)
        blocks: list[nn.Module] = []
        before = 32
        for width, count, halves in _LEVELS:
            for i in range(count):
                blocks.append(_Block(before, width, halves and i == 0))
                before = width
        self.blocks = nn.Sequential(*blocks)
        self.classifier = nn.Sequential(nn.Dropout(share("dropout", dropout)), nn.Linear(before, num_classes))
        mean = _MEAN if in_channels == 3 else [sum(_MEAN) / 3] * in_channels
        self.register_buffer("mean", torch.tensor(mean)[:, None, None], persistent=False)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")

    def features(self, x: Tensor) -> Tensor:
        """What the classifier sees: the mean over places of the last maps, (N, 256)."""
        x = (x * 255 - self.mean) / _DEVIATION
        x = functional.max_pool2d(functional.relu(self.stem(x)), 3, 2)
        return self.blocks(x).mean((2, 3))

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, num_classes)."""
        return self.classifier(self.features(x))


class _Convolution(nn.Module):
    """A convolution with batch norm; no padding where it halves the sides."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2 if stride == 1 else 0, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))


class _Block(nn.Module):
    """Residual block. What it adds to is halved by a mean over 2 x 2 places where it halves the sides."""

    def __init__(self, inputs: int, outputs: int, halves: bool):
        super().__init__()
        self.first = _Convolution(inputs, outputs, stride=2 if halves else 1)
        self.second = _Convolution(outputs, outputs)
        self.halves = halves

    def forward(self, x: Tensor) -> Tensor:
        if self.halves:
            height, width = (max(3 - side, 0) for side in x.shape[2:])
            x = functional.pad(x, (0, width, 0, height))
        found = self.second(functional.relu(self.first(x)))
        return functional.relu(_added(functional.avg_pool2d(x, 2) if self.halves else x, found))


def _added(one: Tensor, other: Tensor) -> Tensor:
    """dlib's sum of two batches of maps (``add_prev``); where one has more channels or places, the other has zeros."""
    if one.shape == other.shape:
        return one + other
    largest = [max(pair) for pair in zip(one.shape[1:], other.shape[1:], strict=True)]
    padded = []
    for maps in (one, other):
        channels, height, width = (most - own for most, own in zip(largest, maps.shape[1:], strict=True))
        padded.append(functional.pad(maps, (0, width, 0, height, 0, channels)))
    return padded[0] + padded[1]


def _convolutions(model: nn.Module) -> Iterator[tuple[str, _Convolution]]:
    """In the order in which the network applies them."""
    return ((name, layer) for name, layer in model.named_modules() if isinstance(layer, _Convolution))


def packaged_state(model: FaceResNet) -> dict[str, Tensor]:
    """The packaged tensors of a network for 1 or 3 channels, under its names; none of its classifier.

    In evaluation mode the features are then dlib's; kernels have the standard deviation of the network's own. A network
    for grey images gives what it would for three equal channels: its first kernel is the sum over the three, and what
    dlib subtracts of each goes into the shift.

    Raises
    ------
    FerbookError: if the package is not installed.
    DataError: if its file is not the one that was checked.
    """
    content = extras.content(PACKAGE, FILE, SHA256, EXTRA, "the weights of dlib's face recognition")
    kernels, scales = list(_arrays(content, b"con_4")), list(_arrays(content, b"affine_"))
    found: dict[str, Tensor] = {}
    for (name, layer), numbers, affine in zip(_convolutions(model), kernels, scales, strict=True):
        outputs = layer.conv.out_channels
        inputs = 3 if layer is model.stem else layer.conv.in_channels
        kernel, bias = numbers[:-outputs].view(outputs, inputs, *layer.conv.kernel_size), numbers[-outputs:]
        scale, shift = affine.view(2, outputs)
        if layer is model.stem and layer.conv.in_channels == 1:
            mean = torch.tensor(_MEAN)
            bias = bias + kernel.sum((2, 3)) @ (mean.mean() - mean) / _DEVIATION
            kernel = kernel.sum(1, keepdim=True)
        # Before batch norm, the size of a kernel only says how fast it learns. It gets that of a random start, so that
        # one recipe serves both.
        size = kernel.std() / layer.conv.weight.std()
        found |= {
            f"{name}.conv.weight": kernel / size,
            f"{name}.norm.weight": scale * size,
            f"{name}.norm.bias": shift + scale * bias,
            f"{name}.norm.running_mean": torch.zeros(outputs),
            # Batch norm adds its epsilon to the variance: together they are one.
            f"{name}.norm.running_var": torch.full((outputs,), 1 - layer.norm.eps),
        }
    return found


def _arrays(content: bytes, layer: bytes) -> Iterator[Tensor]:
    """The numbers of each layer of a kind, flat, in the order of the file.

    dlib writes a layer's kind, then its tensor: format 2, four sizes, and single precision from the low byte up. A
    whole number is a byte that says how many follow, and those, the low one first.
    """
    for found in re.finditer(rb"\x01" + bytes([len(layer)]) + layer, content):
        place, numbers = found.end(), []
        for _ in range(5):
            length = content[place]
            numbers.append(int.from_bytes(content[place + 1 : place + 1 + length], "little"))
            place += 1 + length
        count = numbers[1] * numbers[2] * numbers[3] * numbers[4]
        yield torch.frombuffer(bytearray(content[place : place + 4 * count]), dtype=torch.float32)
