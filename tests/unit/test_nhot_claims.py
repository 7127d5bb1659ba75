"""Checks of paper 002: each family against a slow literal twin; missing seeds; transcribed tables side by side."""

import inspect
import math
import re
import sys
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from types import SimpleNamespace

import numpy as np
import pytest

from ferbook.claims import ablation_variants, dataset_summary, mutation, printed, verdicts
from ferbook.claims.checks import known_checks
from ferbook.claims.claim import Evidence, Verdict
from ferbook.core import paths, records
from ferbook.core.errors import FerbookError
from ferbook.datasets import affectnet
from ferbook.faces.emotions import EMOTIONS
from ferbook.learning import configs
from ferbook.papers.nhot import checks, curves, run_checks, settings, vote_checks
from tests.unit.claiming import ends, judged, student
from tests.unit.test_nhot import FACES, grid, literally_right, run

STATED = {one.id: one for one in verdicts.load_claims("002").claims}


# --- tables as data ---


def test_the_accuracies_are_those_of_tables_2_and_3():
    table = printed.table("002-table2")
    stated = dict(zip(table["training set"], table["highest accuracy (%)"], strict=True))
    for key, row in zip(("rotate10", "rotate20", "rotate30", "rotate40", "rotate-random"), stated, strict=True):
        assert printed.cell("002-accuracies", f"vgg16-{key}", "accuracy (%)") == stated[row]
        assert printed.cell("002-accuracies", f"vgg16-{key}", "training set") == row
    for network in ("RAN", "MTEN"):
        for suffix, column in (("", "original"), ("-augmented", "augmented")):
            key = network.lower() + suffix
            assert printed.cell("002-accuracies", key, "accuracy (%)") == printed.cell(
                "002-table3", network, f"{column} accuracy (%)"
            )


def test_every_cell_that_follows_from_others_is_a_claim():
    for _, row in printed.table("002-table2").iterrows():
        key = "random" if "RR" in row["training set"] else re.search(r"\d+", row["training set"])[0]
        assert STATED[f"002-table2-epochs-{key}"].printed == row["epochs above 85 %"]
    for network in ("RAN", "MTEN"):
        assert STATED[f"002-table3-{network.lower()}"].printed == printed.cell(
            "002-table3", network, "increment (points)"
        )
    for name, depth in printed.row("002-figure3", "weight layers").iloc[1:].items():
        assert STATED[f"002-fig3-{name.lower()}"].printed == depth
    for name, operations in printed.row("002-figure5", "operations").iloc[2:].items():
        depth = name.partition("-")[0]
        assert f"{STATED[f'002-flops-resnet{depth}'].printed}e9" == operations
        assert STATED[f"002-fig5-depth-{depth}"].printed == depth
    sides = printed.table("002-figure5")["output size"][:5]
    assert [STATED[f"002-fig5-side-{k}"].printed for k in range(1, 6)] == list(sides)


TABLES = sorted(path.stem for path in (paths.project_root() / "data" / "claims" / "tables").glob("002-*.csv"))
MODULES = {known_checks()[one.check].__module__ for one in STATED.values()}
#: What claims hand to their checks, and the modules of these, which name some tables themselves.
USED = [str(one.arguments) for one in STATED.values()] + [inspect.getsource(sys.modules[name]) for name in MODULES]


@pytest.mark.parametrize("name", TABLES)
def test_every_table_is_there_and_read_for_a_claim(name):
    assert not printed.table(name).empty
    assert re.search(rf"{name}\b", " ".join(USED))


def test_a_claim_has_a_verdict_or_says_what_it_waits_for():
    for result in verdicts.judge(STATED.values(), dataset_summary.recorded()):
        open_ = result.verdict is Verdict.UNCHECKED
        if result.claim.kind == "trained":
            waits = re.fullmatch(
                rf"[0-9] of {ablation_variants.SEEDS} seeds (is|are) recorded|undecided: .*", result.outcome.detail
            )
            assert open_ == bool(waits)
        else:
            assert open_ == (result.claim.kind == "unsupported"), result.claim.id


# --- printed numbers ---


@pytest.mark.parametrize(
    ("one", "other"), [("90.0", "90.04"), ("90.0", "90.06"), ("90.04", "90.0"), ("35000", "35000"), ("7", "7.6"),
                       ("0.5", "0.6"), ("86.06", "86.17"), ("20", "20"), ("90.06", "90.0"), ("95.78", "95.79")]
)  # fmt: skip
def test_two_places_agree_if_one_number_can_be_printed_as_both(one, other):
    """Twin: a fine grid of numbers, each rounded to the digits of both, half a digit upwards."""
    places = max(len(text.partition(".")[2]) for text in (one, other)) + 2
    first, last = (int((Decimal(one) + sign).scaleb(places)) for sign in (-1, 1))
    grid_points = (Decimal(k).scaleb(-places) for k in range(first, last))
    possible = any(
        all(point.quantize(Decimal(text), ROUND_HALF_UP) == Decimal(text) for text in (one, other))
        for point in grid_points
    )
    found = judged("printed again", one, value=other, where="there")
    assert found.verdict is (Verdict.HOLDS if possible else Verdict.CONTRADICTS)
    assert f"{other} in there" == found.outcome.detail
    # What stands there is found; where it has fewer digits and agrees, the number that it can stand for.
    coarser = len(other.partition(".")[2]) < len(one.partition(".")[2])
    assert found.outcome.value == float(one if coarser and possible else other)


@pytest.mark.parametrize(
    ("other", "verdict"),
    [("95.78", Verdict.HOLDS), ("95.79", Verdict.ROUGHLY), ("95.77", Verdict.ROUGHLY), ("95.80", Verdict.CONTRADICTS)],
)
def test_one_apart_holds_roughly_where_the_claim_allows_it(other, verdict):
    found = judged("printed again", "95.78", tolerance=(0.005, 0.01001), value=other, where="there")
    assert found.verdict is verdict and found.outcome.value == float(other)


def test_small_sums_by_hand():
    assert judged("names counted", "2", names=["a", "b"]).verdict is Verdict.HOLDS
    assert judged("names counted", "3", names=["a", "b"]).verdict is Verdict.FAILS
    assert judged("per cent of", "30", part=3, whole=10).outcome.value == 30
    assert judged("copies of a set", "4", copies=[1, 1, 2]).outcome.value == 4
    assert judged("copies of a set", "3", copies=[1, 1, 4], before=[1, 1]).outcome.value == 3
    assert judged("halved side", "7", side=224, times=5).outcome.value == 224 / 2 / 2 / 2 / 2 / 2
    found = judged("printed difference", "0", "more than", first="76.9", second="66.3", where="w")
    assert found.outcome.value == pytest.approx(10.6)


def test_best_row_is_that_of_a_loop():
    table = printed.table("002-table2")
    for column in table.columns[1:]:
        best, top = "", -math.inf
        for _, row in table.iterrows():
            if float(row[column]) > top:
                best, top = row["training set"], float(row[column])
        assert judged("best row", best, table="002-table2", column=column).verdict is Verdict.HOLDS


def test_best_row_names_all_that_tie():
    found = judged("best row", "first and second", table="002-table6", column="happiness")
    assert found.outcome.value == "first and second"


def test_rows_in_order_and_cells_that_agree_are_those_of_a_loop():
    high, low = columns = "highest accuracy (%)", "75th percentile (%)"
    pairs = printed.table("002-table2")[[*columns]].to_numpy().tolist()
    count = sum(float(one) >= float(other) for one, other in pairs)
    for wanted, larger, smaller in ((count, high, low), (0, low, high)):
        found = judged("rows in order", str(wanted), table="002-table2", larger=larger, smaller=smaller)
        assert found.verdict is Verdict.HOLDS
    cells = 0
    for platform in printed.table("002-table1")["platform"]:
        for column in ("platform", "GPU card"):
            cells += printed.cell("002-table1", platform, column) == printed.cell("002-table4", platform, column)
    assert judged("cells that agree", "6", tables=["002-table1", "002-table4"]).outcome.value == cells == 6


def test_largest_of_accuracies():
    found = judged("largest of accuracies", "86.17", rows=["vgg16-mse", "vgg16-mse-augmented", "vgg16-rotate20"])
    assert found.outcome.value == max(85.00, 86.17, 86.06)
    assert found.outcome.detail.startswith("section 4.3.3")


def test_layers_with_weights_are_counted():
    # The depths that VGG's configurations A, A-LRN, B, C, D and E are known by, and that of ResNet-34: one layer at the
    # start, two per block of 3, 4, 6 and 3, one at the end.
    names = printed.table("002-figure3").columns[1:]
    depths = [judged("weight layers", "1", table="002-figure3", column=name).outcome.value for name in names]
    assert depths == [11, 11, 13, 16, 16, 19]
    assert judged("weight layers", "34", table="002-figure5", column="34-layer").outcome.value == 34


def test_multiply_adds_are_those_of_a_loop_and_of_the_built_networks():
    """Twin: ResNet-18 written out; networks as built have 8 outputs, and ResNet-50 halves later in each block."""
    total = 112**2 * 7 * 7 * 3 * 64
    maps = 64
    for side, width in ((56, 64), (28, 128), (14, 256), (7, 512)):
        for block in range(2):
            for _ in range(2):
                total += side**2 * 9 * (maps if _ == 0 and block == 0 else width) * width
            if maps != width:
                total += side**2 * maps * width
            maps = width
    total += 512 * 1000
    assert checks.multiply_adds("18-layer") == total

    built = records.read("002/architectures")["values"]["multiply_adds_224"]
    fewer = 1000 - len(EMOTIONS)
    assert checks.multiply_adds("18-layer") - 512 * fewer == built["resnet18"]
    assert checks.multiply_adds("34-layer") - 512 * fewer == built["resnet34"]
    later = sum(
        3 * side**2 * before * width for side, before, width in ((28, 256, 128), (14, 512, 256), (7, 1024, 512))
    )
    assert checks.multiply_adds("50-layer") - 2048 * fewer + later == built["resnet50"]
    assert judged("operations of figure 5", "1.8", "about", column="18-layer").outcome.value == total / 1e9


@pytest.mark.parametrize("row", ["B", "C"])
def test_cleaned_cells_are_votes_over_their_sum(row):
    votes = [int(printed.cell("002-figure16-votes", row, name)) for name in EMOTIONS]
    same = 0
    for name, count in zip(EMOTIONS, votes, strict=True):
        cell = printed.cell("002-figure16-shares", row, name)
        digits = len(cell.partition(".")[2])
        same += f"{count / sum(votes):.{digits}f}" == cell
    found = judged("cleaned cells", "8", table="002-figure16-shares", row=row, votes="002-figure16-votes")
    assert found.outcome.value == same == 8
    # A vote elsewhere moves two shares.
    moved = judged("cleaned cells", "8", table="002-table6", row="first", votes=[5, 5, 0, 0, 0, 0, 0, 0, 0, 0])
    assert moved.outcome.value == 6


@pytest.mark.parametrize("seed", range(20))
def test_a_percentile_bounds_a_count(seed, monkeypatch):
    """Twin: of forty accuracies the check accepts the count that they have, whatever the draw."""
    curve = np.random.default_rng(seed).normal(85, 0.5, 40)
    table = printed.table("002-table2").iloc[:1].assign(**{"75th percentile (%)": f"{np.percentile(curve, 75):.4f}"})
    monkeypatch.setattr(printed, "table", lambda name: table)
    count = sum(value > 85 for value in curve)
    row, relation = table["training set"].iloc[0], "at most" if np.percentile(curve, 75) > 85 else "at least"
    found = judged("epochs that a percentile allows", str(count), relation, row=row, threshold=85, epochs=40)
    assert found.verdict is Verdict.HOLDS


@pytest.mark.parametrize(
    ("row", "relation", "count", "verdict"),
    [
        ("B+F+R±10°", "at least", "10", Verdict.HOLDS),
        ("B+F+R±10°", "at least", "11", Verdict.CONTRADICTS),
        ("B+F+R±20°", "at most", "10", Verdict.HOLDS),
        ("B+F+R±20°", "at most", "9", Verdict.CONTRADICTS),
    ],
)
def test_epochs_that_a_percentile_allows(row, relation, count, verdict):
    found = judged("epochs that a percentile allows", count, relation, row=row, threshold=85, epochs=40)
    assert found.verdict is verdict
    other = {"at least": "at most", "at most": "at least"}[relation]
    with pytest.raises(FerbookError, match="bounds the other side"):
        judged("epochs that a percentile allows", count, other, row=row, threshold=85, epochs=40)


@pytest.mark.parametrize("size", [7, 200, 3479, 3539, 5000])
@pytest.mark.parametrize("text", ["85.00", "86.17", "88.6", "0", "100"])
def test_a_share_of_whole_faces_is_one_that_some_count_gives(size, text):
    """Twin: every count, as a decimal number, rounded and cut off."""
    places = Decimal(1).scaleb(-len(text.partition(".")[2]))
    shares = [Decimal(100 * k) / size for k in range(size + 1)]
    rounded = any(
        # An exact half may go either way.
        share.quantize(places, ROUND_HALF_UP) == Decimal(text) or abs(share - Decimal(text)) == places / 2
        for share in shares
    )
    assert checks.is_share_of(size, text) == rounded
    cut = any(share.quantize(places, ROUND_DOWN) == Decimal(text) for share in shares)
    assert checks.is_share_of(size, text, cut=True) == cut


def test_accuracies_of_one_test_set_tries_every_size():
    names = ["vgg16-mse", "vgg16-rotate20", "dan"]
    texts = [printed.cell("002-accuracies", name, "accuracy (%)") for name in names]
    best = 0
    for size in range(3500, 3520):
        for cut in (False, True):
            best = max(best, sum(checks.is_share_of(size, text, cut=cut) for text in texts))
    found = judged("accuracies of one test set", "3", rows=names, sizes=[3500, 3519])
    assert found.outcome.value == best
    # With as many faces as there are hundredths of a per cent everything fits.
    assert judged("accuracies of one test set", "3", rows=names, sizes=[10_000, 10_000]).outcome.value == 3


def test_implied_drop_by_hand():
    found = judged("implied drop", "20", "about", rows=["vgg16-rotate20"], gain=[2, 4], complex=[54, 56])
    # At least 86.06 - 4 - 56, at most 86.06 - 2 - 54: the middle, with half of the range as what is left open.
    assert found.outcome.value == pytest.approx((26.06 + 30.06) / 2)
    assert "26.1 to 30.1 points remain" in found.outcome.detail
    assert found.verdict is Verdict.CONTRADICTS
    allowed = {"relation": "about", "tolerance": (2.0, 2.5), "rows": ["vgg16-rotate20"]}
    for asked, verdict in (("26.1", Verdict.HOLDS), ("25.8", Verdict.ROUGHLY), ("25.5", Verdict.CONTRADICTS)):
        assert judged("implied drop", asked, **allowed, gain=[2, 4], complex=[54, 56]).verdict is verdict


def test_a_drop_changes_by_what_gains_differ():
    arguments = {"complex": 10, "ordinary": [2, 4]}
    assert judged("implied change of the drop", "7", **arguments).verdict is Verdict.HOLDS
    assert judged("implied change of the drop", "0", tolerance=(6, 8.5), **arguments).verdict is Verdict.ROUGHLY
    assert judged("implied change of the drop", "0", tolerance=(6, 6.5), **arguments).verdict is Verdict.CONTRADICTS


def test_times_by_hand():
    seconds = [7 * 60 + 9, 6 * 60 + 37, 5 * 60 + 25]
    assert judged("minutes an epoch", "6", of="mean").outcome.value == pytest.approx(sum(seconds) / 3 / 60)
    assert judged("minutes an epoch", "6", of="furthest").outcome.value == pytest.approx(seconds[0] / 60)
    assert judged("minutes an epoch", "8", of="furthest").outcome.value == pytest.approx(seconds[2] / 60)
    # Ten runs of 100 epochs: three machines share a thousand epochs so that all end at once.
    weeks = judged("weeks of training", "2", settings=["5 a", "2 b"], epochs=100).outcome.value
    done = sum(weeks * 7 * 24 * 3600 / one for one in seconds)
    assert done == pytest.approx(1000)


def test_networks_by_parameters():
    # 14,718,792 and 11,180,616 (tests of models); MobileNet has about three million.
    names = ["vgg16_48", "mobilenet", "resnet18"]
    assert judged("fewest parameters", "MobileNet", networks=names).verdict is Verdict.HOLDS
    assert judged("fewest parameters", "ResNet-18", networks=names).verdict is Verdict.FAILS
    found = judged("parameters of one in another", "1", "more than", first="vgg16_48", second="resnet18")
    assert found.outcome.value == pytest.approx(1.32, abs=0.02)


def test_share_of_a_record():
    values = records.read("faces/detection")["values"]["by_pose"]
    upright, tilted = (values[name]["faces"] for name in ("upright", "tilted"))
    keys = [["by_pose", name, "faces"] for name in ("upright", "tilted")]
    found = judged("share of a record", "50", "more than", record="faces/detection", part=keys[0], whole=keys, of="x")
    assert found.outcome.value == pytest.approx(100 * upright / (upright + tilted))
    assert found.outcome.evidence is Evidence.SAME_DATA


# --- recorded runs ---


@pytest.fixture
def recorded(monkeypatch):
    """Sets what is recorded, and described, group by group."""

    def put(**groups):
        monkeypatch.setattr(run_checks, "recorded_runs", lambda group: groups.get(group, {}))
        described = {
            f"{group}/{name}": configs.parse(one.config) for group, runs in groups.items() for name, one in runs.items()
        }
        monkeypatch.setattr(run_checks, "described_runs", lambda: described)

    return put


def trained(check, printed_value="0", relation="more than", **arguments):
    return judged(check, printed_value, relation, "trained", **arguments)


def literal_gain(runs, kind, start, end, seed):
    before, after = (literally_right(runs[f"{kind}-n{n}-seed{seed}"]) for n in (start, end))
    return 100 * (sum(after) - sum(before)) / FACES


#: What three labels gain on complex faces.
GAIN = {"kind": "complex", "start": 1, "end": 3}


@pytest.fixture
def complex_gain(recorded):
    """Runs over N are recorded: their mean gain on complex faces and half of its interval."""
    runs = grid()
    recorded(nhot=runs)
    return student(literal_gain(runs, "complex", 1, 3, seed) for seed in (0, 1, 2))


WAITING = [
    ("recorded n-hot gain", GAIN),
    ("recorded n-hot contrast", {"more": ["complex", 1, 3], "less": ["ordinary", 1, 3]}),
    ("recorded n-hot plateau", {"kind": "ordinary", "start": 1, "end": 3}),
    ("recorded n-hot drop", {}),
    ("recorded n-hot measure", {"measure": "choice"}),
    ("recorded spread", {}),
    ("recorded recall", {"emotion": "contempt", "kind": "ordinary", "n": 3}),
]


@pytest.mark.parametrize(("check", "arguments"), WAITING)
@pytest.mark.parametrize("seeds", [(), (0,), (0, 1)])
def test_runs_over_n_wait_for_three_seeds(recorded, check, arguments, seeds):
    runs = grid(seeds)
    for one in runs.values():
        one.metrics["test"]["recall"] = [0.5] * 8
    recorded(nhot=runs)
    found = trained(check, **arguments)
    assert found.verdict is Verdict.UNCHECKED
    assert (
        found.outcome.detail
        == f"{len(seeds)} of {ablation_variants.SEEDS} seeds {'is' if len(seeds) == 1 else 'are'} recorded"
    )


def test_a_gain_is_the_mean_over_pairs_of_one_seed(recorded):
    runs = grid()
    recorded(nhot=runs)
    found = trained("recorded n-hot gain", "-100", **GAIN)
    mean, interval = ends([literal_gain(runs, "complex", 1, 3, seed) for seed in (0, 1, 2)])
    assert found.outcome.value == pytest.approx(mean)
    assert "3 seeds, 95% interval " + interval in found.outcome.detail
    epochs = next(iter(runs.values())).config["epochs"]
    assert f"294,896 parameters, not the paper's; {epochs} epochs" in found.outcome.detail
    assert found.outcome.evidence is Evidence.SAME_DATA
    assert found.verdict is Verdict.HOLDS
    assert trained("recorded n-hot gain", "90", "at least", **GAIN).verdict is Verdict.FAILS


def test_runs_of_the_papers_network_go_first_once_there_are_enough(recorded):
    small, large = grid(), grid(seeds=(0, 1, 2, 3), kinds=("ordinary",))
    for one in large.values():
        one.config["model"] = {"name": "vgg16_48", "options": {}, "weights": None}
    arguments = GAIN | {"kind": "ordinary"}
    recorded(nhot=small, vgg16={name: one for name, one in large.items() if name.endswith(("seed0", "seed1"))})
    assert "not the paper's" in trained("recorded n-hot gain", **arguments).outcome.detail
    recorded(nhot=small, vgg16=large)
    detail = trained("recorded n-hot gain", **arguments).outcome.detail
    assert "VGG16" in detail and "4 seeds" in detail and "not the paper's" not in detail
    # On complex faces only the small one has runs.
    assert "not the paper's" in trained("recorded n-hot gain", **GAIN).outcome.detail


def mten(epochs=20):
    """Runs of MTEN over N, which answer as the small network does."""
    runs = grid(seeds=(0, 1, 2))
    for one in runs.values():
        one.config.update(model={"name": "mten", "options": {}, "weights": None}, epochs=epochs, loss="mse")
        one.metrics["test"]["recall"] = [0.25] * 8
    return runs


def about_mten(check, **arguments):
    about = {"networks": ["mten"], "loss": "mse", "epochs": 40}
    if check == "recorded n-hot plateau":
        return judged(check, "yes", "equals", "trained", about=about, within=100, **arguments)
    return judged(check, "-100", "more than", "trained", about=about, **arguments)


@pytest.mark.parametrize(("check", "arguments"), WAITING)
def test_a_claim_is_decided_by_the_runs_of_the_network_that_it_names(recorded, check, arguments):
    small = grid()
    for one in small.values():
        one.metrics["test"]["recall"] = [0.5] * 8
    recorded(nhot=small, vgg16=small, mten=mten())
    found = about_mten(check, **arguments)
    assert found.outcome.trained.networks == ("mten",) and not found.departures
    # Too short a training decides nothing, and neither does a group with too few seeds.
    recorded(nhot=small, mten=mten(epochs=19))
    assert about_mten(check, **arguments).departures
    recorded(nhot=small, mten={name: one for name, one in mten().items() if "seed2" not in name})
    assert about_mten(check, **arguments).outcome.trained.networks == ("compact",)


def best_added(runs):
    """Points that the best epoch on the test faces lies above what counts, by literal arithmetic."""
    best = [100 * max(entry["test_accuracy"] for entry in run.history) for run in runs]
    return [top - 100 * run.metrics["test_accuracy"] for top, run in zip(best, runs, strict=True)]


def test_one_setting_with_three_seeds_tells_how_far_seeds_spread(recorded):
    """Of the network that the claim names, whatever else is recorded of it so far."""
    large = mten()
    one = {name: run for name, run in large.items() if name.startswith("ordinary-n3-")}
    for number, each in enumerate(one.values()):
        each.history[-1]["test_accuracy"] += 0.05 + number / 100
    begun = {name: run for name, run in large.items() if name in ("ordinary-n1-seed0", "complex-n3-seed1")}
    accuracies = [literal_accuracy(one, "ordinary-n3", seed) for seed in (0, 1, 2)]
    for runs in (one, one | begun):
        recorded(nhot=grid(), mten=runs)
        spread, choice = about_mten("recorded spread"), about_mten("recorded n-hot measure", measure="choice")
        for found in (spread, choice):
            assert found.outcome.trained.networks == ("mten",) and found.outcome.trained.splits == ("ordinary",)
            assert "1 combination of test set" in found.outcome.detail
        assert spread.outcome.value == pytest.approx(np.std(accuracies, ddof=1))
        assert choice.outcome.value == pytest.approx(np.mean(best_added(one.values())))


def test_a_spread_is_undecided_where_its_interval_has_room_for_both(recorded):
    recorded(nhot=grid(), mten={name: run for name, run in mten().items() if name.startswith("ordinary-n3-")})
    found = about_mten("recorded spread")
    low, high = map(float, found.outcome.detail.rpartition("interval ")[2].split(" to "))
    for asked, verdict in (
        (low - 0.1, Verdict.HOLDS),
        ((low + high) / 2, Verdict.UNCHECKED),
        (high + 0.1, Verdict.FAILS),
    ):
        about = {"networks": ["mten"], "loss": "mse", "epochs": 40}
        assert judged("recorded spread", f"{asked:.3f}", "at least", "trained", about=about).verdict is verdict


def test_a_measure_comes_from_runs_that_have_it(recorded):
    """Runs without a curve on the test faces, or without three common seeds, leave the small network's to be seen."""
    bare, apart = mten(), {name: run for name, run in mten().items() if name.startswith("ordinary-n3-")}
    for entry in (entry for each in bare.values() for entry in each.history):
        entry.pop("test_accuracy", None)
    like = next(iter(apart.values())).config
    for name, each in grid(seeds=(1, 2, 3)).items():
        if name.startswith("ordinary-n1-"):
            each.config.update(like | {key: each.config[key] for key in ("labels", "seed")})
            apart[name] = each
    for runs in (bare, apart):
        recorded(nhot=grid(), mten=runs)
        found = about_mten("recorded n-hot measure", measure="choice")
        assert found.outcome.trained.networks == ("compact",) and found.departures


@pytest.mark.parametrize("relation", ["more than", "less than", "at least", "at most"])
def test_larger_or_smaller_is_undecided_where_the_interval_has_room_for_both(complex_gain, relation):
    mean, half = complex_gain
    for share, inside in ((-1.1, False), (-0.9, True), (0.0, True), (0.9, True), (1.1, False)):
        found = trained("recorded n-hot gain", f"{mean + share * half:.3f}", relation, **GAIN)
        assert (found.verdict is Verdict.UNCHECKED) == inside
        assert found.outcome.detail.startswith(f"undecided: {mean:.1f}; ") == inside


def literal_verdict(distance, holds, roughly):
    return Verdict.HOLDS if distance <= holds else Verdict.ROUGHLY if distance <= roughly else Verdict.FAILS


@pytest.mark.parametrize("share", [-3.0, -1.5, -0.5, 0.0, 0.7, 1.5, 3.0])
@pytest.mark.parametrize("allowed", [(0.1, 0.2), (0.6, 0.9), (0.9, 1.2), (1.6, 4.5)])
def test_a_size_is_undecided_where_the_interval_reaches_beyond_what_is_allowed(complex_gain, share, allowed):
    """Twin: many numbers of the interval, each judged by its distance; shares and tolerances count half intervals."""
    mean, half = complex_gain
    asked, (holds, roughly) = f"{mean + share * half:.4f}", (limit * half for limit in allowed)
    found = trained("recorded n-hot gain", asked, "about", tolerance=(holds, roughly), **GAIN)
    everywhere = {
        literal_verdict(abs(place - float(asked)), holds, roughly)
        for place in np.linspace(mean - half, mean + half, 4001)
    }
    if Verdict.FAILS in everywhere and len(everywhere) > 1:
        assert found.verdict is Verdict.UNCHECKED
        assert found.outcome.detail.startswith(f"undecided: {mean:.1f}; ")
    else:
        assert found.verdict is literal_verdict(abs(mean - float(asked)), holds, roughly)


def test_a_contrast_is_one_gain_less_another_seed_by_seed(recorded):
    runs = grid()
    recorded(nhot=runs)
    found = trained("recorded n-hot contrast", "-100", more=["complex", 1, 3], less=["ordinary", 1, 3])
    pairs = [[literal_gain(runs, kind, 1, 3, seed) for kind in ("complex", "ordinary")] for seed in (0, 1, 2)]
    mean, interval = ends([a - b for a, b in pairs])
    assert found.outcome.value == pytest.approx(mean)
    assert interval in found.outcome.detail


def test_a_plateau_is_an_interval_close_around_none(recorded):
    shapes = {"flat": lambda n: 0.6, "steep": lambda n: 0.3 + 0.2 * n}
    found = {}
    for name, share in shapes.items():
        runs = {f"ordinary-n{n}-seed{s}": run("ordinary", n, s, share=share(n)) for n in (1, 3) for s in (0, 1, 2)}
        mean, half = student(literal_gain(runs, "ordinary", 1, 3, seed) for seed in (0, 1, 2))
        recorded(nhot=runs)
        for within in (abs(mean) + 0.9 * half, abs(mean) + 1.1 * half):
            close = -within <= mean - half and mean + half <= within
            expected = "yes" if close else None if abs(mean) <= half else "no"
            arguments = GAIN | {"kind": "ordinary", "within": within}
            judgement = trained("recorded n-hot plateau", "yes", "equals", **arguments)
            assert judgement.outcome.value == expected
            assert judgement.outcome.detail.startswith("undecided: ") == (expected is None)
            found[name, close] = expected
    # Noise alone confirms nothing.
    assert found == {("flat", True): "yes", ("flat", False): None, ("steep", True): "yes", ("steep", False): "no"}


def test_the_drop_that_counts_is_that_of_the_worst_n(recorded):
    runs = grid(seeds=(0, 1, 2, 3))
    del runs["complex-n3-seed3"]
    recorded(nhot=runs)

    def right(kind, n, seed):
        return sum(literally_right(runs[f"{kind}-n{n}-seed{seed}"]))

    drops = {
        n: [100 * (right("ordinary", n, seed) - right("complex", n, seed)) / FACES for seed in (0, 1, 2)]
        for n in (1, 3)
    }
    means = {n: sum(values) / 3 for n, values in drops.items()}
    least, most = sorted(means, key=means.get)
    assert means[least] < means[most]
    for asked, relation, n in (("-100", "more than", least), ("100", "less than", most)):
        found = trained("recorded n-hot drop", asked, relation)
        mean, interval = ends(drops[n])
        assert found.outcome.value == pytest.approx(mean)
        assert f"N = {n}, furthest" in found.outcome.detail
        assert interval in found.outcome.detail
    # As large as at one N is not as large at the other.
    found = trained("recorded n-hot drop", f"{means[most]:.3f}", "about", tolerance=(100, 100))
    assert found.outcome.value == pytest.approx(means[least])


def test_a_measure_is_averaged_over_all_variants(recorded):
    runs = grid()
    recorded(nhot=runs)
    found = trained("recorded n-hot measure", measure="kl")
    literal = [
        sum(runs[f"{kind}-n{n}-seed{seed}"].metrics["test"]["kl"] for kind in curves.KINDS for n in (1, 3)) / 4
        for seed in (0, 1, 2)
    ]
    assert found.outcome.value == pytest.approx(sum(literal) / 3)
    # Every one of these runs has its best epoch on test two points above the chosen one.
    assert trained("recorded n-hot measure", measure="choice").outcome.value == pytest.approx(2)


def test_the_spread_pools_variances_of_seeds(recorded):
    runs = grid()
    recorded(nhot=runs)
    variances = []
    for kind in curves.KINDS:
        for n in (1, 3):
            shares = [100 * sum(literally_right(runs[f"{kind}-n{n}-seed{seed}"])) / FACES for seed in (0, 1, 2)]
            mean = sum(shares) / 3
            variances.append(sum((share - mean) ** 2 for share in shares) / 2)
    found = trained("recorded spread")
    assert found.outcome.value == pytest.approx(math.sqrt(sum(variances) / 4))


def test_recall_is_that_of_the_named_emotion(recorded):
    runs = grid()
    for place, one in enumerate(runs.values()):
        one.metrics["test"]["recall"] = [0.9] * 7 + [place / 100]
    recorded(nhot=runs)
    found = trained("recorded recall", "50", "less than", emotion="contempt", kind="ordinary", n=3)
    literal = [100 * runs[f"ordinary-n3-seed{seed}"].metrics["test"]["recall"][7] for seed in (0, 1, 2)]
    assert found.outcome.value == pytest.approx(sum(literal) / 3)
    assert found.verdict is Verdict.HOLDS


def with_network(network, epochs, seeds=(0, 1, 2), loss="mse"):
    return {
        f"ordinary-seed{seed}": run(n=8, seed=seed, model={"name": network}, epochs=epochs, loss=loss,
                                    data={"name": "ferplus"})
        for seed in seeds
    }  # fmt: skip


def test_a_level_needs_the_papers_network_and_its_epochs(recorded):
    about = {"networks": ["vgg16", "vgg16_48"], "epochs": 40, "splits": ["ordinary"], "side": 48}
    arguments = {"n": 8, "about": about}
    for runs in (
        with_network("compact", 40),
        with_network("vgg16_48", 6),
        with_network("vgg16_48", 19),
        with_network("vgg16_48", 40, (0, 1)),
    ):
        recorded(some=runs)
        assert trained("recorded accuracy", "86.06", "about", **arguments).verdict is Verdict.UNCHECKED
    recorded(some=with_network("vgg16_48", 20))
    assert trained("recorded accuracy", "0", **arguments).verdict is Verdict.HOLDS, "half of the length decides"
    runs = with_network("vgg16_48", 40)
    recorded(other=with_network("compact", 40), some=runs)
    found = trained("recorded accuracy", "0", **arguments)
    best = [max(100 * entry["test_accuracy"] for entry in one.history) for one in runs.values()]
    assert found.outcome.value == pytest.approx(sum(best) / 3)
    chosen = sum(100 * one.metrics["test_accuracy"] for one in runs.values()) / 3
    assert f"with {chosen:.2f} if chosen on validation" in found.outcome.detail
    for field, value in (("loss", "mae"), ("splits", ["complex"]), ("side", 224)):
        asked = {**arguments, "about": {**about, field: value}}
        assert trained("recorded accuracy", "0", **asked).verdict is Verdict.UNCHECKED
    assert trained("recorded accuracy", "0", **arguments, augmented=True).verdict is Verdict.UNCHECKED
    assert trained("recorded accuracy", "0", **arguments, augmented=False).verdict is Verdict.HOLDS


def test_a_recipe_that_breaks_down_is_not_counted(recorded):
    about = {"networks": ["vgg16_48"], "epochs": 40, "splits": ["ordinary"], "side": 48}
    recorded(**{run_checks.BREAKING_DOWN[0]: with_network("vgg16_48", 40)})
    found = trained("recorded accuracy", "0", n=8, about=about)
    assert found.verdict is Verdict.UNCHECKED and found.outcome.detail == "0 of 3 seeds are recorded"


def test_the_groups_that_are_not_counted_are_described():
    groups = {name.partition("/")[0] for name in run_checks.described_runs()}
    assert groups >= set(run_checks.BREAKING_DOWN)


def test_a_verdict_names_network_length_and_loss():
    few = with_network("vgg16_48", 6)
    told = run_checks.network_of(few)
    assert told == "VGG16 of 294,896 parameters; 6 epochs of the paper's 40; mean squared error"
    assert "of the paper's" not in run_checks.network_of(with_network("vgg16_48", 40))
    assert "not the paper's; 6 epochs;" in run_checks.network_of(with_network("compact", 6))
    mixed = {**few, **{f"other-{name}": one for name, one in with_network("vgg16_48", 6, loss="mae").items()}}
    assert run_checks.network_of(mixed).endswith("of the paper's 40")
    assert run_checks.network_of({}) == ""


def losses(seeds=(0, 1, 2)):
    shares = {"mse": 0.8, "mae": 0.5, "cross_entropy": 0.7}
    return {
        f"ordinary-{loss}-seed{s}": run(seed=s, share=share, loss=loss) for loss, share in shares.items() for s in seeds
    }


def literal_accuracy(runs, label, seed):
    return 100 * sum(literally_right(runs[f"{label}-seed{seed}"])) / FACES


def test_a_difference_of_settings_pairs_seeds(recorded):
    runs = losses()
    recorded(losses=runs)
    pair = {"group": "losses", "first": "ordinary-mse", "second": "ordinary-mae"}
    found = trained("recorded difference", **pair)
    values = [literal_accuracy(runs, "ordinary-mse", s) - literal_accuracy(runs, "ordinary-mae", s) for s in (0, 1, 2)]
    mean, interval = ends(values)
    assert found.outcome.value == pytest.approx(mean)
    assert interval in found.outcome.detail
    del runs["ordinary-mae-seed1"]
    assert trained("recorded difference", **pair).outcome.detail.startswith("2 of 3")


def test_a_claim_about_runs_that_nobody_describes_is_an_error(recorded):
    recorded(losses=losses())
    with pytest.raises(FerbookError, match="no runs are called 'ordinary-focal'"):
        trained("recorded difference", group="losses", first="ordinary-mse", second="ordinary-focal")


def test_best_and_range_need_every_described_setting(recorded, monkeypatch):
    runs = losses()
    recorded(losses=runs)
    means = {
        label: sum(literal_accuracy(runs, label, seed) for seed in (0, 1, 2)) / 3
        for label in ("ordinary-mse", "ordinary-mae", "ordinary-cross_entropy")
    }
    best, worst = max(means, key=means.get), min(means, key=means.get)
    called = {label: settings.words("losses", label.removeprefix("ordinary-")) for label in means}
    found = judged("recorded best", called[best], claim_kind="trained", group="losses")
    assert found.verdict is Verdict.HOLDS
    second = sorted(means, key=means.get)[-2]
    ahead = [literal_accuracy(runs, best, seed) - literal_accuracy(runs, second, seed) for seed in (0, 1, 2)]
    mean, interval = ends(ahead)
    assert mean - (float(interval.split()[-1]) - mean) > 0
    assert f"{mean:.1f} points above {called[second]}; 3 seeds, 95% interval {interval}" in (found.outcome.detail)
    assert judged("recorded best", "mean absolute error", claim_kind="trained", group="losses").verdict is Verdict.FAILS
    spread = trained("recorded range", "1", "at least", group="losses")
    assert spread.outcome.value == pytest.approx(means[best] - means[worst])
    # One setting's third seed is missing: no verdict on any.
    fewer = {name: one for name, one in runs.items() if name != "ordinary-mae-seed2"}
    monkeypatch.setattr(run_checks, "recorded_runs", lambda group: fewer)
    for check in ("recorded best", "recorded range"):
        found = judged(check, "1", claim_kind="trained", group="losses")
        assert found.verdict is Verdict.UNCHECKED
        assert found.outcome.detail == "2 of 3 seeds are recorded"


@pytest.mark.parametrize("claimed", ["mean squared error", "mean absolute error", "categorical cross-entropy"])
def test_nothing_is_best_by_noise(recorded, claimed):
    """Three settings that differ in nothing but the draw of their answers: whichever leads, none is the best."""
    runs = {
        f"ordinary-{loss}-seed{seed}": run(n=n, seed=seed, share=0.7, loss=loss)
        for n, loss in enumerate(("mse", "mae", "cross_entropy"), 1)
        for seed in (0, 1, 2)
    }
    recorded(losses=runs)
    found = judged("recorded best", claimed, claim_kind="trained", group="losses")
    assert found.verdict is Verdict.UNCHECKED
    assert found.outcome.detail.startswith("undecided: ")


def test_claims_on_runs_name_groups_that_are_described():
    labels = {}
    for name in run_checks.described_runs():
        group, _, rest = name.partition("/")
        labels.setdefault(group, set()).add(rest.rpartition("-seed")[0])
    asked = [one for one in STATED.values() if "group" in one.arguments]
    assert len(asked) >= 5
    for one in asked:
        wanted = {one.arguments[key] for key in ("first", "second") if key in one.arguments}
        if one.check == "recorded best":
            wanted |= {run_checks._variant_called(one.arguments["group"], one.printed)}
        assert wanted <= labels[one.arguments["group"]], one.id


def test_a_fact_that_a_set_of_faces_does_not_have_is_not_checkable():
    """Synthetic faces hold no picture twice: there is no second crowd to ask."""
    known = dataset_summary.Facts({"twin_same_winner": None}, Evidence.SYNTHETIC, {})
    (result,) = verdicts.judge([STATED["002-winner-of-ten"]], known)
    assert result.verdict is Verdict.UNCHECKED
    assert result.outcome.value is None


# --- verdicts of the claim file ---


def verdict_of(name):
    (result,) = verdicts.judge([STATED[name]], dataset_summary.recorded())
    return result.verdict


def test_every_trained_claim_says_what_it_is_about():
    networks = {"vgg16", "vgg16_48", "ran", "dan", "mten"}
    trained_claims = [one for one in STATED.values() if one.kind == "trained"]
    assert len(trained_claims) >= 30
    for one in trained_claims:
        assert one.about.networks and set(one.about.networks) <= networks, one.id
        assert one.about.epochs in (40, 60) and one.about.splits, one.id


def test_a_small_network_decides_nothing_about_the_papers():
    results = verdicts.judge([one for one in STATED.values() if one.kind == "trained"], dataset_summary.recorded())
    for result in results:
        if result.outcome.trained is not None and "compact" in result.outcome.trained.networks:
            assert result.verdict is (Verdict.UNCHECKED if result.outcome.value is None else Verdict.STAND_IN)
    # Three seeds of the runs over N are recorded.
    named = ("nhot-gain", "nhot-gain-complex", "nhot-fluctuation", "nhot-harder", "contempt", "seed-spread")
    for name in named:
        assert verdict_of(f"002-{name}") is Verdict.STAND_IN


def small_and_large(check, about, recorded, **arguments):
    """What a check says with runs of the small network, and with the same answers from the network that is meant."""
    found = []
    for network in ("compact", "vgg16_48"):
        runs = grid()
        for one in runs.values():
            one.config["model"] = {"name": network, "options": {}, "weights": None}
            one.config["epochs"] = 40
        recorded(nhot=runs)
        found.append(judged(check, claim_kind="trained", about=about, **arguments))
    return found


@pytest.mark.parametrize("relation", ["more than", "less than"])
def test_a_stand_in_is_shown_in_both_directions(recorded, relation):
    about = {"networks": ["vgg16_48"], "epochs": 40, "splits": ["complex"]}
    small, large = small_and_large("recorded n-hot gain", about, recorded, printed="-100", relation=relation, **GAIN)
    assert small.verdict is Verdict.STAND_IN and small.outcome.value == large.outcome.value
    assert large.verdict is (Verdict.HOLDS if relation == "more than" else Verdict.FAILS)


def test_a_stand_in_with_a_wide_interval_is_shown_as_well(recorded, complex_gain):
    """What is undecided about the network that is meant is what a stand-in found."""
    about = {"networks": ["vgg16_48"], "splits": ["complex"]}
    asked = GAIN | {"printed": f"{complex_gain[0]:.3f}", "relation": "more than"}
    small, large = small_and_large("recorded n-hot gain", about, recorded, **asked)
    assert (small.verdict, large.verdict) == (Verdict.STAND_IN, Verdict.UNCHECKED)
    assert large.outcome.undecided


def test_a_range_is_undecided_where_the_interval_crosses_an_end(complex_gain):
    mean, half = complex_gain
    ranges = [(mean + low * half, mean + high * half) for low, high in ((-2, 2), (-2, 0), (-0.1, 0.1), (2, 3))]
    asked = [f"{low:.3f} to {high:.3f}" for low, high in ranges]
    found = [trained("recorded n-hot gain", one, "between", **GAIN).verdict for one in asked]
    assert found == [Verdict.HOLDS, Verdict.UNCHECKED, Verdict.UNCHECKED, Verdict.FAILS]


#: Claims that were read again, by their verdict.
READ_AGAIN = {
    Verdict.HOLDS: """
        same-as-fer2013 simple-share-third about-mten whole-table2 implied-drop-dan implied-drop-mten
        memory-farm cites-vgg quoted-affectnet barsoum rare-votes announced inner references-order
    """,
    Verdict.ROUGHLY: """
        simple-share about-dan implied-drop-vgg16 implied-drop-ran drop-each
    """,
    Verdict.FAILS: """
        vgg16-augmented whole-vgg16 whole-all memory-own-pc vgg-depth cites-fer2013 cites-sfew
        cites-densenet quoted-fer2013 start-advanced advanced-structure
    """,
}


@pytest.mark.parametrize(
    ("name", "verdict"), [(name, verdict) for verdict, names in READ_AGAIN.items() for name in names.split()]
)
def test_verdicts_that_were_read_again(name, verdict):
    assert verdict_of(f"002-{name}") is verdict


def test_observations_of_the_book_are_not_the_papers():
    own = {name for name, one in STATED.items() if one.by == "book"}
    assert {"002-vgg16-augmented", "002-figures-mentioned", "002-loss-draw-gain"} <= own


def test_printed_numbers_that_move_change_their_verdict():
    known = dataset_summary.recorded()
    decided = verdicts.judge([one for one in STATED.values() if one.kind == "arithmetic"], known)
    assert mutation.weigh(decided, known).unmoved == {}


# --- references and parts ---


def test_rows_of_the_vote_table_are_counted_part_by_part(monkeypatch):
    read = records.read
    for by_part, missing in (([28709, 3589, 3589], 0), ([28709, 3589, 3580], 9), ([28800, 3500, 3589], 89)):
        counted = {"rows": sum(by_part), "rows_by_part": by_part, "unnamed": 0, "unnamed_no_face": 0, "stand_twice": 0}
        other = {dataset_summary.TABLE_RECORD: {"values": counted}}
        monkeypatch.setattr(records, "read", lambda name, other=other: other.get(name) or read(name))
        assert judged("missing from fer2013", "0").outcome.value == missing


def test_a_reference_is_found_by_its_title_or_not_at_all():
    assert judged("reference that introduced", "7", subject="FER2013").verdict is Verdict.HOLDS
    wrong = judged("reference that introduced", "4", subject="FER2013")
    assert wrong.verdict is Verdict.FAILS and wrong.outcome.value == "7"
    assert "federated learning" in wrong.outcome.detail
    assert judged("reference that introduced", "24", subject="DenseNet").outcome.value == "none"
    assert wrong.evidence == Evidence.PUBLISHED


def test_every_source_has_a_claim():
    for _, line in printed.table("002-sources").iterrows():
        one = STATED[f"002-cites-{line['subject'].lower()}"]
        assert one.printed == line["cited as"] and one.where == line["where"]


def test_parts_of_the_report_are_those_of_a_loop():
    table = printed.table("002-announced")
    right = sum(int(line["announced"]) == line["follow"].count(";") + 1 for _, line in table.iterrows())
    assert judged("announced parts that follow", str(right)).verdict is Verdict.HOLDS
    assert judged("announced parts that follow", str(right - 1)).verdict is Verdict.CONTRADICTS
    assert judged("figures that are mentioned", "40").outcome.detail == "of 43; not: figure 6, figure 8, figure 19"
    assert judged("references that are cited", "29").verdict is Verdict.HOLDS


def test_last_taggers_are_a_difference():
    curve = dataset_summary.recorded().values["agreement_with_second_crowd"]
    found = judged("last taggers", "2", "less than", fact="agreement_with_second_crowd", last=3)
    assert found.outcome.value == pytest.approx(100 * (curve[9] - curve[6]))
    known = dataset_summary.Facts({"agreement_with_second_crowd": None}, Evidence.SYNTHETIC, {})
    (result,) = verdicts.judge([STATED["002-taggers-flat"]], known)
    assert result.verdict is Verdict.UNCHECKED


def test_an_accuracy_takes_the_place_that_higher_ones_leave_it():
    others = {"a": 90.0, "b": 80.0, "c": 95.5}
    for accuracy, place in ((96, "best"), (95, "second"), (85.0, "third"), (79, "fourth")):
        found = judged("place among published accuracies", place, accuracy=accuracy, others=others)
        assert found.verdict is Verdict.HOLDS and found.outcome.evidence is Evidence.PUBLISHED
    many = {str(value): value for value in range(60, 70)}
    for accuracy, place, known in ((80.0, "best", {"b": 80.0}), (50, "place 11", many)):
        found = judged("place among published accuracies", place, accuracy=accuracy, others=known)
        assert found.verdict is Verdict.HOLDS


def test_the_data_set_with_most_rare_emotions_decides():
    few, many = {"disgust": 1, "neutral": 99}, {"fear": 5, "contempt": 6, "happiness": 89}
    found = judged("rare emotions elsewhere", "10", "at most", counted={"few": few, "many": many})
    assert found.verdict is Verdict.FAILS and found.outcome.value == pytest.approx(11)
    theirs = affectnet.TRAINING_FACES
    found = judged("rare emotions elsewhere", "10", "at most", counted={"few": few})
    assert found.outcome.value == pytest.approx(
        100 * (theirs["disgust"] + theirs["fear"] + theirs["contempt"]) / sum(theirs.values())
    )


@pytest.mark.parametrize(
    ("gain", "verdict"),
    [
        ((0.2, 0.1, 0.3), Verdict.HOLDS),
        ((-0.2, -0.3, -0.1), Verdict.FAILS),
        ((0.1, -0.1, 0.3), Verdict.UNCHECKED),
    ],
)
def test_what_annotators_meet_more_often_is_the_better_label(monkeypatch, gain, verdict):
    shared = {"faces": 10, "majority": 0.8, "annotator": 0.7, "label": 0.6, "gain": {"majority": gain}}
    read = SimpleNamespace(read=lambda name: {"values": {"shared": shared}})
    monkeypatch.setattr(vote_checks, "records", read)
    assert judged("label that annotators meet", "better").verdict is verdict
