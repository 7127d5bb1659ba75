"""The consistency cost as printed, tabulated and smoothed: literal twins, gradients, and a training without effect."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torch import nn
from torch.nn import functional

from ferbook.core.errors import ConfigError
from ferbook.faces.emotions import EMOTIONS, FER2013_CODES, VAD_AXES, canonical
from ferbook.learning import requirements as c
from ferbook.learning.consistency import broadcast_mse, printed_cost, slope, soft_cost, vad_loss
from ferbook.learning.requirements import disagreements

# The papers' codes: 0 angry, 1 disgust, 2 fear, 3 happy, 4 sad, 5 surprise, 6 neutral.


#: By equation (5, 9, 13: one axis each): classes that cost 1 where a value is not 0, above 0 and so on.
EQUATIONS = (
    {(6,): lambda v: v != 0, (3,): lambda v: v <= 0, (0, 1, 2, 4): lambda v: v >= 0},
    {(6,): lambda a: a != 0, (4,): lambda a: a > 0, (0, 1, 3, 5): lambda a: a <= 0},
    {(6,): lambda d: d != 0, (4,): lambda d: d > 0, (0, 1, 3): lambda d: d <= 0},
)


TABLE_1 = """
Happy     >0          >0   >0
Disgust   <0          >0   >0
Angry     <0          >0   >0 or <0
Fear      <0          <0   <0
Sad       <0          <0   >0 or <0
Surprise  >0 or <0    >0   <0
Neutral   =0          =0   =0
"""

TABLE_2 = """
Happy     0 1  0 1  0 1
Disgust   1 0  0 1  0 1
Angry     1 0  0 1  0 0
Fear      1 0  1 0  1 0
Sad       1 0  1 0  0 0
Surprise  0 0  0 1  1 0
Neutral   1 1  1 1  1 1
"""


def table_twin(name, values):
    """003, table 1, read cell by cell; ">0 or <0" asks for nothing."""
    cells = next(line for line in TABLE_1.split("\n") if line and canonical(line.split()[0]) == name)
    demands = [cell.strip() for cell in cells.replace("  ", "|").split("|") if cell.strip()][1:]
    met = {">0": lambda x: x > 0, "<0": lambda x: x < 0, "=0": lambda x: x == 0, ">0 or <0": lambda x: True}
    return [0 if met[demand](value) else 1 for demand, value in zip(demands, values, strict=True)]


def equations_twin(name, values):
    code = FER2013_CODES.index(name)
    return [
        int(any(code in classes and costs(x) for classes, costs in equation.items()))
        for equation, x in zip(EQUATIONS, values, strict=True)
    ]


BOTH = pytest.mark.parametrize("definition", ["table", "equations"])
TWINS = {"table": table_twin, "equations": equations_twin}
VALUES = st.one_of(st.sampled_from([0.0, -0.0]), st.floats(-1, 1, width=32))


@BOTH
@settings(max_examples=60)
@given(names=st.lists(st.sampled_from(FER2013_CODES), min_size=1, max_size=6), data=st.data())
def test_printed_cost_matches_its_twin(definition, names, data):
    vad = data.draw(hnp.arrays(np.float32, (len(names), 3), elements=VALUES))
    expected = [TWINS[definition](name, row) for name, row in zip(names, vad.tolist(), strict=True)]
    for order in (EMOTIONS, FER2013_CODES):
        labels = torch.tensor([order.index(name) for name in names])
        logits = functional.one_hot(labels, len(order)).float()
        for category in (labels, logits):
            cost = printed_cost(category, torch.tensor(vad), definition, order=order)
            assert cost.tolist() == expected


def test_table_2_of_004_says_what_table_1_of_003_says():
    assert set(c.TABLE) == set(c.EQUATIONS) == set(c.COSTS_004) == set(FER2013_CODES)
    for line in TABLE_2.strip().split("\n"):
        name, *costs = line.split()
        costs = np.array(costs, int).reshape(3, 2)
        assert c.COSTS_004[canonical(name)] == tuple(map(tuple, costs.tolist()))
        for column, value in enumerate((0.3, -0.3)):
            assert table_twin(canonical(name), [value] * 3) == costs[:, column].tolist()


def test_the_disagreements_between_table_and_equations():
    assert [tuple(row) for row in disagreements()] == [
        ("fear", "arousal", "<0", "any", ("=0", ">0")),
        ("sadness", "arousal", "<0", "<=0", ("=0",)),
        ("anger", "dominance", "any", ">0", ("<0", "=0")),
        ("fear", "dominance", "<0", "any", ("=0", ">0")),
        ("sadness", "dominance", "any", "<=0", (">0",)),
        ("surprise", "dominance", "<0", "any", ("=0", ">0")),
    ]


def test_the_disagreements_are_all_there_are():
    found = set()
    for name in FER2013_CODES:
        for sign, value in (("<0", -0.5), ("=0", 0.0), (">0", 0.5)):
            pairs = zip(table_twin(name, [value] * 3), equations_twin(name, [value] * 3), strict=True)
            found |= {(name, VAD_AXES[k], sign) for k, (a, b) in enumerate(pairs) if a != b}
    assert found == {(row.category, row.axis, sign) for row in disagreements() for sign in row.signs}


def test_contempt_never_costs_anything():
    vad = torch.tensor([[-0.5, 0.0, 0.5]])
    contempt = torch.tensor([EMOTIONS.index("contempt")])
    for definition in c.DEFINITIONS:
        assert not printed_cost(contempt, vad, definition).any()
        logits = 100.0 * functional.one_hot(contempt, 8)
        assert soft_cost(logits, vad, definition=definition).abs().max() < 1e-6


def test_one_axis_at_a_time():
    labels = torch.arange(8)
    vad = torch.linspace(-1, 1, 24).reshape(8, 3)
    every = printed_cost(labels, vad)
    for k, axis in enumerate(VAD_AXES):
        assert torch.equal(printed_cost(labels, vad[:, k : k + 1], axes=[axis]), every[:, k : k + 1])


def test_missing_values_do_not_pass_for_consistent_ones():
    cost = printed_cost(torch.tensor([1]), torch.tensor([[math.nan, 0.5, -0.5]]))
    assert cost[0].isnan().tolist() == [True, False, False]


# The printed cost has no gradient.


def predictions(seed=0, faces=40):
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(faces, 8, generator=generator, dtype=torch.float64)
    return logits, torch.rand(faces, 3, generator=generator, dtype=torch.float64) * 2 - 1


@BOTH
def test_printed_cost_is_flat_almost_everywhere(definition):
    """Small moves along any input change nothing, unless a value crosses zero or two classes tie."""
    logits, vad = predictions()
    top = logits.topk(2, dim=1).values
    assert vad.abs().min() > 1e-3 and (top[:, 0] - top[:, 1]).min() > 1e-3
    cost = printed_cost(logits, vad, definition)
    for step in (1e-4, -1e-4):
        for k in range(8):
            assert torch.equal(printed_cost(logits + step * torch.eye(8)[k], vad, definition), cost)
        for k in range(3):
            assert torch.equal(printed_cost(logits, vad + step * torch.eye(3)[k], definition), cost)
    # It is no constant: moves that are large enough do change it.
    assert not torch.equal(printed_cost(logits, -vad, definition), cost)
    assert not torch.equal(printed_cost(-logits, vad, definition), cost)


@BOTH
def test_printed_cost_adds_nothing_to_any_gradient(definition):
    gradients = []
    for consistency in ("none", definition):
        logits, vad = (x.float().requires_grad_() for x in predictions())
        loss = vad_loss(logits, vad, torch.zeros(40, dtype=torch.int64), torch.zeros(40, 3), consistency, weight=7.0)
        assert not loss.consistency.requires_grad
        loss.total.backward()
        gradients.append((loss.total.item(), logits.grad, vad.grad))
    (without, *plain), (with_, *added) = gradients
    assert with_ > without + 1
    assert all(torch.equal(a, b) for a, b in zip(plain, added, strict=True))


class TwoHeads(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Dropout(0.2))
        self.heads = nn.Linear(4 * 36, 11)

    def forward(self, x):
        both = self.heads(self.trunk(x))
        return both[:, :8], both[:, 8:].tanh()


def trained(consistency, weight=1.0):
    torch.manual_seed(0)
    model = TwoHeads()
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    images, labels, vad = torch.randn(32, 1, 8, 8), torch.randint(0, 8, (32,)), torch.rand(32, 3) * 2 - 1
    totals = []
    for step in range(12):
        batch = torch.arange(16) + 16 * (step % 2)
        optimiser.zero_grad()
        loss = vad_loss(*model(images[batch]), labels[batch], vad[batch], consistency, weight)
        loss.total.backward()
        optimiser.step()
        totals.append(loss.total.item())
    return model.state_dict(), totals


@BOTH
def test_training_with_the_printed_cost_is_bit_identical_to_training_without(definition):
    plain, plain_totals = trained("none")
    printed, printed_totals = trained(definition)
    assert all(torch.equal(plain[name], printed[name]) for name in plain)
    # The number that is reported does differ.
    assert all(a > b for a, b in zip(printed_totals, plain_totals, strict=True))


def test_training_with_the_soft_cost_differs():
    plain, _ = trained("none")
    soft, _ = trained("soft")
    again, _ = trained("soft")
    assert not torch.equal(plain["heads.weight"], soft["heads.weight"])
    assert all(torch.equal(soft[name], again[name]) for name in soft)


# The soft cost has one, and the printed cost as its limit.


def soft_twin(logits, vad, temperature, class_temperature, definition):
    """Expected cost of one face, category by category."""
    demands = {"table": c.TABLE, "equations": c.EQUATIONS}[definition]
    powers = [math.exp((x - max(logits)) / class_temperature) for x in logits]
    costs = [0.0, 0.0, 0.0]
    for name, power in zip(EMOTIONS, powers, strict=True):
        for k, value in enumerate(vad):
            x = value / temperature
            cost = {
                "any": 0.0,
                ">0": 1 / (1 + math.exp(x)),
                "<0": 1 / (1 + math.exp(-x)),
                "<=0": 1 / (1 + math.exp(-x)),
                "=0": 1 - math.exp(-x * x),
            }[demands.get(name, ("any",) * 3)[k]]
            costs[k] += power / sum(powers) * cost
    return costs


@BOTH
@pytest.mark.parametrize(("temperature", "class_temperature"), [(0.1, 1.0), (0.5, 0.2), (2.0, 3.0)])
def test_soft_cost_matches_its_twin(definition, temperature, class_temperature):
    logits, vad = predictions(1)
    vad[0] = 0
    cost = soft_cost(logits, vad, temperature, class_temperature, definition)
    twin = [
        soft_twin(*row, temperature, class_temperature, definition)
        for row in zip(logits.tolist(), vad.tolist(), strict=True)
    ]
    np.testing.assert_allclose(cost.numpy(), twin, rtol=1e-10, atol=1e-14)


@BOTH
def test_the_limit_of_the_soft_cost_is_the_printed_cost(definition):
    logits, vad = predictions(2, 200)
    printed = printed_cost(logits, vad, definition)
    distances = [
        (soft_cost(logits, vad, t, t, definition) - printed).abs().mean().item()
        for t in (1, 0.3, 0.1, 0.03, 1e-2, 1e-3)
    ]
    assert distances == sorted(distances, reverse=True)
    assert distances[-1] < 1e-2
    torch.testing.assert_close(soft_cost(logits, vad, 1e-6, 1e-6, definition), printed)


@BOTH
def test_with_fixed_probabilities_the_limit_is_the_expected_printed_cost(definition):
    logits, vad = predictions(3)
    costs = torch.stack([printed_cost(torch.full((40,), k), vad, definition) for k in range(8)], 1)
    expected = (logits.softmax(1)[:, :, None] * costs).sum(1)
    torch.testing.assert_close(soft_cost(logits, vad, 1e-6, definition=definition), expected)


def test_neutral_costs_nothing_at_zero_and_one_beyond_its_width():
    neutral = 100.0 * functional.one_hot(torch.tensor([0, 0, 0]), 8)
    vad = torch.tensor([0.0, 0.1, 0.9])[:, None].expand(3, 3)
    cost = soft_cost(neutral, vad, 0.1)[:, 0]
    assert cost.tolist() == pytest.approx([0, 1 - math.exp(-1), 1])


def test_slope_is_the_gradient_or_nothing():
    vad = torch.rand(5, 3) - 0.5
    assert torch.allclose(slope(lambda v: v**2, vad), 2 * vad)
    assert slope(lambda v: printed_cost(torch.zeros(5, dtype=torch.long), v), vad) is None


@BOTH
def test_soft_cost_has_right_gradients(definition):
    logits, vad = (x[:4].clone().requires_grad_() for x in predictions(4))
    assert torch.autograd.gradcheck(lambda a, b: soft_cost(a, b, 0.3, 1.0, definition), (logits, vad))
    gradients = torch.autograd.grad(soft_cost(logits, vad, definition=definition).sum(), (logits, vad))
    assert all(x.norm() > 1e-3 for x in gradients)


def test_soft_cost_pulls_values_and_categories_together():
    happy, sad = EMOTIONS.index("happiness"), EMOTIONS.index("sadness")
    logits = torch.zeros(1, 8)
    logits[0, happy], logits[0, sad] = 3.0, 1.0
    vad = torch.full((1, 3), -0.1)
    logits.requires_grad_(), vad.requires_grad_()
    soft_cost(logits, vad).sum().backward()
    assert (vad.grad[0] < 0).all()  # a step against it makes the values of a happy face more positive
    assert logits.grad[0, happy] > 0 > logits.grad[0, sad]  # and those values make it less happy and more sad


def test_soft_cost_is_the_same_in_half_precision_and_autocast():
    logits, vad = (x.to(torch.bfloat16) for x in predictions(5))
    full = soft_cost(logits.float(), vad.float())
    assert full.dtype == torch.float32
    assert torch.equal(soft_cost(logits, vad), full)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(soft_cost(logits, vad), full)


def test_an_evaluation_first_does_not_spoil_training():
    """Lightning validates in inference mode before it trains."""
    logits, vad = predictions(6)
    order = tuple(reversed(EMOTIONS))  # asked for nowhere else
    with torch.inference_mode():
        soft_cost(logits, vad, order=order)
    logits.requires_grad_()
    soft_cost(logits, vad, order=order).sum().backward()
    assert logits.grad.abs().sum() > 0


# The joint loss.


def joint_twin(logits, vad, target, target_vad, costs, weight, printed):
    """Equations 2, 3 per axis, and 4, face by face; sums or means."""
    faces = len(logits)
    entropy = error = cost = 0.0
    for i in range(faces):
        below = sum(math.exp(x) for x in logits[i])
        entropy -= sum(t * math.log(math.exp(x) / below) for x, t in zip(logits[i], target[i], strict=True))
        error += sum((a - b) ** 2 for a, b in zip(vad[i], target_vad[i], strict=True))
        cost += sum(costs[i])
    share = 1 if printed else faces
    return entropy / share + error / faces + weight * cost / share


@pytest.mark.parametrize("reduction", ["mean", "printed"])
@pytest.mark.parametrize("consistency", ["none", "equations", "table", "soft"])
def test_joint_loss_matches_its_twin(consistency, reduction):
    logits, vad = predictions(7, 9)
    random = np.random.default_rng(0)
    target, target_vad = random.dirichlet(np.ones(8), 9), random.uniform(-1, 1, (9, 3))
    costs = {
        "none": torch.zeros(9, 3),
        "soft": soft_cost(logits, vad, 0.2, 0.7),
        "table": printed_cost(logits, vad, "table"),
        "equations": printed_cost(logits, vad, "equations"),
    }[consistency]
    loss = vad_loss(
        logits,
        vad,
        torch.tensor(target),
        torch.tensor(target_vad),
        consistency,
        0.3,
        reduction,
        temperature=0.2,
        class_temperature=0.7,
    )
    twin = joint_twin(
        logits.tolist(), vad.tolist(), target.tolist(), target_vad.tolist(), costs.tolist(), 0.3, reduction == "printed"
    )
    assert loss.total.item() == pytest.approx(twin)
    parts = loss.classification + loss.regression + 0.3 * loss.consistency
    assert loss.total.item() == pytest.approx(parts.item())


def test_joint_loss_takes_labels():
    logits, vad = predictions(8, 9)
    labels = torch.arange(9) % 8
    one_hot = functional.one_hot(labels, 8)
    both = [vad_loss(logits, vad, target, -vad).total.item() for target in (labels, one_hot)]
    assert both[0] == pytest.approx(both[1])


def test_joint_loss_refuses_to_broadcast():
    logits, vad = predictions(9, 5)
    with pytest.raises(ValueError, match=r"\(5, 1\) and their targets \(5,\)"):
        vad_loss(logits, vad[:, :1], torch.zeros(5, dtype=torch.int64), vad[:, 0], axes=["valence"])


def test_broadcast_mse_is_what_torch_does_with_a_warning():
    prediction, target = torch.randn(7, 1), torch.randn(7)
    with pytest.warns(UserWarning, match="broadcasting"):
        torchs = nn.MSELoss()(prediction, target)
    twin = sum((p - t) ** 2 for p in prediction[:, 0].tolist() for t in target.tolist()) / 49
    assert broadcast_mse(prediction, target).item() == pytest.approx(torchs.item()) == pytest.approx(twin)
    spread = prediction.var(unbiased=False) + target.var(unbiased=False) + (prediction.mean() - target.mean()) ** 2
    assert twin == pytest.approx(spread.item(), rel=1e-5)


def test_broadcast_mse_prefers_a_constant_to_the_truth():
    target = torch.randn(9)
    constant = target.mean().expand(9, 1)
    assert broadcast_mse(constant, target) < broadcast_mse(target[:, None], target)
    # Which face has which target is of no account.
    prediction = torch.randn(9, 1)
    torch.testing.assert_close(broadcast_mse(prediction, target), broadcast_mse(prediction, target.flip(0)))


@pytest.mark.parametrize("prediction", [torch.zeros(4), torch.zeros(1, 4), torch.zeros(3, 1), torch.zeros(4, 2)])
def test_broadcast_mse_is_only_for_the_slip(prediction):
    with pytest.raises(ValueError, match="the slip needs"):
        broadcast_mse(prediction, torch.zeros(4))


LABELS, LOGITS, VAD = torch.zeros(4, dtype=torch.int64), torch.zeros(4, 8), torch.zeros(4, 3)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: printed_cost(LABELS, VAD, "figure"), ConfigError),
        (lambda: printed_cost(LABELS, VAD, axes=("valence", "arousal", "intensity")), ConfigError),
        (lambda: printed_cost(LABELS, VAD, axes=("valence", "valence", "arousal")), ConfigError),
        (lambda: printed_cost(LABELS, VAD, order=("happy", "sad")), ConfigError),
        (lambda: printed_cost(LABELS, VAD[:, :2]), ValueError),
        (lambda: printed_cost(LABELS, VAD[:, 0]), ValueError),
        (lambda: printed_cost(LABELS[:3], VAD), ValueError),
        (lambda: printed_cost(LABELS - 1, VAD), ValueError),
        (lambda: printed_cost(LABELS + 8, VAD), ValueError),
        (lambda: printed_cost(LABELS + 7, VAD, order=FER2013_CODES), ValueError),
        (lambda: printed_cost(LABELS.float(), VAD), ValueError),
        (lambda: printed_cost(LOGITS, VAD, order=FER2013_CODES), ValueError),
        (lambda: printed_cost(LOGITS[:0], VAD[:0]), ValueError),
        (lambda: soft_cost(LOGITS, VAD, 0.0), ConfigError),
        (lambda: soft_cost(LOGITS, VAD, class_temperature=-1.0), ConfigError),
        (lambda: soft_cost(LOGITS, VAD, math.nan), ConfigError),
        (lambda: soft_cost(LOGITS[:3], VAD), ValueError),
        (lambda: vad_loss(LOGITS, VAD, LABELS, VAD, "hard"), ConfigError),
        (lambda: vad_loss(LOGITS, VAD, LABELS, VAD, reduction="sum"), ConfigError),
        (lambda: vad_loss(LOGITS, VAD, LABELS[:3], VAD), ValueError),
        (lambda: vad_loss(LOGITS, VAD, LOGITS[:, :7], VAD), ValueError),
        (lambda: vad_loss(LOGITS, VAD, LABELS, VAD[:1]), ValueError),
    ],
)
def test_refuses(call, error):
    with pytest.raises(error):
        call()
