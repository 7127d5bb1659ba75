"""Learning category and V, A, D with the orthogonality loss of papers 003 and 004, and without.

Paper 003 says that the loss "extracts more diverse and expressive features" and improves accuracy (section IV.C), and
reports no run without it. Here the book's compact network learns the annotated faces of FER2013 in five folds, in pairs
that share their seed and differ in the weight of the loss alone. Recorded in ``data/recorded/003/orthogonality.json``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch

from ferbook import annotated, intervals, orthogonality, paths, records
from ferbook.emotions import VAD_AXES
from ferbook.errors import DataError
from ferbook.models.vad import regularised_layers
from ferbook.vad_ablation import key_of, paired, scores
from ferbook.vad_training import Faces, Setting, VadTask, train

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
    epochs: over the faces of a fold, from random weights.
    """

    seeds: int = 5
    width: float = 0.67
    side: int = 32
    epochs: int = 15


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


def one_run(faces: Faces, setting: Setting, fold: np.ndarray) -> dict[str, dict[str, float]]:
    """Train in folds; errors and accuracy of all faces, each by the network that never saw it.

    Parameters
    ----------
    faces, setting: what is learned, and how.
    fold: (N,) as in :func:`ferbook.vad_training.cross_validate`.

    Returns
    -------
    Per axis ``mse``, ``r2`` and ``ccc``; ``category``: ``accuracy``; ``filters``: the loss of the trained kernels, and
    the :func:`overlap` of the features of held-out faces, each as the mean over folds.
    """
    vad = np.zeros((len(faces), len(setting.axes)))
    right = np.zeros(len(faces), dtype=bool)
    losses, overlaps = [], []
    for place in np.unique(fold):
        known, chosen = faces.subset(fold != place), np.flatnonzero(fold == place)
        task = train(setting, known.images, known.distribution, known.vad)
        told = task.predict(faces.images[chosen])
        vad[chosen], right[chosen] = told.vad, told.category == faces.category[chosen]
        losses.append(loss_of(task))
        overlaps.append(overlap(task.features(faces.images[chosen])))
    found = scores(vad, faces.vad[:, setting.columns], setting.axes)
    found["category"] = {"accuracy": float(right.mean())}
    found["filters"] = {FORM: float(np.mean(losses)), OVERLAP: float(np.mean(overlaps))}
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


def says(change: Mapping[str, float], lower_is_better: bool) -> str:
    """``better`` or ``worse`` where the interval leaves out zero, else ``no clear change``."""
    if change["low"] <= 0 <= change["high"]:
        return "no clear change"
    return "better" if (change["estimate"] < 0) == lower_is_better else "worse"


def record(root: str | Path | None = None, plan: Plan | None = None, tell: Callable[[str], None] = print) -> Path:
    """Train on the published annotations and record what the loss changes; returns where.

    Goes on where it was interrupted: finished runs lie in ``_build/vad``.

    Raises
    ------
    DataError: if data are missing or not the published ones.
    """
    import json

    from ferbook.datasets import vad_fer2013

    plan = plan or Plan()
    marked = vad_fer2013.load(root, images="ferplus")
    if not marked.provenance["published"]:
        raise DataError("not the published annotations", str(root), hint="Only those are recorded.")
    faces = Faces.of(marked)
    fold = annotated.folds(faces.category)
    folder = paths.project_root() / "_build" / "vad"
    runs: dict[str, list[dict[str, dict[str, float]]]] = {arm: [] for arm in ARMS}
    for seed in range(plan.seeds):
        common = Setting(width=plan.width, side=plan.side, epochs=plan.epochs, seed=seed)
        for arm, weight in ARMS.items():
            setting = replace(common, orthogonality=weight)
            path = folder / f"orthogonality-{key_of(asdict(setting), marked.provenance['checksum'])}.json"
            if not path.is_file():
                records.write_json(path, one_run(faces, setting, fold))
            runs[arm].append(json.loads(path.read_text()))
            tell(f"seed {seed}, {arm}: {runs[arm][-1]['category']['accuracy']:.3f}")
    values = {"faces": len(faces), "seeds": plan.seeds, "runs": runs, **summary(runs)}
    return records.write(
        RECORD,
        values,
        faces=marked,
        module=__file__,
        plan=asdict(plan),
        device="cuda" if torch.cuda.is_available() else "cpu",
    )
