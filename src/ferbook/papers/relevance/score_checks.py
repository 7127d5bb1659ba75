"""Checks of paper 001's tables 6 to 9, of what its text and abstract say about them, and of the sizes of test sets.

Nothing here imports torch.
"""

from decimal import Decimal

import numpy as np

from ferbook.claims import printed
from ferbook.claims.checks import Outcome, register
from ferbook.claims.claim import Claim, Evidence
from ferbook.claims.comparison import shortfall, tolerance
from ferbook.claims.dataset_summary import Facts
from ferbook.claims.printed_checks import against_itself
from ferbook.papers.relevance import tables


@register("f1 of cells")
def f1_of_cells(claim: Claim, facts: Facts) -> Outcome:
    """F1 from the precision and recall of a class. Arguments: ``table``, ``row``."""
    found = tables.scores(claim.arguments["table"]).set_index("class").loc[claim.arguments["row"]]
    detail = f"precision {found['precision']:.2f}, recall {found['recall']:.2f}"
    detail += f"; with all their rounding, F1 is {found['f1_low']:.3f} to {found['f1_high']:.3f}"
    return against_itself(claim, float(tables.f1(found["precision"], found["recall"])), detail)


@register("rows with that f1")
def rows_with_that_f1(claim: Claim, facts: Facts) -> Outcome:
    """In how many rows of ``table`` precision and recall, within rounding, give the printed F1.

    Argument ``but``: rows that have a claim of their own and are not counted again.
    """
    but = claim.arguments.get("but", [])
    wrong = [name for name in tables.wrong_f1(claim.arguments["table"])["class"] if name not in but]
    rows = len(tables.scores(claim.arguments["table"])) - len(but)
    return against_itself(claim, rows - len(wrong), f"not for {', '.join(wrong)}" if wrong else "")


@register("mean of column")
def mean_of_column(claim: Claim, facts: Facts) -> Outcome:
    """Mean over the 18 classes of a table. Arguments: ``table``, ``column``."""
    table, column = claim.arguments["table"], claim.arguments["column"]
    return against_itself(claim, tables.column_mean(table, column), f"mean of the 18 values of {tables.called(table)}")


@register("matrices that exist")
def matrices_that_exist(claim: Claim, facts: Facts) -> Outcome:
    """For how many emotions of ``table`` some 3 x 3 matrix has the printed precisions and recalls.

    Arguments also: ``faces``, at most so many pictures have a rank of an emotion; ``but``, emotions that have a claim
    of their own and are not counted again.
    """
    arguments = claim.arguments
    but = arguments.get("but", [])
    missing = [
        name for name in tables.impossible_matrices(arguments["table"], arguments.get("faces")) if name not in but
    ]
    emotions = tables.scores(arguments["table"])["emotion"].nunique() - len(but)
    return against_itself(claim, emotions - len(missing), f"none for {', '.join(missing)}" if missing else "")


@register("matrix exists")
def matrix_exists(claim: Claim, facts: Facts) -> Outcome:
    """The printed recalls, or precisions, of an emotion's three ranks, if a 3 x 3 matrix has them and the others.

    The others are the table's precisions, or recalls. Without such a matrix, what these leave of the printed ones
    (:func:`ferbook.papers.relevance.tables.left_by_others`), and a contradiction.
    Arguments: ``table``, ``emotion``; ``column``, "recall" or "precision", which the printed values are of; ``faces``,
    at most so many pictures have a rank of the emotion.
    """
    arguments = claim.arguments
    found = tables.scores(arguments["table"])
    values = {name: found[found["emotion"] == arguments["emotion"]][name].to_numpy() for name in SCORE_PAIR}
    column = arguments["column"]
    (other,) = set(SCORE_PAIR) - {column}
    values[column] = np.array([float(text) for text in claim.printed.split(", ")])
    detail = f"{other}s {_in_a_row(values[other])}"
    if tables.matrix_exists(*(values[name] for name in SCORE_PAIR), arguments["faces"]):
        return Outcome(claim.printed, Evidence.ARITHMETIC, detail)
    detail += f": {why_no_matrix(*(values[name] for name in SCORE_PAIR))}"
    return against_itself(claim, _in_a_row(tables.left_by_others(values[column], values[other])), detail)


def _in_a_row(values: np.ndarray) -> str:
    return ", ".join(f"{value:.2f}" for value in values)


def why_no_matrix(precision: np.ndarray, recall: np.ndarray) -> str:
    """The reason, for a reader, why no confusion matrix has these values where a printed 1.00 means no mistake."""
    missed, added = np.asarray(recall) < 1, np.asarray(precision) < 1
    if missed.any() and not added.any():
        return "some pictures of a rank are missed, but no rank is given to a picture of another"
    if added.any() and not missed.any():
        return "a rank is given to pictures of another, but no rank misses any"
    return "the pictures that one rank misses are given to no other"


#: The two columns that determine a confusion matrix's margins.
SCORE_PAIR = ("precision", "recall")


@register("accuracies that fit")
def accuracies_that_fit(claim: Claim, facts: Facts) -> Outcome:
    """For how many emotions of ``table`` accuracies fit precisions and recalls; no value where some do not.

    Three meanings of an accuracy of *ranks* are tried. None of them may be the paper's, which defines none and speaks
    of recognising the emotion as well; so what fits in none of them is a remark. Emotions without any matrix (``matrix
    exists``) are left out. Argument also: ``faces`` as there.
    """
    table, faces = claim.arguments["table"], claim.arguments.get("faces")
    missing = tables.impossible_matrices(table, faces)
    asked, unfit = 0, []
    for name, rows in tables.scores(table).groupby("emotion", sort=False):
        if name in missing:
            continue
        asked += 1
        precision, recall, given = (rows[column].to_numpy() for column in (*SCORE_PAIR, "accuracy"))
        if not any(tables.matrix_exists(precision, recall, faces, given, one) for one in tables.ACCURACIES):
            unfit.append(f"{name.lower()} ({', '.join(f'{value:.2f}' for value in given)})")
    if not unfit:
        return Outcome(asked, Evidence.ARITHMETIC, "as an accuracy of ranks")
    detail = f"for {' and '.join(unfit)}, no accuracy of ranks in any meaning that was tried"
    return Outcome(None, Evidence.ARITHMETIC, detail)


@register("headline beside a table")
def headline_beside_a_table(claim: Claim, facts: Facts) -> Outcome:
    """The average accuracy (%) in the last row of a table, beside the one that the abstract or table 10 prints.

    With fewer digits in the table it stands for all numbers that are rounded to it, and the nearest of them is found; a
    contradiction where the headline is none of them. The detail tells what else was tried: means over the 18 cells and
    over the six emotions, and numbers of the form k / 18. Arguments: ``table``.
    """
    table, wanted = claim.arguments["table"], float(claim.printed)
    text = printed.cell(table, "average", "accuracy")
    average, half = 100 * float(text), 100 * float(printed.half_digit(text))
    values = tables.scores(table)
    cells = values["accuracy"].to_numpy()
    low = 100 * np.maximum(cells - tables.HALF, 0).mean()
    high = 100 * np.minimum(cells + tables.HALF, 1).mean()
    emotions = 100 * values.groupby("emotion")["accuracy"].mean().round(2).mean()
    detail = (
        f"{tables.called(table)} prints an average of {text}; with all their rounding, its {len(cells)} accuracies "
        f"average {low:.2f} to {high:.2f} %; the six emotions' means, {emotions:.2f} %"
    )
    for parts in (6, 18):
        if (total := total_of(Decimal(claim.printed), parts)) is not None:
            detail += f"; {total:.2f} / {parts} is {claim.printed} %"
    return against_itself(claim, wanted if abs(wanted - average) <= half + 1e-9 else average, detail)


def total_of(percent: Decimal, parts: int) -> Decimal | None:
    """The sum of so many shares with two digits whose mean is printed as `percent`; None without one."""
    total = round(percent * parts)
    return Decimal(total) / 100 if abs(Decimal(total) / parts - percent) <= printed.half_digit(percent) else None


@register("means of two-digit numbers")
def means_of_two_digit_numbers(claim: Claim, facts: Facts) -> Outcome:
    """How many of ``values``, percentages with two decimals, are a mean of ``parts`` shares with two digits."""
    values, parts = claim.arguments["values"], claim.arguments["parts"]
    totals = {value: total_of(Decimal(value), parts) for value in values}
    fit = {value: total for value, total in totals.items() if total is not None}
    chance = sum(total_of(Decimal(k).scaleb(-2), parts) is not None for k in range(9000, 9100))
    detail = ", ".join(f"{value} is {total:.2f} / {parts}" for value, total in fit.items())
    detail += f"; so are {chance} of 100 percentages with two decimals"
    return Outcome(len(fit), Evidence.ARITHMETIC, detail)


@register("pictures a table needs")
def pictures_a_table_needs(claim: Claim, facts: Facts) -> Outcome:
    """The least number of test pictures that a table's recalls and precisions can be shares of.

    Arguments: ``table``; ``of``, "all emotions" together or the "largest" one.
    """
    needed = tables.needed_pictures(claim.arguments["table"])
    detail = ", ".join(f"{name.lower()} {count}" for name, count in needed.items())
    value = {"all emotions": sum, "largest": max}[claim.arguments["of"]](needed.values())
    return Outcome(value, Evidence.ARITHMETIC, f"at least: {detail}")


@register("a fifth of the pictures")
def a_fifth(claim: Claim, facts: Facts) -> Outcome:
    """A share of the pictures, whichever of ``counts`` is meant: the nearest to the printed number.

    Arguments: ``counts``, in words and pictures, and ``share``. A contradiction where none of them is it.
    """
    sizes = {name: claim.arguments["share"] * count for name, count in claim.arguments["counts"].items()}
    nearest = min(sizes.values(), key=lambda size: abs(size - float(claim.printed)))
    detail = ", ".join(f"{size:g} {name}" for name, size in sizes.items())
    return against_itself(claim, nearest, detail)


@register("rows alike")
def rows_alike(claim: Claim, facts: Facts) -> Outcome:
    """In how many rows two of tables 6 to 9 have the same cells. Arguments: ``tables``, two names; ``columns``."""
    arguments = claim.arguments
    one, other = (tables.scores(name) for name in arguments["tables"])
    both = one.merge(other, on=["emotion", "class"], suffixes=("", "_other"), validate="one_to_one")
    same = np.logical_and.reduce([both[name] == both[f"{name}_other"] for name in arguments["columns"]])
    return Outcome(int(same.sum()), Evidence.ARITHMETIC, f"of {len(both)}")


@register("emotions with results")
def emotions_with_results(claim: Claim, facts: Facts) -> Outcome:
    """How many emotions ``table`` has rows for."""
    names = tables.scores(claim.arguments["table"])["emotion"].unique()
    return against_itself(claim, len(names), ", ".join(names))


@register("cells the text retells")
def cells_the_text_retells(claim: Claim, facts: Facts) -> Outcome:
    """Cells of a table beside what the text says of them; a contradiction where both cannot be.

    Arguments: ``table``; ``columns``; ``row``, or ``emotion`` for its three rows, or neither for all 18; ``reading``:

    * ``each`` (default): the text speaks of all these cells. The value is the one farthest from the text's, or, where
      no single number could be said of all of them, the least and the greatest, as "0.91 to 0.97".
    * ``one``: it gives one number for all. The value is the nearest to it between the least and the greatest cell.
    """
    arguments = claim.arguments
    table, columns, reading = arguments["table"], arguments["columns"], arguments.get("reading", "each")
    content = printed.table(table)
    if "row" in arguments:
        content = content[content["class"] == arguments["row"]]
    elif "emotion" in arguments:
        content = content[content["emotion"] == arguments["emotion"]]
    else:
        content = content[content["class"] != "average"]
    if content.empty:
        raise ValueError(f"{table} has no such rows")
    cells = {name: content[name].tolist() for name in columns}
    flat = sorted((cell for values in cells.values() for cell in values), key=float)
    told = "; ".join(f"{name.replace('f1', 'F1')} {_listed(values)}" for name, values in cells.items())
    detail = f"table {table.removeprefix('001-table')} has {told}"
    if arguments.get("row") == "average":
        means = ", ".join(f"{tables.column_mean(table, name):.3f}" for name in columns)
        detail += f"; the mean of its 18 rows is {means}"
    low, high = float(flat[0]), float(flat[-1])
    ends = f"{flat[0]} to {flat[-1]}"
    if " to " in claim.printed and claim.relation != "between":
        return against_itself(claim, ends, detail)
    if reading == "one":
        wanted = float(claim.printed)
        return against_itself(claim, min(max(wanted, low), high), detail)
    found = max((low, high), key=lambda end: shortfall(claim, end))
    if low != high and shortfall(claim, found) > tolerance(claim).roughly:
        return against_itself(claim, ends, detail)
    return against_itself(claim, found, detail)


def _listed(cells: list[str]) -> str:
    """Cells in order; where there are many or all are alike, least and greatest."""
    low, high = min(cells, key=float), max(cells, key=float)
    if low == high:
        return low
    return ", ".join(cells) if len(cells) <= 3 else f"{low} to {high}"


@register("accuracies in the text")
def accuracies_in_the_text(claim: Claim, facts: Facts) -> Outcome:
    """How many accuracies of table 10 the text repeats. Argument: ``values``, the text's numbers by the table's row."""
    values = claim.arguments["values"]
    found = {row: printed.cell("001-table10", row, "accuracy") for row in values}
    missed = [f"{row}: {found[row]}" for row in values if float(found[row].rstrip("%")) != float(values[row])]
    return against_itself(claim, len(values) - len(missed), "; ".join(missed))
