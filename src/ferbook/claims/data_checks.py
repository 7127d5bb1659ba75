"""The checks that claim files name. Each computes a value and says what it rests on."""

import numpy as np

from ferbook.claims.checks import Outcome, register
from ferbook.claims.claim import Claim, Evidence
from ferbook.claims.dataset_summary import TABLE_RECORD, Facts
from ferbook.core import records
from ferbook.faces.emotions import EMOTIONS
from ferbook.faces.labels import clean_votes, n_hot


@register("fact")
def fact(claim: Claim, facts: Facts) -> Outcome:
    """A number from the data's facts.

    Arguments of the claim: ``fact`` its name, optionally ``at`` a position in a list (or a list of positions to sum), a
    ``scale`` to bring it to the printed unit (100 for per cent), and a ``detail`` to show with it.
    """
    value = facts.values[claim.arguments["fact"]]
    if value is None:
        return Outcome(None, Evidence(facts.evidence), "no face of this set has it")
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


@register("labels removed")
def labels_removed(claim: Claim, facts: Facts) -> Outcome:
    """How many of ``labels`` emotions an ``n``-hot reduction sets to zero."""
    votes = np.arange(claim.arguments["labels"], 0, -1.0)
    distribution = np.zeros((1, len(EMOTIONS)))
    distribution[0, : len(votes)] = votes / votes.sum()
    reduced = n_hot(distribution, claim.arguments["n"], np.random.default_rng(0))
    removed = int((distribution > 0).sum() - (reduced > 0).sum())
    return Outcome(removed, Evidence.ARITHMETIC, f"{claim.arguments['labels']} labels before")


@register("share with ten votes")
def share_with_ten_votes(claim: Claim, facts: Facts) -> Outcome:
    """Per cent of faces whose ten columns sum to ten."""
    faces, others = facts.values["faces"], facts.values["not_ten_votes"]
    detail = f"{others} of {faces:,} faces has another number" if others == 1 else f"{others} of {faces:,} have another"
    return Outcome(100 * (1 - others / faces), Evidence(facts.evidence), detail)


#: Rows of FER2013 by part, training, public and private test (Goodfellow et al. 2013).
FER2013_ROWS = (28_709, 3_589, 3_589)


@register("missing from fer2013")
def missing_from_fer2013(claim: Claim, facts: Facts) -> Outcome:
    """How many of FER2013's rows have no row of votes in FER+'s table, part by part.

    Rows are counted, not named pictures: a picture without a name was judged as well, and called no face.
    """
    counted = records.read(TABLE_RECORD)["values"]
    missing = sum(max(0, rows - found) for rows, found in zip(FER2013_ROWS, counted["rows_by_part"], strict=True))
    detail = (
        f"{counted['rows']:,} rows of votes for {sum(FER2013_ROWS):,} pictures; {counted['unnamed']} have no name, and "
        f"for {'all' if counted['unnamed_no_face'] == counted['unnamed'] else counted['unnamed_no_face']} of these "
        f"all ten votes say that there is no face; "
        f"{counted['stand_twice']} names stand twice"
    )
    return Outcome(missing, Evidence.SAME_DATA, detail)
