"""Drawings of paper 001's figures 1, 2, 4 and 5, each with the numbers of something that was computed."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor, nn

from ferbook.measures.figures import WIDTH
from ferbook.models.layers import outputs
from ferbook.relevance import ranks
from ferbook.relevance.by_hand import Dense
from ferbook.relevance.heatmaps import COLOURS, limit


def neurons(layers: Sequence[Dense], states: Sequence[np.ndarray], relevance: Sequence[np.ndarray]) -> Figure:
    """A small dense network twice: forward with its activations, and back with relevance (figures 1 and 4).

    Parameters
    ----------
    layers: of the network; their weights stand at the lines.
    states: input, activations of each layer, logits, from :func:`ferbook.relevance.by_hand.forward`.
    relevance: of the same neurons, from :func:`ferbook.relevance.by_hand.propagate`.
    """
    figure, axes = plt.subplots(1, 2, figsize=(WIDTH, 2.6))
    shown = (("forward: activations", states, "->"), ("back: relevance", relevance, "<-"))
    for axis, (title, values, arrow) in zip(axes, shown, strict=True):
        axis.set_title(title, fontsize=12)
        axis.set_xlim(-0.35, len(states) - 0.65)
        axis.set_ylim(0.02, 0.98)
        axis.set_axis_off()
        heights = [np.linspace(1, 0, len(layer) + 2)[1:-1] * 1.4 - 0.2 for layer in states]
        for depth, layer in enumerate(layers):
            for (i, j), weight in np.ndenumerate(layer.weight):
                ends = (depth + 0.25, heights[depth][i]), (depth + 0.75, heights[depth + 1][j])
                colour = "#d55e00" if weight > 0 else "#0072b2"
                axis.annotate("", ends[1], ends[0], arrowprops={"arrowstyle": arrow, "color": colour, "alpha": 0.6})
        for depth, (place, layer) in enumerate(zip(heights, values, strict=True)):
            for height, value in zip(place, layer, strict=True):
                axis.text(depth, height, f"{value:+.2f}", ha="center", va="center", fontsize=11,
                          bbox={"boxstyle": "round", "facecolor": "white", "edgecolor": "#555555"})  # fmt: skip
    return figure


def stack(network: nn.Module, sizes: Sequence[tuple[str, int, int, bool]]) -> Figure:
    """Layers with weights as bars: as high as the side of what they give is large; colour: frozen or not (figure 2).

    Parameters
    ----------
    network: whose parameters are counted for the title.
    sizes: of each layer with weights, from :func:`layers_with_weights`.
    """
    figure, axis = plt.subplots(figsize=(WIDTH, 3.2))
    for place, (name, side, channels, trained) in enumerate(sizes):
        colour = "#e69f00" if trained else "#56b4e9"
        height = max(np.log2(max(side, 1)), 0) + 1
        axis.add_patch(Rectangle((place - 0.36, 0), 0.72, height, facecolor=colour, edgecolor="white"))
        what = f"{side} × {side}\n× {channels}" if side > 1 else f"{channels}"
        axis.text(place, height + 0.15, what, ha="center", fontsize=8, rotation=90, va="bottom")
        axis.text(place, -0.15, name, ha="center", va="top", fontsize=9, rotation=90)
    axis.set_xlim(-0.6, len(sizes) - 0.4)
    axis.set_ylim(-2.6, 13.5)
    axis.set_axis_off()
    total = sum(weight.numel() for weight in network.parameters())
    axis.set_title(
        f"{len(sizes)} layers with weights, {total:,} parameters; blue: frozen, orange: trained", fontsize=11
    )
    return figure


def layers_with_weights(network: nn.Module, image: Tensor) -> list[tuple[str, int, int, bool]]:
    """Name, side, channels and whether it is trained, of each convolution and dense layer of a network.

    Parameters
    ----------
    network: is run once.
    image: (1, C, H, W) on the network's device.
    """
    layers = (layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.Linear))
    return [
        ("dense", 1, output.shape[1], layer.weight.requires_grad)
        if isinstance(layer, nn.Linear)
        else ("conv", output.shape[-1], output.shape[1], layer.weight.requires_grad)
        for layer, output in outputs(network, image, layers).items()
    ]


def ranking(picture: np.ndarray, relevance: np.ndarray) -> Figure:
    """From a picture to its rank in four steps (figure 5): picture, relevance, ten groups, three windows.

    Parameters
    ----------
    picture: uint8 (H, W) or (H, W, 3).
    relevance: (C, H, W).
    """
    scores = ranks.scaled(relevance[None])
    groups = ranks.histogram(scores)
    windows, given = ranks.window_counts(groups)[0], int(ranks.rank_as_tabulated(groups)[0])
    figure, axes = plt.subplots(1, 4, figsize=(WIDTH, 2.4), width_ratios=(1, 1, 1.5, 1.2))
    axes[0].imshow(picture, cmap="gray", vmin=0, vmax=255)
    total, end = relevance.sum(axis=0), limit(relevance)
    axes[1].imshow(total, cmap=COLOURS, vmin=-end, vmax=end)
    for axis, title in zip(axes[:2], ("picture", "relevance"), strict=True):
        axis.set_axis_off()
        axis.set_title(title, fontsize=11)
    _columns(axes[2], [str(k + 1) for k in range(ranks.BINS)], groups[0], "ten groups", None)
    _columns(axes[3], [name[:3] for name in ranks.RANKS], windows, f"windows: {ranks.RANKS[given]}", given)
    return figure


def _columns(axis: Axes, names: Sequence[str], counts: np.ndarray, title: str, marked: int | None) -> None:
    colours = ["#d55e00" if place == marked else "#56b4e9" for place in range(len(names))]
    axis.bar(range(len(names)), counts, color=colours)
    axis.set_xticks(range(len(names)), names, fontsize=9)
    axis.set_title(title, fontsize=11)
    axis.tick_params(axis="y", labelsize=9)
    axis.grid(False)
