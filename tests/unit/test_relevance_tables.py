"""The two rank rules and the tables of paper 001: literal twins, a proof by example, and the printed numbers."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferbook import checks_relevance, claims, printed
from ferbook.errors import ConfigError
from ferbook.relevance import by_hand, ranks, tables

BOTH = pytest.mark.parametrize("table", tables.COUNT_TABLES)
FOUR = pytest.mark.parametrize("table", tables.SCORE_TABLES)


def literal_counts(scores):
    """Section III.G, group by group; the last group includes 1."""
    return [sum(1 for r in scores if (j - 1) / 10 <= r and (r < j / 10 or (j == 10 and r == 1))) for j in range(1, 11)]


def literal_means(scores):
    """The three formulas of section III.G as they stand."""
    groups = [[r for r in scores if (j - 1) / 10 <= r < j / 10 or (j == 10 and r == 1)] for j in range(1, 11)]
    means = []
    for first, last in ((1, 5), (4, 8), (6, 10)):
        members = [r for group in groups[first - 1 : last] for r in group]
        means.append(sum(members) / len(members) if members else float("nan"))
    return means


numbers = st.lists(st.one_of(st.floats(0, 1), st.sampled_from([k / 10 for k in range(11)])), min_size=1, max_size=30)


@given(numbers)
def test_groups_and_means_are_the_papers_formulas(scores):
    row = np.array([scores])
    assert ranks.histogram(row)[0].tolist() == literal_counts(scores)
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
    wrong = {(table, name) for table in tables.SCORE_TABLES for name in tables.wrong_f1(table)["class"]}
    assert wrong == {
        ("001-table6", "disgust-minimal"),
        ("001-table8", "disgust-minimal"),
        ("001-table8", "disgust-average"),
        ("001-table8", "disgust-strong"),
    }


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
    if literal_matrix(precision, recall, 4):
        assert tables.matrix_exists(precision, recall, faces=4)
    else:
        assert not tables.matrix_exists(precision, recall, faces=4)


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
    """A mean of rounded numbers may be off by half a digit, less where 1.00 cannot be exceeded; then it is rounded."""
    for claim in claims.load_claims("001").claims:
        if claim.check != "mean of column":
            continue
        scale = claim.arguments.get("scale", 1)
        values = tables.scores(claim.arguments["table"])[claim.arguments["column"]].to_numpy()
        mean, value = values.mean(), float(claim.printed) / scale
        far = np.minimum(values + tables.HALF, 1).mean() if value > mean else np.maximum(values - tables.HALF, 0).mean()
        digits = len(claim.printed.partition(".")[2])
        allowed = scale * abs(far - mean) + 0.5 * 10.0**-digits
        assert claim.tolerance.holds == pytest.approx(allowed, abs=2e-4 * scale), claim.id
        assert claim.tolerance.roughly == claim.tolerance.holds


def test_every_disagreeing_cell_is_a_claim():
    stated = claims.load_claims("001").claims
    named = {(c.arguments.get("table"), c.arguments.get("row")) for c in stated if c.check == "f1 of cells"}
    assert named == {(table, name) for table in tables.SCORE_TABLES for name in tables.wrong_f1(table)["class"]}
    named = {(c.arguments["table"], c.arguments["emotion"]) for c in stated if c.check == "matrix exists"}
    small = [table for table in tables.SCORE_TABLES if table != "001-table9"]
    assert named == {(table, name) for table in small for name in tables.impossible_matrices(table, faces=199)}
    averaged = {(c.arguments["table"], c.arguments["column"]) for c in stated if c.check == "mean of column"}
    assert averaged >= {(table, column) for table in tables.SCORE_TABLES for column in tables.SCORES}


def test_the_transcribed_tables_are_complete():
    assert [len(printed.table(f"001-table{k}")) for k in range(1, 11)] == [9, 3, 8, 8, 6, 19, 19, 19, 19, 11]


def test_ranks_and_tables_need_no_torch():
    code = "import sys; from ferbook.relevance import ranks, tables, by_hand; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


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
    def judged(values):
        runs = [{"correlations": {"rank (z_plus)": {"spearman": v}, "logit": {"spearman": 0.9}}} for v in values]
        monkeypatch.setattr(checks_relevance.records, "read", lambda name: {"values": {"runs": {"trained": runs}}})
        (claim,) = (c for c in claims.load_claims("001").claims if c.check == "rank follows intensity")
        return checks_relevance.rank_follows_intensity(claim, None).value

    assert judged([0.5, 0.52, 0.55]) == "yes"
    assert judged([0.0, 0.05, -0.04]) == "no"
    assert judged([-0.5, -0.52, -0.55]) == "no"
    assert judged([None, None, None]) == "no"
