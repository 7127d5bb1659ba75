"""How far this book's own networks get on FER+'s official test part, from random weights and on a processor.

Nothing here imports torch.
"""

from collections.abc import Mapping

from ferbook.claims.report import NOTHING
from ferbook.learning import sweeps
from ferbook.learning.runs import RunResult
from ferbook.measures import intervals
from ferbook.measures.intervals import Interval

#: Accuracy (%) on the official test part that this book set out to reach without a graphics card.
GOAL = 85.0


def runs(*groups: str) -> dict[str, RunResult]:
    """The recorded runs of groups on the official parts, by group and name."""
    return {f"{group}/{name}": run for group in groups for name, run in sweeps.load("002", group).items()}


def best(found: Mapping[str, RunResult]) -> RunResult | None:
    """The run with the highest accuracy on the *validation* faces: a choice on test faces would flatter it."""
    return max(found.values(), key=lambda run: run.metrics["valid_accuracy"], default=None)


def reached(result: RunResult) -> Interval:
    """Accuracy on the test faces, in per cent, with Wilson's 95 % interval over faces: the error of sampling alone."""
    count = result.metrics["faces"]["test"]
    right = round(result.metrics["test_accuracy"] * count)
    found = intervals.wilson(right, count)
    return found._replace(estimate=100 * found.estimate, low=100 * found.low, high=100 * found.high)


def rows(found: Mapping[str, RunResult]) -> list[dict[str, str]]:
    """One line per run, as ``report.table`` takes it."""
    lines = []
    for name, run in found.items():
        one, metrics, spent = reached(run), run.metrics, run.provenance.get("cpu_seconds")
        unseen = metrics.get("test_accuracy_unseen")
        lines.append(
            {
                "run": name,
                "parameters": f"{metrics['parameters']:,}",
                "epochs": str(run.config["epochs"]),
                "CPU minutes": NOTHING if spent is None else f"{spent / 60:.0f}",
                "accuracy (%), 95 % interval over faces": f"{one.estimate:.2f} ({one.low:.1f} to {one.high:.1f})",
                "first of tied emotions only (%)": f"{100 * metrics['test']['accuracy_first']:.2f}",
                "without copies of training faces (%)": NOTHING if unseen is None else f"{100 * unseen:.2f}",
            }
        )
    return lines


def in_words(found: Mapping[str, RunResult]) -> str:
    """The best run against the goal, in a sentence or two, Markdown."""
    run = best(found)
    if run is None:
        return f"No run is recorded yet; the goal is {GOAL:g} %."
    one = reached(run)
    short = GOAL - one.estimate
    verdict = "It is reached" if short <= 0 else f"It is missed, by {short:.2f} points"
    return (
        f"This book's goal is {GOAL:g} % on the official test part, from random weights and without a graphics card. "
        f"**{verdict}:** the network that does best on the validation faces has {one.estimate:.2f} % "
        f"({one.low:.1f} to {one.high:.1f}) of the test faces right."
    )


def ending(found: Mapping[str, RunResult]) -> str:
    """What the best run reaches, as the end of a sentence; empty without a run."""
    run = best(found)
    if run is None:
        return ""
    size, share = run.metrics["parameters"], reached(run).estimate
    return f", and the best network of this book, of {size:,} parameters, for {share:.1f}% of the official test faces"
