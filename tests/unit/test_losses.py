"""Each loss against a slow, literal twin of its formula on probabilities, one face and one entry at a time."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torch.nn import functional

from ferbook.core.errors import ConfigError
from ferbook.learning import losses
from ferbook.learning.losses import LOSSES, binary_cross_entropy, distribution_loss, drawn_labels, focal_loss

DETERMINISTIC = [name for name in LOSSES if name != "label_draw"]


def softmax(row):
    top = max(row)
    powers = [math.exp(x - top) for x in row]
    return [x / sum(powers) for x in powers]


# Keras's formulas, on probabilities p and shares t of one face.


def mean(term):
    """Over the entries of two lists, of a term of both."""
    return lambda p, t: sum(term(a, b) for a, b in zip(p, t, strict=True)) / len(p)


def cosine_twin(p, t):
    length_p, length_t = math.sqrt(sum(a * a for a in p)), math.sqrt(sum(b * b for b in t))
    return -sum(a / length_p * b / length_t for a, b in zip(p, t, strict=True))


def kl_divergence_twin(p, t):
    clipped = [(min(max(a, 1e-7), 1), min(max(b, 1e-7), 1)) for a, b in zip(p, t, strict=True)]
    return sum(b * math.log(b / a) for a, b in clipped)


def categorical_hinge_twin(p, t):
    right = sum(a * b for a, b in zip(p, t, strict=True))
    wrong = max((1 - b) * a for a, b in zip(p, t, strict=True))
    return max(0.0, 1 + wrong - right)


TWINS = {
    "mse": mean(lambda a, b: (a - b) ** 2),
    "mae": mean(lambda a, b: abs(a - b)),
    "log_cosh": mean(lambda a, b: math.log(math.cosh(a - b))),
    "cosine": cosine_twin,
    "cross_entropy": lambda p, t: -sum(b * math.log(a) for a, b in zip(p, t, strict=True) if b > 0),
    "kl_divergence": kl_divergence_twin,
    "categorical_hinge": categorical_hinge_twin,
    "poisson": mean(lambda a, b: a - b * math.log(a + 1e-7)),
    "hinge": mean(lambda a, b: max(0.0, 1 - a * b)),
}


@st.composite
def batches(draw):
    """Logits, and distributions made of votes, with many zeros."""
    faces = draw(st.integers(1, 5))
    logits = draw(hnp.arrays(np.float64, (faces, 8), elements=st.floats(-8, 8)))
    votes = draw(hnp.arrays(np.int64, (faces, 8), elements=st.integers(0, 4)))
    votes[:, draw(st.integers(0, 7))] += 1
    return logits, votes / votes.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("name", DETERMINISTIC)
@settings(max_examples=40)
@given(batch=batches())
def test_matches_its_twin(name, batch):
    logits, target = batch
    expected_target = target
    if name == "hinge" and np.isin(target, (0, 1)).all():
        expected_target = 2 * target - 1
    twin = [TWINS[name](softmax(x), t) for x, t in zip(logits.tolist(), expected_target.tolist(), strict=True)]
    value = LOSSES[name](torch.tensor(logits), torch.tensor(target))
    assert value.shape == ()
    assert value.item() == pytest.approx(sum(twin) / len(twin), rel=1e-9, abs=1e-12)


def test_ten_losses_eight_of_them_in_the_caption():
    assert len(LOSSES) == 10
    caption = ["MSE", "PLD", "LC", "CS", "CCE", "MAE", "KLD", "CH"]
    assert [loss.abbreviation for loss in LOSSES.values()] == [*caption, "", ""]
    assert all(name == loss.name and distribution_loss(name) is loss for name, loss in LOSSES.items())


@pytest.mark.parametrize("name", DETERMINISTIC)
def test_gradients_are_right(name):
    random = np.random.default_rng(3)
    logits = torch.tensor(random.normal(size=(3, 8)), requires_grad=True)
    target = torch.tensor(random.dirichlet(np.ones(8), 3))
    assert torch.autograd.gradcheck(lambda x: LOSSES[name](x, target), logits)


@pytest.mark.parametrize("name", list(LOSSES))
def test_extreme_logits_stay_finite(name):
    logits = torch.tensor([[300.0, -300, 0, 0, 0, 0, 0, 0], [0.0] * 8], requires_grad=True)
    target = functional.one_hot(torch.tensor([1, 2]), 8).float()
    value = LOSSES[name](logits, target, torch.Generator().manual_seed(0))
    value.backward()
    assert value.isfinite()
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize("name", list(LOSSES))
def test_half_precision_is_computed_in_float32(name):
    random = np.random.default_rng(0)
    logits = torch.tensor(random.normal(size=(6, 8)), dtype=torch.bfloat16)
    target = torch.tensor(random.dirichlet(np.ones(8), 6), dtype=torch.float32)
    values = [LOSSES[name](x, target, torch.Generator().manual_seed(5)) for x in (logits, logits.float())]
    assert values[0].dtype == torch.float32
    assert torch.equal(*values)


@pytest.mark.parametrize("name", list(LOSSES))
def test_the_truth_is_preferred(name):
    target = functional.one_hot(torch.arange(8), 8).float()
    generator = torch.Generator().manual_seed(0)
    right = LOSSES[name](8 * target, target, generator)
    wrong = LOSSES[name](8 * target.roll(1, 1), target, generator)
    undecided = LOSSES[name](0 * target, target, generator)
    assert right < undecided < wrong


def test_log_cosh_keeps_its_digits_for_small_differences():
    target = torch.full((1, 8), 1 / 8)
    logits = torch.zeros(1, 8)
    logits[0, 0] = 1e-3
    exact = TWINS["log_cosh"](softmax(logits[0].tolist()), [1 / 8] * 8)
    assert 0 < exact < 1e-8
    # Ten million times smaller than one: x + softplus(-2x) - log 2 has nothing left of it in float32.
    assert LOSSES["log_cosh"](logits, target).item() == pytest.approx(exact, rel=1e-3)


def test_kl_divergence_and_poisson_teach_what_cross_entropy_teaches():
    random = np.random.default_rng(1)
    target = torch.tensor(random.dirichlet(np.ones(8), 4))
    gradients = {}
    for name in ("cross_entropy", "kl_divergence", "poisson"):
        logits = torch.tensor(np.tile(0.3 * np.arange(8), (4, 1)), requires_grad=True)
        LOSSES[name](logits, target).backward()
        gradients[name] = logits.grad
    torch.testing.assert_close(gradients["kl_divergence"], gradients["cross_entropy"])
    torch.testing.assert_close(8 * gradients["poisson"], gradients["cross_entropy"], rtol=1e-4, atol=1e-5)


def test_clipping_stops_kl_divergence_and_not_cross_entropy():
    target = torch.eye(8)[:1]
    norms = {}
    for name in ("cross_entropy", "kl_divergence"):
        logits = torch.tensor([[-20.0, 20, 0, 0, 0, 0, 0, 0]], requires_grad=True)
        LOSSES[name](logits, target).backward()
        norms[name] = logits.grad.norm().item()
    assert norms["kl_divergence"] < 1e-5
    assert norms["cross_entropy"] > 1


def test_one_soft_face_changes_the_hinge_of_all():
    hard = functional.one_hot(torch.tensor([0, 1]), 8).float()
    soft = hard.clone()
    soft[1] = 1 / 8
    logits = torch.randn(2, 8, generator=torch.Generator().manual_seed(0))
    first = TWINS["hinge"](softmax(logits[0].tolist()), hard[0].tolist())
    second = TWINS["hinge"](softmax(logits[1].tolist()), soft[1].tolist())
    assert LOSSES["hinge"](logits, soft).item() == pytest.approx((first + second) / 2)
    assert LOSSES["hinge"](logits[:1], hard[:1]).item() == pytest.approx(
        TWINS["hinge"](softmax(logits[0].tolist()), (2 * hard[0] - 1).tolist())
    )


def test_huber_would_be_half_of_mse():
    logits, target = torch.randn(4, 8), torch.full((4, 8), 1 / 8)
    assert 2 * functional.huber_loss(logits.softmax(1), target).item() == pytest.approx(
        LOSSES["mse"](logits, target).item()
    )


def label_draw_twin(logits, target, generator):
    """Section 3.6.3: one label per face, by going along its shares until the draw is used up."""
    draws = torch.rand(len(target), 1, generator=generator, dtype=torch.float64)[:, 0].tolist()
    total = 0.0
    for row, shares, draw in zip(logits.tolist(), target.tolist(), draws, strict=True):
        label, left = 0, draw * sum(shares)
        while left >= shares[label]:
            left -= shares[label]
            label += 1
        total -= math.log(softmax(row)[label])
    return total / len(draws)


@pytest.mark.parametrize("seed", range(5))
def test_label_draw_matches_its_twin(seed):
    random = np.random.default_rng(seed)
    logits, target = torch.tensor(random.normal(size=(9, 8))), torch.tensor(random.dirichlet(np.ones(8), 9))
    value = LOSSES["label_draw"](logits, target, torch.Generator().manual_seed(seed))
    assert value.item() == pytest.approx(label_draw_twin(logits, target, torch.Generator().manual_seed(seed)))


def test_label_draw_is_cross_entropy_on_average():
    random = np.random.default_rng(0)
    logits, target = torch.tensor(random.normal(size=(1, 8))), torch.tensor(random.dirichlet(np.ones(8), 1))
    many = LOSSES["label_draw"](logits.expand(40_000, 8), target.expand(40_000, 8), torch.Generator().manual_seed(0))
    spread = (target * logits.log_softmax(1) ** 2).sum().sqrt().item()
    assert many.item() == pytest.approx(LOSSES["cross_entropy"](logits, target).item(), abs=5 * spread / 200)


def test_labels_are_drawn_anew_but_never_without_a_vote():
    target = torch.tensor([[0, 0.3, 0, 0.7, 0, 0, 0, 0.0]]).expand(3000, 8)
    generator = torch.Generator().manual_seed(0)
    first, second = drawn_labels(target, generator), drawn_labels(target, generator)
    assert set(first.tolist()) == {1, 3}
    assert not torch.equal(first, second)
    assert first.dtype == torch.int64
    assert (first == 1).float().mean().item() == pytest.approx(0.3, abs=0.05)


def bce_twin(logits, target, weights):
    """Section 2.4 of paper 000, mean over labels and faces."""
    total = 0.0
    for row, truth in zip(logits, target, strict=True):
        for z, y, w in zip(row, truth, weights, strict=True):
            p = 1 / (1 + math.exp(-z))
            total -= w * y * math.log(p) + (1 - y) * math.log(1 - p)
    return total / (len(logits) * len(weights))


def focal_twin(logits, target, alpha, gamma):
    """Lin et al. 2017, equation 5."""
    total = 0.0
    for row, truth in zip(logits, target, strict=True):
        for z, y in zip(row, truth, strict=True):
            p = 1 / (1 + math.exp(-z))
            q, a = (p, alpha) if y == 1 else (1 - p, 1 - alpha)
            total -= a * (1 - q) ** gamma * math.log(q)
    return total / (len(logits) * len(logits[0]))


MULTI_HOT = st.tuples(
    hnp.arrays(np.float64, (3, 7), elements=st.floats(-9, 9)), hnp.arrays(np.int64, (3, 7), elements=st.integers(0, 1))
)


@settings(max_examples=40)
@given(MULTI_HOT, st.lists(st.floats(0.1, 9), min_size=7, max_size=7), st.floats(0, 1), st.floats(0, 4))
def test_multi_label_losses_match_their_twins(batch, weights, alpha, gamma):
    logits, target = torch.tensor(batch[0]), torch.tensor(batch[1])
    plain, rows = [1.0] * 7, (batch[0].tolist(), batch[1].tolist())
    assert binary_cross_entropy(logits, target).item() == pytest.approx(bce_twin(*rows, plain))
    weighted = binary_cross_entropy(logits, target, torch.tensor(weights, dtype=torch.float64))
    assert weighted.item() == pytest.approx(bce_twin(*rows, weights))
    assert focal_loss(logits, target, alpha, gamma).item() == pytest.approx(focal_twin(*rows, alpha, gamma), abs=1e-12)


def test_focal_loss_without_focus_is_binary_cross_entropy():
    logits, target = torch.randn(5, 7), (torch.rand(5, 7) < 0.3).float()
    assert torch.allclose(focal_loss(logits, target, None, 0.0), binary_cross_entropy(logits, target))
    assert torch.allclose(2 * focal_loss(logits, target, 0.5, 0.0), binary_cross_entropy(logits, target))
    assert focal_loss(logits, target, None, 2.0) < binary_cross_entropy(logits, target)


def test_focal_loss_gradients():
    logits = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    target = (torch.rand(3, 4) < 0.5).double()
    assert torch.autograd.gradcheck(lambda x: focal_loss(x, target), logits)


@pytest.mark.parametrize("loss", [binary_cross_entropy, focal_loss])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_multi_label_losses_survive_extreme_logits(loss, dtype):
    logits = torch.tensor([[1e4, -1e4, 1e4, -1e4]], dtype=dtype, requires_grad=True)
    value = loss(logits, torch.tensor([[1, 0, 0, 1]]))
    value.backward()
    assert value.dtype == torch.float32
    assert value.item() > 100
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize("name", list(LOSSES))
@pytest.mark.parametrize(
    ("logits", "target"),
    [
        (torch.zeros(2, 8), torch.zeros(8)),
        (torch.zeros(2, 8), torch.zeros(1, 8)),
        (torch.zeros(8), torch.zeros(8)),
        (torch.zeros(0, 8), torch.zeros(0, 8)),
        (torch.zeros(2, 8, dtype=torch.int64), torch.zeros(2, 8)),
    ],
)
def test_refuses_what_would_broadcast(name, logits, target):
    with pytest.raises(ValueError, match=r"shape|face|floats"):
        LOSSES[name](logits, target, torch.Generator())


def test_shapes_are_named():
    with pytest.raises(ValueError, match=r"\(4, 1\) and targets \(4,\)"):
        binary_cross_entropy(torch.zeros(4, 1), torch.zeros(4))
    with pytest.raises(ValueError, match=r"weights \(3,\) do not fit 7"):
        binary_cross_entropy(torch.zeros(2, 7), torch.zeros(2, 7), torch.ones(3))


def test_other_refusals():
    with pytest.raises(ConfigError, match="mse, label_draw"):
        distribution_loss("huber")
    with pytest.raises(ValueError, match="generator"):
        LOSSES["label_draw"](torch.zeros(1, 8), torch.full((1, 8), 1 / 8))
    for settings_ in ({"alpha": 1.5}, {"gamma": -1.0}, {"gamma": math.nan}):
        with pytest.raises(ConfigError):
            focal_loss(torch.zeros(1, 7), torch.zeros(1, 7), **settings_)


def test_epsilon_is_keras_s():
    assert losses.EPSILON == 1e-7
