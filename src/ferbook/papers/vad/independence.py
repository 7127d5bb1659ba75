"""Learning category and V, A, D with the orthogonality loss of papers 003 and 004, and without.

Paper 003 says that the loss "extracts more diverse and expressive features" and improves accuracy (section IV.C), and
reports no run without it. Here the book's compact network learns the categories of FER+ and V, A, D guessed from the
crowd's votes, in pairs that share their seed and differ in the weight of the loss alone; the annotated faces of FER2013
test it. The runs are those of group ``orthogonality`` of ``data/sweeps/003.yml``; what they say is recorded in
``data/recorded/003/orthogonality.json``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from ferbook.core import records
from ferbook.faces import folds
from ferbook.faces.emotions import VAD_AXES
from ferbook.learning import orthogonality, sweeps, trained
from ferbook.learning.configs import Config
from ferbook.measures import intervals
from ferbook.models.vad import regularised_layers
from ferbook.papers.vad import annotated
from ferbook.papers.vad.ablation import PAPER, measured, paired, published
from ferbook.papers.vad.experiments import Faces, Predicted, calibrate
from ferbook.papers.vad.readout import last_features

RECORD, GROUP = "003/orthogonality", "orthogonality"
#: Weights of the loss by variant: without it, a tenth of the published code's weight, and that weight.
VARIANTS: dict[str, float] = {
    "none": 0.0,
    "weight 0.05": 0.1 * orthogonality.PUBLISHED_WEIGHT,
    "weight 0.5": orthogonality.PUBLISHED_WEIGHT,
}
#: What is measured of a run beside errors and accuracy.
FORM, OVERLAP = "orthogonality loss", "overlap of features"


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


def one_run(predicted: Predicted, network: nn.Module, test: Faces, fold: np.ndarray) -> dict[str, dict[str, float]]:
    """Errors and accuracy of a trained network on the test faces, and what became of its filters.

    Parameters
    ----------
    predicted: what it says of the test faces.
    network: compact.
    test: annotated.
    fold: (len(test),) folds in which predictions are brought to the scale of the annotations
        (:func:`ferbook.papers.vad.experiments.calibrate`).

    Returns
    -------
    Per axis ``mse``, ``r2`` and ``ccc``; ``category``: ``accuracy``; ``filters``: the orthogonality loss of the trained
    kernels, and the :func:`overlap` of the test faces' features.
    """
    on_scale = predicted._replace(vad=calibrate(predicted.vad, test.vad, fold))
    features = last_features(network, test.images, mirror=False).double().numpy()
    return {
        **measured(on_scale, test, VAD_AXES),
        "filters": {FORM: loss_of(network), OVERLAP: overlap(features)},
    }


def loss_of(network: nn.Module) -> float:
    """The orthogonality loss of a network's kernels, whether it was trained with it or not."""
    with torch.inference_mode():
        return float(orthogonality.penalty(regularised_layers(network)))


def summary(runs: Mapping[str, Sequence[Mapping[str, Mapping[str, float]]]]) -> dict[str, object]:
    """Means per variant, and differences to the variant without the loss, paired by seed, each with a 95 % interval.

    Parameters
    ----------
    runs: per variant one :func:`one_run` per seed.
    """
    measures = {"mse": VAD_AXES, "r2": VAD_AXES, "accuracy": ("category",), FORM: ("filters",), OVERLAP: ("filters",)}
    return {
        "arms": {
            variant: {
                of: {name: intervals.over_seeds([one[name][of] for one in found])._asdict() for name in names}
                for of, names in measures.items()
            }
            for variant, found in runs.items()
        },
        "differences": {of: paired(runs, of) for of in measures},
    }


def record(root: str | Path | None = None, store: Path | None = None) -> Path:
    """Gather what the runs of the sweep's group say; returns where it is recorded.

    Parameters
    ----------
    root: folder that holds FER+ and VAD-FER2013.
    store: folder of runs in which they were made; default ``_build/runs``.

    Raises
    ------
    DataError: if data are missing or not the published ones, or a run's predictions are not in the store.
    """
    marked, crowd = published(root)
    test = Faces.of(marked)
    fold = annotated.fold_of(test.category, folds.kept_together(marked))
    described = sweeps.runs(sweeps.description(PAPER))
    runs: dict[str, list[dict[str, dict[str, float]]]] = {variant: [] for variant in VARIANTS}
    for name, found in sweeps.predictions(PAPER, GROUP, store).items():
        config = described[f"{GROUP}/{name}"]
        predicted = Predicted(np.asarray(found["probabilities"], float), np.asarray(found["vad"], float))
        runs[_variant(config)].append(one_run(predicted, trained.network(config, store), test, fold))
    made = sweeps.load(PAPER, GROUP)
    first, config = next(iter(made.values())), described[f"{GROUP}/{next(iter(made))}"]
    seeds = {config.seed for config in sweeps.chosen(described, GROUP).values()}
    values = {
        "faces": len(test),
        "learned_from": first.metrics["faces"]["train"],
        "seeds": len(seeds),
        "runs": runs,
        **summary(runs),
    }
    return records.write(
        RECORD,
        values,
        faces=marked,
        module=__file__,
        plan={
            "seeds": len(seeds),
            "width": config.model.options["width"],
            "side": 48,
            "faces": config.split.at_most,
            "epochs": config.epochs,
        },
        ferplus=crowd.provenance["checksum"],
        device=first.provenance["device"],
    )


def _variant(config: Config) -> str:
    """The one of ``VARIANTS`` that a run is in."""
    return next(variant for variant, weight in VARIANTS.items() if weight == config.vad.orthogonality)
