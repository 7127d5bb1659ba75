"""The synthetic face: two emotions, the share of the second, and an intensity; painted when the page runs."""

from dataclasses import replace
from functools import cache

import numpy as np
from IPython.display import HTML

from ferbook.book.interactive import widget
from ferbook.book.interactive.widget import Control, Picture, Text
from ferbook.faces.emotions import EMOTIONS, VAD_AXES
from ferbook.measures import figures
from ferbook.synthesis import ACTION_UNITS, Faces, render

#: Emotions to choose from; neutral is intensity 0 of each.
CHOICES = EMOTIONS[1:]
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
INTENSITIES = (0.0, 0.25, 0.5, 0.75, 1.0)
#: Side in pixels of a picture.
SIDE = 76


def mixed(first: str, second: str, share: float) -> tuple[float, ...]:
    """The emotion distribution (8,) of `first` with that share of `second`."""
    eye = np.eye(len(EMOTIONS))
    return tuple((1 - share) * eye[EMOTIONS.index(first)] + share * eye[EMOTIONS.index(second)])


def posed(person: Faces, mixtures: list[tuple[float, ...]], intensities: list[float]) -> Faces:
    """One person with each expression, without the grain of a camera, which takes most of a small file."""
    scene = person.scene.copy()
    scene["grain"] = 0
    one = replace(person, scene=scene)[np.zeros(len(mixtures), int)]
    return one.with_expression(np.array(mixtures), np.array(intensities))


def blend(person: Faces) -> HTML:
    """Any two emotions of one person. person: a ``Faces`` of length one."""
    places: dict[tuple[tuple[float, ...], float], int] = {}
    for first in CHOICES:
        for second in CHOICES:
            for share in SHARES:
                for intensity in INTENSITIES:
                    places.setdefault(_key(first, second, share, intensity), len(places))
    faces = posed(person, [mixture for mixture, _ in places], [intensity for _, intensity in places])
    units, vad = faces.action_units, faces.vad

    def at(*state: object) -> int:
        return places[_key(*state)]

    @cache
    def moved(place: int) -> str:
        strongest = [k for k in np.argsort(-units[place], kind="stable")[:4] if units[place, k] > 0.05]
        return ", ".join(f"{ACTION_UNITS[k]} {units[place, k]:.2f}" for k in strongest) or "none"

    def said(first: str, second: str, share: float, intensity: float) -> str:
        mixture = mixed(first, second, share)
        return ", ".join(f"{mixture[k]:.0%} {EMOTIONS[k]}" for k in np.argsort(mixture)[::-1] if mixture[k])

    over = ["first", "second", "share", "intensity"]
    axes = [Text(axis, over, lambda *state, k=k: f"{vad[at(*state), k]:+z.2f}") for k, axis in enumerate(VAD_AXES)]
    return widget.figure(
        "mixture",
        "Mix two emotions",
        [
            Control("share", "share of the second", SHARES, 2, "{:.0%}".format),
            Control("intensity", "intensity", INTENSITIES, 3, "{:g}".format),
            Control("first", "first emotion", CHOICES, CHOICES.index("happiness"), kind="choice"),
            Control("second", "second emotion", CHOICES, CHOICES.index("surprise"), kind="choice"),
        ],
        [
            Picture(
                over,
                at,
                render(faces, size=SIDE, colour=True),
                lambda *state: f"Painted face: {said(*state)}, intensity {state[-1]:g}",
                quality=40,
            ),
            Text("emotion distribution", over, said),
            *axes,
            Text("strongest action units", over, lambda *state: moved(at(*state))),
        ],
        still=_still(person),
        alt="Painted face of one person, happiness turning to surprise in five steps, at a low and at a high intensity",
    )


def _key(first: str, second: str, share: float, intensity: float) -> tuple[tuple[float, ...], float]:
    """What tells pictures apart: at intensity 0 nothing does."""
    return (mixed(first, second, share), intensity) if intensity else (mixed(CHOICES[0], CHOICES[0], 0), 0.0)


def _still(person: Faces):
    levels = (0.5, 1.0)
    faces = posed(
        person,
        [mixed("happiness", "surprise", share) for _ in levels for share in SHARES],
        [level for level in levels for _ in SHARES],
    )
    return figures.sheet(
        render(faces, size=112, colour=True),
        [f"intensity {level:g}" for level in levels],
        [f"{share:.0%}" for share in SHARES],
        cell=0.95,
    )
