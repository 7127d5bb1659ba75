"""The book's colours stay apart for readers who lack one kind of cone.

Simulated with the matrices of Machado, Oliveira and Fernandes, "A physiologically-based model for simulation of color
vision deficiency", IEEE Transactions on Visualization and Computer Graphics 15(6), 2009, for a full deficiency
(severity 1.0). They act on linear RGB. Distances are Euclidean in CIELAB (white D65), where about 2.3 is just noticed.
"""

from itertools import combinations

import numpy as np
import pytest

from ferbook.book import scoreboard
from ferbook.measures import figures

SEEN = {
    "with three kinds of cones": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
#: From linear sRGB to CIE XYZ (IEC 61966-2-1); a row adds up to that coordinate of white.
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
#: Eight times what is just noticed: told apart in a legend and in lines that cross.
APART = 18

PALETTES = {
    "emotions": figures.EMOTION_COLOURS,
    "series": dict(enumerate(figures.SERIES_COLOURS)),
    "sources": figures.SOURCE_COLOURS,
    "marks beside what is recorded": dict(enumerate((*figures.MARK_COLOURS, figures.SOURCE_COLOURS["recorded"]))),
    "verdicts": scoreboard.VERDICT_COLOURS,
}


def linear(colour):
    """``#rrggbb`` to linear RGB in [0, 1], (3,)."""
    levels = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    return np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    """Linear RGB to CIELAB, (3,)."""
    ratio = TO_XYZ @ np.clip(rgb, 0, 1) / TO_XYZ.sum(axis=1)
    bent = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * bent[1] - 16, 500 * (bent[0] - bent[1]), 200 * (bent[1] - bent[2])])


def distance(one, other, seen):
    return np.linalg.norm(lab(SEEN[seen] @ linear(one)) - lab(SEEN[seen] @ linear(other)))


@pytest.mark.parametrize("seen", SEEN)
@pytest.mark.parametrize("name", PALETTES)
def test_colours_stay_apart(name, seen):
    palette = PALETTES[name]
    close = {
        (one, other): round(float(found), 1)
        for one, other in combinations(palette, 2)
        if (found := distance(palette[one], palette[other], seen)) < APART
    }
    assert not close


def test_the_simulation_sees_what_it_should():
    """Greys stay as they are; red and green come close for two kinds of readers, not for the third."""
    for seen, matrix in SEEN.items():
        assert np.allclose(matrix.sum(axis=1), 1, atol=2e-6)
        assert distance("#000000", "#ffffff", seen) == pytest.approx(100, abs=0.1)
    found = {seen: distance("#b05a2a", "#6f7a1e", seen) for seen in SEEN}
    assert found["deuteranopia"] < APART < found["with three kinds of cones"]
    assert found["tritanopia"] > APART
