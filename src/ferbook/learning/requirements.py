"""Papers 003 and 004: what each emotion category demands of valence, arousal and dominance, as the papers print it.

The papers call a predicted value consistent with a predicted category if it meets the category's demand, and they state
the demands twice:

* ``table``: 003's table 1, by signs. 004's table 1 is the same, and 004's table 2 writes it out as costs.
* ``equations``: 003's equations (5), (9) and (13), which say of themselves that they follow table 1.

:func:`disagreements` lists where they part. Costs on tensors are in :mod:`ferbook.learning.consistency`; nothing here
needs torch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ferbook.faces.emotions import VAD_AXES

#: 003, table 1 (and 004, table 1): what each emotion demands of (valence, arousal, dominance). "any" stands for the
#: table's ">0 or <0"; that 0 itself would be excluded there is taken for a slip.
TABLE: dict[str, tuple[str, str, str]] = {
    "happiness": (">0", ">0", ">0"),
    "disgust": ("<0", ">0", ">0"),
    "anger": ("<0", ">0", "any"),
    "fear": ("<0", "<0", "<0"),
    "sadness": ("<0", "<0", "any"),
    "surprise": ("any", ">0", "<0"),
    "neutral": ("=0", "=0", "=0"),
}

#: 003, equations (5), (9), (13): what each emotion demands so as to cost nothing, in the order of the papers' codes.
#: "<=0": the equation costs 1 for values > 0. "any": the equation does not name the emotion.
EQUATIONS: dict[str, tuple[str, str, str]] = {
    "anger": ("<0", ">0", ">0"),
    "disgust": ("<0", ">0", ">0"),
    "fear": ("<0", "any", "any"),
    "happiness": (">0", ">0", ">0"),
    "sadness": ("<0", "<=0", "<=0"),
    "surprise": ("any", ">0", "any"),
    "neutral": ("=0", "=0", "=0"),
}

#: 004, table 2: for each axis the cost of a value > 0 and of one < 0. It leaves 0 open, and has no cell in which
#: neutral costs nothing. On both signs it says what ``TABLE`` says.
COSTS_004: dict[str, tuple[tuple[int, int], tuple[int, int], tuple[int, int]]] = {
    "happiness": ((0, 1), (0, 1), (0, 1)),
    "disgust": ((1, 0), (0, 1), (0, 1)),
    "anger": ((1, 0), (0, 1), (0, 0)),
    "fear": ((1, 0), (1, 0), (1, 0)),
    "sadness": ((1, 0), (1, 0), (0, 0)),
    "surprise": ((0, 0), (0, 1), (1, 0)),
    "neutral": ((1, 1), (1, 1), (1, 1)),
}

DEFINITIONS: dict[str, dict[str, tuple[str, str, str]]] = {"table": TABLE, "equations": EQUATIONS}

#: Whether a value (a number, an array, a tensor) fails a demand. "any" never fails.
FAILS: dict[str, Callable[[Any], Any]] = {
    ">0": lambda value: value <= 0,
    "<0": lambda value: value >= 0,
    "<=0": lambda value: value > 0,
    "=0": lambda value: value != 0,
}


class Disagreement(NamedTuple):
    """A cell in which the table and the equations of paper 003 differ.

    `signs` says for which values the two costs differ: some of "<0", "=0", ">0".
    """

    category: str
    axis: str
    table: str
    equation: str
    signs: tuple[str, ...]


def disagreements() -> list[Disagreement]:
    """Where equations (5), (9), (13) of paper 003 depart from its table 1, by axis and then in the papers' order."""
    probes = {"<0": -1.0, "=0": 0.0, ">0": 1.0}
    rows = []
    for k, axis in enumerate(VAD_AXES):
        for category, demands in EQUATIONS.items():
            table, equation = TABLE[category][k], demands[k]
            signs = tuple(sign for sign, value in probes.items() if fails(table, value) != fails(equation, value))
            if signs:
                rows.append(Disagreement(category, axis, table, equation, signs))
    return rows


def fails(demand: str, value: float) -> bool:
    """Whether `value` breaks a demand; "any" is never broken."""
    return demand != "any" and bool(FAILS[demand](value))
