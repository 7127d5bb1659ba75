"""Verdicts on paper 001 that were corrected, and the checks of its text, groups and references, each with a twin."""

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torchvision.models import vgg16

from ferbook.claims import dataset_summary, mutation, printed, verdicts
from ferbook.claims.claim import Evidence, Verdict
from ferbook.papers.relevance import tables, text_checks
from ferbook.relevance import ranks
from tests.unit.claiming import lines, stated
from tests.unit.test_relevance_tables import STATED, one_claim, outcome, verdict

#: Checks whose twins are among the tests below.
TWINNED = (
    "means of two-digit numbers",
    "pictures a table needs",
    "a fifth of the pictures",
    "rows alike",
    "matrix exists",
    "undecided majorities",
    "value left out",
    "fullest group",
    "scores in two groups",
    "group by the formula",
    "memory to train vgg16",
    "pictures of another table",
    "reference names",
    "year of a reference",
    "authors of a reference",
    "references by",
    "titles alike",
)


def test_the_checks_with_twins_here_are_used():
    assert {claim.check for claim in STATED} >= set(TWINNED)


# --- fair words: what of one paper excludes itself, and what others know better ---

CONTRADICTIONS = (
    "jaffe-total",
    "jaffe-test",
    "seven-emotions",
    "fear-11-mu3",
    "surprise-240-mu2",
    "surprise-240-rank",
    "rule-as-printed",
    "positive-only",
    "groups-range",
    "groups-overlap",
    "annotator-count",
    "f1-table6-disgust-minimal",
    "mean-table6-precision",
    "text-affectnet-surprise-accuracy",
    "data-three-sets",
    "caption-table-5",
    "reference-40-ck",
)


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_places_of_the_paper_that_exclude_each_other(name):
    claim = one_claim(name)
    assert claim.by == "paper" and outcome(claim).evidence is Evidence.ARITHMETIC
    assert verdict(claim) is Verdict.CONTRADICTS


def test_a_reference_that_names_no_data_set_is_another_work_and_no_contradiction():
    assert verdict(one_claim("reference-35-jaffe")) is Verdict.FAILS
    assert outcome(one_claim("reference-35-jaffe")).value == "Lyons et al. 1998"


def test_only_an_outside_fact_fails_a_claim_of_this_paper():
    for claim in STATED:
        if verdict(claim) is Verdict.FAILS:
            assert outcome(claim).evidence is Evidence.PUBLISHED, claim.id


def test_a_point_between_thousands_is_no_failure():
    claim = one_claim("gpu-memory")
    with torch.device("meta"):  # without memory for the weights
        network = vgg16(num_classes=7)
    head = sum(weight.numel() for weight in network.classifier.parameters())
    weights = sum(weight.numel() for weight in network.parameters()) + 3 * head
    assert outcome(claim).value == pytest.approx(4 * weights / 2**20) and verdict(claim) is Verdict.HOLDS
    # Read as a decimal point, the number is too small for the network.
    assert verdict(claim.model_copy(update={"printed": "9.063"})) is Verdict.FAILS


def test_around_is_not_a_share_of_an_accuracy():
    for name, expected in (("anger", Verdict.HOLDS), ("happy", Verdict.ROUGHLY), ("surprise", Verdict.HOLDS)):
        assert verdict(one_claim(f"text-affectnet-{name}")) is expected
    assert all(claim.tolerance for claim in STATED if claim.relation == "about" and "accuracy" in claim.says)


def test_every_verdict_by_arithmetic_bears_weight():
    results, broken = verdicts.survey(STATED, dataset_summary.recorded())
    assert not broken and mutation.weigh(results, dataset_summary.recorded()).unmoved == {}


def test_matrices_are_held_against_the_printed_values():
    """What is printed stands in the table; what the other column leaves has a matrix; and it is forced where 1 is 1."""
    matrices = [claim for claim in STATED if claim.check == "matrix exists"]
    assert len(matrices) == 10
    for claim in matrices:
        table, emotion, column = (claim.arguments[key] for key in ("table", "emotion", "column"))
        rows = tables.scores(table)
        rows = rows[rows["emotion"] == emotion]
        assert claim.printed == ", ".join(f"{value:.2f}" for value in rows[column])
        assert verdict(claim) is Verdict.CONTRADICTS
        left = str(outcome(claim).value)
        assert left != claim.printed and verdict(claim.model_copy(update={"printed": left})) is Verdict.HOLDS


def test_what_the_other_column_leaves_with_a_pencil():
    assert tables.left_by_others([0.6, 1, 1], [1, 1, 1]).tolist() == [1, 1, 1]
    assert tables.left_by_others([0.8, 0.88, 0.8], [1, 1, 0.8]).tolist() == [0.8, 0.88, 1]
    assert tables.left_by_others([0.5, 0.5, 1], [0.5, 1, 0.5]).tolist() == [0.5, 0.5, 1]


# --- groups, rows, pictures, references ---


def test_bounds_of_groups_by_the_list_and_by_the_formula():
    listed = {score: text_checks._groups_of(score) for score in (0.0, 0.05, 0.2, 0.3, 1.0)}
    assert listed == {0.0: ["1"], 0.05: ["1"], 0.2: ["3"], 0.3: ["3", "4"], 1.0: ["10"]}
    assert outcome(one_claim("groups-overlap")).detail == "0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9"
    assert verdict(one_claim("groups-range", printed="no group")) is Verdict.HOLDS
    inside = one_claim("groups-range", printed="group 10", arguments={"score": 0.95})
    assert verdict(inside) is Verdict.HOLDS


def test_the_value_that_a_row_leaves_out_is_known_where_an_outer_group_is_empty(monkeypatch):
    found = [missing for table in tables.COUNT_TABLES for missing in tables.left_out(table).values()]
    assert found.count("minimum") == 1 and found.count("either") == 15
    rows = pd.DataFrame(
        {"image": ["a", "b"], **{f"group_{k}": ["1", "1"] for k in range(1, 10)}, "group_10": ["0", "2"]}
    )
    monkeypatch.setattr(printed, "table", lambda name: rows)
    assert tables.left_out("any") == {"a": "maximum", "b": "either"}


def test_a_scaled_picture_fills_both_outer_groups_unless_an_end_is_left_out():
    """The claim behind `left_out`: `scaled` leaves the minimum out, so the last group always holds something."""
    scores = ranks.scaled(np.random.default_rng(0).normal(size=(20, 50)))
    counts = ranks.histogram(scores)
    assert (counts.sum(axis=1) == 49).all() and (counts[:, -1] >= 1).all()


@pytest.mark.parametrize(("share", "pictures"), [(1.0, 1), (0.5, 2), (0.67, 3), (0.85, 13), (0.88, 8), (0.77, 13)])
def test_the_fewest_pictures_of_a_printed_share(share, pictures):
    fits = [n for n in range(1, 60) for k in range(n + 1) if abs(k / n - share) <= 0.005 + 1e-9]
    assert tables.fewest_pictures(share) == min(fits) == pictures


def test_pictures_that_the_tables_need():
    assert tables.needed_pictures("001-table7") == {
        "Anger": 3, "Fear": 2, "Disgust": 4, "Happy": 4, "Sadness": 5, "Surprise": 5
    }  # fmt: skip
    assert tables.needed_pictures("001-table6")["Anger"] == 13 + 10 + 1
    assert verdict(one_claim("data-kdef-even-fifth")) is Verdict.HOLDS


def test_majorities_of_ten_that_settle_nothing():
    answers = itertools.product("abc", repeat=10)
    ways = {tuple(sorted(one.count(letter) for letter in "abc")) for one in answers}
    tied = [way for way in ways if way[2] == way[1]]
    assert sum(len(set(itertools.permutations(way))) for way in tied) == outcome(one_claim("annotator-ties")).value == 6


def test_references_are_transcribed_and_compared():
    by_number = {line["number"]: line for line in lines("001-references")}
    assert outcome(one_claim("reference-23-et-al")).value == int(by_number["23"]["authors"]) == 1
    assert not any(word in by_number["35"]["title"] for word in ("JAFFE", "Japanese"))
    assert not {"Simonyan", "Zisserman"} & {line["first_author"] for line in by_number.values()}
    assert printed.table("001-references")["number"].tolist() == [str(k) for k in range(1, 41)]
    assert outcome(one_claim("reference-alike")).detail == "22 (Ikromovich) and 35 (Akhand)"
    assert outcome(one_claim("reference-40-ck")).value == 2008 < int(printed.cell("001-references", "33", "year"))
    assert verdict(one_claim("reference-33-ck")) is Verdict.HOLDS
    assert verdict(one_claim("reference-vgg")) is Verdict.HOLDS


def test_counts_of_ck_are_three_times_the_sequences():
    claim = one_claim("data-ck-thrice")
    assert sum(claim.arguments["sequences"].values()) * 3 == 327 * 3 == 981
    assert outcome(claim).value == 7
    other = {**claim.arguments, "each": 2}
    assert outcome(claim.model_copy(update={"arguments": other})).value == 0


def test_pictures_of_figure_12_beside_table_4():
    there = {(line["image"].split("_")[0], line["rank"]) for line in lines("001-table4")}
    assert sum((line["emotion"], line["rank"]) in there for line in lines("001-figure12")) == 2
    assert outcome(one_claim("caption-figure-12")).value == 2


def test_rows_of_two_tables_that_are_alike():
    one, other = (
        {line["class"]: (line["precision"], line["recall"], line["f1"]) for line in lines(table)}
        for table in ("001-table6", "001-table8")
    )
    assert one.pop("average") != other.pop("average")
    assert sum(one[name] == other[name] for name in one) == outcome(one_claim("same-rows")).value == 9


def test_the_fullest_group_of_every_row():
    shares = []
    for table in tables.COUNT_TABLES:
        for line in lines(table):
            groups = [int(line[f"group_{k}"]) for k in range(1, 11)]
            shares.append(100 * max(groups) / sum(groups))
    assert outcome(one_claim("fullest-group")).value == pytest.approx(min(shares)) and 93 < min(shares) < 94


def test_a_fifth_of_whatever_is_meant():
    claim = one_claim("jaffe-test")
    assert outcome(claim).value == pytest.approx(30 / 5) and "36 of all pictures" in outcome(claim).detail
    assert verdict(claim.model_copy(update={"printed": "36"})) is Verdict.HOLDS
    assert verdict(claim.model_copy(update={"printed": "6"})) is Verdict.HOLDS


@pytest.mark.parametrize(
    ("curve", "said"), [([0.6, 0.7, 0.8], "on 60.0%, the commonest answer of 3"), (None, "printed")]
)
def test_ten_annotators_beside_one_are_shown_and_decide_nothing(curve, said):
    facts = dataset_summary.recorded()
    values = {**facts.values, "agreement_with_second_crowd": curve}
    claim = stated("001-x", printed="higher", check="ten annotators or one")
    (found,) = verdicts.judge([claim], replace(facts, values=values))
    assert found.verdict is Verdict.UNCHECKED and said in found.outcome.detail
