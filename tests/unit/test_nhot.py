"""Curves over N: means, intervals and paired tests against slow twins; incomplete seeds."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from ferbook.claims import ablation_variants
from ferbook.core.errors import ConfigError
from ferbook.learning import configs
from ferbook.learning.runs import RunResult
from ferbook.measures import metrics
from ferbook.papers.nhot import curves
from tests.unit.claiming import student

FACES = 400


def run(kind="ordinary", n=1, seed=0, share=0.7, **changes):
    """A result as training makes it, with answers drawn by its place."""
    rng = np.random.default_rng([len(kind), n, seed])
    right = rng.random(FACES) < share
    accuracy = float(right.mean())
    config = configs.parse({"split": {"kind": kind}, "labels": {"n_hot": n}, "seed": seed, **changes})
    return RunResult(
        config=config.model_dump(mode="json"),
        history=[{"epoch": 1, "test_accuracy": accuracy - 0.1}, {"epoch": 2, "test_accuracy": accuracy + 0.02}],
        metrics={
            "test_accuracy": accuracy,
            "test_correct": metrics.to_bits(right),
            "faces": {"train": 1000, "valid": 100, "test": FACES},
            "test": {"accuracy": accuracy, "accuracy_first": accuracy - 0.03, "kl": 1.0 / n + seed / 100, "brier": 0.1,
                     "calibration_error": 0.05},
            "test_accuracy_unseen": accuracy - 0.01,
            "parameters": 294896,
        },
        provenance={},
    )  # fmt: skip


def grid(seeds=(0, 1, 2), ns=(1, 3), kinds=curves.KINDS):
    """Runs that get better with N, and worse on complex faces."""
    return {
        f"{kind}-n{n}-seed{seed}": run(kind, n, seed, share=0.6 + 0.03 * n - 0.2 * (kind == "complex"))
        for kind in kinds
        for n in ns
        for seed in seeds
    }


def literally_right(result):
    """The answers bit by bit, from the hexadecimal text."""
    text = result.metrics["test_correct"]
    bits = "".join(f"{int(text[place : place + 2], 16):08b}" for place in range(0, len(text), 2))
    return [bit == "1" for bit in bits[:FACES]]


def test_curve_is_the_mean_over_seeds_with_students_interval():
    runs = grid()
    points = curves.curve(runs, "ordinary")
    assert [point.n for point in points] == [1, 3]
    for point in points:
        right = [literally_right(runs[f"ordinary-n{point.n}-seed{seed}"]) for seed in point.seeds]
        mean, half = student(100 * sum(one) / FACES for one in right)
        assert point.over == "seeds"
        assert point.seeds == (0, 1, 2)
        assert point.mean == pytest.approx(mean)
        assert (point.interval.low, point.interval.high) == pytest.approx((mean - half, mean + half))


def test_two_seeds_have_no_interval():
    """Student's factor for two values is 12.7: the interval would say how alike they happen to be."""
    runs = grid(seeds=(0, 1))
    for found in (*curves.curve(runs, "ordinary"), curves.gain(runs, "ordinary"), *curves.drop(runs)):
        assert (found.seeds, found.interval, found.over) == ((0, 1), None, "")
        assert ablation_variants.told(found) == f"{sum(found.values) / 2:.1f}, 2 seeds"
    assert {line["interval over"] for line in curves.gain_rows(runs)} == {"–"}


def test_one_seed_has_an_interval_over_faces_and_says_so():
    (point,) = curves.curve({"a": run()}, "ordinary")
    assert (point.over, point.seeds) == ("faces", (0,))
    half = 1.96 * math.sqrt(point.mean * (100 - point.mean) / FACES)
    assert point.interval.low == pytest.approx(point.mean - half, abs=0.6)
    assert point.interval.high == pytest.approx(point.mean + half, abs=0.6)
    assert ablation_variants.told(point).endswith("1 seed")


def test_one_seed_of_a_measure_without_answers_has_no_interval():
    (point,) = curves.curve({"a": run()}, "ordinary", "kl")
    assert point.interval is None
    assert ablation_variants.told(point, 3) == "1.000, 1 seed"


def test_gain_pairs_runs_of_one_seed_face_by_face():
    runs = grid()
    found = curves.gain(runs, "complex")
    for place, seed in enumerate(found.seeds):
        before, after = (literally_right(runs[f"complex-n{n}-seed{seed}"]) for n in (1, 3))
        lost = sum(a and not b for a, b in zip(before, after, strict=True))
        won = sum(b and not a for a, b in zip(before, after, strict=True))
        assert found.values[place] == pytest.approx(100 * (won - lost) / FACES)
        expected = stats.chi2.sf((abs(lost - won) - 1) ** 2 / (lost + won), 1)
        assert found.tests[place].p == pytest.approx(expected)
    assert found.over == "seeds"
    assert found.mean == pytest.approx(sum(found.values) / 3)


def test_gain_of_a_run_against_itself_is_nothing_and_swapping_changes_its_sign():
    runs = grid(seeds=(0,))
    forth, back = curves.gain(runs, "ordinary", 1, 3), curves.gain(runs, "ordinary", 3, 1)
    assert forth.over == "faces"
    assert forth.interval.low < forth.mean < forth.interval.high
    assert forth.mean == pytest.approx(-back.mean)
    same = curves.gain(runs, "ordinary", 1, 1)
    assert (same.mean, same.tests[0].p) == (0, 1)


def test_incomplete_seeds_use_what_both_sides_have():
    runs = grid()
    del runs["ordinary-n3-seed1"]
    assert curves.gain(runs, "ordinary").seeds == (0, 2)
    assert [point.seeds for point in curves.curve(runs, "ordinary")] == [(0, 1, 2), (0, 2)]
    assert "2 to 3 seeds" in curves.recorded_so_far(runs)
    assert curves.gain({name: one for name, one in runs.items() if "n3" not in name}, "ordinary") is None


def test_nothing_recorded_gives_lines_without_numbers():
    assert curves.curve({}, "ordinary") == []
    assert curves.gain({}, "ordinary") is None
    assert set(curves.rows({}, ("accuracy",))[0].values()) == {"–"}
    assert set(curves.gain_rows({})[0].values()) == {"–"}
    assert curves.recorded_so_far({}) == "no run is recorded yet"


def test_what_the_counting_adds():
    one = run()
    assert curves.choice_adds(one) == pytest.approx(2)
    assert curves.ties_add(one) == pytest.approx(3)
    assert curves.duplicates_add(one) == pytest.approx(1)
    assert curves.choice_adds(replace(one, history=[{"epoch": 1}])) is None
    assert curves.duplicates_add(replace(one, metrics={**one.metrics, "test_accuracy_unseen": None})) is None


def test_a_network_that_always_says_the_same_is_known_by_it():
    one = run()
    one.metrics["test"]["confusion"] = [[3, 0, 0], [5, 0, 0], [2, 0, 0]]
    assert curves.answers(one) == 1
    one.metrics["test"]["confusion"][1] = [4, 1, 0]
    assert curves.answers(one) == 2
    assert curves.answers(run()) is None


def test_drop_compares_test_sets_seed_by_seed():
    runs = grid()
    for point in curves.drop(runs):
        by_hand = [
            100 * sum(literally_right(runs[f"ordinary-n{point.n}-seed{seed}"])) / FACES
            - 100 * sum(literally_right(runs[f"complex-n{point.n}-seed{seed}"])) / FACES
            for seed in (0, 1, 2)
        ]
        assert point.values == pytest.approx(tuple(by_hand))
        assert point.mean > 10


def test_runs_that_differ_in_something_else_are_not_one_curve():
    with pytest.raises(ConfigError, match="differ in more"):
        curves.curve({"a": run(), "b": run(n=3, loss="mse")}, "ordinary")
    with pytest.raises(ConfigError, match="not the only run"):
        curves.curve({"a": run(), "b": run()}, "ordinary")
    fewer = run(n=3)
    fewer.metrics["faces"]["test"] -= 10
    fewer.metrics["test_correct"] = metrics.to_bits(curves.correct(run(n=3))[:-10])
    with pytest.raises(ConfigError, match="different faces"):
        curves.gain({"a": run(), "b": fewer}, "ordinary")


def test_figure_draws_ordinary_solid_and_complex_dashed():
    (axis,) = curves.figure({"recorded": grid(), "build": {}}).axes
    drawn = [line for line in axis.lines if line.get_label().startswith("FER+")]
    assert [line.get_linestyle() for line in drawn] == ["-", "--"]
    assert list(drawn[0].get_ydata()) == [point.mean for point in curves.curve(grid(), "ordinary")]
    assert "(%)" in axis.get_ylabel()


def test_quick_runs_are_every_combination():
    found = curves.quick({"epochs": 1}, (1, 3), curves.KINDS)
    assert sorted(found) == ["complex-n1-seed0", "complex-n3-seed0", "ordinary-n1-seed0", "ordinary-n3-seed0"]
    assert found["complex-n3-seed0"].split.kind == "complex"
    assert found["complex-n3-seed0"].labels.n_hot == 3
