"""Small data sets in the layouts in which they are given out, for the tests of readers and of faults."""

import csv
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
from PIL import Image

from ferbook.datasets import academic, affectnet, ckplus, fer2013, fer2013_vad, ferplus, jaffe, kdef
from ferbook.faces.emotions import FER2013_CODES, VOTE_COLUMNS
from ferbook.papers.vad import annotated
from tests.conftest import TinyFerplus


def grey(value, width, height):
    return Image.new("L", (width, height), value)


def write_table(path, rows):
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(rows)


def pixels(value, side=48):
    return " ".join([str(value)] * side * side)


def kdef_picture(path, colour=(200, 100, 50), size=(562, 762)):
    """The middle square in `colour`, the rest black."""
    path.parent.mkdir(parents=True, exist_ok=True)
    width, height = size
    side = min(size)
    picture = Image.new("RGB", size)
    picture.paste(colour, ((width - side) // 2, (height - side) // 2, (width + side) // 2, (height + side) // 2))
    picture.save(path, "JPEG", quality=95)


def annotate(folder, number, code, valence, arousal, as_text=True):
    for key, value in (("exp", code), ("val", valence), ("aro", arousal), ("lnd", np.zeros(136))):
        np.save(folder / f"{number}_{key}.npy", np.array(str(value) if as_text and key != "lnd" else value))


JAFFE_FACES = {
    "KA.AN1.39.tiff": "anger",
    "KA.DI2.43.tiff": "disgust",
    "KL.FE1.173.tiff": "fear",
    "KM.HA4.7.tiff": "happiness",
    "KM.SA5.13.tiff": "sadness",
    "UY.NE3.138.tiff": "neutral",
    "YM.SU1.58.tiff": "surprise",
}

KDEF_FACES = {
    "AF01AFS.JPG": ("F01", "fear"),
    "AF01ANS.JPG": ("F01", "anger"),
    "BF01DIS.JPG": ("F01", "disgust"),
    "AM35HAS.JPG": ("M35", "happiness"),
    "BM35NES.JPG": ("M35", "neutral"),
    "AM07SAS.JPG": ("M07", "sadness"),
    "AF20SUS.JPG": ("F20", "surprise"),
}

CK_FACES = {
    "anger/S010_004_00000017.png": "anger",
    "anger/S010_004_00000018.png": "anger",
    "contempt/S138_008_00000009.png": "contempt",
    "disgust/S005_001_00000011.png": "disgust",
    "fear/S011_003_00000014.png": "fear",
    "happy/S010_006_00000015.png": "happiness",
    "sadness/S011_002_00000022.png": "sadness",
    "surprise/S999_001_00000018.png": "surprise",
}

# Label and number of frames of each sequence; None: not labelled.
CK_SEQUENCES = {
    "S010/004": (1, 3),
    "S010/006": (5, 2),
    "S011/002": (6, 2),
    "S011/003": (4, 2),
    "S005/001": (3, 2),
    "S138/008": (2, 2),
    "S999/001": (7, 2),
    "S055/001": (None, 2),
}

VAD_WORDS = ("Angry", "Disgust", "Fear", "Happy", "Sad", "Surprise", "Neutral")

STUDENT_HEADER = ("id", "name", "pretest", *academic.LESSONS, "V", "A", "D", "final", "failed")


def jaffe_folder(root):
    folder = root / "jaffe"
    folder.mkdir()
    for value, name in enumerate(JAFFE_FACES):
        grey(10 * value, 256, 256).save(folder / name)
    (folder / "README_FIRST.txt").write_text("terms")
    (folder / "._KA.AN1.39.tiff").write_text("left behind by a Mac")
    return folder


def kdef_folder(root):
    folder = root / "KDEF_and_AKDEF" / "KDEF"
    for name in KDEF_FACES:
        kdef_picture(folder / name[:4] / name)
    kdef_picture(folder / "AF01" / "AF01ANFL.JPG", (0, 0, 5))
    kdef_picture(folder / "AF31" / "AF31V.JPG")
    kdef_picture(folder / "BM10" / "BM10ANFR.JPG", size=(970, 633))
    # Averaged faces, which are no part of KDEF.
    kdef_picture(root / "KDEF_and_AKDEF" / "AKDEF" / "FAFFL.JPG")
    (folder / "AF01" / "Thumbs.db").write_text("left behind by Windows")
    return folder


def ck_table(root):
    path = root / "ckextended.csv"
    usages = ["Training"] * 6 + ["PublicTest", "PrivateTest"]
    rows = [(code, pixels(10 * code), usage) for code, usage in enumerate(usages)]
    write_table(path, [("emotion", "pixels", "Usage"), *rows])
    return path


def ck_faces(root):
    folder = root / "CK+48"
    for value, name in enumerate(CK_FACES):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        grey(value, 48, 48).save(folder / name)
    (folder / "anger" / "._S010_004_00000017.png").write_text("left behind by a Mac")
    return folder


def ck_release(root):
    for name, (label, count) in CK_SEQUENCES.items():
        frames = root / "ckplus" / "cohn-kanade-images" / name
        labels = root / "ckplus" / "Emotion" / name
        frames.mkdir(parents=True)
        labels.mkdir(parents=True)
        stem = name.replace("/", "_")
        for number in range(1, count + 1):
            # Half of the release is in colour, and sizes differ; outside of the middle square, black.
            colour = number % 2 == 0
            width, height = (640, 480) if colour else (640, 490)
            frame = Image.new("RGB" if colour else "L", (width, height))
            value = 50 * number
            frame.paste((value,) * 3 if colour else value, ((width - height) // 2, 0, (width + height) // 2, height))
            frame.save(frames / f"{stem}_{number:08d}.png", compress_level=1)
        (frames / ".DS_Store").write_text("left behind by a Mac")
        if label is not None:
            (labels / f"{stem}_{count:08d}_emotion.txt").write_text(f"   {label:.7e}\n")
    return SimpleNamespace(
        folder=root / "ckplus",
        frames=root / "ckplus" / "cohn-kanade-images" / "S010" / "004",
        label=root / "ckplus" / "Emotion" / "S010" / "004" / "S010_004_00000003_emotion.txt",
    )


def affectnet_2017(root):
    """Eleven training rows, one of each code, and a validation table without a header."""
    folder = root / "affectnet"
    images = folder / "Manually_Annotated_Images"
    rows = []
    for code in range(11):
        name = f"{code}/face{code}.{'png' if code == 3 else 'jpg'}"
        (images / str(code)).mkdir(parents=True)
        # The face is the box from (10, 20) to (50, 60); the rest is black.
        picture = Image.new("RGB", (80, 100))
        picture.paste((20 * code, 100, 200), (10, 20, 50, 60))
        if code == 5:
            picture = picture.convert("L")
        picture.save(images / name, quality=95)
        valence, arousal = (-2, -2) if code in (2, 8, 9, 10) else (code / 10, -code / 10)
        box = (10, 20, 40, 40) if code < 8 else ("NULL",) * 4
        rows.append((name, *box, "1;2;3;4", code, valence, arousal))
    (images / "103").mkdir()
    (images / affectnet.BROKEN_IN_RELEASE).touch()
    rows.append((affectnet.BROKEN_IN_RELEASE, 0, 0, 9, 9, "", 1, 0, 0))
    write_table(folder / "training.csv", [affectnet.COLUMNS, *rows])
    (images / "900").mkdir()
    valid = []
    for number in range(3):
        grey(100, 30, 30).convert("RGB").save(images / f"900/v{number}.jpg")
        # A box that reaches beyond its picture.
        valid.append((f"900/v{number}.jpg", -5, 0, 60, 30, "", 6, -0.5, 0.5))
    write_table(folder / "validation.csv", valid)
    return folder


def affectnet_2021(root):
    folder = root / "AffectNet"
    for part, numbers in (("train_set", range(1, 12)), ("val_set", (2, 10))):
        images, annotations = folder / part / "images", folder / part / "annotations"
        images.mkdir(parents=True)
        annotations.mkdir()
        for number in numbers:
            Image.new("RGB", (224, 224), (20 * number, 50, 90)).save(images / f"{number}.jpg", quality=95)
            absent = part == "train_set" and number == 3
            values = (-2.0, -2.0) if absent else (number / 20, -number / 20)
            annotate(annotations, number, number - 1, *values, as_text=number % 2 == 0)
    return folder


def vad_pixels(root):
    path = root / "vad_fer2013" / "publictest-20251228.csv"
    path.parent.mkdir()
    header = ("index", "emotionLabel", "Valence", "Arousal", "Dominance", "emotion", "pixels")
    rows = [
        (place, f"{code}={word}", code % 5 - 2, 2, -1, code, pixels(code))
        for place, (code, word) in enumerate(enumerate(VAD_WORDS))
    ]
    write_table(path, [header, *rows])
    return path


def vad_joined(root):
    """FER+ with a vote table of two training and five PublicTest rows, the third of them removed, and four labels."""
    numbers = [0, 1, 28638, 28639, None, 28640, 28641]
    names = ["" if number is None else f"fer{number:07d}.png" for number in numbers]
    usages = ["Training"] * 2 + ["PublicTest"] * 5
    table = [("Usage", "Image name", *VOTE_COLUMNS)]
    for usage, name in zip(usages, names, strict=True):
        table.append((usage, name, *([10] + [0] * 9 if name else [0] * 9 + [10])))
    (root / "ferplus").mkdir()
    write_table(root / "ferplus" / "fer2013new.csv", table)
    parts = {"FER2013Train": names[:2], "FER2013Valid": [name for name in names[2:] if name], "FER2013Test": ["t.png"]}
    for part, members in parts.items():
        folder = root / "ferplus" / part
        folder.mkdir()
        for name in members:
            grey(names.index(name) if name in names else 99, 48, 48).save(folder / name)
        write_table(folder / "label.csv", [(name, "(0, 0, 48, 48)", 10, *[0] * 9) for name in members])
    path = root / "vad_fer2013" / "publictest-20240507-labels.csv"
    path.parent.mkdir()
    rows = [(4, "3=Happy", 2, 1, 1), (0, "0=Angry", -1, 1, 1), (2, "4=Sad", -2, 0, 0), (3, "2=Fear", -1, -1, -1)]
    write_table(path, [("index", "emotionLabel", "Valence", "Arousal", "Dominance"), *rows])
    return path


def students(root):
    path = root / "academic" / "learningMeasure.csv"
    path.parent.mkdir()
    rows = [("2.02E+12", "**", 260 + n, *[7] * 12, 10, 5, 1, 84 + n / 2, int(n < 2)) for n in range(4)]
    write_table(path, [STUDENT_HEADER, *rows])
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    return path


#: FER2013's words for its seven emotions as folders are named, in the order of its codes.
CLASSES = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


def smooth_ferplus(folder):
    """A tiny FER+ whose pictures change slowly from pixel to pixel, as photographs do, so that JPEG keeps them."""
    made = TinyFerplus(folder)
    for number, name in enumerate(made.images):
        coarse = np.random.default_rng(number).integers(0, 256, (6, 6), dtype=np.uint8)
        made.images[name] = np.asarray(Image.fromarray(coarse).resize((48, 48), Image.Resampling.BICUBIC))
    return made


def fer2013_classes(root, quality=75):
    """The faces of :func:`smooth_ferplus` as class folders, each in the folder of its number's code."""
    made = smooth_ferplus(root / "unused")
    usage = {"train": "Training", "valid": "PublicTest", "test": "PrivateTest"}
    for split, rows in made.rows.items():
        for row in rows:
            number = int(row[0][3:10])
            place = root / "archive" / ("train" if split == "train" else "test") / CLASSES[number % 7]
            place.mkdir(parents=True, exist_ok=True)
            # The copies number their pictures in an order of their own.
            path = place / f"{usage[split]}_{90000 - 7 * number}.jpg"
            Image.fromarray(made.images[row[0]]).save(path, quality=quality)
    return root / "archive"


def fer2013_table(root, name="icml_face_data.csv"):
    """Seven rows, one of each code, with the blanks of the challenge's second archive in the names of columns."""
    usages = ["Training"] * 5 + ["PublicTest", "PrivateTest"]
    rows = [(code, usage, pixels(30 * code)) for code, usage in enumerate(usages)]
    (root / "fer2013").mkdir()
    write_table(root / "fer2013" / name, [("emotion", " Usage", " pixels"), *rows])
    return root / "fer2013" / name


def vad_logs(folder):
    """What the authors' code wrote of six epochs: losses of each axis in three parts, and accuracies."""
    for axis, name in annotated.LOGS.items():
        heads = [f"{part}Loss{axis[0].upper()}" for part in ("Train", "Pubtest", "Pritest")]
        write_table(folder / name, [("", *heads), *((k, "1.0", f"0.{100 - k}", f"0.{200 + k}") for k in range(6))])
    rows = [("tensor(1.0)", f"tensor({40 + k}.5)", "tensor(2.0)") for k in range(6)]
    write_table(folder / "AccProcess_classify.csv", [("TrainAcc", "PubtestAcc", "PritestAcc"), *rows])


def vad_first_release(root):
    folder = root / "vad_fer2013" / "paper003"
    folder.mkdir(parents=True)
    header = ("index", "emotionLabel", "Valence", "Arousal", "Dominance", "emotion")
    for name in fer2013_vad.FIRST_RELEASE.values():
        rows = [(k, f"{code}={FER2013_CODES[code]}", 2 - k, -1, 2, code) for k, code in enumerate((0, 3, 6))]
        write_table(folder / name, [header, *rows])
    return folder


class Form(NamedTuple):
    """A data set in one layout: what writes it into an empty folder, and what reads it from there."""

    write: Callable[[Path], object]
    read: Callable[[Path], object]


#: Every layout that a reader of data sets knows.
FORMS: dict[str, Form] = {
    "ferplus folders": Form(lambda root: TinyFerplus(root / "ferplus").write_folders(), ferplus.load),
    "ferplus archives": Form(lambda root: TinyFerplus(root / "ferplus").write_archives(), ferplus.load),
    "ferplus mosaics": Form(lambda root: TinyFerplus(root / "ferplus").write_mosaics(), ferplus.load),
    "ferplus tables": Form(lambda root: TinyFerplus(root / "ferplus").write_kaggle(), ferplus.load),
    "fer2013 table": Form(fer2013_table, fer2013.load),
    "fer2013 folders": Form(fer2013_classes, lambda root: fer2013.load(root / "archive")),
    "jaffe": Form(jaffe_folder, jaffe.load),
    "kdef": Form(kdef_folder, lambda root: kdef.load(root, size=16, angle=None)),
    "ckplus table": Form(ck_table, ckplus.load),
    "ckplus faces": Form(ck_faces, ckplus.load),
    "ckplus sequences": Form(ck_release, lambda root: ckplus.load(root, size=16, neutral_first=True)),
    "affectnet 2017": Form(affectnet_2017, lambda root: affectnet.load(root, size=16)),
    "affectnet 2021": Form(affectnet_2021, lambda root: affectnet.load(root, size=16)),
    "vad pixels": Form(vad_pixels, fer2013_vad.load),
    "vad labels": Form(vad_joined, lambda root: fer2013_vad.load(root, images="ferplus")),
    "vad first release": Form(vad_first_release, fer2013_vad.first_release),
    "academic": Form(students, academic.load),
}
