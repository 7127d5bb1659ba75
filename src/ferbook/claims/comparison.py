"""How a found value is compared with the printed one: relations, tolerances, printed rounding.

Nothing here imports torch.
"""

import math
from decimal import Decimal

import numpy as np

from ferbook.claims.claim import Claim, Tolerance, Value, Verdict, with_unit
from ferbook.claims.printed import half_digit

#: Shares of the printed value within which "about" holds, and holds roughly, where a claim sets no tolerance itself.
#: For counts, sizes and times; an accuracy has :func:`accuracy_tolerance`.
ABOUT_HOLDS, ABOUT_ROUGHLY = 0.025, 0.10


def compared(claim: Claim, value: Value) -> Verdict:
    """Compare a value with what is printed, whatever the value rests on."""
    if isinstance(value, bool | str):
        return Verdict.HOLDS if str(value) == claim.printed else Verdict.FAILS
    if math.isnan(value):
        raise ValueError("the check gave NaN")
    off = shortfall(claim, float(value))
    allowed = tolerance(claim)
    if off <= allowed.holds:
        return Verdict.HOLDS
    return Verdict.ROUGHLY if off <= allowed.roughly else Verdict.FAILS


def tolerance(claim: Claim) -> Tolerance:
    """What the claim allows: its own tolerance, or that of an accuracy, or its relation's."""
    if claim.tolerance is not None:
        return claim.tolerance
    if claim.faces is not None:
        return accuracy_tolerance(claim)
    if claim.relation == "about":
        size = abs(float(claim.printed))
        return Tolerance(holds=ABOUT_HOLDS * size, roughly=ABOUT_ROUGHLY * size)
    return Tolerance(holds=0, roughly=0)


def accuracy_tolerance(claim: Claim) -> Tolerance:
    """What an accuracy of a known number of test faces allows, in points.

    Printed again in the same paper, it is the same number: half of its last digit holds, one unit of it holds roughly.
    Of networks that were trained again it varies with the test faces: 1.96 standard errors of a share of that many
    faces are added to hold, and twice as many to hold roughly.
    """
    half = float(half_digit(claim.printed.split(" to ")[0]))
    if claim.kind != "trained":
        return Tolerance(holds=half, roughly=2 * half)
    share = float(np.mean(claim.bounds if claim.relation == "between" else float(claim.printed))) / 100
    error = 196 * math.sqrt(share * (1 - share) / claim.faces)
    return Tolerance(holds=half + error, roughly=half + 2 * error)


def allowance(claim: Claim, value: Value | None) -> str:
    """What the claim allows, in words: how far the found value may lie from the printed one."""
    unit = f" {claim.unit}".rstrip()
    if value is None:
        return "none: nothing was found to compare"
    if isinstance(value, bool | str):
        return "none: the same word or digits"
    if claim.tolerance is None and claim.faces is None and claim.relation == "equals":
        middle = Decimal(claim.printed)
        half = half_digit(middle)
        return f"printed rounding: {middle - half:f} to {middle + half:f}{unit}"
    allowed = tolerance(claim)
    if allowed.roughly == 0:
        return f"none: {with_unit(claim.stated, claim.unit)}"
    beyond = "from" if claim.relation in ("equals", "about") else "on the wrong side of"
    if claim.relation == "between":
        beyond = "outside"
    return (
        f"holds up to {with_unit(_plain(allowed.holds), claim.unit)} {beyond} {claim.number}, "
        f"holds roughly up to {with_unit(_plain(allowed.roughly), claim.unit)}"
    )


def _plain(number: float) -> str:
    return f"{number:,.0f}" if number >= 10_000 else f"{number:g}"


def shortfall(claim: Claim, value: float) -> float:
    """How far `value` is from satisfying the claim, in the claim's unit; 0 or less where it does.

    ``equals`` without a tolerance allows for printed rounding: 87.43 equals a printed "87.4", 87.46 does not.
    """
    if claim.relation == "between":
        low, high = claim.bounds
        return max(low - value, value - high)
    printed = Decimal(claim.printed)
    match claim.relation:
        case "equals":
            distance = abs(value - float(printed))
            rounded = claim.tolerance is None and claim.faces is None
            return 0.0 if rounded and distance <= float(half_digit(printed)) * (1 + 1e-9) else distance
        case "about":
            return abs(value - float(printed))
        case "at least":
            return float(printed) - value
        case "at most":
            return value - float(printed)
        case "more than":
            return float(printed) - value if value != float(printed) else float("inf")
        case "less than":
            return value - float(printed) if value != float(printed) else float("inf")
