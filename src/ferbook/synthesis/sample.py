"""Drawing faces: who, with which expression, in which pose, under which light; and the truth about each of them.

Face i of a draw is a pure function of (seed, split, i): asking for more faces, or for a part of them, changes
nothing. Who a face belongs to is a number; the traits of that person are a function of the number alone, and the three
splits own disjoint numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from ferbook.core.errors import ConfigError
from ferbook.faces.emotions import EMOTIONS, canonical, vad_matrix
from ferbook.faces.faceset import SPLITS
from ferbook.synthesis import geometry
from ferbook.synthesis.action_units import express
from ferbook.synthesis.identity import people
from ferbook.synthesis.randomness import derive, normals, uniforms

#: Share of the frame's height that the head (crown to chin) takes, by name. "tight" is the crop of FER2013.
FRAMINGS: dict[str, float] = {"tight": 0.98, "head": 0.74, "loose": 0.42}

#: What may cover a part of the face, in the order of the codes in ``Faces.scene["cover"]``.
COVERS: tuple[str, ...] = ("none", "hand", "mask")

#: Everything about a picture that is neither person, expression nor pose, as fields of a structured array.
SCENE = np.dtype(
    [
        ("frame", "f8", (3,)),  # face units per frame side, shift right and down in shares of the frame
        ("light", "f4", (3,)),  # direction towards the light: right, down, towards the camera
        ("key", "f4"),  # strength of that light
        ("fill", "f4"),  # strength of the light from everywhere
        ("tint", "f4", (3,)),
        ("exposure", "f4"),
        ("grain", "f4"),  # standard deviation of the sensor noise on the display scale
        ("back", "f4", (2, 3)),  # two colours of the background
        ("clothes", "f4", (3,)),
        ("offset", "i4", (4, 2)),  # where in the noise tiles to read: background, skin, hair, sensor
        ("gaze", "f4", (2,)),
        ("cover", "i4"),  # index into COVERS
        ("cover_at", "f4", (4,)),  # four uniform draws that place it
    ]
)


@dataclass(frozen=True, eq=False)
class Faces:
    """N faces before they are painted: every parameter, and the truth about each.

    Parameters
    ----------
    index: (N,) int64, position in the draw.
    key: (N,) uint64, the random key of the face.
    identity: (N,) int64, number of the person.
    mixture: (N, 8) shares of the emotions in the order of ``EMOTIONS``; rows sum to 1.
    intensity: (N,) strength of the expression in [0, 1].
    jitter: (N,) size of the quirks of the expression, 1 natural, 0 textbook.
    sides: (N, A, 2) action units of the left and right half of the image, in [0, 1].
    person: (N,) traits, dtype ``identity.PERSON``.
    scene: (N,) light, background, framing and occlusion, dtype ``SCENE``.
    pose: (N, 3) yaw, pitch, roll in degrees; positive turns the nose right, up, and the head clockwise in the image.
    """

    index: np.ndarray
    key: np.ndarray
    identity: np.ndarray
    mixture: np.ndarray
    intensity: np.ndarray
    jitter: np.ndarray
    sides: np.ndarray
    person: np.ndarray
    scene: np.ndarray
    pose: np.ndarray

    def __len__(self) -> int:
        """N."""
        return len(self.index)

    def __getitem__(self, selection: int | slice | Sequence[int] | np.ndarray) -> Faces:
        """The faces at an index, a slice, an index array or under a mask; always a ``Faces``, also for one."""
        if isinstance(selection, (int, np.integer)):
            selection = [selection]
        return Faces(**{field.name: getattr(self, field.name)[selection] for field in fields(self)})

    @property
    def distribution(self) -> np.ndarray:
        """(N, 8) shares of the emotions, in the order of ``EMOTIONS``; the same array as ``mixture``."""
        return self.mixture

    @property
    def label(self) -> np.ndarray:
        """(N,) int64 index of the emotion with the largest share."""
        return np.argmax(self.mixture, axis=1)

    @property
    def vad(self) -> np.ndarray:
        """(N, 3) valence, arousal, dominance in [-1, 1]: intensity times the mixture of ``emotions.VAD_POINTS``."""
        points = vad_matrix()
        total = np.zeros((len(self), points.shape[1]))
        for emotion in range(len(EMOTIONS)):  # a fixed order of sums; see action_units
            total = total + self.mixture[:, emotion, None] * points[emotion]
        return total * self.intensity[:, None]

    @property
    def action_units(self) -> np.ndarray:
        """(N, A) strength in [0, 1] of each of ACTION_UNITS on the stronger side of the face."""
        return self.sides.max(axis=2)

    @property
    def cover(self) -> np.ndarray:
        """(N,) names of what covers a part of the face: "none", "hand" or "mask"."""
        return np.array(COVERS)[self.scene["cover"]]

    def landmarks(self, size: int) -> np.ndarray:
        """Five landmarks (N, 5, 2), x and y in pixels of an image of `size` pixels: left eye, right eye, nose tip, left
        and right mouth corner, where left is left in the image and (0, 0) is the centre of the first pixel.
        """
        check_size(size)
        return geometry.landmarks(self.sides, self.person, self.pose, self.scene["frame"], size)

    def with_expression(self, mixture: object = None, intensity: object = None, jitter: object = None) -> Faces:
        """The same people, poses and pictures with another expression; what is None stays.

        Parameters
        ----------
        mixture: an emotion's name, (8,) shares or (N, 8) shares.
        intensity: a number or (N,) in [0, 1].
        jitter: a number or (N,), see `sample`.

        Raises
        ------
        ConfigError: if a value is out of range or has the wrong shape.
        """
        count = len(self)
        mixed = self.mixture if mixture is None else _mixture(mixture, count)
        strength = self.intensity if intensity is None else _each("intensity", intensity, count, 0.0, 1.0)
        quirks = self.jitter if jitter is None else _each("jitter", jitter, count, 0.0, 3.0)
        sides = express(mixed, strength, self.key, quirks)
        return replace(self, mixture=mixed, intensity=strength, jitter=quirks, sides=sides)

    def with_pose(self, pose: object) -> Faces:
        """The same faces in another pose: (3,) or (N, 3) yaw, pitch and roll in degrees. Raises ConfigError."""
        return replace(self, pose=_pose(pose, len(self)))

    def with_identity(self, identity: object) -> Faces:
        """The same expressions and pictures on other people: a number or (N,) numbers. Raises ConfigError."""
        numbers = np.asarray(identity)
        if numbers.dtype.kind not in "iu" or numbers.shape not in ((), (len(self),)):
            raise ConfigError("identity", f"must be an integer or {len(self)} integers, not {identity!r}")
        numbers = np.broadcast_to(numbers.astype(np.int64), (len(self),)).copy()
        return replace(self, identity=numbers, person=people(numbers))

    def with_scene(self, **values: object) -> Faces:
        """The same faces with other values of ``SCENE`` fields, broadcast over the N faces. Raises ConfigError."""
        scene = self.scene.copy()
        for name, value in values.items():
            if name not in (SCENE.names or ()):
                raise ConfigError("scene", f"has no field {name!r}", f"Fields: {', '.join(SCENE.names or ())}.")
            scene[name] = value
        return replace(self, scene=scene)


def check_size(size: int) -> None:
    """Refuse a picture size that cannot be painted: raises ConfigError."""
    if not isinstance(size, (int, np.integer)) or not 16 <= size <= 512:
        raise ConfigError("size", f"must be an integer from 16 to 512 pixels, not {size!r}")


def _each(name: str, value: object, count: int, low: float, high: float) -> np.ndarray:
    """A number or (N,) numbers as an (N,) float64 array within [low, high]."""
    try:
        array = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        raise ConfigError(name, f"must be a number or an array of numbers, not {value!r}") from None
    if array.shape not in ((), (count,)):
        raise ConfigError(name, f"must be one number or {count} of them, not an array of shape {array.shape}")
    if not ((array >= low) & (array <= high)).all():
        raise ConfigError(name, f"must lie in [{low:g}, {high:g}]")
    return np.broadcast_to(array, (count,)).copy()


def _shares(name: str, value: object, shapes: tuple[tuple[int, ...], ...]) -> np.ndarray:
    """Non-negative shares over the emotions, scaled to sum to 1 along the last axis."""
    try:
        array = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        raise ConfigError(name, f"must be shares of the {len(EMOTIONS)} emotions, not {value!r}") from None
    if array.shape not in shapes:
        raise ConfigError(name, f"must have a shape out of {shapes}, not {array.shape}")
    if not (np.isfinite(array).all() and (array >= 0).all() and (array.sum(axis=-1) > 0).all()):
        raise ConfigError(name, "must be non-negative and not all zero")
    # Added up in a fixed order, so that a row's shares do not depend on its neighbours.
    total = sum(array[..., emotion] for emotion in range(len(EMOTIONS)))
    return array / np.asarray(total)[..., None]


def _mixture(value: object, count: int) -> np.ndarray:
    if isinstance(value, str):
        try:
            value = np.eye(len(EMOTIONS))[EMOTIONS.index(canonical(value))]
        except (KeyError, ValueError):
            raise ConfigError("mixture", f"{value!r} is no emotion", f"Known: {', '.join(EMOTIONS)}.") from None
    shares = _shares("mixture", value, ((len(EMOTIONS),), (count, len(EMOTIONS))))
    return np.broadcast_to(shares, (count, len(EMOTIONS))).copy()


def _pose(value: object, count: int) -> np.ndarray:
    try:
        array = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        raise ConfigError("pose", f"must be yaw, pitch and roll in degrees, not {value!r}") from None
    if array.shape not in ((3,), (count, 3)):
        raise ConfigError("pose", f"must have shape (3,) or ({count}, 3), not {array.shape}")
    limits = np.array([40.0, 30.0, 180.0])
    if not (np.abs(array) <= limits).all():
        raise ConfigError("pose", "must lie within 40 degrees of yaw, 30 of pitch and 180 of roll")
    return np.broadcast_to(array, (count, 3)).copy()


def _draw_mixture(key: np.ndarray, prior: np.ndarray, blends: float) -> np.ndarray:
    """One main emotion per face from the prior; in a share of the faces a second, sometimes a third one beside it."""
    count = len(key)
    u = uniforms(key, "emotions", 7)
    rows = np.arange(count)

    def pick(weights: np.ndarray, draw: np.ndarray) -> np.ndarray:
        edges = np.cumsum(weights, axis=1)
        return np.minimum((draw[:, None] * edges[:, -1:] >= edges).sum(axis=1), len(EMOTIONS) - 1)

    weights = np.broadcast_to(prior, (count, len(EMOTIONS))).copy()
    main = pick(weights, u[:, 0])
    # The others are equally likely beside it, whatever the prior: a prior of one class still blends.
    others = np.ones_like(weights)
    others[rows, main] = 0.0
    second = pick(others, u[:, 1])
    others[rows, second] = 0.0
    third = pick(others, u[:, 2])
    blended = u[:, 3] < blends
    minor = np.where(blended, 0.12 + 0.26 * u[:, 4], 0.0)
    of_third = np.where(u[:, 5] < 0.2, 0.5 * u[:, 6], 0.0) * minor
    mixture = np.zeros((count, len(EMOTIONS)))
    mixture[rows, main] = 1.0 - minor
    mixture[rows, second] += minor - of_third
    mixture[rows, third] += of_third
    return mixture


def _draw_scene(key: np.ndarray, framing: float, cover: np.ndarray) -> np.ndarray:
    u = uniforms(key, "scene", 24)
    n = normals(key, "scene", 8)
    scene = np.zeros(len(key), SCENE)
    frame = np.stack([2.0 / framing * (1.0 + 0.06 * n[:, 0]), 0.025 * n[:, 1], 0.02 * n[:, 2]], axis=1)
    scene["frame"] = frame
    # The light comes mostly from above and in front, at times hard from one side.
    right = np.clip(0.48 * n[:, 3], -1.1, 1.1)
    down = -0.25 - 0.65 * u[:, 0]
    length = np.sqrt(right * right + down * down + 1.0)
    scene["light"] = np.stack([right, down, np.ones(len(key))], axis=1) / length[:, None]
    scene["key"] = 0.75 + 0.45 * u[:, 1]
    scene["fill"] = 0.36 + 0.30 * u[:, 2]
    warm = 0.09 * (u[:, 3] - 0.25)
    scene["tint"] = np.stack([1.0 + warm, np.ones(len(key)), 1.0 - 1.3 * warm], axis=1)
    scene["exposure"] = 1.0 + 0.30 * (u[:, 4] - 0.5)
    scene["grain"] = 0.005 + 0.020 * u[:, 5] ** 3
    grey = 0.12 + 0.75 * u[:, 6:8]
    scene["back"] = np.clip(grey[:, :, None] + 0.16 * (u[:, 8:14].reshape(-1, 2, 3) - 0.5), 0.03, 0.97) ** 2
    scene["clothes"] = np.clip(0.08 + 0.65 * u[:, 14:15] + 0.35 * (u[:, 15:18] - 0.5), 0.03, 0.9) ** 2
    scene["gaze"] = np.stack([0.30 * n[:, 4], 0.22 * n[:, 5]], axis=1)
    scene["cover"] = cover
    scene["cover_at"] = u[:, 18:22]
    scene["offset"] = (uniforms(key, "offsets", 8) * 4096).astype(np.int32).reshape(-1, 4, 2)
    return scene


def sample(
    count: int,
    seed: int = 0,
    split: str = "train",
    *,
    start: int = 0,
    identities: int = 400,
    mixture: object = None,
    prior: object = None,
    blends: float = 0.25,
    intensity: object = None,
    jitter: float = 1.0,
    pose: object = None,
    framing: str | float = "tight",
    occlusion: str | float = 0.06,
) -> Faces:
    """Draw faces; face i depends on (seed, split, start + i) and on the settings, not on how many are drawn.

    Parameters
    ----------
    count: how many faces.
    seed: which draw.
    split: "train", "valid" or "test"; no person is in two of them.
    start: position in the draw of the first face.
    identities: size of the pool of people the faces are drawn from.
    mixture: an emotion's name, (8,) or (N, 8) shares of the emotions; None draws them.
    prior: (8,) shares of the main emotion where mixtures are drawn; None is uniform.
    blends: share of drawn mixtures that hold two, sometimes three emotions, in [0, 1].
    intensity: a number or (N,) numbers in [0, 1]; None draws from [0.2, 1].
    jitter: size of the quirks of expression (see `action_units.express`); 1 is natural, 0 textbook.
    pose: (3,) or (N, 3) yaw, pitch and roll in degrees; None draws them.
    framing: a name out of ``FRAMINGS`` or the share of the frame's height that the head takes, in [0.1, 1.2].
    occlusion: share of faces partly covered by a hand or a mask, in [0, 1], or one of ``COVERS`` for all.

    Raises
    ------
    ConfigError: if a setting cannot work; it names the setting.
    """
    whole = (("count", count, 0), ("start", start, 0), ("identities", identities, 1), ("seed", seed, 0))
    for name, value, least in whole:
        if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < least:
            raise ConfigError(name, f"must be an integer of at least {least}, not {value!r}")
    if split not in SPLITS:
        raise ConfigError("split", f"must be one of {', '.join(SPLITS)}, not {split!r}")
    if isinstance(framing, str):
        if framing not in FRAMINGS:
            raise ConfigError("framing", f"{framing!r} is unknown", f"Known: {', '.join(FRAMINGS)}, or a number.")
        framing = FRAMINGS[framing]
    framing = float(_each("framing", framing, 1, 0.1, 1.2)[0])

    index = np.arange(start, start + count, dtype=np.int64)
    key = derive("face", seed, split, index)
    pick = (uniforms(key, "identity", 1)[:, 0] * identities).astype(np.int64)
    # Interleaving gives every split its own numbers without an upper limit.
    identity = pick * len(SPLITS) + SPLITS.index(split)

    if mixture is None:
        even = np.full(len(EMOTIONS), 1.0 / len(EMOTIONS))
        weights = even if prior is None else _shares("prior", prior, ((len(EMOTIONS),),))
        mixed = _draw_mixture(key, weights, float(_each("blends", blends, 1, 0.0, 1.0)[0]))
    else:
        mixed = _mixture(mixture, count)
    if intensity is None:
        strength = 0.2 + 0.8 * uniforms(key, "intensity", 1)[:, 0]
    else:
        strength = _each("intensity", intensity, count, 0.0, 1.0)
    quirks = _each("jitter", jitter, count, 0.0, 3.0)
    if pose is None:
        turned = normals(key, "pose", 3) * np.array([10.0, 5.5, 5.5])
    else:
        turned = _pose(pose, count)
    if isinstance(occlusion, str):
        if occlusion not in COVERS:
            raise ConfigError("occlusion", f"{occlusion!r} is unknown", f"Known: {', '.join(COVERS)}, or a share.")
        cover = np.full(count, COVERS.index(occlusion))
    else:
        share = float(_each("occlusion", occlusion, 1, 0.0, 1.0)[0])
        drawn = uniforms(key, "occlusion", 2)
        cover = np.where(drawn[:, 0] < share, np.where(drawn[:, 1] < 0.6, 1, 2), 0)

    return Faces(
        index=index,
        key=key,
        identity=identity,
        mixture=mixed,
        intensity=strength,
        jitter=quirks,
        sides=express(mixed, strength, key, quirks),
        person=people(identity),
        scene=_draw_scene(key, framing, cover),
        pose=turned,
    )
