"""What the pages of paper 000 compute for themselves: gates by hand, where a gate lets through, augmented sheets."""

import numpy as np
import pytest
import torch

from ferbook import datasets, models
from ferbook.learning.losses import binary_cross_entropy
from ferbook.models.cbam import Cbam
from ferbook.papers.cbam import quick


def test_gates_by_hand_are_the_modules():
    torch.manual_seed(0)
    cbam = Cbam(8, reduction=2).double().eval()
    torch.nn.init.constant_(cbam.spatial.norm.weight, 0.7)
    cbam.spatial.norm.running_mean.fill_(0.2)
    x = torch.randn(3, 8, 5, 6).double()
    with torch.no_grad():
        torch.testing.assert_close(quick.gate_by_hand(cbam, x), cbam(x))


def test_the_loss_term_by_term_is_the_librarys():
    generator = torch.Generator().manual_seed(0)
    logits, target = torch.randn(9, 7, generator=generator), (torch.rand(9, 7, generator=generator) < 0.4).float()
    assert quick.loss_by_terms(logits, target) == pytest.approx(float(binary_cross_entropy(logits, target)))


def test_a_gate_open_at_eyes_and_mouth_is_found_there():
    landmarks = np.array([[[12.0, 16], [36, 16], [24, 26], [16, 36], [32, 36]]])
    flat = np.full((1, 48, 48), 0.5)
    assert quick.on_parts(flat, landmarks) == pytest.approx(0)
    y, x = np.mgrid[:48, :48]
    eye = np.hypot(x - 12, y - 16) <= 3
    mouth = (np.abs(y - 36) <= 3) & (x >= 16) & (x <= 32)
    assert quick.on_parts(flat + 0.2 * (eye | mouth), landmarks)[0] > 15
    assert quick.on_parts(flat + 0.2 * (y < 5), landmarks)[0] < 0


def test_spatial_gates_are_stretched_over_the_picture():
    network = models.build("resnet_cbam_48", width=8, reduction=4, placement="blocks", seed=0)
    faces = datasets.load("synthetic", count=10)
    gates = quick.spatial_gates(network, faces.images)
    assert len(gates) == 4
    # Untrained, every gate is half open everywhere.
    assert all(gate.shape == (10, 48, 48) and np.allclose(gate, 0.5) for gate in gates.values())


def test_augmented_pictures_start_with_the_untouched_ones():
    images = np.random.default_rng(0).integers(0, 256, (2, 48, 48, 3), dtype=np.uint8)
    made = quick.augmented(images, {"flip": {"name": "flip", "p": 1.0}, "noise": {"name": "noise", "deviation": 0.1}})
    np.testing.assert_array_equal(made[:2], images)
    np.testing.assert_array_equal(made[2:4], images[:, :, ::-1])
    assert (made[4:] != images).any()


def test_placement_rows_have_the_published_counts():
    counts = {row["attention"]: row["parameters"] for row in quick.placement_rows()}
    assert list(counts.values()) == ["26,054,967", "24,223,175", "24,048,939", "23,522,375"]


def test_variants_and_seeds_name_the_runs():
    found = quick.varied({"none": {}, "focal": {"loss": "focal"}}, (0, 3), epochs=1)
    assert list(found) == ["none-seed0", "focal-seed0", "none-seed3", "focal-seed3"]
    assert found["focal-seed3"].loss == "focal" and found["focal-seed3"].seed == 3 and found["none-seed0"].epochs == 1
