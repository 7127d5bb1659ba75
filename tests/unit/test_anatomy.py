"""What a page says of one run, against numbers made by hand."""

import numpy as np
import pytest

from ferbook.learning import configs, run_report
from ferbook.learning.runs import RunResult
from ferbook.measures import metrics


def result(test=(0.5, 0.75, 0.8), chosen=2, **change):
    history = [
        {
            "epoch": k + 1,
            "train_loss": 2 - k / 4,
            "valid_loss": 2.0,
            "valid_accuracy": 0.6,
            "test_accuracy": share,
            "lr": 0.1,
        }
        for k, share in enumerate(test)
    ]
    found = {
        "chosen_epoch": chosen,
        "chosen_on": "valid",
        "valid_accuracy": 0.6,
        "test_accuracy": 0.75,
        "faces": {"train": 900, "valid": 100, "test": 100},
        "test_correct": metrics.to_bits(np.arange(100) < 75),
        "test": {"confusion": np.eye(8, dtype=int).tolist()},
    }
    return RunResult(configs.parse(change).model_dump(mode="json"), history, found, {})


def test_the_verdict_names_epoch_score_and_interval():
    said = " ".join(run_report.verdict(result()).split())
    assert "Epoch **2** of 3 was chosen on the validation faces" in said
    assert "60.0% on the validation faces and **75.0%** on 100 test faces (95% interval " in said
    found = run_report.score_interval(result())
    # The normal approximation of a share: 1.96 sqrt(p (1 - p) / n).
    half = 1.96 * np.sqrt(0.75 * 0.25 / 100)
    assert found.estimate == 0.75
    np.testing.assert_allclose([found.low, found.high], [0.75 - half, 0.75 + half], atol=0.02)


def test_what_choosing_on_the_test_faces_would_add():
    said = run_report.choice_on_test(result())
    assert "epoch 3 is best, with 80.0%" in said and "**5.0 points**" in said
    assert "the same epoch" in run_report.choice_on_test(result(test=(0.5, 0.75, 0.7)))
    without = result()
    for entry in without.history:
        del entry["test_accuracy"]
    assert run_report.choice_on_test(without) == ""


def test_settings_tell_what_differs_from_the_defaults():
    rows = run_report.settings(
        configs.parse({"model": {"options": {"width": 2}}, "augmentation": [{"name": "flip", "p": 0.5}]})
    )
    told = {row["part"]: (row["setting"], row[""]) for row in rows}
    assert told["model"] == ("compact, options width 2, weights none", "")
    assert told["augmentation"] == ("flip, p 0.5", "")
    assert told["seed"] == ("0", "default") and told["mirror"] == ("no", "default")
    assert len(rows) == len(configs.Config.model_fields)


@pytest.mark.parametrize("has_test_curve", [True, False])
def test_curves_show_each_measure_once(has_test_curve):
    shown = result()
    for entry in shown.history if not has_test_curve else ():
        del entry["test_accuracy"]
    figure = run_report.curves(shown)
    drawn = [[line for line in axis.lines if line.get_marker() == "o"] for axis in figure.axes]
    assert [len(lines) for lines in drawn] == [2, 1 + has_test_curve, 1]
    np.testing.assert_allclose(drawn[1][0].get_ydata(), 60)
    assert all(axis.get_ylabel() for axis in figure.axes)


def test_mistakes_of_both_tasks():
    run_report.mistakes(result())
    several = result(task="multilabel", loss="binary_cross_entropy")
    several.metrics["test"] = {"per_label": [{"precision": 0.5, "recall": 0.25, "f1": 1 / 3}] * 8}
    figure = run_report.mistakes(several)
    heights = sorted({round(bar.get_height()) for bar in figure.axes[0].patches})
    assert heights == [25, 50]
