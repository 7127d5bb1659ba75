"""How well predictions fit labels. NumPy arrays in, numbers out."""

from __future__ import annotations

import numpy as np


def is_accurate(prediction: np.ndarray, distribution: np.ndarray) -> np.ndarray:
    """Per face: is the predicted emotion one of those with the largest share? (paper 002, 3.4)

    Parameters
    ----------
    prediction: (N,) integer labels, or (N, C) scores whose first largest entry is the prediction.
    distribution: (N, C).

    Returns
    -------
    (N,) bool.

    Raises
    ------
    ValueError: if lengths differ, a label is outside 0..C-1, or a score is NaN.
    """
    prediction, distribution = np.asarray(prediction), np.asarray(distribution)
    if distribution.ndim != 2 or len(prediction) != len(distribution):
        raise ValueError(f"{prediction.shape} predictions do not fit {distribution.shape} distributions")
    if prediction.ndim == 2:
        if prediction.shape != distribution.shape:
            raise ValueError(f"{prediction.shape} scores do not fit {distribution.shape} distributions")
        if np.isnan(prediction).any():
            raise ValueError(f"the scores of row {int(np.flatnonzero(np.isnan(prediction).any(axis=1))[0])} are NaN")
        prediction = prediction.argmax(axis=1)
    elif not np.issubdtype(prediction.dtype, np.integer):
        raise ValueError(f"labels must be integers, not {prediction.dtype}")
    if ((prediction < 0) | (prediction >= distribution.shape[1])).any():
        raise ValueError(f"labels must be in 0..{distribution.shape[1] - 1}")
    predicted_share = np.take_along_axis(distribution, prediction[:, None], axis=1)[:, 0]
    return predicted_share == distribution.max(axis=1)


def tie_aware_accuracy(prediction: np.ndarray, distribution: np.ndarray) -> float:
    """Share of faces whose predicted emotion is one of those with the largest share (paper 002, 3.4).

    Takes what :func:`is_accurate` takes.

    Raises
    ------
    ValueError: as :func:`is_accurate`, and if there is no face at all.
    """
    accurate = is_accurate(prediction, distribution)
    if not accurate.size:
        raise ValueError("an accuracy needs at least one face")
    return float(accurate.mean())
