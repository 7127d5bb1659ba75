"""How well predicted values fit measured ones, always beside a predictor that gives every face the same value.

NumPy arrays in, numbers out. A figure that is not defined, such as a correlation with something constant, is None.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from scipy import stats
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score

from ferbook.faces.emotions import VAD_AXES


@dataclass(frozen=True)
class Scores:
    """How well one predictor does, one entry per dimension.

    Parameters
    ----------
    mse: mean squared error, in the square of the values' unit; 003's "average loss" (equations 20 to 22).
    mae: mean absolute error, in the values' unit.
    r2: coefficient of determination; 0: no better than the truth's own mean. None where the truth is constant.
    ccc: concordance correlation coefficient (see ``ccc``); None where both are constant and equal.
    pcc: Pearson correlation; None where either is constant.
    """

    mse: tuple[float, ...]
    mae: tuple[float, ...]
    r2: tuple[float | None, ...]
    ccc: tuple[float | None, ...]
    pcc: tuple[float | None, ...]


@dataclass(frozen=True)
class Regression:
    """A model beside the constant predictor.

    Parameters
    ----------
    names: of the dimensions.
    model, constant: their scores on the same faces.
    reference: what the constant predictor gives, per dimension.
    hindsight: whether that is the mean of the very values it is scored on, and not one known before.
    faces: how many.
    """

    names: tuple[str, ...]
    model: Scores
    constant: Scores
    reference: tuple[float, ...]
    hindsight: bool
    faces: int

    def as_dict(self) -> dict[str, object]:
        """Ready for JSON."""
        return asdict(self)


def ccc(prediction: np.ndarray, truth: np.ndarray) -> float | None:
    """Concordance correlation coefficient: 2 cov / (var + var + (difference of means)^2) (Lin 1989).

    1: equal; 0: as for any constant; -1: mirrored. Moments are divided by N, as Lin does.

    Parameters
    ----------
    prediction, truth: (N,).

    Returns
    -------
    A number in [-1, 1], or None if both are constant and equal.

    Raises
    ------
    ValueError: if shapes differ or are not (N,), there are fewer than two values, or one is not finite.
    """
    prediction, truth = _checked(prediction, truth, axes=1)
    if _constant(prediction) or _constant(truth):
        same = _constant(prediction) and _constant(truth) and prediction[0] == truth[0]
        return None if same else 0.0
    x, y = prediction - prediction.mean(), truth - truth.mean()
    below = (x**2).mean() + (y**2).mean() + (prediction.mean() - truth.mean()) ** 2
    return float(2 * (x * y).mean() / below)


def evaluate(
    prediction: np.ndarray,
    truth: np.ndarray,
    reference: np.ndarray | None = None,
    names: Sequence[str] = VAD_AXES,
) -> Regression:
    """Score predictions, and beside them the constant predictor.

    Parameters
    ----------
    prediction, truth: (N, D).
    reference: (D,) what the constant predictor gives: the mean of the *training* values. None: the mean of `truth`,
        the best constant in hindsight.
    names: of the D dimensions.

    Returns
    -------
    Regression.

    Raises
    ------
    ValueError: if shapes differ or are not (N, D), there are fewer than two faces, or a value is not finite.
    """
    prediction, truth = _checked(prediction, truth, axes=2)
    if len(names) != truth.shape[1]:
        raise ValueError(f"{len(names)} names for {truth.shape[1]} dimensions")
    hindsight = reference is None
    constant = truth.mean(axis=0) if reference is None else np.asarray(reference, dtype=np.float64)
    if constant.shape != truth.shape[1:] or not np.isfinite(constant).all():
        raise ValueError(f"the reference must be {truth.shape[1]} finite numbers, not {constant}")
    return Regression(
        names=tuple(names),
        model=_scores(prediction, truth),
        constant=_scores(np.broadcast_to(constant, truth.shape), truth),
        reference=tuple(constant.tolist()),
        hindsight=hindsight,
        faces=len(truth),
    )


def _scores(prediction: np.ndarray, truth: np.ndarray) -> Scores:
    pairs = list(zip(prediction.T, truth.T, strict=True))
    return Scores(
        mse=tuple(mean_squared_error(truth, prediction, multioutput="raw_values").tolist()),
        mae=tuple(mean_absolute_error(truth, prediction, multioutput="raw_values").tolist()),
        r2=tuple(None if _constant(y) else float(r2_score(y, x)) for x, y in pairs),
        ccc=tuple(ccc(x, y) for x, y in pairs),
        pcc=tuple(None if _constant(x) or _constant(y) else float(stats.pearsonr(x, y).statistic) for x, y in pairs),
    )


def _constant(values: np.ndarray) -> bool:
    return bool((values == values[0]).all())


def _checked(prediction: np.ndarray, truth: np.ndarray, axes: int) -> tuple[np.ndarray, np.ndarray]:
    prediction, truth = np.asarray(prediction, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    if prediction.shape != truth.shape or truth.ndim != axes:
        shape = "(faces,)" if axes == 1 else "(faces, dimensions)"
        raise ValueError(f"predictions {prediction.shape} and truth {truth.shape} must share one shape {shape}")
    if len(truth) < 2 or not truth.size:
        raise ValueError(f"two faces or more are needed, not {len(truth)}")
    for what, values in (("prediction", prediction), ("truth", truth)):
        bad = ~np.isfinite(values).reshape(len(values), -1).all(axis=1)
        if bad.any():
            raise ValueError(f"the {what} of row {int(np.flatnonzero(bad)[0])} is not finite")
    return prediction, truth
