"""What the Python programs of this folder share: reading the faces, timing the calls, writing the answers."""

import json
import sys
import time
from collections.abc import Callable, Mapping

import numpy as np


def answer(predict: Callable[[np.ndarray], Mapping[str, float]]) -> None:
    """Ask the tool about every face and write what it says.

    Parameters
    ----------
    predict: takes a grey face, uint8 (48, 48); gives a score for each of the tool's labels.
    """
    source, count, target = sys.argv[1:]
    faces = np.fromfile(source, np.uint8).reshape(int(count), 48, 48)
    labels = list(predict(faces[0]))  # also warms up
    scores, seconds = [], []
    for face in faces:
        start = time.perf_counter()
        found = predict(face)
        seconds.append(time.perf_counter() - start)
        scores.append([float(found[label]) for label in labels])
    with open(target, "w") as stream:
        json.dump({"labels": labels, "scores": scores, "seconds": seconds}, stream)
