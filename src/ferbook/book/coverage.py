"""Every figure and table of the papers: whether this book makes it again, where, on what data and with which network.

``data/claims/coverage.yml`` holds one entry for each, written by hand; that pages and anchors exist, and that nothing
is left out, are tests.

Nothing here imports torch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Literal, NamedTuple

import pandas as pd
from IPython.display import HTML
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ferbook.claims import folded, links, report
from ferbook.core import bounded_files, paths
from ferbook.core.errors import DataError

#: How much of a figure or table is made again, and what a summary calls it.
REMADE: Mapping[str, str] = {"yes": "re-made", "partly": "in part", "no": "not re-made"}


class Printed(NamedTuple):
    """How many figures and tables a paper numbers."""

    figures: int
    tables: int

    @property
    def ids(self) -> list[str]:
        """Their names, figures first: ``figure 1`` to ``table 6``."""
        numbered = (("figure", self.figures), ("table", self.tables))
        return [f"{kind} {number}" for kind, last in numbered for number in range(1, last + 1)]


#: Counted by the captions in the papers' text.
PRINTED: Mapping[str, Printed] = {
    "000": Printed(3, 2),
    "001": Printed(17, 10),
    "002": Printed(37, 6),
    "003": Printed(7, 4),
    "004": Printed(3, 3),
}


class Entry(BaseModel):
    """One figure or table of a paper."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    id: str = Field(pattern=r"^(figure|table) [1-9]\d*$")
    #: What it shows, in our words.
    shows: str = Field(min_length=1)
    #: Quoted in the file: bare ``yes`` and ``no`` are truth values in YAML.
    remade: Literal["yes", "partly", "no"]
    #: Document and anchor of the section that shows ours; empty where there is none.
    where: str = Field("", pattern=r"^(book/[a-z_]+/[a-z_]+#[a-z0-9-]+)?$")
    #: What ours is computed from.
    data: str = ""
    #: What was trained for it, as ``VGG16``, or ``none``.
    network: str = ""
    #: How ours differs from the printed one, or why there is none.
    departs: str = ""

    @model_validator(mode="after")
    def _consistent(self) -> Entry:
        if self.remade == "no" and self.where:
            raise ValueError('remade is "no", so there is no `where`')
        missing = [name for name in ("where", "data", "network") if not getattr(self, name)]
        if self.remade != "no" and missing:
            raise ValueError(f'remade is "{self.remade}", so it needs `{missing[0]}`')
        if self.remade != "yes" and not self.departs:
            raise ValueError(f'remade is "{self.remade}", so `departs` says what is missing, and why')
        return self


def source(folder: Path | None = None) -> Path:
    """The file, in ``data/claims`` or another folder."""
    return (folder or paths.project_root() / "data" / "claims") / "coverage.yml"


def load(folder: Path | None = None) -> dict[str, tuple[Entry, ...]]:
    """All entries by paper, in the papers' order: figures by number, then tables.

    Raises DataError if the file is missing, not YAML, or breaks the schema; names paper and entry.
    """
    path = source(folder)
    try:
        content = bounded_files.read_yaml(path)
    except FileNotFoundError:
        raise DataError("there is no list of figures and tables", path, hint="It belongs to the checkout.") from None
    except ValueError as error:
        raise DataError(f"is not YAML ({error})", path, hint="Mend the line it names.") from None
    if not isinstance(content, dict) or content.keys() != PRINTED.keys():
        found = ", ".join(map(str, content)) if isinstance(content, dict) else "no papers"
        wanted = ", ".join(f'"{paper}"' for paper in PRINTED)
        raise DataError(f"holds {found}", path, hint=f"It has a list for each of {wanted}, in quotes.")
    return {paper: _entries(paper, given, path) for paper, given in content.items()}


def _entries(paper: str, given: object, path: Path) -> tuple[Entry, ...]:
    if not isinstance(given, list):
        raise DataError(f"paper {paper} has no list of entries", path, hint="Write [] where there are none yet.")
    found: dict[str, Entry] = {}
    order = PRINTED[paper].ids
    for position, raw in enumerate(given, 1):
        name = raw.get("id", f"entry {position}") if isinstance(raw, dict) else f"entry {position}"
        try:
            entry = Entry.model_validate(raw)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"]))
            raise DataError(
                f"paper {paper}, {name}{f', {field}' if field else ''}: {first['msg']}",
                path,
                hint='See ferbook.book.coverage.Entry; "yes", "partly" and "no" are written in quotes.',
            ) from None
        if entry.id in found:
            raise DataError(f"paper {paper}, {entry.id} stands twice", path, hint="Keep one.")
        if entry.id not in order:
            raise DataError(
                f"paper {paper} has no {entry.id}", path, hint="Figures and tables as the paper numbers them."
            )
        found[entry.id] = entry
    return tuple(found[name] for name in order if name in found)


def missing(entries: Mapping[str, tuple[Entry, ...]]) -> dict[str, list[str]]:
    """The figures and tables without an entry, by paper; only papers that lack one."""
    lacking = {
        paper: [name for name in PRINTED[paper].ids if name not in {entry.id for entry in found}]
        for paper, found in entries.items()
    }
    return {paper: names for paper, names in lacking.items() if names}


def counts(entries: Mapping[str, tuple[Entry, ...]]) -> pd.DataFrame:
    """Rows: papers, and ``all``. Columns: printed, each of ``REMADE``, and not yet listed."""
    rows = {}
    for paper, found in entries.items():
        remade = Counter(entry.remade for entry in found)
        printed = sum(PRINTED[paper])
        rows[paper] = {"printed": printed, **{name: remade[name] for name in REMADE}, "unlisted": printed - len(found)}
    frame = pd.DataFrame.from_dict(rows, orient="index")
    frame.loc["all"] = frame.sum()
    return frame


def counts_table(entries: Mapping[str, tuple[Entry, ...]]) -> HTML:
    """:func:`counts` for readers."""
    found = counts(entries).rename(
        columns={"yes": "re-made", "partly": "in part", "no": "not", "unlisted": "not listed yet"}
    )
    if not found.loc["all", "not listed yet"]:
        found = found.drop(columns="not listed yet")
    names = [name if name == "all" else report.short_citation(name) for name in found.index]
    found.insert(0, "paper", names)
    return report.table(found, caption="Figures and tables of the papers, and how many of them this book makes again")


#: Columns of the lists.
_COLUMNS = ("what the paper shows", "re-made", "data", "network", "how ours departs")


def lists(entries: Mapping[str, tuple[Entry, ...]]) -> HTML:
    """A fold for each paper, with a line for each of its figures and tables; "re-made" leads to ours."""
    return HTML("".join(_paper(paper, found) for paper, found in entries.items()))


def _paper(paper: str, entries: tuple[Entry, ...]) -> str:
    remade = Counter(entry.remade for entry in entries)
    said = ", ".join(f"{remade[name]} {words}" for name, words in REMADE.items() if remade[name]) or "none listed yet"
    title = escape(report.short_citation(paper))
    summary = f'<span class="fold-title">{title}</span> <span class="fold-count">{said}</span>'
    lines = [_line(paper, entry) for entry in entries]
    body = (
        folded.in_batches(_COLUMNS, lines, f"Figures and tables of paper {paper}") if lines else "<p>Nothing yet.</p>"
    )
    return folded.fold(summary, body, "fold-paper fold-coverage", f' id="coverage-{paper}"')


def _line(paper: str, entry: Entry) -> folded.Line:
    remade = f'<span class="remade remade-{entry.remade}">{entry.remade}</span>'
    if entry.where:
        remade = f'<a href="{links.page_link(entry.where)}">{remade}</a>'
    cells = (
        f"<strong>{entry.id}</strong>: {escape(entry.shows)}",
        remade,
        *map(escape, (entry.data, entry.network, entry.departs)),
    )
    return folded.Line(cells, f' id="{links.slug(entry.id)}-of-{paper}"')
