"""Paper 000's tables against brute force, the checks that its claims name, and what is read off recorded runs."""

from __future__ import annotations

import itertools
import json
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score, roc_curve

from ferbook import (
    arms,
    cbam_record,
    cbam_results,
    cbam_tables,
    claims,
    facts,
    multilabel,
    paths,
    printed,
    records,
    report,
    sweeps,
)
from ferbook.cbam_tables import Counts
from ferbook.claims import Evidence, Verdict
from ferbook.emotions import EMOTIONS
from tests.conftest import needs_ferplus
from tests.unit.claiming import judged

# --- Tables 1 and 2 ---


def test_the_tables_have_the_seven_labels():
    for name in ("000-table1", "000-table2"):
        assert list(cbam_tables.counts(name)) == list(cbam_tables.LABELS.values())
    assert set(cbam_tables.LABELS.values()) == set(EMOTIONS) - {"contempt"}
    assert "Jijil" in printed.table("000-table2")["emotion"].tolist()


def test_printed_scores_follow_from_the_counts():
    for _, line in printed.table("000-table2").iterrows():
        tp, fp, fn = (int(line[key]) for key in ("TP", "FP", "FN"))
        again = cbam_tables.scores(Counts(tp, fp, fn, 0))
        twins = (Fraction(tp, tp + fp), Fraction(tp, tp + fn), Fraction(2 * tp, 2 * tp + fp + fn))
        for key, twin in zip(cbam_tables.SCORES, twins, strict=True):
            assert again[key] == pytest.approx(float(twin))
            assert f"{again[key]:.2f}" == line[key]


def all_rankings(of):
    """Every assignment of six scores to the images that some threshold cuts into these counts."""
    truth = np.array([True] * of.tp + [False] * of.fp + [True] * of.fn + [False] * of.tn)
    above = of.tp + of.fp
    high = itertools.product(range(above), repeat=above)
    for top in high:
        for low in itertools.product(range(len(truth) - above), repeat=len(truth) - above):
            yield np.array([10 + score for score in top] + list(low), dtype=float), truth


@pytest.mark.parametrize("counts", [Counts(2, 1, 1, 1), Counts(2, 0, 1, 2), Counts(1, 1, 1, 1), Counts(2, 0, 0, 2)])
def test_ranges_are_those_of_brute_force(counts):
    tried = list(all_rankings(counts))
    for kind in cbam_tables.KINDS:
        found = [multilabel.average_precision(scores, truth, kind) for scores, truth in tried]
        assert cbam_tables.average_precision_range(counts, kind) == pytest.approx((min(found), max(found)))
    areas = [roc_auc_score(truth, scores) for scores, truth in tried]
    assert cbam_tables.auroc_range(counts) == pytest.approx((min(areas), max(areas)))


def test_the_mean_average_precision_is_out_of_reach():
    lows = [cbam_tables.mean_average_precision_range(kind)[0] for kind in cbam_tables.KINDS]
    # Sadness: an image without it first, the missed one last; anger: two right, the missed one last.
    worst = (5 + (Fraction(1, 2) + Fraction(2, 3) + Fraction(3, 6)) / 3 + (2 + Fraction(3, 6)) / 3) / 7
    assert min(lows) == pytest.approx(float(worst)) and min(lows) > 0.897
    result = judged("mean average precision of the counts", "89.7")
    assert result.verdict is Verdict.FAILS and result.outcome.value == pytest.approx(100 * float(worst))
    assert judged("mean average precision of the counts", "92.0").verdict is Verdict.HOLDS
    low, high = cbam_tables.pooled_range()
    assert low < 0.897 < high


def test_pooled_range_has_the_right_ends():
    cells = Counts(*map(sum, zip(*cbam_tables.counts().values(), strict=True)))
    assert cells == (19, 1, 2, 20)
    least = (sum(Fraction(k, k + 1) for k in range(1, 20)) + Fraction(20, 41) + Fraction(21, 42)) / 21
    greatest = (19 + Fraction(20, 21) + Fraction(21, 22)) / 21
    assert cbam_tables.pooled_range() == pytest.approx((float(least), float(greatest)))


def test_chance_is_that_of_all_orders():
    found, first = [], 0
    for order in itertools.permutations([1, 1, 1, 0, 0, 0]):
        hits = [sum(order[: k + 1]) / (k + 1) for k in range(6) if order[k]]
        found.append(sum(hits) / 3)
        first += order[:3] == (1, 1, 1)
    assert cbam_tables.chance() == pytest.approx((np.mean(found), first / len(found)))


def test_hamming_loss_and_intervals():
    assert cbam_tables.hamming_loss() == (3, 42)
    sad = cbam_tables.sure(cbam_tables.counts()["sadness"])
    assert sad["recall"].estimate == pytest.approx(2 / 3) and sad["right"].estimate == pytest.approx(4 / 6)
    number = cbam_tables.images_for(0.95)
    z2 = 1.959963984540054**2
    assert number / (number + z2) >= 0.95 > (number - 1) / (number - 1 + z2)


# --- Checks ---


def test_every_claim_is_judged_and_each_contradiction_shows_both_values():
    results = claims.judge(claims.load_claims("000").claims, facts.recorded())
    assert all(result.verdict in Verdict for result in results)
    against = {result.claim.id: result for result in results if result.verdict is Verdict.CONTRADICTS}
    assert "000-anger-false-positives" in against
    # The paper does not say that its mAP and its split are about the images of table 1.
    fails = {result.claim.id for result in results if result.verdict is Verdict.FAILS}
    assert fails >= {"000-map-table1", "000-test-share"}
    assert all(result.outcome.value is not None and result.outcome.detail for result in against.values())


def test_checks_can_come_out_either_way():
    assert judged("images tested", "20", of=30).verdict is Verdict.HOLDS
    assert judged("images tested", "20", of=420_000).verdict is Verdict.FAILS
    assert judged("count of a label", "0", relation="more than", label="sadness", count="fp").verdict is Verdict.HOLDS
    assert judged("labels with counts", "4", tp=3).verdict is Verdict.FAILS
    assert judged("label with the lowest score", "anger", score="Recall").verdict is Verdict.FAILS
    assert judged("label with the lowest score", "sadness, anger", score="Recall").verdict is Verdict.HOLDS
    assert judged("score of counts", "0.81", label="anger", score="F1-Score").verdict is Verdict.FAILS
    assert judged("areas of one", "6", relation="at least").verdict is Verdict.FAILS
    assert judged("rows with a cell", "1", table="000-cited", column="listed", cell="yes").verdict is Verdict.HOLDS
    assert judged("expressions per AffectNet face", "1").outcome.evidence is Evidence.SAME_DATA
    assert judged("companions of a label", "anger, neutral", label="sadness").verdict is Verdict.FAILS
    assert judged("labels rarer than", "7", relation="less than", label="happiness").outcome.value == 5
    assert judged("precision less recall of counts", "0.33", label="anger").verdict is Verdict.HOLDS


# --- Recorded runs ---


def a_test(rng, faces=200):
    truth = rng.random((faces, 8)) < np.linspace(0.5, 0.1, 8)
    scores = np.clip(0.3 * truth + 0.7 * rng.random(truth.shape), 0, 1)
    return scores, truth


def result_of(scores, truth):
    test = json.loads(json.dumps(multilabel.evaluate(scores, truth).as_dict()))
    return SimpleNamespace(metrics={"test": test, "parameters": 1}, config={}, history=[])


def test_figures_of_seven_labels_leave_contempt_out():
    scores, truth = a_test(np.random.default_rng(0))
    result = result_of(scores, truth)
    places = [EMOTIONS.index(name) for name in cbam_results.LABELS]
    seven = multilabel.evaluate(scores[:, places], truth[:, places])
    for measure, found in (
        ("map", seven.mean_average_precision),
        ("auc", seven.macro_auroc),
        ("f1", seven.macro.f1),
        ("hamming", seven.hamming_loss),
        ("ap_anger", seven.average_precision[2]),
        ("recall_weak", (seven.per_label[1].recall + seven.per_label[2].recall) / 2),
    ):
        assert cbam_results.value(result, measure) == pytest.approx(100 * found)
    np.testing.assert_array_equal(cbam_results.confusion(result.metrics["test"]), seven.confusion)
    np.testing.assert_array_equal(cbam_results.pooled_confusion([result, result]), 2 * np.array(seven.confusion))
    assert cbam_record.mean_average_precision(scores, truth) == pytest.approx(seven.mean_average_precision)
    tied = np.round(scores, 1)
    known = multilabel.evaluate(tied[:, places], truth[:, places]).mean_average_precision
    assert cbam_record.mean_average_precision(tied, truth) == pytest.approx(known)


def test_differences_pair_seeds_and_say_nothing_from_too_few():
    rng = np.random.default_rng(1)
    runs = {}
    for seed in range(3):
        scores, truth = a_test(rng)
        runs[f"none-seed{seed}"] = result_of(scores, truth)
        runs[f"lr-third-seed{seed}"] = result_of(np.clip(scores + 0.2 * truth, 0, 1), truth)
    assert arms.names(runs) == ["none", "lr-third"]
    found = cbam_results.difference(runs, "lr-third", "none")
    each = [
        cbam_results.value(runs[f"lr-third-seed{seed}"], "map") - cbam_results.value(runs[f"none-seed{seed}"], "map")
        for seed in range(3)
    ]
    assert found.values == pytest.approx(each) and found.interval.estimate == pytest.approx(np.mean(each))
    assert arms.direction(found) == "better"
    assert arms.direction(cbam_results.difference(runs, "none", "lr-third")) == "worse"
    assert cbam_results.hardest(arms.arm(runs, "none"), "auc", 7) == tuple(
        sorted(
            cbam_results.LABELS,
            key=lambda name: cbam_results.estimate(arms.arm(runs, "none"), f"auc_{name}").mean,
        )
    )
    two = {name: run for name, run in runs.items() if "seed2" not in name}
    assert arms.direction(cbam_results.difference(two, "lr-third", "none")) is None
    assert cbam_results.difference(two, "other", "none") is None
    same = cbam_results.difference(runs, "none", "none")
    assert same.mean == 0 and arms.direction(same) is None
    assert "3 seeds" in arms.told(found) and arms.told(None) == report.NOTHING


def test_tables_stand_without_runs():
    assert cbam_results.rows({}, ("map",)) and cbam_results.difference_rows({}, "none", ("map",))
    assert len(cbam_results.label_rows({})) == len(cbam_results.LABELS) + 1


def test_curves_are_those_of_scikit_learn():
    scores, truth = a_test(np.random.default_rng(2), 500)
    found = cbam_results.curves(scores, truth)
    assert found.shape == (7, len(cbam_results.GRID))
    place = EMOTIONS.index("fear")
    false, true, _ = roc_curve(truth[:, place], scores[:, place])
    np.testing.assert_allclose(found[cbam_results.LABELS.index("fear")], np.interp(cbam_results.GRID, false, true))
    assert (np.diff(found, axis=1) >= 0).all() and (found[:, -1] == 1).all()
    area = np.trapezoid(found[0], cbam_results.GRID)
    assert area == pytest.approx(roc_auc_score(truth[:, 1], scores[:, 1]), abs=0.01)


def test_what_is_recorded_fits_what_is_described():
    described = sweeps.runs(sweeps.description("000"))
    assert {name.partition("/")[0] for name in described} == {"attention", "placement", "folds", "weak", "threshold"}
    for group in ("attention", "placement", "folds", "weak", "threshold"):
        for result in sweeps.load("000", group).values():
            assert result.provenance["data"] == "ferplus" and result.metrics["chosen_on"] == "valid"
    if records.path_of(cbam_record.CURVE_RECORD).is_file():
        kept = records.read(cbam_record.CURVE_RECORD)["values"]["roc"]
        for group, by_run in kept.items():
            runs = sweeps.load("000", group)
            for name, lines in by_run.items():
                areas = np.trapezoid(np.array(lines), cbam_results.GRID, axis=1)
                known = cbam_results.per_label(runs[name].metrics["test"], "auroc")
                np.testing.assert_allclose(areas, known, atol=0.01)


@needs_ferplus
def test_recorded_labels_are_those_of_ferplus(real_ferplus):
    stored = records.read(cbam_record.LABEL_RECORD)["values"]["3"]
    assert json.loads(json.dumps(cbam_record.label_facts(real_ferplus, 3))) == stored
    assert stored["folds"]["imbalance"] < 2 and stored["folds"]["pictures_in_two"] == 0
    assert stored["folds"]["pictures_in_two_shuffled"] > 0


def test_the_pages_show_every_claim():
    for claim in claims.load_claims("000").claims:
        page = (paths.project_root() / f"{claim.page.partition('#')[0]}.py").read_text(encoding="utf-8")
        groups = ("table2-",)
        group = next((start for start in groups if claim.id.startswith(f"000-{start}")), None)
        wanted = f'"{claim.id}"' if group is None else f'"000-{group}*"'
        assert wanted in page, claim.id


def test_one_reading_that_is_better_is_enough(monkeypatch):
    rng = np.random.default_rng(3)
    runs = {}
    for seed in range(3):
        scores, truth = a_test(rng)
        runs[f"none-seed{seed}"] = result_of(scores, truth)
        runs[f"up-seed{seed}"] = result_of(np.clip(scores + 0.2 * truth, 0, 1), truth)
        runs[f"down-seed{seed}"] = result_of(0.3 * scores + 0.7 * rng.random(scores.shape), truth)
        if seed:
            runs[f"late-seed{seed}"] = runs[f"up-seed{seed}"]
    monkeypatch.setattr(sweeps, "load", lambda paper, group: runs)

    def found(*arms, measure="map"):
        of = arms[0] if len(arms) == 1 else list(arms)
        result = judged(
            "multi-label difference", "better", claim_kind="trained", group=["x"], of=of, to="none", measure=measure
        )
        return result.outcome.value, result.verdict

    assert found("up") == ("better", Verdict.HOLDS)
    assert found("down") == ("worse", Verdict.FAILS)
    assert found("down", "up") == ("better", Verdict.HOLDS)
    # Two seeds are too few, and what is undecided keeps the rest from being a failure.
    assert found("late") == found("down", "late") == found("down", "absent") == (None, Verdict.UNCHECKED)
