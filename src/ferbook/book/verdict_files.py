"""All verdicts to take along: a PDF to read and print, and a BibTeX file to cite from.

Run as ``python -m ferbook.book.verdict_files FOLDER``. Both follow from the claims and records alone, so that the same
checkout gives the same files. Drawn with Matplotlib, which the book needs anyway: nothing else has to be installed.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.artist import Artist
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from ferbook.book import scoreboard
from ferbook.claims import citing, folded, report, verdicts
from ferbook.claims.claim import Verdict
from ferbook.claims.verdicts import Result
from ferbook.core import paths
from ferbook.core.errors import ended

#: Names of the two files.
PDF, BIBTEX = "reading-faces-verdicts.pdf", "reading-faces-verdicts.bib"
#: A4 and its margins, in points of 1/72 inch.
PAGE, MARGIN = (595.28, 841.89), (56.0, 60.0)
WIDTH = PAGE[0] - 2 * MARGIN[0]
#: Size of the text in points, and from line to line as a multiple of it.
SIZE, LEADING = 8.5, 1.36
#: The same marks as beside the verdicts on the pages.
MARKS = {
    Verdict.HOLDS: "✓",
    Verdict.ROUGHLY: "≈",
    Verdict.FAILS: "✗",
    Verdict.CONTRADICTS: "↯",
    Verdict.UNCHECKED: "?",
    Verdict.STAND_IN: "⇄",
}
GREY = "#555555"


@cache
def _face(weight: str, size: float) -> font_manager.FontProperties:
    """DejaVu Sans, which comes with Matplotlib and has every sign that claims use."""
    return font_manager.FontProperties(family="DejaVu Sans", weight=weight, size=size)


@cache
def _font(weight: str) -> font_manager.FT2Font:
    return font_manager.get_font(font_manager.findfont(_face(weight, SIZE)))


@cache
def width(text: str, size: float, weight: str = "normal") -> float:
    """How wide a text is, in points."""
    font = _font(weight)
    font.set_size(size, 72)
    # Sharpened for a screen, letters would be wider than on paper.
    font.set_text(text, 0.0, flags=mpl.ft2font.LoadFlags.NO_HINTING)
    return font.get_width_height()[0] / 64


def wrapped(text: str, room: float, size: float, weight: str = "normal") -> Iterator[str]:
    """Lines that are no wider than `room` points, broken between words; a word that is wider is cut."""
    space, line, used = width("n n", size, weight) - width("nn", size, weight), "", 0.0
    for word in text.split():
        while width(word, size, weight) > room:
            if line:
                yield line
                line, used = "", 0.0
            fits = max(1, sum(width(word[:end], size, weight) <= room for end in range(1, len(word))))
            yield word[:fits]
            word = word[fits:]
        wide = width(word, size, weight)
        if line and used + space + wide > room:
            yield line
            line, used = "", 0.0
        used += wide + (space if line else 0.0)
        line = f"{line} {word}".strip()
    if line:
        yield line


class _Texts(Artist):
    """Texts at their places, in points; a figure's own would be laid out twice each, which takes as long again."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[tuple[float, float, str, font_manager.FontProperties, str]] = []

    def draw(self, renderer: RendererBase) -> None:
        """Write them all."""
        for x, y, text, font, colour in self.texts:
            style = renderer.new_gc()
            style.set_foreground(colour)
            renderer.draw_text(style, x, y, text, font, 0)
            style.restore()


class Paper:
    """Pages that are filled from the top."""

    def __init__(self) -> None:
        self.pages: list[_Texts] = []
        self.turn()

    def turn(self) -> None:
        """Begin a page."""
        self.pages.append(_Texts())
        self.y = PAGE[1] - MARGIN[1]

    def keep(self, points: float) -> None:
        """Begin a page where less than so many points are left of this one."""
        if self.y - points < MARGIN[1]:
            self.turn()

    def put(self, text: str, x: float, size: float = SIZE, weight: str = "normal", colour: str = "black") -> None:
        """A text at height ``y``, `x` points from the margin."""
        self.pages[-1].texts.append((MARGIN[0] + x, self.y, text, _face(weight, size), colour))

    def write(self, text: str, size: float = SIZE, indent: float = 0.0, after: float = 0.0, **style: str) -> None:
        """A paragraph; `after` it, points are left free."""
        for line in wrapped(text, WIDTH - indent, size, style.get("weight", "normal")):
            self.keep(size * LEADING)
            self.y -= size * LEADING
            self.put(line, indent, size=size, **style)
        self.y -= after

    def row(self, cells: Sequence[str], places: Sequence[float], **style: str) -> None:
        """Short texts side by side, each at its place."""
        self.keep(SIZE * LEADING)
        self.y -= SIZE * LEADING
        for text, place in zip(cells, places, strict=True):
            self.put(text, place, **style)

    def save(self, target: Path) -> None:
        """Number the pages and write them; no date, so that the same pages give the same file."""
        target.parent.mkdir(parents=True, exist_ok=True)
        with (
            mpl.rc_context({"pdf.fonttype": 42, "pdf.compression": 9}),
            paths.replacing(target) as whole,
            PdfPages(whole, metadata={"Title": "Reading Faces, Re-run: the verdicts", "CreationDate": None}) as pdf,
        ):
            for number, page in enumerate(self.pages, 1):
                foot = f"{number} of {len(self.pages)}"
                page.texts.append(((PAGE[0] - width(foot, 7)) / 2, 30, foot, _face("normal", 7), GREY))
                sheet = Figure(figsize=(PAGE[0] / 72, PAGE[1] / 72))
                sheet.add_artist(page)
                pdf.savefig(sheet)


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
        colour=GREY,
        size=7,
    )
    paper.write(claim.says)
    who = "printed" if claim.by == "paper" else "said by this book"
    paper.write(f"{who}: {report.printed(claim)}; found: {report.show(value, claim)}", weight="bold")
    if remarks := report.remarks(result):
        paper.write(remarks, size=7.5, colour=GREY)
    paper.write(f"check: {claim.check}; shown at {citing.place(claim)}", size=6.5, colour=GREY, after=7)


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
        paper.write(report.short_citation(name), size=16, weight="bold", after=2)
        paper.write(verdicts.load_claims(name).citation, colour=GREY, after=10)
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
    pages(results).save(folder / PDF)
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
