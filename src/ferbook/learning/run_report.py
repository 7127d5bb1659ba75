"""What a page shows of one training run: its settings, its curves, how sure its score is."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ferbook.faces.emotions import EMOTIONS
from ferbook.learning.configs import Config
from ferbook.learning.runs import RunResult
from ferbook.learning.tasks import TASKS
from ferbook.measures import figures, intervals, metrics


def settings(config: Config) -> list[dict[str, str]]:
    """One row per part of a config, as ``report.table`` takes it: what is set, and whether that is the default."""
    defaults = Config().model_dump(mode="json")
    return [
        {"part": part.replace("_", " "), "setting": _told(value), "": "default" if value == defaults[part] else ""}
        for part, value in config.model_dump(mode="json").items()
    ]


def _told(value: object) -> str:
    if isinstance(value, Mapping):
        name = [str(value["name"])] if "name" in value else []
        rest = [f"{key} {_told(entry)}" for key, entry in value.items() if key != "name" and entry != {}]
        return ", ".join(name + rest)
    if isinstance(value, list):
        return "; ".join(map(_told, value)) or "none"
    return {True: "yes", False: "no", None: "none"}[value] if isinstance(value, bool | None) else str(value)


def curves(result: RunResult) -> Figure:
    """Losses, scores and learning rate over the epochs; a dashed line at the chosen one."""
    history = pd.DataFrame(result.history)
    score = TASKS[result.config["task"]].score
    figure, axes = plt.subplots(3, 1, figsize=(figures.WIDTH, 6.4), sharex=True, height_ratios=(3, 3, 2))
    panels = (
        (axes[0], {"training": "train_loss", "validation": "valid_loss"}, 1, "loss"),
        (axes[1], {"validation": f"valid_{score}", "test": f"test_{score}"}, 100, f"{score.replace('_', ' ')} (%)"),
        (axes[2], {"learning rate": "lr"}, 1, "learning rate"),
    )
    colours = {"training": "#444444", "validation": "#0072b2", "test": "#d55e00", "learning rate": "#444444"}
    for axis, series, scale, label in panels:
        shown = {name: column for name, column in series.items() if column in history}
        for name, column in shown.items():
            axis.plot(
                history["epoch"], scale * history[column], marker="o", markersize=4, color=colours[name], label=name
            )
        axis.axvline(result.metrics["chosen_epoch"], color="#999999", linestyle="--")
        axis.set_ylabel(label)
        if len(shown) > 1:
            axis.legend()
    axes[2].set_xlabel("epoch")
    axes[2].xaxis.get_major_locator().set_params(integer=True)
    return figure


def verdict(result: RunResult) -> str:
    """The chosen epoch and the score on the test faces, in words; with an interval where the answers were kept."""
    found, score = result.metrics, TASKS[result.config["task"]].score
    if found["chosen_on"] == "last":
        said = f"""The last epoch was kept, and no face was held out to choose another. Its {score.replace("_", " ")} is
            """
    else:
        said = f"""Epoch **{found["chosen_epoch"]}** of {len(result.history)} was chosen on the
            {_PARTS[found["chosen_on"]]} faces. Its {score.replace("_", " ")} is {found[f"valid_{score}"]:.1%} on the
            validation faces and """
    said += f"**{found[f'test_{score}']:.1%}** on {found['faces']['test']:,} test faces"
    if "test_correct" in found:
        spread = score_interval(result)
        said += f" ({spread.level:.0%} interval {spread.low:.1%} to {spread.high:.1%})"
    return f"{said}."


_PARTS = {"valid": "validation", "test": "test"}


def score_interval(result: RunResult, seed: int = 0) -> intervals.Interval:
    """Tie-aware accuracy on the test faces with a bootstrap interval: how it would vary with other such faces.

    Of a run over distributions, whose result holds whether each answer was right.
    """
    correct = metrics.from_bits(result.metrics["test_correct"], result.metrics["faces"]["test"])
    return intervals.bootstrap(np.mean, correct.astype(float), seed=seed)


def choice_on_test(result: RunResult) -> str:
    """What choosing the epoch on the test faces would have given; empty without a test curve."""
    score = TASKS[result.config["task"]].score
    curve = [entry[f"test_{score}"] for entry in result.history if f"test_{score}" in entry]
    if not curve:
        return ""
    best = int(np.argmax(curve))
    if best + 1 == result.metrics["chosen_epoch"]:
        return "The test faces would have chosen the same epoch, so that nothing hangs on the choice here."
    gain = 100 * (curve[best] - result.metrics[f"test_{score}"])
    return f"""On the test faces themselves, epoch {best + 1} is best, with {curve[best]:.1%}. Choosing it would
        add **{gain:.1f} points** that are not earned: the test faces would have taken part in the training."""


def mistakes(result: RunResult) -> Figure:
    """The confusion matrix of a run over distributions; else bars, of a multi-label run's precision and recall per
    emotion, of a run's R2 and CCC per axis where it learns V, A, D.
    """
    test = result.metrics["test"]
    if result.config["task"] == "distribution":
        return figures.confusion(np.array(test["confusion"]))
    if result.config["task"] == "vad":
        fits = {"R²": test["model"]["r2"], "CCC": test["model"]["ccc"]}
        return figures.bars(
            test["names"], fits, ("#0072b2", "#e69f00"), xlabel="axis", ylabel="fit, at most 1", form="{:.2f}"
        )
    shares = {name: [100 * row[name] for row in test["per_label"]] for name in ("precision", "recall")}
    return figures.bars(EMOTIONS, shares, ("#0072b2", "#e69f00"), xlabel="emotion", ylabel="share (%)", form="{:.0f}")
