"""What a training run is: one checked description, whose hash names the run's folder.

Two runs with the same description and the same data are the same run.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ferbook.core import bounded_files
from ferbook.core.errors import ConfigError
from ferbook.faces.emotions import EMOTIONS, VAD_AXES


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Data(_Part):
    """Which faces: a registered data set and its reader's options.

    Parameters
    ----------
    aligned: turn, move and scale every face so that eyes, nose and mouth lie where they lie on an average face
        (paper 002, section 3.6.2); a face without landmarks stays as it is.
    detector: who finds the landmarks, for alignment and adaptive copies (:mod:`ferbook.vision.detectors`); ``dlib``,
        which paper 002 used, is an extra, and its table of the whole data set has to be made before.
    """

    name: str = "synthetic"
    options: dict[str, Any] = Field(default_factory=dict)
    aligned: bool = False
    detector: Literal["mtcnn", "dlib"] = "mtcnn"


class Labels(_Part):
    """Which labels: votes cleaned by a rule of paper 002, then reduced to at most `n_hot` emotions for training.

    Validation and test labels are never reduced.

    Parameters
    ----------
    source: ``votes``, or ``truth``, what the data set itself says of each face and needs no cleaning: the known mixture
        of a synthetic face, an annotated category.
    cleaning, limit: as in :func:`ferbook.faces.labels.clean_votes`.
    n_hot: as in :func:`ferbook.faces.labels.n_hot`.
    present: for ``task: multilabel``, the share of a face's distribution from which on an emotion is present.
    repeat: oversampling: how many times an epoch shows a training face with that emotion, the most of its emotions.
    vad: for ``task: vad``, where valence, arousal and dominance come from: ``annotated``, or ``points``, a guess: the
        mean of the points of the emotion words (``emotions.VAD_POINTS``), weighted by the face's distribution.
    """

    source: Literal["votes", "truth"] = "votes"
    cleaning: Literal["sum", "either"] = "sum"
    limit: int = Field(3, ge=0)
    n_hot: int = Field(8, ge=1, le=8)
    present: float = Field(0.2, gt=0, le=1)
    repeat: dict[Literal[EMOTIONS], Annotated[int, Field(ge=1, le=100)]] = Field(default_factory=dict)
    vad: Literal["annotated", "points"] = "annotated"


class Test(_Part):
    """Another data set, all of whose faces test; no training face has the same picture as one of them."""

    data: Data
    labels: Labels = Labels()


class Split(_Part):
    """Which faces train: the data set's own parts, one of paper 002's two test sets with its frozen ids, or folds.

    But for the data set's own parts, `valid_share` of the training faces are held out to choose the epoch on.

    Parameters
    ----------
    kind: ``folds``: all faces, shared out to `folds` label-balanced folds, of which number `fold` tests (paper 000,
        section 2.3; :mod:`ferbook.faces.folds`).
    at_most: training faces, drawn with a fixed seed; 0: all of them.
    """

    kind: Literal["official", "ordinary", "complex", "folds"] = "official"
    fold: int = Field(0, ge=0)
    folds: int = Field(5, ge=2)
    valid_share: float = Field(0.1, gt=0, lt=0.5)
    at_most: int = Field(0, ge=0)


class Model(_Part):
    """Which network (``ferbook.models``), its options, and its first weights: a file, ``imagenet`` or ``faces``."""

    name: str = "compact"
    options: dict[str, Any] = Field(default_factory=dict)
    weights: str | None = None


class Optimiser(_Part):
    """Adam, AdamW or SGD with momentum."""

    name: Literal["adam", "adamw", "sgd"] = "adamw"
    lr: float = Field(1e-3, gt=0)
    weight_decay: float = Field(0.0, ge=0)
    momentum: float = Field(0.9, ge=0, lt=1)


class Schedule(_Part):
    """How the learning rate changes: not at all, once up and down over all steps, or times `factor` each epoch.

    With ``one_cycle``, Adam's first beta goes the other way, from 0.95 to 0.85 and back, as its author proposes;
    ``sgd`` keeps its momentum.
    """

    name: Literal["constant", "one_cycle", "exponential"] = "constant"
    factor: float = Field(0.9, gt=0, le=1)


class Copies(_Part):
    """Copies of the training faces that are appended to them, as paper 002 has it (section 3.6.1); none by default.

    Parameters
    ----------
    kind: ``ordinary``: every face also mirrored and turned by `angle` degrees both ways; ``adaptive``: without the
        copies that section 5.3.2 takes to be useless, by the tilt of the eyes.
    x1, x2: tilts in degrees: up to `x1` a face is not mirrored, beyond `x2` not turned any further.
    """

    kind: Literal["none", "ordinary", "adaptive"] = "none"
    angle: float = Field(20.0, gt=0, le=90)
    x1: float = Field(5.0, ge=0)
    x2: float = Field(15.0, gt=0)


class Early(_Part):
    """Smaller images for the first part of training: `side` pixels for `share` of the epochs; 0: never.

    Coarse shapes are learned first, and cheaper on fewer pixels.
    """

    side: int = Field(32, ge=8)
    share: float = Field(0.0, ge=0, lt=1)


class Vad(_Part):
    """What ``task: vad`` learns beside the category, and by which joint loss (papers 003 and 004).

    Parameters
    ----------
    axes: which of valence, arousal and dominance: 003 pairs the category with each alone, and with all.
    consistency: cost of values that contradict the category: as printed in ``equations`` or ``table``, which have no
        gradient, or ``soft`` (:mod:`ferbook.learning.consistency`).
    weight: the papers' lambda.
    temperature: of the soft cost, in units of the axes.
    orthogonality: weight of the regulariser on the first convolution of every residual block and on 1 x 1 shortcuts
        (:mod:`ferbook.learning.orthogonality`); 0: none.
    broadcast_bug: regress as the authors' code does, predictions (N, 1) against targets (N,).
    classify: whether the category is learned at all; without it there is nothing to be consistent with.
    """

    axes: tuple[Literal[VAD_AXES], ...] = VAD_AXES
    consistency: Literal["none", "equations", "table", "soft"] = "none"
    weight: float = Field(1.0, ge=0)
    temperature: float = Field(0.1, gt=0)
    orthogonality: float = Field(0.0, ge=0)
    broadcast_bug: bool = False
    classify: bool = True

    @model_validator(mode="after")
    def _consistent(self) -> Vad:
        if not self.axes or len(set(self.axes)) < len(self.axes):
            raise ValueError(f"axes must be different ones of {', '.join(VAD_AXES)}")
        if self.consistency != "none" and not self.classify:
            raise ValueError("without a category there is nothing to be consistent with: leave out consistency")
        return self


class Config(_Part):
    """One training run.

    Parameters
    ----------
    task: what is learned: a distribution over emotions (paper 002), which emotions are present (paper 000), or ``vad``,
        a category together with valence, arousal and dominance (papers 003 and 004), by the loss that `vad` describes.
    test: another data set that tests in place of this one's own test faces.
    augmentation: steps of :func:`ferbook.vision.augment.build`.
    choose_on: the part whose accuracy chooses the epoch. ``test`` is what some papers did; such a result says so.
        ``last`` keeps the last epoch, and no face is held out to choose on.
    test_curve: also test after every epoch, to show what choosing on the test set would have given.
    start: another run, whose chosen weights this one begins with; it is run first if the store does not have it.
    precision: ``auto`` is bfloat16 where the processor computes in it, else 32 bits.
    compile: let torch.compile fuse the network's operations, where a C++ compiler is at hand; costs some seconds once.
        On a GPU longer runs are fused in any case.
    ema: decay of a running average of the weights, which is what is judged and kept; 0: the weights themselves.
    mirror: judge by the mean of the scores of a face and of its mirror image.
    """

    #: Part of every hash; raised when a default or a meaning changes, so that old results are not taken for new ones.
    VERSION: ClassVar[int] = 1

    task: Literal["distribution", "multilabel", "vad"] = "distribution"
    data: Data = Data()
    labels: Labels = Labels()
    split: Split = Split()
    test: Test | None = None
    vad: Vad = Vad()
    model: Model = Model()
    loss: str = "cross_entropy"
    copies: Copies = Copies()
    augmentation: tuple[dict[str, Any], ...] = ()
    start: Config | None = None
    optimiser: Optimiser = Optimiser()
    schedule: Schedule = Schedule()
    epochs: int = Field(10, ge=1)
    batch: int = Field(128, ge=1)
    early: Early = Early()
    precision: Literal["auto", "32", "bf16"] = "auto"
    compile: bool = False
    ema: float = Field(0.0, ge=0, lt=1)
    mirror: bool = False
    seed: int = Field(0, ge=0)
    choose_on: Literal["valid", "test", "last"] = "valid"
    test_curve: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> Config:
        if self.choose_on == "test" and not self.test_curve:
            raise ValueError("choosing on the test set needs its curve: set test_curve")
        if self.copies.kind != "none" and self.labels.repeat:
            raise ValueError("copies and labels.repeat both say which faces an epoch shows: leave one out")
        if self.copies.kind == "adaptive" and self.data.aligned:
            raise ValueError("adaptive copies go by the tilt of the eyes, and aligned faces have none")
        if self.data.detector != "mtcnn" and not self.data.aligned and self.copies.kind != "adaptive":
            raise ValueError(
                "data.detector finds landmarks, and nothing asks for them: set data.aligned, or leave it out"
            )
        if self.copies.kind == "adaptive" and self.copies.x1 >= self.copies.x2:
            raise ValueError("copies.x1 must be smaller than copies.x2")
        if self.start is not None and self.model.weights is not None:
            raise ValueError("start and model.weights both name the first weights: leave one out")
        if self.task != "vad" and self.vad != Vad():
            raise ValueError("vad is the loss of the task vad: leave it out, or set task")
        return self

    @property
    def hash(self) -> str:
        """First 16 hex digits of the sha256 over ``VERSION`` and what differs from the defaults.

        A new field with a default therefore leaves older runs their names.
        """
        told = json.dumps([self.VERSION, self.model_dump(mode="json", exclude_defaults=True)], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()[:16]


def parse(content: object) -> Config:
    """A config from plain data.

    Raises
    ------
    ConfigError: naming the field and what is wrong with it.
    """
    try:
        return Config.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "config"
        raise ConfigError(field, f"{first['msg']} (given: {first.get('input')!r})") from None


def read(path: Path) -> Config:
    """A config from a JSON file. Raises ConfigError, also for a file that is missing or not JSON."""
    try:
        return parse(bounded_files.read_json(path))
    except FileNotFoundError:
        raise ConfigError("config", f"there is no file {path}") from None
    except ValueError as error:
        raise ConfigError("config", f"{path} is not JSON ({error})") from None
