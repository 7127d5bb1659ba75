"""The training loop that repositories for facial expressions commonly have: the yardstick for this library's own.

A data set opens one picture at a time and transforms it with PIL, a loader with one worker per core puts batches
together, the network computes in 32 bits with its memory in the default order, and the loss is read after every step.
It is a fair one: the workers read ahead, and nothing is done that such loops do not do.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from ferbook.core.errors import ConfigError, DataError

#: Name of the label table beside the pictures: file name, number of the emotion.
TABLE = "labels.csv"


def write_pictures(images: np.ndarray, labels: np.ndarray, folder: Path) -> None:
    """Write grey pictures as PNG files with a label table.

    Parameters
    ----------
    images: uint8 (N, H, W).
    labels: (N,) numbers of emotions.
    folder: made if it is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / TABLE).open("w", newline="") as stream:
        rows = csv.writer(stream)
        for number, (image, label) in enumerate(zip(images, labels, strict=True)):
            name = f"{number:06d}.png"
            Image.fromarray(image).save(folder / name)
            rows.writerow([name, int(label)])


class PictureFiles(Dataset):
    """Pictures in a folder; each is opened and transformed when it is asked for.

    Parameters
    ----------
    folder: as :func:`write_pictures` leaves it.
    transform: from a PIL picture to a tensor (1, H, W).

    Raises
    ------
    DataError: if there is no label table.
    """

    def __init__(self, folder: Path, transform: transforms.Compose):
        self.folder, self.transform = Path(folder), transform
        try:
            with (self.folder / TABLE).open(newline="") as stream:
                self.rows = [(name, int(label)) for name, label in csv.reader(stream)]
        except FileNotFoundError:
            raise DataError("there is no label table", self.folder / TABLE, hint="Write the pictures first.") from None

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        name, label = self.rows[index]
        with Image.open(self.folder / name) as picture:
            return self.transform(picture.convert("L")), label


def torchvision_transform(augmentation: Sequence[Mapping[str, Any]]) -> transforms.Compose:
    """The same steps as :func:`ferbook.vision.augment.build` makes of a config, one picture at a time, by torchvision
    on PIL.

    Raises
    ------
    ConfigError: for a step other than crop, flip and affine.
    """
    steps: list[object] = []
    for step in augmentation:
        match dict(step):
            case {"name": "crop", "size": size}:
                steps.append(transforms.RandomCrop(size))
            case {"name": "flip"}:
                steps.append(transforms.RandomHorizontalFlip())
            case {"name": "affine", "degrees": degrees, "translate": shift, "scale": scale}:
                steps.append(transforms.RandomAffine(degrees, (shift, shift), (1 - scale, 1 + scale)))
            case _:
                raise ConfigError("augmentation", f"{dict(step)} has no usual form here", "Use crop, flip or affine.")
    return transforms.Compose([*steps, transforms.ToTensor()])


def loader(
    folder: Path, augmentation: Sequence[Mapping[str, Any]], batch: int, workers: int | None = None
) -> DataLoader:
    """Shuffled batches of pictures (B, 1, H, W) in [0, 1] and labels (B,).

    Parameters
    ----------
    folder: of :func:`write_pictures`.
    augmentation: steps, see :func:`torchvision_transform`.
    batch: pictures in a batch; a smaller rest of an epoch is left out.
    workers: processes that read; default: one per core.
    """
    pictures = PictureFiles(folder, torchvision_transform(augmentation))
    workers = os.cpu_count() if workers is None else workers
    return DataLoader(pictures, batch, shuffle=True, num_workers=workers, drop_last=True)


def joint(values: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
    """Cross-entropy and squared error together, the latter against `values` (C, A), a row for each label.

    Takes outputs (B, C + A) and labels (B,).
    """

    def loss(output: Tensor, labels: Tensor) -> Tensor:
        wanted, classes = values.to(output)[labels], len(values)
        error = (output[:, classes:] - wanted).square().mean(0).sum()
        return nn.functional.cross_entropy(output[:, :classes], labels) + error

    return loss


def train(
    network: nn.Module,
    batches: DataLoader,
    learning_rate: float = 1e-3,
    criterion: Callable[[Tensor, Tensor], Tensor] | None = None,
) -> Iterator[float]:
    """Train epoch after epoch with Adam; gives the loss of each step.

    Parameters
    ----------
    network: (B, 1, H, W) in [0, 1] -> logits (B, C); trained in place, on a GPU if there is one.
    batches: of :func:`loader`.
    learning_rate: constant.
    criterion: the loss of outputs and labels; default: cross-entropy.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = network.to(device).train()
    criterion = criterion or nn.CrossEntropyLoss()
    optimiser = torch.optim.Adam(network.parameters(), learning_rate)
    while True:
        for images, labels in batches:
            images, labels = images.to(device), labels.to(device)
            optimiser.zero_grad()
            loss = criterion(network(images), labels)
            loss.backward()
            optimiser.step()
            yield loss.item()
