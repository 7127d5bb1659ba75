"""Hair on the head, behind it and on the face, as strands of noise combed from a point above the crown."""

from __future__ import annotations

from torch import Tensor

from ferbook.synthesis.form import Form
from ferbook.synthesis.raster import Sheet, hump, lookup, oval, over, ramp, smooth


def _strands(sheet: Sheet) -> Tensor:
    """Strand noise (N, P): rows run along the slope of the ray from above the crown, columns along the ray.

    A ray's slope stands in for its angle, which would need an arc tangent.
    """
    fall = (sheet.y + 1.75).clamp_(min=0.2)
    slope = (sheet.x - sheet.one["hair_part"]) / fall
    row, column = sheet.offset[:, 2, :1], sheet.offset[:, 2, 1:]
    wave = lookup("cloud", (sheet.y * 260.0).add_(row), (sheet.x * 200.0).add_(column))
    slope.add_(wave.mul(sheet.one["curl"] * 0.10 + 0.006))
    strand = lookup("strand", (fall * 120.0).add_(row), (slope * 420.0).add_(column))
    # Strands thinner than a pixel average out.
    return strand.mul_((0.018 / sheet.pixel).clamp(max=1.0))


def _volume(sheet: Sheet, rough: Tensor) -> Tensor:
    """Distance (N, P) inside the outline of the hair (positive inside), in face units."""
    one, y = sheet.one, sheet.y
    x = sheet.x + one["behind"] * 0.5
    thick = one["hair_volume"]
    above = (y + 0.04).clamp(max=0.0) / (1.0 + thick)
    wide = one["width"] + 0.055 + thick * 0.8
    sideways = x / wide
    level = (sideways * sideways).add_(above.square_())
    edge = (1.0 - level).mul_(0.42)
    hang = (one["hair_length"] - y).add_(rough * 0.03)
    return edge.minimum(hang).add_(rough * (one["curl"] * 0.030 + 0.006))


def paint_back_hair(sheet: Sheet, image: Tensor, light: Tensor) -> dict[str, Tensor]:
    """Hair that hangs behind head and neck, on the picture. Returns what `paint_front_hair` shares, each (N, P)."""
    strands = _strands(sheet)
    inside = _volume(sheet, strands)
    soft = sheet.pixel.clamp(min=0.022) + 0.03 * sheet.one["curl"]
    matte = ramp(inside / soft).mul_(1.0 - sheet.one["bald"])
    tone = strands.mul(0.13).add_(0.62).clamp_(min=0.15).mul_(light)
    over(image, sheet.colour["hair"] * tone.unsqueeze(1), matte)
    return {"strands": strands, "inside": inside}


def paint_front_hair(sheet: Sheet, image: Tensor, form: Form, light: Tensor, shared: dict[str, Tensor]) -> None:
    """Hair above the hairline and beside the face, with its sheen and its shadow on the skin."""
    one, a, y = sheet.one, sheet.a, sheet.y
    strands = shared["strands"]
    q = (a / one["width"]).square_()
    # Low at the temples, steep beside the face: a wide curve and a narrow one.
    cube = (q * q).mul_(q)
    drop = cube.mul(0.60).add_(0.40).mul_(cube).mul_(one["hair_side"] - one["hair_line"] * 0.35)
    line = drop + sheet.x * one["hair_part"] * 1.2
    line.add_(oval(a, a, 0.26, 0.26).mul_(one["hair_peak"] * 1.6)).add_(one["hair_line"])
    fine = lookup("fine", (y * 40.0).add_(500.0), (sheet.x * 330.0).add_(sheet.offset[:, 2, :1]))
    line.add_(fine.mul_(0.007)).add_(strands * (0.007 + 0.010 * one["curl"]))
    depth = line - y
    # Below the ends of short hair there is no hair beside the face either.
    reach = (one["hair_length"].clamp(min=0.10) - y).add_(strands * 0.02)
    soft = sheet.pixel.clamp(min=0.034) + 0.02 * one["curl"]
    hair = 1.0 - one["bald"]
    near = ramp(form.edge / -0.05).mul_(hair)
    shadow = hump((depth + 0.01).clamp_(max=0.0).mul_(13.0).square_()).mul_(near).mul_(ramp(reach * 20.0))
    image.mul_((1.0 - shadow.mul_(0.38)).unsqueeze(1))

    matte = ramp(depth / soft).mul_(ramp(shared["inside"] / soft)).mul_(ramp(reach / soft)).mul_(hair)
    # Sheen: a band across the strands where the skull turns towards the light, broken up by the strands.
    band = oval(sheet.x - one["light_x"] * 0.5, y + 0.74, 0.75, 0.16).mul_(strands.mul(0.30).add_(0.75).clamp_(min=0.0))
    root = smooth((depth - 0.06) * 9.0).mul_(0.35).add_(0.65)
    tone = strands.mul(0.19 - 0.06 * one["curl"]).add_(0.92).clamp_(min=0.15).mul_(root).mul_(light)
    tone.add_(band.mul_(one["key"] * (0.55 - 0.4 * one["curl"])))
    over(image, sheet.colour["hair"] * tone.unsqueeze(1), matte)


def paint_beard(sheet: Sheet, albedo: Tensor, curves: dict[str, Tensor]) -> None:
    """Beard and moustache as pigment on the skin, from a shadow of stubble to full hair. Call before the lips."""
    one, a, y = sheet.one, sheet.a, sheet.y
    noise = lookup("fine", (y * 110.0).add_(sheet.offset[:, 1, 1:]), (sheet.x * 300.0).add_(sheet.offset[:, 1, :1]))
    fade = (0.014 / sheet.pixel).clamp(max=1.0)
    edge = (a / one["width"]).square_()
    border = (edge * -0.60).add_(0.73)  # the cheeks' border rises towards the ears
    jaw = smooth((y - border).mul_(7.0))
    bare = oval(a, y - curves["seam"] - 0.05, 0.30, 0.15).mul_(1.5).clamp_(max=0.85)
    jaw.mul_(1.0 - bare).mul_(one["beard"])
    lip = ramp((y - one["nose_y"] - 0.11).mul_(22.0)).mul_(ramp((curves["top"] + 0.01 - y).mul_(18.0)))
    spread = (y - one["nose_y"] - 0.02).clamp_(0.06, 0.35)  # a moustache widens towards the mouth
    lip.mul_(hump((a / spread.mul_(1.35)).square_()).clamp_(max=0.4)).mul_(one["moustache"] * 2.2)
    matte = jaw.maximum(lip).mul_(noise.mul_(0.10 * fade).add_(0.84)).clamp_(0.0, 0.92)
    over(albedo, sheet.colour["beard"], matte)
