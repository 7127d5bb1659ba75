"""How hard a labelled set of faces is: what a small network learns of it in a few minutes.

The network and its training are fixed, so that two sets, or two versions of the renderer, can be compared.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import confusion_matrix
from torch import Tensor, nn

from ferbook.core import records
from ferbook.datasets import load
from ferbook.faces.emotions import EMOTIONS
from ferbook.faces.faceset import FaceSet
from ferbook.vision import augment
from ferbook.vision.resampling import planes

#: Bounds of the intensity groups that accuracy is given for.
INTENSITY_BOUNDS: tuple[float, ...] = (0.2, 0.4, 0.6, 0.8, 1.0)
BATCH = 50
PEAK_RATE = 2.5e-3
#: Pixels by which a training picture may be shifted.
SHIFT = 2


@dataclass(frozen=True)
class Difficulty:
    """What the network learned.

    Parameters
    ----------
    accuracy: share of test faces whose leading emotion was predicted.
    confusion: (8, 8) counts, rows true, columns predicted, in the order of ``EMOTIONS``.
    by_intensity: accuracy between successive ``INTENSITY_BOUNDS``; None where there is no face.
    parameters, epochs, train, test: size of the network, passes over the data, numbers of faces.
    """

    accuracy: float
    confusion: list[list[int]]
    by_intensity: list[float | None]
    parameters: int
    epochs: int
    train: int
    test: int

    def as_dict(self) -> dict[str, object]:
        """Ready for JSON."""
        return asdict(self)


def small_network(classes: int = len(EMOTIONS), size: int = 48) -> nn.Sequential:
    """Four convolutions and a linear layer, about 100,000 parameters; takes (N, 1, size, size) floats in [0, 1].

    Brightness and contrast of each picture are taken out first, and the first convolution halves the resolution: both
    make it learn more in a minute.
    """
    layers: list[nn.Module] = [nn.InstanceNorm2d(1)]
    inputs, side = 1, size
    for width, kernel, stride in ((24, 5, 2), (40, 3, 1), (64, 3, 1), (96, 3, 1)):
        layers += [
            nn.Conv2d(inputs, width, kernel, stride, padding=kernel // 2, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        ]
        if inputs != 1:
            layers.append(nn.MaxPool2d(2))
        inputs, side = width, side // 2
    return nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.3), nn.Linear(inputs * side * side, classes))


def fit(network: nn.Module, pixels: Tensor, target: Tensor, *, epochs: int, seed: int) -> None:
    """Train by :func:`learn` on pixels (N, 1, side, side), random mirror images and small random shifts of them.

    `seed` is of order, mirroring and shifts; dropout draws from torch's global generator, which the caller seeds.
    """
    generator = torch.Generator().manual_seed(seed)

    def changed(batch: Tensor) -> Tensor:
        return augment.random_crop(mirrored(batch, generator), batch.shape[-1], generator, pad=SHIFT)

    learn(network, pixels, target, PEAK_RATE, 2e-2, epochs=epochs, batch=BATCH, generator=generator, change=changed)


def mirrored(batch: Tensor, generator: torch.Generator) -> Tensor:
    """Each picture (N, C, H, W) of a batch or, as often, its mirror image."""
    return augment.flip(batch, torch.rand(len(batch), generator=generator) < 0.5)


def learn(
    network: nn.Module,
    inputs: Tensor,
    target: Tensor,
    rate: float,
    decay: float,
    *,
    epochs: int,
    batch: int,
    generator: torch.Generator | None = None,
    change: Callable[[Tensor], Tensor] | None = None,
    one_cycle: bool = True,
) -> None:
    """Train in place with cross-entropy and AdamW: the loop of small networks; ends in evaluation mode.

    Parameters
    ----------
    inputs, target: (N, ...), and (N,) classes or (N, classes) shares.
    rate, decay: learning rate, the peak of a one-cycle schedule or constant; weight decay.
    epochs, batch: passes over the inputs, and how many are learned from at a time.
    generator: of their order; None: torch's global one.
    change: of the inputs of a batch, as they are learned from.
    """
    optimiser = torch.optim.AdamW(network.parameters(), rate, weight_decay=decay)
    steps = epochs * -(-len(inputs) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps) if one_cycle else None
    network.train()
    for _ in range(epochs):
        for chosen in torch.randperm(len(inputs), generator=generator).split(batch):
            seen = inputs[chosen] if change is None else change(inputs[chosen])
            loss = nn.functional.cross_entropy(network(seen), target[chosen])
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            if schedule is not None:
                schedule.step()
    network.eval()


def measure(train: FaceSet, test: FaceSet, *, epochs: int, seed: int) -> Difficulty:
    """Train the small network on `train` and try it on `test`.

    Cross-entropy against the mixture, AdamW under a one-cycle schedule, random mirror images and shifts of up to two
    pixels; the last epoch is tested.

    Parameters
    ----------
    train, test: grey images of one size, with distribution and intensity.
    epochs: passes over `train`.
    seed: of weights, order and mirroring.
    """
    torch.manual_seed(seed)
    side = train.images.shape[1]
    network = small_network(size=side).to(memory_format=torch.channels_last)
    pixels, target = _pixels(train), torch.from_numpy(np.asarray(train.distribution, dtype=np.float32))
    fit(network, pixels, target, epochs=epochs, seed=seed)
    with torch.inference_mode():
        predicted = torch.cat([network(batch).argmax(1) for batch in _pixels(test).split(512)]).numpy()
    truth = np.asarray(test.distribution).argmax(axis=1)
    right = predicted == truth
    group = np.digitize(test.intensity, INTENSITY_BOUNDS[1:-1])
    by_intensity = [
        float(right[group == place].mean()) if (group == place).any() else None
        for place in range(len(INTENSITY_BOUNDS) - 1)
    ]
    return Difficulty(
        accuracy=float(right.mean()),
        confusion=confusion_matrix(truth, predicted, labels=range(len(EMOTIONS))).tolist(),
        by_intensity=by_intensity,
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        epochs=epochs,
        train=len(train),
        test=len(test),
    )


def _pixels(faces: FaceSet) -> Tensor:
    return planes(faces.images).div_(255).to(memory_format=torch.channels_last)


#: Name of the record of the three-minute run, and its setting: faces, passes, seeds.
RECORD = "faces/difficulty"
FACES, EPOCHS, SEEDS = 7500, 28, (0, 1, 2)


def balanced(count: int, seed: int) -> FaceSet:
    """Synthetic faces with all emotions alike, so that accuracy cannot come from guessing the common ones."""
    return load("synthetic", count=count, seed=seed, prior=None)


def record() -> Path:
    """Measure the full setting for every seed and write it to ``data/recorded``; returns where."""
    faces = balanced(FACES, 0)
    start = time.perf_counter()
    runs = [measure(faces.part("train"), faces.part("test"), epochs=EPOCHS, seed=seed).as_dict() for seed in SEEDS]
    seconds = (time.perf_counter() - start) / len(SEEDS)
    return records.write(
        RECORD, {"runs": runs, "seconds": seconds}, faces=faces, module=__file__, seeds=list(SEEDS), epochs=EPOCHS
    )
