"""Anybody's photographs: of every kind, with any number of faces, and none; results that survive interruption."""

import json
import time

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import ferbook
from ferbook.cli.commands import main
from ferbook.core import memory, paths
from ferbook.core.errors import ConfigError, DataError
from ferbook.faces.emotions import EMOTIONS
from ferbook.photos import cards, folders, pictures, table
from ferbook.photos.pictures import UnreadableError
from ferbook.photos.reader import load_model
from ferbook.synthesis import render, sample
from tests.conftest import encoded

pytest.importorskip("facenet_pytorch")


@pytest.fixture(scope="module")
def model():
    return load_model()


@pytest.fixture(scope="module")
def people():
    """Upright, uncovered synthetic heads, 200 pixels each."""
    drawn = sample(12, seed=3, framing="head", occlusion="none")
    return render(drawn.with_pose(np.zeros((12, 3))), size=200, colour=True)


def photograph(people, *chosen):
    scene = np.full((480, 640, 3), (70, 110, 140), np.uint8)
    for place, k in enumerate(chosen):
        scene[140:340, 10 + 210 * place : 210 + 210 * place] = people[k]
    return Image.fromarray(scene)


# --- pictures of every kind ---


def test_pictures_of_every_kind_are_read_alike(people):
    colour = Image.fromarray(people[0])
    grey = np.asarray(colour.convert("L"))
    wide = grey.astype(np.uint16) * 257
    shades = {
        "grey": encoded(Image.fromarray(grey), "PNG"),
        "16 bits": encoded(Image.fromarray(wide), "PNG"),
        "grey with alpha": encoded(Image.fromarray(grey).convert("LA"), "PNG"),
        "32-bit integers": encoded(Image.fromarray(wide.astype(np.int32)), "TIFF"),
        "floats": encoded(Image.fromarray(grey.astype(np.float32)), "TIFF"),
    }
    for name, data in shades.items():
        found = pictures.decode(data)
        np.testing.assert_array_equal(found.pixels, np.repeat(grey[..., None], 3, 2), err_msg=name)
    colours = {
        "RGBA": encoded(colour.convert("RGBA"), "PNG"),
        "CMYK": encoded(colour.convert("CMYK"), "JPEG", quality=98),
        "palette": encoded(colour.quantize(256), "PNG"),
        "WebP": encoded(colour, "WEBP", lossless=True),
    }
    for name, data in colours.items():
        found = pictures.decode(data)
        assert found.pixels.shape == (200, 200, 3) and found.pixels.dtype == np.uint8
        assert np.abs(found.pixels.astype(int) - people[0]).mean() < 8, name


def test_transparent_parts_are_laid_on_white():
    clear = np.zeros((4, 4, 4), np.uint8)
    clear[:2, :, 3] = 255
    assert pictures.of_array(clear).pixels[:, 0, 0].tolist() == [0, 0, 255, 255]


@pytest.mark.parametrize("code", range(1, 9))
def test_exif_orientation_is_undone(code):
    upright = np.zeros((20, 30, 3), np.uint8)
    upright[:5, :8] = 255
    turned = Image.fromarray(upright)
    if code in pictures._TURNS:
        inverse = {Image.Transpose.ROTATE_90: Image.Transpose.ROTATE_270}
        inverse |= {value: key for key, value in inverse.items()}
        turned = turned.transpose(inverse.get(pictures._TURNS[code], pictures._TURNS[code]))
    exif = Image.Exif()
    exif[274] = code
    found = pictures.decode(encoded(turned, "PNG", exif=exif))
    assert found.size == (30, 20)
    np.testing.assert_array_equal(found.pixels, upright)


def test_a_large_picture_is_averaged_down_and_says_its_own_size():
    found = pictures.of_array(np.full((3000, 4000), 90, np.uint8))
    assert found.size == (4000, 3000)
    assert max(found.pixels.shape) == pictures.LONGEST
    np.testing.assert_allclose(found.scale, [2.5, 2.5])


@pytest.mark.parametrize(
    ("pixels", "why"),
    [
        (np.zeros((2, 2), np.int64), "int64"),
        (np.zeros((0, 4), np.uint8), "shape"),
        (np.full((2, 2), 3.0), "in \\[0, 1\\]"),
        (np.zeros((2, 2, 2), np.uint8), "shape"),
    ],
)
def test_arrays_that_are_no_pictures(pixels, why):
    with pytest.raises(UnreadableError, match=why):
        pictures.of_array(pixels)


# --- answers ---


def test_every_face_has_a_row_in_pixels_of_the_photograph(model, people):
    scene = photograph(people, 0, 1, 2)
    found = folders.predict([scene, scene.resize((1280, 960)), Image.new("L", (300, 200))], model=model)
    assert tuple(found.columns) == table.COLUMNS
    assert found["file"].tolist() == ["0", "0", "0", "1", "1", "1", "2"]
    assert found["face"].tolist() == [1, 2, 3, 1, 2, 3, 0]
    assert found["reason"].tolist() == [""] * 6 + [table.NO_FACE]
    faces = found[found["face"] > 0]
    np.testing.assert_allclose(faces[list(table.PROBABILITIES)].sum(axis=1), 1, atol=1e-4)
    np.testing.assert_allclose(faces[list(table.VOTES)].sum(axis=1), 1, atol=1e-4)
    leading = faces[list(table.PROBABILITIES)].to_numpy().argmax(axis=1)
    assert faces["emotion"].tolist() == [EMOTIONS[k] for k in leading]
    centres = sorted((faces["x1"][:3] + faces["x2"][:3]) / 2)
    np.testing.assert_allclose(centres, [110, 320, 530], atol=25)
    np.testing.assert_allclose(sorted(faces["left_eye_x"][3:]), 2 * np.sort(faces["left_eye_x"][:3]), atol=8)
    assert found.loc[6, list(table.BOX)].isna().all() and pd.isna(found.loc[6, "disagree"])


def test_a_face_cropped_as_tightly_as_fer2013s_is_found(model):
    upright = sample(8, seed=5, framing="tight", occlusion="none").with_pose(np.zeros((8, 3)))
    found = folders.predict(render(upright, size=48), model=model)
    assert (found["faces"] == 1).sum() >= 6


def test_relevance_adds_up_to_the_logit_and_is_that_of_the_network(model, people):
    from ferbook.learning import trained

    seen = model.see(pictures.of_image(photograph(people, 3, 4)))
    targets = model.answer(seen.faces).probabilities.argmax(axis=1)
    logits = trained.logits(model.network, seen.faces, mirror=model.mirror).numpy()
    found = model.explain(seen.faces, targets)
    assert found.shape == (2, 48, 48)
    # Biases keep a part for themselves; nothing is made up.
    np.testing.assert_allclose(found.sum(axis=(1, 2)), logits[np.arange(2), targets], rtol=0.02)


def test_no_faces_no_answers(model):
    nothing = np.empty((0, 48, 48), np.uint8)
    assert len(model.answer(nothing).probabilities) == len(model.explain(nothing, [])) == 0
    with pytest.raises(ValueError, match="uint8"):
        model.answer(np.zeros((1, 48, 48)))


def test_an_unknown_model_and_what_is_no_picture(model):
    with pytest.raises(ConfigError, match="compact-ferplus"):
        ferbook.load_model("vgg")
    with pytest.raises(TypeError, match="picture 1 "):
        folders.predict([np.zeros((8, 8), np.uint8), 7], model=model)


# --- folders ---


@pytest.fixture(scope="module")
def hostile(tmp_path_factory, people):
    """A folder of what people really have in folders."""
    folder = tmp_path_factory.mktemp("photos")
    good = photograph(people, 0, 1)
    good.save(folder / "good.jpg", quality=95)
    (folder / "text.jpg").write_text("not a picture")
    (folder / "cut.jpg").write_bytes((folder / "good.jpg").read_bytes()[:5000])
    (folder / "empty.jpg").touch()
    Image.new("RGB", (1, 1)).save(folder / "dot.png")
    Image.new("L", (12_000, 9_000), 128).save(folder / "large.png", compress_level=1)
    exif = Image.Exif()
    exif[274] = 6
    good.transpose(Image.Transpose.ROTATE_90).save(folder / "turned.jpg", quality=95, exif=exif)
    good.save(
        folder / "moving.gif", save_all=True, append_images=[Image.new("RGB", good.size, c) for c in ("red", "blue")]
    )
    (folder / "x.png").mkdir()
    (folder / "more").mkdir()
    good.convert("CMYK").save(folder / "more" / "good.jpg")
    (folder / ".hidden").write_text("")
    return folder


def test_everything_in_a_folder_is_answered_in_its_row(hostile, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["predict", str(hostile), str(hostile / "missing.png"), "--out", str(out), "--explain"]) == 0
    assert "11 photographs, 6 could be read" in capsys.readouterr().out
    found = pd.read_csv(out / "results.csv", keep_default_na=False, dtype=str)
    reasons = dict(zip(found["file"].str.removeprefix(f"{hostile}/"), found["reason"], strict=True))
    assert {name: reason[:26] for name, reason in reasons.items()} == {
        "good.jpg": "",
        "more/good.jpg": "",
        "turned.jpg": "",
        "moving.gif": "",
        "text.jpg": "it is not a picture of a k",
        "cut.jpg": "it is a broken picture (im",
        "empty.jpg": "the file is empty",
        "dot.png": "no face was found",
        "large.png": "no face was found",
        "x.png": "it is a folder, not a pict",
        "missing.png": "there is no such file",
    }
    size = found.set_index("file").loc[str(hostile / "large.png")]
    assert (size["width"], size["height"]) == ("12000", "9000")
    turned, good = (found[found["file"] == str(hostile / name)] for name in ("turned.jpg", "good.jpg"))
    assert turned["emotion"].tolist() == good["emotion"].tolist() and len(good) == 2
    np.testing.assert_allclose(turned["x1"].astype(float), good["x1"].astype(float), atol=6)
    assert found[found["file"].str.endswith("gif")]["note"].tolist() == ["the first of 3 frames"] * 2
    for card in filter(None, found["card"]):
        with Image.open(out / card) as drawn:
            assert drawn.width == cards.WIDTH
    lines = [json.loads(line) for line in (out / "results.jsonl").read_text().splitlines()]
    assert [line["file"] for line in lines] == found["file"].tolist()
    assert lines[0].keys() == set(table.COLUMNS)


def test_nothing_readable_is_exit_status_1_and_a_wrong_place_2(hostile, tmp_path, capsys):
    assert main(["predict", str(hostile / "text.jpg"), "--out", str(tmp_path / "a")]) == 1
    assert main(["predict", str(hostile / "dot.png"), "--out", str(tmp_path / "b")]) == 0
    assert main(["predict", str(hostile / "dot.png"), "--out", str(hostile / "text.jpg")]) == 2
    assert main(["predict", str(hostile / "dot.png"), "--out", str(tmp_path / "c"), "--model", "none"]) == 2
    assert "Released are: compact-ferplus" in capsys.readouterr().err


@pytest.fixture
def few(tmp_path, people):
    folder = tmp_path / "few"
    folder.mkdir()
    for k in range(3):
        photograph(people, k).save(folder / f"{k}.png")
    return folder


def test_what_is_done_is_skipped_until_it_changes(few, tmp_path, people):
    out = tmp_path / "out"
    assert folders.run([few], out) == folders.Summary(3, 0, 3, 3)
    before = (out / "results.csv").read_bytes()
    assert folders.run([few], out) == folders.Summary(3, 3, 3, 0)
    assert (out / "results.csv").read_bytes() == before
    photograph(people, 5, 6).save(few / "1.png")
    assert folders.run([few], out) == folders.Summary(3, 2, 3, 2)
    assert folders.run([few], out, explain=True) == folders.Summary(3, 0, 3, 4), "now with relevance"
    assert folders.run([few], out) == folders.Summary(3, 3, 3, 0)
    next((out / "cards").iterdir()).unlink()
    assert folders.run([few], out).before == 2
    assert folders.run([few], out, overwrite=True).before == 0
    assert folders.run([few / "0.png"], out).before == 1
    assert len(pd.read_csv(out / "results.csv")) == 4, "rows of other photographs stay"
    assert folders.run([few], few / "out").photos == 3
    assert folders.run([few], few / "out").photos == 3, "results are no photographs"


def test_a_broken_table_is_named_and_can_be_overwritten(few, tmp_path):
    out = tmp_path / "out"
    folders.run([few], out)
    lines = (out / "results.jsonl").read_text().splitlines()
    (out / "results.jsonl").write_text("\n".join([lines[0], lines[1][:50]]))
    with pytest.raises(DataError, match=r"results\.jsonl, line 2: .*--overwrite"):
        folders.run([few], out)
    assert folders.run([few], out, overwrite=True).faces == 3


def test_a_killed_run_leaves_whole_rows_and_goes_on(few, tmp_path, monkeypatch):
    out = tmp_path / "out"
    monkeypatch.setattr(folders, "EVERY", 0.0)
    monkeypatch.setattr(folders, "TIMES", 0)
    answered, drawn = folders._answered, []

    def killed(*given):
        if len(drawn) == 2:
            raise KeyboardInterrupt
        drawn.append(given)
        return answered(*given)

    monkeypatch.setattr(folders, "_answered", killed)
    with pytest.raises(KeyboardInterrupt):
        folders.run([few], out)
    assert len(pd.read_csv(out / "results.csv")) == len((out / "results.jsonl").read_text().splitlines()) == 2
    monkeypatch.setattr(folders, "_answered", answered)
    assert folders.run([few], out) == folders.Summary(3, 2, 3, 1)
    assert not list(out.rglob(".*"))


# --- bars ---


def test_sixty_four_photographs(tmp_path):
    """64 answers in bounded memory. Its speed is measured on an idle machine; here only a standstill would fail."""
    folder = tmp_path / "many"
    folder.mkdir()
    heads = render(sample(24, seed=8, framing="head", occlusion="none"), size=200, colour=True)
    for k in range(64):
        photograph(heads, *((k + j) % 24 for j in range(1 + k % 3))).save(folder / f"{k:02}.jpg")
    start = time.process_time()
    found = folders.run([folder], tmp_path / "out")
    assert (found.photos, found.readable) == (64, 64)
    rows = pd.read_csv(tmp_path / "out" / "results.csv")
    assert rows["file"].nunique() == 64 and (rows["face"] > 0).mean() > 0.85
    assert time.process_time() - start < 240
    assert memory.peak_mib() < 6000


def test_the_package_knows_what_it_imports_when_it_is_asked_for():
    assert {"predict", "load_model"} <= set(dir(ferbook))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = ferbook.nothing


def test_the_example_of_the_readme_runs(tmp_path, monkeypatch, people):
    """Its first block of Python, with a photograph where it says that one lies."""
    text = (paths.project_root() / "README.md").read_text(encoding="utf-8")
    code = text.split("```python\n", 1)[1].split("```", 1)[0]
    assert len(code.splitlines()) == 5
    photograph(people, 0, 1).save(tmp_path / "photo.jpg")
    monkeypatch.setenv("FERBOOK_HOME", str(paths.project_root()))
    monkeypatch.chdir(tmp_path)
    known: dict[str, object] = {}
    exec(code, known)
    assert len(known["faces"]) == 2
