"""Experiments with valence, arousal, dominance and category, on any faces whose V, A, D are annotated.

Cross-validation on them alone, training on other faces whose V, A, D are only guessed from the crowd's votes
(:func:`proxy`), and predictors that know less than a network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ferbook.datasets.synthetic import PRIOR
from ferbook.faces import labels, splits
from ferbook.faces.emotions import EMOTIONS, VAD_AXES, vad_matrix
from ferbook.faces.faceset import SPLITS, FaceSet
from ferbook.papers.vad.annotated import category_means
from ferbook.papers.vad.engine import Predicted, Setting, Start, train
from ferbook.synthesis import sample


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
