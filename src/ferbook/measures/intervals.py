"""How sure a number is: bootstrap, seeds, proportions; and whether two models differ on the same faces.

Faces are resampled, so an interval says how the number would vary with other faces from the same source. It says
nothing of how it would vary with another training run: that is what ``over_seeds`` is for.
"""

import warnings
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from scipy import stats

from ferbook.core.errors import ConfigError

#: From this many discordant faces on, McNemar's test uses the chi-squared approximation instead of the exact binomial.
EXACT_BELOW = 25
#: How many indices of resampled faces are held at a time.
_BATCH = 5_000_000


class Interval(NamedTuple):
    """An estimate and the ends of its interval at confidence `level`; `count` values lie behind it."""

    estimate: float
    low: float
    high: float
    level: float
    count: int


class PairedDifference(NamedTuple):
    """A difference between two models on the same faces, its interval, and a two-sided p-value for "none"."""

    estimate: float
    low: float
    high: float
    level: float
    count: int
    p: float


class McNemar(NamedTuple):
    """McNemar's test.

    `both`, `only_a`, `only_b`, `neither`: how many faces who got right; `statistic`: chi-squared with continuity
    correction, or the smaller discordant count if the test is `exact`; `p`: two-sided.
    """

    p: float
    both: int
    only_a: int
    only_b: int
    neither: int
    statistic: float
    exact: bool


def told(found: Sequence[float], form: str = ".2f") -> str:
    """An estimate with the ends of its interval, as ``0.21 (0.15 to 0.27)``, for a table or a sentence.

    Parameters
    ----------
    found: estimate, low and high; what follows, as in :class:`Interval`, is left out.
    form: of each number.
    """
    estimate, low, high = (format(value, form) for value in found[:3])
    return f"{estimate} ({low} to {high})"


def bootstrap(
    statistic: Callable[..., float],
    *arrays: np.ndarray,
    seed: int,
    resamples: int = 2000,
    level: float = 0.95,
    method: Literal["percentile", "bca"] = "percentile",
) -> Interval:
    """Bootstrap interval of a statistic; rows of all arrays are resampled together.

    Parameters
    ----------
    statistic: takes the arrays and returns a number.
    arrays: one or more, each of N rows.
    seed: of the resampling.
    resamples: how many.
    level: confidence, between 0 and 1.
    method: ``percentile``, or ``bca`` (bias-corrected and accelerated, Efron 1987), which also omits each row once.

    Returns
    -------
    Interval.

    Raises
    ------
    ConfigError: if a setting cannot work.
    ValueError: if there are no arrays, lengths differ or are below 2, or the statistic is not finite on the data or on
        a resample, as when a class is missing from it.
    """
    outcome, estimate, count = _resampled(statistic, arrays, seed, resamples, level, method)
    low, high = outcome.confidence_interval
    if not np.isfinite([low, high]).all():
        raise ValueError(f"the {method} interval is undefined: the statistic hardly varies. Use 'percentile'.")
    return Interval(estimate, float(low), float(high), level, count)


def paired_bootstrap(
    a: np.ndarray,
    b: np.ndarray,
    *,
    seed: int,
    statistic: Callable[[np.ndarray], float] = np.mean,
    resamples: int = 2000,
    level: float = 0.95,
) -> PairedDifference:
    """Difference ``statistic(a) - statistic(b)`` of two models on the same faces, by resampling faces.

    Parameters
    ----------
    a, b: (N, ...) one row per face, in the same order: right or wrong, squared error, and so on.
    seed, resamples, level: as in ``bootstrap``.
    statistic: of one model's rows.

    Returns
    -------
    PairedDifference: with the percentile interval. `p` is twice the share of resamples on the far side of zero (zero
        itself counts as far), the data counted as one more resample; so it is never below 2 / (resamples + 1).

    Raises
    ------
    ConfigError, ValueError: as ``bootstrap``, and if `a` and `b` differ in shape.
    """
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape:
        raise ValueError(f"results of two models must pair up: {a.shape} and {b.shape}")
    a, b = (x.astype(np.float64) if x.dtype == bool else x for x in (a, b))

    def difference(x: np.ndarray, y: np.ndarray) -> float:
        return statistic(x) - statistic(y)

    outcome, estimate, count = _resampled(difference, (a, b), seed, resamples, level, "percentile")
    low, high = outcome.confidence_interval
    draws = outcome.bootstrap_distribution
    tail = min((draws <= 0).sum(), (draws >= 0).sum())
    p = min(1.0, 2 * (tail + 1) / (draws.size + 1))
    return PairedDifference(estimate, float(low), float(high), level, count, float(p))


def over_seeds(values: Sequence[float], level: float = 0.95) -> Interval:
    """Mean of one number per training run, with Student's t interval.

    Parameters
    ----------
    values: (R,) two runs or more; three is this book's minimum for a claim.
    level: confidence, between 0 and 1.

    Returns
    -------
    Interval.

    Raises
    ------
    ConfigError: if the level is not between 0 and 1.
    ValueError: if there are fewer than two values, or one is not finite.
    """
    _check_level(level)
    runs = np.asarray(values, dtype=np.float64)
    if runs.ndim != 1 or len(runs) < 2 or not np.isfinite(runs).all():
        raise ValueError(f"an interval over seeds needs two finite numbers or more, not {values}")
    mean = float(runs.mean())
    half = float(stats.t.ppf((1 + level) / 2, len(runs) - 1) * runs.std(ddof=1) / np.sqrt(len(runs)))
    return Interval(mean, mean - half, mean + half, level, len(runs))


def pooled_deviation(groups: Sequence[Sequence[float]], level: float = 0.95) -> Interval:
    """Standard deviation within groups of training runs, pooled by degrees of freedom, with its chi-squared interval.

    Parameters
    ----------
    groups: one number per run, of runs that differ in the seed alone; every group may have another mean.
    level: confidence, between 0 and 1.

    Raises
    ------
    ValueError: if no group has two runs.
    """
    free = sum(len(values) - 1 for values in groups)
    if free < 1:
        raise ValueError("a deviation needs two runs that differ in the seed alone")
    squares = sum(float(np.sum((np.asarray(values) - np.mean(values)) ** 2)) for values in groups)
    low, high = (float(np.sqrt(squares / stats.chi2.ppf(tail, free))) for tail in ((1 + level) / 2, (1 - level) / 2))
    return Interval(float(np.sqrt(squares / free)), low, high, level, sum(map(len, groups)))


def over_defined(values: Sequence[float | None]) -> Interval | None:
    """As :func:`over_seeds`; None where a run has no value, as the correlation of faces that all have the same rank."""
    return None if any(value is None for value in values) else over_seeds(values)


def wilson(k: int, n: int, level: float = 0.95) -> Interval:
    """Wilson's interval of a proportion, `k` successes out of `n`.

    Raises ConfigError if the level is not between 0 and 1. Raises ValueError if not 0 <= k <= n or n is 0.
    """
    _check_level(level)
    if n < 1 or not 0 <= k <= n:
        raise ValueError(f"{k} out of {n} is no proportion")
    from statsmodels.stats.proportion import proportion_confint  # a second to import, and few pages ask for it

    low, high = proportion_confint(k, n, alpha=1 - level, method="wilson")
    # At 0 and n successes an end is the share itself, but for rounding.
    return Interval(k / n, min(float(low), k / n), max(float(high), k / n), level, int(n))


def mcnemar(correct_a: np.ndarray, correct_b: np.ndarray, exact: bool | None = None) -> McNemar:
    """McNemar's test: do two models err equally often on the same faces?

    Parameters
    ----------
    correct_a, correct_b: (N,) bool, one entry per face, in the same order.
    exact: binomial test, or chi-squared with continuity correction; None: binomial below ``EXACT_BELOW`` discordant
        faces.

    Returns
    -------
    McNemar: p is 1 if no face is discordant.

    Raises
    ------
    ValueError: if shapes differ or are not (N,), there is no face, or entries are not true or false.
    """
    a, b = np.asarray(correct_a), np.asarray(correct_b)
    if a.shape != b.shape or a.ndim != 1 or not a.size:
        raise ValueError(f"right or wrong, face by face, for both models: {a.shape} and {b.shape} do not pair up")
    if a.dtype != bool or b.dtype != bool:
        raise ValueError(f"right or wrong must be bool, not {a.dtype} and {b.dtype}")
    both, only_a, only_b, neither = (int(x.sum()) for x in (a & b, a & ~b, ~a & b, ~a & ~b))
    if exact is None:
        exact = only_a + only_b < EXACT_BELOW
    if only_a + only_b == 0:
        return McNemar(1.0, both, 0, 0, neither, 0.0, exact)
    from statsmodels.stats.contingency_tables import mcnemar as mcnemar_test

    test = mcnemar_test([[both, only_a], [only_b, neither]], exact=exact, correction=True)
    return McNemar(float(test.pvalue), both, only_a, only_b, neither, float(test.statistic), exact)


def _resampled(
    statistic: Callable[..., float],
    arrays: Sequence[np.ndarray],
    seed: int,
    resamples: int,
    level: float,
    method: Literal["percentile", "bca"],
) -> tuple[Any, float, int]:
    """SciPy's bootstrap over row numbers, so that arrays of any shape stay paired; estimate; number of rows."""
    _check_level(level)
    if resamples < 1:
        raise ConfigError("resamples", f"{resamples} is not positive")
    if method not in ("percentile", "bca"):
        raise ConfigError("method", f"{method!r} is unknown", "Use 'percentile' or 'bca'.")
    arrays = [np.asarray(array) for array in arrays]
    lengths = {array.shape[:1] for array in arrays}
    if len(lengths) != 1 or lengths == {()} or len(arrays[0]) < 2:
        raise ValueError(f"arrays of one common length, 2 or more, are needed, not {[x.shape for x in arrays]}")
    count = len(arrays[0])

    def on_rows(rows: np.ndarray) -> float:
        value = float(statistic(*(array[rows] for array in arrays)))
        if not np.isfinite(value):
            raise ValueError(f"the statistic is {value} on a resample of the {count} rows")
        return value

    estimate = on_rows(np.arange(count))
    with warnings.catch_warnings(), np.errstate(invalid="ignore"):
        # A statistic that hardly varies gives NaN for an end of the BCa interval; the caller says so in an error.
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        outcome = stats.bootstrap(
            (np.arange(count),),
            on_rows,
            n_resamples=resamples,
            batch=max(1, _BATCH // count),
            vectorized=False,
            confidence_level=level,
            method={"percentile": "percentile", "bca": "BCa"}[method],
            rng=np.random.default_rng(seed),
        )
    return outcome, estimate, count


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ConfigError("level", f"{level} is no confidence", "Use a number between 0 and 1, such as 0.95.")
