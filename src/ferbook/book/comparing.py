"""What a re-execution of the book says otherwise than the last one: verdicts, numbers, words.

Run as ``python -m ferbook.book.comparing LAST NOW`` on two folders of executed notebooks (`make compare`). Exit status
1 where a verdict is another one, a number moved further than allowed, or a page lost or gained something.
"""

import argparse
import math
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import nbformat

from ferbook.core.errors import FerbookError, ended

#: A number as pages print it, with thousands apart: -1,234.5 or 3e-05.
_NUMBER = re.compile(r"(?<![\w.])[-−]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?(?![\w])")
#: Where a page shows a verdict: the frame of a claim, and the first word in bold print in it.
_VERDICT = re.compile(r'id="claim-([\w-]+)".*?<strong[^>]*>(.*?)</strong>', re.DOTALL)
#: Pages that measure time on the machine that builds them; only their verdicts are compared.
TIMED = frozenset({"verdicts/runtime"})
#: Share of a number by which it may move: other processors add up in another order, and training carries that on.
WITHIN = 0.05
#: Differences of one page that are told at most.
SHOWN = 5


@dataclass(frozen=True)
class Said:
    """What the outputs of a page say.

    Parameters
    ----------
    verdicts: claim id to verdict.
    outputs: the text of each output, with a ``#`` in place of each number, and its numbers.
    """

    verdicts: dict[str, str]
    outputs: tuple[tuple[str, tuple[float, ...]], ...]


def said(notebook: nbformat.NotebookNode) -> Said:
    """What an executed notebook says; pictures and what a cell prints to stderr are left out."""
    raw = [text for cell in notebook.cells for output in cell.get("outputs", []) if (text := _text(output))]
    verdicts = {claim: re.sub(r"<[^>]*>", "", word) for text in raw for claim, word in _VERDICT.findall(text)}
    plain = (unescape(re.sub(r"<[^>]*>", " ", text)) for text in raw)
    outputs = ((" ".join(_NUMBER.sub("#", text).split()), tuple(_numbers(text))) for text in plain)
    return Said(verdicts, tuple(outputs))


def _text(output: nbformat.NotebookNode) -> str:
    if output.output_type == "stream":
        return output.text if output.name == "stdout" else ""
    data = output.get("data", {})
    if any(kind.startswith("image/") for kind in data):
        return ""
    return next((data[kind] for kind in ("text/html", "text/markdown", "text/plain") if kind in data), "")


def _numbers(text: str) -> Iterator[float]:
    for found in _NUMBER.findall(text):
        yield float(found.replace(",", "").replace("−", "-"))


def differences(last: Said, now: Said, *, within: float = WITHIN, timed: bool = False) -> list[str]:
    """How `now` differs from `last`, in words.

    Parameters
    ----------
    within: share of a number's size by which it may move; 0 allows nothing.
    timed: compare the verdicts alone.
    """
    found = [
        f"verdict on {claim}: {last.verdicts.get(claim, 'none')} -> {now.verdicts.get(claim, 'none')}"
        for claim in sorted(last.verdicts.keys() | now.verdicts.keys())
        if last.verdicts.get(claim) != now.verdicts.get(claim)
    ]
    if timed:
        return found
    if len(last.outputs) != len(now.outputs):
        found.append(f"{len(last.outputs)} -> {len(now.outputs)} outputs")
    for (old_words, old_numbers), (new_words, new_numbers) in zip(last.outputs, now.outputs, strict=False):
        if old_words != new_words:
            found.append("words: {} -> {}".format(*_first_difference(old_words, new_words)))
            continue
        for old, new in zip(old_numbers, new_numbers, strict=True):
            if not math.isclose(old, new, rel_tol=within, abs_tol=0):
                found.append(f"number: {old:g} -> {new:g} in “{_start(old_words)}”")
    return found


def _first_difference(old: str, new: str) -> tuple[str, str]:
    """Where two texts part, with some words of each."""
    one, other = old.split(), new.split()
    place = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    first, second = (" ".join(words[max(0, place - 3) : place + 5]) for words in (one, other))
    return f"“{first}”", f"“{second}”"


def _start(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]} ..."


def compared(last: Path, now: Path, within: float = WITHIN) -> dict[str, list[str]]:
    """Differences of all pages of two folders of executed notebooks, by page; only of pages that differ.

    Raises
    ------
    FerbookError: if one of the folders holds none.
    """
    pages = {folder: {path.relative_to(folder): path for path in folder.rglob("*.ipynb")} for folder in (last, now)}
    for folder, found in pages.items():
        if not found:
            raise FerbookError(f"{folder}: no executed notebook is here.")
    differing = {}
    for name in sorted(pages[last].keys() | pages[now].keys()):
        page = name.with_suffix("").as_posix()
        if name not in pages[now] or name not in pages[last]:
            differing[page] = ["is no longer there" if name in pages[last] else "is new"]
            continue
        before, after = (said(nbformat.read(pages[folder][name], as_version=4)) for folder in (last, now))
        if found := differences(before, after, within=within, timed=page in TIMED):
            differing[page] = found
    return differing


def main(arguments: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="ferbook.book.comparing", description=__doc__.split("\n\n")[0])
    parser.add_argument("last", type=Path, help="folder of executed notebooks, as the branch's book/")
    parser.add_argument("now", type=Path, help="the same of this build, as _build/site/book")
    parser.add_argument("--within", type=float, default=WITHIN, help="share by which a number may move (%(default)s)")
    options = parser.parse_args(arguments)

    def work() -> int:
        found = compared(options.last, options.now, options.within)
        for page, differing in found.items():
            more = f" (and {len(differing) - SHOWN} more)" if len(differing) > SHOWN else ""
            print("\n".join(f"{page}: {line}" for line in differing[:SHOWN]) + more)
        print(f"{len(found)} pages differ" if found else "verdicts, numbers and words are those of the last execution")
        return 1 if found else 0

    return ended(work, failed=2)


if __name__ == "__main__":
    sys.exit(main())
