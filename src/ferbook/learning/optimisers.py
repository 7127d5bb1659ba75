"""Adam and AdamW for weights whose channels are last in memory.

The networks are trained with channels last, and so are their kernels' weights, gradients and moments. torch's fused
step (2.14) copies such gradients first, and takes weights and gradients in the order of their memory, whatever their
shapes say: a gradient that lies otherwise than its weight would be given to other weights, without a word. Here the
step is handed views in the order of memory, which have no gaps, and a gradient that lies otherwise is brought in line.
"""

from __future__ import annotations

import torch
from torch import Tensor


class _AsItLies(torch.optim.Adam):
    """The step on views without gaps. States, their names and what a checkpoint holds are torch's own."""

    def _init_group(
        self, group: dict, parameters: list[Tensor], gradients: list[Tensor], *states: list[Tensor]
    ) -> bool:
        is_complex = super()._init_group(group, parameters, gradients, *states)
        for place, parameter in enumerate(parameters):
            if parameter.ndim != 4:
                continue
            last = not parameter.is_contiguous() and parameter.is_contiguous(memory_format=torch.channels_last)
            order = torch.channels_last if last else torch.contiguous_format
            gradients[place] = gradients[place].contiguous(memory_format=order)
            if last:
                for tensors in (parameters, gradients, *(kept for kept in states if len(kept) == len(parameters))):
                    if tensors[place].ndim == 4:
                        tensors[place] = tensors[place].permute(0, 2, 3, 1)
        return is_complex


class Adam(_AsItLies):
    """torch's Adam, fused.

    Parameters
    ----------
    parameters: to train, of any memory format.
    lr, weight_decay: as in torch.
    """

    def __init__(self, parameters: list[Tensor], lr: float, weight_decay: float = 0.0):
        super().__init__(parameters, lr, weight_decay=weight_decay, fused=True)


class AdamW(_AsItLies, torch.optim.AdamW):
    """torch's AdamW, fused; parameters as of :class:`Adam`."""

    def __init__(self, parameters: list[Tensor], lr: float, weight_decay: float = 0.0):
        super().__init__(parameters, lr, weight_decay=weight_decay, fused=True)
