"""The form of the head and the light on it: outline, relief, normals, occlusion.

The relief is a sum of smooth bumps on a rounded base. Their slopes are added up analytically rather than by differences
between pixels, so a face has the same form at 48 and at 448 pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ferbook.synthesis.raster import Sheet, hump, ramp


@dataclass
class Form:
    """The head's surface: slopes towards the outside (`ga`) and down (`gy`), occlusion, and the outline.

    All planes are (N, P). `edge` is the distance from the outline in face units, positive outside; `ga` is folded: it
    runs away from the midline on both halves.
    """

    ga: Tensor
    gy: Tensor
    base_x: Tensor
    base_y: Tensor
    dark: Tensor
    edge: Tensor

    def bump(self, sheet: Sheet, at: tuple, radius: tuple, height: float | Tensor, shade: float | Tensor = 0.0) -> None:
        """Raise (or sink) an elliptic bump on both halves; `shade` darkens or, negative, lightens its middle."""
        dx, dy = sheet.a - at[0], sheet.y - at[1]
        fx, fy = 1.0 / (radius[0] * radius[0]), 1.0 / (radius[1] * radius[1])
        t = (dx * dx).mul_(fx).add_((dy * dy).mul_(fy)).neg_().add_(1.0).clamp_(min=0.0)
        if not isinstance(shade, float) or shade != 0.0:
            self.dark.add_((t * t).mul_(shade))
        rise = t.mul_(height * 4.0) if isinstance(height, float) else t.mul_(height).mul_(4.0)
        self.ga.add_(dx.mul_(rise).mul_(fx))
        self.gy.add_(dy.mul_(rise).mul_(fy))

    def crease(self, coverage: Tensor, slope: Tensor | None, amount: float | Tensor) -> None:
        """A fold along a soft line: mostly occlusion, which looks the same under any light, and a little slope."""
        self.dark.add_(coverage * amount)
        if slope is not None:
            self.gy.add_(slope)


def outline(sheet: Sheet) -> Form:
    """The bare head: a rounded box, as wide as temples, cheekbones, jaw and chin say, and its smooth base slopes."""
    one, y, a = sheet.one, sheet.y, sheet.a
    low = 1.0 / (one["chin"] + sheet.mean("jaw"))
    below, above = y.clamp(min=0.0).mul_(low), y.clamp(max=0.0).neg_()
    below2, above2 = below * below, above * above
    narrowing = (below2 * one["jaw"]).neg_().add_(1.0)
    bones = hump(((y - 0.14) * 3.2).square_()).mul_(one["cheekbone"] * 0.035)
    temples = hump(((y + 0.34) * 3.6).square_()).mul_(one["cheekbone"] * 0.03)
    width = narrowing.add_(bones).sub_(temples).mul_(one["width"])
    inverse = 1.0 / width.mul_(width)
    qx = (a * a).mul_(inverse)
    square, crown = one["square"], one["crown"]
    level = qx + (below2 * square).add_(1.0 - square).mul_(below2)
    level.add_((above2 * crown).add_(1.0 - crown).mul_(above2))
    fx = a.mul(2.0).mul_(inverse)
    fy = (below2 * (4.0 * square)).add_(2.0 - 2.0 * square).mul_(below)
    fy.add_(qx.mul_(one["jaw"] * 4.0).mul_(below)).mul_(low)
    fy.sub_((above2 * (4.0 * crown)).add_(2.0 - 2.0 * crown).mul_(above))
    steep = (fx * fx).add_(fy * fy).add_(0.05).sqrt_()
    edge = (level - 1.0).div_(steep)
    # z = D sqrt(1 - r^3) with r^2 = level: flat in front and falling off at the sides.
    r = level.clamp_(max=0.97).sqrt_()
    fall = (r * r).mul_(r).neg_().add_(1.0).sqrt_()
    gain = r.mul_(0.75 * 0.74).div_(fall)
    zero = torch.zeros_like(a)
    return Form(ga=zero, gy=zero.clone(), base_x=fx.mul_(gain), base_y=fy.mul_(gain), dark=zero.clone(), edge=edge)


def skull(sheet: Sheet, form: Form) -> None:
    """Bones and flesh that do not move much: brow ridge, sockets, nose, cheekbones, hollows, muzzle, chin, jaw."""
    one = sheet.one
    nose = one["nose_y"] - 0.025 * sheet.mean("snarl")
    chin, jaw = one["chin"], sheet.mean("jaw")
    wide = one["nose_width"]
    bone, gaunt, old, child = one["cheekbone"], one["gaunt"], one["old"], one["child"]
    form.bump(sheet, (0.20, -0.17), (0.34, 0.13), 0.010 + 0.032 * one["ridge"])
    form.bump(sheet, (0.22, -0.50), (0.34, 0.28), 0.035)
    form.bump(sheet, (0.60, -0.22), (0.18, 0.28), -0.030 - 0.030 * gaunt, 0.04 + 0.05 * gaunt)
    form.bump(sheet, (one["eye_x"] - 0.02, -0.015), (0.235, 0.150), -0.062 - 0.020 * one["ridge"], 0.16 + 0.06 * old)
    form.bump(sheet, (one["eye_x"] - 0.13, -0.03), (0.085, 0.12), -0.010, 0.24)
    form.bump(sheet, (one["eye_x"], 0.0), (0.155, 0.095), 0.040)
    form.bump(sheet, (0.0, 0.08), (0.125 * wide, 0.36), 0.062 * one["nose_bridge"] + 0.010)
    form.bump(sheet, (0.0, nose - 0.02), (0.125 * wide, 0.16), 0.105 * one["nose_tip"])
    form.bump(sheet, (0.098 * wide, nose + 0.025), (0.065, 0.070), 0.040)
    form.bump(sheet, (0.105 * wide, 0.17), (0.055, 0.20), -0.006, 0.11)
    form.bump(sheet, (0.43, 0.19), (0.23, 0.15), 0.040 * bone + 0.008)
    form.bump(sheet, (0.44, 0.50), (0.20, 0.26), -0.010 - 0.055 * gaunt, 0.02 + 0.15 * gaunt)
    form.bump(sheet, (0.34, 0.36), (0.24, 0.22), 0.030 + 0.030 * child)
    form.bump(sheet, (0.0, 0.60), (0.30, 0.24), 0.050)
    form.bump(sheet, (0.0, chin - 0.11 + jaw), (0.19, 0.13), 0.050 + 0.02 * one["square"])
    form.bump(sheet, (0.0, chin - 0.235 + jaw), (0.16, 0.055), -0.014, 0.14)
    form.bump(sheet, (0.52, 0.60), (0.13, 0.20), 0.035 * one["square"])
    form.bump(sheet, (0.0, nose + 0.155), (0.045, 0.085), -0.006, 0.06)
    bags = one["wrinkles"]
    form.bump(sheet, (one["eye_x"] - 0.01, 0.115), (0.13, 0.050), 0.004 + 0.014 * bags, 0.02 + 0.06 * bags)


def lit(sheet: Sheet, form: Form, dull: Tensor) -> tuple[Tensor, Tensor]:
    """The light on the skin: shade (N, P) to multiply pigments with and highlight (N, P) to add.

    A wrapped Lambert term, a sky that is brighter above, occlusion, and a highlight whose lobe is a power of two. Where
    `dull` (N, P) is 1 there is no highlight: eyes have theirs painted, beards have none.
    """
    one = sheet.one
    # A soft limit on the relief's slope: under hard side light a steep fold would otherwise look like a cut.
    ga, gy = form.ga, form.gy
    soft = (ga * ga).add_(gy * gy).mul_(0.9).add_(1.0).sqrt_()
    gx = (ga / soft).add_(form.base_x).mul_(sheet.sign)
    gy = (gy / soft).add_(form.base_y)
    inverse = 1.0 / (gx * gx).add_(gy * gy).add_(1.0).sqrt_()
    facing = (gx * one["light_x"]).add_(gy * one["light_y"]).add_(one["light_z"]).mul_(inverse)
    facing = facing.mul_(0.78).add_(0.22).clamp_(min=0.0)
    sky = (gy * inverse).mul_(-0.22).add_(0.92)
    clear = 1.0 / (form.dark.clamp(min=-0.2).add_(1.0))
    shade = sky.mul_(one["fill"]).mul_(clear).add_(facing.mul_(one["key"]).mul_(clear.mul(0.65).add_(0.35)))
    glint = (gx * one["half_x"]).add_(gy * one["half_y"]).add_(one["half_z"]).mul_(inverse).clamp_(0.0, 1.0)
    for _ in range(4):
        glint.mul_(glint)
    highlight = glint.mul_(one["key"] * 0.075).mul_(clear).mul_(1.0 - dull)
    return shade, highlight


def base_shade(sheet: Sheet, form: Form) -> Tensor:
    """The light on something that follows the head's rough form only: hair, masks, glasses. (N, P)."""
    one = sheet.one
    gx = form.base_x * sheet.sign
    inverse = 1.0 / (gx * gx).add_(form.base_y * form.base_y).add_(1.0).sqrt_()
    facing = gx.mul_(one["light_x"]).add_(form.base_y * one["light_y"]).add_(one["light_z"]).mul_(inverse)
    return facing.mul_(0.75).add_(0.25).clamp_(min=0.0).mul_(one["key"]).add_(one["fill"])


def head_matte(sheet: Sheet, form: Form) -> Tensor:
    """Where the head is, (N, P) in [0, 1]."""
    return ramp(form.edge / (sheet.pixel * -1.1))
