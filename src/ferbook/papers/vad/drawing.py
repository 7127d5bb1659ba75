"""Figures 2 and 3 of paper 003 drawn from the networks that this book builds: the losses that meet, and the layers."""

from __future__ import annotations

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from torch import nn
from torchvision.models.resnet import BasicBlock

from ferbook import models
from ferbook.faces.emotions import EMOTIONS
from ferbook.learning import consistency
from ferbook.measures import figures
from ferbook.measures.figures import Step
from ferbook.models.layers import outputs
from ferbook.models.vad import cifar_resnet18


def layers(side: int = 44) -> list[Step]:
    """The steps of figure 3: the ResNet-18 that regresses one axis, with sizes read off as one face passes through it.

    A block whose shortcut has a convolution is of the paper's type B, the others are of type A.

    Parameters
    ----------
    side: of the picture, in pixels; the paper prints none, the published code crops 48 pixels to 44.
    """
    network = cifar_resnet18(1, 3)
    found_at = outputs(network, torch.zeros(1, 3, side, side), network.children())

    def told(part: nn.Module) -> str:
        channels, height, width = found_at[part].shape[1:]
        weights = models.parameter_count(part)
        return f"{channels} maps of {height} x {width}; {weights:,} weights"

    found = [
        Step("Face", f"3 x {side} x {side}"),
        Step("Beginning: 3 x 3 convolution", told(network.conv1)),
    ]
    number = 0
    for k, layer in enumerate((network.layer1, network.layer2, network.layer3, network.layer4), 1):
        kinds = []
        for block in layer:
            assert isinstance(block, BasicBlock)
            number += 1
            kinds.append(f"block {number}, type {'A' if block.downsample is None else 'B'}")
        found.append(Step(f"Layer {k}: {'; '.join(kinds)}", told(layer), True))
    weights = models.parameter_count(network.fc)
    return [*found, Step("Ending: mean over places, one number", f"V, A or D; {weights} weights")]


def flow(kind: str = "table") -> dict[tuple[str, str], bool]:
    """Whether each loss of the method has a gradient with respect to each prediction: measured on random predictions.

    Parameters
    ----------
    kind: of the consistency cost, a printed definition or ``soft``.

    Returns
    -------
    Loss (``classification``, ``regression``, ``consistency``) and prediction (``category``, ``V, A, D``) to the answer.
    """
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(8, len(EMOTIONS), generator=generator, requires_grad=True)
    vad = (2 * torch.rand(8, 3, generator=generator) - 1).requires_grad_()
    truth, values = torch.arange(8) % len(EMOTIONS), torch.zeros(8, 3)
    cost = consistency.soft_cost(logits, vad) if kind == "soft" else consistency.printed_cost(logits, vad, kind)
    losses = {
        "classification": nn.functional.cross_entropy(logits, truth),
        "regression": (vad - values).square().mean(),
        "consistency": cost.sum(),
    }
    predictions = {"category": logits, "V, A, D": vad}
    return {(loss, name): _pulls(value, x) for loss, value in losses.items() for name, x in predictions.items()}


def _pulls(loss: torch.Tensor, prediction: torch.Tensor) -> bool:
    if not loss.requires_grad:
        return False
    (gradient,) = torch.autograd.grad(loss, prediction, retain_graph=True, allow_unused=True)
    return gradient is not None and bool(gradient.abs().sum() > 0)


def joint(gradients: dict[tuple[str, str], bool]) -> Figure:
    """Figure 2: faces, two tasks, three losses; an arrow from a loss to a task is whole where a gradient flows back.

    Parameters
    ----------
    gradients: see :func:`flow`.
    """
    trunk = models.parameter_count(cifar_resnet18(1, 3))
    figure, axis = plt.subplots(figsize=(figures.WIDTH, 4.6))
    _box(axis, 5, 5.2, "Faces with category and V, A, D", "48 pixels", wide=5.2)
    tasks = {"category": 2.2, "V, A, D": 7.8}
    _box(axis, tasks["category"], 3.5, "Category", "ResNet-18, 7 outputs")
    _box(axis, tasks["V, A, D"], 3.5, "V, A, D", f"ResNet-18 per axis, {trunk / 1e6:.1f} M weights")
    losses = {
        "classification": (1.6, "Cross-entropy"),
        "consistency": (5.0, "Consistency cost"),
        "regression": (8.4, "Squared error"),
    }
    for name, (x, title) in losses.items():
        _box(axis, x, 1.2, title, "lambda times" if name == "consistency" else "", wide=2.9)
    for x in tasks.values():
        axis.annotate("", (x, 4.05), (5, 4.75), arrowprops={"arrowstyle": "-|>", "color": "#444444"})
    for (loss, task), pulls in gradients.items():
        if loss != "consistency" and not pulls:
            continue
        style = "-" if pulls else ":"
        colour = figures.SOURCE_COLOURS["recorded"] if pulls else "#d55e00"
        arrow = {"arrowstyle": "-|>", "color": colour, "linestyle": style, "linewidth": 1.8}
        axis.annotate("", (tasks[task], 2.95), (losses[loss][0], 1.75), arrowprops=arrow)
    axis.plot([], [], "-", color=figures.SOURCE_COLOURS["recorded"], label="gradient flows back")
    axis.plot([], [], ":", color="#d55e00", label="no gradient")
    axis.set_xlim(-0.1, 10.1)
    axis.set_ylim(0.5, 5.8)
    axis.set_axis_off()
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def _box(axis: Axes, x: float, y: float, title: str, text: str, wide: float = 4.2) -> None:
    axis.add_patch(FancyBboxPatch((x - wide / 2, y - 0.45), wide, 0.9, "round,pad=0,rounding_size=0.1",
                                  facecolor="white", edgecolor="#444444", linewidth=1.4))  # fmt: skip
    axis.text(x, y + (0.16 if text else 0), title, ha="center", va="center", fontsize=11, weight="bold")
    axis.text(x, y - 0.22, text, ha="center", va="center", fontsize=9)
