"""Adam and AdamW for weights whose channels are last in memory.

The networks are trained with channels last, and so are their kernels' weights, gradients and moments. torch's fused
step (2.14) copies such gradients first, and takes weights and gradients in the order of their memory, whatever their
shapes say: a gradient that lies otherwise than its weight would be given to other weights, without a word. Here the
step is handed views in the order of memory, which have no gaps, and what lies otherwise is brought in line.

SGD stays torch's own: it keeps its momentum by the tensor that it was handed, which a view would not be. Autograd gives
gradients their weights' order, so that nothing is paired wrongly there either.
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
            moments = [kept for kept in states if len(kept) == len(parameters) and kept[place].shape == parameter.shape]
            gradients[place] = _like(parameter, gradients[place])
            for kept in moments:
                kept[place].data = _like(parameter, kept[place])
            order = sorted(range(parameter.ndim), key=lambda axis: -parameter.stride(axis))
            if order != sorted(order) and parameter.permute(order).is_contiguous():
                for tensors in (parameters, gradients, *moments):
                    tensors[place] = tensors[place].permute(order)
        return is_complex


def _like(parameter: Tensor, other: Tensor) -> Tensor:
    """`other` in the memory order of a parameter."""
    return other if other.stride() == parameter.stride() else torch.empty_like(parameter).copy_(other)


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
