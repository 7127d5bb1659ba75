"""All verdicts to take along: a PDF to read and print, and a BibTeX file to cite from.

Run as ``python -m ferbook.book.verdict_files FOLDER``. Both follow from the claims and records alone, so that the same
checkout gives the same files.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from ferbook.book import scoreboard
from ferbook.book.pdf import GREY, LEADING, SIZE, Paper, width
from ferbook.claims import citing, folded, report, verdicts
from ferbook.claims.claim import Verdict
from ferbook.claims.verdicts import Result
from ferbook.core import paths
from ferbook.core.errors import ended

#: Names of the two files.
PDF, BIBTEX = "reading-faces-verdicts.pdf", "reading-faces-verdicts.bib"
#: The same marks as beside the verdicts on the pages.
MARKS = {
    Verdict.HOLDS: "✓",
    Verdict.ROUGHLY: "≈",
    Verdict.FAILS: "✗",
    Verdict.CONTRADICTS: "↯",
    Verdict.UNCHECKED: "?",
    Verdict.STAND_IN: "⇄",
}


def _counts(paper: Paper, results: Iterable[Result]) -> None:
    """How many claims of each paper have each verdict, the book's own observations left out."""
    found = verdicts.counted(results)
    places = [0.0, *(190 + 46.0 * number for number in range(len(found) + 1))]
    paper.row(["verdict", *found, "all"], places, weight="bold")
    total: Counter[str] = sum(found.values(), Counter())
    for verdict in Verdict:
        numbers = [*(str(one[verdict]) for one in found.values()), str(total[verdict])]
        paper.row([f"{MARKS[verdict]} {verdict}", *numbers], places)
    paper.row(["claims", *(str(one.total()) for one in found.values()), str(total.total())], places, weight="bold")


def _claim(paper: Paper, result: Result) -> None:
    claim, value = result.claim, result.outcome.value
    paper.keep(5 * SIZE * LEADING)
    head = f"{MARKS[result.verdict]} {result.verdict}"
    paper.row([head], [0], weight="bold")
    paper.put(
        f"{claim.id} · {claim.where} · evidence: {result.evidence}"[:110],
        width(head, SIZE, "bold") + 10,
        grey=GREY,
        size=7,
    )
    paper.write(claim.says)
    who = "printed" if claim.by == "paper" else "said by this book"
    paper.write(f"{who}: {report.printed(claim)}; found: {report.show(value, claim)}", weight="bold")
    if remarks := report.remarks(result):
        paper.write(remarks, size=7.5, grey=GREY)
    paper.write(f"check: {claim.check}; shown at {citing.place(claim)}", size=6.5, grey=GREY, after=7)


def pages(results: Sequence[Result]) -> Paper:
    """Counts, how to read a verdict, then every verdict by paper and part of the paper."""
    paper = Paper()
    paper.write("Reading Faces, Re-run", size=22, weight="bold", after=4)
    paper.write("All verdicts on five papers about facial emotion", size=13, after=14)
    paper.write(
        "Each number or statement of a paper is a claim. A check, a short piece of code, computes a value for it; that "
        "value is compared with the printed one, and the comparison gives the verdict. Verdicts are computed, not "
        "written by hand. The pages of the book show each of them with figures, and lead to the code of its check.",
        after=12,
    )
    _counts(paper, results)
    paper.y -= 14
    by_paper: dict[str, list[Result]] = {}
    for result in results:
        by_paper.setdefault(result.claim.paper, []).append(result)
    for name, found in by_paper.items():
        paper.turn()
        paper.mark(report.short_citation(name))
        paper.write(report.short_citation(name), size=16, weight="bold", after=2)
        paper.write(verdicts.load_claims(name).citation, grey=GREY, after=10)
        for part, chosen in folded.by_part(found).items():
            paper.keep(9 * SIZE * LEADING)
            paper.write(part[0].upper() + part[1:], size=11, weight="bold", after=4)
            for result in chosen:
                _claim(paper, result)
    return paper


def make(folder: Path, results: Sequence[Result]) -> None:
    """Write both files into `folder`, each whole or not at all.

    Raises
    ------
    OutputError: if there is no room, or no right to write.
    """
    pages(results).save(folder / PDF, "Reading Faces, Re-run: all verdicts")
    with paths.replacing(folder / BIBTEX) as whole:
        whole.write_text(citing.library(results), encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Command line."""
    (folder,) = map(Path, arguments or sys.argv[1:])

    def run() -> int:
        make(folder, scoreboard.judged())
        return 0

    return ended(run, failed=1)


if __name__ == "__main__":
    sys.exit(main())
