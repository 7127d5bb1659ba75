"""What relevance of VGG16 at 224 pixels costs: in batches, and by zennit's plain loop over single images."""

from __future__ import annotations

import json
import subprocess
import sys

#: What the project asks of itself, on two cores.
LIMITS: dict[str, tuple[str, float]] = {"lrp_factor": ("at least", 1.5), "lrp_peak_mib": ("at most", 6 * 1024)}

# In a process of its own, so that the peak memory is that of one batch alone.
_PROBE = """
import json, sys, time
import torch
from zennit.attribution import Gradient
from zennit.composites import EpsilonPlus
from ferbook import models
from ferbook.memory import peak_mib
from ferbook.relevance.lrp import relevance

size, batch, single = map(int, sys.argv[1:])
network = models.build("vgg16_frozen", num_classes=7, seed=0).eval()
images = torch.rand(batch, 3, size, size, generator=torch.Generator().manual_seed(0))
targets = torch.arange(batch) % 7
relevance(network, images[:1], targets[:1], "z_plus")
start = time.perf_counter()
together = relevance(network, images, targets, "z_plus", batch=batch)
batched = (time.perf_counter() - start) / batch
peak = peak_mib()
alone = []
start = time.perf_counter()
for image, target in zip(images[:single], targets):
    with Gradient(model=network, composite=EpsilonPlus(zero_params="bias")) as attributor:
        logits, found = attributor(image[None], lambda output: output * torch.eye(7)[target][None])
    alone.append(found)
plain = (time.perf_counter() - start) / single
difference = (torch.cat(alone) - together[:single]).abs().max() / together.abs().max()
print(json.dumps({"batched": batched, "plain": plain, "peak": peak, "difference": float(difference)}))
"""


def lrp(size: int = 224, batch: int = 8, single: int = 3) -> dict[str, object]:
    """Images per second and the factor between them; peak memory of a batch; how far the two results differ.

    Parameters
    ----------
    size: side of the images in pixels.
    batch: images in the batch.
    single: how many of them the plain loop explains.
    """
    command = [sys.executable, "-c", _PROBE, str(size), str(batch), str(single)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return {
        "lrp_batch": batch,
        "lrp_images_per_s": round(1 / found["batched"], 3),
        "lrp_images_per_s_plain": round(1 / found["plain"], 3),
        "lrp_factor": round(found["plain"] / found["batched"], 2),
        "lrp_peak_mib": round(found["peak"]),
        "lrp_difference": float(f"{found['difference']:.1e}"),
    }
