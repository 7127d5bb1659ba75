"""Orthogonality of convolutions as a loss: the filters of a layer should not repeat one another.

Paper 003 puts "orthogonal regularization on a few convolutions" (section IV.C) and paper 004 "orthogonalizes"
(section 2.2); neither prints a formula, a weight or a source. The authors' published code (YeeHoran/Multi-task-Emotion-
Recognition) uses the regularisers of Wang et al., *Orthogonal Convolutional Neural Networks* (CVPR 2020), with weight
0.5 in each of its four ResNet-18s: the matrix form on the three 1x1 shortcuts, the convolutional form on the first
convolution of every block.

Two differences between that code and the paper of Wang et al. are kept apart here. It takes the norm, not its square;
and it pads by 1 whatever the stride. A 3x3 kernel then is never compared with its shifts by two pixels (stride 1), or
not even with itself (stride 2): see :func:`as_published`. All functions compute in float32, outside autocast.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional

#: Weight of the regulariser in the authors' published code; the papers print none.
PUBLISHED_WEIGHT = 0.5


def matrix_form(weight: Tensor) -> Tensor:
    """Squared Frobenius norm of W W^T - I, where a row of W is one filter, flattened.

    For m rows of length n, it equals the squared norm of W^T W - I plus m - n, so the choice of side changes the value
    but never the gradient; with m > n the smallest value is m - n, not 0.

    Parameters
    ----------
    weight: (m, ...): a matrix, or a kernel (out, in, height, width).

    Returns
    -------
    Scalar.

    Raises
    ------
    ValueError: if there is no second axis.
    """
    return _matrix_residual(weight).square().sum()


def convolutional_form(kernel: Tensor, stride: int = 1, padding: tuple[int, int] | None = None) -> Tensor:
    """Squared Frobenius norm of conv(K, K) - I_r0 (Wang et al. 2020, section 3.2, row orthogonality).

    conv(K, K)[i, j] holds the inner products of filter i with filter j at every displacement in multiples of the
    stride at which they overlap; I_r0 is 1 for i = j at displacement zero, and 0 elsewhere. It vanishes exactly if the
    rows of the layer's block-Toeplitz matrix are orthonormal, which takes out <= in * stride^2.

    Parameters
    ----------
    kernel: (out, in, height, width).
    stride: of the layer.
    padding: (vertical, horizontal), multiples of the stride; None: floor((k - 1) / stride) * stride, which reaches
        every overlap. Less leaves the farthest displacements free.

    Returns
    -------
    Scalar.

    Raises
    ------
    ValueError: if the kernel has not four axes, the stride is not positive, or the padding is negative or no multiple
        of the stride (displacement zero would not be among those compared).
    """
    if kernel.ndim != 4:
        raise ValueError(f"a kernel has four axes (out, in, height, width), not {tuple(kernel.shape)}")
    if stride < 1:
        raise ValueError(f"a stride is at least 1, not {stride}")
    if padding is None:
        padding = tuple((size - 1) // stride * stride for size in kernel.shape[2:])
    if any(pad < 0 or pad % stride for pad in padding):
        raise ValueError(f"with stride {stride}, padding {padding} never compares a filter with itself in place")
    # Matrix products of what overlaps, instead of a convolution with its zeros. Filter i moved against j is j moved the
    # other way against i, so that half of the displacements count twice.
    total = _matrix_residual(kernel).square().sum()
    places = _full(kernel).permute(2, 3, 1, 0).contiguous()
    for down in range(0, padding[0] + 1, stride):
        for right in range(-padding[1], padding[1] + 1, stride):
            if (down, right) > (0, 0):
                total = total + 2 * _overlap(places, down, right).square().sum()
    return total


def as_published(kernel: Tensor, stride: int = 1) -> Tensor:
    """What the authors' published code adds for one kernel, reproduced on purpose.

    For 1x1 kernels the norm of the smaller Gram matrix minus I. For others the norm of conv(K, K, padding=1) - I, with
    I put at the middle of the result. At stride 1, a 3x3 kernel's displacements by two pixels are missing. At stride 2
    the displacements are -1 and +1 only, and I stands at (+1, +1): each filter is asked to have inner product 1 with
    *itself moved by a pixel along both axes*, and 0 with itself moved the other way, which is the same inner product.
    One half is the best compromise, so the loss never falls below sqrt(out / 2), and no filter is compared with itself
    in place.

    Parameters
    ----------
    kernel: (out, in, height, width), square.
    stride: of the layer; for 1x1 kernels it does not matter.

    Returns
    -------
    Scalar.

    Raises
    ------
    ValueError: if the kernel is not square.
    """
    if kernel.ndim != 4 or kernel.shape[2] != kernel.shape[3]:
        raise ValueError(f"the published code takes square kernels, not {tuple(kernel.shape)}")
    if kernel.shape[2] == 1:
        rows = kernel.flatten(1)
        return torch.linalg.vector_norm(_matrix_residual(rows if rows.shape[0] <= rows.shape[1] else rows.T))
    products = _products(kernel, stride, (1, 1))
    middle = products.shape[-1] // 2
    return torch.linalg.vector_norm(_residual(products, middle, middle))


def penalty(layers: Iterable[nn.Conv2d], published: bool = False) -> Tensor:
    """Sum of a regulariser over layers: matrix form for 1x1 kernels, convolutional form for others.

    Parameters
    ----------
    layers: ungrouped, undilated convolutions with one stride for both axes.
    published: use ``as_published`` throughout.

    Returns
    -------
    Scalar; multiply it by a weight (``PUBLISHED_WEIGHT``).

    Raises
    ------
    ValueError: if there is no layer, or one is grouped, dilated, or has two strides.
    """
    terms = []
    for layer in layers:
        if layer.groups != 1 or set(layer.dilation) != {1} or len(set(layer.stride)) != 1:
            raise ValueError(f"orthogonality is defined for plain convolutions, not for {layer}")
        if published:
            terms.append(as_published(layer.weight, layer.stride[0]))
        elif set(layer.kernel_size) == {1}:
            terms.append(matrix_form(layer.weight))
        else:
            terms.append(convolutional_form(layer.weight, layer.stride[0]))
    if not terms:
        raise ValueError("there is no layer to regularise")
    return torch.stack(terms).sum()


def _full(weight: Tensor) -> Tensor:
    return weight if weight.dtype == torch.float64 else weight.float()


def _matrix_residual(weight: Tensor) -> Tensor:
    if weight.ndim < 2:
        raise ValueError(f"a weight of shape {tuple(weight.shape)} is no matrix")
    with torch.autocast(weight.device.type, enabled=False):
        rows = _full(weight).flatten(1)
        return rows @ rows.T - torch.eye(len(rows), dtype=rows.dtype, device=rows.device)


def _overlap(places: Tensor, down: int, right: int) -> Tensor:
    """Inner products of filters with one another moved by `down` >= 0 and `right` pixels: (out, out).

    Parameters
    ----------
    places: the kernel as (height, width, in, out).
    down, right: in pixels.
    """
    height, width, _, filters = places.shape
    left, reach = max(0, -right), max(0, width - abs(right))
    moved = places[down:, left + right : left + right + reach].reshape(-1, filters)
    fixed = places[: max(0, height - down), left : left + reach].reshape(-1, filters)
    with torch.autocast(places.device.type, enabled=False):
        return moved.T @ fixed


def _products(kernel: Tensor, stride: int, padding: tuple[int, int]) -> Tensor:
    """Inner products of filter i, displaced, with filter j: (out, out, vertical, horizontal displacements)."""
    with torch.autocast(kernel.device.type, enabled=False):
        kernel = _full(kernel)
        return functional.conv2d(kernel, kernel, stride=stride, padding=padding)


def _residual(products: Tensor, row: int, column: int) -> Tensor:
    """The products less an identity at one displacement."""
    identity = torch.zeros_like(products)
    identity[:, :, row, column] = torch.eye(len(products), dtype=products.dtype, device=products.device)
    return products - identity
