"""Checks of papers 003 and 004 on equations, reference lists and training schedules, read as text."""

from __future__ import annotations

import math

import numpy as np

from ferbook.claims import printed
from ferbook.claims.checks import Outcome, register
from ferbook.claims.claim import Claim, Evidence
from ferbook.claims.dataset_summary import Facts
from ferbook.claims.printed_checks import against_itself
from ferbook.faces.emotions import VAD_AXES

# --- equations ---


@register("sums and their divisors")
def sums_and_divisors(claim: Claim, facts: Facts) -> Outcome:
    """How many of a paper's means divide by as many terms as they add. Arguments: ``table``, ``samples``, for n.

    The table has one row per equation: the first and the last index of its sum, and what it divides by.
    """

    def number(text: str) -> int:
        return claim.arguments["samples"] if text == "n" else int(text)

    table = printed.table(claim.arguments["table"])
    terms = [number(line["last"]) - number(line["first"]) + 1 for _, line in table.iterrows()]
    divisors = [number(text) for text in table["divisor"]]
    right = sum(a == b for a, b in zip(terms, divisors, strict=True))
    samples = claim.arguments["samples"]
    detail = f"of {len(table)} equations; from 0 to n there are n + 1 terms, with n = {samples} they are {samples + 1}"
    return against_itself(claim, right, detail)


@register("places that agree")
def places_that_agree(claim: Claim, facts: Facts) -> Outcome:
    """In how many rows of a table what one place says equals what another says. Arguments: ``table``, ``columns``, two.

    The first column names the rows.
    """
    table = printed.table(claim.arguments["table"])
    one, other = claim.arguments["columns"]
    agree = table[one] == table[other]
    said = "; ".join(f"{line.iloc[0]}: {line[one]}, {line[other]}" for _, line in table[~agree].iterrows())
    return against_itself(claim, int(agree.sum()), f"of {len(table)}" + (f"; not: {said}" if said else ""))


@register("kinds in a column")
def kinds_in_a_column(claim: Claim, facts: Facts) -> Outcome:
    """How many different cells a column of a table has. Arguments: ``table``, ``column``."""
    cells = printed.table(claim.arguments["table"])[claim.arguments["column"]]
    return against_itself(claim, cells.nunique(), ", ".join(dict.fromkeys(cells)))


@register("place in a list")
def place_in_a_list(claim: Claim, facts: Facts) -> Outcome:
    """The place of ``name`` among the ``names`` that the paper lists, counted from 1."""
    names = claim.arguments["names"]
    return against_itself(claim, names.index(claim.arguments["name"]) + 1, ", ".join(names))


@register("direction of cells")
def direction_of_cells(claim: Claim, facts: Facts) -> Outcome:
    """Whether the first of two cells is ``higher`` or ``lower`` than the second, or ``equal``; against what is said.

    Arguments: ``table``, ``first`` and ``second``, each a row and a column.
    """
    first, second = (printed.cell(claim.arguments["table"], *claim.arguments[key]) for key in ("first", "second"))
    value = ("equal", "higher", "lower")[int(np.sign(float(first) - float(second)))]
    return against_itself(claim, value, f"{first} and {second} are printed")


@register("axes that cost alike")
def axes_that_cost_alike(claim: Claim, facts: Facts) -> Outcome:
    """On how many axes 004's table 2 charges a ``category`` the same for a value above 0 and for one below it."""
    table = printed.table("004-table2").set_index("category")
    line = table.loc[claim.arguments["category"]]
    alike = [axis for axis in VAD_AXES if line[f"{axis}>0"] == line[f"{axis}<0"]]
    return Outcome(len(alike), Evidence.ARITHMETIC, ", ".join(alike))


# --- schedules ---

#: Below this share of a weight an addition is lost in single precision.
SINGLE = 2.0**-24


@register("epochs that can learn")
def epochs_that_can_learn(claim: Claim, facts: Facts) -> Outcome:
    """Epochs until the learning rate, relative to its start, is below what single precision resolves.

    The rate falls tenfold every ``every`` iterations. Arguments: ``faces`` to train on, ``batch``, ``every``,
    ``epochs``.
    """
    each = math.ceil(claim.arguments["faces"] / claim.arguments["batch"])
    falls = math.ceil(-math.log10(SINGLE))
    epoch = falls * claim.arguments["every"] / each
    total = claim.arguments["epochs"] * each // claim.arguments["every"]
    detail = f"{each:,} iterations an epoch; the rate falls {total} times, {falls} of them by epoch {epoch:.1f}"
    return Outcome(min(math.floor(epoch), claim.arguments["epochs"]), Evidence.ARITHMETIC, detail)


@register("falls of the rate")
def falls_of_the_rate(claim: Claim, facts: Facts) -> Outcome:
    """How often the learning rate falls in a training. Arguments: ``faces``, ``batch``, ``every``, ``epochs``."""
    each = math.ceil(claim.arguments["faces"] / claim.arguments["batch"])
    iterations = claim.arguments["epochs"] * each
    detail = f"{iterations:,} iterations in all, {each:,} an epoch"
    return Outcome(iterations // claim.arguments["every"], Evidence.ARITHMETIC, detail)


@register("time per face")
def time_per_face(claim: Claim, facts: Facts) -> Outcome:
    """How many times longer predicting a face takes than training on one, from printed durations.

    Arguments: ``training`` and ``predicting``, each seconds and faces seen.
    """
    (train_s, trained), (predict_s, predicted) = (claim.arguments[key] for key in ("training", "predicting"))
    detail = f"{trained / train_s:,.3g} faces a second in training, {predicted / predict_s:,.3g} in prediction"
    return Outcome((predict_s / predicted) / (train_s / trained), Evidence.ARITHMETIC, detail)


# --- references ---


@register("different works")
def different_works(claim: Claim, facts: Facts) -> Outcome:
    """How many different works a reference list has. Argument: ``table``, a row per entry, with a column ``work``."""
    works = printed.table(claim.arguments["table"])
    twice = [
        f"{work} ({' and '.join(group.iloc[:, 0])})"
        for work, group in works.groupby("work", sort=False)
        if len(group) > 1
    ]
    return against_itself(claim, works["work"].nunique(), f"listed twice: {', '.join(twice)}" if twice else "")
