"""Blocks of a face that are covered one by one, and whether maps name those that weigh most."""

import numpy as np
import pytest
import torch
from torch import nn

from ferbook.core import records
from ferbook.relevance import intensity, lrp, occlusion

PICTURE, BLOCK = occlusion.COVERS


def weighted(*weights):
    """A network whose logits are sums of pixels, each pixel times its weight."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(weights[0].numel(), len(weights), bias=False))
    network[1].weight.data = torch.stack([one.flatten() for one in weights])
    return network


def noise(*size, seed=0):
    return torch.randn(size, generator=torch.Generator().manual_seed(seed))


def centred(images):
    return images - images.mean((2, 3), keepdim=True)


def test_blocks_are_summed_row_by_row():
    image = torch.arange(16.0).view(1, 1, 4, 4)
    assert occlusion.in_blocks(image, 2).tolist() == [[10, 18, 42, 50]]
    assert occlusion.in_blocks(torch.cat([image, image], 1), 2).tolist() == [[20, 36, 84, 100]]
    assert torch.equal(occlusion.in_blocks(image, 1), image.flatten(1))
    with pytest.raises(ValueError, match="do not fill"):
        occlusion.in_blocks(image, 3)


def test_what_a_block_weighs_in_a_sum_of_pixels_is_known():
    """Covered with the mean of the picture, a block loses its weights times how far its pixels are from that mean; of
    each picture it is the logit of its own target that counts.
    """
    images, weights, targets = noise(3, 1, 8, 8), noise(2, 1, 8, 8, seed=1), torch.tensor([1, 0, 1])
    found = occlusion.falls(weighted(*weights), images, targets, side=2, cover=PICTURE)
    expected = occlusion.in_blocks(centred(images) * weights[targets], 2)
    assert torch.allclose(found, expected, atol=1e-5)


def test_the_mean_of_the_block_leaves_its_brightness():
    images, targets = noise(2, 1, 8, 8), torch.zeros(2, dtype=torch.long)
    brightness = weighted(torch.ones(1, 8, 8))
    assert occlusion.falls(brightness, images, targets, side=4, cover=BLOCK).abs().max() < 1e-5
    assert occlusion.falls(brightness, images, targets, side=4, cover=PICTURE).abs().max() > 0.1


@pytest.mark.parametrize(("side", "cover", "said"), [(3, PICTURE, "do not fill"), (2, "black", "is no cover")])
def test_blocks_and_covers_that_do_not_work_are_refused(side, cover, said):
    with pytest.raises(ValueError, match=said):
        occlusion.falls(weighted(torch.ones(1, 8, 8)), noise(1, 1, 8, 8), torch.tensor([0]), side=side, cover=cover)


def test_greatest_places_that_two_orders_share():
    one = torch.tensor([[9.0, 8, 1, 0], [9, 8, 1, 0]])
    other = torch.tensor([[7.0, 9, 0, 1], [0, 9, 8, 1]])
    assert occlusion.shared(one, other, share=0.5).tolist() == [1.0, 0.5]
    assert occlusion.shared(one, -one, share=0.5).tolist() == [0, 0]
    assert occlusion.shared(one, other, share=0.01).tolist() == [0, 0], "one place at least"
    assert occlusion.shared(one, other, share=0.4).tolist() == [1, 0.5], "1.6 places are two"


def test_a_map_that_is_exact_finds_every_block_and_one_that_knows_nothing_does_not():
    """In a sum of pixels with mean 0, relevance by the epsilon rule is just what a covered block takes away."""
    images, targets = centred(noise(20, 1, 16, 16)), torch.arange(20) % 2
    network = weighted(*noise(2, 1, 16, 16, seed=1))
    found = occlusion.measure(network, images, targets, side=2, composites=("epsilon",))
    assert (found["maps"]["epsilon"][PICTURE] == 1).all()
    assert found["controls"]["random"][PICTURE].mean() < 0.25
    # A block's own mean takes another share of it away, so that not even an exact map finds all of the weightiest.
    covers = found["covers"]
    assert 0.2 < covers.mean() < 1 and np.array_equal(covers, found["maps"]["epsilon"][BLOCK])
    assert found["rules"] == {}


def test_contrast_is_how_far_pixels_are_from_the_mean_of_their_picture():
    """A network that weighs each pixel by the sign that it has finds contrast exact."""
    images = centred(noise(1, 1, 8, 8))
    found = occlusion.measure(weighted(images[0].sign()), images, torch.tensor([0]), side=2, composites=())
    assert found["controls"]["contrast"][PICTURE].tolist() == [1]


def test_rules_are_compared_by_their_own_greatest_pixels(monkeypatch):
    """Each pair once. The z-box rule is told the range of the pixels, and biases take part."""
    maps = {"epsilon": noise(2, 1, 10, 10), "gamma_box": noise(2, 1, 10, 10, seed=1)}
    maps["z_plus"] = -maps["epsilon"]
    images, asked = noise(2, 1, 10, 10, seed=2), []

    def relevance(model, images, targets, rule, **settings):
        asked.append(settings)
        return maps[rule]

    monkeypatch.setattr(occlusion.lrp, "relevance", relevance)
    network = weighted(torch.ones(1, 10, 10))
    found = occlusion.measure(network, images, torch.tensor([0, 0]), side=5, composites=tuple(maps))["rules"]
    assert list(found) == ["epsilon and gamma_box", "epsilon and z_plus", "gamma_box and z_plus"]
    greatest = [[set(values[k].flatten().topk(10).indices.tolist()) for values in maps.values()] for k in range(2)]
    assert found["epsilon and gamma_box"].tolist() == [len(one & other) / 10 for one, other, _ in greatest]
    assert found["epsilon and z_plus"].tolist() == [0, 0]
    assert asked == 3 * [{"bias": True, "low": float(images.min()), "high": float(images.max())}]


def test_faces_are_drawn_among_emotional_ones_that_are_named_rightly():
    images = torch.eye(8).view(8, 1, 2, 4)[[0, 1, 2, 2, 3, 4]]
    test = intensity.Faces(images, torch.tensor([0, 1, 2, 3, 3, 5]), np.zeros(6))
    network = weighted(*torch.eye(8).view(8, 1, 2, 4))
    assert occlusion.drawn(network, test).tolist() == [1, 2, 4]
    few = occlusion.drawn(network, test, 2).tolist()
    assert len(few) == 2 and set(few) < {1, 2, 4} and few == sorted(few)


def test_what_is_recorded_was_measured_as_the_module_says():
    values = records.read(occlusion.RECORD)["values"]
    assert (values["side"], values["share"]) == (occlusion.SIDE, occlusion.SHARE)
    assert len(values["networks"]) == len(intensity.SEEDS)
    blocks = (48 // occlusion.SIDE) ** 2
    chance = round(occlusion.SHARE * blocks) / blocks
    for of in values["networks"]:
        assert of["faces"] == occlusion.COUNT
        assert list(of["maps"]) == list(lrp.COMPOSITES)
        assert all(low < chance < high for _, low, high in of["controls"]["random"].values())
