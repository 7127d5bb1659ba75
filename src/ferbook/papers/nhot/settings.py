"""Recorded runs of paper 002 that differ in one setting and the seed: what sections 4.3.1 to 4.3.4 vary for VGG16.

A group of ``data/sweeps/002.yml`` (losses, augmentation, rotation, copies, alignment, start, imagenet, and so on, see
``NAMES``) holds some settings, each with several seeds. Runs go by the names that
:func:`ferbook.learning.sweeps.load` gives them, ``ordinary-degrees20-seed0``, or without the test set in front.
Whatever is missing is left out, and every number says how many seeds lie behind it. Accuracies are in per cent, their
differences in points.

Nothing here imports torch.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ferbook.claims import ablation_variants, printed
from ferbook.claims.ablation_variants import Estimate, Measure, Runs
from ferbook.claims.report import NOTHING
from ferbook.core.errors import ConfigError
from ferbook.learning import sweeps
from ferbook.learning.runs import RunResult
from ferbook.measures import figures
from ferbook.papers.nhot import curves
from ferbook.papers.nhot.curves import MEASURES

PAPER = "002"

#: What readers call the settings of each group, in the order in which they are shown. A setting without runs stands
#: here if the paper alone has it.
NAMES: dict[str, dict[str, str]] = {
    "losses": {
        "mse": "mean squared error",
        "label_draw": "probabilistic label drawing",
        "log_cosh": "log cosh",
        "cosine": "cosine similarity",
        "cross_entropy": "categorical cross-entropy",
        "mae": "mean absolute error",
        "kl_divergence": "KL divergence",
        "categorical_hinge": "categorical hinge",
        "poisson": "Poisson",
        "hinge": "hinge",
    },
    "augmentation": {
        "none": "as they are",
        "flip": "mirrored",
        "rotate20": "turned up to 20°",
        "flip-rotate20": "mirrored, turned up to 20°",
    },
    "rotation": {
        "degrees10": "10°",
        "degrees20": "20°",
        "degrees30": "30°",
        "degrees40": "40°",
        "degrees10-30": "random, 10° to 30°",
    },
    "copies": {"none": "no copies", "appended": "all copies", "adaptive": "adaptive copies"},
    "alignment": {
        "aligned-false": "as they come",
        "aligned-true": "aligned by MTCNN",
        "aligned-dlib": "aligned by dlib",
    },
    "start": {"random": "random", "synthetic": "synthetic faces"},
    "imagenet": {"random": "random", "imagenet": "ImageNet"},
    "imagenet-ordinary": {"random": "random", "imagenet": "ImageNet"},
    "faces": {"random": "random", "faces": "face recognition"},
}
#: Settings whose accuracy the paper prints for VGG16: their rows in table ``002-accuracies``. What figure 24 shows
#: without augmentation is not printed; section 4.3.3 prints an accuracy for the unchanged faces, with MSE.
PRINTED: dict[str, dict[str, str]] = {
    "losses": {"mse": "vgg16-mse"},
    "augmentation": {"none": "vgg16-mse", "flip-rotate20": "vgg16-rotate20"},
    "rotation": {
        **{f"degrees{angle}": f"vgg16-rotate{angle}" for angle in (10, 20, 30, 40)},
        "degrees10-30": "vgg16-rotate-random",
    },
}
#: How many pictures an epoch shows, appended copies included.
PICTURES = Measure("pictures in an epoch", lambda run: run.metrics.get("with_copies", run.metrics["faces"]["train"]), 0)
#: How many epochs a run lasts.
EPOCHS = Measure("epochs", lambda run: run.config["epochs"], 0)

_STYLES = ("-", "--")


def names_of(group: str) -> dict[str, str]:
    """Readable names of a group's settings. Raises ConfigError if the group is unknown."""
    if group not in NAMES:
        raise ConfigError("group", f"there is no {group!r}", f"There are: {', '.join(NAMES)}.")
    return NAMES[group]


def words(group: str, setting: str) -> str:
    """What readers call a setting; a setting that is not in ``NAMES``, as of a page's own run, goes by its own name."""
    return names_of(group).get(setting, setting)


def printed_accuracy(group: str, setting: str) -> str | None:
    """Accuracy (%) that the paper prints for VGG16 with a setting, digits as printed; None if it prints none."""
    row = PRINTED.get(group, {}).get(setting)
    return None if row is None else printed.cell("002-accuracies", row, "accuracy (%)")


def setting_of(name: str) -> str:
    """The setting that runs are called by, without their test set: ``degrees20`` of ``ordinary-degrees20``."""
    kind, _, rest = name.partition("-")
    return rest if kind in (*curves.KINDS, "official") else name


def by_setting(runs: Runs) -> dict[str, dict[str, RunResult]]:
    """The runs of each setting by what repeats them.

    Raises ConfigError if a setting was tested on both test sets, so that its runs would be mixed.
    """
    found: dict[str, dict[str, RunResult]] = {}
    for name, of_variant in ablation_variants.by_name(runs).items():
        setting = setting_of(name)
        if setting in found:
            raise ConfigError("runs", f"{setting!r} has runs on two test sets", "Choose those of one.")
        found[setting] = of_variant
    return found


def _plain(runs: Runs) -> dict[str, RunResult]:
    """The runs without the test set in their names."""
    return {
        f"{setting}-{key}": run for setting, of_variant in by_setting(runs).items() for key, run in of_variant.items()
    }


def _settings(group: str, *sources: Runs) -> list[str]:
    """All settings with a name, and after them whatever else there are runs of."""
    return list(dict.fromkeys([*names_of(group), *(setting for runs in sources for setting in by_setting(runs))]))


@cache
def described(group: str) -> int:
    """How many runs the group has in ``data/sweeps/002.yml``. Raises ConfigError if the group is unknown."""
    return len(sweeps.chosen(sweeps.runs(sweeps.description(PAPER)), group))


def so_far(group: str, runs: Runs) -> str:
    """How many of the group's runs are recorded, in words."""
    count = f"{len(runs)}" if runs else "none"
    return f"{count} of {described(group)} runs {'is' if len(runs) < 2 else 'are'} recorded{'' if runs else ' yet'}"


def mixed_formats(group: str, runs: Runs) -> str:
    """As :func:`ferbook.claims.ablation_variants.mixed_formats`, settings by what readers call them."""
    return ablation_variants.mixed_formats(_plain(runs), lambda setting: words(group, setting))


def estimate(runs: Runs, setting: str, measure: str | Measure = "accuracy") -> Estimate | None:
    """A measure of a setting over its seeds; None if no run holds it."""
    return ablation_variants.estimate(by_setting(runs).get(setting, {}), _measure(measure).of)


def difference(runs: Runs, of: str, to: str, measure: str | Measure = "accuracy") -> Estimate | None:
    """A measure of setting `of` less that of setting `to`, seed by seed; None without a seed that both have."""
    return ablation_variants.difference(_plain(runs), of, to, _measure(measure).of)


def spread(runs: Runs, settings: Sequence[str], measure: str | Measure = "accuracy") -> Estimate | None:
    """The largest value of a measure among settings less the smallest, seed by seed; None without a seed of all."""
    found, of = by_setting(runs), _measure(measure).of
    values = [{key: of(run) for key, run in found.get(setting, {}).items()} for setting in settings]
    shared = [key for key in values[0] if all(of_variant.get(key) is not None for of_variant in values)]
    return ablation_variants.estimated(
        {key: float(np.ptp([of_variant[key] for of_variant in values])) for key in shared}
    )


def _measure(measure: str | Measure) -> Measure:
    return MEASURES[measure] if isinstance(measure, str) else measure


def rows(
    group: str,
    sources: Mapping[str, Runs],
    measures: Sequence[str | Measure] = ("accuracy",),
    base: str | None = None,
) -> list[dict[str, str]]:
    """One line per setting, as ``report.table`` takes it: what the paper prints, and each source's measures.

    Parameters
    ----------
    group: of ``NAMES``.
    sources: ``recorded`` or ``build`` (``figures.SOURCE_NAMES``) to runs; one without runs has empty columns.
    measures: names in ``curves.MEASURES``, or measures.
    base: a setting; with it, the first measure of every other one less that of the base, paired by seed.
    """
    chosen = [_measure(measure) for measure in measures]
    lines = []
    for setting in _settings(group, *sources.values()):
        line = {"setting": words(group, setting)}
        if group in PRINTED:
            line["the paper: accuracy (%)"] = printed_accuracy(group, setting) or NOTHING
        for source, runs in sources.items():
            name = figures.SOURCE_NAMES[source]
            for place, measure in enumerate(chosen):
                line[f"{name}: {measure.title}"] = _told(estimate(runs, setting, measure), measure)
                if base is not None and place == 0:
                    less = None if setting == base else difference(runs, setting, base, measure)
                    unit = "points" if "(%)" in measure.title else measure.title
                    title = f"{name}: less {words(group, base)} ({unit})"
                    line[title] = ablation_variants.told(less, measure.digits, sign=True)
        lines.append(line)
    return lines


def _told(found: Estimate | None, measure: Measure) -> str:
    if found is not None and measure in (PICTURES, EPOCHS) and len(set(found.values)) == 1:
        return f"{found.values[0]:,}"
    return ablation_variants.told(found, measure.digits)


def finding(group: str, runs: Runs, of: str, to: str, measure: str | Measure = "accuracy") -> str:
    """What one setting adds to another by a measure of which more is better, and whether that is decided: a clause."""
    found, both = difference(runs, of, to, measure), f"{words(group, of)} against {words(group, to)}"
    if found is None:
        return f"{both}: not recorded yet"
    told = f"{both}: {ablation_variants.told(found, _measure(measure).digits, sign=True)}"
    if found.interval is None:
        return f"{told}; it takes {ablation_variants.SEEDS} seeds for a finding"
    return f"{told}; {ablation_variants.direction(found) or 'undecided, as the interval includes zero'}"


# --- Curves over epochs: figure 25 and table 2 ---


class Statistics(NamedTuple):
    """Table 2 of one run: its best epoch (%), the 75th percentile of its epochs (%), epochs above a threshold."""

    highest: float
    percentile: float
    above: int


#: What tables call them.
_STATISTICS = ("highest accuracy (%)", "75th percentile (%)", "epochs above")


def statistics(result: RunResult, threshold: float) -> Statistics | None:
    """Table 2's statistics of a run's test curve; None without a curve.

    Parameters
    ----------
    result: a run.
    threshold: in per cent; the paper's is 85.
    """
    values = curves.test_curve(result)
    if not len(values):
        return None
    return Statistics(float(values.max()), float(np.percentile(values, 75)), int((values > threshold).sum()))


def usual(runs: Runs) -> float | None:
    """The median test accuracy (%) of all epochs of all runs: a threshold that some epochs pass; None without any."""
    values = np.concatenate([np.empty(0), *(curves.test_curve(run) for run in runs.values())])
    return float(np.median(values)) if len(values) else None


def statistics_rows(group: str, runs: Runs) -> list[dict[str, str]]:
    """Table 2 as printed and from runs, one line per setting; the runs' threshold is :func:`usual`."""
    threshold = usual(runs)
    above = "epochs above" if threshold is None else f"epochs above {threshold:.1f} %"
    paper = printed.table("002-table2").set_index("training set")
    lines = []
    for setting in _settings(group, runs):
        row = PRINTED.get(group, {}).get(setting)
        theirs = {} if row is None else paper.loc[printed.cell("002-accuracies", row, "training set")].to_dict()
        ours = _statistics(by_setting(runs).get(setting, {}), threshold)
        line = {"setting": words(group, setting)}
        for place, (title, values) in enumerate(zip((*_STATISTICS[:2], above), ours, strict=True)):
            printed_title = paper.columns[place]
            line[f"the paper: {printed_title}"] = theirs.get(printed_title, NOTHING)
            line[f"{figures.SOURCE_NAMES['recorded']}: {title}"] = ablation_variants.told(values)
        lines.append(line)
    return lines


def _statistics(runs: Runs, threshold: float | None) -> tuple[Estimate | None, ...]:
    """Each of the three over seeds."""
    if threshold is None:
        return (None, None, None)
    found = {key: statistics(run, threshold) for key, run in runs.items()}
    return tuple(
        ablation_variants.estimated({k: s and float(s[place]) for k, s in found.items()}) for place in range(3)
    )


def leading(group: str, runs: Runs) -> str:
    """Which setting leads by each statistic of table 2, over the seeds that all recorded settings have; a clause."""
    found, threshold = by_setting(runs), usual(runs)
    seeds = sorted(set.intersection(*map(set, found.values()))) if found else []
    if len(found) < 2 or not seeds or threshold is None:
        return "too little is recorded to say which setting leads"
    means = {
        setting: np.mean([statistics(of_variant[seed], threshold) for seed in seeds], axis=0)
        for setting, of_variant in found.items()
    }
    parts = []
    for place, title in enumerate(("the highest accuracy", "the 75th percentile", f"epochs above {threshold:.1f} %")):
        best = max(values[place] for values in means.values())
        leaders = [words(group, setting) for setting, values in means.items() if np.isclose(values[place], best)]
        parts.append(f"by {title}, {' and '.join(leaders)} lead{'s' * (len(leaders) == 1)}")
    plural = "s" * (len(seeds) > 1)
    return f"{'; '.join(parts)} ({len(found)} settings, mean of {len(seeds)} seed{plural})"


def learning_figure(group: str, runs: Runs) -> Figure | None:
    """Figure 25: test accuracy over epochs, one line per setting, the mean over its seeds; None without curves.

    Only the epochs that all seeds of a setting have enter its mean.
    """
    found = {
        setting: [curves.test_curve(run) for run in of_variant.values()]
        for setting, of_variant in by_setting(runs).items()
    }
    found = {setting: [values for values in kept if len(values)] for setting, kept in found.items()}
    shown = [setting for setting in _settings(group, runs) if found.get(setting)]
    if not shown:
        return None
    drawing, axis = plt.subplots(figsize=(figures.WIDTH, 3.4 + 0.12 * len(shown)))
    for place, setting in enumerate(shown):
        shortest = min(map(len, found[setting]))
        mean = np.mean([values[:shortest] for values in found[setting]], axis=0)
        axis.plot(
            range(1, shortest + 1), mean, marker="o", markersize=4, label=words(group, setting),
            color=figures.SERIES_COLOURS[place % len(figures.SERIES_COLOURS)],
            linestyle=_STYLES[place // len(figures.SERIES_COLOURS) % len(_STYLES)],
        )  # fmt: skip
    axis.set_xlabel("epoch")
    axis.set_ylabel("accuracy on test faces (%)")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    drawing.legend(loc="outside lower center", ncols=2, fontsize=10)
    return drawing


# --- Settings side by side: figures 24, 26, 27 ---


def figure(group: str, sources: Mapping[str, Runs], measure: str | Measure = "accuracy") -> Figure | None:
    """Settings as points with intervals over seeds, a panel per source; None without runs.

    What the paper prints stands as a number to the right of the recorded points: it is of another network, and on one
    axis the differences between settings would be too small to see. Panels span equally many points.

    Parameters
    ----------
    group: of ``NAMES``.
    sources: ``recorded`` or ``build`` to runs; one without runs is left out.
    measure: a name in ``curves.MEASURES``, or a measure.
    """
    wanted = _measure(measure)
    panels: dict[str, dict[str, Estimate]] = {}
    for source, runs in sources.items():
        for setting in _settings(group, runs):
            if (found := estimate(runs, setting, wanted)) is not None:
                panels.setdefault(source, {})[setting] = found
    if not panels:
        return None
    beside = {s: printed_accuracy(group, s) for s in _settings(group)} if wanted is MEASURES["accuracy"] else {}
    heights = [0.34 * len(panel) + 0.75 for panel in panels.values()]
    drawing, axes = plt.subplots(
        len(panels), 1, figsize=(figures.WIDTH, sum(heights) + 0.25), squeeze=False, height_ratios=heights
    )
    for axis, (source, panel) in zip(axes[:, 0], panels.items(), strict=True):
        shown = {words(group, setting): found.ends for setting, found in panel.items()}
        places = figures.estimates(axis, shown, figures.SOURCE_COLOURS[source])
        axis.set_title(figures.SOURCE_NAMES[source], loc="left", fontsize=12)
        if source == "recorded" and any(beside.get(setting) for setting in panel):
            right = axis.secondary_yaxis("right")
            right.set_yticks(places, [beside.get(setting) or NOTHING for setting in panel], fontsize=11)
            right.tick_params(length=0)
            right.spines["right"].set_visible(False)
            axis.set_title("the paper", loc="right", fontsize=12, color=figures.SOURCE_COLOURS["paper"])
    span = max(np.ptp(axis.get_xlim()) for axis in axes[:, 0])
    for axis in axes[:, 0]:
        middle = float(np.mean(axis.get_xlim()))
        axis.set_xlim(middle - span / 2, middle + span / 2)
    axes[-1, 0].set_xlabel(wanted.title)
    return drawing
