"""What the pages of paper 000 train and look at in a build: small networks on synthetic faces, and their gates."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn import functional

from ferbook import models
from ferbook.core import dependencies, paths
from ferbook.faces.faceset import FaceSet
from ferbook.learning import configs, runs, sweeps, task_base, training
from ferbook.learning.configs import Config
from ferbook.learning.runs import RunResult
from ferbook.measures import figures
from ferbook.models.cbam import SmallCbamResNet
from ferbook.vision import augment

#: A run that takes seconds: blends with known mixtures, a label present from a fifth of the mixture on.
RECIPE: dict[str, Any] = {
    "task": "multilabel",
    "data": {"name": "synthetic", "options": {"count": 1500}},
    "labels": {"source": "truth", "present": 0.2},
    "model": {"name": "resnet_cbam_48", "options": {"width": 8, "reduction": 4}},
    "loss": "binary_cross_entropy",
    "augmentation": [{"name": "flip"}],
    "optimiser": {"lr": 0.01, "weight_decay": 0.02},
    "schedule": {"name": "one_cycle"},
    "batch": 32,
    "epochs": 6,
}


def varied(
    variants: Mapping[str, Mapping[str, Any]], seeds: tuple[int, ...] = (0,), **common: Any
) -> dict[str, Config]:
    """Configs by variant and seed (``blocks-seed0``): parts of a config over ``RECIPE`` and what is common to all."""
    base = sweeps.merged(RECIPE, common)
    return {
        f"{name}-seed{seed}": configs.parse(sweeps.merged(sweeps.merged(base, part), {"seed": seed}))
        for seed in seeds
        for name, part in variants.items()
    }


def store() -> Path:
    """Where the chapter's pages keep their runs, some of which several show; with other code they are trained anew."""
    code = dependencies.running(Path(__file__))
    return paths.cache_root() / "runs" / f"cbam-{code}-torch-{torch.__version__}"


def trained(described: Mapping[str, Config], store: Path) -> dict[str, RunResult]:
    """The result of each run. One that another page trains at this moment is waited for."""
    return {name: training.train(config, store, wait=True) for name, config in described.items()}


def predictions(config: Config, store: Path) -> dict[str, np.ndarray]:
    """Test faces' ids, probabilities (N, 8) and labels (N, 8) of a finished run."""
    return runs.open_run(config, store).predictions()


def loss_by_terms(logits: Tensor, target: Tensor) -> float:
    """Binary cross-entropy as paper 000 prints it (section 2.4), term by term; slow, for comparison."""
    total = 0.0
    for face, labels in zip(logits.double().sigmoid().tolist(), target.tolist(), strict=True):
        terms = [np.log(p) if y else np.log(1 - p) for p, y in zip(face, labels, strict=True)]
        total -= sum(terms) / len(terms)
    return total / len(target)


# --- Where attention looks ---


def spatial_gates(model: SmallCbamResNet, images: np.ndarray) -> dict[str, np.ndarray]:
    """Spatial gates of every CBAM, stretched over the picture: (N, H, W) in (0, 1), by name.

    Parameters
    ----------
    images: uint8 (N, H, W).
    """
    batch = task_base.scaled(torch.from_numpy(np.array(images))[:, None])
    found = model.attention(batch)
    return {
        name: functional.interpolate(gates.spatial[:, None], batch.shape[2:], mode="bilinear")[:, 0].numpy()
        for name, gates in found.items()
    }


def on_parts(gates: np.ndarray, landmarks: np.ndarray, reach: float = 0.09) -> np.ndarray:
    """How much more a gate lets through at eyes and mouth than elsewhere on the picture, (N,), in per cent.

    Parameters
    ----------
    gates: (N, H, W).
    landmarks: (N, 5, 2) in pixels: eyes, nose tip, corners of the mouth. The mouth is the line between its corners.
    reach: how far from an eye or the mouth still counts, as a share of the picture's side.
    """
    height, width = gates.shape[1:]
    y, x = np.mgrid[:height, :width]
    eyes = landmarks[:, :2]
    mouth = landmarks[:, 3:4] + np.linspace(0, 1, 5)[None, :, None] * (landmarks[:, 4:5] - landmarks[:, 3:4])
    places = np.concatenate([eyes, mouth], axis=1)
    distance = np.hypot(x[None, None] - places[:, :, 0, None, None], y[None, None] - places[:, :, 1, None, None])
    on = distance.min(axis=1) <= reach * width
    inside = (gates * on).sum(axis=(1, 2)) / on.sum(axis=(1, 2))
    outside = (gates * ~on).sum(axis=(1, 2)) / (~on).sum(axis=(1, 2))
    return 100 * (inside / outside - 1)


def gate_figure(images: np.ndarray, gates: Mapping[str, np.ndarray], columns: int = 4) -> Figure:
    """Faces above, and below them what each spatial gate lets through, one row per CBAM, each on its own scale.

    Parameters
    ----------
    images: uint8 (N, H, W); the first `columns` are shown.
    gates: name to (N, H, W).
    """
    figure, axes = plt.subplots(
        len(gates) + 1, columns, figsize=(figures.WIDTH, figures.WIDTH / columns * (len(gates) + 1)), squeeze=False
    )
    for column in range(columns):
        axes[0, column].imshow(images[column], vmin=0, vmax=255)
        for row, (_, found) in enumerate(gates.items(), start=1):
            low, high = np.quantile(found, [0.01, 0.99])
            axes[row, column].imshow(images[column], vmin=0, vmax=255)
            axes[row, column].imshow(found[column], cmap="inferno", alpha=0.65, vmin=low, vmax=high)
    for axis in axes.flat:
        axis.set_xticks([])
        axis.set_yticks([])
        axis.grid(False)
        axis.spines[:].set_visible(False)
    for row, title in enumerate(["face", *gates]):
        axes[row, 0].set_ylabel(title, fontsize=12)
    return figure


# --- Sizes ---


def placement_rows(classes: int = 7) -> list[dict[str, str]]:
    """ResNet-50 with each reading of where CBAM sits: parameters, and what attention adds, for ``report.table``."""
    readings = {
        "in all 16 blocks": ("blocks", "CBAM's authors"),
        "after each of four stages": ("stages", "section 2.4.3"),
        "after the last stage": ("last", "section 2.4.2"),
        "nowhere": (None, "the comparison"),
    }
    with torch.device("meta"):
        counted = {
            name: models.parameter_count(models.build("resnet50_cbam", classes, placement=placement))
            for name, (placement, _) in readings.items()
        }
    plain = counted["nowhere"]
    return [
        {
            "attention": name,
            "reading of": readings[name][1],
            "parameters": f"{count:,}",
            "more than without": f"{count - plain:,} ({(count - plain) / plain:.1%})",
        }
        for name, count in counted.items()
    ]


def gate_by_hand(cbam: nn.Module, x: Tensor) -> Tensor:
    """CBAM's output written out with sums and maxima alone, (N, C, H, W); for comparison with the module."""
    first, second = cbam.channel.mlp[0], cbam.channel.mlp[2]

    def mlp(v: Tensor) -> Tensor:
        return (v @ first.weight.T + first.bias).clamp(min=0) @ second.weight.T + second.bias

    channel = 1 / (1 + torch.exp(-(mlp(x.sum((2, 3)) / x[0, 0].numel()) + mlp(x.flatten(2).max(2).values))))
    gated = x * channel[:, :, None, None]
    pair = torch.stack([gated.max(1).values, gated.sum(1) / gated.shape[1]], 1)
    norm = cbam.spatial.norm
    taps = functional.unfold(pair, 7, padding=3).transpose(1, 2) @ cbam.spatial.conv.weight.flatten()
    scaled = (taps - norm.running_mean) / torch.sqrt(norm.running_var + norm.eps) * norm.weight + norm.bias
    return gated / (1 + torch.exp(-scaled.view(len(x), 1, *x.shape[2:])))


# --- From photo to tensor ---


def augmented(images: np.ndarray, steps: Mapping[str, Mapping[str, Any]], seed: int = 0) -> np.ndarray:
    """Pictures and what each augmentation makes of them, (steps + 1) x N pictures row by row, the untouched ones first.

    Parameters
    ----------
    images: uint8 (N, H, W, 3).
    steps: name to a step of :func:`ferbook.vision.augment.build`.
    """
    batch = torch.from_numpy(np.array(images)).permute(0, 3, 1, 2)
    made = [batch]
    for step in steps.values():
        made.append(augment.build([step])(batch, torch.Generator().manual_seed(seed)))
    return torch.cat(made).permute(0, 2, 3, 1).numpy()


def label_share(faces: FaceSet, present: float) -> np.ndarray:
    """Share of synthetic faces in whose true mixture each emotion has `present` or more, (8,)."""
    return (np.asarray(faces.distribution) >= present).mean(axis=0)
