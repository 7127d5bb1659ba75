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

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from zennit.canonizers import SequentialMergeBatchNorm
from zennit.composites import LayerMapComposite, SpecialFirstLayerMapComposite, layer_map_base
from zennit.core import BasicHook, Composite, Hook
from zennit.rules import AlphaBeta, ClampMod, Epsilon, Gamma, GammaMod, ZBox, ZPlus
from zennit.types import Convolution

from ferbook import models
from ferbook.errors import ConfigError

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


def composite(name: str, *, bias: bool = False, low: float = 0.0, high: float = 1.0, fast: bool = True) -> Composite:
    """A zennit composite by name.

    Parameters
    ----------
    name: one of ``COMPOSITES`` or ``BOXED``.
    bias: let biases take their share of relevance, which then is lost to the pixels.
    low, high: least and greatest value of a pixel, for z-box.
    fast: leave out computations that give zero because a layer's inputs are not negative, as after a ReLU. The result
        is the same.

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
            full = ZPlus(EPSILON, zero_params=zero)
            convolution = _OfActivations(_one_pass([ClampMod(min=0.0, zero_params=zero)], [1.0]), full)
        case "alpha2_beta1":
            full = AlphaBeta(2.0, 1.0, EPSILON, zero_params=zero)
            parts = [ClampMod(min=0.0, zero_params=zero), ClampMod(max=0.0, zero_params=zero)]
            convolution = _OfActivations(_one_pass(parts, [2.0, -1.0]), full)
        case _:
            full = Gamma(GAMMA, EPSILON, zero_params=zero)
            convolution = _OfActivations(_one_pass([GammaMod(GAMMA, min=0.0, zero_params=zero)], [1.0]), full)
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
    batch: int = 8,
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
    batch: images at a time. Weights are prepared once per batch and layer, so larger is faster, until memory ends.

    Returns
    -------
    (N, C, H, W) float32 on the images' device. Without biases it sums to the target's logit, image by image, wherever
    every unit that receives relevance has contributions to hand it to.

    Raises
    ------
    ConfigError: if the composite is unknown.
    ValueError: if the shapes do not fit.
    """
    targets = torch.as_tensor(targets, device=images.device)
    if images.ndim != 4 or targets.shape != images.shape[:1]:
        raise ValueError(f"images {tuple(images.shape)} need one target each, not {tuple(targets.shape)}")
    rules = _composite(composite, bias, low, high)
    found = []
    with _evaluation(model), rules.context(model) as hooked:
        for chunk, wanted in zip(images.split(batch), targets.split(batch), strict=True):
            found.append(_attributed(hooked, chunk, wanted, start_with_logit=True))
    return torch.cat(found) if found else torch.zeros_like(images)


def gradient_times_input(model: nn.Module, images: Tensor, targets: Tensor, *, batch: int = 8) -> Tensor:
    """Gradient of the target's logit by each pixel, times the pixel. Parameters as in :func:`relevance`."""
    found = []
    with _evaluation(model):
        for chunk, wanted in zip(images.split(batch), torch.as_tensor(targets).split(batch), strict=True):
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
    modes = {module: module.training for module in model.modules()}
    wanted = [parameter for parameter in model.parameters() if parameter.requires_grad]
    model.eval()
    for parameter in wanted:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in wanted:
            parameter.requires_grad_(True)
        for module, mode in modes.items():
            module.training = mode


def _one_pass(parts: list, weights: list[float]) -> BasicHook:
    """A rule for inputs that are not negative: one modified layer per part, the results added with these weights."""

    def share(received: Tensor, outputs: list[Tensor]) -> list[Tensor]:
        return [received / (output + torch.where(output < 0, -EPSILON, EPSILON)) for output in outputs]

    def gather(inputs: list[Tensor], gradients: list[Tensor]) -> Tensor:
        terms = [w * x * g for w, x, g in zip(weights, inputs, gradients, strict=True)]
        return sum(terms[1:], terms[0])

    return BasicHook(
        # A copy for each part: gradients are asked for input by input, and the same tensor would get their sum.
        input_modifiers=[lambda value: value.clone()] * len(parts),
        param_modifiers=parts,
        output_modifiers=[lambda value: value] * len(parts),
        gradient_mapper=share,
        reducer=gather,
    )


class _OfActivations(Hook):
    """A convolution's rule: `quick` where no input is negative, `full` elsewhere. They agree where both apply."""

    def __init__(self, quick: BasicHook, full: BasicHook):
        super().__init__()
        self.quick, self.full = quick, full

    def forward(self, module: nn.Module, input: tuple[Tensor, ...], output: Tensor) -> None:
        """Keep the input for the way back."""
        self.stored_tensors["input"] = input

    def backward(self, module: nn.Module, grad_input: tuple, grad_output: tuple) -> tuple:
        """Relevance of the inputs."""
        rule = self.full if (self.stored_tensors["input"][0] < 0).any() else self.quick
        rule.stored_tensors["input"] = self.stored_tensors["input"]
        try:
            return rule.backward(module, grad_input, grad_output)
        finally:
            rule.stored_tensors.clear()
            # Nothing above needs it again; large batches then stay within memory.
            self.stored_tensors.pop("input")

    def copy(self) -> _OfActivations:
        """One per layer."""
        return _OfActivations(self.quick.copy(), self.full.copy())
