"""Valence, arousal and dominance of a face from what a crowd would call it: the small regressor that the book ships.

A straight line per axis leads from the eight shares that a released network predicts to V, A, D. It is fitted on the
published annotations of papers 003 and 004 (faces of FER2013's PublicTest, FER+'s validation part), by ridge
regression, and judged in five folds as in chapter 003. It knows nothing of a face but its eight shares: reading the
network's last 152 features instead did not fit better, which :func:`measure` says again at each recording.

What it is worth stands in its card, beside a predictor that gives every face the same values.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save
from torch import Tensor, nn

from ferbook.core import bounded_files, paths, records
from ferbook.core.errors import DataError
from ferbook.faces import folds
from ferbook.faces.emotions import EMOTIONS, VAD_AXES
from ferbook.faces.faceset import FaceSet
from ferbook.learning import calibration
from ferbook.vision.resampling import planes


@dataclass(frozen=True, eq=False)
class Readout:
    """Shares of the emotions to V, A, D.

    Parameters
    ----------
    weight: (3, 8).
    bias: (3,).
    rmse: (3,) root mean squared error in five folds, in units of the axes, which run from -1 to 1.
    """

    weight: np.ndarray
    bias: np.ndarray
    rmse: np.ndarray

    def __call__(self, shares: np.ndarray) -> np.ndarray:
        """(N, 8) shares at temperature 1 -> (N, 3) valence, arousal, dominance in [-1, 1]."""
        return np.clip(np.asarray(shares, dtype=np.float64) @ self.weight.T + self.bias, -1, 1)


def fit(inputs: np.ndarray, vad: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ridge regression, its penalty chosen per axis by leaving one out, as ``experiments.read_out`` does per fold.

    Parameters
    ----------
    inputs: (N, F).
    vad: (N, A).

    Returns
    -------
    weight (A, F) and bias (A,) for the inputs as they are.
    """
    from sklearn.linear_model import RidgeCV
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(inputs)
    ridge = RidgeCV(np.logspace(0, 5, 11), alpha_per_target=True).fit(scaler.transform(inputs), vad)
    weight = ridge.coef_ / scaler.scale_
    return weight, ridge.intercept_ - weight @ scaler.mean_


def measure(
    shares: np.ndarray, features: np.ndarray, category: np.ndarray, vad: np.ndarray, groups: np.ndarray | None = None
) -> dict[str, object]:
    """How well V, A, D are told in five folds, beside simple predictors.

    Parameters
    ----------
    shares: (N, 8) predicted.
    features: (N, F) of the network's last layer.
    category: (N,) annotated categories, by name.
    vad: (N, 3).
    groups: (N,) of the same picture, which shares its fold; None: none is there twice.

    Returns
    -------
    ``faces``; per predictor ``scores``: per axis ``rmse``, ``mae``, ``r2``, ``ccc``.
    """
    from ferbook.measures import regression
    from ferbook.papers.vad import annotated
    from ferbook.papers.vad.experiments import category_baselines, read_out

    fold = annotated.fold_of(category, groups)
    predicted = np.array(EMOTIONS)[shares.argmax(axis=1)]
    found = {
        "this regressor": np.clip(read_out(shares, vad, fold), -1, 1),
        "ridge on the last features": np.clip(read_out(features, vad, fold), -1, 1),
        **category_baselines(category, predicted, vad, fold),
    }
    scores = {}
    for name, values in found.items():
        one = regression.evaluate(values, vad).model
        scores[name] = {
            axis: {"rmse": one.mse[k] ** 0.5, "mae": one.mae[k], "r2": one.r2[k], "ccc": one.ccc[k]}
            for k, axis in enumerate(VAD_AXES)
        }
    return {"faces": len(vad), "scores": scores}


@torch.inference_mode()
def last_features(network: nn.Module, images: np.ndarray, mirror: bool = True) -> Tensor:
    """What the last layer of a compact network sees of uint8 (N, 48, 48), (N, F): of a face, or with `mirror` the mean
    of it and its mirror image.
    """

    def pooled(batch: Tensor) -> Tensor:
        return network.blocks(network.stem(batch)).mean((2, 3))

    parts = (planes(images) / 255).split(256)
    return torch.cat([(pooled(part) + pooled(part.flip(3))) / 2 if mirror else pooled(part) for part in parts])


def place(name: str, folder: Path | None = None) -> Path:
    """Where the regressor of a released network lies; its card lies beside it, as Markdown."""
    return calibration.place(name, folder).with_name(f"{name}.vad.safetensors")


def record(name: str, faces: FaceSet) -> Path:
    """Fit on all annotated faces, judge in five folds, and write weights and card; returns where the weights are.

    Parameters
    ----------
    name: of a released network.
    faces: the published annotations with their pictures (``vad_fer2013`` with ``images="ferplus"``).

    Raises
    ------
    DataError: if these are not the published annotations.
    """
    from ferbook.learning import trained

    if not faces.provenance.get("published"):
        raise DataError("not the published annotations", faces.name, hint="Only those are recorded.")
    network, mirror = trained.released(name), trained.config_of(name).mirror
    shares = calibration.softmax(trained.logits(network, faces.images, mirror=mirror).numpy())
    vad = np.asarray(faces.vad, dtype=np.float64)
    weight, bias = fit(shares, vad)
    features = last_features(network, faces.images).double().numpy()
    category = np.array(EMOTIONS)[np.asarray(faces.distribution).argmax(axis=1)]
    values = {
        "model": name,
        "weights": calibration.weights_mark(name),
        **measure(shares, features, category, vad, folds.kept_together(faces)),
        "provenance": records.provenance(faces, Path(__file__), folds=5, seed=0),
    }
    target = place(name)
    # safetensors writes the memory as it lies, and a regression's weights lie column by column.
    tensors = {"weight": np.ascontiguousarray(weight, np.float32), "bias": np.ascontiguousarray(bias, np.float32)}
    with paths.replacing(target) as staging:
        staging.write_bytes(save(tensors, {"format": "pt", "record": json.dumps(values)}))
    with paths.replacing(target.with_suffix(".md")) as staging:
        staging.write_text(card(values, weight, bias), encoding="utf-8")
    return target


def read(name: str, folder: Path | None = None) -> tuple[dict[str, object], np.ndarray, np.ndarray]:
    """What :func:`record` wrote: its values, weight (3, 8) and bias (3,).

    Raises
    ------
    DataError: if it is missing, unreadable, or belongs to other weights.
    """
    path, hint = place(name, folder), "`ferbook record vad-readout` writes it."
    if not path.is_file():
        raise DataError("there is no such file", path, hint=hint)
    try:
        with safe_open(path, framework="np") as opened:
            values = bounded_files.parse_json(opened.metadata()["record"])
            weight, bias = opened.get_tensor("weight"), opened.get_tensor("bias")
        marked = values["weights"]
        errors = [float(values["scores"]["this regressor"][axis]["rmse"]) for axis in VAD_AXES]
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"it holds no regressor of this book ({error!r})", path, hint=hint) from None
    shapes = (len(VAD_AXES), len(EMOTIONS)), (len(VAD_AXES),)
    if (weight.shape, bias.shape) != shapes or not all(np.isfinite(part).all() for part in (weight, bias, errors)):
        raise DataError(f"weight {weight.shape} and bias {bias.shape} cannot be", path, hint=hint)
    if marked != calibration.weights_mark(name, folder):
        raise DataError("it belongs to other weights than those beside it", path, hint=hint)
    return values, weight, bias


def of(name: str, folder: Path | None = None) -> Readout:
    """The regressor of a released network. Raises DataError as :func:`read`."""
    values, weight, bias = read(name, folder)
    own = values["scores"]["this regressor"]
    return Readout(weight.astype(np.float64), bias.astype(np.float64), np.array([own[a]["rmse"] for a in VAD_AXES]))


def card(values: Mapping[str, object], weight: np.ndarray, bias: np.ndarray) -> str:
    """The card, Markdown; every number is read off what was recorded."""
    scores = []
    for name, one in values["scores"].items():
        cells = (
            # Adding 0 makes a rounded -0.00 a 0.00.
            ", ".join(f"{round(one[axis][kind], 2) + 0.0:.2f}" for kind in ("rmse", "r2", "ccc"))
            for axis in VAD_AXES
        )
        scores.append(f"| {name} | {' | '.join(cells)} |")
    weights = [
        f"| {axis} | {bias[k]:+.2f} | {' | '.join(f'{v:+.2f}' for v in weight[k])} |" for k, axis in enumerate(VAD_AXES)
    ]
    return f"""# Valence, arousal and dominance of {values["model"]}

A straight line per axis from the eight shares that `{values["model"]}` (weights `{values["weights"]}`) predicts, at
temperature 1, to valence, arousal and dominance, which run from -1 to 1. `ferbook record vad-readout` wrote this card;
no number was typed.

* Fitted by ridge regression on the {values["faces"]:,} published annotations of papers 003 and 004 whose pictures FER+
  holds. They were made in steps of a half.
* The pictures are faces of FER+'s validation part. The network was not trained on them, but its epoch was chosen there;
  and that shares are read here, and not the last features, was chosen by the folds below.

## What it is worth

In five folds; in each cell root mean squared error, R2 and concordance correlation (CCC).

| predictor | {" | ".join(VAD_AXES)} |
|{"---|" * (1 + len(VAD_AXES))}
{chr(10).join(scores)}

"Mean of the true category" knows the annotated category, which no network does. The errors are large: of the spread of
arousal and dominance most is not explained. Use the values to compare groups of faces, not to describe one face.

## Weights

| axis | start | {" | ".join(EMOTIONS)} |
|{"---|" * (2 + len(EMOTIONS))}
{chr(10).join(weights)}
"""
