"""Claims of the papers, how each is checked, and the verdicts.

A claim is one number or statement that a paper makes, written in our own words in ``data/claims/NNN.yml`` with the
place where it is printed. A *check* (a function named by the claim) computes what the claim is about; a *relation*
compares it with the printed value; the comparison gives one of five verdicts, and the check says what kind of evidence
it used.

Nothing here imports torch.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ferbook import paths
from ferbook.errors import DataError, FerbookError
from ferbook.facts import Facts
from ferbook.printed import half_digit

#: What a check may return: a number, a truth value, or a short text that is compared as it is.
Value = float | int | bool | str


class Verdict(StrEnum):
    """What became of a claim."""

    HOLDS = "holds"
    ROUGHLY = "holds roughly"
    FAILS = "fails"
    CONTRADICTS = "contradicts itself"
    UNCHECKED = "not checkable here"


class Evidence(StrEnum):
    """What a verdict rests on, strongest first."""

    ARITHMETIC = "arithmetic"
    SAME_DATA = "same data"
    OTHER_DATA = "other data"
    SYNTHETIC = "synthetic"


#: In place of evidence where a check found nothing to compare.
NO_EVIDENCE = "none"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


#: Shares of the printed value within which "about" holds, and holds roughly, where a claim sets no tolerance itself.
ABOUT_HOLDS, ABOUT_ROUGHLY = 0.025, 0.10


class Tolerance(_Strict):
    """How far from the printed value a measured one may lie: `holds` up to here, `holds roughly` up to there.

    Both are in the claim's own unit. Without them "about" allows ``ABOUT_HOLDS`` and ``ABOUT_ROUGHLY`` of the printed
    value, and every other relation allows nothing beyond printed rounding.
    """

    holds: float = Field(ge=0)
    roughly: float = Field(ge=0)

    @model_validator(mode="after")
    def _ordered(self) -> Tolerance:
        if self.roughly < self.holds:
            raise ValueError("roughly must not be smaller than holds")
        return self


class Claim(_Strict):
    """One claim, as its file states it."""

    id: str = Field(pattern=r"^\d{3}-[a-z0-9-]+$")
    where: str = Field(min_length=1, description="where the paper prints it: section, figure, table, page")
    says: str = Field(min_length=1, description="the claim in our words")
    kind: Literal["arithmetic", "measured", "trained", "unsupported"]
    #: The printed value as text, so that its digits are known: "90", "0.75", "dropped".
    printed: str = Field(min_length=1)
    unit: str = ""
    relation: Literal["equals", "about", "at least", "at most", "more than", "less than"] = "equals"
    tolerance: Tolerance | None = None
    check: str = Field(min_length=1)
    arguments: dict[str, Any] = Field(default_factory=dict)
    #: Whether the same number means something for another set of faces, so that a build without the data shows its own.
    general: bool = True
    #: Document and anchor where the book decides it, without a suffix.
    page: str = Field(pattern=r"^book/[a-z_/]+(#[a-z0-9-]+)?$")
    note: str = ""

    @property
    def paper(self) -> str:
        """The paper's three digits."""
        return self.id[:3]

    @property
    def anchor(self) -> str:
        """Name of the place on its page that shows it and nothing else."""
        return f"claim-{self.id}"


class ClaimFile(_Strict):
    """One paper's claims."""

    paper: str = Field(pattern=r"^\d{3}$")
    citation: str = Field(min_length=1)
    claims: tuple[Claim, ...]

    @model_validator(mode="after")
    def _consistent(self) -> ClaimFile:
        seen: set[str] = set()
        for claim in self.claims:
            if claim.paper != self.paper:
                raise ValueError(f"{claim.id} stands in the file of paper {self.paper}")
            if claim.id in seen:
                raise ValueError(f"{claim.id} stands twice")
            seen.add(claim.id)
        return self


@dataclass(frozen=True)
class Outcome:
    """What a check found: the value, the evidence it rests on, and a sentence on how it came about."""

    value: Value | None
    evidence: Evidence
    detail: str = ""
    #: Set when the paper disagrees with itself whatever the value is compared with.
    contradiction: bool = False
    #: Set when something was found that has room for the claim and for its contrary.
    undecided: bool = False

    @classmethod
    def open(cls, evidence: Evidence, detail: str) -> Outcome:
        """No value: what was found has room for the claim and for its contrary."""
        return cls(None, evidence, f"undecided: {detail}", undecided=True)


@dataclass(frozen=True)
class Result:
    """A judged claim."""

    claim: Claim
    verdict: Verdict
    outcome: Outcome

    @property
    def evidence(self) -> str:
        """What the verdict rests on; ``none`` where nothing was found to compare."""
        return NO_EVIDENCE if self.outcome.value is None and not self.outcome.contradiction else self.outcome.evidence


Check = Callable[[Claim, Facts], Outcome]
_CHECKS: dict[str, Check] = {}


def register(name: str) -> Callable[[Check], Check]:
    """Make a function known to claim files as check `name`."""

    def add(function: Check) -> Check:
        if name in _CHECKS:
            raise ValueError(f"two checks are called {name!r}")
        _CHECKS[name] = function
        return function

    return add


def known_checks() -> Mapping[str, Check]:
    """All checks by name."""
    # Imported here because the checks import this module.
    import ferbook.checks
    import ferbook.checks_cbam
    import ferbook.checks_nhot
    import ferbook.checks_nhot_runs
    import ferbook.checks_printed
    import ferbook.checks_relevance
    import ferbook.checks_vad  # noqa: F401

    return _CHECKS


#: The safe loader in C where PyYAML was built with it: the claim files are long.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load_claims(paper: str, folder: Path | None = None) -> ClaimFile:
    """Read ``data/claims/PAPER.yml``.

    Raises
    ------
    DataError: if it is missing, not YAML, or breaks the schema; names the claim and the field.
    """
    path = (folder or paths.project_root() / "data" / "claims") / f"{paper}.yml"
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    except FileNotFoundError:
        raise DataError(f"no claims of paper {paper}", path, hint="Papers are named 000 to 004.") from None
    except yaml.YAMLError as error:
        raise DataError(f"is not YAML ({error})", path, hint="Mend the line it names.") from None
    try:
        loaded = ClaimFile.model_validate(content)
    except ValidationError as error:
        raise DataError(
            _schema_problem(content, error), path, hint="See ferbook.claims.Claim for the fields."
        ) from None
    unknown = [claim.id for claim in loaded.claims if claim.check not in known_checks()]
    if unknown:
        raise DataError(f"{unknown[0]} names an unknown check", path, hint=f"Known: {', '.join(known_checks())}.")
    return loaded


def _schema_problem(content: object, error: ValidationError) -> str:
    """The first schema error with the claim's id in place of its position in the list."""
    first = error.errors()[0]
    place = list(first["loc"])
    if isinstance(content, dict) and len(place) > 1 and place[0] == "claims" and isinstance(place[1], int):
        claims = content.get("claims")
        entry = claims[place[1]] if isinstance(claims, list) else None
        if isinstance(entry, dict) and "id" in entry:
            place[:2] = [entry["id"]]
    return f"{'.'.join(map(str, place)) or 'the file'}: {first['msg']}"


def paper_numbers() -> list[str]:
    """The papers that have a claim file."""
    return sorted(path.stem for path in (paths.project_root() / "data" / "claims").glob("[0-9][0-9][0-9].yml"))


def stated() -> list[Claim]:
    """The claims of all papers, in the order of the papers and of their files."""
    return [claim for paper in paper_numbers() for claim in load_claims(paper).claims]


def judge(claims: Iterable[Claim], facts: Facts) -> list[Result]:
    """Check each claim.

    Parameters
    ----------
    claims: what is to be judged.
    facts: what data checks look values up in; their evidence bounds the verdict.

    Raises
    ------
    FerbookError: if a check breaks (which is not the same as a claim that fails); names the claim.
    """
    return [_judge_one(claim, facts) for claim in claims]


def _judge_one(claim: Claim, facts: Facts) -> Result:
    try:
        outcome = known_checks()[claim.check](claim, facts)
        return Result(claim, verdict(claim, outcome), outcome)
    except (FerbookError, LookupError, TypeError, ValueError, ArithmeticError) as error:
        said = str(error) if isinstance(error, FerbookError) else repr(error)
        raise FerbookError(f"{claim.id}: check {claim.check!r} could not be run ({said}).") from error


def survey(claims: Iterable[Claim], facts: Facts) -> tuple[list[Result], list[FerbookError]]:
    """As :func:`judge`, but a check that breaks does not keep the others from being run.

    Returns
    -------
    The judged claims, and one error for each check that broke.
    """
    results, errors = [], []
    for claim in claims:
        try:
            results.append(_judge_one(claim, facts))
        except FerbookError as error:
            errors.append(error)
    return results, errors


def counted(results: Iterable[Result], by: Literal["verdict", "evidence"] = "verdict") -> dict[str, Counter[str]]:
    """Per paper, how many claims have each verdict, or rest on each kind of evidence."""
    found: dict[str, Counter[str]] = {}
    for result in results:
        found.setdefault(result.claim.paper, Counter())[getattr(result, by)] += 1
    return found


def verdict(claim: Claim, outcome: Outcome) -> Verdict:
    """Compare what a check found with what is printed."""
    if outcome.contradiction:
        return Verdict.CONTRADICTS
    # Synthetic faces show whether a mechanism can work; they say nothing about the paper's own data.
    if outcome.value is None or (outcome.evidence is Evidence.SYNTHETIC and claim.kind != "arithmetic"):
        return Verdict.UNCHECKED
    if isinstance(outcome.value, bool | str):
        return Verdict.HOLDS if str(outcome.value) == claim.printed else Verdict.FAILS
    if math.isnan(outcome.value):
        raise ValueError("the check gave NaN")
    off = shortfall(claim, float(outcome.value))
    allowed = tolerance(claim)
    if off <= allowed.holds:
        return Verdict.HOLDS
    return Verdict.ROUGHLY if off <= allowed.roughly else Verdict.FAILS


def tolerance(claim: Claim) -> Tolerance:
    """What the claim allows: its own tolerance, or its relation's."""
    if claim.tolerance is not None:
        return claim.tolerance
    if claim.relation == "about":
        size = abs(float(claim.printed))
        return Tolerance(holds=ABOUT_HOLDS * size, roughly=ABOUT_ROUGHLY * size)
    return Tolerance(holds=0, roughly=0)


def allowance(result: Result) -> str:
    """What the claim allows, in words: how far the found value may lie from the printed one."""
    claim, unit = result.claim, f" {result.claim.unit}".rstrip()
    if result.outcome.value is None:
        return "none: nothing was found to compare"
    if isinstance(result.outcome.value, bool | str):
        return "none: the same word or digits"
    if claim.tolerance is None and claim.relation == "equals":
        middle = Decimal(claim.printed)
        half = half_digit(middle)
        return f"printed rounding: {middle - half:f} to {middle + half:f}{unit}"
    allowed = tolerance(claim)
    if allowed.roughly == 0:
        return f"none: {claim.relation} {claim.printed}{unit}"
    beyond = "from" if claim.relation in ("equals", "about") else "on the wrong side of"
    return (
        f"holds up to {allowed.holds:g}{unit} {beyond} {claim.printed}, holds roughly up to {allowed.roughly:g}{unit}"
    )


def shortfall(claim: Claim, value: float) -> float:
    """How far `value` is from satisfying the claim, in the claim's unit; 0 or less where it does.

    ``equals`` without a tolerance allows for printed rounding: 87.43 equals a printed "87.4", 87.46 does not.
    """
    printed = Decimal(claim.printed)
    match claim.relation:
        case "equals":
            distance = abs(value - float(printed))
            return 0.0 if claim.tolerance is None and distance <= float(half_digit(printed)) * (1 + 1e-9) else distance
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
