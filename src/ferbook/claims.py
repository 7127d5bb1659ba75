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

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ferbook import paths, plain
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
    #: Something was found, but by another network, loss or training than the claim is about.
    STAND_IN = "not checkable here (stand-in)"


class Evidence(StrEnum):
    """What a verdict rests on, strongest first."""

    ARITHMETIC = "arithmetic"
    #: What somebody else has published, as the size of a data set; nothing was computed.
    PUBLISHED = "published source"
    SAME_DATA = "same data"
    OTHER_DATA = "other data"
    SYNTHETIC = "synthetic"


#: In place of evidence where a check found nothing to compare.
NO_EVIDENCE = "none"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


#: Shares of the printed value within which "about" holds, and holds roughly, where a claim sets no tolerance itself.
#: For counts, sizes and times; an accuracy has :func:`accuracy_tolerance`.
ABOUT_HOLDS, ABOUT_ROUGHLY = 0.025, 0.10

#: Units in which "about" must not be a share of the value: of 86 % it would be points that no sentence means.
_SHARES = ("%", "points")


class Tolerance(_Strict):
    """How far from the printed value a measured one may lie: `holds` up to here, `holds roughly` up to there.

    Both are in the claim's own unit. Without them an accuracy whose test faces are known has
    :func:`accuracy_tolerance`, "about" allows ``ABOUT_HOLDS`` and ``ABOUT_ROUGHLY`` of the printed value, and every
    other relation allows nothing beyond printed rounding.
    """

    holds: float = Field(ge=0)
    roughly: float = Field(ge=0)

    @model_validator(mode="after")
    def _ordered(self) -> Tolerance:
        if self.roughly < self.holds:
            raise ValueError("roughly must not be smaller than holds")
        return self


class Training(_Strict):
    """A network and how it is trained: what a claim is about, or what a check rests on.

    In a claim, a field that is left out is one that the claim does not name; it restricts nothing.
    """

    #: Names of ``ferbook.models``; a claim may name several that it says the same of.
    networks: tuple[str, ...] = ()
    #: Name of ``ferbook.losses``; empty where several were compared.
    loss: str = ""
    epochs: int | None = Field(None, ge=1)
    #: How the test faces were chosen (``configs.Split.kind``); a claim may allow several.
    splits: tuple[str, ...] = ()
    #: Height and width in pixels of what the network sees.
    side: int | None = Field(None, ge=1)

    def departures(self, done: Training) -> list[str]:
        """How `done` departs from what this claim is about, in words; nothing where it may decide the claim.

        Half of the training length is enough; every other field has to be the same.
        """
        found = []
        if self.networks and not (done.networks and set(done.networks) <= set(self.networks)):
            found.append(f"{_either(done.networks)} instead of {_either(self.networks)}")
        if self.loss and done.loss != self.loss:
            found.append(f"{_words(done.loss) or 'several losses'} instead of {_words(self.loss)}")
        if self.epochs and (done.epochs or 0) < self.epochs / 2:
            found.append(f"{done.epochs or 'an unknown number of'} epochs instead of {self.epochs}")
        if self.splits and not (done.splits and set(done.splits) <= set(self.splits)):
            found.append(f"{_either(done.splits)} test faces instead of {_either(self.splits)} ones")
        if self.side and done.side != self.side:
            found.append(f"{done.side or 'an unknown number of'} pixels a side instead of {self.side}")
        return found


def _either(names: Iterable[str]) -> str:
    return " or ".join(map(_words, names)) or "another"


def _words(name: str) -> str:
    return name.replace("_", " ")


class Claim(_Strict):
    """One claim, as its file states it."""

    id: str = Field(pattern=r"^\d{3}-[a-z0-9-]+$")
    where: str = Field(min_length=1, description="where the paper prints it: section, figure, table, page")
    says: str = Field(min_length=1, description="the claim in our words")
    kind: Literal["arithmetic", "measured", "trained", "unsupported"]
    #: Who says it: the paper, or this book, whose own observations count for no paper.
    by: Literal["paper", "book"] = "paper"
    #: Whether it is one cell of a table or figure, of many alike; statements are counted apart from cells.
    cell: bool = False
    #: Whether an equation or a layout matters that was read from the text extracted from a PDF, which can lose signs.
    extracted: bool = False
    #: What a trained claim is about; a check whose training departs from it decides nothing.
    about: Training | None = None
    #: The printed value as text, so that its digits are known: "90", "0.75", "dropped"; "2 to 4" for ``between``.
    printed: str = Field(min_length=1)
    unit: str = ""
    relation: Literal["equals", "about", "at least", "at most", "more than", "less than", "between"] = "equals"
    tolerance: Tolerance | None = None
    #: For an accuracy in per cent, the number of test faces that it is a share of: it sets the tolerance.
    faces: int | None = Field(None, ge=1)
    check: str = Field(min_length=1)
    arguments: dict[str, Any] = Field(default_factory=dict)
    #: Whether the same number means something for another set of faces, so that a build without the data shows its own.
    general: bool = True
    #: Document and anchor where the book decides it, without a suffix.
    page: str = Field(pattern=r"^book/[a-z_/]+(#[a-z0-9-]+)?$")
    note: str = ""
    #: Why another printed value would get the same verdict; empty where it would not (see :mod:`ferbook.mutation`).
    insensitive: str = ""

    @model_validator(mode="after")
    def _consistent(self) -> Claim:
        if self.kind == "trained" and self.about is None:
            raise ValueError("a trained claim says what it is about (network, loss, epochs, split), or `about: {}`")
        if self.relation == "about" and self.unit in _SHARES and self.tolerance is None and self.faces is None:
            raise ValueError('"about" so many per cent or points needs a tolerance, or the number of test faces')
        if self.faces is not None and (self.unit != "%" or self.tolerance is not None):
            raise ValueError("faces set the tolerance of an accuracy in %, in place of a tolerance of its own")
        if self.relation == "between":
            low, high = self.bounds
            if low >= high:
                raise ValueError("between needs a smaller and a larger number, as '2 to 4'")
        return self

    @property
    def bounds(self) -> tuple[float, float]:
        """The two ends of a printed range, "2 to 4". Raises ValueError where there are not two numbers."""
        low, high = map(float, self.printed.split(" to "))
        return low, high

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
    #: What was trained, where the value comes from trained networks.
    trained: Training | None = None

    @classmethod
    def open(cls, evidence: Evidence, detail: str, trained: Training | None = None) -> Outcome:
        """No value: what was found has room for the claim and for its contrary."""
        return cls(None, evidence, f"undecided: {detail}", undecided=True, trained=trained)


@dataclass(frozen=True)
class Result:
    """A judged claim."""

    claim: Claim
    verdict: Verdict
    outcome: Outcome

    @property
    def evidence(self) -> str:
        """What the verdict rests on; ``none`` where nothing was found to compare, or by a stand-in alone."""
        nothing = self.outcome.value is None and not self.outcome.contradiction
        return NO_EVIDENCE if nothing or self.verdict is Verdict.STAND_IN else self.outcome.evidence

    @property
    def departures(self) -> list[str]:
        """How what was trained departs from what the claim is about; nothing where it does not, or nothing was."""
        about, done = self.claim.about, self.outcome.trained
        return about.departures(done) if about is not None and done is not None else []


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
    import ferbook.checks_cbam_runs
    import ferbook.checks_nhot
    import ferbook.checks_nhot_runs
    import ferbook.checks_nhot_sources
    import ferbook.checks_printed
    import ferbook.checks_relevance
    import ferbook.checks_relevance_scores
    import ferbook.checks_relevance_text
    import ferbook.checks_vad
    import ferbook.checks_vad_numbers
    import ferbook.checks_vad_text  # noqa: F401

    return _CHECKS


def load_claims(paper: str, folder: Path | None = None) -> ClaimFile:
    """Read ``data/claims/PAPER.yml``.

    Raises
    ------
    DataError: if it is missing, not YAML, or breaks the schema; names the claim and the field.
    """
    path = (folder or paths.project_root() / "data" / "claims") / f"{paper}.yml"
    try:
        content = plain.read_yaml(path)
    except FileNotFoundError:
        raise DataError(f"no claims of paper {paper}", path, hint="Papers are named 000 to 004.") from None
    except ValueError as error:
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
        _says_what_was_trained(claim, outcome)
        return Result(claim, verdict(claim, outcome), outcome)
    except (FerbookError, LookupError, TypeError, ValueError, ArithmeticError) as error:
        said = str(error) if isinstance(error, FerbookError) else repr(error)
        raise FerbookError(f"{claim.id}: check {claim.check!r} could not be run ({said}).") from error


def _says_what_was_trained(claim: Claim, outcome: Outcome) -> None:
    """Raises ValueError where a stand-in could pass unseen: claim and check must both say which training they mean."""
    if outcome.trained is not None and claim.about is None:
        raise ValueError("its check rests on trained networks, so the claim must say what it is about")
    decides = outcome.value is not None and outcome.evidence not in (Evidence.ARITHMETIC, Evidence.PUBLISHED)
    if claim.kind == "trained" and decides and outcome.trained is None:
        raise ValueError("a trained claim is decided by a check that does not say what was trained")


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
    """Per paper, how many of its own claims have each verdict, or rest on each kind of evidence.

    The book's own observations are not counted.
    """
    found: dict[str, Counter[str]] = {}
    for result in results:
        if result.claim.by == "book":
            continue
        found.setdefault(result.claim.paper, Counter())[getattr(result, by)] += 1
    return found


def verdict(claim: Claim, outcome: Outcome) -> Verdict:
    """Compare what a check found with what is printed."""
    if outcome.contradiction:
        return Verdict.CONTRADICTS
    # Synthetic faces show whether a mechanism can work; they say nothing about the paper's own data.
    if outcome.value is None or (outcome.evidence is Evidence.SYNTHETIC and claim.kind != "arithmetic"):
        return Verdict.UNCHECKED
    if outcome.trained is not None and claim.about is not None and claim.about.departures(outcome.trained):
        return Verdict.STAND_IN
    return compared(claim, outcome.value)


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


def allowance(result: Result) -> str:
    """What the claim allows, in words: how far the found value may lie from the printed one."""
    claim, unit = result.claim, f" {result.claim.unit}".rstrip()
    if result.outcome.value is None:
        return "none: nothing was found to compare"
    if isinstance(result.outcome.value, bool | str):
        return "none: the same word or digits"
    if claim.tolerance is None and claim.faces is None and claim.relation == "equals":
        middle = Decimal(claim.printed)
        half = half_digit(middle)
        return f"printed rounding: {middle - half:f} to {middle + half:f}{unit}"
    allowed = tolerance(claim)
    if allowed.roughly == 0:
        return f"none: {claim.relation} {claim.printed}{unit}"
    beyond = "from" if claim.relation in ("equals", "about") else "on the wrong side of"
    if claim.relation == "between":
        beyond = "outside"
    return (
        f"holds up to {allowed.holds:g}{unit} {beyond} {claim.printed}, holds roughly up to {allowed.roughly:g}{unit}"
    )


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
