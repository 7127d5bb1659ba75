"""The FER+ reader: four layouts, one content; every way a download breaks; an independent recount of the real data."""

import csv
import hashlib
import io
import os
import subprocess
import sys
import zipfile
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from ferbook.claims import dataset_summary
from ferbook.core import temporary
from ferbook.core.errors import ConfigError, DataError, FerbookError, MissingDataError
from ferbook.datasets import cache, ferplus, is_available, load
from tests import spoil
from tests.conftest import REAL_DATA, TinyFerplus, encoded, needs_ferplus
from tests.folders import pixels

LAYOUTS = ["write_folders", "write_archives", "write_mosaics", "write_kaggle"]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_reads_every_pixel_and_vote(tiny, layout):
    faces = load("ferplus", getattr(tiny, layout)())
    rows = [(split, *row) for split, part in tiny.rows.items() for row in part]
    assert faces.ids.tolist() == [row[1] for row in rows]
    assert faces.split.tolist() == [row[0] for row in rows]
    assert faces.votes.tolist() == [list(map(int, row[3:])) for row in rows]
    np.testing.assert_array_equal(faces.images, np.stack([tiny.images[row[1]] for row in rows]))


def test_all_layouts_have_the_same_checksum(tmp_path):
    found = {load("ferplus", getattr(TinyFerplus(tmp_path / x), x)()).provenance["checksum"] for x in LAYOUTS}
    assert len(found) == 1


def test_parts_may_be_mixed(tiny, tmp_path):
    folders = TinyFerplus(tmp_path / "other").write_folders()
    mixed = tiny.write_archives()
    (mixed / "FER2013Valid.zip").unlink()
    (folders / "FER2013Valid").rename(mixed / "FER2013Valid")
    assert load("ferplus", mixed).provenance["layout"] == "archives+folders"
    for name in ("FER2013Test.webp", "FER2013Test.csv"):
        (TinyFerplus(tmp_path / "third").write_mosaics() / name).rename(mixed / name)
    assert load("ferplus", mixed).provenance["layout"] == "archives+folders", "the archive is read before the mosaic"
    (mixed / "FER2013Test.zip").unlink()
    assert load("ferplus", mixed).provenance["layout"] == "archives+folders+mosaics"


@pytest.mark.parametrize("layout", LAYOUTS[:3])
def test_rows_may_be_in_any_order_and_fill_more_than_one_row_of_tiles(tmp_path, layout):
    made = TinyFerplus(tmp_path, sizes={"train": 90, "valid": 84, "test": 1})
    for rows in made.rows.values():
        rows.reverse()
    faces = load("ferplus", getattr(made, layout)())
    assert faces.ids.tolist() == sorted(made.images)
    np.testing.assert_array_equal(faces.images, np.stack([made.images[name] for name in faces.ids]))


def test_a_mosaic_is_decoded_without_touching_pillow_s_limit(tiny):
    before = Image.MAX_IMAGE_PIXELS
    load("ferplus", tiny.write_mosaics())
    assert before == Image.MAX_IMAGE_PIXELS


def test_found_in_the_parent_folder_and_through_the_environment(tiny, monkeypatch):
    tiny.write_archives()
    monkeypatch.setenv("FERBOOK_DATA", str(tiny.folder.parent))
    assert len(load("ferplus")) == 8
    assert is_available("ferplus")
    assert not ferplus.is_official(load("ferplus"))


def test_second_load_comes_from_the_cache_and_a_changed_source_renews_it(tiny, monkeypatch, private_cache):
    root = tiny.write_archives()
    first = load("ferplus", root)
    monkeypatch.setattr(cache, "_store", lambda *_: pytest.fail("the cache was not used"))
    again = load("ferplus", root)
    assert isinstance(again.images, np.memmap)
    assert again.provenance == first.provenance
    monkeypatch.undo()
    monkeypatch.setenv("FERBOOK_CACHE", str(private_cache))
    tiny.images["fer0000003.png"][0, 0] ^= 255
    tiny.write_archives()
    assert load("ferplus", root).provenance["checksum"] != first.provenance["checksum"]
    assert len(list(private_cache.iterdir())) == 1, "the outdated copy should be gone"


def test_folder_cache_notices_a_replaced_picture(tiny):
    root = tiny.write_folders()
    first = load("ferplus", root)
    path = root / "FER2013Train" / "fer0000000.png"
    Image.fromarray(255 - tiny.images[path.name]).save(path)
    os.utime(path, (1, 1))
    assert (load("ferplus", root).images[0] == 255 - first.images[0]).all()


def png(mode, size):
    return encoded(Image.new(mode, size))


def labels(edit):
    """The rows of the train part's table, changed."""
    return spoil.member("FER2013Train.zip", "label.csv", spoil.edited_csv(edit))


def third(*votes):
    return labels(lambda rows: rows[2].__setitem__(slice(2, None), votes))


def swapped(content):
    return spoil.member("FER2013Test.zip", "fer0000006.png", lambda old: content)


def fifth(*votes):
    """The row of Kaggle's table that repeats the first face's, with other votes."""
    return lambda rows: rows[4].__setitem__(slice(2, None), votes)


def sheet(mode, width, height, *colour):
    """The train part's mosaic, of one colour."""
    return spoil.at(TRAIN, lambda path: Image.new(mode, (width, height), *colour).save(path, lossless=True))


def promised(path, width, height):
    """A mosaic whose header tells another size."""
    overwritten(path, 21, ((width - 1) | (height - 1) << 14).to_bytes(4, "little"))


TRAIN, TABLE = "FER2013Train.webp", "FER2013Train.csv"
ZEROS, NEUTRAL = ["0"] * 10, ["10", *["0"] * 9]
VOTES, PIXELS = "fer2013new.csv", "fer2013.csv"
TWICE = (
    r"label\.csv, line {}: fer0000000\.png is listed a second time \(first in FER2013Train\.zip/label\.csv, line {}\)"
)
SAME = r"fer2013new\.csv, line {}: fer0000000\.png is listed a second time, with other votes \(first in line {}\)"
BROKEN = {
    "write_archives": {
        "half a zip": (spoil.cut("FER2013Train.zip"), r"FER2013Train\.zip: not a complete zip"),
        "damaged zip": (
            spoil.at("FER2013Valid.zip", lambda path: overwritten(path, 200, bytes(60))),
            r"FER2013Valid\.zip, \S+: (cannot be unpacked|is)",
        ),
        "missing part": (spoil.gone("FER2013Valid.zip"), "valid part is missing"),
        "text as png": (swapped(b"I am text"), r"FER2013Test\.zip, fer0000006\.png: is not a PNG"),
        "half a png": (swapped(png("L", (48, 48))[:60]), r"fer0000006\.png: is (a broken|not a) PNG"),
        "47 x 48": (swapped(png("L", (47, 48))), r"fer0000006\.png: is 47 x 48 pixels of mode L instead of 48 x 48"),
        "colour": (swapped(png("RGB", (48, 48))), r"fer0000006\.png: is 48 x 48 pixels of mode RGB"),
        "nine votes": (third(*"111111111"), r"label\.csv, line 3: 9 vote columns instead of 10"),
        "negative vote": (third("-1", *"111111111"), r"label\.csv, line 3: a vote count outside"),
        "zero votes": (third(*ZEROS), r"label\.csv, line 3: all ten votes are zero"),
        "NaN vote": (third("nan", *"111111111"), r"label\.csv, line 3: a vote that is not a whole number"),
        "duplicate id": (labels(lambda rows: rows.append(rows[0])), TWICE.format(5, 1)),
        "duplicate id below a blank line": (
            labels(lambda rows: (rows.insert(0, []), rows.append(rows[1]))),
            TWICE.format(6, 2),
        ),
        "no such picture": (
            labels(lambda rows: rows[1].__setitem__(0, "fer7.png")),
            r"line 2: fer7\.png is listed but",
        ),
        "twice in the zip": (
            spoil.added("FER2013Test.zip", ("copy/label.csv", b"x")),
            r"FER2013Test\.zip: holds both FER2013Test/label\.csv and copy/label\.csv",
        ),
        "unlisted picture": (
            labels(list.pop),
            r"FER2013Train\.zip: 1 pictures are not listed in label\.csv, the first fer0000003\.png",
        ),
        "wrong byte": (
            spoil.member("FER2013Train.zip", "label.csv", lambda old: b"fer0000000.png,b,\xff,1"),
            r"label\.csv, line 1: 2 vote columns instead of 10",
        ),
        "row without a name": (
            labels(lambda rows: rows[1].__setitem__(0, "")),
            r"line 2: a row without an image name",
        ),
        "empty table": (labels(list.clear), "the label table is empty"),
    },
    "write_mosaics": {
        "missing part": (spoil.gone("FER2013Valid.webp"), "valid part is missing"),
        "no table": (
            spoil.gone("FER2013Test.csv"),
            r"FER2013Test\.csv: the label table is missing beside FER2013Test\.webp",
        ),
        "text as webp": (spoil.written(TRAIN), r"FER2013Train\.webp: is not a WEBP image"),
        "half a webp": (spoil.cut(TRAIN), r"FER2013Train\.webp: is (a broken|not a) WEBP"),
        "damaged webp": (
            spoil.at(TRAIN, lambda path: overwritten(path, 3000, bytes(range(256)) * 8)),
            r"FER2013Train\.webp: (is a broken WEBP|holds more faces)",
        ),
        "empty": (spoil.written(TRAIN, ""), r"FER2013Train\.webp: is not a WEBP image"),
        "too small for its table": (
            spoil.edited(TABLE, lambda rows: rows.extend([f"more{n}", "b", *NEUTRAL] for n in range(81))),
            r"FER2013Train\.webp: is 4032 x 48 pixels instead of 4032 x 96: the 85 faces of FER2013Train\.csv",
        ),
        "too large for its table": (sheet("L", 4032, 96), "is 4032 x 96 pixels instead of 4032 x 48: the 4 faces"),
        "no multiple of 48": (sheet("L", 4032, 50), "is 4032 x 50 pixels instead of 4032 x 48"),
        "narrower": (sheet("L", 48, 48), "is 48 x 48 pixels instead of 4032 x 48"),
        "enormous": (
            spoil.at(TRAIN, lambda path: promised(path, 16383, 16383)),
            r"FER2013Train\.webp: is a broken WEBP",
        ),
        "large": (
            spoil.at(TRAIN, lambda path: promised(path, 4032, 16320)),
            r"FER2013Train\.webp: is 4032 x 16320 pixels instead",
        ),
        "colour": (sheet("RGB", 4032, 48, (1, 2, 3)), r"FER2013Train\.webp: is not a grey picture"),
        "transparent": (sheet("RGBA", 4032, 48, (1, 1, 1, 9)), r"FER2013Train\.webp: is not a grey picture"),
        "a row lost": (spoil.edited(TABLE, list.pop), r"FER2013Train\.webp: holds more faces than the 3 that FER2013"),
        "duplicate id": (
            spoil.edited(TABLE, lambda rows: rows.append(rows[0])),
            r"FER2013Train\.csv, line 5: fer0000000\.png is listed a second time \(first in FER2013Train\.csv, line 1",
        ),
        "in two parts": (
            lambda root: spoil.copied("FER2013Valid.csv", "FER2013Test.csv")(root),
            r"FER2013Test\.csv, line 1: fer0000004\.png is listed a second time \(first in FER2013Valid\.csv, line 1\)",
        ),
        "nine votes": (
            spoil.edited(TABLE, lambda rows: rows[2].pop()),
            r"FER2013Train\.csv, line 3: 9 vote columns instead of 10",
        ),
        "empty table": (spoil.written(TABLE, ""), r"FER2013Train\.csv: the label table is empty"),
    },
    "write_kaggle": {
        "fewer pixels rows": (spoil.edited(PIXELS, list.pop), r"fer2013\.csv: 9 rows, but fer2013new\.csv has 10"),
        "fewer vote rows": (spoil.edited(VOTES, list.pop), r"fer2013\.csv: 10 rows, but fer2013new\.csv has 9"),
        "nine votes": (
            spoil.edited(VOTES, lambda rows: rows[2].pop()),
            r"fer2013new\.csv, line 3: 11 cells instead of 12",
        ),
        "eleven votes": (
            spoil.edited(VOTES, lambda rows: rows[2].append("1")),
            r"fer2013new\.csv, line 3: 13 cells instead of 12",
        ),
        "negative vote": (spoil.cell(VOTES, 2, "surprise", "-1"), "line 3: a vote count outside"),
        "another face of the same name": (spoil.edited(VOTES, fifth(*NEUTRAL)), SAME.format(5, 2)),
        "only headers": (
            lambda root: [spoil.header_alone(name)(root) for name in (PIXELS, VOTES)],
            "no named face",
        ),
        "no vote table": (spoil.gone(VOTES), r"fer2013new\.csv: the FER\+ vote table is missing"),
        "wrong order": (
            spoil.edited(PIXELS, lambda rows: rows.append(rows.pop(1))),
            r"fer2013\.csv, line \d+: Usage 'PublicTest', but",
        ),
        "wrong column": (spoil.cell(VOTES, 0, "happiness", "joy"), "has no column happiness"),
        "too few pixels": (spoil.cell(PIXELS, 1, "pixels", "1 2 3"), r"line 2: 3 readable pixel"),
        "too few pixels below a blank line": (
            spoil.edited(PIXELS, lambda rows: (rows[1].__setitem__(1, "1 2 3"), rows.insert(1, []))),
            r"fer2013\.csv, line 3: 3 readable pixel",
        ),
        "another face of the same name below a blank line": (
            spoil.edited(VOTES, lambda rows: (fifth(*NEUTRAL)(rows), rows.insert(1, []))),
            SAME.format(6, 3),
        ),
        "pixel of 256": (
            spoil.cell(PIXELS, 1, "pixels", pixels(256)),
            r"line 2: a pixel value of 256, outside 0\.\.255",
        ),
        "unknown usage": (spoil.cell(VOTES, 2, "Usage", "Test"), "line 3: unknown Usage 'Test'"),
        "zero votes": (
            spoil.edited(VOTES, lambda rows: rows[2].__setitem__(slice(2, None), ZEROS)),
            r"fer2013new\.csv, line 3: all ten votes are zero",
        ),
    },
}


def overwritten(path, place, data):
    content = bytearray(path.read_bytes())
    content[place : place + len(data)] = data
    path.write_bytes(content)


@pytest.mark.parametrize(("layout", "case"), [(layout, case) for layout, cases in BROKEN.items() for case in cases])
def test_what_is_broken_is_one_clear_error_and_no_cache(tiny, layout, case, private_cache):
    change, message = BROKEN[layout][case]
    root = getattr(tiny, layout)()
    change(root)
    with pytest.raises(DataError, match=message) as caught:
        load("ferplus", root)
    assert caught.value.hint, "an error says what to do"
    assert not list(private_cache.glob("*")), "a failed load must leave nothing behind"


def test_tables_may_carry_a_byte_order_mark_and_windows_line_ends(tiny):
    plain = load("ferplus", tiny.write_kaggle()).provenance["checksum"]
    for name in ("fer2013.csv", "fer2013new.csv"):
        text = (tiny.folder / name).read_text()
        (tiny.folder / name).write_bytes("\ufeff".encode() + text.replace("\n", "\r\n").encode())
    assert load("ferplus", tiny.folder).provenance["checksum"] == plain


def test_blank_lines_at_the_end_of_a_label_table_are_harmless(tiny):
    root = tiny.write_folders()
    labels = root / "FER2013Train" / "label.csv"
    labels.write_text(labels.read_text() + "\n\n")
    assert len(load("ferplus", root)) == 8


def test_a_folder_or_dead_link_in_place_of_a_picture(tiny):
    root = tiny.write_folders()
    picture = root / "FER2013Train" / "fer0000001.png"
    picture.unlink()
    picture.mkdir()
    with pytest.raises(DataError, match=r"fer0000001\.png: cannot be read"):
        load("ferplus", root)
    picture.rmdir()
    picture.symlink_to(root / "nowhere")
    with pytest.raises(DataError, match=r"fer0000001\.png: cannot be read"):
        load("ferplus", root)


@pytest.mark.parametrize("offset", range(40, 130, 6))
def test_damage_anywhere_in_a_zip_is_one_clear_error(tiny, offset, private_cache):
    path = tiny.write_archives() / "FER2013Valid.zip"
    # The label table is the last member before the directory.
    start = path.read_bytes().rindex(b"PK\x03\x04")
    overwritten(path, start + offset, b"\xff\x00\xff\x00\xff\x00")
    with pytest.raises(DataError, match=r"FER2013Valid\.zip"):
        load("ferplus", path.parent)
    assert not list(private_cache.glob("*"))


@pytest.mark.parametrize(
    "damage",
    [
        spoil.cut("meta.json"),
        spoil.written("meta.json", "{}"),
        spoil.gone("meta.json"),
        spoil.gone("votes.npy"),
        spoil.written("votes.npy", ""),
        spoil.cut("images.npy"),
    ],
)
def test_a_damaged_copy_is_made_anew(tiny, damage, private_cache):
    root = tiny.write_archives()
    first = load("ferplus", root)
    # Copied, and let go: a mapped file must not be cut under its reader.
    images, provenance = first.images.copy(), first.provenance
    del first
    (folder,) = private_cache.iterdir()
    damage(folder)
    again = load("ferplus", root)
    np.testing.assert_array_equal(again.images, images)
    assert again.provenance == provenance


def test_a_cache_that_cannot_be_written_says_which_setting_moves_it(tiny, private_cache):
    private_cache.write_text("a file where a folder should be")
    with pytest.raises(FerbookError, match="FERBOOK_CACHE"):
        load("ferplus", tiny.write_archives())


def test_leftovers_of_killed_processes_are_cleared(tiny, private_cache):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    own = private_cache / temporary.name()
    abandoned = private_cache / own.name.replace(own.name.split("-")[2], str(gone.pid))
    for folder in (abandoned, own):
        folder.mkdir(parents=True)
    load("ferplus", tiny.write_archives())
    assert own.is_dir()
    assert not abandoned.exists()


def test_no_data_says_what_was_looked_for_and_what_to_do(tmp_path):
    with pytest.raises(MissingDataError, match=r"no FER\+ here.*Set DATA="):
        load("ferplus", tmp_path)
    with pytest.raises(MissingDataError):
        load("ferplus", tmp_path / "nowhere")
    assert not is_available("ferplus", tmp_path)


def test_unknown_data_set():
    with pytest.raises(ConfigError, match="there is no data set 'fer'"):
        load("fer")


def test_errors_are_one_family():
    assert issubclass(DataError, FerbookError)
    assert issubclass(ConfigError, FerbookError)


@needs_ferplus
def test_real_counts_agree_with_an_independent_recount():
    """Counted here with the standard library alone, and compared with the recorded facts."""
    kept = {"sum": Counter(), "either": Counter()}
    mass, ties, faces, no_emotion = [0.0] * 8, Counter(), 0, 0
    pictures: dict[bytes, list[str]] = {}
    for split, part in ferplus.PARTS.items():
        with zipfile.ZipFile(REAL_DATA / "ferplus" / f"{part}.zip") as archive:
            for row in csv.reader(io.StringIO(archive.read(f"{part}/label.csv").decode())):
                votes = [int(cell) for cell in row[2:]]
                faces += 1
                # One encoder wrote all files, so equal pixels are equal bytes.
                picture = hashlib.sha256(archive.read(f"{part}/{row[0]}")).digest()
                pictures.setdefault(picture, []).append(split)
                emotions = [count for count in votes[:8] if count]
                no_emotion += not emotions
                if emotions and votes[8] <= 3 and votes[9] <= 3:
                    kept["either"][len(emotions)] += 1
                if emotions and votes[8] + votes[9] <= 3:
                    kept["sum"][len(emotions)] += 1
                    ties[emotions.count(max(emotions)) > 1] += 1
                    mass = [m + v / sum(votes[:8]) for m, v in zip(mass, votes[:8], strict=True)]
    recorded = dataset_summary.recorded().values
    assert recorded["faces"] == faces == 35_710
    assert recorded["no_emotion_vote"] == no_emotion
    for rule, counts in kept.items():
        assert recorded[f"kept_{rule}"] == counts.total()
        assert recorded[f"by_complexity_{rule}"] == [counts[level] for level in range(1, 9)]
    assert recorded["complex_faces"] == sum(kept["sum"][level] for level in range(4, 9))
    assert recorded["changed_from_n"] == [sum(kept["sum"][x] for x in range(n + 1, 9)) for n in range(1, 8)]
    assert recorded["tie_rate"] == pytest.approx(ties[True] / ties.total(), rel=1e-12)
    assert recorded["class_share"] == pytest.approx([m / sum(mass) for m in mass], rel=1e-9)
    repeated = [where for where in pictures.values() if len(where) > 1]
    assert recorded["duplicate_pictures"] == len(repeated)
    assert recorded["surplus_copies"] == sum(len(where) - 1 for where in repeated)
    for part in ("test", "valid"):
        leaks = sum(where.count(part) for where in repeated if "train" in where)
        assert recorded[f"official_{part}_leaked"] == leaks


@needs_ferplus
def test_real_data_is_the_official_release_and_gives_the_recorded_facts(real_ferplus):
    assert ferplus.is_official(real_ferplus)
    record = dataset_summary.recorded()
    assert record.provenance["checksum"] == real_ferplus.provenance["checksum"]
    assert dataset_summary.label_facts(real_ferplus) == record.values
