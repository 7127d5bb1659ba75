"""Training category and valence, arousal, dominance together (papers 003 and 004), with and without consistency.

``VadTask`` is the training step: cross-entropy, squared error and one of the consistency costs of
:mod:`ferbook.learning.consistency`. What is random depends on the seed alone, so two runs with one seed and different
costs form a pair: same start weights, same order of faces, same augmentation.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import NamedTuple

import lightning.pytorch as lightning
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ferbook import models
from ferbook.core.errors import ConfigError
from ferbook.faces.emotions import EMOTIONS, VAD_AXES
from ferbook.learning import orthogonality
from ferbook.learning.callbacks import quiet
from ferbook.learning.consistency import DEFINITIONS, broadcast_mse, vad_loss
from ferbook.learning.training import use_bfloat16
from ferbook.models.vad import VadOutput, regularised_layers
from ferbook.vision import augment

#: Pixels by which a training picture may be shifted.
SHIFT = 2


@dataclass(frozen=True)
class Setting:
    """One run.

    Parameters
    ----------
    axes: which of V, A, D are regressed beside the category: 003 pairs the category with each alone, and with all.
    consistency: ``none``, ``equations``, ``table`` (as printed; they have no gradient) or ``soft``.
    weight: the papers' lambda.
    temperature: of the soft cost, in units of the axes.
    model: ``compact``, one trunk with both outputs; ``vad_shared`` or ``vad_separate``; or ``mlp``, two hidden layers
        on measured features of a face instead of its picture, which learn in a second.
    width: of ``compact``.
    side: pixels that pictures are scaled down to before anything else.
    orthogonality: weight of the regulariser on the first convolution of every residual block and on 1 x 1 shortcuts;
        0: none.
    slip: regress as the authors' code does, predictions (N, 1) against targets (N,).
    classify: whether the category is learned at all; without it there is nothing to be consistent with.
    epochs, batch, lr, seed: of training. AdamW under a one-cycle schedule.
    """

    axes: tuple[str, ...] = VAD_AXES
    consistency: str = "none"
    weight: float = 1.0
    temperature: float = 0.1
    model: str = "compact"
    width: float = 1.0
    side: int = 48
    orthogonality: float = 0.0
    slip: bool = False
    classify: bool = True
    epochs: int = 20
    batch: int = 64
    lr: float = 2.5e-3
    seed: int = 0

    def __post_init__(self) -> None:
        if self.consistency not in ("none", "soft", *DEFINITIONS):
            raise ConfigError("consistency", f"{self.consistency!r} is unknown", "Use none, equations, table or soft.")
        if self.consistency != "none" and not self.classify:
            raise ConfigError("classify", "without a category there is nothing to be consistent with")
        if not self.axes or set(self.axes) - set(VAD_AXES) or len(set(self.axes)) < len(self.axes):
            raise ConfigError("axes", f"{self.axes} are not different ones of {', '.join(VAD_AXES)}")
        for name in ("epochs", "batch", "lr", "side"):
            if getattr(self, name) <= 0:
                raise ConfigError(name, f"{getattr(self, name)} is not positive")

    @property
    def hash(self) -> str:
        """First 16 hex digits of a sha256 over everything above."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:16]

    @property
    def columns(self) -> list[int]:
        """The axes as columns of a (N, 3) array."""
        return [VAD_AXES.index(axis) for axis in self.axes]


def mlp(inputs: int, outputs: int, width: int = 64) -> nn.Sequential:
    """(N, inputs) -> (N, outputs) through two hidden layers."""
    return nn.Sequential(
        nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, outputs)
    )


class Predicted(NamedTuple):
    """probabilities: (N, 8). vad: (N, A), one column per axis of the setting."""

    probabilities: np.ndarray
    vad: np.ndarray

    @property
    def category(self) -> np.ndarray:
        """The likeliest emotion of each face, by name: (N,)."""
        return np.array(EMOTIONS)[self.probabilities.argmax(axis=1)]


class VadTask(lightning.LightningModule):
    """A network, faces and their labels in training.

    Parameters
    ----------
    setting: the run.
    images: uint8 (N, H, W), or for ``mlp`` features (N, F).
    distribution: (N, 8).
    vad: (N, 3).
    """

    def __init__(self, setting: Setting, images: np.ndarray, distribution: np.ndarray, vad: np.ndarray):
        super().__init__()
        self.setting = setting
        outputs = len(EMOTIONS) + len(setting.axes)
        if setting.model == "mlp":
            with torch.random.fork_rng(devices=[]):
                torch.default_generator.manual_seed(setting.seed)
                self.network = mlp(images.shape[1], outputs)
        elif setting.model == "compact":
            self.network = models.build("compact", outputs, seed=setting.seed, width=setting.width)
        else:
            self.network = models.build(
                setting.model, len(EMOTIONS), in_channels=1, seed=setting.seed, axes=setting.axes
            )
        self.images = self._tensor(images)
        self.distribution = torch.from_numpy(np.asarray(distribution, dtype=np.float32))
        self.vad = torch.from_numpy(np.asarray(vad, dtype=np.float32)[:, setting.columns])
        self.losses: list[float] = []
        self._epoch: list[Tensor] = []
        self._generator = torch.Generator()

    def _tensor(self, images: np.ndarray) -> Tensor:
        """Grey images (N, H, W) as (N, 1, side, side); features (N, F) as they are."""
        if images.ndim == 2:
            return torch.from_numpy(np.asarray(images, dtype=np.float32))
        pixels = torch.from_numpy(np.array(images)).unsqueeze(1)
        side = self.setting.side
        if pixels.shape[-1] <= side:
            return pixels
        return functional.interpolate(pixels.float(), (side, side), mode="area").round().byte()

    @staticmethod
    def _scaled(batch: Tensor) -> Tensor:
        """Pictures to [0, 1], channels last; features as they are."""
        if batch.ndim == 2:
            return batch
        return batch.float().div_(255).contiguous(memory_format=torch.channels_last)

    def on_fit_start(self) -> None:
        """Move the faces to the device, once."""
        for name in ("images", "distribution", "vad"):
            setattr(self, name, getattr(self, name).to(self.device))

    def on_train_epoch_start(self) -> None:
        """Seed everything that is random in this epoch."""
        seed = 100_003 * self.setting.seed + self.current_epoch
        self._generator.manual_seed(seed)
        torch.manual_seed(seed)
        self._epoch = []

    def outputs(self, batch: Tensor) -> VadOutput:
        """Category logits (N, 8) and values (N, A) of images (N, 1, H, W) in [0, 1], or of features (N, F)."""
        found = self.network(batch)
        if isinstance(found, VadOutput):
            return found
        return VadOutput(found[:, : len(EMOTIONS)], found[:, len(EMOTIONS) :])

    def training_step(self, chosen: Tensor) -> Tensor:
        """003, equations (1), (6), (10), (14), on mirrored and shifted faces; `chosen` are indices."""
        batch = self._scaled(self.images[chosen])
        if batch.ndim == 4:
            mirrored = torch.rand(len(chosen), generator=self._generator) < 0.5
            batch = augment.flip(batch, mirrored.to(batch.device))
            batch = augment.random_crop(batch, batch.shape[-1], self._generator, pad=SHIFT)
        loss = self.loss(self.outputs(batch), self.distribution[chosen], self.vad[chosen])
        self._epoch.append(loss.detach())
        return loss

    def loss(self, output: VadOutput, distribution: Tensor, vad: Tensor) -> Tensor:
        """The joint loss of a batch, a scalar."""
        setting = self.setting
        parts = vad_loss(
            output.logits,
            output.vad,
            distribution,
            vad,
            consistency=setting.consistency,
            weight=setting.weight,
            temperature=setting.temperature,
            axes=setting.axes,
        )
        regression = parts.regression
        if setting.slip:
            regression = sum(broadcast_mse(output.vad[:, k : k + 1], vad[:, k]) for k in range(vad.shape[1]))
        loss = regression + (parts.classification + setting.weight * parts.consistency if setting.classify else 0)
        if setting.orthogonality:
            loss = loss + setting.orthogonality * orthogonality.penalty(regularised_layers(self.network))
        return loss

    def on_train_epoch_end(self) -> None:
        """Keep the epoch's mean loss."""
        self.losses.append(float(torch.stack(self._epoch).mean()))

    def configure_optimizers(self) -> dict[str, object]:
        """AdamW, one cycle over all steps."""
        optimiser = torch.optim.AdamW(self.parameters(), lr=self.setting.lr, weight_decay=2e-2)
        steps = self.setting.epochs * len(_batches(len(self.images), self.setting))
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, self.setting.lr, total_steps=steps)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    @torch.inference_mode()
    def predict(self, images: np.ndarray) -> Predicted:
        """Category probabilities and values of uint8 images (N, H, W) or features (N, F).

        Of pictures it is the mean over each face and its mirror image.
        """
        self.eval()
        found = []
        for part in self._tensor(images).split(256):
            batch = self._scaled(part.to(self.device))
            views = [batch, batch.flip(3)] if batch.ndim == 4 else [batch]
            seen = [self.outputs(view) for view in views]
            probabilities = sum(one.logits.softmax(1) for one in seen) / len(seen)
            found.append((probabilities.cpu(), (sum(one.vad for one in seen) / len(seen)).cpu()))
        self.train()
        return Predicted(*(torch.cat(one).double().numpy() for one in zip(*found, strict=True)))

    @torch.inference_mode()
    def features(self, images: np.ndarray) -> np.ndarray:
        """What the compact network's last layer sees of uint8 images: (N, F)."""
        self.eval()
        pooled = nn.Sequential(self.network.stem, self.network.blocks)
        found = [
            pooled(part.to(self.device).float().div_(255)).mean((2, 3)) for part in self._tensor(images).split(256)
        ]
        self.train()
        return torch.cat(found).cpu().double().numpy()


@dataclass(frozen=True)
class Start:
    """Weights that a training begins with.

    Parameters
    ----------
    state: of a compact network whose last layer gives the 8 categories and then `axes`.
    axes: none for a network that was trained on categories alone.
    """

    state: Mapping[str, Tensor]
    axes: tuple[str, ...]

    @classmethod
    def of(cls, task: VadTask) -> Start:
        """The weights of a trained task."""
        return cls({name: value.clone() for name, value in task.network.state_dict().items()}, task.setting.axes)

    @property
    def mark(self) -> str:
        """First 16 hex digits of a sha256 over the weights."""
        total = hashlib.sha256()
        for name, value in sorted(self.state.items()):
            total.update(name.encode() + value.cpu().contiguous().numpy().tobytes())
        return total.hexdigest()[:16]

    def put_into(self, task: VadTask) -> None:
        """Copy the trunk, and of the last layer the rows of the outputs that both have; others stay as drawn.

        Raises
        ------
        ConfigError: if the task's network is another one.
        """
        own = task.network.state_dict()
        last = [name for name in own if name.startswith("head.")]
        rows = [VAD_AXES.index(axis) for axis in task.setting.axes if axis in self.axes]
        into = [*range(len(EMOTIONS)), *(len(EMOTIONS) + task.setting.axes.index(VAD_AXES[k]) for k in rows)]
        out_of = [*range(len(EMOTIONS)), *(len(EMOTIONS) + self.axes.index(VAD_AXES[k]) for k in rows)]
        for name, value in own.items():
            if name not in self.state or (name not in last and self.state[name].shape != value.shape):
                raise ConfigError("start", f"the weights do not fit {task.setting.model}", "Use the same width.")
            if name in last:
                value[into] = self.state[name][out_of]
            else:
                value.copy_(self.state[name])


def train(
    setting: Setting,
    images: np.ndarray,
    distribution: np.ndarray,
    vad: np.ndarray,
    start: Start | None = None,
) -> VadTask:
    """A trained task.

    Parameters
    ----------
    setting: the run.
    images: uint8 (N, H, W).
    distribution: (N, 8) emotion shares.
    vad: (N, 3) in [-1, 1].
    start: weights to begin with, of a compact network; None: the seed's.

    Raises
    ------
    ValueError: if lengths differ or a value is missing.
    """
    if not len(images) == len(distribution) == len(vad) or not np.isfinite(np.asarray(vad)[:, setting.columns]).all():
        raise ValueError("faces, distributions and complete V, A, D must be as many")
    task = VadTask(setting, images, distribution, vad)
    if start is not None:
        start.put_into(task)
    with quiet():
        trainer = lightning.Trainer(
            accelerator="auto",
            devices=1,
            max_epochs=setting.epochs,
            precision="bf16-mixed" if use_bfloat16("auto") else "32-true",
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
        )
        trainer.fit(task, _Order(len(images), task))
    return task


def _batches(count: int, setting: Setting) -> list[tuple[int, int]]:
    """Start and end of each batch; a last face by itself joins the batch before, for batch normalisation's sake."""
    starts = list(range(0, count, setting.batch))
    if len(starts) > 1 and count - starts[-1] == 1:
        starts.pop()
    return list(zip(starts, [*starts[1:], count], strict=True))


class _Order:
    """Batches of indices, every epoch in an order of its own."""

    def __init__(self, count: int, task: VadTask):
        self.count, self.task = count, task

    def __len__(self) -> int:
        return len(_batches(self.count, self.task.setting))

    def __iter__(self):
        seed = 100_003 * self.task.setting.seed + self.task.current_epoch
        order = torch.randperm(self.count, generator=torch.Generator().manual_seed(seed))
        for start, end in _batches(self.count, self.task.setting):
            yield order[start:end]


def differing(one: VadTask, other: VadTask) -> int:
    """How many numbers of two trained networks differ in any bit, running statistics included."""
    states = one.network.state_dict(), other.network.state_dict()
    return sum(int((a != states[1][name]).sum()) for name, a in states[0].items())
