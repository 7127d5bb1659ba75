"""The readers of the data sets that cannot be shipped, each on a small folder in the set's own layout."""

import csv
import importlib
import shutil
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from ferbook import datasets
from ferbook.core.errors import ConfigError, DataError, MissingDataError
from ferbook.datasets import academic, affectnet, ckplus, fer2013, fer2013_vad, ferplus, jaffe, kdef
from ferbook.datasets.cards import CARDS
from ferbook.faces.emotions import EMOTIONS, FER2013_CODES, index
from ferbook.faces.splits import duplicate_groups
from ferbook.papers.vad import annotated, experiments
from tests import folders
from tests.conftest import REAL_DATA
from tests.folders import (
    CK_FACES,
    JAFFE_FACES,
    KDEF_FACES,
    STUDENT_HEADER,
    annotate,
    grey,
    kdef_picture,
    pixels,
    write_table,
)


def needs(*folders):
    missing = [name for name in folders if not (REAL_DATA / name).is_dir()]
    return pytest.mark.skipif(bool(missing), reason=f"FERBOOK_TEST_DATA has no {', '.join(missing)}")


@pytest.fixture(autouse=True)
def cache_folder(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("FERBOOK_CACHE", str(folder))
    return folder


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def refused(cache_folder):
    """Calls a reader that must fail with one DataError that says all of `words`, and leave nothing behind."""

    def check(read, *words, kind=DataError):
        with pytest.raises(kind) as caught:
            read()
        for word in words:
            assert str(word) in str(caught.value)
        assert not cache_folder.exists() or not list(cache_folder.iterdir())

    return check


def emotions_of(faces):
    assert (faces.distribution.sum(axis=1) == 1).all()
    return [EMOTIONS[place] for place in faces.distribution.argmax(axis=1)]


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def change_cell(path, row, column, text):
    """Change a cell of a table; row 1 is the first below the header."""
    with path.open(newline="") as stream:
        rows = list(csv.reader(stream))
    rows[row][rows[0].index(column)] = text
    write_table(path, rows)


def drop_column(path, column):
    with path.open(newline="") as stream:
        rows = list(csv.reader(stream))
    place = rows[0].index(column)
    write_table(path, [row[:place] + row[place + 1 :] for row in rows])


# Every set ----------------------------------------------------------------------------------------------------------

READERS = (affectnet, fer2013, jaffe, ckplus, kdef, fer2013_vad, academic)


@pytest.mark.parametrize("reader", READERS, ids=lambda module: module.__name__.rpartition(".")[2])
def test_nothing_there(reader, root, refused):
    refused(lambda: reader.load(root), root, reader.CARD.where, kind=MissingDataError)


@pytest.mark.parametrize("reader", READERS, ids=lambda module: module.__name__.rpartition(".")[2])
def test_no_such_folder(reader, root, refused):
    refused(lambda: reader.load(root / "elsewhere"), "elsewhere", kind=MissingDataError)


def test_every_card_belongs_to_a_reader():
    assert set(CARDS) == {module.CARD.name for module in READERS} | {"synthetic", "ferplus"}
    for name, card in CARDS.items():
        assert importlib.import_module(f"ferbook.datasets.{datasets.READERS.get(name, name)}").load
        assert card.name == name
        assert set(card.labels) <= set(EMOTIONS)
        assert list(card.labels) == sorted(card.labels, key=index)
        assert card.caveats
        assert all(text.endswith(".") for text in (*card.caveats, card.terms, card.where, card.citation))
        assert all(count > 0 for count in card.counts.values())


def test_cards_agree_with_the_readers():
    assert ferplus.OFFICIAL_CHECKSUM in CARDS["ferplus"].checksums.values()
    assert CARDS["jaffe"].counts["all"] == jaffe.FACES
    assert CARDS["affectnet"].counts == affectnet.FACES
    assert CARDS["ckplus"].counts["CK+48 folder"] == ckplus.FACES["faces"]
    assert CARDS["kdef"].counts["all"] == kdef.PERSONS * 7 * len(kdef.ANGLES) * len(kdef.SESSIONS)
    assert CARDS["academic"].counts["students"] == academic.STUDENTS


# JAFFE --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def jaffe_folder(root):
    return folders.jaffe_folder(root)


def test_jaffe(root, jaffe_folder):
    faces = jaffe.load(root)
    assert faces.images.shape == (7, 256, 256)
    assert faces.ids.tolist() == sorted(JAFFE_FACES)
    assert dict(zip(faces.ids.tolist(), emotions_of(faces), strict=True)) == JAFFE_FACES
    assert faces.subject.tolist() == ["KA", "KA", "KL", "KM", "KM", "UY", "YM"]
    assert faces.images[:, 0, 0].tolist() == [0, 10, 20, 30, 40, 50, 60]
    assert faces.provenance["complete"] is False
    assert jaffe.load(jaffe_folder).provenance["checksum"] == faces.provenance["checksum"]


def test_jaffe_notices_a_changed_picture(root, jaffe_folder):
    jaffe.load(root)
    grey(255, 256, 256).save(jaffe_folder / "KA.AN1.39.tiff")
    assert jaffe.load(root).images[0, 0, 0] == 255


@pytest.mark.parametrize("name", ["KA.XX1.39.tiff", "ZZ.AN1.39.tiff", "KA.AN.39.tiff", "copy of KA.AN1.39.tiff"])
def test_jaffe_unknown_name(root, jaffe_folder, refused, name):
    shutil.copy(jaffe_folder / "KA.AN1.39.tiff", jaffe_folder / name)
    refused(lambda: jaffe.load(root), jaffe_folder, "1 unknown file names", name)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: path.write_text("a text"), "is not a TIFF image"),
        (cut, "TIFF"),
        (lambda path: path.write_bytes(b""), "is not a TIFF image"),
        (lambda path: grey(1, 128, 128).save(path), "128 x 128"),
        (lambda path: Image.new("RGB", (256, 256)).save(path), "mode RGB"),
    ],
    ids=["text", "truncated", "empty", "size", "colour"],
)
def test_jaffe_broken_picture(root, jaffe_folder, refused, spoil, words):
    spoil(jaffe_folder / "KL.FE1.173.tiff")
    refused(lambda: jaffe.load(root), "KL.FE1.173.tiff", words)


# KDEF ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def kdef_folder(root):
    return folders.kdef_folder(root)


def test_kdef_frontal(root, kdef_folder):
    faces = kdef.load(root, size=24)
    assert faces.images.shape == (7, 24, 24, 3)
    assert faces.ids.tolist() == sorted(KDEF_FACES)
    found = zip(faces.subject.tolist(), emotions_of(faces), strict=True)
    assert dict(zip(faces.ids.tolist(), found, strict=True)) == KDEF_FACES
    # The middle square; of the black above and below, what the filter takes in at the edge.
    assert np.abs(faces.images[:, 2:-2].astype(int) - (200, 100, 50)).max() <= 4
    assert faces.images[..., 0].min() > 150
    assert faces.provenance["layout"] == "folders"
    assert faces.provenance["complete"] is False


def test_kdef_all_angles_and_the_quirks_of_the_release(root, kdef_folder):
    faces = kdef.load(root, size=16, angle=None)
    assert len(faces) == 10
    assert set(faces.ids) - set(KDEF_FACES) == {"AF01ANFL.JPG", "AF31SAHL.JPG", "BM10ANFR.JPG"}
    assert emotions_of(faces)[faces.ids.tolist().index("AF31SAHL.JPG")] == "sadness"
    assert faces.provenance["renamed"] == ["AF31SAHL.JPG"]
    assert faces.provenance["black"] == ["AF01ANFL.JPG"]


def test_kdef_one_session(root, kdef_folder):
    assert set(kdef.load(root, size=16, session="B").ids) == {"BF01DIS.JPG", "BM35NES.JPG"}


def test_kdef_options_are_kept_apart_in_the_cache(root, kdef_folder):
    first, second = kdef.load(root, size=16), kdef.load(root, size=17)
    assert kdef.load(root, size=16).images.shape == first.images.shape != second.images.shape


def test_kdef_all_in_one_folder(root):
    for name in KDEF_FACES:
        kdef_picture(root / "kdef" / name.lower())
    faces = kdef.load(root, size=16)
    assert faces.ids.tolist() == sorted(KDEF_FACES)
    assert faces.provenance["layout"] == "flat"


@pytest.mark.parametrize("name", ["AF36ANS.JPG", "AF00ANS.JPG", "CF01ANS.JPG", "AF01XXS.JPG", "AF01AN.JPG", "me.jpg"])
def test_kdef_unknown_name(root, kdef_folder, refused, name):
    kdef_picture(kdef_folder / "AF01" / name)
    refused(lambda: kdef.load(root), kdef_folder, "1 unknown file names", name)


@pytest.mark.parametrize(("place", "name"), [("", "AF01ANS.JPG"), ("AF31", "AF31SAHL.JPG")])
def test_kdef_same_picture_twice(root, kdef_folder, refused, place, name):
    kdef_picture(kdef_folder / place / name)
    refused(lambda: kdef.load(root), "is the same picture as", name[:4])


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: path.write_text("a text"), "is not a JPEG image"),
        (cut, "is a broken JPEG"),
        (lambda path: kdef_picture(path, size=(562, 562)), "562 x 562"),
        (lambda path: grey(1, 562, 762).save(path, "JPEG"), "mode L"),
    ],
    ids=["text", "truncated", "size", "grey"],
)
def test_kdef_broken_picture(root, kdef_folder, refused, spoil, words):
    spoil(kdef_folder / "AM35" / "AM35HAS.JPG")
    refused(lambda: kdef.load(root, size=16), "AM35HAS.JPG", words)


def test_kdef_no_such_angle(root, kdef_folder, refused):
    refused(lambda: kdef.load(root, angle="HR"), kdef_folder, "no picture of angle HR")


@pytest.mark.parametrize(("option", "value"), [("size", 0), ("angle", "X"), ("session", "C")])
def test_kdef_wrong_option(root, kdef_folder, refused, option, value):
    refused(lambda: kdef.load(root, **{option: value}), option, kind=ConfigError)


# CK+, the table -----------------------------------------------------------------------------------------------------


@pytest.fixture
def ck_table(root):
    return folders.ck_table(root)


def test_ckplus_table(root, ck_table):
    faces = ckplus.load(root)
    assert faces.images.shape == (8, 48, 48)
    assert emotions_of(faces) == [
        "anger",
        "disgust",
        "fear",
        "happiness",
        "sadness",
        "surprise",
        "neutral",
        "contempt",
    ]
    assert faces.images[:, 0, 0].tolist() == [10 * code for code in range(8)]
    assert faces.split.tolist() == ["train"] * 6 + ["valid", "test"]
    assert faces.ids[0] == "ckextended-0001"
    assert faces.subject is None
    assert faces.provenance["layout"] == "table"


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: change_cell(path, 2, "emotion", "8"), ["line 3", "unknown emotion '8'", "7 contempt"]),
        (lambda path: change_cell(path, 2, "emotion", "NaN"), ["line 3", "unknown emotion 'NaN'"]),
        (lambda path: change_cell(path, 2, "emotion", ""), ["line 3", "unknown emotion"]),
        (lambda path: change_cell(path, 3, "pixels", pixels(1, 47)), ["line 4", "2209 readable pixel values"]),
        (lambda path: change_cell(path, 3, "pixels", pixels(256)), ["line 4", "outside 0..255"]),
        (lambda path: change_cell(path, 1, "Usage", "Test"), ["line 2", "unknown Usage 'Test'"]),
        (lambda path: drop_column(path, "Usage"), ["line 1", "no column Usage"]),
        (lambda path: path.write_text("emotion,pixels,Usage\n"), ["the table is empty"]),
        (lambda path: path.write_bytes(bytes(range(256)) * 9), ["no column"]),
        (lambda path: path.write_text(""), ["no column"]),
        (cut, ["line"]),
    ],
    ids=["code", "nan", "no code", "few", "large", "usage", "column", "no rows", "binary", "empty", "truncated"],
)
def test_ckplus_broken_table(root, ck_table, refused, spoil, words):
    spoil(ck_table)
    refused(lambda: ckplus.load(root), ck_table.name, *words)


# CK+, the 48-pixel faces --------------------------------------------------------------------------------------------


@pytest.fixture
def ck_faces(root):
    return folders.ck_faces(root)


def test_ckplus_faces(root, ck_faces):
    faces = ckplus.load(root)
    expected = {Path(name).name: (emotion, Path(name).name[:4]) for name, emotion in CK_FACES.items()}
    assert faces.ids.tolist() == sorted(expected)
    found = zip(emotions_of(faces), faces.subject.tolist(), strict=True)
    assert dict(zip(faces.ids.tolist(), found, strict=True)) == expected
    values = dict(zip(faces.ids.tolist(), faces.images[:, 0, 0].tolist(), strict=True))
    assert values == {Path(name).name: value for value, name in enumerate(CK_FACES)}
    assert faces.images.shape == (8, 48, 48)
    assert faces.provenance["layout"] == "faces"
    assert ckplus.load(ck_faces).provenance["checksum"] == faces.provenance["checksum"]


def test_ckplus_faces_in_colour_become_grey(root, ck_faces):
    Image.new("RGB", (48, 48), (90, 90, 90)).save(ck_faces / "anger" / "S010_004_00000017.png")
    assert (ckplus.load(root).images == 90).all(axis=(1, 2)).sum() == 1


def test_ckplus_face_moved_to_another_emotion_is_noticed(root, ck_faces):
    ckplus.load(root)
    (ck_faces / "fear" / "S011_003_00000014.png").rename(ck_faces / "sadness" / "S011_003_00000014.png")
    faces = ckplus.load(root)
    assert emotions_of(faces)[faces.ids.tolist().index("S011_003_00000014.png")] == "sadness"


def test_ckplus_folder_of_no_emotion(root, ck_faces, refused):
    (ck_faces / "fear").rename(ck_faces / "boredom")
    refused(lambda: ckplus.load(root), "'boredom' is not an emotion")


def test_ckplus_face_with_two_labels(root, ck_faces, refused):
    shutil.copy(ck_faces / "fear" / "S011_003_00000014.png", ck_faces / "anger")
    refused(lambda: ckplus.load(root), "S011_003_00000014.png", "is the same frame as")


def test_ckplus_face_of_unknown_name(root, ck_faces, refused):
    (ck_faces / "fear" / "S011_003_00000014.png").rename(ck_faces / "fear" / "14.png")
    refused(lambda: ckplus.load(root), "14.png", "unknown file name")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: path.write_text("a text"), "is not a PNG image"),
        (cut, "is a broken PNG"),
        (lambda path: grey(1, 96, 96).save(path), "96 x 96 pixels of mode L instead of 48 x 48 of mode L"),
        (lambda path: Image.new("RGBA", (48, 48)).save(path), "mode RGBA instead of 48 x 48 of mode L"),
    ],
    ids=["text", "truncated", "size", "mode"],
)
def test_ckplus_broken_face(root, ck_faces, refused, spoil, words):
    path = ck_faces / "disgust" / "S005_001_00000011.png"
    Image.effect_noise((48, 48), 60).save(path)
    spoil(path)
    refused(lambda: ckplus.load(root), path.name, words)


# CK+, the sequences -------------------------------------------------------------------------------------------------


@pytest.fixture
def ck_release(root):
    return folders.ck_release(root)


def test_ckplus_sequences(root, ck_release):
    faces = ckplus.load(root, size=20)
    assert faces.images.shape == (7, 20, 20)
    assert dict(zip(faces.ids.tolist(), emotions_of(faces), strict=True)) == {
        "S010_004_00000003.png": "anger",
        "S138_008_00000002.png": "contempt",
        "S005_001_00000002.png": "disgust",
        "S011_003_00000002.png": "fear",
        "S010_006_00000002.png": "happiness",
        "S011_002_00000002.png": "sadness",
        "S999_001_00000002.png": "surprise",
    }
    assert faces.subject.tolist() == [name[:4] for name in faces.ids]
    # The middle square; of the black beside it, what the filter takes in at the edge.
    inner = dict(zip(faces.ids.tolist(), faces.images[:, :, 2:-2], strict=True))
    assert (inner["S010_004_00000003.png"] == 150).all()
    assert (inner["S010_006_00000002.png"] == 100).all()
    assert faces.images.min() > 75
    assert faces.provenance["layout"] == "sequences"
    assert faces.provenance["unlabelled"] == 1


def test_ckplus_sequences_with_their_first_frames(root, ck_release):
    faces = ckplus.load(root, size=20, neutral_first=True)
    assert Counter(emotions_of(faces)) == {"neutral": 7, **dict.fromkeys(set(EMOTIONS) - {"neutral"}, 1)}
    assert faces.ids[:2].tolist() == ["S005_001_00000001.png", "S005_001_00000002.png"]
    assert emotions_of(faces)[:2] == ["neutral", "disgust"]
    assert (faces.images[0, :, 2:-2] == 50).all()
    assert len(ckplus.load(root, size=20)) == 7


def test_ckplus_a_corrected_label_is_noticed(root, ck_release):
    ckplus.load(root, size=8)
    ck_release.label.write_text("2")
    assert Counter(emotions_of(ckplus.load(root, size=8)))["contempt"] == 2


@pytest.mark.parametrize("text", ["8", "-1", "1.5", "nan", "", "anger"])
def test_ckplus_unknown_label(root, ck_release, refused, text):
    ck_release.label.write_text(text)
    refused(lambda: ckplus.load(root), ck_release.label, "unknown emotion")


def test_ckplus_second_label(root, ck_release, refused):
    (ck_release.label.parent / "S010_004_00000002_emotion.txt").write_text("1")
    refused(lambda: ckplus.load(root), ck_release.label, "is a second label")


def test_ckplus_label_in_the_wrong_folder(root, ck_release, refused):
    ck_release.label.rename(ck_release.folder / "Emotion" / "S055" / "001" / ck_release.label.name)
    refused(lambda: ckplus.load(root), ck_release.label.name, "unknown file name")


def test_ckplus_peak_is_missing(root, ck_release, refused):
    (ck_release.frames / "S010_004_00000003.png").unlink()
    refused(lambda: ckplus.load(root), ck_release.label, "S010_004_00000003.png")


def test_ckplus_sequence_of_one_frame(root, ck_release, refused):
    for number in (1, 2):
        (ck_release.frames / f"S010_004_{number:08d}.png").unlink()
    refused(lambda: ckplus.load(root), ck_release.frames, "no frame before its peak")


def test_ckplus_frame_of_unknown_name(root, ck_release, refused):
    (ck_release.frames / "frame.png").write_text("")
    refused(lambda: ckplus.load(root), "frame.png", "unknown file name")


def test_ckplus_broken_frame(root, ck_release, refused):
    (ck_release.frames / "S010_004_00000003.png").write_text("a text")
    refused(lambda: ckplus.load(root), "S010_004_00000003.png", "is not a PNG image")


def test_ckplus_labels_are_missing(root, ck_release, refused):
    shutil.rmtree(ck_release.folder / "Emotion")
    refused(lambda: ckplus.load(root), ck_release.folder, "the labels are missing")


def test_ckplus_labels_unpacked_into_a_folder_of_their_own(root, ck_release):
    (ck_release.folder / "Emotion_labels").mkdir()
    (ck_release.folder / "Emotion").rename(ck_release.folder / "Emotion_labels" / "Emotion")
    assert len(ckplus.load(root, size=8)) == 7


def test_ckplus_forms_are_not_mixed_up(root, ck_faces, ck_table, refused):
    refused(lambda: ckplus.load(root), "form", "faces and as table", kind=ConfigError)
    assert ckplus.load(root, form="table").provenance["layout"] == "table"
    assert ckplus.load(root, form="faces").provenance["layout"] == "faces"
    with pytest.raises(MissingDataError, match="as sequences"):
        ckplus.load(root, form="sequences")


@pytest.mark.parametrize(("option", "value"), [("size", 0), ("form", "video")])
def test_ckplus_wrong_option(root, ck_table, refused, option, value):
    refused(lambda: ckplus.load(root, **{option: value}), option, kind=ConfigError)


# AffectNet ----------------------------------------------------------------------------------------------------------

AFFECTNET_WORDS = ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt")


@pytest.fixture
def affectnet_2017(root):
    return folders.affectnet_2017(root)


def test_affectnet_2017(root, affectnet_2017):
    faces = affectnet.load(root, size=16)
    assert faces.images.shape == (11, 16, 16, 3)
    assert faces.split.tolist() == ["train"] * 8 + ["valid"] * 3
    assert emotions_of(faces) == [*AFFECTNET_WORDS, "anger", "anger", "anger"]
    assert faces.ids[[0, 3, 8]].tolist() == ["0/face0.jpg", "3/face3.png", "900/v0.jpg"]
    # The box and nothing of the black around it.
    assert np.abs(faces.images[4, 4:-4, 4:-4].astype(int) - (80, 100, 200)).max() <= 6
    assert (faces.images[5] == faces.images[5, :, :, :1]).all()
    assert np.abs(faces.images[8].astype(int) - 100).max() <= 2
    assert np.isnan(faces.vad[:, 2]).all()
    assert np.isnan(faces.vad[2]).all()
    assert faces.vad[[1, 8], :2].tolist() == [[0.1, -0.1], [-0.5, 0.5]]
    assert faces.provenance["left_out"] == {"none": 1, "uncertain": 1, "no face": 1, "empty in the release": 1}
    assert faces.provenance["layout"] == "2017"
    assert faces.provenance["complete"] is False


def test_affectnet_leaves_no_scratch_and_memory_maps(root, affectnet_2017, cache_folder):
    faces = affectnet.load(root, size=16)
    assert isinstance(faces.images, np.memmap)
    assert [path.name.partition("-")[0] for path in cache_folder.iterdir()] == ["affectnet"]


def test_affectnet_parts(root, affectnet_2017):
    assert affectnet.load(root, size=8, parts=["valid"]).split.tolist() == ["valid"] * 3
    (affectnet_2017 / "training.csv").unlink()
    assert len(affectnet.load(root, size=8, parts=["valid"])) == 3
    with pytest.raises(DataError, match="the train part is missing"):
        affectnet.load(root, size=8)


def test_affectnet_per_class(root, affectnet_2017):
    first = affectnet.load(root, size=8, per_class=1)
    assert len(first) == 9
    assert set(emotions_of(first)[:8]) == set(EMOTIONS)
    drawn = {affectnet.load(root, size=8, per_class=1, seed=seed).ids[-1] for seed in range(8)}
    assert len(drawn) > 1
    assert affectnet.load(root, size=8, per_class=1).ids.tolist() == first.ids.tolist()


def test_affectnet_tables_in_their_own_folder(root, affectnet_2017):
    (affectnet_2017 / "Manually_Annotated_file_lists").mkdir()
    for name in ("training.csv", "validation.csv"):
        (affectnet_2017 / name).rename(affectnet_2017 / "Manually_Annotated_file_lists" / name)
    (affectnet_2017 / "Manually_Annotated").mkdir()
    (affectnet_2017 / "Manually_Annotated_Images").rename(
        affectnet_2017 / "Manually_Annotated" / "Manually_Annotated_Images"
    )
    assert len(affectnet.load(root, size=8)) == 11


@pytest.mark.parametrize(
    ("column", "text", "words"),
    [
        ("expression", "11", "unknown expression '11'"),
        ("expression", "", "unknown expression ''"),
        ("expression", "nan", "unknown expression 'nan'"),
        ("valence", "1.5", "valence is '1.5'"),
        ("arousal", "nan", "arousal is 'nan'"),
        ("face_x", "NULL", "no box around a face: NULL, 20, 40, 40"),
        ("face_width", "0", "no box around a face"),
        ("subDirectory_filePath", "0/face0.jpg", "listed a second time (first in line 2)"),
        ("subDirectory_filePath", "0/other.jpg", "0/other.jpg is listed but not in"),
        ("subDirectory_filePath", "", "without a picture"),
    ],
)
def test_affectnet_broken_row(root, affectnet_2017, refused, column, text, words):
    change_cell(affectnet_2017 / "training.csv", 4, column, text)
    refused(lambda: affectnet.load(root, size=8), "training.csv, line 5", words)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: drop_column(path, "valence"), ["line 1", "no column valence"]),
        (lambda path: path.write_text(""), ["line 1", "no column"]),
        (lambda path: path.write_bytes(path.read_bytes()[:-20]), ["cells instead of 9"]),
        (lambda path: path.write_text(",".join(affectnet.COLUMNS) + "\n"), ["no face with one of the eight"]),
    ],
    ids=["column", "empty", "truncated", "no rows"],
)
def test_affectnet_broken_table(root, affectnet_2017, refused, spoil, words):
    spoil(affectnet_2017 / "training.csv")
    refused(lambda: affectnet.load(root, size=8, parts=["train"]), *words)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: path.write_text("a text"), "is not a JPEG/PNG/BMP/TIFF/GIF image"),
        (cut, "is a broken image"),
        (lambda path: grey(1, 5, 5).save(path), "lies outside of its 5 x 5 pixels"),
    ],
    ids=["text", "truncated", "box"],
)
def test_affectnet_broken_picture(root, affectnet_2017, refused, spoil, words):
    path = affectnet_2017 / "Manually_Annotated_Images" / "7" / "face7.jpg"
    spoil(path)
    refused(lambda: affectnet.load(root, size=8), path, words)


def test_affectnet_face_in_both_parts(root, affectnet_2017, refused):
    with (affectnet_2017 / "validation.csv").open("a") as stream:
        stream.write("0/face0.jpg,10,20,40,40,,0,0,0\n")
    refused(lambda: affectnet.load(root, size=8), "is a face of both train and valid")


def test_affectnet_pictures_are_missing(root, affectnet_2017, refused):
    shutil.rmtree(affectnet_2017 / "Manually_Annotated_Images")
    refused(lambda: affectnet.load(root, size=8), "the folder of pictures is missing")


def test_affectnet_no_room(root, affectnet_2017, refused, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=2 * 11 * 8 * 8 * 3 - 1))
    refused(lambda: affectnet.load(root, size=8), "size", "per_class", kind=ConfigError)
    assert len(affectnet.load(root, size=7)) == 11


@pytest.mark.parametrize(
    ("option", "value"), [("size", 0), ("parts", ["test"]), ("parts", []), ("per_class", 0)], ids=str
)
def test_affectnet_wrong_option(root, affectnet_2017, refused, option, value):
    refused(lambda: affectnet.load(root, **{option: value}), option, kind=ConfigError)


@pytest.fixture
def affectnet_2021(root):
    return folders.affectnet_2021(root)


def test_affectnet_2021(root, affectnet_2021):
    faces = affectnet.load(root, size=12)
    assert faces.images.shape == (9, 12, 12, 3)
    # By number, not by name; expressions 8 to 10 are none.
    assert faces.ids.tolist() == [*(f"train_set/{number}.jpg" for number in range(1, 9)), "val_set/2.jpg"]
    assert emotions_of(faces) == [*AFFECTNET_WORDS, "happiness"]
    assert faces.split.tolist() == ["train"] * 8 + ["valid"]
    assert np.abs(faces.images[3].astype(int) - (80, 50, 90)).max() <= 3
    assert np.isnan(faces.vad[2]).all()
    assert faces.vad[3, :2].tolist() == [0.2, -0.2]
    assert faces.provenance["layout"] == "2021"


def test_affectnet_2021_notices_a_new_picture(root, affectnet_2021):
    affectnet.load(root, size=8)
    shutil.copy(affectnet_2021 / "train_set/images/1.jpg", affectnet_2021 / "train_set/images/20.jpg")
    annotate(affectnet_2021 / "train_set" / "annotations", 20, 1, 0, 0)
    assert len(affectnet.load(root, size=8)) == 10


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: path.unlink(), "the annotation is missing"),
        (lambda path: path.write_text("1"), "holds no single value"),
        (cut, "holds no single value"),
        (lambda path: np.save(path, np.array([1, 2])), "holds no single value"),
        (lambda path: np.save(path, np.array([{"code": 1}], dtype=object)), "holds no single value"),
        (lambda path: np.save(path, np.array("happy")), "unknown expression 'happy'"),
        (lambda path: np.save(path, np.nan), "unknown expression 'nan'"),
    ],
    ids=["missing", "text", "truncated", "two", "pickled", "word", "nan"],
)
def test_affectnet_2021_broken_annotation(root, affectnet_2021, refused, spoil, words):
    path = affectnet_2021 / "train_set" / "annotations" / "4_exp.npy"
    spoil(path)
    refused(lambda: affectnet.load(root, size=8), path, words)


def test_affectnet_2021_value_out_of_range(root, affectnet_2021, refused):
    np.save(affectnet_2021 / "val_set" / "annotations" / "2_aro.npy", 3.0)
    refused(lambda: affectnet.load(root, size=8), "2_aro.npy", "arousal is '3.0'")


def test_affectnet_2021_unknown_name(root, affectnet_2021, refused):
    (affectnet_2021 / "val_set" / "images" / "face.jpg").touch()
    refused(lambda: affectnet.load(root, size=8), "face.jpg", "unknown file name")


def test_affectnet_2021_part_is_missing(root, affectnet_2021, refused):
    shutil.rmtree(affectnet_2021 / "val_set")
    refused(lambda: affectnet.load(root, size=8), "val_set", "the valid part is missing")


# VAD-FER2013 --------------------------------------------------------------------------------------------------------


@pytest.fixture
def vad_pixels(root):
    return folders.vad_pixels(root)


def test_vad_pixels(root, vad_pixels):
    faces = fer2013_vad.load(root)
    assert faces.images.shape == (7, 48, 48)
    assert emotions_of(faces) == list(FER2013_CODES)
    assert faces.vad[:, 0].tolist() == [-1, -0.5, 0, 0.5, 1, -1, -0.5]
    assert (faces.vad[:, 1:] == (1, -0.5)).all()
    assert faces.images[:, 0, 0].tolist() == list(range(7))
    assert faces.ids[0] == "publictest-0000"
    assert set(faces.split) == {"valid"}
    assert faces.votes is None
    assert faces.provenance["published"] is False


BAD_LABELS = [
    ("index", "0", "index 0 a second time (first in line 2)"),
    ("index", "-1", "index '-1' is not a row number"),
    ("index", "NaN", "index 'NaN' is not a row number"),
    ("emotionLabel", "3=Sad", "unknown emotionLabel '3=Sad'"),
    ("emotionLabel", "7=Contempt", "unknown emotionLabel '7=Contempt'"),
    ("emotionLabel", "Happy", "unknown emotionLabel 'Happy'"),
    ("emotionLabel", "3=Glad", "unknown emotionLabel '3=Glad'"),
    ("Valence", "3", "Valence is '3'"),
    ("Arousal", "0.5", "Arousal is '0.5'"),
    ("Dominance", "NaN", "Dominance is 'NaN'"),
    ("Dominance", "", "Dominance is ''"),
]


@pytest.mark.parametrize(
    ("column", "text", "words"),
    [
        *BAD_LABELS,
        ("emotion", "4", "emotion is '4', but emotionLabel is '2=Fear'"),
        ("pixels", pixels(3, 40), "1600 readable pixel values"),
    ],
)
def test_vad_pixels_broken_row(root, vad_pixels, refused, column, text, words):
    change_cell(vad_pixels, 3, column, text)
    refused(lambda: fer2013_vad.load(root), vad_pixels.name, "line 4", words)


@pytest.mark.parametrize("column", ["index", "emotionLabel", "Arousal", "pixels", "emotion"])
def test_vad_pixels_without_a_column(root, vad_pixels, refused, column):
    drop_column(vad_pixels, column)
    refused(lambda: fer2013_vad.load(root), "line 1", f"no column {column}")


def test_vad_pixels_truncated(root, vad_pixels, refused):
    cut(vad_pixels)
    refused(lambda: fer2013_vad.load(root), vad_pixels.name, "line")


def test_vad_pixels_without_rows(root, vad_pixels, refused):
    vad_pixels.write_text(vad_pixels.read_text().splitlines()[0])
    refused(lambda: fer2013_vad.load(root), "the table is empty")


@pytest.fixture
def vad_joined(root):
    return folders.vad_joined(root)


def test_vad_joined_to_ferplus(root, vad_joined):
    faces = fer2013_vad.load(root, images="ferplus")
    assert faces.ids.tolist() == ["fer0028641.png", "fer0028638.png", "fer0028640.png"]
    assert faces.images[:, 0, 0].tolist() == [6, 2, 5]
    assert emotions_of(faces) == ["happiness", "anger", "fear"]
    assert faces.vad.tolist() == [[1, 0.5, 0.5], [-0.5, 0.5, 0.5], [-0.5, -0.5, -0.5]]
    assert faces.votes[:, 0].tolist() == [10, 10, 10]
    assert set(faces.split) == {"valid"}
    assert faces.provenance["unnamed"] == 1
    # The same from the set's own folder, and with FER+ elsewhere.
    (root / "ferplus").rename(root.parent / "elsewhere")
    again = fer2013_vad.load(root / "vad_fer2013", images="ferplus", ferplus_root=root.parent / "elsewhere")
    assert again.provenance["checksum"] == faces.provenance["checksum"]


def refused_join(root, cache_folder, *words):
    """As `refused`, but FER+ itself may have been prepared."""
    with pytest.raises(DataError) as caught:
        fer2013_vad.load(root, images="ferplus")
    for word in words:
        assert word in str(caught.value)
    assert not list(cache_folder.glob("vad_fer2013*"))


@pytest.mark.parametrize(("column", "text", "words"), [case for case in BAD_LABELS if case[1] != "0"])
def test_vad_joined_broken_row(root, vad_joined, cache_folder, column, text, words):
    change_cell(vad_joined, 3, column, text)
    refused_join(root, cache_folder, vad_joined.name, "line 4", words)


def test_vad_joined_index_beyond_the_table(root, vad_joined, cache_folder):
    change_cell(vad_joined, 2, "index", "5")
    refused_join(root, cache_folder, "line 3", "index 5, but fer2013new.csv has 5 PublicTest rows")


def test_vad_joined_index_twice(root, vad_joined, cache_folder):
    change_cell(vad_joined, 2, "index", "4")
    refused_join(root, cache_folder, "line 3", "index 4 a second time (first in line 2)")


def test_vad_joined_picture_not_in_ferplus(root, vad_joined, cache_folder):
    change_cell(root / "ferplus" / "fer2013new.csv", 3, "Image name", "fer0099999.png")
    refused_join(root, cache_folder, "line 3", "fer0099999.png is not in")


def test_vad_joined_picture_twice(root, vad_joined, cache_folder):
    change_cell(root / "ferplus" / "fer2013new.csv", 3, "Image name", "fer0028641.png")
    refused_join(root, cache_folder, "line 3", "fer0028641.png is that of line 2")


def test_vad_joined_without_ferplus(root, vad_joined, cache_folder):
    (root / "ferplus" / "fer2013new.csv").unlink()
    refused_join(root, cache_folder, "fer2013new.csv", "the FER+ vote table")
    shutil.rmtree(root / "ferplus")
    refused_join(root, cache_folder, "FER+ is not here", "FERPlus")


def test_vad_wrong_option(root, vad_pixels, refused):
    refused(lambda: fer2013_vad.load(root, images="none"), "images", kind=ConfigError)


# The student table --------------------------------------------------------------------------------------------------


@pytest.fixture
def students(root):
    return folders.students(root)


def test_students(root, students):
    table = academic.load(root)
    assert list(table.columns) == list(STUDENT_HEADER[2:])
    assert table.index.name == "student"
    assert table.index.tolist() == [1, 2, 3, 4]
    assert table["pretest"].tolist() == [260, 261, 262, 263]
    assert table["final"].tolist() == [84, 84.5, 85, 85.5]
    assert table["failed"].tolist() == [True, True, False, False]
    assert table[["V", "A", "D"]].drop_duplicates().to_numpy().tolist() == [[10, 5, 1]]
    assert table.attrs["published"] is False


@pytest.mark.parametrize(
    ("column", "text", "words"),
    [
        ("L5", "", "L5 is empty"),
        ("V", "NaN", "V is 'NaN'"),
        ("L5", "ten", "L5 is 'ten'"),
        ("L13", "11", "L13 is 11"),
        ("A", "0", "A is 0"),
        ("final", "101", "final is 101"),
        ("failed", "2", "failed is 2"),
        ("pretest", "-1", "pretest is -1"),
    ],
)
def test_students_broken_cell(root, students, refused, column, text, words):
    students.write_bytes(students.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    change_cell(students, 2, column, text)
    refused(lambda: academic.load(root), students.name, "line 3", words)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: drop_column(path, "L7"), ["line 1", "no column L7"]),
        (lambda path: change_cell(path, 1, "L7", "7.5"), ["line 2", "L7 is 7.5, no whole number"]),
        (lambda path: path.write_text(""), ["no column"]),
        (lambda path: path.write_text(",".join(STUDENT_HEADER) + "\n"), ["the table is empty"]),
        (lambda path: path.write_text(path.read_text()[:-30]), ["line 5", "is empty"]),
        (lambda path: path.write_bytes(bytes(range(256))), ["learningMeasure.csv"]),
        (lambda path: path.write_text(path.read_text().replace(",failed", ",failed,more")), ["more"]),
    ],
    ids=["column", "fraction", "empty", "no rows", "truncated", "binary", "another column"],
)
def test_students_broken_table(root, students, refused, spoil, words):
    students.write_bytes(students.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    spoil(students)
    refused(lambda: academic.load(root), *words)


# The real files -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real_vad(tmp_path_factory):
    """Read once: decoding FER+ takes seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FERBOOK_CACHE", str(tmp_path_factory.mktemp("real")))
        return SimpleNamespace(
            joined=fer2013_vad.load(REAL_DATA, images="ferplus"),
            alone=fer2013_vad.load(REAL_DATA),
            train=ferplus.load(REAL_DATA).part("train"),
        )


@needs("vad_fer2013")
def test_real_vad_pixels():
    faces = fer2013_vad.load(REAL_DATA)
    assert len(faces) == CARDS["vad_fer2013"].counts["pixels (20251228)"] == 464
    assert faces.provenance["published"] is True
    assert faces.vad.sum(axis=0) * 2 == pytest.approx([-107, 155, 241])
    assert dict(zip(EMOTIONS, faces.distribution.sum(axis=0), strict=True)) == {
        "neutral": 76,
        "happiness": 110,
        "surprise": 63,
        "sadness": 73,
        "anger": 71,
        "disgust": 11,
        "fear": 60,
        "contempt": 0,
    }


@needs("vad_fer2013", "ferplus")
def test_real_vad_joined(real_vad):
    faces, alone = real_vad.joined, real_vad.alone
    assert len(faces) == CARDS["vad_fer2013"].counts["labels found in FER+"] == 1154
    assert faces.provenance["unnamed"] == 3
    assert faces.provenance["published"] is True
    assert faces.provenance["ferplus_checksum"] == ferplus.OFFICIAL_CHECKSUM
    # The first 464 labels are those that were published with pixels: the join finds the very same pictures.
    assert (faces.images[:464] == alone.images).all()
    assert (faces.vad[:464] == alone.vad).all()
    assert (faces.distribution[:464] == alone.distribution).all()


@needs("vad_fer2013", "ferplus")
def test_real_vad_caveats_of_the_card(real_vad):
    faces, train = real_vad.joined, real_vad.train.images
    emotional = faces.votes[:, : len(EMOTIONS)]
    tied = (emotional == emotional.max(axis=1, keepdims=True)).sum(axis=1) > 1
    other = emotional.argmax(axis=1) != faces.distribution.argmax(axis=1)
    assert ((~tied).sum(), (other & ~tied).sum()) == (1109, 399)
    groups = duplicate_groups(np.concatenate([train, faces.images]))
    assert np.isin(groups[len(train) :], groups[: len(train)]).sum() == 96
    own = duplicate_groups(faces.images)
    twice = np.flatnonzero(own != np.arange(len(faces)))
    assert len(twice) == 4
    assert (faces.vad[twice] != faces.vad[own[twice]]).any(axis=1).all()
    # As the page on the ablation says of its folds.
    fold = annotated.folds(experiments.Faces.of(faces).category)
    assert (fold[twice] != fold[own[twice]]).all()


@needs("academic")
def test_real_students():
    table = academic.load(REAL_DATA)
    assert table.shape == (academic.STUDENTS, 18)
    assert table.attrs["published"] is True
    assert (table["failed"] == (table["final"] < academic.PASS_MARK)).all()
    assert table["failed"].sum() == 6
    assert set(np.unique(table[list(academic.EMOTION_COLUMNS)])) == {1, 2, 5, 10}
