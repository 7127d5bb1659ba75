"""Checks that any paper can use: on transcribed tables, on numbers printed in two places, on records.

Nothing here imports torch.
"""

import math
from decimal import Decimal

import numpy as np

from ferbook.claims import printed
from ferbook.claims.checks import Outcome, register
from ferbook.claims.claim import Claim, Evidence, Value, Verdict
from ferbook.claims.comparison import compared, shortfall, tolerance
from ferbook.claims.dataset_summary import Facts
from ferbook.core import records


def against_itself(claim: Claim, value: Value, detail: str = "") -> Outcome:
    """What follows from one place of a paper, set against another: a contradiction where it does not fit.

    An observation of the book's own that does not fit is no contradiction of the paper.
    """
    differs = claim.by == "paper" and compared(claim, value) is Verdict.FAILS
    return Outcome(value, Evidence.ARITHMETIC, detail, contradiction=differs)


# --- tables ---


@register("cell")
def cell(claim: Claim, facts: Facts) -> Outcome:
    """A cell of a transcribed table. Arguments: ``table``, ``row``, ``column``."""
    table, row, column = (claim.arguments[key] for key in ("table", "row", "column"))
    return Outcome(float(printed.cell(table, row, column)), Evidence.ARITHMETIC)


@register("difference of cells")
def difference_of_cells(claim: Claim, facts: Facts) -> Outcome:
    """The first cell less the second. Arguments: ``table``, ``first`` and ``second``, each a row and a column.

    With ``relative`` the detail gives the difference as a share of the first; with ``faces`` both are per cent of that
    many faces, and it gives the counts and an interval.
    """
    table = claim.arguments["table"]
    first, second = (printed.cell(table, *claim.arguments[key]) for key in ("first", "second"))
    detail = f"{first} and {second} are printed"
    # As decimals are printed: no digit beyond the longer of the two.
    places = max(len(text.partition(".")[2]) for text in (first, second))
    difference = round(float(first) - float(second), places)
    if claim.arguments.get("relative"):
        detail += f"; the difference is {100 * difference / float(first):.4f} % of the first"
    if "faces" in claim.arguments:
        detail += f"; {_difference_of_counts(float(first), float(second), claim.arguments['faces'])}"
    return Outcome(difference, Evidence.ARITHMETIC, detail)


def _difference_of_counts(first: float, second: float, faces: int) -> str:
    """Two shares (%) of `faces` as counts, and a 95 % interval of their difference as if the faces were not the same.

    Which faces both runs got right is not printed, so no paired test can be made.
    """
    difference = (first - second) / 100
    half = 1.96 * math.sqrt(sum(p * (1 - p) for p in (first / 100, second / 100)) / faces)
    counts = " and ".join(f"{round(p * faces / 100):,}" for p in (first, second))
    return (
        f"{counts} of {faces:,} faces; 95 % interval of the difference, unpaired, "
        f"{100 * (difference - half):+.1f} to {100 * (difference + half):+.1f} points"
    )


@register("sum of column")
def sum_of_column(claim: Claim, facts: Facts) -> Outcome:
    """The sum of a column of numbers. Arguments: ``table``, ``column``, and ``but``, the rows to leave out."""
    table = printed.table(claim.arguments["table"])
    rows = table[~table.iloc[:, 0].isin(claim.arguments.get("but", []))]
    values = rows[claim.arguments["column"]].astype(float)
    return Outcome(float(values.sum()), Evidence.ARITHMETIC, f"{len(values)} rows")


@register("sum of row")
def sum_of_row(claim: Claim, facts: Facts) -> Outcome:
    """The sum over a row of numbers. Arguments: ``table``, ``row``, and ``but``, the columns to leave out."""
    cells = printed.row(claim.arguments["table"], claim.arguments["row"]).iloc[1:]
    values = [int(cell) for name, cell in cells.items() if name not in claim.arguments.get("but", [])]
    return against_itself(claim, sum(values), " + ".join(map(str, values)))


@register("best row")
def best_row(claim: Claim, facts: Facts) -> Outcome:
    """The row of a table with the largest number in a column. Arguments: ``table``, ``column``."""
    table = printed.table(claim.arguments["table"])
    values = table[claim.arguments["column"]].astype(float)
    first, second = values.sort_values(ascending=False).index[:2]
    best = table.iloc[:, 0][values == values[first]]
    detail = f"{values[first]:g}; next is {table.iloc[second, 0]} with {values[second]:g}"
    return Outcome(" and ".join(best), Evidence.ARITHMETIC, detail)


@register("rows in order")
def rows_in_order(claim: Claim, facts: Facts) -> Outcome:
    """In how many rows of a table one column is at least as large as another.

    Arguments: ``table``, ``larger`` and ``smaller``.
    """
    table = printed.table(claim.arguments["table"])
    larger, smaller = (table[claim.arguments[key]].astype(float) for key in ("larger", "smaller"))
    return Outcome(int((larger >= smaller).sum()), Evidence.ARITHMETIC, f"of {len(table)}")


@register("rows with a cell")
def rows_with(claim: Claim, facts: Facts) -> Outcome:
    """How many rows of a transcribed table have a cell; a contradiction where the paper says otherwise.

    Arguments: ``table``, ``column``, ``cell``.
    """
    table = printed.table(claim.arguments["table"])
    has = table[claim.arguments["column"]] == claim.arguments["cell"]
    others = ", ".join(table[~has].iloc[:, 0])
    return against_itself(claim, int(has.sum()), f"of {len(table)}" + (f"; not: {others}" if others else ""))


@register("same cells")
def same_cells(claim: Claim, facts: Facts) -> Outcome:
    """In how many cells two tables of one layout agree. Arguments: ``tables``, two names.

    A cell that could not be read in one of them is empty and does not count.
    """
    one, other = (printed.table(name).iloc[:, 1:].to_numpy() for name in claim.arguments["tables"])
    readable = (one != "") & (other != "")
    return Outcome(int((one == other)[readable].sum()), Evidence.ARITHMETIC, f"of {int(readable.sum())}")


@register("cells that agree")
def cells_that_agree(claim: Claim, facts: Facts) -> Outcome:
    """In how many cells of the columns they share two tables agree. Arguments: ``tables``, two names."""
    one, other = (printed.table(name) for name in claim.arguments["tables"])
    shared = [name for name in one.columns if name in other.columns]
    agree = one[shared].to_numpy() == other[shared].to_numpy()
    return Outcome(int(agree.sum()), Evidence.ARITHMETIC, f"of {agree.size}")


# --- the same thing in two places ---


@register("printed elsewhere")
def printed_elsewhere(claim: Claim, facts: Facts) -> Outcome:
    """What the paper prints for the same thing in another place; a contradiction where it differs.

    Arguments: ``value`` (text) and ``where``.
    """
    other = claim.arguments["value"]
    detail = f"{claim.arguments['where']}: {other}"
    return Outcome(other, Evidence.ARITHMETIC, detail, contradiction=other != claim.printed)


@register("what others publish")
def what_others_publish(claim: Claim, facts: Facts) -> Outcome:
    """What a source outside of the paper says of the same thing; nothing is computed.

    Arguments: ``value`` and ``source``.
    """
    return Outcome(claim.arguments["value"], Evidence.PUBLISHED, claim.arguments["source"])


@register("printed again")
def printed_again(claim: Claim, facts: Facts) -> Outcome:
    """The number that the paper prints for the same thing in another place.

    With fewer digits there it stands for all numbers that are rounded to it, and the nearest of them is found. A
    contradiction where that is further off than the claim allows: by more than printed rounding, so by any amount if
    both have the same digits, unless the claim brings a tolerance. Arguments: ``value`` (text) and ``where``.
    """
    other, half = Decimal(claim.arguments["value"]), printed.half_digit(claim.arguments["value"])
    value, wanted = float(other), Decimal(claim.printed)
    if half > printed.half_digit(claim.printed) and abs(wanted - other) <= half:
        value = float(wanted)
    detail = f"{claim.arguments['value']} in {claim.arguments['where']}"
    differ = shortfall(claim, value) > tolerance(claim).roughly
    return Outcome(value, Evidence.ARITHMETIC, detail, contradiction=differ)


@register("printed difference")
def printed_difference(claim: Claim, facts: Facts) -> Outcome:
    """A printed number less another. Arguments: ``first`` and ``second`` (texts), and ``where`` both are printed."""
    first, second = (Decimal(claim.arguments[key]) for key in ("first", "second"))
    return Outcome(float(first - second), Evidence.ARITHMETIC, f"{claim.arguments['where']}: {first:,} and {second:,}")


@register("printed by the other paper")
def printed_by_the_other(claim: Claim, facts: Facts) -> Outcome:
    """Cells of another table beside the printed value, without a verdict: neither paper says that they are the same.

    Arguments: ``table``, ``row``, ``columns``, ``because`` (why nothing follows from a difference).
    """
    table, row = claim.arguments["table"], claim.arguments["row"]
    cells = " and ".join(f"{printed.cell(table, row, name)} ({name})" for name in claim.arguments["columns"])
    return Outcome(None, Evidence.ARITHMETIC, f"paper {table[:3]} prints {cells}; {claim.arguments['because']}")


@register("references that miss")
def references_that_miss(claim: Claim, facts: Facts) -> Outcome:
    """How many of a paper's references to its own parts name another part than they mean. Argument: ``table``.

    The table has one row per reference: where it stands, what it names, what it means. More than the claim allows are a
    contradiction.
    """
    table = printed.table(claim.arguments["table"])
    missed = table[table["names"] != table["means"]]
    detail = "; ".join(f"{line['where']}: {line['names']}, means {line['means']}" for _, line in missed.iterrows())
    return against_itself(claim, len(missed), detail)


# --- numbers that stand in the claim ---


@register("product")
def product(claim: Claim, facts: Facts) -> Outcome:
    """The product of ``factors``, printed numbers."""
    factors = claim.arguments["factors"]
    return Outcome(float(np.prod(factors)), Evidence.ARITHMETIC, " × ".join(f"{value:g}" for value in factors))


@register("total")
def total(claim: Claim, facts: Facts) -> Outcome:
    """The sum of ``terms``, printed numbers."""
    terms = claim.arguments["terms"]
    return Outcome(sum(terms), Evidence.ARITHMETIC, " + ".join(map(str, terms)))


@register("printed quotient")
def printed_quotient(claim: Claim, facts: Facts) -> Outcome:
    """A printed number divided by others. Arguments: ``whole`` and ``by``, a list."""
    whole, by = claim.arguments["whole"], claim.arguments["by"]
    detail = f"{whole:,} / ({' × '.join(f'{value:g}' for value in by)})"
    return Outcome(whole / float(np.prod(by)), Evidence.ARITHMETIC, detail)


@register("per cent of")
def per_cent_of(claim: Claim, facts: Facts) -> Outcome:
    """A printed number as a percentage of another. Arguments: ``part`` and ``whole``."""
    part, whole = claim.arguments["part"], claim.arguments["whole"]
    return Outcome(100 * part / whole, Evidence.ARITHMETIC, f"{part:,} of {whole:,}")


@register("names counted")
def names_counted(claim: Claim, facts: Facts) -> Outcome:
    """How many ``names`` the paper lists."""
    names = claim.arguments["names"]
    return Outcome(len(names), Evidence.ARITHMETIC, ", ".join(names))


# --- records ---


@register("recorded")
def recorded(claim: Claim, facts: Facts) -> Outcome:
    """A value of a record.

    Arguments: ``record`` its name, ``fact`` the keys that lead to the value (a list), optionally ``at`` (the value is
    that entry of what is found), ``scale``, ``evidence`` (default: same data), ``detail`` (text, or further keys).
    """
    arguments = claim.arguments
    values = records.read(arguments["record"])["values"]
    value = records.at(values, arguments["fact"])
    if not isinstance(value, str | bool):
        value = float(value) * arguments.get("scale", 1)
    detail = arguments.get("detail", "")
    if isinstance(detail, list):
        detail = str(records.at(values, detail))
    return Outcome(value, Evidence(arguments.get("evidence", "same data")), detail)


@register("share of a record")
def share_of_a_record(claim: Claim, facts: Facts) -> Outcome:
    """A recorded count as a percentage of the sum of others.

    Arguments: ``record``, ``part``, the keys that lead to the count, ``whole``, a list of such keys, and ``of``, what
    is counted.
    """
    values = records.read(claim.arguments["record"])["values"]
    part, *whole = (records.at(values, keys) for keys in (claim.arguments["part"], *claim.arguments["whole"]))
    detail = f"{part:,} of {sum(whole):,}: {claim.arguments['of']}"
    return Outcome(100 * part / sum(whole), Evidence.SAME_DATA, detail)


# --- nothing ---


@register("nothing to check")
def nothing_to_check(claim: Claim, facts: Facts) -> Outcome:
    """A statement without support in its paper, or about something that is not public. Argument: ``because``."""
    return Outcome(None, Evidence.ARITHMETIC, claim.arguments["because"])
