"""Regression figures against literal twins, and the constant predictor beside them."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ferbook.measures.regression import ccc, evaluate


def ccc_twin(x, y):
    """Lin 1989, with moments divided by N."""
    n = len(x)
    mean_x, mean_y = sum(x) / n, sum(y) / n
    var_x = sum((a - mean_x) ** 2 for a in x) / n
    var_y = sum((b - mean_y) ** 2 for b in y) / n
    cov = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / n
    return 2 * cov / (var_x + var_y + (mean_x - mean_y) ** 2)


def r2_twin(x, y):
    mean = sum(y) / len(y)
    return 1 - sum((a - b) ** 2 for a, b in zip(x, y, strict=True)) / sum((b - mean) ** 2 for b in y)


def pcc_twin(x, y):
    n = len(x)
    mean_x, mean_y = sum(x) / n, sum(y) / n
    above = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True))
    return above / math.sqrt(sum((a - mean_x) ** 2 for a in x) * sum((b - mean_y) ** 2 for b in y))


# Rounded to the hundredth, so that values tie but nothing is nearly constant.
PAIRS = hnp.arrays(np.int64, (2, 12), elements=st.integers(-100, 100)).map(lambda x: x / 100)


@given(PAIRS)
def test_matches_its_twins(pair):
    x, y = pair.tolist()
    result = evaluate(pair[0][:, None], pair[1][:, None], names=["valence"])
    model = result.model
    assert model.mse[0] == pytest.approx(sum((a - b) ** 2 for a, b in zip(x, y, strict=True)) / 12)
    assert model.mae[0] == pytest.approx(sum(abs(a - b) for a, b in zip(x, y, strict=True)) / 12)
    assert (model.r2[0] is None) == (len(set(y)) == 1)
    assert (model.pcc[0] is None) == (min(len(set(x)), len(set(y))) == 1)
    if model.r2[0] is not None:
        assert model.r2[0] == pytest.approx(r2_twin(x, y), abs=1e-12)
    if model.pcc[0] is not None:
        assert model.pcc[0] == pytest.approx(pcc_twin(x, y), abs=1e-12)
        assert model.ccc[0] == pytest.approx(ccc_twin(x, y), abs=1e-12)


@given(PAIRS)
def test_ccc_never_exceeds_pcc_and_is_symmetric(pair):
    x, y = pair
    if len(set(x)) > 1 and len(set(y)) > 1:
        assert abs(ccc(x, y)) <= abs(pcc_twin(x.tolist(), y.tolist())) + 1e-12
        assert ccc(x, y) == pytest.approx(ccc(y, x), abs=1e-15)


def test_ccc_by_hand():
    y = np.array([-1.0, 0, 1])
    assert ccc(y, y) == 1
    assert ccc(-y, y) == -1
    # Shifted by 1: covariance 2/3, variances 2/3, squared difference of means 1.
    assert ccc(y + 1, y) == pytest.approx(4 / 3 / (4 / 3 + 1))
    assert ccc(np.full(3, 0.3), y) == 0
    assert ccc(np.full(3, 0.3), np.full(3, 0.2)) == 0
    assert ccc(np.full(3, 0.3), np.full(3, 0.3)) is None


def test_the_constant_predictor_stands_beside_the_model():
    random = np.random.default_rng(0)
    truth = random.normal(0.2, 0.3, (200, 3))
    prediction = truth + random.normal(0, 0.1, truth.shape)
    known = evaluate(prediction, truth, reference=[0.0, 0.2, 0.5])
    assert known.reference == (0.0, 0.2, 0.5)
    assert not known.hindsight
    for k, value in enumerate(known.reference):
        assert known.constant.mse[k] == pytest.approx(np.mean((truth[:, k] - value) ** 2))
    assert known.constant.ccc == (0, 0, 0)
    assert known.constant.pcc == (None, None, None)
    assert all(x < 0 for x in known.constant.r2)
    assert all(m < c for m, c in zip(known.model.mse, known.constant.mse, strict=True))

    hindsight = evaluate(prediction, truth)
    assert hindsight.hindsight
    assert hindsight.constant.r2 == pytest.approx((0, 0, 0), abs=1e-12)
    assert hindsight.constant.mse == pytest.approx(truth.var(axis=0))
    assert hindsight.model == known.model
    json.dumps(known.as_dict(), allow_nan=False)


def test_a_low_error_can_hide_a_useless_model():
    """Why CCC and the constant are always printed: small errors on a narrow axis."""
    random = np.random.default_rng(1)
    truth = random.normal(0, 0.05, (500, 1))
    result = evaluate(random.normal(0, 0.05, (500, 1)), truth, names=["dominance"])
    assert result.model.mse[0] < 0.01
    assert result.model.mse[0] > result.constant.mse[0]
    assert abs(result.model.ccc[0]) < 0.2


GOOD = np.arange(6.0).reshape(2, 3)


@pytest.mark.parametrize(
    ("prediction", "truth", "options"),
    [
        (GOOD[:, :1], GOOD[:, 0], {"names": ["valence"]}),
        (GOOD[:, 0], GOOD[:, 0], {"names": ["valence"]}),
        (GOOD[:1], GOOD[:1], {}),
        (GOOD[:, :0], GOOD[:, :0], {"names": []}),
        (GOOD + np.nan, GOOD, {}),
        (GOOD, np.where(GOOD == 4, np.inf, GOOD), {}),
        (GOOD, GOOD, {"names": ["valence"]}),
        (GOOD, GOOD, {"reference": [0.0]}),
        (GOOD, GOOD, {"reference": [0.0, np.nan, 0.0]}),
    ],
)
def test_refuses(prediction, truth, options):
    with pytest.raises(ValueError):  # noqa: PT011 - each message names its own shapes
        evaluate(prediction, truth, **options)


def test_says_which_row_is_missing():
    truth = GOOD.copy()
    truth[1, 2] = np.nan
    with pytest.raises(ValueError, match="the truth of row 1 is not finite"):
        evaluate(GOOD, truth)
    with pytest.raises(ValueError, match="the prediction of row 0"):
        ccc(np.array([np.inf, 1]), np.array([0.0, 1]))
