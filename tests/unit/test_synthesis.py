"""The synthetic face: what is promised about its randomness, its truth and its pixels."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import ferbook
from ferbook.core.errors import ConfigError
from ferbook.faces.emotions import EMOTIONS, VAD_POINTS
from ferbook.synthesis import ACTION_UNITS, COVERS, FRAMINGS, PROTOTYPES, activate, geometry, render, sample
from ferbook.synthesis.randomness import derive, normals, uniforms
from ferbook.synthesis.raster import hump, ramp, smooth, stroke, tiles

UPRIGHT = (0.0, 0.0, 0.0)


def unit(name: str) -> int:
    return ACTION_UNITS.index(name)


def one_hot(emotion: str) -> np.ndarray:
    return np.eye(len(EMOTIONS))[EMOTIONS.index(emotion)]


def digest(pictures: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(pictures).tobytes()).hexdigest()


@pytest.fixture(scope="module")
def faces():
    return sample(64, seed=4, split="test", occlusion=0.3)


# --- randomness


def test_splitmix_finaliser_matches_its_published_sequence():
    # First outputs of SplitMix64 seeded with 1234567, as printed with the reference implementation in C.
    from ferbook.synthesis.randomness import _GOLDEN, _mix

    states = np.uint64(1234567) + np.arange(1, 4, dtype=np.uint64) * _GOLDEN
    assert _mix(states).tolist() == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_draws_depend_on_key_stream_and_position_only():
    keys = derive("face", np.arange(1000))
    assert len(set(keys.tolist())) == 1000
    draws = uniforms(keys, "a", 5)
    assert np.array_equal(draws[17:18], uniforms(keys[17:18], "a", 5))
    assert np.array_equal(draws[:, :2], uniforms(keys, "a", 2)), "more draws must not change the first ones"
    assert not np.array_equal(draws, uniforms(keys, "b", 5))
    assert abs(draws.mean() - 0.5) < 0.02 and draws.min() >= 0 and draws.max() < 1


def test_normals_are_standard_and_bounded():
    draws = normals(derive("x", np.arange(20000)), "n", 2)
    assert abs(draws.mean()) < 0.02 and abs(draws.std() - 1) < 0.02 and np.abs(draws).max() < 3.47
    assert abs(np.corrcoef(draws.T)[0, 1]) < 0.03


# --- determinism


@pytest.mark.parametrize(("size", "colour"), [(48, False), (53, True)])
@pytest.mark.parametrize("chunk", [1, 7, 64])
def test_pixels_do_not_depend_on_the_batch(faces, size, colour, chunk):
    part = faces[:20] if size != 48 else faces
    assert np.array_equal(render(part, size, colour, chunk=chunk), render(part, size, colour))


def test_pixels_do_not_depend_on_threads(faces):
    before = torch.get_num_threads()
    try:
        pictures = []
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            pictures.append(render(faces[:10], 96, chunk=3))
            assert torch.get_num_threads() == threads, "rendering must leave the caller's threads alone"
    finally:
        torch.set_num_threads(before)
    assert np.array_equal(pictures[0], pictures[1]) and np.array_equal(pictures[0], pictures[2])


def test_a_face_alone_is_the_face_in_a_draw(faces):
    alone = sample(1, seed=4, split="test", occlusion=0.3, start=23)
    assert np.array_equal(render(alone, 48)[0], render(faces, 48)[23])
    assert np.array_equal(alone.landmarks(48)[0], faces.landmarks(48)[23])
    assert np.array_equal(alone.vad[0], faces.vad[23])


def test_tall_pictures_painted_in_bands_match(faces, monkeypatch):
    import importlib

    module = importlib.import_module("ferbook.synthesis.render")
    whole = render(faces[:2], 128)
    monkeypatch.setattr(module, "UNIT_PIXELS", 128 * 30)
    assert np.array_equal(render(faces[:2], 128), whole)


def test_another_process_paints_the_same_bits(faces):
    code = (
        "import hashlib; from ferbook.synthesis import render, sample;"
        "p = render(sample(8, seed=4, split='test', occlusion=0.3), 48);"
        "print(hashlib.sha256(p.tobytes()).hexdigest())"
    )
    source = str(Path(ferbook.__path__[0]).parent)
    env = {**os.environ, "PYTHONPATH": source, "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "7"}
    out = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert out.stdout.strip() == digest(render(faces[:8], 48))


def test_pixel_operations_round_the_same_in_vector_and_scalar_loops():
    # A plane's values must not depend on where in the plane they stand: compare a long array with its own slices.
    x = torch.linspace(-1.3, 1.3, 4099)
    pixel = torch.tensor([[0.04]])
    for function in (ramp, smooth, hump, lambda v: stroke(v.unsqueeze(0), 0.02, pixel)[0], lambda v: v.abs().sqrt()):
        whole = function(x.clone())
        pieces = torch.cat([function(x[i : i + 3].clone()) for i in range(0, len(x), 3)])
        assert torch.equal(whole, pieces)


def test_seeds_and_splits_differ():
    pictures = [render(sample(2, seed=s, split=p), 48) for s, p in ((0, "train"), (1, "train"), (0, "valid"))]
    assert len({digest(p) for p in pictures}) == 3


# --- identities


def test_identities_are_disjoint_between_splits():
    pools = [{*sample(500, split=split, identities=100).identity.tolist()} for split in ("train", "valid", "test")]
    assert all(len(pool) > 90 for pool in pools)
    assert sum(map(len, pools)) == len(set.union(*pools))


def test_traits_follow_from_the_identity_alone():
    first, second = sample(300, seed=1, identities=20), sample(300, seed=2, identities=20)
    for number in np.intersect1d(first.identity, second.identity):
        a, b = first.person[first.identity == number], second.person[second.identity == number]
        assert (a == a[0]).all() and a[0] == b[0]
    assert len(np.unique(first.person["width"])) == len(np.unique(first.identity))


def test_with_identity_changes_the_person_only(faces):
    other = faces[:3].with_identity(faces.identity[5])
    assert (other.person == faces.person[5]).all()
    assert np.array_equal(other.sides, faces[:3].sides) and np.array_equal(other.pose, faces[:3].pose)


# --- expressions


def test_prototypes_follow_emfacs():
    expected = {
        "neutral": set(),
        "happiness": {"AU6", "AU12"},
        "sadness": {"AU1", "AU4", "AU15"},
        "surprise": {"AU1", "AU2", "AU5", "AU26"},
        "fear": {"AU1", "AU2", "AU4", "AU5", "AU20", "AU26"},
        "anger": {"AU4", "AU5", "AU7", "AU23"},
        "disgust": {"AU9", "AU10"},
        "contempt": {"AU12", "AU14"},
    }
    assert PROTOTYPES.shape == (len(EMOTIONS), len(ACTION_UNITS))
    assert (PROTOTYPES >= 0).all() and (PROTOTYPES <= 1).all()
    for emotion, row in zip(EMOTIONS, PROTOTYPES, strict=True):
        assert expected[emotion] <= {name for name, value in zip(ACTION_UNITS, row, strict=True) if value > 0}
    assert not PROTOTYPES[EMOTIONS.index("neutral")].any()
    distances = np.abs(PROTOTYPES[:, None] - PROTOTYPES[None]).sum(axis=2) + 9 * np.eye(len(EMOTIONS))
    assert distances.min() > 1.0, "two emotions would look alike"


def test_activation_is_linear_in_mixture_and_intensity():
    mixture = np.random.default_rng(0).dirichlet(np.ones(8), 10)
    intensity = np.linspace(0.1, 1.0, 10)
    np.testing.assert_allclose(activate(mixture, intensity), (mixture @ PROTOTYPES) * intensity[:, None], rtol=1e-12)


def test_more_intensity_never_weakens_a_unit(faces):
    steps = [faces.with_expression(intensity=level).action_units for level in (0.0, 0.2, 0.5, 1.0)]
    for weaker, stronger in zip(steps, steps[1:], strict=False):
        assert (stronger >= weaker).all()
    assert (steps[-1].sum(axis=1) > steps[0].sum(axis=1))[faces.label != 0].all()


def test_textbook_faces_show_the_prototype_and_contempt_one_side():
    faces = sample(8, jitter=0.0).with_expression(np.eye(8), 1.0)
    np.testing.assert_allclose(faces.action_units, PROTOTYPES, atol=1e-12)
    sides = faces.sides[EMOTIONS.index("contempt"), unit("AU14")]
    assert sides.max() == 1.0 and sides.min() < 0.1
    symmetric = np.delete(faces.sides, EMOTIONS.index("contempt"), axis=0)
    assert np.array_equal(symmetric[..., 0], symmetric[..., 1])


def test_contempt_takes_either_side():
    sides = sample(200, mixture="contempt", intensity=1.0).sides[:, unit("AU14")]
    assert 0.35 < (sides[:, 0] > sides[:, 1]).mean() < 0.65


def test_drawn_mixtures_are_shares_with_the_asked_blends_and_prior():
    faces = sample(4000, blends=0.4)
    np.testing.assert_allclose(faces.mixture.sum(axis=1), 1.0)
    assert abs(((faces.mixture > 0).sum(axis=1) > 1).mean() - 0.4) < 0.03
    assert (faces.mixture > 0).sum(axis=1).max() == 3
    assert abs(np.bincount(faces.label, minlength=8) / 4000 - 1 / 8).max() < 0.02
    assert faces.intensity.min() >= 0.2 and faces.intensity.max() <= 1.0
    prior = np.array([4, 2, 1, 1, 0, 0, 0, 0])
    share = np.bincount(sample(4000, prior=prior).label, minlength=8) / 4000
    assert abs(share - prior / 8).max() < 0.03
    assert (sample(200, blends=0.0).mixture.max(axis=1) == 1).all()


def test_vad_is_the_mixture_of_the_points_times_intensity(faces):
    points = np.array([VAD_POINTS[name] for name in EMOTIONS])
    np.testing.assert_allclose(faces.vad, (faces.mixture @ points) * faces.intensity[:, None], atol=1e-12)
    full = sample(1, mixture="fear", intensity=1.0)
    np.testing.assert_allclose(full.vad[0], VAD_POINTS["fear"])


# --- geometry


def test_landmarks_turn_with_the_roll():
    size = 160
    faces = sample(30, seed=2)
    upright = faces.with_pose(np.c_[faces.pose[:, :2], np.zeros(30)])
    for degrees in (-170.0, -20.0, 7.5, 90.0):
        rolled = faces.with_pose(np.c_[faces.pose[:, :2], np.full(30, degrees)]).landmarks(size)
        shift = faces.scene["frame"][:, 1:] * size
        centre = (size / 2 - 0.5 + shift)[:, None, :]
        angle = np.deg2rad(degrees)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        np.testing.assert_allclose(rolled, (upright.landmarks(size) - centre) @ turn.T + centre, atol=1e-9)


def test_landmarks_mirror_with_the_face():
    faces = sample(20, seed=3).with_scene(frame=(2.0, 0.0, 0.0))
    mirrored = faces.with_pose(faces.pose * [-1, 1, -1])
    object.__setattr__(mirrored, "sides", faces.sides[:, :, ::-1].copy())
    points = mirrored.landmarks(100)
    points[..., 0] = 99 - points[..., 0]
    np.testing.assert_allclose(points[:, [1, 0, 2, 4, 3]], faces.landmarks(100), atol=1e-9)


def test_pose_moves_the_nose_the_way_its_signs_say():
    face = sample(1).with_scene(frame=(2.0, 0.0, 0.0))
    straight = face.with_pose(UPRIGHT).landmarks(100)[0]
    right, up = face.with_pose((20.0, 0, 0)).landmarks(100)[0], face.with_pose((0, 15.0, 0)).landmarks(100)[0]
    eyes = slice(0, 2)
    assert right[2, 0] - right[eyes, 0].mean() > 2 and abs(straight[2, 0] - straight[eyes, 0].mean()) < 1e-9
    assert up[2, 1] - up[eyes, 1].mean() < straight[2, 1] - straight[eyes, 1].mean()
    clockwise = face.with_pose((0, 0, 15.0)).landmarks(100)[0]
    assert clockwise[1, 1] > clockwise[0, 1]


def test_landmarks_scale_with_the_picture(faces):
    small, large = faces.landmarks(48) + 0.5, faces.landmarks(480) + 0.5
    np.testing.assert_allclose(large, small * 10, rtol=1e-12)


def test_the_nose_tip_is_where_the_depth_is_greatest_on_the_midline():
    y = np.linspace(-1, 1, 2001)
    assert abs(y[np.argmax(geometry.depth(np.zeros_like(y), y))] - 0.33) < 0.08


@pytest.mark.parametrize(
    ("name", "control", "direction"),
    [
        ("AU12", "corner", -1), ("AU15", "corner", 1), ("AU1", "brow_inner", -1), ("AU2", "brow_outer", -1),
        ("AU4", "brow_inner", 1), ("AU5", "lid_upper", 1), ("AU7", "lid_upper", -1), ("AU43", "lid_upper", -1),
        ("AU20", "mouth_width", 1), ("AU24", "lip_upper", -1), ("AU26", "open_lower", 1), ("AU27", "jaw", 1),
        ("AU6", "cheek", 1), ("AU9", "snarl", 1), ("AU10", "fold", 1), ("AU14", "dimple", 1), ("AU17", "boss", 1),
        ("AU23", "mouth_width", -1), ("AU25", "open_lower", 1),
    ],
)  # fmt: skip
def test_each_action_unit_moves_its_feature(faces, name, control, direction):
    rest = np.zeros_like(faces.sides)
    moved = rest.copy()
    moved[:, unit(name)] = 0.8
    change = geometry.controls(moved, faces.person)[control] - geometry.controls(rest, faces.person)[control]
    assert (direction * change > 0).all()


# --- pixels


def test_eyes_are_painted_at_the_eye_landmarks():
    size = 160
    faces = sample(24, seed=8, pose=UPRIGHT, mixture="surprise", intensity=1.0, occlusion="none").with_scene(gaze=0)
    pictures, points = render(faces, size).astype(float), faces.landmarks(size).round().astype(int)
    for picture, marks in zip(pictures, points, strict=True):
        for x, y in marks[:2]:
            pupil = picture[y - 1 : y + 2, x - 1 : x + 2].min()
            # Within a few pixels of the pupil's centre there is the white of the eye on both sides.
            reach = int(0.11 / 2.05 * size) + 1
            assert picture[y, x - reach : x + reach + 1].max() > pupil + 40


def test_a_smile_changes_the_mouth_and_not_the_background():
    size = 96
    faces = sample(16, seed=6, occlusion="none", mixture="neutral", framing="loose", pose=UPRIGHT)
    smiling = faces.with_expression("happiness", 1.0)
    change = np.abs(render(faces, size).astype(int) - render(smiling, size).astype(int))
    marks = faces.landmarks(size)
    for i in range(len(faces)):
        (left, top), (right, bottom) = marks[i, 3].astype(int), marks[i, 4].astype(int)
        mouth = change[i, min(top, bottom) - 3 : max(top, bottom) + 4, left - 2 : right + 3]
        assert mouth.max() > 25
        assert not change[i, :8].any() and not change[i, :, :8].any() and not change[i, :, -8:].any()
        assert not change[i, -8:].any()


@pytest.mark.parametrize("size", [48, 64, 160, 224, 448])
def test_sizes_and_channels(size):
    faces = sample(2, seed=1)
    grey, colour = render(faces, size), render(faces, size, colour=True)
    assert grey.shape == (2, size, size) and colour.shape == (2, size, size, 3)
    assert grey.dtype == colour.dtype == np.uint8
    for picture in grey:
        assert picture.std() > 15 and 40 < picture.mean() < 215
    assert np.abs(colour[..., 0].astype(int) - colour[..., 2]).max() > 20


def test_grey_is_the_luminance_of_the_colour():
    faces = sample(6, seed=2).with_scene(grain=0.0)
    grey, colour = render(faces, 96).astype(float), render(faces, 96, colour=True).astype(float)

    def linear(display):  # the display curve of the renderer, inverted: v = 1.14 s / (1 + 0.16 s^2), light = s^2
        v = display / 255
        s = (1.14 - np.sqrt(np.maximum(1.14**2 - 4 * 0.16 * v * v, 0))) / (0.32 * np.maximum(v, 1e-9))
        return s * s

    inside = colour.max(axis=-1) < 250
    expected = linear(colour) @ [0.2126, 0.7152, 0.0722]
    assert np.abs(linear(grey) - expected)[inside].max() < 0.03


def test_occluders_cover_what_they_should():
    faces = sample(12, seed=5, pose=UPRIGHT, occlusion="none", mixture="neutral")
    plain = render(faces, 96).astype(int)
    marks = faces.landmarks(96).round().astype(int)
    masked = sample(12, seed=5, pose=UPRIGHT, occlusion="mask", mixture="neutral")
    assert (masked.cover == "mask").all()
    change = np.abs(render(masked, 96).astype(int) - plain)
    for i in range(12):
        (_, eye_y), (nose_x, nose_y) = marks[i, 0], marks[i, 2]
        assert change[i, nose_y + 8, nose_x - 8 : nose_x + 8].any()
        assert not change[i, : eye_y + 2].any()
    hands = sample(12, seed=5, pose=UPRIGHT, occlusion="hand", mixture="neutral")
    share = (np.abs(render(hands, 96).astype(int) - plain) > 8).mean(axis=(1, 2))
    assert (share > 0.03).all() and (share < 0.6).all()
    drawn = sample(3000, occlusion=0.2).cover
    assert abs((drawn != "none").mean() - 0.2) < 0.03 and set(drawn) == set(COVERS)


def test_looser_framing_shows_a_smaller_face():
    spans = {}
    for name in FRAMINGS:
        marks = sample(20, pose=UPRIGHT, framing=name).landmarks(100)
        spans[name] = (marks[:, 1, 0] - marks[:, 0, 0]).mean()
    assert spans["tight"] > spans["head"] > spans["loose"] > 5
    assert sample(3, framing=0.5).landmarks(100).shape == (3, 5, 2)


def test_scene_edits_change_the_light_and_not_the_truth(faces):
    dim = faces.with_scene(exposure=0.5)
    assert render(dim[:4], 48).mean() < render(faces[:4], 48).mean() - 10
    assert np.array_equal(dim.landmarks(48), faces.landmarks(48)) and np.array_equal(dim.vad, faces.vad)


def test_noise_tiles_are_standardised():
    for name, tile in tiles().items():
        assert abs(float(tile.mean())) < 0.05, name
        assert 0.8 < float(tile.std()) < 1.2, name


def test_indexing_keeps_everything_in_step(faces):
    picked = faces[np.array([5, 3])]
    assert len(picked) == 2 and len(faces[4]) == 1 and len(faces[2:9]) == 7 and len(faces[faces.label == 1]) <= 64
    assert np.array_equal(picked.vad, faces.vad[[5, 3]])
    assert np.array_equal(render(picked, 48), render(faces, 48)[[5, 3]])
    assert render(faces[:0], 48).shape == (0, 48, 48)


# --- refusals


@pytest.mark.parametrize(
    ("field", "call"),
    [
        ("count", lambda: sample(-1)),
        ("count", lambda: sample(2.5)),
        ("seed", lambda: sample(1, seed=-3)),
        ("split", lambda: sample(1, split="dev")),
        ("identities", lambda: sample(1, identities=0)),
        ("mixture", lambda: sample(1, mixture="boredom")),
        ("mixture", lambda: sample(1, mixture="unknown")),
        ("mixture", lambda: sample(2, mixture=np.ones((3, 8)))),
        ("mixture", lambda: sample(1, mixture=-np.ones(8))),
        ("prior", lambda: sample(1, prior=np.zeros(8))),
        ("blends", lambda: sample(1, blends=1.5)),
        ("intensity", lambda: sample(1, intensity=1.2)),
        ("intensity", lambda: sample(2, intensity=[0.1, 0.2, 0.3])),
        ("intensity", lambda: sample(1, intensity=float("nan"))),
        ("intensity", lambda: sample(1, intensity="strong")),
        ("pose", lambda: sample(1, pose=(80, 0, 0))),
        ("pose", lambda: sample(1, pose=(1, 2))),
        ("framing", lambda: sample(1, framing="wide")),
        ("framing", lambda: sample(1, framing=3.0)),
        ("occlusion", lambda: sample(1, occlusion="scarf")),
        ("occlusion", lambda: sample(1, occlusion=2.0)),
        ("jitter", lambda: sample(1, jitter=-1.0)),
        ("scene", lambda: sample(1).with_scene(weather=1)),
        ("identity", lambda: sample(2).with_identity([1, 2, 3])),
        ("size", lambda: render(sample(1), size=8)),
        ("size", lambda: render(sample(1), size=48.0)),
        ("size", lambda: sample(1).landmarks(0)),
        ("chunk", lambda: render(sample(1), chunk=0)),
    ],
)
def test_bad_arguments_name_the_field(field, call):
    with pytest.raises(ConfigError) as caught:
        call()
    assert caught.value.field == field
