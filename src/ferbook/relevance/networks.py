"""Networks that relevance can be propagated through: layers in one row, without shortcuts, for which rules differ.

The small one has convolutions, batch normalisation, ReLUs and a dense layer. Its pictures are standardised before they
enter, so that their relevance is that of contrast.
"""

import numpy as np
import torch
from torch import Tensor, nn

from ferbook.faces.emotions import EMOTIONS
from ferbook.models.vgg import Vgg
from ferbook.vision import difficulty
from ferbook.vision.resampling import planes


def standardised(images: np.ndarray) -> Tensor:
    """Grey pictures as the small network takes them: mean 0 and standard deviation 1 each.

    Parameters
    ----------
    images: uint8 (N, H, W).

    Returns
    -------
    (N, 1, H, W) float32.
    """
    pixels = planes(images)
    deviation, mean = torch.std_mean(pixels, dim=(2, 3), correction=0, keepdim=True)
    return (pixels - mean) / (deviation + 1e-3)


def untrained(seed: int, size: int = 48, classes: int = len(EMOTIONS)) -> nn.Sequential:
    """The small network of :mod:`ferbook.vision.difficulty` without its first layer, which :func:`standardised` stands
    in for.

    Parameters
    ----------
    seed: of the weights.
    size: side of the pictures in pixels.
    classes: length of the logits.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return difficulty.small_network(classes, size)[1:]


def fit(network: nn.Sequential, images: Tensor, target: Tensor, *, epochs: int, seed: int) -> nn.Sequential:
    """Train as :func:`ferbook.vision.difficulty.fit` does, dropout seeded as well, the caller's random state left
    alone.

    Parameters
    ----------
    network: trained in place and returned in evaluation mode.
    images: (N, 1, H, W) from :func:`standardised`.
    target: (N, classes) shares, rows sum to 1.
    epochs: passes over the images.
    seed: of order, mirroring, shifts and dropout.
    """
    network.to(memory_format=torch.channels_last)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        difficulty.fit(network, images, target, epochs=epochs, seed=seed)
    return network


def in_a_row(network: Vgg) -> nn.Sequential:
    """A VGG as layers in one row, the last of which gives the logits; the same layers, so the same weights."""
    return nn.Sequential(*network.features, network.avgpool, nn.Flatten(), *network.classifier)


def shuffled(target: Tensor, seed: int) -> Tensor:
    """The same labels on other pictures: what a network learns from them has nothing to do with faces."""
    return target[torch.randperm(len(target), generator=torch.Generator().manual_seed(seed))]
