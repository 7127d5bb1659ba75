"""``train(config) -> RunResult``: read, train, choose the epoch, test once, store."""

from __future__ import annotations

import logging
import platform
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import lightning.pytorch as lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from torch import Tensor

from ferbook import datasets, dependencies, labels, models, runs, splits
from ferbook.configs import Config
from ferbook.errors import ConfigError
from ferbook.faceset import FaceSet
from ferbook.metrics import tie_aware_accuracy
from ferbook.runs import Run, RunResult
from ferbook.tasks import Batches, DistributionTask


def train(config: Config, store: Path | None = None) -> RunResult:
    """Run `config`, or go on with it where it was interrupted, or return its result where it is finished.

    Parameters
    ----------
    config: the run.
    store: folder of runs; default ``_build/runs``.

    Raises
    ------
    ConfigError: naming the field that cannot work.
    DataError: if the data set is missing or broken.
    TrainingError: if the loss stops being finite; the state after the last good epoch stays.
    """
    run = runs.open_run(config, store)
    finished = run.result()
    if finished is not None:
        return finished
    faces, parts = load_parts(config)
    tensors = {part: _tensors(chosen, target) for part, (chosen, target) in parts.items()}
    count = len(parts["train"][0])
    task = _task(config, tensors, count)
    start = time.perf_counter()
    with _quiet():
        trainer = lightning.Trainer(
            accelerator="auto",
            devices=1,
            max_epochs=config.epochs,
            precision="bf16-mixed" if use_bfloat16(config.precision) else "32-true",
            callbacks=[_Judge(run), _checkpoints(run)],
            logger=False,
            enable_progress_bar=sys.stderr.isatty(),
            enable_model_summary=False,
            num_sanity_val_steps=0,
            use_distributed_sampler=False,
        )
        resume = run.checkpoint if run.checkpoint.is_file() else None
        trainer.fit(task, Batches(count, config.batch, task), ckpt_path=resume, weights_only=True)
    seconds = time.perf_counter() - start
    models.load_weights(task.network, run.best)
    logits = {part: task.predict_part(part) for part in ("valid", "test")}
    result = RunResult(
        config=config.model_dump(mode="json"),
        history=task.history,
        metrics={
            "chosen_epoch": int(task.best["epoch"]),
            "chosen_on": config.choose_on,
            **{f"{part}_accuracy": accuracy(logits[part], parts[part][1]) for part in logits},
            "parameters": sum(parameter.numel() for parameter in task.network.parameters()),
            "faces": {part: len(chosen) for part, (chosen, _) in parts.items()},
        },
        provenance={
            "checksum": faces.provenance["checksum"],
            "library": dependencies.library_hash(dependencies.library_files(Path(__file__))),
            "device": str(trainer.strategy.root_device),
            "precision": trainer.precision,
            "machine": platform.machine(),
            "python": platform.python_version(),
            **{name: version(name) for name in ("torch", "lightning", "numpy")},
            "seconds": round(seconds, 1),
        },
    )
    test, target = parts["test"]
    run.finish(
        result,
        {"ids": test.ids, "probabilities": logits["test"].softmax(1).numpy(), "distribution": np.asarray(target)},
    )
    return result


def load_parts(config: Config) -> tuple[FaceSet, dict[str, tuple[FaceSet, np.ndarray]]]:
    """The data set, and per part its cleaned faces and their distributions (N, 8), training labels reduced to N-hot.

    Raises
    ------
    ConfigError: if the data set has no votes, or a part would be empty.
    """
    faces = datasets.load(config.data.name, **config.data.options)
    if faces.votes is None:
        raise ConfigError("data.name", f"{config.data.name} has no votes", "Paper 002's labels are made of votes.")
    cleaned = labels.clean_votes(faces.votes, config.labels.cleaning, config.labels.limit)
    kept = faces.subset(cleaned.keep)
    split = _split(config, kept, cleaned.distribution)
    rng = np.random.default_rng(config.seed)
    parts = {}
    for part, chosen in zip(("train", "valid", "test"), split, strict=True):
        if not chosen.size:
            raise ConfigError("split", f"the {part} part of {config.data.name} is empty")
        target = cleaned.distribution[chosen]
        if part == "train":
            target = labels.n_hot(target, config.labels.n_hot, rng)
        parts[part] = (kept.subset(chosen), target)
    return faces, parts


def accuracy(logits: Tensor, distribution: np.ndarray) -> float:
    """Tie-aware accuracy of logits (N, 8)."""
    return tie_aware_accuracy(logits.numpy(), distribution)


def use_bfloat16(precision: str) -> bool:
    """Whether to compute in bfloat16: if asked to, or under "auto" where the hardware has instructions for it.

    Processors without them emulate it, which takes several times as long as 32 bits.
    """
    if precision != "auto":
        return precision == "bf16"
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported()
    return torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()


def _split(config: Config, kept: FaceSet, distribution: np.ndarray) -> splits.Split:
    if config.split.kind == "official":
        return splits.official_split(kept)
    if kept.name == "ferplus":
        drawn = splits.frozen_split(kept, f"ferplus-{config.split.kind}")
    else:
        make = splits.ordinary_split if config.split.kind == "ordinary" else splits.complex_split
        drawn = make(distribution, rng=np.random.default_rng(0))
    # The faces that choose the epoch are the same for every seed, so that runs differ in training alone.
    order = np.random.default_rng(1).permutation(drawn.train)
    held_out = round(config.split.valid_share * len(order))
    return splits.Split(np.sort(order[held_out:]), np.sort(order[:held_out]), drawn.test)


def _tensors(faces: FaceSet, target: np.ndarray) -> tuple[Tensor, Tensor]:
    images = torch.from_numpy(np.array(faces.images))
    images = images.unsqueeze(1) if images.ndim == 3 else images.permute(0, 3, 1, 2)
    return images.contiguous(), torch.from_numpy(np.asarray(target, dtype=np.float32))


def _task(config: Config, tensors: dict[str, tuple[Tensor, Tensor]], count: int) -> DistributionTask:
    if config.model.options.get("num_classes", 8) != 8:
        raise ConfigError("model.options.num_classes", "the labels have 8 emotions", "Leave it out.")
    probe = DistributionTask(config, tensors, total_steps=1)
    probe.total_steps = config.epochs * len(Batches(count, config.batch, probe))
    return probe


def _checkpoints(run: Run) -> ModelCheckpoint:
    return ModelCheckpoint(
        dirpath=run.folder, filename=run.checkpoint.stem, save_top_k=1, enable_version_counter=False, every_n_epochs=1
    )


class _Judge(Callback):
    """After each epoch: measure, keep the curve, keep the best weights."""

    def __init__(self, run: Run):
        self.run = run

    def on_train_epoch_end(self, trainer: lightning.Trainer, task: DistributionTask) -> None:
        valid = task.predict_part("valid")
        entry = {
            "epoch": trainer.current_epoch + 1,
            "train_loss": task.train_loss(),
            "valid_accuracy": accuracy(valid, _target(task, "valid")),
            "valid_loss": float(task.loss(valid, task.faces["valid"][1].cpu(), torch.Generator().manual_seed(0))),
            "lr": trainer.optimizers[0].param_groups[0]["lr"],
        }
        if task.config.test_curve:
            entry["test_accuracy"] = accuracy(task.predict_part("test"), _target(task, "test"))
        task.history.append(entry)
        score = entry[f"{task.config.choose_on}_accuracy"]
        if score > task.best.get("score", -1.0):
            task.best = {"score": score, "epoch": entry["epoch"]}
            models.save_weights(task.network, self.run.best)


def _target(task: DistributionTask, part: str) -> np.ndarray:
    return task.faces[part][1].cpu().numpy()


@contextmanager
def _quiet() -> Iterator[None]:
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
