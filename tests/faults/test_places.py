"""Folders that may only be read, no home, no network, and names that are hard on a shell."""

import shutil
import subprocess
from functools import partial

import pytest

from tests.faults import mounts
from tests.faults.killing import JOBS, ROOT, Place, Running
from tests.faults.test_kills import LONG
from tests.faults.test_no_room import is_clear

pytest.importorskip("facenet_pytorch")
pytestmark = pytest.mark.usefixtures("imported")
NAMES = ["a reader's 表情 é", "long-" + 195 * "x", *(["with a space", "it's", "Gesichter"] if LONG else [])]


def ended(place, before) -> int:
    status = Running(place, forked=True, before=before).end()
    if status == mounts.NOT_HERE:
        pytest.skip("nothing can be made read-only here")
    return status


@pytest.mark.parametrize(
    ("place", "part"), [("data", "faces"), ("train", "home"), ("predict", "home"), ("page", "home")], indirect=["place"]
)
def test_what_is_only_read_may_be_read_only(place, part):
    assert ended(place, partial(mounts.read_only, part=part)) == 0, place.said()
    place.job.answer(place.folder)
    assert "Traceback" not in place.said()


@pytest.mark.parametrize(
    ("place", "part"),
    [("data", "cache"), ("train", "store"), ("predict", "answers"), ("page", "out"), ("sweep", "data")],
    indirect=["place"],
)
def test_what_must_be_written_says_that_it_cannot(place, part):
    (place.folder / part).mkdir(exist_ok=True)
    assert ended(place, partial(mounts.read_only, part=part)) in (1, 2), place.said()
    assert is_clear(place, "Read-only file system") or is_clear(place, "Permission denied"), place.said()


@pytest.mark.parametrize("place", ["data", "train"], indirect=True)
def test_what_was_made_before_is_read_where_nothing_can_be_written(place):
    assert Running(place, forked=True).end() == 0
    before, said = place.files(), place.said().splitlines()
    for part in ("cache", "store") if place.arguments[2] == "train" else ("cache",):
        assert ended(place, partial(mounts.read_only, part=part)) == 0, place.said()
    assert len(set(place.said().splitlines())) == len(said), place.said()
    assert place.files() == before


@pytest.mark.parametrize("place", ["train", "predict", "page"], indirect=True)
def test_nobody_needs_a_home(place):
    """Nor does a user whom the system knows by number alone, as that of a container."""
    without = ("HOME", "MPLCONFIGDIR")
    assert Running(place, forked=True, before=mounts.unknown_user, without=without).end() == 0, place.said()
    assert "Traceback" not in place.said() and not list(place.folder.rglob("~*"))


@pytest.mark.parametrize("place", ["train"], indirect=True)
def test_who_has_neither_home_nor_cache_is_told_what_to_set(place):
    without = ("HOME", "FERBOOK_CACHE")
    assert Running(place, forked=True, before=mounts.unknown_user, without=without).end() == 2
    assert "Set FERBOOK_CACHE to a folder." in place.said() and "Traceback" not in place.said()
    assert not list(place.folder.rglob("~*"))


@pytest.mark.parametrize("place", ["train", "data", "predict", "page"], indirect=True)
def test_nobody_asks_the_network(place):
    assert Running(place, forked=True, before=mounts.cut_off).end() == 0, place.said()
    asked = place.folder / "asked"
    assert not asked.exists(), asked.read_text()


@pytest.mark.parametrize("folder", NAMES)
@pytest.mark.parametrize("name", ["sweep", "data", "predict", "page"] if LONG else ["data", "page"])
def test_a_folder_of_any_name(name, folder, tmp_path):
    """Checkout, data, store, cache, temporary files and photographs all lie there."""
    place = Place(JOBS[name], tmp_path / folder)
    assert Running(place, forked=True).end() == 0, place.said()
    assert place.job.answer(place.folder)
    assert "Traceback" not in place.said()


@pytest.mark.skipif(not LONG, reason="part of make faults")
def test_a_build_in_a_folder_of_any_name(tmp_path):
    place = Place(JOBS["book"], tmp_path / "a reader's 表情")
    assert Running(place, forked=False).end() == 0, place.said()
    assert place.job.answer(place.folder)


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
@pytest.mark.parametrize("folder", NAMES)
def test_make_hands_on_a_data_folder_of_any_name(folder, tmp_path):
    """The Makefile makes the path absolute, whatever is in it."""
    (tmp_path / "Makefile").write_text((ROOT / "Makefile").read_text() + "\nshow:\n\t@printenv FERBOOK_DATA\n")
    done = subprocess.run(
        ["make", "-s", "show", f"DATA={folder}"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout.rstrip("\n") == str(tmp_path / folder), done.stderr
