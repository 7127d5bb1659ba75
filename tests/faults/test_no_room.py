"""A disk that is full from some moment on: one clear line, and later the same command ends well."""

from __future__ import annotations

import os
import random
from functools import partial

import pytest

from tests.faults import mounts
from tests.faults.killing import JOBS, Place, Running, warm_up
from tests.faults.test_kills import LONG, Series

pytest.importorskip("facenet_pytorch")
#: Moments at which the disk is full; the long test tries them all.
MOMENTS = {"train": 3, "sweep": 2, "data": 2, "predict": 2, "page": 1}


@pytest.fixture(scope="module", autouse=True)
def imported():
    warm_up()


def said(place: Place) -> list[str]:
    """What the command said last, without the bar that shows progress."""
    return [line for line in place.said().splitlines() if line.strip() and "photo/s" not in line]


def is_clear(place: Place, word: str) -> bool:
    """Whether the last thing said is one line that says what is wrong and what to do; no traceback before it."""
    text, last = place.said(), said(place)[-1]
    hints = ("Make room or rights", "Give another --out", "failed: ", "recorded, ")
    clear = "Traceback" not in text and word in text and any(hint in text for hint in hints)
    return clear and (last.startswith("ferbook: ") or last.endswith(" failed"))


@pytest.mark.parametrize("name", MOMENTS)
def test_a_full_disk_is_said_and_nothing_is_lost(name, tmp_path_factory):
    moments = random.Random(f"{name} {os.environ.get('FERBOOK_SEED', '0')}")
    series = Series(name, tmp_path_factory.mktemp(name), moments)
    series.undisturbed(forked=True)
    series.remember()
    changes = len(series.place.changes()[-1])
    chosen = range(1, changes + 1) if LONG else sorted(moments.sample(range(1, changes + 1), MOMENTS[name]))
    series.anew()
    refused = 0
    for moment in chosen:
        running = Running(series.place, forked=True, full_at=moment)
        if running.end() == 0:  # nothing was left to be written
            series.check()
            series.anew()
            continue
        refused += 1
        assert is_clear(series.place, "File too large"), f"change {moment} of {changes}: {series.place.said()}"
        series.place.log.write_text("")
        if LONG:
            series.finish(forked=True)
            series.anew()
    series.finish(forked=True)
    assert refused or name == "page"


@pytest.mark.parametrize(
    ("name", "part", "size"),
    [("train", "store", "200k"), ("data", "cache", "1m"), ("predict", "answers", "64k"), ("page", "out", "4k")],
)
def test_a_small_disk_is_said(name, part, size, tmp_path_factory):
    place = Place(JOBS[name], tmp_path_factory.mktemp(name) / "place")
    status = Running(place, forked=True, before=partial(mounts.small, part=part, size=size)).end()
    if status == mounts.NOT_HERE:
        pytest.skip("no file system can be mounted here")
    assert status in (1, 2) and is_clear(place, "No space left on device"), place.said()
