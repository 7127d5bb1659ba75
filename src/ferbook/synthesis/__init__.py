"""Synthetic faces with exactly known truth: `sample` draws parameters, `render` paints them.

>>> from ferbook.synthesis import render, sample
>>> faces = sample(4, seed=1, split="test")
>>> render(faces, size=48).shape
(4, 48, 48)
"""

from ferbook.synthesis.action_units import ACTION_UNITS, OPTIONAL, PROTOTYPES, activate
from ferbook.synthesis.geometry import LANDMARKS
from ferbook.synthesis.render import render
from ferbook.synthesis.sample import COVERS, FRAMINGS, Faces, sample

__all__ = [
    "ACTION_UNITS",
    "COVERS",
    "FRAMINGS",
    "LANDMARKS",
    "OPTIONAL",
    "PROTOTYPES",
    "Faces",
    "activate",
    "render",
    "sample",
]
