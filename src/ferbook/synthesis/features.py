"""Eyes, brows, nose and mouth as curves that the controls move, and the folds that come with a movement.

A function shapes the head (`*_relief`, before the light is computed) or paints pigment (`paint_*`, on the albedo). No
pixel grid is warped: a mouth corner is where its control says, which is what makes the landmarks exact.
"""

from __future__ import annotations

from torch import Tensor

from ferbook.synthesis.form import Form
from ferbook.synthesis.raster import Sheet, hump, lookup, oval, over, ramp, smooth, stroke


def expression_relief(sheet: Sheet, form: Form) -> None:
    """Cheeks, folds and wrinkles of the current expression, on the form's slopes and occlusion."""
    one, a, y, pixel = sheet.one, sheet.a, sheet.y, sheet.pixel
    cheek = sheet.sided("cheek")
    form.bump(sheet, (0.37, 0.30), (0.20, 0.165), cheek * 0.050, cheek * -0.06)
    form.bump(sheet, (one["eye_x"] + 0.01, 0.135), (0.155, 0.045), -0.010 * cheek, cheek * 0.20)

    # The nasolabial fold runs from the wing of the nose past the mouth corner.
    fold = sheet.sided("fold")
    corner_y = one["mouth_y"] + sheet.pair["mouth_shift"] + sheet.pair["corner"]
    nose = one["nose_y"]
    top_x = 0.135 * one["nose_width"]
    end_x = sheet.pair["mouth_width"] + 0.075
    along = (y - (nose - 0.02)) * sheet.between(1.0 / (corner_y + 0.03 - nose))
    along.clamp_(-0.5, 1.5)
    bend = along.mul(-0.45).add_(1.45).mul_(along)
    distance = a - bend.mul_(sheet.between(end_x - top_x)).add_(top_x)
    window = hump((along - 0.5).mul_(1.35).square_()).mul_(fold)
    line = stroke(distance, 0.050, pixel).mul_(window)
    form.dark.add_(line.mul_(0.68))
    roll = (distance * distance).mul_(-90.0).add_(1.0).clamp_(min=0.0).mul_(window)
    form.ga.add_(roll.mul_(distance).mul_(7.0))

    # Frown lines between the brows and horizontal lines across the forehead.
    frown = sheet.sided("frown")
    between = hump(((y + 0.185) * 7.0).square_()).mul_(frown)
    form.dark.add_(stroke(a - 0.046, 0.020, pixel).mul_(between).mul_(0.95))
    form.bump(sheet, (0.0, -0.18), (0.085, 0.11), frown * 0.016)
    form.bump(sheet, (0.115, -0.135), (0.10, 0.07), frown * 0.018, frown * 0.14)

    forehead = sheet.sided("forehead")
    period = (pixel * 2.7).clamp(min=0.078)
    phase = (oval(a, a, 0.75, 0.75).mul_(-0.05).add_(y).add_(1.0)) / period
    phase.sub_(phase.floor())
    area = oval(a, y + 0.43, 0.50, 0.20).mul_(forehead)
    wave = (phase * (1.0 - phase)).mul_(4.0)
    valley = (1.0 - wave).square_()
    form.dark.add_(valley.mul_(area).mul_(0.36))
    form.gy.add_(phase.sub_(0.5).mul_(wave).mul_(area).mul_(-0.45))

    # Crow's feet, and the wrinkles across the root of the nose.
    crow = sheet.sided("crow")
    dx = a - (one["eye_x"] + one["eye_width"] + 0.015)
    fan = (y - 0.005) / (dx.clamp(min=0.0) + 0.06)
    spread = fan.mul_(1.7)
    rays = (spread - (spread + 0.5).floor()).abs_()
    spot = oval(dx - 0.06, y - 0.01, 0.085, 0.11).mul_(crow)
    strength = (0.030 / pixel).clamp(max=1.0)
    form.dark.add_(hump(rays.mul_(3.2).square_()).mul_(spot).mul_(strength * 0.55))

    snarl = sheet.sided("snarl")
    ripple = (y - a * 0.7).mul_(1.0 / (pixel * 2.5).clamp(min=0.050))
    ripple.sub_(ripple.floor()).sub_(0.5).square_().mul_(4.0)
    form.dark.add_(ripple.mul_(oval(a - 0.05, y - 0.02, 0.10, 0.13)).mul_(snarl).mul_(0.95))
    form.bump(sheet, (0.115 * one["nose_width"], nose - 0.02), (0.07, 0.085), snarl * 0.030, snarl * -0.05)
    form.bump(sheet, (0.17 * one["nose_width"], nose - 0.04), (0.05, 0.10), snarl * -0.012, snarl * 0.40)

    # Chin raiser: a knotted chin. Dimpler: a pit beside the corner.
    boss = sheet.mean("boss")
    chin = one["chin"] + sheet.mean("jaw")
    form.bump(sheet, (0.0, chin - 0.17), (0.17, 0.10), boss * 0.045, boss * -0.02)
    form.bump(sheet, (0.0, chin - 0.275), (0.15, 0.035), boss * -0.012, boss * 0.45)
    dimple = sheet.sided("dimple")
    pit_x = sheet.between(sheet.pair["mouth_width"] + 0.045)
    pit_y = sheet.between(corner_y + sheet.pair["hook"] - 0.005)
    form.dark.add_(oval(a - pit_x, y - pit_y, 0.035, 0.075).mul_(dimple).mul_(1.05))
    form.bump(sheet, (pit_x + 0.065, pit_y), (0.08, 0.12), dimple * 0.020)


def mouth_relief(sheet: Sheet, form: Form) -> dict[str, Tensor]:
    """The lips' form. Returns the curves of the mouth that `paint_mouth` needs, each (N, P)."""
    one, a, y = sheet.one, sheet.a, sheet.y
    width = sheet.sided("mouth_width")
    m2 = (a / width).square_().clamp_(max=1.3)
    inside = (1.0 - m2).clamp_(min=0.0)
    root = inside.sqrt()
    seam = sheet.sided("hook").mul_(m2).add_(sheet.sided("corner")).mul_(m2)
    seam.add_(one["mouth_y"] + sheet.mean("mouth_shift"))
    rounded = sheet.mean("round")
    opening = (root - inside).mul_(rounded).add_(inside)
    upper = seam - sheet.sided("open_upper").mul_(opening)
    lower = seam + sheet.sided("open_lower").mul_(opening)
    bow = oval(a, a, 0.075, 0.075).mul_(-0.30).add_(1.0)
    top = upper - sheet.sided("lip_upper").mul_(root * 0.60 + inside * 0.40).mul_(bow)
    bottom = lower + sheet.sided("lip_lower").mul_(root * 0.40 + inside * 0.60)
    # Lips are rolls: each is steepest at its outer border.
    within = hump((a / (width * 1.1)).square_())
    for centre, radius, height in (((top + upper) * 0.5, 0.045, 0.022), ((lower + bottom) * 0.5, 0.055, 0.030)):
        dy = y - centre
        t = (dy * dy).mul_(-1.0 / radius**2).add_(1.0).clamp_(min=0.0)
        form.gy.add_(t.mul_(dy).mul_(within).mul_(4.0 * height / radius**2))
    shadow = (y - bottom).sub_(0.03)
    form.dark.add_(hump(shadow.mul_(1.0 / 0.045).square_()).mul_(within).mul_(0.30))
    return {"inside": inside, "m2": m2, "seam": seam, "upper": upper, "lower": lower, "top": top, "bottom": bottom}


def paint_skin(sheet: Sheet, albedo: Tensor) -> None:
    """Blush, dark rims of the eyes, mottling and freckles on the bare skin."""
    one, colour, a, y = sheet.one, sheet.colour, sheet.a, sheet.y
    over(albedo, colour["lips"], oval(a - 0.40, y - 0.30, 0.24, 0.18).mul_(0.20))
    over(albedo, colour["lips"], oval(a, y - one["nose_y"], 0.14, 0.12).mul_(0.16))
    over(albedo, colour["rim"], oval(a - one["eye_x"], y, one["eye_width"] * 1.35, 0.13).mul_(0.30))
    # Mottling lives in face coordinates, so it turns with the head; freckles are where the noise is high.
    noise = lookup("fine", (y * 150.0).add_(sheet.offset[:, 1, :1]), (sheet.x * 150.0).add_(sheet.offset[:, 1, 1:]))
    fade = (0.012 / sheet.pixel).clamp(max=1.0)
    spots = (noise - 1.1).clamp_(0.0, 1.0).mul_(oval(a - 0.22, y - 0.2, 0.42, 0.3)).mul_(one["freckles"] * fade)
    albedo.mul_(noise.mul_(0.022 * fade).add_(1.0).sub_(spots.mul_(0.4)).unsqueeze(1))


def paint_brows(sheet: Sheet, albedo: Tensor) -> Tensor:
    """Brows: a parabola through the inner end, the middle and the outer end, thick inside and thin outside.

    Returns where they are, (N, P).
    """
    one, pair, pixel = sheet.one, sheet.pair, sheet.pixel
    end = one["eye_x"] + one["eye_width"] * 1.28
    start = pair["brow_inner_x"]
    t = (sheet.a - sheet.between(start)).mul_(sheet.between(1.0 / (end - start)))
    inner, middle, outer = pair["brow_inner"], pair["brow_middle"], pair["brow_outer"]
    linear = sheet.between(4.0 * middle - 3.0 * inner - outer)
    square = sheet.between(2.0 * inner + 2.0 * outer - 4.0 * middle)
    curve = square.mul_(t).add_(linear).mul_(t).add_(sheet.between(inner))
    thick = (t * t).mul_(-0.70).add_(1.0).clamp_(min=0.05).mul_(one["brow_thick"])
    soft = pixel.clamp(min=0.018)
    matte = smooth((thick - (sheet.y - curve).abs_()).div_(soft * 1.4))
    ends = ramp((t - 0.06).mul_(5.0)).mul_(ramp((1.0 - t).mul_(9.0)))
    row, column = (sheet.y * 160.0).sub_(sheet.a * 110.0), (sheet.x * 420.0).sub_(sheet.y * 90.0)
    strands = lookup("fine", row.add_(900.0), column.add_(300.0))
    fade = (0.012 / pixel).clamp(max=1.0)
    matte.mul_(ends).mul_(strands.mul_(0.09 * fade).add_(0.90).mul_(one["brow_dark"]).clamp_(max=1.0))
    over(albedo, sheet.colour["brow"], matte)
    return matte


def paint_nose(sheet: Sheet, albedo: Tensor) -> None:
    """Nostrils, the crease behind each wing, and the shadow under the tip."""
    one, a, y, pixel = sheet.one, sheet.a, sheet.y, sheet.pixel
    wide = one["nose_width"]
    base = one["nose_y"] - 0.025 * sheet.mean("snarl")
    matte = oval(a - 0.060 * wide, y - base - 0.052, 0.052 * wide, (pixel * 1.1).clamp(min=0.030))
    over(albedo, sheet.colour["dark"], matte.mul_(0.85))
    wing = stroke(a - 0.150 * wide, 0.026, pixel).mul_(hump(((y - base - 0.015) * 12.0).square_()))
    under = oval(a, y - base - 0.085, 0.15 * wide, 0.055)
    over(albedo, sheet.colour["rim"], wing.mul_(0.65).add_(under.mul_(0.45)).clamp_(max=0.9))


def paint_eyes(sheet: Sheet, albedo: Tensor) -> Tensor:
    """Eyeballs, irises, lids and lashes. Returns where the eye is open, (N, P)."""
    one, colour, a, y, pixel = sheet.one, sheet.colour, sheet.a, sheet.y, sheet.pixel
    dx = a - one["eye_x"]
    lx = dx / one["eye_width"]
    yy = lx * one["eye_tilt"] + y
    inside = (1.0 - lx * lx).clamp_(min=0.0)
    root = inside.sqrt()
    almond = root * 0.45 + inside * 0.55
    high = sheet.sided("lid_upper").mul_(1.0 - sheet.sided("lid_slant").mul_(lx)).mul_(almond)
    upper = yy + high  # distance below the upper lid
    lower = sheet.sided("lid_lower").mul_(inside * 0.8 + root * 0.2).sub_(yy)  # distance above the lower lid
    open_ = ramp(upper / pixel).mul_(ramp(lower / pixel)).mul_(ramp(inside * 8.0 - 0.5))
    open_.mul_(((upper + lower) / pixel).clamp_(0.0, 1.0))

    white = smooth((upper - 0.012) * 18.0).mul_(0.45).add_(0.55)
    ball = colour["white"] * white.unsqueeze(1)
    ix = dx.sub(one["gaze_x"] * sheet.sign)
    iy = (yy + 0.010).sub_(one["gaze_y"])
    r = (ix * ix).add_(iy * iy).sqrt_()
    size = one["iris_size"]
    iris = colour["iris"] * (1.0 - smooth((r / size - 0.80) * 4.0).mul_(0.72)).unsqueeze(1)
    over(iris, colour["dark"], ramp((size * 0.50 - r) / pixel))
    over(ball, iris, ramp((size - r) / pixel))
    # The light's reflection sits on the same side of both eyes, so it does not fold.
    glint = ((ix * sheet.sign).sub_(one["light_x"] * 0.035).square_()).add_((iy + 0.024).square_())
    spot = pixel.mul(0.75).clamp(min=0.017)
    over(ball, colour["glint"], hump(glint.mul_(1.0 / (spot * spot))).mul_((0.017 / spot).clamp(max=1.0)).mul_(0.95))
    over(albedo, ball, open_)

    reach = ramp((1.16 - lx.abs()) * 9.0)
    lash = stroke(upper + 0.004, (root * 0.015).add_(0.013), pixel).mul_(reach)
    over(albedo, colour["dark"], lash.mul_(0.92))
    over(albedo, colour["rim"], stroke(lower + 0.004, 0.016, pixel).mul_(reach).mul_(0.75))
    fold = upper + 0.036
    over(albedo, colour["rim"], stroke(fold, 0.013, pixel).mul_(reach).mul_(one["crease"] * 0.55))
    return open_


def paint_mouth(sheet: Sheet, albedo: Tensor, curves: dict[str, Tensor]) -> None:
    """Lips, the dark between them, teeth and tongue, and the line where closed lips meet."""
    colour, y, pixel = sheet.colour, sheet.y, sheet.pixel
    inside, m2 = curves["inside"], curves["m2"]
    within = ramp(inside * 14.0 - 0.5)
    lips = ramp((y - curves["top"]) / pixel.clamp(min=0.012))
    lips.mul_(ramp((curves["bottom"] - y) / pixel.clamp(min=0.016)))
    upper_lip = ramp((curves["seam"] - y) * 30.0).mul_(-0.18).add_(1.0)
    over(albedo, colour["lips"] * upper_lip.unsqueeze(1), lips.mul_(within).mul_(0.92))

    from_top, from_bottom = y - curves["upper"], curves["lower"] - y
    tall = from_top + from_bottom
    # Between lips that touch, both mattes are one half: a gap cannot cover more of a pixel than its height.
    gap = ramp(from_top / pixel).mul_(ramp(from_bottom / pixel)).mul_(within).mul_((tall / pixel).clamp_(0.0, 1.0))
    cavity = colour["cavity"].expand_as(albedo).clone()
    tongue = oval(sheet.a, from_bottom - 0.01, 0.16, 0.085)
    over(cavity, colour["tongue"], tongue.mul_(0.8))
    # Upper teeth hang from the upper lip; with the lips stretched and the jaw up the lower row shows as well.
    row = ramp((sheet.sided("open_upper").mul_(0.9).add_(0.024) - from_top) / pixel.clamp(min=0.010))
    lower_row = ramp((0.036 - from_bottom) / pixel.clamp(min=0.010)).mul_(sheet.one["stretch"])
    teeth = row.add_(lower_row).clamp_(max=1.0)
    cells = (sheet.x * 19.0).add_(0.5)
    cells.sub_(cells.floor()).sub_(0.5).abs_()
    seams = ramp((cells - 0.46).mul_(18.0)).mul_((0.010 / pixel).clamp(max=1.0) * 0.35)
    bright = (m2 * -0.55).add_(1.0).clamp_(min=0.2).mul_(1.0 - seams)
    over(cavity, colour["teeth"] * bright.unsqueeze(1), teeth.mul_(0.95))
    # A slit thinner than a pixel holds no teeth one could see, only its shade.
    over(albedo, cavity, gap)
    line = stroke(y - curves["upper"], 0.021, pixel).mul_(ramp((1.06 - m2) * 9.0))
    closed = 1.0 - smooth((tall - 0.045) * 22.0)
    over(albedo, colour["dark"], line.mul_(closed.mul_(0.60).add_(0.32)))
