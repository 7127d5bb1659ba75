"""What one model of all axes saves: counted by hand, and timed."""

import pytest

from ferbook.claims.claim import Evidence, Verdict
from ferbook.core import records
from ferbook.datasets import load
from ferbook.faces.emotions import VAD_AXES
from ferbook.models.vad import VadOutput
from ferbook.papers.vad import checks, one_model
from tests.unit.claiming import judged

#: A head's multiply-adds: 512 features to eight categories, and to one axis.
CATEGORY, AXIS = 512 * 8, 512


def test_one_trunk_is_counted_once_and_networks_of_their_own_each():
    """Twin: the trunk's share follows from one count; heads by hand."""
    shared, separate = map(one_model.counted, one_model.READINGS)
    trunk = shared["together"] - CATEGORY - 3 * AXIS
    assert shared["apart"] == 3 * (trunk + CATEGORY + AXIS)
    assert separate["together"] == 4 * trunk + CATEGORY + 3 * AXIS
    assert separate["apart"] == 6 * trunk + 3 * (CATEGORY + AXIS)


def test_the_record_counts_what_the_networks_have():
    stored = records.read(one_model.RECORD)["values"]["readings"]
    assert one_model.RECORD == checks.ONE_MODEL and tuple(stored) == one_model.READINGS == tuple(checks.LAYOUTS)
    for network, found in stored.items():
        assert found["multiply_adds"] == one_model.counted(network)
        low, high = found["factor_interval"]
        assert low <= found["factor"] <= high
        # What is left out of the count, the optimiser and batch norm, is saved alike.
        assert found["factor"] == pytest.approx(
            found["multiply_adds"]["apart"] / found["multiply_adds"]["together"], 0.1
        )


@pytest.mark.parametrize("network", one_model.READINGS)
def test_a_step_learns_the_axes_that_it_is_given(network):
    faces = load("synthetic", count=10, seed=0)
    step = one_model.step(network, VAD_AXES[1:], faces)
    first, second = step(), step()
    assert isinstance(first, VadOutput) and first.vad.shape == (10, 2) and first.logits.shape == (10, 8)
    assert not first.vad.equal(second.vad)


def test_the_reading_that_saves_less_decides():
    found = judged("one model or one for each axis", "1", "more than")
    assert found.verdict is Verdict.HOLDS and found.outcome.evidence is Evidence.ARITHMETIC
    assert found.outcome.value == pytest.approx(1.5, abs=0.001)
    assert judged("one model or one for each axis", "1.6", "more than").verdict is Verdict.FAILS
    assert "one trunk for all tasks: 3.00 times" in found.outcome.detail
