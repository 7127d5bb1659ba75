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
import re
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import yaml

from ferbook.claims import citing, links, verdicts
from ferbook.claims.checks import modules
from ferbook.core import dependencies, records
from ferbook.learning import sweeps

#: What pages read besides images and texts: claims, transcribed tables, records, splits, weights.
_KINDS = {".yml", ".json", ".csv", ".safetensors"}
#: What judges claims: of the papers whose names it is given, or of any.
_TAKING_PAPERS = ("ClaimReport", "load_claims")
_JUDGING = ("judge", "survey", "stated", "known_checks")


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


def chapters(toc: Path) -> dict[str, tuple[str, str]]:
    """Paper to title of its chapter and its first page: parts of a table of contents that are called ``003: TITLE``."""
    parts = yaml.safe_load(toc.read_text(encoding="utf-8")).get("parts", [])
    split = {part["caption"].partition(": ")[::2]: part["chapters"][0]["file"] for part in parts}
    return {paper: (title, page) for (paper, title), page in split.items() if paper.isdigit()}


def module_file(name: str) -> Path:
    """The file of a module of the library (as ``book.site``) that is run and not imported."""
    return Path(find_spec(f"ferbook.{name}").origin)


@cache
def imported(page: str) -> tuple[Path, ...]:
    """Library files that a page's source imports, directly or through others."""
    return tuple(dependencies.library_files(Path(f"{page}.py")))


@cache
def papers_judged(page: str) -> tuple[str, ...]:
    """The papers whose claims a page judges; none where neither its source nor the library judges any for it.

    A source names them to ``ClaimReport`` or ``load_claims``. Where a paper's name is worked out, or the library
    chooses, any paper may be meant.
    """
    given = _papers_named(Path(f"{page}.py")).union(
        *(_papers_named(file) for file in imported(page) if file.parent != dependencies.PACKAGE / "claims")
    )
    if "" in given:
        return tuple(paper for paper in modules() if paper)
    return tuple(sorted(given))


@cache
def _papers_named(source: Path) -> frozenset[str]:
    """The papers that a source hands to what judges claims; an empty name where the source does not say which."""
    text = source.read_text(encoding="utf-8")
    if not any(name in text for name in (*_TAKING_PAPERS, *_JUDGING)):
        return frozenset()
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    named, judging = set(), False
    for call in calls:
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        judging = judging or name in _JUDGING
        if name in _TAKING_PAPERS:
            first = call.args[0] if call.args else None
            named.add(first.value if isinstance(first, ast.Constant) else "")
    return frozenset(named or ({""} if judging else ()))


@cache
def library(page: str) -> tuple[Path, ...]:
    """Library files that a page's results can depend on: what it imports, and the checks of the papers it judges."""
    found = set(imported(page))
    papers = papers_judged(page)
    for paper in ("", *papers) if papers else ():
        for name in modules()[paper]:
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
    """Claims, tables, records, splits and released weights; without :func:`run_files` and :func:`dictionaries`."""
    others = {*run_files(data), *dictionaries(data)}
    return tuple(path for path in sorted(data.rglob("*")) if path.suffix in _KINDS and path not in others)


def dictionaries(data: Path) -> list[Path]:
    """What the columns of transcribed tables mean: read by the export alone."""
    return sorted(data.glob("claims/tables/*-columns.yml"))


def judged(page: str, data: Path) -> list[Path]:
    """Those of :func:`judged_files` that a page can depend on.

    A page that judges some papers depends neither on the claim files of the others nor on their tables, unless what it
    uses names one; the list of figures and tables is for one page. One that shows verdicts says how they are cited.
    """
    if not uses(page, "claims.verdicts", "claims.dataset_summary", "faces.splits"):
        return []
    papers = papers_judged(page)
    cited = [data.parent / citing.CITATION] if uses(page, "claims.citing") else []
    claims = [data / "claims" / f"{paper}.yml" for paper in papers]
    # What serves all papers names tables in examples alone.
    code = [file for file in library(page) if file.parent != dependencies.PACKAGE / "claims"]
    named = set(papers).union(*map(_tables_named, (Path(f"{page}.py"), *claims, *code)))
    apart = {path for path in judged_files(data) if path.parent.name == "claims"} - {*claims}
    if uses(page, "book.coverage"):  # which also says how each paper is cited
        apart = set()
    apart |= {path for path in judged_files(data) if path.parent.name == "tables" and path.name[:3] not in named}
    return cited + [path for path in judged_files(data) if path not in apart]


@cache
def _tables_named(file: Path) -> frozenset[str]:
    """The papers whose tables or claims a file names, as ``003-table2``."""
    found = re.findall(r"\b(\d{3})-[a-z]", file.read_text(encoding="utf-8")) if file.is_file() else ()
    return frozenset(found)


@cache
def linked(papers: tuple[str, ...]) -> str:
    """Hash of where each claim of these papers is shown, which pages that link to them depend on."""
    stated = (claim for paper in papers for claim in verdicts.read_claims(paper).claims)
    where = {claim.id: links.link(claim) for claim in stated}
    return hashlib.sha256(json.dumps(where).encode()).hexdigest()


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
