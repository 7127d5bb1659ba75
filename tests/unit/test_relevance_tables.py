"""The two rank rules and the tables of paper 001: literal twins, a proof by example, and the printed numbers."""

import itertools
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferbook.claims import dataset_summary, printed, verdicts
from ferbook.claims.claim import Evidence, Verdict
from ferbook.core import records
from ferbook.core.errors import ConfigError
from ferbook.papers.relevance import checks, score_checks, tables
from ferbook.relevance import by_hand, ranks
from tests.unit.claiming import judged, lines, student

BOTH = pytest.mark.parametrize("table", tables.COUNT_TABLES)
FOUR = pytest.mark.parametrize("table", tables.SCORE_TABLES)


STATED = verdicts.load_claims("001").claims


def literal_groups(scores):
    """Section III.G, group by group; the last group includes 1."""
    return [[r for r in scores if (j - 1) / 10 <= r < j / 10 or (j == 10 and r == 1)] for j in range(1, 11)]


def literal_means(scores):
    """The three formulas of section III.G as they stand."""
    means = []
    for first, last in ((1, 5), (4, 8), (6, 10)):
        members = [*itertools.chain(*literal_groups(scores)[first - 1 : last])]
        means.append(sum(members) / len(members) if members else float("nan"))
    return means


numbers = st.lists(st.one_of(st.floats(0, 1), st.sampled_from([k / 10 for k in range(11)])), min_size=1, max_size=30)


@given(numbers)
def test_groups_and_means_are_the_papers_formulas(scores):
    row = np.array([scores])
    assert ranks.histogram(row)[0].tolist() == [len(group) for group in literal_groups(scores)]
    assert ranks.window_means(row)[0] == pytest.approx(literal_means(scores), nan_ok=True)


@given(numbers)
def test_as_printed_every_picture_with_a_score_of_a_half_is_strong(scores):
    assert (ranks.RANKS[ranks.rank_as_printed(np.array([scores]))[0]] == "strong") >= (max(scores) >= 0.5)


def test_without_such_a_score_the_rule_can_say_something_else():
    found = ranks.rank_as_printed(np.array([[0.1, 0.1], [0.1, 0.45], [np.nan, np.nan]]))
    assert [*found] == [0, 1, -1]


def test_the_scale_that_the_tables_need():
    relevance = np.array([[[-2.0, 0.0, 1.0, 6.0]], [[1.0, 1.0, 1.0, 1.0]]])
    assert ranks.scaled(relevance)[0] == pytest.approx([np.nan, 0.25, 0.375, 1.0], nan_ok=True)
    assert ranks.scaled(relevance, "positive")[0] == pytest.approx([np.nan, np.nan, 1 / 6, 1.0], nan_ok=True)
    assert np.isnan(ranks.scaled(relevance)[1]).all()
    assert [*ranks.rank_as_tabulated(ranks.histogram(ranks.scaled(relevance)))] == [0, -1]
    with pytest.raises(ConfigError, match="scale"):
        ranks.scaled(relevance, "log")


def test_the_core_is_where_zero_went():
    rng = np.random.default_rng(0)
    relevance = np.concatenate([np.zeros((3, 96)), rng.normal(size=(3, 5))], axis=1)
    low, high = relevance.min(axis=1), relevance.max(axis=1)
    assert ranks.core(relevance) == pytest.approx(-low / (high - low))


def test_scores_outside_the_range_are_refused():
    with pytest.raises(ValueError, match="must lie in"):
        ranks.histogram(np.array([[0.2, 1.2]]))


# --- tables 3 and 4 ---


@BOTH
def test_printed_windows_and_ranks_follow_from_the_bins_but_for_three_cells(table):
    found = tables.windows(table)
    cells = {
        (row["image"], column)
        for _, row in found.iterrows()
        for column in ("mu_1", "mu_2", "mu_3", "rank")
        if row[column] != row[f"{column}_again"]
    }
    known = {("fear_11", "mu_3"), ("surprise_240", "mu_2"), ("surprise_240", "rank")}
    assert cells == (known if table == "001-table4" else set())


@BOTH
def test_tabulated_rank_is_a_literal_comparison_of_sums(table):
    for line, again in zip(tables.counts(table).tolist(), tables.windows(table)["rank_again"], strict=True):
        sums = {"minimal": sum(line[:5]), "average": sum(line[3:8]), "strong": sum(line[5:])}
        assert again == max(sums, key=sums.get)


@BOTH
def test_the_bounds_of_a_mean_hold_for_scores_anywhere_in_their_groups(table):
    rng = np.random.default_rng(0)
    line = np.minimum(tables.counts(table), 50)
    bounds = tables.mean_bounds(line)
    for row, limits in zip(line, bounds, strict=True):
        scores = np.concatenate([(k + rng.random(n)) / 10 for k, n in enumerate(row)])[None]
        means = ranks.window_means(scores)[0]
        assert ((limits[:, 0] <= means) & (means <= limits[:, 1])).all()
        assert ranks.RANKS[ranks.rank_as_printed(scores)[0]] == "strong"


def test_the_tables_count_every_value_but_one_of_two_sizes_of_picture():
    assert [tables.image_side(table) for table in tables.COUNT_TABLES] == [224, 255]


# --- table 5 ---


def test_one_count_of_the_annotators_is_wrong():
    found = tables.annotation_counts()
    names = ("minimal", "average", "strong")
    wrong = {(row["image"], name) for _, row in found.iterrows() for name in names if row[name] != row[f"{name}_again"]}
    assert wrong == {("2", "strong")}
    assert (found[[f"{name}_again" for name in names]].sum(axis=1) == 10).all()
    assert (found["final"] == found["final_again"]).all()


# --- tables 6 to 9 ---


@FOUR
def test_f1_is_the_harmonic_mean(table):
    for _, row in tables.scores(table).iterrows():
        p, r = row["precision"], row["recall"]
        literal = 0.0 if p + r == 0 else 2 / (1 / p + 1 / r)
        assert tables.f1(p, r) == pytest.approx(literal)
        assert row["f1_low"] <= literal <= row["f1_high"]


def test_the_four_cells_of_f1_that_do_not_follow():
    wrong = {table: set(tables.wrong_f1(table)["class"]) for table in tables.SCORE_TABLES}
    every = {"disgust-minimal", "disgust-average", "disgust-strong"}
    assert wrong == {"001-table6": {"disgust-minimal"}, "001-table7": set(), "001-table8": every, "001-table9": set()}


def test_real_matrices_are_found_to_exist():
    rng = np.random.default_rng(1)
    for _ in range(60):
        counts = rng.integers(0, 12, (3, 3)) + np.diag([3, 3, 3])
        precision = np.diag(counts) / counts.sum(axis=0)
        recall = np.diag(counts) / counts.sum(axis=1)
        rounded = np.round(precision, 2), np.round(recall, 2)
        assert tables.matrix_exists(*rounded)
        assert tables.matrix_exists(*rounded, faces=40)


def test_matrices_that_cannot_exist():
    # Two classes without any mistake leave nothing to be mistaken for the third.
    assert not tables.matrix_exists([1, 1, 1], [0.6, 1, 1], faces=40)
    # No precision is lost where no face is missed.
    assert not tables.matrix_exists([1, 1, 0.87], [1, 1, 1], faces=40)
    # With enough faces a printed 1.00 may hide a mistake.
    assert tables.matrix_exists([1, 1, 0.87], [1, 1, 1])
    assert tables.matrix_exists([1, 1, 0], [1, 1, 0], faces=40)


def literal_matrix(precision, recall, most):
    """Whether some 3 x 3 matrix of whole faces, at most `most` in a class, rounds to these: by trying them all."""
    lines = [line for line in np.ndindex(most + 1, most + 1, most + 1) if 0 < sum(line) <= most]
    rows = [[line for line in lines if abs(line[k] / sum(line) - recall[k]) < 0.0051] for k in range(3)]
    for a in rows[0]:
        for b in rows[1]:
            for c in rows[2]:
                total = np.array(a) + b + c
                if (total > 0).all() and (np.abs(np.array([a[0], b[1], c[2]]) / total - precision) < 0.0051).all():
                    return True
    return False


@pytest.mark.parametrize(
    ("precision", "recall"),
    [((1, 1, 0.67), (1, 0.5, 1)), ((1, 1, 0.67), (1, 1, 1)), ((0.5, 1, 1), (1, 1, 0.5)), ((1, 1, 1), (0.5, 1, 1))],
)
def test_existence_agrees_with_trying_all_small_matrices(precision, recall):
    assert tables.matrix_exists(precision, recall, faces=4) == literal_matrix(precision, recall, 4)


@pytest.mark.parametrize(
    ("table", "emotions"),
    [
        ("001-table6", ["Disgust", "Happy", "Sadness", "Surprise"]),
        ("001-table7", ["Disgust", "Happy", "Surprise"]),
        ("001-table8", ["Fear", "Happy", "Sadness"]),
        ("001-table9", []),
    ],
)
def test_emotions_without_any_matrix(table, emotions):
    assert tables.impossible_matrices(table, faces=199) == emotions


# --- claims ---


def test_tolerances_of_means_are_what_printed_rounding_allows():
    """A mean of rounded numbers may be off by half a digit, less where 1.00 cannot be exceeded; then it is rounded.

    That is the worst case. Rounding errors are uniform over a digit, and three standard deviations of their mean hold.
    """
    for claim in (claim for claim in STATED if claim.check == "mean of column"):
        values = tables.scores(claim.arguments["table"])[claim.arguments["column"]].to_numpy()
        mean, value = values.mean(), float(claim.printed)
        far = np.minimum(values + tables.HALF, 1).mean() if value > mean else np.maximum(values - tables.HALF, 0).mean()
        digits = len(claim.printed.partition(".")[2])
        allowed = abs(far - mean) + 0.5 * 10.0**-digits
        assert claim.tolerance.roughly == pytest.approx(allowed, abs=2e-4), claim.id
        likely = 3 * (2 * tables.HALF) / np.sqrt(12) / np.sqrt(len(values)) + 0.5 * 10.0**-digits
        assert claim.tolerance.holds == pytest.approx(min(likely, allowed), abs=2e-4), claim.id


def test_rounding_of_a_mean_seldom_goes_beyond_what_holds():
    """Twin of the three standard deviations: means of 18 numbers, and of the same rounded to two digits."""
    numbers = np.random.default_rng(5).uniform(0.85, 0.99, (20_000, 18))
    off = np.abs(numbers.mean(axis=1) - numbers.round(2).mean(axis=1))
    assert 0.0005 < (off > 0.00204).mean() < 0.005


def one_claim(name, **changes):
    (found,) = (claim for claim in STATED if claim.id == f"001-{name}")
    return found.model_copy(update=changes)


def outcome(claim):
    return verdicts.known_checks()[claim.check](claim, dataset_summary.recorded())


def verdict(claim):
    return verdicts.verdict(claim, outcome(claim))


def test_every_disagreeing_cell_is_a_claim_and_is_counted_once():

    def named(check, key):
        return {(c.arguments["table"], c.arguments[key]) for c in STATED if c.check == check}

    def left_out_of(check, key):
        claims = [c for c in STATED if c.check == check]
        return {(c.arguments.get(key), name) for c in claims for name in c.arguments.get("but", [])}

    wrong = {(table, name) for table in tables.SCORE_TABLES for name in tables.wrong_f1(table)["class"]}
    assert named("f1 of cells", "row") == wrong == left_out_of("rows with that f1", "table")
    small = [table for table in tables.SCORE_TABLES if table != "001-table9"]
    without = {(table, name) for table in small for name in tables.impossible_matrices(table, faces=199)}
    assert named("matrix exists", "emotion") == without == left_out_of("matrices that exist", "table")
    averaged = named("mean of column", "column")
    assert averaged >= {(table, column) for table in tables.SCORE_TABLES for column in tables.SCORES}
    # What a claim on many rows leaves out is judged on its own, and contradicts its row there.
    alone = {
        (c.arguments["row"], column)
        for c in STATED
        for check, column in (("window count", "mu_{window}"), ("tabulated rank", "rank"))
        if c.check == check
        for column in [column.format(**c.arguments)]
        if verdict(c) is Verdict.CONTRADICTS
    }
    left_out = {(row, column) for column, row in left_out_of("rows that agree", "column")}
    assert left_out == alone == {("fear_11", "mu_3"), ("surprise_240", "mu_2"), ("surprise_240", "rank")}


def test_rows_left_out_are_not_counted_and_others_are():
    assert outcome(one_claim("ranks-table4")).value == 7
    everything = one_claim("ranks-table4", arguments={"tables": ["001-table4"], "column": "rank"})
    assert outcome(everything).value == 7 and "surprise_240" in outcome(everything).detail
    assert outcome(one_claim("f1-table8", arguments={"table": "001-table8"})).value == 15
    assert outcome(one_claim("matrices-table7", arguments={"table": "001-table7", "faces": 199})).value == 3
    assert outcome(one_claim("annotator-counts")).value == outcome(one_claim("annotator-counts", arguments={})).value


def test_annotator_counts_are_counted_by_hand():
    agree = 0
    for line in lines("001-table5"):
        answers = [line[f"annotator_{k}"] for k in range(1, 11)]
        for word, rank in (("Min", "minimal"), ("Avg", "average"), ("Str", "strong")):
            agree += answers.count(word) == int(line[rank])
    assert agree == outcome(one_claim("annotator-counts")).value == 3 * len(lines("001-table5")) - 1


def test_values_left_out_are_what_the_groups_lack():
    found = [
        3 * side * side - sum(int(line[f"group_{k}"]) for k in range(1, 11))
        for table, side in (("001-table3", 224), ("001-table4", 255))
        for line in lines(table)
    ]
    assert found == [1] * 16 and outcome(one_claim("positive-only")).value == max(found)


def test_emotions_could_only_be_confused_in_one_matrix_of_all_classes():
    """What the notes of the impossible matrices grant."""
    for table in ("001-table6", "001-table7", "001-table8"):
        rows = tables.scores(table)
        assert tables.matrix_exists(rows["precision"], rows["recall"], faces=199)
        granted = [c for c in STATED if c.check == "matrix exists" and c.arguments["table"] == table]
        assert granted and all("18 rows" in c.note for c in granted)


@pytest.mark.parametrize(
    ("precision", "recall", "word"),
    [
        ([1, 1, 1], [0.6, 1, 1], "some pictures of a rank are missed"),
        ([1, 1, 0.87], [1, 1, 1], "but no rank misses any"),
        ([1, 1, 0.8], [0.8, 0.88, 0.8], "are given to no other"),
    ],
)
def test_the_reason_that_there_is_no_matrix(precision, recall, word):
    assert word in score_checks.why_no_matrix(precision, recall)
    assert not tables.matrix_exists(precision, recall, faces=199)


def literal_accuracies(matrix, meaning, more=0):
    """The three meanings of accuracy by rank, picture by picture."""
    right = [0, 0, 0]
    pictures = [(i, j) for i, j in np.ndindex(3, 3) for _ in range(matrix[i][j])]
    for k in range(3):
        for true, named in pictures:
            right[k] += true == named if meaning == "all ranks" else (true == k) == (named == k)
    return [(right[k] + more) / (len(pictures) + more) for k in range(3)]


@pytest.mark.parametrize("meaning", tables.ACCURACIES)
def test_accuracies_of_real_matrices_are_found_to_fit(meaning):
    rng = np.random.default_rng(4)
    for _ in range(25):
        matrix = rng.integers(0, 9, (3, 3)) + np.diag([2, 2, 2])
        precision, recall = np.diag(matrix) / matrix.sum(axis=0), np.diag(matrix) / matrix.sum(axis=1)
        accuracy = literal_accuracies(matrix.tolist(), meaning, more=11 if "more" in meaning else 0)
        rounded = [np.round(values, 2) for values in (precision, recall, accuracy)]
        assert tables.matrix_exists(*rounded[:2], None, rounded[2], meaning)
        assert tables.matrix_exists(*rounded[:2], 60, rounded[2], meaning)


def literal_accuracy_exists(precision, recall, accuracy, most):
    """Which meanings some 3 x 3 matrix of whole pictures, at most `most` in a rank, has these values in: all tried."""
    lines = [line for line in np.ndindex(most + 1, most + 1, most + 1) if 0 < sum(line) <= most]
    found = set()
    for matrix in itertools.product(lines, repeat=3):
        named = [sum(row[k] for row in matrix) for k in range(3)]
        if not all(named):
            continue
        got = [matrix[k][k] / named[k] for k in range(3)], [matrix[k][k] / sum(matrix[k]) for k in range(3)]
        if any(abs(a - b) > 0.0051 for one, other in zip(got, (precision, recall), strict=True)
               for a, b in zip(one, other, strict=True)):  # fmt: skip
            continue
        for meaning in ("all ranks", "one rank"):
            if all(abs(a - b) < 0.0051 for a, b in zip(literal_accuracies(matrix, meaning), accuracy, strict=True)):
                found.add(meaning)
    return found


@pytest.mark.parametrize(
    ("precision", "recall", "accuracy", "expected"),
    [
        ((1, 0.5, 0.5), (1, 0.5, 0.5), (1.0, 0.67, 0.67), {"one rank"}),
        ((1, 0.5, 0.5), (1, 0.5, 0.5), (0.71, 0.71, 0.71), {"all ranks"}),
        ((1, 0.5, 0.5), (1, 0.5, 0.5), (1.0, 0.86, 0.80), set()),
        ((1, 1, 1), (1, 1, 1), (0.94, 0.95, 0.95), set()),
        ((1, 1, 1), (1, 1, 1), (1.0, 1.0, 1.0), {"all ranks", "one rank"}),
    ],
)
def test_accuracies_that_fit_agree_with_trying_all_small_matrices(precision, recall, accuracy, expected):
    assert literal_accuracy_exists(precision, recall, accuracy, 3) == expected
    for meaning in ("all ranks", "one rank"):
        assert tables.matrix_exists(precision, recall, 3, accuracy, meaning) == (meaning in expected)


@pytest.mark.parametrize(
    ("table", "unfit"),
    [
        ("001-table6", {"anger"}),
        ("001-table7", {"sadness"}),
        ("001-table8", {"disgust"}),
        ("001-table9", {"anger", "happy"}),
    ],
)
def test_emotions_whose_accuracies_fit_no_meaning(table, unfit):
    claim = one_claim(f"accuracies-table{table[-1]}")
    found = outcome(claim)
    named = {name for name in ("anger", "disgust", "fear", "happy", "sadness", "surprise") if name in found.detail}
    assert named == unfit
    assert found.value is None and verdict(claim) is Verdict.UNCHECKED and claim.kind == "unsupported"
    assert int(claim.printed) == 6 - len(tables.impossible_matrices(table, faces=199))


@pytest.mark.parametrize(("accuracy", "value"), [(1.0, 1), (0.95, None)])
def test_accuracies_that_fit_hold_and_others_decide_nothing(monkeypatch, accuracy, value):
    rows = pd.DataFrame({"emotion": "Anger", "precision": 1.0, "recall": 1.0, "accuracy": [accuracy] * 3})
    monkeypatch.setattr(tables, "scores", lambda table: rows)
    claim = one_claim("accuracies-table7", printed="1")
    assert outcome(claim).value == value
    assert verdict(claim) is (Verdict.UNCHECKED if value is None else Verdict.HOLDS)


def literal_averages(table):
    """The printed average (%), and the least and the greatest mean (%) of the 18 cells, with exact numbers."""
    by_class = {line["class"]: Fraction(line["accuracy"]) for line in lines(table)}
    average, half = by_class.pop("average"), Fraction(1, 200)
    cells = by_class.values()
    ends = [sum(max(c - half, 0) for c in cells), sum(min(c + half, 1) for c in cells)]
    return 100 * average, *(100 * end / len(cells) for end in ends)


@pytest.mark.parametrize(
    ("name", "table", "expected"),
    [
        ("jaffe-mean", "001-table7", Verdict.HOLDS),
        ("ckplus-mean", "001-table8", Verdict.HOLDS),
        ("affectnet-mean", "001-table9", Verdict.HOLDS),
        ("kdef-other", "001-table6", Verdict.ROUGHLY),
        ("kdef-mean", "001-table6", Verdict.CONTRADICTS),
    ],
)
def test_headlines_beside_the_averages_of_the_tables(name, table, expected):
    """A headline holds where the table's last row is its rounding, roughly where it is cut off."""
    claim = one_claim(f"headline-{name}")
    average, low, high = literal_averages(table)
    wanted, found = Fraction(claim.printed), outcome(claim)
    assert verdict(claim) is expected
    if expected is Verdict.HOLDS:
        assert abs(wanted - average) <= (Fraction(1, 2) if table != "001-table8" else Fraction(1, 200))
    else:
        assert found.value == average and (int(wanted) == average) is (expected is Verdict.ROUGHLY)
    assert f"{float(low):.2f} to {float(high):.2f} %" in found.detail


def literal_form(percent, parts):
    """Whether any sum of so many shares with two digits has a mean that is printed as `percent`: all sums tried."""
    return any(abs(Fraction(total, parts) - Fraction(percent)) <= Fraction(1, 200) for total in range(100 * parts + 1))


def test_headlines_have_the_form_of_averages_of_eighteen_or_six_numbers():
    claim = one_claim("headline-eighteenths")
    assert [literal_form(value, 18) for value in claim.arguments["values"]] == [True] * 4
    assert outcome(claim).value == 4 and "17.34 / 18" in outcome(claim).detail
    assert not literal_form("95.79", 18) and score_checks.total_of(Decimal("95.79"), 18) is None
    chance = sum(literal_form(f"{k / 100:.2f}", 18) for k in range(9000, 9100))
    assert f"{chance} of 100" in outcome(claim).detail
    # As the headline of JAFFE can be the mean of six emotions' accuracies, it is not said to be out of reach.
    assert literal_form("96.33", 6) and "5.78 / 6" in outcome(one_claim("headline-jaffe-mean")).detail


def test_ten_of_sixteen_averages_are_plain_means():
    means = [c for c in STATED if c.check == "mean of column" and "-mean-table" in c.id]
    by = {kind: [c for c in means if verdict(c) is kind] for kind in Verdict}
    assert [len(by[kind]) for kind in (Verdict.HOLDS, Verdict.ROUGHLY, Verdict.CONTRADICTS)] == [6, 4, 6]
    told = "Ten of the sixteen averages can be plain means of their column, four of them only if"
    assert all(c.note.startswith(told) for c in by[Verdict.CONTRADICTS])
    # They need more than nine in ten of the errors on one side, if all are as large as such errors are on average.
    for c in by[Verdict.ROUGHLY]:
        mean = tables.scores(c.arguments["table"])[c.arguments["column"]].mean()
        printed_half = 0.5 * 10.0 ** -len(c.printed.partition(".")[2])
        needed = abs(mean - float(c.printed)) - printed_half
        assert 1 / 2 + needed / tables.HALF > 0.9


@pytest.mark.parametrize("name", ["headline-ck-again", "ml-dcnnet", "text-affectnet-recall", "text-affectnet-f1"])
def test_one_apart_in_the_last_digit_is_roughly_the_same(name):
    claim = one_claim(name)
    found = outcome(claim)
    assert abs(round(100 * found.value) - round(100 * float(claim.printed))) == 1
    assert verdict(claim) is Verdict.ROUGHLY
    # Rounding in one way gives one printing; without a tolerance both cannot be.
    assert verdict(claim.model_copy(update={"tolerance": None})) is Verdict.CONTRADICTS


def test_a_printed_quotient_by_hand():
    assert judged("printed quotient", "7", whole=4900, by=[70, 7]).verdict is Verdict.FAILS
    found = judged("printed quotient", "10", whole=4900, by=[70, 7])
    assert found.verdict is Verdict.HOLDS and found.outcome.value == 4900 / 70 / 7
    assert found.outcome.detail == "4,900 / (70 × 7)"
    assert judged("printed quotient", "2", whole=10, by=[4]).outcome.value == 2.5


def test_what_others_publish_fails_a_claim_or_confirms_it():
    claim = one_claim("kdef-pictures")
    assert outcome(claim).evidence is Evidence.PUBLISHED and verdict(claim) is Verdict.FAILS
    # As the note says: five angles in two sessions give the size.
    assert 70 * 7 * outcome(claim).value * 2 == 4900
    assert verdict(one_claim("au-1")) is Verdict.HOLDS and verdict(one_claim("au-15")) is Verdict.FAILS


def retold(claim):
    """The cells that a claim of the text is about, read with csv, and whether they can be what it says."""
    arguments = claim.arguments
    cells = []
    for line in lines(arguments["table"]):
        wanted = line["class"] == arguments["row"] if "row" in arguments else line["class"] != "average"
        if wanted and line["emotion"] == arguments.get("emotion", line["emotion"]):
            cells += [Fraction(line[column]) for column in arguments["columns"]]
    allowed = Fraction(str(claim.tolerance.roughly)) if claim.tolerance else Fraction(1, 200)
    if " to " in claim.printed:
        low, high = (Fraction(end) for end in claim.printed.split(" to "))
        if claim.relation == "between":
            return low - allowed <= min(cells) and max(cells) <= high + allowed
        return [min(cells), max(cells)] == [low, high]
    assert claim.relation == "equals" or claim.tolerance, "around needs a tolerance in the unit of the cells"
    said = Fraction(claim.printed)
    if arguments.get("reading") == "one":
        return min(cells) - allowed <= said <= max(cells) + allowed
    return all(abs(cell - said) <= allowed for cell in cells)


RETOLD = [claim for claim in STATED if claim.check == "cells the text retells"]


@pytest.mark.parametrize("claim", RETOLD, ids=lambda claim: claim.id)
def test_the_text_beside_the_tables(claim):
    possible = retold(claim)
    assert outcome(claim).contradiction is not possible
    assert (verdict(claim) is Verdict.CONTRADICTS) is not possible


def test_the_text_beside_the_tables_knows_its_readings():
    claim = one_claim("text-kdef-fear")
    assert verdict(claim) is Verdict.HOLDS
    each = claim.model_copy(update={"arguments": {**claim.arguments, "reading": "each"}, "tolerance": None})
    assert verdict(each) is Verdict.CONTRADICTS and outcome(each).value == "0.91 to 0.92"
    assert verdict(each.model_copy(update={"printed": "0.91 to 0.92"})) is Verdict.HOLDS
    with pytest.raises(ValueError, match="no such rows"):
        outcome(one_claim("text-kdef-fear", arguments={"table": "001-table6", "columns": ["f1"], "emotion": "Envy"}))


def test_accuracies_of_other_work_are_compared_as_numbers():
    claim = one_claim("earlier-work")
    assert outcome(claim).value == len(claim.arguments["values"]) == 9
    wrong = {**claim.arguments["values"], "Kuang-Yu [38]": "68.3"}
    assert outcome(one_claim("earlier-work", arguments={"values": wrong})).value == 8


def test_counts_of_ck_are_all_multiples_of_three():
    line = printed.row("001-table2", "CK+")
    counts = [int(line[name]) for name in line.index[1:-1]]
    assert [n for n in range(1, 60) if all(count % n == 0 for count in counts)][-1] == 3
    found = outcome(one_claim("data-ck-independent"))
    assert found.value is None and "multiples of 3" in found.detail


def test_what_the_equations_leave_open_is_shown_and_not_judged():
    found = outcome(one_claim("conservation-biases"))
    assert found.value is None and "85.7 %" in found.detail


def test_the_transcribed_tables_are_complete():
    assert [len(printed.table(f"001-table{k}")) for k in range(1, 11)] == [9, 3, 8, 8, 6, 19, 19, 19, 19, 11]


# --- the example by hand ---


@pytest.mark.parametrize("rule", by_hand.RULES)
def test_relevance_of_the_example_is_conserved_in_every_layer(rule):
    found = by_hand.propagate(by_hand.EXAMPLE, by_hand.EXAMPLE_INPUT, 0, rule)
    logit = by_hand.forward(by_hand.EXAMPLE, by_hand.EXAMPLE_INPUT)[-1][0]
    assert [layer.sum() for layer in found] == pytest.approx([logit] * 3, rel=1e-5)


def test_the_example_with_a_pencil():
    """x = (2, 1); hidden (2, 1, 1.5); logit 2 - 0.5 + 1.5 + 0.5 = 3.5. Biases take their shares."""
    found = by_hand.propagate(by_hand.EXAMPLE, by_hand.EXAMPLE_INPUT, 0, "epsilon", bias_takes_part=True)
    assert found[2] == pytest.approx([3.5, 0])
    assert found[1] == pytest.approx([2, -0.5, 1.5], rel=1e-5)
    first = 2 * 2 / 2 + -0.5 * -1 / 1 + 1.5 * 3 / 1.5
    second = 2 * -0.5 / 2 + -0.5 * 2 / 1 + 1.5 * -1 / 1.5
    assert found[0] == pytest.approx([first, second], rel=1e-5)
    assert found[0].sum() == pytest.approx(3.0, rel=1e-5)  # 0.5 went to the last bias, and 0.5 - 0.5 to the first ones


def test_an_unknown_rule_is_named():
    with pytest.raises(ConfigError, match="gamma"):
        by_hand.propagate(by_hand.EXAMPLE, by_hand.EXAMPLE_INPUT, 0, "gamma")


def test_a_rank_that_follows_intensity_is_told_from_one_that_does_not(monkeypatch):
    def of(*ranks_):
        runs = [
            {"correlations": {"logit": {"spearman": 0.9}} | {f"rank ({k})": {"spearman": v} for k, v in enumerate(run)}}
            for run in zip(*ranks_, strict=True)
        ]
        record = {"values": {"runs": {"trained": runs}}, "provenance": {"data": "ferplus", "epochs": 12}}
        monkeypatch.setattr(checks.records, "read", lambda name: record)
        (claim,) = (c for c in verdicts.load_claims("001").claims if c.check == "rank follows intensity")
        found = checks.rank_follows_intensity(claim, None)
        assert (found.value is None) == found.detail.startswith("undecided")
        return found.value

    assert of([0.5, 0.52, 0.55]) == "yes"
    assert of([-0.5, -0.52, -0.55]) == "no"
    # Student's t for two degrees of freedom is 4.30: the first interval ends at 0.07, the second at 0.11.
    assert of([0.0, 0.02, -0.04], [0.0, 0.05, -0.03]) is None
    assert of([0.0, 0.02, -0.04], [0.0, 0.02, 0.04]) == "no"
    assert of([0.2, 0.4, -0.1]) is None
    # One composite whose rank follows is enough; one whose rank is undecided keeps the others from a "no".
    assert of([-0.5, -0.52, -0.55], [0.5, 0.52, 0.55]) == "yes"
    assert of([-0.5, -0.52, -0.55], [0.2, 0.4, -0.1]) is None
    # A rank that all faces have correlates with nothing, and is not a correlation of 0.
    assert of([None, None, None]) is None
    assert of([-0.5, None, -0.55]) is None
    assert of([None, None, None], [0.5, 0.52, 0.55]) == "yes"
    assert of([None, None, None], [-0.5, -0.52, -0.55]) is None


def test_the_recorded_rank_does_not_follow_votes_with_intervals_by_hand():
    """Twin: the three recorded networks, mean and half width by Student's t for two degrees of freedom."""
    claim = one_claim("measures-intensity")
    runs = records.read(claim.arguments["record"])["values"]["runs"]["trained"]
    ends = []
    for measure in (name for name in runs[0]["correlations"] if name.startswith("rank")):
        one = [run["correlations"][measure]["spearman"] for run in runs]
        mean, half = student(one)
        ends.append((mean - half, mean + half))
    assert len(ends) == 3 and all(low <= 0 and high < 0.1 for low, high in ends)
    found = outcome(claim)
    assert found.value == "no" and found.trained.networks == ("small network of four convolutions",)
    # The paper speaks of its VGG16: small networks decide nothing about that, in neither direction.
    assert verdict(claim) is verdict(claim.model_copy(update={"printed": "no"})) is Verdict.STAND_IN
    assert claim.about.epochs == 100 and len(claim.about.departures(found.trained)) == 3
