"""Tensors of fixed numbers, on the device that wants them."""

from functools import lru_cache

import torch
from torch import Tensor


def constant(values: tuple[float, ...], like: Tensor) -> Tensor:
    """The numbers as a tensor of the type, and on the device, of another; not to be changed in place.

    Making one copies it from the processor, for which a GPU stops what it does. So there it is made once.
    """
    return _kept(values, like.dtype, like.device) if _is_elsewhere(like.device) else like.new_tensor(values)


def _is_elsewhere(device: torch.device) -> bool:
    return device.type != "cpu"


@lru_cache(maxsize=256)
def _kept(values: tuple[float, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    # An inference tensor could not take part in training later.
    with torch.inference_mode(False):
        return torch.tensor(values, dtype=dtype, device=device)
