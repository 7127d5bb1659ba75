"""Orthogonality losses against explicit matrices: filters as rows, and the block-Toeplitz matrix of a small layer."""

import math

import pytest
import torch
from torch import nn

from ferbook.learning.orthogonality import as_published, by_displacements, convolutional_form, matrix_form, penalty


def kernel(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def gram_twin(weight):
    """Sum over all pairs of rows of (inner product - 1 if they are the same row else 0) squared."""
    rows = [row.flatten().tolist() for row in weight]
    total = 0.0
    for i, a in enumerate(rows):
        for j, b in enumerate(rows):
            total += (sum(x * y for x, y in zip(a, b, strict=True)) - (i == j)) ** 2
    return total


def toeplitz(weight, size, stride):
    """The matrix of the layer for images of `size`, unpadded: (out * h' * w', in * h * w); and h', w'."""
    outputs, inputs, height, width = weight.shape
    down, across = ((size[k] - (height, width)[k]) // stride + 1 for k in (0, 1))
    matrix = torch.zeros(outputs, down, across, inputs, *size, dtype=weight.dtype)
    for row in range(down):
        for column in range(across):
            top, left = row * stride, column * stride
            matrix[:, row, column, :, top : top + height, left : left + width] = weight
    return matrix.reshape(outputs * down * across, -1), down, across


def toeplitz_twin(weight, stride):
    """Residual of M M^T - I in the rows of the middle output, far enough from the border to meet every overlap."""
    reach = [(k - 1) // stride for k in weight.shape[2:]]
    size = [2 * r * stride + k for r, k in zip(reach, weight.shape[2:], strict=True)]
    matrix, down, across = toeplitz(weight, size, stride)
    assert (down, across) == (2 * reach[0] + 1, 2 * reach[1] + 1)
    residual = matrix @ matrix.T - torch.eye(len(matrix), dtype=weight.dtype)
    middle = residual.reshape(len(weight), down, across, -1)[:, reach[0], reach[1]]
    return middle.square().sum().item()


@pytest.mark.parametrize("shape", [(2, 5), (5, 2), (3, 2, 3, 3), (7, 2, 1, 1)])
def test_matrix_form_matches_its_twin(shape):
    assert matrix_form(kernel(*shape)).item() == pytest.approx(gram_twin(kernel(*shape)))


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("shape", [(4, 3, 3, 3), (3, 2, 2, 2), (2, 1, 5, 5), (3, 2, 3, 1), (3, 2, 1, 4), (5, 2, 1, 1)])
def test_convolutional_form_matches_the_toeplitz_matrix(shape, stride):
    weight = kernel(*shape)
    assert convolutional_form(weight, stride).item() == pytest.approx(toeplitz_twin(weight, stride))


def test_a_1x1_kernel_has_one_form():
    weight = kernel(4, 6, 1, 1)
    assert convolutional_form(weight).item() == pytest.approx(matrix_form(weight).item())


def test_orthogonal_filters_need_not_make_an_orthogonal_convolution():
    """Wang et al.'s point: the matrix form is blind to displacements."""
    weight = torch.linalg.qr(kernel(18, 4))[0].T.reshape(4, 2, 3, 3)
    assert matrix_form(weight).item() == pytest.approx(0, abs=1e-20)
    assert convolutional_form(weight).item() > 0.1


def test_single_pixel_filters_are_orthogonal_in_both_forms():
    weight = torch.zeros(3, 3, 3, 3)
    weight[[0, 1, 2], [0, 1, 2], 1, 1] = 1
    assert matrix_form(weight) == by_displacements(weight, 1, (2, 2)) == convolutional_form(weight, 2) == 0
    assert convolutional_form(weight).item() == pytest.approx(0, abs=1e-10)


def test_sides_differ_by_a_constant():
    weight = kernel(7, 4).requires_grad_()
    difference = matrix_form(weight) - matrix_form(weight.T)
    assert difference.item() == pytest.approx(7 - 4)
    (gradient,) = torch.autograd.grad(difference, weight)
    torch.testing.assert_close(gradient, torch.zeros_like(gradient), atol=1e-10, rtol=0)


@pytest.mark.parametrize(
    ("form", "shape"),
    [(matrix_form, (3, 4)), *((convolutional_form, (2, 2, *sides)) for sides in ((3, 3), (1, 4), (5, 2)))],
)
def test_gradients(form, shape):
    assert torch.autograd.gradcheck(form, kernel(*shape).requires_grad_())


def settled(form, *shape):
    """What is left of a loss where small filters have followed its gradient."""
    weight = (0.3 * kernel(*shape)).requires_grad_()
    optimiser = torch.optim.Adam([weight], lr=0.02)
    for _ in range(300):
        optimiser.zero_grad()
        form(weight).backward()
        optimiser.step()
    return form(weight).item()


@pytest.mark.parametrize(("shape", "least"), [((2, 3, 3, 3), 0), ((3, 2, 3, 3), 1)])
def test_following_the_gradient_reaches_orthogonality(shape, least):
    """Two filters of three channels can; three filters of two channels are one too many, and cost one."""
    assert settled(convolutional_form, *shape) == pytest.approx(least, abs=0.01)


def test_less_padding_leaves_displacements_free():
    weight = kernel(3, 2, 3, 3)
    nearest = convolutional_form(weight, padding=(1, 1)).item()
    assert convolutional_form(weight, padding=(0, 0)).item() == pytest.approx(matrix_form(weight).item())
    assert matrix_form(weight).item() < nearest < convolutional_form(weight).item()
    assert convolutional_form(weight, padding=(4, 4)).item() == pytest.approx(convolutional_form(weight).item())


def published_twin(weight, stride):
    """conv(K, K, padding=1) by loops, less an identity at the middle of what comes out; its norm."""
    outputs, inputs, size, _ = weight.shape
    places = range(-1, 2, stride) if size == 3 else range(0)
    total = 0.0
    for i in range(outputs):
        for j in range(outputs):
            for a, down in enumerate(places):
                for b, across in enumerate(places):
                    inner = sum(
                        weight[i, c, y + down, x + across].item() * weight[j, c, y, x].item()
                        for c in range(inputs)
                        for y in range(3)
                        for x in range(3)
                        if 0 <= y + down < 3 and 0 <= x + across < 3
                    )
                    wanted = i == j and a == b == len(places) // 2
                    total += (inner - wanted) ** 2
    return math.sqrt(total)


@pytest.mark.parametrize("stride", [1, 2])
def test_published_form_matches_its_twin(stride):
    weight = kernel(3, 2, 3, 3)
    assert as_published(weight, stride).item() == pytest.approx(published_twin(weight, stride))


def test_published_form_at_stride_one_is_a_root_with_less_padding():
    weight = kernel(3, 2, 3, 3)
    assert as_published(weight).item() ** 2 == pytest.approx(convolutional_form(weight, padding=(1, 1)).item())


def test_published_form_at_stride_two_asks_for_what_cannot_be():
    """x for one displacement is x for its opposite; asked to be 1 and 0, it settles at one half."""
    found = settled(lambda weight: as_published(weight, 2), 4, 4, 3, 3)
    assert found == pytest.approx(math.sqrt(4 / 2), rel=1e-3)


def test_published_form_at_stride_two_does_not_look_at_the_length_of_a_filter():
    """A single pixel, moved by one, meets nothing of itself; in place it would be orthonormal."""
    weight = torch.zeros(1, 1, 3, 3, dtype=torch.float64)
    weight[0, 0, 1, 1] = 1
    assert convolutional_form(weight, 2) == 0
    assert as_published(weight, 2) == as_published(5 * weight, 2) == 1


@pytest.mark.parametrize("shape", [(6, 3, 1, 1), (3, 6, 1, 1)])
def test_published_form_of_shortcuts_takes_the_smaller_side(shape):
    weight = kernel(*shape)
    rows = weight.flatten(1)
    smaller = gram_twin(rows if shape[0] < shape[1] else rows.T)
    assert as_published(weight).item() ** 2 == pytest.approx(smaller)


def test_penalty_picks_the_form():
    torch.manual_seed(0)
    layers = [nn.Conv2d(4, 8, 1, stride=2, bias=False), nn.Conv2d(4, 8, 3, stride=2, padding=1, bias=False)]
    expected = matrix_form(layers[0].weight) + convolutional_form(layers[1].weight, 2)
    torch.testing.assert_close(penalty(layers), expected)
    published = as_published(layers[0].weight) + as_published(layers[1].weight, 2)
    torch.testing.assert_close(penalty(layers, published=True), published)
    penalty(layers).backward()
    assert all(layer.weight.grad.abs().sum() > 0 for layer in layers)


def test_autocast_does_not_round():
    weight = kernel(4, 3, 3, 3)
    for form in (matrix_form, convolutional_form, as_published):
        with torch.autocast("cpu", torch.bfloat16):
            inside = form(weight.float())
        assert inside.dtype == torch.float32
        assert inside.item() == pytest.approx(form(weight).item(), rel=1e-6)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: matrix_form(torch.zeros(3)), "no matrix"),
        (lambda: convolutional_form(torch.zeros(3, 3)), "four axes"),
        (lambda: convolutional_form(torch.zeros(3, 3, 3, 3), 0), "at least 1"),
        (lambda: convolutional_form(torch.zeros(3, 3, 3, 3), 2, (1, 1)), "in place"),
        (lambda: convolutional_form(torch.zeros(3, 3, 3, 3), 1, (-1, 1)), "in place"),
        (lambda: as_published(torch.zeros(3, 3, 3, 1)), "square"),
        (lambda: penalty([]), "no layer"),
        (lambda: penalty([nn.Conv2d(4, 4, 3, groups=2)]), "plain"),
        (lambda: penalty([nn.Conv2d(4, 4, 3, dilation=2)]), "plain"),
        (lambda: penalty([nn.Conv2d(4, 4, 3, stride=(1, 2))]), "plain"),
    ],
)
def test_refuses(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize("shape", [(4, 3, 3, 3), (3, 5, 5, 5), (2, 2, 1, 4), (3, 2, 4, 2)])
def test_by_frequencies_or_by_displacements_it_is_the_same(shape):
    """The way that other strides and paddings take is the twin, its gradient too."""
    weight = kernel(*shape).requires_grad_()
    whole = convolutional_form(weight)
    apart = by_displacements(weight, 1, (shape[2] - 1, shape[3] - 1))
    assert whole.item() == pytest.approx(apart.item())
    found, expected = (torch.autograd.grad(value, weight)[0] for value in (3 * whole, 3 * apart))
    torch.testing.assert_close(found, expected)


def test_half_precision_around_it_changes_nothing():
    weight = kernel(8, 4, 3, 3).float().requires_grad_()
    plain = convolutional_form(weight)
    plain.backward()
    expected, weight.grad = weight.grad.clone(), None
    with torch.autocast("cpu", dtype=torch.bfloat16):
        again = convolutional_form(weight)
        again.backward()
    assert again.dtype == torch.float32 and again.item() == plain.item()
    torch.testing.assert_close(weight.grad, expected, rtol=0, atol=0)
