"""What five landmarks say of a face's pose, and the similarity that takes landmarks to others.

Landmarks are (N, 5, 2), x and y in pixels, in the order of ``detection.LANDMARKS``.
"""

import numpy as np


def similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Rotation, scaling and shift, (N, 2, 3), that take points (N, K, 2) nearest to their targets in least squares.

    The solution of Umeyama (1991) has a closed form in the plane: with centred points as complex numbers the transform
    is w = a z, and a = sum(conj(z) w) / sum(|z|^2) minimises sum |a z - w|^2. A complex factor never reflects. The
    result is NaN where the source holds NaN or only one place.
    """
    z, w = (np.asarray(points, dtype=float) @ np.array([1, 1j]) for points in (source, target))
    start, end = z.mean(1), w.mean(1)
    z, w = z - start[:, None], w - end[:, None]
    spread = (np.abs(z) ** 2).sum(1)
    with np.errstate(invalid="ignore"):
        a = (z.conj() * w).sum(1) / np.where(spread > 1e-12, spread, np.nan)
    return complex_map(a, end - a * start)


def complex_map(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The complex map a z + b on points x + iy as matrices (N, 2, 3)."""
    return np.stack([np.stack([a.real, -a.imag, b.real], 1), np.stack([a.imag, a.real, b.imag], 1)], 1)


def inclination(landmarks: np.ndarray) -> np.ndarray:
    """Tilt of the eye line, (N,) degrees, positive where the face leans counter-clockwise as seen; NaN without one."""
    across = np.asarray(landmarks, dtype=float)[:, 1] - np.asarray(landmarks, dtype=float)[:, 0]
    return np.degrees(np.arctan2(-across[:, 1], across[:, 0]))


def nose_offset(landmarks: np.ndarray) -> np.ndarray:
    """Stand-in for yaw, (N,): how far right of the eyes' middle the nose lies along the eye line, in eye distances."""
    left, right, nose = np.moveaxis(np.asarray(landmarks, dtype=float)[:, :3], 1, 0)
    length = ((right - left) ** 2).sum(1)
    return ((nose - (left + right) / 2) * (right - left)).sum(1) / np.where(length > 0, length, np.nan)
