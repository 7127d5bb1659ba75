"""What loading, painting, detecting and training cost. ``make bench`` prints it and keeps it.

Loading is measured in fresh processes, so that nothing is warm and the peak memory is that of loading alone.
"""

import io
import os
import re
import time
import zipfile
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ferbook import datasets
from ferbook.core import machine, paths, records, temporary
from ferbook.core.errors import ConfigError, FerbookError
from ferbook.datasets.ferplus import PARTS
from ferbook.datasets.ferplus_parts import LABELS, SIDE
from ferbook.learning import cost, sweeps, throughput
from ferbook.learning.benchmark import gradients
from ferbook.measures import turns
from ferbook.relevance import benchmark
from ferbook.vision import appended

#: Faces in the stand-in archives: as many as FER+ has.
SIZES = {"train": 28_558, "valid": 3_579, "test": 3_573}
#: What the project asks of its own speed, on two cores.
LIMITS: dict[str, tuple[str, float]] = {
    "cold_s": ("at most", 15),
    "cached_s": ("at most", 0.5),
    "peak_mib": ("at most", 600),
    "faces_per_s_48": ("at least", 800),
    "faces_per_s_224": ("at least", 40),
    "training_set_s": ("at most", 6),
    "factor": ("at least", 2.5),
    # Of the machine's best matrix rate, so that they hold on any.
    "networks.vgg16_48.engine.matrix_share": ("at least", 0.88),
    "networks.cifar_resnet18.engine.matrix_share": ("at least", 0.85),
    "networks.compact.engine.matrix_share": ("at least", 0.65),
    **benchmark.LIMITS,
}
#: Load, in programs that want a core, beyond which timings are not the machine's own.
BUSY = 0.5
#: Folder of the records of what is measured, one file for each instruction set or GPU.
RECORDS = {
    "training": "runtime/training/",
    "detection": "runtime/detection/",
    "fourfold": "runtime/fourfold/",
    "gradients": "runtime/gradients/",
    "profile": "runtime/profile/",
}
# Of these, which a GPU does where there is one.
_ON_GPU = ("training", "fourfold")

# Reports seconds to load and the process's peak memory.
_PROBE = """
import json, sys, time
from ferbook.datasets import load
from ferbook.core.memory import peak_mib
start = time.perf_counter()
faces = load("ferplus", sys.argv[1])
seconds = time.perf_counter() - start
print(json.dumps({"seconds": seconds, "peak_mib": peak_mib(), "faces": len(faces)}))
"""


def run(root: str | None = None, parts: Collection[str] = ()) -> dict[str, dict[str, object]]:
    """Measure; print a table and write ``_build/bench/NAME.json`` for each part.

    Parameters
    ----------
    root: folder of FER+ (or ``FERBOOK_DATA``); without it loading is measured on stand-in archives of the same size.
    parts: some of loading, rendering, detection, training, relevance and gradients; default: all.

    Raises
    ------
    ConfigError: if there is no such part.
    """
    known = {
        "loading": lambda: loading(root),
        "rendering": rendering,
        "detection": detection,
        "training": training,
        "relevance": benchmark.lrp,
        "gradients": gradients,
    }
    for name in parts:
        if name not in known:
            raise ConfigError("bench", f"there is no part {name!r}", f"Known: {', '.join(known)}.")
    return {name: _report(name, measure()) for name, measure in known.items() if not parts or name in parts}


def loading(root: str | None = None) -> dict[str, object]:
    """Seconds and MiB to load FER+ cold and from the prepared copy. Raises FerbookError if the probe process fails."""
    with temporary.folder() as scratch:
        real = datasets.is_available("ferplus", root)
        place = str(paths.data_root(root)) if real else str(_stand_in(scratch / "ferplus"))
        environment = {**os.environ, "FERBOOK_CACHE": str(scratch / "cache")}
        cold = _probe(place, environment)
        cached = min((_probe(place, environment) for _ in range(3)), key=lambda found: found["seconds"])
    return {
        "data": "FER+" if real else "stand-in archives of noise",
        "faces": cold["faces"],
        "cold_s": round(cold["seconds"], 2),
        "cached_s": round(cached["seconds"], 3),
        "peak_mib": round(cold["peak_mib"]),
    }


def rendering() -> dict[str, object]:
    """Synthetic faces painted per second in grey, and seconds until 4,000 training faces of 48 pixels are ready."""
    from ferbook.synthesis import render, sample

    render(sample(64), size=48)
    speeds = {}
    for size, count in ((48, 2000), (224, 96)):
        faces = sample(count, seed=1)
        speeds[f"faces_per_s_{size}"] = round(count / _seconds(lambda faces=faces, size=size: render(faces, size=size)))
    return {**speeds, "training_set_s": round(_seconds(lambda: render(sample(4000, seed=2), size=48)), 2)}


def detection() -> dict[str, object]:
    """Pictures searched per second in one batch, one by one with facenet-pytorch's own detector, and the factor.

    ``load``: as in :func:`training`.
    """
    from facenet_pytorch import MTCNN

    from ferbook.synthesis import render, sample
    from ferbook.vision.detection import detect

    size, smallest = 160, 40
    pictures = render(sample(64, seed=3, framing="head"), size=size, colour=True)
    detector = MTCNN(min_face_size=smallest, device="cpu")

    def single(some: np.ndarray) -> None:
        for picture in some:
            detector.detect(picture, landmarks=True)

    def batched(some: np.ndarray) -> None:
        # The same search: no enlargement, no frame, the same smallest face.
        detect(some, minimum=smallest / size, upscale=0, border=0)

    single(pictures[:1])
    batched(pictures[:2])
    load, found = _load(), turns.factor(lambda: single(pictures), lambda: batched(pictures))
    return {
        "load": load,
        "pictures_per_s_batched": round(len(pictures) * len(found.fast_s) / sum(found.fast_s)),
        "pictures_per_s_single": round(len(pictures) * len(found.slow_s) / sum(found.slow_s)),
        **turns.figures(found),
    }


def training() -> dict[str, object]:
    """Three networks trained by this library and by the usual loop; see :func:`ferbook.learning.throughput.compare`.

    ``load`` is how many programs wanted a core in the minute before: beyond ``BUSY`` the speeds are a trial.
    """
    load = _load()
    return {"load": load, **throughput.compare()}


def fourfold() -> dict[str, object]:
    """An epoch of VGG16 at paper 002's settings, of which some steps are timed.

    See :func:`ferbook.learning.throughput.fourfold_epoch`.
    """
    config = sweeps.runs(sweeps.description("002"))["vgg16-paper/ordinary-n8-seed0"]
    steps = {"warm_up": 30, "timed": 500} if machine.has_gpu() else {"warm_up": 2}
    setting = throughput.Setting(config.model.name, batch=config.batch, **steps)
    faces = cost.recorded(config).pictures // len(appended.ordinary(config.copies.angle))
    load = _load()
    return {"load": load, **throughput.fourfold_epoch(config, faces, setting)}


def record_fourfold() -> Path:
    """Measure that, print it and write it beside other machines'; returns where."""
    return _record("fourfold", fourfold())


def record_training() -> Path:
    """Measure training, print it and write it to ``data/recorded``, beside other machines'; returns where."""
    return _record("training", training())


def record_detection() -> Path:
    """The same of detection."""
    return _record("detection", detection())


def record_gradients() -> Path:
    """The same of gradients and steps that are written out."""
    return _record("gradients", {"load": _load(), **gradients()})


def record_profile() -> Path:
    """The same of the time that training steps spend on what. Raises FerbookError on a GPU, which works by itself."""
    if machine.has_gpu():
        raise FerbookError("the profile adds up the time of a processor; hide the GPU (CUDA_VISIBLE_DEVICES= ).")
    return _record("profile", {"load": _load(), "networks": throughput.profile()})


def _record(part: str, measured: dict[str, object]) -> Path:
    result = _report(part, measured)
    count = max(setting.pictures() for setting in throughput.SETTINGS)
    name = record_name(part, _kind(part, result))
    return records.write(name, result, faces=throughput.pictures(count), module=__file__)


def record_name(part: str, kind: str) -> str:
    """Name of the record of one of ``RECORDS`` on a kind of machine."""
    return RECORDS[part] + re.sub("[^a-z0-9]+", "-", kind.lower()).strip("-")


def recorded(part: str) -> dict[str, dict[str, Any]]:
    """What was recorded of one of ``RECORDS``, by instruction set or GPU."""
    names = sorted(path.stem for path in records.path_of(f"{RECORDS[part]}any").parent.glob("*.json"))
    found = [records.read(f"{RECORDS[part]}{name}")["values"] for name in names]
    return {_kind(part, one): one for one in found}


def processors(part: str) -> dict[str, dict[str, Any]]:
    """What was recorded of it on processors."""
    return {kind: one for kind, one in recorded(part).items() if kind == one["machine"]["instructions"]}


def _kind(part: str, result: Mapping[str, Any]) -> str:
    """What kind of machine was measured: a GPU where there is one and it is what does this work."""
    told = result["machine"]
    return told["gpu"] if part in _ON_GPU and told["gpu"] != "none" else told["instructions"]


def is_missed(key: str, value: float) -> bool:
    """Whether a figure breaks its limit; False where there is none."""
    kind, limit = LIMITS.get(key, ("", None))
    return limit is not None and (value > limit if kind == "at most" else value < limit)


def _load() -> float:
    return round(os.getloadavg()[0], 2)


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _report(name: str, result: dict[str, object]) -> dict[str, object]:
    result = {**result, "machine": machine.description()}
    records.write_json(paths.project_root() / "_build" / "bench" / f"{name}.json", result)
    print(name)
    for key, value in _flat(result):
        kind, limit = LIMITS.get(key, ("", None))
        bound = "" if limit is None else f"  ({kind} {limit:g})"
        missed = "  MISSED" if limit is not None and is_missed(key, value) else ""
        print(f"  {key:44} {_shown(value):>12}{bound}{missed}")
    if result.get("load", 0) > BUSY:
        print("  other programs were using the machine: measure again when it is idle")
    print("  " + ", ".join(f"{key} {value}" for key, value in result["machine"].items()))
    return result


def _flat(result: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Figures with dotted names, without those that describe the machine and what was asked for."""
    for key, value in result.items():
        if isinstance(value, Mapping):
            if key not in ("machine", "setting"):
                yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _shown(value: object) -> str:
    return f"{value:,}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _probe(place: str, environment: dict[str, str]) -> dict[str, float]:
    return machine.probed(["-c", _PROBE, place], "the loading probe", environment)


def _stand_in(folder: Path) -> Path:
    """Archives like FER+'s, of smoothed noise (which compresses about as badly as a photograph) with random votes."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    number = 0
    for split, part in PARTS.items():
        rows = []
        with zipfile.ZipFile(folder / f"{part}.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for _ in range(SIZES[split]):
                name = f"fer{number:07d}.png"
                number += 1
                stream = io.BytesIO()
                coarse = Image.fromarray(rng.integers(0, 256, (SIDE // 2, SIDE // 2), dtype=np.uint8))
                coarse.resize((SIDE, SIDE), Image.Resampling.BILINEAR).save(stream, format="PNG", compress_level=1)
                archive.writestr(f"{part}/{name}", stream.getvalue())
                votes = rng.multinomial(10, np.full(10, 0.1))
                rows.append(f'{name},"(0, 0, {SIDE}, {SIDE})",{",".join(map(str, votes))}\n')
            archive.writestr(f"{part}/{LABELS}", "".join(rows))
    return folder
