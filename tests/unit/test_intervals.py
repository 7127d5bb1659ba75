"""Intervals and paired tests against literal twins, and against the truth they should cover."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ferbook.core.errors import ConfigError
from ferbook.measures import intervals
from ferbook.measures.intervals import EXACT_BELOW, bootstrap, mcnemar, over_seeds, paired_bootstrap, wilson


def percentile_twin(statistic, arrays, seed, resamples, level):
    """Efron's percentile interval by a loop; its draws differ from SciPy's, so it agrees only about."""
    random = np.random.default_rng(seed)
    n, values = len(arrays[0]), []
    for _ in range(resamples):
        rows = random.integers(0, n, n)
        values.append(statistic(*(array[rows] for array in arrays)))
    return np.quantile(values, [(1 - level) / 2, (1 + level) / 2])


def test_how_an_interval_is_told():
    found = intervals.over_seeds([0.1, 0.2, 0.3])
    assert intervals.told(found) == "0.20 (-0.05 to 0.45)"
    assert intervals.told([31.4, 29.6, 33.4], ".0f") == "31 (30 to 33)"
    assert intervals.told([0.001, -0.02, 0.02], "+.3f") == "+0.001 (-0.020 to +0.020)"


def test_bootstrap_matches_its_twin():
    random = np.random.default_rng(0)
    x, y = random.normal(size=(2, 80))
    y = y + x
    arrays = (x, y)

    def slope(a, b):
        return np.polyfit(a, b, 1)[0]

    interval = bootstrap(slope, *arrays, seed=1, resamples=1500, level=0.9)
    low, high = percentile_twin(slope, arrays, 2, 1500, 0.9)
    assert interval.estimate == slope(*arrays)
    assert (interval.level, interval.count) == (0.9, 80)
    width = high - low
    assert interval.low == pytest.approx(low, abs=0.1 * width)
    assert interval.high == pytest.approx(high, abs=0.1 * width)


def test_bootstrap_keeps_rows_together_whatever_their_shape():
    """If rows came apart, the difference would not be the same number every time."""
    x = np.arange(60.0).reshape(20, 3)
    interval = bootstrap(lambda a, b: (a - b).max(), x, x + 1, seed=0, resamples=100)
    assert interval[:3] == (-1, -1, -1)


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_bootstrap_covers(method):
    """Of 100 intervals at 90 %, about 90 hold the truth; fewer than 78 or all would be beyond chance."""
    random = np.random.default_rng(0)
    hits = 0
    for seed in range(100):
        low, high = bootstrap(np.mean, random.normal(size=40), seed=seed, resamples=200, level=0.9, method=method)[1:3]
        hits += low <= 0 <= high
    assert 78 <= hits < 100


def test_bootstrap_is_reproducible():
    x = np.random.default_rng(0).exponential(size=50)
    first, again, other = (bootstrap(np.median, x, seed=seed, resamples=300) for seed in (1, 1, 2))
    assert first == again != other


def test_bca_corrects_for_skew():
    x = np.random.default_rng(0).exponential(size=30)
    plain, corrected = (bootstrap(np.mean, x, seed=0, method=method) for method in ("percentile", "bca"))
    assert corrected.high > plain.high
    assert corrected.low > plain.low


def test_bootstrap_of_something_constant():
    assert bootstrap(np.mean, np.ones(5), seed=0, resamples=50)[:3] == (1, 1, 1)
    with pytest.raises(ValueError, match="hardly varies"):
        bootstrap(np.mean, np.ones(5), seed=0, resamples=50, method="bca")


def test_bootstrap_says_when_a_resample_has_no_value():
    rare = np.array([1] + [0] * 9)
    with pytest.raises(ValueError, match="on a resample of the 10 rows"):
        bootstrap(lambda t: 1.0 if t.any() else math.nan, rare, seed=0, resamples=100)


def test_paired_bootstrap_sees_what_unpaired_intervals_do_not():
    random = np.random.default_rng(0)
    difficulty = random.normal(0, 5, 200)
    a, b = difficulty + random.normal(0.1, 0.2, 200), difficulty
    result = paired_bootstrap(a, b, seed=0, resamples=999)
    assert 0 < result.low < result.estimate < result.high
    assert result.estimate == pytest.approx(np.mean(a - b))
    assert result.p == 2 / 1000
    plain = [bootstrap(np.mean, x, seed=0, resamples=999) for x in (a, b)]
    assert plain[0].low < plain[1].high
    mirrored = paired_bootstrap(b, a, seed=0, resamples=999)
    assert (mirrored.low, mirrored.high) == pytest.approx((-result.high, -result.low))


def test_paired_bootstrap_p_matches_its_twin():
    random = np.random.default_rng(3)
    a, b = random.random(60) < 0.7, random.random(60) < 0.6
    result = paired_bootstrap(a, b, seed=0, resamples=2000)
    draws = [np.mean(d) for d in random.choice(a.astype(float) - b, (2000, 60))]
    twin = 2 * min(np.mean(np.array(draws) <= 0), np.mean(np.array(draws) >= 0))
    assert result.p == pytest.approx(min(1, twin), abs=0.06)
    assert 0.02 < result.p < 0.98


def test_paired_bootstrap_of_equals():
    same = np.array([True, False, True])
    result = paired_bootstrap(same, same, seed=0, resamples=50)
    assert (result.estimate, result.low, result.high, result.p) == (0, 0, 0, 1)


def test_paired_bootstrap_takes_any_statistic():
    a, b = np.random.default_rng(0).normal(size=(2, 40, 3))
    result = paired_bootstrap(a, b, seed=0, resamples=50, statistic=lambda x: np.sqrt((x**2).mean()))
    assert result.estimate == pytest.approx(np.sqrt((a**2).mean()) - np.sqrt((b**2).mean()))


def test_runs_one_of_which_has_no_value_have_no_mean():
    assert intervals.over_defined([1.0, None, 2.0]) is None
    assert intervals.over_defined([1.0, 2.0, 4.0]) == intervals.over_seeds([1.0, 2.0, 4.0])


def test_over_seeds_matches_its_twin():
    values = [85.2, 84.7, 85.9]
    mean = sum(values) / 3
    deviation = math.sqrt(sum((x - mean) ** 2 for x in values) / 2)
    half = 4.302652729911275 * deviation / math.sqrt(3)  # Student's t, 2 degrees of freedom, 97.5 %
    interval = over_seeds(values)
    assert interval == pytest.approx((mean, mean - half, mean + half, 0.95, 3))
    expected = stats.t.interval(0.8, 2, loc=mean, scale=stats.sem(values))
    assert over_seeds(values, 0.8)[1:3] == pytest.approx(expected)
    assert over_seeds([1.0, 1.0])[:3] == (1, 1, 1)


def test_a_pooled_deviation_matches_its_twin():
    """Twin: one group has the usual interval; drawn anew many times, intervals hold the true deviation 95 % of them."""
    values = [85.2, 84.7, 85.9]
    found = intervals.pooled_deviation([values])
    assert found.estimate == pytest.approx(np.std(values, ddof=1)) and found.count == 3
    # Chi-squared with two degrees of freedom, 97.5 and 2.5 %.
    ends = [found.estimate * math.sqrt(2 / limit) for limit in (7.377758908227871, 0.05063561596857975)]
    assert found[1:3] == pytest.approx(ends)
    assert intervals.pooled_deviation([values, [7.0]])[:3] == pytest.approx(found[:3])
    uneven = intervals.pooled_deviation([values, [1.0, 2.0, 3.0, 4.0, 5.0]])
    assert uneven.estimate**2 == pytest.approx((2 * np.var(values, ddof=1) + 4 * 2.5) / 6)
    random = np.random.default_rng(0)
    drawn = [intervals.pooled_deviation(random.normal([[0], [9]], 2.0, (2, 3))) for _ in range(2000)]
    assert np.mean([one.low <= 2 <= one.high for one in drawn]) == pytest.approx(0.95, abs=0.02)
    with pytest.raises(ValueError, match="two runs"):
        intervals.pooled_deviation([[1.0], [2.0]])


@given(st.integers(1, 60), st.data())
def test_wilson_matches_its_twin(n, data):
    """The proportions p for which |k/n - p| is z standard errors of p: roots of a quadratic."""
    k = data.draw(st.integers(0, n))
    z, share = stats.norm.ppf(0.975), k / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    interval = wilson(k, n)
    assert interval[:3] == pytest.approx((share, max(0, middle - half), min(1, middle + half)), abs=1e-12)
    assert 0 <= interval.low <= share <= interval.high <= 1


def mcnemar_twin(a, b, exact):
    only_a = sum(x and not y for x, y in zip(a, b, strict=True))
    only_b = sum(y and not x for x, y in zip(a, b, strict=True))
    n = only_a + only_b
    if n == 0:
        return only_a, only_b, 1.0
    if exact:
        tail = sum(math.comb(n, k) for k in range(min(only_a, only_b) + 1)) / 2**n
        return only_a, only_b, min(1.0, 2 * tail)
    chi = (abs(only_a - only_b) - 1) ** 2 / n
    return only_a, only_b, math.erfc(math.sqrt(chi / 2))


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60), st.sampled_from([None, True, False]))
def test_mcnemar_matches_its_twin(pairs, exact):
    a, b = (np.array(x) for x in zip(*pairs, strict=True))
    result = mcnemar(a, b, exact)
    assert result.exact == (exact if exact is not None else (a != b).sum() < EXACT_BELOW)
    only_a, only_b, p = mcnemar_twin(a.tolist(), b.tolist(), result.exact)
    assert (result.only_a, result.only_b) == (only_a, only_b)
    assert result.both + result.neither + only_a + only_b == len(pairs)
    assert result.both == sum(x and y for x, y in pairs)
    assert result.p == pytest.approx(p, abs=1e-12)


def test_mcnemar_is_blind_to_faces_that_both_get_right():
    a, b = np.array([True] * 8 + [False] * 2), np.array([False] * 8 + [True] * 2)
    padded = [np.concatenate([x, np.ones(1000, dtype=bool)]) for x in (a, b)]
    assert mcnemar(a, b).p == mcnemar(*padded).p == pytest.approx(2 * (1 + 10 + 45) / 1024)


X, YES = np.arange(4.0), np.ones(4, dtype=bool)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: bootstrap(np.mean, seed=0), ValueError),
        (lambda: bootstrap(np.mean, X[:1], seed=0), ValueError),
        (lambda: bootstrap(np.mean, 3.0, seed=0), ValueError),
        (lambda: bootstrap(np.dot, X, X[:3], seed=0), ValueError),
        (lambda: bootstrap(np.mean, X * np.nan, seed=0), ValueError),
        (lambda: bootstrap(np.mean, X, seed=0, level=95), ConfigError),
        (lambda: bootstrap(np.mean, X, seed=0, resamples=0), ConfigError),
        (lambda: bootstrap(np.mean, X, seed=0, method="basic"), ConfigError),
        (lambda: paired_bootstrap(X, X[:3], seed=0), ValueError),
        (lambda: paired_bootstrap(X[:, None], X, seed=0), ValueError),
        (lambda: over_seeds([1.0]), ValueError),
        (lambda: over_seeds([1.0, math.nan]), ValueError),
        (lambda: over_seeds([1.0, 2.0], 0), ConfigError),
        (lambda: wilson(1, 0), ValueError),
        (lambda: wilson(5, 4), ValueError),
        (lambda: wilson(-1, 4), ValueError),
        (lambda: wilson(1, 4, 1.0), ConfigError),
        (lambda: mcnemar(YES, YES[:3]), ValueError),
        (lambda: mcnemar(YES[:0], YES[:0]), ValueError),
        (lambda: mcnemar(X, X), ValueError),
    ],
)
def test_refuses(call, error):
    with pytest.raises(error):
        call()
