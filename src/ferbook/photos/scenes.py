"""Photographs with a known truth: synthetic heads side by side before a plain wall."""

import numpy as np

from ferbook.synthesis import render, sample
from ferbook.synthesis.sample import Faces

#: Height and width of a scene, and the side of a head in it, in pixels.
SIZE, HEAD = (480, 640), 200
#: Heads that fit.
MOST = SIZE[1] // HEAD


def scene(count: int, seed: int = 0) -> tuple[np.ndarray, Faces, np.ndarray]:
    """A photograph of up to ``MOST`` synthetic people.

    Returns
    -------
    uint8 (480, 640, 3); the faces with their truth; and (count, 2), where the middle of each head is, in pixels.

    Raises
    ------
    ValueError: if there are more than fit, or none.
    """
    if not 1 <= count <= MOST:
        raise ValueError(f"a scene holds 1 to {MOST} heads, not {count}")
    rng = np.random.default_rng(seed)
    people = sample(count, seed=seed, split="test", framing="head", occlusion="none")
    heads = render(people, size=HEAD, colour=True)
    pixels = np.full((*SIZE, 3), rng.integers(90, 200, 3), np.uint8)
    middles = np.empty((count, 2))
    for place, head in enumerate(heads):
        left = round((place + 0.5) * SIZE[1] / count - HEAD / 2)
        top = int(rng.integers(20, SIZE[0] - HEAD - 20))
        pixels[top : top + HEAD, left : left + HEAD] = head
        middles[place] = left + HEAD / 2, top + HEAD / 2
    return pixels, people, middles


def nearest(boxes: np.ndarray, middles: np.ndarray) -> np.ndarray:
    """Which head each box (F, 4) belongs to, (F,): the one whose middle (N, 2) is nearest to the box's."""
    centres = (boxes[:, None, :2] + boxes[:, None, 2:]) / 2
    return ((centres - middles) ** 2).sum(axis=2).argmin(axis=1)
