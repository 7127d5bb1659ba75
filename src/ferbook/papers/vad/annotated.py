"""What faces with annotated valence, arousal and dominance say of papers 003 and 004, before any network runs.

Do annotations obey the papers' sign table? How much of them does the category explain? And what does a predictor that
gives every face the same value score on the papers' own scale? Facts of the real annotated faces, and a few numbers of
the logs that the authors published beside their code, are recorded in ``data/recorded/003/annotations.json``.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from ferbook.core import records
from ferbook.core.errors import DataError
from ferbook.datasets.files import table
from ferbook.faces import folds
from ferbook.faces.emotions import EMOTIONS, FER2013_CODES, VAD_AXES, VAD_POINTS
from ferbook.faces.faceset import FaceSet
from ferbook.learning import requirements
from ferbook.measures import regression

RECORD = "003/annotations"
#: What constants score on the labels that were public when paper 003 was.
FIRST_RECORD = "003/first-release"
#: Faces in a batch of papers 003 and 004 (003, section IV.A; 004, section 3.1).
BATCH = 16
#: Annotations run from -2 to 2 where the papers compute their losses; the library's VAD from -1 to 1.
UNIT = 2.0
#: The authors' log of each axis, and the columns of its two test parts.
LOGS: dict[str, str] = {axis: f"AccProcess_regress{axis[0].upper()}.csv" for axis in VAD_AXES}
LOG_PARTS: dict[str, str] = {"public": "PubtestLoss", "private": "PritestLoss"}
LOG_FOLDER = "authors_logs"


def published_average(error: np.ndarray, batch: int = BATCH) -> float:
    """The papers' "average loss" as the authors' code computes it: batch means, added up, over the number of faces.

    Equations (20) to (22) of paper 003 read as a mean over faces. The code divides the sum of batch means by the number
    of faces, so that what it prints is the mean squared error divided by the batch size, but for the last batch.

    Parameters
    ----------
    error: (N,) squared errors, in the order of the faces.
    batch: faces in a batch.
    """
    error = np.asarray(error, dtype=np.float64)
    return float(sum(error[start : start + batch].mean() for start in range(0, len(error), batch)) / len(error))


def obeys(category: str, vad: np.ndarray, definition: str = "table") -> np.ndarray:
    """Which values meet a category's demands: (N, 3) bool of (N, 3) values. Raises KeyError for unknown words."""
    asked = requirements.DEFINITIONS[definition][category]
    met = [np.ones(len(vad), bool) if d == "any" else ~requirements.FAILS[d](vad[:, k]) for k, d in enumerate(asked)]
    return np.stack(met, axis=1)


def category_means(category: np.ndarray, vad: np.ndarray, known: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Predict by the mean of a face's category among the `known` faces.

    Parameters
    ----------
    category: (N,) category of every face: the truth, or what a network says.
    vad: (N, 3).
    known, chosen: indices of the faces that means are taken of, and of those to predict.

    Returns
    -------
    (len(chosen), 3); the mean of all known faces where a category is not among them.
    """
    found = np.tile(vad[known].mean(axis=0), (len(chosen), 1))
    for name in np.unique(category[known]):
        found[category[chosen] == name] = vad[known][category[known] == name].mean(axis=0)
    return found


def fold_of(category: np.ndarray, groups: np.ndarray | None = None, count: int = 5, seed: int = 0) -> np.ndarray:
    """Which of `count` folds each face is in, (N,): every category is spread over all folds alike.

    Parameters
    ----------
    category: (N,) names.
    groups: (N,) the same number for faces that share a fold: :func:`ferbook.faces.folds.kept_together`. Four pictures
        stand twice among the published annotations. None: each face goes alone.
    """
    _, place = np.unique(category, return_inverse=True)
    labels = place[:, None] == np.arange(place.max() + 1)
    return folds.iterative_folds(labels, count, rng=np.random.default_rng(seed), groups=groups)


def facts(
    distribution: np.ndarray, vad: np.ndarray, seed: int = 0, groups: np.ndarray | None = None
) -> dict[str, object]:
    """Facts of annotated faces: signs by category, what the category explains, and what a constant scores.

    Parameters
    ----------
    distribution: (N, 8) emotion shares; the largest is the category.
    vad: (N, 3) in [-1, 1].
    seed, groups: of the five folds, as :func:`fold_of` takes them.

    Returns
    -------
    Plain numbers for JSON: ``faces``; ``by_category``, per emotion of FER2013 that occurs, how many, median, mean, and
    the shares of signs on each axis, and the share of faces that meet all demands of each definition; ``obey``,
    the same over all faces and per axis; ``category_mean`` and ``constant``, scores of two predictors in five folds
    (``regression.Regression``); ``published_scale``, what constants score there.

    Raises
    ------
    ValueError: if a value is missing.
    """
    vad = np.asarray(vad, dtype=np.float64)
    if not np.isfinite(vad).all():
        raise ValueError("annotations must be complete")
    category = np.array(EMOTIONS)[np.asarray(distribution).argmax(axis=1)]
    by_category: dict[str, object] = {}
    met = {definition: np.ones_like(vad, dtype=bool) for definition in requirements.DEFINITIONS}
    for name in FER2013_CODES:
        chosen = category == name
        if not chosen.any():
            continue
        values = vad[chosen]
        for definition, kept in met.items():
            kept[chosen] = obeys(name, values, definition)
        by_category[name] = {
            "faces": int(chosen.sum()),
            "median": dict(zip(VAD_AXES, np.median(values, axis=0).tolist(), strict=True)),
            "mean": dict(zip(VAD_AXES, values.mean(axis=0).tolist(), strict=True)),
            "sd": dict(zip(VAD_AXES, values.std(axis=0).tolist(), strict=True)),
            "signs": {
                axis: {
                    "negative": float((values[:, k] < 0).mean()),
                    "zero": float((values[:, k] == 0).mean()),
                    "positive": float((values[:, k] > 0).mean()),
                }
                for k, axis in enumerate(VAD_AXES)
            },
            "obey": {definition: float(kept[chosen].all(axis=1).mean()) for definition, kept in met.items()},
            "obey_by_axis": {
                definition: dict(zip(VAD_AXES, kept[chosen].mean(axis=0).tolist(), strict=True))
                for definition, kept in met.items()
            },
            "distance_to_point": float(np.linalg.norm(values.mean(axis=0) - VAD_POINTS[name])),
        }
    fold = fold_of(category, groups, seed=seed)
    predicted, constant = np.zeros_like(vad), np.zeros_like(vad)
    for place in range(fold.max() + 1):
        known, chosen = np.flatnonzero(fold != place), np.flatnonzero(fold == place)
        predicted[chosen] = category_means(category, vad, known, chosen)
        constant[chosen] = vad[known].mean(axis=0)
    known_categories = np.isin(category, list(by_category))
    return {
        "faces": len(vad),
        "by_category": by_category,
        "obey": {
            definition: {
                "all": float(kept[known_categories].all(axis=1).mean()),
                **dict(zip(VAD_AXES, kept[known_categories].mean(axis=0).tolist(), strict=True)),
            }
            for definition, kept in met.items()
        },
        "category_mean": regression.evaluate(predicted, vad).as_dict(),
        "constant": regression.evaluate(constant, vad).as_dict(),
        "published_scale": published_scale(vad),
    }


def published_scale(vad: np.ndarray) -> dict[str, dict[str, float]]:
    """What constant predictions score as the papers average, per axis: 0 for all, and the faces' own mean.

    Parameters
    ----------
    vad: (N, 3) in [-1, 1].
    """
    labels = UNIT * np.asarray(vad, dtype=np.float64)
    found = {}
    for k, axis in enumerate(VAD_AXES):
        values = labels[:, k]
        found[axis] = {
            "zero": published_average(values**2),
            "mean": published_average((values - values.mean()) ** 2),
            "mse_of_mean": float(values.var()),
        }
    return found


def best_constant(values: np.ndarray, batch: int = BATCH) -> float:
    """The constant that scores the least :func:`published_average` of squared errors, exactly.

    Batches count alike there, so a face of a short last batch weighs more; the constant is the mean with such weights.

    Parameters
    ----------
    values: (N,) labels, in the order of the faces.
    """
    values = np.asarray(values, dtype=np.float64)
    parts = [values[start : start + batch] for start in range(0, len(values), batch)]
    return float(np.mean([part.mean() for part in parts]))


def constants(parts: dict[str, np.ndarray]) -> dict[str, dict[str, object]]:
    """What one value for all faces scores on the papers' scale, per test and axis.

    Parameters
    ----------
    parts: (N, 3) labels in [-1, 1] of each test, in the order of their tables, and of ``train``.

    Returns
    -------
    Per test: ``faces``; per axis ``best`` (the constant in the papers' units, -2 to 2) with its ``loss``, the
    loss of the mean of the training rows (``train_mean``), and of 0 (``zero``).
    """
    known = UNIT * np.asarray(parts["train"], dtype=np.float64)
    found: dict[str, dict[str, object]] = {}
    for part, vad in parts.items():
        found[part] = {"faces": len(vad)}
        for k, axis in enumerate(VAD_AXES):
            values = UNIT * np.asarray(vad, dtype=np.float64)[:, k]

            def loss(constant: float, values: np.ndarray = values) -> float:
                return published_average((values - constant) ** 2)

            best = best_constant(values)
            found[part][axis] = {
                "best": best,
                "loss": loss(best),
                "train_mean": loss(float(known[:, k].mean())),
                "zero": loss(0.0),
            }
    return found


def log_facts(folder: Path) -> dict[str, object]:
    """A few numbers of the authors' published training logs.

    Parameters
    ----------
    folder: the one that holds the logs.

    Returns
    -------
    Per axis and test part: ``epochs``, ``first``, ``last``, ``least`` and ``spread`` (largest less smallest) of the
    average loss from the fourth epoch on; ``accuracy``, the least and largest public one.

    Raises
    ------
    DataError: if a log is missing or not as published.
    """
    found: dict[str, object] = {}
    for axis, name in LOGS.items():
        columns = _columns(folder / name)
        found[axis] = {}
        for part, prefix in LOG_PARTS.items():
            values = _numbers(columns, f"{prefix}{axis[0].upper()}", folder / name)
            settled = values[3:]
            found[axis][part] = {
                "epochs": len(values),
                "first": values[0],
                "last": values[-1],
                "least": min(values),
                "spread": max(settled) - min(settled),
                "settled_low": min(settled),
                "settled_high": max(settled),
            }
    path = folder / "AccProcess_classify.csv"
    accuracy = _numbers(_columns(path), "PubtestAcc", path)
    found["accuracy"] = {"epochs": len(accuracy), "last": accuracy[-1], "best": max(accuracy)}
    return found


def _columns(path: Path) -> dict[str, list[str]]:
    if not path.is_file():
        raise DataError("no such log", path, hint="The authors publish it with their code.")
    rows = [row for _, row in table(path, ())]
    return {name: [row[name] for row in rows] for name in rows[0] if name is not None} if rows else {}


def _numbers(columns: dict[str, list[str]], name: str, path: Path) -> list[float]:
    if name not in columns:
        raise DataError(f"there is no column {name}", path, hint="Use the log as it was published.")
    numbers = []
    for line, text in enumerate(columns[name], start=2):
        # Some columns hold printed tensors: tensor(45.5559).
        number = re.fullmatch(r"(?:tensor\()?\s*(-?\d+\.\d+(?:e[-+]?\d+)?)\b.*", (text or "").strip(), re.IGNORECASE)
        if number is None:
            raise DataError(f"{name} is {text!r}, no number", path, line, "Use the log as published.")
        numbers.append(float(number[1]))
    if len(numbers) < 5:
        raise DataError(f"{len(numbers)} rows are too few for a log", path, hint="Use the log as published.")
    return numbers


def published(root: str | Path | None = None) -> FaceSet:
    """The published annotations with FER+'s pictures.

    Raises
    ------
    DataError: if annotations or FER+ are missing, broken or not the published ones.
    """
    from ferbook.datasets import fer2013_vad

    faces = fer2013_vad.load(root, images="ferplus")
    if not faces.provenance["published"]:
        where = fer2013_vad.find(root, images="ferplus").path
        raise DataError("not the published annotations", where, hint="Only those are recorded.")
    return faces


def record(root: str | Path | None = None) -> Path:
    """Record the facts of the published annotations and logs; returns where.

    Raises
    ------
    DataError: as :func:`published`, and if the logs are missing.
    """
    from ferbook.datasets import fer2013_vad

    faces = published(root)
    layout = fer2013_vad.find(root, images="ferplus")
    pixels = fer2013_vad.load(root)
    values = {
        **facts(faces.distribution, faces.vad, groups=folds.kept_together(faces)),
        "unnamed": faces.provenance["unnamed"],
        "pixels": {
            "faces": len(pixels),
            "published_scale": published_scale(pixels.vad),
            "sd": (UNIT * np.asarray(pixels.vad)).std(axis=0).tolist(),
        },
        "logs": log_facts(layout.folder / LOG_FOLDER),
    }
    return records.write(RECORD, values, faces=faces, module=__file__, seed=0)


def record_first_release(root: str | Path | None = None) -> Path:
    """Record what constants score on the labels that were public with paper 003, and its code's costs; returns where.

    Raises
    ------
    DataError: if the tables or the workbook are missing or not the published ones.
    """
    from ferbook.datasets import emotion_costs, fer2013_vad

    first = fer2013_vad.first_release(root)
    if not first.provenance["published"]:
        raise DataError("not the published label tables", fer2013_vad.FIRST_FOLDER, hint="Only those are recorded.")
    workbook = emotion_costs.read(root)
    if not workbook.provenance["published"]:
        raise DataError("not the published workbook", emotion_costs.WORKBOOK, hint="Only that one is recorded.")
    values = {**constants({part: labels.vad for part, labels in first.parts.items()}), "costs": workbook.costs}
    checksum = workbook.provenance["checksum"]
    return records.write(FIRST_RECORD, values, faces=first, module=__file__, batch=BATCH, workbook=checksum)
