"""Checks of papers 003 and 004: their network's parameters, what tables and equations demand, first labels.

What one printed number implies of another is in :mod:`ferbook.papers.vad.number_checks`, equations and references read
as text in :mod:`ferbook.papers.vad.text_checks`, what was trained in :mod:`ferbook.papers.vad.run_checks`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from scipy import stats

from ferbook.claims import printed
from ferbook.claims.checks import Outcome, register
from ferbook.claims.claim import Claim, Evidence
from ferbook.claims.dataset_summary import Facts
from ferbook.core import records
from ferbook.faces.emotions import FER2013_CODES, VAD_AXES, VAD_POINTS, VAD_SOURCES
from ferbook.learning import requirements
from ferbook.learning.requirements import TABLE
from ferbook.papers.vad import annotated, descriptions

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
    """Parameters of a row of 003's table 2. Arguments: ``place``, ``rule`` (see :func:`layer_amount`).

    By the rule ``formula``, which is the paper's own, the paper contradicts itself where it prints another number.
    """
    place, rule = claim.arguments["place"], claim.arguments["rule"]
    line = printed.row("003-table2", place)
    amount = layer_amount(place, rule)
    differs = _formula_differs(claim, amount)
    said = [f"equations 17 and 18 give {amount:,}"] if differs else []
    said += [f"a network has {layer_amount(place, 'true'):,}"] if line["operation"] == "conv" else []
    return Outcome(amount, Evidence.ARITHMETIC, "; ".join(said), contradiction=differs)


@register("layers amount")
def check_layers_amount(claim: Claim, facts: Facts) -> Outcome:
    """Sum of all rows of 003's table 2. Arguments: ``rule``, ``scale``.

    By the rule ``formula``, which is the paper's own, the paper contradicts itself where it prints another number.
    """
    total = sum(layer_amount(place, claim.arguments["rule"]) for place in layers())
    differs = _formula_differs(claim, total)
    detail = f"equations 17 and 18 give {total:,} in all" if differs else ""
    return Outcome(total * claim.arguments.get("scale", 1), Evidence.ARITHMETIC, detail, contradiction=differs)


def _formula_differs(claim: Claim, amount: int) -> bool:
    return claim.arguments["rule"] == "formula" and amount != int(claim.printed)


@register("layers that differ")
def layers_that_differ(claim: Claim, facts: Facts) -> Outcome:
    """How many rows of 003's table 2 differ between two rules. Arguments: ``rules``, two of them."""
    one, other = claim.arguments["rules"]
    differ = [place for place in layers() if layer_amount(place, one) != layer_amount(place, other)]
    return Outcome(len(differ), Evidence.ARITHMETIC, ", ".join(differ))


@register("blocks with a shortcut")
def blocks_with_a_shortcut(claim: Claim, facts: Facts) -> Outcome:
    """The blocks of 003's table 2 that have a convolution in their shortcut, counted through the four layers."""
    names = {place: place.rpartition("-shortcut")[0] or place.rpartition("-")[0] for place in layers()}
    blocks = list(dict.fromkeys(name for name in names.values() if "-block" in name))
    found = [blocks.index(name) + 1 for place, name in names.items() if place.endswith("shortcut-conv")]
    return Outcome(", ".join(map(str, found)), Evidence.ARITHMETIC, f"of {len(blocks)} blocks")


@register("layers with weights")
def layers_with_weights(claim: Claim, facts: Facts) -> Outcome:
    """Convolutions, shortcuts aside, and fully connected layers of 003's table 2: the number in a ResNet's name."""
    table = printed.table("003-table2")
    counted = table[table["operation"].isin(["conv", "linear"]) & ~table["place"].str.contains("shortcut")]
    return Outcome(len(counted), Evidence.ARITHMETIC)


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
    differs = any(requirements.fails(asked, value) != requirements.fails(tabulated, value) for value in (-1.0, 1.0))
    number = next(line["equation"] for _, line in printed.table("003-equations").iterrows() if line["axis"] == axis)
    detail = f"equation {number} asks for {_words(asked)}, table 1 for {claim.printed}"
    return Outcome(_words(asked) if differs else claim.printed, Evidence.ARITHMETIC, detail, contradiction=differs)


def _words(demand: str) -> str:
    return "nothing" if demand == "any" else demand


@register("cost cell")
def cost_cell(claim: Claim, facts: Facts) -> Outcome:
    """The cost that table 1 implies for a sign. Arguments: ``category``, ``axis``, ``sign`` (">0" or "<0")."""
    demand = TABLE[claim.arguments["category"]][VAD_AXES.index(claim.arguments["axis"])]
    value = {">0": 1.0, "<0": -1.0}[claim.arguments["sign"]]
    return Outcome(int(requirements.fails(demand, value)), Evidence.ARITHMETIC, f"table 1 asks for {_words(demand)}")


@register("published point")
def published_point(claim: Claim, facts: Facts) -> Outcome:
    """The sign of a published VAD point of an emotion word. Arguments: ``category``, ``axis``."""
    category, axis = claim.arguments["category"], claim.arguments["axis"]
    value = VAD_POINTS[category][VAD_AXES.index(axis)]
    sign = ">0" if value > 0 else "<0" if value < 0 else "=0"
    detail = f"{value:+.2f} ({VAD_SOURCES[category]})"
    return Outcome(sign, Evidence.PUBLISHED, detail)


@register("annotated sign")
def annotated_sign(claim: Claim, facts: Facts) -> Outcome:
    """The sign that more than half of a category's annotated faces have. Arguments: ``category``, ``axis``.

    The printed sign is found if the 95 % interval (exact) of the share of faces that have it lies above one half; the
    most frequent of the other signs, if the interval lies below; where it has room for both, nothing is decided.

    Where the paper allows both signs, they agree if each is given to a twentieth of the faces or more.
    """
    category, axis = claim.arguments["category"], claim.arguments["axis"]
    found = records.read("003/annotations")["values"]["by_category"][category]
    negative, zero, positive = (found["signs"][axis][key] for key in ("negative", "zero", "positive"))
    detail = f"below 0: {negative:.0%}, at 0: {zero:.0%}, above: {positive:.0%} of {found['faces']} faces"
    if demand_of(claim.printed) == "any":
        both = min(negative, positive) >= 0.05
        value = claim.printed if both else (">0" if positive > negative else "<0")
        return Outcome(value, Evidence.SAME_DATA, detail)
    shares = {"<0": negative, "=0": zero, ">0": positive}
    asked = shares.pop(claim.printed)
    low, high = stats.binomtest(round(asked * found["faces"]), found["faces"]).proportion_ci(0.95, "exact")
    detail += f"; with the printed sign {asked:.0%} (95 % interval {low:.0%} to {high:.0%})"
    if low > 0.5:
        return Outcome(claim.printed, Evidence.SAME_DATA, detail)
    if high < 0.5:
        return Outcome(max(shares, key=shares.get), Evidence.SAME_DATA, detail)
    return Outcome.open(Evidence.SAME_DATA, f"{detail}, which has room for more and for less than half")


@register("what descriptions tell")
def what_descriptions_tell(claim: Claim, facts: Facts) -> Outcome:
    """What V, A and D tell of other people's answers for the same faces, beside V and A and beside the category.

    No verdict: who annotated may have known the category, and the answers are categories. The detail has the record of
    :mod:`ferbook.papers.vad.descriptions`.
    """
    found = records.read(descriptions.RECORD)["values"]
    bits = {name: f"{told:.2f}" for name, (told, *_) in found["bits"].items()}
    another = "V, A and another's D"
    more = {one["beside"]: "{:+.3f} ({:+.3f} to {:+.3f})".format(*one["bits"]) for one in found["more"]}
    detail = (
        f"of what other people answer for the same {found['faces']:,} pictures V, A and D tell {bits['V, A and D']} "
        f"bits an answer, V and A {bits['V and A']}: {more['V and A']}; beyond the D of another face of the same "
        f"category it is {more[another]}, so D may be an echo of the category, which its annotator could know; the "
        f"category tells {bits['the category']}, but the answers are categories themselves"
    )
    return Outcome.open(Evidence.SAME_DATA, detail)


# --- the consistency cost ---

#: Values per axis at which the slope of the printed costs is measured, and the step on either side.
PROBES, STEP = 200, 1e-4


@register("slope of the cost")
def slope_of_the_cost(claim: Claim, facts: Facts) -> Outcome:
    """Of predictions all over [-1, 1], the share (%) at which a printed consistency cost has a slope.

    Both definitions (003's table 1, which 004's table 2 writes out, and 003's equations 5, 9, 13), all categories and
    axes, on either side of each of ``PROBES`` values. A cost without a slope pulls at nothing, whatever the network.
    """
    values = [2 * (k + 0.5) / PROBES - 1 for k in range(PROBES)]
    tried = sloped = 0
    for definition in requirements.DEFINITIONS.values():
        for asked in definition.values():
            for demand in asked:
                for value in values:
                    tried += 1
                    sloped += requirements.fails(demand, value - STEP) != requirements.fails(demand, value + STEP)
    detail = (
        f"{tried:,} predictions tried: two definitions, {len(requirements.TABLE)} categories, three axes, {PROBES} "
        "values; the cost is a step, flat on either side of 0, and the category is chosen by the largest output, which "
        "has no slope either"
    )
    return Outcome(100 * sloped / tried, Evidence.ARITHMETIC, detail)


@register("costs of the published code")
def costs_of_the_code(claim: Claim, facts: Facts) -> Outcome:
    """In how many of 21 cells (category by axis) the workbook of the published code follows a printed definition.

    Argument: ``definition`` (``table`` or ``equations``). The costs of values above and below 0 count; no prediction is
    exactly 0. The detail names the other cells.
    """
    costs = records.read(annotated.FIRST_RECORD)["values"]["costs"]
    definition = requirements.DEFINITIONS[claim.arguments["definition"]]
    others = [
        f"{category} {axis}"
        for category, axes in costs.items()
        for axis, asked in zip(VAD_AXES, definition[category], strict=True)
        if any(axes[axis][sign] != requirements.fails(asked, value) for sign, value in ((">0", 1.0), ("<0", -1.0)))
    ]
    cells = len(costs) * len(VAD_AXES)
    return Outcome(cells - len(others), Evidence.SAME_DATA, f"of {cells}; not: {', '.join(others)}")


# --- the labels that were public with paper 003 ---


@register("constant on the first release")
def constant_on_the_first_release(claim: Claim, facts: Facts) -> Outcome:
    """The average loss of the best single value for all faces of a test, as the published code averages.

    Arguments: ``part`` (``public`` or ``private``), ``axis``. Recorded from the 31 labels of each test that stood in
    the authors' repository when paper 003 was published.
    """
    part, axis = claim.arguments["part"], claim.arguments["axis"]
    stored = records.read(annotated.FIRST_RECORD)["values"][part]
    found = stored[axis]
    detail = (
        f"the value {found['best']:+.2f} for each of {stored['faces']} faces; the mean of the training rows scores "
        f"{found['train_mean']:.4f}, the value 0 scores {found['zero']:.4f}"
    )
    return Outcome(found["loss"], Evidence.SAME_DATA, detail)


@register("losses above a constant")
def losses_above_a_constant(claim: Claim, facts: Facts) -> Outcome:
    """How many of the six losses without consistency exceed the best constant's on the first release.

    They are table 3's losses with it plus the decreases that section V prints. The detail says how many exceed it
    however the two were rounded.
    """
    values = records.read(annotated.FIRST_RECORD)["values"]
    losses = {(axis, part): without(axis, part) for part in ("public", "private") for axis in VAD_AXES}
    constants = {(axis, part): values[part][axis]["loss"] for axis, part in losses}
    above = sum(loss > constants[place] for place, (loss, _) in losses.items())
    surely = sum(loss - slack > constants[place] for place, (loss, slack) in losses.items())
    said = "; ".join(
        f"{axis}, {part}: {loss:.3f} against {constants[axis, part]:.4f}" for (axis, part), (loss, _) in losses.items()
    )
    return Outcome(above, Evidence.SAME_DATA, f"{said}; {surely} of them however the printed numbers were rounded")


def without(axis: str, part: str) -> tuple[float, float]:
    """The loss without consistency that 003's table 3 and section V give, and by how much rounding may move it."""
    texts = printed.cell("003-table3", axis, f"{part}, all"), printed.cell("003-decreases", axis, part)
    return sum(map(float, texts)), float(sum(map(printed.half_digit, texts)))


# --- 003, one model or four ---

#: Name of the record of what one model of all axes takes, named here because its module imports torch.
ONE_MODEL = "003/one-model"


@register("one model or one for each axis")
def one_model_or_each(claim: Claim, facts: Facts) -> Outcome:
    """How many times the multiply-adds of one model of all axes a model of each axis takes, under the worse reading."""
    readings = records.read(ONE_MODEL)["values"]["readings"]
    times = {
        name: found["multiply_adds"]["apart"] / found["multiply_adds"]["together"] for name, found in readings.items()
    }
    said = "; ".join(
        f"{LAYOUTS[name]}: {times[name]:.2f} times, and {_timed(found)}" for name, found in readings.items()
    )
    return Outcome(min(times.values()), Evidence.ARITHMETIC, said)


#: The two readings of the papers' network, in words.
LAYOUTS = {"vad_shared": "one trunk for all tasks", "vad_separate": "a network for each task"}


def _timed(found: Mapping[str, Any]) -> str:
    low, high = found["factor_interval"]
    return f"{found['factor']:.2f} times ({low:.2f} to {high:.2f}) the time of a training step"
