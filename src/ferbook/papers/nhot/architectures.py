"""Paper 002's ten losses side by side, and the size of its networks: what needs torch, but no training.

The losses themselves are in :mod:`ferbook.learning.losses`, the networks in :mod:`ferbook.models`.
"""

from collections.abc import Mapping
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from ferbook import models
from ferbook.core import dependencies, records
from ferbook.learning.losses import LOSSES
from ferbook.measures import figures

#: Name of the record of what the networks' sizes are.
RECORD = "002/architectures"

#: Formula of a face's loss (p the network's probabilities, t the label, C emotions) and the name of the Keras loss.
FORMULAS: dict[str, tuple[str, str]] = {
    "mse": ("mean of (p - t)²", "MeanSquaredError"),
    "label_draw": ("-log p of one emotion drawn from t", "none; drawn before SparseCategoricalCrossentropy"),
    "log_cosh": ("mean of log cosh(p - t)", "LogCosh"),
    "cosine": ("-cos(p, t)", "CosineSimilarity"),
    "cross_entropy": ("-sum of t log p", "CategoricalCrossentropy"),
    "mae": ("mean of |p - t|", "MeanAbsoluteError"),
    "kl_divergence": ("sum of t log(t / p)", "KLDivergence"),
    "categorical_hinge": ("max(0, 1 + max of (1 - t) p - sum of t p)", "CategoricalHinge"),
    "poisson": ("mean of p - t log p", "Poisson"),
    "hinge": ("mean of max(0, 1 - t p)", "Hinge"),
}

#: The networks that sections 3.5 and 4.2 name and whose options they fix, in the order of the text.
NETWORKS = (
    *("vgg13", "vgg16", "vgg16_48", "vgg19", "resnet18", "resnet34", "resnet50"),
    *("densenet169", "densenet201", "mobilenet", *(f"efficientnet_b{size}" for size in range(8))),
    *("ran", "dan", "mten", "compact"),
)
#: Side in pixels that section 4.1 gives the networks' input; DAN has its own. EfficientNet's trunk in MTEN likewise 48.
SIDE, DAN_SIDE = 48, 224
#: The networks whose operations figure 5 (taken over from He et al. 2016, table 1) counts at 224 pixels.
FIGURE_5 = ("resnet18", "resnet34", "resnet50")


def loss_rows() -> list[dict[str, str]]:
    """One line per loss, as ``report.table`` takes it."""
    return [
        {
            "loss": loss.title,
            "caption of figure 26": loss.abbreviation or "not named (our guess)",
            "of one face": FORMULAS[name][0],
            "in Keras": FORMULAS[name][1],
        }
        for name, loss in LOSSES.items()
    ]


def gradients(logits: Tensor, target: Tensor) -> dict[str, Tensor]:
    """Gradient of each loss for each face's logits, (N, C) per loss.

    Of label drawing it is the expectation over the draws, each emotion's gradient times its share: the mean is what
    training feels in the long run.

    Parameters
    ----------
    logits: (N, C) float64.
    target: (N, C) distributions.
    """
    found = {}
    for name, loss in LOSSES.items():
        scores = logits.detach().clone().requires_grad_()
        if loss.per_face is None:
            each = -scores.log_softmax(1)
            total = sum((target[:, k] * each[:, k]).sum() for k in range(target.shape[1]))
        else:
            total = loss.per_face(scores, target).sum()
        (found[name],) = torch.autograd.grad(total, scores)
    return found


def alike(seed: int = 0, faces: int = 500, classes: int = 8) -> list[dict[str, object]]:
    """Each pair of losses whose gradients point the same way on random faces, most alike first.

    Two losses whose gradients are the same up to one factor train the same network, but for the learning rate that the
    factor stands for; Adam hardly feels even that.

    Parameters
    ----------
    seed: of random logits (normal, deviation 2) and of labels of one to four emotions out of ten votes.
    faces: how many.
    classes: emotions.

    Returns
    -------
    Per pair: ``first``, ``second``; ``cosine``, the smallest cosine of the two gradients over the faces; ``factor``,
    the median of their lengths' ratio, second to first; ``spread``, the largest ratio over the smallest.
    """
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(faces, classes, generator=generator, dtype=torch.float64)
    target = random_labels(faces, classes, generator)
    found = gradients(logits, target)
    names, pairs = list(found), []
    for place, first in enumerate(names):
        for second in names[place + 1 :]:
            a, b = found[first], found[second]
            felt = (a.norm(dim=1) > 1e-9) & (b.norm(dim=1) > 1e-9)
            ratio = b[felt].norm(dim=1) / a[felt].norm(dim=1)
            pairs.append(
                {
                    "first": first,
                    "second": second,
                    "cosine": float(nn.functional.cosine_similarity(a[felt], b[felt]).min()),
                    "factor": float(ratio.median()),
                    "spread": float(ratio.max() / ratio.min()),
                }
            )
    return sorted(pairs, key=lambda pair: -pair["cosine"])


def random_labels(faces: int, classes: int, generator: torch.Generator) -> Tensor:
    """Shares of ten votes on one to four emotions, (faces, classes) float64."""
    target = torch.zeros(faces, classes, dtype=torch.float64)
    for row in target:
        emotions = torch.randperm(classes, generator=generator)[: int(torch.randint(1, 5, (), generator=generator))]
        votes = emotions[torch.randint(len(emotions), (10,), generator=generator)]
        row += torch.bincount(votes, minlength=classes).double() / 10
    return target


def parameters(name: str) -> int:
    """Parameters of a network with 8 outputs, for grey faces where the book's model takes them, else for colour."""
    with torch.device("meta"):
        return models.parameter_count(models.build(name))


def convolutions(name: str) -> dict[str, int]:
    """A network's convolutions as figures 3 and 5 write them: ``3x3, 64`` and how many, in the order of the layers.

    The 1 x 1 convolutions in shortcuts of a ResNet are left out, as in the figures.
    """
    with torch.device("meta"):
        network = models.build(name)
    found: dict[str, int] = {}
    for place, layer in network.named_modules():
        if isinstance(layer, nn.Conv2d) and "downsample" not in place:
            kind = f"{layer.kernel_size[0]}x{layer.kernel_size[1]}, {layer.out_channels}"
            found[kind] = found.get(kind, 0) + 1
    return found


def residual_block() -> list[figures.Step]:
    """The first block of the ResNet-18 as built, layer by layer, as figure 4 draws one."""
    with torch.device("meta"):
        block = models.build("resnet18").layer1[0]

    def told(layer: nn.Conv2d | nn.BatchNorm2d) -> str:
        weights = f"{models.parameter_count(layer):,} weights"
        if isinstance(layer, nn.BatchNorm2d):
            return weights
        side = " x ".join(map(str, layer.kernel_size))
        return f"{side}, {layer.in_channels} maps to {layer.out_channels}; {weights}"

    return [
        figures.Step("What comes in", f"{block.conv1.in_channels} maps"),
        figures.Step("Convolution", told(block.conv1), True),
        figures.Step("Batch normalisation, ReLU", told(block.bn1), True),
        figures.Step("Convolution", told(block.conv2), True),
        figures.Step("Batch normalisation", told(block.bn2), True),
        figures.Step(
            "Sum with what came in, ReLU", f"{block.conv2.out_channels} maps; the line past the layers has no weights"
        ),
    ]


def measure() -> dict[str, object]:
    """Parameters and multiply-adds of all ``NETWORKS``; at 224 pixels also of those of figure 5."""
    sides = {name: DAN_SIDE if name == "dan" else SIDE for name in NETWORKS}
    return {
        "parameters": {name: parameters(name) for name in NETWORKS},
        "side": sides,
        "multiply_adds": {name: models.multiply_adds(name, side) for name, side in sides.items()},
        "multiply_adds_224": {name: models.multiply_adds(name, 224) for name in FIGURE_5},
    }


def record() -> Path:
    """Write what :func:`measure` finds, so that claims can be judged without building a network; returns where."""
    path = records.path_of(RECORD)
    provenance = {
        "data": "none; the networks alone",
        "library": dependencies.running(Path(__file__)),
        "torch": torch.__version__,
    }
    records.write_json(path, {"provenance": provenance, "values": measure()})
    return path


def sizes(counted: Mapping[str, Mapping[str, int]]) -> Figure:
    """Parameters against multiply-adds of the networks in :func:`measure`'s answer, both logarithmic."""
    figure, axis = plt.subplots(figsize=(figures.WIDTH, 4.2))
    shown = ("vgg16", "vgg16_48", "resnet18", "resnet50", "densenet169", "mobilenet", "ran", "dan", "mten", "compact")
    for name in shown:
        place = (counted["parameters"][name] / 1e6, counted["multiply_adds"][name] / 1e6)
        axis.plot(*place, "o", color=figures.SOURCE_COLOURS["recorded"])
        # Points stand apart vertically, so that a label beside its point never meets another.
        axis.annotate(name, place, xytext=(6, 0), textcoords="offset points", va="center", fontsize=10)
    axis.set(xscale="log", yscale="log", xlabel="parameters (million)", ylabel="multiply-adds a face (million)")
    axis.set_xlim(right=1000)
    return figure
