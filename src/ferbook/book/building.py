"""What the build needs to know: pages in order, and what each of them depends on. The Snakefile says what is made of
it.

A page depends on its source, on the library files that it imports, on the checks and claims of the papers whose
verdicts it shows, on recorded results, and on what it takes from other pages. Each of these is read from sources, so
that a change re-runs those pages that can look different, and no others.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import yaml

from ferbook.claims import links, verdicts
from ferbook.claims.checks import MODULES
from ferbook.core import dependencies, records
from ferbook.learning import sweeps

#: The letter 004 is judged by the checks of paper 003.
_JUDGED_BY = {"004": "003"}
#: What pages read besides images and texts: claims, transcribed tables, records, splits, weights.
_KINDS = {".yml", ".json", ".csv", ".safetensors"}


def pages(toc: Path) -> list[str]:
    """Pages of a table of contents in order, without suffix."""
    content = yaml.safe_load(toc.read_text(encoding="utf-8"))
    found, waiting = [], [content["root"], content.get("parts", []), content.get("chapters", [])]
    while waiting:
        entry = waiting.pop(0)
        if isinstance(entry, str):
            found.append(entry)
        elif isinstance(entry, list):
            waiting[:0] = entry
        else:
            waiting[:0] = [entry.get("file", []), entry.get("chapters", []), entry.get("sections", [])]
    return found


def module_file(name: str) -> Path:
    """The file of a module of the library (as ``book.site``) that is run and not imported."""
    return Path(find_spec(f"ferbook.{name}").origin)


@cache
def imported(page: str) -> tuple[Path, ...]:
    """Library files that a page's source imports, directly or through others."""
    return tuple(dependencies.library_files(Path(f"{page}.py")))


@cache
def papers_judged(page: str) -> tuple[str, ...]:
    """The papers whose claims a page judges: those that it names to ``ClaimReport`` or ``load_claims``, else all.

    None where its code judges no claims.
    """
    if dependencies.PACKAGE / "claims" / "verdicts.py" not in imported(page):
        return ()
    calls = (
        node
        for node in ast.walk(ast.parse(Path(f"{page}.py").read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    )
    given = {
        call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else ""
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr in ("ClaimReport", "load_claims")
    }
    every = (paper for paper in MODULES if paper)
    # A name that is worked out, or none at all (the code of the library chooses): any paper.
    return tuple(sorted(given)) if given and "" not in given else (*every, *_JUDGED_BY)


@cache
def library(page: str) -> tuple[Path, ...]:
    """Library files that a page's results can depend on: what it imports, and the checks of the papers it judges."""
    found = set(imported(page))
    papers = papers_judged(page)
    for paper in ("", *papers) if papers else ():
        for name in MODULES[_JUDGED_BY.get(paper, paper)]:
            file = module_file(name.removeprefix("ferbook."))
            found.update([file, *dependencies.library_files(file)])
    return tuple(sorted(found))


def uses(page: str, *modules: str) -> bool:
    """Whether one of these modules of the library (as ``claims.links``) is among what a page depends on."""
    return any(dependencies.PACKAGE / f"{module.replace('.', '/')}.py" in library(page) for module in modules)


def run_files(data: Path) -> list[Path]:
    """Sweeps and the records of their runs."""
    return sorted([*data.glob("sweeps/*.yml"), *data.glob("recorded/*/runs/**/*.json")])


@cache
def judged_files(data: Path) -> tuple[Path, ...]:
    """Claims, tables, records, splits and released weights; without :func:`run_files`."""
    runs = set(run_files(data))
    return tuple(path for path in sorted(data.rglob("*")) if path.suffix in _KINDS and path not in runs)


def judged(page: str, data: Path) -> list[Path]:
    """Those of :func:`judged_files` that a page can depend on: not the claim files of papers that it does not judge."""
    if not uses(page, "claims.verdicts", "claims.dataset_summary", "faces.splits"):
        return []
    papers = papers_judged(page)
    return [
        path
        for path in judged_files(data)
        if not (path.parent.name == "claims" and path.stem.isdigit() and path.stem not in papers)
    ]


@cache
def linked() -> str:
    """Hash of where each claim is shown, which pages that link to others depend on."""
    where = {claim.id: links.link(claim) for claim in verdicts.stated()}
    return hashlib.sha256(json.dumps(where).encode()).hexdigest()


def titles(notebooks: Iterable[str]) -> list[str]:
    """The first heading of each page."""
    lines = (Path(f"{page}.py").read_text(encoding="utf-8").splitlines() for page in notebooks)
    return [next((line for line in text if line.startswith("# # ")), "") for text in lines]


@cache
def recorded_runs(data: Path) -> str:
    """Hash of all recorded runs. As inputs of a page they would be made, which takes days."""
    total = hashlib.sha256()
    for path in run_files(data):
        total.update(str(path).encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def describe_runs(data: Path, record: str, described: str) -> Iterator[str]:
    """Write the config of every run of every sweep, newer than the run's record where that is not its own.

    Parameters
    ----------
    data: the folder with ``sweeps``.
    record, described: where records and configs lie, with ``{paper}`` and ``{run}``.

    Yields the papers that have sweeps.
    """
    for path in sorted((data / "sweeps").glob("*.yml")):
        for name, run in sweeps.runs(path).items():
            target = Path(record.format(paper=path.stem, run=name))
            description = Path(described.format(paper=path.stem, run=name))
            records.write_json(description, run.model_dump(mode="json"))
            if sweeps.is_recorded(target, run):
                os.utime(description, times=(0, target.stat().st_mtime - 1))
        yield path.stem
