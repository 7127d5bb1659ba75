"""What ``ferbook record`` measures on the complete data and writes to ``data/recorded``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ferbook.core.errors import FerbookError

if TYPE_CHECKING:
    from ferbook.faces.faceset import FaceSet


def _labels(root: str | None) -> Path:
    """Facts of FER+'s labels, and of its vote table where that is at hand; the ids of the test sets drawn from it."""
    from ferbook.claims import dataset_summary
    from ferbook.core import paths
    from ferbook.datasets import ferplus
    from ferbook.faces import splits
    from ferbook.faces.labels import clean_votes

    faces = _complete_ferplus(root)
    if (ferplus.find(root).folder / ferplus.VOTE_TABLE).is_file():
        dataset_summary.record_table(root)
    cleaned = clean_votes(faces.votes)
    ids = faces.ids[cleaned.keep]
    for name, split in dataset_summary.paper_splits(cleaned.distribution).items():
        splits.freeze(ids[split.test], paths.project_root() / "data" / "splits" / f"ferplus-{name}.csv")
    return dataset_summary.record(faces)


def _detection(root: str | None) -> Path:
    from ferbook.vision import finding

    return finding.record(_complete_ferplus(root))


def _difficulty(root: str | None) -> Path:
    from ferbook.vision import difficulty

    return difficulty.record()


def _training(root: str | None) -> Path:
    """How fast this machine trains; leave it alone meanwhile."""
    from ferbook.book import bench

    return bench.record_training()


def _complete_ferplus(root: str | None) -> FaceSet:
    from ferbook import datasets
    from ferbook.datasets import ferplus

    faces = datasets.load("ferplus", root)
    if not ferplus.is_official(faces):
        raise FerbookError("only the complete FER+ release is recorded; this is something else.")
    return faces


def _calibration(root: str | None) -> Path:
    """The temperature of the released network, beside its weights."""
    from ferbook.learning import calibration, trained

    faces = _complete_ferplus(root)
    return [calibration.record(name, faces) for name in trained.RELEASED][-1]


def _released(root: str | None) -> Path:
    """How good the released network is, by emotion and by how far the crowd agreed."""
    from ferbook.learning import trained
    from ferbook.photos import shipped

    faces = _complete_ferplus(root)
    return [shipped.record(name, faces) for name in trained.RELEASED][-1]


def _vad_readout(root: str | None) -> Path:
    """The regressor of V, A, D that goes with the released network, beside its weights."""
    from ferbook import datasets
    from ferbook.learning import trained
    from ferbook.papers.vad import readout

    faces = datasets.load("vad_fer2013", root, images="ferplus")
    return [readout.record(name, faces) for name in trained.RELEASED][-1]


def _relevance(root: str | None) -> Path:
    """Relevance and ranks against known intensity on synthetic faces, and against votes on FER+ where it is at hand."""
    from ferbook import datasets
    from ferbook.papers.relevance import rank_scores
    from ferbook.relevance import intensity

    intensity.record()
    path = rank_scores.record()
    return intensity.record_voted(_complete_ferplus(root)) if datasets.is_available("ferplus", root) else path


def _relevance_vgg16(root: str | None) -> Path:
    """The same for VGG16 on FER+, which ``ferbook sweep 001`` trains, and its maps."""
    from ferbook.relevance import maps, photographs

    faces = _complete_ferplus(root)
    path = photographs.record(faces)
    maps.record(faces)
    return path


def _relevance_speed(root: str | None) -> Path:
    """How fast relevance of VGG16 is here; leave the machine alone meanwhile."""
    from ferbook.relevance import benchmark

    return benchmark.record()


def _annotations(root: str | None) -> Path:
    """Facts of the annotated faces of papers 003 and 004, and of the authors' logs."""
    from ferbook.papers.vad import annotated

    return annotated.record(root)


def _first_release(root: str | None) -> Path:
    """What constants score on the labels that were public when paper 003 was."""
    from ferbook.papers.vad import annotated

    return annotated.record_first_release(root)


def _orthogonality(root: str | None) -> Path:
    """Learning with the orthogonality loss of papers 003 and 004, and without; goes on where it was interrupted."""
    from ferbook.papers.vad import independence

    return independence.record(root)


def _outcomes(root: str | None) -> Path:
    from ferbook.papers.outcomes import record

    return record.record(root)


def _vad(root: str | None) -> Path:
    """The ablation of papers 003 and 004 on the annotated faces; goes on where it was interrupted."""
    from ferbook.papers.vad import ablation as vad_ablation

    return vad_ablation.record(root)


def _multilabel(root: str | None) -> Path:
    """Labels and curves of paper 000's runs, which `ferbook sweep 000` trains."""
    from ferbook.papers.cbam import record as cbam_record

    faces = _complete_ferplus(root)
    cbam_record.record_labels(faces)
    return cbam_record.record_curves(faces)


def _peers(root: str | None) -> Path:
    """What other tools say of FER+'s test faces; installs them under _build/peers and needs npm for one."""
    from ferbook.photos import peers

    return peers.record(_complete_ferplus(root))


#: What ``ferbook record`` can record; each takes the folder of FER+, or None for the usual one, and says where it
#: wrote.
RECORDS: dict[str, Callable[[str | None], Path]] = {
    "calibration": _calibration,
    "labels": _labels,
    "detection": _detection,
    "difficulty": _difficulty,
    "relevance": _relevance,
    "relevance-speed": _relevance_speed,
    "relevance-vgg16": _relevance_vgg16,
    "multilabel": _multilabel,
    "released": _released,
    "peers": _peers,
    "training": _training,
    "annotations": _annotations,
    "first-release": _first_release,
    "orthogonality": _orthogonality,
    "outcomes": _outcomes,
    "vad": _vad,
    "vad-readout": _vad_readout,
}
