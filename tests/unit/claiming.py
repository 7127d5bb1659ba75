"""Claims that no file holds, for tests of checks; places that claims may name; tables and intervals read by hand."""

import csv
import math
from collections.abc import Iterable
from functools import cache

from docutils.nodes import make_id
from scipy import stats

from ferbook.claims import dataset_summary, verdicts
from ferbook.claims.claim import Claim, Tolerance
from ferbook.claims.verdicts import Result
from ferbook.core import paths


def stated(name: str = "002-x", kind: str = "measured", **fields: object) -> Claim:
    """A claim like others: measured, printed as 90, about whatever was trained if it is of a training."""
    base = {"id": name, "kind": kind, "where": "section 1", "says": "s", "printed": "90", "check": "fact"}
    base |= {"page": "book/faces/a"} | ({"about": {}} if kind == "trained" else {})
    return Claim(**base | fields)


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
    allowed = None if tolerance is None else Tolerance(holds=tolerance[0], roughly=tolerance[1])
    fields = {"printed": printed, "relation": relation, "tolerance": allowed, "check": check, "arguments": arguments}
    one = stated("000-x", claim_kind, **fields, **({} if about is None else {"about": about}))
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


@cache
def lines(table: str) -> list[dict[str, str]]:
    """A transcribed table as the csv module reads it, for twins of what reads it otherwise."""
    with (paths.project_root() / f"data/claims/tables/{table}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def student(values: Iterable[float]) -> tuple[float, float]:
    """Mean, and half of Student's 95 % interval, step by step."""
    values = list(values)
    mean = sum(values) / len(values)
    deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))
    return mean, stats.t.ppf(0.975, len(values) - 1) * deviation / math.sqrt(len(values))


def ends(values: Iterable[float]) -> tuple[float, str]:
    """Mean and interval as verdicts tell it."""
    mean, half = student(values)
    return mean, f"{mean - half:.1f} to {mean + half:.1f}"
