"""Paper 000's figure 1, the chain from data to interpretation, drawn from the network that this book builds."""

import torch

from ferbook import models
from ferbook.measures.figures import Step
from ferbook.models.layers import outputs
from ferbook.papers.cbam import tables


def chain(side: int = 224) -> list[Step]:
    """The steps of the paper's figure 1, with the sizes of ResNet-50 with a CBAM after its last stage (section 2.4.2).

    Sizes and numbers of weights are read off the built network as one picture passes through it.

    Parameters
    ----------
    side: of the picture, in pixels.
    """
    labels = len(tables.LABELS)
    model = models.build("resnet50_cbam", labels, placement="last", seed=0)
    attention, parts = model.layer4.cbam, list(model.modules())[1:]
    # Of one picture, (C, H, W) or (C,).
    sizes = {part: tuple(one.shape[1:]) for part, one in outputs(model, torch.zeros(1, 3, side, side), parts).items()}
    channels, height, width = sizes[attention]
    factors, weights = sizes[attention.channel][0], models.parameter_count
    gates, last = [weights(gate) for gate in (attention.channel, attention.spatial)], weights(model.fc)
    trunk = weights(model) - weights(attention) - last
    return [
        Step("Data", "AffectNet in the paper; FER+ and synthetic faces here"),
        Step("Preprocessing", f"MTCNN finds the face; {side} x {side} pixels; augmentation; {labels} zeros and ones"),
        Step("Features: ResNet-50", f"{channels:,} maps of {height} x {width}; {trunk:,} weights", True),
        Step("Channel attention", f"{factors:,} factors, one per map; {gates[0]:,} weights", True),
        Step("Spatial attention", f"{height} x {width} factors, one per place; {gates[1]:,} weights", True),
        Step("Classification", f"mean over places; {channels:,} to {labels}; sigmoids; {last:,} weights", True),
        Step("Evaluation", "F1, Hamming loss; section 3 adds mAP, ROC, confusion matrices"),
        Step("Analysis", "which emotions are hard, and why"),
    ]
