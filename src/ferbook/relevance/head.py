"""A classifier on features that are computed once (paper 001, section III.A): frozen convolutions, three dense layers.

Since the convolutions do not change, their output for each picture is computed once and kept; training then runs the
dense layers alone. The paper's convolutions were trained on ImageNet. Those weights are not part of this book: unless
the reader has them, the convolutions stay as they were drawn at random, which a page that does so must say.
"""

import copy

import numpy as np
import torch
from torch import Tensor, nn

from ferbook.models.layers import evaluating
from ferbook.models.vgg import Vgg
from ferbook.vision.difficulty import learn
from ferbook.vision.resampling import planes

#: Table 1 and section III.A of the paper: width of the two hidden layers, dropout after each, weight decay of AdamW,
#: batch, passes over the data. The learning rate is not given.
WIDTH, DROPOUT, WEIGHT_DECAY, BATCH, EPOCHS = 4096, 0.5, 1e-3, 32, 100


@torch.no_grad()
def features(network: Vgg, images: np.ndarray, batch: int = 32) -> Tensor:
    """What the dense layers of a VGG are given, (N, F) in the precision of its weights.

    Parameters
    ----------
    network: run in evaluation mode, left as it was.
    images: uint8 (N, H, W, 3) or (N, H, W); scaled to [0, 1].
    batch: images at a time.
    """
    with evaluating(network):
        chunks = pixels(images).to(next(network.parameters()).dtype).split(batch)
        found = [network.avgpool(network.features(chunk)).flatten(1) for chunk in chunks]
    return torch.cat(found)


def pixels(images: np.ndarray) -> Tensor:
    """uint8 (N, H, W, 3) or (N, H, W) as floats (N, C, H, W) in [0, 1]."""
    return planes(images).div_(255).contiguous()


def train(
    inputs: Tensor,
    labels: np.ndarray,
    classes: int,
    *,
    width: int = WIDTH,
    dropout: float = DROPOUT,
    epochs: int = EPOCHS,
    batch: int = BATCH,
    weight_decay: float = WEIGHT_DECAY,
    rate: float = 1e-4,
    seed: int = 0,
) -> nn.Sequential:
    """Train two hidden layers and an output with cross-entropy and AdamW; returned in evaluation mode.

    Features are standardised on the way: without ImageNet weights their scale is arbitrary, and a fixed learning rate
    would not fit it. The result takes features as they are.

    Parameters
    ----------
    inputs: (N, F) from :func:`features`.
    labels: (N,) class indices.
    classes: how many.
    width, dropout, epochs, batch, weight_decay: the paper's, unless given.
    rate: learning rate, which the paper does not give.
    seed: of weights, order and dropout.
    """
    target = torch.from_numpy(np.asarray(labels, dtype=np.int64))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers: list[nn.Module] = []
        size = inputs.shape[1]
        for _ in range(2):
            layers += [nn.Linear(size, width), nn.ReLU(), nn.Dropout(dropout)]
            size = width
        dense = nn.Sequential(*layers, nn.Linear(size, classes))
        deviation, mean = torch.std_mean(inputs, dim=0)
        scale = 1 / (deviation + 1e-3 * deviation.mean())
        ready = (inputs - mean) * scale
        learn(dense, ready, target, rate, weight_decay, epochs=epochs, batch=batch, one_cycle=False)
    # Standardising is linear, so the first dense layer can do it from now on.
    with torch.no_grad():
        first = dense[0]
        first.weight.mul_(scale)
        first.bias.sub_(first.weight @ mean)
    return dense


def join(network: Vgg, dense: nn.Sequential) -> Vgg:
    """The network with `dense` for its classifier, in evaluation mode; convolutions are copied, `network` stays."""
    joined = copy.deepcopy(network)
    joined.classifier = dense
    return joined.eval()
