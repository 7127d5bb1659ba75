"""All claims of all papers on one page: counts, a figure, and folded lists whose lines lead to where each is decided.

Nothing here imports torch.
"""

import ast
import inspect
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape

import matplotlib.pyplot as plt
import pandas as pd
from IPython.display import HTML
from matplotlib.figure import Figure

from ferbook.book import building
from ferbook.claims import comparison, dataset_summary, folded, links, report, verdicts
from ferbook.claims.checks import Check, known_checks
from ferbook.claims.claim import NO_EVIDENCE, Claim, Evidence, Verdict
from ferbook.claims.verdicts import Result
from ferbook.core import paths
from ferbook.measures import figures

#: Colours that stay apart with the common forms of colour blindness (after Okabe and Ito).
VERDICT_COLOURS: dict[Verdict, str] = {
    Verdict.HOLDS: "#009e73",
    Verdict.ROUGHLY: "#f0e442",
    Verdict.FAILS: "#d55e00",
    Verdict.CONTRADICTS: "#7b4fa3",
    Verdict.UNCHECKED: "#bbbbbb",
    Verdict.STAND_IN: "#8fb8d8",
}
#: A pattern beside the colour, for all but the two whose colours nobody mixes up.
HATCHES: dict[Verdict, str] = {
    Verdict.ROUGHLY: "//",
    Verdict.CONTRADICTS: "xx",
    Verdict.UNCHECKED: "..",
    Verdict.STAND_IN: "oo",
}
#: All that a verdict may rest on.
EVIDENCE: tuple[str, ...] = (*Evidence, NO_EVIDENCE)
#: What is counted apart: what a paper says in so many words, and the cells of its long tables and figures.
KINDS = ("statements", "cells")
#: Id of the board, which the filters name.
BOARD_ID = "scoreboard"


def judged() -> list[Result]:
    """Every claim of every paper, judged on what is recorded."""
    return verdicts.judge(verdicts.stated(), dataset_summary.recorded())


def counts(results: Iterable[Result], by: str = "verdict") -> pd.DataFrame:
    """How many claims of each paper have each verdict or kind of evidence.

    Parameters
    ----------
    results: judged claims; the book's own observations among them are not counted.
    by: ``verdict`` or ``evidence``.

    Returns
    -------
    Rows: paper (its digits) and kind, ``statements`` or ``cells``, where a cell is one of a table or figure of many
    alike. Columns: the verdicts, or the kinds of evidence.
    """
    results = list(results)
    columns = list(map(str, Verdict if by == "verdict" else EVIDENCE))
    kinds = {"statements": [r for r in results if not r.claim.cell], "cells": [r for r in results if r.claim.cell]}
    found = {kind: verdicts.counted(chosen, by) for kind, chosen in kinds.items()}
    papers = sorted({paper for number in found.values() for paper in number})
    index = pd.MultiIndex.from_product([papers, KINDS], names=["paper", "kind"])
    numbers = [[found[kind].get(paper, {}).get(name, 0) for name in columns] for paper, kind in index]
    return pd.DataFrame(numbers, index=index, columns=columns)


def counts_table(results: Iterable[Result], by: str = "verdict") -> HTML:
    """:func:`counts` for readers: a row per verdict or kind of evidence, a column per paper, statements + cells."""
    found = counts(results, by)
    papers = list(found.index.unique("paper"))
    every = found.groupby("kind").sum()

    def cell(statements: int, cells: int) -> str:
        return f"{statements} + {cells}" if cells else str(statements)

    def row(title: str, numbers: Callable[[pd.DataFrame], pd.Series]) -> str:
        told = [cell(*numbers(found.loc[paper]).reindex(KINDS)) for paper in papers]
        told.append(cell(*numbers(every).reindex(KINDS)))
        return f'<tr><th scope="row">{title}</th>{"".join(f"<td>{text}</td>" for text in told)}</tr>'

    def title(name: str) -> str:
        if by != "verdict":
            return escape(name)
        return f'<span class="verdict-mark {folded.verdict_class(Verdict(name))}">{escape(name)}</span>'

    body = "".join(row(title(name), lambda part, name=name: part[name]) for name in found.columns)
    body += row("claims", lambda part: part.sum(axis=1))
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in (by, *papers, "all"))
    caption = f"Claims by paper and {by}: statements + cells of tables and figures"
    return HTML(
        f'<table class="ferbook-table board-counts"><caption>{caption}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def by_paper(results: Iterable[Result]) -> HTML:
    """A row per paper: its authors, the first page of its chapter, and how many of its claims have each verdict.

    For pages that lie one folder deep, as the front page does. Titles and order are those of the table of contents.
    """
    found = verdicts.counted(results)
    chapters = building.chapters(paths.project_root() / "_toc.yml")
    every = sum(found.values(), Counter())

    def line(name: str, numbers: Counter[str]) -> folded.Line:
        # Zeros, too: what a paper has none of is worth knowing, and marks stand below each other.
        marks = "".join(folded.mark(verdict, str(numbers[verdict])) for verdict in Verdict)
        return folded.Line((name, str(numbers.total()), f'<span class="front-marks">{marks}</span>'))

    def name(paper: str) -> str:
        title, page = chapters[paper]
        link = f'<a href="{page.removeprefix("book/")}.html">{escape(title)}</a>'
        return f"{link} <cite>{escape(report.short_citation(paper))}</cite>"

    lines = [*(line(name(paper), numbers) for paper, numbers in found.items()), line("all papers", every)]
    key = " ".join(folded.mark(verdict, escape(verdict)) for verdict in Verdict)
    caption = "Claims of each paper, and how many of them have each verdict"
    return HTML(
        f'<div class="front">{folded.table(("paper", "claims", "verdicts"), lines, caption)}'
        f'<p class="fold-marks" aria-hidden="true">{key}</p></div>'
    )


def bulk(results: Iterable[Result], verdict: Verdict = Verdict.HOLDS) -> str:
    """How many claims with a verdict are cells of tables that agree one by one, in a sentence."""
    found = counts(results)[str(verdict)].groupby("kind").sum()
    total, cells = int(found.sum()), int(found["cells"])
    share = f"{cells / total:.0%}" if total else "none"
    return (
        f"Of {total} claims with the verdict *{verdict}*, {cells} ({share}) are cells of tables or figures, taken one "
        f"by one; {total - cells} are statements."
    )


def counts_figure(results: Iterable[Result]) -> Figure:
    """Claims per paper as bars, divided by verdict: statements and, beside them, cells of tables.

    Segments that are too narrow for their number stand without it.
    """
    found = counts(results)
    papers = list(found.index.unique("paper"))
    widest = found.sum(axis=1).max()
    figure, axes = plt.subplots(1, 2, sharey=True, sharex=True, figsize=(figures.WIDTH, 0.62 * len(papers) + 1.9))
    for axis, kind in zip(axes, KINDS, strict=True):
        here = found.xs(kind, level="kind").reindex(papers)
        parts = {
            str(verdict): (here[str(verdict)], colour, HATCHES.get(verdict, ""))
            for verdict, colour in VERDICT_COLOURS.items()
        }
        figures.stacked(axis, [report.short_citation(paper) for paper in papers], parts, least=0.09 * widest)
        axis.set_xlabel("statements" if kind == "statements" else "cells of tables and figures")
        figures.sideways(axis)
    axes[0].invert_yaxis()
    figures.legend_below(figure, 3, fontsize=11)
    return figure


def kind(claim: Claim) -> str:
    """What the filters tell apart: a statement, a cell of a table or figure, or an observation of this book."""
    return "observation of this book" if claim.by == "book" else "cell" if claim.cell else "statement"


def board(results: Sequence[Result]) -> HTML:
    """All claims, folded by paper and part of the paper, with filters.

    Without JavaScript the filters stay hidden and the folds open by themselves, one by one.
    """
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(result.claim.paper, []).append(result)
    papers = "".join(_paper(paper, found) for paper, found in groups.items())
    return HTML(f'<div class="ferbook-board" id="{BOARD_ID}">{_filters(groups)}{papers}</div>')


#: Columns of the scoreboard.
_COLUMNS = ("claim", "printed", "found", "verdict", "evidence", "check")


def _paper(paper: str, results: Sequence[Result]) -> str:
    """One paper's fold: within it one for each part of the paper."""
    parts = folded.by_parts(_COLUMNS, results, _line, paper)
    return folded.fold(
        folded.heading(report.short_citation(paper), results), parts, "fold-paper", f' id="paper-{paper}"'
    )


def _line(result: Result) -> folded.Line:
    claim = result.claim
    cells = (
        f'<a href="{links.link(claim)}">{escape(claim.says)}</a> <cite>{escape(claim.where)}</cite>'
        f"{folded.badges(claim)}",
        escape(report.printed(claim)),
        escape(report.show(result.outcome.value, claim)),
        f'<span class="verdict-mark {folded.verdict_class(result.verdict)}">{result.verdict}</span>',
        escape(str(result.evidence)),
        f'<a href="{links.check_link(claim.check)}">{escape(claim.check)}</a>',
    )
    # What the filters look at.
    known = {"paper": claim.paper, "verdict": result.verdict, "evidence": result.evidence, "kind": kind(claim)}
    data = "".join(f' data-{name}="{escape(str(value))}"' for name, value in known.items())
    return folded.Line(cells, f' id="{claim.anchor}"{data}')


def _filters(papers: Mapping[str, Sequence[Result]]) -> str:
    """A form that the script shows and obeys."""
    number = sum(map(len, papers.values()))
    fields = {
        "paper": {paper: report.short_citation(paper) for paper in papers},
        "verdict": {str(verdict): str(verdict) for verdict in Verdict},
        "evidence": {name: name for name in map(str, EVIDENCE)},
        "kind": {"statement": "statements", "cell": "cells of tables", "observation of this book": "of this book"},
    }
    chosen = "".join(
        f'<label>{name} <select name="{name}"><option value="">all</option>'
        + "".join(f'<option value="{escape(value)}">{escape(text)}</option>' for value, text in values.items())
        + "</select></label>"
        for name, values in fields.items()
    )
    return (
        f'<form class="board-filters" aria-controls="{BOARD_ID}" hidden>{chosen}'
        '<label>words <input type="search" name="words" autocomplete="off"></label>'
        '<button type="reset">show all</button>'
        f'<output aria-live="polite">{number} of {number} listed</output></form>'
    )


def example(results: Iterable[Result], *, verdict: str = "", evidence: str = "", prefer: str = "") -> Result:
    """A claim that has a verdict, or rests on a kind of evidence: the preferred one while it does, else the first.

    Raises LookupError if there is none.
    """
    fits = [r for r in results if verdict in ("", r.verdict) and evidence in ("", r.evidence)]
    if not fits:
        raise LookupError(f"no claim has verdict {verdict or 'any'} and evidence {evidence or 'any'}")
    return next((result for result in fits if result.claim.id == prefer), fits[0])


def allowances(results: Iterable[Result]) -> list[dict[str, str]]:
    """One claim for each way in which printed and found values are compared, column to text."""
    found: dict[str, Result] = {}
    for result in results:
        claim, value = result.claim, result.outcome.value
        if value is None:
            continue
        words = isinstance(value, bool | str)
        own = "own tolerance" if claim.tolerance and not words else ""
        found.setdefault(own or ("words" if words else claim.relation), result)
    return [
        {
            "claim": result.claim.says,
            "comparison": kind,
            "printed": report.printed(result.claim),
            "found": report.show(result.outcome.value, result.claim),
            "allowed": comparison.allowance(result.claim, result.outcome.value),
            "verdict": str(result.verdict),
        }
        for kind, result in found.items()
    ]


def allowance_table(results: Iterable[Result]) -> HTML:
    """:func:`allowances` for readers."""
    found = allowances(results)
    lines = [folded.Line([escape(text) for text in row.values()]) for row in found]
    return HTML(folded.table(list(found[0]), lines, "One claim for each kind of comparison"))


def insensitive(results: Iterable[Result]) -> HTML:
    """The claims whose verdict is the same whatever the paper prints, each with the reason that its file gives."""
    lines = [
        folded.Line(
            (
                f'<a href="{links.link(result.claim)}">{escape(result.claim.says)}</a> <cite>{result.claim.id}</cite>',
                f'<span class="verdict-mark {folded.verdict_class(result.verdict)}">{result.verdict}</span>',
                escape(result.claim.insensitive),
            )
        )
        for result in results
        if result.claim.insensitive
    ]
    caption = "Claims whose verdict does not look at the printed value"
    if not lines:
        return HTML("<p>There is none.</p>")
    return HTML(folded.in_batches(("claim", "verdict", ""), lines, caption))


def check_list(results: Sequence[Result]) -> HTML:
    """All checks: what each computes, how many claims name it, and its code. Links from every verdict lead here."""
    users = pd.Series([result.claim.check for result in results], dtype=object).value_counts()
    known = known_checks()
    return HTML("\n".join(_check(name, known[name], int(users.get(name, 0))) for name in known))


def _check(name: str, check: Check, users: int) -> str:
    paragraphs = inspect.cleandoc(check.__doc__ or "").split("\n\n")
    text = "".join(f"<p>{_marked_up(paragraph)}</p>" for paragraph in paragraphs)
    used = f"{users} claim{'s' * (users != 1)}"
    return (
        f'<section class="check" id="{links.check_anchor(name)}"><h3>{escape(name)}</h3>{text}'
        f"<p><small>{used}; <code>{check.__module__}.{check.__name__}</code></small></p>"
        f'<pre tabindex="0"><code>{escape(_code(check))}</code></pre></section>'
    )


def _code(check: Check) -> str:
    """Source of a check without its documentation, which stands above it."""
    source = inspect.getsource(check)
    (function,) = ast.parse(source).body
    lines = source.splitlines()
    if ast.get_docstring(function) is not None:
        first = function.body[0]
        del lines[first.lineno - 1 : first.end_lineno]
    return "\n".join(lines)


def _marked_up(text: str) -> str:
    """The two marks that docstrings here use: double backticks, and roles such as :func:`name`."""
    plain = escape(" ".join(text.split()))
    return re.sub(r"``(.+?)``|:\w+:`~?\.?(.+?)`", lambda found: f"<code>{found[1] or found[2]}</code>", plain)
