"""Checks of papers 003 and 004: their tables, equations and figures, and what one printed number implies of another."""

from __future__ import annotations

import math

from scipy import stats

from ferbook import demands, printed, records
from ferbook.claims import Claim, Evidence, Outcome, register
from ferbook.demands import TABLE
from ferbook.emotions import FER2013_CODES, VAD_AXES, VAD_POINTS, VAD_SOURCES, canonical
from ferbook.facts import Facts

#: Faces in each of FER2013's two test parts, and of each category in them, in the order of ``FER2013_CODES``. Widely
#: printed figures that sum to the parts' sizes; fer2013.csv was not at hand to count them again, and every outcome that
#: rests on them says so (``NOT_COUNTED``).
FER2013_TEST = 3589
FER2013_TEST_CLASSES: dict[str, tuple[int, ...]] = {
    "public": (467, 56, 496, 895, 653, 415, 607),
    "private": (491, 55, 528, 879, 594, 416, 626),
}
NOT_COUNTED = "faces per category as widely printed for FER2013, not counted here"


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
    differs = any(demands.fails(asked, value) != demands.fails(tabulated, value) for value in (-1.0, 1.0))
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
    return Outcome(int(demands.fails(demand, value)), Evidence.ARITHMETIC, f"table 1 asks for {_words(demand)}")


@register("published point")
def published_point(claim: Claim, facts: Facts) -> Outcome:
    """The sign of a published VAD point of an emotion word. Arguments: ``category``, ``axis``."""
    category, axis = claim.arguments["category"], claim.arguments["axis"]
    value = VAD_POINTS[category][VAD_AXES.index(axis)]
    sign = ">0" if value > 0 else "<0" if value < 0 else "=0"
    detail = f"{value:+.2f} ({VAD_SOURCES[category]})"
    return Outcome(sign, Evidence.OTHER_DATA, detail)


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


# --- numbers that imply others ---


#: Two ways to read "the loss decreases by x %": as a difference of losses times 100, as a share of the loss before.
READINGS = ("difference of losses", "share of the loss")


def decreases(axis: str) -> dict[tuple[str, str], tuple[float, float]]:
    """Decreases (%) of 003's losses by reading and test, each with all rounding that the printed digits allow.

    The discussion prints the differences, table 3 the losses with consistency.
    """
    found = {}
    for part in ("public", "private"):
        after, drop = (
            _bounds(printed.cell(*place))
            for place in (("003-table3", axis, f"{part}, all"), ("003-decreases", axis, part))
        )
        found[READINGS[0], part] = (100 * drop[0], 100 * drop[1])
        found[READINGS[1], part] = (100 * drop[0] / (after[1] + drop[0]), 100 * drop[1] / (after[0] + drop[1]))
    return found


def fitting(axis: str, text: str) -> set[str]:
    """Under which readings the printed decrease `text` (%) of an axis follows, on either test."""
    least, most = _bounds(text)
    # Ends that meet count as meeting, whatever the last bit of a float says.
    near = 1e-9
    ranges = decreases(axis).items()
    return {reading for (reading, _), (low, high) in ranges if low <= most + near and least <= high + near}


@register("implied decrease")
def implied_decrease(claim: Claim, facts: Facts) -> Outcome:
    """The decrease (%) of a loss that 003's table 3 and discussion imply, against the abstract's. Argument: ``axis``.

    The value is the nearest to the printed one that any reading of either test allows; if none fits, the paper
    contradicts itself.
    """
    axis = claim.arguments["axis"]
    wanted = float(claim.printed)
    ranges = decreases(axis)
    nearest = min((min(max(wanted, low), high) for low, high in ranges.values()), key=lambda v: abs(v - wanted))
    fits = fitting(axis, claim.printed)
    detail = "; ".join(f"as a {r}, {part} test: {low:.2f} to {high:.2f} %" for (r, part), (low, high) in ranges.items())
    return Outcome(nearest, Evidence.ARITHMETIC, detail, contradiction=not fits)


@register("one kind of decrease")
def one_kind_of_decrease(claim: Claim, facts: Facts) -> Outcome:
    """Under how many readings all three decreases of 003's abstract follow; with none the paper contradicts itself."""
    printed_as = {axis: printed.cell("003-decreases", axis, "abstract") for axis in VAD_AXES}
    fits = {
        reading: [axis for axis, text in printed_as.items() if reading in fitting(axis, text)] for reading in READINGS
    }
    detail = "; ".join(
        f"as a {reading} fit: {', '.join(f'{axis} ({printed_as[axis]} %)' for axis in axes) or 'none'}"
        for reading, axes in fits.items()
    )
    whole = [reading for reading, axes in fits.items() if len(axes) == len(VAD_AXES)]
    return Outcome(whole[0] if whole else "none", Evidence.ARITHMETIC, detail, contradiction=not whole)


def _bounds(text: str) -> tuple[float, float]:
    """What a printed number may stand for."""
    half = float(printed.half_digit(text))
    return float(text) - half, float(text) + half


@register("share of faces")
def share_of_faces(claim: Claim, facts: Facts) -> Outcome:
    """The share of the faces of a test part of FER2013 that is nearest to the printed per cent."""
    count = round(float(claim.printed) * FER2013_TEST / 100)
    return Outcome(100 * count / FER2013_TEST, Evidence.ARITHMETIC, f"{count:,} of {FER2013_TEST:,}")


@register("numbers of faces that fit")
def numbers_of_faces(claim: Claim, facts: Facts) -> Outcome:
    """Of how many test faces a printed gain (%) could be a share. No verdict: too many numbers fit.

    Arguments: ``most``, the largest number of faces that is tried; ``few``, one that is shown; ``beside``, gains
    (texts) of the same faces. The detail also gives accuracies in whole per cent whose ratio would fit.
    """
    most, few, beside = (claim.arguments[key] for key in ("most", "few", "beside"))
    shown = "; ".join(
        f"of {faces:,} faces the nearest is {count:,}, {100 * count / faces:.3f} %"
        for faces in (most, few)
        for count in [round(float(claim.printed) * faces / 100)]
    )
    fit = set(fitting_faces(claim.printed, most))
    together = fit.intersection(*(fitting_faces(text, most) for text in beside))
    pairs = " or ".join(f"{low} to {high} %" for low, high in ratios(claim.printed))
    detail = (
        f"{shown}; {len(fit):,} numbers of faces up to {most:,} have such a share, and {len(together):,} of them also "
        f"one of {' and '.join(beside)} %; as a relative gain it would fit accuracies that rise from {pairs}"
    )
    return Outcome(None, Evidence.ARITHMETIC, detail)


def fitting_faces(text: str, most: int) -> list[int]:
    """Numbers of faces up to `most` of which some count is `text` per cent, as printed."""
    low, high = _bounds(text)
    counts = ((faces, round(float(text) * faces / 100)) for faces in range(1, most + 1))
    return [faces for faces, count in counts if low <= 100 * count / faces <= high]


def ratios(text: str, least: int = 50) -> list[tuple[int, int]]:
    """Accuracies in whole per cent, from `least` on, of which the second exceeds the first by `text` per cent of it."""
    low, high = _bounds(text)
    pairs = ((a, b) for a in range(least, 100) for b in range(a + 1, 101))
    return [(a, b) for a, b in pairs if low <= 100 * (b - a) / a <= high]


@register("sign tests at best")
def sign_tests_at_best(claim: Claim, facts: Facts) -> Outcome:
    """What two-sided exact sign tests give if gains (% of ``faces``) came without a single loss. No verdict.

    Arguments: ``faces``, ``gains`` (texts, as printed).
    """
    faces = claim.arguments["faces"]
    counts = [round(float(gain) * faces / 100) for gain in claim.arguments["gains"]]
    levels = " and ".join(f"{2 * 0.5**count:.2f}" for count in counts)
    of = " and ".join(map(str, counts))
    detail = f"if they are {of} faces of {faces}, with none lost in return, exact sign tests give p = {levels}"
    return Outcome(None, Evidence.ARITHMETIC, detail)


@register("all of a few")
def all_of_a_few(claim: Claim, facts: Facts) -> Outcome:
    """The true rates with which `hits` hits of as many tries agree (95 %, exact). No verdict. Argument: ``hits``."""
    hits = claim.arguments["hits"]
    least = 0.025 ** (1 / hits)
    return Outcome(None, Evidence.ARITHMETIC, f"{hits} hits of {hits} agree with true rates from {least:.0%} to 100%")


@register("accuracy implied by recalls")
def accuracy_implied(claim: Claim, facts: Facts) -> Outcome:
    """The accuracy (%) nearest to the printed one that the recalls in 004's section 3.1 allow on a part of FER2013.

    Arguments: ``part``; ``beside``, another accuracy's table, row and column for the detail. Uses recalls as printed,
    ranges included, with their rounding.
    """
    counts = FER2013_TEST_CLASSES[claim.arguments["part"]]
    table = printed.table("004-section31")
    low = high = 0.0
    for _, line in table[table["true"] == table["predicted"]].iterrows():
        faces = counts[FER2013_CODES.index(canonical(line["true"]))]
        low += faces * _bounds(line["low"])[0]
        high += faces * _bounds(line["high"])[1]
    low, high = 100 * low / sum(counts), 100 * high / sum(counts)
    detail = f"on the {claim.arguments['part']} test the recalls allow {low:.1f} to {high:.1f} %"
    if "beside" in claim.arguments:
        other = printed.cell(*claim.arguments["beside"])
        place = "inside" if low <= float(other) <= high else "outside"
        detail += f"; {other} lies {place}"
    return Outcome(min(max(float(claim.printed), low), high), Evidence.ARITHMETIC, f"{detail} ({NOT_COUNTED})")


@register("whole faces")
def whole_faces(claim: Claim, facts: Facts) -> Outcome:
    """A share of a category's faces as FER2013's public test, or its private test, can give it.

    Arguments: ``category``, and ``row``, all printed shares of the category (texts): the part that comes nearest to all
    of them together counts. The detail gives the nearest count on each part, and on both together, which are so many
    faces that they decide nothing.
    """
    k = FER2013_CODES.index(claim.arguments["category"])
    parts = {part: counts[k] for part, counts in FER2013_TEST_CLASSES.items()}
    wanted = float(claim.printed)

    def nearest(share: float, faces: int) -> float:
        return round(share * faces) / faces

    def misfit(faces: int) -> float:
        return max(abs(nearest(share, faces) - share) for share in map(float, claim.arguments["row"]))

    best = min(parts, key=lambda part: misfit(parts[part]))
    shown = "; ".join(
        f"{part}: {round(wanted * faces)} of {faces}, {nearest(wanted, faces):.3f}"
        for part, faces in {**parts, "both": sum(parts.values())}.items()
    )
    detail = f"nearest to all shares of the row is the {best} test; {shown} ({NOT_COUNTED})"
    return Outcome(nearest(wanted, parts[best]), Evidence.ARITHMETIC, detail)


@register("zero faces")
def zero_faces(claim: Claim, facts: Facts) -> Outcome:
    """How many faces of a category a printed share of nothing may hide. No verdict. Argument: ``category``."""
    faces = FER2013_TEST_CLASSES["public"][FER2013_CODES.index(claim.arguments["category"])]
    most = math.floor(_bounds(claim.printed)[1] * faces)
    detail = (
        "the share is printed once, and the figure that it comes from is not in the text that we read; "
        f"up to {most} of {faces} faces would round to it ({NOT_COUNTED})"
    )
    return Outcome(None, Evidence.ARITHMETIC, detail)


@register("sum of recalls")
def sum_of_recalls(claim: Claim, facts: Facts) -> Outcome:
    """The sum of shares that 004's section 3.1 quotes. Argument: ``cells``, pairs of true and predicted category."""
    shares = [_share(*pair) for pair in claim.arguments["cells"]]
    return Outcome(sum(map(float, shares)), Evidence.ARITHMETIC, " + ".join(shares))


@register("extreme recalls")
def extreme_recalls(claim: Claim, facts: Facts) -> Outcome:
    """The two best recognised categories by the recalls in 004's section 3.1, or with ``worst`` the two worst.

    The most extreme comes first.
    """
    table = printed.table("004-section31")
    recalls = table[table["true"] == table["predicted"]].astype({"low": float, "high": float})
    worst = claim.arguments.get("worst", False)
    # A range counts with its end nearer to the extreme, so that a category leads only if it does so in any case.
    ranked = recalls.sort_values("low" if worst else "high", ascending=worst)
    return Outcome(", ".join(ranked["true"][:2]), Evidence.ARITHMETIC)


def _share(true: str, predicted: str) -> str:
    """A share in 004's section 3.1 that is printed alone, not as a range."""
    table = printed.table("004-section31")
    (line,) = (line for _, line in table.iterrows() if (line["true"], line["predicted"]) == (true, predicted))
    return str(line["low"])


# --- 004, figure 3 ---


@register("spread of a single split")
def spread_of_a_split(claim: Claim, facts: Facts) -> Outcome:
    """The spread of errors with learning data alone, beside that with V, A, D added. No verdict.

    The published code tests six students once, with one seed of a regressor that draws at random, so either order may
    be chance. The detail has the recorded numbers of that split and of each student left out once.
    """
    values = records.read("004/outcomes")["values"]
    splits = {
        "published split": values["single"]["published features"],
        "each student left out once": values["leave_one_out"]["ada_rf_exp"]["errors"],
    }
    said = [
        f"{place}: {alone['spread']:.2f} marks alone, {both['spread']:.2f} with V, A, D ({alone['students']} students)"
        for place, split in splits.items()
        for alone, both in [(split["learning data"], split["learning data + V, A, D"])]
    ]
    detail = (
        f"{'; '.join(said)}; the first is one seed of a regressor that draws at random, and no interval of "
        "either difference is recorded"
    )
    return Outcome.open(Evidence.SAME_DATA, detail)
