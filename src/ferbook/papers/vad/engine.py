"""Training category and valence, arousal, dominance together (papers 003 and 004), with and without consistency.

``VadTask`` is the training step: cross-entropy, squared error and one of the consistency costs of
:mod:`ferbook.learning.consistency`. What is random depends on the seed alone, so two runs with one seed and different
costs form a pair: same start weights, same order of faces, same augmentation.

Two experiments stand on it, on any faces with annotated V, A, D: cross-validation on them alone, and training on other
faces whose V, A, D are only guessed from the crowd's votes (:func:`proxy`).
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
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn
from torch.nn import functional

from ferbook import models
from ferbook.core.errors import ConfigError
from ferbook.datasets.synthetic import PRIOR
from ferbook.faces import labels, splits
from ferbook.faces.emotions import EMOTIONS, VAD_AXES, vad_matrix
from ferbook.faces.faceset import SPLITS, FaceSet
from ferbook.learning import orthogonality
from ferbook.learning.consistency import DEFINITIONS, broadcast_mse, vad_loss
from ferbook.learning.training import quiet, use_bfloat16
from ferbook.models.vad import VadOutput, regularised_layers
from ferbook.papers.vad.annotated import category_means
from ferbook.synthesis import sample
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


# --- experiments ---


@dataclass(frozen=True)
class Faces:
    """What an experiment needs of a face set.

    Parameters
    ----------
    images: uint8 (N, H, W), or measured features (N, F).
    distribution: (N, 8).
    vad: (N, 3) in [-1, 1].
    """

    images: np.ndarray
    distribution: np.ndarray
    vad: np.ndarray

    @classmethod
    def of(cls, faces: FaceSet) -> Faces:
        """The faces of a set with distribution and annotated or true V, A, D."""
        return cls(np.array(faces.images), np.asarray(faces.distribution, float), np.asarray(faces.vad, float))

    @property
    def category(self) -> np.ndarray:
        """The leading emotion of each face, by name: (N,)."""
        return np.array(EMOTIONS)[self.distribution.argmax(axis=1)]

    def __len__(self) -> int:
        return len(self.images)

    def subset(self, chosen: np.ndarray) -> Faces:
        """The faces at an index array."""
        return Faces(self.images[chosen], self.distribution[chosen], self.vad[chosen])


def measured(count: int, seed: int, split: str, noise: float = 0.15) -> Faces:
    """Synthetic faces that are not seen as pictures, but as action units that an inexact detector has measured.

    Parameters
    ----------
    count: how many.
    seed, split: of the draw; no person is in two splits.
    noise: standard deviation of the measurement of each action unit, whose strengths are in [0, 1].
    """
    drawn = sample(count, seed=seed, split=split, prior=PRIOR)
    units = np.asarray(drawn.action_units, dtype=float)
    rng = np.random.default_rng([seed, SPLITS.index(split)])
    return Faces(units + noise * rng.normal(size=units.shape), np.asarray(drawn.mixture), np.asarray(drawn.vad))


def proxy(faces: FaceSet, without: np.ndarray | None = None) -> Faces:
    """Training faces whose V, A, D nobody annotated: the crowd's distribution times the points of the emotion words.

    A stand-in, not a measurement: every face gets a mean of eight fixed points (``emotions.VAD_POINTS``).

    Parameters
    ----------
    faces: with votes; their training part is used, cleaned as paper 002 does.
    without: uint8 (M, H, W) pictures that must not be among them, not even as copies: those that will test.
    """
    training = faces.part("train")
    cleaned = labels.clean_votes(training.votes)
    images = np.array(training.images[cleaned.keep])
    distribution = cleaned.distribution
    if without is not None:
        groups = splits.duplicate_groups(np.concatenate([without, images]))
        seen = splits.leaked(groups, np.arange(len(without)), np.arange(len(without), len(groups)))
        images, distribution = images[~seen], distribution[~seen]
    return Faces(images, distribution, distribution @ vad_matrix())


def cross_validate(faces: Faces, setting: Setting, fold: np.ndarray, start: Start | None = None) -> Predicted:
    """Predict every face by a network that trained on the other folds.

    Parameters
    ----------
    faces, setting: what is learned, and how.
    fold: (N,) the fold of each face, see :func:`ferbook.papers.vad.annotated.folds`.
    start: as in :func:`train`.
    """
    probabilities = np.zeros((len(faces), len(EMOTIONS)))
    vad = np.zeros((len(faces), len(setting.axes)))
    for place in np.unique(fold):
        known, chosen = faces.subset(fold != place), np.flatnonzero(fold == place)
        task = train(setting, known.images, known.distribution, known.vad, start)
        probabilities[chosen], vad[chosen] = task.predict(faces.images[chosen])
    return Predicted(probabilities, vad)


def calibrate(predicted: np.ndarray, truth: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Predictions brought to the scale of the annotations: per axis, a straight line fitted on the other folds.

    Parameters
    ----------
    predicted, truth: (N, A).
    fold: (N,).
    """
    found = np.zeros_like(predicted)
    for place in np.unique(fold):
        known, chosen = fold != place, fold == place
        for k in range(predicted.shape[1]):
            slope, start = np.polyfit(predicted[known, k], truth[known, k], 1)
            found[chosen, k] = slope * predicted[chosen, k] + start
    return found


def read_out(features: np.ndarray, truth: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Ridge regression of V, A, D on a trained network's features, each fold by the others; penalties chosen there.

    Parameters
    ----------
    features: (N, F).
    truth: (N, A).
    fold: (N,).
    """
    found = np.zeros_like(truth)
    for place in np.unique(fold):
        known, chosen = fold != place, fold == place
        ridge = make_pipeline(StandardScaler(), RidgeCV(np.logspace(0, 5, 11), alpha_per_target=True))
        found[chosen] = ridge.fit(features[known], truth[known]).predict(features[chosen])
    return found


def category_baselines(
    category: np.ndarray, predicted: np.ndarray, vad: np.ndarray, fold: np.ndarray
) -> dict[str, np.ndarray]:
    """Predictors that know less than a regressor, or cheat: (N, 3) each.

    Parameters
    ----------
    category: (N,) true categories.
    predicted: (N,) what a network says they are.
    vad: (N, 3).
    fold: (N,).

    Returns
    -------
    ``constant``: the mean of the other folds; ``mean of the predicted category``, taken over faces of that true
    category; ``mean of the true category``, which no network can know.
    """
    found = {name: np.zeros_like(vad) for name in ("constant", PREDICTED_CATEGORY, TRUE_CATEGORY)}
    for place in np.unique(fold):
        known, chosen = np.flatnonzero(fold != place), np.flatnonzero(fold == place)
        found["constant"][chosen] = vad[known].mean(axis=0)
        found[TRUE_CATEGORY][chosen] = category_means(category, vad, known, chosen)
        asked = category.copy()
        asked[chosen] = predicted[chosen]
        found[PREDICTED_CATEGORY][chosen] = category_means(asked, vad, known, chosen)
    return found


PREDICTED_CATEGORY, TRUE_CATEGORY = "mean of the predicted category", "mean of the true category"
#: The arms of the ablation. Lambda is swept for the soft cost; the printed costs have no gradient to be weighted.
ARMS: dict[str, Mapping[str, object]] = {
    "none": {},
    "equations": {"consistency": "equations"},
    "table": {"consistency": "table"},
    "soft, lambda 0.1": {"consistency": "soft", "weight": 0.1},
    "soft, lambda 1": {"consistency": "soft", "weight": 1.0},
    "soft, lambda 10": {"consistency": "soft", "weight": 10.0},
}
#: What is learned together: 003's four models.
MODELS: dict[str, tuple[str, ...]] = {**{axis: (axis,) for axis in VAD_AXES}, "all": VAD_AXES}
#: Arms that 003's single-axis models are run in.
SINGLE_ARMS = ("none", "soft, lambda 1")


def differing(one: VadTask, other: VadTask) -> int:
    """How many numbers of two trained networks differ in any bit, running statistics included."""
    states = one.network.state_dict(), other.network.state_dict()
    return sum(int((a != states[1][name]).sum()) for name, a in states[0].items())
