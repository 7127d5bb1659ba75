"""How fast this library trains beside the usual loop: same network, pictures, augmentation, batch and steps.

Every measurement runs in a process of its own, so that its peak memory is that of one way of training, and the ways
take turns, so that a machine that slows down does so for both. Speed is that of the steps after the first few:
start-up, compilation and the filling of queues are left out, and no epoch ends within what is timed, so that the usual
loop's workers always have pictures to read ahead.

``python -m ferbook.learning.throughput JOB`` runs one measurement, JOB being what :func:`_job` makes.
"""

# What only one way of training needs is imported where it is needed: the other way's memory must not hold it.
from __future__ import annotations

import json
import multiprocessing
import os
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from ferbook import models
from ferbook.core import machine, memory, operations, temporary
from ferbook.core.errors import ConfigError
from ferbook.faces.emotions import EMOTIONS, VAD_AXES, vad_matrix

if TYPE_CHECKING:
    from ferbook.learning.configs import Config
    from ferbook.learning.task_base import Batches, Task

#: Ways of training, in the order in which they take turns.
WAYS = ("engine", "usual")
#: Both ways' augmentation, after a crop where the network takes fewer pixels than the pictures have.
AUGMENTATION: tuple[Mapping[str, Any], ...] = (
    {"name": "flip"},
    {"name": "affine", "degrees": 10, "translate": 0.05, "scale": 0.05},
)
LEARNING_RATE = 1e-3
#: Side of the pictures in pixels.
SIDE = 48


@dataclass(frozen=True)
class Setting:
    """What is trained, for how long.

    Parameters
    ----------
    network: name in ``ferbook.models``; takes one channel here.
    side: pixels that it sees of a picture.
    batch: pictures per step.
    warm_up: steps that are not timed; more than the loader's workers read ahead (two batches each).
    timed: steps that are.
    compile: whether the engine is asked to fuse the network's operations.
    task: ``distribution``, or ``vad`` for category with V, A, D (guessed from it) by cross-entropy and squared error.
    """

    network: str
    side: int = SIDE
    batch: int = 32
    warm_up: int = 5
    timed: int = 6
    compile: bool = False
    task: str = "distribution"

    @property
    def steps(self) -> int:
        """All of them."""
        return self.warm_up + self.timed

    @property
    def augmentation(self) -> tuple[Mapping[str, Any], ...]:
        """Steps of :func:`ferbook.vision.augment.build`."""
        crop = ({"name": "crop", "size": self.side},) if self.side < SIDE else ()
        return (*crop, *AUGMENTATION)

    def pictures(self) -> int:
        """How many are enough for one epoch to hold all steps, and what the workers read ahead meanwhile."""
        return (self.steps + 2 * (os.cpu_count() or 1)) * self.batch


SETTINGS: tuple[Setting, ...] = (
    Setting("vgg16_48"),
    Setting("cifar_resnet18", side=44),
    # Compilation gains a tenth here, nothing on the two large networks.
    Setting("compact", batch=128, timed=12, compile=True),
)


def setting(network: str, **changes: object) -> Setting:
    """One of ``SETTINGS`` by its network's name, with some fields changed.

    Raises
    ------
    ConfigError: if there is none of that name.
    """
    for known in SETTINGS:
        if known.network == network:
            return replace(known, **changes)
    names = ", ".join(known.network for known in SETTINGS)
    raise ConfigError("network", f"{network!r} is not measured", f"Known: {names}.")


def compare(settings: Sequence[Setting] = SETTINGS, repeats: int = 4, parts: bool = True) -> dict[str, object]:
    """Train every setting both ways, in turns.

    Parameters
    ----------
    settings: networks and lengths.
    repeats: how often each way is measured.
    parts: also measure what the ways are made of, see :func:`parts_of`.

    Returns
    -------
    ``matrix``: of :func:`ferbook.core.machine.matrix_rates`. ``networks``: by name, per way the images_per_s, peak_mib
    (workers' included), gflop_per_s (:mod:`ferbook.core.operations`) and matrix_share, of the faster matrix rate, all
    of the best turn, as the rate is that of the best product; ``factor``, how many times the usual loop's speed the
    engine's is, with its ``factor_interval`` and ``factors``, one per turn (:mod:`ferbook.measures.turns`);
    ``precision`` and ``compiled``, of the engine; ``parts``.

    Raises
    ------
    FerbookError: if a measurement fails.
    """
    before = machine.matrix_rates()
    runs: dict[str, dict[str, list[dict[str, Any]]]] = {}
    made_of: dict[str, dict[str, float]] = {}
    with temporary.folder() as scratch:
        _write_faces(max(setting.pictures() for setting in settings), scratch)
        for setting in settings:
            found = [{way: _measured(way, setting, scratch) for way in WAYS} for _ in range(repeats)]
            runs[setting.network] = {way: [turn[way] for turn in found] for way in WAYS}
            made_of[setting.network] = _measured("parts", setting, scratch) if parts else {}
    # Others may have used the machine for a while; what it can do is the better of two tries.
    rates = max(before, machine.matrix_rates(), key=machine.fastest)
    networks = {
        setting.network: {
            **summary(setting, runs[setting.network], machine.fastest(rates)),
            "parts": made_of[setting.network],
        }
        for setting in settings
    }
    return {"matrix": rates, "networks": networks}


def summary(setting: Setting, runs: Mapping[str, Sequence[Mapping[str, Any]]], matrix_rate: float) -> dict[str, Any]:
    """One network's entry of :func:`compare`, of the runs of either way. matrix_rate: in GFLOP/s."""
    from ferbook.measures import turns

    additions = models.multiply_adds(setting.network, setting.side, in_channels=1)
    billions = operations.of_training(additions) / 1e9
    speed = {way: max(run["images_per_s"] for run in runs[way]) for way in WAYS}
    took = {way: [1 / run["images_per_s"] for run in runs[way]] for way in WAYS}
    return {
        "setting": asdict(setting),
        "multiply_adds": additions,
        **{
            way: {
                "images_per_s": round(speed[way], 1),
                "peak_mib": round(max(run["peak_mib"] for run in runs[way])),
                "gflop_per_s": round(speed[way] * billions, 1),
                "matrix_share": round(speed[way] * billions / matrix_rate, 3),
            }
            for way in WAYS
        },
        **turns.figures(turns.of_turns(took["usual"], took["engine"])),
        "precision": runs["engine"][0]["precision"],
        "compiled": runs["engine"][0]["compiled"],
    }


#: Kinds of work in a training step, and a pattern that finds it in an operation's name; the first that fits counts.
WORK: Mapping[str, str] = {
    # What compilation made one kernel of: batch norm, ReLU, sums and means.
    "fused": "CompiledFxGraph|Torch-Compiled|CompiledFunction",
    "convolutions": r"convolution|aten::(add)?mm$",
    "batch norm": "batch_norm",
    "ReLU and pooling": "relu|threshold|pool",
    "optimiser": "adam",
}


def profile(settings: Sequence[Setting] = SETTINGS) -> dict[str, dict[str, Any]]:
    """Where the time of this library's training steps goes, by network.

    Returns
    -------
    By network: ``step_s``, of the mean timed step; ``shares`` of it by kind of ``WORK``, and of the ``rest``, which is
    augmentation, Lightning and Python; what :func:`engine` says of ``precision`` and ``compiled``.
    """
    with temporary.folder() as scratch:
        _write_faces(max(setting.pictures() for setting in settings), scratch, files=False)
        return {setting.network: _measured("profile", setting, scratch) for setting in settings}


def _profiled(setting: Setting, images: Tensor, distribution: Tensor) -> dict[str, Any]:
    """One network's entry of :func:`profile`."""
    from torch.profiler import ProfilerActivity
    from torch.profiler import profile as watching

    with watching(activities=[ProfilerActivity.CPU], schedule=_after(setting)) as watched:
        found = engine(setting, images, distribution, watched.step)
    step_s = setting.batch / found["images_per_s"]
    seconds = dict.fromkeys(WORK, 0.0)
    for entry in watched.key_averages():
        kind = next((kind for kind, pattern in WORK.items() if re.search(pattern, entry.key)), None)
        if kind is not None:
            seconds[kind] += entry.self_cpu_time_total / 1e6 / setting.timed
    shares = {kind: round(spent / step_s, 3) for kind, spent in seconds.items()}
    return {
        "step_s": round(step_s, 4),
        "shares": {**shares, "rest": round(1 - sum(shares.values()), 3)},
        "precision": found["precision"],
        "compiled": found["compiled"],
    }


def _after(setting: Setting) -> Callable[[int], Any]:
    """A schedule of torch's profiler that watches the timed steps."""
    from torch.profiler import schedule

    return schedule(wait=setting.warm_up - 1, warmup=1, active=setting.timed, repeat=1)


def engine(
    setting: Setting, images: Tensor, distribution: Tensor, each: Callable[[], object] | None = None
) -> dict[str, Any]:
    """Train by ``ferbook.learning.tasks`` on Lightning, as :func:`ferbook.learning.training.train` does, without
    validation and files.

    Parameters
    ----------
    images: uint8 (N, 1, H, W).
    distribution: (N, 8).
    each: called after each step.

    Returns
    -------
    ``images_per_s``, ``peak_mib``, ``losses`` of all steps, ``parameters``, ``precision`` and whether ``compiled``.
    """
    from ferbook.learning import configs
    from ferbook.learning.task_base import Batches
    from ferbook.learning.tasks import TASKS

    config = configs.parse(
        {
            "task": setting.task,
            "model": {"name": setting.network},
            "augmentation": list(setting.augmentation),
            "optimiser": {"name": "adam", "lr": LEARNING_RATE},
            "batch": setting.batch,
            "compile": setting.compile,
        }
    )
    target = torch.cat([distribution, distribution @ _points()], 1) if setting.task == "vad" else distribution
    task = TASKS[config.task](config, {"train": (images, target)}, total_steps=setting.steps)
    return _timed(setting, task, Batches(len(images), setting.batch, task), each)


def fourfold_epoch(config: Config, faces: int, setting: Setting) -> dict[str, Any]:
    """How long an epoch of a run lasts whose faces have all their copies appended (paper 002, section 3.6.1).

    Parameters
    ----------
    config: the run; only its network and how it is trained count. Pictures and labels are noise.
    faces: in the training set, without copies.
    setting: its batch, and how many of the epoch's steps are timed; all of them lie within the epoch.

    Returns
    -------
    ``pictures``, copies included; ``epoch_s``, of all of them at the speed of the timed steps; what :func:`engine`
    returns; and ``matrix``, ``gflop_per_s`` and ``matrix_share`` as :func:`compare`.
    """
    from ferbook.learning.task_base import Batches
    from ferbook.learning.tasks import TASKS
    from ferbook.vision import appended

    noise = torch.Generator().manual_seed(0)
    images = torch.randint(256, (faces, 1, SIDE, SIDE), dtype=torch.uint8, generator=noise)
    target = torch.rand(faces, len(EMOTIONS), generator=noise).softmax(1)
    copies = appended.Appended.full(faces, appended.ordinary(config.copies.angle))
    before = machine.matrix_rates()
    task = TASKS[config.task](config, {"train": (images, target)}, total_steps=setting.steps, copies=copies)
    found = _timed(setting, task, Batches(len(copies), setting.batch, task))
    rates = max(before, machine.matrix_rates(), key=machine.fastest)
    del found["losses"]
    additions = models.multiply_adds(config.model.name, SIDE, in_channels=1)
    rate = found["images_per_s"] * operations.of_training(additions) / 1e9
    return {
        "pictures": len(copies),
        "epoch_s": round(len(copies) / found["images_per_s"], 2),
        **found,
        "images_per_s": round(found["images_per_s"], 1),
        "peak_mib": round(found["peak_mib"]),
        "gflop_per_s": round(rate, 1),
        "matrix_share": round(rate / machine.fastest(rates), 3),
        "matrix": rates,
    }


def _timed(setting: Setting, task: Task, batches: Batches, each: Callable[[], object] | None = None) -> dict[str, Any]:
    """Train for a setting's steps on Lightning, as a run does but without validation and files."""
    import lightning.pytorch as lightning

    from ferbook.learning.callbacks import quiet
    from ferbook.learning.training import use_bfloat16

    losses: list[Tensor] = []
    watch = _Watch(setting)

    class Clock(lightning.Callback):
        def on_train_batch_end(self, trainer, task, outputs, batch, number) -> None:
            losses.append(outputs["loss"].detach())
            watch.step()
            if each is not None:
                each()

    with quiet():
        trainer = lightning.Trainer(
            accelerator="auto",
            devices=1,
            max_steps=setting.steps,
            precision="bf16-mixed" if use_bfloat16(task.config.precision) else "32-true",
            callbacks=[Clock()],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            use_distributed_sampler=False,
        )
        trainer.fit(task, batches)
    return {
        "images_per_s": watch.speed(),
        "peak_mib": memory.peak_mib(),
        "losses": [float(loss) for loss in losses],
        "parameters": models.parameter_count(task.network),
        "precision": trainer.precision,
        "compiled": task.is_compiled,
    }


def usual(setting: Setting, folder: Path, workers: int | None = None) -> dict[str, Any]:
    """Train by :mod:`ferbook.learning.usual_loop` on the pictures in a folder; returns what :func:`engine` does."""
    from ferbook.learning import usual_loop

    network = _network(setting)
    batches = usual_loop.loader(folder, setting.augmentation, setting.batch, workers)
    torch.manual_seed(0)
    criterion = usual_loop.joint(_points()) if setting.task == "vad" else nn.CrossEntropyLoss()
    steps = usual_loop.train(network, batches, LEARNING_RATE, criterion)
    losses, own = [], 0.0
    watch = _Watch(setting)
    for loss in islice(steps, setting.steps):
        losses.append(loss)
        watch.step()
        if len(losses) == setting.steps:
            own = sum(memory.own_mib(worker.pid) for worker in multiprocessing.active_children())
    steps.close()
    return {
        "images_per_s": watch.speed(),
        "peak_mib": memory.peak_mib() + own,
        "losses": losses,
        "parameters": models.parameter_count(network),
        "precision": "32-true",
        "compiled": False,
    }


def parts_of(setting: Setting, folder: Path, images: Tensor, seconds: float = 1.5) -> dict[str, float]:
    """What the two ways are made of, each on its own, in images per second.

    Parameters
    ----------
    folder, images: the same pictures, as files and as uint8 (N, 1, H, W).
    seconds: least time for each measurement.

    Returns
    -------
    ``files``: reading and transforming pictures in worker processes. ``batched``: the engine's augmentation of whole
    batches. ``step``: forward, backward and optimiser on one batch in memory, as the usual loop has it;
    ``step_channels_last``: the same with the channels last in memory; ``step_bf16``: also in bfloat16, where the engine
    would use it.
    """
    from ferbook.learning import usual_loop
    from ferbook.learning.task_base import scaled
    from ferbook.learning.training import use_bfloat16
    from ferbook.vision import augment

    batches = iter(usual_loop.loader(folder, setting.augmentation, setting.batch))
    warm_up = 2 * (os.cpu_count() or 1)
    for _ in islice(batches, warm_up):
        pass
    start = time.perf_counter()
    read = sum(len(labels) for _, labels in islice(batches, max(1, len(batches) - 2 * warm_up)))
    found = {"files": read / (time.perf_counter() - start)}
    del batches

    pipeline, generator = augment.build(setting.augmentation), torch.Generator().manual_seed(0)
    batch = pipeline(scaled(images[: setting.batch]), generator)
    found["batched"] = _speed(setting, lambda: pipeline(scaled(images[: setting.batch]), generator), seconds)
    formats = {"step": (torch.contiguous_format, False), "step_channels_last": (torch.channels_last, False)}
    if use_bfloat16("auto"):
        formats["step_bf16"] = (torch.channels_last, True)
    for name, (order, half) in formats.items():
        found[name] = _speed(setting, _step(setting, batch, order, half), seconds)
    return {name: round(value, 1) for name, value in found.items()}


def _network(setting: Setting) -> nn.Module:
    outputs = len(EMOTIONS) + (len(VAD_AXES) if setting.task == "vad" else 0)
    return models.build(setting.network, num_classes=outputs, in_channels=1, seed=0)


def _points() -> Tensor:
    """V, A, D of each emotion word: (8, 3)."""
    return torch.from_numpy(vad_matrix()).float()


class _Watch:
    """Times the steps after the warm-up. It waits for a GPU before the first and after the last of them only."""

    def __init__(self, setting: Setting):
        self.setting, self.ended, self.times = setting, 0, []

    def step(self) -> None:
        """A step has ended."""
        self.ended += 1
        if self.ended in (self.setting.warm_up, self.setting.steps):
            machine.wait()
            self.times.append(time.perf_counter())

    def speed(self) -> float:
        """Images per second."""
        first, last = self.times
        return self.setting.batch * self.setting.timed / (last - first)


def _step(setting: Setting, batch: Tensor, order: torch.memory_format, half: bool) -> Callable[[], object]:
    device = "cuda" if machine.has_gpu() else "cpu"
    network = _network(setting).to(device, memory_format=order).train()
    batch = batch.to(device).contiguous(memory_format=order)
    labels = torch.arange(len(batch), device=device) % 8
    optimiser = torch.optim.Adam(network.parameters(), LEARNING_RATE)

    def step() -> None:
        optimiser.zero_grad()
        with torch.autocast(device, torch.bfloat16, enabled=half):
            loss = nn.functional.cross_entropy(network(batch), labels)
        loss.backward()
        optimiser.step()
        loss.item()

    return step


def _speed(setting: Setting, work: Callable[[], object], seconds: float) -> float:
    """Batches' images per second, after one round for warming up."""
    work()
    machine.wait()
    rounds, start = 0, time.perf_counter()
    while rounds < 2 or time.perf_counter() - start < seconds:
        work()
        rounds += 1
    machine.wait()
    return setting.batch * rounds / (time.perf_counter() - start)


def _write_faces(count: int, folder: Path, files: bool = True) -> None:
    """The same synthetic faces as arrays and, where they are wanted, as files."""
    from ferbook.learning import usual_loop

    faces = pictures(count)
    distribution = np.asarray(faces.distribution, dtype=np.float32)
    np.savez(folder / "faces.npz", images=faces.images, distribution=distribution)
    if files:
        usual_loop.write_pictures(faces.images, distribution.argmax(axis=1), folder / "pictures")


def pictures(count: int):
    """The synthetic faces that are trained on, a ``FaceSet`` of `count`."""
    from ferbook import datasets

    return datasets.load("synthetic", count=count)


def _measured(kind: str, setting: Setting, folder: Path) -> dict[str, Any]:
    job = json.dumps({"kind": kind, "setting": asdict(setting), "folder": str(folder)})
    command = ["-W", "ignore", "-m", "ferbook.learning.throughput", job]
    return machine.probed(command, f"measuring {kind} of {setting.network}")


def _job(text: str) -> dict[str, Any]:
    """Run one measurement."""
    job = json.loads(text)
    setting, folder = Setting(**job["setting"]), Path(job["folder"])
    if job["kind"] == "usual":
        return usual(setting, folder / "pictures")
    with np.load(folder / "faces.npz") as stored:
        images, distribution = torch.from_numpy(stored["images"])[:, None], torch.from_numpy(stored["distribution"])
    if job["kind"] == "engine":
        return engine(setting, images, distribution)
    if job["kind"] == "profile":
        return _profiled(setting, images, distribution)
    return parts_of(setting, folder / "pictures", images)


if __name__ == "__main__":
    print(json.dumps(_job(sys.argv[1])))
