"""Long tables of claims as a page holds them: in folds, a few lines at a time, each line a block on a narrow screen.

Folds are ``<details>``, so that they open without a script; a link to a line inside opens its folds, too.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape

from ferbook.claims import links
from ferbook.claims.claim import Claim, Verdict
from ferbook.claims.verdicts import Result

#: Lines that stand together; further ones are folded.
AT_ONCE = 25

#: What opens a paper, and what follows its sections; a claim that says none of them stands last.
_PARTS = ("title", "abstract", "summary", "section", "conclusion", "equation", "figure", "table", "reference")
_ROMAN = {"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5, "VI": 6, "VII": 7, "VIII": 8, "IX": 9, "X": 10}
_PLACE = re.compile(rf"\b({'|'.join(_PARTS)})s?\b(?: ({'|'.join(_ROMAN)}|\d+)\b)?", re.IGNORECASE)
#: Where claims stand whose place is none of the usual parts.
ELSEWHERE = "other places"


@dataclass(frozen=True)
class Line:
    """Cells of a row, as HTML, and the attributes of the row."""

    cells: Sequence[str]
    attributes: str = ""


def part(where: str) -> str:
    """The part of a paper that a place lies in: ``section 3`` of "sections 3.2 and 4", ``table 7`` of "table 7, row 2".

    Parameters
    ----------
    where: as claims state it; the first part that it names counts.
    """
    found = _PLACE.search(where)
    if not found:
        return ELSEWHERE
    kind, number = found[1].lower(), found[2] or ""
    return f"{kind} {number.upper()}".strip()


def _order(name: str) -> tuple[int, int]:
    """Parts in the order of a paper: abstract, sections by number, equations, figures, tables."""
    kind, _, number = name.partition(" ")
    if kind not in _PARTS:
        return len(_PARTS), 0
    return _PARTS.index(kind), _ROMAN.get(number) or int(number or 0)


def by_part(results: Iterable[Result]) -> dict[str, list[Result]]:
    """The claims of one paper by the part of it that prints them, in the paper's order."""
    found: dict[str, list[Result]] = {}
    for result in results:
        found.setdefault(part(result.claim.where), []).append(result)
    return {name: found[name] for name in sorted(found, key=_order)}


def table(titles: Sequence[str], lines: Iterable[Line], caption: str) -> str:
    """A table; on a narrow screen each line is a block, whose cells say what they are.

    Parameters
    ----------
    titles: of the columns; the first is the claim's, or another text that needs the whole width.
    caption: in words; escaped here.
    """
    head = "".join(f'<th scope="col">{title}</th>' for title in titles)
    body = "".join(
        f"<tr{line.attributes}>"
        + "".join(f'<td data-title="{title}">{cell}</td>' for title, cell in zip(titles, line.cells, strict=True))
        + "</tr>"
        for line in lines
    )
    return (
        f'<table class="ferbook-table ferbook-blocks"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def in_batches(titles: Sequence[str], lines: Iterable[Line], caption: str) -> str:
    """That table while it is short; of a longer one the first ``AT_ONCE`` lines, and each further batch in a fold."""
    lines = list(lines)
    if len(lines) <= AT_ONCE:
        return table(titles, lines, caption)
    parts = []
    for first in range(0, len(lines), AT_ONCE):
        batch = lines[first : first + AT_ONCE]
        which = f"{first + 1} to {first + len(batch)} of {len(lines)}"
        text = table(titles, batch, f"{caption}: {which}")
        parts.append(fold(which, text, "fold-more") if first else text)
    return "".join(parts)


def fold(summary: str, body: str, kind: str, attributes: str = "") -> str:
    """Something under a line that opens it.

    Parameters
    ----------
    summary: the line, HTML.
    kind: class of the fold, which style sheet and script know.
    """
    return f'<details class="fold {kind}"{attributes}><summary>{summary}</summary>{body}</details>'


def by_parts(titles: Sequence[str], results: Iterable[Result], line: Callable[[Result], Line], caption: str) -> str:
    """The claims of one paper, a fold for each part of it.

    Parameters
    ----------
    titles: of the columns.
    line: a claim's cells under them.
    caption: of each part's table, before the part's name.
    """
    return "".join(
        fold(heading(name, found), in_batches(titles, map(line, found), f"{caption}, {name}"), "fold-part")
        for name, found in by_part(results).items()
    )


def heading(title: str, results: Iterable[Result]) -> str:
    """The line that opens a fold of claims: its title, how many there are, and how many have each verdict.

    The book's own observations stand apart and without verdicts, as they do wherever claims are counted.
    """
    results = list(results)
    claimed = [result for result in results if result.claim.by == "paper"]
    found = Counter(result.verdict for result in claimed)
    marks = " ".join(mark(verdict, str(found[verdict])) for verdict in Verdict if found[verdict])
    number = f"{len(claimed)} claim{'s' * (len(claimed) != 1)}"
    if len(claimed) < len(results):
        number += f", {len(results) - len(claimed)} of this book"
    return (
        f'<span class="fold-title">{escape(title)}</span> <span class="fold-count">{number}</span> '
        f'<span class="fold-marks">{marks}</span>'
    )


def mark(verdict: Verdict, number: str) -> str:
    """How many claims have a verdict: its sign and the number; the word for those who see no signs."""
    return (
        f'<span class="verdict-mark {verdict_class(verdict)}" title="{verdict}">{number}'
        f'<span class="ferbook-unseen"> {verdict}</span></span>'
    )


def verdict_class(verdict: Verdict) -> str:
    """What the style sheet calls the verdict: its colour and its mark."""
    return f"verdict-{links.slug(verdict)}"


def badges(claim: Claim) -> str:
    """What has to be known of a claim before its verdict: who says it, and how it was read. HTML, empty for most."""
    known = {
        "an observation of this book, not a claim of the paper": claim.by == "book",
        "read from extracted text, which can lose signs": claim.extracted,
    }
    return "".join(f' <span class="badge-claim">{text}</span>' for text, holds in known.items() if holds)
