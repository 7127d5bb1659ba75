"""Experiments with valence, arousal, dominance and category: trainings of seconds, and predictors that know less.

What is recorded is trained by the runs of ``data/sweeps/003.yml``. Here are the small ones that a page makes while it
is built, by the same task (:class:`ferbook.learning.tasks.VadTask`): two runs with one seed and different costs form a
pair, with the same start weights, order of faces and augmentation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from ferbook.datasets.synthetic import PRIOR
from ferbook.faces.emotions import EMOTIONS, VAD_AXES
from ferbook.faces.faceset import SPLITS, FaceSet
from ferbook.learning import configs, sweeps, training
from ferbook.learning.configs import Config
from ferbook.learning.task_base import Task
from ferbook.papers.vad.annotated import category_means
from ferbook.synthesis import sample

#: What all small runs share: the recipe of the recorded ones.
RECIPE: Mapping[str, Any] = {
    "task": "vad",
    "optimiser": {"name": "adamw", "lr": 2.5e-3, "weight_decay": 2e-2},
    "schedule": {"name": "one_cycle"},
    "batch": 64,
    "choose_on": "last",
}
#: Of pictures: mirrored and shifted in training, judged together with their mirror image.
PICTURES: Mapping[str, Any] = {
    "augmentation": [{"name": "flip"}, {"name": "crop", "size": 48, "pad": 2}],
    "mirror": True,
}


def described(*parts: Mapping[str, Any], **more: Any) -> Config:
    """``RECIPE`` with parts of a config over it, the later ones first. Raises ConfigError."""
    content: Mapping[str, Any] = RECIPE
    for part in (*parts, more):
        content = sweeps.merged(content, part)
    return configs.parse(content)


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


class Predicted(NamedTuple):
    """probabilities: (N, 8). vad: (N, A), one column per axis that was learned."""

    probabilities: np.ndarray
    vad: np.ndarray

    @property
    def category(self) -> np.ndarray:
        """The likeliest emotion of each face, by name: (N,)."""
        return np.array(EMOTIONS)[self.probabilities.argmax(axis=1)]


def columns_of(config: Config) -> list[int]:
    """The axes that a run learns, as columns of a (N, 3) array."""
    return [VAD_AXES.index(axis) for axis in config.vad.axes]


def train(config: Config, faces: Faces) -> Task:
    """A trained task: of pictures with the config's network, of measured features with two hidden layers.

    Raises
    ------
    ValueError: if a value that is learned is missing.
    """
    vad = faces.vad[:, columns_of(config)]
    if not np.isfinite(vad).all():
        raise ValueError("V, A, D that are learned must be complete")
    target = torch.from_numpy(np.concatenate([faces.distribution, vad], axis=1).astype(np.float32))
    images = _tensor(faces.images)
    network = mlp(images.shape[1], target.shape[1], config.seed) if images.ndim == 2 else None
    return training.fit(config, {"train": (images, target)}, network)


def predict(task: Task, images: np.ndarray) -> Predicted:
    """What a trained task says of pictures or features that look as those it was trained on."""
    answers = task.predict(_tensor(images).to(task.device))
    found = task.predictions(answers, np.zeros((len(answers), len(EMOTIONS))))
    return Predicted(np.asarray(found["probabilities"], np.float64), np.asarray(found["vad"], np.float64))


def mlp(inputs: int, outputs: int, seed: int, width: int = 64) -> nn.Sequential:
    """(N, inputs) -> (N, outputs) through two hidden layers; its weights are drawn from `seed`."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return nn.Sequential(
            nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, outputs)
        )


def differing(one: Task, other: Task) -> int:
    """How many numbers of two trained networks differ in any bit, running statistics included."""
    states = one.network.state_dict(), other.network.state_dict()
    return sum(int((a != states[1][name]).sum()) for name, a in states[0].items())


def _tensor(images: np.ndarray) -> torch.Tensor:
    """Grey pictures (N, H, W) as (N, 1, H, W); features (N, F) in 32 bits."""
    given = torch.from_numpy(np.array(images))
    return given.float() if given.ndim == 2 else given[:, None]


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
#: The variants of the ablation, as the ``vad`` of a config. Lambda is swept for the soft cost; the printed costs have
#: no gradient to be weighted.
VARIANTS: dict[str, Mapping[str, object]] = {
    "none": {},
    "equations": {"consistency": "equations"},
    "table": {"consistency": "table"},
    "soft, lambda 0.1": {"consistency": "soft", "weight": 0.1},
    "soft, lambda 1": {"consistency": "soft", "weight": 1.0},
    "soft, lambda 10": {"consistency": "soft", "weight": 10.0},
}
#: What is learned together: 003's four models.
MODELS: dict[str, tuple[str, ...]] = {**{axis: (axis,) for axis in VAD_AXES}, "all": VAD_AXES}
