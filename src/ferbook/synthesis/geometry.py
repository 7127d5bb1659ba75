"""Where things are: how action units move the features, how a pose moves the head, and where landmarks land in pixels.

Painting and ground truth read the same controls and the same camera, so they cannot disagree. The camera is
orthographic: a point (x, y, z) of the head is turned by yaw, then pitch, then roll about the anchor (a point between
the eyes and the nose), scaled and shifted into the frame.

Signs: positive yaw turns the nose to the right of the image, positive pitch turns it up, positive roll tilts the head
clockwise as seen in the image.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ferbook.synthesis.action_units import ACTION_UNITS

#: y of the point of the face that sits in the middle of the frame and about which the head turns.
ANCHOR = 0.14

#: Names of the five landmarks, in order; left and right are sides of the image.
LANDMARKS = ("left eye", "right eye", "nose tip", "left mouth corner", "right mouth corner")

# The smooth stand-in for the depth of the head, in face units: an elliptic paraboloid, zero at the outline, and a nose.
DEPTH, DEPTH_X, DEPTH_Y, DEPTH_Y0 = 0.58, 0.70, 1.12, 0.05
NOSE_HEIGHT, NOSE_X, NOSE_Y, NOSE_Y0 = 0.19, 0.26, 0.34, 0.33


def depth(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Depth of the face towards the camera at (x, y), in face units; the renderer evaluates the same formula."""
    dome = 1.0 - (x / DEPTH_X) ** 2 - ((y - DEPTH_Y0) / DEPTH_Y) ** 2
    nose = np.maximum(1.0 - (x / NOSE_X) ** 2 - ((y - NOSE_Y0) / NOSE_Y) ** 2, 0.0)
    return DEPTH * np.maximum(dome, 0.0) + NOSE_HEIGHT * nose**2


@dataclass(frozen=True)
class Camera:
    """Sines and cosines of the pose and the placement in the frame, each (N,)."""

    yaw_sin: np.ndarray
    yaw_cos: np.ndarray
    pitch_sin: np.ndarray
    pitch_cos: np.ndarray
    roll_sin: np.ndarray
    roll_cos: np.ndarray
    span: np.ndarray
    shift_x: np.ndarray
    shift_y: np.ndarray


def camera(pose: np.ndarray, frame: np.ndarray) -> Camera:
    """The camera of poses (N, 3) in degrees and frames (N, 3): face units per frame side, shift right and down.

    The shift is in shares of the frame.
    """
    angles = np.deg2rad(np.ascontiguousarray(pose.T, np.float64))
    sine, cosine = np.sin(angles), np.cos(angles)
    span, shift_x, shift_y = np.ascontiguousarray(frame.T, np.float64)
    return Camera(sine[0], cosine[0], sine[1], cosine[1], sine[2], cosine[2], span, shift_x * span, shift_y * span)


def project(points: np.ndarray, view: Camera, size: int) -> np.ndarray:
    """Pixels (N, K, 2) of points (N, K, 3) of the head (face units, z towards the camera) in an image of `size` pixels.

    Pixel coordinates follow the arrays: (0, 0) is the centre of the first pixel.
    """
    x, y, z = points[..., 0], points[..., 1] - ANCHOR, points[..., 2]

    def each(value: np.ndarray) -> np.ndarray:
        return value[:, None]

    u = each(view.yaw_cos) * x + each(view.yaw_sin) * z
    turned = each(view.yaw_cos) * z - each(view.yaw_sin) * x
    v = each(view.pitch_cos) * y - each(view.pitch_sin) * turned
    right = each(view.roll_cos) * u - each(view.roll_sin) * v + each(view.shift_x)
    down = each(view.roll_sin) * u + each(view.roll_cos) * v + each(view.shift_y)
    pixels = np.stack([right, down], axis=-1) / view.span[:, None, None] + 0.5
    return pixels * size - 0.5


def controls(sides: np.ndarray, person: np.ndarray) -> dict[str, np.ndarray]:
    """Positions and sizes of the movable features, each (N, 2): the left and the right half of the image.

    Parameters
    ----------
    sides: (N, A, 2) action units in [0, 1].
    person: (N,) traits, dtype `identity.PERSON`.
    """
    au = {name: sides[:, i, :] for i, name in enumerate(ACTION_UNITS)}

    def trait(name: str) -> np.ndarray:
        return person[name].astype(np.float64)[:, None]

    def both(value: np.ndarray) -> np.ndarray:
        """Things on the midline take the mean of the two sides."""
        return np.broadcast_to(0.5 * (value[:, :1] + value[:, 1:]), value.shape)

    raised = au["AU1"] * (1.0 - 0.15 * au["AU4"])
    # The brow lowerer draws the brows together; its pull on the inner end yields to the inner brow raiser, which makes
    # the oblique brows of sadness.
    lowered = au["AU4"] * (1.0 - 0.75 * au["AU1"])
    out: dict[str, np.ndarray] = {}
    out["brow_inner_x"] = 0.105 - 0.038 * au["AU4"] - 0.012 * au["AU9"]
    out["brow_inner"] = trait("brow_y") + trait("brow_slant") - 0.110 * raised + 0.124 * lowered + 0.045 * au["AU9"]
    out["brow_middle"] = (
        trait("brow_y")
        - trait("brow_arch")
        - 0.042 * au["AU1"]
        - 0.085 * au["AU2"]
        + 0.062 * au["AU4"]
        + 0.02 * au["AU9"]
    )
    out["brow_outer"] = (
        trait("brow_y") - trait("brow_slant") + 0.020 - 0.095 * au["AU2"] - 0.012 * au["AU4"] + 0.015 * au["AU6"]
    )
    squeeze = np.clip(0.42 * au["AU7"] + 0.22 * au["AU6"] + 0.30 * au["AU9"], 0.0, 0.75)
    slack = 1.0 - 0.85 * au["AU43"]
    widen = 1.0 + 0.65 * au["AU5"] * (1.0 - 0.3 * au["AU7"])
    out["lid_upper"] = trait("eye_open") * (widen - 0.6 * squeeze - 0.10 * au["AU4"]) * slack
    out["lid_lower"] = 0.62 * trait("eye_open") * (1.0 + 0.18 * au["AU5"] - squeeze - 0.35 * au["AU6"]) + 0.004
    # Raised inner brows pull the lids up at the nose; a tight brow pushes them down there.
    out["lid_slant"] = 0.25 * au["AU1"] * (1.0 - au["AU5"]) - 0.45 * lowered

    jaw = both(np.clip(0.14 * au["AU26"] + 0.24 * au["AU27"], 0.0, 0.28))
    pressed = np.clip(0.75 * au["AU24"] + 0.45 * au["AU23"], 0.0, 0.85)
    parted = both(au["AU25"]) * (1.0 - pressed)
    out["jaw"] = jaw
    out["mouth_width"] = trait("mouth_width") * (
        1.0
        + 0.32 * au["AU12"]
        + 0.10 * au["AU14"]
        + 0.27 * au["AU20"]
        - 0.13 * au["AU23"]
        - 0.08 * au["AU17"]
        - 1.15 * jaw * (1.0 - au["AU20"]) * (1.0 - 0.8 * au["AU12"])
    )
    pulled = 0.128 * au["AU12"] + 0.065 * au["AU14"] - 0.055 * au["AU15"] - 0.015 * au["AU23"]
    out["corner"] = trait("mouth_rest") - pulled + 0.3 * jaw
    out["hook"] = 0.057 * au["AU15"] - 0.020 * au["AU14"] - 0.02 * au["AU12"] + 0.030 * au["AU20"]
    out["mouth_shift"] = both(0.030 * au["AU12"] - 0.040 * au["AU10"] - 0.035 * au["AU17"] - 0.02 * au["AU9"])
    bared = 1.2 * au["AU10"] + 0.5 * au["AU12"] + 0.4 * au["AU20"]
    out["open_upper"] = 0.014 * parted + 0.12 * jaw + 0.044 * bared * np.maximum(parted, 0.15)
    out["open_lower"] = 0.036 * parted + 0.90 * jaw + 0.030 * au["AU12"] * parted + 0.030 * au["AU20"] * parted
    out["round"] = both(np.clip(3.5 * jaw, 0.0, 1.0)) * (1.0 - 0.8 * both(au["AU12"])) * (1.0 - 0.7 * both(au["AU20"]))
    thin = (1.0 - 0.6 * pressed) * (1.0 - 0.28 * au["AU12"]) * (1.0 - 0.2 * au["AU20"])
    out["lip_upper"] = trait("lip_upper") * thin * (1.0 + 0.35 * au["AU10"] - 0.25 * au["AU17"])
    out["lip_lower"] = trait("lip_lower") * thin * (1.0 + 0.25 * au["AU17"])
    out["cheek"] = np.clip(0.75 * au["AU6"] + 0.45 * au["AU12"] + 0.2 * au["AU9"], 0.0, 1.2)
    fold = 0.55 * au["AU12"] + 0.50 * au["AU10"] + 0.40 * au["AU9"] + 0.25 * au["AU6"] + 0.15 * au["AU20"]
    out["fold"] = np.clip(fold * (1.0 - 0.35 * trait("child")) + 0.60 * trait("wrinkles"), 0.0, 1.15)
    frown = np.clip(au["AU4"] * (1.0 - 0.3 * au["AU1"]) + 0.5 * au["AU9"], 0.0, 1.1)
    out["frown"] = frown * (1.0 - 0.5 * trait("child"))
    lines = np.clip(0.8 * au["AU1"] + 0.8 * au["AU2"], 0.0, 1.3) * (1.0 - 0.6 * trait("child"))
    out["forehead"] = np.clip(0.75 * lines + 0.60 * trait("wrinkles"), 0.0, 1.3)
    out["crow"] = np.clip(0.8 * au["AU6"] * (1.0 - 0.6 * trait("child")) + 0.35 * trait("wrinkles"), 0.0, 1.2)
    out["snarl"] = np.clip(au["AU9"] + 0.3 * au["AU10"], 0.0, 1.2)
    out["dimple"] = np.clip(0.95 * au["AU14"] + 0.3 * au["AU12"], 0.0, 1.1)
    out["boss"] = both(au["AU17"])
    return {name: np.broadcast_to(value, (len(person), 2)) for name, value in out.items()}


def landmarks(sides: np.ndarray, person: np.ndarray, pose: np.ndarray, frame: np.ndarray, size: int) -> np.ndarray:
    """The five landmarks (N, 5, 2) in pixels x, y, in the order of `LANDMARKS`, in an image of `size` pixels.

    Eyes are midway between the corners of the eye, whatever the gaze; the nose tip is the foremost point of the nose;
    mouth corners are where the lips meet.
    """
    moved = controls(sides, person)
    eye, nose = person["eye_x"].astype(np.float64), person["nose_y"].astype(np.float64)
    nose = nose - 0.025 * (0.5 * (moved["snarl"][:, 0] + moved["snarl"][:, 1]))
    corner = person["mouth_y"].astype(np.float64)[:, None] + moved["mouth_shift"] + moved["corner"] + moved["hook"]
    wide = moved["mouth_width"]
    zero = np.zeros_like(eye)
    x = np.stack([-eye, eye, zero, -wide[:, 0], wide[:, 1]], axis=1)
    y = np.stack([zero, zero, nose, corner[:, 0], corner[:, 1]], axis=1)
    points = np.stack([x, y, depth(x, y)], axis=2)
    return project(points, camera(pose, frame), size)
