"""What happens around the steps of a training: judging each epoch, keeping its state, counting its cost."""

from __future__ import annotations

import logging
import math
import pickle
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import lightning.pytorch as lightning
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from lightning.pytorch.plugins.io import TorchCheckpointIO
from torch import Tensor

from ferbook import models
from ferbook.core import paths
from ferbook.core.errors import ConfigError, DataError, FerbookError
from ferbook.learning.runs import Run
from ferbook.learning.task_base import Task


def measured(task: Task, answers: dict[str, Tensor]) -> dict[str, float]:
    """The task's measures of each part, by ``part_measure``; `answers` as ``Task.predict_part`` gives them."""
    return {
        f"{part}_{name}": value
        for part, found in answers.items()
        for name, value in task.measures(found, task.target(part)).items()
    }


def checkpoints(run: Run) -> ModelCheckpoint:
    """The state after each epoch, in the run's folder."""
    return ModelCheckpoint(
        dirpath=run.folder, filename=run.checkpoint.stem, save_top_k=1, enable_version_counter=False, every_n_epochs=1
    )


class WholeCheckpoints(TorchCheckpointIO):
    """Checkpoints that are on disk whole or not at all, wherever temporary files lie."""

    def save_checkpoint(self, checkpoint: dict[str, object], path: str | Path, storage_options: object = None) -> None:
        """As Lightning asks for it."""
        # Through a stream of Python's, whose errors say what the system said.
        with paths.replacing(Path(path)) as staging, staging.open("wb") as stream:
            torch.save(checkpoint, stream)

    def load_checkpoint(self, path: str | Path, *args: object, **options: object) -> dict[str, object]:
        """As Lightning asks for it. Raises DataError for a file that is no checkpoint."""
        try:
            return super().load_checkpoint(path, *args, **options)
        except (OSError, RuntimeError, EOFError, KeyError, pickle.UnpicklingError) as error:
            problem = f"it is no checkpoint of a run ({type(error).__name__})"
            raise DataError(problem, path, hint="Delete it; the run then begins anew.") from error


class Judge(Callback):
    """After each epoch: measure, keep the curve, keep the best weights."""

    def __init__(self, run: Run):
        self.run = run

    def on_train_epoch_end(self, trainer: lightning.Trainer, task: Task) -> None:
        """One line of the curve. Raises TrainingError where an answer is not finite, ConfigError without a score."""
        entry = {"epoch": trainer.current_epoch + 1, "train_loss": task.train_loss()}
        last = task.config.choose_on == "last"
        parts = [*([] if last else ["valid"]), *(["test"] if task.config.test_curve else [])]
        answers = {part: task.predict_part(part) for part in parts}
        if not all(torch.isfinite(found).all() for found in answers.values()):
            raise task.diverged("the network's answers are no longer finite")
        if not last:
            target = task.faces["valid"][1].cpu()
            entry["valid_loss"] = float(task.loss(answers["valid"], target, torch.Generator().manual_seed(0)))
        entry |= {**measured(task, answers), "lr": trainer.optimizers[0].param_groups[0]["lr"]}
        task.history.append(entry)
        if self._is_best(task, entry) and trainer.is_global_zero:
            models.save_weights(task.judged, self.run.best)

    @staticmethod
    def _is_best(task: Task, entry: dict[str, float]) -> bool:
        """Whether the epoch is the best so far, which it then is called."""
        part = task.config.choose_on
        if part == "last":
            task.best = {"epoch": entry["epoch"]}
            return entry["epoch"] == task.config.epochs
        score = entry[f"{part}_{task.score}"]
        if score is None:
            raise ConfigError("choose_on", f"the {part} faces have no label that is present, so nothing can be chosen")
        if score <= task.best.get("score", -math.inf):
            return False
        task.best = {"score": score, "epoch": entry["epoch"]}
        return True


class Curve(Callback):
    """The mean training loss of each epoch, for trainings that nobody judges."""

    def on_train_epoch_end(self, trainer: lightning.Trainer, task: Task) -> None:
        """One line of the curve."""
        task.history.append({"epoch": trainer.current_epoch + 1, "train_loss": task.train_loss()})


class OutOfTimeError(FerbookError):
    """Training stopped because its time was up; it goes on from its last checkpoint."""


class Deadline(Callback):
    """Stops training in time: after an epoch whose like would end too late, or else at the time itself.

    Parameters
    ----------
    until: of ``time.monotonic``.

    Raises
    ------
    OutOfTimeError: when it stops; the epochs that ended are kept.
    """

    def __init__(self, until: float):
        self.until, self.longest = until, 0.0
        self.began: float | None = None

    def on_train_epoch_start(self, trainer: lightning.Trainer, task: Task) -> None:
        """The epoch before, if there was one, is stored by now."""
        now = time.monotonic()
        if self.began is not None:
            self.longest = max(self.longest, now - self.began)
        self.began = now
        self._stop(trainer, now + self.longest)

    def on_train_batch_end(self, trainer: lightning.Trainer, *_: object) -> None:
        """An epoch that takes longer than any before."""
        self._stop(trainer, time.monotonic())

    def _stop(self, trainer: lightning.Trainer, moment: float) -> None:
        if moment >= self.until:
            raise OutOfTimeError(f"out of time after epoch {trainer.current_epoch}; it goes on from there.")


class Clock(Callback):
    """What the run has cost, all its parts together; work lost after the last checkpoint does not count."""

    def __init__(self) -> None:
        self.before: dict[str, float] | None = {"seconds": 0.0, "cpu_seconds": 0.0}
        self.began: dict[str, float] = {}

    def start(self, *, resumed: bool) -> None:
        """From here on time counts. What a resumed run cost before is in its checkpoint, or not known."""
        self.began = self._now()
        if resumed:
            self.before = None

    def spent(self) -> dict[str, float] | None:
        """``seconds`` and ``cpu_seconds`` of all threads; None where the cost before the interruption is not known."""
        if self.before is None:
            return None
        return {name: self.before[name] + value - self.began[name] for name, value in self._now().items()}

    def state_dict(self) -> dict[str, object]:
        """What a checkpoint keeps."""
        return {"spent": self.spent()}

    def load_state_dict(self, state: dict[str, object]) -> None:
        """What a checkpoint kept."""
        self.before = state["spent"]

    @staticmethod
    def _now() -> dict[str, float]:
        return {"seconds": time.perf_counter(), "cpu_seconds": time.process_time()}


@contextmanager
def quiet() -> Iterator[None]:
    """Without Lightning's remarks on hardware, workers and other products, which are not for a page."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.pytorch.utilities.rank_zero")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="lightning")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
