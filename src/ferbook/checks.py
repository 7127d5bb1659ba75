"""The checks that claim files name. Each computes a value and says what it rests on."""

from __future__ import annotations

import numpy as np

from ferbook.claims import Claim, Evidence, Outcome, register
from ferbook.facts import Facts
from ferbook.labels import clean_votes


@register("fact")
def fact(claim: Claim, facts: Facts) -> Outcome:
    """A number from the data's facts.

    Arguments of the claim: ``fact`` its name, optionally ``at`` a position in a list (or a list of positions to sum), a
    ``scale`` to bring it to the printed unit (100 for per cent), and a ``detail`` to show with it.
    """
    value = facts.values[claim.arguments["fact"]]
    if "at" in claim.arguments:
        value = np.asarray(value)[claim.arguments["at"]].sum()
    value = float(value) * claim.arguments.get("scale", 1)
    return Outcome(value, Evidence(facts.evidence), claim.arguments.get("detail", ""))


@register("ratio of facts")
def ratio_of_facts(claim: Claim, facts: Facts) -> Outcome:
    """``numerator`` over ``denominator``, two facts by name, times ``scale``."""
    top, bottom = (float(facts.values[claim.arguments[key]]) for key in ("numerator", "denominator"))
    detail = f"{top:,.0f} of {bottom:,.0f}"
    return Outcome(claim.arguments.get("scale", 1) * top / bottom, Evidence(facts.evidence), detail)


@register("cleaning rule keeps")
def cleaning_rule_keeps(claim: Claim, facts: Facts) -> Outcome:
    """``kept`` or ``dropped``: what ``rule`` does with a face that has the printed ``votes``."""
    kept = clean_votes(np.array([claim.arguments["votes"]]), claim.arguments["rule"]).keep[0]
    return Outcome("kept" if kept else "dropped", Evidence.ARITHMETIC)


@register("normalised votes")
def normalised_votes(claim: Claim, facts: Facts) -> Outcome:
    """The distribution that cleaning gives for the printed ``votes``, written as the positive shares in order."""
    cleaned = clean_votes(np.array([claim.arguments["votes"]]))
    shares = cleaned.distribution[0]
    return Outcome(" ".join(f"{share:.4g}" for share in shares if share > 0), Evidence.ARITHMETIC)


@register("difference")
def difference(claim: Claim, facts: Facts) -> Outcome:
    """``minuend`` less ``subtrahend``, two printed numbers."""
    left, right = claim.arguments["minuend"], claim.arguments["subtrahend"]
    return Outcome(left - right, Evidence.ARITHMETIC, f"{left} - {right}")


@register("share with ten votes")
def share_with_ten_votes(claim: Claim, facts: Facts) -> Outcome:
    """Per cent of faces whose ten columns sum to ten."""
    faces, others = facts.values["faces"], facts.values["not_ten_votes"]
    detail = f"{others} of {faces:,} faces has another number" if others == 1 else f"{others} of {faces:,} have another"
    return Outcome(100 * (1 - others / faces), Evidence(facts.evidence), detail)


#: Rows of FER2013: 28,709 + 3,589 + 3,589 (Goodfellow et al. 2013).
FER2013_FACES = 35_887


@register("share of fer2013")
def share_of_fer2013(claim: Claim, facts: Facts) -> Outcome:
    """Faces as per cent of FER2013's rows."""
    faces = facts.values["faces"]
    return Outcome(100 * faces / FER2013_FACES, Evidence(facts.evidence), f"{faces:,} of {FER2013_FACES:,} pictures")
