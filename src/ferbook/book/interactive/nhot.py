"""Paper 002: what a network reaches over N, from the recorded runs, with intervals."""

from IPython.display import HTML

from ferbook.book.interactive import widget
from ferbook.book.interactive.widget import Chart, Control, Plot, Series, Text
from ferbook.claims import ablation_variants
from ferbook.claims.ablation_variants import Runs
from ferbook.claims.report import NOTHING
from ferbook.papers.nhot import curves

#: What the reader may look at.
MEASURES = ("accuracy", "kl", "brier", "calibration")


def accuracy(runs: Runs) -> HTML:
    """A measure over N on either test set, and the gain between any two N.

    Parameters
    ----------
    runs: the recorded ones, by any name; test sets and measures that none of them has are left out.
    """
    points = {
        (kind, name): {point.n: point for point in curves.curve(runs, kind, name)}
        for kind in curves.KINDS
        for name in MEASURES
    }
    every = sorted({n for found in points.values() for n in found})
    kinds = [kind for kind in curves.KINDS if any(points[kind, name] for name in MEASURES)]
    measures = [name for name in MEASURES if kinds and all(points[kind, name] for kind in kinds)]
    if not measures:
        return HTML("<p>No run is recorded yet.</p>")

    def plot(kind: str, measure: str) -> Plot:
        found = points[kind, measure]
        ends = {n: (p.interval.low, p.interval.high) for n, p in found.items() if p.interval is not None}
        seen = [p.mean for p in found.values()] + [end for pair in ends.values() for end in pair]
        room = 0.12 * (max(seen) - min(seen))
        low, high = min(seen) - room, max(seen) + room
        return Plot(
            xlabel="N, most emotions in a training label",
            ylabel=curves.MEASURES[measure].title,
            xlim=(every[0] - 0.4, every[-1] + 0.4),
            ylim=(low, high),
            xticks={n: str(n) for n in every},
            yticks=widget.ticks(low, high),
            series=[
                Series(
                    x=list(found),
                    y=[p.mean for p in found.values()],
                    low=[ends.get(n, (None, None))[0] for n in found],
                    high=[ends.get(n, (None, None))[1] for n in found],
                    name="mean over the seeds, with a 95 % interval",
                )
            ],
        )

    def reached(kind: str, measure: str, n: int) -> str:
        return ablation_variants.told(points[kind, measure].get(n), curves.MEASURES[measure].digits)

    def seeds(kind: str, measure: str, n: int) -> str:
        point = points[kind, measure].get(n)
        digits = curves.MEASURES[measure].digits
        return ", ".join(f"{value:.{digits}f}" for value in point.values) if point else NOTHING

    def gained(kind: str, start: int, n: int) -> str:
        return NOTHING if start == n else ablation_variants.told(curves.gain(runs, kind, start, n), 1, sign=True)

    return widget.figure(
        "nhot",
        "Move N",
        [
            Control("n", "N", every, start=every.index(3) if 3 in every else 0),
            Control("start", "compared with N", every),
            Control("kind", "test faces", kinds, kind="choice"),
            Control("measure", "measure", measures, form=lambda name: curves.MEASURES[name].title, kind="choice"),
        ],
        [
            Chart("The chosen measure over N, recorded runs on FER+", ["kind", "measure"], plot, cursors=["n"]),
            Text("at this N, with its 95 % interval", ["kind", "measure", "n"], reached),
            Text("seed by seed", ["kind", "measure", "n"], seeds),
            Text("gain in accuracy over that N (points)", ["kind", "start", "n"], gained),
        ],
        still=curves.figure({"recorded": runs}),
        alt="Test accuracy over N of the recorded FER+ runs with intervals, ordinary faces solid, complex faces dashed",
    )
