"""Claims that no file holds, for tests of checks."""

from ferbook import claims, facts
from ferbook.claims import Claim, Result, Tolerance


def judged(
    check: str,
    printed: str,
    relation: str = "equals",
    claim_kind: str = "arithmetic",
    tolerance: tuple[float, float] | None = None,
    about: dict[str, object] | None = None,
    **arguments: object,
) -> Result:
    """What `check` says of a claim that something printed as `printed` stands in `relation` to what it finds.

    A trained claim is about any training, unless it says otherwise."""
    one = Claim(
        id="000-x",
        where="w",
        says="s",
        kind=claim_kind,
        about={} if about is None and claim_kind == "trained" else about,
        printed=printed,
        relation=relation,
        tolerance=None if tolerance is None else Tolerance(holds=tolerance[0], roughly=tolerance[1]),
        check=check,
        arguments=arguments,
        page="book/verdicts/checks",
    )
    (result,) = claims.judge([one], facts.recorded())
    return result
