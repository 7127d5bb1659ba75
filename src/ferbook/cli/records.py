"""What ``ferbook record`` measures on the complete data and writes to ``data/recorded``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from ferbook.core.errors import FerbookError

if TYPE_CHECKING:
    from ferbook.faces.faceset import FaceSet


def _complete_ferplus(root: str | None) -> FaceSet:
    from ferbook import datasets
    from ferbook.datasets import ferplus

    faces = datasets.load("ferplus", root)
    if not ferplus.is_official(faces):
        raise FerbookError("only the complete FER+ release is recorded; this is something else.")
    return faces


def _ferplus_at_hand(root: str | None) -> list[tuple[FaceSet]]:
    from ferbook import datasets

    return [(_complete_ferplus(root),)] if datasets.is_available("ferplus", root) else []


def _released(root: str | None) -> list[tuple[str, FaceSet]]:
    from ferbook.learning import trained

    faces = _complete_ferplus(root)
    return [(name, faces) for name in trained.RELEASED]


def _released_annotated(root: str | None) -> list[tuple[str, FaceSet]]:
    from ferbook import datasets
    from ferbook.learning import trained

    faces = datasets.load("vad_fer2013", root, images="ferplus")
    return [(name, faces) for name in trained.RELEASED]


#: What a recording function may be given, each a list of arguments for one call: nothing, the folder of the data sets,
#: FER+, or each released network with faces.
_GIVEN: Mapping[str, Callable[[str | None], list[tuple[object, ...]]]] = {
    "nothing": lambda root: [()],
    "root": lambda root: [(root,)],
    "FER+": lambda root: [(_complete_ferplus(root),)],
    "FER+ at hand": _ferplus_at_hand,
    "released": _released,
    "released, annotated": _released_annotated,
}

#: What ``ferbook record`` can record: the functions below ``ferbook`` that write it, in order, and what each is given.
RECORDS: Mapping[str, Mapping[str, str]] = {
    "calibration": {"learning.calibration:record": "released"},
    "labels": {
        "claims.dataset_summary:record_splits": "FER+",
        "claims.dataset_summary:record_table": "root",
        "claims.dataset_summary:record": "FER+",
    },
    "single-label": {"papers.nhot.single_label:record": "root"},
    "minor-votes": {"papers.nhot.minor_votes:record": "FER+"},
    "detection": {"vision.finding:record": "FER+"},
    # Looks for all faces with dlib (the extra of that name): one to two hours on one core; killed, it goes on.
    "detectors": {"vision.agreement:record": "FER+"},
    "difficulty": {"vision.difficulty:record": "nothing"},
    "relevance": {
        "relevance.intensity:record": "nothing",
        "papers.relevance.rank_scores:record": "nothing",
        "relevance.intensity:record_voted": "FER+ at hand",
    },
    # How fast relevance of VGG16 is here, and below, training and detection; leave the machine alone meanwhile.
    "relevance-speed": {"relevance.benchmark:record": "nothing"},
    # VGG16 on FER+, which `ferbook sweep 001` trains.
    "relevance-vgg16": {"relevance.photographs:record": "FER+", "relevance.maps:record": "FER+"},
    "relevance-occlusion": {"relevance.occlusion:record": "FER+"},
    # Paper 000's runs, which `ferbook sweep 000` trains.
    "multilabel": {"papers.cbam.record:record_labels": "FER+", "papers.cbam.record:record_curves": "FER+"},
    "released": {"photos.shipped:record": "released"},
    # Installs other tools under _build/peers and needs npm for one.
    "peers": {"photos.peers:record": "FER+"},
    "memory": {"papers.nhot.memory_need:record": "nothing"},
    "training": {"book.bench:record_training": "nothing"},
    "fourfold-epoch": {"book.bench:record_fourfold": "nothing"},
    "gradients": {"book.bench:record_gradients": "nothing"},
    "training-profile": {"book.bench:record_profile": "nothing"},
    "detection-speed": {"book.bench:record_detection": "nothing"},
    # How many pictures each described run shows, which its cost is counted from.
    "run-sizes": {"learning.cost:record": "nothing"},
    "annotations": {"papers.vad.annotated:record": "root"},
    "first-release": {"papers.vad.annotated:record_first_release": "root"},
    # Paper 003's runs, which `ferbook sweep 003` trains.
    "orthogonality": {"papers.vad.independence:record": "root"},
    "vad": {"papers.vad.ablation:record": "root"},
    # Takes times, like the benchmarks above; one minute.
    "one-model": {"papers.vad.one_model:record": "nothing"},
    "outcomes": {"papers.outcomes.record:record": "root"},
    "descriptions": {"papers.vad.descriptions:record": "root"},
    "vad-readout": {"papers.vad.readout:record": "released, annotated"},
}


def record(what: str, root: str | None) -> Path:
    """Measure one of ``RECORDS`` and write it; says where.

    Parameters
    ----------
    root: folder of FER+; None for the usual one.
    """
    written = Path()
    for function, given in RECORDS[what].items():
        module, _, name = function.partition(":")
        for arguments in _GIVEN[given](root):
            written = getattr(import_module(f"ferbook.{module}"), name)(*arguments)
    return written
