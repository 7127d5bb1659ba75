"""Paper 004, sections 2.4 and 3.2: predicting students' final marks from learning data, with and without V, A, D.

The table (:mod:`ferbook.datasets.academic`) has 24 students. Whatever is computed on it, the question is how much 24
students can show; so each comparison here comes with an interval over students, a permutation test, and a predictor
that gives everybody the mean. :func:`synthetic` makes tables of the same shape from a stated model, in which emotions
have an effect of known size, or none.

``ada_rf_exp`` is the paper's ADA_RF_EXP, which it does not describe: by its name and the authors' published code
(YeeHoran/Learning-Result-Prediction-by-VAD), AdaBoost.R2 with exponential loss over random forests.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.base import RegressorMixin
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import AdaBoostRegressor, RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold, LeaveOneOut, cross_val_predict, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ferbook.core.errors import ConfigError
from ferbook.datasets.academic import EMOTION_COLUMNS, LESSONS, PASS_MARK
from ferbook.measures import intervals

LEARNING: tuple[str, ...] = ("pretest", *LESSONS)
#: What a model may see. "mean" sees nothing.
FEATURES: dict[str, tuple[str, ...]] = {
    "learning data": LEARNING,
    "learning data + V, A, D": (*LEARNING, *EMOTION_COLUMNS),
    "V, A, D": EMOTION_COLUMNS,
}
ALONE, BOTH, EMOTIONS_ALONE = FEATURES
#: How the authors' published code divides the students: a quarter to test, failed ones in proportion, this seed.
TEST_SHARE, AUTHORS_SEED = 0.25, 678
#: The seed of the boosting in that code, and through it of the forests.
MODEL_SEED = 12
#: Boosting rounds and trees per forest of the published code; a fit takes many seconds.
PUBLISHED_SIZE = (50, 300)
#: What everything but the single split uses: a twentieth of a second and more per fit.
SMALL_SIZE = (10, 10)
#: Ridge penalty on standardised features. Fixed, so that nothing is chosen on 24 students.
RIDGE = 10.0


@dataclass(frozen=True)
class Errors:
    """How far predictions are off.

    Parameters
    ----------
    mse: mean squared error, in squared marks.
    spread: standard deviation of the errors, in marks: the paper's "std error".
    students: how many were predicted.
    """

    mse: float
    spread: float
    students: int


def regressor(name: str, seed: int = 0, size: tuple[int, int] = SMALL_SIZE) -> RegressorMixin:
    """A regressor by name, not fitted.

    Parameters
    ----------
    name: ``ada_rf_exp``, ``random_forest``, ``ridge`` (on standardised features) or ``mean``.
    seed: of what is drawn.
    size: boosting rounds (``ada_rf_exp``) and trees.

    Raises
    ------
    ConfigError: if the name is unknown.
    """
    rounds, trees = size
    if name == "ada_rf_exp":
        forest = RandomForestRegressor(n_estimators=trees, random_state=seed)
        return AdaBoostRegressor(forest, n_estimators=rounds, loss="exponential", random_state=seed)
    if name == "random_forest":
        return RandomForestRegressor(n_estimators=rounds * trees, random_state=seed)
    if name == "ridge":
        return make_pipeline(StandardScaler(), Ridge(RIDGE))
    if name == "mean":
        return DummyRegressor()
    raise ConfigError("regressor", f"{name!r} is unknown", "Known: ada_rf_exp, random_forest, ridge, mean.")


def published_features(table: pd.DataFrame) -> pd.DataFrame:
    """Features as the authors' published code transforms them, to repeat its split.

    Every feature becomes log10(feature) + 2 log10(pretest), the pretest its logarithm. The form is that of wave
    amplitudes corrected for distance: the code was written to tell the size of earthquakes. Raises ValueError if a
    value is not positive.
    """
    if (table <= 0).to_numpy().any():
        raise ValueError("features must be positive to take logarithms")
    pretest = np.log10(table["pretest"])
    changed = {name: np.log10(column) + 2 * pretest for name, column in table.items() if name != "pretest"}
    return pd.DataFrame({"pretest": pretest, **changed}, index=table.index)


def errors(truth: np.ndarray, predicted: np.ndarray) -> Errors:
    """Errors of (N,) predictions."""
    return _summed_up(np.asarray(truth, dtype=float) - np.asarray(predicted, dtype=float))


def _summed_up(off: np.ndarray) -> Errors:
    return Errors(float((off**2).mean()), float(off.std()), len(off))


def single_split(
    table: pd.DataFrame,
    seed: int = AUTHORS_SEED,
    model: str = "ada_rf_exp",
    size: tuple[int, int] = SMALL_SIZE,
    published: bool = False,
    model_seed: int | None = None,
) -> dict[str, Errors]:
    """One split of the authors' kind: 18 students train, 6 test, failed ones in proportion.

    Parameters
    ----------
    table: see :func:`ferbook.datasets.academic.load`.
    seed: of the split; ``AUTHORS_SEED`` gives the split of the published code.
    model, size: see :func:`regressor`.
    published: transform features with :func:`published_features`. It needs the pretest: V, A, D alone stay as they are.
    model_seed: of the model; None: the split's.

    Returns
    -------
    Per entry of ``FEATURES``, and for ``mean``, the errors on the test students.
    """
    off = split_errors(table, (*FEATURES, "mean"), seed, model, size, published, model_seed)
    return {name: _summed_up(each) for name, each in off.items()}


def split_errors(
    table: pd.DataFrame,
    seen: Sequence[str],
    seed: int = AUTHORS_SEED,
    model: str = "ada_rf_exp",
    size: tuple[int, int] = SMALL_SIZE,
    published: bool = False,
    model_seed: int | None = None,
) -> dict[str, np.ndarray]:
    """True less predicted mark of each test student of :func:`single_split`, which has the other parameters.

    Parameters
    ----------
    seen: entries of ``FEATURES``, or ``mean``.

    Returns
    -------
    Per entry of `seen`: (students,).
    """
    train, test = _split(table, seed)
    known, truth = table["final"].iloc[train], table["final"].iloc[test].to_numpy(float)
    found = {}
    for name in seen:
        if name == "mean":
            found[name] = truth - known.mean()
            continue
        columns = FEATURES[name]
        features = table[list(columns)]
        if published and "pretest" in columns:
            features = published_features(features)
        fitted = regressor(model, seed if model_seed is None else model_seed, size).fit(features.iloc[train], known)
        found[name] = truth - fitted.predict(features.iloc[test])
    return found


def _split(table: pd.DataFrame, seed: int) -> tuple[np.ndarray, np.ndarray]:
    places = np.arange(len(table))
    failed = table["failed"]
    # Failed students in proportion where that can be done: a synthetic table may have too few of them.
    fair = failed if min(failed.sum(), (~failed).sum()) >= 2 else None
    train, test = train_test_split(places, test_size=TEST_SHARE, stratify=fair, random_state=seed)
    return train, test


@dataclass(frozen=True)
class Repeated:
    """Many splits of the authors' kind.

    Parameters
    ----------
    mse: per feature set and ``mean``, one test error per split.
    difference: mean of MSE(learning) - MSE(both) with its interval; above 0: V, A, D help.
    share_better: share of the splits in which they do.
    """

    mse: dict[str, list[float]]
    difference: intervals.Interval
    share_better: float


def repeated_splits(
    table: pd.DataFrame, repeats: int, model: str = "ridge", first: int = 0, size: tuple[int, int] = SMALL_SIZE
) -> Repeated:
    """Splits of the authors' kind with seeds `first`, `first` + 1, ...

    The splits share students, so their differences vary less than independent ones would. The interval is Student's
    with the variance enlarged by test over training size (Nadeau and Bengio 2003).

    Parameters
    ----------
    table: see :func:`ferbook.datasets.academic.load`.
    repeats: how many; two or more.
    model, size: see :func:`regressor`.
    first: first seed.
    """
    runs = [single_split(table, seed, model, size) for seed in range(first, first + repeats)]
    mse = {name: [run[name].mse for run in runs] for name in runs[0]}
    differences = np.array(mse[ALONE]) - np.array(mse[BOTH])
    test = runs[0][ALONE].students
    scale = np.sqrt((1 / repeats + test / (len(table) - test)) * differences.var(ddof=1))
    half = float(stats.t.ppf(0.975, repeats - 1) * scale)
    mean = float(differences.mean())
    return Repeated(
        mse, intervals.Interval(mean, mean - half, mean + half, 0.95, repeats), float((differences > 0).mean())
    )


def leave_one_out(
    table: pd.DataFrame, columns: Sequence[str], model: str = "ridge", seed: int = 0, size: tuple[int, int] = SMALL_SIZE
) -> np.ndarray:
    """Predict each student from all others: (N,) marks. Without columns: by the others' mean."""
    truth = table["final"].to_numpy()
    if not len(columns):
        return (truth.sum() - truth) / (len(truth) - 1)
    return cross_val_predict(regressor(model, seed, size), table[list(columns)], truth, cv=LeaveOneOut())


@dataclass(frozen=True)
class Comparison:
    """Learning data alone against learning data with V, A, D, each student predicted from all others.

    Parameters
    ----------
    errors: per feature set and ``mean``.
    r2: coefficient of determination, against the others' mean; 0: no better than that.
    difference: MSE(learning) - MSE(both), with an interval over students; above 0: V, A, D help.
    against_mean: the same for MSE(mean) - MSE(V, A, D alone).
    """

    errors: dict[str, Errors]
    r2: dict[str, float]
    difference: intervals.PairedDifference
    against_mean: intervals.PairedDifference

    def as_dict(self) -> dict[str, object]:
        """Ready for JSON."""
        found = asdict(self)
        for key in ("difference", "against_mean"):
            found[key] = getattr(self, key)._asdict()
        return found


def compare(table: pd.DataFrame, model: str = "ridge", seed: int = 0, size: tuple[int, int] = SMALL_SIZE) -> Comparison:
    """All feature sets and the mean, leaving each student out once. Arguments as in :func:`leave_one_out`."""
    truth = table["final"].to_numpy()
    predicted = {name: leave_one_out(table, columns, model, seed, size) for name, columns in FEATURES.items()}
    predicted["mean"] = leave_one_out(table, ())
    squared = {name: (truth - values) ** 2 for name, values in predicted.items()}
    return Comparison(
        errors={name: errors(truth, values) for name, values in predicted.items()},
        r2={name: float(1 - values.mean() / squared["mean"].mean()) for name, values in squared.items()},
        difference=intervals.paired_bootstrap(squared[ALONE], squared[BOTH], seed=seed),
        against_mean=intervals.paired_bootstrap(squared["mean"], squared[EMOTIONS_ALONE], seed=seed),
    )


@dataclass(frozen=True)
class Permutation:
    """A permutation test of "V, A, D say nothing that learning data does not".

    Parameters
    ----------
    observed: MSE(learning) - MSE(both), as the table is.
    permuted: the same with the students' V, A, D handed out at random.
    p: share of both that are at least as large.
    """

    observed: float
    permuted: list[float]
    p: float


def permutation_test(
    table: pd.DataFrame, permutations: int, model: str = "ridge", seed: int = 0, size: tuple[int, int] = SMALL_SIZE
) -> Permutation:
    """Hand the rows of V, A, D out anew `permutations` times; each row stays whole.

    With ``ridge`` each student is left out once (:func:`ridge_loo_mse`), with other models a sixth at a time.
    """
    rng = np.random.default_rng(seed)
    learning = table[list(LEARNING)].to_numpy(float)
    emotions = table[list(EMOTION_COLUMNS)].to_numpy(float)
    truth = table["final"].to_numpy(float)

    def mse(features: np.ndarray) -> float:
        if model == "ridge":
            return ridge_loo_mse(features, truth)
        sixths = KFold(6, shuffle=True, random_state=seed)
        return errors(truth, cross_val_predict(regressor(model, seed, size), features, truth, cv=sixths)).mse

    alone = mse(learning)
    observed = alone - mse(np.hstack([learning, emotions]))
    permuted = [alone - mse(np.hstack([learning, rng.permutation(emotions)])) for _ in range(permutations)]
    at_least = sum(value >= observed for value in permuted)
    return Permutation(observed, permuted, (at_least + 1) / (permutations + 1))


def ridge_loo_mse(features: np.ndarray, truth: np.ndarray, penalty: float = RIDGE) -> float:
    """Mean squared error of ridge regression, each row left out once, from one fit (by the diagonal of its hat matrix).

    Features are standardised by all rows, which is what makes one fit enough; the intercept is not penalised.

    Parameters
    ----------
    features: (N, F); a constant column counts for nothing.
    truth: (N,).
    penalty: positive.
    """
    centred = features - features.mean(axis=0)
    scale = centred.std(axis=0)
    x = centred / np.where(scale > 0, scale, 1)
    solved = np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T)
    hat = x @ solved + 1 / len(x)
    return float((((truth - hat @ truth) / (1 - np.diag(hat))) ** 2).mean())


#: The synthetic table's model, in words, for pages.
SYNTHETIC_MODEL = (
    "Each student has an ability and a mood, independent standard normal. Pretest and weekly marks follow the ability, "
    "V, A and D the mood, each with noise, in the table's own steps. The final mark is 88 + 2.5 x ability + effect x "
    "mood + noise of 2 marks."
)


def synthetic(count: int = 24, effect: float = 0.0, seed: int = 0) -> pd.DataFrame:
    """A student table of the published shape from ``SYNTHETIC_MODEL``.

    Parameters
    ----------
    count: students, at least 8.
    effect: marks that one standard deviation of mood is worth; 0: emotions have nothing to do with marks.
    seed: of everything that is drawn.

    Raises
    ------
    ConfigError: if there are too few students.
    """
    if count < 8:
        raise ConfigError("count", f"{count} students cannot be split", "Ask for 8 or more.")
    rng = np.random.default_rng(seed)
    ability, mood = rng.normal(size=(2, count))
    weekly = 8.2 + 0.6 * ability[:, None] + 1.3 * rng.normal(size=(count, len(LESSONS)))
    felt = mood[:, None] + 0.5 * rng.normal(size=(count, len(EMOTION_COLUMNS)))
    final = 88 + 2.5 * ability + effect * mood + 2 * rng.normal(size=count)
    table = pd.DataFrame(
        {
            "pretest": np.clip(np.round(300 + 45 * (0.7 * ability + 0.7 * rng.normal(size=count))), 100, 400).astype(
                int
            ),
            **dict(zip(LESSONS, np.clip(np.round(weekly), 1, 10).astype(int).T, strict=True)),
            **dict(zip(EMOTION_COLUMNS, np.array([1, 2, 5, 10])[np.digitize(felt, (-0.6, -0.3, 0.4))].T, strict=True)),
            "final": np.clip(np.round(final * 4) / 4, 0, 100),
        },
        index=pd.RangeIndex(1, count + 1, name="student"),
    )
    table["failed"] = table["final"] < PASS_MARK
    table.attrs = {"source": f"synthetic, effect {effect:g}, seed {seed}", "published": False}
    return table


def power(
    effect: float, tables: int, permutations: int = 99, count: int = 24, seed: int = 0, level: float = 0.05
) -> float:
    """Share of synthetic tables in which the permutation test of ridge regression finds the effect.

    Parameters
    ----------
    effect, count: see :func:`synthetic`.
    tables: how many are drawn.
    permutations: per table.
    seed: first seed.
    level: the test's level; with ``effect=0`` about this share is found by mistake.
    """
    found = [
        permutation_test(synthetic(count, effect, seed + k), permutations, seed=seed + k).p <= level
        for k in range(tables)
    ]
    return float(np.mean(found))
