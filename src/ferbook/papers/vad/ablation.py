"""The ablation of papers 003 and 004, with what they lack: a cost with a gradient, seeds in pairs, and baselines.

``holdout`` trains on some faces and tests on others; it is what a quick build runs on synthetic faces. ``record`` runs
the ablation on the annotated faces of FER2013 and keeps its numbers in ``data/recorded/003/ablation.json``: networks
are trained on FER+ with V, A, D guessed from the crowd's votes, then go on in five folds on the annotated faces. Every
run is stored, so an interrupted recording goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from sklearn.metrics import confusion_matrix

from ferbook import datasets
from ferbook.core import arrays, paths, records
from ferbook.core.errors import DataError
from ferbook.faces.emotions import FER2013_CODES, VAD_AXES
from ferbook.faces.faceset import FaceSet
from ferbook.measures import intervals, regression
from ferbook.papers.vad import annotated
from ferbook.papers.vad.engine import Predicted, Setting, Start, VadTask, train
from ferbook.papers.vad.experiments import (
    ARMS,
    MODELS,
    SINGLE_ARMS,
    Faces,
    calibrate,
    category_baselines,
    cross_validate,
    proxy,
    read_out,
)

RECORD = "003/ablation"


@dataclass(frozen=True)
class Plan:
    """What is recorded, and how long it trains.

    Parameters
    ----------
    seeds: runs per arm.
    width, side: of the compact network and its pictures.
    proxy_faces: how many faces of FER+'s training part are learned from first; 0: all.
    proxy_epochs, tune_epochs, scratch_epochs: passes over them; over the annotated faces of a fold after that; and
        over those of a fold without anything before.
    tune_lr: peak rate of the second training.
    """

    seeds: int = 5
    width: float = 0.67
    side: int = 48
    proxy_faces: int = 0
    proxy_epochs: int = 8
    tune_epochs: int = 8
    scratch_epochs: int = 20
    tune_lr: float = 1e-3


#: A recording of a few CPU minutes: a small network, small pictures, a third of the faces.
SHORT = Plan(width=0.34, side=32, proxy_faces=8_000, proxy_epochs=4, tune_epochs=3, scratch_epochs=5)


def scores(predicted: np.ndarray, truth: np.ndarray, axes: Sequence[str] = VAD_AXES) -> dict[str, dict[str, float]]:
    """Per axis ``mse`` (of values in [-1, 1]), ``r2`` and ``ccc`` of (N, A) predictions."""
    found = regression.evaluate(predicted, truth, names=axes).model
    return {
        axis: {name: float(getattr(found, name)[k]) for name in ("mse", "r2", "ccc")} for k, axis in enumerate(axes)
    }


def holdout(
    base: Setting, arms: Sequence[str], seeds: Sequence[int], known: Faces, test: Faces
) -> dict[str, list[dict[str, dict[str, float]]]]:
    """Per arm one :func:`scores` per seed, trained on `known` and tested on `test`, pairs sharing their seed.

    Parameters
    ----------
    base: what all runs share.
    arms: of ``ARMS``.
    seeds: of the pairs.
    known, test: faces.
    """
    found: dict[str, list[dict[str, dict[str, float]]]] = {arm: [] for arm in arms}
    for seed in seeds:
        for arm in arms:
            setting = replace(base, seed=seed, **ARMS[arm])
            task = train(setting, known.images, known.distribution, known.vad)
            predicted = task.predict(test.images)
            measured = scores(predicted.vad, test.vad[:, setting.columns], setting.axes)
            measured["category"] = {"accuracy": float((predicted.category == test.category).mean())}
            found[arm].append(measured)
    return found


def paired(runs: Mapping[str, Sequence[Mapping[str, Mapping[str, float]]]], of: str = "mse") -> dict[str, object]:
    """Per arm and axis, how much an arm changes a measure against ``none`` of the same seed: mean and interval.

    Parameters
    ----------
    runs: per arm one dictionary of measures per seed; ``none`` among them.
    of: the measure; ``accuracy`` belongs to ``category``.

    Returns
    -------
    Arm to axis to ``intervals.Interval``, as a dictionary; below 0, the arm lowers the measure.
    """
    found: dict[str, object] = {}
    for arm, measured in runs.items():
        if arm == "none":
            continue
        axes = [name for name in measured[0] if of in measured[0][name]]
        found[arm] = {
            axis: intervals.over_seeds(
                [one[axis][of] - none[axis][of] for one, none in zip(measured, runs["none"], strict=True)]
            )._asdict()
            for axis in axes
        }
    return found


# --- the recorded ablation ---


class Store:
    """Finished runs in a folder, by a key of everything they depend on."""

    def __init__(self, folder: Path | None = None):
        self.folder = folder or paths.project_root() / "_build" / "vad"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.seconds = 0.0

    def predicted(self, key: str, run) -> Predicted:
        """The stored predictions of `key`, or those that `run()` gives now."""
        path = self.folder / f"{key}.npz"
        if path.is_file():
            try:
                stored = arrays.read_npz(path)
                return Predicted(stored["probabilities"], stored["vad"])
            except (ValueError, KeyError) as error:
                raise DataError(f"holds no predictions ({error})", path, hint="Delete it and run again.") from None
        start = time.process_time()
        found = run()
        self.seconds += time.process_time() - start
        with paths.replacing(path) as staging:
            np.savez_compressed(staging, **found._asdict())
        return found

    def start(self, key: str, run) -> Start:
        """The stored weights of `key`, or those of the task that `run()` trains now."""
        path = self.folder / f"{key}.safetensors"
        if not path.is_file():
            began = time.process_time()
            made = Start.of(run())
            self.seconds += time.process_time() - began
            with paths.replacing(path) as staging:
                save_file({name: value.contiguous() for name, value in made.state.items()}, staging)
        try:
            return Start(load_file(path), VAD_AXES)
        except SafetensorError as error:
            raise DataError(f"holds no weights ({error})", path, hint="Delete it and run again.") from None


def key_of(*parts: object) -> str:
    """First 16 hex digits of a sha256 over plain data."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def run_all(faces: Faces, guessed: Faces, plan: Plan, data: str, store: Store) -> dict[str, object]:
    """Every run of a plan and what they say.

    Parameters
    ----------
    faces: annotated.
    guessed: faces with proxy values, none of them among `faces`.
    plan: how long.
    data: checksum of both.
    store: of finished runs.

    Returns
    -------
    Plain numbers: see :func:`summary`.
    """
    fold = annotated.folds(faces.category)
    if plan.proxy_faces:
        order = np.random.default_rng(0).permutation(len(guessed))[: plan.proxy_faces]
        guessed = guessed.subset(np.sort(order))
    tuned: dict[str, dict[str, list[Predicted]]] = {name: {} for name in MODELS}
    scratch: dict[str, list[Predicted]] = {arm: [] for arm in SINGLE_ARMS}
    first: dict[str, list[Predicted]] = {arm: [] for arm in SINGLE_ARMS}
    features = []
    for seed in range(plan.seeds):
        common = Setting(width=plan.width, side=plan.side, seed=seed)
        for arm in SINGLE_ARMS:
            setting = replace(common, epochs=plan.proxy_epochs, **ARMS[arm])
            key = key_of("proxy", asdict(setting), data, plan.proxy_faces)
            weights = store.start(key, lambda s=setting: train(s, guessed.images, guessed.distribution, guessed.vad))
            task = _loaded(setting, weights)
            first[arm].append(store.predicted(key, lambda t=task: t.predict(faces.images)))
            if arm == "none":
                start = weights
                features.append(task.features(faces.images))
        for name, axes in MODELS.items():
            for arm in ARMS if name == "all" else SINGLE_ARMS:
                setting = replace(common, axes=axes, epochs=plan.tune_epochs, lr=plan.tune_lr, **ARMS[arm])
                key = key_of("tuned", asdict(setting), data, start.mark)
                found = store.predicted(key, lambda s=setting, b=start: cross_validate(faces, s, fold, b))
                tuned[name].setdefault(arm, []).append(found)
        for arm in SINGLE_ARMS:
            setting = replace(common, epochs=plan.scratch_epochs, **ARMS[arm])
            key = key_of("scratch", asdict(setting), data)
            scratch[arm].append(store.predicted(key, lambda s=setting: cross_validate(faces, s, fold)))
    return summary(faces, fold, first, tuned, scratch, features)


def _loaded(setting: Setting, weights: Start):
    """A task that only predicts, with stored weights."""
    empty = np.zeros((2, 48, 48), np.uint8)
    task = VadTask(setting, empty, np.zeros((2, 8)), np.zeros((2, 3)))
    task.network.load_state_dict(weights.state)
    return task


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
    ``runs``: per kind of training and arm one entry per seed (:func:`scores` and accuracy). ``differences`` and
    ``accuracy_differences``: arms against ``none``, paired by seed (:func:`paired`). ``confusion``: counts, in the
    order of ``FER2013_CODES``. ``baselines``: scores of
    predictors without a regressor. ``best``: the mean of the seeds' predictions, tuned without consistency, and the
    read-out, with intervals over faces, and how much they lower the squared error of each baseline.
    """
    truth = faces.vad

    def measured(runs: Mapping[str, Sequence[Predicted]], axes: Sequence[str] = VAD_AXES, adjust: bool = False):
        columns = [VAD_AXES.index(axis) for axis in axes]
        found: dict[str, list[dict[str, dict[str, float]]]] = {}
        for arm, predicted in runs.items():
            found[arm] = []
            for one in predicted:
                values = calibrate(one.vad, truth[:, columns], fold) if adjust else one.vad
                entry = scores(values, truth[:, columns], axes)
                entry["category"] = {"accuracy": float((one.category == faces.category).mean())}
                found[arm].append(entry)
        return found

    runs = {
        "proxy": measured(first),
        "proxy, calibrated": measured(first, adjust=True),
        "scratch": measured(scratch),
        **{f"tuned, {name}": measured(arms, MODELS[name]) for name, arms in tuned.items()},
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
    for measure, better in (("mse", -1), ("accuracy", 1)):
        for arm, axes in paired(together, measure).items():
            for axis, change in axes.items():
                ends = f"{change['low']:+.4f} to {change['high']:+.4f}"
                found.setdefault(arm, {})[axis] = {
                    "says": _word(change, better),
                    "detail": f"{change['estimate']:+.4f} (95 % interval {ends}, {change['count']} pairs of runs)",
                }
    return found


def _word(change: Mapping[str, float], better: int) -> str:
    if change["low"] == change["high"] == 0:
        return "no change at all"
    if change["low"] <= 0 <= change["high"]:
        return "no clear change"
    return "better" if np.sign(change["estimate"]) == better else "worse"


def mean_of(runs: Sequence[Mapping[str, Mapping[str, float]]], axis: str, measure: str) -> intervals.Interval:
    """A measure's mean over the seeds of one arm, with Student's interval."""
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


def record(root: str | Path | None = None, plan: Plan | None = None) -> Path:
    """Record the ablation on the published annotations; returns where. Goes on where it was interrupted.

    Parameters
    ----------
    root: folder that holds FER+ and VAD-FER2013.
    plan: default: ``Plan()``, which takes hours on two CPU cores; ``SHORT`` takes a quarter of one.

    Raises
    ------
    DataError: if data are missing or not the published ones.
    """
    plan = plan or Plan()
    marked, crowd = published(root)
    faces = Faces.of(marked)
    guessed = proxy(crowd, without=faces.images)
    store = Store()
    data = f"{marked.provenance['checksum']} {crowd.provenance['checksum']}"
    values = run_all(faces, guessed, plan, data, store)
    values["proxy_faces"] = plan.proxy_faces or len(guessed)
    return records.write(
        RECORD,
        values,
        faces=marked,
        module=__file__,
        plan=asdict(plan),
        ferplus=crowd.provenance["checksum"],
        device="cuda" if torch.cuda.is_available() else "cpu",
        new_cpu_seconds=round(store.seconds),
    )
