"""How well predictions fit labels. NumPy arrays in, numbers out."""

import numpy as np
from scipy.special import rel_entr
from sklearn.metrics import confusion_matrix


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

    Takes what :func:`is_accurate` takes. Raises ValueError as :func:`is_accurate`, and if there is no face at all.
    """
    accurate = is_accurate(prediction, distribution)
    if not accurate.size:
        raise ValueError("an accuracy needs at least one face")
    return float(accurate.mean())


def crowd_measures(probabilities: np.ndarray, distribution: np.ndarray, bins: int = 15) -> dict[str, object]:
    """How predicted probabilities fit the crowd's distributions: as answers, as distributions, and as confidences.

    Parameters
    ----------
    probabilities: (N, C), rows sum to 1.
    distribution: (N, C), rows sum to 1.
    bins: of equal width, for the calibration error.

    Returns
    -------
    ``accuracy``: tie-aware. ``accuracy_first``: of tied emotions only the first counts as right.
    ``kl``: mean Kullback-Leibler divergence from crowd to prediction, in nats. ``brier``: mean squared distance.
    ``calibration_error``: mean distance between confidence and accuracy, weighed by a bin's faces (ECE).
    ``confusion``: (C, C) counts, rows the crowd's emotion (of tied ones the predicted one, else the first), columns the
    prediction. ``recall``: per emotion, its share on the diagonal; None where there is no such face.

    Raises
    ------
    ValueError: as :func:`is_accurate`.
    """
    accurate = is_accurate(probabilities, distribution)
    predicted, first = probabilities.argmax(axis=1), distribution.argmax(axis=1)
    wanted = np.where(accurate, predicted, first)
    confusion = confusion_matrix(wanted, predicted, labels=range(distribution.shape[1]))
    confidence = probabilities.max(axis=1)
    in_bin = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = np.bincount(in_bin, confidence - accurate, minlength=bins)
    totals = confusion.sum(axis=1)
    # A probability that was rounded to 0 would make the divergence infinite.
    divergence = rel_entr(distribution, np.maximum(probabilities, 1e-7)).sum(axis=1)
    return {
        "accuracy": float(accurate.mean()),
        "accuracy_first": float((predicted == first).mean()),
        "kl": float(divergence.mean()),
        "brier": float(((probabilities - distribution) ** 2).sum(axis=1).mean()),
        "calibration_error": float(np.abs(gaps).sum() / len(accurate)),
        "confusion": confusion.tolist(),
        "recall": [
            float(hit / total) if total else None for hit, total in zip(np.diag(confusion), totals, strict=True)
        ],
    }


def to_bits(flags: np.ndarray) -> str:
    """(N,) bool as hexadecimal text, eight to two digits: small enough to record one answer per face."""
    return np.packbits(np.asarray(flags, dtype=bool)).tobytes().hex()


def from_bits(text: str, count: int) -> np.ndarray:
    """What :func:`to_bits` wrote, (count,) bool. Raises ValueError if the text holds another number of flags."""
    packed = np.frombuffer(bytes.fromhex(text), dtype=np.uint8)
    if len(packed) != -(-count // 8):
        raise ValueError(f"{len(packed) * 8} flags are not {count}")
    return np.unpackbits(packed, count=count).astype(bool)
