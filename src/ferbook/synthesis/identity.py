"""Who a face belongs to: every lasting trait, drawn from the identity's number alone.

Lengths are in face units: half the height of the head (crown to chin) is 1, x runs right and y down in the image, and
the line between the eyes is y = 0. Colours are linear light in [0, 1].
"""

from __future__ import annotations

import numpy as np

from ferbook.synthesis.randomness import derive, normals, uniforms

#: The traits of a person, as fields of a structured array.
PERSON = np.dtype(
    [
        ("years", "f4"),
        ("child", "f4"),  # 1 for a small child, 0 from 16 years on
        ("old", "f4"),  # 0 up to 42 years, 1 from 78 on
        ("width", "f4"),  # half width of the head at the cheekbones
        ("jaw", "f4"),  # how much of that width is lost towards the chin
        ("square", "f4"),  # squareness of the jaw
        ("crown", "f4"),  # squareness of the top of the skull
        ("chin", "f4"),  # y of the chin
        ("cheekbone", "f4"),
        ("gaunt", "f4"),
        ("ridge", "f4"),  # brow ridge
        ("eye_x", "f4"),
        ("eye_width", "f4"),
        ("eye_open", "f4"),
        ("eye_tilt", "f4"),
        ("crease", "f4"),  # depth of the fold above the upper lid
        ("iris_size", "f4"),
        ("brow_y", "f4"),
        ("brow_arch", "f4"),
        ("brow_slant", "f4"),
        ("brow_thick", "f4"),
        ("brow_dark", "f4"),
        ("nose_y", "f4"),  # y of the tip
        ("nose_width", "f4"),
        ("nose_bridge", "f4"),
        ("nose_tip", "f4"),
        ("mouth_y", "f4"),
        ("mouth_width", "f4"),
        ("mouth_rest", "f4"),  # how far the corners hang at rest
        ("lip_upper", "f4"),
        ("lip_lower", "f4"),
        ("ear", "f4"),
        ("wrinkles", "f4"),
        ("freckles", "f4"),
        ("skin", "f4", (3,)),
        ("lips", "f4", (3,)),
        ("iris", "f4", (3,)),
        ("hair", "f4", (3,)),
        ("bald", "f4"),  # 1 without hair on top
        ("hair_volume", "f4"),
        ("hair_line", "f4"),  # y of the hairline on the middle of the forehead
        ("hair_side", "f4"),  # how far down the hairline comes at the temples
        ("hair_length", "f4"),  # y down to which hair hangs behind the head
        ("hair_peak", "f4"),
        ("hair_part", "f4"),
        ("curl", "f4"),
        ("beard", "f4"),
        ("moustache", "f4"),
        ("glasses", "f4"),
        ("glasses_size", "f4"),
        ("glasses_round", "f4"),
        ("glasses_thick", "f4"),
        ("glasses_colour", "f4", (3,)),
    ]
)

# Skin from light to dark and hair colours, as display values (squared below: the renderer's display gamma is 2).
_SKIN = np.array([[0.95, 0.80, 0.73], [0.90, 0.71, 0.60], [0.79, 0.60, 0.47], [0.64, 0.46, 0.35], [0.50, 0.345, 0.26],
                  [0.39, 0.265, 0.20]])  # fmt: skip
_HAIR = np.array([[0.11, 0.095, 0.09], [0.21, 0.15, 0.12], [0.35, 0.24, 0.17], [0.50, 0.29, 0.18], [0.73, 0.58, 0.37]])
_IRIS = np.array([[0.20, 0.12, 0.07], [0.33, 0.21, 0.11], [0.34, 0.36, 0.20], [0.30, 0.45, 0.55], [0.42, 0.48, 0.50]])
_FRAMES = np.array([[0.08, 0.08, 0.09], [0.30, 0.17, 0.10], [0.45, 0.42, 0.38], [0.36, 0.10, 0.14], [0.12, 0.18, 0.34]])


def _between(value: np.ndarray, low: float, high: float) -> np.ndarray:
    return low + (high - low) * value


def _scale(position: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Colours (N, 3) at a position in [0, 1] along a table of colours."""
    stops = np.linspace(0.0, 1.0, len(table))
    return np.stack([np.interp(position, stops, table[:, channel]) for channel in range(3)], axis=1)


def people(identity: np.ndarray) -> np.ndarray:
    """The traits of identities (N,) int64 as a structured array (N,) of dtype `PERSON`."""
    identity = np.asarray(identity, np.int64)
    keys = derive("identity", identity)
    u = iter(uniforms(keys, "traits", 48).T)
    n = iter(normals(keys, "shape", 48).T)
    out = np.zeros(len(identity), PERSON)

    years = np.interp(next(u), [0.0, 0.12, 0.55, 0.85, 1.0], [5.0, 15.0, 36.0, 60.0, 82.0])
    child = np.clip((16.0 - years) / 10.0, 0.0, 1.0)
    old = np.clip((years - 42.0) / 36.0, 0.0, 1.0)
    adult = 1.0 - child
    # One hidden trait moves jaw, brows, lips, hair length and beard together, as they go together in people.
    rugged = np.clip(np.where(next(u) < 0.5, 0.2, 0.8) + 0.12 * next(n), 0.0, 1.0)
    out["years"], out["child"], out["old"] = years, child, old

    out["width"] = 0.665 + 0.026 * next(n) + 0.02 * child + 0.012 * rugged
    out["jaw"] = 0.345 + 0.055 * next(n) - 0.10 * rugged * adult - 0.09 * child
    out["square"] = np.clip(0.48 + 0.16 * next(n) + 0.26 * (rugged - 0.5) * adult, 0.1, 0.95)
    out["crown"] = np.clip(0.25 + 0.12 * next(n), 0.0, 0.6)
    out["chin"] = 1.0 + 0.03 * next(n) - 0.10 * child + 0.03 * rugged * adult
    out["cheekbone"] = np.clip(0.65 + 0.25 * next(n), 0.1, 1.3) * (1.0 - 0.6 * child)
    out["gaunt"] = np.clip(0.35 + 0.3 * next(n) + 0.35 * old, 0.0, 1.1) * adult
    out["ridge"] = np.clip(0.25 + 0.75 * rugged * adult + 0.15 * next(n), 0.0, 1.2)
    out["eye_x"] = 0.280 + 0.010 * next(n) + 0.01 * child
    out["eye_width"] = 0.148 + 0.008 * next(n) + 0.010 * child
    out["eye_open"] = 0.070 + 0.005 * next(n) + 0.010 * child - 0.010 * old
    out["eye_tilt"] = 0.012 + 0.014 * next(n)
    out["crease"] = np.clip(0.7 + 0.35 * next(n), 0.0, 1.3)
    out["iris_size"] = 0.066 + 0.003 * next(n) + 0.005 * child
    out["brow_y"] = -0.205 + 0.013 * next(n) + 0.020 * rugged * adult
    out["brow_arch"] = 0.038 + 0.011 * next(n) - 0.018 * rugged
    out["brow_slant"] = 0.009 * next(n)
    out["brow_thick"] = np.clip(0.036 + 0.007 * next(n) + 0.014 * rugged * adult, 0.022, 0.07)
    out["nose_y"] = 0.365 + 0.022 * next(n) - 0.05 * child
    out["nose_width"] = np.clip(1.0 + 0.14 * next(n) + 0.10 * rugged, 0.7, 1.5)
    out["nose_bridge"] = np.clip(0.85 + 0.22 * next(n), 0.3, 1.5) * (1.0 - 0.5 * child)
    out["nose_tip"] = np.clip(1.0 + 0.15 * next(n), 0.6, 1.5)
    out["mouth_y"] = 0.640 + 0.014 * next(n) - 0.05 * child
    out["mouth_width"] = 0.221 + 0.013 * next(n) - 0.016 * child
    out["mouth_rest"] = -0.006 + 0.007 * next(n) + 0.012 * old
    fullness = np.clip(1.0 + 0.22 * next(n) - 0.18 * (rugged - 0.5) - 0.28 * old, 0.45, 1.7)
    out["lip_upper"] = 0.050 * fullness * (1.0 + 0.12 * next(n))
    out["lip_lower"] = 0.070 * fullness * (1.0 + 0.12 * next(n))
    out["ear"] = 1.0 + 0.12 * next(n) + 0.12 * old
    out["wrinkles"] = np.clip(old * (0.8 + 0.3 * next(n)) + 0.08 * (years > 28.0), 0.0, 1.2)
    out["freckles"] = np.clip(next(u) * 3.0 - 2.2, 0.0, 0.8) * (1.0 - old)

    tone = next(u)
    # Ruddy against sallow is the main difference at one depth of tone.
    ruddy = 0.012 * next(n)
    skin = _scale(tone, _SKIN) * (1.0 + np.stack([ruddy, -ruddy, 0.012 * next(n) - ruddy], axis=1))
    out["skin"] = np.clip(skin, 0.05, 0.98) ** 2
    redness = _between(next(u), 0.25, 0.95) * (1.0 - 0.35 * rugged)
    rosy = skin * np.array([0.92, 0.56, 0.57])
    out["lips"] = (skin * 0.88 * (1.0 - redness[:, None]) + rosy * redness[:, None]) ** 2
    # Light hair and eyes are rare with dark skin.
    fair = np.clip(1.15 - 1.6 * tone, 0.02, 1.0)
    out["iris"] = _scale(next(u) * fair, _IRIS) ** 2
    hair = _scale(np.clip(next(u) * (0.15 + fair) + 0.10 * child * fair, 0.0, 1.0), _HAIR)
    grey = np.clip((years - 40.0) / 32.0 + 0.5 * (next(u) - 0.6), 0.0, 1.0)[:, None]
    hair = hair * (1.0 - grey) + np.array([0.72, 0.72, 0.73]) * grey * _between(next(u), 0.7, 1.0)[:, None]
    out["hair"] = hair**2
    out["brow_dark"] = np.clip(0.85 + 0.15 * next(n) - 0.25 * grey[:, 0], 0.45, 1.0)

    bald = (next(u) < 0.22 * (years > 30.0)) & (rugged > 0.5)
    long = (next(u) < np.where(rugged < 0.5, 0.72, 0.06)) & ~bald
    curl = np.clip((next(u) - 0.55) * 2.6 + 0.9 * (tone > 0.72), 0.0, 1.0)
    fringe = (next(u) < np.where(rugged < 0.5, 0.35, 0.22) + 0.25 * child) & ~bald
    volume = _between(next(u), 0.05, 0.14) + 0.13 * curl * next(u) + 0.02 * long
    shaved = bald & (next(u) < 0.4)
    out["bald"] = shaved
    out["hair_volume"] = np.where(bald, 0.012, volume)
    out["hair_line"] = np.where(fringe, _between(next(u), -0.50, -0.37), -0.60 - 0.05 * next(n) - 0.10 * old * rugged)
    out["hair_side"] = np.where(long, _between(next(u), 0.75, 1.5), _between(next(u), 0.42, 0.72))
    out["hair_length"] = np.where(long, _between(next(u), 0.55, 1.9), _between(next(u), -0.05, 0.22))
    # A bald head keeps hair at the sides unless it is shaved: its hairline lies above the crown.
    out["hair_line"][bald], out["hair_side"][bald] = -1.25, 0.92
    out["hair_peak"] = np.where(fringe, 0.02, 0.055) * next(n) - 0.05 * old * rugged
    out["hair_part"] = np.where(fringe, 0.06, 0.14) * next(n)
    out["curl"] = curl

    bearded = (rugged > 0.5) & (years > 20.0)
    growth, style = next(u), next(u)
    out["beard"] = np.where(bearded & (growth > 0.45), np.clip((growth - 0.45) * 2.6, 0.15, 1.0), 0.0) * (style < 0.8)
    out["moustache"] = np.where(style < 0.7, out["beard"], np.where(bearded & (growth > 0.75), 0.9, 0.0))
    out["glasses"] = next(u) < 0.10 + 0.30 * old
    out["glasses_size"] = _between(next(u), 0.88, 1.15)
    out["glasses_round"] = next(u)
    out["glasses_thick"] = _between(next(u), 0.014, 0.034)
    out["glasses_colour"] = _scale(next(u), _FRAMES) ** 2
    return out
