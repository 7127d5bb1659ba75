"""What the claim file of paper 002 says of FER+'s annotators, held against their votes as counted or recorded.

Nothing here imports torch.
"""

from ferbook.claims.checks import Outcome, register
from ferbook.claims.claim import Claim, Evidence
from ferbook.claims.dataset_summary import Facts
from ferbook.core import records
from ferbook.papers.nhot import minor_votes, single_label


@register("last taggers")
def last_taggers(claim: Claim, facts: Facts) -> Outcome:
    """Points by which the ``last`` annotators raise a curve of agreement (``fact``)."""
    curve = facts.values[claim.arguments["fact"]]
    if curve is None:
        return Outcome(None, Evidence(facts.evidence), "no picture of this set was judged twice")
    start = len(curve) - claim.arguments["last"]
    detail = f"from {100 * curve[start - 1]:.1f} % with {start} to {100 * curve[-1]:.1f} % with {len(curve)}"
    return Outcome(100 * (curve[-1] - curve[start - 1]), Evidence(facts.evidence), detail)


@register("label that annotators meet")
def label_that_annotators_meet(claim: Claim, facts: Facts) -> Outcome:
    """``better`` or ``worse``: whether an annotator meets the others' majority more often than FER2013's label.

    Counted where FER2013's label does best, among the emotions that both label sets have; no value where the interval
    over faces holds zero.
    """
    found = records.read(single_label.RECORD)["values"]["shared"]
    gain, low, high = (100 * end for end in found["gain"]["majority"])
    detail = (
        f"on {found['faces']:,} faces {found['majority']:.1%} of annotators name what most of the others do, "
        f"{found['label']:.1%} FER2013's label: {gain:+.1f} points ({low:.1f} to {high:.1f}); a single one of the "
        f"others is met by {found['annotator']:.1%}"
    )
    if low <= 0 <= high:
        return Outcome.open(Evidence.SAME_DATA, detail)
    return Outcome("better" if gain > 0 else "worse", Evidence.SAME_DATA, detail)


@register("labels with single votes")
def labels_with_single_votes(claim: Claim, facts: Facts) -> Outcome:
    """``better`` or ``worse``: how a further annotator's answer is foretold by a label with single votes.

    ``better`` where each rule of :data:`ferbook.papers.nhot.minor_votes.RULES`, which leaves out some, makes the error
    larger, ``worse`` where one makes it smaller; no value where neither is beyond the interval over faces.
    """
    found = records.read(minor_votes.RECORD)["values"]["outlying"]
    ends = {name: found[name]["difference"] for name in minor_votes.RULES}
    told = "; ".join(
        f"without {name} {mean:+.4f} ({low:+.4f} to {high:+.4f})" for name, (mean, low, high) in ends.items()
    )
    detail = f"squared error of {found['error']:.3f} on {found['faces']:,} faces; {told}"
    if any(high < 0 for _, _, high in ends.values()):
        return Outcome("worse", Evidence.SAME_DATA, detail)
    if all(low > 0 for _, low, _ in ends.values()):
        return Outcome("better", Evidence.SAME_DATA, detail)
    return Outcome.open(Evidence.SAME_DATA, detail)


@register("minor votes again")
def minor_votes_again(claim: Claim, facts: Facts) -> Outcome:
    """Points by which a second crowd gives a minor answer more often to the same picture than to others like it.

    The others have the same main emotion and are as divided. No value where the interval over pictures holds zero.
    """
    minor = records.read(minor_votes.RECORD)["values"]["minor"]
    found = minor["all"]
    gain, low, high = (100 * end for end in found["gain"])
    detail = (
        f"{found['again']:.1%} of {found['answers']:,} minor answers are given again by a second crowd, "
        f"{found['elsewhere']:.1%} on other faces with the same main emotion, as divided: {gain:+.1f} points "
        f"({low:.1f} to {high:.1f}), {minor['pictures']:,} pictures"
    )
    if low <= 0 <= high:
        return Outcome.open(Evidence.SAME_DATA, detail)
    return Outcome(gain, Evidence.SAME_DATA, detail)
