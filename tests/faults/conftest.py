"""What the tests of commands that go wrong start from."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def imported():
    """One process has imported what the commands need, so that none of them is slow to start."""
    from tests.faults.killing import warm_up

    warm_up()


@pytest.fixture
def place(request, tmp_path_factory):
    """A folder in which the job that the test names as its parameter can run."""
    from tests.faults.killing import JOBS, Place

    return Place(JOBS[request.param], tmp_path_factory.mktemp(request.param) / "place")
