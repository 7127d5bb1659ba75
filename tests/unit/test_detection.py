"""Detection against the library's own detector and known faces; the table; geometry against slow twins."""

import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from ferbook.core.errors import ConfigError, DataError, FerbookError
from ferbook.synthesis import render, sample
from ferbook.vision import mtcnn as stages
from ferbook.vision.detection import COLUMNS, TEMPLATE, Detections, align, crop, detect, detect_all
from ferbook.vision.pose import inclination, nose_offset, similarity
from tests.unit.dots import blobs, centroids


@pytest.fixture(scope="module")
def mtcnn():
    return pytest.importorskip("facenet_pytorch").MTCNN


@pytest.fixture(scope="module")
def faces():
    return sample(16, seed=3, split="test")


@pytest.fixture(scope="module")
def pictures(faces):
    return render(faces, size=160)


# The detector


def test_agrees_with_the_librarys_own_detector(mtcnn, pictures):
    ours = detect(pictures, minimum=0.3, upscale=0, border=0)
    library = mtcnn(min_face_size=48, select_largest=False)
    compared = 0
    colour = np.repeat(pictures[..., None], 3, 3)
    for i, (boxes, probability, points) in enumerate(zip(*library.detect(colour, landmarks=True), strict=True)):
        assert (boxes is not None) == ours.found[i]
        if boxes is None:
            continue
        # Its boxes name their first pixel counting from 1 and their last; ours are edges around pixel centres.
        box = ours.boxes[i] + [1.5, 1.5, 0.5, 0.5]
        match = np.abs(boxes - box).max(1).argmin()
        np.testing.assert_allclose(box, boxes[match].astype(float), atol=0.01)
        np.testing.assert_allclose(ours.landmarks[i] + 0.5, points[match].astype(float), atol=0.01)
        assert ours.probability[i] == pytest.approx(probability[match], abs=1e-4)
        compared += 1
    assert compared >= 12


@pytest.mark.parametrize("size", [48, 160])
def test_landmarks_lie_on_the_face(mtcnn, faces, size):
    found = detect(render(faces, size=size))
    truth = faces.landmarks(size)
    eyes = np.linalg.norm(truth[:, 1] - truth[:, 0], axis=1)
    error = np.linalg.norm(found.landmarks - truth, axis=2).mean(1) / eyes
    assert found.found.mean() >= 0.8
    assert np.nanmedian(error) < 0.12
    middle = (found.boxes[:, :2] + found.boxes[:, 2:])[found.found] / 2
    assert np.abs(middle - truth.mean(1)[found.found]).max() < 0.2 * size


def test_result_depends_neither_on_the_batch_nor_on_grey_or_rgb(mtcnn, pictures):
    small = pictures[:6, ::2, ::2]
    whole = detect(small)
    for other in (detect(small, batch=1), detect(np.repeat(small[..., None], 3, 3), batch=4)):
        np.testing.assert_array_equal(other.found, whole.found)
        np.testing.assert_allclose(other.landmarks, whole.landmarks, atol=0.02)
        np.testing.assert_allclose(other.boxes, whole.boxes, atol=0.02)


def test_not_found_is_nan(mtcnn, pictures):
    noise = np.random.default_rng(0).integers(0, 256, (2, 160, 160), dtype=np.uint8)
    images = np.concatenate([np.zeros_like(noise[:1]), noise, pictures[:1]])
    result = detect(images, ids=["black", "noise", "more", "face"])
    assert result.found.tolist() == [False, False, False, True]
    assert np.isnan(result.boxes[:3]).all()
    assert np.isnan(result.landmarks[:3]).all()
    assert np.isnan(result.probability[:3]).all()
    assert len(detect(images[:0])) == 0
    assert not detect(images[:3]).found.any()


def test_the_large_central_face_is_chosen(mtcnn, pictures):
    scene = np.full((320, 320), 127, np.uint8)
    scene[60:220, 60:220] = pictures[0]
    scene[240:320, 240:320] = pictures[1][::2, ::2]
    box = detect(scene[None], minimum=0.1).boxes[0]
    assert np.abs((box[:2] + box[2:]) / 2 - 140).max() < 40
    alone = np.full_like(scene, 127)
    alone[240:320, 240:320] = scene[240:320, 240:320]
    assert detect(alone[None], minimum=0.1).boxes[0, 0] > 220


def test_every_face_of_a_photograph_is_found_the_largest_first(mtcnn, pictures):
    scene = np.full((320, 400, 3), 127, np.uint8)
    scene[240:320, 300:380] = pictures[1][::2, ::2, None]
    scene[40:200, 60:220] = pictures[0][..., None]
    found = detect_all(scene)
    assert len(found) == 2 and found.found.all()
    middles = (found.boxes[:, :2] + found.boxes[:, 2:]) / 2
    np.testing.assert_allclose(middles, [[140, 120], [340, 280]], atol=30)
    nose = found.landmarks[:, 2]
    assert ((nose > found.boxes[:, :2]) & (nose < found.boxes[:, 2:])).all()
    assert len(detect_all(scene, smallest=100)) == 1
    assert len(detect_all(np.zeros((50, 60), np.uint8))) == 0
    assert len(detect_all(np.zeros((1, 1), np.uint8))) == 0


def test_missing_package_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "facenet_pytorch", None)
    stages.networks.cache_clear()
    with pytest.raises(FerbookError, match="pip install --no-deps facenet-pytorch"):
        detect(np.zeros((1, 48, 48), np.uint8))


@pytest.mark.parametrize(
    ("find", "options"),
    [
        *((detect_all, options) for options in ({"smallest": 5}, {"thresholds": (0.5, 0.5, 1.0)})),
        *((detect, options) for options in ({"minimum": 0}, {"minimum": 2}, {"upscale": -1}, {"border": -0.1})),
        *((detect, options) for options in ({"batch": 0}, {"thresholds": (0, 1, 1)})),
    ],
)
def test_settings_out_of_range(find, options):
    image = np.zeros((48, 48), np.uint8)
    with pytest.raises(ConfigError, match=next(iter(options))):
        find(image if find is detect_all else image[None], **options)


@pytest.mark.parametrize(
    "images", [np.zeros((1, 48, 48)), np.zeros((48, 48), np.uint8), np.zeros((1, 8, 8, 4), np.uint8)]
)
def test_images_of_another_kind(images):
    with pytest.raises(ValueError, match="images must be uint8"):
        detect(images)


def test_patches_are_adaptive_averages():
    images = torch.randint(0, 256, (3, 2, 40, 50), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    summed = functional.pad(images.cumsum(2, dtype=torch.int32).cumsum(3, dtype=torch.int32), (1, 0, 1, 0))
    image = torch.tensor([0, 2, 1, 0, 1, 2])
    boxes = torch.tensor(
        [[1, 1, 50, 40], [3.7, 5.2, 20.9, 31.5], [-8, -3, 9, 14], [44, 30, 70, 60], [60, 5, 70, 20], [7, 7, 7, 7]]
    ).float()
    kept, kept_boxes, patches = stages.patches(summed, image, boxes, 24)
    assert kept.tolist() == [0, 2, 1, 0, 2]  # the fifth lies outside
    for i, (x1, y1, x2, y2), patch in zip(kept.tolist(), kept_boxes.trunc().int().tolist(), patches, strict=True):
        cut = images[i : i + 1, :, max(y1, 1) - 1 : min(y2, 40), max(x1, 1) - 1 : min(x2, 50)].float()
        torch.testing.assert_close(patch, functional.interpolate(cut, (24, 24), mode="area")[0], atol=1e-3, rtol=0)


def test_suppression_is_greedy():
    generator = torch.Generator().manual_seed(1)
    corner = torch.rand(120, 2, generator=generator) * 60
    boxes = torch.cat([corner, corner + 10 + torch.rand(120, 2, generator=generator) * 30], 1)
    score, image = torch.rand(120, generator=generator), torch.randint(0, 4, (120,), generator=generator)
    kept = []
    for i in score.argsort(descending=True).tolist():
        for j in kept:
            width, height = (
                torch.minimum(boxes[i, 2:], boxes[j, 2:]) - torch.maximum(boxes[i, :2], boxes[j, :2]) + 1
            ).tolist()
            smaller = min((boxes[k, 2:] - boxes[k, :2] + 1).prod().item() for k in (i, j))
            if image[i] == image[j] and max(width, 0) * max(height, 0) / smaller > 0.5:
                break
        else:
            kept.append(i)
    assert 10 < len(kept) < 100
    assert stages.distinct(image, boxes, score, 0.5).tolist() == kept


# The table


def table(count=4, missing=(1,)):
    rng = np.random.default_rng(count)
    corner = rng.normal(0, 5, (count, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(10, 40, (count, 2))], 1).astype(np.float32)
    probability = rng.uniform(0.6, 1, count).astype(np.float32)
    landmarks = rng.uniform(0, 48, (count, 5, 2)).astype(np.float32)
    for array in (boxes, probability, landmarks):
        array[list(missing)] = np.nan
    return Detections(np.array([f"fer{i:07d}" for i in range(count)]), boxes, probability, landmarks)


@settings(max_examples=15)
@given(st.integers(1, 30), st.data())
def test_round_trip_is_exact(tmp_path_factory, count, data):
    missing = data.draw(st.sets(st.integers(0, count - 1)))
    before = table(count, sorted(missing))
    path = tmp_path_factory.mktemp("tables") / "new folder" / "boxes.csv"
    before.save(path)
    after = Detections.load(path)
    for key in ("ids", "boxes", "probability", "landmarks"):
        np.testing.assert_array_equal(getattr(after, key), getattr(before, key))
        assert getattr(after, key).dtype == getattr(before, key).dtype
    assert (~after.found).sum() == len(missing)
    assert [p.name for p in path.parent.iterdir()] == ["boxes.csv"]


def test_load_takes_the_wanted_faces_in_order(tmp_path):
    whole = table(5)
    whole.save(tmp_path / "boxes.csv")
    ids = whole.ids[[3, 1, 4]]
    some = Detections.load(tmp_path / "boxes.csv", ids)
    np.testing.assert_array_equal(some.ids, ids)
    np.testing.assert_array_equal(some.boxes, whole.boxes[[3, 1, 4]])
    with pytest.raises(DataError, match=r"boxes\.csv: 1 of 2 wanted ids are absent, first 'stranger'"):
        Detections.load(tmp_path / "boxes.csv", [ids[0], "stranger"])


def test_a_failed_save_leaves_the_old_table(tmp_path, monkeypatch):
    path = tmp_path / "boxes.csv"
    table(3).save(path)

    def broken(self, file, **_):
        file.write_text("half a ta")
        raise OSError("disk full")

    monkeypatch.setattr("pandas.DataFrame.to_csv", broken)
    with pytest.raises(OSError, match="disk full"):
        table(5).save(path)
    assert len(Detections.load(path)) == 3
    assert [p.name for p in tmp_path.iterdir()] == ["boxes.csv"]


def edited(row, column, value):
    def edit(lines):
        cells = lines[row].split(",")
        cells[COLUMNS.index(column)] = value
        lines[row] = ",".join(cells)

    return edit


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (edited(0, "nose_x", "nase_x"), "line 1: missing, unknown or misplaced columns: nase_x, nose_x"),
        (edited(3, "id", ""), "line 4: the id is empty"),
        (edited(3, "id", "fer0000000"), "line 4: the id occurs a second time"),
        (edited(4, "x1", "left"), "line 5: a cell is not a finite number"),
        (edited(4, "nose_y", "inf"), "line 5: a cell is not a finite number"),
        (edited(4, "nose_y", "nan"), "line 5: a cell is not a finite number"),
        (edited(3, "nose_y", ""), "line 4: only some of the cells are filled in"),
        (edited(1, "x2", "-1000"), "line 2: the box has no area"),
        (edited(1, "probability", "1.5"), "line 2: the probability is outside 0 to 1"),
        (lambda lines: lines.clear(), "not a CSV table"),
        (lambda lines: lines.insert(2, "," * 40), "not a CSV table"),
    ],
)
def test_broken_tables_name_their_line(tmp_path, edit, message):
    path = tmp_path / "boxes.csv"
    table().save(path)
    lines = path.read_text().splitlines()
    edit(lines)
    path.write_text("\n".join(lines))
    with pytest.raises(DataError) as caught:
        Detections.load(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


def test_missing_table(tmp_path):
    with pytest.raises(DataError, match="there is no such table"):
        Detections.load(tmp_path / "boxes.csv")


def test_detections_that_do_not_fit():
    good = table(3)
    with pytest.raises(ValueError, match="unique"):
        Detections(np.array(["a", "a", "b"]), good.boxes, good.probability, good.landmarks)
    with pytest.raises(ValueError, match="landmarks must have shape"):
        Detections(good.ids, good.boxes, good.probability, good.landmarks[:, :4])


# Geometry


def similarity_twin(source, target):
    """Least squares over (a, b, c, d) of [[a, -b, c], [b, a, d]], written out."""
    rows, values = [], []
    for (x, y), (u, v) in zip(source, target, strict=True):
        rows += [[x, -y, 1, 0], [y, x, 0, 1]]
        values += [u, v]
    a, b, c, d = np.linalg.lstsq(np.array(rows), np.array(values), rcond=None)[0]
    return np.array([[a, -b, c], [b, a, d]])


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(2, 8))
def test_similarity_equals_least_squares(seed, points):
    source, target = np.random.default_rng(seed).normal(20, 9, (2, 3, points, 2))
    for fast, s, t in zip(similarity(source, target), source, target, strict=True):
        np.testing.assert_allclose(fast, similarity_twin(s, t), atol=1e-8)


def test_similarity_never_reflects_and_gives_up_on_one_place():
    points = np.random.default_rng(0).normal(size=(4, 5, 2))
    matrix = similarity(points, points * [-1, 1])
    assert (np.linalg.det(matrix[:, :, :2]) >= 0).all()
    assert np.isnan(similarity(np.full((1, 5, 2), 7.1), points[:1])).all()
    assert np.isnan(similarity(np.full((1, 5, 2), np.nan), points[:1])).all()


def placed(degrees, scale, shift, size=48):
    """The template in an image of `size`, turned about its middle (counter-clockwise), scaled and shifted."""
    angle = np.radians(degrees)
    points = (TEMPLATE - 0.5) * size * scale
    turned = points @ np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return turned + (size - 1) / 2 + shift


def test_align_brings_landmarks_to_the_template():
    landmarks = np.stack([placed(0, 1, 0), placed(25, 0.8, (3, -2)), placed(-40, 0.6, (-4, 1)), placed(10, 1.1, 2)])
    images = (250 * blobs(torch.from_numpy(landmarks), 48, 48, spread=1.2)).round().byte().numpy()
    for size in (48, 96):
        wanted = np.broadcast_to(TEMPLATE * size - 0.5, landmarks.shape)
        moved = np.stack([align(images[:, k], landmarks, size)[0] for k in range(5)], 1)
        assert moved.shape == (4, 5, size, size)
        assert np.abs(centroids(torch.from_numpy(moved).double()).numpy() - wanted).max() < 0.1
    colour = np.repeat(images[:, 2, :, :, None], 3, 3)
    aligned, which = align(colour, landmarks, 64)
    assert aligned.shape == (4, 64, 64, 3)
    assert which.all()
    np.testing.assert_array_equal(aligned[..., 1], align(images[:, 2], landmarks, 64)[0])


def test_align_leaves_faces_without_landmarks_whole():
    images = np.random.default_rng(0).integers(0, 256, (3, 48, 48), dtype=np.uint8)
    landmarks = np.stack([placed(20, 1, 0), np.full((5, 2), np.nan), np.full((5, 2), 20.0)])
    aligned, which = align(images, landmarks, 48)
    assert which.tolist() == [True, False, False]
    np.testing.assert_array_equal(aligned[1:], images[1:])
    assert (aligned[0] != images[0]).mean() > 0.5
    alone, _ = align(images[:1], landmarks[:1], 48)
    np.testing.assert_array_equal(alone, aligned[:1])


def test_crop_is_the_box_with_its_margin():
    image = np.random.default_rng(1).integers(0, 256, (1, 60, 80, 3), dtype=np.uint8)
    box = np.array([[19.5, 9.5, 49.5, 29.5]])  # columns 20 to 49, rows 10 to 29
    np.testing.assert_array_equal(crop(image, box, margin=0, size=30), image[:, 5:35, 20:50])
    np.testing.assert_array_equal(crop(image, box, margin=0.1, size=36), image[:, 2:38, 17:53])
    np.testing.assert_array_equal(crop(image[:, :, :60], np.full((1, 4), np.nan), size=60), image[:, :, :60])
    beyond = crop(image, np.array([[-20.5, -0.5, -0.5, 19.5]]), margin=0, size=20)
    np.testing.assert_array_equal(beyond, np.repeat(image[:, :20, :1], 20, 2))


def test_crop_averages_what_shrinks():
    image = np.random.default_rng(2).integers(0, 256, (1, 64, 64), dtype=np.uint8)
    small = crop(image, np.array([[-0.5, -0.5, 63.5, 63.5]]), margin=0, size=16)
    blocks = image.reshape(1, 16, 4, 16, 4).mean((2, 4))
    assert np.abs(small - blocks).max() <= 0.51


def test_crop_and_align_refuse_what_does_not_fit():
    image = np.zeros((2, 48, 48), np.uint8)
    with pytest.raises(ValueError, match=r"shape \(2, 4\)"):
        crop(image, np.zeros((1, 4)))
    with pytest.raises(ValueError, match=r"shape \(2, 5, 2\)"):
        align(image, np.zeros((2, 5, 3)), 48)
    with pytest.raises(ConfigError, match="margin"):
        crop(image, np.zeros((2, 4)), margin=-0.5)


def test_inclination_and_nose_offset():
    tilts = np.array([0.0, 12.0, -33.0, 80.0])
    points = np.stack([placed(t, 0.7, (1, 2)) for t in tilts])
    np.testing.assert_allclose(inclination(points), tilts, atol=1e-9)
    np.testing.assert_allclose(nose_offset(points), 0, atol=1e-9)
    points[:, 2] += 0.4 * (points[:, 1] - points[:, 0])
    np.testing.assert_allclose(nose_offset(points), 0.4, atol=1e-9)
    # The right eye higher in the image, at smaller y: the face leans counter-clockwise.
    assert inclination(np.array([[[10, 20], [30, 15], [0, 0], [0, 0], [0, 0]]]))[0] > 0
    missing = np.full((1, 5, 2), np.nan)
    assert np.isnan(inclination(missing)[0])
    assert np.isnan(nose_offset(missing)[0])
