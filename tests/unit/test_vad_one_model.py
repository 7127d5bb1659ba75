"""What one model of all axes saves: counted by hand, and timed."""

import numpy as np
import pytest
import torch

from ferbook import models
from ferbook.claims.claim import Evidence, Verdict
from ferbook.core import records
from ferbook.datasets import load
from ferbook.faces.emotions import EMOTIONS, FER2013_CODES, VAD_AXES
from ferbook.papers.vad import checks, one_model
from tests.unit.claiming import judged

#: A head's multiply-adds: 512 features to seven categories, and to one axis.
CATEGORY, AXIS = 512 * 7, 512


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
        assert 1 < low <= found["factor"] <= high


@pytest.mark.parametrize("network", one_model.READINGS)
def test_a_step_learns_the_axes_that_it_is_given(network):
    """Twin: both losses by hand, of a network with the same weights."""
    faces, axes = load("synthetic", count=10, seed=0), ("dominance", "arousal")
    own = models.build(network, 7, seed=0, axes=list(axes))
    grey = torch.tensor(np.array(faces.images[:, :44, :44]) / 255).float()
    with torch.no_grad():
        found = own(torch.stack([grey] * 3, 1))
    category = [max(FER2013_CODES, key=lambda name: row[EMOTIONS.index(name)]) for row in faces.distribution]
    probabilities = np.exp(found.logits.numpy()) / np.exp(found.logits.numpy()).sum(axis=1, keepdims=True)
    right = [row[FER2013_CODES.index(name)] for row, name in zip(probabilities, category, strict=True)]
    truth = np.stack([np.array(faces.vad)[:, VAD_AXES.index(axis)] for axis in axes], 1)
    expected = -np.mean(np.log(right)) + np.mean((found.vad.numpy() - truth) ** 2)
    step = one_model.step(network, axes, faces)
    first, second = step(), step()
    assert first == pytest.approx(expected, rel=1e-4)
    assert second != pytest.approx(first, rel=1e-3)


def test_the_reading_that_saves_less_decides():
    found = judged("one model or one for each axis", "1", "more than")
    assert found.verdict is Verdict.HOLDS and found.outcome.evidence is Evidence.ARITHMETIC
    assert found.outcome.value == pytest.approx(1.5, abs=0.001)
    assert judged("one model or one for each axis", "1.6", "more than").verdict is Verdict.FAILS
    assert "one trunk for all tasks: 3.00 times" in found.outcome.detail
