"""Recorded results as tables: trainings, their epochs, emotions, confusions and answers, and every other record."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ferbook.book.export.tables import Field, Table, from_mappings
from ferbook.core import bounded_files, paths
from ferbook.faces.emotions import EMOTIONS
from ferbook.learning import sweeps
from ferbook.learning.runs import RunResult

#: What tells runs apart, in every table about them.
RUN = (
    Field("paper", "three digits of the paper whose chapter the run belongs to"),
    Field("group", "series of runs that differ in one thing"),
    Field("run", "name of the run within its group"),
)
_CONFIG = {
    "task": Field(
        "task", "what is learned: distribution (one over emotions), multilabel, or vad (emotion with valence, ...)"
    ),
    "model.name": Field("network", "name of the network's architecture"),
    "loss": Field("loss", "name of the loss"),
    "labels.n_hot": Field("n_hot", "most emotions in a training label", "integer"),
    "labels.present": Field("present", "least share of the votes from which an emotion counts as present", "number"),
    "vad.consistency": Field("consistency", "consistency loss between emotion and dimensions; only where task is vad"),
    "vad.weight": Field("consistency_weight", "weight of that loss", "number"),
    "vad.orthogonality": Field("orthogonality_weight", "weight of the orthogonality loss", "number"),
    "split.kind": Field("split", "how the test faces were chosen"),
    "split.fold": Field("fold", "which of the folds is tested, from 0; only where the split is by folds", "integer"),
    "copies.kind": Field("copies", "which changed copies are appended to the training faces"),
    "epochs": Field("epochs", "passes over the training faces", "integer"),
    "batch": Field("batch", "faces in a batch", "integer"),
    "optimiser.lr": Field("learning_rate", "highest learning rate", "number"),
    "optimiser.weight_decay": Field("weight_decay", "weight decay", "number"),
    "seed": Field("seed", "seed of everything random", "integer"),
}
#: Measures that a run's record has at its top.
_METRICS = {
    "chosen_epoch": Field("chosen_epoch", "epoch whose network is judged, from 1", "integer"),
    "chosen_on": Field("chosen_on", "faces that chose it"),
    "parameters": Field("parameters", "numbers that the network learns", "integer"),
    "seen_in_training": Field(
        "seen_in_training", "test faces with an identical picture in the training set", "integer"
    ),
    "with_copies": Field("with_copies", "training faces together with appended copies", "integer"),
    "with_repeats": Field("with_repeats", "training faces together with repeated ones", "integer"),
    "valid_accuracy": Field("valid_accuracy", "tie-aware accuracy on validation faces, 0 to 1", "number"),
    "test_accuracy": Field("test_accuracy", "tie-aware accuracy on test faces, 0 to 1", "number"),
    "test_accuracy_unseen": Field(
        "test_accuracy_unseen", "the same on test faces without a copy in the training set, 0 to 1", "number"
    ),
    "valid_mean_average_precision": Field(
        "valid_mean_average_precision", "mean over emotions of average precision, validation faces", "number"
    ),
    "valid_macro_auroc": Field("valid_macro_auroc", "mean over emotions of the area under ROC, validation", "number"),
    "valid_hamming_loss": Field("valid_hamming_loss", "share of wrong labels, validation faces", "number"),
    "test_mean_average_precision": Field(
        "test_mean_average_precision", "mean over emotions of average precision, test faces", "number"
    ),
    "test_macro_auroc": Field("test_macro_auroc", "mean over emotions of the area under ROC, test faces", "number"),
    "test_hamming_loss": Field("test_hamming_loss", "share of wrong labels, test faces", "number"),
    "test_ccc": Field("test_ccc", "mean over dimensions of the concordance correlation, test faces", "number"),
    "test_mse": Field("test_mse", "sum over dimensions of the mean squared error, test faces", "number"),
}
_FACES = {
    part: Field(f"faces_{part}", f"{words} faces", "integer")
    for part, words in (("train", "training"), ("valid", "validation"), ("test", "test"))
}
#: Measures on the test faces that are one number.
_TEST = {
    "accuracy_first": Field("test_accuracy_first", "accuracy where only the first of tied emotions is right", "number"),
    "kl": Field("test_kl", "Kullback-Leibler divergence from the votes to the prediction, nats", "number"),
    "brier": Field("test_brier", "squared distance of the prediction from the votes", "number"),
    "calibration_error": Field("test_calibration_error", "expected calibration error, 0 to 1", "number"),
    "threshold": Field("test_threshold", "probability from which a label is given", "number"),
    "macro/precision": Field("test_macro_precision", "mean precision of the labels", "number"),
    "macro/recall": Field("test_macro_recall", "mean recall of the labels", "number"),
    "macro/f1": Field("test_macro_f1", "mean F1 of the labels", "number"),
    "micro/precision": Field("test_micro_precision", "precision over all labels together", "number"),
    "micro/recall": Field("test_micro_recall", "recall over all labels together", "number"),
    "micro/f1": Field("test_micro_f1", "F1 over all labels together", "number"),
    "mean_average_precision_11": Field("test_map_11", "mean average precision by eleven points of recall", "number"),
    "mean_average_precision_all": Field("test_map_all", "mean average precision by all points of recall", "number"),
    "subset_accuracy": Field("test_subset_accuracy", "share of faces whose labels are all right", "number"),
    "ranking_loss": Field("test_ranking_loss", "share of label pairs in the wrong order", "number"),
    "coverage": Field("test_coverage", "how far down the ranking all labels of a face are found, mean", "number"),
    "one_error": Field("test_one_error", "share of faces whose first label is wrong", "number"),
    "lrap": Field("test_lrap", "label ranking average precision", "number"),
}
#: Of these, which stand elsewhere under another name, or in tables of their own.
_ELSEWHERE = {"accuracy", "faces", "labels", "mean_average_precision", "macro_auroc", "hamming_loss"}
_PROVENANCE = {
    "data": Field("data", "data set"),
    "checksum": Field("checksum", "SHA-256 of its faces and labels"),
    "test_checksum": Field("test_checksum", "the same of the data set tested on, where it is another one"),
    "device": Field("device", "cpu or the kind of GPU"),
    "machine": Field("machine", "architecture of the processor"),
    "kind": Field(
        "kind", "what trained: the GPU's name, or the processor's instruction set; empty where a run did not tell"
    ),
    "processes": Field("processes", "processes that shared each batch", "integer"),
    "threads": Field("threads", "threads of each", "integer"),
    "precision": Field("precision", "numbers that the training computed with"),
    "compiled": Field("compiled", "whether the network was compiled", "boolean"),
    "seconds": Field("seconds", "time by the clock", "number"),
    "cpu_seconds": Field("cpu_seconds", "time of all threads", "number"),
    "library": Field("library", "hash of the library's files that the run used"),
    "python": Field("python", "version of Python"),
    "numpy": Field("numpy", "version of NumPy"),
    "torch": Field("torch", "version of PyTorch"),
    "lightning": Field("lightning", "version of Lightning"),
    "date": Field("date", "day of the run, YYYY-MM-DD"),
}
_EPOCH = (
    Field("epoch", "from 1", "integer"),
    Field("train_loss", "mean loss on training faces", "number"),
    Field("valid_loss", "mean loss on validation faces", "number"),
    Field("valid_accuracy", "tie-aware accuracy on validation faces, 0 to 1", "number"),
    Field("test_accuracy", "the same on test faces; it chose nothing", "number"),
    *(_METRICS[f"valid_{name}"] for name in ("mean_average_precision", "macro_auroc", "hamming_loss")),
    Field("lr", "learning rate at the epoch's end", "number"),
)
#: Measures on the test faces with one number per dimension, of the network and of a constant.
_DIMENSION = {
    "mse": "mean squared error",
    "mae": "mean absolute error",
    "r2": "coefficient of determination",
    "ccc": "concordance correlation coefficient",
    "pcc": "Pearson's correlation; empty for a constant, which has none",
}
#: Measures on the test faces with one number per emotion.
_EMOTION = (
    Field("precision", "of faces given the emotion, the share that has it", "number"),
    Field("recall", "of faces that have the emotion, the share that is given it", "number"),
    Field("f1", "harmonic mean of precision and recall", "number"),
    Field("average_precision", "area under precision over recall, by steps", "number"),
    Field("average_precision_11", "the same by eleven points of recall", "number"),
    Field("average_precision_all", "the same by all points of recall", "number"),
    Field("auroc", "area under the ROC curve", "number"),
)


@cache
def _folder() -> Path:
    return paths.project_root() / "data" / "recorded"


@cache
def _runs() -> tuple[tuple[tuple[str, str, str], RunResult], ...]:
    """All recorded runs: paper, group and name, and the result."""
    found = []
    for path in sorted(_folder().glob("*/runs/**/*.json")):
        paper, _, group, *rest = path.relative_to(_folder()).with_suffix("").parts
        found.append(((paper, group, "/".join(rest)), sweeps.read(path)))
    return tuple(found)


def _place(key: tuple[str, str, str]) -> dict[str, str]:
    return {field.name: part for field, part in zip(RUN, key, strict=True)}


def _picked(content: Mapping[str, Any], fields: Mapping[str, Field], separator: str) -> dict[str, Any]:
    """Column to value, of those fields that the content has."""
    found = {}
    for path, field in fields.items():
        value: Any = content
        for part in path.split(separator):
            value = value.get(part) if isinstance(value, Mapping) else None
        if value is not None:
            found[field.name] = value
    return found


def runs() -> Table:
    """One row per training.

    Raises
    ------
    ValueError: if a record holds a measure that no column describes.
    """
    lists = {
        "confusion",
        "recall",
        "per_label",
        "average_precision",
        "average_precision_11",
        "average_precision_all",
        "auroc",
    }
    lists |= {"names", "model", "constant", "reference", "hindsight"}  # of dimensions, in a table of their own
    described = {path.split("/")[0] for path in _TEST} | _ELSEWHERE | lists
    rows = []
    for key, result in _runs():
        unknown = set(result.metrics) - set(_METRICS) - {"faces", "test", "test_correct"}
        unknown |= set(result.metrics["test"]) - described
        unknown |= set(result.provenance) - set(_PROVENANCE)
        if unknown:
            raise ValueError(f"{'/'.join(key)}: no column describes {', '.join(sorted(unknown))}")
        rows.append(
            _place(key)
            | _picked(result.config, _CONFIG, ".")
            | {"config": result.config}
            | _picked(result.metrics, _METRICS, "/")
            | _picked(result.metrics["faces"], _FACES, "/")
            | _picked(result.metrics["test"], _TEST, "/")
            | _picked(result.provenance, _PROVENANCE, "/")
        )
        if result.config["split"]["kind"] != "folds":
            rows[-1].pop("fold", None)
        if result.config["task"] != "vad":
            for field in ("consistency", "consistency_weight", "orthogonality_weight"):
                rows[-1].pop(field, None)
    fields = [
        *RUN,
        *_CONFIG.values(),
        *_METRICS.values(),
        *_FACES.values(),
        *_TEST.values(),
        *_PROVENANCE.values(),
        Field("config", "the whole description of the run, as JSON: ferbook.learning.configs.Config"),
    ]
    said = "One row per recorded training: what was trained, what it reached, and on which machine."
    return from_mappings("runs.csv", "Trainings", said, fields, rows, [field.name for field in RUN])


def epochs() -> Table:
    """One row per epoch of each training."""
    rows = [_place(key) | entry for key, result in _runs() for entry in result.history]
    said = "One row per epoch of each training in runs.csv."
    key = [field.name for field in (*RUN, _EPOCH[0])]
    return from_mappings("epochs.csv", "Trainings, epoch by epoch", said, [*RUN, *_EPOCH], rows, key)


def emotions() -> Table:
    """One row per emotion of each training."""
    rows = []
    for key, result in _runs():
        test = result.metrics["test"]
        if result.config["task"] == "vad":
            continue
        columns: dict[str, list[Any]] = {field.name: test[field.name] for field in _EMOTION if field.name in test}
        for name in ("precision", "recall", "f1"):
            if "per_label" in test:
                columns[name] = [entry[name] for entry in test["per_label"]]
        for place, emotion in enumerate(EMOTIONS):
            rows.append(_place(key) | {"emotion": emotion} | {name: values[place] for name, values in columns.items()})
    emotion = Field("emotion", "emotion, as the votes name it")
    said = "One row per emotion of each training of emotions alone in runs.csv, on its test faces."
    names = [field.name for field in (*RUN, emotion)]
    return from_mappings(
        "run-emotions.csv", "Trainings, emotion by emotion", said, [*RUN, emotion, *_EMOTION], rows, names
    )


def confusions() -> Table:
    """One row per cell of each training's confusion matrix."""
    rows = []
    for key, result in _runs():
        if result.config["task"] == "vad":
            continue
        counts = result.metrics["test"]["confusion"]
        if result.config["task"] == "distribution":
            cells = [(t, p, counts[k][j]) for k, t in enumerate(EMOTIONS) for j, p in enumerate(EMOTIONS)]
        else:
            # One two by two matrix per label.
            said = ("no {}", "{}")
            cells = [
                (said[k].format(emotion), said[j].format(emotion), counts[place][k][j])
                for place, emotion in enumerate(EMOTIONS)
                for k in range(2)
                for j in range(2)
            ]
        rows += [_place(key) | {"true": t, "predicted": p, "faces": number} for t, p, number in cells]
    fields = [
        *RUN,
        Field("true", "emotion with most votes (of a multi-label run: whether the face has the emotion)"),
        Field("predicted", "emotion that the network gives (of a multi-label run: whether it gives it)"),
        Field("faces", "test faces of that kind", "integer"),
    ]
    said = "One row per cell of the confusion matrix of each training of emotions alone in runs.csv, on its test faces."
    names = [field.name for field in fields[:-1]]
    return from_mappings("run-confusions.csv", "Trainings, confusions", said, fields, rows, names)


def dimensions() -> Table:
    """One row per dimension (valence, arousal, dominance) of each training that learned them."""
    fields = [
        *RUN,
        Field("dimension", "valence, arousal or dominance"),
        *(Field(name, f"{said}, test faces", "number") for name, said in _DIMENSION.items()),
        *(
            Field(f"constant_{name}", f"{said}, of answering always the same", "number")
            for name, said in _DIMENSION.items()
        ),
        Field("constant", "that same answer, -1 to 1", "number"),
        Field("hindsight", "whether it is the mean of the test faces, not of training faces", "boolean"),
    ]
    rows = []
    for key, result in _runs():
        if result.config["task"] != "vad":
            continue
        test = result.metrics["test"]
        for place, dimension in enumerate(test["names"]):
            rows.append(
                _place(key)
                | {"dimension": dimension, "constant": test["reference"][place], "hindsight": test["hindsight"]}
                | {name: test["model"][name][place] for name in _DIMENSION}
                | {f"constant_{name}": test["constant"][name][place] for name in _DIMENSION}
            )
    said = "One row per dimension of each training in runs.csv that learned dimensions, on its test faces."
    names = [field.name for field in (*RUN, fields[3])]
    return from_mappings("run-dimensions.csv", "Trainings, dimension by dimension", said, fields, rows, names)


def answers() -> Table:
    """One row per training whose answers were kept."""
    fields = [
        *RUN,
        Field("faces", "test faces", "integer"),
        Field("correct", "one bit per test face in the order of the test set, 1 for right, as hexadecimal digits"),
    ]
    rows = [
        _place(key) | {"faces": result.metrics["faces"]["test"], "correct": result.metrics["test_correct"]}
        for key, result in _runs()
        if "test_correct" in result.metrics
    ]
    said = "One row per training that kept which test faces it got right, for tests in pairs."
    return from_mappings(
        "run-answers.csv", "Trainings, right and wrong answers", said, fields, rows, [f.name for f in RUN]
    )


def peers() -> Table:
    """One row per tool and question, from the records of other tools on the same faces."""
    fields = [
        Field("tool", "name of the tool; compact-ferplus is this book's network"),
        Field("emotions", "how many emotions it chooses from: eight, or seven without contempt"),
        Field("version", "version of the tool"),
        Field("faces", "test faces", "integer"),
        Field("accuracy", "tie-aware accuracy, 0 to 1", "number"),
        Field("low", "lower end of its 95 % interval over the faces", "number"),
        Field("high", "upper end of its 95 % interval over the faces", "number"),
        Field("macro_f1", "mean F1 of the emotions", "number"),
        Field("calibration_error", "expected calibration error, 0 to 1", "number"),
        Field("calibration_error_before", "the same before the temperature was fitted", "number"),
        Field("images_per_s", "faces per second, by the median time of one face", "number"),
        Field("bytes", "size of the network's file", "integer"),
    ]
    rows = []
    for path in sorted((_folder() / "peers").glob("*.json")):
        content = bounded_files.read_json(path)
        whole = {name: value for name, value in content["values"].items() if not isinstance(value, Mapping)}
        version = {"version": content["provenance"]["version"]} if "version" in content["provenance"] else {}
        for asked, found in content["values"].items():
            if isinstance(found, Mapping):
                own = {name: value for name, value in found.items() if name != "recall"}
                rows.append({"tool": path.stem, "emotions": asked} | version | own | whole)
    said = "One row per tool and number of emotions, on the official test part of FER+; recall is in records.csv."
    return from_mappings("peers.csv", "Other tools on the same faces", said, fields, rows, ("tool", "emotions"))


def others() -> Table:
    """Every value of every record that is no training."""
    fields = [
        Field("record", "name of the record, as data/recorded names it"),
        Field("pointer", "where in the record, as a JSON pointer: /values/... what was found, /provenance/... on what"),
        Field("value", "the value as JSON: a number, true, false, null, or a text in quotation marks"),
    ]
    rows = []
    for path in sorted(_folder().glob("*/*.json")):
        name = path.relative_to(_folder()).with_suffix("").as_posix()
        content = bounded_files.read_json(path)
        rows += [
            {"record": name, "pointer": pointer, "value": json.dumps(value, ensure_ascii=False)}
            for pointer, value in leaves(content)
        ]
    said = "One row per value of each record that is no training: everything else that was measured on real data."
    return from_mappings("records.csv", "All other records", said, fields, rows, ("record", "pointer"))


def leaves(content: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """The values of nested data with their JSON pointers (RFC 6901), in order; an empty list or mapping is one."""
    if isinstance(content, Mapping) and content:
        for key, value in content.items():
            yield from leaves(value, f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}")
    elif isinstance(content, list) and content:
        for place, value in enumerate(content):
            yield from leaves(value, f"{pointer}/{place}")
    else:
        yield pointer, content


def all_tables() -> list[Table]:
    """The tables of this module."""
    return [runs(), epochs(), emotions(), confusions(), dimensions(), answers(), peers(), others()]
