"""The readers of the data sets that cannot be shipped, each on a small folder in the set's own layout."""

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
from ferbook.faces import folds
from ferbook.faces.emotions import EMOTIONS, FER2013_CODES, index
from ferbook.faces.splits import duplicate_groups
from ferbook.papers.vad import annotated, experiments
from tests import folders, spoil
from tests.conftest import REAL_DATA, needs
from tests.folders import (
    CK_FACES,
    FORMS,
    JAFFE_FACES,
    KDEF_FACES,
    STUDENT_HEADER,
    annotate,
    grey,
    kdef_picture,
    pixels,
)

READERS = (affectnet, fer2013, jaffe, ckplus, kdef, fer2013_vad, academic)

# Each layout, written where the test that names it reads.
jaffe_folder = pytest.fixture(folders.jaffe_folder)
kdef_folder = pytest.fixture(folders.kdef_folder)
ck_table = pytest.fixture(folders.ck_table)
ck_faces = pytest.fixture(folders.ck_faces)
ck_release = pytest.fixture(folders.ck_release)
affectnet_2017 = pytest.fixture(folders.affectnet_2017)
affectnet_2021 = pytest.fixture(folders.affectnet_2021)
vad_pixels = pytest.fixture(folders.vad_pixels)
vad_joined = pytest.fixture(folders.vad_joined)
students = pytest.fixture(folders.students)


@pytest.fixture
def refused(private_cache):
    """Calls a reader that must fail with one error that says all of `words`, and leave nothing behind but `kept`."""

    def check(read, *words, kind=DataError, kept="nothing"):
        with pytest.raises(kind) as caught:
            read()
        for word in words:
            assert str(word) in str(caught.value)
        assert not [path for path in private_cache.glob("*") if not path.name.startswith(kept)]

    return check


def emotions_of(faces):
    assert (faces.distribution.sum(axis=1) == 1).all()
    return [EMOTIONS[place] for place in faces.distribution.argmax(axis=1)]


def by_id(faces, values):
    return dict(zip(faces.ids.tolist(), values, strict=True))


# What is refused ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["", "elsewhere"])
@pytest.mark.parametrize("reader", READERS, ids=lambda module: module.__name__.rpartition(".")[2])
def test_nothing_there(reader, place, root, refused):
    refused(lambda: reader.load(root / place), root / place, reader.CARD.where, kind=MissingDataError)


JAFFE_FACE = "jaffe/KL.FE1.173.tiff"
KDEF = "KDEF_and_AKDEF/KDEF"
KDEF_FACE, KDEF_FIRST = f"{KDEF}/AM35/AM35HAS.JPG", f"{KDEF}/AF01ANS.JPG"
CK, CK_NAME, CK_FEAR = "ckextended.csv", "S005_001_00000011.png", "CK+48/fear/S011_003_00000014.png"
CK_FACE = f"CK+48/disgust/{CK_NAME}"
FRAMES, LABEL = "ckplus/cohn-kanade-images/S010/004", "ckplus/Emotion/S010/004/S010_004_00000003_emotion.txt"
FIRST, SECOND, PEAK = (f"{FRAMES}/S010_004_0000000{number}.png" for number in (1, 2, 3))
TRAIN, VALID, IMAGES = (f"affectnet/{name}" for name in ("training.csv", "validation.csv", affectnet.IMAGES))
FACE, CODE = f"{IMAGES}/7/face7.jpg", "AffectNet/train_set/annotations/4_exp.npy"
FER2013, VAD, JOINED = "fer2013/icml_face_data.csv", "publictest-20251228.csv", "publictest-20240507-labels.csv"
RELEASE = "vad_fer2013/paper003"
VOTES, STUDENTS = "ferplus/fer2013new.csv", f"academic/{academic.TABLE}"

#: Column, text and what is said of them.
BAD_EXPRESSIONS = [
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
]
BAD_LABELS = [
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
BAD_PIXELS = [
    ("index", "0", "index 0 a second time (first in line 2)"),
    ("emotion", "4", "emotion is '4', but emotionLabel is '2=Fear'"),
    ("pixels", pixels(3, 40), "1600 readable pixel values"),
]
BAD_PLACES = [
    ("index", "5", "index 5, but fer2013new.csv has 5 PublicTest rows"),
    ("index", "4", "index 4 a second time (first in line 2)"),
]
BAD_RELEASE = [
    ("Valence", "3", "Valence is '3'"),
    ("emotion", "4", "emotion is '4', but emotionLabel is '3=happiness'"),
    ("emotionLabel", "3=Sad", "unknown emotionLabel"),
    ("index", "0", "index 0 a second time"),
]
BAD_MARKS = [
    ("L5", "", "L5 is empty"),
    ("V", "NaN", "V is 'NaN'"),
    ("L5", "ten", "L5 is 'ten'"),
    ("L13", "11", "L13 is 11"),
    ("A", "0", "A is 0"),
    ("final", "101", "final is 101"),
    ("failed", "2", "failed is 2"),
    ("pretest", "-1", "pretest is -1"),
]
JAFFE_NAMES = ("KA.XX1.39.tiff", "ZZ.AN1.39.tiff", "KA.AN.39.tiff", "copy of KA.AN1.39.tiff")
NO_LABELS = ("8", "-1", "1.5", "nan", "", "anger")
KDEF_NAMES = ("AF36ANS.JPG", "AF00ANS.JPG", "CF01ANS.JPG", "AF01XXS.JPG", "AF01AN.JPG", "me.jpg")


def bad_cells(place, row, cases):
    where = Path(place).name, f"line {row + 1}"
    return [(spoil.cell(place, row, column, text), *where, words) for column, text, words in cases]


def array(place, value):
    return spoil.at(place, lambda path: np.save(path, value))


def first(root, part):
    return next(root.glob(f"archive/{part}/*/*.jpg"))


def half_a_noisy_face(root):
    """Half of a picture of many bytes is still a beginning."""
    Image.effect_noise((48, 48), 60).save(root / CK_FACE)
    spoil.cut(CK_FACE)(root)


def listed_in_both_parts(root):
    with (root / VALID).open("a") as stream:
        stream.write("0/face0.jpg,10,20,40,40,,0,0,0\n")


#: By layout: what spoils it, and what the one error says.
BROKEN = {
    "jaffe": [
        *(
            (spoil.copied("jaffe/KA.AN1.39.tiff", f"jaffe/{n}"), "@jaffe", "1 unknown file names", n)
            for n in JAFFE_NAMES
        ),
        (spoil.written(JAFFE_FACE), "KL.FE1.173.tiff", "is not a TIFF image"),
        (spoil.cut(JAFFE_FACE), "KL.FE1.173.tiff", "TIFF"),
        (spoil.written(JAFFE_FACE, ""), "KL.FE1.173.tiff", "is not a TIFF image"),
        (spoil.picture(JAFFE_FACE, "L", 128, 128), "KL.FE1.173.tiff", "128 x 128"),
        (spoil.picture(JAFFE_FACE, "RGB", 256, 256), "KL.FE1.173.tiff", "mode RGB"),
    ],
    "fer2013 table": [
        (spoil.replaced(FER2013, "\n3,", "\n7,"), "line 5: unknown emotion '7'"),
        (spoil.replaced(FER2013, "PublicTest", "Public"), "line 7: unknown Usage 'Public'"),
        (spoil.replaced(FER2013, " pixels", "pixel"), "has no column pixels"),
    ],
    "fer2013 folders": [
        (spoil.gone("archive/test"), "the test part is missing"),
        (spoil.moved("archive/train/fear", "archive/train/bored"), "'bored' is not an emotion"),
        (spoil.moved("archive/train/fear", "archive/train/NF"), "'NF' is not an emotion"),
        (lambda root: shutil.move(first(root, "test"), root / "archive/train/fear"), "is named like"),
        (lambda root: first(root, "train").write_text("x"), "is not a JPEG/PNG image"),
        (lambda root: grey(1, 100, 100).save(first(root, "train")), "is 100 x 100 pixels of mode L instead of 48 x 48"),
    ],
    "kdef": [
        *((spoil.at(f"{KDEF}/AF01/{n}", kdef_picture), f"@{KDEF}", "1 unknown file names", n) for n in KDEF_NAMES),
        (spoil.at(KDEF_FIRST, kdef_picture), "is the same picture as", "AF01"),
        (spoil.at(f"{KDEF}/AF31/AF31SAHL.JPG", kdef_picture), "is the same picture as", "AF31"),
        (spoil.written(KDEF_FACE), "AM35HAS.JPG", "is not a JPEG image"),
        (spoil.cut(KDEF_FACE), "AM35HAS.JPG", "is a broken JPEG"),
        (spoil.at(KDEF_FACE, lambda path: kdef_picture(path, size=(562, 562))), "AM35HAS.JPG", "562 x 562"),
        (spoil.picture(KDEF_FACE, "L", 562, 762), "AM35HAS.JPG", "mode L"),
    ],
    "ckplus table": [
        (spoil.cell(CK, 2, "emotion", "8"), CK, "line 3", "7 contempt", "unknown emotion '8'"),
        (spoil.cell(CK, 2, "emotion", "NaN"), CK, "line 3", "unknown emotion 'NaN'"),
        (spoil.cell(CK, 2, "emotion", ""), CK, "line 3", "unknown emotion"),
        (spoil.cell(CK, 3, "pixels", pixels(1, 47)), CK, "line 4", "2209 readable pixel values"),
        (spoil.cell(CK, 3, "pixels", pixels(256)), CK, "line 4", "outside 0..255"),
        (spoil.cell(CK, 1, "Usage", "Test"), CK, "line 2", "unknown Usage 'Test'"),
        (spoil.without(CK, "Usage"), CK, "line 1", "no column Usage"),
        (spoil.header_alone(CK), CK, "the table is empty"),
        (spoil.written(CK, bytes(range(256)) * 9), CK, "no column"),
        (spoil.written(CK, ""), CK, "no column"),
        (spoil.cut(CK), CK, "line"),
        (spoil.replaced(CK, "emotion,pixels,Usage", "emotion,pixels,Usage, emotion"), "has two columns emotion"),
    ],
    "ckplus faces": [
        (spoil.moved("CK+48/fear", "CK+48/boredom"), "'boredom' is not an emotion"),
        (spoil.moved("CK+48/fear", "CK+48/unknown"), "'unknown' is not an emotion"),
        (spoil.copied(CK_FEAR, "CK+48/anger"), Path(CK_FEAR).name, "is the same frame as"),
        (spoil.moved(CK_FEAR, "CK+48/fear/14.png"), "14.png", "unknown file name"),
        (spoil.written(CK_FACE), CK_NAME, "is not a PNG image"),
        (half_a_noisy_face, CK_NAME, "is a broken PNG"),
        (spoil.picture(CK_FACE, "L", 96, 96), CK_NAME, "96 x 96 pixels of mode L instead of 48 x 48 of mode L"),
        (spoil.picture(CK_FACE, "RGBA", 48, 48), CK_NAME, "mode RGBA instead of 48 x 48 of mode L"),
    ],
    "ckplus sequences": [
        *((spoil.written(LABEL, text), f"@{LABEL}", "unknown emotion") for text in NO_LABELS),
        (spoil.written(LABEL.replace("03_e", "02_e"), "1"), f"@{LABEL}", "is a second label"),
        (spoil.moved(LABEL, f"ckplus/Emotion/S055/001/{Path(LABEL).name}"), Path(LABEL).name, "unknown file name"),
        (spoil.gone(PEAK), f"@{LABEL}", Path(PEAK).name),
        (spoil.gone(FIRST, SECOND), f"@{FRAMES}", "no frame before its peak"),
        (spoil.written(f"{FRAMES}/frame.png", ""), "frame.png", "unknown file name"),
        (spoil.written(PEAK), Path(PEAK).name, "is not a PNG image"),
        (spoil.gone("ckplus/Emotion"), "@ckplus", "the labels are missing"),
    ],
    "affectnet 2017": [
        *bad_cells(TRAIN, 4, BAD_EXPRESSIONS),
        (spoil.without(TRAIN, "valence"), "line 1", "no column valence"),
        (spoil.written(TRAIN, ""), "line 1", "no column"),
        (spoil.without_end(TRAIN, 20), "cells instead of 9"),
        (spoil.written(FACE), f"@{FACE}", "is not a JPEG/PNG/BMP/TIFF/GIF image"),
        (spoil.cut(FACE), f"@{FACE}", "is a broken image"),
        (spoil.picture(FACE, "L", 5, 5), f"@{FACE}", "lies outside of its 5 x 5 pixels"),
        (listed_in_both_parts, "is a face of both train and valid"),
        (spoil.gone(IMAGES), "the folder of pictures is missing"),
    ],
    "affectnet 2021": [
        (spoil.gone(CODE), f"@{CODE}", "the annotation is missing"),
        (spoil.written(CODE, "1"), f"@{CODE}", "holds no single value"),
        (spoil.cut(CODE), f"@{CODE}", "holds no single value"),
        (array(CODE, [1, 2]), f"@{CODE}", "holds no single value"),
        (array(CODE, np.array([{"code": 1}], dtype=object)), f"@{CODE}", "holds no single value"),
        (array(CODE, "happy"), f"@{CODE}", "unknown expression 'happy'"),
        (array(CODE, np.nan), f"@{CODE}", "unknown expression 'nan'"),
        (array("AffectNet/val_set/annotations/2_aro.npy", 3.0), "2_aro.npy", "arousal is '3.0'"),
        (spoil.written("AffectNet/val_set/images/face.jpg", ""), "face.jpg", "unknown file name"),
        (spoil.gone("AffectNet/val_set"), "val_set", "the valid part is missing"),
    ],
    "vad pixels": [
        *bad_cells(f"vad_fer2013/{VAD}", 3, BAD_LABELS + BAD_PIXELS),
        *(
            (spoil.without(f"vad_fer2013/{VAD}", column), "line 1", f"no column {column}")
            for column in ("index", "emotionLabel", "Arousal", "pixels", "emotion")
        ),
        (spoil.cut(f"vad_fer2013/{VAD}"), VAD, "line"),
        (spoil.header_alone(f"vad_fer2013/{VAD}"), "the table is empty"),
    ],
    "vad labels": [
        *bad_cells(f"vad_fer2013/{JOINED}", 3, BAD_LABELS),
        *bad_cells(f"vad_fer2013/{JOINED}", 2, BAD_PLACES),
        (spoil.cell(VOTES, 3, "Image name", "fer0099999.png"), "line 3", "fer0099999.png is not in"),
        (spoil.cell(VOTES, 3, "Image name", "fer0028641.png"), "line 3", "fer0028641.png is that of line 2"),
        (spoil.gone(VOTES), "fer2013new.csv", "the FER+ vote table"),
        (spoil.gone("ferplus"), "FER+ is not here", "FERPlus"),
    ],
    "vad first release": bad_cells(f"{RELEASE}/private-labels.csv", 2, BAD_RELEASE),
    "academic": [
        *bad_cells(STUDENTS, 2, BAD_MARKS),
        (spoil.without(STUDENTS, "L7"), "line 1", "no column L7"),
        (spoil.cell(STUDENTS, 1, "L7", "7.5"), "line 2", "L7 is 7.5, no whole number"),
        (spoil.written(STUDENTS, ""), "no column"),
        (spoil.header_alone(STUDENTS), "the table is empty"),
        (spoil.without_end(STUDENTS, 30), "line 5", "is empty"),
        (spoil.written(STUDENTS, bytes(range(256))), academic.TABLE),
        (spoil.replaced(STUDENTS, ",failed", ",failed,more"), "more"),
    ],
}


@pytest.mark.parametrize(
    ("layout", "change", "words"),
    [
        pytest.param(layout, *case[:1], case[1:], id=f"{layout}-{case[-1]}")
        for layout in BROKEN
        for case in BROKEN[layout]
    ],
)
def test_what_is_broken_is_one_clear_error(layout, change, words, root, refused):
    """A word after @ is a place in the folder that holds the data set."""
    FORMS[layout].write(root)
    change(root)
    # FER+ itself may have been prepared where labels are joined to it.
    kept = "ferplus" if layout == "vad labels" else "nothing"
    said = [root / word[1:] if word.startswith("@") else word for word in words]
    refused(lambda: FORMS[layout].read(root), *said, kept=kept)


@pytest.mark.parametrize(
    ("layout", "reader", "option", "value"),
    [
        *(("kdef", kdef, *option) for option in (("size", 0), ("angle", "X"), ("session", "C"))),
        *(("ckplus table", ckplus, *option) for option in (("size", 0), ("form", "video"))),
        *(
            ("affectnet 2017", affectnet, *o)
            for o in (("size", 0), ("parts", ["test"]), ("parts", []), ("per_class", 0))
        ),
        ("vad pixels", fer2013_vad, "images", "none"),
    ],
)
def test_a_wrong_option_is_named(layout, reader, option, value, root, refused):
    FORMS[layout].write(root)
    refused(lambda: reader.load(root, **{option: value}), option, kind=ConfigError)


# Cards --------------------------------------------------------------------------------------------------------------


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
    assert CARDS["academic"].counts["students"] == 24


# JAFFE --------------------------------------------------------------------------------------------------------------


def test_jaffe(root, jaffe_folder):
    faces = jaffe.load(root)
    assert faces.images.shape == (7, 256, 256)
    assert faces.ids.tolist() == sorted(JAFFE_FACES)
    assert by_id(faces, emotions_of(faces)) == JAFFE_FACES
    assert faces.subject.tolist() == ["KA", "KA", "KL", "KM", "KM", "UY", "YM"]
    assert faces.images[:, 0, 0].tolist() == [0, 10, 20, 30, 40, 50, 60]
    assert faces.provenance["complete"] is False
    assert jaffe.load(jaffe_folder).provenance["checksum"] == faces.provenance["checksum"]


def test_jaffe_notices_a_changed_picture(root, jaffe_folder):
    jaffe.load(root)
    grey(255, 256, 256).save(jaffe_folder / "KA.AN1.39.tiff")
    assert jaffe.load(root).images[0, 0, 0] == 255


# KDEF ---------------------------------------------------------------------------------------------------------------


def test_kdef_frontal(root, kdef_folder):
    faces = kdef.load(root, size=24)
    assert faces.images.shape == (7, 24, 24, 3)
    assert faces.ids.tolist() == sorted(KDEF_FACES)
    found = zip(faces.subject.tolist(), emotions_of(faces), strict=True)
    assert by_id(faces, found) == KDEF_FACES
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


def test_kdef_no_such_angle(root, kdef_folder, refused):
    refused(lambda: kdef.load(root, angle="HR"), kdef_folder, "no picture of angle HR")


# CK+, the table -----------------------------------------------------------------------------------------------------


def test_ckplus_table(root, ck_table):
    faces = ckplus.load(root)
    assert faces.images.shape == (8, 48, 48)
    assert emotions_of(faces) == [*FER2013_CODES, "contempt"]
    assert faces.images[:, 0, 0].tolist() == [10 * code for code in range(8)]
    assert faces.split.tolist() == ["train"] * 6 + ["valid", "test"]
    assert faces.ids[0] == "ckextended-0001"
    assert faces.subject is None
    assert faces.provenance["layout"] == "table"


# CK+, the 48-pixel faces --------------------------------------------------------------------------------------------


def test_ckplus_faces(root, ck_faces):
    faces = ckplus.load(root)
    expected = {Path(name).name: (emotion, Path(name).name[:4]) for name, emotion in CK_FACES.items()}
    assert faces.ids.tolist() == sorted(expected)
    found = zip(emotions_of(faces), faces.subject.tolist(), strict=True)
    assert by_id(faces, found) == expected
    values = by_id(faces, faces.images[:, 0, 0].tolist())
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


# CK+, the sequences -------------------------------------------------------------------------------------------------


def test_ckplus_sequences(root, ck_release):
    faces = ckplus.load(root, size=20)
    assert faces.images.shape == (7, 20, 20)
    assert by_id(faces, emotions_of(faces)) == {
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
    inner = by_id(faces, faces.images[:, :, 2:-2])
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


# AffectNet ----------------------------------------------------------------------------------------------------------

AFFECTNET_WORDS = ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt")


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


def test_affectnet_leaves_no_scratch_and_memory_maps(root, affectnet_2017, private_cache):
    faces = affectnet.load(root, size=16)
    assert isinstance(faces.images, np.memmap)
    assert [path.name.partition("-")[0] for path in private_cache.iterdir()] == ["affectnet"]


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


def test_affectnet_without_rows(root, affectnet_2017, refused):
    spoil.header_alone(TRAIN)(root)
    refused(lambda: affectnet.load(root, size=8, parts=["train"]), "no face with one of the eight")


def test_affectnet_no_room(root, affectnet_2017, refused, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=2 * 11 * 8 * 8 * 3 - 1))
    refused(lambda: affectnet.load(root, size=8), "size", "per_class", kind=ConfigError)
    assert len(affectnet.load(root, size=7)) == 11


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


# VAD-FER2013 --------------------------------------------------------------------------------------------------------


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


# The student table --------------------------------------------------------------------------------------------------


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
    fold = annotated.fold_of(experiments.Faces.of(faces).category, folds.kept_together(faces))
    assert (fold[twice] == fold[own[twice]]).all()


@needs("academic")
def test_real_students():
    table = academic.load(REAL_DATA)
    assert table.shape == (24, 18)
    assert table.attrs["published"] is True
    assert (table["failed"] == (table["final"] < academic.PASS_MARK)).all()
    assert table["failed"].sum() == 6
    assert set(np.unique(table[list(academic.EMOTION_COLUMNS)])) == {1, 2, 5, 10}
