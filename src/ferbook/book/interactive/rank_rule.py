"""Paper 001: a face's relevance in windows whose ends can be moved, and the rank that follows."""

from collections.abc import Mapping, Sequence

import numpy as np
from IPython.display import HTML

from ferbook.book.interactive import widget
from ferbook.book.interactive.widget import Band, Chart, Control, Plot, Series, Text
from ferbook.relevance import drawings, ranks

#: Groups of half the paper's width, so that an end can move by less than one of its own.
BINS = 2 * ranks.BINS
#: Ends of the windows as the paper has them: where "average" begins, where "minimal" ends and "strong" begins, where
#: "average" ends.
START, MIDDLE, END = 0.3, 0.5, 0.8


def windows(start: float, middle: float, end: float) -> tuple[tuple[int, int], ...]:
    """First and last group of the three windows, counted from 1, of ``BINS``; the ends are multiples of 1 / BINS."""
    a, m, b = (round(BINS * edge) for edge in (start, middle, end))
    return (1, m), (a + 1, b), (m + 1, BINS)


def edges(relevance: Mapping[str, np.ndarray], names: Sequence[str], picture: np.ndarray) -> HTML:
    """How many scores of a face lie in each window, and its rank.

    Parameters
    ----------
    relevance: composite to (N, ...).
    names: of the N faces.
    picture: uint8 (H, W), the first face, for those without JavaScript.
    """
    counts = {rule: ranks.histogram(ranks.scaled(maps), BINS) for rule, maps in relevance.items()}
    top = max(int(found.max()) for found in counts.values())
    places = {name: row for row, name in enumerate(names)}

    def plot(rule: str, face: str) -> Plot:
        powers = [10**k for k in range(int(np.log10(top)) + 1)]
        return Plot(
            xlabel="relevance, scaled",
            ylabel="values (log scale)",
            xlim=(0, 1),
            ylim=(0, float(np.log10(1 + top)) * 1.04),
            xticks={k / 5: f"{k / 5:g}" for k in range(6)},
            yticks={0.0: "0"} | {float(np.log10(1 + power)): f"{power:,}" for power in powers},
            series=[
                Series(
                    x=[k / BINS for k in range(BINS)],
                    y=np.log10(1 + counts[rule][places[face]]).tolist(),
                    kind="bars",
                    width=1 / BINS,
                )
            ],
        )

    def held(
        window: int, rule: str, face: str, *, start: float = START, middle: float = MIDDLE, end: float = END
    ) -> str:
        found = ranks.window_counts(counts[rule][places[face]][None], windows(start, middle, end))
        return f"{found[0, window]:,}"

    def rank(rule: str, face: str, *ends: float) -> str:
        return ranks.RANKS[ranks.rank_as_tabulated(counts[rule][places[face]][None], windows(*ends))[0]]

    def paper(rule: str, face: str) -> str:
        return rank(rule, face, START, MIDDLE, END)

    one, ends = ["rule", "face"], ["start", "middle", "end"]
    return widget.figure(
        "ranks",
        "Drag the ends of the windows",
        [
            Control("start", "average begins at", _steps(0.05, 0.45), 5, "{:.2f}".format),
            Control("middle", "minimal ends and strong begins at", _steps(0.1, 0.9), 8, "{:.2f}".format),
            Control("end", "average ends at", _steps(0.55, 0.95), 5, "{:.2f}".format),
            Control("face", "face", list(names), kind="choice"),
            Control("rule", "composite", list(relevance), kind="choice"),
        ],
        [
            Chart(
                "Values of the face in groups by relevance, and three windows",
                one,
                plot,
                cursors=ends,
                bands=[
                    Band(0.0, "middle", ranks.RANKS[0], 0),
                    Band("start", "end", ranks.RANKS[1], 1),
                    Band("middle", 1.0, ranks.RANKS[2], 2),
                ],
            ),
            Text(ranks.RANKS[0], [*one, "middle"], lambda rule, face, m: held(0, rule, face, middle=m)),
            Text(ranks.RANKS[1], [*one, "start", "end"], lambda rule, face, a, b: held(1, rule, face, start=a, end=b)),
            Text(ranks.RANKS[2], [*one, "middle"], lambda rule, face, m: held(2, rule, face, middle=m)),
            Text("rank with these ends", [*one, *ends], rank),
            Text("rank with the paper's ends", one, paper),
        ],
        still=drawings.ranking(picture, next(iter(relevance.values()))[0]),
        alt="A face, its relevance, how its values fall into ten groups, and the three windows, the fullest marked",
    )


def _steps(low: float, high: float) -> list[float]:
    return [round(k / BINS, 2) for k in range(round(low * BINS), round(high * BINS) + 1)]
