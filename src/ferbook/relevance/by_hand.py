"""Relevance propagation through dense layers, written out neuron by neuron (paper 001, figure 4; Bach et al. 2015).

Slow on purpose: it is what a reader can follow with a pencil, and what the fast version is compared with. No torch.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ferbook.core.errors import ConfigError

#: The rules that :func:`propagate` knows.
RULES: tuple[str, ...] = ("epsilon", "z_plus", "alpha2_beta1")


@dataclass(frozen=True)
class Dense:
    """A dense layer. weight: (inputs, outputs), bias: (outputs,). All but the last layer of a network have a ReLU."""

    weight: np.ndarray
    bias: np.ndarray


#: The example of the book: two inputs, three hidden neurons, two classes. Every neuron has something for and something
#: against it.
EXAMPLE: tuple[Dense, ...] = (
    Dense(np.array([[1.0, -0.5, 1.5], [-0.5, 2.0, -1.0]]), np.array([0.5, 0.0, -0.5])),
    Dense(np.array([[1.0, -0.5], [-0.5, 1.0], [1.0, 0.5]]), np.array([0.5, 0.0])),
)
EXAMPLE_INPUT: np.ndarray = np.array([2.0, 1.0])


def forward(layers: Sequence[Dense], x: np.ndarray) -> list[np.ndarray]:
    """Input, activations of each layer, and last the logits: one more array than layers."""
    states = [np.asarray(x, dtype=np.float64)]
    for depth, layer in enumerate(layers):
        z = np.array(
            [
                sum(states[-1][i] * layer.weight[i, j] for i in range(len(states[-1]))) + layer.bias[j]
                for j in range(len(layer.bias))
            ]
        )
        states.append(z if depth == len(layers) - 1 else np.maximum(z, 0.0))
    return states


def propagate(
    layers: Sequence[Dense],
    x: np.ndarray,
    target: int,
    rule: str = "epsilon",
    epsilon: float = 1e-6,
    bias_takes_part: bool = False,
) -> list[np.ndarray]:
    """Relevance at the input, at each hidden layer, and at the output, where it is the target's logit alone.

    Neuron i of a layer gets from neuron j above it the share of R_j that its contribution z_ij = x_i w_ij has in

    * "epsilon": the sum of all contributions (plus epsilon with that sum's sign);
    * "z_plus": the sum of the positive ones, the negative ones getting nothing;
    * "alpha2_beta1": twice its share in the positive sum, less its share in the negative sum.

    Parameters
    ----------
    layers: of the network.
    x: (inputs,).
    target: the class that is explained.
    rule: one of ``RULES``.
    epsilon: keeps quotients finite.
    bias_takes_part: let a bias claim its share of the sum, which then is lost to the inputs.

    Raises
    ------
    ConfigError: if the rule is unknown.
    """
    if rule not in RULES:
        raise ConfigError("rule", f"{rule!r} is unknown", f"Use one of {', '.join(RULES)}.")
    states = forward(layers, x)
    relevance = np.zeros_like(states[-1])
    relevance[target] = states[-1][target]
    found = [relevance]
    for depth in reversed(range(len(layers))):
        layer, below = layers[depth], states[depth]
        passed = np.zeros_like(below)
        for j, received in enumerate(relevance):
            z = [below[i] * layer.weight[i, j] for i in range(len(below))]
            terms = [*z, layer.bias[j]] if bias_takes_part else z
            positive, negative = sum(max(term, 0.0) for term in terms), sum(min(term, 0.0) for term in terms)
            for i, term in enumerate(z):
                if rule == "epsilon":
                    total = positive + negative
                    share = term / (total + (epsilon if total >= 0 else -epsilon))
                else:
                    up = max(term, 0.0) / (positive + epsilon)
                    down = min(term, 0.0) / (negative - epsilon)
                    share = up if rule == "z_plus" else 2.0 * up - down
                passed[i] += share * received
        relevance = passed
        found.append(relevance)
    return found[::-1]
