"""Papers 003 and 004: emotion category and valence, arousal, dominance trained together, and made to agree.

The papers add to cross-entropy and squared error a *consistency cost*: 1 for each axis on which the predicted value
contradicts the predicted category, else 0. They define it twice, and differently: see
:mod:`ferbook.learning.requirements`. Either way the cost is a step function of the predictions: its gradient is zero
wherever it exists, so adding it changes the number that is printed but not one weight. :func:`soft_cost` has a
gradient, and the printed cost as its limit. In the authors' published code (YeeHoran/Multi-task-Emotion-Recognition)
the cost is looked up in a spreadsheet, through NumPy, and added as a plain number: no gradient there either.

The papers know seven emotions, by FER2013's codes; emotions are matched by name here, and contempt, which has no row,
never costs anything. Axes are those of ``VAD_AXES``, in [-1, 1].
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from ferbook.core.errors import ConfigError
from ferbook.faces.emotions import EMOTIONS, VAD_AXES
from ferbook.learning.requirements import DEFINITIONS, FAILS

#: How far a value, in units of the temperature, fails a demand; 0 to 1.
_SOFTLY_FAILS: dict[str, Callable[[Tensor], Tensor]] = {
    ">0": lambda value: torch.sigmoid(-value),
    "<0": torch.sigmoid,
    "<=0": torch.sigmoid,
    "=0": lambda value: -torch.expm1(-value.square()),
}


def printed_cost(
    category: Tensor,
    vad: Tensor,
    definition: str = "equations",
    axes: Sequence[str] = VAD_AXES,
    order: Sequence[str] = EMOTIONS,
) -> Tensor:
    """The 0/1 costs as printed (003, equations 4, 8, 12, 16; 004, table 2). It has no gradient.

    Parameters
    ----------
    category: (N,) integer labels or (N, C) logits whose first largest entry is the predicted category.
    vad: (N, A) predicted values of the `axes`.
    definition: ``equations`` (003) or ``table`` (003, table 1; 004, table 2).
    axes: the columns of `vad`; 003's first three models have one each.
    order: the names of the C classes; for the papers' own codes pass ``FER2013_CODES``.

    Returns
    -------
    (N, A) zeros and ones, float32 (float64 for float64 values); NaN where a value is NaN. The papers sum over all.

    Raises
    ------
    ConfigError: if there is no such definition, axis or emotion.
    ValueError: if shapes do not fit, or a label is outside 0..C-1.
    """
    demands = _demands(definition, tuple(axes), tuple(order), vad.device)
    vad = _values(vad, axes)
    if category.ndim == 2:
        category = _logits(category, vad, order).argmax(1)
    elif category.is_floating_point() or category.shape != vad.shape[:1]:
        raise ValueError(f"{category.dtype} categories {tuple(category.shape)} do not fit values {tuple(vad.shape)}")
    elif ((category < 0) | (category >= len(order))).any():
        raise ValueError(f"labels must be in 0..{len(order) - 1}")
    cost = torch.zeros_like(vad)
    for demand, wanted in demands.items():
        cost += wanted[category.long()] * FAILS[demand](vad)
    return torch.where(vad.isnan(), vad.detach(), cost)


def soft_cost(
    logits: Tensor,
    vad: Tensor,
    temperature: float = 0.1,
    class_temperature: float = 1.0,
    definition: str = "table",
    axes: Sequence[str] = VAD_AXES,
    order: Sequence[str] = EMOTIONS,
) -> Tensor:
    """Expected, smoothed costs: how much each value contradicts the category probabilities. Ours, not the papers'.

    A demand "> 0" costs sigmoid(-v / temperature), "< 0" and "<= 0" cost sigmoid(v / temperature), and "= 0" costs
    1 - exp(-(v / temperature)^2): the temperature is the width, in units of the axis, of what counts as about zero.
    These are averaged over the categories with softmax(logits / class_temperature).

    As `temperature` goes to 0 this becomes the expectation of ``printed_cost`` over the categories, except for values
    at exactly 0 under "> 0", "< 0" or "<= 0", which keep one half. As `class_temperature` does so too, or where the
    probabilities are those of a certain prediction, it becomes ``printed_cost`` itself.

    Parameters
    ----------
    logits: (N, C). For probabilities, pass their logarithms.
    vad: (N, A) predicted values of the `axes`.
    temperature, class_temperature: positive.
    definition, axes, order: as in ``printed_cost``.

    Returns
    -------
    (N, A) in [0, 1], with gradients for both inputs.

    Raises
    ------
    ConfigError: if a temperature is not positive, or there is no such definition, axis or emotion.
    ValueError: if shapes do not fit.
    """
    for field, value in (("temperature", temperature), ("class_temperature", class_temperature)):
        if not value > 0:
            raise ConfigError(field, f"{value} is not positive")
    demands = _demands(definition, tuple(axes), tuple(order), vad.device)
    vad = _values(vad, axes)
    probability = (_logits(logits, vad, order) / class_temperature).softmax(1).to(vad.dtype)
    cost = torch.zeros_like(vad)
    for demand, wanted in demands.items():
        # (N, C, 1) * (C, A), summed: the probability of all categories that demand this. Not a matmul, which autocast
        # would round.
        demanded = (probability[:, :, None] * wanted).sum(1)
        cost = cost + demanded * _SOFTLY_FAILS[demand](vad / temperature)
    return cost


def slope(cost: Callable[[Tensor], Tensor], vad: Tensor) -> Tensor | None:
    """Gradient of a cost's sum with respect to the values, as training would see it.

    Parameters
    ----------
    cost: takes values (N, A) and returns costs.
    vad: (N, A).

    Returns
    -------
    (N, A), or None if torch finds no path from the cost back to the values, so that training sees a plain number.
    """
    values = vad.detach().clone().requires_grad_()
    total = cost(values).sum()
    return torch.autograd.grad(total, values)[0] if total.requires_grad else None


class VadLoss(NamedTuple):
    """A joint loss and its parts, scalars: ``total = classification + regression + weight * consistency``."""

    total: Tensor
    classification: Tensor
    regression: Tensor
    consistency: Tensor


def vad_loss(
    logits: Tensor,
    vad: Tensor,
    target: Tensor,
    target_vad: Tensor,
    consistency: Literal["none", "equations", "table", "soft"] = "equations",
    weight: float = 1.0,
    reduction: Literal["mean", "printed"] = "mean",
    axes: Sequence[str] = VAD_AXES,
    order: Sequence[str] = EMOTIONS,
    temperature: float = 0.1,
    class_temperature: float = 1.0,
) -> VadLoss:
    """Cross-entropy, squared error and consistency together (003, equations 1, 6, 10, 14; 004, equation 3).

    Parameters
    ----------
    logits: (N, C).
    vad: (N, A) predicted values of the `axes`.
    target: (N,) integer labels or (N, C) label distributions.
    target_vad: (N, A).
    consistency: which cost; ``soft`` smooths the table's. ``none`` leaves it out.
    weight: the papers' lambda, which they do not print; their published code has none, which is 1.
    reduction: ``mean``: each part is a mean over the faces, summed over the axes. ``printed``: as equations (2), (3)
        and (4) have it, cross-entropy and cost are summed over the faces and squared errors averaged, so that their
        balance depends on the batch size. (The published code averages all but the cost.)
    axes, order: as in ``printed_cost``.
    temperature, class_temperature: as in ``soft_cost``.

    Returns
    -------
    VadLoss: scalars, float32 (float64 for float64 inputs).

    Raises
    ------
    ConfigError: if a setting is unknown.
    ValueError: if shapes do not fit, above all values (N, 1) and targets (N,), which would broadcast to (N, N).
    """
    if reduction not in ("mean", "printed"):
        raise ConfigError("reduction", f"{reduction!r} is unknown", "Use 'mean' or 'printed'.")
    if consistency not in ("none", "soft", *DEFINITIONS):
        raise ConfigError("consistency", f"{consistency!r} is unknown", "Use 'none', 'equations', 'table' or 'soft'.")
    if vad.shape != target_vad.shape:
        raise ValueError(
            f"values {tuple(vad.shape)} and their targets {tuple(target_vad.shape)} must share one shape (faces, axes)"
        )
    vad = _values(vad, axes)
    scores = _logits(logits, vad, order)
    if target.shape[:1] != vad.shape[:1] or (target.ndim > 1 and target.shape != logits.shape):
        raise ValueError(f"targets {tuple(target.shape)} do not fit logits {tuple(logits.shape)}")
    goal = target.to(scores.dtype) if target.ndim == 2 else target.long()
    entropy = functional.cross_entropy(scores, goal, reduction="mean" if reduction == "mean" else "sum")
    error = (vad - target_vad.to(vad.dtype)).square().mean(0).sum()
    if consistency == "none":
        cost = torch.zeros_like(error)
        return VadLoss(entropy + error, entropy, error, cost)
    if consistency == "soft":
        costs = soft_cost(scores, vad, temperature, class_temperature, "table", axes, order)
    else:
        costs = printed_cost(scores, vad, consistency, axes, order)
    cost = costs.sum(1).mean() if reduction == "mean" else costs.sum()
    return VadLoss(entropy + error + weight * cost, entropy, error, cost)


def broadcast_mse(prediction: Tensor, target: Tensor) -> Tensor:
    """The squared error of the authors' published code: predictions (N, 1) against targets (N,). Wrong on purpose.

    The difference broadcasts to (N, N), every prediction against every target, so the mean is var(prediction) +
    var(target) + (mean(prediction) - mean(target))^2, with variances over the batch. Nothing in it depends on *which*
    face has which target: it is least when every face gets the batch's mean.

    Parameters
    ----------
    prediction: (N, 1).
    target: (N,).

    Returns
    -------
    Scalar.

    Raises
    ------
    ValueError: if the shapes are others, and nothing would be wrong.
    """
    if prediction.shape != (len(target), 1) or target.ndim != 1:
        raise ValueError(
            f"the slip needs predictions (N, 1) and targets (N,), not {tuple(prediction.shape)} and "
            f"{tuple(target.shape)}"
        )
    return (prediction - target).square().mean()


@lru_cache(maxsize=64)
def _demands(
    definition: str, axes: tuple[str, ...], order: tuple[str, ...], device: torch.device
) -> Mapping[str, Tensor]:
    """For each demand that costs anything, which (category, axis) make it: (C, A) bool."""
    if definition not in DEFINITIONS:
        raise ConfigError("definition", f"{definition!r} is unknown", f"Use one of {', '.join(DEFINITIONS)}.")
    for field, names, known in (("axes", axes, VAD_AXES), ("order", order, EMOTIONS)):
        if set(names) - set(known) or len(set(names)) != len(names) or not names:
            raise ConfigError(field, f"{names} are not names out of {', '.join(known)}, each once")
    columns = [VAD_AXES.index(axis) for axis in axes]
    nothing = ("any",) * len(VAD_AXES)
    table = [[DEFINITIONS[definition].get(name, nothing)[k] for k in columns] for name in order]
    # Kept between calls, so it must not be an inference tensor, even if validation is the first to ask for it.
    with torch.inference_mode(False):
        return {
            demand: torch.tensor([[cell == demand for cell in row] for row in table], device=device) for demand in FAILS
        }


def _values(vad: Tensor, axes: Sequence[str]) -> Tensor:
    if vad.ndim != 2 or vad.shape[1] != len(axes) or not len(vad):
        raise ValueError(f"values of {', '.join(axes)} must be (faces, {len(axes)}), not {tuple(vad.shape)}")
    return vad if vad.dtype == torch.float64 else vad.float()


def _logits(logits: Tensor, vad: Tensor, order: Sequence[str]) -> Tensor:
    if logits.shape != (len(vad), len(order)):
        raise ValueError(f"logits {tuple(logits.shape)} do not fit {len(order)} emotions and values {tuple(vad.shape)}")
    return logits if logits.dtype == torch.float64 else logits.float()
