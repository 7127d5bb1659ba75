"""dlib's network for face recognition: its file format, its answers, and the start that it gives."""

import hashlib
from importlib import metadata

import numpy as np
import pytest
import torch

from ferbook import models
from ferbook.learning import configs, task_base, training
from ferbook.models import face_resnet
from ferbook.models.face_resnet import PACKAGE, _added, _convolutions
from ferbook.models.layers import evaluating, measure_norms
from tests.packages import check_refusals, install


def whole(number):
    """A whole number as dlib writes it."""
    length = max(1, -(-number.bit_length() // 8))
    return bytes([length]) + number.to_bytes(length, "little")


def layer(kind, numbers):
    numbers = numbers.detach().numpy().astype("<f4")
    sizes = b"".join(map(whole, (2, numbers.size, 1, 1, 1)))
    return b"\x01" + bytes([len(kind)]) + kind + sizes + numbers.tobytes()


def settled(seed):
    """A random network whose batch norms have seen something."""
    source = models.build("face_resnet", seed=seed).eval()
    generator = torch.Generator().manual_seed(seed)
    for _, one in _convolutions(source):
        for tensor, low in ((one.norm.weight, 0.5), (one.norm.bias, -0.5), (one.norm.running_mean, -0.2)):
            tensor.data = low + torch.rand(tensor.shape, generator=generator)
        one.norm.running_var = 0.5 + torch.rand(one.norm.running_var.shape, generator=generator)
    return source


def written(source):
    """A network as dlib would write it: batch norm joined to a scale and a shift, part of it as the kernel's bias."""
    content = b"\x01\x01"
    for _, one in _convolutions(source):
        scale = one.norm.weight / (one.norm.running_var + one.norm.eps).sqrt()
        bias = torch.linspace(-0.1, 0.1, len(scale))
        shift = one.norm.bias - scale * (one.norm.running_mean + bias)
        content += layer(b"con_4", torch.cat([one.conv.weight.flatten(), bias]))
        content += layer(b"affine_", torch.cat([scale, shift]))
    return content


@pytest.fixture
def package(monkeypatch, tmp_path):
    """A package that holds a random network in dlib's format."""
    source = settled(7)
    file = tmp_path / face_resnet.FILE
    file.parent.mkdir(parents=True)
    file.write_bytes(written(source))

    install(monkeypatch, tmp_path)
    monkeypatch.setattr(face_resnet, "SHA256", hashlib.sha256(file.read_bytes()).hexdigest())
    return source, file


def pictures(channels, count=3, side=60):
    return torch.rand(count, channels, side, side, generator=torch.Generator().manual_seed(1))


def test_weights_from_the_package(package):
    source, _ = package
    model = models.build("face_resnet", weights="faces", seed=0).eval()
    x = pictures(3)
    with torch.no_grad():
        torch.testing.assert_close(model.features(x), source.features(x), rtol=1e-4, atol=1e-4)
    # The classifier is drawn anew, and kernels are as large as drawn ones.
    drawn = models.build("face_resnet", seed=0)
    assert torch.equal(model.classifier[1].weight, drawn.classifier[1].weight)
    for (_, ours), (_, theirs) in zip(_convolutions(model), _convolutions(drawn), strict=True):
        torch.testing.assert_close(ours.conv.weight.std(), theirs.conv.weight.std())


def test_a_grey_face_gives_what_its_three_copies_would(package):
    grey = models.build("face_resnet", 8, 1, weights="faces", seed=0).eval().double()
    three = models.build("face_resnet", 8, 3, weights="faces", seed=0).eval().double()
    x = pictures(1).double()
    with torch.no_grad():
        torch.testing.assert_close(grey.features(x), three.features(x.expand(-1, 3, -1, -1)), rtol=1e-4, atol=1e-5)


def test_a_package_that_cannot_serve(package, monkeypatch):
    check_refusals(monkeypatch, "face_resnet", "faces", package[1], "dlib")


def test_measuring_norms_changes_statistics_and_no_answer(package):
    model = models.build("face_resnet", 8, 1, weights="faces", seed=0, dropout=0.0)
    x = pictures(1, count=8)
    model.stem.norm.eval()
    modes = [module.training for module in model.modules()]
    with torch.no_grad(), evaluating(model):
        before = model(x)
    measure_norms(model, x, batch=3)
    assert modes == [module.training for module in model.modules()]
    assert not torch.allclose(model.stem.norm.running_mean, torch.zeros(32))
    with torch.no_grad():
        with evaluating(model):
            torch.testing.assert_close(model(x), before, rtol=1e-4, atol=1e-4)
        # With the same images as a batch, training begins with the same network.
        torch.testing.assert_close(model.train()(x), before, rtol=1e-3, atol=1e-3)


def test_norms_that_cannot_be_measured(package):
    model = models.build("face_resnet", 8, 1, seed=0)
    with pytest.raises(ValueError, match="no images"):
        measure_norms(model, pictures(1)[:0])
    with pytest.raises(RuntimeError):
        measure_norms(model, pictures(3))
    assert model.training and not any(module._forward_pre_hooks for module in model.modules())


@pytest.mark.parametrize("weights", ["faces", None])
def test_a_run_begins_with_the_statistics_of_its_faces(package, tmp_path, monkeypatch, weights):
    given, real = [], task_base.measure_norms
    monkeypatch.setattr(task_base, "measure_norms", lambda model, images: given.append(images) or real(model, images))
    recipe = {
        "data": {"options": {"count": 60}},
        "model": {"name": "face_resnet", "weights": weights},
        "ema": 0.9,
        "optimiser": {"lr": 1e-5},
        "batch": 16,
        "epochs": 1,
    }
    config = configs.parse(recipe)
    if weights is None:
        training.train(config, tmp_path / "runs")
        assert not given
        return
    started = []
    begin = task_base.Task.on_fit_start
    monkeypatch.setattr(
        task_base.Task,
        "on_fit_start",
        lambda task: started.append([v.clone() for v in task_base._state(task.average)]) or begin(task),
    )
    result = training.train(config, tmp_path / "runs")
    (images,), (average,) = given, started
    assert images.shape[1:] == (1, 48, 48) and images.min() >= 0 and images.max() <= 1
    # The average over steps begins with the same statistics.
    expected = models.build("face_resnet", 8, 1, weights="faces", seed=config.seed)
    expected.to(memory_format=torch.channels_last)
    real(expected, images)
    assert all(map(torch.equal, average, task_base._state(expected)))
    assert np.isfinite(result.history[0]["train_loss"])


@pytest.mark.parametrize(
    "shapes", [((1, 2, 4, 4), (1, 3, 3, 3)), ((1, 2, 2, 2), (1, 2, 2, 2)), ((1, 3, 1, 2), (1, 2, 2, 1))]
)
def test_sums_of_maps_of_other_sizes(shapes):
    one, other = (torch.rand(shape) for shape in shapes)
    found = _added(one, other)
    assert list(found.shape[1:]) == [max(pair) for pair in zip(one.shape[1:], other.shape[1:], strict=True)]
    corner = tuple(slice(0, min(pair)) for pair in zip(one.shape, other.shape, strict=True))
    assert torch.equal(found[corner], one[corner] + other[corner])
    assert torch.isclose(found.sum(), one.sum() + other.sum())


def test_the_real_weights_answer_as_dlib_does():
    """Installed only with the extra: the network with dlib's own last layer gives dlib's 128 numbers."""
    dlib = pytest.importorskip("dlib")
    try:
        path = metadata.distribution(PACKAGE).locate_file(face_resnet.FILE)
    except metadata.PackageNotFoundError:
        pytest.skip(f"{PACKAGE} is not installed")
    picture = np.random.default_rng(0).integers(0, 255, (12, 12, 3), dtype=np.uint8).repeat(13, 0).repeat(13, 1)
    picture = np.ascontiguousarray(picture[:150, :150])
    content = path.read_bytes()
    last = np.frombuffer(content, "<f4", 256 * 128, content.index(b"fc_2") + 20).reshape(256, 128)
    model = models.build("face_resnet", weights="faces", seed=0).eval()
    with torch.no_grad():
        found = model.features(torch.from_numpy(picture).permute(2, 0, 1)[None] / 255).numpy() @ last
    expected = np.array(dlib.face_recognition_model_v1(str(path)).compute_face_descriptor(picture))
    np.testing.assert_allclose(found[0], expected, rtol=0, atol=1e-6)
