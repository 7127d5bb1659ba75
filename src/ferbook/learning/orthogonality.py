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

import math
from collections.abc import Iterable
from functools import lru_cache

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
    if stride == 1 and all(pad >= size - 1 for pad, size in zip(padding, kernel.shape[2:], strict=True)):
        return _EveryDisplacement.apply(_full(kernel))
    return by_displacements(kernel, stride, padding)


def by_displacements(kernel: Tensor, stride: int, padding: tuple[int, int]) -> Tensor:
    """:func:`convolutional_form` one displacement after another, which takes any stride and padding.

    Matrix products of what overlaps, instead of a convolution with its zeros. Filter i moved against j is j moved the
    other way against i, so that half of the displacements count twice.
    """
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


class _EveryDisplacement(torch.autograd.Function):
    """The convolutional form at stride 1 with every overlap, by way of frequencies: first derivatives only.

    Inner products at all displacements are a correlation, and by Parseval's theorem the sum of their squares is the
    mean over frequencies of those of G = F F^H, F (out, in) being the kernel's transform at a frequency; the identity
    at displacement zero is an identity at each. The gradient with respect to F is 4 (G - I) F. As G is Hermitian, that
    is 1.6 times as fast for 512 filters as products at each displacement, whose gradients take two products for each.
    """

    @staticmethod
    def forward(ctx, kernel: Tensor) -> Tensor:
        outputs, inputs, height, width = kernel.shape
        cosines, sines, share = _frequencies(height, width, kernel.dtype, kernel.device)
        with torch.autocast(kernel.device.type, enabled=False):
            places = kernel.permute(2, 3, 0, 1).reshape(height * width, -1)
            real = (cosines @ places).view(-1, outputs, inputs)
            imaginary = (sines @ places).view(-1, outputs, inputs)
            # G = (A + iB)(A + iB)^H: its real part is symmetric, its imaginary part a difference of transposes.
            parts = torch.cat([real, imaginary], 2)
            even = parts @ parts.mT - torch.eye(outputs, dtype=kernel.dtype, device=kernel.device)
            odd = imaginary @ real.mT
            odd = odd - odd.mT
        ctx.save_for_backward(real, imaginary, even, odd, cosines, sines, share)
        ctx.kernel = kernel.shape
        return (share * (even.square().sum((1, 2)) + odd.square().sum((1, 2)))).sum()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, gradient: Tensor) -> Tensor:
        real, imaginary, even, odd, cosines, sines, share = ctx.saved_tensors
        outputs, inputs, height, width = ctx.kernel
        with torch.autocast(gradient.device.type, enabled=False):
            # (even + i odd)(A + iB) by three products instead of four.
            both, first, second = even @ (real + imaginary), (odd - even) @ real, (even + odd) @ imaginary
            of_real, of_imaginary = ((share[:, None, None] * part).flatten(1) for part in (both - second, both + first))
            found = cosines.T @ of_real + sines.T @ of_imaginary
        return 4 * gradient * found.view(height, width, outputs, inputs).permute(2, 3, 0, 1)


@lru_cache(maxsize=64)
def _frequencies(height: int, width: int, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Cosines and sines (frequencies, height * width) of the transform of a kernel to its correlation's size, and how
    much each frequency counts: of two that are each other's conjugates there is one, which counts twice.
    """
    tall, wide = 2 * height - 1, 2 * width - 1
    chosen = [(a, b) for a in range(tall) for b in range(wide) if (a, b) <= (-a % tall, -b % wide)]
    # Kept between calls, so they must be no inference tensors.
    with torch.inference_mode(False):
        down, across = torch.tensor(chosen, dtype=torch.float64).T[:, :, None, None]
        rows, columns = torch.arange(height)[:, None], torch.arange(width)[None]
        phase = (2 * math.pi * (down * rows / tall + across * columns / wide)).flatten(1)
        share = torch.tensor([1.0] + [2.0] * (len(chosen) - 1)) / (tall * wide)
        return tuple(part.to(device, dtype) for part in (phase.cos(), phase.sin(), share))


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
