"""Losses on class scores: the ten of paper 002, and paper 000's two for several labels at once.

Paper 002 (figure 26) compares ten losses for training on label distributions, in Keras. Its caption spells out eight
abbreviations; section 3.6.3 names no other. The two that are missing are *our guess*: ``poisson`` and ``hinge``. The
caption explains abbreviations only, so the other two probably have names short enough for an axis; of Keras's losses
that take a distribution, that leaves Poisson, hinge and Huber, and Huber's (delta 1) is exactly half of the MSE here,
because probabilities never differ by more than 1.

All take logits, compute in float32 whatever comes in (float64 stays), and follow Keras's conventions: the loss of a
face is taken over the probabilities p = softmax(logits), and a batch's is the mean over its faces. Where Keras works on
p and a logarithm of p is needed, the logarithm comes from log_softmax, which neither overflows nor loses small p.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn import functional

from ferbook.core.errors import ConfigError

#: Keras's guard inside logarithms (``keras.backend.epsilon()``).
EPSILON = 1e-7

#: From logits and target distribution, both (N, C) and float, to the loss of each face, (N,).
FaceLoss = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class DistributionLoss:
    """One way to measure how far predicted probabilities are from a label distribution.

    Parameters
    ----------
    name: key in ``LOSSES``.
    title: as a figure writes it.
    abbreviation: as the caption of figure 26 of paper 002 prints it; empty for the two losses that it does not name.
    per_face: the formula; None for label drawing, which needs a generator.
    """

    name: str
    title: str
    abbreviation: str
    per_face: FaceLoss | None

    def __call__(self, logits: Tensor, target: Tensor, generator: Generator | None = None) -> Tensor:
        """Mean loss over a batch.

        Parameters
        ----------
        logits: (N, C), any float type.
        target: (N, C) label distributions; rows sum to 1 (not checked: it would stall a GPU at each step).
        generator: draws the labels of ``label_draw``, which refuses to go without; the others ignore it.

        Returns
        -------
        Scalar, float32 (float64 for float64 logits), with a gradient for the logits.

        Raises
        ------
        ValueError: if shapes differ, are not (N, C), hold no face, or a generator is missing.
        """
        logits, target = _scores(logits, target)
        if self.per_face is not None:
            return self.per_face(logits, target).mean()
        if generator is None:
            raise ValueError(f"{self.name} needs a generator: its labels are drawn anew at each call")
        return functional.cross_entropy(logits, drawn_labels(target, generator))


def drawn_labels(target: Tensor, generator: Generator) -> Tensor:
    """One label per face, drawn from its distribution (paper 002, 3.6.3). (N, C) -> (N,) int64, on target's device.

    The draws are made where the generator lives, so that one on the CPU gives the same labels for any device. An
    emotion with no share is never drawn.
    """
    cumulative = target.detach().to(generator.device, torch.float64).cumsum(1)
    # A row may end a rounding error below 1; the last emotion with a positive share closes it.
    cumulative = cumulative / cumulative[:, -1:]
    draws = torch.rand(len(target), 1, generator=generator, device=generator.device, dtype=torch.float64)
    return (draws >= cumulative).sum(1).to(target.device)


def _mse(logits: Tensor, target: Tensor) -> Tensor:
    """Mean over the C entries of (p - t)^2."""
    return (logits.softmax(1) - target).square().mean(1)


def _mae(logits: Tensor, target: Tensor) -> Tensor:
    """Mean over the C entries of |p - t|."""
    return (logits.softmax(1) - target).abs().mean(1)


def _log_cosh(logits: Tensor, target: Tensor) -> Tensor:
    """Mean over the C entries of log cosh(p - t).

    Keras writes x + softplus(-2x) - log 2, which has lost all digits of log cosh x, about x^2 / 2, once |x| is below
    1e-4. log cosh x = log(1 + 2 sinh^2(x / 2)) keeps them, and cannot overflow where |x| is at most 1.
    """
    difference = logits.softmax(1) - target
    return torch.log1p(2 * torch.sinh(difference / 2).square()).mean(1)


def _cosine(logits: Tensor, target: Tensor) -> Tensor:
    """Minus the cosine of the angle between p and t; -1 is best. Neither can vanish, so no guard is needed."""
    return -(functional.normalize(logits.softmax(1), dim=1) * functional.normalize(target, dim=1)).sum(1)


def _cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Sum over the entries of -t log p.

    Keras clips p at 1e-7, below which a wrong face stops teaching; where it sees the softmax that made p, it takes the
    logits instead, as is done here. No clipping.
    """
    return -(target * logits.log_softmax(1)).sum(1)


def _kl_divergence(logits: Tensor, target: Tensor) -> Tensor:
    """Sum over the entries of t log(t / p), both clipped to at least 1e-7 as in Keras.

    As t log t does not depend on the logits, this has the gradient of cross-entropy, but for the 1e-7 that stands in
    for a share of zero, and for a p below 1e-7, which has no gradient.
    """
    clipped = target.clamp(EPSILON, 1)
    return (clipped * (clipped.log() - logits.log_softmax(1).clamp(min=math.log(EPSILON)))).sum(1)


def _categorical_hinge(logits: Tensor, target: Tensor) -> Tensor:
    """max(0, 1 + max of (1 - t) p - sum of t p): a margin of probabilities, meant for one-hot t."""
    probability = logits.softmax(1)
    right, wrong = (target * probability).sum(1), ((1 - target) * probability).amax(1)
    return (1 + wrong - right).clamp(min=0)


def _poisson(logits: Tensor, target: Tensor) -> Tensor:
    """Mean over the C entries of p - t log(p + 1e-7).

    As p sums to 1, this is (1 + cross-entropy) / C but for the 1e-7: the gradient of cross-entropy, C times smaller.
    """
    probability = logits.softmax(1)
    return (probability - target * (probability + EPSILON).log()).mean(1)


def _hinge(logits: Tensor, target: Tensor) -> Tensor:
    """Mean over the C entries of max(0, 1 - t p).

    Keras turns t from 0 and 1 into -1 and 1 only if *every* entry of the batch is 0 or 1. One soft face in the batch,
    and all of it is left in [0, 1]: the loss is then 1 - mean of t p, least where p is all on the largest share.
    """
    binary = ((target == 0) | (target == 1)).all()
    signed = torch.where(binary, 2 * target - 1, target)
    return (1 - signed * logits.softmax(1)).clamp(min=0).mean(1)


#: Paper 002's ten losses, in the order of the caption of figure 26, and then the two that are our guess.
LOSSES: dict[str, DistributionLoss] = {
    loss.name: loss
    for loss in (
        DistributionLoss("mse", "mean squared error", "MSE", _mse),
        DistributionLoss("label_draw", "probabilistic label drawing", "PLD", None),
        DistributionLoss("log_cosh", "log cosh", "LC", _log_cosh),
        DistributionLoss("cosine", "cosine similarity", "CS", _cosine),
        DistributionLoss("cross_entropy", "categorical cross-entropy", "CCE", _cross_entropy),
        DistributionLoss("mae", "mean absolute error", "MAE", _mae),
        DistributionLoss("kl_divergence", "KL divergence", "KLD", _kl_divergence),
        DistributionLoss("categorical_hinge", "categorical hinge", "CH", _categorical_hinge),
        DistributionLoss("poisson", "Poisson", "", _poisson),
        DistributionLoss("hinge", "hinge", "", _hinge),
    )
}


def distribution_loss(name: str) -> DistributionLoss:
    """The loss of that name.

    Raises
    ------
    ConfigError: if there is none.
    """
    if name not in LOSSES:
        raise ConfigError("loss", f"{name!r} is unknown", f"Use one of {', '.join(LOSSES)}.")
    return LOSSES[name]


def binary_cross_entropy(logits: Tensor, target: Tensor, pos_weight: Tensor | None = None) -> Tensor:
    """Mean over faces and labels of -[t log p + (1 - t) log(1 - p)], p = sigmoid(logits) (paper 000, section 2.4).

    Parameters
    ----------
    logits: (N, L), any float type.
    target: (N, L) multi-hot: 0 or 1 (shares between are accepted).
    pos_weight: (L,) factors of the term of t, for rare labels; the paper has none.

    Returns
    -------
    Scalar.

    Raises
    ------
    ValueError: if shapes differ, are not (N, L), hold no face, or `pos_weight` is not (L,).
    """
    logits, target = _scores(logits, target)
    if pos_weight is not None:
        if pos_weight.shape != logits.shape[1:]:
            raise ValueError(f"weights {tuple(pos_weight.shape)} do not fit {logits.shape[1]} labels")
        pos_weight = pos_weight.to(logits)
    return functional.binary_cross_entropy_with_logits(logits, target, pos_weight=pos_weight)


def focal_loss(logits: Tensor, target: Tensor, alpha: float | None = 0.25, gamma: float = 2.0) -> Tensor:
    """Mean over faces and labels of -a (1 - q)^gamma log q (Lin et al. 2017; planned in paper 000, section 3.6).

    q is the probability given to what is true: sigmoid(logit) where the label is present, else 1 - sigmoid(logit). As
    1 - q = exp(-softplus(z)) and -log q = softplus(-z) for the logit z of what is true, nothing over- or underflows
    into NaN. Lin et al. divide by the number of matched boxes; here it is a mean, as in ``binary_cross_entropy``.

    Parameters
    ----------
    logits: (N, L), any float type.
    target: (N, L) multi-hot: 0 or 1 (a share between weighs the two terms).
    alpha: a is `alpha` where the label is present and 1 - `alpha` where not; None: 1 in both.
    gamma: 0 leaves binary cross-entropy; the larger, the less do easy faces count.

    Returns
    -------
    Scalar.

    Raises
    ------
    ConfigError: if `alpha` is outside [0, 1] or `gamma` is negative.
    ValueError: if shapes differ, are not (N, L), or hold no face.
    """
    if alpha is not None and not 0 <= alpha <= 1:
        raise ConfigError("alpha", f"{alpha} is not a share", "Use 0 to 1, or None.")
    if not gamma >= 0:
        raise ConfigError("gamma", f"{gamma} is negative")
    logits, target = _scores(logits, target)
    for_present, for_absent = (1.0, 1.0) if alpha is None else (alpha, 1 - alpha)
    positive, negative = functional.softplus(logits), functional.softplus(-logits)
    present = for_present * torch.exp(-gamma * positive) * negative
    absent = for_absent * torch.exp(-gamma * negative) * positive
    return (target * present + (1 - target) * absent).mean()


def _scores(logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Both as float32 or float64, after a look at their shapes."""
    if logits.shape != target.shape or logits.ndim != 2:
        raise ValueError(
            f"logits {tuple(logits.shape)} and targets {tuple(target.shape)} must share one shape (faces, labels)"
        )
    if not logits.numel():
        raise ValueError("a loss needs at least one face")
    if not logits.is_floating_point():
        raise ValueError(f"logits must be floats, not {logits.dtype}")
    logits = logits if logits.dtype == torch.float64 else logits.float()
    return logits, target.to(logits.dtype)
