"""VGG16 trained on FER+ by this book's engine: what it confuses, how it is ranked, and what the ranks follow.

The run is ``vgg16/seed0`` of ``data/sweeps/001.yml``. Its weights stay where it was trained; what is kept of it are the
run's own record, and the one that :func:`record` writes.
"""

import time
from pathlib import Path

import torch
from sklearn.metrics import confusion_matrix
from torch import nn

from ferbook.core import records
from ferbook.core.errors import DataError
from ferbook.faces.emotions import EMOTIONS
from ferbook.faces.faceset import FaceSet
from ferbook.learning import sweeps, trained
from ferbook.measures import metrics
from ferbook.relevance import intensity, lrp, networks, pictures
from ferbook.relevance.head import pixels

#: The record, and the run that it is about.
RECORD = "001/vgg16-ferplus"
RUN = "001/vgg16/seed0"
#: Faces on which conservation is checked, and in which composites: not epsilon, which divides by what is near zero.
CHECKED = 64
CONSERVING: tuple[str, ...] = (*(name for name in lrp.COMPOSITES if name != "epsilon"), *lrp.BOXED)
#: By how much the accuracy found here may differ from the run's own.
SLACK = 0.005


def vgg16(store: Path | None = None) -> nn.Sequential:
    """The run's network at its best epoch, as layers in a row; takes grey 48-pixel faces (N, 1, 48, 48) in [0, 1].

    Parameters
    ----------
    store: folder of runs; default ``_build/runs``.

    Raises
    ------
    DataError: if the run was not made here.
    """
    return networks.in_a_row(trained.network(sweeps.read_config(RUN), store))


def measure(
    network: nn.Sequential, faces: FaceSet, composites: tuple[str, ...] = intensity.COMPOSITES
) -> dict[str, object]:
    """Confusion matrix, ranks and correlations on faces with votes.

    Parameters
    ----------
    network: from :func:`vgg16`, or another that takes such faces.
    faces: from :func:`ferbook.relevance.pictures.voted`.
    composites: of the relevance.

    Returns
    -------
    dict: ``accuracy``, tie-aware; ``confusion`` (8, 8), rows true; ``trained``, what :func:`intensity.compare` finds
    on the correctly named faces; ``conserved``, per composite the least and the greatest share of the logit that
    reaches the pixels.
    """
    test = intensity.Faces.of(faces, pixels)
    predicted = lrp.scores(network, test.images).argmax(1)
    right = test.where((predicted == test.labels).numpy())
    images, labels = right.images[:CHECKED], right.labels[:CHECKED]
    logits = lrp.scores(network, images)
    shares = {name: lrp.conserved(lrp.relevance(network, images, labels, name), logits, labels) for name in CONSERVING}
    return {
        "accuracy": metrics.tie_aware_accuracy(predicted.numpy(), faces.distribution),
        "faces": len(faces),
        "confusion": confusion_matrix(test.labels, predicted, labels=range(len(EMOTIONS))).tolist(),
        "trained": intensity.compare(network, test, composites=composites),
        "conserved": {name: [float(share.min()), float(share.max())] for name, share in shares.items()},
    }


def record(faces: FaceSet, store: Path | None = None) -> Path:
    """Measure the run on FER+'s test faces and write it to ``data/recorded``; returns where.

    Parameters
    ----------
    faces: the complete FER+.
    store: as in :func:`vgg16`.

    Raises
    ------
    DataError: if the run was not made here, or its network does not answer as it did in the run.
    """
    start = time.process_time()
    values = measure(vgg16(store), pictures.voted(faces, "test"))
    place = sweeps.record_path(*RUN.split("/", 1))
    recorded = sweeps.read(place).metrics["test_accuracy"]
    if abs(values["accuracy"] - recorded) > SLACK:
        problem = f"says {recorded:.1%} of the test faces, but the run's weights name {values['accuracy']:.1%}"
        raise DataError(problem, place, hint="Train it anew.")
    values["cpu_seconds"] = round(time.process_time() - start)
    return records.write(RECORD, values, faces=faces, module=__file__, run=RUN, threads=torch.get_num_threads())
