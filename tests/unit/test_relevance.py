"""Relevance through zennit against propagation by hand, conservation, and what is made of the maps."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from torch import nn

from ferbook import models
from ferbook.core.errors import ConfigError
from ferbook.relevance import by_hand, faithfulness, head, heatmaps, intensity, lrp, networks
from ferbook.synthesis import sample


def example_network(convolved):
    """The layers of ``by_hand`` in torch: dense, on images of one row, or 1 x 1 convolutions, whose rules differ."""
    stack = []
    for layer in by_hand.EXAMPLE:
        made = nn.Conv2d(*layer.weight.shape, 1) if convolved else nn.Linear(*layer.weight.shape)
        made.weight.data = torch.from_numpy(layer.weight.T.copy()).float().view(made.weight.shape)
        made.bias.data = torch.from_numpy(layer.bias.copy()).float()
        stack += [made, nn.ReLU()]
    return nn.Sequential(*stack[:-1], nn.Flatten()) if convolved else nn.Sequential(nn.Flatten(), *stack[:-1])


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(
    ("convolved", "rule", "target"),
    [(False, "epsilon", 0), (False, "epsilon", 1), (True, "z_plus", 0), (True, "alpha2_beta1", 0)],
)
def test_rules_are_propagation_by_hand(convolved, rule, target, bias):
    network = example_network(convolved)
    image = torch.tensor(by_hand.EXAMPLE_INPUT).float().view((1, 2, 1, 1) if convolved else (1, 1, 1, 2))
    found = lrp.relevance(network, image, torch.tensor([target]), rule, bias=bias)
    expected = by_hand.propagate(by_hand.EXAMPLE, by_hand.EXAMPLE_INPUT, target, rule, bias_takes_part=bias)[0]
    assert found.flatten().tolist() == pytest.approx(expected.tolist(), rel=1e-4)


def vgg(seed=0, biases=True):
    network = models.build("vgg16_48", num_classes=7, seed=seed)
    if biases:
        generator = torch.Generator().manual_seed(seed)
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d):
                layer.bias.data = 0.05 * torch.randn(layer.bias.shape, generator=generator)
    return network


CONSERVING = ("z_plus", "alpha2_beta1", "gamma_box", *lrp.BOXED)
IMAGES = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(3))
TARGETS = torch.tensor([0, 3])


def same_relevance(found, expected):
    """In double precision: a rule divides by sums that may be small, which in single precision leaves three digits."""
    assert found.dtype is torch.float64
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-9 * float(expected.abs().max()))


@pytest.mark.parametrize("rule", CONSERVING)
def test_vgg16_conserves_relevance_within_a_per_cent_and_biases_take_some(rule):
    network = vgg()
    logits = lrp.scores(network, IMAGES)
    kept = lrp.conserved(lrp.relevance(network, IMAGES, TARGETS, rule), logits, TARGETS)
    assert kept.tolist() == pytest.approx([1.0] * 2, abs=0.01)
    with_bias = lrp.conserved(lrp.relevance(network, IMAGES, TARGETS, rule, bias=True), logits, TARGETS)
    assert (abs(with_bias - 1) > 0.05).all()


def test_over_black_pixels_only_z_box_has_something_to_hand_relevance_to():
    """Every unit is switched on by its bias alone; a pixel could have been brighter, and z-box counts that."""
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(2 * 36, 1, bias=False))
    with torch.no_grad():
        network[0].weight.copy_(torch.tensor([[1.0, -1, 1], [-1, 1, -1], [1, -1, 1]]).expand(2, 1, 3, 3))
        network[0].bias.fill_(0.5)
        network[3].weight.fill_(0.1)
    black, target = torch.zeros(1, 1, 8, 8), torch.tensor([0])
    logits = lrp.scores(network, black)
    share = {
        rule: float(lrp.conserved(lrp.relevance(network, black, target, rule), logits, target)) for rule in CONSERVING
    }
    assert share["z_plus"] == share["alpha2_beta1"] == 0
    assert all(share[rule] == pytest.approx(1, abs=1e-3) for rule in ("gamma_box", *lrp.BOXED))


def test_epsilon_without_biases_is_gradient_times_input():
    network = vgg(biases=False)
    found = lrp.relevance(network, IMAGES, TARGETS, "epsilon")
    expected = lrp.gradient_times_input(network, IMAGES, TARGETS)
    assert torch.allclose(found, expected, atol=2e-2 * float(expected.abs().max()))
    assert lrp.conserved(expected, lrp.scores(network, IMAGES), TARGETS).tolist() == pytest.approx([1] * 2, abs=0.01)


@pytest.mark.parametrize("explain", [lrp.gradient_times_input, lambda *given: lrp.relevance(*given, "z_plus")])
def test_images_need_one_target_each_and_none_at_all_has_no_map(explain):
    network = vgg()
    with pytest.raises(ValueError, match="need one target each"):
        explain(network, IMAGES, TARGETS[:1])
    assert explain(network, IMAGES[:0], TARGETS[:0]).shape == IMAGES[:0].shape


@pytest.mark.parametrize("rule", CONSERVING)
def test_the_shortcut_for_activations_changes_nothing(rule):
    network, images, targets = vgg().double(), IMAGES[:1].double(), TARGETS[:1]
    full = lrp.relevance(network, images, targets, lrp.composite(rule, fast=False))
    same_relevance(lrp.relevance(network, images, targets, rule), full)


@pytest.mark.parametrize("rule", CONSERVING)
def test_inputs_below_zero_take_the_full_rule(rule):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3))
    images, targets = torch.randn(2, 1, 8, 8), torch.tensor([0, 2])
    box = {"low": float(images.min()), "high": float(images.max())}
    full = lrp.relevance(network, images, targets, lrp.composite(rule, fast=False, **box))
    assert torch.allclose(lrp.relevance(network, images, targets, rule, **box), full)


def test_batches_change_nothing_and_the_network_is_left_alone():
    network = vgg().double().train()
    network.features[0].weight.requires_grad_(False)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    one, both = (lrp.relevance(network, IMAGES.double(), TARGETS, "z_plus", batch=size) for size in (1, 8))
    same_relevance(both, one)
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert network.training and network.features[2].training
    assert not network.features[0].weight.requires_grad and network.features[2].weight.requires_grad
    assert not any(module._forward_hooks for module in network.modules())


def test_batch_normalisation_is_folded_before_relevance():
    network = networks.untrained(0)
    images = torch.randn(6, 1, 48, 48)
    network.train()(images)
    logits = lrp.scores(network, images)
    targets = logits.argmax(1)
    kept = lrp.conserved(lrp.relevance(network, images, targets, "z_plus"), logits, targets)
    assert kept.tolist() == pytest.approx([1.0] * 6, abs=0.01)
    assert torch.allclose(lrp.scores(network, images), logits)


def test_wrong_names_and_shapes_are_refused():
    for name in ("alphabeta", "epsilon_box", "z_plus_boxed"):
        with pytest.raises(ConfigError, match="alpha2_beta1"):
            lrp.composite(name)
    with pytest.raises(ValueError, match="one target each"):
        lrp.relevance(vgg(), IMAGES, torch.tensor([0]))


# --- faithfulness ---


def test_deleting_the_pixels_of_a_linear_network_in_order():
    """Twin: the logit is the sum of a few pixels; deleting them first takes all of it at once."""
    weight = torch.zeros(1, 1, 4, 4)
    weight[0, 0, 1, 2], weight[0, 0, 3, 0] = 2.0, 1.0
    network = nn.Sequential(nn.Flatten(), nn.Linear(16, 1, bias=False))
    network[1].weight.data = weight.view(1, 16)
    images = torch.zeros(1, 1, 4, 4)
    images[0, 0, 1, 2] = images[0, 0, 3, 0] = 8.0
    found = lrp.relevance(network, images, torch.tensor([0]), "epsilon")
    curve = faithfulness.deletion_curve(network, images, torch.tensor([0]), found, steps=16)
    mean = 1.0
    assert curve[0, 0] == pytest.approx(24)
    assert curve[0, 1] == pytest.approx(2 * mean + 8)
    assert curve[0, 2:] == pytest.approx(3 * mean)
    last = faithfulness.deletion_curve(network, images, torch.tensor([0]), -found, steps=16)
    assert faithfulness.area_over_curve(curve) > faithfulness.area_over_curve(last)
    assert faithfulness.area_over_curve(curve)[0] == pytest.approx(np.mean([24 - value for value in curve[0, 1:]]))


def test_every_pixel_has_one_region_and_landmarks_lie_in_theirs():
    faces = sample(20, seed=1, split="test", occlusion="none")
    size = 96
    points = faces.landmarks(size)
    masks = faithfulness.region_masks(points, size)
    assert (masks.sum(axis=1) == 1).all()
    mouth = faithfulness.REGIONS.index("mouth")
    for k, (region, least) in enumerate([(1, 0.8), (1, 0.8), (2, 0.8), (mouth, 0.9), (mouth, 0.9)]):
        at = np.clip(np.round(points[:, k]).astype(int), 0, size - 1)
        assert masks[np.arange(20), region, at[:, 1], at[:, 0]].mean() > least, faithfulness.REGIONS[region]


def test_regions_turn_and_grow_with_the_face():
    points = np.array([[[30, 40], [66, 40], [48, 60], [36, 75], [60, 75]]], dtype=float)
    masks = faithfulness.region_masks(points, 96)
    quarter = (points - 47.5) @ np.array([[0, 1], [-1, 0]]) + 47.5
    turned = faithfulness.region_masks(quarter, 96)
    assert (np.rot90(masks, -1, axes=(2, 3)) == turned).mean() > 0.999
    assert (masks[0, 3].sum() / 96**2) == pytest.approx(
        faithfulness.region_masks(points * 2 + 0.5, 192)[0, 3].sum() / 192**2, rel=0.05
    )


def test_shares_of_positive_relevance():
    masks = np.zeros((1, 5, 2, 2), dtype=bool)
    masks[0, 0, 0, 0] = masks[0, 1, 0, 1] = True
    masks[0, 4, 1] = True
    relevance = np.array([[[[3.0, -5.0], [1.0, 0.0]]]])
    assert faithfulness.region_shares(relevance, masks)[0].tolist() == [0.75, 0, 0, 0, 0.25]
    assert np.isnan(faithfulness.region_shares(-np.abs(relevance), masks)).all()


# --- intensity ---


@settings(max_examples=30)
@given(st.integers(0, 10**6))
def test_correlations_are_literal_ones(seed):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 6, 40).astype(float)
    y = x + rng.normal(0, 3, 40)
    found = intensity.correlation(np.r_[x, np.nan], np.r_[y, 0.3])
    assert found.count == 40
    ranked = stats.rankdata(x), stats.rankdata(y)
    assert found.spearman == pytest.approx(np.corrcoef(*ranked)[0, 1])
    pairs = [(np.sign(x[i] - x[j]), np.sign(y[i] - y[j])) for i in range(40) for j in range(i)]
    literal = sum(a * b for a, b in pairs) / np.sqrt(sum(a * a for a, _ in pairs) * sum(b * b for _, b in pairs))
    assert found.kendall == pytest.approx(literal)
    assert found.spearman_low < found.spearman < found.spearman_high
    assert found.kendall_low < found.kendall < found.kendall_high


def test_intervals_cover_the_true_correlation_about_as_often_as_they_say():
    rng = np.random.default_rng(0)
    rho = 0.5
    true = 6 / np.pi * np.arcsin(rho / 2), 2 / np.pi * np.arcsin(rho)
    hits = np.zeros(2)
    for _ in range(300):
        x, y = rng.multivariate_normal([0, 0], [[1, rho], [rho, 1]], 150).T
        found = intensity.correlation(x, y)
        hits += [
            found.spearman_low <= true[0] <= found.spearman_high,
            found.kendall_low <= true[1] <= found.kendall_high,
        ]
    assert ((hits / 300 > 0.91) & (hits / 300 < 0.985)).all()


def test_no_order_is_no_correlation():
    assert np.isnan(intensity.correlation(np.ones(20), np.arange(20.0)).spearman)
    assert intensity.correlation(np.arange(20.0), np.arange(20.0)).spearman == 1
    with pytest.raises(ValueError, match="says nothing"):
        intensity.correlation(np.arange(5.0), np.arange(5.0))


def test_the_experiment_runs_for_networks_of_every_kind():
    train, test = intensity.part("synthetic", "train", 64), intensity.part("synthetic", "test", 120)
    found = intensity.experiment(train, test, epochs=1, seeds=(0,), composites=("z_plus",))
    assert set(found) == set(intensity.KINDS)
    for kind, (run,) in found.items():
        assert set(run["correlations"]) == {
            "rank (z_plus)", "core (z_plus)", "relevance (z_plus)", "logit", "probability", "distance"
        }  # fmt: skip
        assert sum(run["ranks"]["z_plus"]) == run["faces"]
        # Untrained networks are hardly ever right, so they are asked about every face.
        assert kind == "trained" or run["faces"] == int((test.labels != intensity.NEUTRAL).sum())


def test_shuffled_labels_are_the_same_labels():
    target = torch.eye(8)[torch.arange(80) % 8]
    mixed = networks.shuffled(target, 0)
    assert torch.equal(mixed.sum(0), target.sum(0)) and not torch.equal(mixed, target)


def test_pictures_are_standardised_one_by_one():
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 8)).astype(np.uint8)
    expected = (images - images.mean(axis=(1, 2), keepdims=True)) / images.std(axis=(1, 2), keepdims=True)
    assert np.allclose(networks.standardised(images)[:, 0], expected, atol=1e-4)


# --- the classifier's head ---


def test_a_head_on_cached_features_is_the_whole_network():
    network = vgg(biases=False)
    images = np.random.default_rng(0).integers(0, 256, (20, 32, 32, 3)).astype(np.uint8)
    labels = np.arange(20) % 7
    trained = head.train(head.features(network, images), labels, 7, width=32, epochs=60, batch=8, seed=0, rate=3e-3)
    # In double precision: features of random convolutions hardly differ between pictures, and the head divides by how
    # much they do, so that sums in another order (another batch, another processor) show in the third digit of floats.
    network, trained = network.double(), trained.double()
    cached = head.features(network, images)
    assert cached.shape == (20, 512) and cached.dtype is torch.float64
    joined = head.join(network, trained)
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2).double() / 255
    with torch.inference_mode():
        assert torch.allclose(joined(pixels), trained(cached), rtol=1e-6, atol=1e-9)
        assert (trained(cached).argmax(1).numpy() == labels).mean() > 0.8
    assert torch.equal(joined.features[0].weight, network.features[0].weight)


# --- pictures ---


def test_one_symmetric_scale_for_all_maps():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (2, 8, 8)).astype(np.uint8)
    figure = heatmaps.overlays(images, rng.normal(size=(2, 1, 8, 8)), ["a\nb", "c"])
    drawn = [image for axis in figure.axes for image in axis.images]
    (only,) = {image.get_clim() for image in drawn if image.get_cmap().name == heatmaps.COLOURS}
    assert only[0] == -only[1]
    assert heatmaps.limit(np.zeros(4)) == 1.0
