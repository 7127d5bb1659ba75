"""Learning category and V, A, D with the orthogonality loss of papers 003 and 004, and without.

Paper 003 says that the loss "extracts more diverse and expressive features" and improves accuracy (section IV.C), and
reports no run without it. Here the book's compact network learns the categories of FER+ and V, A, D guessed from the
crowd's votes, in pairs that share their seed and differ in the weight of the loss alone; the annotated faces of FER2013
test it. Recorded in ``data/recorded/003/orthogonality.json``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch

from ferbook.core import paths, records
from ferbook.faces.emotions import VAD_AXES
from ferbook.learning import orthogonality
from ferbook.measures import intervals
from ferbook.models.vad import regularised_layers
from ferbook.papers.vad import annotated
from ferbook.papers.vad.ablation import key_of, paired, published, scores
from ferbook.papers.vad.engine import Setting, VadTask, train
from ferbook.papers.vad.experiments import Faces, calibrate, proxy

RECORD = "003/orthogonality"
#: Weights of the loss by arm: without it, a tenth of the published code's weight, and that weight.
ARMS: dict[str, float] = {
    "none": 0.0,
    "weight 0.05": 0.1 * orthogonality.PUBLISHED_WEIGHT,
    "weight 0.5": orthogonality.PUBLISHED_WEIGHT,
}
#: What is measured of a run beside errors and accuracy.
FORM, OVERLAP = "orthogonality loss", "overlap of features"


@dataclass(frozen=True)
class Plan:
    """How long is trained.

    Parameters
    ----------
    seeds: runs per arm.
    width, side: of the compact network and its pictures.
    faces: of FER+'s training part.
    epochs: passes over them, from random weights.
    """

    seeds: int = 4
    width: float = 0.67
    side: int = 48
    faces: int = 12_000
    epochs: int = 6


def overlap(features: np.ndarray) -> float:
    """How much features repeat each other: the mean size of the correlation of two of them, from 0 to 1.

    Parameters
    ----------
    features: (N, F) of faces that were not trained on; features that never change are left out.
    """
    moving = np.asarray(features, dtype=np.float64)
    moving = moving[:, moving.std(axis=0) > 1e-9]
    if moving.shape[1] < 2:
        return 1.0
    related = np.abs(np.corrcoef(moving, rowvar=False))
    return float(related[~np.eye(len(related), dtype=bool)].mean())


def one_run(known: Faces, test: Faces, setting: Setting, fold: np.ndarray) -> dict[str, dict[str, float]]:
    """Train once; errors and accuracy on the test faces, and what became of the filters.

    Parameters
    ----------
    known, test: faces to learn from, with guessed V, A, D, and annotated ones.
    setting: what is learned, and how.
    fold: (len(test),) folds in which predictions are brought to the scale of the annotations
        (:func:`ferbook.papers.vad.experiments.calibrate`).

    Returns
    -------
    Per axis ``mse``, ``r2`` and ``ccc``; ``category``: ``accuracy``; ``filters``: the orthogonality loss of the trained
    kernels, and the :func:`overlap` of the test faces' features.
    """
    task = train(setting, known.images, known.distribution, known.vad)
    told = task.predict(test.images)
    truth = test.vad[:, setting.columns]
    found = scores(calibrate(told.vad, truth, fold), truth, setting.axes)
    found["category"] = {"accuracy": float((told.category == test.category).mean())}
    found["filters"] = {FORM: loss_of(task), OVERLAP: overlap(task.features(test.images))}
    return found


def loss_of(task: VadTask) -> float:
    """The orthogonality loss of a task's kernels, whether it was trained with it or not."""
    with torch.inference_mode():
        return float(orthogonality.penalty(regularised_layers(task.network)))


def summary(runs: Mapping[str, Sequence[Mapping[str, Mapping[str, float]]]]) -> dict[str, object]:
    """Means per arm, and differences to the arm without the loss, paired by seed, each with a 95 % interval.

    Parameters
    ----------
    runs: per arm one :func:`one_run` per seed.
    """
    measures = {"mse": VAD_AXES, "r2": VAD_AXES, "accuracy": ("category",), FORM: ("filters",), OVERLAP: ("filters",)}
    return {
        "arms": {
            arm: {
                of: {name: intervals.over_seeds([one[name][of] for one in found])._asdict() for name in names}
                for of, names in measures.items()
            }
            for arm, found in runs.items()
        },
        "differences": {of: paired(runs, of) for of in measures},
    }


def record(root: str | Path | None = None, plan: Plan | None = None, tell: Callable[[str], None] = print) -> Path:
    """Train on FER+, test on the published annotations, and record what the loss changes; returns where.

    Goes on where it was interrupted: finished runs lie in ``_build/vad``.

    Raises
    ------
    DataError: if data are missing or not the published ones.
    """
    plan = plan or Plan()
    marked, crowd = published(root)
    test = Faces.of(marked)
    fold = annotated.folds(test.category)
    known = proxy(crowd, without=test.images)
    known = known.subset(np.sort(np.random.default_rng(0).permutation(len(known))[: plan.faces]))
    data = f"{marked.provenance['checksum']} {crowd.provenance['checksum']}"
    folder = paths.project_root() / "_build" / "vad"
    runs: dict[str, list[dict[str, dict[str, float]]]] = {arm: [] for arm in ARMS}
    for seed in range(plan.seeds):
        common = Setting(width=plan.width, side=plan.side, epochs=plan.epochs, seed=seed)
        for arm, weight in ARMS.items():
            setting = replace(common, orthogonality=weight)
            path = folder / f"orthogonality-{key_of(asdict(setting), plan.faces, data)}.json"
            if not path.is_file():
                records.write_json(path, one_run(known, test, setting, fold))
            runs[arm].append(json.loads(path.read_text()))
            tell(f"seed {seed}, {arm}: {runs[arm][-1]['category']['accuracy']:.3f}")
    values = {"faces": len(test), "learned_from": len(known), "seeds": plan.seeds, "runs": runs, **summary(runs)}
    return records.write(
        RECORD,
        values,
        faces=marked,
        module=__file__,
        plan=asdict(plan),
        ferplus=crowd.provenance["checksum"],
        device="cuda" if torch.cuda.is_available() else "cpu",
    )
