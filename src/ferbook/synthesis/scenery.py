"""What surrounds a face: background, neck, clothes, ears; and what may lie in front of it: glasses, a mask, a hand."""

from __future__ import annotations

import torch
from torch import Tensor

from ferbook.synthesis.raster import Sheet, hump, lookup, oval, over, ramp, smooth, stroke


def background(sheet: Sheet) -> Tensor:
    """An out-of-focus background (N, C, P): two colours, mixed by cloudy noise."""
    row = (sheet.down * 70.0).add_(sheet.offset[:, 0, :1])
    noise = lookup("cloud", row, (sheet.across * 70.0).add_(sheet.offset[:, 0, 1:]))
    mixed = smooth(noise.mul_(0.8).add_(sheet.down * 0.12)).unsqueeze(1)
    return (sheet.colour["back_2"] - sheet.colour["back_1"]).mul(mixed).add_(sheet.colour["back_1"])


def paint_body(sheet: Sheet, image: Tensor) -> None:
    """Neck, its shadow from the chin, and clothes. The body stays upright; the neck's top follows the head."""
    one, down = sheet.one, sheet.down
    up = (1.45 - down).clamp_(0.0, 1.0)
    x = sheet.across - one["neck_x"] * up
    half = one["width"] * 0.60 + 0.02
    flare = (down - 1.05).clamp_(min=0.0).square_().mul_(0.9)
    matte = ramp((flare + half - x.abs()).div_(sheet.pixel * 1.2)).mul_(ramp((down - one["chin_y"] + 0.30) * 7.0))
    round_ = (x / (flare + half)).clamp_(-1.0, 1.0)
    light = (round_ * one["light_x"]).sub_(round_.square().mul_(0.35)).add_(0.80).clamp_(min=0.1)
    light.mul_(one["key"] * 0.75).add_(one["fill"] * 0.8)
    shadow = ramp((one["chin_y"] + 0.20 - down).mul_(3.0)).mul_(0.60)
    throat = oval(x, down - 1.45, 0.05, 0.2).mul_(0.12)
    light.mul_((1.0 - shadow).sub_(throat))
    over(image, sheet.colour["skin"] * light.unsqueeze(1), matte)

    shoulders = sheet.across.square().mul_(0.20).add_(1.34).minimum(sheet.across.abs().mul_(0.16).add_(1.42))
    collar = (sheet.across / 0.46).square_().mul_(-0.22).add_(1.62)
    top = shoulders.maximum(collar)
    cloth = ramp((down - top).div_(sheet.pixel.clamp(min=0.015)))
    seam = stroke(down - top - 0.06, 0.03, sheet.pixel).mul_(0.25)
    fade = (sheet.across * one["light_x"] * 0.35).add_(0.9 * one["key"]).clamp_(min=0.15).add_(one["fill"] * 0.6)
    over(image, sheet.colour["clothes"] * fade.mul_(1.0 - seam).unsqueeze(1), cloth)


def paint_ears(sheet: Sheet, image: Tensor, light: Tensor) -> None:
    """Ears behind the outline; turning the head shows more of the one on the far side of the turn."""
    one = sheet.one
    x = sheet.x + one["behind"]
    a = x.abs()
    rim = one["width"] + 0.005
    size = one["ear"]
    dy = (sheet.y - 0.09) / (0.185 * size)
    dx = (a - rim) / (0.105 * size)
    lobe = (dy * 0.28).add_(dx)
    r2 = (lobe * lobe).add_(dy * dy)
    matte = ramp((1.0 - r2).mul_(0.065).div_(sheet.pixel))
    concha = oval(lobe + 0.10, dy - 0.10, 0.55, 0.62).mul_(0.55)
    ring = stroke(r2 - 0.72, 0.25, sheet.pixel * 8.0).mul_(-0.12)
    tone = (1.0 - concha - ring).mul_(light).mul_(0.92)
    over(image, sheet.colour["ear"] * tone.unsqueeze(1), matte)


def paint_glasses(sheet: Sheet, image: Tensor, planes: dict[str, Tensor]) -> None:
    """Frames from round to square, bridge and arms, with a faint glare on the lenses."""
    one, pixel = sheet.one, sheet.pixel
    half_x, half_y = 0.205 * one["glasses_size"], 0.150 * one["glasses_size"]
    centre = one["eye_x"] + 0.012
    gx, gy = (sheet.a - centre) / half_x, (sheet.y - 0.025) / half_y
    x2, y2 = gx * gx, gy * gy
    round_ = one["glasses_round"]
    level = (x2 + y2).mul_(round_).add_((x2 * x2).add_(y2 * y2).mul_(1.0 - round_))
    fx = x2.mul(4.0 * (1.0 - round_)).add_(2.0 * round_).mul_(gx).div_(half_x)
    fy = y2.mul(4.0 * (1.0 - round_)).add_(2.0 * round_).mul_(gy).div_(half_y)
    distance = (level - 1.0).div_(fx.square_().add_(fy.square_()).add_(0.5).sqrt_())
    half = one["glasses_thick"] * 0.5
    thick = torch.maximum(half, pixel * 0.45)
    frame = ramp((thick - distance.abs()).div_(pixel))
    gap = ramp((centre - half_x * 0.93 - sheet.a).div_(pixel))
    bridge = ramp((thick - (sheet.y + 0.035 - sheet.a.square().mul_(1.5)).abs_()).div_(pixel)).mul_(gap)
    outer = ramp((sheet.a - centre - half_x * 0.98).div_(pixel)).mul_(ramp(planes["edge"] / (pixel * -1.0)))
    arm = ramp((thick - (sheet.y + 0.03).abs_()).div_(pixel)).mul_(outer)
    lens = ramp(distance / (pixel * -1.0))
    glare = hump((gx + gy * 0.6 - 0.35).mul_(2.2).square_()).mul_(0.10).add_(0.035).mul_(lens)
    over(image, sheet.colour["glint"] * 0.8, glare)
    frame = frame.maximum(bridge).maximum(arm).mul_((half / thick).mul(0.3).add(0.7))
    over(image, sheet.colour["frame"], frame)


def paint_mask(sheet: Sheet, image: Tensor, planes: dict[str, Tensor]) -> None:
    """A surgical mask from the bridge of the nose to below the chin, with pleats and ear loops."""
    one, a, y, pixel = sheet.one, sheet.a, sheet.y, sheet.pixel
    chin = one["chin"] + sheet.mean("jaw")
    top = a.square().mul_(0.55).add_(0.17).sub_(hump((a / 0.16).square_()).mul_(0.05))
    bottom = chin + 0.03 - a.square().mul_(0.9)
    side = ramp((one["width"] * 0.96 - a).div_(pixel))
    matte = ramp((y - top).div_(pixel)).mul_(ramp((bottom - y).div_(pixel))).mul_(side)
    matte.mul_(ramp((planes["edge"] - 0.03).div_(pixel * -1.0)))
    pleat = (y - a.square().mul_(0.12)).mul_(8.0)
    pleat.sub_(pleat.floor())
    tone = planes["light"] * (pleat.mul(0.16).add_(0.86)).sub_(stroke(y - top - 0.025, 0.02, pixel).mul_(0.12))
    over(image, sheet.colour["mask"] * tone.unsqueeze(1), matte)
    for target in (0.05, 0.20):
        loop = stroke((y - 0.10 - target).sub_((one["width"] - a).mul_(0.5 if target < 0.1 else 1.3)), 0.016, pixel)
        beside = ramp((a - one["width"] * 0.90).mul_(30.0)).mul_(ramp((one["width"] + 0.03 - a).mul_(30.0)))
        over(image, sheet.colour["mask"] * (planes["light"] * 0.9).unsqueeze(1), loop.mul_(beside).mul_(0.9))


def paint_hand(sheet: Sheet, image: Tensor, planes: dict[str, Tensor]) -> None:
    """A hand laid on the lower face, a cheek or an eye: a palm and four fingers as rounded bars."""
    one, pixel = sheet.one, sheet.pixel
    dx, dy = sheet.x - one["hand_x"], sheet.y - one["hand_y"]
    along = (dx * one["hand_cos"]).add_(dy * one["hand_sin"])
    aside = (dy * one["hand_cos"]).sub_(dx * one["hand_sin"])
    nearest = None
    for finger, (reach, half) in enumerate(((0.46, 0.068), (0.56, 0.074), (0.52, 0.072), (0.36, 0.062))):
        across = aside - (finger - 1.5) * 0.142
        rest = along - along.clamp(-0.35, reach)
        distance = (rest * rest).add_(across.square_()).sqrt_().sub_(half)
        nearest = distance if nearest is None else nearest.minimum(distance)
    # Palm and forearm in one: a rounded bar that narrows to the wrist and runs out of the picture.
    wrist = smooth((along + 0.85) * -3.0).mul_(-0.05).add_(0.20)
    palm_x, palm_y = (along + 2.13).abs_().sub_(2.0).clamp_(min=0.0), (aside.abs() - wrist).clamp_(min=0.0)
    palm = palm_x.square_().add_(palm_y.square_()).sqrt_().sub_(0.09)
    merged = nearest.minimum(palm)
    matte = ramp(merged / (pixel * -1.0))
    body = smooth((along + 0.16) * -8.0)
    rounded = (merged * -15.0).clamp_(0.0, 1.0)
    rounded.mul_(2.0 - rounded)
    tone = (rounded + (1.0 - rounded) * body).mul_(0.55).add_(0.42)
    knuckle = hump(((along - 0.12) * 22.0).square_()).add_(hump(((along - 0.34) * 22.0).square_())).mul_(-0.10)
    tone.add_(knuckle).mul_(one["key"] * 0.85 + one["fill"])
    shadow = ramp((0.035 - merged) * 14.0).mul_(0.35)
    image.mul_((1.0 - shadow).unsqueeze(1))
    over(image, sheet.colour["ear"] * tone.unsqueeze(1), matte)
