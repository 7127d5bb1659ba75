"""Recorded runs of N-hot training as curves over N (paper 002, sections 4.4 and 4.5, figures 28 and 29).

Runs differ in the test set (``ordinary`` or ``complex``), in N, and in the seed. Whatever is missing is left out, and
every number says how many seeds lie behind it. Accuracies and their differences are in per cent and points here.

Nothing here imports torch.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from ferbook.claims import ablation_variants
from ferbook.claims.ablation_variants import Measure, Runs
from ferbook.claims.report import NOTHING
from ferbook.core.errors import ConfigError
from ferbook.learning import configs, sweeps
from ferbook.learning.configs import Config
from ferbook.learning.runs import RunResult
from ferbook.measures import figures, intervals, metrics
from ferbook.measures.intervals import Interval, McNemar

#: The two test sets, in the order in which figure 29 draws them: solid, dashed.
KINDS = ("ordinary", "complex")
#: What may differ between the runs of one curve.
_VARIES = (("split", "kind"), ("labels", "n_hot"), ("seed",))


def _percent(result: RunResult, part: str, key: str) -> float | None:
    found = result.metrics.get(part, {}).get(key)
    return None if found is None else 100 * found


def _plain(part: str, key: str) -> Callable[[RunResult], float | None]:
    return lambda result: result.metrics.get(part, {}).get(key)


def accuracy(result: RunResult) -> float:
    """Tie-aware accuracy on the test faces at the epoch that validation chose, in per cent."""
    return 100 * result.metrics["test_accuracy"]


def test_curve(result: RunResult) -> np.ndarray:
    """Test accuracy after each epoch, (E,) in per cent; empty if the run kept no such curve."""
    return np.array([100 * entry["test_accuracy"] for entry in result.history if "test_accuracy" in entry])


def best_on_test(result: RunResult) -> float | None:
    """The highest accuracy of any epoch on the test faces, in per cent: the protocol of the paper (section 4.4)."""
    values = test_curve(result)
    return float(values.max()) if len(values) else None


def choice_adds(result: RunResult) -> float | None:
    """Points that choosing the epoch on the test faces adds; never negative."""
    best = best_on_test(result)
    return None if best is None else best - accuracy(result)


def ties_add(result: RunResult) -> float:
    """Points that counting any of several tied emotions as right adds to counting the first alone; never negative."""
    return accuracy(result) - 100 * result.metrics["test"]["accuracy_first"]


def duplicates_add(result: RunResult) -> float | None:
    """Points that test faces with a copy among the training faces add; may be negative."""
    unseen = result.metrics.get("test_accuracy_unseen")
    return None if unseen is None else accuracy(result) - 100 * unseen


def answers(result: RunResult) -> int | None:
    """How many different emotions the network gave as its answer to any test face; 1: it always says the same."""
    counts = result.metrics["test"].get("confusion")
    return None if counts is None else int((np.sum(counts, axis=0) > 0).sum())


MEASURES: dict[str, Measure] = {
    "accuracy": Measure("accuracy (%)", accuracy),
    "answers": Measure("different emotions answered", answers, 0),
    "best_on_test": Measure("accuracy, epoch chosen on test (%)", best_on_test),
    "choice": Measure("choosing the epoch on test adds (points)", choice_adds, 2),
    "ties": Measure("counting ties as right adds (points)", ties_add, 2),
    "duplicates": Measure("copies of training faces add (points)", duplicates_add, 2),
    "kl": Measure("KL divergence to the crowd (nats)", _plain("test", "kl"), 3),
    "brier": Measure("Brier score", _plain("test", "brier"), 3),
    "calibration": Measure("calibration error", _plain("test", "calibration_error"), 3),
    "truth_accuracy": Measure("accuracy against the true mixture (%)", lambda r: _percent(r, "test_truth", "accuracy")),
    "truth_kl": Measure("KL divergence to the true mixture (nats)", _plain("test_truth", "kl"), 3),
    "truth_brier": Measure("Brier score against the true mixture", _plain("test_truth", "brier"), 3),
    "truth_calibration": Measure(
        "calibration error against the true mixture", _plain("test_truth", "calibration_error"), 3
    ),
}


@dataclass(frozen=True)
class Point:
    """One N of a curve, or one difference between two.

    Parameters
    ----------
    n: of the labels; of a difference, the larger one.
    seeds: of the runs behind it.
    values: one per seed.
    interval: of their mean, from ``ablation_variants.SEEDS`` on. With one run: over the test faces, if its answers are
        known; otherwise None.
    over: what the interval is over: ``seeds``, ``faces``, or nothing.
    """

    n: int
    seeds: tuple[int, ...]
    values: tuple[float, ...]
    interval: Interval | None
    over: str

    @property
    def mean(self) -> float:
        """Mean over the seeds."""
        return float(np.mean(self.values))


@dataclass(frozen=True)
class Gain(Point):
    """What training on at most `n` emotions changes against at most `start`, on the same test faces, in points.

    Parameters
    ----------
    start: the smaller N.
    tests: McNemar's test of each seed's pair of runs.
    """

    start: int
    tests: tuple[McNemar, ...]


def grid(runs: Runs) -> dict[tuple[str, int], dict[int, RunResult]]:
    """Runs by test set and N, then by seed, all sorted.

    Raises ConfigError if two runs have the same place, or differ in anything else, so that a curve would mix two
    things.
    """
    found: dict[tuple[str, int], dict[int, RunResult]] = {}
    settings: dict[str, str] = {}
    for name, result in runs.items():
        config = configs.parse(result.config)
        place = found.setdefault((config.split.kind, config.labels.n_hot), {})
        if config.seed in place:
            raise ConfigError("runs", f"{name} is not the only run of its test set, N and seed", "Leave one out.")
        place[config.seed] = result
        settings.setdefault(_other_settings(config), name)
    if len(settings) > 1:
        first, second = list(settings.values())[:2]
        raise ConfigError("runs", f"{first} and {second} differ in more than test set, N and seed", "Draw two figures.")
    return {place: dict(sorted(by_seed.items())) for place, by_seed in sorted(found.items())}


def _other_settings(config: Config) -> str:
    content = config.model_dump(mode="json")
    for path in _VARIES:
        part = content
        for key in path[:-1]:
            part = part[key]
        del part[path[-1]]
    return json.dumps(content, sort_keys=True)


def correct(result: RunResult) -> np.ndarray:
    """Which test faces the run got right, (N,) bool."""
    return metrics.from_bits(result.metrics["test_correct"], result.metrics["faces"]["test"])


def curve(runs: Runs, kind: str, measure: str = "accuracy") -> list[Point]:
    """A measure over N on one test set; an N without runs, or whose runs do not hold the measure, is left out.

    Parameters
    ----------
    runs: by any name.
    kind: ``ordinary`` or ``complex``.
    measure: one of ``MEASURES``.
    """
    points = [point(by_seed, n, measure) for (place, n), by_seed in grid(runs).items() if place == kind]
    return [found for found in points if found is not None]


def point(by_seed: Mapping[int, RunResult], n: int, measure: str = "accuracy") -> Point | None:
    """A measure of runs that differ in the seed alone; None if no run holds it."""
    found = {seed: MEASURES[measure].of(result) for seed, result in by_seed.items()}
    found = {seed: value for seed, value in found.items() if value is not None}
    if not found:
        return None
    seeds, values = tuple(found), tuple(found.values())

    def over_faces() -> Interval:
        return intervals.bootstrap(np.mean, 100.0 * correct(by_seed[seeds[0]]), seed=0, resamples=1000)

    return Point(n, seeds, values, *_interval(values, over_faces if measure == "accuracy" else None))


def _interval(values: Sequence[float], over_faces: Callable[[], Interval] | None) -> tuple[Interval | None, str]:
    """The interval of a mean over seeds where there are enough, or that of a single run; and what it is over."""
    if len(values) >= ablation_variants.SEEDS:
        return intervals.over_seeds(values), "seeds"
    if len(values) == 1 and over_faces is not None:
        return over_faces(), "faces"
    return None, ""


def gain(runs: Runs, kind: str, start: int = 1, end: int = 3) -> Gain | None:
    """How much accuracy changes from N = `start` to N = `end`, seed by seed; None if no seed has both.

    Raises ConfigError as :func:`grid`, or if two runs have not been tested on equally many faces.
    """
    found = grid(runs)
    low, high = found.get((kind, start), {}), found.get((kind, end), {})
    seeds = tuple(sorted(set(low) & set(high)))
    if not seeds:
        return None
    pairs = [(correct(low[seed]), correct(high[seed])) for seed in seeds]
    if any(a.shape != b.shape for a, b in pairs):
        raise ConfigError("runs", f"N = {start} and N = {end} were tested on different faces", "Use one frozen split.")
    values = tuple(100 * float(b.mean() - a.mean()) for a, b in pairs)

    def over_faces() -> Interval:
        before, after = pairs[0]
        return Interval(*intervals.paired_bootstrap(100.0 * after, 100.0 * before, seed=0, resamples=1000)[:5])

    interval, over = _interval(values, over_faces)
    return Gain(end, seeds, values, interval, over, start, tuple(intervals.mcnemar(a, b) for a, b in pairs))


def drop(runs: Runs) -> list[Point]:
    """Per N, points that the complex test set lies below the ordinary one, over the seeds that have both.

    The two test sets hold different faces, so only runs can be paired, not answers; one seed gives no interval.
    """
    found, points = grid(runs), []
    for n in sorted({n for _, n in found}):
        easy, hard = (found.get((kind, n), {}) for kind in KINDS)
        seeds = tuple(sorted(set(easy) & set(hard)))
        if seeds:
            values = tuple(accuracy(easy[seed]) - accuracy(hard[seed]) for seed in seeds)
            points.append(Point(n, seeds, values, *_interval(values, None)))
    return points


def rows(runs: Runs, measures: Sequence[str]) -> list[dict[str, str]]:
    """One line per test set and N, one column per measure, as ``report.table`` takes it; an empty one without runs."""
    lines = []
    for kind in KINDS:
        chosen = {name: {found.n: found for found in curve(runs, kind, name)} for name in measures}
        for n in sorted({n for points in chosen.values() for n in points}):
            shown = {
                MEASURES[name].title: ablation_variants.told(points.get(n), MEASURES[name].digits)
                for name, points in chosen.items()
            }
            lines.append({"test set": kind, "N": str(n)} | shown)
    return lines or [dict.fromkeys(["test set", "N", *(MEASURES[name].title for name in measures)], NOTHING)]


def gain_rows(runs: Runs, steps: Sequence[tuple[int, int]] = ((1, 2), (2, 3), (1, 3), (3, 8))) -> list[dict[str, str]]:
    """One line per test set and step in N: the gain, and McNemar's p seed by seed, as ``report.table`` takes it.

    An empty line without runs.
    """
    lines = []
    for kind in KINDS:
        for start, end in steps:
            found = gain(runs, kind, start, end)
            if found is not None:
                lines.append(
                    {
                        "test set": kind,
                        "N": f"{start} to {end}",
                        "gain (points)": ablation_variants.told(found, 1, sign=True),
                        "interval over": found.over or NOTHING,
                        "McNemar's p, seed by seed": ", ".join(f"{test.p:.2g}" for test in found.tests),
                    }
                )
    columns = ("test set", "N", "gain (points)", "interval over", "McNemar's p, seed by seed")
    return lines or [dict.fromkeys(columns, NOTHING)]


def recorded_so_far(runs: Runs) -> str:
    """How many runs of how many seeds there are, in words; said of whatever is drawn from them."""
    found = grid(runs)
    if not found:
        return "no run is recorded yet"
    counts = {len(by_seed) for by_seed in found.values()}
    each = f"{min(counts)}" if len(counts) == 1 else f"{min(counts)} to {max(counts)}"
    return f"{len(runs)} runs, {each} seed{'s' * (max(counts) > 1)} for each of {len(found)} combinations"


def figure(sources: Mapping[str, Runs], measure: str = "accuracy") -> Figure:
    """A measure over N: ordinary test set solid, complex dashed, one colour per source, bars for the intervals.

    Parameters
    ----------
    sources: ``recorded`` or ``build`` (``figures.SOURCE_COLOURS``) to runs; one without runs is left out.
    """
    drawing, axis = plt.subplots(figsize=(figures.WIDTH, 3.6))
    everywhere: set[int] = set()
    for source, runs in sources.items():
        for kind, style in zip(KINDS, ("-", "--"), strict=True):
            points = curve(runs, kind, measure)
            if not points:
                continue
            everywhere |= {point.n for point in points}
            colour, name = figures.SOURCE_COLOURS[source], f"{figures.SOURCE_NAMES[source]}, {kind}"
            axis.plot([p.n for p in points], [p.mean for p in points], style, marker="o", color=colour, label=name)
            sure = [point for point in points if point.interval is not None]
            if sure:
                ends = [[p.mean - p.interval.low for p in sure], [p.interval.high - p.mean for p in sure]]
                axis.errorbar([p.n for p in sure], [p.mean for p in sure], ends, fmt="none", capsize=3, color=colour)
    axis.set_xticks(sorted(everywhere))
    axis.set_xlabel("N, most emotions in a training label")
    axis.set_ylabel(MEASURES[measure].title)
    if axis.lines:
        drawing.legend(loc="outside lower center", ncols=2, fontsize=10)
    return drawing


def quick(
    base: Mapping[str, object],
    ns: Sequence[int] = (1, 3, 8),
    kinds: Sequence[str] = ("ordinary",),
    seeds: Sequence[int] = (0,),
) -> dict[str, Config]:
    """Configs over test sets, N and seeds, by name, as a page trains them on synthetic faces."""
    return {
        f"{kind}-n{n}-seed{seed}": configs.parse(
            sweeps.merged(base, {"split": {"kind": kind}, "labels": {"n_hot": n}, "seed": seed})
        )
        for seed in seeds
        for kind in kinds
        for n in ns
    }
