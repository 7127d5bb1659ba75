import numpy as np
import torch

from ferbook.faces.faceset import FaceSet
from ferbook.vision import difficulty


def easy(count, seed):
    """The height of a bright bar stands for the emotion: learnable at once, and not undone by mirroring or shifting."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 8, count)
    images = rng.integers(0, 60, (count, 48, 48))
    images += 150 * (np.arange(48)[None, :, None] // 6 == label[:, None, None])
    return FaceSet(
        "easy",
        images.astype(np.uint8),
        np.arange(count).astype(str),
        distribution=np.eye(8)[label],
        intensity=rng.uniform(0.2, 1, count),
    )


def test_network_has_the_stated_size_and_a_gradient_everywhere():
    network = difficulty.small_network()
    count = sum(parameter.numel() for parameter in network.parameters())
    assert count == 94_944
    scores = network(torch.rand(3, 1, 48, 48))
    assert scores.shape == (3, 8)
    scores.square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in network.parameters())


def test_learns_what_is_easy_and_repeats_itself():
    first, second = (difficulty.measure(easy(400, 0), easy(200, 1), epochs=5, seed=3) for _ in range(2))
    assert first == second
    assert first.accuracy > 0.5
    confusion = np.array(first.confusion)
    assert confusion.sum() == 200
    assert confusion.trace() / 200 == first.accuracy
    assert len(first.by_intensity) == len(difficulty.INTENSITY_BOUNDS) - 1
