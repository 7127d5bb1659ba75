"""Pictures of dots whose places are known, and the places found again: what moves a picture must move its landmarks."""

import math

import torch
from torch import Tensor


def blobs(landmarks: Tensor, height: int, width: int, spread: float = 1.3) -> Tensor:
    """One channel per landmark (N, 5, 2): (N, 5, H, W) with a Gaussian blob on each."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    centre = landmarks[..., None, None]
    return torch.exp(-((x - centre[:, :, 0]) ** 2 + (y - centre[:, :, 1]) ** 2) / (2 * spread**2))


def centroids(images: Tensor) -> Tensor:
    """Centres of gravity (N, 5, 2) of (N, 5, H, W)."""
    total = images.sum((2, 3))
    y, x = torch.meshgrid(torch.arange(images.shape[2]), torch.arange(images.shape[3]), indexing="ij")
    return torch.stack([(images * x).sum((2, 3)) / total, (images * y).sum((2, 3)) / total], -1)


def mirror_landmarks(landmarks: Tensor, width: int) -> Tensor:
    """Where the landmarks lie in the mirror image: left and right change places."""
    return landmarks[:, [1, 0, 2, 4, 3]] * torch.tensor([-1, 1]) + torch.tensor([width - 1, 0])


def rotate_landmarks(landmarks: Tensor, degrees: float, size: tuple[int, int]) -> Tensor:
    """Where the landmarks lie after a counter-clockwise turn of an image of `size` (height, width)."""
    centre = landmarks.new_tensor([(size[1] - 1) / 2, (size[0] - 1) / 2])
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    return (landmarks - centre) @ landmarks.new_tensor([[cosine, -sine], [sine, cosine]]) + centre
