"""Checks of papers 003 and 004, and some that any paper can use: on transcribed tables, on two places, on records."""

from __future__ import annotations

import math
from typing import Any

from ferbook import demands, printed, records
from ferbook.claims import Claim, Evidence, Outcome, register
from ferbook.demands import TABLE
from ferbook.emotions import FER2013_CODES, VAD_AXES, VAD_POINTS, VAD_SOURCES, canonical
from ferbook.facts import Facts

#: Faces in each of FER2013's two test parts, and of each category in them, in the order of ``FER2013_CODES``. Widely
#: printed figures that sum to the parts' sizes; fer2013.csv was not at hand to count them again.
FER2013_TEST = 3589
FER2013_TEST_CLASSES: dict[str, tuple[int, ...]] = {
    "public": (467, 56, 496, 895, 653, 415, 607),
    "private": (491, 55, 528, 879, 594, 416, 626),
}


@register("cell")
def cell(claim: Claim, facts: Facts) -> Outcome:
    """A cell of a transcribed table. Arguments: ``table``, ``row``, ``column``."""
    return Outcome(float(printed.cell(**claim.arguments)), Evidence.ARITHMETIC)


@register("difference of cells")
def difference_of_cells(claim: Claim, facts: Facts) -> Outcome:
    """The first cell less the second. Arguments: ``table``, ``first`` and ``second``, each a row and a column."""
    table = claim.arguments["table"]
    first, second = (printed.cell(table, *claim.arguments[key]) for key in ("first", "second"))
    detail = f"{first} and {second} are printed"
    # As decimals are printed: no digit beyond the longer of the two.
    places = max(len(text.partition(".")[2]) for text in (first, second))
    return Outcome(round(float(first) - float(second), places), Evidence.ARITHMETIC, detail)


@register("sum of column")
def sum_of_column(claim: Claim, facts: Facts) -> Outcome:
    """The sum of a column of numbers. Arguments: ``table``, ``column``, and ``but``, the rows to leave out."""
    table = printed.table(claim.arguments["table"])
    rows = table[~table.iloc[:, 0].isin(claim.arguments.get("but", []))]
    values = rows[claim.arguments["column"]].astype(float)
    return Outcome(float(values.sum()), Evidence.ARITHMETIC, f"{len(values)} rows")


@register("printed elsewhere")
def printed_elsewhere(claim: Claim, facts: Facts) -> Outcome:
    """What the paper prints for the same thing in another place; a contradiction where it differs.

    Arguments: ``value`` (text) and ``where``.
    """
    other = claim.arguments["value"]
    detail = f"{claim.arguments['where']} has {other}"
    return Outcome(other, Evidence.ARITHMETIC, detail, contradiction=other != claim.printed)


@register("nothing to check")
def nothing_to_check(claim: Claim, facts: Facts) -> Outcome:
    """A statement without support in its paper, or about something that is not public. Argument: ``because``."""
    return Outcome(None, Evidence.ARITHMETIC, claim.arguments["because"])


@register("recorded")
def recorded(claim: Claim, facts: Facts) -> Outcome:
    """A value of a record.

    Arguments: ``record`` its name, ``fact`` the keys that lead to the value (a list), optionally ``at`` (the value is
    that entry of what is found), ``scale``, ``evidence`` (default: same data), ``detail`` (text, or further keys).
    """
    arguments = claim.arguments
    values = records.read(arguments["record"])["values"]
    value = _follow(values, arguments["fact"])
    if not isinstance(value, str | bool):
        value = float(value) * arguments.get("scale", 1)
    detail = arguments.get("detail", "")
    if isinstance(detail, list):
        detail = str(_follow(values, detail))
    return Outcome(value, Evidence(arguments.get("evidence", "same data")), detail)


def _follow(values: Any, keys: list[str | int]) -> Any:
    for key in keys:
        values = values[key]
    return values


# --- 003, table 2 ---


def layer_amount(place: str, rule: str) -> int:
    """Parameters of one row of 003's table 2.

    Parameters
    ----------
    place: the row's name.
    rule: ``printed``; ``formula``, equations (17) and (18), with a fully connected layer and its bias counted as usual;
        or ``true``, which does not divide by the stride.
    """
    line = printed.row("003-table2", place)
    if rule == "printed":
        return int(line["amount"])
    outputs = int(line["outputs"] or 0)
    match line["operation"]:
        case "conv":
            taps = math.prod(int(side) for side in line["kernel"].split("*"))
            amount = int(line["inputs"]) * outputs * taps
            return amount // int(line["stride"]) ** 2 if rule == "formula" else amount
        case "bn":
            return 2 * outputs
        case "linear":
            return (int(line["inputs"]) + 1) * outputs
        case _:
            return 0


def layers() -> list[str]:
    """The rows of 003's table 2 that are operations, in order."""
    return [place for place in printed.table("003-table2")["place"] if place != "total"]


@register("layer amount")
def check_layer_amount(claim: Claim, facts: Facts) -> Outcome:
    """Parameters of a row of 003's table 2. Arguments: ``place``, ``rule`` (see :func:`layer_amount`)."""
    place = claim.arguments["place"]
    line = printed.row("003-table2", place)
    detail = f"a network has {layer_amount(place, 'true'):,}" if line["operation"] == "conv" else ""
    return Outcome(layer_amount(place, claim.arguments["rule"]), Evidence.ARITHMETIC, detail)


@register("layers amount")
def check_layers_amount(claim: Claim, facts: Facts) -> Outcome:
    """Sum of all rows of 003's table 2. Arguments: ``rule``, ``scale``."""
    total = sum(layer_amount(place, claim.arguments["rule"]) for place in layers())
    return Outcome(total * claim.arguments.get("scale", 1), Evidence.ARITHMETIC)


@register("layers that differ")
def layers_that_differ(claim: Claim, facts: Facts) -> Outcome:
    """How many rows of 003's table 2 differ between two rules. Arguments: ``rules``, two of them."""
    one, other = claim.arguments["rules"]
    differ = [place for place in layers() if layer_amount(place, one) != layer_amount(place, other)]
    return Outcome(len(differ), Evidence.ARITHMETIC, ", ".join(differ))


# --- demands: 003, table 1 and equations (5), (9), (13); 004, tables 1 and 2 ---


def demand_of(text: str) -> str:
    """A printed demand in the library's words: ">0 or <0" asks for nothing."""
    return "any" if " or " in text else text


def equation_demands(axis: str) -> dict[str, str]:
    """What 003's equation for an axis asks of each category: the opposite of what it charges."""
    opposite = {"!=0": "=0", "<=0": ">0", ">=0": "<0", ">0": "<=0"}
    table = printed.table("003-equations")
    charged = {FER2013_CODES[int(line["class"])]: line["costs if"] for _, line in table.iterrows() if line.axis == axis}
    return {name: opposite[charged[name]] if name in charged else "any" for name in FER2013_CODES}


@register("equation's demand")
def check_equation(claim: Claim, facts: Facts) -> Outcome:
    """What 003's equation asks of a category, beside its table 1. Arguments: ``category``, ``axis``.

    Two demands that differ for the value 0 alone count as the same: no prediction is exactly 0.
    """
    category, axis = claim.arguments["category"], claim.arguments["axis"]
    asked = equation_demands(axis)[category]
    tabulated = demand_of(claim.printed)
    differs = any(demands.fails(asked, value) != demands.fails(tabulated, value) for value in (-1.0, 1.0))
    detail = f"the equation asks for {_words(asked)}"
    return Outcome(_words(asked) if differs else claim.printed, Evidence.ARITHMETIC, detail, contradiction=differs)


def _words(demand: str) -> str:
    return "nothing" if demand == "any" else demand


@register("cost cell")
def cost_cell(claim: Claim, facts: Facts) -> Outcome:
    """The cost that table 1 implies for a sign. Arguments: ``category``, ``axis``, ``sign`` (">0" or "<0")."""
    demand = TABLE[claim.arguments["category"]][VAD_AXES.index(claim.arguments["axis"])]
    value = {">0": 1.0, "<0": -1.0}[claim.arguments["sign"]]
    return Outcome(int(demands.fails(demand, value)), Evidence.ARITHMETIC, f"table 1 asks for {_words(demand)}")


@register("same cells")
def same_cells(claim: Claim, facts: Facts) -> Outcome:
    """In how many cells two tables of one layout agree. Arguments: ``tables``, two names."""
    one, other = (printed.table(name) for name in claim.arguments["tables"])
    same = int((one.iloc[:, 1:].to_numpy() == other.iloc[:, 1:].to_numpy()).sum())
    return Outcome(same, Evidence.ARITHMETIC, f"of {one.iloc[:, 1:].size}")


@register("published point")
def published_point(claim: Claim, facts: Facts) -> Outcome:
    """The sign of a published VAD point of an emotion word. Arguments: ``category``, ``axis``.

    Where the paper allows both signs, either agrees.
    """
    category, axis = claim.arguments["category"], claim.arguments["axis"]
    value = VAD_POINTS[category][VAD_AXES.index(axis)]
    sign = ">0" if value > 0 else "<0" if value < 0 else "=0"
    detail = f"{value:+.2f} ({VAD_SOURCES[category]})"
    return Outcome(sign, Evidence.OTHER_DATA, detail)


@register("annotated sign")
def annotated_sign(claim: Claim, facts: Facts) -> Outcome:
    """The sign of the median annotation of a category. Arguments: ``category``, ``axis``.

    Where the paper allows both signs, they agree if each is given to a twentieth of the faces or more.
    """
    category, axis = claim.arguments["category"], claim.arguments["axis"]
    found = records.read("003/annotations")["values"]["by_category"][category]
    negative, zero, positive = (found["signs"][axis][key] for key in ("negative", "zero", "positive"))
    detail = f"below 0: {negative:.0%}, at 0: {zero:.0%}, above: {positive:.0%} of {found['faces']} faces"
    if demand_of(claim.printed) == "any":
        both = min(negative, positive) >= 0.05
        value = claim.printed if both else (">0" if positive > negative else "<0")
    else:
        middle = found["median"][axis]
        value = ">0" if middle > 0 else "<0" if middle < 0 else "=0"
    return Outcome(value, Evidence.SAME_DATA, detail)


# --- numbers that imply others ---


@register("implied decrease")
def implied_decrease(claim: Claim, facts: Facts) -> Outcome:
    """Relative decreases (%) that 003's table 3 and its discussion imply, against the abstract's. Argument: ``axis``.

    The decreases of both tests are computed with all rounding that the printed digits allow. The value is the nearest
    that can be had to the printed one; outside both ranges the paper contradicts itself.
    """
    axis = claim.arguments["axis"]
    wanted = float(claim.printed)
    ranges = {}
    for part in ("public", "private"):
        after, drop = (
            _bounds(printed.cell(*place))
            for place in (("003-table3", axis, f"{part}, all"), ("003-decreases", axis, part))
        )
        ranges[part] = (100 * drop[0] / (after[1] + drop[0]), 100 * drop[1] / (after[0] + drop[1]))
    half = 0.5 * 10.0 ** -len(claim.printed.partition(".")[2])
    possible = any(low - half <= wanted <= high + half for low, high in ranges.values())
    nearest = min((min(max(wanted, low), high) for low, high in ranges.values()), key=lambda v: abs(v - wanted))
    detail = "; ".join(f"{part} test {low:.1f} to {high:.1f} %" for part, (low, high) in ranges.items())
    return Outcome(nearest, Evidence.ARITHMETIC, detail, contradiction=not possible)


def _bounds(text: str) -> tuple[float, float]:
    """What a printed number may stand for."""
    half = 0.5 * 10.0 ** -len(text.partition(".")[2])
    return float(text) - half, float(text) + half


@register("share of faces")
def share_of_faces(claim: Claim, facts: Facts) -> Outcome:
    """The share, or difference of two shares, of `faces` that is nearest to the printed per cent.

    Arguments: ``faces`` (default: a test part of FER2013), ``hint``, a smaller number that fits too.
    """
    faces = claim.arguments.get("faces", FER2013_TEST)
    count = round(float(claim.printed) * faces / 100)
    detail = f"{count:,} of {faces:,}"
    if "hint" in claim.arguments:
        other = claim.arguments["hint"]
        few = round(float(claim.printed) * other / 100)
        detail += f"; {few} of {other} would be {100 * few / other:.3f}"
    return Outcome(100 * count / faces, Evidence.ARITHMETIC, detail)


@register("accuracy implied by recalls")
def accuracy_implied(claim: Claim, facts: Facts) -> Outcome:
    """The accuracy (%) nearest to the printed one that 004's figure 2 allows on a part of FER2013.

    Arguments: ``part``. Uses recalls as printed, ranges included, with their rounding.
    """
    counts = FER2013_TEST_CLASSES[claim.arguments["part"]]
    table = printed.table("004-figure2")
    low = high = 0.0
    for _, line in table[table["true"] == table["predicted"]].iterrows():
        faces = counts[FER2013_CODES.index(canonical(line["true"]))]
        low += faces * _bounds(line["low"])[0]
        high += faces * _bounds(line["high"])[1]
    low, high = 100 * low / sum(counts), 100 * high / sum(counts)
    detail = f"the recalls allow {low:.1f} to {high:.1f} %"
    return Outcome(min(max(float(claim.printed), low), high), Evidence.ARITHMETIC, detail)


@register("whole faces")
def whole_faces(claim: Claim, facts: Facts) -> Outcome:
    """The share of a category nearest to the printed. Arguments: ``category``, ``part`` of FER2013's tests."""
    counts = FER2013_TEST_CLASSES[claim.arguments["part"]]
    faces = counts[FER2013_CODES.index(claim.arguments["category"])]
    count = round(float(claim.printed) * faces)
    detail = f"{count} of the {faces} faces in the {claim.arguments['part']} test part"
    return Outcome(count / faces, Evidence.ARITHMETIC, detail)
