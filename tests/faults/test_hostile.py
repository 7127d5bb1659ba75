"""Files that do not mean well end in data or in one clear error: within five seconds and a gigabyte."""

import pytest

from tests.faults import elsewhere as processes
from tests.faults import hostile

SECONDS, MEGABYTES = 5, 1024


@pytest.fixture(scope="module")
def elsewhere():
    """A process per case, forked from one that has imported what the cases need: a case may take its process down."""
    with processes.context().Pool(1, maxtasksperchild=1) as pool:
        yield pool


@pytest.mark.parametrize("name", hostile.CASES)
def test_hostile_file(name, elsewhere, tmp_path, record_property):
    ended, words, seconds, megabytes = elsewhere.apply_async(hostile.attempt, (name, str(tmp_path))).get(timeout=60)
    says = hostile.CASES[name][1]
    assert ended == ("read" if says is None else "refused"), f"{ended}: {words}"
    assert says is None or says in words
    # One error, on one line, and what to do.
    assert "\n" not in words and "Traceback" not in words
    record_property("seconds", round(seconds, 2))
    assert megabytes < MEGABYTES
    assert seconds < SECONDS
    # Whatever an archive's names say, nothing is written where they point.
    assert not [path for path in tmp_path.parent.rglob("evil*") if path.is_file()]
