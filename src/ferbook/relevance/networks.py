"""A small network that relevance can be propagated through, and its training.

Convolutions, batch normalisation and ReLUs in one row, then a dense layer: no shortcuts, for which relevance needs
rules of its own. Pictures are standardised before they enter, so that their relevance is that of contrast.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from ferbook import augment
from ferbook.difficulty import BATCH, PEAK_RATE, SHIFT, small_network
from ferbook.emotions import EMOTIONS


def standardised(images: np.ndarray) -> Tensor:
    """Grey pictures as the small network takes them: mean 0 and standard deviation 1 each.

    Parameters
    ----------
    images: uint8 (N, H, W).

    Returns
    -------
    (N, 1, H, W) float32.
    """
    pixels = torch.from_numpy(np.array(images)).unsqueeze(1).float()
    deviation, mean = torch.std_mean(pixels, dim=(2, 3), correction=0, keepdim=True)
    return (pixels - mean) / (deviation + 1e-3)


def untrained(seed: int, size: int = 48, classes: int = len(EMOTIONS)) -> nn.Sequential:
    """The small network of :mod:`ferbook.difficulty` without its first layer, which :func:`standardised` stands in for.

    Parameters
    ----------
    seed: of the weights.
    size: side of the pictures in pixels.
    classes: length of the logits.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return small_network(classes, size)[1:]


def fit(network: nn.Sequential, images: Tensor, target: Tensor, *, epochs: int, seed: int) -> nn.Sequential:
    """Train with cross-entropy, AdamW, one cycle of the learning rate, mirror images and small shifts.

    Parameters
    ----------
    network: trained in place and returned in evaluation mode.
    images: (N, 1, H, W) from :func:`standardised`.
    target: (N, classes) shares, rows sum to 1.
    epochs: passes over the images.
    seed: of order, mirroring, shifts and dropout.
    """
    network.to(memory_format=torch.channels_last).train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=PEAK_RATE, weight_decay=2e-2)
    steps = epochs * -(-len(images) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, PEAK_RATE, total_steps=steps)
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for _ in range(epochs):
            for chosen in torch.randperm(len(images), generator=generator).split(BATCH):
                mirrored = torch.rand(len(chosen), generator=generator) < 0.5
                batch = augment.random_crop(
                    augment.flip(images[chosen], mirrored), images.shape[-1], generator, pad=SHIFT
                )
                loss = nn.functional.cross_entropy(network(batch), target[chosen])
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                optimiser.step()
                schedule.step()
    return network.eval()


def shuffled(target: Tensor, seed: int) -> Tensor:
    """The same labels on other pictures: what a network learns from them has nothing to do with faces."""
    return target[torch.randperm(len(target), generator=torch.Generator().manual_seed(seed))]
