"""What a run costs: counted from its network, its pictures and its epochs, and from nothing else."""

from __future__ import annotations

import pytest

from ferbook import models
from ferbook.core import operations
from ferbook.learning import configs, cost, sweeps

PLAIN = {"data": {"name": "ferplus"}, "model": {"name": "compact"}, "batch": 64, "epochs": 6}
SHOWN = cost.Shown(1000, 48, 1)


def run_of(**changes):
    return configs.parse({**PLAIN, **changes})


def test_operations_are_pictures_times_epochs_times_six_per_multiply_add():
    adds = models.multiply_adds("compact", 48, in_channels=1)
    assert operations.of_training(adds) == 6 * adds
    assert cost.of_run(run_of(), SHOWN) == 6 * 1000 * 6 * adds
    wide = models.multiply_adds("compact", 48, in_channels=1, width=1.5)
    assert cost.of_run(run_of(model={"name": "compact", "options": {"width": 1.5}}), SHOWN) == 6 * 1000 * 6 * wide


def test_smaller_pictures_at_first_cost_in_proportion_to_their_area():
    halves = run_of(early={"side": 24, "share": 0.5})
    assert cost.of_run(halves, SHOWN) == pytest.approx(cost.of_run(run_of(), SHOWN) * (0.5 + 0.5 / 4))


def test_the_last_step_of_an_epoch_counts_even_where_its_batch_is_not_full():
    assert cost.steps(run_of(), SHOWN) == 6 * 16


def test_a_start_is_a_training_of_its_own_and_counted_once():
    start = run_of(epochs=2)
    begun = [run_of(start=PLAIN | {"epochs": 2}, seed=seed) for seed in (0, 1)]
    assert cost.with_starts([*begun, start]) == [start, *begun]
    assert cost.of_run(begun[0], SHOWN) == cost.of_run(run_of(), SHOWN)


def test_a_timed_network_takes_its_own_share_and_one_of_which_nothing_is_known_the_mean():
    measured = cost.records.read(cost.SPEEDS)["values"]["networks"]
    shares = [entry["engine"]["matrix_share"] for entry in measured.values()]
    assert cost.source("compact") == "timed"
    assert cost.share("compact") == measured["compact"]["engine"]["matrix_share"]
    assert cost.source("unknown") == "others" and cost.share("unknown") == pytest.approx(sum(shares) / len(shares))
    expected = cost.of_run(run_of(), SHOWN) / 1e9 / (100 * cost.share("compact"))
    assert cost.seconds(run_of(), {"fp32": 100.0, "bf16": 1.0}, SHOWN) == pytest.approx(expected)


def test_recorded_runs_tell_what_share_a_network_reaches_that_was_not_timed():
    """MTEN reaches a third of the mean share: what it takes was once estimated by that."""
    described = sweeps.runs(sweeps.description("002"))
    took = {}
    for name, config in described.items():
        file = sweeps.record_path("002", name)
        if config.model.name == "mten" and sweeps.is_recorded(file, config):
            took[name] = sweeps.read(file).provenance["cpu_seconds"]
    assert took and cost.source("mten") == "runs"
    speeds = cost.records.read(cost.SPEEDS)["values"]
    cores = speeds["machine"]["cores"]
    expected = [cores * cost.seconds(described[name], speeds["matrix"]) for name in took]
    assert min(took.values()) <= expected[0] * 1.01 and expected[0] <= max(took.values()) * 1.01


def test_the_shares_are_those_of_the_project_at_hand(tmp_path, monkeypatch):
    assert cost.source("mten") == "runs"
    (tmp_path / "_config.yml").touch()
    (tmp_path / "data" / "sweeps").mkdir(parents=True)
    monkeypatch.setenv("FERBOOK_HOME", str(tmp_path))
    assert cost.source("mten") == "others" and cost.share("mten") == 1.0


def test_a_run_takes_the_products_and_the_share_of_its_own_precision():
    """Training in bfloat16 reaches less of a rate that is more than twice as high."""
    rates = {"fp32": 100.0, "bf16": 400.0}
    kinds = {precision: cost.kind_of(run_of(precision=precision), rates) for precision in ("32", "bf16", "auto")}
    assert kinds == {"32": "fp32", "bf16": "bf16", "auto": "bf16"}
    assert cost.kind_of(run_of(), {"fp32": 200.0, "bf16": 1.5}) == "fp32"
    measured = cost.records.read("runtime/training/avx-512-bf16")["values"]["networks"]["compact"]["engine"]
    assert cost.share("compact", "bf16") == measured["matrix_share"] != cost.share("compact")
    assert cost.seconds(run_of(), rates, SHOWN) == pytest.approx(
        cost.of_run(run_of(), SHOWN) / 1e9 / (400 * measured["matrix_share"])
    )
    assert cost.source("mten", "bf16") == "others", "its runs are in 32 bits"


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({"seed": 3}, True),
        ({"labels": {"n_hot": 1}, "loss": "mse", "epochs": 40, "model": {"name": "vgg16_48"}}, True),
        ({"data": {"name": "ferplus", "aligned": True}}, True),
        ({"split": {"kind": "complex"}}, False),
        ({"copies": {"kind": "ordinary"}}, False),
        ({"labels": {"repeat": {"anger": 2}}}, False),
        ({"choose_on": "last"}, False),
    ],
)
def test_what_decides_which_pictures_are_shown(changes, same):
    assert (cost._deciding(run_of(**changes)) == cost._deciding(run_of())) == same


def test_the_recorded_sizes_are_those_that_recorded_runs_learned_from():
    checked = 0
    for path in cost.described():
        for name, config in sweeps.runs(path).items():
            file, shown = sweeps.record_path(path.stem, name), cost.recorded(config)
            if shown is not None and sweeps.is_recorded(file, config):
                found = sweeps.read(file).metrics
                learned = found.get("with_copies", found.get("with_repeats", found["faces"]["train"]))
                assert shown.pictures == learned, name
                checked += 1
    assert checked > 100


def test_sizes_are_counted_on_the_data_at_hand(monkeypatch):
    """Of a set of its own: copies and repeated faces included, a config that was not counted unknown."""
    tiny = {"data": {"name": "synthetic", "options": {"count": 80}}, "labels": {"source": "truth"}}
    plain = cost._counted(configs.parse(tiny), None)
    assert (plain.side, plain.channels) == (48, 1) and 0 < plain.pictures < 80
    copied = cost._counted(configs.parse({**tiny, "copies": {"kind": "ordinary"}}), None)
    assert copied.pictures == 4 * plain.pictures
    assert cost._counted(configs.parse(tiny), {"faces": {"train": 7}}).pictures == 7
    assert cost.recorded(configs.parse(tiny)) is None
