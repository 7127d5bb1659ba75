"""A claim as its file states it: what the paper says, where, of which training, and within which tolerance.

Nothing here imports torch.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

#: What a check may return: a number, a truth value, or a short text that is compared as it is.
Value = float | int | bool | str


class Verdict(StrEnum):
    """What became of a claim."""

    HOLDS = "holds"
    ROUGHLY = "holds roughly"
    FAILS = "fails"
    CONTRADICTS = "contradicts itself"
    UNCHECKED = "not checkable here"
    #: Something was found, but by another network, loss or training than the claim is about.
    STAND_IN = "not checkable here (stand-in)"


class Evidence(StrEnum):
    """What a verdict rests on, strongest first."""

    ARITHMETIC = "arithmetic"
    #: What somebody else has published, as the size of a data set; nothing was computed.
    PUBLISHED = "published source"
    SAME_DATA = "same data"
    OTHER_DATA = "other data"
    SYNTHETIC = "synthetic"


#: In place of evidence where a check found nothing to compare.
NO_EVIDENCE = "none"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


#: Units in which "about" must not be a share of the value: of 86 % it would be points that no sentence means.
_SHARES = ("%", "points")


class Tolerance(_Strict):
    """How far from the printed value a measured one may lie: `holds` up to here, `holds roughly` up to there.

    Both are in the claim's own unit. Without them an accuracy whose test faces are known has
    :func:`ferbook.claims.comparison.accuracy_tolerance`, "about" allows shares of the printed value, and every other
    relation allows nothing beyond printed rounding.
    """

    holds: float = Field(ge=0)
    roughly: float = Field(ge=0)

    @model_validator(mode="after")
    def _ordered(self) -> Tolerance:
        if self.roughly < self.holds:
            raise ValueError("roughly must not be smaller than holds")
        return self


class Training(_Strict):
    """A network and how it is trained: what a claim is about, or what a check rests on.

    In a claim, a field that is left out is one that the claim does not name; it restricts nothing.
    """

    #: Names of ``ferbook.models``; a claim may name several that it says the same of.
    networks: tuple[str, ...] = ()
    #: Name of ``ferbook.learning.losses``; empty where several were compared.
    loss: str = ""
    epochs: int | None = Field(None, ge=1)
    #: How the test faces were chosen (``configs.Split.kind``); a claim may allow several.
    splits: tuple[str, ...] = ()
    #: Height and width in pixels of what the network sees.
    side: int | None = Field(None, ge=1)

    def departures(self, done: Training) -> list[str]:
        """How `done` departs from what this claim is about, in words; nothing where it may decide the claim.

        Half of the training length is enough; every other field has to be the same.
        """
        found = []
        if self.networks and not (done.networks and set(done.networks) <= set(self.networks)):
            found.append(f"{networks_named(done.networks)} instead of {networks_named(self.networks)}")
        if self.loss and done.loss != self.loss:
            found.append(f"{loss_name(done.loss) or 'several losses'} instead of {loss_name(self.loss)}")
        if self.epochs and (done.epochs or 0) < self.epochs / 2:
            found.append(f"{done.epochs or 'an unknown number of'} epochs instead of {self.epochs}")
        if self.splits and not (done.splits and set(done.splits) <= set(self.splits)):
            found.append(f"{tested_on(done.splits)} instead of {tested_on(self.splits)}")
        if self.side and done.side != self.side:
            found.append(f"{done.side or 'an unknown number of'} pixels a side instead of {self.side}")
        return found


#: What readers call networks whose names here are not that.
_NETWORKS = {
    "vgg16": "VGG16",
    "vgg16_48": "VGG16",
    "vgg16_frozen": "VGG16 with frozen convolutions",
    "ran": "RAN",
    "dan": "DAN",
    "mten": "MTEN",
    "resnet18": "ResNet-18",
    "resnet34": "ResNet-34",
    "cifar_resnet18": "ResNet-18",
    "vgg13": "VGG13",
    "vgg19": "VGG19",
    "resnet50": "ResNet-50",
    "resnet50_cbam": "ResNet-50 with CBAM",
    "resnet_cbam_48": "a narrow ResNet with CBAM",
    "densenet169": "DenseNet-169",
    "mobilenet": "MobileNet",
    "efficientnet_lite0": "EfficientNet-Lite0",
    "vad_shared": "one ResNet-18",
    "vad_separate": "four ResNet-18s",
}


def network_name(name: str) -> str:
    """What readers call a network of ``ferbook.models``."""
    return _NETWORKS.get(name, _words(name))


def networks_named(names: Iterable[str]) -> str:
    """Networks as readers call them, each once: ``VGG16 or RAN``."""
    return " or ".join(dict.fromkeys(map(network_name, names))) or "another"


_LOSSES = {"mse": "squared error", "cross_entropy": "cross-entropy", "binary_cross_entropy": "binary cross-entropy"}


def loss_name(name: str) -> str:
    """What readers call a loss of ``ferbook.learning``."""
    return _LOSSES.get(name, _words(name))


def tested_on(splits: Iterable[str]) -> str:
    """Test faces in words; those of cross-validation are all faces, part by part."""
    named = " or ".join(map(_words, splits))
    return "all faces in folds" if named == "folds" else f"{named or 'other'} test faces"


def _words(name: str) -> str:
    return name.replace("_", " ")


class Claim(_Strict):
    """One claim, as its file states it."""

    id: str = Field(pattern=r"^\d{3}-[a-z0-9-]+$")
    where: str = Field(min_length=1, description="where the paper prints it: section, figure, table, page")
    says: str = Field(min_length=1, description="the claim in our words")
    kind: Literal["arithmetic", "measured", "trained", "unsupported"]
    #: Who says it: the paper, or this book, whose own observations count for no paper.
    by: Literal["paper", "book"] = "paper"
    #: Whether it is one cell of a table or figure, of many alike; statements are counted apart from cells.
    cell: bool = False
    #: Whether an equation or a layout matters that was read from the text extracted from a PDF, which can lose signs.
    extracted: bool = False
    #: What a trained claim is about; a check whose training departs from it decides nothing.
    about: Training | None = None
    #: The printed value as text, so that its digits are known: "90", "0.75", "dropped"; "2 to 4" for ``between``.
    printed: str = Field(min_length=1)
    unit: str = ""
    relation: Literal["equals", "about", "at least", "at most", "more than", "less than", "between"] = "equals"
    tolerance: Tolerance | None = None
    #: For an accuracy in per cent, the number of test faces that it is a share of: it sets the tolerance.
    faces: int | None = Field(None, ge=1)
    check: str = Field(min_length=1)
    arguments: dict[str, Any] = Field(default_factory=dict)
    #: Whether the same number means something for another set of faces, so that a build without the data shows its own.
    general: bool = True
    #: Document and anchor where the book decides it, without a suffix.
    page: str = Field(pattern=r"^book/[a-z_/]+(#[a-z0-9-]+)?$")
    note: str = ""
    #: Why another printed value would get the same verdict; empty where it would not (see
    #: :mod:`ferbook.claims.mutation`).
    insensitive: str = ""

    @model_validator(mode="after")
    def _consistent(self) -> Claim:
        if self.kind == "trained" and self.about is None:
            raise ValueError("a trained claim says what it is about (network, loss, epochs, split), or `about: {}`")
        if self.relation == "about" and self.unit in _SHARES and self.tolerance is None and self.faces is None:
            raise ValueError('"about" so many per cent or points needs a tolerance, or the number of test faces')
        if self.faces is not None and (self.unit != "%" or self.tolerance is not None):
            raise ValueError("faces set the tolerance of an accuracy in %, in place of a tolerance of its own")
        if self.relation == "between":
            low, high = self.bounds
            if low >= high:
                raise ValueError("between needs a smaller and a larger number, as '2 to 4'")
        return self

    @property
    def bounds(self) -> tuple[float, float]:
        """The two ends of a printed range, "2 to 4". Raises ValueError where there are not two numbers."""
        low, high = map(float, self.printed.split(" to "))
        return low, high

    @property
    def stated(self) -> str:
        """The printed value after its relation, as a reader writes it: "between 2 and 4", "at least 1,000", "87.4"."""
        if self.relation == "between":
            return f"between {self.printed.replace(' to ', ' and ')}"
        return self.number if self.relation == "equals" else f"{self.relation} {self.number}"

    @property
    def number(self) -> str:
        """The printed value with a separator of thousands, where it has more than four digits."""
        return f"{int(self.printed):,}" if self.printed.isdigit() and len(self.printed) > 4 else self.printed

    @property
    def paper(self) -> str:
        """The paper's three digits."""
        return self.id[:3]

    @property
    def anchor(self) -> str:
        """Name of the place on its page that shows it and nothing else."""
        return f"claim-{self.id}"


#: Units whose singular is not the plural without its last letter.
_SINGULAR = {
    "accuracies": "accuracy",
    "axes": "axis",
    "classes": "class",
    "entries": "entry",
    "losses": "loss",
    "times": "times",
}


def with_unit(number: str, unit: str) -> str:
    """A number with its unit, which claims give in the plural, of one thing in the singular: ``about 1 point``."""
    words = unit.split(" ")
    if number.split(" ")[-1] == "1" and not unit.startswith("%"):
        # The noun is the first word, or the second, as in "training sets".
        place = next((place for place, word in enumerate(words[:2]) if re.fullmatch(r"[a-z]+[^s]s", word)), None)
        if place is not None:
            words[place] = _SINGULAR.get(words[place], words[place].removesuffix("s"))
    return " ".join([number, *words]).strip()


class ClaimFile(_Strict):
    """One paper's claims."""

    paper: str = Field(pattern=r"^\d{3}$")
    citation: str = Field(min_length=1)
    claims: tuple[Claim, ...]

    @model_validator(mode="after")
    def _consistent(self) -> ClaimFile:
        seen: set[str] = set()
        for claim in self.claims:
            if claim.paper != self.paper:
                raise ValueError(f"{claim.id} stands in the file of paper {self.paper}")
            if claim.id in seen:
                raise ValueError(f"{claim.id} stands twice")
            seen.add(claim.id)
        return self
