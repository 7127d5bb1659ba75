"""Which faces a config names, and with which labels: the parts that train, that choose the epoch, and that test."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from ferbook import datasets
from ferbook.core.errors import ConfigError
from ferbook.faces import folds, labels, splits
from ferbook.faces.emotions import EMOTIONS, VAD_AXES, vad_matrix
from ferbook.faces.faceset import SPLITS, FaceSet
from ferbook.learning.configs import Config, Data, Labels
from ferbook.vision import appended, detection, detectors


def load(data: Data) -> FaceSet:
    """A data set. Raises ConfigError for an option that its reader does not have."""
    known = datasets.options(data.name)
    for name in data.options:
        if name not in known:
            has = f"It has {', '.join(known)}." if known else "It has none."
            raise ConfigError(f"data.options.{name}", f"{data.name} has no such option", has)
    return datasets.load(data.name, **data.options)


def checksums(config: Config, faces: FaceSet, test: FaceSet) -> dict[str, str]:
    """What tells a run's data from others: ``checksum``, and ``test_checksum`` where another set tests."""
    other = {} if config.test is None else {"test_checksum": test.provenance["checksum"]}
    return {"checksum": faces.provenance["checksum"], **other}


def load_parts(config: Config) -> tuple[FaceSet, dict[str, tuple[FaceSet, np.ndarray]]]:
    """The data set, and per part its faces and their targets (N, T); ``valid`` only where an epoch is chosen there.

    The targets' first 8 columns are distributions, those of training reduced to N-hot, and for ``task: multilabel`` 1
    where an emotion is present. For ``task: vad`` a column per axis follows.

    Raises
    ------
    ConfigError: if the data set does not have such labels, or a part would be empty.
    """
    faces, kept, distribution = _labelled(config.data, config.labels)
    split = split_of(config, kept, distribution)
    chosen = {part: (kept.subset(rows), distribution[rows]) for part, rows in zip(SPLITS, split, strict=True)}
    if config.choose_on == "last":
        del chosen["valid"]
    if config.test is not None:
        chosen["test"] = _labelled(config.test.data, config.test.labels)[1:]
        for part in set(chosen) - {"test"}:
            rows = np.flatnonzero(~twins(chosen["test"][0].images, chosen[part][0].images))
            chosen[part] = (chosen[part][0].subset(rows), chosen[part][1][rows])
    if 0 < config.split.at_most < len(chosen["train"][1]):
        rows = np.sort(np.random.default_rng(0).permutation(len(chosen["train"][1]))[: config.split.at_most])
        chosen["train"] = (chosen["train"][0].subset(rows), chosen["train"][1][rows])
    rng = np.random.default_rng(config.seed)
    parts = {}
    for part, (own, target) in chosen.items():
        if not len(own):
            raise ConfigError("split", f"the {part} part of {config.data.name} is empty")
        asked = config.test.labels if part == "test" and config.test is not None else config.labels
        values = [_values(config, asked, own, target)] if config.task == "vad" else []
        if config.task == "multilabel":
            target = _present(config, target).astype(float)
        elif part == "train":
            target = labels.n_hot(target, config.labels.n_hot, rng)
        parts[part] = (own, np.concatenate([target, *values], axis=1))
    return faces, parts


def twins(known: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Which pictures of `images` (N, H, W) are also, pixel by pixel, among the `known` (M, H, W): (N,) bool."""
    groups = splits.duplicate_groups(np.concatenate([known, images]))
    return splits.leaked(groups, np.arange(len(known)), np.arange(len(known), len(groups)))


def _values(config: Config, asked: Labels, faces: FaceSet, distribution: np.ndarray) -> np.ndarray:
    """V, A, D as far as the task learns them, (N, A)."""
    columns = [VAD_AXES.index(axis) for axis in config.vad.axes]
    if asked.vad == "points":
        return (distribution @ vad_matrix())[:, columns]
    if faces.vad is None or not np.isfinite(faces.vad[:, columns]).all():
        problem = f"not all faces of {faces.name} have {', '.join(config.vad.axes)}"
        raise ConfigError("labels.vad", problem, "Use points, which guesses them from the emotions.")
    return np.asarray(faces.vad, dtype=np.float64)[:, columns]


def _present(config: Config, distribution: np.ndarray) -> np.ndarray:
    """Which emotions are present, (N, 8) bool."""
    return distribution >= config.labels.present - labels.SUM_TOLERANCE


def repeated_rows(config: Config, target: np.ndarray) -> np.ndarray | None:
    """Rows of the training faces as an epoch shows them, some more than once; None where none is repeated."""
    if not config.labels.repeat:
        return None
    times = np.ones(len(target), dtype=int)
    for name, count in config.labels.repeat.items():
        times[target[:, EMOTIONS.index(name)] > 0] = np.maximum(times[target[:, EMOTIONS.index(name)] > 0], count)
    return np.repeat(np.arange(len(target)), times)


def _labelled(data: Data, asked: Labels) -> tuple[FaceSet, FaceSet, np.ndarray]:
    """A data set, those of its faces that have labels, and their distributions."""
    faces = load(data)
    if asked.source == "truth":
        if faces.distribution is None:
            raise ConfigError("labels.source", f"of {faces.name} no true mixture is known", "Use votes.")
        kept, distribution = faces, np.asarray(faces.distribution, dtype=np.float64)
    elif faces.votes is None:
        raise ConfigError("data.name", f"{faces.name} has no votes", "Paper 002's labels are made of votes.")
    else:
        cleaned = labels.clean_votes(faces.votes, asked.cleaning, asked.limit)
        kept, distribution = faces.subset(cleaned.keep), cleaned.distribution
    if data.aligned:
        landmarks = detectors.landmarks_of(kept, faces, data.detector)
        images, _ = detection.align(kept.images, landmarks, kept.images.shape[1])
        kept = replace(kept, images=images)
    return faces, kept, distribution


def split_of(config: Config, kept: FaceSet, distribution: np.ndarray) -> splits.Split:
    """Rows of the faces that have labels, by part."""
    if config.split.kind == "official":
        if kept.split is None:
            raise ConfigError("split.kind", f"{kept.name} has no official split", "Use ordinary, complex or folds.")
        return splits.official_split(kept)
    if config.split.kind == "folds":
        held_out = 0 if config.choose_on == "last" else config.split.valid_share
        return folds.fold_split(kept, _present(config, distribution), config.split.fold, config.split.folds, held_out)
    if kept.name == "ferplus":
        drawn = splits.frozen_split(kept, f"ferplus-{config.split.kind}")
    else:
        make = splits.ordinary_split if config.split.kind == "ordinary" else splits.complex_split
        drawn = make(distribution, rng=np.random.default_rng(0))
    # The faces that choose the epoch are the same for every seed, so that runs differ in training alone.
    order = np.random.default_rng(1).permutation(drawn.train)
    held_out = 0 if config.choose_on == "last" else round(config.split.valid_share * len(order))
    return splits.Split(np.sort(order[held_out:]), np.sort(order[:held_out]), drawn.test)


def tensors_of(faces: FaceSet, target: np.ndarray) -> tuple[Tensor, Tensor]:
    """A part as a task takes it: uint8 images (N, C, H, W) and float targets (N, T)."""
    images = torch.from_numpy(np.array(faces.images))
    images = images.unsqueeze(1) if images.ndim == 3 else images.permute(0, 3, 1, 2)
    return images.contiguous(), torch.from_numpy(np.asarray(target, dtype=np.float32))


def copies_of(config: Config, training: FaceSet, faces: FaceSet) -> appended.Appended | None:
    """The index of the training faces and their appended copies; None where there are none."""
    wanted = config.copies
    match wanted.kind:
        case "ordinary":
            return appended.Appended.full(len(training), appended.ordinary(wanted.angle))
        case "adaptive":
            landmarks = detectors.landmarks_of(training, faces, config.data.detector)
            return appended.adaptive_copies(landmarks, wanted.x1, wanted.x2, wanted.angle)
        case _:
            return None
