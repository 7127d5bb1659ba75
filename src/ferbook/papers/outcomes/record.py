"""What is recorded of paper 004's students: every model and comparison of :mod:`ferbook.papers.outcomes.prediction`."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.metrics import roc_auc_score

from ferbook.core import records
from ferbook.core.errors import DataError
from ferbook.datasets import academic
from ferbook.datasets.academic import EMOTION_COLUMNS
from ferbook.measures import intervals
from ferbook.papers.outcomes.prediction import (
    ALONE,
    BOTH,
    MODEL_SEED,
    PUBLISHED_SIZE,
    SMALL_SIZE,
    Comparison,
    Permutation,
    compare,
    permutation_test,
    repeated_splits,
    single_split,
    split_errors,
)

RECORD = "004/outcomes"
#: By how many other seeds of the model the authors' split is tried.
SEEDS = 10


def association(table: pd.DataFrame) -> dict[str, float | None]:
    """How V, A, D go with the outcome.

    Returns
    -------
    ``spearman_V`` and so on: rank correlations with the final mark; ``auc_failed``: how well their mean tells who
    failed, as the area under the ROC curve (None where nobody or everybody did); ``triples``: how many different ones.
    """
    emotions = table[list(EMOTION_COLUMNS)]
    ranks = {name: float(stats.spearmanr(emotions[name], table["final"]).statistic) for name in EMOTION_COLUMNS}
    failed = table["failed"].to_numpy()
    mixed = 0 < failed.sum() < len(failed)
    return {
        **{f"spearman_{name}": value for name, value in ranks.items()},
        "auc_failed": float(roc_auc_score(failed, -emotions.mean(axis=1))) if mixed else None,
        "triples": len(emotions.drop_duplicates()),
    }


def record(root: str | Path | None = None, permutations: int = 199) -> Path:
    """Record everything on the published table; returns where. Takes some minutes.

    Raises DataError if the table is missing, broken, or not the published one.
    """
    values = measure(_published(root), permutations)
    return records.write(RECORD, values, faces=_source(), module=__file__, seed=0)


def _published(root: str | Path | None) -> pd.DataFrame:
    table = academic.load(root)
    if not table.attrs["published"]:
        raise DataError("not the published table", table.attrs["source"], hint="Only that one is recorded.")
    return table


@dataclass(frozen=True)
class _Source:
    """What a record says of its data, where that is no set of faces."""

    name: str
    provenance: Mapping[str, object]


def _source() -> _Source:
    return _Source("academic", {"checksum": academic.CARD.checksums[academic.TABLE]})


def measure(
    table: pd.DataFrame,
    permutations: int,
    size: tuple[int, int] = PUBLISHED_SIZE,
    repeats: int = 100,
    models: Sequence[str] = ("ada_rf_exp", "random_forest", "ridge"),
    small: tuple[int, int] = SMALL_SIZE,
    seeds: int = SEEDS,
) -> dict[str, object]:
    """All that is recorded.

    Parameters
    ----------
    table: see :func:`ferbook.datasets.academic.load`.
    permutations: of the paper's model; ridge regression takes ten times as many.
    size: of the paper's model in the single split.
    repeats: splits.
    models: what is compared; ``ada_rf_exp`` among them.
    small: size of the models that are fitted many times.
    seeds: other seeds of the model in the single split.
    """
    single = {
        name: {
            key: asdict(value)
            for key, value in single_split(table, published=published, size=size, model_seed=MODEL_SEED).items()
        }
        for name, published in (("published features", True), ("plain features", False))
    }
    compared = {model: compare(table, model, size=small) for model in models}
    repeated = {model: repeated_splits(table, repeats, model, size=small) for model in models}
    tested = {
        "ada_rf_exp": permutation_test(table, permutations, "ada_rf_exp", size=small),
        "ridge": permutation_test(table, 10 * permutations, "ridge"),
    }
    return {
        "table": {
            "students": len(table),
            "failed": int(table["failed"].sum()),
            "lessons": sum(re.fullmatch(r"L\d+", column) is not None for column in table.columns),
            "final_mean": float(table["final"].mean()),
            "final_sd": float(table["final"].std()),
            **association(table),
        },
        "single": single,
        "single_spread": spread_of_the_split(table, size, seeds),
        "leave_one_out": {model: found.as_dict() for model, found in compared.items()},
        "repeated": {
            model: {
                "difference": found.difference._asdict(),
                "share_better": found.share_better,
                "mse": {name: float(np.mean(values)) for name, values in found.mse.items()},
                "differences": (np.array(found.mse[ALONE]) - np.array(found.mse[BOTH])).round(3).tolist(),
            }
            for model, found in repeated.items()
        },
        "permutation": {
            name: {"observed": found.observed, "p": found.p, "permuted": np.round(found.permuted, 3).tolist()}
            for name, found in tested.items()
        },
        "claims": _answers(compared["ada_rf_exp"], tested["ada_rf_exp"]),
    }


def spread_of_the_split(table: pd.DataFrame, size: tuple[int, int], seeds: int) -> dict[str, object]:
    """How sure the order of the spreads is on the authors' split, with their features: students and seeds.

    Parameters
    ----------
    table: see :func:`ferbook.datasets.academic.load`.
    size: of the model.
    seeds: how many of the model, beside the published one.

    Returns
    -------
    ``difference``: spread of ``ALONE`` less that of ``BOTH``, with an interval over the students tested;
    ``seeds``: the same difference by each other seed.
    """

    def off(model_seed: int) -> tuple[np.ndarray, np.ndarray]:
        found = split_errors(table, (ALONE, BOTH), size=size, published=True, model_seed=model_seed)
        return found[ALONE], found[BOTH]

    others = [seed for seed in range(seeds + 1) if seed != MODEL_SEED][:seeds]
    return {
        "difference": intervals.paired_bootstrap(*off(MODEL_SEED), seed=0, statistic=np.std)._asdict(),
        "seeds": [float(alone.std() - both.std()) for alone, both in map(off, others)],
    }


def _answers(found: Comparison, tested: Permutation) -> dict[str, str]:
    """What becomes of the paper's sentences, in words."""
    alone, both = found.errors[ALONE], found.errors[BOTH]
    gain = found.difference
    helps = "helps" if gain.low > 0 else "hurts" if gain.high < 0 else "undecided"
    return {
        "learning_alone_mse": "lower" if alone.mse < both.mse else "higher",
        "mse_detail": f"{alone.mse:.2f} without and {both.mse:.2f} with them, each student left out once",
        "learning_alone_spread": "lower" if alone.spread < both.spread else "higher",
        "spread_detail": f"{alone.spread:.2f} marks without and {both.spread:.2f} with them",
        "helps": helps,
        "helps_detail": f"the squared error falls by {gain.estimate:.2f} (95 % interval {gain.low:.2f} to "
        f"{gain.high:.2f}; permutation test p = {tested.p:.3f})",
    }
