"""What relevance of VGG16 at 224 pixels costs: in batches, and by zennit's plain loop over single images."""

import os
from pathlib import Path
from statistics import median

from ferbook import datasets
from ferbook.core import machine, records

#: What the project asks of itself, on two cores.
LIMITS: dict[str, tuple[str, float]] = {"lrp_factor": ("at least", 1.5), "lrp_peak_mib": ("at most", 6 * 1024)}

#: Name of the record.
RECORD = "runtime/relevance"

# In a process of its own, so that the peak memory is that of one batch alone; the two take turns, so that whatever else
# the machine does meets both.
_PROBE = """
import json, sys, time
import torch
from zennit.attribution import Gradient
from zennit.composites import EpsilonPlus
from ferbook import models
from ferbook.core.memory import peak_mib
from ferbook.relevance.lrp import relevance

size, batch, single, rounds = map(int, sys.argv[1:])
network = models.build("vgg16_frozen", num_classes=7, seed=0).eval()
images = torch.rand(batch, 3, size, size, generator=torch.Generator().manual_seed(0))
targets = torch.arange(batch) % 7
classes = torch.eye(7)
relevance(network, images[:1], targets[:1], "z_plus")
batched, plain, peak = [], [], None

def one_by_one(pictures):
    with Gradient(model=network, composite=EpsilonPlus(zero_params="bias")) as attributor:
        return [
            attributor(image[None], lambda output: output * classes[target][None])[1]
            for image, target in zip(pictures, targets)
        ]

for _ in range(rounds):
    start = time.perf_counter()
    relevance(network, images, targets, "z_plus", batch=batch)
    batched.append((time.perf_counter() - start) / batch)
    peak = peak or peak_mib()
    start = time.perf_counter()
    one_by_one(images[:single])
    plain.append((time.perf_counter() - start) / single)
# In double precision: in single, the epsilon rule of the dense layers makes much of what rounding leaves.
network, images, classes = network.double(), images[:1].double(), classes.double()
(alone,), together = one_by_one(images), relevance(network, images, targets[:1], "z_plus")
difference = (alone - together).abs().max() / together.abs().max()
print(json.dumps({"batched": batched, "plain": plain, "peak": peak, "difference": float(difference)}))
"""


def lrp(size: int = 224, batch: int = 8, single: int = 3, rounds: int = 3) -> dict[str, object]:
    """Images per second and the factor between them; peak memory of a batch; how far the two results differ.

    Parameters
    ----------
    size: side of the images in pixels.
    batch: images in the batch.
    single: how many of them the plain loop explains.
    rounds: how often the two take turns; figures are medians over them.
    """
    found = machine.probed(["-c", _PROBE, *map(str, (size, batch, single, rounds))], "the probe of relevance")
    factors = [slow / fast for slow, fast in zip(found["plain"], found["batched"], strict=True)]
    return {
        "lrp_size": size,
        "lrp_batch": batch,
        "lrp_images_per_s": round(1 / median(found["batched"]), 3),
        "lrp_images_per_s_plain": round(1 / median(found["plain"]), 3),
        "lrp_factor": round(median(factors), 2),
        "lrp_factors": [round(factor, 2) for factor in factors],
        "lrp_peak_mib": round(found["peak"]),
        "lrp_difference": float(f"{found['difference']:.1e}"),
    }


def record() -> Path:
    """Measure and write it to ``data/recorded``, with the machine and how busy it was; returns where."""
    load = os.getloadavg()[0]
    values = {"load": round(load, 2), **lrp(), "machine": machine.description()}
    # Random pixels and random weights: the record names the data set whose faces they stand in for.
    return records.write(RECORD, values, faces=datasets.load("synthetic", count=10), module=__file__)
