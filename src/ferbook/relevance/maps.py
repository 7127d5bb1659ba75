"""Maps of relevance of a trained VGG16, chosen as figures 9 to 12 of paper 001 choose them, and recorded.

A record holds what was found on each face and the face's name, but no face: FER+'s are not this book's to give away,
and synthetic ones are drawn again. Two networks are recorded: the VGG16 that was trained on FER+ (``001/vgg16/seed0``),
whose pictures are grey; and the same, given three channels and trained on for a little on coloured synthetic faces.
"""

import base64
import copy
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ferbook import datasets
from ferbook.core import records
from ferbook.core.errors import DataError, FerbookError
from ferbook.faces.emotions import EMOTIONS
from ferbook.faces.faceset import FaceSet
from ferbook.learning import sweeps
from ferbook.relevance import intensity, lrp, photographs, pictures, ranks
from ferbook.relevance.head import pixels
from ferbook.vision import difficulty

#: Rule of the convolutions. Under z+ a VGG16 ranks nearly every face alike; here all three ranks occur.
COMPOSITE = "gamma_box"
#: What each figure shows: emotion and rank, as its caption or the text about it has them; None where neither says.
FIGURES: dict[int, tuple[tuple[str | None, str | None], ...]] = {
    9: (("happiness", None), ("sadness", None), ("fear", None), ("contempt", None)),
    10: ((None, "minimal"), (None, "average"), (None, "strong")),
    11: (
        ("disgust", "strong"),
        ("disgust", "average"),
        ("surprise", "minimal"),
        ("fear", "minimal"),
        ("sadness", "strong"),
        ("happiness", "minimal"),
    ),
    12: (
        ("sadness", "minimal"),
        ("disgust", "strong"),
        ("surprise", "average"),
        ("happiness", "minimal"),
        ("contempt", "minimal"),
        ("fear", "minimal"),
    ),
}
#: Records by the data set of their faces.
RECORDS: dict[str, str] = {"ferplus": "001/maps-ferplus", "synthetic": "001/maps-synthetic"}
#: Faces of each emotion, the surest ones, among which a figure's are chosen.
CANDIDATES = 40
#: Synthetic faces to train on and to choose from, passes over them, batch, and peak of the one-cycle schedule.
TRAIN, TEST, EPOCHS, BATCH, RATE = 1500, 600, 4, 32, 2e-4


@dataclass(frozen=True)
class Map:
    """One face's relevance for the emotion that it shows and the network names: (C, H, W), units of the logit."""

    face: str
    emotion: str
    rank: str
    probability: float
    relevance: np.ndarray


def chosen(
    wanted: Sequence[tuple[str | None, str | None]], emotions: Sequence[str], given: Sequence[str], sure: np.ndarray
) -> list[int | None]:
    """For each wanted emotion and rank the surest face that has them; of that emotion alone where no face has both.

    Parameters
    ----------
    wanted: emotion and rank; None for any.
    emotions, given: (N,) emotion and rank of the faces there are.
    sure: (N,) probability of the emotion.

    Returns
    -------
    An index each, no face twice; None where no face of the emotion is left.
    """
    surest = np.argsort(-np.asarray(sure), kind="stable").tolist()
    found: list[int | None] = []
    for emotion, rank in wanted:
        free = [i for i in surest if i not in found and emotion in (None, emotions[i])]
        both = [i for i in free if rank in (None, given[i])]
        found.append(next(iter(both or free), None))
    return found


def measure(network: nn.Sequential, faces: FaceSet) -> dict[str, Any]:
    """The values of a record: maps of the faces that the four figures show.

    Parameters
    ----------
    network: layers in a row; takes the faces as floats in [0, 1].
    faces: with distribution; their leading emotion is the truth. Neutral ones, and those named wrongly, are left out.

    Returns
    -------
    dict: ``figures``, number to places in ``faces``, one for each face of ``FIGURES``, or None; ``faces``, each the
    fields of :class:`Map` with its relevance in bytes and their ``unit``; ``correct``, how many emotional faces were
    named correctly; ``composite``.
    """
    images, labels = pixels(faces.images), np.asarray(faces.distribution).argmax(axis=1)
    probabilities = lrp.scores(network, images).softmax(1).numpy()
    sure = probabilities[np.arange(len(labels)), labels]
    correct = np.flatnonzero((probabilities.argmax(axis=1) == labels) & (labels != intensity.NEUTRAL))
    if not len(correct):
        raise FerbookError("the network names no emotional face right; train it longer or on more faces.")
    surest = correct[np.argsort(-sure[correct], kind="stable")]
    kept = np.concatenate([surest[labels[surest] == label][:CANDIDATES] for label in np.unique(labels[correct])])
    found = lrp.relevance(network, images[kept], torch.from_numpy(labels[kept]), COMPOSITE).numpy()
    given = [ranks.RANKS[k] for k in ranks.rank_as_tabulated(ranks.histogram(ranks.scaled(found)))]
    emotions = [EMOTIONS[label] for label in labels[kept]]
    figures = {number: chosen(wanted, emotions, given, sure[kept]) for number, wanted in FIGURES.items()}
    used = sorted({place for places in figures.values() for place in places if place is not None})
    entries = {place: entry for entry, place in enumerate(used)} | {None: None}
    return {
        "composite": COMPOSITE,
        "correct": len(correct),
        "figures": {str(number): [entries[place] for place in places] for number, places in figures.items()},
        "faces": [
            {
                "face": str(faces.ids[kept[place]]),
                "emotion": emotions[place],
                "rank": given[place],
                "probability": round(float(sure[kept[place]]), 4),
                **_packed(found[place]),
            }
            for place in used
        ],
    }


def _packed(relevance: np.ndarray) -> dict[str, Any]:
    """Relevance in steps of 1/32767 of its largest absolute value, as base64 of little-endian 16-bit integers."""
    unit = float(np.abs(relevance).max() / 32767) or 1.0
    steps = np.round(relevance / unit).astype("<i2")
    return {"shape": list(relevance.shape), "unit": unit, "relevance": base64.b64encode(steps.tobytes()).decode()}


def _unpacked(entry: Mapping[str, Any]) -> np.ndarray:
    steps = np.frombuffer(base64.b64decode(entry["relevance"]), dtype="<i2")
    return steps.reshape(entry["shape"]).astype(np.float64) * entry["unit"]


def recorded(name: str) -> dict[int, list[Map | None]] | None:
    """The recorded maps of each figure, for faces of a data set of ``RECORDS``; None while there is no record.

    A figure has one for each of its faces in ``FIGURES``, None where no face of the emotion was named correctly.
    """
    values = records.values_of(RECORDS[name])
    if values is None:
        return None
    maps = [
        Map(**{key: entry[key] for key in ("face", "emotion", "rank", "probability")}, relevance=_unpacked(entry))
        for entry in values["faces"]
    ]
    return {
        int(number): [None if place is None else maps[place] for place in places]
        for number, places in values["figures"].items()
    }


def epochs(name: str) -> int:
    """For how many epochs the network behind a record was trained on FER+."""
    return int(records.read(RECORDS[name])["values"]["epochs"])


def faces_of(name: str, maps: Sequence[Map], root: str | Path | None = None) -> np.ndarray:
    """The faces behind recorded maps: uint8 (N, 48, 48) of FER+, (N, 48, 48, 3) synthetic.

    Raises DataError if FER+ is not at hand, or lacks one of them.
    """
    faces = synthetic("test", TEST) if name == "synthetic" else datasets.load(name, root)
    place = {str(face): index for index, face in enumerate(faces.ids)}
    missing = [one.face for one in maps if one.face not in place]
    if missing:
        problem = f"has no face {missing[0]!r}, of which a map is recorded"
        raise DataError(problem, name, hint="Use the complete data set.")
    return np.asarray(faces.images)[[place[one.face] for one in maps]]


def synthetic(which: str, count: int) -> FaceSet:
    """Coloured synthetic faces that the recorded maps are of."""
    return pictures.synthetic(count, which, colour=True)


def in_colour(network: nn.Sequential) -> nn.Sequential:
    """A copy that takes three channels: its first weights are shared out, so equal channels give the same answers."""
    other = copy.deepcopy(network)
    first = other[0]
    wide = nn.Conv2d(3, first.out_channels, first.kernel_size, first.stride, first.padding, bias=first.bias is not None)
    wide.weight.data = first.weight.data.expand(-1, 3, -1, -1).clone() / 3
    if first.bias is not None:
        wide.bias.data = first.bias.data.clone()
    other[0] = wide
    return other


def train_on(network: nn.Sequential, images: Tensor, labels: Tensor, *, epochs: int, seed: int) -> nn.Sequential:
    """Train all layers on, images (N, C, H, W) for labels (N,), by ``difficulty.learn`` with random mirror images.

    `seed` is of order, mirroring and dropout. The network is trained in place and returned in evaluation mode.
    """
    network.to(memory_format=torch.channels_last)
    drawn = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        difficulty.learn(
            network, images, labels, RATE, 1e-3, epochs=epochs, batch=BATCH, generator=drawn,
            change=lambda batch: difficulty.mirrored(batch, drawn),
        )  # fmt: skip
    return network


def record(faces: FaceSet, store: Path | None = None) -> Path:
    """Maps of the VGG16 run on FER+'s test faces, and on synthetic ones, trained on; returns where the latter are.

    Parameters
    ----------
    faces: the complete FER+.
    store: as in :func:`ferbook.relevance.photographs.vgg16`.

    Raises
    ------
    DataError: if the run was not made here.
    """
    network, epochs = photographs.vgg16(store), sweeps.read_config(photographs.RUN).epochs
    record_photographs(network, faces, epochs)
    return record_synthetic(network, epochs)


def record_photographs(network: nn.Sequential, faces: FaceSet, epochs: int) -> Path:
    """The first half of :func:`record`, of a network that was trained for so many epochs."""
    start = time.process_time()
    values = {**measure(network, pictures.voted(faces, "test")), "epochs": epochs}
    values["cpu_seconds"] = round(time.process_time() - start)
    return records.write(RECORDS["ferplus"], values, faces=faces, module=__file__, run=photographs.RUN)


def record_synthetic(network: nn.Sequential, epochs: int) -> Path:
    """The second half: the network trained on, on synthetic faces."""
    start = time.process_time()
    train, test = synthetic("train", TRAIN), synthetic("test", TEST)
    labels = torch.from_numpy(np.asarray(train.distribution).argmax(axis=1))
    coloured = train_on(in_colour(network), pixels(train.images), labels, epochs=EPOCHS, seed=0)
    values = {**measure(coloured, test), "epochs": epochs}
    answers = lrp.scores(coloured, pixels(test.images)).argmax(1).numpy()
    values["accuracy"] = float((answers == np.asarray(test.distribution).argmax(axis=1)).mean())
    values["cpu_seconds"] = round(time.process_time() - start)
    drawn = datasets.load("synthetic", count=10)
    settings = {"start": photographs.RUN, "train": TRAIN, "test": TEST, "trained_on": EPOCHS}
    return records.write(RECORDS["synthetic"], values, faces=drawn, module=__file__, **settings)
