"""Convolutions that torch computes slowly on processors where images are small, as at the end of EfficientNets.

**Depthwise, images smaller than the kernel.** A face of 48 pixels has 2 x 2 places left where a kernel has 5 x 5. Few
products of a pixel and an entry of the kernel exist then, since most of the kernel meets nothing but padding. For the
gradient of the weights, torch's own routine does far more than these: a fifth of a training step of MTEN (measured with
AVX-512). Here they are written out.

**1 x 1.** Where the channels of a pixel lie side by side in memory, such a convolution is one product of matrices, and
so are its gradients. Taken as that it is faster the fewer the places are. ``ferbook bench gradients`` measures both on
a training step of MTEN.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional


class DepthwiseConv2d(nn.Conv2d):
    """A convolution of each channel with one kernel: (N, C, H, W) -> (N, C, H', W').

    What ``torch.nn.Conv2d`` gives, and its gradient, whose terms are added in another order. On images smaller than the
    kernel there are first derivatives only.

    Parameters
    ----------
    like: the convolution whose weight and settings it takes.

    Raises
    ------
    ValueError: if that is no depthwise convolution, or has a bias, a dilation or another padding than zeros.
    """

    def __init__(self, like: nn.Conv2d):
        if not _is_depthwise(like):
            raise ValueError(f"{like} is no depthwise convolution without bias")
        super().__init__(
            like.in_channels, like.out_channels, like.kernel_size, like.stride, like.padding, groups=like.groups,
            bias=False, device="meta",
        )  # fmt: skip
        self.weight = like.weight

    def forward(self, x: Tensor) -> Tensor:
        """The convolved images."""
        small = x.ndim == 4 and x.shape[2] < self.kernel_size[0] and x.shape[3] < self.kernel_size[1]
        learns = torch.is_grad_enabled() and self.weight.requires_grad
        # Folding batch norm into a convolution gives it a bias.
        if small and learns and _in_single_precision(x, self.weight) and self.bias is None:
            return _Convolved.apply(x, self.weight, self.stride, self.padding)
        return super().forward(x)


class PointwiseConv2d(nn.Conv2d):
    """A convolution of single pixels: (N, C, H, W) -> (N, C', H, W).

    What ``torch.nn.Conv2d`` gives, and its gradient; sums are added in another order. Not for ``torch.func.vmap``.

    Parameters
    ----------
    like: the convolution whose weight, bias and settings it takes.

    Raises
    ------
    ValueError: if that has another kernel than 1 x 1, or a stride, padding or groups.
    """

    def __init__(self, like: nn.Conv2d):
        if not _is_pointwise(like):
            raise ValueError(f"{like} is no convolution of single pixels")
        super().__init__(like.in_channels, like.out_channels, 1, bias=False, device="meta")
        self.weight, self.bias = like.weight, like.bias

    def forward(self, x: Tensor) -> Tensor:
        """The convolved images."""
        side_by_side = x.ndim == 4 and x.is_contiguous(memory_format=torch.channels_last)
        if not (side_by_side and _in_single_precision(x, self.weight)):
            return super().forward(x)
        # In this order the gradient lies in memory as the weight does, and the optimiser need not copy it.
        weight = self.weight.permute(0, 2, 3, 1).flatten(1)
        return functional.linear(x.permute(0, 2, 3, 1), weight, self.bias).permute(0, 3, 1, 2)


def quickened(model: nn.Module) -> nn.Module:
    """A network, changed in place, whose depthwise and 1 x 1 convolutions are quick on few places; names stay."""
    for name, layer in list(model.named_modules()):
        if type(layer) is nn.Conv2d and _is_depthwise(layer):
            model.set_submodule(name, DepthwiseConv2d(layer))
        elif type(layer) is nn.Conv2d and _is_pointwise(layer):
            model.set_submodule(name, PointwiseConv2d(layer))
    return model


def _in_single_precision(x: Tensor, weight: Tensor) -> bool:
    """Whether a processor is to compute in 32 bits; other devices and precisions are left to torch."""
    single = x.dtype == weight.dtype == torch.float32 and not torch.is_autocast_enabled("cpu")
    return single and x.device.type == "cpu"


def _is_pointwise(layer: nn.Conv2d) -> bool:
    return layer.kernel_size == (1, 1) == layer.stride and layer.padding == (0, 0) and layer.groups == 1


def _is_depthwise(layer: nn.Conv2d) -> bool:
    plain = layer.bias is None and layer.dilation == (1, 1) and layer.padding_mode == "zeros"
    return plain and layer.groups == layer.in_channels == layer.out_channels and isinstance(layer.padding, tuple)


class _Convolved(torch.autograd.Function):
    """torch's convolution and gradient of the images; the gradient of the weights, which learn, written out."""

    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor, stride: tuple[int, int], padding: tuple[int, int]) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.stride, ctx.padding = stride, padding
        return functional.conv2d(x, weight, None, stride, padding, groups=len(weight))

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        x, weight = ctx.saved_tensors
        of_images = None
        if ctx.needs_input_grad[0]:
            of_images = torch.nn.grad.conv2d_input(
                x.shape, weight, gradient, ctx.stride, ctx.padding, groups=len(weight)
            )
        return of_images, _gradient_of_weights(x, gradient, weight, ctx.stride, ctx.padding), None, None


def _gradient_of_weights(
    x: Tensor, gradient: Tensor, weight: Tensor, stride: tuple[int, int], padding: tuple[int, int]
) -> Tensor:
    """(C, 1, K, L), one sum for each entry of the kernel: of the pixels that it met in x (N, C, H, W), each times the
    gradient (N, C, H', W') at the place of the output to which it went.
    """
    rows, columns = (
        list(_met(kernel, step, pad, before, after))
        for kernel, step, pad, before, after in zip(
            weight.shape[2:], stride, padding, x.shape[2:], gradient.shape[2:], strict=True
        )
    )
    x, gradient = x.movedim(1, 3), gradient.movedim(1, 3)
    found = torch.zeros_like(weight)
    for i, from_rows, to_rows in rows:
        for j, from_columns, to_columns in columns:
            met = x[:, from_rows, from_columns] * gradient[:, to_rows, to_columns]
            found[:, 0, i, j] = met.sum((0, 1, 2))
    return found


def _met(kernel: int, step: int, padding: int, before: int, after: int) -> Iterator[tuple[int, slice, slice]]:
    """Along one side: each entry of the kernel that meets a pixel, which ones, and for which places of the output."""
    for entry in range(kernel):
        offset = entry - padding
        first = max(0, -(offset // step))
        last = min(after - 1, (before - 1 - offset) // step)
        if first <= last:
            start = first * step + offset
            yield entry, slice(start, last * step + offset + 1, step), slice(first, last + 1)
