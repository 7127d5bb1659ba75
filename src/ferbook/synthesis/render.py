"""Painting faces: from parameters to uint8 pictures, a few faces at a time.

The order is the painter's: background, hair behind, body, ears, the head with its features, hair in front, glasses,
mask or hand; then exposure, display gamma and grain. Light is linear until the end; a grey picture is the luminance of
the linear light, painted with one channel instead of three.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from ferbook.core.errors import ConfigError
from ferbook.synthesis import features, form, geometry, hair, scenery
from ferbook.synthesis.action_units import ACTION_UNITS
from ferbook.synthesis.raster import TILE, Sheet, Values, over, ramp, tiles
from ferbook.synthesis.sample import COVERS, Faces, check_size

#: Most pixels in one unit of work: large enough that the interpreter does not count, small enough for a core's cache.
UNIT_PIXELS = 128_000

_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
_MASK_COLOURS = np.array([[0.62, 0.78, 0.86], [0.90, 0.91, 0.92], [0.16, 0.17, 0.20]]) ** 2


def render(faces: Faces, size: int = 48, colour: bool = False, chunk: int | None = None) -> np.ndarray:
    """Paint faces.

    Parameters
    ----------
    faces: N faces from `sample`.
    size: side of the square pictures in pixels, 16 to 512.
    colour: RGB instead of grey.
    chunk: how many faces are painted together; their pixels do not depend on it. None fits the processor's cache.

    Returns
    -------
    uint8 array, (N, size, size) grey or (N, size, size, 3) RGB.

    Raises
    ------
    ConfigError: if `size` or `chunk` is out of range.
    """
    check_size(size)
    if chunk is not None and (not isinstance(chunk, (int, np.integer)) or chunk < 1):
        raise ConfigError("chunk", f"must be a positive integer, not {chunk!r}")
    size, channels, count = int(size), 3 if colour else 1, len(faces)
    threads = torch.get_num_threads()
    if chunk is None:
        chunk = max(1, min(UNIT_PIXELS // (size * size), -(-count // threads)))
    band = max(1, min(size, UNIT_PIXELS // (size * min(chunk, UNIT_PIXELS // size))))
    pictures = np.empty((count, size, size, channels), np.uint8)
    values = _values(faces, channels)

    def work(unit: tuple[int, int]) -> None:
        first, top = unit
        last, bottom = min(first + chunk, count), min(top + band, size)
        with torch.inference_mode():
            painted = _paint(values.take(slice(first, last)), size, top, bottom)
            painted = painted.view(last - first, channels, bottom - top, size).permute(0, 2, 3, 1)
            pictures[first:last, top:bottom] = painted.numpy()

    units = [(first, top) for first in range(0, count, chunk) for top in range(0, size, band)]
    tiles()  # made before the threads start, so that they do not each make their own
    if threads == 1 or len(units) == 1:
        for unit in units:
            work(unit)
    else:
        # Threads share out the units, and each operation stays on its thread: planes of this size are too small to be
        # split, and splitting them stalls whenever another process takes one of the cores.
        try:
            with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
                list(pool.map(work, units))
        finally:
            torch.set_num_threads(threads)
    return pictures if colour else pictures[..., 0]


def _column(value: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(value, np.float32)).unsqueeze(1)


def _turn_back(vector: tuple[np.ndarray, ...], view: geometry.Camera) -> tuple[np.ndarray, ...]:
    """A direction from the camera's frame into the head's: roll, pitch and yaw undone in this order."""
    x, y, z = vector
    x, y = view.roll_cos * x + view.roll_sin * y, view.roll_cos * y - view.roll_sin * x
    y, z = view.pitch_cos * y + view.pitch_sin * z, view.pitch_cos * z - view.pitch_sin * y
    x, z = view.yaw_cos * x - view.yaw_sin * z, view.yaw_cos * z + view.yaw_sin * x
    return x, y, z


def _palette(faces: Faces, channels: int) -> tuple[dict[str, Tensor], np.ndarray]:
    """The colours of a picture, each (N, C, 1) linear light before exposure, and the exposure (N,)."""
    person, scene = faces.person, faces.scene
    wide = {name: person[name].astype(np.float64) for name in ("skin", "lips", "iris", "hair")}
    frame = person["glasses_colour"].astype(np.float64)
    skin = wide["skin"]
    light = skin[:, 0] * _LUMINANCE[0] + skin[:, 1] * _LUMINANCE[1] + skin[:, 2] * _LUMINANCE[2]
    # A photographer exposes for the face: dark skin is lifted, though not to the level of light skin.
    target = 0.31 * np.sqrt(light / 0.33)
    gain = target / light / 1.15
    # Sclera and teeth stand out from the skin by about the same step on the display, whatever the skin.
    white = ((0.30 + 0.42 * target) / (gain * 1.15))[:, None]
    one = np.ones((len(faces), 3))
    # What is not skin should not brighten with the exposure for dark skin.
    flat = (1.0 / gain)[:, None]
    choice = np.minimum((scene["cover_at"][:, 3] * 3).astype(np.int64), 2)
    colours = {
        "skin": skin,
        "lips": wide["lips"],
        "iris": wide["iris"] * np.minimum(1.0, flat * 1.2),
        "hair": wide["hair"] * np.minimum(1.0, flat * 1.3),
        "brow": np.minimum(wide["hair"] * 0.55, skin * 0.34),
        "beard": np.minimum(wide["hair"] * 0.9, skin * 0.45),
        "rim": skin * np.array([0.50, 0.42, 0.42]),
        "dark": skin * np.array([0.11, 0.085, 0.08]),
        "ear": skin * np.array([1.04, 0.88, 0.86]),
        "white": white * np.array([1.0, 0.97, 0.94]),
        "teeth": white * np.array([1.12, 1.06, 0.97]),
        "glint": one * flat * 1.25,
        "cavity": np.array([0.055, 0.020, 0.018]) * one * np.minimum(flat, 1.0),
        "tongue": np.array([0.42, 0.15, 0.14]) * one * np.minimum(flat, 1.0),
        "frame": frame * flat,
        "clothes": scene["clothes"].astype(np.float64) * flat * 0.85,
        "back_1": scene["back"][:, 0].astype(np.float64) * flat,
        "back_2": scene["back"][:, 1].astype(np.float64) * flat,
        "mask": _MASK_COLOURS[choice] * flat * 0.62,
    }
    tint = scene["tint"].astype(np.float64)
    out = {}
    for name, value in colours.items():
        value = value * tint
        if channels == 1:
            value = value[:, :1] * _LUMINANCE[0] + value[:, 1:2] * _LUMINANCE[1] + value[:, 2:] * _LUMINANCE[2]
        out[name] = torch.from_numpy(np.ascontiguousarray(value, np.float32)).unsqueeze(2)
    return out, gain * scene["exposure"]


def _numbers(faces: Faces, view: geometry.Camera, exposure: np.ndarray) -> dict[str, Tensor]:
    """Per-face numbers that painting needs, each (N, 1)."""
    person, scene = faces.person, faces.scene
    names = [name for name in person.dtype.names or () if person.dtype[name].shape == ()]
    one = {name: _column(person[name]) for name in names}
    direction = tuple(scene["light"][:, axis].astype(np.float64) for axis in range(3))
    half = (direction[0], direction[1], direction[2] + 1.0)
    length = np.sqrt(half[0] * half[0] + half[1] * half[1] + half[2] * half[2])
    # The surface slope runs outward, so a light from the left (negative x) lights slopes that face left.
    for prefix, vector in (("light", direction), ("half", tuple(part / length for part in half))):
        for axis, value in zip("xyz", _turn_back(vector, view), strict=True):
            one[f"{prefix}_{axis}"] = _column(value)
    for name in ("yaw_sin", "yaw_cos", "pitch_sin", "pitch_cos", "roll_sin", "roll_cos", "span", "shift_x", "shift_y"):
        one[name] = _column(getattr(view, name))
    one["bearded"] = _column((person["beard"] > 0) | (person["moustache"] > 0))
    one["hand"], one["masked"] = (_column(scene["cover"] == COVERS.index(name)) for name in ("hand", "mask"))
    one["stretch"] = _column(faces.sides[:, ACTION_UNITS.index("AU20"), :].max(axis=1))
    one["key"], one["fill"] = _column(scene["key"]), _column(scene["fill"])
    one["exposure"], one["grain"] = _column(exposure), _column(scene["grain"])
    one["gaze_x"] = _column(scene["gaze"][:, 0] * person["iris_size"] * 0.8)
    one["gaze_y"] = _column(scene["gaze"][:, 1] * person["iris_size"] * 0.5)
    # Ears and hair lie behind the outline's plane and shift against it when the head turns.
    one["behind"] = _column(0.16 * view.yaw_sin / view.yaw_cos)
    reach = person["chin"].astype(np.float64) - geometry.ANCHOR
    one["neck_x"] = _column(-0.8 * view.roll_sin * reach)
    one["chin_y"] = _column(geometry.ANCHOR + view.roll_cos * view.pitch_cos * reach)
    at = scene["cover_at"].astype(np.float64)
    side = np.where(at[:, 0] < 0.5, -1.0, 1.0)
    # Fingers point up and inwards from below, whichever side the hand comes from.
    lean = 0.25 + 0.55 * at[:, 1]
    norm = np.sqrt(1.0 + lean * lean)
    one["hand_cos"], one["hand_sin"] = _column(-side * lean / norm), _column(-1.0 / norm)
    one["hand_x"], one["hand_y"] = _column(side * (0.10 + 0.34 * at[:, 2])), _column(0.62 + 0.25 * at[:, 3])
    return one


def _values(faces: Faces, channels: int) -> Values:
    """Everything that painting needs to know of the faces."""
    view = geometry.camera(faces.pose, faces.scene["frame"])
    colours, exposure = _palette(faces, channels)
    moved = geometry.controls(faces.sides, faces.person)
    pair = {name: torch.from_numpy(np.ascontiguousarray(value, np.float32)) for name, value in moved.items()}
    offset = torch.from_numpy(faces.scene["offset"].astype(np.float32))
    return Values(_numbers(faces, view, exposure), colours, pair, offset)


def _sheet(values: Values, size: int, top: int, bottom: int) -> Sheet:
    """The pixels of rows top to bottom: where in the face each of them looks.

    The depth of the point seen at a pixel depends on the point: a few fixed-point steps solve for it.
    """
    one = values.one
    grid = (torch.arange(size, dtype=torch.float32) + 0.5) / size - 0.5
    column = grid.repeat(bottom - top).unsqueeze(0)
    row = grid[top:bottom].repeat_interleave(size).unsqueeze(0)
    span = one["span"]
    across, down = column * span - one["shift_x"], row * span - one["shift_y"]
    cosine, sine = one["roll_cos"], one["roll_sin"]
    u, v = cosine * across + sine * down, cosine * down - sine * across
    yaw_cos, yaw_sin, pitch_cos, pitch_sin = (one[key] for key in ("yaw_cos", "yaw_sin", "pitch_cos", "pitch_sin"))
    x, y = u / yaw_cos, v / pitch_cos + geometry.ANCHOR
    for _ in range(4):
        x2 = x * x
        dome = (y - geometry.DEPTH_Y0).square_().mul_(-1.0 / geometry.DEPTH_Y**2)
        dome.sub_(x2 * (1.0 / geometry.DEPTH_X**2)).add_(1.0).clamp_(min=0.0).mul_(geometry.DEPTH)
        nose = (y - geometry.NOSE_Y0).square_().mul_(-1.0 / geometry.NOSE_Y**2)
        nose.sub_(x2.mul_(1.0 / geometry.NOSE_X**2)).add_(1.0).clamp_(min=0.0)
        z = nose.square_().mul_(geometry.NOSE_HEIGHT).add_(dome)
        turned = (z * yaw_cos).sub_(x * yaw_sin)
        x = (u - z.mul_(yaw_sin)).div_(yaw_cos)
        y = turned.mul_(pitch_sin).add_(v).div_(pitch_cos).add_(geometry.ANCHOR)
    rows = torch.arange(size, dtype=torch.int32)
    cells = (rows[top:bottom] * TILE).repeat_interleave(size) + rows.repeat(bottom - top)
    return Sheet(values, x, y, across, down.add_(geometry.ANCHOR), span / size, cells)


def _paint(values: Values, size: int, top: int, bottom: int) -> Tensor:
    """Rows top to bottom of N faces' pictures, uint8 (N, C, P)."""
    sheet = _sheet(values, size, top, bottom)
    head = form.outline(sheet)
    rough_light = form.base_shade(sheet, head)
    image = scenery.background(sheet)
    shared = hair.paint_back_hair(sheet, image, rough_light)
    scenery.paint_body(sheet, image)
    scenery.paint_ears(sheet, image, rough_light)

    form.skull(sheet, head)
    features.expression_relief(sheet, head)
    curves = features.mouth_relief(sheet, head)
    albedo = sheet.colour["skin"].expand_as(image).clone()
    features.paint_skin(sheet, albedo)
    features.paint_nose(sheet, albedo)
    _on_some(sheet, "bearded", albedo, curves, hair.paint_beard)
    features.paint_mouth(sheet, albedo, curves)
    eyes = features.paint_eyes(sheet, albedo)
    brows = features.paint_brows(sheet, albedo)
    beard = ramp((sheet.y - 0.45) * 7.0).mul_(sheet.one["beard"].maximum(sheet.one["moustache"]))
    shade, highlight = form.lit(sheet, head, eyes.maximum(brows).maximum(beard))
    albedo.mul_(shade.unsqueeze(1)).add_(highlight.unsqueeze(1))
    over(image, albedo, form.head_matte(sheet, head))
    hair.paint_front_hair(sheet, image, head, rough_light, shared)
    planes = {"edge": head.edge, "light": rough_light}
    _on_some(sheet, "glasses", image, planes, scenery.paint_glasses)
    _on_some(sheet, "masked", image, planes, scenery.paint_mask)
    _on_some(sheet, "hand", image, planes, scenery.paint_hand)
    return _develop(sheet, image)


def _on_some(
    sheet: Sheet, flag: str, image: Tensor, planes: dict[str, Tensor], paint: Callable[[Sheet, Tensor, dict], None]
) -> None:
    """Paint what only some faces have on those faces, whose value `flag` is not 0."""
    rows = torch.nonzero(sheet.one[flag][:, 0]).squeeze(1)
    if len(rows):
        part = image[rows]
        paint(sheet.take(rows), part, {name: plane[rows] for name, plane in planes.items()})
        image[rows] = part


def _develop(sheet: Sheet, image: Tensor) -> Tensor:
    """Linear light to display values: exposure, gamma 2, a soft shoulder, grain, rounding."""
    value = image.mul_(sheet.one["exposure"].unsqueeze(1)).clamp_(min=0.0).sqrt_()
    value.mul_(1.14).div_((value * value).mul_(0.16).add_(1.0))
    start = sheet.offset[:, 3].to(torch.int32).bitwise_and_(511)
    index = (start[:, :1] * TILE + start[:, 1:]) + sheet.cells
    grain = tiles()["white"].index_select(0, index.view(-1)).view(index.shape).mul_(sheet.one["grain"])
    value.add_(grain.unsqueeze(1))
    return value.mul_(255.0).add_(0.5).clamp_(0.0, 255.0).to(torch.uint8)
