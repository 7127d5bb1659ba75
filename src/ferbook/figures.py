"""One look for every figure: fonts, one colour per emotion, and the figures that recur."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from ferbook.emotions import EMOTIONS

#: One colour per emotion, distinguishable with the common forms of colour blindness (after Okabe and Ito).
EMOTION_COLOURS: dict[str, str] = dict(
    zip(
        EMOTIONS,
        ("#7f7f7f", "#e69f00", "#56b4e9", "#0072b2", "#d55e00", "#009e73", "#7b4fa3", "#cc79a7"),
        strict=True,
    )
)
#: Colours of what stands beside one another: the paper's numbers, recorded real data, this build.
SOURCE_COLOURS: dict[str, str] = {"paper": "#444444", "recorded": "#0072b2", "build": "#e69f00"}

#: Width in inches of a figure that fills the text column. Small, with large type, so that a phone can show it.
WIDTH = 6.2


def use_style() -> None:
    """Set the book's look for all figures that follow."""
    plt.rcParams.update(
        {
            "figure.dpi": 130,
            "savefig.dpi": 130,
            "figure.constrained_layout.use": True,
            "font.size": 12,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "axes.grid.axis": "y",
            "axes.axisbelow": True,
            "grid.color": "#dddddd",
            "legend.frameon": False,
            "image.cmap": "gray",
        }
    )


def gallery(images: np.ndarray, titles: Sequence[str] | None = None, columns: int = 6, cell: float = 1.05) -> Figure:
    """Pictures in a grid.

    Parameters
    ----------
    images: uint8 (N, H, W) or (N, H, W, 3).
    titles: one line or two above each.
    columns: pictures in a row.
    cell: width of a picture in inches.
    """
    rows = -(-len(images) // columns)
    heading = 0.2 * max((title.count("\n") + 1 for title in titles), default=0) if titles else 0.05
    figure, axes = plt.subplots(rows, columns, figsize=(columns * cell, rows * (cell + heading)), squeeze=False)
    for place, axis in enumerate(axes.flat):
        axis.set_axis_off()
        if place < len(images):
            axis.imshow(images[place], vmin=0, vmax=255, interpolation="nearest")
            if titles:
                axis.set_title(titles[place], fontsize=11, pad=3)
    return figure


def bars(
    names: Sequence[str],
    series: Mapping[str, Sequence[float]],
    colours: Sequence[str],
    *,
    xlabel: str,
    ylabel: str,
    form: str = "{:.1f}",
    height: float = 3.2,
) -> Figure:
    """Bars side by side, one group per name, one colour per series, each bar with its number.

    Parameters
    ----------
    names: labels of the groups.
    series: legend label to one value per group.
    colours: one per series.
    xlabel, ylabel: with units.
    form: format of the number on a bar.
    height: of the figure, in inches.
    """
    figure, axis = plt.subplots(figsize=(WIDTH, height))
    places = np.arange(len(names))
    width = 0.82 / len(series)
    for number, ((label, values), colour) in enumerate(zip(series.items(), colours, strict=True)):
        offset = (number - (len(series) - 1) / 2) * width
        drawn = axis.bar(places + offset, values, width, label=label, color=colour)
        axis.bar_label(drawn, [form.format(value) for value in values], fontsize=9, padding=2)
    crowded = sum(map(len, names)) > 45
    axis.set_xticks(places, names, rotation=30 if crowded else 0, ha="right" if crowded else "center")
    axis.set_xlabel(xlabel)
    axis.set_ylabel(ylabel)
    axis.margins(y=0.12)
    if len(series) > 1:
        axis.legend()
    return figure


def distributions(rows: Sequence[np.ndarray], titles: Sequence[str], columns: int = 3) -> Figure:
    """Small bar charts of emotion distributions, one per panel, in the emotions' colours. rows: each (8,)."""
    lines = -(-len(rows) // columns)
    figure, axes = plt.subplots(lines, columns, figsize=(WIDTH, 1.9 * lines + 0.5), sharey=True, squeeze=False)
    for place, axis in enumerate(axes.flat):
        if place >= len(rows):
            axis.set_axis_off()
            continue
        axis.bar(range(len(EMOTIONS)), rows[place], color=[EMOTION_COLOURS[name] for name in EMOTIONS])
        axis.set_title(titles[place], fontsize=12)
        axis.set_xticks(range(len(EMOTIONS)), [name[:3] for name in EMOTIONS], fontsize=10, rotation=90)
        axis.set_ylim(0, 1)
        if place % columns == 0:
            axis.set_ylabel("share of votes")
    return figure
