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


@pytest.mark.parametrize("cover", occlusion.COVERS)
def test_what_a_block_weighs_in_a_sum_of_pixels_is_known(cover):
    """A block loses its weights times how far its pixels are from the cover; of each picture it is the logit of its own
    target that counts. Pictures need be neither grey nor square.
    """
    images, weights, targets = noise(3, 2, 6, 8), noise(2, 2, 6, 8, seed=1), torch.tensor([1, 0, 1])
    found = occlusion.falls(weighted(*weights), images, targets, side=2, cover=cover)
    if cover == PICTURE:
        means = images.mean((2, 3), keepdim=True)
    else:
        means = images.view(3, 2, 3, 2, 4, 2).mean((3, 5)).repeat_interleave(2, 2).repeat_interleave(2, 3)
    expected = occlusion.in_blocks((images - means) * weights[targets], 2)
    assert found.shape == (3, 12) and torch.allclose(found, expected, atol=1e-5)


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


def test_a_map_that_is_exact_finds_every_block_and_those_that_know_less_do_not():
    """In a sum of pixels with mean 0, relevance by the epsilon rule is just what a covered block takes away."""
    images, targets = centred(noise(20, 1, 16, 16)), torch.arange(20) % 2
    network = weighted(*noise(2, 1, 16, 16, seed=1))
    found = occlusion.measure(network, images, targets, side=2, composites=("epsilon",))
    assert found["maps"]["epsilon"][PICTURE] == 1
    # By a block's own mean others weigh most, so that the exact map of one cover is not that of the other.
    assert found["covers"] == found["maps"]["epsilon"][BLOCK] == pytest.approx(0.67, abs=0.1)
    assert found["controls"]["random"][PICTURE] == pytest.approx(0.1, abs=0.06)
    # Pictures of noise have nothing in common, so another's map is worth no more than chance.
    assert found["controls"]["another face's map"][PICTURE] == pytest.approx(0.1, abs=0.06)
    assert found["rules"] == {}


def test_another_faces_map_is_the_same_picture_where_all_are_alike():
    images = centred(noise(1, 1, 8, 8)).expand(3, -1, -1, -1)
    network = weighted(*noise(1, 1, 8, 8, seed=1))
    found = occlusion.measure(network, images, torch.zeros(3, dtype=torch.long), side=2, composites=("epsilon",))
    assert found["controls"]["another face's map"] == found["maps"]["epsilon"]


@pytest.mark.parametrize("cover", occlusion.COVERS)
def test_change_of_the_pixels_is_from_what_covers_them(cover):
    """A network that weighs each pixel by the sign of its change loses just that."""
    images = noise(2, 1, 8, 8)
    images[1] = images[0]
    signs = (images - occlusion.covering(images, 2, cover)).sign()
    found = occlusion.measure(weighted(signs[0]), images, torch.tensor([0, 0]), side=2, composites=())
    assert found["controls"]["change of the pixels"][cover] == 1


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
    common = np.mean([len(one & other) / 10 for one, other, _ in greatest])
    assert found["epsilon and gamma_box"] == pytest.approx(common) and 0 < common < 1
    assert found["epsilon and z_plus"] == 0
    assert asked == 3 * [{"bias": True, "low": float(images.min()), "high": float(images.max())}]


def test_faces_are_drawn_among_emotional_ones_that_are_named_rightly():
    images = torch.eye(8).view(8, 1, 2, 4)[[0, 1, 2, 2, 3, 4]]
    test = intensity.Faces(images, torch.tensor([0, 1, 2, 3, 3, 5]), np.zeros(6))
    network = weighted(*torch.eye(8).view(8, 1, 2, 4))
    assert occlusion.drawn(network, test).tolist() == [1, 2, 4]
    few = occlusion.drawn(network, test, 2).tolist()
    assert len(few) == 2 and set(few) < {1, 2, 4} and few == sorted(few)


def test_what_a_record_holds(monkeypatch):
    """Each network with its own faces; what a block is, is said once."""
    images = noise(30, 1, 48, 48)
    faces = intensity.Faces(images, torch.arange(30) % 8, np.zeros(30))
    trained, written = [], {}

    def network_of(kind, train, *, epochs, seed):
        trained.append((kind, epochs, seed))
        return weighted(*noise(8, 1, 48, 48, seed=seed))

    monkeypatch.setattr(occlusion.intensity, "voted_parts", lambda given: (faces, faces))
    monkeypatch.setattr(occlusion.intensity, "network_of", network_of)
    monkeypatch.setattr(occlusion.records, "write", lambda name, values, **settings: written.update(values))
    occlusion.record(None)
    assert trained == [("trained", intensity.EPOCHS, seed) for seed in intensity.SEEDS]
    assert (written["side"], written["blocks"], written["greatest"]) == (4, 144, 14)
    assert [of["faces"] for of in written["networks"]] == [
        len(occlusion.drawn(weighted(*noise(8, 1, 48, 48, seed=seed)), faces)) for seed in intensity.SEEDS
    ]


def test_what_is_recorded_was_measured_as_the_module_says():
    values = records.read(occlusion.RECORD)["values"]
    assert (values["side"], values["greatest"]) == (occlusion.SIDE, occlusion.greatest(values["blocks"]))
    assert len(values["networks"]) == len(intensity.SEEDS)
    for of in values["networks"]:
        assert of["faces"] == occlusion.COUNT
        assert list(of["maps"]) == list(lrp.COMPOSITES)
        assert list(of["controls"]["random"]) == list(occlusion.COVERS)
        chance = list(of["controls"]["random"].values())
        assert chance == pytest.approx([values["greatest"] / values["blocks"]] * 2, abs=0.025)
        assert all(0 < share < 1 for share in (of["covers"], *of["rules"].values()))
