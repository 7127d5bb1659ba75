"""How far two ways to the same numbers may lie apart where kernels, batches and processors add in their own order."""

import torch
from torch import Tensor


def close(found: Tensor, expected: Tensor, *, terms: int, layers: int) -> None:
    """Assert that single-precision results differ by rounding alone, as a share of the largest.

    The precision (6e-8), times the root of the `terms` of a sum, whose errors go up as often as down, times the
    `layers` that the numbers pass, whose errors may all go one way.
    """
    share = torch.finfo(torch.float32).eps / 2 * terms**0.5 * layers
    torch.testing.assert_close(found, expected, rtol=0, atol=share * float(expected.detach().abs().max()))
