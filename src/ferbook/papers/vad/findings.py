"""Numbers and figures of the findings on papers 003 and 004, from records and transcribed tables alone.

Each finding has a function that gathers its numbers and one that draws them. Nothing here imports torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from matplotlib.figure import Figure

from ferbook.claims import printed
from ferbook.core import records
from ferbook.faces.emotions import VAD_AXES
from ferbook.measures import figures

#: Records that other modules write, named here because those modules import torch.
ABLATION, ANNOTATIONS = "003/ablation", "003/annotations"
#: Colours of what is compared: what a paper has, and what stands beside it.
PAPER, OTHER = "#444444", "#0072b2"


# --- a cost without a slope ---


@dataclass(frozen=True)
class Slope:
    """What consistency costs change (003, 004): per variant and axis the change of squared error, paired by seed.

    Parameters
    ----------
    printed, smooth: variant to axis to ``estimate``, ``low``, ``high``.
    pairs: runs with and without, per variant.
    """

    printed: Mapping[str, Mapping[str, Mapping[str, float]]]
    smooth: Mapping[str, Mapping[str, Mapping[str, float]]]
    pairs: int

    def tally(self, which: str) -> tuple[int, int, int]:
        """How many changes of ``printed`` or ``smooth`` variants are exactly zero, clearly lower, clearly higher."""
        found = [change for axes in getattr(self, which).values() for change in axes.values()]
        return (
            sum(c["estimate"] == c["low"] == c["high"] == 0 for c in found),
            sum(c["high"] < 0 for c in found),
            sum(c["low"] > 0 for c in found),
        )

    def comparisons(self, which: str) -> int:
        """How many changes there are, variants times axes."""
        return sum(map(len, getattr(self, which).values()))


def slope() -> Slope:
    """The recorded ablation on the annotated faces."""
    found = records.read(ABLATION)["values"]
    variants = found["differences"]["tuned, all"]
    printed_variants = {name: variants[name] for name in variants if not name.startswith("soft")}
    return Slope(
        printed_variants, {name: variants[name] for name in variants if name not in printed_variants}, found["seeds"]
    )


def draw_slope(found: Slope, smooth: str = "soft, lambda 1") -> Figure:
    """Changes of squared error of the printed costs and of one smooth cost, with intervals over seeds."""
    shown = {**found.printed, smooth: found.smooth[smooth]}
    return figures.forest(
        {f"{variant}: {axis}": _ends(change) for variant, axes in shown.items() for axis, change in axes.items()},
        xlabel="change of mean squared error against none",
    )


def _ends(found: Mapping[str, float]) -> tuple[float, float, float]:
    return found["estimate"], found["low"], found["high"]


# --- the constant predictor ---


@dataclass(frozen=True)
class Constant:
    """Average losses on the papers' scale (003, 004), per axis.

    Parameters
    ----------
    mean: of a predictor that says the mean of the annotated faces for each of them.
    third, fourth: printed in 003, table 3 (public test, all together), and in 004, table 3 (with consistency), as text.
    faces: how many are annotated.
    drift: the largest share by which a published log of losses moves after its first epochs.
    """

    mean: Mapping[str, float]
    third: Mapping[str, str]
    fourth: Mapping[str, str]
    faces: int
    drift: float


def constant() -> Constant:
    """Recorded annotations and logs beside the printed tables."""
    found = records.read(ANNOTATIONS)["values"]
    logs = [log for axis in VAD_AXES for log in found["logs"][axis].values()]
    return Constant(
        {axis: found["published_scale"][axis]["mean"] for axis in VAD_AXES},
        {axis: printed.cell("003-table3", axis, "public, all") for axis in VAD_AXES},
        {axis: printed.cell("004-table3", "consistency", axis) for axis in VAD_AXES},
        found["faces"],
        max(log["spread"] / log["last"] for log in logs),
    )


def draw_constant(found: Constant) -> Figure:
    """Printed losses beside the constant's."""
    figure = figures.bars(
        VAD_AXES,
        {
            "constant predictor": [found.mean[axis] for axis in VAD_AXES],
            "paper 004": [float(found.fourth[axis]) for axis in VAD_AXES],
            "paper 003, public test": [float(found.third[axis]) for axis in VAD_AXES],
        },
        (OTHER, PAPER, "#aaaaaa"),
        xlabel="axis",
        ylabel="average loss (the papers' scale)",
        form="{:.3f}",
        height=3.8,
    )
    return _legend_below(figure)


# --- faces and the sign table ---


def obedience() -> Mapping[str, object]:
    """The recorded facts of the annotated faces: who obeys table 1 and the equations of paper 003."""
    return records.read(ANNOTATIONS)["values"]


def draw_obedience(found: Mapping[str, object]) -> Figure:
    """Share of annotated faces of each category that have all signs asked for."""
    names = list(found["by_category"])
    figure = figures.bars(
        names,
        {
            label: [100 * found["by_category"][name]["obey"][rule] for name in names]
            for label, rule in (("table 1", "table"), ("equations 5, 9, 13", "equations"))
        },
        (PAPER, OTHER),
        xlabel="category of the face",
        ylabel="faces with all signs asked for (%)",
        form="{:.0f}",
        height=4.1,
    )
    return _legend_below(figure)


def _legend_below(figure: Figure) -> Figure:
    """High bars leave no room for a legend among them."""
    figure.axes[0].get_legend().remove()
    figures.legend_below(figure, 3, fontsize=11)
    return figure
