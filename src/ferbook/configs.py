"""What a training run is: one checked description, whose hash names the run's folder.

Two runs with the same description and the same data are the same run.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ferbook.errors import ConfigError


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Data(_Part):
    """Which faces: a registered data set and its reader's options."""

    name: str = "synthetic"
    options: dict[str, Any] = Field(default_factory=dict)


class Labels(_Part):
    """Which labels: votes cleaned by a rule of paper 002, then reduced to at most `n_hot` emotions for training.

    Validation and test labels are never reduced.
    """

    cleaning: Literal["sum", "either"] = "sum"
    limit: int = Field(3, ge=0)
    n_hot: int = Field(8, ge=1, le=8)


class Split(_Part):
    """Which faces train: the data set's own parts, or one of paper 002's two test sets with its frozen ids.

    With `ordinary` and `complex`, `valid_share` of the training faces are held out to choose the epoch on.
    """

    kind: Literal["official", "ordinary", "complex"] = "official"
    valid_share: float = Field(0.1, gt=0, lt=0.5)


class Model(_Part):
    """Which network (``ferbook.models``), its options, and the file of its start weights, if any."""

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
    """How the learning rate changes: not at all, once up and down over all steps, or times `factor` each epoch."""

    name: Literal["constant", "one_cycle", "exponential"] = "constant"
    factor: float = Field(0.9, gt=0, le=1)


class Config(_Part):
    """One training run.

    Parameters
    ----------
    augmentation: steps of :func:`ferbook.augment.build`.
    choose_on: the part whose accuracy chooses the epoch. ``test`` is what some papers did; such a result says so.
    test_curve: also test after every epoch, to show what choosing on the test set would have given.
    precision: ``auto`` is bfloat16 where the processor computes in it, else 32 bits.
    """

    data: Data = Data()
    labels: Labels = Labels()
    split: Split = Split()
    model: Model = Model()
    loss: str = "cross_entropy"
    augmentation: tuple[dict[str, Any], ...] = ()
    optimiser: Optimiser = Optimiser()
    schedule: Schedule = Schedule()
    epochs: int = Field(10, ge=1)
    batch: int = Field(128, ge=1)
    precision: Literal["auto", "32", "bf16"] = "auto"
    seed: int = Field(0, ge=0)
    choose_on: Literal["valid", "test"] = "valid"
    test_curve: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> Config:
        if self.choose_on == "test" and not self.test_curve:
            raise ValueError("choosing on the test set needs its curve: set test_curve")
        return self

    @property
    def hash(self) -> str:
        """First 16 hex digits of the sha256 over the description, defaults included."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]


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
        return parse(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise ConfigError("config", f"there is no file {path}") from None
    except json.JSONDecodeError as error:
        raise ConfigError("config", f"{path} is not JSON ({error})") from None
