"""Claims of the papers, how each is checked, and the verdicts.

A claim (:mod:`ferbook.claims.claim`) is one number or statement that a paper makes, written in our own words in
``data/claims/NNN.yml`` with the place where it is printed. A *check* (:mod:`ferbook.claims.checks`), a function named
by the claim, computes what the claim is about and says what kind of evidence it used; :mod:`ferbook.claims.comparison`
compares what it found with the printed value, which gives one of six verdicts.

Nothing here imports torch.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from ferbook.claims.checks import Outcome, known_checks
from ferbook.claims.claim import NO_EVIDENCE, Claim, ClaimFile, Evidence, Verdict
from ferbook.claims.comparison import compared
from ferbook.claims.dataset_summary import Facts
from ferbook.core import bounded_files, paths
from ferbook.core.errors import DataError, FerbookError


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


def load_claims(paper: str, folder: Path | None = None) -> ClaimFile:
    """Read ``data/claims/PAPER.yml``.

    Raises DataError if it is missing, not YAML, breaks the schema or names an unknown check; names the claim and the
    field.
    """
    loaded = read_claims(paper, folder)
    unknown = [claim.id for claim in loaded.claims if claim.check not in known_checks()]
    if unknown:
        hint = f"Known: {', '.join(known_checks())}."
        raise DataError(f"{unknown[0]} names an unknown check", _file(paper, folder), hint=hint)
    return loaded


def _file(paper: str, folder: Path | None) -> Path:
    return (folder or paths.project_root() / "data" / "claims") / f"{paper}.yml"


def read_claims(paper: str, folder: Path | None = None) -> ClaimFile:
    """As :func:`load_claims`, for those that judge nothing: whether there are such checks is not asked.

    To know the checks, all that they compute with has to be imported, which takes a second.
    """
    path = _file(paper, folder)
    try:
        content = bounded_files.read_yaml(path)
    except FileNotFoundError:
        raise DataError(f"no claims of paper {paper}", path, hint="`ferbook claims` has all papers.") from None
    except ValueError as error:
        raise DataError(f"is not YAML ({error})", path, hint="Mend the line it names.") from None
    try:
        return ClaimFile.model_validate(content)
    except ValidationError as error:
        raise DataError(
            _schema_problem(content, error), path, hint="See ferbook.claims.claim.Claim for the fields."
        ) from None


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
