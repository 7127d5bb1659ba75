"""What it costs to learn all axes in one model, beside a model of each axis: paper 003, section V.

Paper 003 trains V, A and D each with the category, and then all of them at once, in batches of 16 (section IV.A); its
published code crops faces to 44 pixels. The paper speaks of one network for several tasks; the code has a network for
each task. Both are counted, and a training step of either is timed in turns: ``ferbook record one-model`` writes
``data/recorded/003/one-model.json``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import nn

from ferbook import models
from ferbook.core import machine, records
from ferbook.datasets import load
from ferbook.faces.emotions import EMOTIONS, FER2013_CODES, VAD_AXES
from ferbook.faces.faceset import FaceSet
from ferbook.measures import turns

RECORD = "003/one-model"
#: The two readings, by the names of their networks.
READINGS = ("vad_shared", "vad_separate")
BATCH, SIDE = 16, 44


def counted(network: str) -> dict[str, int]:
    """Multiply-adds of a face's way through one model of all axes, ``together``, and through one of each, ``apart``."""
    return {
        "together": _multiply_adds(network, VAD_AXES),
        "apart": sum(_multiply_adds(network, [axis]) for axis in VAD_AXES),
    }


def _multiply_adds(network: str, axes: Sequence[str]) -> int:
    return models.multiply_adds(network, SIDE, num_classes=len(FER2013_CODES), axes=list(axes))


def step(network: str, axes: Sequence[str], faces: FaceSet) -> Callable[[], float]:
    """A training step on a batch by AdamW. It gives the loss: the category's cross-entropy, the axes' squared error.

    Parameters
    ----------
    network: one of ``READINGS``.
    axes: that the model learns.
    faces: the batch, with V, A and D.
    """
    model = models.build(network, len(FER2013_CODES), seed=0, axes=list(axes)).to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
    pictures = torch.tensor(faces.images[:, None, :SIDE, :SIDE]).float().div(255).repeat(1, 3, 1, 1)
    pictures = pictures.contiguous(memory_format=torch.channels_last)
    seven = [EMOTIONS.index(name) for name in FER2013_CODES]
    categories = torch.from_numpy(faces.distribution[:, seven].argmax(axis=1))
    columns = [VAD_AXES.index(axis) for axis in axes]
    values = torch.tensor(faces.vad[:, columns]).float()

    def once() -> float:
        found = model(pictures)
        loss = nn.functional.cross_entropy(found.logits, categories) + nn.functional.mse_loss(found.vad, values)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        return loss.item()

    return once


def measured(network: str, faces: FaceSet, most: int = 12) -> dict[str, object]:
    """:func:`counted`, and the seconds of a step either way, the least of all turns, with the factor between them.

    Parameters
    ----------
    network, faces: as in :func:`step`.
    most: turns.
    """
    together = step(network, VAD_AXES, faces)
    apart = [step(network, [axis], faces) for axis in VAD_AXES]

    def one_by_one() -> None:
        for each in apart:
            each()

    together()
    one_by_one()
    found = turns.factor(one_by_one, together, most=most)
    seconds = {"together": min(found.fast_s), "apart": min(found.slow_s)}
    return {
        "multiply_adds": counted(network),
        "seconds": {name: round(value, 4) for name, value in seconds.items()},
        **turns.figures(found),
    }


def record() -> Path:
    """Count and time both readings and write what was found; says where."""
    faces = load("synthetic", count=BATCH, seed=0)
    values = {"readings": {network: measured(network, faces) for network in READINGS}, "machine": machine.description()}
    return records.write(RECORD, values, faces=faces, module=__file__, batch=BATCH, side=SIDE, seed=0)
