"""Two processes at the same work: each result whole, nothing made twice, and a clear word to the one who must wait."""

import json
import multiprocessing
import os
import signal
import time

import pytest

from ferbook.core import locks
from ferbook.core.errors import BusyError
from ferbook.learning import configs, runs
from tests.faults.killing import SMALL, Place, Running

pytest.importorskip("facenet_pytorch")
pytestmark = pytest.mark.usefixtures("imported")


def until(there, running=(), seconds=300):
    """Wait for something to be there."""
    limit = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < limit and all(one.status is None for one in running)
        time.sleep(0.02)


def both(place, forked=True):
    """How two of the same command end that are started at once."""
    running = [Running(place, forked=forked), Running(place, forked=forked)]
    return sorted(one.end() for one in running)


def traces(log: str, words: str) -> list[str]:
    return [line for line in log.splitlines() if words in line]


def placed(place: Place, name: str) -> list[str]:
    """Every file of that name that was put in its place, by whichever process."""
    return [file for changes in place.changes() for file in changes if file.endswith(f"/{name}")]


def leftovers(place: Place) -> list[str]:
    return [name for name in place.files() if name.endswith((".lock", ".ckpt")) or ".ferbook-" in name]


@pytest.mark.parametrize("place", ["train"], indirect=True)
def test_a_run_that_another_process_trains_is_refused(place):
    run = runs.run_of(configs.parse(SMALL), place.folder / "store")
    with run.alone(wait=False):
        assert Running(place, forked=True).end() == 2
    (said,) = traces(place.said(), "ferbook: ")
    assert f"process {os.getpid()} on " in said and run.folder.name in said and "Wait until it is done" in said
    assert Running(place, forked=True).end() == 0 and not leftovers(place)


@pytest.mark.parametrize("place", ["train"], indirect=True)
def test_of_two_trainings_of_a_run_one_trains_it(place):
    ends = both(place)
    # On a slow machine the second one's patience ends before the first one's work.
    assert ends in ([0, 0], [0, 2]), place.said()
    assert ends == [0, 0] or traces(place.said(), "trains run"), place.said()
    assert len(placed(place, "result.json")) == 1
    place.job.answer(place.folder)
    assert not leftovers(place) and "Traceback" not in place.said()


@pytest.mark.parametrize("place", ["data"], indirect=True)
def test_a_data_set_that_another_process_prepares_is_waited_for_and_read_once(place):
    assert both(place) == [0, 0], place.said()
    place.job.answer(place.folder)  # there is one copy
    said = traces(place.said(), "1,500 faces")
    assert len(said) == 2 and said[0] == said[1]
    assert len(placed(place, "images.npy")) == 1
    assert not leftovers(place)


@pytest.mark.parametrize("place", ["sweep"], indirect=True)
def test_a_sweep_in_two_processes_trains_every_run_once(place):
    assert both(place) == [0, 0], place.said()
    answer = place.job.answer(place.folder)
    assert list(answer) == ["seed0", "seed1", "seed2"]
    results = placed(place, "result.json")
    assert len(results) == len(set(results)) == 3
    assert not leftovers(place) and "Traceback" not in place.said() and "failed: " not in place.said()
    alone = Place(place.job, place.folder.parent / "alone" / "place")
    assert Running(alone, forked=True).end() == 0
    assert place.job.answer(alone.folder) == answer


@pytest.mark.parametrize("place", ["book"], indirect=True)
def test_a_folder_in_which_another_process_builds_is_refused(place):
    with locks.alone(place.folder / "_build/.build.lock", "builds in this folder", wait=False):
        assert Running(place, forked=False).end() == 1
        assert f"process {os.getpid()} on " in place.said() and "Wait until it is done" in place.said()
    # What Snakemake itself would take for a build that goes on, and refuse for ever.
    stale = place.folder / ".snakemake/locks/0.output.lock"
    stale.parent.mkdir(parents=True, exist_ok=True)
    stale.write_text("\n".join(argument for argument in place.arguments if argument.endswith(".ipynb")) + "\n")
    # On a slow machine the second one's patience ends before the first one's work.
    assert both(place, forked=False) in ([0, 0], [0, 1]), place.said()
    place.job.answer(place.folder)
    assert not leftovers(place) and "Traceback" not in place.said()


def _hold(path, seconds):
    with locks.alone(path, "is busy", wait=False):
        time.sleep(seconds)


def test_a_lock_goes_with_its_process_however_that_ends(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(locks, "GRACE", 0.2)
    path = tmp_path / "new" / ".a.lock"
    holder = multiprocessing.get_context("fork").Process(target=_hold, args=(path, 600))
    holder.start()
    until(lambda: path.exists() and path.read_text())
    with pytest.raises(BusyError, match=rf"^process {holder.pid} on .* is busy at this moment. Do something else.$"):
        locks.alone(path, "is busy", wait=False, instead="Do something else.").__enter__()
    locks.forget(path)
    assert path.exists()
    os.kill(holder.pid, signal.SIGKILL)
    holder.join()
    with locks.alone(path, "is busy", wait=True):
        assert path.read_text().startswith(f"process {os.getpid()} on ")
    assert not path.exists() and not capsys.readouterr().err
    path.touch()
    locks.forget(path)
    assert not path.exists()


def test_what_is_made_once_is_made_once(tmp_path):
    made = tmp_path / "made.json"

    def make():
        made.write_text(json.dumps(os.getpid()))
        return made

    for _ in range(2):
        assert locks.once(tmp_path / ".lock", "makes", lambda: made if made.exists() else None, make) == made
    assert [path.name for path in tmp_path.iterdir()] == ["made.json"]
