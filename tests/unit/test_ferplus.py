"""The FER+ reader: three layouts, one content; every way a download breaks; an independent recount of the real data."""

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
from tests.conftest import REAL_DATA, TinyFerplus, needs_ferplus

LAYOUTS = ["write_folders", "write_archives", "write_kaggle"]


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


def replace_member(archive, member, content):
    with zipfile.ZipFile(archive) as old:
        kept = {name: old.read(name) for name in old.namelist()}
    kept[member] = content
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in kept.items():
            new.writestr(name, data)


def picture(size, mode="L"):
    stream = io.BytesIO()
    Image.new(mode, size).save(stream, format="PNG")
    return stream.getvalue()


def cut_in_half(tiny, root):
    path = root / "FER2013Train.zip"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def damage_a_member(tiny, root):
    path = root / "FER2013Valid.zip"
    data = bytearray(path.read_bytes())
    data[200:260] = bytes(60)
    path.write_bytes(data)


def write_rows(tiny, root, split="train"):
    replace_member(root / "FER2013Train.zip", "FER2013Train/label.csv", tiny.label_csv(split).encode())


def with_row(change):
    def breakage(tiny, root):
        change(tiny.rows["train"])
        write_rows(tiny, root)

    return breakage


def set_votes(*votes):
    return with_row(lambda rows: rows[2].__setitem__(slice(2, None), [str(v) for v in votes]))


def swap_picture(content):
    def breakage(tiny, root):
        replace_member(root / "FER2013Test.zip", "FER2013Test/fer0000006.png", content)

    return breakage


BROKEN_ARCHIVES = {
    "half a zip": (cut_in_half, r"FER2013Train\.zip: not a complete zip"),
    "damaged zip": (damage_a_member, r"FER2013Valid\.zip, \S+: (cannot be unpacked|is)"),
    "missing part": (lambda t, root: (root / "FER2013Valid.zip").unlink(), "valid part is missing"),
    "text as png": (swap_picture(b"I am text"), r"FER2013Test\.zip, fer0000006\.png: is not a PNG"),
    "half a png": (swap_picture(picture((48, 48))[:60]), r"fer0000006\.png: is (a broken|not a) PNG"),
    "47 x 48": (swap_picture(picture((47, 48))), r"fer0000006\.png: is 47 x 48 pixels of mode L instead of 48 x 48"),
    "colour": (swap_picture(picture((48, 48), "RGB")), r"fer0000006\.png: is 48 x 48 pixels of mode RGB"),
    "nine votes": (set_votes(*[1] * 9), r"label\.csv, line 3: 9 vote columns instead of 10"),
    "negative vote": (set_votes(-1, *[1] * 9), r"label\.csv, line 3: a vote count outside"),
    "zero votes": (set_votes(*[0] * 10), r"label\.csv, line 3: all ten votes are zero"),
    "NaN vote": (set_votes("nan", *[1] * 9), r"label\.csv, line 3: a vote that is not a whole number"),
    "duplicate id": (
        with_row(lambda rows: rows.append(list(rows[0]))),
        r"label\.csv, line 5: fer0000000\.png is listed a second time \(first in FER2013Train\.zip, line 1\)",
    ),
    "duplicate id below a blank line": (
        lambda t, root: replace_member(
            root / "FER2013Train.zip",
            "FER2013Train/label.csv",
            ("\n" + t.label_csv("train") + t.label_csv("train").splitlines()[0] + "\n").encode(),
        ),
        r"label\.csv, line 6: fer0000000\.png is listed a second time \(first in FER2013Train\.zip, line 2\)",
    ),
    "no such picture": (with_row(lambda rows: rows[1].__setitem__(0, "fer7.png")), r"line 2: fer7\.png is listed but"),
    "twice in the zip": (
        lambda t, root: replace_member(root / "FER2013Test.zip", "copy/label.csv", b"x"),
        r"FER2013Test\.zip: holds both FER2013Test/label\.csv and copy/label\.csv",
    ),
    "unlisted picture": (
        with_row(lambda rows: rows.pop()),
        r"FER2013Train\.zip: 1 pictures are not listed in label\.csv, the first fer0000003\.png",
    ),
    "wrong byte": (
        lambda t, root: replace_member(root / "FER2013Train.zip", "FER2013Train/label.csv", b"fer0000000.png,b,\xff,1"),
        r"label\.csv, line 1: 2 vote columns instead of 10",
    ),
    "row without a name": (with_row(lambda rows: rows[1].__setitem__(0, "")), r"line 2: a row without an image name"),
    "empty table": (with_row(lambda rows: rows.clear()), "the label table is empty"),
}


@pytest.mark.parametrize("case", BROKEN_ARCHIVES)
def test_broken_archives_give_one_clear_error_and_no_cache(tiny, case, private_cache):
    breakage, message = BROKEN_ARCHIVES[case]
    root = tiny.write_archives()
    breakage(tiny, root)
    with pytest.raises(DataError, match=message) as caught:
        load("ferplus", root)
    assert caught.value.hint, "an error says what to do"
    assert not list(private_cache.glob("*")), "a failed load must leave nothing behind"


def edit_table(name, change):
    def breakage(root):
        path = root / name
        rows = list(csv.reader(io.StringIO(path.read_text())))
        change(rows)
        with path.open("w", newline="") as stream:
            csv.writer(stream, lineterminator="\n").writerows(rows)

    return breakage


def keep_header(path):
    path.write_text(path.read_text().splitlines()[0] + "\n")


BROKEN_TABLES = {
    "fewer pixels rows": (
        edit_table("fer2013.csv", lambda r: r.pop()),
        r"fer2013\.csv: 9 rows, but fer2013new\.csv has 10",
    ),
    "fewer vote rows": (
        edit_table("fer2013new.csv", lambda r: r.pop()),
        r"fer2013\.csv: 10 rows, but fer2013new\.csv has 9",
    ),
    "nine votes": (
        edit_table("fer2013new.csv", lambda r: r[2].pop()),
        r"fer2013new\.csv, line 3: 11 cells instead of 12",
    ),
    "eleven votes": (
        edit_table("fer2013new.csv", lambda r: r[2].append("1")),
        r"fer2013new\.csv, line 3: 13 cells instead of 12",
    ),
    "negative vote": (
        edit_table("fer2013new.csv", lambda r: r[2].__setitem__(4, "-1")),
        "line 3: a vote count outside",
    ),
    "another face of the same name": (
        edit_table("fer2013new.csv", lambda r: r[4].__setitem__(slice(2, None), ["10", *["0"] * 9])),
        r"fer2013new\.csv, line 5: fer0000000\.png is listed a second time, with other votes \(first in line 2\)",
    ),
    "only headers": (lambda root: [keep_header(root / n) for n in ("fer2013.csv", "fer2013new.csv")], "no named face"),
    "no vote table": (
        lambda root: (root / "fer2013new.csv").unlink(),
        r"fer2013new\.csv: the FER\+ vote table is missing",
    ),
    "wrong order": (
        edit_table("fer2013.csv", lambda r: r.append(r.pop(1))),
        r"fer2013\.csv, line \d+: Usage 'PublicTest', but",
    ),
    "wrong column": (edit_table("fer2013new.csv", lambda r: r[0].__setitem__(3, "joy")), "has no column happiness"),
    "too few pixels": (edit_table("fer2013.csv", lambda r: r[1].__setitem__(1, "1 2 3")), r"line 2: 3 readable pixel"),
    "too few pixels below a blank line": (
        edit_table("fer2013.csv", lambda r: (r[1].__setitem__(1, "1 2 3"), r.insert(1, []))),
        r"fer2013\.csv, line 3: 3 readable pixel",
    ),
    "another face of the same name below a blank line": (
        edit_table(
            "fer2013new.csv",
            lambda r: (r[4].__setitem__(slice(2, None), ["10", *["0"] * 9]), r.insert(1, [])),
        ),
        r"fer2013new\.csv, line 6: fer0000000\.png is listed a second time, with other votes \(first in line 3\)",
    ),
    "pixel of 256": (
        edit_table("fer2013.csv", lambda r: r[1].__setitem__(1, " ".join(["256"] * 2304))),
        r"line 2: a pixel value of 256, outside 0\.\.255",
    ),
    "unknown usage": (
        edit_table("fer2013new.csv", lambda r: r[2].__setitem__(0, "Test")),
        "line 3: unknown Usage 'Test'",
    ),
    "zero votes": (
        edit_table("fer2013new.csv", lambda r: r[2].__setitem__(slice(2, None), ["0"] * 10)),
        r"fer2013new\.csv, line 3: all ten votes are zero",
    ),
}


@pytest.mark.parametrize("case", BROKEN_TABLES)
def test_broken_tables_give_one_clear_error_and_no_cache(tiny, case, private_cache):
    breakage, message = BROKEN_TABLES[case]
    root = tiny.write_kaggle()
    breakage(root)
    with pytest.raises(DataError, match=message):
        load("ferplus", root)
    assert not list(private_cache.glob("*"))


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
    data = bytearray(path.read_bytes())
    # The label table is the last member before the directory.
    start = data.rindex(b"PK\x03\x04")
    data[start + offset : start + offset + 6] = b"\xff\x00\xff\x00\xff\x00"
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"FER2013Valid\.zip"):
        load("ferplus", path.parent)
    assert not list(private_cache.glob("*"))


def half(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: half(folder / "meta.json"),
        lambda folder: (folder / "meta.json").write_text("{}"),
        lambda folder: (folder / "meta.json").unlink(),
        lambda folder: (folder / "votes.npy").unlink(),
        lambda folder: (folder / "votes.npy").write_bytes(b""),
        lambda folder: half(folder / "images.npy"),
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
    abandoned = private_cache / own.name.replace(f"-{os.getpid()}-", f"-{gone.pid}-")
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
