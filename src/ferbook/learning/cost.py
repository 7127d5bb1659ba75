"""What a run costs: the operations of its training, and the seconds that a machine takes for them.

A run's operations are those of its network for one picture (:mod:`ferbook.core.operations`), times the pictures that
all its epochs show. Validation, tests and start-up are not counted.

How many pictures an epoch shows depends on the data set, which not everybody has; it is recorded once for every run
that is described (``ferbook record run-sizes``).
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from statistics import mean, median

from ferbook import datasets, models
from ferbook.core import operations, paths, records
from ferbook.core.errors import DataError
from ferbook.faces.faceset import SPLITS
from ferbook.learning import sweeps
from ferbook.learning.configs import Config, Data, Labels

#: Names of the records of how fast networks train on a processor, and of how many pictures an epoch of a run shows.
SPEEDS, SIZES = "runtime/training/avx2", "runtime/run-sizes"
#: By kind of matrix product, the record of machines that train by it, and how a run calls that.
_MACHINES = {"fp32": (SPEEDS, "32-true"), "bf16": ("runtime/training/avx-512-bf16", "bf16-mixed")}


@dataclass(frozen=True)
class Shown:
    """What one epoch of a run shows.

    Parameters
    ----------
    pictures: how many, copies and repeated faces included.
    side: of a picture, in pixels.
    channels: of a picture.
    """

    pictures: int
    side: int
    channels: int


def multiply_adds(network: str, side: int, channels: int, options: Mapping[str, object] | None = None) -> int:
    """Multiply-adds of one picture's way through a network, as :func:`ferbook.models.multiply_adds`, counted once."""
    return _multiply_adds(network, side, json.dumps({"in_channels": channels, **(options or {})}, sort_keys=True))


@cache
def _multiply_adds(network: str, side: int, options: str) -> int:
    return models.multiply_adds(network, side, **json.loads(options))


def of_run(config: Config, shown: Shown) -> float:
    """Operations of a run's own training; a run that it starts from is another one.

    Parameters
    ----------
    shown: by an epoch; epochs of smaller images (``config.early``) cost less in proportion to their area.
    """
    small = (config.early.side / shown.side) ** 2 if config.early.share else 1.0
    pictures = config.epochs * shown.pictures * (1 - config.early.share * (1 - small))
    network = config.model
    one = multiply_adds(network.name, shown.side, shown.channels, network.options)
    return pictures * operations.of_training(one)


def steps(config: Config, shown: Shown) -> int:
    """Steps of a run's own training."""
    return config.epochs * math.ceil(shown.pictures / config.batch)


def seconds(
    config: Config, rates: Mapping[str, float], shown: Shown | None = None, least_per_step: float = 0.0
) -> float:
    """What a run's own training takes.

    Parameters
    ----------
    rates: of the machine's matrix products, of :func:`ferbook.core.machine.matrix_rates`.
    shown: by an epoch; default: as recorded, else as the data set at hand says.
    least_per_step: seconds that a step takes however little there is to compute: on a GPU, the start of its kernels.

    Raises
    ------
    DataError: if that is not recorded and the data set is missing.
    """
    shown, kind = shown or recorded(config) or _at_hand(config), kind_of(config, rates)
    computing = of_run(config, shown) / 1e9 / (rates[kind] * share(config.model.name, kind))
    return max(computing, least_per_step * steps(config, shown))


def kind_of(config: Config, rates: Mapping[str, float]) -> str:
    """Which of a machine's matrix products a run is made of: ``fp32``, or ``bf16`` where it may and that is faster."""
    return "bf16" if config.precision != "32" and rates["bf16"] > rates["fp32"] else "fp32"


def share(network: str, kind: str = "fp32") -> float:
    """The share of a kind's matrix rate that training of a network reaches, from what :func:`source` says.

    Without a record of speeds it is 1, which no training exceeds.
    """
    timed = _timed(kind)
    if not timed:
        return 1.0
    # Records of all runs are read only for a network that was not timed.
    return (
        timed[network] if network in timed else _reached(paths.project_root())[kind].get(network, mean(timed.values()))
    )


def source(network: str, kind: str = "fp32") -> str:
    """Where :func:`share` is from.

    ``timed`` by the benchmark; ``runs``, the median of the network's recorded runs of that kind; or ``others``, the
    mean of the networks that were timed.
    """
    if network in _timed(kind):
        return "timed"
    return "runs" if network in _reached(paths.project_root())[kind] else "others"


def _timed(kind: str) -> Mapping[str, float]:
    measured = records.values_of(_MACHINES[kind][0])
    return {} if measured is None else {k: v["engine"]["matrix_share"] for k, v in measured["networks"].items()}


@cache
def _reached(project: Path) -> Mapping[str, Mapping[str, float]]:
    """Median share of a core's matrix rate in recorded runs on processors, by kind and network.

    Runs that tell their processor's kind count where it is that of the kind's record; most do not tell. Processor time
    holds validation, tests and start-up too, and so does an estimate that rests on it. project: whose
    records they are, so that they are read once for each.
    """
    kinds = {precision: kind for kind, (_, precision) in _MACHINES.items()}
    per_core: dict[str, float] = {}
    kinds_of: dict[str, str] = {}
    for kind, (name, _) in _MACHINES.items():
        measured = records.values_of(name)
        if measured is not None:
            per_core[kind] = measured["matrix"][kind] / measured["machine"]["cores"]
            kinds_of[kind] = measured["machine"]["instructions"]
    found: dict[str, dict[str, dict[str, float]]] = {kind: defaultdict(dict) for kind in _MACHINES}
    for path in described():
        for name, config in sweeps.runs(path).items():
            file, shown = sweeps.record_path(path.stem, name), recorded(config)
            if shown is None or not sweeps.is_recorded(file, config):
                continue
            told = sweeps.read(file).provenance
            kind = kinds.get(told["precision"])
            # Runs did not always tell their processor's kind; those that do count for their own.
            own = told.get("kind") in (None, kinds_of.get(kind))
            if told.get("device") == "cpu" and told.get("cpu_seconds") and kind in per_core and own:
                reached = of_run(config, shown) / 1e9 / told["cpu_seconds"]
                found[kind][config.model.name][config.hash] = reached / per_core[kind]
    return {
        kind: {network: median(each.values()) for network, each in of_kind.items()} for kind, of_kind in found.items()
    }


def rates() -> Mapping[str, float]:
    """Matrix rates of the machine whose speeds are recorded, all its cores together.

    Raises
    ------
    DataError: if none is recorded.
    """
    return records.read(SPEEDS)["values"]["matrix"]


def recorded(config: Config) -> Shown | None:
    """What an epoch of a run shows, as recorded; None where it is not."""
    found = _sizes().get(_deciding(config).hash)
    return None if found is None else Shown(found["pictures"], found["side"], found["channels"])


def record() -> Path:
    """Count what an epoch of every described run shows and write it; says where.

    Runs that differ in nothing that decides this are counted once, by one that is recorded where there is one. What
    needs an extra detector's table that is not there is left out.
    """
    from ferbook.learning import parts

    counting: dict[str, tuple[Config, Mapping[str, object] | None]] = {}
    for path in described():
        for name, config in sweeps.runs(path).items():
            file = sweeps.record_path(path.stem, name)
            metrics = sweeps.read(file).metrics if sweeps.is_recorded(file, config) else None
            for one in with_starts([config]):
                key, own = _deciding(one).hash, metrics if one is config else None
                if key not in counting or (own and not counting[key][1]):
                    counting[key] = (one, own)
    found = {}
    for key, (config, metrics) in counting.items():
        try:
            found[key] = asdict(_counted(config, metrics))
        except DataError:
            if config.data.detector == Data().detector:
                raise
    return records.write(SIZES, found, faces=parts.load(Data(name="ferplus")), module=__file__)


def described() -> list[Path]:
    """All descriptions of sweeps."""
    return sorted((paths.project_root() / "data" / "sweeps").glob("*.yml"))


def with_starts(found: Iterable[Config]) -> list[Config]:
    """Runs and those that they start from, each once, starts before what begins with them."""
    once: dict[str, Config] = {}
    for config in found:
        begun = [] if config.start is None else with_starts([config.start])
        for one in (*begun, config):
            once.setdefault(one.hash, one)
    return list(once.values())


def _deciding(config: Config) -> Config:
    """A config of what decides which pictures an epoch shows, and nothing else."""
    adaptive = config.copies.kind == "adaptive"
    return Config(
        task=config.task,
        data=config.data.model_copy(update={"aligned": False} if adaptive else {"aligned": False, "detector": "mtcnn"}),
        labels=config.labels.model_copy(update={"n_hot": Labels().n_hot, "vad": Labels().vad}),
        split=config.split,
        copies=config.copies,
        test=config.test,
        choose_on="last" if config.choose_on == "last" else "valid",
    )


def _counted(config: Config, metrics: Mapping[str, object] | None) -> Shown:
    """What an epoch shows, counted on the data set; `metrics`, of such a run, know how many pictures."""
    from ferbook.learning import parts

    images = parts.load(config.data).images
    if metrics is None:
        faces, chosen = parts.load_parts(config)
        training, target = chosen["train"]
        copies, rows = parts.copies_of(config, training, faces), parts.repeated_rows(config, target)
        pictures = len(next(part for part in (copies, rows, target) if part is not None))
    else:
        pictures = metrics.get("with_copies", metrics.get("with_repeats", metrics["faces"]["train"]))
    return Shown(pictures, images.shape[1], 1 if images.ndim == 3 else 3)


def _sizes() -> Mapping[str, Mapping[str, int]]:
    return records.values_of(SIZES) or {}


def _at_hand(config: Config) -> Shown:
    """What an epoch shows of a data set's training part, which need not be the part that the run trains on."""
    side, channels, pictures = _pictures(config.data.name, tuple(sorted(config.data.options.items())))
    return Shown(pictures, side, channels)


@cache
def _pictures(name: str, options: tuple[tuple[str, object], ...]) -> tuple[int, int, int]:
    """Side and channels of a data set's pictures, and how many of them train."""
    faces = datasets.load(name, **dict(options))
    training = len(faces) if faces.split is None else int((faces.split == SPLITS[0]).sum())
    return faces.images.shape[1], 1 if faces.images.ndim == 3 else 3, training
