"""Whether verdicts bear weight: a claim that printed another number must get another verdict.

Every claim that is decided by arithmetic is judged again with another printed value. One that holds is moved away from
what was found, on either side that its relation looks at; one that does not hold is moved onto it. A claim whose
verdict stays is either checked by nothing, or says in ``insensitive`` why it must stay.

Nothing here imports torch.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from ferbook.claims.claim import Claim, Evidence, Verdict
from ferbook.claims.comparison import tolerance
from ferbook.claims.dataset_summary import Facts
from ferbook.claims.printed import half_digit
from ferbook.claims.verdicts import Result, survey

#: What no paper prints and no check finds: the other value of a claim in words.
OTHER_WORD = "something else"


def others(result: Result) -> list[str]:
    """Printed values with which a judged claim has to get another verdict; none where there was nothing to compare."""
    claim, value = result.claim, result.outcome.value
    if value is None:
        return []
    if isinstance(value, bool | str):
        return [OTHER_WORD] if str(value) == claim.printed else [str(value)]
    if result.verdict not in (Verdict.HOLDS, Verdict.ROUGHLY):
        return [_onto(claim, float(value))]
    return _away(claim, float(value))


def _unit(claim: Claim) -> float:
    """One in the last printed digit."""
    return 2 * float(half_digit(claim.printed.split(" to ")[0]))


def _away(claim: Claim, value: float) -> list[str]:
    """Printed values that are further from `value` than the claim allows."""
    allowed = tolerance(claim)
    # Where "about" is a share of the printed value, it grows with it: two such steps are further than both allow.
    step = 2 * allowed.roughly + 2 * _unit(claim)
    match claim.relation:
        case "at least" | "more than":
            return [_text(claim, value + step)]
        case "at most" | "less than":
            return [_text(claim, value - step)]
        case "between":
            low, high = claim.bounds
            width = high - low
            return [
                f"{_text(claim, value + step)} to {_text(claim, value + step + width)}",
                f"{_text(claim, value - step - width)} to {_text(claim, value - step)}",
            ]
        case _:
            return [_text(claim, value + step), _text(claim, value - step)]


def _onto(claim: Claim, value: float) -> str:
    """A printed value that `value` satisfies."""
    unit = _unit(claim)
    match claim.relation:
        case "at least" | "more than":
            return _text(claim, value - unit)
        case "at most" | "less than":
            return _text(claim, value + unit)
        case "between":
            return f"{_text(claim, value - unit)} to {_text(claim, value + unit)}"
        case _:
            return _text(claim, value)


def _text(claim: Claim, value: float) -> str:
    """A number with the digits of the printed one."""
    digits = len(claim.printed.split(" to ")[0].partition(".")[2])
    return f"{value:.{digits}f}"


def verdicts(result: Result, facts: Facts) -> dict[str, Verdict | None]:
    """The verdict with each of the other printed values; None where the check refuses it, which is noticing, too."""
    found: dict[str, Verdict | None] = {}
    for text in others(result):
        judged, _ = survey([result.claim.model_copy(update={"printed": text})], facts)
        found[text] = judged[0].verdict if judged else None
    return found


@dataclass(frozen=True)
class Weight:
    """What came of printing other values."""

    #: Claims decided by arithmetic, and printed values that were tried on them.
    claims: int
    values: int
    #: The claims whose verdict stays, by id, with the values that leave it; no value where there was none to try.
    unmoved: dict[str, list[str]]

    @property
    def moved(self) -> int:
        """Claims that got another verdict from each value that was tried."""
        return self.claims - len(self.unmoved)


def weigh(results: Iterable[Result], facts: Facts) -> Weight:
    """Try other printed values on every claim that is decided by arithmetic."""
    claimed, values, stay = 0, 0, {}
    for result in results:
        if result.evidence != Evidence.ARITHMETIC:
            continue
        tried = verdicts(result, facts)
        claimed += 1
        values += len(tried)
        leave = [text for text, now in tried.items() if now is result.verdict]
        if leave or not tried:
            stay[result.claim.id] = leave
    return Weight(claimed, values, stay)
