"""Networks after training: those of finished runs, and the one whose weights the book gives away with its model card.

>>> import numpy as np
>>> from ferbook.learning import trained
>>> network = trained.released("compact-ferplus")
>>> trained.logits(network, np.zeros((2, 48, 48), dtype=np.uint8), mirror=True).shape
torch.Size([2, 8])
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from ferbook import models
from ferbook.core import bounded_files, paths
from ferbook.core.errors import DataError
from ferbook.faces.emotions import EMOTIONS
from ferbook.learning import runs, sweeps
from ferbook.learning.configs import Config
from ferbook.learning.runs import RunResult

#: What is given away, and the recorded run that it comes from.
RELEASED: Mapping[str, str] = {"compact-ferplus": "002/long/seed0"}
#: A file for a repository: no larger than this many bytes.
LARGEST = 4_000_000
#: Emotions of which fewer than this share are recognised count as known failures.
FAILURE = 0.5


def network(config: Config, store: Path | None = None) -> nn.Module:
    """The network of a finished run at the epoch that was kept, ready for evaluation; takes grey faces in [0, 1].

    Parameters
    ----------
    config: the run.
    store: folder of runs; default ``_build/runs``.

    Raises
    ------
    DataError: if the run was not made here.
    """
    run = runs.run_of(config, store)
    if run.result() is None:
        raise DataError("the run is not finished", run.folder, hint="`ferbook train` or `ferbook sweep` makes it.")
    return _built(config, run.best)


def build(config: Config, in_channels: int, weights: str | Path | None) -> nn.Module:
    """The network that a config names: one output per emotion and, where V, A, D are learned, per axis."""
    outputs, options = len(EMOTIONS), {"in_channels": in_channels, "seed": config.seed, **config.model.options}
    if config.task == "vad":
        if "axes" in models.describe(config.model.name).options():
            options["axes"] = config.vad.axes
        else:
            outputs += len(config.vad.axes)
    return models.build(config.model.name, num_classes=outputs, weights=weights, **options)


def _built(config: Config, weights: Path) -> nn.Module:
    return build(config, 1, weights).eval()


@torch.inference_mode()
def logits(
    network: nn.Module,
    images: np.ndarray | Tensor,
    *,
    mirror: bool,
    size: int = 256,
    normalised: bool = False,
    told: Callable[[object], Tensor] = models.logits,
) -> Tensor:
    """Logits (N, 8), float32 and on the CPU, of faces without augmentation. The network's mode is the caller's matter.

    Parameters
    ----------
    network: takes floats in [0, 1].
    images: uint8, (N, H, W) grey or (N, C, H, W), on the network's device; or float features (N, F) as they are.
    mirror: whether to take the mean of the logits of a face and of its mirror image.
    size: of a batch.
    normalised: whether the network was trained on images that went through ``models.normalise``.
    told: what is wanted of the network's output in place of its logits, (N, T).
    """
    if not isinstance(images, Tensor):
        images = torch.from_numpy(np.array(images))  # a copy, since a face set cannot be written to
    found = []
    for part in (images[:, None] if images.ndim == 3 else images).split(size):
        if part.ndim == 2:
            found.append(told(network(part)).float().cpu())
            continue
        batch = part.float() / 255
        if normalised:
            batch = models.normalise(batch)
        batch = batch.contiguous(memory_format=torch.channels_last)
        scores = told(network(batch))
        if mirror:
            flipped = batch.flip(3).contiguous(memory_format=torch.channels_last)
            scores = (scores + told(network(flipped))) / 2
        found.append(scores.float().cpu())
    return torch.cat(found)


def place(name: str, folder: Path | None = None) -> Path:
    """Where the weights of `name` lie; their card lies beside them, as Markdown."""
    return (folder or paths.project_root() / "data" / "weights") / f"{name}.safetensors"


def released(name: str, folder: Path | None = None) -> nn.Module:
    """A network that the book gives away, ready for evaluation.

    Parameters
    ----------
    name: one of ``RELEASED``.
    folder: of the file; default ``data/weights``.

    Raises
    ------
    DataError: if there is no such file, or it was not written by :func:`release`.
    """
    return _built(config_of(name, folder), place(name, folder))


def config_of(name: str, folder: Path | None = None) -> Config:
    """The run that the weights of `name` come from, as their file says. Raises DataError as :func:`released`."""
    path = place(name, folder)
    if not path.is_file():
        raise DataError("there is no such file", path, hint=f"Given away are: {', '.join(RELEASED)}.")
    try:
        with safe_open(path, framework="pt") as opened:
            return Config.model_validate(bounded_files.parse_json(opened.metadata()["config"]))
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"it holds no weights of this book ({error!r})", path, hint="Restore it.") from None


def release(name: str, store: Path | None = None, folder: Path | None = None) -> Path:
    """Write the weights of a recorded run and their model card; returns where the weights are.

    Parameters
    ----------
    name: one of ``RELEASED``.
    store: folder of runs, with the run that is recorded.
    folder: for the files; default ``data/weights``.

    Raises
    ------
    DataError: if the run is not recorded, was not made here or differs from its record, or is too large a file.
    """
    recorded = sweeps.read(sweeps.record_path(*RELEASED[name].split("/", 1)))
    config = Config.model_validate(recorded.config)
    run = runs.run_of(config, store)
    made = run.result()
    if made is None or sweeps.differences(made, recorded):
        hint = "Train it here, or restore the folder in which it was trained."
        raise DataError(f"the folder does not hold the recorded run {RELEASED[name]}", run.folder, hint=hint)
    size = run.best.stat().st_size
    if size > LARGEST:
        raise DataError(f"{size:,} bytes are more than {LARGEST:,}", run.best, hint="Release a smaller network.")
    path = place(name, folder)
    models.save_weights(_built(config, run.best), path, {"config": json.dumps(config.model_dump(mode="json"))})
    with paths.replacing(path.with_suffix(".md")) as staging:
        staging.write_text(card(name, recorded), encoding="utf-8")
    return path


def card(name: str, result: RunResult) -> str:
    """The model card, Markdown: data, labels, input, accuracy, recall by emotion, known failures, terms.

    Every number is read off `result`, which must be of FER+'s official parts.
    """
    config, found = result.config, result.metrics
    test, faces = found["test"], found["faces"]
    counts = np.array(test["confusion"])
    lines = []
    for k, (emotion, share) in enumerate(zip(EMOTIONS, test["recall"], strict=True)):
        recognised = "none to test" if share is None else f"{share:.1%}"
        lines.append(f"| {emotion} | {counts[k].sum():,} | {recognised} | {_mistaken(counts, k)} |")
    weak = [name for name, share in zip(EMOTIONS, test["recall"], strict=True) if share is not None and share < FAILURE]
    leaked, unseen = found["seen_in_training"], found["test_accuracy_unseen"]
    said = "the face and of its mirror image, averaged" if config["mirror"] else "the face"
    return f"""# {name}

A `{config["model"]["name"]}` network of {found["parameters"]:,} parameters, trained from random weights on FER+ by the
run `{RELEASED[name]}` of this repository; its config is in the file's header. `ferbook release {name}` wrote this
card from the run's record: no number was typed.

## Input and output

* Grey faces of 48 x 48 pixels, cropped as FER2013's are. The network takes float (N, 1, 48, 48) in [0, 1]: uint8
  divided by 255 and nothing else. `trained.logits` takes the uint8 faces (N, 48, 48) and divides them itself.
* Logits (N, 8) in the order {", ".join(EMOTIONS)}. Their softmax is a
  distribution over emotions, as ten people would vote.
* The figures below are from the logits of {said}:
  `trained.logits(trained.released("{name}"), faces, mirror={config["mirror"]})`.

## Data and labels

* FER+, official parts: {faces["train"]:,} faces to train on, {faces["valid"]:,} to choose the epoch,
  {faces["test"]:,} to test on. Checksum `{result.provenance["checksum"]}`.
* Labels: the shares of each face's votes after cleaning, {config["labels"]["n_hot"]} emotions at most. Loss:
  {config["loss"].replace("_", "-")}.

## What it reaches

| on the official test part | |
|---|---|
| accuracy, any of several tied emotions being right | {test["accuracy"]:.2%} |
| accuracy, only the first of tied emotions being right | {test["accuracy_first"]:.2%} |
| accuracy without {leaked:,} faces whose picture is also in training | {unseen:.2%} |
| KL divergence from the votes (nats) | {test["kl"]:.3f} |
| calibration error | {test["calibration_error"]:.3f} |

| emotion | test faces | recognised | most often taken for |
|---|---|---|---|
{chr(10).join(lines)}

## Known failures

* Recognised in fewer than {FAILURE:.0%} of the test faces: {", ".join(weak) or "none"}.
* It has seen pictures from the web of 2013 that ten people voted on. It says what people would call a face, not what
  somebody feels. How it fares by age, sex or origin was not measured: FER+ does not tell them.
* One run with one seed; others were not tried.
* Faces that are turned away, covered, or cropped otherwise than FER2013's were not tested apart.

## Terms

The code is MIT and so are FER+'s votes; the pictures of FER2013 were given out for research. Use these weights for
research only, and not to judge people.
"""


def _mistaken(counts: np.ndarray, k: int) -> str:
    """The emotion that emotion `k` is most often taken for, and how often."""
    wrong = counts[k].copy()
    wrong[k] = 0
    if not wrong.any():
        return "none"
    return f"{EMOTIONS[int(wrong.argmax())]} ({wrong.max() / counts[k].sum():.0%})"
