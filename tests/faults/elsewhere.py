"""Processes forked from one that has imported what all tests of this folder need: there is one such process per run."""

import multiprocessing
from multiprocessing.context import BaseContext

_IMPORTED = ["tests.faults.hostile", "tests.faults.killing", "ferbook.learning.training", "ferbook.photos.folders"]


def context() -> BaseContext:
    """Whose processes start with everything imported."""
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(_IMPORTED)
    return found
