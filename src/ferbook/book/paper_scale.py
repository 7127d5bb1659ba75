"""What the described trainings cost on two cores, on one GPU and on many, for the page *Running at paper scale*.

Seconds on two cores follow from recorded speeds. No GPU was measured: what one takes is an assumption, which
:class:`Gpu` states, and every figure of it is an interval between two of them.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ferbook.claims import ablation_variants
from ferbook.claims.ablation_variants import FORMATS
from ferbook.claims.report import NOTHING
from ferbook.core import operations, records
from ferbook.faces.emotions import EMOTIONS
from ferbook.learning import cost, sweeps
from ferbook.learning.configs import Config, Copies
from ferbook.learning.runs import RunResult
from ferbook.measures import figures

#: Units of time by their seconds; a number of one is below 120 where there is a larger unit.
_UNITS = {"s": 1, "min": 60, "h": 3600}
#: Where the share of the matrix rate is from that a network is expected to reach, by ``cost.source``.
SOURCES = {"timed": "timed", "runs": "its runs in 32 bits", "others": "the others' mean"}
#: Runs whose growth is drawn: this book's recipe and the paper's settings, by what the page calls them.
GROWN = {"small network, 6 epochs": "nhot/ordinary-n1-seed0", "VGG16, 40 epochs": "vgg16-paper/ordinary-n1-seed0"}


@dataclass(frozen=True)
class Training:
    """One training, whether a run of a sweep or what runs start from.

    Parameters
    ----------
    hash, start: of its config, and of the one that it starts from, if any.
    depth: how many trainings come before it, each starting from the one before.
    network: that it trains.
    operations, steps, pictures: of all its epochs.
    seconds: expected on all cores of the recorded machine.
    """

    hash: str
    start: str | None
    depth: int
    network: str
    operations: float
    steps: int
    pictures: int
    seconds: float


@dataclass(frozen=True)
class Run:
    """A described run.

    Parameters
    ----------
    paper, name: of it.
    recorded: its result, if it is recorded.
    trainings: what it starts from and at last itself; empty where it is not recorded how many pictures that shows.
    """

    paper: str
    name: str
    recorded: RunResult | None
    trainings: tuple[Training, ...]

    @property
    def group(self) -> str:
        """Paper and group, as ``002/nhot``."""
        return f"{self.paper}/{self.name.partition('/')[0]}"


@dataclass(frozen=True)
class Gpu:
    """What is assumed of a GPU.

    Parameters
    ----------
    peak: published rate of dense matrix products in bfloat16, in TFLOP/s.
    share: of it that training reaches where arithmetic is what takes time.
    step_ms: milliseconds that a step takes at least, however little there is to compute.
    start_s: seconds until a training begins: the job, the program, the pictures.
    """

    peak: float
    share: float
    step_ms: float
    start_s: float = 0.0

    def arithmetic(self, training: Training) -> float:
        """Seconds of a training's operations alone."""
        return training.operations / (self.peak * 1e12 * self.share)

    def seconds(self, training: Training) -> float:
        """What a training takes: its arithmetic, or its steps where those take longer, and its start."""
        return self.start_s + max(self.arithmetic(training), training.steps * self.step_ms / 1e3)


def runs() -> list[Run]:
    """All described runs of all papers.

    Raises
    ------
    ConfigError, DataError: as :func:`ferbook.learning.sweeps.runs` and :func:`~ferbook.learning.sweeps.read`.
    """
    rates, known, found = cost.rates(), {}, []
    for path in cost.described():
        for name, config in sweeps.runs(path).items():
            file = sweeps.record_path(path.stem, name)
            result = sweeps.read(file) if sweeps.is_recorded(file, config) else None
            chain = [known.setdefault(one.hash, None) or _training(one, rates) for one in cost.with_starts([config])]
            known.update((one.hash, one) for one in chain if one is not None)
            found.append(Run(path.stem, name, result, () if None in chain else tuple(chain)))
    return found


def _training(config: Config, rates: Mapping[str, float]) -> Training | None:
    shown = cost.recorded(config)
    if shown is None:
        return None
    chain = cost.with_starts([config])
    return Training(
        hash=config.hash,
        start=chain[-2].hash if len(chain) > 1 else None,
        depth=len(chain) - 1,
        network=config.model.name,
        operations=cost.of_run(config, shown),
        steps=cost.steps(config, shown),
        pictures=config.epochs * shown.pictures,
        seconds=cost.seconds(config, rates, shown),
    )


def of(found: Iterable[Run]) -> tuple[Training, ...]:
    """What has to be trained for some runs, each once."""
    return tuple({one.hash: one for run in found for one in run.trainings}.values())


def own(found: Iterable[Run]) -> list[Training]:
    """The trainings of some runs themselves, not what they start from."""
    return [run.trainings[-1] for run in found if run.trainings]


def parted(found: Sequence[Run], part: Callable[[Run], str]) -> dict[str, list[Run]]:
    """Runs by what `part` says of each, in their order."""
    return {name: [run for run in found if part(run) == name] for name in dict.fromkeys(map(part, found))}


def duration(trainings: Sequence[Training], seconds: Mapping[str, float], machines: int) -> float:
    """Seconds until the last training ends, one at a time on each machine, the longest first.

    Parameters
    ----------
    trainings: each once. One that starts from another waits for it, if that is among them.
    seconds: of each, by its hash.
    """
    ends: dict[str, float] = {}
    free = [0.0] * machines
    for one in sorted(trainings, key=lambda one: (one.depth, -seconds[one.hash])):
        begun = ends.get(one.start, 0.0) if one.start else 0.0
        ends[one.hash] = max(heapq.heappop(free), begun) + seconds[one.hash]
        heapq.heappush(free, ends[one.hash])
    return max(ends.values(), default=0.0)


def seconds(trainings: Sequence[Training], machines: int = 1, gpu: Gpu | None = None) -> float:
    """Seconds until all are trained, on so many GPUs, or without one on the recorded machine."""
    return duration(
        trainings, {one.hash: one.seconds if gpu is None else gpu.seconds(one) for one in trainings}, machines
    )


def interval(trainings: Sequence[Training], machines: int, assumed: Sequence[Gpu]) -> str:
    """Time on GPUs between the best and the worst that is assumed of one."""
    return span([seconds(trainings, machines, gpu) for gpu in assumed])


def span(values: Sequence[float]) -> str:
    """From the least to the greatest number of seconds, in the unit that suits the greatest."""
    if not values:
        return NOTHING
    unit, size = next(((name, size) for name, size in _UNITS.items() if max(values) < 120 * size), ("h", 3600))
    low, high = (two_digits(pick(values) / size) for pick in (min, max))
    # The space in a value is one that no line breaks at.
    return f"{low}\N{NO-BREAK SPACE}{unit}" if low == high else f"{low} to {high}\N{NO-BREAK SPACE}{unit}"


def two_digits(value: float) -> str:
    """A number as it is worth showing of an estimate."""
    return "0" if not value else f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def missing(found: Sequence[Run]) -> list[Run]:
    """Those that are not recorded."""
    return [run for run in found if run.recorded is None]


def sweep_rows(found: Mapping[str, list[Run]], gpus: Sequence[int], assumed: Sequence[Gpu]) -> list[dict[str, str]]:
    """One line per sweep, as ``report.table`` takes it; *all* are all its trainings, done again."""
    return [
        {
            "sweep": name,
            "runs": f"{len(described):,}",
            "recorded": f"{len(described) - len(missing(described)):,}",
            "missing": f"{len(missing(described)):,}",
            "two cores, the missing": span([seconds(of(missing(described)))]),
            "two cores, all": span([seconds(of(described))]),
            **{f"{count} GPU{'s' * (count > 1)}, all": interval(of(described), count, assumed) for count in gpus},
        }
        for name, described in found.items()
    ]


def group_rows(found: Mapping[str, list[Run]], assumed: Sequence[Gpu]) -> list[dict[str, str]]:
    """One line per group of runs, as ``report.table`` takes it."""
    lines = []
    for name, described in found.items():
        each = own(described)
        adds = [one.operations / operations.of_training(1) / 1e12 for one in each] or [0.0]
        low, high = two_digits(min(adds)), two_digits(max(adds))
        lines.append(
            {
                "group": name,
                "runs": f"{len(described):,}",
                "missing": f"{len(missing(described)):,}",
                "multiply-adds of a run (million million)": low if low == high else f"{low} to {high}",
                "a run on two cores": span([one.seconds for one in each]),
                "a run on one GPU": span([gpu.seconds(one) for one in each for gpu in assumed]),
            }
        )
    return lines


def middle_half(values: Sequence[float]) -> str:
    """From the lower to the upper quartile."""
    low, high = np.quantile(values, (0.25, 0.75))
    return f"{low:.2f} to {high:.2f}"


@dataclass(frozen=True)
class Check:
    """Expected beside recorded, of one recorded run.

    Parameters
    ----------
    name: of the run, its paper's before it.
    number_format: that it computed in, a value of ``FORMATS``.
    network: that it trained.
    expected: seconds of one core.
    recorded: seconds of all its threads.
    """

    name: str
    number_format: str
    network: str
    expected: float
    recorded: float

    @property
    def ratio(self) -> float:
        """Recorded by expected."""
        return self.recorded / self.expected


def checks(found: Iterable[Run]) -> list[Check]:
    """Every run that was recorded on a processor with its CPU seconds, each once."""
    cores = int(records.read(cost.SPEEDS)["values"]["machine"]["cores"])
    known: dict[str, Check] = {}
    for run in found:
        told = run.recorded.provenance if run.recorded and run.trainings else {}
        if told.get("device") == "cpu" and told.get("cpu_seconds") is not None:
            one, name = run.trainings[-1], f"{run.paper}/{run.name}"
            expected = Check(name, FORMATS[told["precision"]], one.network, one.seconds * cores, told["cpu_seconds"])
            known.setdefault(one.hash, expected)
    return list(known.values())


def by_network(found: Sequence[Check]) -> dict[tuple[str, str], list[float]]:
    """Ratios of recorded to expected seconds by number format and network, in that order."""
    formats = list(FORMATS.values())
    keys = sorted({(one.number_format, one.network) for one in found}, key=lambda key: (formats.index(key[0]), key[1]))
    return {key: [one.ratio for one in found if (one.number_format, one.network) == key] for key in keys}


def check_rows(found: Sequence[Check]) -> list[dict[str, str]]:
    """One line per number format and network, as ``report.table`` takes it."""
    lines = []
    for (number_format, network), ratios in by_network(found).items():
        lines.append(
            {
                "computed in": number_format,
                "network": network,
                "runs": str(len(ratios)),
                "recorded by expected, median": f"{median(ratios):.2f}",
                "middle half": middle_half(ratios),
                "all": f"{min(ratios):.2f} to {max(ratios):.2f}",
                "share of the matrix rate": SOURCES[cost.source(network)],
            }
        )
    return lines


def check_figure(found: Sequence[Check]) -> Figure:
    """Recorded CPU seconds over expected ones, both axes logarithmic; on the line they are equal."""
    figure, axis = plt.subplots(figsize=(figures.WIDTH, 4.4))
    markers = dict(zip(FORMATS.values(), ("o", "^"), strict=True))
    colours = dict(zip(sorted({one.network for one in found}), figures.SERIES_COLOURS, strict=False))
    for number_format, network in by_network(found):
        chosen = [one for one in found if (one.number_format, one.network) == (number_format, network)]
        axis.scatter(
            [one.expected for one in chosen],
            [one.recorded for one in chosen],
            marker=markers[number_format],
            s=34,
            facecolors="none",
            edgecolors=colours[network],
            label=f"{network}, {number_format}",
        )
    ends = [pick(value for one in found for value in (one.expected, one.recorded)) for pick in (min, max)]
    axis.plot(ends, ends, color="#444444", linewidth=1, linestyle="--", label="as expected")
    axis.set(xscale="log", yscale="log", xlabel="expected (seconds of one core)", ylabel="recorded (CPU seconds)")
    for side in (axis.xaxis, axis.yaxis):
        side.set_major_formatter("{x:,.0f}")
    figures.legend_below(figure, 2)
    return figure


def growth_figure(found: Sequence[Run]) -> Figure:
    """Hours on two cores for the comparison of N = 1 to the largest: over training faces, and below it over seeds."""
    most = len(EMOTIONS)
    shades = dict(enumerate(plt.get_cmap("viridis")(np.linspace(0, 0.85, most)), start=1))
    figure, axes = plt.subplots(2, len(GROWN), figsize=(figures.WIDTH, 6.6))
    for (over_faces, over_seeds), (title, name) in zip(axes.T, GROWN.items(), strict=True):
        had, hours = faces(name), grown(found, name).seconds / 3600
        thousands, seeds = np.array([0, 2 * had]) / 1e3, np.arange(2 * ablation_variants.SEEDS)
        for count in range(1, most + 1):
            _growing(over_faces, thousands, count * hours * thousands * 1e3 / had, count, shades[count])
            _growing(over_seeds, seeds, count * hours * seeds, count, shades[count])
        over_faces.axvline(had / 1e3, color="#444444", linewidth=1, linestyle="--")
        over_seeds.axvline(ablation_variants.SEEDS, color="#444444", linewidth=1, linestyle="--")
        over_faces.set(xlabel="training faces (thousands)", title=title, xlim=thousands)
        over_seeds.set(xlabel="seeds", xticks=seeds, xlim=seeds[[0, -1]])
        for axis in (over_faces, over_seeds):
            axis.set_ylim(0, None)
            axis.yaxis.set_major_formatter("{x:,.5g}")
    axes[0, 0].set_ylabel("hours on two cores, one seed")
    axes[1, 0].set_ylabel("the same, all faces of FER+")
    return figure


def _growing(axis: Axes, places: np.ndarray, taken: np.ndarray, count: int, colour: np.ndarray) -> None:
    """The line of a comparison of N = 1 to `count`; N that are powers of two have a name at the end."""
    axis.plot(places, taken, color=colour, linewidth=1.6)
    if count in (1, len(EMOTIONS) // 4, len(EMOTIONS) // 2, len(EMOTIONS)):
        label = f"N = 1 to {count}" if count > 1 else "N = 1"
        axis.annotate(label, (places[-1], taken[-1]), xytext=(4, 0), textcoords="offset points", va="center")


def grown(found: Iterable[Run], name: str) -> Training:
    """The training of a run of ``GROWN``."""
    return next(own([run]) for run in found if (run.paper, run.name) == ("002", name))[0]


def faces(name: str) -> int:
    """Faces that a run of ``GROWN`` trains on, its copies not counted."""
    plain = sweeps.read_config(f"002/{name}").model_copy(update={"copies": Copies()})
    return cost.recorded(plain).pictures
