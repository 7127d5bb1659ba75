"""Times of paper 002: there and back, against literal sums; records that are missing or do not say their time."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ferbook.claims import printed
from ferbook.claims.report import NOTHING
from ferbook.core import records
from ferbook.learning import sweeps
from ferbook.learning.runs import RunResult
from ferbook.papers.nhot import memory_need, training_time
from ferbook.papers.nhot.training_time import Experiment, Grid


@given(st.integers(1, 10**7), st.floats(0.1, 1e4))
def test_minutes_and_speed_are_one_another_turned_round(pictures, speed):
    took = training_time.epoch_minutes(pictures, speed)
    assert took * 60 * speed == pytest.approx(pictures)
    assert training_time.images_per_second(pictures, took) == pytest.approx(speed)


def test_cards_are_those_of_the_tables_with_the_speed_that_their_time_implies():
    found = training_time.cards()
    assert [one.platform for one in found] == list(printed.table("002-table4")["platform"])
    seconds = [7 * 60 + 9, 6 * 60 + 37, 5 * 60 + 25]  # 7min 9s, 6min 37s, 5min 25s
    for one, took in zip(found, seconds, strict=True):
        assert one.images_per_s * took == pytest.approx(4 * training_time.training_faces())
        assert one.memory == printed.cell("002-table5", one.platform, "memory (MB)")


def test_a_network_that_was_not_timed_costs_by_its_multiply_adds():
    adds = records.read(training_time.SIZES)["values"]["multiply_adds"]
    assert training_time.speed_of("vgg16_48") == training_time.speeds()["vgg16_48"]
    for name in ("ran", "dan", "mten"):
        assert training_time.speed_of(name) * adds[name] == pytest.approx(
            training_time.speeds()["vgg16_48"] * adds["vgg16_48"]
        )


def test_days_are_the_sum_over_every_epoch_of_every_training():
    experiment = Experiment("", {"vgg16_48": 2, "dan": 3}, sets=4)
    seconds = 0.0
    for name, runs in experiment.runs.items():
        for _ in range(runs):
            for _ in range({"vgg16_48": 40, "dan": 60}[name]):
                seconds += 4 * training_time.training_faces() / training_time.speed_of(name)
    assert training_time.days(experiment) == pytest.approx(seconds / 86400)
    assert training_time.card_hours(experiment) is None, "table 4 says nothing of DAN"


def test_three_cards_together_share_the_work():
    """Twin: each minute all three show their share of the pictures."""
    experiment = Experiment("", {"vgg16_48": 5}, sets=4)
    a_minute = sum(1 / one.minutes for one in training_time.cards())
    assert training_time.card_hours(experiment) == pytest.approx(5 * 40 / a_minute / 60)


def test_experiments_are_of_counted_networks_with_epochs():
    adds = records.read(training_time.SIZES)["values"]["multiply_adds"]
    for experiment in training_time.EXPERIMENTS:
        assert set(experiment.runs) <= set(adds) & set(training_time.EPOCHS)
    rows = training_time.plan_rows()
    assert int(rows[-1]["trainings"]) == sum(int(row["trainings"]) for row in rows[:-1])


def test_a_grid_counts_runs_and_the_time_of_those_that_say_it():
    def run(**provenance):
        return RunResult({}, [], {}, provenance)

    grid = training_time.grid_of({"a": run(cpu_seconds=3600.0), "b": run(cpu_seconds=1800.0), "c": run()}, 10)
    assert grid == Grid(10, 3, 1.5, 2)
    assert grid.whole == pytest.approx(7.5)
    assert training_time.grid_of({}, 4).whole is None


def test_a_grid_without_runs_is_shown_as_nothing_and_leaves_the_whole_open():
    rows = training_time.grid_rows({"a": Grid(10, 2, 1.5, 2), "b": Grid(4, 0, 0.0, 0)})
    expected = "CPU hours of the whole grid, expected"
    assert [row[expected] for row in rows] == ["7.5", NOTHING, NOTHING]
    assert (rows[1]["CPU hours recorded"], rows[-1]["CPU hours recorded"]) == (NOTHING, "1.5")
    assert (rows[-1]["runs"], rows[-1]["recorded"]) == ("14", "2")


def test_all_described_runs_are_counted_and_shared_ones_once():
    found = training_time.grids()
    described = sweeps.runs(sweeps.description("002"))
    assert list(found) == list(dict.fromkeys(name.partition("/")[0] for name in described))
    assert sum(grid.described for grid in found.values()) == len({config.hash for config in described.values()})
    # Cross-entropy on the ordinary faces at N = 8 is both a loss and an N.
    assert (found["nhot"].described, found["losses"].described) == (30, 27)
    assert found["losses"].recorded == len(sweeps.load("002", "losses")) - 3


def test_a_training_step_keeps_what_a_count_by_hand_says():
    """A layer of 3 inputs: Adam's four numbers a weight; of each picture its inputs and the probabilities wait."""
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 8))
    few, more = (memory_need._waiting(model, torch.zeros(count, 3, 2, 2)) for count in (2, 4))
    # 12 pixels and 8 logarithms of probabilities in 4 bytes, a target in 8.
    assert (more - few) / 2 == 12 * 4 + 8 * 4 + 8
    found = memory_need.needed("vgg16_48", 48, 8)
    assert found["weights"] == pytest.approx(16 * 14_718_792 / 2**20)
    recorded = records.read(memory_need.RECORD)["values"]["VGG16, faces"]
    assert found["picture"] == pytest.approx(recorded["picture"]) and training_time.NEEDS == memory_need.RECORD


def test_pictures_fill_half_a_card():
    need = {"weights": 100, "picture": 10, "side": 1}
    assert training_time.pictures_at_once(need, 400) == 10 and training_time.pictures_at_once(need, 418) == 10
    assert training_time.pictures_at_once(need, 420) == 11 and training_time.pictures_at_once(need, 100) == 0
    lines = training_time.memory_rows()
    assert [line["network"] for line in lines] == list(memory_need.COUNTED)
