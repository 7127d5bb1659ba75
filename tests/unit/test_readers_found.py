"""Data sets as they are found: what systems leave behind, capital suffixes, spreadsheets' tables, odd names."""

import csv
import shutil

import numpy as np
import pandas as pd
import pytest

from ferbook import datasets
from ferbook.cli import commands
from ferbook.core.errors import ConfigError, DataError, MissingDataError
from ferbook.datasets import affectnet, ckplus, fer2013, ferplus, jaffe, kdef, matching
from ferbook.datasets.cache import content_checksum
from ferbook.faces.emotions import EMOTIONS, FER2013_CODES
from tests import folders, spoil
from tests.conftest import REAL_DATA, TinyFerplus, needs_ferplus

BOM = b"\xef\xbb\xbf"


def content(found):
    """What was read, whatever it was read from."""
    if isinstance(found, pd.DataFrame):
        return found.to_csv()
    if hasattr(found, "arrays"):
        return content_checksum(found)
    return str({part: [column.tolist() for column in labels] for part, labels in found.parts.items()})


@pytest.fixture(params=folders.FORMS)
def form(request, tmp_path):
    """A layout, written twice: as it is, and for a test to change."""
    one = folders.FORMS[request.param]
    for name in ("given", "found"):
        (tmp_path / name).mkdir()
        one.write(tmp_path / name)
    return one, tmp_path / "given", tmp_path / "found"


def test_what_systems_leave_behind(form):
    one, given, found = form
    for place in [found, *(path for path in found.rglob("*") if path.is_dir())]:
        names = [path.name for path in place.iterdir()]
        for name in [*(f"._{name}" for name in names), ".DS_Store", "Thumbs.db", "desktop.ini"]:
            (place / name).write_bytes(b"\0\5\x16\7 left behind")
        # As an archive from a Mac unpacks: the tree again, nothing but shadows in it.
        for name in names:
            shadow = place / "__MACOSX" / place.name / f"._{name}"
            shadow.parent.mkdir(parents=True, exist_ok=True)
            shadow.write_bytes(b"\0\5\x16\7 left behind")
    assert content(one.read(found)) == content(one.read(given))


def test_capital_suffixes(form):
    one, given, found = form
    for path in [path for path in found.rglob("*.*") if path.is_file() and not path.name.startswith(".")]:
        path.rename(path.with_suffix(path.suffix.upper()))
    assert content(one.read(found)) == content(one.read(given))


def test_byte_order_mark_crlf_and_blanks_in_every_table(form):
    one, given, found = form
    tables = [path for path in found.rglob("*.csv") if not path.name.startswith(".")]
    if not tables:
        pytest.skip("this layout has no table")
    for path in tables:
        data = path.read_bytes().removeprefix(BOM).replace(b"\r\n", b"\n")
        header, _, rest = data.partition(b"\n")
        # The first line of a table without a header is data, which blanks do not belong to.
        if b"Usage" in header or b"Valence" in header or b"final" in header:
            header = b" " + header.replace(b",", b" , ")
        path.write_bytes((BOM + header + b"\n" + rest + b"\n").replace(b"\n", b"\r\n"))
    assert content(one.read(found)) == content(one.read(given))


#: Layouts that `ferbook data` reads without being told more.
NAMED = [name for name in folders.FORMS if name not in ("academic", "vad first release", "vad labels")]


@pytest.mark.parametrize("name", NAMED)
def test_unknown_files_are_named_and_not_fatal(name, tmp_path):
    one = folders.FORMS[name]
    one.write(tmp_path)
    root = tmp_path / "archive" if name == "fer2013 folders" else tmp_path
    dataset = {"vad": "vad_fer2013"}.get(name.split()[0], name.split()[0])
    expected = content(one.read(tmp_path))
    before = datasets.others(dataset, root)
    place = datasets._reader(dataset).find(root).folder
    (place / "notes.doc").write_text("mine")
    (place / "old").mkdir()
    (place / ".DS_Store").write_text("left behind")
    assert content(one.read(tmp_path)) == expected
    assert sorted(set(datasets.others(dataset, root)) - set(before)) == ["notes.doc", "old/"]


def test_unknown_files_are_counted_on_the_terminal(tmp_path, capsys):
    folders.jaffe_folder(tmp_path)
    for number in range(6):
        (tmp_path / "jaffe" / f"note{number}.txt").touch()
    assert commands.main(["data", "jaffe", "--root", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "not read: 7 other files or folders: README_FIRST.txt, note0.txt" in said
    assert "and 2 more" in said


def test_unknown_members_of_an_archive_are_named(tmp_path):
    root = TinyFerplus(tmp_path).write_archives()
    more = ("FER2013Test/list.txt", b"x"), ("__MACOSX/FER2013Test/._label.csv", b"x")
    spoil.added("FER2013Test.zip", *more)(root)
    assert datasets.others("ferplus", root) == ["FER2013Test.zip: FER2013Test/list.txt"]
    assert len(ferplus.load(root)) == 8


def test_two_files_that_differ_in_their_suffix_s_letters(tmp_path):
    root = TinyFerplus(tmp_path).write_folders()
    shutil.copy(root / "FER2013Test" / "fer0000006.png", root / "FER2013Test" / "fer0000006.PNG")
    with pytest.raises(DataError, match="is the same file as"):
        ferplus.load(root)


def test_a_line_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr("ferbook.datasets.files.LONGEST_LINE", 20_000)
    path = folders.ck_table(tmp_path)
    with path.open("a") as stream:
        stream.write('"\n' + "1 " * 10_000)
    with pytest.raises(DataError, match="line 11: a line of more than 20,000 characters"):
        ckplus.load(tmp_path)


# FER2013 ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["fer2013.csv", "icml_face_data.csv"])
def test_fer2013_table(tmp_path, name):
    folders.fer2013_table(tmp_path, name)
    faces = fer2013.load(tmp_path)
    assert [EMOTIONS[place] for place in faces.distribution.argmax(axis=1)] == list(FER2013_CODES)
    assert faces.images[:, 0, 0].tolist() == [30 * code for code in range(7)]
    assert faces.split.tolist() == ["train"] * 5 + ["valid", "test"]
    assert faces.ids[0] == "fer2013-00000"
    assert faces.provenance["layout"] == "table"


def test_ferplus_takes_the_challenge_s_second_table(tmp_path):
    root = TinyFerplus(tmp_path / "a").write_kaggle()
    expected = ferplus.load(root).provenance["checksum"]
    with (root / "fer2013.csv").open(newline="") as stream:
        rows = [(row["emotion"], row["Usage"], row["pixels"]) for row in csv.DictReader(stream)]
    (root / "fer2013.csv").unlink()
    folders.write_table(root / "icml_face_data.csv", [("emotion", " Usage", " pixels"), *rows])
    assert ferplus.load(root).provenance["checksum"] == expected


def test_fer2013_folders(tmp_path):
    folder = folders.fer2013_classes(tmp_path)
    faces = fer2013.load(folder)
    assert len(faces) == 8
    assert faces.split.tolist() == ["test", "test", "valid", "valid", "train", "train", "train", "train"]
    for name, shares in zip(faces.ids, faces.distribution, strict=True):
        number = (90000 - int(name.split("_")[1][:5])) // 7
        assert EMOTIONS[shares.argmax()] == FER2013_CODES[number % 7] == name.split("/")[1]
    assert faces.votes is None
    assert faces.provenance["layout"] == "folders"


def test_fer2013_folders_have_no_votes_and_say_so(tmp_path):
    folder = folders.fer2013_classes(tmp_path)
    with pytest.raises(MissingDataError, match=r"FER2013 as class folders.*ferbook data fer2013"):
        ferplus.load(folder)
    with pytest.raises(DataError, match="FER\\+ with pictures is not here"):
        fer2013.load(folder, votes=True)
    TinyFerplus(tmp_path / "votes").write_kaggle()
    shutil.copy(tmp_path / "votes" / "fer2013new.csv", folder)
    with pytest.raises(DataError, match=r"fer2013new.csv cannot be joined to class folders.*Add fer2013.csv"):
        fer2013.load(folder, votes=True)


@pytest.mark.parametrize("quality", [75, 95])
def test_fer2013_folders_joined_to_ferplus_by_pixels(tmp_path, quality):
    folder = folders.fer2013_classes(tmp_path, quality)
    made = folders.smooth_ferplus(tmp_path / "ferplus")
    crowd = ferplus.load(made.write_kaggle())
    faces = fer2013.load(folder, votes=True)
    assert faces.ids.tolist() == crowd.ids.tolist()
    assert (faces.votes == crowd.votes).all() and (faces.images == crowd.images).all()
    assert faces.split.tolist() == crowd.split.tolist()
    assert [EMOTIONS[one.argmax()] for one in faces.distribution] == [FER2013_CODES[n % 7] for n in range(8)]
    assert (faces.provenance["without_twin"], faces.provenance["ambiguous"]) == (0, 0)
    assert 0 < faces.provenance["distance"] < fer2013.TWIN_LIMIT


def test_fer2013_join_leaves_out_what_is_not_certain(tmp_path):
    folder = folders.fer2013_classes(tmp_path)
    made = folders.smooth_ferplus(tmp_path / "ferplus")
    # One picture of FER+ twice: nothing says which of the two a copy of it is. And one that FER+ does not hold.
    made.images["fer0000001.png"] = made.images["fer0000000.png"]
    made.write_folders()
    faces = fer2013.load(folder, votes=True)
    assert faces.ids.tolist() == [f"fer000000{number}.png" for number in range(2, 8)]
    assert (faces.provenance["without_twin"], faces.provenance["ambiguous"]) == (1, 1)


def test_fer2013_prefers_the_table(tmp_path):
    folder = folders.fer2013_classes(tmp_path)
    shutil.move(folders.fer2013_table(tmp_path), folder)
    assert fer2013.load(folder).provenance["layout"] == "table"
    assert fer2013.load(folder, form="folders").provenance["layout"] == "folders"
    with pytest.raises(ConfigError, match="form"):
        fer2013.load(folder, form="video")


def test_matching_overlooks_nothing():
    """Against the plain comparison of every picture with every other."""
    rng = np.random.default_rng(0)
    known = rng.integers(60, 200, (40, 8, 8), dtype=np.uint8)
    known[20:] = np.clip(known[:20].astype(int) + rng.integers(-9, 10, (20, 8, 8)), 0, 255).astype(np.uint8)
    pictures = np.clip(known[::2].astype(int) + rng.integers(-3, 4, (20, 8, 8)), 0, 255).astype(np.uint8)
    pictures = np.concatenate([pictures, rng.integers(0, 256, (5, 8, 8), dtype=np.uint8), pictures[:1]])
    apart = np.sqrt(((pictures[:, None].astype(float) - known) ** 2).mean((2, 3)))
    for limit, ratio in ((4, 1.5), (8, 2), (30, 1.1)):
        found = matching.match(pictures, known, limit, ratio)
        nearest = apart.argmin(1)
        first, second = np.sort(apart, axis=1)[:, :2].T
        certain = (first <= limit) & (second > np.maximum(ratio * first, 0.5))
        expected = np.where(first > limit, matching.NONE, np.where(certain, nearest, matching.AMBIGUOUS))
        expected[[0, -1]] = matching.NONE if first[0] > limit else matching.AMBIGUOUS
        assert found.place.tolist() == expected.tolist()
        assert found.distance[first <= limit] == pytest.approx(first[first <= limit], abs=1e-3)


# Other sets ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [b"   3.0000000e+00\n", b" 3.0000000e+00 \r\n", BOM + b"3\r\n\r\n", b"\t3.0"],
    ids=["blanks", "crlf", "bom", "tab"],
)
def test_ckplus_label_files(tmp_path, data):
    release = folders.ck_release(tmp_path)
    release.label.write_bytes(data)
    faces = ckplus.load(tmp_path, size=8)
    assert EMOTIONS[faces.distribution[faces.ids.tolist().index("S010_004_00000003.png")].argmax()] == "disgust"


def test_jaffe_in_small_letters(tmp_path):
    folder = folders.jaffe_folder(tmp_path)
    expected = jaffe.load(tmp_path).provenance["checksum"]
    for path in list(folder.glob("[!.]*.tiff")):
        path.rename(folder / path.name.lower())
    assert jaffe.load(tmp_path).provenance["checksum"] == expected
    shutil.copy(folder / "ka.an1.39.tiff", folder / "KA.AN1.39.tiff")
    with pytest.raises(DataError, match="is the same picture as"):
        jaffe.load(tmp_path)


@pytest.mark.parametrize(("published", "meant"), [("AF31V.JPG", "AF31SAHL.JPG"), ("AM31H.JPG", "AM31SUHR.JPG")])
@pytest.mark.parametrize("small", [False, True])
def test_kdef_damaged_names_of_the_release(tmp_path, published, meant, small):
    name = published.lower() if small else published
    folders.kdef_picture(tmp_path / "KDEF" / "AF01" / "AF01ANS.JPG")
    folders.kdef_picture(tmp_path / "KDEF" / published[:4] / name)
    faces = kdef.load(tmp_path, size=8, angle=None)
    assert meant in faces.ids
    assert faces.provenance["renamed"] == [meant]


@pytest.mark.parametrize("name", ["AM05ANFR.JPG", "BM10ANFR.JPG"])
def test_kdef_pictures_of_another_size(tmp_path, name):
    folders.kdef_picture(tmp_path / "KDEF" / name, size=(640, 480))
    assert kdef.load(tmp_path, size=8, angle="FR").ids.tolist() == [name]


AFFECTNET_PREFIXES = {
    "posix": "/home/me/AffectNet/Manually_Annotated_Images/",
    "windows": "D:\\data\\Manually_Annotated_Images\\",
    "elsewhere": "/mnt/pictures/",
    "drive": "E:/",
    "dot": "./",
}


@pytest.mark.parametrize("prefix", AFFECTNET_PREFIXES.values(), ids=AFFECTNET_PREFIXES)
def test_affectnet_paths_of_another_machine(tmp_path, prefix):
    folder = folders.affectnet_2017(tmp_path)
    expected = affectnet.load(tmp_path, size=8).provenance["checksum"]

    def elsewhere(rows):
        for row in rows:
            if row[0] != affectnet.COLUMNS[0]:
                row[0] = prefix + (row[0].replace("/", "\\") if "\\" in prefix else row[0])

    for name in ("training.csv", "validation.csv"):
        spoil.edited(name, elsewhere)(folder)
    assert affectnet.load(tmp_path, size=8).provenance["checksum"] == expected


@pytest.mark.parametrize("place", ["../secret.jpg", "1/../../secret.jpg", "/", "x/Manually_Annotated_Images", ".."])
def test_affectnet_paths_that_lead_out(tmp_path, place):
    folder = folders.affectnet_2017(tmp_path)
    folders.grey(0, 9, 9).save(folder / "secret.jpg")
    spoil.edited("validation.csv", lambda rows: rows.append((place, 0, 0, 9, 9, "", 0, 0, 0)))(folder)
    with pytest.raises(DataError, match=r"validation.csv, line 4: (.* is no place|a row without a picture)"):
        affectnet.load(tmp_path, size=8)


@pytest.mark.parametrize("code", [8, 9, 10, 8.0])
def test_affectnet_2021_codes_that_are_no_expression(tmp_path, code):
    folder = folders.affectnet_2021(tmp_path)
    before = len(affectnet.load(tmp_path, size=8))
    folders.annotate(folder / "train_set" / "annotations", 1, code, -2, -2)
    faces = affectnet.load(tmp_path, size=8)
    # The change in place is not noticed, as the reader says; a new picture is.
    assert len(faces) == before
    shutil.copy(folder / "train_set/images/1.jpg", folder / "train_set/images/50.jpg")
    folders.annotate(folder / "train_set" / "annotations", 50, code, -2, -2)
    assert len(affectnet.load(tmp_path, size=8)) == before - 1


# The real FER+ ------------------------------------------------------------------------------------------------------


@needs_ferplus
def test_real_votes_differ_between_the_parts_and_the_table(real_ferplus):
    rows = ferplus.vote_table(REAL_DATA / "ferplus" / ferplus.VOTE_TABLE)
    names, first = np.unique(rows.names, return_index=True)
    votes = rows.votes[first[names != ""]]
    assert names[names != ""].tolist() == real_ferplus.ids.tolist()
    assert (votes != real_ferplus.votes).any(axis=1).sum() == ferplus.CHANGED_VOTES


@needs_ferplus
def test_real_archives_hold_nothing_unknown():
    assert datasets.others("ferplus", REAL_DATA / "ferplus") == []
