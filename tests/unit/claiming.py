"""Claims that no file holds, for tests of checks; and the places of pages that claims may name."""

from functools import cache

from docutils.nodes import make_id

from ferbook.claims import dataset_summary, verdicts
from ferbook.claims.claim import Claim, Tolerance
from ferbook.claims.verdicts import Result
from ferbook.core import paths


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
    (result,) = verdicts.judge([one], dataset_summary.recorded())
    return result


@cache
def judged_files() -> tuple[Result, ...]:
    """All claims of the files that can be judged, judged once; that every claim can is a test of its own."""
    return tuple(verdicts.survey(verdicts.stated(), dataset_summary.recorded())[0])


@cache
def anchors(page: str) -> frozenset[str] | None:
    """What links to sections of a page of the book may name; None where there is no such page."""
    root = paths.project_root()
    source = next((path for suffix in (".py", ".md") if (path := root / f"{page}{suffix}").is_file()), None)
    if source is None:
        return None
    lines = source.read_text(encoding="utf-8").splitlines()
    return frozenset(make_id(line.lstrip("# ").strip()) for line in lines if line.lstrip("# ") and "## " in line)
