"""The student table's regressors and comparisons: literal twins, known effects, and what must come out as nothing."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import LeaveOneOut

from ferbook.core import records
from ferbook.core.errors import ConfigError
from ferbook.datasets import academic
from ferbook.papers.outcomes import prediction, record
from ferbook.papers.outcomes.prediction import ALONE, BOTH, EMOTIONS_ALONE
from tests.conftest import REAL_DATA, needs


def test_the_synthetic_table_has_the_published_shape():
    table = prediction.synthetic(24, 2.0, seed=3)
    academic.SCHEMA.validate(table.reset_index(drop=True).astype({"failed": int}))
    assert set(np.unique(table[["V", "A", "D"]])) <= {1, 2, 5, 10}
    assert (table["failed"] == (table["final"] < academic.PASS_MARK)).all()
    pd.testing.assert_frame_equal(table, prediction.synthetic(24, 2.0, seed=3))
    assert not table.equals(prediction.synthetic(24, 2.0, seed=4))


def test_its_effect_is_the_stated_one():
    """With many students, the slope of marks on the true mood appears in the marks of those with low and high V."""
    none, some = (prediction.synthetic(4000, effect, seed=0) for effect in (0.0, 2.0))
    gaps = [table["final"][table["V"] == 10].mean() - table["final"][table["V"] == 1].mean() for table in (none, some)]
    assert abs(gaps[0]) < 0.4
    assert 2.0 < gaps[1] < 5.0


def test_too_few_students_are_refused():
    with pytest.raises(ConfigError, match="count"):
        prediction.synthetic(7)


def test_ridge_loo_matches_its_twin():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(15, 4)) * (1, 10, 0.1, 3) + 5, rng.normal(size=15)
    scaled = (x - x.mean(axis=0)) / x.std(axis=0)
    off = []
    for known, left in LeaveOneOut().split(scaled):
        fitted = Ridge(prediction.RIDGE).fit(scaled[known], y[known])
        off.append((y[left] - fitted.predict(scaled[left])).item())
    assert prediction.ridge_loo_mse(x, y) == pytest.approx(np.mean(np.square(off)), rel=1e-9)
    # A constant column changes nothing.
    assert prediction.ridge_loo_mse(np.hstack([x, np.ones((15, 1))]), y) == pytest.approx(np.mean(np.square(off)))


def test_leaving_one_out_without_features_is_the_mean_of_the_others():
    table = prediction.synthetic()
    final = table["final"].to_numpy()
    twin = [np.delete(final, k).mean() for k in range(len(final))]
    assert prediction.leave_one_out(table, ()) == pytest.approx(twin)


def test_the_mean_predictor_has_no_skill_and_the_effect_shows():
    found = prediction.compare(prediction.synthetic(60, 4.0, seed=1))
    assert found.r2["mean"] == 0
    assert found.errors[BOTH].mse < found.errors[ALONE].mse
    assert found.difference.low > 0
    none = prediction.compare(prediction.synthetic(60, 0.0, seed=1))
    assert none.difference.low < 0 < none.difference.high or none.difference.estimate < 0
    assert none.against_mean.low < 0


def test_errors_by_hand():
    found = prediction.errors(np.array([90.0, 80.0]), np.array([88.0, 81.0]))
    assert (found.mse, found.spread, found.students) == (2.5, 1.5, 2)


def test_the_split_is_stratified_and_the_same_for_the_same_seed():
    table = prediction.synthetic(24, 0.0, seed=2)
    first, again = (prediction.single_split(table, 5, "ridge") for _ in range(2))
    assert first == again
    assert first[ALONE].students == 6
    train, test = prediction._split(table, 5)
    assert sorted([*train, *test]) == list(range(24))
    assert table["failed"].iloc[test].sum() == pytest.approx(table["failed"].sum() / 4, abs=1)
    nobody = table.assign(failed=False)
    assert prediction.single_split(nobody, 5, "ridge")[ALONE].students == 6


def test_repeated_splits_widen_the_interval_for_shared_students():
    table = prediction.synthetic(24, 1.0, seed=0)
    found = prediction.repeated_splits(table, 12)
    differences = np.array(found.mse[ALONE]) - np.array(found.mse[BOTH])
    assert found.difference.estimate == pytest.approx(differences.mean())
    plain = 2.201 * differences.std(ddof=1) / np.sqrt(12)  # Student's t, 11 degrees of freedom
    half = (found.difference.high - found.difference.low) / 2
    assert half == pytest.approx(plain * np.sqrt(1 + 12 * 6 / 18), rel=1e-3)
    assert found.share_better == (differences > 0).mean()


def test_permutations_find_an_effect_and_none_where_there_is_none():
    assert prediction.permutation_test(prediction.synthetic(24, 5.0, seed=0), 99).p == 0.01
    ps = [prediction.permutation_test(prediction.synthetic(24, 0.0, seed=k), 39, seed=k).p for k in range(60)]
    # Uniform under the null: a mean of 60 uniform numbers is within 0.11 of a half with probability 0.996.
    assert abs(np.mean(ps) - 0.5) < 0.13
    assert prediction.power(0.0, 60, 39) <= 0.15
    assert prediction.power(4.0, 20, 39) >= 0.9


def test_the_papers_regressor_is_permuted_by_sixths():
    table = prediction.synthetic(24, 4.0, seed=0)
    found = prediction.permutation_test(table, 2, "ada_rf_exp", size=(2, 2))
    assert len(found.permuted) == 2
    assert found.p in (1 / 3, 2 / 3, 1.0)
    assert found == prediction.permutation_test(table, 2, "ada_rf_exp", size=(2, 2))


def test_published_features_by_hand():
    table = pd.DataFrame({"pretest": [100, 10], "L2": [10, 1]})
    assert prediction.published_features(table).to_numpy().tolist() == [[2, 5], [1, 2]]
    with pytest.raises(ValueError, match="positive"):
        prediction.published_features(table - 1)


def test_the_papers_regressor_is_adaboost_over_forests():
    model = prediction.regressor("ada_rf_exp", seed=1, size=(3, 4))
    assert (model.loss, model.n_estimators, model.estimator.n_estimators) == ("exponential", 3, 4)
    with pytest.raises(ConfigError, match="magic"):
        prediction.regressor("magic")


def test_a_small_measurement_has_everything_that_pages_and_claims_read():
    found = record.measure(
        prediction.synthetic(24, 6.0, seed=0), 3, size=(2, 2), repeats=2, models=("ada_rf_exp",), small=(2, 2), seeds=2
    )
    stored = records.read(record.RECORD)["values"]
    assert found.keys() == stored.keys()
    assert found["claims"].keys() == stored["claims"].keys()
    assert found["single"].keys() == stored["single"].keys()
    assert found["claims"]["learning_alone_mse"] == "higher"
    assert found["table"]["lessons"] == 12


def test_lessons_are_counted_in_the_table():
    """A thirteenth column of marks, which no model sees, is counted; pretest, V, A, D and outcomes are not."""
    table = prediction.synthetic(24, 0.0, seed=0)
    table.insert(13, "L14", table["L13"])
    found = record.measure(table, 1, size=(1, 1), repeats=2, models=("ada_rf_exp",), small=(1, 1), seeds=1)
    assert found["table"]["lessons"] == 13


def test_how_sure_the_spread_of_the_split_is():
    """Another seed of the model leaves the students as they are; the published one has the interval."""
    table = prediction.synthetic(24, 6.0, seed=0)
    found = record.spread_of_the_split(table, (2, 2), 3)
    assert found.keys() == records.read(record.RECORD)["values"]["single_spread"].keys()

    def less(seed):
        one = prediction.single_split(table, size=(2, 2), published=True, model_seed=seed)
        return one[ALONE].spread - one[BOTH].spread

    assert found["difference"]["estimate"] == pytest.approx(less(prediction.MODEL_SEED))
    assert found["difference"]["count"] == 6
    assert found["seeds"] == pytest.approx([less(seed) for seed in range(3)]) and len(set(found["seeds"])) == 3
    # A model without chance gives the same whatever its seed, so the students are the same ones.
    assert prediction.single_split(table, 678, "ridge", model_seed=5) == prediction.single_split(table, 678, "ridge")


def test_the_published_seed_is_not_among_the_others():
    table = prediction.synthetic(24, 6.0, seed=0)
    found = record.spread_of_the_split(table, (1, 1), prediction.MODEL_SEED + 1)["seeds"]
    last = prediction.single_split(table, size=(1, 1), published=True, model_seed=prediction.MODEL_SEED + 1)
    assert len(found) == prediction.MODEL_SEED + 1
    assert found[-1] == pytest.approx(last[ALONE].spread - last[BOTH].spread)


@needs("academic")
def test_the_record_is_of_the_published_table():
    table = academic.load(REAL_DATA)
    stored = records.read(record.RECORD)
    values = stored["values"]
    assert stored["provenance"]["checksum"] == academic.CARD.checksums[academic.TABLE]
    assert values["table"]["students"] == len(table) == 24
    assert values["table"]["failed"] == int(table["failed"].sum())
    again = prediction.compare(table, "ridge")
    for name in (ALONE, BOTH, EMOTIONS_ALONE, "mean"):
        assert again.errors[name].mse == pytest.approx(values["leave_one_out"]["ridge"]["errors"][name]["mse"])


def test_only_the_published_table_is_recorded(tmp_path):
    table = prediction.synthetic().astype({"failed": int})
    table.insert(0, "name", "**")
    table.insert(0, "id", 1)
    table.to_csv(tmp_path / academic.TABLE, index=False)
    with pytest.raises(Exception, match="not the published table"):
        record.record(tmp_path)
