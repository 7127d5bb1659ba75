"""What all tasks share: a network, its faces and its labels in training; batches, seeds, optimiser, averaged weights.

A paper's task, in :mod:`ferbook.learning.tasks`, adds its loss and what it is judged by.
"""

from __future__ import annotations

import copy
import logging
import math
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import lightning.pytorch as lightning
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ferbook import models
from ferbook.core import memory
from ferbook.core.errors import FerbookError
from ferbook.faces.emotions import EMOTIONS
from ferbook.learning import optimisers, trained
from ferbook.learning.configs import Config
from ferbook.models.dan import AffinityLoss, DanOutput, partition_loss
from ferbook.models.layers import evaluating, measure_norms
from ferbook.models.ran import RanOutput, region_bias_loss
from ferbook.vision import appended, augment

_LOGGER = logging.getLogger(__name__)
# Steps from which on compiling, which takes a minute at most, is worth it on a GPU.
_WORTH_FUSING = 500
# By how many training faces, without augmentation, batch norm of a start is measured.
_MEASURED = 512


class TrainingError(FerbookError):
    """A run that cannot go on; says at which epoch and why."""


class Task(lightning.LightningModule):
    """A network, its faces and its labels in training.

    Images and labels of all parts are held on the device; a batch is a vector of indices.

    Every random act of an epoch (order, augmentation, dropout, drawn labels) comes from a generator that is seeded by
    the config's seed and the epoch's number. A run that is resumed after any epoch is therefore the same as one that
    was never interrupted, without any generator's state being stored.

    With several processes each takes its share of every batch, after the whole batch was augmented: costs little, and
    gives what one process with the same batch gives, but for what a network draws or measures per batch itself
    (dropout, batch norm), and for labels that are drawn.

    Parameters
    ----------
    config: the run.
    faces: per part, uint8 images (N, C, H, W) and float targets (N, T): the labels of 8 emotions, and what a task
        learns beside them. Instead of images they may be float features (N, F), for a `network` that takes those.
    total_steps: optimiser steps in all, for the one-cycle schedule.
    copies: training faces and copies of them; a training batch's indices are then into these.
    data: checksum of the data set. A checkpoint goes on with the data that it began with, or not at all.
    network: another one than the config names.
    """

    #: The measure that chooses the epoch, the larger the better.
    score: str

    def __init__(
        self,
        config: Config,
        faces: dict[str, tuple[Tensor, Tensor]],
        total_steps: int,
        copies: appended.Appended | None = None,
        data: str = "",
        network: nn.Module | None = None,
    ):
        super().__init__()
        self.config = config
        self.total_steps = total_steps
        self.faces = faces
        self.copies = copies
        self.data = data
        channels = faces["train"][0].shape[1]
        self.network = network or trained.build(config, channels, config.model.weights)
        self.network.to(memory_format=torch.channels_last)
        self.augmentation = augment.build(config.augmentation)
        if network is None and config.model.weights == models.FACES:
            measure_norms(self.network, self._spread(faces["train"][0]))
        self.normalised = models.wants_normalised(config.model.name, config.model.weights)
        # The average is part of the state, so that a resumed run goes on with it, and never of what is trained.
        self.average = copy.deepcopy(self.network).requires_grad_(False) if config.ema else None
        self.own_loss = OwnLoss(self.network)
        self.history: list[dict[str, float]] = []
        self.best: dict[str, float] = {}
        self._epoch: list[Tensor] = []
        self._generator = torch.Generator()
        self._fused: Callable[[Tensor], object] | None = None

    def _spread(self, images: Tensor) -> Tensor:
        """Some of the images, at equal distances, as the network is tested on them."""
        rows = torch.linspace(0, len(images) - 1, min(_MEASURED, len(images))).long()
        return scaled(self.augmentation.middle(images[rows]))

    def start_from(self, path: Path) -> None:
        """Begin with stored weights of the same network."""
        self._load(path)

    def _load(self, path: Path, outputs: Sequence[int | None] | None = None) -> None:
        models.load_weights(self.network, path, outputs=outputs)
        if self.average is not None:
            self.average.load_state_dict(self.network.state_dict())

    def loss(self, output: object, target: Tensor, generator: torch.Generator) -> Tensor:
        """The paper's loss of a batch, a scalar. output: of the network, or as :meth:`predict_part` gives it."""
        raise NotImplementedError

    def measures(self, answers: Tensor, target: np.ndarray) -> dict[str, float]:
        """What one epoch is judged by, `score` among it; `answers` as :meth:`predict_part` gives them."""
        raise NotImplementedError

    def probabilities(self, answers: Tensor) -> Tensor:
        """(N, 8), of a face's emotions."""
        return answers.softmax(1)

    def predictions(self, answers: Tensor, target: np.ndarray) -> dict[str, np.ndarray]:
        """What a run keeps of its test faces: ``probabilities`` and ``distribution``, (N, 8) each."""
        return {"probabilities": self.probabilities(answers).numpy(), "distribution": target[:, : len(EMOTIONS)]}

    @property
    def judged(self) -> nn.Module:
        """The network that is evaluated and kept: the averaged one, where there is one."""
        return self.network if self.average is None else self.average

    @property
    def is_compiled(self) -> bool:
        """Whether training steps run fused."""
        return self._fused is not None

    def on_fit_start(self) -> None:
        """Move the data to the device, once; fuse the network where that was asked for and a compiler is at hand."""
        self.faces = {part: (x.to(self.device), t.to(self.device)) for part, (x, t) in self.faces.items()}
        if self.copies is not None:
            self.copies = self.copies.to(self.device)
        on_gpu = self._is_on_gpu()
        if self.device.type == "cpu":
            memory.keep_freed()
        # What is drawn on the device needs no copy, for which a GPU would stop in each step.
        self._generator = torch.Generator(self.device if on_gpu else "cpu")
        # A small step of a GPU is mostly the starting of its kernels: there every longer run is fused, and kernels are
        # started together (CUDA graphs).
        if (self.config.compile or (on_gpu and self.total_steps >= _WORTH_FUSING)) and can_compile():
            # All tasks compile the same lines, of which torch keeps eight versions and then stops, without a word.
            torch.compiler.reset()
            mode = "reduce-overhead" if on_gpu else None
            self._fused = torch.compile(lambda x: self.network(x), dynamic=False, mode=mode)

    def on_train_epoch_start(self) -> None:
        """Seed everything that is random in this epoch."""
        seed = epoch_seed(self.config.seed, self.current_epoch)
        self._generator.manual_seed(seed)
        torch.manual_seed(seed)
        self._epoch = []

    def training_step(self, chosen: Tensor) -> Tensor:
        """The loss of one augmented batch; `chosen` are its faces' indices.

        Raises TrainingError if it is not finite; on a GPU :meth:`train_loss` does.
        """
        images, target = self.faces["train"]
        if self.copies is None:
            batch = scaled(images[chosen])
        else:
            batch = self.copies.batch(as_stored(images), chosen)
            chosen, _ = self.copies.decode(chosen)
        batch = self.augmentation(self._sized(batch), self._generator)
        mine = slice(self.global_rank, None, self.trainer.world_size)
        output = self._output(batch[mine], whole=len(chosen) == self.config.batch)
        wanted = target[chosen][mine]
        loss = self.loss(output, wanted, self._generator) + self.own_loss(output, wanted[:, : len(EMOTIONS)])
        # A GPU would have to stop for this; what :meth:`train_loss` finds at the end of the epoch is enough.
        if not self._is_on_gpu() and not torch.isfinite(loss):
            raise self.diverged(f"the loss is {loss.item()}")
        # The processes' gradients are averaged: each loss counts by its share of the batch.
        loss = loss * (len(wanted) * self.trainer.world_size / len(chosen))
        self._epoch.append(loss.detach())
        return loss

    def diverged(self, what: str) -> TrainingError:
        """The error of an epoch that left the finite numbers."""
        return TrainingError(
            f"{what} in epoch {self.current_epoch + 1} with loss={self.config.loss!r}, "
            f"optimiser.lr={self.config.optimiser.lr:g}. The state after the epoch before is kept; try a lower lr."
        )

    def on_train_batch_end(self, *_: object) -> None:
        """Let the average follow the weights, and faster at first, when there is little to average."""
        if self.average is None:
            return
        decay = min(self.config.ema, (1 + self.global_step) / (10 + self.global_step))
        with torch.no_grad():
            pairs = list(zip(_state(self.average), _state(self.network), strict=True))
            floats = [pair for pair in pairs if pair[0].is_floating_point()]
            torch._foreach_lerp_(*map(list, zip(*floats, strict=True)), 1 - decay)
            for kept, new in pairs:
                if not kept.is_floating_point():
                    kept.copy_(new)

    def predict_part(self, part: str) -> Tensor:
        """Answers to all faces of a part, of which logits (N, 8) are the first columns; float32, on the CPU."""
        return self.predict(self.faces[part][0])

    def predict(self, images: Tensor) -> Tensor:
        """Answers (N, 8 or more) to images as they are stored, without augmentation but for its crops' size."""
        return self._averaged(images, models.logits)

    def _averaged(self, images: Tensor, told: Callable[[object], Tensor]) -> Tensor:
        images, size = self.augmentation.middle(images), max(self.config.batch, 256)
        mirror, normalised = self.config.mirror, self.normalised
        with evaluating(self.judged):
            return trained.logits(self.judged, images, mirror=mirror, size=size, normalised=normalised, told=told)

    def target(self, part: str) -> np.ndarray:
        """Targets of a part, (N, T)."""
        return self.faces[part][1].cpu().numpy()

    def train_loss(self) -> float:
        """Mean loss of the epoch that just ended, over all processes. Raises TrainingError if it is not finite."""
        found = float(self.trainer.strategy.reduce(torch.stack(self._epoch).mean(), reduce_op="mean"))
        if not math.isfinite(found):
            raise self.diverged(f"the mean loss is {found}")
        return found

    def configure_optimizers(self) -> dict[str, object]:
        """Optimiser and schedule of the config. Fused: a step in one pass over the weights instead of eight."""
        options = self.config.optimiser
        trained = [parameter for parameter in self.parameters() if parameter.requires_grad]
        if options.name == "sgd":
            optimiser: torch.optim.Optimizer = torch.optim.SGD(
                trained, options.lr, options.momentum, weight_decay=options.weight_decay, fused=True
            )
        else:
            kind = optimisers.Adam if options.name == "adam" else optimisers.AdamW
            optimiser = kind(trained, options.lr, options.weight_decay)
        match self.config.schedule.name:
            case "one_cycle":
                steps = torch.optim.lr_scheduler.OneCycleLR(
                    optimiser, options.lr, total_steps=self.total_steps, cycle_momentum=options.name != "sgd"
                )
                return {"optimizer": optimiser, "lr_scheduler": {"scheduler": steps, "interval": "step"}}
            case "exponential":
                steps = torch.optim.lr_scheduler.ExponentialLR(optimiser, self.config.schedule.factor)
                return {"optimizer": optimiser, "lr_scheduler": {"scheduler": steps, "interval": "epoch"}}
            case _:
                return {"optimizer": optimiser}

    def on_save_checkpoint(self, checkpoint: dict[str, object]) -> None:
        """Keep the curve and the best epoch with the weights, and from which data and how many threads they came."""
        checkpoint["ferbook"] = {
            "history": self.history,
            "best": self.best,
            "threads": torch.get_num_threads(),
            "data": self.data,
        }

    def on_load_checkpoint(self, checkpoint: dict[str, object]) -> None:
        """Take them up again. Another number of threads would add up in another order, as no unbroken run does.

        Raises TrainingError if the run began with other data.
        """
        began = checkpoint["ferbook"].get("data", self.data)
        if began != self.data:
            raise TrainingError(
                f"the run began with other data than it is to go on with: checksum {began[:12]}, now {self.data[:12]}. "
                "Give it the data that it began with, or delete its folder."
            )
        self.history = checkpoint["ferbook"]["history"]
        self.best = checkpoint["ferbook"]["best"]
        torch.set_num_threads(checkpoint["ferbook"].get("threads", torch.get_num_threads()))

    def _is_on_gpu(self) -> bool:
        return self.device.type == "cuda"

    def _sized(self, batch: Tensor) -> Tensor:
        early = self.config.early
        if self.current_epoch >= early.share * self.config.epochs or early.side >= batch.shape[3]:
            return batch
        return functional.interpolate(batch, size=(early.side, early.side), mode="bilinear", antialias=True)

    def _output(self, batch: Tensor, whole: bool) -> object:
        if self.normalised:
            batch = models.normalise(batch)
        if batch.ndim == 4:
            batch = batch.contiguous(memory_format=torch.channels_last)
        # The last, smaller batch of an epoch is not worth a compilation of its own.
        if self._fused is None or not whole:
            return self.network(batch)
        if self._is_on_gpu():
            torch.compiler.cudagraph_mark_step_begin()
        try:
            return self._fused(batch)
        except RuntimeError as error:
            # Slow to import; by now it is there.
            from torch._dynamo.exc import TorchDynamoException

            # The compiler's own errors come before anything was computed; others are the network's.
            if not isinstance(error, TorchDynamoException):
                raise
            _LOGGER.warning("the network is trained without being compiled: %s", str(error).partition("\n")[0])
            self._fused = None
            return self.network(batch)


class OwnLoss(nn.Module):
    """What a network adds to any loss: DAN its affinity and partition losses, RAN its region bias loss, others nothing.

    Each with weight 1, as their authors have it; the class that DAN's affinity needs is the largest share.
    """

    def __init__(self, network: nn.Module):
        super().__init__()
        self.affinity = AffinityLoss() if isinstance(network, models.dan.DistractYourAttention) else None

    def forward(self, output: object, target: Tensor) -> Tensor | float:
        """A scalar, of a network's output and labels (N, 8)."""
        if isinstance(output, DanOutput):
            return self.affinity(output.features, target.argmax(1)) + partition_loss(output.heads)
        if isinstance(output, RanOutput):
            return region_bias_loss(output.alpha)
        return 0.0


@cache
def can_compile() -> bool:
    """Whether torch.compile works here: without a C++ compiler and Python's headers it does not."""
    # Its remarks on compilers and CUDA are not for a page; that it did not work is in the run's provenance.
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)
    try:
        torch.compile(lambda x: x.sin() + 1)(torch.zeros(3))
    except Exception:  # whatever it is, the answer is no
        return False
    return True


def scaled(images: Tensor) -> Tensor:
    """uint8 images as floats in [0, 1]; float features (N, F) as they are."""
    return images if images.ndim == 2 else images.float().div_(255)


def as_stored(images: Tensor) -> Tensor:
    """Images (N, C, H, W) as a face set holds them: (N, H, W) grey or (N, H, W, 3). A view, no copy."""
    return images[:, 0] if images.shape[1] == 1 else images.permute(0, 2, 3, 1)


def epoch_seed(seed: int, epoch: int) -> int:
    """A seed of its own for each epoch of each run."""
    return seed * 100_003 + epoch


def _state(module: nn.Module) -> list[Tensor]:
    return [*module.parameters(), *module.buffers()]


class Batches:
    """Index batches of one epoch after another, each epoch in its own order; an iterable that Lightning can restart.

    Parameters
    ----------
    count: how many faces.
    size: faces in a batch; the last one of an epoch may be smaller, but a rest that would leave a process with a
        single face, which batch normalisation cannot take, joins the batch before.
    task: asked for the epoch's number.
    processes: that share each batch.
    """

    def __init__(self, count: int, size: int, task: Task, processes: int = 1):
        self.count, self.size, self.task, self.processes = count, size, task, processes

    def __len__(self) -> int:
        whole, rest = divmod(self.count, self.size)
        return whole + (rest >= 2 * self.processes) if whole else 1

    def __iter__(self):
        generator = torch.Generator().manual_seed(epoch_seed(self.task.config.seed, self.task.current_epoch))
        # On the processor, so that the order is the same everywhere; then, once, to where the faces are.
        order = torch.randperm(self.count, generator=generator).to(self.task.device)
        bounds = [self.size * k for k in range(len(self))] + [self.count]
        for start, end in zip(bounds, bounds[1:], strict=False):
            yield order[start:end]
