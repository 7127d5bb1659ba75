"""Files that are written whole or not at all."""

import pytest

from ferbook.core import paths


def test_a_file_is_replaced_when_the_block_ends_well(tmp_path):
    target = tmp_path / "new" / "a.json"
    with paths.replacing(target) as staging:
        assert staging.suffix == ".json" and staging.parent == target.parent
        staging.write_text("one")
        assert not target.exists()
    assert target.read_text() == "one"
    with paths.replacing(target) as staging:
        staging.write_text("two")
        assert target.read_text() == "one"
    assert target.read_text() == "two" and [path.name for path in target.parent.iterdir()] == ["a.json"]


def test_a_file_stays_as_it_was_when_the_block_fails(tmp_path):
    target = tmp_path / "a.npz"
    target.write_text("old")
    with pytest.raises(LookupError), paths.replacing(target) as staging:
        _half(staging)
    assert target.read_text() == "old" and [path.name for path in tmp_path.iterdir()] == ["a.npz"]
    with pytest.raises(FileNotFoundError), paths.replacing(target):
        pass  # nothing was written
    assert target.read_text() == "old"


def _half(path):
    path.write_bytes(b"half")
    raise LookupError
