"""The ten findings: numbers against slow twins that read the records by themselves, figures with and without runs."""

import csv
import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from statsmodels.stats.proportion import proportion_confint

from ferbook.book import findings
from ferbook.claims import dataset_summary, printed, verdicts
from ferbook.core import paths
from ferbook.core.errors import ConfigError
from ferbook.measures import intervals
from ferbook.papers.relevance import tables
from ferbook.papers.vad import findings as vad_findings

DATA = paths.project_root() / "data"


def record(name):
    return json.loads((DATA / "recorded" / f"{name}.json").read_text())["values"]


def test_slopes_are_told_by_their_interval():
    change = {"zero": (0, 0, 0), "lower": (-2, -3, -1), "higher": (2, 1, 3), "unclear": (0.1, -1, 1)}
    axes = {name: dict(zip(("estimate", "low", "high"), ends, strict=True)) for name, ends in change.items()}
    found = vad_findings.Slope({"table": {"valence": axes["zero"], "arousal": axes["lower"]}}, {"soft": axes}, 5)
    assert found.tally("printed") == (1, 1, 0)
    assert found.tally("smooth") == (1, 1, 1)
    assert (found.comparisons("printed"), found.comparisons("smooth")) == (2, 4)


def test_the_recorded_printed_costs_change_nothing():
    """As the mathematics has it; a record where they do would mean that something else differs between the runs."""
    found = vad_findings.slope()
    assert found.tally("printed")[0] == found.comparisons("printed") > 0
    variants = record("003/ablation")["differences"]["tuned, all"]
    assert set(found.printed) | set(found.smooth) == set(variants) and not set(found.printed) & set(found.smooth)
    rows = vad_findings.draw_slope(found).axes[0].get_yticklabels()
    assert len(rows) == 3 * (len(found.printed) + 1)


def test_the_constant_is_the_recorded_one_and_the_rest_is_printed():
    found, values = vad_findings.constant(), record("003/annotations")
    moved = [log["spread"] / log["last"] for axis in values["logs"] if axis != "accuracy"
             for log in values["logs"][axis].values()]  # fmt: skip
    assert found.drift == max(moved)
    assert found.mean["arousal"] == values["published_scale"]["arousal"]["mean"]
    assert found.fourth["dominance"] == printed.cell("004-table3", "consistency", "dominance")
    heights = [[bar.get_height() for bar in bars] for bars in vad_findings.draw_constant(found).axes[0].containers]
    assert heights[0] == list(found.mean.values())


def test_obedience_is_drawn_for_each_category():
    found = vad_findings.obedience()
    heights = [[bar.get_height() for bar in bars] for bars in vad_findings.draw_obedience(found).axes[0].containers]
    assert heights[0] == [100 * one["obey"]["table"] for one in found["by_category"].values()]


def test_correlations_are_means_over_networks_and_no_rank_counts_as_none(monkeypatch):
    found, runs = findings.following(), record("001/intensity")["runs"]["trained"]
    values = [run["correlations"]["logit"]["spearman"] for run in runs]
    assert found.known["trained"]["logit"].estimate == pytest.approx(sum(values) / len(values))
    ranks = [m for m in runs[0]["correlations"] if m.startswith("rank")]
    means = [sum(run["correlations"][m]["spearman"] or 0 for run in runs) / len(runs) for m in ranks]
    assert found.best_rank().estimate == pytest.approx(max(means))
    alike = {"runs": {"trained": [{"correlations": {"rank (x)": {"spearman": None}, "logit": {"spearman": 0.5}}}] * 2}}
    monkeypatch.setattr(findings.records, "read", lambda name: {"values": alike})
    assert findings.following().best_rank().estimate == 0


def test_matrices_are_the_judged_ones():
    results = verdicts.judge(verdicts.load_claims("001").claims, dataset_summary.recorded())
    found = findings.matrices(results)
    assert all(0 <= some <= every for some, every in found.values())
    few = {r.claim.arguments["table"]: r.claim.arguments.get("faces") for r in results if "matrix" in r.claim.check}
    for table, name in tables.SCORE_TABLES.items():
        some, every = found[name]
        assert every - some == len(tables.impossible_matrices(table, few.get(table)))
    assert sum(every - some for some, every in found.values()) > 0
    assert len(findings.draw_matrices(found).axes[0].containers) == 2


def test_copies_are_shares_of_their_part():
    values = {"official_test": 200, "official_test_leaked": 10, "official_valid_leaked": 30}
    values |= {"faces_by_part": [0, 100, 0], "ordinary_test": 50, "ordinary_test_leaked": 1}
    (bars,) = findings.draw_copies(values).axes[0].containers
    assert [bar.get_height() for bar in bars] == [5, 30, 2]


def run(n, seed, accuracy, first, best=None, unseen=None):
    """The parts of a recorded run that the habits are read from."""
    metrics = {"test_accuracy": accuracy, "test": {"accuracy_first": first}, "parameters": 1000}
    if unseen is not None:
        metrics["test_accuracy_unseen"] = unseen
    config = {"split": {"kind": "ordinary"}, "labels": {"n_hot": n}, "seed": seed}
    history = [] if best is None else [{"test_accuracy": best}]
    return SimpleNamespace(config=config, metrics=metrics, history=history)


def test_habits_are_means_over_all_runs(monkeypatch):
    monkeypatch.setattr(findings.curves.configs, "parse", lambda c: SimpleNamespace(
        split=SimpleNamespace(**c["split"]), labels=SimpleNamespace(**c["labels"]), seed=c["seed"],
        model_dump=lambda mode: json.loads(json.dumps(c))))  # fmt: skip
    runs = {"a": run(1, 0, 0.80, 0.79, best=0.82), "b": run(1, 1, 0.80, 0.77, best=0.80), "c": run(3, 0, 0.9, 0.88)}
    found = findings.habits(runs)
    assert found["ties"][:3] == pytest.approx((2, 1, 3))
    assert found["choice"][:3] == pytest.approx((1, 0, 2))
    assert "duplicates" not in found
    assert len(findings.draw_habits(found, None).axes[0].get_yticklabels()) == 2


def test_findings_without_runs_say_so_and_draw():
    assert findings.habits({}) == {}
    findings.draw_habits({}, None)
    findings.curves.figure({"recorded": {}})


@pytest.fixture
def six(tmp_path, monkeypatch):
    """A table of counts as paper 000 prints them."""
    path = tmp_path / "counts.csv"
    path.write_text("emotion,TP,FP,FN,TN\nBahagia,3,0,0,3\nSedih,2,1,1,2\nMarah,2,0,1,3\n")
    monkeypatch.setattr(printed, "_path", lambda name: path)
    printed.table.cache_clear()
    yield path
    printed.table.cache_clear()


def test_a_few_faces_against_the_formula(six):
    found = findings.few()
    assert found.images == 6
    assert found.perfect == ["happiness"]
    assert found.f1 == pytest.approx({"happiness": 1, "sadness": 4 / 6, "anger": 4 / 5})
    for line, share in zip(csv.DictReader(six.read_text().splitlines()), found.recall.values(), strict=True):
        k, n = int(line["TP"]), int(line["TP"]) + int(line["FN"])
        assert share[1:3] == pytest.approx(proportion_confint(k, n, method="wilson"))
        assert isinstance(share, intervals.Interval)
    labels = [text.get_text() for text in findings.draw_few(found).axes[0].get_yticklabels()]
    assert "sadness, 2 of 3" in labels


def test_counts_of_different_images_are_refused(six):
    six.write_text("emotion,TP,FP,FN,TN\nBahagia,3,0,0,3\nSedih,2,1,1,3\n")
    with pytest.raises(ValueError, match=r"images: \[6, 7\]"):
        findings.few()


def test_students_are_drawn_split_by_split():
    found = findings.students()
    axis = findings.draw_students(found).axes[0]
    assert sum(patch.get_height() for patch in axis.patches) == len(found["repeated"]["ada_rf_exp"]["differences"])


def test_a_claim_that_is_gone_is_an_error():
    stated = verdicts.load_claims("002").claims[0]
    assert findings.printed_of(stated.id) == stated.printed
    with pytest.raises(ConfigError, match="no claim is called '002-no-such-claim'"):
        findings.printed_of("002-no-such-claim")


# --- the page ---

SOURCE = (Path(__file__).resolve().parents[2] / "book" / "verdicts" / "ten_findings.py").read_text()


def test_each_finding_has_one_figure_and_three_sentences():
    parts = re.split(r"^# ## ", SOURCE, flags=re.MULTILINE)[1:]
    chosen = [part for part in parts if "report.prose(" in part]
    assert len(chosen) == 10
    for part in chosen:
        assert part.count("mystnb=") == 1
        text = re.sub(r"\{[^{}]*\}", "N", re.search(r'report\.prose\(\s*f"""(.*?)"""', part, re.DOTALL)[1])
        text = " ".join(text.split()).replace("**", "")
        sentences = re.split(r"(?<=[a-z)])\. (?=[A-Z\d])|(?<=N)\. (?=[A-Z])", text)
        assert len(sentences) == 3, sentences


def test_no_number_of_a_finding_is_typed():
    """Digits outside of braces name papers, tables, equations, scores or the level of an interval, and nothing else."""
    for text in re.findall(r'report\.prose\(\s*f"""(.*?)"""', SOURCE, re.DOTALL):
        bare = re.sub(r"\{[^{}]*\}", "", text)
        allowed = r"[Pp]apers? \d{3}( and \d{3})*|table \d|F1 of 100 %|FER2013|gradient is 0"
        assert not re.search(r"\d", re.sub(allowed, "", bare)), bare


def test_what_vgg16_gives_photographs_is_what_its_record_holds():
    found, kept = findings.on_photographs(), record("001/vgg16-ferplus")["trained"]
    assert found.faces == kept["faces"]
    for name, counts in kept["ranks"].items():
        assert sum(counts) == found.faces
        assert found.alike[name] == sorted(counts)[-1] / found.faces
    assert found.logit.low <= found.logit.estimate == kept["correlations"]["logit"]["spearman"] <= found.logit.high
