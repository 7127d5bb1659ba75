"""The skeleton of a paper: files that make it part of the book, with two example claims, for ``ferbook new-paper``.

The files lie in ``skeleton/``, their places are in ``FILES``; three files that list papers get an entry each. All is
written beside its place before the first file takes its own. The claims come last: without them there is no such paper,
so that after a kill the same command goes on.
"""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from string import Template

import yaml

from ferbook.claims import verdicts
from ferbook.claims.claim import ClaimFile
from ferbook.core import paths
from ferbook.core.errors import ConfigError, FerbookError

SKELETON = Path(__file__).with_name("skeleton")
#: Where each file of the skeleton goes. The last one makes the paper known.
FILES: Mapping[str, str] = {
    "package.py.txt": "src/ferbook/papers/$name/__init__.py",
    "checks.py.txt": "src/ferbook/papers/$name/checks.py",
    "page.py.txt": "book/$name/the_paper.py",
    "table1.csv.txt": "data/claims/tables/$number-table1.csv",
    "columns.yml.txt": "data/claims/tables/$number-columns.yml",
    "test.py.txt": "tests/unit/test_${name}_claims.py",
    "sweep.yml.txt": "data/sweeps/$number.yml",
    "claims.yml.txt": "data/claims/$number.yml",
}
#: Letters; what names the paper fits on a line with it.
LONGEST_TITLE = 80
SWEEP, CLAIMS = "sweep.yml.txt", "claims.yml.txt"


@dataclass(frozen=True)
class Paper:
    """What a skeleton is filled with.

    Parameters
    ----------
    number: three digits.
    name: of its package and its folder of pages: small letters and underscores.
    title: of its chapter, for readers.
    figures, tables: how many the paper numbers.
    """

    number: str
    name: str
    title: str
    figures: int = 0
    tables: int = 1

    @classmethod
    def named(cls, text: str, title: str | None = None, figures: int = 0, tables: int = 1) -> Paper:
        """From a number and a name, as ``005-resting-faces``.

        Raises
        ------
        ConfigError: if the text is of another form, the name cannot be that of a package, a title has more than a
            line or a quotation mark, or a number of figures or tables is negative.
        """
        found = re.fullmatch(r"(\d{3})-([a-z]+(?:[-_][a-z]+)*)", text)
        name = found[2].replace("-", "_") if found else ""
        if not found or keyword.iskeyword(name):
            hint = "Three digits and small letters, as 005-resting-faces."
            raise ConfigError("paper", f"{text!r} is no number and name", hint)
        title = name.replace("_", " ") if title is None else title.strip()
        if not 0 < len(title) <= LONGEST_TITLE or re.search(r'["\\\n]', title):
            raise ConfigError(
                "title", f"{title!r} is no title", f"Write up to {LONGEST_TITLE} letters without quotation marks."
            )
        if min(figures, tables) < 0:
            raise ConfigError("figures and tables", "cannot be fewer than none")
        return cls(found[1], name, title, figures, tables)

    def fill(self, text: str) -> str:
        """A template with what is known of the paper."""
        return Template(text).substitute(number=self.number, name=self.name, title=self.title)


def write(paper: Paper, *, sweep: bool = False) -> list[Path]:
    """Write the skeleton of `paper` into the checkout: all of it or nothing.

    Parameters
    ----------
    sweep: also describe training runs.

    Returns the files that are new or changed, relative to the checkout.

    Raises
    ------
    FerbookError: if the paper, or anything under its name, exists already; if a file that lists the papers is not as
        expected; or if there is no room or no right to write.
    """
    root = paths.project_root()
    made = {
        paper.fill(place): paper.fill((SKELETON / source).read_text(encoding="utf-8"))
        for source, place in FILES.items()
        if sweep or source != SWEEP
    }
    _refuse_what_exists(paper, root, made)
    # A file that lists papers comes before the claims, so that these are never without a place.
    lists = {place: _listed(root / place, entry, paper) for place, entry in LISTS.items()}
    claims = paper.fill(FILES[CLAIMS])
    ClaimFile.model_validate(yaml.safe_load(made[claims]))
    contents = {**{place: made[place] for place in made if place != claims}, **lists, claims: made[claims]}
    _write_all(root, contents)
    return [Path(place) for place in contents]


def _refuse_what_exists(paper: Paper, root: Path, made: Mapping[str, str]) -> None:
    """Raises FerbookError where the number or the name is taken.

    A file that holds just what would be written is what a killed command left.
    """
    if paper.number in verdicts.paper_numbers():
        raise FerbookError(
            f"paper {paper.number} exists already, with {len(verdicts.load_claims(paper.number).claims)} claims in "
            f"data/claims/{paper.number}.yml. Choose another number."
        )
    for place, text in made.items():
        path = root / place
        if path.exists() and not (path.is_file() and path.read_text(encoding="utf-8") == text):
            raise FerbookError(f"{place} exists already. Choose another name, or move it away.")


def _listed(path: Path, entry: Callable[[str, Paper], str], paper: Paper) -> str:
    """The text of a file that lists papers, with this one. Raises FerbookError if the file is not as expected."""
    text = path.read_text(encoding="utf-8")
    try:
        return entry(text, paper)
    except (LookupError, SyntaxError) as error:
        raise FerbookError(f"{path}: no place for a paper was found ({error}). Restore the file.") from None


def _printed(text: str, paper: Paper) -> str:
    """Source code with a further line at the end of the mapping ``PRINTED``, unless the paper has one."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == "PRINTED":
            if paper.number in [key.value for key in node.value.keys]:
                return text
            lines = text.splitlines(keepends=True)
            line = f'    "{paper.number}": Printed({paper.figures}, {paper.tables}),\n'
            return "".join([*lines[: node.end_lineno - 1], line, *lines[node.end_lineno - 1 :]])
    raise LookupError("there is no mapping PRINTED")


def _coverage(text: str, paper: Paper) -> str:
    """Every figure and table with an entry that says that nobody has looked at it."""
    if f'"{paper.number}":' in text:
        return text
    numbered = (("figure", paper.figures), ("table", paper.tables))
    names = [f"{kind} {number}" for kind, last in numbered for number in range(1, last + 1)]
    unseen = '    shows: "to be described"\n    remade: "no"\n    departs: "not looked at yet"\n'
    entries = "\n" + "".join(f'  - id: "{name}"\n{unseen}' for name in names) if names else " []\n"
    return f'{text.rstrip()}\n\n"{paper.number}":{entries}'


def _contents(text: str, paper: Paper) -> str:
    """The table of contents with a part for the paper after the last paper's, or at the end."""
    page = paper.fill("book/$name/the_paper")
    if f"file: {page}\n" in text:
        return text
    parts = list(re.finditer(r"^  - caption: (.*)\n", text, re.MULTILINE))
    if not parts:
        raise LookupError("there are no parts")
    numbered = [place for place, part in enumerate(parts) if re.match(r'"?\d{3}\b', part[1])]
    after = numbered[-1] + 1 if numbered else len(parts)
    place = parts[after].start() if after < len(parts) else len(text)
    part = f'  - caption: "{paper.number}: {paper.title}"\n    chapters:\n      - file: {page}\n'
    return text[:place] + part + text[place:]


#: Files that list papers, and what adds one to their text.
LISTS: Mapping[str, Callable[[str, Paper], str]] = {
    "src/ferbook/book/coverage.py": _printed,
    "data/claims/coverage.yml": _coverage,
    "_toc.yml": _contents,
}


def _write_all(root: Path, contents: Mapping[str, str]) -> None:
    """Put every file in its place, in this order; none of them where one cannot be written."""
    folders = {root / place for place in contents}
    folders = sorted({folder for path in folders for folder in path.parents if not folder.exists()}, reverse=True)
    try:
        # All are written beside their places before the first takes its own; what is entered last goes first.
        with ExitStack() as parts:
            for place, text in reversed(contents.items()):
                parts.enter_context(paths.replacing(root / place)).write_text(text, encoding="utf-8")
    except BaseException:
        for folder in folders:
            with suppress(OSError):  # not made, or some files are in place
                folder.rmdir()
        raise
