"""A released network made ready for anybody's photographs: detector, alignment, temperature, note, regressor.

>>> import numpy as np
>>> from ferbook.photos.reader import load_model
>>> model = load_model("compact-ferplus")
>>> model.answer(np.zeros((2, 48, 48), dtype=np.uint8)).probabilities.shape
(2, 8)
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import nn

from ferbook.core.errors import ConfigError
from ferbook.learning import calibration, trained
from ferbook.learning.calibration import Calibration
from ferbook.papers.vad import readout
from ferbook.papers.vad.readout import Readout
from ferbook.photos.pictures import Picture
from ferbook.vision import detection
from ferbook.vision.detection import Detections
from ferbook.vision.resampling import planes

#: The network that is asked where nobody names another.
DEFAULT = "compact-ferplus"
#: Side of what the network sees, in pixels.
SIDE = 48
#: Side of the smallest face looked for, in pixels of a picture that is at most ``pictures.LONGEST`` long.
SMALLEST = 40


class Answers(NamedTuple):
    """What a network says of N faces.

    probabilities: (N, 8), how likely each emotion is the one that most of ten people name.
    shares: (N, 8), the share of ten people's votes that each would get.
    complexity: (N,), how many emotions ten people would name.
    disagree: (N,) bool, whether they are expected to disagree.
    vad: (N, 3), valence, arousal, dominance in [-1, 1].
    """

    probabilities: np.ndarray
    shares: np.ndarray
    complexity: np.ndarray
    disagree: np.ndarray
    vad: np.ndarray


class Seen(NamedTuple):
    """The faces of one photograph, the largest first.

    found: boxes and landmarks in pixels of the photograph itself, upright.
    faces: uint8 (F, 48, 48), cut out and aligned.
    """

    found: Detections
    faces: np.ndarray


@dataclass(frozen=True, eq=False)
class Model:
    """A released network with everything that its answers need. See :func:`load_model`.

    Parameters
    ----------
    name: of the release.
    mark: name and a hash of the weights, which tables hold: answers of other weights are other answers.
    network: takes (N, 1, 48, 48) in [0, 1].
    mirror: whether the mirror image is asked too.
    calibration, readout: of its logits.
    """

    name: str
    mark: str
    network: nn.Module
    mirror: bool
    calibration: Calibration
    readout: Readout

    def answer(self, faces: np.ndarray) -> Answers:
        """What the network says of uint8 grey faces (N, 48, 48), cropped as FER2013's are."""
        faces = np.asarray(faces)
        if faces.dtype != np.uint8 or faces.ndim != 3 or faces.shape[1:] != (SIDE, SIDE):
            raise ValueError(f"faces must be uint8 (N, {SIDE}, {SIDE}), not {faces.dtype} {faces.shape}")
        if not len(faces):
            return Answers(*(np.empty((0, *s)) for s in ((8,), (8,), ())), np.empty(0, bool), np.empty((0, 3)))
        logits = trained.logits(self.network, faces, mirror=self.mirror).numpy()
        shares = calibration.softmax(logits)
        complexity = calibration.expected_complexity(shares)
        return Answers(
            calibration.softmax(logits, self.calibration.temperature),
            shares,
            complexity,
            complexity >= self.calibration.disagree_above,
            self.readout(shares),
        )

    def see(self, picture: Picture) -> Seen:
        """Find, cut out and align the faces of a photograph.

        A picture in which none is found is looked at again as a face set's is: enlarged, and with a frame around it,
        since a crop as tight as FER2013's leaves no room for a detector's box.
        """
        grey = np.asarray(Image.fromarray(picture.pixels).convert("L"))
        found = detection.detect_all(picture.pixels, smallest=SMALLEST)
        if not len(found):
            again = detection.detect(grey[None])
            found = again if again.found.all() else found
        faces = np.concatenate([detection.align(grey[None], at[None], SIDE)[0] for at in found.landmarks] or [_NO_FACE])
        scale = picture.scale
        placed = Detections(
            found.ids,
            ((found.boxes + 0.5) * np.tile(scale, 2) - 0.5).astype(np.float32),
            found.probability,
            ((found.landmarks + 0.5) * scale - 0.5).astype(np.float32),
        )
        return Seen(placed, faces)

    def explain(self, faces: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Relevance of every pixel for one emotion per face, by layer-wise relevance propagation: (N, 48, 48).

        Parameters
        ----------
        faces: as :meth:`answer` takes them.
        targets: (N,) index of the emotion.

        Returns
        -------
        float32, in units of the logit, which each face's pixels add up to except for what biases hold. Where the mirror
        image is asked too, the mean of both, turned back.
        """
        from ferbook.relevance import lrp

        if not len(faces):
            return np.empty((0, SIDE, SIDE), np.float32)
        pixels = planes(faces) / 255
        wanted = torch.from_numpy(np.asarray(targets, dtype=np.int64))
        found = lrp.relevance(self._in_layers, pixels, wanted, COMPOSITE)
        if self.mirror:
            found = (found + lrp.relevance(self._in_layers, pixels.flip(3), wanted, COMPOSITE).flip(3)) / 2
        return found[:, 0].numpy()

    @cached_property
    def _in_layers(self) -> nn.Module:
        from ferbook.relevance import residual

        return residual.in_layers(self.network)


#: The rules of ``explain``: positive contributions alone, and in the first layer the range of pixels.
COMPOSITE = "z_plus_box"
_NO_FACE = np.empty((0, SIDE, SIDE), np.uint8)


def load_model(name: str = DEFAULT, folder: Path | None = None) -> Model:
    """A released network, ready to be asked.

    Parameters
    ----------
    name: one of ``trained.RELEASED``.
    folder: of its files; default ``data/weights``.

    Raises
    ------
    ConfigError: if there is no such release.
    DataError: if a file of it is missing or broken.
    """
    if name not in trained.RELEASED:
        raise ConfigError("model", f"there is no {name!r}", f"Released are: {', '.join(trained.RELEASED)}.")
    network, config = trained.released(name, folder), trained.config_of(name, folder)
    mark = f"{name}@{calibration.weights_mark(name, folder)[:8]}"
    network = network.to(memory_format=torch.channels_last)
    return Model(name, mark, network, config.mirror, calibration.of(name, folder), readout.of(name, folder))
