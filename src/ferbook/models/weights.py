"""Weights on disk, and torchvision's ImageNet weights on request.

Files are safetensors: plain tensors, nothing that could run code. ImageNet weights are fetched only when they are asked
for by name; torch's cache keeps them, and its reader is told to accept tensors only.
"""

import pickle
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ferbook.core import paths
from ferbook.core.errors import ConfigError, DataError, FerbookError
from ferbook.models import efficientnet_lite, face_resnet

# What torchvision calls the layers after the features.
_CLASSIFIERS = ("fc.", "classifier.")


def save_weights(model: nn.Module, path: str | Path, metadata: Mapping[str, str] | None = None) -> Path:
    """Write all tensors of a network, batch-norm's statistics included; the whole file or none.

    Parameters
    ----------
    model: on any device, in any memory format.
    path: ends in ``.safetensors``; folders are made, an older file is replaced.
    metadata: short notes for the file's header, such as the name and options it was built with.

    Raises
    ------
    ConfigError: if the path ends otherwise.
    """
    path = Path(path)
    if path.suffix != ".safetensors":
        raise ConfigError("path", f"{str(path)!r} does not end in .safetensors", "Weights are kept in no other format.")
    state: dict[str, Tensor] = {}
    storages: set[int] = set()
    for name, tensor in model.state_dict().items():
        value = tensor.detach().cpu().contiguous()
        # The format refuses tensors that share memory: a tied one is written under each of its names.
        if value.untyped_storage().data_ptr() in storages:
            value = value.clone()
        storages.add(value.untyped_storage().data_ptr())
        state[name] = value
    with paths.replacing(path) as staging:
        save_file(state, staging, {"format": "pt", **(metadata or {})})
    return path


def load_weights(
    model: nn.Module, path: str | Path, skip: Sequence[str] = (), outputs: Sequence[int | None] | None = None
) -> None:
    """Fill a network with the tensors of a safetensors file; nothing is changed unless everything fits.

    Parameters
    ----------
    model: filled in place; values are converted to its types and devices.
    path: the file.
    skip: prefixes of tensor names to leave alone, in the network and in the file. To give only a trunk the weights of
        a face-recognition network: ``load_weights(model.trunk, path, skip=["fc."])``.
    outputs: for a network of other outputs than the file's: per output, which one of the file's it takes; None: it
        stays as it is.

    Raises
    ------
    DataError: if the file is missing or unreadable, or its tensors are not exactly the network's.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError("there is no such file", path, hint="Weights are written by save_weights.")
    try:
        given = load_file(path)
    except (SafetensorError, OSError) as error:
        raise DataError(f"it is not a readable safetensors file ({error})", path, hint="Write it anew.") from error
    prefixes = tuple(skip)
    given = {name: tensor for name, tensor in given.items() if not name.startswith(prefixes)}
    own = {name: tensor for name, tensor in model.state_dict().items() if not name.startswith(prefixes)}
    if outputs is not None:
        given |= {name: _rows(tensor, given[name], outputs) for name, tensor in own.items() if name in given}
    problems = differences(own, given) or _unusable(own, given)
    if problems:
        hint = "Build the network with the name, num_classes, in_channels and options that it was saved with."
        raise DataError(f"it does not fit {type(model).__name__}: {problems}", path, hint=hint)
    _fill(own, given)


def _rows(own: Tensor, given: Tensor, outputs: Sequence[int | None]) -> Tensor:
    """The file's tensor as it is; of the last layer, which has one row per output, the rows that are asked for."""
    most = max(row for row in outputs if row is not None)
    if not own.ndim or len(own) != len(outputs) or own.shape[1:] != given.shape[1:] or len(given) <= most:
        return given
    kept = own.detach().cpu()
    return torch.stack([kept[place] if row is None else given[row] for place, row in enumerate(outputs)])


def _unusable(own: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> str:
    """Tensors of the right shape that cannot be weights: whole numbers in place of others, or values that are none."""
    for name, tensor in given.items():
        if tensor.is_floating_point() != own[name].is_floating_point():
            return f"{name} is of type {str(tensor.dtype).removeprefix('torch.')}"
        if not torch.isfinite(tensor).all():
            return f"{name} holds values that are not finite numbers"
    return ""


def differences(own: Mapping[str, Tensor], given: Mapping[str, Tensor], most: int = 4) -> str:
    """How the names and shapes of two sets of tensors differ, up to `most` of each kind; empty if they do not."""
    shapes = [
        f"{name} {tuple(given[name].shape)} instead of {tuple(own[name].shape)}"
        for name in own
        if name in given and own[name].shape != given[name].shape
    ]
    kinds = {
        "missing": [name for name in own if name not in given],
        "unexpected": [name for name in given if name not in own],
        "misshaped": shapes,
    }
    return "; ".join(
        f"{kind}: {', '.join(names[:most])}" + (f" and {len(names) - most} more" if len(names) > most else "")
        for kind, names in kinds.items()
        if names
    )


def load_imagenet(model: nn.Module, name: str, trunk: str = "", fresh: Sequence[str] = ()) -> None:
    """Fill a network with the ImageNet weights of the network `name`, as far as it has them.

    Parameters
    ----------
    model: filled in place. If its first kernel has one channel, it gets the sum over the three.
    name: as in ``torchvision.models``, of which IMAGENET1K_V1 is taken; "packaged": EfficientNet-Lite0's.
    trunk: prefix of torchvision's tensors within the network.
    fresh: prefixes of torchvision's tensors to leave out. A classifier's are left out where they do not fit; every
        other one has to have its place.

    Raises
    ------
    FerbookError: if the weights are not in torch's cache and cannot be fetched, or do not fit.
    """
    own = model.state_dict()
    state = efficientnet_lite.packaged_state(own) if name == "packaged" else imagenet_state(name)
    given = {}
    for key, value in state.items():
        place = own.get(trunk + key)
        fits = place is not None and place.shape == value.shape
        if key.startswith(tuple(fresh)) or (key.startswith(_CLASSIFIERS) and not fits):
            continue
        grey = place is not None and value.ndim == 4 and value.shape[1] == 3 and place.shape[1] == 1
        given[trunk + key] = value.sum(1, keepdim=True) if grey else value
    own = {key: value for key, value in own.items() if key in given}
    problems = differences(own, given)
    if problems:
        raise FerbookError(f"the ImageNet weights of {name} do not fit {type(model).__name__}: {problems}.")
    _fill(own, given)


def load_faces(model: nn.Module) -> None:
    """Fill a :class:`~ferbook.models.face_resnet.FaceResNet`, but for its classifier, with dlib's weights.

    Raises
    ------
    FerbookError: if their package is not installed.
    DataError: if its file is not the one that was checked.
    """
    given = face_resnet.packaged_state(model)
    own = model.state_dict()
    _fill({name: own[name] for name in given}, given)


def imagenet_state(name: str) -> dict[str, Tensor]:
    """torchvision's IMAGENET1K_V1 tensors of the network `name`, from torch's cache or by download.

    Raises
    ------
    FerbookError: if they cannot be had.
    """
    from torchvision.models import get_model_weights

    url = get_model_weights(name)["IMAGENET1K_V1"].url
    cache = Path(torch.hub.get_dir()) / "checkpoints"
    try:
        state = torch.hub.load_state_dict_from_url(url, map_location="cpu", check_hash=True, weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise FerbookError(
            f"the ImageNet weights of {name} could not be had from {url} ({error}). Without a network, put that file "
            f"into {cache} (if it lies there, it is broken: delete it), or give a .safetensors file of your own."
        ) from error
    # Files of DenseNets are older than torch's rule that a module's name has no dot.
    return {re.sub(r"\.(norm|conv)\.([12])\.", r".\1\2.", key): value for key, value in state.items()}


@torch.no_grad()
def _fill(own: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> None:
    """Copy values into the tensors of a state dict, which are the network's own."""
    for name, tensor in own.items():
        tensor.copy_(given[name])
