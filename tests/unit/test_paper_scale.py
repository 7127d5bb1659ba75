"""Running at paper scale: what schedules, assumptions and checks make of counted costs."""

from __future__ import annotations

import pytest

from ferbook.book import paper_scale
from ferbook.book.paper_scale import Gpu, Run, Training
from ferbook.learning.runs import RunResult


def training(name, seconds, start=None, operations=1.0, steps=1):
    return Training(name, start, int(start is not None), "compact", operations, steps, 1, seconds)


def took(trainings, machines):
    return paper_scale.duration(trainings, {one.hash: one.seconds for one in trainings}, machines)


def test_the_longest_run_first_and_never_less_than_it():
    runs = [training(str(seconds), seconds) for seconds in (2, 3, 5, 7, 11)]
    assert [took(runs, machines) for machines in (1, 2, 3, 64)] == [28, 14, 11, 11]
    assert took([], 8) == 0


def test_a_run_waits_for_the_one_that_it_starts_from():
    start = training("start", 10)
    begun = [training(f"run{number}", 3, start="start") for number in range(4)]
    assert took([*begun, start], 4) == 13
    assert took([*begun, start], 1) == 22
    # Where the start is trained already, nobody waits.
    assert took(begun, 4) == 3


def test_a_gpu_takes_the_longer_of_arithmetic_and_steps_and_its_start():
    gpu = Gpu(peak=100, share=0.5, step_ms=2, start_s=20)
    assert gpu.seconds(training("large", 0, operations=5e15, steps=1000)) == pytest.approx(20 + 100)
    assert gpu.seconds(training("small", 0, operations=5e12, steps=1000)) == pytest.approx(20 + 2)


def test_times_are_told_in_one_unit_and_no_more_exactly_than_they_are_known():
    assert paper_scale.span([0.84, 4.26]) == "0.84 to 4.3\N{NO-BREAK SPACE}s"
    assert paper_scale.span([59, 140]) == "0.98 to 2.3\N{NO-BREAK SPACE}min"
    assert paper_scale.span([3600 * 33.4]) == "33\N{NO-BREAK SPACE}h"
    assert paper_scale.span([4e6, 8e6]) == "1,111 to 2,222\N{NO-BREAK SPACE}h"
    assert paper_scale.span([]) == "–"


def recorded(name, seconds, precision="32-true"):
    result = RunResult({}, [], {}, {"device": "cpu", "precision": precision, "cpu_seconds": seconds})
    return Run("002", f"nhot/{name}", result, (training(name, 10),))


def test_recorded_seconds_are_set_beside_those_of_one_core():
    runs = [recorded("a", 20), recorded("b", 30), recorded("c", 5, "bf16-mixed"), Run("002", "nhot/d", None, ())]
    found = paper_scale.checks([*runs, runs[0]])
    # The record's machine has two cores.
    assert [(one.name, one.expected, one.ratio) for one in found] == [
        ("002/nhot/a", 20, 1.0),
        ("002/nhot/b", 20, 1.5),
        ("002/nhot/c", 20, 0.25),
    ]
    assert paper_scale.by_network(found) == {("32 bits", "compact"): [1.0, 1.5], ("bfloat16", "compact"): [0.25]}
    row = paper_scale.check_rows(found)[0]
    assert (row["recorded by expected, median"], row["all"]) == ("1.25", "1.00 to 1.50")


def test_rows_count_what_is_missing_and_a_shared_start_once():
    start = training("start", 3600)
    runs = [Run("003", f"tuned/{name}", None, (start, training(name, 7200, "start"))) for name in "ab"]
    runs.append(Run("003", "proxy/start", recorded("x", 1).recorded, (start,)))
    row = paper_scale.sweep_rows({"003": runs}, [2], [Gpu(1, 1, 1000)])[0]
    assert (row["runs"], row["recorded"], row["missing"]) == ("3", "1", "2")
    assert (row["two cores, all"], row["2 GPUs, all"]) == ("5\N{NO-BREAK SPACE}h", "2\N{NO-BREAK SPACE}s")
    group = paper_scale.group_rows(paper_scale.parted(runs, lambda run: run.group), [Gpu(1, 1, 1000)])
    assert [line["group"] for line in group] == ["003/tuned", "003/proxy"]
    assert group[0]["a run on two cores"] == "2\N{NO-BREAK SPACE}h"


def test_cost_is_drawn_over_faces_and_over_seeds_for_each_comparison():
    runs = [Run("002", name, None, (training(name, 7200),)) for name in paper_scale.GROWN.values()]
    faces, _, seeds, _ = paper_scale.growth_figure(runs).axes
    own = paper_scale.faces("nhot/ordinary-n1-seed0") / 1e3
    for count, over_faces, over_seeds in zip(range(1, 9), faces.lines, seeds.lines, strict=False):
        # Two hours a run, for FER+'s faces and one seed.
        assert over_faces.get_xydata()[-1] == pytest.approx([2 * own, 2 * 2 * count])
        assert over_seeds.get_xydata()[3] == pytest.approx([3, 3 * 2 * count])
