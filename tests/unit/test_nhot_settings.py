"""Runs that differ in one setting: tables, differences, table 2's statistics and figures against slow twins; gaps."""

import numpy as np
import pytest

from ferbook.claims import printed
from ferbook.core.errors import ConfigError
from ferbook.learning import configs, sweeps
from ferbook.learning.losses import LOSSES
from ferbook.learning.runs import RunResult
from ferbook.papers.nhot import settings
from tests.unit.claiming import ends, student

DASH = "–"


def run(seed, curve=(0.5, 0.6, 0.7), accuracy=None, copies=None):
    """A result as training makes it, whose epoch was chosen last."""
    accuracy = curve[-1] if accuracy is None else accuracy
    config = configs.parse({"split": {"kind": "ordinary"}, "seed": seed, "epochs": len(curve)})
    return RunResult(
        config=config.model_dump(mode="json"),
        history=[{"epoch": place, "test_accuracy": share} for place, share in enumerate(curve, 1)],
        metrics={
            "test_accuracy": accuracy,
            "faces": {"train": 1000, "valid": 100, "test": 50},
            "test": {"kl": 0.5 + seed / 10},
            **({} if copies is None else {"with_copies": copies}),
        },
        provenance={},
    )


def rotation(seeds=(0, 1, 2), angles=(10, 20, 30, 40), kind="ordinary-"):
    """Runs that are best at 20 degrees by their end, at 40 by their best epoch, with seeds that differ."""
    end = {10: 0.70, 20: 0.76, 30: 0.73, 40: 0.71}
    return {
        f"{kind}degrees{angle}-seed{seed}": run(
            seed,
            (0.5, 0.80 if angle == 40 else 0.6, end[angle], end[angle] + 0.01 * seed + 0.001 * angle * (seed == 1)),
        )
        for angle in angles
        for seed in seeds
    }


def accuracies(runs, angle, seeds=(0, 1, 2)):
    """Of the last epoch, per cent."""
    return [100 * runs[f"ordinary-degrees{angle}-seed{seed}"].history[-1]["test_accuracy"] for seed in seeds]


# --- Names ---


@pytest.mark.parametrize("group", settings.NAMES)
def test_every_described_setting_has_a_name_and_every_other_name_is_the_papers(group):
    found = sweeps.chosen(sweeps.runs(sweeps.description("002")), group)
    there = set(settings.by_setting({name.partition("/")[2]: run for name, run in found.items()}))
    names = set(settings.NAMES[group])
    assert there <= names
    assert names - there <= set(settings.PRINTED.get(group, {}))
    assert settings.described(group) == len(found) == 3 * len(there)
    assert len(set(settings.NAMES[group].values())) == len(names)


def test_losses_are_called_what_the_losses_are_called():
    assert settings.NAMES["losses"] == {name: loss.title for name, loss in LOSSES.items()}


def test_printed_accuracies_are_those_of_the_tables():
    table = printed.table("002-table2").set_index("training set")["highest accuracy (%)"].to_dict()
    names = settings.NAMES["rotation"]
    assert [settings.printed_accuracy("rotation", setting) for setting in names] == list(table.values())
    assert settings.printed_accuracy("augmentation", "flip") is None
    assert settings.printed_accuracy("start", "random") is None


def test_an_unknown_group_is_refused_and_an_unknown_setting_keeps_its_name():
    with pytest.raises(ConfigError, match="there is no 'rotations'"):
        settings.rows("rotations", {})
    with pytest.raises(ConfigError, match="there is no 'rotations'"):
        settings.described("rotations")
    assert settings.words("start", "longer") == "longer"


# --- Tables ---


def test_a_line_holds_mean_interval_seeds_and_what_is_printed():
    runs = rotation()
    lines = {line["setting"]: line for line in settings.rows("rotation", {"recorded": runs})}
    assert list(lines) == list(settings.NAMES["rotation"].values())
    for angle in (10, 20, 30, 40):
        mean, interval = ends(accuracies(runs, angle))
        told = lines[f"{angle}°"]["FER+, recorded: accuracy (%)"]
        assert told == f"{mean:.1f} ({interval}), 3 seeds"
        assert lines[f"{angle}°"]["the paper: accuracy (%)"] == printed.cell(
            "002-table2", f"B+F+R±{angle}°", "highest accuracy (%)"
        )
    assert lines["random, 10° to 30°"]["FER+, recorded: accuracy (%)"] == DASH


def test_differences_pair_runs_of_one_seed():
    runs = rotation()
    mean, half = student(np.subtract(accuracies(runs, 40), accuracies(runs, 20)))
    low, high = mean - half, mean + half
    found = settings.difference(runs, "degrees40", "degrees20")
    assert (found.mean, found.interval.low, found.interval.high) == pytest.approx((mean, low, high))
    lines = settings.rows("rotation", {"recorded": runs}, base="degrees20")
    title = "FER+, recorded: less 20° (points)"
    assert [line[title] for line in lines][1] == DASH
    assert [line[title] for line in lines][3] == f"{mean:+.1f} ({low:+.1f} to {high:+.1f}), 3 seeds"


def test_what_one_side_lacks_is_left_out_of_a_difference():
    runs = rotation()
    del runs["ordinary-degrees40-seed1"]
    found = settings.difference(runs, "degrees40", "degrees20")
    assert found.keys == ("seed0", "seed2") and found.interval is None
    assert settings.difference(runs, "degrees40", "degrees50") is None
    assert settings.difference({}, "degrees40", "degrees20") is None


def test_the_test_set_in_a_name_makes_no_difference_but_two_are_refused():
    ordinary, plain = rotation(), rotation(kind="")
    assert settings.rows("rotation", {"recorded": ordinary}) == settings.rows("rotation", {"recorded": plain})
    with pytest.raises(ConfigError, match="two test sets"):
        settings.by_setting({**ordinary, **rotation(kind="complex-")})


def test_pictures_in_an_epoch_count_appended_copies():
    runs = {
        "ordinary-none-seed0": run(0),
        "ordinary-appended-seed0": run(0, copies=4000),
        "ordinary-adaptive-seed0": run(0, copies=3210),
    }
    measures = (settings.PICTURES, settings.EPOCHS)
    lines = settings.rows("copies", {"recorded": runs}, measures)
    assert [line["FER+, recorded: pictures in an epoch"] for line in lines] == ["1,000", "4,000", "3,210"]
    assert [line["FER+, recorded: epochs"] for line in lines] == ["3", "3", "3"]
    assert "the paper: accuracy (%)" not in lines[0]


def test_runs_of_a_page_stand_beside_the_recorded_ones():
    built = {"none-seed0": run(0, (0.3,)), "crossed-seed0": run(0, (0.4,))}
    lines = settings.rows("augmentation", {"recorded": {}, "build": built}, base="none")
    assert [line["setting"] for line in lines][-1] == "crossed"
    assert lines[0]["synthetic, this build: accuracy (%)"] == "30.0, 1 seed"
    assert lines[-1]["synthetic, this build: less as they are (points)"] == "+10.0, 1 seed"
    assert {line["FER+, recorded: accuracy (%)"] for line in lines} == {DASH}


def test_another_measure_has_its_own_unit():
    lines = settings.rows("rotation", {"recorded": rotation()}, ("kl",), base="degrees10")
    title = "FER+, recorded: less 10° (KL divergence to the crowd (nats))"
    assert lines[1][title] == "+0.000 (+0.000 to +0.000), 3 seeds"


# --- In words ---


def test_how_many_runs_are_recorded():
    assert settings.so_far("rotation", {}) == "none of 12 runs is recorded yet"
    runs = rotation(seeds=(0,), angles=(10,))
    assert settings.so_far("rotation", runs) == "1 of 12 runs is recorded"
    assert settings.so_far("rotation", rotation()) == "12 of 12 runs are recorded"


def test_a_finding_needs_seeds_and_an_interval_without_zero():
    told = settings.finding("rotation", rotation(), "degrees20", "degrees10")
    assert told.startswith("20° against 10°: +") and told.endswith("; better")
    assert settings.finding("rotation", rotation(), "degrees10", "degrees20").endswith("; worse")
    few = settings.finding("rotation", rotation(seeds=(0, 1)), "degrees20", "degrees10")
    assert few.endswith("2 seeds; it takes 3 seeds for a finding")
    assert settings.finding("rotation", {}, "degrees20", "degrees10") == "20° against 10°: not recorded yet"
    shifts = {"flip": (0.02, -0.02, 0.01), "none": (0.0, 0.0, 0.0)}
    mixed = {
        f"{name}-seed{seed}": run(seed, (0.7 + shift,))
        for name, of_seed in shifts.items()
        for seed, shift in enumerate(of_seed)
    }
    assert "undecided" in settings.finding("augmentation", mixed, "flip", "none")


def test_a_spread_is_best_less_worst_of_each_seed_that_all_have():
    runs = rotation()
    del runs["ordinary-degrees30-seed2"]
    found = settings.spread(runs, ("degrees10", "degrees20", "degrees30"))
    by_seed = {}
    for seed in (0, 1):
        last = [accuracies(runs, angle, [seed])[0] for angle in (10, 20, 30)]
        by_seed[f"seed{seed}"] = max(last) - min(last)
    assert dict(zip(found.keys, found.values, strict=True)) == pytest.approx(by_seed)
    assert found.interval is None  # of two seeds
    assert settings.spread(runs, ("degrees10", "degrees50")) is None
    assert settings.spread({}, ("degrees10",)) is None


def test_leaders_differ_by_statistic_and_share_a_tie():
    told = settings.leading("rotation", rotation())
    assert "by the highest accuracy, 40° leads" in told
    assert "by the 75th percentile, 20° leads" in told
    assert told.endswith("(4 settings, mean of 3 seeds)")
    same = {f"{name}-seed0": run(0) for name in ("degrees10", "degrees20")}
    assert "by the highest accuracy, 10° and 20° lead;" in settings.leading("rotation", same)


def test_leaders_are_compared_over_the_seeds_of_all():
    runs = rotation()
    del runs["ordinary-degrees30-seed2"]
    assert settings.leading("rotation", runs).endswith("mean of 2 seeds)")
    for nothing in ({}, rotation(angles=(10,)), {**rotation((0,), (10,)), **rotation((1,), (20,))}):
        assert settings.leading("rotation", nothing).startswith("too little is recorded")


def made(**provenance):
    return RunResult({}, [], {}, provenance)


def test_runs_of_one_seed_that_computed_in_different_formats_are_named():
    three = ("false", "true", "dlib")
    runs = {
        f"ordinary-aligned-{how}-seed{seed}": made(precision="bf16-mixed" if how == "dlib" or seed == 2 else "32-true")
        for how in three
        for seed in range(3)
    }
    told = settings.mixed_formats("alignment", runs)
    assert "For seed 0 and seed 1: aligned by dlib in bfloat16, the others in 32 bits." in told
    assert "seed 2" not in told
    again = {name: made(precision="bf16-mixed") for name in runs}
    assert settings.mixed_formats("alignment", again) == settings.mixed_formats("alignment", {}) == ""


def test_another_number_of_threads_is_named_unless_a_run_does_not_say_it():
    one, two = made(device="cpu", threads=1), made(device="cpu", threads=2)
    runs = {"random-seed0": one, "imagenet-seed0": two, "random-seed1": one}
    assert "For seed 0: random with 1 thread, ImageNet with 2 threads." in settings.mixed_formats("imagenet", runs)
    unsaid = {**runs, "imagenet-seed0": made(device="cpu")}
    assert settings.mixed_formats("imagenet", unsaid) == ""


def test_a_gpu_beside_a_processor_is_named_and_its_threads_are_not():
    runs = {"random-seed0": made(device="cpu", threads=1), "imagenet-seed0": made(device="cuda:0", threads=16)}
    told = settings.mixed_formats("imagenet", runs)
    assert "For seed 0: random on a processor, ImageNet on a GPU." in told and "thread" not in told


# --- Table 2's statistics ---


@pytest.mark.parametrize("length", [1, 2, 6, 40])
def test_statistics_of_a_curve_against_the_definition(length):
    shares = np.random.default_rng(length).uniform(0.8, 0.9, length)
    found = settings.statistics(run(0, tuple(shares)), 85.0)
    assert found.highest == pytest.approx(100 * shares.max())
    assert found.percentile == pytest.approx(np.percentile(100 * shares, 75))
    assert found.above == (100 * shares > 85.0).sum()


def test_a_run_without_a_curve_has_no_statistics():
    one = run(0)
    for entry in one.history:
        del entry["test_accuracy"]
    one.metrics["test_accuracy"] = 0.5
    assert settings.statistics(one, 50.0) is None
    assert settings.usual({"degrees10-seed0": one}) is None
    assert settings.learning_figure("rotation", {"degrees10-seed0": one}) is None
    lines = settings.statistics_rows("rotation", {"degrees10-seed0": one})
    assert lines[0]["FER+, recorded: highest accuracy (%)"] == DASH


def test_rows_of_table_2_stand_beside_the_runs():
    runs = rotation()
    threshold = sorted(100 * e["test_accuracy"] for r in runs.values() for e in r.history)
    middle = (threshold[len(threshold) // 2 - 1] + threshold[len(threshold) // 2]) / 2
    lines = settings.statistics_rows("rotation", runs)
    above = f"FER+, recorded: epochs above {middle:.1f} %"
    for line, (_, paper) in zip(lines, printed.table("002-table2").iterrows(), strict=True):
        assert [line[f"the paper: {title}"] for title in paper.index[1:]] == list(paper.iloc[1:])
    counts = [
        sum(100 * e["test_accuracy"] > middle for e in runs[f"ordinary-degrees20-seed{k}"].history) for k in range(3)
    ]
    assert lines[1][above].startswith(f"{sum(counts) / 3:.1f} (")
    assert lines[4][above] == DASH


# --- Figures ---


def test_nothing_recorded_gives_dashes_and_no_figure():
    for group in settings.NAMES:
        assert settings.figure(group, {"recorded": {}, "build": {}}) is None
        assert settings.learning_figure(group, {}) is None
        base = next(iter(settings.NAMES[group]))
        for line in settings.rows(group, {"recorded": {}}, base=base):
            ours = {value for title, value in line.items() if title.startswith("FER+")}
            assert ours == {DASH}
    lines = settings.statistics_rows("rotation", {})
    assert [line["the paper: epochs above 85 %"] for line in lines] == ["7", "29", "15", "11", "5"]


def test_a_figure_has_a_panel_per_source_of_equal_span_and_the_papers_numbers_beside():
    built = {f"degrees20-seed{seed}": run(seed, (0.3 + 0.1 * seed,)) for seed in range(3)}
    drawing = settings.figure("rotation", {"recorded": rotation(), "build": built})
    recorded, ours = drawing.axes[:2]
    assert np.ptp(recorded.get_xlim()) == pytest.approx(np.ptp(ours.get_xlim()))
    assert [label.get_text() for label in recorded.get_yticklabels()] == ["10°", "20°", "30°", "40°"]
    points = recorded.containers[0].lines[0].get_xdata()
    assert points[1] == pytest.approx(settings.estimate(rotation(), "degrees20").mean)
    beside = [label.get_text() for axis in recorded.child_axes for label in axis.get_yticklabels()]
    assert beside == ["85.66", "86.06", "85.46", "85.94"]
    assert ours.get_xlabel() == "accuracy (%)" and not ours.child_axes


def test_learning_curves_are_means_over_the_epochs_that_all_seeds_have():
    runs = {"degrees10-seed0": run(0, (0.5, 0.7, 0.8)), "degrees10-seed1": run(1, (0.6, 0.8))}
    (axis,) = settings.learning_figure("rotation", runs).axes
    (line,) = axis.lines
    assert list(line.get_xdata()) == [1, 2]
    assert list(line.get_ydata()) == pytest.approx([55, 75])
    assert axis.get_xlabel() == "epoch" and "(%)" in axis.get_ylabel()


def test_ten_losses_have_ten_looks():
    runs = {f"{name}-seed0": run(0) for name in settings.NAMES["losses"]}
    (axis,) = settings.learning_figure("losses", runs).axes
    assert len({(line.get_color(), line.get_linestyle()) for line in axis.lines}) == 10
