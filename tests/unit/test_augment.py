"""Images and landmarks move together; every operation against a slow twin; the appended index; pipelines."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from ferbook.core.errors import ConfigError
from ferbook.vision import augment
from ferbook.vision.appended import BASE, FLIP, Appended, adaptive_copies, ordinary, rotation
from ferbook.vision.augment import build
from tests.unit.dots import blobs, centroids, mirror_landmarks, rotate_landmarks

FACE = torch.tensor([[15.0, 17], [31, 18], [24, 27], [17, 35], [32, 34]])


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def smooth(count, size=48, seed=0):
    """Random smooth pictures, so that resampling once or twice makes little difference."""
    coarse = torch.rand(count, 1, 6, 6, generator=seeded(seed))
    return functional.interpolate(coarse, size, mode="bicubic", align_corners=False).clamp(0, 1)


def rotate_twin(image, degrees, fill):
    """Look every pixel of the result up in the source, one by one."""
    height, width = image.shape
    angle = math.radians(degrees)
    result = np.zeros((height, width))

    def value(x, y):
        if fill == "edge":
            x, y = min(max(x, 0), width - 1), min(max(y, 0), height - 1)
        return image[y, x] if 0 <= x < width and 0 <= y < height else 0.0

    for row in range(height):
        for column in range(width):
            right, up = column - (width - 1) / 2, (height - 1) / 2 - row
            # What is seen here was turned counter-clockwise by the angle: look the same angle clockwise.
            x = right * math.cos(angle) + up * math.sin(angle) + (width - 1) / 2
            y = (height - 1) / 2 - (up * math.cos(angle) - right * math.sin(angle))
            if fill == "edge":
                x, y = min(max(x, 0), width - 1), min(max(y, 0), height - 1)
            left, top = math.floor(x), math.floor(y)
            for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
                weight = (1 - abs(x - left - dx)) * (1 - abs(y - top - dy))
                result[row, column] += weight * value(left + dx, top + dy)
    return result


@pytest.mark.parametrize("fill", ["zero", "edge"])
@pytest.mark.parametrize("degrees", [0, 20, -35, 90, 170])
def test_rotate_equals_a_look_up_pixel_by_pixel(degrees, fill):
    x = torch.rand(2, 1, 7, 10, generator=seeded(1))
    fast = augment.rotate(x, torch.tensor([degrees, 0.0]), fill)
    np.testing.assert_allclose(fast[0, 0], rotate_twin(x[0, 0].numpy(), degrees, fill), atol=2e-5)
    torch.testing.assert_close(fast[1], x[1], atol=2e-5, rtol=0)


@settings(max_examples=15)
@given(st.floats(-60, 60), st.booleans(), st.sampled_from([(48, 48), (44, 52)]))
def test_landmarks_move_with_the_image(degrees, mirrored, size):
    landmarks = FACE[None] + torch.tensor([0.0, -2])
    image = blobs(landmarks, *size)
    moved = augment.rotate(augment.flip(image, mirrored), degrees, "zero")
    expected = rotate_landmarks(mirror_landmarks(landmarks, size[1]) if mirrored else landmarks, degrees, size)
    seen = centroids(moved)
    if mirrored:  # the blob of what was the left eye is now where the right eye is
        seen = seen[:, [1, 0, 2, 4, 3]]
    assert (seen - expected).abs().max() < 0.1
    if abs(degrees) < 30:
        assert (expected[:, 0, 0] < expected[:, 1, 0]).all()


def test_positive_angles_are_counter_clockwise():
    right_of_the_centre = torch.zeros(1, 1, 9, 9)
    right_of_the_centre[0, 0, 4, 7] = 1
    assert augment.rotate(right_of_the_centre, 90.0)[0, 0, 1, 4] == pytest.approx(1, abs=1e-4)


def test_flip_and_bytes_are_exact():
    x = torch.randint(0, 256, (6, 3, 11, 8), dtype=torch.uint8, generator=seeded())
    which = torch.tensor([True, False, True, False, False, True])
    flipped = augment.flip(x, which)
    assert torch.equal(flipped[which], x[which].flip(-1))
    assert torch.equal(flipped[~which], x[~which])
    assert torch.equal(augment.rotate(x, 0.0), x)
    assert torch.equal(augment.rotate(x, 180.0), x.flip(-1, -2))


RANDOM = {
    "rotation": build([{"name": "affine", "degrees": 30}]),
    "contrast": lambda x, g: augment.contrast(x, 0.5, g),
    "brightness": lambda x, g: augment.brightness(x, 0.3, g),
    "noise": lambda x, g: augment.gaussian_noise(x, 0.1, g),
    "warp": lambda x, g: augment.morphological_warp(x, 0.03, g),
    "crop": lambda x, g: augment.random_crop(x, 40, g, pad=2),
    "erase": lambda x, g: augment.erase(x, 0.9, (0.1, 0.3), g),
    "pipeline": build(
        [{"name": "flip"}, {"name": "affine", "degrees": 9, "scale": 0.1}, {"name": "noise", "deviation": 0.1}]
    ),
}


@pytest.mark.parametrize("name", RANDOM)
def test_random_operations_are_seeded_and_keep_the_type(name):
    x = smooth(1).repeat(8, 1, 1, 1)
    change = RANDOM[name]
    first = change(x, seeded(5))
    assert torch.equal(first, change(x, seeded(5)))
    assert not torch.equal(first, change(x, seeded(6)))
    assert len(torch.unique(first.flatten(1), dim=0)) >= 6  # each image gets its own draw
    assert first.dtype == x.dtype
    assert first.min() >= 0
    assert first.max() <= 1
    coarse = (x * 255).round().byte()
    as_bytes = change(coarse, seeded(5))
    assert as_bytes.dtype == torch.uint8
    assert (as_bytes / 255 - change(coarse / 255, seeded(5))).abs().max() < 0.5 / 255 + 1e-5
    assert torch.equal(coarse, (x * 255).round().byte())


TEN_DEGREES = [{"name": "affine", "degrees": 10, "fill": "zero"}]


def test_random_rotation_stays_within_its_limit():
    landmarks = FACE[None].expand(64, -1, -1)
    turned = centroids(build(TEN_DEGREES)(blobs(landmarks, 48, 48), seeded()))
    eyes = turned[:, 1] - turned[:, 0]
    before = FACE[1] - FACE[0]
    degrees = torch.rad2deg(torch.atan2(-eyes[:, 1], eyes[:, 0]) - torch.atan2(-before[1], before[0]))
    assert degrees.abs().max() < 10.3
    assert degrees.min() < -8
    assert degrees.max() > 8


def test_contrast_brightness_and_noise():
    x = torch.full((400, 1, 8, 8), 0.5)
    x[:, :, ::2] += 0.1
    x[:, :, 1::2] -= 0.1
    stretched = augment.contrast(x, 0.4, seeded())
    torch.testing.assert_close(stretched.mean((1, 2, 3)), x.mean((1, 2, 3)))
    factor = (stretched[:, 0, 0, 0] - stretched[:, 0, 1, 0]) / 0.2
    assert 0.6 <= factor.min() < 0.62
    assert 1.38 < factor.max() <= 1.4
    shift = augment.brightness(x, 0.2, seeded()) - x
    assert (shift.amax((1, 2, 3)) - shift.amin((1, 2, 3))).max() < 1e-6
    assert -0.2 <= shift.min() < -0.19
    assert 0.19 < shift.max() <= 0.2
    noise = augment.gaussian_noise(x, 0.05, seeded()) - x
    assert noise.std() == pytest.approx(0.05, rel=0.03)
    assert noise.mean() == pytest.approx(0, abs=0.002)


@pytest.mark.parametrize("nodes", [1, 3, 6])
def test_the_strongest_warp_folds_nothing(monkeypatch, nodes):
    # The worst draws are the extreme ones.
    monkeypatch.setattr(
        torch, "rand", lambda *s, generator, device: torch.randint(0, 2, s, generator=generator).float()
    )
    field = augment.displacement(300, (96, 96), augment.warp_limit(nodes), seeded(), nodes)
    assert field[:, :, [0, -1]].abs().max() == 0
    assert field[..., [0, -1]].abs().max() == 0
    across, down = field[..., :-1, 1:] - field[..., :-1, :-1], field[..., 1:, :-1] - field[..., :-1, :-1]
    assert ((1 + across[:, 0]) * (1 + down[:, 1]) - across[:, 1] * down[:, 0]).min() > 0.1
    with pytest.raises(ConfigError, match="strength"):
        augment.displacement(1, (96, 96), augment.warp_limit(nodes) * 1.01, seeded(), nodes)


def test_warp_moves_what_the_field_says():
    image = blobs(FACE[None], 48, 48)
    field = augment.displacement(1, (48, 48), 0.03, seeded(4))
    seen = centroids(augment.morphological_warp(image, 0.03, seeded(4)))
    assert (seen - FACE).abs().max() > 0.5
    for landmark, (x, y) in zip(FACE, seen[0].round().long().tolist(), strict=True):
        there = seen[0, (landmark == FACE).all(1)][0] + field[0, :, y, x]
        assert (there - landmark).abs().max() < 0.35


def test_random_crop_takes_every_place():
    x = torch.arange(48 * 48).view(1, 1, 48, 48).repeat(600, 2, 1, 1)
    cut = augment.random_crop(x, 44, seeded())
    assert cut.shape == (600, 2, 44, 44)
    rows, columns = cut[:, 0, 0, 0] // 48, cut[:, 0, 0, 0] % 48
    for i in range(20):
        assert torch.equal(cut[i], x[i, :, rows[i] : rows[i] + 44, columns[i] : columns[i] + 44])
    assert len(torch.unique(torch.stack([rows, columns]), dim=1).T) == 25
    assert torch.equal(augment.centre_crop(x, 44), x[:, :, 2:46, 2:46])
    assert augment.random_crop(x[:50], 48, seeded(), pad=3).eq(0).float().mean() > 0.03
    for bad in (49, 0):
        with pytest.raises(ConfigError, match="size"):
            augment.random_crop(x, bad, seeded())
        with pytest.raises(ConfigError, match="size"):
            augment.centre_crop(x, bad)


def test_a_pipeline_is_tested_on_the_middle_of_its_crops():
    x = torch.arange(2 * 48 * 48).view(2, 1, 48, 48)
    assert torch.equal(augment.build([{"name": "crop", "size": 44}, {"name": "flip"}]).middle(x), x[:, :, 2:46, 2:46])
    padded = augment.build([{"name": "crop", "size": 50, "pad": 4}, {"name": "centre_crop", "size": 48}]).middle(x)
    assert torch.equal(padded, x)
    assert augment.build([{"name": "flip"}, {"name": "affine", "degrees": 10}]).middle(x) is x


def test_erase_covers_the_share_it_is_asked_for():
    x = torch.rand(500, 2, 40, 60, generator=seeded())
    erased = augment.erase(x, 0.5, (0.1, 0.2), seeded(1))
    changed = (erased != x).any(1)
    share = changed.float().mean((1, 2))
    hit = share > 0
    assert 0.42 < hit.float().mean() < 0.58
    assert share[hit].min() > 0.08
    assert share[hit].max() < 0.22
    i = int(hit.nonzero()[0])
    rows, columns = changed[i].any(1), changed[i].any(0)
    assert torch.equal(changed[i], rows[:, None] & columns)  # a rectangle
    assert erased[i][:, changed[i]].flatten().unique() == pytest.approx(x[i].mean().item())
    assert torch.equal(augment.erase(x, 0.0, (0.1, 0.2), seeded()), x)


# Appended copies


@settings(max_examples=20)
@given(st.integers(1, 40), st.integers(0, 99))
def test_the_index_is_a_bijection(count, seed):
    chosen = torch.rand(count, 4, generator=seeded(seed)) < 0.6
    copies = Appended(chosen, ordinary(20))
    assert len(copies) == int(chosen.sum())
    face, operation = copies.decode(torch.arange(len(copies)))
    again = torch.zeros_like(chosen)
    again[face, operation] = True
    assert torch.equal(again, chosen)
    assert len(Appended.full(count, ordinary(20))) == 4 * count


def test_copies_are_appended_operation_by_operation():
    copies = Appended.full(5, ordinary(20))
    face, operation = copies.decode(torch.arange(20))
    assert torch.equal(face, torch.arange(5).repeat(4))
    assert torch.equal(operation, torch.arange(4).repeat_interleave(5))
    assert [o.name for o in copies.operations] == ["base", "flip", "rotate+20", "rotate-20"]
    with pytest.raises(IndexError):
        copies.decode(torch.tensor([20]))


@pytest.mark.parametrize("colour", [False, True])
def test_a_batch_holds_what_its_index_says(colour):
    images = (smooth(6)[:, 0] * 255).byte()
    if colour:
        images = torch.stack([images, images.flip(1), images.flip(0)], 3)
    planes = (images.permute(0, 3, 1, 2) if colour else images[:, None]).float() / 255
    copies = Appended.full(6, ordinary(20))
    index = torch.randperm(len(copies), generator=seeded())
    batch = copies.batch(images, index)
    assert batch.dtype == torch.float32
    whole = torch.cat([planes, planes.flip(-1), augment.rotate(planes, 20.0), augment.rotate(planes, -20.0)])
    torch.testing.assert_close(batch, whole[index], atol=1e-4, rtol=0)


def faces_tilted(*degrees):
    landmarks = [
        rotate_landmarks(FACE[None] * torch.tensor([1, 0]) + torch.tensor([0, 20.0]), d, (48, 48)) for d in degrees
    ]
    return torch.cat(landmarks).numpy()


def test_adaptive_copies_follow_the_rules():
    landmarks = np.concatenate([faces_tilted(0, 3, -3, 8, -8, 16, -16), np.full((1, 5, 2), np.nan)])
    copies = adaptive_copies(landmarks, 5, 12, 20)
    given_to = [set() for _ in landmarks]
    for face, operation in zip(*copies.decode(torch.arange(len(copies))), strict=True):
        given_to[face].add(copies.operations[operation].name)
    everything = {"base", "flip", "rotate+20", "rotate-20"}
    upright = everything - {"flip"}
    left, right = everything - {"rotate+20"}, everything - {"rotate-20"}
    assert given_to == [upright, upright, upright, everything, everything, left, right, everything]


@pytest.mark.parametrize(
    ("x1", "x2", "angle", "field"), [(5, 5, 20, "x1, x2"), (-1, 5, 20, "x1, x2"), (1, 5, -20, "angle")]
)
def test_adaptive_thresholds_are_checked(x1, x2, angle, field):
    with pytest.raises(ConfigError, match=field):
        adaptive_copies(faces_tilted(0), x1, x2, angle)


def test_choice_must_fit_the_operations():
    with pytest.raises(ValueError, match="chosen must have shape"):
        Appended(torch.ones(3, 2), (BASE, FLIP, rotation(5)))
    moved = Appended.full(3, (BASE, FLIP)).to("cpu")
    assert len(moved) == 6


# Pipelines


def test_neighbouring_moves_are_one_resampling(monkeypatch):
    calls = []
    resample = functional.grid_sample
    monkeypatch.setattr(functional, "grid_sample", lambda *a, **k: calls.append(1) or resample(*a, **k))
    x = smooth(16)
    pipeline = build(
        [
            {"name": "flip"},
            {"name": "affine", "degrees": 20, "fill": "edge"},
            {"name": "affine", "degrees": 5, "fill": "edge"},
        ]
    )
    fused = pipeline(x, seeded(2))
    assert len(calls) == 1
    g = seeded(2)

    def draws(limit):
        values = -limit + 2 * limit * torch.rand(16, generator=g)
        for _ in range(3):
            torch.rand(16, generator=g)
        return values

    step = augment.flip(x, torch.rand(16, generator=g) < 0.5)
    step = augment.rotate(step, draws(20), "edge")
    step = augment.rotate(step, draws(5), "edge")
    middle = (slice(None), slice(None), slice(14, 34), slice(14, 34))
    assert (fused - step)[middle].abs().max() < 0.02
    assert (x - step)[middle].abs().max() > 0.2
    assert torch.equal(build([{"name": "flip", "p": 1.0}])(x, seeded()), x.flip(-1))
    assert torch.equal(build([])(x, seeded()), x)


@pytest.mark.parametrize(("option", "value"), [("translate", 0.1), ("scale", 0.2)])
def test_affine_moves_blobs_by_what_it_draws(option, value):
    x = blobs(FACE[None].expand(200, -1, -1), 48, 48)
    seen = centroids(build([{"name": "affine", option: value, "fill": "zero"}])(x, seeded()))
    from_centre, before = seen - 23.5, FACE - 23.5
    if option == "translate":
        shift = (from_centre - before).mean(1)
        assert (from_centre - before - shift[:, None]).abs().max() < 0.05
        assert shift.abs().max() <= 4.85
        assert (shift.amin(0) < -4.4).all()
        assert (shift.amax(0) > 4.4).all()
    else:
        factor = (from_centre * before).sum((1, 2)) / (before**2).sum()
        assert (from_centre - factor[:, None, None] * before).abs().max() < 0.1
        assert 0.79 < factor.min() < 0.83
        assert 1.17 < factor.max() < 1.21


def test_every_step_can_be_built_and_run():
    pipeline = build(
        [
            {"name": "contrast", "limit": 0.2},
            {"name": "brightness", "limit": 0.1},
            {"name": "warp", "strength": 0.02},
            {"name": "flip", "p": 0.5},
            {"name": "affine", "degrees": 10, "translate": 0.05, "scale": 0.05},
            {"name": "noise", "deviation": 0.02},
            {"name": "erase", "area": [0.02, 0.1]},
            {"name": "crop", "size": 46, "pad": 1},
            {"name": "centre_crop", "size": 44},
        ]
    )
    x = (smooth(4) * 255).byte()
    y = pipeline(x, seeded())
    assert y.shape == (4, 1, 44, 44)
    assert y.dtype == torch.uint8
    assert torch.equal(y, pipeline(x, seeded()))


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([{"name": "flap"}], r"augment\[0\].name: 'flap' is unknown"),
        ([{"p": 0.5}], r"augment\[0\].name: None is unknown"),
        ([{"name": "flip"}, {"name": "affine", "degres": 10}], r"augment\[1\].degres: affine has no such option"),
        ([{"name": "crop"}], r"augment\[0\].size: crop needs it"),
        ([{"name": "crop", "size": 44.5}], r"augment\[0\].size: 44.5 will not do. Give a whole number"),
        ([{"name": "flip", "p": 2}], r"augment\[0\].p: 2 will not do"),
        ([{"name": "flip", "p": True}], r"augment\[0\].p"),
        ([{"name": "flip", "p": "half"}], r"augment\[0\].p"),
        ([{"name": "affine", "degrees": float("nan")}], r"augment\[0\].degrees"),
        ([{"name": "affine", "fill": "blue"}], r"augment\[0\].fill: 'blue' is unknown. Use one of reflect, zero, edge"),
        ([{"name": "erase", "area": 0.1}], r"augment\[0\].area"),
        ([{"name": "erase", "area": [0.2, 0.1]}], r"augment\[0\].area"),
        ([{"name": "warp", "strength": 0.09}], r"augment\[0\].strength: 0.09 .* could fold"),
    ],
)
def test_wrong_configs_name_their_field(steps, message):
    with pytest.raises(ConfigError, match=message):
        build(steps)


def test_unknown_fill():
    with pytest.raises(ConfigError, match="fill"):
        augment.rotate(smooth(1), 10.0, "blue")
