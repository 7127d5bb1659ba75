"""Adam on weights whose channels are last in memory: the plain step, without copies, whatever the gradients' order."""

import io
from copy import deepcopy

import pytest
import torch

from ferbook.learning import optimisers

LAST, FIRST = torch.channels_last, torch.contiguous_format
KINDS = {optimisers.Adam: torch.optim.Adam, optimisers.AdamW: torch.optim.AdamW}


def weights(order=LAST):
    """A kernel, one of 1 x 1, a depthwise one, a matrix and a bias."""
    generator = torch.Generator().manual_seed(0)
    shapes = (8, 6, 3, 3), (8, 6, 1, 1), (8, 1, 5, 5), (8, 6), (8,)
    drawn = [torch.randn(shape, generator=generator) for shape in shapes]
    return [
        torch.nn.Parameter(one.contiguous(memory_format=order) if one.ndim == 4 else one).requires_grad_()
        for one in drawn
    ]


def stepped(optimiser, parameters, order=LAST, steps=range(3)):
    for step in steps:
        generator = torch.Generator().manual_seed(step)
        for one in parameters:
            gradient = torch.randn(one.shape, generator=generator)
            one.grad = gradient.contiguous(memory_format=order) if one.ndim == 4 else gradient
        optimiser.step()
    return parameters


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("order", [LAST, FIRST])
@pytest.mark.parametrize("of_gradients", [LAST, FIRST])
def test_a_step_is_the_plain_one(kind, order, of_gradients):
    """In torch's own fused step, weights and gradients of different orders are paired wrongly."""
    fused, plain = weights(order), weights(FIRST)
    stepped(kind(fused, 0.01, 0.1), fused, of_gradients)
    stepped(KINDS[kind](plain, 0.01, weight_decay=0.1, fused=False, foreach=False), plain, FIRST)
    for one, other, before in zip(fused, plain, weights(order), strict=True):
        assert torch.allclose(one, other, atol=1e-6) and one.stride() == before.stride()


def test_nothing_is_copied():
    parameters = weights()
    optimiser = optimisers.AdamW(parameters, 0.01)
    stepped(optimiser, parameters)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        optimiser.step()
    assert "aten::clone" not in {event.key for event in profile.key_averages()}


def test_a_checkpoint_is_torchs_own_and_goes_on():
    parameters, again, plain = weights(), weights(), weights()
    optimiser = optimisers.Adam(parameters, 0.01)
    stepped(optimiser, parameters, steps=range(2))
    kept = io.BytesIO()
    torch.save({"weights": parameters, "state": optimiser.state_dict()}, kept)
    kept.seek(0)
    read = torch.load(kept, weights_only=True)
    for one, stored in zip(again, read["weights"], strict=True):
        one.data.copy_(stored)
    resumed = optimisers.Adam(again, 0.01)
    resumed.load_state_dict(read["state"])
    stepped(resumed, again, steps=range(2, 4))
    stepped(optimiser, parameters, steps=range(2, 4))
    for one, other in zip(again, parameters, strict=True):
        assert torch.equal(one, other)
    ours, theirs = read["state"], torch.optim.Adam(plain, 0.01, fused=True)
    stepped(theirs, plain, steps=range(2))
    theirs = theirs.state_dict()
    assert ours.keys() == theirs.keys() and ours["state"].keys() == theirs["state"].keys()
    for key, state in theirs["state"].items():
        assert {name: value.stride() for name, value in state.items()} == {
            name: value.stride() for name, value in ours["state"][key].items()
        }


def test_any_order_of_memory_is_paired_rightly():
    """Kernels of three axes and of five, an order that is neither, gradients and loaded moments of another one."""

    def drawn(turned):
        generator = torch.Generator().manual_seed(0)
        kept = [torch.randn(shape, generator=generator) for shape in ((4, 3, 2), (4, 3, 2, 5), (4, 3, 2, 5, 2))]
        return [torch.nn.Parameter(one.transpose(0, 1).contiguous().transpose(0, 1) if turned else one) for one in kept]

    ours, plain = drawn(True), drawn(False)
    first, second = optimisers.Adam(ours, 0.01), torch.optim.Adam(plain, 0.01, foreach=False, fused=False)
    for step in range(4):
        if step == 2:
            first.load_state_dict(deepcopy(second.state_dict()))
            first.param_groups[0]["fused"] = True
        generator = torch.Generator().manual_seed(step)
        for one, other in zip(ours, plain, strict=True):
            one.grad = torch.randn(one.shape, generator=generator)
            other.grad = one.grad.clone()
        first.step()
        second.step()
    for one, other in zip(ours, plain, strict=True):
        assert not one.is_contiguous() and torch.allclose(one, other, atol=1e-6)
