"""``train(config) -> RunResult``: read, train, choose the epoch, test once, store."""

from __future__ import annotations

import platform
import sys
from contextlib import nullcontext
from pathlib import Path

import lightning.pytorch as lightning
import numpy as np
import torch
from lightning.pytorch.utilities.rank_zero import rank_zero_only
from torch import Tensor, nn

from ferbook import datasets, models
from ferbook.core import dependencies, machine, records
from ferbook.core.errors import ConfigError, DataError
from ferbook.faces.emotions import EMOTIONS
from ferbook.faces.faceset import FaceSet
from ferbook.learning import runs
from ferbook.learning.callbacks import Clock, Curve, Deadline, Judge, WholeCheckpoints, checkpoints, measured, quiet
from ferbook.learning.configs import Config
from ferbook.learning.parts import checksums, copies_of, load, load_parts, repeated_rows, tensors_of, twins
from ferbook.learning.runs import Run, RunResult
from ferbook.learning.task_base import Batches, Task
from ferbook.learning.tasks import TASKS
from ferbook.measures import metrics, multilabel, regression
from ferbook.vision import appended


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
    other = {} if config.test is None else {"test_checksum": config.test.data}
    for name, data in {"checksum": config.data, **other}.items():
        if data.name not in datasets.ON_DISK or not datasets.is_available(data.name):
            continue
        checksum, had = load(data).provenance["checksum"], finished.provenance[name]
        if checksum != had:
            hint = f"The {data.name} at hand has {checksum[:12]}. Choose another store, or delete the folder."
            raise DataError(f"the finished run is of other data (checksum {had[:12]})", run.folder, hint=hint)


def _trained(config: Config, store: Path | None, run: Run, processes: int, until: float | None) -> RunResult:
    dependencies.running(Path(__file__))  # the record tells the code that the run began with
    if config.start is not None:
        # Runs that begin alike share it: whoever comes second waits, as nothing can be done meanwhile.
        train(config.start, store, wait=True, until=until)
    faces, parts = load_parts(config)
    tensors = {part: tensors_of(chosen, target) for part, (chosen, target) in parts.items()}
    copies = copies_of(config, parts["train"][0], faces)
    rows = repeated_rows(config, parts["train"][1])
    if rows is not None:
        tensors["train"] = (tensors["train"][0][rows], tensors["train"][1][rows])
    count = len(tensors["train"][0]) if copies is None else len(copies)
    data = checksums(config, faces, parts["test"][0])
    task = _task(config, tensors, count, copies, processes=processes, data=" ".join(data.values()))
    if config.start is not None:
        task.start_from(runs.open_run(config.start, store).best)
    clock = Clock()
    with quiet():
        trainer = lightning.Trainer(
            devices=processes,
            strategy="auto" if processes == 1 else "ddp",
            callbacks=[Judge(run), clock, checkpoints(run), *([] if until is None else [Deadline(until)])],
            plugins=[WholeCheckpoints()],
            enable_progress_bar=sys.stderr.isatty(),
            **_plain(config),
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
    answers = {part: task.predict_part(part) for part in ("valid", "test") if part in parts}
    result = RunResult(
        config=config.model_dump(mode="json"),
        history=task.history,
        metrics={
            "chosen_epoch": int(task.best["epoch"]),
            "chosen_on": config.choose_on,
            **measured(task, answers),
            "parameters": models.parameter_count(task.network),
            "faces": {part: len(chosen) for part, (chosen, _) in parts.items()},
            **({} if copies is None else {"with_copies": count}),
            **({} if rows is None else {"with_repeats": count}),
            **_in_detail(task, answers["test"], parts),
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
            kind=machine.kind(),
            **{name: value for name, value in data.items() if name != "checksum"},
            **({} if spent is None else {name: round(value, 1) for name, value in spent.items()}),
        ),
    )
    if trainer.is_global_zero:
        test, target = parts["test"]
        run.finish(result, {"ids": test.ids, **task.predictions(answers["test"], target)})
    return result


def fit(config: Config, faces: dict[str, tuple[Tensor, Tensor]], network: nn.Module | None = None) -> Task:
    """Train on what lies in memory: no store, nothing held out, no files. For pages, and for trainings of seconds.

    Parameters
    ----------
    config: the run, of whose data, labels and split nothing is read.
    faces: as a task takes them (:class:`ferbook.learning.task_base.Task`); ``train`` is enough.
    network: another one than the config names.
    """
    count = len(faces["train"][0])
    task = _task(config, faces, count, network=network)
    with quiet():
        trainer = lightning.Trainer(
            devices=1,
            callbacks=[Curve()],
            enable_checkpointing=False,
            enable_progress_bar=False,
            **_plain(config),
        )
        trainer.fit(task, Batches(count, config.batch, task))
        task.to(trainer.strategy.root_device)
    return task


def _plain(config: Config) -> dict[str, object]:
    """Lightning's options for any run of a config."""
    return {
        "accelerator": "auto",
        "max_epochs": config.epochs,
        "precision": "bf16-mixed" if use_bfloat16(config.precision) else "32-true",
        "logger": False,
        "enable_model_summary": False,
        "num_sanity_val_steps": 0,
        "use_distributed_sampler": False,
    }


def _in_detail(task: Task, answers: Tensor, parts: dict[str, tuple[FaceSet, np.ndarray]]) -> dict[str, object]:
    """The test faces, from all sides: which answers were right, with and without pictures seen in training."""
    (train, _), (test, target) = parts["train"], parts["test"]
    seen = twins(train.images, test.images)
    if task.config.task == "multilabel":
        scores = task.probabilities(answers).numpy()
        return {"test": multilabel.evaluate(scores, target > 0).as_dict(), "seen_in_training": int(seen.sum())}
    if task.config.task == "vad":
        columns = slice(len(EMOTIONS), None)
        found = regression.evaluate(answers[:, columns].numpy(), target[:, columns], names=task.config.vad.axes)
        return {"test": found.as_dict(), "seen_in_training": int(seen.sum())}
    probabilities = answers.softmax(1).numpy().astype(np.float64)
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
    if machine.has_gpu():
        return torch.cuda.is_bf16_supported()
    return machine.instructions() in machine.WITH_BFLOAT16


def _task(
    config: Config,
    tensors: dict[str, tuple[Tensor, Tensor]],
    count: int,
    copies: appended.Appended | None = None,
    *,
    processes: int = 1,
    data: str = "",
    network: nn.Module | None = None,
) -> Task:
    if config.model.options.get("num_classes", 8) != 8:
        raise ConfigError("model.options.num_classes", "the labels have 8 emotions", "Leave it out.")
    task = TASKS[config.task](config, tensors, total_steps=1, copies=copies, data=data, network=network)
    task.total_steps = config.epochs * len(Batches(count, config.batch, task, processes))
    return task
