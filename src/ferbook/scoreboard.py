"""All claims of all papers on one page: counts, a figure of them, and a table whose rows lead to where each is decided.

Nothing here imports torch.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterable, Sequence
from html import escape

import matplotlib.pyplot as plt
import pandas as pd
from IPython.display import HTML
from matplotlib.figure import Figure

from ferbook import claims, facts, figures, places, report
from ferbook.claims import NO_EVIDENCE, Check, Evidence, Result, Verdict

#: Colours that stay apart with the common forms of colour blindness (after Okabe and Ito), and hatches beside them.
VERDICT_COLOURS: dict[Verdict, str] = {
    Verdict.HOLDS: "#009e73",
    Verdict.ROUGHLY: "#f0e442",
    Verdict.FAILS: "#d55e00",
    Verdict.CONTRADICTS: "#7b4fa3",
    Verdict.UNCHECKED: "#bbbbbb",
    Verdict.STAND_IN: "#8fb8d8",
}
_HATCHES: dict[Verdict, str] = {
    Verdict.ROUGHLY: "//",
    Verdict.CONTRADICTS: "xx",
    Verdict.UNCHECKED: "..",
    Verdict.STAND_IN: "oo",
}
#: All that a verdict may rest on.
EVIDENCE: tuple[str, ...] = (*Evidence, NO_EVIDENCE)
#: Id of the table, which style sheet and script know.
TABLE_ID = "scoreboard"


def judged() -> list[Result]:
    """Every claim of every paper, judged on what is recorded."""
    return claims.judge(claims.stated(), facts.recorded())


def short_citation(paper: str) -> str:
    """A paper's number, authors and year: ``003 · Huo & Ge 2024``."""
    citation = claims.load_claims(paper).citation
    found = re.match(r"(.+?) \((\d{4})\)", citation)
    if not found:
        return paper
    names = [name.split()[0] for name in found[1].split(", ")]
    who = names[0] + (f" & {names[1]}" if len(names) == 2 else " et al." if len(names) > 2 else "")
    return f"{paper} · {who} {found[2]}"


def counts(results: Iterable[Result], by: str = "verdict") -> pd.DataFrame:
    """How many claims of each paper (rows, the last for all) have each verdict or kind of evidence (columns).

    Parameters
    ----------
    results: judged claims.
    by: ``verdict`` or ``evidence``.
    """
    found = claims.counted(results, by)
    columns = list(map(str, Verdict if by == "verdict" else EVIDENCE))
    frame = pd.DataFrame([[number[name] for name in columns] for number in found.values()], columns=columns)
    frame.insert(0, "paper", [short_citation(paper) for paper in found])
    frame["claims"] = frame[columns].sum(axis=1)
    total = {"paper": "all", **frame[[*columns, "claims"]].sum().to_dict()}
    return pd.concat([frame, pd.DataFrame([total])], ignore_index=True)


def counts_figure(results: Iterable[Result]) -> Figure:
    """Claims per paper as bars, divided by verdict. Segments that are too narrow for their number stand without it."""
    found = counts(results).iloc[:-1]
    figure, axis = plt.subplots(figsize=(figures.WIDTH, 0.62 * len(found) + 1.5))
    start = pd.Series(0, index=found.index)
    widest = found["claims"].max()
    for verdict, colour in VERDICT_COLOURS.items():
        drawn = axis.barh(
            found["paper"], found[str(verdict)], left=start, color=colour, edgecolor="white", linewidth=0.8,
            hatch=_HATCHES.get(verdict, ""), label=str(verdict), height=0.7,
        )  # fmt: skip
        labels = [str(number) if number > 0.045 * widest else "" for number in found[str(verdict)]]
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1.2, "alpha": 0.85}
        for text in axis.bar_label(drawn, labels, label_type="center", fontsize=11):
            if text.get_text():
                text.set_bbox(box)
        start = start + found[str(verdict)]
    axis.invert_yaxis()
    axis.set_xlabel("claims")
    axis.grid(axis="x")
    axis.grid(visible=False, axis="y")
    figure.legend(loc="outside lower center", ncols=3, fontsize=11)
    return figure


def rows(results: Iterable[Result]) -> pd.DataFrame:
    """The table's cells: ``paper`` names the group; ``claim``, ``verdict`` and ``check`` are HTML, the rest is text."""
    results = list(results)
    papers = {paper: short_citation(paper) for paper in claims.counted(results)}
    return pd.DataFrame(
        [
            {
                "paper": papers[result.claim.paper],
                "claim": f'<a href="{places.link(result.claim)}">{escape(result.claim.says)}</a> '
                f"<cite>{escape(result.claim.where)}</cite>",
                "printed": report.printed(result.claim),
                "found": report.show(result.outcome.value, result.claim),
                "verdict": f'<span class="verdict-mark {report.verdict_class(result)}">{result.verdict}</span>',
                "evidence": str(result.evidence),
                "check": f'<a href="{places.check_link(result.claim.check)}">{escape(result.claim.check)}</a>',
            }
            for result in results
        ]
    )


def board(results: Sequence[Result]) -> HTML:
    """The scoreboard with its filters. Without JavaScript the filters stay hidden and the whole table is there."""
    # Imported here: it takes a second that the checks and the command line need not wait for.
    from great_tables import GT

    frame = rows(results)
    styled = (
        GT(frame, groupname_col="paper", id=TABLE_ID)
        .fmt_passthrough(columns=["claim", "verdict", "check"], escape=False)
        .cols_align("left")
        .tab_options(container_overflow_x="visible", container_overflow_y="visible", table_width="100%")
    )
    return HTML(f'<div class="ferbook-board">{_filters(frame)}{styled.as_raw_html()}</div>')


def _filters(frame: pd.DataFrame) -> str:
    """A form that the script shows and obeys."""
    fields = {
        "paper": list(dict.fromkeys(frame["paper"])),
        "verdict": [str(verdict) for verdict in Verdict],
        "evidence": list(EVIDENCE),
    }
    chosen = "".join(
        f'<label>{name} <select name="{name}"><option value="">all</option>'
        + "".join(f'<option value="{escape(value)}">{escape(value)}</option>' for value in values)
        + "</select></label>"
        for name, values in fields.items()
    )
    return (
        f'<form class="board-filters" aria-controls="{TABLE_ID}" hidden>{chosen}'
        '<label>words <input type="search" name="words" autocomplete="off"></label>'
        '<button type="reset">show all</button>'
        f'<output aria-live="polite">{len(frame)} of {len(frame)} claims</output></form>'
    )


def example(results: Iterable[Result], *, verdict: str = "", evidence: str = "", prefer: str = "") -> Result:
    """A claim that has a verdict, or rests on a kind of evidence: the preferred one while it does, else the first.

    Raises
    ------
    LookupError: if there is none.
    """
    fits = [r for r in results if verdict in ("", r.verdict) and evidence in ("", r.evidence)]
    if not fits:
        raise LookupError(f"no claim has verdict {verdict or 'any'} and evidence {evidence or 'any'}")
    return next((result for result in fits if result.claim.id == prefer), fits[0])


def allowances(results: Iterable[Result]) -> list[dict[str, str]]:
    """One claim for each way in which printed and found values are compared, as ``report.table`` takes it."""
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
            "comparison": kind,
            "claim": result.claim.says,
            "printed": report.printed(result.claim),
            "found": report.show(result.outcome.value, result.claim),
            "allowed": claims.allowance(result),
            "verdict": str(result.verdict),
        }
        for kind, result in found.items()
    ]


def check_list(results: Sequence[Result]) -> HTML:
    """All checks: what each computes, how many claims name it, and its code. Links from every verdict lead here."""
    users = pd.Series([result.claim.check for result in results], dtype=object).value_counts()
    known = claims.known_checks()
    return HTML("\n".join(_check(name, known[name], int(users.get(name, 0))) for name in known))


def _check(name: str, check: Check, users: int) -> str:
    paragraphs = inspect.cleandoc(check.__doc__ or "").split("\n\n")
    text = "".join(f"<p>{_marked_up(paragraph)}</p>" for paragraph in paragraphs)
    used = f"{users} claim{'s' * (users != 1)}"
    return (
        f'<section class="check" id="{places.check_anchor(name)}"><h3>{escape(name)}</h3>{text}'
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
