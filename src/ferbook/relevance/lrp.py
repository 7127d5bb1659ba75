"""Relevance of every pixel by layer-wise relevance propagation (Bach et al. 2015), through zennit, in batches.

The relevance of the output is the explained logit. Each layer hands what it received to the layer below, by a rule; a
*composite* says which rule goes to which layer. Paper 001 (section III.F) names no rule; four common choices are here.

>>> import torch
>>> from ferbook import models
>>> from ferbook.relevance.lrp import relevance
>>> network = models.build("vgg16_48", num_classes=7, seed=0)
>>> relevance(network, torch.rand(2, 3, 48, 48), torch.tensor([3, 0]), "z_plus").shape
torch.Size([2, 3, 48, 48])
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from zennit.canonizers import SequentialMergeBatchNorm
from zennit.composites import LayerMapComposite, SpecialFirstLayerMapComposite, layer_map_base
from zennit.core import BasicHook, Composite, Hook
from zennit.rules import AlphaBeta, Epsilon, Gamma, ZBox, ZPlus
from zennit.types import Convolution

from ferbook import models
from ferbook.core.errors import ConfigError
from ferbook.models.layers import evaluating

#: The composites: rule of the convolutions; dense layers have the epsilon rule in all of them.
COMPOSITES: dict[str, str] = {
    "epsilon": "epsilon rule everywhere; for a ReLU network without biases this is gradient times input",
    "z_plus": "only positive contributions count in convolutions (alpha 1, beta 0)",
    "alpha2_beta1": "in convolutions positive contributions count twice, negative ones against them",
    "gamma_box": "gamma rule in convolutions; z-box in the first, which knows the range of pixels",
}
#: The same with another first layer. A unit there that its bias alone switches on, as over black pixels, has no
#: positive contribution to hand relevance to; z-box always has something, so that nothing is lost.
BOXED: dict[str, str] = {
    "z_plus_box": "as z_plus; z-box in the first layer (deep Taylor decomposition, Montavon et al. 2017)",
    "alpha2_beta1_box": "as alpha2_beta1; z-box in the first layer",
}
#: Keeps quotients finite.
EPSILON = 1e-6
#: Weight of the positive part in the gamma rule.
GAMMA = 0.25
#: Pixels of the pictures that go through a network together, where nobody says how many: larger tensors take the system
#: longer to hand out than the layers take to fill them.
PIXELS = 100_000

_Change = Callable[[Tensor], Tensor]


def composite(name: str, *, bias: bool = False, low: float = 0.0, high: float = 1.0, fast: bool = True) -> Composite:
    """A zennit composite by name.

    Parameters
    ----------
    name: one of ``COMPOSITES`` or ``BOXED``.
    bias: let biases take their share of relevance, which then is lost to the pixels.
    low, high: least and greatest value of a pixel, for z-box.
    fast: leave out computations that give zero because a layer's inputs are not negative, as after a ReLU. The result
        is the same, but for gamma where an output below zero receives relevance: with ReLUs none does, except the
        logits of a network that ends in a convolution.

    Raises
    ------
    ConfigError: if there is no such composite.
    """
    known = COMPOSITES | BOXED
    if name not in known:
        raise ConfigError("composite", f"{name!r} is unknown", f"Use one of {', '.join(known)}.")
    zero = None if bias else ["bias"]
    dense = (nn.Linear, Epsilon(EPSILON, zero_params=zero))
    base = layer_map_base(EPSILON)
    canonizers = [SequentialMergeBatchNorm()]
    rule, box, _ = name.partition("_box")
    match rule:
        case "epsilon":
            convolution: Hook = Epsilon(EPSILON, zero_params=zero)
        case "z_plus":
            convolution = _OfActivations([(_positive, 1.0)], bias, ZPlus(EPSILON, zero_params=zero))
        case "alpha2_beta1":
            parts = [(_positive, 2.0), (_negative, -1.0)]
            convolution = _OfActivations(parts, bias, AlphaBeta(2.0, 1.0, EPSILON, zero_params=zero))
        case _:
            convolution = _OfActivations([(_favoured, 1.0)], bias, Gamma(GAMMA, EPSILON, zero_params=zero))
    if not fast and isinstance(convolution, _OfActivations):
        convolution = convolution.full
    layers = [*base, (Convolution, convolution), dense]
    if box:
        first = [(Convolution, ZBox(low, high, EPSILON, zero_params=zero))]
        return SpecialFirstLayerMapComposite(layers, first, canonizers=canonizers)
    return LayerMapComposite(layers, canonizers=canonizers)


def relevance(
    model: nn.Module,
    images: Tensor,
    targets: Tensor,
    composite: str | Composite = "z_plus",
    *,
    bias: bool = False,
    batch: int | None = None,
    low: float = 0.0,
    high: float = 1.0,
) -> Tensor:
    """Relevance of every pixel for one class per image.

    Parameters
    ----------
    model: a network whose layers are modules (a VGG, say), batch normalisation right after its convolution. It is run
        in evaluation mode and left as it was.
    images: (N, C, H, W) floats, as the network takes them.
    targets: (N,) classes to explain.
    composite: one of ``COMPOSITES`` or ``BOXED``, or a composite of zennit's own.
    bias, low, high: as in :func:`composite`; they say nothing about a composite that is given.
    batch: images at a time; None: as many as have ``PIXELS`` pixels, one at least, which is fastest on a processor.

    Returns
    -------
    (N, C, H, W) float32 on the images' device. Without biases it sums to the target's logit, image by image, wherever
    every unit that receives relevance has contributions to hand it to (under alpha2_beta1, of both signs).

    Raises
    ------
    ConfigError: if the composite is unknown.
    ValueError: if the shapes do not fit.
    """
    rules = _composite(composite, bias, low, high)
    found = []
    with _evaluation(model), rules.context(model) as hooked:
        for chunk, wanted in _chunks(images, targets, batch):
            found.append(_attributed(hooked, chunk, wanted, start_with_logit=True))
    return torch.cat(found) if found else torch.zeros_like(images)


def _chunks(images: Tensor, targets: Tensor, batch: int | None) -> Iterator[tuple[Tensor, Tensor]]:
    targets = torch.as_tensor(targets, device=images.device)
    if images.ndim != 4 or targets.shape != images.shape[:1]:
        raise ValueError(f"images {tuple(images.shape)} need one target each, not {tuple(targets.shape)}")
    if not len(images):
        return
    size = batch or max(1, PIXELS // max(1, images.shape[2] * images.shape[3]))
    for chunk, wanted in zip(images.split(size), targets.split(size), strict=True):
        yield chunk.contiguous(memory_format=torch.channels_last), wanted


def gradient_times_input(model: nn.Module, images: Tensor, targets: Tensor, *, batch: int | None = None) -> Tensor:
    """Gradient of the target's logit by each pixel, times the pixel. Parameters as in :func:`relevance`."""
    found = []
    with _evaluation(model):
        for chunk, wanted in _chunks(images, targets, batch):
            found.append(chunk * _attributed(model, chunk, wanted, start_with_logit=False))
    return torch.cat(found) if found else torch.zeros_like(images)


@torch.inference_mode()
def scores(model: nn.Module, images: Tensor, *, batch: int = 64) -> Tensor:
    """Logits (N, classes) in evaluation mode."""
    with _evaluation(model):
        return torch.cat([models.logits(model(chunk)) for chunk in images.split(batch)])


def conserved(relevance: Tensor, logits: Tensor, targets: Tensor) -> Tensor:
    """Share of the explained logit that the pixels' relevance adds up to (paper 001, equations 1 and 2); 1: all of it.

    Parameters
    ----------
    relevance: (N, C, H, W).
    logits: (N, classes).
    targets: (N,) the explained classes.

    Returns
    -------
    (N,).
    """
    explained = logits[torch.arange(len(logits)), torch.as_tensor(targets)]
    return relevance.flatten(1).double().sum(1) / explained.double()


def _composite(composite_: str | Composite, bias: bool, low: float, high: float) -> Composite:
    return composite(composite_, bias=bias, low=low, high=high) if isinstance(composite_, str) else composite_


def _attributed(model: nn.Module, images: Tensor, targets: Tensor, *, start_with_logit: bool) -> Tensor:
    """What arrives at the pixels if the targets' logits, or 1, are sent back."""
    with torch.enable_grad():
        pixels = images.detach().clone().requires_grad_()
        logits = models.logits(model(pixels))
        chosen = torch.zeros_like(logits).scatter_(1, targets[:, None].long(), 1.0)
        (found,) = torch.autograd.grad(logits, pixels, chosen * logits.detach() if start_with_logit else chosen)
    return found.detach()


@contextmanager
def _evaluation(model: nn.Module) -> Iterator[None]:
    """Evaluation mode, and no gradients for the weights, which nobody asks for here."""
    wanted = [parameter for parameter in model.parameters() if parameter.requires_grad]
    for parameter in wanted:
        parameter.requires_grad_(False)
    try:
        with evaluating(model):
            yield
    finally:
        for parameter in wanted:
            parameter.requires_grad_(True)


def _positive(parameter: Tensor) -> Tensor:
    return parameter.clamp(min=0)


def _negative(parameter: Tensor) -> Tensor:
    return parameter.clamp(max=0)


def _favoured(parameter: Tensor) -> Tensor:
    """The gamma rule's weights."""
    return parameter + GAMMA * parameter.clamp(min=0)


class _Replaced(torch.autograd.Function):
    """Gives a layer's output on; on the way back, relevance takes the place of the gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, output: Tensor, hook: _OfActivations, module: nn.Module) -> Tensor:
        ctx.save_for_backward(x)
        ctx.hook, ctx.module = hook, module
        return output.view_as(output)

    @staticmethod
    def backward(ctx: Any, received: Tensor) -> tuple[Tensor | None, ...]:
        return ctx.hook.handed_down(ctx.module, *ctx.saved_tensors, received), None, None, None


class _OfActivations(Hook):
    """A convolution's rule where no input is negative, as after a ReLU; `full`, zennit's rule for any input, elsewhere.

    They agree where both apply, but for gamma at outputs below zero, which no ReLU lets through. This one takes a
    forward and a backward pass per part, changes each layer's weights once and not once per batch, and leaves out the
    layer's own gradient, which relevance replaces.

    Parameters
    ----------
    parts: how weights are changed, and with what factor the relevance of that part counts.
    bias: whether the biases take part.
    full: the same rule by zennit.
    """

    def __init__(self, parts: Sequence[tuple[_Change, float]], bias: bool, full: BasicHook):
        super().__init__()
        self.parts, self.bias, self.full = parts, bias, full
        self._changed: list[tuple[Tensor, Tensor | None]] = []

    def pre_forward(self, module: nn.Module, input: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Keep the input for the way back, and cut the layer off from what would compute its gradient for nothing."""
        self.stored_tensors["input"] = input[0]
        return (input[0].detach(),)

    def post_forward(self, module: nn.Module, input: tuple[Tensor, ...], output: Tensor) -> Tensor:
        """The output, with relevance in the place of its gradient."""
        return _Replaced.apply(self.stored_tensors.pop("input"), output, self, module)

    def handed_down(self, module: nn.Module, x: Tensor, received: Tensor) -> Tensor:
        """Relevance of the inputs x, of the shape of x."""
        plain = isinstance(module, nn.Conv2d) and module.padding_mode == "zeros" and not isinstance(module.padding, str)
        if plain and float(x.amin()) >= 0:
            return self._by_parts(module, x, received)
        self.full.stored_tensors["input"] = (x,)
        try:
            return self.full.backward(module, (x,), (received,))[0]
        finally:
            self.full.stored_tensors.clear()

    @torch.no_grad()
    def _by_parts(self, module: nn.Conv2d, x: Tensor, received: Tensor) -> Tensor:
        """x times what the weights send back of received relevance, each share divided by the sum of all shares."""
        if not self._changed:
            self._changed = [self._weights(module, change) for change, _ in self.parts]
        shape = (module.stride, module.padding, module.dilation)
        total = None
        for (weight, bias), (_, factor) in zip(self._changed, self.parts, strict=True):
            shares = nn.functional.conv2d(x, weight, bias, *shape, module.groups)
            shares.add_(torch.copysign(shares.new_tensor(EPSILON), shares))
            torch.div(received, shares, out=shares)
            sent, _, _ = torch.ops.aten.convolution_backward(
                shares, x, weight, None, *map(list, shape), False, [0, 0], module.groups, [True, False, False]
            )
            sent.mul_(x)
            total = sent.mul_(factor) if total is None else total.add_(sent, alpha=factor)
        return total

    def _weights(self, module: nn.Conv2d, change: _Change) -> tuple[Tensor, Tensor | None]:
        weight = change(module.weight.detach()).contiguous(memory_format=torch.channels_last)
        return weight, change(module.bias.detach()) if self.bias and module.bias is not None else None

    def copy(self) -> _OfActivations:
        """One per layer."""
        return _OfActivations(self.parts, self.bias, self.full.copy())
