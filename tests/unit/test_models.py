"""Every network: shapes, gradients, numbers of parameters, weights on disk; and slow literal twins of the equations."""

import copy
import math
import pickle
from urllib.error import URLError

import pytest
import torch
import torchvision
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from ferbook import models
from ferbook.core.errors import ConfigError, DataError, FerbookError
from ferbook.models.cbam import PLACEMENTS, Cbam, SpatialGate
from ferbook.models.dan import AffinityLoss, AttentionHead, partition_loss
from ferbook.models.layers import evaluating
from ferbook.models.ran import REGIONS, RegionAttention, region_bias_loss, region_crops
from ferbook.models.vad import regularised_layers
from ferbook.models.weights import differences
from tests.unit.rounding import close

# name, num_classes, options -> parameters, with the default channels.
COUNTS = [
    ("cifar_resnet18", 1, {}, 11_169_345),
    ("cifar_resnet18", 7, {}, 11_172_423),
    ("vad_separate", 7, {}, 44_680_458),
    ("vad_shared", 7, {}, 11_172_423 + 3 * 513),
    ("vad_shared", 7, {"axes": ["valence"]}, 11_172_423 + 513),
    ("vad_separate", 7, {"axes": ["dominance"]}, 11_172_423 + 11_169_345),
    ("resnet18", 7, {}, 11_180_103),
    ("resnet18", 8, {}, 11_180_616),
    ("ran", 8, {}, 11_186_250),
    ("ran", 8, {"trunk": "resnet34"}, 21_294_410),
    ("dan", 7, {}, 19_723_733),
    ("dan", 8, {}, 19_724_248),
    ("efficientnet_b2", 7, {}, 7_710_857),
    ("efficientnet_b2", 8, {}, 7_712_266),
    ("efficientnet_b2", 10, {}, 7_715_084),
    ("mten", 8, {}, 7_715_084),
    ("efficientnet_b0", 8, {}, 4_017_796),
    ("efficientnet_b0", 10, {}, 4_020_358),
    ("mten", 8, {"trunk": "b0"}, 4_020_358),
    ("resnet50", 7, {}, 23_522_375),
    ("resnet50", 8, {}, 23_524_424),
    ("resnet50", 1000, {}, 25_557_032),
    ("resnet50_cbam", 7, {}, 26_054_967),
    ("resnet50_cbam", 8, {}, 26_057_016),
    ("resnet50_cbam", 1000, {}, 28_089_624),
    ("resnet50_cbam", 7, {"placement": "stages"}, 24_223_175),
    ("resnet50_cbam", 7, {"placement": "last"}, 24_048_939),
    ("resnet50_cbam", 7, {"placement": None}, 23_522_375),
    ("vgg16", 7, {}, 134_289_223),
    ("vgg16", 8, {}, 134_293_320),
    ("vgg16", 1000, {}, 138_357_544),
    ("vgg16_frozen", 7, {}, 134_289_223),
    ("vgg16_48", 8, {}, 14_718_792),
    ("vgg13_ferplus", 8, {}, 8_757_704),
    ("mobilenet", 1000, {}, 4_231_976),
    ("efficientnet_lite0", 8, {}, 3_381_256),
    ("efficientnet_lite0", 1000, {"enlarge": 96}, 4_652_008),
    ("face_resnet", 8, {}, 5_580_328),
]
# torchvision's own counts, for what the reference table leaves out.
TORCHVISION = ("vgg13", "vgg19", "resnet34", "densenet169", "densenet201", *(f"efficientnet_b{i}" for i in range(8)))

#: The longest sum of a network, 3 x 3 places of 512 channels, and its layers.
DEEPEST = {"terms": 4608, "layers": 200}

# Less than the default where that would cost seconds, or draws what a test of gradients cannot have.
SMALLER = {name: {"head": "dense"} for name in ("vgg13", "vgg16", "vgg19")}
EXTRAS = {"ran": [(2, 6)], "dan": [(2, 512), (2, 4, 512)], "mten": [(2, 2)]}
EXTRAS |= {name: [(2, 3)] for name in ("vad_shared", "vad_separate")}


def meta(name: str, *args: object, **options: object) -> nn.Module:
    """A network without memory."""
    with torch.device("meta"):
        return models.build(name, *args, **options)


def faces(channels: int, count: int = 2, size: int = 48, seed: int = 0) -> Tensor:
    return torch.rand(count, channels, size, size, generator=torch.Generator().manual_seed(seed))


def kept(model: nn.Module) -> dict[str, Tensor]:
    return {key: value.clone() for key, value in model.state_dict().items()}


def same_tensors(one: nn.Module | dict[str, Tensor], other: nn.Module | dict[str, Tensor]) -> bool:
    a, b = (side.state_dict() if isinstance(side, nn.Module) else side for side in (one, other))
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


def answers(model: nn.Module, x: Tensor) -> tuple[object, list[Tensor]]:
    output = model(x)
    return output, [output] if isinstance(output, Tensor) else list(output)


@pytest.mark.parametrize("name", models.available())
def test_every_model(name, tmp_path):
    options = SMALLER.get(name, {})
    model = models.build(name, seed=0, **options)
    again = models.build(name, seed=0, **options)
    assert same_tensors(model, again)

    x = faces(models.describe(name).in_channels)
    with torch.no_grad():
        output, parts = answers(model, x)
    assert models.logits(output) is parts[0]
    assert [tuple(part.shape) for part in parts] == [(2, 8), *EXTRAS.get(name, [])]
    assert all(part.isfinite().all() for part in parts)

    # In evaluation mode: batch-norm over two faces may leave nothing of a gradient.
    model.eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if not parameter.any():
                parameter.normal_(0, 0.1, generator=torch.Generator().manual_seed(1))
    output, parts = answers(model, x)
    generator = torch.Generator().manual_seed(2)
    sum((part * torch.randn(part.shape, generator=generator)).sum() for part in parts).backward()
    for key, parameter in model.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None and parameter.grad.isfinite().all() and parameter.grad.any(), key
        else:
            assert parameter.grad is None, key

    path = models.save_weights(model, tmp_path / "weights" / "model.safetensors")
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    models.load_weights(again, path)
    assert same_tensors(model, again)
    again.eval()
    with torch.no_grad():
        close(models.logits(again(x)), parts[0], **DEEPEST)
    path.unlink()


@pytest.mark.parametrize(("name", "num_classes", "options", "count"), COUNTS)
def test_number_of_parameters(name, num_classes, options, count):
    assert models.parameter_count(meta(name, num_classes, **options)) == count


def test_number_of_parameters_of_parts():
    with torch.device("meta"):
        head, affinity = AttentionHead(), AffinityLoss()
    ran, frozen = meta("ran"), meta("vgg16_frozen", 7)
    for part, count in (
        (head, 2_135_904),
        (head.channel, 33_376),
        (affinity, 4_096),
        (meta("mten").trunk, 7_700_994),
        (meta("mten", trunk="b0").trunk, 4_007_548),
        (meta("dan").trunk, 11_176_512),
        (ran.attention.alpha, 513),
        (ran.attention.beta, 1_025),
        (ran.fc, 8_200),
        (frozen.features, 14_714_688),
    ):
        assert models.parameter_count(part) == count
    assert models.parameter_count(frozen, trainable=True) == 119_574_535


def test_mobilenet_counts_as_keras_does():
    model = meta("mobilenet", 1000)
    statistics = sum(b.numel() for key, b in model.named_buffers() if "running" in key)
    assert models.parameter_count(model) + statistics == 4_253_864
    assert models.parameter_count(model.features) + statistics == 3_228_864


def test_compact_is_small():
    model = models.build("compact", seed=0).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(faces(1, 1))
    assert counter.get_total_flops() / 2 < 25e6
    assert models.parameter_count(model) == 294_896
    assert models.parameter_count(meta("compact", width=1.45)) < 650_000
    assert models.parameter_count(meta("compact", depth=2)) == 664_304


@pytest.mark.parametrize("name", ["compact", "vgg16_48", "vgg13_ferplus", "resnet18", "mobilenet", "ran", "vad_shared"])
def test_grey_and_colour_and_channels_last(name):
    for channels in (1, 3):
        model = models.build(name, 5, channels, seed=0).eval().to(memory_format=torch.channels_last)
        with torch.no_grad():
            plain = models.logits(model(faces(channels, 3)))
            last = models.logits(model(faces(channels, 3).to(memory_format=torch.channels_last)))
        assert plain.shape == (3, 5)
        close(plain, last, **DEEPEST)


def test_seed_is_its_own_stream():
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    first = models.build("compact", seed=0)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert not same_tensors(first, models.build("compact", seed=1))
    drawn = models.build("compact")
    assert not torch.equal(torch.random.get_rng_state(), before)
    torch.manual_seed(5)
    assert same_tensors(drawn, models.build("compact"))


@pytest.mark.parametrize(
    ("name", "settings", "says"),
    [
        ("resnet_50", {}, "Did you mean resnet50"),
        ("transformer-xl", {}, "Use one of compact"),
        ("compact", {"size": 3}, "compact.size: there is no such option. It has width, depth, dropout"),
        ("compact", {"depth": 0}, "depth: 0 is not a whole number from 1 to 8"),
        ("vgg16", {"depth": 13}, "vgg16.depth: there is no such option"),
        ("densenet169", {"x": 1}, "It has none"),
        ("compact", {"num_classes": 0}, "num_classes"),
        ("compact", {"num_classes": True}, "num_classes"),
        ("compact", {"in_channels": 1.5}, "in_channels"),
        ("compact", {"width": 100}, "width"),
        ("compact", {"dropout": 1}, "dropout"),
        ("vgg16", {"head": "none"}, "head: 'none' is unknown. Use one of full, dense"),
        ("vgg16_frozen", {"dropout": -0.1}, "dropout"),
        ("efficientnet_b0", {"stochastic_depth": 2}, "stochastic_depth"),
        ("resnet50_cbam", {"placement": "first"}, "placement"),
        ("ran", {"trunk": "resnet50"}, "trunk"),
        ("dan", {"heads": 0}, "heads"),
        ("mten", {"trunk": "b9"}, "trunk"),
        ("vad_shared", {"axes": ["valence", "valence"]}, "axes"),
        ("vad_separate", {"axes": []}, "axes"),
        ("vad_shared", {"axes": ["tension"]}, "Use some of valence, arousal, dominance"),
        ("compact", {"weights": "model.pth"}, "unpickling"),
        ("compact", {"weights": "imagenet"}, "no ImageNet weights for compact. Known: vgg13"),
        ("resnet18", {"weights": "imagenet", "in_channels": 4}, "1 or 3 channels"),
        ("compact", {"weights": "faces"}, "no weights of face recognition for compact. Known: face_resnet"),
        ("face_resnet", {"weights": "faces", "in_channels": 4}, "1 or 3 channels"),
        ("face_resnet", {"dropout": 1}, "dropout"),
    ],
)
def test_settings_that_cannot_work(name, settings, says):
    with pytest.raises(ConfigError, match=says), torch.device("meta"):
        models.build(name, **settings)


def test_descriptions():
    for name in models.available():
        description = models.describe(name)
        assert description.name == name and description.source and description.size >= 44
        assert description.scaling in ("unit", "imagenet", "own")
    assert models.describe("dan").options() == {"heads": 4, "trunk": "resnet18"}
    assert models.describe("vgg16_48").options() == {"frozen": False, "dropout": None}


def test_normalise():
    x = faces(3)
    transform = torchvision.transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    torch.testing.assert_close(models.normalise(x), transform(x))
    torch.testing.assert_close(models.normalise(region_crops(x)), region_crops(transform(x)))
    torch.testing.assert_close(models.normalise(x[:, :1]), (x[:, :1] - 0.449) / 0.226)
    with pytest.raises(ValueError, match="1 or 3 channels"):
        models.normalise(torch.rand(2, 4, 8, 8))


# Weights


def test_weights_that_do_not_fit(tmp_path):
    path = models.save_weights(models.build("compact", 8, seed=0), tmp_path / "a.safetensors", {"model": "compact"})
    with pytest.raises(DataError, match=r"a\.safetensors: .*misshaped: head\.1\.weight \(8, 128\) instead of \(7, 128"):
        models.build("compact", 7, weights=path)
    target = models.build("resnet18", seed=0)
    before = kept(target)
    with pytest.raises(DataError, match=r"missing: conv1\.weight, .* and \d+ more; unexpected: blocks\."):
        models.load_weights(target, path)
    assert same_tensors(target.state_dict(), before)
    with pytest.raises(DataError, match=r"b\.safetensors: there is no such file"):
        models.build("compact", weights=str(tmp_path / "b.safetensors"))
    (broken := tmp_path / "c.safetensors").write_bytes(path.read_bytes()[:-5])
    with pytest.raises(DataError, match=r"c\.safetensors: it is not a readable safetensors file"):
        models.build("compact", weights=broken)
    with pytest.raises(ConfigError, match="path"):
        models.save_weights(target, tmp_path / "a.pt")


def test_weights_of_a_part(tmp_path):
    face_network = models.build("resnet18", 1000, seed=1)
    path = models.save_weights(face_network, tmp_path / "faces.safetensors")
    ran = models.build("ran", seed=0)
    with pytest.raises(DataError, match=r"unexpected: fc\.bias, fc\.weight|unexpected: fc\.weight, fc\.bias"):
        models.load_weights(ran.trunk, path)
    models.load_weights(ran.trunk, path, skip=["fc."])
    assert torch.equal(ran.trunk.layer4[1].conv2.weight, face_network.layer4[1].conv2.weight)


def test_built_with_weights_of_another_type_and_tied_tensors(tmp_path):
    model = models.build("compact", seed=0).to(memory_format=torch.channels_last)
    path = models.save_weights(model, tmp_path / "a.safetensors")
    assert same_tensors(model, models.build("compact", seed=1, weights=path))
    stored = load_file(path)
    save_file({key: value.half() if value.is_floating_point() else value for key, value in stored.items()}, path)
    half = models.build("compact", seed=1, weights=path)
    assert half.stem[0].weight.dtype == torch.float32
    assert torch.equal(half.stem[0].weight, model.stem[0].weight.half().float())

    tied = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    tied[1].weight = tied[0].weight
    path = models.save_weights(tied, tmp_path / "tied.safetensors")
    assert set(load_file(path)) == set(tied.state_dict())


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    model = models.build("compact", seed=0)
    path = models.save_weights(model, tmp_path / "a.safetensors")
    old = path.read_bytes()

    def full(state, part, metadata):
        part.write_bytes(b"half")
        raise OSError("no space left")

    monkeypatch.setattr("ferbook.models.weights.save_file", full)
    with pytest.raises(OSError, match="no space"):
        models.save_weights(model, path)
    assert path.read_bytes() == old and len(list(tmp_path.iterdir())) == 1


def test_differences():
    one, two = {"a": torch.zeros(2), "b": torch.zeros(3)}, {"b": torch.zeros(4), "c": torch.zeros(1)}
    assert differences(one, two) == "missing: a; unexpected: c; misshaped: b (4,) instead of (3,)"
    assert differences(one, one) == ""


@pytest.mark.parametrize("problem", [URLError("no route"), RuntimeError("invalid hash"), pickle.UnpicklingError("no")])
def test_imagenet_without_network(problem, monkeypatch):
    def fail(*args, **kwargs):
        raise problem

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", fail)
    with pytest.raises(FerbookError, match=r"ImageNet weights of resnet18 .*resnet18-f37072fd\.pth"):
        models.build("resnet18", weights="imagenet")


@pytest.fixture
def torchvision_weights(monkeypatch):
    """Random tensors in place of a download; on the meta device if that is the default."""
    seen: dict[str, object] = {}

    def fetch(url, **settings):
        seen.update(settings, url=url)
        name = url.rsplit("/", 1)[1].split("-")[0].removesuffix("_rwightman").removesuffix("_lukemelas")
        seen["model"] = model = torchvision.models.get_model(name, weights=None).eval()
        state = model.state_dict()
        if name.startswith("densenet"):  # its files have names with one dot more
            for key in [key for key in state if "denselayer" in key]:
                for part in ("norm1", "norm2", "conv1", "conv2"):
                    if f".{part}." in key:
                        state[key.replace(part, f"{part[:-1]}.{part[-1]}")] = state.pop(key)
        return {key: value for key, value in state.items() if not key.endswith("num_batches_tracked")}

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", fetch)
    return seen


@pytest.mark.parametrize(
    "name", [name for name in models.available() if models.describe(name).imagenet not in ("", "packaged")]
)
def test_imagenet_weights_find_their_place(name, torchvision_weights):
    model = meta(name, 1000, weights="imagenet")
    assert torchvision_weights["weights_only"] is True and torchvision_weights["check_hash"] is True
    if name in TORCHVISION:
        weights = torchvision.models.get_model_weights(name)["IMAGENET1K_V1"]
        assert models.parameter_count(model) == weights.meta["num_params"]


def test_imagenet_weights_have_their_values(torchvision_weights):
    x = faces(3, size=64)
    for name in ("resnet18", "densenet169"):
        model = models.build(name, 1000, weights="imagenet", seed=0).eval()
        close(model(x), torchvision_weights["model"](x), **DEEPEST)

    grey = models.build("ran", 8, 1, weights="imagenet", seed=0).eval()
    theirs = torchvision_weights["model"]
    theirs.fc = nn.Identity()
    close(grey.trunk(x[:, :1]), theirs(x[:, :1].expand(-1, 3, -1, -1)), **DEEPEST)
    drawn = models.build("ran", 8, 1, seed=0)
    assert torch.equal(grey.fc.weight, drawn.fc.weight)

    gated = models.build("resnet50_cbam", weights="imagenet", placement="stages", seed=0).eval()
    assert torch.equal(gated.layer4[2].conv3.weight, torchvision_weights["model"].layer4[2].conv3.weight)
    assert not gated.layer4.cbam.spatial.norm.weight.any()


def test_imagenet_weights_that_do_not_fit(monkeypatch):
    state = {"conv1.weight": torch.zeros(64, 3, 5, 5), "conv9.weight": torch.zeros(1)}
    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", lambda *args, **kwargs: state)
    with pytest.raises(FerbookError, match="do not fit ResNet"):
        models.build("resnet18", weights="imagenet")


# VGG


def test_a_new_classifier_and_frozen_features(torchvision_weights):
    """Paper 001 draws its classifier anew, although ImageNet's hidden layers would fit."""
    with torch.device("meta"):
        model = models.build("vgg16_frozen", weights="imagenet")
    kinds = [type(layer).__name__ for layer in model.classifier]
    assert kinds == ["Linear", "ReLU", "Dropout", "Linear", "ReLU", "Dropout", "Linear"]
    assert all(layer.p == 0.5 for layer in model.classifier if isinstance(layer, nn.Dropout))
    assert not any(p.requires_grad for p in model.features.parameters())
    assert all(p.requires_grad for p in model.classifier.parameters())


def test_features_of_48_pixels_are_one_place():
    model = models.build("vgg16_48", in_channels=1, seed=0)
    assert model.features(faces(1)).shape == (2, 512, 1, 1)
    assert models.parameter_count(model) == 14_718_792 - 2 * 9 * 64
    assert models.build("vgg13_ferplus", seed=0).features(faces(1, size=64)).shape == (2, 256, 4, 4)


# CBAM


def test_spatial_gate_starts_half_open():
    gate = SpatialGate()
    assert gate.norm.momentum == 0.01
    generator = torch.Generator().manual_seed(0)
    gates = gate(torch.randn(2, 8, 4, 4, generator=generator))
    assert torch.equal(gates, torch.full((2, 1, 4, 4), 0.5))
    # Not the plain sum: what is normalised adds up to 0, and its gradient would be nothing but rounding.
    (gates * torch.randn(gates.shape, generator=generator)).sum().backward()
    assert not gate.conv.weight.grad.any() and gate.norm.weight.grad.any()
    with pytest.raises(ConfigError, match="reduction"):
        Cbam(8)


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_attention_can_be_looked_at(placement):
    model = models.build("resnet50_cbam", 7, seed=0, placement=placement)
    model.bn1.eval()
    before = kept(model)
    maps = model.attention(faces(3))
    assert len(maps) == {"blocks": 16, "stages": 4, "last": 1, None: 0}[placement]
    if placement is not None:
        last = maps["layer4.2.cbam" if placement == "blocks" else "layer4.cbam"]
        assert last.channel.shape == (2, 2048) and last.spatial.shape == (2, 2, 2)
        assert all((gate > 0).all() and (gate < 1).all() for attention in maps.values() for gate in attention)
    assert model.training and not model.bn1.training
    assert same_tensors(model.state_dict(), before)
    gates = [module for module in model.modules() if isinstance(module, SpatialGate)]
    assert not any(gate.norm.weight.any() or gate._forward_hooks for gate in gates)


def test_without_gates_it_is_a_resnet():
    model = models.build("resnet50_cbam", seed=0, placement=None)
    assert list(model.state_dict()) == list(torchvision.models.resnet50(num_classes=8).state_dict())
    gated = models.build("resnet50_cbam", seed=0, placement="blocks").eval()
    model.load_state_dict(gated.state_dict(), strict=False)
    model.eval()
    for module in gated.modules():
        if isinstance(module, Cbam):
            module.forward = lambda x: x
    with torch.no_grad():
        torch.testing.assert_close(gated(faces(3)), model(faces(3)))


def test_evaluating_restores_modes_after_an_error():
    model = nn.Sequential(nn.Dropout(), nn.Dropout())
    model[1].eval()
    with evaluating(model):
        assert not model[0].training
    assert model[0].training and not model[1].training
    with pytest.raises(IndexError), evaluating(model):
        model[2]
    assert model[0].training and not model[1].training


# RAN


def literal_region_attention(attention: RegionAttention, features: Tensor) -> tuple[Tensor, Tensor]:
    def weights(layer: nn.Linear, vectors: list[Tensor]) -> list[float]:
        scores = [1 / (1 + math.exp(-float(layer.weight[0] @ vector + layer.bias[0]))) for vector in vectors]
        total = sum(math.exp(score) for score in scores)
        return [math.exp(score) / total for score in scores]

    fused, alphas = [], []
    for regions in features:
        alpha = weights(attention.alpha, list(regions))
        mean = sum(a * f for a, f in zip(alpha, regions, strict=True))
        pairs = [torch.cat([f, mean]) for f in regions]
        beta = weights(attention.beta, pairs)
        products = [a * b for a, b in zip(alpha, beta, strict=True)]
        fused.append(sum(p * pair for p, pair in zip(products, pairs, strict=True)) / sum(products))
        alphas.append(torch.tensor(alpha, dtype=features.dtype))
    return torch.stack(fused), torch.stack(alphas)


@torch.no_grad()
def test_region_attention_is_the_equations():
    torch.manual_seed(0)
    attention = RegionAttention(10).double()
    features = torch.randn(3, 6, 10).double() * 3
    for fast, slow in zip(attention(features), literal_region_attention(attention, features), strict=True):
        torch.testing.assert_close(fast, slow)
    alpha = attention(features * 1e4)[1]
    assert 1 / (1 + 5 * math.e) - 1e-6 < alpha.min() and alpha.max() < math.e / (math.e + 5) + 1e-6


def test_region_bias_loss_is_the_equation():
    alpha = torch.softmax(torch.randn(20, 6, generator=torch.Generator().manual_seed(0)) / 4, 1)
    for margin in (0.1, 0.03, 0.0):
        slow = 0.0
        for row in alpha.tolist():
            slow += max(0.0, margin - (max(row[:5]) - row[5])) / len(alpha)
        assert region_bias_loss(alpha, margin).item() == pytest.approx(slow, rel=1e-5)
    for wrong in (alpha[:, :1], alpha[0]):
        with pytest.raises(ValueError, match="alpha"):
            region_bias_loss(wrong)


def test_region_crops_show_the_regions():
    size = 40
    down, right = torch.meshgrid(torch.arange(size) + 0.5, torch.arange(size) + 0.5, indexing="ij")
    crops = region_crops(torch.stack([right, down])[None])
    assert crops.shape == (1, 6, 2, size, size)
    assert torch.equal(crops[0, 5], torch.stack([right, down]))
    for crop, (side, left, top) in zip(crops[0], REGIONS, strict=False):
        inside = crop[:, 3:-3, 3:-3]  # at the border the last pixel is repeated
        step = side * torch.arange(3.5, size - 3)
        torch.testing.assert_close(inside[0], (left * size + step).expand(34, 34), rtol=0, atol=1e-4)
        torch.testing.assert_close(inside[1], (top * size + step)[:, None].expand(34, 34), rtol=0, atol=1e-4)
    assert region_crops(torch.rand(2, 1, 48, 48)).shape == (2, 6, 1, 48, 48)


@torch.no_grad()
def test_ran_takes_faces_or_regions():
    model = models.build("ran", seed=0).eval()
    x = faces(3)
    for face, regions in zip(model(x), model(region_crops(x)), strict=True):
        assert torch.equal(face, regions)
    torch.testing.assert_close(model(x).alpha.sum(1), torch.ones(2))
    assert model(torch.rand(2, 8, 3, 48, 48)).alpha.shape == (2, 8)


# DAN


def test_affinity_loss_is_the_equation():
    torch.manual_seed(0)
    loss, features, labels = AffinityLoss(3, 4), torch.randn(5, 4), torch.tensor([0, 2, 2, 1, 0])
    centres = loss.centres.tolist()
    variance = 0.0
    for d in range(4):
        mean = sum(centre[d] for centre in centres) / 3
        variance += sum((centre[d] - mean) ** 2 for centre in centres) / 2
    slow = 0.0
    for feature, label in zip(features.tolist(), labels.tolist(), strict=True):
        slow += sum((f - c) ** 2 for f, c in zip(feature, centres[label], strict=True)) / variance / 5
    value = loss(features, labels)
    assert value.item() == pytest.approx(slow, rel=1e-5)
    value.backward()
    assert loss.centres.grad.any()
    with pytest.raises(ConfigError, match="num_classes"):
        AffinityLoss(1)


def test_partition_loss_is_the_equation():
    heads = torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    variances = []
    for face in heads.tolist():
        for d in range(5):
            mean = sum(head[d] for head in face) / 4
            variances.append(sum((head[d] - mean) ** 2 for head in face) / 3)
    slow = math.log(1 + 4 / (sum(variances) / len(variances)))
    assert partition_loss(heads).item() == pytest.approx(slow)
    assert partition_loss(heads[:, :1]) == 0
    assert partition_loss(torch.ones(2, 4, 5)).isfinite()
    assert partition_loss(heads.half()).dtype == torch.float32


@torch.no_grad()
def test_heads_of_dan():
    model = models.build("dan", 5, seed=0)
    maps = model.attention(faces(3))
    assert maps.shape == (2, 4, 2, 2) and (maps >= 0).all()
    assert model.training
    heads = model.eval()(faces(3)).heads
    torch.testing.assert_close(heads.exp().sum(1), torch.ones(2, 512))
    single = models.build("dan", 5, heads=1, seed=0).eval()(faces(3))
    assert single.heads.shape == (2, 1, 512) and single.heads.any()


@torch.no_grad()
def test_attention_head_is_the_equations():
    head = AttentionHead().double().eval()
    x = torch.randn(2, 512, 3, 3, generator=torch.Generator().manual_seed(0)).double()
    reduced = head.reduce(x)
    total = torch.zeros_like(x)
    for (conv, norm), pad in zip(head.shapes, ((1, 1), (0, 1), (1, 0)), strict=True):
        total += norm(nn.functional.conv2d(reduced, conv.weight, conv.bias, padding=pad))
    spatial = total.clamp(min=0).sum(1, keepdim=True)
    pooled = (x * spatial).flatten(2).mean(2)
    torch.testing.assert_close(head(x), pooled * head.channel(pooled))


# Papers 003 and 004


def test_vad_networks_share_everything_or_nothing():
    shared, separate = meta("vad_shared", 7), meta("vad_separate", 7)
    assert len(regularised_layers(shared)) == 11 and len(regularised_layers(separate)) == 44
    assert sum(layer.kernel_size == (1, 1) for layer in regularised_layers(shared)) == 3
    assert tuple(separate.regressors) == shared.axes == ("valence", "arousal", "dominance")

    model = models.build("vad_separate", 7, seed=0, axes=["arousal", "valence"])
    model(faces(3)).vad[:, 1].sum().backward()
    assert model.regressors["valence"].conv1.weight.grad.any()
    assert not model.regressors["arousal"].conv1.weight.grad.any()
    assert model.category.conv1.weight.grad is None


def test_cifar_resnet_keeps_the_size_at_first():
    model = models.build("cifar_resnet18", 7, seed=0).eval()
    sizes = []
    for stage in (model.conv1, model.layer1, model.layer2, model.layer3, model.layer4):
        stage.register_forward_hook(lambda *values: sizes.append(tuple(values[2].shape[1:])))
    with torch.no_grad():
        model(faces(3, 1, 44))
    assert sizes == [(64, 44, 44), (64, 44, 44), (128, 22, 22), (256, 11, 11), (512, 6, 6)]


@pytest.mark.parametrize("name", ["efficientnet_lite0", "compact", "mten"])
def test_any_network_can_enlarge_faces_first(name):
    """And still does as a copy, as the averaged weights of a training are one; images that are larger stay."""
    torch.manual_seed(0)
    plain = models.build(name, 8, 1, seed=0).eval().double()
    model = copy.deepcopy(models.build(name, 8, 1, enlarge=64, seed=0).eval().double())
    assert plain.state_dict().keys() == model.state_dict().keys()
    x = torch.rand(2, 1, 48, 48, dtype=torch.float64)
    larger = nn.functional.interpolate(x, size=(64, 64), mode="bilinear", align_corners=False)
    with torch.no_grad():
        torch.testing.assert_close(models.logits(model(x)), models.logits(plain(larger)))
        largest = torch.rand(2, 1, 80, 80, dtype=torch.float64)
        torch.testing.assert_close(models.logits(model(largest)), models.logits(plain(largest)))
    assert models.multiply_adds(name, 48, 1, enlarge=64) == models.multiply_adds(name, 64, 1)
    with pytest.raises(ConfigError, match="enlarge"):
        models.build(name, enlarge=-1)
