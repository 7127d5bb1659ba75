"""Claims and numbers as a reader of a page sees them: verdict boxes and tables, in HTML."""

import fnmatch
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from html import escape, unescape
from itertools import count, cycle

import pandas as pd
from IPython.display import HTML, Markdown

from ferbook.claims import citing, folded, links, verdicts
from ferbook.claims.checks import Check, known_checks
from ferbook.claims.claim import (
    Claim,
    Evidence,
    Training,
    Value,
    Verdict,
    loss_name,
    networks_named,
    tested_on,
    with_unit,
)
from ferbook.claims.comparison import allowance
from ferbook.claims.dataset_summary import Facts, recorded
from ferbook.claims.verdicts import Result
from ferbook.core.errors import ConfigError
from ferbook.datasets.cards import Card

#: What a number's place shows when there is none.
NOTHING = "–"
#: Pixels for a table on a screen of 400.
NARROW = 345


class ClaimReport:
    """One paper's claims, judged on the real data and on what this build has.

    Parameters
    ----------
    paper: three digits.
    build: facts of the faces that this build uses; None for a paper whose checks read transcribed tables and records
        alone.

    The verdict rests on this build where it has the paper's own data, on the recorded facts elsewhere.
    """

    def __init__(self, paper: str, build: Facts | None = None):
        stated = verdicts.load_claims(paper).claims
        self.live = build is not None and build.evidence == Evidence.SAME_DATA
        self._build = {} if build is None else {result.claim.id: result for result in verdicts.judge(stated, build)}
        judged = self._build.values() if self.live else verdicts.judge(stated, recorded())
        self._judged = {result.claim.id: result for result in judged}

    def box(self, *ids: str) -> HTML:
        """A verdict box per claim id, in the order given.

        Raises
        ------
        ConfigError: if there is no claim of that id.
        """
        for wanted in ids:
            if wanted not in self._judged:
                raise ConfigError("claim", f"there is no {wanted!r}", f"Known: {', '.join(self._judged)}.")
        boxes = "\n".join(self._one_box(self._judged[wanted], self._build.get(wanted)) for wanted in ids)
        return HTML(f'<div class="verdicts">{boxes}</div>')

    def _one_box(self, judged: Result, build: Result | None) -> str:
        claim, outcome = judged.claim, judged.outcome
        cells = [("the paper" if claim.by == "paper" else "said here", printed(claim))]
        if outcome.value is None:
            pass
        elif judged.verdict is Verdict.STAND_IN:
            cells.append(("a stand-in found", show(outcome.value, claim)))
        elif outcome.evidence is Evidence.PUBLISHED:
            cells.append(("published", show(outcome.value, claim)))
        elif build is None and outcome.evidence is not Evidence.ARITHMETIC:
            cells.append((f"recorded, {outcome.evidence}", show(outcome.value, claim)))
        elif outcome.evidence is Evidence.ARITHMETIC:
            cells.append(("recomputed", show(outcome.value, claim)))
        elif self.live:
            cells.append(("FER+, this build", show(outcome.value, claim)))
        else:
            cells.append(("FER+, recorded", show(outcome.value, claim)))
            if claim.general and build is not None:
                cells.append((f"this build, {build.outcome.evidence}", show(build.outcome.value, claim)))
        numbers = "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in cells)
        told = remarks(judged)
        return (
            f'<aside class="verdict {folded.verdict_class(judged.verdict)}" id="{claim.anchor}">'
            f'<p class="verdict-head"><strong>{judged.verdict}</strong> <span>evidence: {judged.evidence}</span>'
            f"{folded.badges(claim)}</p>"
            f"<p>{escape(claim.says)} <cite>({escape(claim.where)})</cite></p><dl>{numbers}</dl>"
            + (f'<p class="verdict-remark">{escape(told)}</p>' if told else "")
            + f'<p class="verdict-check">{check_link(claim)}</p>{citing.note(judged)}</aside>'
        )

    def rows(self, *patterns: str, caption: str) -> HTML:
        """A line per claim whose id matches one of the patterns (as ``002-clean-*``), in the order of the claim file.

        For claims that are many and alike. Each line is where links to its claim lead. Beyond ``folded.AT_ONCE`` lines
        the further ones are folded.

        Raises
        ------
        ConfigError: if a pattern matches no claim.
        """
        for pattern in patterns:
            if not fnmatch.filter(self._judged, pattern):
                raise ConfigError("claim", f"no claim is called {pattern!r}", f"Known: {', '.join(self._judged)}.")
        chosen = [r for name, r in self._judged.items() if any(fnmatch.fnmatchcase(name, p) for p in patterns)]
        return _claims(folded.in_batches(_ROWS, map(self._one_row, chosen), caption), caption)

    def _one_row(self, result: Result) -> folded.Line:
        claim, outcome = result.claim, result.outcome
        told = remarks(result)
        cells = (
            f"{escape(claim.says)} <cite>({escape(claim.where)})</cite>{folded.badges(claim)}",
            escape(printed(claim)),
            escape(show(outcome.value, claim)),
            f'<strong class="verdict-mark">{result.verdict}</strong>',
            f'{escape(told)} <span class="verdict-check">{check_link(claim)}</span>',
        )
        return folded.Line(cells, f' class="{folded.verdict_class(result.verdict)}" id="{claim.anchor}"')

    def table(
        self, page: str = "", caption: str = "All claims of this paper", verdicts: Collection[Verdict] = tuple(Verdict)
    ) -> HTML:
        """The claims that are decided on `page` (as ``book/faces/synthetic_face``), or all: printed, found, verdict.

        Each leads to its box or row. Only those with one of the `verdicts`. More than ``folded.AT_ONCE`` are folded by
        the part of the paper that prints them.
        """
        chosen = [
            result
            for result in self._judged.values()
            if result.claim.page.startswith(page) and result.verdict in verdicts
        ]
        if len(chosen) <= folded.AT_ONCE:
            return _claims(folded.table(_COLUMNS, map(_line, chosen), caption), caption)
        folds = folded.by_parts(_COLUMNS, chosen, _line, caption)
        return _claims(f'<p class="fold-caption">{folded.heading(caption, chosen)}</p>{folds}', caption)


#: Columns of claims that have their place here, and of claims that have it elsewhere.
_ROWS = ("claim", "printed", "found", "verdict", "")
_COLUMNS = ("claim", "where", "printed", "found", "evidence", "verdict")


def _line(result: Result) -> folded.Line:
    """A claim that is decided elsewhere, under ``_COLUMNS``."""
    claim = result.claim
    cells = (
        f'<a href="{links.link(claim)}">{escape(claim.says)}</a>{folded.badges(claim)}',
        escape(claim.where),
        escape(printed(claim)),
        escape(show(result.outcome.value, claim)),
        escape(str(result.evidence)),
        f'<span class="verdict-mark {folded.verdict_class(result.verdict)}">{result.verdict}</span>',
    )
    return folded.Line(cells)


def remarks(result: Result) -> str:
    """What a reader should know of a verdict, in sentences: why it decides nothing, how it came about, the note."""
    claim, outcome = result.claim, result.outcome
    stand_in = ""
    if result.verdict is Verdict.STAND_IN:
        stand_in = f"a stand-in decides nothing: {', '.join(result.departures)} (trained: {training(outcome.trained)})"
    return " ".join(_sentence(text) for text in (stand_in, outcome.detail, claim.note) if text)


def training(trained: Training) -> str:
    """What was trained, in words: ``compact, cross-entropy, 30 epochs, official test faces, 48 pixels``."""
    parts = (
        networks_named(trained.networks) if trained.networks else "",
        loss_name(trained.loss),
        f"{trained.epochs} epochs" if trained.epochs else "",
        tested_on(trained.splits) if trained.splits else "",
        f"{trained.side} pixels" if trained.side else "",
    )
    return ", ".join(filter(None, parts)) or "not recorded"


def _claims(body: str, caption: str) -> HTML:
    """Tables of claims, folded or not, in a frame that scrolls where a word is wider than the page."""
    return HTML(f'<div class="ferbook-scroll" tabindex="0" role="region" aria-label="{escape(caption)}">{body}</div>')


#: Arguments that are said in full with the result.
_TOLD = ("because", "detail", "source", "others", "where")


def check_link(claim: Claim) -> str:
    """The check of a claim with its arguments, leading to its code: HTML."""
    given = arguments({name: value for name, value in claim.arguments.items() if name not in _TOLD})
    link = f'<a href="{links.check_link(claim.check)}">{escape(claim.check)}</a>'
    return f"check: {link}" + (f" <code>{escape(given)}</code>" if given else "")


def arguments(given: Mapping[str, object]) -> str:
    """What a claim hands to its check: ``table: 001-table2; row: KDEF``."""
    return "; ".join(f"{key}: {_listed(value)}" for key, value in given.items())


def _listed(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_listed(one)}" for name, one in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(_listed, value)) if isinstance(value, list | tuple) else str(value)


def account(result: Result) -> dict[str, str]:
    """A judged claim in full, label to text; empty where there is nothing to say."""
    claim, outcome = result.claim, result.outcome
    check = known_checks()[claim.check]
    value = f"{outcome.value:.10g}" if isinstance(outcome.value, float) else str(outcome.value)
    found = NOTHING if outcome.value is None else with_unit(value, claim.unit)
    page, _, section = claim.page.partition("#")
    return {
        "claim": claim.id,
        "says": claim.says,
        "where": f"{claim.where}; {verdicts.load_claims(claim.paper).citation}",
        "printed": printed(claim),
        "check": f"{claim.check}: {summary(check)}",
        "arguments": arguments(claim.arguments),
        "code": f"{check.__name__}, {check.__module__}, line {check.__code__.co_firstlineno}",
        "found": found + (f" ({outcome.detail})" if outcome.detail else ""),
        "evidence": str(result.evidence),
        "trained": training(outcome.trained) if outcome.trained else "",
        "stand-in": ", ".join(result.departures),
        "tolerance": allowance(result.claim, result.outcome.value),
        "verdict": str(result.verdict),
        "decided": f"{page}#{claim.anchor}" + (f", section {section}" if section else ""),
        "said by": "this book; not counted as a claim of the paper" if claim.by == "book" else "",
        "read from": "extracted text, which can lose signs" if claim.extracted else "",
        "note": claim.note,
        "unmoved": claim.insensitive,
    }


def summary(check: Check) -> str:
    """What a check computes: the first paragraph of its documentation on one line."""
    return " ".join((check.__doc__ or "").split("\n\n")[0].split()).replace("``", "")


def short_citation(paper: str) -> str:
    """A paper's number, authors and year: ``003 · Huo & Ge 2024``."""
    citation = verdicts.load_claims(paper).citation
    found = re.match(r"(.+?) \((\d{4})\)", citation)
    if not found:
        return paper
    names = [name.split()[0] for name in found[1].split(", ")]
    who = names[0] + (f" & {names[1]}" if len(names) == 2 else " et al." if len(names) > 2 else "")
    return f"{paper} · {who} {found[2]}"


def printed(claim: Claim) -> str:
    """The printed value with its relation and unit, as a reader writes it."""
    return with_unit(claim.stated, claim.unit)


def show(value: Value | None, claim: Claim) -> str:
    """A found value in the claim's unit, with one digit more than the paper prints."""
    if value is None:
        return NOTHING
    if isinstance(value, bool | str):
        text = str(value)
        return with_unit(text, claim.unit) if re.fullmatch(r"-?[\d.,]+", text) else text
    # What binary fractions leave over, as 0.7000000000000001, is no finding.
    value = float(f"{value:.12g}")
    ends = claim.printed.split(" to ") if claim.relation == "between" else [claim.printed]
    digits = len(ends[0].partition(".")[2])
    # Years, and numbers as the paper writes them, have no separator of thousands.
    apart = "" if re.fullmatch(r"\d{4}(\.\d+)?", claim.printed) and abs(value) < 10_000 else ","
    if value.is_integer():
        return with_unit(f"{value:{apart}.0f}", claim.unit)
    # Rounding must not hide that a number falls short of the printed one, nor end in a five that rounds up to it.
    more = next(
        more
        for more in count(1)
        if _half_up(shown := f"{value:.{digits + more}f}", digits) == _half_up(value, digits)
        and not any(float(shown) == float(end) != value for end in ends)
    )
    return with_unit(f"{value:{apart}.{digits + more}f}", claim.unit)


def _half_up(number: str | float, digits: int) -> Decimal:
    """A number as a reader rounds it: a last five goes up."""
    return Decimal(str(number)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def table(rows: Iterable[Mapping[str, object]] | pd.DataFrame, caption: str) -> HTML:
    """A plain table. Floats are shown as they are given: round before.

    Where it is too wide for a narrow screen, each line is a block there, whose cells say what they are.
    """
    frame = pd.DataFrame(rows)
    body = frame.to_html(index=False, border=0, classes="ferbook-table", escape=True, na_rep=NOTHING)
    cells = re.findall(r"<td>(.*?)</td>", body, re.DOTALL)
    if _width(frame.columns, cells) > NARROW:
        titles = cycle(frame.columns)
        body = re.sub("<td>", lambda _: f'<td data-title="{escape(str(next(titles)))}">', body)
        body = body.replace('ferbook-table"', 'ferbook-table ferbook-blocks"', 1)
    body = body.replace("<thead>", f"<caption>{escape(caption)}</caption><thead>", 1)
    return HTML(f'<div class="ferbook-scroll" tabindex="0" role="region" aria-label="{escape(caption)}">{body}</div>')


def _width(titles: Sequence[object], cells: Sequence[str]) -> float:
    """Pixels that a table needs at least, when its lines break between all words."""
    columns = [[str(title), *map(unescape, cells[place :: len(titles)])] for place, title in enumerate(titles)]
    longest = (max((len(word) for text in column for word in text.split()), default=0) for column in columns)
    # Of a letter of the tables' size, and between two columns.
    return sum(8.5 * letters + 13 for letters in longest)


def sources(build: Facts) -> dict[str, Facts]:
    """What a page shows side by side: recorded FER+ and this build's faces, or this build alone where it has FER+."""
    if build.evidence == Evidence.SAME_DATA:
        return {"FER+, this build": build}
    return {"FER+, recorded": recorded(), f"this build, {build.evidence}": build}


def comparison(names: Sequence[str], series: Mapping[str, Sequence[float]], form: str, what: str) -> HTML:
    """Numbers side by side: one row per name, one column per series.

    Parameters
    ----------
    names: row labels.
    series: column heading to one value per row; None where there is none.
    form: format of a number, as ``",d"`` or ``".1%"``.
    what: caption.
    """
    columns = {"": list(names)}
    for label, values in series.items():
        columns[label] = [NOTHING if value is None else format(value, form) for value in values]
    return table(pd.DataFrame(columns), caption=what)


def cards(entries: Iterable[Card]) -> HTML:
    """Data cards one below the other, each with a heading that links can lead to."""
    return HTML("\n".join(_card(entry) for entry in entries))


def _card(card: Card) -> str:
    facts = {
        "holds": "; ".join(f"{count:,} {part}" for part, count in card.counts.items()),
        "emotions": ", ".join(card.labels) or "none",
        "labels from": card.annotation,
        "people": card.subjects,
        "terms": card.terms,
        "where to ask": card.where,
        "sha256": "; ".join(f"{what}: {value}" for what, value in card.checksums.items()),
        "cite": card.citation,
    }
    listed = "".join(f"<dt>{escape(key)}</dt><dd>{escape(text)}</dd>" for key, text in facts.items() if text)
    beware = "".join(f"<li>{escape(caveat)}</li>" for caveat in card.caveats)
    return (
        f'<section class="data-card" id="card-{card.name}"><h3>{escape(card.title)}</h3><dl>{listed}</dl>'
        f"<p>Beware:</p><ul>{beware}</ul></section>"
    )


def prose(text: str) -> Markdown:
    """A sentence with computed numbers in it, as Markdown. Line breaks of the source are joined."""
    return Markdown(" ".join(text.split()))


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:].rstrip(".") + "."
