"""Papers 003 and 004: the consistency cost of one prediction over its value, from the printed step to a wide slope."""

from functools import cache

import numpy as np
import torch
from IPython.display import HTML

from ferbook.book.interactive import widget
from ferbook.book.interactive.widget import Chart, Control, Plot, Series, Text
from ferbook.faces.emotions import EMOTIONS, VAD_AXES
from ferbook.learning import consistency, requirements
from ferbook.measures import figures

#: Widths of the soft step in units of the axis; 0 is the printed cost.
TEMPERATURES = (0.0, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0)
#: Predicted values that a reader can set, and those at which curves are drawn.
VALUES = tuple(round(-1 + 0.05 * k, 2) for k in range(41))
FINE = tuple(round(-1 + 0.02 * k, 2) for k in range(101))
#: The printed cost is constant on either side of 0.
STEP = (-1.0, -1e-9, 0.0, 1e-9, 1.0)
#: A gradient below this moves nothing.
LEAST_SLOPE = 1e-6


@cache
def curve(
    category: str, axis: str, temperature: float, values: tuple[float, ...] = VALUES
) -> tuple[np.ndarray, np.ndarray]:
    """Cost of each value on one axis for a category that is certain, and the cost's slope; both (N,).

    At temperature 0 the printed cost of table 1, which has slope 0 wherever it has one.
    """
    at = VAD_AXES.index(axis)
    vad = torch.zeros(len(values), 3, dtype=torch.float64)
    vad[:, at] = torch.tensor(values, dtype=torch.float64)
    label = torch.full((len(values),), EMOTIONS.index(category))
    if temperature == 0:
        return consistency.printed_cost(label, vad, "table")[:, at].numpy(), np.zeros(len(values))
    logits = 50.0 * torch.nn.functional.one_hot(label, len(EMOTIONS)).double()
    cost = consistency.soft_cost(logits, vad, temperature)[:, at]
    slope = consistency.slope(lambda v: consistency.soft_cost(logits, v, temperature)[:, at], vad)
    return cost.numpy(), slope[:, at].numpy()


def reach(logits: torch.Tensor, vad: torch.Tensor, temperature: float) -> tuple[float, float]:
    """Share of values with a slope under the soft cost, and the largest slope. logits (N, 8); vad (N, 3)."""
    if temperature == 0:
        return 0.0, 0.0
    slope = consistency.slope(lambda v: consistency.soft_cost(logits, v, temperature), vad).abs()
    return (slope > LEAST_SLOPE).double().mean().item(), slope.max().item()


def cost(logits: torch.Tensor, vad: torch.Tensor) -> HTML:
    """The cost over a value at each temperature.

    Parameters
    ----------
    logits, vad: (N, 8) and (N, 3), predictions for which slopes are counted.
    """
    reached = {temperature: reach(logits, vad, temperature) for temperature in TEMPERATURES}

    def plot(category: str, axis: str, temperature: float) -> Plot:
        soft = curve(category, axis, temperature, FINE)[0].tolist()
        step = Series(STEP, curve(category, axis, 0.0, STEP)[0].tolist(), "printed", 3, dashed=True)
        return Plot(
            xlabel="predicted value (-1 to 1)",
            ylabel="cost",
            xlim=(-1, 1),
            ylim=(-0.05, 1.05),
            xticks={-1: "-1", -0.5: "-0.5", 0: "0", 0.5: "0.5", 1: "1"},
            yticks={0: "0", 0.5: "0.5", 1: "1"},
            series=[step, *([Series(FINE, soft, "at this temperature")] if temperature else [])],
        )

    def at(value: float) -> int:
        return VALUES.index(value)

    def demand(category: str, axis: str) -> str:
        asked = requirements.TABLE[category][VAD_AXES.index(axis)]
        return "nothing" if asked == "any" else f"{axis} {asked}"

    one = ["category", "axis", "temperature", "value"]
    return widget.figure(
        "temperature",
        "Turn the temperature",
        [
            Control("temperature", "temperature", TEMPERATURES, TEMPERATURES.index(0.1), _named),
            Control("value", "predicted value", VALUES, at(-0.05), "{:+.2f}".format),
            Control("category", "predicted category", tuple(requirements.TABLE), kind="choice"),
            Control("axis", "axis", VAD_AXES, kind="choice"),
        ],
        [
            Chart("Cost over the predicted value", ["category", "axis", "temperature"], plot, cursors=["value"]),
            Text("table 1 asks for", ["category", "axis"], demand),
            Text("cost of this value", one, lambda c, a, t, v: f"{curve(c, a, t)[0][at(v)]:.3f}"),
            Text("gradient there", one, lambda c, a, t, v: f"{curve(c, a, t)[1][at(v)]:+z.2f}"),
            Text("random predictions with a gradient", ["temperature"], lambda t: f"{reached[t][0]:.1%}"),
            Text("largest gradient among them", ["temperature"], lambda t: f"{reached[t][1]:.1f}"),
        ],
        still=figures.lines(
            FINE,
            {_named(t): curve("happiness", "valence", t, FINE)[0].tolist() for t in (0.0, 0.03, 0.1, 0.3)},
            ("#444444", "#0072b2", "#e69f00", "#009e73"),
            xlabel="predicted valence (-1 to 1)",
            ylabel="cost of valence",
            marker="",
        ),
        alt="Cost of valence for a face called happy at four temperatures: a step at zero that becomes ever wider",
    )


def _named(temperature: float) -> str:
    return f"{temperature:g}" if temperature else "0 (as printed)"
