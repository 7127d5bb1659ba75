"""``train(config) -> RunResult``: read, train, choose the epoch, test once, store."""

from __future__ import annotations

import platform
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import lightning.pytorch as lightning
import numpy as np
import torch
from lightning.pytorch.utilities.rank_zero import rank_zero_only
from torch import Tensor

from ferbook import datasets, models
from ferbook.core import dependencies, records
from ferbook.core.errors import ConfigError, DataError
from ferbook.faces import folds, labels, splits
from ferbook.faces.emotions import EMOTIONS
from ferbook.faces.faceset import SPLITS, FaceSet
from ferbook.learning import runs
from ferbook.learning.callbacks import Clock, Deadline, Judge, WholeCheckpoints, checkpoints, measured, quiet
from ferbook.learning.configs import Config
from ferbook.learning.runs import Run, RunResult
from ferbook.learning.tasks import TASKS, Batches, Task
from ferbook.measures import metrics, multilabel
from ferbook.vision import appended, detection


def train(
    config: Config,
    store: Path | None = None,
    processes: int = 1,
    *,
    wait: bool = False,
    until: float | None = None,
) -> RunResult:
    """Run `config`, or go on with it where it was interrupted, or return its result where it is finished.

    Parameters
    ----------
    config: the run.
    store: folder of runs; default ``_build/runs``.
    processes: how many processes (on GPUs: devices) share each batch. Not part of the run's description. Lightning
        starts the others by running the program's command line again.
    wait: where another process trains this very run, wait for it instead of refusing.
    until: a time of ``time.monotonic`` at which to stop, after the last epoch that ends before it.

    Raises
    ------
    BusyError: if another process trains this run, unless it is to be waited for.
    OutOfTimeError: if `until` comes first; the same call goes on from the last epoch that ended.
    OutputError: if the store has no room or gives no right to write.
    ConfigError: naming the field that cannot work.
    DataError: if the data set is missing or broken, is not the one of the finished run, or the checkpoint is broken.
    TrainingError: if the loss or the answers stop being finite, the state after the last good epoch stays; or if the
        interrupted run began with other data.
    """
    if processes < 1:
        raise ConfigError("processes", f"{processes} is less than 1")
    if processes > 1 and config.batch < 2 * processes:
        raise ConfigError("batch", f"{config.batch} faces leave {processes} processes fewer than two each")
    run = runs.open_run(config, store)
    if run.result() is None:
        # Processes that share a run's batches are one; the first of them holds the lock.
        with run.alone(wait=wait) if rank_zero_only.rank in (None, 0) else nullcontext():
            # Another process may have finished it while this one waited.
            if run.result() is None:
                return _with_own_threads(config, store, run, processes, until)
    finished = run.result()
    _need_same_data(config, finished, run)
    run.tidy()
    return finished


def _with_own_threads(config: Config, store: Path | None, run: Run, processes: int, until: float | None) -> RunResult:
    threads = torch.get_num_threads()
    try:
        return _trained(config, store, run, processes, until)
    finally:
        # A resumed run goes on with the number it began with.
        torch.set_num_threads(threads)


def _need_same_data(config: Config, finished: RunResult, run: Run) -> None:
    """Raise DataError if a data set is at hand and is another one than the finished run had."""
    if config.data.name not in datasets.ON_DISK or not datasets.is_available(config.data.name):
        return
    checksum = _load(config).provenance["checksum"]
    if checksum != finished.provenance["checksum"]:
        hint = f"The {config.data.name} at hand has {checksum[:12]}. Choose another store, or delete the folder."
        problem = f"the finished run is of other data (checksum {finished.provenance['checksum'][:12]})"
        raise DataError(problem, run.folder, hint=hint)


def _load(config: Config) -> FaceSet:
    """The data set. Raises ConfigError for an option that its reader does not have."""
    known = datasets.options(config.data.name)
    for name in config.data.options:
        if name not in known:
            has = f"It has {', '.join(known)}." if known else "It has none."
            raise ConfigError(f"data.options.{name}", f"{config.data.name} has no such option", has)
    return datasets.load(config.data.name, **config.data.options)


def _trained(config: Config, store: Path | None, run: Run, processes: int, until: float | None) -> RunResult:
    dependencies.running(Path(__file__))  # the record tells the code that the run began with
    if config.start is not None:
        # Runs that begin alike share it: whoever comes second waits, as nothing can be done meanwhile.
        train(config.start, store, wait=True, until=until)
    faces, parts = load_parts(config)
    tensors = {part: _tensors(chosen, target) for part, (chosen, target) in parts.items()}
    copies = _copies(config, parts["train"][0], faces)
    rows = _repeated(config, parts["train"][1])
    if rows is not None:
        tensors["train"] = (tensors["train"][0][rows], tensors["train"][1][rows])
    count = len(tensors["train"][0]) if copies is None else len(copies)
    task = _task(config, tensors, count, copies, processes=processes, data=faces.provenance["checksum"])
    if config.start is not None:
        task.start_from(runs.open_run(config.start, store).best)
    clock = Clock()
    with quiet():
        trainer = lightning.Trainer(
            accelerator="auto",
            devices=processes,
            strategy="auto" if processes == 1 else "ddp",
            max_epochs=config.epochs,
            precision="bf16-mixed" if use_bfloat16(config.precision) else "32-true",
            callbacks=[Judge(run), clock, checkpoints(run), *([] if until is None else [Deadline(until)])],
            plugins=[WholeCheckpoints()],
            logger=False,
            enable_progress_bar=sys.stderr.isatty(),
            enable_model_summary=False,
            num_sanity_val_steps=0,
            use_distributed_sampler=False,
        )
        resume = run.checkpoint if run.checkpoint.is_file() else None
        clock.start(resumed=resume is not None)
        try:
            trainer.fit(task, Batches(count, config.batch, task, processes), ckpt_path=resume, weights_only=True)
        except SystemExit:
            # Lightning ends an interrupted program without a word; whoever called has one to say.
            raise KeyboardInterrupt from None
        trainer.strategy.barrier()
        # When it is done, the trainer takes the network off the device, on which the faces stay.
        task.to(trainer.strategy.root_device)
    spent = clock.spent()
    models.load_weights(task.judged, run.best)
    logits = {part: task.predict_part(part) for part in ("valid", "test")}
    result = RunResult(
        config=config.model_dump(mode="json"),
        history=task.history,
        metrics={
            "chosen_epoch": int(task.best["epoch"]),
            "chosen_on": config.choose_on,
            **measured(task, logits),
            "parameters": models.parameter_count(task.network),
            "faces": {part: len(chosen) for part, (chosen, _) in parts.items()},
            **({} if copies is None else {"with_copies": count}),
            **({} if rows is None else {"with_repeats": count}),
            **_in_detail(config, logits["test"], parts),
        },
        provenance=records.provenance(
            faces,
            Path(__file__),
            device=str(trainer.strategy.root_device),
            processes=processes,
            threads=torch.get_num_threads(),
            precision=trainer.precision,
            compiled=task.is_compiled,
            machine=platform.machine(),
            **({} if spent is None else {name: round(value, 1) for name, value in spent.items()}),
        ),
    )
    if trainer.is_global_zero:
        test, target = parts["test"]
        scores = logits["test"].softmax(1) if config.task == "distribution" else logits["test"].sigmoid()
        run.finish(result, {"ids": test.ids, "probabilities": scores.numpy(), "distribution": np.asarray(target)})
    return result


def load_parts(config: Config) -> tuple[FaceSet, dict[str, tuple[FaceSet, np.ndarray]]]:
    """The data set, and per part its faces and their labels (N, 8).

    The labels are distributions, those of training reduced to N-hot; for ``task: multilabel``, 1 where an emotion is
    present.

    Raises
    ------
    ConfigError: if the data set does not have such labels, or a part would be empty.
    """
    faces = _load(config)
    kept, distribution = _labelled(config, faces)
    if config.data.aligned:
        images, _ = detection.align(kept.images, detection.landmarks_of(kept, faces), kept.images.shape[1])
        kept = replace(kept, images=images)
    split = _split(config, kept, distribution)
    rng = np.random.default_rng(config.seed)
    parts = {}
    for part, chosen in zip(SPLITS, split, strict=True):
        if not chosen.size:
            raise ConfigError("split", f"the {part} part of {config.data.name} is empty")
        target = distribution[chosen]
        if config.task == "multilabel":
            target = _present(config, target).astype(float)
        elif part == "train":
            target = labels.n_hot(target, config.labels.n_hot, rng)
        parts[part] = (kept.subset(chosen), target)
    return faces, parts


def _present(config: Config, distribution: np.ndarray) -> np.ndarray:
    """Which emotions are present, (N, 8) bool."""
    return distribution >= config.labels.present - labels.SUM_TOLERANCE


def _repeated(config: Config, target: np.ndarray) -> np.ndarray | None:
    """Rows of the training faces as an epoch shows them, some more than once; None where none is repeated."""
    if not config.labels.repeat:
        return None
    times = np.ones(len(target), dtype=int)
    for name, count in config.labels.repeat.items():
        times[target[:, EMOTIONS.index(name)] > 0] = np.maximum(times[target[:, EMOTIONS.index(name)] > 0], count)
    return np.repeat(np.arange(len(target)), times)


def _labelled(config: Config, faces: FaceSet) -> tuple[FaceSet, np.ndarray]:
    """The faces that have labels, and their distributions."""
    if config.labels.source == "truth":
        if faces.distribution is None:
            raise ConfigError("labels.source", f"of {faces.name} no true mixture is known", "Use votes.")
        return faces, np.asarray(faces.distribution, dtype=np.float64)
    if faces.votes is None:
        raise ConfigError("data.name", f"{faces.name} has no votes", "Paper 002's labels are made of votes.")
    cleaned = labels.clean_votes(faces.votes, config.labels.cleaning, config.labels.limit)
    return faces.subset(cleaned.keep), cleaned.distribution


def _in_detail(config: Config, logits: Tensor, parts: dict[str, tuple[FaceSet, np.ndarray]]) -> dict[str, object]:
    """The test faces, from all sides: which answers were right, with and without pictures seen in training."""
    (train, _), (test, target) = parts["train"], parts["test"]
    groups = splits.duplicate_groups(np.concatenate([train.images, test.images]))
    seen = splits.leaked(groups, np.arange(len(train)), np.arange(len(train), len(groups)))
    if config.task == "multilabel":
        scores = logits.sigmoid().numpy()
        return {"test": multilabel.evaluate(scores, target > 0).as_dict(), "seen_in_training": int(seen.sum())}
    probabilities = logits.softmax(1).numpy().astype(np.float64)
    correct = metrics.is_accurate(probabilities, target)
    found = {
        "test": metrics.crowd_measures(probabilities, target),
        "test_correct": metrics.to_bits(correct),
        "seen_in_training": int(seen.sum()),
        "test_accuracy_unseen": float(correct[~seen].mean()) if not seen.all() else None,
    }
    if test.distribution is not None:
        found["test_truth"] = metrics.crowd_measures(probabilities, np.asarray(test.distribution, dtype=np.float64))
    return found


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
        if kept.split is None:
            raise ConfigError("split.kind", f"{kept.name} has no official split", "Use ordinary, complex or folds.")
        return splits.official_split(kept)
    if config.split.kind == "folds":
        return folds.fold_split(
            kept, _present(config, distribution), config.split.fold, config.split.folds, config.split.valid_share
        )
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


def _copies(config: Config, training: FaceSet, faces: FaceSet) -> appended.Appended | None:
    """The index of the training faces and their appended copies; None where there are none."""
    wanted = config.copies
    match wanted.kind:
        case "ordinary":
            return appended.Appended.full(len(training), appended.ordinary(wanted.angle))
        case "adaptive":
            landmarks = detection.landmarks_of(training, faces)
            return appended.adaptive_copies(landmarks, wanted.x1, wanted.x2, wanted.angle)
        case _:
            return None


def _task(
    config: Config,
    tensors: dict[str, tuple[Tensor, Tensor]],
    count: int,
    copies: appended.Appended | None = None,
    *,
    processes: int = 1,
    data: str = "",
) -> Task:
    if config.model.options.get("num_classes", 8) != 8:
        raise ConfigError("model.options.num_classes", "the labels have 8 emotions", "Leave it out.")
    task = TASKS[config.task](config, tensors, total_steps=1, copies=copies, data=data)
    task.total_steps = config.epochs * len(Batches(count, config.batch, task, processes))
    return task
