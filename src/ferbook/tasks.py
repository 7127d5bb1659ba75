"""What is learned: one LightningModule per paper's training step. So far paper 002's, emotion distributions."""

from __future__ import annotations

import lightning.pytorch as lightning
import torch
from torch import Tensor

from ferbook import augment, models
from ferbook.configs import Config
from ferbook.errors import FerbookError
from ferbook.losses import distribution_loss


class TrainingError(FerbookError):
    """A run that cannot go on; says at which epoch and why."""


class DistributionTask(lightning.LightningModule):
    """Paper 002: a network's softmax is compared with the labels' distribution by one of ten losses (section 3.6.3).

    Images and labels of all parts are held on the device; a batch is a vector of indices.

    Every random act of an epoch (order, augmentation, dropout, drawn labels) comes from a generator that is seeded by
    the config's seed and the epoch's number. A run that is resumed after any epoch is therefore the same as one that
    was never interrupted, without any generator's state being stored.

    Parameters
    ----------
    config: the run.
    faces: per part, uint8 images (N, C, H, W) and float distributions (N, 8).
    total_steps: optimiser steps in all, for the one-cycle schedule.
    """

    def __init__(self, config: Config, faces: dict[str, tuple[Tensor, Tensor]], total_steps: int):
        super().__init__()
        self.config = config
        self.total_steps = total_steps
        self.faces = faces
        channels = faces["train"][0].shape[1]
        options = {"in_channels": channels, "seed": config.seed, **config.model.options}
        self.network = models.build(config.model.name, num_classes=8, weights=config.model.weights, **options)
        self.network.to(memory_format=torch.channels_last)
        self.loss = distribution_loss(config.loss)
        self.augmentation = augment.build(config.augmentation)
        self.history: list[dict[str, float]] = []
        self.best: dict[str, float] = {}
        self._epoch: list[Tensor] = []
        self._generator = torch.Generator()

    def on_fit_start(self) -> None:
        """Move the data to the device, once."""
        self.faces = {part: (x.to(self.device), t.to(self.device)) for part, (x, t) in self.faces.items()}

    def on_train_epoch_start(self) -> None:
        """Seed everything that is random in this epoch."""
        seed = epoch_seed(self.config.seed, self.current_epoch)
        self._generator.manual_seed(seed)
        torch.manual_seed(seed)
        self._epoch = []

    def training_step(self, chosen: Tensor) -> Tensor:
        """The loss of one augmented batch; `chosen` are its faces' indices. Raises TrainingError if not finite."""
        images, target = self.faces["train"]
        batch = self.augmentation(scaled(images[chosen]), self._generator)
        loss = self.loss(self.scores(batch), target[chosen], self._generator)
        if not torch.isfinite(loss):
            raise TrainingError(
                f"the loss is {loss.item()} in epoch {self.current_epoch + 1} with loss={self.config.loss!r}, "
                f"optimiser.lr={self.config.optimiser.lr:g}. The state after the epoch before is kept; try a lower lr."
            )
        self._epoch.append(loss.detach())
        return loss

    def scores(self, batch: Tensor) -> Tensor:
        """Logits (N, 8) of float images (N, C, H, W) in [0, 1]."""
        return models.logits(self.network(batch.contiguous(memory_format=torch.channels_last)))

    @torch.inference_mode()
    def predict_part(self, part: str) -> Tensor:
        """Logits (N, 8) of all faces of a part, without augmentation; float32, on the CPU."""
        training = self.network.training
        self.network.eval()
        size = max(self.config.batch, 256)
        logits = [self.scores(scaled(images)) for images in self.faces[part][0].split(size)]
        self.network.train(training)
        return torch.cat(logits).float().cpu()

    def train_loss(self) -> float:
        """Mean loss of the epoch that just ended."""
        return float(torch.stack(self._epoch).mean())

    def configure_optimizers(self) -> dict[str, object]:
        """Optimiser and schedule of the config."""
        options = self.config.optimiser
        trained = [parameter for parameter in self.parameters() if parameter.requires_grad]
        if options.name == "sgd":
            optimiser: torch.optim.Optimizer = torch.optim.SGD(
                trained, options.lr, options.momentum, weight_decay=options.weight_decay
            )
        else:
            kind = torch.optim.Adam if options.name == "adam" else torch.optim.AdamW
            optimiser = kind(trained, options.lr, weight_decay=options.weight_decay)
        match self.config.schedule.name:
            case "one_cycle":
                steps = torch.optim.lr_scheduler.OneCycleLR(optimiser, options.lr, total_steps=self.total_steps)
                return {"optimizer": optimiser, "lr_scheduler": {"scheduler": steps, "interval": "step"}}
            case "exponential":
                steps = torch.optim.lr_scheduler.ExponentialLR(optimiser, self.config.schedule.factor)
                return {"optimizer": optimiser, "lr_scheduler": {"scheduler": steps, "interval": "epoch"}}
            case _:
                return {"optimizer": optimiser}

    def on_save_checkpoint(self, checkpoint: dict[str, object]) -> None:
        """Keep the curve and the best epoch with the weights."""
        checkpoint["ferbook"] = {"history": self.history, "best": self.best}

    def on_load_checkpoint(self, checkpoint: dict[str, object]) -> None:
        """Take them up again."""
        self.history = checkpoint["ferbook"]["history"]
        self.best = checkpoint["ferbook"]["best"]


def scaled(images: Tensor) -> Tensor:
    """uint8 images as floats in [0, 1]."""
    return images.float().div_(255)


def epoch_seed(seed: int, epoch: int) -> int:
    """A seed of its own for each epoch of each run."""
    return seed * 100_003 + epoch


class Batches:
    """Index batches of one epoch after another, each epoch in its own order; an iterable that Lightning can restart.

    Parameters
    ----------
    count: how many faces.
    size: faces in a batch; the last one of an epoch may be smaller, but never a single face, which batch
        normalisation cannot take: it joins the batch before.
    task: asked for the epoch's number.
    """

    def __init__(self, count: int, size: int, task: DistributionTask):
        self.count, self.size, self.task = count, size, task

    def __len__(self) -> int:
        whole, rest = divmod(self.count, self.size)
        return whole + (rest > 1) if whole else 1

    def __iter__(self):
        generator = torch.Generator().manual_seed(epoch_seed(self.task.config.seed, self.task.current_epoch))
        order = torch.randperm(self.count, generator=generator)
        bounds = [self.size * k for k in range(len(self))] + [self.count]
        for start, end in zip(bounds, bounds[1:], strict=False):
            yield order[start:end]
