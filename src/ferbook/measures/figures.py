"""One look for every figure: fonts, one colour per emotion, and the figures that recur."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from ferbook.faces.emotions import EMOTIONS, VAD_AXES

#: One colour per emotion, near those of Okabe and Ito. Lightness keeps apart what colour blindness brings together.
EMOTION_COLOURS: dict[str, str] = dict(
    zip(EMOTIONS, ["#484848", "#f0a30a", "#6cc0f0", "#1f5fbf", "#b33c00", "#12a159", "#1f0a5c", "#c26a9c"], strict=True)
)
#: The same colours for up to eight series that are no emotions, the clearest first.
SERIES_COLOURS: tuple[str, ...] = tuple(
    EMOTION_COLOURS[name]
    for name in ("sadness", "happiness", "anger", "disgust", "contempt", "surprise", "neutral", "fear")
)
#: Colours of what stands beside one another: the paper's numbers, recorded real data, this build.
SOURCE_COLOURS: dict[str, str] = {"paper": "#444444", "recorded": "#0072b2", "build": "#e69f00"}
#: What legends call them, where the recorded data is FER+.
SOURCE_NAMES: dict[str, str] = {"recorded": "FER+, recorded", "build": "synthetic, this build"}
#: Colours of the lines that mark what simple predictors reach.
MARK_COLOURS: tuple[str, ...] = tuple(EMOTION_COLOURS[name] for name in ("anger", "disgust", "contempt"))

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
    above: bool = False,
    axis: Axes | None = None,
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
    above: whether the legend stands above the bars, for bars that start at zero and leave no room.
    axis: a panel of a larger figure to draw in; default: a figure of its own.
    """
    axis = axis or plt.subplots(figsize=(WIDTH, height))[1]
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
    if len(series) > 1 and above:
        axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2 if len(series) > 3 else len(series))
    elif len(series) > 1:
        axis.legend()
    return axis.figure


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


def sheet(images: np.ndarray, row_names: Sequence[str], column_names: Sequence[str], cell: float = 0.72) -> Figure:
    """Pictures in a named grid without gaps.

    Parameters
    ----------
    images: uint8 (R * C, H, W) or (R * C, H, W, 3), row by row.
    row_names, column_names: R and C labels, on the left and on top.
    cell: width of a picture in inches.
    """
    rows, columns = len(row_names), len(column_names)
    tiled = np.concatenate([np.concatenate(list(row), axis=1) for row in np.split(images, rows)], axis=0)
    figure, axis = plt.subplots(figsize=(columns * cell + 1.0, rows * cell + 0.4))
    axis.imshow(tiled, vmin=0, vmax=255, interpolation="antialiased")
    height, width = images.shape[1:3]
    axis.set_xticks((np.arange(columns) + 0.5) * width - 0.5, column_names, fontsize=10)
    axis.set_yticks((np.arange(rows) + 0.5) * height - 0.5, row_names, fontsize=10)
    axis.xaxis.tick_top()
    axis.tick_params(length=0)
    axis.grid(False)
    axis.spines[:].set_visible(False)
    return figure


def confusion(counts: np.ndarray, names: Sequence[str] = EMOTIONS, form: str = "") -> Figure:
    """A confusion matrix, rows true, columns predicted: shares of each true class.

    Parameters
    ----------
    counts: (C, C).
    names: of the classes.
    form: of a share in a cell, as ``"{:.2f}"``; without it, whole per cent where there are any.
    """
    figure, axis = plt.subplots(figsize=(WIDTH, WIDTH * 0.86))

    def text(_: float, share: float) -> str:
        return form.format(share) if form else f"{100 * share:.0f}" if share >= 0.005 else ""

    matrix(axis, counts, names, text)
    axis.set_xticks(range(len(names)), names, rotation=40, ha="right")
    axis.set_xlabel("predicted (share of the row)" if form else "predicted (% of the row)")
    axis.set_ylabel("true")
    return figure


def matrix(
    axis: Axes,
    counts: np.ndarray,
    names: Sequence[str],
    text: Callable[[float, float], str],
    fontsize: float | None = None,
) -> None:
    """A matrix of counts (C, C) in an axis, each cell coloured by its share of the row. text: from count and share."""
    counts = np.asarray(counts, dtype=float)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(shares):
        colour = "white" if share > 0.55 else "black"
        shown = text(counts[row, column], share)
        axis.text(column, row, shown, ha="center", va="center", color=colour, fontsize=fontsize)
    axis.set_xticks(range(len(names)), names)
    axis.set_yticks(range(len(names)), names)
    axis.grid(False)


def lines(
    x: Sequence[float],
    series: Mapping[str, Sequence[float]],
    colours: Sequence[str],
    *,
    xlabel: str,
    ylabel: str,
    height: float = 3.2,
    marker: str = "o",
) -> Figure:
    """Curves over the same x, one colour per series, with markers ("": without). Labels with units."""
    figure, axis = plt.subplots(figsize=(WIDTH, height))
    for (label, values), colour in zip(series.items(), colours, strict=True):
        axis.plot(x, values, marker=marker, label=label, color=colour)
    axis.set_xlabel(xlabel)
    axis.set_ylabel(ylabel)
    if len(series) > 1:
        axis.legend()
    return figure


def marked(images: np.ndarray, points: Mapping[str, np.ndarray], columns: int = 4, cell: float = 1.5) -> Figure:
    """Pictures with points drawn on them.

    Parameters
    ----------
    images: uint8 (N, H, W) or (N, H, W, 3).
    points: legend label to (N, K, 2) pixel coordinates; NaN is not drawn.
    columns, cell: as in :func:`gallery`.
    """
    figure = gallery(images, columns=columns, cell=cell)
    styles = zip(points.items(), ("#00e5ff", "#ff3d00"), ("o", "x"), strict=False)
    for (label, places), colour, marker in styles:
        for axis, place in zip(figure.axes, places, strict=False):
            face = "none" if marker == "o" else colour
            axis.scatter(*place.T, s=26, marker=marker, facecolors=face, edgecolors=colour, linewidths=1.4, label=label)
    if len(points) > 1:
        legend_below(figure, len(points), fontsize=12)
    return figure


def points(
    clouds: Mapping[str, tuple[Sequence[float], Sequence[float]]], crosses: Mapping[str, Sequence[float]] | None = None
) -> Figure:
    """Emotions in the planes valence-arousal and valence-dominance, in their colours.

    Parameters
    ----------
    clouds: per emotion the mean and the standard deviation of its faces, (3,) each; drawn as a dot with arms.
    crosses: per emotion a published point, (3,).
    """
    figure, axes = plt.subplots(1, 2, figsize=(WIDTH, 3.9), sharex=True, sharey=True)
    for axis, row in zip(axes, (1, 2), strict=True):
        for name, (mean, spread) in clouds.items():
            colour = EMOTION_COLOURS[name]
            axis.errorbar(mean[0], mean[row], spread[row], spread[0], "o", color=colour, elinewidth=0.8, label=name)
            if crosses:
                axis.plot(crosses[name][0], crosses[name][row], "x", color=colour, markersize=9, markeredgewidth=2)
        axis.axhline(0, color="#999999", linewidth=0.8)
        axis.axvline(0, color="#999999", linewidth=0.8)
        axis.set(xlabel="valence (-1 to 1)", ylabel=f"{VAD_AXES[row]} (-1 to 1)")
        axis.set(xlim=(-1.05, 1.05), ylim=(-1.05, 1.05))
    legend_below(figure, 4)
    return figure


def forest(
    rows: Mapping[str, tuple[float, float, float]], *, xlabel: str, zero: float | None = 0.0, colour: str = "#0072b2"
) -> Figure:
    """Estimates with intervals, one line each, from top to bottom.

    Parameters
    ----------
    rows: label to estimate, low end, high end.
    xlabel: with units.
    zero: where a line marks "no difference"; None: nowhere.
    """
    figure, axis = plt.subplots(figsize=(WIDTH, 0.34 * len(rows) + 1.0))
    estimates(axis, rows, colour)
    if zero is not None:
        axis.axvline(zero, color="#444444", linewidth=1, linestyle="--")
    axis.set_xlabel(xlabel)
    return figure


def estimates(
    axis: Axes, rows: Mapping[str, tuple[float, float, float]], colour: str, fontsize: float = 11
) -> np.ndarray:
    """Estimates with their low and high ends in an axis, one line each by label; their places, (len(rows),)."""
    places = np.arange(len(rows))[::-1]
    values = np.array(list(rows.values()), dtype=float)
    arms = np.abs(values[:, 1:] - values[:, :1]).T
    axis.errorbar(values[:, 0], places, xerr=arms, fmt="o", color=colour, capsize=3)
    axis.set_yticks(places, list(rows), fontsize=fontsize)
    axis.set_ylim(-0.6, len(rows) - 0.4)
    sideways(axis)
    return places


def stacked(
    axis: Axes, names: Sequence[str], parts: Mapping[str, tuple[Sequence[int], str, str]], least: float = 0
) -> None:
    """Named bars from left to right in an axis, divided into parts, each with its number where that is above `least`.

    parts: legend label to one value per bar, colour and hatch.
    """
    start = np.zeros(len(names))
    for label, (values, colour, hatch) in parts.items():
        look = {"color": colour, "hatch": hatch, "edgecolor": "white", "linewidth": 0.8, "height": 0.7}
        drawn = axis.barh(names, values, left=start, label=label, **look)
        numbers = [str(value) if value > least else "" for value in values]
        for text in axis.bar_label(drawn, numbers, label_type="center", fontsize=11):
            if text.get_text():
                text.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1.2, "alpha": 0.85})
        start = start + values


def sideways(axis: Axes) -> None:
    """Lines across the values of an axis whose rows lie one above the other."""
    axis.grid(axis="x")
    axis.grid(visible=False, axis="y")


def legend_below(figure: Figure, columns: int, fontsize: float = 10) -> None:
    """A legend below all axes of a figure, of what is drawn in the first."""
    handles = figure.axes[0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=columns, fontsize=fontsize)


def against(
    panels: Mapping[str, Mapping[str, tuple[float, float, float]]],
    marks: Mapping[str, Mapping[str, float]],
    xlabel: str,
) -> Figure:
    """Estimates with intervals in panels one above the other, against lines that mark what simple predictors reach.

    Parameters
    ----------
    panels: title to label to estimate, low end, high end; the same labels in all panels.
    marks: legend label to title to value.
    xlabel: with units.
    """
    count = len(next(iter(panels.values())))
    height = len(panels) * (0.27 * count + 0.45) + 1.0
    figure, axes = plt.subplots(len(panels), 1, figsize=(WIDTH, height), sharex=True, squeeze=False)
    for axis, (title, rows) in zip(axes[:, 0], panels.items(), strict=True):
        estimates(axis, rows, SOURCE_COLOURS["recorded"], fontsize=10)
        for (label, at), colour, style in zip(marks.items(), MARK_COLOURS, ("--", "-.", ":"), strict=False):
            axis.axvline(at[title], color=colour, linestyle=style, linewidth=1.8, label=label)
        axis.set_title(title, loc="left")
    axes[-1, 0].set_xlabel(xlabel)
    legend_below(figure, 1)
    return figure


def histogram(
    values: Sequence[float], mark: float, mark_label: str, *, xlabel: str, ylabel: str, bins: int = 30
) -> Figure:
    """How often values occur, with one of special interest marked. Labels with units."""
    figure, axis = plt.subplots(figsize=(WIDTH, 2.9))
    axis.hist(values, bins=bins, color=SOURCE_COLOURS["recorded"], alpha=0.75)
    axis.axvline(mark, color="#d55e00", linewidth=2, label=mark_label)
    axis.set(xlabel=xlabel, ylabel=ylabel)
    axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return figure


class Step(NamedTuple):
    """One box of a chain of steps: its title, what comes out of it, and whether it is a part of the network."""

    title: str
    text: str
    inside: bool = False


def chain(steps: Sequence[Step]) -> Figure:
    """Steps from top to bottom, with arrows between them; the parts of the network lie on a shaded ground."""
    height, gap = 0.62, 0.3
    figure, axis = plt.subplots(figsize=(WIDTH, len(steps) * (height + gap) + 0.1))
    places = [-(number * (height + gap)) for number in range(len(steps))]
    inside = [place for place, step in zip(places, steps, strict=True) if step.inside]
    if inside:
        bottom, top = min(inside) - 0.13, max(inside) + height + 0.13
        axis.add_patch(FancyBboxPatch((0.0, bottom), 10, top - bottom, "round,pad=0,rounding_size=0.15",
                                      facecolor="#e8f1f8", edgecolor="none"))  # fmt: skip
    for number, (place, step) in enumerate(zip(places, steps, strict=True)):
        colour = SOURCE_COLOURS["recorded" if step.inside else "paper"]
        axis.add_patch(FancyBboxPatch((0.2, place), 9.6, height, "round,pad=0,rounding_size=0.1",
                                      facecolor="white", edgecolor=colour, linewidth=1.6))  # fmt: skip
        axis.text(5, place + 0.68 * height, step.title, ha="center", va="center", fontsize=12, weight="bold")
        axis.text(5, place + 0.27 * height, step.text, ha="center", va="center", fontsize=10)
        if number:
            axis.annotate(
                "", (5, place + height), (5, places[number - 1]), arrowprops={"arrowstyle": "-|>", "color": "#444444"}
            )
    axis.set_xlim(-0.05, 10.05)
    axis.set_ylim(places[-1] - 0.1, height + 0.1)
    axis.set_axis_off()
    return figure
