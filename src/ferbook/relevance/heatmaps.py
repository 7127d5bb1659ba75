"""Pictures of relevance: blue against, red for, white nothing; one scale for all pictures of a figure."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

#: Blue to red through white, as the paper's figures 9 to 12 but with a marked zero.
COLOURS = "seismic"
#: The scale ends at this quantile of the absolute relevance, so that single pixels do not hide the rest.
QUANTILE = 0.995


def limit(relevance: np.ndarray) -> float:
    """Where the symmetric scale of these maps ends; above 0."""
    return float(np.quantile(np.abs(relevance), QUANTILE)) or 1.0


def overlays(images: np.ndarray, relevance: np.ndarray, titles: Sequence[str], cell: float = 1.45) -> Figure:
    """Three rows: the pictures, relevance over the fainter picture, relevance alone.

    Parameters
    ----------
    images: uint8 (N, H, W) or (N, H, W, 3).
    relevance: (N, C, H, W); channels are added up.
    titles: one per picture, with line breaks.
    cell: width of a picture in inches.
    """
    maps = np.asarray(relevance).sum(axis=1)
    end = limit(maps)
    lines = max(title.count("\n") + 1 for title in titles)
    figure, axes = plt.subplots(
        3, len(images), figsize=(len(images) * cell + 0.9, 3 * cell + 0.22 * lines), squeeze=False
    )
    for column, (picture, found, title) in enumerate(zip(images, maps, titles, strict=True)):
        grey = picture if picture.ndim == 2 else picture.mean(axis=2)
        axes[0, column].imshow(picture, vmin=0, vmax=255, cmap="gray")
        axes[0, column].set_title(title, fontsize=11, pad=3)
        axes[1, column].imshow(grey, vmin=0, vmax=255, cmap="gray", alpha=0.55)
        strength = np.clip(np.abs(found) / end, 0, 1) ** 0.5
        axes[1, column].imshow(found, cmap=COLOURS, vmin=-end, vmax=end, alpha=strength)
        drawn = axes[2, column].imshow(found, cmap=COLOURS, vmin=-end, vmax=end)
    for axis in axes.flat:
        axis.set_axis_off()
    bar = figure.colorbar(drawn, ax=axes, shrink=0.7, pad=0.02)
    bar.set_label("relevance (units of the logit)")
    return figure


def by_channel(images: np.ndarray, relevance: np.ndarray, titles: Sequence[str], cell: float = 1.25) -> Figure:
    """A row per picture: the picture and the relevance of each channel, on one scale (paper 001, figures 10 to 12).

    Parameters
    ----------
    images: uint8 (N, H, W) or (N, H, W, 3).
    relevance: (N, C, H, W); three channels are red, green and blue.
    titles: one per picture, shown beside it, with line breaks.
    cell: height of a picture in inches.
    """
    count, channels = np.asarray(relevance).shape[:2]
    names = ("red", "green", "blue") if channels == 3 else ("relevance",) * channels
    end = limit(relevance)
    width = (channels + 1) * cell + 2.2
    figure, axes = plt.subplots(count, channels + 1, figsize=(width, count * cell + 0.3), squeeze=False)
    for line, picture, found, title in zip(axes, images, relevance, titles, strict=True):
        line[0].imshow(picture, vmin=0, vmax=255, cmap="gray")
        line[0].text(-0.08, 0.5, title, ha="right", va="center", fontsize=11, transform=line[0].transAxes)
        for axis, channel in zip(line[1:], found, strict=True):
            drawn = axis.imshow(channel, cmap=COLOURS, vmin=-end, vmax=end)
    for axis, name in zip(axes[0], ("picture", *names), strict=True):
        axis.set_title(name, fontsize=11)
    for axis in axes.flat:
        axis.set_axis_off()
    bar = figure.colorbar(drawn, ax=axes, shrink=min(1.0, 2.2 / count), pad=0.02)
    bar.formatter.set_powerlimits((-2, 3))
    # Beside one picture there is no room for the label on one line.
    bar.set_label("relevance (units of the logit)".replace(" (", "\n(" if count == 1 else " ("), fontsize=11)
    return figure
