"""What runs of paper 000 found: multi-label figures of its seven labels, attention against none, folds, weak labels.

The networks learn all eight emotions of the data; the paper has seven. Contempt, which it leaves out, is left out of
every figure here: of means, of confusion matrices, of the Hamming loss. Shares are in per cent, differences in points.

Nothing here imports torch.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from sklearn.metrics import roc_curve

from ferbook.claims import ablation_variants
from ferbook.claims.ablation_variants import Estimate, Measure, Runs
from ferbook.claims.report import NOTHING
from ferbook.faces.emotions import EMOTIONS
from ferbook.learning.runs import RunResult
from ferbook.measures import figures, intervals, multilabel
from ferbook.papers.cbam import mean_precision, tables

#: The paper's seven labels in its order, and where they stand among ours.
LABELS: tuple[str, ...] = tuple(tables.LABELS.values())
PLACES: tuple[int, ...] = tuple(EMOTIONS.index(name) for name in LABELS)
#: The two that the paper finds weak (section 3.6).
WEAK: tuple[str, ...] = ("sadness", "anger")
#: Where a ROC curve is kept, as shares of the faces without the label.
GRID = np.linspace(0, 1, 51) ** 1.5


def per_label(test: Mapping[str, object], key: str) -> np.ndarray:
    """A figure of each of the seven labels, (7,); NaN where it is not defined.

    Parameters
    ----------
    test: a run's figures on its test faces (``multilabel.Multilabel.as_dict``, eight labels).
    key: ``average_precision``, ``auroc``, ``precision``, ``recall`` or ``f1``.
    """
    if key in ("precision", "recall", "f1"):
        values = [row[key] for row in test["per_label"]]
    else:
        values = [np.nan if value is None else value for value in test[key]]
    return np.array(values, dtype=float)[list(PLACES)]


def confusion(test: Mapping[str, object]) -> np.ndarray:
    """Counts (7, 2, 2), [[true negative, false positive], [false negative, true positive]]."""
    return np.array(test["confusion"])[list(PLACES)]


def hamming_loss(test: Mapping[str, object]) -> float:
    """Share of the seven labels' cells that are wrong."""
    counts = confusion(test)
    return float((counts[:, 0, 1] + counts[:, 1, 0]).sum() / counts.sum())


def _mean(key: str, labels: Sequence[str] = LABELS, scale: float = 100) -> Callable[[RunResult], float]:
    chosen = [LABELS.index(name) for name in labels]
    return lambda result: scale * float(np.nanmean(per_label(result.metrics["test"], key)[chosen]))


#: Scores of labels by the first part of a measure's name: what a run calls them, and what tables do.
_SCORES = {
    "ap": ("average_precision", "AP"),
    "auc": ("auroc", "AUC"),
    "f1": ("f1", "F1"),
    "precision": ("precision", "precision"),
    "recall": ("recall", "recall"),
}
MEASURES: dict[str, Measure] = {
    "map": Measure("mAP (%)", _mean("average_precision")),
    "auc": Measure("mean AUC (%)", _mean("auroc")),
    "f1": Measure("macro F1 (%)", _mean("f1")),
    "f1_five": Measure(
        "mean F1 but for sadness and anger (%)", _mean("f1", tuple(name for name in LABELS if name not in WEAK))
    ),
    "hamming": Measure("Hamming loss (%)", lambda result: 100 * hamming_loss(result.metrics["test"]), 2),
    **{
        f"{short}_{name}": Measure(f"{title}, {name} (%)", _mean(key, (name,)))
        for short, (key, title) in _SCORES.items()
        for name in LABELS
    },
    **{
        f"{short}_weak": Measure(f"{_SCORES[short][1]}, sadness and anger (%)", _mean(_SCORES[short][0], WEAK))
        for short in ("ap", "f1", "recall")
    },
}


def value(result: RunResult, measure: str) -> float:
    """One of ``MEASURES`` of a run, on its test faces at the epoch that validation chose."""
    return MEASURES[measure].of(result)


def estimate(runs: Runs, measure: str) -> Estimate | None:
    """A measure over runs that differ in seed or fold alone; None without runs."""
    return ablation_variants.estimate(runs, MEASURES[measure].of)


def difference(runs: Runs, of: str, to: str, measure: str = "map") -> Estimate | None:
    """A measure of variant `of` less that of `to`, seed by seed, over the seeds that both have; None without one."""
    return ablation_variants.difference(runs, of, to, MEASURES[measure].of)


def apart(runs: Runs, of: str, to: str) -> Estimate | None:
    """How far measure `of` lies above measure `to` in the same runs, as of two labels; None without runs."""
    return ablation_variants.estimate(runs, lambda result: value(result, of) - value(result, to))


def rows(runs: Runs, measures: Sequence[str]) -> list[dict[str, str]]:
    """One line per variant, one column per measure; an empty line without runs."""

    def one(name: str, measure: str) -> Estimate | None:
        return estimate(ablation_variants.variant(runs, name), measure)

    return _lines(ablation_variants.names(runs), {measure: MEASURES[measure].title for measure in measures}, one)


def difference_rows(runs: Runs, to: str, measures: Sequence[str]) -> list[dict[str, str]]:
    """One line per other variant: its measures less those of `to`, paired by seed; an empty line without pairs."""
    others = [name for name in ablation_variants.names(runs) if name != to]
    columns = {measure: MEASURES[measure].title.replace("(%)", "(points)") for measure in measures}
    return _lines(others, columns, lambda name, measure: difference(runs, name, to, measure), sign=True)


def _lines(
    names: Sequence[str],
    columns: Mapping[str, str],
    of: Callable[[str, str], Estimate | None],
    sign: bool = False,
) -> list[dict[str, str]]:
    """A line for each variant: of each measure, under its title, what `of` the two is."""
    lines = [
        {"": name}
        | {title: ablation_variants.told(of(name, m), MEASURES[m].digits, sign) for m, title in columns.items()}
        for name in names
    ]
    return lines or [dict.fromkeys(["", *columns.values()], NOTHING)]


def label_rows(runs: Runs, unit: str = "seed") -> list[dict[str, str]]:
    """The paper's table 2 from runs: one line per label, means and 95 % intervals over seeds or folds."""
    columns = {"precision": "precision", "recall": "recall", "f1": "F1", "average_precision": "AP", "auroc": "AUC"}
    chosen = {**{name: (name,) for name in LABELS}, "all seven, mean": LABELS}
    return [
        {"label": name}
        | {title: _span(ablation_variants.estimate(runs, _mean(key, labels, 1))) for key, title in columns.items()}
        for name, labels in chosen.items()
    ]


def _span(found: Estimate | None) -> str:
    if found is None:
        return NOTHING
    if found.interval is None:
        return f"{found.mean:.2f}"
    return intervals.told((found.mean, found.interval.low, found.interval.high))


def pooled_confusion(runs: Iterable[RunResult]) -> np.ndarray:
    """Confusion counts (7, 2, 2) added up over runs, as over folds that each test other faces."""
    return np.sum([confusion(result.metrics["test"]) for result in runs], axis=0)


def count_rows(runs: Iterable[RunResult]) -> list[dict[str, str]]:
    """The paper's table 1 from runs, counts added up: one line per label, and how many faces have it."""
    return [
        {"label": name}
        | {key: f"{count:,}" for key, count in zip(tables.COUNTS, (tp, fp, fn, tn), strict=True)}
        | {"faces with it": f"{tp + fn:,} ({(tp + fn) / (tp + fp + fn + tn):.1%})"}
        for name, ((tn, fp), (fn, tp)) in zip(LABELS, pooled_confusion(runs).tolist(), strict=True)
    ]


def readings(probabilities: np.ndarray, present: np.ndarray) -> dict[str, float]:
    """Mean average precision of the seven labels under each reading of the word, by ``mean_precision.TITLES``; shares.

    Parameters
    ----------
    probabilities: (N, 8).
    present: (N, 8) bool. A face without any of the seven labels has no average precision, and the mean over images
        leaves it out.
    """
    scores, truth = probabilities[:, list(PLACES)], present[:, list(PLACES)]

    def mean(pairs: Iterable[tuple[np.ndarray, np.ndarray]], kind: multilabel.Interpolation = "none") -> float:
        return float(np.mean([multilabel.average_precision(s, t, kind) for s, t in pairs if t.any()]))

    found = {
        "labels" if kind == "none" else f"labels, {kind}": mean(zip(scores.T, truth.T, strict=True), kind)
        for kind in multilabel.INTERPOLATIONS
    }
    found |= {"cells": mean([(scores.ravel(), truth.ravel())]), "images": mean(zip(scores, truth, strict=True))}
    return {mean_precision.TITLES[name]: value for name, value in found.items()}


def hardest(runs: Runs, measure: str = "f1", count: int = 2) -> tuple[str, ...]:
    """The labels with the lowest mean over the runs, lowest first; ``f1``, ``ap`` or ``auc``."""
    means = {name: estimate(runs, f"{measure}_{name}").mean for name in LABELS}
    return tuple(sorted(means, key=means.__getitem__)[:count])


# --- Curves ---


def curve(scores: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """A ROC curve at ``GRID``: the share of the faces with the label that is found, (len(GRID),).

    Parameters
    ----------
    scores, truth: (N,), bool truth with and without the label.
    """
    false, true, _ = roc_curve(truth, scores)
    return np.interp(GRID, false, true)


def curves(probabilities: np.ndarray, present: np.ndarray) -> np.ndarray:
    """ROC curves of the seven labels, (7, len(GRID)), from probabilities and truth (N, 8)."""
    return np.stack([curve(probabilities[:, k], present[:, k] > 0) for k in PLACES])


def roc_figure(found: np.ndarray, areas: np.ndarray) -> Figure:
    """The paper's figure 2: one panel per label, chance dashed, a thin line per run and a thick one for their mean.

    Parameters
    ----------
    found: (runs, 7, len(GRID)).
    areas: AUC, (runs, 7).
    """
    figure, axes = plt.subplots(4, 2, figsize=(figures.WIDTH, 9.2), sharex=True, sharey=True)
    for place, axis in enumerate(axes.flat):
        if place >= len(LABELS):
            axis.set_axis_off()
            axis.plot([], [], "--", color="#666666", label="chance")
            axis.plot([], [], color="#0072b2", linewidth=2.4, label="mean")
            axis.plot([], [], color="#0072b2", linewidth=0.8, alpha=0.6, label="each run")
            axis.legend(loc="center", fontsize=13)
            continue
        axis.plot([0, 100], [0, 100], "--", color="#666666", linewidth=1.2)
        for line in found[:, place]:
            axis.plot(100 * GRID, 100 * line, color="#0072b2", linewidth=0.8, alpha=0.6)
        axis.plot(100 * GRID, 100 * found[:, place].mean(axis=0), color="#0072b2", linewidth=2.4)
        text = f"AUC {areas[:, place].mean():.2f}"
        if len(areas) >= ablation_variants.SEEDS:
            span = intervals.over_seeds(areas[:, place])
            text += f"\n{span.low:.2f} to {min(1.0, span.high):.2f}"
        axis.text(97, 5, text, ha="right", va="bottom", fontsize=12)
        axis.set_title(LABELS[place], fontsize=13)
    for axis in axes[:, 0]:
        axis.set_ylabel("found (%)")
    for axis in (axes[-1, 0], axes[-2, 1]):
        axis.set_xlabel("false alarms (%)")
        axis.tick_params(labelbottom=True)
    return figure


def confusion_figure(counts: np.ndarray) -> Figure:
    """The paper's figure 3: a matrix per label, with counts and shares of each true row. counts: (7, 2, 2)."""
    figure, axes = plt.subplots(3, 3, figsize=(figures.WIDTH, 7.6))
    for place, axis in enumerate(axes.flat):
        if place >= len(LABELS):
            axis.set_axis_off()
            continue
        figures.matrix(axis, counts[place], ("no", "yes"), lambda n, share: f"{n:,.0f}\n{100 * share:.0f} %", 13)
        axis.set_title(LABELS[place], fontsize=13)
        axis.set_xlabel("predicted", fontsize=12)
        if place % 3 == 0:
            axis.set_ylabel("true", fontsize=12)
    return figure


def precision_figure(sources: Mapping[str, Runs]) -> Figure:
    """Average precision of each label, one colour per source (``recorded``, ``build``), bars for the intervals."""
    figure, axis = plt.subplots(figsize=(figures.WIDTH, 3.9))
    there = {source: runs for source, runs in sources.items() if runs}
    for number, (source, runs) in enumerate(there.items()):
        found = [estimate(runs, f"ap_{name}") for name in LABELS]
        places = np.arange(len(LABELS)) + 0.12 * (2 * number - len(there) + 1)
        bars = np.array([[0, 0] if e.interval is None else [e.mean - e.interval.low] * 2 for e in found]).T
        axis.errorbar(
            places, [e.mean for e in found], bars, fmt="o", capsize=3, color=figures.SOURCE_COLOURS[source],
            label=figures.SOURCE_NAMES[source],
        )  # fmt: skip
    axis.set_xticks(range(len(LABELS)), LABELS, rotation=30, ha="right")
    axis.set_ylabel("average precision (%)")
    axis.set_ylim(0, 105)
    if len(there) > 1:
        figure.legend(loc="outside upper center", ncols=2, fontsize=11)
    return figure


def learning_figure(sources: Mapping[str, Runs]) -> Figure:
    """Validation mAP over epochs, all eight emotions, one line per run, one colour per source."""
    figure, axis = plt.subplots(figsize=(figures.WIDTH, 3.4))
    for source, runs in sources.items():
        for number, result in enumerate(runs.values()):
            axis.plot(
                [entry["epoch"] for entry in result.history],
                [100 * entry["valid_mean_average_precision"] for entry in result.history],
                marker="o", color=figures.SOURCE_COLOURS[source],
                label=None if number else figures.SOURCE_NAMES[source],
            )  # fmt: skip
    axis.set_xlabel("epoch")
    axis.set_ylabel("mAP on validation (%)")
    axis.legend()
    return figure


def stacked(kept: Mapping[str, Sequence], runs: Runs, variant_name: str) -> tuple[np.ndarray, np.ndarray]:
    """Recorded curves of a variant's runs and their areas, as :func:`roc_figure` takes them.

    Parameters
    ----------
    kept: run name (``blocks-seed0``) to curves (7, len(GRID)).
    runs: of the variant, by seed.
    """
    there = {key: result for key, result in runs.items() if f"{variant_name}-{key}" in kept}
    found = np.array([kept[f"{variant_name}-{key}"] for key in there])
    return found, np.stack([per_label(result.metrics["test"], "auroc") for result in there.values()])


def interpolation_rows(runs: Runs) -> list[dict[str, str]]:
    """mAP without interpolation and with both kinds of it; as ``report.table`` takes it."""
    titles = {"": "none", "_11": "eleven points", "_all": "all points"}
    return [
        {
            "interpolation": title,
            "mAP (%)": ablation_variants.told(ablation_variants.estimate(runs, _mean(f"average_precision{key}"))),
        }
        for key, title in titles.items()
    ]


_CHANGE = "change in average precision (points)"


def gain_figure(runs: Runs, of: str, to: str) -> Figure:
    """What one variant's average precision is above another's: each label and their mean, with intervals by seed."""
    wanted = {"mean of seven": "map"} | {name: f"ap_{name}" for name in LABELS}
    found = {title: difference(runs, of, to, measure) for title, measure in wanted.items()}
    return ablation_variants.forest(found, _CHANGE)


def measures_figure(runs: Runs, to: str) -> Figure:
    """What each other variant changes in the average precision of sadness and anger, with intervals over seeds."""
    found = {name: difference(runs, name, to, "ap_weak") for name in ablation_variants.names(runs) if name != to}
    return ablation_variants.forest(found, _CHANGE)
