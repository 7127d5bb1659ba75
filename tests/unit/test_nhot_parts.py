"""Losses side by side, and the networks' sizes, against slow twins and published counts."""

import pytest
import torch

from ferbook import models
from ferbook.core import records
from ferbook.learning import losses
from ferbook.papers.nhot import architectures


def numeric_gradient(loss, logits, target, step=1e-6):
    """Central differences, logit by logit."""
    slope = torch.zeros_like(logits)
    for place in range(logits.shape[1]):
        ends = []
        for sign in (1, -1):
            moved = logits.clone()
            moved[:, place] += sign * step
            ends.append(loss.per_face(moved, target))
        slope[:, place] = (ends[0] - ends[1]) / (2 * step)
    return slope


@pytest.fixture(scope="module")
def batch():
    generator = torch.Generator().manual_seed(1)
    target = architectures.random_labels(6, 8, generator)
    return torch.randn(6, 8, generator=generator, dtype=torch.float64), target


@pytest.mark.parametrize("name", [name for name, loss in losses.LOSSES.items() if loss.per_face])
def test_gradients_agree_with_differences(name, batch):
    found = architectures.gradients(*batch)[name]
    torch.testing.assert_close(found, numeric_gradient(losses.LOSSES[name], *batch), atol=1e-6, rtol=1e-4)


def test_label_drawing_is_cross_entropy_on_average(batch):
    logits, target = batch
    generator = torch.Generator().manual_seed(0)
    draws = 4000
    mean = torch.zeros_like(logits)
    for _ in range(draws):
        drawn = losses.drawn_labels(target, generator)
        mean += (logits.softmax(1) - torch.nn.functional.one_hot(drawn, 8)) / draws
    torch.testing.assert_close(mean, architectures.gradients(logits, target)["label_draw"], atol=0.04, rtol=0)


def test_which_losses_are_the_same():
    found = {frozenset((pair["first"], pair["second"])): pair for pair in architectures.alike(faces=100)}
    family = ("cross_entropy", "kl_divergence", "label_draw", "poisson")
    for place, first in enumerate(family):
        for second in family[place + 1 :]:
            pair = found[frozenset((first, second))]
            assert pair["cosine"] > 0.99999
            assert pair["spread"] < 1.01
    assert found[frozenset(("cross_entropy", "poisson"))]["factor"] == pytest.approx(1 / 8, rel=1e-3)
    assert 0.99 < found[frozenset(("mse", "log_cosh"))]["cosine"] < 0.99999
    assert found[frozenset(("mse", "cross_entropy"))]["cosine"] < 0.9
    assert len(found) == 45


def test_random_labels_are_shares_of_ten_votes():
    target = architectures.random_labels(50, 8, torch.Generator().manual_seed(0))
    torch.testing.assert_close(target.sum(1), torch.ones(50, dtype=torch.float64))
    assert torch.equal((10 * target).round() / 10, target)
    emotions = (target > 0).sum(1)
    assert emotions.min() >= 1
    assert emotions.max() <= 4


def test_the_table_has_a_formula_for_every_loss():
    assert list(architectures.FORMULAS) == list(losses.LOSSES)
    named = [row["caption of figure 26"] for row in architectures.loss_rows()]
    assert sum("guess" not in name for name in named) == 8


def vgg16_by_hand(side):
    """Multiply-adds of VGG16's convolutions and one linear layer: side² x 9 x inputs x outputs, layer by layer."""
    total, channels = 0, 3
    for width, depth in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(depth):
            total += side * side * 9 * channels * width
            channels = width
        side //= 2
    return total + 512 * 8


def test_operations_of_vgg16_counted_by_hand():
    assert models.multiply_adds("vgg16_48", 48) == vgg16_by_hand(48)


@pytest.mark.parametrize("name", ["compact", "resnet18", "vgg16_48", "mten"])
def test_the_record_is_what_is_built(name):
    counted = records.read(architectures.RECORD)["values"]
    assert architectures.parameters(name) == counted["parameters"][name]
    assert models.multiply_adds(name, counted["side"][name]) == counted["multiply_adds"][name]
