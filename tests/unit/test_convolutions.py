"""Convolutions that are quick on small images: torch's own are the twin."""

import itertools

import pytest
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ferbook import models
from ferbook.learning import benchmark
from ferbook.models import convolutions
from ferbook.models.convolutions import DepthwiseConv2d, PointwiseConv2d, quickened

CHANNELS = 6
#: Kernel, stride, padding, height and width.
SHAPES = [
    shape
    for shape in itertools.product((3, 5), (1, 2), (0, 1, 2), (1, 2, 3, 4, 7), (1, 3, 4))
    if min(shape[3:]) + 2 * shape[2] >= shape[0]
]
#: The same with two sides that differ.
UNEVEN = [
    ((3, 5), (1, 2), (1, 2), 2, 4),
    ((5, 3), (2, 1), (2, 0), 3, 4),
    ((5, 4), (3, 2), (1, 2), 4, 3),
    ((5, 5), (1, 1), (0, 2), 5, 2),
]


def pair(kernel, stride, padding):
    """A layer and torch's own, with the same weights."""
    torch.manual_seed(0)
    own = nn.Conv2d(CHANNELS, CHANNELS, kernel, stride, padding, groups=CHANNELS, bias=False)
    again = nn.Conv2d(CHANNELS, CHANNELS, kernel, stride, padding, groups=CHANNELS, bias=False)
    again.load_state_dict(own.state_dict())
    return own, DepthwiseConv2d(again)


def gradients(layer, x):
    x = x.clone().requires_grad_()
    y = layer(x)
    (y * torch.arange(1.0, y.numel() + 1).reshape(y.shape).cos()).sum().backward()
    return y, x.grad, *(weight.grad for weight in layer.parameters())


@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(("kernel", "stride", "padding", "height", "width"), SHAPES + UNEVEN)
def test_outputs_and_gradients_are_those_of_torch(kernel, stride, padding, height, width, order):
    torch_own, quick = pair(kernel, stride, padding)
    x = torch.randn(4, CHANNELS, height, width).contiguous(memory_format=order)
    for expected, found in zip(gradients(torch_own, x), gradients(quick, x), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def ways(quick, x, monkeypatch):
    """How often a layer's own way back was taken."""
    taken = []
    real = convolutions._Convolved.apply
    monkeypatch.setattr(convolutions._Convolved, "apply", lambda *given: taken.append(1) or real(*given))
    y = quick(x)
    if y.requires_grad:
        y.sum().backward()
    return len(taken)


def test_only_images_below_the_kernel_go_another_way(monkeypatch):
    _, quick = pair(5, 1, 2)
    assert ways(quick, torch.randn(2, CHANNELS, 4, 4), monkeypatch) == 1
    assert ways(quick, torch.randn(2, CHANNELS, 5, 4), monkeypatch) == 0
    with torch.no_grad():
        assert ways(quick, torch.randn(2, CHANNELS, 4, 4), monkeypatch) == 0


def test_half_precision_is_left_to_torch(monkeypatch):
    own, quick = pair(5, 1, 2)
    x = torch.randn(2, CHANNELS, 3, 3)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(own(x), quick(x))
        assert ways(quick, x, monkeypatch) == 0


def test_a_frozen_input_or_kernel_gets_no_gradient():
    _, quick = pair(3, 1, 1)
    x = torch.randn(2, CHANNELS, 2, 2)
    quick(x).sum().backward()
    assert x.grad is None and quick.weight.grad is not None
    quick.weight.grad = None
    quick.weight.requires_grad_(False)
    x.requires_grad_()
    quick(x).sum().backward()
    assert x.grad is not None and quick.weight.grad is None


def test_a_bias_from_folding_batch_norm_counts():
    own, quick = pair(5, 1, 2)
    norm = nn.BatchNorm2d(CHANNELS).eval()
    norm.bias.data.normal_()
    norm.running_mean.normal_()
    x = torch.randn(2, CHANNELS, 2, 2)
    folded = fuse_conv_bn_eval(quick.eval(), norm)
    assert isinstance(folded, DepthwiseConv2d) and folded.weight.requires_grad
    torch.testing.assert_close(folded(x), norm(own(x)))


def test_other_convolutions_stay_and_names_too():
    layers = nn.Sequential(
        nn.Conv2d(4, 4, 3, groups=4, bias=False),
        nn.Conv2d(4, 4, 3, groups=4),
        nn.Conv2d(4, 8, 3, groups=4, bias=False),
        nn.Conv2d(4, 4, 3, bias=False),
        nn.Conv2d(4, 4, 3, groups=4, bias=False, padding="same"),
        nn.Conv2d(4, 4, 3, groups=4, bias=False, dilation=2),
        nn.Conv2d(4, 4, 3, groups=4, bias=False, padding=1, padding_mode="reflect"),
    )
    before = layers.state_dict()
    assert [type(layer) is DepthwiseConv2d for layer in quickened(layers)] == [True] + 6 * [False]
    assert not any(type(layer) is PointwiseConv2d for layer in layers)
    for layer in layers[1:]:
        with pytest.raises(ValueError, match="no depthwise convolution"):
            DepthwiseConv2d(layer)
    assert list(before) == list(layers.state_dict())
    assert all(torch.equal(before[name], value) for name, value in layers.state_dict().items())


def single_pixels(bias=True):
    """Torch's own layer and its twin, with the same weights."""
    torch.manual_seed(0)
    own = nn.Conv2d(6, 10, 1, bias=bias)
    again = nn.Conv2d(6, 10, 1, bias=bias)
    again.load_state_dict(own.state_dict())
    return own, PointwiseConv2d(again)


def products(quick, x, monkeypatch):
    """How often a layer took the product of matrices."""
    taken, real = [], convolutions.functional.linear
    monkeypatch.setattr(convolutions.functional, "linear", lambda *given: taken.append(1) or real(*given))
    quick(x)
    return len(taken)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(4, 6, 5, 3), (4, 6, 1, 1), (1, 6, 2, 2), (0, 6, 2, 2)])
def test_single_pixels_are_a_product_of_matrices(shape, bias, monkeypatch):
    torch_own, quick = single_pixels(bias)
    x = torch.randn(shape).contiguous(memory_format=torch.channels_last)
    for expected, found in zip(gradients(torch_own, x), gradients(quick, x), strict=True):
        assert found.shape == expected.shape
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    assert quick(x).is_contiguous(memory_format=torch.channels_last)
    assert products(quick, x, monkeypatch) == 1


def test_what_lies_otherwise_or_is_coarser_is_left_to_torch(monkeypatch):
    own, quick = single_pixels()
    x = torch.randn(2, 6, 4, 4)
    assert products(quick, x, monkeypatch) == 0 and torch.equal(own(x), quick(x))
    x = x.contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        assert products(quick, x, monkeypatch) == 0 and torch.equal(own(x), quick(x))
    assert products(quick.double(), x.double(), monkeypatch) == 0


def test_folding_batch_norm_into_single_pixels(monkeypatch):
    own, quick = single_pixels()
    norm = nn.BatchNorm2d(10).eval()
    norm.bias.data.normal_()
    norm.running_mean.normal_()
    x = torch.randn(2, 6, 2, 2).contiguous(memory_format=torch.channels_last)
    folded = fuse_conv_bn_eval(quick.eval(), norm)
    torch.testing.assert_close(folded(x), norm(own(x)), rtol=1e-5, atol=1e-5)
    assert products(folded, x, monkeypatch) == 1


@pytest.mark.parametrize("name", ["mten", "efficientnet_lite0"])
def test_gradients_lie_in_memory_as_their_weights(name):
    """An optimiser would copy them otherwise, and several processes, too."""
    network = models.build(name, 8, 3, seed=0).to(memory_format=torch.channels_last)
    images = torch.rand(2, 3, 48, 48).contiguous(memory_format=torch.channels_last)
    models.logits(network(images)).square().sum().backward()
    learned = [weight for weight in network.parameters() if weight.grad is not None]
    assert len(learned) > 100 and all(weight.grad.stride() == weight.stride() for weight in learned)


def test_only_single_pixels_are_taken_so():
    layers = nn.Sequential(
        nn.Conv2d(4, 4, 1),
        nn.Conv2d(4, 4, 1, bias=False),
        nn.Conv2d(4, 4, 1, stride=2),
        nn.Conv2d(4, 4, 1, padding=1),
        nn.Conv2d(4, 4, 1, groups=2),
        nn.Conv2d(4, 4, (1, 3)),
    )
    before = layers.state_dict()
    assert [type(layer) is PointwiseConv2d for layer in quickened(layers)] == 2 * [True] + 4 * [False]
    for layer in layers[2:]:
        with pytest.raises(ValueError, match="no convolution of single pixels"):
            PointwiseConv2d(layer)
    assert all(torch.equal(before[name], value) for name, value in layers.state_dict().items())


@pytest.mark.parametrize("name", ["mten", "efficientnet_lite0"])
def test_networks_with_such_layers_have_them(name):
    network = models.build(name, seed=0)
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    own = [layer for layer in layers if layer.groups > 1]
    assert len(own) >= 16 and all(isinstance(layer, DepthwiseConv2d) for layer in own)
    single = [layer for layer in layers if layer.kernel_size == (1, 1)]
    assert len(single) >= 30 and all(isinstance(layer, PointwiseConv2d) for layer in single)
    assert models.parameter_count(network) == models.parameter_count(network, trainable=True)


def test_the_benchmark_compares_with_torchs_own_layers():
    """Same weights and answers either way; only one of the two has layers that are written out."""
    found = benchmark.gradients(batch=2, filters=4, least=2, most=2)
    for name in ("depthwise", "pointwise", "orthogonality", "optimiser"):
        assert found[f"{name}_factor"] > 0 and len(found[f"{name}_factors"]) == 2
        assert found[f"{name}_s"] > 0 and found[f"{name}_plain_s"] > 0
    images = torch.rand(2, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    for kind in (DepthwiseConv2d, PointwiseConv2d):
        quick, plain = models.build("mten", seed=0), benchmark.plainly(models.build("mten", seed=0), kind)
        assert any(type(layer) is kind for layer in quick.modules())
        assert not any(type(layer) is kind for layer in plain.modules())
        with torch.no_grad():
            torch.testing.assert_close(quick.eval()(images).logits, plain.eval()(images).logits)
