"""The ablation of papers 003 and 004, with what they lack: a cost with a gradient, seeds in pairs, and baselines.

``holdout`` trains on some faces and tests on others; it is what a quick build runs on synthetic faces. The real one are
the runs of ``data/sweeps/003.yml``: networks are trained on FER+ with V, A, D guessed from the crowd's votes, then go
on in five folds on the annotated faces. ``record`` gathers what they say into ``data/recorded/003/ablation.json``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from sklearn.metrics import confusion_matrix

from ferbook import datasets
from ferbook.core import records
from ferbook.core.errors import DataError
from ferbook.faces.emotions import EMOTIONS, FER2013_CODES, VAD_AXES
from ferbook.faces.faceset import FaceSet
from ferbook.learning import configs, sweeps, trained
from ferbook.learning.configs import Config
from ferbook.measures import intervals, regression
from ferbook.papers.vad import annotated, run_checks
from ferbook.papers.vad.experiments import (
    MODELS,
    VARIANTS,
    Faces,
    Predicted,
    calibrate,
    category_baselines,
    predict,
    read_out,
    train,
)
from ferbook.papers.vad.readout import last_features

PAPER, RECORD = "003", "003/ablation"
#: The groups of the sweep that the ablation is made of.
GROUPS = ("proxy", "tuned", "single", "scratch")


def scores(predicted: np.ndarray, truth: np.ndarray, axes: Sequence[str] = VAD_AXES) -> dict[str, dict[str, float]]:
    """Per axis ``mse`` (of values in [-1, 1]), ``r2`` and ``ccc`` of (N, A) predictions."""
    found = regression.evaluate(predicted, truth, names=axes).model
    return {
        axis: {name: float(getattr(found, name)[k]) for name in ("mse", "r2", "ccc")} for k, axis in enumerate(axes)
    }


def holdout(
    base: Config, variants: Sequence[str], seeds: Sequence[int], known: Faces, test: Faces
) -> dict[str, list[dict[str, dict[str, float]]]]:
    """Per variant one :func:`scores` per seed, trained on `known` and tested on `test`, pairs sharing their seed.

    Parameters
    ----------
    base: what all runs share.
    variants: of ``VARIANTS``.
    seeds: of the pairs.
    known, test: faces.
    """
    found: dict[str, list[dict[str, dict[str, float]]]] = {variant: [] for variant in variants}
    for seed in seeds:
        for variant in variants:
            config = configs.parse(sweeps.merged(base.model_dump(), {"seed": seed, "vad": VARIANTS[variant]}))
            found[variant].append(measured(predict(train(config, known), test.images), test, config.vad.axes))
    return found


def measured(predicted: Predicted, faces: Faces, axes: Sequence[str]) -> dict[str, dict[str, float]]:
    """:func:`scores` of the axes that are predicted, and the accuracy of the category."""
    found = scores(predicted.vad, faces.vad[:, [VAD_AXES.index(axis) for axis in axes]], axes)
    return {**found, "category": {"accuracy": float((predicted.category == faces.category).mean())}}


def paired(runs: Mapping[str, Sequence[Mapping[str, Mapping[str, float]]]], of: str = "mse") -> dict[str, object]:
    """Per variant and axis, how much a variant changes a measure against ``none`` of the same seed: mean and interval.

    Parameters
    ----------
    runs: per variant one dictionary of measures per seed; ``none`` among them.
    of: the measure; ``accuracy`` belongs to ``category``.

    Returns
    -------
    Variant to axis to ``intervals.Interval``, as a dictionary; below 0, the variant lowers the measure.
    """
    found: dict[str, object] = {}
    for variant, measured in runs.items():
        if variant == "none":
            continue
        axes = [name for name in measured[0] if of in measured[0][name]]
        found[variant] = {
            axis: intervals.over_seeds(
                [one[axis][of] - none[axis][of] for one, none in zip(measured, runs["none"], strict=True)]
            )._asdict()
            for axis in axes
        }
    return found


# --- the recorded ablation ---


def gathered(marked: FaceSet, store: Path | None = None) -> dict[str, object]:
    """What the recorded runs of ``GROUPS`` say of the annotated faces; see :func:`summary`.

    Parameters
    ----------
    marked: the annotated faces, whose ids the runs' predictions name.
    store: folder of runs in which they were made; default ``_build/runs``.

    Raises
    ------
    DataError: if a run of the sweep is not recorded, or its predictions are not in the store.
    """
    described = sweeps.runs(sweeps.description(PAPER))
    place = {name: row for row, name in enumerate(marked.ids.tolist())}
    kinds: dict[str, dict[str, dict[int, Predicted]]] = {}
    fold, features = np.full(len(marked), -1), []
    for group in GROUPS:
        told = sweeps.predictions(PAPER, group, store)
        for name in sweeps.chosen(described, group):
            config, own = described[name], told.get(name.partition("/")[2])
            if own is None:
                hint = f"`ferbook sweep {PAPER} --group {group}` makes it."
                raise DataError("this run is not recorded", sweeps.record_path(PAPER, name), hint=hint)
            rows = np.array([place[one] for one in own["ids"].tolist()])
            variants = kinds.setdefault(_kind(group, config), {}).setdefault(_variant(config), {})
            all_faces = variants.setdefault(config.seed, _empty(len(marked), len(config.vad.axes)))
            all_faces.probabilities[rows], all_faces.vad[rows] = own["probabilities"], own["vad"]
            if config.split.kind == "folds":
                fold[rows] = config.split.fold
            elif _variant(config) == "none":
                network = trained.network(config, store)
                features.append(last_features(network, marked.images, mirror=False).double().numpy())
    runs = {
        kind: {variant: list(seeds.values()) for variant, seeds in variants.items()} for kind, variants in kinds.items()
    }
    tuned = {name: runs[f"tuned, {name}"] for name in MODELS if f"tuned, {name}" in runs}
    return summary(Faces.of(marked), fold, runs["proxy"], tuned, runs["scratch"], features)


def _kind(group: str, config: Config) -> str:
    """What a record calls a group's runs: ``proxy``, ``scratch``, ``tuned, valence``, ``tuned, all``."""
    if group in ("proxy", "scratch"):
        return group
    return f"tuned, {next(name for name, axes in MODELS.items() if axes == config.vad.axes)}"


def _variant(config: Config) -> str:
    """The one of ``VARIANTS`` that a run is in."""
    asked = config.vad.model_dump()
    return next(
        variant for variant, part in VARIANTS.items() if configs.Vad(**{"axes": asked["axes"], **part}) == config.vad
    )


def _empty(faces: int, axes: int) -> Predicted:
    return Predicted(np.full((faces, len(EMOTIONS)), np.nan), np.full((faces, axes), np.nan))


def summary(
    faces: Faces,
    fold: np.ndarray,
    first: Mapping[str, Sequence[Predicted]],
    tuned: Mapping[str, Mapping[str, Sequence[Predicted]]],
    scratch: Mapping[str, Sequence[Predicted]],
    features: Sequence[np.ndarray],
) -> dict[str, object]:
    """What the runs say.

    Returns
    -------
    ``runs``: per kind of training and variant one entry per seed (:func:`scores` and accuracy). ``differences`` and
    ``accuracy_differences``: variants against ``none``, paired by seed (:func:`paired`). ``confusion``: counts, in the
    order of ``FER2013_CODES``. ``baselines``: scores of
    predictors without a regressor. ``best``: the mean of the seeds' predictions, tuned without consistency, and the
    read-out, with intervals over faces, and how much they lower the squared error of each baseline.
    """
    truth = faces.vad

    def all_of(runs: Mapping[str, Sequence[Predicted]], axes: Sequence[str] = VAD_AXES, adjust: bool = False):
        def on_scale(one: Predicted) -> Predicted:
            return one._replace(vad=calibrate(one.vad, truth, fold)) if adjust else one

        return {
            variant: [measured(on_scale(one), faces, axes) for one in predicted] for variant, predicted in runs.items()
        }

    runs = {
        "proxy": all_of(first),
        "proxy, calibrated": all_of(first, adjust=True),
        "scratch": all_of(scratch),
        **{f"tuned, {name}": all_of(variants, MODELS[name]) for name, variants in tuned.items()},
    }
    together = tuned["all"]["none"]
    category = np.array(Predicted(np.mean([one.probabilities for one in together], axis=0), truth).category)
    baselines = category_baselines(faces.category, category, truth, fold)
    best = {
        "tuned network": np.mean([one.vad for one in together], axis=0),
        "read-out": np.mean([read_out(one, truth, fold) for one in features], axis=0),
    }
    return {
        "faces": len(faces),
        "seeds": len(together),
        "runs": runs,
        "differences": {kind: paired(found) for kind, found in runs.items()},
        "accuracy_differences": {kind: paired(found, "accuracy") for kind, found in runs.items()},
        "confusion": confusion_matrix(faces.category, category, labels=FER2013_CODES).tolist(),
        "baselines": {name: scores(values, truth) for name, values in baselines.items()},
        "best": {name: _against(values, baselines, truth) for name, values in best.items()},
        "claims": _answers(runs),
    }


def _against(predicted: np.ndarray, baselines: Mapping[str, np.ndarray], truth: np.ndarray) -> dict[str, object]:
    found: dict[str, object] = {}
    for k, axis in enumerate(VAD_AXES):
        x, y = predicted[:, k], truth[:, k]
        r2 = intervals.bootstrap(lambda a, b: 1 - ((a - b) ** 2).mean() / b.var(), x, y, seed=0, resamples=1000)
        ccc = intervals.bootstrap(lambda a, b: regression.ccc(a, b) or 0.0, x, y, seed=0, resamples=1000)
        found[axis] = {
            "r2": r2._asdict(),
            "ccc": ccc._asdict(),
            "lower_than": {
                name: intervals.paired_bootstrap(
                    (values[:, k] - y) ** 2, (x - y) ** 2, seed=0, resamples=1000
                )._asdict()
                for name, values in baselines.items()
            },
        }
    return found


def _answers(runs: Mapping[str, Mapping[str, Sequence[Mapping[str, Mapping[str, float]]]]]) -> dict[str, object]:
    """What becomes of "consistency lowers the loss" (and raises the accuracy), per definition and axis, in a word."""
    together = runs["tuned, all"]
    found: dict[str, object] = {}
    for measure in ("mse", "accuracy"):
        for variant, axes in paired(together, measure).items():
            for axis, change in axes.items():
                ends = f"{change['low']:+.4f} to {change['high']:+.4f}"
                found.setdefault(variant, {})[axis] = {
                    "says": run_checks.changed(change, lower_is_better=measure == "mse"),
                    "detail": f"{change['estimate']:+.4f} (95 % interval {ends}, {change['count']} pairs of runs)",
                }
    return found


def mean_of(runs: Sequence[Mapping[str, Mapping[str, float]]], axis: str, measure: str) -> intervals.Interval:
    """A measure's mean over the seeds of one variant, with Student's interval."""
    return intervals.over_seeds([one[axis][measure] for one in runs])


def on_published_scale(mse: float) -> float:
    """A mean squared error of values in [-1, 1] as papers 003 and 004 would print it, see ``annotated``."""
    return mse * annotated.UNIT**2 / annotated.BATCH


def recorded() -> dict[str, object] | None:
    """The recorded ablation, ``values`` and ``provenance``; None if there is none."""
    return records.read(RECORD) if records.path_of(RECORD).is_file() else None


def published(root: str | Path | None = None) -> tuple[FaceSet, FaceSet]:
    """The annotated faces, and all of FER+, which recorded trainings start from.

    Parameters
    ----------
    root: folder that holds FER+ and VAD-FER2013.

    Raises
    ------
    DataError: if data are missing or not the published ones.
    """
    from ferbook.datasets import fer2013_vad, ferplus

    marked = fer2013_vad.load(root, images="ferplus")
    crowd = datasets.load("ferplus", root)
    if not (marked.provenance["published"] and ferplus.is_official(crowd)):
        raise DataError("not the published annotations and the complete FER+", str(root), hint="Only those count.")
    return marked, crowd


def plan(described: Mapping[str, Config]) -> dict[str, object]:
    """What a record says of how long its runs trained, read off a description."""
    proxy, tuned, scratch = (described[f"{name}-seed0{fold}"] for name, fold in _FIRST)
    return {
        "seeds": len({config.seed for config in sweeps.chosen(described, "tuned").values()}),
        "width": proxy.model.options["width"],
        "side": 48,
        "proxy_faces": proxy.split.at_most,
        "proxy_epochs": proxy.epochs,
        "tune_epochs": tuned.epochs,
        "scratch_epochs": scratch.epochs,
        "tune_lr": tuned.optimiser.lr,
    }


_FIRST = (("proxy/none", ""), ("tuned/none", "-fold0"), ("scratch/none", "-fold0"))
#: How the annotated faces are parted: the same picture is never in two folds.
FOLDS = {"count": 5, "same_picture": "together"}


def record(root: str | Path | None = None, store: Path | None = None) -> Path:
    """Gather the recorded runs of the sweep into one record; returns where.

    Parameters
    ----------
    root: folder that holds FER+ and VAD-FER2013.
    store: folder of runs in which they were made; default ``_build/runs``.

    Raises
    ------
    DataError: if data are missing or not the published ones, or a run is not recorded or of other data.
    """
    marked, crowd = published(root)
    first = sweeps.load(PAPER, "proxy")
    made = {f"{group}/{name}": one for group in GROUPS for name, one in sweeps.load(PAPER, group).items()}
    known = {marked.provenance["checksum"], crowd.provenance["checksum"]}
    for name, result in made.items():
        if result.provenance["checksum"] not in known:
            raise DataError(f"{name} is of other data", sweeps.description(PAPER), hint="Make it anew.")
    values = gathered(marked, store)
    values["proxy_faces"] = next(iter(first.values())).metrics["faces"]["train"]
    return records.write(
        RECORD,
        values,
        faces=marked,
        module=__file__,
        plan=plan(sweeps.runs(sweeps.description(PAPER))),
        folds=FOLDS,
        ferplus=crowd.provenance["checksum"],
        device=next(iter(first.values())).provenance["device"],
        precision=next(iter(first.values())).provenance["precision"],
        cpu_seconds=round(sum(result.provenance.get("cpu_seconds", 0) for result in made.values())),
    )
