"""Does relevance measure how strong an expression is? Paper 001 ranks by it; here intensity is known.

Six quantities are compared with the known intensity of synthetic faces (or with the share of votes for the winning
emotion, where there are votes): what the paper ranks by, and what one would try first. Trained networks stand beside
untrained ones and ones trained on shuffled labels: whatever correlates there, too, is not about what was learned
(Adebayo et al. 2018).
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from scipy import stats
from torch import Tensor, nn

from ferbook import datasets, models
from ferbook.core import dependencies, locks, paths, records
from ferbook.core.errors import FerbookError
from ferbook.faces.emotions import EMOTIONS
from ferbook.faces.faceset import FaceSet
from ferbook.measures import intervals
from ferbook.measures.intervals import Interval, over_defined
from ferbook.relevance import networks, pictures, ranks
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
    values, intensity: (N,); where one is NaN, the face is left out.

    Returns
    -------
    Correlation: NaN throughout where all values are the same, since no order is then to be had.

    Raises
    ------
    ValueError: if fewer than ten faces are left.
    """
    values, intensity = np.asarray(values, dtype=np.float64), np.asarray(intensity, dtype=np.float64)
    known = np.isfinite(values) & np.isfinite(intensity)
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
    low, high = np.tanh(stats.norm.interval(0.95, np.arctanh(value), error))
    return float(low), float(high)


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
    composites: Sequence[str] = ("z_plus",),
    scale: ranks.Scale = "range",
    batch: int = 64,
) -> dict[str, np.ndarray]:
    """The six quantities of ``MEASURES``, each (N,); NaN for the rank of a picture whose relevance has no contrast.

    Those that are made of relevance have the composite's name behind theirs, as "rank (z_plus)"; each composite gives a
    rank and a core, the first one the total as well.

    Parameters
    ----------
    network: layers in a row, the last of which gives the logits.
    images: (N, C, H, W).
    targets: (N,) classes.
    neutral: (M, C, H, W) neutral faces; distances are from the mean of their features.
    composites: of the relevance.
    scale: as in :func:`ferbook.relevance.ranks.scaled`.
    batch: images at a time.
    """
    box = {"low": float(images.min()), "high": float(images.max())}
    logits = scores(network, images)
    rows = torch.arange(len(images))
    centre = features(network, neutral).mean(0)
    plain = {
        "logit": logits[rows, targets].numpy(),
        "probability": logits.softmax(1)[rows, targets].numpy(),
        "distance": (features(network, images) - centre).norm(dim=1).numpy(),
    }
    found: dict[str, np.ndarray] = {}
    for place, name in enumerate(composites):
        arrived = relevance(network, images, targets, name, batch=batch, **box).numpy()
        given = ranks.rank_as_tabulated(ranks.histogram(ranks.scaled(arrived, scale)))
        found[f"rank ({name})"] = np.where(given < 0, np.nan, given)
        found[f"core ({name})"] = ranks.core(arrived, scale)
        if place == 0:
            found[f"relevance ({name})"] = np.clip(arrived, 0, None).sum(axis=(1, 2, 3))
            found |= plain
    return found


@dataclass(frozen=True)
class Faces:
    """Faces for this test: pictures (N, 1, H, W) as the network takes them, labels (N,), and what intensity is taken
    to be (N,), NaN where nothing is known of it.
    """

    images: Tensor
    labels: Tensor
    intensity: np.ndarray

    @classmethod
    def of(cls, faces: FaceSet, prepare: Callable[[np.ndarray], Tensor] = networks.standardised) -> Faces:
        """From a face set with distribution; the label is its leading emotion. `prepare` makes the pictures floats."""
        known = np.full(len(faces), np.nan) if faces.intensity is None else np.asarray(faces.intensity)
        labels = np.asarray(faces.distribution).argmax(axis=1)
        return cls(prepare(faces.images), torch.from_numpy(labels), known)

    def where(self, mask: np.ndarray) -> Faces:
        """The faces under a mask."""
        chosen = torch.from_numpy(np.flatnonzero(mask))
        return Faces(self.images[chosen], self.labels[chosen], self.intensity[mask])


def part(dataset: str, which: str, count: int, seed: int = 0, size: int = 48) -> Faces:
    """Standardised grey faces of a data set; parameters as in :func:`ferbook.relevance.pictures.part`."""
    return Faces.of(pictures.part(dataset, which, count, seed=seed, size=size))


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


def ready(
    kind: str = "trained", *, count: int, epochs: int, seed: int = 0, dataset: str = "synthetic"
) -> nn.Sequential:
    """A network of one of ``KINDS``, from the cache if it was trained before.

    Parameters
    ----------
    kind: one of ``KINDS``.
    count: training faces.
    epochs: passes over them.
    seed: of faces and training.
    dataset: one of ``pictures.SETS``.
    """
    code = dependencies.running(Path(__file__))
    mark = "" if dataset == "synthetic" else datasets.source_mark(dataset)
    setting = f"{dataset} {mark} {kind} {count} {epochs} {seed} {torch.__version__} {code}"
    name = hashlib.sha256(setting.encode()).hexdigest()[:16]
    path = paths.cache_root() / "relevance" / f"{name}.safetensors"
    network = networks.untrained(seed)

    def ready() -> nn.Sequential | None:
        if not path.is_file():
            return None
        models.load_weights(network, path)
        return network.eval()

    def make() -> nn.Sequential:
        made = network_of(kind, part(dataset, "train", count, seed), epochs=epochs, seed=seed)
        models.save_weights(made, path, {"setting": setting})
        return made

    return locks.once(path.with_name(f".{name}.lock"), f"trains the network {name}", ready, make)


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
    dict: ``accuracy`` on `test`; ``faces`` that remained; ``ranks``, how many got each rank, by composite, and
    ``ranks_by_emotion``; ``correlations``, by measure as :func:`measures` names them, each a dict of
    :class:`Correlation`'s fields; and ``by_emotion``, Spearman's alone.
    """
    labels = test.labels.numpy()
    right = scores(network, test.images).argmax(1).numpy() == labels
    kept = test.where((labels != NEUTRAL) & (right | (not only_right)))
    neutral = test.images[test.labels == NEUTRAL]
    if len(kept.labels) < 10:
        raise FerbookError(
            f"the network names only {len(kept.labels)} emotional faces right, too few for a correlation; "
            "train it longer or on more faces."
        )
    found = measures(network, kept.images, kept.labels, neutral, composites)
    given = {name: found[f"rank ({name})"] for name in composites}
    return {
        "accuracy": float(right.mean()),
        "faces": len(kept.labels),
        "ranks": {name: _counted(ranked) for name, ranked in given.items()},
        "correlations": {name: _plain(correlation(values, kept.intensity)) for name, values in found.items()},
        "by_emotion": {name: _per_emotion(values, kept) for name, values in found.items()},
        "ranks_by_emotion": {name: _ranks_per_emotion(ranked, kept) for name, ranked in given.items()},
    }


def _counted(given: np.ndarray) -> list[int]:
    """How many faces got each rank; those without one are left out."""
    return np.bincount(given[np.isfinite(given)].astype(int), minlength=len(ranks.RANKS)).tolist()


def _ranks_per_emotion(given: np.ndarray, faces: Faces) -> dict[str, list[int]]:
    """How many faces of each emotion got each rank."""
    masks = {name: (faces.labels == place).numpy() for place, name in enumerate(EMOTIONS)}
    return {name: _counted(given[mask]) for name, mask in masks.items() if mask.any()}


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


def mean(runs: Sequence[Mapping[str, object]], measure: str, key: str = "spearman") -> Interval | None:
    """A correlation over several networks, or of one network over its faces, with its 95 % interval.

    Parameters
    ----------
    runs: from :func:`compare`, one per network.
    measure: as :func:`measures` names it.
    key: "spearman" or "kendall".

    Returns
    -------
    Interval: None where a network gives all faces the same value, so that there is no correlation.
    """
    found = [run["correlations"][measure] for run in runs]
    if len(found) > 1:
        return over_defined([one[key] for one in found])
    (one,) = found
    return None if one[key] is None else Interval(one[key], one[f"{key}_low"], one[f"{key}_high"], 0.95, one["count"])


def sheet(values: Mapping[str, Sequence[Mapping[str, object]]], kendall: str) -> list[dict[str, str]]:
    """Rows of a table: each measure with its Spearman correlation by column, and Kendall's of one of the columns.

    Parameters
    ----------
    values: heading of a column -> runs from :func:`compare`, one per network.
    kendall: which column's Kendall correlation is added.
    """

    def told(found: Interval | None, ends: bool = True) -> str:
        if found is None:
            return "all alike"
        return intervals.told(found, "+.2f") if ends else f"{found.estimate:+.2f}"

    return [
        {
            "measure": measure,
            **{heading: told(mean(runs, measure)) for heading, runs in values.items()},
            f"Kendall, {kendall}": told(mean(values[kendall], measure, "kendall"), ends=False),
        }
        for measure in next(iter(values.values()))[0]["correlations"]
        if all(measure in run["correlations"] for runs in values.values() for run in runs)
    ]


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
    faces = datasets.load("synthetic", count=10)
    return _record(RECORD, part("synthetic", "train", TRAIN), part("synthetic", "test", TEST), faces, KINDS)


def voted_parts(faces: FaceSet) -> tuple[Faces, Faces]:
    """FER+ for this test: ``TRAIN`` of its cleaned training faces, drawn at random, and all cleaned test faces."""
    whole = pictures.voted(faces, "train")
    train = whole.subset(np.sort(np.random.default_rng(0).permutation(len(whole))[:TRAIN]))
    return Faces.of(train), Faces.of(pictures.voted(faces, "test"))


def record_voted(faces: FaceSet) -> Path:
    """The same on FER+, for trained networks, tested on all its cleaned test faces; returns where."""
    return _record(RECORD_VOTED, *voted_parts(faces), faces, KINDS[:1])


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
