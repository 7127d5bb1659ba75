"""Synthetic faces with known truth, and the votes of ten simulated annotators: the default of every chapter.

What is known exactly about each face stands in the ``FaceSet``: ``distribution`` (the true mixture), ``intensity``,
``vad``, ``action_units``, ``landmarks``, ``pose`` and ``subject`` (who is shown). ``votes`` are what a crowd would say.
"""

import hashlib
from pathlib import Path

import numpy as np

from ferbook import synthesis
from ferbook.core import dependencies
from ferbook.core.errors import ConfigError
from ferbook.datasets import cache
from ferbook.faces import raters
from ferbook.faces.faceset import SPLITS, FaceSet

#: Share of the faces in each part; no person appears in two parts.
SHARES: dict[str, float] = {"train": 0.8, "valid": 0.1, "test": 0.1}

#: How often each emotion is shown, in the order of ``EMOTIONS``: close to FER+'s imbalance, with the rare ones a little
#: less rare, so that a few thousand faces hold some of each.
PRIOR: tuple[float, ...] = (0.29, 0.24, 0.13, 0.13, 0.10, 0.03, 0.05, 0.03)


def load(
    root: str | Path | None = None,
    *,
    count: int = 4000,
    size: int = 48,
    colour: bool = False,
    seed: int = 0,
    prior: tuple[float, ...] | None = PRIOR,
) -> FaceSet:
    """Draw and render `count` faces, or take them from the prepared copy.

    Parameters
    ----------
    root: not used; every reader takes one.
    count: how many faces; at least 10, so that each part has one.
    size: pixels, 48 to 448.
    colour: RGB instead of grey.
    seed: another seed, other people and other expressions.
    prior: how often each emotion leads, (8,); None for all alike.

    Raises
    ------
    ConfigError: if a setting is out of range; names it.
    """
    if count < 10:
        raise ConfigError("count", f"{count} faces cannot fill three parts", "Ask for 10 or more.")
    source = f"synthetic {count} {size} {colour} {seed} {prior}"
    # A face depends on the code that draws it, so that code is the source whose change renews the prepared copy.
    code = dependencies.running(Path(__file__))
    mark = hashlib.sha256(f"{source} {code}".encode()).hexdigest()
    return cache.prepared("synthetic", source, mark, lambda: _draw(count, size, colour, seed, prior))


def _draw(count: int, size: int, colour: bool, seed: int, prior: tuple[float, ...] | None) -> FaceSet:
    held_out = {part: round(SHARES[part] * count) for part in SPLITS[1:]}
    sizes = {"train": count - sum(held_out.values()), **held_out}
    drawn = {part: synthesis.sample(number, seed=seed, split=part, prior=prior) for part, number in sizes.items()}

    def joined(read) -> np.ndarray:
        return np.concatenate([np.asarray(read(faces)) for faces in drawn.values()])

    mixture, intensity = joined(lambda f: f.mixture), joined(lambda f: f.intensity)
    return FaceSet(
        name="synthetic",
        images=joined(lambda f: synthesis.render(f, size=size, colour=colour)),
        ids=np.array([f"synthetic-{part}-{seed}-{i:06d}" for part, number in sizes.items() for i in range(number)]),
        split=np.repeat(SPLITS, [sizes[part] for part in SPLITS]),
        votes=raters.vote(mixture, intensity, seed=seed),
        distribution=mixture,
        vad=joined(lambda f: f.vad),
        intensity=intensity,
        subject=joined(lambda f: f.identity),
        action_units=joined(lambda f: f.action_units),
        landmarks=joined(lambda f: f.landmarks(size)),
        pose=joined(lambda f: f.pose),
        provenance={"seed": seed, "layout": "rendered"},
    )
