"""Checks of papers 003 and 004: what one printed number implies of another (decreases, shares of faces, recalls)."""

from __future__ import annotations

import math

from ferbook.claims import printed
from ferbook.claims.checks import Outcome, register
from ferbook.claims.claim import Claim, Evidence
from ferbook.claims.dataset_summary import Facts
from ferbook.claims.printed_checks import against_itself
from ferbook.core import records
from ferbook.faces.emotions import FER2013_CODES, VAD_AXES, canonical
from ferbook.measures import intervals

#: Faces in each of FER2013's two test parts, and of each category in them, in the order of ``FER2013_CODES``. Widely
#: printed figures that sum to the parts' sizes; fer2013.csv was not at hand to count them again, and every outcome that
#: rests on them says so (``NOT_COUNTED``).
FER2013_TEST = 3589
FER2013_TEST_CLASSES: dict[str, tuple[int, ...]] = {
    "public": (467, 56, 496, 895, 653, 415, 607),
    "private": (491, 55, 528, 879, 594, 416, 626),
}
NOT_COUNTED = "faces per category as widely printed for FER2013, not counted here"


# --- decreases ---


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
    """The decrease (%) of a loss that 003's table 3 and discussion imply, against the abstract's.

    Arguments: ``axis``; ``reading`` (of ``READINGS``) and ``part``, the test, that the abstract's number is taken for:
    the nearest of the four. The value is what the printed numbers give, without the rounding of the losses, which the
    claim's tolerance has to allow for. If no reading of either test fits, the paper contradicts itself.
    """
    axis, reading, part = (claim.arguments[key] for key in ("axis", "reading", "part"))
    ranges = decreases(axis)
    after, drop = (
        float(printed.cell(*place)) for place in (("003-table3", axis, f"{part}, all"), ("003-decreases", axis, part))
    )
    value = 100 * drop if reading == READINGS[0] else 100 * drop / (after + drop)
    detail = "; ".join(f"as a {r}, {part} test: {low:.2f} to {high:.2f} %" for (r, part), (low, high) in ranges.items())
    return Outcome(value, Evidence.ARITHMETIC, detail, contradiction=not fitting(axis, claim.printed))


#: What "one kind of decrease" finds.
ONE_KIND, SEVERAL_KINDS = "one kind", "several kinds"


@register("one kind of decrease")
def one_kind_of_decrease(claim: Claim, facts: Facts) -> Outcome:
    """Whether a reading exists under which all three decreases of 003's abstract follow from its own numbers."""
    printed_as = {axis: printed.cell("003-decreases", axis, "abstract") for axis in VAD_AXES}
    fits = {
        reading: [axis for axis, text in printed_as.items() if reading in fitting(axis, text)] for reading in READINGS
    }
    detail = "; ".join(
        f"as a {reading} fit: {', '.join(f'{axis} ({printed_as[axis]} %)' for axis in axes) or 'none'}"
        for reading, axes in fits.items()
    )
    whole = any(len(axes) == len(VAD_AXES) for axes in fits.values())
    return against_itself(claim, ONE_KIND if whole else SEVERAL_KINDS, detail)


def _bounds(text: str) -> tuple[float, float]:
    """What a printed number may stand for."""
    half = float(printed.half_digit(text))
    return float(text) - half, float(text) + half


@register("share of faces")
def share_of_faces(claim: Claim, facts: Facts) -> Outcome:
    """The share of so many faces that is nearest to the printed per cent.

    Argument: ``faces``; without it, a test part of FER2013.
    """
    faces = claim.arguments.get("faces", FER2013_TEST)
    count = round(float(claim.printed) * faces / 100)
    return Outcome(100 * count / faces, Evidence.ARITHMETIC, f"{count:,} of {faces:,}")


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
    """The true rates with which `hits` hits of as many tries agree (95 %, Wilson). No verdict. Argument: ``hits``."""
    hits = claim.arguments["hits"]
    least = intervals.wilson(hits, hits).low
    return Outcome(None, Evidence.ARITHMETIC, f"{hits} hits of {hits} agree with true rates from {least:.0%} to 100%")


@register("accuracy implied by recalls")
def accuracy_implied(claim: Claim, facts: Facts) -> Outcome:
    """The accuracy (%) in the middle of what the recalls in 004's section 3.1 allow on a part of FER2013.

    Arguments: ``part``; ``beside``, another accuracy's table, row and column for the detail. Uses recalls as printed,
    ranges included, with their rounding; the claim's tolerance is half of what they leave open.
    """
    low, high = allowed_accuracies(claim.arguments["part"])
    detail = f"on the {claim.arguments['part']} test the recalls allow {low:.1f} to {high:.1f} %"
    if "beside" in claim.arguments:
        other = printed.cell(*claim.arguments["beside"])
        place = "inside" if low <= float(other) <= high else "outside"
        detail += f"; {other} lies {place}"
    return Outcome((low + high) / 2, Evidence.ARITHMETIC, f"{detail} ({NOT_COUNTED})")


def allowed_accuracies(part: str) -> tuple[float, float]:
    """The least and the largest accuracy (%) that the recalls in 004's section 3.1 allow on a part of FER2013."""
    counts = FER2013_TEST_CLASSES[part]
    table = printed.table("004-section31")
    low = high = 0.0
    for _, line in table[table["true"] == table["predicted"]].iterrows():
        faces = counts[FER2013_CODES.index(canonical(line["true"]))]
        low += faces * _bounds(line["low"])[0]
        high += faces * _bounds(line["high"])[1]
    return 100 * low / sum(counts), 100 * high / sum(counts)


@register("whole faces")
def whole_faces(claim: Claim, facts: Facts) -> Outcome:
    """Shares of a category's faces as one of FER2013's two tests can give them, "0.11, 0.68".

    Argument: ``category``. The part that comes nearest to all printed shares together counts; a share that it can give,
    rounded either way at a five, is found as printed. The detail gives the nearest counts on each part, and on both
    together, which are so many faces that they decide nothing.
    """
    k = FER2013_CODES.index(claim.arguments["category"])
    parts = {part: counts[k] for part, counts in FER2013_TEST_CLASSES.items()}
    shares = claim.printed.split(", ")

    def nearest(share: str, faces: int) -> float:
        return round(float(share) * faces) / faces

    def misfit(faces: int) -> float:
        return max(abs(nearest(share, faces) - float(share)) for share in shares)

    def written(share: str, faces: int) -> str:
        low, high = _bounds(share)
        found = nearest(share, faces)
        fits = low - 1e-9 <= found <= high + 1e-9
        return share if fits else f"{found:.{len(share.partition('.')[2])}f}"

    best = min(parts, key=lambda part: misfit(parts[part]))
    shown = "; ".join(
        f"{part}: "
        + ", ".join(f"{round(float(share) * faces)} of {faces} ({nearest(share, faces):.3f})" for share in shares)
        for part, faces in {**parts, "both": sum(parts.values())}.items()
    )
    detail = f"nearest to all of them is the {best} test; {shown} ({NOT_COUNTED})"
    return Outcome(", ".join(written(share, parts[best]) for share in shares), Evidence.ARITHMETIC, detail)


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

#: What the model of 004 sees, as :mod:`ferbook.papers.outcomes.prediction` calls it, which takes scikit-learn.
WITHOUT_AND_WITH = ("learning data", "learning data + V, A, D")


@register("spread of a single split")
def spread_of_a_split(claim: Claim, facts: Facts) -> Outcome:
    """``lower`` or ``higher``: the spread of errors with learning data alone, beside that with V, A, D added.

    By the published code's split, features and seeds; no value where the interval over its six students holds zero.
    The detail has other seeds of the model, and each student left out once by a smaller model that sees plain features.
    """
    values = records.read("004/outcomes")["values"]
    split, left_out = values["single"]["published features"], values["leave_one_out"]["ada_rf_exp"]["errors"]
    (alone, both), (one, other) = ([found[name] for name in WITHOUT_AND_WITH] for found in (split, left_out))
    sure, seeds = values["single_spread"]["difference"], values["single_spread"]["seeds"]
    as_printed = sum(less < 0 for less in seeds)
    detail = (
        f"published split, {alone['students']} students: {alone['spread']:.3f} marks alone, {both['spread']:.3f} with "
        f"V, A, D, a difference of {sure['estimate']:+.3f} ({sure['low']:+.2f} to {sure['high']:+.2f} over students); "
        f"{as_printed} of {len(seeds)} other seeds of the model put it as the letter does; each of {one['students']} "
        f"students left out once, by a smaller model that sees plain features: {one['spread']:.2f} marks alone, "
        f"{other['spread']:.2f} with V, A, D"
    )
    if sure["low"] <= 0 <= sure["high"]:
        return Outcome.open(Evidence.SAME_DATA, detail)
    return Outcome("lower" if sure["estimate"] < 0 else "higher", Evidence.SAME_DATA, detail)
