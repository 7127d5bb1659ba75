"""What relevance of VGG16 at 224 pixels costs: in batches, and by zennit's plain loop over single images."""

import os
from pathlib import Path

from ferbook import datasets
from ferbook.core import machine, records
from ferbook.measures import turns

#: What the project asks of itself, on two cores.
LIMITS: dict[str, tuple[str, float]] = {"lrp_factor": ("at least", 1.5), "lrp_peak_mib": ("at most", 6 * 1024)}

#: Name of the record.
RECORD = "runtime/relevance"

# In a process of its own, so that the peak memory is that of one batch alone; the two take turns, so that whatever else
# the machine does meets both.
_PROBE = """
import json, sys
import torch
from zennit.attribution import Gradient
from zennit.composites import EpsilonPlus
from ferbook import models
from ferbook.core.memory import peak_mib
from ferbook.measures import turns
from ferbook.relevance.lrp import relevance

size, batch, single, least, most = map(int, sys.argv[1:])
network = models.build("vgg16_frozen", num_classes=7, seed=0).eval()
images = torch.rand(batch, 3, size, size, generator=torch.Generator().manual_seed(0))
targets = torch.arange(batch) % 7
classes = torch.eye(7)
def one_by_one(pictures):
    with Gradient(model=network, composite=EpsilonPlus(zero_params="bias")) as attributor:
        return [
            attributor(image[None], lambda output: output * classes[target][None])[1]
            for image, target in zip(pictures, targets)
        ]

def together(pictures):
    return relevance(network, pictures, targets[: len(pictures)], "z_plus", batch=batch)

together(images)
peak = peak_mib()
one_by_one(images[:1])
timed = turns.factor(lambda: one_by_one(images[:single]), lambda: together(images), least=least, most=most)
# In double precision: in single, the epsilon rule of the dense layers makes much of what rounding leaves.
network, images, classes = network.double(), images[:1].double(), classes.double()
(alone,), whole = one_by_one(images), together(images)
difference = (alone - whole).abs().max() / whole.abs().max()
print(json.dumps({"batched": timed.fast_s, "plain": timed.slow_s, "peak": peak, "difference": float(difference)}))
"""


def lrp(size: int = 224, batch: int = 8, single: int = 3, least: int = 4, most: int = 12) -> dict[str, object]:
    """Images per second and the factor between them; peak memory of a batch; how far the two results differ.

    Parameters
    ----------
    size: side of the images in pixels.
    batch: images in the batch.
    single: how many of them the plain loop explains.
    least, most: how often the two take turns (:func:`ferbook.measures.turns.factor`).
    """
    found = machine.probed(["-c", _PROBE, *map(str, (size, batch, single, least, most))], "the probe of relevance")
    # Seconds of one image, as the two ways are timed on different numbers of them.
    plain, batched = ([one / count for one in found[way]] for way, count in (("plain", single), ("batched", batch)))
    factor = turns.of_turns(plain, batched)
    return {
        "lrp_size": size,
        "lrp_batch": batch,
        "lrp_images_per_s": round(len(batched) / sum(batched), 3),
        "lrp_images_per_s_plain": round(len(plain) / sum(plain), 3),
        **turns.figures(factor, "lrp_"),
        "lrp_peak_mib": round(found["peak"]),
        "lrp_difference": float(f"{found['difference']:.1e}"),
    }


def record() -> Path:
    """Measure and write it to ``data/recorded``, with the machine and how busy it was; returns where."""
    load = os.getloadavg()[0]
    values = {"load": round(load, 2), **lrp(), "machine": machine.description()}
    # Random pixels and random weights: the record names the data set whose faces they stand in for.
    return records.write(RECORD, values, faces=datasets.load("synthetic", count=10), module=__file__)
