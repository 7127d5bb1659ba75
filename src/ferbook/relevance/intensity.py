"""Does relevance measure how strong an expression is? Paper 001 ranks by it; here intensity is known.

Six quantities are compared with the known intensity of synthetic faces (or with the share of votes for the winning
emotion, where there are votes): what the paper ranks by, and what one would try first. Trained networks stand beside
untrained ones and ones trained on shuffled labels: whatever correlates there, too, is not about what was learned
(Adebayo et al. 2018).
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from scipy import stats
from torch import Tensor, nn

from ferbook import dependencies, models, paths, records
from ferbook.datasets import load
from ferbook.emotions import EMOTIONS
from ferbook.faceset import FaceSet
from ferbook.labels import clean_votes
from ferbook.relevance import networks, ranks
from ferbook.relevance.lrp import relevance, scores

#: What is compared with intensity, in the order of tables; relevance is explained on the class of the label.
MEASURES: dict[str, str] = {
    "rank": "the paper's rank, as tabulated",
    "core": "what the rank is cut from: median of the scores",
    "relevance": "total positive relevance",
    "logit": "logit of the class",
    "probability": "softmax probability of the class",
    "distance": "distance from neutral faces in feature space",
}
#: The three kinds of network that are compared.
KINDS: tuple[str, ...] = ("trained", "untrained", "shuffled labels")
NEUTRAL = EMOTIONS.index("neutral")


class Correlation(NamedTuple):
    """Spearman's and Kendall's rank correlation with 95 % intervals; `count` faces lie behind them."""

    spearman: float
    spearman_low: float
    spearman_high: float
    kendall: float
    kendall_low: float
    kendall_high: float
    count: int


def correlation(values: np.ndarray, intensity: np.ndarray) -> Correlation:
    """Rank correlations with intervals by Fisher's transform.

    Standard errors on the transformed scale: Bonett and Wright (2000) for Spearman, sqrt((1 + r^2 / 2) / (n - 3));
    Fieller, Hartley and Pearson (1957) for Kendall, sqrt(0.437 / (n - 4)).

    Parameters
    ----------
    values: (N,); where NaN, the face is left out.
    intensity: (N,).

    Returns
    -------
    Correlation: NaN throughout where all values are the same, since no order is then to be had.

    Raises
    ------
    ValueError: if fewer than ten faces are left.
    """
    values, intensity = np.asarray(values, dtype=np.float64), np.asarray(intensity, dtype=np.float64)
    known = np.isfinite(values)
    x, y = values[known], intensity[known]
    if len(x) < 10:
        raise ValueError(f"a correlation of {len(x)} faces says nothing")
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return Correlation(*[float("nan")] * 6, len(x))
    r = float(stats.spearmanr(x, y).statistic)
    tau = float(stats.kendalltau(x, y).statistic)
    spread = np.sqrt((1 + r * r / 2) / (len(x) - 3)), np.sqrt(0.437 / (len(x) - 4))
    return Correlation(r, *_fisher(r, spread[0]), tau, *_fisher(tau, spread[1]), len(x))


def _fisher(value: float, error: float) -> tuple[float, float]:
    if abs(value) >= 1:
        return value, value
    z = np.arctanh(value)
    return float(np.tanh(z - 1.959964 * error)), float(np.tanh(z + 1.959964 * error))


def features(network: nn.Sequential, images: Tensor, batch: int = 256) -> Tensor:
    """What the last layer of a network in a row is given, (N, F)."""
    trunk = network[:-1].eval()
    with torch.inference_mode():
        return torch.cat([trunk(chunk).flatten(1) for chunk in images.split(batch)])


def measures(
    network: nn.Sequential,
    images: Tensor,
    targets: Tensor,
    neutral: Tensor,
    composite: str = "z_plus",
    scale: ranks.Scale = "range",
    batch: int = 64,
) -> dict[str, np.ndarray]:
    """The six quantities of ``MEASURES``, each (N,).

    Parameters
    ----------
    network: layers in a row, the last of which gives the logits.
    images: (N, C, H, W).
    targets: (N,) classes.
    neutral: (M, C, H, W) neutral faces; distances are from the mean of their features.
    composite: of the relevance.
    scale: as in :func:`ferbook.relevance.ranks.scaled`.
    batch: images at a time.
    """
    logits = scores(network, images)
    rows = torch.arange(len(images))
    box = {"low": float(images.min()), "high": float(images.max())}
    found = relevance(network, images, targets, composite, batch=batch, **box).numpy()
    centre = features(network, neutral).mean(0)
    counted = ranks.histogram(ranks.scaled(found, scale))
    return {
        "rank": ranks.rank_as_tabulated(counted).astype(np.float64),
        "core": ranks.core(found, scale),
        "relevance": np.clip(found, 0, None).sum(axis=(1, 2, 3)),
        "logit": logits[rows, targets].numpy(),
        "probability": logits.softmax(1)[rows, targets].numpy(),
        "distance": (features(network, images) - centre).norm(dim=1).numpy(),
    }


@dataclass(frozen=True)
class Faces:
    """Faces for this test: standardised pictures (N, 1, H, W), labels (N,) and what intensity is taken to be (N,)."""

    images: Tensor
    labels: Tensor
    intensity: np.ndarray

    def where(self, mask: np.ndarray) -> Faces:
        """The faces under a mask."""
        chosen = torch.from_numpy(np.flatnonzero(mask))
        return Faces(self.images[chosen], self.labels[chosen], self.intensity[mask])


def synthetic(count: int, split: str, seed: int = 0, size: int = 48) -> Faces:
    """Synthetic faces of one emotion each, all emotions alike, nothing covered, intensity drawn from 0.2 to 1."""
    from ferbook.synthesis import render, sample

    faces = sample(count, seed=seed, split=split, blends=0.0, occlusion="none")
    images = networks.standardised(render(faces, size=size))
    return Faces(images, torch.from_numpy(faces.label), np.asarray(faces.intensity))


def voted(faces: FaceSet, part: str, count: int, seed: int = 0) -> Faces:
    """Cleaned faces of an official part, drawn at random; for intensity stands the winning emotion's share of votes.

    Parameters
    ----------
    faces: with votes and official parts.
    part: "train", "valid" or "test".
    count: how many, or all where there are fewer.
    seed: of the draw.
    """
    chosen = faces.part(part)
    cleaned = clean_votes(chosen.votes)
    kept = np.flatnonzero(cleaned.keep)
    drawn = np.sort(np.random.default_rng(seed).permutation(len(kept))[:count])
    shares = cleaned.distribution[drawn]
    images = networks.standardised(chosen.images[kept[drawn]])
    return Faces(images, torch.from_numpy(shares.argmax(axis=1)), shares.max(axis=1))


def network_of(kind: str, train: Faces, *, epochs: int, seed: int) -> nn.Sequential:
    """A network of one of ``KINDS``."""
    size = train.images.shape[-1]
    network = networks.untrained(seed, size)
    if kind == "untrained":
        return network.eval()
    target = nn.functional.one_hot(train.labels, len(EMOTIONS)).float()
    if kind == "shuffled labels":
        target = networks.shuffled(target, seed)
    return networks.fit(network, train.images, target, epochs=epochs, seed=seed)


def ready(kind: str = "trained", *, count: int, epochs: int, seed: int = 0) -> nn.Sequential:
    """A network of one of ``KINDS`` for :func:`synthetic` faces, from the cache if it was trained before.

    Parameters
    ----------
    kind: one of ``KINDS``.
    count: training faces.
    epochs: passes over them.
    seed: of faces and training.
    """
    code = dependencies.library_hash(dependencies.library_files(Path(__file__)))
    setting = f"{kind} {count} {epochs} {seed} {torch.__version__} {code}"
    name = hashlib.sha256(setting.encode()).hexdigest()[:16]
    path = paths.cache_root() / "relevance" / f"{name}.safetensors"
    network = networks.untrained(seed)
    if path.is_file():
        models.load_weights(network, path)
        return network.eval()
    network = network_of(kind, synthetic(count, "train", seed), epochs=epochs, seed=seed)
    models.save_weights(network, path, {"setting": setting})
    return network


def compare(
    network: nn.Sequential, test: Faces, *, composites: tuple[str, ...] = ("z_plus",), only_right: bool = True
) -> dict[str, object]:
    """Correlation of every measure with intensity on one network.

    Parameters
    ----------
    network: from :func:`network_of`.
    test: neutral faces among them; they are left out of the correlations.
    composites: of the relevance; the first one gives "relevance", and each one a rank and a core.
    only_right: leave out faces whose emotion is not predicted, as the paper does. Networks that have not learned the
        labels would then have hardly any left: pass False.

    Returns
    -------
    dict: ``accuracy`` on `test`; ``faces`` that remained; ``ranks``, how many got each rank, by composite; and
    ``correlations``, by measure, "rank" and "core" followed by the composite's name in brackets, each a dict of
    :class:`Correlation`'s fields.
    """
    labels = test.labels.numpy()
    right = scores(network, test.images).argmax(1).numpy() == labels
    kept = test.where((labels != NEUTRAL) & (right | (not only_right)))
    neutral = test.images[test.labels == NEUTRAL]
    correlations: dict[str, dict[str, float]] = {}
    given: dict[str, list[int]] = {}
    by_emotion: dict[str, dict[str, float | None]] = {}
    for place, name in enumerate(composites):
        found = measures(network, kept.images, kept.labels, neutral, name)
        given[name] = np.bincount(found["rank"].astype(int), minlength=len(ranks.RANKS)).tolist()
        for measure, values in found.items():
            if measure in ("rank", "core") or place == 0:
                key = f"{measure} ({name})" if measure in ("rank", "core", "relevance") else measure
                correlations[key] = _plain(correlation(values, kept.intensity))
                by_emotion[key] = _per_emotion(values, kept)
    return {
        "accuracy": float(right.mean()),
        "faces": len(kept.labels),
        "ranks": given,
        "correlations": correlations,
        "by_emotion": by_emotion,
    }


def _per_emotion(values: np.ndarray, faces: Faces) -> dict[str, float | None]:
    """Spearman's correlation within each emotion; None where it is not defined."""
    found: dict[str, float | None] = {}
    for emotion, name in enumerate(EMOTIONS):
        mask = (faces.labels == emotion).numpy()
        if mask.sum() >= 10:
            value = correlation(values[mask], faces.intensity[mask]).spearman
            found[name] = None if np.isnan(value) else value
    return found


def _plain(found: Correlation) -> dict[str, float | None]:
    return {key: None if np.isnan(value) else value for key, value in found._asdict().items()}


#: Names of the records, of synthetic faces and of FER+, and their setting.
RECORD, RECORD_VOTED = "001/intensity", "001/intensity-ferplus"
TRAIN, TEST, EPOCHS, SEEDS = 3000, 2000, 12, (0, 1, 2)
COMPOSITES: tuple[str, ...] = ("z_plus", "gamma_box", "epsilon")


def experiment(
    train: Faces,
    test: Faces,
    *,
    epochs: int,
    seeds: tuple[int, ...],
    composites: tuple[str, ...] = COMPOSITES,
    kinds: tuple[str, ...] = KINDS,
) -> dict[str, list[dict[str, object]]]:
    """Every kind of network with every seed: kind -> one :func:`compare` per seed."""
    return {
        kind: [
            compare(
                network_of(kind, train, epochs=epochs, seed=seed),
                test,
                composites=composites,
                only_right=kind == "trained",
            )
            for seed in seeds
        ]
        for kind in kinds
    }


def record() -> Path:
    """Run the full setting on synthetic faces and write it to ``data/recorded``; returns where."""
    # The record names the data set that its faces come from; they are drawn here, one emotion each.
    return _record(RECORD, synthetic(TRAIN, "train"), synthetic(TEST, "test"), load("synthetic", count=10), KINDS)


def record_voted(faces: FaceSet) -> Path:
    """The same on faces with votes, for trained networks; returns where."""
    parts = voted(faces, "train", TRAIN), voted(faces, "test", TEST)
    return _record(RECORD_VOTED, *parts, faces, KINDS[:1])


def recorded(name: str = RECORD) -> dict[str, object] | None:
    """The values of a record; None while it has not been made."""
    return records.read(name)["values"] if records.path_of(name).is_file() else None


def _record(name: str, train: Faces, test: Faces, faces: FaceSet, kinds: tuple[str, ...]) -> Path:
    start = time.process_time()
    runs = experiment(train, test, epochs=EPOCHS, seeds=SEEDS, kinds=kinds)
    values: Mapping[str, object] = {
        "runs": runs,
        "train": len(train.labels),
        "test": len(test.labels),
        "cpu_seconds": round(time.process_time() - start),
    }
    return records.write(name, values, faces=faces, module=__file__, seeds=list(SEEDS), epochs=EPOCHS)
