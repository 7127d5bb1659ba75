"""FER+ written as mosaics: the same faces, whole or not at all."""

import shlex
from pathlib import Path

import pytest
from PIL import Image

from ferbook.cli.commands import main
from ferbook.core.errors import DataError, FerbookError, OutputError
from ferbook.datasets import ferplus, ferplus_pack, load, others
from ferbook.datasets.ferplus_parts import to_mosaic
from ferbook.faces.emotions import VOTE_COLUMNS
from tests.conftest import TINY, TinyFerplus

FILES = sorted(f"{part}{suffix}" for part in ferplus.PARTS.values() for suffix in (".webp", ".csv"))


@pytest.mark.parametrize("layout", ["write_folders", "write_archives", "write_mosaics", "write_kaggle"])
def test_what_is_written_is_read_as_the_same_faces(tiny, tmp_path, layout):
    root, folder = getattr(tiny, layout)(), tmp_path / "packed"
    faces, sizes = ferplus_pack.write(folder, root)
    again = load("ferplus", folder)
    assert again.provenance["checksum"] == faces.provenance["checksum"] == load("ferplus", root).provenance["checksum"]
    assert again.provenance["layout"] == "mosaics"
    assert sizes == {name: (folder / name).stat().st_size for name in FILES}
    assert others("ferplus", folder) == []


def test_the_table_is_that_of_the_part(tiny, tmp_path):
    ferplus_pack.write(tmp_path / "packed", tiny.write_archives())
    for split, part in ferplus.PARTS.items():
        assert (tmp_path / "packed" / f"{part}.csv").read_text() == tiny.label_csv(split)


def test_faces_fill_rows_of_tiles(tmp_path):
    made = TinyFerplus(tmp_path / "ferplus", sizes={"train": 85, "valid": 84, "test": 1})
    ferplus_pack.write(tmp_path / "packed", made.write_archives())
    found = {}
    for split, part in ferplus.PARTS.items():
        with Image.open(tmp_path / "packed" / f"{part}.webp") as picture:
            found[split] = picture.size
    assert found == {"train": (4032, 96), "valid": (4032, 48), "test": (4032, 48)}


def test_the_command_says_what_it_wrote_and_what_uses_it(tiny, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("FERBOOK_DATA", str(tiny.write_archives()))
    folder = tmp_path / "two words"
    assert main(["pack", str(folder)]) == 0
    said = capsys.readouterr().out
    assert "8 faces" in said and "not the complete public release" in said
    assert all(name in said for name in FILES)
    assert said.endswith(f"FERBOOK_DATA={shlex.quote(str(folder))} ferbook queue --budget 540\n")
    monkeypatch.setenv("FERBOOK_DATA", str(folder))
    assert main(["data", "ferplus"]) == 0
    assert "8 faces, mosaics" in capsys.readouterr().out


def test_what_is_there_stays(tiny, tmp_path, capsys):
    root = tiny.write_archives()
    before = sorted(root.iterdir())
    assert main(["pack", str(root), "--root", str(root)]) == 2
    assert f"{root} is there already and not empty; name a new folder" in capsys.readouterr().err
    assert sorted(root.iterdir()) == before


def test_nothing_to_pack_writes_nothing(tmp_path):
    with pytest.raises(DataError, match=r"no FER\+ here"):
        ferplus_pack.write(tmp_path / "packed", tmp_path)
    assert not (tmp_path / "packed").exists()


def test_a_part_without_faces_is_refused(tmp_path):
    root = TinyFerplus(tmp_path / "ferplus", sizes=TINY | {"test": 0}).write_kaggle()
    with pytest.raises(FerbookError, match="no face of the test part here"):
        ferplus_pack.write(tmp_path / "packed", root)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith((".ferbook", "packed"))]


def test_more_faces_than_a_mosaic_holds_are_refused(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(ferplus_pack, "LONGEST_SIDE", 47)
    with pytest.raises(FerbookError, match="the train part has 4 faces; as a mosaic it would be 48 pixels high"):
        ferplus_pack.write(tmp_path / "packed", tiny.write_archives())
    assert not (tmp_path / "packed").exists()


def test_it_is_there_whole_or_not_at_all(tiny, tmp_path, monkeypatch):
    root = tiny.write_archives()
    opened = Path.open

    def full(path, *arguments, **options):
        if path.name == "FER2013Test.csv":
            raise OSError(28, "No space left on device", str(path))
        return opened(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(OutputError, match="No space left on device"):
        ferplus_pack.write(tmp_path / "packed", root)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith((".ferbook", "packed"))]


def test_faces_that_read_back_as_others_are_not_kept(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(ferplus_pack, "to_mosaic", lambda faces: to_mosaic(faces ^ 1))
    with pytest.raises(FerbookError, match="read back as other faces"):
        ferplus_pack.write(tmp_path / "packed", tiny.write_kaggle())
    assert not (tmp_path / "packed").exists()


def test_boxes_and_votes_are_what_a_label_table_has(tiny, tmp_path):
    ferplus_pack.write(tmp_path / "packed", tiny.write_kaggle())
    first = (tmp_path / "packed" / "FER2013Train.csv").read_text().splitlines()[0]
    assert first.startswith(f'fer0000000.png,"{ferplus_pack.BOX}",')
    assert len(first.rpartition('",')[2].split(",")) == len(VOTE_COLUMNS)
