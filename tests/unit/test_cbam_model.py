"""CBAM's gates against literal twins, where they sit, and the narrow ResNet that the book compares them in."""

import itertools
import math

import pytest
import torch
from torch import nn

from ferbook import models
from ferbook.core.errors import ConfigError
from ferbook.models.cbam import BLOCKS, PLACEMENTS, Cbam, SmallCbamResNet

SMALL = "resnet_cbam_48"


def sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z))


def channel_twin(cbam: Cbam, planes: list) -> list[float]:
    """Woo et al. (2018), equation 2, number by number: what each channel of one picture is multiplied with."""
    (w1, b1), (w2, b2) = ((cbam.channel.mlp[k].weight.tolist(), cbam.channel.mlp[k].bias.tolist()) for k in (0, 2))

    def mlp(v):
        hidden = [max(0.0, sum(w * x for w, x in zip(row, v, strict=True)) + b) for row, b in zip(w1, b1, strict=True)]
        return [sum(w * h for w, h in zip(row, hidden, strict=True)) + b for row, b in zip(w2, b2, strict=True)]

    values = [[value for row in plane for value in row] for plane in planes]
    mean, most = [sum(one) / len(one) for one in values], [max(one) for one in values]
    return [sigmoid(a + b) for a, b in zip(mlp(mean), mlp(most), strict=True)]


def spatial_twin(cbam: Cbam, planes: list) -> list[list[float]]:
    """Equation 3 in evaluation mode: what each place of one picture is multiplied with."""
    kernel, norm = cbam.spatial.conv.weight[0].tolist(), cbam.spatial.norm
    height, width = len(planes[0]), len(planes[0][0])
    scale = float(norm.weight[0]) / math.sqrt(float(norm.running_var[0]) + norm.eps)
    gate = [[0.0] * width for _ in range(height)]
    for i, j, u, v in itertools.product(range(height), range(width), range(7), range(7)):
        if 0 <= i + u - 3 < height and 0 <= j + v - 3 < width:
            across = [plane[i + u - 3][j + v - 3] for plane in planes]
            gate[i][j] += kernel[0][u][v] * max(across) + kernel[1][u][v] * sum(across) / len(across)
    shift, bias = float(norm.running_mean[0]), float(norm.bias[0])
    return [[sigmoid(scale * (total - shift) + bias) for total in row] for row in gate]


def shaken(module: nn.Module, seed: int = 0) -> nn.Module:
    """Every parameter and buffer away from where it starts, so that none can hide."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for value in [*module.parameters(), *module.buffers()]:
            if value.is_floating_point():
                value.copy_(0.3 + 0.4 * torch.rand(value.shape, generator=generator))
    return module


def test_both_gates_are_the_twins():
    cbam = shaken(Cbam(8, reduction=4)).double().eval()
    x = torch.randn(2, 8, 5, 4, generator=torch.Generator().manual_seed(1)).double()
    with torch.no_grad():
        channel = torch.tensor([channel_twin(cbam, planes) for planes in x.tolist()], dtype=x.dtype)
        torch.testing.assert_close(cbam.channel(x)[:, :, 0, 0], channel)
        spatial = torch.tensor([spatial_twin(cbam, planes) for planes in x.tolist()], dtype=x.dtype)
        torch.testing.assert_close(cbam.spatial(x)[:, 0], spatial)
        gated = x * channel[:, :, None, None]
        spatial = torch.tensor([spatial_twin(cbam, planes) for planes in gated.tolist()], dtype=x.dtype)
        torch.testing.assert_close(cbam(x), gated * spatial[:, None])


@pytest.mark.parametrize("channels", [256, 512, 1024, 2048])
def test_the_parameters_are_those_of_the_formula(channels):
    counted = models.parameter_count(Cbam(channels))
    assert counted == 2 * channels**2 // 16 + channels // 16 + channels + 100
    assert counted == {256: 8_564, 512: 33_412, 1024: 132_260, 2048: 526_564}[channels]


@pytest.mark.parametrize("block", BLOCKS)
def test_placements_differ_in_attention_alone(block):
    plain = models.build(SMALL, seed=3, placement=None, block=block, layers=(1, 2, 1, 1), width=8)
    for placement in PLACEMENTS:
        other = models.build(SMALL, seed=3, placement=placement, block=block, layers=(1, 2, 1, 1), width=8, reduction=4)
        gates = [module for module in other.modules() if isinstance(module, Cbam)]
        assert len(gates) == {"blocks": 5, "stages": 4, "last": 1, None: 0}[placement]
        assert all(not gate.spatial.norm.weight.any() for gate in gates)
        state = other.state_dict()
        assert all(torch.equal(value, state[key]) for key, value in plain.state_dict().items())
        assert {key.split("cbam")[0] for key in set(state) - set(plain.state_dict())} == {
            name.removesuffix("cbam") for name, module in other.named_modules() if isinstance(module, Cbam)
        }
        extra = models.parameter_count(other) - models.parameter_count(plain)
        assert extra == sum(models.parameter_count(gate) for gate in gates)


@pytest.mark.parametrize("block", BLOCKS)
def test_with_open_gates_it_is_the_plain_network(block):
    options = {"block": block, "width": 8, "reduction": 4}
    plain = models.build(SMALL, seed=0, **options).eval()
    x = torch.rand(2, 1, 48, 48)
    for placement in ("blocks", "stages", "last"):
        gated = models.build(SMALL, seed=0, placement=placement, **options).eval()
        with torch.no_grad():
            assert not torch.allclose(gated(x), plain(x))
            for module in gated.modules():
                if isinstance(module, Cbam):
                    module.forward = lambda x: x
            torch.testing.assert_close(gated(x), plain(x))


def test_the_small_networks_gates_can_be_looked_at():
    model = models.build(SMALL, seed=0, placement="blocks", reduction=4)
    maps = model.attention(torch.rand(3, 1, 48, 48))
    assert [maps[name].spatial.shape[1] for name in maps] == [24, 12, 6, 3]
    assert [maps[name].channel.shape for name in maps] == [(3, 16), (3, 32), (3, 64), (3, 128)]


def test_the_head_that_section_3_6_plans():
    model = models.build(SMALL, head="regularised", dropout=0.4)
    assert [type(layer) for layer in model.head] == [nn.BatchNorm1d, nn.Dropout, nn.Linear]
    assert model.head[1].p == 0.4 and len(models.build(SMALL).head) == 1


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"placement": "first"}, "placement"),
        ({"block": "dense"}, "block"),
        ({"head": "deep"}, "head"),
        ({"layers": (1, 1)}, "layers"),
        ({"width": 4}, "width"),
        ({"dropout": 1.0, "head": "regularised"}, "dropout"),
        ({"placement": "last", "reduction": 0}, "reduction"),
        ({"placement": "last", "reduction": 2.5}, "reduction"),
        ({"placement": "last", "reduction": "4"}, "reduction"),
        ({"layers": 2}, "layers"),
        ({"block": ["basic"]}, "block"),
    ],
)
def test_bad_options_name_their_field(options, field):
    with pytest.raises(ConfigError, match=field):
        SmallCbamResNet(8, 1, **options)
