"""A literal twin of each arithmetic check: slow, with a csv reader and plain numbers, compared on every claim.

A check that computes from printed text must have a twin here, or be compared with one in another file of tests.
"""

import itertools
import json
import math
import re
import statistics
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from ferbook.claims import dataset_summary, verdicts
from ferbook.claims.claim import NO_EVIDENCE, Evidence, Verdict
from ferbook.core import paths, records
from ferbook.faces.emotions import FER2013_CODES, VAD_AXES, VAD_POINTS, canonical
from tests.unit.claiming import judged_files, lines


def line(name, key):
    (found,) = [entry for entry in lines(name) if next(iter(entry.values())) == key]
    return found


def numbers(of):
    return [float(text) for text in of]


# --- sums, products, differences ---


def sum_of_row(table, row, but=()):
    return sum(int(text) for column, text in list(line(table, row).items())[1:] if column not in but)


def sum_of_column(table, column, but=()):
    return sum(float(entry[column]) for entry in lines(table) if next(iter(entry.values())) not in but)


def difference(table, first, second, **only_for_the_remark):
    one, other = (Decimal(line(table, row)[column]) for row, column in (first, second))
    return float(one - other)


def mean_of_column(table, column, scale=1):
    return scale * statistics.mean(numbers(e[column] for e in lines(table) if e["class"] != "average"))


def same_cells(tables):
    one, other = (lines(name) for name in tables)
    return sum(a[k] == b[k] for a, b in zip(one, other, strict=True) for k in list(a)[1:])


# --- votes ---


def clean(votes):
    """Section 3.3.1 of paper 002: unknown and not-a-face, then division by what is left."""
    return None if votes[8] + votes[9] > 3 else [share / sum(votes[:8]) for share in votes[:8]]


def cleaning(rule, votes):
    assert rule == "sum"
    return "dropped" if clean(votes) is None else "kept"


def normalised(votes):
    return " ".join(f"{share:g}" for share in clean(votes) if share)


def labels_removed(labels, n):
    return max(labels - n, 0)


# --- paper 000 ---

WORDS = {"happiness": "Bahagia", "sadness": "Sedih", "anger": "Marah", "fear": "Takut", "surprise": "Terkejut",
         "disgust": "Jijik", "neutral": "Netral"}  # fmt: skip


def score(label, score, scale=1):
    counted = line("000-table1", WORDS[label])
    tp, fp, fn = (int(counted[key]) for key in ("TP", "FP", "FN"))
    precision, recall = tp / (tp + fp), tp / (tp + fn)
    harmonic = 2 / (1 / precision + 1 / recall)
    return scale * {"Precision": precision, "Recall": recall, "F1-Score": harmonic}[score]


def same_counts():
    """Row by row: a label is spelt differently in table 2."""
    pairs = zip(lines("000-table1"), lines("000-table2"), strict=True)
    return sum(int(a[key]) == int(b[key]) for a, b in pairs for key in ("TP", "FP", "FN"))


def cross_entropy():
    """The formula is the logarithm of a product of independent probabilities, over the number of labels."""
    truth, probability = (1, 0, 0, 1), (0.8, 0.3, 0.6, 0.1)
    formula = -sum(y * math.log(p) + (1 - y) * math.log(1 - p) for y, p in zip(truth, probability, strict=True)) / 4
    return "yes" if math.isclose(formula, -math.log(0.8 * 0.7 * 0.4 * 0.1) / 4) else "no"


def judged_apart():
    """The first label's term is the same whatever the second label's probability is."""

    def loss(first, second):
        return -(math.log(first) + math.log(1 - second)) / 2

    return "yes" if math.isclose(loss(0.7, 0.1) - loss(0.2, 0.1), loss(0.7, 0.9) - loss(0.2, 0.9)) else "no"


# --- paper 001 ---

WINDOWS = {1: range(1, 6), 2: range(4, 9), 3: range(6, 11)}
NAMES = {1: "minimal", 2: "average", 3: "strong"}


def groups(entry):
    return {k: int(entry[f"group_{k}"]) for k in range(1, 11)}


def window_count(table, row, window):
    return sum(groups(line(table, row))[k] for k in WINDOWS[window])


def tabulated_rank(table, row):
    return NAMES[max(WINDOWS, key=lambda window: window_count(table, row, window))]


def ranked_by_mean(tables):
    """Every score stands in the middle of its group; the window with the largest mean wins."""
    right = 0
    for entry in (entry for table in tables for entry in lines(table)):
        scores = [(k - 0.5) / 10 for k, number in groups(entry).items() for _ in range(min(number, 2000))]
        means = {}
        for window, inside in WINDOWS.items():
            members = [s for s in scores if (inside[0] - 1) / 10 <= s <= inside[-1] / 10]
            means[window] = statistics.fmean(members) if members else -1
        right += NAMES[max(means, key=means.get)] == entry["rank"].lower()
    return right


def largest_mean(table, row):
    counted = {k: groups(line(table, row))[k] for k in WINDOWS[1]}
    return round(sum(number * k / 10 for k, number in counted.items()) / sum(counted.values()), 2)


def picture_side(table):
    """The smallest square colour picture that has as many values as a row counts."""
    return next(side for side in itertools.count(1) if 3 * side * side >= sum(groups(lines(table)[0]).values()))


def values_left_out(tables):
    return max(3 * side**2 - sum(groups(entry).values()) for t, side in tables.items() for entry in lines(t))


def f1(table, row):
    precision, recall = numbers(line(table, row)[key] for key in ("precision", "recall"))
    return 2 * precision * recall / (precision + recall)


ANSWERS = {"Min": "minimal", "Avg": "average", "Str": "strong"}


def answers(entry):
    return Counter(ANSWERS[entry[f"annotator_{k}"]] for k in range(1, 11))


def annotator_count(row, rank):
    return answers(line("001-table5", row))[rank]


def annotator_counts(but=()):
    pairs = [(e, rank) for e in lines("001-table5") for rank in ANSWERS.values() if [e["image"], rank] not in list(but)]
    return sum(answers(entry)[rank] == int(entry[rank]) for entry, rank in pairs)


def majorities():
    return sum(answers(entry).most_common(1)[0][0] == ANSWERS[entry["final"]] for entry in lines("001-table5"))


# --- papers 003 and 004 ---


def layer_amount(place, rule):
    entry = line("003-table2", place)
    if rule == "printed":
        return int(entry["amount"])
    if entry["operation"] == "conv":
        high, wide = entry["kernel"].split("*")
        amount = int(entry["inputs"]) * int(entry["outputs"]) * int(high) * int(wide)
        return amount / int(entry["stride"]) ** 2 if rule == "formula" else amount
    if entry["operation"] == "bn":
        return 2 * int(entry["outputs"])
    return int(entry["inputs"]) * int(entry["outputs"]) + int(entry["outputs"]) if entry["operation"] == "linear" else 0


def layers_amount(rule, scale=1):
    return scale * sum(layer_amount(entry["place"], rule) for entry in lines("003-table2") if entry["place"] != "total")


def layers_that_differ(rules):
    places = [entry["place"] for entry in lines("003-table2") if entry["place"] != "total"]
    return sum(layer_amount(place, rules[0]) != layer_amount(place, rules[1]) for place in places)


def cost(category, axis, sign):
    (asked,) = [entry[axis] for entry in lines("004-table1") if canonical(entry["category"]) == category]
    return int(sign not in asked.split(" or "))


def equation_demand(category, axis):
    """What the printed cost leaves free; table 1's own words where the two ask the same of every value but 0."""
    charged = [e["costs if"] for e in lines("003-equations")
               if e["axis"] == axis and FER2013_CODES[int(e["class"])] == category]  # fmt: skip
    free = {"!=0": "=0", "<=0": ">0", ">=0": "<0", ">0": "<=0"}[charged[0]] if charged else "nothing"
    (asked,) = [entry[axis] for entry in lines("003-table1") if canonical(entry["category"]) == category]

    def costs(demand, value):
        allowed = {">0": value > 0, "<0": value < 0, "=0": value == 0, "<=0": value <= 0}
        return demand != "nothing" and not any(allowed[part] for part in demand.split(" or "))

    return asked if all(costs(free, value) == costs(asked, value) for value in (-1, 1)) else free


def cell(table, row, column):
    return float(line(table, row)[column])


# --- facts and records, which rest on data ---


def vote_table():
    path = paths.project_root() / "data" / "recorded" / "002" / "vote_table.json"
    return json.loads(path.read_text())["values"]


KNOWN = dataset_summary.recorded().values


def annotated_sign(category, axis):
    found = records.read("003/annotations")["values"]["by_category"][category]
    (asked,) = [entry[axis] for entry in lines("003-table1") if canonical(entry["category"]) == category]
    signs = found["signs"][axis]
    if " or " in asked:
        if min(signs["negative"], signs["positive"]) >= 0.05:
            return asked
        return ">0" if signs["positive"] > signs["negative"] else "<0"
    words = {"<0": "negative", "=0": "zero", ">0": "positive"}
    faces = found["faces"]
    has = round(signs[words[asked]] * faces)

    def at_least(count):
        """How likely that many or more of the faces are, if each has the sign or not with the same chance."""
        return sum(math.comb(faces, k) for k in range(count, faces + 1)) / 2**faces

    if at_least(has) < 0.025:
        return asked
    # As many or fewer that have it are as many or more that have not.
    assert at_least(faces - has) < 0.025, "undecided: no value should have been found"
    return max((sign for sign in words if sign != asked), key=lambda sign: signs[words[sign]])


def published_point(category, axis):
    value = VAD_POINTS[category][VAD_AXES.index(axis)]
    return "=0" if not value else ">0" if value > 0 else "<0"


def cost_alike(category):
    row = list(line("004-table2", category).values())[1:]
    return sum(row[place] == row[place + 1] for place in (0, 2, 4))


TWINS = {
    "sum of row": sum_of_row,
    "sum of column": sum_of_column,
    "product": lambda factors: math.prod(factors),
    "total": lambda terms: sum(terms),
    "difference of cells": difference,
    "mean of column": mean_of_column,
    "same cells": same_cells,
    "cell": cell,
    "cleaning rule keeps": cleaning,
    "normalised votes": normalised,
    "labels removed": labels_removed,
    "score of counts": score,
    "counts that both tables have": same_counts,
    "binary cross-entropy as printed": cross_entropy,
    "labels judged apart": judged_apart,
    "window count": window_count,
    "tabulated rank": tabulated_rank,
    "rows ranked by mean": ranked_by_mean,
    "largest mean": largest_mean,
    "values left out": values_left_out,
    "picture side": picture_side,
    "f1 of cells": f1,
    "emotions with results": lambda table: len({e["emotion"] for e in lines(table) if e["class"] != "average"}),
    "annotator count": annotator_count,
    "annotator counts that agree": annotator_counts,
    "majorities that agree": majorities,
    "layer amount": layer_amount,
    "layers amount": layers_amount,
    "layers that differ": layers_that_differ,
    "cost cell": cost,
    "equation's demand": equation_demand,
    "ratio of facts": lambda numerator, denominator, scale=1: scale * KNOWN[numerator] / KNOWN[denominator],
    "share with ten votes": lambda: 100 - 100 * KNOWN["not_ten_votes"] / KNOWN["faces"],
    "missing from fer2013": lambda: 28_709 + 3_589 + 3_589 - vote_table()["rows"],
    "annotated sign": annotated_sign,
    "published point": published_point,
    "axes that cost alike": cost_alike,
    "kinds in a column": lambda table, column: len({entry[column] for entry in lines(table)}),
    "places that agree": lambda table, columns: sum(e[columns[0]] == e[columns[1]] for e in lines(table)),
}
#: Checks whose twin stands in another file, under a test that does not name them.
ELSEWHERE = {
    "accuracies that fit": "test_relevance_tables.test_accuracies_that_fit_agree_with_trying_all_small_matrices",
    "headline beside a table": "test_relevance_tables.test_headlines_beside_the_averages_of_the_tables",
    "accuracies in the text": "test_relevance_tables.test_accuracies_of_other_work_are_compared_as_numbers",
    "relevance by hand": "test_relevance_tables.test_the_example_with_a_pencil",
}

#: Checks that compute nothing: both sides were read from the paper and stand in the claim, so a twin would be a copy.
AUTHORED = {"printed elsewhere"}

RESULTS = judged_files()


@pytest.mark.parametrize(
    "result",
    [r for r in RESULTS if r.claim.check in TWINS and r.outcome.value is not None],
    ids=lambda result: result.claim.id,
)
def test_a_check_finds_what_its_twin_finds(result):
    found, twin = result.outcome.value, TWINS[result.claim.check](**result.claim.arguments)
    assert found == (twin if isinstance(twin, str | bool) else pytest.approx(twin, rel=1e-9, abs=1e-12))


def other_tests():
    return {path.stem: path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py")
            if path != Path(__file__)}  # fmt: skip


def test_every_arithmetic_check_has_a_twin():
    arithmetic = {r.claim.check for r in RESULTS if r.evidence == Evidence.ARITHMETIC}
    written = other_tests()
    for name in sorted(arithmetic - set(TWINS) - AUTHORED):
        if name in ELSEWHERE:
            file, test = ELSEWHERE[name].split(".")
            assert f"def {test}(" in written[file], f"the twin of {name!r} is gone"
        else:
            named = re.compile(rf"[\"']{re.escape(name)}[\"']")
            assert any(named.search(text) for text in written.values()), f"{name!r} has no twin"


def test_twins_are_of_checks_that_there_are():
    assert set(TWINS) | set(ELSEWHERE) | AUTHORED <= set(verdicts.known_checks())


# --- what a verdict may say ---


def could_stand_for(text):
    """Least and greatest number that rounds to a printed one; None where the text is no number."""
    try:
        value = Decimal(text.replace(",", "").rstrip("% "))
    except ArithmeticError:
        return None
    half = Decimal((0, (5,), int(value.as_tuple().exponent) - 1))
    return value - half, value + half


@pytest.mark.parametrize("result", [r for r in RESULTS if r.verdict is Verdict.CONTRADICTS], ids=lambda r: r.claim.id)
def test_no_contradiction_is_within_printed_rounding_and_each_shows_both_sides(result):
    assert result.outcome.detail, "names the other place and what stands there"
    if result.claim.check == "printed elsewhere":
        assert result.claim.arguments["value"] in result.outcome.detail
        both = [could_stand_for(text) for text in (result.claim.printed, result.claim.arguments["value"])]
        if None not in both:
            (low, high), (other_low, other_high) = both
            assert high <= other_low or other_high <= low, "one number could be printed as both"


def test_a_verdict_with_a_value_names_its_evidence():
    for result in RESULTS:
        nothing = result.outcome.value is None or result.verdict is Verdict.STAND_IN
        assert (result.evidence == NO_EVIDENCE) == nothing, result.claim.id
