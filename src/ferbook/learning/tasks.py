"""What is learned: one LightningModule per paper's training step, each a loss and what it is judged by."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from ferbook import models
from ferbook.core.errors import ConfigError
from ferbook.faces.emotions import EMOTIONS
from ferbook.learning import orthogonality
from ferbook.learning.configs import Config
from ferbook.learning.consistency import broadcast_mse, vad_loss
from ferbook.learning.losses import binary_cross_entropy, distribution_loss, focal_loss
from ferbook.learning.task_base import Task
from ferbook.measures import metrics, multilabel, regression
from ferbook.models.vad import regularised_layers, two_outputs


class DistributionTask(Task):
    """Paper 002: a network's softmax is compared with the labels' distribution by one of ten losses (section 3.6.3)."""

    score = "accuracy"

    def __init__(self, config: Config, *args: object, **kwargs: object):
        super().__init__(config, *args, **kwargs)
        self.distribution_loss = distribution_loss(config.loss)

    def loss(self, output: object, target: Tensor, generator: torch.Generator) -> Tensor:
        """One of the ten."""
        return self.distribution_loss(models.logits(output), target, generator)

    def measures(self, answers: Tensor, target: np.ndarray) -> dict[str, float]:
        """Tie-aware accuracy."""
        return {"accuracy": metrics.tie_aware_accuracy(answers.numpy(), target)}


class MultilabelTask(Task):
    """Paper 000: one sigmoid per emotion, compared with the emotions that are present (sections 2.4 and 3.6)."""

    score = "mean_average_precision"
    LOSSES: ClassVar[dict[str, Callable[..., Tensor]]] = {
        "binary_cross_entropy": binary_cross_entropy,
        "focal": focal_loss,
    }

    def __init__(self, config: Config, *args: object, **kwargs: object):
        if config.loss not in self.LOSSES:
            raise ConfigError("loss", f"{config.loss!r} is unknown for multilabel", f"Use {' or '.join(self.LOSSES)}.")
        super().__init__(config, *args, **kwargs)

    def loss(self, output: object, target: Tensor, generator: torch.Generator) -> Tensor:
        """Binary cross-entropy or the focal loss."""
        return self.LOSSES[self.config.loss](models.logits(output), target)

    def measures(self, answers: Tensor, target: np.ndarray) -> dict[str, float]:
        """Mean average precision, macro AUROC, Hamming loss."""
        found = multilabel.evaluate(answers.sigmoid().numpy(), target > 0)
        return {name: getattr(found, name) for name in (self.score, "macro_auroc", "hamming_loss")}

    def probabilities(self, answers: Tensor) -> Tensor:
        """(N, 8), each emotion for itself."""
        return answers.sigmoid()


class VadTask(Task):
    """Papers 003 and 004: category and valence, arousal, dominance together, with or without consistency.

    Targets and answers are (N, 8 + A): a distribution (of an answer: its logits), then one column per axis of
    ``Config.vad``. Costs and the broadcast bug are of a batch: with several processes, of each one's share of it.
    """

    score = "ccc"

    def loss(self, output: object, target: Tensor, generator: torch.Generator) -> Tensor:
        """Cross-entropy, squared error and consistency (003, equations 1, 6, 10, 14; 004, equation 3)."""
        asked, found = self.config.vad, two_outputs(output, len(EMOTIONS))
        distribution, vad = target[:, : len(EMOTIONS)], target[:, len(EMOTIONS) :]
        parts = vad_loss(
            found.logits,
            found.vad,
            distribution,
            vad,
            consistency=asked.consistency,
            weight=asked.weight,
            temperature=asked.temperature,
            axes=asked.axes,
        )
        loss = parts.regression
        if asked.broadcast_bug:
            loss = sum(broadcast_mse(found.vad[:, k : k + 1], vad[:, k]) for k in range(vad.shape[1]))
        if asked.classify:
            loss = loss + (parts.classification + asked.weight * parts.consistency)
        if asked.orthogonality:
            loss = loss + asked.orthogonality * orthogonality.penalty(regularised_layers(self.network))
        return loss

    def predict(self, images: Tensor) -> Tensor:
        """Logits and values (N, 8 + A); of a face and its mirror image, probabilities and values are averaged."""

        def told(output: object) -> Tensor:
            found = two_outputs(output, len(EMOTIONS))
            return torch.cat([found.logits.softmax(1), found.vad], 1)

        found = self._averaged(images, told)
        # The logarithm of a probability that was rounded to 0 is no number.
        logits = found[:, : len(EMOTIONS)].clamp(min=torch.finfo(found.dtype).tiny).log()
        return torch.cat([logits, found[:, len(EMOTIONS) :]], 1)

    def measures(self, answers: Tensor, target: np.ndarray) -> dict[str, float]:
        """The mean of the axes' concordance correlations, and the accuracy of the category."""
        found = regression.evaluate(
            answers[:, len(EMOTIONS) :].numpy(), target[:, len(EMOTIONS) :], names=self.config.vad.axes
        )
        return {
            "ccc": float(np.mean([value or 0.0 for value in found.model.ccc])),
            "mse": float(np.sum(found.model.mse)),
            "accuracy": metrics.tie_aware_accuracy(answers[:, : len(EMOTIONS)].numpy(), target[:, : len(EMOTIONS)]),
        }

    def probabilities(self, answers: Tensor) -> Tensor:
        """(N, 8), of the categories."""
        return answers[:, : len(EMOTIONS)].softmax(1)

    def predictions(self, answers: Tensor, target: np.ndarray) -> dict[str, np.ndarray]:
        """Beside what other tasks keep, ``vad`` (N, A), one column per axis that is learned."""
        return {**super().predictions(answers, target), "vad": answers[:, len(EMOTIONS) :].numpy()}

    def start_from(self, path: Path) -> None:
        """Begin with what ``Config.start`` learned; outputs for axes that it does not have stay as drawn."""
        first = self.config.start
        known = first.vad.axes if first is not None and first.task == "vad" else ()
        values = [len(EMOTIONS) + known.index(axis) if axis in known else None for axis in self.config.vad.axes]
        self._load(path, outputs=[*range(len(EMOTIONS)), *values])


#: The task of each of ``Config.task``'s names.
TASKS: dict[str, type[Task]] = {"distribution": DistributionTask, "multilabel": MultilabelTask, "vad": VadTask}
