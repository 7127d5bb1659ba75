"""Why accuracy is lower on complex faces (paper 002, section 4.5, figure 29), taken apart with recorded runs.

The complex test set differs from the ordinary one in two ways: its faces are harder, and most of their kind have left
the training set. Faces on both frozen test lists tell the two apart. They are complex, as every face of the complex
list is, and no run of either kind has trained on them.

Nothing here imports torch.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from ferbook.claims import ablation_variants
from ferbook.claims.ablation_variants import Estimate, Runs
from ferbook.claims.report import NOTHING
from ferbook.core.errors import ConfigError
from ferbook.faces import splits
from ferbook.learning.runs import RunResult
from ferbook.measures import figures, intervals
from ferbook.measures.intervals import Interval
from ferbook.papers.nhot import curves

#: The causes, as tables and legends call them, in the order in which they add up to the fall.
CAUSES = {
    "harder": "harder faces",
    "scarcer": "fewer complex faces in training",
    "draw": "other draw of faces",
}


@dataclass(frozen=True)
class Fall:
    """From ordinary down to complex faces at one N, in points of accuracy, over the seeds that have both runs.

    Parameters
    ----------
    n: of the training labels.
    whole: accuracy on the ordinary test set less that on the complex one.
    causes: what adds up to it, by ``CAUSES``. ``harder``: the network of the ordinary split, on all its test faces less
        on the shared ones. ``scarcer``: on the shared faces, that network less the one of the complex split. ``draw``:
        the latter, on the shared faces less on all complex test faces.
    over_faces: of ``scarcer``, mean over the seeds, how it would vary with other shared faces.
    """

    n: int
    whole: Estimate
    causes: Mapping[str, Estimate]
    over_faces: Interval


def shared() -> dict[str, np.ndarray]:
    """Per test set which of its faces, in the order of its frozen list, stand on the other list too: bool arrays."""
    lists = {kind: splits.frozen_ids(f"ferplus-{kind}") for kind in curves.KINDS}
    both = np.intersect1d(*lists.values())
    return {kind: np.isin(ids, both) for kind, ids in lists.items()}


def falls(runs: Runs, on_both: Mapping[str, np.ndarray] | None = None) -> list[Fall]:
    """The fall and its causes at each N that has a run on both test sets with the same seed.

    Parameters
    ----------
    runs: recorded on FER+, tested on the frozen lists.
    on_both: as :func:`shared` gives it, the default.

    Raises
    ------
    ConfigError: as ``curves.grid``, or if a run was not tested on the frozen list.
    """
    on_both = shared() if on_both is None else on_both
    grid, found = curves.grid(runs), []
    for n in sorted({n for _, n in grid}):
        easy, hard = (grid.get((kind, n), {}) for kind in curves.KINDS)
        seeds = sorted(set(easy) & set(hard))
        if seeds:
            found.append(_fall(n, {f"seed{seed}": (easy[seed], hard[seed]) for seed in seeds}, on_both))
    return found


def _fall(n: int, pairs: Mapping[str, tuple[RunResult, RunResult]], on_both: Mapping[str, np.ndarray]) -> Fall:
    values: dict[str, dict[str, float]] = {name: {} for name in ("whole", *CAUSES)}
    with_them, without = [], []
    for seed, pair in pairs.items():
        easy, hard = (_answers(run, kind, on_both[kind]) for run, kind in zip(pair, curves.KINDS, strict=True))
        easy_shared, hard_shared = easy[on_both["ordinary"]], hard[on_both["complex"]]
        values["whole"][seed] = easy.mean() - hard.mean()
        values["harder"][seed] = easy.mean() - easy_shared.mean()
        values["scarcer"][seed] = easy_shared.mean() - hard_shared.mean()
        values["draw"][seed] = hard_shared.mean() - hard.mean()
        with_them.append(easy_shared)
        without.append(hard_shared)
    paired = intervals.paired_bootstrap(np.mean(with_them, axis=0), np.mean(without, axis=0), seed=0, resamples=1000)
    estimates = {name: ablation_variants.estimated(by_seed) for name, by_seed in values.items()}
    return Fall(n, estimates.pop("whole"), estimates, Interval(*paired[:5]))


def _answers(run: RunResult, kind: str, on_both: np.ndarray) -> np.ndarray:
    """100 for each test face that the run got right, else 0."""
    right = curves.correct(run)
    if run.config["data"]["name"] != "ferplus" or len(right) != len(on_both):
        raise ConfigError("runs", f"a run was not tested on the frozen {kind} list", "Leave it out, or run it again.")
    return 100.0 * right


def rows(found: list[Fall]) -> list[dict[str, str]]:
    """One line per N, as ``report.table`` takes it; an empty one without runs."""
    lines = [
        {"N": str(fall.n), "ordinary less complex (points)": ablation_variants.told(fall.whole)}
        | {title: ablation_variants.told(fall.causes[name], sign=True) for name, title in CAUSES.items()}
        | {"fewer complex faces, interval over faces": f"{fall.over_faces.low:+.1f} to {fall.over_faces.high:+.1f}"}
        for fall in found
    ]
    columns = ("N", "ordinary less complex (points)", *CAUSES.values(), "fewer complex faces, interval over faces")
    return lines or [dict.fromkeys(columns, NOTHING)]


def in_words(found: list[Fall]) -> str:
    """What the causes come to, the mean over all N that there are; how many faces and seeds that rests on."""
    if not found:
        return "Nothing recorded yet: it takes a run on each of the two test sets, with the same N and seed."
    whole = float(np.mean([fall.whole.mean for fall in found]))
    harder, scarcer, draw = (
        float(np.mean([fall.causes[name].mean for fall in found])) for name in ("harder", "scarcer", "draw")
    )
    clear = sum(not fall.over_faces.low <= 0 <= fall.over_faces.high for fall in found)
    seeds = sorted({len(fall.whole.values) for fall in found})
    many = f"{seeds[0]}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
    return (
        f"Of a fall of {whole:.1f} points (mean over {len(found)} value{'s' * (len(found) > 1)} of N, {many} "
        f"seed{'s' * (seeds[-1] > 1)} each), harder faces account for **{harder:z.1f}** and fewer complex faces to "
        f"learn from for **{scarcer:z.1f}**. The remaining {draw:z.1f} are the draw: the shared faces are "
        f"{'easier' if draw > 0 else 'harder'} than the whole complex list. What fewer complex faces cost is "
        f"clear of zero, by its interval over the shared faces, at {clear} of the {len(found)} N."
    )


def figure(found: list[Fall]) -> Figure:
    """Per N, the points that go with harder faces and those that go with fewer complex faces in training."""
    shown = {title: [fall.causes[name].mean for fall in found] for name, title in CAUSES.items() if name != "draw"}
    drawing = figures.bars(
        [str(fall.n) for fall in found],
        shown,
        (figures.SOURCE_COLOURS["recorded"], figures.MARK_COLOURS[0]),
        xlabel="N, most emotions in a training label",
        ylabel="lower accuracy (points)",
    )
    # Inside, it would cover a bar.
    drawing.axes[0].get_legend().remove()
    drawing.legend(loc="outside lower center", ncols=2)
    return drawing
